"""Those who answered early beside those who answered late: a rough look at who did not answer at all."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import least_base
from culture_metrics.compare.difference import add_differences
from culture_metrics.errors import CultureMetricsWarning, ExtractError
from culture_metrics.indicators.days import OTHERS, OUTSIDE, PLACE, WITHOUT, in_steps
from culture_metrics.indicators.fieldwork import said_day
from culture_metrics.indicators.scoring import score
from culture_metrics.indicators.shown import shown_cells
from culture_metrics.output import Output, verb
from culture_metrics.wording.changes import amount
from culture_metrics.wording.numbers import in_sentence, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.days import InSteps, Window

EARLY, LATE = "early", "late"
#: What the halves are called as a breakdown, while it is decided whether they may be shown.
HALF = "half of fieldwork"
_TEXTS = {"measure": pl.String, "label": pl.String}


@dataclass(frozen=True, repr=False, eq=False)
class EarlyAndLate(Output):
    """Leading scores of those who answered in the later half of fieldwork, less those of the earlier half.

    Attributes
    ----------
    table : polars.DataFrame
        `measure, label, early, late, estimate` (late less early), `std_error, df, conf_low, conf_high,
        base_early, base_late`.
    until : datetime.date
        Last day of the earlier half.
    measure : str
        The score that is spoken of.
    others : str
        Which half those without a day in fieldwork are in: late where they are few, else none.
    """

    table: pl.DataFrame
    until: date
    measure: str
    others: str

    def rules(self) -> tuple[str, ...]:
        """Say what is compared, and what that may be taken for."""
        return (
            f"Early is up to {said_day(self.until)}, by when half of the answers were in. "
            f"{self.others}Welch's interval, unweighted.",
            "Who answered late is often taken to be nearer to who did not answer. That is a rough look: "
            "nothing in the survey says what those who did not answer think.",
        )

    def summary(self) -> str:
        """Say whether late answers differ from early ones."""
        row = self.table.filter(measure=self.measure).row(0, named=True)
        apart = self.table.filter((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).height
        way = "higher" if row["estimate"] > 0 else "lower"
        return (
            f"Those who answered after {said_day(self.until)} stand {amount(row['estimate'], 'score')} {way} "
            f"on {in_sentence(row['label'])} than those before ({shown(row['late'], 'score')} against "
            f"{shown(row['early'], 'score')}; 95% interval of the difference {row['conf_low']:+.2f} to "
            f"{row['conf_high']:+.2f}); {apart} of {self.table.height} leading scores differ beyond chance."
        )


@verb
def early_and_late(
    extract: Extract, minimum_base: int | None = None, fieldwork: Window | None = None
) -> EarlyAndLate:
    """Compare late with early respondents, as a rough look at non-response (continuum of resistance).

    Parameters
    ----------
    extract : Extract
        A clean extract of one organisation, read with its column of dates:
        `read_extract(path, columns={"Submitted": "date of response"})`.
    minimum_base : int, optional
        Smallest half that is shown; that of the survey when left out.
    fieldwork : (date, date), optional
        First and last day; answers outside are in neither half where they are many, else they count as late.

    Returns
    -------
    EarlyAndLate
        `.table` has the leading scores of both halves and their difference with its interval.

    Raises
    ------
    ExtractError
        When the extract has no dates of response, or too few; when it has several organisations; when other
        days of the same people were shown before.

    Notes
    -----
    The halves are of the whole; of groups they would be small. The interval is of each score by itself. The
    halves end where a step of `response_rates(...).over_fieldwork()` does, and whether they may be shown is
    part of the one decision about the extract.

    References
    ----------
    Lin & Schaeffer (1995), Using survey participants to estimate the impact of nonparticipation, Public
    Opinion Quarterly 59, 236-258.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from datetime import date
    >>> from culture_metrics import synthetic
    >>> from culture_metrics.extracts.dates import ResponseDates
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=200)
    >>> frame = extract.frame.with_row_index("row")
    >>> days = frame.select("row", date=date(2024, 10, 1) + pl.duration(days=pl.col("row") // 10))
    >>> late = early_and_late(replace(extract, frame=frame, dates=ResponseDates(days)))
    >>> late.until, late.table["base_late"][0]
    (datetime.date(2024, 10, 10), 100)
    """
    least = least_base([extract.survey]) if minimum_base is None else minimum_base
    if extract.dates is None:
        raise ExtractError(
            "The extract has no dates of response",
            hint='Read it with its column of them: columns={"Submitted": "date of response"}.',
        )
    if extract.frame["organisation"].n_unique() > 1:
        raise ExtractError(
            "The extract has several organisations",
            expected="one, as its fieldwork is its own",
            hint="Keep the rows of one: dataclasses.replace(extract, frame=...).",
        )
    part = next(iter(in_steps(extract, least, fieldwork).values()), None)
    scores, labels = _scores(extract)
    halves, others = _halves(scores, part, least) if part else (None, "")
    if halves is None or part is None or not labels:
        raise _too_few(least)
    if not part.keep(extract):
        raise ExtractError(OTHERS.split(":")[0], hint=OTHERS)
    found = _compared(scores, labels, halves)
    found = found.filter(pl.col("measure").is_in(_shown(extract, halves, least)))
    if found.is_empty():
        raise ExtractError(
            "Early and late answers are not shown: beside other results few people's scores would follow",
            hint="Ask for early and late answers before other breakdowns, on the extract as it was read.",
        )
    headline = extract.edition.survey.defaults.headline
    spoken = headline if headline in found["measure"].to_list() else found["measure"][0]
    return EarlyAndLate(found, part.ends[part.half()], str(spoken), others)


def with_halves(extract: Extract, least: int, fieldwork: Window | None = None) -> pl.DataFrame:
    """Return the respondents with their half as a column, as `early_and_late` has it; else as they are.

    A ledger that an earlier run wrote says of the halves that they were shown.
    """
    if extract.dates is None or extract.frame["organisation"].n_unique() > 1:
        return extract.frame
    for part in in_steps(extract, least, fieldwork).values():
        halves, _ = _halves(_scores(extract)[0], part, least)
        if halves is not None:
            return extract.frame.with_columns(halves.alias(HALF))
    return extract.frame


def _scores(extract: Extract) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return the leading scores of respondents, and their labels."""
    scores = score(extract)
    labels = {m.id: m.label for m in extract.edition.leading.values() if m.id in scores.columns}
    return scores.select(*labels), labels


def _too_few(least: int) -> ExtractError:
    return ExtractError(
        "Too few answers have a date within fieldwork to compare early with late ones",
        expected=f"at least {least} in each half",
        hint="Say when fieldwork began and ended, or name another column.",
    )


def _halves(scores: pl.DataFrame, part: InSteps, least: int) -> tuple[pl.Series | None, str]:
    """Say of each respondent in which half; none where a half is small.

    What all and both halves leave over may be no few people: those without a day in fieldwork are in neither
    half where in every score they are nobody or many; else they count as late.
    """
    late = part.people[PLACE] > part.half()
    apart = part.people[OUTSIDE] | part.people[WITHOUT]
    bases = scores.filter(apart).select(pl.all().count()).row(0) if scores.width else ()
    leave = all(n == 0 or n >= least for n in bases)
    found = pl.select(half=pl.when(late).then(pl.lit(LATE)).otherwise(pl.lit(EARLY))).to_series()
    if leave:
        found = pl.select(half=pl.when(~apart).then(found)).to_series()
    sizes = dict(found.drop_nulls().value_counts().iter_rows())
    which = "in neither half" if leave else "late"
    said = f"Answers without a day in fieldwork are {which}. " if apart.any() else ""
    return (found if min(sizes.get(EARLY, 0), sizes.get(LATE, 0)) >= least else None), said


def _shown(extract: Extract, halves: pl.Series, least: int) -> list[str]:
    """Return the measures of which both halves may be shown beside all that was and will be."""
    own = replace(extract, frame=extract.frame.with_columns(halves.alias(HALF)))
    with warnings.catch_warnings():
        # That nothing can be shown is said by whoever asked.
        warnings.filterwarnings("ignore", "Beside what was shown", CultureMetricsWarning)
        cells = shown_cells(own, [HALF], minimum_base=least)
    seen = cells.filter(breakdown=HALF, status="reported").filter(pl.col("decimals").is_null())
    return seen.group_by("measure").len().filter(pl.col("len") == 2)["measure"].to_list()


def _compared(scores: pl.DataFrame, labels: Mapping[str, str], halves: pl.Series) -> pl.DataFrame:
    """Return both halves of each score, and Welch's interval of their difference."""
    own = scores.select(*(pl.col(name).cast(pl.Float64) for name in labels), late=halves == LATE)
    long = own.drop_nulls("late").unpivot(index="late", variable_name="measure", value_name="score")
    value = pl.col("score")
    each = long.group_by("measure", "late").agg(
        estimate=value.mean(),
        sd=value.std(),
        n=value.count(),
        se=value.std() / value.count().sqrt(),
        df=value.count() - 1.0,
    )
    pairs = pl.DataFrame({"measure": [*labels], "label": [*labels.values()]}, schema_overrides=_TEXTS)
    for is_late, end in ((False, "from"), (True, "to")):
        half = each.filter(late=is_late).drop("late")
        half = half.rename({name: f"{name}_{end}" for name in half.columns if name != "measure"})
        pairs = pairs.join(half, on="measure", how="left", maintain_order="left")
    pairs = pairs.with_columns(unit=pl.lit("score"), covariance=0.0, allowance=0.0, material=0.0)
    return add_differences(pairs).select(
        "measure", "label", pl.col("estimate_from").alias(EARLY), pl.col("estimate_to").alias(LATE),
        pl.col("difference").alias("estimate"), "std_error", "df", "conf_low", "conf_high",
        pl.col("n_from").fill_null(0).alias("base_early"), pl.col("n_to").fill_null(0).alias("base_late"),
    )  # fmt: skip
