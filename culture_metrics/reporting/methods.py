"""The methods of one report: the definitions and caveats that apply to it, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.compare.families import ADJUSTMENTS
from culture_metrics.compare.frameworks import frameworks
from culture_metrics.compare.pulse import LARGEST_RANGE, LIMIT
from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsError
from culture_metrics.results.tables import catalogued, people
from culture_metrics.study.equality import REFUSED
from culture_metrics.wording.numbers import DECIMALS, several
from culture_metrics.wording.table import Table
from culture_metrics.wording.verdicts import KNOWN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from culture_metrics.study.study import Study

#: What each way of weighting is, as far as a report shows it.
WEIGHTED = {
    "none": "Figures of the respondent file count every person once: nothing is weighted.",
    "occupation_group": "Published figures are weighted to the occupation mix of the benchmark group.",
    "occupation_group_and_size": "Published figures are weighted to the occupation mix of the benchmark "
    "group and to the size of organisations.",
    "size": "Published figures are weighted to the size of organisations.",
    "as_published": "Published figures are weighted as the release has them; it does not say how.",
}
#: How each kind of 95 % interval is made.
INTERVALS = {
    "t": "Intervals of scores: Student's t, from the spread of the answers.",
    "wilson": "Intervals of percentages: Wilson's, which stay within 0 and 100.",
    "logit": "Intervals of weighted percentages: t on the logit scale.",
}


class Part(NamedTuple):
    """A heading, sentences beneath it, and a table where there is one."""

    heading: str
    sentences: tuple[str, ...]
    table: Table | None = None


def methods(study: Study, chosen: Collection[str], *, every: bool) -> list[Part]:
    """Return what applies to a report on a study, part by part; a part of which nothing applies is left out.

    Parameters
    ----------
    study : Study
        What was read.
    chosen : collection of str
        Notebooks that are on the page: what is said only in others is not explained.
    every : bool
        List every measure; else those that stand first in the survey.
    """
    parts = [
        Part("What is measured", tuple(_measured(study)), _measures(study, every=every)),
        Part("Weighting", tuple(_weighted(study))),
        Part("How sure a figure is", tuple(_intervals(study))),
        Part("What counts as a change", tuple(_verdicts(study))),
        Part("What may not be compared", (), _breaks(study)),
        Part("How parts and groups are named on the first screen", tuple(_named(study))),
        Part("Gaps between groups of staff", tuple(_gaps(study, chosen))),
        Part("Peers, ranks and oversight", tuple(_standing(study))),
        Part("Run charts of the pulse", tuple(_run_charts(study, chosen))),
        Part("Frameworks", tuple(_frameworks(study, chosen))),
        Part("Known faults and provisional figures", tuple(_faults(study))),
    ]
    return [part for part in parts if part.sentences or part.table is not None]


def _measured(study: Study) -> Iterator[str]:
    survey = study.edition.survey
    if survey.about:
        yield survey.about
    yield f"A score runs from {survey.range_words}; higher is better."
    yield "A percentage is a share of valid answers."
    yield "The base is the number of people behind a figure, not weighted."


def _measures(study: Study, *, every: bool) -> Table | None:
    """List the measures of the year with what they are and how many answered, own and published."""
    edition = study.edition
    first = [*edition.leading, edition.headline, edition.measure(edition.default_question).id]
    own = pl.col("organisation") == study.organisation
    whole = pl.concat([study.results.table, *(p.results.table.filter(own) for p in study.published)]).filter(
        breakdown=ALL, period=study.year
    )
    if not every:
        whole = whole.filter(pl.col("measure").is_in(first))
    if whole.is_empty():
        return None
    source = {"respondents": "Base, own file", "published": "Base, published"}
    bases = (
        whole.with_columns(people("base"), pl.col("source").cast(pl.String).replace(source))
        .unique(["measure", "source"], maintain_order=True)
        .pivot("source", index="measure", values="base")
    )
    frame = (
        bases.join(catalogued(edition), on="measure")
        .sort("order")
        .select(
            pl.col("label").alias("Measure"),
            pl.col("meaning").alias("What it is"),
            *(name for name in source.values() if name in bases.columns),
        )
    )
    numbers = tuple(name for name in source.values() if name in frame.columns)
    which = "all measures" if every else "measures that stand first"
    return Table(frame, f"{study.name}, {study.edition.survey.named(study.year)}: {which}", numbers=numbers)


def _used(study: Study) -> pl.DataFrame:
    own = pl.col("organisation") == study.organisation
    return pl.concat([study.results.table, *(p.results.table.filter(own) for p in study.published)])


def _weighted(study: Study) -> Iterator[str]:
    kinds = _used(study).select("source", pl.col("weighting").cast(pl.String)).unique().sort(pl.all())
    published = kinds.filter(source="published")["weighting"]
    if "respondents" in kinds["source"].cast(pl.String):
        yield WEIGHTED["none"]
    if "none" in published:
        yield f"{'Published' if len(published) == 1 else 'Some published'} figures are not weighted."
    yield from (WEIGHTED[kind] for kind in published if kind != "none" and kind in WEIGHTED)
    if study.published and study.extracts:
        yield (
            "Own and published figures of one year differ a little, because one is weighted and the other "
            "is not. Years are compared on the own file alone."
        )


def _intervals(study: Study) -> Iterator[str]:
    kinds = _used(study)["interval"].drop_nulls().cast(pl.String).unique()
    yield "A 95% interval says how far chance alone may have moved a figure."
    yield "It says nothing of those who did not answer, who may think otherwise."
    yield from (said for kind, said in INTERVALS.items() if kind in kinds)
    if study.workbook:
        yield f"{study.benchmark().rules()[0].rstrip('.')}."


def _verdicts(study: Study) -> Iterator[str]:
    """Say the verdicts that occur, the margins, and what was assumed of the years."""
    if not study.extracts or study.why_no_change:
        return
    change = study.compare_years()
    there = change.table["verdict"].cast(pl.String).unique()
    for verdict in KNOWN:
        if verdict.name in there:
            yield f"{verdict.name.capitalize()}: {verdict.meaning.removesuffix('.')}."
    for unit, low, high in (
        change.table.drop_nulls("material").group_by("unit", maintain_order=True)
        .agg(pl.col("material").min().alias("low"), pl.col("material").max().alias("high")).iter_rows()
    ):  # fmt: skip
        places, what = DECIMALS[str(unit)], "points" if str(unit) == "percent" else "of a score"
        size = f"{low:.{places}f}" if round(low, places) == round(high, places) else (
            f"{low:.{places}f} to {high:.{places}f}"
        )  # fmt: skip
        yield f"Margin of no material change: {size} {what}, by the number of people."
    yield from (note if note.endswith(".") else f"{note}." for note in change.rules())


def _breaks(study: Study) -> Table | None:
    """List the measures of the whole organisation that may not be compared, reason by reason."""
    if not study.extracts or study.why_no_change:
        return None
    found = study.compare_years().not_comparable()
    return None if found.frame.is_empty() else found


def _named(study: Study) -> Iterator[str]:
    kinds = {line.kind for line in study.stands_out().lines}
    said = [line.sentence for line in study.stands_out().lines]
    if "changed" in kinds and any(text.startswith("By ") for text in said):
        yield (
            "A group is named where it changed beyond chance and otherwise than the rest, all groups and "
            "leading scores of a breakdown allowed for (Benjamini-Hochberg, 5%): no small group leads by "
            "luck. How far is its own change, as in the tables; which of its scores is furthest is judged by "
            "changes drawn towards that of all groups as far as the group's own is uncertain."
        )
    if "inside" in kinds:
        yield (
            "A part is named where its score is beyond chance from that of the whole, all groups and leading "
            "scores of a breakdown allowed for (Benjamini-Hochberg, 5%)."
        )
    if any(text.startswith("Likely falls") for text in said):
        yield (
            "Likely falls: of each group the clearest of its leading scores, allowed for how many they are; "
            "then all groups of a breakdown together, so that one in five of those named is expected to be "
            "chance."
        )
    if any(text.startswith("To ask how") for text in said):
        yield (
            "Who to ask: organisations of the benchmark group whose score is above what size, region, "
            "occupation, age and ethnicity mix predict, beyond chance. The reason stands in no file."
        )
    if "response" in kinds:
        yield (
            "The response rate is of the headcounts that were given; its interval is Wilson's. Those who did "
            "not answer may think otherwise."
        )


def _gaps(study: Study, chosen: Collection[str]) -> Iterator[str]:
    if "05_equality" not in chosen:
        return
    gaps = study.equality_gaps()
    yield from gaps.rules()
    if gaps.table["benchmark_gap"].is_not_null().any():
        yield "The gap of the benchmark group is the median of the gaps of its organisations."
    if gaps.adjust in ADJUSTMENTS and gaps.table["indicator"].is_not_null().any():
        yield "Indicators of WRES and WDES are as the standards have them, unweighted."


def _standing(study: Study) -> Iterator[str]:
    if study.workbook is None:
        return
    found = study.benchmark()
    yield (
        f"The benchmark group is {found.group}; its average is the median, as in the official reports. "
        "Organisations with equal figures share the better rank."
    )
    yield from (f"{text.rstrip('.')}." for text in found.rules()[1:])
    if not isinstance(study.overseen, str):
        yield f"{study.overseen.rules()[0].rstrip('.')}."
    yield "A position in a group is no test: small distances can be chance."


def _frameworks(study: Study, chosen: Collection[str]) -> Iterator[str]:
    if "06_leadership_frameworks" not in chosen:
        return
    here = frameworks().table.filter(survey=study.edition.survey.id)
    yield (
        "A framework sorts measures of the survey under its dimensions. A measure may serve several, so that "
        "dimensions are not added up or ranked."
    )
    yield f"{several(here.height, 'framework')} can be read with this survey."


def _run_charts(study: Study, chosen: Collection[str]) -> Iterator[str]:
    """Say the rules, how often they are wrong, and what quarters of two sources are."""
    of = study.of_quarters
    if "11_pulse" not in chosen or of is None:
        return
    yield (
        f"Limits stand {LIMIT} mean moving ranges from the mean of all quarters (an XmR chart). More than "
        "chance is a point outside them, seven in a row on one side of the mean, seven in a row rising or "
        "falling, or two of three near a limit, as NHS England's Making Data Count has it."
    )
    yield (
        "A moving range is the step from a quarter to the next one of the survey, none across a gap. "
        f"Steps of more than {LARGEST_RANGE} times their mean are left out of the limits, not of the mean."
    )
    yield (
        "Where nothing but chance is at work one chart in eleven of fifteen quarters shows such a pattern "
        "somewhere (2,000 made-up series); of several charts more do."
    )
    yield (
        "Limits come from how quarters differ from each other. Who answers is another choice of people each "
        "time, and a change of those is in no chart."
    )
    if of.extracts and of.published:
        yield "Of a quarter that both a respondent file and a published workbook have, the file is charted."
    if study is not of:
        yield (
            f"The {of.edition.survey.label} is another survey than the annual one, and its level is not set "
            "beside that."
        )


def _faults(study: Study) -> Iterator[str]:
    for published in study.published:
        yield from (f"{published.period}: {text}" for text in published.provenance.get("faults", ()))
    editions = {source.edition.period: source.edition for source in study.sources}
    for period, edition in sorted(editions.items()):
        if edition.provisional:
            yield f"Every number of {period} is provisional: {edition.provisional}."


def has_frameworks(study: Study) -> bool:
    """Tell whether a framework of the package is read with the survey of a study."""
    return frameworks().table.filter(survey=study.edition.survey.id).height > 0


def why_no_gaps(study: Study) -> str:
    """Return why no gaps between groups of staff can be shown; empty where they can."""
    try:
        gaps = study.equality_gaps()
    except CultureMetricsError as error:
        if error.what == REFUSED:
            return "no gap may be shown beside the other results"
        return "the files have no results by group of staff"
    return "" if gaps.table["gap"].is_not_null().any() else "no gap between two groups may be shown"
