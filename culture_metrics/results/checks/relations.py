"""Figures against what they follow from by the catalogue: headlines from distributions, scores from parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.results.checks.common import EXACT, decimal_unit, full_key, problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from culture_metrics.catalogue import Edition, Measure
    from culture_metrics.problems import Problem

#: How far a score may be off its parts: where nobody lacks one, for each who does, and by chance, times the
#: root of how many do. The official scores of 2024 are off by 0.002 where the bases are the same, else by at
#: most 0.05; where no bases say how many lack a part, so much is allowed.
EQUAL, APART, CHANCE, UNKNOWN = 0.01, 0.1, 6.0, 0.2
#: How much more those who lack a part may count: the square of what weights take off the base; where that is
#: not known, twice.
HEAVY = 2.0
LOOK_UP = "Look both up in the source."


def headlines(figures: pl.DataFrame, answers: pl.DataFrame) -> Iterator[Problem]:
    """Report headline percentages, and bases, that are not those of their own distribution."""
    key = [c for c in full_key(answers) if c in figures.columns]
    answers = answers.with_columns(unit=decimal_unit("percent"))
    each = (
        answers.with_columns(pl.col("option").cast(pl.Int64))
        .join(_options(figures), on=["survey", "period", "question", "option"])
        .group_by(*key, "measure")
        .agg(
            counted=pl.col("percent").filter("counts").sum(),
            inside=pl.when(pl.col("needed").first() > 1)
            .then(pl.col("percent").filter("inside").sum())
            .otherwise(100.0),
            options=pl.len(),
            needed=pl.col("needed").first(),
            leaves=pl.col("leaves").first(),
            unit=pl.col("unit").min(),
            whole=pl.col("base").max(),
        )
        .filter(pl.col("options") == pl.col("needed"), pl.col("inside") > 0)
    )
    percent = figures.filter(pl.col("unit") == "percent").with_columns(own=decimal_unit("estimate"))
    both = percent.drop("unit").join(each, on=[*key, "measure"])
    rounding = pl.col("own") / 2 + 100 * pl.col("unit") * pl.col("options") / pl.col("inside")
    off = (pl.col("estimate") - 100 * pl.col("counted") / pl.col("inside")).abs()
    rows = both.filter(off > rounding + EXACT)
    if rows.height:
        words = (
            f"headline percentages up to {rows.select(off.max()).item():.2g} points off what their own "
            "distributions say",
            "the share of the answers that count among those in the base",
            LOOK_UP,
        )
        yield problem(rows, "error", "headlines that contradict their distribution", "estimate", words)
    # Weighted, the share of those in the base says nothing about how many there are.
    plain = pl.col("weighting") == "none" if "weighting" in key else pl.lit(value=False)
    least = 1 + pl.col("unit") * pl.col("options") * pl.col("whole") / 100
    inside = pl.when("leaves").then(pl.col("whole") * pl.col("inside") / 100).otherwise("whole")
    rows = both.filter(
        plain | ~pl.col("leaves"),
        pl.col("base") <= pl.col("whole"),
        (pl.col("base") - inside).abs() > pl.when("leaves").then(least).otherwise(0),
    )
    if rows.height:
        words = (
            "headline percentages on another base than their own distributions say",
            "the number of answers that are in the base",
            LOOK_UP,
        )
        yield problem(rows, "error", "bases that contradict their distribution", "base", words)


def _options(figures: pl.DataFrame) -> pl.DataFrame:
    """List what each option of a question does in the headline of an edition."""
    rows = [
        (edition.survey.id, edition.period, measure.id, measure.question, option, *told)
        for edition in _editions(figures)
        for measure in edition.percentages.values()
        for option, *told in _counts(edition, measure)
    ]
    schema = {
        "survey": pl.String, "period": pl.String, "measure": pl.String, "question": pl.String,
        "option": pl.Int64, "counts": pl.Boolean, "inside": pl.Boolean, "needed": pl.UInt32,
        "leaves": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _counts(edition: Edition, measure: Measure) -> Iterable[tuple[int, bool, bool, int, bool]]:
    """Return the options that make a headline: does each count, is it in the base, how many; are some not.

    Of ticks the base is all who ticked anything, and the others say nothing about one.
    """
    question = edition.questions[measure.question or ""]
    if measure.option is not None:
        return [(measure.option, True, True, 1, False)]
    options = tuple(question.scale.labels)
    return [
        (o, o in question.positive, o not in question.out_of_base, len(options), bool(question.out_of_base))
        for o in options
    ]


def parts(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report scores further from the mean of their parts than people who lack one explain.

    A score of a person is the mean of the parts that this person has: with all parts for all, the mean of the
    parts' means. How many lack one is what the bases differ by.
    """
    made = [
        (edition.survey.id, edition.period, measure.id, part, len(measure.parts))
        for edition in _editions(figures)
        for measure in edition.scores.values()
        for part in measure.parts
    ]
    names = ["survey", "period", "whole", "measure", "needed"]
    tree = pl.DataFrame(
        made, schema=dict.fromkeys(names[:4], pl.String) | {"needed": pl.UInt32}, orient="row"
    )
    key = full_key(figures)
    heavy = (
        ((pl.col("base") / pl.col("effective_base")) ** 2).fill_null(HEAVY).clip(1.0)
        if "effective_base" in figures.columns
        else pl.lit(HEAVY)
    )
    scores = figures.filter(pl.col("unit") == "score").with_columns(own=decimal_unit("estimate"), heavy=heavy)
    whole = scores.select(*key, "heavy", whole="measure", n="base", score="estimate", first="own")
    each = (
        scores.drop("heavy")
        .join(tree, on=["survey", "period", "measure"])
        .join(whole, on=[*key, "whole"])
        .group_by(*key, "whole", maintain_order=True)
        .agg(
            pl.col("score", "n", "needed", "first", "heavy").first(),
            mean=pl.col("estimate").mean(),
            found=pl.len(),
            rounded=pl.col("own").max(),
            lacking=(pl.col("n") - pl.col("base")).abs().sum(),
            known=pl.all_horizontal(pl.col("base", "n").is_not_null()).all(),
        )
        .filter(pl.col("found") == pl.col("needed"))
    )
    n, lacking = pl.col("n"), pl.col("lacking")
    allowed = EQUAL + pl.col("heavy") * (APART * lacking + CHANCE * lacking.sqrt()) / n
    explained = pl.when("known").then(allowed).otherwise(UNKNOWN)
    slack = explained + (pl.col("first") + pl.col("rounded")) / 2 + EXACT
    rows = each.filter((pl.col("score") - pl.col("mean")).abs() > slack)
    if rows.height:
        worst = rows.select((pl.col("score") - pl.col("mean")).abs().max()).item()
        words = (
            f"scores up to {worst:.2g} off the mean of their parts, more than people without a part explain",
            "the mean of the sub-scores that the catalogue names",
            LOOK_UP,
        )
        yield problem(rows, "error", "scores that contradict their parts", "estimate", words)


def _editions(figures: pl.DataFrame) -> list[Edition]:
    """Return the editions of the surveys and periods in a table, as far as there are such."""
    return [
        edition
        for name in figures["survey"].unique().sort()
        if name in surveys()
        for edition in catalogue(name)
        if edition.period in set(figures.filter(survey=name)["period"])
    ]
