"""Validation: every problem counted, named and mended, and nothing lost."""

from __future__ import annotations

import random

import polars as pl
import pyreadstat
import pytest
from planting import assert_adds_up, changed, clean_extract, problem, put, rules, serious

from culture_metrics import catalogue, estimate, read_extract, score, synthetic, validate
from culture_metrics.errors import ExtractError, UnknownNameError
from culture_metrics.extracts import schema as contract
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.rules import codes
from culture_metrics.extracts.unanswered import scores_without, unanswered


@pytest.fixture(scope="module")
def clean() -> Extract:
    return clean_extract()


@pytest.mark.parametrize("year", catalogue().periods)
def test_a_clean_extract_has_no_problems(year):
    report = validate(clean_extract(year, organisations=2))
    assert report.ok
    early = {"provisional edition"} if catalogue().edition(year).provisional else set()
    assert serious(report) == early
    assert (report.rows_read, report.rows_used, report.rows_set_aside) == (800, 800, 0)
    assert report.cells_set_aside == report.quarantine.height == 0
    assert contract.contract_problems(report.extract.frame, report.extract.edition) == []
    assert_adds_up(report)


def test_a_clean_pulse_extract_has_no_problems():
    report = validate(
        synthetic.respondents("2024-Q1", respondents_per_organisation=300, survey="national_quarterly_pulse")
    )
    assert serious(report) == set()


def test_a_clean_extract_is_returned_as_it_was(clean):
    out = validate(clean).extract.frame
    assert out.drop("row").equals(clean.frame)
    assert out["row"].to_list() == list(range(1, 401))


def test_what_was_validated_has_nothing_left_to_mend(clean):
    first = validate(put(put(clean, "q25c", 7), "q11d", 2, range(30)))
    assert first.cells_set_aside > 3
    second = validate(first.extract)
    assert second.cells_set_aside == 0
    assert second.extract.frame.equals(first.extract.frame)


def test_respondents_that_stand_twice_are_told_from_those_that_differ(clean):
    other = clean.frame.slice(5, 1).with_columns(q4c=pl.col("q4c").fill_null(1) % 5 + 1)
    report = validate(changed(clean, pl.concat([clean.frame, clean.frame.head(2), other])))
    twice = problem(report, "rows that stand twice")
    assert (twice["severity"], twice["rows"], twice["examples"]) == ("warning", 2, "401, 402")
    differing = problem(report, "respondents with several different rows")
    assert (differing["severity"], differing["rows"], differing["examples"]) == ("error", 1, "403")
    assert (report.rows_read, report.rows_used, report.rows_set_aside) == (403, 400, 3)
    assert report.extract.frame.drop("row").equals(clean.frame)
    assert_adds_up(report)


def test_the_first_row_that_can_be_used_is_kept(clean):
    answers = [c for c in clean.frame.columns if c in clean.edition.columns]
    empty = clean.frame.head(1).with_columns(pl.lit(None).cast(pl.Int8).alias(c) for c in answers)
    report = validate(changed(clean, pl.concat([empty, clean.frame])))
    assert problem(report, "empty rows")["examples"] == "1"
    assert not rules(report) & {"rows that stand twice", "respondents with several different rows"}
    assert report.rows_used == 400


def test_ids_that_start_anew_in_each_organisation_are_different_people():
    both = clean_extract(organisations=2)
    number = pl.col("respondent").str.tail(6)
    report = validate(changed(both, both.frame.with_columns(number)))
    assert problem(report, "respondent ids in several organisations")["rows"] == 800
    assert report.rows_used == 800
    assert report.extract.frame["respondent"].n_unique() == 800
    assert report.extract.frame["respondent"][0] == "SYN01/000001"


def test_rows_of_another_period_are_set_aside(clean):
    year = pl.when(pl.int_range(pl.len()) < 7).then(2023).when(pl.int_range(pl.len()) > 10).then(2024)
    report = validate(changed(clean, clean.frame.with_columns(period=year)))
    assert problem(report, "other periods")["rows"] == 7
    assert problem(report, "no period")["rows"] == 4
    assert report.rows_used == 393
    assert_adds_up(report)


def test_empty_rows_and_rows_without_organisation_are_set_aside(clean):
    answers = [c for c in clean.frame.columns if c in clean.edition.columns]
    empty = (
        clean.frame.head(1)
        .with_columns(pl.lit(None).cast(pl.Int8).alias(c) for c in answers)
        .with_columns(respondent=pl.lit("empty"), q16c_1=pl.lit(0, pl.Int8), q4c=pl.lit(99, pl.Int8))
    )
    nowhere = clean.frame.head(2).with_columns(
        respondent=pl.lit("nowhere"), organisation=pl.Series([None, "  "])
    )
    report = validate(changed(clean, pl.concat([clean.frame, empty, nowhere])))
    assert problem(report, "empty rows")["rows"] == 1
    assert problem(report, "no organisation")["rows"] == 2
    assert report.rows_read == report.rows_used + report.rows_set_aside == 403
    assert report.quarantine.filter(pl.col("column").is_null())["row"].to_list() == [401, 402, 403]
    assert_adds_up(report)


def test_a_row_is_set_aside_for_one_reason_only(clean):
    answers = [c for c in clean.frame.columns if c in clean.edition.columns]
    nothing = clean.frame.head(2).with_columns(
        *(pl.lit(None).cast(pl.Int8).alias(c) for c in answers), organisation=pl.lit(None, pl.String)
    )
    report = validate(changed(clean, pl.concat([clean.frame, nothing])))
    assert problem(report, "empty rows")["rows"] == 2
    assert "no organisation" not in rules(report)
    assert_adds_up(report)


def test_files_without_ids_say_so_and_name_rows_with_the_same_answers(tmp_path, clean):
    frame = pl.concat([clean.frame, clean.frame.head(3)]).drop("respondent")
    frame.write_csv(tmp_path / "SYN_2024.csv")
    report = validate(read_extract(tmp_path / "SYN_2024.csv"))
    assert problem(report, "no respondent ids")["severity"] == "note"
    alike = problem(report, "rows with the same answers")
    assert (alike["rows"], alike["examples"]) == (3, "402, 403, 404")
    assert report.rows_used == 403


def test_numbers_and_text_in_identifying_columns_are_no_obstacle(clean):
    frame = clean.frame.with_columns(
        respondent=pl.int_range(pl.len()), organisation=pl.col("organisation").cast(pl.Categorical)
    )
    assert serious(validate(changed(clean, frame))) == set()


@pytest.mark.parametrize("column", ["respondent", "organisation"])
def test_an_extract_needs_its_identifying_columns(clean, column):
    with pytest.raises(ExtractError, match=f"no column '{column}'"):
        validate(changed(clean, clean.frame.drop(column)))


def test_a_lazy_frame_is_refused_with_a_hint(clean):
    with pytest.raises(ExtractError, match="collect"):
        validate(changed(clean, clean.frame.lazy()))


def test_an_extract_without_rows_is_no_error(clean):
    report = validate(changed(clean, clean.frame.clear()))
    assert report.rows_read == report.rows_used == 0
    assert_adds_up(report)


def test_one_bad_column_does_not_hide_another(clean):
    report = validate(put(put(clean, "q25c", 7), "q2a", "often", dtype=pl.String))
    assert set(report.problems.filter(severity="error")["column"]) == {"q25c", "q2a"}


def test_the_quarantine_is_compact_and_names_rows_by_the_number_in_the_file(clean):
    numbered = changed(clean, clean.frame.with_row_index("row", offset=2))
    report = validate(put(put(numbered, "q25c", 7), "q2a", 8, (0,)))
    assert report.quarantine.filter(column="q25c")["row"].to_list() == [5, 6, 12]
    assert problem(report, "codes outside the list", "q25c")["examples"] == "5, 6, 12"
    assert report.quarantine.schema["row"] == pl.UInt32
    assert all(isinstance(report.quarantine.schema[c], pl.Enum) for c in ("column", "reason"))
    many = validate(put(clean, "q25c", 7, range(400)))
    assert many.quarantine.estimated_size() <= 400 * 8


def test_missing_questions_are_named_with_the_scores_they_cost(clean):
    report = validate(changed(clean, clean.frame.drop("q2a", "q2b", "q24f", "q16c_3")))
    found = problem(report, "missing questions")
    assert "q2a, q2b, q24f" in found["found"]
    assert found["done"] == (
        "Staff engagement is built without q2a, q2b: it is not the official score, and does not compare with "
        "years that have it all. Not scored: Motivation."
    )
    assert "q16c" in problem(report, "missing options")["found"]
    results = estimate(report.extract).table
    assert results.filter(measure="motivation")["status"].item() == "not_asked"
    assert results.filter(measure="look_forward_to_work")["status"].item() == "not_asked"


def test_columns_without_answers_cost_scores_as_missing_ones_do(clean):
    empty = clean.frame.with_columns(q25a=pl.lit(99, pl.Int8)).drop("q25c")
    report = validate(changed(clean, empty))
    said = (
        "Compassionate and inclusive, Compassionate culture and Staff engagement are built without {}: they "
        "are not the official scores, and do not compare with years that have it all."
    )
    assert (
        problem(report, "columns without answers")["done"]
        == f"{said.format('q25a, q25c')} Not scored: Advocacy."
    )
    assert "Advocacy are built without q25c" in problem(report, "missing questions")["done"]
    assert [q.code for q in unanswered(report.extract)] == ["q25a", "q25c"]


def test_a_question_that_no_score_is_built_of_costs_none(clean):
    found = problem(validate(changed(clean, clean.frame.drop("q24f"))), "missing questions")
    assert found["done"] == "No score is built of q24f."


@pytest.mark.parametrize("year", [2021, 2024, 2025])
def test_the_scores_that_are_lost_are_those_that_are_not_scored(year):
    """Whatever is missing: `scores_without` says of every score what `score` does."""
    extract = synthetic.respondents(year, respondents_per_organisation=60)
    items = sorted({q for name in extract.edition.scores for q in extract.edition.questions_of(name)})
    codes = {q: extract.edition.questions[q].code for q in items}
    draw = random.Random(year)
    for _ in range(60):
        absent = draw.sample(items, draw.randint(1, 40))
        frame = extract.frame.drop(codes[q] for q in absent)
        known = {name for name, column in score(changed(extract, frame)).to_dict().items() if column.count()}
        lost, less = scores_without(extract.edition, absent)
        assert {*lost} == {*extract.edition.scores} - known
        assert {*less} == {
            n for n in known & {*extract.edition.scores} if {*extract.edition.questions_of(n)} & {*absent}
        }


def test_what_the_reader_did_is_told(clean):
    extract = Extract(
        clean.survey,
        clean.period,
        clean.frame,
        {
            "renamed": {"Q25C": "q25c", "Org": "organisation"},
            "not_used": ["Shoe size"],
            "rows_of_other_periods": 7,
            "rows_not_completed": 20,
            "rows_of_bank_workers": 5,
            "rows_blank": 6,
            "rows_of_wording": 1,
            "rows_too_short": 3,
            "first_row_too_short": 17,
            "columns_without_name": 2,
            "other_sheets": "Notes, Key",
            "settled": ["q16c: 1 read as ticked and 2 as not ticked"],
            "mapping": "RXX.mapping.yaml",
            "labels_read": {"q2a": 300, "q2b": 299},
            "codes_relabelled": {"q3a": 8},
            "dates_read": {"q10b": 4},
            "numbers_read": {"q3b": 9},
            "blanks_read": {"q2a": 12},
            "declared_missing": {"q2b": 11},
        },
    )
    report = validate(extract)
    assert "'Q25C' read as q25c" in problem(report, "column names")["found"]
    assert "Shoe size" in problem(report, "unknown columns")["found"]
    counts = {
        "other periods": 7,
        "questionnaires not completed": 20,
        "bank workers": 5,
        "labels instead of codes": 599,
        "labels and codes that differ": 8,
        "dates made by Excel": 4,
        "numbers in another form": 9,
        "words for no answer": 12,
        "values declared missing": 11,
        "blank rows": 6,
        "rows of wording": 1,
        "rows that are too short": 3,
    }
    assert {rule: problem(report, rule)["rows"] for rule in counts} == counts
    assert "q2a, q2b" in problem(report, "labels instead of codes")["found"]
    assert problem(report, "rows that are too short")["examples"] == "17 …"
    assert "2 columns" in problem(report, "columns without a name")["found"]
    assert "Notes, Key" in problem(report, "other sheets")["found"]
    assert "q16c" in problem(report, "ticks in another coding")["found"]
    assert "saved mapping" in rules(report)
    assert (report.rows_read, report.rows_used, report.rows_set_aside) == (432, 400, 32)
    assert report.ok
    assert_adds_up(report)


def test_every_way_of_reading_an_answer_is_told(tmp_path):
    """From file to report: what the reader counts is what the report tells."""
    people = pl.DataFrame(
        {
            "respondent": [f"S{i}" for i in range(6)],
            "organisation": "RXX",
            "q2a": ["Often", "Always", "04", "4,0", "-", "3"],
            "q13a": ["Never", "01-Feb", "1", "1", "1", "1"],
            "q25c": ["1 - Strongly agree", "4", "4", "4", "4", "4"],
        }
    )
    people.write_csv(tmp_path / "RXX_2024.csv")
    labels = {"q2a": {1: "Never", 2: "Rarely", 3: "Sometimes", 4: "Often", 5: "Always", 7: "Not answered"}}
    coded = pl.DataFrame({"respondent": ["S1", "S2"], "organisation": "RXX", "q2a": [4.0, 8.0]})
    pyreadstat.write_sav(
        coded,
        str(tmp_path / "RXX_2024.sav"),
        variable_value_labels=labels,
        missing_ranges={"q2a": [{"lo": 8, "hi": 8}]},
    )
    csv, sav = (validate(read_extract(tmp_path / f"RXX_2024.{kind}")) for kind in ("csv", "sav"))
    told = {
        "labels instead of codes": (3, "q2a, q13a"),
        "numbers in another form": (2, "q2a"),
        "words for no answer": (1, "q2a"),
        "dates made by Excel": (1, "q13a"),
        "labels and codes that differ": (1, "q25c"),
    }
    for rule, (rows, columns) in told.items():
        assert problem(csv, rule)["rows"] == rows
        assert f"in {columns} (answers" in problem(csv, rule)["found"]
    assert problem(csv, "labels and codes that differ")["severity"] == "warning"
    assert problem(sav, "values declared missing")["rows"] == 1


def test_what_cannot_be_checked_is_said(clean):
    found = problem(validate(clean), "not checked")["found"]
    assert "response times" in found
    assert "organisation codes" in found
    less = problem(validate(clean, eligible={"SYN01": 1000}), "not checked")["found"]
    assert "response rates" not in less


def test_more_respondents_than_staff_is_an_error(clean):
    report = validate(clean, eligible={"SYN01": 390})
    found = problem(report, "more respondents than eligible staff")
    assert (found["severity"], found["rows"]) == ("error", 0)
    assert not report.ok
    assert validate(clean, eligible={"SYN01": 400}).ok
    two = clean_extract(organisations=2, rows=40)
    other = validate(two, eligible={"SYN02": 400})
    assert "SYN01" in problem(other, "no number of eligible staff")["found"]


@pytest.mark.parametrize("code", ["Theatres", "RXX", "syn01", "", None])
def test_eligible_staff_of_an_unknown_organisation_are_refused(clean, code):
    with pytest.raises(UnknownNameError) as caught:
        validate(clean, eligible={"SYN01": 400, code: 85})
    assert caught.value.what == f"The extract has no organisation '{code}'"
    assert caught.value.where == "eligible="
    assert "SYN01" in caught.value.hint
    assert "directorates" in caught.value.hint


@pytest.mark.parametrize("staff", [0, -3, 85.5, "85", True, float("nan"), None])
def test_eligible_staff_are_a_number_of_people(clean, staff):
    with pytest.raises(ExtractError, match="is no number of people") as caught:
        validate(clean, eligible={"SYN01": staff})
    assert caught.value.expected == "a whole number above 0"


def test_labels_are_merged_on_request_only(clean):
    mixed = put(clean, "locality_1", "planned care", range(20))
    report = validate(mixed)
    assert (report.extract.frame["locality_1"] == "planned care").sum() == 20
    assert report.merges == {"locality_1": {"planned care": "Planned Care"}}
    merged = validate(mixed, merge=report.merges)
    assert problem(merged, "labels merged")["found"] == "1 label merged as asked; in 11 rows or more"
    assert "planned care" not in merged.extract.frame["locality_1"].to_list()
    assert merged.merges == {}


@pytest.mark.parametrize("merge", [{"locality_9": {"a": "b"}}, {"locality_1": {"no such": "Planned Care"}}])
def test_merging_what_is_not_there_is_refused(clean, merge):
    with pytest.raises(UnknownNameError):
        validate(clean, merge=merge)


def test_a_merge_in_another_form_is_refused(clean):
    with pytest.raises(ExtractError, match="merge="):
        validate(clean, merge={"locality_1": "Nursing"})


def test_panderas_own_words_never_come_out(clean, monkeypatch):
    """Should a rule let something through, the contract still counts it, without a value."""
    monkeypatch.setattr(codes, "unlisted_codes", lambda tally: [])
    monkeypatch.setattr("culture_metrics.extracts.cleaning.cleaned", lambda frame, *_: frame.columns)
    report = validate(put(clean, "q25c", 77))
    found = problem(report, "the contract of a clean extract")
    assert (found["column"], found["rows"], found["severity"]) == ("q25c", 3, "error")
    assert "77" not in repr(report) + report._repr_html_() + str(report.problems.rows())
    assert contract.contract_problems(validate(clean).extract.frame, clean.edition) == []


@pytest.mark.parametrize("call", [validate, estimate])
def test_a_file_that_was_not_read_yet_gets_told_how(call, clean, tmp_path):
    name = call.__name__
    for given in ("RXX_2024.csv", tmp_path / "RXX_2024.csv"):
        with pytest.raises(ExtractError, match=f"{name} takes an extract") as caught:
            call(given)
        assert caught.value.hint == f"Read it first: {name}(read_extract('RXX_2024.csv'))."
    with pytest.raises(ExtractError) as caught:
        call(clean.frame)
    assert caught.value.hint == f"Read it first: {name}(read_extract(table))."
    with pytest.raises(ExtractError) as caught:
        call(validate(clean))
    assert caught.value.hint == f"Give its clean extract: {name}(report.extract)."
