"""The result of linking indicators to outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class LinkResult:
    """Links between indicators and outcomes. They are associations between organisations or years.

    Attributes
    ----------
    table : polars.DataFrame
        One row per model and term: see `link_outcomes`.
    diagnostics : polars.DataFrame
        One row per check: `model_id, test, subject, statistic, p_value, value, threshold, flag, note`.
    sample : polars.DataFrame
        What each model lost on the way: `model_id, step, column, rows_lost, organisations_lost, rows_left,
        organisations_left`.
    influence : polars.DataFrame
        One row per main model and organisation: `model_id, indicator, organisation, estimate` and `p_value`
        without that organisation, and `cooks_distance`, the largest among its rows.
    statements : tuple of str
        One sentence for each row of the table.
    warnings : tuple of str
        What to know before quoting anything here.
    """

    table: pl.DataFrame
    diagnostics: pl.DataFrame = field(repr=False)
    sample: pl.DataFrame = field(repr=False)
    influence: pl.DataFrame = field(repr=False)
    statements: tuple[str, ...] = field(repr=False)
    warnings: tuple[str, ...] = field(repr=False)

    def summary(self) -> str:
        """Say the main links and the warnings in plain sentences."""
        main = [
            said for said, role in zip(self.statements, self.table["role"], strict=True) if role == "main"
        ]
        return "\n".join([*main, *self.warnings])

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{escape(line)}</li>" for line in self.summary().splitlines())
        return f"<ul>{said}</ul>"
