"""Tie out: where two official files of one release disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from culture_metrics.published.published import Published

#: Workbooks print nine digits and more.
TOLERANCE = 1e-6
CELL = ["organisation", "breakdown", "group", "measure"]
#: Kinds of disagreement, in the order of the table.
KINDS = ("value", "base", "status", "benchmark_group", "organisation", "sum_of_bases")
SCHEMA: dict[str, pl.DataType] = {
    "kind": pl.Enum(KINDS),
    **dict.fromkeys(CELL, pl.String()),
    "first": pl.Float64(),
    "second": pl.Float64(),
    "note": pl.String(),
}
#: Layouts that name organisations, and those that sum them up.
SINGLE, TOGETHER = ("organisation", "benchmark"), ("national", "organisation_type")


@dataclass(frozen=True, repr=False)
class TieOut(Output):
    """Disagreements of two official files.

    Attributes
    ----------
    table : polars.DataFrame
        A row a disagreement: `kind` (value, base, status, benchmark_group, organisation: in one file only,
        sum_of_bases), `organisation, breakdown, group, measure`, `first`, `second` (figures of the two files)
        and `note` (where these are no numbers).
    compared : mapping
        How many figures, organisations and sums were compared.
    """

    table: pl.DataFrame
    compared: dict[str, int]

    def summary(self) -> str:
        """Say what was compared and how much of it disagrees."""
        did = ", ".join(counted(n, what) for what, n in self.compared.items())
        return f"Compared: {did}. {counted(self.table.height, 'disagreement')}."

    def __repr__(self) -> str:
        return f"TieOut({self.summary()})"


@verb
def tie_out(first: Published, second: Published) -> TieOut:
    """List every disagreement of two official files of one release: values, bases, groups, organisations.

    Parameters
    ----------
    first, second : Published
        Two of the workbooks of a release: of organisations, national, of organisation types, benchmark.

    Returns
    -------
    TieOut
        Its `.table` is empty where the files agree.

    Raises
    ------
    ResultsError
        When they are of two surveys or releases.

    Notes
    -----
    Figures of the same organisation, breakdown, group and measure are compared to 1e-6. Bases of headlines
    that leave options out are rounded products in detailed workbooks and are not compared. The bases of the
    scores of all trusts add up to those of the national file (exactly, in the official workbooks of 2024),
    and the bases of each type's organisations to those of the type.

    Examples
    --------
    >>> from culture_metrics.study.example import example_published, example_extracts
    >>> published = example_published(example_extracts()[-1])
    >>> tie_out(published, published).table.height
    0
    """
    if (first.survey, first.period) != (second.survey, second.period):
        raise ResultsError(
            "Two files of one release are tied out",
            got=f"{first.survey} {first.period} and {second.survey} {second.period}",
            hint="Take both workbooks of the same year.",
        )
    parts = [*_figures(first, second), *_organisations(first, second), *_sums(first, second)]
    table = pl.concat([pl.DataFrame(schema=SCHEMA), *(_shaped(found) for _, _, found in parts)])
    compared: dict[str, int] = {}
    for what, count, _ in parts:
        if count:
            compared[what] = max(compared.get(what, 0), count)
    return TieOut(table=table.sort("kind", *CELL), compared=compared)


Part = tuple[str, int, pl.DataFrame]


def _shaped(found: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in SCHEMA.items() if name not in found.columns]
    return found.with_columns(missing).select(pl.col(n).cast(t) for n, t in SCHEMA.items())


def _figures(first: Published, second: Published) -> list[Part]:
    """Compare the figures that both files have."""
    rows = [
        p.results.table.filter(period=first.period).select(*CELL, "estimate", "base", "status")
        for p in (first, second)
    ]
    both = rows[0].join(rows[1], on=CELL, suffix="_2")
    kept_whole = [
        m.id
        for m in first.edition.measures.values()
        if m.unit == "score" or not first.edition.questions[m.question or ""].out_of_base
    ]
    base, other = pl.col("base").cast(pl.Int64), pl.col("base_2").cast(pl.Int64)
    values = both.filter((pl.col("estimate") - pl.col("estimate_2")).abs() > TOLERANCE)
    bases = both.filter(pl.col("measure").is_in(kept_whole), base != other)
    states = both.filter(pl.col("status") != pl.col("status_2"))
    said = pl.concat_str(pl.col("status", "status_2").cast(pl.String), separator=" and ")
    return [
        ("figure", both.height, found.select(*CELL, kind=pl.lit(kind), **more))
        for kind, found, more in (
            ("value", values, {"first": "estimate", "second": "estimate_2"}),
            ("base", bases, {"first": "base", "second": "base_2"}),
            ("status", states, {"note": said}),
        )
    ]


def _organisations(first: Published, second: Published) -> list[Part]:
    """Compare which organisations there are, and their groups, where both files name organisations."""
    if any(p.provenance.get("layout") not in SINGLE for p in (first, second)):
        return []
    both = first.organisations.join(second.organisations, on="organisation", how="full", suffix="_2")
    here, there = pl.col("organisation"), pl.col("organisation_2")
    one = both.filter(here.is_null() | there.is_null())
    group, other = pl.col("benchmark_group"), pl.col("benchmark_group_2")
    moved = both.filter(here.is_not_null(), there.is_not_null(), group.ne_missing(other))
    where = pl.when(here.is_null()).then(pl.lit("in the second file only"))
    return [
        (
            "organisation",
            both.height,
            one.select(
                pl.coalesce("organisation", "organisation_2").alias("organisation"),
                kind=pl.lit("organisation"),
                note=where.otherwise(pl.lit("in the first file only")),
            ),
        ),
        (
            "organisation",
            both.height,
            moved.select(
                "organisation",
                kind=pl.lit("benchmark_group"),
                note=pl.concat_str(group.fill_null("none"), other.fill_null("none"), separator=" and "),
            ),
        ),
    ]


def _sums(first: Published, second: Published) -> list[Part]:
    """Compare bases of scores with the sums over organisations, or over types."""
    layouts = [p.provenance.get("layout") for p in (first, second)]
    for single, whole, turned in ((first, second, False), (second, first, True)):
        parts_of, of = (layouts[1], layouts[0]) if turned else layouts
        if of in TOGETHER and parts_of in (*SINGLE, "organisation_type") and parts_of != of:
            groups = single.organisations.select("organisation", pl.col("benchmark_group").alias("type"))
            scores = single.results.table.filter(
                pl.col("unit") == "score", breakdown=ALL, period=first.period
            ).join(groups, on="organisation")
            named = whole.organisations.select("organisation", pl.col("benchmark_group").alias("type"))
            trusts = pl.col("type").str.ends_with("Trusts")
            found = (
                scores.filter(trusts).with_columns(organisation=pl.lit(ALL))
                if of == "national"
                else scores.drop("organisation").join(named, on="type")
            )
            sums = found.group_by("organisation", "measure").agg(
                pl.col("base").cast(pl.Int64).sum().alias("sum"), hidden=pl.col("base").null_count()
            )
            both = whole.results.table.filter(breakdown=ALL).join(
                sums.filter(hidden=0), on=["organisation", "measure"]
            )
            off = both.filter(pl.col("base").cast(pl.Int64) != pl.col("sum"))
            names = {"second": "base", "first": "sum"} if not turned else {"first": "base", "second": "sum"}
            return [("sum", both.height, off.select(*CELL, kind=pl.lit("sum_of_bases"), **names))]
    return []
