"""The files of a survey as they stand: read with the lines of their keys, and checked for form."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml

from culture_metrics.catalogue.load import CODE_COLUMN, LOADER, QUESTION_COLUMNS, WEIGHTING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from importlib.resources.abc import Traversable

QUESTIONS = "questions.csv"
YAML_FILES = ("editions.yaml", "scales.yaml", "measures.yaml", "breakdowns.yaml")
NEEDED_COLUMNS = ("measure", "label", "scale")

#: What may stand in the YAML files: a kind of value, or the keys of a mapping. `*` is any key, `?` marks one
#: that may be left out.
CODES = [int]
SHAPES: Mapping[str, Any] = {
    "editions.yaml": {
        "survey": {
            "label": str, "score_range": [float], "minimum_base": int,
            "levels": {"*": {"label": str, "plural?": str, "leading?": bool}},
            "id?": str, "about?": str, "period?": str, "published_minimum_base?": int,
            "missing_codes?": CODES, "open_ended?": bool, "unweighted_groups?": [str],
            "short_names?": [str], "quarters?": [int], "flagged_levels?": [str],
            "impossible?": [{"rule": str, "found": str, "expected": str, "answers": [{"*": CODES}]}],
            "organisation_weighting?": str, "national_weighting?": str,
            "defaults?": {
                "breakdowns?": [str], "staff_mix?": str, "headline?": str, "score?": str, "question?": str,
                "programme?": [str],
            },
        },
        "editions": {
            "*": {
                "items?": int, "notes?": [str], "scales?": {"*": str}, "scoring_confirmed?": bool,
                "scoring_note?": str, "provisional?": str,
            },
        },
        "faults?": [
            {
                "release": str, "layouts": [str], "measures": [str], "found": str, "remedy": str,
                "shows?": float,
            },
        ],
        "breaks?": [
            {
                "kind": str, "reason": str, "instead?": str, "measures?": [str], "breakdowns?": [str],
                "organisations?": [str], "benchmark_groups?": [str], "releases?": bool, "from?": str,
                "to?": str, "only?": str, "restated_in?": str, "allowance?": {"*": float}, "confirmed?": bool,
            },
        ],
    },
    "scales.yaml": {
        "*": {
            "options": {"*": str}, "extra?": {"*": str}, "beside_scale?": CODES,
            "groups?": {"*": {"*": CODES}}, "ids?": {"*": str},
        },
    },
    "measures.yaml": {
        "score_maps?": {"*": {"*": float}},
        "measures?": {
            "*": {
                "code": str, "label": str, "level": str, "items?": [str], "parts?": [str], "minimum?": int,
                "minimum_confirmed?": bool, "items_confirmed?": bool, "rule?": str, "filter?": str,
                "evidence?": str, "aliases?": [str],
                "from?": {
                    "*": {
                        "code?": str, "label?": str, "level?": str, "items?": [str], "parts?": [str],
                        "minimum?": int, "minimum_confirmed?": bool, "items_confirmed?": bool, "rule?": str,
                        "filter?": str, "evidence?": str,
                    },
                },
            },
        },
    },
    "breakdowns.yaml": {
        "*": {
            "label": str, "question?": str, "grouping?": str, "codes?": {"*": CODES}, "column?": str,
            "names?": [str], "unconfirmed?": str,
        },
    },
    WEIGHTING: {
        "question": str, "cap": float, "denominator": str, "rest": str,
        "groups": {"*": {"label": str, "codes": {"*": CODES}, "apart_in": [str], "known": str}},
        "kinds": {"*": [str]},
        "open?": [{"what": str, "kinds?": [str], "benchmark_groups?": [str], "until?": str}],
    },
}  # fmt: skip
#: How YAML marks a key that is a whole number.
WHOLE = "tag:yaml.org,2002:int"
WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True)
class Mistake:
    """A mistake in a file of a survey: where it stands, what is wrong, and what to do."""

    file: str
    place: str
    found: str
    remedy: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.file, self.place)))
        return f"- {where}: {self.found}. {self.remedy}"


KeyPath = tuple[Any, ...]


@dataclass(frozen=True)
class Files:
    """The files of a survey: `yaml` by name, the rows of questions.csv, and the line of every key."""

    yaml: Mapping[str, Any]
    rows: list[dict[str, str]]
    lines: Mapping[tuple[str, KeyPath], int] = field(repr=False)

    @property
    def head(self) -> Mapping[str, Any]:
        """What editions.yaml says about the survey itself."""
        return self.yaml["editions.yaml"]["survey"]  # type: ignore[no-any-return]

    @property
    def periods(self) -> list[str]:
        """The periods of the editions, in order."""
        return sorted(self.yaml["editions.yaml"]["editions"], key=str)

    @property
    def columns(self) -> list[str]:
        """The columns of questions.csv."""
        return list(self.rows[0]) if self.rows else []

    def mistake(self, file: str, path: KeyPath, found: str, remedy: str) -> Mistake:
        """Make the mistake for a key of a YAML file, with the line nearest to it."""
        for end in range(len(path), 0, -1):
            if (file, path[:end]) in self.lines:
                named = ": ".join(map(str, path))
                return Mistake(file, f"line {self.lines[file, path[:end]]} ({named})", found, remedy)
        return Mistake(file, ": ".join(map(str, path)), found, remedy)

    def in_row(self, row: int, column: str, found: str, remedy: str) -> Mistake:
        """Make the mistake for a cell of questions.csv; rows are counted as a spreadsheet shows them."""
        name = self.rows[row].get("measure") or "no name"
        return Mistake(QUESTIONS, f"row {row + 2} ({name}), column {column}", found, remedy)


def near(name: str, known: Collection[str]) -> str:
    """Say which names there are: the ones that are like it, or the first few.

    Examples
    --------
    >>> near("agrement", ["agreement", "yes_no"])
    'Did you mean agreement?'
    """
    close = get_close_matches(name, known, n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(list(known)[:12])}."


def read_files(folder: Traversable) -> tuple[list[Mistake], Files | None]:
    """Read the files of a survey, and say what is wrong with their form; None where they cannot be read."""
    if not folder.is_dir():
        return [Mistake(folder.name, "", "there is no such folder", "Check the spelling.")], None
    mistakes: list[Mistake] = []
    held: dict[str, Any] = {}
    lines: dict[tuple[str, KeyPath], int] = {}
    names = [*YAML_FILES, *([WEIGHTING] if folder.joinpath(WEIGHTING).is_file() else [])]
    for name in names:
        found, value = read_one_yaml(folder, name, lines)
        mistakes += found
        held[name] = value
    found, rows = _read_rows(folder)
    mistakes += found
    read = Files(held, rows, lines)
    if not mistakes:
        mistakes += [m for name in names for m in shape_mistakes(read, name, held[name], SHAPES[name], ())]
    return mistakes, None if mistakes else read


def _read_text(folder: Traversable, name: str) -> tuple[list[Mistake], str]:
    path = folder.joinpath(name)
    if not path.is_file():
        return [Mistake(name, "", "the file is not there", "data_schemas/README.md says what it holds.")], ""
    try:
        return [], path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        remedy = "Save it as UTF-8 (in Excel: CSV UTF-8)."
        return [Mistake(name, "", "its letters are not in UTF-8", remedy)], ""


def read_one_yaml(
    folder: Traversable, name: str, lines: dict[tuple[str, KeyPath], int]
) -> tuple[list[Mistake], Any]:
    """Read one YAML file, note the lines of its keys in `lines`, and say what is wrong with it as YAML."""
    mistakes, text = _read_text(folder, name)
    if mistakes:
        return mistakes, None
    try:
        tree = yaml.compose(text, Loader=LOADER)
        value = yaml.load(text, Loader=LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        remedy = "Look at indents, colons and quotation marks there."
        return [
            Mistake(name, place, f"it is not YAML ({getattr(error, 'problem', 'unreadable')})", remedy)
        ], None
    twice = [] if tree is None else list(key_lines(name, tree, (), lines))
    return twice, {} if value is None else value


def key_lines(
    file: str, node: yaml.Node, path: KeyPath, lines: dict[tuple[str, KeyPath], int]
) -> Iterator[Mistake]:
    """Note the line of every key, and report keys that stand twice: the last would win without a word."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            own = (*path, int(key.value) if key.tag == WHOLE and key.value.isdecimal() else key.value)
            if (file, own) in lines:
                found = f"{own[-1]} stands twice, first in line {lines[file, own]}"
                yield Mistake(file, f"line {key.start_mark.line + 1}", found, "Keep one of them.")
            lines[file, own] = key.start_mark.line + 1
            yield from key_lines(file, value, own, lines)
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[file, (*path, place)] = item.start_mark.line + 1
            yield from key_lines(file, item, (*path, place), lines)


def _read_rows(folder: Traversable) -> tuple[list[Mistake], list[dict[str, str]]]:
    mistakes, text = _read_text(folder, QUESTIONS)
    if mistakes:
        return mistakes, []
    head, *body = list(csv.reader(text.splitlines())) or [[]]
    head = [name.strip() for name in head]
    known = [*QUESTION_COLUMNS]
    for name in head:
        if head.count(name) > 1:
            mistakes.append(Mistake(QUESTIONS, f"column {name}", "it stands twice", "Keep one of them."))
        elif name not in known and not name.startswith(CODE_COLUMN):
            mistakes.append(Mistake(QUESTIONS, f"column {name}", "it is not known", near(name, known)))
    for name in NEEDED_COLUMNS:
        if name not in head:
            mistakes.append(
                Mistake(QUESTIONS, f"column {name}", "it is missing", "Add it, with a value in every row.")
            )
    if not any(name.startswith(CODE_COLUMN) for name in head):
        remedy = "Add a column such as code_2025 with the codes of the questions in that edition."
        mistakes.append(Mistake(QUESTIONS, "header", "no column has the codes of the questions", remedy))
    for number, cells in enumerate(body, 2):
        if cells and len(cells) != len(head):
            found = f"{len(cells)} cells where the header has {len(head)}"
            remedy = "Put texts with commas in quotation marks, and keep a comma for every empty cell."
            mistakes.append(Mistake(QUESTIONS, f"row {number}", found, remedy))
    if not any(body):
        mistakes.append(Mistake(QUESTIONS, "", "it has no questions", "Add one row for each question."))
    if mistakes:
        return mistakes, []
    empty = dict.fromkeys(QUESTION_COLUMNS, "")
    return [], [empty | dict(zip(head, map(str.strip, cells), strict=True)) for cells in body if cells]


def shape_mistakes(read: Files, file: str, value: Any, shape: Any, path: KeyPath) -> Iterator[Mistake]:
    """Report values of another kind than expected, keys that are not known, and keys that are missing."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            yield read.mistake(file, path, "it is no list", "Write it as [one, two].")
            return
        for place, item in enumerate(value):
            yield from shape_mistakes(read, file, item, shape[0], (*path, place))
    elif isinstance(shape, Mapping):
        yield from _keys(read, file, value, shape, path)
    elif not _is(value, shape):
        yield read.mistake(file, path, f"it is not {WORDS[shape]}", _quoted(value, shape))


def _keys(read: Files, file: str, value: Any, shape: Mapping[str, Any], path: KeyPath) -> Iterator[Mistake]:
    if not isinstance(value, Mapping):
        yield read.mistake(file, path, "it has no keys below it", "data_schemas/README.md shows its form.")
        return
    plain = {name.removesuffix("?"): (name.endswith("?"), form) for name, form in shape.items()}
    for key, item in value.items():
        if "*" in plain:
            yield from shape_mistakes(read, file, item, plain["*"][1], (*path, key))
        elif key in plain:
            if item is not None or not plain[key][0]:
                yield from shape_mistakes(read, file, item, plain[key][1], (*path, key))
        elif not str(key).endswith("_note"):
            yield read.mistake(file, (*path, key), f"the key {key} is not known", near(str(key), list(plain)))
    for key, (may_lack, _) in plain.items():
        if key != "*" and not may_lack and key not in value:
            yield read.mistake(file, path, f"the key {key} is missing", f"Add `{key}:`.")


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _quoted(value: Any, kind: type) -> str:
    if kind is str:
        return "Put it in quotation marks." if value is not None else "Write something there."
    return f"Write {WORDS[kind]}."
