"""Sums that do not add up: what is published says that a total holds fewer people than its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.release import SECONDARY, SHOWN, SMALL

if TYPE_CHECKING:
    from culture_metrics.disclosure.release import Numbers, Release
    from culture_metrics.disclosure.rule import Rule

#: Numbers of people that differ by less are the same.
HALF = 0.5
#: So many sums are named.
NAMED = 3
#: What to do about it.
REMEDY = {
    "groups": "Leave out a breakdown whose groups overlap, or the figures of another file.",
    "organisations": "Say which organisations `all` holds (national=).",
    "periods": "Leave out periods that `all` does not hold.",
}


def odd_sums(
    release: Release,
    rule: Rule,
    half: float = 0.0,
    equations: Numbers | None = None,
    *,
    same_rule: bool = True,
) -> tuple[Numbers, Numbers]:
    """Find the sums that cannot be such sums, whatever the hidden parts hold.

    Nothing can be worked out from them, and nothing can be told of what else the total and its parts give
    away: an attacker who knows what the total holds can do more.

    Parameters
    ----------
    release : Release
        Shown and hidden cells; the base of a hidden one may be known.
    rule : Rule
        What its status means.
    half : float
        Half of what bases were rounded to.
    equations : array, optional
        The sums to look at.
    same_rule : bool
        Whether what was hidden before was hidden by this rule.

    Returns
    -------
    equation, measure : array
        Each pair that is odd.
    """
    structure, state = release.structure, release.state
    equations = np.arange(len(structure.total)) if equations is None else equations
    known = ~np.isnan(release.base)
    error = np.where(state == SHOWN, half, 0.0)
    least = np.where((state == SECONDARY) & same_rule, rule.minimum_base, 0.0)
    least = np.where(known, release.base - error, least)
    few = np.where((state == SMALL) & ~release.by_count & same_rule, rule.minimum_base - 1.0, np.inf)
    most = np.where(known, release.base + error, few)
    there = state[structure.total[equations]] > 0
    parts = structure.matrix[equations].maximum(0) @ least
    odd, measure = np.nonzero(there & (parts > most[structure.total[equations]] + HALF))
    return equations[odd], measure


def words_for(release: Release, odd: tuple[Numbers, Numbers]) -> pl.DataFrame:
    """Name the sums that are odd: what they are `over`, the `breakdown` of the total, and its `measure`."""
    equation, measure = odd
    structure = release.structure
    first = structure.part[np.searchsorted(structure.equation, equation)]
    total, part = release.cells[structure.total[equation]], release.cells[first]
    names = {"organisation": "organisations", "period": "periods"}
    over = pl.lit("groups")
    for name, word in names.items():
        over = pl.when(pl.lit(total[name]) != pl.lit(part[name])).then(pl.lit(word)).otherwise(over)
    return total.select(over.alias("over"), "breakdown", measure=pl.lit(release.measures[measure]))


def warning_of(found: pl.DataFrame) -> str:
    """Say in a sentence which sums are odd, and what to do."""
    about = found.group_by("over", "breakdown").agg(
        pl.col("measure").min(), pl.col("measure").n_unique().alias("times")
    )
    named = [
        f"{breakdown} over {over} ({measure}{f' and {times - 1} more measures' * (times > 1)})"
        for over, breakdown, measure, times in about.sort("over", "breakdown").rows()
    ]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return (
        "Totals hold fewer people than their parts, so that they cannot be protected: "
        f"{'; '.join(named[:NAMED])}{more}. "
        + " ".join(REMEDY[over] for over in about["over"].unique().sort())
    )
