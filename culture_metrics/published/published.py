"""Published results: what an official workbook says, in the package's own tables."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from culture_metrics.catalogue import Edition, catalogue
from culture_metrics.output import Output
from culture_metrics.problems import counted, listed
from culture_metrics.results import Distributions, Results

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from culture_metrics.wording.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class Published(Output):
    """Official results of one survey in one period.

    Attributes
    ----------
    survey, period : str
        Which edition the results belong to.
    results : Results
        The published scores (0 to 10) and the headline percentages (0 to 100) worked out from the
        published options. Official files give no standard errors; those columns are null.
    distributions : Distributions
        The percentage of every response option, of all who answered.
    organisations : polars.DataFrame
        Organisations: code, name, benchmark group, region and integrated care system.
    provenance : mapping
        Where the figures come from and what was found in the file; see `read_published`.
    """

    survey: str
    period: str
    results: Results
    distributions: Distributions
    organisations: pl.DataFrame

    def __post_init__(self) -> None:
        # Readers make frames; a table that was filtered may be put in the place of another.
        for name, kind in (("results", Results), ("distributions", Distributions)):
            table = getattr(self, name)
            if isinstance(table, pl.DataFrame):
                object.__setattr__(self, name, kind(table, provenance=self.provenance))

    def _with_provenance(self, provenance: Mapping[str, Any]) -> Self:
        found = super()._with_provenance(provenance)
        for name in ("results", "distributions"):
            object.__setattr__(found, name, getattr(self, name)._with_provenance(found.provenance))
        return found

    @property
    def table(self) -> pl.DataFrame:
        """The Results."""
        return self.results.table

    def figure(self) -> go.Figure:
        """Draw the main picture of the results."""
        return self.results.figure()

    def summary(self) -> str:
        """Say in plain sentences what the file holds."""
        counts = listed((counted(n, *NOUNS[name]) for name, n in self._counts().items()), most=9)
        survey = self.edition.survey
        said = f"{survey.label}, {survey.named(self.period)}, published results: {counts}."
        return " ".join([said, *self.rules()])

    def rules(self) -> tuple[str, ...]:
        """Say what of the file is known to be wrong in its release."""
        return tuple(f"Not taken as fact: {fault}" for fault in self.provenance.get("faults", ()))

    @property
    def edition(self) -> Edition:
        """The edition of the survey that the results belong to."""
        return catalogue(self.survey).edition(self.period)

    def rebuilt(self, organisation: str) -> Table:
        """Set an organisation's published scores beside those rebuilt from its published answers.

        The median and the largest difference are over every organisation of the workbook.
        """
        from culture_metrics.published.rebuilt import rebuilt_table

        return rebuilt_table(self, organisation)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {name}" for name, count in self._counts().items())
        return f"Published({self.edition.survey.label}, {self.edition.survey.named(self.period)}: {counts})"

    def _repr_html_(self) -> str:
        rows = {name.capitalize(): f"{count:,}" for name, count in self._counts().items()}
        rows |= {name: str(self.provenance[key]) for key, name in _SHOWN.items() if self.provenance.get(key)}
        cells = "".join(
            f"<tr><th scope='row' style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in rows.items()
        )
        title = f"{self.edition.survey.label}, {self.edition.survey.named(self.period)}: published results"
        return f"<table><caption>{html.escape(title)}</caption>{cells}</table>"

    def _counts(self) -> dict[str, int]:
        units = self.table.unique("measure")["unit"]
        counts = {
            "organisations": self.table["organisation"].n_unique(),
            "breakdowns": self.table.filter(self.table["breakdown"] != "all")["breakdown"].n_unique(),
            "scores": int((units == "score").sum()),
            "percentages": int((units == "percent").sum()),
            "questions": self.distributions.table["question"].n_unique(),
            "suppressed cells": self.provenance.get("suppressed_cells", 0),
            "parts of the edition not in the file": len(self.provenance.get("missing", ())),
        }
        always = {"organisations", "scores", "percentages", "questions"}
        return {name: count for name, count in counts.items() if count or name in always}


#: One and several of what is counted.
NOUNS = {
    "organisations": ("organisation",),
    "breakdowns": ("breakdown",),
    "scores": ("score",),
    "percentages": ("percentage",),
    "questions": ("question",),
    "suppressed cells": ("suppressed cell",),
    "parts of the edition not in the file": (
        "part of the edition not in the file",
        "parts of the edition not in the file",
    ),
}
_SHOWN = {"file": "File", "layout": "Layout", "title": "Title in the file"}
