"""Read the files of a catalogue: questions, scales, measures, breakdowns and editions of one survey."""

from __future__ import annotations

import csv
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from culture_metrics.catalogue import Break, Breakdown, Edition, Measure, Question, Scale, Survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable


def read_survey(survey: str, folder: Traversable) -> Survey:
    """Read the catalogue of a survey from its folder.

    Raises
    ------
    KeyError, ValueError, TypeError
        When its files do not hold together.
    """
    rows = list(csv.DictReader(folder.joinpath("questions.csv").read_text(encoding="utf-8").splitlines()))
    editions, measures = _yaml(folder, "editions.yaml"), _yaml(folder, "measures.yaml")
    scales = {name: _scale(name, spec) for name, spec in _yaml(folder, "scales.yaml").items()}
    head = editions["survey"]
    view = Survey(
        id=survey,
        label=head["label"],
        cycle=head["period"],
        minimum_base=head["minimum_base"],
        missing_codes=tuple(head["missing_codes"]),
        unweighted_groups=tuple(head["unweighted_groups"]),
        open_ended=head.get("open_ended", False),
        breaks=tuple(map(_break, editions["breaks"])),
        aliases=MappingProxyType(
            {
                alias.casefold(): name
                for name, spec in measures["measures"].items()
                for alias in spec.get("aliases", ())
            }
        ),
    )
    breakdowns = _yaml(folder, "breakdowns.yaml")
    lists: dict[str, str] = {}
    for period, spec in sorted(editions["editions"].items()):
        lists |= spec.get("scales", {})
        questions = {
            row["measure"]: _question(row, period, scales, lists, measures["score_maps"])
            for row in rows
            if row[f"code_{period}"]
        }
        if len(questions) != spec["items"]:
            raise ValueError(f"{period} has {len(questions)} questions, not {spec['items']}")
        view._editions[period] = Edition(
            survey=view,
            period=period,
            questions=MappingProxyType(questions),
            measures=MappingProxyType(
                {
                    **{k: _score(k, m, period, questions) for k, m in measures["measures"].items()},
                    **{m.id: m for q in questions.values() for m in _percentages(q)},
                }
            ),
            breakdowns=MappingProxyType(
                {k: b for k, s in breakdowns.items() if (b := _breakdown(k, s, questions))}
            ),
            notes=tuple(spec["notes"]),
            scoring_confirmed=spec["scoring_confirmed"],
            scoring_note=spec.get("scoring_note", ""),
        )
    return view


def _scale(name: str, spec: Mapping[str, Any]) -> Scale:
    return Scale(
        id=name,
        options=MappingProxyType(spec["options"]),
        extra=MappingProxyType(spec.get("extra", {})),
        beside=tuple(spec.get("beside_scale", ())),
        groups=MappingProxyType(
            {
                grouping: {group: tuple(codes) for group, codes in groups.items()}
                for grouping, groups in spec.get("groups", {}).items()
            }
        ),
        ids=MappingProxyType(spec.get("ids", {})),
    )


def _numbers(text: str, separator: str | None = None) -> tuple[int, ...]:
    return tuple(int(n) for n in text.split(separator) if n)


def _question(
    row: Mapping[str, str],
    period: str,
    scales: Mapping[str, Scale],
    own_scales: Mapping[str, str],
    score_maps: Mapping[str, Mapping[int, float]],
) -> Question:
    conditions = (c.split("=") for c in row["asked_if"].split("|") if c)
    alternatives = (a.split(":") for a in row["alternative_codes"].split())
    return Question(
        id=row["measure"],
        code=row[f"code_{period}"],
        label=row["label"],
        section=row["section"],
        kind=row["kind"],
        scale=scales[own_scales.get(row["measure"], row["scale"])],
        positive=_numbers(row["positive"]),
        out_of_base=_numbers(row["out_of_base"]),
        percent_meaning=row["percent_meaning"],
        direction=row["direction"],
        score_map=MappingProxyType(score_maps[row["score_map"]]) if row["score_map"] else None,
        asked_if=tuple((name, _numbers(codes, ",")) for name, codes in conditions),
        weighted=row["weighted"] == "yes",
        alternatives=tuple(code for year, code in alternatives if year <= period),
        unconfirmed=row["unconfirmed"],
        note=row["note"],
    )


def _score(name: str, spec: Mapping[str, Any], period: str, questions: Mapping[str, Question]) -> Measure:
    for year, changes in sorted(spec.get("from", {}).items()):
        spec = {**spec, **(changes if year <= period else {})}
    items = tuple(spec.get("items", ()))
    for item in items:
        if item not in questions or questions[item].score_map is None:
            raise ValueError(f"{name} needs a score map for {item} in {period}")
    unconfirmed = []
    if not spec.get("minimum_confirmed", True):
        unconfirmed.append(f"That {spec['minimum']} are needed. {spec['evidence']}")
    if not spec.get("items_confirmed", True):
        unconfirmed.append(f"Which questions it is built from. {spec['evidence']}")
    return Measure(
        id=name,
        code=spec["code"],
        label=spec["label"],
        level=spec["level"],
        unit="score",
        direction="higher",
        items=items,
        parts=tuple(spec.get("parts", ())),
        minimum=spec["minimum"],
        rule=spec.get("rule"),
        filter=spec.get("filter"),
        meaning="0 to 10, higher is better",
        evidence=spec["evidence"],
        unconfirmed=tuple(unconfirmed),
    )


def _percentages(question: Question) -> Iterator[Measure]:
    """Headline percentages of a question: one, none, or one per option to tick."""
    options: list[tuple[str, str, str, int | None]] = []
    if question.kind == "multi":
        options = [
            (f"{question.id}_{question.scale.ids[code]}", f"{question.code}_{code}", label, code)
            for code, label in question.scale.options.items()
        ]
    elif question.positive:
        options = [(question.id, question.code, "", None)]
    for name, code, option_label, option in options:
        yield Measure(
            id=name,
            code=code,
            label=f"{question.label}: {option_label.lower()}" if option_label else question.label,
            level="question",
            unit="percent",
            direction=question.direction,
            question=question.id,
            option=option,
            meaning=f"% {question.percent_meaning}",
            unconfirmed=(question.unconfirmed,) if question.unconfirmed else (),
        )


def _breakdown(name: str, spec: Mapping[str, Any], questions: Mapping[str, Question]) -> Breakdown | None:
    question = questions.get(spec.get("question", ""))
    if "question" in spec and question is None:
        return None
    groups: Mapping[str, tuple[int, ...]] = {}
    if question and "grouping" in spec:
        groups = question.scale.groups[spec["grouping"]]
    elif question and "codes" in spec:
        groups = {group: tuple(codes) for group, codes in spec["codes"].items()}
    elif question:
        groups = {label: (code,) for code, label in question.scale.options.items()}
    return Breakdown(
        id=name,
        label=spec["label"],
        question=question.id if question else None,
        groups=MappingProxyType(dict(groups)),
        column=spec.get("column"),
        names=tuple(spec.get("names", ())),
        unconfirmed=spec.get("unconfirmed", ""),
    )


def _break(spec: Mapping[str, Any]) -> Break:
    return Break(
        kind=spec["kind"],
        reason=spec["reason"].strip(),
        instead=spec["instead"],
        measures=tuple(spec.get("measures", ())),
        breakdowns=tuple(spec.get("breakdowns", ())),
        organisations=tuple(spec.get("organisations", ())),
        benchmark_groups=tuple(spec.get("benchmark_groups", ())),
        releases=spec.get("releases", False),
        from_period=spec.get("from"),
        to_period=spec.get("to"),
        only=spec.get("only"),
        restated_in=spec.get("restated_in"),
        allowance=MappingProxyType(spec.get("allowance", {})),
        confirmed=spec["confirmed"],
    )


def _yaml(folder: Traversable, name: str) -> Any:
    text = folder.joinpath(name).read_text(encoding="utf-8")
    # The compiled loader is seven times as fast; not every build of PyYAML has it.
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
