"""From an extract to estimates of its cells: by organisation, of all together, or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsWarning, ExtractError, warn
from culture_metrics.indicators.answers import Answers, answers_of
from culture_metrics.indicators.breakdowns import group_codes
from culture_metrics.indicators.calibrated import calibrated_estimates
from culture_metrics.indicators.cells import Cells, Layer, make_cells
from culture_metrics.indicators.codes import codes_of
from culture_metrics.indicators.decoding import DECIMALS
from culture_metrics.indicators.design import Design, Estimates, estimates
from culture_metrics.indicators.tally import Moments
from culture_metrics.indicators.weights import Weighted, Weights, national, respondent_weights, size_weights
from culture_metrics.threads import both, in_threads
from data_schemas.columns import STATUSES, WEIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.codes import Codes
    from culture_metrics.indicators.raking import Raking
    from culture_metrics.indicators.weights import AnyWeights

    Numbers = NDArray[np.float64]
    Statuses = NDArray[np.int8]


#: What Results call the official weights of all staff of the country.
PRODUCT = "occupation_group_and_size"


@dataclass(frozen=True)
class Found:
    """Estimates of cells × measures: `keys` names the cells, `answers` the measures.

    `people` is how many respondents are in each cell, whatever they answered. `weighting` holds for all but
    what is never weighted and the organisations in `unweighted`. `cells` and `weight` say where each
    respondent of `extract` counts, and as how many; nothing where they were never all in memory. `together`:
    all organisations are one. `read` says how answers are read, `raking` how weights were raked.
    """

    keys: pl.DataFrame
    people: Numbers
    answers: Answers
    estimates: Estimates
    weighting: str
    unweighted: tuple[str, ...] = ()
    cells: Cells | None = None
    weight: Numbers | None = None
    extract: Extract | None = None
    together: bool = False
    read: Callable[[Extract], Answers] = answers_of
    raking: Raking | None = None


class Verdict(NamedTuple):
    """What of estimates may be shown, by cell and measure.

    Attributes
    ----------
    why : array
        Places in `STATUSES`; 0 where there is nothing to hide.
    rounded : array of bool
        What is shown with few decimals, as more of them would tell what few people answered.
    """

    why: Statuses
    rounded: NDArray[np.bool_]

    def of(self, columns: NDArray[np.int64] | Sequence[int]) -> Verdict:
        """Take some measures, in this order."""
        return Verdict(self.why[:, columns], self.rounded[:, columns])


def estimates_of(
    extract: Extract,
    by: Mapping[str, Sequence[str]],
    weights: AnyWeights,
    design: Design | None,
    read: Callable[[Extract], Answers] = answers_of,
) -> list[Found]:
    """Estimate one extract; `read` says what of its answers is wanted."""
    if rules := national(weights):
        return _national(extract, by, rules, design or Design(domains="full"), read)
    weighted = respondent_weights(extract, weights)
    design = design or Design()
    cells, answers = both(
        lambda: make_cells(extract.frame, {ALL: (), **by}, _groups(extract, by), design),
        partial(read, extract),
    )
    if weighted.raking is None:
        found = answers.estimates(cells, weighted.values, design)
    else:
        organisation = codes_of(extract.frame["organisation"])
        found = calibrated_estimates(answers.moments, cells, organisation, weighted.raking, design)
    return [
        Found(
            cells.keys,
            cells.people(),
            answers,
            found,
            weighted.name,
            weighted.unweighted,
            cells,
            weighted.values,
            extract,
            read=read,
            raking=weighted.raking,
        )
    ]


def _national(
    extract: Extract,
    by: Mapping[str, Sequence[str]],
    rules: Weights,
    design: Design,
    read: Callable[[Extract], Answers],
) -> list[Found]:
    """Estimate all organisations together: all staff by the product of weights, breakdowns by size alone."""
    size = size_weights(extract, rules.eligible)
    here = pl.col("organisation").is_in(size["organisation"].to_list())
    extract = replace(extract, frame=extract.frame.filter(here))
    factor = extract.frame.select(
        pl.col("organisation").replace_strict(size["organisation"], size["size"], return_dtype=pl.Float64)
    )
    of_size = factor.to_series().to_numpy()
    answers = read(extract)
    groups = _groups(extract, by)
    found = []
    inner = respondent_weights(extract, "none" if rules.kind == "size" else rules)
    everyone = ("size", of_size) if inner.values is None else (PRODUCT, of_size * inner.values)
    for breakdowns, (kind, weight) in (({ALL: ()}, everyone), (by, ("size", of_size))):
        if not breakdowns:
            continue
        cells = make_cells(extract.frame, breakdowns, groups, design, together=True)
        result = answers.estimates(cells, weight, design)
        own = cells.keys, cells.people(), answers, result
        found.append(Found(*own, kind, (), cells, weight, extract, together=True, read=read))
    return found


def estimates_of_pieces(
    extracts: Iterable[Extract],
    by: Mapping[str, Sequence[str]],
    weights: AnyWeights,
    design: Design | None,
) -> tuple[Extract, list[Found]]:
    """Tally pieces one after another and put the tallies together."""
    first: Extract | None = None
    total: _Tally | None = None
    answers: Answers | None = None
    weighted: Weighted | None = None
    for extract in extracts:
        known = weights is None or (isinstance(weights, str) and weights in ("none", *extract.frame.columns))
        if design or not known:
            raise ExtractError(
                "An extract in pieces cannot be weighted by what its pieces do not know of each other",
                expected="no weights or a column of weights, and no design",
                hint="Read the extract as a whole, or work the weights out before and add them as a column.",
            )
        cells = make_cells(extract.frame, {ALL: (), **by}, _groups(extract, by), Design())
        names = None if answers is None else answers.names
        answers = answers_of(extract)
        if first is None:
            first = extract
        elif (extract.survey, extract.period, answers.names) != (first.survey, first.period, names):
            raise ExtractError(
                "The pieces are not of one survey and period, or lack different questions",
                hint="Estimate each period by itself and put the results together.",
            )
        weighted = respondent_weights(extract, weights)
        own = _Tally(cells.keys, cells.people(), answers.moments(cells, weighted.values))
        total = own if total is None else total.plus(own)
    if first is None or total is None or answers is None or weighted is None:
        raise ExtractError("There is no extract to estimate from")
    keys = total.keys
    each, none = Layer(np.arange(keys.height), keys.height), np.zeros(keys.height, np.int64)
    cells = Cells(keys, np.empty((0, 0), np.int32), (), each, each, none, none[:1], pl.Series([ALL]))
    result = estimates([total.moments], cells, Design())
    return first, [Found(keys, total.people, answers, result, weighted.name)]


@dataclass(frozen=True)
class _Tally:
    """What some pieces of an extract add up to, by cell."""

    keys: pl.DataFrame
    people: Numbers
    moments: Moments

    def plus(self, other: _Tally) -> _Tally:
        """Put two tallies together."""
        both = pl.concat([self.keys, other.keys])
        keys = both.unique(maintain_order=True)
        numbered = keys.with_row_index("cell")
        of = both.join(numbered, on=both.columns, how="left", maintain_order="left")["cell"]
        layer = Layer(of.cast(pl.Int64).to_numpy(), keys.height)
        people = layer.sum(np.concatenate([self.people, other.people])[:, None])[:, 0]
        return _Tally(keys, people, Moments.under([self.moments, other.moments]).merge(layer))


def _groups(extract: Extract, by: Mapping[str, Sequence[str]]) -> dict[str, Codes]:
    return group_codes(extract, list(dict.fromkeys(n for names in by.values() for n in names)))


def warn_of_empty(found: Sequence[Found], by: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> None:
    """Warn of breakdowns in which no respondent has a group: they have no rows."""
    there = {name for part in found for name in part.keys["breakdown"].unique()}
    called = {name: CROSS.join(words.get(part, part) for part in parts) for name, parts in by.items()}
    if empty := [called[name] for name in by if name not in there]:
        warn(
            f"No respondent has a group in {' or '.join(empty)}: there are no results by it. See whether the "
            "column was filled, and read.",
            CultureMetricsWarning,
        )


def lay_out(
    part: Found, columns: pl.DataFrame, low: Numbers, high: Numbers, verdict: Verdict
) -> pl.DataFrame:
    """Lay estimates out as rows: every cell, in order, by every row of `columns`.

    `columns` says in `place` which measure a row is about (-1: not asked); its other columns go along.
    `verdict` is by cell and row of `columns`. Only what is reported has numbers.
    """
    found, answers = part.estimates, part.answers
    order = part.keys.with_row_index("cell").sort("organisation", "breakdown", "group")
    rows, places = order["cell"].to_numpy().astype(np.int64), columns["place"].to_numpy()
    index = rows[:, None] * len(answers.names) + np.maximum(places, 0)
    status = np.where(places < 0, np.int8(STATUSES.index("not_asked")), verdict.why[rows])
    numbers = {
        "estimate": found.mean,
        "std_error": found.std_error,
        "conf_low": low,
        "conf_high": high,
        "base": found.base,
        "effective_base": found.effective_base,
    }
    never = np.concatenate([np.zeros(answers.n_scores, dtype=bool), answers.never_weighted, [True]])[places]
    columns = columns.drop("place").with_columns(
        pl.Series("weighting", np.where(never, "none", part.weighting), dtype=pl.Enum(WEIGHTINGS))
    )
    cell = np.repeat(np.arange(order.height, dtype=np.uint32), columns.height)
    column = np.tile(np.arange(columns.height, dtype=np.uint32), order.height)
    named = pl.Series("status", STATUSES, pl.Enum(STATUSES))
    jobs: list[Callable[[], pl.DataFrame]] = [
        lambda: order.drop("cell")[cell],
        lambda: columns[column],
        named[status.ravel()].to_frame,
    ]
    few = _decimals(verdict.rounded[rows], places < answers.n_scores)
    jobs += [partial(_series, n, t, index, status != 0, few.get(n)) for n, t in numbers.items()]
    source = pl.lit("respondents").alias("source")
    table = pl.concat(in_threads(jobs), how="horizontal").with_columns(source, pl.col("base").cast(pl.UInt32))
    if not part.unweighted:
        return table
    none = pl.col("organisation").is_in([*part.unweighted])
    return table.with_columns(
        pl.when(none).then(pl.lit("none", pl.Enum(WEIGHTINGS))).otherwise("weighting").alias("weighting")
    )


def _decimals(rounded: NDArray[np.bool_], score: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """Return how many decimals each row of a number has; -1 for all, and nothing where all have all."""
    if not rounded.any():
        return {}
    percent, fine = DECIMALS
    ends = np.where(rounded, np.where(score, fine, percent), -1).ravel()
    error = np.where(rounded, fine, -1).ravel()
    return {"estimate": ends, "std_error": error, "conf_low": ends, "conf_high": ends}


def _series(
    name: str,
    table: Numbers,
    index: NDArray[np.int64],
    absent: NDArray[np.bool_],
    decimals: NDArray[np.int64] | None,
) -> pl.DataFrame:
    values = np.take(table, index)
    values[absent] = np.nan
    values = values.ravel()
    for number in np.unique(decimals) if decimals is not None else ():
        if number >= 0:
            values = np.where(decimals == number, np.round(values, number), values)
    return pl.Series(name, values, nan_to_null=True).to_frame()
