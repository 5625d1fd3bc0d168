"""Say of every column of figures what it holds: which question and option, or which score, and its base."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from culture_metrics.published.match import normalise
from culture_metrics.published.official import options_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.published.layout import Block, Table

#: Why a block is left out.
UNKNOWN_BLOCK = "blocks that are no question or score of the edition"
UNKNOWN_OPTION = "questions with a column that is no response option as printed"


@dataclass(frozen=True)
class Figure:
    """One column of figures.

    `kind` is single, multi or score, `name` the question or score, `base` the column of its bases. `first`
    marks one figure per base, `whole` a question all of whose options were found.
    """

    sheet: int
    column: int
    base: int
    kind: str
    name: str
    place: str
    base_place: str
    option: int | None = None
    first: bool = True
    whole: bool = True


def find_figures(
    tables: Sequence[Table], edition: Edition, left_out: dict[str, list[str]], problems: list[str]
) -> tuple[list[Figure], list[list[Figure]]]:
    """Match the columns of all sheets with the edition.

    Blocks that the edition does not have, or not with these options, go to `left_out`; what cannot be right
    goes to `problems`. Blocks of a question or score that stands a second time are returned apart.
    """
    found: dict[tuple[str, int | None], list[Figure]] = {}
    again: list[list[Figure]] = []
    for sheet, table in enumerate(tables):
        for block in table.blocks:
            where = table.at(min(block.headers, default=block.start))
            code = block.code.casefold()
            score = edition.codes.get(code, "")
            if score not in edition.scores and code not in edition.columns:
                left_out.setdefault(UNKNOWN_BLOCK, []).append(f"{block.code} ({where})")
                continue
            base = _base(block, where, problems)
            if base is None:
                continue
            headers = {i: h for i, h in block.headers.items() if i != base}
            if score in edition.scores:
                figures = _score(table, sheet, block, headers, base, score, problems)
            else:
                question = edition.columns[code]
                figures = _options(table, sheet, block, headers, base, question, left_out, problems)
            name = figures[0].name if figures else code
            part = figures[0].option if figures and figures[0].kind == "multi" else None
            if (name, part) in found:
                again.append(figures)
            else:
                found[name, part] = figures
    figures = [figure for block in found.values() for figure in block]
    return sorted(figures, key=_order), [sorted(block, key=_order) for block in again if block]


def _order(figure: Figure) -> tuple[bool, str, int]:
    return figure.kind == "score", figure.name, figure.option or 0


def _base(block: Block, where: str, problems: list[str]) -> int | None:
    bases = [i for i, header in block.headers.items() if normalise(header).split()[:1] == ["base"]]
    if len(bases) == 1:
        return bases[0]
    count = f"{len(bases)} columns" if bases else "no column"
    problems.append(f"{where}: {block.code} has {count} 'Base (number of responses)'")
    return None


def _score(
    table: Table,
    sheet: int,
    block: Block,
    headers: Mapping[int, str],
    base: int,
    name: str,
    problems: list[str],
) -> list[Figure]:
    if len(headers) != 1:
        problems.append(
            f"{table.at(base)}: {block.code} has {len(headers)} columns beside its base, not one score"
        )
        return []
    column = next(iter(headers))
    place = f"{table.at(column)} ('{headers[column]}')"
    return [Figure(sheet, column, base, "score", name, place, f"{table.at(base)} (base of {block.code})")]


def _options(
    table: Table,
    sheet: int,
    block: Block,
    headers: Mapping[int, str],
    base: int,
    question: Question,
    left_out: dict[str, list[str]],
    problems: list[str],
) -> list[Figure]:
    """Match the options of one title; every option of a tick-all-that-apply question has its own title.

    A block with a column that is no option as printed is left out whole: its percentages are not those of the
    question.
    """
    options = dict(question.scale.labels)
    if question.kind == "multi":
        number = int(block.code.rsplit("_", 1)[1])
        options = {number: options[number]}
    known = options_of(question, options)
    matched = {i: known.get(normalise(header)) for i, header in headers.items()}
    strange = [i for i, option in matched.items() if option is None]
    if strange:
        named = "; ".join(f"{table.at(i)}: '{headers[i]}'{_like(headers[i], options)}" for i in strange)
        left_out.setdefault(UNKNOWN_OPTION, []).append(f"{block.code} ({question.label}), {named}")
        return []
    twice = [i for i, option in matched.items() if list(matched.values()).count(option) > 1]
    absent = [o for o in options if o not in matched.values() and o not in question.scale.extra]
    if twice:
        problems.append(f"{table.at(twice[0])}: {block.code} has the option '{headers[twice[0]]}' twice")
    if absent:
        listed = ", ".join(f"'{options[option]}'" for option in absent)
        problems.append(f"{table.at(base)}: {block.code} ({question.label}) lacks the option {listed}")
    base_place = f"{table.at(base)} (base of {block.code})"
    return [
        Figure(
            sheet, i, base, question.kind, question.id, f"{table.at(i)} ('{headers[i]}')", base_place,
            option, not k, not absent,
        )
        for k, (i, option) in enumerate(matched.items())
    ]  # fmt: skip


def _like(header: str, options: Mapping[int, str]) -> str:
    """Word a suggestion; likeness decides nothing."""
    close = get_close_matches(normalise(header), [normalise(t) for t in options.values()], n=1, cutoff=0.6)
    return f" (like '{close[0]}')" if close else ""
