"""The Python of the README, run from its first line to its last beside files of the names that it gives."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from polars.exceptions import ComputeError

import culture_metrics as cm
from culture_metrics.errors import ExtractError
from culture_metrics.study.example import example_published

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
YEARS = (2023, 2024)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the names of the README stand for after it has run."""
    folder = tmp_path_factory.mktemp("readme")
    for year in YEARS:
        extract = cm.synthetic.respondents(year, respondents_per_organisation=300)
        extract.frame.with_columns(organisation=pl.lit("RXX")).write_csv(folder / f"RXX_{year}.csv")
        peers = example_published(cm.validate(extract).extract)
        cm.published.write_published(folder / f"organisational results {year}.xlsx", peers)
    own = extract.frame.select("respondent", team=pl.lit("Ash"), weight=pl.lit(2))
    own.write_csv(folder / "own.csv")
    waits = [f"{code},{year}/{year - 1999},0.{70 + year % 7 + 3 * int(code[-1])}"
             for year in range(2022, 2026) for code in peers.organisations["organisation"]]  # fmt: skip
    (folder / "four-hour waits.csv").write_text(
        "\n".join(["Org code,Year,four_hour_wait", *waits]), encoding="utf-8"
    )
    names: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in BLOCKS:
            # The made-up workbook knows the made-up trust under its own code.
            exec(block.replace('organisation="RXX"', 'organisation="SYN01"'), names)
    return names


def test_it_runs(said):
    assert len(BLOCKS) == 6
    assert {"WRES 6", "WDES 9a"} <= {*said["gaps"].table["indicator"]}
    assert said["link"].table["outcome"].to_list() == ["four_hour_wait"]
    assert said["results"][0].table["period"].unique().to_list() == ["2023"]
    assert {"staff_engagement", "morale"} <= {*said["panel"].indicators}


def test_what_it_says_of_respondents_without_a_row_or_with_two(said):
    """300 people, ten of whom lack a team: all count in the total, and the team that would show the ten is hidden."""
    own = said["own"]
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=300)  # of which nothing was shown
    with pytest.raises(ComputeError, match="m:1"):
        extract.frame.join(pl.concat([own, own[:1]]), on="respondent", how="left", validate="m:1")
    fewer = said["dataclasses"].replace(
        extract, frame=extract.frame.join(own[10:], on="respondent", how="left", maintain_order="left")
    )
    fewer = cm.validate(fewer).extract
    with pytest.raises(ExtractError, match="Weights must be numbers above 0") as caught:
        cm.estimate(fewer, by=["team"], weights="weight")
    assert caught.value.got.startswith("10 that are missing")
    assert fewer.frame.height == 300
    rows = (
        cm.estimate(fewer, by=["team"])
        .table.filter(measure="staff_engagement")
        .select("group", "base")
        .rows()
    )
    assert rows == [("all", 300), ("Ash", None)]
