"""What stands beside a benchmark group: peers that were named, and the organisation's own Results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.peers import Peers
from culture_metrics.compare.standing import Book, counted, groupwide, turned
from culture_metrics.contract import ALL, as_results
from culture_metrics.errors import ComparabilityError, ResultsError
from culture_metrics.files.organisations import codes_by_name, folded, no_such
from culture_metrics.output import table_of
from culture_metrics.results.tables import catalogued
from culture_metrics.results.words import WEIGHTED
from data_schemas.columns import RESULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = ["own_estimate", "own_conf_low", "own_conf_high", "own_base", "own_difference", "own_refused"]


def peers_beside(
    book: Book, organisation: str, peers: Sequence[str] | Peers, minimum_base: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the figures of named peers, and best, median, worst and the own rank among them by measure.

    The peers may be of any group of the workbook.

    Raises
    ------
    UnknownNameError
        When the workbook has no such organisation.
    ResultsError
        When no other organisation is named.
    """
    here = book.organisations.filter(period=book.period)
    known = here["organisation"].to_list()
    # One code alone is a sequence too, of its letters.
    peers = peers.organisations if isinstance(peers, Peers) else [peers] if isinstance(peers, str) else peers
    names = codes_by_name(here.select("organisation", "name").iter_rows())
    codes = [wanted if wanted in known else names.get(folded(wanted)) for wanted in peers]
    for wanted, code in zip(peers, codes, strict=True):
        if code is None:
            raise no_such(wanted, known, names, "the peers that were named")
    chosen = [str(code) for code in dict.fromkeys(codes) if code != organisation]
    if not chosen:
        raise ResultsError(f"No peer of {organisation} is named", hint='Give codes: peers=["RXX", "RYY"].')
    rows = book.rows.filter(period=book.period).join(here.select("organisation", "name"), on="organisation")
    measures = catalogued(catalogue(book.survey).edition(book.period))
    some = rows.filter(pl.col("organisation").is_in([*chosen, organisation]))
    ranked = (
        counted(some, minimum_base)
        .join(measures, on="measure")
        .with_columns(
            pl.when(pl.col("direction") != "neutral")
            .then(turned().rank("min", descending=True).over("measure"))
            .cast(pl.UInt32)
            .alias("peers_rank")
        )
    )
    others = ranked.filter(pl.col("organisation") != organisation)
    table = groupwide(others, "peers_").drop("peers_sd")
    mine = ranked.filter(organisation=organisation).select("measure", "peers_rank")
    return (
        rows.filter(pl.col("organisation").is_in(chosen)),
        measures.select("measure").join(table, on="measure", how="left").join(mine, on="measure", how="left"),
    )


def own_beside(own: object, book: Book, organisation: str) -> pl.DataFrame:
    """Return the organisation's own Results by measure, where they are weighted as the published ones.

    Parameters
    ----------
    own : Results, polars.DataFrame or list of them
        Of the respondents of the organisation, in the period of the workbook.

    Returns
    -------
    polars.DataFrame
        `measure` and `OWN`: `own_refused` says why a figure may not stand beside the published one.

    Raises
    ------
    ResultsError
        When they hold nothing of the organisation and period.
    ComparabilityError
        When none of the figures may stand beside the published ones.
    """
    given = table_of(own, "benchmark")
    if set(RESULTS) <= set(given.columns):
        given = as_results(given.select(list(RESULTS)))
    whole = given.filter(
        breakdown=ALL, group=ALL, survey=book.survey, period=book.period, organisation=organisation
    ).filter(pl.col("estimate").is_not_null())
    if whole.is_empty():
        raise ResultsError(
            f"The results hold nothing of {organisation} as a whole in {book.period}",
            where="benchmark(own=)",
            hint="Give what cm.estimate returned for the respondent file of the workbook's year.",
        )
    figures = ["estimate", "conf_low", "conf_high", "base"]
    mine = whole.select("measure", "weighting", *(pl.col(c).alias(f"own_{c}") for c in figures))
    theirs = book.rows.filter(period=book.period, organisation=organisation).drop_nulls("estimate")
    pairs = mine.join(
        theirs.select("measure", published="estimate", as_published="weighting"), on="measure"
    ).with_columns(pl.col("weighting", "as_published").cast(pl.String))
    said = {name: pl.col(name).replace(WEIGHTED) for name in ("weighting", "as_published")}
    apart = pl.format(
        "Your figure is {}, the published one {}: two weightings never stand side by side.",
        said["weighting"],
        said["as_published"],
    )
    same = pl.col("weighting") == pl.col("as_published")
    told = pairs.with_columns(own_refused=pl.when(~same).then(apart)).with_columns(
        pl.when(same).then(pl.col(name)).alias(name) for name in OWN[:4]
    )
    if not told.is_empty() and told["own_refused"].is_not_null().all():
        raise ComparabilityError(
            told["own_refused"][0],
            where="benchmark(own=)",
            hint="Estimate with weights=cm.Weights('occupation_group', mix=…), the mix of the benchmark "
            "group, or compare the unweighted figures of a breakdown report with each other.",
        )
    return told.with_columns(own_difference=pl.col("own_estimate") - pl.col("published")).select(
        "measure", *OWN
    )
