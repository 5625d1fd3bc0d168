"""Tidy tables of one outcome: which column is what, and whether its cells can be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import LinkError
from culture_metrics.files.names import squeeze
from culture_metrics.outcomes.kinds import Figures
from culture_metrics.outcomes.outcome import declared
from culture_metrics.outcomes.tabular import ROW, Sheet
from culture_metrics.outcomes.texts import number, plain, status, wrong_rows
from culture_metrics.problems import Problem, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.outcomes.outcome import Outcome

ROLES = ("organisation", "period", "start", "end", "group", "value", "numerator", "denominator")
_CODES = (
    "organisation organisationcode orgcode odscode code trustcode providercode provider trust nhstrust22code"
)
_TIMES = "period month date year financialyear reportingperiod publicationdate yearindex"
#: Names that say a role, squeezed.
ALIASES = {
    "organisation": tuple(_CODES.split(" ")),
    "period": tuple(_TIMES.split(" ")),
    "start": ("start", "startdate", "periodstart"),
    "end": ("end", "enddate", "periodend"),
    "group": ("group", "staffgroup"),
    "numerator": ("numerator",),
    "denominator": ("denominator",),
}


def published_names(outcome: Outcome | None, role: str) -> list[str]:
    """Return the names, squeezed, that an outcome's publisher gives to a role, as the catalogue declares."""
    of = [one for one in declared().values() if outcome and one["column"] == outcome.column]
    named = of[0].get("columns", {}) if of else {}
    return [squeeze(named[role])] if role in named else []


def other_side(outcome: Outcome, column: str) -> str | None:
    """Return the word in a column's name that says the opposite of the outcome, as the catalogue declares.

    Examples
    --------
    >>> from culture_metrics.outcomes.outcome import outcome
    >>> other_side(outcome("four_hour_wait"), "pct_attendance_over_4hours")
    'over'
    """
    of = [one for one in declared().values() if one["column"] == outcome.column]
    words = re.findall(r"[a-z]+", column.casefold())
    return next((word for one in of for word in one.get("opposite", ()) if word in words), None)


def find_roles(
    table: Sheet, outcome: Outcome, given: Mapping[str, str], *, dated: bool = False
) -> dict[str, str]:
    """Find the column of each role: as given, else by its usual names.

    `dated` says that the period of the whole table is known, so that no column need hold it.
    """
    below = [squeeze(name) for name in (outcome.base, outcome.exposure) if name]
    usual = ALIASES | {
        "value": [squeeze(outcome.column), *published_names(outcome, "value"), "value"],
        "numerator": [*published_names(outcome, "numerator"), *ALIASES["numerator"]],
        "denominator": [*below, *published_names(outcome, "denominator"), *ALIASES["denominator"]],
    }
    found = {role: table.names[squeeze(name)] for role, name in given.items()}
    for role in ROLES:
        here = [table.names[name] for name in usual[role] if name in table.names]
        if role not in found and here:
            found[role] = here[0]
    if "start" in found and "end" in found and "period" not in given:
        found.pop("period", None)
    for column in found.values():
        if any(other.startswith(f"{column} (") and other.endswith(")") for other in table.frame.columns):
            raise LinkError(
                f"Two columns are named '{column}'",
                where=table.where,
                hint="Give each column a name of its own.",
            )
    dated = dated or "period" in found or ("start" in found and "end" in found)
    valued = "value" in found or ("numerator" in found and "denominator" in found)
    for there, role, said in (
        ("organisation" in found, "organisation", "code of the organisation"),
        (dated, "period", "period (or start and end)"),
        (valued, "value", f"{outcome.title} ({outcome.column})"),
    ):
        if not there:
            hint = f"Name it: columns={{'{role}': ...}}."
            if role == "period":
                hint += " If the table is of one period, say which: period='2023/24'."
            raise LinkError(
                f"No column holds the {said}",
                where=table.where,
                got=listed(name for name in table.frame.columns if name != ROW),
                hint=hint,
            )
    return found


def read_tidy(table: Sheet, outcome: Outcome, roles: Mapping[str, str]) -> tuple[pl.DataFrame, list[Problem]]:
    """Read the rows of a tidy table and check every cell of the outcome."""
    problems: list[Problem] = []
    main = roles.get("value", roles.get("numerator", ""))
    there = status(main) == "reported"
    rules = outcome.rules
    for role in ("numerator", "denominator"):
        if role in roles:
            column = roles[role]
            wrong_rows(table, column, (status(column) == "reported") & number(column).is_null(), "a number")
    if "denominator" in roles:
        base = roles["denominator"]
        wrong_rows(table, base, there & ~(number(base) > 0).fill_null(value=False), "a number above zero")
    if "value" in roles:
        problems = check_values(table, outcome, main)
    elif rules.trials:
        outside = (number(main) < 0) | (number(main) > number(roles["denominator"]))
        wrong_rows(table, main, outside, f"between zero and {roles['denominator']}")
    value = number(main) / (100 if outcome.percent else 1)
    spelt = {level.lower(): level for level in outcome.levels or ()}
    nothing = pl.lit(None, pl.Float64)
    below = number(roles["denominator"]) if "denominator" in roles else nothing
    above = number(roles["numerator"]) if "numerator" in roles else nothing
    if rules.amount:
        above = number(main)
    elif rules.divided and "numerator" not in roles:
        above = value * below
    level = plain(main).str.to_lowercase().replace_strict(spelt, default=None, return_dtype=pl.String)
    rows = table.frame.select(
        ROW,
        pl.lit(outcome.column).alias("outcome"),
        plain(roles["organisation"]).alias("organisation"),
        (plain(roles["group"]) if "group" in roles else pl.lit(ALL)).alias("group"),
        *(pl.col(roles[role]).alias(role) for role in ("period", "start", "end") if role in roles),
        (value if "value" in roles and not rules.ordered else nothing).alias("value"),
        (level if rules.ordered else pl.lit(None, pl.String)).alias("level"),
        above.alias("numerator"),
        below.alias("denominator"),
        status(main).alias("status"),
        pl.lit(1).alias("rows"),
    )
    return rows, problems


def check_values(table: Sheet, outcome: Outcome, column: str) -> list[Problem]:
    """Stop at values that an outcome of this kind cannot have; report what only looks wrong.

    Raises
    ------
    LinkError
        Naming file, sheet, column, rows and what to do.
    """
    value, there, rules = number(column), status(column) == "reported", outcome.rules
    if rules.ordered:
        levels = list(outcome.levels or ())
        known = plain(column).str.to_lowercase().is_in([level.lower() for level in levels])
        hint = "Correct the spelling, or leave the cell blank where there is no rating."
        wrong_rows(table, column, there & ~known, " < ".join(levels), hint)
        return []
    wrong_rows(table, column, there & ~value.is_finite().fill_null(value=False), "a number")
    if rules.fraction:
        return _check_share(table, outcome, column, value)
    if rules.counted:
        wrong_rows(table, column, (value < 0) | (value != value.round()), "whole numbers from zero")
    elif rules.figures is Figures.RATIOS:
        wrong_rows(table, column, value <= 0, "a ratio above zero")
    elif rules.graded:
        wrong_rows(table, column, there & ~value.is_in([0.0, 1.0]), "0 or 1")
    return []


def _check_share(table: Sheet, outcome: Outcome, column: str, value: pl.Expr) -> list[Problem]:
    most = table.frame.select(value.max()).item()
    if not outcome.percent and most is not None and 1 < most <= 100:
        raise LinkError(
            f"{outcome.title} looks like per cent, and a fraction was declared",
            where=f"{table.where}, column {column}",
            expected="0 to 1",
            got="figures above 1",
            hint="Declare the outcome with percent=True.",
        )
    top = 100 if outcome.percent else 1
    wrong_rows(table, column, ~value.is_between(0, top), f"0 to {top}")
    if outcome.percent and most is not None and 0 < most <= 1:
        return [
            Problem(
                "warning",
                "per cent that never exceed 1",
                "declared in per cent, and no figure is above 1",
                "0 to 100",
                "Divided by 100 as declared; leave out percent=True if the file holds fractions.",
                column=column,
                rows=table.frame.height,
            )
        ]
    return []
