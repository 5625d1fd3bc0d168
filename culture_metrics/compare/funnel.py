"""Funnel limits: how far organisations of one size scatter by chance, and beyond it all together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import ResultsError
from culture_metrics.output import Output
from culture_metrics.results.precision import NORMAL
from culture_metrics.wording.numbers import DECIMALS, number, several, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Points of the normal distribution of the inner (95 %) and the outer (99.8 %) limits.
INNER, OUTER = NORMAL, 3.090232306167813
#: Share of z-scores drawn in at each end before the over-dispersion is worked out.
WINSORISED = 0.1
#: Fewest organisations of which an over-dispersion is worked out.
FEWEST = 5


@dataclass(frozen=True)
class Dispersion:
    """Target of a funnel and how far organisations scatter round it.

    Attributes
    ----------
    target : float
        Mean over organisations, by the bases they are worth.
    phi : float
        Mean square of the winsorised z-scores; about 1 where there is nothing but sampling.
    between : float
        Standard deviation between organisations that is left over sampling (τ); 0 where there is none.
    """

    target: float
    phi: float
    between: float


def dispersion(values: Floats, worth: Floats, spread: float | None) -> Dispersion:
    """Work out the target and the over-dispersion of a funnel.

    Parameters
    ----------
    values, worth : array of float
        Figures, and the bases they are worth after weighting.
    spread : float, optional
        Standard deviation among respondents; None for percentages, whose spread follows from the target.

    Returns
    -------
    Dispersion
        With `between` 0 where there are fewer than five organisations, or no more scatter than sampling
        gives.

    Notes
    -----
    z-scores under the target are winsorised at the 10th and 90th centile (of type 7), φ is the mean of their
    squares. Where I·φ > I - 1, τ² = (I·φ - (I - 1)) / (Σw - Σw² / Σw) with w = 1 / s² (Spiegelhalter 2005,
    section 5; DerSimonian & Laird 1986), and limits are target ± z·√(s² + τ²).

    References
    ----------
    Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202; Spiegelhalter (2005), Quality and Safety in
    Health Care 14, 347-351.

    Examples
    --------
    >>> dispersion(np.array([7.0, 7.0]), np.array([100.0, 300.0]), 1.6).target
    7.0
    """
    target = float((worth * values).sum() / worth.sum())
    errors = sampling(target, worth, spread)
    if len(values) < FEWEST or not (errors > 0).all():
        return Dispersion(target, math.nan, 0.0)
    z = (values - target) / errors
    drawn_in = np.clip(z, *np.quantile(z, [WINSORISED, 1 - WINSORISED]))
    phi, n, weight = float((drawn_in**2).mean()), len(z), 1 / errors**2
    over = n * phi - (n - 1)
    between = over / (weight.sum() - (weight**2).sum() / weight.sum()) if over > 0 else 0.0
    return Dispersion(target, phi, math.sqrt(between))


def sampling(target: float, worth: Floats, spread: float | None) -> Floats:
    """Return standard errors under the target; a percentage has that of the target's share."""
    sd = 100 * math.sqrt(target / 100 * (1 - target / 100)) if spread is None else spread
    return np.asarray(sd / np.sqrt(worth))


def limits(
    found: Dispersion, worth: Floats, spread: float | None, reach: tuple[float, float]
) -> pl.DataFrame:
    """Return the limits for organisations of given worth: `low_95, high_95, low_998, high_998`.

    They end where the scale (`reach`) ends.
    """
    width = np.sqrt(sampling(found.target, worth, spread) ** 2 + found.between**2)
    ends = {"low_95": -INNER, "high_95": INNER, "low_998": -OUTER, "high_998": OUTER}
    return pl.DataFrame({name: np.clip(found.target + z * width, *reach) for name, z in ends.items()})


@dataclass(frozen=True, repr=False, eq=False)
class Funnel(Output):
    """One measure of every organisation against limits that widen as bases shrink.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation with a figure: `organisation, name, estimate, base, worth` (base after
        weighting), `std_error` (under the target), `z_score` (over-dispersion in it), `low_95, high_95,
        low_998, high_998`, `place` (`above`, `below` the 99.8 % limits, `above_95`, `below_95`, `inside`).
    dispersion : Dispersion
        Target, φ and τ.
    about : mapping
        What titles say: `label, unit, direction, group, subtitle, source`, `spread`, `reach`, `left_out`.
    organisation : str
        ODS code of the one that is picked out.
    """

    table: pl.DataFrame
    dispersion: Dispersion
    about: Mapping[str, object]
    organisation: str

    def figure(self) -> go.Figure:
        """Draw the funnel, with the organisation picked out and those beyond the outer limits named."""
        from culture_metrics import views

        unit, reach = str(self.about["unit"]), self.about["reach"]
        spread = self.about["spread"]
        smallest, largest = self.table["worth"].min(), self.table["worth"].max()
        worth = np.unique(np.geomspace(smallest, largest, 80))  # type: ignore[arg-type]
        curve = limits(self.dispersion, worth, spread, reach)  # type: ignore[arg-type]
        # Bases are what people know; the weighting makes them worth less by one factor.
        each = float((self.table["base"] / self.table["worth"]).median())  # type: ignore[arg-type]
        return views.funnel(
            self.table,
            curve.with_columns(base=pl.Series(worth * each), target=pl.lit(self.dispersion.target)),
            highlight=self.organisation,
            unit=unit,
            title=self._title(),
            subtitle=str(self.about["subtitle"]),
            source=str(self.about["source"]),
            notes=self._notes(),
        )

    def summary(self) -> str:
        """Say how many organisations lie beyond the limits, and where the one picked out lies."""
        return f"{self._title()}. {self._notes()}"

    def rules(self) -> tuple[str, ...]:
        """Say how the limits were made."""
        if math.isnan(self.dispersion.phi):
            return (f"Funnel limits at 95 and 99.8 % of sampling alone: {self._why_narrow()}",)
        return (
            "Funnel limits at 95 and 99.8 %, widened for over-dispersion: winsorised z-scores (10 %), "
            f"φ {self.dispersion.phi:.3g}, additive τ {self.dispersion.between:.3g} (Spiegelhalter 2005)",
        )

    def _why_narrow(self) -> str:
        """Say why the limits do not allow for over-dispersion."""
        if self.table.height < FEWEST:
            return (
                f"{several(self.table.height, 'organisation')} cannot tell how far organisations differ "
                f"beyond sampling, which takes {FEWEST} or more"
            )
        return "the mean lies at the end of the scale, where sampling has no spread"

    def _title(self) -> str:
        where = {
            "above": "above the outer limit", "below": "below the outer limit",
            "above_95": "between the limits above", "below_95": "between the limits below",
            "inside": "inside the limits",
        }  # fmt: skip
        own = self.table.filter(organisation=self.organisation)
        if own.is_empty():
            return f"{self.about['label']}: {self.organisation} has no figure that counts"
        row = own.row(0, named=True)
        if self.table.height == 1:
            return f"{self.about['label']}: {row['name']} is the only one of {self.about['group']}"
        return f"{self.about['label']}: {row['name']} lies {where[row['place']]}"

    def _notes(self) -> str:
        unit = str(self.about["unit"])
        if self.table.height == 1:
            return "Nobody to scatter with: the limits are those of its own figure."
        beyond = {p: self.table.filter(place=p).height for p in ("above", "below")}
        said = [
            f"{beyond['above']} of {several(self.table.height, 'organisation')} above and {beyond['below']} "
            "below the outer limits (99.8%).",
        ]
        if math.isnan(self.dispersion.phi):
            why = self._why_narrow()
            said.append(f"{why[:1].upper()}{why[1:]}: the limits are those of sampling alone.")
        if self.dispersion.between > 0:
            said.append(
                f"Organisations differ by more than sampling: standard deviation "
                f"{number(self.dispersion.between, DECIMALS[unit])}, allowed for in the limits."
            )
        said.append(f"Mean of the group {shown(self.dispersion.target, unit)}.")
        if left := self.about["left_out"]:
            said.append(f"{several(int(left), 'organisation')} without a figure that counts.")  # type: ignore[call-overload]
        return " ".join(said)


def funnel_of(
    rows: pl.DataFrame, organisation: str, about: Mapping[str, object], spread: float | None
) -> Funnel:
    """Set the organisations of one measure against funnel limits.

    Parameters
    ----------
    rows : polars.DataFrame
        `organisation, name, estimate, base, worth` of those that count.
    organisation : str
        The one to pick out.
    about : mapping
        See `Funnel`.
    spread : float, optional
        As in `dispersion`.

    Raises
    ------
    ResultsError
        When no organisation has a figure.
    """
    rows = rows.drop_nulls(["estimate", "worth"]).filter(pl.col("worth") > 0)
    if rows.is_empty():
        raise ResultsError(f"No organisation has a figure of {str(about['label']).lower()} to show")
    values, worth = rows["estimate"].to_numpy(), rows["worth"].to_numpy()
    found = dispersion(values, worth, spread)
    errors = sampling(found.target, worth, spread)
    ends = limits(found, worth, spread, about["reach"])  # type: ignore[arg-type]
    value = pl.col("estimate")
    table = pl.concat([rows, ends], how="horizontal").with_columns(
        std_error=pl.Series(errors),
        z_score=(value - found.target) / pl.Series(np.sqrt(errors**2 + found.between**2)),
    )
    place = (
        pl.when(value > pl.col("high_998")).then(pl.lit("above"))
        .when(value < pl.col("low_998")).then(pl.lit("below"))
        .when(value > pl.col("high_95")).then(pl.lit("above_95"))
        .when(value < pl.col("low_95")).then(pl.lit("below_95"))
        .otherwise(pl.lit("inside"))
    )  # fmt: skip
    columns = ["organisation", "name", "estimate", "base", "worth", "std_error", "z_score", *ends.columns]
    return Funnel(
        table=table.select(*columns, place.alias("place")),
        dispersion=found,
        about={**about, "spread": spread},
        organisation=organisation,
    )
