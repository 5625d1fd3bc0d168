"""Two years of respondents of one organisation, seen to be comparable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.comparable import see_breaks
from culture_metrics.compare.pairs import check_order
from culture_metrics.compare.same_questions import absent_of
from culture_metrics.errors import ComparabilityError, ExtractError, unknown
from culture_metrics.extracts.extract import Extract, not_read
from culture_metrics.extracts.unanswered import unanswered
from culture_metrics.indicators.percentages import headline_shares
from culture_metrics.indicators.scoring import check_answers, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.catalogue import Measure


@dataclass(frozen=True)
class Pair:
    """Extracts of one organisation in two periods, and a measure of both.

    `before` and `after` are cut to the organisation, `asked` are the extracts as they were given: what may be
    shown is decided of these, once. `minimum_base` is the smallest base that may be shown; `broken` says why
    the years do not compare, where the caller insisted.
    """

    before: Extract
    after: Extract
    asked: tuple[Extract, Extract]
    measure: Measure
    organisation: str
    minimum_base: int
    broken: tuple[str, ...] = ()

    def values(self) -> tuple[pl.Series, pl.Series]:
        """Return the measure of every respondent, null out of its base.

        Raises
        ------
        ExtractError
            When fewer than `minimum_base` respondents have it in either year, or its questions are not there.
        """
        both = _values(self.before, self.measure.id), _values(self.after, self.measure.id)
        for extract, values in zip((self.before, self.after), both, strict=True):
            if not values.count():
                self._say_absent(extract)
            if values.count() < self.minimum_base:
                raise ExtractError(
                    f"Too few respondents have a value of {self.measure.id}",
                    where=f"{self.organisation}, {extract.period}",
                    expected=f"at least {self.minimum_base}",
                    hint="Check that the extract holds its questions; smaller bases may not be shown.",
                )
        return both

    def _say_absent(self, extract: Extract) -> None:
        """Refuse a measure that nobody has because its questions are not in the file."""
        needed = extract.edition.questions_of(self.measure.id)
        codes = [question.code for question in unanswered(extract) if question.id in needed]
        if codes:
            raise ExtractError(
                f"The file of {extract.period} has no answers to {', '.join(codes)}",
                where=f"{self.organisation}, {self.measure.label}",
                hint="Ask whoever made the file for the missing columns.",
            )


def pair_of(
    from_extract: Extract,
    to_extract: Extract,
    measure: str,
    breakdowns: Sequence[str],
    organisation: str | None,
    minimum_base: int | None,
    allow_breaks: bool,
) -> Pair:
    """Put two extracts side by side, cut to one organisation.

    Raises
    ------
    UnknownNameError
        When an edition has no such measure, or an extract no such organisation.
    ComparabilityError
        When the surveys differ, the periods do not, or a break of the catalogue stands between them (with
        `allow_breaks` a ComparabilityWarning).
    ExtractError
        When there are several organisations and none is named, or answers are not whole numbers.
    """
    for given in (from_extract, to_extract):
        if not isinstance(given, Extract):
            raise not_read(given, "A change from answers")
    if from_extract.survey != to_extract.survey or from_extract.period == to_extract.period:
        raise ComparabilityError(
            "A change is between two periods of one survey",
            got=f"{from_extract.survey} {from_extract.period}, {to_extract.survey} {to_extract.period}",
        )
    check_order(from_extract.period, to_extract.period)
    found = to_extract.edition.measure(measure)
    from_extract.edition.measure(found.id)
    code = _organisation(from_extract, to_extract, organisation)
    periods = from_extract.period, to_extract.period
    survey = to_extract.edition.survey
    own = pl.col("organisation") == code
    before, after = (replace(e, frame=e.frame.filter(own)) for e in (from_extract, to_extract))
    absent = absent_of((before, after), code)
    broken = see_breaks(survey, periods, found, breakdowns, code, absent, allow=allow_breaks)
    least = minimum_base or survey.minimum_base
    return Pair(before, after, (from_extract, to_extract), found, code, least, broken)


def _organisation(before: Extract, after: Extract, organisation: str | None) -> str:
    codes = [set(e.frame["organisation"].unique()) for e in (before, after)]
    if organisation is None:
        if codes[0] == codes[1] and len(codes[0]) == 1:
            return str(codes[0].pop())
        raise ExtractError(
            "It takes one organisation, the same in both years",
            got=f"{len(codes[0])} in {before.period}, {len(codes[1])} in {after.period}, "
            f"{len(codes[0] & codes[1])} in both",
            hint="Name one that is in both: organisation='RXX'.",
        )
    for extract, known in zip((before, after), codes, strict=True):
        if organisation not in known:
            rows = extract.frame["organisation"].drop_nulls().value_counts(name="rows")
            large = rows.filter(pl.col("rows") >= extract.edition.survey.minimum_base)["organisation"].sort()
            raise unknown("organisation", organisation, large, where=extract.period)
    return organisation


def _values(extract: Extract, measure: str) -> pl.Series:
    check_answers(extract)
    if measure in extract.edition.scores:
        return score(extract)[measure]
    shares = {s.name: s for s in headline_shares(extract.edition, extract.frame.columns)}
    if measure not in shares:
        return pl.Series(measure, [None] * extract.frame.height, dtype=pl.Float64)
    share = shares[measure]
    counted = pl.when(share.answer.is_in(share.counted)).then(100.0).otherwise(0.0)
    return extract.frame.select(
        pl.when(share.answer.is_in(share.base)).then(counted).alias(measure)
    ).to_series()
