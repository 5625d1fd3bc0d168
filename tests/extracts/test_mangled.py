"""An extract mangled in ways that keep its meaning reads to the same table; a changed meaning is counted."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from mangling import EDITION, WRITERS, answers, tables

from culture_metrics import read_extract, synthetic

PEOPLE = synthetic.respondents(2024, respondents_per_organisation=30, seed=11).frame.select(
    "respondent", "organisation", "locality_1", "^q(2|6|10|13|16c|26|28|34).*$"
)
QUESTIONS = answers(PEOPLE)
WANTED = PEOPLE


@settings(max_examples=15, deadline=None)
@given(st.data(), tables(PEOPLE), st.sampled_from(WRITERS))
def test_whatever_keeps_the_meaning_reads_to_the_same_table(data, table, write):
    with tempfile.TemporaryDirectory() as folder:
        extract = read_extract(write(data.draw, table, Path(folder)), year=2024)
    assert set(extract.frame.columns) == {"row", *WANTED.columns}
    different = [c for c in WANTED.columns if not extract.frame[c].equals(WANTED[c])]
    assert different == []
    assert extract.provenance["unreadable"] == {}
    assert extract.provenance["rows"] == PEOPLE.height


@settings(max_examples=15, deadline=None)
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
