"""Results as an accessible Excel workbook: a cover, contents, notes and one plain table per sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import QUESTION, catalogue
from culture_metrics.compare.pulse import LIMIT
from culture_metrics.contract import ALL, check_distributions, check_released, check_results
from culture_metrics.files.accessible import DATES, Sheet, workbook
from culture_metrics.problems import listed
from culture_metrics.results.heat_sheet import EXPLAINED, heat_sheet
from culture_metrics.results.tables import catalogued, missing
from culture_metrics.wording.periods import period_kind, period_words, quarter_begins, said_period
from culture_metrics.wording.table import BREAK, NOT_AVAILABLE, SHORTHAND
from culture_metrics.wording.verdicts import BARRED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culture_metrics.catalogue import Edition, Survey
    from culture_metrics.compare.comparison import YearComparison
    from culture_metrics.study.study import Study

SCORE, PERCENT, COUNT = "0.00", "0.0", "#,##0"
SOURCES = {"respondents": "Respondent file", "published": "Published"}
UNITS = {"score": "Score", "percent": "Per cent"}
WEIGHTS = {
    "none": "None",
    "occupation_group": "Occupation group",
    "occupation_group_and_size": "Occupation group and size",
    "size": "Organisation size",
    "raked": "Raked to staff in post",
    "supplied": "Supplied with the file",
    "as_published": "As published",
}
NOTES = {
    "Percentages": "From 0 to 100. The share of people who gave the answers named in the column 'Counts'; "
    "whether a high share is good depends on the question.",
    "Base": "Number of people behind a figure, not weighted.",
    "95% interval": "How far chance alone may have moved a figure: Student's t for scores, Wilson for "
    "percentages.",
    "Weighting": "Respondent files count every person once.",
    "Answers": "Percentages of all who answered a question; 'don't know' and 'not applicable' are inside "
    "the 100.",
    "Changes": "Later year less earlier year; of percentages in points. Improved and declined "
    "allow for all comparisons of one breakdown; likely ones and intervals are of one comparison each.",
    "Response rates": "Of the headcounts that were given. The interval says how far chance alone moves the "
    "rate of so few people; who did not answer may think otherwise.",
    "Meaning": "None of these figures says why something is so.",
}
IMPOSSIBLE = "No rate ([x]) where more people answered than there are staff: the two count different people."
RUN_CHARTS = (
    f"Score by score and quarter by quarter: the mean of all quarters, and limits {LIMIT} mean moving ranges "
    "on either side of it. Signal names the rules that a quarter breaks; a quarter without one varies as "
    "chance lets expect. Other people answer the annual survey, and its level is not set beside these."
)
#: First day of a quarter, by which rows can be sorted; and that of numbers of days in a workbook.
BEGINS, DAY_0 = "Quarter begins", date(1899, 12, 30)
#: What is said more where there are official workbooks.
OF_PUBLISHED = {
    "95% interval": "Official workbooks give none.",
    "Weighting": "Official organisation results are weighted to the occupation mix of the benchmark group, "
    "except for questions that are never weighted.",
    "Benchmark": "Best, median and worst over all organisations of the benchmark group, this one included. "
    "Rank 1 is best; ties share the better rank.",
}


def write_results(
    path: Path,
    study: Study,
    results: pl.DataFrame,
    answers: pl.DataFrame,
    standing: pl.DataFrame | None,
    change: YearComparison | None = None,
) -> None:
    """Write results, answers, the place in the benchmark group and what changed as a workbook.

    Parameters
    ----------
    path : Path
        The .xlsx file.
    study : Study
        Whom and what the workbook is about.
    results, answers : polars.DataFrame
        Results and Distributions of the organisation, suppressed: both contracts are checked.
    standing : polars.DataFrame, optional
        `Benchmark.table`.
    change : YearComparison, optional
        Of these results.

    Notes
    -----
    Laid out as `files.accessible` has it, with a heat map for each breakdown in the year of the
    study.
    """
    check_results(results)
    check_distributions(answers)
    check_released(results, answers)
    sheets = [*_heat_sheets(study), *_result_sheets(study, results), _answer_sheet(study, answers)]
    sheets.append(_response_sheet(study))
    if standing is not None:
        sheets.append(_standing_sheet(study, standing))
    if change is not None:
        sheets.append(_change_sheet(study, change))
    if study.charts:
        sheets.append(_run_chart_sheet(study))
    lines = [
        f"{study.edition.survey.label}, {study.edition.survey.named(study.year)}. "
        f"Organisation {study.organisation}.",
        "One table per sheet; the sheet Contents lists them and the sheet Notes explains the figures.",
        f"Made with culture-metrics. {study.rule.words} What is held back is marked [c].",
    ]
    notes = _notes(study) | SHORTHAND
    full = [sheet for sheet in sheets if sheet.frame.height]
    path.write_bytes(workbook(f"Staff survey results of {study.name}", lines, notes, full))


def _heat_sheets(study: Study) -> list[Sheet]:
    """Return a heat map for each breakdown of the study, all on one scale of colours."""
    if not any(extract.period == study.year for extract in study.extracts):
        return []
    results = study.results
    here = results.table.filter(period=study.year)["breakdown"].unique()
    wanted = [name for name in study.by if name in here]
    limit = results.shared_limit(wanted, period=study.year)
    maps = [results.heat_table(name, period=study.year, limit=limit) for name in wanted]
    return [heat_sheet(one) for one in maps]


def _result_sheets(study: Study, results: pl.DataFrame) -> list[Sheet]:
    rows = (
        results.join(_names(study), on=["survey", "period", "measure"], how="left")
        .sort("source", "period", pl.col("breakdown") != ALL, "breakdown", "group", "order")
        .with_columns(*_plain(study))
        .with_columns(_breakdown(study))
    )
    whole = pl.col("group") == ALL
    sheets = []
    for unit, title, what, form in (
        ("score", "Scores", "Score", SCORE),
        ("percent", "Percentages", "Per cent", PERCENT),
    ):
        about = {"Level": "level"} if unit == "score" else {"Counts": "meaning"}
        for wanted, name, holds, groups in (
            (whole, title, "the whole organisation", {}),
            (~whole, f"{title} by group", "groups of staff", {"Breakdown": "breakdown", "Group": "group"}),
        ):
            numbers = {what: "estimate", "Lower 95%": "conf_low", "Upper 95%": "conf_high", "Base": "base"}
            columns = {
                **_when(study), "Organisation": "organisation", **groups,
                "Code": "code", "Measure": "label", **about, **numbers, "Weighting": "weighting",
            }  # fmt: skip
            frame = rows.filter(wanted & (pl.col("unit") == unit)).select("mark", **_renamed(columns))
            formats = dict.fromkeys([what, "Lower 95%", "Upper 95%"], form) | {"Base": COUNT}
            sheets.append(_dated(Sheet(name, f"{title} of {holds}", frame, formats)))
    return sheets


def _response_sheet(study: Study) -> Sheet:
    """Return how many of the staff answered, as far as the study shows it."""
    rows = study.response_rates().table if study.extracts else pl.DataFrame()
    title = f"Response rates in {period_words(study.year)}: who answered of the staff who could"
    if rows.is_empty():
        return Sheet("Response rates", title, rows)
    columns = {
        "Breakdown": "breakdown", "Group": "group", "Staff": "staff", "Answered": "base",
        "Per cent": "estimate", "Lower 95%": "conf_low", "Upper 95%": "conf_high",
    }  # fmt: skip
    whole = pl.col("breakdown") == ALL
    frame = rows.with_columns(
        pl.when(whole).then(pl.lit("Whole organisation")).otherwise(_breakdown(study)).alias("breakdown"),
        pl.when(whole).then(pl.lit("All staff")).otherwise("group").alias("group"),
        missing().alias("mark"),
    ).select("mark", **_renamed(columns))
    formats = dict.fromkeys(["Per cent", "Lower 95%", "Upper 95%"], PERCENT)
    about = [IMPOSSIBLE] if (rows["status"] == "impossible").any() else []
    return Sheet(
        "Response rates", title, frame, formats | {"Staff": COUNT, "Answered": COUNT}, about, names=2
    )


def _answer_sheet(study: Study, answers: pl.DataFrame) -> Sheet:
    options = [
        (survey, period, q.id, q.code, q.label, code, label)
        for (survey, period), e in _editions(study).items()
        for q in e.questions.values()
        for code, label in q.scale.labels.items()
    ]
    schema = ["survey", "period", "question", "code", "label", "option", "option_label"]
    named = pl.DataFrame(options, schema=schema, orient="row").with_columns(pl.col("option").cast(pl.Int16))
    named = named.with_row_index("order")
    columns = {
        **_when(study), "Organisation": "organisation", "Code": "code",
        "Question": "label", "Answer": "option_label", "Per cent": "percent", "Base": "base",
        "Weighting": "weighting",
    }  # fmt: skip
    frame = (
        answers.filter(pl.col("group") == ALL)
        .join(named, on=["survey", "period", "question", "option"])
        .sort("source", "order")
        .with_columns(*_plain(study))
        .select("mark", **_renamed(columns))
    )
    formats = {"Per cent": PERCENT, "Base": COUNT}
    return _dated(Sheet("Answers", "Every answer of every question", frame, formats))


def _run_chart_sheet(study: Study) -> Sheet:
    """Return the numbers of the run charts, score by score."""
    columns = {
        "Measure": "label", "Quarter": "period", BEGINS: "begins", "Score": "estimate", "Base": "base",
        "Mean": "mean", "Lower limit": "limit_low", "Upper limit": "limit_high",
        "Moving range": "moving_range", "Signal": "special_cause", "Reads as": "point",
    }  # fmt: skip
    rows = pl.concat(chart.table.with_columns(label=pl.lit(chart.label)) for chart in study.charts)
    signal = pl.when(pl.col("estimate").is_not_null()).then(pl.col("special_cause").fill_null("None"))
    mark = pl.when(status="missing").then(pl.lit(NOT_AVAILABLE)).otherwise(missing())
    frame = rows.with_columns(*_said_when(), signal.alias("special_cause"), mark.alias("mark"))
    frame = frame.select("mark", **_renamed(columns))
    formats = dict.fromkeys(["Score", *list(columns)[5:9]], SCORE) | {"Base": COUNT}
    short = [f"'{chart.label}'" for chart in study.charts if chart.provisional]
    about = [f"Limits are provisional, as they rest on few quarters: {listed(short)}."] if short else []
    of = study.charts[0].survey
    title = f"Run charts of the {catalogue(of).label}: mean, limits and signals"
    nothing = {name: [NOT_AVAILABLE] * frame.height for name in ("Lower limit", "Upper limit")}
    return _dated(Sheet("Run charts", title, frame, formats, about, marks=nothing, names=2))


def _dated(sheet: Sheet) -> Sheet:
    """Write the first days of quarters, where there are some, as workbooks do: numbers shown as days."""
    if BEGINS not in sheet.frame.columns:
        return sheet
    days = (pl.col(BEGINS) - pl.lit(DAY_0)).dt.total_days().alias(BEGINS)
    formats = {**sheet.formats, BEGINS: DATES[pl.Date]}
    marks = {**sheet.marks, BEGINS: [NOT_AVAILABLE] * sheet.frame.height}
    return replace(sheet, frame=sheet.frame.with_columns(days), formats=formats, marks=marks)


def _standing_sheet(study: Study, standing: pl.DataFrame) -> Sheet:
    columns = {
        "Code": "code", "Measure": "label", "Level": "level", "Unit": "unit", "Estimate": "estimate",
        "Base": "base", "Best": "best", "Median": "median", "Worst": "worst",
        "Organisations": "organisations", "Rank": "rank",
    }  # fmt: skip
    frame = (
        standing.filter(pl.col("estimate").is_not_null() & pl.col("rank").is_not_null())
        .with_columns(
            _level(study.edition.survey),
            pl.col("unit").cast(pl.String).replace(UNITS),
            mark=pl.lit("[x]"),
        )
        .select("mark", **_renamed(columns))
    )
    formats = dict.fromkeys(["Estimate", "Best", "Median", "Worst"], SCORE)
    formats |= {"Base": COUNT, "Rank": COUNT, "Organisations": COUNT}
    return Sheet("Benchmark", "Place in the benchmark group: scores and percentages", frame, formats)


def _change_sheet(study: Study, change: YearComparison) -> Sheet:
    columns = {
        "Organisation": "organisation", "Breakdown": "breakdown", "Group": "group", "Code": "code",
        "Measure": "label", "Level": "level", "Unit": "unit", change.from_period: "estimate_from",
        change.to_period: "estimate_to", "Change": "difference", "Lower 95%": "conf_low",
        "Upper 95%": "conf_high", f"Base {change.from_period}": "base_from",
        f"Base {change.to_period}": "base_to", "Verdict": "verdict", "Reason": "reason",
    }  # fmt: skip
    apart = (pl.col("status") == "reported") & (pl.col("verdict") == BARRED)
    frame = change.table.with_columns(
        _breakdown(study),
        _level(study.edition.survey),
        pl.col("unit").cast(pl.String).replace(UNITS),
        pl.col("verdict").cast(pl.String),
        pl.when(apart).then(pl.lit(BREAK)).otherwise(missing()).alias("mark"),
    ).select("mark", **_renamed(columns))
    formats = {name: COUNT if name.startswith("Base") else SCORE for name in frame.columns[8:14]}
    return Sheet("Changes", f"Changes from {change.from_period} to {change.to_period}", frame, formats)


def _names(study: Study) -> pl.DataFrame:
    named = [
        catalogued(e).with_columns(survey=pl.lit(survey), period=pl.lit(period), level=_level(e.survey))
        for (survey, period), e in _editions(study).items()
    ]
    return pl.concat(named).drop("direction")


def _when(study: Study) -> dict[str, str]:
    """Return the columns that say what a figure is of: source, survey where there are two, period."""
    kind = period_kind(source.period for of in study.every for source in of.sources)
    begins = {BEGINS: "begins"} if kind != "Year" else {}
    return {"Source": "source", **({"Survey": "survey"} if study.quarters else {}), kind: "period", **begins}


def _said_when() -> tuple[pl.Expr, pl.Expr]:
    """Period in words, and the first day of a quarter, by which it can be sorted."""
    return said_period().alias("period"), quarter_begins().alias("begins")


def _editions(study: Study) -> dict[tuple[str, str], Edition]:
    """Return the edition of each survey and period."""
    periods = sorted({(source.survey, source.period) for of in study.every for source in of.sources})
    return {(survey, period): catalogue(survey).edition(period) for survey, period in periods}


def _notes(study: Study) -> dict[str, str]:
    scores = {"Scores": f"From {study.edition.survey.range_words}; higher is always better."}
    more = OF_PUBLISHED if study.published else {}
    scores |= {"Run charts": RUN_CHARTS} if study.charts else {}
    scores |= EXPLAINED if study.by and study.extracts else {}
    return scores | {k: " ".join(filter(None, (NOTES.get(k), more.get(k)))) for k in NOTES | more}


def _level(survey: Survey) -> pl.Expr:
    levels = {name: level.label for name, level in survey.levels.items()}
    return pl.col("level").replace({**levels, QUESTION: "Question"})


def _breakdown(study: Study) -> pl.Expr:
    edition = study.edition
    return pl.col("breakdown").replace(
        {n: edition.breakdown_label(n, study.words) for n in [*edition.breakdowns, *study.by]}
    )


def _plain(study: Study) -> tuple[pl.Expr, ...]:
    """Source and weighting in words, and the mark that stands for a missing number of the row."""
    weighting = pl.col("weighting").cast(pl.String).replace(WEIGHTS)
    survey = pl.col("survey").replace({of.edition.survey.id: of.edition.survey.label for of in study.every})
    source = pl.col("source").cast(pl.String).replace(SOURCES)
    return source, survey, *_said_when(), weighting, missing().alias("mark")


def _renamed(columns: Mapping[str, str]) -> dict[str, pl.Expr]:
    return {name: pl.col(source) for name, source in columns.items()}
