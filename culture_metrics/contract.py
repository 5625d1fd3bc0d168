"""The narrow waist: every table of results is put in shape and checked here."""

from __future__ import annotations

import polars as pl

from culture_metrics.catalogue import catalogue, known_surveys
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
from data_schemas.contracts import CONTRACTS

#: How far a score may lie outside its range by rounding.
ROUNDING = 1e-9
#: Name of the whole: all organisations, no breakdown, all groups.
ALL = "all"


def as_results(frame: pl.DataFrame, *, in_order: bool = False) -> pl.DataFrame:
    """Return `frame` as Results: its columns in order, typed, sorted and checked.

    Columns that are missing become null. Rows known to be `in_order`, none twice, are not looked at for that.
    The columns are `survey, period, organisation, breakdown, group,
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
    return _shape(frame, "Results", RESULTS, RESULTS_KEY, in_order=in_order)


def check_results(frame: pl.DataFrame) -> pl.DataFrame:
    """Check that a table keeps the contract of Results, data included, and return it unchanged."""
    return _check(frame, "Results", RESULTS_KEY)


def as_distributions(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` as Distributions: one row per response option, typed, sorted and checked.

    The columns are `survey, period, organisation, breakdown, group, question, option, percent, std_error,
    conf_low, conf_high, interval, base, effective_base, weighting, status, source`; `percent` is of all who
    answered, whatever a headline leaves out.
    """
    return _shape(frame, "Distributions", DISTRIBUTIONS, DISTRIBUTIONS_KEY)


def check_distributions(frame: pl.DataFrame) -> pl.DataFrame:
    """Check that a table keeps the contract of Distributions and return it unchanged."""
    return _check(frame, "Distributions", DISTRIBUTIONS_KEY)


def check_released(*tables: pl.DataFrame) -> None:
    """See to it that no table about to be written shows a result on fewer respondents than may be written.

    How few is the survey's own: as few as its published files show (10 in the NHS Staff Survey).

    Parameters
    ----------
    *tables : polars.DataFrame
        Results or Distributions.

    Raises
    ------
    ResultsError
        When a row is shown on fewer respondents. It says how many rows, and never which.
    """
    for table in tables:
        known = known_surveys(table["survey"].unique().drop_nulls() if "survey" in table.columns else ())
        least = max((s.written_minimum for s in known.values()), default=catalogue().written_minimum)
        few = (table["status"].cast(pl.String) == "reported") & (table["base"] < least)
        if few.any():
            raise ResultsError(
                f"Nothing is written: {few.sum()} results rest on fewer than {least} respondents",
                expected="results after disclosure control",
                hint="Give what estimate or distributions returned, or use suppress on the whole table.",
            )


def as_organisations(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` as Organisations: `survey, period, organisation, name, benchmark_group, region, ics`."""
    return _shape(frame, "Organisations", ORGANISATIONS, ORGANISATIONS_KEY)


def _shape(
    frame: pl.DataFrame, name: str, columns: Columns, key: list[str], *, in_order: bool = False
) -> pl.DataFrame:
    missing = [
        pl.lit(None, dtype).alias(column) for column, dtype in columns.items() if column not in frame.columns
    ]
    shaped = frame.with_columns(missing).select(pl.col(n).cast(t) for n, t in columns.items())
    in_order = in_order or _in_order(shaped, key)
    return _check(shaped if in_order else shaped.sort(key), name, key, in_order=in_order)


def _in_order(frame: pl.DataFrame, key: list[str]) -> bool:
    """Whether each row comes after the one before: sorted, and none twice. Much quicker than sorting.

    Groups change seldom from row to row: whether they are in order is looked at where they change.
    """
    size = key.index("group") + 1 if "group" in key else len(key)
    outer, inner = key[:size], key[size:]
    starts = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift()) for c in outer)
    start = frame.select(starts | (pl.int_range(pl.len()) == 0)).to_series()
    heads = frame.select(outer).filter(start)
    within = frame.select(pl.lit(start) | _after(inner)).to_series()
    return bool(within.all() and heads.select(_after(outer)).to_series().slice(1).all())


def _after(key: list[str]) -> pl.Expr:
    """Expression: whether a row comes after the one before."""
    after = pl.lit(value=False)
    for column in map(pl.col, reversed(key)):
        before = column.shift()
        after = (column > before) | ((column == before) & after)
    return after.fill_null(value=False)


def _check(frame: pl.DataFrame, name: str, key: list[str], *, in_order: bool = False) -> pl.DataFrame:
    if not isinstance(frame, pl.DataFrame):
        raise ResultsError(
            f"{name} is a polars DataFrame",
            got=type(frame).__name__,
            hint="Call .collect() on a LazyFrame; read a file with polars.read_parquet.",
        )
    if not CONTRACTS[name].kept(frame):
        _say_what_is_broken(frame, name)
    if name == "Results" and (outside := _scores_outside(frame)):
        raise _broken(name, outside)
    if not in_order and frame.select(key).is_duplicated().any():
        raise _broken(name, ["no row stands twice"])
    return frame


def _say_what_is_broken(frame: pl.DataFrame, name: str) -> None:
    from pandera.errors import SchemaErrors

    from data_schemas import tables

    try:
        getattr(tables, name).validate(frame, lazy=True)
    except SchemaErrors as error:
        # Pandera's own failure table shows cell values; only names of rules and columns leave here.
        failures = error.failure_cases.select("check", "column").unique(maintain_order=True)
        rules = [f"{check} ({column})" if column else check for check, column in failures.rows()]
        raise _broken(name, rules) from None


def _scores_outside(frame: pl.DataFrame) -> list[str]:
    """Say of which surveys scores lie outside their range; a survey without a catalogue has none."""
    scores = frame.lazy().filter(pl.col("unit") == "score").group_by("survey")
    ends = scores.agg(low=pl.col("estimate").min(), high=pl.col("estimate").max()).collect()
    known = known_surveys(ends["survey"])
    return [
        f"a score of the {known[name].label} lies in {known[name].range_words}"
        for name, low, high in ends.drop_nulls().iter_rows()
        if name in known
        and not (
            known[name].score_range[0] - ROUNDING <= low and high <= known[name].score_range[1] + ROUNDING
        )
    ]


def _broken(name: str, rules: list[str]) -> ResultsError:
    return ResultsError(
        f"The table does not keep the contract of {name}",
        expected="; ".join(rules[:5]),
        hint="Use the table as the library returned it, or build it with the documented columns.",
    )
