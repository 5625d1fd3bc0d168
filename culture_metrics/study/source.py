"""A respondent file of a study, read as study.yaml says: every year in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from culture_metrics.catalogue import catalogue
from culture_metrics.catalogue import survey as find_survey
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.read import periods_in, read_extract
from culture_metrics.extracts.respondents import SeveralPeriodsError
from culture_metrics.study.own_words import columns_of
from culture_metrics.study.settings import StudyInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culture_metrics.catalogue import Survey
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.study.settings import Settings


@dataclass(frozen=True)
class Source:
    """A respondent file, and what is said of it."""

    path: Path
    organisation: str | None = None
    survey: Survey | None = None
    settings: Settings | None = None

    @cached_property
    def said(self) -> StudyInput:
        """What study.yaml says of the file."""
        return StudyInput(self.path.name) if self.settings is None else self.settings.of(self.path)

    @cached_property
    def of(self) -> Survey | None:
        """The survey of the file: its own in study.yaml, else that of the study."""
        if self.settings is None or self.said.survey is None:
            return self.survey
        return find_survey(self.settings.named(self.said.survey) or self.said.survey)

    @cached_property
    def columns(self) -> dict[str, str]:
        """The columns that are not what their headers say."""
        return {} if self.settings is None else columns_of(self.path, self.settings, self.of)

    def read(self, year: int | str | None) -> Extract:
        """Read one year."""
        return read_extract(
            self.path,
            self.of,
            year,
            self.said.sheet,
            organisation=self.organisation,
            columns=self.columns,
            header_row=self.said.header_row,
        )

    def years(self, year: int | str | None, *, alone: bool) -> list[Extract]:
        """Read every year in the file; one among several files says its own year if it can."""
        try:
            own = self.read(self.said.year or (year if alone else None))
        except SeveralPeriodsError as error:
            return self._each(error.periods)
        except ExtractError:
            if alone or year is None or self.said.year:
                raise
            own = self.read(year)
        if not is_stacked(own):
            return [own]
        return self._each(periods_in(self.path, self.of, self.said.sheet, self.columns))

    def _each(self, periods: Sequence[str]) -> list[Extract]:
        """Read the years of a stacked file; those without a catalogue are counted as rows of other years."""
        known = [p for p in periods if p in (self.of or catalogue()).periods] or periods
        return [self.read(period) for period in known]


def is_stacked(extract: Extract) -> bool:
    """Tell whether the file of an extract holds other years too."""
    return bool(extract.provenance.get("rows_of_other_periods"))
