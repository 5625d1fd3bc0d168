"""Adjust p-values for the number of tests of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from culture_metrics.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

Correction = Literal["bh", "holm"]
CORRECTIONS: tuple[Correction, ...] = get_args(Correction)


def adjust(p: Sequence[float], correction: str = "bh") -> list[float]:
    """Adjust p-values by Benjamini and Hochberg (1995) or Holm (1979).

    Examples
    --------
    >>> [round(value, 3) for value in adjust([0.01, 0.04, 0.03], "holm")]
    [0.03, 0.06, 0.06]
    >>> [round(value, 3) for value in adjust([0.01, 0.04, 0.03], "bh")]
    [0.03, 0.04, 0.04]
    """
    from statsmodels.stats.multitest import multipletests

    if correction not in CORRECTIONS:
        raise LinkError(f"There is no correction '{correction}'", expected=", ".join(CORRECTIONS))
    return [
        float(value) for value in multipletests(p, method={"bh": "fdr_bh"}.get(correction, correction))[1]
    ]
