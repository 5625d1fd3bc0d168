"""Every row of an outcome's file is used or set aside once, under a reason that a second count agrees with."""

from __future__ import annotations

from collections import Counter
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import culture_metrics as cm
from culture_metrics.contract import as_results
from culture_metrics.errors import LinkError

REPEAT = "repeats of another row, cell by cell"
NOBODY = "of no organisation: totals, notes or blanks"
NAMELESS = "no group named"
GROUPS = "groups of staff: a panel is of whole organisations"
HIDDEN, MISSING = "suppressed in the file", "not reported, or nothing to count"
LATER = "a later figure of the same year stands"
SHORT = "fewer than 3 months of the year: a part is no year"
STRANGER = "organisation never in the survey"
BESIDE, ALONE = "beside a survey of the same year", "no survey in the same year"

MONTHS = [date(year, month, 1) for year in (2021, 2022, 2023) for month in (2, 4, 5, 6, 11)]
LEVELS = ["Good", "Inadequate"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["RXA", "RXB", "RQQ", "England", None]),
        st.sampled_from(["All staff groups", "all staff groups", "Nurses", "Doctors", None]),
        st.sampled_from(MONTHS),
        st.sampled_from(["figure", "figure", "figure", "*", "-", None]),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:3],
)
SURVEYS = st.sets(
    st.tuples(st.sampled_from(["RXA", "RXB"]), st.sampled_from([2020, 2021, 2022, 2023])), min_size=1
)


def results(keys):
    rows = [
        {
            "survey": "nss_england",
            "period": str(year),
            "organisation": code,
            "breakdown": breakdown,
            "group": group,
            "measure": measure,
            "unit": "score",
            "estimate": 6.5,
            "base": 200,
            "weighting": "none",
            "status": "reported",
            "source": "published",
        }
        for code, year in [*sorted(keys), ("all", 2021)]
        for breakdown, group in (("all", "all"), ("occupation_group", "Midwives"))
        for measure in ("staff_engagement", "morale")
    ]
    return as_results(pl.DataFrame(rows, schema_overrides={"base": pl.UInt32}))


def year_of(day):
    """The financial year a day lies in."""
    return day.year - (day.month < 4)


def no_figure(code, group, cell):
    """The first reason for which a row has no figure of an organisation; None when it has one."""
    reasons = {
        NOBODY: code in ("England", None),
        NAMELESS: group is None,
        GROUPS: group != "All staff groups",
        HIDDEN: cell == "*",
        MISSING: cell in ("-", None),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def fates(rows, keys, kind):
    """Count the fate of each row of a file, by reason: the rules of `panel` in a loop over rows."""
    counts = Counter(no_figure(code, group, cell) for code, group, _, cell, _ in rows)
    counts[REPEAT] = sum(twice for *_, twice in rows)
    left = [(code, day) for code, group, day, cell, _ in rows if no_figure(code, group, cell) is None]
    del counts[None]
    last = max((year_of(day) for _, day in left), default=0)
    for code, day in left:
        mine = sorted(other for of, other in left if of == code)
        same = [other for other in mine if year_of(other) == year_of(day)]
        later = [other for other in mine if other > day]
        if kind == "rate":
            years = [year_of(day)]
        elif day != same[-1]:
            counts[LATER] += 1
            continue
        elif kind == "ratio":
            years = [year_of(day)]
        else:
            years = range(year_of(day), year_of(later[0]) if later else last + 1)
        if kind == "rate" and len(same) < 3:
            counts[SHORT] += 1
        elif code not in {of for of, _ in keys}:
            counts[STRANGER] += 1
        else:
            counts[BESIDE if any((code, year) in keys for year in years) else ALONE] += 1
    return {reason: count for reason, count in counts.items() if count}


NAMES = {"rate": "sickness_absence", "ratio": "shmi", "ordinal": "cqc_rating"}


def table(rows, kind):
    """One row per row of `rows`, and once more where it stands twice."""
    every = [row for row in rows for _ in range(1 + row[4])]
    figures = {"rate": "31", "ratio": "0.97", "ordinal": "Good"}
    cells = [figures[kind] if cell == "figure" else cell for *_, cell, _ in every]
    return pl.DataFrame(
        {
            "ORG_CODE": [row[0] for row in every],
            "STAFF_GROUP": [row[1] for row in every],
            "DATE": [f"{row[2]:%d/%m/%Y}" for row in every],
            {"rate": "FTE_DAYS_LOST"}.get(kind, NAMES[kind]): cells,
            "FTE_DAYS_AVAILABLE": ["700"] * len(every),
        },
        schema_overrides=dict.fromkeys(("ORG_CODE", "STAFF_GROUP", "DATE"), pl.String),
    )


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, keys=SURVEYS, kind=st.sampled_from(sorted(NAMES)))
def test_the_rows_of_any_file_add_up_reason_by_reason(rows, keys, kind):
    file = table(rows, kind)
    panel = cm.panel(
        results(keys),
        cm.read_outcome(file, NAMES[kind]),
        measures=["staff_engagement"],
        minimum_months=3,
    )
    flow = panel.losses.filter(source=NAMES[kind])
    read = flow.filter(step="read")["rows"].item()
    counts = dict(
        flow.filter((pl.col("step") != "read") & (pl.col("rows") > 0)).select("reason", "rows").rows()
    )
    assert counts == fates(rows, keys, kind)
    assert sum(counts.values()) == read == file.height
    of_results = panel.losses.filter(source="survey")
    assert of_results.select("step", "rows").rows() == [
        ("read", 4 * (len(keys) + 1)),
        ("left out", 4),
        ("left out", 2 * len(keys)),
        ("left out", len(keys)),
        ("kept", len(keys)),
    ]


def test_the_row_of_all_staff_is_the_organisation_and_groups_are_counted(shared_data):
    path = shared_data / "cases" / "outcome-sickness-absence-staff-groups.csv"
    panel = cm.panel(results({("RXA", 2024), ("RXB", 2024)}), cm.read_outcome(path, "sickness_absence"))
    # The file's own sums over its 12 rows of all staff: days lost over days available.
    file = pl.read_csv(path).filter(pl.col("STAFF_GROUP") == "All staff groups")
    for code in ("RXA", "RXB"):
        own = file.filter(ORG_CODE=code)
        rate = own["FTE_DAYS_LOST"].sum() / own["FTE_DAYS_AVAILABLE"].sum()
        assert panel.table.filter(organisation=code)["sickness_absence"].item() == pytest.approx(
            rate, abs=1e-12
        )
    flow = panel.losses.filter(source="sickness_absence").select("step", "rows", "organisations", "reason")
    assert flow.rows() == [
        ("read", 240, 5, "rows of the file"),
        ("left out", 180, 5, GROUPS),
        ("left out", 36, 3, STRANGER),
        ("kept", 24, 2, BESIDE),
        ("kept", 0, 0, ALONE),
    ]
    told = panel.problems.filter(rule="rows of groups of staff").row(0, named=True)
    assert (told["rows"], told["found"]) == (180, "Sickness absence: 180 rows of 3 groups")


def test_joiners_and_leavers_each_account_for_all_rows_of_their_file(shared_data, published_2024):
    (path,) = (shared_data / "outcomes").glob("Turnover*.csv")
    panel = cm.panel(published_2024, cm.read_outcome(path), measures=["staff_engagement"], minimum_months=1)
    file = pl.read_csv(path, infer_schema=False)
    for kind, other in (("leavers", "Joiners"), ("joiners", "Leavers")):
        counts = dict(panel.losses.filter(source=kind).group_by("step").agg(pl.col("rows").sum()).rows())
        assert counts["read"] == file.height == counts["left out"] + counts["kept"]
        of_other = panel.losses.filter(source=kind, reason=f"not of {kind}")["rows"].item()
        assert of_other == file.filter(TYPE=other).height


def test_groups_without_a_row_of_all_staff_are_warned_of_with_the_spelling_that_is_wanted():
    lone = pl.DataFrame(
        {
            "code": ["RXA", "RXA"],
            "year": ["2021/22"] * 2,
            "staff_group": ["All staff", "Nurses"],
            "shmi": [1, 2],
        }
    )
    data = cm.read_outcome(lone, "shmi")
    told = data.problems.row(0, named=True)
    assert told["rule"] == "groups without a row of the whole organisation" and told["rows"] == 2
    assert told["expected"] == "'all' or 'All staff groups', exactly, in the column of groups"
    panel = cm.panel(results({("RXA", 2021)}), data)
    assert panel.table["shmi"].to_list() == [None]
    both = lone.with_columns(staff_group=pl.Series(["all", "All staff groups"]))
    with pytest.raises(LinkError, match="Rows stand twice"):
        cm.read_outcome(both, "shmi")


def test_a_headcount_of_nobody_at_both_ends_is_nothing_to_count():
    period = "202503 to 202504"
    ends = ["Denominator at start of period", "Denominator at end of period"]
    made = pl.DataFrame(
        {
            "PERIOD": [period] * 2,
            "TYPE": ends,
            "REPORTING_ORG_CODE": ["RXA"] * 2,
            "STAFF_GROUP_1_NAME": ["All staff groups"] * 2,
            "HC": [0, 0],
        }
    )
    data = cm.read_outcome(made, "leavers")
    assert data.table.select("status", "value", "rows").rows() == [("not_reported", None, 2)]
    panel = cm.panel(results({("RXA", 2025)}), data, minimum_months=1)
    assert panel.losses.filter(reason=MISSING)["rows"].to_list() == [2]
