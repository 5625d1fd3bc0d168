"""An extract mangled in ways that keep its meaning reads to the same table; a changed meaning is counted."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pyreadstat
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from culture_metrics import read_extract, synthetic
from culture_metrics.catalogue import catalogue

EDITION = catalogue().edition(2024)
PEOPLE = synthetic.respondents(2024, respondents_per_organisation=30, seed=11).frame.select(
    "respondent", "organisation", "locality_1", "^q(2|6|10|13|16c|26|28|34).*$"
)
QUESTIONS = [c for c in PEOPLE.columns if c in EDITION.columns]
WANTED = PEOPLE.cast({c: pl.Int16 for c in QUESTIONS})

NAMES = [
    lambda code: code,
    lambda code: code.upper(),
    lambda code: f"Q0{code[1:]}" if len(code) < 4 else code,
    lambda code: f"  {code[:-1]}_{code[-1]} " if code[-1].isalpha() else code,
    lambda code: f"{code} - some words, with a comma; and more",
    lambda code: f"{code.upper()}. Some words?",
]
ANSWERS = {
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


@st.composite
def tables(draw):
    """Return a table of text: columns in any order, names and answers in any spelling."""
    columns = []
    for name in draw(st.permutations(PEOPLE.columns)):
        text = PEOPLE[name].cast(pl.String)
        if name in QUESTIONS:
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


def to_csv(draw, table, folder):
    above = draw(st.sampled_from(["", "A title\n", "\n\nA title; of two\n"]))
    text = table.write_csv(separator=draw(st.sampled_from([",", ";", "\t", "|"])))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    path = folder / "Ärzte 2024.csv"
    path.write_bytes(
        (above + text + draw(st.sampled_from(["", "\n\n"]))).replace("\n", ends).encode(encoding)
    )
    return path


def to_excel(draw, table, folder):
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


def to_parquet(draw, table, folder):
    path = folder / "Ärzte 2024.parquet"
    table.write_parquet(path)
    return path


def to_spss(draw, table, folder):
    path = folder / "Ärzte 2024.sav"
    plain = {name: name if name in PEOPLE.columns else f"V{i}" for i, name in enumerate(table.columns)}
    labels = {plain[name]: name.strip() for name in table.columns}
    pyreadstat.write_sav(table.rename(plain), str(path), column_labels=labels)
    return path


def to_memory(draw, table, folder):
    return draw(st.sampled_from([table, table.lazy(), table.cast(pl.Categorical)]))


@settings(max_examples=30, deadline=None)
@given(st.data(), tables(), st.sampled_from([to_csv, to_excel, to_parquet, to_spss, to_memory]))
def test_whatever_keeps_the_meaning_reads_to_the_same_table(data, table, write):
    with tempfile.TemporaryDirectory() as folder:
        extract = read_extract(write(data.draw, table, Path(folder)), year=2024)
    assert set(extract.frame.columns) == {"row", *WANTED.columns}
    different = [c for c in WANTED.columns if not extract.frame[c].equals(WANTED[c])]
    assert different == []
    assert extract.provenance["unreadable"] == {}
    assert extract.provenance["rows"] == PEOPLE.height


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([c for c in QUESTIONS if not c.startswith("q16c")]),
        st.sets(st.integers(0, PEOPLE.height - 1), min_size=1),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["rather", "4.5", "?", "Agree!ish", "1;2", "70000", "n/a n/a"]),
    st.booleans(),
)
def test_every_answer_that_cannot_be_read_is_counted_and_kept(spoilt, text, as_labels):
    table = PEOPLE.cast(pl.String)
    if as_labels:
        labels = {c: {str(k): v for k, v in EDITION.columns[c].scale.labels.items()} for c in QUESTIONS}
        table = table.with_columns(
            pl.col(c).replace(labels[c]) for c in QUESTIONS if not c.startswith("q16c")
        )
    at = pl.int_range(pl.len())
    table = table.with_columns(
        pl.when(at.is_in(sorted(rows))).then(pl.lit(text)).otherwise(pl.col(c)).alias(c)
        for c, rows in spoilt.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        table.write_csv(Path(folder) / "x.csv")
        extract = read_extract(Path(folder) / "x.csv", year=2024)
    assert extract.provenance["unreadable"] == {c: len(rows) for c, rows in spoilt.items()}
    for column in QUESTIONS:
        if column not in spoilt:
            assert extract.frame[column].equals(WANTED[column])
            continue
        kept = [text if i in spoilt[column] else v for i, v in enumerate(PEOPLE[column].cast(pl.String))]
        assert extract.frame[column].to_list() == kept
