"""What a figure shows as a table of text cells, made of the very rows that are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.wording.numbers import count, fixed, held_back
from culture_metrics.wording.table import HELD, NOT_AVAILABLE

if TYPE_CHECKING:
    from collections.abc import Mapping


def listed(
    rows: pl.DataFrame, columns: Mapping[str, str | pl.Expr], unit: str | None = "score"
) -> pl.DataFrame:
    """Return the columns of a figure's table, the first of which names the row.

    Parameters
    ----------
    rows : polars.DataFrame
        As the figure draws them: what may not be shown is null in them already.
    columns : mapping
        Heading -> column or expression, text or numbers. Whole numbers get thousands, others the decimals of
        the unit; a null says why it is one: "[c]" where `status` says that it is held back, else "[x]".
        A column that is nowhere known is left out.
    unit : {"score", "percent"}, optional
        None writes numbers with four significant digits.

    Examples
    --------
    >>> rows = pl.DataFrame({"label": ["Morale", "Pay"], "estimate": [5.9, None], "base": [1204, None],
    ...     "status": ["reported", "suppressed_small_base"]})
    >>> listed(rows, {"Score": "label", "Value": "estimate", "Base": "base"}).rows()
    [('Morale', '5.90', '1,204'), ('Pay', '[c]', '[c]')]
    """
    status = rows if "status" in rows.columns else rows.with_columns(status=pl.lit(None, pl.String))
    named = {name: pl.col(of) if isinstance(of, str) else of for name, of in columns.items()}
    chosen = status.select(
        *(expr.alias(name) for name, expr in named.items()), held_back().fill_null(value=False).alias("_held")
    )
    first = next(iter(named))
    known = [n for n in named if n == first or chosen[n].null_count() < chosen.height]
    why = pl.when("_held").then(pl.lit(HELD)).otherwise(pl.lit(NOT_AVAILABLE))
    return chosen.select(_text(chosen, name, unit).fill_null(why).alias(name) for name in known)


def _text(table: pl.DataFrame, name: str, unit: str | None) -> pl.Expr:
    kind = table.schema[name]
    if kind.is_integer():
        return count(name)
    if kind.is_float():
        if unit is None:
            return pl.col(name).round_sig_figs(4).cast(pl.String)
        return fixed(pl.col(name).fill_nan(None), unit)
    return pl.col(name).cast(pl.String).str.replace_all("<br>", " ", literal=True)


def interval(low: str = "conf_low", high: str = "conf_high", unit: str = "score") -> pl.Expr:
    """Expression: both ends of an interval, or null."""
    return pl.format("{} to {}", fixed(low, unit), fixed(high, unit))
