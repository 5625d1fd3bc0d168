"""What every result on links has: a table, a figure, a summary, where it came from, and a way out."""

from __future__ import annotations

import hashlib
import html
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, wraps
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import polars as pl

from culture_metrics.errors import LinkError, ReportError, unknown
from culture_metrics.files.formulas import plain_names
from culture_metrics.links.given import outcome_of, panel_of
from culture_metrics.models.designs.design import Design
from culture_metrics.outcomes.outcome import Outcome
from culture_metrics.outcomes.panel import Panel
from culture_metrics.threads import one_blas_thread

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Arguments that cannot be empty.
NAMED = ("indicators", "outcome", "outcomes", "design", "designs")
PACKAGES = ("culture-metrics", "numpy", "polars", "scipy", "statsmodels")
TABLES: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    # With the mark at its beginning Excel reads signs beyond ASCII.
    ".csv": lambda table, path: table.write_csv(path, include_bom=True),
    ".parquet": lambda table, path: table.write_parquet(path),
    ".xlsx": lambda table, path: table.write_excel(path),
}


@dataclass(frozen=True, kw_only=True)
class LinkOutput(ABC):
    """A result on links.

    Attributes
    ----------
    provenance : mapping
        `verb`, `arguments`, `inputs` (of a panel its size, years and SHA-256), `versions`.
    """

    provenance: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    if TYPE_CHECKING:

        @property
        def table(self) -> pl.DataFrame:
            """The figures, a row each, flat enough for CSV."""

    @abstractmethod
    def figure(self) -> go.Figure:
        """Draw the main picture."""

    @abstractmethod
    def summary(self) -> str:
        """Say in plain sentences what was found."""

    def save(self, path: str | Path) -> Path:
        """Write the table or the figure, as the ending of the file's name says.

        Parameters
        ----------
        path : str or Path
            `.csv` (for Excel as well), `.xlsx` or `.parquet` for the table, `.html` for the figure. Text that
            a spreadsheet would take for a formula gets an apostrophe in files for spreadsheets.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UnknownNameError
            When the ending is another.
        ReportError
            When the file cannot be written.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".html":
            from culture_metrics.views.save import save

            return save(self.figure(), path)
        if ending not in TABLES:
            raise unknown("ending for a result on links", path.suffix, [*TABLES, ".html"], where=path.name)
        table, _ = (self.table, []) if ending == ".parquet" else plain_names(self.table, self.table.columns)
        try:
            TABLES[ending](table, path)
        except OSError as error:
            raise ReportError(
                "The result could not be written",
                where=path.name,
                got=error.strerror or type(error).__name__,
                hint="Choose a folder that exists and that you may write to; close the file if it is open.",
            ) from error
        return path

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


@dataclass(frozen=True, repr=False, kw_only=True)
class Several(LinkOutput):
    """The results of one verb for several outcomes, in the order in which they were asked for.

    Attributes
    ----------
    of : mapping
        Column of an outcome -> its result. `several["shmi"]` gives one too.
    """

    of: Mapping[str, LinkOutput]

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

    def __getitem__(self, outcome: str) -> LinkOutput:
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
R = TypeVar("R", bound=LinkOutput)


def link_verb(verb: Callable[P, R]) -> Callable[P, R]:
    """Give a verb its panel, one outcome at a time, and its result where that came from.

    A table becomes a panel here and nowhere else. A verb of one outcome that is given several returns
    `Several`.
    """
    takes = signature(verb)

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = takes.bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        told: dict[str, Any] = {"verb": verb.__name__, "arguments": {}, "inputs": []}
        if empty := [name for name in NAMED if name in given and given[name] in ([], ())]:
            raise LinkError(f"{empty[0]}= names nothing", expected="one or several")
        if "data" in given:
            keys = {key: given[key] for key in ("organisation", "year")}
            panel = given["data"] = panel_of(given["data"], verb.__name__, **keys)
            told["inputs"] = [_input(panel)]
            if isinstance(given.get("outcome"), (list, tuple)):
                asked = {outcome_of(panel, one).column: one for one in given["outcome"]}
                given.pop("outcome")
                results = {
                    name: call(**(given | {"outcome": one}))  # type: ignore[call-arg]
                    for name, one in asked.items()
                }
                first = next(iter(results.values()))
                arguments = first.provenance["arguments"] | {"outcome": _plain(list(asked.values()))}
                return cast(R, Several(of=results, provenance={**first.provenance, "arguments": arguments}))
        with one_blas_thread():
            found = verb(*bound.args, **bound.kwargs)
        told["arguments"] = {name: _plain(value) for name, value in given.items() if name != "data"}
        told["versions"] = dict(_versions())
        return replace(found, provenance=told)

    return call


@cache
def _versions() -> Mapping[str, str]:
    return MappingProxyType({name: version(name) for name in PACKAGES})


def _input(panel: Panel) -> dict[str, Any]:
    table = panel.table
    return {
        "kind": "panel",
        "rows": table.height,
        "organisations": table["organisation"].n_unique(),
        "years": [table["year"].min(), table["year"].max()],
        "sha256": hashlib.sha256(_text(table).encode()).hexdigest(),
    }


def _text(table: pl.DataFrame) -> str:
    """Return a panel as text, the same whatever the order of its rows and columns."""
    flat = [name for name, dtype in table.schema.items() if not dtype.is_nested()]
    return table.select(sorted(flat)).sort("organisation", "year", maintain_order=True).write_csv()


def _plain(value: Any) -> Any:
    """Return an argument as it stands in JSON."""
    if isinstance(value, Design):
        return value.name
    if isinstance(value, Outcome):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
