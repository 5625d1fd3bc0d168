"""The file of a ledger: read and written by the notebooks of a report side by side, and kept for years."""

from __future__ import annotations

from pathlib import Path

import pytest

import culture_metrics as cm
from culture_metrics import synthetic
from culture_metrics.disclosure.ledger import About, write_ledger


def decided(*calls):
    """What is decided after an estimate of an extract by each of these breakdowns."""
    extract = synthetic.respondents(2024, respondents_per_organisation=100)
    for by in calls:
        cm.estimate(extract, by=[by])
    return [
        About(extract.survey, extract.period, extract.frame, [*extract.edition.columns], extract.decision)
    ]


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "ledger.json"
    write_ledger(path, decided("occupation_group"))
    return path


def test_the_same_again_is_not_written(kept):
    before = kept.stat()
    write_ledger(kept, decided("occupation_group"))
    assert (kept.stat().st_mtime_ns, kept.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    write_ledger(kept, decided("occupation_group", "locality_1"))
    assert "locality_1" in kept.read_text(encoding="utf-8")
    assert [path.name for path in kept.parent.iterdir()] == ["ledger.json"]


def test_a_write_that_breaks_off_costs_nothing(kept, monkeypatch):
    before, write = kept.read_text(encoding="utf-8"), Path.write_text

    def full(self, text, **how):
        write(self, text[: len(text) // 2], **how)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write_ledger(kept, decided("occupation_group", "locality_1"))
    assert kept.read_text(encoding="utf-8") == before
    assert [path.name for path in kept.parent.iterdir()] == ["ledger.json"]
