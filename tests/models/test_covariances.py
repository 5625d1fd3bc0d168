"""Every design with every covariance equals R: slope, standard error and degrees of freedom.

`tests/reference/link_covariances.R` fitted them to `link_panel.csv` without some rows (stats, sandwich, plm,
clubSandwich, lme4, lmerTest); `link_covariances.csv` is what it wrote. Fixed effects are R's `lm` with a dummy
for each organisation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm

REFERENCE = Path(__file__).parents[1] / "reference"
RECORDS = {
    row["id"]: row
    for row in pl.read_csv(
        REFERENCE / "link_covariances.csv", null_values="NA", infer_schema_length=None
    ).to_dicts()
}
OUTCOMES = {
    "cases": cm.Outcome("cases", kind="count", exposure="bed_days"),
    "leavers": cm.Outcome("leavers", kind="proportion", base="headcount"),
    "sickness": cm.Outcome("sickness", kind="rate"),
    "target_met": cm.Outcome("target_met", kind="binary"),
    "agency": cm.Outcome("agency", kind="money"),
}
LINEAR = {"plain": {}, "weighted": {"weights": "deaths"}}
#: Where an algorithm stops sets these: the variances of lme4, the scoring of a Gamma model.
STOPPED, EXACT = 1e-6, 1e-7


@pytest.fixture(scope="module")
def panel():
    number, code = pl.int_range(pl.len()), pl.col("organisation").str.slice(1).cast(pl.Int64)
    return (
        pl.read_csv(REFERENCE / "link_panel.csv")
        .sort("organisation", "year")
        .filter((number * 7 % 11 > 2) | (number % 13 == 0))
        .filter((code < 50) | (pl.col("year") == 2019 + code % 4))
    )


def found(panel, record):
    """Return the row of the table that a record of R is for."""
    design, kind, cov, term = record.split(".")
    settings = {"design": design, "cov": "cluster" if cov == "sss" else cov, "standardise": None}
    if kind in OUTCOMES:
        settings |= {"outcomes": OUTCOMES[kind]}
    else:
        settings |= {"outcomes": "score", "controls": ("sickness",)} | LINEAR[kind]
    if design == "cross_section":
        panel = panel.filter(year=2022)
    table = cm.link_outcomes(panel, "engagement", **settings).table
    if design == "cross_lagged":
        way = {"z": "indicator_to_outcome", "s": "outcome_to_indicator"}[term]
        return table.filter(term=way).row(0, named=True)
    rows = table.filter(role="main")
    return rows.filter((pl.col("term") == term) | (pl.col("term") == "overall")).row(0, named=True)


@pytest.mark.parametrize("record", RECORDS)
def test_equals_r(record, panel):
    ours, wanted = found(panel, record), RECORDS[record]
    rel = STOPPED if record.startswith(("mixed", "within_between", "pooled.agency")) else EXACT
    assert ours["estimate"] == pytest.approx(wanted["estimate"], rel=rel)
    assert ours["std_error"] == pytest.approx(wanted["std_error"], rel=rel)
    assert ours["df"] == (None if wanted["df"] is None else pytest.approx(wanted["df"], rel=STOPPED))


def dummies(frame, *columns):
    """Return the outcome, and the columns with a dummy for each year but the first and each organisation."""
    parts = [frame.select(columns).to_numpy()]
    parts += [
        frame.select(pl.col(key).cast(pl.String)).to_dummies().to_numpy() for key in ("year", "organisation")
    ]
    return frame["score"].to_numpy(), np.hstack([parts[0], parts[1][:, 1:], parts[2]])


def test_organisations_of_one_row_are_left_out_and_counted():
    """60 organisations with one year each carry no change: 10 organisations are left, with 9 df."""
    rng = np.random.default_rng(20110106)
    code = np.r_[np.repeat(np.arange(10), 4), np.arange(10, 70)]
    frame = pl.DataFrame(
        {
            "organisation": [f"R{i:02d}" for i in code],
            "year": 2019 + np.r_[np.tile(np.arange(4), 10), np.arange(60) % 4],
            "z": rng.normal(size=100),
            "y": rng.normal(size=100),
            "share": rng.uniform(0.2, 0.8, 100),
        }
    )
    several = frame.filter(pl.len().over("organisation") > 1)
    for outcome, designs in (("y", ("fixed_effects",)), ("share", ("fixed_effects", "first_difference"))):
        given = cm.Outcome(outcome, kind="rate" if outcome == "share" else "continuous")
        for design in designs:
            found, alone = (cm.link_outcomes(data, "z", given, design=design) for data in (frame, several))
            for row in found.table.filter(role="main").to_dicts():
                assert (row["n_orgs"], row["base"], row["n_dropped"], row["df"]) == (10, 40, 60, 9)
                assert {"few_orgs", "few_clusters"} <= set(row["flags"].split("; "))
            figures = ["estimate", "std_error", "p_value", "indicator_sd", "conf_low", "flags"]
            assert found.table.select(figures).equals(alone.table.select(figures))
            step = found.sample.filter(step="organisation with only one row").row(0, named=True)
            assert (step["rows_lost"], step["organisations_lost"]) == (60, 60)
            first, last = found.sample.row(0, named=True), found.sample.row(-1, named=True)
            assert first["rows_left"] - found.sample["rows_lost"].sum() == last["rows_left"] == 40
    changes = cm.link_outcomes(frame, "z", "y", design="first_difference").table.row(0, named=True)
    assert (changes["n_orgs"], changes["base"], changes["df"]) == (10, 30, 9)


def test_a_slope_within_organisations_rests_on_those_with_several_rows(panel):
    """Mean and deviation side by side: the clusters of the deviation are the organisations that have one."""
    for outcome in ("score", OUTCOMES["sickness"]):
        table = cm.link_outcomes(panel, "engagement", outcome, design="within_between", cov="cluster").table
        within, between = (
            table.filter(role="main", term=term).row(0, named=True) for term in ("within", "between")
        )
        several = panel.filter(pl.len().over("organisation") > 1)["organisation"].n_unique()
        assert several < panel["organisation"].n_unique() == between["n_orgs"]
        assert (within["df"], between["df"]) == (several - 1, between["n_orgs"] - 1)


def test_influence_within_organisations_is_that_of_the_dummy_regression(panel):
    """Leverage, Cook's distance and studentised residuals from the hat matrix of all dummies, with weights."""
    frame = panel.filter(pl.len().over("organisation") > 1)
    y, x = dummies(frame, "engagement", "sickness")
    root = np.sqrt(frame["deaths"].to_numpy())
    q, _ = np.linalg.qr(x * root[:, None])
    leverage, left = (q**2).sum(axis=1), y * root - q @ (q.T @ (y * root))
    n, k = x.shape
    variance = left @ left / (n - k)
    cooks = left**2 * leverage / (k * variance * (1 - leverage) ** 2)
    without = (left @ left - left**2 / (1 - leverage)) / (n - k - 1)
    external = np.abs(left) / np.sqrt(without * (1 - leverage))
    checks = cm.link_outcomes(
        panel, "engagement", "score", controls=("sickness",), design="fixed_effects", weights="deaths"
    ).diagnostics
    for test, values in (
        ("leverage", leverage),
        ("cooks_distance", cooks),
        ("studentised_residual", external),
    ):
        found = checks.filter(test=test).row(0, named=True)
        assert abs(found["value"]) == pytest.approx(values.max(), rel=1e-8)
        assert found["subject"] == frame["organisation"][int(values.argmax())]
    assert checks.filter(test="leverage")["threshold"][0] == pytest.approx(2 * k / n)
    assert checks.filter(test="cooks_distance_above")["value"].item() == (cooks > 4 / n).sum()


def test_a_bend_within_organisations_is_tested_with_the_weights(panel):
    """The spline's columns beside the dummies of all organisations: F by the classical covariance."""
    from culture_metrics.links.model_checks import natural_spline

    frame = panel.filter(pl.len().over("organisation") > 1)
    y, x = dummies(frame, "engagement", "sickness")
    root = np.sqrt(frame["deaths"].to_numpy())
    curved = np.column_stack([x, natural_spline(frame["engagement"].to_numpy())])
    squares = [np.linalg.lstsq(part * root[:, None], y * root, rcond=None)[1].item() for part in (x, curved)]
    wanted = (squares[0] - squares[1]) / 2 / (squares[1] / (y.size - curved.shape[1]))
    checks = cm.link_outcomes(
        panel, "engagement", "score", controls=("sickness",), design="fixed_effects", weights="deaths", cov="classical"
    ).diagnostics  # fmt: skip
    assert checks.filter(test="nonlinearity")["statistic"].item() == pytest.approx(wanted, rel=1e-7)


def test_hc3_is_that_without_a_row_which_has_a_column_to_itself(panel):
    """The only row of a year is fitted exactly: R's HC3 has no number for it, and it can carry nothing."""
    rest = panel.filter(pl.col("year") > 2019)
    alone = pl.concat([rest, panel.filter(year=2019).head(1)])
    found, wanted = (
        cm.link_outcomes(data, "engagement", "score", cov="HC3").table.filter(role="main").row(0, named=True)
        for data in (alone, rest)
    )
    step = found["step"] / wanted["step"]
    assert found["std_error"] == pytest.approx(wanted["std_error"] * step, rel=1e-9)
    assert found["df"] == wanted["df"]


def test_a_fraction_without_trials_has_no_variance_of_its_own(panel):
    for design in ("pooled", "within_between"):
        one, other = (
            cm.link_outcomes(panel, "engagement", OUTCOMES["sickness"], design=design, cov=cov).table.row(
                0, named=True
            )
            for cov in ("classical", "scaled")
        )
        assert (one["std_error"], one["df"]) == (other["std_error"], other["df"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weights", [None, "w"])
def test_fixed_effects_are_the_regression_with_dummies(seed, weights):
    """Random panels with gaps, organisations of one row and a control that changes its category over time."""
    rng = np.random.default_rng([20110109, seed])
    orgs, years = int(rng.integers(15, 40)), int(rng.integers(2, 6))
    frame = (
        pl.DataFrame(
            {
                "organisation": np.repeat([f"R{i:02d}" for i in range(orgs)], years),
                "year": np.tile(2015 + np.arange(years), orgs),
                "engagement": rng.normal(size=orgs * years),
                "score": rng.normal(size=orgs * years) + np.repeat(rng.normal(size=orgs), years),
                "rated": rng.choice(["a", "b", "c"], orgs * years),
                "w": rng.uniform(0.1, 10, orgs * years),
            }
        )
        .sample(fraction=0.8, seed=seed)
        .sort("organisation", "year")
    )
    kept = frame.filter(pl.len().over("organisation") > 1)
    assert kept.height < frame.height
    category = kept.select(pl.col("rated")).to_dummies().to_numpy()[:, 1:]
    y, x = dummies(kept, "engagement")
    x = np.column_stack([x, category])
    root = np.ones(y.size) if weights is None else np.sqrt(kept["w"].to_numpy())
    x, y = x * root[:, None], y * root
    bread = np.linalg.inv(x.T @ x)
    left = y - x @ (bread @ (x.T @ y))
    (n, k), free = x.shape, 1 - np.einsum("ij,jk,ik->i", x, bread, x)
    seen = x @ bread[0]
    sums = np.bincount(kept["organisation"].rank("dense").to_numpy() - 1, weights=seen * left)
    count = sums.size
    rest = n - k + count
    wanted = {
        "classical": (left @ left / (n - k) * bread[0, 0], n - k),
        "HC1": ((seen * left) @ (seen * left) * n / (n - k), n - k),
        "HC3": (((seen * left / free) ** 2).sum(), n - k),
        "cluster": (sums @ sums * count / (count - 1) * (n - 1) / rest, count - 1),
    }
    for cov, (variance, df) in wanted.items():
        row = cm.link_outcomes(
            frame, "engagement", "score", controls=("rated",), design="fixed_effects", cov=cov,
            weights=weights, standardise=None,
        ).table.row(0, named=True)  # fmt: skip
        assert row["estimate"] == pytest.approx((bread @ (x.T @ y))[0], rel=1e-8)
        assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-8)
        assert (row["df"], row["n_orgs"], row["base"]) == (df, count, n)


def test_lines_of_a_scatter_count_what_they_rest_on(panel):
    """Between: HC3 of means on a constant and a slope. Within: only where ten organisations have several rows."""
    from scipy.stats import t

    from culture_metrics.links.pictures import BETWEEN, WITHIN, points_and_lines

    def drawn(data):
        result = cm.link_outcomes(data, "engagement", "score", year_effects=False)
        return points_and_lines(result.source, result.table["model_id"][0], "engagement")

    points, lines = drawn(panel)
    x = np.column_stack([np.ones(points.height), points["x"] - points["x"].mean()])
    bread = np.linalg.inv(x.T @ x)
    left = points["y"].to_numpy() - x @ (bread @ (x.T @ points["y"].to_numpy()))
    seen = (x @ bread[1]) * left / (1 - np.einsum("ij,jk,ik->i", x, bread, x))
    line = lines.filter(line=BETWEEN)
    reach = abs(line["x"][0] - panel["engagement"].mean())
    half = (line["conf_high"][0] - line["conf_low"][0]) / 2
    assert half == pytest.approx(t.ppf(0.975, points.height - 2) * reach * np.sqrt(seen @ seen), rel=1e-6)
    assert set(lines["line"]) == {BETWEEN, WITHIN}
    once = panel.filter((pl.col("organisation") < "R05") | (pl.int_range(pl.len()).over("organisation") == 0))
    assert set(drawn(once)[1]["line"]) == {BETWEEN}


@pytest.mark.parametrize("controls", [(), ("age",)])
def test_hausman_sets_dummies_beside_random_intercepts(controls, panel):
    """A trust's age runs with the years within it: the dummies of organisations and years hold it already."""
    code = pl.col("organisation").str.slice(1).cast(pl.Int64)
    data = panel.with_columns(age=(pl.col("year") - 1990 - (7 * code) % 20).cast(pl.Float64))
    more = {"controls": controls, "standardise": None}
    row = cm.link_outcomes(data, "engagement", "score", design="mixed", cov="classical", **more).table.row(
        0, named=True
    )
    y, x = dummies(data, "engagement")
    assert np.linalg.matrix_rank(np.column_stack([x, data["age"]])) == x.shape[1]
    bread = np.linalg.inv(x.T @ x)
    b = bread @ (x.T @ y)
    left = y - x @ b
    spread = left @ left / (y.size - x.shape[1]) * bread[0, 0] - row["std_error"] ** 2
    checks = cm.link_outcomes(data, "engagement", "score", design="pooled", **more).diagnostics
    found = checks.filter(test="hausman").row(0, named=True)
    assert found["statistic"] == pytest.approx((b[0] - row["estimate"]) ** 2 / spread, rel=1e-6)
