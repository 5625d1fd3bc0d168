"""What the reader did, told as problems: columns renamed, labels and dates read, rows left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culture_metrics.extracts.extract import Extract

#: Rows that the reader leaves out: key in the provenance, rule, what they are, what was done.
LEFT_OUT = (
    ("rows_of_other_periods", "other periods", "rows of other years in the file", "Left out."),
    (
        "rows_not_completed",
        "questionnaires not completed",
        "rows of people who did not respond, were ineligible or opted out",
        "Left out; only completed questionnaires count.",
    ),
    (
        "rows_of_bank_workers",
        "bank workers",
        "rows of bank-only workers",
        "Left out: they have a survey of their own, which is never mixed with this one.",
    ),
)
#: Cells that the reader turned into codes or blanks: key, rule, what was found, expected, done.
READ = (
    (
        "labels_read",
        "labels instead of codes",
        "text answers (answers counted)",
        "codes",
        "Read as the codes of the labels.",
    ),
    (
        "dates_read",
        "dates made by Excel",
        "dates that were response options such as 1-2 (answers counted)",
        "codes",
        "Read as the options; send the file as text or CSV to keep Excel from changing it.",
    ),
    (
        "blanks_read",
        "words for no answer",
        "words such as N/A or a dash (answers counted)",
        "blank where there is no answer",
        "Read as no answer.",
    ),
)


def left_out(extract: Extract) -> dict[str, int]:
    """Return the number of rows that the reader left out, by rule."""
    found = {rule: int(extract.provenance.get(key) or 0) for key, rule, _, _ in LEFT_OUT}
    return {rule: n for rule, n in found.items() if n}


def told(extract: Extract) -> Iterator[Problem]:
    """Tell what the reader did."""
    yield from _names(extract)
    yield from _missing(extract)
    rows = left_out(extract)
    for _, rule, what, done in LEFT_OUT:
        if rule in rows:
            yield Problem("note", rule, what, f"respondents of {extract.period}", done, rows=rows[rule])
    for key, rule, found, expected, done in READ:
        counts = _counts(extract.provenance.get(key))
        if sum(counts.values()):
            where = f" in {listed(k for k in counts if k)}" if any(counts) else ""
            yield Problem("note", rule, found + where, expected, done, rows=sum(counts.values()))


def _counts(value: Any) -> dict[str, int]:
    """Return counts by column, from a mapping or a single number."""
    if not value:
        return {}
    return {"": int(value)} if isinstance(value, int) else {str(k): int(n) for k, n in value.items() if n}


def _names(extract: Extract) -> Iterator[Problem]:
    renamed: Mapping[str, str] = extract.provenance.get("renamed") or {}
    questions = {a: b for a, b in renamed.items() if b in extract.edition.columns}
    if questions:
        shown = listed((f"'{a[:30]}' read as {b}" for a, b in questions.items()), 3)
        yield Problem(
            "note",
            "column names",
            f"{counted(len(questions), 'name')} in another form: {shown}",
            "codes as q25c",
            "Renamed.",
        )
    names = list(extract.provenance.get("not_used") or ())
    if names:
        yield Problem(
            "note",
            "unknown columns",
            f"{counted(len(names), 'column')}: {listed((n[:40] for n in names), 8)}",
            "questions and breakdowns of the catalogue",
            "Left out.",
        )


def _missing(extract: Extract) -> Iterator[Problem]:
    """Questions of the edition that have no column, and the scores that costs."""
    here = set(extract.frame.columns)
    missing = [q.code for q in extract.edition.questions.values() if not here & set(q.columns)]
    if missing:
        yield Problem(
            "warning",
            "missing questions",
            f"no column for {listed(missing, 12)}",
            f"{len(extract.edition.questions)} questions",
            lost_scores(extract, here),
        )
    parts = [
        q.code
        for q in extract.edition.questions.values()
        if here & set(q.columns) and not here >= set(q.columns)
    ]
    if parts:
        yield Problem(
            "warning",
            "missing options",
            f"some options of {listed(parts)} have no column",
            "one column for each option, as q16c_1",
            "The options that are there are used.",
        )


def lost_scores(extract: Extract, columns: set[str]) -> str:
    """Say which scores cannot be worked out with these columns only."""
    questions = extract.edition.questions
    lost = [
        m.label
        for m in extract.edition.scores.values()
        if m.items and sum(questions[i].code in columns for i in m.items) < m.minimum
    ]
    return f"Not scored: {', '.join(lost)}." if lost else "Every score can still be worked out."
