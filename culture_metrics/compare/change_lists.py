"""Year on year, for the notebooks: the two newest respondent files side by side."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.decompose import decompose_change
from culture_metrics.compare.verdict import BARRED, DECLINED, IMPROVED, SAME
from culture_metrics.compare.years import check_comparable, compare_years
from culture_metrics.errors import ComparabilityError, CultureMetricsError, ReportError
from culture_metrics.indicators.breakdowns import available_breakdowns
from culture_metrics.reporting.show.figures import NO_GROUPS, Figures
from culture_metrics.results import ALL
from culture_metrics.views.labels import count, fixed, several
from culture_metrics.views.table import Table

if TYPE_CHECKING:
    from culture_metrics.compare.comparison import YearComparison
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.reporting.inputs import Inputs


def two_years(data: Inputs) -> tuple[Extract, Extract]:
    """Return the respondent files of the year of the report and of the year before it in the inputs.

    Raises
    ------
    ReportError
        When there are not two.
    """
    upto = [e for e in data.extracts if e.period <= data.year]
    if len(upto) < 2:
        raise ReportError(
            "Year on year takes two respondent files",
            got=f"{len(upto)} up to {data.year}",
            hint="Add the file of an earlier year to `inputs`.",
        )
    return upto[-2], upto[-1]


def year_comparison(data: Inputs) -> YearComparison:
    """Compare the two newest years of the organisation, whole and by group."""
    earlier, later = two_years(data)
    change = compare_years(data.results, earlier.period, later.period)
    return replace(change, names={data.organisation: data.name})


def no_comparison(data: Inputs) -> str:
    """Say why the inputs do not show a change from year to year; empty when they do.

    Examples
    --------
    >>> from culture_metrics import read_inputs
    >>> no_comparison(read_inputs([], year=2023))
    'only one year of respondent files was given'
    """
    upto = [e.period for e in data.extracts if e.period <= data.year]
    if len(upto) < 2:
        return "only one year of respondent files was given"
    try:
        check_comparable(data.results, *upto[-2:])
    except ComparabilityError:
        return f"nothing in {upto[-2]} and {upto[-1]} may be compared"
    return ""


def change_maps(change: YearComparison, data: Inputs) -> Figures:
    """Draw the change of the leading scores in every group of staff: one map for each breakdown."""
    known = change.table["breakdown"].unique()
    return Figures(
        tuple(change.heat_map(breakdown) for breakdown in data.by if breakdown in known),
        otherwise=NO_GROUPS,
    )


def staff_mix(data: Inputs, measure: str | None = None) -> Figures:
    """Split the change of a measure (the survey's choice of it) into staff mix and change within groups."""
    measure = measure or data.edition.default_question
    wanted = (data.edition.survey.defaults.staff_mix, *data.by)
    years = two_years(data)
    known = set.intersection(*(set(available_breakdowns(year)) for year in years))
    by = next((name for name in wanted if name in known), None)
    if by is None:
        return Figures(
            (), otherwise="The files have no column for groups of staff, so staff mix is not known."
        )
    # What may be shown was decided for all tables together.
    data.suppressed  # noqa: B018
    try:
        mix = decompose_change(*years, measure=measure, by=[by], minimum_base=data.rule.minimum_base)
    except CultureMetricsError as error:
        return Figures((), otherwise=f"The change cannot be split into staff mix and groups: {error.what}.")
    named = replace(mix, organisation=data.name)
    return Figures((named.figure(), named), otherwise="")


def findings(change: YearComparison) -> Table:
    """List in sentences what changed in the whole organisation, and what did not change materially."""
    return _listed(change, [IMPROVED, DECLINED, SAME], "What changed, and what did not")


def not_comparable(change: YearComparison) -> Table:
    """List what may not be compared, why, and what may be instead."""
    rows = change.table.filter((pl.col("breakdown") == ALL) & (pl.col("verdict") == BARRED))
    frame = rows.group_by("reason", "instead", maintain_order=True).agg(pl.col("label").str.join("; "))
    frame = frame.select(
        pl.col("label").alias("Measures"),
        pl.col("reason").alias("Why"),
        pl.col("instead").fill_null("").alias("Comparable instead"),
    )
    return Table(
        frame, f"{several(rows.height, 'measure') if rows.height else 'No measure'} may not be compared"
    )


@dataclass(frozen=True)
class Tables:
    """Tables, one beneath the other, and a sentence that goes with them."""

    tables: tuple[Table, ...]
    note: str = ""

    def _repr_html_(self) -> str:
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return "".join(table._repr_html_() for table in self.tables) + note


def hidden_changes(change: YearComparison) -> Tables:
    """List the smallest change that a score could have shown: a table for each breakdown."""
    survey = catalogue(change.survey)
    rows = change.table.filter((pl.col("unit") == "score") & pl.col("level").is_in(survey.leading))
    found = rows.group_by("breakdown", "group", maintain_order=True).agg(
        pl.col("base_to").max(), pl.col("detectable_change").median()
    )
    whole = found.filter(breakdown=ALL)
    labels = survey.edition(change.to_period).breakdowns
    tables = []
    for breakdown in found["breakdown"].unique(maintain_order=True):
        own = found if breakdown == ALL else pl.concat([whole, found.filter(breakdown=breakdown)])
        label = labels[breakdown].label if breakdown in labels else breakdown
        if breakdown != ALL or found["breakdown"].n_unique() == 1:
            tables.append(_detectable(own.filter(pl.col("breakdown").is_in([ALL, breakdown])), label, change))
    lost = found.filter(pl.col("detectable_change").is_null())["group"].to_list()
    note = (
        f"Not listed, since their scores are held back or may not be compared: {', '.join(lost)}."
        if lost
        else ""
    )
    return Tables(tuple(tables), note)


def _detectable(rows: pl.DataFrame, label: str, change: YearComparison) -> Table:
    frame = rows.filter(pl.col("detectable_change").is_not_null()).select(
        pl.when(pl.col("group") == ALL).then(pl.lit("Whole organisation")).otherwise("group").alias("Group"),
        count("base_to").alias(f"Base {change.to_period}"),
        fixed("detectable_change", "score").alias("Smallest true change found in 4 of 5 cases"),
    )
    head, survey = "" if label == ALL else f"{label}: ", catalogue(change.survey)
    return Table(
        frame,
        f"{head}{survey.leading_words}, scale {survey.range_words} (the median of their scores)",
        numbers=tuple(frame.columns[1:]),
    )


def _listed(change: YearComparison, verdicts: list[str], caption: str) -> Table:
    whole = replace(change, table=change.table.filter(pl.col("breakdown") == ALL))
    frame = pl.DataFrame(
        [(verdict, said) for verdict in verdicts for said in whole.sentences(verdict)],
        schema={"Verdict": pl.String, "Finding": pl.String},
        orient="row",
    )
    return Table(
        frame, caption if frame.height else f"{caption}: nothing beyond chance, nothing shown to be unchanged"
    )
