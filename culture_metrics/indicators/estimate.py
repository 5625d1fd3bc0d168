"""Estimates with their uncertainty: scores and headline percentages by group, as Results."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import as_results
from culture_metrics.extracts.extract import Extract, not_read
from culture_metrics.indicators.breakdowns import crossed, parents
from culture_metrics.indicators.cell_estimates import (
    Found,
    estimates_of,
    estimates_of_pieces,
    lay_out,
    warn_of_empty,
)
from culture_metrics.indicators.correlated import correlations_of
from culture_metrics.indicators.design import Design
from culture_metrics.indicators.hidden import hidden_of
from culture_metrics.indicators.intervals import (
    check_interval,
    interval_name,
    percent_intervals,
    score_intervals,
)
from culture_metrics.indicators.weights import weights_for
from culture_metrics.output import verb
from culture_metrics.results import Results
from culture_metrics.results.beside import Beside
from culture_metrics.threads import both, in_threads, slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.indicators.cell_estimates import Numbers, Verdict
    from culture_metrics.indicators.weights import AnyWeights


@verb
def estimate(
    extract: Extract | Iterable[Extract],
    by: Sequence[str | Sequence[str]] = (),
    *,
    weights: AnyWeights = None,
    design: Design | None = None,
    interval: str = "wilson",
    minimum_base: int | None = None,
) -> Results:
    """Estimate every score and headline percentage of each organisation, as a whole and by group.

    Parameters
    ----------
    extract : Extract or iterable of Extract
        A clean extract (`validate(...).extract`), or the pieces of one that is larger than memory, which are
        read one after another and may cut through organisations.
    by : sequence
        Breakdowns (`occupation_group`, `locality_1`, …), each on its own; several names in a tuple are
        crossed, and their groups joined by " × ". A text column of the extract that the catalogue does not
        know is a breakdown as well. Respondents without a group count in the total only; where nobody has
        one, the breakdown has no rows, and a warning says so.
    weights : str, Weights, Raking or polars.Series
        Left out every respondent counts once, as in official breakdown reports; `"official"` gives
        each organisation the occupation mix of its benchmark group, as official organisation results do;
        `Weights` says more, and makes national figures; `rake(...)` makes weights from staff in post. Weights
        of your own come as one number per respondent, or as the name of a column of numbers of the extract:
        `read_extract` leaves out columns that it does not know, so join it to `extract.frame` before
        `validate`.
    design : Design, optional
        Strata, clusters, finite population correction and how groups are treated. Left out, organisations are
        the strata and a group in an organisation is a sample of its own; in national figures, a domain.
    interval : {"wilson", "logit"}
        Kind of 95 % interval: Wilson's for percentages and t for scores, or t on the logit scale for both,
        which keeps its coverage for scores close to the ends of their range in small groups.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own when left out. A larger one also decides which
        groups share a weight (`Weights`); with a smaller one a warning says that the table may not leave.

    Returns
    -------
    Results
        `.table`: one row per organisation, breakdown, group and measure; national figures have the
        organisation `all`. `estimate` is a score or a percentage (0 to 100); `base` the unweighted
        number of respondents behind it; `std_error` by Taylor linearisation (for unweighted rows of
        organisations: standard deviation over the root of the base); `interval` names the kind of interval
        of the row. Small cells are suppressed. A measure whose questions are not in the extract has the
        status `not_asked`. Questions that official results never weight stay unweighted, and say so.

    Raises
    ------
    UnknownNameError
        When a breakdown is not in the catalogue or the extract, or the weighting does not exist.
    ExtractError
        When it is given no Extract, weights do not fit or were raked for a smaller `minimum_base` than is
        asked for, or pieces do not belong together.

    Notes
    -----
    What a measure is made of stands in `extract.edition.describe("compassionate_leadership")`, how answers
    become points in `describe` of its questions. A score is the (weighted) mean of the scores of respondents
    (`score`); a percentage the (weighted) share of the answers that `describe` calls counted, among all
    answers but those left out of the base.

    What may be shown is decided from the respondents, for this call and earlier ones about the same extract
    together (`extract.decision`), also about part of its respondents or with other columns, and a warning
    says so where nothing of a breakdown can be shown for that.
    Where groups lie within others or overlap so that more must be hidden, `status` is `suppressed` for all
    that is hidden in the organisation.

    The order of respondents and the way a file is cut into pieces leave the numbers as they are, up to
    rounding (1e-12). Conventions and references: `Design`, `Weights`, `rake`, `indicators.intervals`.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> results = estimate(synthetic.respondents(2024), by=["occupation_group"])
    >>> results.table.filter(measure="recommend_place_to_work", group="all").height
    1
    """
    check_interval(interval)
    breakdowns = crossed(by)
    if isinstance(extract, Extract):
        weights = weights_for(extract, weights, minimum_base)
        first, found = extract, estimates_of(extract, breakdowns, weights, design)
    elif isinstance(extract, str | Path | pl.DataFrame) or not isinstance(extract, Iterable):
        raise not_read(extract, "estimate")
    else:
        first, found = estimates_of_pieces(extract, breakdowns, weights, design)
    warn_of_empty(found, breakdowns, first.words)
    columns = {name: j for j, name in enumerate(found[0].answers.names)}
    least = first.edition.survey.minimum_base if minimum_base is None else minimum_base
    ends, hidden = both(
        lambda: [intervals_of(part, interval, first.edition.survey.score_range) for part in found],
        partial(hidden_of, found, first, columns, least, breakdowns),
    )
    each = zip(found, ends, hidden, strict=True)
    tables = [results_of(part, first, limits, verdict) for part, limits, verdict in each]
    name = interval_name(interval, pl.col("estimate"), pl.col("unit") == "percent")
    table = as_results(pl.concat(tables).with_columns(name), in_order=len(tables) == 1)
    whole = isinstance(extract, Extract)
    beside = tuple(
        _beside(part, first, verdict) for part, verdict in zip(found, hidden, strict=True) if whole
    )
    together = [correlations_of(part, first.survey, first.period, design or Design()) for part in found]
    return Results(
        table,
        least,
        parents(first, breakdowns) if whole else None,
        first.words,
        beside=beside,
        _correlations=tuple(one for one in together if one is not None),
    )


def _beside(part: Found, extract: Extract, verdict: Verdict) -> Beside:
    """Keep how exactly differences from the whole are known, of what is shown with all its decimals."""
    shown = (verdict.why == 0) & ~verdict.rounded
    errors = np.where(shown, part.estimates.apart, np.nan)
    return Beside(extract.survey, extract.period, part.keys, tuple(part.answers.names), errors)


def intervals_of(part: Found, interval: str, limits: tuple[float, float]) -> tuple[Numbers, Numbers]:
    """Return the lower and upper ends of the intervals, by cell and measure."""
    found, n = part.estimates, part.answers.n_scores
    low, high = np.empty(found.base.shape), np.empty(found.base.shape)

    def fill(rows: slice) -> None:
        some = found.rows(rows)
        scores = score_intervals(some.columns(slice(n)), limits, interval)
        shares = percent_intervals(some.columns(slice(n, None)), interval)
        for ends, of_scores, of_shares in zip((low, high), scores, shares, strict=True):
            ends[rows, :n], ends[rows, n:] = of_scores, of_shares

    in_threads([partial(fill, rows) for rows in slices(*found.base.shape)])
    return low, high


def results_of(
    part: Found, extract: Extract, ends: tuple[Numbers, Numbers], verdict: Verdict
) -> pl.DataFrame:
    """Lay the estimates out as rows, with every measure of the edition, asked or not."""
    edition, found = extract.edition, part.estimates
    place = {name: j for j, name in enumerate(part.answers.names) if found.base[:, j].any()}
    names = sorted(edition.measures)
    measures = pl.DataFrame(
        {
            "measure": names,
            "unit": [edition.measures[n].unit for n in names],
            "place": [place.get(n, -1) for n in names],
        }
    )
    return lay_out(part, measures, *ends, verdict.of(measures["place"].to_numpy())).with_columns(
        pl.lit(extract.survey).alias("survey"), pl.lit(extract.period).alias("period")
    )
