"""What a verb of links was given: the panel, the outcome that is meant, the columns that are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import LinkError, kind_of
from culture_metrics.models.panel_arrays import check_key
from culture_metrics.outcomes.outcome import Outcome, declared
from culture_metrics.outcomes.panel import Panel
from culture_metrics.outcomes.steps import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable


def panel_of(data: object, verb: str, *, organisation: str = KEY[0], year: str = KEY[1]) -> Panel:
    """Return the panel that a verb was given; a table of one row per organisation and year becomes one here.

    The figures of a table stay as they are: `read_panel` reads text, and takes out what no measurement is.

    Raises
    ------
    LinkError
        When it is neither, or the table has no key of organisations and years.
    """
    if isinstance(data, Panel):
        return data
    if not isinstance(data, (pl.DataFrame, pl.LazyFrame)):
        raise LinkError(
            f"{verb} needs a panel: one row per organisation and year, indicators and outcomes in columns",
            expected="what cm.panel or cm.read_panel returned, a polars DataFrame or LazyFrame",
            got=kind_of(data),
            hint="cm.panel(results, outcomes) joins results and outcomes; cm.read_panel reads a file.",
        )
    frame = data.lazy().collect()
    check_key(frame, organisation, year)
    table = frame.with_columns(pl.col(organisation).alias(KEY[0]), pl.col(year).alias(KEY[1]))
    return Panel.of(table)


def names_of(given: str | Iterable[str]) -> tuple[str, ...]:
    """Return the columns that an argument names: one, or several.

    Examples
    --------
    >>> names_of("region"), names_of(["region", "beds"])
    (('region',), ('region', 'beds'))
    """
    return (given,) if isinstance(given, str) else tuple(given)


def outcome_of(panel: Panel, outcome: Outcome | str) -> Outcome:
    """Return the outcome that is meant: of a panel the one that it declares under this name.

    Raises
    ------
    LinkError
        When it is no outcome, or the panel holds it under another name.
    """
    declares = {one.column: one for one in panel.outcomes}
    if not isinstance(outcome, (Outcome, str)):
        raise LinkError(
            "An outcome is a column's name or what cm.outcome or cm.Outcome returned",
            got=kind_of(outcome),
        )
    meant = outcome if isinstance(outcome, Outcome) else declares.get(outcome) or as_outcome(outcome)
    if declares and meant.column not in panel.table.columns:
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
