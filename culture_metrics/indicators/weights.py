"""Occupation-group weights: every organisation gets the occupation mix of its benchmark group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError, unknown
from culture_metrics.indicators.breakdowns import group_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract

WEIGHTINGS = ("none", "occupation_group")
CAP = 5.0


def respondent_weights(
    extract: Extract, weights: str, occupation_mix: Mapping[str, float] | None = None
) -> NDArray[np.float64] | None:
    """Return the weight of each respondent, or None when every respondent counts once."""
    if weights == "none":
        return None
    return extract.frame.select(occupation_weights(extract, occupation_mix)).to_series().to_numpy()


def occupation_weights(extract: Extract, mix: Mapping[str, float] | None = None) -> pl.Expr:
    """Return the expression of a respondent's occupation-group weight.

    Parameters
    ----------
    extract : Extract
        A clean extract.
    mix : mapping, optional
        Share of each occupation group to weight to. Left out, the mix of all respondents in the same
        benchmark group of the extract, which must then hold several organisations.

    Returns
    -------
    polars.Expr
        Share of the group wanted over its share in the organisation, capped at 5, with a mean of 1 in each
        organisation. A respondent without an occupation has 1 before that.

    Raises
    ------
    ExtractError
        When there is only one organisation and no mix is given, or the mix leaves out a group of respondents.
    UnknownNameError
        When the mix names a group that the breakdown does not have.

    Notes
    -----
    The form of the official weight is not confirmed: the cap of 5 is stated by a secondary source, the ratio
    of shares and the weight 1 are assumptions. Official weights use 13 groups that were not found; the eight
    published ones are used here.
    """
    group = group_columns(extract, ["occupation_group"])["occupation_group"]
    own = group.count().over("organisation", group)
    total = group.count().over("organisation")
    if mix is None:
        if extract.frame["organisation"].n_unique() < 2:
            raise ExtractError(
                "Weights by occupation group need a mix to weight to",
                expected="several organisations in the extract, or occupation_mix={group: share}",
                hint="Leave weights='none', as official breakdown reports do.",
            )
        peers = ["benchmark_group"] if "benchmark_group" in extract.frame.columns else [pl.lit(1)]
        wanted = group.count().over(*peers, group) / group.count().over(*peers)
    else:
        _check_mix(extract, group, mix)
        sum_of_mix = sum(mix.values())
        shares = {name: share / sum_of_mix for name, share in mix.items()}
        wanted = group.replace_strict(shares, default=None, return_dtype=pl.Float64)
    raw = (wanted / (own / total)).clip(upper_bound=CAP).fill_null(1.0)
    return raw / raw.mean().over("organisation")


def _check_mix(extract: Extract, group: pl.Expr, mix: Mapping[str, float]) -> None:
    known = extract.edition.breakdowns["occupation_group"].groups
    for name in mix:
        if name not in known:
            raise unknown("group of occupations", name, known)
    here = extract.frame.select(group.alias("group")).to_series().drop_nulls().unique().sort()
    left = [name for name in here if not mix.get(name, 0) > 0]
    if left:
        raise ExtractError(
            "The occupation mix leaves out groups that respondents belong to",
            got=f"no share above 0 for {', '.join(left)}",
            hint="Give a share for every group.",
        )
