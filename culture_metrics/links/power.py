"""Power before data: how strong a link must be to be found with so many organisations and years."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt, tanh

import polars as pl

from culture_metrics.errors import LinkError

DESIGNS = ("cross_section", "pooled", "fixed_effects")


@dataclass(frozen=True)
class DetectableLink:
    """The smallest correlation that a study of this size is likely to find.

    Attributes
    ----------
    table : polars.DataFrame
        One row per design; see `detectable_link`.
    power, level : float
        Chance of finding it, and level of the two-sided test.
    """

    table: pl.DataFrame
    power: float
    level: float

    def summary(self) -> str:
        """Say in plain sentences what can be found and what a null result does not exclude."""
        words = {
            "cross_section": "one year",
            "pooled": "all years together, standard errors clustered",
            "fixed_effects": "within organisations over the years",
        }
        said = [
            f"{words[row['design']]}: |r| of {row['detectable_r']:.2f} or more "
            f"(worth {row['effective_n']:.0f} independent figures)"
            for row in self.table.to_dicts()
        ]
        size = self.table.row(0, named=True)
        return (
            f"With {size['organisations']} organisations a link is found in {100 * self.power:.0f}% of "
            f"studies (two-sided test at {100 * self.level:g}%) from: {'; '.join(said)}. A result that is "
            "not significant does not exclude a link weaker than that."
        )

    def __repr__(self) -> str:
        return f"DetectableLink({self.summary()} See .table)"

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>"


def detectable_link(
    n_organisations: int,
    years: int = 1,
    icc: float = 0.75,
    *,
    icc_indicator: float | None = None,
    reliability: float = 1.0,
    power: float = 0.80,
    level: float = 0.05,
) -> DetectableLink:
    """Tell how strong a link must be to be found, before there are data.

    Parameters
    ----------
    n_organisations : int
        Organisations in the study, at least 10.
    years : int
        Years of each of them.
    icc : float
        Share of the outcome's variance over the years that lies between organisations, 0 to below 1. In acute
        trusts 2012 to 2019 it was 0.75 for SHMI and 0.40 for engagement.
    icc_indicator : float, optional
        The same of the indicator; `icc` when left out.
    reliability : float
        Reliability of the organisations' indicator, ICC(2): what is found is weaker than the true link by its
        root.
    power, level : float
        Chance of finding the link, and level of the two-sided test.

    Returns
    -------
    DetectableLink
        `.table`: `design` (`cross_section`; with two years or more also `pooled` and `fixed_effects`),
        `organisations, years, effective_n` (independent figures it is worth), `detectable_r` (correlation of
        the figures as measured; within organisations for `fixed_effects`), `detectable_true_r` (of an
        indicator without sampling error; null where above 1).

    Raises
    ------
    LinkError
        When a number lies outside its range.

    Notes
    -----
    Fisher's z: r = tanh((z₁ + z₂) / √(n - 3)). Years of one organisation repeat each other: pooled rows are
    worth N T / (1 + (T - 1) ICCx ICCy), as the product of indicator and residual is alike within
    organisations by ICCx ICCy. Fixed effects use the N (T - 1) deviations, whatever the ICCs. It is an
    approximation for residuals that are otherwise independent from year to year; with autocorrelation fixed
    effects find less.

    Examples
    --------
    >>> detectable_link(120).table["detectable_r"].round(2).item()
    0.25
    """
    from scipy.stats import norm

    indicator = icc if icc_indicator is None else icc_indicator
    _check("n_organisations", n_organisations, n_organisations >= 10, "10 or more")
    _check("years", years, years >= 1, "1 or more")
    _check("icc", icc, 0 <= icc < 1, "0 to below 1")
    _check("icc_indicator", indicator, 0 <= indicator < 1, "0 to below 1")
    _check("reliability", reliability, 0 < reliability <= 1, "above 0, to 1")
    _check("power", power, level < power < 1, "above the level of the test, below 1")
    _check("level", level, 0 < level < 0.5, "above 0, below 0.5")
    worth = {"cross_section": float(n_organisations)}
    if years > 1:
        worth["pooled"] = n_organisations * years / (1 + (years - 1) * indicator * icc)
        worth["fixed_effects"] = float(n_organisations * (years - 1))
    both = float(norm.ppf(1 - level / 2) + norm.ppf(power))
    found = {design: tanh(both / sqrt(n - 3)) for design, n in worth.items()}
    true = {design: r / sqrt(reliability) for design, r in found.items()}
    table = pl.DataFrame(
        {
            "design": list(worth),
            "organisations": [n_organisations] * len(worth),
            "years": [1, *[years] * (len(worth) - 1)],
            "effective_n": list(worth.values()),
            "detectable_r": list(found.values()),
            "detectable_true_r": pl.Series([r if r <= 1 else None for r in true.values()], dtype=pl.Float64),
        }
    )
    return DetectableLink(table, power, level)


def _check(name: str, value: float, holds: bool, expected: str) -> None:
    if not holds:
        raise LinkError(f"{name}= lies outside its range", expected=expected, got=f"{value:g}")
