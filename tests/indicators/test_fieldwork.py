"""Response over fieldwork: right counts, and no step of few people, of a group or of everybody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from scipy import stats

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError, ExtractError
from culture_metrics.extracts.dates import ResponseDates
from culture_metrics.indicators.fieldwork import response_over_fieldwork
from culture_metrics.indicators.response_rates import response_rates

FIRST = date(2024, 9, 23)
#: Group, answers on each day of fieldwork that has some. Four of Estates answered on the last day.
RETURNS = {
    "Surgery": {0: 40, 8: 30, 15: 20},
    "Medicine": {0: 30, 8: 30, 15: 12},
    "Estates": {0: 12, 8: 11, 15: 4},
}
WINDOW = (FIRST, FIRST + timedelta(days=60))
LEAST = 11


def made(returns, extra=()):
    who = [
        (g, FIRST + timedelta(days=d))
        for g, days in returns.items()
        for d, n in days.items()
        for _ in range(n)
    ]
    who += list(extra)
    base = cm.synthetic.respondents(2024, respondents_per_organisation=len(who), seed=1)
    frame = (
        base.frame.with_columns(
            pl.Series("locality_1", [g for g, _ in who], pl.String), pl.lit("RXX").alias("organisation")
        )
        .drop("row", strict=False)
        .with_row_index("row", offset=2)
    )
    days = frame.select("row").with_columns(date=pl.Series([d for _, d in who], dtype=pl.Date)).drop_nulls()
    words = {"renamed": {"Directorate": "locality_1"}}
    return replace(base, frame=frame, provenance=words, dates=ResponseDates(days, "Submitted", "day first"))


def rates(extract, window=WINDOW):
    staff = extract.frame["locality_1"].drop_nulls().value_counts(name="n")
    table = pl.DataFrame(
        {
            "Directorate": [*staff["locality_1"], "Total"],
            "Headcount": [*(staff["n"] * 2), extract.frame.height * 2],
        }
    )
    return response_rates(extract, table, fieldwork=window)


def over_fieldwork(extract, window=WINDOW):
    """As `response_rates` does it, without the decision which rates are shown: those of eleven and more."""
    groups = (
        extract.frame["locality_1"].drop_nulls().value_counts(name="base").filter(pl.col("base") >= LEAST)
    )
    every = [("all", "all", extract.frame.height), *(("locality_1", *row) for row in groups.iter_rows())]
    rates = pl.DataFrame(every, ["breakdown", "group", "base"], orient="row").select(
        pl.lit("RXX").alias("organisation"), "breakdown", "group", "base",
        (pl.col("base") * 2).cast(pl.UInt32).alias("staff"), status=pl.lit("reported"),
    )  # fmt: skip
    return response_over_fieldwork(extract, rates, LEAST, window)


@pytest.fixture(scope="module")
def extract():
    return made(RETURNS)


def test_the_whole_adds_up_day_by_day(extract):
    """82 + 71 + 36 answers of 378 staff, as they stand above."""
    over = rates(extract).over_fieldwork()
    whole = over.table.filter(breakdown="all")
    assert whole["base"].to_list() == [82, 153, 189]
    assert whole["until"].to_list() == [FIRST + timedelta(days=d) for d in (0, 8, 60)]
    assert whole["estimate"].to_list() == pytest.approx([100 * n / 378 for n in (82, 153, 189)])
    assert over.summary() == (
        "RXX: half of the answers were in by 1 October 2024, day 9 of fieldwork; 50.0% of the staff had answered "
        "by its end, 22 November 2024."
    )
    assert over.figure().layout.meta["alt"].startswith("Half of the answers were in by 1 October 2024, day 9")


def steps_of(over, extract):
    """How many people answered in each step of each group, and of those who are not shown."""
    groups = over.table.filter(pl.col("breakdown") != "all")
    ends = groups["until"].unique().sort().to_list()
    every = extract.frame.join(extract.dates.table, on="row", how="left")
    step = lambda day: next((e for e in ends if day is not None and day <= e), ends[-1])  # noqa: E731
    people = every.with_columns(
        step=pl.col("date").map_elements(step, return_dtype=pl.Date, skip_nulls=False),
        who=pl.when(pl.col("locality_1").is_in(groups["group"].unique().to_list())).then("locality_1"),
    )
    return people.group_by("who", "step").len()


@pytest.mark.parametrize(
    "returns",
    [
        RETURNS,
        # A hidden group of five: with every other group shown, everybody else would be those five.
        {**RETURNS, "Chaplaincy": {0: 2, 8: 3}},
        # Steps that fit no small group: coarser ones do.
        {**RETURNS, "Pharmacy": {1: 9, 9: 9, 16: 9}, "Digital": {2: 13, 10: 2, 17: 12}},
        # Somebody in no group at all.
        {**RETURNS, None: {0: 3}},
    ],
)
def test_no_step_is_of_few_people_of_a_group_or_of_the_rest(returns):
    extract = made(returns)
    over = over_fieldwork(extract)
    whole = over.table.filter(breakdown="all")
    assert whole["base"].diff().fill_null(whole["base"][0]).min() >= LEAST
    steps = steps_of(over, extract)
    assert steps["len"].min() >= LEAST and over.table.filter(breakdown="locality_1").height > 0
    # What is shown adds up: the last step of a group is its own number of answers.
    last = over.table.filter(breakdown="locality_1").group_by("group").agg(pl.col("base").max())
    assert dict(last.iter_rows()) == {g: sum(returns[g].values()) for g in last["group"]}
    assert over.groups().frame.height == last.height


def test_answers_without_a_day_or_outside_fieldwork_count_at_the_end_and_few_are_not_counted():
    """Ten days before fieldwork, four after it, three without a day: nobody can tell them from the last step."""
    odd = [("Surgery", FIRST - timedelta(days=10))] * 2 + [("Surgery", date(2026, 1, 1))] * 2
    over = over_fieldwork(made(RETURNS, [*odd, *[("Surgery", None)] * 3]))
    assert over.table.filter(breakdown="all")["base"].to_list() == [82, 153, 196]
    said = " ".join(over.rules())
    assert (
        "Fewer than 11 answers without a date" in said
        and "fewer than 11 answers with a date before 23" in said.lower()
    )
    assert "read with the day first" in said
    many = over_fieldwork(made(RETURNS, [("Surgery", date(2020, 12, 31))] * 12))
    assert any(text.startswith("12 answers with a date before 23 September 2024") for text in many.rules())
    # Without days of fieldwork those of the year of the survey count.
    free = over_fieldwork(made(RETURNS, [("Surgery", date(2020, 12, 31))] * 12), None)
    # Its first and last days are no one's own: Monday of the first answer, Sunday of the last.
    assert (free.start, free.table["until"].max()) == (FIRST, date(2024, 10, 13))
    middle = [("Surgery", FIRST + timedelta(days=d)) for d in (-3, 24)]
    free = over_fieldwork(made(RETURNS, middle), None)
    assert (free.start, free.table["until"].max()) == (date(2024, 9, 16), date(2024, 10, 20))


def test_without_days_it_says_so(extract):
    with pytest.raises(ExtractError, match="no column was named"):
        rates(replace(extract, dates=None)).over_fieldwork()
    for wrong, said in (((FIRST, FIRST), "ends before"), (("23/09/2024", None), "no day of fieldwork")):
        with pytest.raises(CultureMetricsError, match=said):
            over_fieldwork(extract, wrong)


def test_late_answers_beside_early_ones(extract):
    """The interval is that of scipy's Welch test."""
    found = cm.compare.early_and_late(extract, fieldwork=WINDOW)
    assert found.until == FIRST + timedelta(days=8)
    scores = cm.score(extract).with_columns(extract.frame["row"]).join(extract.dates.table, on="row")
    early, late = (
        scores.filter(side)["morale"].drop_nulls()
        for side in (pl.col("date") <= found.until, pl.col("date") > found.until)
    )
    test = stats.ttest_ind(late, early, equal_var=False)
    row = found.table.filter(measure="morale").row(0, named=True)
    interval = test.confidence_interval()
    assert (row["estimate"], row["df"]) == pytest.approx((late.mean() - early.mean(), test.df))
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(tuple(interval))
    assert "stand" in found.summary() and "nothing in the survey says" in found.rules()[1]
    with pytest.raises(ExtractError, match="Too few answers"):
        cm.compare.early_and_late(extract, minimum_base=50, fieldwork=WINDOW)
