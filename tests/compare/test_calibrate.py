"""The calibration bench: its drawn years are estimated and compared as the verbs do, and have the right spread."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from html import escape

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.compare import calibration, planted
from culture_metrics.compare.calibration import _Bench
from culture_metrics.compare.redrawn import People
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import ExtractError, UnknownNameError
from culture_metrics.extracts.extract import Extract
from culture_metrics.reporting.verdicts import verdicts

PEOPLE = 360
NAMES = ["pair 1", "pair 2"]
SHARES = {"gender": {"Female": 60, "Male": 36, "Prefer not to say": 4}}


@pytest.fixture(scope="module")
def extract() -> Extract:
    """A small trust with four directorates, wards that differ in morale, and weights."""
    made = cm.synthetic.respondents(2024, respondents_per_organisation=PEOPLE, seed=3)
    mood = cm.score(made)["morale"].fill_null(6.0).to_numpy()
    ward = np.empty(PEOPLE, np.int64)
    ward[np.argsort(mood + np.random.default_rng(1).normal(0, 2, PEOPLE))] = np.arange(PEOPLE) * 36 // PEOPLE
    columns = {
        "locality_1": [f"D{i % 4}" for i in range(PEOPLE)],
        "ward": [f"W{w}" for w in ward],
        "half": [f"H{w % 2}" for w in ward],
        "own": 1.0 + np.arange(PEOPLE) % 3,
    }
    return replace(made, frame=made.frame.with_columns(pl.Series(k, v) for k, v in columns.items()))


def code(extract: Extract) -> str:
    return str(extract.frame["organisation"][0])


WAYS = {
    "plain": lambda e: {},
    "weights": lambda e: {"weights": "own"},
    "raking": lambda e: {"weights": cm.rake(e, SHARES, pool_below=1)},
    "clusters": lambda e: {"design": cm.Design(cluster="ward")},
    "strata": lambda e: {"design": cm.Design(strata="half", cluster="ward")},
    "population": lambda e: {"design": cm.Design(population={code(e): 1.5 * PEOPLE})},
}


def people(extract: Extract, way: str, minimum_base: int | None = None) -> People:
    given = {"weights": None, "design": None} | WAYS[way](extract)
    return People.of(extract, None, ["locality_1"], given["weights"], given["design"], minimum_base)


@pytest.mark.parametrize("way", ["weights", "strata"])
def test_drawn_years_are_estimated_and_compared_as_the_verbs_do(extract, way):
    """Two pairs at once on the bench; one of them by `estimate` and `compare_years`: the same to the digit.

    With nothing to hide: the bench hides by the minimum base alone. How measures go together is that of the
    people on the bench, and of the years in `compare_years`: here they are given the same.
    """
    bench = _Bench(people(extract, way, 1), 0.0, "bh", [4])
    names, first, second = bench._years(range(2))
    *_, tested = bench._null(range(2))
    mine = calibration.with_verdict(tested).filter(organisation=names[1])
    tables = []
    for years, period in zip((first, second), bench.periods, strict=True):
        drawn = bench.people.extract_of(years[1:], names[1:], period)
        given = WAYS[way](drawn)
        if "design" in given:
            # A ward that was drawn twice is two wards.
            unit = pl.Series(years[1].unit).cast(pl.String)
            drawn = replace(drawn, frame=drawn.frame.with_columns(ward=unit))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = cm.estimate(drawn, by=["locality_1"], minimum_base=1, **given)
        known = replace(bench._correlations, period=period, of={names[1]: bench._correlations.of["all"]})
        assert set(found._correlations[0].measures) <= set(known.measures)
        tables.append(replace(found, _correlations=(known,)))
    theirs = cm.compare_years(tables, *bench.periods).table
    key = ["breakdown", "group", "measure"]
    numbers = ["difference", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted", "material"]
    both = theirs.join(mine, on=key, suffix="_mine", validate="1:1")
    assert both.height == theirs.height == mine.height
    assert both["p_value"].count() > 400
    for name in numbers:
        np.testing.assert_allclose(
            both[name].cast(pl.Float64).to_numpy(), both[f"{name}_mine"].cast(pl.Float64).to_numpy(),
            rtol=1e-9, atol=1e-9, err_msg=name,
        )  # fmt: skip
    assert both["verdict"].cast(pl.String).equals(both["verdict_mine"].cast(pl.String), check_names=False)


@pytest.mark.parametrize("way", ["raking", "clusters", "population"])
def test_the_spread_of_drawn_years_is_the_standard_error_that_is_told(extract, way):
    """So that a calibrated procedure comes out as calibrated: the mean over scores of the ratio is near 1."""
    own = people(extract, way)
    random = np.random.default_rng(5)
    names = [f"{i:03d}" for i in range(200)]
    table = own.results([own.draw(random) for _ in names], names, "2024").filter(
        breakdown="all", unit="score"
    )
    spread = table.group_by("measure").agg(
        ratio=pl.col("estimate").std() / pl.col("std_error").pow(2).mean().sqrt()
    )
    assert spread["ratio"].mean() == pytest.approx(1, abs=0.06)
    # And they go together as is told. 200 draws know a correlation to 0.07, and what all have in common (the
    # largest eigenvalue) to a tenth, so twice that is chance.
    wide = table.pivot("measure", index="organisation", values="estimate").drop("organisation")
    seen, told = np.corrcoef(wide.to_numpy().T), own.correlations().among("all", wide.columns)
    seen, told = (each[np.triu_indices(len(each), 1)] for each in (seen, told))
    assert (seen - told).std() < 0.08
    assert seen.mean() == pytest.approx(told.mean(), rel=0.2)


def test_people_who_answer_twice_are_the_same_people(extract):
    own = people(extract, "plain")
    random = np.random.default_rng(6)
    first = own.draw(random)
    second = own.draw(random, first, 0.25)
    one, two = (own.extract_of([y], ["pair"], p).frame for y, p in ((first, "2023"), (second, "2024")))
    both = one.join(two, on=["organisation", "respondent"])
    assert both.height == PEOPLE // 4
    assert both["q25c"].equals(both["q25c_right"], check_names=False)
    bench = _Bench(own, 0.25, "bh", [4])
    *_, tested = bench._null(range(2))
    correlation = tested.filter(breakdown="all").select(
        pl.col("covariance") / (pl.col("se_from") * pl.col("se_to"))
    )
    assert correlation.to_series().drop_nulls().mean() == pytest.approx(0.25, abs=0.03)


@pytest.fixture(scope="module")
def unseen(extract):
    """The same of which nothing was shown yet."""
    return replace(extract, decision=Decision())


@pytest.fixture(scope="module")
def found(unseen):
    return cm.calibrate(unseen, ["locality_1"], draws=100, seed=1, progress=False)


def test_verdicts_keep_their_promises_in_a_small_trust(found):
    """Each within what its limits and the draws allow: null families, tests at 5 %, coverage, power."""
    table = found.table
    assert table["within_limits"].all(), table.filter(~pl.col("within_limits"))
    shares = dict(
        table.filter(scenario="no change", breakdown="all").select("counted", "estimate").iter_rows()
    )
    assert shares["likely or more"] == pytest.approx(100 - shares["interval holds the change"], abs=0.2)
    power = table.filter(pl.col("counted").str.ends_with("as planted"))
    assert power["estimate"].mean() == pytest.approx(80, abs=5)
    assert power["breakdown"].to_list() == ["all", "all", "all", "locality_1"]
    assert (table["draws"] == 100).all()


def test_a_planted_change_stays_on_the_scale(extract):
    """What a dozen people could show is more than there is above most means: it goes down, and ends within."""
    few = replace(extract, frame=extract.frame.head(60), decision=Decision())
    own = people(few, "plain")
    printed = calibration.add_detectable(_Bench(own, 0.0, "bh", [4])._null(range(5))[-1])
    for change in calibration.planted(own, printed):
        mean = np.nanmean(change.answers.values) if change.answers.values.size else 5.0
        assert 0 <= mean <= 10
        assert change.group not in change.label


def test_what_is_planted_leaves_clusters_as_unlike_as_they_were(extract):
    """As far on the logit scale everywhere: who had most does not lose most."""
    six = replace(extract, frame=extract.frame.with_columns(block=pl.col("ward").str.slice(1).cast(int) // 6))
    own = People.of(six, None, [], None, cm.Design(cluster="block"), None)
    place = own.answers.names.index("look_forward_to_work")
    codes, _ = planted._turned(own, place, -25.0)
    before = own.answers.marks(place)
    other = own.answers.marked.marks[place - own.answers.n_scores][codes[:, 0].view(np.uint8)]
    there, *counted = (
        np.bincount(own.units.of, marks) for marks in (before.imag > 0, before.real > 0, other.real > 0)
    )
    p, q = ((n + 0.5) / (there + 1) for n in counted)
    moved = np.log(p / (1 - p)) - np.log(q / (1 - q))
    assert np.ptp(p) > 0.25
    assert np.ptp(moved) < 0.15


def test_the_chapter_of_a_report_has_the_figures_and_no_group(found):
    chapter = verdicts(found).html
    rows = re.findall(r"<tr><th scope='row'.*?</tr>", chapter)
    assert len(rows) == found.table.height
    for row, share in zip(rows, found.table["estimate"], strict=True):
        assert f">{share:.1f}</td>" in row
    assert escape(found.summary()) in chapter
    assert not re.search(r"\bD\d\b", chapter)


def test_it_says_what_it_found_and_nothing_about_people(found, unseen):
    assert found.summary().startswith("Where nothing changed, ")
    assert "a change of " in found.summary()
    assert set(found.table.columns).isdisjoint({"base", "respondent", "group"})
    assert unseen.decision.calls == []
    assert found.provenance["verb"] == "calibrate"
    assert found.figure().layout.title.text


def test_the_bench_fails_where_the_procedure_does(extract, monkeypatch):
    """Without an adjustment nearly every family has a false verdict: the bench says so."""
    real = calibration.adjust_p

    def unadjusted(table, *args):
        return real(table, *args).with_columns(p_adjusted="p_value")

    monkeypatch.setattr(calibration, "adjust_p", unadjusted)
    broken = cm.calibrate(extract, draws=40, progress=False)
    called = broken.table.filter(scenario="no change", counted="improved or declined")
    assert called["estimate"].item() > 50
    assert not called["within_limits"].item()
    assert "Beyond its limits" in broken.summary()


def test_the_same_seed_draws_the_same(extract):
    small = replace(extract, frame=extract.frame.head(120))
    one, two = (cm.calibrate(small, draws=40, seed=1, progress=False).table for _ in range(2))
    assert one.equals(two)
    drawn = [_Bench(people(small, "plain"), 0.0, "bh", [s])._years(range(1))[1][0].rows for s in (1, 1, 2)]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()


def test_what_it_cannot_draw_is_refused(extract):
    two = pl.concat([extract.frame, extract.frame.with_columns(organisation=pl.lit("RYY"))])
    for given, more, error in (
        (replace(extract, frame=two), {}, ExtractError),
        (extract, {"organisation": "RQQ"}, UnknownNameError),
        (extract, {"draws": 10}, ExtractError),
        (extract, {"answered_twice": 2.0}, ExtractError),
        (extract, {"answered_twice": 0.5, "weights": "own"}, ExtractError),
        (extract, {"weights": cm.Weights("size", eligible={code(extract): 900})}, ExtractError),
        (extract, {"adjust": "none"}, UnknownNameError),
        (extract.frame, {}, ExtractError),
    ):
        with pytest.raises(error):
            cm.calibrate(given, **more)
