"""The extract: one survey, one period, one row per respondent."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from culture_metrics.catalogue import Edition, catalogue
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.own_words import NUMBERED
from culture_metrics.files.formulas import neutral
from culture_metrics.files.names import squeeze
from culture_metrics.threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from culture_metrics.extracts.dates import ResponseDates

A = TypeVar("A")
#: A longer header is cut where it stands in titles.
LONGEST = 60


@dataclass(frozen=True)
class Extract:
    """Answers of respondents to one survey in one period.

    Attributes
    ----------
    survey, period : str
        Which edition the answers belong to.
    frame : polars.DataFrame
        One row per respondent: `respondent` and `organisation` (String), a column per question named by its
        code in the edition (`q25c`, Int8, null where there is no answer; a tick-all-that-apply option such as
        `q16c_1` is 1, 0 or null) and the String columns of breakdowns (`locality_1`, `benchmark_group`).
    provenance : mapping
        Where the answers come from: file name, hash, sheet, what was renamed. Never answers.
    decision : Decision
        Which groups of these respondents were shown so far, and which hidden: later calls keep to it.
    dates : ResponseDates, optional
        The days on which they answered, by `row`, where a column was named that has them. They stand apart
        from the answers, so that no table made of those has a date in it; `response_rates` counts them.

    Notes
    -----
    An extract shows counts only: its text form and its form in a notebook hold no respondent.
    """

    survey: str
    period: str
    frame: pl.DataFrame = field(repr=False)
    provenance: Mapping[str, Any] = field(default_factory=dict, repr=False)
    decision: Decision = field(default_factory=Decision, repr=False, compare=False)
    dates: ResponseDates | None = field(default=None, repr=False, compare=False)

    @property
    def edition(self) -> Edition:
        """The edition of the survey that the answers belong to."""
        return catalogue(self.survey).edition(self.period)

    @property
    def words(self) -> dict[str, str]:
        """What the file calls its breakdowns, by id: `locality_1` is Directorate, as its header says.

        Examples
        --------
        >>> from dataclasses import replace
        >>> from culture_metrics import synthetic
        >>> extract = synthetic.respondents(2024, respondents_per_organisation=20)
        >>> replace(extract, provenance={"renamed": {"Directorate": "locality_1"}}).words
        {'locality_1': 'Directorate'}
        """
        # Breakdowns that the catalogue has no better name for than their column's.
        named = ((b.column, b) for b in self.edition.breakdowns.values() if b.column)
        plain = {column: b.id for column, b in named if squeeze(b.label) == squeeze(column)}
        renamed = self.provenance.get("renamed") or {}
        words = {
            plain.get(ours, ours): theirs
            for theirs, ours in renamed.items()
            if (ours in plain or NUMBERED.fullmatch(squeeze(ours)))
            and not NUMBERED.fullmatch(squeeze(theirs))
        }
        own = self.provenance.get("words") or {}
        words |= {plain.get(ours, ours): word for ours, word in own.items()}
        return {ours: neutral(word[:LONGEST]) for ours, word in words.items()}

    def __repr__(self) -> str:
        organisations = (
            self.frame["organisation"].drop_nulls().n_unique() if "organisation" in self.frame.columns else 0
        )
        survey = self.edition.survey
        return (
            f"Extract({survey.label}, {survey.named(self.period)}: {self.frame.height:,} respondents, "
            f"{organisations:,} organisation{'s' if organisations != 1 else ''}, "
            f"{len(self.frame.columns)} columns)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>"


def of_each(extracts: Sequence[Extract], job: Callable[[Extract], A]) -> list[A]:
    """Return what a job returns of each extract: in threads, but in turn where two share a decision.

    What is decided of one then rests on what was decided before; of others it does not.
    """
    jobs = [partial(job, extract) for extract in extracts]
    apart = len({id(extract.decision) for extract in extracts}) == len(extracts)
    return in_threads(jobs) if apart else [job() for job in jobs]


def not_read(given: object, call: str) -> ExtractError:
    """Make the error for a file, a table or a report where an extract belongs, with what to do first.

    Examples
    --------
    >>> not_read("RXX_2024.csv", "validate").hint
    "Read it first: validate(read_extract('RXX_2024.csv'))."
    """
    if isinstance(getattr(given, "extract", None), Extract):
        hint = f"Give its clean extract: {call}(report.extract)."
    else:
        name = repr(Path(given).name) if isinstance(given, str | Path) else "table"
        hint = f"Read it first: {call}(read_extract({name}))."
    return ExtractError(f"{call} takes an extract", got=type(given).__name__, hint=hint)
