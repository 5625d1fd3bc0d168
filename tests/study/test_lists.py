"""Tables for views and for readers, in the names and order of the catalogue."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from culture_metrics import catalogue
from culture_metrics.disclosure.names import is_pooled
from culture_metrics.errors import ReportError
from culture_metrics.results.tables import answer_table, heat_map_table, score_table
from culture_metrics.wording.table import Table

EDITION = catalogue().edition(2024)


@pytest.fixture(scope="module")
def data(example_study):
    return example_study


@pytest.fixture(scope="module")
def own(data):
    return data.results.table.filter(period="2024")


def test_scores_stand_in_the_official_order(own):
    table = score_table(own, EDITION)
    assert table["measure"].to_list() == list(EDITION.scores)
    assert table["median"].null_count() == 30


def test_scores_take_the_benchmark_beside_them(own):
    standing = pl.DataFrame(
        {"measure": ["morale"], "best": [6.5], "median": [6.0], "worst": [5.5], "organisations": [9]}
    )
    row = score_table(own, EDITION, standing).row(by_predicate=pl.col("measure") == "morale", named=True)
    assert (row["worst"], row["median"], row["best"], row["organisations"]) == (5.5, 6.0, 6.5, 9)
    assert row["estimate"] == own.filter(measure="morale", group="all")["estimate"].item()


def test_a_heat_map_begins_with_the_whole_and_keeps_hidden_cells(own):
    table = heat_map_table(own, EDITION, "locality_1", ["morale", "staff_engagement"])
    assert table.select("group", "measure").rows()[:2] == [("all", "morale"), ("all", "staff_engagement")]
    reference = dict(table.head(2).select("measure", "estimate").iter_rows())
    assert dict(table.select("measure", "reference").unique().iter_rows()) == reference
    # Chaplaincy is made too small to be shown: it stands without its name.
    assert "Chaplaincy" not in table["group"].to_list()
    assert table.filter(is_pooled())["estimate"].null_count() == 2
    assert table["base"].drop_nulls().min() >= 11


@pytest.mark.parametrize(
    ("question", "favourable"),
    [
        # Agreement: 4 and 5 are good.
        ("recommend_place_to_work", {1: False, 2: False, 3: None, 4: True, 5: True}),
        # Frequency of something bad: never and rarely are good.
        ("unrealistic_time_pressures", {1: True, 2: True, 3: None, 4: False, 5: False}),
        # Incidents: only "never" is good, and the middle of the scale is as bad as the rest.
        ("harassment_from_managers", {1: True, 2: False, 3: False, 4: False, 5: False}),
        # "Don't know" is no point of the scale.
        ("fair_career_progression", {1: True, 2: False, 9: None}),
    ],
)
def test_answers_know_which_side_is_favourable(data, question, favourable):
    own = data.distributions.table.filter(period="2024")
    table = answer_table(own, EDITION, [question])
    assert dict(table.select("option", "favourable").iter_rows()) == favourable
    assert table["percent"].sum() == pytest.approx(100)
    beside = table.filter("beside")
    assert beside["option"].to_list() == list(EDITION.questions[question].scale.beside)
    assert beside["position"].null_count() == beside.height


def test_a_table_escapes_what_it_shows_and_explains_its_marks():
    frame = pl.DataFrame({"Group": ["<b>A & E</b>", "B"], "Base": ["[c]", None]})
    html = Table(frame, "Groups < 11", numbers=("Base",), strong=frozenset({"B"}))._repr_html_()
    assert "&lt;b&gt;A &amp; E&lt;/b&gt;" in html
    assert "Groups &lt; 11" in html
    assert "[c] confidential" in html
    assert "[x]" not in html
    assert "font-weight:bold'>B<" in html
    assert Table(frame.clear(), "No problems found")._repr_html_() == "<p>No problems found.</p>"


def test_the_check_of_the_year_is_open_and_the_others_are_folded(data):
    found = data.problems()
    assert [one.own.period for one in found.checks] == ["2024", "2023"]
    html = found._repr_html_()
    now, before = html.split("<summary>Check of NHS Staff Survey, England, 2023. 2,002 rows read")
    for part in (now, before):
        places = [part.index(f"{word} (") for word in ("Errors", "Warnings", "Notes")]
        assert places == sorted(places)
        assert "Codes outside the list" in part
    assert "<h4 class='heading'>" in now
    assert "<script" not in html
    assert repr(found).count("ValidationReport: 2,002 rows read") == 2


def test_years_stand_side_by_side(data):
    frame = data.years().frame
    assert frame.columns == ["Score", "2023", "2024"]
    row = data.results.table.filter(measure="morale", group="all", period="2023").row(0, named=True)
    expected = f"{row['estimate']:.2f} ({row['conf_low']:.2f} to {row['conf_high']:.2f})"
    assert frame.filter(Score="Morale")["2023"].item() == expected


def test_years_that_may_not_be_compared_are_marked(data):
    frame = data.years().frame
    marked = frame.filter(pl.col("2024").str.ends_with("[b]"))["Score"].to_list()
    assert marked == ["Safe and healthy", "Health and safety climate", "Negative experiences"]
    assert not frame["2023"].str.contains("[b]", literal=True).any()
    assert "[b] break: the two years may not be compared" in data.years()._repr_html_()
    reported = data.percentages("health_and_safety_climate").frame
    assert reported.filter(pl.col("Per cent").str.ends_with("[b]"))["Year"].unique().to_list() == ["2024"]


def test_at_a_glance_sets_published_figures_beside_published_ones(data):
    figure = data.headline()
    own = data.workbook.results.table.filter(organisation="SYN01", breakdown="all")
    drawn = next(t for t in figure.data if t.name == "This organisation").x
    assert set(drawn) <= set(own["estimate"])
    assert figure.layout.meta["source"] == "Published results, every respondent counted once"
    alone = replace(data, published=()).headline()
    assert alone.layout.meta["source"].startswith("Respondent file")


def test_a_score_of_one_question_is_rebuilt_exactly(data):
    row = data.rebuilt().frame.row(by_predicate=pl.col("Score") == "Flexible working", named=True)
    assert (row["Organisations"], row["Largest difference"]) == ("24", "0.0000")


def test_shown_and_held_back_add_up(data):
    frame = data.held_back().frame.filter(Year="2024", Groups="Directorate")
    counted = sum(int(frame[name].item().replace(",", "")) for name in frame.columns[2:])
    rows = data.suppressed[0].table.filter(
        pl.col("status").cast(pl.String) != "not_asked", period="2024", breakdown="locality_1"
    )
    assert counted == rows.height
    # One number: two would tell small groups from those that are hidden beside them.
    assert frame.columns == ["Year", "Groups", "Shown", "Held back"]
    assert int(frame["Held back"].item()) > 0
    assert data.published_held_back().frame.select("Year", "Groups").rows() == [
        ("2024", "Whole organisation")
    ]


NEED_ANSWERS = {
    "scores": (), "answers": ("advocacy",), "heat_maps": (), "checks": (), "problems": (),
    "percentages": ("advocacy",), "years": (), "compare_years": (),
}  # fmt: skip
NEED_WORKBOOK = {"benchmark": (), "rebuilt": (), "published_answers": ("advocacy",)}


@pytest.mark.parametrize("name", [*NEED_ANSWERS, *NEED_WORKBOOK])
def test_an_input_that_is_missing_is_said_in_one_sentence(data, name):
    bare = replace(data, reports=(), extracts=()) if name in NEED_ANSWERS else replace(data, published=())
    with pytest.raises(ReportError) as caught:
        getattr(bare, name)(*(NEED_ANSWERS | NEED_WORKBOOK)[name])
    assert "respondent file" in str(caught.value) or "workbook" in str(caught.value)
    # What JupyterLab shows instead of the calls.
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_a_file_without_groups_says_so(data, capsys):
    from dataclasses import replace

    replace(data, by=()).heat_maps()._ipython_display_()
    assert "Markdown" in capsys.readouterr().out


def test_questions_about_the_respondents_have_no_favourable_side():
    # Their answers are not in distributions: here they are made up.
    frame = pl.DataFrame({"question": ["patient_contact"] * 3, "option": [1, 2, 3]}).with_columns(
        pl.col("option").cast(pl.Int16), group=pl.lit("all"), percent=pl.lit(33.3), base=pl.lit(90),
        status=pl.lit("reported"),
    )  # fmt: skip
    assert answer_table(frame, EDITION, ["patient_contact"])["favourable"].null_count() == 3


def test_answers_say_how_many_are_favourable_and_how_they_are_weighted(data):
    figure = data.answers("advocacy")
    own = data.distributions.table.filter(period="2024", group="all")
    shares = [
        own.filter(pl.col("question") == name, pl.col("option").is_in([4, 5]))["percent"].sum()
        for name in data.edition.measure("advocacy").items
    ]
    said = f"advocacy: {min(shares):.1f}% to {max(shares):.1f}% of answers favourable"
    assert said in figure.layout.meta["alt"]
    assert figure.layout.meta["source"] == "Respondent file, every respondent counted once"
    assert data.published_answers("advocacy").layout.meta["source"].startswith("Published results, ")
