"""The error of a group's difference from its whole organisation, against a linearisation written out here.

Everything is by respondent: the deviation of the group's mean less that of the whole's, summed within clusters,
regressed on the margins of a raking. Standard errors of both alone, which are all that a table of results has, put
it at 2.1 (weights), 4.2 (clusters that cross groups) and 2.0 times (a margin that was raked) what it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import t as student

import culture_metrics as cm
from culture_metrics.catalogue import catalogue
from culture_metrics.disclosure.decision import Decision
from culture_metrics.indicators.cell_estimates import estimates_of
from culture_metrics.results.beside import with_apart
from culture_metrics.results.precision import with_precision
from culture_metrics.results.tables import chance_apart

PEOPLE = 1500
STAFF = {"gender": {"Female": 400, "Male": 570, "Prefer not to say": 30}}


@pytest.fixture(scope="module")
def made():
    """Respondents in 30 wards that differ in morale, in groups across wards and within them, with weights."""
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=PEOPLE, seed=7)
    morale = cm.score(extract)["morale"].to_numpy().astype(float)
    rng = np.random.default_rng(0)
    ward = np.empty(PEOPLE, dtype=np.int64)
    ward[np.argsort(np.nan_to_num(morale, nan=6) + rng.normal(0, 4, PEOPLE))] = (
        np.arange(PEOPLE) * 30 // PEOPLE
    )
    across = np.where(rng.random(PEOPLE) < 0.3, "A", "B")
    within = np.where(ward % 3 == 0, "A", "B")
    own = np.where(across == "A", 2.5, 0.6) * np.exp(rng.normal(0, 0.3, PEOPLE))
    columns = {"ward": [f"W{w}" for w in ward], "across": across, "within": within, "own": own}
    frame = extract.frame.with_columns(pl.Series(name, values) for name, values in columns.items())
    return replace(extract, frame=frame)


def deviations(y, member, weight):
    """What each respondent adds to the mean of the group less that of the whole."""
    there = np.isfinite(y)
    added = np.zeros(len(y))
    for who, sign in ((there & member, 1), (there, -1)):
        mean = np.average(y[who], weights=weight[who])
        added[who] += sign * weight[who] * (y[who] - mean) / weight[who].sum()
    return added, there


def linearised(made, column, weight, clusters=None, left=1.0):
    y = cm.score(made)["morale"].to_numpy().astype(float)
    added, there = deviations(y, made.frame[column].to_numpy() == "A", weight)
    units = added[there]
    if clusters is not None:
        units = made.frame.select(pl.col(clusters), added=pl.Series(added)).group_by(clusters).sum()["added"]
        units = units.to_numpy()
    n = len(units)
    return np.sqrt(left * n / (n - 1) * ((units - units.mean()) ** 2).sum())


def found(made, column, weights, design, measure="morale"):
    part = estimates_of(made, {column: (column,)}, weights, design)[0]
    row = part.keys["group"].to_list().index("A")
    return part.estimates.apart[row, part.answers.names.index(measure)]


WARDS = cm.Design(cluster="ward")


@pytest.mark.parametrize(
    ("column", "weights", "design", "near"),
    [
        ("across", None, None, 2e-3),
        # A group is a sample of its own, of the size it came out with: n / (n - 1) is that of the group.
        ("across", "own", None, 5e-3),
        ("across", None, WARDS, 1e-9),
        ("across", "own", WARDS, 1e-9),
        ("within", None, WARDS, 0.08),
    ],
)
def test_the_difference_from_the_whole_has_the_error_of_its_linearisation(
    made, column, weights, design, near
):
    weight = np.ones(PEOPLE) if weights is None else made.frame[weights].to_numpy()
    expected = linearised(made, column, weight, None if design is None else "ward")
    assert found(made, column, weights, design) == pytest.approx(expected, rel=near)


def test_strata_of_one_weight_each_are_as_without(made):
    """Wards as strata: the sum over them of what varies within, by hand."""
    y = cm.score(made)["morale"].to_numpy().astype(float)
    added, there = deviations(y, made.frame["across"].to_numpy() == "A", np.ones(PEOPLE))
    by_ward = (
        pl.DataFrame({"ward": made.frame["ward"], "added": added}).filter(pl.Series(there)).group_by("ward")
    )
    parts = by_ward.agg(v=pl.col("added").var() * pl.len())["v"]
    expected = np.sqrt(parts.sum())
    assert found(made, "across", None, cm.Design(strata="ward")) == pytest.approx(expected, rel=0.02)


def test_a_finite_population_takes_its_share_off(made):
    code = made.frame["organisation"][0]
    half = cm.Design(population={code: 2 * PEOPLE})
    assert found(made, "across", None, half) == pytest.approx(
        found(made, "across", None, None) * 0.5**0.5, rel=1e-9
    )


def test_what_raking_holds_fixed_is_no_error(made):
    """Men are a margin of the raking: their difference rests on the residuals about the means of the margin."""
    raking = cm.rake(made, STAFF, pool_below=1)
    gender = cm.estimate(made, by=["gender"]).table  # names as results have them
    assert "Male" in gender["group"].to_list()
    part = estimates_of(made, {"gender": ("gender",)}, raking, None)[0]
    row = part.keys["group"].to_list().index("Male")
    (margin,) = raking.margins[made.frame["organisation"][0]]
    y, w = cm.score(made)["morale"].to_numpy().astype(float), raking.weights.to_numpy()
    shares = [margin.codes == c for c in range(len(margin.target))]
    # The category of men is the one whose weight brings it to its share.
    (men,) = (
        c
        for c in shares
        if w[c].sum() / w.sum() == pytest.approx(0.57 * (w[~shares[-1]].sum() / w.sum()), abs=0.02)
    )
    added, _ = deviations(y, men, w)
    plain = added / w
    residual = plain.copy()
    for category in shares:
        if category.any():
            residual[category] -= plain[category].mean()
    z = w * residual
    expected = np.sqrt(PEOPLE / (PEOPLE - 1) * ((z - z.mean()) ** 2).sum())
    assert part.estimates.apart[row, part.answers.names.index("morale")] == pytest.approx(expected, rel=1e-4)


def test_results_are_told_apart_by_it(made):
    """The p-value of a heat map's cell: the difference over this error, on the degrees of freedom of the wards."""
    results = cm.estimate(made, by=["across"], design=WARDS)
    rows = with_precision(with_apart(results.table, results.beside), catalogue().score_range)
    rows = rows.filter(pl.col("measure").is_in(["morale", "recommend_place_to_work"]))
    whole = rows.filter(group="all").select(
        "measure", reference="estimate", error="std_error", people="base", freedom="df"
    )
    rows = rows.filter(group="A").join(whole, on="measure")
    morale = rows.filter(measure="morale")
    error = linearised(made, "across", np.ones(PEOPLE), "ward")
    assert morale["apart"].item() == pytest.approx(error, rel=1e-9)
    p = chance_apart(morale).item()
    ratio = (morale["estimate"] - morale["reference"]).item() / error
    # Between the degrees of freedom of nearly none and of all 30 wards.
    assert 2 * student.sf(abs(ratio), 29) <= p <= 2 * student.sf(abs(ratio), 5)
    by_ends = chance_apart(morale.drop("apart")).item()
    assert by_ends > p
    assert np.isfinite(chance_apart(rows.filter(measure="recommend_place_to_work"))).all()


def test_what_is_hidden_has_no_error_beside(made):
    groups = ["C"] * 5 + made.frame["across"].to_list()[5:]
    few = replace(made, frame=made.frame.with_columns(across=pl.Series(groups)), decision=Decision())
    results = cm.estimate(few, by=["across"])
    rows = with_apart(results.table, results.beside).filter(pl.col("breakdown") == "across")
    hidden = rows.filter(pl.col("status") != "reported")
    assert hidden.height > 0
    assert hidden["apart"].null_count() == hidden.height
