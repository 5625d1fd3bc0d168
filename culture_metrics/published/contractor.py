"""Read a contractor's breakdown export: a row a question and group, or a row a response option and group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.code_fit import fit_known, likeliest
from culture_metrics.contract import ALL, as_organisations
from culture_metrics.errors import FileFormatError, InputWarning, UnknownNameError, warn
from culture_metrics.problems import counted
from culture_metrics.published.contractor_figures import (
    SURVEY,
    contractor_distributions,
    contractor_results,
    in_percent,
)
from culture_metrics.published.contractor_rows import read_rows
from culture_metrics.published.published import Published
from culture_metrics.published.refusal import refusal
from culture_metrics.results import Distributions, Results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.files.header import Row
    from culture_metrics.files.raw import RawTable
    from culture_metrics.files.workbooks import Workbook

SIDES = (
    "Score is taken as the file has it. For these questions less is better, and some exports count the "
    "favourable answer instead: compare one of them with the option file or the official results before use."
)


def read_contractor(
    source: RawTable | Workbook, heads: Mapping[str, Sequence[Row]], organisation: str | None
) -> Published:
    """Read a contractor's export: a text file, or a workbook with its first rows; see `read_published`."""
    if organisation is None or not organisation.strip():
        raise FileFormatError(
            "A contractor's export does not say which organisation it is about",
            where=source.file,
            expected="its ODS code",
            hint="Give it: organisation='RXX'.",
        )
    problems: list[str] = []
    left_out: dict[str, list[str]] = {}
    scores, options = read_rows(source, heads, left_out, problems)
    if problems:
        raise refusal(source.file, problems)
    who = organisation.strip()
    rows = pl.concat([*scores, *options])
    editions = _editions(rows, source.file)
    doubt = _another_survey(rows, source.file)
    fractions: list[str] = []
    scores = in_percent(scores, editions, fractions)
    options = in_percent(options, editions, fractions)
    results, one_sided = contractor_results(scores, editions, who, left_out, problems)
    distributions, rescaled = contractor_distributions(options, editions, who, left_out, problems)
    if problems:
        raise refusal(source.file, problems)
    if results.is_empty() and distributions.is_empty():
        raise FileFormatError(
            "No row of the export is about a question or score of the survey",
            where=source.file,
            got=counted(rows["code"].n_unique(), "other code"),
            hint="The column QuestionNumber should hold codes such as Q25c or PP1.",
        )
    known = {name for edition in editions.values() for name in edition.breakdowns}
    breakdowns = {*results["breakdown"], *distributions["breakdown"]} - {ALL}
    period = max(editions)
    hidden = pl.col("status").cast(pl.String).str.starts_with("suppressed")
    return Published(
        survey=SURVEY,
        period=period,
        results=Results(results),
        distributions=Distributions(distributions),
        organisations=as_organisations(
            pl.DataFrame({"organisation": [who], "survey": [SURVEY], "period": [period]})
        ),
        provenance={
            "file": source.file,
            "sha256": source.sha256,
            "layout": "contractor",
            "release": period,
            "periods": tuple(sorted(editions)),
            "suppressed_cells": results.filter(hidden).height + distributions.filter(hidden).height,
            "left_out": {why: tuple(sorted(set(codes))) for why, codes in left_out.items()},
            "unknown_breakdowns": tuple(sorted(breakdowns - known)),
            "sides": {SIDES: one_sided} if one_sided else {},
            "fractions": tuple(fractions),
            "missing_taken_out": rescaled,
            "survey_doubt": doubt,
        },
    )


def _another_survey(rows: pl.DataFrame, file: str) -> str | None:
    """Warn where the questions are those of a survey that an export by year cannot name."""
    fits = fit_known(rows["code"].drop_nulls().unique())
    likely, asked = catalogue(likeliest(fits)), catalogue(SURVEY)
    if likely.id == SURVEY:
        return None
    doubt = (
        f"{file} holds the questions of the {likely.label} and no others, but years instead of "
        f"{likely.cycle}s, and is read as the {asked.label}. If it is the {likely.label}, do not use it: the "
        "two do not compare."
    )
    warn(doubt, InputWarning)
    return doubt


def _editions(rows: pl.DataFrame, file: str) -> dict[str, Edition]:
    survey = catalogue(SURVEY)
    years = rows["year"].unique().sort().to_list()
    try:
        return {year: survey.edition(year) for year in years}
    except UnknownNameError as error:
        raise FileFormatError(
            "There is no catalogue of questions for a year in the export",
            where=file,
            expected=f"years from {survey.periods[0]} to {survey.periods[-1]}",
            got=", ".join(sorted(set(years) - set(survey.periods))),
            hint="Take the rows of other years out of the file.",
        ) from error
