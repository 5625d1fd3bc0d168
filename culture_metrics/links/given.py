"""What a verb of links was given: the table of a panel, and the outcome that is meant."""

from __future__ import annotations

import polars as pl

from culture_metrics.errors import LinkError, kind_of
from culture_metrics.outcomes.outcome import Outcome, declared
from culture_metrics.outcomes.panel import Panel


def table_of(data: object, verb: str) -> pl.DataFrame | pl.LazyFrame:
    """Return the table of what a verb was given: a panel, or a frame of one row per organisation and year.

    Raises
    ------
    LinkError
        When it is neither.
    """
    if isinstance(data, Panel):
        return data.table
    if isinstance(data, (pl.DataFrame, pl.LazyFrame)):
        return data
    raise LinkError(
        f"{verb} needs a panel: one row per organisation and year, indicators and outcomes in columns",
        expected="what cm.panel or cm.read_panel returned, a polars DataFrame or LazyFrame",
        got=kind_of(data),
        hint="cm.panel(results, outcomes) joins results and outcomes; cm.read_panel reads a file.",
    )


def outcome_of(data: object, outcome: Outcome | str) -> Outcome:
    """Return the outcome that is meant: of a panel the one that it declares under this name.

    Raises
    ------
    LinkError
        When it is no outcome, or the panel holds it under another name.
    """
    declares = {one.column: one for one in data.outcomes} if isinstance(data, Panel) else {}
    if not isinstance(outcome, (Outcome, str)):
        raise LinkError(
            "An outcome is a column's name or what cm.outcome or cm.Outcome returned",
            got=kind_of(outcome),
        )
    meant = outcome if isinstance(outcome, Outcome) else declares.get(outcome) or as_outcome(outcome)
    if isinstance(data, Panel) and declares and meant.column not in data.table.columns:
        raise LinkError(
            f"The panel has no outcome '{meant.column}'",
            expected=", ".join(declares),
            hint="Give panel.outcomes: they stand under the names of the panel's columns.",
        )
    return meant


def as_outcome(outcome: Outcome | str) -> Outcome:
    """Return an outcome; a column's name stands for a continuous one, called and counted as in the catalogue.

    Examples
    --------
    >>> as_outcome("sickness_absence").unit
    'share of FTE days'
    """
    if not isinstance(outcome, str):
        return outcome
    known = declared().get(outcome, {})
    return Outcome(outcome, "continuous", label=known.get("label"), unit=known.get("unit", ""))
