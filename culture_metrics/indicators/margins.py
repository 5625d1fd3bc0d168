"""Margins: staff in post by group, what each category of respondents should weigh, and how it came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import least_base
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.indicators.pooling import bases_of, to_pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.codes import Codes

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

COLUMNS = ["organisation", "breakdown", "group", "staff"]


@dataclass(frozen=True)
class Margin:
    """One margin of one organisation: the category of each of its respondents and the share each should have.

    A category is a group, or several that share a weight. The last takes those whose group is not known, at
    the share they have.
    """

    codes: Whole
    target: Numbers


@dataclass(frozen=True)
class Staff:
    """Staff in post by group of a breakdown, and the group of each respondent (the last: not known).

    `unnamed` counts those whose group is known and not named in the margin.
    """

    where: tuple[str, str]
    groups: tuple[str, ...]
    staff: Numbers
    codes: Whole
    rows: Whole
    unnamed: int = 0

    @property
    def counts(self) -> Whole:
        """Respondents of each group; last those whose group is not known."""
        return np.bincount(self.codes, minlength=len(self.groups) + 1)


def margin_table(extract: Extract, margins: Mapping[str, Mapping[str, float]] | pl.DataFrame) -> pl.DataFrame:
    """Return the margins as a table, a row for each organisation and group."""
    organisations = extract.frame["organisation"].unique().sort().to_list()
    if isinstance(margins, pl.DataFrame):
        missing = [c for c in COLUMNS if c not in margins.columns]
        if missing:
            raise ExtractError(
                "The table of margins lacks columns", got=", ".join(missing), expected=", ".join(COLUMNS)
            )
        without = sorted(set(organisations) - set(margins["organisation"]))
        if without:
            raise ExtractError("Some organisations have no margins", got=f"none for {', '.join(without[:5])}")
        table = margins.select(COLUMNS).filter(pl.col("organisation").is_in(organisations))
    else:
        if len(organisations) != 1:
            raise ExtractError(
                f"The extract holds {len(organisations)} organisations",
                expected="a table of margins with organisation, breakdown, group, staff",
            )
        rows = [
            (organisations[0], b, g, float(s)) for b, groups in margins.items() for g, s in groups.items()
        ]
        table = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    if not table.schema["staff"].is_numeric():
        raise ExtractError(
            "Staff in post must be numbers", where="column staff", got=str(table.schema["staff"])
        )
    table = table.with_columns(pl.col("staff").cast(pl.Float64))
    if table.is_empty() or not (table["staff"].is_finite() & (table["staff"] >= 0)).fill_null(False).all():
        raise ExtractError("Margins must be numbers of staff, 0 or more")
    if table.select(COLUMNS[:3]).is_duplicated().any():
        raise ExtractError("The margins name a group twice", where=f"columns {', '.join(COLUMNS[:3])}")
    return table


def staff_in(part: pl.DataFrame, group: Codes, rows: Whole, where: tuple[str, str]) -> Staff:
    """Set the staff of one margin beside its respondents.

    Parameters
    ----------
    part : polars.DataFrame
        `group, staff`.
    group : Codes
        Group of every respondent of the extract.
    rows : numpy.ndarray
        Those of the organisation.
    where : tuple of str
        Organisation and breakdown.

    Raises
    ------
    ExtractError
        When a group has respondents but no staff, or staff but no respondent.
    """
    codes, names = group.codes[rows], group.names
    staff = dict(part.select("group", "staff").rows())
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    answered = {n: c for n, c in zip(names, counts, strict=True) if c}
    place = f"organisation {where[0]}, {where[1]}"
    no_staff = {g: int(answered[g]) for g, number in staff.items() if not number and g in answered}
    if no_staff:
        raise ExtractError(
            "Respondents belong to groups without staff in post",
            where=place,
            got=named(no_staff, least_base([]), noun="group"),
        )
    nobody = [group for group, number in staff.items() if number and group not in answered]
    if nobody:
        raise ExtractError(
            "Nobody answered in some groups of staff in post",
            where=place,
            got=", ".join(nobody),
            hint="Check the names of the groups, or leave these out: nothing can speak for them.",
        )
    others = {group: int(count) for group, count in answered.items() if group not in staff}
    if others and sum(g in answered for g in staff) == 1:
        raise ExtractError(
            "A margin that names one group weighs nothing",
            where=place,
            expected="the staff in post of every group of the breakdown",
            got=f"{', '.join(g for g in staff if g in answered)} alone; respondents are in "
            + named(others, least_base([]), noun="group"),
            hint="Give the staff in post of the others as well, or leave the margin out.",
        )
    # Groups that the margin does not name are taken as not known.
    number = {group: i for i, group in enumerate(g for g in staff if g in answered)}
    of_name = np.array([number.get(name, len(number)) for name in names] + [len(number)], np.int64)
    return Staff(
        where,
        tuple(number),
        np.array([staff[group] for group in number]),
        of_name[codes],
        rows,
        sum(others.values()),
    )


def pools(staff: Sequence[Staff], there: Flags, least: int) -> list[Flags]:
    """Say for each breakdown which groups would be hidden in one measure; the last are not known."""
    width = max(len(s.groups) for s in staff)
    bases = np.zeros((len(staff), width + 1, there.shape[1]))
    for row, s in enumerate(staff):
        own = bases_of(s.codes, len(s.groups) + 1, there[s.rows])
        bases[row, : len(s.groups)], bases[row, -1] = own[:-1], own[-1]
    pooled = to_pool(bases, least)
    return [np.append(p[: len(s.groups)], p[-1]) for s, p in zip(staff, pooled, strict=True)]


def margin_of(staff: Staff, pooled: Flags) -> Margin:
    """Make one category of the groups that share a weight; those not known keep their share, unless few."""
    n = len(staff.groups)
    unknown = 0.0 if pooled[-1] else staff.counts[-1] / len(staff.codes)
    category = np.where(pooled, 0, np.cumsum(~pooled) - 1 + bool(pooled.any()))
    wanted = staff.staff / staff.staff.sum() * (1 - unknown)
    target = np.asarray(np.bincount(category[:n], wanted, category.max() + 1), np.float64)
    if not pooled[-1]:
        target[-1] = unknown
    return Margin(category[staff.codes], target)


def shares_of(staff: Staff, hidden: Flags, w: Numbers) -> pl.DataFrame:
    """Tabulate a margin before and after weighting: the columns of `Raking.table`."""
    n = len(staff.groups)
    base = staff.counts
    after = np.bincount(staff.codes, w, n + 1)
    # Were few not counted here, the shares would tell how many.
    whole = slice(n + 1) if hidden[-1] else slice(n)
    shares = {"before": 100 * base / base[whole].sum(), "after": 100 * after / after[whole].sum()}
    return pl.DataFrame(
        {
            "organisation": [staff.where[0]] * n,
            "breakdown": [staff.where[1]] * n,
            "group": staff.groups,
            "base": pl.Series(base[:n], dtype=pl.UInt32),
            "staff": 100 * staff.staff / staff.staff.sum(),
            **{name: numbers[:n] for name, numbers in shares.items()},
        }
    ).with_columns(
        pl.when(pl.Series(~hidden[:n])).then(pl.col(c)).alias(c) for c in ("base", "before", "after")
    )
