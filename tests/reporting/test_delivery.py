"""A report arrives whole or not at all, and what killed runs left behind goes away."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from culture_metrics.errors import ReportError
from culture_metrics.reporting import delivery
from culture_metrics.reporting.delivery import EARLIER, FILES, OWNER, PREFIX, deliver, workshop

#: A run that is killed at once, in its workshop, with no chance to tidy up.
KILLED = """
import os, pathlib, sys
from culture_metrics.reporting.delivery import workshop
with workshop(pathlib.Path(sys.argv[1])) as place:
    (place / "index.html").write_text("half")
    {then}
"""


def fill(folder, text):
    for name in FILES:
        (folder / name).write_text(f"{text} {name}")


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def report_of(text):
    return {name: f"{text} {name}" for name in FILES}


def killed(folder, then="os.kill(os.getpid(), 9)"):
    """Leave the folder as a killed run does, and return the workshop that it left."""
    subprocess.run([sys.executable, "-c", KILLED.format(then=then), str(folder)], check=False, timeout=60)
    (place,) = folder.glob(f"{PREFIX}*")
    return place


@pytest.mark.parametrize("locked", FILES)
@pytest.mark.parametrize("way", ["from", "to"])
def test_a_file_that_is_open_elsewhere_leaves_the_earlier_report_whole(tmp_path, monkeypatch, locked, way):
    fill(tmp_path, "earlier")
    (tmp_path / "mine.txt").write_text("kept")
    replace = Path.replace

    def on_windows(self, target):
        # Windows lets nobody move or replace a file that a program has open.
        path = self if way == "from" else Path(target)
        if path == tmp_path / locked and self.parent.name != EARLIER:
            raise PermissionError(errno.EACCES, "Access is denied", str(path))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", on_windows)
    said = f"{locked} of the earlier report is open in another program"
    with pytest.raises(ReportError, match=said) as caught, workshop(tmp_path) as place:
        fill(place, "new")
        deliver(place, tmp_path)
    assert f"Close {locked}" in caught.value.hint
    assert content(tmp_path) == {**report_of("earlier"), "mine.txt": "kept"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, "mine.txt"])


def test_a_first_report_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    replace = Path.replace

    def fails(self, target):
        if self.name == "index.html":
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(ReportError, match="could not be written"), workshop(tmp_path) as place:
        fill(place, "new")
        deliver(place, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_put_back_is_kept_and_named(tmp_path, monkeypatch):
    fill(tmp_path, "earlier")
    replace, moves = Path.replace, iter([True, True, False, False])

    def fails(self, target):
        if next(moves, False):
            return replace(self, target)
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(ReportError, match="could not be put back") as caught, workshop(tmp_path) as place:
        fill(place, "new")
        deliver(place, tmp_path)
    assert content(place / EARLIER) == {name: f"earlier {name}" for name in FILES[:2]}
    assert str(place / EARLIER) in caught.value.hint


def test_the_new_report_takes_the_place_of_the_earlier_one(tmp_path):
    fill(tmp_path, "earlier")
    with workshop(tmp_path) as place:
        fill(place, "new")
        deliver(place, tmp_path)
    assert content(tmp_path) == report_of("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_a_folder_under_the_name_of_a_file_is_left_alone(tmp_path):
    (tmp_path / "results.xlsx").mkdir()
    (tmp_path / "results.xlsx" / "mine.txt").write_text("kept")
    with pytest.raises(ReportError, match="a folder has the name"), workshop(tmp_path) as place:
        fill(place, "new")
        deliver(place, tmp_path)
    assert (tmp_path / "results.xlsx" / "mine.txt").read_text() == "kept"


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path):
    left = killed(tmp_path)
    with workshop(tmp_path) as place:
        assert not left.exists()
        assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("placed", range(len(FILES) + 1))
def test_a_run_killed_in_the_midst_of_the_swap_is_brought_to_its_end(tmp_path, placed):
    fill(tmp_path, "earlier")
    left = killed(tmp_path)
    fill(left, "new")
    (left / EARLIER).mkdir()
    for name in FILES[: placed + 1]:
        (tmp_path / name).replace(left / EARLIER / name)
    for name in FILES[:placed]:
        (left / name).replace(tmp_path / name)
    with workshop(tmp_path):
        pass
    assert content(tmp_path) == report_of("new")
    assert not left.exists()


def test_the_workshop_of_a_run_that_goes_on_is_left_alone(tmp_path):
    with workshop(tmp_path) as theirs, workshop(tmp_path) as ours:
        assert theirs.is_dir() and ours.is_dir() and theirs != ours
        fill(ours, "new")
        deliver(ours, tmp_path)
        assert theirs.is_dir()


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("-notes", ["index.html"]),
        ("-abcd1234", ["index.html", "thesis.docx"]),
        ("-abcd1234", [OWNER, "index.html"]),
    ],
)
def test_what_is_not_ours_is_left_alone(tmp_path, name, inside):
    """Another name, other content, and the workshop of another computer, all long untouched."""
    place = tmp_path / f".culture-metrics{name}"
    place.mkdir()
    for file in inside:
        (place / file).write_text("another-computer")
    os.utime(place, (0, 0))
    with workshop(tmp_path):
        pass
    assert sorted(path.name for path in place.iterdir()) == sorted(inside)


@pytest.mark.parametrize(("age", "stays"), [(60, True), (delivery.ABANDONED + 60, False)])
def test_an_unsigned_workshop_goes_after_a_day(tmp_path, age, stays):
    place = tmp_path / f"{PREFIX}abcd1234"
    place.mkdir()
    (place / "results.parquet").write_text("half")
    os.utime(place, (time.time() - age,) * 2)
    with workshop(tmp_path):
        pass
    assert place.exists() == stays


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="this system has no symbolic links")
def test_links_are_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "index.html").write_text("kept")
    os.utime(elsewhere, (0, 0))
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / f"{PREFIX}abcd1234").symlink_to(elsewhere, target_is_directory=True)
    with workshop(folder):
        pass
    assert (elsewhere / "index.html").read_text() == "kept"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_nothing_changed(tmp_path, code):
    fill(tmp_path, "earlier")
    with pytest.raises(ReportError, match="the disk is full") as caught, workshop(tmp_path):
        raise OSError(code, os.strerror(code))
    assert "Free some space" in caught.value.hint
    assert content(tmp_path) == report_of("earlier")


def test_memory_that_does_not_suffice_is_said(tmp_path):
    with pytest.raises(ReportError, match="memory did not suffice"), workshop(tmp_path):
        raise MemoryError
