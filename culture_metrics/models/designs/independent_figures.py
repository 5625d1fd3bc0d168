"""How many independent figures designs make of their rows: what their tests are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Sizes(NamedTuple):
    """The size of a panel and how alike its years are.

    Attributes
    ----------
    rows : float
        Organisation-years.
    years : float
        Of an organisation: of unequal ones the sum of squares over the sum.
    icc_indicator, icc_residual : float
        Share of the variance of the indicator, and of what it leaves of the outcome, between organisations.
    held : float
        Columns beside the indicator and the constant, such as years, which take as many rows.
    """

    rows: float
    years: float
    icc_indicator: float
    icc_residual: float
    held: float = 0

    @property
    def organisations(self) -> float:
        """Number of organisations."""
        return self.rows / self.years


def levels(sizes: Sizes) -> float:
    """Least squares on levels: rows over 1 + (T - 1) ICCx ICCe (Moulton 1986).

    The product of indicator and residual is alike within organisations by ICCx ICCe.
    """
    organisations = sizes.organisations * (1 - sizes.held / sizes.rows)
    return organisations * sizes.years / (1 + (sizes.years - 1) * sizes.icc_indicator * sizes.icc_residual)


def deviations(sizes: Sizes) -> float:
    """Deviations from organisations' means: N (T - 1), whatever the ICCs."""
    return sizes.rows - sizes.organisations - sizes.held


def means(sizes: Sizes) -> float:
    """Means of organisations: N."""
    return sizes.organisations


def intercepts(sizes: Sizes) -> float:
    """Random intercepts: N times what deviations and means tell, each by its share of the variance.

    Deviations (T - 1) (1 - ICCx) / (1 - ICCe), means (1 + (T - 1) ICCx) / (1 + (T - 1) ICCe).
    """
    organisations, alike = sizes.organisations * (1 - sizes.held / sizes.rows), sizes.years - 1
    told = alike * (1 - sizes.icc_indicator) / (1 - sizes.icc_residual)
    return organisations * (told + (1 + alike * sizes.icc_indicator) / (1 + alike * sizes.icc_residual))


def changes(gap: int) -> Callable[[Sizes], float]:
    """Return the figures that changes over k years make: N (T - k) over 1 + (T - 2k) / (2 (T - k)).

    Of independent years, changes that share a year go together by -1/2, in indicator and outcome, so their
    product by 1/4; T - 2k of the T - k changes have one that begins where they end.
    """

    def of(sizes: Sizes) -> float:
        many = sizes.years - gap
        shared = max(sizes.years - 2 * gap, 0.0)
        return (sizes.rows - gap * sizes.organisations - sizes.held) / (1 + shared / (2 * many))

    return of
