"""From the table as read to the clean one: typed columns, proper codes, answers that can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.rules.organisations import form_problems, tidy_codes
from culture_metrics.extracts.rules.text import no_nan
from culture_metrics.files.formulas import plain_names
from culture_metrics.problems import Problem, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.rules.found import Cells, Rows
    from culture_metrics.extracts.tally import Tally

IDENTIFYING = ("respondent", "organisation")


def prepared(extract: Extract) -> pl.DataFrame:
    """Return the rows numbered, with text where text belongs and no NaN.

    Raises
    ------
    ExtractError
        When the frame is no DataFrame or lacks a column that identifies the row.
    """
    frame = extract.frame
    if not isinstance(frame, pl.DataFrame):
        raise ExtractError(
            "The frame of an extract is a polars DataFrame",
            got=type(frame).__name__,
            hint="Call .collect() on a LazyFrame; read other tables with read_extract.",
        )
    missing = [name for name in IDENTIFYING if name not in frame.columns]
    if missing:
        raise ExtractError(
            f"The extract has no column '{missing[0]}'",
            expected="the columns respondent and organisation",
            hint="Read the file with read_extract, which tells them from the names in the file.",
        )
    if ROW not in frame.columns:
        frame = frame.with_row_index(ROW, offset=1)
    text = {b.column for b in extract.edition.breakdowns.values()} | {*IDENTIFYING, "organisation_name"}
    other = [c for c in frame.columns if c in text and frame[c].dtype != pl.String]
    return no_nan(frame.with_columns(pl.col(other).cast(pl.String)) if other else frame)


def tidy_names(frame: pl.DataFrame, extract: Extract) -> tuple[pl.DataFrame, list[Problem]]:
    """Make names plain that a spreadsheet would take for formulas, and say so, for the reader as well.

    Every text column may become a breakdown, also one that was joined on.
    """
    texts = [c for c in frame.columns if c != "respondent" and c not in extract.edition.columns]
    frame, found = plain_names(frame, texts)
    columns = sorted({*found, *(extract.provenance.get("formulas") or ())})
    if not columns:
        return frame, []
    problem = Problem(
        "note",
        "names that a spreadsheet takes for formulas",
        f"names that begin with =, +, -, @ or the like in {listed(columns)}",
        "names that begin with a letter or a digit",
        "An apostrophe was put before them, so that no file with results can act as a formula.",
    )
    return frame, [problem]


def tidy_organisations(frame: pl.DataFrame, minimum: int) -> tuple[pl.DataFrame, list[Problem]]:
    """Put organisation codes in their proper form and say so."""
    counts = dict(frame["organisation"].drop_nulls().value_counts(name="n").iter_rows())
    forms = tidy_codes(counts)
    if not forms:
        return frame, []
    problems = [p for p in form_problems(counts, minimum) if p.rule == "organisation codes in another form"]
    return frame.with_columns(pl.col("organisation").replace(forms)), problems


def kept(height: int, rows: Sequence[Rows]) -> pl.Series | None:
    """Return which rows stay, or None when all do."""
    if not rows:
        return None
    out = pl.concat([kind.places.cast(pl.UInt32) for kind in rows])
    return pl.select(~pl.int_range(height, dtype=pl.UInt32).is_in(out.implode())).to_series()


def cleaned(
    frame: pl.DataFrame, tally: Tally, routed: Sequence[Cells], keep: pl.Series | None
) -> Iterator[pl.Expr]:
    """Yield the columns of the clean table; those without fault are not copied."""
    ruled_out: dict[str, list[pl.Expr]] = {}
    for kind in routed:
        ruled_out.setdefault(kind.column, []).append(~kind.where)
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if name in tally.listed:
            good = (
                [column.is_in([k for k, n in tally.listed[name].items() if n])]
                if tally.unlisted[name]
                else []
            )
            good += ruled_out.get(name, [])
            if good:
                column = pl.when(*good).then(column)
            if dtype != pl.Int8:
                column = column.cast(pl.Int8)
        yield (column if keep is None else column.filter(keep)).alias(name)
