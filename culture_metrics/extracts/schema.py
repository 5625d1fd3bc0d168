"""The Pandera schema of a clean extract, built from the catalogue: the published contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from culture_metrics.catalogue import Edition, Question
from culture_metrics.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable


def allowed_codes(question: Question) -> list[int]:
    """Return the codes that a column of this question may hold."""
    return [0, 1] if question.kind == "multi" else [*question.scale.labels]


def extract_schema(edition: Edition, columns: Iterable[str]) -> pa.DataFrameSchema:
    """Build the schema of a clean extract with these columns.

    Parameters
    ----------
    edition : Edition
        Whose questions the columns are named by.
    columns : iterable of str
        The columns the extract has; questions that were not asked are simply absent.

    Returns
    -------
    pandera.polars.DataFrameSchema
        `respondent` (String, unique), `organisation` (String, never null), every question column (Int8, a
        code of its scale or null).

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> sorted(extract_schema(catalogue().edition(2024), ["q25c"]).columns)
    ['organisation', 'q25c', 'respondent']
    """
    questions = {
        name: pa.Column(
            pl.Int8, pa.Check.isin(allowed_codes(edition.columns[name])), nullable=True, required=True
        )
        for name in columns
        if name in edition.columns
    }
    return pa.DataFrameSchema(
        {"respondent": pa.Column(pl.String, unique=True), "organisation": pa.Column(pl.String), **questions}
    )


def contract_problems(frame: pl.DataFrame, edition: Edition) -> list[Problem]:
    """Check a clean extract with its schema, data included, and report what fails in counts.

    Nothing should fail after the rules. What does is told here in counts: Pandera's own message and table of
    failures hold respondents' answers and go no further.
    """
    try:
        extract_schema(edition, frame.columns).validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.group_by("column", "check", maintain_order=True).len()
        return [
            Problem(
                "error",
                "the contract of a clean extract",
                f"entries that break the check '{check.split('(')[0]}'",
                "a table that keeps `extract_schema`",
                "Kept; do not rely on this column.",
                column=column,
                rows=n,
            )
            for column, check, n in cases.iter_rows()
        ]
    return []
