"""Attacks on all that leaves together: pages of a check, headcounts, official figures, people who are alike."""

from __future__ import annotations

import base64
import json
import re
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics import synthetic
from culture_metrics.disclosure.decision import Decision
from culture_metrics.disclosure.people import STUCK, People, hide_people
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import CultureMetricsWarning, InputWarning, ReportError
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.response_rates import response_rates
from culture_metrics.reporting.parts.browser import unsigned
from culture_metrics.study import read
from culture_metrics.study.study import Study
from tests.redteam import linear
from tests.redteam.test_side_outputs import trust

#: Rows of a file whose people answered what these checks find.
SAME_THROUGHOUT, PAST_A_FILTER = 77, 88


def answers_told_by_row(text: str, numbers: set[int]) -> set[int]:
    """Return which of some row numbers a page prints."""
    plain = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    return numbers & {int(n) for n in re.findall(r"(?<![\d.,%])\d+(?![\d.,%])", plain)}


def test_a_page_of_a_check_says_of_no_row_what_its_person_answered():
    """'The same answer to all 9 questions of q3: row 77', in a file in the order of a list of staff."""
    extract = synthetic.respondents(2024, respondents_per_organisation=120)
    grid = [c for c in extract.frame.columns if re.fullmatch("q3[a-i]", c)]
    row = pl.int_range(pl.len()) + 1
    planted = extract.frame.with_columns(
        *(pl.when(row == SAME_THROUGHOUT).then(3).otherwise(pl.col(c)).cast(pl.Int8).alias(c) for c in grid),
        *(
            pl.when(row == PAST_A_FILTER).then(code).otherwise(pl.col(c)).cast(pl.Int8).alias(c)
            for c, code in (("q11d", 2), ("q11e", 1))
        ),
    )
    report = cm.validate(replace(extract, frame=planted))
    planted_rows = {SAME_THROUGHOUT, PAST_A_FILTER}
    # Who holds the file finds them; control: the attacker reads them there.
    held = report.problems.filter(
        pl.col("rule").is_in(["the same answer throughout a grid", "answers that the filter rules out"])
    )
    assert answers_told_by_row(" ; ".join(held["examples"]), planted_rows) == planted_rows
    assert answers_told_by_row(report._repr_html_(), planted_rows) == set()


def test_a_pdf_does_not_say_which_browser_on_which_system_printed_it():
    signed = (
        rb"<</Title (Urgent Care)/Creator (Mozilla/5.0 \(X11; Linux x86_64\) Chrome/156.0.0.0)"
        rb"/Producer (Skia/PDF m156)>>"
    )
    left = unsigned(signed)
    assert len(left) == len(signed)
    assert b"(Urgent Care)" in left
    assert not re.search(rb"Mozilla|X11|156", left)


def bounded(shown: dict[str, int], whole: int, staff: dict[str, int | None]) -> dict[str, int]:
    """Bound bases of hidden groups of a breakdown by what is left and by staff; return those with one solution."""
    hidden = [name for name in staff if name not in shown]
    left = whole - sum(shown.values())
    most = {name: min(left, staff[name] or left) for name in hidden}
    low = {n: max(1, left - sum(most[m] for m in hidden if m != n)) for n in hidden}
    high = {n: min(most[n], left - (len(hidden) - 1)) for n in hidden}
    return {n: low[n] for n in hidden if low[n] == high[n]}


def test_staff_of_hidden_groups_does_not_tell_their_bases():
    """Of 13 who are left, 6 of 6 staff and 7 of 7: all of two hidden teams answered."""
    sizes = {"A": 60, "B": 40, "C": 6, "D": 7}
    frame = (
        trust(103)
        .frame.head(113)
        .with_columns(locality_1=pl.Series([name for name, n in sizes.items() for _ in range(n)]))
    )
    extract = Extract("nss_england", "2024", frame, {})
    staff = {"A": 90, "B": 50, "C": 6, "D": 7}
    counts = pl.DataFrame(
        {"Breakdown": ["locality_1"] * 4, "Group": [*staff], "Headcount": [*staff.values()]}
    )
    table = response_rates(extract, counts).table.filter(breakdown="locality_1")
    shown = {g: n for g, n in table.select("group", "base").iter_rows() if n is not None}
    assert shown == {"A": 60, "B": 40}
    assert bounded(shown, 113, staff) == {"C": 6, "D": 7}
    assert bounded(shown, 113, dict(table.select("group", "staff").iter_rows())) == {}


def test_an_organisation_of_six_has_no_report_and_no_rows_to_count(tmp_path):
    """Its figures were hidden, its rows counted: 'Rows used: 6' on the page and in the manifest."""
    both = synthetic.respondents(2024, organisations=2, respondents_per_organisation=60).frame
    small = pl.concat([both.filter(organisation="SYN01"), both.filter(organisation="SYN02").head(6)])
    path = tmp_path / "both_2024.csv"
    small.write_csv(path)
    with pytest.raises(ReportError, match="Fewer than 11") as told:
        read.study([path], "SYN02")
    assert "6" not in str(told.value)
    earlier = synthetic.respondents(2023, respondents_per_organisation=7).frame
    earlier.write_csv(tmp_path / "one_2023.csv")
    with pytest.warns(InputWarning, match="Fewer than 11 respondents of SYN01 in 2023"):
        study = read.study([path, tmp_path / "one_2023.csv"], "SYN01")
    assert [report.extract.period for report in study.reports] == ["2024"]


def test_official_figures_of_a_few_more_people_are_named():
    """Unweighted both, they give the sum of answers of the three who differ: 3 people of one measure."""
    measure = "recommend_place_to_work"
    everyone = trust(103)
    everyone = replace(everyone, frame=everyone.frame.head(70), decision=Decision())
    official = cm.estimate(everyone).table.with_columns(source=pl.lit("published", pl.Enum(["published"])))
    own = everyone.frame
    file = replace(everyone, frame=own.head(67), decision=Decision())
    study = Study(
        reports=(), extracts=(file,), published=(), organisation="RXX", year="2024", by=(), rule=Rule(11),
    )  # fmt: skip
    both = [
        t.filter(organisation="RXX", measure=measure, breakdown="all").row(0, named=True)
        for t in (official, study.suppressed[0].table)
    ]
    sums = [row["estimate"] * row["base"] / 100 for row in both]
    # Control: the attacker takes one from the other.
    assert round(sums[0] - sums[1], 6) == own.tail(3)["q25c"].is_in([4, 5]).sum()
    for missing, said in ((3, True), (0, False), (30, False)):
        part = replace(file, frame=own.head(70 - missing), decision=Decision())
        beside = replace(study, extracts=(part,), published=(published(official, study),))
        assert any("fewer than 11 people" in one for one in beside.cautions) == said, missing


def published(table: pl.DataFrame, study: Study):
    return SimpleNamespace(
        results=SimpleNamespace(table=table),
        period=study.year,
        survey="nss_england",
        edition=study.edition,
        provenance={},
        organisations=pl.DataFrame({"organisation": ["RXX"], "benchmark_group": [None], "name": [None]}),
    )


@pytest.mark.parametrize(
    ("organisations", "people", "by"),
    [(6, 90, ["locality_1", "locality_2"]), (1, 200, ["locality_1"])],
    ids=["by pairs", "one breakdown"],
)
def test_whom_a_whole_leaves_over_is_not_all_alike(organisations, people, by):
    """Where people are not looked at one by one: the 26 of hidden directorates were all of one opinion."""
    extract = synthetic.respondents(
        2024, organisations=organisations, respondents_per_organisation=people, seed=21
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = cm.estimate(extract, by=by).table
    assert (extract.decision.not_looked_at is not None) == (len(by) > 1)
    rows = table.filter(pl.col("unit").cast(pl.String) == "percent", pl.col("organisation") != "all")
    assert left_alike(rows.filter(pl.col("status").cast(pl.String) == "reported")).height == 0


def left_alike(shown: pl.DataFrame) -> pl.DataFrame:
    """Take the groups off their whole: of which measures are all who are left on one side?"""
    sides = shown.with_columns(
        yes=(pl.col("estimate") * pl.col("base") / 100).round(), all=pl.col("base").cast(pl.Int64)
    )
    key = ["organisation", "measure"]
    whole = sides.filter(breakdown="all").select(*key, whole_yes="yes", whole="all")
    groups = sides.filter(pl.col("breakdown") != "all").group_by(*key, "breakdown")
    left = groups.agg(pl.col("yes", "all").sum()).join(whole, on=key)
    left = left.with_columns(yes=pl.col("whole_yes") - pl.col("yes"), left=pl.col("whole") - pl.col("all"))
    mixed = pl.col("whole_yes").is_between(1, pl.col("whole") - 1)
    return left.filter(mixed, pl.col("left") > 0, (pl.col("yes") == 0) | (pl.col("yes") == pl.col("left")))


def test_fourteen_people_who_all_agree_do_not_follow_from_a_part_and_the_whole():
    """60 of 74 were shown before: 41 of 74 less 27 of 60 leaves 14 of 14."""
    extract = trust(103)
    frame = extract.frame.head(74)
    row = pl.int_range(pl.len())
    frame = frame.with_columns(q25c=pl.when(row < 60).then("q25c").otherwise(4).cast(pl.Int8))
    whole = replace(extract, frame=frame, decision=Decision())
    part = replace(whole, frame=frame.head(60))
    first, second = (
        cm.estimate(e).table.filter(measure="recommend_place_to_work").row(0, named=True)
        for e in (part, whole)
    )
    assert first["base"] == 60
    assert (second["base"], second["estimate"]) == (None, None)


def test_what_cannot_be_hidden_any_more_is_said():
    """One of 30 is left over by groups none of which may be hidden."""
    groups = np.array([[1.0, 1.0], [1.0, 0.0]])
    nothing = np.zeros((2, 1), bool)
    people = People(
        groups=groups,
        counts=np.array([[29.0, 29.0], [1.0, 1.0]]),
        family=np.array([0, 0]),
        sides=np.zeros((2, 0)),
        of_side=np.zeros(0, np.int64),
        cost=np.full(2, np.inf),
        table=np.array([0, 1]),
    )
    with pytest.warns(CultureMetricsWarning, match=re.escape(STUCK[:40])):
        hide_people(people, nothing, nothing, linear.MOST + 1)


def drawn(figure) -> dict[str, list[float]]:
    """Read the numbers of a heat map behind its hover texts, by the group that they name."""
    found: dict[str, list[float]] = {}
    for trace in (t for t in json.loads(figure.to_json(engine="json"))["data"] if t["type"] == "heatmap"):
        for words, numbers in zip(trace["hovertext"], decoded(trace["z"]), strict=True):
            named = re.search(r"<b>(.*?)</b>", " ".join(filter(None, words)))
            if named:
                held = found.setdefault(named[1], [])
                held += [n for n in numbers if n is not None and not np.isnan(n)]
    return found


def decoded(numbers):
    if isinstance(numbers, list):
        return numbers
    shape = [int(n) for n in str(numbers["shape"]).split(",")]
    return np.frombuffer(base64.b64decode(numbers["bdata"]), numbers["dtype"]).reshape(shape).tolist()


def test_a_figure_holds_no_number_and_no_name_of_a_hidden_group():
    extract = trust(103)
    small = {g for g, n in extract.frame["locality_1"].value_counts().iter_rows() if n <= linear.MOST}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Control: what nobody protects is read.
        bare = cm.estimate(replace(extract, decision=Decision()), by=["locality_1"], minimum_base=1)
        both = (bare, cm.estimate(extract, by=["locality_1"]))
        figures = [results.heat_map("locality_1", measures=["advocacy"]) for results in both]
    open_, held = map(drawn, figures)
    assert small and all(open_[name] for name in small)
    assert not small & {*held}
    assert [n for name, n in held.items() if "fewer than 11" in name] == [[]]
