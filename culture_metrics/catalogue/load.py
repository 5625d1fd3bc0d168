"""Read the files of a catalogue: questions, scales, measures, breakdowns and editions of one survey."""

from __future__ import annotations

import csv
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from culture_metrics.catalogue.model import (
    Break,
    Breakdown,
    Defaults,
    Edition,
    Fault,
    Impossible,
    Level,
    Measure,
    Question,
    Scale,
    Survey,
)
from culture_metrics.catalogue.weighting import Weighting, weighting_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    Marginals = Mapping[tuple[str, str], Mapping[int, float]]

#: The compiled loader is seven times as fast; not every build of PyYAML has it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: What a survey may have besides its five files.
WEIGHTING = "weighting.yaml"
#: What a column with the codes of an edition begins with; the other columns of questions.csv.
CODE_COLUMN = "code_"
QUESTION_COLUMNS = (
    "measure", "label", "section", "kind", "scale", "positive", "out_of_base", "percent_meaning",
    "direction", "score_map", "asked_if", "weighted", "alternative_codes", "unconfirmed", "note",
)  # fmt: skip


def read_survey(survey: str, folder: Traversable, own: Path | None = None) -> Survey:
    """Read the catalogue of a survey from its folder.

    Parameters
    ----------
    survey : str
        Id of the survey.
    folder : Traversable
        Where its files lie; `checks` says what is wrong with them.
    own : Path, optional
        The same folder, of a survey outside the package.

    Notes
    -----
    What changes with a year holds from that year on: the lists and the rules of an edition are the newest up
    to its period, and the code of a question is that of the newest column `code_...` up to it.
    """
    rows, marginals = read_questions(folder), {} if own else read_marginals(folder)
    editions, measures = read_yaml(folder, "editions.yaml"), read_yaml(folder, "measures.yaml")
    scales = {name: _scale(name, spec) for name, spec in read_yaml(folder, "scales.yaml").items()}
    head, rules = editions["survey"], measures.get("measures") or {}
    maps = measures.get("score_maps") or {}
    view = Survey(
        id=survey,
        label=head["label"],
        about=head.get("about", ""),
        cycle=head.get("period", "year"),
        score_range=(float(head["score_range"][0]), float(head["score_range"][1])),
        levels=MappingProxyType({name: _level(name, spec) for name, spec in head["levels"].items()}),
        defaults=_defaults(head.get("defaults") or {}),
        minimum_base=head["minimum_base"],
        written_minimum=head.get("published_minimum_base", head["minimum_base"]),
        missing_codes=tuple(head.get("missing_codes", ())),
        unweighted_groups=tuple(head.get("unweighted_groups", ())),
        open_ended=head.get("open_ended", False),
        breaks=tuple(map(_break, editions.get("breaks") or ())),
        faults=tuple(map(_fault, editions.get("faults") or ())),
        quarters=tuple(f"Q{number}" for number in head.get("quarters", (1, 2, 3, 4))),
        flagged=tuple(head.get("flagged_levels", ())),
        impossible=tuple(map(_impossible, head.get("impossible", ()))),
        short_names=tuple(head.get("short_names", ())),
        aliases=MappingProxyType(
            {alias.casefold(): name for name, spec in rules.items() for alias in spec.get("aliases", ())}
        ),
        folder=own,
        weighting=_weighting(folder),
    )
    breakdowns = read_yaml(folder, "breakdowns.yaml") or {}
    lists: dict[str, str] = {}
    for period, spec in sorted(editions["editions"].items()):
        lists |= spec.get("scales", {})
        codes = code_column(rows, period)
        questions = {
            row["measure"]: _question(row, row[codes], period, scales, lists, maps, marginals)
            for row in rows
            if row[codes]
        }
        view._editions[period] = Edition(
            survey=view,
            period=period,
            questions=MappingProxyType(questions),
            measures=MappingProxyType(
                {
                    **{k: _score(k, m, view) for k, m in scores_in(rules, period).items()},
                    **{m.id: m for q in questions.values() for m in _percentages(q)},
                }
            ),
            breakdowns=MappingProxyType(
                {k: b for k, s in breakdowns.items() if (b := _breakdown(k, s, questions))}
            ),
            notes=tuple(spec.get("notes", ())),
            scoring_confirmed=spec.get("scoring_confirmed", True),
            scoring_note=spec.get("scoring_note", ""),
            provisional=spec.get("provisional", ""),
        )
    return view


def read_questions(folder: Traversable) -> list[dict[str, str]]:
    """Read questions.csv: one row per question; a cell or a column that is not there is empty."""
    text = folder.joinpath("questions.csv").read_text(encoding="utf-8-sig")
    rows = csv.DictReader(text.splitlines())
    return [
        dict.fromkeys(QUESTION_COLUMNS, "") | {k: (v or "").strip() for k, v in row.items()} for row in rows
    ]


def read_marginals(folder: Traversable) -> Marginals:
    """Read usual percentages by (question, scale) and option, from marginals.csv where a survey has it.

    The scale is empty where the question has one list in every edition.
    """
    path = folder.joinpath("marginals.csv")
    lines = path.read_text(encoding="utf-8-sig").splitlines() if path.is_file() else []
    found: dict[tuple[str, str], dict[int, float]] = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        found.setdefault((row["question"], row["scale"]), {})[int(row["option"])] = float(row["percent"])
    return found


def read_yaml(folder: Traversable, name: str) -> Any:
    """Read a YAML file of a catalogue."""
    text = folder.joinpath(name).read_text(encoding="utf-8-sig")
    return yaml.load(text, Loader=LOADER)


def code_column(rows: list[dict[str, str]], period: str) -> str:
    """Return the column that has the codes of an edition: its own, or that of the newest one before.

    Examples
    --------
    >>> code_column([{"measure": "pay", "code_2023": "q1", "code_2025": "q2"}], "2024")
    'code_2023'
    """
    own = [c for c in rows[0] if c.startswith(CODE_COLUMN) and c.removeprefix(CODE_COLUMN) <= period]
    return max(own)


def scores_in(rules: Mapping[str, Any], period: str) -> dict[str, Mapping[str, Any]]:
    """Return the rules of the scores that a period has: those that are built of something then."""
    then = {name: spec_from(spec, period) for name, spec in rules.items()}
    return {name: spec for name, spec in then.items() if spec.get("items") or spec.get("parts")}


def spec_from(spec: Mapping[str, Any], period: str) -> Mapping[str, Any]:
    """Return the rules of a score in a period: what `from` says holds from that year on.

    Examples
    --------
    >>> spec_from({"minimum": 3, "from": {"2025": {"minimum": 2}}}, "2026")["minimum"]
    2
    """
    for year, changes in sorted((spec.get("from") or {}).items()):
        spec = {**spec, **(changes if year <= period else {})}
    return spec


def _weighting(folder: Traversable) -> Weighting | None:
    return weighting_of(read_yaml(folder, WEIGHTING)) if folder.joinpath(WEIGHTING).is_file() else None


def _level(name: str, spec: Mapping[str, Any]) -> Level:
    label = spec["label"]
    plural = spec.get("plural", f"{label.lower()}s")
    return Level(id=name, label=label, plural=plural, leading=spec.get("leading", False))


def _impossible(spec: Mapping[str, Any]) -> Impossible:
    answers = ({name: tuple(codes) for name, codes in each.items()} for each in spec["answers"])
    return Impossible(spec["rule"], spec["found"], spec["expected"], tuple(answers))


def _defaults(spec: Mapping[str, Any]) -> Defaults:
    one = {name: spec.get(name) for name in ("staff_mix", "headline", "score", "question")}
    return Defaults(
        breakdowns=tuple(spec.get("breakdowns", ())), programme=tuple(spec.get("programme", ())), **one
    )


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
    own_code: str,
    period: str,
    scales: Mapping[str, Scale],
    own_scales: Mapping[str, str],
    score_maps: Mapping[str, Mapping[int, float]],
    marginals: Marginals,
) -> Question:
    conditions = (c.split("=") for c in row["asked_if"].split("|") if c)
    alternatives = (a.split(":") for a in row["alternative_codes"].split())
    scale = scales[own_scales.get(row["measure"], row["scale"])]
    return Question(
        id=row["measure"],
        code=own_code,
        label=row["label"],
        section=row["section"],
        kind=row["kind"] or "single",
        scale=scale,
        positive=_numbers(row["positive"]),
        out_of_base=_numbers(row["out_of_base"]),
        percent_meaning=row["percent_meaning"],
        direction=row["direction"] or "neutral",
        score_map=MappingProxyType(score_maps[row["score_map"]]) if row["score_map"] else None,
        asked_if=tuple((name, _numbers(codes, ",")) for name, codes in conditions),
        weighted=row["weighted"] == "yes",
        alternatives=tuple(code for year, code in alternatives if year <= period),
        unconfirmed=row["unconfirmed"],
        note=row["note"],
        usual=MappingProxyType(_usual(row, scale, marginals)),
    )


def _usual(row: Mapping[str, str], scale: Scale, marginals: Marginals) -> dict[int, float]:
    percent = marginals.get((row["measure"], scale.id)) or marginals.get((row["measure"], ""), {})
    if not percent or row["kind"] == "multi" or not set(percent) <= set(scale.labels):
        return {}
    total = sum(percent.values())
    return {code: percent.get(code, 0.0) / total for code in scale.options}


def _score(name: str, spec: Mapping[str, Any], survey: Survey) -> Measure:
    unconfirmed = []
    if not spec.get("minimum_confirmed", True):
        unconfirmed.append(f"That {spec.get('minimum', 1)} are needed. {spec.get('evidence', '')}")
    if not spec.get("items_confirmed", True):
        unconfirmed.append(f"Which questions it is built from. {spec.get('evidence', '')}")
    return Measure(
        id=name,
        code=spec["code"],
        label=spec["label"],
        level=spec["level"],
        unit="score",
        direction="higher",
        scale=survey.score_range,
        items=tuple(spec.get("items", ())),
        parts=tuple(spec.get("parts", ())),
        minimum=spec.get("minimum", 1),
        rule=spec.get("rule"),
        filter=spec.get("filter"),
        meaning=f"{survey.range_words}, higher is better",
        evidence=spec.get("evidence", ""),
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
            scale=(0.0, 100.0),
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


def _fault(spec: Mapping[str, Any]) -> Fault:
    return Fault(
        release=spec["release"],
        layouts=tuple(spec["layouts"]),
        measures=tuple(spec["measures"]),
        found=spec["found"],
        remedy=spec["remedy"],
        shows=spec.get("shows"),
    )


def _break(spec: Mapping[str, Any]) -> Break:
    return Break(
        kind=spec["kind"],
        reason=spec["reason"].strip(),
        instead=spec.get("instead", ""),
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
        confirmed=spec.get("confirmed", True),
    )
