"""What Results and Distributions share: of whom they are, what is held back, how breakdowns nest."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from culture_metrics.catalogue import catalogue, known_surveys, least_base
from culture_metrics.contract import ALL, check_distributions, check_released, check_results
from culture_metrics.disclosure.names import WITHOUT, is_pooled, pool_names
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.files.formulas import plain_names
from culture_metrics.output import Output
from culture_metrics.problems import counted, listed
from culture_metrics.wording.periods import period_words

#: Expression: whether a row is suppressed.
HELD_BACK = pl.col("status").cast(pl.String).fill_null("").str.starts_with("suppressed")

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, repr=False, eq=False)
class Tabled(Output):
    """A table that keeps a contract, with what disclosure control must not forget of it.

    Attributes
    ----------
    table : polars.DataFrame
        The rows; the names of hidden groups stand in it.
    minimum_base : int
        Smallest base that is shown.
    parents : polars.DataFrame, optional
        Groups that lie whole in a group of another breakdown, as the data have it: `organisation, breakdown,
        group, parent_breakdown, parent_group`.
    names : mapping
        Organisation or breakdown -> what figures call it, where that is not its code or catalogued label.
    """

    table: pl.DataFrame
    minimum_base: int = 0
    parents: pl.DataFrame | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.minimum_base:
            surveys = self.table["survey"].drop_nulls().unique() if "survey" in self.table.columns else ()
            object.__setattr__(self, "minimum_base", least_base(surveys))

    @classmethod
    def of(cls, table: pl.DataFrame, minimum_base: int | None = None) -> Self:
        """Return a table that was built elsewhere, checked.

        Raises
        ------
        ResultsError
            When it does not keep the contract.
        """
        check = check_distributions if "option" in getattr(table, "columns", ()) else check_results
        return cls(check(table), minimum_base or 0)

    def rules(self) -> tuple[str, ...]:
        """Say what was held back by which rule, and how breakdowns nest."""
        within = (f"Groups of {a} lie within groups of {listed(b)}." for a, b in self._nested().items())
        return (Rule(self.minimum_base).words, f"{self._held()} held back.", *self._provisional(), *within)

    def _provisional(self) -> list[str]:
        """Say which editions are provisional."""
        known = known_surveys(self.table["survey"].drop_nulls().unique())
        pairs = self.table.select("survey", "period").unique().sort(pl.all()).iter_rows()
        named = [(known[survey], period) for survey, period in pairs if survey in known]
        return [
            f"{survey.label}, {survey.named(period)}."
            for survey, period in named
            if survey.named(period) != period_words(period)
        ]

    def _facts(self) -> dict[str, Any]:
        hidden = int(self.table.select(HELD_BACK.sum()).item())
        return {
            "disclosure": {
                "minimum_base": self.minimum_base,
                "rows": self.table.height,
                "held_back": hidden,
            },
            "breakdowns": self._nested(),
        }

    def _nested(self) -> dict[str, list[str]]:
        """Return for each breakdown those whose groups hold its groups whole."""
        if self.parents is None:
            return {}
        pairs = self.parents.select("breakdown", "parent_breakdown").unique().sort(pl.all())
        return dict(pairs.group_by("breakdown", maintain_order=True).agg("parent_breakdown").iter_rows())

    def _held(self) -> str:
        hidden = int(self.table.select(HELD_BACK.sum()).item())
        return f"{hidden:,} of {counted(self.table.height, 'row')} {'is' if hidden == 1 else 'are'}"

    def _about(self) -> str:
        """Say which survey, periods, organisations and breakdowns the table is of."""
        surveys = self.table["survey"].drop_nulls().unique().sort()
        known = known_surveys(surveys)
        labels = " and ".join(known[name].label if name in known else name for name in surveys)
        periods = listed(
            known[survey].named(period) if survey in known else period
            for survey, period in self.table.select("survey", "period").unique().sort(pl.all()).iter_rows()
        )
        organisations = self.table["organisation"].unique()
        one = len(organisations) == 1
        whom = str(organisations[0]) if one else counted(len(organisations), "organisation")
        whom = "all organisations together" if whom == ALL else whom
        groups = self._shown().filter(pl.col("breakdown") != ALL)
        pooled = (
            pl.when(is_pooled()).then(pl.col("group").str.extract(r"^(\d+) ").cast(pl.Int64)).otherwise(1)
        )
        many = (
            groups.group_by("breakdown", "organisation", "group", number=pooled)
            .agg(shown=(pl.col("status").cast(pl.String) == "reported").any())
            .group_by("breakdown", "organisation")
            .agg(pl.col("group").filter("shown"), hidden=pl.col("number").filter(~pl.col("shown")).sum())
            .group_by("breakdown")
            .agg(pl.col("group").explode().drop_nulls().n_unique(), pl.col("hidden").sum())
            .sort("breakdown")
        )
        by = "".join(
            f", by {self.names.get(name, name)} ({counted(n, 'group')}"
            + (f" shown, {hidden:,} not)" if hidden else ")")
            for name, n, hidden in many.select("breakdown", "group", "hidden").iter_rows()
        )
        return f"{labels}, {periods}: {whom}{by}"

    def _shown(self) -> pl.DataFrame:
        """Return the table as the object shows it: nothing small, the names of hidden groups pooled."""
        few = pl.col("base") < least_base(self.table["survey"].drop_nulls().unique())
        numbers = [c for c in WITHOUT if c in self.table.columns]
        status = pl.when(few).then(pl.lit("suppressed")).otherwise(pl.col("status").cast(pl.String))
        table = self.table.with_columns(
            status.cast(self.table.schema["status"]).alias("status"),
            *(pl.when(~few.fill_null(value=False)).then(pl.col(c)).alias(c) for c in numbers),
        )
        return pool_names(table, self.minimum_base)

    def _leaving(self) -> pl.DataFrame:
        check = check_distributions if "option" in self.table.columns else check_results
        check_released(check(self.table))
        return plain_names(pool_names(self.table, self.minimum_base), ["organisation", "breakdown", "group"])[
            0
        ]

    def _one(self, organisation: str | None, period: str | int | None) -> pl.DataFrame:
        """Return what a figure shows: one organisation in one period, names of hidden groups pooled."""
        # Before a year is chosen: a group that is shown in another one has its name in the release already.
        table = pool_names(self.table, self.minimum_base)
        for column, wanted in (("organisation", organisation), ("period", period)):
            known = table[column].unique().sort().to_list()
            if wanted is not None and str(wanted) not in known:
                raise unknown(column, str(wanted), known)
            if wanted is None and column == "organisation" and len(known) > 1 and ALL not in known:
                raise ResultsError(
                    f"A figure of {len(known)} organisations could not be read",
                    expected="one organisation",
                    hint="Say which: organisation='RXX'.",
                )
            chosen = wanted if wanted is not None else ALL if ALL in known and len(known) > 1 else None
            table = table.filter(pl.col(column) == (str(chosen) if chosen is not None else known[-1]))
        if table.is_empty():
            raise ResultsError("The table has no rows, so there is nothing to draw")
        return table

    def _whom(self, rows: pl.DataFrame) -> str:
        """Name the one organisation that rows are of."""
        code = str(rows["organisation"][0])
        return "All organisations" if code == ALL else self.names.get(code, code)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._about()}; {self._held()} held back. See .table, .summary())"

    def _repr_html_(self) -> str:
        from culture_metrics.wording.table import Table

        shown = self._shown().select(pl.all().cast(pl.String)).head(10)
        rest = self.table.height - shown.height
        caption = f"The first {shown.height} rows, {rest:,} more in .table" if rest > 0 else "All rows"
        return f"<p>{html.escape(self.summary())}</p>{Table.of(shown, caption)._repr_html_()}"


def when(rows: pl.DataFrame) -> str:
    """Say which survey and period rows are of."""
    survey = catalogue(str(rows["survey"][0]))
    return f"{survey.label}, {survey.named(str(rows['period'][0]))}"


def parents_of(given: object) -> pl.DataFrame | None:
    """Return what results, or several of them, keep of how groups lie within others."""
    many = given if isinstance(given, (list, tuple)) else [given]
    kept = [one.parents for one in many if isinstance(one, Tabled) and one.parents is not None]
    return pl.concat(kept).unique(maintain_order=True) if kept else None
