"""How many, and who: what a check may say, decided once for every text of it.

Results hide groups below the minimum base; a check that told their size or name beside them would undo that.

- **Rows and cells that are faulty** are counted to the last one: repeated, blank or cut rows, answers that
  cannot be read, codes that a question does not have. They say what is wrong with a file, and how many people
  are in which group does not follow from them.
- **Columns that put people into groups** (breakdowns, the questions these are made of, organisations) are not
  counted at all. How many have this label, or none, is the size of a group: with the total and the groups
  that are shown, a hidden one follows from it, also when it is a large number. It is said whether they are
  fewer than the minimum base, at least as many, or most rows; row numbers, which count as well, are left out.
- **Names** of labels are said from the minimum base on, so that they can be mapped; rarer ones are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.extracts.columns import text_columns
from culture_metrics.extracts.own_words import own_breakdowns
from culture_metrics.problems import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

    from culture_metrics.catalogue import Edition
    from culture_metrics.problems import Problem

#: Columns that say something of an organisation; those of breakdowns come from the catalogue.
OF_ORGANISATIONS = ("organisation", "organisation_name", "benchmark_group", "region", "ics")


def of_groups(edition: Edition) -> frozenset[str]:
    """Return the columns that put people into groups.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> sorted(of_groups(catalogue().edition(2024)) & {"locality_1", "organisation", "q25c"})
    ['locality_1', 'organisation']
    """
    found = set(OF_ORGANISATIONS)
    for breakdown in edition.breakdowns.values():
        if breakdown.column:
            found.add(breakdown.column)
        elif breakdown.question is not None and breakdown.question in edition.questions:
            found.update(edition.questions[breakdown.question].columns)
    return frozenset(found)


def size(rows: int, minimum: int, of: int | None = None) -> str:
    """Say how many rows without counting them; `of` is how many there are.

    Examples
    --------
    >>> size(3, 11), size(40, 11), size(3900, 11, of=4200)
    ('fewer than 11 rows', '11 rows or more', 'most rows')
    """
    if rows < minimum:
        return f"fewer than {minimum} rows"
    return "most rows" if of is not None and 2 * rows > of else f"{minimum} rows or more"


def named(
    names: Mapping[str, int], minimum: int, most: int = 8, noun: str = "label", plural: str | None = None
) -> str:
    """List the names that stand in enough rows, and say how many others there are.

    Examples
    --------
    >>> named({"'Unknown'": 40, "'TBC'": 2, "'n/a'": 1}, 11)
    "'Unknown' and 2 labels in fewer than 11 rows each"
    """
    shown = [name for name, rows in names.items() if rows >= minimum]
    rare = len(names) - len(shown)
    few = f"{counted(rare, noun, plural)} in fewer than {minimum} rows{' each' if rare > 1 else ''}"
    return " and ".join([*([listed(shown, most)] if shown else []), *([few] if rare else [])])


def discreet(problems: Iterable[Problem], edition: Edition, frame: pl.DataFrame) -> Iterator[Problem]:
    """Say of columns that put people into groups whether there are few rows or many, not how many.

    Problems of whole rows that were set aside stay as they are: nobody in them is counted anywhere.
    """
    own = own_breakdowns(frame.schema, edition, text_columns(edition).values())
    columns, minimum = of_groups(edition).union(own), edition.survey.minimum_base
    for problem in problems:
        if problem.rows and problem.column in columns:
            said = f"{problem.found}; in {size(problem.rows, minimum, frame.height)}"
            yield problem._replace(rows=0, examples="", found=said)
        else:
            yield problem
