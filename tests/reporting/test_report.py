"""One report from files to page, tables and manifest; and what may never be in them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from accessible import faults
from cells import without_notebooks
from on_report import (  # noqa: F401  (tests of the report made here, in a browser)
    test_a_board_prints_every_chapter_and_no_blank_sheet,
    test_axe_finds_nothing_on_the_report,
    test_the_keyboard_reaches_everything_on_the_report_in_order,
    test_the_report_fits_a_telephone,
    test_the_report_opens_with_the_network_off_and_nothing_goes_wrong,
    visited,
)
from pptx import Presentation
from printed import HEIGHT, MARGIN, WIDTH
from slide_rules import slide_faults

from culture_metrics import catalogue, read_published, study, synthetic, validate
from culture_metrics.contract import check_results
from culture_metrics.errors import FileFormatError, InputWarning, ReportError, UnknownNameError
from culture_metrics.published import write_published
from culture_metrics.reporting import report as module
from culture_metrics.reporting import slides
from culture_metrics.reporting.deck import deck
from culture_metrics.reporting.page import Section, section
from culture_metrics.reporting.readers import for_board, has_figures
from culture_metrics.reporting.report import report
from culture_metrics.study import read as study_of_files
from culture_metrics.study.example import example_published
from culture_metrics.study.study import Study

SECRET = "person-"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two years of a small trust, and the workbook of its peers."""
    place = tmp_path_factory.mktemp("a trust's files é")
    for year in (2023, 2024):
        extract = synthetic.respondents(year, respondents_per_organisation=300)
        # Ids that would be found anywhere, and a group whose name could act as a formula in Excel.
        extract.frame.with_columns(
            pl.format(SECRET + "{}", "respondent").alias("respondent"),
            pl.col("locality_1").replace("Corporate Services", "=1+1"),
        ).write_csv(place / f"RXX {year}.csv")
    write_published(place / "official 2024.xlsx", example_published(validate(extract).extract))
    return place


@pytest.fixture(scope="module")
def executed():
    """The notebooks of the report, as they ran for it."""
    return {}


@pytest.fixture(scope="module")
def asked():
    """What the page was made of."""
    return []


@pytest.fixture(scope="module")
def folder(files, executed, asked):
    """A report on all of them for analysts, made once."""
    out, steps, run, write = files / "new" / "report", [], module.run_notebooks, module._page

    def kept(*args):
        executed.update(run(*args))
        return executed

    names = ["official 2024.xlsx", "RXX 2023.csv", "RXX 2024.csv"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_notebooks", kept)
        patch.setattr(module, "_page", lambda *given: asked.append(given) or write(*given))
        made = report(
            [files / name for name in names], out, "SYN01", tell=lambda *step: steps.append(step),
            reader="analysts",
        )  # fmt: skip
    assert made == out / "index.html"
    assert [done for _, done, _ in steps] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10]
    assert (steps[0][0], steps[-1]) == ("Reading and checking the files", ("Done", 10, 10))
    return out


@pytest.fixture
def quick(monkeypatch):
    """Reports without running notebooks."""
    without_notebooks(monkeypatch, module)


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tags(page):
    found = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Tags().feed(page)
    return found


@pytest.fixture(scope="module")
def manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_writes_five_files_and_nothing_else(folder):
    names = ["index.html", "ledger.json", "manifest.json", "results.parquet", "results.xlsx"]
    assert sorted(path.name for path in folder.iterdir()) == names


def test_the_page_fetches_nothing(page, tags):
    attributes = [(tag, name, value) for tag, given in tags for name, value in given.items()]
    loading = {"src", "srcset", "data", "poster", "action", "background"}
    assert [a for a in attributes if a[1] in loading or (a[0] in ("link", "base") and a[1] == "href")] == []
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert styles
    assert not re.search(r"url\(|@import", styles)
    links = {value for tag, name, value in attributes if (tag, name) == ("a", "href")}
    beside = {"results.xlsx", "results.parquet", "manifest.json", "ledger.json"}
    assert all(link.startswith("#") or link in beside for link in links)
    (policy,) = [a["content"] for _, a in tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_plotly_is_there_once_and_every_figure_has_a_name(page, tags, executed):
    assert len(re.findall(r"\* plotly\.js v\d", page)) == 1
    library = page.index("* plotly.js v")
    assert library > page.index("</main>"), "words show before Plotly is loaded"
    opened = page.rindex("<script", 0, library)
    assert page[opened:].startswith('<script type="text/plain">'), "Plotly starts once the page stands"
    assert page.index("aria-current") < opened, "the contents work before"
    figures = [attributes for tag, attributes in tags if tag == "figure"]
    # That of the first screen, and every one that a notebook drew.
    drawn = sum(
        "application/vnd.plotly.v1+json" in output.get("data", {})
        for notebook in executed.values()
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert drawn >= 18
    assert (
        len(figures)
        == page[page.index("</head>") : page.index("</main>")].count("Plotly.newPlot(")
        == 1 + drawn
    )
    assert all(a["role"] == "img" and len(a["aria-label"]) > 60 for a in figures)
    said = " ".join(a["aria-label"] for a in figures)
    assert re.search(
        r"(above|below) the median of Acute .+ on \d of 9 scores, (above|below) it on \d\.", said
    )
    assert re.search(r"scores from \d\.\d\d \(.+\) to \d\.\d\d \(", said)
    assert re.search(r"by occupation group: \d+ of \d+ scores clearly above the whole, \d+ below\.", said)


@pytest.fixture(scope="module")
def sheets(visited):  # noqa: F811
    """The page on A4 paper, as printed from a window 1366 pixels wide."""
    return visited.paper


def on_the_sheet_of(sheets, title):
    """Return the words of the one sheet with that title."""
    (sheet,) = (sheet for sheet in sheets if any(re.search(title, words.text) for words in sheet))
    return [words.text for words in sheet]


def test_paper_shows_every_column_of_the_maps_and_of_the_scores(sheets, folder):
    themes = [m.label for m in catalogue().edition(2024).measures.values() if m.level in ("element", "theme")]
    assert len(themes) == 9
    for title in ("by occupation group: ", "by locality 1: "):
        words = set(" ".join(on_the_sheet_of(sheets, title)).split())
        assert set(" ".join(themes).split()) <= words
    scores = pl.read_parquet(folder / "results.parquet").filter(
        unit="score", group="all", period="2024", source="respondents"
    )
    chart = on_the_sheet_of(sheets, r"scores from \d\.\d\d \(")
    assert {"● Score", "95% interval"} <= set(chart)
    intervals = [
        f"{low:.2f} to {high:.2f}" for low, high in scores.select("conf_low", "conf_high").iter_rows()
    ]
    assert len(intervals) == 30 and set(intervals) <= set(chart)
    assert max(words.x for sheet in sheets for words in sheet) < WIDTH - MARGIN


def test_paper_is_not_wasted(sheets):
    assert all(sheets), "a blank sheet"
    filled = [(max(words.y for words in sheet) - MARGIN) / (HEIGHT - 2 * MARGIN) for sheet in sheets]
    assert max(filled) <= 1
    assert not any(max(pair) < 0.5 for pair in pairwise(filled)), "sheets half empty, one after the other"
    # What is printed would fill so many sheets if it could be cut anywhere.
    assert len(sheets) <= 1.4 * sum(filled)


def test_one_can_find_ones_way_about_the_page(page, tags):
    assert ("html", {"lang": "en-GB"}) in tags
    assert "<title>Invented trust 1: NHS Staff Survey, England, 2024</title>" in page
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for tag, attributes in tags if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert 'is said under <a href="#03_year_on_year">Year on year</a>.' in page
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels))


def test_the_page_opens_with_its_findings_and_each_chapter_with_its_own(page, tags):
    first = page[page.index('id="first"') : page.index('id="01_check_an_extract"')]
    for question in ("How do we stand?", "What changed, and where inside?", "Whose experience differs?"):
        assert f"<h3>{question}</h3>" in first
    assert re.search(r"rank \d+ of \d+; by sampling alone \d+ to \d+", first)
    assert 'href="#04_benchmark_and_peers" aria-label="More in Benchmark and peers"' in first
    assert first.count('<figure role="img"') == 1 and "<table" not in first
    titled = re.findall(r'<h2 id="(\w+)-title">[^<]+</h2>\s*(<p class="finding">)?', page)
    assert titled[0] == ("first", "") and len(titled) == 9
    assert all(finding for _, finding in titled[1:])
    regions = [a["aria-label"] for _, a in tags if a.get("role") == "region"]
    assert len(regions) == len(set(regions))


def test_a_board_sees_no_code_and_no_table_and_every_figure_has_its_heading(folder, executed):
    for name, notebook in executed.items():
        shown = for_board(notebook)
        part = section(name, shown, ["What came of it."], code=False)
        # The folded numbers of a figure are its text for who cannot see it.
        seen = re.sub(r"<details class='numbers'>.*?</details>", "", part.html, flags=re.DOTALL)
        maps = re.findall(r'<div class="cm-heat".*?</script></div>', seen, flags=re.DOTALL)
        assert len(maps) == len(re.findall("Department, within Directorate", seen))
        assert all(one.count("<tr") <= 40 for one in maps)
        for one in maps:
            seen = seen.replace(one, "")
        assert "<details" not in seen and "<table" not in seen and "cm.study" not in seen
        assert not re.search(
            r"<code|\bcm\.|[a-z]_[a-z]+\b(?![^<]*>)", re.sub(r"<(script|style)\b.*?</\1>", "", seen)
        )
        assert has_figures(shown) == (name != "01_check_an_extract")
        heads = [len(re.findall("<figure", text)) for text in part.html.split("<h3")[1:]]
        assert all(0 < many <= 3 for many in heads)
        assert part.html.index("What came of it.") > part.html.index("</h2>")
    assert "<details" in section("a", executed["02_culture_indicators"]).html


def test_gaps_are_in_the_release_that_is_kept_and_attacked(folder, manifest):
    """The groups of chapter 05 were decided in its own kernel, and the next report knew nothing of them."""
    releases = json.loads((folder / "ledger.json").read_text(encoding="utf-8"))["releases"]
    for release in releases:
        kept = {name for call in release["calls"] for name in call["by"]}
        assert {
            "locality_1",
            "occupation_group",
            "ethnicity_summary",
            "long_term_condition",
            "gender",
        } <= kept


def test_the_methods_are_those_of_this_report(page):
    made = page[page.index('id="made"') :]
    for said in (
        "Improved", "Likely", "Margin of no material change: ", "Health and safety climate", "Wilson",
        "Published figures are", "score 1 + 3 (rank - 1) / (n - 1)", "The benchmark group is Acute",
    ):  # fmt: skip
        assert said in made
    # Nothing that does not apply: no edition here is provisional, no headcounts were given.
    assert "provisional" not in made and "response rate" not in made


def test_no_respondent_and_no_place_on_this_computer_is_in_any_file(files, folder):
    texts = [path.read_bytes() for path in folder.iterdir()]
    with zipfile.ZipFile(folder / "results.xlsx") as book:
        texts += [book.read(name) for name in book.namelist()]
    for text in texts:
        assert SECRET.encode() not in text
        assert str(files).encode() not in text
        assert b"ipykernel" not in text
    assert "respondent" not in pl.read_parquet(folder / "results.parquet").columns


def test_results_keep_the_contract_and_small_cells_are_held_back(folder, manifest, page):
    results = check_results(pl.read_parquet(folder / "results.parquet"))
    assert results["base"].min() >= 10
    assert results.filter(source="respondents")["base"].min() >= 11
    # Which are small and which are hidden beside them is told nowhere: neither by a status nor by a count.
    hidden = results.filter(pl.col("status").cast(pl.String).str.starts_with("suppressed"))
    assert set(hidden.filter(source="respondents")["status"]) == {"suppressed"}
    suppression = manifest["suppression"]
    about = {"rule", "held_back", "by_breakdown", "attack", "earlier_reports", "not_looked_at"}
    assert set(suppression) == about
    assert suppression["attack"]["sets_of_measures"] > 100
    assert suppression["attack"]["open"] == 0
    # Counted group by group; in the table groups of which nothing is shown stand together.
    assert suppression["held_back"] > hidden.height > 0
    assert sum(row["held_back"] for row in suppression["by_breakdown"]) == suppression["held_back"]
    for row in suppression["by_breakdown"]:
        assert set(row) == {"period", "breakdown", "results", "held_back"}
    assert f"Results not shown in these files: {suppression['held_back']:,}, with" in page
    whole = results.filter(measure="morale", group="all", period="2024")
    assert sorted(whole["source"]) == ["published", "respondents"]
    assert whole["base"].max() <= 300


def test_no_file_names_a_group_of_which_nothing_is_shown(files, folder, page):
    data = study([files / f"RXX {year}.csv" for year in (2023, 2024)])
    named = (
        data.suppressed[0]
        .table.group_by("breakdown", "group")
        .agg(shown=(pl.col("status") == "reported").any())
    )
    hidden = named.filter(~pl.col("shown"))["group"].to_list()
    assert "Chaplaincy" in hidden
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.[hj]*")}
    with zipfile.ZipFile(folder / "results.xlsx") as book:
        texts |= {name: book.read(name).decode() for name in book.namelist()}
    # Two frameworks have the name of a staff group in theirs.
    texts = {
        file: re.sub("Health and Social Care|Social Care Wales", "", text) for file, text in texts.items()
    }
    texts["results.parquet"] = str(pl.read_parquet(folder / "results.parquet")["group"].unique().to_list())
    assert [(file, name) for file, text in texts.items() for name in hidden if f"{name}" in text] == []
    assert "with fewer than 11 people, or that would give those away" in page


def test_the_manifest_lets_someone_repeat_it(files, manifest):
    assert set(manifest) == {
        "culture_metrics", "created", "survey", "organisation", "year", "periods", "options", "inputs",
        "rows", "notebooks", "left_out", "suppression", "software",
    }  # fmt: skip
    names = ["RXX 2023.csv", "RXX 2024.csv", "official 2024.xlsx"]
    assert [entry["file"] for entry in manifest["inputs"]] == names
    hashes = [hashlib.sha256((files / name).read_bytes()).hexdigest() for name in names]
    assert [entry["sha256"] for entry in manifest["inputs"]] == hashes
    assert manifest["rows"][1] == {
        "period": "2024", "read": 300, "used": 300, "set_aside": 0, "answers_set_aside": 0,
        "used_of_organisation": 300,
    }  # fmt: skip
    assert manifest["options"]["breakdowns"] == ["occupation_group", "locality_1"]
    assert manifest["options"]["calibrate"] == 0
    assert manifest["options"]["minimum_base"] == 11
    assert (len(manifest["notebooks"]), len(manifest["left_out"])) == (7, 0)
    assert {"Python", "polars", "pandera", "plotly"} <= set(manifest["software"])


def test_the_workbook_has_one_plain_table_a_sheet(folder):
    book = fastexcel.read_excel(folder / "results.xlsx")
    names = [
        "Heat map Occupation group", "Heat map Locality 1", "Scores", "Scores by group", "Percentages", "Percentages by group", "Answers", "Benchmark", "Changes",
    ]  # fmt: skip
    assert book.sheet_names == ["Cover", "Contents", "Notes", *names]
    assert book.load_table("Contents").to_polars()["Sheet"].to_list() == ["Notes", *names]
    assert faults(folder / "results.xlsx") == []
    with zipfile.ZipFile(folder / "results.xlsx") as parts:
        sheets = [parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/worksheets/sheet")]
        tables = [n for n in parts.namelist() if n.startswith("xl/tables/")]
        assert len(tables) == len(sheets) - 1
        assert not any("mergeCell" in text or "<f>" in text for text in sheets)
        # Text that looks like a formula is a string like any other, also after it was saved as CSV.
        strings = parts.read("xl/sharedStrings.xml").decode()
        assert "<t>'=1+1</t>" in strings and "<t>=" not in strings


def test_the_workbook_has_the_figures_of_the_results(folder):
    sheet = fastexcel.read_excel(folder / "results.xlsx").load_table("Scores", dtypes={"Lower 95%": "float"})
    scores = sheet.to_polars()
    results = pl.read_parquet(folder / "results.parquet").filter(measure="morale", group="all", period="2024")
    ours = results.filter(source="respondents").row(0, named=True)
    theirs = scores.filter(Measure="Morale", Year="2024", Source="Respondent file").row(0, named=True)
    assert theirs["Score"] == pytest.approx(ours["estimate"], abs=1e-12)
    assert theirs["Lower 95%"] == pytest.approx(ours["conf_low"], abs=1e-12)
    assert theirs["Base"] == ours["base"]


def test_the_workbook_marks_what_is_not_there(folder):
    book = fastexcel.read_excel(folder / "results.xlsx")
    table = book.load_table("Scores_by_group", dtypes="string").to_polars()
    held = table.filter(pl.col("Score") == "[c]")
    hidden = pl.read_parquet(folder / "results.parquet").filter(
        pl.col("status").cast(pl.String).str.starts_with("suppressed"), unit="score", source="respondents"
    )
    assert held.height == hidden.height > 0
    numbers = held.select("Lower 95%", "Upper 95%", "Base").unpivot()["value"]
    assert numbers.unique().to_list() == ["[c]"]
    published = book.load_table("Scores", dtypes="string").to_polars().filter(Source="Published")
    assert published["Lower 95%"].unique().to_list() == ["[x]"]
    assert table.null_count().sum_horizontal().item() == published.null_count().sum_horizontal().item() == 0


def test_the_workbook_says_what_changed(folder):
    book = fastexcel.read_excel(folder / "results.xlsx")
    table = book.load_table("Changes", dtypes="string").to_polars()
    results = pl.read_parquet(folder / "results.parquet").filter(
        measure="morale", group="all", source="respondents"
    )
    base = dict(results.select("period", "base").iter_rows())
    row = table.row(by_predicate=(pl.col("Measure") == "Morale") & (pl.col("Breakdown") == "all"), named=True)
    assert (int(row["Base 2023"]), int(row["Base 2024"])) == (base["2023"], base["2024"])
    assert row["Verdict"] in ("no clear change", "no material change") and row["Reason"]
    barred = table.filter(Measure="Safe and healthy", Breakdown="all").row(0, named=True)
    assert (barred["Verdict"], barred["Change"]) == ("not comparable", "[b]")
    assert "2023" in barred["Reason"]
    assert table.null_count().sum_horizontal().item() == 0
    assert table.filter(pl.col("Change") == "[c]").height > 0
    place = book.load_table("Benchmark").to_polars()
    assert place["Base"].min() >= 10


def test_says_what_was_left_out_and_why(quick, files, tmp_path, monkeypatch):
    """What verdicts are worth is a chapter where it is asked for, and where there are respondents."""
    drawn, real = [], Study.calibrate
    monkeypatch.setattr(
        Study, "calibrate", lambda made, pairs: drawn.append(pairs) if made.extracts else real(made, pairs)
    )
    monkeypatch.setattr(module, "verdicts", lambda _: Section("worth", "Worth", "<p>Of the verdicts</p>", ()))
    no_file = "no respondent file was given"
    one_year = ("Year on year", "only one year of respondent files was given")
    of_workbooks = [
        (t, "no published workbook was given") for t in ("Benchmark and peers", "Published results")
    ]
    for name, notebooks, left_out in (
        ("RXX 2024.csv", 4, [one_year, *of_workbooks]),
        (
            "official 2024.xlsx",
            3,
            [
                *((title, no_file) for title in ("Check an extract", "Culture indicators", "Year on year")),
                ("Equality", "the files have no results by group of staff"),
                ("What the verdicts are worth here", "there is no respondent file among the inputs"),
            ],
        ),
    ):
        page = report([files / name], tmp_path, "SYN01", calibrate=40).read_text(encoding="utf-8")
        made = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
        assert made["left_out"] == [{"notebook": title, "reason": why} for title, why in left_out]
        assert all(f"<li>{title}: {why}.</li>" in page for title, why in left_out)
        assert len(made["notebooks"]) == notebooks
        assert ("<p>Of the verdicts</p>" in page) == name.startswith("RXX")
    assert drawn == [40]


def test_several_organisations_get_a_report_each_and_a_page_that_leads_there(
    quick, files, tmp_path, monkeypatch
):
    """The workbook is read once; one that it does not have is said, and keeps nobody from theirs."""
    read, real = [], study_of_files.read_published
    monkeypatch.setattr(
        study_of_files,
        "read_published",
        lambda *given, **by_name: read.append(given) or real(*given, **by_name),
    )
    steps, inputs = [], [files / "official 2024.xlsx"]
    with pytest.warns(InputWarning, match=r"No report on XYZ: .*XYZ"):
        made = report(inputs, tmp_path, ["SYN01", "XYZ", "SYN02"], tell=lambda *step: steps.append(step))
    assert made == tmp_path / "index.html"
    assert len(read) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SYN01", "SYN02", "XYZ", "index.html"]
    assert not any((tmp_path / "XYZ").iterdir())
    for code in ("SYN01", "SYN02"):
        assert (
            json.loads((tmp_path / code / "manifest.json").read_text(encoding="utf-8"))["organisation"]
            == code
        )
        assert set(pl.read_parquet(tmp_path / code / "results.parquet")["organisation"]) == {code}
    page = made.read_text(encoding="utf-8")
    assert re.findall(r'href="(.*?)"', page) == ["SYN01/index.html", "SYN02/index.html"]
    assert "Invented trust 2" in page and "<h1>2 of 3 organisations</h1>" in page
    done = [part for _, part, _ in steps]
    assert done == sorted(done) and {total for *_, total in steps} == {300}
    assert steps[0][0] == "SYN01: Reading and checking the files"
    with pytest.raises(ReportError, match="named twice"):
        report(inputs, tmp_path, ["SYN01", "syn01"])
    with pytest.raises(ReportError, match="the report on one organisation"):
        report(inputs, tmp_path / "SYN01", ["SYN01", "SYN02"])
    with pytest.raises(UnknownNameError, match="ABC"):
        report(inputs, tmp_path, ["ABC", "XYZ"])


def test_a_missing_question_is_said_at_the_top_and_warned_of(quick, tmp_path):
    extract = synthetic.respondents(2024, respondents_per_organisation=60)
    extract.frame.drop("q25c").write_csv(tmp_path / "RXX 2024.csv")
    with pytest.warns(InputWarning, match="Advocacy are built without q25c") as caught:
        report([tmp_path / "RXX 2024.csv"], tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert str(caught[0].message) in page[: page.index("<section")]


def test_an_organisation_that_no_file_can_say_anything_about_is_refused(quick, files, tmp_path):
    workbook = read_published(files / "official 2024.xlsx")
    no_groups = workbook.organisations.with_columns(benchmark_group=pl.lit(None, pl.String))
    write_published(tmp_path / "no groups.xlsx", replace(workbook, organisations=no_groups))
    with pytest.raises(ReportError, match="nothing to report on SYN01"):
        report([tmp_path / "no groups.xlsx"], tmp_path / "out", organisation="SYN01")


def test_a_real_workbook_is_reported_with_its_own_figures(quick, shared_data, published_2024, tmp_path):
    (path,) = (shared_data / "nss2024").glob("*organisational results.xlsx")
    report([path], tmp_path, organisation="ref", slides=True)
    assert slide_faults(tmp_path / "slides.pptx") == []
    results = pl.read_parquet(tmp_path / "results.parquet")
    assert results.equals(published_2024.results.table.filter(organisation="REF"))
    # Staff engagement of Royal Cornwall Hospitals in the official 2024 workbook, sheet THEMES; 122 peers.
    assert round(results.filter(measure="staff_engagement")["estimate"].item(), 4) == 6.5639
    place = fastexcel.read_excel(tmp_path / "results.xlsx").load_table("Benchmark").to_polars()
    assert place.filter(Measure="Staff engagement")["Organisations"].item() == 122


def test_where_a_change_came_from_is_a_table_of_the_trusts_own_parts(example_study, tmp_path):
    """Its numbers are those of the comparison, and the title's figure stands in it."""
    slide = [*slides._changes(example_study)][1]
    (tmp_path / "slides.pptx").write_bytes(deck([slide], "One slide"))
    assert slide_faults(tmp_path / "slides.pptx") == []
    grid = slide.content
    assert grid.heads[0] == "Directorate"
    change = example_study.compare_years().table.filter(breakdown="locality_1", measure="morale")
    ends = change.drop_nulls("difference").select("group", "estimate_from", "estimate_to").rows()
    printed = {
        group: f"{round(to, 2) - round(before, 2):+.2f}".replace("-", "\N{MINUS SIGN}")
        for group, before, to in ends
    }
    column = grid.heads.index("Morale")
    shown = {row[0]: row[column].split(" ")[0] for row in grid.rows[1:]}
    assert len(shown) >= 6
    assert shown == {group: printed[group] for group in shown}
    group, figure = re.search(r"directorate, (.+?) fell in .+ \((.+)\)", slide.title).groups()
    assert shown[group] == figure


def test_bars_of_scores_have_their_intervals(tmp_path):
    """Error bars are PowerPoint's own: from the ends that the benchmark gives, in the order of the format."""
    example = study([])
    slide, standing = slides._standing(example), example.benchmark()
    (tmp_path / "slides.pptx").write_bytes(deck([slide], "One slide"))
    assert slide_faults(tmp_path / "slides.pptx") == []
    [chart] = [
        shape.chart for shape in Presentation(tmp_path / "slides.pptx").slides[0].shapes if shape.has_chart
    ]
    own, median = chart.plots[0].series
    tags = [child.tag.rpartition("}")[2] for child in own._element]
    assert tags.index("dLbls") < tags.index("errBars") < tags.index("cat")
    drawn = {
        side: [float(v.text) for v in own._element.xpath(f"c:errBars/c:{side}//c:v")]
        for side in ("plus", "minus")
    }
    rows = standing.table.filter(pl.col("level").is_in(example.edition.survey.leading)).drop_nulls("estimate")
    assert drawn["plus"] == pytest.approx((rows["conf_high"] - rows["estimate"]).to_list())
    assert drawn["minus"] == pytest.approx((rows["estimate"] - rows["conf_low"]).to_list())
    assert not median._element.xpath("c:errBars") and "no intervals" not in " ".join(slide.notes)


def test_a_second_report_in_a_folder_says_that_it_keeps_to_the_first(quick, files, tmp_path):
    said = "What an earlier report in this folder showed was taken into account."
    for second in (False, True):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", InputWarning)
            made = report([files / "RXX 2024.csv"], tmp_path, organisation="SYN01", slides=not second)
        # Slides of the first stay, as somebody may have changed them: the second says so and leads to none.
        assert any("slides.pptx in this folder is of an earlier" in str(w.message) for w in told) == second
        page = made.read_text(encoding="utf-8")
        assert (tmp_path / "slides.pptx").exists() and ('href="slides.pptx"' in page) != second
        manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["suppression"]["earlier_reports"] == second
        assert (said in page) == second
        assert 'href="ledger.json"' in page


def test_a_workbook_that_is_open_in_excel_leaves_the_earlier_report_whole(
    quick, files, tmp_path, monkeypatch
):
    names = ["index.html", "manifest.json", "results.parquet", "results.xlsx"]
    for name in names:
        (tmp_path / name).write_text(f"earlier {name}")
    replace = Path.replace

    def on_windows(self, target):
        if tmp_path / "results.xlsx" in (self, Path(target)):
            raise PermissionError(13, "The process cannot access the file", str(self))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", on_windows)
    with pytest.raises(ReportError) as caught:
        report([files / "official 2024.xlsx"], tmp_path, organisation="SYN01")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {n: f"earlier {n}" for n in names}
    assert "results.xlsx of the earlier report is open" in caught.value.what
    assert "Close results.xlsx" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sets no limit to the size of files")
def test_a_disk_that_takes_no_more_is_said_and_leaves_the_earlier_report(quick, files, tmp_path):
    import resource

    (tmp_path / "index.html").write_text("earlier")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(ReportError, match="the disk is full") as caught:
            report([files / "official 2024.xlsx"], tmp_path, organisation="SYN01")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Free some space" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "earlier"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps this limit")
def test_too_little_address_space_is_said_at_once(tmp_path):
    """With 1.2 GB polars waits for ever, in this process: no notebook and no error comes to help."""
    call = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000, -1)); "
    call += "sys.argv[1:] = ['demo', '--out', sys.argv[1]]; from culture_metrics.cli import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", call, str(tmp_path / "out")],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "needs more address space than is allowed here" in done.stderr
    assert "a limit of 1.2 GB" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ReportError, match="needs a folder"):
        report([], blocked)
    with pytest.raises(ReportError, match="could not be written"):
        report([], blocked / "below")


def test_a_report_that_fails_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(FileFormatError, match="no such file"):
        report([tmp_path / "none.csv"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
