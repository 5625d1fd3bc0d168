"""Response distributions: the percentage of each answer, by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.disclosure import suppress
from culture_metrics.indicators.scoring import check_answers
from culture_metrics.results import ALL, as_distributions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract


def distributions(
    extract: Extract, by: Sequence[str] = (), *, minimum_base: int | None = None
) -> pl.DataFrame:
    """Work out how the answers to every question are distributed, as a whole and by group. Unweighted.

    Parameters
    ----------
    extract : Extract
        A clean extract (`validate(...).extract`).
    by : sequence of str
        Breakdowns, each on its own.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own (11) when left out.

    Returns
    -------
    polars.DataFrame
        Distributions: one row per organisation, breakdown, group, question and response option. `percent` is
        of all who answered, with "don't know" and "not applicable" inside the 100 %, as the official detailed
        workbooks have it; `base` is their number. Small cells are suppressed, on the base that is left when
        answers outside the headline are taken out.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> table = distributions(synthetic.respondents(2024))
    >>> table.filter(question="recommend_place_to_work")["percent"].sum().__round__(6)
    100.0
    """
    check_answers(extract)
    groups = group_columns(extract, by)
    frame = extract.frame.with_columns(e.alias(f"by {n}") for n, e in groups.items())
    tables = [_counts(extract, frame, name) for name in (None, *groups)]
    counts = pl.concat(tables).with_columns(
        survey=pl.lit(extract.survey),
        period=pl.lit(extract.period),
        weighting=pl.lit("none"),
        source=pl.lit("respondents"),
        status=pl.lit("reported"),
    )
    hidden = _hidden(counts, minimum_base or extract.edition.survey.minimum_base)
    keys = ["organisation", "breakdown", "group", "question"]
    shown = pl.col("status") == "reported"
    return as_distributions(
        counts.drop("status")
        .join(hidden, on=keys, how="left", maintain_order="left")
        .with_columns(
            pl.when(shown).then(100 * pl.col("count") / pl.col("base")).alias("percent"),
            pl.when(shown).then("base").alias("base"),
        )
    )


def _counts(extract: Extract, frame: pl.DataFrame, by: str | None) -> pl.DataFrame:
    """Count every code of every question by organisation and one breakdown."""
    keys = ["organisation"] if by is None else ["organisation", f"by {by}"]
    counted: list[pl.Expr] = []
    for question in extract.edition.questions.values():
        here = [c for c in question.columns if c in frame.columns]
        if not here:
            continue
        if question.kind == "multi":
            base = pl.any_horizontal(pl.col(c) == 1 for c in here)
            cells = {int(c.rsplit("_", 1)[1]): pl.col(c) == 1 for c in here}
            left = base
        else:
            answer = pl.col(question.code)
            base = answer.is_not_null()
            cells = {code: answer == code for code in question.scale.labels}
            left = base & ~answer.is_in(question.out_of_base)
        for code, cell in cells.items():
            counted += [
                cell.sum().alias(f"{question.id}|{code}|count"),
                base.sum().alias(f"{question.id}|{code}|base"),
                left.sum().alias(f"{question.id}|{code}|headline"),
            ]
    wide = frame.lazy().drop_nulls(keys).group_by(keys).agg(counted).sort(keys).collect()
    parts = pl.col("variable").str.split("|")
    return (
        wide.unpivot(index=keys)
        .with_columns(
            question=parts.list.get(0), option=parts.list.get(1).cast(pl.Int16), what=parts.list.get(2)
        )
        .drop("variable")
        .pivot("what", index=[*keys, "question", "option"], values="value")
        .with_columns(
            breakdown=pl.lit(by or ALL), group=pl.col(f"by {by}") if by else pl.lit(ALL)
        )
        .select(
            "organisation", "breakdown", "group", "question", "option",
            pl.col("count", "base", "headline").cast(pl.UInt32),
        )
    )  # fmt: skip


def _hidden(counts: pl.DataFrame, minimum_base: int) -> pl.DataFrame:
    """Decide which distributions may be shown: one decision per group and question."""
    keys = ["survey", "period", "organisation", "breakdown", "group", "question", "weighting", "status"]
    cells = counts.group_by(keys, maintain_order=True).agg(pl.col("headline").first())
    status = suppress(cells.rename({"question": "measure", "headline": "base"}), minimum_base)
    return status.select("organisation", "breakdown", "group", question="measure", status="status")
