"""How the estimates of a whole organisation go together: correlations of their errors, from the design."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.contract import ALL
from culture_metrics.indicators.design import fraction
from culture_metrics.results.correlations import Correlations
from culture_metrics.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from culture_metrics.indicators.answers import Answers
    from culture_metrics.indicators.cell_estimates import Found
    from culture_metrics.indicators.cells import Cells
    from culture_metrics.indicators.design import Design

    Numbers = NDArray[np.float32]
    Whole = NDArray[np.integer[Any]]

#: Organisations of an extract beyond which nobody asks how measures go together: in so large a family it
#: hardly matters. Respondents of one from whom it is learnt; clusters count whole.
ORGANISATIONS, RESPONDENTS = 5, 1200
#: Every so many answers tell respondents apart, and from which seed they are drawn.
ANSWERS, SEED = 4, 20240


def correlations_of(found: Found, survey: str, period: str, design: Design) -> Correlations | None:
    """Correlate the errors of the estimates of whole organisations; nothing where there are many.

    Notes
    -----
    The covariance of two estimates is that of Taylor linearisation (`Design`): the sum over what was sampled
    of the products of their deviations w(y - m), 0 out of the base, within strata. With raked weights y - m
    is what the margins leave of it (`indicators.calibrated`). Of many respondents some are enough, picked by
    what they answered: the order of respondents leaves the numbers as they are.
    """
    cells = found.cells
    if cells is None or (cells.keys["breakdown"] == ALL).sum() > ORGANISATIONS:
        return None
    return Correlations(survey, period, tuple(found.answers.names), matrices(found, cells, design))


def matrices(found: Found, cells: Cells, design: Design) -> dict[str, NDArray[np.float16]]:
    """Return the correlations of each whole organisation, measures × measures."""
    from scipy.sparse import csr_array

    wholes = np.flatnonzero((cells.keys["breakdown"] == ALL).to_numpy())
    if not len(wholes):
        return {}
    part = _part_of(cells, wholes)
    left = 1 - fraction(cells, design)
    in_cell = cells.pieces.of[cells.parts.of[part]]
    matrix: dict[str, NDArray[np.float16]] = {}
    for cell in wholes:
        rows = np.flatnonzero(in_cell == cell)
        name = str(cells.keys["organisation"][int(cell)])
        margins = () if found.raking is None else found.raking.margins.get(name, ())
        few = np.arange(len(rows)) if cells.clusters is not None else _some(found.answers, rows)
        rows = rows[few]
        own = _deviations(found.answers, rows, found.weight, [m.codes[few] for m in margins])
        unit = part[rows]
        if cells.clusters is not None:
            unit, place = np.unique(unit, return_inverse=True)
            own = csr_array((np.ones(len(place), np.float32), (place, np.arange(len(place))))) @ own
        matrix[name] = _correlated(own, cells.stratum[cells.parts.of[unit]], left)
    return matrix


def _part_of(cells: Cells, wholes: Whole) -> Whole:
    """Return the part of their whole organisation that each respondent counts in."""
    of_whole = np.isin(cells.pieces.of[cells.parts.of], wholes)
    of_part = [cells.part_of(block) for block in cells.blocks if of_whole[block.part[block.part >= 0]].any()]
    return of_part[0]


def _some(answers: Answers, rows: Whole) -> Whole:
    """Pick respondents at random, by their answers: their places in `rows`."""
    if len(rows) <= RESPONDENTS:
        return np.arange(len(rows))
    told = answers.marked.codes[rows, ::ANSWERS].astype(np.int64)
    factor = np.random.default_rng(SEED).integers(1, 2**40, told.shape[1])
    return np.sort(np.argpartition(told @ factor % 2_147_483_647, RESPONDENTS)[:RESPONDENTS])


def _deviations(
    answers: Answers, rows: Whole, weight: NDArray[np.float64] | None, margins: Sequence[Whole]
) -> Numbers:
    """Return weighted deviations from the estimates, respondents × measures."""
    marked = answers.marked
    codes = marked.codes[rows].view(np.uint8)[:, marked.column].astype(np.int32)
    codes += 256 * np.arange(len(marked.column), dtype=np.int32)
    marks = np.take(marked.marks.ravel(), codes)
    values = answers.values[rows].astype(np.float32)
    there = np.isfinite(values)
    y = np.hstack([np.where(there, values, 0), marks.real])
    base = np.hstack([there, marks.imag > 0]).astype(np.float32)
    each = None
    if weight is not None:
        each = np.nan_to_num(weight[rows]).astype(np.float32)[:, None]
        each = np.where(np.append(np.zeros(answers.n_scores, bool), answers.never_weighted), 1, each)
    weighted = base if each is None else each * base
    mean = (weighted * y).sum(axis=0) / np.maximum(weighted.sum(axis=0), 1e-9)
    deviation = base * (y - mean)
    if margins:
        x = np.hstack([np.eye(codes.max() + 1, dtype=np.float32)[codes] for codes in margins])
        deviation -= x @ (np.linalg.pinv(x.T @ x) @ (x.T @ deviation))
    return np.asarray(deviation if each is None else each * deviation)


def _correlated(own: Numbers, stratum: Whole, left: NDArray[np.float64]) -> NDArray[np.float16]:
    """Correlate totals over sampled units; a stratum of one unit counts as it is (`Design`)."""
    for number in np.unique(stratum):
        here = stratum == number
        n = int(here.sum())
        if n > 1:
            factor = np.sqrt(left[number] * n / (n - 1))
            own[here] = (own[here] - own[here].mean(axis=0)) * factor.astype(np.float32)
    with one_blas_thread():
        product = (own.T @ own).astype(np.float64)
    error = np.sqrt(np.diag(product))
    known = error > 0
    scale = np.where(known, 1 / np.where(known, error, 1), 0)
    return (product * scale * scale[:, None]).astype(np.float16)
