"""Where public names stand: few at the top, the rest one step below, each once and loaded when it is used."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import culture_metrics as cm
from culture_metrics.errors import UnknownNameError

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ["compare", "disclosure", "links", "measurement", "published", "results", "synthetic", "views"]
VERBS = sorted(set(cm.__all__) - set(ROOMS))
#: Rooms that load their names when they are used; `views` needs Plotly for all it has.
LAZY = [cm, *(getattr(cm, room) for room in ROOMS if room != "views")]


def test_the_top_has_the_rooms_and_what_most_users_need():
    assert set(ROOMS) < set(cm.__all__)
    assert len(VERBS) < 45
    # Who looks for it beside `Published` finds it as well.
    twice = {name for room in ROOMS for name in getattr(cm, room).__all__ if name in VERBS}
    assert twice - {"distributions", "trend"} == {"read_published"}


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_types_are_checked_for_every_name_that_is_loaded_later(package):
    """What a type checker reads is what is loaded."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    found = {
        name.asname: (node.module, name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.asname
    }
    assert set(found) == set(package.__all__)
    for name, (module, original) in found.items():
        given = getattr(package, name)
        assert original == name
        assert given is getattr(import_module(module), name)
        assert isinstance(given, ModuleType) == (package is cm and name in ROOMS)


def test_a_verb_stays_where_it_is_when_every_module_is_loaded():
    """A module of the same name would stand where the verb does."""
    for module in pkgutil.walk_packages(cm.__path__, "culture_metrics."):
        import_module(module.name)
    for package in (*LAZY, cm.views):
        hidden = [name for name in package.__all__ if isinstance(getattr(package, name), ModuleType)]
        assert hidden == (ROOMS if package is cm else [])


def test_a_room_loads_no_verb_before_it_is_used():
    code = (
        "import sys, culture_metrics as cm\n"
        f"rooms = [getattr(cm, name) for name in {ROOMS[:-1]}]\n"
        "before = {name for name in sys.modules if name.startswith('culture_metrics.')}\n"
        "cm.links.mediate\n"
        "print('polars' in str(before), 'culture_metrics.links.mediation' in before, len(before))\n"
        "print('culture_metrics.links.mediation' in sys.modules, 'plotly' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second = ran.stdout.splitlines()
    assert first.split()[:2] == ["False", "False"]
    assert int(first.split()[2]) < 30
    assert second == "True False"


@pytest.mark.parametrize("package", [cm, cm.links], ids=lambda package: package.__name__)
def test_what_is_not_there_is_said_like_python_does(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'relative'"):
        _ = package.relative
    assert "relative" not in dir(package)
    assert {*package.__all__, "__doc__"} <= set(dir(package))


def test_texts_call_only_what_is_there():
    """In pages, notebooks, docstrings, messages and hints."""
    files = [
        *ROOT.glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb"),
        *(path for folder in ("culture_metrics", "data_schemas", "tests", "benchmarks")
          for ending in ("py", "md") for path in (ROOT / folder).rglob(f"*.{ending}")),
    ]  # fmt: skip
    called = {
        (path.relative_to(ROOT).as_posix(), *found)
        for path in files
        for found in re.findall(r"\bcm\.(\w+)(?:\.(\w+))?", path.read_text(encoding="utf-8"))
    }
    assert len({first for _, first, _ in called} & set(VERBS)) > 25
    missing = [
        one
        for one in called
        if one[1] not in dir(cm) or (one[1] in ROOMS and one[2] and one[2] not in dir(getattr(cm, one[1])))
    ]
    assert sorted(missing) == []


#: The one vocabulary: name of an argument -> what it is when left out. An organisation, a year or peers that
#: are left out are those of the file; `by=None` of a study are its survey's own breakdowns.
REQUIRED = inspect.Parameter.empty
VOCABULARY = {
    "organisation": [REQUIRED, None],
    "year": [REQUIRED, None],
    "by": [(), None],
    "conf_level": [0.95],
    "adjust": ["bh"],
    "weights": [None],
    "minimum_base": [None],
    "seed": [0],
    "peers": [REQUIRED, None],
}
#: Other names of the same.
SECOND_NAMES = {
    "adjustment", "alpha", "benchmark_groups", "breakdown", "breakdowns", "ci", "confidence", "correction",
    "group", "groups", "min_base", "ods", "ods_code", "org", "organisation_code", "p_adjust", "random_state",
    "rng", "weight",
}  # fmt: skip
#: Arguments of these names that mean something else, or must be said otherwise.
OTHERWISE = {
    # Columns of a table: a panel has its own.
    **{
        (verb, column): column
        for verb in (
            "lavaan_model", "link_outcomes", "mediate", "moderate", "relative_weights", "specification_curve"
        )
        for column in ("organisation", "year")
    },
    # An agreement is always of the people of groups.
    ("agreement", "by"): "organisation",
    # The pulse is that of the country where no organisation is named.
    ("run_chart", "organisation"): "all",
    # Choices that the curve goes through.
    ("specification_curve", "weights"): (),
}  # fmt: skip


def public_verbs():
    """Functions and choices at the top and in the rooms that have verbs, but for what verbs return."""
    found = {name: getattr(cm, name) for name in VERBS}
    for room in ROOMS[:-2]:
        found |= {name: getattr(getattr(cm, room), name) for name in getattr(cm, room).__all__}
    returned = {"DisclosureAudit", "Distributions", "Published", "Results"}
    return {name: one for name, one in found.items() if name not in returned}


@pytest.mark.parametrize("verb", public_verbs())
def test_arguments_are_called_alike_and_left_out_alike(verb):
    arguments = inspect.signature(public_verbs()[verb]).parameters
    assert SECOND_NAMES & set(arguments) == set()
    for name in set(arguments) & set(VOCABULARY):
        found = arguments[name].default
        assert found == OTHERWISE[verb, name] if (verb, name) in OTHERWISE else found in VOCABULARY[name]


def test_what_is_said_otherwise_is_still_there():
    for verb, name in OTHERWISE:
        assert inspect.signature(public_verbs()[verb]).parameters[name].default not in VOCABULARY[name]


def verbs_that_take(argument):
    """Every verb that takes several names in an argument, with how many names it requires before it."""
    found = {}
    for package in LAZY:
        for name in set(package.__all__) - set(ROOMS):
            given = getattr(package, name)
            takes = inspect.signature(given).parameters if hasattr(given, "__wrapped__") else {}
            if argument in takes and "[str" in str(takes[argument].annotation):
                found[name] = given
    return sorted(found.items())


@pytest.mark.parametrize("argument", ["by", "measures"])
def test_names_in_a_wrong_nesting_are_refused_by_every_verb_that_takes_names(argument):
    """Before anything is read or worked out: what else a verb is given does not matter here."""
    verbs = [*verbs_that_take(argument), *([("study", cm.study)] if argument == "by" else [])]
    assert len(verbs) > 4
    for name, given in verbs:
        required = [p.name for p in inspect.signature(given).parameters.values() if p.default is p.empty]
        rest = {key: () for key in required if key != argument} or {"inputs": ()}
        for wrong in ([[["gender", "age"]]], [3], 3, [None], {"gender": "age"}):
            with pytest.raises(UnknownNameError, match=f"{argument}= takes names") as caught:
                given(**rest, **{argument: wrong})
            assert f'{argument}=["' in caught.value.expected and caught.value.got, name
    with pytest.raises(UnknownNameError, match="measures= takes names") as caught:
        cm.compare_years([], 2023, 2024, measures=[["morale", "staff_engagement"]])
    assert caught.value.got == "list where a name should stand"
