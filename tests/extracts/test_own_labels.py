"""Response options as contractors and official workbooks write them."""

from __future__ import annotations

import polars as pl
import pytest
import xlsxwriter

import culture_metrics as cm
from culture_metrics.errors import ExtractError, UnknownNameError
from culture_metrics.extracts.labels import read_answer

YEAR = 2024
AGREE = {
    1: "Strongly disagree",
    2: "Disagree",
    3: "Neither agree nor disagree",
    4: "Agree",
    5: "Strongly agree",
}


@pytest.fixture(scope="module")
def frame():
    return cm.synthetic.respondents(YEAR, respondents_per_organisation=40, seed=7).frame


def propose(path, **reading):
    from culture_metrics.extracts.own_labels import propose_labels

    return propose_labels(path, **reading)


VARIANTS = {
    "code first": "{c} - {l}", "code and dot": "{c}. {l}", "bracket": "({c}) {l}", "square": "[{c}] {l}",
    "code last": "{l} ({c})", "dash last": "{l} - {c}", "decimal": "{c}.0 - {l}", "underscore": "{c}_{l}",
    "word": "Code {c}: {l}", "comma": "{c}, {l}", "bar": "{c} | {l}", "stop": "{l}.", "blanks": "\xa0{l}\u2009",
}  # fmt: skip


@pytest.mark.parametrize("form", VARIANTS)
def test_every_option_of_every_edition_is_read_in_every_form(form):
    """Which code an option has is what the catalogue says; labels that are ranges end in no number."""
    missed = []
    for edition in cm.catalogue():
        for question in {q.scale.id: q for q in edition.questions.values() if q.kind != "multi"}.values():
            for code, label in question.scale.labels.items():
                if form == "dash last" and any(map(str.isdigit, label)):
                    continue
                text = VARIANTS[form].format(c=code, l=label.replace("'", "\u2019").upper())
                read = read_answer(text, question)
                if read is None or read.code != code:
                    missed.append((edition.period, question.code, text))
    assert missed == []


@pytest.mark.parametrize("period", ["2021", "2022", "2023", "2024", "2025"])
def test_official_spellings_are_read(period):
    edition = cm.catalogue().edition(period)
    said = {
        "Registered Nurses & Midwives: Adult / General": "Adult / General",
        "Social workers": "ocial workers",
    }
    for text, label in said.items():
        read = read_answer(text, edition.question("occupation"))
        assert label in edition.question("occupation").scale.labels[read.code]


def test_not_applicable_is_a_blank_where_no_option_says_so(frame, tmp_path):
    path = tmp_path / "RXX_2024.csv"
    texts = [*["N/A"] * 12, *["Agree"] * 28]
    # q6a has an option "not applicable to me" (9); q25c has none.
    frame.with_columns(pl.Series("q6a", texts), pl.Series("q25c", texts)).write_csv(path)
    extract = cm.read_extract(path)
    assert extract.frame["q6a"].value_counts().sort("q6a").rows() == [(4, 28), (9, 12)]
    assert extract.frame["q25c"].null_count() == 12 and extract.provenance["blanks_read"]["q25c"] == 12
    report = cm.validate(extract)
    assert "words for no answer" in report.problems.filter(severity="note")["rule"].to_list()
    assert report.quarantine.is_empty()


def test_unknown_texts_are_listed_from_eleven_rows_on_and_rarer_ones_counted(frame, tmp_path):
    path = tmp_path / "RXX_2024.csv"
    texts = [*["Mostly agree"] * 12, *["Tend to"] * 3, *["Cannot recall what I said"] * 2, *["Agree"] * 23]
    people = [*["Bloke"] * 11, *["Female"] * 29]
    frame.with_columns(
        pl.Series("q25c", texts), pl.Series("q25d", texts), pl.Series("q27a", people)
    ).write_csv(path)
    found = propose(path)
    told = found.table.select("scale", "text", "rows", "code", "proposal").rows()
    # Twelve people, though it stands in two columns; how many gave an answer about themselves is not said.
    assert ("agreement", "Mostly agree", 12, 4, "Agree") in told
    assert [row[2] for row in told if row[1] == "Bloke"] == [None]
    assert found.rare == {"agreement": 2} and "recall" not in found.summary() + str(found.table.rows())

    read = cm.read_extract(
        path, labels={"agreement": {"mostly AGREE.": 4, "Tend to": None}, "gender": {"Bloke": 2}}
    )
    report = cm.validate(read)
    for column in ("q25c", "q25d"):
        assert report.extract.frame[column].value_counts().sort(column).rows() == [(None, 5), (4, 35)]
        # 40 answers: 35 used, 3 confirmed as none, 2 set aside.
        assert report.quarantine.filter(column=column).height == 2
        assert read.provenance["blanks_read"][column] == 3
    assert report.extract.frame["q27a"].to_list().count(2) == 11
    accounts = report.reconciliation.filter(what="answers")
    assert (
        accounts.filter(fate="read")["count"].sum()
        == accounts.filter(pl.col("fate") != "read")["count"].sum()
    )


def test_confirmed_texts_are_checked(frame, tmp_path):
    path = tmp_path / "RXX_2024.csv"
    frame.write_csv(path)
    with pytest.raises(UnknownNameError, match="question or scale 'q99z'"):
        cm.read_extract(path, labels={"q99z": {"Yes": 1}})
    with pytest.raises(ExtractError, match="which q25c does not have"):
        cm.read_extract(path, labels={"q25c": {"Yes": 7}})


def official(path, options, year=YEAR):
    """A sheet as official workbooks have it: questions above a row of response options."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("YOUR ORGANISATION Q25-26")
        sheet.write(0, 0, f"NHS Staff Survey {year} - WEIGHTED Results")
        sheet.write_row(4, 0, ["ODS code", "Organisation name"])
        sheet.write(0, 2, "Q25c - I would recommend my organisation as a place to work.")
        sheet.write_row(4, 2, [*(f"% {option}" for option in options), "Base (number of responses)"])
        sheet.write_row(5, 0, ["RXX", "A Trust", *[20.0] * len(options), 500])
    return path


def test_spellings_are_learnt_from_an_official_workbook(frame, tmp_path):
    from culture_metrics.extracts.own_labels import learn_labels

    # The fourth option stands in its place among four that are known: its code is certain.
    options = [
        "Strongly disagree",
        "Disagree",
        "Neither agree nor disagree",
        "Rather agree",
        "Strongly agree",
    ]
    labels = learn_labels(official(tmp_path / "official.xlsx", options))
    assert labels == {"recommend_place_to_work": dict(zip(options, range(1, 6), strict=True))}
    path = tmp_path / "RXX_2024.csv"
    frame.with_columns(pl.Series("q25c", ["rather  agree."] * 40)).write_csv(path)
    assert cm.validate(cm.read_extract(path)).extract.frame["q25c"].null_count() == 40
    assert cm.read_extract(path, labels=labels).frame["q25c"].to_list() == [4] * 40
    # In another order nothing is learnt by place.
    wrong = learn_labels(official(tmp_path / "wrong.xlsx", [*reversed(options)]))
    assert "Rather agree" not in wrong["recommend_place_to_work"]
    with pytest.raises(ExtractError, match="Which edition"):
        learn_labels(official(tmp_path / "untold.xlsx", options, year=""))


def test_the_real_workbook_prints_what_is_known(shared_data):
    from culture_metrics.extracts.own_labels import learn_labels

    labels = learn_labels(shared_data / "nss2024" / "NSS24 detailed spreadsheets organisational results.xlsx")
    edition = cm.catalogue().edition(2024)
    # Every question with one answer; each option once, under the code of the form.
    single = {q.id for q in edition.questions.values() if q.kind == "single"}
    assert single <= {*labels}
    for name in single:
        codes = [code for code in labels[name].values()]
        assert len({*codes}) == len(codes) and {*codes} <= {*edition.question(name).scale.labels}
