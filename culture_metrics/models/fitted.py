"""A fitted model: its data, solution and covariance, and what fitting brought up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from culture_metrics.models.design_matrix import DesignMatrix
    from culture_metrics.models.panel_arrays import Array
    from culture_metrics.models.plan import Plan
    from culture_metrics.models.solution import Solution

#: Covariances whose unit is the organisation.
CLUSTERED = ("cluster", "wild", "robust")


#: Flags of a model that has no figures to report.
FAILURES = frozenset({"separation", "not_converged"})


@dataclass(frozen=True)
class Fitted:
    """A model with its covariance.

    Attributes
    ----------
    plan, matrix, solution
        What was asked, the data, the solution.
    cov : str
        Kind of covariance; `covariance` holds it, `df` its degrees of freedom (infinite: normal).
    satterthwaite : numpy.ndarray or None
        Degrees of freedom of each column where they differ: of a random intercept.
    model, family, link : str
        What was fitted, in words.
    flags : tuple of str
        Warnings that fitting brought up.
    levels : tuple of str
        Levels of an ordinal outcome as they were used, lowest first.
    reference : int
        Position of the level whose probability (or better) is told.
    between, within : float
        Variances of a random-intercept model.
    correlation : float
        Working correlation of estimating equations.
    alpha : float
        Overdispersion of a negative binomial.
    """

    plan: Plan
    matrix: DesignMatrix
    solution: Solution
    cov: str
    covariance: Array
    df: float
    model: str
    family: str
    link: str
    flags: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    reference: int = 1
    between: float = float("nan")
    within: float = float("nan")
    correlation: float = float("nan")
    alpha: float = float("nan")
    satterthwaite: Array | None = None

    @property
    def failed(self) -> bool:
        """Whether the model gave no figures to report."""
        return bool(FAILURES & set(self.flags))

    def degrees(self, column: int) -> float:
        """Return the degrees of freedom of a column's slope."""
        if self.satterthwaite is not None:
            return float(self.satterthwaite[column])
        within = any(at == column for (_, term), at in self.matrix.terms.items() if term == "within")
        return max(1.0, self.matrix.carrying - 1.0) if within and self.cov in CLUSTERED else self.df

    def std_error(self, column: int) -> float:
        """Return the standard error of a column's slope."""
        return float(np.sqrt(self.covariance[column, column]))
