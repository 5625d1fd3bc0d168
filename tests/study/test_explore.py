"""What may be chosen of a study: another choice gives another figure, in Python as in JupyterLab."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import ReportError, UnknownNameError
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.study import subset
from culture_metrics.study.choices import VIEWS, options
from culture_metrics.study.nearly_same import nearly_same
from culture_metrics.study.steps import Steps

NURSES = "Registered Nurses and Midwives"


@pytest.fixture(scope="module")
def study():
    return cm.study([], by=["occupation_group", "locality_1"])


def words(figure) -> str:
    return re.sub(r"<br>|\s+", " ", figure.layout.title.text)


def test_a_control_changes_the_figure(study):
    shown = study.explore("scores")
    first = words(shown.figure)
    shown.controls["year"].value = "2023"
    assert words(shown.figure) != first and "2023" in words(shown.figure)
    standing = study.explore("ranking")
    standing.controls["organisation"].value = "SYN03"
    assert "Invented trust 3 ranks" in words(standing.figure)
    unnamed = str(standing.figure.to_dict())
    standing.controls["peers"].value = ("nearest",)
    assert str(standing.figure.to_dict()) != unnamed


def test_several_peers_may_be_chosen_and_stand_beside_the_group(study):
    """The median of the peers is that of their published figures."""
    shown = study.explore("standing")
    peers, words_before = shown.controls["peers"], shown.figure.layout.meta["alt"]
    codes = [value for _, value in peers.options]
    assert codes[0] == "nearest" and study.organisation not in codes and len(codes) > 5
    peers.value = ("SYN03", "SYN04", "SYN05")
    own = study.releases[0].results.table.filter(
        pl.col("organisation").is_in(["SYN03", "SYN04", "SYN05"]),
        group="all",
        measure="morale",
        period="2024",
    )
    [drawn] = [trace for trace in shown.figure.data if trace.name == "Median of the peers named"]
    place = shown.figure.numbers.frame["Score"].to_list().index("Morale")
    assert drawn.x[place] == pytest.approx(own["estimate"].median())
    alt = shown.figure.layout.meta["alt"]
    assert "median of the peers named" in alt and alt != words_before
    ranks = study.explore("ranking")
    ranks.controls["peers"].value = ("SYN03", "nearest")
    assert "SYN03" in repr(ranks) or "Invented trust 3" in repr(ranks)
    peers.value = ()
    assert shown.figure.layout.meta["alt"] == words_before


def test_a_subset_is_named_in_every_title_and_summary(study):
    shown = study.explore("scores")
    [chosen] = [value for said, value in options(study, "only") if said.endswith(f": {NURSES}")]
    shown.controls["only"].value = chosen
    assert f"{NURSES} only" in words(shown.figure)
    part = study.only(occupation_group=NURSES)
    change = part.compare_years()
    drawn = [
        part.scores(),
        part.headline(),
        part.answers(),
        change.figure(),
        change.slope(),
        *part.heat_maps(),
    ]
    assert all(f"{NURSES} only" in words(figure) for figure in drawn)
    assert all(f"{NURSES} only" in figure.layout.meta["alt"] for figure in drawn)
    assert all(f"{NURSES} only" in said for said in (part.summary(), repr(part), part._repr_html_()))
    assert all(f"{NURSES} only" in table._repr_html_() for table in (part.percentages(), part.years()))


def test_sentences_of_a_subset_name_it(study):
    """They read as if they were of the whole trust."""
    change = study.only(occupation_group=NURSES).compare_years()
    assert all(said.startswith(f"{NURSES}: ") for said in change.sentences())
    assert change.story()[0].startswith(f"{NURSES}: ")
    assert f"{NURSES}, 2023 to 2024: of " in change.summary() and f"{NURSES}, 2023 to 2024" in repr(change)
    assert f"In groups of {NURSES}, of " in change.summary()
    assert not study.compare_years().part


@pytest.mark.parametrize("alike", [True, False])
def test_a_subset_of_which_most_is_held_back_says_why(study, monkeypatch, alike):
    """130 of 131 measures of 741 nurses were held back beside a column of staff groups, without a word."""
    part = study.only(occupation_group=NURSES)
    table = part.results.table
    gone = table.with_columns(
        estimate=pl.lit(None, pl.Float64), status=pl.lit("suppressed_secondary", table.schema["status"])
    )
    part.__dict__["results"] = replace(part.results, table=gone)
    pairs = [("occupation_group", "locality_1")] if alike else []
    monkeypatch.setattr(subset, "nearly_same", lambda *_: pairs)
    many = table.filter(breakdown="all", period="2024").height
    said = part.summary()
    assert f"Of {NURSES} {many} of {many} measures of 2024 are held back" in said
    assert ("Leave Directorate out of the breakdowns" in said) == alike
    assert ("With fewer breakdowns" in said) != alike
    assert study.only(occupation_group=NURSES).why_held_back == ""


def test_breakdowns_that_nearly_coincide_are_found(study):
    """A column of occupation groups in which one in twenty is another one; departments in theirs are not."""
    extract = study.extracts[-1]
    column = group_columns(extract, ["occupation_group"])["occupation_group"].cast(pl.String)
    groups = extract.frame.select(column).to_series()
    other = pl.Series(groups.shuffle(seed=1))
    one_in_20 = pl.int_range(len(groups)) % 20 == 0
    short = pl.lit("Group ") + pl.when(one_in_20).then(other).otherwise(groups).str.head(5)
    own = pl.select(short).to_series()
    one = replace(extract, frame=extract.frame.with_columns(locality_2=own))
    names = ["occupation_group", "locality_1", "locality_2", "locality_4"]
    assert nearly_same([one], names) == [("occupation_group", "locality_2")]
    assert nearly_same([extract], names[:2]) == []
    asked = SimpleNamespace(_was=SimpleNamespace(also_by=None), look=[])
    assert Steps._also_by(asked, [one], {"Staff Group": ("locality_2",)}) == ()
    assert asked.look[0].startswith("occupation_group (by answers) has nearly the same groups as Staff Group")
    asked.look.clear()
    earlier = replace(extract, frame=extract.frame.drop("locality_2", strict=False))
    assert Steps._also_by(asked, [earlier, one], {"Staff Group": ("locality_2",)}) == ("occupation_group",)
    assert asked.look[0].endswith("Take one of them out of study.yaml to see more of the other.")
    asked.look.clear()
    assert Steps._also_by(asked, [one], {"Directorate": ("locality_1",)}) == ("occupation_group",)
    assert not asked.look


def test_a_subset_has_the_figures_of_its_people(study):
    """The mean of the scores of those people, as they stand in the extract, by the other breakdown as well."""
    extract = study.extracts[-1]
    people = extract.frame.select("locality_1").with_columns(cm.score(extract)["morale"])
    urgent = people.filter(locality_1="Urgent Care")["morale"].drop_nulls()
    part = study.only(Directorate="Urgent Care").results.table.filter(period="2024", measure="morale")
    [whole] = part.filter(group="all").select("estimate", "base").rows()
    assert whole == (pytest.approx(urgent.mean(), abs=1e-9), len(urgent))
    nurses = study.only(occupation_group=NURSES).results.table.filter(period="2024", measure="morale")
    one = part.filter(group=NURSES).select("estimate", "base").rows()
    assert one == nurses.filter(group="Urgent Care").select("estimate", "base").rows() and one[0][1] >= 11


def test_only_what_is_shown_is_offered_and_a_fault_leaves_the_figure(study):
    shown = study.suppressed[0].table.filter(pl.col("status").cast(pl.String) == "reported")["group"].unique()
    offered = [value[1] for _, value in options(study, "only") if value]
    assert offered and set(offered) <= set(shown)
    maps = study.explore("groups")
    before = maps.figure
    maps.controls["only"].value = ("occupation_group", NURSES)  # by its own groups it cannot be split
    assert maps.figure is before and "figure before" in maps._said.value
    assert f"{NURSES} is one group of Occupation group" in maps._said.value
    maps.controls["breakdown"].value = "locality_1"
    assert f"{NURSES} only" in words(maps.figure) and maps._said.value == ""


def test_a_choice_that_leaves_nothing_is_answered_in_the_words_of_the_controls():
    """No department lies in that directorate, and the other year has no such directorate."""
    earlier, later = (e for e in cm.study([], by=["locality_1", "locality_4"]).extracts)
    renamed = pl.col("locality_1").replace({"Urgent Care": "Emergency"})
    before = replace(earlier, frame=earlier.frame.with_columns(renamed))
    study = cm.study([], by=["locality_1", "locality_4"])
    maps = replace(study, extracts=(before, later)).explore("groups")
    maps.controls["only"].value = ("locality_1", "Diagnostics and Pharmacy")
    maps.controls["breakdown"].value = "locality_4"
    assert "no groups of Department" in maps._said.value and "people of Diagnostics" in maps._said.value
    maps.controls["only"].value = ("locality_1", "Urgent Care")
    maps.controls["year"].value = "2023"
    assert "Nothing of Urgent Care can be shown in 2023" in maps._said.value
    assert "locality" not in maps._said.value


def test_peers_of_the_own_group_are_offered_first(study):
    groups = dict(study.releases[0].organisations.select("organisation", "benchmark_group").iter_rows())
    offered = [groups[code] for _, code in options(study, "peers")[1:]]
    own = groups[study.organisation]
    assert offered.count(own) > 1 and {*offered[: offered.count(own)]} == {own}


def test_what_cannot_be_chosen_is_said(study):
    with pytest.raises(ReportError, match="one group of one breakdown"):
        study.only()
    with pytest.raises(UnknownNameError, match="scores"):
        study.explore("radar")
    with pytest.raises(UnknownNameError, match="Directorate"):
        study.only(colour="red")
    assert {"scores", "groups", "answers", "changes", "standing", "ranking"} == set(VIEWS)


def test_elsewhere_than_in_jupyterlab_the_figure_stands_alone(study, monkeypatch):
    """Controls have no form but a widget's, so that a page without widgets shows nothing in their place."""
    shown, sent = study.explore("standing"), []
    monkeypatch.setattr(shown, "_shown", lambda: {"the figure": "as it shows itself"})
    monkeypatch.setattr("IPython.display.display", lambda given, **how: sent.append((given, how)))
    shown._ipython_display_()
    (controls, _), (figure, how) = sent
    assert [*controls] == ["application/vnd.jupyter.widget-view+json"]
    assert figure == shown._shown() and how["display_id"]
    # A figure over a figure is not drawn by Plotly in JupyterLab: something else stands there in between.
    renewed = []
    shown._handle = SimpleNamespace(update=lambda bundle, raw: renewed.append([*bundle]))
    shown.controls["peers"].value = ("nearest",)
    assert renewed == [["text/plain"], ["the figure"]]
