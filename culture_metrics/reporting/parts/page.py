"""The pages as HTML: what stands on each, put into words, and the templates filled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.names import ENDING
from culture_metrics.reporting.parts import strip
from culture_metrics.reporting.parts.chosen import number_of, plural
from culture_metrics.reporting.parts.stand_out import MOST, most_apart
from culture_metrics.views.heat_map import colour_limit
from culture_metrics.wording.changes import with_unit
from culture_metrics.wording.columns import natural
from culture_metrics.wording.numbers import base_range, held_back, several, shown
from culture_metrics.wording.verdicts import CLEAR, LIKELY, counted

if TYPE_CHECKING:
    from culture_metrics.reporting.parts.material import Material

TEMPLATES = Path(__file__).parent / "templates"
#: Groups inside that a sheet has room for; of more the largest are shown.
ROOM = 16
#: From so many on lines stand closer.
DENSE = 8
SIDES = {1: "above", -1: "below", 0: "no clear gap"}


@dataclass(frozen=True)
class Words:
    """What stands on every page alike."""

    trust: str
    survey: str
    year: str
    before: str | None
    label: str
    #: What one part is called after "this", and after "for each".
    one: str
    each: str
    inner: str | None
    scale: str
    made: str
    version: str
    rule: str
    report: str | None
    benchmark: str | None
    colours: dict[str, str] = field(default_factory=dict)


def environment() -> Any:
    """Return the templates; every text in them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["shown"] = shown
    made.filters["capitalize_first"] = lambda text: f"{text[:1].upper()}{text[1:]}"
    return made


def one_page(material: Material, group: str) -> dict[str, Any]:
    """Return what a page says of a group."""
    edition = material.study.edition
    own = material.apart.filter(group=group)
    rows = material.scores.filter(group=group).sort("order")
    strengths, concerns = (most_apart(own, side, edition) for side in (1, -1))
    inside = _inside(material, group)
    return {
        "group": group,
        "bases": base_range(rows["base"]),
        "rate": material.rates.get(group),
        "scores": [_score(material, row) for row in rows.iter_rows(named=True)],
        "not_shown": len(edition.leading) - rows.height,
        "axis": material.axis,
        "strengths": [_apart(row) for row in strengths],
        "concerns": [_apart(row) for row in concerns],
        "fewer": [_fewer(own, strengths, 1), _fewer(own, concerns, -1)],
        "moved": _moved(material, group),
        "inside": inside,
        "dense": bool(inside and len(inside["rows"]) > DENSE),
        "talk": material.talk.picked(strengths, concerns, edition, alike=_alike(own)),
        "strip": strip,
    }


def _score(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    benchmark = None if material.benchmark is None else material.benchmark.median.get(row["measure"])
    return {
        **row,
        "benchmark": benchmark,
        "marks": strip.marks(row, material.axis, benchmark),
        "alt": strip.spoken(row, benchmark, material.words.before),
        "said": SIDES[row["side"]],
    }


def _apart(row: dict[str, Any]) -> dict[str, Any]:
    unit = row["unit"]
    away = with_unit(abs(row["gap"]), unit).lstrip("+")
    return {
        "label": row["label"],
        "meaning": row["meaning"] if unit == "percent" else "",
        "own": shown(row["estimate"], unit),
        "ends": None
        if row["conf_low"] is None
        else f"{shown(row['conf_low'], unit)} to {shown(row['conf_high'], unit)}",
        "rest": shown(row["rest"], unit),
        "away": f"{away} {'above' if row['gap'] > 0 else 'below'}",
        "lower": row["direction"] == "lower",
    }


def _fewer(own: pl.DataFrame, told: list[dict[str, Any]], side: int) -> str | None:
    """Say that fewer than three stand out, where it is so, or that nothing was tested.

    Of leading scores alone it is said where they stand: above, with those that are clear.
    """
    if own["p_value"].is_not_null().sum() == 0:
        return "Nothing could be tested against the rest."
    if len(told) == MOST:
        return None
    what = "more favourable" if side > 0 else "less favourable"
    beyond = f"{what} than in the rest beyond chance"
    more = own.filter(pl.col("side") == side).height > len(told)
    if not told and more:
        return f"But for scores above nothing is {beyond}."
    if not told:
        return f"Nothing is {beyond}."
    if more:
        return f"What else is {beyond} says the same in other questions."
    return f"Nothing else is {beyond}."


def _alike(own: pl.DataFrame) -> bool:
    """Tell whether something was tested against the rest and nothing differs."""
    return bool(own["p_value"].is_not_null().any()) and not own["side"].is_in([1, -1]).any()


def _moved(material: Material, group: str) -> dict[str, Any]:
    """Say what changed since last year: verdicts, the clear ones in sentences."""
    from culture_metrics.compare.sentences import sentence

    if material.change is None:
        return {"why_not": material.why_no_change, "said": [], "counts": [], "more": 0}
    edition = material.study.edition
    rows = material.change.filter(group=group)
    tested = rows.filter(pl.col("p_value").is_not_null())
    if tested.is_empty():
        why = "held back" if rows.select(held_back().any()).item() else "not there under this name"
        years = f"figures of {material.words.before} or {material.words.year}"
        return {"why_not": f"the {years} are {why}", "said": [], "counts": [], "more": 0}
    leading = pl.col("measure").is_in([*edition.leading])
    verdicts = pl.col("verdict").cast(pl.String)
    moved = tested.filter(verdicts.is_in(CLEAR) | (leading & verdicts.is_in(LIKELY))).sort(
        verdicts.is_in(CLEAR).not_(),
        leading.not_(),
        pl.col("standardised_difference").abs() * -1,
        nulls_last=True,
        maintain_order=True,
    )
    told, asked = [], set[str]()
    for place, measure in enumerate(moved["measure"]):
        questions = {*edition.questions_of(measure)}
        if measure in edition.leading or not questions & asked:
            told.append(place)
            asked |= questions
        if len(told) == MOST:
            break
    # Without its name in each sentence: the page is of this group.
    said = moved[told].with_columns(group=pl.lit(ALL)).select(sentence()).to_series().to_list()
    of = rows.filter(leading)
    hidden = of.select(held_back().sum()).item()
    numbers = dict(of.filter(~held_back()).select(verdicts.value_counts()).unnest("verdict").iter_rows())
    counts = counted(numbers) + ([f"{hidden} held back"] if hidden else [])
    return {
        "why_not": None,
        "said": said,
        "counts": [f"of {several(of.height, 'leading score')} {', '.join(counts)}"] if counts else [],
        "more": moved.filter(verdicts.is_in(CLEAR)).height - moved[told].filter(verdicts.is_in(CLEAR)).height,
    }


def _inside(material: Material, group: str) -> dict[str, Any] | None:
    """Return the groups inside as a small heat table; hidden ones are counted."""
    if material.inner is None or material.words.inner is None:
        return None
    lies = material.lies.filter(parent=group)
    mine, also = lies["group"], dict(lies.select("group", "also").iter_rows())
    table = material.inner.filter(pl.col("group").is_in(mine.implode()))
    label = material.words.inner
    seen = (
        table.group_by("group", maintain_order=True)
        .agg(pl.col("group_base").max(), shown=pl.col("estimate").is_not_null().any())
        .filter("shown")
    )
    hidden = int(material.hidden.filter(pl.col("group").is_in(mine.implode())).height)
    if seen.is_empty() and not hidden:
        return None
    largest = seen.sort("group_base", descending=True, maintain_order=True).head(ROOM)["group"]
    rows = []
    kept = table.filter(pl.col("group").is_in(largest.implode())).sort(natural("group"), maintain_order=True)
    for (name,), part in kept.group_by("group", maintain_order=True):
        cells = {row["measure"]: _cell(row, material.limit) for row in part.iter_rows(named=True)}
        rows.append(
            {"group": str(name), "base": part["group_base"].max(), "cells": cells, "also": also.get(name)}
        )
    least = material.study.rule.minimum_base
    return {
        "columns": material.columns,
        "whole": material.whole,
        "rows": rows,
        "hidden": f"{number_of(hidden, label)} with fewer than {least}{ENDING}" if hidden else None,
        "more": number_of(seen.height - len(rows), label) if seen.height > len(rows) else None,
        "title": plural(label)[:1].upper() + plural(label)[1:],
    }


def _cell(row: dict[str, Any], limit: float) -> dict[str, Any]:
    """Return one number of the table, and how strong its colour is: from -1 to 1, 0 where not clear."""
    if row["estimate"] is None:
        return {"text": None, "shade": 0.0, "word": "not shown"}
    away = row["estimate"] - row["reference"] if row["reference"] is not None else 0.0
    shade = max(-1.0, min(1.0, away / limit)) if row["clear"] else 0.0
    word = "" if not row["clear"] else "above" if away > 0 else "below"
    return {"text": shown(row["estimate"], "score"), "shade": round(shade, 2), "word": word}


def limit_of(table: pl.DataFrame | None) -> float:
    """Return the difference at which colours end, the same on all pages."""
    return 1.0 if table is None else colour_limit(table)
