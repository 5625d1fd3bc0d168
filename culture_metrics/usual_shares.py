"""How answers are usually spread: rounded national percentages, to tell a wrong list from an odd trust."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from math import log
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.catalogue import Question

#: Share given to a code that no one chose: unusual, not impossible.
RARE = 0.0005


@cache
def _marginals(survey: str) -> Mapping[tuple[str, str], Mapping[int, float]]:
    path = files("data_schemas").joinpath(survey, "marginals.csv")
    if not path.is_file():
        return MappingProxyType({})
    table = pl.read_csv(path.read_bytes(), comment_prefix="#", schema_overrides={"percent": pl.Float64})
    found: dict[tuple[str, str], dict[int, float]] = {}
    for question, scale, option, percent, *_ in table.iter_rows():
        found.setdefault((question, scale or ""), {})[option] = percent
    return MappingProxyType(found)


def usual_shares(question: Question, survey: str) -> dict[int, float] | None:
    """Return the usual share of each code of a question, or None where it is not known.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> round(usual_shares(catalogue().edition(2024).question("gender"), "nss_england")[1], 1)
    0.8
    """
    table = _marginals(survey)
    percent = table.get((question.id, question.scale.id)) or table.get((question.id, ""))
    if percent is None or question.kind == "multi" or not set(percent) <= set(question.scale.labels):
        return None
    total = sum(percent.values())
    return {code: percent.get(code, 0.0) / total for code in question.scale.options}


def likelihood_gain(counts: Mapping[int, int], own: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Return by how much better `other` shares explain the answers than `own`, in logs for each answer.

    Examples
    --------
    >>> likelihood_gain({1: 90, 2: 10}, {1: 0.1, 2: 0.9}, {1: 0.9, 2: 0.1}) > 1
    True
    """
    total = sum(counts.values())
    gain = sum(
        n * (log(max(other.get(k, 0.0), RARE)) - log(max(own.get(k, 0.0), RARE))) for k, n in counts.items()
    )
    return gain / total if total else 0.0
