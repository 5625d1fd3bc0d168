"""Several columns that bear the code of one question: told apart by its words, else set aside and said."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.study.setup import setup

ASKED = "Q16c. On what grounds have you experienced discrimination? Please tick all that apply"
#: As forms print the grounds; the last two are not of the questionnaire.
GROUNDS = {
    "Ethnic background": "q16c_1", "Gender": "q16c_2", "Religion": "q16c_3", "Sexual orientation": "q16c_4",
    "Disability": "q16c_5", "Age": "q16c_6", "Other (please specify)": "q16c_7", "Hair": None, "Shoes": None,
}  # fmt: skip
#: What the catalogue calls q25c.
PLACE = "Would recommend as a place to work"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of 40, with grounds in full wording and three columns of q25c; and one whose parter is a colon."""
    folder = tmp_path_factory.mktemp("trust")
    made = cm.synthetic.respondents(2024, 1, 40, seed=3).frame.drop("^locality.*$", "benchmark_group")
    names = {ours: f"{ASKED} - {word}" for word, ours in GROUNDS.items() if ours}
    other = [pl.col(f"q16c_{n}").alias(f"{ASKED} - {word}") for n, word in ((1, "Hair"), (2, "Shoes"))]
    more = [pl.lit(3).alias("Q25c - theirs"), pl.lit(5).alias("Q25c - ours"), pl.col("q2a").alias("Q2A: x")]
    made.with_columns(*other, *more).drop("q25c").rename(names).write_csv(folder / "RXX_2024.csv")
    colons = {ours: name.replace("? Please tick all that apply -", ":") for ours, name in names.items()}
    made.rename(colons).with_columns(
        pl.col("q25c").alias(f"Q25c: {PLACE}"), pl.lit(3).alias("Q25c: Comment code")
    ).drop("q25c").write_csv(folder / "colons_2024.csv")
    return folder, made


@pytest.mark.parametrize("name", ["RXX_2024.csv", "colons_2024.csv"])
def test_options_to_tick_are_told_by_the_words_after_those_of_the_question(files, name):
    read = cm.read_extract(files[0] / name).frame
    ticked = [ours for ours in GROUNDS.values() if ours]
    assert read.select(ticked).equals(files[1].select(pl.col(ticked).cast(read.schema["q16c_1"])))


def test_the_words_of_the_question_decide_between_columns_of_one_code(files):
    read = cm.read_extract(files[0] / "colons_2024.csv").frame
    assert read["q25c"].to_list() == files[1]["q25c"].to_list()


def test_columns_of_which_nothing_says_which_is_meant_are_set_aside_and_said(files):
    extract = cm.read_extract(files[0] / "RXX_2024.csv")
    assert extract.provenance["rivals"]["q25c"] == ("Q25c - theirs", "Q25c - ours")
    assert extract.provenance["rivals"]["q16c"] == (f"{ASKED} - Hair", f"{ASKED} - Shoes")
    # A name that is nothing but the code is the question, as before.
    assert "q2a" in extract.frame.columns and "q25c" not in extract.frame.columns
    told = cm.validate(extract).problems.filter(rule="several columns for one question")
    assert dict(told.select("column", "severity").rows()) == {"q25c": "warning", "q16c": "warning"}
    assert "2 columns: Q25c - theirs, Q25c - ours" in told["found"].to_list()
    # A person says which one it is.
    named = cm.read_extract(files[0] / "RXX_2024.csv", columns={"Q25c - ours": "q25c"})
    assert set(named.frame["q25c"]) == {5} and "q25c" not in named.provenance["rivals"]


def test_inspect_and_setup_say_what_is_set_aside(files):
    said = "2 columns bear the code q25c and are left out, for nothing says which one is meant"
    found = cm.inspect_file(files[0] / "RXX_2024.csv")
    assert any(said in one for one in found.problems) and found.next
    assert any(said in one for one in setup([files[0] / "RXX_2024.csv"]).look)
