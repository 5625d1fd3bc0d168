"""Link indicators to outcomes: does a better one go with a better other, between organisations or within."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.links.arguments import check_call, check_lag, check_minimum, designs_of
from culture_metrics.links.checks import (
    DIAGNOSTICS,
    Flag,
    check_dynamic,
    check_pair,
    context_columns,
    data_flags,
)
from culture_metrics.links.diagnostics import diagnose
from culture_metrics.links.given import names_of, outcome_of
from culture_metrics.links.output import link_verb
from culture_metrics.links.pictures import Source
from culture_metrics.links.result import LinkResult
from culture_metrics.links.sensitivity import MAIN, REVERSE, Model, models_of
from culture_metrics.links.statements import call_warnings, statement
from culture_metrics.links.table import TABLE, model_rows, unfitted_rows
from culture_metrics.links.titles import inside, title_of
from culture_metrics.models.design_matrix import PRIOR
from culture_metrics.models.effects import p_of
from culture_metrics.models.influence import INFLUENCE
from culture_metrics.models.outcome_values import OutcomeValues, outcome_values
from culture_metrics.models.panel_arrays import PanelArrays, panel_arrays
from culture_metrics.models.plan import FEWEST_IN_LEVEL, Plan
from culture_metrics.multiplicity import adjust
from culture_metrics.outcomes.outcome import Outcome
from culture_metrics.outcomes.panel import Panel
from culture_metrics.threads import watched
from culture_metrics.wording.numbers import p_said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.models.designs.design import Design
    from culture_metrics.models.sample import Loss

SAMPLE: dict[str, pl.DataType | type[pl.DataType]] = {
    "model_id": pl.String, "step": pl.String, "column": pl.String, "rows_lost": pl.UInt32,
    "organisations_lost": pl.UInt32, "rows_left": pl.UInt32, "organisations_left": pl.UInt32,
}  # fmt: skip
#: More tests than this in one family raise a flag.
MANY_TESTS = 20
#: A run of more models than this takes long enough to be watched.
LONG = 40
#: Reasons that the error of a call without figures gives.
MOST_REASONS = 5


@link_verb
def link_outcomes(  # noqa: PLR0913, PLR0915
    data: Panel | pl.DataFrame | pl.LazyFrame,
    indicators: str | Sequence[str],
    outcomes: Outcome | str | Sequence[Outcome | str],
    *,
    organisation: str = "organisation",
    year: str = "year",
    controls: str | Sequence[str] = (),
    design: Design | str | Sequence[Design | str] = "pooled",
    lag: int = 0,
    year_effects: bool = True,
    standardise: str | Mapping[str, float] | None = "sd",
    one_at_a_time: bool = True,
    weights: str | None = None,
    cov: str = "auto",
    conf_level: float = 0.95,
    adjust: str = "bh",
    min_orgs: int = 30,
    min_level_orgs: int = FEWEST_IN_LEVEL,
    allow_dynamic_fe: bool = False,
    progress: bool | None = None,
) -> LinkResult:
    """Link indicators to outcomes across organisations and years.

    Each pair of indicator and outcome gets the model of the outcome's kind under the design asked for, with
    its figures on the outcome's own scale, checks, and the models without which it should not be read.

    Parameters
    ----------
    data : Panel, polars.DataFrame or polars.LazyFrame
        What `panel` or `read_panel` returned, or a table of one row per organisation and year.
    indicators : str or sequence of str
        Numeric columns.
    outcomes : Outcome, str or sequence of them
        A plain column name is the outcome that a Panel declares under it, else a continuous one.
    organisation, year : str
        Columns of the key; `year` holds whole numbers.
    controls : str or sequence of str
        Numbers as they are; text, categories and booleans become dummies. An indicator is no control of its
        own link.
    design : str or Design, or a sequence of them
        `cross_section` (no year in the model), `pooled` (year dummies), `lagged` (outcome the year after,
        given the outcome now), `fixed_effects` (change within organisations), `within_between` (both, with a
        random intercept), `mixed` (random intercept), `first_difference` (changes from year to year),
        `cross_lagged` (both directions, everything in SDs), `long_difference` (changes over three years;
        `long_difference_4` over four, and so on; linear kinds only). Beyond linear kinds the other within
        designs take the organisation's mean and the deviation from it, and random intercepts become
        estimating equations.
    lag : int
        Year of the outcome less that of the indicator, joined by organisation and year. The lagged designs
        have at least 1.
    year_effects : bool
        Whether years are held equal.
    standardise : {"sd", "sd_within_year", "iqr"}, None or mapping
        The step of an indicator that a slope is told for: its SD in the model's rows, its SD within years,
        its interquartile range, 1 unit, or a step for each indicator.
    one_at_a_time : bool
        False puts all indicators in one model.
    weights : str, optional
        Column of weights, taken in the outcome's year. The same model without weights then stands beside it.
    cov : {"auto", "classical", "scaled", "HC1", "HC3", "cluster", "wild"}
        `auto` clusters by organisation when any has more than one row; otherwise HC3 for linear models, HC1
        for others, scaled by the dispersion for proportions and overdispersed counts, and the model's own for
        ordered logits. `wild` is clustered, with p-values and intervals of least squares by a wild
        bootstrap of organisations, for panels of fewer than 40. The others take an organisation's years as
        independent, given the design, and where these repeat raise the flag `not_clustered`.
    conf_level : float
        Level of the intervals.
    adjust : {"bh", "holm"}
        Adjustment of p-values over all main tests of one design (and term) in this call.
    min_orgs : int
        Fewer organisations raise the flag `few_orgs`.
    min_level_orgs : int
        Organisations that a level of a categorical control needs. Rows of levels with fewer are left out
        (flag `rare_levels`, counted in `sample` and `warnings`); 1 keeps all.
    allow_dynamic_fe : bool
        Allow the outcome of the year before as a control within organisations, where it biases every slope.
    progress : bool, optional
        Show a progress bar; left out, only for long runs in a terminal.

    Returns
    -------
    LinkResult
        `table` has one row per model, indicator and term:

        - `model_id, outcome, outcome_label, kind, unit, better, period` and `indicator`; `term` is `overall`,
          `within` or `between` organisations, or a direction of a cross-lagged pair;
        - `indicator_sd, indicator_sd_within, step, step_label`: the contrast that slopes are told for;
        - `design, lag, model, family, link, cov`, and `role` (`main`, `sensitivity`);
        - `estimate, std_error, df, statistic, p_value, p_adjusted, conf_low, conf_high` on the link's scale
          for one step; a null `df` means the normal distribution;
        - `effect, effect_low, effect_high, effect_scale`: in the outcome's units, percentage points (average
          marginal), a ratio of means or an odds ratio; `effect_abs` and its interval in whole units at the
          median organisation, `effect_abs_unit` says which; `effect_std` in SDs of the outcome;
        - `partial_r, r2, pseudo_r2, delta_r2`; `base` (rows), `n_orgs, n_years, years, n_dropped`;
        - `direction` (favourable, unfavourable, null-straddling), `detectable_r` (80 % power, 5 %: as
          `links.detectable_link` has it for the design, the panel's size and its ICCs), `flags` (parted by
          "; ");
        - `status` and `reason`: `reported`; `failed` (did not converge or separated, null figures); or
          `not_fitted` (the pair has no model under this design, neither figures nor sample).

    Raises
    ------
    UnknownNameError
        When a column does not exist.
    LinkError
        When the panel has an organisation and year twice, or no link can be fitted: an outcome breaks the
        rules of its kind, an indicator or outcome does not vary, columns are linear combinations of others,
        fewer than ten organisations or too few rows are left, or a design does not suit the outcome. Where
        only some links cannot be fitted, their rows say why.

    Notes
    -----
    In the spirit of West, Dawson, Admasachew and Topakas (2011), with errors clustered by organisation
    (t with one degree of freedom less than organisations), average marginal effects by the delta method, and
    Benjamini and Hochberg's correction. The unit of inference is the organisation, so nothing is weighted by
    default.

    Degrees of freedom count everything estimated. `fixed_effects` is the regression with a dummy for each
    organisation, which counts where rows are taken as independent (`classical`, `HC1`, `HC3`); clustered
    errors do not count them again, as they are nested in the clusters (see `covariance`). Where a design
    looks within organisations only, those with one row are left out and listed in `sample`; elsewhere a slope
    within organisations has one degree of freedom less than organisations with several rows. With a random
    intercept they are Satterthwaite's. HC3 within organisations is cautious (`cautious_hc3`).

    With 60 organisations and no link, HC1 and clustered errors find one in 5 to 6.5 of 100 panels (about 7
    with uneven weights or very skewed money), the others in 4.5 to 5.5: see `benchmarks/rejections.py`.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> panel = cm.synthetic.outcome_panel(organisations=60, years=range(2019, 2024), seed=1)
    >>> link = link_outcomes(panel, "staff_engagement", cm.outcome("shmi"))
    >>> link.table.filter(role="main").select("n_orgs", "base").row(0)
    (60, 300)
    """
    indicators, controls = list(names_of(indicators)), names_of(controls)
    designs = designs_of(design)
    wanted = [outcomes] if isinstance(outcomes, (Outcome, str)) else list(outcomes)
    assert isinstance(data, Panel)  # by link_verb
    declared = [outcome_of(data, one) for one in wanted]
    check_call(lag, standardise, cov, adjust, conf_level)
    check_minimum("min_level_orgs", min_level_orgs)
    needed = [*indicators, *controls, *(name for one in declared for name in one.columns)]
    context = context_columns(data.table.columns, indicators, controls)
    arrays = panel_arrays(data.table, [*needed, *([weights] if weights else []), *context])
    check_lag(arrays, max([lag, *(one.lag for one in designs)]))
    values, faults = _values(arrays, declared)
    groups = [(one,) for one in indicators] if one_at_a_time else [tuple(indicators)]
    plans = [
        Plan(
            found,
            group,
            # An indicator is not held equal to itself.
            tuple(name for name in controls if name not in group),
            design=which,
            lag=lag,
            year_effects=year_effects,
            standardise=dict(standardise) if isinstance(standardise, Mapping) else standardise,
            weights=weights,
            min_level_orgs=min_level_orgs,
        )
        for which in designs
        for found in values
        for group in ([(one,) for one in indicators] if which.both_ways else groups)
    ]
    plans, same = _once(plans)
    rows: list[dict[str, Any]] = []
    said: list[tuple[tuple[str, ...], str]] = []
    checks: list[dict[str, Any]] = []
    sample: list[dict[str, Any]] = []
    influence: list[pl.DataFrame] = []
    losses: list[Sequence[Loss]] = []
    mains: dict[str, Plan] = {}
    failed: list[LinkError] = []
    for plan in watched(plans, "Linking", progress, LONG):
        try:
            if plan.values.outcome in faults:
                raise faults[plan.values.outcome]
            for indicator in plan.indicators:
                check_pair(arrays, plan.values, indicator)
            if not allow_dynamic_fe:
                check_dynamic(arrays, plan)
            models, missing = models_of(arrays, plan, cov, designs)
        except LinkError as error:
            failed.append(error)
            made = unfitted_rows(plan, error)
            rows += made
            said += [((), "")] * len(made)
            continue
        mains[models[0].name] = plan
        losses.append(models[0].fitted.matrix.losses)
        found_checks, found_influence, flags = diagnose(arrays, models, missing, cov, min_orgs)
        checks += found_checks
        influence += found_influence
        for model in models:
            made = _rows(arrays, models[0], model, conf_level, flags if model.role == MAIN else [], min_orgs)
            rows += made
            said += [(_held(model), _unweighted(models, model, row)) for row in made]
            sample += [{"model_id": model.name, **loss._asdict()} for loss in model.fitted.matrix.losses]
    if not mains:
        raise _none_fitted(failed)
    _adjust(rows, adjust)
    table = pl.DataFrame([row | {"flags": "; ".join(row["flags"])} for row in rows], schema=TABLE)
    shown = [row | {"flags": made["flags"]} for row, made in zip(table.to_dicts(), rows, strict=True)]
    return LinkResult(
        table=table,
        diagnostics=pl.DataFrame(checks, schema=DIAGNOSTICS),
        sample=pl.DataFrame(sample, schema=SAMPLE),
        influence=pl.concat(influence) if influence else pl.DataFrame(schema=INFLUENCE),
        statements=tuple(
            statement(row, conf_level, held, also) for row, (held, also) in zip(shown, said, strict=True)
        ),
        warnings=(*call_warnings(shown, losses), *same),
        source=Source(arrays, mains),
        level=conf_level,
    )


def _once(plans: Sequence[Plan]) -> tuple[list[Plan], list[str]]:
    """Keep one of the plans that come to the same model, and say which were the same.

    Beyond linear models the designs within organisations all take mean and deviation.
    """
    kept: dict[tuple[Any, ...], Plan] = {}
    same: list[str] = []
    for plan in plans:
        design = plan.design
        how = (plan.transform, design.estimator, plan.gap, plan.lag, plan.year_effects, plan.prior_outcome)
        first = kept.setdefault((plan.values.outcome, plan.indicators, design.both_ways, *how), plan)
        if first is not plan and first.design != design:
            same.append(
                f"{plan.values.outcome.title}: '{design.label}' is the same model as '{first.design.label}' "
                "for outcomes of this kind, and stands once."
            )
    return list(kept.values()), list(dict.fromkeys(same))


def _values(
    arrays: PanelArrays, declared: Sequence[Outcome]
) -> tuple[list[OutcomeValues], dict[Outcome, LinkError]]:
    """Return the values of each outcome, and why those that break the rules of their kind have none."""
    values: list[OutcomeValues] = []
    faults: dict[Outcome, LinkError] = {}
    for one in declared:
        try:
            values.append(outcome_values(arrays, one))
        except LinkError as error:
            faults[one] = error
            values.append(OutcomeValues(one, np.full(arrays.height, np.nan)))
    return values, faults


def _none_fitted(errors: Sequence[LinkError]) -> LinkError:
    """Return the error of a call without any figure: that of its links where it is one."""
    reasons = list(dict.fromkeys(error.what for error in errors))
    if len(reasons) == 1:
        return errors[0]
    return LinkError(
        f"None of {len(errors)} links could be fitted",
        got="; ".join(reasons[:MOST_REASONS]),
        hint=errors[0].hint,
    )


def _rows(
    arrays: PanelArrays, main: Model, model: Model, conf_level: float, flags: list[Flag], min_orgs: int
) -> list[dict[str, Any]]:
    """Return a model's rows of the table, with every flag that concerns it."""
    fitted = model.fitted
    found = model_rows(fitted, model.name, model.role, conf_level)
    general = [*fitted.flags, *data_flags(arrays, fitted.plan, fitted.matrix, min_orgs)]
    for row in found:
        own = [flag.code for flag in flags if flag.concerns(row["indicator"], row["term"])]
        row["flags"] = list(dict.fromkeys([*general, *own]))
        if model.term:
            row["term"] = model.term
        if model.term == REVERSE:
            row.update(_pair(main.fitted.plan))
    return found


def _held(model: Model) -> tuple[str, ...]:
    """Say what a model holds equal: what stands in it beside the indicator, and nothing that fell out."""
    plan, names = model.fitted.plan, model.fitted.matrix.names
    held = [one for one in plan.controls if any(n == one or n.startswith(f"{one}: ") for n in names)]
    held = [title_of(one) for one in held]
    if PRIOR in names:
        held.append(f"{inside(plan.values.outcome.title)} in the earlier year")
    if any(name.startswith("year ") for name in names):
        held.append("year")
    if len(plan.indicators) > 1:
        held.insert(0, "the other indicators")
    return tuple(held)


def _unweighted(models: Sequence[Model], model: Model, row: Mapping[str, Any]) -> str:
    """Say what a weighted slope is without its weights, and whether that is another result."""
    plan = model.fitted.plan
    other = next((one.fitted for one in models if one.name.endswith("; unweighted")), None)
    if (
        plan.weights is None
        or other is None
        or model.role != MAIN
        or other.failed
        or row.get("estimate") is None
    ):
        return ""
    column = other.matrix.terms[row["indicator"], row["term"]]
    b = float(other.solution.params[column]) * row["step"] / other.matrix.steps[row["indicator"]]
    p = p_of(float(other.solution.params[column]) / other.std_error(column), other.degrees(column))
    weighted = f"the slope is {row['estimate']:.3g} ({p_said(row['p_value'])})"
    plain = f"without them {b:.3g} ({p_said(p)})"
    if "weights_matter" in row["flags"]:
        return f"This rests on the weights ({plan.weights}): with them {weighted}, {plain}."
    return f"With the weights ({plan.weights}) {weighted}, {plain}."


def _pair(plan: Plan) -> dict[str, Any]:
    """Name the pair of a plan, for the path from its outcome to its indicator."""
    outcome = plan.values.outcome
    named = {"outcome": outcome.column, "outcome_label": outcome.title, "kind": outcome.kind}
    return named | {"unit": outcome.unit, "indicator": plan.indicators[0], "better": None, "direction": None}


def _adjust(rows: list[dict[str, Any]], correction: str) -> None:
    """Adjust p-values over all tests of one design, role and term."""
    families: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("p_value") is not None and row["role"] == MAIN:
            families.setdefault((row["design"], row["term"]), []).append(row)
    for family in families.values():
        for row, p in zip(family, adjust([row["p_value"] for row in family], correction), strict=True):
            row["p_adjusted"] = p
            if len(family) > MANY_TESTS:
                row["flags"].append("multiple_testing")
