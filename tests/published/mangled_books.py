"""Small files of every published kind, and what people and programs do to such files."""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import fastexcel
import polars as pl
import xlsxwriter
from books import NATIONAL, ORGANISATIONS, make_published
from books import Sheets as Grid

from culture_metrics.catalogue import catalogue
from culture_metrics.published import Published, write_published

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

#: Questions of one sheet and another, one of them to be ticked; and scores of two sheets.
QUESTIONS = (
    "knows_responsibilities",
    "can_meet_demands",
    "discrimination_grounds",
    "recommend_place_to_work",
)
SCORES = ("autonomy_and_control", "flexible_working", "we_work_flexibly", "morale", "staff_engagement")
HIDDEN = ("-", "*", "\u2013", "<10")
#: Names under which somebody adds a row that is no organisation, and what stands as its code.
TOTALS = (
    ("", "Total"), ("", "England"), ("Average", ""), ("Mean", "Mean"), ("England", "England"), ("National", ""),
    ("All trusts", "All trusts"), ("Sector", "Sector average"), ("count: 6", ""), ("n = 12", ""), ("AVG", "Average"),
    ("Benchmark median", ""), ("ALL", "All organisations"), ("TOT", "Total"), ("ENG", "England"), ("SUM", "Sum"),
    ("MED", "Median"), ("MIN", "Minimum"), ("MAX", "Maximum"), ("123456", "Number of responses"), ("", "Mean"),
    ("Selection (excluding suppressed data)", ""), ("NHS", "National average"), ("x", "Benchmark median"),
)  # fmt: skip


class Formula(NamedTuple):
    """A formula and the value that the file stores for it."""

    text: str
    value: Any


@dataclass
class Table:
    """Where the table of a sheet stands: its header, the first row below, columns of ids, of titles."""

    header: int
    ids: int
    titles: int | None = None
    below: int = 1

    @property
    def first(self) -> int:
        return self.header + self.below


@dataclass
class Book:
    """Sheets as grids of cells, and the tables on them. `ends` is the ending of the file."""

    kind: str
    sheets: Grid
    tables: dict[str, Table]
    ends: str = ".xlsx"
    said: list[str] = field(default_factory=list)
    loses: bool = False
    encoding: str = "utf-8"
    separator: str = ","
    cut: float = 1.0

    def copy(self) -> Book:
        sheets = {name: [[*row] for row in rows] for name, rows in self.sheets.items()}
        tables = {n: Table(t.header, t.ids, t.titles, t.below) for n, t in self.tables.items()}
        return Book(self.kind, sheets, tables, self.ends)

    @property
    def organisation(self) -> str | None:
        return "RXX" if self.kind == "contractor" else None


def write(book: Book, folder: Path) -> Path:
    path = folder / f"file{book.ends}"
    if book.ends == ".csv":
        # Text has no sheets: their rows stand under each other.
        rows = [row for each in book.sheets.values() for row in each]
        with path.open("w", newline="", encoding=book.encoding, errors="replace") as file:
            csv.writer(file, delimiter=book.separator).writerows(rows)
    else:
        with xlsxwriter.Workbook(
            path, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
        ) as made:
            date = made.add_format({"num_format": "dd/mm/yyyy"})
            for name, rows in book.sheets.items():
                sheet = made.add_worksheet(name)
                for i, row in enumerate(rows):
                    for k, cell in enumerate(row):
                        if isinstance(cell, Formula):
                            sheet.write_formula(i, k, cell.text, value=cell.value)
                        elif isinstance(cell, datetime.datetime):
                            sheet.write_datetime(i, k, cell, date)
                        elif cell is not None:
                            sheet.write(i, k, cell)
    if book.cut < 1:
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * book.cut)])
    return path


def grids(path: Path) -> Grid:
    """Return every sheet of a workbook as it stands."""
    found: Grid = {}
    book = fastexcel.read_excel(path)
    for name in book.sheet_names:
        text, number = (
            book.load_sheet(name, header_row=None, skip_rows=0, dtypes=dtype).to_polars().rows()
            for dtype in ("string", "float")
        )
        found[name] = [
            [t if n is None or i < 5 or k < 2 else n for k, (t, n) in enumerate(zip(*pair, strict=True))]
            for i, pair in enumerate(zip(text, number, strict=True))
        ]
    return found


def _small(published: Published) -> Published:
    scores = published.results.table.filter(pl.col("measure").is_in(SCORES))
    return Published("nss_england", "2024", scores, published.distributions.table, published.organisations)


def _detailed(kind: str, path: Path) -> Book:
    who = NATIONAL if kind == "national" else ORGANISATIONS
    write_published(path, _small(make_published("2024", who, QUESTIONS)), layout=kind)  # type: ignore[arg-type]
    sheets = grids(path)
    ids = 4 if kind == "national" else 6
    tables = {name: Table(4, ids, 0) for name, rows in sheets.items() if len(rows) > 4}
    return Book(kind, sheets, tables)


@cache
def _source(kind: str, folder: Path) -> Book:
    if kind in ("organisation", "national"):
        return _detailed(kind, folder / "made.xlsx")
    if kind == "organisation_type":
        book = _detailed("national", folder / "made.xlsx")
        book.kind = kind
        for name, table in book.tables.items():
            rows = book.sheets[name]
            column = rows[table.header].index("Base")
            body = rows[table.first :]
            for step, said in enumerate(("Ambulance Trusts", "ICBs"), 1):
                rows += [_typed(row, column, said, step, table.ids) for row in body]
        return book
    if kind == "benchmark":
        return _benchmark()
    return _pulse() if kind == "pulse" else _contractor()


def _typed(row: list[Any], column: int, said: str, step: int, ids: int) -> list[Any]:
    """Return a row of another type: options in another order, other bases and scores."""
    cells = [c if not isinstance(c, float) or i < ids or c != int(c) else c + step for i, c in enumerate(row)]
    cells[column] = said
    return cells


def source(kind: str, folder: Path) -> Book:
    """Return a fresh copy of a file of a kind."""
    return _source(kind, folder).copy()


def _benchmark() -> Book:
    edition = catalogue().edition(2024)
    codes = [
        "PP1",
        "PP1_1",
        "PP4",
        "PP4_3",
        "theme_morale",
        "M_1",
        "q3a",
        "q15",
        "q25c",
        "q26a",
        "q14a",
    ]
    header = ["org_id", "org_name", "org_mode", "org_type", "org_type_reporting", "org_type_reporting_name"]
    header += [
        f"{c}{n}_{y}" for y in (2024, 2023) for n in ("", "_n") for c in codes if (c, n) != ("PP1_1", "_n")
    ]
    header += ["PP1_sig", "q14a_eth_summary_1_2024", "response_rate_2024", "response_rate_n_2024"]
    scores = {c.lower() for c in edition.codes if edition.codes[c] in edition.scores}
    groups = {"Community Trusts": (6, ("RX1", "RX2", "RX3")), "Ambulance Trusts": (7, ("RA1", "RA2"))}
    sheets: Grid = {"Notes": [["2024 NHS Staff Survey"], ["Benchmark results"]]}
    for seed, (sheet, (kind, organisations)) in enumerate(groups.items()):
        rows: list[list[Any]] = [header]
        for place, code in enumerate(organisations):
            cells: list[Any] = [code, f"{code} Trust", "Online", kind, kind, sheet]
            for i, name in enumerate(header[6:]):
                share = (((i * 37 + place * 11 + seed * 5) % 40) + 10) / 100
                stem = name.rpartition("_")[0].lower()
                if "_n_" in name:
                    cells.append(300 + i + place * 50)
                elif name.endswith("_sig"):
                    cells.append(place - 1)
                else:
                    cells.append(round(10 * share, 4) if stem in scores else round(share, 4))
            rows.append(cells)
        sheets[sheet] = rows
    return Book("benchmark", sheets, {s: Table(0, 6) for s in groups})


def _pulse() -> Book:
    head = ["Region Code", "Region Name", "STP Code", "STP Name", "Org Code", "Org Name", "Care Setting"]
    counts = ["Total Responses", "HSCIC Workforce Headcount"]
    sheets: Grid = {"Notes": [["National Quarterly Pulse Survey Data - Q4 2023-24"]]}
    tables = {}
    for k, score in enumerate(("Engagement", "Advocacy")):
        rows: list[list[Any]] = [[None]] * 3 + [[*head, *counts, f"{score} Score"]]
        rows.append([*[None] * 6, "England", 1500 + k, 9000, round(6.5 + k / 10, 4)])
        for i, code in enumerate(("RX1", "RX2", "RX3")):
            ids = ["Y1", "London", "QX", "East", code, f"{code} Trust", "Community Trusts"]
            rows.append([*ids, 400 + 10 * i + k, 3000 + i, round(6.1 + i / 7 + k / 10, 4)])
        sheets[score] = rows
        tables[score] = Table(3, 7)
    return Book("pulse", sheets, tables)


def _contractor() -> Book:
    header = ["Year", "QuestionNumber", "QuestionText", "DimName", "DimValue", "BaseSize", "Score"]
    groups = (
        ("All", "All", 3000),
        ("Gender", "Female", 2000),
        ("Gender", "Male", 1000),
        ("Directorate", "Wards", 60),
    )
    rows: list[list[Any]] = [header]
    usual = {"Q3a": 87.0, "Q25c": 61.0, "Q14a": 25.0, "Q11a": 57.0, "Q15": 55.0, "PP1": 7.2, "PP4_3": 6.3}
    for year in (2024, 2023):
        for k, (code, figure) in enumerate(usual.items()):
            for i, (dimension, group, base) in enumerate(groups):
                # A score in the hundreds of thousandths of a percent keeps figures apart.
                shown = (
                    round(figure + i / 3 + k / 100 + (2024 - year) / 5, 5) if figure > 10 else figure + i / 10
                )
                rows.append([year, code, "words", dimension, group, base, round(shown, 5)])
    return Book("contractor", {"Data": rows}, {"Data": Table(0, 5)})


KINDS = ("organisation", "national", "organisation_type", "benchmark", "pulse", "contractor")
Change = Callable[[Book, "Random"], None] if TYPE_CHECKING else Any
CHANGES: dict[str, Change] = {}


def change(function: Change) -> Change:
    CHANGES[function.__name__] = function
    return function


def _pick(book: Book, random: Random) -> tuple[str, Table, list[list[Any]]]:
    if not book.tables:
        return "", Table(0, 1), [[None, None, None], [None, None, None], [None, None, None], [None] * 3]
    name = random.choice([*book.tables])
    rows = book.sheets[name]
    width = max(map(len, rows))
    rows[:] = [[*row, *[None] * (width - len(row))] for row in rows]
    return name, book.tables[name], rows


def _figure(random: Random, table: Table, rows: list[list[Any]]) -> tuple[int, int]:
    """Return the place of one cell of figures."""
    return random.randrange(table.first, len(rows)), random.randrange(table.ids, len(rows[table.header]))


@change
def columns_are_renamed(book, random):
    _, table, rows = _pick(book, random)
    column = random.randrange(len(rows[table.header]))
    rows[table.header][column] = random.choice(["Something", "Q99z_2024", "% Rather", "PP1_9_2024", "Base"])
    book.loses = True


@change
def headers_have_other_spacing(book, random):
    _, table, rows = _pick(book, random)
    for column in random.sample(range(len(rows[table.header])), 3):
        text = rows[table.header][column]
        if isinstance(text, str):
            rows[table.header][column] = random.choice(
                [f" {text} ", f"\u200b{text}", text.replace(" ", "\xa0")]
            )


@change
def a_title_is_renamed(book, random):
    _, table, rows = _pick(book, random)
    if table.titles is None:
        return
    at = [i for i, cell in enumerate(rows[table.titles]) if cell and i >= table.ids]
    rows[table.titles][random.choice(at)] = random.choice(["Q99a - New", "New block", "PP9_1 - New", None])
    book.loses = True


@change
def a_column_stands_twice(book, random):
    _, table, rows = _pick(book, random)
    column = random.randrange(len(rows[table.header]))
    odd = random.random() < 0.5
    for i, row in enumerate(rows):
        cell = row[column]
        row.append(cell + 1 if odd and i >= table.first and isinstance(cell, int | float) else cell)


@change
def a_column_is_dropped(book, random):
    _, table, rows = _pick(book, random)
    column = random.randrange(len(rows[table.header]))
    for row in rows:
        del row[column]
    if column < table.ids:
        table.ids -= 1
    book.loses = True


@change
def columns_are_moved(book, random):
    _, table, rows = _pick(book, random)
    width = len(rows[table.header])
    if table.titles is None:
        order = [*range(width)]
        random.shuffle(order)
    else:
        starts = [i for i, cell in enumerate(rows[table.titles]) if cell and i >= table.ids]
        blocks = [[*range(a, b)] for a, b in zip(starts, [*starts[1:], width], strict=True)]
        random.shuffle(blocks)
        order = [*range(starts[0]), *(i for block in blocks for i in block)]
    rows[:] = [[row[i] for i in order] for row in rows]


@change
def sheets_are_renamed_and_moved(book, random):
    names = [*book.sheets]
    new = {n: n if n == "Notes" or random.random() < 0.6 else f"Sheet {i}" for i, n in enumerate(names)}
    random.shuffle(names)
    book.sheets = {new[n]: book.sheets[n] for n in names}
    book.tables = {new[n]: t for n, t in book.tables.items()}


@change
def a_sheet_stands_twice(book, random):
    _, table, rows = _pick(book, random)
    copied = [[*row] for row in rows]
    if random.random() < 0.5:
        row, column = _figure(random, table, copied)
        if isinstance(copied[row][column], int | float):
            copied[row][column] += 0.5
    book.sheets["Copy"] = copied


@change
def a_sheet_is_dropped(book, random):
    name, _, _ = _pick(book, random)
    del book.sheets[name], book.tables[name]
    book.loses = True
    book.sheets.setdefault("Other", [["Nothing"]])


@change
def rows_are_inserted_above(book, random):
    _, table, rows = _pick(book, random)
    texts = [None, "Results", "Printed 1 March", "Q2a is about looking forward to work"]
    count = random.randrange(1, 7)
    rows[:0] = [[random.choice(texts), *[None] * (len(rows[0]) - 1)] for _ in range(count)]
    table.header += count
    if table.titles is not None:
        table.titles += count


@change
def blank_rows_and_notes_stand_among_the_rows(book, random):
    _, table, rows = _pick(book, random)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(table.first, len(rows) + 1)
        note = random.choice([None, None, "Note: weighted"]) if at == len(rows) else None
        rows.insert(at, [note, *[None] * (len(rows[0]) - 1)])


@change
def a_note_stands_left_of_the_table_far_below(book, random):
    for name in book.tables:
        rows = book.sheets[name]
        rows += [[None, " "]] * 30
        rows[:] = [[None, *row] for row in rows]
        rows.append(["Source: the contractor"])
        book.tables[name].ids += 1


@change
def repeated_ids_are_merged(book, random):
    _, table, rows = _pick(book, random)
    column = random.randrange(table.ids)
    before = None
    for row in rows[table.first :]:
        row[column], before = (None if row[column] == before else row[column]), row[column]


@change
def other_marks_for_suppressed(book, random):
    for name in book.tables:
        table, rows = book.tables[name], book.sheets[name]
        mark = random.choice([*HIDDEN, "x", "[c]", "n/a", "Suppressed", "<11", "..", "too few"])
        for _ in range(2):
            row = random.randrange(table.first, len(rows))
            for column in range(table.ids, len(rows[row])):
                if random.random() < 0.7:
                    rows[row][column] = mark
    book.loses = True


def _spoil(book, random, spoilt, whole=0):
    """Change figures: one cell, a column or all of a sheet. A format belongs to a column at least."""
    _, table, rows = _pick(book, random)
    row, column = _figure(random, table, rows)
    how = random.randrange(whole, 3)
    for i in range(table.first, len(rows)):
        for k in range(table.ids, len(rows[i])):
            if (how == 2 or (k == column and (how or i == row))) and isinstance(rows[i][k], int | float):
                rows[i][k] = spoilt(rows[i][k])


@change
def numbers_are_text(book, random):
    form = random.choice([str, " {} ".format, "{}\u200b".format, "\xa0{}".format])
    _spoil(book, random, form)


@change
def thousands_have_commas(book, random):
    mark = random.choice([",", " ", "\u202f", ".", "'"])
    _spoil(book, random, lambda n: f"{int(n) + 0:,}".replace(",", mark) if n == int(n) and n >= 1000 else n)


@change
def bases_are_thousands_with_commas(book, random):
    for name, table in book.tables.items():
        for row in book.sheets[name][table.first :]:
            row[:] = [
                f"{int(c):,}" if isinstance(c, int | float) and c >= 1000 and c < 2015 else c for c in row
            ]


@change
def decimals_have_commas(book, random):
    _spoil(book, random, lambda n: str(n).replace(".", ","))


@change
def percent_signs(book, random):
    _spoil(book, random, lambda n: f"{n}%")


@change
def percent_signs_on_fractions(book, random):
    _spoil(book, random, lambda n: f"{n * 100}%")


@change
def fractions(book, random):
    _spoil(book, random, lambda n: n if n == int(n) else n / 100, whole=1)


@change
def percent_for_fractions(book, random):
    _spoil(book, random, lambda n: n if n == int(n) else n * 100, whole=1)


@change
def cells_are_errors(book, random):
    error = random.choice(["#N/A", "#DIV/0!", "#REF!", "#VALUE!"])
    _spoil(book, random, lambda n: Formula("=1/0", error) if book.ends == ".xlsx" else error)


@change
def formulas_have_no_value(book, random):
    _spoil(book, random, lambda n: Formula("=A1+1", "") if book.ends == ".xlsx" else "=A1+1")


@change
def cells_have_other_types(book, random):
    kind = random.choice(
        [True, False, datetime.datetime(2024, 3, 2), "nan", "inf", "1e400", "n/a", "0x1F", "-1"]
    )
    _spoil(book, random, lambda n: kind)


@change
def cells_are_blank(book, random):
    _spoil(book, random, lambda n: None)
    book.loses = True


@change
def invisible_characters(book, random):
    _, table, rows = _pick(book, random)
    for row in random.sample(rows[table.first :], min(2, len(rows) - table.first)):
        column = random.randrange(table.ids)
        if isinstance(row[column], str):
            row[column] = random.choice(["\u200b{}", "{}\ufeff", "{}\u00ad", "  {}\xa0"]).format(row[column])


@change
def a_row_stands_twice(book, random):
    _, table, rows = _pick(book, random)
    at = random.randrange(table.first, len(rows))
    copied = [*rows[at]]
    if random.random() < 0.5:
        column = random.randrange(table.ids, len(copied))
        if isinstance(copied[column], int | float):
            copied[column] += 0.25
    rows.insert(random.randrange(table.first, len(rows) + 1), copied)


@change
def a_row_is_dropped(book, random):
    _, table, rows = _pick(book, random)
    del rows[random.randrange(table.first, len(rows))]
    book.loses = True


@change
def rows_are_sorted_otherwise(book, random):
    for name, table in book.tables.items():
        body = book.sheets[name][table.first :]
        random.shuffle(body)
        book.sheets[name][table.first :] = body


def add_row(book: Book, code: str, name: str) -> None:
    """Add a row with figures to every table, under a code and a name."""
    for sheet, table in book.tables.items():
        rows = book.sheets[sheet]
        header = [str(c or "").strip().casefold() for c in rows[table.header]]
        last = next(
            (r for r in reversed(rows) if len(r) >= len(header) and r[-1] is not None), [None] * len(header)
        )
        added = [c if isinstance(c, int | float) else None for c in last]
        for headers, text in (
            (("ods code", "org_id", "org code", "breakdown", "dimname"), code),
            (("organisation name", "org_name", "org name", "breakdown subgroup", "dimvalue"), name),
        ):
            for place in (header.index(h) for h in headers if h in header):
                added[place] = text or None
        for place in (header.index(h) for h in ("weighting", "questionnumber") if h in header):
            added[place] = last[place]
        rows.append(added)


@change
def totals_are_added(book, random):
    code, name = random.choice(TOTALS)
    add_row(book, code, name)
    if book.kind == "contractor":  # a breakdown of the trust's own may have any name
        book.said.append(code)


@change
def the_year_stands_elsewhere(book, random):
    for rows in book.sheets.values():
        for row in rows[:3]:
            for i, cell in enumerate(row):
                if isinstance(cell, str) and "NHS Staff Survey" in cell:
                    row[i] = random.choice(
                        ["2024 NHS Staff Survey", "Results", "NHS Staff Survey  2024 (v2)"]
                    )


@change
def an_unknown_block(book, random):
    _, table, rows = _pick(book, random)
    title, headers = "NSSEC3 - Classes", ["% Low", "% High", "Base (number of responses)"]
    if table.titles is None:
        headers = ["q98a_2024", "q98a_n_2024", "New column"]
    for i, row in enumerate(rows):
        if i == table.titles:
            row += [title, None, None]
        else:
            row += headers if i == table.header else [40.0, 60.0, 500] if i >= table.first else [None] * 3


@change
def an_unknown_breakdown(book, random):
    for name, table in book.tables.items():
        rows = book.sheets[name]
        header = [str(c or "").strip().casefold() for c in rows[table.header]]
        at = next((header.index(h) for h in ("breakdown", "dimname") if h in header), None)
        if at is not None and len(rows[-1]) > at + 1:
            added = [*rows[-1]]
            added[at], added[at + 1] = "Pay band", "Band 5"
            rows.append(added)
    book.said.append("Pay band")


@change
def region_and_ics_stand_under_each_other(book, random):
    for name, table in book.tables.items():
        header = book.sheets[name][table.header]
        if "Region" in header and "ICS" in header:
            a, b = header.index("Region"), header.index("ICS")
            for row in book.sheets[name][table.first :]:
                if len(row) > max(a, b):
                    row[a], row[b] = row[b], row[a]


@change
def cells_of_a_row_are_shifted(book, random):
    _, table, rows = _pick(book, random)
    row = rows[random.randrange(table.first, len(rows))]
    at = random.randrange(len(row))
    if random.random() < 0.5:
        row.insert(at, None)
    else:
        del row[at]
        row.append(None)
    book.loses = True


@change
def the_file_is_cut_short(book, random):
    if book.ends == ".csv":
        rows = next(iter(book.sheets.values()))
        del rows[random.randrange(1, len(rows)) :]
    else:
        book.cut = random.choice([0.1, 0.5, 0.9, 0.99])
    book.loses = True


@change
def another_encoding_or_separator(book, random):
    if book.kind == "contractor":
        book.ends = ".csv"
        book.encoding = random.choice(["utf-8-sig", "utf-16", "cp1252", "utf-8"])
        book.separator = random.choice([",", ";", "\t", "|"])
