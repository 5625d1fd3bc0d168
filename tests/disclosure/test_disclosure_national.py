"""National figures of some of the organisations beside the figures of all, and sums that do not add up."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.contract import as_results
from culture_metrics.errors import CultureMetricsError, CultureMetricsWarning, UnknownNameError

TRUSTS = ["SYN01", "SYN02", "SYN03"]
MEASURES = ["morale", "always_learning", "appraisals", "staff_engagement"]


def made_up(bases: dict[str, dict[str, int]]) -> pl.DataFrame:
    rows = [
        {"organisation": o, "breakdown": "all" if g == "all" else "locality_1", "group": g, "base": n}
        for o, groups in bases.items()
        for g, n in {"all": sum(groups.values()), **groups}.items()
    ]
    return as_results(
        pl.DataFrame(rows).with_columns(
            survey=pl.lit("nss_england"), period=pl.lit("2024"), measure=pl.lit("morale"), unit=pl.lit("score"),
            estimate=pl.lit(6.0), weighting=pl.lit("none"), status=pl.lit("reported"), source=pl.lit("respondents"),
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def both() -> pl.DataFrame:
    """Four organisations, of which three are in the national figures."""
    # Two that know nothing of each other: of one, the second call would hide what the first gives away.
    one, other = (
        cm.synthetic.respondents(2024, organisations=4, respondents_per_organisation=150, seed=12)
        for _ in range(2)
    )
    weights = cm.Weights("size", eligible=dict.fromkeys(TRUSTS, 4000.0))
    tables = [
        cm.estimate(one, by=["occupation_group"]).table,
        cm.estimate(other, by=["occupation_group"], weights=weights).table,
    ]
    return pl.concat(tables).filter(pl.col("measure").is_in(MEASURES))


def test_organisations_outside_national_figures_are_no_part_of_them(both):
    with pytest.warns(CultureMetricsWarning, match=r"occupation_group over organisations.*national="):
        without = cm.suppress(both).table
    assert (
        cm.disclosure.audit_disclosure(without, national=TRUSTS)
        .table["finding"]
        .is_in(["exact", "few"])
        .any()
    )
    done = cm.suppress(both, national=TRUSTS).table
    assert cm.disclosure.audit_disclosure(done, national=TRUSTS).ok
    inside = done.filter(pl.col("organisation").is_in([*TRUSTS, "all"]), breakdown="occupation_group")
    parts = pl.col("base").filter(pl.col("organisation") != "all").sum().cast(pl.Int64)
    whole = pl.col("base").filter(pl.col("organisation") == "all")
    left = (
        inside.filter(pl.col("base").is_not_null())
        .unique(["organisation", "group", "measure"])
        .group_by("group", "measure")
        .agg(left=whole.first().cast(pl.Int64) - parts)["left"]
        .drop_nulls()
    )
    assert left.filter((left > 0) & (left < 11)).is_empty()


def test_the_auditor_says_what_does_not_add_up(both):
    with pytest.warns(CultureMetricsWarning):
        done = cm.suppress(both).table
    audit = cm.disclosure.audit_disclosure(done)
    assert not audit.ok
    odd = audit.table.filter(finding="odd")
    assert set(odd["organisation"]) == {"all"}
    assert odd["width"].null_count() == odd.height > len(MEASURES)
    assert "do not add up with the others" in audit.summary()
    assert "national=" in audit.summary()


def test_what_adds_up_is_not_odd(both):
    each = both.filter(pl.col("organisation").is_in([*TRUSTS, "all"]))
    assert cm.disclosure.audit_disclosure(cm.suppress(each).table).ok
    # An organisation that is not published leaves more people in the total than in its parts.
    fewer = both.filter(pl.col("organisation").is_in(["SYN01", "SYN02", "all"]))
    assert "odd" not in cm.disclosure.audit_disclosure(cm.suppress(fewer).table).table["finding"]


def test_hidden_totals_that_no_numbers_fit_are_odd():
    """Each sum holds by itself: the two hidden groups of all organisations hold 20, and at least 12 each."""
    table = made_up({"R1": {"a": 12, "b": 12}, "all": {"a": 10, "b": 10}})
    hidden = (pl.col("organisation") == "all") & (pl.col("group") != "all")
    status = pl.when(hidden).then(pl.lit("suppressed")).otherwise(pl.lit("reported"))
    wrong = table.with_columns(
        status=status.cast(table.schema["status"]),
        base=pl.when(~hidden).then("base"),
        estimate=pl.when(~hidden).then("estimate"),
    ).filter((pl.col("organisation") == "all") | (pl.col("group") != "all"))
    audit = cm.disclosure.audit_disclosure(wrong)
    assert set(audit.table.select("group", "finding").rows()) == {("a", "odd"), ("b", "odd")}
    assert not audit.ok


def test_periods_outside_their_sum_are_told():
    years = [
        made_up({"R1": {"a": n, "b": 40}}).with_columns(period=pl.lit(y))
        for y, n in (("2023", 20), ("2024", 30))
    ]
    with pytest.warns(CultureMetricsWarning, match=r"over periods.*Leave out periods"):
        cm.suppress(pl.concat([*years, years[0].with_columns(period=pl.lit("all"))]))


def test_national_is_a_list_of_organisations_of_the_table():
    table = made_up({"R1": {"a": 20, "b": 40}, "all": {"a": 20, "b": 40}})
    with pytest.raises(CultureMetricsError, match="one name, not a list"):
        cm.suppress(table, national="R1")
    with pytest.raises(UnknownNameError, match="None of the national organisations"):
        cm.disclosure.audit_disclosure(table, national=["R9"])


def test_published_workbooks_add_up(shared_data, published_2024):
    for published in (published_2024, cm.read_published(shared_data / "pulse" / "202223Q1.xlsm")):
        results = published.results.table
        assert cm.disclosure.audit_disclosure(results, minimum_base=10).ok
