"""The official weighting as data, the rules of docs/official-method.md, and the tests that it names."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from culture_metrics.catalogue import catalogue
from culture_metrics.catalogue.checks import check_survey
from culture_metrics.extracts.read import read_extract

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "data_schemas" / "nss_england"
PAGE = (ROOT / "docs" / "official-method.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
#: Of the kinds of a rule, what the page and weighting.yaml may say.
KNOWN = {"proved", "stated", "second-hand", "inferred", "open", "here"}


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_every_test_that_the_page_names_is_there(path, name):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_rule_says_how_it_is_known_and_which_test_holds_it():
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    rules = [row for row in rows if row[0] != "rule"]
    assert len(rules) > 20
    assert {row[1] for row in rules} <= KNOWN
    without = [row[0] for row in rules if "`tests/" not in row[-1]]
    assert without == ["The test behind them"]


def test_never_weighted_are_the_questions_that_the_notes_name():
    """Notes of the workbooks of 2024 and 2025, by code; 2021 has the same questions under its own."""
    facts = "q1 q10a q26d q27a q27b q27c q28 q29 q30 q31a q32a q32b"
    assert catalogue().edition(2024).never_weighted == (*facts.split(), "q33", "q34a", "q34b", "q35")
    now = catalogue().edition(2025)
    codes = {
        q.alternatives[-1] if q.alternatives else q.code for q in now.questions.values() if not q.weighted
    }
    assert codes == {*facts.split(), "q38", "q39a", "q39b", "q40"}
    assert now.question("q31b").weighted
    old, new = (catalogue().edition(year) for year in (2021, 2024))
    assert {old.id(code) for code in old.never_weighted} == {new.id(code) for code in new.never_weighted} - {
        "works_from_home"
    }


def test_groups_are_the_same_occupations_in_every_edition():
    """By name; what is worded otherwise in one of the lists is left out."""
    rules = catalogue().weighting
    of_name: dict[str, set[str]] = {}
    for edition in catalogue():
        options = edition.questions["occupation"].scale.options
        group_of = rules.group_of(edition.period)
        assert set(group_of) == set(options)
        for code, name in options.items():
            of_name.setdefault(name, set()).add(group_of[code])
    assert len(of_name) > 40
    assert {name for name, groups in of_name.items() if len(groups) > 1} == set()


def test_what_is_open_is_said_where_it_matters():
    rules = catalogue().weighting
    assert rules.open_about("Acute and Acute & Community Trusts", "2024") == ()
    assert "ambulance" in rules.open_about("Ambulance Trusts", "2024")[0]
    assert "social enterprises" in rules.open_about("Social Enterprises - Community", "2024")[0]
    assert rules.open_about("Community Trusts", "2024") == ()
    assert "2021 and 2022" in rules.open_about("Community Trusts", "2022")[0]
    assert rules.open_about("ICBs", "2022") == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'2023': [38]", "'2023': [38, 39]", "code 39 is in no group, in two"),
        ("'2023': [41]", "'2023': []", "code 41 is in no group"),
        ("rest: other", "rest: others", "there is no rest others"),
        ("question: occupation", "question: occupations", "there is no question occupations"),
        ("apart_in: [mental_health]", "apart_in: [mental]", "there is no kind mental"),
        ("known: inferred", "known: perhaps", "'perhaps' does not say how it is known"),
        ("cap: 5", "cap: 0.5", "a cap below 1"),
        ("denominator: all_respondents", "denominator: those_known", "there is no denominator"),
        ("ambulance: [Ambulance Trusts]", "ambulance: [Community Trusts]", "is of two kinds"),
    ],
)
def test_a_mistake_in_the_weighting_is_told(tmp_path, old, new, said):
    folder = Path(shutil.copytree(FOLDER, tmp_path / "nss_england"))
    path = folder / "weighting.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    mistakes = [m for m in check_survey(folder).mistakes if m.file == "weighting.yaml"]
    assert any(said in str(mistake) for mistake in mistakes)


def test_code_six_of_what_was_reported_is_not_confirmed(shared_data):
    """WDES 4b: options of Q14d in the national workbook of 2024, by long-lasting condition, in three readings.

    The workbook has no ready percentage, so that none is proved; the gap hardly depends on it.
    """
    for code in ("q13d", "q14d"):
        question = catalogue().edition(2024).question(code)
        assert question.positive == (1, 2, 6) and "no published file at hand" in str(question.unconfirmed)
    (path,) = (shared_data / "nss2024").glob("*national results.xlsx")
    sheet = pl.read_excel(path, sheet_name="HEALTH WELLBEING SAFETY Q13-14", has_header=False)
    first = next(i for i, cell in enumerate(sheet.row(0)) if str(cell).startswith("Q14d"))
    groups = {row[2]: [float(x) for x in row[first : first + 5]] for row in sheet.rows()[5:] if row[2]}
    groups["all"] = next([float(x) for x in r[first : first + 5]] for r in sheet.rows() if r[0] == "National")

    def readings(own, colleague, no, _, both):
        return [
            100 * (own + colleague + both) / (own + colleague + both + no),
            100 * (own + colleague) / (own + colleague + no),
            100 * (own + colleague) / (own + colleague + both + no),
        ]

    assert readings(*groups["all"]) == pytest.approx([54.00, 52.80, 51.45], abs=0.006)
    ill = "Staff with one or more long lasting health conditions or illnesses"
    well = "Staff without a long lasting health condition or illness"
    gaps = [a - b for a, b in zip(readings(*groups[ill]), readings(*groups[well]), strict=True)]
    assert gaps == pytest.approx([0.66, 0.67, 0.64], abs=0.006)


def test_headlines_that_are_not_confirmed_say_so():
    edition = catalogue().edition(2025)
    for code in ("q19a", "q19b", "q19c", "q19d"):
        assert edition.question(code).out_of_base == (9,)
        assert "left out of the base" in str(edition.describe(code))
        assert "not confirmed" in str(edition.describe(code))
    assert edition.question("q24f").out_of_base == (9,)
    assert edition.question("q23a").out_of_base == ()
    assert all("not confirmed" in str(edition.describe(code)) for code in ("q24f", "q23a"))


def test_occupations_of_2025_are_read_from_q40(tmp_path):
    path = tmp_path / "RXX_2025.csv"
    path.write_text("id,ODS,q25c,q33,q34,q35,q36,q37,q38,q39a,q39b,q40\n1,RXX,4,7,1,2,3,4,3,2,1,14\n")
    extract = read_extract(path, year=2025)
    asked = ("works_from_home", "length_of_service", "recruited_from_abroad", "occupation")
    codes = [extract.edition.questions[name].code for name in asked]
    assert extract.frame.select(codes).row(0) == (3, 2, 1, 14)
    assert {"q33", "q35", "q36", "q37"} <= set(extract.provenance["not_used"])


def test_classes_of_2025_are_breakdowns():
    edition = catalogue().edition(2025)
    assert edition.breakdown("NS-SEC class").id == "socio_economic_class"
    assert "not known" in edition.breakdown("socio_economic_class_summary").unconfirmed


def test_arab_is_a_group_of_its_own():
    for year, code in ((2024, 17), (2025, 18)):
        groups = catalogue().edition(year).breakdown("ethnicity_group").groups
        assert groups["Arab"] == (code,)
        assert groups["Other ethnic group"] == (code + 1,)
