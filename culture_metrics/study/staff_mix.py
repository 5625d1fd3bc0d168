"""Who answered, or what they said: the change of a measure, split by groups of staff."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from culture_metrics.compare.decompose import decompose_change
from culture_metrics.errors import CultureMetricsError
from culture_metrics.indicators.breakdowns import available_breakdowns
from culture_metrics.wording.several import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract


def staff_mix(
    years: tuple[Extract, Extract], measure: str, by: Sequence[str], minimum_base: int, whom: str
) -> Figures:
    """Split the change of a measure into staff mix and change within groups, by the first breakdown known.

    Parameters
    ----------
    years : tuple of Extract
        The earlier and the later year.
    measure : str
        Id or official code.
    by : sequence of str
        Breakdowns, the preferred one first.
    minimum_base : int
        Smallest base of what is shown.
    whom : str
        Name of the organisation.
    """
    known = set.intersection(*(set(available_breakdowns(year)) for year in years))
    found = next((name for name in by if name in known), None)
    if found is None:
        return Figures(
            (), otherwise="The files have no column for groups of staff, so staff mix is not known."
        )
    try:
        mix = decompose_change(*years, measure=measure, by=[found], minimum_base=minimum_base)
    except CultureMetricsError as error:
        return Figures(
            (), otherwise=f"The change cannot be split into staff mix and groups: {error.what.rstrip('.')}."
        )
    named = replace(mix, organisation=whom)
    return Figures((named.figure(), named), otherwise="")
