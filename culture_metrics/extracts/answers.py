"""From the cells of a question's column to codes, with a count of how each was told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts import labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.files.raw import Missing

#: A column with more different texts is no closed question: the rarest of them are not looked at.
MAX_TEXTS = 10_000
#: Types of codes and the largest number they hold: the smallest that will do is a column's.
WIDTHS = {pl.Int8: (1 << 7) - 1, pl.Int16: (1 << 15) - 1}


@dataclass
class Tally:
    """How many answers of each column were told in which way, and how many could not be read."""

    read_as: dict[str, dict[str, int]] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)

    def count(self, column: str, how: Mapping[str, int], unreadable: int) -> None:
        """Add the counts of a column."""
        for name, rows in how.items():
            if rows and name != labels.PLAIN:
                self.read_as.setdefault(name, {})[column] = rows
        if unreadable:
            self.unreadable[column] = unreadable


@dataclass(frozen=True)
class Texts:
    """The different texts of a column, how often each stands there, and how to swap them."""

    column: pl.Series
    texts: list[str]
    rows: list[int]

    def swap(self, new: Sequence[int | None]) -> pl.Series:
        """Return the column with each text swapped for a code."""
        codes = pl.Series(new, dtype=pl.Int16)
        return self._swap(codes.cast(_width(codes) or pl.Int16))

    def words(self, new: Sequence[int | None], known: Sequence[bool]) -> pl.Series:
        """Return the column as text: codes as digits, and what cannot be read as it stands."""
        told = zip(new, known, self.texts, strict=True)
        digits = [
            (None if code is None else str(code)) if here else text.strip() for code, here, text in told
        ]
        return self._swap(pl.Series(digits, dtype=pl.String))

    def _swap(self, new: pl.Series) -> pl.Series:
        old = pl.Series(self.texts, dtype=pl.String).cast(self.column.dtype)
        if not isinstance(self.column.dtype, pl.Categorical):
            return self.column.replace_strict(old, new, default=None, return_dtype=new.dtype)
        # Each text has a number in the column already: what is new is looked up by it.
        numbers = self.column.to_physical()
        size = int(numbers.max() or 0) + 1  # type: ignore[arg-type]
        table = pl.DataFrame({"number": old.to_physical(), "new": new})
        everything = pl.DataFrame({"number": pl.int_range(size, eager=True).cast(numbers.dtype)})
        found = everything.join(table, on="number", how="left", maintain_order="left")["new"]
        return found.gather(numbers).alias(self.column.name)


def texts_of(column: pl.Series) -> Texts:
    """Find the different texts of a column, the frequent first. Numbers keep their type."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    elif not (column.dtype.is_numeric() or isinstance(column.dtype, pl.Categorical)):
        column = column.cast(pl.String).cast(pl.Categorical(pl.Categories.random()))
    found = column.drop_nulls().value_counts(sort=True, name="rows")
    return Texts(column, found.to_series(0).cast(pl.String).to_list(), found["rows"].to_list())


def read_single(
    column: pl.Series,
    question: Question,
    tally: Tally,
    value_labels: Mapping[str, str],
    missing: Sequence[Missing],
    own: Mapping[str, int | None],
) -> pl.Series:
    """Read the column of a question with one answer: whole numbers, or String where a cell cannot be read.

    `own` are texts that the official spellings do not have, with what they stand for.
    """

    def read(text: str) -> labels.Reading | None:
        return _labelled(text, value_labels, missing, question) or _confirmed(text, own)

    return _read(column, read, tally, plain=not value_labels and not missing)


def read_option(
    column: pl.Series,
    question: Question,
    option: int,
    tally: Tally,
    value_labels: Mapping[str, str],
    own: Mapping[str, int | None],
) -> pl.Series:
    """Read the column of one option of a tick-all-that-apply question: 1 ticked, 0 not ticked."""

    def read(text: str) -> labels.Reading | None:
        text = _plain(text)
        label = value_labels.get(text)
        told = labels.read_tick(label, question, option) if label is not None else None
        if told is not None and told.how == labels.LABEL:
            return labels.Reading(told.code, labels.PLAIN if text == str(told.code) else labels.RELABELLED)
        read = labels.read_tick(text, question, option)
        if read is None and (meant := _confirmed(text, own)) is not None and meant.code in (None, option):
            return labels.Reading(None if meant.code is None else 1, meant.how)
        return read

    return _read(column, read, tally, plain=not value_labels)


def read_all_options(
    column: pl.Series, question: Question, tally: Tally, missing: tuple[int, ...]
) -> list[pl.Series]:
    """Read a tick-all-that-apply question that stands in one column (`1;3`) into a column per option.

    A blank cell is blank in each; a text that cannot be read stands in each, as text.
    """
    texts = texts_of(column)
    read = [
        labels.read_ticks(_plain(text), question, missing) if i < MAX_TEXTS else None
        for i, text in enumerate(texts.texts)
    ]
    how: Counter[str] = Counter()
    for told, rows in zip(read, texts.rows, strict=True):
        if told is not None:
            how[told[1]] += rows
    unread = _unread(texts, [told is not None for told in read])
    columns = []
    for option in question.scale.options:
        ticks = [None if not told or not told[0] else int(option in told[0]) for told in read]
        name = f"{question.code}_{option}"
        known = [told is not None for told in read]
        columns.append((texts.words(ticks, known) if unread else texts.swap(ticks)).alias(name))
        tally.count(name, how, unread)
    return columns


def settle_ticks(answers: dict[str, pl.Series], edition: Edition, missing: Iterable[int]) -> list[str]:
    """Bring options ticked with their own number, or coded 1 yes and 2 no, to 1 and 0.

    Returns
    -------
    list of str
        What was done, in words.
    """
    said = []
    for question in edition.questions.values():
        here = [c for c in question.columns if c in answers and answers[c].dtype.is_integer()]
        if question.kind != "multi" or not here:
            continue
        seen = {c: set(answers[c].drop_nulls().unique().to_list()) - set(missing) for c in here}
        number = {c: int(c.rpartition("_")[2]) for c in here}
        if all(codes <= {0, 1} for codes in seen.values()):
            continue
        if all(codes <= {0, number[c]} for c, codes in seen.items()):
            for c in here:
                answers[c] = answers[c].replace(number[c], 1)
            said.append(f"{question.code}: an option's own number read as ticked")
        elif set().union(*seen.values()) <= {1, 2}:
            for c in here:
                answers[c] = answers[c].replace(2, 0)
            said.append(f"{question.code}: 1 read as ticked and 2 as not ticked")
    return said


def _read(
    column: pl.Series, read: Callable[[str], labels.Reading | None], tally: Tally, *, plain: bool
) -> pl.Series:
    """Read a column text by different text; whole numbers without value labels pass as they are."""
    name = column.name
    if column.dtype.is_decimal():
        column = column.cast(pl.Float64)
    if plain and column.dtype.is_numeric():
        whole = _whole(column)
        if whole is not None:
            return whole
    texts = texts_of(column)
    told = [read(_plain(text)) if i < MAX_TEXTS else None for i, text in enumerate(texts.texts)]
    how: Counter[str] = Counter()
    for reading, rows in zip(told, texts.rows, strict=True):
        if reading is not None:
            how[reading.how] += rows
    known = [reading is not None for reading in told]
    codes = [reading.code if reading is not None else None for reading in told]
    unread = _unread(texts, known)
    tally.count(name, how, unread)
    return texts.words(codes, known) if unread else texts.swap(codes)


def _whole(column: pl.Series) -> pl.Series | None:
    """Return the column in the smallest of `WIDTHS` when every number in it is whole and fits."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
        if not ((column % 1 == 0) | column.is_null()).all():
            return None
    width = _width(column)
    return None if width is None else column.cast(width)


def _width(column: pl.Series) -> type[pl.DataType] | None:
    """Return the smallest type that holds the numbers of a column."""
    if column.dtype == pl.Int8:
        return pl.Int8
    low, high = column.min(), column.max()
    fitting = (
        width
        for width, most in WIDTHS.items()
        if low is None or (low >= -most - 1 and high <= most)  # type: ignore[operator]
    )
    return next(fitting, None)


def _unread(texts: Texts, known: Sequence[bool]) -> int:
    """Count the cells that could not be read."""
    return sum(rows for rows, here in zip(texts.rows, known, strict=True) if not here)


def _plain(text: str) -> str:
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text


def _labelled(
    text: str,
    value_labels: Mapping[str, str],
    missing: Sequence[Missing],
    question: Question,
) -> labels.Reading | None:
    """Read a value of a file that brings its own labels: the label decides, then the value."""
    label = value_labels.get(text)
    code = labels.label_code(label, question.scale) if label is not None else None
    if code is not None:
        return labels.Reading(code, labels.PLAIN if text == str(code) else labels.RELABELLED)
    reading = labels.read_answer(text, question)
    if label is not None and labels.is_blank(label) and reading and reading.code not in question.scale.labels:
        return labels.Reading(None, labels.BLANK)
    declared = any(_is_declared(text, value) for value in missing)
    if declared and (reading is None or reading.code not in question.scale.labels):
        return labels.Reading(None, labels.DECLARED)
    return reading


def _confirmed(text: str, own: Mapping[str, int | None]) -> labels.Reading | None:
    """Read a text that somebody has said the meaning of."""
    key = labels.answer_key(labels.bare(text)) if own else ""
    if key not in own:
        return None
    return labels.Reading(own[key], labels.BLANK if own[key] is None else labels.LABEL)


def _is_declared(text: str, missing: Missing) -> bool:
    if isinstance(missing, str):
        return text == missing
    return text.lstrip("-").replace(".", "", 1).isdigit() and missing[0] <= float(text) <= missing[1]
