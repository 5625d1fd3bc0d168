"""What `inspect_file` says of a file is what the readers do with it: every case and every real file at hand."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDERS = ("cases", "other_surveys", "pulse", "nss2024")
FILES = [
    f"{folder}/{path.name}"
    for folder in FOLDERS
    for path in sorted((SHARED / folder).glob("*"))
    if path.suffix != ".csv" or path.name not in ("EXPECTED.csv", "SOURCES.csv")
]
OTHER = {
    "csps2013_demographic_results.xlsx": "Civil Service People Survey",
    "csps2024_benchmark_results.ods": "Civil Service People Survey",
    "fevs2020_report_by_agency.xlsx": "Federal Employee Viewpoint Survey (US)",
}


def tried(read, *arguments, **more):
    """Return what a reader returns, None where it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read(*arguments, **more)
        except CultureMetricsError:
            return None


@pytest.mark.parametrize(
    "name", FILES or [pytest.param("", marks=pytest.mark.skip("no real files are here"))]
)
def test_it_agrees_with_the_readers(name):
    path = SHARED / name
    found = cm.inspect_file(path)
    python = " ".join(command for command in found.next if command.startswith("Python"))
    of = {"organisation": "RXX"} if "organisation='" in python else {}
    published = tried(cm.read_published, path, **of)
    assert ("read_published" in python) == (published is not None)
    if published is not None:
        assert (found.survey, found.edition) == (published.survey, published.period)
        assert found.reads in repr(published)
        named = {why for why in published.provenance.get("left_out", {})}
        assert named <= {text.partition(": ")[0] for text in found.left_out}
    elif "read_extract" in python:
        year = {} if "year=" not in python else {"year": found.edition}
        extract = tried(cm.read_extract, path, **year, **of)
        assert extract is not None
        assert (extract.survey, extract.period) == (found.survey, found.edition)
    else:
        assert found.problems or found.kind == "file of outcomes"
        assert tried(cm.read_extract, path, year=2024, organisation="RXX") is None


@pytest.mark.parametrize("name", OTHER)
def test_other_surveys_are_named(shared_data, name):
    path = shared_data / "other_surveys" / name
    found = cm.inspect_file(path)
    assert found.kind == "results of another survey"
    assert found.reasons == (f"it names itself: {OTHER[name]}",)
    assert "survey=" in found.problems[0]
    with pytest.raises(CultureMetricsError, match=r"This is a file of the (Civil|Federal)"):
        cm.read_published(path)
