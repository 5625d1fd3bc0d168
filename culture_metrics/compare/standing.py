"""Where one organisation stands among others: best, median, worst, rank, percentile, distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.ranks import rank_intervals
from culture_metrics.compare.sampling import with_sampling_error
from culture_metrics.contract import ALL, check_results
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.published.published import Published
from culture_metrics.results.tables import catalogued

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culture_metrics.compare.assumptions import Assumptions

#: Among whom an organisation stands -> what one that has none of them is told.
LEVELS = {
    "benchmark_group": "benchmark group",
    "region": "region",
    "ics": "integrated care system",
    "national": "country",
}
NATIONAL = "national"
#: What a group of the whole workbook is called.
EVERYONE = "all organisations"
COLUMNS = [
    "measure", "code", "label", "level", "unit", "direction", "estimate", "std_error", "conf_low",
    "conf_high", "base", "status", "best", "median", "worst", "organisations", "left_out", "rank",
    "rank_low", "rank_high", "percentile", "sd", "from_median", "from_best",
]  # fmt: skip


@dataclass(frozen=True)
class Book:
    """One release of official results, opened for comparing.

    `rows` are the Results of whole organisations with their sampling error, `organisations` who they are;
    both of every period of the release.
    """

    survey: str
    period: str
    release: str
    rows: pl.DataFrame
    organisations: pl.DataFrame

    def about(self, organisation: str, period: str) -> dict[str, Any]:
        """Return what the release says of an organisation itself.

        Raises
        ------
        UnknownNameError
            When it has no such organisation.
        """
        here = self.organisations.filter(period=period)
        if organisation not in set(here["organisation"]):
            raise unknown("organisation", organisation, here["organisation"].to_list())
        return here.row(by_predicate=pl.col("organisation") == organisation, named=True)

    def members(self, organisation: str, level: str, period: str) -> tuple[pl.DataFrame, str]:
        """Return the organisations among which one stands, and what they are called.

        Raises
        ------
        UnknownNameError
            When the period has no such organisation.
        ResultsError
            When the file does not say in which group, region or system it is.
        """
        here = self.organisations.filter(period=period)
        about = self.about(organisation, period)
        if level == NATIONAL:
            return here, EVERYONE
        own = about[level]
        if own is None:
            raise ResultsError(
                f"{organisation} has no {LEVELS[level]} in this workbook",
                hint="Use the official workbook of organisation results."
                if level == "benchmark_group"
                else "Only trusts and ICBs have one there: take level='benchmark_group' or 'national'.",
            )
        return here.filter(pl.col(level) == own), own


def as_published(given: object, what: str, where: str) -> Published:
    """Return what was given when it is a published workbook.

    Raises
    ------
    ResultsError
        When it is none.
    """
    if not isinstance(given, Published):
        raise ResultsError(
            what,
            where=where,
            got=type(given).__name__,
            hint="Read the official workbook of organisation results: cm.read_published(path).",
        )
    return given


def open_book(published: object, assumptions: Assumptions, where: str) -> Book:
    """Open a release: the rows of whole organisations, with their sampling error.

    Raises
    ------
    ResultsError
        When it is no published workbook.
    """
    published = as_published(published, "A standing is taken from a published workbook", where)
    check_results(published.results.table)
    whole = (pl.col("breakdown") == ALL) & (pl.col("group") == ALL)
    rows = with_sampling_error(
        published.results.table.filter(whole), catalogue(published.survey), assumptions
    )
    return Book(
        published.survey,
        published.period,
        str(published.provenance.get("release", published.period)),
        rows,
        published.organisations,
    )


def open_books(published: object, assumptions: Assumptions, where: str) -> list[Book]:
    """Open one release or several of one survey, the newest first.

    Raises
    ------
    ResultsError
        When there is none, or they are of several surveys.
    """
    given = list(published) if isinstance(published, list | tuple) else [published]
    books = [open_book(one, assumptions, where) for one in given]
    if len({book.survey for book in books}) != 1:
        raise ResultsError(
            "A standing is taken from workbooks of one survey",
            where=where,
            got=", ".join(sorted({book.survey for book in books})) or "none",
        )
    return sorted(books, key=lambda book: (book.period, book.release), reverse=True)


def side() -> pl.Expr:
    """Expression: -1 where fewer is better, else 1."""
    return pl.when(pl.col("direction") == "lower").then(-1.0).otherwise(1.0)


def turned(figure: str = "estimate") -> pl.Expr:
    """Expression: a figure turned so that higher is better."""
    return side() * pl.col(figure)


def counted(rows: pl.DataFrame, minimum_base: int) -> pl.DataFrame:
    """Return the figures that count in a comparison: those there are, on so many respondents at least."""
    return rows.filter(
        pl.col("estimate").is_not_null() & (pl.col("base") >= minimum_base).fill_null(value=True)
    )


def groupwide(rows: pl.DataFrame, prefix: str = "") -> pl.DataFrame:
    """Return best, median, worst and number of figures (`estimate, direction`) by measure."""
    sided = pl.col("direction").first() != "neutral"
    good = turned()
    return (
        rows.group_by("measure")
        .agg(
            pl.when(sided).then(good.max()).alias("best"),
            pl.col("estimate").median().alias("median"),
            pl.when(sided).then(good.min()).alias("worst"),
            pl.len().cast(pl.UInt32).alias("organisations"),
            pl.col("estimate").std().alias("sd"),
            side().first().alias("sign"),
        )
        .with_columns(pl.col("best", "worst") * pl.col("sign"))
        .drop("sign")
        .rename(lambda name: name if name == "measure" else f"{prefix}{name}")
    )


def standing(
    rows: pl.DataFrame,
    organisation: str,
    measures: pl.DataFrame,
    *,
    minimum_base: int,
    seed: int = 0,
    intervals: bool = True,
) -> pl.DataFrame:
    """Return the standing of one organisation among those of `rows`, one row per measure.

    Parameters
    ----------
    rows : polars.DataFrame
        Results of whole organisations of one period, with sampling errors (`open_book`).
    organisation : str
        ODS code.
    measures : polars.DataFrame
        As `catalogued` returns them.
    minimum_base : int
        Smallest base that counts.
    seed : int
        Of the simulation behind the intervals of ranks.
    intervals : bool
        Whether to draw them; their columns are null otherwise.

    Returns
    -------
    polars.DataFrame
        `COLUMNS`, in the order of `measures`.
    """
    everyone = rows["organisation"].n_unique()
    ranked = counted(rows, minimum_base).join(measures, on="measure").with_columns(good=turned())
    sided, n = pl.col("direction") != "neutral", pl.len().over("measure")
    ranked = ranked.with_columns(
        pl.when(sided).then(pl.col("good").rank("min", descending=True).over("measure")).alias("rank"),
        pl.when(sided & (n > 1))
        .then(100 * (pl.col("good").rank("average").over("measure") - 1) / (n - 1))
        .alias("percentile"),
    )
    mine = ranked.filter(organisation=organisation).select("measure", "rank", "percentile")
    own = rows.filter(organisation=organisation)
    drawn = _intervals(ranked if intervals else ranked.clear(), organisation, seed)
    return (
        measures.join(own, on="measure", how="left", maintain_order="left")
        .join(mine, on="measure", how="left", maintain_order="left")
        .join(groupwide(ranked), on="measure", how="left", maintain_order="left")
        .join(drawn, on="measure", how="left", maintain_order="left")
        .with_columns(
            (everyone - pl.col("organisations")).cast(pl.UInt32).alias("left_out"),
            *(
                pl.when((pl.col("sd") > 0) & pl.col("direction").ne("neutral"))
                .then(side() * (pl.col("estimate") - pl.col(name)) / pl.col("sd"))
                .alias(f"from_{name}")
                for name in ("median", "best")
            ),
        )
        .select(COLUMNS)
    )


def _intervals(ranked: pl.DataFrame, organisation: str, seed: int) -> pl.DataFrame:
    """Return the interval of the rank by measure, as far as standard errors are known."""
    sided = ranked.filter(pl.col("direction") != "neutral")
    if sided.filter(organisation=organisation).is_empty():
        return pl.DataFrame(schema={"measure": pl.String, "rank_low": pl.UInt32, "rank_high": pl.UInt32})
    shape = {"on": "measure", "index": "organisation", "maintain_order": True}
    values = sided.pivot(values="good", **shape)  # type: ignore[arg-type]
    errors = sided.pivot(values="std_error", **shape)  # type: ignore[arg-type]
    codes = values["organisation"].to_list()
    names = values.columns[1:]
    low, high = rank_intervals(
        values.drop("organisation").to_numpy(),
        errors.drop("organisation").to_numpy(),
        codes.index(organisation),
        seed=seed,
    )
    found = pl.DataFrame({"measure": names, "rank_low": low, "rank_high": high}, nan_to_null=True)
    return found.with_columns(pl.col("rank_low", "rank_high").cast(pl.UInt32))


def history(
    books: Iterable[Book], organisation: str, level: str, *, minimum_base: int, seed: int = 0
) -> pl.DataFrame:
    """Return the standing of every period, each from the newest release that holds it.

    Periods in which the organisation, or its group, is not in the release are left out.
    """
    found: dict[str, pl.DataFrame] = {}
    for book in books:
        for period in book.rows["period"].unique().sort(descending=True):
            here = book.organisations.filter(period=period)
            if period in found or organisation not in set(here["organisation"]):
                continue
            group, name = book.members(organisation, level, period)
            rows = book.rows.filter(period=period).join(group.select("organisation"), on="organisation")
            if organisation in set(rows["organisation"]):
                table = standing(
                    rows,
                    organisation,
                    catalogued(catalogue(book.survey).edition(period)),
                    minimum_base=minimum_base,
                    seed=seed,
                )
                found[period] = table.select(
                    pl.lit(period).alias("period"),
                    pl.lit(book.release).alias("release"),
                    pl.lit(name).alias("group_name"),
                    pl.all(),
                )
    return pl.concat([found[period] for period in sorted(found)])
