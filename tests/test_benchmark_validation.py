"""The benchmark of validation plants what it says, and every planted error is counted."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks import validation


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory):
    """Make the files small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "FOLDER", tmp_path_factory.mktemp("bench"))
        patch.setattr(validation, "RESPONDENTS", 12_000)
        patch.setattr(validation, "ORGANISATIONS", 12)
        validation.make()
        yield


def test_every_planted_error_is_counted_exactly():
    found = validation.counts()
    assert found == {"planted": 1000, "wrong": {}, "unexpected": [], "adds_up": True}


def test_the_bad_file_has_two_per_cent_of_bad_cells():
    frame = pl.read_parquet(validation.FOLDER / "bad.parquet")
    answers = [c for c in frame.columns if c.startswith("q")]
    bad = frame.select(pl.sum_horizontal(pl.col(c).is_in([120, -3]).sum() for c in answers)).item()
    assert len(answers) == 124
    assert bad / (len(answers) * frame.height) == pytest.approx(0.02, abs=0.002)
    assert validation.validate_bad()().quarantine["column"].count() == bad
