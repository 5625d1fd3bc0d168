"""Ten files of one set of respondents, each as another maker of such files writes it.

The answers are known, so that every clean column is compared cell by cell with them, and rows and answers add up.
"""

from __future__ import annotations

import polars as pl
import pytest
import xlsxwriter

import culture_metrics as cm
from culture_metrics.errors import ExtractError, FileFormatError

YEAR, PEOPLE = 2024, 30
QUESTIONS = ["q1", "q2a", "q3a", "q6a", "q11b", "q13a", "q15", "q25c", "q25d", "q26d", "q27a", "q35"]
WORDS = {"Dept": "locality_4", "Cost Centre": "cost_centre", "Staff Group (ESR)": "staff_group"}


@pytest.fixture(scope="module")
def truth():
    """The answers, and three columns of groups."""
    made = cm.synthetic.respondents(YEAR, respondents_per_organisation=PEOPLE, seed=11).frame
    groups = {"Dept": "Ward & Clinic {}", "Cost Centre": "CC{}", "Staff Group (ESR)": "Nurses {}"}
    return made.select("respondent", "organisation", *QUESTIONS).with_columns(
        pl.Series(name, [form.format(i % (n + 2)) for i in range(PEOPLE)])
        for n, (name, form) in enumerate(groups.items())
    )


def labelled(frame, form="{label}"):
    """Answers as labels of the form instead of codes."""
    edition = cm.catalogue().edition(YEAR)
    return frame.with_columns(
        pl.col(q).replace_strict(
            {c: form.format(code=c, label=label) for c, label in edition.columns[q].scale.labels.items()},
            return_dtype=pl.String,
        )
        for q in QUESTIONS
    )


def text(path, frame, separator=",", encoding="utf-8", before="", after=""):
    body = frame.cast(pl.String).write_csv(separator=separator)
    path.write_bytes((before + body + after).encode(encoding))
    return path


def book(path, sheets, hidden=()):
    """Sheets of rows; the first row of a frame is its header."""
    with xlsxwriter.Workbook(path) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for n, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(n, c, cell)
            if name in hidden:
                sheet.hide()
    return path


def rows_of(frame):
    return [frame.columns, *frame.rows()]


def semicolons_and_labels(truth, folder):
    """Windows code page, semicolons, curly apostrophes, a full stop after each label."""
    return text(folder / "RXX 2024.csv", labelled(truth, "{label}."), ";", "cp1252")


def titles_wording_and_sheets(truth, folder):
    """Three title rows, wording below the codes (two alike, one short), a cover, codes and a hidden copy."""
    wording = ["Respondent", "Trust code", *["How strongly do you agree with this?"] * 2,
               *(f"Please say what you think of number {n} of these" for n in range(len(QUESTIONS) - 3)), "Job",
               "Which department", "Which cost centre", "Which group"]  # fmt: skip
    data = [["Staff Survey 2024"], ["Extract for the trust"], [], truth.columns, wording, *truth.rows()]
    codes = [["Question", "Text"], *([q, f"Text of {q}"] for q in QUESTIONS)]
    copy = rows_of(truth.head(3))
    return book(
        folder / "b_2024.xlsx", {"Cover": [["Q"]], "Data": data, "Codes": codes, "Old": copy}, ["Old"]
    )


def codes_before_labels(truth, folder):
    return text(folder / "c_2024.csv", labelled(truth, "{code} - {label}"), "\t", "utf-16")


def headers_nobody_can_read(truth, folder):
    """Byte order mark, zero width and hard blanks in the header, ids under another name."""
    names = {q: f"\u200b{q.upper()}\xa0" for q in QUESTIONS} | {
        "respondent": "Resp\xa0ID",
        "Dept": "\ufeffDept",
    }
    return text(folder / "d_2024.csv", truth.rename(names), before="\ufeff")


def not_answered_in_words(truth, folder):
    """N/A, dashes and 99 for no answer."""
    marks = {
        q: m for q, m in zip(QUESTIONS, ["N/A", "-", "99", "#N/A", "NULL", "not answered"] * 2, strict=True)
    }
    marks["q6a"] = "-"  # it has an option "not applicable"
    return text(
        folder / "e_2024.csv",
        truth.with_columns(pl.col(q).cast(pl.String).fill_null(mark) for q, mark in marks.items()),
    )


def wording_in_the_header(truth, folder):
    names = {q: f"{q.upper()}. Please say, on the whole, what you think" for q in QUESTIONS}
    return book(folder / "f_2024.xlsx", {"Sheet1": rows_of(truth.rename(names))})


def a_total_below(truth, folder):
    """Blank rows and a total below the respondents."""
    return text(folder / "g_2024.csv", truth, after=",,,\n\nTotal,,30\n")


def numbers_in_other_forms(truth, folder):
    forms = [pl.format("0{}", q) if n % 2 else pl.format("{},0", q) for n, q in enumerate(QUESTIONS)]
    return text(
        folder / "h_2024.csv",
        truth.with_columns(f.alias(q) for f, q in zip(forms, QUESTIONS, strict=True)),
        ";",
    )


def labels_in_capitals_under_hard_blanks(truth, folder):
    frame = labelled(truth).with_columns(pl.col(QUESTIONS).str.to_uppercase().str.replace_all(" ", "\xa0"))
    return book(folder / "i_2024.xlsx", {"Respondents": rows_of(frame), "Notes": [["Made in January"]]})


def platform_rows(truth, folder):
    """A preview and an unfinished questionnaire of a survey platform."""
    more = pl.concat([truth, truth.head(2)]).with_columns(
        pl.Series("Status", [*["IP Address"] * PEOPLE, "Survey Preview", "IP Address"]),
        pl.Series("Finished", [*["True"] * (PEOPLE + 1), "False"]),
    )
    return text(folder / "j_2024.csv", more)


MAKERS = [semicolons_and_labels, titles_wording_and_sheets, codes_before_labels, headers_nobody_can_read,
          not_answered_in_words, wording_in_the_header, a_total_below, numbers_in_other_forms,
          labels_in_capitals_under_hard_blanks, platform_rows]  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_every_maker_gives_the_same_answers_and_they_add_up(maker, truth, tmp_path):
    path = maker(truth, tmp_path)
    report = cm.validate(cm.read_extract(path, year=YEAR))
    clean = report.extract.frame
    assert clean.select(QUESTIONS).cast(pl.Int16).equals(truth.select(QUESTIONS).cast(pl.Int16))
    assert clean["respondent"].to_list() == truth["respondent"].to_list()
    for word, ours in WORDS.items():
        assert clean[ours].to_list() == truth[word].to_list()
        assert report.extract.words[ours].replace("\ufeff", "") == word
    for what in ("rows", "answers"):
        account = report.reconciliation.filter(what=what)
        read = account.filter(fate="read")["count"].sum()
        assert read == account.filter(pl.col("fate") != "read")["count"].sum() > 0
    assert report.reconciliation.filter(what="rows", fate="used")["count"].sum() == PEOPLE
    answered = sum(truth[q].count() for q in QUESTIONS if q not in ("q1", "q27a", "q35"))
    assert report.reconciliation.filter(what="answers", fate="used")["count"].sum() == answered
    assert cm.inspect_file(path).kind == "respondent file"


def test_two_sheets_that_could_be_meant_are_named_with_the_remedy(truth, tmp_path):
    path = book(tmp_path / "two_2024.xlsx", {"Main": rows_of(truth), "Bank": rows_of(truth.head(12))})
    with pytest.raises(FileFormatError, match="More than one sheet") as told:
        cm.read_extract(path)
    assert "Main" in told.value.got and "Bank" in told.value.got and "sheet='Main'" in told.value.hint
    assert cm.read_extract(path, sheet="bank", year=YEAR).frame.height == 12


def test_two_rows_that_name_other_questions_are_listed_with_the_remedy(truth, tmp_path):
    moved = [*truth.columns[:2], *["q2b", "q2c", "q3b", "q3c", "q3d", "q3e"], *truth.columns[8:]]
    for path in (
        book(tmp_path / "two_2024.xlsx", {"Data": [["Two tables"], truth.columns, moved, *truth.rows()]}),
        text(tmp_path / "two_2024.csv", pl.DataFrame([], schema=truth.columns), before="Two tables\n",
             after=",".join(moved) + "\n" + truth.write_csv(include_header=False)),
    ):  # fmt: skip
        with pytest.raises(FileFormatError, match="More than one row could name the columns") as told:
            cm.read_extract(path, year=YEAR)
        assert told.value.got == "names of questions in rows 2, 3" and "header_row=2" in told.value.hint
        extract = cm.read_extract(path, year=YEAR, header_row=3)
        assert extract.frame["q2b"].to_list() == truth["q1"].to_list() and extract.frame.height == PEOPLE
    with pytest.raises(FileFormatError, match="one of the first 60"):
        cm.read_extract(path, year=YEAR, header_row=0)


def test_wording_below_few_questions_is_no_respondent(tmp_path):
    rows = [
        "Respondent ID,ODS code,q25c,q25d,q6a",
        ",,I would recommend it as a workplace,Happy with the care here,My role matters to people",
    ]
    path = tmp_path / "few_2024.csv"
    path.write_text("\n".join([*rows, *(f"{n},RXX,4,3,5" for n in range(20))]) + "\n")
    extract = cm.read_extract(path, year=YEAR)
    assert extract.frame.height == 20 and extract.provenance["rows_of_wording"] == 1


def test_answers_in_words_that_are_not_known_are_respondents(tmp_path):
    """Six rows of words that are no options, each another: no file repeats its wording so often."""
    path = tmp_path / "words_2024.csv"
    names = "Resp ID,ODS code,q2a,q2b,q2c,q25c,q25d,q6a"
    words = (f"{n},RXX," + ",".join(f"Rather so {n} times {c}" for c in "abcdef") for n in range(6))
    rows = [*words, *(f"{n},RXX,4,4,5,3,4,5" for n in range(6, 15))]
    path.write_text("\n".join([names, *rows]) + "\n")
    report = cm.validate(cm.read_extract(path, year=YEAR))
    assert report.reconciliation.filter(what="rows", fate="read")["count"].item() == 15
    assert report.quarantine.filter(pl.col("column").is_not_null()).height == 6 * 6


@pytest.mark.parametrize("people", [24, 60])
def test_yes_and_no_turned_round_are_asked_about(people):
    from culture_metrics.extracts.rules.editions import turned_round
    from culture_metrics.extracts.tally import tally

    extract = cm.synthetic.respondents(YEAR, respondents_per_organisation=people, seed=1)
    edition = extract.edition
    columns = [q for q in ("q11e", "q16a", "q16b", "q18", "q32a", "q31a") if q in extract.frame.columns]
    for frame, swapped in (
        (extract.frame, False),
        (extract.frame.with_columns(pl.col(columns).replace({1: 2, 2: 1})), True),
    ):
        said = [p.rule for p in turned_round(tally(frame, edition))]
        assert ("yes and no that may be swapped" in said) is swapped


def test_a_pulse_extract_asks_which_quarter_it_is_of(tmp_path):
    survey = cm.catalogue("national_quarterly_pulse")
    codes = [*survey.edition(survey.periods[-1]).columns]
    frame = pl.DataFrame({"Resp ID": range(12), "ODS code": ["RXX"] * 12, **{c: [4] * 12 for c in codes}})
    for name in ("pulse.csv", "pulse_2024.csv", "PulseJuly2024.csv"):
        frame.write_csv(tmp_path / name)
        with pytest.raises(ExtractError, match="cannot be told") as told:
            cm.read_extract(tmp_path / name)
        assert "year='2024-Q1'" in told.value.hint
    frame.write_csv(tmp_path / "pulse Q2 2024-25.csv")
    assert cm.read_extract(tmp_path / "pulse Q2 2024-25.csv").period == "2024-Q2"
