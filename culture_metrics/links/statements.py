"""Plain sentences on links. They say that things go together, never that one brings about the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culture_metrics.links.checks import MEANINGS
from culture_metrics.links.table import NOT_FITTED
from culture_metrics.links.titles import heading, title_of
from culture_metrics.models.designs.registry import as_design
from culture_metrics.models.designs.within import FIXED_EFFECTS
from culture_metrics.models.sample import rare_levels, rare_rows
from culture_metrics.outcomes.kinds import ORDINAL, as_kind
from culture_metrics.outcomes.outcome import Outcome
from culture_metrics.wording.numbers import number, places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.models.sample import Loss

COVARIANCES = {
    "cluster": "errors clustered by organisation",
    "wild": "interval by wild bootstrap of organisations",
    "robust": "robust errors by organisation",
    "GLS": "random intercept for each organisation",
    "HC1": "errors robust to unequal variances",
    "HC3": "errors robust to unequal variances",
    "scaled": "errors scaled by the dispersion",
    "classical": "classical errors",
}
#: What follows the figures when a flag is raised.
REMARKS = {
    "same_source": "Both come from the staff survey, which by itself makes them go together.",
    "few_orgs": "Few organisations: read with care.",
    "few_clusters": "Fewer than 40 organisations: clustered errors tend to be too small.",
    "influential": "The result hangs on single organisations.",
    "placebo": "Next year's indicator goes with this year's outcome too: their order in time is not shown.",
    "reverse": "The path from outcome to indicator is at least as strong.",
    "within_ne_between": "Within and between organisations the links differ: read both.",
    "scale_break": "The indicator changes scale between years: do not read this as it stands.",
}
ONE_YEAR = "One year: not examined within organisations."
#: Said of every call.
CAVEATS = (
    "These are associations. Other differences between organisations (region, type, size, patients) can make "
    "them, and good outcomes can lift morale rather than the other way round.",
    "They are about organisations: they say nothing of single teams or people.",
    "Organisations picked for an extreme score move back towards the average by themselves.",
    "Mergers, changed questions and who chose to respond can break a series.",
)
#: Figures that all are smaller than this are said by their powers of ten.
TINY = 1e-6
#: What the slopes of a split indicator are of, whatever the design.
TERMS = {
    "within": FIXED_EFFECTS.sentence,
    "between": "Organisations whose average {indicator} was {step} higher had {outcome}{later}",
}
LAGS = {0: "", 1: " a year later", 2: " two years later"}


def statement(row: Mapping[str, Any], conf_level: float, held: tuple[str, ...], also: str = "") -> str:
    """Say one row of the table in a sentence.

    Parameters
    ----------
    row : mapping
        A row of `LinkResult.table`.
    conf_level : float
        Level of the interval.
    held : tuple of str
        What is held equal.
    also : str
        Sentence to go before the last.
    """
    if row["estimate"] is None:
        pair = f"{row['outcome_label']} on {title_of(row['indicator'])} ({title_of(row['design'])})"
        if row["status"] == NOT_FITTED:
            return f"{pair}: no figures. {row['reason']}"
        return f"{pair}: no figures, the model failed ({', '.join(row['flags'])})."
    counts = f"{row['base']:,} {'organisations' if row['base'] == row['n_orgs'] else 'organisation-years'}"
    if row["base"] != row["n_orgs"]:
        counts += f", {row['n_orgs']:,} organisations"
    counts += f", {row['years']}"
    if row["n_dropped"]:
        counts += f" ({row['n_dropped']:,} of {row['base'] + row['n_dropped']:,} rows could not be used)"
    equal = f", {_and(held)} held equal" if held else ""
    parts = [f"{_subject(row)} {_figure(row, conf_level)}{equal}; {counts}, {COVARIANCES[row['cov']]}."]
    parts += [also] if also else []
    parts += [ONE_YEAR] if row["n_years"] == 1 else []
    parts += [text for flag, text in REMARKS.items() if flag in row["flags"]]
    return " ".join([*parts, "Association only."])


def _subject(row: Mapping[str, Any]) -> str:
    step, name, outcome = row["step_label"].lstrip("+"), title_of(row["indicator"]), _what(row)
    later = LAGS.get(row["lag"], f" {row['lag']} years later")
    if row["term"] == "outcome_to_indicator":
        return f"Organisations with {outcome} 1 SD higher had {name}{later}"
    said = TERMS.get(row["term"]) or as_design(row["design"]).sentence or as_kind(row["kind"]).sentence
    return said.format(indicator=name, step=step, outcome=outcome, later=later)


def _what(row: Mapping[str, Any]) -> str:
    """Name what the figure is of: the outcome, its odds or its probability."""
    name = str(row["outcome_label"])
    if row["family"] == ORDINAL:
        return f"odds of a better level of {name}"
    rules = as_kind(row["kind"])
    if rules.ordered:
        return f"a probability of {str(row['model']).removeprefix('logit of ')} in {name}"
    return rules.subject.format(outcome=name)


def _figure(row: Mapping[str, Any], conf_level: float) -> str:
    level = f"{100 * conf_level:g}% interval"
    value, low, high = row["effect"], row["effect_low"], row["effect_high"]
    factor, unit = 1.0, ""
    if row["link"] == "log" or row["family"] == ORDINAL:
        value, low, high, unit = 100 * (value - 1), 100 * (low - 1), 100 * (high - 1), "%"
    elif row["effect_scale"] == "percentage points":
        unit = " percentage points"
    elif as_design(row["design"]).both_ways:
        unit = " SD"
    else:
        factor, unit = Outcome(row["outcome"], "continuous", unit=row["unit"]).said_in
    return _between(factor * value, factor * low, factor * high, unit, level)


def _between(value: float, low: float, high: float, unit: str, level: str) -> str:
    before, after = ("£", "") if unit == " £" else ("", unit)
    size, near, far = (_size(x, low, high) for x in (value, low, high))
    told = f"{before}{size}{after} {_side(value)}" if size.strip("0.") else "no different"
    if low > 0 or high < 0:
        near, far = (near, far) if abs(low) < abs(high) else (far, near)
        return f"{told} ({level} {before}{near} to {before}{far}{after} {_side(high + low)})"
    return f"{told} ({level} {before}{near} lower to {before}{far} higher)"


def _size(value: float, low: float, high: float) -> str:
    """Return the size of a figure as exact as its interval, a tiny one by its power of ten."""
    text = number(abs(value), places(low, high))
    return text if max(abs(low), abs(high)) >= TINY else f"{abs(value):.2g}"


def _side(value: float) -> str:
    return "higher" if value > 0 else "lower"


def _and(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def call_warnings(rows: Sequence[Mapping[str, Any]], losses: Sequence[Sequence[Loss]]) -> tuple[str, ...]:
    """Say what to know before quoting any of these links: caveats, power, rows left out, each flag raised."""
    main = [row for row in rows if row["role"] == "main"]
    said = [*CAVEATS, *_detectable(main)]
    if left_out := rare_levels(max(losses, key=rare_rows, default=())):
        said.append(f"Left out, as few organisations have this level: {left_out} (most in one model).")
    for flag, meaning in MEANINGS.items():
        count = sum(flag in row["flags"] for row in main)
        if count:
            said.append(f"{heading(meaning)} ({count} of {len(main)} rows).")
    return tuple(said)


def _detectable(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say for each design and term how weak a link may be missed: of its links the one least likely found."""
    known = [row for row in rows if row["detectable_r"] is not None]
    ways = dict.fromkeys((row["design"], row["term"]) for row in known)
    said = []
    for design, term in ways:
        weakest = max(
            (row for row in known if (row["design"], row["term"]) == (design, term)),
            key=lambda row: row["detectable_r"],
        )
        name = (
            title_of(design)
            if term == "overall" or as_design(design).both_ways
            else f"{title_of(design)}, {term}"
        )
        said.append(
            f"{heading(name)}: with {weakest['n_orgs']:,} organisations and {weakest['base']:,} rows a "
            f"correlation under {weakest['detectable_r']:.2f} in size is missed more often than one time in "
            "five: finding none does not exclude it."
        )
    return said
