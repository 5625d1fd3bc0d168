"""Moderation: how the slope of an indicator differs with one or two other measures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError, unknown
from culture_metrics.links.fit import fit_matrix
from culture_metrics.links.intervals import t_statistics
from culture_metrics.links.plan import LINEAR_KINDS
from culture_metrics.links.pooled_data import CAVEAT, as_outcome, heading, pooled_data, sampled, title_of
from culture_metrics.links.titles import inside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.links.design_matrix import DesignMatrix
    from culture_metrics.links.outcome import Outcome
    from culture_metrics.links.plan import Plan
    from culture_metrics.links.solution import Array

KINDS = (*LINEAR_KINDS, "proportion", "rate", "count", "binary")
#: Where slopes are taken when nothing is said, in SD of the moderator.
ONE, TWO = (-1.0, 0.0, 1.0), (-1.0, 1.0)
#: How far the drawn lines reach, in SD of the indicator, and how many points they have.
REACH, POINTS = 2.0, 41


class _Corner(NamedTuple):
    """Values of the moderators: their place in SD, their own value, and words."""

    places: tuple[float, ...]
    values: tuple[float, ...]
    label: str


@dataclass(frozen=True)
class Moderation:
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

    def figure(self) -> go.Figure:
        """Draw the fitted lines at each value of the moderators, with their intervals."""
        from culture_metrics import views

        return views.lines(
            self.lines,
            x_title=heading(f"{title_of(self.indicator)} (SD from the mean)"),
            y_title=f"{self.outcome.title}{f' ({self.outcome.unit})' if self.outcome.unit else ''}",
            title=f"The {self._finding()}",
            subtitle=f"Fitted lines, all else at its mean; {self.sample}",
            notes=CAVEAT,
        )

    def summary(self) -> str:
        """Say in plain sentences how the slope differs."""
        last = self.table.row(-1, named=True)
        scale = "" if self.link == "identity" else f" on the {self.link} scale"
        said = [
            f"The {self._finding(f' (per 1 SD{scale})')} (product {last['estimate']:+.3g}, 95% interval "
            f"{last['conf_low']:+.3g} to {last['conf_high']:+.3g}, p {last['p_value']:.3f})."
        ]
        said += [
            f"At {row['label']} it is {row['estimate']:+.3g} ({row['conf_low']:+.3g} to "
            f"{row['conf_high']:+.3g})."
            for row in self.slopes.to_dicts()
        ]
        clear = self.differences.filter(pl.col("p_adjusted") < 0.05)
        if len(self.moderators) == 2:
            said.append(
                f"{clear.height} of {self.differences.height} pairs of slopes differ (Holm, 5% level)."
            )
        return " ".join([*said, f"{self.sample}. {CAVEAT}"])

    def _finding(self, per: str = "") -> str:
        """Say whether the slope differs with the moderators: with two, with both together."""
        by = " and ".join(title_of(m) for m in self.moderators)
        differs = "differs" if self.table["p_value"][-1] < 0.05 else "is not shown to differ"
        return f"slope of {inside(self.outcome.title)} on {title_of(self.indicator)}{per} {differs} with {by}"

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>"


def moderate(  # noqa: PLR0913
    data: pl.DataFrame | pl.LazyFrame,
    indicator: str,
    moderators: str | Sequence[str],
    outcome: Outcome | str,
    *,
    at: Mapping[str, Sequence[float]] | None = None,
    controls: Sequence[str] = (),
    organisation: str = "organisation",
    year: str = "year",
    year_effects: bool = True,
    ci: float = 0.95,
) -> Moderation:
    """Tell how the slope of an indicator differs with one or two other measures.

    Parameters
    ----------
    data : polars.DataFrame or polars.LazyFrame
        One row per organisation and year.
    indicator : str
        Number column, taken in standard deviations from its mean.
    moderators : str or sequence of str
        One or two number columns, taken likewise.
    outcome : Outcome or str
        Of kind continuous, ratio, money, proportion, rate, count or binary.
    at : mapping, optional
        For a moderator, the values at which to take slopes, in its own unit (0 and 1 of a yes/no column).
        Left out: the mean and 1 SD below and above it for one moderator, 1 SD below and above for two.
    controls : sequence of str
        Further columns, text as categories.
    organisation, year : str
        Key columns.
    year_effects : bool
        Whether every year has its own level.
    ci : float
        Level of the intervals.

    Returns
    -------
    Moderation
        `.table`: `term, estimate, std_error, statistic, df, p_value, conf_low, conf_high`, per SD, the
        product of all last. `.slopes`: `label, place` (SD of each moderator), `value` (its own unit) and the
        same statistics. `.differences`: `first, second`, the same statistics and `p_adjusted` (Holm).
        `.lines`: `line, x` (SD), `estimate, conf_low, conf_high` on the scale of the outcome. Estimates are
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
    >>> cm.moderate(panel, "staff_engagement", "beds", "inpatient_survey").slopes.height
    3
    """
    names = (moderators,) if isinstance(moderators, str) else tuple(moderators)
    if len(names) not in (1, 2):
        raise LinkError("Moderation takes one or two moderators", got=f"{len(names)}")
    for name in at or {}:
        if name not in names:
            raise unknown("moderator", name, names)
    result = as_outcome(outcome)
    matrix, plan = pooled_data(
        data, result, [indicator, *names], controls=controls, organisation=organisation, year=year,
        year_effects=year_effects, what="Moderation", kinds=KINDS,
    )  # fmt: skip
    model = _model(matrix, plan)
    corners = _corners(matrix, names, at or {})
    h = np.array([_slope(model, corner) for corner in corners])
    pairs = list(combinations(range(len(corners)), 2)) if len(names) == 2 else []
    gaps = np.array([h[i] - h[j] for i, j in pairs]).reshape(len(pairs), h.shape[1])
    named = [title_of(name) for name in (indicator, *names)]
    labels = [corner.label for corner in corners]
    return Moderation(
        table=pl.DataFrame(
            {
                "term": [" by ".join(named[i] for i in term) for term in model.terms],
                **_tested(model, np.eye(h.shape[1])[list(model.terms.values())], ci),
            }
        ),
        slopes=pl.DataFrame(
            {
                "label": labels,
                "place": [list(corner.places) for corner in corners],
                "value": [list(corner.values) for corner in corners],
                **_tested(model, h, ci),
            }
        ),
        differences=_holm(
            pl.DataFrame(
                {
                    "first": pl.Series([labels[i] for i, _ in pairs], dtype=pl.String),
                    "second": pl.Series([labels[j] for _, j in pairs], dtype=pl.String),
                    **_tested(model, gaps, ci),
                }
            )
        ),
        lines=_lines(model, corners, ci),
        indicator=indicator,
        moderators=names,
        outcome=result,
        link=model.link,
        sample=sampled(matrix),
    )


class _Model(NamedTuple):
    """A solved model; `terms` gives the column of each product of (0) indicator, (1, 2) moderators."""

    x: Array
    terms: dict[tuple[int, ...], int]
    params: Array
    covariance: Array
    df: float
    link: str


def _model(matrix: DesignMatrix, plan: Plan) -> _Model:
    """Centre indicator and moderators, add their products and fit the model of the outcome's kind."""
    names = plan.indicators
    columns = [matrix.terms[name, "overall"] for name in names]
    x = matrix.x.copy()
    x[:, columns] -= x[:, columns].mean(axis=0)
    terms: dict[tuple[int, ...], int] = {(i,): column for i, column in enumerate(columns)}
    for size in range(2, len(names) + 1):
        for term in combinations(range(len(names)), size):
            terms[term] = x.shape[1]
            x = np.column_stack([x, x[:, [columns[i] for i in term]].prod(axis=1)])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise LinkError(
            "The products of these columns can be worked out from the columns themselves",
            where=", ".join(names),
            hint="The indicator must differ between organisations at each value of the moderator.",
        )
    products = tuple(" by ".join(names[i] for i in term) for term in terms if len(term) > 1)
    fitted = fit_matrix(replace(matrix, x=x, names=(*matrix.names, *products)), plan)
    if fitted.failed:
        raise LinkError(
            "The model with these products could not be solved",
            where=", ".join(products),
            hint="Too few events for so many columns: use fewer controls.",
        )
    return _Model(x, terms, fitted.solution.params, fitted.covariance, fitted.df, fitted.link)


def _corners(
    matrix: DesignMatrix, names: tuple[str, ...], at: Mapping[str, Sequence[float]]
) -> list[_Corner]:
    """Return every combination of the moderators' values, the highest first."""
    sides = []
    for name in names:
        sd = matrix.steps[name]
        mean = float(matrix.x[:, matrix.terms[name, "overall"]].mean()) * sd
        places = (
            [(value - mean) / sd for value in at[name]] if name in at else ONE if len(names) == 1 else TWO
        )
        sides.append([(place, mean + place * sd, name) for place in sorted(places, reverse=True)])
    return [
        _Corner(
            tuple(place for place, _, _ in sides_),
            tuple(value for _, value, _ in sides_),
            ", ".join(_said(name, place, value, name in at) for place, value, name in sides_),
        )
        for sides_ in product(*sides)
    ]


def _said(name: str, place: float, value: float, own: bool) -> str:
    title = title_of(name)
    if own:
        return f"{title} {value:.3g}"
    return f"{title} at its mean" if place == 0 else f"{title} {place:+g} SD"


def _slope(model: _Model, corner: _Corner) -> Array:
    """Return h: the slope of the indicator at these values of the moderators is h'b."""
    h = np.zeros(model.x.shape[1])
    for term, column in model.terms.items():
        if 0 in term:
            h[column] = np.prod([corner.places[i - 1] for i in term if i > 0])
    return h


def _tested(model: _Model, h: Array, level: float) -> dict[str, Array]:
    """Return the statistics of h'b, one for each row of h."""
    errors = np.sqrt(np.einsum("ij,jk,ik->i", h, model.covariance, h))
    return t_statistics(h @ model.params, errors, model.df, level)


def _holm(differences: pl.DataFrame) -> pl.DataFrame:
    many = pl.len()
    stepped = ((many - pl.col("p_value").rank("ordinal") + 1) * pl.col("p_value")).clip(upper_bound=1.0)
    adjusted = stepped.cum_max().over(pl.lit(1), order_by="p_value")
    return differences.with_columns(adjusted.alias("p_adjusted"))


def _lines(model: _Model, corners: list[_Corner], level: float) -> pl.DataFrame:
    """Return the fitted line at each corner over the indicator, everything else at its mean."""
    reach = np.linspace(-REACH, REACH, POINTS)
    means = model.x.mean(axis=0)
    frames = []
    for corner in corners:
        rows = np.tile(means, (POINTS, 1))
        values = np.column_stack([reach, *(np.full(POINTS, place) for place in corner.places)])
        for term, column in model.terms.items():
            rows[:, column] = values[:, list(term)].prod(axis=1)
        found = _tested(model, rows, level)
        drawn = {name: _mean(found[name], model.link) for name in ("estimate", "conf_low", "conf_high")}
        frames.append(pl.DataFrame({"line": [corner.label] * POINTS, "x": reach, **drawn}))
    return pl.concat(frames)


def _mean(linear: Array, link: str) -> Array:
    """Return the outcome that belongs to a linear predictor."""
    if link == "logit":
        return np.asarray(1 / (1 + np.exp(-linear)))
    return np.exp(linear) if link == "log" else linear
