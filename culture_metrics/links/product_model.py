"""A model with products of its columns: its slopes at chosen values of the moderators, and its lines."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.links.titles import title_of
from culture_metrics.models.effects import t_statistics
from culture_metrics.models.fit import fit_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.models.design_matrix import DesignMatrix
    from culture_metrics.models.plan import Plan
    from culture_metrics.models.solution import Array

#: Where slopes are taken when nothing is said, in SD of the moderator: with one moderator, with two.
ONE, TWO = (-1.0, 0.0, 1.0), (-1.0, 1.0)
#: How far the drawn lines reach, in SD of the indicator, and how many points they have.
REACH, POINTS = 2.0, 41


class Corner(NamedTuple):
    """Values of the moderators: their place in SD, their own value, and words."""

    places: tuple[float, ...]
    values: tuple[float, ...]
    label: str


class ProductModel(NamedTuple):
    """A solved model; `terms` gives the column of each product of (0) indicator, (1, 2) moderators."""

    x: Array
    terms: dict[tuple[int, ...], int]
    params: Array
    covariance: Array
    df: float
    link: str


def product_model(matrix: DesignMatrix, plan: Plan) -> ProductModel:
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
    return ProductModel(x, terms, fitted.solution.params, fitted.covariance, fitted.df, fitted.link)


def corners(matrix: DesignMatrix, names: tuple[str, ...], at: Mapping[str, Sequence[float]]) -> list[Corner]:
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
        Corner(
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


def slope(model: ProductModel, corner: Corner) -> Array:
    """Return h: the slope of the indicator at these values of the moderators is h'b."""
    h = np.zeros(model.x.shape[1])
    for term, column in model.terms.items():
        if 0 in term:
            h[column] = np.prod([corner.places[i - 1] for i in term if i > 0])
    return h


def tested(model: ProductModel, h: Array, level: float) -> dict[str, Array]:
    """Return the statistics of h'b, one for each row of h."""
    errors = np.sqrt(np.einsum("ij,jk,ik->i", h, model.covariance, h))
    return t_statistics(h @ model.params, errors, model.df, level)


def fitted_lines(model: ProductModel, at: list[Corner], level: float, times: float = 1) -> pl.DataFrame:
    """Return the fitted line at each corner over the indicator, all else at its mean, so many times."""
    reach = np.linspace(-REACH, REACH, POINTS)
    means = model.x.mean(axis=0)
    frames = []
    for corner in at:
        rows = np.tile(means, (POINTS, 1))
        values = np.column_stack([reach, *(np.full(POINTS, place) for place in corner.places)])
        for term, column in model.terms.items():
            rows[:, column] = values[:, list(term)].prod(axis=1)
        found = tested(model, rows, level)
        drawn = {
            name: times * _mean(found[name], model.link) for name in ("estimate", "conf_low", "conf_high")
        }
        frames.append(pl.DataFrame({"line": [corner.label] * POINTS, "x": reach, **drawn}))
    return pl.concat(frames)


def _mean(linear: Array, link: str) -> Array:
    """Return the outcome that belongs to a linear predictor."""
    if link == "logit":
        return np.asarray(1 / (1 + np.exp(-linear)))
    return np.exp(linear) if link == "log" else linear
