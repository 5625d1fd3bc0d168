"""Do organisations, or years, with a better indicator have a better outcome?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.links.arrays import PanelArrays, panel_arrays
from culture_metrics.links.checks import check_pair, context_columns, data_flags
from culture_metrics.links.covariance import COVARIANCES
from culture_metrics.links.diagnostics import DIAGNOSTICS, diagnose
from culture_metrics.links.influence import INFLUENCE
from culture_metrics.links.models import MAIN, REVERSE, Model, models_of
from culture_metrics.links.multiplicity import CORRECTIONS, adjust
from culture_metrics.links.outcome import Outcome
from culture_metrics.links.outcome_values import outcome_values
from culture_metrics.links.plan import DESIGNS, Plan
from culture_metrics.links.result import LinkResult
from culture_metrics.links.statements import statements
from culture_metrics.links.table import TABLE, model_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SAMPLE = {
    "model_id": pl.String, "step": pl.String, "column": pl.String, "rows_lost": pl.UInt32,
    "organisations_lost": pl.UInt32, "rows_left": pl.UInt32, "organisations_left": pl.UInt32,
}  # fmt: skip
#: Designs whose outcome comes after the indicator.
LATER = ("lagged", "cross_lagged")
#: Levels that `standardise` may have.
STEPS = ("sd", "sd_within_year", "iqr")
#: More tests than this in one family raise a flag.
MANY_TESTS = 20
#: A run of more models than this takes long enough to be watched.
LONG = 40


def link_outcomes(
    data: pl.DataFrame | pl.LazyFrame,
    indicators: str | Sequence[str],
    outcomes: Outcome | str | Sequence[Outcome | str],
    *,
    organisation: str = "organisation",
    year: str = "year",
    controls: Sequence[str] = (),
    design: str | Sequence[str] = "pooled",
    lag: int = 0,
    year_effects: bool = True,
    standardise: str | Mapping[str, float] | None = "sd",
    one_at_a_time: bool = True,
    weights: str | None = None,
    cov: str = "auto",
    ci: float = 0.95,
    correction: str = "bh",
    min_orgs: int = 30,
    progress: bool | None = None,
) -> LinkResult:
    """Link indicators to outcomes across organisations and years.

    TODO docstring
    """
    indicators = [indicators] if isinstance(indicators, str) else list(indicators)
    designs = (design,) if isinstance(design, str) else tuple(design)
    wanted = [outcomes] if isinstance(outcomes, (Outcome, str)) else list(outcomes)
    declared = [one if isinstance(one, Outcome) else Outcome(one, kind="continuous") for one in wanted]
    _check_call(designs, lag, standardise, cov, correction, ci)
    needed = [*indicators, *controls, *(name for one in declared for name in one.columns)]
    known = data.collect_schema().names()
    arrays = panel_arrays(
        data,
        [*needed, *([weights] if weights else []), *context_columns(known, indicators, controls)],
        organisation=organisation,
        year=year,
    )
    _check_lag(arrays, lag if not set(designs) & set(LATER) else max(lag, 1))
    values = [outcome_values(arrays, one) for one in declared]
    for found in values:
        for indicator in indicators:
            check_pair(arrays, found, indicator)
    groups = [(one,) for one in indicators] if one_at_a_time else [tuple(indicators)]
    plans = [
        Plan(
            found,
            group,
            tuple(controls),
            design=which,
            lag=max(lag, 1) if which in LATER else lag,
            year_effects=year_effects and which != "cross_section",
            standardise=dict(standardise) if isinstance(standardise, Mapping) else standardise,
            weights=weights,
            prior_outcome=which in LATER,
        )
        for which in designs
        for found in values
        for group in (groups if which != "cross_lagged" else [(one,) for one in indicators])
    ]
    rows: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    sample: list[dict[str, Any]] = []
    influence: list[pl.DataFrame] = []
    for plan in _shown(plans, progress):
        models, missing = models_of(arrays, plan, cov, designs)
        found_checks, found_influence, flags = diagnose(arrays, models, missing, min_orgs)
        checks += found_checks
        influence += found_influence
        for model in models:
            rows += _rows(arrays, model, ci, flags.get(model.name, []), min_orgs)
            sample += [{"model_id": model.name, **loss._asdict()} for loss in model.fitted.matrix.losses]
    _adjust(rows, correction)
    table = pl.DataFrame(rows, schema=TABLE)
    return LinkResult(
        table=table,
        diagnostics=pl.DataFrame(checks, schema=DIAGNOSTICS),
        sample=pl.DataFrame(sample, schema=SAMPLE),
        influence=pl.concat(influence) if influence else pl.DataFrame(schema=INFLUENCE),
        statements=statements(table.to_dicts(), plans[0], ci),
        warnings=(),
    )


def _check_call(
    designs: tuple[str, ...], lag: int, standardise: object, cov: str, correction: str, ci: float
) -> None:
    """Refuse arguments that do not exist."""
    for argument, found, known in (
        *(("design", one, DESIGNS) for one in designs),
        ("cov", cov, COVARIANCES),
        ("correction", correction, CORRECTIONS),
    ):
        if found not in known:
            raise LinkError(f"There is no {argument} '{found}'", expected=", ".join(known))
    if not (standardise is None or isinstance(standardise, Mapping) or standardise in STEPS):
        raise LinkError(
            f"There is no standardise '{standardise}'",
            expected=f"{', '.join(STEPS)}, None, or steps by indicator",
        )
    if not 0 < ci < 1:
        raise LinkError("ci is the level of the intervals", expected="a number between 0 and 1", got=str(ci))
    if lag < 0:
        raise LinkError(
            "A lag is a number of years from 0", got=str(lag), hint="The outcome comes with or after the indicator."
        )


def _check_lag(arrays: PanelArrays, lag: int) -> None:
    span = int(np.ptp(arrays.year))
    if lag > span:
        raise LinkError(
            f"A lag of {lag} is longer than the panel",
            expected=f"at most {span}",
            hint="Add years, or take lag=0.",
        )


def _shown(plans: list[Plan], progress: bool | None) -> Iterator[Plan]:
    """Go through the plans, with a progress bar when asked or when someone is watching a long run."""
    if progress is None:
        progress = len(plans) > LONG and sys.stderr.isatty()
    if not progress:
        yield from plans
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(plans, "Linking", console=Console(stderr=True), transient=True)


def _rows(
    arrays: PanelArrays, model: Model, ci: float, flags: list[str], min_orgs: int
) -> list[dict[str, Any]]:
    """Return a model's rows of the table, with every flag that concerns it."""
    fitted = model.fitted
    found = model_rows(fitted, model.name, model.role, ci)
    raised = [*fitted.flags, *data_flags(arrays, fitted.plan, fitted.matrix, min_orgs), *flags]
    for row in found:
        row["flags"] = list(dict.fromkeys(raised))
        if model.term:
            row["term"] = model.term
    return found


def _adjust(rows: list[dict[str, Any]], correction: str) -> None:
    """Adjust p-values over all tests of one design, role and term."""
    families: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("p_value") is not None and row["role"] == MAIN:
            families.setdefault((row["design"], row["term"]), []).append(row)
    for family in families.values():
        for row, p in zip(family, adjust([row["p_value"] for row in family], correction), strict=True):
            row["p_adjusted"] = p
            if len(family) > MANY_TESTS:
                row["flags"].append("multiple_testing")
