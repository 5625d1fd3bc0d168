"""The Pandera schema of a clean extract, built from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandera.polars as pa
import polars as pl

from culture_metrics.catalogue import Edition, Question

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
