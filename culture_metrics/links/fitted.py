"""A fitted model: its data, solution and covariance, and what fitting brought up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from culture_metrics.links.arrays import Array
    from culture_metrics.links.design_matrix import DesignMatrix
    from culture_metrics.links.plan import Plan
    from culture_metrics.links.solution import Solution


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

    @property
    def failed(self) -> bool:
        """Whether the model gave no figures to report."""
        return bool(FAILURES & set(self.flags))

    def std_error(self, column: int) -> float:
        """Return the standard error of a column's slope."""
        return float(np.sqrt(self.covariance[column, column]))
