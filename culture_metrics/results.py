"""The narrow waist: every table of results is put in shape and checked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ResultsError
from data_schemas.columns import (
    DISTRIBUTIONS,
    DISTRIBUTIONS_KEY,
    ORGANISATIONS,
    ORGANISATIONS_KEY,
    RESULTS,
    RESULTS_KEY,
    Columns,
)

if TYPE_CHECKING:
    import pandera.polars as pa

#: Name of the whole: all organisations, no breakdown, all groups.
ALL = "all"
#: Official files show nothing on fewer respondents, and no file that is written here does.
OFFICIAL_MINIMUM = 10


def as_results(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` as Results: its columns in order, typed, sorted and checked.

    Columns that are missing become null. The columns are `survey, period, organisation, breakdown, group,
    measure, unit, estimate, std_error, conf_low, conf_high, interval, base, effective_base, weighting,
    status, source`.

    Raises
    ------
    ResultsError
        When a row breaks the contract (a percentage above 100, a suppressed row with numbers, a row twice).

    Examples
    --------
    >>> as_results(pl.DataFrame(schema=RESULTS)).height
    0
    """
    return check_results(_shape(frame, RESULTS, RESULTS_KEY))


def check_results(frame: pl.DataFrame) -> pl.DataFrame:
    """Check that a table keeps the contract of Results, data included, and return it unchanged."""
    from data_schemas.tables import Results

    return _check(frame, Results, "Results")


def as_distributions(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` as Distributions: one row per response option, typed, sorted and checked.

    The columns are `survey, period, organisation, breakdown, group, question, option, percent, std_error,
    conf_low, conf_high, interval, base, effective_base, weighting, status, source`; `percent` is of all who
    answered, whatever a headline leaves out.
    """
    from data_schemas.tables import Distributions

    return _check(_shape(frame, DISTRIBUTIONS, DISTRIBUTIONS_KEY), Distributions, "Distributions")


def check_distributions(frame: pl.DataFrame) -> pl.DataFrame:
    """Check that a table keeps the contract of Distributions and return it unchanged."""
    from data_schemas.tables import Distributions

    return _check(frame, Distributions, "Distributions")


def check_released(*tables: pl.DataFrame) -> None:
    """See to it that no table about to be written shows a result on fewer respondents than official files do.

    Parameters
    ----------
    *tables : polars.DataFrame
        Results or Distributions.

    Raises
    ------
    ResultsError
        When a row is shown on fewer than 10 respondents. It says how many rows, and never which.
    """
    for table in tables:
        few = (table["status"].cast(pl.String) == "reported") & (table["base"] < OFFICIAL_MINIMUM)
        if few.any():
            raise ResultsError(
                f"Nothing is written: {few.sum()} results rest on fewer than {OFFICIAL_MINIMUM} respondents",
                expected="results after disclosure control",
                hint="Give what estimate or distributions returned, or use suppress on the whole table.",
            )


def as_organisations(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` as Organisations: `survey, period, organisation, name, benchmark_group, region, ics`."""
    from data_schemas.tables import Organisations

    return _check(_shape(frame, ORGANISATIONS, ORGANISATIONS_KEY), Organisations, "Organisations")


def _shape(frame: pl.DataFrame, columns: Columns, key: list[str]) -> pl.DataFrame:
    missing = [
        pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns
    ]
    return frame.with_columns(missing).select(pl.col(n).cast(t) for n, t in columns.items()).sort(key)


def _check(frame: pl.DataFrame, schema: pa.DataFrameSchema, name: str) -> pl.DataFrame:
    from pandera.errors import SchemaErrors

    if not isinstance(frame, pl.DataFrame):
        raise ResultsError(
            f"{name} is a polars DataFrame",
            got=type(frame).__name__,
            hint="Call .collect() on a LazyFrame; read a file with polars.read_parquet.",
        )
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        # Pandera's own failure table shows cell values; only names of rules and columns leave here.
        failures = error.failure_cases.select("check", "column").unique(maintain_order=True)
        said = {
            "multiple_fields_uniqueness": "no row stands twice",
            "multiple_column_uniqueness": "no row stands twice",
        }
        rules = [
            said.get(check, f"{check} ({column})" if column else check) for check, column in failures.rows()
        ]
        raise ResultsError(
            f"The table does not keep the contract of {name}",
            expected="; ".join(rules[:5]),
            hint="Use the table as the library returned it, or build it with the documented columns.",
        ) from None
    return frame
