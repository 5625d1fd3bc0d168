"""Moderation: how the slope of an indicator differs with one or two other measures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError, unknown
from culture_metrics.links.output import link_verb
from culture_metrics.links.pooled_data import CAVEAT, pooled_data, sampled
from culture_metrics.links.product_model import corners, fitted_lines, product_model, slope, tested
from culture_metrics.links.titles import heading, inside, title_of
from culture_metrics.models.designs.design import UNORDERED
from culture_metrics.models.plan import FEWEST_IN_LEVEL
from culture_metrics.multiplicity import adjust
from culture_metrics.output import Output
from culture_metrics.wording.numbers import estimated, p_said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.outcomes.outcome import Outcome
    from culture_metrics.outcomes.panel import Panel


@dataclass(frozen=True)
class Moderation(Output):
    """Slopes of an indicator at values of one or two moderators.

    Attributes
    ----------
    table : polars.DataFrame
        Coefficients of the indicator, the moderators and their products.
    slopes : polars.DataFrame
        The indicator's slope at each value of the moderators.
    differences : polars.DataFrame
        Tests of every pair of those slopes.
    lines : polars.DataFrame
        Fitted lines on the scale of the outcome.
    """

    table: pl.DataFrame
    slopes: pl.DataFrame
    differences: pl.DataFrame
    lines: pl.DataFrame
    indicator: str
    moderators: tuple[str, ...]
    outcome: Outcome
    link: str
    sample: str
    level: float

    def figure(self) -> go.Figure:
        """Draw the fitted lines at each value of the moderators, with their intervals."""
        from culture_metrics import views

        times = 100 if self.link == "logit" and not self.outcome.percent else 1
        return views.lines(
            self.lines.with_columns(pl.col("estimate", "conf_low", "conf_high") * times),
            x_title=heading(f"{title_of(self.indicator)} (SD from the mean)"),
            y_title=f"{self.outcome.title}{f' ({self._unit()})' if self._unit() else ''}",
            title=f"The {self._finding()}",
            subtitle=f"{heading(self._product())}. Fitted lines, all else at its mean; {self.sample}",
            notes=CAVEAT,
            level=self.level,
        )

    def summary(self) -> str:
        """Say in plain sentences how the slope differs."""
        last = self.table.row(-1, named=True)
        scale = "" if self.link == "identity" else f" on the {self.link} scale"
        said = [f"The {self._finding(f' (per 1 SD{scale})')} ({self._product()}, {p_said(last['p_value'])})."]
        said += [
            "At {} it is {} ({}).".format(row["label"], *self._size(row)) for row in self.slopes.to_dicts()
        ]
        clear = self.differences.filter(pl.col("p_adjusted") < 0.05)
        if len(self.moderators) == 2:
            said.append(
                f"{clear.height} of {self.differences.height} pairs of slopes differ (Holm, 5% level)."
            )
        return " ".join([*said, f"{self.sample}. {CAVEAT}"])

    def _product(self) -> str:
        """Say how much the slope differs per SD of the moderators, with its interval."""
        last = self.table.row(-1, named=True)
        said, interval = self._size(last)
        by = " and ".join(title_of(m) for m in self.moderators)
        return f"difference in slope per SD of {by} {said}, {100 * self.level:g}% interval {interval}"

    def _size(self, row: Mapping[str, float]) -> tuple[str, str]:
        """Return a slope and its interval as text, those of least squares in the outcome's unit."""
        factor, unit = self.outcome.said_in if self.link == "identity" else (1.0, "")
        said, interval = estimated(
            *(factor * row[name] for name in ("estimate", "conf_low", "conf_high")), plus=True
        )
        return f"{said}{unit}", interval

    def _unit(self) -> str:
        """Return what the fitted lines are counted in."""
        if self.link == "logit":
            return "%"
        exposure = f" per 1 of {title_of(self.outcome.exposure)}" if self.outcome.exposure else ""
        return f"{self.outcome.unit}{exposure}"

    def _finding(self, per: str = "") -> str:
        """Say whether the slope differs with the moderators: with two, with both together."""
        by = " and ".join(title_of(m) for m in self.moderators)
        differs = "differs" if self.table["p_value"][-1] < 0.05 else "is not shown to differ"
        return f"slope of {inside(self.outcome.title)} on {title_of(self.indicator)}{per} {differs} with {by}"

    def __repr__(self) -> str:
        said = f"The {self._finding()}; {self._product()}; {self.sample}"
        return f"Moderation({said}. See .table, .slopes, .differences, .lines and .summary())"


@link_verb
def moderate(  # noqa: PLR0913
    data: Panel | pl.DataFrame | pl.LazyFrame,
    indicator: str,
    moderators: str | Sequence[str],
    outcome: Outcome | str,
    *,
    at: Mapping[str, Sequence[float]] | None = None,
    controls: str | Sequence[str] = (),
    organisation: str = "organisation",
    year: str = "year",
    year_effects: bool = True,
    min_level_orgs: int = FEWEST_IN_LEVEL,
    conf_level: float = 0.95,
) -> Moderation:
    """Tell how the slope of an indicator differs with one or two other measures.

    Parameters
    ----------
    data : Panel, polars.DataFrame or polars.LazyFrame
        What `panel` or `read_panel` returned, or a table of one row per organisation and year.
    indicator : str
        Number column, taken in standard deviations from its mean.
    moderators : str or sequence of str
        One or two number columns, taken likewise.
    outcome : Outcome or str
        Of kind continuous, ratio, money, proportion, rate, count or binary.
    at : mapping, optional
        For a moderator, the values at which to take slopes, in its own unit (0 and 1 of a yes/no column).
        Left out: the mean and 1 SD below and above it for one moderator, 1 SD below and above for two.
    controls : str or sequence of str
        Further columns, text as categories.
    organisation, year : str
        Key columns.
    year_effects : bool
        Whether every year has its own level.
    min_level_orgs : int
        Organisations that a level of a categorical control needs; rows of levels with fewer are left out, and
        the result counts them. 1 keeps all.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    Moderation
        `.table`: `term, estimate, std_error, statistic, df, p_value, conf_low, conf_high`, per SD, the
        product of all last. `.slopes`: `label, place_1` (SD of the first moderator), `value_1` (its own unit)
        and so on, and the same statistics. `.differences`: `first, second`, the same statistics and
        `p_adjusted` (Holm).
        `.lines`: `line, x` (SD), `estimate, conf_low, conf_high` on the scale of the outcome (counts
        per unit of exposure). Estimates are
        on the link scale of the kind (logit of proportions, rates and yes/no, log of counts). Clustered by
        organisation where years repeat.

    Raises
    ------
    LinkError
        With none or more than two moderators, an outcome of another kind, or data that cannot carry the
        model.
    UnknownNameError
        When `at` names a column that is no moderator.

    Notes
    -----
    The slope at moderator values is h'b with standard error √(h'Vh), V robust (Aiken and West 1991); slope
    differences of two moderators as Dawson and Richter (2006) with t on clusters less one.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> panel = cm.synthetic.outcome_panel(organisations=60)
    >>> cm.links.moderate(panel, "staff_engagement", "beds", "inpatient_survey").slopes.height
    3
    """
    names = (moderators,) if isinstance(moderators, str) else tuple(moderators)
    if len(names) not in (1, 2):
        raise LinkError("Moderation takes one or two moderators", got=f"{len(names)}")
    for name in at or {}:
        if name not in names:
            raise unknown("moderator", name, names)
    matrix, plan = pooled_data(
        data, outcome, [indicator, *names], controls=controls,
        year_effects=year_effects, min_level_orgs=min_level_orgs, what="Moderation", kinds=UNORDERED,
    )  # fmt: skip
    model = product_model(matrix, plan)
    places = corners(matrix, names, at or {})
    h = np.array([slope(model, corner) for corner in places])
    pairs = list(combinations(range(len(places)), 2)) if len(names) == 2 else []
    gaps = np.array([h[i] - h[j] for i, j in pairs]).reshape(len(pairs), h.shape[1])
    compared = tested(model, gaps, conf_level)
    named = [title_of(name) for name in (indicator, *names)]
    labels = [corner.label for corner in places]
    return Moderation(
        table=pl.DataFrame(
            {
                "term": [" by ".join(named[i] for i in term) for term in model.terms],
                **tested(model, np.eye(h.shape[1])[list(model.terms.values())], conf_level),
            }
        ),
        slopes=pl.DataFrame(
            {
                "label": labels,
                **{f"place_{i + 1}": [corner.places[i] for corner in places] for i in range(len(names))},
                **{f"value_{i + 1}": [corner.values[i] for corner in places] for i in range(len(names))},
                **tested(model, h, conf_level),
            }
        ),
        differences=pl.DataFrame(
            {
                "first": pl.Series([labels[i] for i, _ in pairs], dtype=pl.String),
                "second": pl.Series([labels[j] for _, j in pairs], dtype=pl.String),
                **compared,
                "p_adjusted": pl.Series(adjust(compared["p_value"].tolist(), "holm"), dtype=pl.Float64),
            }
        ),
        lines=fitted_lines(model, places, conf_level, times=100 if plan.values.outcome.percent else 1),
        indicator=indicator,
        moderators=names,
        outcome=plan.values.outcome,
        link=model.link,
        sample=sampled(matrix),
        level=conf_level,
    )
