"""The wild cluster bootstrap against R, a refit of every sign vector, the real panel, and its size."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

import culture_metrics as cm
from culture_metrics.errors import LinkError, UnknownNameError
from culture_metrics.models.wild_bootstrap import wild_cluster_bootstrap

REFERENCE = Path(__file__).resolve().parents[1] / "reference"


@pytest.fixture(scope="module")
def small():
    data = pl.read_csv(REFERENCE / "wild_bootstrap.csv")
    x = np.column_stack([np.ones(data.height), data["x"], data["w"]])
    return x, data["y"].to_numpy(), data["cluster"].to_numpy()


def refitted(x, y, cluster, column, multiplier):
    """CR1 statistic of one sample under slope 0, by plain least squares on the rows."""
    rest = np.delete(x, column, axis=1)
    base = rest @ np.linalg.lstsq(rest, y, rcond=None)[0]
    sample = base + multiplier[cluster] * (y - base)
    b = np.linalg.lstsq(x, sample, rcond=None)[0]
    inverse = np.linalg.inv(x.T @ x)
    many, (n, k) = cluster.max() + 1, x.shape
    meat = sum(
        np.outer(s, s) for s in (x[cluster == g].T @ (sample - x @ b)[cluster == g] for g in range(many))
    )
    v = inverse @ meat @ inverse * many / (many - 1) * (n - 1) / (n - k)
    return b[column] / np.sqrt(v[column, column])


def test_every_sign_vector_equals_r(small):
    """R: lm and sandwich::vcovCL, each of 256 samples refitted; the script stands beside the numbers."""
    wanted = json.loads((REFERENCE / "wild_bootstrap.json").read_text(encoding="utf-8"))
    found = wild_cluster_bootstrap(*small, 1, weights="rademacher")
    assert (found.clusters, found.draws, found.enumerated) == (8, 256, True)
    assert found.statistic == pytest.approx(wanted["statistic"], rel=1e-9)
    assert found.p_value == wanted["p_value"]


def test_every_sign_vector_equals_a_refit():
    """Another panel: 6 unequal clusters, an indicator that differs only between them, refits in numpy."""
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(6), [3, 9, 5, 14, 7, 4])
    x = np.column_stack([np.ones(42), rng.normal(size=6)[cluster], rng.normal(size=42)])
    y = rng.normal(size=6)[cluster] + rng.normal(size=42)
    samples = [refitted(x, y, cluster, 1, np.array(v)) for v in product((-1.0, 1.0), repeat=6)]
    own = abs(refitted(x, y, cluster, 1, np.ones(6)))
    found = wild_cluster_bootstrap(x, y, cluster, 1, weights="rademacher")
    assert abs(found.statistic) == pytest.approx(own)
    assert found.p_value == np.mean(np.abs(samples) >= own * (1 - 1e-10))


def test_the_interval_holds_what_is_not_rejected(small):
    found = wild_cluster_bootstrap(*small, 1)
    assert found.conf_low < found.estimate < found.conf_high
    for end, outwards in ((found.conf_low, -1), (found.conf_high, 1)):
        just_out, just_in = (
            wild_cluster_bootstrap(*small, 1, null=end + s * 0.001 * found.std_error).p_value
            for s in (outwards, -outwards)
        )
        assert just_out < 0.05 <= just_in


def test_a_wild_cluster_bootstrap(trusts, records):
    """144 trusts, Rademacher weights, 4,999 draws; tolerance of the record 0.002."""
    record = records["A-wild-cluster-bootstrap"]
    used = trusts.select("Code", "Year.Index", "SHMI.Index", "Engagement.Index").drop_nulls()
    years = used["Year.Index"].cast(pl.String).to_dummies(drop_first=True).to_numpy()
    x = np.column_stack([np.ones(used.height), used["Engagement.Index"], years])
    found = wild_cluster_bootstrap(x, used["SHMI.Index"].to_numpy(), used["Code"].to_numpy(), 1, draws=4999)
    assert (found.clusters, found.weights) == (record["groups"], "rademacher")
    assert found.p_value == pytest.approx(record["p"], abs=0.002)
    # The record's statistic leaves out the small-sample factor, which no p-value of the bootstrap depends on.
    factor = 144 / 143 * 1072 / 1064
    assert found.statistic * np.sqrt(factor) == pytest.approx(record["extra"]["t"], rel=1e-8)


@pytest.mark.parametrize(("clusters", "weights"), [(8, "webb"), (14, "rademacher")])
def test_size_with_few_unequal_clusters(clusters, weights):
    """500 panels without a link, nominal 5%, rows per cluster from 2 to 50: the clustered t rejects more."""
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(clusters), np.linspace(2, 50, clusters).astype(int))
    wild = clustered = 0
    for seed in range(500):
        x = np.column_stack(
            [np.ones(len(group)), rng.normal(size=clusters)[group] + 0.3 * rng.normal(size=len(group))]
        )
        y = rng.normal(size=clusters)[group] + rng.normal(size=len(group))
        found = wild_cluster_bootstrap(x, y, group, 1, draws=199, weights=weights, conf_level=None, seed=seed)
        wild += found.p_value <= 0.05
        clustered += 2 * t.sf(abs(found.statistic), clusters - 1) < 0.05
    assert clustered / 500 > 0.085
    assert wild / 500 < 0.075


def test_link_outcomes_takes_it_when_asked(trusts):
    """15 trusts: estimate and standard error stay, p-value and interval are the bootstrap's."""
    few = trusts.filter(pl.col("Code").is_in(trusts["Code"].unique().sort().head(16).to_list()))
    shmi = cm.Outcome("SHMI.Index", "ratio")
    keys = {
        "organisation": "Code",
        "year": "Year.Index",
        "standardise": None,
        "design": ["pooled", "fixed_effects"],
    }
    wild, plain = (
        cm.link_outcomes(few, "Engagement.Index", shmi, cov=cov, **keys).table.filter(role="main")
        for cov in ("wild", "cluster")
    )
    assert wild["estimate"].equals(plain["estimate"])
    assert wild["std_error"].equals(plain["std_error"])
    used = few.select("Code", "Year.Index", "SHMI.Index", "Engagement.Index").drop_nulls()
    years = used["Year.Index"].cast(pl.String).to_dummies(drop_first=True).to_numpy()
    x = np.column_stack([np.ones(used.height), used["Engagement.Index"], years])
    direct = wild_cluster_bootstrap(x, used["SHMI.Index"].to_numpy(), used["Code"].to_numpy(), 1)
    assert direct.p_value == pytest.approx(wild["p_value"][0])
    assert [direct.conf_low, direct.conf_high] == pytest.approx(
        wild.select("conf_low", "conf_high").row(0), rel=1e-4
    )
    assert wild["effect_low"].equals(wild["conf_low"])
    panel = cm.synthetic.outcome_panel(organisations=20)
    with pytest.raises(LinkError, match="one of least squares"):
        cm.link_outcomes(panel, "morale", cm.outcome("sickness_absence"), cov="wild")
    with pytest.raises(LinkError, match="one of least squares"):
        cm.link_outcomes(panel, "morale", cm.outcome("shmi"), cov="wild", design="mixed")


def test_rows_may_stand_in_any_order_and_clusters_bear_any_name(small):
    x, y, cluster = small
    order = np.random.default_rng(0).permutation(len(y))
    named = np.array([f"R{c}" for c in cluster])
    assert wild_cluster_bootstrap(x[order], y[order], named[order], 1).p_value == pytest.approx(
        wild_cluster_bootstrap(x, y, cluster, 1).p_value
    )


def test_refusals(small):
    x, y, cluster = small
    with pytest.raises(LinkError, match="cannot rest on 4 clusters"):
        wild_cluster_bootstrap(x, y, cluster % 4, 1)
    with pytest.raises(LinkError, match="worked out from the others"):
        wild_cluster_bootstrap(np.column_stack([x, x[:, 1]]), y, cluster, 1)
    with pytest.raises(UnknownNameError, match="no set of weights"):
        wild_cluster_bootstrap(x, y, cluster, 1, weights="mammen")
