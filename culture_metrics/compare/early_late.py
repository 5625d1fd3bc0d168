"""Those who answered early beside those who answered late: a rough look at who did not answer at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import least_base
from culture_metrics.compare.difference import add_differences
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.dates import DAY, ROW
from culture_metrics.indicators.fieldwork import said_day, window
from culture_metrics.indicators.scoring import score
from culture_metrics.output import Output, verb
from culture_metrics.wording.changes import amount
from culture_metrics.wording.numbers import in_sentence, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.fieldwork import Window

EARLY, LATE = "early", "late"
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
    """

    table: pl.DataFrame
    until: date
    measure: str

    def rules(self) -> tuple[str, ...]:
        """Say what is compared, and what that may be taken for."""
        return (
            f"Early is up to {said_day(self.until)}, by when half of the answers with a date were in. "
            "Welch's interval, unweighted.",
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
        First and last day; answers outside are in neither half.

    Returns
    -------
    EarlyAndLate
        `.table` has the leading scores of both halves and their difference with its interval.

    Raises
    ------
    ExtractError
        When the extract has no dates of response, or too few.

    Notes
    -----
    The halves are of the whole; of groups they would be small. The interval is of each score by itself.

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
    first, last = window(extract.period, fieldwork)
    dated = (
        score(extract)
        .with_columns(extract.frame[ROW])
        .join(extract.dates.table, on=ROW)
        .filter(pl.col(DAY).is_between(first, last))
    )
    days = dated[DAY].value_counts(name="n").sort(DAY).with_columns(pl.col("n").cum_sum())
    until = next((day for day, n in days.iter_rows() if n * 2 >= dated.height), first)
    late = pl.col(DAY) > until
    labels = {m.id: m.label for m in extract.edition.leading.values() if m.id in dated.columns}
    found = _halves(dated, labels, late).filter(pl.min_horizontal("base_early", "base_late") >= least)
    if found.is_empty():
        raise ExtractError(
            "Too few answers have a date within fieldwork to compare early with late ones",
            expected=f"at least {least} in each half",
            hint="Say when fieldwork began and ended, or name another column.",
        )
    headline = extract.edition.survey.defaults.headline
    spoken = headline if headline in found["measure"].to_list() else found["measure"][0]
    return EarlyAndLate(found, until, str(spoken))


def _halves(dated: pl.DataFrame, labels: Mapping[str, str], late: pl.Expr) -> pl.DataFrame:
    """Return both halves of each score, and Welch's interval of their difference."""
    long = dated.select(*(pl.col(name).cast(pl.Float64) for name in labels), late.alias("late")).unpivot(
        index="late", variable_name="measure", value_name="score"
    )
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
