"""Changes of groups within what they lie in: the table on the page says what the comparison says."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.contract import ALL
from tests.reporting.accessible import Book, faults

LEADING = 9


@pytest.fixture(scope="module")
def change(example_study):
    return example_study.compare_years()


@pytest.fixture(scope="module")
def table(change):
    return change.heat_table("Department")


def test_departments_stand_beneath_their_directorate_and_what_is_hidden_last(change, table):
    maps = change.heat_maps(["locality_1", "locality_4"]).figures
    assert [type(one).__name__ for one in maps] == ["HouseFigure", "ChangeTable"]
    groups = table.table.select("breakdown", "group", "within").unique(maintain_order=True)
    lies = dict(change.parents.filter(breakdown="locality_4").select("group", "parent_group").iter_rows())
    above = None
    for breakdown, group, within in groups.filter(~pl.col("group").str.contains("fewer than")).iter_rows():
        above = group if breakdown == "locality_1" else above
        assert within == (lies[group] if breakdown == "locality_4" else None)
        assert within in (None, above)
    assert groups["group"][0] == ALL
    assert groups["group"][-1].endswith("that would give those away")


def test_every_cell_is_the_change_that_the_comparison_prints(change, table):
    """Numbers, verdicts and what may not be shown, cell by cell, from the table of the comparison."""
    own = change.table.filter(
        pl.col("breakdown").is_in([ALL, "locality_1", "locality_4"]),
        pl.col("level").is_in(["element", "theme"]),
    )
    cells = table.cells().join(
        own.select("breakdown", "group", "measure", verdict_there=pl.col("verdict").cast(pl.String),
                   a="estimate_from", b="estimate_to"),
        on=["breakdown", "group", "measure"], how="left",
    )  # fmt: skip
    assert cells.height == own.height > 100
    assert cells["measure"].n_unique() == LEADING
    shown = cells.drop_nulls("estimate")
    assert (shown["verdict"] == shown["verdict_there"]).all()
    difference = (shown["b"].round(2) - shown["a"].round(2)).round(2)
    printed = shown["text"].str.replace("\N{MINUS SIGN}", "-").cast(pl.Float64)
    assert (printed - difference).abs().max() < 1e-9
    sides = {"improved": 1.0, "declined": -1.0}
    assert shown["apart"].to_list() == [sides.get(verdict) for verdict in shown["verdict_there"]]
    gone = cells.filter(pl.col("estimate").is_null())
    held = gone["status"].cast(pl.String).str.starts_with("suppressed")
    assert gone["mark"].to_list() == ["[c]" if h else "[b]" for h in held]
    assert held.any() and not held.all()


def test_the_page_has_the_colours_and_words_of_the_drawn_map(table):
    html = table._repr_html_()
    sides = table.cells().filter(pl.col("group") != ALL)["apart"].drop_nulls()
    whole = table.cells().filter(pl.col("group") == ALL)["apart"].drop_nulls()
    assert html.count(", improved</span>") == (sides > 0).sum() + (whole > 0).sum() > 5
    assert html.count(", declined</span>") == (sides < 0).sum() + (whole < 0).sum() > 5
    assert (
        ", no material change</span>" in html or "no material change" not in table.table["verdict"].to_list()
    )
    assert "Change in score (0 to 10), 2023 to 2024, sorted by Staff engagement" in html
    assert "in one of the years" in html
    exact = table.table.drop_nulls("estimate")["estimate"].round(6).cast(pl.String)
    assert not any(
        number in html for number in exact.filter(exact.str.len_chars() > 7)
    )  # rounded, for sorting too
    drawn = table.figure().layout.meta["alt"]
    assert "Heat map of the change of 9 measures" in drawn


def test_its_workbook_keeps_every_rule_and_words_stand_beside_numbers(table, tmp_path):
    path = table.save(tmp_path / "changes.xlsx")
    assert faults(path) == []
    book = Book(path)
    page = book.pages[3]
    top, _, bottom, right = page.area
    heads = [page.text(top, c) for c in range(1, right + 1)]
    assert heads[:3] == ["Directorate", "Department", "Base (people)"]
    assert heads[3] == "Compassionate and inclusive, change (0 to 10)"
    theatres = next(r for r in range(top + 1, bottom + 1) if page.text(r, 2) == "Theatres")
    text, number, style = page.cells[theatres, heads.index("Morale, change (0 to 10)") + 1]
    expected = table.table.filter(group="Theatres", measure="morale")["estimate"].item()
    assert number and float(text) == pytest.approx(expected, abs=1e-12)
    assert expected < -1 and book.style(style)["form"].endswith('" declined"')
    assert "[b]" in str(book.strings)


def test_numbers_in_names_count_as_people_count(change):
    renamed = change.table.with_columns(
        pl.when(breakdown="locality_1").then(pl.format("Ward {}", pl.col("group").rank("dense").over("breakdown")))
        .otherwise("group").alias("group")
    )  # fmt: skip
    from dataclasses import replace

    drawn = replace(change, table=renamed, parents=None).heat_map("locality_1")
    names = [note.text for note in drawn.layout.annotations if (note.text or "").startswith("Ward ")]
    assert len(names) > 9
    assert names == [f"Ward {n}" for n in sorted(int(name[5:]) for name in names)]
