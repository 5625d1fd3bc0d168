"""Years drawn anew from the people of one organisation: many at a time, each estimated as an organisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from culture_metrics.contract import ALL, as_results
from culture_metrics.errors import ExtractError, unknown
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.answers import Answers, answers_of
from culture_metrics.indicators.breakdowns import crossed, group_codes
from culture_metrics.indicators.calibrated import calibrated_estimates
from culture_metrics.indicators.cell_estimates import Found, Verdict
from culture_metrics.indicators.cells import make_cells
from culture_metrics.indicators.codes import Codes, codes_of, sampling_units
from culture_metrics.indicators.correlated import matrices
from culture_metrics.indicators.design import Design
from culture_metrics.indicators.estimate import intervals_of, results_of
from culture_metrics.indicators.intervals import interval_name
from culture_metrics.indicators.margins import Margin
from culture_metrics.indicators.shown import shown_cells
from culture_metrics.indicators.sweeps import fit
from culture_metrics.indicators.weights import national, respondent_weights, weights_for
from culture_metrics.results.correlations import Correlations
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.codes import Units
    from culture_metrics.indicators.raking import Raking
    from culture_metrics.indicators.weights import AnyWeights, Weighted

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

#: Columns of the sampling of drawn years.
STRATUM, CLUSTER = "drawn stratum", "drawn cluster"
#: How near raking comes to its margins, and in how many sweeps at most.
NEAR, SWEEPS = 1e-8, 200
SMALL = STATUSES.index("suppressed_small_base")


@dataclass(frozen=True)
class Year:
    """One drawn year.

    `rows` are the people in it, as rows of the extract, `unit` the place among the drawn `units` of each, and
    `names` tell units apart between two years.
    """

    rows: Whole
    unit: Whole
    units: Whole
    names: Whole


@dataclass(frozen=True)
class People:
    """Respondents of one organisation with all that their results rest on.

    `held` has what `estimate` hides of them: `breakdown, group`, and by measure whether it is hidden.
    """

    extract: Extract
    answers: Answers
    by: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, Codes]
    weighted: Weighted
    design: Design
    minimum_base: int
    held: pl.DataFrame

    @classmethod
    def of(
        cls,
        extract: Extract,
        organisation: str | None,
        by: Sequence[str | Sequence[str]],
        weights: AnyWeights,
        design: Design | None,
        minimum_base: int | None,
    ) -> Self:
        """Take the people of one organisation, weighted as beside all others.

        Raises
        ------
        ExtractError
            When there are several organisations and none is named, or weights make national figures.
        UnknownNameError
            When there is no such organisation or breakdown.
        """
        codes = codes_of(extract.frame["organisation"])
        names = codes.names.to_list()
        if organisation is None and len(names) > 1:
            raise ExtractError(
                "It takes one organisation",
                got=f"{len(names)}",
                hint="Name one: organisation='RXX'.",
            )
        name = names[0] if organisation is None else organisation
        if name not in names:
            raise unknown("organisation in this extract", name, names)
        if of_all := national(weights):
            raise ExtractError(
                "National weights say nothing of one organisation",
                got=of_all.kind,
                expected="others, or none",
            )
        weighted = respondent_weights(extract, weights_for(extract, weights, minimum_base))
        here = np.flatnonzero(codes.codes == names.index(name))
        raking = weighted.raking
        if raking is not None:
            raking = replace(raking, margins={name: raking.margins[name]})
        weighted = replace(
            weighted, values=None if weighted.values is None else weighted.values[here], raking=raking
        )
        own = replace(extract, frame=extract.frame[here])
        breakdowns = crossed(by)
        design = design or Design()
        # Weights hide more, for what one figure would tell: none is told here, and nothing is decided.
        aside = replace(extract, decision=replace(extract.decision, calls=[*extract.decision.calls]))
        told = shown_cells(aside, by, minimum_base=minimum_base)
        hidden = told.filter(pl.col("status") != "reported", organisation=name)
        return cls(
            own,
            answers_of(own),
            breakdowns,
            group_codes(own, list(dict.fromkeys(n for names in breakdowns.values() for n in names))),
            weighted,
            # Drawn years are organisations of their own, so that they are strata of their own.
            replace(design, strata="organisation") if design.strata is None else design,
            extract.edition.survey.minimum_base if minimum_base is None else minimum_base,
            hidden.pivot("measure", index=["breakdown", "group"], values="status").with_columns(
                pl.exclude("breakdown", "group").is_not_null()
            ),
        )

    def called(self, breakdown: str) -> str:
        """Return what the file calls a breakdown."""
        return self.extract.words.get(breakdown) or self.extract.edition.breakdown_label(breakdown)

    @cached_property
    def units(self) -> Units:
        """What was sampled: respondents or clusters."""
        return sampling_units(self.extract.frame, self.design)

    @cached_property
    def _members(self) -> tuple[Whole, Whole, Whole]:
        """Respondents sorted by unit, where those of each unit start, and how many they are."""
        of = self.units.of
        size = np.bincount(of, minlength=len(self.units.stratum))
        return np.argsort(of, kind="stable"), np.cumsum(size) - size, size

    def draw(self, random: np.random.Generator, before: Year | None = None, again: float = 0.0) -> Year:
        """Draw as many units of each stratum as there are; of an earlier year so many answer `again`.

        With replacement, or out of a population of the size that the design says, in which everyone of the
        sample stands as often as it takes (Gross 1980).
        """
        drawn = []
        for number, name in enumerate(self.units.strata.names):
            own = np.flatnonzero(self.units.stratum == number)
            n = len(own)
            if self.design.population is None:
                drawn.append(own[random.integers(0, n, n)])
            else:
                known = self.design.population
                many = round(known[name] if name in known else known[ALL])
                drawn.append(own[random.permutation(max(many, n))[:n] % n])
        units = np.concatenate(drawn)
        names = np.arange(len(units))
        if before is not None:
            same = random.permutation(len(units))[: round(again * len(units))]
            names = names + len(units)
            units[same], names[same] = before.units[same], before.names[same]
        order, start, size = self._members
        unit = np.repeat(np.arange(len(units)), size[units])
        place = np.arange(len(unit)) - np.repeat(np.cumsum(size[units]) - size[units], size[units])
        return Year(order[np.repeat(start[units], size[units]) + place], unit, units, names)

    def results(
        self, years: Sequence[Year], names: Sequence[str], period: str, answers: Answers | None = None
    ) -> pl.DataFrame:
        """Estimate drawn years under these names, as `estimate` does, and hide what has a small base.

        What is hidden of the people themselves is hidden of every year drawn from them: how often a group of
        nine is drawn with eleven would say that it is one of nine. `answers` stand in for those of the
        people.
        """
        return self.table(self.found(years, names, answers)[0], period)

    def found(
        self, years: Sequence[Year], names: Sequence[str], answers: Answers | None = None
    ) -> tuple[Found, Design]:
        """Estimate drawn years under these names; with them goes the design."""
        rows, frame, design = self._together(years, names)
        taken = _taken(answers or self.answers, rows)
        groups = {name: Codes(c.codes[rows], c.names) for name, c in self.groups.items()}
        cells = make_cells(frame, {ALL: (), **self.by}, groups, design)
        raking, weight = self.weighted.raking, self.weighted.values
        if raking is None:
            weight = None if weight is None else weight[rows]
            estimates = taken.estimates(cells, weight, design)
        else:
            raking = self._raked(raking, years, names)
            weight = raking.weights.to_numpy()
            organisation = codes_of(frame["organisation"])
            estimates = calibrated_estimates(taken.moments, cells, organisation, raking, design)
        name = self.weighted.name
        told = Found(
            cells.keys, cells.people(), taken, estimates, name, cells=cells, weight=weight, raking=raking
        )
        return told, design

    def correlations(self) -> Correlations:
        """Return how the measures of these people go together, as of an organisation called `all`."""
        units = np.arange(len(self.units.stratum))
        everybody = Year(np.arange(self.extract.frame.height), self.units.of.astype(np.int64), units, units)
        found, design = self.found([everybody], [ALL])
        assert found.cells is not None
        known = matrices(found, found.cells, design)
        return Correlations(self.extract.survey, self.extract.period, tuple(found.answers.names), known)

    def table(self, part: Found, period: str) -> pl.DataFrame:
        """Lay estimates of drawn years out as results."""
        small = (part.estimates.base < self.minimum_base) | self._held(part.keys, part.answers.names)
        why = np.where(small, SMALL, 0).astype(np.int8)
        ends = intervals_of(part, "wilson", self.extract.edition.survey.score_range)
        own = replace(self.extract, period=period)
        table = results_of(part, own, ends, Verdict(why, np.zeros(why.shape, bool)))
        return as_results(
            table.with_columns(interval_name("wilson", pl.col("estimate"), pl.col("unit") == "percent"))
        )

    def _held(self, keys: pl.DataFrame, measures: Sequence[str]) -> NDArray[np.bool_]:
        """Say of cells × measures what is hidden of the people themselves."""
        own = keys.join(self.held, on=["breakdown", "group"], how="left", maintain_order="left")
        there = [pl.col(m) if m in self.held.columns else pl.lit(value=False).alias(m) for m in measures]
        return np.asarray(own.with_columns(there).select(measures).fill_null(value=False).to_numpy(), bool)

    def extract_of(self, years: Sequence[Year], names: Sequence[str], period: str) -> Extract:
        """Return drawn years as an extract, in which the same person has the same id in both years."""
        rows, frame, _ = self._together(years, names)
        ids = np.concatenate([year.names[year.unit] for year in years])
        told = self.extract.frame[rows].with_columns(
            frame["organisation"].cast(pl.String), pl.Series("respondent", ids).cast(pl.String)
        )
        return Extract(self.extract.survey, period, told, self.extract.provenance)

    def _together(self, years: Sequence[Year], names: Sequence[str]) -> tuple[Whole, pl.DataFrame, Design]:
        """Put years one below the other: the people, what was sampled, and the design of that."""
        rows = np.concatenate([year.rows for year in years])
        lengths = [len(year.rows) for year in years]
        number = np.repeat(np.arange(len(years), dtype=np.uint32), lengths)
        organisation = pl.Series("organisation", names)[number]
        columns, design = {"organisation": organisation}, self.design
        strata = self.units.strata
        own = design.strata != "organisation"
        stratum = (organisation + "/" + strata.names[strata.codes[rows]]) if own else organisation
        if own:
            columns[STRATUM], design = stratum, replace(design, strata=STRATUM)
        if design.cluster is not None:
            unit = np.concatenate([year.unit for year in years])
            columns[CLUSTER], design = pl.Series(unit).cast(pl.String), replace(design, cluster=CLUSTER)
        if self.design.population is not None:
            every = {ALL: 0.0, **self.design.population}
            sizes = {
                f"{name}/{s}" if own else name: every.get(s, every[ALL])
                for name in names
                for s in strata.names
            }
            design = replace(design, population=sizes)
        return rows, pl.DataFrame(columns), design

    def _raked(self, raking: Raking, years: Sequence[Year], names: Sequence[str]) -> Raking:
        """Rake every year to the margins of the organisation."""
        (margins,) = raking.margins.values()
        weights, own = [], {}
        for name, year in zip(names, years, strict=True):
            own[name] = tuple(Margin(m.codes[year.rows], m.target) for m in margins)
            weights.append(fit(own[name], len(year.rows), None, NEAR, SWEEPS)[0])
        return replace(raking, weights=pl.Series(np.concatenate(weights)), margins=own)


def _taken(answers: Answers, rows: Whole) -> Answers:
    """Return the answers of some people, as often as they stand there."""
    marked = replace(answers.marked, codes=answers.marked.codes[rows])
    return replace(answers, values=answers.values[rows], marked=marked)
