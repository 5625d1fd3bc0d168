"""What results know, beside their table, of how the measures of a whole organisation go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Correlations:
    """Correlations between the errors of the estimates of whole organisations, of one period.

    `of` has a matrix, measures × measures, for each organisation: of the sampling design, weights, clusters
    and margins included, to three digits. They tell how many comparisons the measures are worth
    (`compare.families`); they are never written or shown.
    """

    survey: str
    period: str
    measures: tuple[str, ...]
    of: Mapping[str, NDArray[np.float16]]

    def among(self, organisation: str, measures: Sequence[str]) -> Numbers:
        """Return the correlations between some measures; 0 with a measure that is not known."""
        place = {name: i for i, name in enumerate(self.measures)}
        at = np.array([place.get(name, -1) for name in measures])
        found: Numbers = self.of[organisation][np.ix_(at, at)].astype(np.float64)
        found[(at < 0)[:, None] | (at < 0)] = 0.0
        np.fill_diagonal(found, 1.0)
        return found


def mean_of(
    kept: Iterable[Correlations], organisation: str, periods: Sequence[str], measures: Sequence[str]
) -> Numbers | None:
    """Return the correlations of a change: the mean of those of its periods; nothing where none is known."""
    known = [
        one.among(organisation, measures) for one in kept if one.period in periods and organisation in one.of
    ]
    return np.asarray(np.mean(known, axis=0)) if known else None
