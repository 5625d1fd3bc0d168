"""What respondents answered, as the numbers that measures are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.indicators.apart import apart
from culture_metrics.indicators.design import Estimates, estimates
from culture_metrics.indicators.percentages import answered_shares, headline_shares, mark, option_shares
from culture_metrics.indicators.scoring import check_answers, score_values
from culture_metrics.indicators.tally import Moments, Tally, share_tally, value_tally
from culture_metrics.threads import blocks, both, in_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.cells import Cells
    from culture_metrics.indicators.design import Design
    from culture_metrics.indicators.percentages import Marked, Share


@dataclass(frozen=True)
class Answers:
    """Scores and headline percentages of an extract: `names` has the scores first.

    Last come shares that only tell how many answered (`answers to …`).
    """

    names: list[str]
    values: NDArray[np.float64]
    marked: Marked
    never_weighted: NDArray[np.bool_]

    @property
    def n_scores(self) -> int:
        """How many of the measures are scores."""
        return int(self.values.shape[1])

    def marks(self, place: int) -> NDArray[np.complex64]:
        """Return the mark of each respondent in a percentage: i for who is asked, 1 more for the counted."""
        share, marked = place - self.n_scores, self.marked
        return np.asarray(marked.marks[share][marked.codes[:, marked.column[share]].view(np.uint8)])

    def of(self, name: str) -> NDArray[np.complex64]:
        """Return what each gives a measure: a score, -1 for none, or a mark for each of its options."""
        return np.stack(
            [
                np.nan_to_num(self.values[:, place], nan=-1.0) if place < self.n_scores else self.marks(place)
                for place, other in enumerate(self.names)
                if other == name
            ],
            axis=1,
        ).astype(np.complex64)

    def moments(self, cells: Cells, weight: NDArray[np.float64] | None) -> Moments:
        """Tally every measure in the order of `names`."""
        jobs, place = self._jobs(cells, weight)
        return Moments.beside([tally[:] for tally in in_threads(jobs)]).measures(place)

    def estimates(self, cells: Cells, weight: NDArray[np.float64] | None, design: Design) -> Estimates:
        """Tally and estimate every measure in the order of `names`."""
        jobs, place = self._jobs(cells, weight)
        tallies = in_threads(jobs)
        found, first, apart_ = estimates(tallies, cells, design), 0, []
        for tally in tallies:
            last = first + tally[slice(0, 1)].mean.shape[1]
            apart_.append(apart(tally, cells, design, found.columns(slice(first, last))))
            first = last
        return replace(found, apart=np.hstack(apart_)).columns(place)

    def _jobs(
        self, cells: Cells, weight: NDArray[np.float64] | None
    ) -> tuple[list[Callable[[], Tally]], NDArray[np.int64] | slice]:
        """List tallies of some measures each, and say where each measure of `names` then stands."""
        jobs: list[Callable[[], Tally]] = [
            partial(value_tally, self.values[:, b], cells, weight) for b in blocks(self.n_scores)
        ]
        never = self.never_weighted if weight is not None else np.zeros_like(self.never_weighted)
        groups = np.flatnonzero(~never), np.flatnonzero(never)
        for shares, own in zip(groups, (weight, None), strict=True):
            jobs += [partial(share_tally, self.marked[shares[b]], cells, own) for b in blocks(len(shares))]
        place = self.n_scores + np.argsort(np.concatenate(groups), kind="stable")
        return jobs, np.append(np.arange(self.n_scores), place) if never.any() else slice(None)


def answers_of(extract: Extract) -> Answers:
    """Read the numbers of respondents out of an extract."""
    check_answers(extract)
    here = extract.edition, extract.frame.columns
    shares = [*headline_shares(*here), *answered_shares(*here)]
    marked, (names, values) = both(partial(mark, extract.frame, shares), partial(score_values, extract))
    return _answers(shares, marked, names, values)


def options(extract: Extract) -> list[Share]:
    """Return every response option of the extract's questions, and the base of each headline."""
    return option_shares(extract.edition, extract.frame.columns)


def options_of(extract: Extract) -> Answers:
    """Read the answers to every question, option by option."""
    check_answers(extract)
    shares = options(extract)
    return _answers(shares, mark(extract.frame, shares), [], np.empty((extract.frame.height, 0)))


def _answers(shares: list[Share], marked: Marked, scores: list[str], values: NDArray[np.float64]) -> Answers:
    return Answers(
        [*scores, *(s.name for s in shares)],
        values,
        marked,
        np.array([not s.question.weighted for s in shares], dtype=bool),
    )
