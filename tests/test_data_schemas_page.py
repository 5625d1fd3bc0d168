"""The page on surveys as data, followed to the letter."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

import culture_metrics as cm
from culture_metrics.catalogue import catalogue, known
from culture_metrics.catalogue.checks import check_survey
from culture_metrics.catalogue.form import SHAPES
from culture_metrics.catalogue.load import QUESTION_COLUMNS

FOLDER = Path(__file__).parents[1] / "data_schemas"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
FILES = ("editions.yaml", "scales.yaml", "measures.yaml", "breakdowns.yaml", "questions.csv")


@pytest.fixture(autouse=True)
def _forget():
    yield
    known._OWN.clear()


@pytest.fixture
def own(tmp_path):
    """The five files of the page, in a folder of the name it gives them."""
    folder = tmp_path / "our_pulse"
    folder.mkdir()
    for name in FILES:
        (block,) = re.findall(
            rf"^`{re.escape(name)}`\n\n```\w+\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE
        )
        (folder / name).write_text(block, encoding="utf-8")
    return folder


def test_the_survey_of_the_page_is_green_and_used(own, tmp_path):
    found = check_survey(own)
    assert not found.mistakes, str(found)
    answers = {
        "Org code": ["RXX"] * 40,
        "Team name": ["Ash", "Beech"] * 20,
        "CL1": [5, 4] * 20,
        "cl 02": [3] * 40,
        "CL3 - Worn out": [2] * 40,
    }
    pl.DataFrame(answers).write_csv(tmp_path / "answers.csv")
    data = cm.study([tmp_path / "answers.csv"], year=2025, survey=own)
    assert data.by == ("team",)
    scores = dict(
        data.results.table.filter(breakdown="all", unit="score").select("measure", "estimate").iter_rows()
    )
    # By hand: safety is the mean of (5 + 3) / 2 and (4 + 3) / 2; worn out 2 is turned into 4.
    assert scores == pytest.approx({"safety": 3.75, "workload": 4.0, "overall": 3.875})


def test_the_edition_of_the_page_is_one_entry(tmp_path):
    folder = Path(shutil.copytree(FOLDER / "nss_england", tmp_path / "copied"))
    newest = catalogue().newest
    (entry,) = re.findall(
        r"under `editions:`\n\n   ```yaml\n(.*?)^   ```", PAGE, flags=re.DOTALL | re.MULTILINE
    )
    following = str(int(newest.period) + 1)
    entry = re.sub(r"'20\d\d'", f"'{following}'", "".join(line[3:] + "\n" for line in entry.splitlines()))
    entry = re.sub(r"items: \d+", f"items: {len(newest.questions)}", entry)
    path = folder / "editions.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\neditions:\n", f"\neditions:\n{entry}", 1), encoding="utf-8")
    assert following in yaml.safe_load(path.read_text(encoding="utf-8"))["editions"]
    found = check_survey(folder)
    assert not found.mistakes, str(found)
    assert found.survey.newest.period == following
    assert found.survey.newest.measures.keys() == newest.measures.keys()


def test_every_column_and_key_stands_on_the_page():
    assert all(f"`{column}`" in PAGE for column in QUESTION_COLUMNS)

    def keys(shape):
        for entry in shape if isinstance(shape, list) else [shape]:
            for name, below in entry.items() if isinstance(entry, dict) else ():
                yield from [name.removesuffix("?")] * (name != "*")
                yield from keys(below)

    words = set(re.findall(r"\w+", PAGE))
    for file, shape in SHAPES.items():
        # What an impossible pair and a default are made of is said by the examples.
        lacking = set(keys(shape)) - words - {"rule", "found", "expected", "answers"}
        assert not lacking, (file, lacking)
