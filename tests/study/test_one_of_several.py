"""A report on one organisation of a file says nothing that depends on how many answered in the others."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from culture_metrics import study, synthetic
from culture_metrics.extracts.one_organisation import one_organisation
from culture_metrics.reporting.manifest import manifest

OWN, OTHER = 60, (73, 97)


def rows(code, size, year=2024):
    """Made-up rows of one organisation, with labels, marks, an unlisted code and a row that stands twice."""
    made = synthetic.respondents(year, respondents_per_organisation=size, seed=len(code)).frame
    text = made.with_columns(pl.all().cast(pl.String)).with_columns(
        organisation=pl.lit(code),
        respondent=pl.format("{}-{}", pl.lit(code), pl.int_range(pl.len())),
        q2a=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("Often")).otherwise("q2a"),
        q2b=pl.when(pl.int_range(pl.len()) % 7 == 0).then(pl.lit("n/a")).otherwise("q2b"),
        q3a=pl.when(pl.int_range(pl.len()) % 11 == 0).then(pl.lit("8")).otherwise("q3a"),
    )
    return pl.concat([text, text.head(2)])


@pytest.fixture(scope="module", params=["one year", "stacked", "in another year only"])
def pair(request, tmp_path_factory):
    """The same organisation read from two files in which the other has 73 and 97 rows."""
    found = []
    for size in OTHER:
        parts = [rows("RYY", size), rows(" rxx", OWN)]
        if request.param != "one year":
            parts = [part.with_columns(year=pl.lit("2024")) for part in parts]
            parts.append(rows("RXX", OWN, 2023).with_columns(year=pl.lit("2023")))
        if request.param == "in another year only":
            parts = [*parts[1:], rows("RYY", size, 2023).with_columns(year=pl.lit("2023"))]
        path = tmp_path_factory.mktemp("file") / "RXX_2024.csv"
        pl.concat(parts, how="diagonal").write_csv(path)
        found.append(study([path], organisation="RXX"))
    return found


def shown(data):
    """Everything a report shows or writes about the check and the rows, without the hash of the file."""
    tables = [data, data.checks(), data.problems()]
    made = json.dumps(manifest(data, data.results.table, [], []))
    text = "".join([made, *(table._repr_html_() for table in tables), *map(repr, data.reports)])
    return re.sub(r"[0-9a-f]{16,64}|\d{4}-\d\d-\d\dT[\d:+]+", "", text)


def test_nothing_depends_on_the_size_of_the_other(pair):
    first, second = pair
    assert shown(first) == shown(second)
    for one, other in zip(first.reports, second.reports, strict=True):
        assert one.problems.equals(other.problems, null_equal=True)
        assert one.reconciliation.equals(other.reconciliation, null_equal=True)
        assert one.quarantine.equals(other.quarantine, null_equal=True)
    assert first.results.table.equals(second.results.table, null_equal=True)


def test_the_own_rows_are_accounted_for_and_the_rest_is_named(pair):
    for data in pair:
        for report in data.reports:
            assert (report.rows_read, report.rows_used) == (OWN + 2, OWN)
            told = report.problems.filter(rule="other organisations").row(0, named=True)
            assert (told["severity"], told["rows"]) == ("note", 0)
            assert "numbered within the organisation" in told["done"]
        unlisted = data.reports[-1].problems.filter(column="q3a", rule="codes outside the list")
        # Of 62 rows every eleventh has code 8: rows 0, 11, 22, 33, 44, 55, and of the two repeated rows one.
        assert unlisted.select("rows", "examples").rows() == [(7, "2, 13, 24, 35, 46 …")]


def test_a_file_of_one_organisation_keeps_its_counts(tmp_path):
    path = tmp_path / "RXX_2024.csv"
    rows("RXX", OWN).write_csv(path)
    (report,) = study([path]).reports
    assert "labels_read" in report.extract.provenance
    assert report.problems.filter(rule="other organisations").is_empty()
    assert one_organisation(report.extract, "RXX") is report.extract
