"""Two extracts of one survey side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from culture_metrics.extracts.rules.found import answer_columns

if TYPE_CHECKING:
    from culture_metrics.catalogue import Question
    from culture_metrics.extracts.extract import Extract


@dataclass(frozen=True)
class Pair:
    """Two clean extracts of one survey, the earlier first."""

    first: Extract
    second: Extract

    @property
    def periods(self) -> tuple[str, str]:
        """Their periods."""
        return self.first.period, self.second.period

    @cached_property
    def questions(self) -> list[tuple[Question, str, Question, str]]:
        """Questions in both files by their id, with their columns: codes differ from year to year."""
        there = {}
        for column in answer_columns(self.second.frame, self.second.edition):
            question = self.second.edition.columns[column]
            there[question.id, column.removeprefix(question.code)] = column
        found = []
        for column in answer_columns(self.first.frame, self.first.edition):
            question = self.first.edition.columns[column]
            other = there.get((question.id, column.removeprefix(question.code)))
            if other:
                found.append((question, column, self.second.edition.columns[other], other))
        return found
