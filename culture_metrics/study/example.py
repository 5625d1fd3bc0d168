"""The built-in example: one invented trust in two years, and the published results of its peers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl

from culture_metrics.contract import ALL, as_distributions, as_organisations, as_results
from culture_metrics.disclosure.decision import Decision
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.validate import validate
from culture_metrics.indicators.distributions import distributions
from culture_metrics.indicators.estimate import estimate
from culture_metrics.published import Published
from culture_metrics.results import Distributions, Results
from culture_metrics.synthetic import respondents

YEARS = ("2023", "2024")
#: Breakdowns of the example: occupation, directorate, department, and one of equality.
BREAKDOWNS = ("occupation_group", "locality_1", "locality_4", "long_term_condition")
#: Departments of the large directorates and their shares; the others have none.
DEPARTMENTS = {
    "Urgent Care": {"Emergency Department": 0.45, "Acute Medicine": 0.35, "Ambulatory Care": 0.2},
    "Planned Care": {"Theatres": 0.35, "Surgical Wards": 0.4, "Outpatients": 0.25},
    "Therapies and Community": {"Community Nursing": 0.5, "Physiotherapy": 0.3, "Dietetics": 0.2},
}
#: Planted: a fall in one directorate, chiefly in one department of it; a rise in another.
FALL, DEPARTMENT, RISE = "Planned Care", "Theatres", "Therapies and Community"
#: A team in the directorate that fell, of so few that it must be hidden.
SMALL_TEAM, TEAM_SIZE = "Pre-assessment", 7
#: Options of the scales whose answers are moved.
SCALED = 5
#: The story, so large that it is found for nine seeds in ten: where (column and group), in which score (in
#: all where none is named) and in what share of answers people are one option worse (below 0) or better off
#: in the later year. The gap of those with a long-term condition (code 1) widens. Questions of advocacy are
#: left as they are: `synthetic.planted`.
PLANTED = (
    ("locality_1", FALL, "", -0.12),
    ("locality_4", DEPARTMENT, "", -0.4),
    ("locality_1", RISE, "", 0.32),
    ("q31a", "1", "morale", -0.33),
)
TRUST = "SYN01"
#: The invented peers: enough for a benchmark group, small enough to be made in a second.
PEERS, PEER_SIZE, TRUST_SIZE = 24, 400, 2000
#: Who the respondents are, as far as profiles of organisations need it.
BACKGROUND = ("occupation", "age", "ethnicity")


def example_extracts(seed: int = 1, *, planted: bool = True) -> tuple[Extract, ...]:
    """Return the answers of one invented trust, `SYN01`, in two years, with some faults to find.

    Parameters
    ----------
    seed : int
        Of the people.
    planted : bool
        With the story of `PLANTED` in the later year; else it differs by chance and as `synthetic` plants.

    Examples
    --------
    >>> [extract.period for extract in example_extracts()]
    ['2023', '2024']
    """
    # Made once; what is shown of them is remembered by each reader apart.
    made = _years(seed, planted)
    return tuple(replace(extract, frame=extract.frame.clone(), decision=Decision()) for extract in made)


@cache
def _years(seed: int, planted: bool) -> tuple[Extract, ...]:
    made = [respondents(year, respondents_per_organisation=TRUST_SIZE, seed=seed) for year in YEARS]
    placed = [_with_departments(extract, [seed, n]) for n, extract in enumerate(made)]
    if planted:
        placed[-1] = _with_story(placed[-1], seed)
    return tuple(_with_faults(extract) for extract in placed)


@cache
def example_workbook() -> Published:
    """Return the published results that go with `example_extracts`."""
    return example_published(validate(example_extracts()[-1]).extract)


def _with_departments(extract: Extract, seed: list[int]) -> Extract:
    """Give people of large directorates a department, and the columns the names that a trust gives them."""
    rng = np.random.default_rng(seed)
    directorate = extract.frame["locality_1"]
    department = np.full(len(directorate), None, dtype=object)
    for name, shares in DEPARTMENTS.items():
        here = np.flatnonzero((directorate == name).to_numpy())
        department[here] = rng.choice(list(shares), len(here), p=list(shares.values()))
        if name == FALL:
            department[rng.choice(here, TEAM_SIZE, replace=False)] = SMALL_TEAM
    frame = extract.frame.with_columns(pl.Series("locality_4", department.tolist(), pl.String))
    words = {"renamed": {"Directorate": "locality_1", "Department": "locality_4"}}
    return replace(extract, frame=frame, provenance={**extract.provenance, **words})


def _with_story(extract: Extract, seed: int) -> Extract:
    """Let people of the places in `PLANTED` answer some questions one option worse, or better."""
    rng, edition, frame = np.random.default_rng([seed, len(PLANTED)]), extract.edition, extract.frame
    fixed = edition.questions_of("advocacy")
    for column, group, measure, chance in PLANTED:
        asked = edition.questions_of(measure) if measure else [*edition.questions]
        of = [edition.questions[name] for name in asked if name not in fixed]
        here = (frame[column].cast(pl.String) == group).fill_null(value=False)
        for question in of:
            points = question.score_map or {}
            order = [c for c, _ in sorted(points.items(), key=lambda pair: pair[1])]
            if len(set(points.values())) == SCALED and len(order) == SCALED:
                worse = dict(zip(order[1:], order[:-1], strict=True))
                step = worse if chance < 0 else {low: high for high, low in worse.items()}
                moved = here & pl.Series(rng.random(frame.height) < abs(chance))
                code = pl.col(question.code)
                frame = frame.with_columns(pl.when(moved).then(code.replace(step)).otherwise(code))
    return replace(extract, frame=frame)


def _with_faults(extract: Extract) -> Extract:
    """Plant what real files have.

    "Missing" codes; a code that is not on the form, and one that often stands for no answer; answers to a
    question that a filter rules out; two respondents twice.
    """
    row = pl.int_range(pl.len())
    faults = {
        "q4c": (row % 97 == 0, 99),
        "q3i": (row % 499 == 1, 7),
        "q9a": (row % 399 == 2, 98),
        "q11d": (row % 599 == 3, 2),
        "q11e": (row % 599 == 3, 1),
    }
    faulty = extract.frame.with_columns(
        pl.when(where).then(code).otherwise(column).cast(pl.Int8).alias(column)
        for column, (where, code) in faults.items()
    )
    return replace(extract, frame=pl.concat([faulty, faulty.tail(2)]))


def example_published(own: Extract) -> Published:
    """Return the results of the trust and its peers as an official workbook has them, without intervals.

    Parameters
    ----------
    own : Extract
        The trust's answers in the year of the results, checked.

    Examples
    --------
    >>> from culture_metrics import validate
    >>> published = example_published(validate(example_extracts()[-1]).extract)
    >>> published.period, published.organisations.height
    ('2024', 24)
    """
    peers = respondents(own.period, organisations=PEERS, respondents_per_organisation=PEER_SIZE)
    frame = pl.concat([own.frame, peers.frame.filter(pl.col("organisation") != TRUST)], how="diagonal")
    everyone = Extract(own.survey, own.period, frame)
    published = {"source": pl.lit("published")}
    unknown = {name: pl.lit(None) for name in ("std_error", "conf_low", "conf_high", "effective_base")}
    results = as_results(estimate(everyone).table.with_columns(**published, **unknown))
    hidden = results["status"].cast(pl.String).str.starts_with("suppressed")
    organisations = (
        frame.select("organisation", "benchmark_group", "region", "ics")
        .unique()
        .with_columns(
            survey=pl.lit(own.survey),
            period=pl.lit(own.period),
            name=pl.format(
                "Invented trust {}", pl.col("organisation").str.slice(3).str.strip_chars_start("0")
            ),
        )
    )
    answers = pl.concat([distributions(everyone).table, _background(everyone)], how="diagonal_relaxed")
    return Published(
        survey=own.survey,
        period=own.period,
        results=Results(results),
        distributions=Distributions(as_distributions(answers.with_columns(**published))),
        organisations=as_organisations(organisations),
        provenance={"synthetic": True, "suppressed_cells": int(hidden.sum())},
    )


def _background(everyone: Extract) -> pl.DataFrame:
    """Count who answered in each organisation, as official workbooks print it: the people are invented."""
    questions = {name: everyone.edition.questions[name] for name in BACKGROUND}
    codes = {question.columns[0]: name for name, question in questions.items()}
    options = [(name, code) for name, question in questions.items() for code in question.scale.labels]
    grid = pl.DataFrame(options, schema={"question": pl.String, "option": pl.Int16}, orient="row")
    key, whole = ["organisation", "question", "option"], ["organisation", "question"]
    given = (
        everyone.frame.select("organisation", *(pl.col(c).cast(pl.Int16).alias(n) for c, n in codes.items()))
        .unpivot(index="organisation", variable_name="question", value_name="option")
        .group_by(key)
        .agg(count=pl.len())
    )
    counts = (
        everyone.frame.select("organisation")
        .unique()
        .join(grid, how="cross")
        .join(given, on=key, how="left")
        .with_columns(pl.col("count").fill_null(0))
    )
    about = {
        "survey": everyone.survey, "period": everyone.period, "breakdown": ALL, "group": ALL,
        "weighting": "none", "status": "reported",
    }  # fmt: skip
    base = pl.col("count").sum().over(whole)
    return counts.select(
        *key,
        (100 * pl.col("count") / base).alias("percent"),
        base.cast(pl.UInt32).alias("base"),
        *(pl.lit(value).alias(column) for column, value in about.items()),
    )
