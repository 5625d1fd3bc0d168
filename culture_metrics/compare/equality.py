"""Whose experience is worse: two groups side by side, with the gap and its interval, over the years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.assumptions import Assumptions, assumed_of
from culture_metrics.compare.difference import ALPHA, add_differences
from culture_metrics.compare.equality_sources import figures_of, figures_of_each, parts_of, survey_of
from culture_metrics.compare.equality_standards import equality_of
from culture_metrics.compare.families import ADJUSTMENTS, adjust_p
from culture_metrics.compare.gaps import NO_GAP, EqualityGaps
from culture_metrics.compare.prepare import end_of, own_error
from culture_metrics.compare.standing import turned
from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.extracts.extract import Extract
from culture_metrics.output import verb
from culture_metrics.published import Published
from culture_metrics.results import Results
from culture_metrics.results.precision import with_precision
from culture_metrics.results.spelling import breakdown_among
from culture_metrics.wording.numbers import several, together
from data_schemas.columns import HIDDEN_STATUSES, STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culture_metrics.catalogue import Survey
    from culture_metrics.compare.equality_sources import Source
    from culture_metrics.compare.equality_standards import Equality

TABLE = [
    "survey", "period", "organisation", "breakdown", "group", "reference", "indicator", "measure", "label",
    "unit", "direction", "estimate_group", "estimate_reference", "base_group", "base_reference", "gap",
    "ratio", "std_error", "df", "statistic", "conf_low", "conf_high", "p_value", "p_adjusted", "verdict",
    "benchmark", "benchmark_gap", "benchmark_low", "benchmark_high", "benchmark_organisations", "weighting",
    "source", "status",
]  # fmt: skip
KEY = ["survey", "period", "organisation", "breakdown", "measure", "unit", "weighting", "source"]
ENDS = {"from": "reference", "to": "group"}
FIGURES = [
    "estimate", "std_error", "conf_low", "conf_high", "base", "effective_base", "df", "worth",
    "design_effect", "status",
]  # fmt: skip
GAP = ["period", "breakdown", "group", "reference", "measure"]


@verb
def equality_gaps(  # noqa: PLR0913
    given: Source | Iterable[Source],
    by: Sequence[str] | None = None,
    *,
    pairs: Mapping[str, tuple[str, str]] | None = None,
    measures: Sequence[str] | None = None,
    organisation: str | None = None,
    published: Published | Sequence[Published] | None = None,
    assumptions: Assumptions | None = None,
    adjust: str = "bh",
    minimum_base: int | None = None,
) -> EqualityGaps:
    """Set two groups of staff side by side: equality gaps in points, with their interval, over the years.

    WRES indicators 5 to 8 and WDES metrics 4 to 9a, unweighted as the standards have them, and the same for
    sex, age, religion, sexual orientation, caring, recruitment from abroad and any other breakdown.

    Parameters
    ----------
    given : Extract, Results, Published, polars.DataFrame, or a list of them
        One year or several. Of a benchmark workbook its ready columns of the standards are read
        (`*_eth_summary_1|2`, `*_q31a_1|2`).
    by : sequence of str, optional
        Breakdowns, named as anywhere else; those of the survey's equality file, as far as they are there,
        when left out. A column of the extract is one as well (pay band, socio-economic background).
    pairs : mapping, optional
        Breakdown -> (group, reference): any two groups. Else the two of the standard, or every group beside
        the reference of the equality file, or beside the largest that is shown.
    measures : sequence of str, optional
        By any of their names; the items of the standards and the survey's leading scores when left out.
    organisation : str, optional
        ODS code; every organisation when left out.
    published : Published or sequence of Published, optional
        Published results that have the gaps of the benchmark group; those in `given` when left out.
    assumptions : Assumptions, optional
        Standard deviations of published scores, which come without them.
    adjust : {"bh", "holm"}
        Adjustment for all gaps of one breakdown of an organisation and period.
    minimum_base : int, optional
        Smallest base that is shown, of extracts; the survey's own when left out.

    Returns
    -------
    EqualityGaps
        `.table` has one row per period, organisation, breakdown, group, reference and measure: `indicator`
        (`WRES 6`), `estimate_group`, `estimate_reference`, `base_group`, `base_reference`, `gap` (the group
        less the reference, in points or on the scale of the score), `ratio` (the group over the reference),
        `std_error`, `df`, `statistic`, `conf_low`, `conf_high` (95 %, of the gap), `p_value`, `p_adjusted`,
        `verdict` (whose experience is worse), `benchmark_gap` (the median of the benchmark group's gaps),
        `benchmark_low`, `benchmark_high` (its quartiles), `benchmark_organisations`, `status`.

    Raises
    ------
    UnknownNameError
        When there is no such breakdown, organisation, measure or adjustment.
    ResultsError
        When it is given none of these, two surveys, or nothing that has two groups.

    Notes
    -----
    Percentages: the interval is the score test turned round (Mee 1984), scores: t; both rest on the standard
    errors of the results, so on whatever design they carry (`culture_metrics.compare.difference`). The two
    groups are taken as different people, chosen apart. Only what results show is used: where either group is
    held back there is no gap, nor either figure. An indicator made of two questions is held back where
    either of these is. The ratio is not part of the standards for these indicators.

    Official figures without a base have a gap and a ratio, and no interval.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> gaps = equality_gaps(cm.synthetic.respondents(2024, respondents_per_organisation=600))
    >>> gaps.table.filter(indicator="WRES 6")["group"].item()
    'Staff from all other ethnic groups combined'
    """
    if adjust not in ADJUSTMENTS:
        raise unknown("adjustment", adjust, ADJUSTMENTS)
    parts = parts_of(given)
    surveys = sorted({s for p in parts if (s := survey_of(p)) is not None})
    if len(surveys) != 1:
        raise ResultsError(
            "Gaps are of one survey", where="equality_gaps", got=" and ".join(surveys) or "no results"
        )
    survey, said = catalogue(surveys[0]), equality_of(surveys[0])
    words = {k: v for p in parts for k, v in _words(p).items()}
    names = {_id(n, survey, words): two for n, two in _two_each(pairs).items()}
    by = (by,) if isinstance(by, str) else by
    wanted = None if by is None and not names else list(dict.fromkeys([*map(str, by or ()), *names]))
    assumed = assumed_of(assumptions)
    figures = _once([*zip(parts, figures_of_each(parts, wanted, minimum_base), strict=True)])
    gaps = _gaps(figures, survey, said, wanted, names, words, assumed)
    books = _books(parts if published is None else published)
    benchmarks = [
        _gaps(figures_of(b, wanted, None), survey, said, wanted, names, words, assumed).join(
            b.organisations.sort("period", descending=True)
            .select("organisation", "benchmark_group")
            .drop_nulls()
            .unique("organisation", keep="first"),
            on="organisation",
            how="left",
        )
        for b in books
    ]
    gaps = _measured(gaps, (measures,) if isinstance(measures, str) else measures, survey, said)
    if organisation is not None and gaps.height:
        known = gaps["organisation"].unique().sort()
        if organisation not in known:
            raise unknown("organisation in these results", organisation, known)
        gaps = gaps.filter(organisation=organisation)
    if gaps.is_empty():
        raise ResultsError(
            "There are no two groups to set side by side",
            where="equality_gaps",
            hint="Give an extract, estimate(extract, by=[…]), or a workbook that has groups.",
        )
    family = ("survey", "organisation", "period", "breakdown", "source", "weighting")
    gaps = adjust_p(gaps.with_columns(why_not=pl.lit(None, pl.String)), adjust, family)
    gaps = _beside_benchmark(gaps, benchmarks, books).with_columns(_verdict())
    order = ["organisation", "place", "breakdown", "group", "order", "measure", "period", "source"]
    notes = _notes(gaps, said, adjust)
    return EqualityGaps(
        table=gaps.sort(order).select(TABLE), survey=survey.id, notes=tuple(notes), adjust=adjust, names=words
    )


def _two_each(pairs: object) -> Mapping[str, tuple[str, str]]:
    """Return the pairs that were asked for.

    Raises
    ------
    ResultsError
        When they are no mapping of breakdowns to two groups each.
    """
    given = pairs or {}
    if not isinstance(given, Mapping) or any(isinstance(two, str) or len(two) != 2 for two in given.values()):
        raise ResultsError(
            "Pairs are two groups for each breakdown",
            where="equality_gaps(pairs=)",
            hint='Give {"gender": ("Female", "Male")}: the group, then the reference.',
        )
    return given


def _release(part: Source) -> str | None:
    return str(part.provenance.get("release", part.period)) if isinstance(part, Published) else None


def _once(parts: Sequence[tuple[Source, pl.DataFrame]]) -> pl.DataFrame:
    """Return the figures of all parts; of published ones each year from the newest release that holds it.

    Raises
    ------
    ResultsError
        When others hold one figure twice.
    """
    frame = pl.concat(
        figures.with_columns(pl.lit(_release(part), pl.String).alias("release")) for part, figures in parts
    )
    # Both groups from one release: each weights anew.
    newest = pl.col("release").max().over(KEY)
    frame = frame.filter(pl.col("release").is_null() | (pl.col("release") == newest)).drop("release")
    twice = frame.filter(frame.select(*KEY, "group").is_duplicated()) if len(parts) > 1 else frame.clear()
    if twice.height:
        raise ResultsError(
            f"Two of what was given hold results of {together(twice['period'].unique().sort())}",
            where="equality_gaps",
            hint="Give each year of an organisation once.",
        )
    return frame


def _words(part: Source) -> dict[str, str]:
    if isinstance(part, Extract):
        return part.words
    return {**part.names} if isinstance(part, Results) else {}


def _id(name: str, survey: Survey, words: Mapping[str, str]) -> str:
    """Return the id of a breakdown by any of its names; its own where the catalogue has none."""
    known = [*words, *dict.fromkeys(b for edition in survey for b in edition.breakdowns)]
    for edition in reversed(list(survey)):
        if (found := breakdown_among(known, name, edition, words)) in known:
            return found
    return name


def _books(given: Published | Sequence[Source]) -> list[Published]:
    many = [given] if isinstance(given, Published) else given
    return sorted((one for one in many if isinstance(one, Published)), key=_newest, reverse=True)


def _newest(book: Published) -> tuple[str, str]:
    return str(book.period), str(_release(book))


def _gaps(
    figures: pl.DataFrame,
    survey: Survey,
    said: Equality,
    by: Sequence[str] | None,
    pairs: Mapping[str, tuple[str, str]],
    words: Mapping[str, str],
    assumptions: Assumptions,
) -> pl.DataFrame:
    """Put groups beside their references and test the difference."""
    wanted = said.breakdowns if by is None else [_id(name, survey, words) for name in by]
    figures = figures.filter(pl.col("breakdown").is_in(list(wanted)))
    exact = with_precision(figures, survey.score_range)
    two = _two(exact, said, wanted, pairs)
    ends = {
        end: exact.select(
            *KEY, pl.col("group").alias(name), *(pl.col(f).alias(f"{f}_{end}") for f in FIGURES)
        )
        for end, name in ENDS.items()
    }
    alone = {(s.breakdown, i.measure) for s in said.standards for i in s.indicators if i.one_group}
    spread = {m: assumptions.sd(m) for m in exact["measure"].unique()}
    both = (
        ends["to"]
        .join(two, on=["organisation", "breakdown", "source", "group"])
        .join(ends["from"], on=[*KEY, "reference"], how="left")
        .with_columns(pl.col("weighting").alias(f"weighting_{end}") for end in ENDS)
    )
    states = [pl.col(f"status_{end}").cast(pl.String) for end in ENDS]
    one = pl.concat_str("breakdown", pl.lit("\n"), "measure").is_in([f"{b}\n{m}" for b, m in alone])
    hidden = pl.any_horizontal(s.is_in(HIDDEN_STATUSES) for s in states)
    shown = (
        pl.when(one)
        .then(states[1] == "reported")
        .otherwise(pl.all_horizontal((s == "reported").fill_null(value=False) for s in states))
    )
    status = (
        pl.when("shown")
        .then(pl.lit("reported"))
        .when(pl.when(one).then(states[1].is_in(HIDDEN_STATUSES)).otherwise(hidden))
        .then(pl.lit("suppressed"))
        .otherwise(pl.coalesce(pl.when(states[1] != "reported").then(states[1]), states[0]))
    )
    score = pl.col("unit").cast(pl.String) == "score"
    low, high = survey.score_range
    numbers = [f"{f}_{end}" for end in ENDS for f in FIGURES if f != "status"]
    ready = (
        both.with_columns(shown=shown.fill_null(value=False))
        .with_columns(status=status.cast(pl.Enum(STATUSES)))
        .filter(pl.col("status").is_in(["reported", "suppressed"]))
        .with_columns(pl.when("shown").then(pl.col(n)).alias(n) for n in numbers)
        .with_columns(column for end in ENDS for column in end_of(end, spread, assumptions))
        .with_columns(pl.coalesce(f"std_error_{end}", own_error(end)).alias(f"se_{end}") for end in ENDS)
        .with_columns(
            covariance=pl.lit(0.0),
            allowance=pl.lit(0.0),
            material=pl.lit(1.0),
            span=pl.when(score).then(high - low).otherwise(100.0),
            reference=pl.when(~one).then("reference"),
            estimate_from=pl.when(~one).then("estimate_from"),
            base_from=pl.when(~one).then("base_from"),
        )
    )
    named = {f"{f}_{end}": f"{f}_{name}" for end, name in ENDS.items() for f in ("estimate", "base")}
    group, reference = pl.col("estimate_group"), pl.col("estimate_reference")
    return (
        add_differences(ready)
        .rename(named)
        .with_columns(
            gap=group - reference,
            ratio=pl.when(reference > 0).then(group / reference),
            one_group=one,
        )
    )


def _two(
    figures: pl.DataFrame, said: Equality, by: Sequence[str], pairs: Mapping[str, tuple[str, str]]
) -> pl.DataFrame:
    """Return which groups stand beside which reference, by organisation, breakdown and source."""
    own = {name: pairs.get(name) or said.pair(name) for name in by}
    for name, two in pairs.items():
        known = figures.filter(breakdown=name)["group"].unique().sort()
        shown = figures.filter(status="reported", breakdown=name)["group"].unique().sort()
        for group in two:
            if known.len() and group not in known:
                raise unknown(f"group of {name}", group, shown)
    of = ["organisation", "breakdown", "source"]
    groups = figures.group_by(*of, "group").agg(
        last=pl.col("period").max(),
        base=pl.col("base").filter(pl.col("period") == pl.col("period").max()).max(),
    )
    largest = (
        groups.drop_nulls("base")
        .sort("last", "base", "group", descending=[True, True, False])
        .group_by(of, maintain_order=True)
        .agg(largest=pl.col("group").first())
    )
    chosen = pl.DataFrame(
        [(name, *two) for name, two in own.items()],
        schema={"breakdown": pl.String, "only": pl.String, "given": pl.String},
        orient="row",
    )
    return (
        groups.join(chosen, on="breakdown")
        .join(largest, on=of, how="left")
        .with_columns(reference=pl.coalesce("given", "largest"))
        .filter(
            pl.col("reference").is_not_null(),
            pl.col("group") != pl.col("reference"),
            pl.col("only").is_null() | (pl.col("only") == pl.col("group")),
        )
        .select(*of, "group", "reference")
    )


def _measured(
    gaps: pl.DataFrame, measures: Sequence[str] | None, survey: Survey, said: Equality
) -> pl.DataFrame:
    """Keep the measures wanted, and say what they are."""
    items = {i.measure for s in said.standards for i in s.indicators}
    known = {
        m.id: (m.label, m.direction, i) for edition in survey for i, m in enumerate(edition.measures.values())
    }
    for made in said.made.values():
        known[made.measure] = (str(made.label), known[made.any_of[0]][1], known[made.any_of[0]][2])
    if measures is None:
        wanted = items | {m for edition in survey for m in edition.leading}
    else:
        printed = {str(i.label).casefold(): name for name, i in said.made.items()}
        wanted = {
            name if name in said.made else printed.get(name.casefold()) or survey.newest.measure(name).id
            for name in measures
        }
    named = pl.DataFrame(
        [(name, *about) for name, about in known.items()],
        schema={"measure": pl.String, "label": pl.String, "direction": pl.String, "order": pl.Int64},
        orient="row",
    )
    indicators = pl.DataFrame(
        [(s.breakdown, s.group, i.measure, "none", i.name) for s in said.standards for i in s.indicators],
        schema=dict.fromkeys(["breakdown", "group", "measure", "weighting", "indicator"], pl.String),
        orient="row",
    )
    places = {name: i for i, name in enumerate(said.breakdowns)}
    rank = {i.name: n for n, i in enumerate(i for s in said.standards for i in s.indicators)}
    return (
        gaps.filter(pl.col("measure").is_in(sorted(wanted)))
        .join(named, on="measure")
        .with_columns(pl.col("weighting").cast(pl.String))
        .join(indicators, on=["breakdown", "group", "measure", "weighting"], how="left")
        .with_columns(
            place=pl.col("breakdown").replace_strict(places, default=len(places), return_dtype=pl.Int64),
            order=pl.col("indicator")
            .replace_strict(rank, default=None, return_dtype=pl.Int64)
            .fill_null(100 + pl.col("order")),
        )
        # Only of the two groups of its standard; of others it is the item of a question.
        .filter(~pl.col("one_group") | pl.col("indicator").is_not_null())
    )


def _beside_benchmark(
    gaps: pl.DataFrame, benchmarks: list[pl.DataFrame], books: list[Published]
) -> pl.DataFrame:
    """Add the gap of the benchmark group: the median of its organisations' gaps; else that of the country."""
    empty = [pl.lit(None, pl.Float64).alias(f"benchmark_{n}") for n in ("gap", "low", "high")]
    none = [pl.lit(None, pl.String).alias("benchmark"), *empty]
    count = pl.lit(None, pl.UInt32).alias("benchmark_organisations")
    if not benchmarks:
        return gaps.with_columns(*none, count)
    # The newest release first: a year that two hold counts once.
    every = pl.concat(benchmarks, how="diagonal").drop_nulls("gap")
    every = every.unique(["organisation", *GAP], keep="first", maintain_order=True)
    listed = pl.concat(b.organisations.select("organisation", "benchmark_group") for b in books)
    of_group = (
        every.drop_nulls("benchmark_group")
        .group_by(*GAP, pl.col("benchmark_group").alias("benchmark"))
        .agg(
            benchmark_gap=pl.col("gap").median(),
            benchmark_low=pl.col("gap").quantile(0.25, "linear"),
            benchmark_high=pl.col("gap").quantile(0.75, "linear"),
            benchmark_organisations=pl.col("organisation").n_unique().cast(pl.UInt32),
        )
    )
    national = every.filter(organisation=ALL).group_by(GAP).agg(national_gap=pl.col("gap").first())
    joined = (
        gaps.join(
            listed.drop_nulls().unique("organisation", keep="first").rename({"benchmark_group": "benchmark"}),
            on="organisation",
            how="left",
        )
        .join(of_group, on=[*GAP, "benchmark"], how="left")
        .join(national, on=GAP, how="left")
    )
    country = pl.col("benchmark_gap").is_null() & pl.col("national_gap").is_not_null()
    country &= pl.col("organisation") != ALL
    known = pl.col("benchmark_gap").is_not_null()
    return joined.with_columns(
        benchmark=pl.when(country).then(pl.lit("All organisations")).when(known).then("benchmark"),
        benchmark_gap=pl.when(country).then("national_gap").otherwise("benchmark_gap"),
    )


def _verdict() -> pl.Expr:
    """Expression: whose experience is worse, by the adjusted p, else by the interval of this gap alone."""
    good = turned("gap")
    side = pl.when(good < 0).then(pl.lit("worse")).otherwise(pl.lit("better"))
    sided = pl.when(pl.col("direction") == "neutral").then(pl.lit("differs")).otherwise(side)
    return (
        pl.when(pl.col("status") != "reported")
        .then(pl.lit("not shown"))
        .when(pl.col("gap").is_null())
        .then(pl.lit("one group"))
        .when(pl.col("p_value").is_null())
        .then(pl.lit("not tested"))
        .when(pl.col("p_adjusted") < ALPHA)
        .then(sided)
        .when(pl.col("p_value") < ALPHA)
        .then(pl.format("likely {}", sided))
        .otherwise(pl.lit(NO_GAP))
        .alias("verdict")
    )


def _notes(gaps: pl.DataFrame, said: Equality, adjust: str) -> list[str]:
    there = gaps["measure"].unique()
    notes = [
        "A gap is the group less the reference.",
        f"Worse and better allow for all gaps of one breakdown, organisation and period "
        f"({ADJUSTMENTS[adjust]}); likely worse and likely better rest on the interval of one gap alone. The "
        "two groups are taken as different people, chosen apart.",
    ]
    notes += [
        f"{i.name}: {i.unconfirmed}" for i in said.made.values() if i.unconfirmed and i.measure in there
    ]
    for standard in said.standards:
        own = gaps.filter(breakdown=standard.breakdown)
        gone = [i.name for i in standard.indicators if i.measure not in own["measure"]]
        if own.height and gone:
            notes.append(
                f"Not in what was given: {', '.join(gone)}. An indicator of two questions takes an extract, "
                "or the ready columns of a benchmark workbook."
            )
    hidden = gaps.filter(status="suppressed").height
    if hidden:
        notes.append(f"{several(hidden, 'gap')} not shown: one of the two groups is held back.")
    untested = gaps.filter(verdict="not tested").height
    if untested:
        notes.append(f"{several(untested, 'gap')} without an interval: no base stands beside the figures.")
    return notes
