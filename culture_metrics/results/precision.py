"""How exact each figure of Results is: degrees of freedom, and the base that a percentage is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Level of intervals.
LEVEL = 0.95
#: Effective base at which a standard error smaller than Kish's is believed by half.
HALF_TRUST = 20
#: Where more than this share of the percentages of a cell err by nothing, everybody answered.
MOST = 0.5
#: What a percentage is worth where everybody answered: it is exact.
EXACT = 1e12
CELL = ["period", "organisation", "breakdown", "group", "weighting", "source"]
#: From so much on, an interval of a score is wider than its base makes it: there were clusters.
WIDER = 1.005
#: 97.5 % point of the normal distribution.
NORMAL = 1.959963984540054


def wilson_percent(percent: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Expressions: the ends of Wilson's 95 % interval of a percentage with base `n`.

    Examples
    --------
    >>> low, high = wilson_percent(pl.lit(50.0), pl.lit(10.0))
    >>> pl.select(low.round(2).alias("low"), high.round(2).alias("high")).row(0)
    (23.66, 76.34)
    """
    share, z2 = percent / 100, NORMAL**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL * (share * (1 - share) / n + z2 / (4 * n**2)).sqrt() / (1 + z2 / n)
    return (100 * (centre - half)).clip(0, 100), (100 * (centre + half)).clip(0, 100)


def with_precision(frame: pl.DataFrame, score_range: tuple[float, float]) -> pl.DataFrame:
    """Add what tests need beside the standard error: `df`, `worth` and `design_effect`.

    Parameters
    ----------
    frame : polars.DataFrame
        Results.
    score_range : (float, float)
        Where the scores of the survey lie.

    Returns
    -------
    polars.DataFrame
        With `df` (degrees of freedom of the standard error; infinite for a plain percentage, whose error
        follows from itself; null where no standard error is known), `worth` (of percentages: how many simple
        random answers would be as exact) and `design_effect` (over and above the weights; 1 where the
        figures do not tell).

    Notes
    -----
    Results say the standard error of the design (clusters, weights, raking, finite population), and not its
    degrees of freedom. The t interval of a score gives them back: half its width over the standard error is
    the quantile of Student's t. Where that is no wider than the effective base makes it, they are the
    effective base less one; else they are those of the clusters, and hold for all figures of the cell.

    A percentage p with standard error s is worth p(1 - p) / s² answers (times n / (n - 1)). In a small group
    that is chance itself: it is believed in the proportion n / (n + 20) against what the percentages of the
    same cell show together (their median over the effective base), which also stands in at 0 and 100 %.

    Where most percentages between them err by nothing, everybody of a finite population answered: the figures
    of the cell are exact, with infinite degrees of freedom. (That all answers are alike tells nothing of it,
    nor that one percentage is by chance the same in both clusters of a small group.)
    """
    score, half = pl.col("unit").cast(pl.String) == "score", _half(score_range)
    n, share = pl.col("effective_base"), pl.col("estimate") / 100
    error = pl.col("std_error") / 100
    implied = pl.when(~score & (error > 0)).then(share * (1 - share) / error**2 * n / (n - 1))
    usual = pl.Series(t_quantile(frame["effective_base"].fill_null(2).to_numpy() - 1))
    exact = pl.when(~score & share.is_between(0, 1, closed="none")).then(error == 0)
    told = (
        frame.with_columns(implied=implied)
        .with_columns(quantile=pl.coalesce(half / pl.col("std_error"), usual * _wilson_factor()))
        .with_columns(quantile=pl.when(pl.col("quantile").is_finite() & (n > 1)).then("quantile"))
    )
    cells = (
        told.with_columns(wider=pl.col("quantile") / usual)
        .filter((n > 1) & pl.col("std_error").is_not_null())
        .select(*CELL, "quantile", "wider", "implied", "effective_base", score=score, exact=exact)
        # Of scores rather than of percentages, and of the largest base.
        .sort(pl.col("quantile").is_not_null(), "score", "effective_base")
        .group_by(CELL)
        .agg(
            pl.col("quantile", "wider").last(),
            design_effect=1 / (pl.col("implied") / n).median(),
            exact=(pl.col("exact").mean() > MOST).fill_null(value=False),
        )
    )
    clustered = cells["wider"].fill_null(1.0).to_numpy() > WIDER
    cells = cells.select(
        *CELL,
        "design_effect",
        "exact",
        pl.Series(
            "cluster_df", np.where(clustered, _df(cells["quantile"].fill_null(2.0).to_numpy()), np.inf)
        ),
    )
    plain = (pl.col("effective_base") == pl.col("base")) & pl.col("cluster_df").is_infinite()
    own = pl.min_horizontal("cluster_df", n - 1)
    effect = pl.col("design_effect").fill_null(1.0)
    effect = pl.when((effect - 1).abs() < 1e-3).then(1.0).otherwise(effect)
    usual_worth, trust = n / effect, n / (n + HALF_TRUST)
    shrunk = 1 / (trust / pl.col("implied") + (1 - trust) / pl.min_horizontal("implied", usual_worth))
    return (
        told.join(cells, on=CELL, how="left", maintain_order="left", nulls_equal=True)
        .with_columns(
            df=pl.when(pl.col("std_error").is_not_null())
            .then(pl.when(pl.col("exact") | (~score & plain)).then(pl.lit(np.inf)).otherwise(own)),
            worth=pl.when(~score & pl.col("std_error").is_not_null())
            .then(pl.when("exact").then(pl.lit(EXACT)).otherwise(pl.coalesce(shrunk, usual_worth))),
            design_effect=effect,
        )
        .drop("quantile", "implied", "cluster_df", "exact")
    )  # fmt: skip


def _half(score_range: tuple[float, float]) -> pl.Expr:
    """Expression: half the width of the interval of a score on the scale of its standard error, or null."""
    bottom, top = score_range
    value, low, high = pl.col("estimate"), pl.col("conf_low"), pl.col("conf_high")
    kind = pl.col("interval").cast(pl.String)
    score = pl.col("unit").cast(pl.String) == "score"
    # An end that was cut off at the end of the scale says nothing; the other one does.
    plain = pl.max_horizontal(pl.when(low > bottom).then(value - low), pl.when(high < top).then(high - value))
    span = pl.when(score).then(top - bottom).otherwise(100.0)
    start = pl.when(score).then(bottom).otherwise(0.0)
    x, end = (value - start) / span, (high - start) / span
    logit = ((end / (1 - end)).log() - (x / (1 - x)).log()) * x * (1 - x) * span
    return pl.when(score & (kind == "t")).then(plain).when(kind == "logit").then(logit)


def _wilson_factor() -> pl.Expr:
    """Expression: how much wider Wilson's interval of a percentage is than without clusters, or null.

    It is `indicators.intervals.percent_intervals` read backwards.
    """
    share, n, implied = pl.col("estimate") / 100, pl.col("effective_base"), pl.col("implied")
    end = pl.when(share > 0.5).then("conf_low").otherwise("conf_high") / 100
    shown = NORMAL**2 * end * (1 - end) / (share - end) ** 2
    trust = n / (n + HALF_TRUST)
    base = 1 / (trust / implied + (1 - trust) / pl.min_horizontal("implied", "effective_base"))
    return pl.when(pl.col("interval").cast(pl.String) == "wilson").then((base / shown).sqrt())


def _df(quantile: Floats) -> Floats:
    """Return the degrees of freedom of Student's t with this 97.5 % point; whole where nearly whole."""
    from scipy.special import stdtridf

    found = stdtridf(1 - (1 - LEVEL) / 2, np.maximum(quantile, NORMAL + 1e-6))
    return np.asarray(np.where(np.abs(found - np.round(found)) < 0.02 * found, np.round(found), found))


def t_quantile(df: Floats) -> Floats:
    """Return the 97.5 % point of Student's t; infinite without degrees of freedom."""
    from scipy.special import stdtrit

    whole, place = np.unique(df, return_inverse=True)
    points = np.where(whole > 0, stdtrit(np.maximum(whole, 1e-300), 1 - (1 - LEVEL) / 2), np.inf)
    return np.asarray(points[place].reshape(df.shape))
