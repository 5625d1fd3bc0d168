"""What of some estimates may be shown: decided once for an extract, and alike for all that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.disclosure.decision import GROUP as KEY
from culture_metrics.disclosure.rule import warn_of_minimum
from culture_metrics.disclosure.suppression import hidden_cells
from culture_metrics.errors import CultureMetricsWarning, warn
from culture_metrics.indicators.cell_estimates import Verdict
from culture_metrics.indicators.release import PEOPLE, Release
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.cell_estimates import Found, Statuses

IN_PIECES = (
    "How people of several breakdowns or calls overlap is not known of an extract in pieces: what is hidden "
    "follows from the names of groups alone. Read it whole, or publish one breakdown."
)


def hidden_of(
    parts: Sequence[Found],
    extract: Extract,
    columns: Mapping[str, int],
    minimum_base: int,
    by: Mapping[str, tuple[str, ...]],
) -> list[Verdict]:
    """Decide what of the estimates of one release may be shown.

    Parameters
    ----------
    parts : sequence of Found
        The estimates.
    extract : Extract
        Where they come from.
    columns : mapping
        Measure -> the column of the estimates that has its base.
    minimum_base : int
        Smallest base that may be shown.
    by : mapping
        Breakdown -> the names it crosses.

    Returns
    -------
    list of Verdict
        For each part, by cell and measure.

    Notes
    -----
    What names and the catalogue say of groups is looked at first. Then the respondents are looked at: how
    groups lie in each other, overlap and nearly coincide, with all breakdowns of this call and of earlier
    ones about the same extract. Where more must be hidden for that, it is hidden, and no row of the
    organisation says any more which of its groups are small. What an earlier call decided, stays.

    A percentage of a question that is a breakdown as well (who has a long-term condition) tells how many are
    in a group: it must leave as many in the group, and out of it, as may be shown.
    """
    warn_of_minimum(minimum_base, extract.edition.survey.minimum_base)
    names = sorted(columns)
    keys = pl.concat([part.keys for part in parts])
    order = keys.with_row_index("cell").sort(KEY)["cell"].to_numpy()
    places, of_groups = [columns[n] for n in names], groups_counted(names, extract)
    tables = [_bases(part, places, of_groups) for part in parts]
    base, counted = (np.vstack(t) if len(t) > 1 else t[0] for t in zip(*tables, strict=True))
    if (np.diff(order.astype(np.int64)) < 0).any():
        base, counted = base[order], counted[order]
    cells = keys[order].with_columns(
        pl.lit(extract.survey).alias("survey"), pl.lit(extract.period).alias("period")
    )
    found = hidden_cells(cells, [PEOPLE, *names], base, minimum_base, counted=counted)
    release = Release(parts, extract, minimum_base, by, columns, of_groups)
    found = release.decide(cells.select(KEY), base, counted, found)
    if parts[0].extract is None:
        if len(by) > 1:
            warn(IN_PIECES, CultureMetricsWarning)
        if extract.decision.calls or extract.decision.in_pieces:
            extract.decision.not_looked_at = IN_PIECES
        extract.decision.in_pieces = True
    found = _with_crosses(found, cells, names, extract)
    why, rounded = np.empty_like(found), np.empty(found.shape, bool)
    why[order], rounded[order] = found, release.rounded
    back = {name: j + 1 for j, name in enumerate(names)}
    ends, own = np.cumsum([part.keys.height for part in parts])[:-1], [back[name] for name in columns]
    each = zip(np.split(why[:, own], ends), np.split(rounded[:, own], ends), strict=True)
    return [Verdict(*one) for one in each]


def groups_counted(names: Sequence[str], extract: Extract) -> NDArray[np.bool_]:
    """Say which measures tell how many respondents are in a group of a breakdown."""
    about_people = {b.question for b in extract.edition.breakdowns.values()}
    known = extract.edition.percentages
    return np.array([n in known and known[n].question in about_people for n in names], bool)


def _bases(
    part: Found, places: Sequence[int], of_groups: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bases and numbers counted, the respondents of each cell first; NaN where there is none."""
    base = part.estimates.base[:, places]
    asked, counted = base.any(axis=0), np.full(base.shape, np.nan)
    own = np.flatnonzero(asked & of_groups)
    share = np.nan_to_num(part.estimates.mean[:, np.array(places)[own]]) / 100
    counted[:, own] = np.round(base[:, own] * share)
    nobody = np.full((len(base), 1), np.nan)
    return (
        np.hstack([part.people[:, None], np.where(asked, base, np.nan)]),
        np.hstack([nobody, counted]),
    )


def _with_crosses(found: Statuses, cells: pl.DataFrame, names: Sequence[str], extract: Extract) -> Statuses:
    """Hide a percentage that counts a group where the cell's own cross with that group is hidden."""
    edition, untold = extract.edition, np.int8(STATUSES.index("suppressed"))
    of_question: dict[str, list[int]] = {}
    for place, name in enumerate(names, start=1):
        if name in edition.percentages:
            of_question.setdefault(edition.percentages[name].question or "", []).append(place)
    numbered = cells.select(KEY).with_row_index("_cell")
    gone = numbered.filter(pl.Series(found[:, 0] > 0))
    for name, breakdown in edition.breakdowns.items():
        places = of_question.get(breakdown.question or "-", [])
        fine = (
            gone.filter(pl.col("breakdown").str.split(CROSS).list.contains(name)) if places else gone.clear()
        )
        if fine.height:
            whole = _without(fine, name).join(numbered, on=KEY)["_cell"].unique()
            at = np.ix_(whole.to_numpy(), np.array(places))
            found[at] = np.where(found[at] == 0, untold, found[at])
    return found


def _without(cells: pl.DataFrame, name: str) -> pl.DataFrame:
    """Name the cells that crossed cells lie in when one breakdown of the cross is left out."""
    pieces = (
        cells.select("organisation", "_cell", pl.col("breakdown", "group").str.split(CROSS))
        .explode("breakdown", "group")
        .filter(pl.col("breakdown") != name)
        .group_by("organisation", "_cell", maintain_order=True)
        .agg(pl.col("breakdown", "group").str.join(CROSS))
    )
    rest = cells.select("organisation", "_cell").join(pieces, on=["organisation", "_cell"], how="left")
    return rest.select("organisation", pl.col("breakdown", "group").fill_null(ALL))
