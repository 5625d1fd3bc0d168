"""Where every row and every answer went: the quarantine and the account that adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.extracts.rules.found import REASONS, answer_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.extracts.rules.found import Cells, Rows

ACCOUNT = {"what": pl.String(), "fate": pl.String(), "reason": pl.String(), "count": pl.UInt64()}


def quarantine(
    frame: pl.DataFrame,
    edition: Edition,
    cells: Sequence[Cells],
    places: Sequence[pl.Series],
    rows: Sequence[Rows],
) -> pl.DataFrame:
    """List what was set aside: `row`, `column` (null: the whole row), `reason`; six bytes an answer.

    Rows come first, then answers column by column.
    """
    columns = pl.Enum(answer_columns(frame, edition))
    schema = {"row": pl.UInt32(), "column": columns, "reason": pl.Enum(REASONS)}
    parts: list[tuple[str | None, str, pl.Series]] = [
        (None, kind.rule, frame[ROW].gather(kind.places)) for kind in rows
    ]
    parts += [(kind.column, kind.rule, where) for kind, where in zip(cells, places, strict=True)]
    tables = [
        pl.select(
            where.cast(pl.UInt32).alias("row"),
            pl.lit(column, columns).alias("column"),
            pl.lit(rule, schema["reason"]).alias("reason"),
        )
        for column, rule, where in parts
    ]
    return pl.concat([pl.DataFrame(schema=schema), *tables])


def answers(frame: pl.DataFrame, edition: Edition) -> int:
    """Count the cells with an answer, in columns that put nobody into a group."""
    people = of_groups(edition)
    return sum(
        frame.height - frame[c].null_count() for c in answer_columns(frame, edition) if c not in people
    )


def reconciliation(
    edition: Edition,
    *,
    left_out: Mapping[str, int],
    rows: Mapping[str, int],
    blank: Mapping[str, int],
    cells: Sequence[Cells],
    answers: Mapping[str, int],
    read: int,
    used: int,
) -> pl.DataFrame:
    """Account for every row, and for every answer that puts nobody into a group.

    How many answers of the others were set aside is the size of a group: the list of what was set aside has
    them one by one.

    Returns
    -------
    polars.DataFrame
        Columns `what` (rows or answers), `fate` (read, left out, read as no answer, set aside, in rows set
        aside, used), `reason`, `count`. What was read equals the sum of all the rest, counted one by one.
    """
    aside: dict[str, int] = {}
    people = of_groups(edition)
    for kind in (kind for kind in cells if kind.column not in people):
        aside[kind.rule] = aside.get(kind.rule, 0) + kind.rows
    table = [
        ("rows", "read", None, read + sum(left_out.values())),
        *(("rows", "left out", reason, n) for reason, n in left_out.items()),
        *(("rows", "set aside", reason, n) for reason, n in rows.items()),
        ("rows", "used", None, used),
        ("answers", "read", None, answers["read"]),
        *(("answers", "read as no answer", reason, n) for reason, n in blank.items() if n),
        *(("answers", "set aside", reason, n) for reason, n in aside.items()),
        *([("answers", "in rows set aside", None, answers["in rows set aside"])] if rows else []),
        ("answers", "used", None, answers["used"]),
    ]
    return pl.DataFrame(table, schema=ACCOUNT, orient="row")
