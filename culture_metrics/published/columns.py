"""Say of every column of figures what it holds: which question and option, or which score, and its base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_metrics.published.match import match_options, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.published.layout import Block, Table


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


def find_figures(tables: Sequence[Table], edition: Edition, problems: list[str]) -> list[Figure]:
    """Match the columns of all sheets with the edition; those that do not fit go to `problems`."""
    found: list[Figure] = []
    places: dict[str, str] = {}
    scores = edition.scores
    for sheet, table in enumerate(tables):
        for block in table.blocks:
            where = table.at(min(block.headers, default=block.start))
            code = block.code.casefold()
            score = edition.codes.get(code, "")
            if score not in scores and code not in edition.columns:
                problems.append(f"{where}: '{block.code}' is no question or score of {edition.period}")
            elif code in places:
                problems.append(f"{where}: {block.code} stands a second time; it is also in {places[code]}")
            elif (base := _base(block, where, problems)) is not None:
                places[code] = where
                headers = {i: h for i, h in block.headers.items() if i != base}
                if score in scores:
                    found += _score(table, sheet, block, headers, base, score, problems)
                else:
                    found += _options(table, sheet, block, headers, base, edition.columns[code], problems)
    return sorted(found, key=lambda f: (f.kind == "score", f.name, f.option or 0))


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
    problems: list[str],
) -> list[Figure]:
    """Match the options of one title; every option of a tick-all-that-apply question has its own title."""
    options = dict(question.scale.labels)
    if question.kind == "multi":
        number = int(block.code.rsplit("_", 1)[1])
        options = {number: options[number]}
    matched = match_options(list(headers.values()), options, tuple(question.scale.extra))
    strange = [i for i, option in zip(headers, matched, strict=True) if option is None]
    absent = [o for o in options if o not in matched and o not in question.scale.extra]
    problems += [
        f"{table.at(i)}: '{headers[i]}' is no response option of {block.code} ({question.label})"
        for i in strange
    ]
    if absent and not strange:
        listed = ", ".join(f"'{options[option]}'" for option in absent)
        problems.append(f"{table.at(base)}: {block.code} ({question.label}) lacks the option {listed}")
    pairs = [(i, option) for i, option in zip(headers, matched, strict=True) if option is not None]
    whole = not strange and not absent
    base_place = f"{table.at(base)} (base of {block.code})"
    places = {i: f"{table.at(i)} ('{headers[i]}')" for i, _ in pairs}
    return [
        Figure(sheet, i, base, question.kind, question.id, places[i], base_place, option, not k, whole)
        for k, (i, option) in enumerate(pairs)
    ]
