"""Two extracts of one invented trust as contractors send them, made anew in every test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

import culture_metrics as cm

DIRECTORATES = (
    "Medicine", "Surgery", "Theatres & Anaesthetics", "Women's Services", "Children & Young People",
    "Emergency Care", "Cancer", "Pathology", "Imaging", "Therapies", "Estates", "Finance", "People", "Digital",
)  # fmt: skip
KINDS = (
    "Ward", "Clinic", "Day Unit", "Assessment", "Booking Office", "Outreach", "Night Team", "Stores", "Secretaries",
    "Education", "Audit", "Governance", "Project Office",
)  # fmt: skip
#: Name in 2023 -> in 2024: another spelling, another word, other words in one place, another name altogether.
RENAMED = {
    "Medicine Ward": "Medicine Ward 1",
    "Surgery Clinic": "Surgical Clinic",
    "Cancer Day Unit": "Day Unit for Cancer",
    "Imaging Booking Office": "Imaging Appointments Office",
}
#: Questions that are written: enough to tell the survey.
ASKED = ("q1", "q3a", "q6", "q25", "q31a")
#: Questions of 2024 in which N/A is written: the first has the option, the second has not.
NOT_APPLICABLE = ("q6a", "q3a")
TESTS = 3  # rows that a platform's owner tried the questionnaire with


def people(year: int, n: int, asked: tuple[str, ...]) -> pl.DataFrame:
    """Respondents with the trust's own columns; all parts nest, but for one department in two directorates."""
    frame = cm.synthetic.respondents(year, respondents_per_organisation=n, seed=4).frame
    rng = np.random.default_rng(year)
    departments = [(d, f"{d} {k}") for d in DIRECTORATES for k in KINDS][:180]
    share = np.array([5.0 if d in RENAMED or d.startswith("Estates") else 1.0 for _, d in departments])
    place = rng.choice(len(departments), n, p=share / share.sum())
    directorate = pl.Series([departments[i][0] for i in place])
    department = pl.Series([departments[i][1] for i in place])
    division = directorate.replace_strict({d: f"Division {'ABC'[i % 3]}" for i, d in enumerate(DIRECTORATES)})
    care = directorate.replace_strict({d: f"Care Group {i // 2 + 1}" for i, d in enumerate(DIRECTORATES)})
    if year == 2024:
        department = department.replace(RENAMED)
    own = pl.DataFrame({
        "Respondent No": [f"R{i:05}" for i in range(n)],
        "Trust Code": "RXX",
        "Division": division,
        "Care Group": care,
        "Directorate": directorate,
        "Department" if year == 2024 else "Dept": department,
        "Staff Group (ESR)": rng.choice(["Nursing & Midwifery", "Medical", "Estates & Ancillary"], n),
        "Rota": rng.choice(["Early", "Late", "Night"], n),
    })  # fmt: skip
    # One department lies in two directorates, a capital is missing, and some people are nowhere.
    own = own.with_row_index("i").with_columns(
        pl.when((pl.col("i") % 4 == 0) & (pl.col(own.columns[5]) == "Estates Ward")).then(pl.lit("Finance"))
        .when(pl.col("i") == 7).then(pl.col("Directorate").str.to_lowercase())
        .when(pl.col("i") % 97 == 3).then(pl.lit("N/A")).otherwise("Directorate").alias("Directorate")
    ).drop("i")  # fmt: skip
    questions = [c for c in frame.columns if c == "q1" or c.startswith(asked[1:])]
    return pl.concat([own, frame.select(questions)], how="horizontal")


def labelled(frame: pl.DataFrame, year: int, own: dict[str, str]) -> pl.DataFrame:
    """Write answers as labels, some of them in words of the contractor's own."""
    edition = cm.catalogue().edition(year)
    made = []
    for name, question in edition.columns.items():
        if name in frame.columns and question.kind != "multi":
            labels = {code: own.get(label, label) for code, label in question.scale.labels.items()}
            made.append(
                pl.col(name).cast(pl.Int64).replace_strict(labels, default=None, return_dtype=pl.String)
            )
    return frame.with_columns(made)


def write_workbook(path: Path, frame: pl.DataFrame) -> None:
    """Write a workbook of four sheets: a cover, the data below three rows of titles, a code list, notes."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Cover").write_column(
            0, 0, ["NHS Staff Survey", "Confidential", "Contact: the contractor"]
        )
        data = book.add_worksheet("Data")
        data.write_column(0, 0, ["NHS Staff Survey 2023", "Trust RXX, all respondents", ""])
        data.write_row(3, 0, frame.columns)
        for i, row in enumerate(frame.rows(), 4):
            data.write_row(i, 0, ["" if cell is None else cell for cell in row])
        codes = book.add_worksheet("Codes")
        codes.write_row(0, 0, ["Question", "Code", "Meaning"])
        codes.write_row(1, 0, ["q1", 1, "Yes, frequently"])
        book.add_worksheet("Notes").write_column(0, 0, ["N/A: not stated", "Blank: no answer"])


def make(folder: Path, n: int = 1000, asked: tuple[str, ...] = ASKED) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write the files of 2023 (a workbook with labels) and 2024 (a CSV file of a contractor's portal)."""
    first, second = people(2023, n, asked), people(2024, n, asked)
    odd = labelled(first, 2023, {"Neither agree nor disagree": "Neither/nor agree or disagree"})
    # A rare text is somebody's own words.
    odd = odd.with_columns(
        pl.when(pl.int_range(pl.len()) == 11).then(pl.lit("see my letter")).otherwise("q6a").alias("q6a")
    )
    write_workbook(folder / "NSS 2023 raw data.xlsx", odd)
    tests = second.head(TESTS).with_columns(pl.lit("Survey Preview").alias("Response Type"))
    later = pl.concat([second.with_columns(pl.lit("IP Address").alias("Response Type")), tests])
    text = later.with_columns(
        pl.col("Directorate").str.replace("Women's", "Women\N{RIGHT SINGLE QUOTATION MARK}s")
    )
    # N/A: an option of the one question, no answer to the other.
    text = text.with_columns(
        pl.when(pl.int_range(pl.len()) % 50 == 9)
        .then(pl.lit("N/A"))
        .otherwise(pl.col(c).cast(pl.String))
        .alias(c)
        for c in NOT_APPLICABLE
    )
    (folder / "staff survey 2024 portal.csv").write_bytes(text.write_csv(separator=";").encode("cp1252"))
    return first, second
