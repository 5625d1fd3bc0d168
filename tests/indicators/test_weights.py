"""Weights: official kinds and their assumptions, raking, weights of the user's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from culture_metrics import distributions, estimate, estimate_values, replicate, score, synthetic
from culture_metrics.catalogue import catalogue
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import (
    CultureMetricsError,
    ExtractError,
    InputWarning,
    SmallBaseWarning,
    UnknownNameError,
)
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.official_weights import official_weights
from culture_metrics.indicators.raking import rake
from culture_metrics.indicators.sweeps import trim_weights
from culture_metrics.indicators.weights import Weights, size_weights

NURSE, DOCTOR, PORTER = 27, 14, 40
NURSES, DOCTORS, WIDER = "Registered Nurses and Midwives", "Medical and Dental", "Wider Healthcare Team"
ACUTE, AMBULANCE = "Acute and Acute & Community Trusts", "Ambulance Trusts"


def extract_of(benchmark_group: str | None = ACUTE, **organisations: list[int | None]) -> Extract:
    """An extract whose respondents have these occupations."""
    rows = [(name, code) for name, codes in organisations.items() for code in codes]
    frame = pl.DataFrame(rows, schema={"organisation": pl.String, "q35": pl.Int8}, orient="row")
    frame = frame.with_columns(
        respondent=pl.format("p{}", pl.int_range(pl.len())),
        benchmark_group=pl.lit(benchmark_group, pl.String),
    )
    return Extract("nss_england", "2024", frame.with_columns(q25c=pl.lit(4, pl.Int8)))


def weights_in(extract: Extract, **rules) -> np.ndarray:
    return official_weights(extract, Weights("official", **rules)).values


@pytest.fixture(scope="module")
def mixed() -> Extract:
    return extract_of(
        RXX=[NURSE] * 6 + [DOCTOR] * 2 + [None] * 2, RYY=[NURSE] * 2 + [DOCTOR] * 6 + [PORTER] * 4
    )


def test_official_weights_are_the_share_of_all_respondents_wanted_over_the_share_there_is(mixed):
    """Both together 8 nurses, 8 doctors, 4 porters and 2 not stated of 22: the last two weigh as one."""
    got = weights_in(mixed, pool_below=1)
    rxx = [8 / 22 / 0.6] * 6 + [8 / 22 / 0.2] * 2 + [6 / 22 / 0.2] * 2
    ryy = [8 / 22 / (2 / 12)] * 2 + [8 / 22 / 0.5] * 6 + [6 / 22 / (4 / 12)] * 4
    np.testing.assert_allclose(got, rxx + ryy, rtol=1e-14)
    assert got[:10].mean() == pytest.approx(1)
    given = weights_in(mixed, mix={"nursing": 1, "medical_and_dental": 1, "other": 2}, pool_below=1)
    np.testing.assert_allclose(given[:2], 0.25 / 0.6, rtol=1e-14)


def test_the_cap_is_5_and_nothing_is_weighted_again_for_it():
    lone = extract_of(RXX=[NURSE] * 99 + [DOCTOR], RYY=[DOCTOR] * 100)
    weights = weights_in(lone, pool_below=1)
    assert weights[99] == 5.0
    np.testing.assert_allclose(weights[:99], (99 / 200) / 0.99, rtol=1e-14)


def test_what_is_kept_apart_hangs_on_the_kind_of_organisation():
    """Nurses, doctors, drivers and people not stated, ten each: 11, 12, 13 and 44 of 80 in both together."""
    codes = [NURSE] * 10 + [DOCTOR] * 10 + [23] * 10 + [None] * 10
    apart = {ACUTE: (11, 12, 57, 57), AMBULANCE: (11, 56, 13, 56), "Community Trusts": (11, 69, 69, 69)}
    people = {ACUTE: (10, 10, 20, 20), AMBULANCE: (10, 20, 10, 20), "Community Trusts": (10, 30, 30, 30)}
    for kind, wanted in apart.items():
        extract = extract_of(kind, RXX=codes, RYY=[NURSE] + [DOCTOR] * 2 + [23] * 3 + [PORTER] * 34)
        got = weights_in(extract, pool_below=1)[[0, 10, 20, 30]]
        np.testing.assert_allclose(got, np.array(wanted) / 80 / (np.array(people[kind]) / 40), rtol=1e-14)


@pytest.mark.parametrize("kind", [None, "Hospices"])
def test_an_unknown_kind_of_organisation_is_asked_for(kind):
    with pytest.raises(ExtractError, match="hang on the kind of organisation"):
        weights_in(extract_of(kind, RXX=[NURSE], RYY=[DOCTOR]))


#: Doctors, porters and those not known, 25 together, which all hide the same groups.
SPLITS = [[(2, 23, 0), (5, 20, 0), (9, 16, 0)], [(2, 19, 4), (4, 17, 4), (3, 17, 5)]]
MIX = {"nursing": 3.0, "medical_and_dental": 1.0, "other": 4.0}


def test_groups_too_small_to_be_shown_share_one_weight():
    """40 nurses of 65, of whom 3 parts in 8 are wanted; 22 porters and 3 doctors together 5 in 8 for 25."""
    extract = extract_of(RXX=[NURSE] * 40 + [DOCTOR] * 3 + [PORTER] * 22)
    with pytest.warns(SmallBaseWarning, match="RXX: 2 groups"):
        got = weights_in(extract, mix=MIX)
    np.testing.assert_allclose(got, [3 / 8 / (40 / 65)] * 40 + [5 / 8 / (25 / 65)] * 25, rtol=1e-14)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("splits", SPLITS)
def test_weighted_totals_do_not_tell_how_many_are_hidden(splits):
    """However doctors, porters and those not known split, the weights in use and how often are the same."""
    found = set()
    for doctors, porters, unknown in splits:
        few = [DOCTOR] * doctors + [PORTER] * porters + [None] * unknown
        extract = extract_of(RXX=[NURSE] * 40 + few)
        total = estimate(extract, weights=Weights("official", mix=MIX)).table
        row = total.row(by_predicate=pl.col("measure") == "recommend_place_to_work", named=True)
        found.add(round(row["effective_base"], 9))
    assert len(found) == 1


def kish(parts: list[tuple[float, int]]) -> float:
    """Effective base of people who are weighted to these shares: n² over the sum of n × weight, by group."""
    n = sum(people for _, people in parts)
    return n**2 / sum(people * (share * n / people) ** 2 for share, people in parts)


def splits_that_fit(total: pl.DataFrame, pooled: bool) -> set[int]:
    """Attack: how many of the 40 who are hidden can be doctors, by the effective base of the total?"""
    shown = total.filter(measure="recommend_place_to_work", breakdown="all")["effective_base"].item()
    hidden = [(5 / 8, 40)] if pooled else None
    return {
        doctors
        for doctors in range(1, 40)
        if int(kish([(3 / 8, 40), *(hidden or [(1 / 8, doctors), (4 / 8, 40 - doctors)])]) + 1e-6) == shown
    }


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("of", [estimate, distributions])
def test_what_is_hidden_below_a_larger_minimum_does_not_follow_from_weighted_totals(of):
    """By 20, 15 doctors and 25 porters are hidden. Pooled by the survey's 11 the total would tell them apart."""
    extract = extract_of(RXX=[NURSE] * 40 + [DOCTOR] * 15 + [PORTER] * 25)

    def published(**rules):
        weights = Weights("official", mix=MIX, **rules)
        alone = replace(extract, decision=Decision())
        table = of(alone, ["occupation_group"], weights=weights, minimum_base=20).table
        name = "measure" if "measure" in table.columns else "question"
        table = table.filter(pl.col(name) == "recommend_place_to_work").rename({name: "measure"})
        small = table.filter(pl.col("group").is_in([DOCTORS, WIDER]))
        assert small.height
        assert small["status"].cast(pl.String).str.starts_with("suppressed").all()
        return table.unique(["breakdown", "group"])

    for given in (11, 1):
        total = published(pool_below=given).filter(measure="recommend_place_to_work", breakdown="all")
        assert total["effective_base"].null_count() == total.height
    assert 15 not in splits_that_fit(published(), pooled=False)
    assert splits_that_fit(published(), pooled=True) == set(range(1, 40))


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("weights", ["official", Weights("official")])
def test_weights_to_the_mix_of_the_extract_follow_a_larger_minimum(weights):
    def published(doctors, least):
        extract = extract_of(
            RXX=[NURSE] * 40 + [DOCTOR] * doctors + [PORTER] * (40 - doctors),
            RYY=[NURSE] * 60 + [DOCTOR] * (75 - doctors) + [PORTER] * (65 + doctors),
        )
        table = estimate(extract, weights=weights, minimum_base=least).table
        return tuple(table.filter(measure="recommend_place_to_work")["effective_base"].round(9))

    assert len({published(doctors, 20) for doctors in (12, 15, 17)}) == 1
    assert len({published(doctors, None) for doctors in (12, 15, 17)}) > 1
    assert published(15, 5) == published(15, None)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_the_mix_of_the_extract_does_not_tell_of_one_organisation():
    """RYY hides nobody; its weights are made with the mix of both."""
    found = set()
    for doctors in (2, 5, 9):
        extract = extract_of(
            RXX=[NURSE] * 40 + [DOCTOR] * doctors + [PORTER] * (25 - doctors),
            RYY=[NURSE] * 30 + [DOCTOR] * 20 + [PORTER] * 25,
        )
        total = estimate(extract, weights="official").table.filter(measure="recommend_place_to_work")
        found |= {(name, round(n, 9)) for name, n in total.select("organisation", "effective_base").rows()}
    assert len(found) == 2


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize(("seed", "n"), [(2, 150), (3, 250)])
def test_no_question_put_to_all_hides_groups_of_different_weights(seed, n):
    """A group with enough respondents can have too few answers: those that are hidden weigh alike, or are many."""
    extract = synthetic.respondents(2024, respondents_per_organisation=n, seed=seed)
    column = group_columns(extract, ["occupation_group"])["occupation_group"].cast(pl.String)
    mix = {g: 1.0 + i for i, g in enumerate(catalogue().weighting.apart("acute"))}
    rules = Weights("official", mix=mix)
    weights = pl.Series("weight", official_weights(extract, rules).values)
    of_group = extract.frame.select(column.alias("group"), weights.round(9)).drop_nulls()
    people = of_group.group_by("group", "weight").agg(pl.len().alias("people"))
    results = estimate(extract, ["occupation_group"], weights=rules).table.filter(
        weighting="occupation_group"
    )
    asked = results.filter(pl.col("base") >= 0.8 * n, breakdown="all")["measure"]
    hidden = results.filter(pl.col("base").is_null(), breakdown="occupation_group").join(people, on="group")
    own = hidden.filter(pl.col("measure").is_in(asked.implode()))
    alike = own.group_by("measure", "weight").agg(pl.col("people").sum(), pl.col("group").n_unique())
    assert alike["group"].max() > 1
    # Those who weigh alike can be told apart from the others: they are not few.
    assert alike["people"].min() >= 11


def test_groups_large_enough_keep_weights_of_their_own(recwarn):
    extract = extract_of(RXX=[NURSE] * 40 + [DOCTOR] * 11 + [PORTER] * 12 + [None] * 11)
    got = weights_in(extract, mix=MIX)
    assert len(set(got.round(12))) == 3
    assert not recwarn.list
    with pytest.raises(ExtractError, match="pool_below"):
        Weights("official", pool_below=0)


def test_organisations_of_officially_unweighted_kinds_keep_weight_1(mixed):
    frame = mixed.frame.with_columns(
        benchmark_group=pl.when(organisation="RYY").then(pl.lit("ICBs")).otherwise(pl.lit("Community Trusts"))
    )
    # A benchmark group of one organisation has its own mix: weights of 1.
    weights = weights_in(replace(mixed, frame=frame), pool_below=1)
    assert set(weights[10:]) == {1.0}
    rules = Weights("official", pool_below=1)
    rows = estimate(replace(mixed, frame=frame), weights=rules, minimum_base=1).table
    names = dict(rows.filter(measure="recommend_place_to_work").select("organisation", "weighting").rows())
    assert names == {"RXX": "occupation_group", "RYY": "none"}


def test_a_given_mix_weights_one_organisation(mixed):
    alone = replace(mixed, frame=mixed.frame.filter(organisation="RXX"))
    with pytest.raises(ExtractError, match="need the mix"):
        estimate(alone, weights="official")
    rules = Weights("official", mix={"nursing": 1, "medical_and_dental": 1, "other": 1}, pool_below=1)
    results = estimate(alone, weights=rules, minimum_base=1).table
    row = results.row(by_predicate=pl.col("measure") == "recommend_place_to_work", named=True)
    assert (row["weighting"], row["base"]) == ("occupation_group", 10)
    assert row["effective_base"] < 10
    with pytest.raises(UnknownNameError, match="no weighting group 'Nurses'"):
        estimate(alone, weights=Weights("official", mix={"Nurses": 1.0}))
    with pytest.raises(ExtractError, match="leaves out groups"):
        estimate(alone, weights=Weights("official", mix={"medical_and_dental": 1.0}))


def test_size_weights_are_eligible_staff_over_respondents(mixed):
    sizes = size_weights(mixed, {"RXX": 30, "RYY": 24})
    assert dict(sizes.rows()) == {"RXX": 3.0, "RYY": 2.0}


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_national_figures_are_the_mean_of_organisations_by_their_staff():
    """Official form: all staff by the product of weights, breakdowns by size alone, some never weighted."""
    extract = synthetic.respondents(2024, organisations=3, respondents_per_organisation=400, seed=8)
    codes = extract.frame["organisation"].unique().sort().to_list()
    staff = dict(zip(codes, (9000, 2000, 700), strict=True))
    by = ["occupation_group"]
    results = estimate(extract, by, weights=Weights("official", eligible=staff)).table
    assert results["organisation"].unique().to_list() == ["all"]
    everyone = results.filter(breakdown="all", measure="morale").row(0, named=True)
    assert everyone["weighting"] == "occupation_group_and_size"
    own = estimate(extract, weights="official").table.filter(measure="morale")
    answered = dict(own.select("organisation", "base").rows())
    shares = np.array([staff[c] * answered[c] / 400 for c in codes])
    # Weights have a mean of 1 among all respondents of an organisation, not quite among those with a score.
    assert everyone["estimate"] == pytest.approx(np.average(own["estimate"], weights=shares), abs=2e-3)
    groups = results.filter(breakdown="occupation_group", measure="morale")
    assert set(groups["weighting"]) == {"size"}
    never = results.filter(measure="patient_contact")
    assert set(never["weighting"]) == {"none"}
    pooled = extract.frame["q1"].drop_nulls().is_in([1, 2]).mean()
    assert never.filter(breakdown="all")["estimate"].item() == pytest.approx(100 * pooled)


def test_national_figures_leave_out_whoever_has_no_number(mixed):
    results = estimate(mixed, weights=Weights("size", eligible={"RXX": 30}), minimum_base=1).table
    assert results.filter(measure="recommend_place_to_work")["base"].item() == 10
    with pytest.raises(ExtractError, match="need the number of eligible staff"):
        estimate(mixed, weights="size")
    with pytest.raises(ExtractError, match="Fewer staff were eligible"):
        estimate(mixed, weights=Weights("size", eligible={"RXX": 9}))
    with pytest.raises(ExtractError, match="None of the organisations"):
        estimate(mixed, weights=Weights("size", eligible={"RQQ": 9}))


def test_weights_of_ones_own(mixed):
    random = np.random.default_rng(3)
    weights = pl.Series("own", random.uniform(0.5, 2, mixed.frame.height))
    by_column = replace(mixed, frame=mixed.frame.with_columns(weights))
    given = estimate(mixed, weights=weights, minimum_base=1).table
    assert given.equals(estimate(by_column, weights="own", minimum_base=1).table)
    assert set(given.filter(status="reported", measure="recommend_place_to_work")["weighting"]) == {
        "supplied"
    }


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf"), None])
def test_weights_of_ones_own_must_be_above_0_and_no_value_is_shown(mixed, bad):
    weights = pl.Series([1.0] * 21 + [bad])
    with pytest.raises(ExtractError, match="above 0") as caught:
        estimate(mixed, weights=weights)
    assert "1 that are missing" in str(caught.value)


def test_weights_come_in_any_form_of_numbers(mixed):
    series = pl.Series(np.linspace(0.5, 2, mixed.frame.height))
    wanted = estimate(mixed, weights=series, minimum_base=1).table
    for form in (series.to_numpy(), series.to_list(), tuple(series)):
        assert wanted.equals(estimate(mixed, weights=form, minimum_base=1).table)
    none = estimate(mixed, minimum_base=1).table
    assert none.equals(estimate(mixed, weights=None, minimum_base=1).table)


@pytest.mark.parametrize("bad", [["secret"] * 22, np.ones((22, 2)), {"a": 1}, 3, [None] * 22])
def test_what_is_no_weight_is_refused_and_not_quoted(mixed, bad):
    with pytest.raises(ExtractError, match="eights") as caught:
        estimate(mixed, weights=bad)
    assert "secret" not in str(caught.value)


def test_an_organisation_may_not_be_called_as_all_of_them(mixed):
    frame = mixed.frame.with_columns(pl.col("organisation").replace("RYY", "all"))
    for work in (estimate, distributions):
        with pytest.raises(ExtractError, match="An organisation is called 'all'"):
            work(replace(mixed, frame=frame))


def test_weights_that_do_not_fit_are_explained(mixed):
    with pytest.raises(ExtractError, match="one weight for each respondent"):
        estimate(mixed, weights=pl.Series([1.0]))
    with pytest.raises(UnknownNameError, match="weighting or column of weights 'occupation'"):
        estimate(mixed, weights="occupation")
    with pytest.raises(ExtractError, match="margins to rake to"):
        estimate(mixed, weights="raked")
    with pytest.raises(UnknownNameError, match="weighting 'occupation'"):
        Weights("occupation")


# Raking ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trust() -> Extract:
    return synthetic.respondents(2024, respondents_per_organisation=1500, seed=9)


MARGINS = {
    "gender": {"Female": 700.0, "Male": 300.0},
    "long_term_condition": {"With a long-term condition": 20.0, "Without a long-term condition": 80.0},
}


def test_raked_weights_meet_the_margins_and_tell_how(trust):
    raking = rake(trust, MARGINS)
    assert raking.converged
    assert raking.iterations < 20
    np.testing.assert_allclose(raking.table["after"], raking.table["staff"], atol=1e-8)
    assert raking.weights.mean() == pytest.approx(1)
    w = raking.weights.to_numpy()
    assert raking.deff == pytest.approx(1 + (w.std() / w.mean()) ** 2)
    assert raking.effective_base == pytest.approx(1500 / raking.deff)
    assert "The margins are met" in raking.summary()
    assert "shape" not in repr(raking)


def test_raking_by_hand_of_one_margin():
    """One margin is a plain ratio: 3 in 4 wanted where 1 in 2 are there."""
    extract = extract_of(RXX=[NURSE] * 5 + [DOCTOR] * 5)
    raking = rake(extract, {"occupation_group": {NURSES: 75, DOCTORS: 25}}, pool_below=1)
    np.testing.assert_allclose(raking.weights, [1.5] * 5 + [0.5] * 5, rtol=1e-12)


def test_respondents_who_are_not_known_keep_their_share():
    extract = extract_of(RXX=[NURSE] * 4 + [DOCTOR] * 4 + [None] * 2)
    raking = rake(extract, {"occupation_group": {NURSES: 75, DOCTORS: 25}}, pool_below=1)
    np.testing.assert_allclose(raking.weights[8:], 1, rtol=1e-12)
    np.testing.assert_allclose(raking.weights[:4], 1.5, rtol=1e-12)


def test_trimmed_raking_keeps_the_cap_and_says_what_it_costs(trust):
    steep = {**MARGINS, "long_term_condition": {"With a long-term condition": 80.0,
                                                "Without a long-term condition": 20.0}}  # fmt: skip
    free = rake(trust, steep)
    with pytest.warns(InputWarning, match=r"not met within trim=1.8: SYN01: a share \d"):
        trimmed = rake(trust, steep, trim=1.8)
    assert free.weights.max() > 1.8
    assert trimmed.weights.max() <= 1.8 * (1 + 1e-9)
    assert trimmed.deff < free.deff
    assert not trimmed.converged
    assert "not all met" in trimmed.summary()


def halves(n: int) -> Extract:
    """Sites and hubs that hold the same people: 60 in a hundred on A and X, the others on B and Y."""
    site = pl.Series(["A"] * (6 * n // 10) + ["B"] * (4 * n // 10))
    extract = synthetic.respondents(2024, respondents_per_organisation=n)
    hub = site.replace_strict({"A": "X", "B": "Y"})
    return replace(extract, frame=extract.frame.with_columns(site=site, hub=hub))


def test_margins_that_contradict_each_other_are_told_and_give_no_raked_rows():
    """By hand: the last sweep brings X to 80 %, so that A, the same people, is 30 points above its half."""
    extract = halves(300)
    with pytest.warns(
        InputWarning, match="The margins are not met: SYN01: a share 30 points off after 500 sweeps"
    ):
        raking = rake(extract, {"site": {"A": 50, "B": 50}, "hub": {"X": 80, "Y": 20}})
    assert not raking.converged
    assert raking.organisations["largest_gap"].item() == 30
    assert "not all met (a share is 30 points off)" in raking.summary()
    for call in (
        lambda: estimate(extract, weights=raking),
        lambda: distributions(extract, weights=raking),
        lambda: estimate_values(score(extract), ["morale"], weights=raking),
        lambda: replicate(extract, weights=raking, measures=["morale"], draws=20),
    ):
        with pytest.raises(ExtractError, match="did not meet its margins"):
            call()
    own = estimate(extract, weights=raking.weights).table
    assert set(own.filter(measure="morale")["weighting"]) == {"supplied"}


def test_a_margin_of_one_group_is_refused_and_groups_left_out_are_told():
    extract = halves(300)
    with pytest.raises(ExtractError, match="names one group weighs nothing") as caught:
        rake(extract, {"site": {"A": 700}})
    assert "A alone" in str(caught.value)
    sites = replace(extract, frame=extract.frame.with_columns(
        pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit("C")).otherwise("site").alias("site")))  # fmt: skip
    with pytest.warns(InputWarning, match=r"does not name keep the share they have \(SYN01 site: 20% of"):
        raking = rake(sites, {"site": {"A": 50, "B": 50}})
    assert raking.converged


def test_a_share_that_is_off_by_less_than_is_printed_is_no_news(trust):
    """One sweep over two margins that hardly hang together leaves a few thousandths of a point."""
    raking = rake(trust, MARGINS, iterations=3)
    assert not raking.converged
    assert 0 < raking.organisations["largest_gap"].item() < 0.05
    assert estimate(trust, weights=raking).table.height


def test_trimming_spreads_what_it_cuts_off():
    weights = np.array([0.5, 0.5, 1.0, 6.0])
    trimmed = trim_weights(weights, 3.0)
    assert trimmed.sum() == pytest.approx(weights.sum())
    np.testing.assert_allclose(trimmed, [1.5, 1.5, 2.0, 3.0])


def test_margins_that_cannot_be_met_are_explained(trust):
    with pytest.raises(UnknownNameError, match="breakdown 'sex'"):
        rake(trust, {"sex": {"Female": 1.0}})
    with pytest.raises(ExtractError, match="Nobody answered"):
        rake(trust, {"gender": {"Female": 70, "Male": 29, "Females": 1}})
    with pytest.raises(ExtractError, match="without staff in post"):
        rake(trust, {"gender": {"Female": 70, "Male": 0}})
    with pytest.raises(ExtractError, match="2 organisations"):
        rake(extract_of(RXX=[NURSE], RYY=[NURSE]), MARGINS)
    with pytest.raises(ExtractError, match="numbers of staff"):
        rake(trust, {"gender": {"Female": -1.0}})
    with pytest.raises(ExtractError, match="lacks columns"):
        rake(trust, pl.DataFrame({"organisation": ["RXX"]}))


def raked(extract, **rules):
    staff = {NURSES: 50.0, DOCTORS: 30.0, WIDER: 20.0}
    return rake(extract, {"occupation_group": staff}, **rules)


def test_the_table_of_margins_shows_no_small_group():
    """3 porters and the next smallest group are raked as one: half of the staff for 33 of 73."""
    extract = extract_of(RXX=[NURSE] * 40 + [DOCTOR] * 30 + [PORTER] * 3)
    with pytest.warns(SmallBaseWarning, match="RXX occupation_group: 2 groups"):
        raking = raked(extract)
    hidden = dict(raking.table.select("group", pl.col("base").is_null()).rows())
    assert hidden == {NURSES: False, DOCTORS: True, WIDER: True}
    np.testing.assert_allclose(raking.weights[40:], 0.5 / (33 / 73), rtol=1e-12)
    own = raked(extract, pool_below=1)
    assert own.table["base"].to_list() == [40, None, None]
    np.testing.assert_allclose(own.weights[70:], 0.2 / (3 / 73), rtol=1e-12)
    # 4.867 and 44.26, if they were told.
    assert own.organisations.select("largest", "effective_base").row(0) == (4.9, 44.0)
    assert (own.deff, own.effective_base) == (1.6, pytest.approx(73 / 1.6))


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("splits", SPLITS)
def test_what_a_raking_shows_is_the_same_however_hidden_groups_split(splits):
    found = []
    for doctors, porters, unknown in splits:
        few = [DOCTOR] * doctors + [PORTER] * porters + [None] * unknown
        raking = raked(extract_of(RXX=[NURSE] * 40 + few))
        table = raking.table.with_columns(pl.col(pl.Float64).round(9))
        found.append((table.rows(), raking.organisations.rows(), raking.summary()))
    assert all(each == found[0] for each in found)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_two_small_groups_take_a_third_where_together_they_are_too_few():
    """Ambulance and social care of a small trust: 8 together, which the shares before would give away."""
    extract = synthetic.respondents(2024, respondents_per_organisation=400, seed=1)
    groups = extract.edition.breakdowns["occupation_group"].groups
    table = rake(extract, {"occupation_group": {g: 100.0 * (i + 2) for i, g in enumerate(groups)}}).table
    total = (100 * table["base"] / table["before"]).drop_nulls()
    assert total.max() == pytest.approx(total.min())
    assert total[0] - table["base"].sum() >= 11


@pytest.mark.parametrize("trim", [1.0, 0.5, -1.0, float("nan")])
def test_no_weight_can_be_below_the_mean_of_all(trust, trim):
    with pytest.raises(ExtractError, match="above the mean"):
        rake(trust, MARGINS, trim=trim)


def test_a_raking_goes_with_the_respondents_it_was_made_from(trust):
    raking = rake(trust, MARGINS)
    other = synthetic.respondents(2024, respondents_per_organisation=1500, seed=10)
    for wrong in (other, replace(trust, frame=trust.frame.reverse())):
        with pytest.raises(ExtractError, match="of other respondents"):
            estimate(wrong, weights=raking)
    scored = score(trust)
    assert estimate_values(scored, ["morale"], weights=raking).table.height == 1
    with pytest.raises(ExtractError, match="of other respondents"):
        estimate_values(scored.reverse(), ["morale"], weights=raking)
    with pytest.raises(ExtractError, match="of other respondents"):
        estimate_values(scored.head(5), ["morale"], weights=raking)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_raked_estimates_are_named_and_need_the_plain_design(trust):
    from culture_metrics.indicators.design import Design

    raking = rake(trust, MARGINS)
    results = estimate(trust, ["locality_1"], weights=raking).table
    assert set(results.filter(measure="morale")["weighting"]) == {"raked"}
    with pytest.raises(ExtractError, match="sampled within organisations"):
        estimate(trust, weights=raking, design=Design(cluster="locality_1"))
    other = synthetic.respondents(2024, respondents_per_organisation=30)
    with pytest.raises(ExtractError, match="of other respondents"):
        estimate(other, weights=raking)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_a_raking_made_for_a_smaller_minimum_is_refused():
    """15 doctors may be shown by 11, and have a weight of their own; by 20 they are hidden."""
    extract = extract_of(RXX=[NURSE] * 40 + [DOCTOR] * 15 + [PORTER] * 25)
    scored = extract.frame.with_columns(days=pl.lit(1.0))
    for minimum in (11, 5):
        assert estimate(extract, weights=raked(extract), minimum_base=minimum).table.height
    for call in (
        lambda raking: estimate(extract, weights=raking, minimum_base=20).table,
        lambda raking: distributions(extract, weights=raking, minimum_base=20).table,
        lambda raking: estimate_values(scored, ["days"], weights=raking, minimum_base=20).table,
    ):
        with pytest.raises(ExtractError, match="groups of 11 or more") as refused:
            call(raked(extract))
        assert "pool_below=20" in str(refused.value)
        for pool_below in (20, 1, 11):
            assert call(raked(extract, pool_below=pool_below)).height


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_what_a_raking_for_a_larger_minimum_shows_is_the_same_however_hidden_groups_split():
    found = []
    for doctors in (12, 15, 17):
        extract = extract_of(RXX=[NURSE] * 60 + [DOCTOR] * doctors + [PORTER] * (40 - doctors))
        raking = raked(extract, pool_below=20)
        table = raking.table.with_columns(pl.col(pl.Float64).round(9))
        total = estimate(extract, weights=raking, minimum_base=20).table.filter(
            measure="recommend_place_to_work"
        )
        told = total["effective_base"].round(9).item()
        found.append((table.rows(), raking.organisations.rows(), raking.summary(), told))
    assert found[0][0][1][3] is None
    assert all(each == found[0] for each in found)


def test_a_minimum_that_is_none_is_refused_before_weights_are_made(trust):
    for wrong in (0, 2.5, "20"):
        with pytest.raises(CultureMetricsError, match="minimum_base is not a whole number"):
            estimate(trust, minimum_base=wrong)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("of", [estimate, distributions, estimate_values])
def test_effective_bases_are_shown_in_whole_respondents(of):
    """Kish's (Σw)² / Σw² of 60 who weigh 1 and 20 who weigh 1.5 is 77.1: 90² / 105. Of equals it is the base.

    Intervals rest on what is shown, so that nobody can reckon back from them: t at 76 degrees of freedom.
    """
    weight = [1.0] * 60 + [1.5] * 20
    extract = extract_of(RXX=[NURSE] * 60 + [DOCTOR] * 20)
    answers = pl.Series([5, 4, 2, 1, 4] * 16, dtype=pl.Int8)
    frame = extract.frame.with_columns(q25c=answers, own=pl.Series(weight))
    extract = replace(extract, frame=frame)
    if of is estimate_values:
        row = of(frame, ["q25c"], weights="own").table.row(0, named=True)
        half = t.ppf(0.975, 76) * row["std_error"]
        assert row["conf_high"] == pytest.approx(row["estimate"] + half, abs=1e-12)
    else:
        name = "measure" if of is estimate else "question"
        rows = of(extract, ["occupation_group"], weights="own").table.filter(
            pl.col(name) == "recommend_place_to_work", status="reported"
        )
        row = rows.filter(breakdown="all").row(0, named=True)
        groups = rows.filter(breakdown="occupation_group")
        assert groups.height > 0
        assert (groups["effective_base"] == groups["base"]).all()
    assert row["effective_base"] == 77


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("seed", range(4))
def test_what_a_margin_shows_beside_estimates_tells_of_no_group_that_they_hide(seed):
    """600 people, of whom 120 gave no ward: estimates hide one to three wards, the rest cannot be told.

    Attack: base over share was the 480 whose ward is known; less the wards that the margin or the estimates
    show, that was the one that is hidden.
    """
    extract = synthetic.respondents(2024, respondents_per_organisation=600, seed=seed)
    known = pl.when(pl.int_range(pl.len()) % 5 > 0).then("locality_1").alias("locality_1")
    extract = replace(extract, frame=extract.frame.with_columns(known))
    wards = extract.frame["locality_1"].drop_nulls().unique().sort()
    raking = rake(extract, {"locality_1": dict.fromkeys(wards, 100.0)})
    results = estimate(extract, ["locality_1"]).table
    most = results.filter(breakdown="all").sort("base", "measure", descending=[True, False])["measure"][0]
    hidden = results.filter(pl.col("status") != "reported", breakdown="locality_1", measure=most)["group"]
    shown = raking.table.filter(pl.col("base").is_not_null())
    assert len(hidden) in (1, 2, 3)
    assert shown.height > 5
    assert not set(hidden) & set(shown["group"])
    told = (100 * shown["base"] / shown["before"]).to_list()
    assert told == pytest.approx([600] * shown.height)
