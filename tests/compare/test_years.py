"""Two years of respondents: the planted change, people who answered twice, sentences, figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import compare_years, decompose_change, estimate, score, synthetic, validate
from culture_metrics.compare import Assumptions
from culture_metrics.compare.linked import covariances
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import ComparabilityError, CultureMetricsError, ExtractError, UnknownNameError
from culture_metrics.extracts.extract import Extract


@pytest.fixture(scope="module")
def extracts():
    return [synthetic.respondents(y, respondents_per_organisation=4000) for y in (2023, 2024)]


@pytest.fixture(scope="module")
def results(extracts):
    return pl.concat([estimate(e, by=["locality_1"]).table for e in extracts])


@pytest.fixture(scope="module")
def change(results):
    return compare_years(results, 2023, 2024)


def row(change, measure, group="all"):
    return change.table.filter(measure=measure, group=group).row(0, named=True)


def test_the_planted_change_is_found_and_covered_and_the_unchanged_score_is_not(change, results):
    """`synthetic.planted`: 4.0 points more would recommend, work pressure stays."""
    planted = dict(synthetic.planted().select("measure", "change").iter_rows())
    found = row(change, "recommend_place_to_work")
    alone = compare_years(results, 2023, 2024, measures=["q25c"]).table.filter(group="all")
    assert alone["verdict"].item() == "improved"
    assert found["conf_low"] <= planted["recommend_place_to_work"] <= found["conf_high"]
    assert row(change, "work_pressure")["verdict"] in ("no material change", "no clear change")
    whole = change.table.filter(pl.col("breakdown") == "all", pl.col("conf_low").is_not_null()).with_columns(
        truth=pl.col("measure").replace_strict(planted, return_dtype=pl.Float64)
    )
    held = whole.select((pl.col("truth") >= pl.col("conf_low")) & (pl.col("truth") <= pl.col("conf_high")))
    assert held.to_series().mean() > 0.9
    assert set(whole.filter(pl.col("verdict").is_in(["improved", "declined"]))["measure"]) <= {
        "recommend_place_to_work", "advocacy", "compassionate_culture"
    }  # fmt: skip


def test_every_row_has_a_verdict_and_a_reason(change):
    assert change.table["verdict"].null_count() == 0
    assert change.table["reason"].null_count() == 0
    tested = change.table.filter(pl.col("p_value").is_not_null())
    assert (tested["p_adjusted"] >= tested["p_value"] - 1e-12).all()
    assert (tested["conf_low"] <= tested["conf_high"]).all()


def test_hidden_groups_stay_hidden(change):
    hidden = change.table.filter(pl.col("status").str.starts_with("suppressed"))
    assert hidden.height > 0
    numbers = [
        "difference",
        "std_error",
        "conf_low",
        "p_value",
        "detectable_change",
        "standardised_difference",
    ]
    assert hidden.select(pl.col(numbers).is_null().all()).row(0) == (True,) * len(numbers)
    assert (hidden["verdict"] == "not comparable").all()


def test_the_test_is_scipys_welch_on_the_respondents(change, extracts):
    from scipy.stats import ttest_ind

    old, new = (score(e)["staff_engagement"].drop_nulls().to_numpy() for e in extracts)
    found, wanted = row(change, "staff_engagement"), ttest_ind(new, old, equal_var=False)
    assert found["p_value"] == pytest.approx(wanted.pvalue, rel=1e-9)
    assert found["conf_low"] == pytest.approx(wanted.confidence_interval().low, rel=1e-8)
    assert found["standardised_difference"] == pytest.approx(
        (new.mean() - old.mean()) / np.sqrt((new.var(ddof=1) + old.var(ddof=1)) / 2), rel=1e-9
    )


def test_people_who_answered_twice_are_allowed_for(extracts, results):
    """The later year is the earlier one again for 3,000 of 4,000 people, with 1,000 new ones."""
    old, new = extracts
    again = old.frame.head(3000).with_columns(pl.col("organisation"))
    strangers = new.frame.tail(1000).with_columns(pl.format("new {}", "respondent").alias("respondent"))
    later = replace(new, frame=pl.concat([again, strangers], how="diagonal").select(old.frame.columns))
    later = replace(later, decision=Decision())
    both = pl.concat([estimate(old, by=["locality_1"]).table, estimate(later, by=["locality_1"]).table])
    plain = compare_years(both, 2023, 2024, measures=["E", "q25c"])
    linked = compare_years(both, 2023, 2024, measures=["E", "q25c"], linked=(old, later))
    for measure in ("staff_engagement", "recommend_place_to_work"):
        assert row(linked, measure)["std_error"] < 0.6 * row(plain, measure)["std_error"]
        assert row(linked, measure)["difference"] == row(plain, measure)["difference"]
    assert linked.notes[0].startswith("3,000 people answered in both years")
    # By hand: the sum of the products of deviations over the product of the bases.
    y = [score(e).select("respondent", y="staff_engagement").drop_nulls() for e in (old, later)]
    pairs = y[0].join(y[1], on="respondent")
    product = (pairs["y"] - y[0]["y"].mean()) * (pairs["y_right"] - y[1]["y"].mean())
    by_hand = product.sum() / (y[0].height * y[1].height)
    found = covariances((old, later), [], 11).filter(measure="staff_engagement")["covariance"].item()
    assert found == pytest.approx(by_hand, rel=1e-9)
    mine = row(linked, "staff_engagement")["std_error"] ** 2
    assert mine == pytest.approx(row(plain, "staff_engagement")["std_error"] ** 2 - 2 * by_hand, rel=1e-9)


@pytest.mark.parametrize(("left", "told"), [(1, False), (10, False), (30, True)])
def test_standard_errors_of_linked_years_do_not_tell_what_those_who_left_answered(left, told):
    """Linked and not, they give the sum of products of 59 of 60 people: a number that only one way makes."""
    rng = np.random.default_rng(left)
    frames = [
        pl.DataFrame(
            {
                "respondent": [f"p{i + new * (i < left)}" for i in range(60)],
                "organisation": ["RXX"] * 60,
                "locality_1": ["A"] * 60,
                "q25c": pl.Series(rng.choice([2, 4], 60), dtype=pl.Int8),
            }
        )
        for new in (0, 1000)
    ]
    years = [Extract("nss_england", y, f, {}) for y, f in zip(("2023", "2024"), frames, strict=True)]
    results = pl.concat([estimate(year, by=["locality_1"]).table for year in years])
    errors = [
        compare_years(results, 2023, 2024, measures=["q25c"], linked=linked).table["std_error"].to_list()
        for linked in (None, years)
    ]
    assert (errors[0][0] != errors[1][0]) == told
    correlation = (errors[0][1] ** 2 - errors[1][1] ** 2) / 2
    spread = np.prod(results.filter(measure="recommend_place_to_work", group="A")["estimate"].to_numpy())
    rest = np.prod(100 - results.filter(measure="recommend_place_to_work", group="A")["estimate"].to_numpy())
    steps = 10 * correlation * 60 / np.sqrt(spread * rest)
    assert steps == pytest.approx(round(steps), abs=1e-6)


def test_files_without_common_people_cannot_be_linked(extracts, results):
    old, new = extracts
    other = replace(new, frame=new.frame.with_columns(pl.format("x{}", "respondent").alias("respondent")))
    with pytest.raises(ExtractError, match="No respondent stands in both"):
        compare_years(results, 2023, 2024, linked=(old, other))


def test_the_smallest_change_of_interest_is_adjustable(results):
    wide = compare_years(results, 2023, 2024, material={"score": 0.5, "percent": 15})
    whole = wide.table.filter(
        pl.col("breakdown") == "all", pl.col("unit") == "score", pl.col("p_value").is_not_null()
    )
    assert (whole["verdict"] == "no material change").all()
    assert "maller than 15 points" in row(wide, "recommend_place_to_work")["reason"]
    with pytest.raises(CultureMetricsError, match="smallest change of interest"):
        compare_years(results, 2023, 2024, material={"points": 1})


def test_holm_is_never_milder_than_bh(results):
    bh, holm = (compare_years(results, 2023, 2024, adjust=a).table["p_adjusted"] for a in ("bh", "holm"))
    assert (holm.drop_nulls() >= bh.drop_nulls() - 1e-12).all()


def test_sentences_a_board_paper_can_carry():
    rows = {
        "recommend_place_to_work": (61.2, 64.9, "improved"), "violence_from_patients": (15.0, 10.0, "improved"),
    }  # fmt: skip
    table = pl.concat(
        pl.DataFrame(
            {
                "survey": "nss_england", "period": period, "organisation": "RXX", "breakdown": "all", "group": "all",
                "measure": m, "unit": "percent", "estimate": v[i], "base": 3000, "effective_base": 3000.0,
                "weighting": "none", "status": "reported", "source": "respondents",
            }
        )
        for m, v in rows.items()
        for i, period in ((0, "2021"), (1, "2022"))
    )  # fmt: skip
    from culture_metrics.contract import as_results

    share = pl.col("estimate") / 100
    error = 100 * (share * (1 - share) / pl.col("base")).sqrt()
    table = table.with_columns(
        std_error=error,
        conf_low=pl.col("estimate") - 1.96 * error,
        conf_high=pl.col("estimate") + 1.96 * error,
    )
    change = compare_years(as_results(table), 2021, 2022)
    assert change.sentences("improved")[1] == (
        "Would recommend as a place to work rose from 61.2% in 2021 to 64.9% in 2022 "
        "(+3.7 points, 95% interval +1.3 to +6.1)."
    )
    assert change.sentences("improved")[0].startswith(
        "Violence from patients or public fell from 15.0% in 2021 to 10.0% in 2022"
    )
    assert change.sentences("declined") == []
    assert change.summary().endswith("2021 to 2022: of 2 measures 2 improved.")
    assert "2021 to 2022: of 2 measures 2 improved" in repr(change)


def test_a_finding_carries_what_staff_mix_explains(change, extracts):
    mix = decompose_change(*extracts, measure="q25c")
    said = change.finding("recommend_place_to_work", mix)
    assert said.startswith(change.finding("recommend_place_to_work").removesuffix("."))
    assert "the change in staff mix" in said
    with pytest.raises(ComparabilityError, match="of another change"):
        change.finding("morale", mix)
    with pytest.raises(UnknownNameError):
        change.finding("q999")


def test_it_draws_and_shows_itself(change):
    figures = [
        change.figure(), change.figure(unit="percent"), change.slope(), change.heat_map("locality_1"),
        change.figure("locality_1", "Corporate Services"),
    ]  # fmt: skip
    assert all(f.layout.meta["alt"] for f in figures)
    assert "27 scores" in figures[0].layout.title.text
    assert change.summary()[:40] in change._repr_html_()
    assert "12 measures without a better side left out: Has contact with patients;" in change._repr_html_()
    with pytest.raises(UnknownNameError, match="no breakdown in this comparison 'localty_1'"):
        change.heat_map("localty_1")
    with pytest.raises(UnknownNameError, match="Corporate Services"):
        change.figure("locality_1", "Corporate Service")


def test_a_figure_shows_one_organisation():
    two = [synthetic.respondents(y, organisations=2, respondents_per_organisation=200) for y in (2023, 2024)]
    both = compare_years(pl.concat(estimate(e).table for e in two), 2023, 2024, measures=["E"])
    with pytest.raises(ComparabilityError, match="2 organisations"):
        both.figure()
    one = compare_years(
        pl.concat(estimate(e).table for e in two), 2023, 2024, measures=["E"], organisation="SYN02"
    )
    assert one.figure().layout.title.text.startswith("SYN02")


def test_assumptions_are_checked():
    with pytest.raises(CultureMetricsError, match="standard deviation"):
        Assumptions(score_sd=7)
    with pytest.raises(CultureMetricsError, match="design effect is 1 or more"):
        Assumptions(design_effect=0.5)


def test_groups_in_one_year_only_are_told_with_what_to_do_and_merging_brings_them_back():
    old, new = (synthetic.respondents(y, respondents_per_organisation=600, seed=3) for y in (2023, 2024))
    names = {"Urgent Care": "Emergency Division"}
    new = replace(new, frame=new.frame.with_columns(pl.col("locality_1").replace(names)))

    def compared(later):
        results = pl.concat([estimate(year, by=["locality_1"]).table for year in (old, later)])
        return compare_years(results, 2023, 2024, measures=["morale"])

    change = compared(new)
    assert change.groups_vanished == ("locality_1: Urgent Care",)
    assert change.groups_appeared == ("locality_1: Emergency Division",)
    assert "Groups only in 2023: Urgent Care; only in 2024: Emergency Division." in change.summary()
    assert "only in 2023" not in change.whole().summary()
    told = next(note for note in change.notes if "one year only" in note)
    assert "in 2023 Urgent Care; in 2024 Emergency Division" in told
    assert "check_pair" in told and "merge" in told
    merged = compared(validate(new, merge={"locality_1": {"Emergency Division": "Urgent Care"}}).extract)
    assert merged.groups_vanished == merged.groups_appeared == ()
    assert not any("one year only" in note for note in merged.notes)


def test_counts_of_one_are_said_in_the_singular():
    years = [synthetic.respondents(y, respondents_per_organisation=200, seed=3) for y in (2023, 2024)]
    change = compare_years(list(map(estimate, years)), 2023, 2024, measures=["work_pressure"])
    assert "of 1 measure 1 shows no clear change" in change.summary()


def test_a_group_of_one_year_that_is_hidden_is_counted_and_not_named():
    """Nine people of a closed unit, in the earlier year only."""
    old, new = (synthetic.respondents(y, respondents_per_organisation=600, seed=3) for y in (2023, 2024))
    few = pl.when(pl.int_range(pl.len()) < 9).then(pl.lit("Closed Unit")).otherwise("locality_1")
    old = replace(old, frame=old.frame.with_columns(locality_1=few))
    results = pl.concat([estimate(year, by=["locality_1"]).table for year in (old, new)])
    assert results.filter(group="Closed Unit", status="reported").is_empty()
    change = compare_years(results, 2023, 2024, measures=["morale"])
    assert change.groups_vanished == ()
    told = next(note for note in change.notes if "one year only" in note)
    assert "in 2023 1 group not shown." in told
    assert "Closed Unit" not in " ".join([*change.notes, change.summary()])


@pytest.mark.parametrize(("more", "said"), [(0, "700 people"), (7, "Nearly all people"), (12, "700 people")])
def test_how_few_answered_in_one_year_only_is_not_told(more, said):
    """Of 700 in both years and 7 more in the later one: 7 were who joined, by the bases."""
    first = synthetic.respondents(2023, respondents_per_organisation=700, seed=3)
    later = synthetic.respondents(2024, respondents_per_organisation=700 + more, seed=3)
    same = pl.format("r{}", pl.int_range(pl.len())).alias("respondent")
    years = [replace(e, frame=e.frame.with_columns(same)) for e in (first, later)]
    results = pl.concat([estimate(e).table for e in years])
    linked = compare_years(results, 2023, 2024, measures=["morale"], linked=years)
    assert linked.notes[0].startswith(f"{said} answered in both years")


def test_no_remedy_is_offered_that_does_not_help():
    """Two organisations have no figures in common: no argument makes them comparable."""
    made = [synthetic.respondents(year, 2, 200, seed=5) for year in (2023, 2024)]
    codes = made[0].frame["organisation"].unique().sort().to_list()
    tables = [estimate(e).table.filter(organisation=c) for e, c in zip(made, codes, strict=True)]
    with pytest.raises(ComparabilityError) as refused:
        compare_years(tables, 2023, 2024)
    assert "allow_breaks" not in refused.value.hint
    assert "same organisations" in refused.value.hint


def test_findings_count_what_did_not_change_below_the_leading_scores(example_study):
    """A hundred sentences of no change are no page that a board reads."""
    change = compare_years(example_study.results, 2023, 2024)
    same = change.whole().table.filter(verdict="no material change")
    leading = same.filter(pl.col("level").is_in(["element", "theme"])).height
    found = change.findings().frame.filter(Verdict="no material change")
    assert 0 < leading < same.height == leading + int(found["Finding"][-1].split()[0])
    assert found.height == leading + 1
