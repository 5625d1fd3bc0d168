"""Breakdowns under the trust's own words: any number of them, each with an id of its own."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import ExtractError, UnknownNameError
from culture_metrics.indicators.breakdowns import available_breakdowns, breakdown_id

WORDS = [
    "Directorate", "Division", "Care Group", "Dept", "Site", "Pay Band", "Ward", "Cost Centre", "Service Line",
    "Team", "BD 12", "Org Level 2", "Staff Group (ESR)",
]  # fmt: skip
IDS = [
    "locality_1", "locality_2", "locality_3", "locality_4", "locality_5", "locality_6", "locality_7",
    "cost_centre", "service_line", "team_group", "locality_12", "org_level_2", "staff_group",
]  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    made = cm.synthetic.respondents(2024, respondents_per_organisation=60, seed=4).frame
    return made.drop("locality_1", "locality_2", "benchmark_group")


def write(path, frame, **groups):
    """Write a file with columns of groups beside the answers: in group `n` of a column is every n-th row."""
    columns = [
        pl.Series(word, [f"{word} {i % n}" for i in range(frame.height)]) for word, n in groups.items()
    ]
    frame.with_columns(columns).write_csv(path)
    return path


def test_a_file_has_as_many_breakdowns_as_it_names(frame, tmp_path):
    path = write(tmp_path / "RXX_2024.csv", frame, **{word: n % 3 + 2 for n, word in enumerate(WORDS)})
    extract = cm.validate(cm.read_extract(path)).extract
    assert {*IDS} <= {*available_breakdowns(extract)}
    assert [extract.words[one] for one in IDS] == WORDS
    assert [breakdown_id(extract, word) for word in WORDS] == IDS
    results = cm.estimate(extract, by=["cost_centre", "locality_12"])
    bases = results.table.filter(breakdown="cost_centre", measure="morale").select("group", "base").rows()
    # Column 7 has 7 % 3 + 2 = 3 groups of 60 / 3 people.
    assert sorted(bases) == [(f"Cost Centre {n}", 20) for n in range(3)]
    assert results.names["cost_centre"] == "Cost Centre"


def test_a_column_is_a_breakdown_when_the_user_says_so(frame, tmp_path):
    path = write(tmp_path / "RXX_2024.csv", frame, Rota=2, BD3=2, Ours=3)
    columns = {"Rota": "breakdown", "BD3": "breakdown: Care Group", "Ours": "Breakdown: Age"}
    cm.save_mapping(path, columns)
    extract = cm.read_extract(path)
    assert extract.words == {"rota": "Rota", "locality_3": "Care Group", "age_group": "Age"}
    assert [breakdown_id(extract, name) for name in ("rota", "Care group", "BD3", "Ours")] == [
        "rota", "locality_3", "locality_3", "age_group",
    ]  # fmt: skip
    assert {"rota", "age_group"} <= {*cm.inspect_file(path).breakdowns}
    assert breakdown_id(extract, "age") == "age"


def test_two_columns_never_share_one_id(frame, tmp_path):
    path = write(tmp_path / "RXX_2024.csv", frame, Directorate=2, **{"Locality 1": 3, "Staff Group": 2})
    frame = pl.read_csv(path).with_columns(pl.lit("Nurses").alias("ESR Staff Group"))
    frame.write_csv(path)
    extract = cm.read_extract(path)
    # The trust's word wins over the contractor's number, and nothing is set aside.
    assert extract.words == {
        "locality_1": "Directorate",
        "locality_1_group": "Locality 1",
        "esr_staff_group": "ESR Staff Group",
        "staff_group": "Staff Group",
    }
    assert extract.frame["locality_1"].n_unique() == 2 and extract.frame["locality_1_group"].n_unique() == 3
    assert not {"Directorate", "Locality 1", "ESR Staff Group"} & {*extract.provenance["not_used"]}
    same = write(tmp_path / "b_2024.csv", frame, **{"Cost Centre": 2, "Cost-centre": 3})
    with pytest.raises(ExtractError, match="Two columns stand for cost_centre") as told:
        cm.read_extract(same)
    assert told.value.got == "'Cost Centre' and 'Cost-centre'"
    with pytest.raises(ExtractError, match="matched with"):
        cm.read_extract(same, columns={"Cost Centre": "breakdown: Team", "Cost-centre": "breakdown: team"})


def test_an_id_means_one_thing_to_a_survey():
    from culture_metrics.extracts.own_words import own_id

    survey = cm.catalogue()
    assert [own_id(word, survey) for word in ("Morale", "base", "q25c", "All", "Équipe / Nuit")] == [
        "morale_group", "base_group", "q25c_group", "all_group", "équipe_nuit",
    ]  # fmt: skip


def test_checks_of_labels_hold_for_every_breakdown(frame, tmp_path):
    path = write(tmp_path / "RXX_2024.csv", frame, Team=2)
    teams = ["Ward A"] * 30 + ["WARD A"] * 20 + ["Night"] * 10
    pl.read_csv(path).with_columns(pl.Series("Team", teams)).write_csv(path)
    extract = cm.read_extract(path)
    report = cm.validate(extract)
    said = report.problems.filter(column="team_group")
    assert {"labels that differ in case or spaces", "groups below the minimum base"} <= {*said["rule"]}
    assert said["rows"].sum() == 0
    merged = cm.validate(extract, merge={"team_group": {"WARD A": "Ward A"}})
    assert merged.extract.frame["team_group"].value_counts(sort=True).rows() == [
        ("Ward A", 50),
        ("Night", 10),
    ]
    assert merged.problems.filter(rule="labels merged")["rows"].item() == 0


@pytest.mark.parametrize(
    "header", ["Resp ID", "Respondent No.", "Resp. No", "\ufeffRespondent Number", "Res\u200bpondent\xa0ID"]
)
def test_headers_of_ids_in_other_words(frame, tmp_path, header):
    path = tmp_path / "RXX_2024.csv"
    ids = [f"R{n}" for n in range(60)]
    frame.drop("respondent").with_columns(pl.Series(header, ids)).write_csv(path)
    extract = cm.read_extract(path)
    assert extract.frame["respondent"].to_list() == ids and extract.provenance["not_used"] == []


def test_an_unknown_column_says_how_it_becomes_a_breakdown(frame, tmp_path):
    extract = cm.read_extract(write(tmp_path / "RXX_2024.csv", frame, Rota=2))
    with pytest.raises(UnknownNameError, match="'Rota': 'breakdown'"):
        breakdown_id(extract, "Rota")
