"""Benchmark groups against the published best, median and worst."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from culture_metrics import benchmark, framework, study
from culture_metrics.catalogue import catalogue
from culture_metrics.compare import Assumptions
from culture_metrics.compare.funnel import dispersion, limits
from culture_metrics.compare.ranks import rank_intervals
from culture_metrics.contract import as_organisations, as_results
from culture_metrics.errors import ComparabilityError, ReportError, ResultsError, UnknownNameError

REFERENCE = Path(__file__).resolve().parents[1] / "reference"

STATISTICS = {"best": "best", "average_median": "median", "worst": "worst"}


@pytest.fixture(scope="module")
def tieout(shared_reference):
    return pl.read_csv(shared_reference / "nss" / "tieout.csv", infer_schema=False)


def test_best_median_and_worst_equal_the_benchmark_groups_of_2024(published_2024, tieout):
    """`GRP24`: computed from the official file and confirmed against three published reports."""
    wanted = tieout.filter(source="GRP24")
    assert wanted.height == 450
    edition, organisations = catalogue().edition(2024), published_2024.organisations
    checked = 0
    for (group,), rows in wanted.partition_by("org_name", as_dict=True).items():
        member = organisations.filter(benchmark_group=group)["organisation"].first()
        table = benchmark(published_2024, organisation=member).table
        for measure, value, n in rows.select("measure", "value", "n").iter_rows():
            name, statistic = next(
                (measure.removesuffix(f"_{s}"), column)
                for s, column in STATISTICS.items()
                if measure.endswith(s)
            )
            row = table.row(by_predicate=pl.col("measure") == edition.id(name), named=True)
            assert row[statistic] == pytest.approx(float(value), abs=1e-9), (group, measure)
            assert row["organisations"] == int(n)
            checked += 1
    assert checked == 450


def test_the_published_benchmark_report_of_ry6(published_2024, tieout):
    """`LCH24`: the printed benchmark report of Leeds Community Healthcare 2024, two decimals."""
    edition = catalogue().edition(2024)
    table = benchmark(published_2024, organisation="RY6").table
    rows = tieout.filter(source="LCH24", year="2024", confirmed="yes", weighted="occupation group")
    rows = rows.filter(~pl.col("measure").str.contains("_sig_"))
    assert rows.height == 26 * 4
    for measure, value, n, level in rows.select("measure", "value", "n", "level").iter_rows():
        suffix = next((s for s in STATISTICS if measure.endswith(s)), None)
        name = measure.removesuffix(f"_{suffix}") if suffix else measure
        row = table.row(by_predicate=pl.col("measure") == edition.id(name), named=True)
        got = row[STATISTICS[suffix] if suffix else "estimate"]
        assert f"{got:.2f}" == f"{float(value):.2f}", measure
        assert int(n) == (row["organisations"] if level == "benchmark group" else row["base"]), measure


def test_rank_and_percentile(published_2024):
    standing = benchmark(published_2024, organisation="RY6")
    assert standing.group == "Community Trusts"
    row = standing.table.row(by_predicate=pl.col("measure") == "staff_engagement", named=True)
    values = standing.peers.filter(measure="staff_engagement")["estimate"]
    assert row["rank"] == 1 + (values > row["estimate"]).sum()
    assert row["percentile"] == pytest.approx(100 * (values < row["estimate"]).sum() / (values.len() - 1))


def test_lower_is_better_turns_best_and_rank(published_2024):
    table = benchmark(published_2024, organisation="RY6").table
    row = table.row(by_predicate=pl.col("measure") == "work_related_stress", named=True)
    assert row["best"] < row["median"] < row["worst"]
    neutral = table.row(by_predicate=pl.col("measure") == "patient_contact", named=True)
    assert neutral["median"] is not None
    assert neutral["best"] is neutral["worst"] is neutral["rank"] is None


def test_the_best_organisation_has_rank_1_and_percentile_100(published_2024):
    peers = benchmark(published_2024, organisation="RY6").peers.filter(measure="staff_engagement")
    top = peers.sort("estimate")["organisation"].last()
    row = benchmark(published_2024, top).table.row(by_predicate=pl.col("code") == "E", named=True)
    assert (row["rank"], row["percentile"]) == (1, 100.0)


def test_unknown_organisations_are_answered_with_near_ones(published_2024):
    with pytest.raises(UnknownNameError, match="no organisation 'RY66'") as caught:
        benchmark(published_2024, organisation="RY66")
    assert "RY6" in str(caught.value)


def test_it_speaks_in_sentences_and_draws():
    example = study([])
    standing = benchmark(example.published[0], example.organisation)
    assert "the median of" in standing.summary()
    scores = standing.table.filter(pl.col("level") != "question").drop_nulls(["estimate", "median"])
    above = scores.filter(pl.col("estimate") > pl.col("median")).height
    side, most = max(("above", above), ("below", scores.height - above), key=lambda one: one[1])
    said = f"{standing.name}: {side} the median of {standing.group} on {most} of {scores.height} scores"
    assert standing.figure().layout.meta["alt"].startswith(said)
    row = standing.table.row(by_predicate=pl.col("measure") == "recommend_place_to_work", named=True)
    said = f"{standing.name} ranks {row['rank']} of {row['organisations']} {standing.group}"
    assert said in standing.ranking("recommend_place_to_work").layout.meta["alt"]
    assert html.escape(standing.summary()) in standing._repr_html_()
    assert " & " not in standing._repr_html_()
    assert standing.figure().layout.meta["source"] == "Published results, every respondent counted once"


def test_it_prints_as_sentences_not_as_tables():
    data = study([])
    standing = benchmark(data.workbook, data.organisation)
    assert repr(standing) == standing.summary()
    assert len(repr(standing)) < 500


@pytest.mark.parametrize("given", [None, "workbook.xlsx"])
def test_what_is_no_workbook_is_refused(given):
    with pytest.raises(ResultsError, match="taken from a published workbook"):
        benchmark(given, "SYN01")


#: A trust of each sector, one that ties, and a social enterprise.
FIVE = ["REF", "RY6", "RX6", "RAJ", "NR5"]


@pytest.fixture(scope="module")
def ref(published_2024):
    return benchmark(published_2024, "REF")


@pytest.fixture(scope="module")
def cells(shared_data):
    """Cells of the official workbook as they stand in it, read without the package: sheet of the themes."""
    import fastexcel

    (path,) = (shared_data / "nss2024").glob("*organisational results.xlsx")
    sheet = fastexcel.read_excel(path).load_sheet("THEMES", header_row=None, dtypes="string")
    return sheet.to_polars().rows()


def test_rank_and_percentile_of_five_organisations_are_those_of_raw_cells(published_2024, cells):
    """Counted here from the cells of the workbook: 1 + how many are better, and worse ones plus half the ties."""
    head = next(i for i, row in enumerate(cells) if row[0] == "ODS code")
    group, engagement = (
        cells[head].index(name) for name in ("Benchmarking group", "Staff Engagement - score")
    )
    everyone = {
        row[0]: (row[group], float(row[engagement]))
        for row in cells[head + 1 :]
        if row[0] and row[engagement] not in (None, "", "-") and row[group]
    }
    for code in FIVE:
        kind, value = everyone[code]
        others = [v for c, (g, v) in everyone.items() if g == kind and c != code]
        standing = benchmark(published_2024, code)
        row = standing.table.row(by_predicate=pl.col("measure") == "staff_engagement", named=True)
        better, worse = sum(v > value for v in others), sum(v < value for v in others)
        assert (row["rank"], row["organisations"]) == (1 + better, 1 + len(others))
        assert row["percentile"] == pytest.approx(
            100 * (worse + (len(others) - better - worse) / 2) / len(others)
        )
        assert row["rank_low"] <= row["rank"] <= row["rank_high"]
        spread = np.std([value, *others], ddof=1)
        assert row["from_median"] == pytest.approx((value - np.median([value, *others])) / spread, abs=1e-7)
        assert row["from_best"] == pytest.approx((value - max(value, *others)) / spread, abs=1e-7)
    assert standing.group == "Social Enterprises - Community" and row["organisations"] == 6


def test_a_social_enterprise_alone_in_its_group_has_no_rank_interval_or_distance(published_2024):
    row = benchmark(published_2024, "NQL").table.row(by_predicate=pl.col("code") == "E", named=True)
    assert (row["rank"], row["organisations"], row["best"]) == (1, 1, row["worst"])
    assert row["percentile"] is row["sd"] is row["from_median"] is None
    assert (row["rank_low"], row["rank_high"]) == (1, 1)


def test_levels_are_regions_systems_and_all_organisations(published_2024, ref):
    about = published_2024.organisations
    region = benchmark(published_2024, "REF", level="region")
    assert region.group == "South West"
    wanted = about.filter(region="South West").height
    assert region.table.filter(code="E")["organisations"].item() == wanted == 19
    names = ref.levels().frame.columns
    assert [n.removeprefix("Median of ").removesuffix(" (rank)") for n in names[2:]] == [
        "Acute and Acute & Community Trusts", "South West", "Cornwall and the Isles of Scilly", "all organisations",
    ]  # fmt: skip
    with pytest.raises(ResultsError, match="NQL has no region"):
        benchmark(published_2024, "NQL", level="region")
    with pytest.raises(UnknownNameError, match="no level 'ward'"):
        benchmark(published_2024, "REF", level="ward")


def test_funnel_limits_equal_r():
    """`tests/reference/funnel.R`, written from Spiegelhalter (2005)."""
    for (kind,), rows in pl.read_csv(REFERENCE / "funnel.csv").partition_by("kind", as_dict=True).items():
        values, worth = rows["y"].to_numpy(), rows["worth"].to_numpy().astype(float)
        spread = None if kind == "percent" else 1.6
        found = dispersion(values, worth, spread)
        assert found.target == pytest.approx(rows["target"][0], rel=1e-12)
        assert found.phi == pytest.approx(rows["phi"][0], rel=1e-9)
        assert found.between == pytest.approx(rows["tau"][0], rel=1e-9, abs=1e-12)
        ends = limits(found, worth, spread, (-1000.0, 1000.0))
        for name in ends.columns:
            assert ends[name].to_numpy() == pytest.approx(rows[name].to_numpy(), rel=1e-9), (kind, name)


def test_the_funnel_of_the_official_workbook_equals_r(ref):
    """Target, phi and tau of 122 acute trusts by the lines of `funnel.R` on the figures of the workbook."""
    for measure, wanted in {
        "staff_engagement": (6.835634684456259, 52.071318610704907, 0.182851160165937),
        "q25c": (60.40014012376094, 63.05740590866535, 6.17770293578623),
    }.items():
        found = ref.funnel_limits(measure)
        assert (found.dispersion.target, found.dispersion.phi, found.dispersion.between) == pytest.approx(
            wanted
        )
    alt = ref.funnel("q25c").layout.meta["alt"]
    assert "Royal Cornwall Hospitals NHS Trust: 51.5%, base 3,427, inside the limits" in alt


def test_intervals_of_ranks_hold_the_true_rank():
    """300 groups: organisations that differ little beside sampling, much, and few of unlike size.

    The interval that draws round the figures as they are holds 91 % in the first case.
    """
    rng = np.random.default_rng(4)
    for n, scatter, low, high in ((40, 0.1, 0.05, 0.1), (40, 0.25, 0.02, 0.05), (6, 0.3, 0.05, 0.2)):
        held = []
        for _ in range(100):
            truth, errors = rng.normal(7, scatter, n), rng.uniform(low, high, n)
            seen = truth + rng.normal(0, 1, n) * errors
            for own in range(0, n, max(1, n // 4)):
                ends = rank_intervals(seen[:, None], errors[:, None], own, draws=200)
                held.append(ends[0][0] <= 1 + (truth > truth[own]).sum() <= ends[1][0])
        assert 0.93 <= np.mean(held) <= 1


def test_standard_errors_are_those_of_base_and_assumed_spread(published_2024, ref):
    """sd / sqrt(base / design effect), by hand."""
    assumed = Assumptions(score_sd=2.0, design_effect=1.2)
    table = benchmark(published_2024, "REF", assumptions=assumed).table
    row = table.row(by_predicate=pl.col("code") == "E", named=True)
    assert row["std_error"] == pytest.approx(2.0 / (row["base"] / 1.2) ** 0.5)
    assert row["conf_high"] - row["estimate"] == pytest.approx(1.959964 * row["std_error"], rel=1e-6)
    contact = table.row(by_predicate=pl.col("measure") == "patient_contact", named=True)
    share, n = contact["estimate"] / 100, contact["base"]  # never weighted: no design effect
    near = (n * share + 2) / (n + 4)
    assert contact["std_error"] == pytest.approx(100 * (near * (1 - near) / n) ** 0.5, rel=1e-12)
    assert "assumed spread" in ref.provenance["rules"][0]


def test_peers_stand_beside_the_group(published_2024):
    standing = benchmark(published_2024, "REF", peers=["RH8", "RK9", "REF", "NR5"])
    row = standing.table.row(by_predicate=pl.col("code") == "E", named=True)
    values = published_2024.table.filter(measure="staff_engagement").select("organisation", "estimate").rows()
    chosen = [v for c, v in values if c in ("RH8", "RK9", "NR5")]
    assert (row["peers_best"], row["peers_worst"]) == (max(chosen), min(chosen))
    assert row["peers_median"] == pytest.approx(np.median(chosen))
    assert (row["peers_organisations"], row["peers_rank"]) == (
        3,
        1 + sum(v > row["estimate"] for v in chosen),
    )
    marks = [a.text for a in standing.ranking("staff_engagement").layout.annotations]
    assert {"RH8", "RK9", "NR5"} <= set(marks)
    above = below = 0  # counted anew from the published scores
    for measure in catalogue().edition(2024).leading:
        here = dict(published_2024.table.filter(measure=measure).select("organisation", "estimate").rows())
        middle = np.median([here[code] for code in ("RH8", "RK9", "NR5")])
        above, below = above + (here["REF"] > middle), below + (here["REF"] < middle)
    assert (above, below) == (0, 9)
    assert "below the median of the 3 peers named on all 9 elements and themes." in standing.summary()
    assert "below the median of Acute and Acute & Community Trusts (122 organisations) on all 9" in (
        standing.summary()
    )
    assert "peers" not in benchmark(published_2024, "REF").summary()
    with pytest.raises(UnknownNameError, match="no organisation 'RH88'"):
        benchmark(published_2024, "REF", peers=["RH88"])
    with pytest.raises(ResultsError, match="No peer of REF is named"):
        benchmark(published_2024, "REF", peers=["REF"])


def _own(published, weighting):
    rows = published.table.filter(organisation="REF", measure="staff_engagement")
    changed = {"estimate": pl.col("estimate") + 0.02, "base": pl.lit(3400), "weighting": pl.lit(weighting)}
    return as_results(rows.with_columns(**changed, source=pl.lit("respondents")))


def test_own_results_stand_beside_published_ones_of_the_same_weighting_only(published_2024):
    own = benchmark(published_2024, "REF", own=_own(published_2024, "occupation_group")).table
    row = own.row(by_predicate=pl.col("code") == "E", named=True)
    assert (row["own_base"], row["own_refused"]) == (3400, None)
    assert row["own_difference"] == pytest.approx(0.02)
    with pytest.raises(ComparabilityError, match="every respondent counted once, the published one weighted"):
        benchmark(published_2024, "REF", own=_own(published_2024, "none"))
    with pytest.raises(ResultsError, match="nothing of RY6"):
        benchmark(published_2024, "RY6", own=_own(published_2024, "occupation_group"))


def test_organisations_with_a_small_base_are_left_out_and_counted(published_2024):
    everyone = benchmark(published_2024, "NR5").table
    large = benchmark(published_2024, "NR5", minimum_base=500)
    bases = large.peers.filter(measure="staff_engagement").select("base", "estimate")
    kept = bases.filter(pl.col("base") >= 500)["estimate"]
    row = large.table.row(by_predicate=pl.col("code") == "E", named=True)
    assert (row["organisations"], row["left_out"]) == (kept.len(), 6 - kept.len())
    assert 0 < kept.len() < 6 == everyone.filter(code="E")["organisations"].item()
    assert (row["best"], row["worst"]) == (kept.max(), kept.min())
    assert "fewer than 500 respondents" in large.provenance["rules"][1]


def test_several_releases_are_drawn_over_time(published_2024, ref):
    """The year before is this one with every figure of REF a tenth lower: its place follows."""
    lower = pl.when(pl.col("organisation") == "REF").then(pl.col("estimate") - 0.1).otherwise("estimate")
    now = published_2024.table.filter(measure="staff_engagement")
    narrow = now.with_columns(period=pl.lit("2023"))
    before = replace(
        published_2024,
        period="2023",
        results=as_results(narrow.with_columns(estimate=lower)),
        organisations=as_organisations(published_2024.organisations.with_columns(period=pl.lit("2023"))),
        provenance={},
    )
    standing = benchmark([before, replace(published_2024, results=now)], "REF")
    assert standing.period == "2024"
    found = (
        standing.history().filter(measure="staff_engagement").select("period", "release", "rank", "estimate")
    )
    values = published_2024.table.filter(measure="staff_engagement").join(
        published_2024.organisations.filter(benchmark_group=standing.group), on="organisation"
    )["estimate"]
    now = found["estimate"][1]
    assert found["rank"].to_list() == [(values > now - 0.1).sum(), 1 + (values > now).sum()]
    assert found["release"].to_list() == ["2023", "2024"]
    assert "2 periods. 2023: Royal Cornwall" in standing.over_time().layout.meta["alt"]
    with pytest.raises(ReportError, match="one period"):
        ref.over_time()


def test_what_is_most_and_least_favourable_goes_by_the_better_side(ref):
    """Of percentages where lower is better, lower than the median is favourable."""
    rows = ref.extremes(60)
    stress = rows.filter(direction="lower", side="most favourable")
    assert stress.height and (stress["estimate"] < stress["median"]).all()
    assert (rows.filter(direction="lower", side="least favourable").select(
        (pl.col("estimate") > pl.col("median")).all()
    ).item())  # fmt: skip
    assert rows["from_median"].abs().is_not_null().all()


def test_the_study_says_standing_oversight_and_extremes_first(published_2024, shared_data):
    """From a published workbook alone; a social enterprise has no oversight score, and is told so."""
    (path,) = (shared_data / "nss2024").glob("*organisational results.xlsx")
    enterprise = study([str(path)], "NR5")
    said = enterprise.stands_out().said
    assert said[0].startswith("Livewell Southwest is above the median of Social Enterprises - Community")
    assert said[3] == "No oversight score: NR5 is in no sector of the NHS Oversight Framework."
    assert said[4].startswith("Most favourable against") and said[5].startswith("Least favourable against")
    # Nothing is known of groups of staff from this workbook, and that is said.
    assert said[6].startswith("Not known from these files: they have no results by group of staff.")
    # Better than its profile predicts, in the same benchmark group.
    assert (
        said[7].startswith("To ask how they do it: on safe and healthy")
        and "First Community Health" in said[7]
    )
    other = replace(enterprise, organisation="REF")
    assert [text.split(":")[0] for text in other.stands_out().said[2:4]] == [
        "Staff engagement (OF0084)", "Raising concerns (OF0061)",
    ]  # fmt: skip
    assert len(other.peers().organisations) == 10
    assert "one period" in other.over_time().otherwise


def test_a_framework_has_the_same_figures_beside_it(published_2024):
    """Estimate, interval, median and number of organisations of RY6 in 2024 are those of its benchmark."""
    found = framework("people_promise").read(published_2024, "RY6").table
    both = found.join(benchmark(published_2024, "RY6").table, on="measure", suffix="_there")
    assert both.height == 22
    for name in ("estimate", "conf_low", "conf_high", "median", "organisations"):
        assert both[name].to_list() == pytest.approx(both[f"{name}_there"].to_list(), abs=1e-12)


def test_a_group_of_one_has_a_funnel(published_2024):
    """Community Surgical Services has one organisation: the curve of its limits is one point, not eighty."""
    fig = benchmark(published_2024, organisation="NXP").funnel()
    assert fig.layout.title.text.startswith("Staff engagement: Independent Health Group is the only one")
    assert max(len(trace.x) for trace in fig.data) <= 2
