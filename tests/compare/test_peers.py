"""Nearest neighbours and bright spots on the official 2024 workbook."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.beyond_profile import _design, bright_spots
from culture_metrics.compare.left_out import leave_one_out
from culture_metrics.compare.peers import WEIGHTS, find_peers
from culture_metrics.compare.profile import profile_of
from culture_metrics.contract import as_results
from culture_metrics.errors import ResultsError, UnknownNameError

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def narrow(published_2024):
    kept = pl.col("measure").is_in(["staff_engagement", "raising_concerns", "work_related_stress"])
    return replace(published_2024, results=published_2024.table.filter(kept))


@pytest.fixture(scope="module")
def peers(published_2024):
    return {code: find_peers(published_2024, code) for code in ("REF", "RX6", "RAL")}


def shares(published, code, question, groups):
    """Shares of the groups of a question, added up one by one."""
    rows = published.distributions.table.filter(organisation=code, question=question).select(
        "option", "percent"
    )
    percent = dict(rows.rows())
    each = [sum(percent.get(option, 0.0) or 0.0 for option in some) for some in groups.values()]
    return [value / sum(each) for value in each]


def test_distances_are_those_of_a_hand_count(published_2024, peers):
    """Hellinger's distance, size and kinds of REF and its first peer, over the mean square of the pairs of a group."""
    edition, own = catalogue().edition(2024), "REF"
    first = peers[own].table.row(0, named=True)
    narrow = published_2024
    profile = profile_of(narrow, "")
    codes, groups = (profile.about[name].to_list() for name in ("organisation", "benchmark_group"))
    for component, name in (
        ("age", "age"),
        ("ethnicity", "ethnicity_group"),
        ("occupation", "occupation_group"),
    ):
        breakdown = edition.breakdowns[name]
        mixes = np.array(
            [
                shares(narrow, c, breakdown.question, breakdown.groups)
                for c in [*codes[::20], own, first["organisation"]]
            ]
        )
        a, b = mixes[-2], mixes[-1]
        apart = sum((p**0.5 - q**0.5) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5 / 2**0.5
        theirs = profile.mixes[component][
            [*range(0, len(codes), 20), codes.index(own), codes.index(first["organisation"])]
        ]
        assert theirs == pytest.approx(mixes, abs=1e-12)
        # Over the pairs of one benchmark group, counted one by one in the small ones and all.
        roots = np.sqrt(profile.mixes[component])
        squares = [
            ((roots[i] - roots[j]) ** 2).sum() / 2
            for i, j in combinations(range(len(codes)), 2)
            if groups[i] == groups[j]
        ]
        expected = apart / (sum(squares) / len(squares)) ** 0.5
        assert first[f"apart_{component}"] == pytest.approx(expected, rel=1e-9)
    weights = {"benchmark_group": 10, "size": 1, "region": 0.5, "occupation": 1, "age": 1, "ethnicity": 1}
    squared = sum(w * first[f"apart_{name}"] ** 2 for name, w in weights.items()) / 4.5
    assert first["distance"] == pytest.approx(squared**0.5)


def test_each_component_counts_as_its_weight_inside_a_benchmark_group(published_2024):
    """Mean square over the pairs of one group: the weight of each, and of the distance 1 (own count)."""
    profile = profile_of(published_2024, "")
    group = profile.about["benchmark_group"].to_numpy()
    same = np.triu(group[:, None] == group[None, :], k=1)
    within = {name: (profile.apart(name)[same] ** 2).mean() for name in WEIGHTS}
    # Over all pairs ethnic group would have 0.80, occupation 0.09: it differs between groups above all.
    assert within == pytest.approx({name: float(name != "benchmark_group") for name in WEIGHTS})
    squared = sum(w * profile.apart(name)[same] ** 2 for name, w in WEIGHTS.items())
    assert squared.mean() / (sum(WEIGHTS.values()) - WEIGHTS["benchmark_group"]) == pytest.approx(1)


def test_peers_are_sensible(peers):
    """Cornwall: Devon and Plymouth first. Ambulance trusts: the ten others. Royal Free: London, and Frimley."""
    assert peers["REF"].organisations[:2] == ["RH8", "RK9"]
    assert set(peers["REF"].table["benchmark_group"]) == {"Acute and Acute & Community Trusts"}
    assert set(peers["RX6"].table["benchmark_group"]) == {"Ambulance Trusts"}
    assert peers["RAL"].organisations[:3] == ["RF4", "RJZ", "RYJ"]
    assert peers["RAL"].table.filter(pl.col("region") != "London")["organisation"].to_list() == ["RDU"]


def test_peers_are_stable_when_one_component_is_dropped(peers):
    """How many of ten stay, on the workbook of 2024."""
    kept = {code: dict(found.stability().select("dropped", "kept").rows()) for code, found in peers.items()}
    assert min(kept["RX6"].values()) == 8 and min(kept["RAL"].values()) == 7
    assert kept["REF"] == {
        "benchmark_group": 10, "size": 8, "region": 9, "occupation": 5, "age": 6, "ethnicity": 7,
    }  # fmt: skip
    assert "at least 5 of the 10 stay (fewest without occupation)" in peers["REF"].summary()
    assert "10 organisations most like Royal Cornwall" in peers["REF"].figure().layout.meta["alt"]


def test_weights_are_adjustable(narrow, peers):
    near = find_peers(narrow, "REF", weights={"region": 5.0}, number=5)
    assert set(near.table["region"]) == {"South West"}
    assert near.table.height == 5
    with pytest.raises(UnknownNameError, match="no component of a profile 'beds'"):
        find_peers(narrow, "REF", weights={"beds": 1.0})
    with pytest.raises(ResultsError, match="one is above 0"):
        find_peers(narrow, "REF", weights=dict.fromkeys(peers["REF"].weights, 0.0))
    with pytest.raises(UnknownNameError, match="no organisation 'XXX'"):
        find_peers(narrow, "XXX")


def test_predictions_leave_the_organisation_out(narrow):
    """The fractional logit fitted again without the organisation, by statsmodels."""
    import statsmodels.api as sm

    profile = profile_of(narrow, "")
    # The same columns without those that follow from others.
    whole, size, _ = np.linalg.svd(_design(profile, regions=True), full_matrices=False)
    design, codes = whole[:, size > 1e-9 * size[0]], profile.about["organisation"].to_list()
    y = dict(narrow.table.filter(measure="staff_engagement").select("organisation", "estimate").rows())
    values = np.array([y[code] for code in codes]) / 10
    table = bright_spots(narrow).table
    for code in ("REF", "RY6", "NR5"):
        others = np.arange(len(codes)) != (i := codes.index(code))
        x = design[others]
        found = sm.GLM(values[others], x, family=sm.families.Binomial()).fit(tol=1e-12)
        row = table.row(by_predicate=pl.col("organisation") == code, named=True)
        logit = float(design[i] @ found.params)
        share = 1 / (1 + np.exp(-logit))
        assert row["predicted"] == pytest.approx(10 * share, abs=1e-7)
        mean = found.fittedvalues
        scale = ((values[others] - mean) ** 2 / (mean * (1 - mean))).sum() / (
            others.sum() - np.linalg.matrix_rank(x)
        )
        lever = design[i] @ np.linalg.pinv((x.T * (mean * (1 - mean))) @ x) @ design[i]
        slope = 10 * share * (1 - share)
        own = 1.6 / (row["base"] / (1.1 if code != "NQL" else 1)) ** 0.5
        assert row["std_error"] == pytest.approx((own**2 + slope**2 * scale * lever) ** 0.5, rel=1e-6)
        spread = 10 * (scale * share * (1 - share) * (1 + share * (1 - share) * lever)) ** 0.5
        assert row["unusual"] == pytest.approx(row["excess"] / spread, rel=1e-6)
        ends = [10 / (1 + np.exp(-logit - way * 1.959964 * (scale * lever) ** 0.5)) for way in (-1, 1)]
        assert (row["predicted_low"], row["predicted_high"]) == pytest.approx(ends, rel=1e-6)
        low = row["excess"] - np.hypot(1.959964 * own, row["predicted_high"] - row["predicted"])
        assert row["conf_low"] == pytest.approx(low, rel=1e-5)
    assert table["excess"].is_sorted(descending=True)


def test_what_all_others_predict_equals_r():
    """Forty made-up shares, two of them 0 and one 1; made by tests/reference/leave_one_out.R (glm)."""
    told = pl.read_csv(REFERENCE / "leave_one_out.csv")
    design = told.select(pl.lit(1.0), "kind", "size", "mix").to_numpy()
    basis, *_ = np.linalg.svd(design, full_matrices=False)
    found = leave_one_out(told["share"].to_numpy(), basis)
    assert found.good.all()
    for name in ("logit", "error", "scale"):
        assert getattr(found, name) == pytest.approx(told[name].to_numpy(), rel=1e-6), name


def test_predictions_and_their_intervals_stay_on_the_scale(published_2024):
    """By least squares 7 of 131 measures of 2024 had predictions below 0 (q14a: -0.17) and one above 100."""
    measures = ["q14a", "q17a", "q17b"]
    edition = catalogue().edition(2024)
    kept = pl.col("measure").is_in([edition.measure(code).id for code in measures])
    small = replace(published_2024, results=published_2024.table.filter(kept))
    for code in measures:
        table = bright_spots(small, code).table
        assert 0 < table["predicted_low"].min() < table["predicted"].min()
        assert table["predicted_high"].max() < 100
        assert table.select((pl.col("conf_low") <= pl.col("conf_high")).all()).item()
        # The interval and the p-value say the same.
        apart = (pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)
        assert table.select((apart == (pl.col("p_value") < 0.05)).all()).item()


def changed(narrow, shift, who, measure="staff_engagement"):
    moved = (pl.col("measure") == measure) & pl.col("organisation").is_in(who)
    estimate = pl.when(moved).then(pl.col("estimate") + shift).otherwise("estimate")
    return replace(narrow, results=as_results(narrow.table.with_columns(estimate=estimate)))


def test_a_planted_bright_spot_is_found_whichever_side_is_better(narrow):
    assert not bright_spots(narrow).table.filter(organisation="REF")["bright"].item()
    assert bright_spots(changed(narrow, 0.8, ["REF"])).table.filter(organisation="REF")["bright"].item()
    stress = changed(narrow, -12.0, ["REF"], "work_related_stress")
    found = bright_spots(stress, "work_related_stress")
    row = found.table.row(by_predicate=pl.col("organisation") == "REF", named=True)
    assert row["bright"] and row["estimate"] < row["predicted"] and row["excess"] > 0
    assert "Royal Cornwall Hospitals NHS Trust (REF)" in found.figure().layout.meta["alt"] or found.summary()


def test_regions_and_systems(narrow):
    about = narrow.organisations
    assert not bright_spots(narrow, level="region").table["bright"].any()
    london = about.filter(region="London")["organisation"].to_list()
    found = bright_spots(changed(narrow, 0.3, london), level="region").table
    assert found.filter("bright")["label"].to_list() == ["London"]
    row = found.row(0, named=True)
    assert row["organisations"] == len(london) == 35
    systems = bright_spots(narrow, level="ics").table
    assert systems.height == 42
    alone = systems.filter(pl.col("organisations") == 1)
    assert alone.height and alone["conf_low"].null_count() == alone.height
    with pytest.raises(UnknownNameError, match="no level 'ward'"):
        bright_spots(narrow, level="ward")


def test_there_are_few_bright_spots_where_profiles_say_all(narrow):
    """Figures that are their prediction and sampling: at most one in twenty is called bright."""
    profile = profile_of(narrow, "")
    design = _design(profile, regions=True)
    rng = np.random.default_rng(8)
    y = dict(narrow.table.filter(measure="staff_engagement").select("organisation", "estimate").rows())
    values = np.array([y[code] for code in profile.about["organisation"]])
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    made = fitted + rng.normal(0, 1, len(fitted)) * 1.6 / np.sqrt(profile.about["base"].to_numpy())
    frame = pl.DataFrame({"organisation": profile.about["organisation"], "made": made})
    table = narrow.table.filter(measure="staff_engagement").join(frame, on="organisation")
    published = replace(narrow, results=as_results(table.with_columns(estimate="made")))
    found = bright_spots(published)
    assert found.table["bright"].sum() <= 13
    assert found.explained > 0.85


def test_a_measure_without_a_better_side_has_no_bright_spots(published_2024):
    with pytest.raises(ResultsError, match="has no better side"):
        bright_spots(published_2024, "patient_contact")


def test_too_few_organisations_are_said_in_words(narrow):
    few = narrow.organisations.filter(benchmark_group="Ambulance Trusts")["organisation"].implode()
    small = replace(narrow, organisations=narrow.organisations.filter(pl.col("organisation").is_in(few)))
    with pytest.raises(ResultsError, match="Too few organisations to predict from") as caught:
        bright_spots(small)
    assert (caught.value.got, caught.value.hint[:4]) == ("11", "Take")
