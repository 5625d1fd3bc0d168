"""Lists of the organisation's own results, year by year, for readers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.years import breaks_between
from culture_metrics.contract import ALL
from culture_metrics.results.tables import catalogued, interval, people, words
from culture_metrics.wording.periods import said_period
from culture_metrics.wording.table import BREAK, Table

if TYPE_CHECKING:
    from culture_metrics.catalogue import Edition


def percentages(results: pl.DataFrame, edition: Edition, score: str | None, whom: str) -> Table:
    """List the headline percentages behind a score, year by year, with intervals and bases."""
    measure = edition.measure(score or edition.default_score)
    items = edition.questions_of(measure.id)
    wanted = [k for k, m in edition.percentages.items() if m.question in items]
    rows = results.filter((pl.col("breakdown") == ALL) & pl.col("measure").is_in(wanted))
    frame = (
        rows.join(catalogued(edition), on="measure")
        .join(_breaks(results), on=["measure", "period"], how="left")
        .sort("order", "period")
        .select(
            pl.col("label").alias("Question"),
            pl.col("meaning").str.strip_prefix("% ").alias("Counts those who said"),
            said_period().alias(edition.survey.cycle.capitalize()),
            pl.concat_str(words("estimate"), pl.col("broken").fill_null("")).alias("Per cent"),
            interval().alias("95% interval"),
            people("base").alias("Base"),
        )
    )
    caption = f"{measure.label}: headline percentages, {whom}"
    return Table(frame, caption, numbers=("Per cent", "95% interval", "Base"))


def years(results: pl.DataFrame, edition: Edition, whom: str) -> Table:
    """Set the scores of all years side by side, with intervals. No test: estimates only."""
    rows = results.filter((pl.col("breakdown") == ALL) & (pl.col("unit") == "score"))
    said = pl.format("{} ({}){}", words("estimate"), interval(), "broken")
    text = pl.when(pl.col("estimate").is_null()).then(words("estimate")).otherwise(said)
    each = (
        rows.join(catalogued(edition), on="measure")
        .join(_breaks(results), on=["measure", "period"], how="left")
        .with_columns(pl.col("broken").fill_null(""))
        .sort("order", "period")
        .with_columns(text.alias("text"))
    )
    if edition.survey.cycle != "year":
        return _quarters(each, edition, whom)
    wide = each.pivot("period", index=["order", "label"], values="text").sort("order").drop("order")
    periods, scale = wide.columns[1:], edition.survey.range_words
    return Table(
        wide.rename({"label": "Score"}),
        f"{whom}: scores from {scale} and 95% intervals, {' and '.join(periods)}",
        numbers=tuple(periods),
        strong=frozenset(m.label for m in edition.leading.values()),
    )


def _quarters(each: pl.DataFrame, edition: Edition, whom: str) -> Table:
    """Lay quarters out one beneath the other: there are more of them than a page is wide."""
    long = each.sort("period", "order").select(said_period().alias("Quarter"), "label", "text")
    wide = long.pivot("label", index="Quarter", values="text", maintain_order=True)
    caption = f"{whom}: scores from {edition.survey.range_words} and 95% intervals, quarter by quarter"
    return Table(wide, caption, numbers=tuple(wide.columns[1:]))


def _breaks(results: pl.DataFrame) -> pl.DataFrame:
    """Mark the figures of the whole organisation that may not be compared with the year before."""
    periods = results["period"].unique().sort()
    apart = [breaks_between(results, *years).filter(group=ALL) for years in pairwise(periods)]
    key = {"measure": pl.String, "period": pl.String}
    frame = pl.concat([pl.DataFrame(schema=key), *(found.select(*key) for found in apart)])
    return frame.with_columns(broken=pl.lit(f" {BREAK}"))
