"""Checks of figures: what cannot be right is found, what is right is left alone."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics import distributions, estimate, synthetic
from culture_metrics.errors import ResultsError
from culture_metrics.results import validate_results


@pytest.fixture(scope="module")
def extract():
    return synthetic.respondents(2024, organisations=6, respondents_per_organisation=250)


@pytest.fixture(scope="module")
def results(extract) -> pl.DataFrame:
    return estimate(extract, by=["occupation_group"]).table


@pytest.fixture(scope="module")
def answers(extract) -> pl.DataFrame:
    return distributions(extract, by=["occupation_group"]).table


def only(problems: pl.DataFrame, rule: str) -> dict:
    """Return the one problem, and see to it that there is no other."""
    assert problems["rule"].to_list() == [rule], problems
    return problems.row(0, named=True)


def years(results: pl.DataFrame, *periods: str) -> pl.DataFrame:
    whole = results.filter(pl.col("breakdown") == "all")
    return pl.concat([whole.with_columns(period=pl.lit(p)) for p in periods])


def test_right_figures_have_no_problems(results, answers):
    assert validate_results(results, answers).table.is_empty()


def test_the_official_workbook_has_no_errors(published_2024):
    found = validate_results(
        published_2024.results.table, published_2024.distributions.table, published_2024.organisations
    ).table
    assert "error" not in found["severity"].to_list()
    # The grounds of discrimination are broken in that file: the same figure for every organisation.
    warned = found.filter(severity="warning")
    assert warned["rule"].to_list() == ["one figure for all organisations"]
    assert "discrimination_grounds" in warned["found"][0]
    small = found.filter(rule="small benchmark groups")
    assert "CSUs (4, 2024)" in small["found"][0]


def test_figures_out_of_range_are_counted(results):
    percent = (pl.col("measure") == "recommend_place_to_work") & (pl.col("breakdown") == "all")
    score = (pl.col("measure") == "morale") & (pl.col("breakdown") == "all")
    planted = results.with_columns(
        pl.when(percent).then(120.0).when(score).then(61.0).otherwise("estimate").alias("estimate")
    ).with_columns(
        pl.when(percent)
        .then(pl.col("estimate") + pl.int_range(pl.len()) / 1000)
        .otherwise("estimate")
        .alias("estimate")
    )
    found = validate_results(planted).table.filter(severity="error")
    assert dict(found.select("rule", "rows").rows()) == {
        "percentages outside 0 to 100": 6,
        "scores outside 0 to 10": 6,
    }
    assert "SYN01 2024" in found["examples"][0]


def test_a_response_rate_above_1_is_told(results):
    rate = results.filter(pl.col("measure") == "morale", pl.col("breakdown") == "all").with_columns(
        measure=pl.lit("response_rate"),
        unit=pl.lit("percent"),
        estimate=pl.Series([43.0, 48.5, 50.0, 51.0, 104.0, 47.0]),
    )
    found = only(validate_results(rate).table, "response rates outside 0 to 100%")
    assert (found["rows"], found["examples"]) == (1, "SYN05 2024")


def test_a_column_of_fractions_is_not_taken_for_percentages(results):
    percent = pl.col("unit") == "percent"
    all_of_them = results.with_columns(
        pl.when(percent).then(pl.col("estimate") / 100).otherwise("estimate").alias("estimate")
    )
    found = validate_results(all_of_them).table.row(
        by_predicate=pl.col("rule") == "fractions taken for percentages", named=True
    )
    assert found["severity"] == "error"
    assert found["rows"] == results.filter(percent & pl.col("estimate").is_not_null()).height
    one = results.with_columns(
        pl.when(pl.col("measure") == "recommend_place_to_work")
        .then(pl.col("estimate") / 100)
        .otherwise("estimate")
        .alias("estimate")
    )
    assert only(validate_results(one).table, "fractions taken for percentages")["found"].endswith(
        "recommend_place_to_work"
    )


def test_a_rare_answer_below_1_per_cent_is_no_fraction(results):
    rare = results.with_columns(
        pl.when(pl.col("measure") == "violence_from_managers")
        .then(pl.int_range(pl.len()) % 10 / 40)
        .otherwise("estimate")
        .alias("estimate")
    )
    assert validate_results(rare).table.is_empty()


def test_distributions_must_sum_to_100(answers):
    whole = (pl.col("question") == "had_appraisal") & (pl.col("breakdown") == "all")
    off = answers.with_columns(
        pl.when(whole & (pl.col("option") == 1))
        .then(pl.col("percent") - 3)
        .otherwise("percent")
        .alias("percent")
    )
    found = only(validate_results(distributions=off).table, "distributions that do not sum to 100")
    assert (
        found["rows"]
        == answers.filter(whole & (pl.col("option") == 1), pl.col("percent").is_not_null()).height
    )
    assert "up to 3," in found["found"]


@pytest.mark.parametrize("decimals", [0, 1, 2, 3])
def test_what_rounding_does_to_a_sum_is_no_fault(answers, decimals):
    rounded = answers.with_columns(pl.col("percent").round(decimals))
    assert validate_results(distributions=rounded).table.is_empty()


def test_a_difference_that_rounding_cannot_explain_is_found_in_rounded_figures(answers):
    whole = (pl.col("question") == "had_appraisal") & (pl.col("breakdown") == "all")
    planted = answers.with_columns(
        pl.when(whole & (pl.col("option") == 1))
        .then(pl.col("percent") + 0.3)
        .otherwise("percent")
        .round(2)
        .alias("percent")
    )
    assert (
        only(validate_results(distributions=planted).table, "distributions that do not sum to 100")["rows"]
        > 0
    )


def test_distributions_of_fractions_are_told(answers):
    found = validate_results(distributions=answers.with_columns(pl.col("percent") / 100)).table
    assert (
        found.row(by_predicate=pl.col("rule") == "fractions taken for percentages", named=True)["severity"]
        == "error"
    )
    assert "distributions that do not sum to 100" not in found["rule"].to_list()


def test_ticks_need_not_sum_to_100(answers):
    multi = answers.filter(pl.col("question") == "discrimination_grounds")
    assert multi.height > 0
    assert validate_results(distributions=multi).table.is_empty()


def test_bases_that_do_not_fit_are_told(results):
    group = (pl.col("breakdown") != "all") & (pl.col("measure") == "morale") & pl.col("base").is_not_null()
    above = validate_results(
        results.with_columns(pl.when(group).then(9999).otherwise("base").alias("base"))
    ).table
    found = only(above, "bases that do not fit")
    assert (found["severity"], found["rows"]) == ("error", results.filter(group).height)
    together = results.with_columns(
        pl.when(group)
        .then(pl.min_horizontal(pl.col("base") * 2 + 40, pl.lit(200)))
        .otherwise("base")
        .alias("base")
    )
    found = only(validate_results(together).table, "bases that do not fit")
    assert (found["severity"], found["rows"]) == ("warning", 6)


def test_a_headline_with_a_larger_base_than_all_answers_is_told(results, answers):
    own = (pl.col("measure") == "had_appraisal") & (pl.col("breakdown") == "all")
    planted = results.with_columns(pl.when(own).then(400).otherwise("base").alias("base"))
    found = only(validate_results(planted, answers).table, "bases that do not fit")
    assert (found["severity"], found["rows"]) == ("error", 6)


def test_options_with_different_bases_and_bases_of_nought_are_told(answers):
    own = (pl.col("question") == "had_appraisal") & (pl.col("breakdown") == "all") & (pl.col("option") == 1)
    planted = answers.with_columns(pl.when(own).then(0).otherwise("base").alias("base"))
    found = dict(validate_results(distributions=planted).table.select("rule", "rows").rows())
    assert found == {"options with different bases": 6, "figures without a base": 6}


def test_figures_that_stand_twice_are_counted(results):
    assert only(validate_results(pl.concat([results, results.head(7)])).table, "figures that stand twice")[
        "rows"
    ] == 7 - (results.head(7)["estimate"].null_count())


def test_one_figure_for_all_organisations_is_told(results):
    planted = results.with_columns(
        pl.when((pl.col("measure") == "morale") & (pl.col("breakdown") == "all"))
        .then(6.1)
        .otherwise("estimate")
        .alias("estimate")
    )
    assert "morale" in only(validate_results(planted).table, "one figure for all organisations")["found"]


def test_unknown_measures_are_named(results):
    planted = results.with_columns(pl.col("measure").replace("morale", "happiness"))
    assert only(validate_results(planted).table, "unknown measures")["found"] == "happiness"


def test_a_missing_period_is_named(results):
    gap = only(validate_results(years(results, "2021", "2022", "2024")).table, "a missing period")
    assert gap["found"] == "nothing for 2023"
    assert validate_results(years(results, "2022", "2023", "2024")).table.is_empty()


def test_a_period_that_one_organisation_lacks_is_named(results):
    three = years(results, "2022", "2023", "2024")
    found = only(
        validate_results(
            three.filter(~((pl.col("period") == "2023") & (pl.col("organisation") == "SYN02")))
        ).table,
        "organisations with a gap",
    )
    assert found["found"].endswith("SYN02")


def test_the_pulse_survey_has_no_third_quarter(results):
    pulse = years(results, "2022-Q2", "2022-Q4", "2023-Q2").with_columns(
        survey=pl.lit("national_quarterly_pulse")
    )
    pulse = pulse.filter(pl.col("measure") == "staff_engagement")
    assert only(validate_results(pulse).table, "a missing period")["found"] == "nothing for 2023-Q1"


def test_a_table_without_its_columns_is_refused(results):
    with pytest.raises(ResultsError, match="lacks columns"):
        validate_results(results.drop("unit"))
