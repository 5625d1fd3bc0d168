"""The figure of all scores: right values, right words, nothing that is held back."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ResultsError
from culture_metrics.views import scores, style

NAMES = ["Morale", "Thinking about leaving", "Work pressure", "Stressors"]


@pytest.fixture
def table():
    """Four scores; the third is held back but its numbers were left in the table by mistake."""
    return pl.DataFrame(
        {
            "measure": ["morale", "thinking_about_leaving", "work_pressure", "stressors"],
            "label": NAMES,
            "level": ["theme", "sub_score", "sub_score", "sub_score"],
            "estimate": [5.94, 6.12, 3.777, 6.41],
            "conf_low": [5.84, 6.00, 3.666, 6.30],
            "conf_high": [6.04, 6.24, 3.888, 6.52],
            "base": [812, 1204, 6, 809],
            "best": [6.6, 6.9, 6.0, 7.0],
            "median": [6.0, 6.0, 5.2, 6.3],
            "worst": [5.3, 5.4, 4.4, 5.9],
            "organisations": [122] * 4,
            "status": ["reported", "reported", "suppressed_small_base", "reported"],
        }
    )


def trace(fig, name):
    return next(t for t in fig.data if t.name == name)


def words(fig):
    return [a.text for a in fig.layout.annotations]


def test_dots_and_whiskers_stand_at_the_values(table):
    dots = trace(scores(table, title="Scores"), "This organisation")
    assert dots.x == (5.94, 6.12, 6.41)
    assert dots.error_x.array == pytest.approx([0.10, 0.12, 0.11])
    assert dots.error_x.arrayminus == pytest.approx([0.10, 0.12, 0.11])


def test_rows_run_from_top_to_bottom_in_the_order_of_the_table(table):
    fig = scores(table, title="Scores")
    y = trace(fig, "Median").y
    assert list(y) == sorted(y)
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1] == 0
    labels = {a.text: a.y for a in fig.layout.annotations if a.text in NAMES}
    assert sorted(labels, key=labels.get) == NAMES


def test_sub_scores_are_indented_and_themes_bold(table):
    fig = scores(table, title="Scores", parts=["sub_score"])
    labels = {a.text: a for a in fig.layout.annotations if a.text in NAMES}
    assert labels["Stressors"].xshift == labels["Morale"].xshift + 16
    assert labels["Morale"].font.weight == 600
    assert labels["Stressors"].font.weight is None


def test_the_line_runs_from_worst_to_best_with_the_median_marked(table):
    fig = scores(table, title="Scores")
    line = trace(fig, "Worst to best")
    assert line.x == (5.3, 6.6, None, 5.4, 6.9, None, 4.4, 6.0, None, 5.9, 7.0, None)
    assert trace(fig, "Median").x == (6.0, 6.0, 5.2, 6.3)
    assert [words(fig).count(w) for w in ("worst", "median", "best")] == [1, 1, 1]


def test_the_axis_holds_every_mark(table):
    low, high = scores(table, title="Scores").layout.xaxis.range
    assert low < 4.4
    assert high > 7.0


def test_values_and_intervals_are_written_in_columns(table):
    said = words(scores(table, title="Scores"))
    assert {"5.94", "5.84 to 6.04", "6.41", "6.30 to 6.52", "95% interval"} <= set(said)
    assert said.count("not shown") == 1


def test_held_back_numbers_are_nowhere_in_the_figure(table):
    fig = scores(table, title="Scores")
    json = fig.to_json()
    for number in ("3.777", "3.78", "3.666", "3.67", "3.888", "3.89", "0.111"):
        assert number not in json
    assert "Base 6" not in json
    assert fig.layout.meta["suppressed"] == 1
    assert "base 809 to 1,204" in fig.layout.title.text.lower()


def test_hover_says_value_interval_base_and_group(table):
    hover = trace(scores(table, title="Scores"), "This organisation").hovertext[1]
    assert hover == (
        "<b>Thinking about leaving</b><br>Value 6.12<br>95% interval 6.00 to 6.24<br>Base 1,204"
        "<br>122 organisations: worst 5.40, median 6.00, best 6.90"
    )


def test_alt_text_names_highest_lowest_position_and_what_is_not_shown(table):
    assert scores(table, title="Scores of RXX").layout.meta["alt"] == (
        "Scores of RXX. Dot plot of 4 scores. Highest: Stressors, 6.41; lowest: Morale, 5.94. Compared with "
        "the median of 122 organisations, 2 are above and 1 below. 1 not shown."
    )


def test_without_a_benchmark_group_only_dots_are_drawn(table):
    alone = table.with_columns(pl.lit(None, pl.Float64).alias(c) for c in ("best", "median", "worst"))
    fig = scores(alone.with_columns(organisations=pl.lit(None, pl.Int64)), title="Scores")
    assert [t.name for t in fig.data] == ["This organisation"]
    assert "median" not in words(fig)
    assert "median" not in fig.layout.meta["alt"]


def test_without_intervals_their_column_is_left_out(table):
    bare = table.with_columns(pl.lit(None, pl.Float64).alias(c) for c in ("conf_low", "conf_high"))
    fig = scores(bare, title="Scores")
    assert "95% interval" not in words(fig)
    assert fig.layout.margin.r < scores(table, title="Scores").layout.margin.r


def test_nothing_to_show_is_still_a_figure(table):
    empty = table.with_columns(status=pl.lit("suppressed_small_base"))
    columns = ["best", "median", "worst"]
    fig = scores(empty.with_columns(pl.lit(None, pl.Float64).alias(c) for c in columns), title="Scores")
    assert fig.layout.meta["suppressed"] == 4
    assert fig.layout.meta["alt"] == "Scores. Dot plot of 4 scores. 4 not shown."


def test_the_house_template_is_applied_and_text_measured(table):
    fig = scores(table, title="Scores")
    assert fig.layout.template == style.template()
    longer = table.with_columns(
        pl.col("label").str.replace("Morale", "A much longer label than there was before")
    )
    assert scores(longer, title="Scores").layout.margin.l > fig.layout.margin.l


def test_all_thirty_scores_fit_in_the_official_order():
    found = catalogue().edition(2024).scores
    n = len(found)
    table = pl.DataFrame(
        {
            "measure": list(found),
            "label": [m.label for m in found.values()],
            "level": [m.level for m in found.values()],
            "estimate": [5 + 0.1 * i for i in range(n)],
            "base": [100] * n,
        }
    ).with_columns(
        pl.lit(None, pl.Float64).alias(c)
        for c in ("conf_low", "conf_high", "best", "median", "worst", "organisations")
    )
    fig = scores(table, title="Scores")
    dots = trace(fig, "This organisation")
    assert len(dots.y) == n == 30
    assert min(b - a for a, b in zip(dots.y, dots.y[1:], strict=False)) >= 24


def test_a_missing_column_is_named(table):
    with pytest.raises(ResultsError, match="no column 'median'"):
        scores(table.drop("median"), title="Scores")
