"""The panel joins by code and year, follows mergers by their day, and accounts for every row."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.contract import as_results
from culture_metrics.errors import LinkError


def results(*rows, measure="staff_engagement"):
    """Rows of (organisation, year, score); None is suppressed."""
    return as_results(
        pl.DataFrame(
            [
                {
                    "survey": "nss_england",
                    "period": str(year),
                    "organisation": code,
                    "breakdown": "all",
                    "group": "all",
                    "measure": measure,
                    "unit": "score",
                    "estimate": score,
                    "base": None if score is None else 200,
                    "weighting": "none",
                    "status": "suppressed_small_base" if score is None else "reported",
                    "source": "published",
                }
                for code, year, score in rows
            ],
            schema_overrides={"estimate": pl.Float64, "base": pl.UInt32},
        )
    )


def outcome(folder, text, name):
    path = folder / f"{name}.csv"
    path.write_text(text)
    return cm.read_outcome(path, name)


@pytest.fixture
def shmi(tmp_path):
    return outcome(
        tmp_path,
        "code,year,shmi\nRXX,2022,0.9\nRXX,2023,0.95\nRXX,2024,1.0\nRYY,2022,1.1\nRQQ,2022,1.2\n",
        "shmi",
    )


def flow(panel, source):
    return [
        tuple(r) for r in panel.losses.filter(source=source).select("step", "rows", "organisations").rows()
    ]


def test_rows_join_on_code_and_year_and_nothing_is_lost_silently(shmi):
    survey = results(("RXX", 2022, 7.0), ("RXX", 2023, 7.1), ("RYY", 2022, None), ("RZZ", 2022, 6.5))
    panel = cm.panel(survey, shmi)
    rows = panel.table.select(
        "organisation", "year", "staff_engagement", "staff_engagement_base", "shmi"
    ).rows()
    assert rows == [
        ("RXX", 2022, 7.0, 200, 0.9),
        ("RXX", 2023, 7.1, 200, 0.95),
        ("RXX", 2024, None, None, 1.0),
        ("RYY", 2022, None, None, 1.1),
        ("RZZ", 2022, 6.5, 200, None),
    ]
    assert flow(panel, "survey") == [("read", 4, 3), ("suppressed", 1, 1), ("kept", 3, 2)]
    assert flow(panel, "shmi") == [("read", 5, 3), ("left out", 1, 1), ("kept", 3, 2), ("kept", 1, 1)]
    assert flow(panel, "panel") == [("rows", 5, 3), ("rows", 1, 1)]
    assert panel.unmatched.select("side", "organisation").rows() == [
        ("survey only", "RZZ"),
        ("outcome only", "RQQ"),
    ]
    assert panel.indicators == ("staff_engagement",)
    assert "2 organisation-years of 1 organisation with an indicator" in panel.summary()
    shown = panel._repr_html_()
    assert "<caption style='text-align:left'>What was lost</caption>" in shown
    assert "<th scope='row' style='text-align:left;font-weight:normal'>survey</th>" in shown
    assert "&quot;" not in shown and "dtype" not in shown


def test_a_panel_goes_straight_into_links_with_the_outcomes_it_declares(tmp_path):
    made = cm.synthetic.outcome_panel(organisations=40)
    made.write_csv(tmp_path / "panel.csv")
    panel = cm.read_panel(tmp_path / "panel.csv", cm.outcome("mrsa"))
    link = cm.link_outcomes(panel, "staff_engagement", "mrsa")
    assert repr(link).startswith("LinkResult(") and len(repr(link)) < 300
    assert link.table["kind"].unique().to_list() == ["count"]
    by_hand = cm.link_outcomes(panel.table, "staff_engagement", panel.outcomes)
    assert link.table.equals(by_hand.table, null_equal=True)
    # Any other column is a continuous outcome, as in a table.
    assert cm.link_outcomes(panel, "staff_engagement", "beds").table["kind"][0] == "continuous"


def reconciles(panel):
    """For each outcome: read = left out + kept; kept = figures in the table."""
    for one in panel.outcomes:
        rows = panel.losses.filter(source=one.column)
        total = dict(rows.group_by("step").agg(pl.col("rows").sum()).rows())
        assert total["read"] == total.get("left out", 0) + total["kept"]
        kept = rows.filter(step="kept")["organisation_years"].sum()
        assert panel.table[one.column].count() == kept


def test_counts_bring_their_exposure_and_partial_years_stay_out(tmp_path):
    months = "".join(
        f"RXX,{m} 2022,2,100\n" for m in ["Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    )
    months += "".join(f"RXX,{m} 2023,2,100\n" for m in ["Jan", "Feb", "Mar", "Apr", "May"])
    mrsa = outcome(tmp_path, "code,month,mrsa,bed_days\n" + months, "mrsa")
    survey = results(("RXX", 2022, 7.0), ("RXX", 2023, 7.1))
    panel = cm.panel(survey, mrsa)
    assert panel.table.select("mrsa", "mrsa_exposure").rows() == [(24, 1200.0), (None, None)]
    assert panel.table["mrsa"].dtype == pl.Int64
    (found,) = panel.outcomes
    assert (found.exposure, found.kind) == ("mrsa_exposure", "count")
    assert "2022-04-01 to 2023-03-31" in found.period
    lost = panel.losses.filter(source="mrsa", step="left out")
    assert lost.select("rows", "organisation_years", "reason").rows() == [
        (2, 1, "fewer than 12 months of the year: a part is no year")
    ]
    part = cm.panel(survey, mrsa, minimum_months=2)
    assert part.table.select("mrsa", "mrsa_months").rows() == [(24, 12), (4, 2)]
    assert "at least 2 of its months" in part.outcomes[0].period
    reconciles(panel)
    reconciles(part)


LIST = pl.DataFrame(
    {
        "ods_code": ["RXX", "RYY", "RZZ"],
        "name": ["X", "Y", "Z"],
        "type": ["Acute", "Acute", "Community"],
        "region": ["London", "London", "Midlands"],
        "predecessor_codes": ["ROL; RUN", None, None],
        "merger_date": ["2022-10-01", None, None],
    }
)


def test_counts_after_a_merger_are_added_to_the_successor(tmp_path):
    text = "code,month,four_hour_wait,attendances\n"
    for place, month in enumerate(
        ["Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar"]
    ):
        year = 2022 + (place > 8)
        text += f"RXX,{month} {year},0.8,100\nROL,{month} {year},0.5,50\n"
    waits = outcome(tmp_path, text, "four_hour_wait")
    survey = results(("RXX", 2022, 7.0), ("ROL", 2022, 6.0), ("RXX", 2023, 7.0))
    panel = cm.panel(survey, waits, LIST)
    # Twelve months of RXX, and the six of ROL after 1 October: (12 x 80 + 6 x 25) / (12 x 100 + 6 x 50).
    row = panel.table.filter(organisation="RXX", year=2022).row(0, named=True)
    assert row["four_hour_wait"] == pytest.approx(1110 / 1500)
    assert row["four_hour_wait_base"] == 1500
    assert (row["name"], row["benchmark_group"], row["region"]) == ("X", "Acute", "London")
    # Before the merger ROL stands alone: six months, a part of a year.
    assert panel.table.filter(organisation="ROL", year=2022)["four_hour_wait"].item() is None
    rules = dict(panel.problems.select("rule", "rows").rows())
    assert rules["rows under the code of a merged organisation"] == 6
    reconciles(panel)


def test_ratios_and_survey_rows_after_a_merger_go_to_the_successor_only_if_it_has_none(tmp_path):
    shmi = outcome(
        tmp_path, "code,year,shmi\nROL,2023,0.9\nRUN,2022,1.0\nROL,2024,0.8\nRXX,2024,1.1\n", "shmi"
    )
    survey = results(("ROL", 2022, 6.0), ("ROL", 2023, 6.1), ("RXX", 2024, 7.0), ("RXX", 2021, 7.0))
    panel = cm.panel(survey, shmi, LIST)
    rows = panel.table.select("organisation", "year", "staff_engagement", "shmi").rows()
    assert rows == [
        ("ROL", 2022, 6.0, None),
        ("ROL", 2024, None, 0.8),
        ("RXX", 2021, 7.0, None),
        ("RXX", 2023, 6.1, 0.9),
        ("RXX", 2024, 7.0, 1.1),
    ]
    rules = panel.problems.select("rule", "rows").rows()
    assert ("rows of a merged organisation beside its successor's", 1) in rules
    assert ("an organisation before and after a merger", 1) in rules
    known = dict(panel.unmatched.select("organisation", "known").rows())
    assert known == {"RUN": "became part of RXX on 2022-10-01"}
    reconciles(panel)


def test_a_merger_in_spring_moves_the_survey_of_that_autumn_and_yearly_shares_are_pooled():
    listed = LIST.with_columns(pl.Series("merger_date", ["2022-05-01", None, None]))
    waits = pl.DataFrame(
        {
            "code": ["RXX", "ROL"],
            "year": ["2023/24"] * 2,
            "four_hour_wait": [0.8, 0.5],
            "attendances": [100, 50],
        }
    )
    survey = results(("ROL", 2021, 6.0), ("ROL", 2022, 6.1))
    panel = cm.panel(survey, cm.read_outcome(waits, "four_hour_wait"), listed)
    rows = panel.table.select("organisation", "year", "staff_engagement", "four_hour_wait").rows()
    assert rows == [
        ("ROL", 2021, 6.0, None),
        ("RXX", 2022, 6.1, None),
        ("RXX", 2023, None, pytest.approx(105 / 150)),
    ]


def test_a_score_of_a_month_is_said():
    score = cm.read_outcome(
        pl.DataFrame({"code": ["RXX"], "month": ["Nov 2022"], "inpatient_survey": [8.0]}), "inpatient_survey"
    )
    panel = cm.panel(results(("RXX", 2022, 7.0)), score)
    assert panel.table["inpatient_survey"].to_list() == [8.0]
    assert panel.problems["rule"].to_list() == ["a month or a day stands for the year"]
    with pytest.raises(LinkError, match="takes what read_outcome returns"):
        cm.panel(results(("RXX", 2022, 7.0)), [score.table])


def test_what_cannot_be_a_panel_is_refused(shmi, tmp_path):
    survey = results(("RXX", 2022, 7.0))
    with pytest.raises(LinkError, match="minimum_months="):
        cm.panel(survey, shmi, minimum_months=0)
    with pytest.raises(LinkError, match="Two columns of the panel would be named 'shmi'"):
        cm.panel(survey, [shmi, shmi])
    with pytest.raises(LinkError, match="hold no measure 'morale'"):
        cm.panel(survey, shmi, measures=["morale"])
    with pytest.raises(LinkError, match="no organisation as a whole"):
        cm.panel(survey.with_columns(breakdown=pl.lit("occupation_group")), shmi)
    with pytest.raises(LinkError, match="periods are no years"):
        cm.panel(survey.with_columns(period=pl.lit("2022-Q3")), shmi)
    with pytest.raises(LinkError, match="several surveys"):
        cm.panel([survey, survey.with_columns(survey=pl.lit("national_quarterly_pulse"))], shmi)
    weighted = survey.with_columns(weighting=pl.lit("raked").cast(survey.schema["weighting"]))
    with pytest.raises(LinkError, match="stands twice") as caught:
        cm.panel([survey, weighted], shmi)
    assert "none, raked" in str(caught.value)
    with pytest.raises(LinkError, match="is no date"):
        cm.panel(survey, shmi, LIST.with_columns(merger_date=pl.lit("1st October")))


def test_real_files_join_and_reconcile(shared_data, published_2024):
    emergency = cm.read_outcome(shared_data / "outcomes" / "england_trust_accidents_emergency.csv")
    (path,) = (shared_data / "outcomes").glob("Turnover*.csv")
    leavers = cm.read_outcome(path, "leavers")
    listed = shared_data / "organisations" / "trust_lookup_2026_subset.csv"
    panel = cm.panel(published_2024, [emergency, leavers], listed)
    reconciles(panel)
    survey = set(published_2024.organisations["organisation"])
    file = set(emergency.table["organisation"])
    assert len(survey) == 263 and len(file) == 157
    sides = {
        side: set(panel.unmatched.filter(outcome="four_hour_wait", side=side)["organisation"])
        for side in ("survey only", "outcome only")
    }
    assert sides == {"survey only": survey - file, "outcome only": file - survey}
    whole = emergency.by_year().filter(~pl.col("partial") & pl.col("organisation").is_in(survey))
    assert panel.table["four_hour_wait"].count() == whole.height == 517
    joined = panel.table.filter(
        pl.col("four_hour_wait").is_not_null() & pl.col("staff_engagement").is_not_null()
    )
    assert joined.height == 139 and set(joined["year"]) == {2024}
    # One month of leavers is no year.
    assert panel.table["leavers"].count() == 0
    partial = pl.col("reason").str.starts_with("fewer than 12 months")
    assert panel.losses.filter(partial, source="leavers")["organisation_years"].to_list() == [247]
    one = cm.panel(published_2024, leavers, listed, measures=["staff_engagement"], minimum_months=1)
    assert one.table["leavers"].count() == 244 and set(one.table["leavers_months"].drop_nulls()) == {1}
    reconciles(one)
    # Suppressed or missing survey figures are counted: as many as the results have.
    whole_rows = published_2024.results.table.filter(
        (pl.col("breakdown") == "all") & (pl.col("group") == "all") & (pl.col("status") != "reported")
    )
    lost = panel.losses.filter(pl.col("step").is_in(["suppressed", "not reported"]))
    assert lost["rows"].sum() == whole_rows.height


def test_an_outcome_under_another_name_is_pointed_to_the_panels_own():
    panel = cm.read_panel(cm.synthetic.outcome_panel(), cm.outcome("shmi"))
    with pytest.raises(LinkError, match=r"no outcome 'waiting'[\s\S]*panel\.outcomes"):
        cm.link_outcomes(panel, "staff_engagement", cm.Outcome("waiting", "continuous"))
    assert "Nothing was lost" in panel._repr_html_()


def test_years_that_do_not_meet_are_said(shmi):
    joined = cm.panel(results(("RXX", 2020, 7.0), ("RXX", 2021, 7.1)), shmi)
    (found,) = joined.problems.filter(rule="years that do not meet")["found"]
    assert found.endswith(": 2022, 2023, 2024; the survey: 2020, 2021")
    assert f"The years do not meet: {found}." in joined.summary()
    met = cm.panel(results(("RXX", 2021, 7.0), ("RXX", 2022, 7.1)), shmi)
    assert (
        "do not meet" not in met.summary() and met.problems.filter(rule="years that do not meet").is_empty()
    )
