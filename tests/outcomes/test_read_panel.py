"""Flat panels: every trap is named, and nothing impossible is read."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import FileFormatError, LinkError, UnknownNameError


def write(folder, frame, name="panel.csv"):
    path = folder / name
    frame.write_csv(path)
    return path


def traps(panel):
    return {(rule, column) for rule, column in panel.problems.select("rule", "column").rows()}


@pytest.fixture
def clean():
    return cm.synthetic.outcome_panel(40, [2018, 2019, 2020, 2021])


def test_a_clean_panel_is_read_as_it_is(tmp_path, clean):
    declared = [cm.outcome(name) for name in ("shmi", "leavers", "mrsa", "cqc_rating")]
    panel = cm.read_panel(write(tmp_path, clean), declared)
    assert panel.table.columns == clean.columns
    assert panel.table["cqc_rating"].dtype == clean["cqc_rating"].dtype
    for column in ("staff_engagement", "shmi", "mrsa", "year"):
        assert (panel.table[column] - clean[column]).abs().max() < 1e-12
    assert "staff_engagement" in panel.indicators
    assert not {"shmi", "leavers", "mrsa", "headcount", "bed_days", "year", "morale_base"} & set(
        panel.indicators
    )
    assert [one.column for one in panel.outcomes] == ["shmi", "leavers", "mrsa", "cqc_rating"]
    # The benchmark group is the same everywhere by design; only text columns escape the numeric checks.
    assert panel.problems.filter(severity="warning").height == 0


def test_a_table_at_hand_is_read_like_a_file(tmp_path, clean):
    declared = [cm.outcome(name) for name in ("shmi", "cqc_rating")]
    table = cm.read_panel(clean, declared)
    assert table.table.equals(cm.read_panel(write(tmp_path, clean), declared).table)
    with pytest.raises(FileFormatError, match="table lacks a column"):
        cm.read_panel(clean.drop("organisation"))
    renamed = clean.rename({"organisation": "Trust ID", "year": "Wave"})
    assert cm.read_panel(renamed, organisation="Trust ID", year="Wave").table.height == clean.height


def test_placeholders_and_empty_columns_stay_out(tmp_path, clean):
    bad = clean.with_columns(openness=pl.lit(0), x=pl.lit(None, pl.String), same=pl.lit(3.5))
    panel = cm.read_panel(write(tmp_path, bad))
    assert {("all zero", "openness"), ("empty column", "x"), ("one value throughout", "same")} <= traps(panel)
    assert not {"openness", "x"} & set(panel.table.columns)
    assert "same" in panel.table.columns


def test_scrambled_codes(tmp_path, clean):
    coded = clean.with_columns(pl.col("region").alias("region_name"))
    number = pl.col("organisation").str.tail(2).cast(pl.Int64)
    bad = coded.with_columns(pl.format("Y{}", number % 9).alias("region_code"))
    found = traps(cm.read_panel(write(tmp_path, bad)))
    assert ("codes do not fit their names", "region_code") in found
    finer = coded.with_columns(pl.format("{} {}", "region", number % 2).alias("region_code"))
    assert ("codes do not fit their names", "region_code") in traps(cm.read_panel(finer))
    order = pl.col("region").rank("dense")
    good = coded.with_columns(pl.format("Y{}", order).alias("region_code"))
    assert not [rule for rule, _ in traps(cm.read_panel(write(tmp_path, good))) if "codes" in rule]


def test_a_region_that_means_something_else_in_one_year(tmp_path, clean):
    bad = clean.with_columns(
        pl.when(pl.col("year") == 2021).then(pl.lit("An ICS")).otherwise("region").alias("region")
    )
    assert ("an organisation under several names of one kind", "region") in traps(
        cm.read_panel(write(tmp_path, bad))
    )


def test_engagement_on_another_scale_and_of_three_questions(tmp_path, clean):
    five = (pl.col("staff_engagement") / 2.5 + 1).alias("staff_engagement")
    old = clean.with_columns(five)
    assert ("engagement on a scale of 1 to 5", "staff_engagement") in traps(
        cm.read_panel(write(tmp_path, old))
    )
    both = clean.with_columns(
        pl.when(pl.col("year") < 2020).then(five).otherwise("staff_engagement").alias("staff_engagement")
    )
    assert ("the scale changes between years", "staff_engagement") in traps(
        cm.read_panel(write(tmp_path, both))
    )
    item = five.round(2)
    thirds = clean.with_columns(((2 * item + (five + 0.1).round(2)) / 3).alias("staff_engagement"))
    found = traps(cm.read_panel(write(tmp_path, thirds)))
    assert ("engagement is a mean of three figures", "staff_engagement") in found
    assert any(rule == "rounded figures" and "staff_engagement" in column for rule, column in found)


def test_growing_numbers_of_respondents(tmp_path, clean):
    grown = clean.with_columns(
        (pl.col("staff_engagement_base") * (1 + 2 * (pl.col("year") - 2018))).alias("Responses")
    )
    assert ("respondents grow over the years", "Responses") in traps(cm.read_panel(write(tmp_path, grown)))


def test_small_bases_stay_out_and_are_counted(tmp_path, clean):
    small = clean.with_row_index().with_columns(
        pl.when(pl.col("index") < 3).then(10).otherwise("morale_base").alias("morale_base")
    )
    panel = cm.read_panel(write(tmp_path, small.drop("index")))
    assert panel.table["morale"].null_count() == panel.table["morale_base"].null_count() == 3
    assert panel.problems.filter(rule="small bases")["rows"].item() == 3
    assert panel.losses.filter(step="suppressed")["rows"].to_list() == [3]


def test_years_missing_in_between(tmp_path, clean):
    holes = clean.filter(~((pl.col("year") == 2019) & (pl.col("organisation") < "SYN005")))
    found = cm.read_panel(write(tmp_path, holes)).problems.filter(rule="years missing in between")
    assert found["found"].item() == "4 years of 4 organisations"


def test_what_is_no_panel_is_refused_with_place_and_remedy(tmp_path, clean):
    text = clean.select("organisation", "year", "shmi").cast(pl.String)
    twice = write(tmp_path, pl.concat([text, text.head(1)]))
    with pytest.raises(LinkError, match="a year more than once") as caught:
        cm.read_panel(twice)
    assert "rows 2, 162" in str(caught.value) and "SYN001" not in str(caught.value)
    cases = [
        ("year", "2018/19", "a year such as 2019"),
        ("organisation", "", "a code in every row"),
        ("shmi", "inf", "a finite number"),
        ("shmi", "about 1", "a finite number"),
    ]
    for column, value, said in cases:
        bad = text.with_row_index().with_columns(
            pl.when(pl.col("index") == 4).then(pl.lit(value)).otherwise(column).alias(column)
        )
        with pytest.raises(LinkError, match="cells cannot be used") as caught:
            cm.read_panel(write(tmp_path, bad.drop("index")))
        assert f"panel.csv, column {column}, rows 6" in str(caught.value) and said in str(caught.value)
    with pytest.raises(LinkError, match="no column 'deaths'"):
        cm.read_panel(write(tmp_path, text), cm.outcome("shmi_deaths"))
    with pytest.raises(LinkError, match="looks like per cent"):
        cm.read_panel(write(tmp_path, clean.with_columns(pl.col("leavers") * 100)), cm.outcome("leavers"))
    with pytest.raises(FileFormatError, match="No row names the columns"):
        cm.read_panel(write(tmp_path, clean.drop("year")))


def test_every_trap_of_the_real_panel_is_caught(shared_data):
    """The six warnings that stand beside the reference figures of this file."""
    panel = cm.read_panel(
        shared_data / "panel" / "nhs_trust_panel_2012_2019.csv", cm.outcome("shmi", column="SHMI.Index")
    )
    found = {
        column: (rule, said) for rule, column, said in panel.problems.select("rule", "column", "found").rows()
    }
    assert panel.table.height == 1084 and panel.table["organisation"].n_unique() == 146
    assert found["FreedomSpeak.Index, Openness.Index"][0] == "all zero"
    assert found["X"][0] == "empty column"
    assert not {"FreedomSpeak.Index", "Openness.Index", "X"} & set(panel.table.columns)
    assert found["HEE.region.code"] == (
        "codes do not fit their names",
        "24 codes for 13 names; 4 names stand with more than one code",
    )
    engagement = panel.problems.filter(column="Engagement.Index")
    assert set(engagement["rule"]) == {
        "engagement on a scale of 1 to 5",
        "engagement is a mean of three figures",
        "the name says something else",
    }
    assert engagement["found"].str.contains("three motivation questions").any()
    rounded = panel.problems.filter(rule="rounded figures").row(0, named=True)
    for column in ("Engagement.Index", "RecommendWork.Index", "RecommendCare.Index", "WorkStress.Index"):
        assert column in rounded["column"]
    assert "SHMI.Index" not in rounded["column"]
    assert found["Responses"] == ("respondents grow over the years", "56,107 in 2012, 366,975 in 2019")


def test_the_other_real_panel_has_regions_that_are_none(shared_data):
    panel = cm.read_panel(shared_data / "panel" / "nss_organisation_percentages_2021_2022.csv")
    assert ("an organisation under several names of one kind", "Region") in traps(panel)
    assert ("empty column", "ICS") in traps(panel)


def test_letters_that_mark_figures_are_names_among_names():
    """A region 'C' is a region; in a column of figures 'c' is one that was suppressed, as official files mark it."""
    frame = pl.DataFrame(
        {
            "organisation": ["RAA", "RBB", "RCC", "RDD", "REE"],
            "year": [2024] * 5,
            "region": ["A", "c", "X", "n/a", " z "],
            "falls": ["1.5", "c", "2.5", "x", "4"],
            "hidden": ["*"] * 5,
        }
    )
    table = cm.read_panel(frame).table
    assert table["region"].to_list() == ["A", "c", "X", None, "z"]
    assert table["falls"].to_list() == [1.5, None, 2.5, None, 4.0]
    assert "hidden" not in table.columns


def test_outcomes_are_named_by_id_as_well():
    frame = cm.synthetic.outcome_panel(organisations=20)
    named = cm.read_panel(frame, "shmi")
    assert named.outcomes == cm.read_panel(frame, [cm.outcome("shmi")]).outcomes
    with pytest.raises(UnknownNameError, match="shmy"):
        cm.read_panel(frame, "shmy")
