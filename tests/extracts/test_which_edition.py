"""The year of a file: what is asked for, what its name and columns say, and what is said when they differ."""

from __future__ import annotations

import polars as pl
import pytest
from planting import clean_extract, problem, rules, serious

from culture_metrics import read_extract, validate
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ExtractError, UnknownNameError
from culture_metrics.study.inspect import inspect_file


def write(folder, name, year=2024, **renamed):
    path = folder / name
    clean_extract(year).frame.rename(renamed).write_csv(path)
    return path


def refusal(path, **options) -> ExtractError:
    with pytest.raises(ExtractError) as caught:
        read_extract(path, **options)
    return caught.value


def test_a_year_that_name_and_columns_speak_against_is_refused(tmp_path):
    """A file of 2023 has no column that 2024 does not have: the codes alone would let it pass."""
    found = refusal(write(tmp_path, "good_2023.csv", 2023), year=2024)
    assert found.what == "The file is of 2023, by its name and by its columns, and 2024 was asked for"
    assert found.got == "every question of 2023; no column for q24f"
    assert found.hint.startswith("Give year=2023.")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("export.csv", "2024 was asked for, but every question of 2023 is there and q24f of 2024 is not."),
        ("x_2022.csv", "2024 was asked for, but the file's name says 2022."),
    ],
)
def test_a_year_that_one_of_them_speaks_against_is_warned_of(tmp_path, name, said):
    extract = read_extract(write(tmp_path, name, 2023), year=2024)
    assert extract.provenance["doubt"] == said
    found = problem(validate(extract), "maybe another year")
    assert (found["severity"], found["done"][: len(said)]) == ("warning", said)


@pytest.mark.parametrize("name", ["good_2024.csv", "export.csv", "sent 2025 for 2024.csv"])
def test_the_right_year_meets_no_doubt_whatever_the_name(tmp_path, name):
    """Every question of 2024 and no other is there: a date in the name says nothing against it."""
    extract = read_extract(write(tmp_path, name), year=2024)
    assert extract.provenance["doubt"] is None
    assert "maybe another year" not in rules(validate(extract))


def test_a_column_that_says_the_year_is_believed(tmp_path):
    path = tmp_path / "good_2023.csv"
    clean_extract(2023).frame.with_columns(year=pl.lit(2024)).write_csv(path)
    assert read_extract(path).provenance["doubt"] is None


def test_the_hint_names_the_year_of_the_name_or_every_year_that_fits(tmp_path):
    assert "Give year=2024 if" in refusal(write(tmp_path, "good_2024.csv"), year=2023).hint
    since = [f"year={e.period}" for e in catalogue() if e.period >= "2024" and not e.provisional]
    assert refusal(write(tmp_path, "x.csv"), year=2023).hint == f"Check the year: give {' or '.join(since)}."


def test_a_column_with_the_wrong_year_is_named(tmp_path):
    path = tmp_path / "good_2024.csv"
    clean_extract(2024).frame.with_columns(pl.lit("2023").alias("Survey year")).write_csv(path)
    assert (
        refusal(path).hint == "The column 'Survey year' says 2023: correct it if the file is of another year."
    )


def test_a_file_that_is_nearly_an_edition_says_which_and_what_is_missing(tmp_path):
    path = write(tmp_path, "x.csv", q2a="qq2a")
    found = refusal(path)
    assert found.what == "The year cannot be told for sure: the columns are those of 2024, with q2a missing"
    assert found.hint == (
        "Is 'qq2a' meant to be q2a? Then rename it. Say which year it is: year=2024, if that is so."
    )
    seen = inspect_file(path)
    assert (seen.edition, seen.sure) == ("2024", "unsure")
    assert "it has all questions of 2024 but q2a" in seen.reasons


def test_a_strange_code_does_not_hide_the_edition(tmp_path):
    found = refusal(write(tmp_path, "x.csv", q2a="q2z"))
    assert found.what.endswith("those of 2024, with q2a missing and q2z not among them")
    assert found.hint == "Say which year it is: year=2024, if that is so."


def test_a_misspelled_question_is_a_warning_that_names_it(tmp_path):
    report = validate(read_extract(write(tmp_path, "x.csv", q2a="qq2a", locality_2="Shoe size"), year=2024))
    found = problem(report, "columns that may be misspelled")
    assert (found["severity"], found["done"]) == (
        "warning",
        "Left out: qq2a (is it q2a?). If so, rename it in the file.",
    )
    assert "Shoe size" in problem(report, "unknown columns")["found"]
    assert serious(report) == {"columns that may be misspelled", "missing questions"}


def test_a_year_without_an_edition_gets_the_years_there_are(tmp_path):
    with pytest.raises(UnknownNameError) as caught:
        read_extract(write(tmp_path, "x.csv"), year=2099)
    first, *_, last = catalogue().periods
    assert caught.value.hint == f"Known: {first} to {last}."
