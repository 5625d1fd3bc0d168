"""The rules of validation: each takes an extract and returns it mended, with what was found and set aside."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.report import Problem
from culture_metrics.extracts.schema import allowed_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Outcome = tuple[Extract, list[Problem], pl.DataFrame | None]
EXAMPLES = 5


def renamed_columns(extract: Extract) -> Outcome:
    """Say which columns were renamed."""
    renamed = extract.provenance.get("renamed", {})
    questions = {a: b for a, b in renamed.items() if b in extract.edition.columns}
    if not questions:
        return extract, [], None
    shown = ", ".join(f"'{a[:30]}' read as {b}" for a, b in [*questions.items()][:3])
    problem = Problem(
        "note",
        "column names",
        None,
        0,
        "",
        f"{len(questions)} in another form: {shown}",
        "codes as q25c",
        "Renamed.",
    )
    return extract, [problem], None


def unknown_columns(extract: Extract) -> Outcome:
    """Say which columns are not used."""
    names = extract.provenance.get("not_used", [])
    if not names:
        return extract, [], None
    shown = ", ".join(n[:40] for n in names[:8]) + (" …" if len(names) > 8 else "")
    problem = Problem(
        "note",
        "unknown columns",
        None,
        0,
        "",
        f"{len(names)} columns: {shown}",
        "questions and breakdowns of the catalogue",
        "Left out.",
    )
    return extract, [problem], None


def missing_columns(extract: Extract) -> Outcome:
    """Say which questions of the edition have no column, and which scores that costs."""
    here = set(extract.frame.columns)
    missing = [q.code for q in extract.edition.questions.values() if not here & set(q.columns)]
    if not missing:
        return extract, [], None
    lost = [
        m.label
        for m in extract.edition.scores.values()
        if m.items and not _can_score(extract, m.items, m.minimum)
    ]
    problem = Problem(
        "warning",
        "missing questions",
        None,
        0,
        "",
        f"no column for {', '.join(missing[:12])}{' …' if len(missing) > 12 else ''}",
        f"{len(extract.edition.questions)} questions",
        f"Not scored: {', '.join(lost)}." if lost else "Every score can still be worked out.",
    )
    return extract, [problem], None


def _can_score(extract: Extract, items: tuple[str, ...], minimum: int) -> bool:
    here = extract.frame.columns
    return sum(extract.edition.questions[i].code in here for i in items) >= minimum


def other_periods(extract: Extract) -> Outcome:
    """Say how many rows belong to other periods and were left out when the file was read."""
    rows = extract.provenance.get("rows_of_other_periods", 0)
    if not rows:
        return extract, [], None
    problem = Problem(
        "note",
        "other periods",
        None,
        rows,
        "",
        "rows of other years in the file",
        extract.period,
        "Left out.",
    )
    return extract, [problem], None


def readable_codes(extract: Extract) -> Outcome:
    """Make numbers of the answers; what is no whole number is set aside."""
    text = [c for c in _answers(extract) if not extract.frame[c].dtype.is_integer()]
    frame = extract.frame.with_columns(cs.float().fill_nan(None))
    numbers = frame.select(pl.col(text).cast(pl.Float64, strict=False))
    whole = numbers.select(pl.when(pl.all() % 1 == 0, pl.all().abs() < 1000).then(pl.all()).cast(pl.Int16))
    bad = {c: frame[c].is_not_null() & whole[c].is_null() for c in text}
    extract = _with_frame(extract, frame.with_columns(whole))
    return _set_cells_aside(
        extract,
        bad,
        rule="answers that are no code",
        found="text or fractions where a code belongs",
        expected=lambda column: _codes(extract, column),
        done="Made missing; ask for the codes instead of labels.",
    )


def missing_codes(extract: Extract) -> Outcome:
    """Make missing what stands for missing (99)."""
    codes = list(extract.edition.survey.missing_codes)
    columns = _answers(extract)
    frame = extract.frame
    found = frame.select(pl.col(columns).is_in(codes).sum()).row(0) if columns else ()
    rows = sum(found)
    if not rows:
        return extract, [], None
    blank = pl.col([c for c, n in zip(columns, found, strict=True) if n])
    frame = frame.with_columns(pl.when(~blank.is_in(codes)).then(blank))
    problem = Problem(
        "note",
        "missing codes",
        None,
        rows,
        "",
        f"code {', '.join(map(str, codes))} in {sum(1 for n in found if n)} columns (answers counted)",
        "blank",
        "Read as no answer.",
    )
    return _with_frame(extract, frame), [problem], None


def codes_in_list(extract: Extract) -> Outcome:
    """Set aside answers whose code is not on the question's list."""
    columns = _answers(extract)
    questions = extract.edition.columns
    bad = extract.frame.select(
        (pl.col(c).is_not_null() & ~pl.col(c).is_in(allowed_codes(questions[c]))).alias(c) for c in columns
    )
    extract, problems, aside = _set_cells_aside(
        extract,
        {c: bad[c] for c in columns},
        rule="codes outside the list",
        found="codes that the question does not have",
        expected=lambda column: _codes(extract, column),
        done="Made missing; check the coding with the contractor.",
    )
    return _with_frame(extract, extract.frame.with_columns(pl.col(columns).cast(pl.Int8))), problems, aside


def routing(extract: Extract) -> Outcome:
    """Set aside answers to a question that the filter before it rules out.

    An answer is ruled out when every filter question was answered and none opens the way.
    """
    bad: dict[str, pl.Series] = {}
    for question in extract.edition.questions.values():
        here = [c for c in question.columns if c in extract.frame.columns]
        gates = [(extract.edition.questions[name].code, codes) for name, codes in question.asked_if]
        if not gates or not here or any(code not in extract.frame.columns for code, _ in gates):
            continue
        closed = reduce(and_, [~pl.col(code).is_in(codes) for code, codes in gates])
        for column in here:
            answered = pl.col(column) == 1 if question.kind == "multi" else pl.col(column).is_not_null()
            bad[column] = extract.frame.select((answered & closed).fill_null(value=False)).to_series()
    return _set_cells_aside(
        extract,
        bad,
        rule="answers that the filter rules out",
        found="answers to a question that should have been skipped",
        expected=lambda column: f"no answer unless {_gates(extract, column)}",
        done="Made missing, as in the published percentages.",
        severity="warning",
    )


def missing_organisation(extract: Extract) -> Outcome:
    """Set aside rows without an organisation."""
    return _set_rows_aside(
        extract,
        extract.frame["organisation"].is_null(),
        rule="no organisation",
        column="organisation",
        found="rows without an organisation code",
        expected="an ODS code in every row",
        done="Rows set aside; fill in the code.",
    )


def duplicate_respondents(extract: Extract) -> Outcome:
    """Set aside the second and later rows of a respondent."""
    named = pl.col("respondent").is_not_null()
    again = extract.frame.select(named & ~pl.col("respondent").is_first_distinct()).to_series()
    extract, problems, aside = _set_rows_aside(
        extract,
        again,
        rule="duplicate respondents",
        column="respondent",
        found="rows whose respondent id stands in an earlier row",
        expected="each respondent once",
        done="The first row of each was kept, the others set aside; find out which one counts.",
    )
    blank = pl.format("row {}", ROW)
    frame = extract.frame.with_columns(pl.col("respondent").fill_null(blank))
    return _with_frame(extract, frame), problems, aside


def empty_rows(extract: Extract) -> Outcome:
    """Set aside rows without any answer."""
    columns = _answers(extract)
    ticks = [c for c in columns if extract.edition.columns[c].kind == "multi"]
    answered = reduce(
        or_,
        [pl.col(c).is_not_null() for c in columns if c not in ticks] + [pl.col(c) == 1 for c in ticks],
        pl.lit(value=False),
    )
    return _set_rows_aside(
        extract,
        extract.frame.select((~answered).fill_null(value=True)).to_series(),
        rule="empty rows",
        column=None,
        found="rows without any answer",
        expected="at least one answer",
        done="Rows set aside; they are no respondents.",
        severity="warning",
    )


def _answers(extract: Extract) -> list[str]:
    return [c for c in extract.frame.columns if c in extract.edition.columns]


def _with_frame(extract: Extract, frame: pl.DataFrame) -> Extract:
    return replace(extract, frame=frame)


def _codes(extract: Extract, column: str) -> str:
    return "one of " + ", ".join(map(str, allowed_codes(extract.edition.columns[column])))


def _gates(extract: Extract, column: str) -> str:
    edition = extract.edition
    gates = edition.columns[column].asked_if
    return " or ".join(
        f"{edition.questions[name].code} is {'/'.join(map(str, codes))}" for name, codes in gates
    )


def _examples(rows: pl.Series) -> str:
    return ", ".join(map(str, rows.head(EXAMPLES).to_list())) + (" …" if rows.len() > EXAMPLES else "")


def _set_cells_aside(
    extract: Extract,
    bad: Mapping[str, pl.Series],
    *,
    rule: str,
    found: str,
    expected: Callable[[str], str],
    done: str,
    severity: str = "error",
) -> Outcome:
    """Make cells missing, one problem per column."""
    counts = {column: int(flags.sum()) for column, flags in bad.items()}
    columns = [c for c, n in counts.items() if n]
    if not columns:
        return extract, [], None
    where = {c: extract.frame.filter(bad[c])[ROW] for c in columns}
    problems = [
        Problem(severity, rule, c, counts[c], _examples(where[c]), found, expected(c), done) for c in columns
    ]
    aside = pl.concat(
        pl.DataFrame({"row": where[c]}).with_columns(pl.lit(c).alias("column"), pl.lit(rule).alias("reason"))
        for c in columns
    ).cast({"row": pl.UInt32})
    frame = extract.frame.with_columns(pl.when(~bad[c]).then(pl.col(c)).alias(c) for c in columns)
    return _with_frame(extract, frame), problems, aside


def _set_rows_aside(
    extract: Extract,
    bad: pl.Series,
    *,
    rule: str,
    column: str | None,
    found: str,
    expected: str,
    done: str,
    severity: str = "error",
) -> Outcome:
    """Leave rows out, one problem for all of them."""
    rows = extract.frame.filter(bad)[ROW]
    if not rows.len():
        return extract, [], None
    problem = Problem(severity, rule, column, rows.len(), _examples(rows), found, expected, done)
    aside = pl.DataFrame({"row": rows}).select(
        pl.col("row").cast(pl.UInt32), pl.lit(None, pl.String).alias("column"), pl.lit(rule).alias("reason")
    )
    return _with_frame(extract, extract.frame.filter(~bad)), [problem], aside
