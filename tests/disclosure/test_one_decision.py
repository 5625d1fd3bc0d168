"""One decision for all that leaves together: results, distributions, and percentages that count a group."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from benchmarks.disclosure_peers import open_cells, release_of, statuses
from culture_metrics.disclosure.suppression import hidden_cells

CELL = ["organisation", "breakdown", "group"]
BOTH = ["locality_1", "locality_2", ("locality_1", "locality_2")]


def hidden(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(hidden=pl.col("status") != "reported")


@pytest.mark.parametrize(("seed", "size"), [(6, 800), (2, 400)])
def test_results_and_distributions_hide_the_same_groups(seed, size):
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=size, seed=seed)
    headline = {m.question: name for name, m in extract.edition.percentages.items() if m.option is None}
    answers = hidden(cm.distributions(extract, by=BOTH).table).select(*CELL, "question", "hidden").unique()
    answers = answers.with_columns(measure=pl.col("question").replace_strict(headline, default=None))
    both = hidden(cm.estimate(extract, by=BOTH).table).join(answers, on=[*CELL, "measure"])
    assert both["hidden"].sum() > 100
    assert both.filter(pl.col("hidden") != pl.col("hidden_right")).is_empty()


def test_distributions_leave_out_who_the_respondents_are():
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=100)
    about_people = {b.question for b in extract.edition.breakdowns.values()} - {None}
    asked = set(cm.distributions(extract).table["question"])
    assert asked
    assert not asked & about_people


def test_a_percentage_that_counts_a_group_is_held_to_the_minimum_both_ways():
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=1500, seed=1)
    by = ["locality_1", ("locality_1", "long_term_condition")]
    results = cm.estimate(extract, by=by).table.filter(measure="long_term_condition")
    shown = results.filter(pl.col("status") == "reported", breakdown="locality_1")
    counted = shown["base"] * shown["estimate"] / 100
    assert len(counted)
    assert counted.min() > 10
    assert (shown["base"] - counted).min() > 10
    crosses = cm.estimate(extract, by=by).table.filter(
        pl.col("breakdown").str.contains("×"), pl.col("status") != "reported", measure="staff_engagement"
    )
    # Where the cross with the condition is hidden, its share says nothing either.
    groups = set(crosses["group"].str.split(" × ").list.first())
    assert not groups & set(shown["group"])
    assert "suppressed" in set(results["status"])


def test_a_group_without_headline_answers_is_not_hidden_alone():
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=600, seed=1)
    question = extract.edition.questions["role_makes_difference"]
    few = extract.frame["locality_1"].value_counts().sort("count", "locality_1")["locality_1"][0]
    inside = pl.col("locality_1") == few
    number = pl.int_range(pl.len()).over("locality_1")
    answer = pl.when(inside).then(pl.when(number < 7).then(pl.lit(question.out_of_base[0])))
    frame = extract.frame.with_columns(
        answer.otherwise(pl.col(question.code)).cast(pl.Int8).alias(question.code)
    )
    table = cm.distributions(replace(extract, frame=frame), by=["locality_1"]).table
    own = table.filter(pl.col("status") != "reported", breakdown="locality_1", question=question.id)
    assert few in set(own["group"])
    assert own["group"].n_unique() > 1


@pytest.mark.parametrize("counts", [[3, 0, 1, 2, 2, 3, 1, 2], [2, 1, 7, 3, 2, 1, 2, 0]])
def test_where_the_reason_would_give_something_away_it_is_not_told(counts):
    counts = np.array(counts).reshape(2, 2, 2)
    table = cm.suppress(release_of(counts, pooled=True), 3).table
    assert "suppressed" in set(table["status"].cast(pl.String))
    assert cm.disclosure.audit_disclosure(table, minimum_base=3).ok
    assert open_cells(statuses(table), (2, 2, 2), 3, True) == (set(), set(), set())
    # And a table that is hidden already stays as it is.
    assert cm.suppress(table, 3).table.equals(table)


def test_suppressed_rows_do_not_say_which_interval_they_had():
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=400)
    table = cm.suppress(cm.estimate(extract, by=["locality_1"], interval="logit").table, 60).table
    assert table.filter(pl.col("status") != "reported")["interval"].is_null().all()


def test_sums_called_clearly_safe_are_safe(monkeypatch):
    """Without the quick look at counts, term by term, the same is hidden."""
    repair = importlib.import_module("culture_metrics.disclosure.repair")
    draw = np.random.default_rng(5)
    groups = [f"group {i}" for i in range(6)]
    cells = pl.DataFrame({"organisation": [f"R{i:02}" for i in range(40)]}).join(
        pl.DataFrame({"breakdown": ["all"] + ["age"] * 6, "group": ["all", *groups]}), how="cross"
    )
    cells = cells.with_columns(survey=pl.lit("own"), period=pl.lit("2024"))
    people = draw.integers(0, 40, (40, 6, 5)) * (draw.random((40, 6, 5)) < 0.9)
    base = np.concatenate([people.sum(axis=1, keepdims=True), people], axis=1).reshape(-1, 5).astype(float)
    measures = [f"measure {i}" for i in range(5)]
    quick = hidden_cells(cells, measures, base, 11)
    monkeypatch.setattr(repair._Repair, "_clearly_safe", lambda self, pairs: np.zeros(len(pairs[0]), bool))
    assert (quick > 0).sum() > 100
    assert (hidden_cells(cells, measures, base, 11) == quick).all()


def test_distributions_can_be_audited_and_hidden_with_results_and_alone():
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=400, seed=6)
    results, answers = (
        cm.estimate(extract, by=["locality_1"]).table,
        cm.distributions(extract, by=["locality_1"]).table,
    )
    assert cm.disclosure.audit_disclosure(results, distributions=answers).ok
    assert cm.disclosure.audit_disclosure(answers).ok
    assert not cm.disclosure.audit_disclosure(answers, minimum_base=25).ok
    fewer = cm.suppress(answers, 25).table
    assert fewer["base"].min() >= 25
    # Whatever is hidden of a question in a group is hidden of all its options.
    assert fewer.group_by(*CELL, "question").agg(pl.col("status").n_unique())["status"].max() == 1


def test_no_response_option_counts_fewer_than_asked():
    """Also where the question is published with its headline: both are hidden, and nothing follows."""
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=600, seed=4)
    results, answers = (
        cm.estimate(extract, by=["locality_1"]).table,
        cm.distributions(extract, by=["locality_1"]).table,
    )
    before = cm.disclosure.audit_disclosure(results, minimum_count=5, distributions=answers)
    assert {"shown", "count"} <= set(before.table["finding"])
    held, options = (one.table for one in cm.suppress(results, minimum_count=5, distributions=answers))
    assert cm.disclosure.audit_disclosure(held, minimum_count=5, distributions=options).ok
    shown = options.filter(status="reported")
    counted = (shown["percent"] * shown["base"] / 100).round(6)
    assert counted.min() >= 5
    assert (shown["base"] - counted).min() >= 5
    # Enough is left to be read, and a question is shown with all its options or with none.
    assert shown.filter(breakdown="all")["question"].n_unique() > 80
    assert options.group_by(*CELL, "question").agg(pl.col("status").n_unique())["status"].max() == 1
    # Alone they are held alike.
    assert cm.disclosure.audit_disclosure(cm.suppress(answers, minimum_count=5).table, minimum_count=5).ok


def test_a_rest_nobody_can_tell_of_protects_nobody():
    """Where a measure of the family is hidden in a sum, the people in no group cannot be told."""
    extract = cm.synthetic.respondents(2024, organisations=4, respondents_per_organisation=150, seed=3)
    assert cm.disclosure.audit_disclosure(cm.estimate(extract, by=["occupation_group"]).table).ok
