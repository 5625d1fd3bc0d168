"""Numbers as text, and the words round them: decimals and signs by unit, p-values, lists, sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Decimals and sign of each unit.
DECIMALS = {"score": 2, "percent": 1}
SIGN = {"score": "", "percent": "%"}
MINUS = "\N{MINUS SIGN}"

#: Why a number is not shown, in words.
WHY_NOT = {
    "suppressed_small_base": "too few answers",
    "suppressed_secondary": "withheld so that a small group cannot be worked out",
    "suppressed": "too few answers, or withheld so that a small group cannot be worked out",
    "not_asked": "no answers in this file",
    "not_scored": "no score",
    "faulty_in_release": "known to be wrong in this release",
}


def fixed(column: str | pl.Expr, unit: str) -> pl.Expr:
    """Expression: a number as text, with the decimals of its unit and its sign.

    Examples
    --------
    >>> pl.DataFrame({"x": [7.1]}).select(fixed("x", "score")).item()
    '7.10'
    """
    value = pl.col(column) if isinstance(column, str) else column
    places = DECIMALS[unit]
    text = value.cast(pl.Float64).round(places).cast(pl.Decimal(12, places)).cast(pl.String)
    return pl.concat_str(text, pl.lit(SIGN[unit]))


def shown(value: float, unit: str) -> str:
    """Return one number as text, with the decimals of its unit and its sign."""
    return f"{value:.{DECIMALS[unit]}f}{SIGN[unit]}"


def reach(scale: tuple[float, float] | None, form: str = " from {}") -> str:
    """Say where scores lie, as words that follow "score"; nothing where that is not known.

    Examples
    --------
    >>> reach((1, 5)), reach((1, 5), " ({})"), reach(None)
    (' from 1 to 5', ' (1 to 5)', '')
    """
    return "" if scale is None else form.format("{:g} to {:g}".format(*scale))


def together(names: Iterable[str], most: int = 4) -> str:
    """Name things in one breath: those that stand level are told together.

    Examples
    --------
    >>> together(["Morale"]), together(["Morale", "A team", "Burnout"]), together("abcdef")
    ('Morale', 'Morale, A team and Burnout', 'a, b, c, d and 2 more')
    """
    named = list(names)
    if len(named) > most + 1:
        named = [*named[:most], f"{len(named) - most} more"]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def at_the_end(rows: pl.DataFrame, name: str, value: str, unit: str, *, highest: bool) -> tuple[str, str]:
    """Return who has the highest (or lowest) value and the value, both as shown; ties stand together.

    Examples
    --------
    >>> rows = pl.DataFrame({"label": ["Morale", "A team"], "estimate": [6.1, 6.1004]})
    >>> at_the_end(rows, "label", "estimate", "score", highest=True)
    ('Morale and A team', '6.10')
    """
    level = level_rows(rows, value, unit, highest=highest)
    return together(level[name].cast(pl.String)), level.select(fixed(value, unit)).row(0)[0]


def level_rows(rows: pl.DataFrame, value: str, unit: str, *, highest: bool) -> pl.DataFrame:
    """Return the rows whose value is the highest (or lowest) as it is shown: a reader sees no difference."""
    end = pl.col(value).max() if highest else pl.col(value).min()
    return rows.filter(fixed(value, unit) == fixed(end, unit))


def signed(value: float, unit: str) -> str:
    """Return a change with its sign and without its unit.

    Examples
    --------
    >>> signed(3.66, "percent"), signed(-0.004, "score")
    ('+3.7', '0.00')
    """
    size = f"{abs(value):.{DECIMALS[unit]}f}"
    return size if float(size) == 0 else f"{'+' if value > 0 else MINUS}{size}"


def places(low: float | None, high: float | None) -> int:
    """Return the decimals that show two digits of half an interval, so that a figure reads alike everywhere.

    Examples
    --------
    >>> places(-0.051, -0.026), places(-0.0086, 0.007), places(4.5, 18.4), places(None, None)
    (3, 4, 1, 3)
    """
    if low is None or high is None or low == high or not math.isfinite(high - low):
        return 3
    return max(0, min(1 - math.floor(math.log10(abs(high - low) / 2)), 8))


def number(value: float, decimals: int, *, plus: bool = False) -> str:
    """Return a number with so many decimals, commas between thousands and a true minus sign.

    Examples
    --------
    >>> number(-0.0381, 3), number(-0.0001, 2), number(1200, 0, plus=True)
    ('\N{MINUS SIGN}0.038', '0.00', '+1,200')
    """
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0.,"):
        return text
    return f"{MINUS if value < 0 else '+' if plus else ''}{text}"


def estimated(value: float, low: float | None, high: float | None, *, plus: bool = False) -> tuple[str, str]:
    """Return an estimate and its interval as text, as exact as the interval is.

    Examples
    --------
    >>> estimated(-0.0381, -0.0506, -0.0252)
    ('\N{MINUS SIGN}0.038', '\N{MINUS SIGN}0.051 to \N{MINUS SIGN}0.025')
    """
    decimals = places(low, high)
    said = number(value, decimals, plus=plus)
    if low is None or high is None:
        return said, ""
    return said, f"{number(low, decimals, plus=plus)} to {number(high, decimals, plus=plus)}"


def p_said(value: float) -> str:
    """Return a p-value as sentences say it.

    Examples
    --------
    >>> p_said(0.0342), p_said(0.00041), p_said(0.0)
    ('p 0.034', 'p < 0.001', 'p < 0.001')
    """
    return "p < 0.001" if value < 0.001 else f"p {value:.3f}"


def p_values(column: str) -> pl.Expr:
    """Expression: p-values as sentences say them."""
    value = pl.col(column)
    exact = pl.format("p {}", value.round(3).cast(pl.Decimal(6, 3)))
    return pl.when(value < 0.001).then(pl.lit("p < 0.001")).otherwise(exact)


def figures(column: str) -> pl.Expr:
    """Expression: a number with three figures that count and a true minus sign."""
    return pl.col(column).round_sig_figs(3).cast(pl.String).str.replace("-", MINUS, literal=True)


def count(column: str) -> pl.Expr:
    """Expression: a whole number as text, with commas between the thousands."""
    digits = pl.col(column).cast(pl.Int64).cast(pl.String).str.reverse()
    return digits.str.replace_all(r"(\d{3})", "${1},").str.reverse().str.strip_chars_start(",")


def held_back() -> pl.Expr:
    """Expression: whether a row is suppressed."""
    return pl.col("status").cast(pl.String).fill_null("").str.starts_with("suppressed")


def why_not() -> pl.Expr:
    """Expression: why the number of a row is not shown."""
    return pl.col("status").replace_strict(WHY_NOT, default="not available", return_dtype=pl.String)


def reasons(rows: pl.DataFrame, column: str) -> str:
    """Say why numbers of a column are not shown, once for each reason."""
    why = rows.filter(pl.col(column).is_null()).select(why_not().unique(maintain_order=True)).to_series()
    return f"Not shown: {'; '.join(why)}." if len(why) else ""


def several(number: int, noun: str) -> str:
    """Say how many there are.

    Examples
    --------
    >>> several(1, "score"), several(30, "score")
    ('1 score', '30 scores')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def base_range(bases: pl.Series) -> str:
    """Say the smallest and largest base: 'base 1,180 to 1,204'."""
    known = bases.drop_nulls()
    if known.is_empty():
        return ""
    low, high = int(known.min()), int(known.max())  # type: ignore[arg-type]
    return f"base {low:,}" if low == high else f"base {low:,} to {high:,}"


def sentences(parts: Iterable[str]) -> str:
    """Join the parts that are not empty into sentences.

    Examples
    --------
    >>> sentences(["2024", "", "base 812"])
    '2024. Base 812.'
    """
    whole = (part.strip() for part in parts if part.strip())
    return " ".join(f"{part[0].upper()}{part[1:]}{'' if part[-1] in '.?!' else '.'}" for part in whole)


def in_sentence(name: str) -> str:
    """Return a name as it stands within a sentence; what its owner writes with more capitals stays so.

    Examples
    --------
    >>> [in_sentence(name) for name in ("Directorate", "Occupation group", "Business Unit", "ICS")]
    ['directorate', 'occupation group', 'Business Unit', 'ICS']
    """
    return name if name[1:] != name[1:].lower() else name[:1].lower() + name[1:]
