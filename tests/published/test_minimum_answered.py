"""How many answers a sub-score needs: what the official 2024 workbook proves, and the rule that fits all of it."""

from __future__ import annotations

from math import ceil

import polars as pl
import pytest

from culture_metrics.catalogue import catalogue

#: One step of an answer on the scale from 0 to 10.
STEP = 2.5


@pytest.fixture(scope="module")
def figures(published_2024):
    """Scores and their bases, by organisation and official code; largest base of each organisation."""
    codes = {m.id: m.code for m in published_2024.edition.measures.values()}
    table = published_2024.table.filter(breakdown="all", status="reported").with_columns(
        code=pl.col("measure").replace(codes), most=pl.col("base").max().over("organisation")
    )
    return table.select("organisation", "code", "unit", "estimate", "base", "weighting", "most")


def wide(figures, *codes):
    """Bases of some measures, an organisation a row."""
    some = figures.filter(pl.col("code").is_in(codes))
    signed = some.cast({"base": pl.Int64, "most": pl.Int64})
    return signed.pivot("code", index=["organisation", "most"], values="base").drop_nulls()


def test_two_answers_are_not_enough_where_a_part_of_the_score_has_more_people(figures):
    """Whoever has E_3 has two answers of PP1_1, whoever has M_2 two of PP4_1."""
    below = {
        (large, part): wide(figures, large, part).filter(pl.col(large) < pl.col(part)).height
        for large, part in (("PP1_1", "E_3"), ("PP4_1", "M_2"))
    }
    assert below == {("PP1_1", "E_3"): 28, ("PP4_1", "M_2"): 8}


def fewest(total: float, questions: int) -> int:
    """The fewest answers that somebody scored must have had, as the sum of person means is a fraction of that.

    With k answers a mean is a multiple of STEP / k; the fraction of a sum is of the common multiple of all k there.
    """
    denominator = 1
    for answers in range(questions, 1, -1):
        denominator *= answers
        if abs(total / STEP * denominator - round(total / STEP * denominator)) < 1e-6 * denominator:
            return answers
    return 0


@pytest.mark.parametrize(
    ("code", "questions", "answers", "organisations"),
    [("PP1_1", 5, 3, 14), ("PP3_1", 7, 5, 6), ("PP7_1", 8, 5, 3)],
)
def test_people_with_so_few_answers_are_scored(figures, code, questions, answers, organisations):
    """Of organisations that are not weighted, base times score is a sum of person means."""
    bare = figures.filter(code=code).join(
        figures.filter(code="q2a", weighting="none").select("organisation"), on="organisation"
    )
    found = [fewest(mean * base, questions) for mean, base in bare.select("estimate", "base").rows()]
    assert len(found) == 46
    assert found.count(answers) == organisations
    assert not any(0 < n < answers for n in found)


def test_four_answers_for_autonomy_would_take_people_who_are_not_there(figures):
    """Who has no score has at most m - 1 answers; with m of 4 one organisation lacks 56 respondents for it."""
    edition = catalogue().edition(2024)
    items = [edition.questions[i].code for i in edition.measure("PP3_1").items]
    bases = wide(figures, "PP3_1", *items)
    left = pl.sum_horizontal(items) - len(items) * pl.col("PP3_1")
    lacking = {
        m: bases.select(pl.col("PP3_1") + (left / (m - 1)).clip(0, None) - pl.col("most")).max().item()
        for m in (4, 5)
    }
    assert lacking[4] == pytest.approx(56, abs=0.5)
    assert lacking[5] < lacking[4]


def test_one_rule_gives_every_minimum():
    """60 % of the questions that are put to everyone, rounded up; of appraisals, of all three."""
    for edition in catalogue():
        for score in edition.scores.values():
            if score.items and score.rule is None:
                asked = [i for i in score.items if not edition.questions[i].asked_if]
                assert score.minimum == ceil(0.6 * len(asked)), (edition.period, score.code)
    proved = {
        m.code
        for m in catalogue().edition(2024).scores.values()
        if m.items and not any("are needed" in text for text in m.unconfirmed)
    }
    assert {"PP1_1", "PP3_1", "PP7_1"} < proved
    assert not {"PP2", "PP4_1", "PP4_3", "PP5_1"} & proved
