"""Why an organisation's own figures differ from those published: what speaks for which reason."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.problems import listed
from culture_metrics.wording.numbers import several

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.catalogue import Edition
    from culture_metrics.compare.mirror_groups import GroupSums

#: What the sentence on a file of other people begins with.
UNRELATED = "The file is hardly that of the published figures"
SAME, DIFFERS, NOT_PUBLISHED, NOT_SHOWN = "same", "differs", "not_published", "not_shown"
#: So many of a hundred figures that are as published make the others exceptions.
MOST = 0.8
#: Fewer of a hundred, and the two are not of the same people.
FEW = 0.3
#: Share of the base from which on a difference of bases is more than a few forms that came late.
MANY = 0.02


def causes_of(table: pl.DataFrame, sums: GroupSums, edition: Edition) -> tuple[str, ...]:
    """Return what speaks for a reason, in sentences; nothing where all is as published.

    Parameters
    ----------
    table : polars.DataFrame
        Own figures beside those published.
    sums : GroupSums
        What the unweighted means are made of.
    edition : Edition
        Which questions scores are built of, and what is never weighted.
    """
    rows = table.filter(pl.col("verdict").is_in([SAME, DIFFERS])).rows(named=True)
    if not any(row["verdict"] == DIFFERS for row in rows):
        return ()
    same = {row["measure"] for row in rows if row["verdict"] == SAME}
    off = {row["measure"]: row for row in rows if row["verdict"] == DIFFERS}
    base = _off_base(rows)
    if len(same) < FEW * len(rows) and not _weighting_alone(rows, same, base):
        return (_unrelated(rows, off), *_base(rows, base))
    weights = (*_weights(rows, off, same, base, sums),)
    # Where weights explain it, single questions are no exceptions.
    others = () if weights else (*_codes(off, same, rows, edition), *_minimum(off, same, edition))
    return (*_base(rows, base), *weights, *others)


def _off_base(rows: list[dict[str, Any]]) -> int:
    """Return by how many respondents the extract has more, over all measures."""
    each = [row["base"] - row["base_published"] for row in rows if row["base_published"] is not None]
    return round(median(each)) if each else 0


def _unrelated(rows: list[dict[str, Any]], off: dict[str, dict[str, Any]]) -> str:
    worst = max(off.values(), key=lambda row: abs(row["difference"]) / row["expected_error"])
    digits = 2 if worst["unit"] == "score" else 1
    return (
        f"{UNRELATED}: {len(off):,} of {several(len(rows), 'figure')} "
        f"differ by more than is expected ({worst['label']}: {worst['estimate']:.{digits}f} here, "
        f"{worst['published']:.{digits}f} published). Is it this organisation's, of this year, and the whole "
        "file?"
    )


def _base(rows: list[dict[str, Any]], base: int) -> Iterator[str]:
    """Rows that the official file does not have, or that the extract lacks."""
    if not base:
        return
    largest = max(row["base"] for row in rows)
    few = "" if abs(base) > MANY * largest else "a few "
    if base > 0:
        yield (
            f"Bases are larger than those published, by {several(base, 'respondent')} in the middle: {few}"
            "rows that are not in the official file (bank staff, late or repeated forms, staff not eligible)."
        )
    else:
        yield (
            f"Bases are smaller than those published, by {several(-base, 'respondent')} in the middle: {few}"
            "respondents of the official file are missing from the extract, or were set aside by its check."
        )


def _weighting_alone(rows: list[dict[str, Any]], same: set[str], base: int) -> bool:
    """Whether what is never weighted is as published, on the same bases, and the rest is not."""
    plain = [row["measure"] for row in rows if str(row["weighting"]) == "none"]
    return not base and bool(plain) and len(same.intersection(plain)) >= MOST * len(plain)


def _weights(
    rows: list[dict[str, Any]],
    off: dict[str, dict[str, Any]],
    same: set[str],
    base: int,
    sums: GroupSums,
) -> Iterator[str]:
    """Find published figures with everyone counted once, or weights of other occupations."""
    weighted = [row for row in off.values() if str(row["weighting"]) != "none"]
    mean = sums.unweighted
    plain = [
        row
        for row in weighted
        if abs(mean[row["measure"]] - row["published"]) <= (0.01 if row["unit"] == "score" else 0.1)
    ]
    if weighted and len(plain) >= MOST * len(weighted):
        yield "The published figures count everyone once: they are not weighted by occupation."
    elif _weighting_alone(rows, same, base) and len(weighted) > (1 - MOST) * len(rows):
        yield (
            "Bases, and what is never weighted, are as published; what is weighted is not: occupations are "
            "coded otherwise than in the official file, or the kind of organisation is another."
        )


def _codes(
    off: dict[str, dict[str, Any]], same: set[str], rows: list[dict[str, Any]], edition: Edition
) -> Iterator[str]:
    """Single questions on the same base: answers that are coded otherwise."""
    if len(same) < MOST * len(rows):
        return
    odd = [
        row
        for name, row in off.items()
        if name in edition.percentages and row["base"] == row["base_published"]
    ]
    if odd:
        named = listed(f"{row['label']} ({row['code']})" for row in odd)
        yield (
            f"On the same bases other percentages than published: {named}. Answers to these may be coded "
            "otherwise in the extract (turned round, or shifted by one)."
        )


def _minimum(off: dict[str, dict[str, Any]], same: set[str], edition: Edition) -> Iterator[str]:
    """Scores that differ though all their questions do not: another rule on how many answers are needed."""
    scores = [
        row
        for name, row in off.items()
        if name in edition.scores
        and {q for q in edition.questions_of(name) if q in edition.percentages} <= same
        and row["base"] != row["base_published"]
    ]
    if scores:
        named = listed(f"{row['label']} ({row['code']})" for row in scores)
        yield (
            f"Scores on other bases though their questions are as published: {named}. The official rule on "
            "how many answers a score needs may be another."
        )
