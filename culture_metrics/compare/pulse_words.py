"""What a run chart says in plain English: what moved beyond chance, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from culture_metrics.wording.numbers import in_sentence, several, shown
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Rules by which a point is more than chance; see `run_chart`.
OUTSIDE, SHIFT, TREND, NEAR = (
    "outside the limits",
    "seven in a row on one side of the mean",
    "seven in a row in one direction",
    "two of three near a limit",
)


class Stretch(NamedTuple):
    """Quarters in a row beyond chance the same way: the rule, first and last, and whether it goes on."""

    rule: str
    first: Mapping[str, Any]
    last: Mapping[str, Any]
    quarters: int
    goes_on: bool

    @property
    def when(self) -> str:
        """Since when, or from when to when."""
        first, last = period_words(self.first["period"]), period_words(self.last["period"])
        if self.goes_on:
            return f"since {first}" if self.quarters > 1 else f"in {last}, the latest quarter"
        return f"in {first}" if first == last else f"from {first} to {last}"


def last_stretch(table: pl.DataFrame) -> Stretch | None:
    """Return the latest quarters that are beyond chance, or None: what stands in the table of a run chart.

    A gap ends them. Of several rules that they break the first of trend, shift, outside and near is told: it
    says most of since when.
    """
    rows = table.with_row_index("place").drop_nulls("estimate")
    seen = rows.drop_nulls("special_cause")
    if seen.is_empty():
        return None
    here = pl.col("special_cause").str.split("; ")
    newest = seen.filter(pl.col("place") == pl.col("place").max())
    rule = next(r for r in (TREND, SHIFT, OUTSIDE, NEAR) if r in newest["special_cause"][0])
    side = (pl.col("estimate") > pl.col("mean")) if rule != TREND else pl.lit(value=True)
    same = seen.filter(here.list.contains(rule)).with_columns(side=side)
    same = same.filter(pl.col("side") == pl.col("side").last())
    # Those before the last one without a break: their places grow as their number does.
    step = pl.col("place").cast(pl.Int64) - pl.int_range(pl.len())
    run = same.filter(step == step.last())
    first, last = run.row(0, named=True), run.row(-1, named=True)
    return Stretch(rule, first, last, run.height, last["place"] == rows["place"].max())


def in_short(table: pl.DataFrame) -> str:
    """Say what moved, as short as a title takes it."""
    one = last_stretch(table)
    if one is None:
        return "nothing but chance" if table["limit_low"][0] is not None else "no limits yet"
    above = one.last["estimate"] > one.last["mean"]
    rising = one.last["estimate"] > one.first["estimate"]
    what = {
        TREND: "rising" if rising else "falling",
        SHIFT: f"{'above' if above else 'below'} its mean",
        OUTSIDE: f"{'above' if above else 'below'} what chance reaches",
        NEAR: f"unusually {'high' if above else 'low'}",
    }
    return f"{what[one.rule]} {one.when}"


def finding(table: pl.DataFrame, label: str, unit: str) -> str | None:
    """Say what moved beyond chance in a measure and since when; None where nothing did.

    Examples
    --------
    >>> table = pl.DataFrame({"period": ["2024-Q1", "2024-Q2", "2024-Q4"], "estimate": [6.5, 6.6, 5.9],
    ...     "mean": [6.6] * 3, "limit_low": [6.3] * 3, "limit_high": [6.9] * 3,
    ...     "special_cause": [None, None, "outside the limits"]})
    >>> finding(table, "Advocacy", "score")
    'Advocacy fell beyond chance in Q4 2024/25, the latest quarter: 5.90, where chance alone reaches from 6.30 to 6.90.'
    """  # noqa: E501
    one = last_stretch(table)
    if one is None:
        return None
    mean, low, high = (shown(one.last[name], unit) for name in ("mean", "limit_low", "limit_high"))
    value, above = shown(one.last["estimate"], unit), one.last["estimate"] > one.last["mean"]
    reach = f"chance alone reaches from {low} to {high}"
    if one.rule == TREND:
        way = "rose" if one.last["estimate"] > one.first["estimate"] else "fell"
        start = shown(one.first["estimate"], unit)
        return f"{label} {way} quarter after quarter {one.when}, from {start} to {value}: more than chance."
    if one.rule == SHIFT:
        verb = "has been" if one.goes_on else "was"
        side = "above" if above else "below"
        return (
            f"{label} {verb} {side} its mean of {mean} {one.when}, {several(one.quarters, 'quarter')} in a "
            f"row and more than chance ({value} in {period_words(one.last['period'])})."
        )
    if one.rule == NEAR:
        side = "high" if above else "low"
        return f"{label} was unusually {side} {one.when}: {value} at last, where {reach}."
    back = "" if one.goes_on else " Since then nothing but chance is seen."
    way = "rose" if above else "fell"
    return f"{label} {way} beyond chance {one.when}: {value}, where {reach}.{back}"


def unmoved(labels: list[str], table: pl.DataFrame) -> str:
    """Say in which measures the quarters vary by no more than chance."""
    known = table.drop_nulls("estimate")
    first, last = period_words(known["period"][0]), period_words(known["period"][-1])
    named = " and ".join(filter(None, (", ".join(map(in_sentence, labels[:-1])), in_sentence(labels[-1]))))
    return (
        f"Nothing but chance is seen in {named}: {several(known.height, 'quarter')} with results, {first} to "
        f"{last}."
    )
