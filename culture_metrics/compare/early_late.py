"""Those who answered early beside those who answered late: a rough look at who did not answer at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import least_base
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.dates import DAY, ROW
from culture_metrics.indicators.fieldwork import said_day, window
from culture_metrics.indicators.scoring import score
from culture_metrics.output import Output, verb
from culture_metrics.results.precision import t_quantile
from culture_metrics.wording.changes import amount
from culture_metrics.wording.numbers import in_sentence, shown

if TYPE_CHECKING:
    from datetime import date

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.fieldwork import Window

EARLY, LATE = "early", "late"


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
    table = pl.concat([_row(dated, name, label, late) for name, label in labels.items()]) if labels else None
    found = None if table is None else table.filter(pl.min_horizontal("base_early", "base_late") >= least)
    if found is None or found.is_empty():
        raise ExtractError(
            "Too few answers have a date within fieldwork to compare early with late ones",
            expected=f"at least {least} in each half",
            hint="Say when fieldwork began and ended, or name another column.",
        )
    headline = extract.edition.survey.defaults.headline
    spoken = headline if headline in found["measure"].to_list() else found["measure"][0]
    return EarlyAndLate(found, until, str(spoken))


def _row(dated: pl.DataFrame, name: str, label: str, late: pl.Expr) -> pl.DataFrame:
    """Return both halves of one score, and Welch's interval of their difference."""
    sides = {EARLY: pl.col(name).filter(~late), LATE: pl.col(name).filter(late)}
    each = {
        f"{what}_{side}": getattr(values, how)()
        for side, values in sides.items()
        for what, how in (("mean", "mean"), ("var", "var"), ("base", "count"))
    }
    row = dated.select(**each).row(0, named=True)
    gap = error = df = low = high = None
    if row["var_early"] is not None and row["var_late"] is not None:
        gap = row["mean_late"] - row["mean_early"]
        early, late_ = (row[f"var_{side}"] / row[f"base_{side}"] for side in sides)
        error = (early + late_) ** 0.5
        own = early**2 / (row["base_early"] - 1) + late_**2 / (row["base_late"] - 1)
        if own:
            df = error**4 / own
            reach = error * float(t_quantile(np.array([df]))[0])
            low, high = gap - reach, gap + reach
    numbers = {
        "early": row["mean_early"], "late": row["mean_late"], "estimate": gap, "std_error": error, "df": df,
        "conf_low": low, "conf_high": high,
    }  # fmt: skip
    bases = {f"base_{side}": row[f"base_{side}"] for side in sides}
    types = dict.fromkeys(numbers, pl.Float64) | dict.fromkeys(bases, pl.UInt32)
    return pl.DataFrame({"measure": name, "label": label, **numbers, **bases}, schema_overrides=types)
