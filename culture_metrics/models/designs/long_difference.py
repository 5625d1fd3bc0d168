"""Long differences: what changed over several years in the indicator, and in the outcome."""

from __future__ import annotations

import re
from dataclasses import dataclass

from culture_metrics.errors import LinkError
from culture_metrics.models.designs.design import LINEAR, Design, Estimator, Transform
from culture_metrics.models.designs.independent_figures import changes
from culture_metrics.problems import counted

NAME = "long_difference"
#: Years between the two figures of a change, when nothing else is said.
GAP = 3


@dataclass(frozen=True, kw_only=True)
class LongDifference(Design):
    """Changes over a gap of k years, one for each year that has a figure k years before it.

    What an organisation always is falls out, as with fixed effects, and a slow link has years to show itself.
    Changes that overlap share the years between, and go together even where the years themselves do not: with
    several changes of an organisation errors are clustered by it, unless another covariance is asked for
    (which raises the flag `not_clustered`). An organisation with one change carries one row, and one without
    a figure k years apart none; `sample` counts them.

    Griliches and Hausman (1986): the longer the gap, the less noise in the indicator pulls the slope to 0.
    """

    def named(self, text: str) -> Design | None:
        """Return the design of this family that a text names, such as `long_difference_4`."""
        found = re.fullmatch(rf"{NAME}(?:_(\d+))?", text)
        if found is None:
            return None
        gap = int(found[1] or GAP)
        return self if gap == self.gap else long_difference(gap)


def long_difference(gap: int = GAP) -> Design:
    """Return the design of changes over a gap of k years.

    Parameters
    ----------
    gap : int
        Years between the two figures of each change, 1 or more; with 1 it is `first_difference`.

    Raises
    ------
    LinkError
        When there is no such gap.

    Examples
    --------
    >>> long_difference(4).name, long_difference().label
    ('long_difference_4', 'Changes over 3 years')
    """
    if gap < 1:
        raise LinkError("A long difference spans years", where="gap=", expected="1 or more", got=str(gap))
    years = counted(gap, "year")
    return LongDifference(
        name=NAME if gap == GAP else f"{NAME}_{gap}",
        label=f"Changes over {years}",
        transform=Transform.CHANGES,
        beyond_linear=None,  # a change of counts or shares has no distribution of its own
        estimator=Estimator.ROWS,
        kinds=LINEAR,
        independent=changes(gap),
        reference="tests/reference/long_differences.csv",
        sentence=f"Where {{indicator}} rose by {{step}} over {years}, the change in {{outcome}}{{later}} was",
        instead="within_between, or take the outcome as continuous",
        gap=gap,
    )
