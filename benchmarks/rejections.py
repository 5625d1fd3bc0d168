"""How often each design with each covariance finds a link that is not there.

`python -m benchmarks.rejections` makes 2,000 panels of 60 organisations for each truth below, in none of
which the indicator goes with the outcome, and prints the share of tests below 0.05; with a design after it,
those of that design. Every figure is of the package's own fit. A covariance is tested in the widest truth
that it allows for: `classical`, `HC1` and `HC3` take what the design leaves as independent, `cluster` takes
any likeness of one organisation's years.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import numpy as np

from culture_metrics.models import fit
from culture_metrics.models.design_matrix import design_matrix
from culture_metrics.models.designs.registry import as_design
from culture_metrics.models.effects import p_of
from culture_metrics.models.outcome_values import outcome_values
from culture_metrics.models.panel_arrays import PanelArrays
from culture_metrics.models.plan import Plan
from culture_metrics.models.wild_bootstrap import wild_cluster_bootstrap
from culture_metrics.outcomes.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from culture_metrics.models.fitted import Fitted
    from culture_metrics.models.panel_arrays import Array

DRAWS, LEVEL, SEED = 2000, 0.05, 20110105
ORGANISATIONS = 60
#: Draws of a wild bootstrap; the test is exact for a multiple of 20 less one.
WILD = 399


class Truth(NamedTuple):
    """A panel without a link.

    `lasting` is the SD of what stays with an organisation, of indicator and outcome, which know nothing of
    each other; `serial` the correlation of the rest from year to year (1: a random walk, whose changes are
    independent); `weighted` whether rows have weights, to which the outcome's variance is inverse; `single`
    the number of further organisations with one row.
    """

    years: int
    lasting: float = 0.0
    serial: float = 0.0
    weighted: bool = False
    single: int = 0
    kind: str = "continuous"


ROWS = ("classical", "HC1", "HC3")
MODEL = ("classical", "scaled", "HC1", "HC3")
LASTING, SERIAL = 1.0, 0.6
#: Design, covariances, truth.
CASES: tuple[tuple[str, tuple[str, ...], Truth], ...] = (
    ("cross_section", (*ROWS, "cluster"), Truth(1)),
    ("cross_section", ROWS, Truth(1, weighted=True)),
    *(
        case
        for years in (2, 5)
        for case in (
            ("pooled", ROWS, Truth(years)),
            ("pooled", ("cluster", "wild"), Truth(years, LASTING, SERIAL)),
            ("pooled", ROWS, Truth(years, weighted=True)),
            ("pooled", ("cluster",), Truth(years, LASTING, SERIAL, weighted=True)),
            ("fixed_effects", ROWS, Truth(years, LASTING)),
            ("fixed_effects", ("cluster", "wild"), Truth(years, LASTING, SERIAL)),
            ("fixed_effects", ROWS, Truth(years, LASTING, weighted=True)),
            ("fixed_effects", ("cluster",), Truth(years, LASTING, SERIAL, weighted=True)),
            ("fixed_effects", ("classical", "HC1", "cluster"), Truth(years, LASTING, single=60)),
            ("mixed", (*ROWS, "cluster"), Truth(years, LASTING)),
            ("mixed", ("cluster",), Truth(years, LASTING, SERIAL)),
            ("within_between", (*ROWS, "cluster"), Truth(years, LASTING)),
            ("within_between", ("classical", "cluster"), Truth(years, LASTING, single=60)),
        )
    ),
    ("fixed_effects", ("HC3",), Truth(12, LASTING)),
    ("first_difference", ROWS, Truth(2, LASTING, 0.0)),
    ("first_difference", ROWS, Truth(5, LASTING, 1.0)),
    ("first_difference", ("cluster", "wild"), Truth(5, LASTING, 0.0)),
    ("lagged", ROWS, Truth(5, 0.0, SERIAL)),
    ("lagged", ("cluster", "wild"), Truth(5, LASTING)),
    ("cross_lagged", ROWS, Truth(5, 0.0, SERIAL)),
    ("cross_lagged", ("cluster",), Truth(5, LASTING)),
    *(
        case
        for kind in ("binary", "rate", "proportion", "count", "money", "ordinal")
        for case in (
            ("pooled", MODEL if kind != "ordinal" else ("classical", "HC1"), Truth(5, kind=kind)),
            ("pooled", ("cluster",), Truth(5, LASTING, kind=kind)),
        )
    ),
    *(
        case
        for kind in ("rate", "proportion", "count")
        for case in (
            ("fixed_effects", ("cluster",), Truth(5, LASTING, kind=kind)),
            ("mixed", ("auto", "cluster"), Truth(5, LASTING, kind=kind)),
            ("within_between", ("auto", "cluster"), Truth(5, LASTING, kind=kind)),
        )
    ),
)  # fmt: skip


def series(rng: np.random.Generator, truth: Truth, organisations: int) -> Array:
    """Return what stays with an organisation and what moves from year to year, added up."""
    shape = (organisations, truth.years)
    moved = rng.standard_normal(shape)
    if truth.serial == 1:
        moved = moved.cumsum(axis=1)
    elif truth.serial:
        for year in range(1, truth.years):
            moved[:, year] = truth.serial * moved[:, year - 1] + np.sqrt(1 - truth.serial**2) * moved[:, year]
    return truth.lasting * rng.standard_normal((organisations, 1)) + moved


def outcome_of(rng: np.random.Generator, kind: str, pull: Array, base: Array) -> tuple[Outcome, Array]:
    """Return an outcome of a kind that rests on a linear predictor, which knows nothing of the indicator."""
    more: dict[str, Any] = {}
    match kind:
        case "binary":
            y = (pull + rng.logistic(size=pull.shape) > 0).astype(float)
        case "rate":
            y = 1 / (1 + np.exp(2 - 0.3 * pull - 0.3 * rng.standard_normal(pull.shape)))
        case "proportion":
            more = {"base": "base"}
            y = rng.binomial(base.astype(int), 1 / (1 + np.exp(1 - 0.3 * pull))) / base
        case "count":
            more = {"exposure": "base"}
            y = rng.poisson(base / 20 * np.exp(0.3 * pull)).astype(float)
        case "money":
            y = rng.gamma(0.8, np.exp(0.3 * pull))
        case "ordinal":
            more = {"levels": ("0", "1", "2", "3")}
            y = np.digitize(pull + rng.logistic(size=pull.shape), [-1.5, 0.0, 1.5]).astype(float)
        case _:
            y = pull
    return Outcome("y", kind, **more), y


def panel(rng: np.random.Generator, truth: Truth) -> tuple[PanelArrays, Outcome]:
    """Make one panel."""
    everyone = ORGANISATIONS + truth.single
    z, weights = series(rng, truth, everyone), rng.uniform(1, 9, (everyone, truth.years))
    pull = series(rng, truth, everyone)
    if truth.kind != "continuous" and not truth.lasting:
        # The model's own variance is all there is.
        pull = np.zeros_like(pull)
    if truth.weighted:
        pull = pull / np.sqrt(weights) if not truth.serial else pull
    base = np.round(rng.uniform(100, 400, pull.shape))
    outcome, y = outcome_of(rng, truth.kind, pull, base)
    rows = np.ones(pull.shape, dtype=bool)
    rows[ORGANISATIONS:] = np.arange(truth.years) == (np.arange(truth.single) % truth.years)[:, None]
    organisation, year = np.nonzero(rows)
    columns = {"z": z, "y": y, "base": base, "w": weights}
    arrays = PanelArrays(
        tuple(f"R{i:03d}" for i in range(everyone)), organisation, 2015 + year,
        {name: values[rows] for name, values in columns.items()}, {},
    )  # fmt: skip
    return arrays, outcome


def p_values(fitted: Fitted, prefix: str) -> dict[str, float]:
    """Return the p-value of each term of a fitted model."""
    found = {}
    for (_, term), column in fitted.matrix.terms.items():
        p = p_of(float(fitted.solution.params[column]) / fitted.std_error(column), fitted.degrees(column))
        if prefix == "wild":
            matrix = fitted.matrix
            p = wild_cluster_bootstrap(
                matrix.x,
                matrix.y,
                matrix.groups,
                column,
                conf_level=None,
                draws=WILD,
                seed=int(1e6 * abs(matrix.y[0])),
            ).p_value
        found[prefix if term == "overall" else f"{prefix}, {term}"] = p
    return found


@contextmanager
def solved_once() -> Iterator[None]:
    """Search for the variances of a panel once: covariances of the same slopes follow from one solution."""

    def once(solve: Callable[..., Any]) -> Callable[..., Any]:
        found: dict[tuple[int, ...], Any] = {}

        def solution(y: Array, x: Array, groups: Array, *more: Any) -> Any:
            key = (id(y), id(x), id(groups))
            if key not in found:
                found[key] = solve(y, x, groups, *more)
            return found[key]

        return solution

    solvers = {name: once(getattr(fit, name)) for name in ("solve_random_intercept", "solve_gee")}
    with patch.multiple(fit, **solvers):
        yield


def rejections(
    design: str, covariances: tuple[str, ...], truth: Truth, draws: int = DRAWS, case: int = 0
) -> dict[str, float]:
    """Return for each covariance (and term) the share of panels in which the test finds a link."""
    rng = np.random.default_rng([SEED, case])
    counts: dict[str, list[bool]] = {}
    for _ in range(draws):
        arrays, outcome = panel(rng, truth)
        plan = Plan(
            outcome_values(arrays, outcome), ("z",), design=as_design(design),
            weights="w" if truth.weighted else None,
        )  # fmt: skip
        matrix = design_matrix(arrays, plan)
        if plan.design.both_ways:
            matrix = replace(matrix, y=matrix.y / matrix.y.std(ddof=1))
        with solved_once():
            for covariance in covariances:
                for name, p in p_values(fit.fit_matrix(matrix, plan, covariance), covariance).items():
                    counts.setdefault(name, []).append(p < LEVEL)
    return {name: float(np.mean(found)) for name, found in counts.items()}


def main(design: str | None = None, draws: int = DRAWS) -> None:
    """Print the shares of all cases, or of one design's."""
    for case, (which, covariances, truth) in enumerate(CASES):
        if design in (None, which):
            found = rejections(which, covariances, truth, draws, case)
            said = ", ".join(f"{name} {100 * share:.1f}%" for name, share in found.items())
            print(f"{which}, {_words(truth)}: {said}", flush=True)


def _words(truth: Truth) -> str:
    words = [f"{truth.years} years" if truth.years > 1 else "1 year"]
    words += ["organisations differ"] if truth.lasting else []
    words += ["random walk"] if truth.serial == 1 else [f"serial {truth.serial}"] if truth.serial else []
    words += ["weighted"] if truth.weighted else []
    words += [f"{truth.single} singletons"] if truth.single else []
    return ", ".join([*words, truth.kind] if truth.kind != "continuous" else words)


if __name__ == "__main__":
    main(*sys.argv[1:2], *(int(count) for count in sys.argv[2:3]))
