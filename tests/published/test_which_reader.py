"""A file given to the wrong reader is sent to the right one, by a call that works as it stands."""

from __future__ import annotations

import re

import polars as pl
import pytest
from books import NATIONAL, make_published

import culture_metrics as cm
from culture_metrics.errors import FileFormatError
from culture_metrics.published import write_published

ANSWERS = pl.DataFrame(
    {"Sample ID": [1, 2], "Org code": ["RXX", "RXX"], "Year": [2024, 2024], "Q2a": [4, 5], "Q25c": [3, 1]}
)
EXPORT = [
    "Year,QuestionNumber,QuestionText,DimName,DimValue,BaseSize,Score", "2024,Q25c,x,All,All,2000,61.5",
    "2024,Q25c,x,Gender,Female,1500,62.5", "2024,Q25c,x,Gender,Male,500,58.5",
]  # fmt: skip


def called(error, monkeypatch, folder):
    """Make the call that the hint of an error gives, in the folder of the file."""
    (call,) = re.findall(r"cm\.read_\w+\([^)]*\)", error.value.hint)
    monkeypatch.chdir(folder)
    return eval(call, {"cm": cm})


@pytest.mark.parametrize(("name", "write"), [
    ("answers.csv", lambda p: ANSWERS.write_csv(p, include_bom=True, separator=";")),
    ("answers.xlsx", lambda p: ANSWERS.write_excel(p, worksheet="Data")),
    ("answers.parquet", ANSWERS.write_parquet),
])  # fmt: skip
def test_respondents_are_sent_to_read_extract(tmp_path, monkeypatch, name, write):
    write(tmp_path / name)
    with pytest.raises(FileFormatError, match="This is a file of respondents") as error:
        cm.read_published(tmp_path / name)
    assert called(error, monkeypatch, tmp_path).frame.height == 2


def test_published_results_are_sent_to_read_published(tmp_path, monkeypatch):
    write_published(
        tmp_path / "national.xlsx", make_published("2024", NATIONAL, ["can_meet_demands"]), "national"
    )
    (tmp_path / "export.csv").write_text("\n".join(EXPORT))
    for name, organisations in (("national.xlsx", ["all"]), ("export.csv", ["RXX"])):
        with pytest.raises(FileFormatError, match="results of groups, not respondents") as error:
            cm.read_extract(tmp_path / name)
        assert called(error, monkeypatch, tmp_path).organisations["organisation"].to_list() == organisations
