"""Means of own numbers, asked for breakdown by breakdown: no later call opens what an earlier one showed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.indicators import value_memory


@pytest.fixture(autouse=True)
def nothing_before(monkeypatch):
    monkeypatch.setattr(value_memory, "_KEPT", type(value_memory._KEPT)())


def nearly_alike(seed: int, *, ids: bool) -> pl.DataFrame:
    """Site K is Directorate A and one manager."""
    random = np.random.default_rng(seed)
    directorate = np.repeat(["A", "B", "C"], [20, 30, 40])
    site = np.array(["K"] * 20 + ["L"] * 30 + ["M"] * 40)
    site[20] = "K"
    frame = pl.DataFrame({"directorate": directorate, "site": site, "days": random.integers(0, 30, 90) + 0.0})
    return frame.with_columns(respondent=pl.format("p{}", pl.int_range(pl.len()))) if ids else frame


def shown(frame: pl.DataFrame, by: str, **options) -> dict[str, tuple[float, int]]:
    table = cm.estimate_values(frame, ["days"], [by], **options).table
    rows = table.filter(pl.col("status") == "reported", breakdown=by)
    return {group: (mean, base) for group, mean, base in rows.select("group", "estimate", "base").iter_rows()}


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("first", ["directorate", "site"])
def test_one_person_between_two_calls_is_not_told(ids: bool, first: str) -> None:
    frame = nearly_alike(1, ids=ids)
    second = "site" if first == "directorate" else "directorate"
    one = shown(frame, first)
    # In another order where ids tell the people.
    other = shown(frame.sample(fraction=1, shuffle=True, seed=3) if ids else frame, second)
    assert len(one) == 3
    assert ("A" in one) + ("K" in other) < 2 or ("A" in other) + ("K" in one) < 2
    assert not {"A", "K"} <= {*one, *other}
    assert not {"B", "L"} <= {*one, *other}
    # The third group is the same people: it stays.
    assert {"C", "M"} & set(other)


def test_what_was_shown_is_shown_again() -> None:
    frame = nearly_alike(2, ids=True)
    first = shown(frame, "directorate")
    shown(frame, "site")
    assert shown(frame, "directorate") == first


def test_other_tables_are_not_mistaken_for_it() -> None:
    shown(nearly_alike(3, ids=False), "directorate")
    assert set(shown(nearly_alike(4, ids=False), "site")) == {"K", "L", "M"}
