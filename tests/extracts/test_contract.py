"""The quick look at an extract says what Pandera says, of clean and of broken ones, whatever the survey."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors
from planting import clean_extract

import culture_metrics as cm
from culture_metrics.catalogue import catalogue, known
from culture_metrics.extracts.schema import allowed_codes, contract_problems, extract_schema, keeps_contract

OWN = Path(__file__).parents[1] / "surveys" / "culture_pulse"
NOT_ON_ANY_SCALE = -128


def editions():
    """Several editions of the surveys of the package, and one of a survey outside it."""
    own = cm.survey(OWN)
    known._OWN.clear()
    nss, pulse = catalogue(), catalogue("national_quarterly_pulse")
    return [
        nss.edition("2021"),
        nss.edition("2025"),
        pulse.edition(pulse.periods[-1]),
        own.edition(own.periods[-1]),
    ]


EDITIONS = editions()


def pandera_says(frame, edition):
    try:
        extract_schema(edition, frame.columns).validate(frame, lazy=True)
    except SchemaErrors:
        return False
    return True


@st.composite
def extracts(draw, edition):
    """Draw an extract with up to four questions, and up to two faults in it."""
    names = draw(st.lists(st.sampled_from([*edition.columns]), min_size=1, max_size=4, unique=True))
    rows = draw(st.integers(0, 6))
    code = {n: st.sampled_from([None, *allowed_codes(edition.columns[n])]) for n in names}
    frame = pl.DataFrame(
        {"respondent": [f"r{i}" for i in range(rows)], "organisation": ["RXX"] * rows}
        | {n: draw(st.lists(code[n], min_size=rows, max_size=rows)) for n in names},
        schema={"respondent": pl.String, "organisation": pl.String} | dict.fromkeys(names, pl.Int8),
    )
    row = pl.int_range(pl.len()) == draw(st.integers(0, 5))
    name, code_of_row = draw(st.sampled_from(names)), draw(st.integers(-3, 12))
    kind = draw(st.sampled_from([pl.Int16, pl.Float64, pl.String]))
    chosen = draw(st.lists(st.integers(0, 6), max_size=2, unique=True))
    faults = {
        "a code that is on no scale": pl.when(row)
        .then(NOT_ON_ANY_SCALE)
        .otherwise(name)
        .cast(pl.Int8)
        .alias(name),
        "any code": pl.when(row).then(code_of_row).otherwise(name).cast(pl.Int8).alias(name),
        "another type": pl.col(name).cast(kind),
        "no organisation": pl.when(~row).then("organisation").alias("organisation"),
        "no respondent": pl.when(~row).then("respondent").alias("respondent"),
        "a respondent twice": pl.when(row).then(pl.lit("r0")).otherwise("respondent").alias("respondent"),
        "ids that are numbers": pl.int_range(pl.len()).alias("respondent"),
    }
    for number in chosen:
        frame = frame.with_columns([*faults.values()][number])
    return frame


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: f"{e.survey.id}-{e.period}")
@settings(derandomize=True, database=None, deadline=None)
@given(data=st.data())
def test_the_quick_look_and_pandera_agree(edition, data):
    frame = data.draw(extracts(edition))
    assert keeps_contract(frame, edition) == pandera_says(frame, edition)
    assert bool(contract_problems(frame, edition)) != pandera_says(frame, edition)


@pytest.mark.parametrize("column", ["respondent", "organisation"])
def test_a_column_that_is_not_there_breaks_it_for_both(column):
    extract = clean_extract(rows=20)
    frame = extract.frame.drop(column)
    assert not keeps_contract(frame, extract.edition)
    assert not pandera_says(frame, extract.edition)


@pytest.mark.parametrize("year", [2021, 2025])
def test_a_whole_clean_extract_keeps_it_for_both(year):
    extract = clean_extract(year, rows=20)
    assert keeps_contract(extract.frame, extract.edition)
    assert pandera_says(extract.frame, extract.edition)
