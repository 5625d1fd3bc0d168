"""Results: scores and percentages with their uncertainty, and their pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import Edition, catalogue
from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.output import names_given
from culture_metrics.results.spelling import breakdown_among
from culture_metrics.results.tabled import Tabled, when
from culture_metrics.wording.numbers import count, held_back, in_sentence, several

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

    from culture_metrics.results.beside import Beside
    from culture_metrics.results.correlations import Correlations
    from culture_metrics.results.heat_table import HeatTable
    from culture_metrics.wording.several import Figures
    from culture_metrics.wording.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class Results(Tabled):
    """Results: one row per survey, period, organisation, breakdown, group and measure.

    Attributes
    ----------
    table : polars.DataFrame
        The rows, columns as in `estimate`: a frame to filter and join. The names of hidden groups stand in
        it; they are pooled in what is saved and shown.
    minimum_base : int
        Smallest base that is shown.
    parents : polars.DataFrame, optional
        Groups that lie whole in a group of another breakdown, as the data have it.
    provenance : mapping
        Where the figures come from: `verb`, `arguments`, `inputs`, `versions`, `rules`; `disclosure` (how
        many rows are held back, by which minimum base) and `breakdowns` (how they nest).

    Examples
    --------
    >>> import culture_metrics as cm
    >>> results = cm.estimate(cm.synthetic.respondents(2024), by=["locality_1"])
    >>> results.provenance["disclosure"]["minimum_base"]
    11
    >>> results.scores().layout.meta["alt"][:47]
    'SYN01: scores from 4.74 (Appraisals) to 7.93 (N'
    """

    #: How exactly differences from the whole organisation are known; what the table cannot say.
    beside: tuple[Beside, ...] = field(default=(), repr=False, compare=False)
    #: How measures of whole organisations go together: for the adjustment of p-values, never written.
    _correlations: tuple[Correlations, ...] = field(default=(), repr=False, compare=False)

    def figure(self, organisation: str | None = None, period: str | int | None = None) -> go.Figure:
        """Draw the main picture: all scores of one organisation, or one score of several."""
        several_ = self.table["organisation"].n_unique() > 1 and ALL not in self.table["organisation"]
        if organisation is None and several_:
            return self.ranking(period=period)
        own = self._one(organisation, period)
        if (own["unit"].cast(pl.String) == "score").any():
            return self.scores(organisation, period)
        return self.percentages(organisation, period)

    def scores(
        self,
        organisation: str | None = None,
        period: str | int | None = None,
        *,
        leading: bool = False,
    ) -> go.Figure:
        """Draw every score of one organisation with its interval.

        Parameters
        ----------
        organisation : str, optional
            ODS code; may be left out where there is one, or a row of all organisations together.
        period : str or int, optional
            The last one when left out.
        leading : bool
            Only the scores that stand first in the survey.

        Raises
        ------
        ResultsError
            When there are several organisations and none is named.
        UnknownNameError
            When the table has no such organisation or period.
        """
        from culture_metrics import views
        from culture_metrics.results.tables import score_table
        from culture_metrics.results.words import from_to, source_of

        own = self._one(organisation, period)
        edition = _edition(own)
        table = score_table(own, edition)
        if leading:
            table = table.filter(pl.col("level").is_in(edition.survey.leading))
        return views.scores(
            table,
            title=f"{self._whom(own)}: {from_to(table)}",
            source=source_of(own),
            scale=edition.survey.score_range,
            parts=edition.survey.part_levels,
            subtitle=when(own),
        )

    def percentages(self, organisation: str | None = None, period: str | int | None = None) -> go.Figure:
        """Draw every headline percentage of one organisation with its interval; arguments as in `scores`."""
        from culture_metrics import views
        from culture_metrics.results.tables import catalogued
        from culture_metrics.results.words import source_of

        own = self._one(organisation, period)
        rows = own.filter((pl.col("breakdown") == ALL) & (pl.col("unit").cast(pl.String) == "percent"))
        rows = rows.join(catalogued(_edition(own)), on="measure").sort("order")
        return views.estimates(
            rows.select("label", "estimate", "conf_low", "conf_high", "status"),
            axis="Per cent",
            decimals=1,
            title=f"{self._whom(own)}: {several(rows.height, 'headline percentage')}",
            source=source_of(own),
            subtitle=when(own),
        )

    def heat_map(
        self,
        by: str,
        organisation: str | None = None,
        period: str | int | None = None,
        *,
        measures: Sequence[str] | None = None,
        limit: float | None = None,
        shrunk: bool = False,
    ) -> go.Figure:
        """Draw the groups of a breakdown by measures, coloured by their difference from the whole.

        Parameters
        ----------
        by : str
            Breakdown.
        organisation, period
            As in `scores`.
        measures : sequence of str, optional
            Ids or official codes of measures of one unit; the leading scores when left out.
        limit : float, optional
            Difference at which the colours end, so that several maps can share it.
        shrunk : bool
            Draw what is left of each figure once chance is allowed for (`shrink`); its own is said on hover.
            It suits many small groups. What is coloured stays the same.

        Raises
        ------
        UnknownNameError
            When the table has no such breakdown or measure.
        """
        from culture_metrics import views
        from culture_metrics.results.words import apart, source_of

        own, name, table, unit = self._mapped(by, organisation, period, measures)
        if shrunk:
            from culture_metrics.results.shrink import shrink

            rows = own.filter(pl.col("breakdown") == name).join(table, on="measure", how="semi")
            steadier = shrink(rows).table.select("group", "measure", "shrunken")
            table = table.join(steadier, on=["group", "measure"], how="left", maintain_order="left")
        edition = _edition(own)
        label = edition.breakdown_label(name, self.names)
        return views.heat_map(
            table,
            unit=unit,
            title=f"{self._whom(own)}, by {in_sentence(label)}: {apart(table, unit)}",
            source=source_of(own),
            limit=limit,
            scale=edition.survey.score_range,
            subtitle=when(own),
        )

    def heat_maps(
        self,
        by: Iterable[str] | None = None,
        organisation: str | None = None,
        period: str | int | None = None,
    ) -> Figures:
        """Draw the leading scores of every group: one map for each breakdown, all on one scale.

        A breakdown of many groups, or whose groups lie within others that are shown, is laid out as a table
        (`heat_table`).

        Parameters
        ----------
        by : iterable of str, optional
            Breakdowns; all of the results when left out.
        organisation, period
            As in `scores`.
        """
        from culture_metrics.wording.several import NO_GROUPS, Figures

        own = self._one(organisation, period).filter(pl.col("breakdown") != ALL)
        wanted = own["breakdown"].unique(maintain_order=True).to_list() if by is None else list(by)
        limit = self.shared_limit(wanted, organisation, period)
        drawn: list[go.Figure | HeatTable] = []
        for name in wanted:
            laid = self.heat_table(name, organisation, period, limit=limit)
            drawn.append(laid if laid.long else self.heat_map(name, organisation, period, limit=limit))
        return Figures(tuple(drawn), otherwise=NO_GROUPS)

    def shared_limit(
        self, by: Sequence[str], organisation: str | None = None, period: str | int | None = None
    ) -> float | None:
        """Return the difference at which the colours of several maps end, so that they can be compared."""
        from culture_metrics import views

        tables = [self._mapped(name, organisation, period, None)[2] for name in by]
        return views.colour_limit(pl.concat(tables)) if tables else None

    def heat_table(
        self,
        by: str,
        organisation: str | None = None,
        period: str | int | None = None,
        *,
        measures: Sequence[str] | None = None,
        order: str | None = None,
        limit: float | None = None,
    ) -> HeatTable:
        """Lay the groups of a breakdown out as a table of coloured numbers, within those that they lie in.

        Save it as a workbook with `.save("heat.xlsx")`: one sheet, coloured as the page, with all scores.

        Parameters
        ----------
        by : str
            Breakdown.
        organisation, period
            As in `scores`.
        measures : sequence of str, optional
            Ids or official codes of measures of one unit; the leading scores when left out, and the others
            after them in the workbook.
        order : str, optional
            What rows are sorted by, lowest first: a measure, "likeness" (groups with a like profile side by
            side) or "name"; the survey's headline when left out. What is not shown stands last, by name.
        limit : float, optional
            Difference at which the colours end, so that several maps can share it.

        Raises
        ------
        UnknownNameError
            When the table has no such breakdown or measure.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> cm.study([]).results.heat_table("locality_4").around
        'Directorate'
        """
        from culture_metrics.results.heat_table import check_order, heat_table
        from culture_metrics.results.words import apart, source_of

        own, name, table, unit = self._mapped(by, organisation, period, measures)
        edition, here = _edition(own), set(own["measure"])
        leading = table["measure"].unique(maintain_order=True).to_list()
        more = (
            []
            if measures or unit != "score"
            else [m for m in edition.scores if m in here and m not in leading]
        )
        return heat_table(
            self,
            own,
            name,
            edition,
            unit=unit,
            measures=leading,
            more=more,
            order=check_order(order, edition, leading),
            title=f"{self._whom(own)}, by {{by}}: {apart(table, unit)}",
            subtitle=when(own),
            source=source_of(own),
            limit=limit,
        )

    def held_back(self) -> Table:
        """Count the results that are shown and held back, by period and breakdown; not for which reason."""
        from culture_metrics.wording.periods import period_kind, said_period
        from culture_metrics.wording.table import Table

        frame = (
            self.table.group_by("survey", "period", "breakdown")
            .agg(
                (pl.col("status").cast(pl.String) == "reported").sum().alias("Shown"),
                held_back().sum().alias("Held back"),
            )
            .sort("period", pl.col("breakdown") != ALL, "breakdown")
        )
        groups = [
            "Whole organisation" if name == ALL else catalogue(s).edition(p).breakdown_label(name, self.names)
            for s, p, name in frame.select("survey", "period", "breakdown").iter_rows()
        ]
        counts = frame.select("Shown", "Held back")
        shown = frame.select(
            said_period().alias(period_kind(frame["period"])),
            pl.Series("Groups", groups, pl.String),
            *(count(name) for name in counts.columns),
        )
        return Table(shown, "Results shown and held back", numbers=tuple(counts.columns))

    def _mapped(
        self,
        by: str,
        organisation: str | None,
        period: str | int | None,
        measures: Sequence[str] | None,
    ) -> tuple[pl.DataFrame, str, pl.DataFrame, str]:
        """Return the rows of one organisation, and breakdown, table and unit of a map of them."""
        from culture_metrics.results.beside import with_apart
        from culture_metrics.results.tables import heat_map_table

        measures = None if measures is None else names_given("measures", measures)
        own = self._one(organisation, period)
        edition = _edition(own)
        known = own.filter(pl.col("breakdown") != ALL)["breakdown"].unique().sort().to_list()
        name = breakdown_among(known, by, edition, self.names)
        if name not in known:
            raise unknown("breakdown in these results", by, [self.names.get(n, n) for n in known])
        here = set(own["measure"])
        wanted = [edition.measure(m).id for m in measures or edition.leading]
        found = [m for m in wanted if m in here]
        if not found:
            raise unknown("measure in these results", ", ".join(wanted[:3]), sorted(here))
        unit = str(edition.measures[found[0]].unit)
        return own, name, heat_map_table(with_apart(own, self.beside), edition, name, found), unit

    def ranking(
        self,
        measure: str | None = None,
        organisation: str | None = None,
        period: str | int | None = None,
    ) -> go.Figure:
        """Draw one measure of every organisation, in order, with one picked out.

        Parameters
        ----------
        measure : str, optional
            Id or official code; the survey's headline when left out.
        organisation : str, optional
            Which to pick out; the best when left out.
        period : str or int, optional
            The last one when left out.

        Raises
        ------
        UnknownNameError
            When the results have no such organisation, period or measure.
        ResultsError
            When nobody has a figure. Where the one to pick out has none, the others are drawn and the title
            says so.
        """
        from culture_metrics import views
        from culture_metrics.results.tables import with_row_of
        from culture_metrics.results.words import source_of

        whole = (pl.col("breakdown") == ALL) & (pl.col("organisation") != ALL)
        known = self.table.filter(whole)
        periods = known["period"].unique().sort().to_list()
        if not periods:
            raise ResultsError("The table has no rows of organisations, so there is nothing to rank")
        last = periods[-1] if period is None else str(period)
        if last not in periods:
            raise unknown("period", last, periods)
        if organisation is not None and organisation not in known["organisation"]:
            raise unknown(
                "organisation in these results", organisation, known["organisation"].unique().sort()
            )
        rows = known.filter(period=last)
        edition = _edition(rows)
        here = set(rows["measure"])
        usual = edition.headline if edition.headline in here else rows["measure"][0]
        found = edition.measure(measure or usual)
        rows = rows.filter(measure=found.id)
        order = rows.drop_nulls("estimate").sort("estimate", descending=found.direction != "lower")
        if order.is_empty():
            raise ResultsError(f"No organisation has a figure of {found.label.lower()} to show")
        chosen = organisation or str(order["organisation"][0])
        rank = f"{found.label} of {several(order.height, 'organisation')}"
        figure = chosen in order["organisation"]
        return views.ranking(
            with_row_of(rows.with_columns(name="organisation"), chosen, chosen),
            highlight=chosen,
            unit=found.unit,
            direction=found.direction,
            title=f"{rank}, {chosen} picked out" if figure else f"{rank}; {chosen} has no figure",
            source=source_of(rows),
            subtitle=when(rows),
        )

    def summary(self) -> str:
        """Say in plain sentences of whom the results are, how far scores reach and what is held back."""
        from culture_metrics.results.tables import score_table
        from culture_metrics.results.words import from_to

        said = [f"{self._about()}.", f"{self._held()} held back."]
        last = self.table.filter((pl.col("breakdown") == ALL) & (pl.col("period") == pl.col("period").max()))
        one = last["organisation"].n_unique() == 1 and last["survey"].n_unique() == 1
        if one and (last["unit"].cast(pl.String) == "score").any():
            said.insert(
                1, f"In {last['period'][0]}: {from_to(score_table(self._shown_whole(), _edition(last)))}."
            )
        return " ".join(said)

    def _shown_whole(self) -> pl.DataFrame:
        shown = self._shown().filter(pl.col("breakdown") == ALL)
        return shown.filter(pl.col("period") == pl.col("period").max())


def _edition(rows: pl.DataFrame) -> Edition:
    return catalogue(str(rows["survey"][0])).edition(str(rows["period"][0]))
