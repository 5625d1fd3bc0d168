"""A part of the people of a study: the groups of one breakdown, crossed with the others.

Nothing is estimated of the part by itself. Its figures are those of crossed groups ("Nurses × Urgent Care"),
decided together with all else that the study shows, so that the whole and the part tell nothing of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.compare.years import compare_years
from culture_metrics.contract import ALL, as_distributions, as_results
from culture_metrics.disclosure.ledger import write_ledger
from culture_metrics.disclosure.names import pool_names
from culture_metrics.disclosure.suppression import suppress
from culture_metrics.errors import ReportError, unknown
from culture_metrics.indicators.breakdowns import available_breakdowns
from culture_metrics.indicators.distributions import distributions
from culture_metrics.indicators.estimate import estimate
from culture_metrics.output import Output
from culture_metrics.results import Distributions, Results
from culture_metrics.results.tabled import parents_of
from culture_metrics.study.nearly_same import nearly_same
from culture_metrics.wording.numbers import held_back, several, together
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.compare.comparison import YearComparison
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.study.study import Study
    from culture_metrics.wording.several import Figures
    from culture_metrics.wording.table import Table

#: One number, of one year.
ONE = ["period", "measure"]
CELL = [*ONE, "breakdown", "group"]
REPORTED = pl.col("status").cast(pl.String) == "reported"


@dataclass(frozen=True, repr=False, eq=False)
class Subset(Output):
    """The people of one group of a study; every title and summary names the group.

    Attributes
    ----------
    study : Study
        The study that they are a part of.
    breakdown, group : str
        Who they are.
    """

    study: Study
    breakdown: str
    group: str

    @property
    def name(self) -> str:
        """The organisation and the group, as titles say it."""
        return f"{self.study.name}, {self.group} only"

    @property
    def year(self) -> str:
        """The year of the study."""
        return self.study.year

    @property
    def by(self) -> tuple[str, ...]:
        """The breakdowns of the part: those of the study but its own and crosses."""
        return tuple(name for name in self.study.by if name != self.breakdown and CROSS not in name)

    @property
    def table(self) -> pl.DataFrame:
        """The results, one row per period, breakdown, group and measure."""
        return self.results.table

    @cached_property
    def crosses(self) -> pl.DataFrame:
        """Results of the part's breakdown crossed with the others.

        What may be shown of respondents is decided in `estimate`, beside all that was shown of them. A
        minimum count, which it knows nothing of, is kept over the crosses of all subsets together.
        """
        study, least = self.study, self.study.rule.minimum_base
        shown = study.suppressed[0].table
        if study.rule.minimum_count is not None:
            return _own_first(study.counted_crosses, self.breakdown, self.group)
        every = [estimate(e, by=self._crosses(e), minimum_base=least).table for e in self._extracts]
        self._keep()
        return pl.concat(every).join(shown, on=CELL, how="anti")

    def _keep(self) -> None:
        """Keep in the ledger what was decided."""
        if self.study.ledger:
            write_ledger(self.study.ledger, self.study.decided)

    def _crosses(self, extract: Extract) -> list[tuple[str, ...]]:
        """Return the part's own breakdown, and it crossed with each other and what those lie in."""
        here = available_breakdowns(extract)
        others = [n for n in (*self.by, *self.study.around) if n in here and n != self.breakdown]
        return [(self.breakdown,), *((self.breakdown, name) for name in dict.fromkeys(others))]

    @property
    def _extracts(self) -> list[Extract]:
        """The years that have the part's breakdown."""
        return [e for e in self.study.extracts if self.breakdown in available_breakdowns(e)]

    @cached_property
    def results(self) -> Results:
        """Results of the part, as a whole and by the other breakdowns: all years."""
        own, study = pl.col("group").str.starts_with(f"{self.group}{CROSS}"), self.study
        whole = study.suppressed[0].table.filter(breakdown=self.breakdown, group=self.group)
        part = self.crosses.filter(own & pl.col("breakdown").str.starts_with(f"{self.breakdown}{CROSS}"))
        named = part.with_columns(
            pl.col("breakdown").str.strip_prefix(f"{self.breakdown}{CROSS}"),
            pl.col("group").str.strip_prefix(f"{self.group}{CROSS}"),
        ).filter(pl.col("breakdown").is_in(self.by))
        table = as_results(pl.concat([whole.with_columns(breakdown=pl.lit(ALL), group=pl.lit(ALL)), named]))
        least = study.rule.minimum_base
        return Results(
            as_results(pool_names(table, least)), least, names=self._names, provenance=study.provenance
        )

    @cached_property
    def distributions(self) -> Distributions:
        """Every answer of the part, as a whole: all years. None where percentages must count a minimum."""
        study, least = self.study, self.study.rule.minimum_base
        if study.rule.minimum_count is not None:
            raise ReportError(
                "Answers of a subset are not shown beside a minimum count",
                got=f"minimum_count={study.rule.minimum_count}",
                hint="Its scores and headline percentages are.",
            )
        study.suppressed  # noqa: B018  what the study shows is decided first
        every = [distributions(e, by=[self.breakdown], minimum_base=least).table for e in self._extracts]
        self._keep()
        own = pl.concat(every).filter(breakdown=self.breakdown, group=self.group)
        table = as_distributions(own.with_columns(breakdown=pl.lit(ALL), group=pl.lit(ALL)))
        return Distributions(table, least, None, self._names, provenance=study.provenance)

    @property
    def _names(self) -> dict[str, str]:
        return {**self.study.words, self.study.organisation: self.name}

    def scores(self, *, leading: bool = False) -> go.Figure:
        """Draw every score of the part in the year of the study, with 95% intervals."""
        return self.results.scores(period=self.year, leading=leading)

    def headline(self) -> go.Figure:
        """Draw the leading scores of the part in the year of the study."""
        return self.scores(leading=True)

    def figure(self) -> go.Figure:
        """Draw the main picture: the scores."""
        return self.scores()

    def answers(self, measure: str | None = None) -> go.Figure:
        """Draw how the answers behind a measure are spread; the survey's choice of it when left out."""
        return self.distributions.distribution(measure, period=self.year)

    def heat_maps(self) -> Figures:
        """Draw the leading scores of the part by the other breakdowns of the study."""
        return self.results.heat_maps(self.by, period=self.year)

    def percentages(self, score: str | None = None) -> Table:
        """List the headline percentages behind a score, year by year."""
        from culture_metrics.study.lists import percentages

        return percentages(self.results.table, self.study.edition, score, self.name)

    def years(self) -> Table:
        """Set the scores of all years side by side, with intervals. No test: estimates only."""
        from culture_metrics.study.lists import years

        return years(self.results.table, self.study.edition, self.name)

    def compare_years(self) -> YearComparison:
        """Compare the year of the study with the one before it, of the part alone."""
        earlier, later = self.study.two_years()
        change = compare_years(self.results, earlier.period, later.period)
        return replace(
            change, names={**change.names, **self._names}, part=self.group, held=self.why_held_back
        )

    @cached_property
    def why_held_back(self) -> str:
        """Why most figures of the part as a whole are held back, and what to leave out; else empty."""
        whole = self.results.table.filter(breakdown=ALL)
        each = whole.group_by("period").agg(hidden=held_back().sum(), every=pl.len()).sort("period")
        worst = each.filter(pl.col("hidden") * 2 > pl.col("every")).tail(1)
        if worst.is_empty():
            return ""
        period, hidden, every = worst.row(0)
        said = (
            f"Of {self.group} {hidden:,} of {several(every, 'measure')} of {period} are held back: "
            "what may be shown is decided beside all else that the study shows."
        )
        pairs = nearly_same(self._extracts, [n for n in self.study.by if CROSS not in n])
        alike = [n for pair in pairs if self.breakdown in pair for n in pair if n != self.breakdown]
        if not alike:
            return f"{said} With fewer breakdowns (in study.yaml, or `by`) more of it may be shown."
        names = together([self.study.edition.breakdown_label(n, self.study.words) for n in alike])
        return (
            f"{said} {names} {'has' if len(alike) == 1 else 'have'} nearly the same groups, so that few "
            f"people stand between them. Leave {names} out of the breakdowns (in study.yaml, or `by`) "
            "to see more."
        )

    def held_back(self) -> Table:
        """Count the results of the part that are shown and held back; the reason is not told."""
        return self.results.held_back()

    def summary(self) -> str:
        """Say who they are and between what their leading scores lie."""
        from culture_metrics.results.tables import score_table
        from culture_metrics.results.words import from_to

        own = score_table(self.results.table.filter(period=self.year), self.study.edition)
        said = f"{self.name}, {period_words(self.year)}: {from_to(own)}."
        return f"{said} {self.why_held_back}".rstrip()

    def rules(self) -> tuple[str, ...]:
        """Say how it was decided what of the part may be shown."""
        return (
            *self.study.rules(),
            "Figures of the part are those of crossed groups, decided with all else of the study.",
        )

    def __repr__(self) -> str:
        return self.summary()


def counted_crosses(study: Study) -> pl.DataFrame:
    """Return results of each two breakdowns crossed, where percentages must count a minimum.

    Which percentages are hidden is chosen for the crosses of all subsets at once: another choice for each
    would give them away, as two subsets hold the same crosses. What was shown stays: crosses that would give
    it away do not.
    """
    shown, least = study.suppressed[0].table, study.rule.minimum_base
    every = []
    for extract in study.extracts:
        here = available_breakdowns(extract)
        names = [n for n in (*study.by, *study.around) if n in here and CROSS not in n]
        pairs = [*combinations(dict.fromkeys(names), 2)]
        every += [estimate(extract, by=pairs, minimum_base=least)] if pairs else []
    if study.ledger:
        write_ledger(study.ledger, study.decided)
    found = pl.concat([shown.clear(), *(one.table for one in every)]).join(shown, on=CELL, how="anti")
    both = suppress(
        as_results(pl.concat([shown, found])),
        least,
        minimum_count=study.rule.minimum_count,
        parents=parents_of([study.suppressed[0], *every]),
    )
    newly = both.filter(~REPORTED).join(shown.filter(REPORTED), on=CELL, how="semi").select(ONE).unique()
    return both.join(found, on=CELL, how="semi").join(newly, on=ONE, how="anti")


def _own_first(crosses: pl.DataFrame, breakdown: str, group: str) -> pl.DataFrame:
    """Keep the crosses of a group, and name its breakdown and it first. Names may have a cross in them."""
    own = {"breakdown": breakdown, "group": group}
    last = crosses.filter(*(pl.col(c).str.ends_with(f"{CROSS}{name}") for c, name in own.items()))
    turned = [
        pl.concat_str(pl.lit(f"{name}{CROSS}"), pl.col(c).str.strip_suffix(f"{CROSS}{name}")).alias(c)
        for c, name in own.items()
    ]
    first = crosses.filter(*(pl.col(c).str.starts_with(f"{name}{CROSS}") for c, name in own.items()))
    return pl.concat([first, last.with_columns(turned)])


def subset_of(study: Study, groups: dict[str, str]) -> Subset:
    """Return the people of one group that the study shows.

    Raises
    ------
    ReportError
        When not exactly one group is named.
    UnknownNameError
        When the study has no such breakdown, or shows no such group: a hidden one is as unknown as none.
    """
    if len(groups) != 1:
        raise ReportError(
            "A subset is one group of one breakdown",
            got=f"{len(groups)} groups",
            hint='For example study.only(occupation_group="Registered Nurses and Midwives").',
        )
    [(word, group)] = groups.items()
    known = shown_groups(study)
    words = {study.words.get(name, name): name for name in known}
    breakdown = words.get(word, word)
    if breakdown not in known:
        raise unknown("breakdown with groups that are shown", word, [*words], where="the study")
    if group not in known[breakdown]:
        raise unknown("group that is shown", group, known[breakdown], where=word)
    return Subset(study, breakdown, group)


def shown_groups(study: Study) -> dict[str, list[str]]:
    """Return, by breakdown, the groups of which something is shown in the year of the study."""
    here = pl.col("breakdown").is_in([name for name in study.by if CROSS not in name])
    rows = study.suppressed[0].table.filter(here, REPORTED, period=study.year)
    groups = rows.select("breakdown", "group").unique().sort("breakdown", "group")
    return dict(groups.group_by("breakdown", maintain_order=True).agg("group").iter_rows())
