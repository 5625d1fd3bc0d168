"""Weights: occupation mix, size of organisations, raked to staff in post, or the user's own."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import ExtractError, unknown
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.files.raw import ROW
from culture_metrics.indicators.breakdowns import group_codes, group_columns
from culture_metrics.indicators.codes import codes_of
from culture_metrics.indicators.pooling import (
    answered,
    bases_of,
    in_pools,
    least_base,
    to_pool,
    to_pool_everywhere,
    warn_of_pools,
)
from culture_metrics.indicators.raking import Raking, check_minimum, check_raking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.codes import Codes

    Numbers = NDArray[np.float64]
    #: What can be given as weights: a name, rules, a raking, or one number per respondent.
    AnyWeights: TypeAlias = "str | Weights | Raking | pl.Series | Numbers | Sequence[float] | None"

WEIGHTINGS = ("none", "occupation_group", "size", "occupation_group_and_size")
#: Weightings of national figures: all organisations together.
NATIONAL = ("size", "occupation_group_and_size")
CAP = 5.0


@dataclass(frozen=True)
class Weights:
    """Official weights, with the assumptions behind them.

    Parameters
    ----------
    kind : {"none", "occupation_group", "size", "occupation_group_and_size"}
        `occupation_group` gives each organisation the occupation mix of its benchmark group, as official
        results of trusts have it. `size` counts each organisation for its eligible staff, as official
        national breakdowns have it; `occupation_group_and_size` multiplies the two, as the official national
        figures for all staff have it. The last two make figures of all organisations together.
    mix : mapping, optional
        Share of each occupation group to weight to. Left out, the mix of all respondents in the same
        benchmark group of the extract, which must then hold several organisations.
    eligible : mapping, optional
        Eligible staff of each organisation (ODS code), for `size`. Organisations that are not in it are left
        out of the figures: official national figures are of trusts alone.
    cap : float
        Largest occupation weight before it is brought to a mean of 1.
    unknown : float
        Occupation weight of a respondent whose occupation group is not known.
    normalise : bool
        Whether occupation weights have a mean of 1 in each organisation; it matters for their product with
        size only.
    pool_below : int, optional
        Occupation groups with fewer respondents in an organisation share one weight (see the notes). Left
        out, the survey's minimum base, or the `minimum_base` that `estimate` or `distributions` is asked
        for, whichever is larger. What you give stands; 1 pools nothing, as the official form may have it:
        its weighted totals give hidden groups away.

    Notes
    -----
    What official results are weighted by is published with them. The form of the occupation weight is not
    confirmed: the cap of 5 is stated by a secondary source; that the weight is the share wanted over the
    share in the organisation, 1 without an occupation group, and has a mean of 1 are assumptions, which
    `cap`, `unknown` and `normalise` change. Official weights use 13 groups that were not found; the eight
    published ones are used here. Organisations of a kind that is officially unweighted (ICBs, CSUs) keep
    the weight 1.

    A weight is a function of how many belong to a group: were hidden groups weighted differently, the
    effective base of a weighted total would tell how many they are, and the total what they said. Groups that
    would be hidden if the groups' respondents, or any measure that four in five of an organisation answer,
    were published are therefore weighted as one, to the share wanted of all of them over their share: those
    below `pool_below` and as many of the next smallest as it takes (Ambulance and Medical, say). Few
    respondents without an occupation group count in the pool as well. Where the mix is that of the extract,
    groups whose share in it would tell of one organisation share a weight in all. Weights that rest on few
    people are unstable besides, which is why cells are collapsed in post-stratification (Little 1993, JASA
    88, 1001-1012). A `SmallBaseWarning` names who shares.

    Where questions that few are asked, or cells of a cross with other breakdowns, are hidden, weights can
    still differ within what is hidden.

    Examples
    --------
    >>> Weights("size", eligible={"RXX": 4100, "RYY": 2600}).kind
    'size'
    """

    kind: str = "none"
    mix: Mapping[str, float] | None = field(default=None, hash=False)
    eligible: Mapping[str, float] | None = field(default=None, hash=False)
    cap: float = CAP
    unknown: float = 1.0
    normalise: bool = True
    pool_below: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in WEIGHTINGS:
            raise unknown("weighting", self.kind, WEIGHTINGS)
        if self.cap <= 0 or self.unknown <= 0:
            raise ExtractError("A weight must be above 0", expected="cap and unknown above 0")
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
    if isinstance(weights, str) and weights in WEIGHTINGS:
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
    own = [c for c in extract.frame.columns if c not in (*extract.edition.columns, *WEIGHTINGS, ROW)]
    if isinstance(weights, str) and weights in own:
        return Weighted("supplied", _supplied(extract.frame[weights], extract, f"column {weights}"))
    if isinstance(weights, str):
        if weights == "raked":
            raise ExtractError(
                "Raked weights need the margins to rake to",
                hint="Make them with cm.rake(extract, margins) and give what it returns as weights.",
            )
        if weights not in WEIGHTINGS:
            numbers = [c for c in own if extract.frame.schema[c].is_numeric()]
            raise unknown("weighting or column of weights", weights, [*WEIGHTINGS, *numbers])
        weights = Weights(weights)
    if not isinstance(weights, Weights):
        raise ExtractError(
            "These are no weights",
            got=type(weights).__name__,
            expected="a name, cm.Weights(…), cm.rake(…), a column, or one number for each respondent",
        )
    if weights.kind.startswith("occupation_group"):
        if "occupation_group" not in extract.edition.breakdowns:
            raise ExtractError(
                f"The {extract.edition.survey.label} has no occupation groups to weight by",
                expected="no weights, or weights of your own (a column, numbers, cm.rake)",
            )
        return Weighted("occupation_group", occupation_weights(extract, weights))
    return Weighted("none", None)


def occupation_weights(extract: Extract, rules: Weights) -> Numbers:
    """Return the occupation weight of each respondent: the share wanted over the share there is.

    One weight for each organisation and occupation group, so that it takes no more than their counts; groups
    too small to be shown have one together.
    """
    least = least_base(rules.pool_below, extract.edition.survey.minimum_base)
    group = group_codes(extract, ["occupation_group"])["occupation_group"]
    organisation = codes_of(extract.frame["organisation"])
    n_groups, n_organisations = len(group.names), len(organisation.names)
    joint = organisation.codes * (n_groups + 1) + np.where(group.codes < 0, n_groups, group.codes)
    counts = np.bincount(joint, minlength=n_organisations * (n_groups + 1)).reshape(n_organisations, -1)
    known = counts[:, :-1].astype(np.float64)
    benchmark = _benchmark_groups(extract, organisation)
    unweighted = (
        benchmark.is_in([*extract.edition.survey.unweighted_groups]).fill_null(value=False).to_numpy()
    )
    there, places = (
        answered(extract),
        [np.flatnonzero(organisation.codes == o) for o in range(n_organisations)],
    )
    category = joint % (n_groups + 1)
    bases = np.stack([bases_of(category[own], n_groups + 1, there[own]) for own in places])
    pooled = to_pool(bases, least) & ~unweighted[:, None]
    # Few whose group is not known are counted with the pool.
    sized = np.hstack([counts[:, :-1], np.where(pooled[:, -1], counts[:, -1], 0)[:, None]])
    if rules.mix is None:
        if n_organisations < 2:
            raise ExtractError(
                "Weights by occupation group need a mix to weight to",
                expected="several organisations, or a mix: cm.Weights('occupation_group', mix=…)",
                hint="Leave weights out, as official breakdown reports do.",
            )
        peers = codes_of(benchmark.fill_null(""))
        total = np.zeros((len(peers.names), n_groups))
        np.add.at(total, peers.codes, known)
        wanted = _shares(total)[peers.codes]
        pooled[:, :-1] |= to_pool_everywhere(pooled[:, :-1], sized[:, :-1], peers.codes, least)
    else:
        wanted = np.broadcast_to(_wanted(extract, rules.mix, group.names), known.shape)
    aim = in_pools(np.hstack([wanted, np.zeros((n_organisations, 1))]), pooled)
    share = in_pools(_shares(sized.astype(np.float64)), pooled)
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = np.where((share > 0) & (aim > 0), np.minimum(aim / share, rules.cap), rules.unknown)
    if rules.normalise:
        raw /= ((raw * counts).sum(axis=1) / counts.sum(axis=1))[:, None]
    raw[unweighted] = 1.0
    who, shared = [*group.names, "not known"], pooled & (sized > 0)
    pools = {
        name: [who[i] for i in np.flatnonzero(own)]
        for name, own in zip(organisation.names, shared, strict=True)
        if own.sum() > 1
    }
    warn_of_pools(pools, "Occupation groups")
    return np.asarray(raw.ravel()[joint])


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


def _benchmark_groups(extract: Extract, organisation: Codes) -> pl.Series:
    """Return the benchmark group of each organisation; null where the extract does not say."""
    if "benchmark_group" not in extract.frame.columns:
        return pl.Series("benchmark_group", [None] * len(organisation.names), dtype=pl.String)
    groups = extract.frame.group_by("organisation").agg(pl.col("benchmark_group").drop_nulls().min())
    return groups.sort("organisation")["benchmark_group"]


def _shares(counts: Numbers) -> Numbers:
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.zeros_like(counts), where=total > 0))


def _wanted(extract: Extract, mix: Mapping[str, float], here: pl.Series) -> Numbers:
    known = extract.edition.breakdowns["occupation_group"].groups
    for name in mix:
        if name not in known:
            raise unknown("group of occupations", name, known)
    everyone = extract.frame.select(group_columns(extract, ["occupation_group"])["occupation_group"])
    rows = everyone.to_series().drop_nulls().cast(pl.String).alias("group").value_counts(name="rows")
    left = {name: n for name, n in rows.sort("group").iter_rows() if not mix.get(name, 0) > 0}
    if left:
        raise ExtractError(
            "The occupation mix leaves out groups that respondents belong to",
            got=f"no share above 0 for {named(left, extract.edition.survey.minimum_base, noun='group')}",
            hint="Give a share for every group.",
        )
    shares = np.array([float(mix.get(name, 0)) for name in here])
    return np.asarray(shares / sum(mix.values()))


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
