"""Whether the scores of two years are built of the same questions, told from what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.unanswered import unanswered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.catalogue import Survey
    from culture_metrics.extracts.extract import Extract

#: What is not there: a question that the edition asks and nobody answered, in a period and an organisation.
ABSENT = {"period": pl.String(), "organisation": pl.String(), "question": pl.String()}
INSTEAD = "The questions that both years have, one by one."


def absent_in(results: pl.DataFrame) -> pl.DataFrame:
    """Return the questions without answers in results of respondents: columns of `ABSENT`.

    A question's percentage bears its id and is in the results of every edition that asks it, so that its
    status tells whether the file had answers. Published scores are built of all questions, whatever is shown.
    """
    gone = (pl.col("status").cast(pl.String) == "not_asked").all().alias("gone")
    return (
        results.filter(_own(), pl.col("unit").cast(pl.String) == "percent")
        .group_by("period", "organisation", question="measure")
        .agg(gone)
        .filter("gone")
        .select(*ABSENT)
    )


def absent_of(extracts: Sequence[Extract], organisation: str) -> pl.DataFrame:
    """Return the questions without answers in extracts of one organisation: columns of `ABSENT`."""
    rows = [(e.period, organisation, q.id) for e in extracts for q in unanswered(e)]
    return pl.DataFrame(rows, schema=ABSENT, orient="row")


def mark_different_questions(
    marked: pl.DataFrame, absent: pl.DataFrame, survey: Survey, periods: tuple[str, str]
) -> pl.DataFrame:
    """Refuse scores that are built of other questions in one year than in the other.

    `marked` is what `mark_breaks` returns; a break of the catalogue that it tells of stays the reason. Scores
    that lack the same questions in both years compare: they are the same, if not the official ones.
    """
    found = _lacking(absent, survey, periods).filter("differ").select("organisation", "measure", "said")
    other = pl.col("refused").is_null() & _both_reported() & pl.col("said").is_not_null()
    return (
        marked.join(found, on=["organisation", "measure"], how="left", maintain_order="left")
        .with_columns(
            pl.when(other).then(pl.lit(INSTEAD)).otherwise("instead").alias("instead"),
            pl.when(other)
            .then(pl.format("Built {}: no answers in the file.", "said"))
            .otherwise("refused")
            .alias("refused"),
        )
        .drop("said")
    )


def notes_on_questions(
    marked: pl.DataFrame, results: pl.DataFrame, survey: Survey, periods: tuple[str, str]
) -> list[str]:
    """Say which scores lack the same questions in both years, and when that could not be seen."""
    rows = marked.filter(_both_reported(), pl.col("level") != "question")
    if rows.is_empty():
        return []
    alike = _lacking(absent_in(results), survey, periods).filter(~pl.col("differ"))
    told = rows.join(alike, on=["organisation", "measure"]).unique("label", maintain_order=True)
    notes = [
        f"{label} is built {said}: it compares, but is not the official score."
        for label, said in told.select("label", "said").iter_rows()
    ]
    percentages = results.filter(_own(), pl.col("unit").cast(pl.String) == "percent")
    if not {*periods} <= {*percentages["period"].unique()}:
        notes.append(
            "Whether the scores are built of the same questions in both years could not be seen: these "
            "results have no percentages of single questions."
        )
    return notes


def _own() -> pl.Expr:
    return pl.col("source").cast(pl.String) == "respondents"


def _both_reported() -> pl.Expr:
    here = (pl.col(f"status_{end}").cast(pl.String) == "reported" for end in ("from", "to"))
    return _own() & pl.all_horizontal(*here).fill_null(value=False)


def _lacking(absent: pl.DataFrame, survey: Survey, periods: tuple[str, str]) -> pl.DataFrame:
    """Return the scores that lack a question in either period.

    Returns
    -------
    polars.DataFrame
        `organisation`, `measure`, `said` (without what, in which period) and `differ`: whether the score is
        built of other questions in one period than in the other.
    """
    asked = pl.concat(_asked(survey, p) for p in periods)
    lacking = absent.filter(pl.col("period").is_in(periods)).with_columns(lacks=pl.lit(value=True))
    every = lacking.select("organisation").unique().join(asked, how="cross")
    gone = pl.col("lacks").fill_null(value=False)
    built = (
        every.join(lacking, on=["organisation", "period", "question"], how="left", maintain_order="left")
        .group_by("organisation", "measure", "period", maintain_order=True)
        .agg(
            pl.col("question").filter(~gone).sort().str.join(",").alias("of"),
            pl.col("code").filter(gone).str.join(", ").alias("without"),
        )
    )
    less = pl.format("without {} in {}", "without", "period").filter(pl.col("without") != "")
    return (
        built.group_by("organisation", "measure", maintain_order=True)
        .agg((pl.col("of").n_unique() > 1).alias("differ"), less.str.join(" and ").alias("said"))
        .filter(pl.col("said") != "")
    )


def _asked(survey: Survey, period: str) -> pl.DataFrame:
    """Return `period, measure, question, code`: the questions that each score of an edition is built of."""
    known = period in survey.periods or survey.open_ended
    editions = [survey.edition(period)] if known else []
    rows: Sequence[tuple[str, str, str, str]] = [
        (period, name, question, edition.questions[question].code)
        for edition in editions
        for name in edition.scores
        for question in edition.questions_of(name)
    ]
    schema = dict.fromkeys(("period", "measure", "question", "code"), pl.String())
    return pl.DataFrame(rows, schema=schema, orient="row")
