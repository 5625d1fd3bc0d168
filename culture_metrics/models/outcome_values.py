"""The values of an outcome as numbers a model can take, checked against its kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.errors import LinkError
from culture_metrics.models.panel_arrays import SHOWN, Categories, PanelArrays
from culture_metrics.outcomes.kinds import Figures
from culture_metrics.outcomes.outcome import SHARE
from culture_metrics.problems import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.models.panel_arrays import Array
    from culture_metrics.outcomes.outcome import Outcome

    Booleans = NDArray[np.bool_]

#: A base under this is too small to be shown.
SMALL_BASE = 11
#: Fractions of 0 and 1 are moved this far inside before their logit is taken.
EDGE = 1e-3


@dataclass(frozen=True)
class OutcomeValues:
    """An outcome over all rows of the panel, NaN where missing.

    Attributes
    ----------
    outcome : Outcome
    y : numpy.ndarray
        Values: fractions for proportions and rates, positions of levels (from 0) for ordinal, 0 and 1 for
        binary outcomes.
    base : numpy.ndarray or None
        Trials of a proportion, person-time of a rate or exposure of a count.
    levels : tuple of str
        Levels of an ordinal or binary outcome, lowest first.
    """

    outcome: Outcome
    y: Array
    base: Array | None = None
    levels: tuple[str, ...] = ()

    @property
    def prior(self) -> Array:
        """The outcome as a control, on the scale of its model's link: log rates, and logits of fractions."""
        rules, y = self.outcome.rules, self.y
        with np.errstate(divide="ignore", invalid="ignore"):
            if rules.counted:
                return np.asarray(np.log((y + 0.5) / (1.0 if self.base is None else self.base)))
            if rules.fraction:
                inside = np.clip(y, EDGE, 1 - EDGE)
                return np.asarray(np.log(inside / (1 - inside)))
        return y


def outcome_values(arrays: PanelArrays, outcome: Outcome) -> OutcomeValues:
    """Return an outcome's values.

    Raises
    ------
    LinkError
        When a fraction lies outside 0 to 1, a count is not whole or negative, a base or exposure is missing
        or not positive where the outcome is known, or a level is not among those declared.
    """
    rules = outcome.rules
    if rules.graded:
        return _ordinal(arrays, outcome) if rules.ordered else _binary(arrays, outcome)
    if outcome.levels:
        places = _ordinal(arrays, outcome)
        return OutcomeValues(outcome, places.y + 1)
    y = arrays.column(outcome.column)
    known = y[np.isfinite(y)]
    if rules.fraction:
        y = _fraction(arrays, outcome, y)
    elif rules.counted:
        _refuse(
            arrays,
            outcome,
            (y < 0) | (y != np.round(y)),
            "counts",
            "whole numbers from 0",
            "Use the number of cases, with the exposure in exposure=.",
        )
    elif rules.figures is Figures.RATIOS:
        _refuse(arrays, outcome, y < 0, "ratios", "numbers from 0", "Check the column.")
    if known.size and not known.any():
        raise LinkError(
            f"Outcome '{outcome.column}' is 0 in every row",
            where=f"column {outcome.column}",
            hint="A placeholder, not a measurement: leave it out.",
        )
    return OutcomeValues(_counted(outcome, known), y, _base(arrays, outcome, y))


def _counted(outcome: Outcome, known: Array) -> Outcome:
    """Return an outcome taken as a number with the unit that its values have: a share may be in per cent."""
    if not outcome.rules.score or not outcome.unit.startswith(SHARE) or not known.size:
        return outcome
    return outcome if known.min() >= 0 and known.max() <= 1 else replace(outcome, unit="%")


def _fraction(arrays: PanelArrays, outcome: Outcome, y: Array) -> Array:
    top = 100.0 if outcome.percent else 1.0
    hint = (
        "Check the column."
        if outcome.percent
        else "Say Outcome(..., percent=True) when the column holds per cent."
    )
    _refuse(arrays, outcome, (y < 0) | (y > top), "fractions", f"numbers from 0 to {top:.0f}", hint)
    return y / top


def _base(arrays: PanelArrays, outcome: Outcome, y: Array) -> Array | None:
    name = outcome.base or outcome.exposure
    if name is None:
        return None
    base = arrays.column(name)
    with np.errstate(invalid="ignore"):
        bad = np.isfinite(y) & ~(base > 0)
    if bad.any():
        raise LinkError(
            f"'{name}' is missing or not positive in {int(bad.sum())} rows where '{outcome.column}' is known",
            where=f"column {name}, organisations {_who(arrays, bad)}",
            expected="a number above 0",
            hint="Complete the column, or leave the outcome of these rows empty.",
        )
    return base


def _ordinal(arrays: PanelArrays, outcome: Outcome) -> OutcomeValues:
    levels = outcome.levels or ()
    if outcome.column in arrays.numbers:
        values = arrays.numbers[outcome.column]
        texts = {float(level): i for i, level in enumerate(levels) if _is_number(level)}
        found = np.unique(values[np.isfinite(values)])
        odd = [f"{value:g}" for value in found if float(value) not in texts]
        codes = np.full(values.size, np.nan)
        for value, position in texts.items():
            codes[values == value] = position
    else:
        column = arrays.categories[outcome.column]
        odd = [level for level in column.levels if level not in levels]
        places = np.array([levels.index(level) if level in levels else -1 for level in column.levels] + [-1])
        codes = places[column.codes].astype(float)
        codes[codes < 0] = np.nan
    if odd:
        raise LinkError(
            f"Outcome '{outcome.column}' holds values that are not among its levels",
            where=f"column {outcome.column}",
            expected=listed(levels),
            got=listed(odd),
            hint="Name every level in Outcome(levels=...), worst first, or leave these rows empty.",
        )
    return OutcomeValues(outcome, codes, levels=tuple(map(str, levels)))


def _binary(arrays: PanelArrays, outcome: Outcome) -> OutcomeValues:
    if outcome.column in arrays.numbers:
        y = arrays.numbers[outcome.column]
        _refuse(arrays, outcome, (y != 0) & (y != 1), "values", "0 or 1", "Recode the column to 0 and 1.")
        return OutcomeValues(outcome, y, levels=("0", "1"))
    column: Categories = arrays.categories[outcome.column]
    if len(column.levels) > 2:
        raise LinkError(
            f"Outcome '{outcome.column}' has {len(column.levels)} values, not two",
            where=f"column {outcome.column}",
            hint="Recode it to 0 and 1, or use kind='ordinal' with levels=.",
        )
    return OutcomeValues(outcome, np.where(column.codes < 0, np.nan, column.codes), levels=column.levels)


def _refuse(
    arrays: PanelArrays, outcome: Outcome, bad: Booleans, what: str, expected: str, hint: str
) -> None:
    bad = bad & np.isfinite(arrays.numbers[outcome.column])
    if bad.any():
        raise LinkError(
            f"Outcome '{outcome.column}' ({outcome.kind}) holds {what} outside their range",
            where=f"column {outcome.column}, organisations {_who(arrays, bad)}",
            expected=expected,
            got=f"{int(bad.sum())} other values",
            hint=hint,
        )


def _who(arrays: PanelArrays, rows: Booleans) -> str:
    return listed([arrays.organisations[i] for i in np.unique(arrays.organisation[rows])], SHOWN)


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True
