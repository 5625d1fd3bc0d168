"""What study.yaml says of the files is looked for in all of them: annual ones and those of a pulse."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs
import pytest

import culture_metrics as cm
from culture_metrics.errors import StudyFileError
from culture_metrics.extracts.columns import breakdown_of

PULSE = "national_quarterly_pulse"
SAID = """
organisation: RXX
files:
  - {file: RXX_2023.csv, kind: respondents}
  - {file: RXX_2024.csv, kind: respondents}
  - {file: pulse.csv, kind: respondents, survey: national_quarterly_pulse}
breakdowns:
  Division: Division
renamed:
  - {breakdown: Division, from: OLD, to: Family Health, confirmed: yes}
  - {breakdown: Division, from: Child Health, to: Family, confirmed: yes}
  - {breakdown: Division, from: Family, to: Family Health, confirmed: yes}
"""


def written(path, period, division, **of):
    frame = cm.synthetic.respondents(period, 1, 24, seed=1, **of).frame.drop("^locality.*$")
    half = frame.height // 2
    names = pl.Series([division] * half + ["Medicine"] * (frame.height - half))
    frame = frame.with_columns(pl.lit("RXX").alias("organisation"), names.alias("Division"))
    frame.select(~cs.starts_with("q1", "q3")).write_csv(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two years and a quarter; only the first year has the old name, and the quarter another one still."""
    here = tmp_path_factory.mktemp("trust")
    written(here / "RXX_2023.csv", 2023, "Women & Children")
    written(here / "RXX_2024.csv", 2024, "Family Health")
    written(here / "pulse.csv", "2024-Q1", "Child Health", survey=PULSE)
    pulse = pl.read_csv(here / "pulse.csv").with_columns(pl.lit("2024-Q1").alias("Quarter"))
    pulse.write_csv(here / "pulse.csv")
    return here


def test_a_group_with_a_new_name_need_not_be_in_the_pulse(folder):
    (folder / "study.yaml").write_text(SAID.replace("OLD", "Women & Children"))
    made = cm.study(folder)
    every = [*made.extracts, *made.quarters.extracts]
    # By way of a name that no file has; the old one of the annual survey is in none of the pulse's.
    column = {e.period: breakdown_of("Division", e.edition) for e in every}
    assert [e.period for e in every] == ["2023", "2024", "2024-Q1"]
    assert [set(e.frame[column[e.period]]) for e in every] == [{"Family Health", "Medicine"}] * 3


def test_a_group_that_no_file_has_is_refused(folder):
    (folder / "study.yaml").write_text(SAID.replace("OLD", "Women"))
    with pytest.raises(StudyFileError, match="No file has the Division 'Women'"):
        cm.study(folder)
