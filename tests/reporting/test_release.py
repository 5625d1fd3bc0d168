"""What leaves names no group of which nothing is shown, and keeps to the minimum that was asked for."""

import json
import zipfile

import polars as pl
import pytest
from cells import without_notebooks
from slide_rules import slide_faults
from typer.testing import CliRunner

from culture_metrics import estimate, study, synthetic, validate
from culture_metrics.cli import app
from culture_metrics.disclosure.names import is_pooled, pool_names
from culture_metrics.errors import CultureMetricsError, ReportError
from culture_metrics.reporting import report as module
from culture_metrics.reporting.report import report

#: Directorates of two years: large ones, ones too small in both years, and one that is too small in the later.
LARGE = {"Surgery": 90, "Medicine": 80, "Community": 70}
SMALL = {"Zephyrquill": 8, "Mossvane": 9, "=Harrowgrit": 1}
SHRUNK = "Brindlewick"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    place = tmp_path_factory.mktemp("release")
    for year, shrunk in ((2023, 40), (2024, 6)):
        sizes = {**LARGE, **SMALL, SHRUNK: shrunk}
        names = [name for name, n in sizes.items() for _ in range(n)]
        made = synthetic.respondents(year, respondents_per_organisation=len(names), seed=year)
        made.frame.with_columns(pl.Series("locality_1", names)).write_csv(place / f"RXX {year}.csv")
    return sorted(place.iterdir())


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    """A report without its notebooks; `test_report` looks at them."""
    out = tmp_path_factory.mktemp("released")
    with pytest.MonkeyPatch.context() as patch:
        without_notebooks(patch, module)
        report(
            files, out, by=["locality_1", "occupation_group"], minimum_base=12, minimum_count=2, slides=True
        )
    return out


def test_no_file_names_a_group_of_which_nothing_is_shown(folder):
    texts = {path.name: path.read_bytes() for path in folder.iterdir()}
    for packed in ("results.xlsx", "slides.pptx"):
        with zipfile.ZipFile(folder / packed) as book:
            texts |= {name: book.read(name) for name in book.namelist()}
    # Parquet may compress its pages: its texts are read as a program reads them.
    table = pl.read_parquet(folder / "results.parquet")
    texts["groups"] = "\n".join(table["group"].unique()).encode()
    for file, text in texts.items():
        found = [name for name in SMALL if name.strip("=").encode() in text]
        assert not found, file
    assert all(name.encode() in texts["groups"] for name in [*LARGE, SHRUNK])
    pooled = table.filter(is_pooled(), breakdown="locality_1")
    assert pooled["group"].unique().to_list() == [
        "3 groups with fewer than 12 people, or that would give those away"
    ]
    assert pooled["status"].unique().to_list() == ["suppressed"]
    assert pooled["period"].unique().sort().to_list() == ["2023", "2024"]
    assert not pooled.select("period", "measure").is_duplicated().any()


def test_the_slides_are_sound(folder):
    assert slide_faults(folder / "slides.pptx") == []
    from pptx import Presentation

    show = Presentation(folder / "slides.pptx")
    about = show.core_properties
    assert (about.author, about.last_modified_by, about.language) == (
        "culture-metrics",
        "culture-metrics",
        "en-GB",
    )
    titles = [slide.shapes.title.text_frame.text for slide in show.slides]
    assert len(titles) == len(set(titles)) >= 4
    # The map's numbers are the results', and groups of which nothing is shown are not on it.
    table = pl.read_parquet(folder / "results.parquet").filter(period="2024", measure="morale")
    (grid,) = (
        s.table
        for slide in show.slides
        for s in slide.shapes
        if s.has_table and "Base" in s.table.cell(0, 1).text
    )
    column = [c.text for c in grid.rows[0].cells].index("Morale")
    shown = {row.cells[0].text: row.cells[column].text.split(" ")[0] for row in [*grid.rows][1:]}
    assert set(shown) - {"Whole organisation"} <= {*LARGE}
    for name in LARGE:
        assert shown[name] == f"{table.filter(group=name)['estimate'].item():.2f}"
    notes = " ".join(slide.notes_slide.notes_text_frame.text for slide in show.slides)
    assert "every respondent counted once" in notes and "Base: " in notes


def test_a_group_hidden_in_one_year_only_keeps_its_name_and_has_no_number_there(folder):
    table = pl.read_parquet(folder / "results.parquet").filter(group=SHRUNK, measure="morale")
    assert table.select("period", pl.col("base") > 0).rows() == [("2023", True), ("2024", None)]


def test_the_minimum_reaches_every_table_the_manifest_and_the_page(folder):
    table = pl.read_parquet(folder / "results.parquet").filter(source="respondents")
    assert table["base"].min() >= 12
    shares = table.filter(unit="percent").drop_nulls("estimate")
    counted = (shares["estimate"] / 100 * shares["base"]).round()
    assert min(counted.min(), (shares["base"] - counted).min()) >= 2
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["options"]["minimum_base"] == 12
    assert manifest["options"]["minimum_count"] == 2
    rule = "No figure on fewer than 12 respondents is shown, no percentage that counts, or leaves uncounted"
    assert manifest["suppression"]["rule"].startswith(rule)
    assert rule in (folder / "index.html").read_text(encoding="utf-8")


def test_answers_and_results_are_hidden_together(files):
    data = study(files, by=["locality_1"], minimum_base=30, minimum_count=5)
    assert data.results.table["base"].min() >= 30
    answers = data.distributions.table.drop_nulls("percent")
    counted = (answers["percent"] / 100 * answers["base"]).round()
    assert counted.min() >= 5


@pytest.mark.parametrize(
    ("option", "value"), [("minimum_base", 10), ("minimum_base", 0), ("minimum_count", 0)]
)
def test_a_minimum_goes_upwards_only(files, tmp_path, option, value):
    with pytest.raises(CultureMetricsError, match=option if value == 0 else "can be raised, not lowered"):
        study(files, **{option: value})
    with pytest.raises(CultureMetricsError):
        report(files, tmp_path / "a", **{option: value})
    call = [
        "report",
        str(files[0]),
        "--out",
        str(tmp_path / "b"),
        f"--{option.replace('_', '-')}",
        str(value),
    ]
    ran = CliRunner().invoke(app, call)
    assert ran.exit_code == 2
    assert not list(tmp_path.rglob("index.html"))


def test_the_survey_s_own_minimum_may_be_given(files):
    assert study(files, minimum_base=11).rule == study(files).rule
    with pytest.raises(ReportError, match="NHS Staff Survey, England"):
        study(files, minimum_base=10)


def test_pooling_counts_groups_over_all_years_and_changes_no_number(files):
    data = study(files, by=["locality_1"])
    before, after = data.suppressed[0].table, data.results.table
    kept = after.filter(~is_pooled())
    assert kept.equals(
        before.join(kept.select("breakdown", "group").unique(), on=["breakdown", "group"], how="semi")
    )
    assert before.filter(pl.col("status") == "reported").height == after.filter(status="reported").height
    assert pool_names(after, 11).equals(after)


def test_maps_changes_and_their_texts_name_no_hidden_group(files):
    data = study(files, by=["locality_1"])
    change = data.compare_years()
    figures = [*data.heat_maps().figures, *change.heat_maps(data.by).figures, change.figure()]
    said = [figure.to_json() for figure in figures]
    said += [change.summary(), str(change.notes), *change.sentences(), *change.groups_vanished]
    said += [change.hidden()._repr_html_(), data.held_back()._repr_html_(), repr(change)]
    said += [change._repr_html_(), *(f._repr_html_() for f in data.staff_mix("q25c").figures)]
    assert not [name for name in SMALL if name.strip("=") in "".join(said)]
    # A group hidden in one year only is no group of one year only.
    assert change.groups_vanished == change.groups_appeared == ()
    lost = change.table.filter(group=SHRUNK, measure="morale")
    assert lost.select("estimate_to", "difference").row(0) == (None, None)
    assert lost["estimate_from"].item() > 0


def test_what_estimate_returns_keeps_its_names():
    extract = validate(synthetic.respondents(2024, seed=2)).extract
    assert "Chaplaincy" in estimate(extract, by=["locality_1"]).table["group"].to_list()
