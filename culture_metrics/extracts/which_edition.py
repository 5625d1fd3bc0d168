"""Which edition of a survey the columns of a file are of, and what speaks against it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from culture_metrics.code_fit import Fit, fit_codes, multi_questions
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.columns import read_name
from culture_metrics.files.names import shown, squeeze
from culture_metrics.problems import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from culture_metrics.catalogue import Edition, Survey

#: What may be a code, misspelled: so many letters more or less.
CODE_LIKE = r"[a-z]{{0,{letters}}}\d{{1,3}}[a-z]{{0,2}}\d{{0,2}}"


def fit_editions(names: Iterable[str], survey: Survey, given: Mapping[str, str] | None = None) -> Fit:
    """Compare the question codes among names with every edition of a survey."""
    given = given or {}
    theirs = [read_name(given.get(shown(n), n), survey) for n in names]
    options = {code for e in survey for code in multi_questions(e)}
    return fit_codes((n.code for n in theirs if n.code and (not n.tail or n.code in options)), survey)


def likely_meant(names: Iterable[str], missing: Iterable[str]) -> dict[str, str]:
    """Return, for names that look like a misspelled code of a missing question, that code.

    Examples
    --------
    >>> likely_meant(["qq2a", "Question 25c", "Shoe size", "q3"], ["q2a", "q25c"])
    {'qq2a': 'q2a', 'Question 25c': 'q25c'}
    """
    codes = {squeeze(code): code for code in missing}
    letters = next((re.split(r"\d", code)[0] for code in codes), "")
    like = re.compile(CODE_LIKE.format(letters=len(letters) + 2))
    found = {}
    for name in names:
        squeezed = squeeze(shown(name)).replace("question", letters)
        near = get_close_matches(squeezed, codes, n=1, cutoff=0.75) if like.fullmatch(squeezed) else []
        if near:
            found[shown(name)] = codes[near[0]]
    return found


def tell_edition(
    names: Collection[str],
    survey: Survey,
    year: str | None,
    where: str,
    given: Mapping[str, str] | None = None,
    *,
    in_name: str | None = None,
    column: str | None = None,
) -> tuple[Edition, str | None]:
    """Return the edition whose question codes a file uses, and what speaks against it.

    Parameters
    ----------
    names : collection of str
        Names of the columns.
    survey : Survey
        Whose editions.
    year : str, optional
        The period that the caller or a column of the file says.
    where : str
        File and sheet, for messages.
    given : mapping, optional
        Names that the user has matched.
    in_name : str, optional
        The period that the file's name says: it decides between editions that fit, and casts doubt.
    column : str, optional
        The column that says `year`.

    Raises
    ------
    ExtractError
        When there are no question columns, when the codes belong to another edition than the one named, or
        when they fit several editions and nothing says which.
    """
    fit = fit_editions(names, survey, given)
    if not fit.is_survey:
        raise ExtractError(
            f"No question columns of the {survey.label} were found",
            where=where,
            expected=f"a header row with question codes such as {', '.join(survey.some_codes)}",
            hint="Check that this is the respondent file and that a row holds the column names. Columns "
            f"under other names can be matched: columns={survey.example}.",
        )
    if year is not None:
        edition = survey.edition(year)
        _check_year(fit, edition.period, where, in_name, column)
        return edition, None if column else _doubt(fit, edition.period, in_name)
    if in_name in fit.provisional and fit.fits(str(in_name)):
        return survey.edition(str(in_name)), None
    # Codes of one edition can all exist in the next: only a complete file settles it.
    for periods in (fit.fitting, fit.whole):
        if len(periods) == 1:
            return survey.edition(periods[0]), None
    if in_name is None:
        raise _untold(fit, names, survey, where)
    _check_year(fit, in_name, where, in_name, None)
    return survey.edition(in_name), None


def _check_year(fit: Fit, period: str, where: str, in_name: str | None, column: str | None) -> None:
    odd = fit.strangers.get(period, frozenset())
    if odd and fit.fitting:
        if column:
            hint = f"The column '{column}' says {period}: correct it if the file is of another year."
        elif in_name in fit.fitting:
            hint = f"Check the year: the file's name says {in_name}. Give year={in_name} if that is so."
        else:
            hint = f"Check the year: give {' or '.join(f'year={p}' for p in fit.fitting)}."
        raise ExtractError(
            f"The columns are those of {' or '.join(fit.fitting)}, not of {period}",
            where=where,
            got=f"columns that {period} does not have: {', '.join(sorted(odd)[:8])}",
            hint=hint,
        )
    other = in_name is not None and in_name != period and fit.whole == (in_name,)
    if other and not column:
        raise ExtractError(
            f"The file is of {in_name}, by its name and by its columns, and {period} was asked for",
            where=where,
            got=f"every question of {in_name}; no column for {', '.join(fit.missing.get(period, ())[:8])}",
            hint=f"Give year={in_name}. If it is of {period} all the same, give the file another name.",
        )


def _doubt(fit: Fit, period: str, in_name: str | None) -> str | None:
    """Say what speaks against the year that the caller gave."""
    if fit.fits(period) and not fit.missing[period]:
        return None
    if in_name is not None and in_name != period:
        return f"{period} was asked for, but the file's name says {in_name}."
    if len(fit.whole) == 1:
        gone = fit.missing[period]
        return (
            f"{period} was asked for, but every question of {fit.whole[0]} is there and {listed(gone, 4)} of "
            f"{period} {'is' if len(gone) == 1 else 'are'} not."
        )
    return None


def _untold(fit: Fit, names: Iterable[str], survey: Survey, where: str) -> ExtractError:
    """Make the error for columns that do not tell the year, with what they are nearest to."""
    period = fit.nearest
    if period is None:
        return ExtractError(
            f"The year cannot be told from the columns: they fit {', '.join(fit.fitting) or 'none well'}",
            where=where,
            hint=f"Say which year it is: year={(fit.fitting or survey.periods)[-1]}, or a column 'year'.",
        )
    gone, odd = fit.missing[period], sorted(fit.strangers[period])
    but = [f"{listed(gone)} missing"] * bool(gone) + [f"{listed(odd)} not among them"] * bool(odd)
    meant = likely_meant((n for n in names if read_name(n, survey).code not in fit.codes - {*odd}), gone)
    ask = " ".join(f"Is '{name}' meant to be {code}? Then rename it." for name, code in meant.items())
    return ExtractError(
        f"The year cannot be told for sure: the columns are those of {period}, with {' and '.join(but)}",
        where=where,
        hint=f"{ask} Say which year it is: year={period}, if that is so.".strip(),
    )
