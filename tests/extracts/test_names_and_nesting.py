"""How breakdowns lie in each other, and names that changed between two years."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.extracts.spelling import likeness

#: Directorates of a made-up trust and their departments; 15 people in each department.
TRUST = {
    "Surgery & Theatres": ["Theatres", "Ward 1", "Ward 2", "Day Surgery"],
    "Nursing Directorate": ["Safeguarding", "Infection Control", "Practice Development"],
    "Estates": ["Portering", "Grounds", "Catering"],
    "Women and Children": ["Maternity", "Neonatal", "Gynaecology", "Paediatrics"],
}
#: What they are called a year later; one department of each moved or is new.
NEW = {
    "Planned Care": ["Theatres", "Ward 1", "Ward 2", "Pre-assessment"],
    "Directorate of Nursing": ["Safeguarding", "Infection Control", "Practice Development"],
    "Estates": ["Portering", "Grounds", "Catering", "Day Surgery"],
    "Family Health": ["Maternity", "Neonatal", "Gynaecology", "Paediatrics"],
}
EACH = 15


def people(year, trust, stray=()):
    """An extract with the departments of a trust; `stray` (department, directorate) moves one person each."""
    places = [(d, name) for name, departments in trust.items() for d in departments for _ in range(EACH)]
    for department, directorate in stray:
        places[places.index(next(p for p in places if p[0] == department))] = (department, directorate)
    made = cm.synthetic.respondents(year, respondents_per_organisation=len(places), seed=year)
    frame = made.frame.with_columns(
        pl.Series("locality_4", [d for d, _ in places]),
        pl.Series("locality_1", [n for _, n in places]),
        pl.Series("cost_centre", [f"CC {d[:3]} {d[-1]} {len(d)}" for d, _ in places]),
        pl.lit("RXX").alias("organisation"),
    ).drop("locality_2", "benchmark_group")
    words = {"Directorate": "locality_1", "Department": "locality_4", "Cost Centre": "cost_centre"}
    own = {"cost_centre": "Cost Centre"}
    return replace(made, frame=frame, provenance={"renamed": words, "words": own})


@pytest.fixture(scope="module")
def last():
    return people(2023, TRUST)


@pytest.fixture(scope="module")
def this():
    return people(2024, NEW, [("Theatres", "Estates"), ("Grounds", "Planned Care")])


def nesting(extract):
    from culture_metrics.extracts.nesting import nesting

    return nesting(extract)


def pair_names(last, this, by="locality_1"):
    from culture_metrics.extracts.pair_names import pair_names

    return pair_names(last, this, by)


def test_departments_lie_in_directorates(last):
    found = nesting(last)
    assert found.within() == [("locality_4", "locality_1"), ("cost_centre", "locality_1")]
    rows = found.table.rows_by_key(["inner", "outer"], unique=True)
    assert rows["locality_4", "locality_1"] == (14, 14, 1.0, "within")
    # A cost centre for each department, under other names.
    assert rows["locality_4", "cost_centre"][3] == rows["cost_centre", "locality_4"][3] == "the same"
    assert rows["locality_1", "locality_4"] == (4, 0, 0.0, "across")


def test_exceptions_are_named_where_there_are_enough_people(this):
    found = nesting(this)
    row = found.table.filter(inner="locality_4", outer="locality_1").row(0)
    # 15 departments, of which two have one person each elsewhere.
    assert row[2:] == (15, 13, pytest.approx(13 / 15), "within, with exceptions")
    assert ("locality_4", "locality_1") not in found.within(exceptions=False)
    odd = found.exceptions.filter(inner="locality_4").select("group", "mostly_in").rows()
    assert odd == [("Grounds", "Estates"), ("Theatres", "Planned Care")]
    few = replace(this, frame=this.frame.filter(pl.col("locality_4") != "Grounds"))
    grounds = this.frame.filter(locality_4="Grounds").head(6)
    few = nesting(replace(few, frame=pl.concat([few.frame, grounds])))
    assert few.exceptions.filter(inner="locality_4")["group"].to_list() == ["Theatres"]
    assert few.rare["locality_4", "locality_1"] == 1
    assert "not Theatres and 1 rare one" in few.summary() and "Grounds" not in few.summary()


def test_names_are_paired_by_their_departments(last, this):
    found = pair_names(last, this)
    pairs = dict(found.table.select("last", "this").iter_rows())
    # Family Health shares no word with Women and Children, but all departments; Planned Care three of five.
    assert pairs == {
        "Nursing Directorate": "Directorate of Nursing",
        "Women and Children": "Family Health",
        "Surgery & Theatres": "Planned Care",
    }
    why = dict(found.table.select("last", "evidence").iter_rows())
    assert "4 of 4 in Department are the same" in why["Women and Children"]
    assert "3 of 5 in Department are the same" in why["Surgery & Theatres"]
    assert "in Cost Centre" in why["Women and Children"] and "about as many" in why["Women and Children"]
    assert found.merge == {"locality_1": pairs}
    merged = cm.validate(last, merge=found.merge).extract.frame["locality_1"]
    assert {*merged.unique()} == {*NEW}


def test_the_same_proposals_stand_in_the_check_of_two_files(last, this):
    report = cm.check_pair(last, this)
    said = report.problems.filter(rule="groups that may be renamed", column="locality_1")["found"].item()
    assert "'Women and Children' may now be 'Family Health' (4 of 4 in Cost Centre" in said


def test_rare_names_are_counted_and_likeness_alone_needs_near_spellings(last):
    first = people(2023, {"Therapies": ["A"], "Medicine": ["B"], "Estates": ["C"]})
    few = first.frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 4)
        .then(pl.lit("Radiology"))
        .otherwise("locality_1")
        .alias("locality_1")
    )
    second = people(2024, {"Portering": ["X"], "Finance": ["Y"], "Estates": ["C"]})
    changed = second.frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 4)
        .then(pl.lit("Radiolgy"))
        .otherwise("locality_1")
        .alias("locality_1")
    )
    found = pair_names(replace(first, frame=few), replace(second, frame=changed))
    # Radiology and Radiolgy are four people each.
    assert found.table.is_empty() and found.rare == 1
    assert "Radio" not in found.summary()
    assert found.only_last == ("Medicine", "Therapies") and found.only_this == ("Finance", "Portering")


def test_one_breakdown_under_two_names_is_told(last, this):
    other = replace(this, provenance={"renamed": {"BD 1": "locality_1", "Dept": "locality_4"}})
    said = cm.check_pair(last, other).problems.filter(rule="one breakdown under two names")
    assert {*said["column"]} == {"locality_1", "cost_centre"}
    assert "Directorate in 2023, without a word of its own in 2024" in said["found"].to_list()


NAMES = (
    "Nursing Directorate", "Directorate of Nursing", "Nursing", "Nursng", "Surgery & Theatres", "Theatres", "Ward 1",
    "Ward 12", "Women's and Children", "womens children", "Urgent Care", "Emergency Care", "Estates", "E", "-", "",
)  # fmt: skip


def test_likeness_that_may_be_understated_is_exact_from_there_on():
    """A bound saves the work for names that are not alike; it may change none that are told."""
    pairs = [(one, other) for one in NAMES for other in NAMES]
    exact = [likeness(*pair) for pair in pairs]
    bounded = [likeness(*pair, 0.6) for pair in pairs]
    assert [b if a >= 0.6 else b < 0.6 for a, b in zip(exact, bounded, strict=True)] == [
        a if a >= 0.6 else True for a in exact
    ]
    assert sum(b < a for a, b in zip(exact, bounded, strict=True)) > 100
