"""The occupation mix of benchmark groups, from the occupation counts of a published workbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import stdtrit

from culture_metrics.errors import ExtractError, kind_of
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed
from culture_metrics.published import Published

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from culture_metrics.catalogue import Edition
    from culture_metrics.catalogue.weighting import Weighting

    Numbers = NDArray[np.float64]

#: How the movement of a mix from one year to the next is known.
MOVED, DRAWN, NOT_KNOWN = (
    "from two years",
    "as if organisations were drawn anew",
    "not known",
)


@dataclass(frozen=True)
class Movement:
    """How far the mix of a benchmark group may move in a year.

    `covariance` is that of the shares of its weighting groups, in the order of the survey's groups, `df` how
    much it rests on, `how` where it is from.
    """

    covariance: Numbers
    df: float
    how: str

    @property
    def factor(self) -> float:
        """Standard deviations on either side of which 95 % lie."""
        return float(stdtrit(self.df, 0.975))


@dataclass(frozen=True, repr=False, eq=False)
class OfficialMix(Output):
    """The occupation mix of every benchmark group of a release.

    Attributes
    ----------
    table : polars.DataFrame
        A row for each benchmark group and weighting group that it keeps apart: `survey, period,
        benchmark_group, kind, weighting_group, label, base` (respondents), `share` (of all respondents, 0 to
        1), `std_error` (how far the share may move in a year).
    weights : polars.DataFrame
        A row for each organisation and weighting group: `organisation, benchmark_group, weighting_group,
        base, share, weight` (what each respondent of the group counts for).
    survey, period : str
        The release.
    """

    survey: str
    period: str
    organisations: pl.DataFrame = field(repr=False)
    movements: Mapping[str, Movement] = field(repr=False)
    left_out: tuple[str, ...] = ()

    @cached_property
    def edition(self) -> Edition:
        """The edition of the release."""
        from culture_metrics.catalogue import catalogue

        return catalogue(self.survey).edition(self.period)

    @cached_property
    def table(self) -> pl.DataFrame:
        """The mixes, a row for each benchmark group and weighting group."""
        rules = weighting_in(self.edition)
        total = self.organisations.group_by("benchmark_group", "weighting_group").agg(pl.col("base").sum())
        moves = [
            {"benchmark_group": group, "weighting_group": name, "std_error": float(np.sqrt(variance))}
            for group, moved in self.movements.items()
            for name, variance in zip(rules.groups, np.diag(moved.covariance), strict=True)
        ]
        schema = {"benchmark_group": pl.String, "weighting_group": pl.String, "std_error": pl.Float64}
        about = pl.DataFrame(
            {
                "weighting_group": [*rules.groups],
                "label": [group.label for group in rules.groups.values()],
                "_order": range(len(rules.groups)),
            }
        )
        return (
            total.join(about, on="weighting_group")
            .join(pl.DataFrame(moves, schema=schema), on=["benchmark_group", "weighting_group"], how="left")
            .sort("benchmark_group", "_order")
            .select(
                pl.lit(self.survey).alias("survey"),
                pl.lit(self.period).alias("period"),
                "benchmark_group",
                pl.col("benchmark_group").replace_strict(_kinds(rules), default=None).alias("kind"),
                "weighting_group",
                "label",
                "base",
                share=pl.col("base") / pl.col("base").sum().over("benchmark_group"),
                std_error=pl.col("std_error").fill_nan(None),
            )
        )

    @cached_property
    def weights(self) -> pl.DataFrame:
        """What each respondent counts for, by organisation and weighting group."""
        mix = self.table.select("benchmark_group", "weighting_group", wanted="share")
        share = pl.col("base") / pl.col("base").sum().over("organisation")
        cap = weighting_in(self.edition).cap
        return (
            self.organisations.with_columns(share=share)
            .join(mix, on=["benchmark_group", "weighting_group"], how="left", maintain_order="left")
            .with_columns(
                weight=pl.when(pl.col("base") > 0).then((pl.col("wanted") / pl.col("share")).clip(None, cap))
            )
            .drop("wanted")
        )

    @cached_property
    def benchmark_groups(self) -> dict[str, str]:
        """The benchmark group of each organisation of the release."""
        return dict(self.organisations.select("organisation", "benchmark_group").unique().iter_rows())

    @cached_property
    def _shares(self) -> dict[str, dict[str, float]]:
        return {
            group: dict(rows.select("weighting_group", "share").iter_rows())
            for (group,), rows in self.table.group_by("benchmark_group")
        }

    def of(self, benchmark_group: str | None) -> Mapping[str, float]:
        """Return the mix of a benchmark group: the share of each weighting group; empty where it has none."""
        return self._shares.get(benchmark_group or "", {})

    def summary(self) -> str:
        """Say what the mixes are of, and how far they may move in a year."""
        n = self.organisations["organisation"].n_unique()
        said = [
            f"Occupation mix of {counted(len(self._shares), 'benchmark group')} from the {self.period} "
            f"results of {counted(n, 'organisation')}."
        ]
        if self.left_out:
            said.append(f"Left out, as no occupations are published: {listed(self.left_out, most=8)}.")
        for how in (MOVED, DRAWN, NOT_KNOWN):
            groups = [group for group, moved in self.movements.items() if moved.how == how]
            if groups:
                said.append(f"How far it may move in a year, {how}: {listed(groups, most=9)}.")
        return " ".join([*said, *self.rules()])

    def rules(self) -> tuple[str, ...]:
        """Say what is assumed."""
        rules = weighting_in(self.edition)
        found = [one for group in self._shares for one in rules.open_about(group, self.period)]
        return (
            "Respondents of an organisation are taken to be its largest base, a few less than they are.",
            *(f"Not known: {one}" for one in dict.fromkeys(found)),
        )

    def __repr__(self) -> str:
        return f"OfficialMix({self.survey}, {self.period}: {len(self._shares)} benchmark groups. See .table)"


@verb
def official_mix(published: Published | Iterable[Published]) -> OfficialMix:
    """Work out the occupation mix that official results of each benchmark group are weighted to.

    Parameters
    ----------
    published : Published or list of Published
        A workbook of organisation results with the occupation of respondents (`read_published`): that of the
        year, or of the year before where that of the year is not out. Of several years the newest is the mix;
        the next says how far it moves in a year.

    Returns
    -------
    OfficialMix
        `.table`, the mixes; `.weights`, what respondents of each organisation count for; for
        `Weights("official", mix=…)` and `mirror`.

    Raises
    ------
    ExtractError
        When there is no workbook, or none of its organisations has occupations.

    Notes
    -----
    The count of a weighting group is the percentage of its occupations times their base, rounded; N is the
    largest base of an organisation, and who gave no occupation is N less those who did.

    How far a mix moves in a year: of two years, the mean over the groups of a benchmark group of
    `N (p1 - p0)² / (p (1 - p))`, the dispersion of a multinomial, whose covariance the movement then has. Of
    one, the movement that there would be if the organisations of the benchmark group were drawn anew in each
    year (twice the variance of a ratio of sums over organisations); organisations change less than that.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> mix = official_mix(cm.study([]).workbook)
    >>> round(mix.table["share"].sum(), 9) == mix.table["benchmark_group"].n_unique()
    True
    """
    years = [published] if isinstance(published, Published) else [*published]
    for one in years:
        if not isinstance(one, Published):
            raise ExtractError(
                "official_mix takes workbooks of published results",
                expected="what read_published returned, or a list of them",
                got=kind_of(one),
            )
    years = sorted(years, key=lambda one: one.period)[-2:]
    if not years:
        raise ExtractError("There is no published workbook to take the mix of occupations from")
    counts = [_counts(one) for one in years]
    newest, (organisations, left_out) = years[-1], counts[-1]
    if organisations.is_empty():
        raise ExtractError(
            "The workbook has no occupations of organisations that are weighted",
            expected="the detailed spreadsheet of organisation results",
            hint="The benchmark workbook and the national one do not have them.",
        )
    movements = _movements([found for found, _ in counts], weighting_in(newest.edition))
    return OfficialMix(
        survey=newest.survey,
        period=newest.period,
        organisations=organisations,
        movements=movements,
        left_out=left_out,
        provenance=_source(newest),
    )


def weighting_in(edition: Edition) -> Weighting:
    """Return the official weighting of the survey of an edition."""
    if edition.survey.weighting is None:
        raise ExtractError(f"The {edition.survey.label} has no official weights")
    return edition.survey.weighting


def _source(published: Published) -> dict[str, Any]:
    return {name: published.provenance[name] for name in ("file", "sha256") if name in published.provenance}


def _kinds(rules: Weighting) -> dict[str, str]:
    return {group: kind for kind, named in rules.kinds.items() for group in named}


def _counts(published: Published) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Count respondents by organisation and weighting group; also says of whom no occupations are there."""
    rules = weighting_in(published.edition)
    kinds, of_code = _kinds(rules), rules.group_of(published.period)
    apart = {(g, name): name for g, kind in kinds.items() for name in rules.apart(kind)}
    whole = published.distributions.table.filter(breakdown="all", period=published.period)
    weighted = published.organisations.filter(pl.col("benchmark_group").is_in([*kinds])).select(
        "organisation", "benchmark_group"
    )
    of_year = published.table.filter(breakdown="all", period=published.period)
    everyone = pl.concat([table.select("organisation", "base") for table in (whole, of_year)])
    people = everyone.group_by("organisation").agg(pl.col("base").max().cast(pl.Int64).alias("people"))
    fine = (
        whole.filter(pl.col("percent").is_not_null(), question=rules.question)
        .join(weighted, on="organisation")
        .with_columns(
            base=(pl.col("percent") * pl.col("base") / 100).round().cast(pl.Int64),
            weighting_group=pl.col("option").replace_strict(
                of_code, default=rules.rest, return_dtype=pl.String
            ),
        )
    )
    where = pl.DataFrame(
        [(group, name, name) for group, name in apart],
        schema=["benchmark_group", "weighting_group", "_apart"],
        orient="row",
    )
    merged = (
        fine.join(where, on=["benchmark_group", "weighting_group"], how="left")
        .group_by("organisation", "benchmark_group", weighting_group=pl.col("_apart").fill_null(rules.rest))
        .agg(pl.col("base").sum())
    )
    given = merged.group_by("organisation").agg(pl.col("base").sum().alias("given"))
    grid = (
        given.join(weighted, on="organisation")
        .join(where.select("benchmark_group", "weighting_group"), on="benchmark_group")
        .join(merged, on=["organisation", "benchmark_group", "weighting_group"], how="left")
        .join(people, on="organisation", how="left")
    )
    unstated = pl.when(weighting_group=rules.rest).then(pl.col("people") - pl.col("given")).otherwise(0)
    found = grid.select(
        "organisation",
        "benchmark_group",
        "weighting_group",
        base=pl.col("base").fill_null(0) + unstated.clip(0, None),
    ).sort("organisation", "weighting_group")
    without = weighted.join(given, on="organisation", how="anti")["organisation"].sort()
    return found, tuple(without)


def _movements(years: list[pl.DataFrame], rules: Weighting) -> dict[str, Movement]:
    """Return how far the mix of each benchmark group may move in a year; the newest year is last."""
    return {
        group: _moved([_matrix(year, group, rules) for year in years])
        for group in years[-1]["benchmark_group"].unique().sort()
    }


def _matrix(counts: pl.DataFrame, benchmark_group: str, rules: Weighting) -> Numbers:
    """Return respondents, organisations × weighting groups."""
    own = counts.filter(benchmark_group=benchmark_group)
    wide = own.pivot("weighting_group", index="organisation", values="base").fill_null(0)
    return np.column_stack(
        [wide[name].to_numpy() if name in wide.columns else np.zeros(wide.height) for name in rules.groups]
    ).astype(np.float64)


def _moved(years: list[Numbers]) -> Movement:
    counts = years[-1]
    size, people = len(counts), counts.sum()
    share = counts.sum(axis=0) / people
    if len(years) > 1 and len(years[0]):
        before = years[0].sum(axis=0) / years[0].sum()
        there = (share > 0) & (before > 0) & (share < 1)
        if there.sum() > 1:
            squared = (share - before)[there] ** 2 / (share * (1 - share))[there]
            spread = np.diag(share) - np.outer(share, share)
            return Movement(float(squared.mean()) * spread, float(there.sum() - 1), MOVED)
    if size < 2:
        return Movement(np.full((len(share), len(share)), np.nan), 1.0, NOT_KNOWN)
    left = (counts - counts.sum(axis=1, keepdims=True) * share) / people
    return Movement(2 * size / (size - 1) * left.T @ left, float(size - 1), DRAWN)
