"""Two files of the same survey beside each other: what came, went, was renamed or counted twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.extracts.report import ValidationReport
from culture_metrics.extracts.rules import pair_answers, pair_people
from culture_metrics.extracts.rules.pair import Pair
from culture_metrics.extracts.validate import validate
from culture_metrics.files.organisations import read_organisations
from culture_metrics.output import Output, verb
from culture_metrics.problems import SEVERITIES, WORDS, counted, problem_table

if TYPE_CHECKING:
    from pathlib import Path

    from culture_metrics.extracts.extract import Extract


@dataclass(frozen=True, repr=False, eq=False)
class PairReport(Output):
    """What `check_pair` found. It shows itself in a notebook and holds counts and row numbers only.

    Attributes
    ----------
    title : str
        Which files were set side by side.
    problems : polars.DataFrame
        `severity`, `rule`, `column`, `rows`, `examples`, `found`, `expected`, `done`; the worst first.
    respondents : tuple of int
        Number of respondents in the first and the second file.
    """

    title: str
    problems: pl.DataFrame
    respondents: tuple[int, int]

    @property
    def table(self) -> pl.DataFrame:
        """The problems."""
        return self.problems

    @property
    def ok(self) -> bool:
        """True when no problem is an error."""
        return not (self.problems["severity"] == "error").any()

    def summary(self) -> str:
        """Say in a sentence what came of it."""
        counts = {name: int((self.problems["severity"] == name).sum()) for name in SEVERITIES}
        said = ", ".join(counted(n, name) if n else f"no {name}s" for name, n in counts.items())
        first, second = self.respondents
        return f"{first:,} and {second:,} respondents. {said[0].upper()}{said[1:]}."

    def to_html(self, path: str | Path) -> Path:
        """Write the report as a page of its own."""
        from culture_metrics.extracts.export import write_html

        return write_html(path, self._html(2), self.title)

    def to_excel(self, path: str | Path) -> Path:
        """Write the report as a workbook: a cover and one sheet for each kind of problem."""
        from culture_metrics.extracts.export import write_workbook

        return write_workbook(path, self.title, [self.summary()], self.problems)

    def __repr__(self) -> str:
        lines = [f"PairReport({self.title}): {self.summary()}"]
        for row in self.problems.head(8).iter_rows(named=True):
            lines.append(f"  {WORDS[row['severity']]} {row['rule']}: {row['found']}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return self._html(3)

    def _html(self, level: int) -> str:
        from culture_metrics.extracts.page import check_html

        verdict = "The files can be set side by side."
        if self.problems.height:
            verdict = (
                "Read the problems before you compare." if self.ok else "Has errors: do not compare yet."
            )
        tiles = [("Respondents, first file", self.respondents[0]), ("Second file", self.respondents[1])]
        return check_html(self.title, verdict, self.problems, tiles, level=level)


@verb
def check_pair(
    first: Extract | ValidationReport,
    second: Extract | ValidationReport,
    organisations: pl.DataFrame | str | Path | None = None,
) -> PairReport:
    """Set two files of one survey side by side, as before comparing two years.

    Parameters
    ----------
    first, second : Extract or ValidationReport
        The earlier and the later file. An extract is checked first; problems within it are not repeated here.
    organisations : polars.DataFrame, str or Path, optional
        List of organisations as `validate` takes it, to name the successors of those that vanished.

    Returns
    -------
    PairReport
        `.problems` has the columns of a report of validation; nothing is changed in either file.

    Raises
    ------
    ExtractError
        When the files belong to different surveys.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> years = [synthetic.respondents(y, respondents_per_organisation=300) for y in (2023, 2024)]
    >>> report = check_pair(*years)
    >>> report.ok, report.problems["rule"].to_list()[0]
    (True, 'respondents in both files')
    """
    first, second = (x if isinstance(x, ValidationReport) else validate(x) for x in (first, second))
    first, second = first.extract, second.extract
    if first.survey != second.survey:
        raise ExtractError(
            "The files belong to different surveys",
            got=f"{first.edition.survey.label} and {second.edition.survey.label}",
            hint="Give two files of one survey.",
        )
    pair = Pair(first, second)
    known = None if organisations is None else read_organisations(organisations)
    problems = [
        *pair_people.same_file(pair),
        *pair_people.respondents(pair),
        *pair_people.organisations(pair, known),
        *pair_people.localities(pair),
        *pair_answers.questions(pair),
        *pair_answers.shifts(pair),
    ]
    title = f"{first.edition.survey.label}: {first.period} beside {second.period}"
    return PairReport(title, problem_table(problems), (first.frame.height, second.frame.height))
