"""Labels of breakdowns: variants of one name, words for "no group", columns that are no breakdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError, unknown
from culture_metrics.extracts.columns import text_columns
from culture_metrics.extracts.own_words import own_breakdowns
from culture_metrics.extracts.personal import why_personal
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.extracts.spelling import can_be_shown, nearly_alike, same_but_for_case, squeezed
from culture_metrics.problems import Problem, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culture_metrics.catalogue import Edition

    Merge = Mapping[str, Mapping[str, str | None]]
    Labels = Mapping[str, int]

#: Labels that name no group, without case, spaces and punctuation.
NO_GROUP = frozenset(
    {"na", "none", "null", "nan", "unknown", "notknown", "blank", "missing", "notstated", "notapplicable"}
    | {"unassigned", "tbc", "ref", "value", "0", "99"}
    # A choice in a list of teams: taken for a team, it would lie in every directorate.
    | {"prefernottosay", "iprefernottosay", "iwouldprefernottosay", "undisclosed"}
)
#: More labels than this make a column of free text, not a breakdown.
MOST_LABELS = 2000


def breakdown_columns(frame: pl.DataFrame, edition: Edition) -> list[str]:
    """Return the text columns that split respondents into groups."""
    columns = [b.column for b in edition.breakdowns.values() if b.column]
    known = [c for c in columns if c in frame.columns and frame[c].dtype == pl.String]
    return [*known, *own_breakdowns(frame.schema, edition, text_columns(edition).values())]


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
                shown = rows.filter(pl.col("n") >= edition.survey.minimum_base)[column].to_list()
                raise unknown(f"label in {column}", label, shown, where="merge=")
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
    counts: Mapping[str, Labels], minimum: int
) -> tuple[list[Problem], dict[str, dict[str, str | None]]]:
    """Report variants of labels and offer merges; nothing is merged here.

    Returns
    -------
    tuple
        Problems, which name labels that stand in `minimum` rows or more, and the merges that are offered, in
        the form `validate(..., merge=...)` takes.
    """
    problems: list[Problem] = []
    offers: dict[str, dict[str, str | None]] = {}
    for column, labels in counts.items():
        if is_free_text(column, labels):
            problems.append(_free_text(column, labels))
            continue
        offered = offers.setdefault(column, {})
        for problem, merge in _variants(column, labels, minimum):
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


def _variants(column: str, labels: Labels, minimum: int) -> Iterator[tuple[Problem, dict[str, str | None]]]:
    nowhere = [label for label in labels if squeezed(label) in NO_GROUP or not squeezed(label)]
    known = {label: n for label, n in labels.items() if label not in nowhere and can_be_shown(label)}
    if nowhere:
        none: dict[str, str | None] = dict.fromkeys(nowhere)
        yield (
            Problem(
                "note",
                "labels that stand for no group",
                named({f"'{label}'": labels[label] for label in nowhere}, minimum),
                "an empty cell where there is no group",
                f"Kept. {_how(column, none, labels, minimum)}",
                column=column,
            ),
            none,
        )
    alike = same_but_for_case(known)
    if alike:
        yield _offer(column, "labels that differ in case or spaces", alike, known, minimum), dict(alike)
    left = {label: n + sum(known[a] for a, b in alike.items() if b == label) for label, n in known.items()}
    near = nearly_alike({label: n for label, n in left.items() if label not in alike})
    if near:
        yield _offer(column, "labels spelled nearly alike", near, known, minimum), dict(near)


def _offer(column: str, rule: str, merge: dict[str, str], labels: Labels, minimum: int) -> Problem:
    pairs = {f"'{a}' beside '{b}'": min(labels[a], labels[b]) for a, b in merge.items()}
    return Problem(
        "warning",
        rule,
        named(pairs, minimum, 4, "pair with a label", "pairs with a label"),
        "one label for each group",
        f"Kept apart. If they are one group: {_how(column, dict(merge), labels, minimum)}",
        column=column,
    )


def _how(column: str, merge: dict[str, str | None], labels: Labels, minimum: int) -> str:
    """Say how to merge; labels in few rows stand in the report's merges, and not in its text."""
    few = any(labels[label] < minimum for pair in merge.items() for label in pair if label is not None)
    if few or len(merge) > 2:
        one = "merges it" if len(merge) == 1 else f"merges all {len(merge)}"
        return f"validate(extract, merge=report.merges) {one}; report.merges['{column}'] names them."
    return f"validate(extract, merge={ {column: merge}!r})"
