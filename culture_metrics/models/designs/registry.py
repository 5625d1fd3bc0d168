"""The list of designs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from culture_metrics.errors import LinkError, kind_of
from culture_metrics.models.designs.design import Design
from culture_metrics.models.designs.lagged import CROSS_LAGGED, LAGGED
from culture_metrics.models.designs.long_difference import long_difference
from culture_metrics.models.designs.pooled import CROSS_SECTION, MIXED, POOLED
from culture_metrics.models.designs.within import FIRST_DIFFERENCE, FIXED_EFFECTS, WITHIN_BETWEEN

#: The designs by name.
DESIGNS: Mapping[str, Design] = MappingProxyType(
    {
        design.name: design
        for design in (
            CROSS_SECTION,
            POOLED,
            MIXED,
            LAGGED,
            FIXED_EFFECTS,
            WITHIN_BETWEEN,
            FIRST_DIFFERENCE,
            long_difference(),
            CROSS_LAGGED,
        )
    }
)


def as_design(given: object) -> Design:
    """Return the design that is given, or that a name means.

    Raises
    ------
    LinkError
        When there is none, naming those there are.

    Examples
    --------
    >>> as_design("pooled").label
    'All years together'
    """
    if isinstance(given, Design):
        return given
    if not isinstance(given, str):
        raise LinkError("design= is a design's name", expected=", ".join(DESIGNS), got=kind_of(given))
    for design in DESIGNS.values():
        if found := design.named(given):
            return found
    raise LinkError(f"There is no design '{given}'", expected=", ".join(DESIGNS))
