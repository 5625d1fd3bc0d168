"""The result of linking indicators to outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.errors import LinkError, unknown
from culture_metrics.links.pictures import points_and_lines
from culture_metrics.links.table import NOT_FITTED
from culture_metrics.links.titles import hangs_on, levels, title_of, went
from culture_metrics.outcomes.kinds import as_kind
from culture_metrics.output import Output
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from culture_metrics.links.pictures import Source
    from culture_metrics.wording.table import Table

#: Stands beneath every figure.
CAVEAT = "Associations between organisations or years; other differences between them can make a link."


@dataclass(frozen=True, repr=False)
class LinkResult(Output):
    """Links between indicators and outcomes. They are associations between organisations or years.

    Attributes
    ----------
    table : polars.DataFrame
        One row per model and term: see `link_outcomes`.
    diagnostics : polars.DataFrame
        One row per check: `model_id, test, subject, statistic, p_value, value, threshold, flag, note`.
    sample : polars.DataFrame
        What each model lost on the way: `model_id, step, column, rows_lost, organisations_lost, rows_left,
        organisations_left`.
    influence : polars.DataFrame
        One row per main model, term and organisation: `model_id, indicator, term, organisation`, `estimate`
        and `statistic` without that organisation, and `cooks_distance`, the largest among its rows.
    statements : tuple of str
        One sentence for each row of the table.
    warnings : tuple of str
        What to know before quoting anything here.
    source : Source
        The panel and the models, from which `figure_scatter` draws.
    level : float
        Level of the intervals.
    """

    table: pl.DataFrame
    diagnostics: pl.DataFrame = field(repr=False)
    sample: pl.DataFrame = field(repr=False)
    influence: pl.DataFrame = field(repr=False)
    statements: tuple[str, ...] = field(repr=False)
    warnings: tuple[str, ...] = field(repr=False)
    source: Source | None = field(default=None, repr=False)
    level: float = 0.95

    def summary(self) -> str:
        """Say the main links and the warnings in plain sentences."""
        main = [
            said for said, role in zip(self.statements, self.table["role"], strict=True) if role == "main"
        ]
        return "\n".join([*main, *self.warnings])

    def __repr__(self) -> str:
        main = self.table.filter(role="main")
        flags = int(self.diagnostics["flag"].fill_null(value=False).sum())
        without = self.table.height - self._fitted().height
        counts = f"{counted(without, 'link')} not fitted, " if without else ""
        counts += f"{counted(flags, 'check')} raised a flag, {counted(len(self.warnings), 'warning')}"
        return f"LinkResult({went(main, 'link')}; {counts}. See .summary(), .table and .diagnostics)"

    def figure(self) -> go.Figure:
        """Draw all main links with their intervals, a panel for each outcome and design."""
        from culture_metrics import views

        main = self._fitted().filter(role="main")
        return views.forest(
            main, title=went(main, "link"), subtitle=self._sample(), notes=self._notes(), level=self.level
        )

    def figure_designs(self, indicator: str | None = None, outcome: str | None = None) -> go.Figure:
        """Draw one link under every design: one pooled slope is not the whole of it.

        Parameters
        ----------
        indicator, outcome : str, optional
            Columns; they may be left out where there is only one.
        """
        from culture_metrics import views

        row = self._one(indicator, outcome)
        fitted = self._fitted()
        main = fitted.filter(pl.col("role") == "main", indicator=row["indicator"], outcome=row["outcome"])[
            "model_id"
        ]
        # Sensitivity models bear the name of their main model and then their own.
        own = fitted.with_columns(_main=pl.col("model_id").str.replace(r"; .*$", ""))
        ours = (pl.col("indicator") == row["indicator"]) | (pl.col("term") == "outcome_to_indicator")
        rows = own.filter(pl.col("_main").is_in(main.to_list()) & ours).drop("_main")
        return views.designs(
            rows, title=went(rows, "estimate"), subtitle=self._sample(), notes=self._notes(), level=self.level
        )

    def figure_scatter(self, indicator: str | None = None, outcome: str | None = None) -> go.Figure:
        """Draw each organisation's indicator and outcome, with the slopes between and within organisations.

        Parameters
        ----------
        indicator, outcome : str, optional
            Columns; they may be left out where there is only one.
        """
        from culture_metrics import views

        row = self._one(indicator, outcome)
        if self.source is None:
            raise LinkError("This result does not hold its panel", hint="Call link_outcomes again.")
        points, lines = points_and_lines(self.source, row["model_id"], row["indicator"])
        unit = self._unit(row)
        return views.scatter(
            points, lines,
            x_title=title_of(row["indicator"]),
            y_title=f"{row['outcome_label']}{f' ({unit})' if unit else ''}",
            title=levels(lines, row["indicator"], row["outcome_label"]),
            subtitle="Means of each organisation over its years; years and controls taken out",
            notes=CAVEAT,
        )  # fmt: skip

    def _unit(self, row: Mapping[str, Any]) -> str:
        """Return what the numbers of a scatter are counted in."""
        kind, source = as_kind(row["kind"]), self.source
        if kind.ordered and source is not None:
            levels = source.plans[row["model_id"]].values.levels
            return f"1 {levels[0]} to {len(levels)} {levels[-1]}"
        return "%" if kind.fraction or kind.graded else str(row["unit"])

    def figure_influence(self, indicator: str | None = None, outcome: str | None = None) -> go.Figure:
        """Draw one slope without each organisation in turn.

        Parameters
        ----------
        indicator, outcome : str, optional
            Columns; they may be left out where there is only one.
        """
        from culture_metrics import views

        row = self._one(indicator, outcome)
        rows = self.influence.filter(model_id=row["model_id"], indicator=row["indicator"], term=row["term"])
        if rows.is_empty():
            raise LinkError("No model was fitted without single organisations", where=row["model_id"])
        scale = "" if row["link"] == "identity" else f", {row['link']} scale"
        return views.influence(
            rows,
            estimate=row["estimate"],
            conf_low=row["conf_low"],
            conf_high=row["conf_high"],
            x_title=f"Slope of {row['outcome_label']} per {row['step_label']}{scale}",
            title=hangs_on(rows, row),
            subtitle=f"{row['n_orgs']} organisations, {row['base']:,} organisation-years",
            notes=CAVEAT,
            level=self.level,
        )

    def checks(self) -> Table:
        """List the checks of all models that raised a flag."""
        from culture_metrics.links.raised_checks import raised_checks

        return raised_checks(self)

    def _one(self, indicator: str | None, outcome: str | None) -> dict[str, Any]:
        """Return the first main row of one pair that has a model."""
        main = self.table.filter(role="main")
        for column, wanted in (("indicator", indicator), ("outcome", outcome)):
            known = main[column].unique(maintain_order=True).to_list()
            if wanted is None and len(known) > 1:
                raise LinkError(
                    f"Several {column}s were linked: say which one to draw", expected=", ".join(known)
                )
            if wanted is not None and wanted not in known:
                raise unknown(column, wanted, known)
            main = main.filter(pl.col(column) == (wanted or known[0]))
        fitted = main.filter(pl.col("status") != NOT_FITTED)
        if fitted.is_empty():
            raise LinkError("This pair has no model to draw", got=main["reason"][0])
        return fitted.row(0, named=True)

    def _fitted(self) -> pl.DataFrame:
        """Return the rows that have a model."""
        return self.table.filter(pl.col("status") != NOT_FITTED)

    def _notes(self) -> str:
        without = self.table.height - self._fitted().height
        return f"{counted(without, 'link')} could not be fitted. {CAVEAT}" if without else CAVEAT

    def _sample(self) -> str:
        sizes = self.table.filter(role="main").select(pl.col("n_orgs", "base").max()).row(0)
        return f"Up to {sizes[0]:,} organisations, {sizes[1]:,} organisation-years"

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{escape(line)}</li>" for line in self.summary().splitlines())
        return f"<ul>{said}</ul>"
