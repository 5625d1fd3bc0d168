"""Titles of figures of links, made from their numbers: what is seen, never what brought it about.

A link is *clear* when its interval leaves out no difference; the others are *unclear*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.outcomes.outcome import declared
from culture_metrics.wording.numbers import estimated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Rows that look from the outcome to the indicator are no link of the indicator to the outcome.
REVERSE = "outcome_to_indicator"


def title_of(column: str) -> str:
    """Return a column's name in words, within a sentence: an outcome's as the catalogue has it.

    A measure of the survey that also serves as an outcome is called by its name as a measure.

    Examples
    --------
    >>> title_of("staff_engagement"), title_of("shmi"), title_of("sickness_absence")
    ('staff engagement', 'SHMI', 'sickness absence')
    """
    known = declared().get(column, {})
    return column.replace("_", " ") if not known or known.get("same_source") else inside(known["label"])


def heading(text: str) -> str:
    """Return text with its first letter raised."""
    return text[:1].upper() + text[1:]


def inside(label: str) -> str:
    """Return a label as it stands within a sentence.

    Examples
    --------
    >>> inside("Sickness absence"), inside("SHMI"), inside("C. difficile infections")
    ('sickness absence', 'SHMI', 'C. difficile infections')
    """
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def went(table: pl.DataFrame, noun: str) -> str:
    """Say in how many rows of a table of links a higher indicator went with more or less of the outcome.

    Parameters
    ----------
    table : polars.DataFrame
        `indicator, outcome_label, term, estimate, conf_low, conf_high`, estimates on the scale of the link.
    noun : str
        What a row is: "link", "estimate".

    Examples
    --------
    >>> rows = pl.DataFrame({"indicator": ["morale"] * 3, "outcome_label": ["SHMI"] * 3,
    ...     "term": ["overall"] * 3, "estimate": [-0.03, -0.02, 0.01], "conf_low": [-0.05, -0.03, -0.01],
    ...     "conf_high": [-0.01, -0.01, 0.03]})
    >>> went(rows, "design")
    'Higher morale went with lower SHMI in 2 of 3 designs; 1 is unclear'
    """
    rows = table.filter((pl.col("term") != REVERSE) & pl.col("estimate").is_not_null())
    x, y = _only(rows["indicator"], "indicators"), _only(rows["outcome_label"], "outcomes")
    many = rows.height
    down = rows.filter(pl.col("conf_high") < 0).height
    up = rows.filter(pl.col("conf_low") > 0).height
    if not down + up:
        if many == 1:
            return f"{heading(x)} and {y}: no clear {noun}"
        return f"{heading(x)} and {y}: none of {many} {noun}s is clear of no difference"
    first, second = ("lower", "higher") if down >= up else ("higher", "lower")
    most, least, unclear = max(down, up), min(down, up), many - down - up
    if many == 1:
        return f"Higher {x} went with {first} {y}"
    if most == many:
        return f"Higher {x} went with {first} {y} in all {many} {noun}s"
    rest = [f"with {second} in {least}"] if least else []
    rest += [f"{unclear} {'is' if unclear == 1 else 'are'} unclear"] if unclear else []
    return f"Higher {x} went with {first} {y} in {most} of {many} {noun}s; {', '.join(rest)}"


def levels(lines: pl.DataFrame, indicator: str, outcome: str) -> str:
    """Say which way the lines of a scatter slope, and whether that is clear.

    Parameters
    ----------
    lines : polars.DataFrame
        `line` ("between organisations", …), `x, estimate, conf_low, conf_high`: straight lines through a
        point known, about which their bands widen evenly.
    indicator, outcome : str
        Column and label.

    Examples
    --------
    >>> line = pl.DataFrame({"line": ["within organisations"] * 2, "x": [-1.0, 1.0],
    ...     "estimate": [1.1, 0.9], "conf_low": [1.05, 0.85], "conf_high": [1.15, 0.95]})
    >>> levels(line, "morale", "SHMI")
    'Within organisations higher morale went with lower SHMI'
    """
    said, unclear = [], []
    for (name,), rows in lines.group_by("line", maintain_order=True):
        ends = rows.sort("x")[[0, -1]]
        rise = ends["estimate"][1] - ends["estimate"][0]
        # The half-widths at both ends add up to what the slope's own half-width makes over the same stretch.
        if abs(rise) > (ends["estimate"] - ends["conf_low"]).sum():
            way = "higher" if rise > 0 else "lower"
            said.append(f"{name} higher {title_of(indicator)} went with {way} {inside(outcome)}")
        else:
            unclear.append(str(name))
    if not said:
        return f"{heading(title_of(indicator))} and {inside(outcome)}: no clear link {' or '.join(unclear)}"
    return heading("; ".join([*said, *(f"{name} it is unclear" for name in unclear)]))


def hangs_on(rows: pl.DataFrame, whole: Mapping[str, Any]) -> str:
    """Say whether a slope leaves its interval when single organisations are left out.

    Parameters
    ----------
    rows : polars.DataFrame
        `organisation, estimate`: the slope without it.
    whole : mapping
        `indicator, outcome_label, conf_low, conf_high` of the slope with all of them.
    """
    pair = f"{title_of(whole['indicator'])} and {inside(whole['outcome_label'])}"
    kept = pl.col("estimate").is_between(whole["conf_low"], whole["conf_high"])
    out = rows.filter(~kept)["organisation"].to_list()
    if not out:
        return f"{heading(pair)}: without any one organisation the slope stays within its interval"
    who = out[0] if len(out) == 1 else f"any one of {len(out)} organisations"
    return f"{heading(pair)}: without {who} the slope leaves its interval"


def parted(rows: Sequence[Mapping[str, Any]], r2: float, outcome: str) -> str:
    """Say how much of an outcome's variance goes with indicators, and which has the largest share.

    Parameters
    ----------
    rows : sequence of mapping
        `label, estimate, conf_low, conf_high`, the largest share first.
    r2 : float
        What they add up to.
    outcome : str
    """
    first, second = rows[0], rows[1]
    told = f"{100 * r2:.1f}% of the variance of {inside(outcome)} goes with these indicators"
    if first["conf_low"] <= second["conf_high"]:
        return f"{told}; which of them has the largest share is unclear"
    return f"{told}, the largest share with {first['label']} ({100 * first['estimate']:.1f}%)"


def through(
    paths: Mapping[str, Mapping[str, Any]], proportion: float | None, names: Sequence[str], unit: str = ""
) -> str:
    """Say what an indirect path comes to, in words that give it no direction: the data have none.

    Parameters
    ----------
    paths : mapping
        `indirect` with `estimate, conf_low, conf_high`.
    proportion : float or None
        Indirect over total, where it may be given.
    names : sequence of str
        Indicator, mediator and outcome in words.
    unit : str
        What follows the size of the path.
    """
    x, m, y = names[0], names[1], inside(names[2])
    found = paths["indirect"]
    if found["conf_low"] <= 0 <= found["conf_high"]:
        return heading(f"{x} and {y}: no clear part of the link is shared with {m}")
    if proportion is None:
        size, _ = estimated(found["estimate"], found["conf_low"], found["conf_high"], plus=True)
        return heading(f"{x} and {y}: {size}{unit} of the link is shared with {m}")
    return heading(f"{x} and {y}: {100 * proportion:.0f}% of the link is shared with {m}")


def pointing(row: Mapping[str, Any], pair: str) -> str:
    """Say which way specifications point.

    Parameters
    ----------
    row : mapping
        `specifications`, and of them `percent_above, percent_below, percent_clearly_above,
        percent_clearly_below`.
    pair : str
        Indicator and outcome in words.
    """
    many = row["specifications"]
    way, word = ("below", "down") if row["percent_below"] >= row["percent_above"] else ("above", "up")
    count, clear = (round(row[f"percent_{c}{way}"] * many / 100) for c in ("", "clearly_"))
    number = f"all {many}" if count == many else f"{count} of {many}"
    return f"{pair}: {number} specifications point {word}, {clear or 'none'} of them clear of 0"


def _only(names: pl.Series, otherwise: str) -> str:
    found = names.unique()
    if len(found) != 1:
        return otherwise
    return inside(title_of(str(found[0])))
