"""Random extracts with tiny groups: no text of the library names one, nor says a number beside a group.

The names are random words that stand nowhere else, so that finding one in a text proves that it was told.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from culture_metrics import (
    Design,
    check_pair,
    compare_years,
    decompose_change,
    estimate,
    inspect_file,
    rake,
    read_extract,
    replicate,
    save_mapping,
    study,
    synthetic,
    validate,
)
from culture_metrics.cli import app
from culture_metrics.errors import CultureMetricsError

MINIMUM = 11
PEOPLE = 240


def word(rng):
    """Make a word that is in no dictionary."""
    return "".join(rng.choice(list("bcdfgklmnprstvz")) + rng.choice(list("aeiou")) for _ in range(5)).title()


def planted(rng, year):
    """Make an extract whose groups have random names and sizes, some of them 1 to 10; return it and its names.

    Tiny groups are labels of every kind that the check has a rule for: names, misspellings, other cases of a
    large group, words for no group, formulas, and organisations.
    """
    large = {word(rng): 60, word(rng): 50}
    small = {word(rng): int(rng.integers(1, 11)) for _ in range(4)}
    odd = word(rng)
    first = next(iter(large))
    small |= {
        f"={word(rng)}()": 2,
        first.upper(): 3,
        first[:-1] + "qq": int(rng.integers(1, 11)),
        f"n/a {odd}": 4,
    }
    tbc = {"TBC": 5, "Unknown": 7}
    names = [n for n, k in {**large, **small, **tbc}.items() for _ in range(k)]
    names = (names + [first] * PEOPLE)[:PEOPLE]
    organisations = ["RXX"] * PEOPLE
    codes = [f"r{rng.choice(list('bcdfg'))}{rng.integers(10, 99)}" for _ in range(2)]
    organisations[:7] = [codes[0]] * 3 + [codes[1].upper()] * 4
    made = synthetic.respondents(year, respondents_per_organisation=PEOPLE, seed=int(rng.integers(1e6)))
    frame = made.frame.with_columns(
        pl.Series("locality_1", names).shuffle(seed=3), organisation=pl.Series(organisations)
    )
    gender = made.edition.questions["gender"].code
    few = pl.int_range(pl.len()).is_in(range(100, 103))
    frame = frame.with_columns(pl.when(few).then(98).otherwise(gender).cast(pl.Int8).alias(gender))
    words = [name.strip("=()").removeprefix("n/a ") for name in small if name != first.upper()]
    return replace(made, frame=frame), [*words, first.upper(), *tbc, *codes, codes[1].upper()], [*large]


def said_by(call):
    """Return what a call says: warnings, an error, and the texts of what it returns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made = call()
        except CultureMetricsError as error:
            made = error
    texts = [str(warning.message) for warning in caught] + [str(made), repr(made)]
    for form in ("summary", "_repr_html_"):
        with contextlib.suppress(AttributeError, CultureMetricsError):
            texts.append(str(getattr(made, form)()))
    return texts


@pytest.mark.parametrize("seed", range(6))
def test_no_text_names_a_small_group_or_counts_one(seed, tmp_path):
    rng = np.random.default_rng(seed)
    years, tokens, large = [], set(), set()
    for year in (2023, 2024):
        extract, small, big = planted(rng, year)
        path = tmp_path / f"RXX_{year}.csv"
        extract.frame.rename({"locality_1": "Team"}).write_csv(path)
        save_mapping(path, {"Team": "locality_1"})
        years.append(read_extract(path, year=year))
        tokens |= set(small)
        large |= set(big)
    listed = pl.DataFrame({"ods_code": ["RXX"], "predecessor_codes": ["RB1"]})
    checked = [validate(e, organisations=listed, eligible={"RXX": 10}) for e in years]
    own = [replace(c.extract, frame=c.extract.frame.filter(organisation="RXX")) for c in checked]
    results = pl.concat([estimate(e, by=["locality_1"]).table for e in own])
    margins = {"locality_1": dict.fromkeys(own[1].frame["locality_1"].unique().to_list(), 0.0)}
    calls = [
        *(lambda c=c: c for c in checked),
        lambda: check_pair(*checked, organisations=listed),
        *(lambda y=y: inspect_file(tmp_path / f"RXX_{y}.csv") for y in (2023, 2024)),
        lambda: validate(years[0], merge={"locality_1": {"no such": "x"}}),
        lambda: validate(years[0], merge={"locality_1": {name: "x" for name in large}}),
        lambda: study(sorted(tmp_path.glob("*.csv")), by=["locality_1"]),
        lambda: study(sorted(tmp_path.glob("*.csv")), organisation="nobody"),
        lambda: estimate(own[1], by=["ward"]).table,
        lambda: estimate(own[1], by=["locality_1"], weights=rake(own[1], margins)).table,
        lambda: estimate(own[1], design=Design(strata="locality_1", population={})).table,
        lambda: replicate(own[1], by=["locality_1"], draws=20, measures=["morale"]).gap(
            "locality_1", "a", "b"
        ),
        lambda: compare_years(results, 2023, 2024).figure(group="nothing"),
        lambda: compare_years(results, 2023, 2024).notes,
        lambda: decompose_change(*own, "morale", by=["locality_1"]),
        lambda: decompose_change(*(c.extract for c in checked), "morale", by=["locality_1"]),
        lambda: decompose_change(
            *(c.extract for c in checked), "morale", by=["locality_1"], organisation="x"
        ),
    ]
    texts = [text for call in calls for text in said_by(call)]
    for number, check in enumerate(checked):
        check.to_html(tmp_path / f"{number}.html")
        texts += [
            "\n".join(str(row) for row in check.problems.rows()),
            (tmp_path / f"{number}.html").read_text(),
        ]
        for sheet in pl.read_excel(
            check.to_excel(tmp_path / f"{number}.xlsx"), sheet_id=0, has_header=False
        ).values():
            texts.append("\n".join(str(row) for row in sheet.rows()))
    texts += [path.read_text() for path in tmp_path.glob("*.yaml")]
    csv = [str(path) for path in sorted(tmp_path.glob("*.csv"))]
    for call in (["inspect", *csv], ["report", *csv, "--out", str(tmp_path / "out")]):
        texts.append(CliRunner().invoke(app, call).output)
    everything = "\n".join(texts)
    assert [name for name in tokens if re.search(rf"\b{re.escape(name)}\b", everything)] == []
    # The names of large groups are said, and no number stands beside them.
    assert any(name in everything for name in large)
    for name in large:
        assert not re.findall(rf"{name}'? ?\(\d+\)", everything)


def test_a_small_number_of_people_is_said_nowhere():
    """3 of 240 have a code of gender that is on no list, and 4 no group: neither number, nor 237 or 236."""
    made = synthetic.respondents(2024, respondents_per_organisation=PEOPLE)
    gender = made.edition.questions["gender"].code
    row = pl.int_range(pl.len())
    frame = made.frame.with_columns(
        pl.when(row < 3).then(7).when(row < 7).then(None).otherwise(1).cast(pl.Int8).alias(gender),
        pl.when(row < 4).then(pl.lit("Unknown")).otherwise(pl.lit("Ward")).alias("locality_1"),
    )
    report = validate(replace(made, frame=frame))
    own = report.problems.filter(pl.col("column").is_in([gender, "locality_1"]))
    assert own.height >= 2
    assert own["rows"].to_list() == [0] * own.height
    said = " ".join(own.select(pl.concat_str("found", "done", "examples", separator=" ")).to_series())
    assert not re.search(r"\b(3|4|7|233|236|237)\b", said)
    assert "single answers" not in report.summary()
    assert report.quarantine.height == 3  # one by one, for who has the file
    # Faulty rows are counted to the last one.
    twice = validate(replace(made, frame=pl.concat([made.frame, made.frame.head(3)])))
    assert twice.problems.filter(rule="rows that stand twice")["rows"].to_list() == [3]
