"""Whole rows that cannot be used: of another period, without organisation, empty, or there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.rules.found import Rows, answer_columns
from culture_metrics.extracts.schema import allowed_codes
from culture_metrics.problems import Problem, counted, examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.tally import Tally

KEY = ["organisation", "respondent"]


def other_period(frame: pl.DataFrame, period: str) -> Iterator[Rows | Problem]:
    """Find rows of other periods, and rows that name none."""
    if "period" not in frame.columns:
        return
    named = pl.col("period").cast(pl.String).str.extract(r"(20\d\d(?:-Q\d)?)")
    other = frame.select((named != period).fill_null(value=False).arg_true()).to_series()
    if other.len():
        yield Rows(
            "warning",
            "other periods",
            "period",
            other,
            "rows of another period",
            period,
            "Rows set aside; read them as an extract of their own.",
        )
    blank = frame.select(pl.col(ROW).filter(named.is_null())).to_series()
    if blank.len():
        yield Problem(
            "warning",
            "no period",
            "rows that do not say their period",
            period,
            f"Taken as {period}; make sure that they are.",
            column="period",
            rows=blank.len(),
            examples=examples(blank),
        )


def no_organisation(frame: pl.DataFrame) -> Iterator[Rows]:
    """Find rows without an organisation."""
    if frame["organisation"].null_count():
        yield Rows(
            "error",
            "no organisation",
            "organisation",
            frame.select(pl.col("organisation").is_null().arg_true()).to_series(),
            "rows without an organisation code",
            "an ODS code in every row",
            "Rows set aside; fill in the code.",
        )


def empty_rows(frame: pl.DataFrame, tally: Tally) -> Iterator[Rows]:
    """Find rows without any answer that can be used; a box that is not ticked is no answer."""
    questions = tally.edition.columns
    answered = []
    for column in answer_columns(frame, tally.edition):
        if questions[column].kind == "multi":
            answered.append(pl.col(column) == 1)
        elif tally.unlisted[column]:
            answered.append(pl.col(column).is_in(allowed_codes(questions[column])))
        else:
            answered.append(pl.col(column).is_not_null())
    some = pl.any_horizontal(answered) if answered else pl.lit(value=False)
    empty = frame.select((~some.fill_null(value=False)).arg_true()).to_series()
    if empty.len():
        yield Rows(
            "warning",
            "empty rows",
            None,
            empty,
            "rows without any answer",
            "at least one answer",
            "Rows set aside; they are no respondents.",
        )


def duplicates(frame: pl.DataFrame, repeated: pl.Series, out: pl.Series | None) -> Iterator[Rows]:
    """Find the second and later rows of a respondent; identical rows and differing ones are told apart.

    `repeated` are the places of ids that stand more than once, `out` those of rows that are set aside
    already: they neither count nor come first.
    """
    rows = _groups(frame, repeated if out is None else repeated.filter(~repeated.is_in(out.implode())))
    if rows.is_empty():
        return
    same = rows.select(pl.exclude("place", "first", ROW)).columns
    original = rows.select(pl.all().gather(pl.col("first")))
    equal = pl.all_horizontal(rows[c].eq_missing(original[c]).alias(c) for c in same)
    later = rows.select("place", alike=equal, later=pl.col("first") != pl.int_range(pl.len())).filter("later")
    kinds = (
        (
            True,
            "warning",
            "rows that stand twice",
            "rows that repeat an earlier row of the same respondent, answer by answer",
            "The first row of each was kept, the copies set aside; nothing is lost.",
        ),
        (
            False,
            "error",
            "respondents with several different rows",
            "rows whose respondent stands in an earlier row with other answers",
            "The first row of each was kept, the others set aside; find out which one counts.",
        ),
    )
    for alike, severity, rule, found, done in kinds:
        places = later.filter(pl.col("alike") == alike)["place"]
        if places.len():
            yield Rows(severity, rule, "respondent", places, found, "each respondent once", done)


def repeated_ids(frame: pl.DataFrame) -> pl.Series:
    """Return the places of the rows whose respondent id stands in more than one row."""
    several = pl.col("respondent").is_duplicated() & pl.col("respondent").is_not_null()
    return frame.select(several.arg_true()).to_series()


def _groups(frame: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """Return rows of respondents with several rows, with their place and that of the first in this table."""
    rows = frame[places].with_columns(places.alias("place")).filter(pl.struct(KEY).is_duplicated())
    return rows.with_columns(pl.int_range(pl.len()).alias("first")).with_columns(
        pl.col("first").first().over(KEY)
    )


def own_ids(frame: pl.DataFrame, *, may_repeat: bool) -> tuple[pl.DataFrame, list[Problem]]:
    """Give every row an id of its own: its number where it has none, else with the organisation's code."""
    if frame["respondent"].null_count():
        frame = frame.with_columns(pl.col("respondent").fill_null(pl.format("row {}", ROW)))
    rows = frame[ROW].gather(repeated_ids(frame)) if may_repeat else frame[ROW].clear()
    if rows.is_empty():
        return frame, []
    problem = Problem(
        "warning",
        "respondent ids in several organisations",
        "rows whose respondent id also stands in another organisation",
        "each respondent once, with an id of its own",
        "Kept as different people, the organisation's code put before every id; make sure that nobody stands "
        "in two organisations.",
        column="respondent",
        rows=rows.len(),
        examples=examples(rows),
    )
    return frame.with_columns(pl.format("{}/{}", "organisation", "respondent").alias("respondent")), [problem]


def alike_without_ids(frame: pl.DataFrame, extract: Extract) -> list[Problem]:
    """Report rows with the same answers throughout in a file that has no ids of respondents."""
    generated = (pl.col("respondent") == pl.format("row {}", ROW)).all()
    if frame.is_empty() or not frame.head(1).select(generated).item() or not frame.select(generated).item():
        return []
    columns = [
        c for c in answer_columns(frame, extract.edition) if extract.edition.columns[c].kind != "multi"
    ]
    many = frame.filter(pl.sum_horizontal(pl.col(columns).is_not_null()) >= len(columns) / 2)
    again = many.filter(~many.select(columns).hash_rows().is_first_distinct())[ROW]
    found = [
        Problem(
            "note",
            "no respondent ids",
            "no column with an id of the respondent",
            "an id in every row",
            "Row numbers serve as ids; rows that stand twice cannot be told for sure.",
            column="respondent",
        )
    ]
    if again.len():
        found.append(
            Problem(
                "warning",
                "rows with the same answers",
                f"{counted(again.len(), 'row')} with the same answers throughout as an earlier row",
                "every respondent once",
                "Kept; look whether a part of the file stands in it twice.",
                rows=again.len(),
                examples=examples(again),
            )
        )
    return found
