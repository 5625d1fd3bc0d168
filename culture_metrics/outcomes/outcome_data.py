"""Figures of outcomes by organisation and period, checked, as a file gave them."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import LinkError, unknown
from culture_metrics.outcomes.roll_up import by_year
from culture_metrics.output import Output
from culture_metrics.problems import counted
from data_schemas.columns import OUTCOMES, OUTCOMES_KEY
from data_schemas.contracts import CONTRACTS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.outcomes.outcome import Outcome


SET_ASIDE = {
    "outcome": pl.String(),
    "rows": pl.UInt32(),
    "organisations": pl.UInt32(),
    "reason": pl.String(),
}


@dataclass(frozen=True, repr=False, eq=False)
class OutcomeData(Output):
    """What a file of outcomes says, and what was found in it.

    Attributes
    ----------
    outcomes : tuple of Outcome
        The outcomes, whose `column` is the id in the table.
    table : polars.DataFrame
        One row per outcome, organisation, group and period: `outcome, organisation, group` (`all` for the
        whole organisation), `start, end` (first and last day), `value`, `level` (of an ordinal outcome),
        `numerator, denominator, status` (`reported`, `suppressed`, `not_reported`), `rows` (of the file that
        stand behind it). Proportions and rates are fractions.
    problems : polars.DataFrame
        What was found, in counts, as the table of problems of `validate`.
    set_aside : polars.DataFrame
        Rows of the file that became no figure: `outcome, rows, organisations, reason`. For each outcome the
        rows of its figures and these add up to those of the file.
    provenance : mapping
        `file, sheet, layout, sha256, rows` (rows of the file).
    """

    outcomes: tuple[Outcome, ...]
    table: pl.DataFrame = field(repr=False)
    problems: pl.DataFrame = field(repr=False)
    set_aside: pl.DataFrame = field(repr=False)

    def by_year(self) -> pl.DataFrame:
        """Roll the figures up to the years of the survey.

        Returns
        -------
        polars.DataFrame
            One row per outcome, organisation, group and `year`: `value, level, numerator, denominator`,
            `start, end` (what the figure covers), `months` (how many of the year's twelve; null for a
            rating, and for a score of a single month or day) and `partial` (fewer than twelve).

        Raises
        ------
        LinkError
            When periods overlap that would be added up, or rates come without the counts to add.
        """
        return by_year(self.table, self.outcomes)

    def figure(self, outcome: str | None = None) -> go.Figure:
        """Draw the median of whole organisations in each year of the survey, with the middle half of them.

        Parameters
        ----------
        outcome : str, optional
            Its column; the first one with figures when left out.
        """
        from culture_metrics import views

        known = {one.column: one for one in self.outcomes}
        years = self.by_year().filter(group=ALL).drop_nulls("value")
        chosen = next(iter(years["outcome"]), self.outcomes[0].column) if outcome is None else outcome
        if chosen not in known:
            raise unknown("outcome", chosen, known)
        value = pl.col("value")
        drawn = (
            years.filter(outcome=chosen)
            .group_by("year")
            .agg(
                estimate=value.median(),
                conf_low=value.quantile(0.25),
                conf_high=value.quantile(0.75),
            )
            .sort("year")
            .select(pl.lit("median").alias("line"), pl.col("year").alias("x"), "estimate", "^conf_.*$")
        )
        title = known[chosen].title
        return views.lines(
            drawn,
            x_title="Year of the survey",
            y_title=title,
            title=f"{title}: median of organisations",
            bands="Band: the middle half of organisations.",
        )

    def summary(self) -> str:
        """Say in plain sentences what is there."""
        said = []
        for outcome in self.outcomes:
            rows = self.table.filter(outcome=outcome.column)
            there = rows.filter(status="reported")
            said.append(
                f"{outcome.title}: {there.height:,} figures of {there['organisation'].n_unique():,} "
                f"organisations, {_month(rows['start'].min())} to {_month(rows['end'].max())}; "
                f"{rows.height - there.height:,} not reported or suppressed."
                if rows.height
                else f"{outcome.title}: no figures."
            )
        return " ".join(said)

    def __repr__(self) -> str:
        met = counted(self.problems.height, "problem")
        return f"OutcomeData({self.summary()} {met}. See .table, .problems and .by_year())"

    def _repr_html_(self) -> str:
        from culture_metrics.wording.table import Table

        met = Table.of(self.problems, "What was met")._repr_html_() if len(self.problems) else ""
        return f"<p>{html.escape(self.summary())}</p>{met}"


def set_aside(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Count the rows of a file, by outcome, that are set aside for one reason."""
    counts = rows.group_by("outcome", maintain_order=True).agg(
        pl.col("rows").sum(), pl.col("organisation").n_unique().alias("organisations")
    )
    return counts.with_columns(pl.lit(reason).alias("reason")).select(
        pl.col(name).cast(dtype) for name, dtype in SET_ASIDE.items()
    )


def _month(day: Any) -> str:
    return f"{day:%B %Y}"


def as_outcomes(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return `frame` as Outcomes: its columns in order, typed, sorted and checked.

    Raises
    ------
    LinkError
        When a row breaks the contract, naming the rule.
    """
    missing = [
        pl.lit(1 if name == "rows" else None, dtype).alias(name)
        for name, dtype in OUTCOMES.items()
        if name not in frame.columns
    ]
    shaped = (
        frame.with_columns(missing)
        .select(pl.col(name).cast(dtype) for name, dtype in OUTCOMES.items())
        .sort(OUTCOMES_KEY)
    )
    if CONTRACTS["Outcomes"].kept(shaped):
        return shaped
    from pandera.errors import SchemaErrors

    from data_schemas.tables import Outcomes

    try:
        Outcomes.validate(shaped, lazy=True)
    except SchemaErrors as error:
        rules = error.failure_cases["check"].unique(maintain_order=True).to_list()
        raise LinkError(
            "The figures do not keep the contract of outcomes",
            where=where,
            expected="; ".join(map(str, rules[:5])),
            hint="Check the file, or name its columns with columns=.",
        ) from None
    return shaped
