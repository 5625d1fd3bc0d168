"""Whether `inspect_file` says of a file what the readers do with it; and every file that a test reads, watched."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from culture_metrics.files import opener

#: One file in so many is checked, told by its content: all of them take minutes.
SHARE = int(os.environ.get("INSPECT_ONE_FILE_IN", "25"))
#: Larger files are checked by tests of their own.
LARGEST = 1 << 20

_seen: set[str] = set()
_read: dict[Path, None] = {}
_file_kind = opener.file_kind


def tried(read: Any, *arguments: Any, **more: Any) -> Any:
    """Return what a reader returns, None where it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read(*arguments, **more)
        except CultureMetricsError:
            return None


def disagreement(path: Path) -> str | None:
    """Say in what `inspect_file` and the readers differ about a file; None where they agree."""
    found = tried(cm.inspect_file, path)
    python = "" if found is None else " ".join(text for text in found.next if text.startswith("Python"))
    of = {"organisation": "RXX"} if "organisation='" in python else {}
    published = tried(cm.read_published, path, **of)
    if ("read_published" in python) != (published is not None):
        said = f"{python or 'nothing reads it'}; read_published: {published!r}"
    elif published is not None:
        said = _of_results(found, published)
    elif "read_extract" in python:
        year = {"year": found.edition} if "year=" in python else {}
        said = _of_answers(found, tried(cm.read_extract, path, **year, **of))
    else:
        said = _of_neither(found, path)
    return said and f"inspect_file: {said}"


def _of_results(found: Any, published: Any) -> str | None:
    named = {text.partition(": ")[0] for text in found.left_out}
    if (
        (found.survey, found.edition) == (published.survey, published.period)
        and found.reads in repr(published)
        and set(published.provenance.get("left_out", {})) <= named
    ):
        return None
    return f"{found!r}; read_published: {published!r}"


def _of_answers(found: Any, extract: Any) -> str | None:
    if extract is None:
        return f"{found.next}, which read_extract refuses"
    said, read = (found.survey, found.edition), (extract.survey, extract.period)
    return None if said == read else f"{said}; read_extract: {read}"


def _of_neither(found: Any, path: Path) -> str | None:
    if (
        found is not None
        and not found.problems
        and found.kind not in ("file of outcomes", "table of headcounts")
    ):
        return "neither a reader nor a problem"
    for outcome in re.findall(r"read_outcome\('.*?', '(\w+)'\)", " ".join(found.reasons) if found else ""):
        if tried(cm.read_outcome, path, outcome) is None:
            return f"read_outcome of {outcome}, which refuses it"
    if found is not None and any("year=" in problem for problem in found.problems):
        return None  # it asks for the year
    read = tried(cm.read_extract, path, year=2024, organisation="RXX")
    return None if read is None else f"{found!r}; read_extract: {read!r}"


def _noted(path: Path) -> str:
    _read[Path(path)] = None
    return _file_kind(path)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: Any) -> None:
    """Check a share of the files that the test has read, each content once, when what it had changed is back."""
    paths, known = [*_read], set(_seen)
    _read.clear()
    for path in paths:
        if not path.is_file() or path.stat().st_size > LARGEST:
            continue
        content = hashlib.sha256(path.name.encode() + path.read_bytes()).hexdigest()
        _seen.add(content)
        if content in known or int(content[:8], 16) % SHARE:
            continue
        said = disagreement(path.absolute())
        _read.clear()
        assert said is None, f"{path.name}: {said}"


opener.file_kind = _noted
