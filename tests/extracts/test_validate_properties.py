"""Whatever is done to an extract: what changes its meaning is reported, counts are exact, nothing is lost."""

from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planting import assert_adds_up, changed, clean_extract, put, serious

from culture_metrics import validate
from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.extracts.schema import allowed_codes

ROWS = 120
CLEAN = clean_extract(rows=ROWS)
EDITION = CLEAN.edition
#: Columns whose codes no filter looks at, and which stand behind no filter: faults there stay apart.
GATES = {gate for q in EDITION.questions.values() for gate, _ in q.asked_if}
FREE = [
    c
    for c, q in EDITION.columns.items()
    if c in CLEAN.frame.columns and q.kind == "single" and not q.asked_if and q.id not in GATES
]
#: Columns behind a filter of one question: column, filter, a code that shuts it.
ROUTED = [("q11e", "q11d", 2), ("q23b", "q23a", 2), ("q23c", "q23a", 3), ("q31b", "q31a", 2)]
#: A few examples only, each of which checks hundreds of cells; the same ones in every run.
FEW = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


rows = st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=25, unique=True)
bad_codes = st.integers(-100, 127)


def kind(column: str, code: int) -> str:
    """Rule that a code breaks, told in another way than the package tells it."""
    if code == 99:
        return "missing codes"
    if code == 9:
        return "code 9 where the list has none"
    if code in (-99, -98, -97, -9, -8, -7, -1, 88, 96, 97, 98):
        return "likely missing codes"
    return "negative codes" if code < 0 else "codes outside the list"


@FEW
@given(faults=st.dictionaries(st.tuples(st.sampled_from(FREE), bad_codes), rows, min_size=1, max_size=8))
def test_wrong_codes_are_counted_exactly(faults):
    extract, standing = CLEAN, {}
    for (column, code), where in faults.items():
        if code in allowed_codes(EDITION.columns[column]):
            continue
        extract = put(extract, column, code, where)
        standing |= {(column, row): code for row in where}
    expected = Counter((kind(column, code), column) for (column, _), code in standing.items())
    report = validate(extract)
    zeros = report.problems.filter(rule="codes that start at 0")
    found = Counter(
        {
            ("codes outside the list" if rule == "codes that start at 0" else rule, column): n
            for rule, column, n in report.problems.filter(pl.col("rule").is_in([k for k, _ in expected]))
            .vstack(zeros)
            .group_by("rule", "column")
            .agg(pl.col("rows").sum())
            .iter_rows()
        }
    )
    # Columns that put people into groups are not counted in the text; what is set aside is, cell by cell.
    counted = {key: n for key, n in expected.items() if key[1] not in of_groups(EDITION)}
    assert sum(found.values()) == sum(counted.values())
    aside = dict(report.quarantine["column"].cast(pl.String).value_counts().iter_rows())
    for column in {column for _, column in expected}:
        bad = sum(n for (rule, of), n in expected.items() if of == column and rule != "missing codes")
        assert aside.get(column, 0) == bad
    missing = sum(n for (rule, _), n in counted.items() if rule == "missing codes")
    assert report.cells_set_aside == sum(counted.values()) - missing
    for (rule, column), n in counted.items():
        if rule != "missing codes" and zeros.is_empty():
            assert found[rule, column] == n
    planted = pl.DataFrame(list(standing), schema={"column": pl.String, "row": pl.Int64}, orient="row")
    for column in planted["column"].unique():
        here = planted.filter(column=column)["row"].to_list()
        assert report.extract.frame[column].gather(here).null_count() == len(here)
    assert_adds_up(report)


@FEW
@given(pair=st.sampled_from(ROUTED), where=rows)
def test_answers_under_a_shut_filter_are_counted_exactly(pair, where):
    column, gate, shut = pair
    extract = CLEAN
    for name in ("q11e", "q23b", "q23c", "q23d", "q31b"):
        if EDITION.columns[name].asked_if[0][0] == EDITION.columns[gate].id:
            extract = put(extract, name, None, where)
    extract = put(put(extract, gate, shut, where), column, 1, where)
    report = validate(extract)
    found = report.problems.filter(rule="answers that the filter rules out")
    assert found.select("column", "rows").rows() == [(column, len(where))]
    assert report.quarantine.filter(column=column)["row"].to_list() == sorted(row + 1 for row in where)
    assert_adds_up(report)


@FEW
@given(copies=rows, differing=rows)
def test_respondents_there_twice_are_counted_exactly(copies, differing):
    frame = CLEAN.frame
    other = frame[differing].with_columns(q4c=pl.col("q4c").fill_null(1) % 5 + 1)
    report = validate(changed(CLEAN, pl.concat([frame, frame[copies], other])))
    counts = dict(report.problems.filter(column="respondent").select("rule", "rows").rows())
    assert counts["rows that stand twice"] == len(copies)
    assert counts["respondents with several different rows"] == len(differing)
    assert report.extract.frame.drop("row").equals(frame)
    assert_adds_up(report)


@FEW
@given(columns=st.lists(st.sampled_from(FREE), min_size=2, max_size=2, unique=True))
def test_swapped_columns_are_reported_where_their_codes_differ(columns):
    one, other = columns
    frame = CLEAN.frame.rename({one: other, other: one})
    report = validate(changed(CLEAN, frame))
    expected = sum(
        int((~frame[c].drop_nulls().is_in(allowed_codes(EDITION.columns[c]))).sum()) for c in columns
    )
    assert report.quarantine["column"].count() == expected
    assert (not report.ok) == (expected > 0)
    assert_adds_up(report)


@FEW
@given(empty=rows, nowhere=rows, order=st.permutations(range(4)))
def test_rows_go_for_one_reason_each(empty, nowhere, order):
    row = pl.int_range(pl.len())
    answers = [c for c in CLEAN.frame.columns if c in EDITION.columns]
    frame = CLEAN.frame.with_columns(
        *(pl.when(~row.is_in(empty)).then(c).alias(c) for c in answers),
        organisation=pl.when(~row.is_in(nowhere)).then("organisation"),
    )
    parts = [frame[n * ROWS // 4 : (n + 1) * ROWS // 4] for n in order]
    report = validate(changed(CLEAN, pl.concat(parts)))
    assert report.rows_set_aside == len({*empty, *nowhere})
    counts = dict(
        report.problems.filter(pl.col("rule").is_in(["no organisation", "empty rows"]))
        .select("rule", "rows")
        .rows()
    )
    assert counts.get("empty rows", 0) == len({*empty})
    assert counts.get("no organisation", 0) == len({*nowhere} - {*empty})
    assert_adds_up(report)


@FEW
@given(
    order=st.permutations(CLEAN.frame.columns),
    floats=st.sets(st.sampled_from(FREE), max_size=5),
    texts=st.sets(st.sampled_from(FREE), max_size=5),
)
def test_what_keeps_the_meaning_changes_nothing(order, floats, texts):
    frame = CLEAN.frame.select(order).cast(
        {c: pl.Float64 for c in floats - texts} | {c: pl.String for c in texts}
    )
    report = validate(changed(CLEAN, frame))
    assert serious(report) == set()
    assert report.extract.frame.select(CLEAN.frame.columns).equals(CLEAN.frame)
    assert_adds_up(report)
