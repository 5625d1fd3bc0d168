"""Fit one planned model: the family by the kind of outcome, the covariance by the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.links.covariance import covariance
from culture_metrics.links.design_matrix import DesignMatrix, design_matrix
from culture_metrics.links.linear import solve_linear

if TYPE_CHECKING:
    from culture_metrics.links.arrays import Array, PanelArrays
    from culture_metrics.links.plan import Plan
    from culture_metrics.links.solution import Solution


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

    def std_error(self, column: int) -> float:
        """Return the standard error of a column's slope."""
        return float(np.sqrt(self.covariance[column, column]))


def fit(arrays: PanelArrays, plan: Plan, cov: str = "auto") -> Fitted:
    """Build and fit a planned model.

    Raises
    ------
    LinkError
        When the data cannot carry the model.
    """
    matrix = design_matrix(arrays, plan)
    solution = solve_linear(matrix.y, matrix.x, matrix.weights, constant=matrix.constant)
    kind = ("cluster" if matrix.repeated else "HC3") if cov == "auto" else cov
    matrix_cov, df = covariance(solution, kind, matrix.groups)
    return Fitted(plan, matrix, solution, kind, matrix_cov, df, "least squares", "normal", "identity")
