"""Ways of filling in that are worth a look: the same answer throughout, odd completion, impossible pairs.

All of them are notes: nothing is set aside, because each can be what a person meant.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.columns import CODE
from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.rules.discreet import size
from culture_metrics.problems import EXAMPLES, Problem, examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.catalogue import Edition

#: A grid is long from this many questions on the same scale on.
LONG = 5


def pattern_notes(frame: pl.DataFrame, edition: Edition) -> Iterator[Problem]:
    """Report patterns in clean answers, in two passes: all counts, then the rows of what was found."""
    grids = long_grids(edition, frame.columns)
    wheres = {
        **{f"grid {name}": _same_throughout(columns) for name, columns in grids.items()},
        **{
            f"full {name}": pl.all_horizontal(pl.col(c).is_not_null() for c in columns)
            for name, columns in grids.items()
        },
        **_completion(edition, frame.columns),
        **_impossible(edition, frame.columns),
    }
    everywhere = _everywhere(grids)
    if everywhere is not None:
        wheres["everywhere"] = everywhere
    if not wheres or frame.is_empty():
        return
    counts = frame.select(where.sum().alias(name) for name, where in wheres.items()).row(0, named=True)
    shown = [name for name, n in counts.items() if n and not name.startswith("full ")]
    rows = frame.select(
        pl.col(ROW).filter(wheres[name]).head(EXAMPLES).implode().alias(name) for name in shown
    )
    told = {rule.rule: (rule.rule, rule.found, rule.expected) for rule in edition.survey.impossible}
    for name in shown:
        found = told.get(name) or _words(name, counts, grids)
        column = grids[name[5:]][0] if name.startswith("grid ") else None
        problem = Problem("note", *found, "Kept; nothing was changed.", column=column)
        if name in told:
            # Who gave two answers that do not go together: cells of two breakdowns, no faulty rows.
            yield problem._replace(
                found=f"{problem.found}; in {size(counts[name], edition.survey.minimum_base)}"
            )
        else:
            where = examples(rows[name].explode(), counts[name])
            yield problem._replace(rows=counts[name], examples=where)


def long_grids(edition: Edition, columns: list[str]) -> dict[str, list[str]]:
    """Return the columns of each long grid of questions on one scale, by its number (`q7`).

    Where no code says which grid it is of (`CL1`, `CL2`), a section of the form is taken for one.
    """
    grids: dict[tuple[str, str], list[str]] = defaultdict(list)
    numbers = {q.id: CODE.fullmatch(q.code) for q in edition.questions.values()}
    in_grids = any(number and number["letter"] for number in numbers.values())
    for question in edition.questions.values():
        number = numbers[question.id]
        grid = f"{number['letters']}{number['number']}" if number and in_grids else ""
        grid = grid or question.section.replace("_", " ")
        if grid and question.kind == "single" and question.code in columns and not question.asked_if:
            grids[grid, question.scale.id].append(question.code)
    return {grid: items for (grid, _), items in grids.items() if len(items) >= LONG}


def _same_throughout(columns: list[str]) -> pl.Expr:
    """Whether all were answered, and all alike (null, when one was not, counts as no)."""
    return pl.all_horizontal(pl.col(c) == pl.col(columns[0]) for c in columns[1:])


def _everywhere(grids: dict[str, list[str]]) -> pl.Expr | None:
    columns = list(chain.from_iterable(grids.values()))
    return _same_throughout(columns) if len(grids) > 1 else None


def _completion(edition: Edition, columns: list[str]) -> dict[str, pl.Expr]:
    """Rows with answers in the last section of the form only, which is about the person."""
    sections: dict[str, list[pl.Expr]] = defaultdict(list)
    for question in edition.questions.values():
        for column in question.columns:
            if column in columns:
                answered = pl.col(column) == 1 if question.kind == "multi" else pl.col(column).is_not_null()
                sections[question.section].append(answered)
    if "background" not in sections or len(sections) == 1:
        return {}
    others = chain.from_iterable(answers for name, answers in sections.items() if name != "background")
    return {
        "background": pl.any_horizontal(sections["background"]).fill_null(value=False)
        & ~pl.any_horizontal(list(others)).fill_null(value=False)
    }


def _impossible(edition: Edition, columns: list[str]) -> dict[str, pl.Expr]:
    """Rows with answers that the survey says do not go together."""
    found = {}
    for rule in edition.survey.impossible:
        asked = {name: edition.questions[name].code for each in rule.answers for name in each}
        if set(asked.values()) <= set(columns):
            found[rule.rule] = pl.any_horizontal(
                pl.all_horizontal(pl.col(asked[name]).is_in(codes) for name, codes in each.items())
                for each in rule.answers
            )
    return found


def _words(name: str, counts: dict[str, int], grids: dict[str, list[str]]) -> tuple[str, str, str]:
    """Rule, found and expected."""
    if name.startswith("grid "):
        grid = name[5:]
        full = counts[f"full {grid}"]
        return (
            "the same answer throughout a grid",
            f"the same answer to all {len(grids[grid])} questions of {grid}: {counts[name] / full:.1%} of "
            f"the {full:,} who answered them all",
            "answers that differ, for most people",
        )
    return {
        "everywhere": (
            "the same answer throughout the form",
            f"the same code in every question of {', '.join(grids)}, whichever way they are worded",
            "answers that differ",
        ),
        "background": (
            "only the questions about the person answered",
            "answers to the last section only",
            "answers to the questions about work",
        ),
    }[name]
