"""The contract of a clean extract, built from the catalogue, as a Pandera schema and as one quick look.

A table that keeps the contract is known by the look. Where one does not, Pandera says what is broken: to load
it alone takes longer than to look at a million respondents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import Edition, Question
from culture_metrics.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandera.polars as pa


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
    import pandera.polars as pa

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


def keeps_contract(frame: pl.DataFrame, edition: Edition) -> bool:
    """Say whether a table keeps `extract_schema`: plain polars, and the same answer as Pandera's."""
    schema, ids = frame.schema, ["respondent", "organisation"]
    codes = {name: allowed_codes(edition.columns[name]) for name in frame.columns if name in edition.columns}
    if any(schema.get(name) != pl.String for name in ids) or any(schema[name] != pl.Int8 for name in codes):
        return False
    return bool(
        frame.select(
            pl.all_horizontal(
                pl.col(ids).is_not_null().all(),
                pl.col("respondent").is_unique().all(),
                *(pl.col(name).is_in(allowed).all() for name, allowed in codes.items()),
            )
        ).item()
    )


def contract_problems(frame: pl.DataFrame, edition: Edition) -> list[Problem]:
    """Check a clean extract against its contract, data included, and report what fails in counts.

    Nothing should fail after the rules. What does is told here in counts: Pandera's own message and table of
    failures hold respondents' answers and go no further.
    """
    if keeps_contract(frame, edition):
        return []
    from pandera.errors import SchemaErrors

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
