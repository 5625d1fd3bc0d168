from __future__ import annotations

import fastexcel
import polars as pl
import pytest
from books import NATIONAL, ORGANISATIONS, make_published, suppress
from polars.testing import assert_frame_equal

from culture_metrics.contract import as_results
from culture_metrics.errors import ReportError, ResultsError, UnknownNameError
from culture_metrics.published import Published, read_published, write_published

SAME = {"abs_tol": 1e-9, "rel_tol": 0.0}


def _scores(published: Published) -> pl.DataFrame:
    return published.results.table.filter(unit="score")


@pytest.mark.parametrize("period", ["2021", "2022", "2023", "2024", "2025"])
def test_organisation_round_trip(tmp_path, period):
    written = suppress(make_published(period, ORGANISATIONS), "Q01", "harassment_reported")
    write_published(tmp_path / "a.xlsx", written)
    read = read_published(tmp_path / "a.xlsx")
    assert read.period == period
    assert read.provenance["layout"] == "organisation"
    assert_frame_equal(read.distributions.table, written.distributions.table, **SAME)
    assert_frame_equal(_scores(read), written.results.table, **SAME)
    # What a spreadsheet would take for a formula is read with an apostrophe before it, once.
    plain = pl.col("name", "ics").str.replace("^[=+-]", "'${0}")
    assert_frame_equal(read.organisations, written.organisations.with_columns(plain))
    assert set(read.organisations["name"]) >= {"'=SUM(A1) Trust", "'+Integrated Care Board"}
    write_published(tmp_path / "b.xlsx", read)
    again = read_published(tmp_path / "b.xlsx")
    assert_frame_equal(again.organisations, read.organisations)
    assert_frame_equal(again.results.table, read.results.table, **SAME)
    # six options (five on the form, "both" in files) and the base of one question in one organisation
    assert again.provenance["suppressed_cells"] == read.provenance["suppressed_cells"] == 7


@pytest.mark.parametrize("period", ["2022", "2024"])
def test_national_round_trip(tmp_path, period):
    written = make_published(period, NATIONAL)
    write_published(tmp_path / "a.xlsx", written, layout="national")
    read = read_published(tmp_path / "a.xlsx")
    assert read.provenance["layout"] == "national"
    assert_frame_equal(read.distributions.table, written.distributions.table, **SAME)
    assert_frame_equal(_scores(read), written.results.table, **SAME)
    write_published(tmp_path / "b.xlsx", read, layout="national")
    assert_frame_equal(read_published(tmp_path / "b.xlsx").results.table, read.results.table, **SAME)


def test_text_like_a_formula_stays_text(tmp_path):
    write_published(tmp_path / "a.xlsx", make_published("2024", ORGANISATIONS))
    text = (
        fastexcel.read_excel(tmp_path / "a.xlsx")
        .load_sheet("THEMES", header_row=4, dtypes="string")
        .to_polars()
    )
    assert set(text["Organisation name"]) == set(ORGANISATIONS["name"])
    assert set(text["ODS code"]) == {"RX1", "RX2", "Q01", "1E5"}


def test_breakdowns_do_not_fit_the_organisation_layout(tmp_path):
    published = make_published("2024", NATIONAL)
    with pytest.raises(ResultsError, match="no room for breakdowns"):
        write_published(tmp_path / "a.xlsx", published)


def test_organisations_do_not_fit_the_national_layout(tmp_path):
    with pytest.raises(ResultsError, match="all organisations together"):
        write_published(tmp_path / "a.xlsx", make_published("2024", ORGANISATIONS), layout="national")


def test_every_organisation_needs_a_name(tmp_path):
    whole = make_published("2024", ORGANISATIONS, questions=[])
    short = Published(
        "nss_england",
        "2024",
        whole.results.table,
        whole.distributions.table,
        whole.organisations.filter(pl.col("organisation") != "RX2"),
    )
    with pytest.raises(ResultsError) as error:
        write_published(tmp_path / "a.xlsx", short)
    assert error.value.got == "RX2"


def test_a_weighting_that_official_files_do_not_have(tmp_path):
    whole = make_published("2024", ORGANISATIONS, questions=[])
    raked = as_results(whole.results.table.with_columns(weighting=pl.lit("raked")))
    with pytest.raises(ResultsError, match="one weighting"):
        write_published(
            tmp_path / "a.xlsx",
            Published("nss_england", "2024", raked, whole.distributions.table, whole.organisations),
        )


def test_an_unknown_layout(tmp_path):
    with pytest.raises(UnknownNameError, match="layout 'regional'"):
        write_published(tmp_path / "a.xlsx", make_published("2024", ORGANISATIONS, []), layout="regional")


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(ReportError, match="cannot be written"):
        write_published(tmp_path / "none" / "a.xlsx", make_published("2024", ORGANISATIONS, []))
