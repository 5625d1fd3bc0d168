"""The synthetic population: ordered probit questions on correlated factors, in organisations made of cells.

A respondent belongs to a cell: occupation group x ethnic background (two groups) x long-term condition x
directorate. The answer to a question is the ordered code of a normal variable with standard deviation 1
within the cell, part of it shared with the other questions of its factor. Everything else (no answer, answers
off the scale) is left to chance within the cell. So every population value is a sum over cells of normal
probabilities; see `expectation`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ExtractError
from culture_metrics.synthetic import blocks as b
from culture_metrics.synthetic.national import National, find_cuts, marginal, national, shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.synthetic.national import Floats

#: Values of the factor behind incidents, and how much each weighs in an average over the factor.
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
NODE_WEIGHTS /= NODE_WEIGHTS.sum()
#: Block of each question.
BLOCK_OF = MappingProxyType({item: name for name, block in b.BLOCKS.items() for item in block.items.split()})


@dataclass(frozen=True)
class Item:
    """A question as a model: answers `order` from one end to the other, cut at `cuts`.

    `beside` are answers off the scale, `beside_share` their share by occupation group, `missing` the share
    without an answer, `reach` the correlation with the factor behind incidents.
    """

    question: Question
    block: str
    order: tuple[int, ...]
    cuts: Floats
    beside: tuple[int, ...]
    beside_share: Floats
    missing: float

    @property
    def reach(self) -> float:
        """Correlation of the variable behind the answer with the factor behind incidents."""
        block = b.BLOCKS[self.block]
        if block.factor is None or block.factor == b.GATE_FACTOR:
            return block.loading
        return block.loading * b.FACTORS[block.factor] * b.FACTORS[b.GATE_FACTOR]

    def options(self, mean: Floats, *, by_node: bool = False) -> dict[int, Floats]:
        """Probability of each answer in each cell (and node, last axis) among those asked who answer."""
        spread = 1.0
        if by_node:
            spread = np.sqrt(1 - self.reach**2)
            mean = mean[..., None] + self.reach * NODES
        off = self.beside_share.reshape(*self.beside_share.shape, *(1,) * (mean.ndim - 1))
        on = shares(self.cuts, mean, spread) * (1 - off.sum(axis=0))
        return dict(zip(self.order, on, strict=True)) | {
            code: np.broadcast_to(share, mean.shape) for code, share in zip(self.beside, off, strict=True)
        }


def _order(question: Question) -> tuple[int, ...]:
    """Answers on the scale from the bad end (or the lower code) to the good end."""
    if question.id in b.ORDERS:
        return b.ORDERS[question.id]
    codes = [c for c in sorted(marginal(question)) if c not in question.scale.beside]
    if question.score_map:
        # Where codes score the same, the higher one is worse: more incidents.
        return tuple(sorted(codes, key=lambda c: (question.score_map or {})[c] - c / 100))
    others = [c for c in codes if c not in question.positive]
    if not question.positive:
        return tuple(codes)
    counted_last = np.mean(question.positive) > np.mean(others)
    return tuple(codes if counted_last == (question.direction != "lower") else reversed(codes))


class Population:
    """The synthetic staff as one edition of a survey asks them.

    `items` are the questions by id; `grounds` is the chance to tick each ground of discrimination but the
    last ("other": whoever ticks no other), by ethnic background and condition.
    """

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.items: dict[str, Item] = {}
        for question in edition.questions.values():
            if question.id in BLOCK_OF:
                self.items[question.id] = self._fit(question)
        grounds = edition.questions.get("discrimination_grounds")
        self.grounds = tuple(self._grounds(grounds)) if grounds else ()

    def missing(self, question: Question) -> float:
        """Share of those asked who give no answer."""
        return b.MISSING[question.section]

    def asked(
        self, question: Question, tables: Mapping[str, dict[int, Floats]], shape: tuple[int, ...]
    ) -> Floats:
        """Probability to be asked in each cell and node, from the options of the questions before."""
        skipped = np.ones(shape)
        for gate, codes in question.asked_if:
            missing = self.missing(self.edition.questions[gate])
            skipped = skipped * (1 - (1 - missing) * sum(tables[gate][c] for c in codes))
        return 1 - skipped if question.asked_if else skipped

    def _fit(self, question: Question) -> Item:
        percent, order, name = marginal(question), _order(question), BLOCK_OF[question.id]
        beside = tuple(c for c in percent if c not in order)
        tilt = np.array(b.OFF_SCALE.get(question.id, (1.0,) * 8))
        groups = national().weight.sum(axis=(0, 2, 3))
        share = np.array([percent[c] for c in beside]) / sum(percent.values())
        item = Item(
            question=question,
            block=name,
            order=order,
            cuts=np.empty(0),
            beside=beside,
            beside_share=share.reshape(-1, 1) * tilt / (groups @ tilt),
            missing=self.missing(question),
        )
        mean, spread = national().mean(name), National.spread(name)
        weight = national().weight * (1 - item.beside_share.sum(axis=0))[:, None, None]
        if question.asked_if:
            mean = mean[..., None] + item.reach * NODES
            weight = weight[..., None] * NODE_WEIGHTS * self._national_asked(question, mean.shape)
            spread = float(np.sqrt(1 - item.reach**2 + spread**2))
        else:
            spread = float(np.sqrt(1 + spread**2))
        cuts = find_cuts(np.array([percent[c] for c in order]), mean, spread, weight)
        return replace(item, cuts=cuts)

    def _national_asked(self, question: Question, shape: tuple[int, ...]) -> Floats:
        tables: dict[str, dict[int, Floats]] = {"long_term_condition": condition_table(1)}
        for gate, _ in question.asked_if:
            if gate in self.items:
                item = self.items[gate]
                mean = national().mean(item.block)[..., None] + item.reach * NODES
                spread = np.sqrt(1 - item.reach**2 + National.spread(item.block) ** 2)
                tables[gate] = dict(zip(item.order, shares(item.cuts, mean, spread), strict=True))
        return self.asked(question, tables, shape)

    def _grounds(self, question: Question) -> list[Floats]:
        weight = national().weight[..., None] * NODE_WEIGHTS
        weight = (weight * self._national_asked(question, weight.shape)).sum(axis=(0, 1, 4))
        percent, chances = marginal(question), []
        for code in list(question.scale.options)[:-1]:
            ethnicity, condition = b.GROUNDS.get(question.scale.ids[code], (0.0, 0.0))
            mean = np.array([[0, condition], [ethnicity, ethnicity + condition]])
            cut = find_cuts(np.array([100 - percent[code], percent[code]]), mean, 1.0, weight)
            chances.append(1 - ndtr(cut - mean))
        return chances


def condition_table(axes_after: int) -> dict[int, Floats]:
    """Probability of each answer to the long-term condition question: the cell itself."""
    has = np.array([0.0, 1.0]).reshape(2, *(1,) * axes_after)
    return {1: has, 2: 1 - has}


@cache
def population(survey: str, period: str) -> Population:
    """Fit the synthetic staff for one edition.

    Raises
    ------
    ExtractError
        When the survey is one of the user's own: how staff usually answer it is not known.
    """
    if catalogue(survey).folder is not None:
        raise ExtractError(
            f"There are no made-up answers to the {catalogue(survey).label}",
            expected="a survey of the package: nss_england or national_quarterly_pulse",
            hint="How staff usually answer a survey of your own is not known here.",
        )
    return Population(catalogue(survey).edition(period))
