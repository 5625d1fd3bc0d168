"""What a study reads, and what of it leaves: decided once, for all that is shown of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from operator import is_not
from typing import TYPE_CHECKING, Self

import polars as pl

from culture_metrics.catalogue import CROSS, Edition, catalogue
from culture_metrics.contract import ALL, as_distributions, as_results
from culture_metrics.disclosure.ledger import About, write_ledger
from culture_metrics.disclosure.names import pool_names
from culture_metrics.disclosure.suppression import suppress
from culture_metrics.extracts.columns import breakdown_of
from culture_metrics.extracts.extract import of_each
from culture_metrics.indicators.breakdowns import available_breakdowns, names_groups
from culture_metrics.indicators.distributions import distributions
from culture_metrics.indicators.estimate import estimate
from culture_metrics.indicators.shown import attack_shown
from culture_metrics.output import Output
from culture_metrics.results import Distributions, Results
from culture_metrics.results.tabled import parents_of
from culture_metrics.study.rules import factors
from data_schemas.columns import DISTRIBUTIONS, RESULTS

if TYPE_CHECKING:
    from pathlib import Path

    from culture_metrics.disclosure.decision import Call
    from culture_metrics.disclosure.rule import Rule
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.report import ValidationReport
    from culture_metrics.indicators.headcounts import Headcounts
    from culture_metrics.published import Published
    from culture_metrics.study.settings import Settings


@dataclass(frozen=True, repr=False, eq=False)
class Released(Output):
    """One organisation's files, what was chosen to see of them, and the results that may be seen.

    Attributes
    ----------
    reports : tuple of ValidationReport
        One per respondent file and year in it, by period; about the organisation: of a file of several the
        rows of the others are left out before the check, and not counted.
    extracts : tuple of Extract
        The clean answers of the organisation, one per report.
    published : tuple of Published
        One per official workbook, by period.
    organisation, year : str
        ODS code, and the period that the study is about: the latest one unless another was asked for.
    by : tuple of str
        Breakdowns of the results, as their column `breakdown` names them.
    rule : Rule
        Smallest base, and smallest number of people that a percentage may count, of what is shown.
    ledger : Path, optional
        File that keeps which groups were shown.
    settings : Settings, optional
        What study.yaml says, where there is one.
    quarters : Released, optional
        The quarters of a pulse that are followed beside an annual survey: a study of their own, of the same
        organisation.
    no_quarters : str
        Why files of a pulse are not followed, though they are there.
    """

    reports: tuple[ValidationReport, ...]
    extracts: tuple[Extract, ...]
    published: tuple[Published, ...]
    organisation: str
    year: str
    by: tuple[str, ...]
    rule: Rule
    ledger: Path | None = None
    settings: Settings | None = None
    quarters: Self | None = None
    no_quarters: str = ""

    @property
    def of_quarters(self) -> Self | None:
        """What there is of a survey of quarters: this study, or the one beside it."""
        return self if self.edition.survey.cycle == "quarter" else self.quarters

    @property
    def every(self) -> tuple[Self, ...]:
        """The study itself, and that of the quarters beside it."""
        return (self,) if self.quarters is None else (self, self.quarters)

    @cached_property
    def suppressed(self) -> tuple[Results, Distributions]:
        """Results and Distributions from the respondent files: what leaves together is suppressed together.

        Hidden groups stand with their names: for counting what is held back, not for writing.
        """
        least = self.rule.minimum_base
        # Decided together: what the tables show, and the groups that a change is split into.
        decided = {e.period: self._decided_by(e) for e in self.extracts}
        every = of_each(self.extracts, lambda e: estimate(e, by=decided[e.period], minimum_base=least))
        wanted = pl.col("breakdown").is_in([ALL, *self.by])
        results = [one.table.filter(wanted) for one in every]
        answers = of_each(self.extracts, lambda e: distributions(e, minimum_base=least).table)
        if self.ledger:
            write_ledger(self.ledger, self.decided)
        lies_in = parents_of(every)
        shown, spread = suppress(
            as_results(pl.concat([pl.DataFrame(schema=RESULTS), *results])),
            least,
            minimum_count=self.rule.minimum_count,
            # Bases were decided from people, who know what lies in what; counts are decided from this table.
            parents=lies_in if self.rule.minimum_count else None,
            distributions=as_distributions(pl.concat([pl.DataFrame(schema=DISTRIBUTIONS), *answers])),
        )
        named, whence = {**self.words, self.organisation: self.name}, self.provenance
        return (
            Results(shown, least, lies_in, named, provenance=whence),
            Distributions(spread, least, None, named, provenance=whence),
        )

    def _decided_by(self, extract: Extract) -> list[str | tuple[str, ...]]:
        """Return what is decided together: what is shown, what it nests in, response rates, the staff mix.

        A breakdown that another lies in is decided with it, though it be shown another time or not at all.
        """
        here = available_breakdowns(extract)
        mix = [name for name in here if name == extract.edition.survey.defaults.staff_mix]
        around = [name for name in self.around if name in here and names_groups(extract, name)]
        rates = [one for counts in self.headcounts for one in counts.table["breakdown"].unique().sort()]
        staff = [name for name in rates if extract.period == self.year and name != ALL]
        return list(dict.fromkeys([*self._own_by(extract), *map(factors, (*around, *mix, *staff))]))

    def _own_by(self, extract: Extract) -> list[str | tuple[str, ...]]:
        """Return the breakdowns of the study that an extract has."""
        here = available_breakdowns(extract)
        return [factors(name) for name in self.by if all(part in here for part in name.split(CROSS))]

    @property
    def around(self) -> tuple[str, ...]:
        """The breakdowns in which those of the study lie, as study.yaml says."""
        if self.settings is None or not self.extracts:
            return ()
        edition = self.extracts[-1].edition
        lies_in = {
            breakdown_of(word, edition): [breakdown_of(name, edition) for name in nest.within]
            for word, nest in self.settings.nesting.items()
        }
        found: list[str] = []
        left = [*self.by]
        while left:
            above = [name for name in lies_in.get(left.pop(), ()) if name not in found]
            found += above
            left += above
        return tuple(found)

    @cached_property
    def headcounts(self) -> tuple[Headcounts, ...]:
        """The numbers of staff that study.yaml names for the year of the study."""
        from culture_metrics.study.response import headcounts_of

        return headcounts_of(self)

    @property
    def decided(self) -> list[About]:
        """What was decided about each extract, as the ledger keeps it."""
        rule = self.rule
        counted = [str(rule.minimum_count), str(rule.minimum_base), *sorted(self.by)]
        return [
            About(
                e.survey, e.period, e.frame, [*e.edition.columns], e.decision,
                counted if rule.minimum_count else (),
            )
            for e in self.extracts
        ]  # fmt: skip

    def attacked(self) -> tuple[int, int]:
        """Attack what is shown of all extracts: how many sets of measures, and how many of them are open."""
        self.suppressed  # noqa: B018
        each = [*of_each(self.extracts, self._attack)]
        each += [self.quarters.attacked()] if self.quarters else []
        return sum(n for n, _ in each), sum(n for _, n in each)

    def _attack(self, extract: Extract) -> tuple[int, int]:
        """Attack what is shown of an extract, or say what came of it where these very calls were attacked."""
        calls, (before, answer) = extract.decision.calls, self._attacks.get(extract.period, ([], (0, 0)))
        if not before or len(before) != len(calls) or any(map(is_not, before, calls)):
            answer = attack_shown(extract, self.rule.minimum_base)
            self._attacks[extract.period] = [*calls], answer
        return answer

    @cached_property
    def _attacks(self) -> dict[str, tuple[list[Call], tuple[int, int]]]:
        """The last attack on each extract: what was attacked, and what came of it."""
        return {}

    @cached_property
    def results(self) -> Results:
        """Results of the organisation from the respondent files: all periods, whole and by group.

        Everything that is shown or written comes from here: names of hidden groups are pooled.
        """
        found = self.suppressed[0]
        return replace(found, table=as_results(pool_names(found.table, found.minimum_base)))

    @cached_property
    def distributions(self) -> Distributions:
        """Distributions of the organisation from the respondent files: all periods, as a whole."""
        found = self.suppressed[1]
        return replace(found, table=as_distributions(pool_names(found.table, found.minimum_base)))

    @property
    def workbook(self) -> Published | None:
        """The workbook that has a benchmark group for the organisation: of the year, else the latest one.

        Of two of a year the detailed one, which has the answers too. Those of a pulse have no benchmark.
        """
        if self.edition.survey.cycle != "year":
            return None
        named = (pl.col("organisation") == self.organisation) & pl.col("benchmark_group").is_not_null()
        found = [p for p in self.published if p.organisations.filter(named).height]
        return max(
            found,
            key=lambda p: (p.period == self.year, p.period, not p.distributions.table.is_empty()),
            default=None,
        )

    @property
    def sources(self) -> tuple[Extract | Published, ...]:
        """Extracts and published results together."""
        return (*self.extracts, *self.published)

    @property
    def words(self) -> dict[str, str]:
        """What the respondent files call their breakdowns, by id; the latest file that names one decides."""
        return {name: word for extract in self.extracts for name, word in extract.words.items()}

    @property
    def edition(self) -> Edition:
        """The edition of the survey in the year of the study."""
        return catalogue(self.sources[0].survey).edition(self.year)

    @property
    def name(self) -> str:
        """Name of the organisation, as far as a workbook gives it; else its code."""
        for published in reversed(self.published):
            names = published.organisations.filter(organisation=self.organisation)["name"].drop_nulls()
            if len(names):
                return str(names[0])
        return self.organisation
