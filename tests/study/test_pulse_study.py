"""The quarters of a pulse in a study and its report: alone, beside an annual survey, and whatever is odd."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from accessible import faults

import culture_metrics as cm
from culture_metrics import synthetic
from culture_metrics.catalogue import known
from culture_metrics.compare import run_chart
from culture_metrics.compare.pulse_words import last_stretch
from culture_metrics.errors import ExtractError, FileFormatError, InputWarning, ReportError, StudyFileError
from culture_metrics.extracts.quarters import month_quarter, said_quarter
from culture_metrics.reporting.excel import write_results
from culture_metrics.reporting.manifest import manifest
from culture_metrics.reporting.report import Asked, _choose, _page, _tables, report
from culture_metrics.study import opening
from culture_metrics.study.opening import findings
from culture_metrics.study.read import study
from culture_metrics.study.setup import setup
from culture_metrics.wording.periods import period_words

PULSE = "national_quarterly_pulse"
OWN = Path(__file__).parents[1] / "surveys" / "culture_pulse"
#: Eleven quarters in a row; advocacy of the last seven is a point of ten lower.
QUARTERS = [f"{year}-{quarter}" for year in range(2022, 2026) for quarter in ("Q1", "Q2", "Q4")][:11]
ADVOCACY = ["q25a", "q25c", "q25d"]


def answers(period, n=40, seed=0, organisations=1):
    return synthetic.respondents(period, organisations, n, survey=PULSE, seed=seed).frame


def as_written(period, number):
    """A quarter as one of three people would write it."""
    year, after = int(period[:4]), (int(period[:4]) + 1) % 100
    months = {"Q1": f"{year}-04", "Q2": f"July {year}", "Q4": f"Jan-{after:02d}"}
    return (f"{period[5:]} {year}/{after:02d}", period, months[period[5:]])[number % 3]


@pytest.fixture(scope="module")
def stacked():
    """All quarters in one table, the fifth of nine people, spelled in three ways; three rows have no quarter."""
    parts = []
    for number, period in enumerate(QUARTERS):
        one = answers(period, 9 if number == 4 else 60, number)
        if number >= 4:
            one = one.with_columns((pl.col(ADVOCACY) - 1).clip(1, 5))
        parts.append(one.with_columns(Quarter=pl.lit(as_written(period, number))))
    lost = parts[0].head(3).with_columns(Quarter=pl.lit(None, pl.String))
    ids = pl.int_range(pl.len()).cast(pl.String)
    return pl.concat([*parts, lost]).with_columns(respondent=ids).drop("^locality.*$")


@pytest.fixture(scope="module")
def alone(stacked, tmp_path_factory):
    path = tmp_path_factory.mktemp("pulse") / "pulse.csv"
    stacked.write_csv(path)
    return path, study([path])


@pytest.mark.parametrize(
    ("text", "quarter"),
    [
        ("Q1 2024/25", "2024-Q1"), ("2024-Q1", "2024-Q1"), ("Quarter 2, 2024-25", "2024-Q2"),
        ("FY2024/25 Q4", "2024-Q4"), ("24/25 Q1", "2024-Q1"), ("202425Q1", "2024-Q1"),
        ("Q1 2024", None), ("2022-2024 Q1", None), ("Q5 2024/25", None), ("2024", None),
    ],
)  # fmt: skip
def test_a_quarter_is_one_of_a_financial_year_or_none(text, quarter):
    assert said_quarter(text) == quarter


@pytest.mark.parametrize(
    ("text", "quarter"),
    [
        ("2024-07", "2024-Q2"), ("July 2024", "2024-Q2"), ("Jan-25", "2024-Q4"), ("03/2025", "2024-Q4"),
        ("15/04/2024", "2024-Q1"), ("2024-07-01 00:00:00", "2024-Q2"), ("2024-13", None), ("2024-25", None),
    ],
)  # fmt: skip
def test_a_month_lies_in_a_quarter_of_the_financial_year(text, quarter):
    """By the calendar: April to June is the first quarter."""
    assert month_quarter(text) == quarter


def test_a_pulse_alone_makes_a_study_whatever_its_quarters_are_called(alone, stacked):
    _, data = alone
    assert [e.period for e in data.extracts] == QUARTERS
    assert (data.year, data.of_quarters is data, data.workbook) == ("2025-Q2", True, None)
    for one, sizes in zip(data.reports, [60] * 4 + [9] + [60] * 6, strict=True):
        assert one.rows_used == sizes
        assert one.rows_read == one.rows_used + one.rows_set_aside == stacked.height
    # Those that name no quarter are in none, and every check says so.
    told = [r.problems.filter(rule="rows of no period") for r in data.reports]
    assert all(problem["rows"].to_list() == [3] for problem in told)


def test_a_file_of_many_quarters_is_counted_in_one_sentence(alone, stacked, monkeypatch):
    """A sentence a quarter read as if most of the file were lost; of one of nine people no count follows."""
    _, data = alone
    (text,) = opening._used(data)
    first, last = (period_words(p) for p in (QUARTERS[0], QUARTERS[-1]))
    said = (
        f"{first} to {last} (10 periods): 600 rows are used; 1 more period of too few people to be counted."
    )
    assert text.startswith(said)
    every = [replace(one, few=False, whole=True) for one in opening.told_of(data)]
    monkeypatch.setattr(opening, "told_of", lambda _: every)
    (text,) = opening._used(data)
    assert text.startswith(f"{first} to {last} (11 periods): 609 of {stacked.height} rows are used.")


def test_the_first_sentence_says_what_moved_and_since_when(alone):
    """Seven quarters in a row lie below the mean: a shift of the reference rules, from the sixth quarter on."""
    _, data = alone
    first = data.stands_out().lines[0]
    means = data.results.table.filter(measure="advocacy", breakdown="all").sort("period")["estimate"]
    assert (first.kind, first.chapter) == ("pulse", "11_pulse")
    since = next(chart for chart in data.charts if chart.measure == "advocacy")
    assert since.table["mean"][0] == pytest.approx(means.drop_nulls().mean())
    assert "Advocacy" in " ".join(data.stands_out().said)
    assert "year" not in " ".join(line.sentence for line in data.stands_out().lines)
    assert data.headline().layout.title.text.startswith("SYN01, ")


def test_the_stretch_that_is_told_is_the_latest_without_a_gap():
    frame = pl.DataFrame({
        "period": QUARTERS, "estimate": [7.0, 7, 7, 7, None, 6, 6, 6, 6, 6, 6.2],
        "mean": [6.5] * 11, "limit_low": [5.0] * 11, "limit_high": [8.0] * 11,
        "special_cause": [SHIFT] * 4 + [None] + [SHIFT] * 6,
    })  # fmt: skip
    one = last_stretch(frame)
    assert (one.first["period"], one.last["period"], one.quarters, one.goes_on) == (
        "2023-Q4", "2025-Q2", 6, True,
    )  # fmt: skip
    assert one.when == "since Q4 2023/24"
    ended = last_stretch(frame.with_columns(special_cause=pl.Series([SHIFT] * 4 + [None] * 7)))
    assert (ended.goes_on, ended.when) == (False, "from Q1 2022/23 to Q1 2023/24")


SHIFT = "seven in a row on one side of the mean"


def test_a_quarter_of_few_is_held_back_and_said(alone):
    _, data = alone
    table = data.charts[0].table
    assert table.filter(period="2023-Q2").select("estimate", "base").row(0) == (None, None)
    assert "Held back, too few answered: Q2 2023/24." in data.charts[0].summary()
    said = " ".join((note.text or "").replace("<br>", " ") for note in data.headline().layout.annotations)
    assert "A gap: no results, or held back because few answered." in said


def test_missing_quarters_stay_gaps(stacked, tmp_path):
    path = tmp_path / "pulse.csv"
    stacked.filter(pl.col("Quarter") != as_written(QUARTERS[7], 7)).write_csv(path)
    chart = study([path]).charts[0]
    assert chart.table.filter(period=QUARTERS[7])["status"].to_list() == ["missing"]


def test_one_or_two_quarters_are_shown_without_a_run_chart(tmp_path):
    answers("2024-Q1").write_csv(tmp_path / "pulse April 2024.csv")
    answers("2024-Q2", seed=1).write_excel(tmp_path / "pulse July 2024.xlsx")
    data = study([*sorted(tmp_path.iterdir())])
    assert (data.year, data.charts) == ("2024-Q2", ())
    assert (
        data.stands_out().said[0].startswith("A run chart takes 3 quarters or more with a figure; 2 quarters")
    )
    assert (
        "pulse July 2024.xlsx is taken for Q2 2024/25, in which the month of its name lies." in data.cautions
    )
    assert data.headline().layout.title.text.startswith("SYN01: one score")


def test_a_quarter_that_stands_twice_and_one_that_may_be_two_are_refused(tmp_path):
    answers("2024-Q1").write_csv(tmp_path / "p Q1 2024-25.csv")
    answers("2024-Q1", seed=1).write_csv(tmp_path / "p 2024-Q1.csv")
    with pytest.raises(ReportError, match="Two respondent files hold Q1 2024/25") as caught:
        study([*tmp_path.iterdir()])
    assert "p 2024-Q1.csv" in caught.value.where and "one file a quarter" in caught.value.hint
    path = tmp_path / "both.csv"
    both = [answers(f"2024-{q}").with_columns(Wave=pl.lit(f"{q} 2024")) for q in ("Q1", "Q2")]
    pl.concat(both).write_csv(path)
    for year in (None, "2024-Q1"):
        with pytest.raises(ExtractError, match="Which quarter is meant cannot be told"):
            cm.read_extract(path, PULSE, year)


def test_year_and_quarter_may_stand_in_two_columns_and_organisations_are_kept_apart(tmp_path):
    parts = [
        answers(period, 30, i, 2).with_columns(Year=pl.lit("2024/25"), Quarter=pl.lit(period[5:]))
        for i, period in enumerate(("2024-Q1", "2024-Q2", "2024-Q4"))
    ]
    pl.concat(parts).write_csv(tmp_path / "pulse.csv")
    with pytest.raises(ReportError, match="hold 2 organisations"):
        study([tmp_path / "pulse.csv"])
    data = study([tmp_path / "pulse.csv"], "SYN02")
    assert [e.period for e in data.extracts] == ["2024-Q1", "2024-Q2", "2024-Q4"]
    assert {c.organisation for c in data.charts} == {"SYN02"} and len(data.charts) == 4
    assert data.charts[0].table["base"].to_list() == [30] * 3


def test_a_pulse_of_another_organisation_is_left_out_and_said(tmp_path):
    synthetic.respondents(2024, 1, 60).frame.write_csv(tmp_path / "RXX_2024.csv")
    other = answers("2024-Q1").with_columns(organisation=pl.lit("RZZ"))
    other.write_csv(tmp_path / "p 2024-Q1.csv")
    data = study([*tmp_path.iterdir()], "SYN01")
    assert data.quarters is None
    assert "The files of the National Quarterly Pulse Survey hold nothing of SYN01." in data.cautions


@pytest.fixture
def own_pulse(tmp_path):
    """The worked example as a survey of quarters, in a folder of the study, and four quarters of answers."""
    folder = Path(shutil.copytree(OWN, tmp_path / "culture_pulse"))
    text = (folder / "editions.yaml").read_text(encoding="utf-8")
    text = (
        text.replace("period: year", "period: quarter\n  open_ended: true")
        .replace("'2024'", "2024-Q1")
        .replace("'2025'", "2025-Q1")
    )
    (folder / "editions.yaml").write_text(text, encoding="utf-8")
    measures = folder / "measures.yaml"
    measures.write_text(measures.read_text(encoding="utf-8").replace("'2025'", "2025-Q1"), encoding="utf-8")
    questions = folder / "questions.csv"
    head = questions.read_text(encoding="utf-8")
    questions.write_text(head.replace("code_2024,code_2025", "code_2024-Q1,code_2025-Q1"), encoding="utf-8")
    shutil.rmtree(folder / "frameworks")
    yield folder
    known._OWN.clear()


def own_answers(period, n=60, seed=0):
    scored = 13 if period >= "2025" else 12
    people = pl.DataFrame({"ID": [*range(n)], "Org code": "SYN01", "Team": (["Ash", "Elm"] * n)[:n]})
    codes = {
        f"CL{i}": pl.Series([(j * 7 + i + seed) % 5 + 1 for j in range(n)]) for i in range(1, scored + 1)
    }
    return people.with_columns(**codes, **{f"CL{scored + 1}": pl.Series(([1, 2] * n)[:n])})


def test_a_pulse_of_ones_own_stands_beside_an_annual_survey(own_pulse, tmp_path):
    """The folder holds both: setup writes of which survey each file is, and the study reads it so."""
    synthetic.respondents(2024, 1, 60).frame.drop("respondent").write_csv(tmp_path / "NSS_2024.csv")
    for number, period in enumerate(("2024-Q1", "2024-Q2", "2024-Q3")):
        own_answers(period, seed=number).write_csv(tmp_path / f"pulse {period}.csv")
    made = setup([tmp_path], survey=str(own_pulse))
    text = made.path.read_text(encoding="utf-8")
    assert text.count("survey: culture_pulse") == 3 and "\nsurvey:" not in text
    data = study(tmp_path)
    assert (data.edition.survey.id, data.quarters.edition.survey.id) == ("nss_england", "culture_pulse")
    assert data.charts[0].measure == "culture_index"
    assert len(data.table) == 4 and data.table["holds"].sum() == 240
    assert any(line.kind == "pulse" for line in data.stands_out().lines)


def test_setup_and_report_take_a_folder_of_an_annual_survey_and_a_pulse(stacked, tmp_path):
    stacked.write_csv(tmp_path / "pulse.csv")
    synthetic.respondents(2024, 1, 60).frame.write_csv(tmp_path / "RXX_2024.csv")
    made = setup([tmp_path])
    assert "National Quarterly Pulse Survey: followed beside the NHS Staff Survey, England" in made.decided
    data = study(tmp_path)
    chosen, left_out = _choose(data)
    assert chosen[-1] == "11_pulse" and "The quarterly pulse" not in dict(left_out)
    results, answers = _tables(data)
    told = manifest(data, results, chosen, left_out)
    rows = [r for r in told["rows"] if "Q" in r["period"]]
    assert len(rows) == 11
    # Nine people answered in one quarter: neither they nor what is left of the file's rows may be told.
    few = next(r for r in rows if r["period"] == "2023-Q2")
    assert [few[k] for k in ("read", "used", "set_aside", "used_of_organisation")] == [None] * 4
    assert {(r["read"], r["set_aside"], r["used"]) for r in rows if r is not few} == {(None, None, 60)}
    small = results.filter(period="2023-Q2", survey=PULSE)
    assert small.height and small["estimate"].null_count() == small["base"].null_count() == small.height
    write_results(tmp_path / "results.xlsx", data, results, answers, None)
    sheet = pl.read_excel(tmp_path / "results.xlsx", sheet_name="Scores", has_header=False)
    assert {"Survey", "Year or quarter"} <= {cell for row in sheet.rows() for cell in row}
    label = "National Quarterly Pulse Survey"
    assert "Advocacy" in {cell for row in sheet.rows() if label in row for cell in row}
    page = _page(data, [], left_out, told, Asked(()))
    assert "What moved from quarter to quarter?" in page
    assert "<dt>Quarters in the files</dt><dd>11, Q1 2022/23 to Q2 2025/26</dd>" in page


def test_a_pulse_alone_makes_a_report_of_quarters(alone, tmp_path):
    with pytest.warns(InputWarning, match="3 rows of pulse.csv without a quarter are in no figure"):
        made = report([alone[0]], tmp_path / "out", reader="analysts")
    page = made.read_text(encoding="utf-8")
    assert "National Quarterly Pulse Survey, Q2 2025/26" in page
    first = page[page.index('id="first"') : page.index("</section>")]
    assert "Q2 2025/26" in first and " year" not in first
    assert page.index('<section id="11_pulse"') < page.index('<section id="02_culture_indicators"')
    assert "quarters are followed in run charts, not compared two by two" in page
    assert "Run charts of the pulse" in page


def test_published_workbooks_of_a_pulse_are_charted(shared_data):
    """Two quarters are at hand, which is one too few: the report says so and shows the scores."""
    files = sorted((shared_data / "pulse").glob("*.xlsm"))
    data = study(files, "R0A")
    assert (data.year, data.of_quarters is data, data.charts) == ("2022-Q1", True, ())
    assert data.stands_out().said[0].startswith("A run chart takes 3 quarters")
    third = data.published[-1].results.table.with_columns(period=pl.lit("2022-Q2"))
    every = pl.concat([*(p.results.table for p in data.published), third])
    assert run_chart(every, organisation="R0A").table["estimate"].count() == 3


@pytest.fixture(scope="module")
def few_at_last(tmp_path_factory):
    """Four quarters, a file each; of the newest nine people answered."""
    folder = tmp_path_factory.mktemp("few")
    for number, period in enumerate(QUARTERS[:4]):
        answers(period, 9 if number == 3 else 40, number).write_csv(folder / f"pulse {period}.csv")
    return study([*sorted(folder.iterdir())])


def test_a_latest_quarter_of_few_is_said_and_chapters_are_about_the_one_before(few_at_last):
    """The base of its figures is held back, and so is what stands for it elsewhere."""
    data = few_at_last
    told = manifest(data, data.results.table, [], [])
    assert [(r["read"], r["used"], r["set_aside"]) for r in told["rows"]] == [(40, 40, 0)] * 3 + [(None,) * 3]
    assert data.year == "2022-Q4"
    said = (
        "Fewer than 11 people answered in Q1 2023/24, and nothing of it may be shown; the newest quarter "
        "with figures is Q4 2022/23."
    )
    assert said in data.cautions
    page = _page(data, [], [], told, Asked(()))
    assert said in page and "<dt>People who answered</dt><dd>40</dd>" in page
    assert "<td>Q1 2022/23</td>" in page and "<td>2022-Q1</td>" not in page
    assert len(data.scores().data[0].x) and "no score may be shown" not in data.summary()
    assert data.charts[0].table["period"].to_list() == QUARTERS[:4]


def test_who_asks_for_a_quarter_of_few_is_told(few_at_last, tmp_path):
    for number, period in enumerate(QUARTERS[:2]):
        answers(period, 9 if number else 40, number).write_csv(tmp_path / f"pulse {period}.csv")
    data = study([*tmp_path.iterdir()], year="2022-Q2")
    assert "Fewer than 11 people answered in Q2 2022/23, and nothing of it may be shown." in data.cautions


def counts_in(data):
    """Every number that a study says of its files, in a notebook and on the page."""
    said = [data, data.checks(), data.problems()]
    texts = [
        *(one._repr_html_() for one in said),
        repr(data.problems()),
        *findings(data, "01_check_an_extract"),
    ]
    plain = re.sub(r"<style>.*?</style>|<[^>]+>|SHA-256 \w+", " ", " ".join(texts), flags=re.S)
    return {int(n.replace(",", "")) for n in re.findall(r"(?<![\w./-])\d[\d,]*(?![\w./-])", plain)}


def test_what_was_read_does_not_count_a_quarter_of_few(alone, few_at_last):
    """Nine people; and 612 rows in the file of eleven quarters, from which they would follow."""
    stacked = counts_in(alone[1])
    assert 60 in stacked and not {9, 612, 612 - 60, 612 - 60 - 3} & stacked
    assert "fewer than 11" in repr(alone[1].problems())
    assert 40 in (each := counts_in(few_at_last)) and 9 not in each


def test_a_year_of_few_does_not_follow_from_the_rows_of_its_file(tmp_path):
    years = [
        synthetic.respondents(year, 1, n).frame.with_columns(Year=pl.lit(year))
        for year, n in ((2023, 9), (2024, 60))
    ]
    pl.concat(years, how="diagonal_relaxed").drop("respondent").write_csv(tmp_path / "both.csv")
    with pytest.warns(InputWarning, match="Fewer than 11 respondents"):
        data = study([tmp_path / "both.csv"])
    assert [e.period for e in data.extracts] == ["2024"]
    assert 60 in (said := counts_in(data)) and 69 not in said
    assert data.checks().frame.row(0)[2:6] == ("[c]", "[c]", "60", "[c]")
    (row,) = manifest(data, data.results.table, [], [])["rows"]
    assert (row["read"], row["set_aside"], row["used"]) == (None, None, 60)


def test_the_workbook_has_the_numbers_of_the_run_charts(alone, tmp_path):
    """Mean and limits as the rules have them, worked out here: 2.66 mean steps, none across the gap."""
    _, data = alone
    results, answers_ = _tables(data)
    write_results(tmp_path / "results.xlsx", data, results, answers_, None)
    assert faults(tmp_path / "results.xlsx") == []
    book = fastexcel.read_excel(tmp_path / "results.xlsx")
    sheet = book.load_table("Run_charts", dtypes="string").to_polars()
    rows = sheet.filter(Measure="Advocacy")
    assert rows["Quarter"][:3].to_list() == ["Q1 2022/23", "Q2 2022/23", "Q4 2022/23"]
    begins = [text[:10] for text in rows["Quarter begins"]]
    assert begins == sorted(begins) and begins[0] == "2022-04-01" and begins[2] == "2023-01-01"
    known = data.results.table.filter(measure="advocacy", breakdown="all").sort("period")["estimate"]
    steps = known.diff().abs()
    kept = steps.filter(steps < 3.267 * steps.mean())
    assert float(rows["Mean"][0]) == pytest.approx(known.mean(), abs=1e-8)
    assert float(rows["Upper limit"][0]) == pytest.approx(known.mean() + 2.66 * kept.mean(), abs=1e-8)
    assert rows["Score"].to_list().count("[c]") == 1 and rows["Score"][4] == "[c]" == rows["Base"][4]
    chart = next(chart for chart in data.charts if chart.measure == "advocacy")
    causes = chart.table.select("estimate", "special_cause").rows()
    assert rows["Signal"].to_list() == ["[c]" if e is None else cause or "None" for e, cause in causes]
    assert {*rows["Signal"]} - {"[c]", "None"} and {*rows["Reads as"]} > {"[c]", "common cause"}
    scores = book.load_table("Scores", dtypes="string").to_polars()
    assert {"Q1 2022/23", "Q2 2025/26"} <= set(scores["Quarter"]) and "Quarter begins" in scores.columns


def test_the_page_says_how_its_limits_are_made(alone):
    """As run_chart makes them: 2.66 times the mean step, without steps above 3.267 times the mean step."""
    from culture_metrics.reporting.methods import methods

    _, data = alone
    said = " ".join(text for part in methods(data, ["11_pulse"], every=False) for text in part.sentences)
    assert "Steps of more than 3.267 times their mean are left out of the limits" in said
    assert "none across a gap" in said
    hover = [text for trace in data.charts[0].figure().data for text in trace.hovertext or ()]
    assert any("<b>Q1 2022/23</b>" in text for text in hover)
    assert not any("2022-Q1" in text for text in hover)


def test_rows_without_a_quarter_and_quarters_that_are_none_are_said(alone, tmp_path):
    _, data = alone
    assert "3 rows of pulse.csv without a quarter are in no figure." in data.cautions
    answers("2024-Q2").with_columns(Quarter=pl.lit("Q3 2024/25")).write_csv(tmp_path / "pulse.csv")
    said = study([tmp_path / "pulse.csv"]).cautions
    assert any(
        s.startswith("Q3 2024/25: the National Quarterly Pulse Survey is asked in Q1, Q2, Q4") for s in said
    )


def test_files_told_by_their_months_are_said_once(tmp_path):
    for number, month in enumerate(("April 2024", "Jul-24", "2025-01")):
        answers(("2024-Q1", "2024-Q2", "2024-Q4")[number], seed=number).write_csv(
            tmp_path / f"pulse {month}.csv"
        )
    said = study([*sorted(tmp_path.iterdir())]).cautions
    assert said == (
        "3 files are taken for the quarters in which the months of their names lie: pulse April 2024.csv for "
        "Q1 2024/25 to pulse 2025-01.csv for Q4 2024/25.",
    )  # fmt: skip


def test_setup_writes_quarters_as_people_say_them_and_a_copy_is_told(tmp_path):
    for number, period in enumerate(QUARTERS[:3]):
        frame = (
            answers(period, 40, number)
            .drop("^locality.*$")
            .with_columns(Directorate=pl.Series(["Medicine", "Surgery"] * 20))
        )
        frame.write_csv(tmp_path / f"pulse {period}.csv")
    text = setup([tmp_path]).path.read_text(encoding="utf-8")
    assert "# 40 rows of Q1 2022/23" in text and "# 2 names in each from Q1 2022/23 to Q4 2022/23" in text
    shutil.copy(tmp_path / "pulse 2022-Q1.csv", tmp_path / "pulse 2022-Q1 copy.csv")
    with pytest.raises(ReportError, match="one file twice"):
        study([*sorted(tmp_path.glob("*.csv"))])


def test_files_of_published_figures_are_refused_together_by_name(tmp_path):
    header = ["Org Code", "Org Name", "Care Setting", "Total Responses", "Engagement Score"]
    for period in QUARTERS[:3]:
        text = f"{','.join(header)}\nRX1,A,Acute,100,6.5\n"
        (tmp_path / f"results {period}.csv").write_text(text, encoding="utf-8")
    names = [path.name for path in sorted(tmp_path.iterdir())]
    with pytest.raises(FileFormatError, match="3 files look like pulse workbooks") as caught:
        study(sorted(tmp_path.iterdir()))
    assert caught.value.where.split("\n    ")[1:] == names
    with pytest.raises(StudyFileError) as none:
        setup([tmp_path])
    assert none.value.got.count("Nothing here reads a copy") == 1 and all(n in none.value.got for n in names)
    answers("2024-Q1").write_csv(tmp_path / "own 2024-Q1.csv")
    said = [text for text in setup([tmp_path]).look if "not used" in text]
    assert len(said) == 1 and all(name in said[0] for name in names)


def test_setup_names_two_files_of_one_quarter(tmp_path):
    for name, seed in (("p Q1 2024-25.csv", 0), ("p 2024-Q1.csv", 1), ("p 2024-Q2.csv", 2)):
        answers("2024-Q2" if "Q2" in name else "2024-Q1", seed=seed).write_csv(tmp_path / name)
    (said,) = [text for text in setup([tmp_path]).look if "hold" in text]
    assert said.startswith("p 2024-Q1.csv and p Q1 2024-25.csv hold Q1 2024/25: no report is made")
    assert "kind: not used" in said
    with pytest.raises(ReportError, match="Two respondent files hold Q1 2024/25"):
        study(tmp_path)


def test_setup_names_a_survey_that_lies_elsewhere_by_a_relative_path(own_pulse, tmp_path):
    folder = tmp_path / "files" / "of 2024"
    folder.mkdir(parents=True)
    for number, period in enumerate(("2024-Q1", "2024-Q2", "2024-Q3")):
        own_answers(period, seed=number).write_csv(folder / f"pulse {period}.csv")
    text = setup([folder], survey=str(own_pulse)).path.read_text(encoding="utf-8")
    assert "survey: ../../culture_pulse\n" in text and str(tmp_path) not in text
    assert study(folder).edition.survey.id == "culture_pulse"
    synthetic.respondents(2024, 1, 60).frame.drop("respondent").write_csv(folder / "NSS_2024.csv")
    (folder / "study.yaml").unlink()
    text = setup([folder], survey=str(own_pulse)).path.read_text(encoding="utf-8")
    assert text.count("    survey: ../../culture_pulse\n") == 3
    assert study(folder).quarters.edition.survey.id == "culture_pulse"
