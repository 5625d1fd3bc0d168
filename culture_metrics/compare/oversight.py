"""The metrics by which an oversight framework ranks organisations on this survey, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.catalogue.load import read_yaml
from culture_metrics.compare.assumptions import Assumptions, assumed_of
from culture_metrics.compare.equality_standards import check_keys, wrong
from culture_metrics.compare.sampling import ASSUMED
from culture_metrics.compare.standing import Book, open_books, standing
from culture_metrics.errors import ResultsError
from culture_metrics.output import Output, verb
from culture_metrics.published.official import layout
from culture_metrics.results.precision import NORMAL
from culture_metrics.results.tables import catalogued
from culture_metrics.wording.numbers import signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.catalogue import Survey
    from culture_metrics.published.published import Published

FILE = "oversight.yaml"
#: What the file may say: keys and their kinds.
SHAPE = {"label": str, "source": str, "metrics": list, "sectors": dict}
METRIC = {"id": str, "measure": str, "label": str}

#: What a rise of the measure is tried with.
MORE = 0.1
QUARTERS = 4
COLUMNS = [
    "metric", "measure", "label", "sector", "organisations", "estimate", "std_error", "conf_low", "conf_high",
    "base", "status", "rank", "rank_low", "rank_high", "score", "score_low", "score_high", "quarter",
    "to_next_quarter", "rank_if_more", "score_if_more", "period_before", "estimate_before", "change",
    "change_error", "beyond_noise",
]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class Oversight(Output):
    """An organisation's oversight scores that rest on the survey.

    Attributes
    ----------
    table : polars.DataFrame
        One row per metric; `oversight` says what the columns are.
    organisation, name, sector, survey, period, framework : str
        ODS code, name, sector in which it is ranked, survey, period, and what the framework is called.
    """

    table: pl.DataFrame
    organisation: str
    name: str
    sector: str
    survey: str
    period: str
    framework: str

    def figure(self) -> go.Figure:
        """Draw the scores from the best to the last of the sector, with the interval that sampling allows."""
        from culture_metrics import views

        rows = self.table.select(
            pl.format("{} ({})", "label", "metric").alias("label"),
            pl.col("score").alias("estimate"),
            pl.col("score_low").alias("conf_low"),
            pl.col("score_high").alias("conf_high"),
            "status",
        )
        return views.estimates(
            rows,
            axis="Oversight score: 1 is the best of the sector, 4 its last",
            decimals=2,
            reference=2.5,
            span=(1.0, 4.0),
            notes="The line at 2.5 is the middle of the sector.",
            title=f"{self.name}: {' and '.join(self._scores())}",
            subtitle=f"{self.framework}, {self.sector}, {catalogue(self.survey).named(self.period)}. "
            "Whiskers: what sampling alone allows (spread of answers assumed)",
            source="Published results",
        )

    def summary(self) -> str:
        """Say the scores, how far they may be chance, and what the next quarter asks for."""
        return " ".join(self.sentences())

    def sentences(self) -> tuple[str, ...]:
        """Say the same, a text for each metric."""
        return tuple(" ".join(self._said(row)) for row in self.table.iter_rows(named=True))

    def placed(self) -> tuple[str, ...]:
        """Say rank and score alone, with what sampling allows, a sentence for each metric."""
        return tuple(self._said(row)[0] for row in self.table.iter_rows(named=True))

    def rules(self) -> tuple[str, ...]:
        """Say how scores are made and what was assumed."""
        return (
            f"{self.framework}: score 1 + 3 (rank - 1) / (n - 1) in the sector, ties share the better rank",
            ASSUMED,
        )

    def _scores(self) -> list[str]:
        return [f"{row['label'].lower()} {_two(row['score'])}" for row in self.table.iter_rows(named=True)]

    def _said(self, row: Mapping[str, Any]) -> list[str]:
        head = f"{row['label']} ({row['metric']})"
        if row["rank"] is None:
            return [f"{head}: no figure that could be ranked."]
        said = [
            f"{head}: {row['estimate']:.2f} (official, weighted), rank {row['rank']} of "
            f"{row['organisations']} {self.sector.lower()}, oversight score "
            f"{_two(row['score'])}; by sampling alone the rank could be {row['rank_low']} to "
            f"{row['rank_high']}, the score {_two(row['score_low'])} to {_two(row['score_high'])}."
        ]
        if row["to_next_quarter"] is not None:
            said.append(f"The next quarter of the sector begins {further(row['to_next_quarter'])} higher.")
        said.append(
            f"{MORE:g} more would have meant rank {row['rank_if_more']}, score {_two(row['score_if_more'])}."
        )
        if row["change"] is not None:
            moved = "more than" if row["beyond_noise"] else "no more than"
            change = f"{row['period_before']} ({signed(row['change'], 'score')})"
            said.append(f"The change since {change} is {moved} noise.")
        return said


def further(distance: float) -> str:
    """Say a distance on the scale of a score, and never that something begins 0.00 higher.

    Examples
    --------
    >>> further(0.138), further(0.0004)
    ('0.14', 'less than 0.01')
    """
    return f"{distance:.2f}" if distance >= 0.005 else "less than 0.01"


def _two(score: float | None) -> str:
    return "not given" if score is None else f"{score:.2f}"


@cache
def framework_of(survey: str) -> Mapping[str, Any]:
    """Return the oversight framework of a survey of the package, as its file says.

    Raises
    ------
    ResultsError
        When it has none.
    """
    folder = files("data_schemas") / survey
    if not (folder / FILE).is_file():
        raise ResultsError(
            f"No oversight framework rests on the {catalogue(survey).label}", where="oversight"
        )
    return framework_from(read_yaml(folder, FILE), catalogue(survey))


def framework_from(said: Mapping[str, Any], survey: Survey) -> Mapping[str, Any]:
    """Return what a file says, checked against the catalogue.

    Raises
    ------
    CatalogueError
        When it names what is not there, or a metric or benchmark group twice.
    """
    check_keys(said, SHAPE, "the file", FILE)
    known = {m for edition in survey for m in edition.measures}
    groups = {*layout("organisation").benchmark_groups.values()}
    for metric in said["metrics"]:
        check_keys(metric, METRIC, "metrics", FILE)
        if metric["measure"] not in known:
            raise wrong(f"metrics, {metric['id']}", metric["measure"], "a measure of the survey", FILE)
    if odd := [str(g) for own in said["sectors"].values() for g in own if g not in groups]:
        raise wrong("sectors", ", ".join(odd), f"benchmark groups: {', '.join(sorted(groups))}", FILE)
    named = {"metrics": [m["id"] for m in said["metrics"]], "sectors": [*chain(*said["sectors"].values())]}
    for where, names in named.items():
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise wrong(where, f"{', '.join(twice)} twice", "each once", FILE)
    return said


def scored(rank: pl.Expr, organisations: pl.Expr) -> pl.Expr:
    """Expression: the oversight score of a rank, two decimals; halves go up, as in spreadsheets.

    Examples
    --------
    >>> pl.select(scored(pl.lit(17), pl.lit(135))).item()
    1.36
    """
    # Whole numbers: a float a hair below a half would be rounded down.
    steps = organisations.cast(pl.Int64) - 1
    hundredths = (600 * (rank.cast(pl.Int64) - 1) + steps) // (2 * steps) + 100
    return pl.when(steps > 0).then((hundredths / 100).round(2))


@verb
def oversight(
    published: Published | Sequence[Published],
    organisation: str,
    *,
    assumptions: Assumptions | None = None,
    seed: int = 0,
) -> Oversight:
    """Work out the oversight scores that rest on the survey, and how far they may be chance.

    Parameters
    ----------
    published : Published, or list of them
        Official workbook of organisation results; with an earlier one, or a benchmark workbook of several
        years, the change since the year before is judged.
    organisation : str
        ODS code of a trust.
    assumptions : Assumptions, optional
        Spread of scores among respondents, and how much weighting widens a variance.
    seed : int
        Of the simulation behind the intervals of ranks.

    Returns
    -------
    Oversight
        `.table` has for each metric

        metric, measure, label, sector, organisations
            Id in the framework, measure of the survey, and among how many it is ranked.
        estimate, std_error, conf_low, conf_high, base, status
            The measure, with the standard error that base and assumed spread give.
        rank, rank_low, rank_high, score, score_low, score_high
            Rank (1 is best, ties share the better rank) and score (1.00 best, 4.00 last), with the interval
            that sampling alone allows.
        quarter, to_next_quarter
            Quarter of the sector by rank (1 is best), and how much higher the last of the next better quarter
            stands; null in the best.
        rank_if_more, score_if_more
            Had the measure been 0.1 higher and all others as they are.
        period_before, estimate_before, change, change_error, beyond_noise
            Since the year before, as far as it was given: whether the change is more than 1.96 standard
            errors, beyond what two releases may differ by where the years come from two.

    Raises
    ------
    UnknownNameError
        When the workbook has no such organisation.
    ResultsError
        When it is in no sector of the framework (ICBs, social enterprises), or it is no workbook.

    Notes
    -----
    Source: methodology manual of the NHS Oversight Framework 2025/26, whose example is rebuilt exactly. That
    ranks are of unrounded figures, and that quarters are those of ranks, is not confirmed.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> workbook = cm.read_published("organisational results 2024.xlsx")  # doctest: +SKIP
    >>> cm.oversight(workbook, "RXX").summary()  # doctest: +SKIP
    """
    assumed = assumed_of(assumptions)
    books = open_books(published, assumed, "oversight")
    newest = books[0]
    framework = framework_of(newest.survey)
    here = newest.organisations.filter(period=newest.period)
    own = newest.about(organisation, newest.period)
    sector, groups = _sector(framework, own)
    members = here.filter(pl.col("benchmark_group").is_in(groups))
    metrics = pl.DataFrame(framework["metrics"]).rename({"id": "metric", "label": "said"})
    measures = catalogued(catalogue(newest.survey).edition(newest.period)).filter(
        pl.col("measure").is_in(metrics["measure"].implode())
    )
    rows = newest.rows.filter(period=newest.period).join(members.select("organisation"), on="organisation")
    found = standing(
        rows,
        organisation,
        measures,
        minimum_base=catalogue(newest.survey).written_minimum,
        seed=seed,
    )
    n = pl.col("organisations")
    table = (
        metrics.join(found.drop("label"), on="measure", maintain_order="left")
        .rename({"said": "label"})
        .join(_if_more(rows, found), on="measure", how="left", maintain_order="left")
        .join(
            _before(books, organisation, metrics["measure"]), on="measure", how="left", maintain_order="left"
        )
        .with_columns(
            pl.lit(sector).alias("sector"),
            *(
                scored(pl.col(f"rank{end}"), n).alias(f"score{end}")
                for end in ("", "_low", "_high", "_if_more")
            ),
            (pl.col("estimate") - pl.col("estimate_before")).alias("change"),
            (pl.col("std_error") ** 2 + pl.col("error_before") ** 2).sqrt().alias("change_error"),
        )
        .with_columns(
            (pl.col("change").abs() - pl.col("allowance") > NORMAL * pl.col("change_error")).alias(
                "beyond_noise"
            )
        )
    )
    return Oversight(
        table=table.select(COLUMNS),
        organisation=organisation,
        name=own["name"] or organisation,
        sector=sector,
        survey=newest.survey,
        period=newest.period,
        framework=framework["label"],
    )


def _sector(framework: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the sector of an organisation, and the benchmark groups in it as workbooks print them."""
    printed = layout("organisation").benchmark_groups
    for sector, ids in framework["sectors"].items():
        groups = [text for text, one in printed.items() if one in ids]
        if own["benchmark_group"] in groups:
            return str(sector), groups
    raise ResultsError(
        f"{own['organisation']} is in no sector of the {framework['label']}",
        where="oversight",
        expected=", ".join(framework["sectors"]),
        got=own["benchmark_group"],
        hint="Trusts are scored; ICBs, CSUs and social enterprises are not.",
    )


def _if_more(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return quarter, distance to the next one, and the rank with a tenth more, by measure."""
    own = found.select("measure", "estimate", "rank", "organisations")
    pairs = (
        rows.select("measure", pl.col("estimate").alias("theirs"))
        .drop_nulls()
        .join(own.drop_nulls(), on="measure")
        .with_columns(
            quarter=(QUARTERS * (pl.col("rank").cast(pl.Int64) - 1)) // pl.col("organisations") + 1,
            place=pl.col("theirs").rank("min", descending=True).over("measure").cast(pl.Int64),
        )
        .with_columns(theirs_in=(QUARTERS * (pl.col("place") - 1)) // pl.col("organisations") + 1)
    )
    theirs, mine = pl.col("theirs"), pl.col("estimate").first()
    last_better = theirs.filter(pl.col("theirs_in") == pl.col("quarter").first() - 1).min()
    # With more, the organisation leaves its own place: it is not among those it passes.
    return pairs.group_by("measure").agg(
        pl.col("quarter").first(),
        (last_better - mine).alias("to_next_quarter"),
        (1 + (theirs > mine + MORE).sum()).alias("rank_if_more"),
    )


def _before(books: Sequence[Book], organisation: str, measures: pl.Series) -> pl.DataFrame:
    """Return the measures of the year before, from the release of the newest year where it holds it."""
    newest = books[0]
    here = pl.concat(
        book.rows.filter(organisation=organisation)
        .filter(pl.col("measure").is_in(measures.implode()) & (pl.col("period") < newest.period))
        .with_columns(release=pl.lit(book.release), order=pl.lit(number))
        for number, book in enumerate(books)
    ).drop_nulls("estimate")
    last = (
        here.filter(pl.col("period") == pl.col("period").max()).sort("order").unique("measure", keep="first")
    )
    known = [dict(b.allowance) for b in catalogue(newest.survey).breaks if b.releases]
    allowed = known[0].get("score", 0.0) if known else 0.0
    return last.select(
        "measure",
        pl.col("period").alias("period_before"),
        pl.col("estimate").alias("estimate_before"),
        pl.col("std_error").alias("error_before"),
        pl.when(pl.col("release") == newest.release).then(0.0).otherwise(allowed).alias("allowance"),
    )
