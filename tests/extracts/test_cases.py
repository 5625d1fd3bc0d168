"""Small files that were read wrongly, each beside a variant of our own: reader, check and `inspect` agree.

The files lie in `shared/data/cases`; EXPECTED.csv there says what each must give. The variants are made from
synthetic extracts, so that the numbers asserted are known from how they were made.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import polars as pl
import pytest
import xlsxwriter

import culture_metrics as cm
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.rules.editions import turned_columns, turned_round
from culture_metrics.extracts.tally import Tally, tally

YEAR = 2024


@pytest.fixture(scope="module")
def made():
    """Forty respondents of one organisation."""
    return cm.synthetic.respondents(YEAR, respondents_per_organisation=40, seed=3).frame


@pytest.fixture
def cases(shared_data):
    return shared_data / "cases"


def found(report, rule):
    """The problems of a rule, as dictionaries."""
    return report.problems.filter(rule=rule).to_dicts()


def read(path, year=YEAR):
    extract = cm.read_extract(path, year=year)
    return extract, cm.validate(extract)


def workbook(path, frame, cells=()):
    """Write a sheet; `cells` are (row, column, how to write it)."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, frame.columns)
        for n, row in enumerate(frame.iter_rows(), 1):
            for c, value in enumerate(row):
                if value is not None:
                    sheet.write(n, c, value)
        for row, column, write in cells:
            write(sheet, row, frame.columns.index(column))
    return path


def altered(path, part, change):
    """Change one part of a workbook."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text) if name == part else text)
    path.write_bytes(copy.getvalue())
    return path


# Rows that survey platforms export beside those of respondents.


def test_survey_previews_of_qualtrics_are_set_aside(cases):
    path = cases / "qualtrics-three-header-rows-with-previews.csv"
    extract, report = read(path)
    assert extract.frame.height == report.rows_used == 80
    assert [p["rows"] for p in found(report, "survey previews")] == [3]
    rows = report.reconciliation.filter(what="rows")
    assert (
        rows.filter(fate="read")["count"].item() == 83 == rows.filter(pl.col("fate") != "read")["count"].sum()
    )
    assert "3 rows will be left out" in repr(cm.inspect_file(path))


PLATFORMS = {
    # Qualtrics, its values as numbers: 1 preview, 8 spam, 16 offline.
    "qualtrics numbers": (
        {"Status": ["1", "8", "16", *["0"] * 37], "Progress": ["100"] * 39 + ["55"],
         "Finished": ["1"] * 39 + ["0"], "ResponseId": [f"R_{i}" for i in range(40)]},
        {"rows_of_previews": 1, "rows_of_spam": 1, "rows_not_finished": 1},
    ),
    "surveymonkey": (
        {"Response Status": ["Completed"] * 36 + ["Partial", "Disqualified", "Over Quota", "Completed"]},
        {"rows_not_finished": 3},
    ),
    "smartsurvey": ({"Completed": ["No", *["Yes"] * 39]}, {"rows_not_finished": 1}),
    "channel": ({"DistributionChannel": ["preview", "test", *["anonymous"] * 38]}, {"rows_of_previews": 2}),
    "progress": ({"Progress": ["12", *["100"] * 39]}, {"rows_not_finished": 1}),
    # Numbers of a trust's own, and a day: nobody knows what they say.
    "own status": ({"Status": ["1", "2", *["0"] * 38]}, {}),
    "a day": ({"Completed": ["2024-10-01"] * 40}, {}),
}  # fmt: skip


@pytest.mark.parametrize("platform", PLATFORMS)
def test_rows_of_survey_platforms_that_are_no_respondents(made, tmp_path, platform):
    columns, aside = PLATFORMS[platform]
    path = tmp_path / "export.csv"
    made.drop("respondent").with_columns(pl.Series(n, v) for n, v in columns.items()).write_csv(path)
    extract, report = read(path)
    kinds = ("rows_of_previews", "rows_of_spam", "rows_not_finished")
    assert {k: n for k in kinds if (n := extract.provenance[k])} == aside
    assert report.rows_used == 40 - sum(aside.values())
    said = re.findall(r"(\d+) rows? will be left out", repr(cm.inspect_file(path)))
    assert sorted(map(int, said)) == sorted(aside.values())


def test_rows_of_wording_are_told_though_two_are_alike_and_one_is_short(made, tmp_path):
    path = tmp_path / "worded.csv"
    names = [n for n in made.columns if n.startswith("q")]
    words = {n: f"What staff think of matter {n}" for n in names}
    words |= {names[0]: words[names[1]], names[2]: "Pay"}
    texts = made.with_columns(pl.all().cast(pl.String))
    pl.concat([pl.DataFrame([{n: words.get(n, n) for n in made.columns}]), texts]).write_csv(path)
    extract, _ = read(path)
    assert extract.frame.height == 40
    assert extract.provenance["rows_of_wording"] == 1


# What Excel loses.


def test_error_cells_are_counted(cases):
    extract, report = read(cases / "respondents-error-cells.xlsx")
    assert extract.provenance["blanks_read"] == {"q25c": 10}
    assert [p["rows"] for p in found(report, "words for no answer")] == [10]


def test_error_cells_are_counted_as_in_a_csv_file_of_the_sheet(made, tmp_path):
    wrong = [
        (r, "q25c", lambda sheet, r, c: sheet.write_formula(r, c, "=1/0", None, "#DIV/0!")) for r in (2, 5)
    ]
    book = workbook(tmp_path / "errors.xlsx", made, wrong)
    text = made.with_columns(
        pl.when(pl.int_range(pl.len()).is_in([1, 4]))
        .then(pl.lit("#DIV/0!"))
        .otherwise(pl.col("q25c").cast(pl.String))
        .alias("q25c")
    )
    text.write_csv(tmp_path / "errors.csv")
    one, other = (cm.read_extract(p, year=YEAR) for p in (book, tmp_path / "errors.csv"))
    assert one.provenance["blanks_read"] == other.provenance["blanks_read"] == {"q25c": 2}
    assert one.frame["q25c"].to_list() == other.frame["q25c"].to_list()


def test_formulas_without_values_are_named_with_the_remedy(cases):
    path = cases / "respondents-formulas-without-values.xlsx"
    extract, report = read(path)
    assert extract.provenance["formulas_without_values"] == {"q25c": 80}
    (problem,) = found(report, "formulas without values")
    assert "q25c" in problem["found"] and "Open the file in Excel" in problem["done"]
    assert "q25c" in repr(cm.inspect_file(path)) and "save it" in repr(cm.inspect_file(path))


def test_a_formula_with_an_empty_text_has_a_value(made, tmp_path):
    """Of two columns with formulas one was never worked out, the other gives empty texts; the sheet has no A."""
    moved = made.select(pl.lit(None).alias(""), *made.columns)
    path = workbook(tmp_path / "formulas.xlsx", moved)

    def change(xml):
        for name, cell in (
            ("q25c", b'<c r="%s"><f>A1</f></c>'),
            ("q25d", b'<c r="%s" t="str"><f>A1</f><v></v></c>'),
        ):
            letters = xlsxwriter.utility.xl_col_to_name(moved.columns.index(name)).encode()
            xml = re.sub(
                rb"<c r=\"(%s[2-9])\"[^>]*><v>[^<]*</v></c>" % letters, lambda m, c=cell: c % m[1], xml
            )
        return xml

    altered(path, "xl/worksheets/sheet1.xml", change)
    extract = cm.read_extract(path, year=YEAR)
    given = made["q25c"].head(8).is_not_null().sum()
    assert extract.provenance["formulas_without_values"] == {"q25c": given}
    assert extract.frame["q25c"].head(8).null_count() == extract.frame["q25d"].head(8).null_count() == 8
    assert extract.frame["q25c"].tail(32).to_list() == made["q25c"].tail(32).to_list()


def test_a_sheet_that_says_it_begins_at_row_0_is_read(cases):
    path = cases / "respondents-dimension-from-row-0.xlsx"
    extract, report = read(path)
    assert (extract.frame.height, report.rows_used) == (80, 80)
    assert cm.inspect_file(path).kind == "respondent file"


@pytest.mark.parametrize("extent", ["A0", "A0:XX41", "A1:XX0", "$A$0:$XX$41"])
def test_a_sheet_with_row_0_is_read_as_without(made, tmp_path, extent):
    path = altered(
        workbook(tmp_path / "row0.xlsx", made),
        "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(rb"<dimension[^>]*>", f'<dimension ref="{extent}"/>'.encode(), xml),
    )
    same = cm.read_extract(workbook(tmp_path / "plain.xlsx", made), year=YEAR)
    assert cm.read_extract(path, year=YEAR).frame.equals(same.frame)


def test_a_file_of_libreoffice_is_read(cases):
    path = cases / "respondents-libreoffice.ods"
    extract, report = read(path)
    other, _ = read(cases / "respondents-zero-width-space-in-headers.csv")
    assert report.rows_used == 80 and cm.inspect_file(path).kind == "respondent file"
    assert extract.frame["q25c"].to_list() == other.frame["q25c"].to_list()


# Characters that nobody sees.


def test_characters_of_no_width_in_headers_are_nothing(cases):
    path = cases / "respondents-zero-width-space-in-headers.csv"
    extract, report = read(path)
    assert report.rows_used == 80 and not extract.provenance["not_used"]
    assert "q25c" in extract.frame.columns and cm.inspect_file(path).kind == "respondent file"


@pytest.mark.parametrize("odd", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200e"])
def test_characters_of_no_width_anywhere_are_nothing(made, tmp_path, odd):
    """In names of columns, names of groups and answers; in a workbook as in a CSV file."""
    texts = made.select(pl.all().cast(pl.String) + odd)
    texts.columns = [f"{name[:1]}{odd}{name[1:]}" for name in made.columns]
    texts.write_csv(tmp_path / "odd.csv")
    workbook(tmp_path / "odd.xlsx", texts)
    for name in ("odd.csv", "odd.xlsx"):
        frame = cm.read_extract(tmp_path / name, year=YEAR).frame
        assert frame.select("locality_1", "q25c").equals(made.select("locality_1", "q25c")), name


# Scales turned round, yes and no swapped.


def test_seven_agreement_questions_of_eighty_people_are_seen_to_run_the_other_way(cases):
    _, report = read(cases / "respondents-80-agreement-turned-round.csv")
    (problem,) = found(report, "scales that may run the other way")
    assert problem["found"].startswith("7 columns") and problem["severity"] == "warning"
    assert problem["found"].endswith("q3a, q3i, q9f, q25a, q25c, q25d, q26a")
    _, right = read(cases / "respondents-zero-width-space-in-headers.csv")
    assert not found(right, "scales that may run the other way")


def scale_of(extract, name):
    edition = extract.edition
    return [c for c, q in edition.columns.items() if c in extract.frame.columns and q.scale.id == name]


def test_a_part_of_a_scale_turned_round_is_seen_with_forty_people():
    extract = cm.synthetic.respondents(YEAR, respondents_per_organisation=40, seed=5)
    turned = scale_of(extract, "agreement")[:9]
    frame = extract.frame.with_columns((6 - pl.col(c)).alias(c) for c in turned)
    told = turned_columns(tally(frame, extract.edition))
    assert len(told) >= 3 and set(told) <= set(turned)
    assert not [*turned_round(tally(extract.frame, extract.edition))]


def test_no_organisation_of_2024_looks_turned_round(published_2024):
    """All organisations, as if 60 people had answered each question as published."""
    edition = cm.catalogue().edition(YEAR)
    codes = {q.id: q.code for q in edition.questions.values() if q.kind == "single"}
    shares = published_2024.distributions.table.filter(
        pl.col("percent").is_not_null() & pl.col("question").is_in([*codes])
    ).select("organisation", "question", "option", n=(pl.col("percent") * 0.6).round().cast(pl.Int64))
    counts: dict = {}
    for organisation, question, option, n in shares.iter_rows():
        counts.setdefault(organisation, {}).setdefault(codes[question], {})[option] = n
    assert len(counts) >= 260
    looks = {name: [*turned_round(Tally(edition, 60, own, {}))] for name, own in counts.items()}
    assert not any(looks.values())


def test_a_discrimination_rate_of_ninety_per_cent_is_asked_about():
    extract = cm.synthetic.respondents(YEAR, respondents_per_organisation=60, seed=1)
    asked = scale_of(extract, "yes_no")
    assert not found(cm.validate(extract), "yes and no that may be swapped")
    swapped = extract.frame.with_columns((3 - pl.col(c)).alias(c) for c in ("q16a", "q16b"))
    (problem,) = found(cm.validate(replace(extract, frame=swapped)), "yes and no that may be swapped")
    assert {"q16a", "q16b"} <= set(asked) and "q16a, q16b" in problem["found"]
    assert problem["severity"] == "warning" and "which code is yes" in problem["done"]


# Labels.


def test_the_options_printed_in_the_official_workbooks_are_read(shared_data):
    """Every option of every question as the workbooks of 2024 print it, in the order of the form."""
    fastexcel = pytest.importorskip("fastexcel")
    edition = cm.catalogue().edition(YEAR)
    from culture_metrics.extracts.labels import label_code

    printed = 0
    for path in (shared_data / "nss2024").glob("*.xlsx"):
        book = fastexcel.read_excel(path)
        for name in book.sheet_names[1:]:
            sheet = book.load_sheet(name, header_row=None, skip_rows=0, n_rows=8, dtypes="string")
            rows = sheet.to_polars().rows()
            header = next((row for row in rows if any((cell or "").startswith("%") for cell in row)), ())
            question, seen = None, []
            for title, cell in zip(rows[0], header, strict=False):
                if title:
                    code = re.match(r"Q(\d+[a-z]?)\b", title)
                    question = edition.columns.get(f"q{code[1]}") if code else None
                    seen = []
                if cell and cell.startswith("%") and question is not None and question.kind == "single":
                    seen.append(label_code(cell[1:], question.scale))
                    printed += 1
                    # "Both a colleague and I" stands between the options of the form.
                    in_order = [*question.scale.options][: len(seen)]
                    assert seen == in_order or (question.scale.extra and len({*seen, None}) == len(seen) + 1)
    assert printed > 1000


def test_every_option_of_every_edition_is_read_alone_and_under_its_heading(shared_reference):
    """editions.yaml has what the forms of 2021 to 2025 print: 3,494 spellings (2,898 were read before)."""
    import yaml

    from culture_metrics.extracts.labels import read_answer

    forms = yaml.safe_load((shared_reference / "nss" / "editions.yaml").read_text(encoding="utf-8"))
    wrong, looked = [], 0
    for year, form in forms["editions"].items():
        edition = cm.catalogue().edition(year)
        for asked in form["questions"]:
            question = next((q for q in edition.columns.values() if q.code == asked["code"]), None)
            if question is None or asked["type"] != "single":
                continue
            scale = forms["scales"][asked["scale"]]
            texts = [(code, str(label)) for code, label in scale["options"].items()]
            for heading, codes in (scale.get("groups") or {}).items():
                texts += [(c, f"{heading}{sep}{scale['options'][c]}") for c in codes for sep in (": ", " - ")]
            for code, text in texts:
                told = read_answer(text, question)
                wrong += [(year, asked["code"], text)] if told is None or told.code != code else []
                looked += 1
    assert (looked, wrong) == (3494, [])


@pytest.mark.parametrize(
    ("question", "text", "code"),
    [
        ("q35", "Registered Nurses & Midwives: Adult / General", 26),
        ("q35", "Registered Nurse - Mental health nurse", 27),
        ("q35", "Healthcare Assistant", 34),
        ("q35", "Nursing & Healthcare Assistants: HCA", 34),
        ("q28", "White - British", 1),
        ("q28", "Asian or Asian British: Indian", 9),
        ("q28", "White Irish", 2),
        ("q27a", "F", 1),
        ("q10a", "Part-time", 1),
        ("q13d", "N/A", 9),
        ("q6a", "n/a", 9),
        ("q25c", "N/A", None),
    ],
)
def test_usual_variants_of_labels(question, text, code):
    from culture_metrics.extracts.labels import read_answer

    assert read_answer(text, cm.catalogue().edition(YEAR).columns[question]).code == code


def test_a_heading_of_another_group_is_no_label():
    from culture_metrics.extracts.labels import label_code

    scale = cm.catalogue().edition(YEAR).columns["q28"].scale
    assert label_code("White - Indian", scale) is None


def test_not_applicable_is_a_note_and_no_error(tmp_path, made):
    path = tmp_path / "na.csv"
    made.with_columns(
        pl.when(pl.int_range(pl.len()) < 15).then(pl.lit("N/A")).otherwise(pl.col(c).cast(pl.String)).alias(c)
        for c in ("q6a", "q25c")
    ).write_csv(path)
    extract, report = read(path)
    assert report.extract.frame["q6a"].head(15).to_list() == [9] * 15
    assert report.extract.frame["q25c"].head(15).null_count() == 15
    assert report.problems.filter(severity="error").is_empty()
    # The same where a table was joined on after reading.
    joined = extract.frame.with_columns(q6a=pl.lit("n/a"))
    report = cm.validate(replace(extract, frame=joined))
    assert report.extract.frame["q6a"].to_list() == [9] * 40


def test_unknown_texts_in_eleven_rows_are_shown_with_a_proposal_and_rarer_ones_counted(tmp_path, made):
    path = tmp_path / "odd.csv"
    odd = pl.Series(
        ["Agree somewhat"] * 11 + ["Agrees a lot, said A. Smith"] * 10 + ["x@y.z"] * 11 + ["4"] * 8
    )
    path_frame = made.with_columns(q25c=odd, q35=pl.Series(["Ward nurses of ours"] * 12 + ["26"] * 28))
    path_frame.write_csv(path)
    _, report = read(path)
    problems = {p["column"]: p for p in found(report, "text where a code belongs")}
    assert problems["q25c"]["rows"] == 32
    assert "'Agree somewhat' (is it 'Agree'?)" in problems["q25c"]["found"]
    assert "2 texts in fewer than 11 rows each" in problems["q25c"]["found"]
    # How many are in a group is not said, nor is anything that one person may have written.
    assert "'Ward nurses of ours'" in problems["q35"]["found"] and problems["q35"]["rows"] == 0
    assert "Smith" not in str(report.problems.to_dicts()) and "@" not in str(report.problems.to_dicts())


# A pulse extract without a quarter.


def test_a_pulse_extract_without_a_quarter_is_asked_for_it(tmp_path):
    frame = cm.synthetic.respondents(
        "2024-Q1", survey="national_quarterly_pulse", respondents_per_organisation=30
    ).frame
    path = tmp_path / "pulse.csv"
    frame.write_csv(path)
    for call in (cm.read_extract, cm.study):
        with pytest.raises(ExtractError, match="Which quarter"):
            call(path)
    inspection = cm.inspect_file(path)
    assert inspection.edition is None and "Which quarter" in inspection.problems[0]
    assert cm.read_extract(path, year="2024-Q4").period == "2024-Q4"
