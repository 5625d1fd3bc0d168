"""Where a result comes from: verb, arguments, inputs with their hashes, versions. Never an answer."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from culture_metrics.errors import kind_of

PACKAGES = ("culture-metrics", "numpy", "polars", "scipy", "statsmodels")
#: Said of an input that is itself the result of a verb, or was read from a file.
KEPT = ("verb", "survey", "period", "file", "sheet", "sha256", "layout", "synthetic", "arguments", "inputs")
#: Arguments that are files.
PATHS = ("path", "paths", "source", "organisations")
#: Mappings whose keys name groups of people, small ones among them: only how many they name is told.
OF_GROUPS = ("margins", "mix", "eligible", "population", "parents")


class Provenance(dict[str, Any]):
    """A mapping that is not changed; JSON takes it as it is."""

    def _never(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("The provenance of a result is not changed")

    __setitem__ = __delitem__ = __ior__ = _never
    clear = pop = popitem = setdefault = update = _never

    def __reduce__(self) -> tuple[type[Provenance], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)


def provenance_of(verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance of what a verb made of its arguments.

    Examples
    --------
    >>> told = provenance_of("shrink", {"results": pl.DataFrame({"x": [1]}), "draws": 50})
    >>> told["arguments"], told["inputs"][0]["kind"]
    ({'draws': 50}, 'DataFrame')
    """
    inputs, arguments = [], {}
    for name, value in given.items():
        found = list(_inputs(name, value))
        if found:
            inputs += found
        else:
            arguments[name] = plain_argument(name, value)
    return {"verb": verb, "arguments": arguments, "inputs": inputs, "versions": dict(versions())}


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of Python and of the packages that numbers hang on."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}}


def _inputs(name: str, value: Any) -> Iterator[dict[str, Any]]:
    """Describe what is data among the arguments; nothing of what is a choice."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _inputs(name, one)
    elif name in PATHS and isinstance(value, (str, Path)):
        yield {"kind": "file", "file": Path(value).name}
    elif name not in OF_GROUPS and (found := described(value)):
        yield found
    elif isinstance(value, Iterator):
        yield {"kind": "pieces, read one after another"}


def described(value: Any) -> dict[str, Any] | None:
    """Describe data: of a result its own provenance, of an extract its file, of a table its hash.

    How many respondents a table holds is not told: of a part of an extract it may be few.
    """
    if hasattr(value, "as_input"):
        return dict(value.as_input())
    if isinstance(value, pl.DataFrame):
        return {"kind": "DataFrame", "sha256": hashed(value)}
    if isinstance(value, pl.LazyFrame):
        return {"kind": "LazyFrame"}
    known = getattr(value, "provenance", None)
    if not isinstance(known, Mapping):
        return None
    about = {name: getattr(value, name) for name in ("survey", "period") if hasattr(value, name)}
    told = {**about, **known}
    found = {"kind": type(value).__name__, **{name: told[name] for name in KEPT if name in told}}
    table = getattr(value, "table", None)
    if not {"verb", "sha256"} & found.keys() and isinstance(table, pl.DataFrame):
        found["sha256"] = hashed(table)
    return found


def hashed(table: pl.DataFrame, *keys: str) -> str:
    """Return the SHA-256 of a table as text, whatever the order of its columns, and of its rows by `keys`.

    Examples
    --------
    >>> hashed(pl.DataFrame({"a": [1], "b": [2]})) == hashed(pl.DataFrame({"b": [2], "a": [1]}))
    True
    """
    flat = [name for name, dtype in table.schema.items() if not dtype.is_nested()]
    frame = table.select(sorted(flat))
    frame = frame.sort(keys, maintain_order=True) if keys else frame
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()


def plain_argument(name: str, value: Any) -> Any:
    """Return an argument as it stands in JSON; of what could hold respondents only what kind it is.

    Examples
    --------
    >>> plain_argument("by", ["gender", ("age", "gender")])
    ['gender', ['age', 'gender']]
    >>> plain_argument("weights", pl.Series([1.0, 2.0]))
    '<polars Series>'
    """
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        each = {str(key): plain_argument(str(key), one) for key, one in value.items()}
        return f"<{len(value)} named>" if name in OF_GROUPS else each
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_argument(name, one) for one in value]
    said = getattr(value, "name", getattr(value, "id", None))
    if is_dataclass(value) and isinstance(said, str):
        return said
    parts = {one.name: getattr(value, one.name) for one in fields(value)} if is_dataclass(value) else {}
    if not parts or any(isinstance(one, (pl.DataFrame, pl.Series)) for one in parts.values()):
        return f"<{kind_of(value)}>"
    return {part: plain_argument(part, one) for part, one in parts.items()}
