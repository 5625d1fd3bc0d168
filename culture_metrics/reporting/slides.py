"""What a study says first as slides: one message each, native charts and tables, notes to speak from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.benchmark import SAMPLING
from culture_metrics.compare.equality import equality_gaps
from culture_metrics.contract import ALL
from culture_metrics.disclosure.names import is_pooled
from culture_metrics.errors import ResultsError, UnknownNameError
from culture_metrics.reporting.deck import Bars, Grid, Slide, deck
from culture_metrics.results.words import SOURCE, weighed
from culture_metrics.wording.columns import change as change_printed
from culture_metrics.wording.columns import figure, signed
from culture_metrics.wording.numbers import held_back, in_sentence, reach, several
from culture_metrics.wording.periods import period_words
from culture_metrics.wording.table import BREAK, HELD
from culture_metrics.wording.verdicts import BARRED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from culture_metrics.results.heat_table import HeatTable
    from culture_metrics.study.study import Study

#: Rows of a table that can still be read from the back of a room.
ROWS = 9
CHANCE = "A 95% interval shows how far chance alone may have moved a figure."
UNITS = {"score": "points of the score", "percent": "percentage points"}


def write_slides(path: Path, study: Study) -> None:
    """Write the slides of a study.

    Parameters
    ----------
    path : Path
        The .pptx file.
    study : Study
        Everything is of what it shows (`study.results` and what rests on it).

    Notes
    -----
    Titles are the findings in sentences; charts and tables are PowerPoint's own, to be changed there, and
    carry alternative text; what stands behind a figure is in the notes of its slide.
    """
    path.write_bytes(
        deck([*slides(study)], f"Staff survey results of {study.name}, {period_words(study.year)}")
    )


def slides(study: Study) -> Iterator[Slide]:
    """Return the slides that a study has figures for, in the order to speak of them."""
    if study.workbook:
        yield _standing(study)
    elif study.extracts:
        yield _own_scores(study)
    if study.extracts and not study.why_no_change:
        yield from _changes(study)
    if study.workbook:
        yield from _favourable(study)
    if study.extracts and study.by:
        yield from _gaps(study)
        yield from _groups(study)
    yield _how_to_read(study)


def _source(study: Study, rows: pl.DataFrame) -> list[str]:
    """Say base, interval, weighting and source of the figures of a slide."""
    bases = [n for c in rows.columns if c.startswith("base") for n in rows[c].drop_nulls()]
    base = f"Base: {min(bases):,} to {max(bases):,} people." if bases else ""
    where = ""
    if "source" in rows.columns and "weighting" in rows.columns and rows.height:
        kind = str(rows["source"].cast(pl.String)[0])
        where = f"Source: {weighed(SOURCE.get(kind, kind), rows['weighting'])}."
    survey = f"{study.edition.survey.label}, {study.edition.survey.named(study.year)}."
    return [*filter(None, (survey, base, where)), CHANCE, study.rule.words]


def _standing(study: Study) -> Slide:
    """Scores beside the median of the benchmark group."""
    found = study.benchmark()
    first = found.summary().split(". ")[0].removesuffix(".") + "."
    rows = found.table.filter(
        pl.col("level").is_in(study.edition.survey.leading), pl.col("estimate").is_not_null()
    )
    median = f"Median of {several(rows.select(pl.col('organisations').max()).item(), 'organisation')}"
    ranks = ", ".join(
        f"{label} {rank} of {of}"
        for label, rank, of in rows.select("label", "rank", "organisations").iter_rows()
        if rank is not None
    )
    columns = ("label", "estimate", "conf_low", "conf_high", "median")
    said = [
        f"{label}: {own:.2f}{'' if low is None else f' ({low:.2f} to {high:.2f})'}, median {mid:.2f}."
        for label, own, low, high, mid in rows.select(columns).iter_rows()
        if mid is not None
    ]
    ends = rows.select("conf_low", "conf_high").rows()
    return Slide(
        first,
        Bars(
            rows["label"].to_list(),
            {study.name: rows["estimate"].to_list(), median: rows["median"].to_list()},
            ends=ends if rows["conf_low"].is_not_null().any() else (),
        ),
        f"Bar chart of {several(rows.height, 'score')} beside the median of the group. {' '.join(said)}",
        [
            found.summary(),
            f"Ranks: {ranks}.",
            f"Published results of {found.period}, weighted as published. {SAMPLING}.",
            *_source(study, rows),
        ],
        beneath=f"Scores{reach(study.edition.survey.score_range)}. Published results, {found.period}. "
        "Lines: 95% intervals by sampling alone.",
    )


def _own_scores(study: Study) -> Slide:
    rows = _leading(study, study.results.table.filter(period=study.year, breakdown=ALL))
    table = rows.select("label", *(figure(c).fill_null("[c]") for c in ("estimate", "conf_low", "conf_high")))
    from culture_metrics.results.words import from_to

    said = from_to(rows)
    return Slide(
        f"{study.name}: {said}.",
        Grid(("Score", "Score", "Lower 95%", "Upper 95%"), table.rows()),
        f"Table of {several(rows.height, 'score')} with 95% intervals: {said}.",
        _source(study, rows),
    )


def _leading(study: Study, rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the leading scores, in the official order, with their labels."""
    names = [(m, study.edition.measure(m).label) for m in study.edition.leading]
    wanted = pl.DataFrame(names, schema=["measure", "label"], orient="row")
    return wanted.join(rows.drop("label", strict=False), on="measure", how="inner", maintain_order="left")


def _changes(study: Study) -> Iterator[Slide]:
    """Say what changed in the whole, and where inside."""
    change = study.compare_years()
    whole = _leading(study, change.whole().table)
    story = change.story()
    barred = pl.col("verdict").cast(pl.String) == BARRED
    mark = pl.when(held_back()).then(pl.lit(HELD)).when(barred).then(pl.lit(BREAK)).otherwise(pl.lit("[x]"))
    cells = whole.select(
        "label",
        *(figure(c).fill_null("[c]") for c in ("estimate_from", "estimate_to")),
        change_printed().fill_null(mark).alias("difference"),
        pl.format("{} to {}", signed("conf_low"), signed("conf_high")).fill_null(mark).alias("interval"),
        pl.col("verdict").cast(pl.String),
    )
    heads = ("Score", change.from_period, change.to_period, "Change", "95% interval", "Verdict")
    yield Slide(
        story[0],
        Grid(heads, cells.rows()),
        f"Table of {several(whole.height, 'score')} in both years. {story[0]}",
        [*story, *_source(study, whole)],
        beneath="Improved and declined allow for all that was compared; likely ones do not. "
        "[b]: the years may not be compared.",
    )
    inside = [said for said in story[1:] if said.startswith("By ")] or story[1:]
    if inside:
        moved = [said for said in inside if "apart from the rest:" in said]
        title = (
            "Where it came from: " + _first_part(moved[0])
            if moved
            else "No part of the trust moved apart from the rest."
        )
        parts = [name for name in study.by if name in study.words and name in {*change.table["breakdown"]}]
        if parts and moved:
            maps = [change.heat_table(name) for name in parts]
            yield _heat(_outermost(maps), study, title, [*story, *_source(study, change.table)])
            return
        yield Slide(
            title,
            inside[:3],
            "List of what moved apart from the rest, by breakdown.",
            [*story, *_source(study, change.table)],
        )


def _first_part(said: str) -> str:
    """Return what the sentence says of its first group."""
    head, _, rest = said.partition(": ")
    first = rest.split("; ")[0].split(", in it")[0].removesuffix(".")
    return f"{in_sentence(head.removesuffix(', apart from the rest'))}, {first}."


def _favourable(study: Study) -> Iterator[Slide]:
    """Where answers are most and least favourable against the benchmark group."""
    found = study.benchmark()
    table, said = found.most_and_least(5).frame, found.favourable()
    if table.is_empty():
        return
    ends = table.unique("Side", keep="first", maintain_order=True)
    title = ". ".join(
        f"{side.capitalize()}: {label}" for label, side in ends.select("Question", "Side").iter_rows()
    )
    yield Slide(
        f"{title}.",
        Grid(
            ("Question", "Side", found.name, "Median", "Best", "Rank"),
            table.drop("From the median").rows(),
        ),
        f"Table of {several(table.height, 'question')}. {' '.join(said)}",
        [
            *said,
            "Order: distance from the median in standard deviations of the group.",
            *_source(study, found.extremes(5)),
        ],
        beneath="Percentages of answers, against the median of the benchmark group.",
    )


def _gaps(study: Study) -> Iterator[Slide]:
    """Whose experience differs: the gaps that are surest, of each pair of groups the first ones."""
    try:  # of the results that may be seen: nothing here is worked out from answers anew
        gaps = equality_gaps(study.results)
    except (ResultsError, UnknownNameError):
        return
    rows = gaps.table.filter(pl.col("period") == study.year).drop_nulls("gap")
    every = rows.filter(verdict="worse").sort(pl.col("indicator").is_null(), "p_value")
    worse = every.head(ROWS)
    if rows.is_empty():
        return
    title = f"Of {several(rows.height, 'gap')} between groups of staff none is worse beyond chance."
    if worse.height:
        first = worse.row(0, named=True)
        title = (
            f"{first['group']}: {in_sentence(first['label'])} is worse than "
            f"{in_sentence(first['reference'])}, the surest of {several(every.height, 'gap')} for the worse."
        )
    shown = worse if worse.height else rows.sort("p_value").head(ROWS)
    cells = shown.select(
        "label",
        "group",
        figure("estimate_group"),
        figure("estimate_reference"),
        pl.format("{} ({} to {})", signed("gap"), signed("conf_low"), signed("conf_high")),
    )
    yield Slide(
        title,
        Grid(
            ("Indicator", "Group", "Group's figure", "Compared with", "Gap (95% interval)"), cells.rows()
        ).fitting(),
        f"Table of {several(shown.height, 'gap')} between groups of staff. {title}",
        [gaps.summary(), *_source(study, shown)],
        beneath="Verdicts allow for all gaps that were looked at. A gap does not say why it is there.",
    )


def _groups(study: Study) -> Iterator[Slide]:
    """Lay the widest breakdown out as a map: the groups furthest from the whole."""
    here = study.results.table.filter(period=study.year)["breakdown"].unique()
    wanted = [name for name in study.by if name in here]
    if not wanted:
        return
    # The trust's own parts, where it has any.
    own = [name for name in wanted if name in study.words] or wanted
    heat = _outermost([study.results.heat_table(name, period=study.year) for name in own])
    title = f"By {in_sentence(heat.name)}, {heat.title.partition(': ')[2]}."
    yield _heat(heat, study, title, [heat.summary(), *_source(study, heat.table)])


def _outermost(maps: Sequence[HeatTable]) -> HeatTable:
    """Return the map of what others lie in, which is spoken of first; else the first one."""
    return next((one for one in maps if any(other.around == one.name for other in maps)), maps[0])


def _heat(heat: HeatTable, study: Study, title: str, notes: list[str]) -> Slide:
    from culture_metrics.views.heat_table import shade

    seen = pl.col("estimate").is_not_null().any().over("breakdown", "group")
    here = pl.col("breakdown").is_in([ALL, heat.breakdown])
    cells = heat.cells().filter("leading", here).filter(~is_pooled(), seen)
    groups = cells.select("group", "group_base").unique("group", keep="first", maintain_order=True)
    more = groups.height - ROWS
    kept = groups.head(ROWS)
    if more > 0:  # those furthest from the whole, in the order of the map
        far = (
            cells.group_by("group").agg(pl.col("difference").abs().max()).sort("difference", descending=True)
        )
        names = [ALL, *far.filter(pl.col("group") != ALL)["group"].head(ROWS - 1)]
        kept = groups.filter(pl.col("group").is_in(names))
    labels = cells["label"].unique(maintain_order=True).to_list()
    rows, fills = [], {}
    for place, (group, base) in enumerate(kept.iter_rows()):
        line = ["Whole organisation" if group == ALL else group, "[c]" if base is None else f"{base:,}"]
        for at, cell in enumerate(cells.filter(group=group).iter_rows(named=True), 2):
            text = cell["mark"] if cell["estimate"] is None else cell["text"]
            if cell["apart"] is not None:
                fills[place, at] = shade(cell["apart"], heat.limit)
                text += (
                    " \N{BLACK UP-POINTING TRIANGLE}"
                    if cell["apart"] > 0
                    else " \N{BLACK DOWN-POINTING TRIANGLE}"
                )
            line.append(text)
        rows.append(line)
    far_from = "no change" if heat.reading.signed else "it"
    short = (
        f" The {several(ROWS - 1, 'group')} furthest from {far_from}, of {groups.height - 1:,} shown."
        if more > 0
        else ""
    )
    marks = (
        "[c]: held back. [b]: the years may not be compared." if heat.reading.signed else "[c]: held back."
    )
    return Slide(
        title,
        Grid((heat.name, "Base", *labels), rows, fills, bold=(0,), turned=2),
        f"Heat map as a table. {heat.summary()}",
        notes,
        beneath=f"Triangles: {heat.reading.above} or {heat.reading.below}. {marks}{short}",
    )


def _how_to_read(study: Study) -> Slide:
    """Who answered, and how to read the figures."""
    rates = study.response_rates() if study.extracts else None
    whole = (
        rates.frame.filter(pl.col("Breakdown") == "Whole organisation")
        if rates is not None
        else pl.DataFrame()
    )
    own = [e.frame.height for e in study.extracts if e.period == study.year]
    answered = f"{own[0]:,} people answered" if own else "How to read these figures"
    if whole.height:
        row = whole.row(0, named=True)
        rate = f"{row['Response rate']} ({row['95% interval']})"
        answered = f"{row['Answered']} of {row['Staff']} staff answered: {rate}"
    unknown = [] if whole.height or not own else ["The response rate is not known: no headcounts were given."]
    lines = [
        *unknown,
        f"Scores run{reach(study.edition.survey.score_range)}; higher is always better.",
        CHANCE + " It does not allow for those who did not answer.",
        study.rule.words,
        "None of these figures says why something is so.",
    ]
    return Slide(f"{answered}.", lines, "List: how to read the figures.", [*_source(study, pl.DataFrame())])
