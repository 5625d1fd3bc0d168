"""Error variances of groups, each group's own drawn towards what all of them show (moderated variances)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, polygamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

#: Rounds of least squares for variances, and of Newton's steps, at most; and when they end.
ROUNDS, NEAR = 50, 1e-10
#: A scatter of log variances this small beyond chance is none: some 20,000 degrees of freedom.
LEAST_SCATTER = 1e-4


@dataclass(frozen=True)
class Moderated:
    """Variances row by row, and their degrees of freedom."""

    variance: Numbers
    df: Numbers


def moderated(own: Numbers, df: Numbers, crowding: Numbers, family: Whole, alike: Whole) -> Moderated:
    """Draw the variance of each group towards that of its family as far as it is uncertain.

    Parameters
    ----------
    own, df : array
        Variances of groups and their degrees of freedom; without either (0) a group says nothing of its own.
    crowding : array
        People to a sampled unit: variances may rise with it in a straight line, as they do where clusters
        are sampled (Kish 1965, 5.4), from a value that is not below 0.
    family, alike : array
        Numbers from 0: the groups whose variances are looked at together, and the families whose groups
        differ in variance as much (the measures of a breakdown).

    Notes
    -----
    Own variances are the true ones times chi-square over their degrees of freedom, the true ones scaled
    inverse chi-square around the line of the family, with d0 degrees of freedom. These come of the scatter of
    the log variances beyond chance (Smyth 2004, section 6.2), in which each counts for what it is worth, as
    with few clusters the smallest say little, pooled over families that are alike. The moderated variance is
    (d0 line + df own) / (d0 + df); where nothing is beyond chance it is the line. It has d0 + df degrees of
    freedom, and no more than all groups of the family together.

    References
    ----------
    DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188; Kish (1965), Survey Sampling, 5.4;
    Smyth (2004), Statistical Applications in Genetics and Molecular Biology 3(1), article 3.
    """
    told = (own > 0) & (df > 0)
    df, size = np.where(told, df, 0.0), int(family.max(initial=-1)) + 1
    line = _line(np.where(told, own, 0.0), df, crowding, family, size)
    half = np.where(told, df, 1.0) / 2
    scale = np.where(told, own, 1.0) / np.where(line > 0, line, 1.0)
    log = np.where(told, np.log(scale) - digamma(half) + np.log(half), 0.0)
    # A log variance counts for as much as chance lets it: with one degree of freedom for a tenth of one with
    # ten. The scatter beyond chance is that of DerSimonian and Laird (1986).
    chance = polygamma(1, half)
    weight = np.where(told, 1 / chance, 0.0)
    many, all_of = np.bincount(family, told, size), np.bincount(family, weight, size)
    mean = np.bincount(family, weight * log, size) / np.where(all_of > 0, all_of, 1.0)
    scatter = np.bincount(family, weight * (log - mean[family]) ** 2, size) - np.maximum(many - 1, 0)
    room = all_of - np.bincount(family, weight**2, size) / np.where(all_of > 0, all_of, 1.0)
    group = np.zeros(size, dtype=np.int64)
    group[family] = alike
    over, rooms = (np.bincount(group, np.where(many > 1, x, 0.0)) for x in (scatter, room))
    beyond = (over / np.where(rooms > 0, rooms, 1.0))[group]
    differ = beyond > LEAST_SCATTER
    prior = 2 * _trigamma_inverse(np.where(differ, beyond, 1.0))
    centre = np.where(differ, np.exp(mean + digamma(prior / 2) - np.log(prior / 2)), 1.0)[family] * line
    prior, differ = prior[family], differ[family]
    drawn = np.where(differ, (prior * centre + df * own) / (prior + df), line)
    all_of = np.bincount(family, df, size)[family]
    return Moderated(drawn, np.where(differ, np.minimum(prior + df, all_of), all_of))


def _line(own: Numbers, df: Numbers, crowding: Numbers, family: Whole, size: int) -> Numbers:
    """Fit variances by crowding: least squares weighted by degrees of freedom over the square of the fit."""

    def total(values: Numbers) -> Numbers:
        return np.asarray(np.bincount(family, values, size), dtype=np.float64)

    with np.errstate(invalid="ignore", divide="ignore"):
        fit = np.nan_to_num(total(df * own) / total(df))[family]
        for _ in range(ROUNDS):
            weight = np.where(fit > 0, df / fit**2, 0.0)
            all_of = total(weight)
            level, middle = total(weight * own) / all_of, total(weight * crowding) / all_of
            away = crowding - middle[family]
            spread = total(weight * away**2)
            slope = np.where(spread > NEAR * all_of, total(weight * away * own) / spread, 0.0)
            slope = np.clip(slope, 0.0, level / middle)
            last, fit = fit, np.nan_to_num(level[family] + slope[family] * away)
            if (np.abs(fit - last) <= NEAR * fit).all():
                break
    return fit


def _trigamma_inverse(value: Numbers) -> Numbers:
    """Return where the trigamma function has a value above 0: Newton's steps (Smyth 2004, appendix)."""
    found = 0.5 + 1 / value
    for _ in range(ROUNDS):
        there = polygamma(1, found)
        step = there * (1 - there / value) / polygamma(2, found)
        found = found + step
        if (np.abs(step) <= NEAR * found).all():
            break
    return np.asarray(found)
