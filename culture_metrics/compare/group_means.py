"""Groups of two years: their shares and means, as they are and in each bootstrap draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.cells import NOT_GIVEN, OTHER, cells_of
from culture_metrics.compare.levels import untold
from culture_metrics.compare.pair import pair_of
from culture_metrics.compare.pieces import bootstrap, moment_rows, moments, pairs_of
from culture_metrics.errors import ComparabilityError, ExtractError
from culture_metrics.extracts.spelling import may_be_renamed
from culture_metrics.indicators.breakdowns import breakdown_id
from culture_metrics.indicators.seeds import secret_seed
from culture_metrics.wording.numbers import in_sentence, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culture_metrics.catalogue import Edition, Measure
    from culture_metrics.compare.cells import Cells
    from culture_metrics.compare.pair import Pair
    from culture_metrics.compare.pieces import Floats, Numbers, Rows
    from culture_metrics.extracts.extract import Extract

    #: The means of a year, and of each draw of it, some draws at a time.
    Drawn = tuple[Floats, Iterable[Floats]]


#: Groups that a note names.
LISTED = 6


@dataclass(frozen=True)
class GroupMeans:
    """What the pieces of a change are worked out from.

    Attributes
    ----------
    measure, organisation, periods
        What, of whom, and when.
    groups : polars.DataFrame
        One row per group that may be shown: `breakdown, group, base_from, base_to`.
    blocks : tuple of slice
        Where the groups of each breakdown stand in the means.
    pairs : array
        Which two groups of different breakdowns somebody is in both of.
    before, after : tuple
        Means of `moment_rows`, of the year and of its draws. The measure is counted from the middle of both
        years, where rounding is least.
    levels, bases : tuple
        The measure in both years, and its bases.
    labels, notes
        Breakdowns and how they are called; what a reader has to know.
    """

    measure: Measure
    organisation: str
    periods: tuple[str, str]
    groups: pl.DataFrame
    blocks: tuple[slice, ...]
    pairs: Numbers
    before: Drawn
    after: Drawn
    levels: tuple[float, float]
    bases: tuple[int, int]
    labels: dict[str, str]
    notes: tuple[str, ...]


def chosen(edition: Edition, measure: str | None, by: Sequence[str] | None) -> tuple[str, Sequence[str]]:
    """Return what is split and by what: the survey's choice where nothing is asked for.

    Raises
    ------
    ComparabilityError
        When the survey has no choice of breakdown.
    """
    mix = edition.survey.defaults.staff_mix
    if by is None and mix is None:
        raise ComparabilityError(
            f"The {edition.survey.label} does not say by which groups a change is split",
            hint=f"Name a breakdown: by=[...]. There are: {', '.join(edition.breakdowns)}.",
        )
    return measure or edition.default_question, (mix,) if by is None else by  # type: ignore[return-value]


def means_of_respondents(
    from_extract: Extract,
    to_extract: Extract,
    measure: str | None,
    by: Sequence[str] | None,
    organisation: str | None,
    minimum_base: int | None,
    allow_breaks: bool,
) -> GroupMeans:
    """Work out the means of groups from two extracts.

    Raises
    ------
    UnknownNameError, ComparabilityError, ExtractError
        As `decompose_change` says.
    """
    measure, by = chosen(to_extract.edition, measure, by)
    by = [breakdown_id(to_extract, name) for name in dict.fromkeys(by)]
    pair = pair_of(from_extract, to_extract, measure, by, organisation, minimum_base, allow_breaks)
    cells = cells_of(pair, by)
    levels = tuple(float(count @ cells.value / count.sum()) for count in cells.counts)
    rows = moment_rows(cells.codes, cells.value - sum(levels) / 2, cells.blocks)
    frames = (pair.before.frame, pair.after.frame)
    years = [
        bootstrap(rows, counts, secret_seed(frame, year))
        for year, (frame, counts) in enumerate(zip(frames, cells.counts, strict=True))
    ]
    _check_told_apart(pair, cells, rows)
    return GroupMeans(
        measure=pair.measure,
        organisation=pair.organisation,
        periods=(pair.before.period, pair.after.period),
        groups=cells.groups,
        blocks=cells.blocks,
        pairs=pairs_of(cells.codes),
        before=years[0],
        after=years[1],
        levels=(levels[0], levels[1]),
        bases=(int(cells.counts[0].sum()), int(cells.counts[1].sum())),
        labels={name: to_extract.edition.breakdown_label(name, to_extract.words) for name in by},
        notes=tuple(_notes(pair, cells)),
    )


def _check_told_apart(pair: Pair, cells: Cells, rows: Rows) -> None:
    """See to it that no breakdown follows from another, among those who gave all of them.

    Who gave none of several is in no way two kinds of people: the fit halves what sets them apart.
    """
    given = (cells.groups["group"] != NOT_GIVEN).to_numpy()
    whole = given[cells.codes].all(axis=1)
    names, pairs = cells.groups["breakdown"].unique(maintain_order=True).to_list(), pairs_of(cells.codes)
    for extract, counts in zip((pair.before, pair.after), cells.counts, strict=True):
        year = moments((counts * whole) @ rows / counts.sum(), cells.blocks, pairs)
        # The dummies of every breakdown sum to 1.
        if untold(year.shares, year.beside, pairs, cells.blocks) > len(names) - 1:
            raise ExtractError(
                f"The mixes of {' and '.join(names)} cannot be told apart",
                where=f"{pair.organisation}, {extract.period}",
                got="groups of one that follow from groups of the other",
                hint="Leave out the coarser one.",
            )


def _notes(pair: Pair, cells: Cells) -> list[str]:
    said = [f"The years may not compare: {reason}" for reason in pair.broken]
    said += pair.after.edition.survey.remarks(pair.before.period, pair.after.period)
    edition, words = pair.after.edition, pair.after.words
    breakdowns = cells.groups["breakdown"].unique(maintain_order=True)
    names = {name: in_sentence(edition.breakdown_label(name, words)) for name in breakdowns}
    for name, some in cells.pooled.items():
        said.append(
            f"{len(some)} groups of {names[name]} are pooled into "
            f"\N{LEFT SINGLE QUOTATION MARK}{OTHER}\N{RIGHT SINGLE QUOTATION MARK}: too small to be shown, "
            "in one of the years or both."
        )
    for name, label in names.items():
        said += alone(cells.groups.filter(breakdown=name), label, (pair.before.period, pair.after.period))
    for row in cells.groups.filter(group=NOT_GIVEN).iter_rows(named=True):
        shares = [
            row[b] / counts.sum() for b, counts in zip(("base_from", "base_to"), cells.counts, strict=True)
        ]
        before, after = (f"{share:.0%}" for share in shares)
        told = f"{before} in each year" if before == after else f"{before} and {after}"
        said.append(f"{told} gave no {names[row['breakdown']]} and are a group of their own.")
    return said


def alone(groups: pl.DataFrame, label: str, periods: tuple[str, str]) -> list[str]:
    """Name the groups of a breakdown that one year only has, and those that may be one group renamed."""
    named = groups.filter(pl.col("group") != NOT_GIVEN)
    only = [named.filter(pl.col(other) == 0)["group"].to_list() for other in ("base_to", "base_from")]
    if not any(only):
        return []
    told = "; ".join(
        f"{together(some, LISTED)} in {period} only"
        for some, period in zip(only, periods, strict=True)
        if some
    )
    said = [f"Of {label}, {told}: all that {'they add' if sum(map(len, only)) > 1 else 'it adds'} is mix."]
    same = may_be_renamed(*only)
    if same:
        pairs = together([f"{old} may now be called {new}" for old, new in same.items()], LISTED)
        said.append(
            f"{pairs}: if so, give both years one name, validate(\N{HORIZONTAL ELLIPSIS}, "
            "merge=\N{HORIZONTAL ELLIPSIS}), and its change is one within."
        )
    return said
