"""A heat map as an HTML table: it is read, searched, sorted and printed, and works without script."""

from __future__ import annotations

import html
from functools import cache
from itertools import count, groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.views import maps, style
from culture_metrics.views.heat_map import coloured
from culture_metrics.wording.numbers import MINUS, fixed, held_back, sentences, signed
from culture_metrics.wording.table import BREAK, HELD, NOT_AVAILABLE, SHORTHAND
from culture_metrics.wording.verdicts import LIKELY, SAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from culture_metrics.wording.heat import Reading

ABOVE, BELOW = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
FILES = Path(__file__).parent / "heat_table_page"
_NUMBERS = count(1)


def shade(apart: float, limit: float) -> str:
    """Return the colour of a difference from the whole organisation, as the drawn map has it.

    Examples
    --------
    >>> shade(0.4, 0.4), shade(0.0, 0.4), shade(-0.2, 0.4)
    ('#6BACE6', '#F5F5F5', '#F4B08D')
    """
    stops = [(at, [int(code[i : i + 2], 16) for i in (1, 3, 5)]) for at, code in style.DIVERGING]
    place = min(max((apart / limit + 1) / 2, 0.0), 1.0)
    (start, low), (end, high) = next(pair for pair in pairwise(stops) if place <= pair[1][0])
    share = (place - start) / (end - start)
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(low, high, strict=True))


@cache
def heat_style() -> str:
    """Return the styles of such tables: once on a page."""
    return (FILES / "heat_table.css").read_text(encoding="utf-8")


@cache
def heat_script() -> str:
    """Return the script that adds search and sorting to every such table on a page that has none yet."""
    return (FILES / "heat_table.js").read_text(encoding="utf-8")


def with_cells(table: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Add to the table of a `HeatTable` what is drawn of a cell.

    `apart` is its difference from the whole, null where that is not coloured; `text` is the number and
    `verdict` what it says of a change; `mark` stands for a number that is not there.
    """
    difference = pl.col("estimate") - pl.col("reference")
    return table.with_columns(
        apart=pl.when((coloured(difference) != 0) & (pl.col("group") != ALL)).then(difference),
        difference=pl.when(pl.col("group") != ALL).then(difference),
        text=fixed("estimate", unit).str.strip_suffix("%"),
        verdict=pl.lit(""),
        mark=pl.when(held_back()).then(pl.lit(HELD)).otherwise(pl.lit(NOT_AVAILABLE)),
    )


def heat_table(  # noqa: PLR0913
    cells: pl.DataFrame,
    *,
    breakdown: str,
    name: str,
    around: str,
    title: str,
    subtitle: str,
    source: str,
    unit: str,
    limit: float,
    order: str,
    reading: Reading,
    moved: Mapping[tuple[str, str], str],
    folded: Sequence[tuple[str, Sequence[str]]],
    alike: Mapping[tuple[str, str], int],
) -> str:
    """Return groups by measures as a part of an HTML page.

    Parameters
    ----------
    cells : polars.DataFrame
        As `HeatTable.cells` gives them, in the order of the page.
    breakdown, name, around : str
        Id of the breakdown, what its groups are called, and what they lie in.
    title, subtitle, source : str
        As on a figure.
    unit : {"score", "percent"}
        Unit of every cell.
    limit : float
        Difference at which the colours end.
    order : str
        What the rows are sorted by, in words.
    reading : Reading
        What numbers and colours say.
    moved : mapping
        (breakdown, group) -> a sentence on what changed in it.
    folded : sequence of (str, sequence of str)
        What is said of groups of which nothing is shown, and the names among them that may be told.
    alike : mapping
        (breakdown, group) -> place in the order in which like groups stand side by side.
    """
    measures = cells.select("measure", "label").unique(maintain_order=True)["label"].to_list()
    rows = [part.to_dicts() for part in cells.partition_by("breakdown", "group", maintain_order=True)]
    bodies = []
    for top, part in groupby(rows, lambda row: _top(row[0], breakdown)):
        lines = [_line(row, top, unit, limit, reading, moved, alike, breakdown) for row in part]
        bodies.append(f"<tbody{' class=cm-whole' if top == (ALL,) else ''}>{''.join(lines)}</tbody>")
    if folded:
        lines = [_folded(said, names, len(measures)) for said, names in folded]
        bodies.append(f"<tbody class=cm-folded>{''.join(lines)}</tbody>")
    head = f"{name}, within {around}" if around else name
    heads = "".join(f"<th scope=col>{html.escape(label)}</th>" for label in measures)
    known = (HELD, NOT_AVAILABLE, BREAK)
    marks = [f"{mark} {SHORTHAND[mark]}." for mark in known if f">{mark}<" in "".join(bodies)]
    notes = [reading.notes(order, ABOVE, BELOW), *marks, f"Source: {source}"]
    label = html.escape(title, quote=True)
    return (
        f'<div class="cm-heat" id="cm-heat-{next(_NUMBERS)}"><style>{heat_style()}</style>'
        f'<div class="cm-scroll" role="group" aria-label="{label}" tabindex="0"><table>'
        f"<caption><strong>{html.escape(title)}.</strong> {html.escape(subtitle)}</caption>"
        f"<thead><tr><th scope=col>{html.escape(head)}</th><th scope=col>Base</th>{heads}</tr></thead>"
        f"{''.join(bodies)}</table></div>"
        f"<p class=cm-key>{_key(limit, reading)}</p><p>{html.escape(sentences(notes))}</p>"
        f"<script>{heat_script()}</script></div>"
    )


def _top(cell: Mapping[str, Any], breakdown: str) -> tuple[str, ...]:
    """Return what holds a row: the whole, the group around it, or nothing."""
    if cell["group"] == ALL:
        return (ALL,)
    around = cell["within"] if cell["breakdown"] == breakdown else cell["group"]
    return () if around is None else (ALL, around)


def _line(
    row: Sequence[Mapping[str, Any]],
    top: tuple[str, ...],
    unit: str,
    limit: float,
    reading: Reading,
    moved: Mapping[tuple[str, str], str],
    alike: Mapping[tuple[str, str], int],
    breakdown: str,
) -> str:
    """Return one row: the group with its summary folded beneath its name, its base and its cells."""
    first = row[0]
    whole = first["group"] == ALL
    outer = not whole and first["breakdown"] != breakdown
    kind = "cm-around" if outer else "cm-inner" if len(top) > 1 else ""
    place = alike.get((first["breakdown"], first["group"]))
    data = "" if place is None else f' data-alike="{place}"'
    name = html.escape(maps.WHOLE if whole else first["group"])
    if not whole:
        said = html.escape(_summary(row, unit, reading, moved.get((first["breakdown"], first["group"]), "")))
        name = f"<details><summary>{name}</summary><p>{said}</p></details>"
    scope = "rowgroup" if outer else "row"
    base = "" if first["group_base"] is None else f"{first['group_base']:,}"
    cells = "".join(_cell(cell, limit, reading) for cell in row)
    return (
        f'<tr class="{kind}"{data}><th scope={scope}>{name}</th>'
        f'<td data-v="{base.replace(",", "")}">{base or NOT_AVAILABLE}</td>{cells}</tr>'
    )


def _cell(cell: Mapping[str, Any], limit: float, reading: Reading) -> str:
    if cell["estimate"] is None:
        return f"<td class=cm-held>{cell['mark']}</td>"
    text = cell["text"]
    value = f' data-v="{text.replace(MINUS, "-").lstrip("+")}"'
    if cell["apart"] is None:
        if cell["verdict"] == SAME:
            text += f"<i aria-hidden=true>=</i><span>, {SAME}</span>"
        elif cell["verdict"] in LIKELY:
            text = f"<em>{text}</em><span>, {cell['verdict']}</span>"
        return f"<td{value}>{text}</td>"
    mark, said = (ABOVE, reading.above) if cell["apart"] > 0 else (BELOW, reading.below)
    return (
        f'<td{value} style="background:{shade(cell["apart"], limit)}">{text}'
        f"<i aria-hidden=true>{mark}</i><span>, {said}</span></td>"
    )


def _summary(row: Sequence[Mapping[str, Any]], unit: str, reading: Reading, moved: str) -> str:
    """Say the base of a group, where it is furthest from the whole, and what changed."""
    shown = sorted((c for c in row if c["difference"] is not None), key=lambda c: c["difference"])
    points = " points" if unit == "percent" else ""
    base = row[0]["group_base"]
    said = [f"Base {base:,}" if base else ""]
    if shown:
        low, high = shown[0], shown[-1]
        sides = [(reading.best, high, high["difference"] > 0)]
        sides.append((reading.worst if len(shown) > 1 else "", low, low["difference"] < 0))
        for words, cell, there in sides:
            if there and words:
                sure = ", beyond chance" if cell["apart"] is not None else ""
                said.append(f"{words}: {cell['label']}, {signed(cell['difference'], unit)}{points}{sure}")
    return sentences([*said, moved])


def _folded(said: str, names: Iterable[str], measures: int) -> str:
    """Return the row of groups of which nothing is shown; what may be named of them is folded."""
    text = html.escape(said)
    if named := ", ".join(names):
        text = f"<details><summary>{text}</summary><p>Among them: {html.escape(named)}.</p></details>"
    marks = f"<td class=cm-held>{HELD}</td>" * (measures + 1)
    return f"<tr><th scope=row>{text}</th>{marks}</tr>"


def _key(limit: float, reading: Reading) -> str:
    """Return the bar of the colours."""
    boxes = "".join(
        f'<b style="background:{shade(apart, limit)}">{text}</b>' for apart, text in reading.steps(limit)
    )
    return f"{reading.key}: {boxes}"
