"""What titles and sources of figures of results say: who, how far scores reach, how figures are weighted."""

from __future__ import annotations

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.wording.grey import furthest_apart
from culture_metrics.wording.numbers import at_the_end, several, shown

#: Where figures come from, as the source of a figure says it.
SOURCES = {"respondents": "Respondent files", "published": "Published results"}
SOURCE = SOURCES | {"respondents": "Respondent file"}

#: How figures are weighted, as the source of a figure says it.
WEIGHTED = {
    "none": "every respondent counted once",
    "occupation_group": "weighted to the occupation mix of the benchmark group",
    "occupation_group_and_size": "weighted by occupation group and size of organisations",
    "size": "weighted by size of organisations",
    "raked": "weighted to staff in post",
    "supplied": "weighted by weights of one's own",
    "as_published": "weighted as published",
}


def weighed(source: str, weighting: pl.Series) -> str:
    """Say where figures come from and how they are weighted, as far as they agree in it.

    Examples
    --------
    >>> weighed("Published results", pl.Series(["occupation_group", "none", None]))
    'Published results, weighted to the occupation mix of the benchmark group; questions never weighted as they are'
    >>> weighed("Respondent files", pl.Series(["none"]))
    'Respondent files, every respondent counted once'
    """  # noqa: E501
    kinds = weighting.cast(pl.String).drop_nulls().unique().sort().to_list()
    some = [kind for kind in kinds if kind != "none"] or kinds
    if len(some) != 1:
        return source
    plain = "; questions never weighted as they are" if len(kinds) > 1 else ""
    return f"{source}, {WEIGHTED[some[0]]}{plain}"


def source_of(rows: pl.DataFrame) -> str:
    """Say where the rows of results come from and how they are weighted, as far as they agree in it."""
    sources = rows["source"].cast(pl.String).unique().sort()
    if rows.select(pl.struct("organisation", "period").n_unique()).item() == 1:
        return weighed(" and ".join(SOURCE.get(name, name) for name in sources), rows["weighting"])
    return weighed(" and ".join(SOURCES.get(name, name) for name in sources), rows["weighting"])


def from_to(table: pl.DataFrame) -> str:
    """Say the lowest and the highest score of a table with `label` and `estimate`.

    Examples
    --------
    >>> from_to(pl.DataFrame({"label": ["Morale", "Voice"], "estimate": [5.9, 6.4]}))
    'scores from 5.90 (Morale) to 6.40 (Voice)'
    """
    known = table.drop_nulls("estimate")
    if known.is_empty():
        return "no score may be shown"
    (low, bottom), (high, top) = (
        at_the_end(known, "label", "estimate", "score", highest=end) for end in (False, True)
    )
    if known.height == 1:
        return f"one score, {bottom} ({low})"
    return f"all scores {top}" if top == bottom else f"scores from {bottom} ({low}) to {top} ({high})"


def apart(table: pl.DataFrame, unit: str) -> str:
    """Say how many figures of groups are beyond chance from the whole, all of them allowed for."""
    groups = table.filter(pl.col("group") != ALL).drop_nulls(["clear", "reference"])
    if groups.is_empty():
        return f"{'scores' if unit == 'score' else 'percentages'} of groups"
    above = groups.filter("clear", pl.col("estimate") > pl.col("reference")).height
    below = groups.filter("clear", pl.col("estimate") < pl.col("reference")).height
    many = several(groups.height, "score" if unit == "score" else "percentage")
    if not above + below:
        return furthest_apart(groups, unit)
    return f"{above} of {many} clearly above the whole, {below} below"


def favourable(table: pl.DataFrame) -> str:
    """Say the smallest and the largest share of favourable answers to questions."""
    shares = (
        table.filter("favourable")
        .group_by("question", maintain_order=True)
        .agg(pl.when(pl.col("percent").is_not_null().all()).then(pl.col("percent").sum()))["percent"]
        .drop_nulls()
        .sort()
    )
    if shares.is_empty():
        return "how the answers are spread"
    low, high = (shown(share, "percent") for share in (shares[0], shares[-1]))
    return f"{low} of answers favourable" if low == high else f"{low} to {high} of answers favourable"
