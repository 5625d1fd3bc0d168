"""Every break of the catalogue is refused with its reason, and what may be compared instead is said."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics import compare_years
from culture_metrics.catalogue import catalogue
from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.errors import ComparabilityError, ComparabilityWarning, UnknownNameError
from culture_metrics.published import Published
from data_schemas.columns import DISTRIBUTIONS

BREAKS = [b for b in catalogue().breaks if b.measures]
OF_BREAKDOWNS = [b for b in catalogue().breaks if b.breakdowns]
OF_ORGANISATIONS = [b for b in catalogue().breaks if b.organisations]


def results(measures, periods, **columns) -> pl.DataFrame:
    """Two years of plain results, unweighted, from respondents unless said otherwise."""
    edition = catalogue().edition(2024)
    rows = [
        {"measure": m, "period": p, "unit": "score" if m in edition.scores else "percent"}
        for m in measures
        for p in periods
    ]
    constant = {
        "survey": "nss_england", "organisation": "RXX", "breakdown": "all", "group": "all", "estimate": 5.0,
        "std_error": 0.02, "base": 900, "effective_base": 900.0, "weighting": "none", "status": "reported",
        "source": "respondents", **columns,
    }  # fmt: skip
    frame = pl.DataFrame(rows).with_columns(**{k: pl.lit(v) for k, v in constant.items()})
    return as_results(frame)


def ends(item) -> tuple[str, str]:
    return (item.from_period, item.to_period) if item.from_period else (str(int(item.only) - 1), item.only)


def measure_of(name: str) -> str:
    """A measure of a break: a question of several options stands for them."""
    edition = catalogue().edition(2024)
    return next(k for k, m in edition.measures.items() if name in (k, m.question))


CASES = [(b, name) for b in BREAKS for name in b.measures]


@pytest.mark.parametrize(("item", "name"), CASES, ids=[f"{n}-{b.to_period or b.only}" for b, n in CASES])
def test_a_measure_across_its_break_is_refused_with_the_reason(item, name):
    first, second = ends(item)
    with pytest.raises(ComparabilityError) as caught:
        compare_years(
            results([measure_of(name)], (first, second)), first, second, measures=[measure_of(name)]
        )
    said = str(caught.value)
    assert f"{first} and {second} may not be compared" in said
    assert item.reason in said
    assert f"Comparable instead: {item.instead}" in said
    assert "allow_breaks=True compares anyway and marks it." in said
    assert ("Not confirmed" in said) is not item.confirmed


def test_a_question_without_answers_in_one_year_is_refused():
    """Error culture was not asked in 2021."""
    asked = results(["errors_treated_fairly"], ("2022",))
    nothing = {
        "estimate": None,
        "std_error": None,
        "base": None,
        "effective_base": None,
        "status": "not_asked",
    }
    both = as_results(pl.concat([results(["errors_treated_fairly"], ("2021",), **nothing), asked]))
    with pytest.raises(
        ComparabilityError, match=r"2021 and 2022 may not be compared\. 2021: no answers in the file"
    ):
        compare_years(both, 2021, 2022, measures=["q18a"])


def test_facts_without_a_better_side_are_refused():
    table = results(["discrimination_grounds_age"], ("2023", "2024"))
    with pytest.raises(ComparabilityError, match="neither improve nor decline"):
        compare_years(table, 2023, 2024, measures=["q16c_6"])


@pytest.mark.parametrize("item", OF_BREAKDOWNS, ids=lambda b: b.breakdowns[0])
def test_a_breakdown_across_its_break_is_refused(item):
    table = results(["morale"], ends(item), breakdown=item.breakdowns[0], group="Some group")
    with pytest.raises(ComparabilityError) as caught:
        compare_years(table, *ends(item))
    assert item.reason in str(caught.value)
    assert item.instead in str(caught.value)


@pytest.mark.parametrize(
    "item", OF_ORGANISATIONS, ids=lambda b: f"{b.organisations[0]}-{b.to_period or b.only}"
)
def test_every_organisation_without_valid_history_is_refused(item):
    for code in item.organisations:
        table = results(["morale"], ends(item), organisation=code)
        with pytest.raises(ComparabilityError) as caught:
            compare_years(table, *ends(item))
        assert item.reason in str(caught.value)


def test_care_groups_that_became_boards_are_refused():
    item = next(b for b in catalogue().breaks if b.benchmark_groups)
    table = results(["morale"], ends(item), organisation="QE1")
    parts = [published(table.filter(period=p), p, group="ICBs") for p in ends(item)]
    with pytest.raises(ComparabilityError, match="Clinical commissioning groups became"):
        compare_years(parts, *ends(item))


def published(table: pl.DataFrame, period: str, group: str = "Acute", **provenance) -> Published:
    listed = (
        table.select("survey", "organisation")
        .unique()
        .with_columns(period=pl.lit(period), name=pl.lit("A trust"), benchmark_group=pl.lit(group))
    )
    return Published(
        survey="nss_england",
        period=period,
        results=table,
        distributions=as_distributions(pl.DataFrame(schema=DISTRIBUTIONS)),
        organisations=as_organisations(listed),
        provenance=provenance,
    )


WEIGHTED = {
    "weighting": "occupation_group", "source": "published", "std_error": None, "effective_base": None,
}  # fmt: skip


def test_two_releases_are_refused_and_one_release_is_not():
    table = results(["morale"], ("2022", "2023"), **WEIGHTED)
    two = [published(table.filter(period=p), p) for p in ("2022", "2023")]
    with pytest.raises(ComparabilityError, match=r"two releases \(2022 and 2023\)") as caught:
        compare_years(two, 2022, 2023)
    assert "Each release reweights all years" in str(caught.value)
    one = published(table, "2023", layout="benchmark", release="2023")
    assert compare_years(one, 2022, 2023).table["verdict"].item() != "not comparable"


def test_unweighted_figures_have_no_release_to_mind():
    table = results(["morale"], ("2022", "2023"), **{**WEIGHTED, "weighting": "none"})
    two = [published(table.filter(period=p), p) for p in ("2022", "2023")]
    assert compare_years(two, 2022, 2023).table["verdict"].item() != "not comparable"


def test_two_releases_that_hold_the_same_year_are_refused():
    table = results(["morale"], ("2022", "2023"), **WEIGHTED)
    books = [
        published(table, "2023", release="2023"),
        published(table.filter(period="2023"), "2023", release="2024"),
    ]
    with pytest.raises(ComparabilityError, match="Two sources hold results of 2023"):
        compare_years(books, 2022, 2023)


@pytest.mark.parametrize(
    ("measure", "periods", "release", "fine"),
    [
        ("safe_and_healthy", ("2022", "2023"), None, False),
        ("safe_and_healthy", ("2022", "2023"), "2023", False),
        ("safe_and_healthy", ("2022", "2023"), "2024", True),
        ("safe_and_healthy", ("2022", "2024"), None, True),
        ("compassionate_and_inclusive", ("2024", "2025"), "2024", False),
        ("compassionate_and_inclusive", ("2024", "2025"), "2025", True),
        ("fair_career_progression", ("2024", "2025"), "2025", False),
        ("fair_career_progression", ("2020", "2021"), "2021", True),
        ("burnout", ("2022", "2023"), None, True),
        ("staff_engagement", ("2020", "2021"), None, True),
    ],
)
def test_a_release_that_restates_its_history_lifts_what_it_restates(measure, periods, release, fine):
    table = results([measure], periods)
    if fine:
        change = compare_years(table, *periods, measures=[measure], release=release)
        assert change.table["verdict"].item() != "not comparable"
    else:
        with pytest.raises(ComparabilityError):
            compare_years(table, *periods, measures=[measure], release=release)


def test_a_break_lies_between_any_two_years_on_either_side_of_it():
    table = results(["musculoskeletal_problems", "morale"], ("2021", "2025"))
    with pytest.raises(ComparabilityError, match="more examples"):
        compare_years(table, 2021, 2025, measures=["q11b"])
    with pytest.raises(ComparabilityError, match="wrong way round"):
        compare_years(table, 2025, 2021, measures=["q11b"])


def test_in_a_table_of_many_measures_the_break_is_marked_and_no_difference_given():
    table = compare_years(results(["musculoskeletal_problems", "morale"], ("2024", "2025")), 2024, 2025).table
    row = table.filter(measure="musculoskeletal_problems").row(0, named=True)
    assert row["verdict"] == "not comparable"
    assert row["reason"] == "The 2025 question gives more examples."
    assert row["instead"].startswith("2021 to 2024 among themselves")
    assert all(row[c] is None for c in ("difference", "p_value", "conf_low", "detectable_change"))
    assert table.filter(measure="morale")["verdict"].item() == "no material change"


def test_who_insists_gets_the_difference_a_warning_and_the_mark():
    table = results(["musculoskeletal_problems", "morale"], ("2024", "2025"))
    with pytest.warns(ComparabilityWarning, match="across a break, as asked: Musculoskeletal"):
        change = compare_years(table, 2024, 2025, allow_breaks=True)
    row = change.table.filter(measure="musculoskeletal_problems").row(0, named=True)
    assert (row["verdict"], row["difference"]) == ("not comparable", 0.0)
    assert row["p_value"] == 1.0
    assert row["p_adjusted"] is None


def test_a_code_names_what_it_means_in_the_later_year_and_ids_go_through():
    """q21c in 2021, q23c in 2022, q25c from 2023: one measure."""
    table = results(["recommend_place_to_work"], ("2021", "2022", "2023", "2024"))
    for later, code in (
        ("2022", "q23c"),
        ("2023", "q25c"),
        ("2024", "q25c"),
        ("2024", "recommend_place_to_work"),
    ):
        assert compare_years(table, 2021, later, measures=[code]).table["code"].item() == (
            code if code.startswith("q") else "q25c"
        )


def test_the_annual_survey_is_never_compared_with_the_pulse():
    annual = results(["staff_engagement"], ("2023", "2024"))
    pulse = annual.with_columns(survey=pl.lit("national_quarterly_pulse"), period=pl.lit("2024-Q1")).head(1)
    with pytest.raises(ComparabilityError, match="Two surveys are never compared") as caught:
        compare_years(pl.concat([annual, pulse]), "2023", "2024-Q1")
    assert "self-selected" in str(caught.value)


def test_a_figure_weighted_in_one_year_only_is_not_compared():
    rows = results(["morale"], ("2023", "2024"))
    mixed = as_results(
        rows.with_columns(
            weighting=pl.when(pl.col("period") == "2023")
            .then(pl.lit("occupation_group"))
            .otherwise(pl.lit("none"))
        )
    )
    with pytest.raises(ComparabilityError, match=r"of 2023 is weighted \(occupation_group\)"):
        compare_years(mixed, 2023, 2024)


def test_what_stands_in_one_year_only_keeps_its_row_and_says_why():
    both = results(["morale"], ("2023", "2024"))
    extra = [
        results(["burnout"], ("2024",)),
        results(["morale"], ("2023",), organisation="RYY"),
        results(["morale"], ("2024",), breakdown="locality_1", group="New Directorate"),
        results(["team"], ("2023",)),
        results(["team"], ("2024",), estimate=None, std_error=None, base=None, effective_base=None, status="suppressed_small_base"),
    ]  # fmt: skip
    change = compare_years(as_results(pl.concat([both, *extra])), 2023, 2024)
    said = {(r["organisation"], r["group"], r["measure"]): r["reason"] for r in change.table.to_dicts()}
    assert said["RXX", "all", "burnout"] == "Not in the results of 2023."
    assert said["RYY", "all", "morale"] == "RYY has no results in 2024."
    assert said["RXX", "New Directorate", "morale"] == "There is no such group in 2023."
    assert said["RXX", "all", "team"] == "2024: too few answers to show."
    assert change.vanished == ("RYY",) and change.appeared == ()
    hidden = change.table.filter(measure="team").row(0, named=True)
    assert (hidden["status"], hidden["verdict"]) == ("suppressed_small_base", "not comparable")


def test_unknown_periods_measures_and_organisations_are_answered_with_near_ones():
    table = results(["morale"], ("2023", "2024"))
    with pytest.raises(UnknownNameError, match="no period in these results '2022'"):
        compare_years(table, 2022, 2024)
    with pytest.raises(UnknownNameError, match="Did you mean morale"):
        compare_years(table, 2023, 2024, measures=["moral"])
    with pytest.raises(UnknownNameError, match="RXX"):
        compare_years(table, 2023, 2024, organisation="RXY")
    with pytest.raises(ComparabilityError, match="not compared with itself"):
        compare_years(table, 2023, 2023)
