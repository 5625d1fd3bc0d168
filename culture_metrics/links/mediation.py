"""Mediation between organisations: an indicator, what may lie between, and an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError, unknown
from culture_metrics.links.output import link_verb
from culture_metrics.links.pooled_data import CAVEAT, pooled_data, sampled
from culture_metrics.links.titles import through, title_of
from culture_metrics.models.cluster_bootstrap import drawn_products, solved
from culture_metrics.models.covariance import covariance
from culture_metrics.models.effects import t_statistics
from culture_metrics.models.linear import solve_linear
from culture_metrics.models.plan import FEWEST_IN_LEVEL
from culture_metrics.output import Output
from culture_metrics.wording.numbers import estimated

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from culture_metrics.models.design_matrix import DesignMatrix
    from culture_metrics.models.solution import Array
    from culture_metrics.outcomes.outcome import Outcome
    from culture_metrics.outcomes.panel import Panel

INTERVALS = ("monte_carlo", "bootstrap")
ORDER = (
    "Sequential ignorability (that nothing unmeasured stands behind indicator, mediator and outcome), which "
    "reading this path as a process would need, does not hold for an indicator and a mediator from the same "
    "survey; figures of the same time cannot put them in order."
)


@dataclass(frozen=True)
class Mediation(Output):
    """An indirect path: indicator, mediator, outcome.

    Attributes
    ----------
    table : polars.DataFrame
        One row per path; see `mediate`.
    proportion : float or None
        Indirect over total, where it may be given.
    indicator, mediator : str
        Columns.
    outcome : Outcome
    """

    table: pl.DataFrame
    proportion: float | None
    indicator: str
    mediator: str
    outcome: Outcome
    sample: str
    level: float

    def figure(self) -> go.Figure:
        """Draw the paths with their intervals: those that end in the outcome share an axis."""
        from culture_metrics import views

        m, y = title_of(self.mediator), self.outcome.title
        factor, unit = self.outcome.said_in
        to_mediator = pl.col("path") == "a"
        times = pl.when(to_mediator).then(1.0).otherwise(factor)
        drawn = self.table.select(
            label="label",
            panel=pl.when(to_mediator).then(pl.lit(f"{m}, in SD")).otherwise(pl.lit(y)),
            axis=pl.when(to_mediator)
            .then(pl.lit(f"Difference in {m} (SD)"))
            .otherwise(pl.lit(f"Difference in {y}{f' ({unit.strip()})' if unit else ''}")),
            **{name: pl.col(name) * times for name in ("estimate", "conf_low", "conf_high")},
            strong=pl.col("path") == "indirect",
        )
        return views.estimates(
            drawn,
            axis="",
            title=self._headline(),
            subtitle=f"Differences that go with 1 SD more; {self.sample}",
            notes=f"{CAVEAT} {ORDER}",
            level=self.level,
        )

    def summary(self) -> str:
        """Say the paths in plain sentences, with what they cannot show."""
        rows = self._paths()
        x, m, y = title_of(self.indicator), title_of(self.mediator), self.outcome.title
        of_y = {path: _signed(row, self.level, *self.outcome.said_in) for path, row in rows.items()}
        said = [
            f"Organisations with {x} 1 SD higher had {m} {_signed(rows['a'], self.level, 1.0, ' SD')}.",
            f"With {x} held equal, {m} 1 SD higher went with a difference in {y} of {of_y['b']}.",
            f"The indirect path through {m} is {of_y['indirect']}, of a total of {of_y['total']}; what is "
            f"left is {of_y['direct']}.",
            f"{self.sample}. {CAVEAT} {ORDER}",
        ]
        if self.proportion is not None:
            said.insert(3, f"The indirect path is {100 * self.proportion:.0f}% of the total association.")
        return " ".join(said)

    def _headline(self) -> str:
        names = title_of(self.indicator), title_of(self.mediator), self.outcome.title
        factor, unit = self.outcome.said_in
        paths = self._paths()
        sizes = {name: factor * paths["indirect"][name] for name in ("estimate", "conf_low", "conf_high")}
        return through({"indirect": sizes}, self.proportion, names, unit)

    def _paths(self) -> dict[str, dict[str, Any]]:
        return {row["path"]: row for row in self.table.to_dicts()}

    def __repr__(self) -> str:
        return f"Mediation({self._headline()}; {self.sample}. See .table and .summary())"


@link_verb
def mediate(  # noqa: PLR0913
    data: Panel | pl.DataFrame | pl.LazyFrame,
    indicator: str,
    mediator: str,
    outcome: Outcome | str,
    *,
    controls: str | Sequence[str] = (),
    organisation: str = "organisation",
    year: str = "year",
    year_effects: bool = True,
    min_level_orgs: int = FEWEST_IN_LEVEL,
    interval: Literal["monte_carlo", "bootstrap"] = "monte_carlo",
    draws: int = 20_000,
    conf_level: float = 0.95,
    seed: int = 0,
) -> Mediation:
    """Split an association between organisations into a part through a mediator and a part beside it.

    Parameters
    ----------
    data : Panel, polars.DataFrame or polars.LazyFrame
        What `panel` or `read_panel` returned, or a table of one row per organisation and year.
    indicator, mediator : str
        Number columns; both are taken in standard deviations of the rows used.
    outcome : Outcome or str
        Of kind continuous, ratio or money.
    controls : str or sequence of str
        Further columns, text as categories. They stand in both equations.
    organisation, year : str
        Key columns.
    year_effects : bool
        Whether every year has its own level.
    min_level_orgs : int
        Organisations that a level of a categorical control needs; rows of levels with fewer are left out, and
        the result counts them. 1 keeps all.
    interval : {"monte_carlo", "bootstrap"}
        How the interval of the indirect path is found: from normal draws of its two parts, or from samples of
        whole organisations.
    draws, seed : int
        Of either; the same seed gives the same interval.
    conf_level : float
        Level of all intervals.

    Returns
    -------
    Mediation
        `.table`: `path` (`a` indicator to mediator in SD, `b` mediator to outcome, `total`, `direct`,
        `indirect` = a b), `label, estimate, std_error, statistic, df, p_value, conf_low, conf_high, method,
        sobel_std_error, sobel_p_value, base` (rows), `organisations`. Standard errors are clustered by
        organisation where years repeat, else HC3; that of the indirect path is the standard deviation of its
        draws, and it has no p-value but Sobel's in a column of its own. `.proportion` is null unless the
        total stands clear of 0 and has the sign of the indirect path.

    Raises
    ------
    LinkError
        When the outcome has no linear model or the data cannot carry the model.

    Notes
    -----
    Product of coefficients (Baron and Kenny 1986; Sobel 1982 for the column), Monte-Carlo interval of
    MacKinnon, Lockwood and Williams (2004). Both equations rest on the same rows, so that
    total = direct + indirect.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> panel = cm.synthetic.outcome_panel(organisations=60)
    >>> found = cm.links.mediate(panel, "staff_engagement", "morale", "inpatient_survey")
    >>> found.table["path"].to_list()
    ['a', 'b', 'total', 'direct', 'indirect']
    """
    if interval not in INTERVALS:
        raise unknown("interval", interval, INTERVALS)
    if draws < 200:
        raise LinkError("Too few draws for an interval", expected="at least 200", got=str(draws))
    matrix, plan = pooled_data(
        data, outcome, [indicator, mediator], controls=controls,
        year_effects=year_effects, min_level_orgs=min_level_orgs, what="Mediation",
    )  # fmt: skip
    result = plan.values.outcome
    x, m = matrix.terms[indicator, "overall"], matrix.terms[mediator, "overall"]
    others = [i for i in range(matrix.x.shape[1]) if i != m]
    a = _path(matrix, matrix.x[:, m], others, x)
    total = _path(matrix, matrix.y, others, x)
    direct = _path(matrix, matrix.y, [*others, m], x)
    b = _path(matrix, matrix.y, [*others, m], m)
    df = a[2]
    estimates = np.array([a[0], b[0], total[0], direct[0]])
    errors = np.array([a[1], b[1], total[1], direct[1]])
    drawn = (
        _products_of_draws(a, b, draws, seed)
        if interval == "monte_carlo"
        else _resampled(matrix, x, m, draws, seed)
    )
    low, high = np.quantile(drawn, [(1 - conf_level) / 2, (1 + conf_level) / 2])
    sobel = float(np.hypot(a[0] * b[1], b[0] * a[1]))
    table = _table(
        t_statistics(estimates, errors, df, conf_level), a[0] * b[0], drawn, (low, high), sobel, interval
    )
    labels = {
        "a": f"{title_of(mediator)} by {title_of(indicator)}",
        "b": f"{result.title} by {title_of(mediator)}",
        "total": f"{result.title} by {title_of(indicator)}, total",
        "direct": f"{result.title} by {title_of(indicator)}, direct",
        "indirect": f"through {title_of(mediator)}",
    }
    table = table.with_columns(
        pl.col("path").replace_strict(labels).alias("label"),
        base=pl.lit(matrix.y.size, pl.UInt32),
        organisations=pl.lit(matrix.clusters, pl.UInt32),
    )
    return Mediation(
        table.select("path", "label", pl.exclude("path", "label")),
        _proportion(table), indicator, mediator, result, sampled(matrix), conf_level,
    )  # fmt: skip


def _path(matrix: DesignMatrix, y: Array, columns: list[int], of: int) -> tuple[float, float, float]:
    """Return slope, standard error and degrees of freedom of one column in one equation."""
    solution = solve_linear(y, matrix.x[:, columns])
    cov, df = covariance(solution, "cluster" if matrix.repeated else "HC3", matrix.groups)
    place = columns.index(of)
    return float(solution.params[place]), float(np.sqrt(cov[place, place])), df


def _products_of_draws(
    a: tuple[float, float, float], b: tuple[float, float, float], draws: int, seed: int
) -> Array:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(a[0], a[1], draws) * rng.normal(b[0], b[1], draws))


def _resampled(matrix: DesignMatrix, x: int, m: int, draws: int, seed: int) -> Array:
    """Return the indirect path in samples of organisations, in the standard deviations of the data."""
    z = np.column_stack([matrix.x, matrix.y])
    y = matrix.x.shape[1]
    others = [i for i in range(y) if i != m]
    parts = [
        solved(p, m, others)[:, others.index(x)] * solved(p, y, [*others, m])[:, -1]
        for p in drawn_products(z, matrix.groups, draws, seed)
    ]
    return np.concatenate(parts)


def _table(
    paths: dict[str, Array], indirect: float, drawn: Array, ends: tuple[float, float], sobel: float, how: str
) -> pl.DataFrame:
    from scipy.special import ndtr

    direct = pl.DataFrame({"path": ["a", "b", "total", "direct"], **paths}).with_columns(method=pl.lit("t"))
    own = pl.DataFrame(
        {
            "path": ["indirect"], "estimate": [indirect], "std_error": [float(drawn.std(ddof=1))],
            "conf_low": [float(ends[0])], "conf_high": [float(ends[1])], "method": [how],
            "sobel_std_error": [sobel], "sobel_p_value": [float(2 * ndtr(-abs(indirect / sobel)))],
        }
    )  # fmt: skip
    return pl.concat([direct, own], how="diagonal")


def _proportion(table: pl.DataFrame) -> float | None:
    rows = {row["path"]: row for row in table.to_dicts()}
    total, indirect = rows["total"], rows["indirect"]["estimate"]
    clear = total["conf_low"] * total["conf_high"] > 0
    return indirect / total["estimate"] if clear and indirect * total["estimate"] > 0 else None


def _signed(row: dict[str, float], level: float, factor: float, unit: str) -> str:
    said, interval = estimated(
        *(factor * row[name] for name in ("estimate", "conf_low", "conf_high")), plus=True
    )
    return f"{said}{unit} ({100 * level:g}% interval {interval})"
