"""A panel of organisations and years with planted links to outcomes, between and within organisations."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from scipy.special import expit, logit

from culture_metrics.errors import CultureMetricsError
from culture_metrics.synthetic import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Planted(NamedTuple):
    """How an outcome follows from the organisation: on its link, level + size times (slopes + effects)."""

    link: str
    level: float
    size: float
    organisation: float
    year: float


#: Size is relative to the logarithm of SHMI; the spreads are those of the effects of organisation and year.
OUTCOMES = MappingProxyType(
    {
        "shmi": Planted("log", 0.0, 1, 0.08, 0.04),
        "inpatient_survey": Planted("identity", 8.1, -6, 0.04, 0.02),
        "cqc_rating": Planted("logit", 0.0, -20, 0.0, 0.0),
        "sickness_absence": Planted("logit", float(logit(0.052)), 2, 0.05, 0.03),
        "leavers": Planted("logit", float(logit(0.11)), 3, 0.05, 0.03),
        "agency_spend": Planted("log", float(np.log(12e6)), 4, 0.06, 0.03),
        "financial_position": Planted("identity", -1.0, -20, 0.08, 0.05),
        "mrsa": Planted("log", float(np.log(1.2)), 4, 0.06, 0.0),
        "c_difficile": Planted("log", float(np.log(20.0)), 3, 0.08, 0.04),
        "four_hour_wait": Planted("logit", float(logit(0.78)), -6, 0.06, 0.02),
        "recommend_for_treatment": Planted("logit", float(logit(0.65)), -8, 0.03, 0.01),
        "joiners": Planted("logit", float(logit(0.13)), -1, 0.05, 0.03),
        "cancer_62_days": Planted("logit", float(logit(0.7)), -4, 0.06, 0.02),
        "referral_to_treatment": Planted("logit", float(logit(0.6)), -4, 0.06, 0.02),
    }
)
RATINGS = ("Inadequate", "Requires improvement", "Good", "Outstanding")
#: Log-odds at which the ratings meet, at an organisation of average engagement.
RATING_CUTS = (-3.2, -0.3, 2.6)
#: Staff engagement: mean, standard deviation between organisations and within one over the years.
ENGAGEMENT = (6.9, 0.25, 0.12)
#: Correlation of morale with engagement, between organisations and within; morale has no link of its own.
MORALE = (0.8, 0.6)


def outcome_panel(
    organisations: int = 140,
    years: Sequence[int] = (2018, 2019, 2020, 2021, 2022, 2023),
    *,
    between: float = -0.15,
    within: float = 0.0,
    seed: int = 1,
) -> pl.DataFrame:
    """Make a panel in which the links of staff engagement to every outcome are known.

    Parameters
    ----------
    organisations : int
        How many organisations (`SYN001`, `SYN002`, ...).
    years : sequence of int
        Years of the panel, one row each per organisation.
    between, within : float
        Difference in the logarithm of SHMI that goes with one point of staff engagement: between
        organisations (their means over the years), and from year to year within one. The other outcomes get
        a multiple on their own link, as `outcome_slopes` lists it.
    seed : int
        The same seed gives the same panel.

    Returns
    -------
    polars.DataFrame
        One row per organisation and year: `organisation, year, benchmark_group, region, beds`; indicators
        `staff_engagement`, `morale` (0-10) with `staff_engagement_base`, `morale_base` (respondents); the
        outcomes `shmi` (`deaths` / `expected_deaths`), `inpatient_survey` (0-10), `cqc_rating` (Enum, worst
        first), `sickness_absence` (fraction of `fte_days`), `leavers` (fraction of `headcount`),
        `agency_spend` (£), `financial_position` (% of income), `mrsa` and `c_difficile` (cases in
        `bed_days`), `four_hour_wait` (fraction of `attendances` within four hours),
        `recommend_for_treatment` (fraction of `recommend_for_treatment_base`, from the same survey),
        `joiners` (fraction of `headcount`), `cancer_62_days` (fraction of `treated`),
        `referral_to_treatment` (fraction of `pathways`).

    Raises
    ------
    CultureMetricsError
        When there are fewer than two organisations, or years stand twice.

    Notes
    -----
    Morale goes with engagement but has no link of its own. All organisations are acute: one benchmark group.

    Examples
    --------
    >>> outcome_panel(organisations=50, years=[2022, 2023]).height
    100
    """
    if organisations < 2 or len(set(years)) != len(years) or not years:
        raise CultureMetricsError(
            "A panel needs two or more organisations and every year once",
            got=f"{organisations} organisations, years {list(years)}",
        )
    rng = np.random.default_rng(seed)
    shape = (organisations, len(years))
    mean, spread, wobble = ENGAGEMENT
    level = spread * rng.standard_normal((organisations, 1))
    # Deviations sum to zero in each organisation, so that its mean over the years is its level.
    change = wobble * rng.standard_normal(shape) + 0.05 * rng.standard_normal(len(years))
    change -= change.mean(axis=1, keepdims=True)
    morale_level = spread * _correlated(rng, level / spread, MORALE[0])
    morale_change = wobble * _correlated(rng, change / wobble, MORALE[1])

    def predictor(name: str) -> Floats:
        plan = OUTCOMES[name]
        effects = plan.organisation * rng.standard_normal((organisations, 1))
        effects = effects + plan.year * rng.standard_normal(shape) + 0.01 * rng.standard_normal(len(years))
        found: Floats = plan.level + plan.size * (between * level + within * change + effects)
        return found

    beds = np.exp(rng.normal(np.log(650), 0.45, (organisations, 1))).round().clip(150, 2500)
    size = beds * rng.uniform(0.97, 1.03, shape)
    headcount, bed_days = (size * 9).round(), (size * 330).round()
    attendances, respondents = (size * 200).round(), (headcount * rng.uniform(0.35, 0.6, shape)).round()
    expected = (size * 2.4).round(1)
    deaths = rng.poisson(expected * np.exp(predictor("shmi")))
    rating = (predictor("cqc_rating") + rng.logistic(size=shape))[..., None] > np.array(RATING_CUTS)
    columns = {
        "beds": np.broadcast_to(beds, shape).astype(np.int64),
        "staff_engagement": mean + level + change,
        "morale": mean - 1 + morale_level + morale_change,
        "staff_engagement_base": respondents.astype(np.int64),
        "morale_base": respondents.astype(np.int64),
        "shmi": deaths / expected,
        "deaths": deaths,
        "expected_deaths": expected,
        "inpatient_survey": predictor("inpatient_survey"),
        "cqc_rating": np.array(RATINGS)[rating.sum(axis=2)],
        "sickness_absence": expit(predictor("sickness_absence")),
        "fte_days": headcount * 0.88 * 365,
        "leavers": rng.binomial(headcount.astype(int), expit(predictor("leavers"))) / headcount,
        "headcount": headcount.astype(np.int64),
        "agency_spend": size / 650 * np.exp(predictor("agency_spend")),
        "financial_position": predictor("financial_position"),
        "mrsa": rng.poisson(bed_days / 1e5 * np.exp(predictor("mrsa"))),
        "c_difficile": rng.poisson(bed_days / 1e5 * np.exp(predictor("c_difficile"))),
        "bed_days": bed_days.astype(np.int64),
        "four_hour_wait": rng.binomial(attendances.astype(int), expit(predictor("four_hour_wait")))
        / attendances,
        "attendances": attendances.astype(np.int64),
        "recommend_for_treatment": rng.binomial(
            respondents.astype(int), expit(predictor("recommend_for_treatment"))
        )
        / respondents,
        "recommend_for_treatment_base": respondents.astype(np.int64),
    }
    # Drawn last, so that a seed still gives the columns above.
    for name, below, trials in (
        ("joiners", "headcount", headcount),
        ("cancer_62_days", "treated", (size * 1.5).round()),
        ("referral_to_treatment", "pathways", (size * 30).round()),
    ):
        columns[name] = rng.binomial(trials.astype(int), expit(predictor(name))) / trials
        columns[below] = trials.astype(np.int64)
    number = np.repeat(np.arange(organisations), len(years))
    return pl.DataFrame(
        {"number": number, "year": np.tile(np.array(years, dtype=np.int32), organisations)}
        | {name: values.ravel() for name, values in columns.items()}
    ).select(
        pl.format("SYN{}", (pl.col("number") + 1).cast(pl.String).str.zfill(3)).alias("organisation"),
        "year",
        pl.lit(places.KINDS["A"][0]).alias("benchmark_group"),
        (pl.col("number") % len(places.REGIONS))
        .replace_strict(dict(enumerate(places.REGIONS)))
        .alias("region"),
        *(name for name in columns if name != "cqc_rating"),
        pl.col("cqc_rating").cast(pl.Enum(RATINGS)),
    )


def outcome_slopes(between: float = -0.15, within: float = 0.0) -> pl.DataFrame:
    """List the slopes that `outcome_panel` plants for one point of staff engagement.

    Parameters
    ----------
    between, within : float
        As given to `outcome_panel`.

    Returns
    -------
    polars.DataFrame
        `outcome`; `link` (`identity`, `log`, `logit`: the scale of the slopes); `between`, `within`.

    Examples
    --------
    >>> outcome_slopes(between=-0.1).filter(outcome="leavers")["between"].item()
    -0.3
    """
    rows = [(name, plan.link, plan.size * between, plan.size * within) for name, plan in OUTCOMES.items()]
    return pl.DataFrame(rows, schema=["outcome", "link", "between", "within"], orient="row").with_columns(
        pl.col("between", "within").round(12) + 0.0
    )


def _correlated(rng: np.random.Generator, values: Floats, correlation: float) -> Floats:
    """Draw values of the same spread that correlate with `values`."""
    noise = rng.standard_normal(values.shape)
    found: Floats = correlation * values + np.sqrt(1 - correlation**2) * noise
    return found
