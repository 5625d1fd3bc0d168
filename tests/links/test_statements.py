"""Sentences on links: every claim is held against the numbers of the row that it speaks of."""

from __future__ import annotations

import html
import re

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError
from culture_metrics.links.statements import ONE_YEAR, REMARKS
from culture_metrics.wording.numbers import p_said, p_values

ORGS, YEARS = 60, 4
#: Beds and region stay the same within an organisation, so fixed effects and changes cannot hold them equal.
CONTROLS = ("beds", "region", "x", "z")
FIGURE = re.compile(
    r"(?:£?(?P<size>[\d,.]+(?:e-?\d+)?)(?P<unit>%| percentage points| SD| points)? (?P<side>higher|lower)"
    r"|(?P<none>no different)) \(95% interval £?(?P<near>[\d,.]+(?:e-?\d+)?)(?P<first> lower)? "
    r"to £?(?P<far>[\d,.]+(?:e-?\d+)?)(?:%| percentage points| SD| points)? (?P<last>higher|lower)\)"
)


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(7)
    n, org = ORGS * YEARS, np.repeat(np.arange(ORGS), YEARS)
    z = 7 + 0.3 * rng.normal(size=ORGS)[org] + 0.3 * rng.normal(size=n)
    y = 1 - 0.2 * (z - 7) + 0.1 * rng.normal(size=ORGS)[org] + 0.05 * rng.normal(size=n)
    chance = 1 / (1 + np.exp(2 + 0.5 * (z - 7)))
    trials = rng.integers(200, 400, n)
    share = rng.binomial(trials, chance) / trials
    return pl.DataFrame(
        {
            "organisation": [f"R{i:03d}" for i in org],
            "year": np.tile(np.arange(2020, 2020 + YEARS), ORGS),
            "z": z, "x": rng.normal(size=n), "none": rng.normal(size=n), "y": y, "tiny": 1e-9 * y,
            "region": np.array(["a", "b", "c"])[org % 3], "beds": rng.uniform(300, 900, ORGS)[org],
            "share": share, "per_cent": 100 * share, "trials": trials,
            "cases": rng.poisson(200 * chance), "bed_days": rng.uniform(1e5, 3e5, n),
            "rating": np.clip(np.round(2 - 1.5 * (z - 7) + rng.logistic(size=n)), 1, 3).astype(int),
            "flag": (z + 0.5 * rng.normal(size=n) > 7).astype(int),
            "spend": np.exp(14 - (z - 7) + rng.normal(size=n) / 5), "w": 1 + 4 * (org % 2),
        }
    )  # fmt: skip


OUTCOMES = {
    "continuous": cm.Outcome("y", "continuous", unit="points"),
    "ratio": cm.Outcome("y", "ratio", unit="deaths per expected death"),
    "tiny": cm.Outcome("tiny", "continuous"),
    "share as a number": cm.Outcome("share", "continuous", unit="share of staff"),
    "per cent as a number": cm.Outcome("per_cent", "continuous", unit="surplus in % of income"),
    "share of, in per cent": cm.Outcome("per_cent", "continuous", unit="share of staff"),
    "proportion": cm.Outcome("share", "proportion", base="trials"),
    "rate in per cent": cm.Outcome("per_cent", "rate", percent=True),
    "count": cm.Outcome("cases", "count", exposure="bed_days"),
    "ordinal": cm.Outcome("rating", "ordinal", levels=("1", "2", "3")),
    "binary": cm.Outcome("flag", "binary"),
    "money": cm.Outcome("spend", "money", unit="£"),
}
DESIGNS = (
    "cross_section", "pooled", "lagged", "fixed_effects", "within_between", "mixed", "first_difference",
    "cross_lagged",
)  # fmt: skip


def told(row):
    """Effect and interval of a row in what its sentence counts, and what that is."""
    ends = [row["effect"], row["effect_low"], row["effect_high"]]
    if row["link"] == "log" or row["family"] == "ordinal":
        return [100 * (end - 1) for end in ends], "%"
    if row["link"] == "logit":
        return ends, " percentage points"
    if row["design"] == "cross_lagged":
        return ends, " SD"
    if row["outcome"] == "share":
        return [100 * end for end in ends], " percentage points"
    return ends, {"per_cent": " percentage points", "points": " points"}.get(
        row["outcome"], " points" if row["unit"] == "points" else None
    )


def exact(text, value):
    """Whether a printed number is a value, rounded to the digits that are printed."""
    text = text.replace(",", "")
    if "e" in text:
        return float(text) == pytest.approx(value, rel=0.06)
    return abs(float(text) - value) <= 0.5000001 * 10.0 ** -len(text.partition(".")[2])


def check_figures(said, row):
    (value, low, high), unit = told(row)
    found = FIGURE.search(said)
    assert found, said
    if found["none"]:
        assert exact(found["near"].translate(str.maketrans("123456789", "0" * 9)), abs(value)), said
    else:
        assert found["size"].strip("0.,"), f"a size of nothing with a side: {said}"
        assert exact(found["size"], abs(value)), said
        assert (found["side"] == "higher") == (value > 0), said
        assert found["unit"] == unit, said
    near, far = sorted((abs(low), abs(high))) if low * high > 0 else (-low, high)
    assert exact(found["near"], near), said
    assert exact(found["far"], far), said
    assert bool(found["first"]) == (low <= 0 <= high), said
    assert (found["last"] == "higher") == (high > 0), said


def check_words(said, row, left_out, indicators):
    within = row["term"] == "within" or (row["design"] == "fixed_effects" and row["term"] == "overall")
    assert ("above its own average" in said) == within, said
    assert ("whose average" in said) == (row["term"] == "between"), said
    assert (" a year later" in said) == (row["lag"] == 1), said
    held = re.search(r"\), (.*?) held equal;", said)
    parts = re.split(r", | and ", held[1]) if held else []
    own = indicators if len(indicators) > 1 else [row["indicator"]]
    for name in CONTROLS:
        assert (name in parts) == (name not in own and name not in left_out), said
    assert ("year" in parts) == (row["design"] != "cross_section" and row["n_years"] > 1), said
    assert ("the other indicators" in parts) == (len(indicators) > 1), said
    earlier = [part for part in parts if part.endswith("in the earlier year")]
    assert bool(earlier) == (row["lag"] == 1), said
    assert (ONE_YEAR in said) == (row["n_years"] == 1), said
    for flag, remark in REMARKS.items():
        assert (remark in said) == (flag in row["flags"]), said
    assert f"{row['base']:,} organisation" in said
    assert f"{row['n_orgs']:,} organisations" in said
    assert not re.search(r"p 0\.000|-0\.0\b|nan|inf ", said), said


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_claim_is_true_of_its_row(panel, name):
    found = 0
    for design in DESIGNS:
        try:
            link = cm.link_outcomes(panel, "z", OUTCOMES[name], design=design, controls=CONTROLS)
        except LinkError:
            continue  # the kind has no such design
        found += check_all(link, ["z"])
    assert found >= 3


def test_other_indicators_and_controls_that_are_indicators(panel):
    """An indicator is not held equal to itself, alone or in one model with others."""
    for together in (True, False):
        link = cm.link_outcomes(
            panel, ["z", "none"], OUTCOMES["continuous"], design=["pooled", "fixed_effects", "within_between"],
            controls=CONTROLS, one_at_a_time=not together,
        )  # fmt: skip
        assert check_all(link, ["z", "none"] if together else ["z"]) >= 8
    alone = cm.link_outcomes(panel, "z", "y", controls=["z", "x"]).table.row(0, named=True)
    without = cm.link_outcomes(panel, "z", "y", controls=["x"]).table.row(0, named=True)
    assert alone["estimate"] == without["estimate"]


@pytest.mark.parametrize(("weights", "rests"), [("even", False), ("w", False), ("odd", True)])
def test_weights_are_rested_on_only_where_they_change_the_result(panel, weights, rests):
    heavy = (pl.col("x") * (pl.col("z") - 7) > 0).cast(pl.Float64) * 49 + 1
    given = panel.with_columns(even=pl.lit(3.0), odd=heavy, y=pl.col("y") + pl.col("x"))
    link = cm.link_outcomes(given, "z", "y", weights=weights, cov="cluster")
    row = link.table.row(0, named=True)
    plain = link.table.filter(pl.col("model_id").str.ends_with("; unweighted")).row(0, named=True)
    apart = (
        row["estimate"] * plain["estimate"] < 0
        or abs(row["estimate"] - plain["estimate"]) > abs(row["estimate"]) / 4
    )
    assert (apart and min(row["p_value"], plain["p_value"]) < 0.05) == rests
    said = link.statements[0]
    assert ("This rests on the weights" in said) == rests == ("weights_matter" in row["flags"])
    for number in (row, plain):
        p = "p < 0.001" if number["p_value"] < 0.001 else f"p {number['p_value']:.3f}"
        assert f"{number['estimate']:.3g} ({p})" in said
    assert any("rest on the weights" in line for line in link.warnings) == rests


def test_slopes_that_are_both_unclear_rest_on_nothing(panel):
    """Of noise, weights turn the sign, and no result is another."""
    for seed in range(40):
        noise = pl.Series("y", np.random.default_rng(seed).normal(size=panel.height))
        link = cm.link_outcomes(panel.with_columns(noise), "none", "y", weights="w")
        pair = link.table.select("estimate", "p_value")
        if pair["estimate"].product() < 0 and pair["p_value"].min() > 0.05:
            assert "rests on the weights" not in link.statements[0]
            return
    pytest.fail("no such draw")


def test_a_figure_of_nothing_has_no_side(panel):
    """Organisations in pairs whose slopes are each other's mirror: together 0, neither higher nor lower."""
    zigzag, org = np.tile([-1.0, 1.0, -1.0, 1.0], ORGS), np.repeat(np.arange(ORGS), YEARS)
    flat = panel.with_columns(
        z=pl.Series(zigzag + org % 7),
        y=pl.Series(zigzag * (1 - 2 * (org % 2)) * (1 + org // 2) + org % 5),
    )
    link = cm.link_outcomes(flat, "z", "y", design="fixed_effects", year_effects=False)
    assert abs(link.table["estimate"][0]) < 1e-12
    assert "its y was no different (95% interval" in link.statements[0]


def check_all(link, indicators):
    """Check every sentence of a result and count those with figures."""
    found = 0
    left_out: dict[str, list[str]] = {}
    for model, column in (
        link.sample.filter(pl.col("step").str.contains("left out")).select("model_id", "column").iter_rows()
    ):
        left_out.setdefault(model, []).append(column.split(": ")[0])
    for said, row in zip(link.statements, link.table.to_dicts(), strict=True):
        if row["estimate"] is None:
            assert "no figures" in said
            continue
        check_figures(said, row)
        check_words(said, row, left_out.get(row["model_id"], []), indicators)
        found += 1
    return found


def test_shares_of_other_verbs_are_in_percentage_points(panel):
    """A share held as a fraction: mediation, moderation and specifications say it in points, times 100."""
    share = OUTCOMES["share as a number"]
    paths = cm.links.mediate(panel, "z", "x", share, draws=200)
    total = paths.table.filter(path="total")["estimate"].item()
    assert (
        f"of a total of {-100 * abs(total):.2f} percentage".replace("-", "\N{MINUS SIGN}") in paths.summary()
    )
    drawn = paths.figure()
    assert "Difference in share (percentage points)" in str(drawn.layout)
    slopes = cm.links.moderate(panel, "z", "beds", share)
    middle = slopes.slopes.filter(label="beds at its mean")["estimate"].item()
    size = re.search(r"beds at its mean it is \N{MINUS SIGN}([\d.]+) percentage points", slopes.summary())
    assert exact(size[1], 100 * abs(middle))
    curve = cm.specification_curve(panel, "z", share)
    assert ", in percentage points: " in curve.summary()
    low = re.search(r"estimates \N{MINUS SIGN}([\d.]+) to", curve.summary())
    assert exact(low[1], 100 * abs(curve.table["estimate"].min()))


@pytest.mark.parametrize("outcome", ["proportion", "rate in per cent", "binary"])
def test_lines_of_shares_are_drawn_in_per_cent(panel, outcome):
    found = cm.links.moderate(panel, "z", "beds", OUTCOMES[outcome])
    fig = found.figure()
    assert fig.layout.yaxis.title.text.endswith("(%)")
    middle = next(
        trace for trace in fig.data if trace.name and "mean" in trace.name and trace.mode == "lines"
    )
    mean = 100 * panel["flag" if outcome == "binary" else "share"].mean()
    assert np.median(middle.y) == pytest.approx(mean, abs=2)


def test_the_scale_and_the_level_of_intervals_are_said(panel):
    assert "90% interval" in cm.links.moderate(panel, "z", "beds", "y", conf_level=0.9).summary()
    assert "99.5% interval" in cm.links.mediate(panel, "z", "x", "y", conf_level=0.995, draws=200).summary()
    assert "logit scale" in cm.specification_curve(panel, "z", OUTCOMES["proportion"]).summary()


def test_figures_say_the_level_of_their_intervals(panel):
    link = cm.link_outcomes(panel, "z", "y", conf_level=0.9)
    assert all("95%" not in said for said in link.statements)
    figures = [
        link.figure(), link.figure_designs(), link.figure_influence(),
        cm.links.mediate(panel, "z", "x", "y", conf_level=0.9, draws=200).figure(),
        cm.links.moderate(panel, "z", "beds", "y", conf_level=0.9).figure(),
        cm.links.relative_weights(panel, ["z", "x"], "y", conf_level=0.9, draws=200).figure(),
        cm.specification_curve(panel, "z", "y", conf_level=0.9).figure(),
    ]  # fmt: skip
    for fig in figures:
        shown = fig.to_json()
        assert "90% interval" in shown
        assert "95%" not in shown


def test_a_small_p_is_said_alike_everywhere(panel):
    """Sentences, hovering and the table of checks; 0.05 has three decimals."""
    strong = panel.with_columns(y=pl.col("y") + pl.col("z") * pl.col("beds"))
    assert "p < 0.001" in cm.links.moderate(strong, "z", "beds", "y").summary()
    link = cm.link_outcomes(panel, ["z", "none"], "y")
    hover = [html.unescape(text) for trace in link.figure().data for text in (trace.hovertext or ())]
    assert any(text.endswith("; p < 0.001") for text in hover), hover
    p = link.table.filter(indicator="none", role="main")["p_value"].item()
    assert any(f"; p {p:.3f}" in text for text in hover)


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.0, "p < 0.001"), (0.00099, "p < 0.001"), (0.001, "p 0.001"), (0.05, "p 0.050"), (1.0, "p 1.000")],
)
def test_p_values_in_words(p, said):
    assert p_said(p) == said
    assert pl.DataFrame({"p": [p]}).select(p_values("p")).item() == said


def test_outcomes_of_any_size_have_the_same_statistics(panel):
    """A column is constant beside its own size: one of 1e-12 is no constant, as control or as outcome."""
    small = panel.with_columns(y12=pl.col("y") * 1e-12, x12=pl.col("x") * 1e-12)
    for design in DESIGNS:
        one, other, control = (
            cm.link_outcomes(small, "z", outcome, design=design, controls=[held], cov="auto").table[
                "statistic"
            ]
            for outcome, held in (("y", "x"), ("y12", "x"), ("y", "x12"))
        )
        assert other.to_list() == pytest.approx(one.to_list(), rel=1e-6), design
        assert control.to_list() == pytest.approx(one.to_list(), rel=1e-6), design


def test_a_step_far_beyond_the_data_is_said_and_not_a_crash(panel):
    """A ratio of means beyond the largest number there is."""
    link = cm.link_outcomes(
        panel.with_columns(down=-pl.col("z")), "down", OUTCOMES["count"], standardise={"down": 1e6}
    )
    assert link.table["effect"][0] == float("inf")
    assert "inf% higher" in link.statements[0]
