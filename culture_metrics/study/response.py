"""Response rates of a study: the headcounts that study.yaml names, and the respondents of its year."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.names import pooled
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.headcounts import read_headcounts
from culture_metrics.indicators.response_rates import response_rates
from culture_metrics.problems import counted
from culture_metrics.wording.table import HELD, Table

if TYPE_CHECKING:
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.headcounts import Headcounts
    from culture_metrics.indicators.response_rates import ResponseRates
    from culture_metrics.study.released import Released

NONE = (
    "Response rates are not known, as no headcounts were given: put a table of staff by directorate or "
    "department into the folder, and run culture-metrics setup"
)
SCHEMA = ["Breakdown", "Group", "Staff", "Answered", "Response rate", "95% interval"]


def rates_of(study: Released) -> tuple[ResponseRates, ...]:
    """Return the response rates of the year of the study, one for each table of headcounts.

    Groups whose results are held back have no rate: how many they are would say what others hide.
    """
    study.suppressed  # noqa: B018  what may be shown is decided for all tables together
    own = next((e for e in study.extracts if e.period == study.year), None)
    if own is None:
        return ()
    found = []
    for counts in study.headcounts:
        mine = _with_whole(counts.table, own)
        rates = response_rates(own, replace(counts, table=mine), study.rule.minimum_base)
        found.append(replace(rates, table=_as_far_as_shown(rates.table, study)))
    return tuple(found)


def headcounts_of(study: Released) -> tuple[Headcounts, ...]:
    """Read the numbers of staff in the year of the study."""
    own = next((e for e in study.extracts if e.period == study.year), None)
    if study.settings is None or own is None:
        return ()
    latest = study.extracts[-1].period == study.year
    wanted = [h for h in study.settings.headcounts if h.year == study.year or (h.year is None and latest)]
    read = [read_headcounts(study.settings.folder / h.file, own, h.sheet) for h in wanted]
    return tuple(replace(r, table=r.table.filter(organisation=study.organisation)) for r in read)


def _with_whole(staff: pl.DataFrame, own: Extract) -> pl.DataFrame:
    """Add the whole organisation, if it is not there and a breakdown counts everybody."""
    if staff.is_empty() or (staff["breakdown"] == ALL).any():
        return staff
    for (one,), part in staff.group_by("breakdown", maintain_order=True):
        groups = own.frame.select(group_columns(own, [str(one)])[str(one)].cast(pl.String)).to_series()
        if groups.null_count() == 0 and set(groups) <= set(part["group"]):
            whole = part.head(1).with_columns(
                pl.lit(ALL).alias("breakdown"), pl.lit(ALL).alias("group"), staff=part["staff"].sum()
            )
            return pl.concat([whole.cast(staff.schema), staff])
    return staff


def _as_far_as_shown(table: pl.DataFrame, study: Released) -> pl.DataFrame:
    """Hide the rates of groups of which the study hides a leading score."""
    leading = [*study.edition.leading]
    scores = study.suppressed[0].table.filter(
        (pl.col("period") == study.year) & pl.col("measure").is_in(leading)
    )
    hidden = scores.filter(pl.col("status").cast(pl.String).str.starts_with("suppressed"))
    keys = hidden.select("breakdown", "group", pl.lit(value=True).alias("hide")).unique()
    joined = table.join(keys, on=["breakdown", "group"], how="left", maintain_order="left")
    hide = pl.col("hide").fill_null(value=False) & pl.col("base").is_not_null()
    blank = [
        pl.when(~hide).then(pl.col(c)).alias(c)
        for c in ("base", "staff", "estimate", "conf_low", "conf_high")
    ]
    status = pl.when(hide).then(pl.lit("suppressed")).otherwise("status").alias("status")
    return joined.with_columns(*blank, status).drop("hide")


def _without_names(table: pl.DataFrame, study: Released) -> pl.DataFrame:
    """Put hidden groups that the report names nowhere else together: a name says that few are there."""
    key = ["breakdown", "group"]
    elsewhere = study.results.table.select(key).unique()
    hidden = table.filter(pl.col("base").is_null(), pl.col("group") != ALL)
    gone = hidden.join(elsewhere, on=key, how="anti", maintain_order="left")
    together = [
        part.head(1).with_columns(
            pl.lit(pooled(part.height, study.rule.minimum_base)).alias("group"),
            pl.lit("suppressed").alias("status"),
        )
        for part in gone.partition_by("breakdown", maintain_order=True)
    ]
    order = {name: place for place, name in enumerate(table["breakdown"].unique(maintain_order=True))}
    kept = pl.concat([table.join(gone, on=key, how="anti", maintain_order="left"), *together])
    return kept.sort(pl.col("breakdown").replace_strict(order), maintain_order=True)


def response_table(study: Released) -> Table:
    """Lay the response rates out for readers."""
    rates = rates_of(study)
    if not rates:
        return Table(pl.DataFrame(schema=dict.fromkeys(SCHEMA, pl.String)), NONE)
    rows = [row for one in rates for row in _without_names(one.table, study).iter_rows(named=True)]
    called = {ALL: "Whole organisation"}
    label = study.edition.breakdown_label
    lines = [
        (
            called.get(row["breakdown"]) or label(row["breakdown"], study.words),
            "" if row["group"] == ALL else row["group"],
            HELD if row["staff"] is None else f"{row['staff']:,}",
            *_figures(row),
        )
        for row in rows
    ]
    few = sum(one.rare + one.unmatched.height for one in rates)
    note = f"; {counted(few, 'name')} stand on one side only" if few else ""
    odd = [row for row in rows if row["status"] == "impossible"]
    note += f"; {counted(len(odd), 'group')} with more answers than staff" if odd else ""
    frame = pl.DataFrame(lines, schema=dict.fromkeys(SCHEMA, pl.String), orient="row")
    return Table(frame, f"Response rates of {study.name}, {study.year}{note}", numbers=tuple(SCHEMA[2:]))


def _figures(row: dict[str, float | int | str | None]) -> tuple[str, str, str]:
    if row["status"] == "impossible":
        return f"{row['base']:,}", "more than staff", ""
    if row["estimate"] is None:
        return HELD, HELD, ""
    return f"{row['base']:,}", f"{row['estimate']:.1f}%", f"{row['conf_low']:.1f} to {row['conf_high']:.1f}"
