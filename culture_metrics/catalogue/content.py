"""What the files of a survey hold: scales, questions, scores and breakdowns that go together."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

import yaml

from culture_metrics.catalogue.form import Files, Mistake, near
from culture_metrics.catalogue.load import CODE_COLUMN, code_column, scores_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EDITIONS, SCALES, MEASURES, BREAKDOWNS = "editions.yaml", "scales.yaml", "measures.yaml", "breakdowns.yaml"
PERIODS = {"year": re.compile(r"(19|20)\d\d"), "quarter": re.compile(r"20\d\d-Q[1-4]")}
ID = re.compile(r"[a-z][a-z0-9_]*")
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*")
#: An answer is one byte in an extract.
LARGEST = 127
#: The one rule of its own that a score may have, and the answers of the question it hangs on.
RULE, YES, NO = "appraisal", 1, 2
#: The level of headline percentages is no level of scores.
RESERVED = "question"
#: Smallest minimum base: two people can work out each other.
LEAST_BASE = 3


def scale_mistakes(read: Files) -> Iterator[Mistake]:
    """Check response scales: codes are numbers, and what is said of codes is said of codes there are."""
    missing = set(read.head.get("missing_codes") or ())
    for name, spec in read.yaml[SCALES].items():
        options, extra = spec["options"], spec.get("extra") or {}
        if len(options) < 2:
            yield read.mistake(
                SCALES, (name, "options"), "a scale has at least two answers", "Add the others."
            )
        for key in ("options", "extra"):
            for code in spec.get(key) or {}:
                if not _is_code(code):
                    found = f"{code!r} cannot be the code of an answer"
                    remedy = f"Codes are whole numbers from 0 to {LARGEST}."
                    yield read.mistake(SCALES, (name, key, code), found, remedy)
                elif code in missing:
                    yield read.mistake(
                        SCALES, (name, key, code), f"{code} stands for no answer in this survey",
                        "Take it out of the scale, or out of missing_codes in editions.yaml.",
                    )  # fmt: skip
        beside = spec.get("beside_scale") or ()
        yield from _codes(read, SCALES, (name, "beside_scale"), beside, {*options, *extra})
        for grouping, groups in (spec.get("groups") or {}).items():
            yield from _groups(read, SCALES, (name, "groups", grouping), groups, {*options})
        yield from _codes(read, SCALES, (name, "ids"), spec.get("ids") or (), {*options})


def edition_mistakes(read: Files) -> Iterator[Mistake]:
    """Check the survey itself, its editions and its breaks."""
    yield from _survey(read)
    editions, cycle = read.yaml[EDITIONS]["editions"], read.head.get("period", "year")
    if not editions:
        yield read.mistake(EDITIONS, ("editions",), "there is no edition", "Add one, as `'2025': {}`.")
    for period, spec in editions.items():
        if not isinstance(period, str) or not PERIODS.get(cycle, ID).fullmatch(period):
            example = "'2025'" if cycle == "year" else "2025-Q1"
            remedy = f"Write it as {example}, in quotation marks."
            yield read.mistake(EDITIONS, ("editions", period), f"{period} is no {cycle}", remedy)
            continue
        for question, scale in (spec.get("scales") or {}).items():
            place = ("editions", period, "scales", question)
            yield from _known(read, EDITIONS, place, "question", question, _ids(read))
            yield from _known(read, EDITIONS, place, "scale", scale, read.yaml[SCALES])
    yield from _columns_of_codes(read)
    yield from _breaks(read)
    yield from _faults(read)
    yield from _impossible(read)
    yield from _defaults(read)


def _survey(read: Files) -> Iterator[Mistake]:
    head = read.head
    low, high = [*head["score_range"], 0, 0][:2]
    if len(head["score_range"]) != 2 or not 0 <= low < high:
        remedy = "Write the lowest and the highest, as [1, 5]."
        yield _head(read, "score_range", "it is no range of scores", remedy)
    for name in ("minimum_base", "published_minimum_base"):
        if head.get(name, LEAST_BASE) < LEAST_BASE:
            yield _head(read, name, f"{head[name]} would show single people", f"Give {LEAST_BASE} or more.")
    if not head["levels"] or RESERVED in head["levels"]:
        remedy = f"Name at least one level of scores; {RESERVED} is that of the percentages."
        yield _head(read, "levels", "these cannot be the levels of scores", remedy)
    if head.get("period", "year") not in PERIODS:
        found = f"'{head['period']}' is no length of a period"
        yield _head(read, "period", found, "Write year or quarter.")
    for level in head.get("flagged_levels") or ():
        yield from _known(read, EDITIONS, ("survey", "flagged_levels"), "level", level, head["levels"])
    if not read.yaml[MEASURES].get("measures"):
        yield Mistake(MEASURES, "", "there is no score", "Add one under `measures:`.")
    if not any(row["positive"] or row["kind"] == "multi" for row in read.rows):
        remedy = "Name the codes that are counted, for one question at least."
        yield Mistake("questions.csv", "column positive", "no question has a headline percentage", remedy)


def _breaks(read: Files) -> Iterator[Mistake]:
    known = {*_ids(read), *(read.yaml[MEASURES].get("measures") or {}), *_options(read)}
    for number, item in enumerate(read.yaml[EDITIONS].get("breaks") or ()):
        for name in item.get("measures") or ():
            where = ("breaks", number, "measures")
            yield from _known(read, EDITIONS, where, "measure or question", name, known)
        for name in item.get("breakdowns") or ():
            where = ("breaks", number, "breakdowns")
            yield from _known(read, EDITIONS, where, "breakdown", name, read.yaml[BREAKDOWNS])
        if not (item.get("releases") or item.get("only") or (item.get("from") and item.get("to"))):
            remedy = "Give `from` and `to`, or `only`."
            yield read.mistake(EDITIONS, ("breaks", number), "it does not say between which years", remedy)


def _faults(read: Files) -> Iterator[Mistake]:
    known = {*_ids(read), *(read.yaml[MEASURES].get("measures") or {}), *_options(read)}
    for number, item in enumerate(read.yaml[EDITIONS].get("faults") or ()):
        for name in item["measures"]:
            where = ("faults", number, "measures")
            yield from _known(read, EDITIONS, where, "measure or question", name, known)


def _impossible(read: Files) -> Iterator[Mistake]:
    by_id = {row["measure"]: row for row in read.rows}
    for place, spec in enumerate(read.head.get("impossible") or ()):
        for name, codes in (pair for each in spec["answers"] for pair in each.items()):
            where = ("survey", "impossible", place, "answers")
            yield from _known(read, EDITIONS, where, "question", name, by_id)
            for scale in _scales_of(read, by_id[name]) if name in by_id else ():
                yield from _codes(read, EDITIONS, where, codes, set(read.yaml[SCALES][scale]["options"]))


def _defaults(read: Files) -> Iterator[Mistake]:
    scores = read.yaml[MEASURES].get("measures") or {}
    percentages = {r["measure"] for r in read.rows if r["positive"]} | _options(read)
    spec = read.head.get("defaults") or {}
    for key, kind, known in (
        ("headline", "score", scores),
        ("score", "score", scores),
        ("question", "headline percentage", percentages),
        ("staff_mix", "breakdown", read.yaml[BREAKDOWNS]),
    ):
        if key in spec:
            yield from _known(read, EDITIONS, ("survey", "defaults", key), kind, spec[key], known)
    for name in spec.get("breakdowns") or ():
        where = ("survey", "defaults", "breakdowns")
        yield from _known(read, EDITIONS, where, "breakdown", name, read.yaml[BREAKDOWNS])
    for name in spec.get("programme") or ():
        where = ("survey", "defaults", "programme")
        yield from _known(read, EDITIONS, where, "measure", name, {*scores, *percentages})


def _columns_of_codes(read: Files) -> Iterator[Mistake]:
    """Check that every edition has codes, each once, and as many questions as it says."""
    periods = [p for p in read.periods if isinstance(p, str)] if _all_text(read) else []
    own = [c.removeprefix(CODE_COLUMN) for c in read.columns if c.startswith(CODE_COLUMN)]
    for period in own:
        if periods and period not in periods:
            found = f"column {CODE_COLUMN}{period} is of no edition"
            yield Mistake(
                "questions.csv", "header", found, f"Add '{period}' to editions.yaml, or take it out."
            )
    for period in periods:
        if min(own) > period:
            remedy = f"Add the column {CODE_COLUMN}{period}."
            yield read.mistake(
                EDITIONS, ("editions", period), "no column of questions.csv has its codes", remedy
            )
            continue
        column = code_column(read.rows, period)
        seen: dict[str, int] = {}
        for number, row in enumerate(read.rows):
            code = row[column].casefold()
            if code and code in seen:
                found = f"{row[column]} is also the code of row {seen[code] + 2}"
                yield read.in_row(number, column, found, "Give each question a code of its own.")
            elif code:
                seen[code] = number
        asked = sum(bool(row[column]) for row in read.rows)
        items = read.yaml[EDITIONS]["editions"][period].get("items", asked)
        if items != asked:
            found = f"questions.csv has {asked} questions for {period}, not {items}"
            remedy = f"Correct the codes in column {column}, or `items`."
            yield read.mistake(EDITIONS, ("editions", period, "items"), found, remedy)


def question_mistakes(read: Files) -> Iterator[Mistake]:
    """Check the rows of questions.csv: names, scales, answers that count, points, filters."""
    seen: dict[str, int] = {}
    for number, row in enumerate(read.rows):
        name = row["measure"]
        if not ID.fullmatch(name):
            remedy = "Use small letters, digits and underscores, a letter first."
            yield read.in_row(number, "measure", f"'{name}' cannot be an id", remedy)
        elif name in seen:
            found = f"row {seen[name] + 2} has the same id"
            yield read.in_row(number, "measure", found, "Give each question an id of its own.")
        elif name in (read.yaml[MEASURES].get("measures") or {}):
            found = "measures.yaml has a score of the same id"
            yield read.in_row(number, "measure", found, "Give one of them another.")
        seen.setdefault(name, number)
        if not row["label"]:
            yield read.in_row(number, "label", "it is empty", "Say in a few words what is asked.")
        for column, known in (
            ("kind", ("", "single", "multi")),
            ("direction", ("", "higher", "lower", "neutral")),
            ("weighted", ("", "yes", "no")),
        ):
            if row[column] not in known:
                found = f"'{row[column]}' is not known"
                yield read.in_row(number, column, found, f"Write {', '.join(filter(None, known))}.")
        yield from _codes_of_question(read, number)
        yield from _answers(read, number)
        yield from _filters(read, number)


def _codes_of_question(read: Files, number: int) -> Iterator[Mistake]:
    row, reserved = read.rows[number], _column_names()
    for column in read.columns:
        code = row[column] if column.startswith(CODE_COLUMN) else ""
        if code and not CODE.fullmatch(code):
            remedy = "Begin with a letter, and use letters, digits, dots, dashes and underscores."
            yield read.in_row(number, column, f"'{code}' cannot be the code of a question", remedy)
        elif code.casefold() in reserved:
            found = f"'{code}' is the name of a column that is no question"
            yield read.in_row(number, column, found, "Give the question another code.")
    for alternative in row["alternative_codes"].split():
        if not re.fullmatch(r"[^:]+:[A-Za-z][^:]*", alternative):
            found = f"'{alternative}' is no edition and code"
            yield read.in_row(number, "alternative_codes", found, "Write it as 2025:q38.")


def _answers(read: Files, number: int) -> Iterator[Mistake]:
    """Check which answers count and what they score, on the scale of every edition."""
    row = read.rows[number]
    scales = _scales_of(read, row)
    if not scales:
        found = f"there is no scale '{row['scale']}' in scales.yaml"
        yield read.in_row(number, "scale", found, near(row["scale"], read.yaml[SCALES]))
        return
    codes: dict[str, tuple[int, ...]] = {}
    for column in ("positive", "out_of_base"):
        numbers = row[column].split()
        if not all(n.isdecimal() for n in numbers):
            found = f"'{row[column]}' are no codes"
            yield read.in_row(number, column, found, "Write codes with spaces between, as 4 5.")
            return
        codes[column] = tuple(map(int, numbers))
    points = _points(read, row)
    if row["score_map"] and points is None:
        found = f"there is no score map '{row['score_map']}' in measures.yaml"
        yield read.in_row(number, "score_map", found, near(row["score_map"], _maps(read)))
    if codes["positive"] and not row["percent_meaning"]:
        remedy = "Say which answers are counted, as 'agree or strongly agree'."
        yield read.in_row(number, "percent_meaning", "it is empty", remedy)
    for name in scales:
        spec = read.yaml[SCALES][name]
        labels = {*spec["options"], *(spec.get("extra") or {})}
        for column, wanted in codes.items():
            odd = [code for code in wanted if code not in labels]
            if odd:
                found = f"the scale {name} has no code {', '.join(map(str, odd))}"
                remedy = f"Its codes are {', '.join(map(str, sorted(labels)))}."
                yield read.in_row(number, column, found, remedy)
        both = set(codes["positive"]) & set(codes["out_of_base"])
        if both:
            found = f"code {', '.join(map(str, both))} is counted, and left out of the base"
            yield read.in_row(number, "positive", found, "Take it out of positive, or of out_of_base.")
        if row["kind"] == "multi" and not set(spec["options"]) <= set(spec.get("ids") or ()):
            found = f"the scale {name} has no ids for its options"
            yield read.in_row(
                number, "scale", found, "Add `ids:`, a short id for every option, to scales.yaml."
            )
        if points is not None:
            yield from _scored(read, number, name, points, codes["positive"])


def _scored(
    read: Files, number: int, scale: str, points: Mapping[int, float], positive: tuple[int, ...]
) -> Iterator[Mistake]:
    """Check points: every answer on the scale has some, and they agree with the direction."""
    row, spec = read.rows[number], read.yaml[SCALES][scale]
    options, beside = spec["options"], set(spec.get("beside_scale") or ())
    lacking = [code for code in options if code not in points and code not in beside]
    if lacking:
        found = f"{row['score_map']} gives no points to {_named(lacking, options)}"
        remedy = "Add them to the score map, or to `beside_scale` of the scale if they are no point of it."
        yield read.in_row(number, "score_map", found, remedy)
    extra = [code for code in points if code not in {*options, *(spec.get("extra") or {})}]
    if extra:
        found = f"{row['score_map']} scores code {', '.join(map(str, extra))}, which the scale {scale} lacks"
        yield read.in_row(number, "score_map", found, "Use another score map, or another scale.")
    good = [value for code, value in points.items() if code in positive]
    rest = [points[c] for c in options if c in points and c not in positive and c not in beside]
    if row["direction"] not in ("higher", "lower"):
        found = "a question that is scored has a better side"
        yield read.in_row(
            number, "direction", found, "Write higher or lower: whether a high percentage is good."
        )
    elif good and rest and (fmean(good) > fmean(rest)) != (row["direction"] == "higher"):
        better = "more" if fmean(good) > fmean(rest) else "no more"
        found = (
            f"{row['direction']} is better, but {row['score_map']} gives the answers that are counted "
            f"{better} points than the others"
        )
        remedy = "Correct the direction, the score map or the codes in positive: a good answer scores more."
        yield read.in_row(number, "direction", found, remedy)


def _filters(read: Files, number: int) -> Iterator[Mistake]:
    """Check the conditions on which a question is asked."""
    row, by_id = read.rows[number], {r["measure"]: r for r in read.rows}
    for condition in filter(None, row["asked_if"].split("|")):
        name, _, codes = condition.partition("=")
        if not re.fullmatch(r"\d+(,\d+)*", codes):
            found = f"'{condition}' is no condition"
            yield read.in_row(number, "asked_if", found, "Write it as question=1,2, several with | between.")
        elif name not in by_id:
            yield read.in_row(number, "asked_if", f"there is no question {name}", near(name, list(by_id)))
        else:
            labels = {c for s in _scales_of(read, by_id[name]) for c in read.yaml[SCALES][s]["options"]}
            odd = [code for code in codes.split(",") if int(code) not in labels]
            if odd:
                remedy = f"Its codes are {', '.join(map(str, sorted(labels)))}."
                yield read.in_row(number, "asked_if", f"{name} has no code {', '.join(odd)}", remedy)


def score_mistakes(read: Files) -> Iterator[Mistake]:
    """Check score maps and scores: parts exist, minimum answers are possible, in every edition."""
    low, high = [*read.head["score_range"], 0, 0][:2]
    for name, points in _maps(read).items():
        for code, value in points.items():
            place = ("score_maps", name, code)
            if not _is_code(code):
                remedy = "Write the code of an answer, a whole number, before the colon."
                yield read.mistake(MEASURES, place, f"{code!r} is no code", remedy)
            if not low <= value <= high:
                found = f"{value:g} points lie outside the score range, {low:g} to {high:g}"
                yield read.mistake(
                    MEASURES, place, found, "Correct the points, or score_range in editions.yaml."
                )
    rules = read.yaml[MEASURES].get("measures") or {}
    for name, spec in rules.items():
        if not ID.fullmatch(str(name)):
            remedy = "Use small letters, digits and underscores, a letter first."
            yield read.mistake(MEASURES, ("measures", name), f"'{name}' cannot be an id", remedy)
        for year in spec.get("from") or {}:
            if year not in read.yaml[EDITIONS]["editions"]:
                found = f"there is no edition {year}"
                remedy = "Write a period of editions.yaml, in quotation marks."
                yield read.mistake(MEASURES, ("measures", name, "from", year), found, remedy)
    if _all_text(read):
        yield from _changes_without_break(read)
    said: set[Mistake] = set()
    for period in read.periods if _all_text(read) else ():
        yield from (m for m in _scores_in(read, rules, period) if not (m in said or said.add(m)))  # type: ignore[func-returns-value]


def _changes_without_break(read: Files) -> Iterator[Mistake]:
    """Report scores that are built otherwise from a year on while no break says that the years differ."""
    rules = read.yaml[MEASURES].get("measures") or {}
    breaks = read.yaml[EDITIONS].get("breaks") or ()
    for before, after in pairwise(read.periods):
        old, new = (scores_in(rules, period) for period in (before, after))
        both = [name for name in new if name in old]
        changed = [
            n for n in both if any({*old[n].get(k, ())} != {*new[n].get(k, ())} for k in ("items", "parts"))
        ]
        for name in both:
            why = next((n for n in (name, *new[name].get("parts", ())) if n in changed), None)
            if why is None or any(_parts_years(item, name, before, after) for item in breaks):
                continue
            found = f"{why} is built otherwise from {after} on, and no break says so of {name}"
            remedy = (
                f"Add to `breaks` in editions.yaml: measures [{name}], from '{before}', to '{after}', kind, "
                "reason and what is comparable instead."
            )
            yield read.mistake(MEASURES, ("measures", name), found, remedy)


def _parts_years(item: Mapping[str, Any], name: str, before: str, after: str) -> bool:
    first, last = item.get("from"), item.get("to")
    touched = name in (item.get("measures") or ())
    return touched and first is not None and last is not None and before <= first and last <= after


def _scores_in(read: Files, rules: Mapping[str, Any], period: str) -> Iterator[Mistake]:
    scores = scores_in(rules, period)
    own = [c for c in read.columns if c.startswith(CODE_COLUMN) and c.removeprefix(CODE_COLUMN) <= period]
    if not own:
        return
    column = max(own)
    asked = {r["measure"]: r for r in read.rows if r[column]}
    codes: dict[str, str] = {}
    for name, spec in scores.items():
        place = ("measures", name)
        items, parts = spec.get("items") or [], spec.get("parts") or []
        if items and parts:
            remedy = "Give `items` (questions) or `parts` (scores)."
            yield read.mistake(MEASURES, place, "it is built of questions and of scores", remedy)
        yield from _known(read, MEASURES, (*place, "level"), "level", spec["level"], read.head["levels"])
        for item in items:
            if item not in _ids(read):
                found = f"there is no question {item} in questions.csv"
                yield read.mistake(MEASURES, (*place, "items"), found, near(item, _ids(read)))
            elif item not in asked:
                found = f"{item} is not asked in {period}: column {column} has no code for it"
                remedy = (
                    f"Say under `from: {{'{period}': …}}` what the score is built of then, or add the code."
                )
                yield read.mistake(MEASURES, (*place, "items"), found, remedy)
            elif not asked[item]["score_map"]:
                found = f"{item} has no score map"
                remedy = "Name one in column score_map of questions.csv."
                yield read.mistake(MEASURES, (*place, "items"), found, remedy)
        for part in parts:
            if part not in scores or part == name:
                remedy = near(part, [k for k in scores if k != name])
                yield read.mistake(
                    MEASURES, (*place, "parts"), f"there is no score {part} in {period}", remedy
                )
            elif scores[part].get("parts"):
                remedy = "Name scores that are built of questions."
                yield read.mistake(MEASURES, (*place, "parts"), f"{part} is built of scores itself", remedy)
        for twice in {n for n in (*items, *parts) if [*items, *parts].count(n) > 1}:
            yield read.mistake(MEASURES, place, f"{twice} stands twice", "Name it once.")
        yield from _minimum(read, place, len(items or parts), spec.get("minimum", 1))
        code = str(spec["code"]).casefold()
        if code in codes:
            found = f"{codes[code]} has the same code, {spec['code']}"
            yield read.mistake(MEASURES, (*place, "code"), found, "Give each score a code of its own.")
        codes[code] = name
        yield from _rule(read, place, spec, asked)


def _minimum(read: Files, place: tuple[str, ...], many: int, least: int) -> Iterator[Mistake]:
    if not 1 <= least <= many:
        beyond = ", which nobody can answer" if least > many else ""
        found = f"at least {least} of {many} are needed{beyond}"
        yield read.mistake(MEASURES, (*place, "minimum"), found, f"Give a number from 1 to {many}.")


def _rule(
    read: Files, place: tuple[str, ...], spec: Mapping[str, Any], asked: Mapping[str, Mapping[str, str]]
) -> Iterator[Mistake]:
    """Check the rule that who did not get to the questions scores nought."""
    rule, gate = spec.get("rule"), spec.get("filter")
    if rule not in (None, RULE):
        yield read.mistake(MEASURES, (*place, "rule"), f"'{rule}' is no rule", f"The one rule is {RULE}.")
    if (rule is None) != (gate is None):
        remedy = f"Give `rule: {RULE}` and `filter:` together: who answers {NO} to the filter scores 0."
        yield read.mistake(MEASURES, place, "a rule needs a filter, and a filter a rule", remedy)
    elif gate is not None and gate not in asked:
        yield read.mistake(
            MEASURES, (*place, "filter"), f"there is no question {gate}", near(gate, list(asked))
        )
    elif gate is not None:
        options = {c for s in _scales_of(read, asked[gate]) for c in read.yaml[SCALES][s]["options"]}
        if not {YES, NO} <= options or read.head["score_range"][0] != 0:
            remedy = f"It asks for a filter with {YES} yes and {NO} no, and for scores from 0."
            yield read.mistake(MEASURES, (*place, "filter"), "the rule cannot be kept", remedy)


def breakdown_mistakes(read: Files) -> Iterator[Mistake]:
    """Check breakdowns: each has a question, or a column, and groups of codes that there are."""
    by_id = {r["measure"]: r for r in read.rows}
    for name, spec in read.yaml[BREAKDOWNS].items():
        question = spec.get("question")
        if not ID.fullmatch(str(name)) or name == "all":
            remedy = "Use small letters, digits and underscores, a letter first; `all` is the whole."
            yield read.mistake(BREAKDOWNS, (name,), f"'{name}' cannot be an id", remedy)
        if (question is None) == (spec.get("column") is None):
            remedy = "Give `question` (its answers are the groups) or `column` (of the respondent file)."
            yield read.mistake(BREAKDOWNS, (name,), "it needs either a question or a column", remedy)
        elif question is None:
            if not ID.fullmatch(spec["column"]):
                found = f"'{spec['column']}' cannot be the name of a column"
                remedy = "Use small letters, digits and underscores; what files write goes into `names`."
                yield read.mistake(BREAKDOWNS, (name, "column"), found, remedy)
        elif question not in by_id:
            found = f"there is no question {question} in questions.csv"
            yield read.mistake(BREAKDOWNS, (name, "question"), found, near(question, list(by_id)))
        else:
            for scale in _scales_of(read, by_id[question]):
                groups = read.yaml[SCALES][scale].get("groups") or {}
                grouping = spec.get("grouping")
                if grouping is not None and grouping not in groups:
                    found = f"the scale {scale} has no groups {grouping}"
                    remedy = (
                        near(grouping, list(groups)) if groups else "Add them under `groups:` in scales.yaml."
                    )
                    yield read.mistake(BREAKDOWNS, (name, "grouping"), found, remedy)
                labels = set(read.yaml[SCALES][scale]["options"])
                yield from _groups(read, BREAKDOWNS, (name, "codes"), spec.get("codes") or {}, labels)


def _groups(
    read: Files, file: str, path: tuple[Any, ...], groups: Mapping[str, list[int]], known: set[int]
) -> Iterator[Mistake]:
    seen: dict[int, str] = {}
    for group, codes in groups.items():
        yield from _codes(read, file, (*path, group), codes, known)
        for code in codes:
            if code in seen:
                found = f"code {code} is in {seen[code]} too"
                yield read.mistake(file, (*path, group), found, "Put every code into one group.")
            seen[code] = group


def _codes(read: Files, file: str, path: tuple[Any, ...], codes: Any, known: set[int]) -> Iterator[Mistake]:
    odd = [code for code in codes if code not in known]
    if odd:
        remedy = f"The codes are {', '.join(map(str, sorted(known, key=str)))}."
        yield read.mistake(file, path, f"the scale has no code {', '.join(map(str, odd))}", remedy)


def _known(
    read: Files, file: str, path: tuple[Any, ...], kind: str, name: str, known: Any
) -> Iterator[Mistake]:
    if name not in known:
        remedy = near(name, list(known)) if known else f"Define the {kind} first."
        yield read.mistake(file, path, f"there is no {kind} {name}", remedy)


def _head(read: Files, key: str, found: str, remedy: str) -> Mistake:
    return read.mistake(EDITIONS, ("survey", key), found, remedy)


def _named(codes: list[int], options: Mapping[int, str]) -> str:
    return ", ".join(f"{code} ({options[code]})" for code in codes)


def _is_code(code: Any) -> bool:
    return isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= LARGEST


def _ids(read: Files) -> list[str]:
    return [row["measure"] for row in read.rows]


def _options(read: Files) -> set[str]:
    """Ids of the percentages of tick-all-that-apply questions."""
    every = (r for r in read.rows if r["kind"] == "multi")
    return {
        f"{row['measure']}_{own}"
        for row in every
        for scale in _scales_of(read, row)
        for own in (read.yaml[SCALES][scale].get("ids") or {}).values()
    }


def _scales_of(read: Files, row: Mapping[str, str]) -> list[str]:
    """Return the scales that a question has in one edition or another, as far as there are such."""
    editions = read.yaml[EDITIONS]["editions"].values()
    own = ((spec.get("scales") or {}).get(row["measure"]) for spec in editions)
    names = dict.fromkeys([row["scale"], *filter(None, own)])
    return [name for name in names if name in read.yaml[SCALES]]


def _maps(read: Files) -> Mapping[str, Mapping[int, float]]:
    return read.yaml[MEASURES].get("score_maps") or {}


def _points(read: Files, row: Mapping[str, str]) -> Mapping[int, float] | None:
    return _maps(read).get(row["score_map"])


def _all_text(read: Files) -> bool:
    return all(isinstance(period, str) for period in read.yaml[EDITIONS]["editions"])


def _column_names() -> set[str]:
    """Names of columns of respondent files that are no questions."""
    text = files("data_schemas").joinpath("extract_columns.yaml").read_text(encoding="utf-8")
    return {name for ours, names in yaml.safe_load(text).items() for name in (ours, *names)}
