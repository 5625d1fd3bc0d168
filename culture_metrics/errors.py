"""Errors that say what is wrong, where, and what to do, and warnings a user can filter."""

from __future__ import annotations

import sys
import warnings
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CultureMetricsError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    where : str, optional
        File, sheet, column and row, as far as they are known.
    expected, got : str, optional
        What was expected and what was found. `got` never carries a respondent's answers.
    hint : str, optional
        What to do about it.

    Examples
    --------
    >>> print(CultureMetricsError("The file is empty", where="RXX_2024.csv", hint="Ask for it again."))
    The file is empty
      where: RXX_2024.csv
      what to do: Ask for it again.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.where, self.expected, self.got, self.hint = what, where, expected, got, hint
        super().__init__(what)

    def __str__(self) -> str:
        details = {
            "where": self.where,
            "expected": self.expected,
            "found": self.got,
            "what to do": self.hint,
        }
        return "\n".join([self.what, *(f"  {name}: {text}" for name, text in details.items() if text)])

    def _render_traceback_(self) -> list[str]:
        """Tell notebooks what to show: the message, which is for people, without the calls that led to it."""
        return [str(self)]


class UnknownNameError(CultureMetricsError):
    """A survey, edition, measure, question, breakdown or organisation that does not exist."""


class CatalogueError(CultureMetricsError):
    """A survey whose files do not hold together."""


class FileFormatError(CultureMetricsError):
    """A file that cannot be read, or is not what it was taken for."""


class ExtractError(CultureMetricsError):
    """A respondent file whose content cannot be used as it is."""


class ResultsError(CultureMetricsError):
    """A table that does not keep the contract of Results, Distributions or Organisations."""


class ComparabilityError(CultureMetricsError):
    """Figures that may not be set side by side."""


class LinkError(CultureMetricsError):
    """An outcome, a panel or a model of links to outcomes that cannot be used as it is."""


class MeasurementError(CultureMetricsError):
    """A statistic that cannot be worked out from what was given."""


class StudyFileError(CultureMetricsError):
    """A study.yaml that cannot be used as it is."""


class ReportError(CultureMetricsError):
    """A report that could not be made."""


class CultureMetricsWarning(UserWarning):
    """Base of the warnings."""


class InputWarning(CultureMetricsWarning):
    """The numbers stand, but a file is not what it should be: read what it says before they are used."""


class SmallBaseWarning(CultureMetricsWarning):
    """A result rests on few respondents."""


class ComparabilityWarning(CultureMetricsWarning):
    """Figures are set side by side that may not compare."""


def unknown(kind: str, name: str, known: Iterable[str], where: str | None = None) -> UnknownNameError:
    """Make the error for a name that does not exist, with the nearest known names."""
    known = list(known)
    if known and all(k.isdecimal() for k in known):  # a year that is like another is not meant by it
        return UnknownNameError(f"There is no {kind} '{name}'", where=where, hint=f"Known: {_years(known)}.")
    folded = {k.casefold(): k for k in known}
    same = folded.get(" ".join(str(name).split()).casefold())  # but for capitals and blanks around it
    near = [folded[k] for k in get_close_matches(str(name).casefold(), folded, n=3, cutoff=0.5)]
    near = near if same is None else [same]
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    elif len(known) <= 12:
        hint = f"Known: {', '.join(known)}."
    else:
        hint = f"There are {len(known)} known names; the first are {', '.join(known[:5])}."
    return UnknownNameError(f"There is no {kind} '{name}'", where=where, hint=hint)


def check_whole(name: str, value: object, least: int, where: str | None = None) -> None:
    """Refuse what is no whole number from `least` on.

    Raises
    ------
    CultureMetricsError
        When it is none.

    Examples
    --------
    >>> check_whole("number", 10, 1)
    """
    if type(value) is not int or value < least:
        raise CultureMetricsError(
            f"{name} is not a whole number of at least {least}", where=where, got=repr(value)
        )


def check_level(conf_level: object, where: str | None = None) -> None:
    """Refuse a level of intervals that is none.

    Raises
    ------
    CultureMetricsError
        When it is no number between 0 and 1.

    Examples
    --------
    >>> check_level(0.95)
    """
    number = isinstance(conf_level, int | float) and not isinstance(conf_level, bool)
    if not (number and 0 < conf_level < 1):  # type: ignore[operator]
        raise CultureMetricsError(
            "conf_level is a number above 0 and below 1",
            where=where,
            got=repr(conf_level),
            hint="95% intervals: conf_level=0.95.",
        )


def kind_of(given: object) -> str:
    """Name the kind of an object that a verb does not take, with its package where that is another.

    Examples
    --------
    >>> kind_of(None), kind_of("RXX.csv")
    ('None', 'str')
    """
    kind = type(given)
    package = kind.__module__.split(".", maxsplit=1)[0]
    if given is None:
        return "None"
    return kind.__name__ if package in ("builtins", __package__) else f"{package} {kind.__name__}"


def _years(known: list[str]) -> str:
    years = sorted({int(year) for year in known})
    in_a_row = len(years) > 2 and years == list(range(years[0], years[-1] + 1))
    return f"{years[0]} to {years[-1]}" if in_a_row else ", ".join(map(str, years))


def warn(message: str, category: type[CultureMetricsWarning]) -> None:
    """Warn, and name the line outside the package that called it."""
    level, frame = 1, sys._getframe(1)
    package = f"{__package__}."
    while f"{frame.f_globals.get('__name__', '')}.".startswith(package) and frame.f_back:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level + 1)
