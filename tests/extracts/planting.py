"""Plant faults in a clean extract."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics import synthetic
from culture_metrics.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.report import ValidationReport


def periods_alone() -> list[str]:
    """Editions of the annual survey whose codes no other edition has: only these are told from codes."""
    codes = {edition.period: frozenset(edition.columns) for edition in catalogue()}
    return [period for period, own in codes.items() if list(codes.values()).count(own) == 1]


@cache
def clean_extract(year: int = 2024, rows: int = 400, organisations: int = 1) -> Extract:
    """Make an extract without faults."""
    return synthetic.respondents(year, organisations=organisations, respondents_per_organisation=rows, seed=5)


def changed(extract: Extract, frame: pl.DataFrame) -> Extract:
    return replace(extract, frame=frame)


def put(
    extract: Extract, column: str, value: Any, rows: Sequence[int] = (3, 4, 10), dtype: Any = None
) -> Extract:
    """Put a value in some rows of a column."""
    frame = extract.frame.cast({column: dtype}) if dtype else extract.frame
    here = pl.int_range(pl.len()).is_in(list(rows))
    planted = pl.when(here).then(pl.lit(value, frame.schema[column])).otherwise(column)
    return changed(extract, frame.with_columns(planted.alias(column)))


def problem(report: ValidationReport, rule: str, column: str | None = None) -> dict[str, Any]:
    """Return the one problem of this rule (and column)."""
    found = report.problems.filter(rule=rule)
    if column is not None:
        found = found.filter(column=column)
    assert found.height == 1, f"{found.height} problems of the rule '{rule}' in {column}"
    return found.row(0, named=True)


def rules(report: ValidationReport) -> set[str]:
    return set(report.problems["rule"])


def serious(report: ValidationReport) -> set[str]:
    return set(report.problems.filter(pl.col("severity") != "note")["rule"])


def assert_adds_up(report: ValidationReport) -> None:
    """What was read is what was used and what was not, for rows and for answers."""
    account = report.reconciliation
    for what in ("rows", "answers"):
        own = account.filter(what=what)
        read = own.filter(fate="read")["count"].sum()
        assert read == own.filter(pl.col("fate") != "read")["count"].sum(), account
    aside = account.filter(what="answers", fate="set aside")["count"].sum()
    assert aside == report.cells_set_aside
    rows = account.filter(what="rows", fate="set aside")["count"].sum()
    assert rows == report.quarantine["column"].is_null().sum()
