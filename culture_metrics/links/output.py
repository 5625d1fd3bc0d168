"""Verbs of links: their panel, one outcome at a time, and the results of several outcomes together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import polars as pl

from culture_metrics.errors import LinkError, kind_of, unknown
from culture_metrics.links.given import outcome_of, panel_of
from culture_metrics.output import Output, told
from culture_metrics.provenance import provenance_of
from culture_metrics.threads import one_blas_thread

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Arguments that cannot be empty.
NAMED = ("indicators", "outcome", "outcomes", "design", "designs")


@dataclass(frozen=True, repr=False, kw_only=True)
class Several(Output):
    """The results of one verb for several outcomes, in the order in which they were asked for.

    Attributes
    ----------
    of : mapping
        Column of an outcome -> its result. `several["shmi"]` gives one too.
    """

    of: Mapping[str, Output]

    @property
    def table(self) -> pl.DataFrame:
        """The tables one below the other, with the outcome before their columns."""
        return pl.concat(
            one.table.select(pl.lit(name).alias("outcome"), pl.all()) for name, one in self.of.items()
        )

    def figure(self, outcome: str | None = None) -> go.Figure:
        """Draw the result of one outcome, the first when none is named."""
        return self[next(iter(self.of)) if outcome is None else outcome].figure()

    def summary(self) -> str:
        """Say in plain sentences what was found for each."""
        return "\n".join(one.summary() for one in self.of.values())

    def __getitem__(self, outcome: str) -> Output:
        if outcome not in self.of:
            raise unknown("outcome", outcome, self.of)
        return self.of[outcome]

    def __iter__(self) -> Iterator[str]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)

    def __repr__(self) -> str:
        return "\n".join(repr(one) for one in self.of.values())


P = ParamSpec("P")
R = TypeVar("R", bound=Output)


def link_verb(verb: Callable[P, R]) -> Callable[P, R]:
    """Give a verb its panel, one outcome at a time, and its result where that came from.

    A table becomes a panel here and nowhere else. A verb of one outcome that is given several returns
    `Several`.
    """
    takes = signature(verb)
    # Annotations are texts here.
    of_one = [name for name, parameter in takes.parameters.items() if parameter.annotation == "str"]

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = takes.bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        if empty := [name for name in NAMED if name in given and given[name] in ([], ())]:
            raise LinkError(f"{empty[0]}= names nothing", expected="one or several")
        if wrong := [name for name in of_one if not isinstance(given[name], str)]:
            raise LinkError(
                f"{verb.__name__} takes one column as {wrong[0]}=",
                got=kind_of(given[wrong[0]]),
                hint="Call it once for each.",
            )
        if "data" in given:
            keys = {key: given[key] for key in ("organisation", "year")}
            panel = given["data"] = panel_of(given["data"], verb.__name__, **keys)
            if isinstance(given.get("outcome"), (list, tuple)):
                asked = {outcome_of(panel, one).column: one for one in given["outcome"]}
                results = {
                    name: call(**(given | {"outcome": one}))  # type: ignore[call-arg]
                    for name, one in asked.items()
                }
                given["outcome"] = list(asked.values())
                return cast(R, told(Several(of=results), provenance_of(verb.__name__, given)))
        with one_blas_thread():
            found = verb(*bound.args, **bound.kwargs)
        return told(found, provenance_of(verb.__name__, given))

    return call
