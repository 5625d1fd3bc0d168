"""How respondents were sampled, and the standard errors that follow (Taylor linearisation)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Literal

import numpy as np

from culture_metrics.catalogue import least_base
from culture_metrics.errors import ExtractError, unknown
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.threads import in_threads, slices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.cells import Cells
    from culture_metrics.indicators.tally import Moments, Tally

    Numbers = NDArray[np.float64]

DOMAINS = ("own", "full")


@dataclass(frozen=True)
class Design:
    """How the respondents of an extract came about, for the standard errors.

    Parameters
    ----------
    strata : str or None
        Text column of the strata, `organisation` by default; None when all respondents are one sample.
    cluster : str, optional
        Text column of the clusters (wards, teams) that were sampled as a whole. They are told apart within
        strata.
    population : mapping, optional
        How many there were to sample in each stratum: eligible staff (clusters, where `cluster` is given).
        With it standard errors carry the finite population correction.
    domains : {"own", "full"}
        How a group inside a stratum is treated. `own`: as a sample of its own, of the size it came out with.
        `full`: as a domain, those outside or without an answer counting with zero, so that the chance size
        of the group is part of the error; this is what `svyby` of R's survey package does.

    Notes
    -----
    With weights w, an estimate m and the deviations z = w(y - m), the variance of m is
    Σ over strata of (1 - f) n/(n - 1) Σ(z - mean of z)², over (Σw)². `own` takes n among those in the cell
    and its base, `full` in the whole stratum. For an organisation as a whole with nothing missing the two are
    the same; without strata they differ by the factor √(n/(n - 1)), which small samples show. A stratum with
    one sampled unit adds its squared deviation from the estimate (`survey.lonely.psu = "adjust"` in R).

    Intervals have as many degrees of freedom as units in the cell less its strata. Weights leave no more than
    the effective base (Kish) less the strata: with a few heavy respondents the standard error is as uncertain
    as theirs. R's `degf` counts units alone, so t and logit intervals of weighted respondents are a little
    wider here; unweighted, and with clusters, they are the same.

    References
    ----------
    Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, 5.5 and 5.8; Lumley (2004), Analysis
    of Complex Survey Samples, Journal of Statistical Software 9(8).

    Examples
    --------
    >>> Design(cluster="locality_1", population={"RXX": 40}).domains
    'own'
    """

    strata: str | None = "organisation"
    cluster: str | None = None
    population: Mapping[str, float] | None = field(default=None, hash=False)
    domains: Literal["own", "full"] = "own"

    def __post_init__(self) -> None:
        if self.domains not in DOMAINS:
            raise unknown("treatment of domains", self.domains, DOMAINS)
        odd = [str(s) for s, n in (self.population or {}).items() if not _is_number_of_people(n)]
        if odd:
            raise ExtractError(
                "The population of some strata is no number of people",
                where=f"strata {', '.join(odd[:5])}{', …' if len(odd) > 5 else ''}",
                expected="numbers above 0, not infinite",
            )


def _is_number_of_people(value: object) -> bool:
    return isinstance(value, Real) and isfinite(value) and float(value) > 0


@dataclass(frozen=True)
class Estimates:
    """Cell × measure: `mean`, `std_error`, `base`, `effective_base` (Kish, in whole respondents), `df`.

    `shrink` is what the finite population correction leaves of the variance, `apart` the standard error of
    the difference from the whole organisation (`indicators.apart`); not a number where there is none.
    """

    mean: Numbers
    std_error: Numbers
    base: Numbers
    effective_base: Numbers
    df: Numbers
    shrink: Numbers
    apart: Numbers

    def rows(self, which: slice) -> Estimates:
        """Return some of the cells."""
        return Estimates(*(getattr(self, f.name)[which] for f in fields(self)))

    def columns(self, which: NDArray[np.int64] | slice) -> Estimates:
        """Return some of the measures."""
        return Estimates(*(getattr(self, f.name)[:, which] for f in fields(self)))

    @staticmethod
    def beside(parts: Sequence[Estimates]) -> Estimates:
        """Put measures side by side."""
        return Estimates(*(np.hstack([getattr(p, f.name) for p in parts]) for f in fields(Estimates)))


def estimates(tallies: Sequence[Tally], cells: Cells, design: Design) -> Estimates:
    """Turn the sufficient statistics of the parts of cells into estimates of the cells, side by side."""
    apart = cells.parts.same and cells.pieces.same

    def of(rows: slice) -> Estimates:
        own = cells.some(rows) if apart else cells
        return Estimates.beside([_estimates(tally[rows], own, design) for tally in tallies])

    if not apart:
        return of(slice(None))
    # Cells have nothing to do with each other: some at a time stay in the fast memory.
    size = cells.keys.height
    first = of(slice(0, 1))
    found = Estimates(*(np.empty((size, first.mean.shape[1])) for _ in fields(Estimates)))

    def fill(rows: slice) -> None:
        some = of(rows)
        for field_ in fields(Estimates):
            getattr(found, field_.name)[rows] = getattr(some, field_.name)

    in_threads([partial(fill, rows) for rows in slices(*found.mean.shape)])
    return found


def _estimates(moments: Moments, cells: Cells, design: Design) -> Estimates:
    whole = moments.merge(cells.parts).merge(cells.pieces)
    of_part = cells.pieces.of[cells.parts.of]
    gap = moments.gap(whole.mean[of_part])
    if design.cluster is None:
        square = moments.spread + gap * (2 * moments.cross + gap * moments.weight2)
        units = cells.parts.sum(moments.count)
    else:
        square = (moments.weight * gap) ** 2
        units = cells.parts.sum((moments.count > 0).astype(np.float64))
    total, square = cells.parts.sum(moments.weight * gap), cells.parts.sum(square)
    there = units > 0
    sampled = cells.sampled[cells.stratum].astype(np.float64)[:, None]
    n = units if design.domains == "own" else np.where(there, sampled, 0.0)
    left = (1 - fraction(cells, design))[cells.stratum][:, None]
    many = n > 1
    centred = square - np.divide(total**2, n, out=np.zeros_like(total), where=many)
    variance = np.where(many, n / np.where(many, n - 1, 1.0), 1.0) * np.maximum(centred, 0.0)
    before = cells.pieces.sum(variance)
    after = cells.pieces.sum(left * variance)
    base = cells.pieces.sum(units)
    df = base - cells.pieces.sum(there.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = whole_people(kish(whole.weight, whole.weight2))
        plain = cells.pieces.sum(left * units) / base
        shrink = np.where(before > 0, after / before, plain)
        # One unit has no spread, which is not to say that there is no error.
        error = np.where(df > 0, np.sqrt(after) / whole.weight, np.nan)
        mean = np.where(whole.count > 0, whole.mean, np.nan)
        if design.cluster is None:
            df = np.minimum(df, effective - (base - df))
    return Estimates(mean, error, whole.count, effective, df, shrink, np.full_like(mean, np.nan))


def kish(weight: Numbers, weight2: Numbers) -> Numbers:
    """Return the effective base of sums of weights and of their squares (Kish 1965): exact, not to be shown.

    Examples
    --------
    >>> kish(np.array([1.0 * 19 + 3.0]), np.array([1.0 * 19 + 9.0])).round(2).tolist()
    [17.29]
    """
    return np.asarray(weight**2 / weight2)


def whole_people(effective: Numbers) -> Numbers:
    """Cut an effective base down to whole respondents: what is shown of it, and what intervals rest on.

    To the digit it tells how many people in a group weigh how much, and with which weights: 17.29 in a ward
    of 20 is one person who weighs 3 times the others. Cut, never rounded up, so that what is bounded by it
    stays bounded. That alone protects nobody whose weight is far from the others': the weighted and the
    unweighted result of a group are linked cells.

    Examples
    --------
    >>> whole_people(np.array([17.29, 20 - 1e-12])).tolist()
    [17.0, 20.0]
    """
    return np.asarray(np.floor(effective + 1e-9))


def fraction(cells: Cells, design: Design) -> Numbers:
    """Return the share of each stratum that was sampled; 0 when it does not matter."""
    if design.population is None:
        return np.zeros(len(cells.strata))
    sampled = zip(cells.strata, cells.sampled.tolist(), strict=True)
    missing = {s: n for s, n in sampled if s not in design.population}
    if missing:
        raise ExtractError(
            "The population of some strata is not given",
            got=f"none for {named(missing, least_base([]), 5, 'stratum', 'strata')}",
            hint="Give a number for every stratum (organisation) in the extract.",
        )
    fraction = cells.sampled / np.array([float(design.population[s]) for s in cells.strata])
    if (fraction > 1).any():
        over = cells.strata.filter(list(fraction > 1)).to_list()
        raise ExtractError(
            "More were sampled than there are",
            where=f"strata {', '.join(over[:5])}{', …' if len(over) > 5 else ''}",
            hint="Check the population: it counts everybody who could have answered.",
        )
    return np.asarray(fraction)
