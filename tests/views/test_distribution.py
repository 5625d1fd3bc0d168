"""Bars of answers: each option on its side of the line, the middle apart, nothing that is held back."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.errors import ResultsError
from culture_metrics.views import distribution, style

AGREEMENT = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree", "Don't know"]
GOOD = [False, False, None, True, True, None]


def question(name, label, percents, good=GOOD, options=AGREEMENT, base=812):
    n = len(options)
    return pl.DataFrame(
        {
            "question": [name] * n,
            "label": [label] * n,
            "option": list(range(1, n + 1)),
            "option_label": options,
            "percent": percents,
            "base": [base] * n,
            "position": list(range(1, n + 1)),
            "beside": [o == "Don't know" for o in options],
            "favourable": good,
        },
        schema_overrides={"favourable": pl.Boolean, "percent": pl.Float64, "base": pl.Int64},
    )


@pytest.fixture
def table():
    return pl.concat(
        [
            question("q1", "Enough staff", [10.0, 20.0, 25.0, 30.0, 10.0, 5.0]),
            question("q2", "Trusted", [1.0, 4.0, 10.0, 45.0, 38.0, 2.0], base=1204),
        ]
    )


def bar(fig, name):
    return next(t for t in fig.data if t.name == name)


def test_bars_part_at_the_line_with_the_mildest_nearest(table):
    fig = distribution(table, title="Answers")
    assert bar(fig, "Unfavourable").x == (20.0, 4.0)
    assert bar(fig, "Unfavourable").base == (-20.0, -4.0)
    assert bar(fig, "Most unfavourable").base == (-30.0, -5.0)
    assert bar(fig, "Favourable").base == (0.0, 0.0)
    assert bar(fig, "Most favourable").x == (10.0, 38.0)
    assert bar(fig, "Most favourable").base == (30.0, 45.0)


def test_the_middle_and_the_answers_beside_stand_apart_at_the_right(table):
    fig = distribution(table, title="Answers")
    middle, beside = bar(fig, "In the middle"), bar(fig, "Beside the scale")
    assert middle.x == (25.0, 10.0)
    assert len(set(middle.base)) == len(set(beside.base)) == 1
    assert middle.base[0] > 45 + 38
    assert beside.base[0] > middle.base[0] + 25
    assert beside.marker.pattern.shape == "/"
    assert "Middle answers stand at the right" in fig.layout.title.text
    assert fig.layout.xaxis.range[0] <= -30
    assert fig.layout.xaxis.range[1] >= beside.base[0] + 5


def test_where_low_positions_are_favourable_the_mildest_is_still_nearest():
    good = [True, True, None, False, False, None]
    fig = distribution(
        question("q5a", "Time pressure", [10.0, 20.0, 25.0, 30.0, 10.0, 5.0], good), title="Answers"
    )
    assert bar(fig, "Favourable").x == (20.0,)
    assert bar(fig, "Most favourable").base == (20.0,)
    assert bar(fig, "Unfavourable").x == (30.0,)
    assert bar(fig, "Most unfavourable").base == (-40.0,)


def test_without_favourable_answers_the_position_decides():
    fig = distribution(
        question("q1", "Hours", [10.0, 20.0, 25.0, 30.0, 10.0, 5.0], [None] * 6), title="Answers"
    )
    assert bar(fig, "Unfavourable").x == (20.0,)
    assert bar(fig, "Favourable").x == (30.0,)
    assert bar(fig, "In the middle").x == (25.0,)


def test_a_position_beside_the_scale_may_be_null(table):
    bare = table.with_columns(position=pl.when(~pl.col("beside")).then("position"))
    assert bar(distribution(bare, title="Answers"), "Most favourable").base == (30.0, 45.0)


def test_only_bars_wide_enough_carry_a_number(table):
    fig = distribution(table, title="Answers")
    assert bar(fig, "Unfavourable").text == ("20", None)
    assert bar(fig, "Beside the scale").text == (None, None)


def test_hover_says_answer_percentage_and_base(table):
    hover = bar(distribution(table, title="Answers"), "Most favourable").hovertext
    assert hover[1] == "<b>Trusted</b><br>Strongly agree: 38.0%<br>Base 1,204"


def test_colours_are_named_by_the_answers_where_all_questions_share_them(table):
    def said(fig):
        return " ".join(a.text for a in fig.layout.annotations)

    assert "Strongly disagree" in said(distribution(table, title="Answers"))
    other = question("q3", "Often", [10.0] * 5, GOOD[:5], ["Never", "Rarely", "Sometimes", "Often", "Always"])
    mixed = said(distribution(pl.concat([table, other]), title="Answers"))
    assert "Most unfavourable" in mixed
    assert "Strongly disagree" not in mixed


def test_held_back_numbers_are_nowhere_in_the_figure(table):
    hidden = question("q3", "Bullying", [77.77, 11.11, 3.33, 4.44, 2.22, 1.13], base=7).with_columns(
        status=pl.lit("suppressed_small_base")
    )
    both = pl.concat([table.with_columns(status=pl.lit("reported")), hidden])
    fig = distribution(both, title="Answers")
    json = fig.to_json()
    for number in ("77.77", "77.8", "88.8", "11.1", "Base 7"):
        assert number not in json
    said = [a.text for a in fig.layout.annotations]
    assert "Bullying" in said
    assert "not shown: too few answers" in said
    assert fig.layout.meta["suppressed"] == 1
    assert fig.layout.meta["alt"].endswith("1 not shown.")


def test_alt_text_of_many_questions_names_the_most_and_the_fewest(table):
    assert distribution(table, title="Answers").layout.meta["alt"] == (
        "Answers. Bars of the answers to 2 questions. Most favourable answers: Trusted, 83.0%; fewest: "
        "Enough staff, 40.0%."
    )


def test_alt_text_tells_questions_that_are_level_together(table):
    level = question("q3", "Heard", [1.0, 4.0, 10.0, 40.0, 43.0, 2.0])
    said = distribution(pl.concat([table, level]), title="Answers").layout.meta["alt"]
    assert "Most favourable answers: Trusted and Heard, 83.0%; fewest: Enough staff, 40.0%." in said
    both = distribution(pl.concat([table.filter(question="q2"), level]), title="Answers").layout.meta["alt"]
    assert both.endswith("Each has 83.0% of favourable answers.")


def test_alt_text_of_one_question_lists_its_answers(table):
    alt = distribution(table.filter(question="q1"), title="Answers").layout.meta["alt"]
    assert alt.endswith("Neither 25.0%, Agree 30.0%, Strongly agree 10.0%, Don't know 5.0%.")


def test_the_house_template_is_applied_and_columns_are_checked(table):
    assert distribution(table, title="Answers").layout.template == style.template()
    with pytest.raises(ResultsError, match="no column 'beside'"):
        distribution(table.drop("beside"), title="Answers")
