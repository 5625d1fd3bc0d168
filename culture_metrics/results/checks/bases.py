"""Bases: groups against the whole, headlines against all answers, options against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.results.checks.common import KEY, full_key, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.problems import Problem

RULE = "bases that do not fit"
BASE = pl.col("base")
MIXED_UP = "Look whether the columns or the years are mixed up."


def group_bases(table: pl.DataFrame, own: str) -> Iterator[Problem]:
    """Report groups with larger bases than the whole, one by one and together."""
    key = ["survey", "period", "organisation", own]
    based = table.filter(BASE > 0).unique([*key, "breakdown", "group"], maintain_order=True)
    whole = based.filter(pl.col("breakdown") == ALL).group_by(key).agg(BASE.max().alias("whole"))
    groups = based.filter(pl.col("breakdown") != ALL).join(whole, on=key)
    above = groups.filter(pl.col("whole") < BASE)
    if above.height:
        words = ("a group with a larger base than the whole", "groups that are parts of the whole", MIXED_UP)
        yield problem(above, "error", RULE, "base", words)
    together = (
        groups.join(above, on=[*key, "breakdown"], how="anti")
        .group_by([*key, "breakdown"], maintain_order=True)
        .agg(BASE.sum(), pl.col("whole").first())
        .filter(pl.col("whole") < BASE)
    )
    if together.height:
        words = (
            "groups of a breakdown that have more answers together than the whole",
            "groups that do not overlap",
            "Look for a group that stands twice or under two names.",
        )
        yield problem(together, "warning", RULE, "base", words)


def headline_bases(figures: pl.DataFrame, answers: pl.DataFrame) -> Iterator[Problem]:
    """Report headline percentages with a larger base than all answers to the question."""
    whole = answers.group_by([*KEY, "question"]).agg(BASE.max().alias("whole"))
    percent = figures.filter(pl.col("unit") == "percent")
    rows = percent.join(whole, left_on=[*KEY, "measure"], right_on=[*KEY, "question"]).filter(
        pl.col("whole") < BASE
    )
    if rows.height:
        words = (
            "a headline percentage with a larger base than all answers to its question",
            "a base of at most all answers",
            MIXED_UP,
        )
        yield problem(rows, "error", RULE, "base", words)


def one_base(answers: pl.DataFrame) -> Iterator[Problem]:
    """Report questions whose options have different bases."""
    each = answers.group_by(full_key(answers, "question"), maintain_order=True)
    rows = each.agg(BASE.drop_nulls().n_unique()).filter(BASE > 1)
    if rows.height:
        words = (
            "more than one base for the options of a question",
            "one base for all options of a question",
            "Look them up in the source.",
        )
        yield problem(rows, "warning", "options with different bases", "base", words)


def nothing(table: pl.DataFrame) -> Iterator[Problem]:
    """Report figures on a base of nought."""
    rows = table.filter(BASE < 1)
    if rows.height:
        words = ("a figure on a base of nought", "a base of at least 1", "Look them up in the source.")
        yield problem(rows, "error", "figures without a base", "base", words)
