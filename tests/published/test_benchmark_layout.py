"""The figures of 2024 in the layout of benchmark workbooks, and a header as public scripts describe it."""

from __future__ import annotations

import polars as pl
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.benchmark import benchmark
from culture_metrics.published import read_published, tie_out
from culture_metrics.published.usual import usual_percentages

IDS = ["org_id", "org_name", "org_mode", "org_type", "org_type_reporting", "org_type_reporting_name"]
#: Sheet of every group; both kinds of social enterprises stand on one, told apart by org_type.
SHEETS = {
    "Acute and Acute & Community Trusts": ("Acute&Acute Community Trusts", 1),
    "Acute Specialist Trusts": ("Acute Specialist Trusts", 3),
    "Mental Health & Learning Disability and Mental Health, Learning Disability & Community Trusts": (
        "MH&LD, MH, LD&Community Trusts",
        4,
    ),
    "Community Trusts": ("Community Trusts", 6),
    "Ambulance Trusts": ("Ambulance Trusts", 7),
    "ICBs": ("ICBs", 8),
    "CSUs": ("CSUs", 9),
    "Social Enterprises - Mental Health": ("Social Enterprises", 10),
    "Social Enterprises - Community": ("Social Enterprises", 12),
    "Community Surgical Services": ("Community Surgical Services", 13),
}


def stem(measure):
    """Return what a column of a measure is called, without its year."""
    return f"theme_{measure.id.removeprefix('staff_')}" if measure.level == "theme" else measure.code


@pytest.fixture(scope="module")
def both(official, tmp_path_factory):
    """The official results of organisations, and the same figures read from a benchmark workbook."""
    measures = [
        m for m in official.edition.measures.values()
        if m.unit == "score" or (not official.edition.questions[m.question].out_of_base and m.option is None)
    ]  # fmt: skip
    rows = official.results.table.select("organisation", "measure", "estimate", "base")
    figures = {(o, m): (e, b) for o, m, e, b in rows.rows()}
    path = tmp_path_factory.mktemp("benchmark") / "book.xlsx"
    header = [*IDS, *(f"{stem(m)}{n}_2024" for m in measures for n in ("", "_n"))]
    sheets = {}
    for group, (sheet, kind) in SHEETS.items():
        for code, name in (
            official.organisations.filter(benchmark_group=group).select("organisation", "name").rows()
        ):
            cells = [code, name, "Online", kind, kind, "Community Trusts" if kind > 9 else group]
            for m in measures:
                value, base = figures[code, m.id]
                shown = value if value is None or m.unit == "score" else value / 100
                cells += ["-" if shown is None else shown, "-" if base is None else base]
            sheets.setdefault(sheet, []).append(cells)
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write(0, 0, "2024 NHS Staff Survey")
        for name, body in sheets.items():
            sheet = book.add_worksheet(name)
            for i, cells in enumerate([header, *body]):
                sheet.write_row(i, 0, cells)
    return official, read_published(path)


@pytest.mark.parametrize("group", SHEETS)
def test_benchmark_is_that_of_the_detailed_file(both, group):
    detailed, _ = both
    code = detailed.organisations.filter(benchmark_group=group)["organisation"].min()
    first, second = (benchmark(p, code).table for p in both)
    kept = ["measure", "estimate", "base", "best", "median", "worst", "organisations", "rank"]
    scores = [m.id for m in detailed.edition.scores.values()]
    frames = [t.filter(pl.col("measure").is_in(scores)).select(kept) for t in (first, second)]
    assert frames[0].height == 30
    assert_frame_equal(*frames, check_row_order=False, rel_tol=0, abs_tol=1e-9)
    assert set(frames[1]["organisations"]) == {detailed.organisations.filter(benchmark_group=group).height}


def test_they_tie_out(both):
    found = tie_out(*both)
    assert found.compared["organisation"] == 263
    assert found.compared["figure"] > 263 * 100
    assert found.table.filter(pl.col("kind") != "status").is_empty()


#: Columns beside the questions in the workbook of 2025 (public scripts that read it), and what becomes of each.
BESIDE = {
    "PP1_sig": "significance",
    "theme_morale_sig": "significance",
    "q16b_eth_summary_1_2025": "wres",
    "har_from_pat_eth_summary_2_2025": "wres",
    "equal_eth_summary_1_2025": "wres",
    "q14a_q31a_1_2025": "wdes",
    "theme_engagement_q31a_2_2025": "wdes",
    "theme_engagement_q31a_unweighted_2025": "wdes",
    "eth_grp_sum_6_2025": "composition",
    "seb_five_class_5_2025": "composition",
    "seb_three_class_3_2025": "composition",
    "occ_subgroup_19_2025": "composition",
    "q26d_9_2025": "option",
    "q27a_1_2025": "option",
    "q38_5_2025": "option",
    "q39a_6_2025": "option",
    "q39b_9_2025": "option",
}
READ = {
    "PP1_2025": 7.1,
    "PP4_2_2025": 4.862942723459192,
    "M_1_2025": 5.323578333242174,
    "q11a_2025": 0.4703697295782755,
}


def test_every_column_of_the_header_of_2025_is_read_or_named(tmp_path):
    path = tmp_path / "book.xlsx"
    header = [
        *IDS, *READ, *(n.replace("_2025", "_n_2025") for n in READ), "q16c_10_2025", "q16c_10_n_2025", *BESIDE,
        "response_rate_2025", "response_rate_n_2025", "q99a_2025", "q98a_n_2025", "new_column",
    ]  # fmt: skip
    figures = {
        **READ,
        **dict.fromkeys(BESIDE, 0.25),
        "q16c_10_2025": 0.05,
        "response_rate_2025": 0.4095821325648415,
    }
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Community Trusts")
        sheet.write_row(0, 0, header)
        for i, code in enumerate(("G6V2S", "NAX"), 1):
            ids = [code, "Name", "Online", 6, 6, "Community Trusts"]
            sheet.write_row(i, 0, [*ids, *(figures.get(n, 2270) for n in header[6:])])
    found = read_published(path)
    rows = {
        m: e for m, e in found.results.table.filter(organisation="G6V2S").select("measure", "estimate").rows()
    }
    edition = catalogue().edition(2025)
    assert rows[edition.codes["pp4_2"]] == 4.862942723459192
    assert rows[edition.codes["m_1"]] == 5.323578333242174
    assert rows[edition.codes["q11a"]] == pytest.approx(47.03697295782755, abs=1e-12)
    assert rows[edition.codes["q16c_10"]] == pytest.approx(5)
    beside = found.provenance["beside"].filter(organisation="NAX")
    assert dict(beside.select("column", "kind").rows()) == BESIDE
    assert found.provenance["response_rates"]["percent"].to_list() == pytest.approx([40.95821325648415] * 2)
    assert found.provenance["left_out"] == {
        "no question or score of the newest edition in the file": ("q99a_2025", "new_column"),
        "bases without a column of figures": ("q98a_n_2025",),
    }


@pytest.mark.parametrize("year", [e.period for e in catalogue() if not e.provisional])
def test_every_measure_of_a_year_is_read_by_its_column(tmp_path, year):
    """Score and question columns under the codes of each year, with the columns that stand beside them."""
    edition = catalogue().edition(year)
    usual = dict(usual_percentages(edition).select("measure", "usual").rows())
    figures = {
        stem(m): 7.0 if m.unit == "score" else usual.get(m.id, 30) / 100 for m in edition.measures.values()
    }
    beside = [name.replace("2025", year) for name in BESIDE]
    header = [*IDS, *(f"{code}{n}_{year}" for code in figures for n in ("", "_n")), *beside]
    ids = ["RX1", "Name", "Online", 6, 6, "Community Trusts"]
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Community Trusts")
        sheet.write_row(0, 0, header)
        sheet.write_row(1, 0, [*ids, *(n for f in figures.values() for n in (f, 900)), *[0.5] * len(beside)])
    found = read_published(path)
    assert set(found.results.table["measure"]) == {*edition.measures}
    assert found.results.table["estimate"].null_count() == 0
    assert found.provenance["left_out"] == {}
    assert set(found.provenance["beside"]["column"]) | set(found.provenance["borrowed_bases"]) == {*beside}
