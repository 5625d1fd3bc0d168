"""Every workbook keeps every rule of accessible spreadsheets, and each rule is broken by what it is about."""

import re
import zipfile

import polars as pl
import pytest
from accessible import MAIN, RULES, Book, faults

import culture_metrics as cm
from culture_metrics.errors import ReportError, UnknownNameError
from culture_metrics.files import accessible
from culture_metrics.files.accessible import Look, Sheet, workbook

TABLE, SHEET = "xl/tables/table3.xml", "xl/worksheets/sheet4.xml"
WORKBOOK, CORE, STYLES, STRINGS = (
    "xl/workbook.xml",
    "docProps/core.xml",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
)
CONTENTS = "xl/worksheets/sheet2.xml"
#: Rule -> part, what stands in it, what breaks the rule.
BREAKS = {
    "a_cover_contents_and_notes_come_first": (WORKBOOK, 'name="Cover"', 'name="Start"'),
    "contents_link_to_every_sheet_in_words": (CONTENTS, r"location=\"'Notes'!A1\"", "location=\"'Cover'!A1\""),
    "links_say_where_they_lead": (STRINGS, "Go to the contents", "click here"),
    "every_sheet_has_its_title_in_a1": (STYLES, 'sz val="16"', 'sz val="12"'),
    "the_number_of_tables_is_said": (STRINGS, "contains one table", "is about morale"),
    "every_sheet_but_the_cover_has_one_table": (
        "xl/worksheets/_rels/sheet3.xml.rels", "tables/table2.xml", "other/table2.xml",
    ),
    "tables_have_names_of_their_own": (TABLE, 'displayName="[^"]*"', 'displayName="Table3"'),
    "tables_begin_at_the_left_with_one_row_of_headings": (TABLE, 'ref="A', 'ref="B'),
    "no_cells_are_merged": (SHEET, "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells>'),
    "nothing_is_hidden": (WORKBOOK, '<sheet name="Notes"', '<sheet state="hidden" name="Notes"'),
    "no_cell_of_a_table_is_blank": (SHEET, r'<c r="B7"([^>]*)><v>[^<]*</v></c>', r'<c r="B7"\1/>'),
    "no_row_above_a_table_is_blank_and_nothing_is_below": (SHEET, r'<c r="A3"', '<c r="ZA3"'),
    "a_column_has_numbers_and_marks_or_texts": (
        SHEET, r'<c r="B7"([^>]*)><v>([^<]*)</v></c>', r'<c r="B7"\1 t="str"><v>\2</v></c>',
    ),
    "texts_of_digits_are_no_warnings": (SHEET, 'numberStoredAsText="1"', ""),
    "columns_are_wide_enough_or_wrap": (SHEET, r'width="[\d.]+"', 'width="3"'),
    "letters_are_sans_serif_of_12_points_or_more": (STYLES, 'sz val="12"', 'sz val="9"'),
    "colour_is_never_the_only_sign": (STYLES, "&quot; (above|below)&quot;", ""),
    "colours_keep_a_contrast_of_4_5": (STYLES, 'fgColor rgb="FFF46A25"', 'fgColor rgb="FF401030"'),
    "marks_are_explained_in_the_notes": ("xl/worksheets/sheet3.xml", '<c r="A5"', '<c r="ZA5"'),
    "headings_carry_no_footnote_signs": (STRINGS, r"Morale \(0 to 10\)", "Morale* (0 to 10)"),
    "units_stand_in_the_headings_of_heat_maps": (STRINGS, r"Morale \(0 to 10\)", "Morale"),
    "nothing_floats_and_nothing_runs": (SHEET, "</worksheet>", "<headerFooter/></worksheet>"),
    "the_document_says_title_author_and_language": (CORE, "<dc:language>en-GB</dc:language>", ""),
    "it_opens_on_the_first_sheet_at_a1": (WORKBOOK, "<workbookView", '<workbookView activeTab="3"'),
    "headings_stay_in_view_and_filter": (SHEET, 'state="frozen"', 'state="split"'),
}  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A workbook with a heat map: a cell above, one below, and what is not there."""
    groups = ["2024", "Estates and Facilities Management", "2 groups with fewer than 11 people"]
    frame = pl.DataFrame(
        {"Directorate": groups, "Base (people)": [900, 40, None], "Morale (0 to 10)": [6.0, 5.1, None]}
    )
    looks = {"Morale (0 to 10)": [Look('0.00" above"', "#6BACE6"), Look('0.00" below"', "#F46A25"), None]}
    sheet = Sheet(
        "Heat map Directorate", "A trust: scores", frame, about=["2024."], looks=looks,
        marks=dict.fromkeys(frame.columns, ["[c]"] * 3), levels=[0, 1, 0],
    )  # fmt: skip
    path = tmp_path_factory.mktemp("good") / "good.xlsx"
    path.write_bytes(workbook("A trust", ["2024."], {"[c]": "Confidential.", "[x]": "Nothing."}, [sheet]))
    return path


def test_a_sound_workbook_keeps_every_rule(good):
    assert faults(good) == []
    assert set(BREAKS) == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("rule", BREAKS)
def test_each_rule_finds_what_it_is_about(rule, good, tmp_path):
    part, there, instead = BREAKS[rule]
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == part:
                assert re.search(there, text), "the workbook has no such place"
                text = re.sub(there, instead, text)
            new.writestr(name, text)
    assert rule in faults(tmp_path / "bad.xlsx")


def rows_of(page):
    """By row: its height and outline, and its cells."""
    marked = {
        int(r.get("r")): (float(r.get("ht", 0)), r.get("outlineLevel")) for r in page.xml.iter(f"{MAIN}row")
    }
    numbers = {at: float(text) if is_number else text for at, (text, is_number, _) in page.cells.items()}
    return marked, numbers, {at: style for at, (*_, style) in page.cells.items()}


def test_a_long_table_is_written_as_a_short_one_is(tmp_path, monkeypatch):
    """Whole columns at once, or cell by cell with xlsxwriter: the same workbook."""
    words = ["A", " R&D <x>", "a_x0041_", "tab\tline\nend", "\x02", "", None, "long " * 30, "=1+1", "é😀"] * 5
    numbers = pl.Series([0.1 + 0.2, None, float("nan"), float("inf"), -0.5, 1e-9, 1e17, 5.0, 0.0, 2 / 3] * 5)
    frame = pl.DataFrame(
        {"Group": words, "Score": numbers, "Base": range(50), "mark": ["[c]", "[x]"] * 25},
        schema_overrides={"Base": pl.UInt32},
    ).with_columns(pl.col("Group").cast(pl.Categorical).alias("Kind"))
    sheets = [
        Sheet("Long", "All rows", frame, {"Score": "0.00", "Base": "#,##0"}, marks={"Kind": ["none"] * 50}),
        Sheet("Short", "Some rows", frame[:5], {"Score": "0.00"}),
        Sheet("Long too", "All rows again", frame.reverse()),
    ]
    made = []
    for longest in (accessible.LONG, 10**6):
        monkeypatch.setattr(accessible, "LONG", longest)
        path = tmp_path / f"{longest}.xlsx"
        path.write_bytes(workbook("T", ["L."], {"[c]": "Held.", "[x]": "None.", "none": "No."}, sheets))
        assert faults(path) == []
        made.append(Book(path))
    at_once, by_cell = made
    assert at_once.pages[3].area == by_cell.pages[3].area == (4, 1, 54, 4)
    for page, other in zip(at_once.pages, by_cell.pages, strict=True):
        (rows, cells, styles), (o_rows, o_cells, o_styles) = rows_of(page), rows_of(other)
        assert (rows, styles) == (o_rows, o_styles) and cells.keys() == o_cells.keys()
        # xlsxwriter writes sixteen digits, which are not always enough.
        assert cells == {
            at: pytest.approx(v, rel=1e-15) if isinstance(v, float) else v for at, v in o_cells.items()
        }
    assert rows_of(at_once.pages[3])[1][5, 2] == 0.1 + 0.2
    assert sorted(at_once.strings) == sorted(set(by_cell.strings))


def test_rows_without_a_level_are_as_tall_as_their_text(tmp_path):
    """The groups that are folded together stand last, in the longest text of a heat map: it was cut."""
    text = "Directorate: 12 groups with fewer than 11 people, or that would give those away"
    frame = pl.DataFrame({"Department": ["North", text], "Base (people)": [900, 40]})
    path = tmp_path / "levels.xlsx"
    path.write_bytes(workbook("T", ["L."], {"Base": "People."}, [Sheet("S", "T", frame, levels=[1])]))
    rows = rows_of(Book(path).pages[3])[0]
    assert rows[5] == (15.75, "1") and rows[6] == (32.25, None)


@pytest.fixture(scope="module")
def results():
    """Departments within directorates: one much worse off, two of seven and nine people."""
    made = cm.synthetic.respondents(2024, respondents_per_organisation=420, seed=4)
    row = pl.int_range(pl.len())
    directorate = pl.when(row < 200).then(pl.lit("North")).otherwise(pl.lit("South"))
    department = (
        pl.when(row < 7).then(pl.lit("Tiny"))
        .when(row < 16).then(pl.lit("Few"))
        .when(row < 60).then(pl.lit("Low"))
        .when(row < 130).then(pl.lit("Middle"))
        .when(row < 200).then(pl.lit("High"))
        .when(row < 300).then(pl.lit("East"))
        .otherwise(pl.lit("West"))
    )  # fmt: skip
    frame = made.frame.with_columns(locality_1=directorate, locality_4=department)
    low = pl.col("locality_4") == "Low"
    asked = [q.code for q in made.edition.questions.values() if len(set((q.score_map or {}).values())) == 5]
    frame = frame.with_columns(
        pl.when(low & (pl.col(c) > 2) & (pl.col(c) < 6)).then(pl.col(c) - 2).otherwise(c).alias(c)
        for c in asked
    )
    return cm.estimate(type(made)(made.survey, made.period, frame), by=["locality_1", "locality_4"])


@pytest.fixture(scope="module")
def heat(results):
    return results.heat_table("locality_4")


def test_what_verbs_save_keeps_every_rule(results, heat, tmp_path):
    few = type(results).of(results.table.filter(measure="morale"))
    assert faults(few.save(tmp_path / "a.xlsx")) == []
    assert faults(heat.save(tmp_path / "b.xlsx")) == []
    assert faults(results.heat_table("locality_1", measures=["q25c"]).save(tmp_path / "c.xlsx")) == []


def test_the_sheet_of_a_heat_map_has_its_numbers_and_colours(results, heat, tmp_path):
    book = Book(heat.save(tmp_path / "heat.xlsx"))
    page = book.pages[3]
    top, _, bottom, right = page.area
    heads = [page.text(top, c) for c in range(1, right + 1)]
    # Leading scores in the official order, then every other score.
    edition = cm.catalogue().edition(2024)
    leading = [edition.measure(m).label for m in edition.leading]
    assert heads[:3] == [heat.around, heat.name, "Base (people)"]
    assert heads[3 : 3 + len(leading)] == [f"{label} (0 to 10)" for label in leading]
    assert len(heads) == 3 + len(edition.scores)
    rows = [tuple(page.text(r, c) for c in (1, 2)) for r in range(top + 1, bottom + 1)]
    inside = {name: around for around, name in rows if name not in ("All", rows[-1][1])}
    assert rows[0] == ("Whole organisation", "All")
    assert inside == {"Low": "North", "Middle": "North", "High": "North", "East": "South", "West": "South"}
    # Seven people and nine: without their names, all held back.
    assert "Tiny" not in str(book.strings)
    assert {page.text(bottom, c) for c in range(3, right + 1)} == {"[c]"}
    low = top + 1 + rows.index(("North", "Low"))
    where = heads.index("Morale (0 to 10)") + 1
    text, number, style = page.cells[low, where]
    morale = results.table.filter(group="Low", measure="morale")["estimate"].item()
    assert number and float(text) == pytest.approx(morale, abs=1e-12)
    assert book.style(style)["form"].endswith('" below"')
    # Departments are outlined beneath their directorate; nothing is folded.
    levels = {int(r.get("r")): r.get("outlineLevel") for r in page.xml.iter() if r.tag.endswith("}row")}
    assert levels[low] == "1"
    assert levels.get(top + 1) is None


def test_the_table_on_the_page_says_what_the_map_says(results, heat):
    """The colours and marks of departments are those of the drawn map of them."""
    drawn = results.heat_map("locality_4", limit=heat.limit)
    cells = next(t for t in drawn.data if t.name == "Groups")
    coloured = sum(abs(value) > 0 for row in cells.z for value in row if value is not None)
    html = heat._repr_html_()
    own = heat.table.filter("leading", breakdown="locality_4").drop_nulls("estimate")
    assert own.filter("clear").height == coloured > 5
    outer = heat.table.filter("leading", breakdown="locality_1").filter("clear").height
    assert html.count("<i aria-hidden=true>") == coloured + outer
    assert "Tiny" not in html
    assert "2 groups with fewer than 11 people" in html
    assert html.count("<tbody") == 4  # the whole, two directorates, what is hidden
    assert "<script>" in html and "http" not in html


def test_rows_are_ordered_by_what_is_shown_and_hidden_ones_last(results):
    by_name = results.heat_table("locality_4", order="name").table["group"].unique(maintain_order=True)
    assert by_name.to_list()[:-1] == ["all", "North", "High", "Low", "Middle", "South", "East", "West"]
    assert by_name[-1].startswith("2 groups with fewer")
    lowest = results.heat_table("locality_4", order="morale").table["group"].unique(maintain_order=True)
    morale = dict(results.table.filter(measure="morale").select("group", "estimate").iter_rows())
    north = [g for g in lowest if g in ("Low", "Middle", "High")]
    assert north == sorted(north, key=morale.get)
    with pytest.raises(UnknownNameError, match="measure"):
        results.heat_table("locality_4", order="q25c")


def test_like_groups_stand_side_by_side():
    """Two pairs of like profiles: the optimal order keeps each pair together, lower first."""
    from culture_metrics.results.heat_table import likeness

    profiles = {"a": (-1, -1), "b": (1, 1.1), "c": (-1.1, -1), "d": (1, 1)}
    cells = pl.DataFrame(
        [("x", g, m, float(v), 0.0) for g, p in profiles.items() for m, v in zip("pq", p, strict=True)],
        schema=["breakdown", "group", "measure", "estimate", "reference"], orient="row",
    )  # fmt: skip
    found = likeness(cells)["group"].to_list()
    assert {*found[:2]} == {"a", "c"}
    assert {*found[2:]} == {"b", "d"}


def made(path, *frames):
    path.write_bytes(workbook("T", ["L."], {"Base": "People."}, [Sheet("S", "T", frame) for frame in frames]))
    return path


def test_headings_alike_but_for_case_keep_the_table_and_those_after_it(tmp_path):
    """Excel refuses them in one table; the long tables behind must still be found."""
    alike = pl.DataFrame({"A": [1, 2], "a": [3, 4], "": [5, 6]})
    path = made(tmp_path / "x.xlsx", alike, pl.DataFrame({"x": range(40)}), pl.DataFrame({"y": range(50)}))
    read = [pl.read_excel(path, table_name=name) for name in ("S", "S_2", "S_3")]
    assert read[0].columns == ["A", "a 2", "Column 3"] and read[0].rows() == alike.rows()
    assert (read[1]["x"].to_list(), read[2]["y"].to_list()) == ([*range(40)], [*range(50)])


@pytest.mark.parametrize(
    ("frame", "most"),
    [
        (pl.DataFrame({"x": pl.repeat(1, 1_048_573, eager=True)}), "1,048,572 rows"),
        (pl.DataFrame({f"c{n}": [1] for n in range(16_385)}), "16,384 columns"),
    ],
)
def test_a_table_that_would_lose_its_end_is_refused(tmp_path, frame, most):
    """A sheet has 1,048,576 rows: four stand before those of the table."""
    with pytest.raises(ReportError, match="than a sheet of a workbook can hold") as error:
        made(tmp_path / "x.xlsx", frame)
    assert most in error.value.expected and ".csv or .parquet" in error.value.hint


def test_a_cell_holds_as_many_letters_as_excel_counts(tmp_path):
    """An emoji counts twice, and no row is higher than 409.5 points."""
    for rows in (2, 30):
        frame = pl.DataFrame({"t": ["\N{GRINNING FACE}" * 32_767] * rows, "u": ["word " * 1500] * rows})
        path = made(tmp_path / "x.xlsx", frame)
        read = pl.read_excel(path, table_name="S")
        assert read["t"].unique().to_list() == ["\N{GRINNING FACE}" * 16_383]
        with zipfile.ZipFile(path) as book:
            heights = re.findall(r'<row [^>]* ht="([0-9.]+)"', book.read("xl/worksheets/sheet4.xml").decode())
        assert max(map(float, heights)) == 409.5
