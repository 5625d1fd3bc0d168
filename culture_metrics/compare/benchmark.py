"""Where an organisation stands in its benchmark group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import QUESTION, catalogue
from culture_metrics.compare.assumptions import Assumptions, assumed_of
from culture_metrics.compare.beside import own_beside, peers_beside
from culture_metrics.compare.funnel import Funnel, funnel_of
from culture_metrics.compare.sampling import ASSUMED
from culture_metrics.compare.standing import (
    LEVELS,
    Book,
    counted,
    history,
    open_books,
    standing,
)
from culture_metrics.compare.standing_words import beside_median, favourable_said, rank_said, summary_said
from culture_metrics.errors import ReportError, ResultsError, check_whole, unknown
from culture_metrics.output import Output, verb
from culture_metrics.results.tables import catalogued, with_row_of
from culture_metrics.results.words import weighed
from culture_metrics.wording.numbers import MINUS, in_sentence, several, together

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import plotly.graph_objects as go

    from culture_metrics.compare.peers import Peers
    from culture_metrics.published.published import Published
    from culture_metrics.wording.table import Table

#: Stands under pictures whose whiskers are assumed.
SAMPLING = "Intervals: sampling alone, with an assumed spread of answers"


@dataclass(frozen=True, repr=False, eq=False)
class Benchmark(Output):
    """An organisation's results beside its benchmark group's.

    Attributes
    ----------
    table : polars.DataFrame
        One row per measure in the order of the catalogue; `benchmark` says what the columns are.
    peers : polars.DataFrame
        The Results of every organisation of the group, with `name`, their standard errors by sampling and
        `worth` (the base after weighting).
    beside : polars.DataFrame
        The same of the peers that were named; none where none were.
    organisation, name, group, survey, period : str
        ODS code, name, benchmark group (or region, system, all organisations), survey and period.
    level : str
        Among whom it stands: `benchmark_group`, `region`, `ics` or `national`.
    assumptions : Assumptions
        What stands in for what published files do not say.
    """

    table: pl.DataFrame
    peers: pl.DataFrame
    organisation: str
    name: str
    group: str
    survey: str
    period: str
    level: str
    assumptions: Assumptions
    beside: pl.DataFrame
    books: tuple[Book, ...] = field(repr=False)
    minimum_base: int
    seed: int

    def figure(self) -> go.Figure:
        """Draw all scores against best, median and worst of the group."""
        return self._drawn(self.table.filter(pl.col("level") != QUESTION))

    def headline(self) -> go.Figure:
        """Draw the leading scores alone against best, median and worst of the group."""
        leading = self.table.filter(pl.col("level").is_in(catalogue(self.survey).leading))
        return self._drawn(leading, f". Benchmark group: {self.group}")

    def _drawn(self, rows: pl.DataFrame, more: str = "") -> go.Figure:
        from culture_metrics import views

        return views.scores(
            rows,
            title=f"{self.name}: {beside_median(rows, self.group)}",
            subtitle=f"{self._when()}{more}. {SAMPLING}",
            source=self.source(rows["measure"]),
            scale=catalogue(self.survey).score_range,
            parts=catalogue(self.survey).part_levels,
        )

    def ranks(self) -> Table:
        """List the scores with the best, median and worst of the group, and the rank."""
        from culture_metrics.results.tables import people, words
        from culture_metrics.wording.table import Table

        shown = [words(name).alias(name.capitalize()) for name in ("best", "median", "worst")]
        rank = pl.format("{} of {}", pl.col("rank").cast(pl.Int64), pl.col("organisations")).fill_null("")
        reach = pl.format("{} to {}", "rank_low", "rank_high").fill_null("")
        frame = self.table.filter(pl.col("level") != QUESTION).select(
            pl.col("label").alias("Score"),
            words("estimate").alias(self.name),
            *shown,
            rank.alias("Rank"),
            reach.alias("95% interval of the rank"),
            people("base").alias("Base"),
        )
        return Table(
            frame,
            f"{self.name} in {self.group}, {self.period}",
            numbers=tuple(frame.columns[1:]),
            strong=frozenset(m.label for m in catalogue(self.survey).edition(self.period).leading.values()),
        )

    def ranking(self, measure: str | None = None) -> go.Figure:
        """Draw one measure across all organisations of the group, with this one picked out.

        Parameters
        ----------
        measure : str, optional
            Id or official code; the headline percentage that the survey puts first when left out.

        Raises
        ------
        UnknownNameError
            When the edition has no such measure.
        ResultsError
            When nobody has a figure of it. Where this organisation alone has none, the others are drawn and
            the title says so.
        """
        from culture_metrics import views

        edition = catalogue(self.survey).edition(self.period)
        found = edition.measure(measure or edition.default_question)
        return views.ranking(
            self._drawn_rows(found.id),
            highlight=self.organisation,
            beside=self.beside["organisation"].unique().to_list(),
            unit=found.unit,
            direction=found.direction,
            title=f"{found.label}: {self._place(found.id)}",
            subtitle=f"{self._when()}. {found.meaning}. {SAMPLING}",
            source=self.source([found.id]),
        )

    def funnel(self, measure: str | None = None) -> go.Figure:
        """Draw one measure of every organisation by base, inside limits that allow for over-dispersion.

        Parameters
        ----------
        measure : str, optional
            Id or official code; the score that sums the survey up when left out.

        Raises
        ------
        UnknownNameError
            When the edition has no such measure.
        """
        return self.funnel_limits(measure).figure()

    def funnel_limits(self, measure: str | None = None) -> Funnel:
        """Return what `funnel` draws: target, over-dispersion and the limits of every organisation."""
        edition = catalogue(self.survey).edition(self.period)
        found = edition.measure(measure or edition.headline)
        score = str(found.unit) == "score"
        rows = counted(self.peers.filter(measure=found.id), self.minimum_base)
        return funnel_of(
            rows,
            self.organisation,
            {
                "label": found.label,
                "unit": found.unit,
                "direction": found.direction,
                "group": self.group,
                "subtitle": f"{self.group}. {self._when()}. {found.meaning}",
                "source": self.source([found.id]),
                "reach": catalogue(self.survey).score_range if score else (0.0, 100.0),
                "left_out": self.peers["organisation"].n_unique() - rows.height,
            },
            self.assumptions.sd(found.id) if score else None,
        )

    def history(self) -> pl.DataFrame:
        """Return the standing of every period in the releases given, the columns of `.table` with `period`.

        Each period is taken from the newest release that holds it (`release`); `group_name` is its group.
        """
        return history(
            self.books, self.organisation, self.level, minimum_base=self.minimum_base, seed=self.seed
        )

    def over_time(self, measure: str | None = None) -> go.Figure:
        """Draw one measure over the periods given: the organisation, and best, median and worst of the group.

        Parameters
        ----------
        measure : str, optional
            Id or official code; the score that sums the survey up when left out.

        Raises
        ------
        ReportError
            When what was given holds no more than one period of the organisation.
        """
        from culture_metrics import views

        edition = catalogue(self.survey).edition(self.period)
        found = edition.measure(measure or edition.headline)
        rows = self.history().filter(pl.col("measure") == found.id).drop_nulls("estimate")
        if rows.height < 2:
            held = "only one period" if rows.height else "no figure"
            raise ReportError(
                f"{self.name} has {held} of {in_sentence(found.label)}",
                hint="Give a benchmark workbook, or several releases: cm.benchmark([before, now], …).",
            )
        releases = rows["release"].unique().sort().to_list()
        apart = (
            f"From the releases of {together(releases)}: each weights anew, so that figures of two releases "
            "may differ by a little that is no change; places in the group are not touched by that."
        )
        first, last = rows.row(0, named=True), rows.row(-1, named=True)
        return views.standing_over_time(
            rows,
            name=self.name,
            unit=found.unit,
            title=f"{found.label}: {self.name} ranks {last['rank']} of {last['organisations']} in "
            f"{last['period']}, {first['rank']} of {first['organisations']} in {first['period']}"
            if None not in (first["rank"], last["rank"])
            else f"{found.label}: {self.name} in {self.group}",
            subtitle=f"{self.group}. {catalogue(self.survey).label}. {SAMPLING}",
            notes=apart if len(releases) > 1 else "",
            source=self.source([found.id]),
        )

    def levels(self) -> Table:
        """List the leading scores beside the median of group, region, system and all organisations."""
        from culture_metrics.results.tables import words
        from culture_metrics.wording.table import Table

        book = self.books[0]
        measures = catalogued(catalogue(self.survey).edition(self.period)).filter(
            pl.col("level").is_in(catalogue(self.survey).leading)
        )
        frame = self.table.filter(pl.col("measure").is_in(measures["measure"].implode())).select(
            pl.col("label").alias("Score"), words("estimate").alias(self.name)
        )
        own = book.organisations.filter(period=self.period, organisation=self.organisation).row(0, named=True)
        for level in LEVELS:
            if own.get(level, "all") is None:
                continue
            group, called = book.members(self.organisation, level, self.period)
            rows = book.rows.filter(period=self.period).join(group.select("organisation"), on="organisation")
            found = standing(
                rows, self.organisation, measures, minimum_base=self.minimum_base, intervals=False
            )
            place = pl.format("{} ({} of {})", words("median"), "rank", "organisations").fill_null("")
            column = f"Median of {called} (rank)"
            frame = frame.with_columns(found.select(place.alias(column)))
        return Table(
            frame, f"{self.name} beside group, region, system and country, {self.period}",
            numbers=tuple(frame.columns[1:]),
        )  # fmt: skip

    def extremes(self, number: int = 3) -> pl.DataFrame:
        """Return the headline percentages that stand furthest above and below the median of the group.

        Parameters
        ----------
        number : int
            How many at each end.

        Returns
        -------
        polars.DataFrame
            Rows of `.table` with `side` (`most favourable`, `least favourable`), the furthest first.
            Distances are in standard deviations of the group, and above is the better side.
        """
        rows = self.table.filter(level=QUESTION).drop_nulls(["from_median", "rank"])
        rows = rows.sort("from_median", "measure")
        sides = {
            "most favourable": rows.filter(pl.col("from_median") > 0).reverse().head(number),
            "least favourable": rows.filter(pl.col("from_median") < 0).head(number),
        }
        return pl.concat(found.with_columns(side=pl.lit(side)) for side, found in sides.items())

    def favourable(self, number: int = 3) -> tuple[str, ...]:
        """Say on which questions the organisation stands furthest above and below the median of its group."""
        return favourable_said(self.extremes(number), self.group)

    def most_and_least(self, number: int = 5) -> Table:
        """List what `extremes` returns: own figure, median and best of the group, rank and distance."""
        from culture_metrics.results.tables import words
        from culture_metrics.wording.table import Table

        far = pl.format("{} sd", pl.col("from_median").round(1))
        frame = self.extremes(number).select(
            pl.col("label").alias("Question"),
            pl.col("side").alias("Side"),
            words("estimate").alias(self.name),
            words("median").alias("Median"),
            words("best").alias("Best"),
            pl.format("{} of {}", "rank", "organisations").alias("Rank"),
            far.str.replace("-", MINUS, literal=True).alias("From the median"),
        )
        return Table(
            frame,
            f"{self.name}: most and least favourable in {self.group}, {self.period}",
            numbers=tuple(frame.columns[2:]),
        )

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed and who was left out."""
        said = [ASSUMED]
        if left := max(self.table["left_out"].drop_nulls(), default=0):
            said.append(
                f"Up to {several(left, 'organisation')} of the group without a figure, or with fewer "
                f"than {self.minimum_base} respondents, left out of best, median, worst and rank"
            )
        return tuple(said)

    def summary(self) -> str:
        """Say in plain sentences where the organisation stands on the leading scores.

        A score that equals the median is neither above nor below it. Position in a group is no test: small
        distances can be chance.
        """
        return " ".join([*self.sentences(), *catalogue(self.survey).remarks(self.period)])

    def sentences(self) -> tuple[str, ...]:
        """Say the same, a sentence each: how many scores lie above and below, the highest, the lowest."""
        return summary_said(self.table, self.peers, self.name, self.group, catalogue(self.survey))

    def _when(self) -> str:
        return f"{catalogue(self.survey).label}, {catalogue(self.survey).named(self.period)}"

    def _drawn_rows(self, measure: str) -> pl.DataFrame:
        """Return the rows of a ranking: the group, and the peers that were named.

        Raises
        ------
        ResultsError
            When nobody has a figure.
        """
        each = [self.peers, self.beside.join(self.peers, on="organisation", how="anti")]
        rows = pl.concat(frame.filter(measure=measure) for frame in each)
        if rows["estimate"].count() == 0:
            label = catalogue(self.survey).edition(self.period).measure(measure).label
            raise ResultsError(f"No organisation has a figure of {label.lower()} to show")
        return with_row_of(rows, self.organisation, self.name)

    def source(self, measures: Collection[str]) -> str:
        """Say where the organisation's figures of some measures come from and how they are weighted."""
        own = (pl.col("organisation") == self.organisation) & pl.col("measure").is_in(list(measures))
        return weighed("Published results", self.peers.filter(own)["weighting"])

    def _place(self, measure: str) -> str:
        row = self.table.row(by_predicate=pl.col("measure") == measure, named=True)
        if row["estimate"] is None:
            return f"{self.name} has no figure, unlike {several(row['organisations'] or 0, 'organisation')}"
        if row["rank"] is None or row["organisations"] == 1:
            return f"{self.name} among {self.group}"
        rank = rank_said(row, self.peers).removeprefix("rank ")
        place, _, shared = rank.partition(", ")
        return f"{self.name} ranks {place} {self.group}{shared and f', {shared}'}"

    def __repr__(self) -> str:
        return self.summary()


@verb
def benchmark(
    published: Published | Sequence[Published],
    organisation: str,
    *,
    peers: Sequence[str] | Peers | None = None,
    level: str = "benchmark_group",
    own: object = None,
    minimum_base: int | None = None,
    assumptions: Assumptions | None = None,
    seed: int = 0,
) -> Benchmark:
    """Set an organisation's published results beside those of its benchmark group.

    Parameters
    ----------
    published : Published, or list of them
        What `read_published` returns for an official workbook of organisation results; several releases for
        `.over_time()`. The standing is that of the newest period.
    organisation : str
        ODS code.
    peers : sequence of str or Peers, optional
        ODS codes, or exact names, of organisations to see beside the group, of whatever group they are; what
        `find_peers` returned is taken as well.
    level : {"benchmark_group", "region", "ics", "national"}
        Among whom the organisation stands. But for its benchmark group these are organisations of all kinds,
        each weighted to the mix of its own group.
    own : Results, optional
        What `estimate` returned for the organisation's respondents in the same period. Figures stand beside
        the published ones where they are weighted alike.
    minimum_base : int, optional
        Organisations with fewer respondents to a measure are left out of it and counted; the smallest base
        that the survey publishes when left out.
    assumptions : Assumptions, optional
        Spread of scores among respondents, and how much weighting widens a variance.
    seed : int
        Of the simulation behind the intervals of ranks.

    Returns
    -------
    Benchmark
        `.table` has for each measure the organisation's own figure and

        best, median, worst, organisations, left_out
            Of the group, how many have a figure that counts, and how many have none.
        rank, rank_low, rank_high
            1 is best, ties share the better rank; the interval that sampling alone allows.
        percentile
            Share of the other organisations that do worse, ties count half; 100 is best.
        sd, from_median, from_best
            Standard deviation of the group, and how many of them the organisation lies above the median and
            the best; above is the better side.
        std_error, conf_low, conf_high
            By sampling alone, see the notes.
        peers_best, peers_median, peers_worst, peers_organisations, peers_rank
            Of the peers named, and the own rank among them; only with `peers`.
        own_estimate, own_conf_low, own_conf_high, own_base, own_difference, own_refused
            Of the own Results, and why a figure may not stand beside the published one; only with `own`.

    Raises
    ------
    UnknownNameError
        When the workbook has no such organisation, or there is no such level.
    CultureMetricsError
        When `minimum_base` or `seed` is no whole number, or `assumptions` is something else.
    ResultsError
        When it is no workbook, or has no benchmark groups, as a national one.
    ComparabilityError
        When none of the own Results is weighted as the published ones.

    Notes
    -----
    Best, median and worst are taken over every organisation of the group in the workbook, this one included,
    from unrounded figures, as the official benchmark reports have them. For percentages where lower is better
    the best is the lowest (not confirmed in the guides). Measures without a better side have a median but no
    best, worst or rank. Social enterprises are groups of their own.

    Published files give no standard errors. Those here rest on the base and an assumed spread of answers; the
    interval of a rank is drawn from them as `compare.ranks.rank_intervals` says.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> example = cm.study([])
    >>> standing = benchmark(example.workbook, example.organisation)
    >>> standing.table.filter(measure="staff_engagement")["organisations"].item() > 1
    True
    """
    if level not in LEVELS:
        raise unknown("level", level, LEVELS, where="benchmark")
    assumed = assumed_of(assumptions)
    books = open_books(published, assumed, "benchmark")
    newest = books[0]
    least = catalogue(newest.survey).written_minimum if minimum_base is None else minimum_base
    check_whole("minimum_base", least, 1, "benchmark")
    group, called = newest.members(organisation, level, newest.period)
    rows = newest.rows.filter(period=newest.period).join(
        group.select("organisation", "name"), on="organisation"
    )
    table = standing(
        rows,
        organisation,
        catalogued(catalogue(newest.survey).edition(newest.period)),
        minimum_base=least,
        seed=seed,
    )
    beside = rows.clear()
    if peers is not None:
        beside, among = peers_beside(newest, organisation, peers, least)
        table = table.join(among, on="measure", how="left", maintain_order="left")
    if own is not None:
        table = table.join(
            own_beside(own, newest, organisation), on="measure", how="left", maintain_order="left"
        )
    name = group.filter(organisation=organisation)["name"].item()
    return Benchmark(
        table=table,
        peers=rows,
        organisation=organisation,
        name=name or organisation,
        group=called,
        survey=newest.survey,
        period=newest.period,
        level=level,
        assumptions=assumed,
        beside=beside,
        books=tuple(books),
        minimum_base=least,
        seed=seed,
    )
