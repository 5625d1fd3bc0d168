"""Checks and the flags they raise, and traps in a panel that no model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.models.outcome_values import SMALL_BASE
from culture_metrics.models.sample import rare_levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culture_metrics.models.design_matrix import DesignMatrix
    from culture_metrics.models.outcome_values import OutcomeValues
    from culture_metrics.models.panel_arrays import Array, PanelArrays
    from culture_metrics.models.plan import Plan

#: Columns that tell kinds of organisations apart.
ORGANISATION_TYPES = ("benchmark_group", "benchmarking_group", "organisation_type", "trust_type")
#: Clustered standard errors are too small below this many organisations.
FEW_CLUSTERS = 40
#: An indicator with fewer distinct values is rounded.
FEW_VALUES = 15
#: Highest value of a five-point scale.
FIVE = 5.0
#: Correlation from which a control is the outcome of the year before, figures revised since included.
NEARLY = 0.999
#: Flags, and what they mean for a reader.
MEANINGS = {
    "few_orgs": "fewer organisations than min_orgs",
    "few_clusters": f"fewer than {FEW_CLUSTERS} organisations: clustered errors tend to be too small; "
    "cov='wild' tests such slopes by a wild bootstrap",
    "not_clustered": "the errors take years of one organisation as independent, and are too small where they "
    "are not; cov='cluster' allows for it",
    "cautious_hc3": "HC3 overstates the variance within organisations, by T/(T-1) for T years of each",
    "same_source": "outcome and indicator come from the same survey, which by itself makes them go together",
    "merged_levels": "levels of the outcome with fewer than 10 rows were merged with a neighbour",
    "overdispersed": "the outcome varies more than its model says by itself; the errors allow for it, "
    "those of cov='classical' excepted",
    "prop_odds": "the slope differs between the levels of the outcome: the one odds ratio is an average",
    "boundary": "no variance between organisations was found: clustered least squares instead",
    "separation": "a slope or probability ran off: no figures",
    "not_converged": "the model did not converge: no figures",
    "not_fitted": "no model could be fitted: the reason stands beside the pair",
    "rare_levels": "levels of a control that few organisations have were left out with their rows",
    "influential": "without some one organisation the result changes",
    "placebo": "next year's indicator goes with this year's outcome",
    "reverse": "the path from outcome to indicator is at least as strong",
    "within_ne_between": "the links within and between organisations differ",
    "weighted": "the figures are weighted; the unweighted ones stand beside them",
    "gaps": "years are missing between an organisation's rows, which the lag leaves out",
    "scale_break": "the indicator is on a 1 to 5 scale in some years and beyond it in others",
    "all_zero_column": "a control is 0 in every row: a placeholder, left out",
    "rounded": f"the indicator has fewer than {FEW_VALUES} distinct values",
    "small_base": f"some bases are under {SMALL_BASE}",
    "mixed_org_types": "kinds of organisations are pooled, and their kind is not among the controls",
    "multiple_testing": "more than 20 tests: read p_adjusted",
    "nonlinear": "a curve fits better than a straight line",
    "unreliable": "organisations' scores are not reliable enough to tell them apart (ICC(2) under 0.70)",
    "sparse_events": "fewer than 10 events for each parameter",
    "collinear": "an indicator can nearly be worked out from the others and the controls (VIF over 10)",
    "weights_matter": "the results rest on the weights: without them they differ by a quarter, or in sign",
    "scrambled_codes": "a control holds codes of which one name has several: use the column with names",
    "not_0_to_10": "a column named engagement stays within 1 to 5: not the official 0 to 10 score",
    "percent_below_one": "a percentage never exceeds 1: is it a fraction already?",
}  # fmt: skip


#: Columns of `LinkResult.diagnostics`.
DIAGNOSTICS: dict[str, pl.DataType | type[pl.DataType]] = {
    "model_id": pl.String, "test": pl.String, "subject": pl.String, "statistic": pl.Float64,
    "p_value": pl.Float64, "value": pl.Float64, "threshold": pl.Float64, "flag": pl.Boolean,
    "note": pl.String,
}  # fmt: skip


class Check(NamedTuple):
    """One check of a model: what it looked at, what it found, and the flag that it raises if any.

    `of` names the indicator, or the indicator and term, whose rows the flag concerns; without it all rows.
    """

    test: str
    subject: str | None = None
    statistic: float | None = None
    p_value: float | None = None
    value: float | None = None
    threshold: float | None = None
    raises: str | None = None
    note: str = ""
    of: tuple[str, ...] | None = None

    def row(self, model_id: str) -> dict[str, object]:
        """Return the check as a row of the diagnostics."""
        found = self._asdict() | {"model_id": model_id, "flag": self.raises is not None}
        del found["raises"], found["of"]
        return found


class Flag(NamedTuple):
    """A flag and the rows it concerns, as in `Check`."""

    code: str
    of: tuple[str, ...] | None = None

    def concerns(self, indicator: str, term: str) -> bool:
        """Whether the flag is for a row of the table."""
        return self.of is None or self.of == (indicator, term)[: len(self.of)]


def raised(flag: str, up: bool) -> str | None:
    """Return the flag when it is up."""
    return flag if up else None


def context_columns(known: Iterable[str], indicators: Sequence[str], controls: Sequence[str]) -> list[str]:
    """Return the columns of the panel that the checks want beyond those a model uses."""
    known = list(known)
    wanted = [name for name in known if name.casefold().replace(" ", "_") in ORGANISATION_TYPES]
    wanted += [sibling for control in controls for sibling in _siblings(control) if sibling in known]
    wanted += [f"{indicator}_base" for indicator in indicators if f"{indicator}_base" in known]
    return [name for name in dict.fromkeys(wanted) if name not in (*indicators, *controls)]


def check_pair(arrays: PanelArrays, values: OutcomeValues, indicator: str) -> None:
    """Refuse an outcome that is the indicator, or made of it.

    Raises
    ------
    LinkError
        When indicator and outcome are one column, or one follows exactly from the other.
    """
    outcome = values.outcome
    if indicator in outcome.columns:
        raise LinkError(
            f"'{indicator}' is part of the outcome '{outcome.column}'",
            where=f"indicator {indicator}",
            hint="An outcome cannot be linked to itself or to its own denominator.",
        )
    if outcome.rules.graded:
        return
    z = arrays.column(indicator)
    versions = [values.y] + ([] if values.base is None else [values.y * values.base, values.y / values.base])
    if any(_one_line(z, version) for version in versions):
        raise LinkError(
            f"'{indicator}' and the outcome '{outcome.column}' hold the same numbers on another scale",
            where=f"indicator {indicator}",
            hint="An outcome cannot be linked to itself.",
        )


def check_dynamic(arrays: PanelArrays, plan: Plan) -> None:
    """Refuse the outcome of the year before as a control within organisations.

    Raises
    ------
    LinkError
        When a control of a within-organisation design holds the outcome of the year before.

    Notes
    -----
    Nickell (1981): the bias is of the order of (1 + rho) / (years - 1).
    """
    if not plan.design.within_only:
        return
    before = arrays.ahead(-1)
    past = np.where(before >= 0, plan.values.y[before], np.nan)
    for name in plan.controls:
        if name in arrays.numbers and _one_line(arrays.numbers[name], past, NEARLY):
            raise LinkError(
                f"The control '{name}' holds the outcome of the year before",
                where=f"outcome {plan.values.outcome.column}, design {plan.design.name}",
                expected="no earlier outcome within organisations: it biases every slope (Nickell)",
                hint="Use design='lagged', or say allow_dynamic_fe=True where the years are many.",
            )


def data_flags(arrays: PanelArrays, plan: Plan, matrix: DesignMatrix, min_orgs: int) -> list[str]:
    """Return the flags that the data of a model raise, whatever its figures."""
    outcome = plan.values.outcome
    raised = {
        "few_orgs": matrix.carrying < min_orgs,
        "few_clusters": matrix.repeated and matrix.carrying < FEW_CLUSTERS,
        "same_source": outcome.same_source,
        "weighted": plan.weights is not None,
        "gaps": (plan.lag > 0 or plan.gap > 0) and _gaps(arrays),
        "scale_break": any(_breaks(arrays, name) for name in plan.indicators),
        "all_zero_column": any(_zero(arrays, name) for name in plan.controls),
        "rounded": any(_few_values(arrays.column(name)[matrix.rows]) for name in plan.indicators),
        "rare_levels": bool(rare_levels(matrix.losses)),
        "small_base": outcome.rules.trials and _small(matrix),
        "mixed_org_types": _mixed(arrays, plan, matrix),
        "scrambled_codes": any(_scrambled(arrays, name) for name in plan.controls),
        "not_0_to_10": any(_five_points(arrays, name) for name in plan.indicators),
        "percent_below_one": outcome.percent and bool(np.nanmax(plan.values.y) <= 0.01),
    }  # fmt: skip
    return [flag for flag, up in raised.items() if up]


def _siblings(control: str) -> list[str]:
    """Return names that the column with the names of these codes may have."""
    for separator in (".", "_", " "):
        if control.casefold().endswith(f"{separator}code"):
            return [control[:-4] + "name", control[:-4] + "Name"]
    return []


def _one_line(a: Array, b: Array, least: float = 1 - 1e-12) -> bool:
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3:
        return False
    first, second = a[known] - a[known].mean(), b[known] - b[known].mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return size > 0 and abs(float(first @ second)) > size * least


def _few_values(values: Array) -> bool:
    return np.unique(values).size < FEW_VALUES


def _small(matrix: DesignMatrix) -> bool:
    return matrix.base is not None and bool((matrix.base < SMALL_BASE).any())


def _gaps(arrays: PanelArrays) -> bool:
    same = arrays.organisation[1:] == arrays.organisation[:-1]
    return bool((same & (np.diff(arrays.year) > 1)).any())


def _ranges(arrays: PanelArrays, name: str) -> list[tuple[float, float]]:
    values = arrays.column(name)
    years = [values[(arrays.year == year) & np.isfinite(values)] for year in np.unique(arrays.year)]
    return [(float(found.min()), float(found.max())) for found in years if found.size]


def _breaks(arrays: PanelArrays, name: str) -> bool:
    ranges = _ranges(arrays, name)
    short = [low >= 1 and high <= FIVE for low, high in ranges]
    return any(short) and any(low > FIVE for low, _ in ranges)


def _five_points(arrays: PanelArrays, name: str) -> bool:
    ranges = _ranges(arrays, name)
    return (
        "engagement" in name.casefold()
        and bool(ranges)
        and all(low >= 1 and high <= FIVE for low, high in ranges)
    )


def _zero(arrays: PanelArrays, name: str) -> bool:
    return name in arrays.numbers and not np.nan_to_num(arrays.numbers[name]).any()


def _mixed(arrays: PanelArrays, plan: Plan, matrix: DesignMatrix) -> bool:
    types = [name for name in arrays.categories if name.casefold().replace(" ", "_") in ORGANISATION_TYPES]
    if plan.design.within_only or any(name in plan.controls for name in types):
        return False
    return any(np.unique(arrays.categories[name].codes[matrix.rows]).size > 1 for name in types)


def _scrambled(arrays: PanelArrays, name: str) -> bool:
    """Whether one name has several codes."""
    for sibling in _siblings(name):
        if name in arrays.categories and sibling in arrays.categories:
            codes, names = arrays.categories[name].codes, arrays.categories[sibling].codes
            known = (codes >= 0) & (names >= 0)
            pairs = np.unique(np.c_[names[known], codes[known]], axis=0)
            return bool(pairs.shape[0] > np.unique(names[known]).size)
    return False
