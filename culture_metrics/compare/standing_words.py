"""What is said of a standing: ranks and those who share them, where it is highest and lowest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.wording.numbers import several, together

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from culture_metrics.catalogue import Survey


def summary_said(
    table: pl.DataFrame, peers: pl.DataFrame, name: str, group: str, survey: Survey
) -> tuple[str, ...]:
    """Say on how many leading scores an organisation is above and below the median, and where furthest.

    `table` is that of a benchmark, `peers` the figures of its group.
    """
    if peers["organisation"].n_unique() == 1:
        return (f"{name} is the only one in {group}: there is nobody to stand beside.",)
    # Who has too few respondents to count has a figure and no rank.
    scores = table.filter(pl.col("level").is_in(survey.leading)).drop_nulls(["estimate", "rank"])
    if scores.is_empty():
        return (f"{name} has no figure that counts in {group} on the {survey.leading_words}.",)
    above = scores.filter(pl.col("estimate") > pl.col("median"))
    below = scores.filter(pl.col("estimate") < pl.col("median"))
    organisations = several(peers["organisation"].n_unique(), "organisation")
    counted = (above.height, below.height, scores.height)
    said = [f"{name} is {_sides(f'{group} ({organisations})', *counted, survey.leading_words, ' and')}."]
    ranks = {rank_said(row, peers) for row in scores.iter_rows(named=True)}
    if scores.height > 1 and len(ranks) == 1 and above.height + below.height:
        said.append(f"Its standing is the same on all {scores.height}: {ranks.pop()}.")
        return (*said, *_among_peers(scores, survey))
    for rows, word in ((above, "highest"), (below, "lowest")):
        if rows.height:
            end = rows["percentile"].max() if word == "highest" else rows["percentile"].min()
            said.append(_furthest(rows.filter(pl.col("percentile") == end), word, peers))
    return (*said, *_among_peers(scores, survey))


def _among_peers(scores: pl.DataFrame, survey: Survey) -> tuple[str, ...]:
    """Say how it stands beside the peers that were named, where some were."""
    if "peers_median" not in scores.columns or scores["peers_median"].null_count() == scores.height:
        return ()
    beside = scores.drop_nulls("peers_median")
    above = beside.filter(pl.col("estimate") > pl.col("peers_median")).height
    below = beside.filter(pl.col("estimate") < pl.col("peers_median")).height
    peers = several(int(beside["peers_organisations"].to_numpy().max()), "peer")
    return (
        f"It is {_sides(f'the {peers} named', above, below, beside.height, survey.leading_words, ' and')}.",
    )


def _sides(group: str, above: int, below: int, number: int, measures: str, joined: str = ",") -> str:
    """Say on how many of so many measures a figure lies above and below a median, the larger side first.

    Examples
    --------
    >>> _sides("Acute", 0, 9, 9, "scores")
    'below the median of Acute on all 9 scores'
    >>> _sides("Acute", 2, 0, 3, "scores")
    'above the median of Acute on 2 of 3 scores, below it on none'
    """
    (most, first), (fewer, second) = sorted([(above, "above"), (below, "below")], key=lambda one: -one[0])
    if not most:
        return f"at the median of {group} on all {number} {measures}"
    if most == number > 1:
        return f"{first} the median of {group} on all {number} {measures}"
    rest = f"{joined} {second} it on {fewer or 'none'}"
    return f"{first} the median of {group} on {most} of {number} {measures}{rest}"


def _furthest(rows: pl.DataFrame, word: str, peers: pl.DataFrame) -> str:
    """Say on which scores the standing is highest or lowest: those that stand level together."""
    if rows.height == 1:
        far = rows.row(0, named=True)
        return (
            f"Its standing is {word} on {far['label'].lower()} ({far['estimate']:.2f}; median "
            f"{far['median']:.2f}; {rank_said(far, peers)}{_reach(far)})."
        )
    ranks = [rank_said(row, peers) for row in rows.iter_rows(named=True)]
    labels = [label.lower() for label in rows["label"]]
    if len(set(ranks)) == 1:
        named = f"{together(labels, most=rows.height)} ({ranks[0]} in each)"
    else:
        each = (f"{label} ({rank})" for label, rank in zip(labels, ranks, strict=True))
        named = together(each, most=rows.height)
    return f"Its standing is {word}, and the same, on {named}."


def rank_said(row: Mapping[str, Any], peers: pl.DataFrame) -> str:
    """Say a rank, and how many organisations share it."""
    mine = peers.filter(measure=row["measure"])["estimate"].drop_nulls()
    others = int((mine == row["estimate"]).sum()) - 1
    shared = f", shared with {several(others, 'other')}" if others else ""
    return f"rank {row['rank']} of {row['organisations']}{shared}"


def _reach(row: Mapping[str, Any]) -> str:
    """Say the interval of a rank."""
    if row["rank_low"] is None or row["organisations"] < 2:
        return ""
    return f"; by sampling alone {row['rank_low']} to {row['rank_high']}"


def favourable_said(extremes: pl.DataFrame, group: str) -> tuple[str, ...]:
    """Say which questions are most and least favourable against the median of a group."""
    said = []
    for (side,), rows in extremes.group_by("side", maintain_order=True):
        each = (
            f"{row['label'].lower()} ({row['estimate']:.1f}%; median {row['median']:.1f}%)"
            for row in rows.iter_rows(named=True)
        )
        said.append(f"{str(side).capitalize()} against the median of {group}: {together(each)}.")
    return tuple(said)


def beside_median(table: pl.DataFrame, group: str) -> str:
    """Say on how many scores an organisation is above and below the median of its group.

    Parameters
    ----------
    table : polars.DataFrame
        `estimate` and `median`; rows without either are not counted.
    group : str
        Name of the benchmark group.

    Examples
    --------
    >>> beside_median(pl.DataFrame({"estimate": [7.1, 6.0, 5.5], "median": [7.0, 6.2, 5.5]}), "Acute")
    'above the median of Acute on 1 of 3 scores, below it on 1'
    """
    rows = table.drop_nulls(["estimate", "median"])
    if "rank" in rows.columns:  # too few respondents to count: a figure, and no place
        rows = rows.drop_nulls("rank")
    if rows.is_empty():
        return f"no figure that counts in {group}"
    if "organisations" in rows.columns and rows["organisations"].max() == 1:
        return f"the only one in {group}"
    above = rows.filter(pl.col("estimate") > pl.col("median")).height
    below = rows.filter(pl.col("estimate") < pl.col("median")).height
    return _sides(group, above, below, rows.height, "scores")
