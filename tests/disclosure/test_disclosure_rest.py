"""People that a total counts and none of its groups: nobody lists them, anybody can tell them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.contract import as_results
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.shown import attack_shown, shown_people


def made_up(**bases: int) -> pl.DataFrame:
    rows = [{"breakdown": "all" if g == "all" else "team", "group": g, "base": b} for g, b in bases.items()]
    return as_results(
        pl.DataFrame(rows).select(
            pl.lit("nss_england").alias("survey"),
            pl.lit("2024").alias("period"),
            pl.lit("RXX").alias("organisation"),
            "breakdown",
            "group",
            pl.lit("advocacy").alias("measure"),
            pl.lit("score").alias("unit"),
            pl.lit(6.5).alias("estimate"),
            pl.col("base"),
            pl.lit("none").alias("weighting"),
            pl.lit("reported").alias("status"),
            pl.lit("respondents").alias("source"),
        )
    )


@pytest.mark.parametrize(("total", "hidden"), [(90, []), (93, ["B"]), (100, ["B"]), (101, []), (140, [])])
def test_a_few_in_no_group_take_the_smallest_group_with_them(total, hidden):
    shown = cm.suppress(made_up(all=total, A=50, B=40)).table
    assert shown.filter(pl.col("status") == "suppressed_secondary")["group"].to_list() == hidden


def test_the_auditor_finds_them():
    audit = cm.disclosure.audit_disclosure(made_up(all=93, A=50, B=40))
    assert not audit.ok
    assert audit.table["group"].unique().to_list() == ["(in no group)"]
    assert cm.disclosure.audit_disclosure(made_up(all=101, A=50, B=40)).ok


def test_hiding_twice_hides_no_more():
    once = cm.suppress(made_up(all=93, A=50, B=40)).table
    assert cm.suppress(once).table.equals(once)
    assert cm.disclosure.audit_disclosure(once).ok


def test_estimates_keep_those_without_an_answer_apart():
    """Five respondents whose occupation is not known must not follow from the total."""
    extract = cm.synthetic.respondents(2024, seed=3, respondents_per_organisation=900)
    code = extract.edition.questions[extract.edition.breakdown("occupation_group").question].code
    blank = pl.when(pl.int_range(pl.len()) < 5).then(None).otherwise(pl.col(code).fill_null(1)).alias(code)
    results = cm.estimate(
        replace(extract, frame=extract.frame.with_columns(blank)), by=["occupation_group"]
    ).table
    groups = (
        results.filter(pl.col("breakdown") != "all")
        .group_by("measure")
        .agg(
            pl.col("base").sum().alias("listed"), (pl.col("status") != "reported").any().alias("some_hidden")
        )
    )
    whole = results.filter(pl.col("breakdown") == "all").join(groups, on="measure")
    rest = pl.col("base").cast(pl.Int64) - pl.col("listed").cast(pl.Int64)
    open_ = whole.filter(~pl.col("some_hidden"), rest.is_between(1, 10))
    assert whole.height > 100
    assert open_.is_empty()


@pytest.mark.parametrize("respondents", [8, 20])
def test_where_everything_is_hidden_nothing_follows(respondents):
    """An organisation too small to be shown: no warning, and nothing for the auditor to find."""
    extract = cm.synthetic.respondents(2024, seed=1, respondents_per_organisation=respondents)
    results = cm.estimate(extract, by=["occupation_group", "locality_1"]).table
    assert (results["status"] == "suppressed_small_base").sum() > 1000
    assert cm.disclosure.audit_disclosure(results).ok


@pytest.mark.parametrize(("number", "by", "seed"), [(60, "occupation_group", 2), (40, "age", 7)])
def test_few_of_the_rest_are_left_in_no_question_that_nearly_all_answer(number, by, seed):
    """Eleven people were left over, of whom ten answered a question: whoever counts who skipped it knows.

    Of each question that nine in ten answered the people in no shown group are counted here, from the rows.
    """
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=number, seed=seed)
    cm.estimate(extract, by=[by])
    groups = shown_people(extract, [by]).filter(breakdown=by)
    shown = groups.filter(status="reported")["group"]
    assert 0 < len(shown) < groups.height
    frame = extract.frame.with_columns(group_columns(extract, [by])[by].cast(pl.String).alias("_group"))
    rest = frame.filter(~pl.col("_group").is_in(shown.implode()).fill_null(value=False))
    asked = [m.question for m in extract.edition.percentages.values() if m.question]
    columns = [extract.edition.questions[name].columns[0] for name in asked]
    nearly_all = [c for c in columns if c in frame.columns and frame[c].count() >= 0.9 * frame.height]
    assert len(nearly_all) > 50
    assert min(rest[c].count() for c in nearly_all) >= 11
    assert attack_shown(extract) == (117, 0)
