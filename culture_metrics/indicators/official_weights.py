"""Official weights by occupation: the mix of the benchmark group over that of the organisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.errors import ExtractError, unknown
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.indicators.codes import codes_of
from culture_metrics.indicators.official_mix import OfficialMix
from culture_metrics.indicators.pooling import (
    answered,
    bases_of,
    in_pools,
    least_base,
    to_pool,
    to_pool_everywhere,
    warn_of_pools,
)
from culture_metrics.indicators.scoring import answer_codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culture_metrics.catalogue.weighting import Weighting
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.weights import Weights

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]


class OfficialWeights(NamedTuple):
    """The weight of each respondent, and the organisations that official results do not weight."""

    values: Numbers
    unweighted: tuple[str, ...]


@dataclass(frozen=True)
class _Counted:
    """Respondents by organisation and weighting group: `group` is that of each respondent."""

    organisations: pl.Series
    organisation: Whole
    group: Whole
    counts: Numbers


@dataclass(frozen=True)
class WeightingGroups(_Counted):
    """The same with what a respondent of each organisation and group counts for.

    `exact` is the weight by the formula, before small groups (`pooled`) share one.
    """

    weight: Numbers
    exact: Numbers
    pooled: Flags
    unweighted: Flags


def official_weights(extract: Extract, rules: Weights) -> OfficialWeights:
    """Return the official weight of each respondent."""
    found = weighting_groups(extract, rules)
    each = found.weight[found.organisation, found.group]
    return OfficialWeights(each, tuple(found.organisations.filter(found.unweighted)))


def weighting_groups(extract: Extract, rules: Weights) -> WeightingGroups:
    """Put respondents into weighting groups, each with its weight `min(cap, (n_bg / N_b) / (n_og / N_o))`.

    Raises
    ------
    ExtractError
        When the survey has no official weights, the extract no occupations or kinds of organisation, or there
        is no mix to weight to.
    """
    weighting, edition = extract.edition.survey.weighting, extract.edition
    if weighting is None:
        raise ExtractError(
            f"The {edition.survey.label} has no official weights",
            expected="no weights, or weights of your own (a column, numbers, cm.rake)",
        )
    question = edition.questions[weighting.question].code
    if question not in extract.frame.columns:
        raise ExtractError(
            "Official weights need the occupation of respondents",
            where=f"column {question}",
            hint="Leave weights out, as official breakdown reports do.",
        )
    names = codes_of(extract.frame["organisation"]).names.cast(pl.String)
    groups = _benchmark_groups(extract, names, rules)
    unweighted = np.array([group in edition.survey.unweighted_groups for group in groups])
    apart = _apart(weighting, groups, unweighted, rules)
    found = _count(extract, weighting, question, apart)
    least = least_base(rules.pool_below, edition.survey.minimum_base)
    pooled = _pools(extract, found, least) & ~unweighted[:, None]
    if rules.mix is None:
        wanted, everywhere = _mix_of_the_extract(found, groups, pooled, least)
        pooled |= everywhere & ~unweighted[:, None]
    else:
        wanted = _wanted(extract, weighting, rules.mix, groups, found)
    share = found.counts / found.counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        exact = np.minimum(wanted / share, weighting.cap)
        weight = np.minimum(in_pools(wanted, pooled) / in_pools(share, pooled), weighting.cap)
    exact[unweighted] = weight[unweighted] = 1.0
    _warn(weighting, found, pooled)
    people = found.organisations, found.organisation, found.group, found.counts
    return WeightingGroups(*people, weight, exact, pooled, unweighted)


def _benchmark_groups(extract: Extract, names: pl.Series, rules: Weights) -> list[str | None]:
    """Return the benchmark group of each organisation: that of the mix, or of the extract."""
    own: dict[str, str | None] = {}
    if "benchmark_group" in extract.frame.columns:
        said = extract.frame.group_by("organisation").agg(pl.col("benchmark_group").drop_nulls().min())
        own = dict(said.select(pl.col("organisation").cast(pl.String), "benchmark_group").iter_rows())
    known = rules.mix.benchmark_groups if isinstance(rules.mix, OfficialMix) else {}
    return [known.get(name) or own.get(name) for name in names]


def _apart(
    weighting: Weighting, groups: list[str | None], unweighted: Flags, rules: Weights
) -> tuple[tuple[str, ...], ...]:
    """Return the weighting groups that each organisation keeps apart."""
    if rules.mix is not None and not isinstance(rules.mix, OfficialMix):
        for name in rules.mix:
            if name not in weighting.groups:
                raise unknown("weighting group", name, weighting.groups)
        return (tuple(rules.mix),) * len(groups)
    found = []
    for group, none in zip(groups, unweighted, strict=True):
        kind = None if group is None else weighting.kind(group)
        if kind is None and not none:
            raise ExtractError(
                "Official weights hang on the kind of organisation, which is not known",
                where="column benchmark_group",
                got="nothing" if group is None else f"'{group}'",
                expected=f"one of {', '.join(g for named in weighting.kinds.values() for g in named)}",
                hint="Give the mix of a published workbook that has the organisation: "
                "cm.Weights('official', mix=cm.official_mix(published)).",
            )
        found.append(weighting.apart(kind) if kind else ())
    return tuple(found)


def _count(
    extract: Extract, weighting: Weighting, question: str, apart: tuple[tuple[str, ...], ...]
) -> _Counted:
    """Put respondents into weighting groups; what is not kept apart, and who gave no answer, is the rest."""
    place = {name: i for i, name in enumerate(weighting.groups)}
    rest = place[weighting.rest]
    of_code = np.full(256, rest)
    for code, name in weighting.group_of(extract.period).items():
        of_code[code] = place[name]
    answer = extract.frame.select(answer_codes(question)).to_series().to_numpy().view(np.uint8)
    organisation = codes_of(extract.frame["organisation"])
    own = np.array([[name in names for name in weighting.groups] for names in apart])
    fine, whose = of_code[answer], organisation.codes.astype(np.int64)
    group = np.where(own[whose, fine], fine, rest)
    counts = np.zeros(own.shape)
    np.add.at(counts, (whose, group), 1)
    return _Counted(organisation.names.cast(pl.String), whose, group, counts)


def _pools(extract: Extract, found: _Counted, least: int) -> Flags:
    """Say which groups of each organisation are so small that they share a weight."""
    there, size = answered(extract), found.counts.shape[1] + 1
    own = [np.flatnonzero(found.organisation == o) for o in range(len(found.counts))]
    bases = np.stack([bases_of(found.group[rows], size, there[rows]) for rows in own])
    return to_pool(bases, least)[:, :-1]


def _mix_of_the_extract(
    found: _Counted, groups: list[str | None], pooled: Flags, least: int
) -> tuple[Numbers, Flags]:
    """Return the mix of all respondents of each benchmark group in the extract, and who shares a weight."""
    if len(groups) < 2:
        raise ExtractError(
            "Official weights need the mix of the benchmark group",
            expected="an extract of several organisations, or the mix of a published workbook",
            hint="cm.Weights('official', mix=cm.official_mix(published)); official_mix takes a workbook of "
            "organisation results, also that of the year before.",
        )
    peers = codes_of(pl.Series([group or "" for group in groups], dtype=pl.String)).codes
    total = np.zeros((int(peers.max()) + 1, found.counts.shape[1]))
    np.add.at(total, peers, found.counts)
    everywhere = to_pool_everywhere(pooled, found.counts.astype(np.int64), peers, least)
    return (total / total.sum(axis=1, keepdims=True))[peers], everywhere


def _wanted(
    extract: Extract,
    weighting: Weighting,
    mix: OfficialMix | Mapping[str, float],
    groups: list[str | None],
    found: _Counted,
) -> Numbers:
    """Return the share wanted of each group in each organisation."""
    shares = [mix.of(group) if isinstance(mix, OfficialMix) else mix for group in groups]
    wanted = np.array([[float(own.get(name, 0)) for name in weighting.groups] for own in shares])
    left = (found.counts > 0) & ~(wanted > 0) & (wanted.sum(axis=1) > 0)[:, None]
    if left.any():
        labels = [group.label for group in weighting.groups.values()]
        rows = {labels[i]: int(found.counts[:, i].sum()) for i in np.flatnonzero(left.any(axis=0))}
        raise ExtractError(
            "The occupation mix leaves out groups that respondents belong to",
            got=f"no share above 0 for {named(rows, extract.edition.survey.minimum_base, noun='group')}",
            hint="Give a share for every group; what is not kept apart is in "
            f"'{weighting.rest}', people without an occupation as well.",
        )
    return np.asarray(wanted / np.maximum(wanted.sum(axis=1, keepdims=True), 1e-300))


def _warn(weighting: Weighting, found: _Counted, pooled: Flags) -> None:
    shared = pooled & (found.counts > 0)
    labels = [group.label for group in weighting.groups.values()]
    pools = {
        name: [labels[i] for i in np.flatnonzero(own)]
        for name, own in zip(found.organisations, shared, strict=True)
        if own.sum() > 1
    }
    warn_of_pools(pools, "Weighting groups")
