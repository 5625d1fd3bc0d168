"""Equality gaps: rates against a plain script, published pairs, and that nothing hidden is told."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest
import yaml

import culture_metrics as cm
from culture_metrics.compare import equality_sources
from culture_metrics.compare.equality_sources import beside
from culture_metrics.compare.equality_standards import equality_from, equality_of
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import CatalogueError, ResultsError, UnknownNameError
from culture_metrics.published.published import Published
from culture_metrics.results import Distributions, Results
from culture_metrics.study.whose_experience import whose_experience
from data_schemas.columns import DISTRIBUTIONS, RESULTS

GROUPS = ["ethnicity_summary", "long_term_condition"]


@pytest.fixture(scope="module")
def years():
    made = cm.synthetic.respondents
    return [made(year, respondents_per_organisation=n, seed=1) for year, n in ((2022, 1200), (2024, 1500))]


@pytest.fixture(scope="module")
def gaps(years):
    return cm.equality_gaps([fresh(one) for one in years], GROUPS)


def fresh(extract, **columns):
    """The extract, as if nothing had been shown of it."""
    return replace(extract, frame=extract.frame.with_columns(**columns), decision=Decision())


def test_what_is_made_of_measures_is_decided_in_turn(years, monkeypatch):
    """Years are estimated in threads; but tables of respondents with the same ids share one memory."""
    made, real = [], equality_sources.estimate_values

    def watched(frame, *args, **kwargs):
        made.append((kwargs["period"], threading.current_thread() is threading.main_thread()))
        return real(frame, *args, **kwargs)

    monkeypatch.setattr(equality_sources, "estimate_values", watched)
    some = [replace(one, frame=one.frame.head(100), decision=Decision()) for one in years]
    assert some[0].frame["respondent"].equals(some[1].frame["respondent"])
    cm.equality_gaps(some, GROUPS[:1])
    assert [period for period, _ in made] == ["2022"] * (len(made) // 2) + ["2024"] * (len(made) // 2)
    assert made and all(of_main for _, of_main in made)


def by_hand(frame):
    """WRES and WDES as the standards word them, with nothing of the package: percent and base by indicator."""
    white = pl.when(pl.col("q28").is_in([1, 2, 3, 4])).then(pl.lit("White"))
    white = white.when(pl.col("q28").is_between(5, 18)).then(pl.lit("other"))
    ill = pl.when(pl.col("q31a") == 1).then(pl.lit("ill")).when(pl.col("q31a") == 2).then(pl.lit("well"))

    def met(*codes):
        base = pl.any_horizontal(pl.col(c).is_in([1, 2, 3, 4, 5]) for c in codes)
        return base, pl.any_horizontal(pl.col(c).is_in([2, 3, 4, 5]).fill_null(value=False) for c in codes)

    def said(code, yes, base):
        return pl.col(code).is_in(base), pl.col(code).is_in(yes)

    items = {
        "WRES 5": met("q14a"), "WRES 6": met("q14b", "q14c"), "WRES 7": said("q15", [1], [1, 2, 9]),
        "WRES 8": said("q16b", [1], [1, 2]), "WDES 4a i": met("q14a"), "WDES 4a ii": met("q14b"),
        "WDES 4a iii": met("q14c"), "WDES 5": said("q15", [1], [1, 2, 9]),
        "WDES 6": said("q11e", [1], [1, 2]), "WDES 7": said("q4b", [4, 5], [1, 2, 3, 4, 5]),
        "WDES 8": said("q31b", [1], [1, 2]), "WDES 4b": said("q14d", [1, 2, 6], [1, 2, 3, 6]),
    }  # fmt: skip
    found = {}
    for name, (base, counted) in items.items():
        group = white if name.startswith("WRES") else ill
        rows = frame.filter(base.fill_null(value=False)).group_by(group.alias("g"))
        for g, percent, n in rows.agg(100 * counted.mean(), pl.len().alias("n")).drop_nulls("g").iter_rows():
            found[name, g] = (percent, n)
    return found


def test_rates_are_those_of_a_plain_script(years, gaps):
    """2024, in which the codes are those of the script; 13 indicators, the score by `score` alone."""
    extract = years[1]
    expected = by_hand(extract.frame)
    rows = gaps.table.filter(period="2024").drop_nulls("indicator")
    seen = 0
    for row in rows.filter(unit="percent").iter_rows(named=True):
        ends = ("other", "White") if row["indicator"].startswith("WRES") else ("ill", "well")
        for end, group in zip(("group", "reference"), ends, strict=True):
            if row[f"base_{end}"] is not None:
                percent, n = expected[row["indicator"], group]
                assert row[f"estimate_{end}"] == pytest.approx(percent, abs=1e-10)
                assert row[f"base_{end}"] == n
                seen += 1
    assert seen == 23
    assert set(rows["indicator"]) == {name for name, _ in expected} | {"WDES 9a"}
    engagement = cm.score(extract)["staff_engagement"]
    means = [engagement.filter(extract.frame["q31a"] == code).mean() for code in (1, 2)]
    row = rows.filter(indicator="WDES 9a").row(0, named=True)
    assert [row["estimate_group"], row["estimate_reference"]] == pytest.approx(means, abs=1e-10)
    assert row["gap"] == pytest.approx(means[0] - means[1], abs=1e-10)


def test_interval_of_scores_is_that_of_welch(years, gaps):
    """scipy's Welch interval of the two groups' scores."""
    from scipy.stats import ttest_ind

    extract = years[1]
    scores = cm.score(extract)["staff_engagement"]
    ends = [scores.filter(extract.frame["q31a"] == c).drop_nulls().to_numpy() for c in (1, 2)]
    expected = ttest_ind(*ends, equal_var=False)
    row = gaps.table.filter(period="2024", indicator="WDES 9a").row(0, named=True)
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-6)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([*expected.confidence_interval()], rel=1e-6)


def test_what_was_made_of_two_questions_is_compared_as_they_are(years, gaps):
    """2022 to 2024: nothing broken; the change of a gap is the difference of two, its error their root sum."""
    moved = gaps.over_years()
    assert set(moved["period_from"]) == {"2022"}
    row = moved.filter(indicator="WRES 6").row(0, named=True)
    old, new = (gaps.table.filter(indicator="WRES 6", period=p).row(0, named=True) for p in ("2022", "2024"))
    sign = -1 if old["gap"] + new["gap"] < 0 else 1
    assert row["change"] == pytest.approx(sign * (new["gap"] - old["gap"]))
    assert row["std_error"] == pytest.approx((old["std_error"] ** 2 + new["std_error"] ** 2) ** 0.5)


@pytest.fixture(scope="module")
def book(shared_reference):
    """The published pairs as the columns of a benchmark workbook."""
    table = pl.read_csv(shared_reference / "nss" / "tieout.csv", infer_schema=False).filter(source="WRES24")
    stems = {"wres5": "har_from_pat", "wres6": "har_from_staff", "wres7": "equal", "wres8": "q16b"}
    stem = pl.col("measure").str.slice(0, 5).replace(stems)
    end = pl.when(pl.col("measure").str.ends_with("white_pct")).then(pl.lit("1")).otherwise(pl.lit("2"))
    columns = table.select(
        organisation="org_code", period=pl.lit("2024"), kind=pl.lit("wres"),
        column=pl.format("{}_eth_summary_{}_2024", stem, end),
        value=pl.col("value").cast(pl.Float64) / 100, base=pl.lit(None, pl.Float64),
    )  # fmt: skip
    return table, workbook(columns)


def workbook(columns, group="Community Trusts"):
    names = columns["organisation"].unique().sort()
    listed = pl.DataFrame({"organisation": names, "name": names}).with_columns(
        survey=pl.lit("nss_england"), period=pl.lit("2024"), benchmark_group=pl.lit(group),
        region=pl.lit(None, pl.String), ics=pl.lit(None, pl.String),
    )  # fmt: skip
    return Published(
        "nss_england", "2024", Results(pl.DataFrame(schema=RESULTS)),
        Distributions(pl.DataFrame(schema=DISTRIBUTIONS)), listed, provenance={"beside": columns},
    )  # fmt: skip


def test_the_published_pairs_of_159_trusts(book):
    table, published = book
    found = cm.equality_gaps(published)
    assert found.table["organisation"].n_unique() == 159
    names = pl.col("measure").str.slice(0, 5).str.replace("wres", "WRES ")
    end = pl.when(pl.col("measure").str.ends_with("white_pct")).then(pl.lit("a")).otherwise(pl.lit("b"))
    pairs = (
        table.select("org_code", indicator=names, end=end, value=pl.col("value").cast(pl.Float64))
        .pivot("end", index=["org_code", "indicator"], values="value")
        .rename({"org_code": "organisation"})
    )
    both = found.table.join(pairs, on=["organisation", "indicator"])
    assert both.height == pairs.height == 636
    assert (both["gap"] - (both["b"] - both["a"])).abs().max() < 1e-9
    assert (both["ratio"] - both["b"] / both["a"]).abs().max() < 1e-12
    medians = both.group_by("indicator").agg(m=(pl.col("b") - pl.col("a")).median(), n=pl.len())
    known = found.table.unique("indicator").join(medians, on="indicator")
    assert (known["benchmark_gap"] - known["m"]).abs().max() < 1e-9
    assert set(known["benchmark_organisations"]) == {159}
    assert set(found.table["verdict"]) == {"not tested"}


def test_a_workbook_with_bases_has_intervals_and_hides_what_is_small():
    def row(column, value, base):
        about = {"organisation": "RXX", "period": "2024", "kind": "wres"}
        return {**about, "column": column, "value": value, "base": base}

    columns = pl.DataFrame(
        [
            row("q16b_eth_summary_1_2024", 0.06, 1000.0), row("q16b_eth_summary_2_2024", 0.15, 400.0),
            row("equal_eth_summary_1_2024", 0.6, 1000.0), row("equal_eth_summary_2_2024", 0.5, 8.0),
            row("q4b_q31a_1_2024", 0.4, 300.0), row("q4b_q31a_2_2024", 0.5, 900.0),
            row("theme_engagement_q31a_1_2024", 6.5, 300.0), row("theme_engagement_q31a_2_2024", 7.0, 900.0),
        ]
    )  # fmt: skip
    made = workbook(columns)
    found = cm.equality_gaps(made)
    shown = {r["indicator"]: r for r in found.table.iter_rows(named=True)}
    # Newcombe (1998) and the score interval lie within 0.3 points here; Newcombe's worked by hand.
    assert [shown["WRES 8"]["conf_low"], shown["WRES 8"]["conf_high"]] == pytest.approx([5.4, 13.0], abs=0.3)
    assert shown["WRES 8"]["verdict"] == "worse"
    assert shown["WDES 7"]["gap"] == pytest.approx(-10)
    assert (shown["WDES 7"]["group"], shown["WDES 9a"]["gap"]) == ("With a long-term condition", -0.5)
    hidden = shown["WRES 7"]
    assert (hidden["status"], hidden["verdict"]) == ("suppressed", "not shown")
    assert not [c for c in found.table.columns if found.table.filter(indicator="WRES 7")[c].dtype.is_float()
                and hidden[c] is not None and not c.startswith("benchmark")]  # fmt: skip
    assert "0.5" not in str(beside(made).filter(status="suppressed_small_base")["estimate"].to_list())


def test_a_hidden_group_has_no_gap_and_no_figure(years):
    """Six people in a ward of their own: neither their figure nor that of the whole less the others."""
    made = years[1]
    ward = pl.when(pl.int_range(pl.len()) < 6).then(pl.lit("Small")).otherwise("locality_1")
    extract = fresh(made, locality_1=ward)
    found = cm.equality_gaps(extract, ["locality_1"]).table
    small = found.filter((pl.col("group") == "Small") | (pl.col("reference") == "Small"))
    assert small.height > 15
    assert set(small["status"]) == {"suppressed"}
    numbers = [
        "estimate_group",
        "estimate_reference",
        "base_group",
        "base_reference",
        "gap",
        "ratio",
        "std_error",
    ]
    assert small.select(pl.col(numbers).null_count()).row(0) == (small.height,) * len(numbers)
    # What has a gap is what results show.
    results = cm.estimate(extract, by=["locality_1"]).table
    shown = results.filter(status="reported").select("group", "measure")
    found = found.filter(pl.col("measure") != "harassment_from_staff")
    assert found.drop_nulls("gap").join(shown, on=["group", "measure"], how="anti").is_empty()


def test_an_indicator_of_two_questions_is_hidden_with_either(years):
    """One group answered only one of them: too few for the other, so the union would tell."""
    made = years[1]
    white = pl.col("q28").is_in([1, 2, 3, 4])
    few = pl.when(white.fill_null(value=True) | (pl.int_range(pl.len()).over(white) < 7)).then("q14b")
    extract = fresh(made, q14b=few)
    found = cm.equality_gaps(extract, ["ethnicity_summary"]).table
    assert found.filter(indicator="WRES 6")["gap"].to_list() == [None]
    assert found.filter(indicator="WRES 5")["gap"].null_count() == 0


def test_any_two_groups_and_the_design_that_results_carry(years):
    extract = years[1]
    clustered = cm.estimate(fresh(extract), ["gender"], design=cm.Design(cluster="locality_1"))
    plain = cm.estimate(fresh(extract), ["gender"])
    two = {"Gender": ("Male", "Female")}
    rows = [cm.equality_gaps(r, pairs=two, measures=["morale"]).table for r in (plain, clustered)]
    assert [r.select("group", "reference").rows() for r in rows] == [[("Male", "Female")]] * 2
    assert rows[0]["gap"].item() == pytest.approx(rows[1]["gap"].item())
    errors = clustered.table.filter(pl.col("group").is_in(["Male", "Female"]), measure="morale")["std_error"]
    assert rows[1]["std_error"].item() == pytest.approx(errors.pow(2).sum() ** 0.5)
    assert rows[0]["std_error"].item() != pytest.approx(rows[1]["std_error"].item())
    with pytest.raises(UnknownNameError, match="group of gender"):
        cm.equality_gaps(plain, pairs={"gender": ("Male", "Men")})


def test_the_gap_of_the_country_stands_in_where_there_is_no_group(years):
    national = cm.estimate(fresh(years[1]), GROUPS).table.with_columns(
        organisation=pl.lit("all"), source=pl.lit("published", RESULTS["source"])
    )
    book = replace(
        workbook(pl.DataFrame({"organisation": ["RXX"]})), results=Results(national), provenance={}
    )
    found = cm.equality_gaps(fresh(years[1]), GROUPS, published=book).table.drop_nulls("benchmark_gap")
    assert set(found["benchmark"]) == {"All organisations"}
    assert (found["benchmark_gap"] - found["gap"]).abs().max() < 1e-12
    assert "WRES 6" not in found["indicator"]


def test_wrong_things_are_refused(years):
    with pytest.raises(ResultsError, match="extracts, results or published"):
        cm.equality_gaps("x.csv")
    results = cm.estimate(fresh(years[1]), ["gender"])
    with pytest.raises(UnknownNameError, match="organisation"):
        cm.equality_gaps(results, ["gender"], organisation="RZZ")
    with pytest.raises(UnknownNameError, match="adjustment"):
        cm.equality_gaps(results, ["gender"], adjust="none")
    with pytest.raises(ResultsError, match="no two groups"):
        cm.equality_gaps(results, ["age"])


def test_the_file_of_standards_is_checked():
    from importlib.resources import files

    survey = cm.catalogue()
    text = files("data_schemas").joinpath("nss_england", "equality_standards.yaml").read_text("utf-8")
    assert equality_from(yaml.safe_load(text), survey) == equality_of("nss_england")
    for old, new in (
        ("fair_career_progression", "fair_career"), ("White staff", "White people"),
        ("one_group: true", "one_group: maybe"), ("breakdown: long_term_condition", "breakdown: illness"),
        ("reference: Male", "reference: Men"), ("any_of:", "some_of:"),
    ):  # fmt: skip
        with pytest.raises(CatalogueError, match="do not fit"):
            equality_from(yaml.safe_load(text.replace(old, new)), survey)
    assert equality_of("national_quarterly_pulse").standards == ()


def test_where_the_last_year_has_no_gap_that_of_the_year_before_is_named(gaps):
    """The chapter says of which year its figures are, and not that there are none."""
    last = gaps.table["period"].max()
    gone = pl.when(pl.col("period") != last).then("gap").alias("gap")
    status = pl.when(pl.col("period") == last).then(pl.lit("suppressed")).otherwise("status").alias("status")
    older = replace(gaps, table=gaps.table.with_columns(gone, status))
    before = str(older.table.drop_nulls("gap")["period"].max())
    said = older.summary()
    assert said.startswith(f"Of {last} no gap is shown: ") and f". {before}: of " in said
    study = SimpleNamespace(equality_gaps=lambda: older, year=last)
    assert next(iter(whose_experience(study))) == (
        f"Of {last} no gap between two groups of staff may be shown; those of {before} are in the chapter on "
        "equality."
    )
    none = replace(gaps, table=gaps.table.with_columns(gap=pl.lit(None, pl.Float64)))
    assert none.summary().startswith("No gap is shown; ")


@pytest.mark.parametrize(
    ("measure", "group"),
    [("morale", "ethnicity_summary"), ("recognised_and_rewarded", "long_term_condition")],
)
def test_the_gap_that_is_told_is_in_the_figure_that_comes_first(gaps, measure, group):
    """A board read of nine gaps and saw a figure of four others, none of them clear."""
    row = gaps.table.filter(measure=measure, breakdown=group, period="2024").row(0, named=True)
    told = pl.struct("measure", "breakdown", "period") == pl.struct(
        measure=pl.lit(measure), breakdown=pl.lit(group), period=pl.lit("2024")
    )
    verdict = pl.when(told).then(pl.lit("worse")).otherwise(pl.lit("no clear gap"))
    one = replace(
        gaps, table=gaps.table.with_columns(verdict=verdict, gap=pl.when(told).then(-0.5).otherwise("gap"))
    )
    (said, *_) = whose_experience(SimpleNamespace(equality_gaps=lambda: one, year="2024"))
    assert said.startswith(f"{row['group']}, against {row['reference']}: worse beyond chance in 1 of ")
    first, *others = one.figures().figures
    assert f"{row['label']}, 2024: " in first.layout.meta["alt"]
    assert re.search(r", 1 of \d+ gaps in scores clear in 2024", first.layout.title.text.replace("<br>", " "))
    assert any(re.search(r", 0 of \d gaps in indicators clear", f.layout.title.text) for f in others)


def test_figure_says_gaps_bases_and_what_is_not_shown(gaps):
    fig = gaps.figure("long_term_condition")
    alt = fig.layout.meta["alt"]
    rows = gaps.table.filter(pl.col("indicator").str.starts_with("WDES"), unit="percent").drop_nulls("gap")
    assert f"Dumbbell plot of {rows.height} gaps" in alt and rows.height > 7
    row = gaps.table.filter(indicator="WDES 7", period="2024").row(0, named=True)
    assert any(f"base {row['base_group']}" in text for trace in fig.data for text in trace.hovertext or ())
    assert "WDES 9a" in str(gaps.figure("long_term_condition", unit="score").layout.annotations)
    with pytest.raises(UnknownNameError, match="breakdown"):
        gaps.figure("age")
    assert "WRES" in gaps.summary()
