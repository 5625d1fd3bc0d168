"""The real trust panel, and the numbers of another origin to set ours against."""

from __future__ import annotations

import json

import polars as pl
import pytest


@pytest.fixture(scope="session")
def records(shared_reference):
    """Records of outcome_links_reference.json by id: statsmodels, checked against R."""
    found = json.loads((shared_reference / "outcome_links_reference.json").read_text(encoding="utf-8"))
    return {r["id"]: r for r in found["records"]}


@pytest.fixture(scope="session")
def trusts(shared_data):
    """The panel of acute trusts, 2012 to 2019."""
    return pl.read_csv(shared_data / "panel" / "nhs_trust_panel_2012_2019.csv", null_values="NA")
