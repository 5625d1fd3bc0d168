"""Mangle an extract in ways that keep its meaning: order, names, spelling of answers, file format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyreadstat
import xlsxwriter
from hypothesis import strategies as st

from culture_metrics.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EDITION = catalogue().edition(2024)
NAMES: list[Callable[[str], str]] = [
    lambda code: code,
    lambda code: code.upper(),
    lambda code: f"Q0{code[1:]}" if len(code) < 4 else code,
    lambda code: f"  {code[:-1]}_{code[-1]} " if code[-1].isalpha() else code,
    lambda code: f"{code} - some words, with a comma; and more",
    lambda code: f"{code.upper()}. Some words?",
]
ANSWERS: dict[str, Callable[[str, str], str]] = {
    "code": lambda code, label: code,
    "padded": lambda code, label: f" {int(code):03d} ",
    "float": lambda code, label: f"{code}.0",
    "comma": lambda code, label: f"{code},00",
    "label": lambda code, label: label,
    "upper": lambda code, label: label.upper(),
    "curly": lambda code, label: label.replace("'", "\u2019"),
    "both": lambda code, label: f"{code} - {label}",
    "after": lambda code, label: f"{label.lower()} ({code})",
    "mixed": lambda code, label: label if int(code) % 2 else code,
}
BLANKS = ["", " ", "-", "NA", "#N/A", "NULL", "."]


def answers(frame: pl.DataFrame) -> list[str]:
    """Return the columns of answers."""
    return [c for c in frame.columns if c in EDITION.columns]


@st.composite
def tables(draw: Any, people: pl.DataFrame) -> pl.DataFrame:
    """Return a table of text: columns in any order, names and answers in any spelling."""
    columns = []
    for name in draw(st.permutations(people.columns)):
        text = people[name].cast(pl.String)
        if name in EDITION.columns:
            question = EDITION.columns[name]
            labels = {str(c): label for c, label in question.scale.labels.items()}
            if question.kind == "multi":
                labels = {"0": "No", "1": draw(st.sampled_from(["Yes", "Ticked"]))}
            how = ANSWERS[draw(st.sampled_from([*ANSWERS]))]
            if question.kind == "multi" and how in (ANSWERS["both"], ANSWERS["after"]):
                how = ANSWERS["label"]
            text = text.replace({code: how(code, label) for code, label in labels.items()})
            text = text.fill_null(draw(st.sampled_from(BLANKS)))
            name = draw(st.sampled_from(NAMES))(name)
        columns.append(text.alias(name))
    return pl.DataFrame(columns)


def to_csv(draw: Any, table: pl.DataFrame, folder: Path) -> Path:
    above = draw(st.sampled_from(["", "A title\n", "\n\nA title; of two\n"]))
    text = table.write_csv(separator=draw(st.sampled_from([",", ";", "\t", "|"])))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    path = folder / "Ärzte 2024.csv"
    path.write_bytes(
        (above + text + draw(st.sampled_from(["", "\n\n"]))).replace("\n", ends).encode(encoding)
    )
    return path


def to_excel(draw: Any, table: pl.DataFrame, folder: Path) -> Path:
    path = folder / "Ärzte 2024.xlsx"
    right, down = draw(st.integers(0, 3)), draw(st.integers(0, 5))
    with xlsxwriter.Workbook(path, {"strings_to_numbers": draw(st.booleans())}) as book:
        before = draw(st.integers(0, 2))
        for i in range(before):
            book.add_worksheet(f"Notes {i}").write(0, 0, "About these data")
        sheet = book.add_worksheet("Daten")
        if down:
            sheet.merge_range(0, 0, 0, 4, "A title")
        for i, row in enumerate([table.columns, *table.rows()]):
            sheet.write_row(i + down + (1 if down else 0), right, row)
        if draw(st.booleans()):
            book.add_worksheet("Codes").write_column(0, 0, ["Question", "q2a", "q25c"])
    return path


def to_parquet(draw: Any, table: pl.DataFrame, folder: Path) -> Path:
    path = folder / "Ärzte 2024.parquet"
    table.write_parquet(path)
    return path


def _plain(table: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return the table under names that SPSS and Stata take, and the labels that say what they are."""
    plain = {name: name if name.isidentifier() else f"V{i}" for i, name in enumerate(table.columns)}
    return table.rename(plain), {plain[name]: name.strip() for name in table.columns}


def to_spss(draw: Any, table: pl.DataFrame, folder: Path) -> Path:
    path = folder / "Ärzte 2024.sav"
    frame, labels = _plain(table)
    pyreadstat.write_sav(frame, str(path), column_labels=labels)
    return path


def to_stata(draw: Any, table: pl.DataFrame, folder: Path) -> Path:
    path = folder / "Ärzte 2024.dta"
    frame, labels = _plain(table)
    pyreadstat.write_dta(frame, str(path), column_labels=labels)
    return path


def to_memory(draw: Any, table: pl.DataFrame, folder: Path) -> Any:
    return draw(st.sampled_from([table, table.lazy(), table.cast(pl.Categorical)]))


WRITERS = [to_csv, to_excel, to_parquet, to_spss, to_stata, to_memory]
