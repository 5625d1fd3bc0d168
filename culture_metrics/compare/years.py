"""Compare two years of one survey: what changed, what only seems to have, what may not be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.assumptions import Assumptions, assumed_of
from culture_metrics.compare.comparable import refuse, warn_of_breaks
from culture_metrics.compare.comparison import YearComparison
from culture_metrics.compare.difference import add_detectable, add_differences
from culture_metrics.compare.families import adjust_p
from culture_metrics.compare.linked import of_both_years
from culture_metrics.compare.pairs import gather, pool
from culture_metrics.compare.prepare import groups_apart, left_out, link, notes_on, paired, prepare, sided
from culture_metrics.compare.printed_flags import with_printed_flags
from culture_metrics.compare.same_questions import notes_on_questions
from culture_metrics.compare.verdict import judge, official_flag
from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsError
from culture_metrics.output import verb
from data_schemas.columns import RESULTS

if TYPE_CHECKING:
    from culture_metrics.catalogue import Survey
    from culture_metrics.compare.pairs import Given, Material
    from culture_metrics.extracts.extract import Extract

TABLE = [
    "organisation", "breakdown", "group", "measure", "code", "label", "level", "unit", "direction",
    "period_from", "period_to", "estimate_from", "estimate_to", "base_from", "base_to", "difference",
    "std_error", "df", "statistic", "conf_low", "conf_high", "p_value", "p_adjusted", "p_equivalence",
    "standardised_difference", "detectable_change", "material", "verdict", "reason", "instead",
    "official_flag", "status", "weighting", "source",
]  # fmt: skip


@verb
def compare_years(  # noqa: PLR0913
    results: Given,
    from_period: str | int,
    to_period: str | int,
    *,
    organisation: str | None = None,
    measures: Sequence[str] | None = None,
    release: str | int | None = None,
    allow_breaks: bool = False,
    merged: Mapping[str, Sequence[str]] | None = None,
    linked: Sequence[Extract] | None = None,
    adjust: str = "bh",
    material: Mapping[str, float] | None = None,
    assumptions: Assumptions | None = None,
) -> YearComparison:
    """Compare two periods of one survey, measure by measure and group by group.

    Parameters
    ----------
    results : Results, Published, polars.DataFrame or sequence of them
        Results that hold both periods (`estimate` of both extracts, put together), a workbook that holds
        several years, or one workbook a year.
    from_period, to_period : str or int
        The earlier and the later period.
    organisation : str, optional
        ODS code; every organisation when left out.
    measures : sequence of str, optional
        Measure ids or official codes; every measure with a better side when left out.
    release : str or int, optional
        The official release that all figures come from, where the files do not say so. A respondent file of
        2023 that was delivered again after mid-2024 is of release 2024.
    allow_breaks : bool
        Compare across breaks as well. Such rows keep the verdict "not comparable" and a ComparabilityWarning
        is given. Figures of two releases get a verdict: what reweighting can move is taken off first.
    merged : mapping, optional
        Successor -> predecessors; in the first period these are pooled by base, with the row that the
        successor itself has.
    linked : two Extracts, optional
        The respondent files behind unweighted results, if a `respondent` id stands for the same person in
        both: the test then allows for people who answered twice.
    adjust : {"bh", "holm"}
        Benjamini-Hochberg (false-discovery rate) or Holm (family-wise). A family is all that is compared of
        one breakdown: the whole organisations are one, their directorates another. Within it leading scores
        come first, then other scores, then percentages. That the measures of a whole organisation go together
        is allowed for where its results come as `estimate` made them (`compare.families`).
    material : mapping, optional
        Margin within which a change is no material one: `percent` in points, `score` on the scale of the
        survey. Left out, it is one to five hundredths of either, whatever an organisation of this size can
        resolve; a change shown to be within one hundredth is no material one even where it is beyond chance.
    assumptions : Assumptions, optional
        Standard deviations and design effect for published figures, which come without them.

    Returns
    -------
    YearComparison
        `.table` has one row per organisation, breakdown, group and measure: `estimate_from`, `estimate_to`,
        `base_from`, `base_to`, `difference` (in points or score units, later minus earlier), `std_error`,
        `df`, `statistic`, `conf_low`, `conf_high` (95 %), `p_value`, `p_adjusted`, `p_equivalence`,
        `standardised_difference` (in standard deviations of respondents), `detectable_change` (a true change
        of this size is called *improved* or *declined* in 4 of 5 cases), `material`, `verdict`, `reason`,
        `instead` (what is comparable), `official_flag` (of whole organisations as a benchmark workbook
        prints it, else rebuilt), `status`, and what identifies the row.

    Raises
    ------
    ComparabilityError
        When a measure asked for by name, or everything, may not be compared; says why and what may be.
    UnknownNameError
        When there is no such period, organisation, measure or adjustment.
    ResultsError
        When the table does not keep the contract of Results.

    Notes
    -----
    Verdicts: *improved* or *declined* when the adjusted p is below 5 %; *likely improved* or *likely
    declined* when only the 95 % interval of this one comparison leaves out 0; *no material change* when that
    interval lies within `material` (two one-sided tests, each at 2.5 %); else *no clear change*: `conf_low`
    and `conf_high` say what the data allow. *Not comparable* when a question, its options, the scoring or the
    organisation changed, a figure is missing, or a score is built of other questions because a column is
    missing in one file.
    The interval is that of one comparison, not adjusted. Tests: `culture_metrics.compare.difference`; they
    rest on the standard errors of the results, so on clusters, weights, raking and finite populations.
    `detectable_change` is that of the whole procedure, given what the other rows of the family show: a row is
    called when its p-value is below 5 % times its share, times how many would be called with it.
    Measures without a better side (facts about staff) are not compared.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> data = cm.study([])
    >>> change = compare_years(data.results, 2023, 2024)
    >>> change.table.filter(measure="recommend_place_to_work", group="all")["verdict"].item()
    'improved'
    """
    periods = (str(from_period), str(to_period))
    stuff = gather(results, None if release is None else str(release))
    survey = catalogue(stuff.survey)
    edges = _material(material or {}, survey)
    stuff, notes = pool(stuff, periods[0], merged) if merged else (stuff, [])
    marked = _marked(stuff, periods, organisation, measures, allow_breaks=allow_breaks)
    ready = prepare(
        marked, survey, assumed_of(assumptions), edges, given=material or (), allow_breaks=allow_breaks
    )
    both = None if linked is None else of_both_years(linked, survey.id, periods)
    ready, shared = link(ready, both, survey.minimum_base)
    together = stuff.together(*periods)
    tested = add_detectable(adjust_p(add_differences(ready), adjust, together=together))
    tested, flags = with_printed_flags(official_flag(tested, survey.flagged), results)
    order = [
        "organisation",
        pl.col("breakdown") != ALL,
        "breakdown",
        pl.col("group") != ALL,
        "group",
        "order",
    ]
    table = judge(tested).sort(order).select(TABLE)
    if allow_breaks:
        warn_of_breaks(marked, periods)
    ends = [
        set(marked.filter(pl.col(f"status_{e}").is_not_null())["organisation"].unique())
        for e in ("from", "to")
    ]
    gone, come, regrouped = groups_apart(marked, survey, periods, stuff.words)
    return YearComparison(
        table=table,
        survey=survey.id,
        from_period=periods[0],
        to_period=periods[1],
        vanished=tuple(sorted(ends[0] - ends[1])),
        appeared=tuple(sorted(ends[1] - ends[0])),
        notes=(
            *notes,
            *shared,
            *regrouped,
            *notes_on_questions(marked, stuff.frame, survey, periods),
            *(left_out(stuff, survey.edition(periods[1])) if measures is None else ()),
            *notes_on(ready, adjust, assumed_of(assumptions), survey),
            *flags,
        ),
        names=stuff.words,
        groups_vanished=gone,
        groups_appeared=come,
        parents=stuff.parents,
        results=(_of(stuff, periods[0]), _of(stuff, periods[1])),
    )


def _of(stuff: Material, period: str) -> pl.DataFrame:
    """Return the Results of one period."""
    return stuff.frame.filter(period=period).select(list(RESULTS))


def check_comparable(results: pl.DataFrame, from_period: str, to_period: str) -> None:
    """Check that something in two periods may be compared, without comparing it.

    Raises
    ------
    ComparabilityError, UnknownNameError, ResultsError
        As `compare_years` does.
    """
    _marked(gather(results, None), (from_period, to_period))


def breaks_between(results: pl.DataFrame, from_period: str, to_period: str) -> pl.DataFrame:
    """List the figures of two periods that a break keeps apart, without comparing the others.

    Returns
    -------
    polars.DataFrame
        `organisation, breakdown, group, measure, period` (the later one) and `reason`.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> apart = breaks_between(cm.study([]).results.table, "2023", "2024")
    >>> sorted(apart.filter(group="all", unit="score")["measure"])
    ['health_and_safety_climate', 'negative_experiences', 'safe_and_healthy']
    """
    stuff = gather(results, None)
    marked = paired(stuff, catalogue(stuff.survey), (from_period, to_period), None, None)
    key = ["organisation", "breakdown", "group", "measure", "unit"]
    apart = marked.filter(pl.col("refused").is_not_null())
    return apart.select(*key, pl.col("period_to").alias("period"), pl.col("refused").alias("reason"))


def _marked(
    stuff: Material,
    periods: tuple[str, str],
    organisation: str | None = None,
    measures: Sequence[str] | None = None,
    *,
    allow_breaks: bool = False,
) -> pl.DataFrame:
    """Return what is to be compared, or refuse."""
    survey = catalogue(stuff.survey)
    marked = paired(stuff, survey, periods, organisation, measures)
    if not allow_breaks:
        refuse(marked, () if measures is None else marked["measure"].unique(), survey, periods)
    return sided(marked)


def _material(given: Mapping[str, float], survey: Survey) -> dict[str, float]:
    edges = {unit: float(size) for unit, size in {**survey.material, **given}.items()}
    if set(edges) != set(survey.material) or not all(size > 0 for size in edges.values()):
        raise CultureMetricsError(
            "The smallest change of interest is a number above nought for each unit",
            where="compare_years(material=)",
            expected=f"{survey.material}",
        )
    return edges
