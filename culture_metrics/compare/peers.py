"""Organisations like one's own on what none of them can change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.profile import COMPONENTS, MIXES, Profile, profile_of
from culture_metrics.errors import ResultsError, check_whole, unknown
from culture_metrics.output import Output, verb
from culture_metrics.wording.numbers import together

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from culture_metrics.published.published import Published

#: Another benchmark group weighs so much that the nearest are of the own group as long as it has some left:
#: ambulance trusts have the other ambulance trusts. Region counts half: it is the same or not, and would else
#: decide alone among organisations that are near in all else.
WEIGHTS: Mapping[str, float] = {name: 1.0 for name in COMPONENTS} | {"benchmark_group": 10.0, "region": 0.5}


@dataclass(frozen=True, repr=False, eq=False)
class Peers(Output):
    """The nearest organisations.

    Attributes
    ----------
    table : polars.DataFrame
        One row per peer, the nearest first: `place, organisation, name, benchmark_group, region, ics, base`,
        `distance` (1 is that of two organisations of one benchmark group taken at random), and `apart_…` for
        each component before weighting, on the same scale.
    organisation, name, survey, period : str
        Whose peers they are, and of which survey and period.
    weights : mapping
        How much each component counts.
    profile : Profile
        What they were found by.
    """

    table: pl.DataFrame
    organisation: str
    name: str
    survey: str
    period: str
    weights: Mapping[str, float]
    profile: Profile

    @property
    def organisations(self) -> list[str]:
        """ODS codes of the peers, the nearest first: what `cm.benchmark(peers=)` takes."""
        return self.table["organisation"].to_list()

    def figure(self) -> go.Figure:
        """Draw how far each peer is away."""
        from culture_metrics import views

        nothing = pl.lit(None, pl.Float64)
        region = pl.col("region").fill_null("no region")
        rows = self.table.select(
            label=pl.format("{} ({})", "name", "organisation"),
            detail=pl.format("{}, base {}", region, "base"),
            estimate="distance",
            conf_low=nothing,
            conf_high=nothing,
        )
        return views.estimates(
            rows,
            axis="Distance: 1 is that of two organisations of one benchmark group taken at random",
            decimals=2,
            title=f"The {self.table.height} organisations most like {self.name}",
            subtitle=f"{catalogue(self.survey).label}, {self.period}. By {self._components()}",
            source="Published results",
        )

    def stability(self) -> pl.DataFrame:
        """Return how many of the peers stay when one component is dropped.

        Returns
        -------
        polars.DataFrame
            `dropped, kept` (how many of the peers are still among the nearest), `share`, and `new` (codes of
            those that come in).
        """
        own, number = self.organisations, self.table.height
        rows, counting = [], [name for name, weight in self.weights.items() if weight > 0]
        for name in counting if len(counting) > 1 else ():  # without all there is no distance
            found = nearest(self.profile, self.organisation, {**self.weights, name: 0.0}, number)
            new = [code for code in found["organisation"] if code not in own]
            rows.append((name, number - len(new), (number - len(new)) / number, ", ".join(new)))
        types = {"dropped": pl.String, "kept": pl.Int64, "share": pl.Float64, "new": pl.String}
        return pl.DataFrame(rows, schema=types, orient="row")

    def summary(self) -> str:
        """Name the nearest peers, and say how many stay whichever component is dropped."""
        names = together((f"{n} ({c})" for n, c in self.table.select("name", "organisation").rows()), most=5)
        said = f"Most like {self.name} by {self._components()}: {names}."
        for least in self.stability().sort("kept").head(1).iter_rows(named=True):
            said += (
                f" Whichever of these is dropped, at least {least['kept']} of the {self.table.height} stay "
                f"(fewest without {_words(least['dropped'])})."
            )
        return said

    def rules(self) -> tuple[str, ...]:
        """Say how distances are made, and who was left out."""
        weighed = ", ".join(f"{_words(name)} {weight:g}" for name, weight in self.weights.items())
        said = (
            "Distance: root of the weighted mean square of the components, each scaled to 1 between two "
            f"organisations of one benchmark group ({weighed})"
        )
        if self.profile.left_out:
            return (said, f"{self.profile.left_out} organisations without a published background left out")
        return (said,)

    def _components(self) -> str:
        return together((_words(name) for name, weight in self.weights.items() if weight > 0), most=9)


def _words(component: str) -> str:
    return component.replace("_", " ")


def nearest(profile: Profile, organisation: str, weights: Mapping[str, float], number: int) -> pl.DataFrame:
    """Return the nearest organisations with their distance and the parts of it."""
    own = profile.about["organisation"].to_list().index(organisation)
    parts: dict[str, NDArray[np.float64]] = {name: profile.apart(name)[own] for name in weights}
    # The benchmark group is not among what organisations of one group differ in.
    within = sum(weight for name, weight in weights.items() if name != "benchmark_group")
    total = within or sum(weights.values())
    nothing = np.zeros(profile.about.height)
    squared = sum((weight * parts[name] ** 2 for name, weight in weights.items()), nothing)
    return (
        profile.about.with_columns(
            distance=pl.Series(np.sqrt(squared / total)),
            **{f"apart_{name}": pl.Series(values) for name, values in parts.items()},
        )
        .filter(pl.col("organisation") != organisation)
        .sort("distance", "organisation")
        .head(number)
    )


@verb
def find_peers(
    published: Published,
    organisation: str,
    *,
    number: int = 10,
    weights: Mapping[str, float] | None = None,
) -> Peers:
    """Find the nearest neighbours of an organisation on what it cannot change.

    Parameters
    ----------
    published : Published
        The official workbook of organisation results.
    organisation : str
        ODS code.
    number : int
        How many.
    weights : mapping, optional
        How much a component counts: `benchmark_group` (10 when left out), `region` (a half), `size`,
        `occupation`, `age`, `ethnicity` (1 each). 0 drops it.

    Returns
    -------
    Peers
        `.table` (nearest first, with the distance and its parts), `.organisations` (their codes),
        `.stability()` (how many stay when a component is dropped).

    Raises
    ------
    UnknownNameError
        When the workbook has no such organisation, or there is no such component.
    ResultsError
        When the workbook does not say who the respondents are, or holds the organisation back, or weights
        are no numbers from 0 on.
    CultureMetricsError
        When `number` is no whole number of at least 1.

    Notes
    -----
    Size is the logarithm of the number of respondents (files give no staff in post); occupation, age and
    ethnic group are shares of respondents, compared by Hellinger's distance; benchmark group and region are
    the same or not. Each component but the benchmark group is scaled so that its mean square over all pairs
    of organisations of one benchmark group is 1: there, where neighbours lie, each counts as its weight.
    Scores play no part: peers may do better or worse.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> workbook = cm.read_published("organisational results 2024.xlsx")  # doctest: +SKIP
    >>> peers = cm.find_peers(workbook, "RXX")  # doctest: +SKIP
    >>> cm.benchmark(workbook, "RXX", peers=peers.organisations).ranking("q25c")  # doctest: +SKIP
    """
    check_whole("number", number, 1, "find_peers")
    profile = profile_of(published, "find_peers")
    known = {name: WEIGHTS[name] for name in COMPONENTS if name in profile.mixes or name not in MIXES}
    for name in weights or {}:
        if name not in known:
            raise unknown("component of a profile", name, known, where="find_peers(weights=)")
    chosen = {**known, **(weights or {})}
    numbers = all(isinstance(w, int | float) and 0 <= w < math.inf for w in chosen.values())
    if not numbers or not any(chosen.values()):
        raise ResultsError("Weights are 0 or more, and one is above 0", where="find_peers(weights=)")
    about = profile.about
    here = published.organisations.filter(period=published.period)["organisation"].to_list()
    if organisation in here and organisation not in about["organisation"].to_list():
        raise ResultsError(
            f"{organisation} has no published figures or background to find peers by",
            where="find_peers",
            hint="Official workbooks hold back those of organisations with too few respondents.",
        )
    if organisation not in about["organisation"].to_list():
        raise unknown("organisation", organisation, about["organisation"].to_list())
    found = nearest(profile, organisation, chosen, number)
    return Peers(
        table=found.select(pl.int_range(1, pl.len() + 1).alias("place"), pl.all()),
        organisation=organisation,
        name=about.filter(organisation=organisation)["name"].item() or organisation,
        survey=published.survey,
        period=published.period,
        weights=chosen,
        profile=profile,
    )
