"""The story of two years: what moved at the top, where inside it sits, what may only have been renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.decompose import decomposed
from culture_metrics.compare.group_results import means_of_results
from culture_metrics.compare.places import places, within
from culture_metrics.compare.sentences import sentence
from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsError
from culture_metrics.extracts.spelling import may_be_renamed
from culture_metrics.problems import listed
from culture_metrics.wording.changes import with_unit
from culture_metrics.wording.numbers import in_sentence, several, shown, together
from culture_metrics.wording.verdicts import CLEAR, LIKELY

if TYPE_CHECKING:
    from culture_metrics.compare.comparison import YearComparison

#: Measures that a story follows, and groups that it names of each breakdown.
FOLLOWED, NAMED = 3, 3
#: A group accounts for most of a change from this share of it on.
MOST = 0.5


class Story(NamedTuple):
    """What is told of two years, in its parts.

    `moved` has the sentences of each finding about the whole; `places` what a breakdown is
    called and a phrase for each of its groups that moved apart; `notes` how to read them, and who is missing.
    """

    moved: list[list[str]]
    places: list[tuple[str, list[str]]]
    notes: list[str]


def story(change: YearComparison) -> list[str]:
    """Say what moved in the whole organisation, where inside, and which groups came and went.

    Returns
    -------
    list of str
        What `told` returns, one after the other.
    """
    moved, places_, notes = told(change)
    inside = [f"By {label}, apart from the rest: {'; '.join(phrases)}." for label, phrases in places_]
    return [*(text for finding in moved for text in finding), *inside, *notes]


def told(change: YearComparison) -> Story:
    """Say what moved in the whole organisation, where inside, and which groups came and went.

    Notes
    -----
    What moved beyond chance comes first, leading scores before other measures; where nothing did, what is
    likely to have. Of each the mix of staff is told apart (`decompose_change` of the results). Then come the
    groups that moved apart from the rest, in these measures or a leading score (`compare.places`). Which of
    its scores is furthest is judged by the changes shrunken towards that of all groups; how far it went is
    said as its own change, as the tables print it.
    """
    survey = catalogue(change.survey)
    whole = change.whole().table.filter(pl.col("p_value").is_not_null())
    first = pl.col("level").is_in(survey.leading)
    order = [first, pl.col("standardised_difference").abs()]
    found = whole.filter(pl.col("verdict").is_in(CLEAR)).sort(order, descending=True, nulls_last=True)
    if found.is_empty():
        found = whole.filter(pl.col("verdict").is_in(LIKELY)).sort(order, descending=True, nulls_last=True)
    ends = f"from {change.from_period} to {change.to_period}"
    said: list[list[str]] = []
    whom = f"{change.part}: " if change.part else ""
    if whole.height and not (found["level"].is_in(list(survey.leading))).any():
        said.append([f"{whom}No leading score moved beyond chance {ends}."])
    found = found.head(FOLLOWED)
    for row in found.iter_slices(1):
        said.append([f"{whom}{row.select(sentence()).item()}", *_mix(change, row), *_accounts(change, row)])
    leading = whole.filter(first)["measure"].to_list()
    where, notes = _where(change, [*found["measure"], *leading])
    return Story(said, where, [*notes, *_apart(change)])


def _label(change: YearComparison, breakdown: str) -> str:
    return in_sentence(_printed(change, breakdown))


def _printed(change: YearComparison, breakdown: str) -> str:
    return catalogue(change.survey).edition(change.to_period).breakdown_label(breakdown, change.names)


def _of_one_year(change: YearComparison) -> dict[str, str]:
    """Return the breakdowns that one year's results alone have, and that year: their mix is not known."""
    if change.results is None:
        return {}
    before, after = ({*t["breakdown"].unique()} for t in change.results)
    return dict.fromkeys(sorted(before - after), change.from_period) | dict.fromkeys(
        sorted(after - before), change.to_period
    )


def _mix(change: YearComparison, row: pl.DataFrame) -> list[str]:
    """Say what of a change comes of who answered, by each breakdown that no other one holds."""
    if change.results is None:
        return []
    one = row.row(0, named=True)
    old, new = (t.filter(measure=one["measure"], organisation=one["organisation"]) for t in change.results)
    inner = set(within(change)["breakdown"])
    told: list[tuple[float, str]] = []
    for breakdown in change.table["breakdown"].unique(maintain_order=True):
        if breakdown == ALL or breakdown in inner or breakdown in _of_one_year(change):
            continue
        try:
            means = means_of_results(
                old, new, one["measure"], [breakdown], one["organisation"], None, False, {}
            )
        except CultureMetricsError:
            continue
        parts = decomposed(means)
        # Of weighted figures, and where much is hidden, the pieces are those of another change.
        if shown(parts.piece("total")["estimate"], one["unit"]) != shown(one["difference"], one["unit"]):
            continue
        told.append((parts.piece("mix")["estimate"], _label(change, breakdown)))
    if not told:
        return []
    mix, label = max(told, key=lambda one: abs(one[0]))
    size = with_unit(mix, one["unit"])
    if not size.strip("+0. points"):
        return ["None of that comes of who answered (staff mix): it is change within groups."]
    largest = ", the largest" if len(told) > 1 else ""
    return [
        f"Of that, {size} comes of who answered (mix by {label}{largest}); the rest is change within groups."
    ]


def _accounts(change: YearComparison, row: pl.DataFrame) -> list[str]:
    """Name the group that most of a change lies in: its share of the answers times its shrunken change."""
    one = row.row(0, named=True)
    if change.table["organisation"].n_unique() != 1 or not one["difference"]:
        return []
    lies = within(change)
    found = places(change, [one["measure"]])
    everyone = change.table.filter(pl.col("breakdown") != ALL, measure=one["measure"])
    people = everyone.group_by("breakdown").agg(people=pl.col("base_to").sum())
    outer = found.join(people, on="breakdown").filter(~pl.col("breakdown").is_in(lies["breakdown"].implode()))
    part = pl.col("base_to") / pl.max_horizontal("people", pl.lit(one["base_to"]))
    share = pl.coalesce("shrunken", "difference") * part / one["difference"]
    most = outer.with_columns(share=share).filter(pl.col("share") > MOST).sort("share", descending=True)
    if most.is_empty():
        return []
    breakdown, group = most.select("breakdown", "group").row(0)
    inner = lies.filter(under=f"{breakdown}: {group}")
    inside = found.join(inner, on=["breakdown", "group"], how="semi")["group"].to_list()
    chief = f", chiefly in {listed(inside[:NAMED])}" if inside else ""
    return [f"Most of it lies in '{group}' ({_label(change, breakdown)}){chief}."]


def _where(change: YearComparison, measures: list[str]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Name the groups that moved apart from the rest, breakdown by breakdown, inner ones with the outer."""
    if change.table["organisation"].n_unique() != 1:
        return [], []
    found = places(change, list(dict.fromkeys(measures)))
    lies = within(change)
    every = change.table.filter(pl.col("breakdown") != ALL)["breakdown"].unique(maintain_order=True)
    known = [b for b in every if b not in _of_one_year(change)]
    inner = set(lies["breakdown"])
    said: list[tuple[str, list[str]]] = []
    still, notes = [], []
    named = found.clear()
    for breakdown in sorted(known, key=lambda b: b in inner):
        own = found.filter(breakdown=breakdown)
        own = own.join(named.select("breakdown", "group"), on=["breakdown", "group"], how="anti")
        if own.is_empty():
            still += [] if breakdown in named["breakdown"] else [_label(change, breakdown)]
            continue
        phrases = []
        groups = own["group"].unique(maintain_order=True).to_list()
        for group in groups[:NAMED]:
            inside = found.join(
                lies.filter(pl.col("under") == f"{breakdown}: {group}"), on=["breakdown", "group"], how="semi"
            )
            outer = lies.filter(breakdown=breakdown, group=group)["under"].to_list()
            place = f" (in {outer[0].split(': ', 1)[1]})" if outer else ""
            phrase = _moved(change, own.filter(group=group), place)
            if inside.height:
                chief = inside["group"].unique(maintain_order=True).to_list()[:NAMED]
                each = [_chief(inside, g) for g in chief]
                phrase += f", in it chiefly {_label(change, inside['breakdown'][0])} {listed(each)}"
                named = pl.concat([named, inside])
            phrases.append(phrase)
        more = len(groups) - NAMED
        phrases += [f"{several(more, 'more group')} moved apart"] if more > 0 else []
        said.append((_label(change, breakdown), phrases))
    if found["shrunken"].is_not_null().any():
        notes.append(
            "How far a group moved is its own change; which of its scores moved furthest is judged by "
            "changes drawn towards that of all groups as far as they are uncertain."
        )
    if still and change.table["p_value"].is_not_null().any():
        notes.append(f"By {together(still)} no group moved apart from the rest beyond chance.")
    return said, notes


def _moved(change: YearComparison, rows: pl.DataFrame, place: str) -> str:
    """Say in how many scores a group fell or rose, and in which furthest."""
    leading = catalogue(change.survey).leading
    ways = []
    for word, way in (
        ("fell", rows.filter(pl.col("difference") < 0)),
        ("rose", rows.filter(pl.col("difference") > 0)),
    ):
        if way.is_empty():
            continue
        scores = way.filter(pl.col("level").is_in(leading)).height
        furthest = _furthest(way)
        ways.append(
            f"{word} in {several(scores, 'leading score')}, {furthest}"
            if scores > 1
            else f"{word} in {furthest.removeprefix('furthest ')}"
        )
    return f"{rows['group'][0]}{place} {' and '.join(ways)}"


def _size(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort by what is sure of each change, scores before percentages: drawn to all groups where known."""
    return rows.sort(
        pl.col("unit").cast(pl.String) != "score",
        -pl.coalesce("shrunken", "difference").abs(),
        maintain_order=True,
    )


def _furthest(rows: pl.DataFrame) -> str:
    """Name the measure that is furthest for what is known of it, and its own change as tables print it."""
    row = _size(rows).row(0, named=True)
    alike = rows.filter(unit=row["unit"])["difference"].abs().max()
    sure = "" if abs(row["difference"]) >= alike else ", for what is known of each,"
    return f"furthest{sure} {row['label']} ({with_unit(row['difference'], row['unit'])})"


def _chief(rows: pl.DataFrame, group: str) -> str:
    """Name a group, and its change in the measure that is furthest for what is known of it."""
    row = _size(rows.filter(group=group)).row(0, named=True)
    return f"{group} ({row['label']} {with_unit(row['difference'], row['unit'])})"


def _apart(change: YearComparison) -> list[str]:
    """Name the groups of one year only: they change the mix, or have another name."""
    alone = _of_one_year(change)
    ends = [
        ([g for g in groups if g.split(": ", 1)[0] not in alone], period)
        for groups, period in (
            (change.groups_vanished, change.from_period),
            (change.groups_appeared, change.to_period),
        )
    ]
    said = [f"{_printed(change, b)} is known of {period} only." for b, period in alone.items()]
    told = [
        f"only in {period}: {listed([g.split(': ', 1)[1] for g in groups])}"
        for groups, period in ends
        if groups
    ]
    if not told:
        return said
    said += [f"Groups {'; '.join(told)}. They count as a change of mix, unless one was renamed."]
    named = [tuple(g.split(": ", 1) for g in groups) for groups, _ in ends]
    for breakdown in dict.fromkeys(b for b, _ in named[0]):
        same = may_be_renamed(*([g for b, g in one if b == breakdown] for one in named))
        said += [f"{old} may now be called {new}." for old, new in same.items()]
    return said
