"""Where a change came from: who answered, and what changed within groups of staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.decomposition import ChangeDecomposition, in_order, named_rows
from culture_metrics.compare.group_means import means_of_respondents
from culture_metrics.compare.group_results import means_of_results
from culture_metrics.compare.pieces import moments, pieces, spread
from culture_metrics.errors import ResultsError
from culture_metrics.extracts.extract import Extract
from culture_metrics.output import table_of, verb
from culture_metrics.wording.numbers import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.compare.group_means import GroupMeans
    from culture_metrics.compare.pieces import Floats
    from culture_metrics.results import Results

COLUMNS = [
    "piece", "breakdown", "group", "estimate", "std_error", "conf_low", "conf_high", "base_from", "base_to",
]  # fmt: skip


@verb
def decompose_change(
    from_extract: Extract | Results | pl.DataFrame,
    to_extract: Extract | Results | pl.DataFrame,
    measure: str | None = None,
    by: Sequence[str] | None = None,
    *,
    organisation: str | None = None,
    interaction: bool = False,
    minimum_base: int | None = None,
    allow_breaks: bool = False,
) -> ChangeDecomposition:
    """Split the change of a measure between two years into staff mix and change within groups.

    Parameters
    ----------
    from_extract, to_extract : Extract, Results or polars.DataFrame
        Clean extracts of the earlier and the later year (`validate(...).extract`), or Results of each where
        there are no respondents to look at.
    measure : str, optional
        A score or headline percentage, by id or official code of the later year; the survey's choice when
        left out (in the NHS Staff Survey, whether staff recommend the organisation as a place to work).
    by : sequence of str, optional
        Breakdowns that make the groups, such as `occupation_group`, `age`, `locality_1`; the survey's choice
        when left out (in the NHS Staff Survey `occupation_group`).
    organisation : str, optional
        ODS code; needed when the extracts hold several.
    interaction : bool
        Take the earlier year as the standard, with a third piece for what changed together. Left out, both
        years count half and there is none.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own when left out.
    allow_breaks : bool
        Compare across a break of the catalogue all the same, with a warning and a note.

    Returns
    -------
    ChangeDecomposition
        `.table` has rows for `total`, `mix` and `within` of the whole, `mix` of each breakdown, and all
        pieces of each group. The mix of all breakdowns and the within of the whole sum to the total; so do
        the groups of one breakdown to their breakdown. Rows of `total` by group stand with one breakdown
        only, where mix and within of a group sum to what the group adds to the organisation.

    Raises
    ------
    UnknownNameError
        When there is no such measure, breakdown or organisation.
    ComparabilityError
        When the two years may not be compared.
    ExtractError
        When too few answered, a breakdown has fewer than two groups that may be shown, or one breakdown
        follows from another.
    ResultsError
        When Results hold several surveys, periods or organisations, or too few groups.

    Notes
    -----
    One breakdown: Kitagawa (1955), both years counting half. Several: Oaxaca (1973) and Blinder (1973) with
    the mean of both years' coefficients on dummies of all breakdowns, so that the mix of each breakdown is
    told apart from that of the others; what breakdowns do jointly beyond their sum is part of within. The
    pieces are exact; the sums hold in every bootstrap draw. They are arithmetic and say where a change sits,
    not why it came about. Those of several breakdowns have the decimals of a figure (one of percentages, two
    of scores): in full they would tell how many people are in two groups at once.

    Only respondents in the base of the measure count. Those without an answer to a breakdown are a group of
    their own, "Not given". Groups that `estimate` with the same `by` hides in either year are pooled into
    "Other groups (pooled)". A group that one year only has left or came: all that it adds is mix, and the
    notes name it. With several breakdowns nothing changes on average among its people.

    Respondents are resampled within the organisation, each year on its own (1,000 draws, percentile
    intervals). People who answered in both years are not known to be the same, so intervals are rather too
    wide than too narrow. Nothing is weighted: official weights would hold the occupation mix fixed.

    From Results, one breakdown at a time: shares are shares of the bases; a group without a row in one of the
    years left or came; groups hidden in either year and answers without a group are pooled as the whole less
    the others, if the whole is unweighted, else left out; levels are drawn normal by their standard errors,
    those of percentages binomial where not given, of scores left open.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> old, new = (synthetic.respondents(year, respondents_per_organisation=600) for year in (2023, 2024))
    >>> change = decompose_change(old, new, by=["occupation_group"])
    >>> parts = change.piece("mix")["estimate"] + change.piece("within")["estimate"]
    >>> abs(parts - change.piece("total")["estimate"]) < 1e-12
    True
    """
    names = (measure, by, organisation, minimum_base, allow_breaks)
    if isinstance(from_extract, Extract) and isinstance(to_extract, Extract):
        years = means_of_respondents(from_extract, to_extract, *names)
    elif isinstance(from_extract, Extract) or isinstance(to_extract, Extract):
        raise ResultsError("Two extracts or two tables of Results are needed, not one of each")
    else:
        before, after = (table_of(one, "decompose_change") for one in (from_extract, to_extract))
        words = {k: v for one in (from_extract, to_extract) for k, v in getattr(one, "names", {}).items()}
        years = means_of_results(before, after, *names, words)

    return decomposed(years, interaction=interaction)


def decomposed(years: GroupMeans, *, interaction: bool = False) -> ChangeDecomposition:
    """Split the change between two years of group means into its pieces."""
    blocks = years.blocks

    def statistic(before: Floats, after: Floats) -> Floats:
        old, new = (moments(year, blocks, years.pairs) for year in (before, after))
        return in_order(pieces(old, new, blocks, interaction), blocks, interaction)

    numbers = pl.DataFrame(spread(statistic, years.before, years.after)).fill_nan(None)
    if len(blocks) > 1:
        numbers = numbers.select(pl.all().round(DECIMALS[years.measure.unit]))
    return ChangeDecomposition(
        table=named_rows(years, interaction).hstack(numbers).select(COLUMNS),
        measure=years.measure,
        organisation=years.organisation,
        from_period=years.periods[0],
        to_period=years.periods[1],
        from_estimate=years.levels[0],
        to_estimate=years.levels[1],
        labels=years.labels,
        notes=years.notes,
    )
