"""A file of the pulse survey is never taken for one of the annual survey: what `inspect` says, readers do."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from planting import clean_extract, problem

import culture_metrics as cm
import data_schemas
from culture_metrics import check_pair, read_extract, read_published, synthetic, validate
from culture_metrics.catalogue import catalogue, known
from culture_metrics.errors import ExtractError, FileFormatError, InputWarning
from culture_metrics.extracts.read import periods_in
from culture_metrics.reporting.report import report
from culture_metrics.study.inspect import inspect_file
from culture_metrics.study.read import study

PULSE, ANNUAL = "national_quarterly_pulse", "nss_england"
NINE = [question.code for question in catalogue(PULSE).edition("2024-Q1").questions.values()]


@pytest.fixture(scope="module")
def pulse():
    return synthetic.respondents("2024-Q1", respondents_per_organisation=60, survey=PULSE).frame


def written(folder, frame, name="export.csv"):
    path = folder / name
    frame.write_csv(path)
    return path


def refusal(path, **options):
    with pytest.raises(ExtractError) as caught:
        read_extract(path, **options)
    return caught.value


@pytest.mark.parametrize(
    ("name", "column", "year", "quarter"),
    [
        ("pulse 2024-Q1.csv", None, None, "2024-Q1"),
        ("RXX_202425Q2.csv", None, None, "2024-Q2"),
        ("Q4 2024-25.csv", None, None, "2024-Q4"),
        ("export.csv", "2024-Q2", None, "2024-Q2"),
        ("export.csv", None, "2023-Q1", "2023-Q1"),
        ("export.csv", "2024", "2024-Q1", "2024-Q1"),
        ("RXX_2024.csv", None, "2024-Q1", "2024-Q1"),
    ],
)
def test_a_pulse_file_is_read_as_the_pulse_survey_of_its_quarter(
    tmp_path, pulse, name, column, year, quarter
):
    frame = pulse if column is None else pulse.with_columns(year=pl.lit(column))
    path = written(tmp_path, frame, name)
    extract = read_extract(path, year=year)
    assert (extract.survey, extract.period, extract.frame.height) == (PULSE, quarter, 60)
    assert extract.provenance["survey_doubt"] is None
    assert validate(extract).problems.filter(severity="error").is_empty()
    if year is None:
        found = inspect_file(path)
        assert (found.survey, found.edition, found.sure, found.problems) == (PULSE, quarter, "sure", ())
        assert periods_in(path) == (quarter,)
        data = study([path])
        assert (data.edition.survey.id, data.year) == (PULSE, quarter)


@pytest.mark.parametrize(("name", "column", "dropped"), [
    ("export.csv", None, []), ("RXX_2024.csv", None, []), ("x.csv", "2024", []), ("RXX_2024.csv", None, ["q2b", "q25d"]),
])  # fmt: skip
def test_where_survey_or_quarter_cannot_be_told_both_are_asked_for(tmp_path, pulse, name, column, dropped):
    frame = pulse.drop(dropped)
    path = written(tmp_path, frame if column is None else frame.with_columns(year=pl.lit(column)), name)
    error = refusal(path)
    assert "National Quarterly Pulse Survey" in error.what
    assert "year='2024-Q1'" in error.hint
    found = inspect_file(path)
    assert (found.survey, found.edition) == (PULSE, None)
    assert f"{error.what}. {error.hint}" in found.problems
    for reader in (
        lambda: study([path]),
        lambda: report([path], tmp_path / "out"),
        lambda: periods_in(path),
    ):
        with pytest.raises(ExtractError) as caught:
            reader()
        assert caught.value.what == error.what
    # The remedies that the error names are true.
    asked = read_extract(path, year="2024-Q1")
    assert (asked.survey, asked.period) == (PULSE, "2024-Q1")
    whole = frame.with_columns(q3a=pl.lit(None, pl.Int8))
    assert read_extract(written(tmp_path, whole, "other.csv"), year=2024).survey == ANNUAL


def test_a_year_given_for_nine_questions_settles_nothing(tmp_path, pulse):
    error = refusal(written(tmp_path, pulse), year=2024)
    assert "2024 is no quarter of it" in error.what
    assert f"name '{ANNUAL}' to read_extract" in error.hint


def test_a_survey_that_the_columns_speak_against_is_warned_of_or_refused(tmp_path, pulse):
    path = written(tmp_path, pulse)
    extract = read_extract(path, survey=ANNUAL, year=2024)
    told = problem(validate(extract), "maybe another survey")
    assert told["severity"] == "warning"
    assert "the columns are those of the National Quarterly Pulse Survey" in told["done"]
    quarterly = written(tmp_path, pulse.with_columns(year=pl.lit("2024-Q1")), "quarter.csv")
    error = refusal(quarterly, survey=ANNUAL)
    assert "2024-Q1 is a quarter of it; the NHS Staff Survey, England was asked for" in error.what
    assert error.hint == f"Read it with survey='{PULSE}', or leave survey= out."
    annual = written(tmp_path, clean_extract().frame, "annual.csv")
    error = refusal(annual, survey=PULSE, year="2024-Q1")
    assert error.what.startswith("The columns are those of the NHS Staff Survey, England")
    assert f"survey='{ANNUAL}'" in error.hint
    assert read_extract(annual, year=2024).survey == ANNUAL


def test_a_few_questions_that_both_surveys_have_are_of_the_annual_one(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,ODS,q2a,q25c\n1,RXX,4,5\n")
    assert read_extract(path, year=2024).survey == ANNUAL
    assert read_extract(path, year="2024-Q1").survey == PULSE


def test_a_year_is_no_quarter(tmp_path, pulse):
    error = refusal(written(tmp_path, pulse), survey=PULSE, year=2024)
    assert (error.expected, error.got) == (
        "a quarter of a financial year, such as 2024-Q1 for April to June 2024",
        "2024",
    )


def test_two_surveys_are_followed_apart(tmp_path, pulse):
    paths = [
        written(tmp_path, clean_extract(2023).frame, "RXX_2023.csv"),
        written(tmp_path, pulse, "pulse 2024-Q1.csv"),
    ]
    data = study(paths)
    assert (data.edition.survey.id, data.quarters.edition.survey.id) == (ANNUAL, PULSE)
    assert {*data.results.table["survey"]} == {ANNUAL}
    with pytest.raises(ExtractError, match="belong to different surveys"):
        check_pair(*(read_extract(path, year=year) for path, year in zip(paths, (2023, None), strict=True)))


def test_an_export_of_the_nine_questions_by_year_is_warned_of(tmp_path):
    path = tmp_path / "export.csv"
    rows = [f"2024,{code},words,Organisation,Organisation,120,51.5" for code in NINE]
    path.write_text("\n".join(["Year,QuestionNumber,QuestionText,DimName,DimValue,BaseSize,Score", *rows]))
    with pytest.warns(
        InputWarning, match="the questions of the National Quarterly Pulse Survey and no others"
    ):
        read = read_published(path, organisation="RXX")
    assert read.provenance["survey_doubt"].startswith("export.csv holds the questions of")
    rows.append("2024,q3a,words,Organisation,Organisation,120,51.5")
    path.write_text("\n".join(["Year,QuestionNumber,QuestionText,DimName,DimValue,BaseSize,Score", *rows]))
    assert read_published(path, organisation="RXX").provenance["survey_doubt"] is None


def test_a_pulse_table_saved_as_text_is_refused_alike_everywhere(shared_data):
    path = shared_data / "cases" / "pulse-quarters-merged-one-missing.csv"
    found = inspect_file(path)
    assert (found.survey, found.edition) == (PULSE, None)
    for reader in (read_extract, read_published, lambda one: study([one])):
        with pytest.raises(FileFormatError, match="pulse workbook") as caught:
            reader(path)
        assert caught.value.hint == found.problems[0]
        assert "one year or quarter a file" in caught.value.hint


def test_a_survey_of_ones_own_takes_no_official_file(tmp_path):
    """Even one with the very codes of the official one: where both fit alike the survey of the package is meant."""
    folder = tmp_path / "our_staff"
    shutil.copytree(Path(data_schemas.__file__).parent / "nss_england", folder)
    synthetic.respondents(2024, respondents_per_organisation=20).frame.write_csv(tmp_path / "RXX 2024.csv")
    try:
        own = cm.survey(folder)
        cm.survey(Path(__file__).parents[1] / "surveys" / "culture_pulse")
        assert own.id == "our_staff"
        assert cm.read_extract(tmp_path / "RXX 2024.csv").survey == "nss_england"
        assert cm.read_extract(tmp_path / "RXX 2024.csv", survey=folder).survey == "our_staff"
    finally:
        known._OWN.clear()
