"""Text as figures draw it: measured in pixels, wrapped, and safe from Plotly's reading of marks."""

from __future__ import annotations

import html

import polars as pl

from culture_metrics.wording.numbers import count, fixed, why_not

# Average widths of Arial and its like, as shares of the font size; a little generous.
_NARROW = frozenset("iljtfrI.,:;'|!()[]/- ")
_WIDE = frozenset("mwMW@%")


def width(text: str, size: float = 14, *, bold: bool = False) -> float:
    """Return about how many pixels a line of text takes in the house fonts.

    Examples
    --------
    >>> width("Morale") < width("Staff engagement") < width("Staff engagement", bold=True)
    True
    """
    shares = (0.31 if c in _NARROW else 0.88 if c in _WIDE else 0.7 if c.isupper() else 0.57 for c in text)
    return sum(shares) * size * (1.07 if bold else 1.0)


def wrap(text: str, pixels: float, size: float = 14, *, bold: bool = False) -> list[str]:
    """Break text into lines of at most `pixels`, between words, safe to stand in a figure.

    Examples
    --------
    >>> wrap("Compassionate and inclusive", 120)
    ['Compassionate', 'and inclusive']
    """
    lines: list[str] = []
    for word in str(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold=bold) <= pixels:
            lines[-1] = longer
        else:
            lines.append(word)
    return [safe(line) for line in lines]


def spread(text: str, pixels: float, size: float = 14, *, bold: bool = False) -> list[str]:
    """Break text into as few lines as `wrap`, the last of which is no single word.

    Examples
    --------
    >>> wrap("Compassionate and inclusive leadership", 205)
    ['Compassionate and inclusive', 'leadership']
    >>> spread("Compassionate and inclusive leadership", 205)
    ['Compassionate and', 'inclusive leadership']
    """
    lines = wrap(text, pixels, size, bold=bold)
    for share in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6):
        if len(lines) < 2 or " " in lines[-1]:
            break
        narrower = wrap(text, share * pixels, size, bold=bold)
        lines = narrower if len(narrower) == len(lines) else lines
    return lines


def safe(text: str) -> str:
    """Return text that Plotly shows as it is, whatever marks it holds."""
    return html.escape(str(text), quote=False)


def safely(column: str) -> pl.Expr:
    """Expression: a text column as Plotly shows it, whatever marks it holds."""
    text = pl.col(column).cast(pl.String)
    return text.str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])


def reading(unit: str) -> pl.Expr:
    """Expression: what hovering over a number says: value, 95% interval and base, as far as known."""
    interval = pl.format("<br>95% interval {} to {}", fixed("conf_low", unit), fixed("conf_high", unit))
    said = pl.concat_str(
        pl.format("Value {}", fixed("estimate", unit)),
        interval.fill_null(""),
        pl.format("<br>Base {}", count("base")).fill_null("<br>Base not known"),
    )
    not_shown = pl.format("Not shown: {}", why_not())
    return pl.when(pl.col("estimate").is_null()).then(not_shown).otherwise(said)
