"""The official national workbook of 2024: every figure against the cells, read by code of the tests' own.

The workbook is not part of the project; without it these tests are skipped.
"""

from __future__ import annotations

import polars as pl
import pytest
from cells_of import blocks, read_cells

from culture_metrics.catalogue import catalogue
from culture_metrics.published import rebuild_scores

EDITION = catalogue().edition(2024)
SCORES = {"staff engagement": "staff_engagement", "morale": "morale"}
#: Breakdown as printed -> our id and the number of its groups in the file.
BREAKDOWNS = {
    "Region": ("region", 7),
    "ICS": ("ics", 42),
    "Patient facing role": ("patient_facing", 3),
    "Full time / Part time": ("full_or_part_time", 2),
    "Gender": ("gender", 5),
    "Gender identity": ("gender_same_as_at_birth", 3),
    "Age": ("age", 6),
    "Ethnic background (detailed)": ("ethnicity", 18),
    "Ethnic background (summary)": ("ethnicity_summary", 2),
    "Sexual orientation": ("sexual_orientation", 5),
    "Religion": ("religion", 9),
    "Long lasting health conditions or illnesses": ("long_term_condition", 2),
    "Responsibility for caring for children": ("children_at_home", 2),
    "Look after others with LTC": ("carer", 2),
    "Home working (grouped)": ("works_from_home_grouped", 3),
    "Length of service": ("length_of_service", 6),
    "Recruited from outside UK (International recruitment)": ("recruited_from_abroad", 3),
    "Occupation group": ("occupation", 42),
    "Occupation group (summary)": ("occupation_group", 8),
}


@pytest.fixture(scope="module")
def path(shared_data):
    found = shared_data / "nss2024" / "NSS24 detailed spreadsheets national results.xlsx"
    if not found.is_file():
        pytest.skip("the official national workbook of 2024 is not here")
    return found


@pytest.fixture(scope="module")
def national(national_2024):
    return national_2024


@pytest.fixture(scope="module")
def raw(path):
    """Columns of every title, and the breakdown and group of every row as printed."""
    return blocks(read_cells(path, ids=4))


def test_it_has_nineteen_breakdowns_with_ids_and_every_group(national):
    said = national.results.table.filter(measure="morale").group_by("breakdown").len()
    assert dict(said.rows()) == {"all": 1, **{name: count for name, count in BREAKDOWNS.values()}}
    assert sum(count for _, count in BREAKDOWNS.values()) + 1 == 171
    assert national.provenance["unknown_breakdowns"] == ()
    assert national.provenance["left_out"] == {}
    assert national.provenance["missing"] == ()


def test_nurses_of_the_summary_are_all_nurses(national):
    """Adult and general nurses were taken for all of them: 7.0011 of 135,220 people."""
    where = {"measure": "staff_engagement", "period": "2024"}
    rows = national.results.table.filter(**where)
    nurses = rows.filter(breakdown="occupation_group", group="Registered Nurses and Midwives")
    assert nurses["estimate"].item() == pytest.approx(6.998718924, abs=1e-8)
    assert nurses["base"].item() == 215_845
    adult = rows.filter(breakdown="occupation", group="Adult / General")
    assert adult["estimate"].item() == pytest.approx(7.001079131, abs=1e-8)
    assert adult["base"].item() == 135_220


def test_groups_of_one_answer_have_the_name_of_the_catalogue(national):
    """Of breakdowns by a question; regions, systems and who preferred not to say keep the printed name."""
    strange = set()
    for name, _ in BREAKDOWNS.values():
        there = set(national.results.table.filter(breakdown=name)["group"])
        known = set(EDITION.breakdowns[name].groups)
        strange |= {(name, group) for group in there - known if EDITION.breakdowns[name].question}
    assert strange == {("recruited_from_abroad", "Prefer not to say")}


def _printed(national, ids):
    """Return breakdown and group of every row of the file by our names, in the order of the file.

    The order of the results is another. Rows are paired through the base and score of morale, not by name.
    """
    ours = {name: ours for name, (ours, _) in BREAKDOWNS.items()}
    return [ours[row[1]] if row[1] else "all" for row in ids]


def test_every_score_and_base_is_the_cell(national, raw):
    found = national.results.table.filter(unit="score")
    checked = 0
    for measure in EDITION.scores.values():
        key = (
            next(t for t, m in SCORES.items() if m == measure.id)
            if measure.id in SCORES.values()
            else measure.code
        )
        ids, (score, base) = raw[key.casefold()]
        mine = found.filter(measure=measure.id)
        cells = sorted(zip(_printed(national, ids), score.figures, base.figures, strict=True))
        assert sorted(mine.select("breakdown", "estimate", "base").rows()) == cells
        checked += 2 * len(cells)
    assert checked == 2 * 30 * 171


def test_every_option_and_headline_is_the_cell(national, raw):
    """Options against the cells, headlines against sums of cells; a dash is a missing figure in both."""
    checked = 0
    for question in EDITION.questions.values():
        for code in question.columns:
            ids, (*options, base) = raw[code]
            breakdowns = _printed(national, ids)
            rows = national.distributions.table.filter(question=question.id)
            if question.kind == "multi":
                rows = rows.filter(option=int(code.rsplit("_", 1)[1]))
            numbers = [o for o in (1, 2, 3, 4, 6, 9) if o in question.scale.labels] if question.scale.extra else [
                *question.scale.labels
            ]  # fmt: skip
            if question.kind == "multi":
                numbers = [int(code.rsplit("_", 1)[1])]
            assert len(numbers) == len(options)
            for number, option in zip(numbers, options, strict=True):
                mine = rows.filter(option=number).select("breakdown", "percent", "base").rows()
                assert _sorted(mine) == _sorted(zip(breakdowns, option.figures, base.figures, strict=True))
                checked += len(mine)
            measure = next((m for m in EDITION.percentages.values() if m.question == question.id), None)
            if measure is None or question.kind == "multi":
                continue
            expected = []
            for i, breakdown in enumerate(breakdowns):
                cells = {n: o.figures[i] for n, o in zip(numbers, options, strict=True)}
                if None in cells.values():
                    continue
                out = sum(cells.get(n, 0) for n in question.out_of_base)
                counted = sum(cells[n] for n in question.positive)
                expected.append((breakdown, round(100 * counted / (100 - out), 8)))
            mine = national.results.table.filter(measure=measure.id).drop_nulls("estimate")
            said = [(b, round(e, 8)) for b, e in mine.select("breakdown", "estimate").rows()]
            for (b, left), (c, right) in zip(sorted(said), sorted(expected), strict=True):
                assert b == c
                assert left == pytest.approx(right, abs=1e-6)
    assert checked == 171 * (597 + 7)


def _sorted(rows):
    return sorted(rows, key=lambda row: (row[0], row[1] is None, row[1] or 0, row[2] or 0))


def test_the_groups_are_those_of_the_rows(national, raw):
    """Every printed name against ours, through the score of morale, which no two rows of a breakdown share."""
    ids, (score, _) = raw["morale"]
    ours = {
        (b, e): g
        for b, g, e in national.results.table.filter(measure="morale")
        .select("breakdown", "group", "estimate")
        .rows()
    }
    names = {
        (row[1], row[2]): ours[BREAKDOWNS[row[1]][0] if row[1] else "all", figure]
        for row, figure in zip(ids, score.figures, strict=True)
    }
    assert names["Patient facing role", "No contact with patients/service users"] == (
        "No contact with patients/service users"
    )
    assert names["Gender identity", "Not the same as the sex registered at birth"] == "No"
    assert names[
        "Look after others with LTC", "Looking after others due to their long term conditions or age"
    ] == ("Looks after someone")
    assert names["Occupation group (summary)", "Nursing & Healthcare Assistants"] == (
        "Nursing or Healthcare Assistants"
    )
    assert names["Ethnic background (detailed)", "Other ethnic group - Arab"] == "Arab"
    same = [
        (b, g)
        for (b, g), name in names.items()
        if b in ("Region", "ICS", "Age", "Length of service") and g != name
    ]
    assert same == []


def test_who_was_not_asked_is_not_suppressed(national):
    """Adjustments are asked of those with a condition: the dash of the others hides nothing."""
    rows = national.distributions.table.filter(question="adjustments_made", breakdown="long_term_condition")
    by_group = dict(rows.group_by("group").agg(pl.col("status").cast(pl.String).unique()).rows())
    assert by_group == {
        "With a long-term condition": ["reported"],
        "Without a long-term condition": ["not_asked"],
    }
    assert national.provenance["suppressed_cells"] == 0


#: Median absolute error of scores rebuilt from the 263 organisations of the same release, where it is above 0.003
#: (sub-scores) or 0.0065 (elements and themes), and their largest error of all: 0.054, of appraisals.
WIDER, LARGEST = {"PP1_1": 0.01, "PP1_3": 0.01, "PP4_3": 0.01, "PP5_2": 0.005}, 0.0544


def test_scores_rebuilt_from_its_percentages_are_within_the_errors_of_the_organisations(national):
    key = ["organisation", "breakdown", "group", "measure"]
    rebuilt = rebuild_scores(national.distributions).table.select(*key, again="estimate")
    both = national.results.table.filter(unit="score").join(rebuilt, on=key)
    off = (pl.col("estimate") - pl.col("again")).abs()
    errors = {
        EDITION.scores[m].code: row
        for m, *row in both.group_by("measure")
        .agg(off.median(), off.max().alias("max"), off.count().alias("n"))
        .rows()
    }
    assert errors.pop("PP4")[2] == errors.pop("PP4_1")[2] == 0  # percentages cannot give these two
    assert {n for _, _, n in errors.values()} == {171}
    assert len(errors) == 28
    usual = {code: WIDER.get(code, 0.003 if "_" in code or code == "PP2" else 0.0065) for code in errors}
    assert {code: median for code, (median, _, _) in errors.items() if median > usual[code]} == {}
    assert {code: largest for code, (_, largest, _) in errors.items() if largest > LARGEST} == {}
    assert errors["PP6_2"][1] < 1e-12  # one question: nothing can differ
