"""Expected values in the cells of an organisation, by normal probabilities: nothing is simulated here."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.synthetic.national import SHAPE
from culture_metrics.synthetic.population import NODE_WEIGHTS, condition_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culture_metrics.catalogue import Measure, Question
    from culture_metrics.synthetic.national import Floats
    from culture_metrics.synthetic.organisation import Organisation
    from culture_metrics.synthetic.population import Population

    # Share of a cell that has a value, and the mean of that value, in each cell (and node).
    Expected = tuple[Floats, Floats]


def mean_of_answered(parts: Sequence[Expected], minimum: int) -> Expected:
    """Work out the mean of those parts that are there, where at least `minimum` are.

    Parameters
    ----------
    parts : sequence of (array, array)
        Probability that a part is there, and its mean when it is; parts are there independently.
    minimum : int
        How many are needed.

    Returns
    -------
    (array, array)
        Probability that enough parts are there, and the expected mean where they are.

    Examples
    --------
    >>> always, mean = np.array([1.0]), np.array([6.0])
    >>> mean_of_answered([(always, mean), (always / 2, mean + 2)], minimum=1)
    (array([1.]), array([6.5]))
    """
    there = [part[0] for part in parts]
    total = np.zeros_like(parts[0][1])
    for place, (here, mean) in enumerate(parts):
        others = _counts(there[:place] + there[place + 1 :])
        # Beside k others a part weighs one in k + 1.
        total = total + here * mean * _sum(others[k] / (k + 1) for k in range(minimum - 1, len(parts)))
    enough = _sum(_counts(there)[minimum:])
    return enough, total / enough


def _counts(there: Sequence[Floats]) -> list[Floats]:
    """Probability that none, one, two, ... of independent parts are there."""
    counts = [np.ones(1)]
    for here in there:
        none = np.zeros(1)
        pairs = zip([*counts, none], [none, *counts], strict=True)
        counts = [stay * (1 - here) + come * here for stay, come in pairs]
    return counts


def _sum(parts: Iterable[Floats]) -> Floats:
    return reduce(np.add, parts)


class Cells:
    """Expected values in the cells of one organisation in one period."""

    def __init__(self, people: Population, own: Organisation, period: str) -> None:
        self.people, self.own, self.period = people, own, period
        self.questions = people.edition.questions
        self.by_node: dict[str, dict[int, Floats]] = {"long_term_condition": condition_table(2)}
        self.known: dict[str, Expected] = {}

    def options(self, question: Question) -> dict[int, Floats]:
        """Probability of each answer of those asked who answer, in each cell."""
        if question.id == "long_term_condition":
            return condition_table(1)
        item = self.people.items[question.id]
        return item.options(self.own.mean(item, self.period))

    def node_options(self, name: str) -> dict[int, Floats]:
        """Probability of each answer in each cell and node of the factor behind incidents."""
        if name not in self.by_node:
            item = self.people.items[name]
            self.by_node[name] = item.options(self.own.mean(item, self.period), by_node=True)
        return self.by_node[name]

    def asked(self, question: Question) -> Floats:
        """Probability to be asked in each cell and node."""
        tables = {gate: self.node_options(gate) for gate, _ in question.asked_if}
        return self.people.asked(question, tables, (*SHAPE, len(NODE_WEIGHTS)))

    def answers(self, question: Question) -> dict[int, Floats]:
        """Probability of each answer, of all respondents in each cell."""
        there = 1 - self.people.missing(question)
        if not question.asked_if:
            return {code: there * p for code, p in self.options(question).items()}
        asked = there * self.asked(question) * NODE_WEIGHTS
        if question.kind == "multi":
            ticks = [ground[..., None] for ground in self.people.grounds]
            ticks.append(np.prod([1 - tick for tick in ticks], axis=0))
            return {c: asked.sum(axis=-1) * t for c, t in zip(question.scale.options, ticks, strict=True)}
        return {code: (asked * p).sum(axis=-1) for code, p in self.node_options(question.id).items()}

    def measure(self, measure: Measure) -> Expected:
        """Share of each cell that has the measure, and its mean there."""
        if measure.id not in self.known:
            self.known[measure.id] = self._measure(measure)
        return self.known[measure.id]

    def _measure(self, measure: Measure) -> Expected:
        if measure.question is not None:
            return self._percentage(measure, self.questions[measure.question])
        if measure.rule == "appraisal":
            return self._appraisal(measure)
        if measure.parts:
            parts = [self.measure(self.people.edition.measures[part]) for part in measure.parts]
            return mean_of_answered(parts, measure.minimum)
        items = [self.questions[item] for item in measure.items]
        if not any(q.asked_if for q in items):
            return mean_of_answered([self._scored(q, self.options(q)) for q in items], measure.minimum)
        scored = [self._scored(q, self.node_options(q.id), self.asked(q)) for q in items]
        enough, mean = mean_of_answered(scored, measure.minimum)
        return enough @ NODE_WEIGHTS, (enough * mean) @ NODE_WEIGHTS / (enough @ NODE_WEIGHTS)

    def _percentage(self, measure: Measure, question: Question) -> Expected:
        answers = self.answers(question)
        if measure.option is not None:
            base = (1 - self.people.missing(question)) * (self.asked(question) @ NODE_WEIGHTS)
            return base, 100 * answers[measure.option] / base
        base = _sum(p for code, p in answers.items() if code not in question.out_of_base)
        hit = _sum(answers[code] for code in question.positive if code in answers)
        # Nobody of a cell may be asked: staff without a condition about adjustments.
        return base, 100 * np.divide(hit, base, out=np.zeros_like(hit), where=base > 0)

    def _scored(
        self, question: Question, options: dict[int, Floats], asked: float | Floats = 1.0
    ) -> Expected:
        """Probability of a scored answer and the mean score of such an answer."""
        points = question.score_map or {}
        scored = _sum(p for code, p in options.items() if code in points)
        mean = _sum(p * points[code] for code, p in options.items() if code in points) / scored
        return asked * (1 - self.people.missing(question)) * scored, mean

    def _appraisal(self, measure: Measure) -> Expected:
        """Score nothing for "no", the mean of the parts for "yes", and leave out the rest."""
        gate = self.questions[measure.filter or ""]
        answers = self.answers(gate)
        items = [self.questions[item] for item in measure.items]
        enough, mean = mean_of_answered([self._scored(q, self.options(q)) for q in items], measure.minimum)
        yes = answers[1] * enough
        return answers[2] + yes, yes * mean / (answers[2] + yes)
