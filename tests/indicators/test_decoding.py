"""What one weighted figure tells of the few who share a weight: found by going through all whole numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import CultureMetricsWarning, SmallBaseWarning
from culture_metrics.extracts.extract import Extract
from tests.redteam.whole_numbers import agreed

WEIGHTS = np.array([1.137, 0.871, 1.3333, 0.9377])
MEASURES = ["advocacy", "recommend_place_to_work"]


def made(wards: dict[str, tuple[int, ...]], seed: int = 5) -> Extract:
    """Respondents of wards, so many of each weight."""
    rng = np.random.default_rng(seed)
    ward = [name for name, sizes in wards.items() for _ in range(sum(sizes))]
    kind = [k for sizes in wards.values() for k, n in enumerate(sizes) for _ in range(n)]
    asked = {q: pl.Series(rng.integers(1, 6, len(ward))).cast(pl.Int8) for q in ("q25a", "q25c", "q25d")}
    frame = pl.DataFrame(
        {
            "respondent": [f"p{i}" for i in range(len(ward))],
            "organisation": ["RXX"] * len(ward),
            "benchmark_group": ["Acute and Acute & Community Trusts"] * len(ward),
            "locality_1": ward,
            **asked,
            "weight": WEIGHTS[kind],
        }
    )
    return Extract("nss_england", "2024", frame, {})


def recommends(extract: Extract) -> np.ndarray:
    return extract.frame["q25c"].is_in([4, 5]).to_numpy()


def statuses(table: pl.DataFrame) -> dict[str, set[str]]:
    rows = (
        table.filter(breakdown="locality_1").group_by("group").agg(pl.col("status").cast(pl.String).unique())
    )
    return {group: set(found) for group, found in rows.iter_rows()}


def test_a_full_figure_has_one_solution_for_the_one_person_of_a_weight():
    """The attack itself: 13 x 13 x 2 ways, one of which fits."""
    extract = made({"Ward A": (12, 12, 1)})
    inside, weight = recommends(extract), extract.frame["weight"].to_numpy()
    told = agreed(np.array([12, 12, 1]), WEIGHTS[:3], 100 * np.average(inside, weights=weight), None)
    assert told.tolist() == [inside[weight == w].sum() for w in WEIGHTS[:3]]


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_a_ward_with_one_person_of_a_weight_is_not_shown_weighted():
    extract = made({"Ward A": (12, 12, 1), "Ward B": (60, 40, 40), "Ward C": (40, 60, 34)})
    table = cm.estimate(extract, by=["locality_1"], weights="weight").table.filter(
        pl.col("measure").is_in(MEASURES)
    )
    assert statuses(table)["Ward A"] == {"suppressed"}
    # Else what the whole leaves over is the ward again.
    assert sum(found == {"suppressed"} for found in statuses(table).values()) == 2
    answers = cm.distributions(extract, by=["locality_1"], weights="weight").table
    assert statuses(answers.filter(question="recommend_place_to_work"))["Ward A"] == {"suppressed"}
    plain = cm.estimate(made({"Ward A": (12, 12, 1), "Ward B": (60, 40, 40)}), by=["locality_1"]).table
    assert statuses(plain.filter(pl.col("measure").is_in(MEASURES)))["Ward A"] == {"reported"}


def test_it_is_said_that_weighted_figures_are_hidden():
    extract = made({"Ward A": (12, 12, 1), "Ward B": (60, 40, 40), "Ward C": (40, 60, 34)})
    with pytest.warns(SmallBaseWarning, match=r"2 weighted figures \(locality_1\).*share a weight"):
        cm.estimate(extract, by=["locality_1"], weights="weight")


def test_warnings_name_breakdowns_as_the_trust_does():
    """Three people change sides from one breakdown to the other: the second shows no group."""
    extract = made({"Ward A": (12, 12, 1), "Ward B": (60, 40, 40), "Ward C": (40, 60, 34)})
    words = {"renamed": {"Directorate": "locality_1", "Team": "locality_4", "Rota": "locality_5"}}
    team = (
        pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("Ward B")).otherwise("locality_1").alias("locality_4")
    )
    nobody = pl.lit(None, pl.String).alias("locality_5")
    named = replace(extract, provenance=words, frame=extract.frame.with_columns(team, nobody))
    with pytest.warns(SmallBaseWarning, match=r"2 weighted figures \(Directorate\).*share a weight"):
        cm.estimate(named, by=["locality_1"], weights="weight")
    with pytest.warns(CultureMetricsWarning, match="No respondent has a group in Rota:"):
        cm.estimate(replace(named, decision=Decision()), by=["locality_5"])
    two = {"Ward A": (60, 40, 40), "Ward B": (60, 40, 34)}
    again = replace(made(two), provenance=words, decision=Decision())
    again = replace(again, frame=again.frame.with_columns(team))
    cm.estimate(again, by=["locality_1"])
    with pytest.warns(CultureMetricsWarning, match="no group of Team can be shown"):
        cm.estimate(again, by=["locality_4"])


def test_numbers_of_ones_own_are_protected_alike():
    extract = made({"Ward A": (12, 12, 1), "Ward B": (60, 40, 40), "Ward C": (40, 60, 34)})
    frame = extract.frame.with_columns(sick=pl.Series(recommends(extract)).cast(pl.Float64))
    table = cm.estimate_values(frame, ["sick"], by=["locality_1"], weights="weight").table
    assert statuses(table)["Ward A"] == {"suppressed"}


@pytest.mark.parametrize("verb", ["estimate", "estimate_values"])
def test_a_whole_with_few_of_a_weight_is_rounded_and_then_says_nothing_of_them(verb):
    extract = made({"Ward A": (1500, 400, 300, 8)})
    inside, weight = recommends(extract), extract.frame["weight"].to_numpy()
    exact = 100 * np.average(inside, weights=weight)
    if verb == "estimate":
        table = cm.estimate(extract, weights="weight").table.filter(measure="recommend_place_to_work")
        row = table.row(0, named=True)
        shown = row["estimate"]
        assert row["std_error"] == round(row["std_error"], 2)
        assert row["conf_low"] == round(row["conf_low"], 1)
    else:
        frame = extract.frame.with_columns(yes=pl.Series(inside).cast(pl.Float64))
        shown = 100 * cm.estimate_values(frame, ["yes"], weights="weight").table["estimate"][0]
    assert shown == pytest.approx(round(exact, 1), abs=1e-9)
    # The three others are 1,501 x 401 x 301 ways, with the eight: how many fit for each number of the eight?
    ways = np.stack(np.meshgrid(np.arange(401), np.arange(301), np.arange(9), indexing="ij"), -1).reshape(
        -1, 3
    )
    first = inside.sum() - ways.sum(axis=1)
    fits = (first >= 0) & (first <= 1500)
    told = 100 * (first * WEIGHTS[0] + ways @ WEIGHTS[1:]) / weight.sum()
    fits &= np.abs(told - shown) <= 0.05
    assert set(ways[fits][:, 2]) == set(range(9))


def test_without_few_of_a_weight_figures_are_as_exact_as_they_are_worked_out():
    extract = made({"Ward A": (20, 30, 15), "Ward B": (60, 40, 40)})
    table = cm.estimate(extract, by=["locality_1"], weights="weight").table.filter(
        measure="recommend_place_to_work"
    )
    for group, rows in [
        ("all", extract.frame),
        *((g, extract.frame.filter(locality_1=g)) for g in ["Ward A"]),
    ]:
        yes = rows["q25c"].is_in([4, 5]).to_numpy()
        exact = 100 * np.average(yes, weights=rows["weight"].to_numpy())
        assert table.filter(group=group)["estimate"][0] == pytest.approx(exact, abs=1e-11)


def test_each_other_weighting_of_the_same_groups_tells_more():
    """With two weightings, twice as many numbers: what could be shown rounded once is not shown again."""
    extract = made({"Ward A": (1500, 400, 300, 8)})
    other = extract.frame["weight"].replace_strict(WEIGHTS, [0.8, 1.2, 1.1, 1.4])
    first = cm.estimate(extract, weights="weight").table.filter(measure="recommend_place_to_work")
    with pytest.warns(SmallBaseWarning, match="share a weight"):
        again = cm.estimate(extract, weights=other).table.filter(measure="recommend_place_to_work")
    assert first["status"][0] == "reported"
    assert again["status"][0] == "suppressed"


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_a_standard_error_in_full_is_one_more_equation():
    """Eight weights, one of them of one person: 59 bits are open, and two numbers of 44 tell of all of them.

    Lattice reduction found the number of each weight in 36 of 36 such figures shown in full with their error.
    """
    extract = made({"Ward A": (1,)})
    sizes, rng = (460, 1, 440, 450, 430, 420, 410, 400), np.random.default_rng(2)
    frame = pl.DataFrame(
        {
            "respondent": [f"p{i}" for i in range(sum(sizes))],
            "organisation": "RXX",
            "q25c": pl.Series(rng.integers(1, 6, sum(sizes)), dtype=pl.Int8),
            "weight": np.repeat(rng.uniform(0.8, 1.2, 8), sizes),
        }
    )
    table = cm.estimate(replace(extract, frame=frame, decision=Decision()), weights="weight").table
    row = table.filter(measure="recommend_place_to_work").row(0, named=True)
    assert row["estimate"] == round(row["estimate"], 1)
    assert row["std_error"] == round(row["std_error"], 2)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_another_weighting_counts_also_where_the_breakdown_has_another_name():
    """A directorate and its only department are one cell: with a third weighting hardly a way to fill it is left."""
    made_ = made({"Ward A": (1500, 400, 300, 8), "Ward B": (300, 400, 300, 200), "Ward C": (90, 70, 80, 60)})
    extract = replace(made_, frame=made_.frame.with_columns(locality_2="locality_1"), decision=Decision())
    other = extract.frame["weight"].replace_strict(WEIGHTS, [0.8, 1.2, 1.1, 1.4])
    first = cm.estimate(extract, by=["locality_1"], weights="weight").table
    again = cm.estimate(extract, by=["locality_2"], weights=other).table
    ward = pl.col("group") == "Ward A"
    assert first.filter(ward, measure="recommend_place_to_work")["status"].to_list() == ["reported"]
    assert again.filter(ward, measure="recommend_place_to_work")["status"].to_list() == ["suppressed"]


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_weights_of_many_departments_are_known_outside():
    """60 departments, a weight each; of a site with people of three of them, one fits of 13 x 14 x 2 ways."""
    rng = np.random.default_rng(3)
    department = np.append(np.repeat(np.arange(60), 20), np.repeat([0, 1, 2], (12, 13, 1)))
    frame = pl.DataFrame(
        {
            "respondent": [f"p{i}" for i in range(len(department))],
            "organisation": "RXX",
            "locality_1": ["Site M"] * 1200 + ["Site S"] * 26,
            "q25c": pl.Series(rng.integers(1, 6, len(department)), dtype=pl.Int8),
            "weight": rng.uniform(0.8, 1.2, 60)[department],
        }
    )
    table = cm.estimate(Extract("nss_england", "2024", frame, {}), by=["locality_1"], weights="weight").table
    assert table.filter(measure="recommend_place_to_work", group="Site S")["status"][0] == "suppressed"
