"""Two files side by side: the same rows, the same ids, organisations and groups that came or went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.columns import text_columns
from culture_metrics.extracts.pair_names import MOST_NAMES, propose_names
from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.extracts.rules.labels import breakdown_columns, count_labels
from culture_metrics.files.names import squeeze
from culture_metrics.files.organisations import successors
from culture_metrics.problems import Problem, counted, examples, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culture_metrics.extracts.rules.pair import Pair

#: A change of the number of respondents by more than this factor.
MUCH_MORE = 1.5
#: Rows with fewer answers may agree by chance.
FEWEST_ANSWERS = 10


def same_file(pair: Pair) -> Iterator[Problem]:
    """Report one file given twice, periods out of order, and files of very different size."""
    hashes = [e.provenance.get("sha256") for e in (pair.first, pair.second)]
    if hashes[0] and hashes[0] == hashes[1] and pair.periods[0] == pair.periods[1]:
        yield Problem(
            "error",
            "the same file twice",
            "two files with the same content",
            "two different files",
            "Nothing; give the file of the other year.",
        )
    elif pair.periods[0] == pair.periods[1]:
        yield Problem(
            "warning",
            "the same period twice",
            f"both files hold {pair.periods[0]}",
            "two periods",
            "Nothing; check the years, or put the parts of a file together first.",
        )
    elif pair.periods[0] > pair.periods[1]:
        yield Problem(
            "note",
            "the later period first",
            f"{pair.periods[0]} before {pair.periods[1]}",
            "the earlier file first",
            "Nothing; what is said to be new is what the earlier year has.",
        )
    small, large = sorted((pair.first.frame.height, pair.second.frame.height))
    if small and large > MUCH_MORE * small:
        yield Problem(
            "warning",
            "far more respondents in one file",
            f"{pair.first.frame.height:,} in {pair.periods[0]}, {pair.second.frame.height:,} in "
            f"{pair.periods[1]}",
            "about as many",
            "Nothing; check that both files are complete and hold the same organisations.",
        )


def respondents(pair: Pair) -> Iterator[Problem]:
    """Ids in both files: of the same rows, or of other ones."""
    named = pair.second.frame.filter(pl.col("respondent") != pl.format("row {}", ROW))
    both = named.join(pair.first.frame.select("respondent"), on="respondent", how="semi")
    if both.is_empty():
        return
    columns = [(a, b) for _, a, _, b in pair.questions]
    earlier = pair.first.frame.select("respondent", *(pl.col(a).alias(f"{b} before") for a, b in columns))
    side_by_side = both.join(earlier, on="respondent", how="inner", maintain_order="left")
    answered = pl.sum_horizontal(pl.lit(0), *(pl.col(b).is_not_null() for _, b in columns))
    alike = pl.all_horizontal(
        pl.lit(value=True), *(pl.col(b).eq_missing(pl.col(f"{b} before")) for _, b in columns)
    )
    again = side_by_side.filter(alike & (answered >= FEWEST_ANSWERS))
    if again.height:
        yield Problem(
            "error",
            "the same rows in both files",
            f"respondents of {pair.periods[0]} who stand in {pair.periods[1]} with the same answers",
            "the answers of each year",
            "Nothing was removed; find out which year these rows belong to.",
            column="respondent",
            rows=again.height,
            examples=examples(again[ROW]),
        )
    if both.height > again.height:
        yield Problem(
            "warning",
            "respondents in both files",
            f"respondent ids of {pair.periods[0]} that {pair.periods[1]} has too, with other answers",
            "ids of their own in every year: the survey is anonymous from year to year",
            "Nothing; ids are probably numbered anew each year. Never join the files by them.",
            column="respondent",
            rows=both.height - again.height,
        )


def organisations(pair: Pair, known: pl.DataFrame | None) -> Iterator[Problem]:
    """Report organisations that only one of the files has."""
    counts = [
        dict(e.frame["organisation"].drop_nulls().value_counts(sort=True, name="n").iter_rows())
        for e in (pair.first, pair.second)
    ]
    heirs = {} if known is None else successors(known)
    for here, other, word in ((0, 1, "vanished"), (1, 0, "new")):
        only = [code for code in counts[here] if code not in counts[other]]
        if not only:
            continue
        heir = heirs if word == "vanished" else {}
        joined = {
            f"{code} (now {heir[code][0]})" if code in heir else code: counts[here][code] for code in only
        }
        shown = named(joined, pair.first.edition.survey.minimum_base, noun="organisation")
        yield Problem(
            "warning",
            f"organisations that {'vanished' if word == 'vanished' else 'are new'}",
            f"{counted(len(only), 'organisation')} {word} in {pair.periods[1]}: {shown}",
            "the same organisations in both years",
            "Nothing; compare the organisations that both files hold, and mind mergers.",
            column="organisation",
        )


def localities(pair: Pair) -> Iterator[Problem]:
    """Report groups that vanished, are new or may be renamed."""
    first, second = pair.first, pair.second
    columns = [
        c
        for c in breakdown_columns(first.frame, first.edition)
        if c in breakdown_columns(second.frame, second.edition)
    ]
    before, after = count_labels(first.frame, columns), count_labels(second.frame, columns)
    for column in columns:
        minimum = first.edition.survey.minimum_base
        yield from _labels(pair, column, before[column], after[column], minimum)
    for column in columns:
        said = [e.words.get(column) for e in (first, second)]
        places = [text_columns(first.edition).get(squeeze(word or "")) for word in said]
        if said[0] != said[1] and places != [column, column]:
            called = [word or "without a word of its own" for word in said]
            yield Problem(
                "warning",
                "one breakdown under two names",
                f"{called[0]} in {first.period}, {called[1]} in {second.period}",
                "the same column in both years",
                "Nothing; if these are not the same, say what each is when the file is read: "
                "columns={'name in the file': 'breakdown: Care Group'}.",
                column=column,
            )
    for extract, other in ((first, second), (second, first)):
        only = [c for c in breakdown_columns(extract.frame, extract.edition) if c not in other.frame.columns]
        if only:
            yield Problem(
                "note",
                "breakdowns in one file only",
                f"{listed(only)} in {extract.period} only",
                "the same columns in both files",
                "Nothing; the years cannot be compared by them.",
            )


def _labels(
    pair: Pair, column: str, before: Mapping[str, int], after: Mapping[str, int], minimum: int
) -> Iterator[Problem]:
    periods = pair.periods
    gone = {label: n for label, n in before.items() if label not in after}
    new = {label: n for label, n in after.items() if label not in before}
    if len(gone) + len(new) > MOST_NAMES:
        yield Problem(
            "warning",
            "other groups in each file",
            f"{len(gone):,} labels of {periods[0]} and {len(new):,} of {periods[1]} are in one file only",
            "mostly the same groups in both years",
            "Nothing; the column cannot be compared.",
            column=column,
        )
        return

    found = propose_names(pair.first, pair.second, column, before, after)
    renamed = {p.last: p.this for p in found}
    why = {p.last: "; ".join(p.evidence) for p in found}
    left = {label: n for label, n in new.items() if label not in renamed.values()}
    if renamed:
        yield Problem(
            "warning",
            "groups that may be renamed",
            named(
                {f"'{a}' may now be '{b}' ({why[a]})": min(gone[a], new[b]) for a, b in renamed.items()},
                minimum,
                5,
                "group that may have another name now",
                "groups that may have other names now",
            ),
            "the same names in both years",
            f"Nothing. If they are the same groups: validate(extract, merge={{'{column}': {{old: new}}}}) "
            f"on the file of {periods[0]}.",
            column=column,
        )
    vanished = {label: n for label, n in gone.items() if label not in renamed}
    for word, labels, rule in (
        ("vanished", vanished, "groups that vanished"),
        ("new", left, "groups that are new"),
    ):
        if labels:
            yield Problem(
                "note",
                rule,
                f"{counted(len(labels), 'group')} {word} in {periods[1]}: "
                + named({f"'{label}'": n for label, n in labels.items()}, minimum, 6, "group"),
                "the same groups in both years",
                "Nothing; they have no counterpart to compare with.",
                column=column,
            )
