"""Notebooks hold under the first change a person makes: their cells run with other parameters than the own."""

from __future__ import annotations

import ast
import html
import re
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import polars as pl
import pytest
from cells import FOLDER, run

import culture_metrics as cm
from culture_metrics.catalogue import known
from culture_metrics.errors import ReportError

PULSE = Path(__file__).parent / "surveys" / "culture_pulse"
START, CHECK, INDICATORS = "00_start_here", "01_check_an_extract", "02_culture_indicators"
YEARS, LINKS, PUBLISHED = "03_year_on_year", "09_links_to_outcomes", "10_published_results"
EQUALITY = "05_equality"
PEERS = "04_benchmark_and_peers"
FRAMEWORKS = "06_leadership_frameworks"
#: What stands in no text that people read.
BROKEN = re.compile(r"\bnan\b|\bNone\b(?! of)|\{\w*\}|<NA>|\bnull\b")


@pytest.fixture(scope="module", autouse=True)
def _read_once():
    """A study of the same files and choices is read once: what is tried here is what is shown of it."""
    made, real = {}, cm.study

    def study(inputs=(), *given, **named):
        if (key := repr((inputs, given, named))) not in made:
            made[key] = real(inputs, *given, **named)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cm, "study", study)
        yield
    known._OWN.clear()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    years = {
        year: cm.synthetic.respondents(year, organisations=2, respondents_per_organisation=150).frame
        for year in (2023, 2024)
    }
    for year, frame in years.items():
        frame.filter(organisation="SYN01").write_csv(folder / f"RXX {year}.csv")
        frame.write_csv(folder / f"both {year}.csv")
    stacked = [frame.with_columns(year=pl.lit(year)) for year, frame in years.items()]
    pl.concat(stacked, how="diagonal").write_csv(folder / "stacked.csv")
    for period, n in (("2024", 120), ("2025", 140)):
        pulse(period, n).write_csv(folder / f"pulse {period}.csv")
    return folder


def pulse(period, n):
    """Answers of made-up people to a survey of one's own."""
    rng = np.random.default_rng(int(period))
    scored = 13 if period == "2025" else 12
    columns = {
        "ID": [f"p{i}" for i in range(n)],
        "Org code": ["RXX"] * n,
        "Ward or team": rng.choice(["Ash", "Beech", "Cedar"], n),
    }
    columns |= {f"CL{i}": rng.integers(1, 6, n) for i in range(1, scored + 1)}
    return pl.DataFrame(columns | {f"CL{scored + 1}": rng.choice([1, 2, 3], n)})


def sound(page):
    """See to it that something is shown, and that no text holds what is not meant for people."""
    assert page.shown
    words = re.sub(r"<[^>]+>", " ", page.text)
    assert not (found := BROKEN.search(words)), words[max(0, found.start() - 80) : found.end() + 40]
    for figure in page.figures:
        assert figure.layout.meta["alt"] and figure.data
    return page


EDITION = cm.catalogue().edition(2024)


@cache
def example(notebook, **parameters):
    return sound(run(notebook, skip="heat_maps|rebuilt", **parameters))


def documented():
    """What the cell of a notebook that may be changed gives as examples: notebook, name, value."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        [cell] = [c for c in cells if "change-this" in c.metadata.get("tags", ())]
        for name, text in re.findall(r"^(\w+) = .+?  # for example (.+?);", cell.source, re.MULTILINE):
            yield pytest.param(path.stem, name, ast.literal_eval(text), id=f"{path.stem[:2]} {name}={text}")


@pytest.mark.parametrize(("notebook", "name", "value"), [*documented()])
def test_what_a_notebook_offers_to_change_may_be_changed(notebook, name, value, panel):
    """As it is read there; a link with another outcome than a kind's first is tried below."""
    if notebook == LINKS:
        sound(run(LINKS, skip="false_alarms|curve|influence", **{"panel": panel, name: value}))
    elif name == "given":
        page = sound(run(notebook, skip="heat_maps|rebuilt|intersections|bright", given=value))
        assert page.names["study"].year == str(value.get("year", 2024))
    else:
        example(notebook, **{name: value})


# One score of each kind: of scores, of questions, of one question, with a filter, with a break; by id and by code.
@pytest.mark.parametrize(
    "score", ["PP1", "staff_engagement", "flexible_working", "appraisals", "PP4_1", "q25c"]
)
def test_another_score(score):
    label = EDITION.measure(score).label
    for notebook, figure in ((INDICATORS, 1), (PEERS, 2), (PUBLISHED, 0)):
        page = example(notebook, score=score)
        assert label.lower() in page.figures[figure].layout.meta["alt"].lower()
    percentages = next(
        said for said in example(INDICATORS, score=score).shown if "headline percentages" in said
    )
    headlines = {m.label for m in EDITION.percentages.values() if m.question in EDITION.questions_of(score)}
    assert headlines and all(html.escape(name) in percentages for name in headlines)


# Less is better, a break, a score, put to some, and without a headline.
@pytest.mark.parametrize(
    ("question", "split"),
    [("q5a", True), ("q14a", False), ("morale", True), ("q31b", True), ("gender", False)],
)
def test_another_question(question, split):
    years = sound(
        run(YEARS, skip="slope|figure|heat_maps|hidden|findings|not_comparable|explore", question=question)
    )
    assert bool(years.figures) is split
    assert split or "could be split" in years.text or "cannot be split" in years.text
    assert not re.search(r"\.\.(?!\.)", re.sub(r"<[^>]+>", "", years.shown[-1]))
    label = EDITION.describe(question).title.split(",")[0]
    assert label in example(INDICATORS, question=question).text
    if split:
        ranking = example(PEERS, question=question).figures[1]
        assert ranking.layout.meta["alt"].startswith(label)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ([], "no groups to show"),
        (["age"], "by age"),
        (["age", ["gender", "locality_1"]], "by gender × locality 1"),
    ],
    ids=["none", "one", "one and a cross"],
)
def test_another_breakdown(files, by, said):
    inputs = [str(files / f"RXX {year}.csv") for year in (2023, 2024)]
    for notebook in (INDICATORS, YEARS):
        assert said in re.sub(r"<br>|\s+", " ", sound(run(notebook, inputs=inputs, by=by)).text)


@pytest.mark.parametrize(
    "case", ["one file", "one file of several organisations", "several years in one", "larger minimum"]
)
def test_other_files(files, case):
    given = {
        "one file": {"inputs": str(files / "RXX 2024.csv")},
        "one file of several organisations": {
            "inputs": [str(files / "both 2024.csv")],
            "organisation": "SYN02",
        },
        "several years in one": {"inputs": [str(files / "stacked.csv")], "organisation": "SYN01"},
        "larger minimum": {
            "inputs": [str(files / f"RXX {y}.csv") for y in (2023, 2024)],
            "minimum_base": 30,
            "minimum_count": 5,
        },
    }[case]
    for notebook in (START, CHECK, INDICATORS):
        sound(run(notebook, **given))
    if case == "several years in one":
        sound(run(YEARS, **given))
    elif case != "larger minimum":
        with pytest.raises(ReportError, match="takes two respondent files"):
            run(YEARS, **given)
    for notebook in (PEERS, PUBLISHED):
        with pytest.raises(ReportError, match="No workbook among the inputs"):
            run(notebook, **given)


@pytest.mark.parametrize(
    "more", [{}, {"score": "culture_index", "question": "CL2", "by": ["team", ["team", "contract"]]}], ids=str
)
def test_another_survey(files, more):
    given = {"inputs": [str(files / f"pulse {year}.csv") for year in (2024, 2025)], "survey": str(PULSE)}
    for notebook in (START, CHECK, INDICATORS, YEARS):
        kept = {
            name: value for name, value in more.items() if notebook in (INDICATORS, YEARS) or name == "by"
        }
        if notebook == YEARS:
            kept.pop("score", None)
        page = sound(run(notebook, **given, **kept))
        assert not re.search(r"NHS|People Promise|\btrust\b", re.sub(r"<[^>]+>", " ", page.text))


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.CultureMetricsWarning")
def test_equality_of_few_people_and_of_another_survey(files):
    """Beside what other notebooks showed of these files, or of groups too small, it says why there is nothing."""
    page = sound(run(EQUALITY, inputs=str(files / "RXX 2024.csv")))
    assert "none can have moved" in page.text and "not shown" in page.text
    own = {"inputs": [str(files / f"pulse {year}.csv") for year in (2024, 2025)], "survey": str(PULSE)}
    assert "Strata are not shown" in sound(run(EQUALITY, **own)).text


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    path = tmp_path_factory.mktemp("panel") / "panel.csv"
    cm.synthetic.outcome_panel(organisations=60, years=range(2020, 2024)).write_csv(path)
    return str(path)


# One outcome of each kind, and each that the made-up panel has two of is tried by the numbers it holds.
@pytest.mark.parametrize(
    "outcome",
    ["inpatient_survey", "leavers", "sickness_absence", "c_difficile", "cqc_rating", "agency_spend"],
)
def test_another_outcome(panel, outcome):
    page = sound(run(LINKS, skip="false_alarms", panel=panel, outcome=outcome))
    title = cm.outcome(outcome).title
    spoken = [f.layout.meta["alt"] for f in page.figures]
    assert len(spoken) == 8
    assert all(title.lower() in alt.lower() for alt in (spoken[0], spoken[2], spoken[4], spoken[7]))


def test_the_made_up_panel_has_every_outcome_of_the_catalogue():
    panel = cm.synthetic.outcome_panel(organisations=2, years=[2023])
    for name in cm.outcomes()["outcome"]:
        assert set(cm.outcome(name).columns) <= set(panel.columns)


@pytest.mark.parametrize(
    "more",
    [
        {"indicator": "morale", "others": ["staff_engagement"]},
        {"controls": [], "moderator": "morale"},
        {"controls": ["region", "beds"], "moderator": "headcount"},
        {"outcome": "shmi", "column": "SHMI index"},
    ],
    ids=str,
)
def test_other_columns_of_a_panel(panel, more, tmp_path):
    if "column" in more:
        frame = pl.read_csv(panel).rename({"shmi": more["column"]})
        frame.write_csv(tmp_path / "own.csv")
        panel = str(tmp_path / "own.csv")
    sound(run(LINKS, skip="false_alarms|curve", panel=panel, **more))


def test_words_speak_of_no_choice_that_a_person_may_change():
    """A text that names the survey's usual score or question is untrue once another is chosen."""
    usual = [EDITION.measure(name).label for name in (EDITION.default_score, EDITION.default_question)]
    for notebook in (START, CHECK, INDICATORS, YEARS, PEERS, PUBLISHED):
        text = (FOLDER / f"{notebook}.ipynb").read_text(encoding="utf-8")
        cells = re.findall(r'"cell_type": "markdown".*?"source": \[(.*?)\]\s*\}', text, flags=re.DOTALL)
        assert not [label for label in usual if label.lower() in " ".join(cells).lower()]


# One with families, and one with dimensions that nothing measures.
@pytest.mark.parametrize(
    ("framework", "said"),
    [
        ("hsc_collective_leadership", "Sharing of formal authority"),
        ("nhs_people_plan", "What boards do"),
    ],
)
def test_another_framework(framework, said):
    page = example(FRAMEWORKS, framework=framework)
    assert said in page.text
    assert len(page.figures) == 2
    assert "published results of two years" in page.text


def test_frameworks_of_another_survey(files):
    given = {"inputs": [str(files / f"pulse {year}.csv") for year in (2024, 2025)], "survey": str(PULSE)}
    assert "No framework of the package is read with Culture Pulse" in run(FRAMEWORKS, **given).text
    own = sound(run(FRAMEWORKS, **given, framework=str(PULSE / "frameworks" / "how_we_work.yaml")))
    assert "No question asks it" in own.text
    assert len(own.figures) == 1


def test_a_programme_before_and_after_from_workbooks_of_two_years():
    """The made-up workbook of 2024, and the same two years before with the own figures 8 points lower."""
    book = cm.study([]).published[0]
    own = (pl.col("organisation") == "SYN01") & (pl.col("unit").cast(pl.String) == "percent")
    lower = pl.when(own).then((pl.col("estimate") - 8).clip(0)).otherwise("estimate").alias("estimate")
    early, late = (
        type(book)(
            "nss_england",
            year,
            cm.results.Results.of(table.with_columns(period=pl.lit(year))),
            book.distributions,
            book.organisations.with_columns(period=pl.lit(year)),
            provenance={"release": "2024"},
        )
        for year, table in (("2022", book.table.with_columns(lower)), ("2024", book.table))
    )
    study = cm.study([])
    two = type(study)(**{**vars(study), "published": (early, late)})
    figure, told = two.before_after(2022, 2024)
    row = told.table.filter(measure="care_is_top_priority").row(0, named=True)
    assert row["estimate"] == pytest.approx(8.0) and row["conf_low"] > 0
    assert figure.layout.meta["alt"].startswith("SYN01, 2022 to 2024")
