"""Response rates from tables of eligible staff as trusts keep them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import ExtractError
from culture_metrics.indicators.headcounts import read_headcounts
from culture_metrics.indicators.response_rates import response_rates

#: Department, directorate, respondents: 26 + 34 people of Surgery, 40 + 5 of Medicine, 15 of Estates.
PLACES = [("Theatres", "Surgery", 26), ("Ward 1", "Surgery", 34), ("Ward 2", "Medicine", 40),
          ("Clinic", "Medicine", 5), ("Estates", "Estates", 15)]  # fmt: skip


@pytest.fixture(scope="module")
def extract():
    made = cm.synthetic.respondents(2024, respondents_per_organisation=120, seed=1)
    who = [(d, s) for d, s, n in PLACES for _ in range(n)]
    frame = made.frame.with_columns(
        pl.Series("locality_4", [d for d, _ in who]),
        pl.Series("locality_1", [s for _, s in who]),
        pl.lit("RXX").alias("organisation"),
    )
    words = {"Dept": "locality_4", "Directorate": "locality_1"}
    return replace(made, frame=frame, provenance={"renamed": words})


def rates(extract, table):
    found = response_rates(extract, table)
    return {
        (row["breakdown"], row["group"]): (row["base"], row["staff"]) for row in found.table.to_dicts()
    }, found


def test_rates_are_respondents_among_staff_with_wilsons_interval(extract):
    staff = pl.DataFrame(
        {"Directorate": ["Surgery", "Medicine", "Total"], "Headcount": ["100", "1,200", "1400"]}
    )
    found = response_rates(extract, staff)
    row = found.table.filter(group="Surgery").select("estimate", "conf_low", "conf_high").row(0)
    # prop.test(60, 100, correct = FALSE) in R: 0.6, 0.5020026 to 0.6905987.
    assert row == pytest.approx((60, 50.20026, 69.05987), abs=1e-5)
    assert found.table.filter(group="all")["estimate"].item() == pytest.approx(100 * 120 / 1400)
    assert "finite population" in found.rules()[0]
    assert found.headcounts.rows == {"read": 3, "used": 3, "set aside": 0}


def test_a_directorate_is_the_sum_of_its_departments_and_subtotals_count_once(extract):
    staff = pl.DataFrame(
        {
            "Directorate": ["Surgery", "Surgery", "Surgery", "Medicine", "Medicine", "Estates", "Estates"],
            "Dept": ["Theatres", "Ward 1", "Total", "Ward 2", "Clinic", None, "Estates"],
            "Staff in post": [50, 70, 125, 60, 20, 30, 30],
        }
    )
    told, found = rates(extract, staff)
    # What stands in a row of its own wins (125); Medicine is 60 + 20.
    assert told["locality_1", "Surgery"] == (60, 125) and told["locality_1", "Medicine"][1] == 80
    assert told["locality_1", "Estates"][1] == 30 and told["locality_4", "Theatres"] == (26, 50)
    # Five people of one department: hidden, and another with it.
    assert told["locality_4", "Clinic"][0] is None
    assert found.table.filter(group="Clinic")["estimate"].item() is None


def test_more_respondents_than_staff_is_named_and_has_no_rate(extract):
    found = response_rates(extract, pl.DataFrame({"Dept": ["Ward 1", "Theatres"], "Eligible": [30, 40]}))
    odd = found.table.filter(group="Ward 1").row(0, named=True)
    assert (odd["status"], odd["estimate"], odd["base"], odd["staff"]) == ("impossible", None, 34, 30)
    assert "More respondents than staff in Ward 1" in found.summary()


def test_names_without_counterpart_are_listed_with_a_suggestion(extract):
    staff = pl.DataFrame(
        {"Directorate": ["Surgery Directorate", "Medicine", "Finance"], "Headcount": [100, 90, 20]}
    )
    found = response_rates(extract, staff)
    told = found.unmatched.select("group", "side", "suggestion").rows()
    assert told == [
        ("Surgery Directorate", "headcounts", "Surgery"), ("Finance", "headcounts", None),
        ("Estates", "respondents", None), ("Surgery", "respondents", "Surgery Directorate"),
    ]  # fmt: skip
    near = response_rates(extract, staff.with_columns(Directorate=pl.Series(["Surgerys", "Medicine", "X"])))
    assert near.unmatched.filter(group="Surgerys")["suggestion"].item() == "Surgery"
    few = response_rates(extract, pl.DataFrame({"Dept": ["Theatres"], "Headcount": [100]}))
    # The name of a department of five people is counted, not said.
    assert "Clinic" not in [*few.unmatched["group"]] and few.rare >= 1


def test_what_cannot_be_used_is_set_aside_and_named(extract, tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text(
        "Staff list at 1 September\n\nBreakdown,Group,Number of staff\nDirectorate,Surgery,100\n"
        "Directorate,Surgery,100\nDirectorate,Medicine,90\nDirectorate,Medicine,95\n"
        "Directorate,Estates,n/a\nRota,Night,12\nOrganisation,Total,300\n"
    )
    found = read_headcounts(path, extract)
    assert found.table.rows() == [("RXX", "all", "all", 300), ("RXX", "locality_1", "Surgery", 100)]
    assert found.set_aside == (
        "rows without a whole number of staff from 1 to 10,000,000: 8",
        "rows that stand twice with other numbers: 6, 7",
        "1 row of breakdowns that the respondents do not have",
    )
    assert found.rows == {"read": 7, "used": 3, "set aside": 4}


def test_a_number_that_no_staff_can_have_is_set_aside(extract):
    staff = pl.DataFrame({"Dept": ["Ward 1", "Ward 2", "Clinic"], "Headcount": [2**40, 2**32, 80]})
    found = read_headcounts(staff, extract)
    assert found.table.select("group", "staff").rows() == [("Clinic", 80)]
    assert found.set_aside == ("rows without a whole number of staff from 1 to 10,000,000: 1, 2",)


def test_a_sum_with_an_unknown_part_is_no_number(extract):
    """Teams are no breakdown of the respondents; a directorate is their sum where every team has a number."""
    staff = pl.DataFrame(
        {
            "Directorate": ["Surgery", "Surgery", "Surgery", "Medicine", "Medicine", "Estates", "Estates"],
            "Team": ["Total", "A", "B", "C", "D", "E", "F"],
            "Answered so far": ["60", "30", "30", "1", "2", "7", "8"],
            "Headcount": ["90", "40", "50", "70", "*", "10", "10"],
        }
    )
    found = read_headcounts(pl.concat([staff, staff.tail(1)]), extract)
    # Medicine has a team without a number; team F stands twice and counts once.
    assert found.table.select("group", "staff").rows() == [("Surgery", 90), ("Estates", 20)]
    assert found.set_aside == ("rows without a whole number of staff from 1 to 10,000,000: 5",)
    assert found.rows == {"read": 8, "used": 7, "set aside": 1}


def test_whole_time_equivalents_are_no_people(extract):
    with pytest.raises(ExtractError, match="whole-time equivalents"):
        read_headcounts(
            pl.DataFrame({"Directorate": ["Surgery", "Estates"], "Headcount": [45.6, 12.2]}), extract
        )
    with pytest.raises(ExtractError, match="how many staff are in which group"):
        read_headcounts(pl.DataFrame({"Rota": ["Night"], "Headcount": [45]}), extract)
