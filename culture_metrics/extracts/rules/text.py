"""Columns of answers that are not whole numbers: numbers kept as text, decimals, dates, words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from culture_metrics.extracts.labels import label_code
from culture_metrics.extracts.rules.discreet import named, of_groups
from culture_metrics.extracts.rules.found import Cells, answer_columns, codes_of
from culture_metrics.extracts.spelling import can_be_shown, likely_label
from culture_metrics.problems import Problem, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.catalogue import Edition, Question

BLANK = ("", "-", ".", "#n/a", "nan", "null", "none", "<na>", "na")
#: Words for no answer; in a question that can be not applicable, for that answer.
NOT_APPLICABLE = "n/a"
#: Kind of a text cell, rule, what was found, what to do.
KINDS = {
    "text": (
        "text where a code belongs",
        "text that is no label of this question",
        "Made missing. Ask for the codes, or say what the texts mean: "
        "read_extract(..., labels={'q25c': {'Tend to agree': 4}}).",
    ),
    "several": (
        "several answers in one cell",
        "two codes in one cell, or a decimal comma",
        "Made missing, as two ticks on a single-choice question are.",
    ),
    "date": (
        "dates where codes belong",
        "dates; Excel turns answers such as 1-2 into dates",
        "Made missing; ask for the codes, or for a file that Excel has not changed.",
    ),
    "error": (
        "error values of Excel",
        "error values such as #REF!",
        "Made missing; ask for a file with values instead of formulas.",
    ),
    "decimal": (
        "decimals where codes belong",
        "numbers with decimals: averages or scores, no answers",
        "Made missing; ask for the answers of each respondent.",
    ),
    "fraction": (
        "fractions where codes belong",
        "fractions or percentages: results of groups, no answers",
        "Made missing; ask for the answers of each respondent.",
    ),
}


def whole_numbers(
    frame: pl.DataFrame, edition: Edition
) -> tuple[pl.DataFrame, list[Cells], list[Problem], int]:
    """Make whole numbers of the columns of answers.

    Returns
    -------
    tuple
        The table with whole numbers where there are any; the answers that are none (`where` is meant for the
        table that was given); notes; and the number of cells that stand for no answer.
    """
    names = [c for c in answer_columns(frame, edition) if not frame[c].dtype.is_integer()]
    made: list[pl.Expr] = []
    cells: list[Cells] = []
    stored: list[str] = []
    switches: list[str] = []
    blanks: dict[str, int] = {}
    for name in names:
        dtype, question = frame[name].dtype, edition.columns[name]
        if dtype == pl.Boolean and _yes_no(question) is not None:
            made.append(_booleans(name, question))
            switches.append(name)
        elif dtype.is_float() or dtype.is_decimal():
            number, found = _numbers(name, frame, edition)
            made.append(number)
            cells += found
        elif dtype.base_type() in (pl.String, pl.Categorical, pl.Enum):
            number, found, blank = _text(name, frame, edition)
            made.append(number)
            cells += found
            if blank:
                blanks[name] = blank
            if not found and frame[name].null_count() < frame.height:
                stored.append(name)
        else:
            kind = "date" if dtype.is_temporal() else "text"
            made.append(pl.lit(None, pl.Int16).alias(name))
            cells += _all_of(name, kind, frame, edition)
    # How many gave no answer to a question that puts people into groups is the size of a group.
    blanks = {name: n for name, n in blanks.items() if name not in of_groups(edition)}
    notes = _notes(stored, switches, blanks)
    return frame.with_columns(made), cells, notes, sum(blanks.values())


def _cells(kind: str, name: str, where: pl.Expr, rows: int, edition: Edition) -> Cells:
    rule, found, done = KINDS[kind]
    return Cells("error", rule, name, where, rows, found, codes_of(edition, name), done)


def _all_of(name: str, kind: str, frame: pl.DataFrame, edition: Edition) -> Iterator[Cells]:
    rows = frame.height - frame[name].null_count()
    if rows:
        yield _cells(kind, name, pl.col(name).is_not_null(), rows, edition)


def _yes_no(question: Question) -> tuple[int, int] | None:
    """Codes of Yes and No where a question has them."""
    if question.kind == "multi":
        return 1, 0
    by_label = {label.casefold(): code for code, label in question.scale.labels.items()}
    return (by_label["yes"], by_label["no"]) if {"yes", "no"} <= set(by_label) else None


def _booleans(name: str, question: Question) -> pl.Expr:
    yes, no = _yes_no(question) or (1, 0)
    return pl.when(pl.col(name)).then(yes).when(~pl.col(name)).then(no).cast(pl.Int16).alias(name)


def _numbers(name: str, frame: pl.DataFrame, edition: Edition) -> tuple[pl.Expr, list[Cells]]:
    number = pl.col(name).cast(pl.Float64).fill_nan(None)
    whole = (number % 1 == 0) & (number.abs() < 10_000)
    kinds = {
        "fraction": number.is_not_null() & ~whole & number.is_between(0, 1),
        "decimal": number.is_not_null() & ~whole & ~number.is_between(0, 1),
    }
    counts = frame.select(where.sum().alias(kind) for kind, where in kinds.items()).row(0, named=True)
    cells = [_cells(kind, name, kinds[kind], n, edition) for kind, n in counts.items() if n]
    return pl.when(whole).then(number).cast(pl.Int16).alias(name), cells


def _text(name: str, frame: pl.DataFrame, edition: Edition) -> tuple[pl.Expr, list[Cells], int]:
    """Read each different text once: there are few of them, however many rows there are."""
    text = pl.col(name).cast(pl.String)
    seen = frame.select(text).to_series().drop_nulls().value_counts(name="n")
    kinds = seen.select(pl.col(name), "n", *_read(name, edition.columns[name]))
    good = kinds.filter(pl.col("kind") == "code")
    number = text.replace_strict(good[name], good["code"], default=None, return_dtype=pl.Int16)
    cells = []
    for kind in KINDS:
        bad = kinds.filter(pl.col("kind") == kind)
        if bad.height:
            where = text.is_in(bad[name].implode())
            cells.append(_cells(kind, name, where, int(bad["n"].sum()), edition))
            if kind == "text":
                cells[-1] = replace(cells[-1], found=_unknown_texts(bad.select(name, "n"), name, edition))
    blank = int(kinds.filter(pl.col("kind") == "blank")["n"].sum())
    return number.alias(name), cells, blank


def _unknown_texts(texts: pl.DataFrame, name: str, edition: Edition) -> str:
    """Name the texts that stand in enough rows, each with what it may mean; count the others."""
    counts = dict(texts.sort("n", name, descending=[True, False]).iter_rows())
    labels = [*edition.columns[name].scale.labels.values()]
    said = {}
    for text, rows in counts.items():
        near = likely_label(text, labels)
        said[f"'{text}'" + (f" (is it '{near}'?)" if near else "")] = rows if can_be_shown(text) else 0
    return f"{KINDS['text'][1]}: {named(said, edition.survey.minimum_base, 8, 'text')}"


def _read(name: str, question: Question) -> tuple[pl.Expr, pl.Expr]:
    """Return the kind of a text and its code."""
    text = pl.col(name).str.strip_chars().str.to_lowercase()
    not_applicable = label_code("not applicable", question.scale)
    blank = (*BLANK, NOT_APPLICABLE) if not_applicable is None else BLANK
    number = text.str.replace(r"^([+-]?\d+),(0*)$", "$1.0").cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    if not_applicable is not None:
        number = pl.when(text == NOT_APPLICABLE).then(not_applicable).otherwise(number)
    whole = (number % 1 == 0) & (number.abs() < 10_000)
    kind = (
        pl.when(text.is_in(blank))
        .then(pl.lit("blank"))
        .when(whole)
        .then(pl.lit("code"))
        .when(number.is_between(0, 1) | text.str.contains(r"^\d+([.,]\d+)?\s*%$"))
        .then(pl.lit("fraction"))
        .when(number.is_not_null())
        .then(pl.lit("decimal"))
        .when(text.str.contains(r"^\d{1,2}(\s*[;,|/&+]\s*\d{1,2})+$") & ~text.str.contains(r"/\d+/"))
        .then(pl.lit("several"))
        .when(text.str.contains(r"^#(ref|value|div/0|name|num|null|spill|calc)"))
        .then(pl.lit("error"))
        .when(
            text.str.contains(
                r"^(\d{1,2}-[a-z]{3}(-\d{2,4})?|[a-z]{3}-\d{2}|\d{4}-\d\d-\d\d.*|\d{1,2}/\d{1,2}/\d{2,4}.*)$"
            )
        )
        .then(pl.lit("date"))
        .otherwise(pl.lit("text"))
    )
    return kind.alias("kind"), pl.when(whole).then(number).cast(pl.Int16).alias("code")


def _notes(stored: list[str], switches: list[str], blanks: dict[str, int]) -> list[Problem]:
    notes = []
    if stored:
        notes.append(
            Problem(
                "note",
                "numbers stored as text",
                f"numbers stored as text in {counted(len(stored), 'column')}",
                "numbers",
                "Read as numbers.",
            )
        )
    if switches:
        notes.append(
            Problem(
                "note",
                "true and false",
                f"true and false in {counted(len(switches), 'column')}",
                "codes",
                "True was read as Yes (or ticked), false as No (or not ticked).",
            )
        )
    if blanks:
        notes.append(
            Problem(
                "note",
                "words for no answer",
                f"words such as N/A or a dash in {counted(len(blanks), 'column')} (answers counted)",
                "blank where there is no answer",
                "Read as no answer.",
                rows=sum(blanks.values()),
            )
        )
    return notes


def no_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """Make missing what is not a number (Excel's empty cells)."""
    floats = frame.select(cs.float()).columns
    return frame.with_columns(pl.col(floats).fill_nan(None)) if floats else frame
