"""What estimates are asked for that cannot be, said clearly and without a respondent's value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import Design, distributions, estimate, estimate_values, rake, replicate, synthetic
from culture_metrics.errors import CultureMetricsError, CultureMetricsWarning, ExtractError, UnknownNameError
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.breakdowns import crossed, group_columns

SECRET = "my secret answer"


@pytest.fixture(scope="module")
def extract() -> Extract:
    return synthetic.respondents(2024, respondents_per_organisation=60, seed=3)


def test_a_cross_in_another_order_is_the_same_cross(extract):
    """It would be in the table twice, under two names, and the search for what follows would not end."""
    one, other = ("locality_1", "locality_2"), ("locality_2", "locality_1")
    assert crossed([one, "age", other]) == {"locality_1 × locality_2": one, "age": ("age",)}
    assert estimate(extract, [one, other]).table.equals(estimate(extract, [one]).table)


def test_a_text_is_one_breakdown(extract):
    assert estimate(extract, "age").table.equals(estimate(extract, ["age"]).table)


@pytest.mark.parametrize("work", [estimate, distributions])
def test_nobody_is_no_extract(extract, work):
    with pytest.raises(ExtractError, match="no respondents"):
        work(replace(extract, frame=extract.frame.clear()), ["occupation_group"])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0, -5, "many", None])
def test_a_population_is_a_number_of_people(bad):
    with pytest.raises(ExtractError, match="no number of people") as caught:
        Design(population={"SYN01": bad, "SYN02": 900})
    assert caught.value.where == "strata SYN01"


@pytest.mark.parametrize(
    "ask",
    [
        lambda frame: estimate_values(frame, ["text"]).table,
        lambda frame: estimate_values(frame, ["number"], over="text").table,
        lambda frame: estimate_values(frame, ["number"], weights="text").table,
        lambda frame: estimate_values(frame, ["number"], ["list"]).table,
        lambda frame: estimate_values(frame, ["number"], design=Design(strata="list")).table,
    ],
)
def test_values_that_are_no_numbers_are_not_quoted(ask):
    frame = pl.DataFrame({"text": [SECRET] * 30, "number": 1.0, "list": [[SECRET]] * 30})
    with pytest.raises(CultureMetricsError) as caught:
        ask(frame)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("column", ["q35", "q25c", "q2a"])
@pytest.mark.parametrize("values", [pl.lit(SECRET), pl.lit([SECRET])])
def test_answers_that_are_no_codes_are_not_quoted(extract, column, values):
    spoilt = replace(extract, frame=extract.frame.with_columns(values.alias(column)))
    margins = {"occupation_group": {"Other": 1.0}}
    asks = (
        lambda: estimate(spoilt, ["occupation_group"]).table,
        lambda: distributions(spoilt, ["occupation_group"]).table,
        lambda: replicate(spoilt, ["occupation_group"], measures=["motivation", "q25c"], draws=2),
        lambda: rake(spoilt, margins),
    )
    for ask in asks:
        try:
            ask()
        except CultureMetricsError as error:
            assert "secret" not in str(error)


def test_staff_in_post_must_be_numbers(extract):
    columns = {"organisation": "SYN01", "breakdown": "gender", "group": "Female", "staff": "1,200"}
    with pytest.raises(ExtractError, match="must be numbers"):
        rake(extract, pl.DataFrame(columns))


@pytest.mark.parametrize("measures", [[], ["morale", "morale"]])
def test_measures_are_named_once(extract, measures):
    frame = pl.DataFrame({"morale": [1.0] * 30})
    for ask in (
        lambda: replicate(extract, measures=measures),
        lambda: estimate_values(frame, measures).table,
    ):
        with pytest.raises(ExtractError, match="each once"):
            ask()


@pytest.mark.parametrize("draws", [0, 1, -3, 2.5])
def test_there_must_be_draws(extract, draws):
    with pytest.raises(ExtractError, match="not enough draws"):
        replicate(extract, measures=["morale"], draws=draws)


# What lies in what: groups of the catalogue, and of one's own --------------------------------------------------


def nested(edition) -> pl.DataFrame:
    """Occupations in their groups; the first group has 40 in one and 5 in another."""
    groups = edition.breakdown("occupation_group").groups
    inner = edition.breakdown("occupation").groups
    occupations = {code: name for name, codes in inner.items() for code in codes}
    rows = []
    for group in [*groups][:3]:
        sizes = (40, 5) if not rows else (30, 20)
        rows += [
            (group, occupations[c]) for c, n in zip(groups[group], sizes, strict=False) for _ in range(n)
        ]
    return pl.DataFrame(rows, schema=["occupation_group", "occupation"], orient="row").with_columns(days=1.0)


def told(table: pl.DataFrame, pairs: pl.DataFrame) -> list[str]:
    """Groups that are shown with all of their parts but one."""
    status = table.with_columns(shown=pl.col("status") == "reported")
    parts = status.filter(breakdown="occupation").join(pairs.unique(), left_on="group", right_on="occupation")
    one = parts.group_by("occupation_group").agg((~pl.col("shown")).sum().alias("hidden")).filter(hidden=1)
    shown = status.filter(pl.col("shown"), breakdown="occupation_group")
    return shown.join(one, left_on="group", right_on="occupation_group")["group"].to_list()


def test_replicates_of_nested_breakdowns_are_protected():
    extract = synthetic.respondents(2024, respondents_per_organisation=400, seed=1)
    by = ["occupation_group", "occupation"]
    table = replicate(extract, by, measures=["staff_engagement"], draws=20).table
    pairs = extract.frame.select(**group_columns(extract, by)).cast(pl.String)
    assert told(table, pairs) == []


def test_values_of_nested_breakdowns_are_protected(extract):
    frame = nested(extract.edition)
    pairs = frame.select("occupation_group", "occupation")
    by = ["occupation_group", "occupation"]
    assert pairs["occupation_group"][0] not in told(estimate_values(frame, ["days"], by).table, pairs)
    known = estimate_values(frame, ["days"], by, survey="nss_england", period="2024").table
    assert told(known, pairs) == []
    parents = frame.select(
        pl.lit("occupation").alias("breakdown"),
        pl.col("occupation").alias("group"),
        pl.lit("occupation_group").alias("parent_breakdown"),
        pl.col("occupation_group").alias("parent_group"),
    ).unique()
    assert told(estimate_values(frame, ["days"], by, parents=parents).table, pairs) == []
    for wrong in ({"survey": "nss"}, {"survey": "nss_england", "period": "1999"}, {"period": "2024"}):
        with pytest.raises(UnknownNameError):
            estimate_values(frame, ["days"], by, **wrong)


@pytest.mark.parametrize("weights", [None, "pw"])
@pytest.mark.parametrize("seed", range(4))
def test_no_few_values_are_left_over_of_a_directorate(seed, weights):
    rng = np.random.default_rng(seed)
    directorate = rng.choice(4, 200)
    ward = directorate * 6 + rng.choice(6, 200, p=[0.35, 0.3, 0.2, 0.09, 0.03, 0.03])
    frame = pl.DataFrame({"directorate": directorate, "ward": ward}).cast(pl.String)
    frame = frame.with_columns(
        days=pl.Series(np.where(rng.random(200) < 0.1, np.nan, rng.random(200)), nan_to_null=True),
        nights=1.0,
        pw=pl.Series(np.where(directorate < 2, 1.0, 2.5)),
    )
    table = estimate_values(frame, ["days", "nights"], ["directorate", "ward"], weights=weights).table
    shown = table.filter(status="reported")
    assert shown.filter(breakdown="ward").height
    for name in ("days", "nights"):
        groups = {b: g for (b,), g in shown.filter(measure=name).group_by("breakdown")}
        there = frame.filter(pl.col(name).is_not_null())
        for unit in groups.get("directorate", shown.clear())["group"].to_list():
            left = there.filter(pl.col("directorate") == unit, ~pl.col("ward").is_in(groups["ward"]["group"]))
            assert not 0 < left.height < 11


@pytest.mark.parametrize("column", ["row", "q25c"])
def test_row_numbers_and_answers_are_no_weights(extract, column):
    frame = extract.frame.with_row_index("row", offset=1)
    with pytest.raises(UnknownNameError, match="weighting"):
        estimate(replace(extract, frame=frame), weights=column)


@pytest.mark.parametrize("work", [estimate, distributions])
def test_a_breakdown_in_which_nobody_has_a_group_is_said(extract, work):
    empty = replace(extract, frame=extract.frame.with_columns(locality_1=pl.lit(None, pl.String)))
    with pytest.warns(CultureMetricsWarning, match="No respondent has a group in locality_1"):
        table = work(empty, by=["locality_1", "gender"]).table
    assert set(table["breakdown"]) == {"all", "gender"}
