"""Tables of the notebooks."""

from __future__ import annotations

import html
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import QUESTION
from culture_metrics.compare.years import breaks_between
from culture_metrics.extracts.page import report_html
from culture_metrics.published import rebuild_scores
from culture_metrics.reporting.show.common import answered, benchmark, workbook
from culture_metrics.reporting.tables import catalogued, interval, people, words
from culture_metrics.results import ALL
from culture_metrics.views.inputs import held_back as held
from culture_metrics.views.labels import count
from culture_metrics.views.table import BREAK, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.catalogue import Edition
    from culture_metrics.extracts.report import ValidationReport
    from culture_metrics.reporting.inputs import Inputs


def inputs(data: Inputs) -> Table:
    """List what was read: one row per file."""
    respondent = [
        (_file(r.extract.provenance), "Respondent file", r.extract.period, f"{r.rows_read:,} respondents")
        for r in data.reports
    ]
    workbooks = [
        (_file(p.provenance), "Published workbook", p.period, f"{p.organisations.height:,} organisations")
        for p in data.published
    ]
    frame = pl.DataFrame([*respondent, *workbooks], schema=["File", "Kind", "Year", "Holds"], orient="row")
    return Table(frame, f"What was read for {data.name}", numbers=("Holds",))


def checks(data: Inputs) -> Table:
    """Count, for each respondent file, the rows that were read, used and set aside."""
    rows = [
        (
            _file(r.extract.provenance),
            r.extract.period,
            f"{r.rows_read:,}",
            f"{r.rows_used:,}",
            f"{r.rows_set_aside:,}",
            f"{r.cells_set_aside:,}",
            "Ready to use" if r.ok else "Has errors",
        )
        for r in answered(data).reports
    ]
    numbers = ("Rows in the file", "Rows used", "Rows set aside", "Single answers made missing")
    frame = pl.DataFrame(rows, schema=["File", "Year", *numbers, "Verdict"], orient="row")
    return Table(frame, "Rows in, rows used, rows set aside", numbers=numbers)


@dataclass(frozen=True)
class Checks:
    """Reports of validation, one beneath the other: the first is open, the others are folded."""

    reports: tuple[ValidationReport, ...]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.reports))

    def _repr_html_(self) -> str:
        shown, *folded = self.reports
        return report_html(shown, level=4) + "".join(
            f"<details style='margin:12px 0'><summary>{html.escape(f'{r.title}. {r.summary()}')}</summary>"
            f"{report_html(r, level=4)}</details>"
            for r in folded
        )


def problems(data: Inputs) -> Checks:
    """Show what the check of each respondent file found, that of the year first."""
    first = sorted(answered(data).reports, key=lambda report: report.extract.period != data.year)
    return Checks(tuple(first))


def percentages(data: Inputs, score: str | None = None) -> Table:
    """List the headline percentages behind a score, year by year, with intervals and bases."""
    score = data.edition.measure(score or data.edition.default_score).id
    wanted = _headlines(data.edition, score)
    rows = answered(data).results.filter((pl.col("breakdown") == ALL) & pl.col("measure").is_in(wanted))
    frame = (
        rows.join(catalogued(data.edition), on="measure")
        .join(_breaks(data), on=["measure", "period"], how="left")
        .sort("order", "period")
        .select(
            pl.col("label").alias("Question"),
            pl.col("meaning").str.strip_prefix("% ").alias("Counts those who said"),
            pl.col("period").alias("Year"),
            pl.concat_str(words("estimate"), pl.col("broken").fill_null("")).alias("Per cent"),
            interval().alias("95% interval"),
            people("base").alias("Base"),
        )
    )
    caption = f"{data.edition.measure(score).label}: headline percentages, {data.name}"
    return Table(frame, caption, numbers=("Per cent", "95% interval", "Base"))


def _headlines(edition: Edition, score: str) -> list[str]:
    """List the headline percentages of the questions that a score is built from."""
    items = edition.questions_of(score)
    return [k for k, m in edition.percentages.items() if m.question in items]


def years(data: Inputs) -> Table:
    """Set the scores of all years side by side, with intervals. No test: estimates only."""
    rows = answered(data).results.filter((pl.col("breakdown") == ALL) & (pl.col("unit") == "score"))
    said = pl.format("{} ({}){}", words("estimate"), interval(), "broken")
    text = pl.when(pl.col("estimate").is_null()).then(words("estimate")).otherwise(said)
    wide = (
        rows.join(catalogued(data.edition), on="measure")
        .join(_breaks(data), on=["measure", "period"], how="left")
        .with_columns(pl.col("broken").fill_null(""))
        .sort("order", "period")
        .with_columns(text.alias("text"))
        .pivot("period", index=["order", "label"], values="text")
        .sort("order")
        .drop("order")
    )
    periods, scale = wide.columns[1:], data.edition.survey.range_words
    return Table(
        wide.rename({"label": "Score"}),
        f"{data.name}: scores from {scale} and 95% intervals, {' and '.join(periods)}",
        numbers=tuple(periods),
        strong=_leading(data.edition),
    )


def _breaks(data: Inputs) -> pl.DataFrame:
    """Mark the figures of the whole organisation that may not be compared with the year before."""
    periods = data.results["period"].unique().sort()
    apart = [breaks_between(data.results, *years).filter(group=ALL) for years in pairwise(periods)]
    key = {"measure": pl.String, "period": pl.String}
    frame = pl.concat([pl.DataFrame(schema=key), *(found.select(*key) for found in apart)])
    return frame.with_columns(broken=pl.lit(f" {BREAK}"))


def standing(data: Inputs) -> Table:
    """List the published scores with the best, median and worst of the benchmark group, and the rank."""
    found = benchmark(data)
    shown = [words(name).alias(name.capitalize()) for name in ("best", "median", "worst")]
    rank = pl.format("{} of {}", pl.col("rank").cast(pl.Int64), pl.col("organisations")).fill_null("")
    frame = found.table.filter(pl.col("level") != QUESTION).select(
        pl.col("label").alias("Score"),
        words("estimate").alias(found.name),
        *shown,
        rank.alias("Rank"),
        people("base").alias("Base"),
    )
    return Table(
        frame,
        f"{found.name} in {found.group}, {found.period}",
        numbers=tuple(frame.columns[1:]),
        strong=_leading(data.edition),
    )


def rebuilt(data: Inputs) -> Table:
    """Set the published sub-scores beside those rebuilt from the published answers.

    The median and the largest difference are over every organisation of the workbook.
    """
    published = workbook(data)
    whole = (pl.col("breakdown") == ALL) & (pl.col("unit") == "score")
    made = rebuild_scores(published.distributions).filter(whole)
    both = published.results.filter(whole & pl.col("estimate").is_not_null()).join(
        made.select("organisation", "measure", again="estimate").drop_nulls(),
        on=["organisation", "measure"],
    )
    own = both.filter(organisation=data.organisation).select("measure", mine="estimate", again="again")
    gap = (pl.col("estimate") - pl.col("again")).abs()
    frame = (
        both.group_by("measure")
        .agg(pl.len().alias("organisations"), gap.median().alias("typical"), gap.max().alias("largest"))
        .join(own, on="measure", how="left")
        .join(catalogued(published.edition), on="measure")
        .sort("order")
        .select(
            pl.col("label").alias("Score"),
            _decimals("mine").alias("Published"),
            _decimals("again").alias("Rebuilt"),
            pl.format("{}", "organisations").alias("Organisations"),
            _decimals("typical").alias("Median difference"),
            _decimals("largest").alias("Largest difference"),
        )
    )
    return Table(
        frame,
        f"Published and rebuilt scores, {published.period}",
        numbers=tuple(frame.columns[1:]),
        strong=_leading(data.edition),
    )


def held_back(data: Inputs) -> Table:
    """Count the results from respondent files that are shown and held back: for which reason is not told."""
    return _held_back(answered(data).suppressed[0], data.edition)


def published_held_back(data: Inputs) -> Table:
    """Count the published results that are shown and held back."""
    tables = [p.results.filter(organisation=data.organisation) for p in data.published]
    return _held_back(pl.concat([data.results.clear(), *tables]), data.edition)


def _held_back(results: pl.DataFrame, edition: Edition) -> Table:
    frame = (
        results.group_by("period", "breakdown")
        .agg(
            (pl.col("status").cast(pl.String) == "reported").sum().alias("Shown"),
            held().sum().alias("Held back"),
        )
        .sort("period", pl.col("breakdown") != ALL, "breakdown")
    )
    frame = frame.with_columns(
        _breakdown_label(edition), *(count(name) for name in frame.columns[2:])
    ).rename({"period": "Year", "breakdown": "Groups"})
    return Table(frame, "Results shown and held back", numbers=tuple(frame.columns[2:]))


def _breakdown_label(edition: Edition) -> pl.Expr:
    labels = {ALL: "Whole organisation", **{k: b.label for k, b in edition.breakdowns.items()}}
    return pl.col("breakdown").replace(labels)


def _decimals(column: str) -> pl.Expr:
    return pl.col(column).round(4).cast(pl.Decimal(8, 4)).cast(pl.String)


def _file(provenance: Mapping[str, Any]) -> str:
    return str(provenance.get("file") or "Built-in example (invented)")


def _leading(edition: Edition) -> frozenset[str]:
    """Labels of the leading scores: those beneath them are set lighter."""
    return frozenset(m.label for m in edition.leading.values())
