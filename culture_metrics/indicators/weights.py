"""Weights: occupation mix, size of organisations, raked to staff in post, or the user's own."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import ExtractError, unknown
from culture_metrics.files.raw import ROW
from culture_metrics.indicators.official_weights import official_weights
from culture_metrics.indicators.pooling import least_base
from culture_metrics.indicators.raking import Raking, check_minimum, check_raking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.official_mix import OfficialMix

    Numbers = NDArray[np.float64]
    #: What can be given as weights: a name, rules, a raking, or one number per respondent.
    AnyWeights: TypeAlias = "str | Weights | Raking | pl.Series | Numbers | Sequence[float] | None"

KINDS = ("none", "official", "size")


@dataclass(frozen=True)
class Weights:
    """Official weights.

    Parameters
    ----------
    kind : {"none", "official", "size"}
        `official` gives each organisation the occupation mix of its benchmark group, as official results of
        trusts have it; organisations of a kind that is officially unweighted (ICBs, CSUs, community surgical
        services) keep the weight 1. `size` counts each organisation for its eligible staff, as official
        national breakdowns have it, and makes figures of all organisations together.
    mix : OfficialMix or mapping, optional
        What `official_mix` makes of a published workbook: the mix of every benchmark group, so that an
        extract of one organisation can be weighted. Or the shares of the weighting groups by id (`nursing`,
        `other`, …): the groups that it names are kept apart, all others and people without an occupation are
        in `other`. Left out, the mix of all respondents in the same benchmark group of the extract, which
        must then hold several organisations.
    eligible : mapping, optional
        Eligible staff of each organisation (ODS code). With `official`, makes the national figures: those of
        all staff by size and occupation, breakdowns by size alone. Organisations that are not in it are left
        out of the figures: official national figures are of trusts alone.
    pool_below : int, optional
        Weighting groups with fewer respondents in an organisation share one weight (see the notes). Left out,
        the survey's minimum base, or the `minimum_base` that `estimate` or `distributions` is asked for,
        whichever is larger. What you give stands; 1 pools nothing, as the official form has it: then figures
        that would tell what few people answered are rounded, or hidden.

    Notes
    -----
    The official weight of a respondent of weighting group g in organisation o of benchmark group b is
    `min(5, (n_bg / N_b) / (n_og / N_o))`: n respondents of the group, N all respondents, also those who gave
    no occupation. Groups, and where they are kept apart, stand in `catalogue().weighting`; how each rule is
    known, in docs/official-method.md.

    A weight is a function of how many belong to a group: were hidden groups weighted differently, the
    effective base of a weighted total would tell how many they are, and the total what they said. Groups that
    would be hidden if the groups' respondents, or any measure that four in five of an organisation answer,
    were published are therefore weighted as one, to the share wanted of all of them over their share: those
    below `pool_below` and as many of the next smallest as it takes. Where the mix is that of the extract,
    groups whose share in it would tell of one organisation share a weight in all. Weights that rest on few
    people are unstable besides, which is why cells are collapsed in post-stratification (Little 1993, JASA
    88, 1001-1012). A `SmallBaseWarning` names who shares. Weighted and unweighted figures of the same people
    are one release: what is hidden in either is hidden in both where the two together would tell it.

    Examples
    --------
    >>> Weights("size", eligible={"RXX": 4100, "RYY": 2600}).kind
    'size'
    """

    kind: str = "none"
    mix: OfficialMix | Mapping[str, float] | None = field(default=None, hash=False)
    eligible: Mapping[str, float] | None = field(default=None, hash=False)
    pool_below: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown("weighting", self.kind, KINDS)
        least_base(self.pool_below, 1)

    def __repr__(self) -> str:
        given = {f.name: repr(getattr(self, f.name)) for f in fields(self)}
        if self.eligible is not None:
            given["eligible"] = f"<staff of {len(self.eligible):,} organisations>"
        return f"Weights({', '.join(f'{name}={value}' for name, value in given.items())})"


@dataclass(frozen=True)
class Weighted:
    """The weight of each respondent (None: 1) and what Results call it."""

    name: str
    values: Numbers | None
    raking: Raking | None = None
    #: Organisations that official results do not weight.
    unweighted: tuple[str, ...] = ()


def weights_for(extract: Extract, weights: AnyWeights, minimum_base: int | None) -> AnyWeights:
    """Let weights protect what is hidden below a minimum base, where it is larger than the survey's own.

    Only official weights by occupation can be made anew for it, and only where `pool_below` leaves it open; a
    raking was made before, and is checked; weights of the user's own stay as they are.

    Raises
    ------
    ExtractError
        When a raking was made for a smaller minimum base.
    """
    least = Rule(extract.edition.survey.minimum_base if minimum_base is None else minimum_base).minimum_base
    if least <= extract.edition.survey.minimum_base:
        return weights
    if isinstance(weights, Raking):
        check_minimum(weights, least)
    if isinstance(weights, str) and weights in KINDS:
        return Weights(weights, pool_below=least)
    if isinstance(weights, Weights) and weights.pool_below is None:
        return replace(weights, pool_below=least)
    return weights


def respondent_weights(extract: Extract, weights: AnyWeights) -> Weighted:
    """Return the weight of each respondent within their organisation; None is `"none"`.

    Raises
    ------
    UnknownNameError
        When there is no such weighting nor a column of that name, or a mix names an unknown group.
    ExtractError
        When a mix is needed, weights are not above 0 or do not fit the respondents, or an organisation has
        the name of all of them together.
    """
    if extract.frame["organisation"].unique().cast(pl.String).str.to_lowercase().eq(ALL).any():
        raise ExtractError(
            f"An organisation is called {ALL!r}",
            where="column organisation",
            expected="ODS codes",
            hint=f"In Results {ALL!r} is the total of all organisations: rename this one.",
        )
    if weights is None:
        return Weighted("none", None)
    if isinstance(weights, (np.ndarray, list, tuple)):
        weights = _series(weights)
    if isinstance(weights, Raking):
        check_raking(weights, extract.frame)
        return Weighted("raked", _supplied(weights.weights, extract, "the raking"), weights)
    if isinstance(weights, pl.Series):
        return Weighted("supplied", _supplied(weights, extract, "the weights"))
    own = [c for c in extract.frame.columns if c not in (*extract.edition.columns, *KINDS, ROW)]
    if isinstance(weights, str) and weights in own:
        return Weighted("supplied", _supplied(extract.frame[weights], extract, f"column {weights}"))
    if isinstance(weights, str):
        if weights == "raked":
            raise ExtractError(
                "Raked weights need the margins to rake to",
                hint="Make them with cm.rake(extract, margins) and give what it returns as weights.",
            )
        if weights not in KINDS:
            schema = extract.frame.schema
            numbers = [c for c in own if schema[c].is_numeric()]
            raise unknown("weighting or column of weights", weights, [*KINDS, *numbers])
        weights = Weights(weights)
    if not isinstance(weights, Weights):
        raise ExtractError(
            "These are no weights",
            got=type(weights).__name__,
            expected="a name, cm.Weights(…), cm.rake(…), a column, or one number for each respondent",
        )
    if weights.kind == "official":
        official = official_weights(extract, weights)
        return Weighted("occupation_group", official.values, unweighted=official.unweighted)
    return Weighted("none", None)


def national(weights: AnyWeights) -> Weights | None:
    """Return weights that make figures of all organisations together; None of others.

    Examples
    --------
    >>> national("official") is None, national("size").kind
    (True, 'size')
    """
    if isinstance(weights, str) and weights == "size":
        return Weights(weights)
    if isinstance(weights, Weights) and (weights.kind == "size" or weights.eligible is not None):
        return weights
    return None


def size_weights(extract: Extract, eligible: Mapping[str, float] | None) -> pl.DataFrame:
    """Return the size weight of each organisation: eligible staff over respondents.

    Columns: `organisation, size`. Organisations without a number are not in it.
    """
    if eligible is None:
        raise ExtractError(
            "National figures need the number of eligible staff of each organisation",
            expected="cm.Weights('size', eligible={'RXX': 4100, …})",
        )
    counts = extract.frame.group_by("organisation").len("respondents").sort("organisation")
    here = counts.filter(pl.col("organisation").is_in([*eligible])).with_columns(
        pl.col("organisation").replace_strict(eligible, return_dtype=pl.Float64).alias("eligible")
    )
    if here.is_empty():
        raise ExtractError(
            "None of the organisations of the extract has a number of eligible staff",
            hint="Name organisations by ODS code, as in the column organisation.",
        )
    wrong = here.filter((pl.col("eligible") < pl.col("respondents")) | ~pl.col("eligible").is_finite())
    if wrong.height:
        raise ExtractError(
            "Fewer staff were eligible than answered",
            where=f"organisations {', '.join(wrong['organisation'].head(5))}",
            hint="Eligible staff are all who were asked, whether they answered or not.",
        )
    return here.select("organisation", (pl.col("eligible") / pl.col("respondents")).alias("size"))


def _series(weights: Numbers | Sequence[float]) -> pl.Series:
    """Turn an array or list of numbers into a column; anything else is not quoted."""
    values = np.asarray(weights)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise ExtractError(
            "Weights must be numbers, one for each respondent",
            got=f"{type(weights).__name__} of {values.ndim} dimensions, {values.dtype}",
        )
    return pl.Series("weight", values)


def _supplied(weights: pl.Series, extract: Extract, where: str) -> Numbers:
    if len(weights) != extract.frame.height:
        raise ExtractError(
            "There must be one weight for each respondent",
            where=where,
            expected=f"{extract.frame.height:,} weights",
            got=f"{len(weights):,}",
            hint="Make weights from the extract they are used with.",
        )
    if not weights.dtype.is_numeric():
        raise ExtractError("Weights must be numbers", where=where, got=str(weights.dtype))
    values = weights.cast(pl.Float64)
    odd = int((~(values.is_finite() & (values > 0))).fill_null(value=True).sum())
    if odd:
        raise ExtractError(
            "Weights must be numbers above 0",
            where=where,
            got=f"{odd:,} that are missing, zero, negative or infinite",
        )
    return values.to_numpy()
