"""What an organisation cannot change: its kind, size, region and who works there, as published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.standing import as_published
from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culture_metrics.published.published import Published

    Floats = NDArray[np.float64]

#: Breakdowns whose shares of respondents describe who works there; those that the edition has are used.
MIXES = {"occupation": "occupation_group", "age": "age", "ethnicity": "ethnicity_group"}
#: What the file says of an organisation itself.
KINDS = ("benchmark_group", "region")
COMPONENTS = ("benchmark_group", "size", "region", *MIXES)


@dataclass(frozen=True)
class Profile:
    """Profiles of the organisations of one workbook.

    Attributes
    ----------
    about : polars.DataFrame
        `organisation, name, benchmark_group, region, ics, base`, one row each.
    mixes : mapping
        Component -> shares (0 to 1) of its groups, a row per organisation.
    left_out : int
        Organisations without a published background.
    """

    about: pl.DataFrame
    mixes: Mapping[str, Floats]
    left_out: int

    def apart(self, component: str) -> Floats:
        """Return how far organisations are apart in one component, all pairs.

        Size: difference of logarithms of the base. Mixes: Hellinger's distance of the shares. Kinds: 1 where
        they differ, or where one is not known. All but the benchmark group have a mean square of 1 over the
        pairs of one benchmark group: neighbours are sought there, and what tells groups apart (occupations
        above all) would count for little inside one if it were measured over all pairs.
        """
        if component in self.mixes:
            root = np.sqrt(self.mixes[component])
            found = np.sqrt(((root[:, None, :] - root[None, :, :]) ** 2).sum(axis=2) / 2)
        elif component == "size":
            size = np.log(self.about["base"].to_numpy())
            found = np.abs(size[:, None] - size[None, :])
        else:
            found = self._differ(component)
        if component == "benchmark_group":
            return np.asarray(found)
        pairs = self._differ("benchmark_group") == 0
        np.fill_diagonal(pairs, val=False)
        if not pairs.any():
            pairs = ~np.eye(len(found), dtype=bool)
        usual = np.sqrt((found[pairs] ** 2).mean()) if pairs.any() else 0.0
        return np.asarray(found / usual if usual > 0 else found)

    def _differ(self, kind: str) -> Floats:
        """Return 1 where organisations are of different kinds, or one is of none, else 0."""
        of = self.about[kind].fill_null("").to_numpy()
        found = ((of[:, None] != of[None, :]) | (of == "")[:, None]).astype(float)
        np.fill_diagonal(found, 0.0)
        return np.asarray(found)


def profile_of(published: Published, where: str) -> Profile:
    """Read the profiles of the organisations of a workbook, of its newest period.

    Raises
    ------
    ResultsError
        When it is no workbook, or has no background of respondents (benchmark workbooks give none in this
        form).
    """
    as_published(published, "Peers are found in a published workbook", where)
    edition = catalogue(published.survey).edition(published.period)
    whole = (pl.col("breakdown") == ALL) & (pl.col("group") == ALL) & (pl.col("period") == published.period)
    answers = published.distributions.table.filter(whole)
    bases = published.results.table.filter(whole).group_by("organisation").agg(pl.col("base").max())
    about = (
        published.organisations.filter(pl.col("period") == published.period)
        .select("organisation", "name", "benchmark_group", "region", "ics")
        .join(bases.drop_nulls().filter(pl.col("base") > 0), on="organisation", how="inner")
    )
    everyone, shares = about.height, {}
    for component, name in MIXES.items():
        if (breakdown := edition.breakdowns.get(name)) is None or breakdown.question is None:
            continue
        codes = {code: group for group, some in breakdown.groups.items() for code in some}
        mix = (
            answers.filter(pl.col("question") == breakdown.question)
            .with_columns(part=pl.col("option").replace_strict(codes, default=None, return_dtype=pl.String))
            .drop_nulls(["part", "percent"])
            .group_by("organisation", "part")
            .agg(pl.col("percent").sum())
            .pivot(on="part", on_columns=list(breakdown.groups), index="organisation", values="percent")
        )
        if mix.is_empty():
            continue
        shares[component] = mix
        about = about.join(mix.select("organisation"), on="organisation", how="semi")
    if not shares or about.is_empty():
        raise ResultsError(
            "The workbook does not say who the respondents are",
            where=where,
            expected="background questions: occupation, age, ethnic group",
            hint="Take the detailed spreadsheet of organisation results.",
        )
    about = about.sort("organisation")
    mixes = {
        component: _shares(about.select("organisation").join(mix, on="organisation", how="left"))
        for component, mix in shares.items()
    }
    return Profile(about, mixes, everyone - about.height)


def _shares(mix: pl.DataFrame) -> Floats:
    """Return shares that add up to 1 in each row; a group that nobody named is 0."""
    percent = mix.drop("organisation").fill_null(0.0).to_numpy()
    return np.asarray(percent / percent.sum(axis=1, keepdims=True))
