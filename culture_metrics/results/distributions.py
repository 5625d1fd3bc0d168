"""Distributions: how the answers to questions are spread, and their picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import unknown
from culture_metrics.problems import counted
from culture_metrics.results.tabled import Tabled, when

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Questions drawn where those of the survey's usual score are not there.
FIRST = 8


@dataclass(frozen=True, repr=False, eq=False)
class Distributions(Tabled):
    """Distributions: one row per organisation, breakdown, group, question and response option.

    Attributes
    ----------
    table : polars.DataFrame
        The rows, columns as in `distributions`. The names of hidden groups stand in it.
    minimum_base : int
        Smallest base that is shown.
    parents : polars.DataFrame, optional
        Groups that lie whole in a group of another breakdown, as the data have it.
    provenance : mapping
        As in `Results`.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> answers = cm.distributions(cm.synthetic.respondents(2024))
    >>> answers.distribution("advocacy").layout.meta["alt"][:33]
    'SYN01, advocacy: 70.3% to 81.2% o'
    """

    def figure(self, organisation: str | None = None, period: str | int | None = None) -> go.Figure:
        """Draw the answers behind the survey's usual score; arguments as in `distribution`."""
        return self.distribution(None, organisation, period)

    def distribution(
        self,
        measure: str | None = None,
        organisation: str | None = None,
        period: str | int | None = None,
    ) -> go.Figure:
        """Draw how the answers to a question, or to the questions behind a score, are spread.

        Parameters
        ----------
        measure : str, optional
            Id or official code of a score or question; the survey's usual score when left out.
        organisation : str, optional
            ODS code; may be left out where there is one, or a row of all organisations together.
        period : str or int, optional
            The last one when left out.

        Raises
        ------
        ResultsError
            When there are several organisations and none is named.
        UnknownNameError
            When the table has no answers to these questions.
        """
        from culture_metrics import views
        from culture_metrics.results.tables import answer_table
        from culture_metrics.results.words import favourable, source_of

        own = self._one(organisation, period)
        edition = catalogue(str(own["survey"][0])).edition(str(own["period"][0]))
        found = edition.measure(measure or edition.default_score)
        here = set(own["question"])
        questions = [q for q in dict.fromkeys(edition.questions_of(found.id)) if q in here]
        label = found.label.lower()
        if not questions and measure is None:
            questions, label = [q for q in edition.questions if q in here][:FIRST], "answers"
        if not questions:
            raise unknown("measure with answers in this table", found.id, sorted(here))
        table = answer_table(own, edition, questions)
        return views.distribution(
            table,
            title=f"{self._whom(own)}, {label}: {favourable(table)}",
            source=source_of(own),
            subtitle=when(own),
        )

    def summary(self) -> str:
        """Say in plain sentences of whom the answers are and what is held back."""
        many = counted(self.table["question"].n_unique(), "question")
        return f"{self._about()}; answers to {many}. {self._held()} held back."
