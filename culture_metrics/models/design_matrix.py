"""The design matrix of one model, built from named columns, with what was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.errors import LinkError
from culture_metrics.models.sample import Loss, Sample
from culture_metrics.models.solution import ALIASED, group_means, own_share
from culture_metrics.problems import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.models.panel_arrays import Array, Integers, PanelArrays
    from culture_metrics.models.plan import Plan

CONSTANT, PRIOR = "constant", "outcome in the indicator's year"
#: Organisations that any model needs, and rows beyond its parameters.
FEWEST_ORGANISATIONS, SPARE_ROWS = 10, 10
#: A column that spreads over less of its size than this does not vary.
OWN = 1e-9


@dataclass(frozen=True)
class DesignMatrix:
    """One model's data: rows sorted by organisation and year, columns named.

    Attributes
    ----------
    y : numpy.ndarray
        Outcome (transformed where the design does so).
    x : numpy.ndarray
        Design matrix, indicators in steps; `names` names its columns.
    names : tuple of str
    terms : dict
        (indicator, term) -> column; terms are `overall`, or `within` and `between`.
    groups : numpy.ndarray
        Organisation of each row, from 0; `organisations` holds the codes.
    years : numpy.ndarray
        Year of the outcome.
    rows : numpy.ndarray
        Row of the panel that holds the indicators.
    steps, sd, sd_within : dict of str to float
        Step by which each indicator was divided, its SD and its SD within organisations in these rows.
    weights, base : numpy.ndarray or None
        Weights, and trials, person-time or exposure, in the outcome's year.
    constant : bool
        Whether a constant is among the columns.
    absorbed : bool
        Whether everything is a deviation from the organisation's (weighted) mean.
    losses : tuple of Loss
    """

    y: Array
    x: Array
    names: tuple[str, ...]
    terms: dict[tuple[str, str], int]
    groups: Integers
    organisations: tuple[str, ...]
    years: Integers
    rows: Integers
    steps: dict[str, float]
    sd: dict[str, float]
    sd_within: dict[str, float]
    weights: Array | None
    base: Array | None
    constant: bool
    absorbed: bool
    losses: tuple[Loss, ...]

    @property
    def clusters(self) -> int:
        """Number of organisations."""
        return len(self.organisations)

    @property
    def repeated(self) -> bool:
        """Whether any organisation has more than one row."""
        return self.y.size > self.clusters

    @property
    def carrying(self) -> int:
        """Number of organisations that carry every slope: one row says nothing about change within."""
        if any(term == "within" for _, term in self.terms):
            return int((np.bincount(self.groups) > 1).sum())
        return self.clusters

    @property
    def absorbed_groups(self) -> Integers | None:
        """Organisation of each row where its effect is absorbed."""
        return self.groups if self.absorbed else None

    def keep(self, rows: Integers) -> DesignMatrix:
        """Return the same model on some of its rows."""
        codes, groups = np.unique(self.groups[rows], return_inverse=True)
        return replace(
            self,
            y=self.y[rows], x=self.x[rows], groups=groups, years=self.years[rows], rows=self.rows[rows],
            organisations=tuple(self.organisations[code] for code in codes),
            weights=None if self.weights is None else self.weights[rows],
            base=None if self.base is None else self.base[rows],
        )  # fmt: skip


def design_matrix(arrays: PanelArrays, plan: Plan) -> DesignMatrix:
    """Build the design matrix of a model on the rows that have everything it uses.

    Raises
    ------
    LinkError
        When too few organisations or rows are left, an indicator does not vary (within organisations where
        the design asks for it), or columns are linear combinations of others.
    """
    sample = Sample(arrays, plan)
    rows = sample.rows
    groups_all = arrays.organisation[rows]
    codes, groups = np.unique(groups_all, return_inverse=True)
    ahead = sample.ahead[rows]
    weights = _weights(arrays, plan, ahead)
    _check_organisations(codes.size, plan, sample.losses)
    before = arrays.ahead(-plan.gap)
    seen = np.r_[rows, before[rows]] if plan.gap else rows
    now = _columns(arrays, plan, rows, rows if plan.lead == 0 else arrays.ahead(plan.lead)[rows], seen)
    y = plan.values.y[ahead]
    years = arrays.year[ahead]
    sd, within, steps = _steps(plan, now, groups, years)
    # What is left of a column after taking means or changes is set beside its size before.
    sizes = {name: largest(values) / steps.get(name, 1.0) for name, values in now.items()}
    if plan.gap:
        y = y - plan.values.y[before[ahead]]
        past = _columns(arrays, plan, before[rows], before[rows], seen)
        now = {name: values - past[name] for name, values in now.items()}
    columns: dict[str, Array] = {} if plan.demeaned else {CONSTANT: np.ones(rows.size)}
    terms: dict[tuple[str, str], int] = {}
    for indicator in plan.indicators:
        values = now.pop(indicator) / steps[indicator]
        if plan.split:
            mean = group_means(values, groups, weights)[groups]
            _vary(values - mean, indicator, "within organisations", sizes[indicator])
            terms[indicator, "within"] = len(columns)
            columns[f"{indicator} (within)"] = values - mean
            terms[indicator, "between"] = len(columns)
            columns[f"{indicator} (between)"] = mean
        else:
            terms[indicator, "overall"] = len(columns)
            columns[indicator] = values
    needed = len(columns)
    columns |= now
    if plan.prior_outcome:
        columns[PRIOR] = plan.values.prior[rows]
        sizes[PRIOR] = largest(columns[PRIOR])
    if plan.year_effects:
        present = np.unique(years)
        columns |= {f"year {year}": (years == year).astype(float) for year in present[1:]}
    if plan.demeaned:
        y = y - group_means(y, groups, weights)[groups]
        columns = {
            name: values - group_means(values, groups, weights)[groups] for name, values in columns.items()
        }
    if plan.demeaned or plan.gap:
        where = "within organisations" if plan.demeaned else _over(plan.gap)
        for indicator in plan.indicators:
            _vary(columns[indicator], indicator, where, sizes[indicator])
    names, x, dropped = _matrix(columns, needed, sizes)
    sample.note(dropped)
    matrix = DesignMatrix(
        y=y,
        x=x,
        names=names,
        terms=terms,
        groups=groups,
        organisations=tuple(arrays.organisations[code] for code in codes),
        years=years,
        rows=rows,
        steps=steps,
        sd=sd,
        sd_within=within,
        weights=weights,
        base=None if plan.values.base is None else plan.values.base[ahead],
        constant=not plan.demeaned,
        absorbed=plan.demeaned,
        losses=tuple(sample.losses),
    )
    _check(matrix, plan)
    return matrix


def _columns(
    arrays: PanelArrays, plan: Plan, rows: Integers, indicator_rows: Integers, seen: Integers
) -> dict[str, Array]:
    """Return indicators and controls, the categorical ones as dummies of the levels seen but the first."""
    columns = {name: arrays.column(name)[indicator_rows] for name in plan.indicators}
    for name in plan.controls:
        if name in arrays.categories:
            column = arrays.categories[name]
            columns |= {
                f"{name}: {column.levels[level]}": (column.codes[rows] == level).astype(float)
                for level in np.unique(column.codes[seen])[1:]
            }
        else:
            columns[name] = arrays.numbers[name][rows]
    return columns


def _steps(
    plan: Plan, columns: dict[str, Array], groups: Integers, years: Integers
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    sd, within, steps = {}, {}, {}
    for name in plan.indicators:
        values = columns[name]
        _vary(values, name, "in the rows of the model", largest(values))
        sd[name] = float(values.std(ddof=1))
        within[name] = _deviation(values, groups)
        match plan.standardise:
            case "sd":
                steps[name] = sd[name]
            case "sd_within_year":
                steps[name] = _deviation(values, years)
            case "iqr":
                steps[name] = float(np.subtract(*np.quantile(values, [0.75, 0.25])))
            case dict():
                steps[name] = float(plan.standardise.get(name, 1.0))
            case _:
                steps[name] = 1.0
        if not steps[name] > 0:
            raise LinkError(
                f"The step of '{name}' is not above 0",
                where=f"indicator {name}",
                hint="Use standardise='sd', or give a step above 0.",
            )
    return sd, within, steps


def _deviation(values: Array, groups: Integers) -> float:
    """Return the SD within groups, with one degree of freedom less for each group."""
    _, codes = np.unique(groups, return_inverse=True)
    spare = values.size - int(codes.max()) - 1
    left = values - group_means(values, codes)[codes]
    return float(np.sqrt(left @ left / spare)) if spare > 0 else float("nan")


def largest(values: Array) -> float:
    """Return the largest absolute value."""
    return float(np.abs(values).max(initial=0.0))


def _vary(values: Array, name: str, where: str, size: float) -> None:
    if values.size and np.ptp(values) > OWN * size:
        return
    zero = (
        " (it is 0 in every row: a placeholder, not a measurement)"
        if not values.any() and where.startswith("in the")
        else ""
    )
    raise LinkError(
        f"Indicator '{name}' does not vary {where}{zero}",
        where=f"column {name}",
        hint="Leave it out, or take a design that compares organisations (pooled, cross_section).",
    )


def _outcome_varies(y: Array, plan: Plan) -> None:
    if y.size and np.ptp(y) <= OWN * largest(plan.values.y[np.isfinite(plan.values.y)]):
        where = (
            "within organisations"
            if plan.demeaned
            else f"in its changes {_over(plan.gap)}"
            if plan.gap
            else "in the rows of the model"
        )
        raise LinkError(
            f"Outcome '{plan.values.outcome.column}' does not vary {where}",
            where=f"column {plan.values.outcome.column}",
            hint="Leave it out, or take years and organisations in which it differs.",
        )


def _over(gap: int) -> str:
    return "from year to year" if gap == 1 else f"over {gap} years"


def _matrix(
    columns: dict[str, Array], needed: int, sizes: dict[str, float]
) -> tuple[tuple[str, ...], Array, list[tuple[str, str]]]:
    """Stack the columns without the controls that do not vary or repeat another."""
    names, dropped = list(columns), []
    x = np.column_stack(list(columns.values()))
    length = np.sqrt((x**2).sum(axis=0))
    spread = np.ptp(x, axis=0) > OWN * np.array([sizes.get(name, 1.0) for name in names])
    keep = spread.copy()
    keep[:needed] = True
    dropped += [(names[i], "does not vary: left out") for i in np.flatnonzero(~keep)]
    seen: dict[bytes, int] = {}
    for i in np.flatnonzero(keep):
        twin = seen.setdefault(x[:, i].tobytes(), int(i))
        if twin != i and twin >= needed:
            keep[i] = False
            dropped.append((names[i], f"the same as '{names[twin]}': left out"))
    x, names, length = (
        x[:, keep],
        [name for name, kept in zip(names, keep, strict=True) if kept],
        length[keep],
    )
    return tuple(names), x, dropped


def _check_organisations(count: int, plan: Plan, losses: list[Loss]) -> None:
    if count < FEWEST_ORGANISATIONS:
        raise LinkError(
            f"Only {count} organisations have everything this model needs",
            where=_where(plan),
            expected=f"at least {FEWEST_ORGANISATIONS}",
            hint=f"The most rows were lost to: {_worst(losses)}.",
        )


def _check(matrix: DesignMatrix, plan: Plan) -> None:
    _outcome_varies(matrix.y, plan)
    rows, columns = matrix.x.shape
    absorbed = matrix.clusters if matrix.absorbed else 0
    least = columns + max(SPARE_ROWS, absorbed + 1)
    if rows < least:
        raise LinkError(
            f"{rows} rows are too few for {columns + absorbed} parameters",
            where=_where(plan),
            expected=f"at least {least} rows",
            hint=f"Use fewer controls. The most rows were lost to: {_worst(matrix.losses)}.",
        )
    own = own_share(matrix.x)
    if own.min() < ALIASED:
        raise LinkError(
            "Some columns of the model can be worked out from the others",
            where=listed([matrix.names[i] for i in np.flatnonzero(own < ALIASED)]),
            hint="Leave out these controls, or the columns they repeat (years and sums of others count).",
        )


def _weights(arrays: PanelArrays, plan: Plan, ahead: Integers) -> Array | None:
    if plan.weights is None:
        return None
    weights = arrays.column(plan.weights)[ahead]
    if not (weights > 0).all():
        raise LinkError(
            f"Weights in '{plan.weights}' are not all above 0",
            where=f"column {plan.weights}",
            hint="Leave out rows that carry no weight.",
        )
    return weights


def _where(plan: Plan) -> str:
    return f"{plan.values.outcome.column} on {listed(plan.indicators)}, {plan.design.name}"


def _worst(losses: Sequence[Loss]) -> str:
    lost = max(losses, key=lambda loss: loss.rows_lost)
    return f"{lost.step}{f' {lost.column}' if lost.column else ''} ({lost.rows_lost} rows)"
