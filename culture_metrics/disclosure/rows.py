"""Tables of results as releases, and where each row of a table belongs in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.release import ABSENT, SECONDARY, SHOWN, SMALL, UNTOLD, Release, release_of
from culture_metrics.disclosure.structure import ANSWERS_TO, CELL, OF_OPTION, find_structure
from culture_metrics.errors import CultureMetricsError, UnknownNameError
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from culture_metrics.disclosure.rule import Rule

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]

#: What a hidden cell is called in `status`.
HIDDEN = {"suppressed_small_base": SMALL, "suppressed_secondary": SECONDARY, "suppressed": UNTOLD}
GROUP = ["survey", "organisation", "breakdown", "group"]
NEEDED = [*CELL, "measure", "base", "status"]
#: What else it takes to know how many respondents a percentage counts.
PERCENT = ["unit", "estimate", "weighting", "effective_base"]
#: Numbers of people are whole, up to this.
SLACK = 1e-6


@dataclass(frozen=True)
class Rows:
    """Where rows of a table belong: `row` numbers them, `cell` and `measure` are those of the release."""

    row: Numbers
    cell: Numbers
    measure: Numbers


def releases(
    results: pl.DataFrame,
    rule: Rule,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    *,
    mark: bool = False,
) -> Iterator[tuple[Release, Rows]]:
    """Split a table into parts that do not add up with each other, as arrays.

    `mark` hides what the rule finds too small.
    """
    _check_national(results, national)
    percent = [c for c in PERCENT if rule.minimum_count and c in results.columns]
    names = [pl.col(c).cast(pl.String) for c in (*CELL, "measure")]
    frame = results.select(*NEEDED, *percent).with_columns(names).with_row_index("_row")
    heads, run = _runs(frame, CELL)
    # The same groups are hidden in every period, as far as that goes.
    largest = pl.DataFrame({"_run": run, "size": frame["base"]}).group_by("_run").agg(pl.col("size").max())
    heads = heads.with_columns(largest.sort("_run")["size"].cast(pl.Float64).fill_null(0.0))
    sizes = heads.group_by(GROUP).agg(pl.col("size").max())
    pooled = heads.filter(pl.col("period") == ALL)["survey"].unique()
    apart = pl.when(pl.col("survey").is_in(pooled.implode())).then(pl.lit(ALL)).otherwise(pl.col("period"))
    if heads.select("survey", apart).n_unique() == 1:
        yield _release(frame, (heads, run), sizes, rule, parents, national, mark=mark)
        return
    for part in frame.with_columns(_apart=apart).partition_by("survey", "_apart", maintain_order=True):
        yield _release(part, _runs(part, CELL), sizes, rule, parents, national, mark=mark)


def _release(
    part: pl.DataFrame,
    runs: tuple[pl.DataFrame, Numbers],
    sizes: pl.DataFrame,
    rule: Rule,
    parents: pl.DataFrame | None,
    national: Collection[str] | None,
    *,
    mark: bool,
) -> tuple[Release, Rows]:
    cells, cell = _numbered(*runs)
    measures = part["measure"].unique().sort()
    measure = part["measure"].cast(pl.Enum(measures)).to_physical().to_numpy().astype(np.int64)
    shape = cells.height, len(measures)
    status = part["status"].cast(pl.String)
    given = status.replace_strict(
        {**HIDDEN, "reported": SHOWN}, default=ABSENT, return_dtype=pl.Int8
    ).to_numpy()
    own = part["base"].cast(pl.Float64).fill_null(0.0).to_numpy()
    state, base = np.zeros(shape, np.int8), np.full(shape, np.inf)
    place = cell * shape[1] + measure
    # A measure that stands in several rows (weighted and not) is hidden in all of them or in none.
    np.maximum.at(state.ravel(), place, given)
    np.minimum.at(base.ravel(), place, np.where(given == SHOWN, own, np.inf))
    base[state == ABSENT] = 0.0
    base[state >= SMALL] = np.nan
    counts = _counted(part, place, base) if rule.minimum_count else None
    cells = cells.join(sizes, on=GROUP, how="left", maintain_order="left")
    structure = find_structure(cells, parents, national)
    release = release_of(cells, measures, base, state, rule, structure=structure, counts=counts, mark=mark)
    return release, Rows(part["_row"].to_numpy().astype(np.int64), cell, measure)


def _numbered(heads: pl.DataFrame, run: Numbers) -> tuple[pl.DataFrame, Numbers]:
    """List the distinct cells in their order, and number those of each row."""
    distinct = heads.select(CELL).unique().sort(CELL)
    numbered = distinct.with_row_index("_number")
    found = heads.join(numbered, on=CELL, how="left", maintain_order="left")["_number"]
    return distinct, found.to_numpy().astype(np.int64)[run]


def _runs(part: pl.DataFrame, key: list[str]) -> tuple[pl.DataFrame, Numbers]:
    """List the keys where they change from one row to the next, and say of each row which is its own."""
    changes = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift()) for c in key)
    first = part.select(changes | (pl.int_range(pl.len()) == 0)).to_series()
    return part.select(key).filter(first), np.cumsum(first.to_numpy()) - 1


def _check_national(results: pl.DataFrame, national: Collection[str] | None) -> None:
    if national is None:
        return
    if isinstance(national, str):
        raise CultureMetricsError(
            "national is one name, not a list of organisations", expected='national=["RXX", "RYY"]'
        )
    listed = set(results["organisation"].cast(pl.String).unique().drop_nulls()) - {ALL}
    if listed and not listed & set(national):
        raise UnknownNameError(
            "None of the national organisations is in the table",
            expected=f"some of {', '.join(sorted(listed)[:5])}",
            hint="Name organisations by ODS code, as in the column organisation.",
        )


def _counted(part: pl.DataFrame, place: Numbers, base: Floats) -> tuple[Floats, Floats]:
    """Work out how many respondents a percentage counts, and how few it counts, or leaves out, at least.

    Where a percentage stands unweighted, that one says. A weighted one, by p, of n respondents who weigh as
    much as m (`effective_base`) counts k of them for which p² / k + (1 - p)² / (n - k) <= 1 / m: the sum of
    the squares of weights is least where they are the same within either side.

    Returns
    -------
    counted, fewest : array
        By cell and measure: the number, as near as can be told; the least that it, or that of the others, is.
    """
    percent = (part["unit"].cast(pl.String) == "percent").fill_null(value=False).to_numpy()
    plain = np.ones(part.height, bool)
    if "weighting" in part.columns:
        plain = (part["weighting"].cast(pl.String) == "none").fill_null(value=False).to_numpy()
    n, share = base.ravel()[place], part["estimate"].fill_null(0.0).to_numpy() / 100
    counted: Floats = np.full(base.size, np.nan)
    fewest: Floats = counted.copy()
    own = np.flatnonzero(percent & plain)
    counted[place[own]] = np.round(n[own] * share[own], 6)
    fewest[place[own]] = np.fmin(counted[place[own]], n[own] - counted[place[own]])
    told = np.zeros(base.size, bool)
    told[place[own]] = True
    rest = np.flatnonzero(percent & ~plain & ~told[place] & (n > 0))
    counted[place[rest]] = np.round(n[rest] * share[rest], 6)
    fewest[place[rest]] = _fewest(part[rest], n[rest], share[rest])
    measures = np.zeros(base.shape[1], bool)
    measures[place[percent] % base.shape[1]] = True
    # Also where all that is there is hidden, the measure is a percentage.
    nobody = (np.nan_to_num(base) == 0) & measures
    counted, fewest = counted.reshape(base.shape), fewest.reshape(base.shape)
    return np.where(nobody, 0.0, counted), np.where(nobody, 0.0, fewest)


def _fewest(part: pl.DataFrame, n: Floats, share: Floats) -> Floats:
    """Bound from below how many a weighted percentage counts, or leaves out, whichever is less."""
    lost = part.filter(pl.col("effective_base").is_null()) if "effective_base" in part.columns else part
    if lost.height:
        first = lost.row(0, named=True)
        raise CultureMetricsError(
            "How many respondents a weighted percentage counts cannot be told",
            where=f"{first['organisation']}, {first['breakdown']}, {first['measure']}",
            expected="the same rows unweighted (weighting none), or their effective_base",
            hint="Put the unweighted rows into the same table, or leave minimum_count out.",
        )
    if not part.height:
        return np.zeros(0)
    m: Floats = np.minimum(part["effective_base"].to_numpy(), n)
    middle = n - m * (1 - 2 * share)
    reach = np.sqrt(np.maximum(middle**2 - 4 * m * share**2 * n, 0.0))
    least, most = np.ceil((middle - reach) / 2 - SLACK), np.floor((middle + reach) / 2 + SLACK)
    return np.asarray(np.maximum(np.minimum(least, n - most), 0.0))


def is_distributions(table: pl.DataFrame) -> bool:
    """Whether a table has the answers to questions, option by option."""
    return "option" in table.columns and "measure" not in table.columns


def as_measures(distributions: pl.DataFrame, *, by_option: bool = False) -> pl.DataFrame:
    """Turn Distributions into rows as of Results.

    One per question, whose measure is its answers; or `by_option` one per response option, which is the
    percentage that it is.
    """
    key = [*CELL, "question", "weighting", "source"]
    texts = [pl.col(c).cast(pl.String) for c in ("weighting", "source", "status")]
    measure = pl.concat_str(pl.lit(ANSWERS_TO), "_question")
    if by_option:
        measure = pl.concat_str(measure, pl.lit(OF_OPTION), pl.col("option").cast(pl.String))
        each = distributions.rename({"question": "_question", "percent": "estimate"})
        return each.with_columns(measure.alias("measure"), pl.lit("percent").alias("unit"), *texts)
    # Hidden statuses stand after `reported`: one hidden option hides them all.
    each = distributions.group_by(key, maintain_order=True).agg(
        pl.col("base").min(), pl.col("status").cast(pl.Enum(STATUSES)).max()
    )
    return each.rename({"question": "_question"}).with_columns(
        measure.alias("measure"),
        pl.lit("score").alias("unit"),
        pl.lit(None, pl.Float64).alias("estimate"),
        *texts,
    )


def together(
    results: pl.DataFrame, distributions: pl.DataFrame | None = None, *, by_option: bool = False
) -> pl.DataFrame:
    """Put what is published together into one table of measures."""
    told = as_measures(results, by_option=by_option) if is_distributions(results) else results
    if distributions is None:
        return told
    return pl.concat([told, as_measures(distributions, by_option=by_option)], how="diagonal_relaxed")
