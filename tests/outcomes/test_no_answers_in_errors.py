"""A file of respondents that is given to a reader of organisations' figures: no value of it is repeated."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError

SAID = "bully"
WRITTEN = "My manager is one of those"
ROWS = pl.DataFrame(
    {
        "code": [f"R{i}" for i in range(100, 130)],
        "year": ["2024"] * 30,
        "q25c": ["4"] * 25 + [SAID] * 5,
        "q2a": ["3"] * 30,
        "comment": ["fine"] * 20 + [WRITTEN] * 10,
    }
)
READERS = {
    "a panel": cm.read_panel,
    "an outcome of answers": lambda path: cm.read_outcome(path, "agency_spend", columns={"value": "q25c"}),
    "an outcome of comments": lambda path: cm.read_outcome(
        path, "agency_spend", columns={"value": "comment"}
    ),
}
FILES = {
    "as they are": ROWS,
    "years that are answers": ROWS.with_columns(year=pl.lit(SAID)),
    "years that are comments": ROWS.with_columns(year=pl.lit(WRITTEN)),
    "without questions": ROWS.drop("q25c", "q2a").with_columns(year=pl.lit(WRITTEN)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file", FILES)
def test_no_answer_is_repeated(tmp_path, file, reader):
    path = tmp_path / "RXX 2024.csv"
    FILES[file].write_csv(path)
    try:
        READERS[reader](path)
    except CultureMetricsError as error:
        assert SAID not in str(error)
        assert WRITTEN not in str(error)


def test_a_figure_that_cannot_be_read_is_quoted(tmp_path):
    path = tmp_path / "figures.csv"
    path.write_text("ODS code,Year,agency_spend\nRXX,2023/24,about 12\n", encoding="utf-8")
    with pytest.raises(CultureMetricsError) as caught:
        cm.read_outcome(path, "agency_spend")
    assert caught.value.got == "'about 12'"
