"""The shape of a check of a model."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

#: Columns of `LinkResult.diagnostics`.
DIAGNOSTICS: dict[str, pl.DataType | type[pl.DataType]] = {
    "model_id": pl.String, "test": pl.String, "subject": pl.String, "statistic": pl.Float64,
    "p_value": pl.Float64, "value": pl.Float64, "threshold": pl.Float64, "flag": pl.Boolean,
    "note": pl.String,
}  # fmt: skip


class Check(NamedTuple):
    """One check of a model: what it looked at, what it found, and the flag that it raises if any.

    `of` names the indicator, or the indicator and term, whose rows the flag concerns; without it all rows.
    """

    test: str
    subject: str | None = None
    statistic: float | None = None
    p_value: float | None = None
    value: float | None = None
    threshold: float | None = None
    raises: str | None = None
    note: str = ""
    of: tuple[str, ...] | None = None

    def row(self, model_id: str) -> dict[str, object]:
        """Return the check as a row of the diagnostics."""
        found = self._asdict() | {"model_id": model_id, "flag": self.raises is not None}
        del found["raises"], found["of"]
        return found


class Flag(NamedTuple):
    """A flag and the rows it concerns, as in `Check`."""

    code: str
    of: tuple[str, ...] | None = None

    def concerns(self, indicator: str, term: str) -> bool:
        """Whether the flag is for a row of the table."""
        return self.of is None or self.of == (indicator, term)[: len(self.of)]


def raised(flag: str, up: bool) -> str | None:
    """Return the flag when it is up."""
    return flag if up else None
