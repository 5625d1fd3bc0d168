"""Covariances of estimates: classical, robust to unequal variances, clustered by organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from culture_metrics.errors import LinkError
from culture_metrics.models.solution import starts_of

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array, Integers, Solution

Covariance = Literal["auto", "classical", "scaled", "HC1", "HC3", "cluster", "wild"]
COVARIANCES: tuple[Covariance, ...] = get_args(Covariance)
#: Fewer organisations than this carry no clustered covariance.
FEWEST_CLUSTERS = 10


def covariance(solution: Solution, kind: str, groups: Integers) -> tuple[Array, float]:
    """Return the covariance of the estimates and the degrees of freedom for their t distribution.

    Parameters
    ----------
    solution : Solution
        What an estimator returned.
    kind : {"classical", "scaled", "HC1", "HC3", "cluster", "wild"}
        `classical` takes the model's own variance (of a count or a proportion without overdispersion),
        `scaled` multiplies it by the dispersion (least squares: both are the same), `HC1` and `HC3` allow
        unequal variances, `cluster` allows any correlation within organisations.
    groups : numpy.ndarray
        Organisation of each row, rows sorted by it.

    Returns
    -------
    covariance : numpy.ndarray
    df : float
        Organisations less one when clustered, infinite when the model knows its own scale, otherwise the
        residual degrees of freedom, absorbed effects counted.

    Raises
    ------
    LinkError
        When fewer than ten clusters carry a clustered covariance, or HC3 has no leverage to use.

    Notes
    -----
    The clustered covariance, which the wild bootstrap starts from too, is CR1 with the factor
    G/(G-1) (N-1)/(N-K), as in Stata and statsmodels; HC1 and HC3 as in MacKinnon and White (1985).

    statsmodels fits, and the sandwich is put together here: that of its Gamma model with a log link takes the
    observed information, 10 % off R's `vcovCL` on the reference panel (a test); it knows of no absorbed
    effects, and of none for ordered logits with weights or estimating equations with trials.

    Effects of organisations that were absorbed count wherever rows are taken as independent: in the residual
    variance, in HC1's N/(N-K) and in HC3's leverages, as with a dummy for each organisation. They are nested
    in the clusters, and the clustered factor does not count them a second time: K is the number of the other
    columns, as in plm's `vcovHC(type="sss")`; Stata's `xtreg, fe` and fixest add one for the constant.

    HC3 of absorbed effects is R's, and cautious by construction: with T rows for each organisation a leverage
    is 1/T or more, so the variance comes out T/(T-1) times too large where variances are equal (twice with
    two years).
    """
    n, k = solution.scores.shape
    estimated = k + solution.absorbed
    bread = solution.bread
    if kind == "classical":
        return bread * solution.scale, float("inf") if solution.exact_scale else solution.df
    if kind == "scaled":
        return bread * solution.dispersion, solution.df
    if kind in ("cluster", "wild"):
        sums = np.add.reduceat(solution.scores, starts_of(groups), axis=0)
        count = sums.shape[0]
        if count < FEWEST_CLUSTERS:
            raise LinkError(
                f"A clustered covariance cannot rest on {count} organisations",
                expected=f"at least {FEWEST_CLUSTERS}",
                hint="Take a cross-section with cov='HC3', or collect more organisations.",
            )
        factor = count / (count - 1) * (n - 1) / (n - k)
        return bread @ (sums.T @ sums) @ bread * factor, float(count - 1)
    scores = solution.scores
    if kind == "HC3":
        if solution.free is None:
            raise LinkError("HC3 needs a linear model or a GLM", hint="Use cov='HC1' or cov='cluster'.")
        scores = scores / solution.free[:, None]
        return bread @ (scores.T @ scores) @ bread, solution.df
    if kind == "HC1":
        return bread @ (scores.T @ scores) @ bread * (n / (n - estimated)), solution.df
    raise LinkError(f"There is no covariance '{kind}'", expected=", ".join(COVARIANCES))
