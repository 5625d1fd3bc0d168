"""Results, Distributions and Organisations from the cells of an official workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.published.cells import ABSENT, NOT_ASKED, PUBLISHED_MINIMUM, REPORTED, SUPPRESSED
from culture_metrics.published.rows import ATTRIBUTES, WHO
from data_schemas.columns import SOURCES, STATUSES, UNITS, WEIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition, Measure
    from culture_metrics.published.bodies import Grid
    from culture_metrics.published.cells import Cells
    from culture_metrics.published.columns import Figure


def make_distributions(
    cells: Cells, figures: Sequence[Figure], rows: pl.DataFrame, edition: Edition
) -> pl.DataFrame:
    """Return Distributions: every option as published."""
    options = [f for f in figures if f.kind != "score"]  # scores come last in the list of figures
    about = pl.DataFrame(
        {
            "question": [f.name for f in options],
            "option": [f.option for f in options],
            "weighted": [edition.questions[f.name].weighted for f in options],
        },
        schema={"question": pl.String, "option": pl.Int16, "weighted": pl.Boolean},
    )
    here = slice(len(options))
    numbers = {"percent": cells.value[here], "base": cells.base[here]}
    return as_distributions(_long(cells.at[here], cells.status[here], numbers, about, rows, edition))


def make_results(
    cells: Cells, figures: Sequence[Figure], rows: pl.DataFrame, edition: Edition
) -> pl.DataFrame:
    """Return Results: the published scores, and the headline percentages worked out from the options."""
    found = _measures(figures, edition)
    starts = [start for start, _ in found]
    named = sorted((measure.id, k, measure) for k, (_, measure) in enumerate(found) if measure)
    kept, measures = [k for _, k, _ in named], [measure for _, _, measure in named]
    first = [starts[k] for k in kept]
    questions = [edition.questions.get(m.question or "") for m in measures]

    def together(grid: Grid) -> Grid:
        """Add up the figures of each measure."""
        return np.add.reduceat(grid, starts)[kept] if starts else grid

    counted, excluded = _roles(figures, edition)
    left_out = together(cells.value * excluded[:, None])
    value = together(cells.value * counted[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = (100 * value / (100 - left_out)).clip(0, 100)
    base = np.rint(cells.base[first] * (1 - left_out / 100))
    hidden = together((cells.status == SUPPRESSED).astype(np.int64)) > 0
    not_asked = together((cells.status == NOT_ASKED).astype(np.int64)) > 0
    exclusive = np.array([q is not None and bool(q.out_of_base) for q in questions], np.bool_)[:, None]
    small = exclusive & (base < PUBLISHED_MINIMUM) & ~not_asked
    is_score = np.array([m.unit == "score" for m in measures], np.bool_)[:, None]
    about = pl.DataFrame(
        {
            "measure": [m.id for m in measures],
            "unit": [m.unit for m in measures],
            "weighted": [q is None or q.weighted for q in questions],
        },
        schema={"measure": pl.String, "unit": pl.Enum(UNITS), "weighted": pl.Boolean},
    )
    status = np.where(hidden | small, SUPPRESSED, np.where(not_asked, NOT_ASKED, REPORTED))
    numbers = {"estimate": np.where(is_score, value, percent), "base": base}
    return as_results(_long(cells.at[first], status, numbers, about, rows, edition))


def make_organisations(rows: pl.DataFrame, edition: Edition) -> pl.DataFrame:
    """Return Organisations: one row per organisation or type of them, `all` in a national file."""
    first = rows.unique("organisation", keep="first", maintain_order=True)
    return as_organisations(
        first.select(
            "organisation", *ATTRIBUTES, survey=pl.lit(edition.survey.id), period=pl.lit(edition.period)
        )
    )


def _measures(figures: Sequence[Figure], edition: Edition) -> list[tuple[int, Measure | None]]:
    """Say where each measure begins in the list of figures; None where figures make up no measure.

    The options of a question stand together; each option of a tick-all-that-apply question is a measure.
    """
    by_option = {(m.question, m.option): m for m in edition.percentages.values()}
    found: list[tuple[int, Measure | None]] = []
    for i, figure in enumerate(figures):
        if figure.kind == "score":
            found.append((i, edition.measures[figure.name]))
        elif figure.kind == "multi":
            found.append((i, by_option[figure.name, figure.option]))
        elif not i or figure.name != figures[i - 1].name:
            found.append((i, by_option.get((figure.name, None))))
    return found


def _roles(figures: Sequence[Figure], edition: Edition) -> tuple[Grid, Grid]:
    """Say which figures count for their measure, and which are left out of its base."""
    counted, excluded = np.ones(len(figures), np.bool_), np.zeros(len(figures), np.bool_)
    for i, figure in enumerate(figures):
        if figure.kind == "single":
            question = edition.questions[figure.name]
            counted[i] = figure.option in question.positive
            excluded[i] = figure.option in question.out_of_base
    return counted, excluded


def _long(
    at: Grid,
    status: Grid,
    numbers: Mapping[str, Grid],
    about: pl.DataFrame,
    rows: pl.DataFrame,
    edition: Edition,
) -> pl.DataFrame:
    """Put the columns of grids under each other and say whom each cell is about, and what.

    Questions about facts and background are never weighted, whatever the row says.
    """
    there = (at.T != ABSENT).ravel()
    what = np.tile(np.arange(about.height), at.shape[1])[there]
    states = status.T.ravel()[there]
    frame = pl.DataFrame(
        {
            "status": pl.Series(STATUSES, dtype=pl.Enum(STATUSES))[states],
            "shown": states == REPORTED,
            **{name: grid.T.ravel()[there] for name, grid in numbers.items()},
        }
    )
    who = rows.select(*WHO, "weighting")[at.T.ravel()[there]]
    return (
        frame.hstack(about[what])
        .hstack(who)
        .with_columns(
            *(pl.when("shown").then(name).alias(name) for name in numbers),
            weighting=pl.when("weighted").then("weighting").otherwise(pl.lit("none", pl.Enum(WEIGHTINGS))),
            survey=pl.lit(edition.survey.id),
            period=pl.lit(edition.period),
            source=pl.lit("published", pl.Enum(SOURCES)),
        )
    )
