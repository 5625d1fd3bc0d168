"""Small files in official layouts with one surprise each, against their own cells.

The files are not part of the project; without them these tests are skipped. What each must give stands beside them
in EXPECTED.csv.
"""

from __future__ import annotations

import pytest
from cells_of import blocks, read_cells

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.benchmark import benchmark
from culture_metrics.errors import FileFormatError
from culture_metrics.published import read_published

TITLES = {"staff_engagement": "staff engagement", "morale": "morale"}


@pytest.fixture(scope="module")
def case(shared_data):
    """Return a function that reads a case, once each."""
    read = {}

    def of(name, **more):
        if name not in read:
            read[name] = read_published(shared_data / "cases" / name, **more)
        return read[name]

    return of


@pytest.fixture
def cells(shared_data):
    return lambda name, ids=6: blocks(read_cells(shared_data / "cases" / name, ids))


def scores_are_the_cells(found, raw, year, rows):
    """Compare all scores and bases of organisations with the cells, by their code."""
    checked = 0
    for measure in catalogue().edition(year).scores.values():
        ids, (score, base) = raw[TITLES.get(measure.id, measure.code.casefold())]
        printed = {i[0]: (s, b) for i, s, b in zip(ids, score.figures, base.figures, strict=True)}
        mine = found.results.table.filter(measure=measure.id).select("organisation", "estimate", "base")
        assert mine.height == rows
        assert {o: (e, b) for o, e, b in mine.rows()} == {o: printed[o] for o in mine["organisation"]}
        checked += mine.height
    return checked


def test_ics_stp_is_the_column_of_integrated_care_systems(case, cells):
    name = "official-2022-ics-stp.xlsx"
    found = case(name)
    assert found.period == "2022"
    assert scores_are_the_cells(found, cells(name), 2022, 6) == 30 * 6
    ics = dict(found.organisations.select("organisation", "ics").rows())
    assert (ics["RXA"], ics["RXE"]) == ("Black Country", None)
    assert found.organisations.filter(organisation="RXA")["region"].item() == "Midlands"
    ids, columns = cells(name)["q3a"]
    agree = dict(
        zip(
            (i[0] for i in ids),
            map(sum, zip(columns[3].figures, columns[4].figures, strict=True)),
            strict=True,
        )
    )
    mine = found.results.table.filter(measure="knows_responsibilities")
    assert mine.height == 6
    assert dict(mine.select("organisation", "estimate").rows()) == pytest.approx(agree)
    assert found.provenance["left_out"] == {}


def test_an_average_row_is_no_organisation(case, cells):
    name = "official-2024-average-row-added.xlsx"
    found = case(name)
    assert found.results.table["organisation"].n_unique() == 6
    scores_are_the_cells(found, cells(name), 2024, 6)
    (named,) = next(iter(found.provenance["left_out"].values()))
    assert named == "'Average' (sheet 'YOUR JOB Q1-3', row 12 and 15 more rows)"
    table = benchmark(found, "RXA").table.filter(measure="staff_engagement")
    # 6.839804353, 5.597800843 and 4.563761904 are in the cells; the average of six would move the median
    assert (table["organisations"].item(), table["median"].item()) == (
        3,
        pytest.approx(5.597800843, abs=1e-8),
    )


def test_both_occupation_breakdowns_keep_their_figures(case):
    found = case("official-2024-national.xlsx")
    rows = found.results.table.filter(measure="staff_engagement")
    counts = dict(rows.group_by("breakdown").len().rows())
    assert counts == {
        "all": 1,
        "occupation": 11,
        "occupation_group": 6,
        "patient_facing": 3,
        "gender_same_as_at_birth": 3,
        "long_term_condition": 2,
        "children_at_home": 2,
    }
    nurses = rows.filter(breakdown="occupation_group", group="Registered Nurses and Midwives")
    adult = rows.filter(breakdown="occupation", group="Adult / General")
    assert (nurses["estimate"].item(), nurses["base"].item()) == (pytest.approx(6.143044494, abs=1e-8), 917)
    assert (adult["estimate"].item(), adult["base"].item()) == (pytest.approx(7.187150215, abs=1e-8), 585)


def test_organisation_types_stand_in_the_organisations_place(case, cells):
    name = "official-2024-organisation-types.xlsx"
    found = case(name)
    assert found.provenance["layout"] == "organisation_type"
    ids, (score, base) = cells(name, 4)["staff engagement"]
    rows = found.results.table.filter(measure="staff_engagement")
    assert rows.height == 9
    types = dict(found.organisations.select("organisation", "name").rows())
    assert types["ambulance_trusts"] == "Ambulance Trusts"
    mine = {
        (types[o], g): (e, b)
        for o, g, e, b in rows.select("organisation", "group", "estimate", "base").rows()
    }
    printed = zip(ids, score.figures, base.figures, strict=True)
    assert mine == {(i[0], i[2] or "all"): (s, b) for i, s, b in printed}


def test_a_star_is_a_suppressed_cell(case):
    found = case("official-2024-star-for-suppressed.xlsx")
    assert found.provenance["suppressed_cells"] == 7
    hidden = found.distributions.table.filter(status="suppressed_small_base")
    assert set(hidden.select("organisation", "question").rows()) == {
        ("RXB", "violence_from_patients"),
        ("RXB", "violence_from_managers"),
    }
    assert hidden.drop_nulls("percent").is_empty()


def test_an_unknown_block_is_set_aside_and_the_rest_is_read(case, cells):
    name = "official-2025-new-block.xlsx"
    found = case(name)
    scores_are_the_cells(found, cells(name), 2025, 6)
    assert list(found.provenance["left_out"].values()) == [
        ("NSSEC3 (sheet 'BACKGROUND INFORMATION Q31-35', column T)",)
    ]


def test_the_year_may_stand_before_the_name(case, cells):
    name = "official-2025-year-before-name.xlsx"
    assert case(name).period == "2025"
    scores_are_the_cells(case(name), cells(name), 2025, 6)


def test_a_benchmark_workbook_of_2019_is_refused_in_one_sentence(shared_data):
    with pytest.raises(FileFormatError, match="the benchmark workbook of 2019") as error:
        read_published(shared_data / "cases" / "benchmark-2019-old-layout.xlsx")
    assert "read_extract" not in str(error.value)


def test_social_enterprises_are_a_group_of_their_own(case):
    found = case("benchmark-2025-social-enterprises-community.xlsx")
    groups = dict(found.organisations["benchmark_group"].value_counts().rows())
    assert groups == {"Community Trusts": 5, "Social Enterprises - Community": 4, "ICBs": 3}
    first = found.organisations["organisation"].min()
    table = benchmark(found, first).table.filter(measure="staff_engagement")
    assert set(table["organisations"]) == {5}
    flags = found.provenance["beside"].filter(kind="significance")
    assert flags.height == 3 * 12
    assert set(flags["value"]) <= {-1.0, 0.0, 1.0}


def test_a_repeated_row_counts_once_and_the_selection_is_no_organisation(case):
    found = case("pulse-2021-q4-row-repeated.xlsx")
    rows = found.results.table.filter(measure="motivation")
    assert rows["organisation"].n_unique() == rows.height == 9
    assert rows.filter(organisation="RX3")["base"].item() == 86
    # England printed 3,921 responses: the eight organisations, each once
    assert rows.filter(organisation="all")["base"].item() == 3921
    assert found.provenance["checks"]["responses_of_england_less_organisations"]["motivation"] == 0
    repeats, totals = found.provenance["left_out"].values()
    assert "'RX3' (sheet 'Motivation', row 14)" in repeats
    assert totals == ("'Selection (excluding suppressed data)' (sheet 'Engagement Score', row 14)",)


def test_the_official_quarter_with_a_repeated_row(shared_data):
    """202122Q4: RAJ stands twice, rows 120 and 121; England counts it twice, by 48 responses."""
    found = read_published(shared_data / "pulse" / "202122Q4.xlsm")
    advocacy = found.results.table.filter(measure="advocacy")
    assert advocacy.filter(organisation="RAJ")["base"].item() == 48
    assert advocacy.filter(organisation="RAJ")["estimate"].item() == pytest.approx(4.947916667, abs=1e-8)
    assert advocacy.filter(organisation="all")["base"].item() == 124_908
    assert found.provenance["checks"]["organisations"] == 193
    assert found.provenance["checks"]["responses_of_england_less_organisations"]["advocacy"] == 48


def test_quarters_merged_by_hand_are_refused_by_both_readers(shared_data):
    path = shared_data / "cases" / "pulse-quarters-merged-one-missing.csv"
    with pytest.raises(FileFormatError) as error:
        read_published(path)
    assert "column 'time': 202122Q4, 202223Q1, and 4 rows without a quarter" in str(error.value)
    assert "one year or quarter a file" in error.value.hint


def test_the_whole_organisation_may_have_no_breakdown_and_figures_be_fractions(case):
    found = case("contractor-blank-dimension-fractions.csv", organisation="RXX")
    rows = found.results.table.filter(measure="look_forward_to_work", period="2023")
    whole = rows.filter(breakdown="all")
    assert (whole["estimate"].item(), whole["base"].item()) == (pytest.approx(49.44), 3120)
    adult = rows.filter(breakdown="Directorate", group="Adult Care")
    assert (adult["estimate"].item(), adult["base"].item()) == (pytest.approx(55.84), 411)
    assert rows.filter(group="Tiny")["status"].item() == "suppressed_small_base"
    assert "Comparator" not in rows["group"].to_list()
    (named,) = next(iter(found.provenance["left_out"].values()))
    assert named.startswith("'Comparator'")
    assert len(found.provenance["fractions"]) == 1
