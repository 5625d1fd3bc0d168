"""Ordinary data that comparisons stopped on, and what they say of it: files read back, crosses, few and heavy answers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import compare, compare_years, decompose_change, estimate, synthetic, trend
from culture_metrics.contract import as_results
from culture_metrics.errors import ComparabilityError, ExtractError, ResultsError
from culture_metrics.indicators.design import Design


def rows(values: dict[str, float], measure="morale", **columns) -> pl.DataFrame:
    """Results of one measure by period."""
    constant = {
        "survey": "nss_england", "organisation": "RXX", "breakdown": "all", "group": "all", "measure": measure,
        "unit": "score", "std_error": 0.03, "base": 900, "effective_base": 900.0, "weighting": "none",
        "status": "reported", "source": "respondents", **columns,
    }  # fmt: skip
    frame = pl.DataFrame({"period": list(values), "estimate": list(values.values())})
    return as_results(frame.with_columns(pl.lit(v).alias(k) for k, v in constant.items()))


@pytest.fixture(scope="module")
def extracts():
    return [synthetic.respondents(y, respondents_per_organisation=500) for y in (2022, 2023, 2024)]


@pytest.fixture(scope="module")
def results(extracts):
    return pl.concat(estimate(e, by=["locality_1"]).table for e in extracts)


def test_results_are_taken_lazy_read_back_and_with_columns_of_ones_own(results, tmp_path):
    results.write_csv(tmp_path / "r.csv")
    for part in ("2023", "2024"):
        results.filter(period=part).write_csv(tmp_path / f"{part}.csv")
    wanted = compare_years(results, 2023, 2024, measures=["E"]).table
    given = [
        results.lazy(), pl.read_csv(tmp_path / "r.csv"), pl.scan_csv(tmp_path / "r.csv"),
        pl.read_csv(tmp_path / "r.csv", infer_schema=False),
        [pl.read_csv(tmp_path / f"{part}.csv") for part in ("2023", "2024")],
        results.with_columns(mine=pl.lit("x")),
    ]  # fmt: skip
    for one in given:
        found = compare_years(one, 2023, 2024, measures=["E"]).table
        assert found["p_value"].to_list() == pytest.approx(wanted["p_value"].to_list(), nan_ok=True)
        assert found["verdict"].to_list() == wanted["verdict"].to_list()
    assert trend(results.lazy(), ["E"]).table.height == trend(given[1], ["E"]).table.height > 1
    with pytest.raises(ResultsError, match="does not keep the contract"):
        compare_years(results.with_columns(estimate=pl.lit("many")), 2023, 2024)


def test_linked_years_take_coded_and_crossed_breakdowns(extracts):
    """Everybody answered twice: a group of the cross has the error of a paired difference."""
    old = extracts[1]
    again = replace(old, period="2024", frame=old.frame)
    by = ["occupation_group", "age", ("occupation_group", "gender")]
    both = pl.concat(
        [estimate(e, by=by).table.with_columns(period=pl.lit(p)) for e, p in ((old, "2023"), (again, "2024"))]
    )
    plain, linked = (
        compare_years(both, 2023, 2024, measures=["morale"], linked=some).table
        for some in (None, (old, again))
    )
    joined = plain.join(linked, on=["breakdown", "group"], suffix="_linked").drop_nulls("std_error")
    crossed = joined.filter(pl.col("breakdown").str.contains("×"))
    coded = joined.filter(breakdown="age")
    assert crossed.height >= 2 and coded.height >= 3
    # Correlations of groups are told in tenths, towards none: identical answers count as 0.9 or 1.
    for part in (crossed, coded):
        shrunk = part["std_error_linked"] ** 2 / part["std_error"] ** 2
        assert shrunk.is_between(0, 0.11).all()


def test_swapped_years_are_refused_with_the_way_out(results):
    with pytest.raises(ComparabilityError, match="wrong way round") as error:
        compare_years(results, 2024, 2023)
    assert "2023, 2024" in str(error.value)


def test_a_trend_takes_quarters_as_they_are_spaced():
    """Four quarters, 0.1 apart each half year: 0.2 a year."""
    quarters = {"2023-Q1": 6.0, "2023-Q3": 6.1, "2024-Q1": 6.2, "2024-Q3": 6.3}
    found = trend(rows(quarters, "staff_engagement", survey="national_quarterly_pulse"))
    assert found.table["slope"].item() == pytest.approx(0.2)
    assert found.figure().layout.meta["alt"]


def test_a_turning_point_after_many_series_without_one_is_found():
    """150 groups that stay level and one, the last, that turned: a table that guessed from its first rows stopped."""
    years = ["2021", "2022", "2023", "2024"]
    parts = [rows(dict.fromkeys(years, 6.0), breakdown="locality_1", group=f"A{i:03d}") for i in range(150)]
    turned = rows(dict(zip(years, (6.0, 7.0, 6.0, 5.0), strict=True)), breakdown="locality_1", group="Z")
    table = trend(pl.concat([*parts, turned])).table
    assert table.filter(pl.col("turning_point").is_not_null()).select("group", "turning_point").rows() == [
        ("Z", "2022")
    ]


def test_turning_points_of_unchanged_trusts_allow_for_their_number():
    """100 trusts of 100 level series of four years: unadjusted nearly all had one, now 5 in 100 at most."""
    rng = np.random.default_rng(8)
    years = ["2021", "2022", "2023", "2024"]
    groups = [f"G{i:03d}" for i in range(100)]
    one = pl.concat(
        rows(dict.fromkeys(years, 6.0), breakdown=f"locality_{k}", group=g)
        for k in range(1, 10)
        for g in groups[:60]
    )
    any_turned = []
    for _ in range(6):
        noisy = one.with_columns(estimate=6 + 0.03 * pl.Series(rng.standard_normal(one.height)))
        table = trend(noisy).table
        assert (table["p_turned"].drop_nulls() <= 1).all()
        any_turned += (
            table.group_by("breakdown")
            .agg(pl.col("turning_point").is_not_null().any())["turning_point"]
            .to_list()
        )
    assert len(any_turned) == 54 and np.mean(any_turned) <= 0.1


def test_a_figure_has_the_same_interval_in_a_trend_as_in_the_results(results):
    points = trend(results).points
    both = points.join(results, on=["period", "breakdown", "group", "measure"], suffix="_result")
    assert both.height == points.height > 500
    for end in ("conf_low", "conf_high"):
        assert (both[end] - both[f"{end}_result"]).abs().max() == 0
    shares = points.filter(pl.col("unit") == "percent")
    assert shares["conf_low"].min() >= 0 and shares["conf_high"].max() <= 100


def test_organisations_without_a_trend_are_named():
    kept = rows({"2021": 6.0, "2022": 6.1, "2023": 6.2, "2024": 6.3})
    gone = rows({"2021": 6.0, "2022": 6.1, "2023": 6.2}, organisation="RYY")
    found = trend(pl.concat([kept, gone]))
    assert found.table["organisation"].to_list() == ["RXX"]
    assert any("RYY" in note and "2024" in note for note in found.notes)


def test_clusters_and_finite_populations_are_in_the_test_of_percentages(extracts):
    """The standard error of the difference is the root of both squared errors of the results, whatever the design."""
    old, new = (
        replace(e, frame=e.frame.with_columns(ward=pl.format("w{}", pl.int_range(pl.len()) % 12)))
        for e in extracts[1:]
    )
    for design in (Design(cluster="ward"), Design(population={"SYN01": 550})):
        both = [estimate(e, design=design).table for e in (old, new)]
        table = compare_years(both, 2023, 2024, measures=["q25c", "morale"]).table
        for name in ("recommend_place_to_work", "morale"):
            row = table.filter(measure=name).row(0, named=True)
            errors = [r.filter(measure=name)["std_error"].item() for r in both]
            assert row["std_error"] == pytest.approx(np.hypot(*errors), rel=1e-9)
            if design.cluster:
                # Twelve clusters a year in one stratum have 11 degrees of freedom: 11 to 22 for the difference.
                a, b = (e**2 for e in errors)
                satterthwaite = (a + b) ** 2 / ((a**2 + b**2) / 11)
                assert 11 <= row["df"] <= 22
                if name == "morale":
                    assert row["df"] == pytest.approx(satterthwaite, rel=1e-6)


def test_a_few_heavy_weights_are_too_little_to_compare():
    """One answer counts for nearly all 20: no test, no infinite interval, no change past the scale."""
    heavy = rows(
        {"2023": 6.0, "2024": 7.0},
        effective_base=1.0,
        base=20,
        std_error=1.5,
        conf_low=0.0,
        conf_high=10.0,
        interval="t",
    )
    light = rows({"2023": 6.0, "2024": 7.0}, "burnout", effective_base=3.0, base=20, std_error=2.5)
    share = rows(
        {"2023": 0.0, "2024": 5.0},
        "recommend_place_to_work",
        unit="percent",
        effective_base=2.0,
        base=20,
        std_error=3.0,
    )
    change = compare_years(pl.concat([heavy, light, share]), 2023, 2024)
    row = change.table.filter(measure="morale").row(0, named=True)
    assert row["reason"].startswith("Too little to compare") and row["p_value"] is None
    assert row["conf_low"] is row["conf_high"] is row["detectable_change"] is None
    other = change.table.filter(pl.col("measure") != "morale")
    assert other["conf_low"].min() >= -100 and other["conf_high"].max() <= 100
    assert other.filter(measure="burnout").select("conf_low", "conf_high").row(0) == (
        pytest.approx(1 - 2.776445 * 2.5 * 2**0.5, abs=1e-5), 10.0,
    )  # fmt: skip
    assert other["detectable_change"].to_list() == [None, None]
    assert None not in change.sentences() and len(change.sentences()) == 3


def test_a_printed_difference_is_that_of_the_printed_figures(results):
    change = compare_years(results, 2023, 2024)
    said = [s for s in change.sentences() if "may not be compared" not in s]
    assert len(said) > 300
    pattern = re.compile(r"(-?[\d.]+)%? in 2023(?: to |, )(-?[\d.]+)%? in 2024 \(([+\N{MINUS SIGN}]?[\d.]+)")
    for sentence in said:
        first, second, size = pattern.search(sentence).groups()
        assert float(second) - float(first) == pytest.approx(
            float(size.replace("\N{MINUS SIGN}", "-")), abs=1e-6
        ), sentence
        assert "2023" in sentence and "2024" in sentence


def test_with_identical_figures_nothing_is_worded_as_doubt_about_a_change_of_nought(results):
    """The same year twice: no material change, or what the data allow; never "too little to say"."""
    year = results.filter(period="2024")
    both = pl.concat([year.with_columns(period=pl.lit("2023")), year])
    table = compare_years(both, 2023, 2024).table.filter(pl.col("p_value").is_not_null())
    assert set(table["verdict"].cast(pl.String)) <= {"no material change", "no clear change"}
    assert (table["p_value"] == 1).all()
    open_ = table.filter(verdict="no clear change")
    assert open_["reason"].str.starts_with("The data allow a change between").all()
    scores = table.filter(breakdown="all", unit="score")
    assert (scores["verdict"] == "no material change").mean() > 0.7


@pytest.mark.parametrize(("base", "margin"), [(20_000, 2.0), (3_000, 5.0), (400, 5.0)])
def test_the_margin_is_what_an_organisation_of_this_size_can_resolve(base, margin):
    """A share of 60 %: 3.24 standard errors of the difference, rounded up to points, at most 5.

    20,000 answers a year: 3.24 * sqrt(2 * 0.24 / 20,000) = 1.6; 3,000: 4.1. At 400 the margin does not grow, and
    identical figures show no clear change (between -6.8 and +6.8).
    """
    error = 100 * (0.24 / (base - 1)) ** 0.5
    same = rows(
        {"2023": 60.0, "2024": 60.0},
        "recommend_place_to_work",
        unit="percent",
        std_error=error,
        base=base,
        effective_base=float(base),
    )
    row = compare_years(same, 2023, 2024).table.row(0, named=True)
    assert row["material"] == margin
    assert row["verdict"] == ("no material change" if base > 400 else "no clear change")
    fixed = compare_years(same, 2023, 2024, material={"percent": 1.0, "score": 0.1}).table
    assert fixed["material"].item() == 1.0


def test_the_story_names_where_a_change_sits_and_what_came_and_went():
    """Urgent Care alone falls, by 1.8; one directorate closed and one opened."""

    def year(values: dict[str, float], period: str) -> pl.DataFrame:
        own = [
            rows(
                {period: value},
                breakdown="locality_1",
                group=group,
                std_error=0.12,
                base=200,
                effective_base=200.0,
            )
            for group, value in values.items()
        ]
        return pl.concat([rows({period: float(np.mean(list(values.values())))}), *own])

    level = {f"D{i}": 6.0 for i in range(6)}
    before = year(level | {"Urgent Care": 6.0, "Closed": 6.0}, "2023")
    after = year(level | {"Urgent Care": 4.2, "Opened": 6.0}, "2024")
    change = compare_years(pl.concat([before, after]), 2023, 2024)
    first, mix, most, inside, drawn, apart = change.story()
    assert first.startswith("Morale fell from 6.00 in 2023 to 5.78 in 2024")
    assert mix == "None of that comes of who answered (staff mix): it is change within groups."
    # An eighth of the answers, drawn to 1.72 of its 1.8: 0.215 of the 0.22 that the whole fell.
    assert most == "Most of it lies in 'Urgent Care' (locality 1)."
    # Its own change is told, as the table has it.
    assert inside == "By locality 1, apart from the rest: Urgent Care fell in Morale (\N{MINUS SIGN}1.80)."
    assert drawn.startswith("How far a group moved is its own change") and "drawn towards" in drawn
    assert apart.startswith("Groups only in 2023: Closed; only in 2024: Opened.")
    assert change.summary().startswith(first)
    # Where all groups fell alike, none is named.
    alike = compare_years(pl.concat([year(level, "2023"), year({k: 5.5 for k in level}, "2024")]), 2023, 2024)
    assert alike.story()[-1] == "By locality 1 no group moved apart from the rest beyond chance."


@pytest.fixture(scope="module")
def counted(extracts):
    """Both years with what a design of one's own says of them."""

    def estimated(design, **columns):
        return [
            estimate(replace(e, frame=e.frame.with_columns(**columns)), by=["locality_1"], design=design)
            for e in extracts[1:]
        ]

    return estimated


def test_where_everybody_answered_the_change_is_exact(extracts, counted):
    """A standard error of 0 is that of the figures: no test of a sample, and no doubt."""
    everybody = {code: extracts[1].frame.height for code in extracts[1].frame["organisation"].unique()}
    change = compare_years(counted(Design(population=everybody)), 2023, 2024)
    whole = change.table.filter(pl.col("difference").is_not_null(), breakdown="all")
    assert set(whole["unit"].cast(str)) == {"percent", "score"}
    assert (whole["std_error"] == 0).all()
    for end in ("conf_low", "conf_high"):
        assert (whole[end] - whole["difference"]).abs().max() < 0.001
    assert set(whole["verdict"].cast(str)) <= {"improved", "declined", "no material change"}
    moved = whole.filter(pl.col("difference").abs() > pl.col("material"))
    assert (moved["p_adjusted"] < 1e-6).all()
    assert whole["official_flag"].null_count() == whole.height


def test_one_cluster_says_nothing_of_chance(counted):
    """Scores were not tested and percentages were, as if people had been drawn one by one."""
    change = compare_years(counted(Design(cluster="ward"), ward=pl.lit("W")), 2023, 2024)
    inside = [pl.col(f"estimate_{end}").is_between(0, 100, closed="none") for end in ("from", "to")]
    assert change.table.filter(*inside)["p_value"].null_count() > 800
    assert change.table.filter(*inside)["p_value"].count() == 0
    assert set(change.table["verdict"].cast(str)) <= {"no clear change", "not comparable"}


def test_a_breakdown_that_was_renamed_throughout_is_no_change_of_mix(extracts):
    """The story stopped with a TypeError; nothing that was said of both years is known of who answered."""
    renamed = replace(extracts[2], frame=extracts[2].frame.with_columns(locality_1=pl.lit("Only")))
    tables = [estimate(e, by=["locality_1"]) for e in (extracts[1], renamed)]
    change = compare_years(tables, 2023, 2024)
    assert change.summary().startswith(change.story()[0])
    assert "who answered" not in change.summary()
    with pytest.raises(ResultsError, match="Fewer than two groups of locality_1"):
        decompose_change(*tables, by=["locality_1"])


@pytest.mark.parametrize("given", [lambda a, b: [a], lambda a, b: [a, a], lambda a, b: [a.frame, b.frame]])
def test_linked_years_are_the_two_that_are_compared(extracts, given):
    """One year twice was taken for both: as if everybody had answered the same."""
    both = [estimate(e) for e in extracts[1:]]
    with pytest.raises(ExtractError):
        compare_years(both, 2023, 2024, linked=given(*extracts[1:]))


def test_no_change_is_told_backwards_or_of_results_where_answers_are_needed(extracts):
    before, after = extracts[1:]
    for verb in (decompose_change, compare.change_contributions):
        with pytest.raises(ComparabilityError, match="wrong way round"):
            verb(after, before, "morale")
    with pytest.raises(ExtractError, match="takes an extract"):
        compare.change_contributions(estimate(before), estimate(after), "morale")


def test_an_exact_change_lies_within_the_interval_that_is_printed_beside_it():
    """7.4751 to 7.2549: of the printed figures 0.23 less, of the others 0.2202."""
    table = compare_years(
        pl.concat([rows({"2023": 7.4751, "2024": 7.2549}, std_error=0.001, base=900, effective_base=900.0)]),
        2023,
        2024,
    )
    (said,) = table.sentences()
    assert "(\N{MINUS SIGN}0.23, 95% interval \N{MINUS SIGN}0.23 to" in said
