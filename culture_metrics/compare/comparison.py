"""Two periods side by side, as they are read: table, figures, sentences."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.sentences import sentence
from culture_metrics.contract import ALL
from culture_metrics.disclosure.names import is_pooled
from culture_metrics.errors import ComparabilityError, unknown
from culture_metrics.output import Output
from culture_metrics.results.spelling import breakdown_among
from culture_metrics.results.words import SOURCES, weighed
from culture_metrics.wording.changes import beside
from culture_metrics.wording.columns import natural
from culture_metrics.wording.grey import furthest_change
from culture_metrics.wording.numbers import held_back, in_sentence, several
from culture_metrics.wording.verdicts import BARRED, CLEAR, LIKELY, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import plotly.graph_objects as go

    from culture_metrics.compare.change_table import ChangeTable
    from culture_metrics.compare.decomposition import ChangeDecomposition
    from culture_metrics.wording.several import Figures, Tables
    from culture_metrics.wording.table import Table


#: Findings that a summary tells.
MOST_TOLD = 5


@dataclass(frozen=True, repr=False, eq=False)
class YearComparison(Output):
    """Two periods of one survey side by side.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation, breakdown, group and measure; see `compare_years`.
    survey, from_period, to_period : str
        What was compared.
    vanished, appeared : tuple of str
        Organisations with results in the first period only, and in the second only.
    notes : tuple of str
        What was assumed, pooled or taken as given.
    names : mapping
        Organisation or breakdown -> what figures call it, where that is not its code or catalogued label.
    groups_vanished, groups_appeared : tuple of str
        Groups with rows in the first period only, and in the second only ("locality_1: Urgent Care").
    parents : polars.DataFrame, optional
        Groups that lie whole in a group of another breakdown, as the data have it.
    results : tuple of polars.DataFrame, optional
        The Results of the first and of the second period, which the story takes apart.
    part : str
        Whom of the organisation it is about, where not everybody: sentences begin with it.
    held : str
        Why most of it is held back, where that is so.
    """

    table: pl.DataFrame
    survey: str
    from_period: str
    to_period: str
    vanished: tuple[str, ...]
    appeared: tuple[str, ...]
    notes: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    groups_vanished: tuple[str, ...] = ()
    groups_appeared: tuple[str, ...] = ()
    parents: pl.DataFrame | None = None
    results: tuple[pl.DataFrame, pl.DataFrame] | None = None
    part: str = ""
    held: str = ""

    def whole(self) -> YearComparison:
        """Return the same without groups: whole organisations only."""
        own = self.table.filter((pl.col("breakdown") == ALL) & (pl.col("group") == ALL))
        return replace(self, table=own, groups_vanished=(), groups_appeared=())

    def sentences(self, *verdicts: str) -> list[str]:
        """Say each finding in a sentence for a board paper, the largest standardised change first.

        Parameters
        ----------
        *verdicts : str
            Only these verdicts; all of them when left out.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> data = cm.study([])
        >>> change = cm.compare_years(data.results, "2023", "2024", measures=["q25c"])
        >>> change.whole().sentences("improved")[0][:64]
        'Would recommend as a place to work rose from 64.5% in 2023 to 70'
        """
        rows = self.table.filter(pl.col("verdict").is_in(verdicts)) if verdicts else self.table
        ordered = rows.sort(
            pl.col("standardised_difference").abs(), descending=True, nulls_last=True, maintain_order=True
        )
        said = sentence()
        if self.table["organisation"].n_unique() > 1:
            said = pl.concat_str("organisation", said, separator=": ")
        if self.part:
            said = pl.concat_str(pl.lit(self.part), said, separator=": ")
        return ordered.select(said).to_series().to_list()

    def finding(self, measure: str, decomposition: ChangeDecomposition | None = None) -> str:
        """Say one finding about the whole organisation, and what staff mix has to do with it.

        Parameters
        ----------
        measure : str
            Id or official code of the later period.
        decomposition : ChangeDecomposition, optional
            What `decompose_change` returned for the same measure and periods.

        Raises
        ------
        ComparabilityError
            When the decomposition is of another measure or other periods.
        UnknownNameError
            When the measure is not in this comparison.
        """
        name = catalogue(self.survey).edition(self.to_period).measure(measure).id
        rows = self.table.filter((pl.col("measure") == name) & (pl.col("breakdown") == ALL))
        if rows.is_empty():
            raise unknown("measure in this comparison", measure, self.table["measure"].unique().sort())
        said = str(self._one(rows).select(sentence()).item())
        if decomposition is None:
            return said
        mine = (name, self.from_period, self.to_period)
        theirs = (decomposition.measure.id, decomposition.from_period, decomposition.to_period)
        if mine != theirs:
            raise ComparabilityError(
                "The decomposition is of another change", got=", ".join(theirs), expected=", ".join(mine)
            )
        total, mix = (decomposition.piece(p)["estimate"] for p in ("total", "mix"))
        told = beside(total, mix, "the change in staff mix", decomposition.measure.unit)
        return f"{said.removesuffix('.')}, {told}."

    def figure(self, breakdown: str = ALL, group: str = ALL, unit: str = "score") -> go.Figure:
        """Draw the change of the scores of a group (or its percentages), sorted by size, with verdicts."""
        from culture_metrics import views

        rows, unit = self._rows(breakdown, group, unit)
        return views.changes(
            rows, unit=unit, scale=self._scale, **self._said(rows, _counted(rows, unit), group)
        )

    def slope(self, breakdown: str = ALL, group: str = ALL, unit: str = "score") -> go.Figure:
        """Draw the leading scores (or the percentages) of both years as lines from one to the other."""
        from culture_metrics import views

        rows, unit = self._rows(breakdown, group, unit)
        rows = self._leading(rows.filter(pl.col("unit") == unit))
        return views.slope(rows, unit=unit, **self._said(rows, _counted(rows, unit), group))

    def heat_map(self, breakdown: str, unit: str = "score") -> go.Figure:
        """Draw the change of the leading scores (or the percentages) in every group of a breakdown."""
        from culture_metrics import views

        rows, breakdown, unit, words = self._mapped(breakdown, unit)
        own = rows.filter(pl.col("breakdown").is_in([breakdown, ALL]))
        return views.change_map(own, unit=unit, scale=self._scale, **words)

    def heat_table(self, breakdown: str, unit: str = "score") -> ChangeTable:
        """Lay the changes of the groups of a breakdown out as a table, within those that they lie in.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> data = cm.study([])
        >>> cm.compare_years(data.results, 2023, 2024).heat_table("locality_4").around
        'Directorate'
        """
        from culture_metrics.compare.change_table import change_table

        rows, breakdown, unit, words = self._mapped(breakdown, unit)
        return change_table(self, rows, breakdown, words, unit=unit)

    def heat_maps(self, by: Iterable[str] | None = None) -> Figures:
        """Draw the change of the leading scores in every group of staff: one map for each breakdown.

        A breakdown of many groups, or whose groups lie within others that are shown, is laid out as a table
        (`heat_table`).

        Parameters
        ----------
        by : iterable of str, optional
            Breakdowns, as far as they are compared; all of them when left out.
        """
        from culture_metrics.wording.several import NO_GROUPS, Figures

        known = self.table["breakdown"].unique(maintain_order=True).to_list()
        given = known if by is None else [self._breakdown(b) for b in by]
        drawn: list[go.Figure | ChangeTable] = []
        for name in (b for b in given if b in known and b != ALL):
            laid = self.heat_table(name)
            drawn.append(laid if laid.long else self.heat_map(name))
        return Figures(tuple(drawn), otherwise=NO_GROUPS)

    def _mapped(self, breakdown: str, unit: str) -> tuple[pl.DataFrame, str, str, dict[str, str]]:
        """Return what a map of a breakdown is made of: rows of all breakdowns, its id, unit and words."""
        known = [b for b in self.table["breakdown"].unique().sort() if b != ALL]
        breakdown = self._breakdown(breakdown)
        if breakdown not in known:
            raise unknown("breakdown in this comparison", breakdown, [self.names.get(b, b) for b in known])
        own = self._one(self.table.filter(pl.col("breakdown").is_in([breakdown, ALL])))
        unit = unit if (own["unit"] == unit).any() else str(own["unit"][0])
        rows = self._leading(self._one(self.table.filter(pl.col("unit") == unit)))
        rows = rows.sort(pl.col("group") != ALL, is_pooled(), natural("group"), maintain_order=True)
        label = catalogue(self.survey).edition(self.to_period).breakdown_label(breakdown, self.names)
        groups = rows.filter(pl.col("breakdown") == breakdown)
        clear = groups["verdict"].cast(pl.String).is_in(CLEAR).any()
        told = _counted(groups, unit, "change") if clear else furthest_change(groups, unit)
        what = f"{told}, by {in_sentence(label)}" if clear else f"by {in_sentence(label)}, {told}"
        return rows, breakdown, unit, self._said(rows, what, ALL)

    def findings(self) -> Table:
        """List in sentences what changed in the whole organisation, and what did not change materially."""
        from culture_metrics.compare import change_lists

        return change_lists.findings(self)

    def not_comparable(self) -> Table:
        """List what may not be compared, why, and what may be instead."""
        from culture_metrics.compare import change_lists

        return change_lists.not_comparable(self)

    def hidden(self) -> Tables:
        """List the smallest change that a score could have shown: a table for each breakdown."""
        from culture_metrics.compare import change_lists

        return change_lists.hidden(self)

    def story(self) -> list[str]:
        """Say in plain sentences what moved at the top, where inside it sits, and what may be renaming.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> data = cm.study([])
        >>> cm.compare_years(data.results, 2023, 2024).story()[0][:46]
        'Morale fell from 5.93 in 2023 to 5.73 in 2024 '
        """
        from culture_metrics.compare.story import story

        return story(self)

    def summary(self) -> str:
        """Say in plain sentences what came of it: the story first, counts of verdicts last."""
        own = self.whole()
        groups = self.table.filter((pl.col("breakdown") != ALL) | (pl.col("group") != ALL))
        one = self.table["organisation"].n_unique() == 1
        said = self.story() if one else own.sentences(*CLEAR)[:MOST_TOLD]
        years, plain = (self.from_period, self.to_period), f"{self.from_period} to {self.to_period}"
        if (named := catalogue(self.survey).named(*years)) != plain:
            said.append(f"The years are {named}.")
        for gone, word in ((self.vanished, f"only in {self.from_period}"), (self.appeared, f"only in {self.to_period}")):  # fmt: skip  # noqa: E501
            if gone:
                said.append(
                    f"{len(gone)} organisation{'s' if len(gone) > 1 else ''} {word}: {', '.join(gone)}."
                )
        if own.table.height:
            said.append(f"{self._counts()}.")
        if self.held:
            said.append(self.held)
        if groups.height:
            within = f"In groups of {self.part}" if self.part else "In groups"
            said.append(f"{within}, of {several(groups.height, 'comparison')} {_verdicts(groups)}.")
        return " ".join(said)

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed, pooled or taken as given."""
        return self.notes

    def __repr__(self) -> str:
        return f"YearComparison({self._counts()}. See .table, .story() and .summary())"

    def _counts(self) -> str:
        rows = self.whole().table
        one = rows["organisation"].n_unique() == 1
        of = several(rows.height, "measure" if one else "comparison of whole organisation")
        whom = f"{self.part}, " if self.part else ""
        verdicts = _verdicts(rows) if rows.height else "none"
        return f"{whom}{self.from_period} to {self.to_period}: of {of} {verdicts}"

    def _repr_html_(self) -> str:
        return self._with_points(self.notes, "How the years were compared")

    def _said(self, rows: pl.DataFrame, what: str, group: str) -> dict[str, str]:
        """Title, subtitle and source of a figure."""
        code = str(rows["organisation"][0])
        whom = self.names.get(code, code) + ("" if group == ALL else f", {group}")
        return {
            "title": f"{whom}: {what}",
            "subtitle": f"{catalogue(self.survey).label}, "
            + catalogue(self.survey).named(self.from_period, self.to_period),
            "source": weighed(SOURCES[str(rows["source"][0])], rows["weighting"]),
        }

    def _rows(self, breakdown: str, group: str, unit: str) -> tuple[pl.DataFrame, str]:
        """Rows of one group, and the unit wanted if there is any such measure, else the other one."""
        own = self.table["breakdown"] == self._breakdown(breakdown)
        rows = self.table.filter(own & (self.table["group"] == group))
        if rows.is_empty():
            shown = self.table.filter(status="reported").select(pl.format("{}: {}", "breakdown", "group"))
            known = shown.to_series().unique().sort()
            raise unknown("group in this comparison", f"{breakdown}: {group}", known)
        return self._one(rows), unit if (rows["unit"] == unit).any() else str(rows["unit"][0])

    def _breakdown(self, name: str) -> str:
        """Return the id of a breakdown by any of its names."""
        edition = catalogue(self.survey).edition(self.to_period)
        return breakdown_among(self.table["breakdown"].unique(), name, edition, self.names)

    @property
    def _scale(self) -> tuple[float, float]:
        return catalogue(self.survey).score_range

    def _leading(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Keep the scores of the survey's leading levels where there are any."""
        leading = rows.filter(pl.col("level").is_in(catalogue(self.survey).leading))
        return leading if leading.height else rows

    def _one(self, rows: pl.DataFrame) -> pl.DataFrame:
        """See to it that a figure shows one organisation."""
        codes = rows["organisation"].n_unique()
        if codes > 1:
            raise ComparabilityError(
                f"A figure of {codes} organisations could not be read",
                expected="one organisation",
                hint="compare_years(…, organisation='RXX') keeps one.",
            )
        return rows


def _verdicts(rows: pl.DataFrame) -> str:
    """Count the verdicts; what is held back is counted apart from what may not be compared."""
    hidden = rows.select(held_back()).to_series()
    said = counted(dict(rows.filter(~hidden)["verdict"].cast(pl.String).value_counts().iter_rows()))
    if hidden.any():
        said.append(f"{int(hidden.sum()):,} {'is' if hidden.sum() == 1 else 'are'} held back")
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))


def _counted(rows: pl.DataFrame, unit: str, noun: str = "") -> str:
    """Say how many of the measures drawn changed, also after all is allowed for: the title of a figure."""
    own = rows.filter((pl.col("unit") == unit) & (pl.col("verdict") != BARRED))
    many = several(own.height, noun or ("score" if unit == "score" else "percentage"))
    if own.is_empty():
        return f"no {noun or many.split()[1].removesuffix('s')} may be compared"
    numbers = dict(own["verdict"].cast(pl.String).value_counts().iter_rows())
    clear, likely = counted(numbers, CLEAR), counted(numbers, LIKELY)
    if clear:
        number, *verdict = clear[0].split()
        return ", ".join([f"{number} of {many} {' '.join(verdict)}", *clear[1:]])
    none = f"none of {many} {'is' if noun else 'changed'} beyond chance"
    return f"{none} with all that was compared, {', '.join(likely)}" if likely else none
