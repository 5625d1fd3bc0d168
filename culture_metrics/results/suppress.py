"""The verb that hides small cells of results, and as many others as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import polars as pl

from culture_metrics.disclosure import suppression
from culture_metrics.disclosure.rule import rule_of
from culture_metrics.output import table_of, verb
from culture_metrics.results.distributions import Distributions
from culture_metrics.results.results import Results
from culture_metrics.results.tabled import Tabled, parents_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@overload
def suppress(
    results: Tabled | pl.DataFrame | Sequence[Tabled | pl.DataFrame],
    minimum_base: int | None = None,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    distributions: None = None,
) -> Tabled: ...


@overload
def suppress(
    results: Tabled | pl.DataFrame | Sequence[Tabled | pl.DataFrame],
    minimum_base: int | None = None,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    distributions: Distributions | pl.DataFrame,
) -> tuple[Tabled, Tabled]: ...


@verb
def suppress(
    results: Tabled | pl.DataFrame | Sequence[Tabled | pl.DataFrame],
    minimum_base: int | None = None,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    distributions: Distributions | pl.DataFrame | None = None,
) -> Tabled | tuple[Tabled, Tabled]:
    """Hide small cells, and as many others as it takes that no hidden one can be worked out.

    Parameters
    ----------
    results : Results, Distributions, polars.DataFrame or a list of them
        With the columns of Results, or Distributions by themselves; `base` is the number of respondents
        behind a row. Everything that is published together, several years in a list: what stands
        elsewhere cannot be taken into account. What is hidden already keeps its reason: for another minimum,
        begin with what is not hidden yet (`estimate(minimum_base=…)`).
    minimum_base : int
        Smallest base that may be shown: the survey's own (11 in the NHS Staff Survey) when left out.
    minimum_count : int, optional
        Smallest number of respondents that a percentage may count, and leave uncounted. A weighted percentage
        does not say how many it counts: the unweighted row of the same cell does, where the table has it;
        else it is the least that the percentage can count with this `effective_base`.
    parents : polars.DataFrame, optional
        Groups that lie in a group of another breakdown, beyond what the catalogue knows (localities):
        `breakdown, group, parent_breakdown, parent_group`, and `organisation` where that differs. Left out,
        those that `Results` keep of their respondents.
    national : collection of str, optional
        Organisations (ODS codes) that figures of `all` organisations hold, where others stand beside them:
        official national figures are of trusts alone. Left out, `all` holds every organisation that is
        listed.
    distributions : Distributions or polars.DataFrame, optional
        Distributions that are published with the results: hidden where the headline is, and the headline
        where they are. A question is hidden with all its options; with `minimum_count`, also where one of
        them counts fewer.

    Returns
    -------
    Results or Distributions, or the two of them
        The same rows, and those of `distributions`; hidden ones have no numbers and say why in `status`:
        `suppressed_small_base`, or `suppressed_secondary` when the row would give another one away; or only
        `suppressed`, where it would give something away to say which of the two.

    Raises
    ------
    CultureMetricsError
        When a minimum is not a whole number of at least 1, none of the `national` organisations is in the
        table, or how many a weighted percentage counts cannot be told.

    Warns
    -----
    CultureMetricsWarning
        When a release is too large for the search, when something follows whatever is hidden, or when a
        total holds fewer people than its parts: what follows from it then is not known.

    Notes
    -----
    Sums are those over the groups of a breakdown, over crosses of breakdowns and breakdowns within others,
    over organisations (`all`) and periods (`all`). An element is hidden with its sub-scores. A hidden cell is
    protected when an attacker who knows all that is shown, and from the status what is small, cannot bound
    its base more tightly than to four numbers, nor find any sum of hidden cells with it that holds fewer than
    `minimum_base` people: with that sum would go its results. `disclosure.audit_disclosure` is that attacker.
    What is protected are numbers of people: where all hidden groups of a sum together gave the same answer (0
    or 100 %), so did each of them, and that can be told.

    Breakdowns on their own and within others are solved in closed form, for all measures and organisations at
    once; whatever adds up in two ways by integer programming (Fischetti and Salazar 2001), in large tables by
    a greedy choice. Above 50,000 cells × families of such tables (all organisations of the country with their
    sum) each sum is made safe, but not what follows from several put together: a warning says so.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> results = estimate(synthetic.respondents(2024, seed=2), by=["locality_1"])
    >>> suppress(results, 30).table["base"].min() >= 30
    True
    """
    table = table_of(results, "suppress")
    parents = parents_of(results) if parents is None else parents
    rule = rule_of(table, minimum_base, minimum_count)
    known = results._correlations if isinstance(results, Results) else ()
    if distributions is None:
        kind = Distributions if "option" in table.columns else Results
        shown = suppression.suppress(
            table, minimum_base, minimum_count=minimum_count, parents=parents, national=national
        )
        if kind is Distributions:
            return Distributions(shown, rule.minimum_base, parents)
        return Results(shown, rule.minimum_base, parents, _correlations=known)
    shown, spread = suppression.suppress(
        table,
        minimum_base,
        minimum_count=minimum_count,
        parents=parents,
        national=national,
        distributions=table_of(distributions, "suppress", "distributions"),
    )
    return (
        Results(shown, rule.minimum_base, parents, _correlations=known),
        Distributions(spread, rule.minimum_base, parents_of(distributions)),
    )
