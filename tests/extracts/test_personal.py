"""A column that names people is no breakdown: refused at every door, and no entry is said."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from culture_metrics import agreement, distributions, estimate, study, synthetic, validate
from culture_metrics.cli import app
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.personal import why_personal
from culture_metrics.reporting.report import report

PEOPLE = 120
EMAILS = [f"jo.bloggs{n}@rxx.nhs.uk" for n in range(PEOPLE)]


@pytest.fixture(scope="module")
def extract():
    made = synthetic.respondents(2024, respondents_per_organisation=PEOPLE, seed=3)
    return replace(made, frame=made.frame.with_columns(pl.Series("contact", EMAILS)))


@pytest.mark.parametrize("verb", [estimate, distributions])
@pytest.mark.parametrize("by", [["contact"], [("contact", "gender")], ["respondent"]])
def test_a_column_of_people_is_refused_as_a_breakdown(extract, verb, by):
    column = by[0] if isinstance(by[0], str) else by[0][0]
    with pytest.raises(ExtractError, match=f"The column {column} cannot be a breakdown") as caught:
        verb(extract, by=by)
    assert "bloggs" not in str(caught.value)


def test_agreement_refuses_it_too(extract):
    with pytest.raises(ExtractError, match="cannot be a breakdown"):
        agreement(extract, ["morale"], "contact")


@pytest.fixture(scope="module")
def file(extract, tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "RXX_2024.csv"
    extract.frame.with_columns(locality_1=pl.col("contact")).drop("contact").write_csv(path)
    return path


def test_the_report_refuses_it_and_writes_nothing(file, tmp_path):
    with pytest.raises(ExtractError, match="cannot be a breakdown"):
        report([file], tmp_path / "out", by=["locality_1"])
    assert not [path for path in (tmp_path / "out").glob("*") if not path.name.startswith(".")]
    ran = CliRunner().invoke(app, ["report", str(file), "--by", "locality_1", "--out", str(tmp_path / "cli")])
    assert ran.exit_code == 2
    assert "cannot be a breakdown" in ran.output
    assert "bloggs" not in ran.output


def test_the_default_breakdowns_leave_it_out(file):
    assert study([file]).by == ("occupation_group",)


def test_the_check_says_so_and_names_no_entry(file):
    from culture_metrics import read_extract

    checked = validate(read_extract(file))
    found = checked.problems.filter(rule="no breakdown", column="locality_1")
    assert found.height == 1
    assert "bloggs" not in str(found.rows())


@pytest.mark.parametrize("people", [4200, 900])
def test_many_departments_are_a_breakdown(people):
    # 187 departments for 4,200 people, sizes from a long-tailed law: some hold one person, most hold several.
    rng = np.random.default_rng(5)
    share = rng.pareto(1.2, 187) + 0.3
    departments = rng.choice(187, people, p=share / share.sum())
    made = synthetic.respondents(2024, respondents_per_organisation=people)
    names = pl.Series("department", [f"Department {n}" for n in departments])
    made = replace(made, frame=made.frame.with_columns(names))
    table = estimate(made, by=["department"]).table.filter(breakdown="department")
    assert table["group"].n_unique() == names.n_unique()


@pytest.mark.parametrize(
    ("name", "entries", "people"),
    [
        ("Assignment Number", ["1", "2", "3"], 300),
        ("DOB", ["1970", "1980"], 300),
        ("unit", ["12/03/1971", "14/06/1980", "01/01/1990"], 300),
        ("unit", ["SW1A 1AA", "LS1 4AP"], 300),
        ("unit", ["20881234", "20884321-2"], 300),
        ("unit", ["943 476 5919", "401 023 2137"], 300),
        ("unit", ["I think that we are far too few on nights and nobody listens to us when we say so"], 300),
        ("unit", [f"Person {n}" for n in range(110)], 300),
    ],
)
def test_what_is_personal(name, entries, people):
    assert why_personal([name], pl.Series(entries), people, 0) is not None


@pytest.mark.parametrize(
    "entries",
    [
        ["Ward 1", "Ward 2"],
        ["123456", "654321"],  # cost centres
        ["RXX01", "RXX02"],
        ["2019", "2020"],
        ["Trauma, Orthopaedics, Spinal and Rehabilitation Medicine (Care Group 3)"[:60]],
    ],
)
def test_what_is_a_group(entries):
    assert why_personal(["department"], pl.Series(entries), 300, 0) is None
