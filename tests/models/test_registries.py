"""Designs and kinds of outcome declare themselves: nothing else knows them by name, and none is fitted as another."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError
from culture_metrics.models.design_matrix import design_matrix
from culture_metrics.models.designs import registry
from culture_metrics.models.designs.design import Design, Transform
from culture_metrics.models.designs.pooled import POOLED
from culture_metrics.models.designs.registry import DESIGNS, as_design
from culture_metrics.models.outcome_values import outcome_values
from culture_metrics.models.panel_arrays import panel_arrays
from culture_metrics.models.plan import Plan
from culture_metrics.outcomes.kinds import KINDS, as_kind

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "culture_metrics"
#: Where designs and kinds are declared.
HOME = {PACKAGE / "outcomes" / "kinds.py", *(PACKAGE / "models" / "designs").glob("*.py")}
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if path not in HOME]


def texts(node):
    """Yield the strings that stand by themselves or in a tuple, list or set."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        for element in node.elts:
            yield from texts(element)


def named(tree, names):
    """Yield the lines that compare or look up one of these names, or list several of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            found = [text for part in (node.left, *node.comparators) for text in texts(part)]
            wanted = 1
        elif isinstance(node, ast.MatchValue):
            found, wanted = list(texts(node.value)), 1
        elif isinstance(node, ast.Dict):
            found, wanted = [text for key in node.keys if key for text in texts(key)], 2
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            found, wanted = list(texts(node)), 2
        else:
            continue
        if len(set(found) & names) >= wanted:
            yield node.lineno


def defaults(tree):
    """Return the lines of default values: a verb may name the designs that it takes when nothing is said."""
    return {
        default.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for default in (*node.args.defaults, *node.args.kw_defaults)
        if default
    }


@pytest.mark.parametrize("names", [set(DESIGNS), set(KINDS)], ids=["designs", "kinds"])
def test_nobody_compares_names(names):
    found = Counter()
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lines = [line for line in named(tree, names) if line not in defaults(tree)]
        if lines:
            found[f"{path.relative_to(ROOT).as_posix()}: {lines}"] = len(lines)
    assert dict(found) == {}


def test_the_search_finds_what_it_is_for():
    """Each way to tell designs apart by name, and one that is none."""
    source = """
if plan.design == "pooled": pass
if design in ("mixed", x): pass
match design:
    case "lagged": pass
WORDS = {"pooled": 1, "mixed": 2}
PANEL = ("pooled", "mixed")
link(design="pooled")
"""
    assert sorted(named(ast.parse(source), set(DESIGNS))) == [2, 3, 5, 6, 7]


@pytest.mark.parametrize("wrong", ["poled", "", "first difference", 3, None])
def test_an_unknown_design_is_refused_with_those_there_are(wrong):
    panel = cm.synthetic.outcome_panel(organisations=20)
    for call in (
        lambda: cm.link_outcomes(panel, "morale", "shmi", design=wrong),
        lambda: cm.link_outcomes(panel, "morale", "shmi", design=["pooled", wrong]),
        lambda: cm.specification_curve(panel, "morale", "shmi", designs=["pooled", wrong]),
    ):
        with pytest.raises(LinkError, match="design") as caught:
            call()
        assert caught.value.expected == ", ".join(DESIGNS)


def test_an_unknown_kind_is_refused_with_those_there_are():
    for wrong in ("shares", None, 3):
        with pytest.raises(LinkError, match="kind") as caught:
            cm.Outcome("falls", kind=wrong)
        assert caught.value.expected == ", ".join(KINDS)


def test_a_design_that_does_not_say_how_it_takes_the_figures_cannot_be_made():
    """What decides a figure has no default, so a name alone is no design."""
    needed = {"name", "label", "transform", "beyond_linear", "estimator", "kinds", "independent", "reference"}
    for missing in needed:
        given = {field.name: getattr(POOLED, field.name) for field in fields(Design)}
        del given[missing]
        with pytest.raises(TypeError, match=missing):
            Design(**given)
    with pytest.raises(LinkError, match="number of years"):
        replace(POOLED, transform=Transform.CHANGES)
    with pytest.raises(LinkError, match="kinds it names"):
        replace(POOLED, beyond_linear=None)


def test_a_design_on_the_list_is_fitted_as_it_says(monkeypatch):
    """A design is fitted by its declaration, whatever its name: changes under a new name are changes."""
    new = replace(DESIGNS["first_difference"], name="new", label="New")
    monkeypatch.setattr(registry, "DESIGNS", {**DESIGNS, "new": new})
    panel = cm.synthetic.outcome_panel(organisations=40)
    found, old, pooled = (
        cm.link_outcomes(panel, "morale", "inpatient_survey", design=one).table.filter(role="main")
        for one in ("new", "first_difference", "pooled")
    )
    assert found["design"].to_list() == ["new"]
    assert found.select("estimate", "std_error", "df").equals(old.select("estimate", "std_error", "df"))
    assert found["estimate"].item() != pytest.approx(pooled["estimate"].item(), rel=1e-3)


def test_no_two_designs_are_one():
    """Every design makes other numbers of the same panel (with organisations of one row, weights apart)."""
    panel = cm.synthetic.outcome_panel(organisations=40)
    seen = {}
    for name in DESIGNS:
        table = cm.link_outcomes(panel, "morale", "inpatient_survey", design=name).table.filter(role="main")
        seen[name] = tuple(np.round(table["estimate"].to_numpy(), 10))
    # A cross-section holds no years equal, which is all that parts it from pooled years.
    assert len(set(seen.values())) == len(DESIGNS)


def pairs():
    return [(design, kind) for design in DESIGNS.values() for kind in KINDS.values()]


OUTCOMES = {
    "continuous": cm.Outcome("inpatient_survey", "continuous"),
    "ratio": cm.outcome("shmi"),
    "proportion": cm.outcome("four_hour_wait"),
    "rate": cm.outcome("sickness_absence"),
    "count": cm.outcome("c_difficile"),
    "ordinal": cm.outcome("cqc_rating"),
    "binary": cm.Outcome("yes", "binary"),
    "money": cm.outcome("agency_spend"),
}


@pytest.fixture(scope="module")
def panel():
    made = cm.synthetic.outcome_panel(organisations=60, years=range(2018, 2024))
    median = pl.col("inpatient_survey").median()
    return made.with_columns(yes=(pl.col("inpatient_survey") > median).cast(pl.Int8))


@pytest.mark.parametrize(("design", "kind"), pairs(), ids=lambda one: one.name)
def test_every_pair_has_figures_or_is_refused_before_it_is_fitted(design, kind, panel):
    """Allowed pairs of design, kind and covariance: all give figures, all others a clear error."""
    outcome = OUTCOMES[kind.name]
    assert outcome.rules is kind
    for cov in ("auto", "classical", "scaled", "HC1", "HC3", "cluster", "wild"):
        allowed = kind in design.kinds and cov in design.covariances(kind)
        if cov == "wild" and allowed and (kind.skewed or not design.levels):
            continue  # slow, and covered by its own tests
        arrays = panel_arrays(panel, ["morale", *outcome.columns], organisation="organisation", year="year")
        plan = Plan(outcome_values(arrays, outcome), ("morale",), design=design)
        if not allowed:
            with pytest.raises(LinkError, match=f"has no {design.name} model|takes no cov="):
                design.check(kind, cov, weighted=False, column=outcome.column)
            with pytest.raises(LinkError, match=f"has no {design.name} model|takes no cov="):
                cm.link_outcomes(panel, "morale", outcome, design=design.name, cov=cov)
        else:
            assert design_matrix(arrays, plan).y.size


def test_estimating_equations_have_no_wild_bootstrap(panel):
    """It was one of least squares under their label: an interval on another scale, beside the slope."""
    for outcome in ("sickness_absence", "c_difficile"):
        for design in ("mixed", "within_between"):
            with pytest.raises(LinkError, match="takes no cov='wild'"):
                cm.link_outcomes(panel, "morale", cm.outcome(outcome), design=design, cov="wild")


@pytest.mark.parametrize("design", DESIGNS.values(), ids=lambda one: one.name)
def test_a_design_names_the_record_that_holds_its_figures(design):
    records = pl.read_csv(ROOT / design.reference)
    assert records.filter(pl.col("id").str.starts_with(f"{design.name}.")).height > 0
    assert (ROOT / design.reference).with_suffix(".R").exists()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda one: one.name)
def test_a_kind_names_the_record_that_holds_its_figures(kind):
    file, record = kind.reference.split(": ")
    assert record in pl.read_csv(ROOT / file, null_values="NA")["id"].to_list()


def test_names_are_found():
    assert all(as_design(name) is design is as_design(design) for name, design in DESIGNS.items())
    assert all(as_kind(name) is kind for name, kind in KINDS.items())
