"""What results look like in a terminal: what it is, how much, the main figure, where to look; no tables."""

from __future__ import annotations

import re

import polars as pl
import pytest

import culture_metrics as cm

#: Nobody wants to scroll.
LONGEST = 700


@pytest.fixture(scope="module")
def years() -> tuple:
    return tuple(cm.synthetic.respondents(y, respondents_per_organisation=300) for y in (2023, 2024))


@pytest.fixture(scope="module")
def shown(years):
    """Results by the name of their class."""
    before, now = years
    results = pl.concat([cm.estimate(e, by=["locality_1"]).table for e in years])
    more = pl.concat(
        [results, cm.estimate(cm.synthetic.respondents(2022, respondents_per_organisation=300)).table]
    )
    quarters = [f"{y}-Q{q}" for y in (2022, 2023) for q in (1, 2, 4)]
    pulse = [
        cm.estimate(cm.synthetic.respondents(q, 1, 200, survey="national_quarterly_pulse")).table
        for q in quarters
    ]
    panel = cm.synthetic.outcome_panel(organisations=60)
    change = cm.decompose_change(before, now, "morale", by=["gender"])
    found = [
        now,
        cm.validate(now),
        cm.check_pair(before, now),
        cm.rake(now, {"gender": {"Female": 70, "Male": 30}}),
        cm.replicate(now, ["locality_1"], measures=["morale"], draws=20),
        cm.agreement(now, ["morale", "burnout", "staff_engagement"], "locality_1"),
        cm.disclosure.audit_disclosure(results),
        cm.compare_years(results, 2023, 2024),
        change,
        cm.compare.nonresponse_sensitivity(change, 4000, 4000),
        cm.compare.change_contributions(before, now, "morale"),
        cm.trend(more, ["morale", "staff_engagement"]),
        cm.compare.run_chart(pl.concat(pulse), organisation="SYN01"),
        cm.link_outcomes(panel, ["staff_engagement", "morale"], cm.outcome("shmi")),
        cm.links.mediate(panel, "staff_engagement", "morale", "shmi", draws=200),
        cm.links.moderate(panel, "staff_engagement", "beds", "shmi"),
        cm.links.relative_weights(panel, ["staff_engagement", "morale"], "shmi", draws=200),
        cm.specification_curve(panel, "staff_engagement", cm.outcome("shmi"), controls=["region"]),
        cm.links.false_alarms(60, 4, draws=100),
        cm.links.detectable_link(100, 4),
        cm.links.lavaan_model(panel, "staff_engagement", "shmi"),
        cm.Weights("size", eligible={f"R{n:03}": 4000.0 for n in range(200)}),
        cm.catalogue(),
        cm.catalogue().edition(2024),
    ]
    return {type(one).__name__: one for one in found}


def test_a_result_is_told_in_a_few_words(shown):
    assert len(shown) == 24
    long = {name: len(repr(one)) for name, one in shown.items() if len(repr(one)) > LONGEST}
    assert long == {}
    assert [name for name, one in shown.items() if "shape: (" in repr(one) or "┌" in repr(one)] == []


def test_it_says_where_to_look_and_that_is_there(shown):
    """Every attribute that is named exists."""
    told = {name: re.findall(r"(?:See |, | and )\.(\w+)", repr(one)) for name, one in shown.items()}
    wrong = {
        name: [a for a in said if not hasattr(shown[name], a)]
        for name, said in told.items()
        if not all(hasattr(shown[name], a) for a in said)
    }
    assert wrong == {}
    assert sum(bool(said) for said in told.values()) >= 14


def test_counts_and_figures_are_those_of_the_result(shown):
    edition = cm.catalogue().edition(2024)
    assert f"{len(edition.questions)} questions" in repr(edition)
    replicates = shown["Replicates"]
    hidden = replicates.table.filter(pl.col("status") != "reported").height
    assert hidden
    rows = replicates.table.height
    assert f"20 replicates of {rows} results, {rows - hidden} of them shown" in repr(replicates)
    flags = int(shown["LinkResult"].diagnostics["flag"].fill_null(value=False).sum())
    assert re.search(rf"\b{flags} checks? raised a flag", repr(shown["LinkResult"]))
    assert "<staff of 200 organisations>" in repr(shown["Weights"])


def test_no_value_of_a_respondent_is_told(years):
    """Ids and answers with a mark of their own stand in no repr of what holds them."""
    frame = years[1].frame.with_columns(
        pl.concat_str(pl.lit("SECRET-"), "respondent").alias("respondent"),
        pl.lit(73, pl.Int8).alias("q4a"),
    )
    extract = cm.read_extract(frame, survey="nss_england", year=2024)
    report = cm.validate(extract)
    told = [
        repr(one) + str(one) for one in (extract, report, report.extract, cm.check_pair(years[0], extract))
    ]
    told += [repr(cm.rake(report.extract, {"gender": {"Female": 70, "Male": 30}}))]
    told += [repr(cm.replicate(report.extract, measures=["morale"], draws=20))]
    assert [text for text in told if "SECRET" in text or re.search(r"\b73\b", text)] == []
