"""Aggregation evidence against R's multilevel package, the real trust panel and published percentages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import MeasurementError, UnknownNameError
from culture_metrics.indicators.breakdowns import group_columns

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
PANEL_MEASURES = {
    "eng": "Engagement.Index",
    "shmi": "SHMI.Index",
    "rw": "RecommendWork.Index",
    "rc": "RecommendCare.Index",
    "ws": "WorkStress.Index",
}


@pytest.fixture(scope="module")
def records(shared_reference):
    found = json.loads((shared_reference / "outcome_links_reference.json").read_text(encoding="utf-8"))
    return {r["id"]: r for r in found["records"]}


@pytest.fixture(scope="module")
def panel(shared_data):
    return pl.read_csv(shared_data / "panel" / "nhs_trust_panel_2012_2019.csv", null_values="NA")


@pytest.fixture(scope="module")
def items():
    return pl.read_csv(REFERENCE / "agreement_items.csv")


@pytest.fixture(scope="module")
def from_r():
    """multilevel 2.7; the script that made it stands beside the file."""
    return json.loads((REFERENCE / "agreement_items.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("measure", ["HRS", "COHES", "LEAD", "WBEING"])
def test_c_bh1996(measure, shared_data, records):
    """`C-bh1996-*-icc`: 7,382 soldiers in 99 companies, R multilevel 2.7."""
    record = records[f"C-bh1996-{measure}-icc"]
    data = pl.read_csv(shared_data / "statistics" / "bh1996.csv")
    row = cm.agreement(data, measure, "GRP").table.row(0, named=True)
    assert (row["base"], row["groups"]) == (record["n"], record["groups"])
    assert row["icc1_mean_size"] == pytest.approx(record["estimate"], rel=1e-8)
    wanted = {
        "icc2": "icc2", "F": "statistic", "msb": "mean_square_between", "msw": "mean_square_within",
        "kbar": "group_size_mean", "k0": "group_size", "icc1_k0": "icc1",
    }  # fmt: skip
    for theirs, ours in wanted.items():
        assert row[ours] == pytest.approx(record["extra"][theirs], rel=1e-8), theirs


@pytest.mark.parametrize("year_centred", [False, True], ids=["", "yearcentred"])
@pytest.mark.parametrize("name", PANEL_MEASURES)
def test_a_icc(name, year_centred, panel, records):
    """`A-icc-*`: trusts as groups and years as replicates."""
    record = records[f"A-icc-{name}{'-yearcentred' if year_centred else ''}"]
    column = PANEL_MEASURES[name]
    if year_centred:
        panel = panel.with_columns(pl.col(column) - pl.col(column).mean().over("Year.Index"))
    row = cm.agreement(panel, column, "Code").table.row(0, named=True)
    assert (row["base"], row["groups"]) == (record["n"], record["groups"])
    assert row["icc1_mean_size"] == pytest.approx(record["estimate"], rel=1e-8)
    wanted = {
        "icc2": "icc2", "F": "statistic", "msb": "mean_square_between", "msw": "mean_square_within",
        "kbar": "group_size_mean", "k0": "group_size", "icc1_k0": "icc1", "p": "p_value",
    }  # fmt: skip
    for theirs, ours in wanted.items():
        assert row[ours] == pytest.approx(record["extra"][theirs], rel=1e-8), theirs
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(record["extra"]["ci_k0"], rel=1e-8)


def test_rwg_of_leadership_in_99_companies(shared_data):
    """`bh1996.rwg_LEAD` of the statistics reference: R multilevel 2.7."""
    folder = shared_data / "statistics"
    wanted = json.loads((folder / "reference.json").read_text(encoding="utf-8"))["bh1996"]["rwg_LEAD"]
    data = pl.read_csv(folder / "bh1996.csv")
    found = cm.agreement(data, "LEAD", "GRP", scale=(1, 5, 5))
    assert found.groups["rwg"].mean() == pytest.approx(wanted["mean"], rel=1e-8)
    assert found.table["rwg_median"].item() == pytest.approx(wanted["median"], rel=1e-8)
    for row in wanted["first5"]:
        own = found.groups.row(by_predicate=pl.col("group") == row["grpid"], named=True)
        assert (own["rwg"], own["base"]) == (pytest.approx(row["rwg"], rel=1e-8), row["gsize"])


def test_several_questions_equal_r(items, from_r):
    questions = ["q1", "q2", "q3", "q4", "q5"]
    data = items.with_columns(score=pl.mean_horizontal(questions))
    found = cm.agreement(data, "score", "group", items={"score": questions}, scale=(1, 5, 5))
    for name in ("rwg_j", "rwg_j_skewed", "r_star_wg_j", "ad"):
        ours = dict(found.groups.select("group", name).iter_rows())
        assert ours == pytest.approx(from_r[name], rel=1e-9), name
    single = cm.agreement(items, "q1", "group", scale=(1, 5, 5)).groups
    for name, theirs in (("rwg", "rwg_q1"), ("ad", "ad_q1")):
        assert dict(single.select("group", name).iter_rows()) == pytest.approx(from_r[theirs], rel=1e-9)
    row = found.table.row(0, named=True)
    assert row["rwg_j_median"] == pytest.approx(np.median(list(from_r["rwg_j"].values())))
    assert row["rwg_j_percent_high"] == 100 * np.mean([v > 0.7 for v in from_r["rwg_j"].values()])
    assert row["ad_percent_low"] == 100 * np.mean([v <= 5 / 6 for v in from_r["ad"].values()])


def test_an_extract_brings_its_questions_and_scales():
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=900, seed=3)
    found = cm.agreement(extract, ["burnout", "PP3_1", "appraisals", "staff_engagement"], "occupation_group")
    assert found.table["measure"].to_list() == [
        "burnout",
        "autonomy_and_control",
        "appraisals",
        "staff_engagement",
    ]
    # By hand: seven questions of five options, coded 1 to 5 in the extract, which leaves rwg(J) as it is.
    questions = [f"q12{letter}" for letter in "abcdefg"]
    groups = group_columns(extract, ["occupation_group"])["occupation_group"]
    plain = extract.frame.with_columns(burnout=cm.score(extract)["burnout"], group=groups)
    by_hand = cm.agreement(plain, "burnout", "group", items={"burnout": questions}, scale=(1, 5, 5)).groups
    ours = found.groups.filter(measure="burnout")
    # Where a question is hidden, what is made of it is not shown either.
    both = ours.join(by_hand, on="group", suffix="_by_hand").drop_nulls("rwg_j")
    assert both.height >= ours.height - 1
    assert both["rwg_j"].to_list() == pytest.approx(both["rwg_j_by_hand"].to_list())
    assert (
        found.groups.filter(measure="appraisals")["rwg_j"].null_count()
        == found.groups.filter(measure="appraisals").height
    )
    assert found.groups.filter(pl.col("base") < 11).is_empty()


def test_rwg_does_not_depend_on_how_options_are_coded(items):
    coded = cm.agreement(items, "q1", "group", scale=(1, 5, 5)).groups
    scored = cm.agreement(
        items.with_columns((pl.col("q1") - 1) * 2.5), "q1", "group", scale=(0, 10, 5)
    ).groups
    assert coded["rwg"].to_list() == pytest.approx(scored["rwg"].to_list())
    assert (coded["ad"] * 2.5).to_list() == pytest.approx(scored["ad"].to_list())


def test_more_spread_than_chance_is_no_negative_agreement():
    data = pl.DataFrame({"group": ["a"] * 20 + ["b"] * 20, "x": [1, 5] * 19 + [5, 5]})
    found = cm.agreement(data, "x", "group", scale=(1, 5, 5))
    assert found.groups["rwg"][0] == 0
    row = found.table.row(0, named=True)
    assert row["icc1"] < 0
    assert row["icc1_guide"] == "negative"


def test_small_groups_are_held_back_and_cannot_be_worked_out(items):
    small = items.filter(pl.col("group") != "A").vstack(items.filter(pl.col("group") == "A").head(4))
    found = cm.agreement(small, "q1", "group", scale=(1, 5, 5)).groups
    held = found.filter(pl.col("status") != "reported")
    assert dict(held.select("group", "status").iter_rows()) == {
        "A": "suppressed_small_base",
        "F": "suppressed_secondary",
    }
    assert held.select("base", "rwg", "ad").null_count().row(0) == (2, 2, 2)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"measures": "moral"}, UnknownNameError, "no column 'moral'"),
        ({"by": "trust"}, UnknownNameError, "no column 'trust'"),
        ({"measures": "words"}, MeasurementError, "holds no numbers"),
        ({"measures": "means"}, MeasurementError, "never differs within a group"),
        ({"by": "person"}, MeasurementError, "at least two groups"),
        ({"minimum_base": 9999}, MeasurementError, "too few values"),
    ],
)
def test_refusals_name_columns_and_no_values(change, error, words, items):
    data = items.with_row_index("person").with_columns(
        words=pl.lit("secret"),
        means=pl.col("q1").mean().over("group"),
        person=pl.col("person").cast(pl.String),
    )
    with pytest.raises(error, match=words) as caught:
        cm.agreement(data, **{"measures": "q1", "by": "group", **change})
    assert "secret" not in str(caught.value)


def test_published_percentages_of_acute_trusts(published_2024):
    """Burnout in 122 acute trusts, 2024: ICC(1) 0.0029, ICC(2) 0.907 (outcome_links.md, b4)."""
    acute = "Acute and Acute & Community Trusts"
    found = cm.measurement.agreement_of_percentages(published_2024, acute, ["burnt_out"])
    row = found.table.row(0, named=True)
    assert (row["groups"], round(row["icc1"], 4), round(row["icc2"], 3)) == (122, 0.0029, 0.907)
    assert row["attenuation"] == pytest.approx(np.sqrt(row["icc2"]))
    assert found.groups["reliability"].max() <= 1
    assert "approximate" in found.summary()
    with pytest.raises(UnknownNameError, match="no benchmark group"):
        cm.measurement.agreement_of_percentages(published_2024, "Acute trusts")


def test_percentages_recover_the_planted_spread():
    """1,500 organisations of 400, true percentages 30 with a standard deviation of 3 points."""
    from culture_metrics.contract import as_organisations, as_results
    from culture_metrics.published import Published

    rng = np.random.default_rng(7)
    codes = [f"R{i:04d}" for i in range(1500)]
    counted = rng.binomial(400, np.clip(rng.normal(0.30, 0.03, 1500), 0, 1))
    results = as_results(
        pl.DataFrame({"organisation": codes, "estimate": counted / 4.0}).with_columns(
            survey=pl.lit("nss_england"), period=pl.lit("2024"), breakdown=pl.lit("all"), group=pl.lit("all"),
            measure=pl.lit("burnt_out"), unit=pl.lit("percent"), base=pl.lit(400), source=pl.lit("published"),
            weighting=pl.lit("as_published"), status=pl.lit("reported"),
        )
    )  # fmt: skip
    kinds = as_organisations(
        pl.DataFrame({"organisation": codes}).with_columns(
            survey=pl.lit("nss_england"), period=pl.lit("2024"), name=pl.lit("x"), benchmark_group=pl.lit("K")
        )
    )
    published = Published("nss_england", "2024", results, pl.DataFrame(), kinds)
    row = cm.measurement.agreement_of_percentages(published, "K").table.row(0, named=True)
    assert row["tau"] == pytest.approx(3, abs=0.2)
    assert row["icc2"] == pytest.approx(0.0009 / (0.0009 + 0.21 / 400), abs=0.04)


def test_measures_are_called_as_people_call_them():
    """An outcome has a name; an id is turned into words and begins a sentence with a capital."""
    draw = np.random.default_rng(1)
    trust = np.repeat([f"R{i:02}" for i in range(20)], 5)
    panel = pl.DataFrame(
        {"organisation": trust, "staff_engagement": draw.normal(7, 1, 100), "shmi": draw.normal(1, 0.1, 100)}
    )
    found = cm.agreement(panel, ["staff_engagement", "shmi"], labels={"shmi": "SHMI"})
    assert found.table["label"].to_list() == ["staff engagement", "SHMI"]
    assert found.summary().startswith("Staff engagement: ")
    assert " SHMI: " in found.summary()
    told = found.figure().to_json()
    assert "SHMI" in told
    assert "shmi" not in told


BY = "locality_1"
CELL = ["organisation", "breakdown", "group", "measure"]


def shown_of(extract, measure, by=BY):
    rows = cm.estimate(extract, by=[by] if by else []).table.filter(measure=measure, status="reported")
    return rows.filter(breakdown=by or "all")


@pytest.mark.parametrize(
    ("seed", "organisations", "by"),
    [(1, 1, BY), (2, 1, BY), (3, 1, "occupation_group"), (4, 3, BY), (5, 4, None)],
)
def test_every_figure_follows_from_the_results_that_are_shown(seed, organisations, by):
    """The whole analysis of variance again from estimates, standard errors and bases of the rows shown.

    With s = se √n of a group: MSW = Σ (n - 1) s² / (N - J), MSB = Σ n (m - M)² / (J - 1), and k0 from the
    sizes. So nothing else can follow from it; over all groups `base` and `group_size` gave the sum and the
    sum of squares of the sizes that are hidden.
    """
    extract = cm.synthetic.respondents(2024, organisations, 400 if by else 40, seed=seed)
    found = cm.agreement(extract, ["burnout", "morale"], by or "organisation")
    for measure in ("burnout", "morale"):
        rows = shown_of(extract, measure, by)
        name = "group" if by else "organisation"
        n, m, error = (rows[c].cast(pl.Float64).to_numpy() for c in ("base", "estimate", "std_error"))
        _, place = np.unique(rows[name], return_inverse=True)
        size = np.bincount(place, n)
        mean = np.bincount(place, n * m) / size
        total, many = size.sum(), len(size)
        squares = (n - 1) * error**2 * n + n * (m - mean[place]) ** 2
        row = found.table.row(by_predicate=pl.col("measure") == measure, named=True)
        wanted = {
            "base": total,
            "groups": many,
            "group_size_mean": total / many,
            "group_size": (total - (size**2).sum() / total) / (many - 1),
            "mean_square_within": squares.sum() / (total - many),
            "mean_square_between": (size * (mean - (size * mean).sum() / total) ** 2).sum() / (many - 1),
        }
        assert {name: row[name] for name in wanted} == pytest.approx(wanted, rel=1e-9)
        groups = found.groups.filter(measure=measure)
        assert dict(groups.select("group", "base").iter_rows()) == dict(
            zip(np.unique(rows[name]), size, strict=True)
        )
        every = cm.estimate(extract, by=[by] if by else []).table.filter(
            measure=measure, breakdown=by or "all"
        )
        assert row["groups_left_out"] == every[name].n_unique() - many


def test_agreement_within_a_group_follows_from_the_answers_to_each_question():
    """rwg(J) and AD of burnout again from `distributions`: who skipped a question stands out in neither.

    James, Demaree and Wolf (1984): J (1 - r) / (J (1 - r) + r), r the mean variance of the questions over
    that of five equally likely options, 12.5 on the scale of 0 to 10. Over those alone who answered all seven
    questions the figures would differ from these by the answers of the one or two who did not.
    """
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=900, seed=3)
    found = cm.agreement(extract, "burnout", "occupation_group").groups
    asked = extract.edition.scores["burnout"].items
    codes = {q: extract.edition.questions[q].code for q in asked}
    skipped = extract.frame.select(pl.sum_horizontal(pl.col(c).is_null() for c in codes.values()))
    assert 0 < skipped.to_series().is_between(1, 6).sum() < 200
    points = pl.DataFrame(
        [(q, o, float(v)) for q in asked for o, v in extract.edition.questions[q].score_map.items()],
        schema=["question", "option", "points"],
        orient="row",
    )
    answers = cm.distributions(extract, by=["occupation_group"]).table.filter(
        breakdown="occupation_group", status="reported"
    )
    n = pl.col("n").sum()
    mean = (pl.col("n") * pl.col("points")).sum() / n
    each = (
        answers.join(points.with_columns(pl.col("option").cast(pl.Int16)), on=["question", "option"])
        .with_columns(n=pl.col("percent") / 100 * pl.col("base"))
        .group_by("group", "question")
        .agg(
            variance=(pl.col("n") * (pl.col("points") - mean) ** 2).sum() / (n - 1),
            deviation=(pl.col("n") * (pl.col("points") - mean).abs()).sum() / n,
        )
        .group_by("group")
        .agg(pl.col("variance", "deviation").mean(), questions=pl.len())
    )
    both = found.join(each.filter(questions=7), on="group")
    assert both.height >= 3
    left = 1 - both["variance"] / 12.5
    assert both["rwg_j"].to_list() == pytest.approx((7 * left / (7 * left + 1 - left)).to_list(), rel=1e-9)
    assert both["ad"].to_list() == pytest.approx(both["deviation"].to_list(), rel=1e-9)


def test_a_table_of_respondents_is_described_by_the_groups_shown(items):
    """Four people of group A, and F that would give them away: the sizes of the others say nothing of them."""
    small = items.filter(pl.col("group") != "A").vstack(items.filter(pl.col("group") == "A").head(4))
    people = small.with_row_index("respondent")
    found = cm.agreement(people, "q1", "group", scale=(1, 5, 5))
    others = cm.agreement(small.filter(~pl.col("group").is_in(["A", "F"])), "q1", "group", scale=(1, 5, 5))
    assert found.table.drop("groups_left_out").equals(others.table.drop("groups_left_out"))
    assert found.table["groups_left_out"].item() == 2
    assert found.groups.equals(others.groups)


def test_where_fewer_than_two_groups_may_be_shown_it_is_refused():
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=40, seed=3)
    with pytest.raises(MeasurementError, match="too few values"):
        cm.agreement(extract, "burnout", BY)
