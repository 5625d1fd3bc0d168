"""Standing and peers where there is little to stand beside, or something else was given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import benchmark, equality_gaps, find_peers, framework, oversight, read_published
from culture_metrics.catalogue import catalogue
from culture_metrics.compare import bright_spots
from culture_metrics.compare.pairs import gather
from culture_metrics.contract import as_organisations, as_results
from culture_metrics.errors import CultureMetricsError, ResultsError, UnknownNameError

LEADING = ["staff_engagement", "raising_concerns", "morale", "recommend_place_to_work"]


@pytest.fixture(scope="module")
def narrow(published_2024):
    return replace(published_2024, results=published_2024.table.filter(pl.col("measure").is_in(LEADING)))


@pytest.fixture(scope="module")
def several_years(shared_data):
    """A benchmark workbook of two years, which says once who its organisations are."""
    return read_published(shared_data / "cases" / "benchmark-2025-social-enterprises-community.xlsx")


def test_who_has_too_few_respondents_has_no_place_and_is_told_so(narrow):
    """REF has fewer than 5,000 respondents: figures, but no rank, and so neither above nor below."""
    standing = benchmark(narrow, "REF", minimum_base=5000)
    row = standing.table.row(by_predicate=pl.col("measure") == "morale", named=True)
    assert row["estimate"] is not None and row["rank"] is None and row["organisations"] < 122
    assert standing.sentences() == (
        "Royal Cornwall Hospitals NHS Trust has no figure that counts in Acute and Acute & Community Trusts "
        "on the elements and themes.",
    )
    assert standing.favourable() == () and standing.extremes().is_empty()
    assert "no figure that counts" in standing.headline().layout.meta["alt"]


def test_a_group_of_one_stands_beside_nobody(narrow):
    standing = benchmark(narrow, "NQL")
    assert standing.sentences() == (
        "NAViGO Health and Social Care CIC is the only one in Social Enterprises - Mental Health: there is "
        "nobody to stand beside.",
    )
    assert "the only one in Social Enterprises" in standing.headline().layout.meta["alt"]
    assert "ranks" not in standing.ranking().layout.meta["alt"].split(".")[0]
    assert "is the only one of Social Enterprises" in standing.funnel_limits().summary()


@pytest.mark.parametrize(("size", "told"), [(4, True), (5, False)])
def test_a_funnel_of_few_says_why_its_limits_are_not_widened(narrow, size, told):
    """Spiegelhalter's over-dispersion is not worked out of fewer than five."""
    group = "Acute and Acute & Community Trusts"
    codes = narrow.organisations.filter(benchmark_group=group)["organisation"].sort()[:size].implode()
    few = replace(narrow, organisations=narrow.organisations.filter(pl.col("organisation").is_in(codes)))
    found = benchmark(few, codes[0][0]).funnel_limits("morale")
    why = "4 organisations cannot tell how far organisations differ beyond sampling, which takes 5 or more"
    assert (why in found.summary(), why in " ".join(found.rules())) == (told, told)
    assert "nan" not in found.summary() + " ".join(found.rules())
    notes = " ".join((note.text or "").replace("<br>", " ") for note in found.figure().layout.annotations)
    assert (f"{why}: the limits are those of sampling alone." in notes) == told


def test_a_ranking_without_the_organisation_shows_the_others_and_says_so(narrow):
    gone = (pl.col("organisation") == "REF") & (pl.col("measure") == "morale")
    some = replace(narrow, results=as_results(narrow.table.filter(~gone)))
    alt = benchmark(some, "REF").ranking("morale").layout.meta["alt"]
    assert alt.startswith(
        "Morale: Royal Cornwall Hospitals NHS Trust has no figure, unlike 121 organisations"
    )
    alt = some.results.ranking("morale", "REF").layout.meta["alt"]
    assert alt.startswith("Morale of 262 organisations; REF has no figure")
    nobody = replace(narrow, results=as_results(narrow.table.filter(pl.col("measure") != "morale")))
    with pytest.raises(ResultsError, match="No organisation has a figure of morale"):
        benchmark(nobody, "REF").ranking("morale")
    with pytest.raises(UnknownNameError, match="no organisation in these results 'ZZZ'"):
        some.results.ranking("morale", "ZZZ")
    with pytest.raises(UnknownNameError, match="no period '2030'"):
        some.results.ranking("morale", period=2030)
    with pytest.raises(ResultsError, match="nothing to rank"):
        replace(some.results, table=some.results.table.clear()).ranking()


def test_a_benchmark_workbook_is_drawn_over_its_years(several_years):
    """Medians and ranks of 2024 and 2025 counted from the cells of the five community trusts."""
    assert several_years.organisations["period"].unique().to_list() == ["2025"]
    standing = benchmark(several_years, "RA1")
    found = standing.history().filter(measure="staff_engagement")
    assert found["period"].to_list() == ["2024", "2025"]
    trusts = [f"RA{number}" for number in range(1, 6)]
    for row in found.iter_rows(named=True):
        rows = several_years.table.filter(period=row["period"], measure="staff_engagement", breakdown="all")
        values = dict(rows.select("organisation", "estimate").rows())
        group = [values[code] for code in trusts]
        assert row["median"] == pytest.approx(sorted(group)[2]) and row["organisations"] == 5
        assert row["rank"] == 1 + sum(value > values["RA1"] for value in group)
    assert "2 periods" in standing.over_time().layout.meta["alt"]


def test_the_next_quarter_never_begins_nought_higher(several_years):
    """RA4 is 0.001 below the last of the third quarter: printed as 0.00 before."""
    found = oversight(several_years, "RA4")
    distance = found.table["to_next_quarter"][0]
    assert 0 < distance < 0.005
    assert "begins less than 0.01 higher" in found.summary()


def test_results_without_groups_have_no_gaps_whichever_organisation_is_named(several_years):
    with pytest.raises(ResultsError, match="no two groups to set side by side"):
        equality_gaps(several_years, organisation="RA1")


def test_an_organisation_is_in_the_benchmark_group_of_the_newest_year(narrow):
    """RY6 was in another group the year before: its median is that of the group it is in now."""
    now = narrow.organisations
    moved = pl.when(pl.col("organisation") == "RY6").then(pl.lit("ICBs")).otherwise("benchmark_group")
    year = pl.lit("2023").alias("period")
    before = replace(
        narrow,
        period="2023",
        results=as_results(narrow.table.with_columns(year)),
        organisations=as_organisations(now.with_columns(year, benchmark_group=moved)),
        provenance={},
    )
    own = now.filter(organisation="RY6")["benchmark_group"].item()
    for given in ([before, narrow], [narrow, before]):
        group = gather(given, None).organisations.filter(organisation="RY6")["benchmark_group"].item()
        assert group == own
    found = framework("staff_engagement").read([before, narrow], "RY6")
    assert found.benchmark_group == own


def test_peers_that_were_found_are_taken_as_they_are(narrow):
    peers = find_peers(narrow, "REF", number=3)
    of_codes = benchmark(narrow, "REF", peers=peers.organisations).table
    assert benchmark(narrow, "REF", peers=peers).table.equals(of_codes)
    one = benchmark(narrow, "REF", peers="RK9").table
    assert one["peers_organisations"].drop_nulls().unique().to_list() == [1]


@pytest.mark.parametrize("number", [0, -3, 2.5, "ten", None])
def test_a_number_of_peers_is_a_whole_number(narrow, number):
    with pytest.raises(CultureMetricsError, match="number is not a whole number of at least 1"):
        find_peers(narrow, "REF", number=number)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0, "much", None])
def test_a_weight_is_a_number(narrow, weight):
    with pytest.raises(ResultsError, match="Weights are 0 or more"):
        find_peers(narrow, "REF", weights={"size": weight})


def test_peers_by_one_component_alone_have_nothing_to_drop(narrow):
    """Without the only component every distance was 0 / 0, and ten peers "stayed"."""
    others = {"size": 0, "region": 0, "occupation": 0, "age": 0, "ethnicity": 0}
    found = find_peers(narrow, "REF", weights=others)
    assert found.stability().is_empty() and "Whichever" not in found.summary()
    assert found.table["distance"].to_list() == [0.0] * 10


@pytest.mark.parametrize(
    ("argument", "given"),
    [("minimum_base", "ten"), ("minimum_base", -1), ("seed", -1), ("seed", "x"), ("assumptions", {})],
)
def test_other_kinds_of_arguments_are_refused_by_name(narrow, argument, given):
    with pytest.raises(CultureMetricsError, match=argument):
        benchmark(narrow, "REF", **{argument: given})


def test_names_that_are_no_text_are_unknown_names(narrow):
    with pytest.raises(UnknownNameError, match="no organisation"):
        benchmark(narrow, ["REF", "RK9"])
    with pytest.raises(UnknownNameError, match="no measure '3'"):
        catalogue().edition(2024).measure(3)
    for which in (None, 4):
        with pytest.raises(UnknownNameError, match="no framework"):
            framework(which)


def with_ref(narrow, **columns):
    """The workbook with other figures of REF."""
    own = pl.col("organisation") == "REF"
    table = narrow.table.with_columns(pl.col("status").cast(pl.String))
    return replace(
        narrow,
        results=as_results(
            table.with_columns(pl.when(own).then(pl.lit(v)).otherwise(k).alias(k) for k, v in columns.items())
        ),
    )


def test_who_is_held_back_is_in_the_workbook_all_the_same(narrow):
    """It was "no organisation 'REF'; did you mean RYF or RYE?"."""
    held = with_ref(narrow, estimate=None, base=None, status="suppressed")
    with pytest.raises(ResultsError, match="REF has no published figures or background"):
        find_peers(held, "REF")
    with pytest.raises(CultureMetricsError, match="Royal Cornwall Hospitals NHS Trust has no figure of"):
        benchmark(held, "REF").over_time()


def test_where_all_are_alike_profiles_explain_nothing(narrow, recwarn):
    alike = as_results(narrow.table.with_columns(estimate=pl.lit(6.5)))
    found = bright_spots(replace(narrow, results=alike))
    assert np.isnan(found.explained) and not found.table["bright"].any()
    assert not [w for w in recwarn if w.category is RuntimeWarning]
