"""Traps of flat panels: each check looks at the whole table and says what it found in counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import yaml

from culture_metrics.catalogue import least_base
from culture_metrics.files.names import squeeze
from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Totals of respondents that grow by more than this make a weighted mean one of the late years.
GROWTH = 2.0
FEW_VALUES = 15
_SIZE = re.compile(r"(responses|respondents|n|base)$", re.I)
_ROUNDED = 1e-6


class Checked(NamedTuple):
    """The table without what must not be analysed, and what was found."""

    table: pl.DataFrame
    problems: list[Problem]


def check_panel(table: pl.DataFrame) -> Checked:
    """Look for the traps of flat panels.

    Parameters
    ----------
    table : polars.DataFrame
        One row per `organisation` and `year`, numbers as numbers.

    Returns
    -------
    Checked
        Empty and all-zero columns, and figures on small bases, are taken out of the table; everything else
        stays and is reported.
    """
    table, problems = _placeholders(table)
    table, small = _small_bases(table)
    found = [
        *problems,
        *small,
        *_scrambled_codes(table),
        *_moving_places(table),
        *_engagement(table),
        *_mislabelled(table),
        *_growth(table),
        *_rounding(table),
        *_gaps(table),
    ]
    return Checked(table, found)


def _numbers(table: pl.DataFrame) -> list[str]:
    return [name for name, dtype in table.schema.items() if dtype.is_numeric() and name != "year"]


def _placeholders(table: pl.DataFrame) -> Checked:
    """Take out columns that are empty or zero throughout; report those with one value."""
    empty = [name for name in table.columns if table[name].null_count() == table.height]
    numbers = [name for name in _numbers(table) if name not in empty]
    spread = table.select(pl.col(numbers).n_unique() - pl.col(numbers).has_nulls().cast(pl.UInt32))
    single = [name for name in numbers if spread[name].item() == 1 and table[name].len() > 1]
    zero = [name for name in single if table[name].max() == 0]
    constant = [name for name in single if name not in zero]
    problems = [
        Problem(
            "warning",
            rule,
            found,
            expected,
            done,
            column=listed(names),
            rows=table.height,
        )
        for names, rule, found, expected, done in (
            (
                zero,
                "all zero",
                f"0 in every row of {counted(len(zero), 'column')}: placeholders, not measurements",
                "figures that differ",
                "Left out of the panel: never analyse them.",
            ),
            (
                empty,
                "empty column",
                f"{counted(len(empty), 'column')} without a single value",
                "values",
                "Left out of the panel.",
            ),
            (
                constant,
                "one value throughout",
                f"the same value in every row of {counted(len(constant), 'column')}",
                "figures that differ",
                "Kept; it can explain nothing.",
            ),
        )
        if names
    ]
    return Checked(table.drop(*zero, *empty), problems)


def _small_bases(table: pl.DataFrame) -> Checked:
    """Take out figures whose column of bases is below the minimum."""
    bases = {name: name[: -len("_base")] for name in _numbers(table) if name.endswith("_base")}
    hidden, problems, least = [], [], least_base(())
    for base, stem in bases.items():
        figures = [c for c in table.columns if c == stem or (c.startswith(f"{stem}_") and c not in bases)]
        small = table.filter(pl.col(base) < least)
        if not figures or small.is_empty():
            continue
        keep = pl.col(base) >= least
        hidden += [pl.when(keep).then(pl.col(name)).alias(name) for name in (*figures, base)]
        problems.append(
            Problem(
                "warning",
                "small bases",
                f"{counted(small.height, 'organisation-year')} of "
                f"{counted(small['organisation'].n_unique(), 'organisation')} with fewer than {least}",
                f"a base of {least} or more",
                "Their figures stay out.",
                column=listed(figures),
                rows=small.height,
            )
        )
    return Checked(table.with_columns(hidden), problems)


def _scrambled_codes(table: pl.DataFrame) -> Iterator[Problem]:
    """Report codes that do not go with the names beside them."""
    by_stem = {squeeze(name): name for name in table.columns}
    for squeezed, code in by_stem.items():
        name = by_stem.get(f"{squeezed.removesuffix('code')}name")
        if not squeezed.endswith("code") or name is None:
            continue
        pairs = table.select(code, name).drop_nulls().unique()
        codes, names = pairs[code].n_unique(), pairs[name].n_unique()
        if pairs.height > max(codes, names) or codes != names:
            several = (pairs.group_by(name).len()["len"] > 1).sum()
            yield Problem(
                "warning",
                "codes do not fit their names",
                f"{codes} codes for {names} names; {several} names stand with more than one code",
                f"one code for each {name}",
                f"Kept. The codes are scrambled: use {name}, never {code}.",
                column=code,
                rows=table.height,
            )


def _moving_places(table: pl.DataFrame) -> Iterator[Problem]:
    """Report organisations whose region, group or other name differs between years."""
    words = [
        name
        for name, dtype in table.schema.items()
        if dtype in (pl.String, pl.Categorical, pl.Enum)
        and name != "organisation"
        and not squeeze(name).endswith(("code", "weighting", "rating"))
    ]
    for name in words:
        several = table.group_by("organisation").agg(pl.col(name).drop_nulls().n_unique().alias("several"))
        moved = several.filter(pl.col("several") > 1)["organisation"].sort()
        if moved.len():
            yield Problem(
                "warning",
                "an organisation under several names of one kind",
                counted(moved.len(), "organisation"),
                f"one {name} in all years, unless it really changed",
                "Kept; check that the column means the same in every year.",
                column=name,
                rows=table.filter(pl.col("organisation").is_in(moved.implode())).height,
            )


def _engagement(table: pl.DataFrame) -> Iterator[Problem]:
    """Report scores named engagement that are not the official one of 0 to 10, or change their scale."""
    for name in _numbers(table):
        if "engagement" not in name.lower() or name.endswith("_base"):
            continue
        values = table[name].drop_nulls()
        low, high = values.min(), values.max()
        if not isinstance(low, int | float) or not isinstance(high, int | float):
            continue
        tops = table.group_by("year").agg(pl.col(name).max())[name].drop_nulls()
        if low >= 1 and high > 5 and (tops <= 5).any():
            yield Problem(
                "warning",
                "the scale changes between years",
                "a range of 1 to 5 in some years, beyond 5 in others",
                "one scale: the official score runs from 0 to 10 since 2018",
                "Kept; compare years of one scale only.",
                column=name,
                rows=values.len(),
            )
        elif low >= 1 and high <= 5:
            yield Problem(
                "warning",
                "engagement on a scale of 1 to 5",
                "no figure below 1 or above 5",
                "the official score of 0 to 10",
                "Kept; slopes are per point of 1 to 5, and figures since 2018 do not join.",
                column=name,
                rows=values.len(),
            )
        if _grid(values, 300) and not _grid(values, 100):
            yield Problem(
                "warning",
                "engagement is a mean of three figures",
                "figures in thirds of a hundredth: the mean of three that were rounded",
                "the official score of nine questions",
                "Kept; it may be the motivation questions alone. Look into its source before you name it.",
                column=name,
                rows=values.len(),
            )


def _mislabelled(table: pl.DataFrame) -> Iterator[Problem]:
    """Report columns of known files that hold something else than they say."""
    from importlib.resources import files

    text = files("data_schemas").joinpath("known_panels.yaml").read_text(encoding="utf-8")
    for known in yaml.safe_load(text):
        if set(known["columns"]) <= set(table.columns):
            for column, holds in known["holds"].items():
                yield Problem(
                    "warning",
                    "the name says something else",
                    f"{column} of the file '{known['name']}' is {holds}",
                    "a column that holds what its name says",
                    "Kept; name it in words for what it is.",
                    column=column,
                    rows=table[column].drop_nulls().len(),
                )


def _growth(table: pl.DataFrame) -> Iterator[Problem]:
    """Report respondents that grow much over the years: weighting by them forgets the early ones."""
    for name in _numbers(table):
        if not _SIZE.search(name):
            continue
        totals = table.group_by("year").agg(pl.col(name).sum()).filter(pl.col(name) > 0).sort("year")
        if totals.height < 2:
            continue
        (first, start), (last, end) = totals.row(0), totals.row(-1)
        if end > GROWTH * start:
            yield Problem(
                "warning",
                "respondents grow over the years",
                f"{start:,.0f} in {first}, {end:,.0f} in {last}",
                "much the same number in every year",
                "Kept; weighting by it gives the early years little say. Say so, or do not weight.",
                column=name,
                rows=table.height,
            )


def _rounding(table: pl.DataFrame) -> Iterator[Problem]:
    """Report figures rounded to two decimals, or in thirds of them, and those of few values."""
    values = {name: table[name].drop_nulls() for name in _numbers(table) if table[name].dtype.is_float()}
    fine = {n: v for n, v in values.items() if v.len() and not _grid(v, 1) and _grid(v, 300)}
    if fine:
        few = [name for name, series in fine.items() if series.n_unique() < FEW_VALUES]
        yield Problem(
            "note",
            "rounded figures",
            f"{counted(len(fine), 'column')} on a grid of two decimals, or thirds of them"
            + (f"; fewer than {FEW_VALUES} different values in {listed(few)}" if few else ""),
            "unrounded figures",
            "Kept; slopes within organisations suffer most from rounding.",
            column=listed(fine),
            rows=table.height,
        )


def _gaps(table: pl.DataFrame) -> Iterator[Problem]:
    """Report organisations that miss years between their first and last."""
    spans = table.group_by("organisation").agg(
        (pl.col("year").max() - pl.col("year").min() + 1 - pl.len()).alias("missing")
    )
    holes = spans.filter(pl.col("missing") > 0)
    if holes.height:
        yield Problem(
            "note",
            "years missing in between",
            f"{counted(int(holes['missing'].sum()), 'year')} of {counted(holes.height, 'organisation')}",
            "every year from first to last",
            "Kept; lags join by year, never by the row before.",
            column="year",
            rows=holes.height,
        )


def _grid(values: pl.Series, parts: int) -> bool:
    """Tell whether all values are whole multiples of 1 / parts."""
    scaled = values * parts
    return bool(((scaled - scaled.round()).abs() < _ROUNDED * parts).all())
