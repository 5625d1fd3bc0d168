"""Figures of links: panels, one step for all designs, and slopes without each organisation."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.errors import ResultsError
from culture_metrics.views import designs, forest, influence, scatter
from culture_metrics.views import lines as draw_lines


@pytest.fixture
def table():
    """SHMI on engagement: pooled, within, lagged with another step, a ratio model; and a rating."""
    rows = [
        ("SHMI", "pooled", "overall", "main", "m1", 0.08, "identity", -0.020, "SHMI"),
        (
            "SHMI",
            "within_between",
            "within",
            "sensitivity",
            "m1; within_between",
            0.08,
            "identity",
            -0.001,
            "SHMI",
        ),
        ("SHMI", "lagged", "overall", "sensitivity", "m1; lagged", 0.16, "identity", -0.004, "SHMI"),
        ("SHMI", "pooled", "overall", "sensitivity", "m1; Poisson", 0.16, "log", 0.81, "ratio"),
        ("Rating", "pooled", "overall", "main", "m2", 0.08, "logit", 1.5, "odds ratio"),
    ]
    columns = [
        "outcome_label",
        "design",
        "term",
        "role",
        "model_id",
        "step",
        "link",
        "effect",
        "effect_scale",
    ]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        indicator=pl.lit("staff_engagement"),
        step_label=pl.format("+1 SD ({})", "step"),
        effect_low=pl.col("effect") - 0.01,
        effect_high=pl.col("effect") + 0.01,
        base=pl.lit(1073),
        n_orgs=pl.lit(144),
        p_value=pl.lit(0.0123),
        design_label=pl.col("design").replace(
            {"pooled": "All years together", "lagged": "Outcome a year later, given the outcome now"}
        ),
    )


def texts(fig):
    return [a.text for a in fig.layout.annotations]


def test_a_forest_has_a_panel_for_each_outcome(table):
    fig = forest(table.filter(role="main"), title="Links")
    assert {"SHMI", "Rating"} <= set(texts(fig))
    assert fig.layout.xaxis.title.text == "Difference in SHMI, per +1 SD"
    assert (fig.layout.xaxis.type, fig.layout.xaxis2.type) == ("linear", "log")
    assert (
        "SHMI, Staff engagement: \N{MINUS SIGN}0.020 (95% interval \N{MINUS SIGN}0.030 to "
        in fig.layout.meta["alt"]
    )
    assert any(
        "+1 SD (0.08); 144 organisations, 1073 organisation-years; p 0.012" in h
        for t in fig.data
        for h in t.hovertext
    )


def test_designs_stand_on_one_axis_for_one_step(table):
    between = table.filter(term="within").with_columns(term=pl.lit("between"))
    fig = designs(pl.concat([table.filter(outcome_label="SHMI"), between]), title="One link")
    alt = fig.layout.meta["alt"]
    # The lagged slope was for a step twice as large: half of it is for the main one. Ratios: the root.
    assert "Outcome a year later, given the outcome now: \N{MINUS SIGN}0.0020 " in alt
    assert "Ratio, All years together: Poisson: 0.9" in alt
    assert "Within organisations (both in one model): \N{MINUS SIGN}0.001" in alt
    main = [t for t in fig.data if t.name == "picked out" and len(t.x)]
    assert [t.x for t in main] == [(-0.02,)]


def test_a_row_that_failed_says_so(table):
    empty = [pl.lit(None, pl.Float64).alias(c) for c in ("effect", "effect_low", "effect_high", "p_value")]
    failed = table.filter(role="main", outcome_label="SHMI").with_columns(empty)
    assert "not estimated" in texts(forest(failed, title="Links"))


def test_influence_names_those_that_move_the_slope_most():
    table = pl.DataFrame({"organisation": [f"R{i:02d}" for i in range(30)]}).with_columns(
        estimate=-0.02 + 0.0001 * pl.int_range(30)
    )
    table = table.with_columns(
        estimate=pl.when(pl.col("organisation") == "R07").then(0.01).otherwise("estimate")
    )
    fig = influence(
        table, estimate=-0.0185, conf_low=-0.03, conf_high=-0.005, x_title="Slope", title="Without each"
    )
    named = next(t for t in fig.data if t.name == "named")
    assert len(named.x) == 5
    assert max(named.x) == 0.01
    assert "R07" in texts(fig)
    assert fig.layout.xaxis.range[0] < -0.03
    assert "(without R07)" in fig.layout.meta["alt"]


@pytest.fixture
def lines():
    return pl.DataFrame(
        {"line": ["a", "a", "b", "b"], "x": [0.0, 1.0, 0.0, 1.0], "estimate": [1.0, 2.0, 1.0, 1.99],
         "conf_low": [0.9, 1.8, 0.9, 1.7], "conf_high": [1.1, 2.2, 1.1, 2.1]}
    )  # fmt: skip


def test_lines_differ_in_colour_and_dash_and_are_named(lines):
    fig = draw_lines(lines, x_title="x", y_title="y", title="Slopes")
    drawn = {t.name: t.line for t in fig.data if "interval" not in t.name}
    assert drawn["a"].color != drawn["b"].color
    assert drawn["a"].dash != drawn["b"].dash
    ends = [a for a in fig.layout.annotations if a.text in ("a", "b")]
    assert len({a.ay for a in ends}) == 2


def test_scatter_shows_each_organisation_once(lines):
    points = pl.DataFrame({"organisation": ["RAA", "R<B"], "x": [0.1, 0.4], "y": [1.2, 1.3], "years": [3, 4]})
    fig = scatter(points, lines, x_title="x", y_title="y", title="Dots")
    dots = next(t for t in fig.data if t.name == "organisations")
    assert dots.hovertext == ("<b>RAA</b><br>3 years", "<b>R&lt;B</b><br>4 years")
    with pytest.raises(ResultsError, match="more than one row"):
        scatter(pl.concat([points, points]), lines, x_title="x", y_title="y", title="Dots")
