"""Names of groups that changed from year to year: which may be one group, and what speaks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.spelling import FILLERS, squeezed, words

if TYPE_CHECKING:
    from collections.abc import Mapping

#: From this likelihood on two names are proposed as one group; from the second on it is taken for sure, where
#: no other name is nearly as likely.
LIKELY, SURE, APART = 0.6, 0.7, 0.1
#: Names less alike than this are no more alike than any two.
ALIKE = 0.5
#: Groups that share so much of what they are made of; and in how many pairs of people the two must differ in a
#: column for that to tell anything.
MADE_ALIKE, TELLS = 0.5, 0.8
#: Sizes that differ by more than this factor speak against it.
MUCH_MORE = 3.0


@dataclass(frozen=True)
class Pair:
    """Two names that may be of one group: the earlier, the later, how likely, and what speaks for it.

    It is `sure` where the evidence is strong and no other name has nearly as much.
    """

    old: str
    new: str
    likely: float
    evidence: str
    sure: bool = False


def changed_names(
    first: pl.DataFrame, second: pl.DataFrame, column: str, others: Mapping[str, str], least: int
) -> tuple[list[Pair], int, int]:
    """Pair the names of one year with those of the next that only that year has.

    Parameters
    ----------
    first, second : polars.DataFrame
        Respondents of two years.
    column : str
        The breakdown.
    others : mapping
        Other columns that tell groups apart (breakdowns, cost centres), with what they are called: names that
        both years have in them say what a group is made of, or lies in.
    least : int
        Groups of fewer people are counted, and never named.

    Returns
    -------
    list of Pair, int, int
        The likely pairs, each name in one; how many names of the earlier and of the later year have none.
    """
    before, after = _sizes(first, column), _sizes(second, column)
    gone = {name: n for name, n in before.items() if name not in after}
    come = {name: n for name, n in after.items() if name not in before}
    old = {name: n for name, n in gone.items() if n >= least}
    new = {name: n for name, n in come.items() if n >= least}
    shared = _shared(first, second, column, others, old, new)
    found = [
        Pair(a, b, *_weigh(a, b, shared.get((a, b), {})))
        for a in old
        for b in new
        if max(old[a], new[b]) <= MUCH_MORE * min(old[a], new[b])
    ]
    chosen: list[Pair] = []
    for pair in sorted(found, key=lambda p: (-p.likely, p.old, p.new)):
        taken = any(pair.old == c.old or pair.new == c.new for c in chosen)
        if pair.likely >= LIKELY and not taken:
            rivals = [p.likely for p in found if (p.old == pair.old) != (p.new == pair.new)]
            apart = pair.likely - max(rivals, default=0.0) >= APART
            chosen.append(replace(pair, sure=pair.likely >= SURE and apart))
    return sorted(chosen, key=lambda p: p.old), len(gone) - len(chosen), len(come) - len(chosen)


def _sizes(frame: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(frame[column].drop_nulls().value_counts(name="n").sort(column).iter_rows())


def _shared(
    first: pl.DataFrame, second: pl.DataFrame, column: str, others: Mapping[str, str],
    old: Mapping[str, int], new: Mapping[str, int],
) -> dict[tuple[str, str], dict[str, float]]:  # fmt: skip
    """Return how alike two groups are made up, from 0 to 1, by what each other column is called."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for other, called in others.items():
        if other not in first.columns or other not in second.columns:
            continue
        parts = [
            frame.filter(pl.col(column).is_in(list(names)))
            .select(pl.col(column).alias(side), pl.col(other).alias("part"))
            .drop_nulls()
            .group_by(side, "part")
            .len(f"n_{side}")
            .with_columns((pl.col(f"n_{side}") / pl.col(f"n_{side}").sum().over(side)).alias(f"share_{side}"))
            for frame, names, side in ((first, old, "old"), (second, new, "new"))
        ]
        both = parts[0].join(parts[1], on="part").group_by("old", "new").agg(
            pl.min_horizontal("share_old", "share_new").sum().alias("alike")
        )  # fmt: skip
        # Columns with few names tell little: half of all departments may lie in one site.
        tells = 1 - (_one_of_all(second, other))
        for a, b, alike in both.iter_rows():
            if alike > MADE_ALIKE and tells > TELLS:
                found.setdefault((a, b), {})[called] = alike * tells
    return found


def _one_of_all(frame: pl.DataFrame, column: str) -> float:
    """Return the share of pairs of people who are in one group: 1 where a column has one name only."""
    n = frame[column].drop_nulls().value_counts(name="n")["n"]
    return float(((n / n.sum()) ** 2).sum()) if len(n) else 1.0


def _weigh(a: str, b: str, shared: Mapping[str, float]) -> tuple[float, str]:
    """Return how likely two names are of one group, and what speaks for it; sizes of groups are not told."""
    own, theirs = set(words(a)) - FILLERS, set(words(b)) - FILLERS
    like = max(
        len(own & theirs) / max(len(own | theirs), 1), SequenceMatcher(None, squeezed(a), squeezed(b)).ratio()
    )
    said = [f"same {called}" for called, _ in sorted(shared.items(), key=lambda item: -item[1])]
    unlikely = 1.0
    for value in shared.values():
        unlikely *= 1 - 0.6 * value
    if like >= ALIKE:
        unlikely *= 1 - like
        said.append(f"names alike to {like:.0%}")
    return 1 - unlikely, "; ".join(said)
