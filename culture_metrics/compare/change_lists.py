"""Lists of a comparison of years for readers: what changed, what may not be compared, what could hide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import ALL
from culture_metrics.wording.columns import natural
from culture_metrics.wording.numbers import count, fixed, several
from culture_metrics.wording.several import Tables
from culture_metrics.wording.table import Table
from culture_metrics.wording.verdicts import BARRED, CLEAR, LIKELY, SAME

if TYPE_CHECKING:
    from culture_metrics.compare.comparison import YearComparison


def findings(change: YearComparison) -> Table:
    """List in sentences what changed in the whole organisation, and what did not change materially.

    Of measures that did not, those that lead the survey have a sentence each; the others are counted.
    """
    caption = "What changed, and what did not"
    whole = change.whole()
    leading = pl.col("level").is_in(list(catalogue(change.survey).leading))
    told = replace(whole, table=whole.table.filter((pl.col("verdict") != SAME) | leading))
    rows = [(verdict, said) for verdict in (*CLEAR, *LIKELY, SAME) for said in told.sentences(verdict)]
    if others := whole.table.height - told.table.height:
        rows.append((SAME, f"{several(others, 'other measure')} did not change materially."))
    frame = pl.DataFrame(rows, schema={"Verdict": pl.String, "Finding": pl.String}, orient="row")
    return Table(
        frame, caption if frame.height else f"{caption}: nothing beyond chance, nothing shown to be unchanged"
    )


def not_comparable(change: YearComparison) -> Table:
    """List what may not be compared, why, and what may be instead."""
    rows = change.table.filter((pl.col("breakdown") == ALL) & (pl.col("verdict") == BARRED))
    frame = rows.group_by("reason", "instead", maintain_order=True).agg(pl.col("label").str.join("; "))
    frame = frame.select(
        pl.col("label").alias("Measures"),
        pl.col("reason").alias("Why"),
        pl.col("instead").fill_null("").alias("Comparable instead"),
    )
    return Table(
        frame, f"{several(rows.height, 'measure') if rows.height else 'No measure'} may not be compared"
    )


def hidden(change: YearComparison) -> Tables:
    """List the smallest change that a score could have shown: a table for each breakdown."""
    survey = catalogue(change.survey)
    rows = change.table.filter((pl.col("unit") == "score") & pl.col("level").is_in(survey.leading))
    found = rows.group_by("breakdown", "group", maintain_order=True).agg(
        pl.col("base_to").max(), pl.col("detectable_change").median()
    )
    found = found.sort(pl.col("group") != ALL, natural("group"), maintain_order=True)
    whole = found.filter(breakdown=ALL)
    edition = survey.edition(change.to_period)
    tables = []
    for breakdown in found["breakdown"].unique(maintain_order=True):
        own = found if breakdown == ALL else pl.concat([whole, found.filter(breakdown=breakdown)])
        label = edition.breakdown_label(breakdown, change.names)
        if breakdown != ALL or found["breakdown"].n_unique() == 1:
            tables.append(_detectable(own.filter(pl.col("breakdown").is_in([ALL, breakdown])), label, change))
    lost = found.filter(pl.col("detectable_change").is_null())["group"].to_list()
    note = (
        f"Not listed, since their scores are held back or may not be compared: {', '.join(lost)}."
        if lost
        else ""
    )
    return Tables(tuple(tables), note)


def _detectable(rows: pl.DataFrame, label: str, change: YearComparison) -> Table:
    frame = rows.filter(pl.col("detectable_change").is_not_null()).select(
        pl.when(pl.col("group") == ALL).then(pl.lit("Whole organisation")).otherwise("group").alias("Group"),
        count("base_to").alias(f"Base {change.to_period}"),
        fixed("detectable_change", "score").alias("Smallest true change called in 4 of 5 cases"),
    )
    head, survey = "" if label == ALL else f"{label}: ", catalogue(change.survey)
    return Table(
        frame,
        f"{head}{survey.leading_words}, scale {survey.range_words} (the median of their scores)",
        numbers=tuple(frame.columns[1:]),
    )
