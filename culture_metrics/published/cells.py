"""Put the figures of all sheets into grids, and check what the cells hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.published.sheets import as_number, is_hidden
from culture_metrics.published.usual import LOWEST_MEAN, SEVERAL
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.published.bodies import Body, Grid
    from culture_metrics.published.columns import Figure

REPORTED, SUPPRESSED, NOT_ASKED = map(STATUSES.index, ("reported", "suppressed_small_base", "not_asked"))
#: What a cell is.
NUMBER, DASH, BLANK, OTHER = range(4)
#: Official files show nothing of fewer than 10 responses.
PUBLISHED_MINIMUM = 10
#: `at` of a cell that the file does not have: no such row on that sheet.
ABSENT = -1
ROUNDING = 1e-6
#: How far the options of a question may be from 100 % together (a file may have rounded percentages).
TOLERATED_SUM = 1.0


@dataclass(frozen=True)
class Cells:
    """Figures: a row for each, in their order, and a column for whom they are about.

    `at` is the row of `read_rows`, `value` a percentage or score, `base` its base, `status` a number in
    `STATUSES`, `dashes` how many cells with "-" it stands for. Value and base are 0 unless reported.
    """

    at: Grid
    value: Grid
    base: Grid
    status: Grid
    dashes: Grid


def fill_cells(
    bodies: Sequence[Body],
    figures: Sequence[Figure],
    rows: pl.DataFrame,
    edition: Edition,
    problems: list[str],
) -> Cells:
    """Gather the figures of all sheets; what is neither a number in range nor "-" nor blank is a problem."""
    shape = (len(figures), rows["who"].n_unique())
    at = np.full(shape, ABSENT, np.int32)
    value, base = np.empty(shape), np.empty(shape)
    state, base_state = np.empty(shape, np.int8), np.empty(shape, np.int8)
    own = np.zeros(shape, np.bool_)
    names = np.array([f.name for f in figures])
    gates = np.array([_gate(f, edition) for f in figures])
    for sheet, body in enumerate(bodies):
        part = rows.filter(sheet=sheet)
        here = np.array([i for i, f in enumerate(figures) if f.sheet == sheet], np.intp)
        columns = [figures[i].column - body.first for i in here]
        bases = [figures[i].base - body.first for i in here]
        who = part["who"].to_numpy()
        numbers, states = _numbers(body, part["index"].to_numpy(), who, shape[1])
        value[here], base[here] = numbers[columns], numbers[bases]
        state[here], base_state[here] = states[columns], states[bases]
        at[np.ix_(here, who)] = part["at"].to_numpy()
        if part["own"].count():
            made_from = part["own"].fill_null("").to_numpy()
            own[np.ix_(here, who)] = (names[here, None] == made_from) | (gates[here, None] == made_from)
    first = np.array([f.first for f in figures], np.bool_)[:, None]
    top = np.array([10 if f.kind == "score" else 100 for f in figures])[:, None]
    number, base_number = state == NUMBER, base_state == NUMBER
    dash, base_dash = state == DASH, base_state == DASH
    halved = (number & (base_state == BLANK)) | ((state == BLANK) & base_number)
    wrong = (state == OTHER) | (number & ((value < -ROUNDING) | (value > top + ROUNDING)))
    wrong_base = (base_state == OTHER) | (base_number & ((base < 0) | (base != np.floor(base))))
    small = number & base_number & (base >= 0) & (base < PUBLISHED_MINIMUM)
    reported = number & base_number
    _report(figures, wrong.sum(axis=1), (wrong_base & first).sum(axis=1), halved.sum(axis=1), problems)
    problems += [
        f"{figure.place}: results of fewer than {PUBLISHED_MINIMUM} responses, which are never shown: {count}"
        for figure, count in zip(figures, small.sum(axis=1), strict=True)
        if count
    ]
    shown = np.where(reported & ~wrong, value, np.nan)
    _check_sums(figures, shown, problems)
    _check_scale(figures, shown, problems)
    hidden = np.where((dash | base_dash) & ~own, SUPPRESSED, NOT_ASKED)
    return Cells(
        at=at,
        value=np.where(reported, value.clip(0, top), 0),
        base=np.where(reported, base, 0),
        status=np.where(reported, REPORTED, hidden),
        dashes=np.where(own, 0, dash.astype(np.int8) + (base_dash & first)),
    )


def _gate(figure: Figure, edition: Edition) -> str:
    """Return the one question whose answers decide who was asked; a "-" in its own groups hides nothing."""
    question = edition.questions.get(figure.name)
    gates = question.asked_if if question else ()
    return gates[0][0] if len(gates) == 1 else "-"


def _numbers(body: Body, take: Grid, who: Grid, width: int) -> tuple[Grid, Grid]:
    """Return the columns of a sheet as rows, by whom they are about, and what kind of cell each is."""
    numbers = np.full((body.numbers.shape[1], width), np.nan)
    numbers[:, who] = body.numbers.T[:, take]
    states = np.where(np.isnan(numbers), BLANK, NUMBER).astype(np.int8)
    if body.gaps:
        cells = body.text[take].select(pl.all().str.strip_chars().fill_null(""))
        dash, blank, found = (
            cells.select(e).to_numpy().T for e in (is_hidden(pl.all()), pl.all() == "", as_number(pl.all()))
        )
        place = np.ix_(np.array(body.gaps) - body.first, who)
        numbers[place] = np.where(np.isnan(numbers[place]), found, numbers[place])
        kind = np.select([~np.isnan(numbers[place]), dash, blank], [NUMBER, DASH, BLANK], OTHER)
        states[place] = kind
    return numbers, states


def _report(
    figures: Sequence[Figure], wrong: Grid, wrong_base: Grid, halved: Grid, problems: list[str]
) -> None:
    """Add cells that hold something else to `problems`, by column."""
    for i, figure in enumerate(figures):
        kind = "a score from 0 to 10" if figure.kind == "score" else "a percentage from 0 to 100"
        if wrong[i]:
            problems.append(f"{figure.place}: cells that are neither {kind} nor '-' nor blank: {wrong[i]}")
        if wrong_base[i]:
            text = "cells that are neither a number of responses nor '-' nor blank"
            problems.append(f"{figure.base_place}: {text}: {wrong_base[i]}")
        if halved[i]:
            problems.append(f"{figure.place}: rows with a result or a base but not both: {halved[i]}")


def _check_sums(figures: Sequence[Figure], value: Grid, problems: list[str]) -> None:
    """Add questions whose options do not add up to 100 % to `problems`: the sign of a shifted column."""
    columns: dict[str, list[int]] = {}
    for i, figure in enumerate(figures):
        if figure.kind == "single" and figure.whole:
            columns.setdefault(figure.name, []).append(i)
    for name, options in columns.items():
        off = int((np.abs(value[options].sum(axis=0) - 100) > TOLERATED_SUM).sum())
        if off:
            place = figures[options[0]].place
            problems.append(f"{place}: rows in which the options of {name} do not add up to 100 %: {off}")


def _check_scale(figures: Sequence[Figure], value: Grid, problems: list[str]) -> None:
    """Add columns in another scale to `problems`: options that are ticked have no sum to be told by."""
    for i, figure in enumerate(figures):
        shown = value[i][~np.isnan(value[i])]
        if len(shown) < SEVERAL:
            continue
        if figure.kind == "score" and shown.mean() < LOWEST_MEAN:
            problems.append(f"{figure.place}: scores with a mean of {shown.mean():.2g}, not from 0 to 10")
        if figure.kind == "multi" and 0 < shown.max() <= 1:
            problems.append(f"{figure.place}: fractions from 0 to 1 where this layout has 0 to 100")
