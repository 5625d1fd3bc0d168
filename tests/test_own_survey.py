"""A survey of one's own, outside the package: read strictly, and used like the surveys of the package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import culture_metrics as cm
from culture_metrics import views
from culture_metrics.catalogue import catalogue, known, surveys
from culture_metrics.catalogue.checks import check_survey
from culture_metrics.cli import app
from culture_metrics.contract import as_results, check_released
from culture_metrics.errors import (
    CatalogueError,
    CultureMetricsError,
    ExtractError,
    ReportError,
    ResultsError,
    UnknownNameError,
)
from culture_metrics.extracts.rules.pair import Pair
from culture_metrics.results.shrink import shrink

PULSE = Path(__file__).parent / "surveys" / "culture_pulse"
#: Words of the NHS survey that have no place in a report on another one.
NHS_WORDS = re.compile(
    r"NHS|(?<![\d.])0 to 10(?![\d.])|People Promise|\belements?\b|\bthemes?\b|\bofficial|occupation|staff engagement|morale|q25c",
    re.I,
)
TEAMS = ("Ash", "Beech", "Cedar", "Elm")


@pytest.fixture(autouse=True)
def _forget():
    """What a test made known is not known to the next one."""
    yield
    known._OWN.clear()


@pytest.fixture
def folder(tmp_path):
    """A copy of the pulse, to be spoilt."""
    return Path(shutil.copytree(PULSE, tmp_path / "culture_pulse"))


@pytest.fixture
def pulse():
    return cm.survey(PULSE)


def change(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def people(period, n, seed, share=(0.45, 0.3, 0.21, 0.04)):
    """Answers of made-up people, as an export writes them."""
    rng = np.random.default_rng(seed)
    team = rng.choice(len(TEAMS), n, p=share)
    level = rng.normal(0, 0.8, n) + np.array([0.4, 0, -0.3, 0])[team] + (0.4 if period == "2025" else 0)
    scored = 13 if period == "2025" else 12
    columns = {
        "ID": [f"p{i}" for i in range(n)],
        "Org code": ["RXX"] * n,
        "Ward or team": [TEAMS[t] for t in team],
    }
    for number in range(1, scored + 1):
        way = -1 if number in (6, 11) else 1
        answers = np.clip(np.rint(3.3 + way * level + rng.normal(0, 0.8, n)), 1, 5).astype(int)
        columns[f"CL{number}"] = [None if rng.random() < 0.03 else int(a) for a in answers]
    columns[f"CL{scored + 1}"] = rng.choice([1, 2, 3], n, p=[0.7, 0.2, 0.1]).tolist()
    return pl.DataFrame(columns)


def extract(survey, period="2025", n=300, seed=1):
    return cm.validate(cm.read_extract(people(period, n, seed), survey, year=period)).extract


def test_it_is_read_and_known_by_its_id(pulse):
    assert (pulse.id, pulse.score_range, pulse.minimum_base, pulse.periods) == (
        "culture_pulse",
        (1, 5),
        8,
        ("2024", "2025"),
    )
    assert surveys()[-1] == "culture_pulse"
    assert catalogue("culture_pulse") is pulse
    assert list(pulse.newest.leading) == ["culture_index", "safety", "workload", "belonging"]
    assert pulse.newest.measure("T3").items[-1] == "would_stay"
    assert pulse.edition(2024).measure("T3").items == ("valued", "respected", "left_out", "part_of_team")
    assert pulse.newest.measure("safety").meaning == "1 to 5, higher is better"


def test_the_surveys_of_the_package_pass_the_same_check():
    for name in ("nss_england", "national_quarterly_pulse"):
        found = check_survey(Path(__file__).parents[1] / "data_schemas" / name)
        assert not found.mistakes, str(found)
        assert found.survey.folder is None


# The six mistakes of which five were read without a word, and what they are answered with.
SIX = {
    "an answer on the scale has no points": (
        "measures.yaml", "4: 4, 5: 5}", "4: 4}",
        r"questions\.csv, row 2 \(speaks_up\), column score_map: as_answered gives no points to 5 \(Strongly agree\)\. "
        r"Add them to the score map",
    ),
    "direction and score map disagree": (
        "questions.csv", "often or always,lower,turned,CL6", "often or always,lower,as_answered,CL6",
        r"questions\.csv, row 7 \(worn_out\), column direction: lower is better, but as_answered gives the answers "
        r"that are counted more points than the others\. Correct the direction, the score map or the codes",
    ),
    "a part does not exist": (
        "measures.yaml", "parts: [safety, workload, belonging]", "parts: [safety, worklaod, belonging]",
        r"measures\.yaml, line 11 \(measures: culture_index: parts\): there is no score worklaod in 2024\. Did you mean workload",
    ),
    "more answers are needed than there are questions": (
        "measures.yaml", "items: [speaks_up, heard]\n    minimum: 1", "items: [speaks_up, heard]\n    minimum: 3",
        r"measures\.yaml, line 40 \(measures: candour: minimum\): at least 3 of 2 are needed, which nobody can answer\. "
        r"Give a number from 1 to 2",
    ),
    "a counted code is not on the scale": (
        "questions.csv", "agreement,4 5,agree or strongly agree,higher,as_answered,CL3", "agreement,4 6,agree or strongly agree,higher,as_answered,CL3",
        r"questions\.csv, row 4 \(learns_from_errors\), column positive: the scale agreement has no code 6\. Its codes are 1, 2, 3, 4, 5",
    ),
    "a question of a score is not asked": (
        "measures.yaml", "items: [speaks_up, heard]\n", "items: [speaks_up, hoard]\n",
        r"measures\.yaml, line 39 \(measures: candour: items\): there is no question hoard in questions\.csv\. Did you mean heard",
    ),
}  # fmt: skip
MORE = {
    "a key is misspelt": ("editions.yaml", "minimum_base: 8", "minimum_bse: 8", r"the key minimum_bse is not known\. Did you mean minimum_base"),
    "a year is a number": ("editions.yaml", "'2025':", "2025:", r"editions\.yaml, line 24 .*2025 is no year\. Write it as '2025', in quotation marks"),
    "points lie outside the range": ("measures.yaml", "5: 5}", "5: 50}", r"score_maps: as_answered: 5\): 50 points lie outside the score range, 1 to 5"),
    "a code stands for no answer": ("scales.yaml", "3: Bank or agency}", "9: Bank or agency}", r"scales\.yaml, line \d+ .*9 stands for no answer"),
    "two questions have one code": ("questions.csv", "CL2,CL2", "CL2,CL3", r"row 4 \(learns_from_errors\), column code_2025: CL3 is also the code of row 3"),
    "a code is a column of another meaning": ("questions.csv", "CL12,CL12", "CL12,Region", r"column code_2025: 'Region' is the name of a column that is no question"),
    "a row is short": ("questions.csv", ",as_answered,CL1,CL1", ",as_answered,CL1", r"questions\.csv, row 2: 10 cells where the header has 11"),
    "a scale is not there": ("questions.csv", "single,agreement,4 5,agree or strongly agree,higher,as_answered,CL1,", "single,agreeement,4 5,agree or strongly agree,higher,as_answered,CL1,", r"column scale: there is no scale 'agreeement' in scales\.yaml\. Did you mean agreement"),
    "a level is not there": ("measures.yaml", "level: facet", "level: facette", r"there is no level facette\. Did you mean facet"),
    "a breakdown has no column": ("breakdowns.yaml", "column: team", "colum: team", r"breakdowns\.yaml, line 1 .*the key colum is not known"),
    "a default is not there": ("editions.yaml", "breakdowns: [team, contract]", "breakdowns: [teem, contract]", r"there is no breakdown teem\. Did you mean team"),
    "the YAML cannot be read": ("scales.yaml", "frequency:", "frequency", r"scales\.yaml, line \d+, column \d+: it is not YAML"),
    "a key stands twice": ("measures.yaml", "    code: T1\n", "    code: T1\n    code: T9\n", r"code stands twice, first in line 14"),
    "a score changes without a break": ("editions.yaml", "measures: [belonging, culture_index]", "measures: [belonging]", r"belonging is built otherwise from 2025 on, and no break says so of culture_index"),
    "questions are miscounted": ("editions.yaml", "items: 14", "items: 15", r"questions\.csv has 14 questions for 2025, not 15"),
    "a base of one": ("editions.yaml", "minimum_base: 8", "minimum_base: 1", r"1 would show single people\. Give 3 or more"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), [*SIX.values(), *MORE.values()], ids=[*SIX, *MORE])
def test_a_mistake_is_told_with_file_place_and_remedy(folder, file, old, new, said):
    change(folder, file, old, new)
    found = check_survey(folder)
    assert re.search(said, str(found)), str(found)
    assert all(m.file and m.found and m.remedy for m in found.mistakes)
    with pytest.raises(CatalogueError, match="cannot be used"):
        cm.survey(folder)
    assert "culture_pulse" not in surveys()


def test_a_missing_file_and_a_missing_folder_are_told(folder, tmp_path):
    (folder / "scales.yaml").unlink()
    assert "scales.yaml: the file is not there" in str(check_survey(folder))
    assert "there is no such folder" in str(check_survey(tmp_path / "nothing"))
    with pytest.raises(UnknownNameError, match="read from its folder"):
        cm.survey("nothing_of_the_kind")


def test_ids_are_not_taken_twice(pulse, folder, tmp_path):
    with pytest.raises(CatalogueError, match="Two surveys have the id culture_pulse"):
        cm.survey(folder)
    change(folder, "editions.yaml", "  label:", "  id: another_pulse\n  label:")
    assert cm.survey(folder).id == "another_pulse"
    change(folder, "editions.yaml", "another_pulse", "nss_england")
    with pytest.raises(CatalogueError, match="the package has a survey nss_england"):
        cm.survey(folder)


def test_its_files_can_be_mended_and_read_again(folder):
    assert cm.survey(folder).minimum_base == 8
    change(folder, "editions.yaml", "minimum_base: 8", "minimum_base: 12")
    assert cm.survey(folder).minimum_base == catalogue("culture_pulse").minimum_base == 12


@pytest.mark.parametrize("name", ["CL2", "cl2", "Cl 02", "CL_2", "CL2 - Is heard", "CL2: Is heard"])
def test_its_codes_are_known_in_every_form(pulse, name):
    frame = people("2025", 30, 3).rename({"CL2": name})
    read = cm.read_extract(frame, pulse)
    assert read.frame["CL2"].to_list() == frame[name].to_list()


def test_a_file_with_its_codes_is_told_to_be_of_it(pulse, tmp_path):
    people("2025", 30, 3).write_csv(tmp_path / "export.csv")
    read = cm.read_extract(tmp_path / "export.csv")
    assert (read.survey, read.period) == ("culture_pulse", "2025")
    assert read.frame["team"].n_unique() > 1
    seen = cm.inspect_file(tmp_path / "export.csv")
    assert (seen.survey, seen.edition, seen.breakdowns) == ("culture_pulse", "2025", ("team", "contract"))


def test_codes_of_another_form_are_known_as_they_are(folder):
    for old, new in (("CL1,CL1", "Speak-Up,Speak-Up"), ("CL2,CL2", "heard_x,heard_x")):
        change(folder, "questions.csv", f",{old}\n", f",{new}\n")
    frame = people("2025", 30, 3).rename({"CL1": "SPEAK-UP", "CL2": "Heard_X"})
    assert {"Speak-Up", "heard_x", "CL3"} <= set(cm.read_extract(frame, folder).frame.columns)
    assert cm.inspect_file(frame).columns["Heard_X"] == "heard_x: Is heard when speaking up"


def test_a_code_with_an_underscore_may_move(folder):
    change(folder, "questions.csv", ",CL2,CL2\n", ",heard_x,heard_y\n")
    survey = cm.survey(folder)
    years = [
        cm.read_extract(people(year, 60, 3).rename({"CL2": name}), survey, year=year)
        for year, name in (("2024", "heard_x"), ("2025", "heard_y"))
    ]
    columns = {first: second for _, first, _, second in Pair(*years).questions}
    assert (columns["heard_x"], columns["CL13"]) == ("heard_y", "CL14")


def test_a_file_of_another_survey_is_refused_and_says_which_codes_are_looked_for(pulse):
    frame = pl.DataFrame({"Org code": ["RXX"] * 9, "q2a": [1] * 9, "q3a": [4] * 9, "q25c": [3] * 9})
    with pytest.raises(ExtractError, match=r"NHS Staff Survey.*Culture Pulse was asked for"):
        cm.read_extract(frame, pulse)
    frame = pl.DataFrame({"Org code": ["RXX"] * 9, "CL1": [1] * 9, "XX2": [4] * 9})
    with pytest.raises(ExtractError) as caught:
        cm.read_extract(frame, pulse)
    assert "year" in str(caught.value)


def test_scores_are_means_of_the_points_of_the_catalogue(pulse):
    frame = people("2025", 40, 3).with_columns(
        CL1=pl.lit(5), CL2=pl.lit(4), CL3=pl.lit(3), CL4=pl.lit(None, pl.Int64),
        CL5=pl.lit(2), CL6=pl.lit(2), CL7=pl.lit(3), CL8=pl.lit(5),
    )  # fmt: skip
    scored = cm.score(cm.validate(cm.read_extract(frame, pulse)).extract)
    # By hand: (5 + 4 + 3) / 3; "worn out" is turned round: (2 + 4 + 3 + 5) / 4.
    assert scored["safety"].unique().to_list() == [4.0]
    assert scored["workload"].unique().to_list() == [3.5]


@pytest.mark.parametrize(("answer", "end"), [(5, "conf_high"), (1, "conf_low")])
def test_intervals_stay_within_the_range_of_the_survey(pulse, answer, end):
    frame = people("2025", 40, 3)
    others = [0, 1, 2]
    answers = pl.when(pl.int_range(pl.len()).is_in(others)).then(3).otherwise(answer)
    frame = frame.with_columns(answers.alias(f"CL{n}") for n in (1, 2, 3, 4))
    row = (
        cm.estimate(cm.validate(cm.read_extract(frame, pulse)).extract)
        .table.filter(measure="safety")
        .row(0, named=True)
    )
    assert 1 <= row["conf_low"] <= row["estimate"] <= row["conf_high"] <= 5
    assert row[end] == pytest.approx({5: 5, 1: 1}[answer], abs=0.2)


def test_its_minimum_base_holds(pulse):
    # 10 people in a team of their own: shown from 8 on, and not from the 11 of the NHS survey.
    teams = [team for team, n in zip(TEAMS, (90, 60, 30, 10), strict=True) for _ in range(n)]
    frame = people("2025", 190, 5).with_columns(pl.Series("Ward or team", teams), CL1=pl.lit(4))
    own = cm.validate(cm.read_extract(frame, pulse)).extract
    small = pl.col("group") == "Elm", pl.col("measure") == "speaks_up"
    assert cm.estimate(own, by=["team"]).table.filter(*small)["base"].item() == 10
    own = cm.validate(cm.read_extract(frame, pulse)).extract
    assert (
        cm.estimate(own, by=["team"], minimum_base=11).table.filter(*small)["status"].item()
        == "suppressed_small_base"
    )
    shown = cm.estimate(own, by=["team"], minimum_base=11).table.filter(status="reported").head(1)
    check_released(shown.with_columns(base=pl.lit(8, pl.UInt32)))
    with pytest.raises(ResultsError, match="fewer than 8"):
        check_released(shown.with_columns(base=pl.lit(7, pl.UInt32)))


def test_its_minimum_base_can_be_raised_not_lowered(pulse, tmp_path):
    people("2025", 60, 3).write_csv(tmp_path / "export.csv")
    with pytest.raises(ReportError, match="Culture Pulse can be raised, not lowered"):
        cm.study([tmp_path / "export.csv"], survey=pulse, minimum_base=7)
    assert cm.study([tmp_path / "export.csv"], survey=pulse).rule.minimum_base == 8


def test_scores_outside_its_range_are_refused(pulse):
    results = cm.estimate(extract(pulse)).table
    score = (pl.col("measure") == "safety") & (pl.col("group") == "all")
    spoilt = results.with_columns(
        pl.when(score).then(5.5).otherwise("estimate").alias("estimate"),
        pl.when(score).then(5.6).otherwise("conf_high").alias("conf_high"),
    )
    with pytest.raises(ResultsError, match="Culture Pulse lies in 1 to 5"):
        as_results(spoilt)
    assert cm.results.validate_results(spoilt).table["rule"].to_list() == ["scores outside 1 to 5"]
    assert shrink(cm.estimate(extract(pulse), by=["team"]).table).table["shrunken_high"].max() <= 100


def test_a_range_of_0_to_100_goes_through(folder):
    points = "{1: 0, 2: 25, 3: 50, 4: 75, 5: 100}"
    change(folder, "measures.yaml", "{1: 1, 2: 2, 3: 3, 4: 4, 5: 5}", points)
    change(folder, "measures.yaml", "{1: 5, 2: 4, 3: 3, 4: 2, 5: 1}", "{1: 100, 2: 75, 3: 50, 4: 25, 5: 0}")
    change(folder, "editions.yaml", "score_range: [1, 5]", "score_range: [0, 100]")
    survey = cm.survey(folder)
    results = cm.estimate(extract(survey)).table
    assert results.filter(unit="score")["estimate"].min() > 10
    assert survey.material == {"percent": 1.0, "score": 1.0}
    scored = cm.score(extract(survey))
    assert scored["safety"].max() == 100


def test_years_compare_but_across_its_breaks(pulse):
    results = pl.concat(
        [cm.estimate(extract(pulse, "2024", 280, 1)).table, cm.estimate(extract(pulse, "2025", 300, 2)).table]
    )
    compared = cm.compare_years(results, 2024, 2025)
    verdicts = dict(compared.table.select("measure", pl.col("verdict").cast(pl.String)).iter_rows())
    assert verdicts["safety"] == "improved"  # made 0.4 of a spread higher
    assert verdicts["belonging"] == verdicts["culture_index"] == "not comparable"
    assert compared.table.filter(unit="score")["material"].unique().sort().to_list() == [0.04, 0.2]
    # A hundredth of the range where nothing is tested, else five of them: 300 people resolve no less.
    assert compared.table["official_flag"].null_count() == compared.table.height
    assert compared.figure().layout.xaxis.title.text == "Change in score (1 to 5)"
    assert not NHS_WORDS.search(" ".join(compared.notes))


def test_a_change_is_split_by_its_own_groups(pulse):
    years = extract(pulse, "2024", 280, 1), extract(pulse, "2025", 300, 2)
    found = cm.decompose_change(*years)
    assert (found.measure.id, set(found.table["breakdown"])) == ("speaks_up", {"all", "team"})
    assert cm.compare.change_contributions(*years, measure="safety").measure.scale == (1, 5)


def test_it_has_no_weights_of_another_survey(pulse):
    with pytest.raises(ExtractError, match="Culture Pulse has no official weights"):
        cm.estimate(extract(pulse), weights="official")


def test_an_unknown_survey_in_results_says_what_to_do(pulse):
    results = cm.estimate(extract(pulse)).table
    known._OWN.clear()
    with pytest.raises(UnknownNameError, match="culture_pulse") as caught:
        cm.compare_years(results, 2024, 2025)
    assert "cm.survey('folder')" in str(caught.value)


def test_views_say_the_range_they_are_told_and_no_other():
    table = pl.DataFrame({
        "measure": ["a", "b"], "label": ["A", "B"], "level": ["topic", "facet"], "estimate": [4.9, 1.2],
        "conf_low": [4.7, 1.0], "conf_high": [5.0, 1.5], "base": [80, 80],
        **{name: [None, None] for name in ("best", "median", "worst", "organisations")},
    })  # fmt: skip
    fig = views.scores(table, title="Scores", scale=(1, 5), parts=["facet"])
    assert fig.layout.xaxis.title.text == "Score from 1 to 5, higher is better"
    assert fig.layout.xaxis.range == (1, 5)
    assert views.scores(table, title="Scores").layout.xaxis.title.text == "Score, higher is better"


def test_the_example_is_not_of_it(pulse):
    with pytest.raises(ReportError, match="built-in example is not of the Culture Pulse"):
        cm.study([], survey=pulse)


def test_nobody_makes_up_answers_to_it(pulse):
    with pytest.raises(ExtractError, match="no made-up answers to the Culture Pulse"):
        cm.synthetic.respondents(2025, survey=pulse.id)


def test_survey_check_is_green_and_red(folder):
    done = CliRunner().invoke(app, ["survey", "check", str(PULSE)])
    assert done.exit_code == 0
    assert "no mistakes" in done.stdout and "scores from 1 to 5, minimum base 8" in done.stdout
    change(folder, "questions.csv", "CL2,CL2", "CL2,CL3")
    done = CliRunner().invoke(app, ["survey", "check", str(folder)])
    assert done.exit_code == 2
    assert "1 mistake\n- questions.csv, row 4" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_list_prints_on_every_console(encoding):
    env = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "50"}
    call = [sys.executable, "-m", "culture_metrics", "catalogue", "list", "--year", "2024"]
    done = subprocess.run(call, capture_output=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    assert b"advocacy" in done.stdout


def test_a_report_goes_from_files_to_page_without_python(tmp_path):
    """The whole way by the command line, read by eye once and here by its words."""
    import fastexcel

    for period, n in (("2024", 120), ("2025", 140)):
        people(period, n, int(period)).write_csv(tmp_path / f"export_{period}.csv")
    call = [
        "report",
        *map(str, sorted(tmp_path.glob("*.csv"))),
        "--survey",
        str(PULSE),
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "culture_metrics", *call], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    # What figures say stands in scripts; those that draw and move them say nothing to anybody.
    scripts = r"<script>((?:(?!</script>).)*)</script>"
    body = re.sub(scripts, lambda s: "" if "use strict" in s[1] else s[0], page, flags=re.DOTALL)
    body = re.sub(r'<script type="text/plain">.*?</script>', "", body, flags=re.DOTALL)
    body = re.sub(r"<style>.*?</style>", "", body, flags=re.DOTALL)
    assert "Score from 1 to 5, higher is better" in body
    assert "runs from 1 to 5" in body and "fewer than 8 respondents" in body
    assert NHS_WORDS.findall(body) == []
    assert "Not in this report" not in body
    book = fastexcel.read_excel(tmp_path / "out" / "results.xlsx")
    cells = "\n".join(
        book.load_sheet(name, dtypes="string").to_polars().write_csv() for name in book.sheet_names
    )
    assert "From 1 to 5; higher is always better." in cells and "Topic" in cells
    assert NHS_WORDS.findall(cells) == []
    made = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert (made["survey"], made["options"]["breakdowns"]) == ("culture_pulse", ["team", "contract"])
    assert (made["options"]["minimum_base"], made["left_out"]) == (8, [])
    assert NHS_WORDS.findall(json.dumps(made)) == []


def test_errors_are_of_the_package(folder):
    change(folder, "editions.yaml", "minimum_base: 8", "minimum_base: none")
    with pytest.raises(CultureMetricsError) as caught:
        cm.survey(folder)
    assert caught.value.where == str(folder)


def test_setup_keeps_which_survey_it_is(folder, tmp_path):
    for period in ("2024", "2025"):
        people(period, 60, 1).write_csv(tmp_path / f"pulse {period}.csv")
    done = CliRunner().invoke(app, ["setup", str(tmp_path), "--yes", "--survey", str(folder)])
    assert done.exit_code == 0, done.output
    said = (tmp_path / "study.yaml").read_text(encoding="utf-8")
    assert "survey: culture_pulse" in said and "Ward or team" in said
    assert cm.study(tmp_path).edition.survey.id == "culture_pulse"
