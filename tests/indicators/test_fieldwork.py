"""Response over fieldwork: right counts, and no step of few people, of a group or of everybody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from scipy import stats

import culture_metrics as cm
from culture_metrics.compare.early_late import with_halves
from culture_metrics.disclosure.decision import Decision
from culture_metrics.disclosure.ledger import About, read_ledger, write_ledger
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


#: Three weeks of 30 answers a day but on Sundays; who of them was asked last answered on the first Sunday.
WEEKS = [FIRST + timedelta(days=d) for d in range(20) if d not in (6, 13)]
SUNDAY = FIRST + timedelta(days=6)


def three(late_one=SUNDAY, extra=()):
    days = [*[WEEKS[n % 18] for n in range(299)], late_one]
    return made({}, [*((f"Dir {'ABC'[n % 5 % 3]}", day) for n, day in enumerate(days)), *extra])


def left_over(extract, found):
    """What all less early less late answers leave over: how many people by measure, and their sum."""
    whole = cm.estimate(extract).table.filter(breakdown="all").select("measure", "base", all="estimate")
    both = whole.join(found.table, on="measure")
    return both.select(
        people=pl.col("base").cast(pl.Int64) - pl.col("base_early") - pl.col("base_late"),
        score=pl.col("all") * pl.col("base")
        - pl.col("early") * pl.col("base_early")
        - pl.col("late") * pl.col("base_late"),
    )


def test_no_few_people_stand_between_steps_of_the_whole_and_of_its_groups():
    """The groups are everybody: what they add up to at their steps is the whole, by a day more or less."""
    table = rates(three(), None).over_fieldwork().table
    whole = table.filter(breakdown="all")
    groups = table.filter(breakdown="locality_1").group_by("until").agg(pl.col("base").sum(), pl.len())
    assert groups["len"].to_list() == [3] * groups.height and groups.height == 3
    between = groups.join(whole, how="cross").select(pl.col("base").cast(pl.Int64) - pl.col("base_right"))
    assert between.filter(pl.col("base").abs().is_between(1, LEAST - 1)).is_empty()


@pytest.mark.parametrize("odd", [[None], [date(2031, 1, 1)], [None] * 12 + [date(2020, 1, 1)] * 15])
def test_all_less_early_less_late_is_nobody_or_many(odd):
    extract = three(extra=[("Dir A", day) for day in odd])
    found = cm.compare.early_and_late(extract)
    left = left_over(extract, found)
    assert found.table.height == 9
    if len(odd) == 1:
        assert left["people"].to_list() == [0] * 9 and left["score"].to_list() == pytest.approx([0] * 9)
        assert "Answers without a day in fieldwork are late." in found.rules()[0]
    else:
        assert left["people"].is_between(LEAST, len(odd)).all() and "in neither half" in found.rules()[0]
    over = rates(extract, None).over_fieldwork()
    # Both speak of one day, by when half of all answers were in.
    assert f"half of the answers were in by {found.until.day} {found.until:%B %Y}" in over.summary()


def test_halves_that_are_nearly_a_group_are_not_shown_beside_it():
    """Surgery answered first, with three of Medicine: its scores and those of the early half are theirs."""
    extract = made({"Surgery": {0: 60}, "Medicine": {0: 3, 8: 60}})
    assert cm.compare.early_and_late(extract, fieldwork=WINDOW).table.height == 9
    extract = replace(extract, decision=Decision())
    assert cm.estimate(extract, by=["locality_1"]).table.filter(group="Surgery")["estimate"].count() > 9
    with pytest.raises(ExtractError, match="beside other results few people's scores would follow"):
        cm.compare.early_and_late(extract, fieldwork=WINDOW)


def test_days_that_were_shown_first_stand(tmp_path):
    """A window that is a day longer, or one date that is another, tells of one person."""
    extract, longer = three(), (FIRST, SUNDAY + timedelta(days=14))
    shorter = (FIRST, SUNDAY + timedelta(days=12))
    over = rates(extract, longer).over_fieldwork()
    first = cm.compare.early_and_late(extract, fieldwork=longer)
    ledger = tmp_path / "ledger.json"
    about = lambda e: About(e.survey, e.period, with_halves(e, LEAST), [*e.edition.columns], e.decision)  # noqa: E731
    write_ledger(ledger, [about(extract)])
    assert "Dir A" not in ledger.read_text().split('"days"')[1] and "2024-0" not in ledger.read_text()
    corrected = three(SUNDAY - timedelta(days=1))
    for one, window in ((extract, shorter), (corrected, longer)):
        again = replace(one, decision=Decision())
        read_ledger(ledger, [about(again)])
        assert again.decision.days == extract.decision.days and again.decision.days
        with pytest.raises(ExtractError, match="shown before for the same people with other days"):
            rates(again, window).over_fieldwork()
        with pytest.raises(ExtractError, match="was shown before"):
            cm.compare.early_and_late(again, fieldwork=window)
    again = replace(extract, decision=Decision())
    read_ledger(ledger, [about(again)])
    table = rates(again, longer).over_fieldwork().table
    assert table.sort("group", "until").equals(over.table.sort("group", "until"))
    assert cm.compare.early_and_late(again, fieldwork=longer).table.equals(first.table)


def test_groups_that_were_shown_first_stand():
    """A second breakdown beside the first would tell of parts of both."""
    extract = three()
    assert over_fieldwork(extract).table["breakdown"].n_unique() == 2
    other = extract.frame.with_columns(pl.col("locality_1").replace({"Dir B": "Dir A"}))
    over = over_fieldwork(replace(extract, frame=other))
    assert over.groups() is None and "others of the same people" in " ".join(over.rules())


def test_what_is_few_of_two_numbers_is_not_said_through_the_other():
    """Twelve before fieldwork, three without a day: their sum alone is said."""
    over = over_fieldwork(three(extra=[*[("Dir A", FIRST - timedelta(days=9))] * 12, *[("Dir A", None)] * 3]))
    said = " ".join(over.notes)
    assert said.count("15 answers without a date") == 1 and "12" not in said and "ewer" not in said


def test_a_number_of_staff_that_nobody_has_is_set_aside(extract):
    table = pl.DataFrame({"Directorate": ["Surgery", "Medicine"], "Headcount": [2**40, 200]})
    found = response_rates(extract, table, fieldwork=WINDOW)
    assert found.table["group"].to_list() == ["Medicine"] and found.headcounts.set_aside
