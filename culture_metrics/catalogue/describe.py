"""What a measure or question is in one edition, in plain words."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from culture_metrics.catalogue.model import Edition, Question


#: What a code is called: that of a survey of the package is official.
_CODE = {True: "official code", False: "code"}
#: How a score is made of answers, and of parts.
HOW_SCORED = "a person's score is the mean of the points of their answers; the score is the mean of all"
HOW_BUILT = "a person's score is the mean of their parts, not of all questions; the score is the mean of all"


@dataclass(frozen=True)
class Definition:
    """What a measure or question is in one edition, for people to read."""

    title: str
    rows: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.rows)
        return "\n".join([self.title, *(f"  {name:<{width}}  {text}" for name, text in self.rows)])

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th scope='row' style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in self.rows
        )
        return f"<table><caption>{html.escape(self.title)}</caption>{cells}</table>"


def define(edition: Edition, key: str) -> Definition:
    """Say in plain words what a measure or question, named by its stable id, is in an edition."""
    rows = _describe_measure(edition, key) if key in edition.measures else []
    if key in edition.questions:
        rows += _describe_question(edition, edition.questions[key])
    label = (edition.measures.get(key) or edition.questions[key]).label
    rows.append(("id", key))
    return Definition(f"{label}, {edition.survey.label}, {edition.period}", tuple(rows))


def _describe_measure(edition: Edition, key: str) -> list[tuple[str, str]]:
    measure = edition.measures[key]
    level = edition.survey.levels.get(measure.level)
    rows = [
        (_CODE[edition.survey.folder is None], measure.code),
        ("what it is", f"{level.label.lower() if level else measure.level}, {measure.meaning}"),
    ]
    if measure.items:
        named = (f"{edition.questions[i].label} ({edition.questions[i].code})" for i in measure.items)
        rows.append(("built from", "; ".join(named)))
        rows.append(("needs", f"at least {measure.minimum} of {len(measure.items)} answered"))
        rows.append(("how", HOW_SCORED))
        rows += [("points", text) for text in _points(edition, measure.items)]
    if measure.parts:
        rows.append(("built from", "; ".join(edition.measures[p].label for p in measure.parts)))
        rows.append(("needs", f"at least {measure.minimum} of {len(measure.parts)} parts"))
        rows.append(("how", HOW_BUILT))
    if measure.filter:
        gate = edition.questions[measure.filter]
        rows.append(("special rule", f"{gate.label} ({gate.code}): 2 scores 0, others than 1 and 2 no score"))
    if measure.evidence:
        rows.append(("evidence", measure.evidence))
    if edition.provisional:
        rows.append(("provisional", f"{edition.period} is {edition.provisional}"))
    if measure.level != "question" and edition.scoring_note:
        rows.append(("about this edition", edition.scoring_note))
    rows += [("not confirmed", text) for text in measure.unconfirmed]
    related = {key, *measure.parts}
    for item in edition.survey.breaks:
        if related & set(item.measures):
            span = f"{item.from_period} to {item.to_period}" if item.from_period else f"{item.only}"
            doubt = "" if item.confirmed else " (not confirmed)"
            rows.append((f"break {span}", item.reason + doubt))
    return rows


def _points(edition: Edition, items: tuple[str, ...]) -> list[str]:
    """Say how answers become points: once for all questions that are scored alike."""
    alike: dict[str, list[str]] = {}
    for name in items:
        question = edition.questions[name]
        if question.score_map:
            said = "; ".join(f"{code} scores {value:g}" for code, value in question.score_map.items())
            alike.setdefault(said, []).append(question.code)
    return [f"{', '.join(codes)}: {said}" for said, codes in alike.items()]


def _describe_question(edition: Edition, question: Question) -> list[tuple[str, str]]:
    answers = "; ".join(f"{code} {label}" for code, label in question.scale.labels.items())
    rows = [("question code", question.code), ("answers", answers)]
    if question.positive:
        rows.append(("counted", ", ".join(question.scale.labels[c] for c in question.positive)))
    if question.out_of_base:
        left_out = ", ".join(question.scale.labels[c] for c in question.out_of_base)
        rows.append(("left out of the base", left_out))
    if question.asked_if:
        gates = (edition.questions[name] for name, _ in question.asked_if)
        rows.append(("asked only after", " or ".join(f"{g.label} ({g.code})" for g in gates)))
    if question.score_map:
        scored = "; ".join(f"{code} scores {value:g}" for code, value in question.score_map.items())
        rows.append(("scored", scored))
    used = [m.label for m in edition.scores.values() if question.id in m.items]
    if used:
        rows.append(("part of", "; ".join(used)))
    if not question.weighted and any(q.weighted for q in edition.questions.values()):
        rows.append(("weighting", "never weighted"))
    if question.note:
        rows.append(("note", question.note))
    if question.unconfirmed and question.id not in edition.measures:
        rows.append(("not confirmed", question.unconfirmed))
    return rows
