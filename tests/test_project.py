"""The frame holds together: one list of dependencies, one version, nothing in git that should not be."""

from __future__ import annotations

import ast
import builtins
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import culture_metrics

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

#: conda-forge's name of a package where it is not the one in pyproject.toml.
CONDA_NAMES = {
    "pandera[polars]": "pandera-polars",
}
#: In environment.yml only: what pip finds there before it starts.
CONDA_ONLY = {"python", "pip"}


def needed() -> list[Requirement]:
    groups = [PROJECT["dependencies"], PROJECT["optional-dependencies"]["dev"]]
    return [Requirement(line) for group in groups for line in group]


def pins() -> list[Requirement]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return [Requirement(line) for line in re.findall(r"^(\w[^\\\n]+?) *\\?$", text, re.MULTILINE)]


def tracked() -> list[Path]:
    """Files that git knows; the tests that need them are skipped outside a checkout."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [path for name in names.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> dict[str, str]:
    found = {}
    for path in tracked():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def imported(folder: str) -> set[str]:
    """Names of the packages from elsewhere that the modules of a folder import."""
    found: set[str] = set()
    # Peers of the benchmarks live in an environment of their own.
    files = [path for path in (ROOT / folder).rglob("*.py") if path.parent.name != "peers"]
    own = {"culture_metrics", "data_schemas", "benchmarks", "tests", *(path.stem for path in files)}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    packages = packages_distributions()
    return {
        canonicalize_name(packages.get(name, [name])[0]) for name in found - sys.stdlib_module_names - own
    }


@pytest.mark.parametrize("folder", ["culture_metrics", "data_schemas"])
def test_what_is_imported_is_declared(folder: str) -> None:
    lines = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["pictures"]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    found = imported(folder)
    assert "polars" in found
    assert found <= declared


def test_what_the_checks_import_is_declared() -> None:
    assert imported("tests") | imported("benchmarks") <= {canonicalize_name(r.name) for r in needed()}


def test_the_wheel_says_that_it_is_typed() -> None:
    built = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {
        "culture_metrics/py.typed",
        "data_schemas/py.typed",
        "culture_metrics/cli.py",
        "culture_metrics/GUIDE.md",
    } <= built


def test_environment_has_the_same_dependencies() -> None:
    lines = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = {r.name: r.specifier for r in map(Requirement, lines) if r.name not in CONDA_ONLY}
    named = {
        CONDA_NAMES.get(f"{r.name}[{','.join(sorted(r.extras))}]" if r.extras else r.name)
        or canonicalize_name(r.name): r.specifier
        for r in needed()
    }
    assert conda == named


@pytest.mark.parametrize("requirement", needed(), ids=lambda r: r.name)
def test_lock_keeps_the_floors(requirement: Requirement) -> None:
    versions = [
        next(iter(pin.specifier)).version
        for pin in pins()
        if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
    ]
    assert versions
    assert all(requirement.specifier.contains(version) for version in versions)


def test_every_pin_has_hashes() -> None:
    blocks = re.split(r"\n(?=\w)", (ROOT / "requirements.lock").read_text(encoding="utf-8").split("\n", 2)[2])
    assert len(blocks) == len(pins()) > 100
    assert [b.split("==")[0] for b in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", b)] == []


def test_lock_serves_every_platform() -> None:
    lock = {pin.name: pin for pin in pins()}
    on = {"win32": "Windows", "darwin": "macOS"}
    special = {"colorama": "win32", "appnope": "darwin"}
    for name, platform in special.items():
        marker = lock[name].marker
        assert marker is not None
        assert marker.evaluate({"sys_platform": platform}), f"{name} is not pinned for {on[platform]}"
        assert not marker.evaluate({"sys_platform": "linux"})


def test_one_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) \((\S+)\)$", changelog, re.MULTILINE)
    assert newest is not None
    assert (citation["version"], str(citation["date-released"])) == newest.groups()
    assert citation["version"] == PROJECT["version"]
    assert f'__version__ = "{PROJECT["version"]}"' in (ROOT / "culture_metrics" / "__init__.py").read_text(
        encoding="utf-8"
    )


def test_readme_names_targets_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", readme, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets
    assert set(re.findall(r"^\t@echo 'make ([a-z]+) ", makefile, re.MULTILINE)) == targets - {"help"}


def test_readme_names_files_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w.]+/|[\w-]+\.(?:toml|lock|yml|md|cff)|LICENSE)`", readme)
    assert len(named) > 8
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_readme_snippets_name_only_what_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = ast.parse("\n".join(re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)))
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    imported = {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    made = {n.id for n in names if isinstance(n.ctx, ast.Store)} | imported
    assert {n.id for n in names} - made - {*dir(builtins)} == set()
    assert len(made) > 10
    used = set(re.findall(r"\bcm\.(\w+)", readme))
    assert len(used) > 20
    assert used <= set(dir(culture_metrics))


def test_the_map_of_the_package_names_every_public_name() -> None:
    told = set(re.findall(r"`(\w+)(?:\.\w+)*(?:\(\[\]\))?`", culture_metrics.__doc__ or ""))
    assert told == set(culture_metrics.__all__)


def test_nothing_names_a_package_index() -> None:
    hosts = [r"pypi\.", r"pythonhosted\.", r"anaconda\.(?:org|com)", r"://[^\s\"']*/simple\b"]
    options = ["index-url", "find-links", "trusted-host"]
    # Written so that this file does not name them itself.
    pattern = re.compile("|".join([*hosts, *(f"--(?:extra-)?{o}[ =]" for o in options)]))
    found = {name: m.group() for name, t in texts().items() if (m := pattern.search(t))}
    assert found == {}


def test_nothing_names_a_place_on_one_machine() -> None:
    roots = "|".join(["work", "root", "home", "tmp", "opt", "Users"])
    pattern = re.compile(rf"(?:^|[^A-Za-z0-9_.])/(?:{roots})/[A-Za-z0-9_.]|\b[A-Z]:\\\w", re.MULTILINE)
    found = {name: m.group() for name, text in texts().items() if (m := pattern.search(text))}
    assert found == {}


def test_notebooks_carry_no_outputs() -> None:
    full = [
        name
        for name, text in texts().items()
        if name.endswith(".ipynb")
        for cell in json.loads(text)["cells"]
        if cell.get("outputs") or cell.get("execution_count")
    ]
    assert full == []


def test_no_large_file() -> None:
    assert [p.relative_to(ROOT).as_posix() for p in tracked() if p.stat().st_size > 2**20] == []


def test_import_loads_nothing_heavy() -> None:
    heavy = ["plotly", "statsmodels", "scipy", "pandas", "pandera", "IPython", "nbformat", "mistune"]
    code = f"import sys, culture_metrics; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_long_files_that_begin_first_are_there():
    named = re.findall(r'"(tests/[\w/]+\.py)"', (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    assert len(named) >= 3 and all((ROOT / name).is_file() for name in named)
