"""Two periods side by side: one row for each measure of each group, with both years' figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import ALL, as_results, check_results
from culture_metrics.errors import ComparabilityError, ResultsError, unknown
from culture_metrics.output import Output, table_of
from culture_metrics.published import Published
from culture_metrics.results import Results
from culture_metrics.results.correlations import mean_of
from culture_metrics.results.precision import with_precision
from culture_metrics.results.spelling import with_ids
from culture_metrics.results.tabled import parents_of
from culture_metrics.wording.numbers import together
from data_schemas.columns import RESULTS, RESULTS_KEY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from culture_metrics.results.correlations import Correlations

#: What identifies a figure of a period, and what it may stand in more than once by.
CELL = ["organisation", "breakdown", "group", "measure", "source"]
KEY = [*CELL, "weighting"]
FIGURES = [
    "estimate", "std_error", "conf_low", "conf_high", "base", "effective_base", "df", "worth",
    "design_effect", "status", "weighting", "release", "pooled",
]  # fmt: skip


@dataclass(frozen=True)
class Material:
    """Results of one survey as they were handed in, with the release each row comes from.

    `frame` is Results with `release` (null where it is not known), `pooled` and how exact each figure is
    (`with_precision`); `organisations` has `organisation` and `benchmark_group` as far as the files say.
    `words` are what the files call their breakdowns, by id, the last file first; `parents` which groups lie
    in which; `correlations` how measures of whole organisations go together, where that is known.
    """

    frame: pl.DataFrame
    organisations: pl.DataFrame
    survey: str
    words: Mapping[str, str] = field(default_factory=dict)
    parents: pl.DataFrame | None = None
    correlations: tuple[Correlations, ...] = ()

    def together(self, *periods: str) -> Callable[[str, list[str]], NDArray[np.float64] | None]:
        """Return what says how changes between periods of an organisation's measures go together."""

        def of(organisation: str, measures: list[str]) -> NDArray[np.float64] | None:
            return mean_of(self.correlations, organisation, periods, measures)

        return of


#: What verbs of periods take: results as they are, or of published files.
Given = Results | Published | pl.DataFrame | Sequence[Results | Published | pl.DataFrame]


def gather(results: Given, release: str | None) -> Material:
    """Put results together, whatever they came in.

    Raises
    ------
    ComparabilityError
        When there are two surveys, or one figure stands twice (two releases that hold the same year).
    """
    parts = (
        [results]
        if isinstance(results, pl.DataFrame | pl.LazyFrame | Output)
        else list(results)
        if isinstance(results, Iterable)
        else [results]
    )
    if not parts:
        raise ComparabilityError("There are no results to compare")
    frames, listed = [], []
    words: dict[str, str] = {}
    for part in parts:
        named = {**part.names} if isinstance(part, Results) else {}
        words |= named
        if isinstance(part, Published):
            own = release or str(part.provenance.get("release", part.period))
            frames.append(part.results.table.with_columns(release=pl.lit(own)))
            listed.append(part.organisations.select("organisation", "benchmark_group", "period"))
        else:
            frames.append(
                with_ids(as_read(part, "A comparison"), named).with_columns(
                    release=pl.lit(release, pl.String)
                )
            )
    frame = pl.concat(frames).with_columns(pooled=pl.lit(value=False))
    surveys = frame["survey"].unique().sort().to_list()
    if len(surveys) != 1:
        raise ComparabilityError(
            "Two surveys are never compared" if surveys else "There are no results to compare",
            got=" and ".join(surveys) or None,
            expected="results of one survey",
            hint="The pulse survey is unweighted and self-selected: its level says nothing beside the annual "
            "survey. Compare each with itself."
            if surveys
            else "The tables have no rows: give what estimate returned, or read_published read.",
        )
    # Within one part no figure stands twice: that is of the contract of Results.
    twice = frame.filter(frame.select("period", *KEY).is_duplicated()) if len(frames) > 1 else frame.clear()
    if twice.height:
        releases = twice["release"].drop_nulls().unique().sort().to_list()
        raise ComparabilityError(
            f"Two sources hold results of {' and '.join(twice['period'].unique().sort())}",
            got=f"releases {' and '.join(releases)}" if releases else None,
            hint="Give one of them: each release reweights all years.",
        )
    groups = (
        # Who has moved to another group is in the one of the newest year.
        pl.concat(listed)
        .drop_nulls()
        .sort("period", "organisation", descending=[True, False])
        .unique("organisation", keep="first", maintain_order=True)
        .drop("period")
        if listed
        else pl.DataFrame(schema={"organisation": pl.String, "benchmark_group": pl.String})
    )
    exact = with_precision(frame, catalogue(surveys[0]).score_range)
    nested = parents_of(parts)
    if nested is not None:
        nested = with_ids(with_ids(nested, words), words, "parent_breakdown")
    known = tuple(one for part in parts if isinstance(part, Results) for one in part._correlations)
    return Material(exact, groups, surveys[0], words, nested, known)


def as_read(part: object, verb: str) -> pl.DataFrame:
    """Return results as they came: of a verb, lazy, with columns of one's own, or read back from a file."""
    table = table_of(part, verb)
    if table.schema == pl.Schema(RESULTS) or not set(RESULTS_KEY) <= set(table.columns):
        return check_results(table)
    try:
        return as_results(table)
    except pl.exceptions.PolarsError:
        return check_results(table)


def check_order(from_period: str, to_period: str) -> None:
    """Refuse a period beside itself, and years that are the wrong way round."""
    if from_period == to_period:
        raise ComparabilityError(
            "A period is not compared with itself", got=from_period, expected="two periods"
        )
    if from_period > to_period:
        raise ComparabilityError(
            "The periods are the wrong way round",
            got=f"from {from_period} to {to_period}",
            expected="the earlier period first",
            hint=f"Write {to_period}, {from_period}: a change is the later year less the earlier one.",
        )


def side_by_side(material: Material, from_period: str, to_period: str) -> pl.DataFrame:
    """Join the figures of two periods; what stands in one of them only keeps its row.

    Returns
    -------
    polars.DataFrame
        `CELL`, `unit`, `benchmark_group`, the `FIGURES` of each period with `_from` and `_to`, and
        `missing`: why a row stands in one period only (null where it stands in both). A cell that both
        periods have once is paired whatever its weighting; one that stands in several weightings by them.

    Raises
    ------
    UnknownNameError
        When there are no results of a period.
    """
    frame = material.frame
    periods = frame["period"].unique().sort().to_list()
    for period in (from_period, to_period):
        if period not in periods:
            raise unknown("period in these results", period, periods)
    check_order(from_period, to_period)
    both = frame.filter(pl.col("period").is_in([from_period, to_period]))
    weighting = pl.lit("")
    if both.select("period", "weighting").n_unique() > 2:
        # A cell that stands in several weightings in either period is paired by them.
        twice = both.filter(both.select("period", *CELL).is_duplicated()).select(pl.struct(CELL)).to_series()
        often = pl.struct(CELL).is_in(twice.unique().implode())
        weighting = pl.when(often).then(pl.col("weighting").cast(pl.String)).otherwise(pl.lit(""))
    both = both.with_columns(weighting.alias("by_weighting"))
    first, second = (
        both.filter(pl.col("period") == p).select(*CELL, "unit", "by_weighting", *FIGURES)
        for p in (from_period, to_period)
    )
    joined = (
        first.join(second, on=[*CELL, "unit", "by_weighting"], how="full", coalesce=True, suffix="_to")
        .rename({name: f"{name}_from" for name in FIGURES})
        .drop("by_weighting")
    )

    def none(end: str, *of: str) -> pl.Expr:
        return pl.col(f"status_{end}").is_null().all().over(of)

    group = ("organisation", "breakdown", "group")
    missing = (
        pl.when(none("to", "organisation"))
        .then(pl.format("{} has no results in {}.", "organisation", pl.lit(to_period)))
        .when(none("from", "organisation"))
        .then(pl.format("{} has no results in {}.", "organisation", pl.lit(from_period)))
        .when(none("to", *group))
        .then(pl.lit(f"There is no such group in {to_period}."))
        .when(none("from", *group))
        .then(pl.lit(f"There is no such group in {from_period}."))
        .when(pl.col("status_to").is_null())
        .then(pl.lit(f"Not in the results of {to_period}."))
        .when(pl.col("status_from").is_null())
        .then(pl.lit(f"Not in the results of {from_period}."))
    )
    return joined.with_columns(missing.alias("missing")).join(
        material.organisations, on="organisation", how="left", maintain_order="left"
    )


def pool(material: Material, period: str, merged: Mapping[str, Sequence[str]]) -> tuple[Material, list[str]]:
    """Put predecessors and what the successor itself was under the code of the successor, in one period.

    The pooled figure is the mean of the figures weighted by their bases; its variance that of such a mean of
    independent figures. Where one of them is not shown the pooled figure is not either, and there is none
    where one of them lacks it.

    Returns
    -------
    (Material, list of str)
        The material, and for each successor what it is made of.

    Raises
    ------
    UnknownNameError
        When there are no results of a predecessor in the period.
    ComparabilityError
        When two successors claim one predecessor, or no figure stands in all of them.
    """
    earlier = material.frame.filter(pl.col("period") == period)
    known = earlier["organisation"].unique().sort().to_list()
    heirs: dict[str, str] = {}
    for successor, predecessors in merged.items():
        for code in predecessors:
            if code not in known:
                raise unknown(f"organisation with results of {period}", code, known)
        # What had the code of the successor before is part of it as well.
        own = [successor] if successor in known else []
        for code in dict.fromkeys([*own, *predecessors]):
            if heirs.setdefault(code, successor) != successor:
                raise ComparabilityError(
                    f"{code} cannot be part of both {heirs[code]} and {successor}", where="merged"
                )
    n, shown = pl.col("base").cast(pl.Float64), (pl.col("status") == "reported").all()
    share = n / n.sum()
    same = pl.col("release").first(), pl.col("release").n_unique() == 1
    key = ["survey", "period", *KEY, "unit"]
    parts = earlier.filter(pl.col("organisation").is_in(list(heirs))).with_columns(
        pl.col("organisation").replace(heirs), part="organisation"
    )
    every = pl.col("part").n_unique().over("organisation", "breakdown", "group")
    pooled = (
        parts.with_columns(every=every)
        .group_by(key)
        .agg(
            (pl.len() == pl.col("every").first()).alias("every"),
            pl.when(shown).then((share * pl.col("estimate")).sum()).alias("estimate"),
            pl.when(shown & pl.col("std_error").is_not_null().all())
            .then((share**2 * pl.col("std_error") ** 2).sum().sqrt())
            .alias("std_error"),
            pl.when(shown).then(pl.col("base").sum()).alias("base"),
            pl.when(shown & pl.col("effective_base").is_not_null().all())
            .then(n.sum() ** 2 / (n**2 / pl.col("effective_base")).sum())
            .alias("effective_base"),
            pl.when(shown)
            .then(pl.lit("reported"))
            .otherwise(pl.col("status").cast(pl.String).filter(pl.col("status") != "reported").first())
            .alias("status"),
            pl.when(same[1]).then(same[0]).alias("release"),
            pl.lit(value=True).alias("pooled"),
        )
        .filter("every")
        .drop("every")
    )
    for successor in merged:
        if pooled.filter(organisation=successor).is_empty():
            raise ComparabilityError(
                f"No figure of {period} stands in all that became {successor}",
                expected="the same measures, weighting and source of each",
            )
    gone = [*heirs, *merged]
    rest = material.frame.filter(~((pl.col("period") == period) & pl.col("organisation").is_in(gone)))
    typed = pooled.with_columns(pl.col("status").cast(rest.schema["status"]), pl.col("base").cast(pl.UInt32))
    every_row = pl.concat([rest.drop("df", "worth", "design_effect"), typed], how="diagonal")
    exact = with_precision(every_row, catalogue(material.survey).score_range)
    made = replace(material, frame=exact)
    return made, [_told(parts.filter(organisation=successor), successor, period) for successor in merged]


def _told(parts: pl.DataFrame, successor: str, period: str) -> str:
    """Say what a successor is pooled from, and what pooling cannot do."""
    whole = parts.filter(pl.col("breakdown") == ALL).group_by("part").agg(pl.col("base").max())
    names = parts.select("part").unique().join(whole, on="part", how="left")
    own = pl.col("part") == successor
    people = [
        f"{part} (base {base:,})" if base else part for part, base in names.sort(~own, "part").iter_rows()
    ]
    said = f"{successor} in {period} is {together(people, 12)} pooled by base: "
    said += "each counts as its respondents do."
    weighted = parts.filter(~pl.col("weighting").cast(pl.String).is_in(["none", "as_published"]))
    if weighted.height:
        said += " Weighted figures are those of each: nobody weighted them together."
    return said


def check_one_weighting(rows: pl.DataFrame, key: Sequence[str], where: str) -> None:
    """Check that each figure stands there once.

    Raises
    ------
    ResultsError
        When one stands there in more than one weighting.
    """
    if rows.select(key).is_duplicated().any():
        raise ResultsError(
            "Some figures stand there more than once, weighted in different ways",
            where=where,
            hint="Keep one weighting of each: filter the results by `weighting`.",
        )
