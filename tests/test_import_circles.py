"""No module of the package needs, when it is loaded, one that needs it."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]


def inside(path: Path) -> set[int]:
    """Return the lines of imports that wait until a function is called."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    imports = [n for f in functions for n in ast.walk(f) if isinstance(n, (ast.Import, ast.ImportFrom))]
    return {line for node in imports for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def circles(needs: dict[str, set[str]]) -> list[list[str]]:
    """Return the modules that stand on a circle: what is left when all that need nothing left are taken out."""
    left = {name: set(others) for name, others in needs.items()}
    while free := [name for name, others in left.items() if not others & set(left)]:
        for name in free:
            del left[name]
    # Nobody on a circle is needed by nobody.
    while loose := [name for name in left if not any(name in others for others in left.values())]:
        for name in loose:
            del left[name]
    return [[name, *sorted(left[name] & set(left))] for name in sorted(left)]


@pytest.fixture(scope="module")
def needs() -> dict[str, set[str]]:
    graph = grimp.build_graph("culture_metrics", exclude_type_checking_imports=True, cache_dir=None)
    found: dict[str, set[str]] = {}
    for name in graph.modules:
        path = ROOT / (name.replace(".", "/") + ".py")
        later = inside(path if path.exists() else path.with_suffix("") / "__init__.py")
        found[name] = {
            other
            for other in graph.find_modules_directly_imported_by(name)
            if any(
                one["line_number"] not in later
                for one in graph.get_import_details(importer=name, imported=other)
            )
        }
    return found


def test_no_circle(needs: dict[str, set[str]]) -> None:
    assert len(needs) > 250
    assert circles(needs) == []


def test_a_circle_is_found(needs: dict[str, set[str]]) -> None:
    """A room that would import what stands on it: the plan of a model, and a verb."""
    turned = needs | {
        "culture_metrics.models.plan": needs["culture_metrics.models.plan"]
        | {"culture_metrics.links.link_outcomes"}
    }
    named = {name for circle in circles(turned) for name in circle}
    assert {"culture_metrics.models.plan", "culture_metrics.links.link_outcomes"} <= named
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"], ["c", "b"]]
