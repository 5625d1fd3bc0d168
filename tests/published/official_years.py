"""A made-up national year whose published figures come from the official formula, worked out here by itself."""

from __future__ import annotations

import numpy as np
import polars as pl

from culture_metrics import score, synthetic
from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.extracts.extract import Extract
from culture_metrics.published import Published
from culture_metrics.results import Distributions, Results

ACUTE = "Acute and Acute & Community Trusts"
#: Codes of 2024 that acute trusts weigh apart; all others, and who gave none, are one group.
APART = [[*range(26, 35)], [1, 2, 3, *range(5, 11)], [4, 11, 12], [*range(13, 18)], [38], [39], [41]]


def national(organisations: int = 3, people: int = 1200, seed: int = 5) -> Extract:
    """Acute trusts with no small group, in which one respondent in twenty-five gives no occupation."""
    made = synthetic.respondents(
        2024, organisations=organisations, respondents_per_organisation=people, seed=seed
    )
    left_out = pl.when(pl.int_range(pl.len()) % 25 == 0).then(None).otherwise("q35")
    frame = made.frame.filter(benchmark_group=ACUTE).with_columns(left_out.alias("q35"))
    return Extract(made.survey, made.period, frame, made.provenance)


def weight_by_formula(extract: Extract) -> np.ndarray:
    """min(5, (n_bg / N_b) / (n_og / N_o)) for each respondent of acute trusts."""
    code = extract.frame["q35"].to_numpy().astype(float)
    group = np.full(len(code), 99)
    for number, own in enumerate(APART):
        group[np.isin(code, own)] = number
    organisation = extract.frame["organisation"].to_numpy()
    found = np.empty(len(code))
    for i, (g, o) in enumerate(zip(group, organisation, strict=True)):
        here = organisation == o
        found[i] = min(5, (group == g).mean() / (group[here] == g).mean())
    return found


def figures(extract: Extract, weight: np.ndarray) -> pl.DataFrame:
    """Scores and headline percentages of each organisation, Σwy / Σw, never weighted where the Notes say so."""
    edition, frame = extract.edition, extract.frame
    scores = score(extract)
    rows = []
    for organisation in frame["organisation"].unique().sort():
        here = (frame["organisation"] == organisation).to_numpy()
        for name, measure in edition.measures.items():
            question = edition.questions.get(measure.question or "")
            if question is None:
                y = scores[name].cast(pl.Float64).to_numpy()
            elif question.kind == "multi" or question.code not in frame.columns:
                continue
            else:
                answer = frame[question.code].fill_null(-1).to_numpy()
                y = np.where(np.isin(answer, question.positive), 100.0, 0.0)
                asked = np.isin(answer, [c for c in question.scale.labels if c not in question.out_of_base])
                y[~asked] = np.nan
            own = here & np.isfinite(y)
            plain = question is not None and not question.weighted
            w = np.ones(own.sum()) if plain else weight[own]
            weighting = "none" if plain else "occupation_group"
            mean = float((w * y[own]).sum() / w.sum()) if own.any() else None
            rows.append((organisation, name, measure.unit, mean, int(own.sum()), weighting))
    columns = ["organisation", "measure", "unit", "estimate", "base", "weighting"]
    return pl.DataFrame(rows, schema=columns, orient="row").filter(pl.col("base") > 0)


def workbook(extract: Extract, table: pl.DataFrame | None = None, year: str | None = None) -> Published:
    """The release of a national year: figures by the formula, and the occupations of respondents."""
    year = year or extract.period
    about = {"survey": "nss_england", "period": year, "breakdown": "all", "group": "all", "status": "reported", "source": "published"}  # fmt: skip
    said = {name: pl.lit(value) for name, value in about.items()}
    table = figures(extract, weight_by_formula(extract)) if table is None else table
    given = extract.frame.drop_nulls("q35").with_columns(pl.col("q35").cast(pl.Int64))
    counts = given.group_by("organisation", "q35").len("n")
    grid = counts.select("organisation").unique().join(pl.DataFrame({"q35": range(1, 43)}), how="cross")
    base = pl.col("n").sum().over("organisation")
    occupations = grid.join(counts, on=["organisation", "q35"], how="left").select(
        "organisation",
        question=pl.lit("occupation"),
        option="q35",
        percent=100 * pl.col("n").fill_null(0) / base,
        base=base,
        weighting=pl.lit("none"),
        **said,
    )
    organisations = extract.frame.select("organisation", "benchmark_group").unique()
    return Published(
        "nss_england",
        year,
        Results(as_results(table.with_columns(**said))),
        Distributions(as_distributions(occupations)),
        as_organisations(organisations.with_columns(survey=pl.lit("nss_england"), period=pl.lit(year))),
    )
