"""The one protocol of what a verb returns: a table, a figure, a summary, its provenance, and a way out."""

from __future__ import annotations

import html
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import wraps
from inspect import signature
from io import BytesIO
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL, check_released
from culture_metrics.errors import ReportError, ResultsError, UnknownNameError, kind_of
from culture_metrics.files.accessible import FIGURES, HELD, MARK, MARKS, NOTHING, Sheet, workbook
from culture_metrics.files.formulas import plain_names
from culture_metrics.files.kinds import PICTURES
from culture_metrics.files.place import to_write, written
from culture_metrics.provenance import Provenance, provenance_of

if TYPE_CHECKING:
    from pathlib import Path

    import plotly.graph_objects as go

#: With the mark at its beginning Excel reads signs beyond ASCII, as the "×" of crossed groups.
TABLES: dict[str, Callable[[pl.DataFrame, BytesIO], object]] = {
    ".csv": lambda table, file: table.write_csv(file, include_bom=True),
    ".parquet": lambda table, file: table.write_parquet(file),
}
WORKBOOK = ".xlsx"
#: Stands for the names of groups of which nothing is shown.
NOT_SHOWN = "groups that are not shown"
ENDINGS = (*TABLES, WORKBOOK, ".html", *PICTURES)


@dataclass(frozen=True, kw_only=True)
class Output(ABC):
    """What a verb returns.

    Attributes
    ----------
    table : polars.DataFrame
        The figures, a row each, flat enough for CSV.
    provenance : mapping
        Read-only. `verb`, `arguments`, `inputs` (kind, file and SHA-256 of each, or what it was made from in
        its turn), `versions`, `rules` (what was applied or assumed, in sentences).
    """

    provenance: Mapping[str, Any] = field(default_factory=Provenance, repr=False, compare=False)

    if TYPE_CHECKING:

        @property
        def table(self) -> pl.DataFrame:
            """The figures, a row each, flat enough for CSV."""

    @abstractmethod
    def summary(self) -> str:
        """Say in plain sentences what was found."""

    def figure(self) -> go.Figure:
        """Draw the main picture.

        Raises
        ------
        ReportError
            When a picture of it would say no more than its table.
        """
        raise ReportError(
            f"There is no picture of {type(self).__name__}",
            hint='See .summary() and .table; .save("….html") writes both as a page.',
        )

    def rules(self) -> tuple[str, ...]:
        """Say what was applied or assumed: it stands in the provenance."""
        return ()

    def save(self, path: str | Path) -> Path:
        """Write the table or the figure, as the ending of the file's name says.

        Parameters
        ----------
        path : str or Path
            `.csv` (for Excel as well), `.xlsx` or `.parquet` for the table; `.html` for the figure, or for
            the page of what has none; `.png` (1600 by 900 pixels, for a slide) or `.svg` for the figure,
            where kaleido and a Chrome, Chromium or Edge are installed: a `.html` page needs neither and saves
            a PNG by a button. Text that a spreadsheet would take for a formula gets an apostrophe. A workbook
            has a cover, contents and notes before the table, which
            `polars.read_excel(path, table_name="Figures")` reads back.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UnknownNameError
            When the ending is another.
        ResultsError
            When it shows results on fewer respondents than may leave.
        ReportError
            When the file cannot be written, or there is no picture for it.
        """
        path, ending = to_write(path, ENDINGS, "result")
        table = self._leaving()
        if ending in TABLES or ending == WORKBOOK:
            plain, _ = plain_names(table, table.columns)
            if ending == WORKBOOK:
                return written(path, self._workbook(plain), "result")
            packed = BytesIO()  # polars does not say why a file cannot be written
            TABLES[ending](plain, packed)
            return written(path, packed.getvalue(), "result")
        from culture_metrics.views import save as write

        if ending in PICTURES:
            return write.picture(self.figure(), path)
        if type(self).figure is Output.figure:
            return write.page(self._repr_html_(), path, title=type(self).__name__)
        return write.save(self.figure(), path)

    def _with_provenance(self, provenance: Mapping[str, Any]) -> Self:
        """Return the same with its provenance: a verb may return what it was given, which another made."""
        found = copy(self)
        more = {"rules": list(self.rules()), **self._facts()}
        object.__setattr__(found, "provenance", Provenance({**self.provenance, **provenance, **more}))
        return found

    def _facts(self) -> dict[str, Any]:
        """Return what else stands in the provenance."""
        return {}

    def _workbook(self, table: pl.DataFrame) -> bytes:
        """Return the table that leaves as an accessible workbook."""
        title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).capitalize()
        if {"status"} <= {*table.columns}:
            status = pl.col("status").cast(pl.String)
            held = pl.when(status.str.starts_with("suppressed")).then(pl.lit(HELD)).otherwise(pl.lit(NOTHING))
            table = table.with_columns(held.fill_null(NOTHING).alias(MARK))
        rules = {f"Rule {n}": said for n, said in enumerate(self.provenance.get("rules", ()), 1)}
        sheet = Sheet(FIGURES, title, table)
        return workbook(title, [self.summary(), "Made with culture-metrics."], MARKS | rules, [sheet])

    def _leaving(self) -> pl.DataFrame:
        """Return the table as it may leave: nothing small, hidden groups without their names."""
        if not {"breakdown", "group", "status"} <= {*self.table.columns}:
            return self.table
        for base in {"base", "base_from", "base_to"} & {*self.table.columns}:
            check_released(self.table.select("^survey$", "status", base=base))
        return _without_names(self.table)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"

    def _with_points(self, points: Iterable[str], fold: str = "") -> str:
        """Return the summary and points below it as HTML, folded under a heading where one is given."""
        listed = "".join(f"<li>{html.escape(point)}</li>" for point in points)
        listed = listed and f"<ul>{listed}</ul>"
        if fold and listed:
            listed = f"<details><summary>{html.escape(fold)}</summary>{listed}</details>"
        return f"<p>{html.escape(self.summary())}</p>{listed}"


def _without_names(table: pl.DataFrame) -> pl.DataFrame:
    """Fold the rows of groups of which nothing is shown, without their names."""
    group = [c for c in ("survey", "organisation", "breakdown", "group") if c in table.columns]
    status = pl.col("status").cast(pl.String)
    hidden = status.str.starts_with("suppressed")
    gone = (~(status == "reported").any() & hidden.any()).over(group) & (pl.col("group") != ALL)
    named = [
        pl.when("gone").then(pl.lit(NOT_SHOWN)).otherwise("group").alias("group"),
        pl.when(pl.col("gone") & hidden)
        .then(pl.lit("suppressed"))
        .otherwise(status)
        .cast(table.schema["status"], strict=False)
        .alias("status"),
    ]
    marked = table.with_columns(gone=gone).with_columns(named)
    folded = marked.filter("gone").unique(maintain_order=True)
    return pl.concat([marked.filter(~pl.col("gone")), folded]).drop("gone")


P = ParamSpec("P")
R = TypeVar("R")


#: Arguments that name several things, with examples; one name alone is a list of one.
LISTS = {"by": ("gender", "age"), "measures": ("morale", "staff_engagement")}


def verb(function: Callable[P, R]) -> Callable[P, R]:
    """Give what a verb returns its provenance, and read the names it takes: see `names_given`."""
    takes = signature(function)
    known = {name: str(takes.parameters[name].annotation) for name in LISTS if name in takes.parameters}
    lists = {name: "[str |" in kind for name, kind in known.items() if "[str" in kind}

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = takes.bind(*args, **kwargs)
        for name, crossed in lists.items():
            if bound.arguments.get(name) is not None:
                bound.arguments[name] = names_given(name, bound.arguments[name], crossed=crossed)
        found = function(*bound.args, **bound.kwargs)
        bound.apply_defaults()
        return told(found, provenance_of(function.__name__, bound.arguments))

    return call


def names_given(argument: str, given: Any, *, crossed: bool = False) -> list[Any]:
    """Return a list of names; one name alone is a list of one, and where they may be crossed lists of names.

    Raises
    ------
    UnknownNameError
        When it holds anything else than names, such as a list within a list.

    Examples
    --------
    >>> names_given("by", "gender"), names_given("by", ["age", ("gender", "age")], crossed=True)
    (['gender'], ['age', ['gender', 'age']])
    """
    items = _listed(given)
    found = [_listed(one) if crossed and not isinstance(one, str) else one for one in items]
    flat = [name for one in found for name in (one if crossed and isinstance(one, list) else [one])]
    wrong = [name for name in flat if not isinstance(name, str)]
    if not wrong:
        return found
    one, other = LISTS[argument]
    crosses = f'; several that are crossed in a list of their own, {argument}=[["{one}", "{other}"]]'
    raise UnknownNameError(
        f"{argument}= takes names, each a text",
        expected=f'{argument}="{one}" or {argument}=["{one}", "{other}"]' + crosses * crossed,
        got=f"{kind_of(wrong[0])} where a name should stand",
        hint="Take out the inner brackets."
        + f' A cross of breakdowns goes by its name in results: by="{CROSS.join(LISTS["by"])}".'
        * (argument == "by" and not crossed),
    )


def _listed(given: Any) -> list[Any]:
    """Return what a list of names holds; of one name, or of what is no list, a list of one."""
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)
    return [*given] if several else [given]


def told(found: R, provenance: Mapping[str, Any]) -> R:
    """Return what was found with its provenance; what the readers wrote of files stays beside it."""
    if isinstance(found, tuple):
        return tuple(told(one, provenance) for one in found)  # type: ignore[return-value]
    return found._with_provenance(provenance) if isinstance(found, Output) else found


def table_of(given: object, verb: str, takes: str = "results") -> pl.DataFrame:
    """Return the table that a verb was given: of what another verb returned, or as it is.

    Several in a list or tuple are put one below the other; a lazy table is collected.

    Raises
    ------
    ResultsError
        When it is neither.

    Examples
    --------
    >>> table_of(pl.DataFrame({"x": [1]}), "trend").height
    1
    """
    if isinstance(given, pl.DataFrame):
        return given
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    if isinstance(given, Output):
        return given.table
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, Mapping)):
        parts = [table_of(one, verb, takes) for one in given]
        if parts:
            return pl.concat(parts, how="vertical_relaxed")
    raise ResultsError(
        f"{verb} takes {takes}",
        expected="what a verb returned, a polars DataFrame, or a list of them",
        got=kind_of(given),
        hint="Read a file with polars.read_parquet.",
    )
