"""Gaps and programmes of what people hand in: a year twice, tables read back, one name, wrong kinds."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from culture_metrics import before_after, equality_gaps
from culture_metrics.compare import intersections
from culture_metrics.contract import as_results
from culture_metrics.errors import CultureMetricsError, ResultsError, UnknownNameError

COLUMNS = ["period", "organisation", "group", "estimate", "base"]
GENDER = [
    ("2023", "RXX", "Female", 60.0, 400),
    ("2023", "RXX", "Male", 55.0, 200),
    ("2024", "RXX", "Female", 62.0, 400),
    ("2024", "RXX", "Male", 52.0, 200),
]
FIXED = {
    "survey": "nss_england", "breakdown": "gender", "measure": "recommend_place_to_work", "unit": "percent",
    "weighting": "none", "status": "reported", "source": "published",
}  # fmt: skip


def results(rows, **fixed):
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return as_results(frame.with_columns(pl.lit(v).alias(k) for k, v in {**FIXED, **fixed}.items()))


@pytest.fixture(scope="module")
def table():
    return results(GENDER)


def test_a_year_that_two_releases_hold_is_of_the_newest_and_counts_once(published_2024, table):
    """Crossed, the groups of one release stood beside the references of the other: four gaps for one."""
    moved = pl.when(pl.col("group") == "Female").then(pl.col("estimate") + 3).otherwise("estimate")

    def release(year, rows):
        return replace(published_2024, period=year, results=as_results(rows), provenance={"release": year})

    old = release("2023", table.filter(period="2023"))
    new = release("2024", table.with_columns(estimate=moved))
    for given in ([old, new], [new, old]):
        found = equality_gaps(given, pairs={"gender": ("Female", "Male")}, measures=["q25c"]).table
        assert found.select("period", "gap").rows() == [("2023", 8.0), ("2024", 13.0)]


def test_a_year_given_twice_is_refused(table):
    with pytest.raises(ResultsError, match="Two of what was given hold results of 2023 and 2024"):
        equality_gaps([table, table], ["gender"])


def test_tables_read_back_and_lazy_ones_are_read(table, tmp_path):
    table.write_csv(tmp_path / "results.csv")
    expected = equality_gaps(table, ["gender"], measures=["q25c"]).table
    for given in (pl.read_csv(tmp_path / "results.csv"), pl.scan_csv(tmp_path / "results.csv"), table.lazy()):
        assert equality_gaps(given, ["gender"], measures=["q25c"]).table.equals(expected)


def test_one_name_is_one_name(table):
    expected = equality_gaps(table, ["gender"], measures=["q25c"]).table
    assert equality_gaps(table, "gender", measures="q25c").table.equals(expected)


def test_the_verdicts_told_add_up():
    """10 points on 220 people each: z = 0.1 / sqrt(0.25 · 2 / 220) = 2.098, p 0.036 alone, 0.072 among two."""
    rows = [("2024", "RXX", g, e, 220) for g, e in (("Female", 55.0), ("Male", 45.0))]
    other = [("2024", "RXX", g, e, 220) for g, e in (("Female", 50.0), ("Male", 50.0))]
    both = pl.concat([results(rows), results(other, measure="recommend_for_treatment")])
    found = equality_gaps(both, ["gender"], measures=["q25c", "q25d"])
    assert found.table["p_value"].min() == pytest.approx(0.03594, abs=1e-5)
    assert sorted(found.table["verdict"]) == ["likely better", "no clear gap"]
    assert "of 2 gaps" in found.summary() and "1 show no clear gap, 1 likely alone." in found.summary()


@pytest.mark.parametrize("pairs", [["gender"], {"gender": "Female"}, {"gender": ("Female", "Male", "x")}])
def test_pairs_are_two_groups_each(table, pairs):
    with pytest.raises(ResultsError, match="Pairs are two groups for each breakdown"):
        equality_gaps(table, pairs=pairs)


def test_a_unit_that_no_gap_has_is_refused(table):
    with pytest.raises(UnknownNameError, match="no unit with a gap that is shown 'points'"):
        equality_gaps(table, ["gender"], measures=["q25c"]).figure(unit="points")


def test_intersections_say_their_own_name():
    with pytest.raises(ResultsError, match="intersections takes results"):
        intersections(None, "morale")


@pytest.fixture(scope="module")
def programme():
    rows = [
        (period, f"R{n:02}", "all", 60.0 + n / 3 + year * (1 + n % 3 / 4), 900)
        for n in range(8)
        for year, period in enumerate(("2022", "2023", "2024"))
    ]
    return results(rows, breakdown="all")


@pytest.mark.parametrize("level", [95, 1, 0, -0.1, float("nan"), "high", None, True])
def test_a_level_of_intervals_is_a_share(programme, level):
    """95 gave an interval of "9500%" from nan to nan."""
    with pytest.raises(CultureMetricsError, match="conf_level is a number above 0 and below 1"):
        before_after(programme, "R01", baseline=2022, follow_up=2024, conf_level=level)


def test_a_programme_is_somebodys(programme):
    with pytest.raises(ResultsError, match="No organisation has the programme"):
        before_after(programme, [], baseline=2022, follow_up=2024)
    with pytest.raises(UnknownNameError, match="no organisation"):
        before_after(programme, None, baseline=2022, follow_up=2024)
    expected = before_after(programme, "R01", baseline=2022, follow_up=2024, measures=["q25c"]).table
    found = before_after(programme, "R01", baseline=2022, follow_up=2024, measures="q25c").table
    assert found.equals(expected)
