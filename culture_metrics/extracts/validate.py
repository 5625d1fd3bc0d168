"""Check an extract against the catalogue and set aside what cannot be used, counted and with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts import rules
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.report import PROBLEMS, QUARANTINE, Problem, ValidationReport
from culture_metrics.extracts.schema import extract_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rule = Callable[[Extract], tuple[Extract, list[Problem], pl.DataFrame | None]]


def validate(extract: Extract) -> ValidationReport:
    """Check an extract and return a clean one, with a report of every problem in counts.

    Parameters
    ----------
    extract : Extract
        As `read_extract` or `synthetic.respondents` returns it.

    Returns
    -------
    ValidationReport
        `.ok` is False when a problem is an error; `.problems` has one row per rule and column (`severity`,
        `rule`, `column`, `rows`, `examples`, `found`, `expected`, `done`); `.extract` is the clean extract;
        `.quarantine` lists what was set aside (`row`, `column`, `reason`; a null column means the whole row).

    Notes
    -----
    Answers that cannot be used become missing and rows that cannot be used are left out; both are counted:
    rows read = rows used + rows set aside. The report speaks in counts and row numbers, never in answers. The
    clean extract is checked with a Pandera schema built from the catalogue before it is returned.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> report = validate(synthetic.respondents(2024, respondents_per_organisation=200))
    >>> report.ok, report.rows_used
    (True, 200)
    """
    if ROW not in extract.frame.columns:
        extract = Extract(
            extract.survey, extract.period, extract.frame.with_row_index(ROW, offset=1), extract.provenance
        )
    rows_read = extract.frame.height + extract.provenance.get("rows_of_other_periods", 0)
    problems: list[Problem] = []
    set_aside: list[pl.DataFrame] = []
    for rule in _rules():
        extract, found, aside = rule(extract)
        problems += found
        if aside is not None:
            set_aside.append(aside)
    extract_schema(extract.edition, extract.frame.columns).validate(extract.frame)
    return ValidationReport(
        problems=_table(problems),
        extract=extract,
        quarantine=pl.concat([pl.DataFrame(schema=QUARANTINE), *set_aside]).sort("row", "column"),
        rows_read=rows_read,
    )


def _rules() -> Iterator[Rule]:
    yield rules.renamed_columns
    yield rules.unknown_columns
    yield rules.missing_columns
    yield rules.other_periods
    yield rules.readable_codes
    yield rules.missing_codes
    yield rules.codes_in_list
    yield rules.routing
    yield rules.missing_organisation
    yield rules.duplicate_respondents
    yield rules.empty_rows


def _table(problems: list[Problem]) -> pl.DataFrame:
    order = pl.Enum(["error", "warning", "note"])
    return (
        pl.DataFrame(problems, schema=PROBLEMS, orient="row")
        .with_columns(pl.col("severity").cast(order))
        .sort("severity", maintain_order=True)
    )
