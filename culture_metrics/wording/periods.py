"""Periods of a survey as people say them."""

from __future__ import annotations

import re

_QUARTER = re.compile(r"(20\d\d)-Q([1-4])")


def period_words(period: str) -> str:
    """Say a quarter of a financial year as reports do; a year stays as it is.

    Examples
    --------
    >>> period_words("2024-Q1"), period_words("2024")
    ('Q1 2024/25', '2024')
    """
    found = _QUARTER.fullmatch(period)
    return f"Q{found[2]} {found[1]}/{(int(found[1]) + 1) % 100:02d}" if found else period
