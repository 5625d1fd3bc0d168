"""A folder with an extract, the official workbook and the benchmark workbook; organisations given by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest
import xlsxwriter
from books import make_published

import culture_metrics as cm
from culture_metrics.errors import StudyFileError, UnknownNameError
from culture_metrics.published import write_published
from culture_metrics.study.settings import STUDY_FILE, Settings, read_settings
from culture_metrics.study.setup import setup

NAMES = ["Cedar Hill NHS Trust", "Dale NHS Trust", "Elm NHS Foundation Trust"]
WHO = pl.DataFrame(
    {"organisation": ["RXC", "RXD", "RXE"], "name": NAMES}
).with_columns(
    benchmark_group=pl.lit("Community Trusts"), region=pl.lit("London"), ics=pl.lit("West"),
    weighting=pl.lit("occupation_group"), breakdown=pl.lit("all"), group=pl.lit("all"),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The extract names its trust in words; it has directorates under a contractor's number."""
    place = tmp_path_factory.mktemp("folder")
    frame = cm.synthetic.respondents(2024, respondents_per_organisation=160).frame
    frame = frame.drop("benchmark_group", "region", "ics", "locality_2")
    own = frame.rename({"locality_1": "BD 1"}).with_columns(organisation=pl.lit("Cedar  Hill NHS Trust"))
    own.write_csv(place / "extract 2024.csv")
    published = make_published("2024", WHO, questions=["recommend_place_to_work"])
    write_published(place / "organisational results 2024.xlsx", published)
    with xlsxwriter.Workbook(place / "benchmark 2024.xlsx") as book:
        book.add_worksheet("Notes").write(0, 0, "2024 NHS Staff Survey")
        sheet = book.add_worksheet("Community Trusts")
        head = ["org_id", "org_name", "org_type", "org_type_reporting_name", "PP1_2024", "PP1_n_2024"]
        sheet.write_row(0, 0, head)
        for i, code in enumerate(WHO["organisation"], 1):
            sheet.write_row(i, 0, [code, NAMES[i - 1], 6, "Community Trusts", 7.0 + i / 10, 100 * i])
    (place / "readme.txt").write_text("Nothing here is a table.\n", encoding="utf-8")
    setup([place])
    return place


def test_each_file_is_told_by_its_content(folder):
    found = read_settings(folder / STUDY_FILE)
    assert {f.file: f.kind for f in found.files} == {
        "extract 2024.csv": "respondents",
        "organisational results 2024.xlsx": "official results",
        "benchmark 2024.xlsx": "benchmark workbook",
        "readme.txt": "not used",
    }
    assert found.organisation == "RXC"


def test_the_detailed_workbook_leads_and_the_benchmark_workbook_stands_in(folder):
    study = cm.study(folder)
    assert (study.organisation, study.name, study.year) == ("RXC", NAMES[0], "2024")
    assert [p.provenance["layout"] for p in study.published] == ["benchmark", "organisation"]
    assert study.workbook.provenance["layout"] == "organisation"
    path = folder / STUDY_FILE
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(whole.replace("kind: official results", "kind: not used"), encoding="utf-8")
        alone = cm.study(folder)
        # 7.1, 7.2 and 7.3 are written above: the median is Dale's, and RXC is the last of three.
        row = alone.benchmark().table.filter(measure="compassionate_and_inclusive").row(0, named=True)
        assert (row["estimate"], row["median"], row["rank"], row["organisations"]) == (7.1, 7.2, 3, 3)
        assert "RXC" in alone.organisation and alone.headline().layout.title.text
    finally:
        path.write_text(whole, encoding="utf-8")


class Agree:
    """Agrees to everything proposed, and to writing over what a person changed."""

    def yes(self, question, *, proposed):
        return True

    def text(self, question, proposed, *, sure=True):
        return proposed


def test_peers_that_the_file_names_stand_beside_the_group(folder):
    path = folder / STUDY_FILE
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(whole.replace("files:", "peers: [RXE]\nfiles:", 1), encoding="utf-8")
        assert [*cm.study(folder).benchmark().beside["organisation"].unique()] == ["RXE"]
        setup([folder], Agree())
        assert "peers: [RXE]" in path.read_text(encoding="utf-8")
    finally:
        path.write_text(whole, encoding="utf-8")


def test_peers_may_be_given_by_their_exact_names_and_are_looked_for_at_once(folder):
    path = folder / STUDY_FILE
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(
            whole.replace("files:", "peers: [elm NHS  Foundation Trust, rxd]\nfiles:", 1), encoding="utf-8"
        )
        study = cm.study(folder)
        assert study.settings.peers == ("RXE", "RXD")
        assert {*study.benchmark().beside["organisation"]} == {"RXD", "RXE"}
        # The ranking of a report marks those, and not the nearest.
        assert study.benchmark(nearest=1) is study.benchmark()
        done = setup([folder])
        assert "peers: 'elm NHS  Foundation Trust' is RXE" in done.decided
        path.write_text(
            whole.replace("files:", "peers: [Elm NHS Foundation Trst]\nfiles:", 1), encoding="utf-8"
        )
        for asked in (cm.study, lambda place: setup([place])):
            with pytest.raises(UnknownNameError, match=r"(?s)study.yaml, peers.*Did you mean RXE"):
                asked(folder)
    finally:
        path.write_text(whole, encoding="utf-8")
    files = [folder / "extract 2024.csv", folder / "organisational results 2024.xlsx"]
    book = cm.study(files).releases
    beside = cm.benchmark(book, "RXC", peers=["Elm NHS Foundation Trust"]).beside
    assert [*beside["organisation"].unique()] == ["RXE"]
    with pytest.raises(UnknownNameError, match="Did you mean RXE"):
        cm.benchmark(book, "RXC", peers=["Elm NHS Foundation Trst"])


def test_without_chosen_peers_the_nearest_stand_beside():
    """The notebook asks for five, and ranks with them: the marks are those of the peers beside."""
    study = cm.study([])
    near = study.peers(5).organisations
    assert {*study.benchmark(nearest=5).beside["organisation"]} == {*near} and len(near) == 5
    chosen = replace(study, settings=Settings(Path(), (), peers=("SYN05",)))
    assert {*chosen.benchmark(nearest=5).beside["organisation"]} == {"SYN05"}
    book = (Path(__file__).parents[2] / "notebooks" / "04_benchmark_and_peers.ipynb").read_text(
        encoding="utf-8"
    )
    assert "study.benchmark(nearest=5).ranking(question)" in book


@pytest.mark.parametrize("given", ["rxc ", "cedar hill nhs trust", " Cedar Hill  NHS Trust"])
def test_an_organisation_may_be_given_by_its_exact_name(folder, given):
    files = [folder / "extract 2024.csv", folder / "organisational results 2024.xlsx"]
    assert cm.study(files, organisation=given).organisation == "RXC"


LATER = {"Women & Children": "Family Health"}


@pytest.fixture(scope="module")
def two_years(folder, tmp_path_factory):
    """Two years of Cedar Hill: one has its code, the other what is asked for; a division has a new name."""
    made = {}
    for year in (2023, 2024):
        frame = cm.synthetic.respondents(year, 1, 120, seed=year).frame.drop(
            "^locality.*$", "benchmark_group"
        )
        place = pl.int_range(pl.len()) % 6
        made[year] = frame.select(~cs.starts_with("q1", "q3")).with_columns(
            (place // 2)
            .replace_strict({0: "Women & Children", 1: "Medicine", 2: "Surgery"})
            .alias("Division"),
            pl.format("Team {}", place).alias("Department"),
            (place % 3).replace_strict({0: "Nursing", 1: "Medical", 2: "Estates"}).alias("StaffGrp"),
        )

    def written(name, earlier="rxc", workbook=True):
        place = tmp_path_factory.mktemp("years")
        if workbook:
            book = "organisational results 2024.xlsx"
            (place / book).write_bytes((folder / book).read_bytes())
        made[2023].with_columns(organisation=pl.lit(earlier)).write_csv(place / "y2023.csv")
        later = made[2024].with_columns(pl.col("Division").replace(LATER), organisation=pl.lit(name))
        words = {"Division": "Directorate", "Department": "Dept", "StaffGrp": "Staff Group"}
        later.rename(words).write_csv(place / "y2024.csv")
        staff = pl.DataFrame({"Organisation": name, "Headcount": 500})
        staff.write_csv(place / "Headcount 2024.csv")
        return place, setup([place])

    return written


def test_setup_sees_the_same_whether_the_code_or_the_name_stands_in_the_file(two_years):
    """What was proposed for the code is, but for the case of it, proposed for the name."""
    (code, _), (name, said) = two_years("RXC", "RXC"), two_years(" cedar hill NHS trust")
    settings = [read_settings(place / STUDY_FILE) for place in (code, name)]
    assert [(p.old, p.new, p.confirmed) for p in settings[0].renamed] == [(*next(iter(LATER.items())), True)]
    for part in ("renamed", "nesting", "breakdowns", "organisation", "headcounts"):
        assert getattr(settings[0], part) == getattr(settings[1], part)
    assert (
        "y2024.csv, 2024: the organisation 'cedar hill NHS trust' is RXC, as the official workbook has it"
        in said.decided
    )
    assert not any("no row is of" in one for one in said.look)
    (rates,) = cm.study(name).response_rates().rates
    assert rates.table.filter(breakdown="all").select("base", "staff").rows() == [(120, 500)]


def test_a_header_that_is_not_known_is_joined_by_the_names_of_its_groups(two_years):
    place, _ = two_years("RXC", "RXC")
    assert read_settings(place / STUDY_FILE).breakdowns["Staff Group"] == ("Staff Group", "StaffGrp")
    study = cm.study(place)
    assert [set(e.frame["staff_group"]) for e in study.extracts] == [{"Nursing", "Medical", "Estates"}] * 2
    # Run again on what it wrote: what lies there is still said.
    assert any("Headcount 2024.csv: headcounts, 1 row used" in one for one in setup([place]).decided)


def test_a_list_where_one_name_belongs_is_answered_with_what_to_write(two_years):
    place, _ = two_years("RXC", "RXC")
    path = place / STUDY_FILE
    path.write_text(
        path.read_text(encoding="utf-8").replace("from: Women & Children", "from: [Women, Children]")
    )
    with pytest.raises(StudyFileError, match="write an entry of its own for each"):
        cm.study(place)


def test_a_name_that_no_workbook_has_is_the_organisation_itself_and_said(two_years):
    place, said = two_years("Cedar Hill", "Cedar Hill", workbook=False)
    assert read_settings(place / STUDY_FILE).organisation == "Cedar Hill"
    assert any("y2024.csv, 2024: 'Cedar Hill' is no code" in one for one in said.look)
    _, said = two_years("Cedar Hill")
    assert any("y2023.csv, 2023: no row is of Cedar Hill" in one and "'RXC'" in one for one in said.look)


def test_a_name_that_is_only_like_one_is_suggested(folder):
    with pytest.raises(UnknownNameError, match=r"Did you mean RXC"):
        cm.study([folder / "organisational results 2024.xlsx"], organisation="Cedar Hil NHS Trust")
    with pytest.raises(UnknownNameError) as told:
        cm.study([folder / "organisational results 2024.xlsx"], organisation="Some other place")
    assert "ODS code" in told.value.expected


def test_a_number_of_the_contractor_is_asked_about(folder, tmp_path):
    """Whoever answers gives the groups their word; nobody leaves the number."""
    assert list(read_settings(folder / STUDY_FILE).breakdowns) == ["BD 1"]

    class Person:
        def yes(self, question, *, proposed):
            return proposed

        def text(self, question, proposed, *, sure=True):
            return "Directorate" if "BD 1" in question else proposed

    (tmp_path / "extract 2024.csv").write_bytes((folder / "extract 2024.csv").read_bytes())
    setup([tmp_path], Person(), organisation="Cedar  Hill NHS Trust")
    study = cm.study(tmp_path)
    assert study.words["locality_1"] == "Directorate" and "locality_1" in study.by


def test_a_file_that_was_taken_away_is_named_with_what_to_do(folder, tmp_path):
    (tmp_path / STUDY_FILE).write_text("files:\n  - file: RXC_2024.csv\n", encoding="utf-8")
    (tmp_path / "RXC_2024 (1).csv").write_text("q1\n1\n", encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"'RXC_2024.csv' is not beside study.yaml") as told:
        cm.study(tmp_path)
    assert "Is it 'RXC_2024 (1).csv' now?" in told.value.hint


def test_files_of_two_folders_and_none_are_refused(folder, tmp_path):
    with pytest.raises(StudyFileError, match="2 folders"):
        setup([folder / "extract 2024.csv", tmp_path / "other.csv"])
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(StudyFileError, match="None of the files can be used"):
        setup([tmp_path])
