"""Organisation codes: their form, and whether they are on the list of organisations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.extracts.spelling import squeezed
from culture_metrics.files.organisations import NEEDED, successors
from culture_metrics.problems import Problem, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CODE = re.compile(r"[A-Z0-9]{3,6}")
#: Columns that say one thing about an organisation.
NAMED = {"organisation_name": "name", "benchmark_group": "benchmark group", "region": "region", "ics": "ICS"}


def tidy_codes(counts: Mapping[str, int]) -> dict[str, str | None]:
    """Map each code in another form (small letters, spaces) to its proper form; blanks to null."""
    proper = {code: re.sub(r"\s+", "", code).upper() for code in counts}
    forms = {code: tidy or None for code, tidy in proper.items()}
    return {code: tidy for code, tidy in forms.items() if tidy != code and (not tidy or CODE.fullmatch(tidy))}


def form_problems(counts: Mapping[str, int], minimum: int) -> Iterator[Problem]:
    """Report codes in another form, which are read as meant, entries that are no codes, and that of all."""
    tidy = tidy_codes(counts)
    changed = {code: form for code, form in tidy.items() if form}
    if changed:
        yield Problem(
            "warning",
            "organisation codes in another form",
            named({f"'{code}'": counts[code] for code in changed}, minimum, 5, "code"),
            "ODS codes in capitals, without spaces",
            "Read as they are meant.",
            column="organisation",
            rows=sum(counts[code] for code in changed),
        )
    total = {code: n for code, n in counts.items() if code.strip().lower() == ALL}
    if total:
        yield Problem(
            "error",
            "an organisation with the name of all",
            named({f"'{code}'": n for code, n in total.items()}, minimum, 5, "code"),
            "an ODS code, as RXX",
            f"Kept; estimates refuse it, because in Results '{ALL}' is the total of all organisations.",
            column="organisation",
            rows=sum(total.values()),
        )
    names = {code: n for code, n in counts.items() if code not in tidy and not CODE.fullmatch(code)}
    if names:
        yield Problem(
            "warning",
            "entries that are no organisation codes",
            f"{counted(len(names), 'entry', 'entries')} without the form of an ODS code: names or free text",
            "an ODS code of three to six letters and digits, as RXX",
            "Kept as they stand; put in the codes, so that years and files can be set side by side.",
            column="organisation",
            rows=sum(names.values()),
        )


def list_problems(
    counts: Mapping[str, int], organisations: pl.DataFrame, period: str, minimum: int
) -> Iterator[Problem]:
    """Report codes that are not on the list of organisations, merged or closed."""
    known = {code.upper() for code in organisations[NEEDED].drop_nulls()}
    merged = successors(organisations)
    names = _names(organisations)
    absent = {code: n for code, n in counts.items() if code.upper() not in known}
    closed = {code: n for code, n in absent.items() if code.upper() in merged}
    by_name = {c: n for c, n in absent.items() if c not in closed and squeezed(c) in names}
    others = {c: n for c, n in absent.items() if c not in closed and c not in by_name}
    sites = {c: n for c, n in others.items() if len(c) > 3 and c[:3].upper() in known}
    unknown = {c: n for c, n in others.items() if c not in sites}
    for code, rows in closed.items():
        successor, date = merged[code.upper()]
        yield _merged(code if rows >= minimum else None, successor, date, rows, period)
    if by_name:
        codes = {names[squeezed(name)]: n for name, n in by_name.items()}
        yield Problem(
            "warning",
            "organisation names instead of codes",
            f"{counted(len(by_name), 'name')} of organisations on the list",
            f"their codes: {named(codes, minimum, noun='code')}",
            "Kept as they stand; put in the codes.",
            column="organisation",
            rows=sum(by_name.values()),
        )
    if sites:
        yield Problem(
            "note",
            "codes of parts of organisations",
            f"{_codes(sites, minimum)}: parts of organisations on the list",
            "codes on the list of organisations",
            "Kept as organisations of their own.",
            column="organisation",
            rows=sum(sites.values()),
        )
    if unknown:
        yield Problem(
            "warning",
            "organisations not on the list",
            f"{counted(len(unknown), 'code')}: {_codes(unknown, minimum)}",
            "codes on the list of organisations",
            "Kept; check the codes, or bring the list up to date.",
            column="organisation",
            rows=sum(unknown.values()),
        )


def _merged(code: str | None, successor: str, date: str | None, rows: int, period: str) -> Problem:
    """Report an organisation that became part of another, before or after the survey."""
    when = f" on {date}" if date else ""
    shown = "an organisation of few respondents" if code is None else _shown(code)
    # Those on the payroll on 1 September are surveyed.
    before = not date or date <= f"{period[:4]}-09-01"
    done = (
        f"Kept: the code was in use in {period}. Later years stand under {successor}, a larger organisation."
    )
    if before:
        done = f"Kept as {shown if code else 'it is'}. Use {successor} if the file should follow the merger."
    return Problem(
        "warning" if before else "note",
        "organisations merged or closed",
        f"{shown} became part of {successor}{when}",
        f"{successor} from then on",
        done,
        column="organisation",
        rows=rows,
    )


def _names(organisations: pl.DataFrame) -> dict[str, str]:
    found: dict[str, str] = {}
    for code, name, others in organisations.select(NEEDED, "name", "alt_names").iter_rows():
        for text in [name or "", *(others or "").split(";")]:
            if squeezed(text):
                found.setdefault(squeezed(text), code)
    return found


def _codes(codes: Mapping[str, int], minimum: int) -> str:
    """List codes that look like some; entries that do not are one, as is what stands in few rows."""
    shown: dict[str, int] = {}
    for code, n in codes.items():
        shown[_shown(code)] = shown.get(_shown(code), 0) + n
    return named(shown, minimum, noun="code")


def _shown(code: str) -> str:
    """Show a code only if it looks like one: anything could stand in the wrong column."""
    return code if re.fullmatch(r"[A-Za-z0-9]{2,8}", code) else "an entry that is no code"


def name_problems(frame: pl.DataFrame, minimum: int) -> Iterator[Problem]:
    """Report organisations with several names, regions or benchmark groups."""
    columns = [c for c in NAMED if c in frame.columns]
    if not columns or frame.is_empty():
        return
    pairs = frame.select("organisation", *columns).unique()
    several = pairs.group_by("organisation").agg(pl.col(columns).drop_nulls().n_unique())
    for column in columns:
        bad = several.filter(pl.col(column) > 1).select("organisation")
        if bad.height:
            label = NAMED[column]
            rows = frame.join(bad, on="organisation", how="semi").group_by("organisation").len()
            counts = dict(rows.sort("organisation").iter_rows())
            yield Problem(
                "warning",
                f"organisations with more than one {label}",
                f"{counted(bad.height, 'organisation')}: {_codes(counts, minimum)}",
                f"one {label} for each organisation",
                "Kept as they stand; check the column.",
                column=column,
                rows=sum(counts.values()),
            )
