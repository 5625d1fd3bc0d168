"""The story of two years: what moved at the top, where inside it sits, what may only have been renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.difference import ALPHA
from culture_metrics.compare.sentences import sentence
from culture_metrics.contract import ALL
from culture_metrics.problems import listed
from culture_metrics.wording.changes import with_unit
from culture_metrics.wording.verdicts import CLEAR, LIKELY

if TYPE_CHECKING:
    from culture_metrics.catalogue import Edition
    from culture_metrics.compare.comparison import YearComparison

#: Measures that a story follows, and groups that it names of each breakdown.
FOLLOWED, NAMED = 3, 3


def story(change: YearComparison) -> list[str]:
    """Say what moved in the whole organisation, where inside, and which groups came and went.

    Notes
    -----
    What moved beyond chance comes first, leading scores before other measures; where nothing did, what is
    likely to have. Of each breakdown Cochran's Q says whether its groups moved apart beyond chance; only then
    are groups named, by their change shrunken towards that of all groups (DerSimonian and Laird 1986).
    """
    survey = catalogue(change.survey)
    whole = change.whole().table.filter(pl.col("p_value").is_not_null())
    first = pl.col("level").is_in(survey.leading)
    order = [first, pl.col("standardised_difference").abs()]
    found = whole.filter(pl.col("verdict").is_in(CLEAR)).sort(order, descending=True, nulls_last=True)
    if found.is_empty():
        found = whole.filter(pl.col("verdict").is_in(LIKELY)).sort(order, descending=True, nulls_last=True)
    ends = f"from {change.from_period} to {change.to_period}"
    said = []
    if whole.height and not (found["level"].is_in(list(survey.leading))).any():
        said.append(f"No leading score moved beyond chance {ends}.")
    edition = survey.edition(change.to_period)
    for row in found.head(FOLLOWED).iter_slices(1):
        said.append(str(row.select(sentence()).item()))
        said += _inside(change, row, edition)
    return said + _apart(change)


def _inside(change: YearComparison, row: pl.DataFrame, edition: Edition) -> list[str]:
    """Say of each breakdown whether its groups share a change, and which stand out."""
    key = row.select("organisation", "measure").row(0, named=True)
    rows = change.table.filter(
        pl.col("breakdown") != ALL, pl.col("p_value").is_not_null(), pl.col("std_error") > 0, **key
    )
    said = []
    for groups in rows.partition_by("breakdown", maintain_order=True):
        if groups.height < 2:
            continue
        label = edition.breakdown_label(str(groups["breakdown"][0])).lower()
        differ, shrunk = _shrunken(groups["difference"].to_numpy(), groups["std_error"].to_numpy())
        if not differ:
            said.append(f"By {label} the groups do not move apart beyond chance.")
            continue
        centre = float(np.average(shrunk, weights=groups["base_to"].to_numpy()))
        furthest = groups.with_columns(shrunk=shrunk).sort((pl.col("shrunk") - centre).abs(), descending=True)
        named = [
            f"{group} ({with_unit(value, str(row['unit'].item()))})"
            for group, value in furthest.head(NAMED).select("group", "shrunk").iter_rows()
        ]
        said.append(f"By {label} the groups move apart beyond chance; furthest, shrunken: {listed(named)}.")
    return said


def _shrunken(
    change: np.ndarray[tuple[int], np.dtype[np.float64]], error: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[bool, pl.Series]:
    """Return whether changes differ beyond chance, and each drawn to their mean as far as it is uncertain."""
    from scipy.special import chdtrc

    weight = 1 / error**2
    mean = np.average(change, weights=weight)
    q = float((weight * (change - mean) ** 2).sum())
    df = len(change) - 1
    between = max((q - df) / (weight.sum() - (weight**2).sum() / weight.sum()), 0.0)
    pulled = mean + (change - mean) * between / (between + error**2)
    return bool(chdtrc(df, q) < ALPHA), pl.Series("shrunk", pulled)


def _apart(change: YearComparison) -> list[str]:
    """Name the groups of one year only: they change the mix, or have another name."""
    ends = ((change.groups_vanished, change.from_period), (change.groups_appeared, change.to_period))
    told = [
        f"only in {period}: {listed([g.split(': ', 1)[1] for g in groups])}"
        for groups, period in ends
        if groups
    ]
    if not told:
        return []
    return [f"Groups {'; '.join(told)}. They count as a change of mix, unless one was renamed."]
