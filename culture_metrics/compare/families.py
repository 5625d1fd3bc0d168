"""Adjust p-values for all that was compared: scores first, questions last, and again under what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.difference import ALPHA
from culture_metrics.compare.worth import worth
from culture_metrics.contract import ALL
from culture_metrics.errors import unknown
from culture_metrics.multiplicity import adjust as adjusted_for_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.catalogue import Edition

    Floats = NDArray[np.float64]
    Together = Callable[[str, list[str]], Floats | None]

#: How p-values are adjusted, in words.
ADJUSTMENTS: Mapping[str, str] = {"bh": "Benjamini-Hochberg", "holm": "Holm"}
#: How the 5 % of a family are shared out: leading scores, other scores, percentages.
SHARES = (0.5, 0.25, 0.25)
#: The tier of percentages; scores are below it.
QUESTIONS = 2
CELL = ["organisation", "group"]
#: With more organisations in a family it hardly matters that the measures of each go together.
ORGANISATIONS = 5


def tiers(edition: Edition) -> pl.DataFrame:
    """Return `measure, tier, parents` of every measure of an edition.

    `tier` is 0 for the leading scores, 1 for other scores, 2 for percentages; `parents` are the scores that a
    measure is part of.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> tiers(catalogue().edition(2024)).filter(measure="advocacy").row(0)
    ('advocacy', 1, ['staff_engagement'])
    """
    parents: dict[str, list[str]] = {name: [] for name in edition.measures}
    for score in edition.scores:
        below = {*edition.measures[score].parts, *edition.questions_of(score)}
        for name, measure in edition.measures.items():
            if name in below or measure.question in below:
                parents[name].append(score)
    leading = edition.leading
    rows = [
        (name, 0 if name in leading else 1 if measure.unit == "score" else 2, parents[name])
        for name, measure in edition.measures.items()
    ]
    return pl.DataFrame(
        rows, schema={"measure": pl.String, "tier": pl.Int8, "parents": pl.List(pl.String)}, orient="row"
    )


def adjust_p(
    table: pl.DataFrame,
    adjust: str,
    family: Sequence[str] = ("breakdown",),
    together: Together | None = None,
) -> pl.DataFrame:
    """Add `p_adjusted`, over families, and `critical`: the p-value below which a row would be called.

    Parameters
    ----------
    table : polars.DataFrame
        `p_value`, `why_not`, `breakdown`; with `tier`, `parents`, `organisation`, `group` and `measure`
        families are gatekept, without them all rows weigh the same.
    adjust : {"bh", "holm"}
        Adjustment.
    family : sequence of str
        What tells families apart.
    together : callable, optional
        From an organisation and measures to the correlations between their changes, None where they are not
        known; then `table` has `df` too.

    Raises
    ------
    UnknownNameError
        When the adjustment is not known.

    Notes
    -----
    A family is all comparable rows of one breakdown. Weighted Benjamini-Hochberg (Genovese, Roeder and
    Wasserman 2006): half of the 5 % is for the leading scores, a quarter for the other scores, a quarter for
    the percentages. Where nothing changed this holds the chance of any call in the family; else the share of
    wrong calls. Then, with "bh", what lies under the scores that moved is looked at once more as a family of
    its own, at 5 % times the share of scores that moved (Benjamini and Bogomolov 2014), and the milder
    p-value counts. This opens only behind a score that was called, so where nothing changed it adds nothing.
    "holm" holds the chance of any wrong call, and opens nothing.

    Measures of one organisation go together, all the more where wards or teams were sampled whole. Then this
    is too strict: of families of 131 measures without a change 3 % are called, and 2 % with clusters, for 5:
    where all move as one, no more are called than the largest share of the level allows. So in a family of
    whole organisations a row is called as well where its p-value, over its weight, is below 5 % shared out
    among as many comparisons as the measures are worth (`compare.worth`): 70 for 131, 25 with clusters. The
    number is such that where nothing changed 5 % of families are called; it holds at 5 %. A higher level of
    all steps instead would give 6 to 7 % of wrong calls where a few measures moved and the others did not: a
    single step that is the same whatever else was called leaves them at 5 % or below.

    `critical` is exact for one row given the others: with its own p-value set to 0, so many rows would be
    called, and its p-value is held against that many steps (Ferreira and Zwinderman 2006).
    """
    if adjust not in ADJUSTMENTS:
        raise unknown("adjustment", adjust, ADJUSTMENTS)
    tiered = "tier" in table.columns
    tested = pl.col("why_not").is_null() & pl.col("p_value").is_not_null()
    adjusted, critical = np.full(table.height, np.nan), np.full(table.height, np.nan)
    numbered = table.with_row_index("row").filter(tested)
    families = [*map(pl.Series.to_numpy, numbered.group_by(family, maintain_order=True).agg("row")["row"])]
    p_value = table["p_value"].cast(pl.Float64).to_numpy()
    tier = table["tier"].fill_null(QUESTIONS).to_numpy() if tiered else np.zeros(table.height, np.int8)
    whole = table.select("breakdown", "organisation", "measure", "df") if together is not None else table
    for at in families:
        p = p_value[at]
        weights = _weights(tier[at]) if tiered else np.ones(len(p))
        adjusted[at] = adjusted_for_number(p, adjust, weights)
        held = _critical_holm(p / weights, weights) if adjust == "holm" else _critical(p / weights)
        critical[at] = held * weights
        if together is not None and (number := _worth(whole[at], weights, adjust, together)):
            adjusted[at] = np.minimum(adjusted[at], p / weights * number)
            critical[at] = np.maximum(critical[at], ALPHA / number * weights)
    if tiered and adjust == "bh":
        moved = (tier < QUESTIONS) & (adjusted < ALPHA)
        below = _below(table, families, moved)
        for at in families:
            here = at[below[at]]
            if len(here):
                share = moved[at].sum() / (tier[at] < QUESTIONS).sum()
                again = np.asarray(adjusted_for_number(p_value[here], adjust)) / share
                adjusted[here] = np.minimum(adjusted[here], again)
                critical[here] = np.maximum(critical[here], _critical(p_value[here], ALPHA * share))
    # A share of the level above the whole of it would call what its own interval does not.
    adjusted = np.fmax(adjusted, p_value + 0 * adjusted)
    critical = np.minimum(critical, ALPHA)
    return table.with_columns(
        pl.Series("p_adjusted", adjusted).fill_nan(None), pl.Series("critical", critical).fill_nan(None)
    )


def _worth(rows: pl.DataFrame, weights: Floats, adjust: str, together: Together) -> int | None:
    """Return how many comparisons a family of whole organisations is worth, as far as that is known."""
    if (
        rows.height == 1
        or (rows["breakdown"] != ALL).any()
        or rows["organisation"].n_unique() > ORGANISATIONS
    ):
        return None
    # In an order of their own: the number does not depend on that of the rows.
    numbered = rows.select("organisation", "measure", "df").with_row_index("place")
    parts = numbered.sort("organisation", "measure", "place").partition_by(
        "organisation", maintain_order=True
    )
    known = [together(own["organisation"][0], own["measure"].to_list()) for own in parts]
    found = [one for one in known if one is not None]
    if len(found) < len(known):
        return None
    order = pl.concat(parts)
    df = float(np.median(order["df"].cast(pl.Float64).fill_null(float("inf")).to_numpy()))
    return worth(found, weights[order["place"].to_numpy()], df, adjust)


def _weights(tier: NDArray[np.int8]) -> Floats:
    """Share the level out among tiers and evenly within: the mean weight is 1."""
    there = np.bincount(tier, minlength=len(SHARES))
    share = np.where(there > 0, SHARES, 0.0)
    each = share / share.sum() * len(tier) / np.maximum(there, 1)
    return np.asarray(each[tier])


def _below(
    table: pl.DataFrame, families: Sequence[NDArray[np.uint32]], moved: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say which rows lie under scores of their own family that moved."""
    found = np.zeros(table.height, dtype=bool)
    if moved.any():
        row, number = np.concatenate(families), np.repeat(np.arange(len(families)), [*map(len, families)])
        rows = table.select(*CELL, "measure", "parents")[row].with_columns(row=row, family=number)
        scores = rows.filter(pl.Series(moved[row])).select("family", *CELL, parents="measure")
        under = rows.explode("parents").join(scores, on=scores.columns, how="semi")
        found[under["row"].to_numpy()] = True
    return found


def _critical(p: Floats, level: float = ALPHA) -> Floats:
    """Return for each p-value the one below which it would be called, the others being as they are."""
    size = len(p)
    steps = level * np.arange(1, size + 1) / size
    below = np.searchsorted(np.sort(p), steps, side="right")
    numbers = np.arange(1, size + 1)
    enough = numbers[below >= numbers]
    last = int(enough[-1]) if len(enough) else 0
    # With its own p-value at 0 a row that was not called adds one to all steps below its p-value.
    possible = numbers[below >= numbers - 1]
    own = possible[np.maximum(np.searchsorted(level * possible / size, p, side="left") - 1, 0)]
    return np.asarray(level / size * np.where(p <= level * last / size, last, own))


def _critical_holm(p: Floats, weights: Floats) -> Floats:
    """Return the same with Holm's adjustment, of p-values over their weights.

    The others are called from the smallest on, until one is above the level over the weight that is left: its
    own and that of all behind it, and of the row itself, which has not been called yet. That is also the step
    of the row: what lies below it is called before.
    """
    order = np.argsort(p)
    size, sorted_p, sorted_weights = len(p), p[order], weights[order]
    left = np.append(np.cumsum(sorted_weights[::-1])[::-1], 0.0)
    place = np.arange(size)
    stops = sorted_p * left[:-1] >= ALPHA
    first = int(np.argmax(stops)) if stops.any() else size
    found = np.empty(size)
    for weight in np.unique(weights):  # one for each tier
        # The next behind each place that is not called as long as a row of this weight is not.
        late = np.where(sorted_p * (left[:-1] + weight) >= ALPHA, place, size)
        after = np.append(np.minimum.accumulate(late[::-1])[::-1][1:], size)
        own = sorted_weights == weight
        step = np.where(first < place, left[first], left[after] + weight)
        found[order[own]] = ALPHA / step[own]
    return found
