"""Estimates against R's survey package: weights, strata, clusters, domains, ratios, raking, intervals.

The numbers come from tests/reference/survey_design.R; where R and the package are at hand, it is run again.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from culture_metrics import distributions, estimate
from culture_metrics.errors import SmallBaseWarning
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.design import Design, kish
from culture_metrics.indicators.raking import rake
from culture_metrics.indicators.sweeps import trim_weights
from culture_metrics.indicators.values import estimate_values
from culture_metrics.indicators.weights import Weights

REFERENCE = Path(__file__).parents[1] / "reference"
ELIGIBLE = {"RXX": 400.0, "RYY": 300.0, "RZZ": 280.0}
STAFF = {
    "RXX": ((60, 40), (20, 80)),
    "RYY": ((75, 25), (15, 85)),
    "RZZ": ((66, 34), (30, 70)),
}
MEASURES = ["motivation", "recommend_place_to_work"]
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]
STYPE = {"E": 4421.0, "H": 755.0, "M": 1018.0}


def read_r(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, null_values="NA", schema_overrides=dict.fromkeys(NUMBERS, pl.Float64))


@pytest.fixture(scope="module")
def r() -> pl.DataFrame:
    return read_r(REFERENCE / "survey_design.csv")


@pytest.fixture(scope="module")
def extract() -> Extract:
    frame = pl.read_csv(REFERENCE / "sample.csv")
    answers = [c for c in frame.columns if c.startswith("q")]
    return Extract("nss_england", "2024", frame.cast(dict.fromkeys(answers, pl.Int8)))


@pytest.fixture(scope="module")
def margins() -> pl.DataFrame:
    rows = []
    for organisation, (gender, condition) in STAFF.items():
        for group, staff in zip(("Female", "Male"), gender, strict=True):
            rows.append((organisation, "gender", group, staff))
        for group, staff in zip(("With a", "Without a"), condition, strict=True):
            rows.append((organisation, "long_term_condition", f"{group} long-term condition", staff))
    return pl.DataFrame(rows, schema=["organisation", "breakdown", "group", "staff"], orient="row")


@pytest.fixture
def apistrat(shared_data) -> pl.DataFrame:
    return pl.read_csv(shared_data / "statistics" / "apistrat.csv", null_values="NA")


def compare(ours: pl.DataFrame, r: pl.DataFrame, case: str, rows: int, columns=("estimate", "std_error")):
    """Compare, row by row, to 1e-8 relative."""
    wanted = r.filter(case=case)
    both = wanted.join(ours, on=["organisation", "group", "measure"], suffix="_here")
    assert both.height == wanted.height == rows
    for column in columns:
        np.testing.assert_allclose(
            both[f"{column}_here"], both[column], rtol=1e-8, err_msg=f"{case} {column}"
        )


DESIGNS = {
    "strata, domains": Design(domains="full"),
    "no strata, domains": Design(strata=None, domains="full"),
    "fpc, domains": Design(domains="full", population=ELIGIBLE),
    "finer strata, domains": Design(strata="stratum", domains="full"),
    "clusters, domains": Design(cluster="ward", domains="full"),
    "clusters in finer strata, domains": Design(strata="stratum", cluster="ward", domains="full"),
    "a stratum of one cluster, domains": Design(strata="lone", cluster="ward", domains="full"),
    "clusters without strata, domains": Design(strata=None, cluster="psu", domains="full"),
    "own samples": Design(),
    "own samples, clusters": Design(cluster="ward"),
}


@pytest.mark.parametrize("case", DESIGNS)
def test_means_percentages_and_domains_of_every_design(extract, r, case):
    frame = extract.frame.with_columns(
        stratum=pl.format("{} {}", "organisation", "grade"), psu=pl.format("{} {}", "organisation", "ward")
    ).with_columns(lone=pl.when(psu="RXX ward 1").then(pl.lit("lone")).otherwise("stratum"))
    weighted = Extract(extract.survey, extract.period, frame)
    results = estimate(weighted, ["locality_1"], weights="weight", design=DESIGNS[case], minimum_base=1).table
    assert set(results.filter(measure="motivation")["weighting"]) == {"supplied"}
    compare(results, r, case, 24)


@pytest.mark.parametrize(
    ("case", "design"),
    [("unweighted, domains", Design(domains="full")), ("own samples, unweighted", Design())],
)
def test_unweighted_means_and_percentages(extract, r, case, design):
    compare(estimate(extract, ["locality_1"], design=design, minimum_base=1).table, r, case, 24)


def test_the_conventions_differ_by_the_factor_they_should(extract):
    """Without gaps `own` has √(n/(n-1)) more than one sample of all: state the convention, test both."""
    complete = Extract(extract.survey, extract.period, extract.frame.drop_nulls(["q25c"]))
    own = estimate(complete, minimum_base=1).table.filter(measure="recommend_place_to_work")
    pooled = estimate(complete, design=Design(strata=None, domains="full"), minimum_base=1).table.filter(
        measure="recommend_place_to_work"
    )
    n, everyone = own["base"].to_numpy(), complete.frame.height
    np.testing.assert_allclose(
        own["std_error"] / pooled["std_error"], np.sqrt(n / (n - 1) * (everyone - 1) / everyone), rtol=1e-12
    )
    domain = estimate(complete, design=Design(domains="full"), minimum_base=1).table
    np.testing.assert_allclose(
        domain.filter(measure="recommend_place_to_work")["std_error"], own["std_error"], rtol=1e-12
    )


def test_national_figures_by_size(extract, r):
    results = estimate(
        extract, ["locality_1"], weights=Weights("size", eligible=ELIGIBLE), minimum_base=1
    ).table
    assert results["organisation"].unique().to_list() == ["all"]
    compare(results, r, "size", 8)


def test_distributions(extract, r):
    table = distributions(extract, weights="weight", design=Design(domains="full")).table
    answers = table.filter(question="recommend_place_to_work", breakdown="all").select(
        "organisation",
        "group",
        pl.format("option {}", "option").alias("measure"),
        pl.col("percent").alias("estimate"),
        "std_error",
    )
    compare(answers, r, "distribution", 15)


def test_logit_intervals(extract, r):
    results = estimate(extract, interval="logit").table
    compare(results, r, "logit interval", 3, ("estimate", "std_error", "conf_low", "conf_high"))


@pytest.mark.parametrize("case", ["raked", "calibrated"])
def test_raked_estimates(extract, margins, r, case):
    raking = rake(extract, margins, tolerance=1e-13)
    assert raking.converged
    compare(estimate(extract, ["locality_1"], weights=raking, minimum_base=1).table, r, case, 24)


def test_post_stratified_estimates(extract, margins, r):
    raking = rake(extract, margins.filter(breakdown="gender"))
    compare(estimate(extract, ["locality_1"], weights=raking, minimum_base=1).table, r, "post-stratified", 24)


def test_diagnostics_of_raking(extract, margins, r):
    wanted = r.filter(case="raking").pivot("measure", index="organisation", values="estimate")
    # From the weights: what is shown of them is rounded where a group is hidden.
    raking, w = rake(extract, margins, tolerance=1e-13), pl.col("weight")
    told = (
        extract.frame.select("organisation", raking.weights)
        .group_by("organisation")
        .agg(largest=w.max(), deff=pl.len() * (w**2).sum() / w.sum() ** 2)
    )
    both = wanted.join(told, on="organisation")
    np.testing.assert_allclose(both["largest"], both["largest weight"], rtol=1e-8)
    np.testing.assert_allclose(both["deff"], both["design effect"], rtol=1e-8)


def test_trimmed_weights(extract, margins, r):
    raking = rake(extract, margins, tolerance=1e-13)
    trimmed = extract.frame.with_columns(weight=raking.weights).with_columns(
        pl.col("weight")
        .map_batches(lambda w: pl.Series(trim_weights(w.to_numpy(), 1.3)))
        .over("organisation")
    )
    with pytest.warns(SmallBaseWarning, match="minimum"):
        results = estimate(Extract("nss_england", "2024", trimmed), weights="weight", minimum_base=1).table
    compare(results, r, "trimmed", 3, ("estimate",))


def test_apistrat_means_domains_and_strata(apistrat, r):
    design = Design(strata="stype", population=STYPE, domains="full")
    found = estimate_values(
        apistrat, ["api00", "enroll"], [("stype", "sch.wide"), "awards"], weights="pw", design=design,
        minimum_base=1,
    ).table  # fmt: skip
    compare(found, r, "apistrat", 18)


def test_apistrat_ratio(apistrat, r):
    design = Design(strata="stype", population=STYPE, domains="full")
    found = estimate_values(
        apistrat, ["api.stu"], ["awards"], weights="pw", design=design, over="enroll"
    ).table
    compare(found, r, "apistrat ratio", 3)


@pytest.mark.parametrize(
    ("case", "margins"),
    [
        ("apistrat raked", {"stype": STYPE, "sch.wide": {"No": 1072.0, "Yes": 5122.0}}),
        ("apistrat post-stratified", {"stype": STYPE}),
    ],
)
def test_apistrat_raking(apistrat, r, case, margins):
    sample = Extract("nss_england", "2024", apistrat.with_columns(organisation=pl.lit("all")))
    raking = rake(sample, margins, tolerance=1e-13)
    # Nothing hidden, nothing rounded: with fewer decimals where few share a weight.
    found = estimate_values(
        sample.frame, ["api00", "enroll"], ["awards"], weights=raking, minimum_base=1
    ).table
    compare(found, r, case, 6)


def test_apistrat_equals_the_published_reference(apistrat, shared_data):
    """`reference.json`: R survey 4.1-1, printed to 12 digits."""
    import json

    wanted = json.loads((shared_data / "statistics" / "reference.json").read_text())["survey"]
    design = Design(strata="stype", population=STYPE)
    found = estimate_values(apistrat, ["api00", "enroll"], ["stype"], weights="pw", design=design).table
    whole = found.filter(breakdown="all")
    for name, mean in wanted["apistrat_mean"]["mean"].items():
        row = whole.row(by_predicate=pl.col("measure") == name, named=True)
        assert row["estimate"] == pytest.approx(mean, rel=1e-11)
        assert row["std_error"] == pytest.approx(wanted["apistrat_mean"]["se"][name], rel=1e-10)
    weight = apistrat["pw"].to_numpy()
    assert kish(weight.sum(), (weight**2).sum()) == pytest.approx(wanted["kish_neff_apistrat"], rel=1e-12)
    assert whole["effective_base"][0] == np.floor(wanted["kish_neff_apistrat"])
    for group in wanted["apistrat_by_stype"]:
        row = found.row(
            by_predicate=(pl.col("group") == group["stype"]) & (pl.col("measure") == "api00"), named=True
        )
        assert (row["estimate"], row["std_error"]) == pytest.approx((group["api00"], group["se"]), rel=1e-10)
    ratio = estimate_values(apistrat, ["api.stu"], weights="pw", design=design, over="enroll").table.row(
        0, named=True
    )
    assert ratio["estimate"] == pytest.approx(wanted["ratio"]["api.stu/enroll"], rel=1e-10)
    assert ratio["std_error"] == pytest.approx(wanted["ratio"]["SE.api.stu/enroll"], rel=1e-10)


def test_the_script_still_gives_these_numbers(r, tmp_path):
    """Run R again where it is installed with the package survey."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not here")
    if subprocess.run(["Rscript", "-e", "library(survey)"], capture_output=True, check=False).returncode:
        pytest.skip("R is here without the package survey")
    again = tmp_path / "survey_design.csv"
    script = ["Rscript", "tests/reference/survey_design.R", str(again)]
    subprocess.run(script, cwd=REFERENCE.parents[1], check=True, capture_output=True)
    new = read_r(again)
    keys = ["case", "organisation", "group", "measure"]
    assert new.select(keys).equals(r.select(keys))
    for column in NUMBERS:
        np.testing.assert_allclose(new[column].to_numpy(), r[column].to_numpy(), rtol=1e-9)
