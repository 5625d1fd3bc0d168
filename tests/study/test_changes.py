"""Year on year for the notebooks: what is shown, and the sentence where there is nothing to show."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from culture_metrics import compare_years, study, synthetic, validate
from culture_metrics.contract import as_results
from culture_metrics.errors import ReportError
from culture_metrics.reporting.run import NOTEBOOKS
from culture_metrics.study.example import DEPARTMENT, FALL, RISE, SMALL_TEAM
from culture_metrics.study.files import Told, rows_table
from culture_metrics.study.opening import KINDS
from culture_metrics.wording.numbers import MINUS


@pytest.fixture(scope="module")
def data(example_study):
    return example_study


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Inputs of two years in which so many answered."""

    def make(people):
        place = tmp_path_factory.mktemp("tiny")
        for year in (2023, 2024):
            extract = synthetic.respondents(year, respondents_per_organisation=people)
            extract.frame.write_csv(place / f"{year}.csv")
        return study(sorted(place.iterdir()))

    return make


def test_a_study_compares_as_its_measures_go_together_in_both_years(data):
    """What `estimate` knows of that survives what is decided for the whole release."""
    assert [known.period for known in data.results._correlations] == ["2023", "2024"]
    (code,) = data.results._correlations[0].of
    assert code == data.organisation


def test_draws_a_map_for_every_breakdown_and_the_staff_mix(data):
    change = data.compare_years()
    maps = change.heat_maps(data.by).figures
    assert ["occupation group" in maps[0].layout.meta["alt"], "locality 1" in maps[1].layout.meta["alt"]]
    figure, mix = data.staff_mix("recommend_place_to_work").figures
    assert mix.labels == {"occupation_group": "Occupation group"}
    assert mix.measure.label in figure.layout.meta["alt"]


def test_measures_barred_for_one_reason_stand_together(data):
    table = data.compare_years().not_comparable()
    assert table.caption == "12 measures may not be compared"
    assert table.frame.height == table.frame["Why"].n_unique() == 2


def test_the_summary_counts_the_organisation_first_and_what_is_held_back_apart(data):
    change = data.compare_years()
    whole = change.table.filter(breakdown="all")
    said = change.summary()
    first = whole.filter(measure="morale").row(0, named=True)
    assert first["verdict"] == "declined" and said.startswith(
        "Morale fell from 5.93 in 2023 to 5.73 in 2024 ("
    )
    told = dict(whole["verdict"].value_counts().iter_rows())
    counts = [
        f"{told[one]} {one}"
        for one in ("improved", "declined", "likely improved", "likely declined")
        if one in told
    ]
    assert f"2023 to 2024: of {whole.height} measures {', '.join(counts)}," in said
    assert "12 may not be compared. " in said
    hidden = change.table.filter(pl.col("status").str.starts_with("suppressed"))
    assert said.endswith(f"and {hidden.height:,} are held back.")


def test_without_breakdowns_a_sentence_stands_for_the_maps(data):
    bare = replace(data, by=())
    found = bare.compare_years().heat_maps(bare.by)
    assert (found.figures, "no groups to show" in found.otherwise) == ((), True)


def test_staff_mix_takes_other_groups_where_occupation_is_not_known(data):
    question = data.edition.breakdowns["occupation_group"].question
    codes = [e.edition.questions[question].code for e in data.extracts]
    extracts = tuple(
        replace(e, frame=e.frame.drop(code)) for e, code in zip(data.extracts, codes, strict=True)
    )
    bare = replace(data, extracts=extracts, by=("locality_1",))
    _, mix = bare.staff_mix("recommend_place_to_work").figures
    assert list(mix.labels) == ["locality_1"]
    none = replace(bare, by=()).staff_mix("recommend_place_to_work")
    assert (none.figures, "staff mix is not known" in none.otherwise) == ((), True)


def test_one_year_is_not_compared(data):
    first = replace(data, year="2023")
    assert data.why_no_change == ""
    assert first.why_no_change == "only one year of respondent files was given"
    with pytest.raises(ReportError, match="takes two respondent files"):
        first.two_years()


def test_a_handful_of_people_is_not_compared(tiny):
    with pytest.raises(ReportError, match="Fewer than 11 respondents of SYN01 in 2023, 2024"):
        tiny(8)


def test_a_small_organisation_has_sentences_where_groups_are_hidden(tiny):
    data = tiny(15)
    assert data.why_no_change == ""
    change = data.compare_years()
    assert all("no change may be compared" in m.layout.meta["alt"] for m in change.heat_maps(data.by).figures)
    found = data.staff_mix("recommend_place_to_work")
    assert (found.figures, "cannot be split" in found.otherwise) == ((), True)


def test_groups_that_are_held_back_are_not_called_incomparable(data):
    note = data.compare_years().hidden().note
    assert "with fewer than 11 people, or that would give those away" in note
    assert "Chaplaincy" not in note
    assert "held back or may not be compared" in note


def test_the_first_screen_tells_the_planted_story(data):
    """The fall, its chief department, the rise and the gap are found again; the small team is named nowhere."""
    opening = data.stands_out()
    changed = [line.sentence for line in opening.lines if line.kind == "changed"]
    (fall,) = [text for text in changed if text.startswith(f"By directorate: {FALL} fell in")]
    assert f"in it chiefly department {DEPARTMENT} (" in fall
    assert any(text.startswith(f"By directorate: {RISE} rose in") for text in changed)
    gaps = [line.sentence for line in opening.lines if line.kind == "equality"]
    assert gaps[0].startswith("With a long-term condition, against Without a long-term condition: worse")
    assert any("With a long-term condition in morale widened beyond chance" in text for text in gaps)
    page = " ".join(opening.said)
    assert SMALL_TEAM not in page and "Chaplaincy" not in page
    # A sentence each, none of them a wall of text; counts of verdicts stay in the chapter.
    assert max(map(len, opening.said)) < 330 and "no clear change" not in page


def test_every_line_of_the_first_screen_has_a_kind_and_a_chapter(data):
    opening = data.stands_out()
    kinds = [line.kind for line in opening.lines]
    assert sorted(set(kinds), key=[*KINDS].index) == list(dict.fromkeys(kinds))
    assert {line.chapter for line in opening.lines} <= {*NOTEBOOKS}
    assert [question for question, _ in opening.by_question()] == [KINDS[k] for k in dict.fromkeys(kinds)]
    assert opening.of("05_equality") == tuple(t.sentence for t in opening.lines if t.kind == "equality")


def test_gaps_are_those_of_the_year_that_a_study_is_about(data):
    """A study of an earlier year spoke of the gaps of the last one."""
    first = replace(data, year="2023").stands_out()
    own = data.equality_gaps().table.filter(period="2023", indicator="WDES 9a")
    (told,) = [text for text in first.of("05_equality") if "WDES 9a" in text]
    assert f"{MINUS}{-own['gap'][0]:.2f}" in told
    assert not any("widened" in text for text in first.said)


def test_of_one_year_the_parts_that_stand_apart_are_named(data):
    opening = replace(data, year="2023").stands_out()
    inside = [line.sentence for line in opening.lines if line.kind == "inside"]
    assert inside and all(text.startswith("By ") and "beyond chance" in text for text in inside)
    # Groups of an equality standard stand under their own question.
    assert not any("long-term" in text for text in inside)


def test_a_group_that_one_year_holds_back_is_said_to_be_lost_and_why(data):
    lost = (pl.col("group") == FALL) & (pl.col("period") == "2024")
    numbers = ("estimate", "std_error", "conf_low", "conf_high", "interval", "base", "effective_base")
    hidden = data.results.table.with_columns(
        *(pl.when(~lost).then(pl.col(c)).alias(c) for c in numbers),
        status=pl.when(lost).then(pl.lit("suppressed")).otherwise(pl.col("status").cast(pl.String)),
    )
    results = replace(data.results, table=as_results(hidden))
    (note,) = [n for n in compare_years(results, 2023, 2024).rules() if "held back in one year" in n]
    few = "(too few answers, or withheld so that a small group cannot be worked out)."
    own = "Groups of directorate held back in one year are not compared: Mental Wellbeing in 2023; "
    assert note == f"{own}{FALL}, Research and Education in 2024 {few}"
    assert f"{own}Research and Education in 2024 {few}" in data.compare_years().rules()


def test_groups_that_are_not_shown_are_counted(data):
    """Of the directorates of the file some are hidden: the summary says how many, as `held_back` does."""
    shown = data.suppressed[0].table.filter(pl.col("breakdown") == "locality_1").group_by("group")
    seen = shown.agg((pl.col("status") == "reported").any()).get_column("status").sum()
    of_all = data.suppressed[0].table.filter(breakdown="locality_1")["group"].n_unique()
    assert of_all == 11 and seen < of_all
    assert f"by Directorate ({seen} groups shown, {of_all - seen} not)" in repr(data.results)
    assert f"by Directorate ({seen} groups shown, {of_all - seen} not)" in data.suppressed[0].summary()


def test_the_head_of_the_report_has_the_verdict_of_the_check(data):
    """A file with warnings is not simply ready to use."""
    early = synthetic.respondents(2025, respondents_per_organisation=60)
    report = validate(replace(early, period="2026"))
    assert report.verdict == "Ready to use, with warnings."
    assert rows_table([Told(report, report.extract, few=False, whole=True)]).frame["Verdict"].to_list() == [
        "Ready to use, with warnings"
    ]
    assert data.checks().frame["Verdict"].to_list() == ["Has errors", "Has errors"]
