"""Attack a release as somebody outside could, and say which hidden cells are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.attack import SAME, attack
from culture_metrics.disclosure.between import releases_of_two, untied
from culture_metrics.disclosure.odd import odd_sums
from culture_metrics.disclosure.release import OPEN, SECONDARY, SMALL, UNTOLD
from culture_metrics.disclosure.rows import releases, together
from culture_metrics.disclosure.rule import Rule, rule_of
from culture_metrics.disclosure.structure import CELL
from culture_metrics.disclosure.tables import Sums, Tables
from culture_metrics.output import Output, table_of, verb

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from culture_metrics.disclosure.attack import Finding, System
    from culture_metrics.disclosure.release import Release

WHY = {
    "shown": "shown although too small",
    "exact": "its base follows exactly",
    "tight": "its base follows within too small a range",
    "few": "a sum with it of too few respondents follows",
    "count": "a number counted, or not counted, follows that is too small",
    "difference": "too few respondents are in only one of the two releases",
}
#: What is no breach, but leaves the auditor without an answer.
ODD = "odd"
COLUMNS = {**dict.fromkeys([*CELL, "measure", "finding"], pl.String()), "width": pl.Float64()}


@dataclass(frozen=True, repr=False, eq=False)
class DisclosureAudit(Output):
    """What somebody who reckons could work out from a release; it never holds what that is.

    Attributes
    ----------
    table : polars.DataFrame
        One row per cell and finding: `survey, period, organisation, breakdown, group, measure`; `finding`
        (`shown`: shown although too small; `exact`: its base follows; `tight`: its base follows within a
        range that is too small; `few`: a sum with it of fewer than the minimum base follows; `count`: a
        number counted, or not counted, follows that is too small; `difference`: too few respondents are in
        only one of two releases; `odd`: what is published does not add up, so that it cannot be attacked: the
        cell is a total that holds fewer people than its parts, or hidden where no numbers fit); `width`, over
        how many respondents the base, or that sum, stays open: 0 is exact.
    hidden : int
        Number of hidden results that were attacked.
    rule : Rule
        What they were held to.
    """

    table: pl.DataFrame
    hidden: int
    rule: Rule

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.table.is_empty()

    def summary(self) -> str:
        """Say in plain sentences what was found."""
        broken = self.table.filter(pl.col("finding") != ODD)
        odd = self.table.filter(pl.col("finding") == ODD).select(*CELL, "measure").n_unique()
        cells = broken.select(*CELL, "measure").n_unique()
        said = [f"The rule: {self.rule.words[0].lower()}{self.rule.words[1:]}"]
        if cells:
            by = broken.group_by("finding").len().sort("finding").rows()
            found = "; ".join(f"{number} × {WHY[name]}" for name, number in by)
            said.append(f"{cells} result{' breaks' if cells == 1 else 's break'} it: {found}.")
        elif not self.hidden:
            said.append("Nothing is hidden.")
        else:
            attacked = "1 hidden result was" if self.hidden == 1 else f"{self.hidden} hidden results were"
            said.append(f"{attacked} attacked; none is open{' as far as can be told' * (odd > 0)}.")
        if odd:
            which = "1 result does not" if odd == 1 else f"{odd} results do not"
            said.append(
                f"{which} add up with the others, so that what follows from the sum cannot be told: say "
                "which organisations `all` holds (national=), and leave out figures of another file."
            )
        return " ".join(said)

    def rules(self) -> tuple[str, ...]:
        """Say what the release was held to."""
        return (self.rule.words,)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>{self.table._repr_html_()}"


@verb
def audit_disclosure(
    results: Output | pl.DataFrame | Sequence[Output | pl.DataFrame],
    second: Output | pl.DataFrame | None = None,
    *,
    minimum_base: int | None = None,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    distributions: Output | pl.DataFrame | None = None,
    rounded_to: int = 1,
) -> DisclosureAudit:
    """Attack a release: find the hidden results that somebody outside can work out.

    Parameters
    ----------
    results : Results, Distributions, polars.DataFrame or a list of them
        Everything that is published together, with the columns of Results; or Distributions by themselves.
    second : Results or polars.DataFrame, optional
        Another release of the same groups, about some more or fewer respondents (all staff but one team; some
        groups may have more and others fewer), or hidden otherwise (the same year published again): the two
        are attacked together. Of a sum to whose hidden groups too few people are left, all these are named.
    minimum_base, minimum_count, parents, national
        As in `suppress`; counts are left aside for two releases and for rounded bases. Official workbooks
        show what rests on 10: `minimum_base=10`.
    distributions : Distributions or polars.DataFrame, optional
        Distributions that are published with the results.
    rounded_to : int
        Multiple that published bases were rounded to.

    Returns
    -------
    DisclosureAudit
        `.ok`, `.table`, `.summary()`.

    Notes
    -----
    The attacker knows all bases that are shown and what adds up, and takes the status at its word: a cell
    that is too small has at most `minimum_base` - 1 respondents, one that is hidden for its sake at least
    `minimum_base`. Linear programming gives the smallest and largest base that fits (whole numbers are
    searched for where it gives fractions). Where the base of a hidden group follows, so do its results, to
    within the rounding of those shown; where a sum of hidden groups with too few respondents follows, so do
    the results of these together.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> results = estimate(synthetic.respondents(2024, seed=2), by=["locality_1"])
    >>> audit_disclosure(results).ok
    True
    """
    table = table_of(results, "audit_disclosure")
    answers = None if distributions is None else table_of(distributions, "audit_disclosure")
    rule = rule_of(table, minimum_base, minimum_count)
    half = rounded_to / 2 if rounded_to > 1 else 0.0
    first = together(table, answers, by_option=minimum_count is not None and second is None)
    parts = (
        (release for release, _ in releases(first, rule, parents, national))
        if second is None
        else releases_of_two(
            first, together(table_of(second, "audit_disclosure")), rule, parents, national, rounded=half > 0
        )
    )
    tables, hidden = [pl.DataFrame(schema=COLUMNS)], 0
    for release in parts:
        hidden += int(np.isin(release.state, (SMALL, SECONDARY, UNTOLD)).sum())
        tables.append(_table(release, _attacked(release, rule, half)))
    table = pl.concat(tables).unique([*CELL, "measure", "finding"], keep="first", maintain_order=True)
    return DisclosureAudit(table.sort(*CELL, "measure", "finding"), hidden, rule)


def _attacked(
    release: Release, rule: Rule, half: float, *, granted: bool = True
) -> Iterator[tuple[list[int], list[int], list[str], list[float]]]:
    """List cells, measures, findings and widths.

    What was taken for `granted` between two releases is given up for the measures that it does not fit.
    """
    between = len(release.state) if release.between is None else release.between
    granted &= release.between is not None
    unfit: set[int] = set()
    cell, measure = (list(map(int, place)) for place in np.nonzero(release.too_small))
    yield cell, measure, ["difference" if i >= between else "shown" for i in cell], [0.0] * len(cell)
    equations = np.arange(len(release.structure.total))
    ordinary = np.flatnonzero(release.structure.total < between)
    sum_, measures = odd_sums(release, rule, half, ordinary)
    totals = release.structure.total[sum_].tolist()
    yield totals, measures.tolist(), [ODD] * len(totals), [np.nan] * len(totals)
    asked = (release.to_protect | (release.state == OPEN)).any(axis=0)
    sums = Sums.of(release.structure, equations)
    for family in np.unique(release.family[asked]) if len(equations) else ():
        tables = Tables(release, sums, int(family), rule, half=half)
        for place, system, _, columns in tables.systems(release.hidden[sums.cells, family]):
            found = attack(system, odd=system.nobody)
            if granted and any(_is_odd(f) for f in found):
                unfit.add(int(tables.measures[place]))
                found = [f for f in found if not _is_odd(f)]
            cells = [int(sums.cells[columns[f.cell]]) for f in found]
            # Nobody need be between two releases, unless an exact sum says so.
            exact = system.upward and not half
            at = int(tables.measures[place])
            kept = [
                (i, f)
                for i, f in zip(cells, found, strict=True)
                # Of a hidden group that is surely large nothing is given away.
                if release.between is not None
                or _is_odd(f)
                or not (release.state[i, at] == UNTOLD and f.low > rule.minimum_base - SAME)
                if i < between or ((exact or f.low > SAME) and SAME < f.high < rule.minimum_base)
            ]
            yield (
                [i for i, _ in kept],
                [at] * len(kept),
                [_finding(system, f) if i < between else "difference" for i, f in kept],
                [np.nan if _is_odd(f) else max(0.0, f.high - f.low) for _, f in kept],
            )
    if unfit:
        yield from _attacked(untied(release, unfit), rule, half, granted=False)


def _is_odd(found: Finding) -> bool:
    return bool(np.isinf(found.low))


def _finding(system: System, found: Finding) -> str:
    if _is_odd(found):
        return ODD
    if system.upward:
        return "few" if system.nobody else "count"
    return "exact" if found.high - found.low < 1 - SAME else "tight"


def _table(
    release: Release, found: Iterable[tuple[list[int], list[int], list[str], list[float]]]
) -> pl.DataFrame:
    cells, measures, findings, widths = list[int](), list[int](), list[str](), list[float]()
    for cell, measure, finding, width in found:
        cells += cell
        measures += measure
        findings += finding
        widths += width
    named = release.cells[cells].with_columns(
        measure=release.measures[measures],
        finding=pl.Series(findings, dtype=pl.String),
        width=pl.Series(widths, dtype=pl.Float64).fill_nan(None),
    )
    return named.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
