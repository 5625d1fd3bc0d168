"""Bright spots: organisations, regions and systems whose figure is better than their profile predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.assumptions import Assumptions, assumed_of
from culture_metrics.compare.left_out import expit, leave_one_out
from culture_metrics.compare.profile import MIXES, Profile, profile_of
from culture_metrics.compare.sampling import ASSUMED, with_sampling_error
from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.multiplicity import adjust
from culture_metrics.output import Output, verb
from culture_metrics.results.precision import NORMAL
from culture_metrics.wording.numbers import DECIMALS, several, signed, together

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from culture_metrics.catalogue import Measure
    from culture_metrics.published.published import Published

    Floats = NDArray[np.float64]

LEVELS = ("organisation", "region", "ics")
#: Of what a spot is one, in sentences.
NOUNS = {"organisation": "organisation", "region": "region", "ics": "integrated care system"}
#: Fewest organisations beyond the number of coefficients.
SPARE = 20
#: So many are drawn at each end.
DRAWN = 10


@dataclass(frozen=True, repr=False, eq=False)
class BrightSpots(Output):
    """What is better, or worse, than its profile predicts.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation, region or system, the brightest first; `bright_spots` says what the columns
        are.
    measure, unit, direction, level, survey, period : str
        What was predicted, of whom.
    explained : float
        Share of the variance between organisations that profiles predict, each from all others (leave one
        out); below 0 where they predict less than the mean does, not a number where all have one figure.
    left_out : int
        Organisations without a figure or profile, or with a profile that no other shares.
    """

    table: pl.DataFrame
    measure: str
    unit: str
    direction: str
    level: str
    survey: str
    period: str
    explained: float
    left_out: int

    def figure(self) -> go.Figure:
        """Draw the brightest and the darkest, with 95 % intervals of what is beyond the prediction."""
        from culture_metrics import views

        known = self.table.drop_nulls("conf_low")
        place = pl.int_range(pl.len())
        rows = known.filter((place < DRAWN) | (place >= known.height - DRAWN))
        some = "" if rows.height == known.height else f"The first and the last {DRAWN} of {known.height}. "
        name = self._measure().label
        return views.estimates(
            rows.select(
                "label",
                pl.col("excess").alias("estimate"),
                "conf_low",
                "conf_high",
                pl.col("bright").alias("strong"),
                pl.lit("reported").alias("status"),
            ),
            axis="Beyond what the profile predicts, to the right is better"
            + (" (points)" if self.unit == "percent" else ""),
            decimals=DECIMALS[self.unit],
            title=f"{name}: {several(int(self.table['bright'].sum()), 'bright spot')} among "
            f"{several(self.table.height, NOUNS[self.level])}",
            subtitle=f"{catalogue(self.survey).label}, {self.period}. {some}Dark: bright spots. "
            "Whiskers: 95% interval",
            source="Published results",
        )

    def summary(self) -> str:
        """Name the bright spots."""
        spots = self.table.filter("bright")
        name = self._measure().label
        head = (
            f"{name}: {spots.height} of {several(self.table.height, NOUNS[self.level])} "
            f"{'is' if spots.height == 1 else 'are'} better than predicted from the profile, beyond chance"
        )
        if spots.is_empty():
            return f"{head}."
        named = together(
            f"{label} ({signed(excess, self.unit)})"
            for label, excess in spots.select("label", "excess").rows()
        )
        return f"{head}: {named}."

    def rules(self) -> tuple[str, ...]:
        """Say how predictions are made."""
        said = [
            "Predicted by a fractional logit, which stays on the scale, from benchmark group, size and the "
            "mix of occupations, ages and ethnic groups, each organisation from all others; a "
            "difference says nothing of why",
            ASSUMED,
        ]
        if self.left_out:
            said.append(f"{several(self.left_out, 'organisation')} without a figure or a comparable profile")
        return tuple(said)

    def _measure(self) -> Measure:
        return catalogue(self.survey).edition(self.period).measure(self.measure)


@verb
def bright_spots(
    published: Published,
    measure: str | None = None,
    *,
    level: str = "organisation",
    assumptions: Assumptions | None = None,
) -> BrightSpots:
    """Find who does better than their profile predicts: whom to learn from.

    Parameters
    ----------
    published : Published
        The official workbook of organisation results.
    measure : str, optional
        Id or official code; the score that sums the survey up when left out.
    level : {"organisation", "region", "ics"}
        Of whom. Regions and systems stand for the mean of their organisations, and region is no part of the
        profile.
    assumptions : Assumptions, optional
        Spread of scores among respondents, and how much weighting widens a variance.

    Returns
    -------
    BrightSpots
        `.table` has, the brightest first,

        label, organisation, name, benchmark_group, region, ics, base
            Who it is; of regions and systems `label` and `organisations` (how many).
        estimate, predicted, predicted_low, predicted_high, excess
            The figure, what the profile predicts from all other organisations (of organisations with its 95%
            interval), and the difference turned so that above 0 is better.
        std_error, conf_low, conf_high, p_value, p_adjusted
            Of the excess: sampling of the own figure (assumed for published ones) and of the prediction; of
            regions and systems from how much their organisations differ. Adjusted by Benjamini and Hochberg.
        unusual
            How many standard deviations of such differences it is from none; organisations only.
        bright
            Better beyond chance, all that were looked at allowed for (p_adjusted below 0.05); of
            organisations also among the best tenth of such differences (unusual above 1.28).

    Raises
    ------
    UnknownNameError
        When there is no such measure or level.
    ResultsError
        When the measure has no better side, or there are too few organisations to predict from.

    Notes
    -----
    A fractional logit (Papke and Wooldridge 1996) of where the figure lies on its scale: no prediction and no
    end of its interval leaves the scale, however near to its end the figures are. Each organisation is
    predicted by the fit without it. The interval of the excess joins that of the figure (Wilson's for
    percentages) and that of the prediction by Newcombe's way for differences; the p-value goes by the side of
    it that looks to no difference. Trusts differ for many reasons that no file names: a bright spot is where
    to ask, not proof of good practice.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> workbook = cm.read_published("organisational results 2024.xlsx")  # doctest: +SKIP
    >>> cm.compare.bright_spots(workbook, "raising_concerns", level="ics").table  # doctest: +SKIP
    """
    if level not in LEVELS:
        raise unknown("level", level, LEVELS, where="bright_spots")
    profile = profile_of(published, "bright_spots")
    edition = catalogue(published.survey).edition(published.period)
    found = edition.measure(measure or edition.headline)
    if found.direction == "neutral":
        raise ResultsError(f"{found.label} has no better side", where="bright_spots")
    whole = (pl.col("breakdown") == ALL) & (pl.col("group") == ALL) & (pl.col("period") == published.period)
    rows = with_sampling_error(
        published.results.table.filter(whole & (pl.col("measure") == found.id)),
        edition.survey,
        assumed_of(assumptions),
    ).select("organisation", "estimate", sampling="std_error", own_low="conf_low", own_high="conf_high")
    ends = (0.0, 100.0) if found.unit == "percent" else edition.survey.score_range
    about = profile.about.join(rows, on="organisation", how="left", maintain_order="left")
    design = _design(profile, regions=level == "organisation")
    there = about["estimate"].is_not_null().to_numpy()
    left, explained = _left_over(about, design, there, found, ends)
    width = ends[1] - ends[0]
    table = _organisations(left) if level == "organisation" else _places(left, level, width)
    return BrightSpots(
        table=table,
        measure=found.id,
        unit=str(found.unit),
        direction=found.direction,
        level=level,
        survey=published.survey,
        period=published.period,
        explained=explained,
        left_out=profile.left_out + about.height - left.height,
    )


def _design(profile: Profile, *, regions: bool) -> Floats:
    """Return the matrix of profiles: kinds as marks, size, and shares without their largest group."""
    about = profile.about
    columns = [np.ones(about.height), np.log(about["base"].to_numpy())]
    for kind in ("benchmark_group", *(["region"] if regions else [])):
        values = about[kind].fill_null("none").to_numpy()
        columns += [(values == one).astype(float) for one in sorted(set(values))[1:]]
    for name in MIXES:
        if name in profile.mixes:
            shares = profile.mixes[name]
            columns += list(np.delete(shares, shares.mean(axis=0).argmax(), axis=1).T)
    return np.column_stack(columns)


def _left_over(
    about: pl.DataFrame, design: Floats, there: NDArray[np.bool_], found: Measure, ends: tuple[float, float]
) -> tuple[pl.DataFrame, float]:
    """Return what is left over each organisation when all others predict it, and the share explained."""
    # A column that is the same for all who have a figure, or follows from others, tells nothing.
    basis, size, _ = np.linalg.svd(design[there], full_matrices=False)
    basis = basis[:, size > size.max() * 1e-10]
    n, k = basis.shape
    if n < k + SPARE:
        raise ResultsError(
            "Too few organisations to predict from",
            where="bright_spots",
            expected=f"{k + SPARE} with a figure, {SPARE} more than coefficients",
            got=f"{n}",
            hint="Take the official workbook of all organisations.",
        )
    low, width = ends[0], ends[1] - ends[0]
    whole = about.filter(pl.Series(there))
    told = leave_one_out((whole["estimate"].to_numpy() - low) / width, basis)
    kept = whole.filter(pl.Series(told.good))
    y = kept["estimate"].to_numpy()
    reach = [low + width * expit(told.logit + z * told.error) for z in (0.0, -NORMAL, NORMAL)]
    predicted, bottom, top = reach
    share = (predicted - low) / width
    slope = width * share * (1 - share)
    sign = -1.0 if found.direction == "lower" else 1.0
    excess = y - predicted
    # Newcombe's interval of a difference: each side from the figure's and the prediction's nearer end.
    own_low, own_high = kept["own_low"].to_numpy(), kept["own_high"].to_numpy()
    below = np.hypot(y - own_low, top - predicted)
    above = np.hypot(own_high - y, predicted - bottom)
    ends_of = (excess - below, excess + above)
    total = ((y - y.mean()) ** 2).sum()
    return (
        kept.with_columns(
            predicted=pl.Series(predicted),
            predicted_low=pl.Series(bottom),
            predicted_high=pl.Series(top),
            excess=pl.Series(sign * excess),
            std_error=pl.Series(np.hypot(kept["sampling"].to_numpy(), slope * told.error)),
            conf_low=pl.Series(np.minimum(sign * ends_of[0], sign * ends_of[1])),
            conf_high=pl.Series(np.maximum(sign * ends_of[0], sign * ends_of[1])),
            # The side of the interval that looks to no difference, so that both say the same.
            statistic=pl.Series(sign * NORMAL * excess / np.where(excess > 0, below, above)),
            unusual=pl.Series(
                sign * excess / (width * np.sqrt(told.scale * share * (1 - share) * (1 + told.lever)))
            ),
        ),
        float(1 - (excess**2).sum() / total) if total > 0 else math.nan,
    )


def _organisations(left: pl.DataFrame) -> pl.DataFrame:
    from scipy.special import ndtr, ndtri

    p = 2 * ndtr(-left["statistic"].abs().to_numpy())
    return (
        left.with_columns(
            p_value=pl.Series(p),
            p_adjusted=pl.Series(adjust(p)),
            label=pl.format("{} ({})", "name", "organisation"),
        )
        .with_columns(
            bright=(pl.col("excess") > 0) & (pl.col("p_adjusted") < 0.05) & (pl.col("unusual") > ndtri(0.9))
        )
        .sort("excess", "organisation", descending=[True, False])
        .select(
            "label", "organisation", "name", "benchmark_group", "region", "ics", "base", "estimate",
            "predicted", "predicted_low", "predicted_high", "excess", "std_error", "conf_low", "conf_high",
            "p_value", "p_adjusted", "unusual",
            "bright",
        )
    )  # fmt: skip


def _places(left: pl.DataFrame, level: str, width: float) -> pl.DataFrame:
    """Return the mean excess of the organisations of each region or system, with a t interval.

    No difference is larger than the scale is wide, and few organisations have wide intervals.
    """
    from scipy.special import stdtr, stdtrit

    means = (
        left.drop_nulls(level)
        .group_by(pl.col(level).alias("label"))
        .agg(
            pl.len().cast(pl.UInt32).alias("organisations"),
            pl.col("estimate", "predicted", "excess").mean(),
            (pl.col("excess").std() / pl.len().sqrt()).alias("std_error"),
        )
        .sort("label")
    )
    error, df = means["std_error"].to_numpy(), means["organisations"].to_numpy().astype(float) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        half = stdtrit(df, 0.975) * error
        p = 2 * stdtr(df, -np.abs(means["excess"].to_numpy() / error))
    known = np.isfinite(p)
    adjusted = np.full(len(p), np.nan)
    adjusted[known] = adjust(p[known])
    return (
        means.with_columns(
            conf_low=(pl.col("excess") - pl.Series(half)).clip(lower_bound=-width),
            conf_high=(pl.col("excess") + pl.Series(half)).clip(upper_bound=width),
            p_value=pl.Series(p),
            p_adjusted=pl.Series(adjusted),
        )
        .with_columns(pl.col("conf_low", "conf_high", "p_value", "p_adjusted").fill_nan(None))
        .with_columns(bright=((pl.col("excess") > 0) & (pl.col("p_adjusted") < 0.05)).fill_null(value=False))
        .sort("excess", "label", descending=[True, False])
    )
