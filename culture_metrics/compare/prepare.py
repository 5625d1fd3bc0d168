"""What a comparison needs before it can test: the rows wanted, their spread, what is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.comparable import mark_breaks, unpaired, why_not
from culture_metrics.compare.families import ADJUSTMENTS, tiers
from culture_metrics.compare.linked import CELL, covariances
from culture_metrics.compare.pairs import side_by_side
from culture_metrics.compare.same_questions import absent_in, mark_different_questions
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, unknown
from culture_metrics.problems import listed
from culture_metrics.results.tables import catalogued
from culture_metrics.wording.numbers import WHY_NOT, in_sentence, several

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from culture_metrics.catalogue import Edition, Survey
    from culture_metrics.compare.assumptions import Assumptions
    from culture_metrics.compare.pairs import Material
    from culture_metrics.extracts.extract import Extract

#: Groups that a note lists by name.
LISTED = 4
#: Standard errors of a difference that a margin takes, if two one-sided tests at 2.5 % shall find in four of
#: five cases that nothing changed: 1.96 + 1.28.
RESOLVED = 3.24
#: Smallest changes of interest that a margin is at most.
MOST_STEPS = 5
#: What is tested of each end.
TESTED = [f"{name}_{end}" for name in ("n", "sd", "se", "df") for end in ("from", "to")]
FLAG_NOTE = (
    "The official flag of a change is rebuilt ({levels}; two-sample t-test, two-tailed, 95 %); it does not "
    "allow for the number of comparisons. Not confirmed: that the official test pools the variances and "
    "takes unweighted bases and an unweighted standard deviation."
)


def paired(
    stuff: Material,
    survey: Survey,
    periods: tuple[str, str],
    organisation: str | None,
    measures: Sequence[str] | None,
    absent: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Put the figures wanted of two periods side by side, with what stands between them.

    `absent` is what `absent_in` says of the material, where it is known already.
    """
    pairs = choose(side_by_side(stuff, *periods), survey, organisation, measures, periods)
    ends = {"period_from": pl.lit(periods[0]), "period_to": pl.lit(periods[1])}
    marked = mark_breaks(pairs.with_columns(**ends), survey, *periods)
    absent = absent_in(stuff.frame) if absent is None else absent
    return mark_different_questions(marked, absent, survey, periods)


def choose(
    pairs: pl.DataFrame,
    survey: Survey,
    organisation: str | None,
    measures: Sequence[str] | None,
    periods: tuple[str, str],
) -> pl.DataFrame:
    """Keep the organisation and the measures wanted, and say what they are."""
    if organisation is not None:
        known = pairs["organisation"].unique().sort().to_list()
        if organisation not in known:
            raise unknown("organisation in these results", organisation, known)
        pairs = pairs.filter(pl.col("organisation") == organisation)
    # Periods before the first edition of the catalogue are named as in that.
    editions = [survey.edition(p) for p in periods[::-1] if p in survey.periods or survey.open_ended]
    editions = editions or [survey.edition(survey.periods[0])]
    if measures is not None:
        wanted = [_measure_id(name, editions) for name in measures]
        pairs = pairs.filter(pl.col("measure").is_in(wanted))
    known_measures = pl.concat(catalogued(e) for e in editions).unique("measure", keep="first")
    found = pairs.join(known_measures, on="measure")
    # Facts about staff have no better side; who names one is told what stands in the way.
    wanted_rows = found if measures is not None else found.filter(pl.col("direction") != "neutral")
    if wanted_rows.is_empty():
        raise ComparabilityError("There is nothing to compare", got="no such measure in the results")
    return wanted_rows


def sided(marked: pl.DataFrame) -> pl.DataFrame:
    """Leave out measures that can neither improve nor decline.

    Raises
    ------
    ComparabilityError
        When there are no others.
    """
    rows = marked.filter(pl.col("direction") != "neutral")
    if rows.is_empty():
        raise ComparabilityError(
            "There is nothing to compare",
            got="measures without a better side",
            hint="Facts about staff, such as hours or contact with patients, neither improve nor decline.",
        )
    return rows


def left_out(stuff: Material, edition: Edition) -> list[str]:
    """Name the measures of a period that can neither improve nor decline."""
    known = set(stuff.frame.filter(pl.col("period") == edition.period)["measure"].unique())
    labels = [m.label for m in edition.measures.values() if m.direction == "neutral" and m.id in known]
    if not labels:
        return []
    return [f"{several(len(labels), 'measure')} without a better side left out: {'; '.join(labels)}."]


def _measure_id(name: str, editions: Sequence[Edition]) -> str:
    """Return a measure's id in the later edition that has it: codes move, ids do not."""
    for edition in editions[:-1]:
        if name.strip().casefold() in {*edition.measures, *edition.codes}:
            return str(edition.measure(name).id)
    return str(editions[-1].measure(name).id)


def prepare(
    marked: pl.DataFrame,
    survey: Survey,
    assumptions: Assumptions,
    edges: Mapping[str, float],
    *,
    given: Iterable[str] = (),
    allow_breaks: bool,
) -> pl.DataFrame:
    """Add what the tests need; figures that may not be compared are emptied unless that was insisted on.

    `edges` are the smallest changes of interest by unit; those of the units `given` are margins as they are.
    """
    spread = {m: assumptions.sd(m) for m in marked["measure"].unique()}
    ends = [column for end in ("from", "to") for column in end_of(end, spread, assumptions)]
    here = pl.col("why_not").is_null() | (pl.lit(allow_breaks) & unpaired().is_null())
    edge = pl.col("unit").cast(pl.String).replace_strict(edges, return_dtype=pl.Float64)
    low, high = survey.score_range
    hidden = pl.col("status_to").cast(pl.String).is_in(["reported"]).not_()
    score = pl.col("unit").cast(pl.String) == "score"
    last = str(marked["period_to"].max())
    placed = tiers(survey.edition(last) if last in survey.periods else survey.newest)
    tested = (
        marked.with_columns(
            why_not(survey, insisted=allow_breaks).alias("why_not"),
            edge.alias("edge"),
            pl.when(score).then(high - low).otherwise(100.0).alias("span"),
        )
        .with_columns(ends)
        .with_columns(
            pl.coalesce(f"std_error_{end}", own_error(end)).alias(f"se_{end}") for end in ("from", "to")
        )
        .with_columns(pl.when(here).then(pl.col(c)).alias(c) for c in TESTED)
    )
    return (
        tested.with_columns(_margin(given).alias("material"))
        .join(placed, on="measure", how="left", maintain_order="left")
        .with_columns(
            pl.col("tier").fill_null(pl.when(score).then(1).otherwise(2)),
            pl.when(hidden).then("status_to").otherwise("status_from").cast(pl.String).alias("status"),
            pl.coalesce("weighting_to", "weighting_from").alias("weighting"),
            pl.lit(0.0).alias("covariance"),
            pl.when(pl.col("why_not").is_not_null()).then("instead").alias("instead"),
        )
    )


def end_of(end: str, spread: Mapping[str, float], assumptions: Assumptions) -> list[pl.Expr]:
    """Return base, degrees of freedom and standard deviation of one year; of published figures as assumed."""
    score = pl.col("unit").cast(pl.String) == "score"
    unpublished = pl.col("source").cast(pl.String) == "published"
    wide = unpublished & (pl.col(f"weighting_{end}").cast(pl.String) != "none")
    base = pl.col(f"base_{end}").cast(pl.Float64)
    n = pl.coalesce(
        f"effective_base_{end}", pl.when(wide).then(base / assumptions.design_effect).otherwise(base)
    )
    # Respondents' figures without interval have an error that the design does not tell: one cluster, say.
    told = unpublished | pl.col(f"conf_low_{end}").is_not_null()
    error = pl.col(f"std_error_{end}")
    known = pl.when(error > 0).then(error) * (n / pl.col(f"design_effect_{end}").fill_null(1.0)).sqrt()
    assumed = pl.col("measure").replace_strict(spread, return_dtype=pl.Float64)
    return [
        pl.coalesce(f"worth_{end}", pl.when(score | told).then(n)).alias(f"n_{end}"),
        pl.coalesce(f"df_{end}", pl.when(score).then(n - 1).otherwise(float("inf"))).alias(f"df_{end}"),
        pl.when(score).then(pl.coalesce(known, pl.when(unpublished).then(assumed))).alias(f"sd_{end}"),
    ]


def own_error(end: str) -> pl.Expr:
    """Expression: the standard error of a figure that comes without one."""
    share, n = pl.col(f"estimate_{end}") / 100, pl.col(f"n_{end}")
    percent = 100 * (share * (1 - share) / n).sqrt()
    score = pl.col(f"sd_{end}") / n.sqrt()
    return pl.when(pl.col("unit").cast(pl.String) == "percent").then(percent).otherwise(score)


def _margin(given: Iterable[str]) -> pl.Expr:
    """Expression: the margin of no material change that an organisation of this size can resolve.

    The smallest step (once to five times the smallest change of interest) within which the interval of this
    measure of the whole organisation lies in four of five cases where nothing changed.
    """
    error = (pl.col("se_from") ** 2 + pl.col("se_to") ** 2).sqrt()
    whole = pl.when(pl.col("breakdown") == ALL).then(RESOLVED * error)
    resolved = whole.max().over("organisation", "measure", "source")
    steps = (resolved / pl.col("edge")).ceil().clip(1, MOST_STEPS)
    fixed = pl.col("unit").cast(pl.String).is_in(list(given))
    return pl.when(fixed | resolved.is_null()).then("edge").otherwise(pl.col("edge") * steps)


def link(
    ready: pl.DataFrame, linked: Sequence[Extract] | None, minimum: int
) -> tuple[pl.DataFrame, list[str]]:
    """Fill `covariance` where people answered in both years, and say how many did."""
    if linked is None:
        return ready, []
    by = ready["breakdown"].unique().sort().to_list()
    found = covariances(linked, [b for b in by if b != ALL], minimum)
    plain = (pl.col("weighting") == "none") & (pl.col("source") == "respondents")
    joined = ready.drop("covariance").join(found, on=CELL, how="left", maintain_order="left")
    told = joined.with_columns(pl.when(plain).then(pl.col("covariance").fill_null(0.0)).otherwise(0.0))
    both = linked[0].frame.join(linked[1].frame, on=["organisation", "respondent"], how="semi").height
    if both < minimum:
        return told, ["Few people answered in both years."]
    # How few answered in one year only is not told either.
    nearly = any(0 < extract.frame.height - both < minimum for extract in linked)
    people = "Nearly all" if nearly else f"{both:,}"
    return told, [f"{people} people answered in both years; the tests of unweighted figures allow for it."]


def groups_apart(
    marked: pl.DataFrame, survey: Survey, periods: tuple[str, str], words: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """List the groups that only the first period has, those that only the second has, and say so.

    Groups of organisations that are in one period only are no news. A group that is hidden is counted in the
    note and not named. `words` are what the files call their breakdowns.
    """
    there = [pl.col(f"status_{end}").is_not_null().any() for end in ("from", "to")]
    both = marked.filter(*(known.over("organisation") for known in there), pl.col("breakdown") != ALL)
    reported = [(pl.col(f"status_{end}").cast(pl.String) == "reported").any() for end in ("from", "to")]
    cells = both.group_by("organisation", "breakdown", "group").agg(
        before=there[0],
        after=there[1],
        shown=pl.any_horizontal(reported),
        first=reported[0],
        last=reported[1],
    )
    apart = cells.filter(pl.col("before") != pl.col("after"))
    apart = apart.group_by("breakdown", "group", "before").agg(pl.col("shown").any())
    every = [apart.filter(before=first).sort("breakdown", "group") for first in (True, False)]
    only = [found.filter("shown") for found in every]
    notes = []
    for name in apart["breakdown"].unique().sort():
        label = survey.edition(periods[1]).breakdown_label(name, words)
        told = []
        for period, shown, found in zip(periods, only, every, strict=True):
            own = found.filter(breakdown=name)
            groups = shown.filter(breakdown=name)["group"].to_list()
            hidden = own.height - len(groups)
            said = [listed(groups, LISTED)] if groups else []
            said += [f"{several(hidden, 'group')} not shown"] if hidden else []
            told += [f"in {period} {' and '.join(said)}"] if said else []
        notes.append(
            f"Groups of {in_sentence(label)} in one year only are not compared: "
            f"{'; '.join(told)}. Where a group was renamed, check_pair of both files says which may be the "
            "same, and validate(…, merge=…) gives both years one name."
        )
    notes += _held_back_once(cells, survey, periods, words)
    names = pl.format("{}: {}", "breakdown", "group")
    gone, come = (tuple(found.select(names).to_series()) for found in only)
    return gone, come, notes


def _held_back_once(
    cells: pl.DataFrame, survey: Survey, periods: tuple[str, str], words: Mapping[str, str]
) -> list[str]:
    """Name the groups that both years have and one holds back: their change is lost, and why."""
    lost = cells.filter("before", "after", pl.col("first") != pl.col("last")).unique(["breakdown", "group"])
    notes = []
    for name in lost["breakdown"].unique().sort():
        label = survey.edition(periods[1]).breakdown_label(name, words)
        told = []
        for period, first in zip(periods, (False, True), strict=True):
            groups = lost.filter(breakdown=name, first=first)["group"].sort().to_list()
            told += [f"{listed(groups, LISTED)} in {period}"] if groups else []
        notes.append(
            f"Groups of {label.lower()} held back in one year are not compared: {'; '.join(told)} "
            f"({WHY_NOT['suppressed']})."
        )
    return notes


def notes_on(ready: pl.DataFrame, adjust: str, assumptions: Assumptions, survey: Survey) -> list[str]:
    """Say what was assumed."""
    notes = [
        f"Improved and declined allow for all comparisons of one breakdown ({ADJUSTMENTS[adjust]}, half of "
        "the 5% for the leading scores, a quarter each for other scores and for percentages"
        f"{'; what lies under scores that moved is looked at once more' if adjust == 'bh' else ''}). "
        "Likely improved and likely declined rest on the interval of one comparison alone."
    ]
    margins = ready.select("unit", "material").drop_nulls().unique().sort("unit", "material")
    told = margins.group_by(pl.col("unit").cast(pl.String), maintain_order=True).agg(
        low=pl.col("material").min(), high=pl.col("material").max()
    )
    sizes = [
        f"{low:g}{'' if low == high else f' to {high:g}'}{' points' if unit == 'percent' else ' of a score'}"
        for unit, low, high in told.iter_rows()
    ]
    if sizes:
        notes.append(
            f"No material change is within {' and '.join(sizes)} either way, by measure: what an "
            "organisation of this size can resolve, or the margin that was given."
        )
    tested = ready.filter(pl.col("n_from").is_not_null())
    assumed = tested.filter((pl.col("source") == "published") & (pl.col("unit") == "score"))
    if assumed.filter(pl.col("std_error_from").is_null() | pl.col("std_error_to").is_null()).height:
        notes.append(
            "Published scores come without standard deviations: those assumed are of synthetic respondents "
            "or were given."
        )
    weighted = tested.filter((pl.col("source") == "published") & (pl.col("weighting") != "none"))
    if weighted.height:
        notes.append(
            f"Weighting by occupation group is taken to widen the variance of published figures "
            f"{assumptions.design_effect:g}-fold (assumed)."
        )
    if (tested["covariance"] == 0).all():
        notes.append(
            "The years are taken as different people. Where many answered in both, the intervals are wider "
            "than need be."
        )
    if tested.filter(pl.col("level").is_in(survey.flagged)).height:
        levels = " and ".join(survey.levels[name].plural for name in survey.flagged)
        notes.append(FLAG_NOTE.format(levels=levels))
    return notes
