"""What the notebook on links to outcomes shows: its panel, and checks and statements as tables."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.links.read_panel import read_panel
from culture_metrics.reporting.tables import Table
from culture_metrics.synthetic.outcomes import outcome_panel

if TYPE_CHECKING:
    from culture_metrics.links.panel import Panel
    from culture_metrics.links.result import LinkResult


def link_panel(path: str | Path | None = None) -> Panel:
    """Read a flat panel, or make one with planted links where there is none.

    In the made-up panel one point of staff engagement goes with an SHMI 15 % lower between organisations and
    no difference within them; the other outcomes follow in proportion (`synthetic.outcome_slopes`).
    """
    if path is not None:
        return read_panel(path)
    with TemporaryDirectory() as folder:
        made = Path(folder, "made-up panel.csv")
        outcome_panel().write_csv(made)
        return read_panel(made)


def link_statements(link: LinkResult) -> Table:
    """List one sentence for each model, the main ones in bold."""
    frame = pl.DataFrame({"Model": link.table["model_id"], "In words": link.statements})
    main = frozenset(link.table.filter(role="main")["model_id"])
    return Table(frame, "What each model says", strong=main)


def link_checks(link: LinkResult) -> Table:
    """List the checks that raised a flag."""
    raised = link.diagnostics.filter(pl.col("flag"))
    frame = raised.select(
        pl.col("model_id").alias("Model"),
        pl.col("test").alias("Check"),
        pl.col("note").fill_null("").alias("What it says"),
    )
    return Table(frame, f"{raised.height} of {link.diagnostics.height} checks raised a flag")
