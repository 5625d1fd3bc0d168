"""Official files mangled as people and programs do: no traceback, and no figure that is another than before."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mangled_books import CHANGES, KINDS, TOTALS, add_row, source, write

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError

KEY = ["period", "organisation", "breakdown", "group"]
#: How many variants; more of them are for runs by hand.
VARIANTS = int(os.environ.get("MANGLED_VARIANTS", "200"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mangled")


def figures(published):
    """Return every figure that is shown: whom and what it is about -> figure and base."""
    results = published.results.table.filter(pl.col("estimate").is_not_null())
    answers = published.distributions.table.filter(pl.col("percent").is_not_null())
    return {
        tuple(row[:-2]): row[-2:]
        for row in (
            *results.select(*KEY, "measure", pl.lit(None), "estimate", "base").rows(),
            *answers.select(*KEY, "question", "option", "percent", "base").rows(),
        )
    }


def attempt(path, organisation):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return cm.read_published(path, organisation), None
        except CultureMetricsError as error:
            assert error.what and (error.hint or error.expected), str(error)
            assert error.where, str(error)
            return None, error


ORIGINAL = {}


def original(kind, folder):
    if kind not in ORIGINAL:
        book = source(kind, folder)
        ORIGINAL[kind] = figures(cm.read_published(write(book, folder), book.organisation))
    return ORIGINAL[kind]


def check(kind, changes, seed, folder):
    book, random, first = source(kind, folder), Random(seed), original(kind, folder)
    if kind == "contractor" and random.random() < 0.5:
        book.ends = ".csv"
    for name in changes:
        CHANGES[name](book, random)
    with tempfile.TemporaryDirectory() as place:
        path = write(book, Path(place))
        found, error = attempt(path, book.organisation)
        if seed % 8 == 0:
            said = cm.inspect_file(path)
            assert any("read_published" in text for text in said.next) == (found is not None), repr(said)
    if found is None:
        return f"refused: {error.what[:40]} {(error.got or '')[:150]}"
    now = figures(found)
    told = (
        repr(found.provenance["left_out"])
        + repr(found.provenance.get("missing"))
        + repr(found.provenance.get("unknown_breakdowns"))
    )
    codes = {m.id: m.code for m in (*found.edition.measures.values(), *found.edition.questions.values())}
    borrowed = found.provenance.get("borrowed_bases", ())
    for key, (figure, base) in now.items():
        if key[2] in book.said:
            assert key[2] in told
            continue
        assert key in first, key
        assert figure == pytest.approx(first[key][0], abs=1e-9), key
        assert base == first[key][1] or f"{codes[key[4]]}_{key[0]}" in borrowed, key
    if not book.loses:
        lost = [key for key in first if key not in now]
        unsaid = [k for k in lost if k[1] not in told and codes.get(k[4], k[4]).lower() not in told.lower()]
        assert unsaid == []
    return "read"


@settings(
    max_examples=VARIANTS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(KINDS),
    st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=3, unique=True),
    st.integers(0, 1 << 30),
)
def test_every_figure_read_is_that_of_the_file(folder, kind, changes, seed):
    check(kind, changes, seed, folder)


@pytest.mark.parametrize("kind", ["organisation", "benchmark", "pulse"])
def test_rows_that_are_no_organisation_are_set_aside_and_named(folder, kind):
    """Every name of a total, an average or a comparator, and every word or number in the place of a code."""
    book = source(kind, folder)
    # England has a row of its own in a pulse workbook, and a second one with other figures is refused.
    totals = [each for each in TOTALS if kind != "pulse" or "England" not in each]
    for code, name in totals:
        add_row(book, code, name)
    found, _ = attempt(write(book, folder), None)
    assert figures(found) == original(kind, folder)
    told = repr(found.provenance["left_out"])
    assert [t for t in totals if not any(f"'{text}'" in told for text in t)] == []
