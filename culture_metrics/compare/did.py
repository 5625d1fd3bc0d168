"""Difference in differences of two periods: changes with a programme less changes without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: So many organisations without the programme a control needs; so many with it for a regression of both.
FEWEST_CONTROLS, FEWEST_WITH = 3, 2


@dataclass(frozen=True)
class Difference:
    """Differences of changes with their standard errors and degrees of freedom, one or an array of each."""

    estimate: Any
    std_error: Any
    df: Any

    def interval(self, conf_level: float) -> tuple[Any, Any]:
        """Return the lower and upper ends of the interval, by Student's t."""
        from scipy.special import stdtrit

        reach = stdtrit(self.df, (1 + conf_level) / 2) * self.std_error
        return self.estimate - reach, self.estimate + reach

    @property
    def p_value(self) -> Any:
        """Two-sided p-value of no difference."""
        from scipy.special import stdtr

        return 2 * stdtr(self.df, -np.abs(self.estimate / self.std_error))


def one_against_group(own: Any, own_error: Any, own_df: Any, changes: Floats, errors: Floats) -> Difference:
    """Set the change of one organisation beside those of its benchmark group.

    Parameters
    ----------
    own, own_error, own_df : float or array
        The organisation's change, its standard error by sampling, and the degrees of freedom of that.
    changes, errors : array
        Changes of the organisations of the group, the last axis, and their standard errors by sampling; NaN
        where not known.

    Notes
    -----
    Without the programme the organisation would have moved as one of its group: by the group's mean change,
    give or take what organisations move apart from each other. That is the spread of the group's changes (s²)
    less what sampling adds to it (the mean of their squared errors), and not below 0; where an error is not
    known nothing is taken off, and the interval is too wide rather than too narrow. So

        variance = own error² + max(0, s² - mean error²) + s² / n

    with degrees of freedom by Satterthwaite (1946). One organisation has no spread of its own, so that a
    regression clustered by organisation would put the error of its side at 0 (Conley & Taber 2011).
    """
    n = changes.shape[-1]
    spread = changes.var(axis=-1, ddof=1)
    sampling = np.where(np.isnan(errors).any(axis=-1), 0.0, np.mean(errors**2, axis=-1))
    apart = np.maximum(spread - sampling, 0.0) + spread / n
    variance = own_error**2 + apart
    # What rests on the spread of n changes has n - 1 degrees of freedom, the sampling error its own.
    from_spread = np.where(spread > sampling, spread * (1 + 1 / n), spread / n)
    with np.errstate(divide="ignore"):  # where nothing was estimated from a spread
        df = np.divide(variance**2, from_spread**2 / (n - 1) + own_error**4 / own_df)
    return Difference(own - changes.mean(axis=-1), np.sqrt(variance), df)


def organisations_against_group(with_it: Floats, without: Floats) -> Difference:
    """Set the changes of several organisations with a programme beside those of a group without it.

    Notes
    -----
    The two-period regression with effects of organisations and years, clustered by organisation, is in first
    differences a regression of the change on having the programme. It is fitted by statsmodels with the
    HC2 covariance, which is the clustered one without bias in so few clusters (CR2; Bell & McCaffrey 2002),
    and their degrees of freedom, here those of Welch.
    """
    import statsmodels.api as sm

    changes = np.concatenate([with_it, without])
    has = np.repeat([1.0, 0.0], [len(with_it), len(without)])
    fitted = sm.OLS(changes, np.column_stack([np.ones_like(has), has])).fit(cov_type="HC2")
    parts = [side.var(ddof=1) / len(side) for side in (with_it, without)]
    total = sum(parts)
    df = total**2 / sum(
        part**2 / (len(side) - 1) for part, side in zip(parts, (with_it, without), strict=True)
    )
    return Difference(float(fitted.params[1]), float(fitted.bse[1]), float(df))
