"""Pages for each part: what they show, that it is one release, and that each is a sheet."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from on_parts import (  # noqa: F401  (tests of the pages made here, in a browser)
    test_a_heat_map_is_sorted_and_opened_by_keys,
    test_axe_finds_nothing_on_small_pages,
    test_small_pages_fit_a_telephone_and_the_heat_map_scrolls_in_its_frame,
    test_small_pages_open_with_the_network_off_and_nothing_goes_wrong,
    test_the_keyboard_reaches_everything_on_small_pages,
    visited,
)
from typer.testing import CliRunner

import culture_metrics as cm
from culture_metrics.cli import app
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import CultureMetricsWarning, ReportError, UnknownNameError
from culture_metrics.indicators.shown import attack_shown
from culture_metrics.reporting.excel import write_results
from culture_metrics.reporting.parts import browser, chosen, make
from culture_metrics.reporting.parts.beside import apart_from_the_rest
from culture_metrics.reporting.parts.chosen import choose
from culture_metrics.reporting.parts.filenames import LONGEST, filenames
from culture_metrics.reporting.parts.material import gather
from culture_metrics.reporting.parts.page import ROOM, one_page
from culture_metrics.reporting.parts.stand_out import conversations
from culture_metrics.reporting.report import report
from culture_metrics.reporting.slides import write_slides
from culture_metrics.study import opening
from culture_metrics.study.choices import options
from culture_metrics.study.setup import Nobody, setup
from tests.redteam.attacker import bases_together, linear_attack
from tests.redteam.people import People, values_of
from tests.redteam.reading import texts_of

#: Departments in directorates: teams that must be hidden beside large ones, one directorate of few.
TRUST = {
    "Urgent Care": {"Wards": 60, "Theatre": 45, "Zephyrquill Desk": 6, "Mossvane Desk": 7},
    "Surgery & Co": {"Clinic": 70, "Day Unit": 40},
    "Con": {"Lab": 50, "Brindlewick Desk": 4},
    "Harrowgrit": {"Harrowgrit Office": 8},
    "Fennelwick": {"Fennelwick Office": 9},
}
HIDDEN = ("Zephyrquill", "Mossvane", "Brindlewick", "Harrowgrit", "Fennelwick")
#: The scale of most questions, and how many of those in the directorate answer one option worse in 2024.
SCALED, WORSE = (1, 2, 3, 4, 5), 0.75


def trust(year: int) -> pl.DataFrame:
    where = [(d, p) for d, parts in TRUST.items() for p, n in parts.items() for _ in range(n)]
    frame = cm.synthetic.respondents(year, respondents_per_organisation=len(where), seed=year).frame
    frame = frame.drop([c for c in frame.columns if c.startswith("locality")])
    rng = np.random.default_rng(year)
    frame = frame.with_columns(
        Directorate=pl.Series([d for d, _ in where]), Department=pl.Series([p for _, p in where])
    )
    if year == 2024:
        for question in cm.catalogue().edition(2024).questions.values():
            points = question.score_map or {}
            if tuple(points) == SCALED and question.code in frame.columns:
                order = [c for c, _ in sorted(points.items(), key=lambda pair: pair[1])]
                worse = dict(zip(order[1:], order[:-1], strict=True))
                moved = (pl.col("Directorate") == "Urgent Care") & pl.Series(rng.random(frame.height) < WORSE)
                code = pl.col(question.code)
                frame = frame.with_columns(pl.when(moved).then(code.replace(worse)).otherwise(code))
    return frame.sample(fraction=1, shuffle=True, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("parts")
    for year in (2023, 2024):
        trust(year).write_csv(place / f"SYN01 {year}.csv")
    staff = {"Urgent Care": 200, "Surgery & Co": 180, "Con": 70, "Harrowgrit": 16, "Fennelwick": 17}
    table = pl.DataFrame({"Directorate": [*staff], "Headcount": [*staff.values()]})
    table.write_csv(place / "headcount directorate.csv")
    setup([place], Nobody())
    return place


@pytest.fixture(scope="module")
def released(folder, tmp_path_factory):
    """The pages, without a browser, and the study they were made of."""
    out = tmp_path_factory.mktemp("out")
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make, "find_browser", lambda: None)
        patch.setattr(make, "gather", lambda *given: kept.append(gather(*given)) or kept[-1])
        with pytest.warns(CultureMetricsWarning, match="No PDFs: neither"):
            index = report([folder], out, for_each="directorate")
    return SimpleNamespace(index=index, out=out, made=kept[0], study=kept[0].study)


@pytest.fixture(scope="module")
def texts(released):
    return {p.name: p.read_text(encoding="utf-8") for p in released.index.parent.glob("*.html")}


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_each_part_that_is_shown_has_a_page_and_no_other(released, texts):
    assert released.index == released.out / "directorate" / "index.html"
    assert set(texts) == {"index.html", "urgent-care.html", "surgery-and-co.html", "con-group.html"}
    assert "2 directorates have no page: fewer than 11 people answered" in plain(texts["index.html"])
    kept = json.loads((released.index.parent / "manifest.json").read_text(encoding="utf-8"))
    assert sorted(texts) == [name for name in kept["pages"] if name.endswith(".html")]
    assert kept["suppression"]["attack"]["open"] == 0


def test_the_first_screen_says_the_response_rate(released):
    """No report could be made where headcounts were known. Interval: statsmodels' proportion_confint."""
    said = [*opening._response(replace(released.study, ledger=None))]
    assert said == ["299 of 483 staff answered: 61.9% (57.5 to 66.1)."]


def test_no_page_names_a_hidden_department(released, texts):
    for name, text in texts.items():
        assert not [h for h in HIDDEN if h in text], name
    assert "2 departments with fewer than 11 people" in plain(texts["urgent-care.html"])
    # The ledger names what was shown alone.
    ledger = (released.out / "ledger.json").read_text(encoding="utf-8")
    assert not [h for h in HIDDEN if h in ledger]


def test_nothing_that_leaves_names_who_is_hidden_or_where_it_was_made(released, folder, tmp_path):
    """Pages, ledger, manifest, and of the same study: slides, workbook, maps, a subset, what may be chosen."""
    study = replace(released.study, ledger=None)
    leading = pl.col("measure").is_in([*study.edition.leading])
    results, answers = study.results.table.filter(leading), study.distributions.table.clear()
    write_slides(tmp_path / "slides.pptx", study)
    write_results(tmp_path / "results.xlsx", study, results, answers, None)
    part = study.only(Directorate="Surgery & Co")
    said = [*study.heat_maps(), study.response_rates(), study.held_back(), part.scores(), *part.heat_maps()]
    said += [[label for label, _ in options(study, name)] for name in ("only", "breakdown")]
    for place, one in enumerate(said):
        drawn = hasattr(one, "as_words")
        shown = [json.dumps(one.to_plotly_json(), default=str), one.as_words()] if drawn else [repr(one)]
        shown += [one._repr_html_()] if hasattr(one, "_repr_html_") and not drawn else []
        (tmp_path / f"said {place}.html").write_text("\n".join(shown), encoding="utf-8")
    made = texts_of(tmp_path) | texts_of(released.out)
    assert "Urgent Care" in made["slides.pptx"] and "Urgent Care" in made["results.xlsx"]
    ids = study.extracts[0].frame["respondent"].cast(pl.String).head(5)
    traces = [*HIDDEN, str(folder), str(Path.home()), *(i for i in ids if len(i) > 4)]
    assert {(name, t) for name, text in made.items() for t in traces if t in text} == set()
    # The same reader finds them in results whose names are not pooled.
    study.suppressed[0].table.write_csv(tmp_path / "bare.csv")
    assert all(name in texts_of(tmp_path)["bare.csv"] for name in HIDDEN)


def figures(texts: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """Read page (group), score or department and the numbers of its tables as they are printed."""
    found = []
    for name, text in texts.items():
        group = plain(re.search(r"<h1>(.*?)</h1>", text, re.DOTALL)[1])
        for table, body in re.findall(r'<table class="(\w+)".*?<tbody[^>]*>(.*?)</tbody>', text, re.DOTALL):
            for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL):
                cells = [plain(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
                found.append((name, group, table, cells))
    return found


def test_every_number_of_a_table_is_one_that_the_study_releases(released, texts):
    """Rounded from a reported row of the results that the whole report shows: nothing else leaves."""
    results = released.study.results.table.filter(status="reported", unit="score")
    label = {m.id: m.label for m in released.study.edition.leading.values()}
    known = {
        (row["period"], row["group"], label.get(row["measure"])): row for row in results.iter_rows(named=True)
    }
    columns = list(label.values())
    checked = 0
    for _, group, table, cells in figures(texts):
        if table == "scores":
            name, _, own, ends, whole, before, base, _ = cells
            row = known["2024", group, name]
            assert own == f"{row['estimate']:.2f}" and base == f"{row['base']:,}"
            assert ends == f"{row['conf_low']:.2f} to {row['conf_high']:.2f}"
            assert whole == f"{known['2024', 'all', name]['estimate']:.2f}"
            # Its questions changed in 2024.
            barred = name == "Safe and healthy"
            assert before == ("\N{EN DASH}" if barred else f"{known['2023', group, name]['estimate']:.2f}")
        else:
            who = "all" if cells[0] == "Whole organisation" else cells[0]
            for name, said in zip(columns, cells[-9:], strict=True):
                number = said.split()[0].rstrip("▲▼")
                row = known.get(("2024", who, name))
                assert number == ("\N{EN DASH}" if row is None else f"{row['estimate']:.2f}"), (who, name)
        checked += 1
    # Nine scores on three pages, four rows of the index, and two maps of two departments and the whole.
    assert checked == 27 + 4 + 3 + 3


def people(released, year: int) -> People:
    extract = released.study.extracts[year]
    called = {v: k for k, v in released.study.words.items()}
    labels = extract.frame.select(
        pl.col(called[word]).cast(pl.String).alias(called[word]) for word in ("Directorate", "Department")
    )
    return People(labels, values_of(extract))


@pytest.mark.parametrize("year", [0, 1])
def test_an_attacker_with_all_pages_index_and_report_finds_nobody(released, year):
    """All of it exact, as no reader has it; were the hidden shown, the same attack would find them."""
    everybody = people(released, year)
    own = pl.col("period") == released.study.extracts[year].period
    mine = pl.col("breakdown").is_in(["all", *everybody.breakdowns])
    leading = pl.col("measure").is_in([*released.study.edition.leading])
    shown = released.study.results.table.filter(own, mine, leading)
    rng = np.random.default_rng(7)
    assert linear_attack(shown, everybody, rng, steps=60) == []
    assert bases_together(shown, everybody, rng, steps=60) == []
    # Control: departments without suppression.
    bare = cm.estimate(
        replace(released.study.extracts[year], decision=Decision()),
        by=list(everybody.breakdowns), minimum_base=1,
    ).table.filter(pl.col("measure").is_in(["morale"]))  # fmt: skip
    assert {f.heads for f in linear_attack(bare, everybody, rng, steps=20)} & {4, 6, 7, 8}


def test_a_report_into_the_same_folder_keeps_to_what_the_pages_hide(folder, released):
    """Also by fewer breakdowns, which alone would hide less."""
    alone = (released.made.chosen.breakdown,)
    study = cm.study([folder], by=alone, ledger=released.out / "ledger.json")
    shown = [
        one.results.table.filter(pl.col("breakdown").is_in(alone), status="reported")
        for one in (study, released.study)
    ]
    keys = ["period", "group", "measure"]
    assert shown[0].height
    assert shown[0].join(shown[1], on=keys, how="anti").is_empty()


def test_the_rest_is_everybody_else_and_what_is_called_is_beyond_chance(released):
    """The mean of the others from their own scores, which the pages never see."""
    apart = apart_from_the_rest(released.study, released.made.chosen.breakdown)
    extract = released.study.extracts[-1]
    scores = cm.score(extract)["morale"]
    inside = extract.frame[released.made.chosen.breakdown] == "Urgent Care"
    row = apart.row(
        by_predicate=(pl.col("group") == "Urgent Care") & (pl.col("measure") == "morale"), named=True
    )
    assert row["rest"] == pytest.approx(scores.filter(~inside).mean(), abs=1e-9)
    assert row["gap"] == pytest.approx(scores.filter(inside).mean() - row["rest"], abs=1e-9)
    assert row["side"] == -1
    called = apart.filter(pl.col("side") != 0)
    assert (called["p_adjusted"] < 0.05).all() and called.height > 10
    likely = apart.filter(pl.col("p_value") < 0.05, pl.col("p_adjusted") >= 0.05)
    assert likely.height and (likely["side"] == 0).all()
    # A percentage of which less is better: more of it is the worse side.
    lower = called.filter(pl.col("direction") == "lower")
    assert (lower["gap"].sign() == -lower["side"]).all()


def test_strengths_and_concerns_stand_where_they_were_planted(released, texts):
    page = one_page(released.made, "Urgent Care")
    assert (len(page["strengths"]), len(page["concerns"])) == (0, 3)
    edition = released.study.edition
    ids = {m.label: m.id for m in edition.measures.values() if m.id not in edition.leading}
    asked = [set(edition.questions_of(ids[c["label"]])) for c in page["concerns"]]
    assert not asked[0] & asked[1] and not asked[0] & asked[2] and not asked[1] & asked[2]
    said = plain(texts["urgent-care.html"])
    assert "Nothing is more favourable than in the rest beyond chance." in said
    assert re.search(r"fell from \d\.\d\d in 2023 to \d\.\d\d in 2024", said)
    assert "1 may not be compared" in said
    talk = conversations(edition)
    told = {talk.about(ids[c["label"]], "concern", edition) for c in page["concerns"]}
    assert told >= set(page["talk"][:1]) and 2 <= len(page["talk"]) <= 3


@pytest.mark.parametrize("kept", ["one strength", "leading alone", "nothing"])
def test_a_page_says_that_nothing_differs_where_nothing_does(released, kept):
    """Once it said so beneath a strength, and that nothing is less favourable beneath scores that are."""
    leading = pl.col("measure").is_in([*released.study.edition.leading])
    one = released.made.apart.filter(~leading)["measure"][0]
    side = {"one strength": pl.col("measure") == one, "leading alone": -leading.cast(pl.Int8)}
    rows = released.made.apart.with_columns(side=side.get(kept, pl.lit(0)).cast(pl.Int8))
    page = one_page(replace(released.made, apart=rows), "Urgent Care")
    told = ["Nothing here differs from the rest" in question for question in page["talk"]]
    assert told[0] == (kept == "nothing") and not any(told[1:])
    assert page["fewer"][1] == {
        "leading alone": "But for scores above nothing is less favourable than in the rest beyond chance.",
    }.get(kept, "Nothing is less favourable than in the rest beyond chance.")
    assert len(page["strengths"]) == (kept == "one strength") and not page["concerns"]


def test_response_is_said_with_its_interval(texts):
    # 118 of 200; Wilson's interval worked out by hand: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    assert "Response rate 59.0% (95% interval 52.1 to 65.6): 118 of 200 staff" in plain(
        texts["urgent-care.html"]
    )


def test_the_names_say_that_the_whole_includes_the_part(texts):
    said = plain(texts["urgent-care.html"])
    assert "whole organisation, this directorate included" in said
    assert "The rest is everybody else in the organisation who answered." in said


def test_pages_ask_nothing_of_the_network_and_text_has_contrast(released, texts):
    for text in texts.values():
        assert "http" not in re.sub(r'http-equiv="[^"]*"', "", text)
        assert "<script" not in text
        names = re.findall(r'role="img" aria-label="([^"]+)"', text)
        assert len(names) == text.count('role="img"')
    colours = released.made.words.colours

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return np.dot(linear, (0.2126, 0.7152, 0.0722))

    def contrast(one, other):
        bright, dark = sorted((light(one), light(other)), reverse=True)
        return (bright + 0.05) / (dark + 0.05)

    grounds = ("#FFFFFF", colours["low"], colours["high"], colours["middle"])
    assert min(contrast(colours["text"], ground) for ground in grounds) >= 4.5
    assert min(contrast(colours[name], "#FFFFFF") for name in ("quiet", "focus")) >= 4.5
    assert contrast(colours["benchmark"], "#FFFFFF") >= 3


def test_one_year_crossed_and_without_headcounts_is_said(released):
    study = released.study
    words = replace(released.made.words, before=None, inner=None)
    alone = replace(
        study, extracts=study.extracts[-1:], reports=study.reports[-1:], settings=None, by=(), ledger=None
    )
    directorate = released.made.chosen.breakdown
    alone, chosen = choose(alone, f"{directorate} × {directorate.replace('1', '4')}")
    assert chosen.inner is None and chosen.label == "Directorate × department"
    made = gather(alone, chosen, replace(words, label=chosen.label))
    page = one_page(made, "Surgery & Co × Clinic")
    assert page["rate"] is None and page["inside"] is None
    assert page["moved"]["why_not"] == "only one year of respondent files was given"


def test_a_breakdown_that_is_not_there_is_answered_with_those_that_are(released):
    with pytest.raises(UnknownNameError, match="Directorat") as caught:
        choose(released.study, "Directorat")
    assert "Directorate" in str(caught.value)
    with pytest.raises(ReportError, match="the whole organisation"):
        choose(released.study, "all")
    with pytest.raises(ReportError, match="take a respondent file of 2024"):
        choose(replace(released.study, extracts=()), "Directorate")


def test_pages_and_the_chapter_on_verdicts_are_not_one_report(tmp_path):
    with pytest.raises(ReportError, match="belong to the whole report"):
        report([], tmp_path, for_each="Directorate", calibrate=5)
    told = CliRunner().invoke(app, ["report", str(tmp_path), "--for-each", "Directorate", "--calibrate"])
    assert told.exit_code == 2 and "belong to the whole report" in told.stderr


def test_names_of_files_are_safe_on_every_system():
    names = [
        "A & E",
        "a AND e",
        "CON",
        "com1",
        "Index",
        "Ward: 7/B?",
        "Ärzte",
        "外科",
        "外来",
        "x" * 300,
        "x" * 301,
        "..",
        "",
    ]
    found = filenames(names)
    assert len({f.casefold() for f in found.values()}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*", f) and len(f) <= LONGEST + 3 for f in found.values())
    assert not {*found.values()} & {"con", "com1", "index", "nul"}
    assert (found["A & E"], found["a AND e"], found["Ärzte"]) == ("a-and-e", "a-and-e-2", "arzte")


def test_pages_of_an_earlier_run_do_not_stay(tmp_path):
    place = tmp_path / "directorate"
    place.mkdir()
    (place / "manifest.json").write_text(json.dumps({"pages": ["gone.html", "../other.html"]}))
    assert make._earlier(place) == ["directorate/gone.html"]
    (tmp_path / ".w").mkdir()
    for file in (place / "gone.html", place / "own notes.txt"):
        file.write_text("earlier")
    (tmp_path / ".w" / "directorate").mkdir()
    (tmp_path / ".w" / "directorate" / "new.html").write_text("new")
    make.deliver(tmp_path / ".w", tmp_path, ["directorate/new.html"], make._earlier(place))
    assert {p.name for p in place.iterdir()} == {"manifest.json", "new.html", "own notes.txt"}


@pytest.mark.parametrize(
    ("platform", "root", "parts"),
    [
        ("win32", "PROGRAMFILES(X86)", ("Microsoft", "Edge", "Application", "msedge.exe")),
        ("win32", "LOCALAPPDATA", ("Google", "Chrome", "Application", "chrome.exe")),
        ("darwin", "HOME", ("Applications", "Microsoft Edge.app", "Contents", "MacOS", "Microsoft Edge")),
        ("linux", "PATH", ("chromium",)),
    ],
)
def test_a_browser_is_found_where_each_system_has_it(tmp_path, monkeypatch, platform, root, parts):
    program = tmp_path.joinpath(*parts)
    program.parent.mkdir(parents=True, exist_ok=True)
    program.touch(mode=0o755)
    for name in (*browser.ROOTS, "HOME", "PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv(root, str(tmp_path))
    monkeypatch.setattr(browser.sys, "platform", platform)
    assert browser.find_browser() == program
    program.unlink()
    assert browser.find_browser() is None


def test_a_browser_that_does_not_print_costs_the_pdfs_alone(tmp_path):
    broken = tmp_path / "chrome"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    said = make._print(broken, tmp_path, {"a": "<p>A"}, lambda *_: None)
    assert said is not None and said.startswith("No PDFs: the browser did not print the pages")
    assert not [*tmp_path.glob("*.pdf")]


@pytest.mark.skipif(browser.find_browser() is None, reason="no Chrome, Edge or Chromium")
def test_a_page_is_one_sheet_of_a4_however_long_it_is(texts):
    """The longest page there is room for, made by repeating a department."""
    page = texts["urgent-care.html"]
    row = re.search(r"<tr><th scope=\"row\">Wards</th>.*?</tr>", page, re.DOTALL)[0]
    with browser.printer(browser.find_browser()) as made:
        pdf = made.one_sheet(page.replace(row, row * ROOM))
        assert browser.pages_in(pdf) == 1
        assert re.search(rb"/MediaBox\s*\[0 0 59[45]\S* 84[12]\S*\]", pdf)
        # The counter sees a second page.
        made._ask(
            "Page.setDocumentContent", frameId=made._frame, html="<p>A</p><p style='break-before:page'>B</p>"
        )
        two = made._ask("Page.printToPDF")["data"]
    assert browser.pages_in(browser.base64.b64decode(two)) == 2


@pytest.fixture(scope="module")
def nested():
    """Four care groups of two directorates each, six people of each who are in neither, one ward in two."""
    where = [(f"Care {c}", f"Dir {c}{d}", f"Ward {c}{d}") for c in range(4) for d in "ab" for _ in range(26)]
    where += [(f"Care {c}", None, f"Ward {c}a") for c in range(4) for _ in range(6)]
    made = cm.synthetic.respondents(2024, respondents_per_organisation=len(where), seed=9)
    ward = ["Ward 0a" if n in range(26, 38) else w for n, (_, _, w) in enumerate(where)]
    frame = made.frame.with_columns(
        locality_3=pl.Series([c for c, _, _ in where]),
        locality_1=pl.Series([d for _, d, _ in where], dtype=pl.String),
        locality_4=pl.Series(ward),
    )
    return replace(made, frame=frame)


def shown_of(extract, kept):
    own = replace(extract, decision=Decision(kept=frozenset(kept)))
    table = cm.estimate(own, by=["locality_3", "locality_1"]).table.filter(
        measure="morale", status="reported"
    )
    return table.filter(breakdown="locality_1").height, attack_shown(own)[1]


def test_other_groups_are_hidden_rather_than_those_with_a_page(nested):
    """Care group less its two directorates are six people: either is hidden, and nothing follows."""
    fewest, kept = shown_of(nested, ()), shown_of(nested, ["locality_1"])
    assert fewest[0] < 8 and kept[0] == 8
    assert (fewest[1], kept[1]) == (0, 0)


def test_a_group_in_two_parts_stands_in_that_of_most_of_its_people(nested):
    lies = chosen._lies(nested, "locality_1", "locality_4", 11)
    assert lies.filter(group="Ward 0a").rows() == [("Ward 0a", "Dir 0a", "Dir 0b")]
    assert (
        lies.filter(group="Ward 0b")["also"].item() is None and lies["group"].is_duplicated().any() is False
    )
    # Twelve people are told of, not where thirteen are the fewest.
    few = chosen._lies(nested, "locality_1", "locality_4", 13)
    assert few["also"].null_count() == few.height


def test_who_has_no_page_is_named_where_that_tells_nothing(released):
    """To whoever makes the pages by name; to readers where the status says that a part is not small."""
    names = pl.DataFrame({"group": ["Medicine", "Chaplaincy"], "told": [True, False], "large": [True, False]})
    material = replace(released.made, without_page=names)
    said = make._without_page(material, make.OF_EARLIER)
    assert said.startswith("No page for Medicine, though 11 people or more") and "Chaplaincy" not in said
    assert "delete ledger.json" in said and make._without_page(released.made, make.OF_FEW) is None
    place = released.out / "named"
    place.mkdir()
    make._index(material, place, dict.fromkeys(material.groups, "x"), None, make.OF_EARLIER)
    text = plain((place / "index.html").read_text(encoding="utf-8"))
    assert "Medicine has no page, though enough people answered there: beside what else is shown" in text
    assert "1 directorate has no page: fewer than 11 people answered" in text and "Chaplaincy" not in text
