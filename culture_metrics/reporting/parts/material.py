"""All that the pages show, worked out once for all of them from what the study releases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.compare.years import compare_years
from culture_metrics.contract import ALL
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.reporting.parts.beside import (
    Benchmarked,
    apart_from_the_rest,
    benchmarked,
    reach_of,
    scores,
)
from culture_metrics.reporting.parts.page import Words, limit_of
from culture_metrics.reporting.parts.stand_out import Conversations, conversations
from culture_metrics.reporting.parts.strip import Axis
from culture_metrics.results.beside import with_apart
from culture_metrics.results.tables import heat_map_table
from culture_metrics.wording.columns import natural

if TYPE_CHECKING:
    from culture_metrics.reporting.parts.chosen import Chosen
    from culture_metrics.study.study import Study

#: The status of what is hidden only beside others, where that tells nothing.
SECONDARY = "suppressed_secondary"


@dataclass(frozen=True)
class Material:
    """What all pages are made of.

    `apart` and `scores` as `beside` returns them; `change` the table of `compare_years` of the parts, or None
    and `why_no_change`; `inner` the map of the groups inside (`heat_map_table`), `whole` its figures of the
    organisation, `hidden` the groups inside of which nothing is shown; `rates` the response of each part;
    `without_page` the parts that have none: `group`, `told` (their status says that they are not small) and
    `large` (they are not, for whoever has the files).
    """

    study: Study
    chosen: Chosen
    words: Words
    apart: pl.DataFrame
    scores: pl.DataFrame
    change: pl.DataFrame | None
    why_no_change: str
    benchmark: Benchmarked | None
    inner: pl.DataFrame | None
    whole: dict[str, float]
    hidden: pl.DataFrame
    lies: pl.DataFrame
    rates: dict[str, dict[str, Any]]
    axis: Axis
    limit: float
    talk: Conversations
    groups: list[str]
    without_page: pl.DataFrame

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Id and label of the leading scores that the organisation has."""
        return [(m.id, m.label) for m in self.study.edition.leading.values() if m.id in self.whole]


def gather(study: Study, chosen: Chosen, words: Words) -> Material:
    """Work out what the pages show."""
    apart = apart_from_the_rest(study, chosen.breakdown)
    change = _change(study, chosen.breakdown)
    beside = scores(study, apart, change)
    benchmark = benchmarked(study)
    inner = _map(study, chosen.inner) if chosen.inner else None
    leading = [*study.edition.leading]
    medians = [v for m, v in benchmark.median.items() if m in leading] if benchmark else []
    figures = [beside[c] for c in ("estimate", "conf_low", "conf_high", "whole", "before")]
    groups = beside.select("group").unique().sort(natural("group"))["group"].to_list()
    hidden = _hidden(study, chosen.breakdown)
    without = hidden.join(_sizes(study, chosen.breakdown), on="group", how="left", maintain_order="left")
    return Material(
        study=study,
        chosen=chosen,
        words=words,
        apart=apart,
        scores=beside,
        change=change,
        why_no_change=study.why_no_change,
        benchmark=benchmark,
        inner=inner,
        whole=_whole(study),
        hidden=_hidden(study, chosen.inner) if chosen.inner else hidden.clear(),
        lies=chosen.lies,
        rates=_rates(study, chosen.breakdown),
        axis=Axis(*reach_of([*figures, pl.Series(medians, dtype=pl.Float64)])) if groups else Axis(0, 10),
        limit=limit_of(inner),
        talk=conversations(study.edition),
        groups=groups,
        without_page=without,
    )


def _change(study: Study, breakdown: str) -> pl.DataFrame | None:
    """Compare the parts with the year before; None where nothing may be compared.

    A family of comparisons is one breakdown, so that the verdicts are those of the whole report.
    """
    if study.why_no_change:
        return None
    earlier, later = study.two_years()
    wanted = study.results.table.filter(pl.col("breakdown").is_in([ALL, breakdown]))
    change = compare_years(replace(study.results, table=wanted), earlier.period, later.period)
    return change.table.filter(breakdown=breakdown, organisation=study.organisation)


def _own(study: Study) -> pl.DataFrame:
    return study.results.table.filter(period=study.year, organisation=study.organisation, weighting="none")


def _map(study: Study, inner: str) -> pl.DataFrame | None:
    own = with_apart(_own(study), study.results.beside)
    if not (own["breakdown"] == inner).any():
        return None
    return heat_map_table(own, study.edition, inner, [*study.edition.leading])


def _whole(study: Study) -> dict[str, float]:
    rows = _own(study).filter(pl.col("measure").is_in([*study.edition.leading]), breakdown=ALL)
    return dict(rows.drop_nulls("estimate").select("measure", "estimate").iter_rows())


def _hidden(study: Study, breakdown: str) -> pl.DataFrame:
    """List the groups of which no leading score is shown in the year: to be counted, never named."""
    rows = study.suppressed[0].table.filter(
        pl.col("measure").is_in([*study.edition.leading]),
        period=study.year,
        organisation=study.organisation,
        breakdown=breakdown,
    )
    status = pl.col("status").cast(pl.String)
    seen = rows.group_by("group").agg(
        shown=(status == "reported").any(),
        hidden=status.str.starts_with("suppressed").any(),
        told=(status == SECONDARY).all(),
    )
    return seen.filter("hidden", ~pl.col("shown")).select("group", "told").sort("group")


def _sizes(study: Study, breakdown: str) -> pl.DataFrame:
    """Say of each part whether it has as many people as the smallest base."""
    own = next(e for e in study.extracts if e.period == study.year)
    names = [column.cast(pl.String) for column in group_columns(own, breakdown.split(CROSS)).values()]
    group = pl.concat_str(names, separator=CROSS).alias("group")
    enough = pl.col("n") >= study.rule.minimum_base
    return own.frame.group_by(group).len("n").select("group", large=enough)


def _rates(study: Study, breakdown: str) -> dict[str, dict[str, Any]]:
    """Return the response of each part, as far as headcounts say it; the first table that has it counts."""
    found: dict[str, dict[str, Any]] = {}
    for rates in study.response_rates().rates:
        rows = rates.table.filter(
            pl.col("breakdown").is_in([breakdown, ALL]), pl.col("status").is_in(["reported", "impossible"])
        )
        for row in rows.iter_rows(named=True):
            found.setdefault(row["group"], row)
    return found
