"""Labels of breakdowns: variants of one name, words for "no group", columns that are no breakdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError, unknown
from culture_metrics.extracts.personal import why_personal
from culture_metrics.extracts.spelling import nearly_alike, same_but_for_case, squeezed
from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culture_metrics.catalogue import Edition

    Merge = Mapping[str, Mapping[str, str | None]]
    Labels = Mapping[str, int]

#: Labels that name no group, without case, spaces and punctuation.
NO_GROUP = frozenset(
    {"na", "none", "null", "nan", "unknown", "notknown", "blank", "missing", "notstated", "notapplicable"}
    | {"unassigned", "tbc", "ref", "value", "0", "99"}
)
#: More labels than this make a column of free text, not a breakdown.
MOST_LABELS = 2000
LONGEST = 60


def breakdown_columns(frame: pl.DataFrame, edition: Edition) -> list[str]:
    """Return the text columns that split respondents into groups."""
    columns = [b.column for b in edition.breakdowns.values() if b.column]
    return [c for c in columns if c in frame.columns and frame[c].dtype == pl.String]


def count_labels(frame: pl.DataFrame, columns: list[str]) -> dict[str, dict[str, int]]:
    """Count the rows of every label, by column, the most frequent first.

    Of a column with more than `MOST_LABELS` labels, which is no breakdown, only so many and one are told.
    """
    found = {}
    for column in columns:
        table = frame[column].drop_nulls().value_counts(name="n")
        top = table.sort("n", column, descending=[True, False]).head(MOST_LABELS + 1)
        found[column] = dict(top.iter_rows())
    return found


def merged(frame: pl.DataFrame, merge: Merge, edition: Edition) -> tuple[pl.DataFrame, list[Problem]]:
    """Merge labels on request.

    Raises
    ------
    UnknownNameError
        When there is no such breakdown column or no such label.
    """
    if not merge:
        return frame, []
    columns = breakdown_columns(frame, edition)
    notes, made = [], []
    for column, names in merge.items():
        if column not in columns:
            raise unknown("breakdown column", column, columns, where="merge=")
        rows = frame[column].drop_nulls().value_counts(name="n")
        counts = dict(rows.filter(pl.col(column).is_in(list(names))).iter_rows())
        for label in names:
            if label not in counts:
                raise unknown(f"label in {column}", label, rows[column].to_list(), where="merge=")
        made.append(pl.col(column).replace(dict(names)))
        notes.append(
            Problem(
                "note",
                "labels merged",
                f"{counted(len(names), 'label')} merged as asked",
                "one label for each group",
                "Merged.",
                column=column,
                rows=sum(counts[label] for label in names),
            )
        )
    return frame.with_columns(made), notes


def label_problems(
    counts: Mapping[str, Labels],
) -> tuple[list[Problem], dict[str, dict[str, str | None]]]:
    """Report variants of labels and offer merges; nothing is merged here.

    Returns
    -------
    tuple
        Problems, and the merges that are offered, in the form `validate(..., merge=...)` takes.
    """
    problems: list[Problem] = []
    offers: dict[str, dict[str, str | None]] = {}
    for column, labels in counts.items():
        if is_free_text(column, labels):
            problems.append(_free_text(column, labels))
            continue
        offered = offers.setdefault(column, {})
        for problem, merge in _variants(column, labels):
            problems.append(problem)
            offered |= merge
    return problems, {column: merge for column, merge in offers.items() if merge}


def check_merge(merge: object) -> Merge:
    """Return `merge` if it has the form {column: {label: label}}.

    Raises
    ------
    ExtractError
        When it has not.
    """
    if merge is None:
        return {}
    if isinstance(merge, dict) and all(isinstance(names, dict) for names in merge.values()):
        return merge
    raise ExtractError(
        "merge= must say for each column which label becomes which",
        expected="merge={'locality_1': {'nursing': 'Nursing'}}",
        hint="report.merges holds the merges that the report offers, in this form.",
    )


def is_free_text(column: str, labels: Labels) -> bool:
    """Whether the entries of a column are no names of groups: no breakdown takes it then."""
    if len(labels) > MOST_LABELS:
        return True
    once = sum(n == 1 for n in labels.values())
    entries = pl.Series(list(labels), dtype=pl.String)
    return why_personal([column], entries, sum(labels.values()), once) is not None


def _free_text(column: str, labels: Labels) -> Problem:
    return Problem(
        "warning",
        "no breakdown",
        f"{'more than ' if len(labels) > MOST_LABELS else ''}{min(len(labels), MOST_LABELS):,} different "
        "entries: ids or free text rather than names of groups",
        "a few names, each for many respondents",
        "Kept; estimates refuse it as a breakdown. Take the column out if it can identify people.",
        column=column,
    )


def _variants(column: str, labels: Labels) -> Iterator[tuple[Problem, dict[str, str | None]]]:
    nowhere = [label for label in labels if squeezed(label) in NO_GROUP or not squeezed(label)]
    named = {label: n for label, n in labels.items() if label not in nowhere and _can_be_shown(label)}
    if nowhere:
        none: dict[str, str | None] = dict.fromkeys(nowhere)
        yield (
            Problem(
                "note",
                "labels that stand for no group",
                listed(f"'{label}' ({labels[label]:,})" for label in nowhere),
                "blank where the group is not known",
                f"Kept as {'a group' if len(nowhere) == 1 else 'groups'}. {_how(column, none)}",
                column=column,
                rows=sum(labels[label] for label in nowhere),
            ),
            none,
        )
    alike = same_but_for_case(named)
    if alike:
        yield _offer(column, "labels that differ in case or spaces", alike, named), dict(alike)
    left = {label: n + sum(named[a] for a, b in alike.items() if b == label) for label, n in named.items()}
    near = nearly_alike({label: n for label, n in left.items() if label not in alike})
    if near:
        yield _offer(column, "labels spelled nearly alike", near, named), dict(near)


def _can_be_shown(label: str) -> bool:
    return len(label) <= LONGEST and "@" not in label


def _offer(column: str, rule: str, merge: dict[str, str], labels: Labels) -> Problem:
    pairs = listed((f"'{a}' ({labels[a]:,}) and '{b}' ({labels[b]:,})" for a, b in merge.items()), 4)
    return Problem(
        "warning",
        rule,
        pairs,
        "one label for each group",
        f"Kept apart. If they are one group: {_how(column, dict(merge))}",
        column=column,
        rows=sum(labels[label] for label in merge),
    )


def _how(column: str, merge: dict[str, str | None]) -> str:
    first = dict(list(merge.items())[:2])
    if len(first) < len(merge):
        return f"validate(extract, merge=report.merges) merges all {len(merge)}."
    return f"validate(extract, merge={ {column: first}!r})"
