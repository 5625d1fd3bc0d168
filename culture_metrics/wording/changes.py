"""How a change is said: rose from … to …, by so much, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.wording.numbers import DECIMALS, shown, signed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def amount(value: float, unit: str) -> str:
    """Return the size of a change without its sign: points of a percentage, or plain for a score.

    Examples
    --------
    >>> amount(-0.94, "percent"), amount(0.124, "score")
    ('0.9 points', '0.12')
    """
    size = f"{abs(value):.{DECIMALS[unit]}f}"
    return f"{size} {'point' if size == '1.0' else 'points'}" if unit == "percent" else size


def with_unit(value: float, unit: str) -> str:
    """Return a change with its sign and unit.

    Examples
    --------
    >>> with_unit(3.66, "percent"), with_unit(0.1, "score")
    ('+3.7 points', '+0.10')
    """
    said = signed(value, unit)
    return f"{said} {'point' if said[1:] == '1.0' else 'points'}" if unit == "percent" else said


def with_interval(row: Mapping[str, Any], unit: str) -> str:
    """Return a change and its 95 % interval.

    Examples
    --------
    >>> with_interval({"estimate": 3.7, "conf_low": 1.9, "conf_high": 5.5}, "percent")
    '+3.7 points, 95% interval +1.9 to +5.5'
    """
    said = with_unit(row["estimate"], unit)
    if row["conf_low"] is None:
        return said
    return f"{said}, 95% interval {signed(row['conf_low'], unit)} to {signed(row['conf_high'], unit)}"


def moved(label: str, before: float, after: float, change: Mapping[str, Any], unit: str) -> str:
    """Say how a measure moved.

    Examples
    --------
    >>> moved("Morale", 5.911, 5.914, {"estimate": 0.003, "conf_low": -0.1, "conf_high": 0.11}, "score")
    'Morale stayed at 5.91 (0.00, 95% interval \N{MINUS SIGN}0.10 to +0.11)'
    """
    first, last = shown(before, unit), shown(after, unit)
    size = with_interval(change, unit)
    if first == last:
        return f"{label} stayed at {first} ({size})"
    return f"{label} {'rose' if after > before else 'fell'} from {first} to {last} ({size})"


def beside(change: float, part: float, what: str, unit: str) -> str:
    """Say how much of a change a part is, as the end of a sentence.

    Examples
    --------
    >>> beside(3.7, 0.9, "the change in staff mix", "percent")
    'more than the 0.9 points that the change in staff mix makes up'
    >>> beside(3.7, -0.9, "the change in staff mix", "percent")
    'although the change in staff mix by itself comes to \N{MINUS SIGN}0.9 points'
    """
    places = DECIMALS[unit]
    whole, some = round(change, places), round(part, places)
    if some == 0:
        return f"of which {what} makes up {amount(0, unit)}"
    if whole == 0 or (whole > 0) != (some > 0):
        return f"although {what} by itself comes to {with_unit(part, unit)}"
    more = "more" if abs(whole) > abs(some) else "no more"
    return f"{more} than the {amount(part, unit)} that {what} makes up"
