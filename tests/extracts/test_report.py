"""The report: what it shows, what it writes, and what never leaves it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import fastexcel
import polars as pl
import pytest
from accessible import faults
from planting import changed, clean_extract, problem, put

from culture_metrics import validate
from culture_metrics.errors import ReportError
from culture_metrics.extracts.cross_file import check_pair
from culture_metrics.extracts.export import MOST_REFERENCES
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.report import ValidationReport
from culture_metrics.files.formulas import neutral

#: Things that only a respondent's row holds; none may appear anywhere.
SECRETS = ("SYN01-secret", "very private", "77", "-77", "3.1415")


@pytest.fixture(scope="module")
def clean() -> Extract:
    return clean_extract()


@pytest.fixture(scope="module")
def faulty(clean) -> Extract:
    marked = clean.frame.with_columns(
        respondent=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(SECRETS[0])).otherwise("respondent")
    )
    extract = changed(clean, pl.concat([marked, marked.head(2)]))
    extract = put(put(extract, "q25c", 77), "q9a", -77)
    extract = put(put(extract, "q2a", SECRETS[1], dtype=pl.String), "q3a", 3.1415, dtype=pl.Float64)
    return put(put(extract, "locality_1", "=cmd|' /C calc'!A0", range(30)), "q11d", 2, range(50))


@pytest.fixture(scope="module")
def report(faulty) -> ValidationReport:
    return validate(faulty)


class Parser(HTMLParser):
    """Collect tags and attributes, and check that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "col", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(text: str) -> Parser:
    parser = Parser()
    parser.feed(text)
    assert parser.open == []
    return parser


def sheets(path) -> dict[str, pl.DataFrame]:
    book = fastexcel.read_excel(path)
    return {
        name: book.load_sheet(name, header_row=None, dtypes="string").to_polars() for name in book.sheet_names
    }


def test_the_text_form_is_short(report, clean):
    assert len(repr(report).splitlines()) <= 12
    assert repr(report).startswith("ValidationReport: 402 rows read, 400 used, 2 set aside, ")
    assert "1 warning" not in repr(validate(clean))


def test_nothing_of_a_respondent_is_shown_or_written(report, tmp_path, capsys, caplog):
    page = report.to_html(tmp_path / "r.html").read_text(encoding="utf-8")
    book = sheets(report.to_excel(tmp_path / "r.xlsx"))
    cells = " ".join(str(v) for sheet in book.values() for row in sheet.rows() for v in row)
    shown = {
        "text": repr(report),
        "notebook": report._repr_html_(),
        "page": page,
        "workbook": cells,
        "problems": str(report.problems.rows()),
        "quarantine": str(report.quarantine.rows()),
        "reconciliation": str(report.reconciliation.rows()),
        "extract": repr(report.extract) + report.extract._repr_html_(),
        "logs": capsys.readouterr().out + caplog.text,
    }
    for where, text in shown.items():
        plain = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
        for secret in SECRETS:
            assert not re.search(rf"(?<![\d.]){re.escape(secret)}(?![\d%.])", plain), (where, secret)


def test_errors_of_bad_arguments_show_no_answers(faulty):
    for wrong in ({"locality_1": {"no such": "A"}}, {"q25c": {"77": "1"}}):
        with pytest.raises(Exception) as caught:
            validate(faulty, merge=wrong)
        assert not any(s in str(caught.value).replace("'77'", "") for s in SECRETS)


def test_the_report_does_not_grow_with_the_number_of_bad_cells(clean, tmp_path):
    few = validate(put(clean, "q25c", 7, rows=range(3)))
    many = validate(put(clean, "q25c", 7, rows=range(250)))
    assert few.problems.filter(pl.col("severity") != "note").height == 1
    assert many.problems.filter(pl.col("severity") != "note").height == 1
    assert abs(len(many._repr_html_()) - len(few._repr_html_())) < 100
    assert len(problem(many, "codes outside the list")["examples"]) < 30


def test_many_columns_with_one_fault_are_folded(clean):
    extract = clean
    for column in ("q2a", "q2b", "q2c", "q3a", "q3b", "q3c"):
        extract = put(extract, column, 8)
    page = validate(extract)._repr_html_()
    assert page.count("Codes outside the list") == 1
    assert "6 columns: q2a, q2b, q2c and 3 more" in page
    assert "q3c (3)" in page


def test_the_page_is_whole_accessible_and_loads_nothing(report, tmp_path):
    path = report.to_html(tmp_path / "with space ü.html")
    text = path.read_text(encoding="utf-8")
    tags = parsed(text).tags
    names = [name for name, _ in tags]
    assert names.count("h1") == 1
    assert ("html", {"lang": "en-GB"}) in tags
    assert not {"script", "img", "link", "iframe"} & set(names)
    assert not re.search(r"https?://|url\(|@import", text)
    for name, attributes in tags:
        if name == "th":
            assert attributes.get("scope") in ("col", "row")
        assert "id" not in attributes
    assert "default-src 'none'" in text
    parsed(report._repr_html_())


def test_severity_is_told_in_words_not_by_colour_alone(report):
    page = report._repr_html_()
    assert "Has errors: read them before you rely on the numbers." in page
    for word in ("Errors (", "Warnings (", "Notes (", ">Error<", ">Warning<", ">Note<"):
        assert word in page


def test_what_comes_from_a_file_cannot_act_as_html(clean):
    nasty = "<script>alert(1)</script>"
    extract = Extract(
        clean.survey,
        clean.period,
        put(put(clean, "locality_1", nasty, range(20)), "locality_1", nasty.upper(), range(5)).frame,
        {"file": nasty, "sheet": nasty, "not_used": [nasty]},
    )
    page = validate(extract)._repr_html_()
    assert "<script" not in page.lower()
    assert "&lt;script&gt;" in page


def test_the_account_is_shown_and_adds_up(report):
    page = report._repr_html_()
    assert "Where every row and answer went" in page
    for reason, n in report.reconciliation.drop_nulls("reason").select("reason", "count").iter_rows():
        assert f"<td>{reason}</td><td class='number'>{n:,}</td>" in page


def test_the_workbook_has_a_sheet_for_each_kind_of_problem(report, tmp_path):
    book = sheets(report.to_excel(tmp_path / "back to the contractor.xlsx"))
    names = list(book)
    kinds = report.problems["rule"].n_unique()
    assert names[:3] == ["Cover", "Contents", "Notes"]
    assert faults(tmp_path / "back to the contractor.xlsx") == []
    assert names[-2:] == ["Rows and answers", "Set aside"]
    assert len(names) == kinds + 5
    cover = book["Cover"].to_series(0).to_list()
    assert cover[0] == "Check of NHS Staff Survey, England, 2024"
    assert report.summary() in cover
    assert set(names[2:]) <= set(book["Contents"].to_series(0).to_list())
    codes = book["Codes outside the list"]
    assert "q25c" in codes.to_series(0).to_list()
    aside = book["Set aside"]
    table = [row for row in aside.rows() if row[1] == "q25c"]
    assert [row[0] for row in table] == ["4", "5", "11"]
    assert {row[2] for row in table} == {"codes outside the list"}


def test_names_of_sheets_fit_and_differ(report, tmp_path):
    names = list(sheets(report.to_excel(tmp_path / "r.xlsx")))
    assert max(map(len, names)) <= 31
    assert len({n.casefold() for n in names}) == len(names)


def test_formulas_are_neutralised(clean, tmp_path):
    formula = "=HYPERLINK(1)"
    extract = put(put(clean, "locality_1", formula, range(40)), "locality_1", formula.lower(), range(15))
    extract = Extract(
        extract.survey, extract.period, extract.frame, {"not_used": ["=1+1", "+2"], "file": "@x.csv"}
    )
    report = validate(extract)
    path = report.to_excel(tmp_path / "r.xlsx")
    cells = [v for sheet in sheets(path).values() for row in sheet.rows() for v in row if v]
    assert any("HYPERLINK" in v for v in cells)
    assert not [v for v in cells if v.lstrip().startswith(("=", "+", "-", "@"))]
    import zipfile

    with zipfile.ZipFile(path) as parts:
        assert not [n for n in parts.namelist() if b"<f>" in parts.read(n)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "|cmd"])
def test_text_that_a_spreadsheet_takes_for_a_formula_is_marked(text):
    assert neutral(text) == "'" + text
    assert neutral("Nursing - adult") == "Nursing - adult"


def test_references_are_limited_and_that_is_said(clean, tmp_path):
    columns = [c for c, q in clean.edition.columns.items() if q.kind == "single" and c in clean.frame.columns]
    wide = clean.frame.with_columns(pl.lit(120, pl.Int8).alias(c) for c in columns)
    report = validate(
        changed(
            clean, pl.concat([wide.with_columns(respondent=pl.lit(f"{n}") + "respondent") for n in range(2)])
        )
    )
    assert report.quarantine.height > MOST_REFERENCES
    aside = sheets(report.to_excel(tmp_path / "r.xlsx"))["Set aside"]
    assert "The first 50,000 of" in " ".join(aside.to_series(0).head(3).to_list())
    assert aside.height == MOST_REFERENCES + 5  # title, two sentences, a link and the names of the columns


def test_what_cannot_be_written_is_an_error_with_a_hint(report, tmp_path):
    nowhere = tmp_path / "no such folder" / "r"
    for write in (report.to_html, report.to_excel):
        with pytest.raises(ReportError, match="Choose a folder"):
            write(nowhere)


def test_the_report_of_a_pair_is_written_too(clean, tmp_path):
    pair = check_pair(clean_extract(2023), clean)
    text = pair.to_html(tmp_path / "p.html").read_text(encoding="utf-8")
    assert parsed(text).tags
    assert "2023 beside 2024" in text
    assert "Cover" in sheets(pair.to_excel(tmp_path / "p.xlsx"))
