"""Which survey the columns and the period of a file are of: one answer for every reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.code_fit import likeliest
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.mapping import match_given
from culture_metrics.extracts.which_edition import fit_editions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from culture_metrics.catalogue import Survey
    from culture_metrics.code_fit import Fit

    #: The period that an argument, a column or a name says; asked for only where it decides.
    Said = Callable[[], str | None]

_QUARTER = re.compile(r"20\d\d-Q[1-4]")


def is_period_of(survey: str, period: str) -> bool:
    """Tell whether a period has the form of a survey's: a year, or a quarter as 2024-Q1.

    Examples
    --------
    >>> is_period_of("nss_england", "2024"), is_period_of("national_quarterly_pulse", "2024")
    (True, False)
    """
    return (catalogue(survey).cycle == "quarter") == bool(_QUARTER.fullmatch(period))


def fit_surveys(names: Iterable[str], given: Mapping[str, Mapping[str, str]], where: str) -> dict[str, Fit]:
    """Compare the names of columns with every survey; `given` has the names that are matched, by survey."""
    names = [*names]
    matched = {name: match_given(given.get(name, {}), names, where, strict=False) for name in surveys()}
    return {name: fit_editions(names, catalogue(name), matched[name]) for name in matched}


def tell_survey(fits: Mapping[str, Fit], said: Said, where: str) -> str:
    """Return the survey a file is of.

    The columns decide; where they are questions of several surveys, the form of the period does.

    Raises
    ------
    ExtractError
        When the columns are most questions of one survey and nothing else, and the period is another's.
    """
    best, period = likeliest(fits), None
    able = [name for name, fit in fits.items() if fit.fitting]
    if len(able) < 2 or (period := said()) is None or is_period_of(best, period):
        return best
    of_period = next((name for name in able if is_period_of(name, period)), best)
    if of_period == best or not fits[best].most:
        return of_period
    whole, other = catalogue(best), catalogue(of_period)
    raise ExtractError(
        "Which survey the file is of cannot be told: its columns are the questions of the "
        f"{whole.label} and no others, and {period} is no {whole.cycle} of it",
        where=where,
        hint=f"If it is the {whole.label}, say which {whole.cycle}: year='{_example(best, period)}'. If it "
        f"is a part of the {other.label}, keep the columns of its other questions in the file, or name "
        f"'{of_period}' to read_extract.",
    )


def check_survey(fits: Mapping[str, Fit], survey: str, said: Said, where: str) -> str | None:
    """Return what speaks against the survey that the caller named, in a sentence.

    Raises
    ------
    ExtractError
        When columns, or columns and period together, are plainly another survey's.
    """
    best = likeliest(fits)
    fit = fits[survey]
    if best == survey or not fits[best].is_survey:
        return None
    named, other = catalogue(survey), catalogue(best)
    period = said()
    contradicts = period is not None and is_period_of(best, period) and not is_period_of(survey, period)
    if not fit.is_survey or contradicts:
        also = f", and {period} is a {other.cycle} of it" if contradicts else ""
        raise ExtractError(
            f"The columns are those of the {other.label}{also}; the {named.label} was asked for",
            where=where,
            hint=f"Read it with survey='{best}', or leave survey= out.",
        )
    return f"The {named.label} was asked for, but the columns are those of the {other.label}."


def quarter_of(period: str | None, survey: Survey, where: str) -> str:
    """Return the period of a survey of quarters.

    Raises
    ------
    ExtractError
        When it is none: the columns are the same in every quarter.
    """
    if period is not None and is_period_of(survey.id, period):
        return period
    raise ExtractError(
        f"Which quarter of the {survey.label} the file is of cannot be told",
        where=where,
        expected="a quarter of a financial year, such as 2024-Q1 for April to June 2024",
        got=period,
        hint="Say which it is: year='2024-Q1', in a column 'year', or in the file's name.",
    )


def _example(survey: str, period: str) -> str:
    return f"{period[:4]}-Q1" if catalogue(survey).cycle == "quarter" else period[:4]
