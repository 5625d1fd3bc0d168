"""Column names that the user matches once."""

from __future__ import annotations

import pytest
import yaml

from culture_metrics import read_extract
from culture_metrics.errors import CultureMetricsError, ExtractError, UnknownNameError
from culture_metrics.extracts.mapping import save_mapping
from culture_metrics.study.inspect import inspect_file

COLUMNS = {
    "Would recommend": "q25c",
    "Dept": "locality_1",
    "Feeling": "look_forward_to_work",
    "Trust": "organisation",
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "Zoë 2024.csv"
    path.write_text(
        "A title\nStaff no;Trust;Dept;Would recommend ;FEELING\n1;RXX;Estates;Agree;5\n2;RXX;Wards;2;4\n"
    )
    return path


def read_well(extract) -> bool:
    assert extract.frame.columns == ["row", "respondent", "organisation", "locality_1", "q25c", "q2a"]
    assert extract.frame["q25c"].to_list() == [4, 2]
    assert extract.frame["q2a"].to_list() == [5, 4]
    return True


def test_columns_are_matched_when_given(path):
    extract = read_extract(path, columns=COLUMNS)
    assert read_well(extract)
    assert extract.provenance["mapping"] is None
    assert extract.provenance["renamed"]["Would recommend"] == "q25c"
    assert extract.provenance["header_row"] == 2


@pytest.mark.parametrize("where", ["file", "folder", "yaml"])
def test_a_saved_mapping_is_found_again(path, where):
    target = {"file": path, "folder": path.parent, "yaml": path.with_suffix(".columns.yaml")}[where]
    saved = save_mapping(target, COLUMNS)
    name = "culture-metrics.columns.yaml" if where == "folder" else "Zoë 2024.columns.yaml"
    assert saved == path.parent / name
    extract = read_extract(path)
    assert read_well(extract)
    assert extract.provenance["mapping"] == name
    assert inspect_file(path).columns["Would recommend"].startswith("q25c")


def test_what_is_given_wins_over_what_was_saved(path):
    save_mapping(path, COLUMNS | {"Dept": "locality_2"})
    extract = read_extract(path, columns={"Dept": "locality_1"})
    assert read_well(extract)


def test_a_mapping_for_a_folder_may_name_columns_of_other_files(path):
    save_mapping(path.parent, COLUMNS | {"Another": "q3a"})
    assert read_well(read_extract(path))
    save_mapping(path, COLUMNS | {"Another": "q3a"})
    with pytest.raises(ExtractError, match="columns that the file does not have"):
        read_extract(path)


def test_a_match_wins_over_the_names_in_the_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,ODS,Q25c,Q25c new\n1,RXX,1,4\n")
    extract = read_extract(path, year=2024, columns={"Q25c new": "q25c"})
    assert extract.frame["q25c"].to_list() == [4]
    assert extract.provenance["not_used"] == ["Q25c"]


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"Would recommend": "q99z"}, UnknownNameError, "cannot stand for 'q99z'"),
        ({"Would recommend": "localty_1"}, UnknownNameError, "Did you mean locality_1"),
        ({"Would recomend": "q25c", "Dept": "locality_1"}, ExtractError, "Did you mean Would recommend?"),
        ({"Would recommend": "q25c", "Dept": "Q25C"}, ExtractError, "Two columns are matched with Q25C"),
    ],
)
def test_a_mapping_that_cannot_be_gets_one_clear_message(path, columns, error, message):
    with pytest.raises(error) as caught:
        read_extract(path, year=2024, columns=columns)
    assert message in str(caught.value)


@pytest.mark.parametrize("columns", [{"A": "q99z"}, {"A": "q2a", "B": "look_forward_to_work", "C": "Q2a"}])
def test_a_mapping_is_checked_before_it_is_saved(tmp_path, columns):
    with pytest.raises(CultureMetricsError):
        save_mapping(tmp_path / "x.csv", columns)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: [a, b]", "another form than expected"),
        ("Would recommend: q25c", "another form than expected"),
        ("columns: {Would recommend: 25}", "another form than expected"),
        ("columns: {a: 'b", "cannot be read"),
        ("columns: {Would recommend: q25z}", "cannot stand for 'q25z'"),
    ],
)
def test_a_saved_mapping_that_was_spoilt_gets_one_clear_message(path, text, message):
    saved = path.with_suffix(".columns.yaml")
    saved.write_text(text)
    with pytest.raises(CultureMetricsError, match=message) as caught:
        read_extract(path, year=2024)
    assert saved.name in str(caught.value)


def test_the_saved_file_is_plain_yaml_for_people(path):
    text = save_mapping(path, COLUMNS).read_text(encoding="utf-8")
    assert yaml.safe_load(text)["columns"] == COLUMNS
    assert "Would recommend: q25c\n" in text


def test_a_folder_that_does_not_exist_gets_one_clear_message(tmp_path):
    with pytest.raises(ExtractError, match="cannot be saved"):
        save_mapping(tmp_path / "nowhere" / "x.csv", COLUMNS)
