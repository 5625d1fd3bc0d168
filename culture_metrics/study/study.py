"""The study: what was read and what was chosen, and what is worked out from it once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.benchmark import benchmark
from culture_metrics.compare.calibration import PAIRS, calibrate
from culture_metrics.compare.peers import find_peers
from culture_metrics.compare.years import check_comparable, compare_years
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, ReportError, ResultsError
from culture_metrics.problems import listed
from culture_metrics.study.released import Released
from culture_metrics.study.rules import cautions_of
from culture_metrics.wording.numbers import several
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import plotly.graph_objects as go

    from culture_metrics.catalogue.describe import Definition
    from culture_metrics.compare.benchmark import Benchmark
    from culture_metrics.compare.calibration import Calibration
    from culture_metrics.compare.comparison import YearComparison
    from culture_metrics.compare.gaps import EqualityGaps
    from culture_metrics.compare.mirror import Mirror
    from culture_metrics.compare.oversight import Oversight
    from culture_metrics.compare.peers import Peers
    from culture_metrics.compare.pulse import RunChart
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.published import Published
    from culture_metrics.study.explore import Explorer
    from culture_metrics.study.files import Checks, Told
    from culture_metrics.study.guide import Guide
    from culture_metrics.study.opening import Opening
    from culture_metrics.study.response import StudyResponse
    from culture_metrics.study.subset import Subset
    from culture_metrics.wording.several import Figures
    from culture_metrics.wording.table import Table


#: The people of a file and of official results of one year are not the same from this factor on.
MUCH_MORE = 1.1


@dataclass(frozen=True, repr=False, eq=False)
class Study(Released):
    """One organisation's respondent files and official workbooks, and what is worked out from them once."""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is wrong with files, or not known of a year, and reaches the numbers, in sentences."""
        editions = {source.edition.period: source.edition for source in self.sources}
        early, mirrored = (e for _, e in sorted(editions.items()) if e.provisional), self.mirrored
        return (
            *(f"Every number of {e.period} is provisional: {e.provisional}." for e in early),
            *cautions_of(self.extracts),
            *self._of_few(),
            *(said for extract in self.extracts for said in self._of_other_size(extract)),
            *(said for extract in self.extracts for said in self._of_few_others(extract)),
            *([mirrored.unrelated] if not isinstance(mirrored, str) and mirrored.unrelated else []),
            *(self.quarters.cautions if self.quarters else ()),
            *([f"{self.no_quarters[:1].upper()}{self.no_quarters[1:]}."] if self.no_quarters else []),
        )

    def _of_few(self) -> Iterator[str]:
        """Say why the newest quarters are not shown, or the one that was asked for."""
        least = self.rule.minimum_base
        few = [e.period for e in self.extracts if e.frame.height < least and e.period >= self.year]
        if few:
            shown = f"; the newest {self.edition.survey.cycle} with figures is {period_words(self.year)}"
            yield (
                f"Fewer than {least} people answered in {listed(map(period_words, few))}, and nothing of it "
                f"may be shown{'' if self.year in few else shown}."
            )

    def _of_few_others(self, extract: Extract) -> Iterator[str]:
        """Say where official results, unweighted as one's own, are of these people but for few."""
        least, key = self.rule.minimum_base, ["breakdown", "group", "measure"]
        about = {"organisation": self.organisation, "period": extract.period, "status": "reported"}
        plain = pl.col("weighting").cast(pl.String) == "none"
        own = self.suppressed[0].table.filter(plain, **about).select(*key, pl.col("base").cast(pl.Int64))
        for published in self.published:
            there = published.results.table.filter(plain, **about).select(
                *key, of=pl.col("base").cast(pl.Int64)
            )
            others = (pl.col("base") - pl.col("of")).abs().is_between(1, least - 1)
            if number := own.join(there, on=key).filter(others).height:
                yield (
                    f"{several(number, 'official figure')} of {extract.period}, unweighted as those of the "
                    f"respondent file, count fewer than {least} people more or less than it. Side by side "
                    "they tell what these few answered: give the file that the official results were made "
                    "of, or leave that workbook out of what you pass on."
                )

    def _of_other_size(self, extract: Extract) -> Iterator[str]:
        """Say where official results of the year rest on far more or fewer people than the file holds."""
        here = extract.frame.filter(pl.col("organisation") == self.organisation).height
        for published in self.published:
            own = published.results.table.filter(
                organisation=self.organisation, breakdown=ALL, period=extract.period
            )
            there = own["base"].max()
            if isinstance(there, int) and here and not 1 / MUCH_MORE < here / there < MUCH_MORE:
                yield (
                    f"The respondent file of {extract.period} has {here:,} people of {self.organisation}; "
                    f"the official results of that year rest on up to {there:,}. Is it the whole file, and "
                    "this organisation's?"
                )

    @property
    def table(self) -> pl.DataFrame:
        """What was read, a row for each file and year: `file, kind, period, holds, of`."""
        from culture_metrics.study.files import files_read

        return pl.concat([files_read(one) for one in self.every])

    def __repr__(self) -> str:
        periods = ", ".join(e.period for e in self.extracts) or "none"
        workbooks = ", ".join(p.period for p in self.published) or "none"
        beside = "; beside it " + repr(self.quarters) if self.quarters else ""
        return (
            f"Study(organisation {self.organisation}, {self.edition.survey.cycle} {self.year}; "
            f"respondent files: {periods}; published workbooks: {workbooks}{beside})"
        )

    def _repr_html_(self) -> str:
        from culture_metrics.study.files import files_table

        return files_table(self.table, self.name)._repr_html_()

    # What was found when the files were read.

    def checks(self) -> Table:
        """Count, for each respondent file, the rows that were read, used and set aside."""
        from culture_metrics.study.files import rows_table

        return rows_table(self._checked)

    def problems(self) -> Checks:
        """Show what the check of each respondent file found, that of the year first."""
        from culture_metrics.study.files import Checks

        checks = sorted(self._checked, key=lambda one: one.own.period != self.year)
        return Checks(tuple(checks), self.rule.minimum_base)

    @property
    def _checked(self) -> list[Told]:
        """What was found in every respondent file, those of a pulse beside the study included."""
        from culture_metrics.study.files import told_of

        return [found for one in self.every for found in told_of(one)] or told_of(self._answered())

    def how_to_read(self) -> Guide:
        """Say what the survey is, where its scores lie, and what the figures beside them say."""
        from culture_metrics.study.guide import how_to_read

        return how_to_read(self.edition.survey, self.rule.minimum_base, published=bool(self.published))

    def describe(self, question: str | None = None) -> Definition:
        """Say what a question or score is in the year of the study; the survey's choice when left out."""
        return self.edition.describe(question or self.edition.default_question)

    # What stands out, in all that was read.

    def stands_out(self) -> Opening:
        """Say how the organisation stands, what changed and where inside, and whose experience differs.

        Returns
        -------
        Opening
            `.lines`, each with its kind, a sentence and the notebook that shows more; `.said` alone.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> print(cm.study([]).stands_out().said[0][:57])
        Invented trust 1 is above the median of Acute and Acute &
        """
        return self._opening

    @cached_property
    def _opening(self) -> Opening:
        from culture_metrics.study.opening import opening

        return opening(self)

    def summary(self) -> str:
        """Say what stands out in plain sentences."""
        return " ".join(self.stands_out().said)

    def figure(self) -> go.Figure:
        """Draw the main picture: the headline."""
        return self.headline()

    def rules(self) -> tuple[str, ...]:
        """Say which groups are held back."""
        return (self.rule.words,)

    def headline(self) -> go.Figure:
        """Draw the leading scores, in the benchmark group where one is at hand.

        In a group the scores are the published ones, weighted like those of the group. Without a workbook of
        the year they are those of the respondent file, with intervals. Of a survey of quarters the first
        score that moved beyond chance, else the headline score, is drawn over time, if there are enough.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> cm.study([]).headline().layout.meta["suppressed"]
        0
        """
        if self.workbook and self.workbook.period == self.year:
            return self.benchmark().headline()
        if self.of_quarters is self and (self.charts or not self.extracts):
            moved = [chart for chart in self.charts if chart.finding is not None]
            return (*moved, *self.charts)[0].figure() if self.charts else self._published_scores()
        return self.scores(leading=True)

    def _published_scores(self) -> go.Figure:
        """Draw the scores of the newest published quarter."""
        newest = next(p for p in reversed(self.published) if p.period == self.year)
        return replace(newest.results, names={self.organisation: self.name}).scores(self.organisation)

    # One year, from the respondent file.

    def scores(self, *, leading: bool = False) -> go.Figure:
        """Draw every score of the organisation in the year of the study, with 95% intervals."""
        return self._answered().results.scores(period=self.year, leading=leading)

    def answers(self, measure: str | None = None) -> go.Figure:
        """Draw how the answers behind a measure are spread; the survey's choice of it when left out."""
        return self._answered().distributions.distribution(measure, period=self.year)

    def heat_maps(self) -> Figures:
        """Draw the leading scores of every group of staff: one map for each breakdown.

        Those that are laid out as tables say of each group what changed in it, where two years are compared.
        """
        from culture_metrics.study.heat import with_changes

        return with_changes(self, self._answered().results.heat_maps(self.by, period=self.year))

    def percentages(self, score: str | None = None) -> Table:
        """List the headline percentages behind a score, year by year; the survey's choice when left out."""
        from culture_metrics.study.lists import percentages

        return percentages(self._answered().results.table, self.edition, score, self.name)

    def years(self) -> Table:
        """Set the scores of all years side by side, with intervals. No test: estimates only."""
        from culture_metrics.study.lists import years

        return years(self._answered().results.table, self.edition, self.name)

    def response_rates(self) -> StudyResponse:
        """List how many of the staff answered, as a whole and by group, with 95% intervals.

        The headcounts are those that study.yaml names for the year of the study. A group is shown where its
        results are. `.over_fieldwork()` draws the response by day, where study.yaml names the column of days.
        """
        return self._response

    @cached_property
    def _response(self) -> StudyResponse:
        from culture_metrics.study.response import response_of

        return response_of(self)

    def held_back(self) -> Table:
        """Count the results from respondent files that are shown and held back; the reason is not told."""
        return self._answered().suppressed[0].held_back()

    def only(self, **groups: str) -> Subset:
        """Keep to the people of one group that the study shows, such as nurses.

        Parameters
        ----------
        **groups
            One breakdown of the study, by its id or the trust's word, and its group.

        Raises
        ------
        ReportError
            When not exactly one group is named.
        UnknownNameError
            When the study shows no such group.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> urgent = cm.study([]).only(Directorate="Urgent Care")  # doctest: +SKIP
        >>> urgent.summary()[:37]  # doctest: +SKIP
        'Invented trust 1, Urgent Care only, 2'
        """
        from culture_metrics.study.subset import subset_of

        return subset_of(self._answered(), groups)

    @cached_property
    def counted_crosses(self) -> pl.DataFrame:
        """Results of each two breakdowns crossed, beside a minimum count: those of all subsets."""
        from culture_metrics.study.subset import counted_crosses

        return counted_crosses(self)

    def explore(self, view: str = "scores") -> Explorer:
        """Show a figure with controls: year, organisation, breakdown, measure, peers, subset, as it has them.

        Parameters
        ----------
        view : str
            `scores`, `groups`, `answers`, `changes`, `standing` or `ranking`.

        Raises
        ------
        UnknownNameError
            When there is no such view.
        """
        from culture_metrics.study.explore import Explorer

        return Explorer(self, view)

    def agreement(self) -> Figures:
        """Tell how reliably groups of the first breakdown that allows it are told apart by their scores."""
        from culture_metrics.study.sure import agreement_of

        return agreement_of(self._answered())

    def steadier(self) -> Figures:
        """Draw the groups by leading scores once chance is allowed for: one map for each breakdown."""
        from culture_metrics.study.sure import steadier_maps

        return steadier_maps(self._answered())

    def contributions(self, score: str | None = None) -> Figures:
        """Split the change of a score into what its questions add, or say why it cannot be split."""
        from culture_metrics.study.sure import contributions_of

        return contributions_of(self, score)

    def pulse(
        self,
        files: str | Path | Sequence[str | Path] = (),
        measure: str | None = None,
        *,
        others: bool = False,
    ) -> Figures:
        """Chart a score of the quarterly pulse over time; a made-up one where the study is the example.

        Parameters
        ----------
        files : path or sequence of paths
            Published pulse workbooks, or respondent files, one a quarter; those of the study when left out.
        measure : str, optional
            The survey's headline score when left out.
        others : bool
            All scores but this one.
        """
        from culture_metrics.study.pulse import pulse_charts

        return pulse_charts(self, files, measure, others=others)

    @cached_property
    def charts(self) -> tuple[RunChart, ...]:
        """The run charts of every score of the pulse that has enough quarters, the headline first."""
        from culture_metrics.study.pulse import charts_of

        return charts_of(self)

    # The organisation in its benchmark group, and year on year.

    def benchmark(self) -> Benchmark:
        """Set the published results of the organisation beside those of its benchmark group.

        Raises
        ------
        ReportError
            When no workbook has a benchmark group for it.
        """
        return self._standing

    @cached_property
    def _standing(self) -> Benchmark:
        chosen = (self.settings.peers or None) if self.settings else None
        return benchmark(self.releases, self.organisation, peers=chosen)

    @property
    def releases(self) -> list[Published]:
        """The workbook that has a benchmark group for the organisation, and earlier ones."""
        newest = self._published()
        named = (pl.col("organisation") == self.organisation) & pl.col("benchmark_group").is_not_null()
        earlier = [p for p in self.published if p.organisations.filter(named).height and p is not newest]
        return [newest, *(p for p in earlier if p.period < newest.period)]

    def oversight(self) -> Figures:
        """Draw the oversight scores that rest on the survey, or say why the organisation has none."""
        from culture_metrics.wording.several import Figures

        found = self.overseen
        if isinstance(found, str):
            return Figures((), otherwise=found)
        return Figures((found.figure(), found), otherwise="")

    @cached_property
    def overseen(self) -> Oversight | str:
        """The oversight scores, or why there are none."""
        from culture_metrics.study.standing import oversight_of

        return oversight_of(self)

    def peers(self, number: int = 10) -> Peers:
        """Find the organisations most like this one on what none can change."""
        return find_peers(self._published(), self.organisation, number=number)

    def over_time(self, measure: str | None = None) -> Figures:
        """Draw a measure in the benchmark group over the years that the workbooks hold."""
        from culture_metrics.study.standing import over_time_of

        return over_time_of(self, measure)

    def bright_spots(self, measure: str | None = None, level: str = "organisation") -> Figures:
        """Draw who is better than their profile predicts, or say that there are too few to predict from."""
        from culture_metrics.study.standing import bright_spots_of

        return bright_spots_of(self, measure, level)

    def framework(self, which: str | None = None) -> Figures:
        """Read the results through a leadership framework (`cm.frameworks`), or say why not."""
        from culture_metrics.study.frameworks import read_framework

        return read_framework(self, which)

    def before_after(self, baseline: int | None = None, follow_up: int | None = None) -> Figures:
        """Set the published years before and after a programme beside the benchmark group, or say why not."""
        from culture_metrics.study.frameworks import follow_programme

        return follow_programme(self, baseline, follow_up)

    def mirror(self) -> Figures:
        """Set the figures of the respondent file, with official weights, beside those published.

        Says why where it cannot be done.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> cm.study([]).mirror()
        2 figures
        """
        from culture_metrics.wording.several import Figures

        found = self.mirrored
        if isinstance(found, str):
            return Figures((), otherwise=found)
        return Figures((found.figure(), found), otherwise="")

    @cached_property
    def mirrored(self) -> Mirror | str:
        """The figures of the year beside those published, or why there are none."""
        from culture_metrics.study.standing import mirror_of

        return mirror_of(self)

    def rebuilt(self) -> Table:
        """Set the published scores beside those rebuilt from the published answers."""
        return self._published().rebuilt(self.organisation)

    def published_answers(self, measure: str | None = None) -> go.Figure:
        """Draw how the answers behind a measure are spread, from the published workbook."""
        own = self._published().distributions
        named = replace(own, names={self.organisation: self.name})
        return named.distribution(measure, self.organisation, self._published().period)

    def published_held_back(self) -> Table:
        """Count the published results of the organisation that are shown and held back."""
        own = pl.col("organisation") == self.organisation
        tables = [p.results.table.filter(own) for p in self.published]
        return replace(self.results, table=pl.concat([self.results.table.clear(), *tables])).held_back()

    def two_years(self) -> tuple[Extract, Extract]:
        """Return the respondent files of the year of the study and of the year before it among them.

        Raises
        ------
        ReportError
            When there are not two.
        """
        upto = [e for e in self.extracts if e.period <= self.year]
        if len(upto) < 2:
            raise ReportError(
                "Year on year takes two respondent files",
                got=f"{len(upto)} up to {self.year}",
                hint="Add the file of an earlier year to `inputs`.",
            )
        return upto[-2], upto[-1]

    @property
    def why_no_change(self) -> str:
        """Why no change from year to year can be shown; empty when it can.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> cm.study([], year=2023).why_no_change
        'only one year of respondent files was given'
        """
        if self.edition.survey.cycle != "year":
            return "quarters are followed in run charts, not compared two by two"
        upto = [e.period for e in self.extracts if e.period <= self.year]
        if len(upto) < 2:
            return "only one year of respondent files was given"
        try:
            check_comparable(self.results.table, *upto[-2:])
        except ComparabilityError:
            return f"nothing in {upto[-2]} and {upto[-1]} may be compared"
        return ""

    def compare_years(self) -> YearComparison:
        """Compare the year of the study with the one before it, whole and by group."""
        return self._change

    @cached_property
    def _change(self) -> YearComparison:
        earlier, later = self.two_years()
        change = compare_years(self.results, earlier.period, later.period)
        return replace(change, names={**change.names, **self.words, self.organisation: self.name})

    def calibrate(self, draws: int = PAIRS) -> Calibration:
        """Count how often verdicts on the year of the study would be wrong, and find what is there."""
        extracts = self._answered().extracts
        own = ([e for e in extracts if e.period <= self.year] or extracts)[-1]
        return calibrate(own, self._own_by(own), minimum_base=self.rule.minimum_base, draws=draws)

    def staff_mix(self, measure: str | None = None) -> Figures:
        """Split the change of a measure (the survey's choice) into staff mix and change within groups."""
        from culture_metrics.study.staff_mix import staff_mix
        from culture_metrics.wording.several import NOT_COUNTED, Figures

        years, survey = self.two_years(), self.edition.survey
        self.suppressed  # noqa: B018  what may be shown is decided for all tables together
        wanted = [name for name in (survey.defaults.staff_mix, *self.by) if name]
        chosen = self.edition.id(measure or self.edition.default_question)
        if chosen not in self.edition.measures:
            label = self.edition.questions[chosen].label
            return Figures((), otherwise=f"'{label}' has no headline percentage whose change could be split.")
        if self.rule.minimum_count and self.edition.measures[chosen].unit == "percent":
            return Figures((), otherwise=NOT_COUNTED.format("The change of a percentage is not split"))
        return staff_mix(years, chosen, wanted, self.rule.minimum_base, self.name)

    def equality_gaps(self) -> EqualityGaps:
        """Set groups of staff side by side over the years: the equality standards, and what leads beside."""
        if isinstance(self._gaps, ResultsError):
            raise self._gaps
        return self._gaps

    @cached_property
    def _gaps(self) -> EqualityGaps | ResultsError:
        from culture_metrics.study.equality import gaps_of

        try:
            return gaps_of(self)
        except ResultsError as none:
            return none

    def intersections(self, measure: str | None = None) -> Figures:
        """Draw the strata of several breakdowns together (MAIHDA), of the headline score when left out."""
        from culture_metrics.study.equality import strata_of

        return strata_of(self._answered(), measure)

    def _answered(self) -> Study:
        """Return the study if there are answers of respondents in it."""
        if not self.extracts:
            raise ReportError("There is no respondent file among the inputs", hint="Add one to `inputs`.")
        return self

    def _published(self) -> Published:
        """Return the workbook that has a benchmark group for the organisation."""
        if self.workbook is None:
            raise ReportError(
                f"No workbook among the inputs has a benchmark group for {self.organisation}",
                hint="Add the official workbook of organisation results to `inputs`.",
            )
        return self.workbook
