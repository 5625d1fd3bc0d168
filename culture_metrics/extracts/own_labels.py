"""Spellings of response options that a file brings along: learnt from an official workbook, or confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import DEFAULT, catalogue
from culture_metrics.errors import ExtractError, unknown
from culture_metrics.extracts.columns import read_name
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.labels import answer_key, bare, label_code
from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.extracts.spelling import can_be_shown, likely_label
from culture_metrics.files.raw import ROW
from culture_metrics.files.workbooks import Workbook
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.catalogue import Edition, Question

    Row = Sequence[str | None]
    #: Question code, question id or scale id -> text -> code (None: no answer).
    Labels = Mapping[str, Mapping[str, int | None]]

#: How official workbooks begin the names of columns of response options.
SHARE = "% "
PROPOSALS = {
    "scale": pl.String, "text": pl.String, "columns": pl.String, "rows": pl.UInt32, "code": pl.Int16,
    "proposal": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class OwnLabels:
    """Texts that stand for codes, by question code: `codes_for` gives those of a question."""

    by_question: Mapping[str, Mapping[str, int | None]]

    def codes_for(self, question: Question) -> Mapping[str, int | None]:
        """Return the code of each text of a question, texts in the form in which they are compared."""
        return self.by_question.get(question.code, {})


def own_labels(labels: Labels | None, edition: Edition) -> OwnLabels:
    """Put confirmed spellings by question, those of a scale to each of its questions.

    Raises
    ------
    UnknownNameError
        When a question or scale does not exist in the edition.
    ExtractError
        When a code is not one of the question.
    """
    found: dict[str, dict[str, int | None]] = {}
    for name, texts in (labels or {}).items():
        questions = _questions(name, edition)
        for question in questions:
            for text, code in texts.items():
                if code is not None and code not in question.scale.labels:
                    raise ExtractError(
                        f"A text of {name} is to stand for {code}, which {question.code} does not have",
                        where="labels=",
                        expected=f"one of {', '.join(map(str, question.scale.labels))}, or None (no answer)",
                    )
                found.setdefault(question.code, {})[answer_key(bare(str(text)))] = code
    return OwnLabels(found)


def _questions(name: str, edition: Edition) -> list[Question]:
    by_scale = [q for q in edition.questions.values() if q.scale.id == name]
    own = [q for q in edition.questions.values() if name in (q.id, q.code)]
    if not (by_scale or own):
        known = [q.code for q in edition.questions.values()]
        raise unknown("question or scale", name, [*known, *{q.scale.id for q in edition.questions.values()}])
    return own or by_scale


def learn_labels(
    workbook: str | Path, year: int | str | None = None, survey: str = DEFAULT
) -> dict[str, dict[str, int | None]]:
    """Learn how an official workbook spells the response options of each question.

    Parameters
    ----------
    workbook : str or Path
        Detailed results as published: the names of questions stand above a row with one column for each
        response option (`% Strongly agree`).
    year : int or str, optional
        Edition of the workbook; told from its titles when left out.
    survey : str
        Id of the survey's catalogue.

    Returns
    -------
    dict
        Question id -> text -> code, as `read_extract` takes it: `labels=learn_labels(workbook)`. A spelling
        the catalogue does not know is learnt where its place among the other options tells the code.

    Raises
    ------
    FileFormatError, ExtractError
        When the file is no workbook, or prints no response options.
    """
    book = Workbook(Path(workbook))
    heads = book.heads()
    edition = _edition(heads.values(), year, survey, book.file)
    found: dict[str, dict[str, int | None]] = {}
    for rows in heads.values():
        for question, texts in _blocks(rows, edition):
            codes = _in_place(texts, question)
            if codes:
                found.setdefault(question.id, {}).update(codes)
    if not found:
        raise ExtractError(
            f"No response options of {edition.period} are printed in the workbook",
            where=book.file,
            expected=f"a row with columns such as '{SHARE}Strongly agree' below the names of questions",
            hint="Give the official workbook with detailed results.",
        )
    return found


def _edition(sheets: Any, year: int | str | None, survey: str, file: str) -> Edition:
    view = catalogue(survey)
    if year is not None:
        return view.edition(str(year))
    titles = " ".join(cell for rows in sheets for row in rows[:3] for cell in row if cell)[:4000]
    said = [period for period in view.periods if period in titles]
    if len(said) != 1:
        raise ExtractError(
            "Which edition the workbook is of cannot be told from its titles",
            where=file,
            got=" and ".join(said) or None,
            hint=f"Say which: year={(said or view.periods)[-1]}.",
        )
    return view.edition(said[0])


def _blocks(rows: Sequence[Row], edition: Edition) -> Iterator[tuple[Question, list[str]]]:
    """Yield each question of a sheet with the options printed below its name."""
    header = next((i for i, row in enumerate(rows) if sum(_is_share(cell) for cell in row) > 1), None)
    if header is None:
        return
    by_code = {q.code: q for q in edition.questions.values()}
    starts = {
        place: by_code[code]
        for row in rows[:header]
        for place, cell in enumerate(row)
        if cell and (code := read_name(cell, edition.survey).code) in by_code
    }
    for place, question in starts.items():
        end = min((p for p in starts if p > place), default=len(rows[header]))
        texts = []
        for cell in rows[header][place:end]:
            if not _is_share(cell):
                break
            texts.append(str(cell).strip()[len(SHARE) :].strip())
        yield question, texts


def _is_share(cell: str | None) -> bool:
    return bool(cell) and str(cell).strip().startswith(SHARE)


def _in_place(texts: Sequence[str], question: Question) -> dict[str, int | None]:
    """Return the code of each text: as known, or by its place where all others stand in theirs."""
    known = [label_code(text, question.scale) for text in texts]
    codes = [*question.scale.options]
    in_order = len(texts) == len(codes) and all(k in (None, c) for k, c in zip(known, codes, strict=True))
    if in_order and any(k is not None for k in known):
        known = [*codes]
    return {text: code for text, code in zip(texts, known, strict=True) if code is not None}


@dataclass(frozen=True, repr=False, eq=False)
class LabelProposals(Output):
    """Texts that no response option is known by.

    Attributes
    ----------
    table : polars.DataFrame
        `scale, text, columns, rows, code, proposal`, the frequent first: texts that stand in rows of at least
        the minimum base, with the option that they are most like, if any. `rows` is null where it would be
        the size of a group, or say that few gave the other answers to a question.
    rare : mapping
        By scale, how many other texts there are.
    """

    table: pl.DataFrame
    rare: Mapping[str, int]

    @property
    def labels(self) -> dict[str, dict[str, int | None]]:
        """The proposals as `read_extract` takes them, to be confirmed."""
        found: dict[str, dict[str, int | None]] = {}
        for scale, text, code in self.table.drop_nulls("code").select("scale", "text", "code").iter_rows():
            found.setdefault(scale, {})[text] = code
        return found

    def summary(self) -> str:
        """Say in plain sentences which texts are not known and what they may be."""
        said = [
            f"'{row['text']}' in {row['columns']}"
            + (f": {row['proposal']} ({row['code']})?" if row["proposal"] else "")
            for row in self.table.iter_rows(named=True)
        ]
        rare = sum(self.rare.values())
        if rare:
            said.append(f"{counted(rare, 'rare text')} not listed")
        return "; ".join(said) + "." if said else "Every text is known."


@verb
def propose_labels(extract: Extract | str | Path, **reading: Any) -> LabelProposals:
    """List the texts of a respondent file that no response option is known by, with what each may be.

    Parameters
    ----------
    extract : Extract, str or Path
        As `read_extract` returns it, before it is validated; or a file.
    **reading
        How to read the file: arguments of `read_extract`.

    Returns
    -------
    LabelProposals
        A likeness decides nothing: confirm, then read with `labels={"agreement": {"Tend to agree": 4}}`.

    Raises
    ------
    FileFormatError, ExtractError
        As in `read_extract`.
    """
    if not isinstance(extract, Extract):
        from culture_metrics.extracts.read import read_extract

        extract = read_extract(extract, **reading)
    edition, frame = extract.edition, extract.frame
    minimum, people = edition.survey.minimum_base, of_groups(edition)
    scales: dict[str, list[str]] = {}
    schema = frame.schema
    for column, question in edition.columns.items():
        if schema.get(column) == pl.String:
            scales.setdefault(question.scale.id, []).append(column)
    rows, rare = [], {}
    for scale, columns in scales.items():
        found = _texts(frame, columns)
        told = found.filter(
            pl.col("rows") >= minimum, pl.Series(map(can_be_shown, found["text"]), dtype=pl.Boolean)
        )
        rare[scale] = found.height - told.height
        # In one column they are answers: how many are left over would be how many gave the others.
        alone = told.filter(pl.col("columns").list.len() == 1).with_columns(pl.col("columns").list.first())
        taken = dict(alone.group_by("columns").agg(pl.col("rows").sum()).iter_rows())
        open_ = {column for column, n in taken.items() if n > frame.height - minimum}
        question = edition.columns[columns[0]]
        for text, n, where in told.iter_rows():
            like = likely_label(text, question.scale.labels.values())
            code = next((c for c, label in question.scale.labels.items() if label == like), None)
            names = ", ".join(where[:4]) + (f" and {len(where) - 4} more" if len(where) > 4 else "")
            rows.append((scale, text, names, None if {*where} & (people | open_) else n, code, like))
    table = pl.DataFrame(rows, schema=PROPOSALS, orient="row").sort("rows", descending=True, nulls_last=True)
    return LabelProposals(table, {scale: n for scale, n in rare.items() if n})


def _texts(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return `text, rows, columns` of what stands in columns and is no number, rows counted once."""
    text = pl.col("text").str.replace_all(r"\s+", " ").str.strip_chars()
    return (
        frame.select(pl.int_range(pl.len()).alias(ROW), *columns)
        .unpivot(columns, index=ROW, variable_name="column", value_name="text")
        .with_columns(text)
        .filter(~pl.col("text").str.contains(r"^[-+]?[\d.,]*$"))
        .group_by("text")
        .agg(pl.col(ROW).n_unique().alias("rows"), pl.col("column").unique().sort().alias("columns"))
        .sort("rows", "text", descending=[True, False])
    )
