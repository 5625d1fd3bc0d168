"""How breakdowns nest, as the data have it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import synthetic
from culture_metrics.indicators import breakdowns


@pytest.mark.parametrize("across_at", [0, -1])
def test_one_respondent_anywhere_in_the_file_breaks_the_nesting(across_at: int) -> None:
    many = breakdowns.FIRST + 50
    site = np.where(np.arange(many) % 2, "a", "b")
    ward = np.where(np.arange(many) % 3, "1", "2").astype("<U3") + site.astype("<U1")
    across = ward.copy()
    across[across_at] = ward[1 if across_at == 0 else -2]
    frame = pl.DataFrame({"organisation": "RXX", "site": site, "ward": ward, "across": across})
    extract = replace(synthetic.respondents(2024, respondents_per_organisation=3), frame=frame)
    found = breakdowns.parents(extract, {name: [name] for name in ("site", "ward", "across")})
    assert set(found.select("breakdown", "parent_breakdown").rows()) == {("ward", "site")}
