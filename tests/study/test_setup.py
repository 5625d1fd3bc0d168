"""From two messy extracts to a study in the trust's own words: `setup --yes`, a look at study.yaml, `report`."""

from __future__ import annotations

import re
import shutil

import polars as pl
import pytest
from typer.testing import CliRunner

import culture_metrics as cm
from culture_metrics import cli
from culture_metrics.errors import CultureMetricsError, StudyFileError, UnknownNameError
from culture_metrics.study.opening import answered
from culture_metrics.study.settings import STUDY_FILE, read_settings
from culture_metrics.study.setup import setup
from tests.study.messy import RENAMED, TESTS, make

run = CliRunner().invoke


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    """A folder with two extracts, what setup printed, and the frames that were written."""
    folder = tmp_path_factory.mktemp("trust")
    frames = make(folder)
    done = run(cli.app, ["setup", str(folder), "--yes"])
    assert done.exit_code == 0, done.output
    return folder, done.output, frames


@pytest.fixture(scope="module")
def study(trust):
    return cm.study(trust[0])


def edited(trust, tmp_path, *changes):
    """A copy of the folder with a changed study.yaml."""
    folder = tmp_path / "copy"
    shutil.copytree(trust[0], folder)
    text = (folder / STUDY_FILE).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / STUDY_FILE).write_text(text, encoding="utf-8")
    return folder


def test_setup_finds_the_parts_how_they_nest_and_what_was_renamed(trust):
    folder, said, (_, second) = trust
    found = read_settings(folder / STUDY_FILE)
    assert list(found.breakdowns) == [
        "Division",
        "Care Group",
        "Directorate",
        "Department",
        "Staff Group (ESR)",
    ]
    assert found.breakdowns["Department"] == ("Department", "Dept")
    assert found.nesting["Department"].within == ("Directorate",)
    assert set(found.nesting["Directorate"].within) == {"Care Group", "Division"}
    # The maker puts a quarter of its people into another directorate.
    assert found.nesting["Department"].exceptions == ("Estates Ward",)
    assert {p.old: p.new for p in found.renamed} == RENAMED and all(p.confirmed for p in found.renamed)
    assert found.labels == {"Neither/nor agree or disagree": "Neither agree nor disagree"}
    assert "column Directorate, 14 names in 2023, 14 names in 2024" in said
    assert (
        f"{second['Department'].n_unique()} names in 2024" in said and second["Department"].n_unique() > 150
    )
    assert "Medicine Ward 1" in said and "Rota" in said and "culture-metrics report" in said


def test_the_file_holds_no_answer_and_no_name_of_few(trust):
    folder, _, (first, second) = trust
    text = (folder / STUDY_FILE).read_text(encoding="utf-8")
    assert "see my letter" not in text and "@" not in text and "R00001" not in text
    few = {
        name
        for frame, column in ((first, "Dept"), (second, "Department"))
        for name, n in frame[column].value_counts().iter_rows()
        if n < 11
    } - {name for name in second["Department"].value_counts().filter(pl.col("count") >= 11)["Department"]}
    assert len(few) > 20
    assert not [name for name in few if re.search(rf"\b{re.escape(name)}$", text, re.M)]


def test_the_same_files_give_the_same_text_and_are_left_alone(trust):
    folder, _, _ = trust
    before = (folder / STUDY_FILE).read_bytes()
    again = setup([folder])
    assert not again.written and (folder / STUDY_FILE).read_bytes() == before
    (folder / STUDY_FILE).unlink()
    assert setup([folder]).written and (folder / STUDY_FILE).read_bytes() == before


def test_rows_and_answers_in_are_used_or_set_aside(trust, study):
    _, _, (first, second) = trust
    asked = [c for c in first.columns if c.startswith("q") and c != "q31a"]
    for report, frame, more in zip(study.reports, (first, second), (0, TESTS), strict=True):
        told = report.reconciliation
        assert report.rows_read == frame.height + more and report.rows_used == frame.height
        rows = dict(told.filter(what="rows").group_by("fate").agg(pl.col("count").sum()).iter_rows())
        assert rows["read"] == rows["used"] + rows.get("left out", 0) + rows.get("set aside", 0)
        answers = told.filter(what="answers")
        of = dict(answers.group_by("fate").agg(pl.col("count").sum()).iter_rows())
        assert of["read"] == sum(n for fate, n in of.items() if fate != "read")
        edition = report.extract.edition
        groups = {b.question for b in edition.breakdowns.values()}
        listed = [c for c in asked if c in edition.columns and edition.columns[c].id not in groups]
        assert of["read"] == sum(frame[c].count() for c in listed) + _written_over(frame, year=edition.period)
    # One text that nobody but its writer knows stays unread.
    assert study.reports[0].cells_set_aside == 1 and study.reports[1].cells_set_aside == 0


def _written_over(frame, year):
    """How many answers more there are in the file, where the maker wrote over some."""
    row = pl.int_range(pl.len())
    if year == "2023":  # a text of somebody's own in one row
        return frame.filter(row == 11)["q6a"].null_count()
    some = frame.filter(row % 50 == 9)
    return some["q6a"].null_count() - some["q3a"].count()


def test_both_years_carry_one_name_and_no_group_is_called_not_known(study):
    shown = study.results.table
    for year in ("2023", "2024"):
        names = set(shown.filter(period=year, breakdown="locality_4")["group"])
        assert set(RENAMED.values()) <= names and not set(RENAMED) & names
    directorates = set(shown.filter(breakdown="locality_1")["group"])
    assert len({n for n in directorates if "groups with fewer" not in n and "would give" not in n}) <= 14
    assert "N/A" not in directorates and not [n for n in directorates if n[0].islower()]


def test_the_trust_is_spoken_to_in_its_own_words(study):
    maps = [
        (f.title if hasattr(f, "around") else f.layout.title.text.replace("<br>", " ")).casefold()
        for f in study.heat_maps()
    ]
    for word in ("by directorate", "by department", "by care group", "by division", "by staff group (esr)"):
        assert [title for title in maps if word in title], word
    assert not [title for title in maps if "ocality" in title]
    assert study.words["locality_4"] == "Department"
    problems = "".join(part._repr_html_() for part in [study.problems()])
    assert "locality_4" not in re.sub(r"merge=\{[^}]*\}+|\[&#x27;.*?\]", "", problems)


@pytest.mark.parametrize(("given", "said"), [("Departement", "Department"), ("Directorat", "Directorate")])
def test_a_breakdown_that_is_none_is_answered_with_the_files_columns(study, given, said):
    with pytest.raises(UnknownNameError, match=rf"Did you mean .*{said}"):
        cm.estimate(study.extracts[1], by=[given])


def test_what_a_person_changes_is_obeyed(trust, tmp_path):
    folder = edited(
        trust,
        tmp_path,
        ("  Directorate: Directorate  #", "  Service: Directorate  #"),
        ("  Care Group: Care Group", "  # Care Group: Care Group"),
        ("    to: Medicine Ward 1\n    confirmed: yes", "    to: Medicine Ward 1\n    confirmed: no"),
        ("one_spelling: yes", "one_spelling: no"),
        ("agree or disagree: Neither agree nor disagree", "agree or disagree:"),
        ("in: Directorate", "in: Service"),
        ("  Directorate:\n    in: [Division, Care Group]", "  Service:\n    in: [Division, Care Group]"),
    )
    changed = cm.study(folder)
    assert (
        changed.words["service"] == "Service" and "service" in changed.by and "locality_3" not in changed.by
    )
    assert "locality_1" not in changed.words
    groups = [set(e.frame["locality_4"].unique()) for e in changed.extracts]
    assert "Medicine Ward" in groups[0] and "Medicine Ward 1" in groups[1]
    assert "Surgical Clinic" in groups[0]
    assert "N/A" in set(changed.extracts[0].frame["service"])
    assert changed.reports[0].cells_set_aside > 1000
    # Setup leaves it alone, and says what it would have written.
    before = (folder / STUDY_FILE).read_bytes()
    done = run(cli.app, ["setup", str(folder), "--yes"])
    assert done.exit_code == 0 and (folder / STUDY_FILE).read_bytes() == before
    assert "changed by hand and stands as it was" in done.output


def test_arguments_win_over_the_file(trust):
    other = cm.study(trust[0], by=["Department"], year=2023, minimum_base=20)
    assert (other.by, other.year, other.rule.minimum_base) == (("locality_4",), "2023", 20)


def test_files_of_the_folder_are_read_as_the_file_beside_them_says(trust):
    alone = cm.study([trust[0] / "NSS 2023 raw data.xlsx"])
    assert alone.words["locality_4"] == "Department" and alone.reports[0].cells_set_aside == 1


BROKEN = {
    "no colon": ("organisation: RXX", "organisation RXX", "not YAML"),
    "a tab": ("files:\n", "files:\n\t- a\n", "not YAML"),
    "a key misspelled": ("breakdowns:", "breakdown:", "Did you mean breakdowns?"),
    "a kind that is none": ("    kind: respondents", "    kind: answers", "one of respondents"),
    "a year in words": ("    sheet: Data", "    year: last", "such as 2024"),
    "no file name": ("  - file: NSS 2023 raw data.xlsx", "  - sheet2: x", "Did you mean sheet?"),
    "a file that was moved": ("NSS 2023 raw data.xlsx", "NSS 2023 raw dat.xlsx", "Is it 'NSS 2023 raw data.xlsx' now"),
    "a breakdown without a column": ("Staff Group (ESR): Staff Group (ESR)", "Team: Teem", "No file has a column"),
    "two of one column": ("Division: Division", "Division: Directorate", "another column than that of"),
    "not yes or no": ("    confirmed: yes", "    confirmed: maybe", "yes or no"),
    "a key twice": ("organisation: RXX", "organisation: RXX\norganisation: RYY", "stands twice"),
    "an option that is none": ("agree or disagree: Neither agree nor disagree", "agree or disagree: Dunno", "option"),
    "a name that nobody has": ("from: Medicine Ward\n", "from: Medicine Wards\n", "No file has the Department"),
    "in itself": ("    in: Directorate", "    in: Department", "another breakdown"),
    "another organisation": ("organisation: RXX", "organisation: RYY", "There is no organisation 'RYY'"),
    "no breakdown of the survey": ("[occupation_group]", "[occupation_grup]", "Did you mean occupation_group"),
    "nothing in it": (None, "", "has no keys"),
    "a list": (None, "- a\n- b\n", "has no keys"),
    "files as text": (None, "files: mine.csv\n", "a list"),
}  # fmt: skip


@pytest.fixture(scope="module")
def two_files(trust, tmp_path_factory):
    """The folder with a few of its people, so that reading it is quick."""
    folder = tmp_path_factory.mktemp("few")
    for path in trust[0].iterdir():
        if path.suffix == ".csv":
            lines = path.read_bytes().split(b"\n")
            (folder / path.name).write_bytes(b"\n".join(lines[:120]))
        elif path.is_file():
            shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_said_with_its_place_and_remedy(two_files, fault):
    old, new, said = BROKEN[fault]
    path = two_files / STUDY_FILE
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(new if old is None else whole.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(CultureMetricsError) as told:
            cm.study(two_files)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert said in str(told.value)
    assert told.value.hint


def test_a_mistake_names_its_line_and_what_stands_there(tmp_path):
    path = tmp_path / STUDY_FILE
    path.write_text("files:\n  - file: a.csv\n    kind: 12\n", encoding="utf-8")
    with pytest.raises(StudyFileError) as told:
        read_settings(path)
    assert told.value.where == "study.yaml, line 3" and told.value.got == "'12'"
    assert "files, entry 1, kind" in told.value.what and "respondents" in told.value.expected


def test_a_folder_without_the_file_says_how_to_make_it(tmp_path):
    with pytest.raises(StudyFileError, match="culture-metrics setup"):
        cm.study(tmp_path)
    done = run(cli.app, ["report", str(tmp_path)])
    assert done.exit_code == cli.WRONG_INPUT and "culture-metrics setup" in done.output
    done = run(cli.app, ["setup", str(tmp_path), "--yes"])
    assert done.exit_code == cli.WRONG_INPUT and "no file with a table" in done.output


def test_setup_without_anybody_to_answer_says_so_and_writes_nothing(trust, tmp_path):
    folder = tmp_path / "nobody"
    shutil.copytree(trust[0], folder)
    (folder / STUDY_FILE).unlink()
    done = run(cli.app, ["setup", str(folder)], input="")
    assert done.exit_code == cli.WRONG_INPUT and "Aborted" not in done.output
    assert "got no answer: nothing was written" in done.output and "--yes" in done.output
    assert not (folder / STUDY_FILE).exists()


def test_headcounts_beside_the_files_become_response_rates(trust, tmp_path):
    """The rates are respondents of the maker over the staff written here."""
    folder = edited(trust, tmp_path)
    second = trust[2][1]
    answered = dict(second["Directorate"].value_counts().iter_rows())
    names = ["Medicine", "Surgery", "Estates", "Digital"]
    staff = pl.DataFrame({"Directorate": names, "Headcount": [answered[name] * 2 for name in names]})
    staff.write_csv(folder / "headcounts 2024.csv")
    done = setup([folder])
    assert done.written and read_settings(folder / STUDY_FILE).headcounts[0].file == "headcounts 2024.csv"
    assert any("headcounts, 4 rows used" in line for line in done.decided)
    shown = cm.study(folder, by=["Directorate"]).response_rates().frame
    rows = {row["Group"]: row for row in shown.iter_rows(named=True)}
    assert set(shown["Breakdown"]) == {"Directorate"} and set(rows) == set(names)
    n = answered["Surgery"]
    assert (rows["Surgery"]["Staff"], rows["Surgery"]["Answered"]) == (f"{2 * n:,}", f"{n:,}")
    assert rows["Surgery"]["Response rate"] == "50.0%"
    # With divisions and care groups around it, Medicine is held back in the decision of the scores.
    assert rows["Medicine"]["Answered"] == "[c]"
    # Wilson (1927), worked by hand: 50 ± 100 z √(1/(4N) + z²/(4N²)) / (1 + z²/N).
    z2, staffed = 1.959964**2, 2 * n
    half = 100 * (z2 * (1 / (4 * staffed) + z2 / (4 * staffed**2))) ** 0.5 / (1 + z2 / staffed)
    assert rows["Surgery"]["95% interval"] == f"{50 - half:.1f} to {50 + half:.1f}"


def test_the_first_screen_opens_with_the_response_rate():
    """Wilson (1927) of 1,100 in 2,200, worked by hand: 50 ± 100 z √(1/(4N) + z²/(4N²)) / (1 + z²/N)."""
    z2, staffed = 1.959964**2, 2200
    half = 100 * (z2 * (1 / (4 * staffed) + z2 / (4 * staffed**2))) ** 0.5 / (1 + z2 / staffed)
    said = f"1,100 of 2,200 staff answered: 50.0% ({50 - half:.1f} to {50 + half:.1f})."
    assert answered(1100, 2200) == said


def test_without_headcounts_the_way_to_them_is_said(study):
    assert "no headcounts were given" in study.response_rates()._repr_html_()


def test_of_several_organisations_the_one_taken_is_said(tmp_path):
    cm.synthetic.respondents(2024, organisations=2, respondents_per_organisation=20).frame.write_csv(
        tmp_path / "export 2024.csv"
    )
    found = setup([tmp_path])
    assert [line for line in found.look if "hold 2 organisations (SYN01, SYN02)" in line and "SYN01." in line]
    assert not [line for line in setup([tmp_path], organisation="SYN02").look if "organisations" in line]
