"""Pieces of a change against published and R's numbers, on planted truth, and what may not be shown."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from culture_metrics import compare_years, decompose_change, estimate, synthetic
from culture_metrics.compare.cells import NOT_GIVEN, OTHER, pool
from culture_metrics.compare.pieces import bootstrap, moment_rows, moments, pairs_of, pieces, resample, spread
from culture_metrics.errors import (
    ComparabilityError,
    ComparabilityWarning,
    ExtractError,
    ResultsError,
    UnknownNameError,
)
from culture_metrics.extracts.extract import Extract

REFERENCE = Path(__file__).parents[1] / "reference"
ONE = [slice(0, 3)]


def people(period, groups, answers, organisation="RXX"):
    """Make an extract with one question and text columns."""
    question = {"2023": "q25c", "2024": "q25c", "2022": "q23c"}[period]
    frame = pl.DataFrame({**groups, question: pl.Series(answers, dtype=pl.Int8)})
    frame = frame.with_row_index("n").with_columns(
        pl.format("r{}", "n").alias("respondent"), pl.lit(organisation).alias("organisation")
    )
    return Extract("nss_england", period, frame.drop("n"))


@pytest.fixture(autouse=True)
def in_full(request, monkeypatch):
    """See the arithmetic in full, as nobody else does."""
    if "do_not_tell" not in request.node.name:
        monkeypatch.setattr("culture_metrics.compare.decompose.DECIMALS", {"percent": 14, "score": 14})


def numbers(change):
    return {
        row[:3]: row[3] for row in change.table.select("piece", "breakdown", "group", "estimate").iter_rows()
    }


def in_two_ways():
    """Put the respondents of R's cases into groups of three and of two."""
    return pl.read_csv(REFERENCE / "respondents.csv").with_columns(
        first=pl.when(pl.col("q2a") <= 3)
        .then(pl.lit("low"))
        .otherwise(pl.col("q2a").replace_strict({4: "four", 5: "five"}, default=None)),
        second=pl.when(pl.col("q2b") <= 3).then(pl.lit("low")).when(pl.col("q2b") > 3).then(pl.lit("high")),
    )


@pytest.fixture(scope="module")
def years():
    return [
        synthetic.respondents(y, respondents_per_organisation=n, seed=3)
        for y, n in ((2023, 900), (2024, 800))
    ]


def test_the_pieces_of_das_gupta_s_table():
    """Heads of household in the United States, 1970 and 1985, by age: P. Das Gupta, Standardization and
    Decomposition of Rates: A User's Manual, Bureau of the Census P23-186 (1993), table 5.1. His age effect of
    1.2269 is the mix, his rate effect of 1.7403 the change within, of 2.9672 in all; for one factor his
    method is Kitagawa's.
    """
    size = np.array(
        [
            [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9],
            [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5],
        ]
    )
    rate = np.array(
        [
            [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8],
            [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2],
        ]
    )
    years = [
        moments(np.concatenate([s / 100 * r, s / 100]), [slice(0, 13)])
        for s, r in zip(size, rate, strict=True)
    ]
    found = pieces(*years, [slice(0, 13)])
    assert [round(float(x), 4) for x in (found.mix.sum(), found.within.sum(), found.total)] == [
        1.2269,
        1.7403,
        2.9672,
    ]


@pytest.mark.parametrize("case", ["one", "two", "one_interaction", "two_interaction"])
def test_pieces_equal_those_of_r_s_lm(case):
    """`change_pieces.R`: Kitagawa (one breakdown) and Oaxaca-Blinder (two), two-fold and three-fold."""
    frame = in_two_ways()
    years = [
        people(period, dict(rows.select("first", "second").to_dict()), rows["q25c"])
        for period, rows in zip(("2023", "2024"), frame.partition_by("organisation"), strict=True)
    ]
    by = ["first"] if case.startswith("one") else ["first", "second"]
    change = decompose_change(*years, by=by, minimum_base=5, interaction="interaction" in case)
    found = numbers(change)
    reference = pl.read_csv(REFERENCE / "change_pieces.csv").filter(case=case)
    assert reference.height > 10
    for _, piece, breakdown, group, value in reference.iter_rows():
        assert found[piece, breakdown, group] == pytest.approx(value, abs=1e-10), (piece, breakdown, group)


@pytest.mark.parametrize("by", [["occupation_group"], ["occupation_group", "age"]])
@pytest.mark.parametrize("interaction", [False, True])
def test_the_pieces_sum_to_the_change_and_groups_to_their_breakdown(years, by, interaction):
    change = decompose_change(*years, by=by, interaction=interaction)
    found = numbers(change)
    total = found["total", "all", "all"]
    assert abs(total - (change.to_estimate - change.from_estimate)) < 1e-12
    kinds = ["within", "interaction"] if interaction else ["within"]
    parts = [found["mix", b, "all"] for b in by] + [found[k, "all", "all"] for k in kinds]
    assert abs(sum(parts) - total) < 1e-12
    for b in by:
        for kind in ["mix", *kinds]:
            whole = found["mix", b, "all"] if kind == "mix" else found[kind, "all", "all"]
            assert (
                abs(
                    sum(v for (p, name, g), v in found.items() if (p, name) == (kind, b) and g != "all")
                    - whole
                )
                < 1e-12
            )
    assert ("interaction", "all", "all") in found or not interaction


def test_they_sum_within_every_bootstrap_draw():
    rng = np.random.default_rng(5)
    blocks = [slice(0, 4), slice(4, 7)]
    first, second = rng.integers(0, 4, 500), rng.integers(0, 3, 500)
    codes = np.column_stack([first, second + 4])
    rows = moment_rows(codes, 10 * rng.random(500) - 5, blocks)
    means = [np.concatenate([*resample(rows, np.ones(500, int), 300, rng)]) for _ in range(2)]
    drawn = [moments(year, blocks, pairs_of(codes)) for year in means]
    for interaction in (False, True):
        found = pieces(*drawn, blocks, interaction)
        parts = (
            found.mix.sum(-1) + found.within[:, blocks[0]].sum(-1) + found.interaction[:, blocks[0]].sum(-1)
        )
        np.testing.assert_allclose(parts, found.total, rtol=0, atol=1e-12)
        for b in blocks:
            np.testing.assert_allclose(
                found.within[:, b].sum(-1), found.within[:, blocks[0]].sum(-1), atol=1e-12
            )


#: Planted: shares of three groups and their percentages in two years.
SHARES = np.array([[0.5, 0.3, 0.2], [0.38, 0.36, 0.26]])
LEVELS = np.array([[50.0, 66.0, 75.0], [53.0, 70.0, 77.0]])
SIZES = (500, 600)


def planted():
    """Return the true mix and within of each group."""
    return pieces(
        *(moments(np.concatenate([p * m, p]), ONE) for p, m in zip(SHARES, LEVELS, strict=True)), ONE
    )


def draw(year, size, rng):
    """Draw data sets: counts of each group's two kinds of answer, and what the kinds are."""
    p, m = SHARES[year], LEVELS[year] / 100
    chance = np.concatenate([p * m, p * (1 - m)])
    rows = moment_rows(np.tile(np.arange(3), 2)[:, None], np.repeat([100.0, 0.0], 3) - 60, ONE)
    return rng.multinomial(SIZES[year], chance, size), rows


def test_pieces_are_unbiased_and_their_intervals_cover_on_2000_pairs():
    truth, rng = planted(), np.random.default_rng(20)
    wanted = np.concatenate([[truth.total, truth.mix.sum(), truth.within.sum()], truth.mix, truth.within])

    def every(means):
        found = pieces(*(moments(m, ONE) for m in means), ONE)
        whole = [found.total, found.mix.sum(-1), found.within.sum(-1)]
        return np.concatenate([np.stack(whole, -1), found.mix, found.within], -1)

    (old, rows), (new, _) = (draw(year, 2000, rng) for year in (0, 1))
    got = every([counts @ rows / n for counts, n in zip((old, new), SIZES, strict=True)])
    bias, noise = got.mean(0) - wanted, got.std(0) / np.sqrt(2000)
    assert np.abs(bias / noise).max() < 3.5
    covered = np.zeros(len(wanted))
    for part in np.split(np.arange(2000), 20):
        means = [
            rng.multinomial(n, counts[part] / n, (600, len(part))) @ rows.toarray() / n
            for counts, n in zip((old, new), SIZES, strict=True)
        ]
        low, high = np.quantile(every(means), [0.025, 0.975], axis=0)
        covered += ((low <= wanted) & (wanted <= high)).sum(0)
    assert covered.min() / 2000 >= 0.93
    assert covered.max() / 2000 <= 0.97


def test_pieces_of_two_breakdowns_are_unbiased_on_2000_pairs():
    """Levels are planted as sums over two correlated breakdowns, so mix and within of each are known."""
    rng, blocks = np.random.default_rng(8), [slice(0, 2), slice(2, 4)]
    cells = np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]], float)
    shares = np.array([[0.4, 0.2, 0.1, 0.3], [0.3, 0.15, 0.15, 0.4]])
    effects = np.array([[0.4, 0.6, 0.0, 0.1], [0.45, 0.62, 0.0, 0.12]])
    codes = np.array([[0, 2], [0, 3], [1, 2], [1, 3]] * 2)
    rows = moment_rows(codes, np.repeat([1.0, 0.0], 4) - 0.5, blocks)
    means = []
    for p, b in zip(shares, effects, strict=True):
        level = cells @ b
        counts = rng.multinomial(800, np.concatenate([p * level, p * (1 - level)]), 2000)
        means.append(moments(counts @ rows / 800, blocks, pairs_of(codes)))
    got = pieces(*means, blocks)
    grown, level = (shares[1] - shares[0]) @ cells, effects.mean(0)
    for block in blocks:
        mix = got.mix[:, block].sum(-1)
        assert abs(mix.mean() - grown[block] @ level[block]) < 3.5 * mix.std() / np.sqrt(2000)
    within = got.within[:, blocks[0]].sum(-1)
    true = shares.mean(0) @ cells @ (effects[1] - effects[0])
    assert abs(within.mean() - true) < 3.5 * within.std() / np.sqrt(2000)


def test_bootstrap_errors_agree_with_the_influence_of_each_respondent():
    """Delta method: the derivative of mix and within by each respondent's weight, by hand for Kitagawa."""
    rng = np.random.default_rng(11)
    data = [draw(year, None, rng) for year in (0, 1)]
    stats = [(rows, counts.astype(np.int64)) for counts, rows in data]

    def statistic(*means):
        found = pieces(*(moments(m, ONE) for m in means), ONE)
        return np.stack([found.mix.sum(-1), found.within.sum(-1), found.total], -1)

    found = spread(statistic, *(bootstrap(rows, counts, [year]) for year, (rows, counts) in enumerate(stats)))
    p, m = [], []
    stats = [(rows.toarray(), counts) for rows, counts in stats]
    for rows, counts in stats:
        mean = counts @ rows / counts.sum()
        p.append(mean[3:])
        m.append(mean[:3] / mean[3:])
    variance = np.zeros(2)
    for year, sign in ((0, -1), (1, 1)):
        rows, counts = stats[year]
        group, y = rows[:, 3:] @ np.arange(3), rows[:, :3].sum(1)
        group = group.astype(int)
        residual = (y - m[year][group]) / p[year][group]
        level = (m[0] + m[1]) / 2
        mix = sign * (level[group] - p[year] @ level) + (p[1] - p[0])[group] * residual / 2
        gain = m[1] - m[0]
        within = (gain[group] - p[year] @ gain) / 2 + sign * (p[0] + p[1])[group] / 2 * residual
        n = counts.sum()
        variance += [counts @ mix**2 / n**2, counts @ within**2 / n**2]
    np.testing.assert_allclose(found["std_error"][:2], np.sqrt(variance), rtol=0.08)


def test_it_ties_with_estimate(years):
    for measure in ("recommend_place_to_work", "morale"):
        change = decompose_change(*years, measure)
        for extract, here, base in zip(
            years, (change.from_estimate, change.to_estimate), ("base_from", "base_to"), strict=True
        ):
            row = estimate(extract).table.row(
                by_predicate=(pl.col("measure") == measure) & (pl.col("group") == "all"), named=True
            )
            assert here == pytest.approx(row["estimate"], abs=1e-12)
            assert change.piece("total")[base] == row["base"]


def test_a_planted_change_is_found_within_groups():
    old, new = (synthetic.respondents(y, respondents_per_organisation=6000, seed=4) for y in (2023, 2024))
    change = decompose_change(old, new, by=["locality_1"])
    within, mix = change.piece("within"), change.piece("mix")
    assert within["conf_low"] < 4.0 < within["conf_high"]
    assert mix["conf_low"] < 0.0 < mix["conf_high"]


def test_no_small_group_is_shown_and_the_pool_is_large_enough(years):
    change = decompose_change(*years, by=["locality_1", "age"])
    table = change.table
    assert table.select(pl.min_horizontal("base_from", "base_to").min()).item() >= 11
    assert any("pooled" in note for note in change.notes)
    # Whatever a table of one year hides stands in the pool.
    for extract in years:
        hidden = estimate(extract, by=["locality_1"]).table.filter(
            pl.col("status").cast(pl.String).str.starts_with("suppressed"), measure="recommend_place_to_work"
        )["group"]
        assert len(hidden) >= 2
        assert not set(hidden) & set(table["group"])


@pytest.mark.parametrize("sizes", [(40, 30, 5), (40, 30, 6, 5), (25, 20, 3), (60, 14, 12, 2)])
def test_no_hidden_group_follows_from_a_change_and_the_results_of_both_years(sizes):
    """Attack: what is shown are sums over groups, of which some in one year shall give no hidden one.

    40 on A, 30 on B, 5 on C and 40 who gave no site: C is hidden, and nothing else, because nobody can tell
    how many gave none. Pooled with B, which the results show, C was what is left of the pool.
    """
    names = "ABCD"[: len(sizes)]
    site = [n for n, size in zip(names, sizes, strict=True) for _ in range(size)] + [None] * 40
    years = [people(y, {"site": site}, ([4, 2, 5, 3] * 60)[: len(site)]) for y in ("2023", "2024")]
    change = decompose_change(*years, by=["site"])
    atoms = [*names, NOT_GIVEN]
    rows = estimate(years[1], by=["site"]).table.filter(measure="recommend_place_to_work", status="reported")
    shown = [set(atoms) if group == "all" else {group} for group in rows["group"]]
    pieces = change.table.filter(piece="within", breakdown="site")["group"].to_list()
    pooled = set(atoms) - set(pieces)
    shown += [pooled if group == OTHER else {group} for group in pieces]
    space = np.array([[float(a in some) for a in atoms] for some in shown])
    hidden = [n for n, size in zip(names, sizes, strict=True) if size < 11]
    assert hidden
    for name in hidden:
        assert name in pooled
        one = np.array([float(a == name) for a in atoms])
        assert np.linalg.matrix_rank(np.vstack([space, one])) > np.linalg.matrix_rank(space)


@pytest.mark.parametrize("case", ["left_one", "left_two"])
def test_a_group_that_left_or_came_is_mix_as_in_r(case):
    """`change_pieces.R`: the earlier year has nobody of "four", the later nobody of "five"."""
    frame = in_two_ways()
    years = [
        people(period, dict(rows.select("first", "second").to_dict()), rows["q25c"])
        for period, rows in zip(
            ("2023", "2024"),
            (
                own.filter(pl.col("first").is_null() | (pl.col("first") != gone))
                for own, gone in zip(frame.partition_by("organisation"), ("four", "five"), strict=True)
            ),
            strict=True,
        )
    ]
    change = decompose_change(
        *years, by=["first"] if case.endswith("one") else ["first", "second"], minimum_base=5
    )
    found = numbers(change)
    reference = pl.read_csv(REFERENCE / "change_pieces.csv").filter(case=case)
    assert reference.height > 10
    for _, piece, breakdown, group, value in reference.iter_rows():
        assert found[piece, breakdown, group] == pytest.approx(value, abs=1e-10), (piece, breakdown, group)
    assert any(
        "five in 2023 only; four in 2024 only: all that they add is mix" in note for note in change.notes
    )


def planted_sites(period, groups):
    """Return an extract with so many of so many favourable answers in each site."""
    site = [name for name, (n, _) in groups.items() for _ in range(n)]
    return people(period, {"site": site}, [a for n, k in groups.values() for a in [4] * k + [2] * (n - k)])


#: A: 60 to 62 %, B: 50 to 48 %. Old left at 30 %, New came at 70 %.
ROOTED = ({"A": (200, 120), "B": (100, 50)}, {"A": (200, 124), "B": (100, 48)})


def test_a_directorate_that_left_or_came_is_mix_and_a_renamed_one_is_named():
    """By hand, Kitagawa: of 400 and 300, within = mean share of A × 2 - mean share of B × 2, no more."""
    left = decompose_change(
        planted_sites("2023", {**ROOTED[0], "Estates and Facilities": (100, 30)}),
        planted_sites("2024", ROOTED[1]),
        by=["site"],
    )
    within = (200 / 400 + 200 / 300) / 2 * 2 - (100 / 400 + 100 / 300) / 2 * 2
    total = 172 / 3 - 50
    assert left.piece("within")["estimate"] == pytest.approx(within, abs=1e-10)
    assert left.piece("mix")["estimate"] == pytest.approx(total - within, abs=1e-10)
    assert left.piece("within", "site", "Estates and Facilities")["estimate"] == 0
    # The level of both years together is 50 and 57.3, that by mean shares (0.583 × 61 + 0.292 × 49 + …).
    middle = 7 / 12 * 61 + 7 / 24 * 49 + 1 / 8 * 30
    assert left.piece("mix", "site", "Estates and Facilities")["estimate"] == pytest.approx(
        -0.25 * (30 - middle), abs=1e-10
    )
    assert OTHER not in set(left.table["group"])
    assert left.figure().layout.meta["alt"]

    came = decompose_change(
        planted_sites("2023", ROOTED[0]),
        planted_sites("2024", {**ROOTED[1], "Pathology": (50, 35)}),
        by=["site"],
    )
    within = (200 / 300 + 200 / 350) / 2 * 2 - (100 / 300 + 100 / 350) / 2 * 2
    assert came.piece("within")["estimate"] == pytest.approx(within, abs=1e-10)
    assert came.piece("within", "site", "Pathology")["estimate"] == 0
    assert "Of site, Pathology in 2024 only: all that it adds is mix." in came.notes

    renamed = decompose_change(
        planted_sites("2023", {**ROOTED[0], "Estates & Facilities": (100, 30)}),
        planted_sites("2024", {**ROOTED[1], "Estates and Facilities": (100, 40)}),
        by=["site"],
    )
    # (200 × 2 - 100 × 2) / 400 within; the ten points of the renamed one look like mix, and are told.
    assert renamed.piece("within")["estimate"] == pytest.approx(0.5, abs=1e-10)
    assert renamed.piece("mix")["estimate"] == pytest.approx(2.5, abs=1e-10)
    assert any("Estates & Facilities may now be called Estates and Facilities" in n for n in renamed.notes)


@pytest.mark.parametrize("interaction", [False, True])
def test_nothing_changes_within_a_group_of_one_year_beside_another_breakdown(interaction):
    """Roles change by +10 and -5 points, on all sites; one site left, one came, neither has any change."""
    rng = np.random.default_rng(3)
    years = []
    for period, sites, shares in (("2023", "ABX", (0.6, 0.4)), ("2024", "ABY", (0.5, 0.7))):
        site, role = rng.choice(list(sites), 900), rng.integers(0, 2, 900)
        yes = rng.random(900) < np.array(shares)[role] + 0.1 * (site == "B")
        years.append(
            people(period, {"site": site, "role": np.array(["one", "two"])[role]}, np.where(yes, 4, 2))
        )
    change = decompose_change(*years, by=["site", "role"], interaction=interaction)
    found = numbers(change)
    kinds = ["within", "interaction"] if interaction else ["within"]
    for kind in kinds:
        for group in "XY":
            assert found[kind, "site", group] == pytest.approx(0, abs=1e-10)
            row = change.piece(kind, "site", group)
            assert abs(row["conf_low"]) + abs(row["conf_high"]) < 1e-8
        for name in ("site", "role"):
            parts = [v for (piece, b, g), v in found.items() if (piece, b) == (kind, name) and g != "all"]
            assert sum(parts) == pytest.approx(found[kind, "all", "all"], abs=1e-10)
    total = sum(found["mix", b, "all"] for b in ("site", "role")) + sum(found[k, "all", "all"] for k in kinds)
    assert total == pytest.approx(found["total", "all", "all"], abs=1e-10)


def test_results_alone_tell_who_left_as_respondents_do():
    years = [
        planted_sites("2023", {**ROOTED[0], "Estates and Facilities": (100, 30)}),
        planted_sites("2024", {**ROOTED[1], "Pathology": (50, 35)}),
    ]
    one, other = (
        decompose_change(*years, by=["site"]),
        decompose_change(*(reported(y, "site") for y in years), by=["site"]),
    )
    within = (200 / 400 + 200 / 350) / 2 * 2 - (100 / 400 + 100 / 350) / 2 * 2
    assert other.piece("within")["estimate"] == pytest.approx(within, abs=1e-10)
    assert one.table.select("piece", "group").rows() == other.table.select("piece", "group").rows()
    np.testing.assert_allclose(one.table["estimate"], other.table["estimate"], atol=1e-10)
    assert [n for n in one.notes if "mix" in n] == [n for n in other.notes if "mix" in n]


def test_a_group_with_people_but_no_answers_in_one_year_is_not_shown_as_one_that_left():
    old = planted_sites("2023", {**ROOTED[0], "C": (40, 20)})
    new = people("2024", {"site": ["A"] * 200 + ["B"] * 100 + ["C"] * 5}, [4, 2] * 150 + [None] * 5)
    change = decompose_change(old, new, by=["site"])
    assert "C" not in set(change.table["group"])
    assert OTHER in set(change.table["group"])


def test_small_groups_are_not_pooled_with_one_that_left():
    old = planted_sites("2023", {**ROOTED[0], "Gone": (50, 20), "C": (30, 15), "D": (5, 2)})
    new = planted_sites("2024", {**ROOTED[1], "C": (30, 15), "D": (6, 2)})
    change = decompose_change(old, new, by=["site"])
    assert change.table.filter(piece="within", breakdown="site")["group"].to_list() == [
        "A",
        "B",
        "Gone",
        OTHER,
    ]


def test_640_groups_take_next_to_no_memory():
    """The arrays of groups × groups × draws took 12.6 GB."""
    rng = np.random.default_rng(2)
    years = [
        people(period, {"team": [f"Team {i:03d}" for i in range(640)] * 24}, rng.integers(1, 6, 640 * 24))
        for period in ("2023", "2024")
    ]
    tracemalloc.start()
    change = decompose_change(*years, by=["team"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert change.table.height == 3 + 1 + 3 * 640
    assert peak < 250e6


def test_who_gave_no_group_is_a_group_and_who_gave_no_answer_is_out_of_the_base():
    site = [None] * 20 + ["A"] * 40 + ["B"] * 40
    old = people("2023", {"site": site}, [None] * 5 + [4, 2, 3] * 31 + [5, 5])
    new = people("2024", {"site": site}, [4, 2, 5, 5] * 25)
    change = decompose_change(old, new, by=["site"])
    row = change.piece("within", "site", NOT_GIVEN)
    assert (row["base_from"], row["base_to"]) == (15, 20)
    assert change.piece("total")["base_from"] == 95
    assert any("gave no site" in note for note in change.notes)


def test_breakdowns_that_cannot_be_told_apart_are_refused(years):
    twice = [
        Extract(
            e.survey, e.period, e.frame.with_columns(pl.col("locality_2").str.to_uppercase().alias("hub"))
        )
        for e in years
    ]
    with pytest.raises(ExtractError, match="cannot be told apart"):
        decompose_change(*twice, by=["locality_2", "hub"])


def test_who_gave_neither_breakdown_stands_in_no_way_of_the_others(years):
    blank = [
        Extract(
            e.survey,
            e.period,
            e.frame.with_columns(
                site=pl.when(pl.int_range(pl.len()) % 20 > 0).then("locality_2"),
                area=pl.when(pl.int_range(pl.len()) % 20 > 0).then("locality_1"),
            ),
        )
        for e in years
    ]
    change = decompose_change(*blank, by=["site", "area"])
    rows = change.table.filter(pl.col("group").is_in([NOT_GIVEN, OTHER]), piece="mix")
    # Some areas are hidden, and who gave none is with them.
    assert rows.select("breakdown", "group").rows() == [("site", NOT_GIVEN), ("area", OTHER)]
    assert rows["std_error"].max() < 1
    total = (
        sum(change.piece("mix", b)["estimate"] for b in ("site", "area")) + change.piece("within")["estimate"]
    )
    assert abs(total - change.piece("total")["estimate"]) < 1e-12


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(any), min_size=1, max_size=7),
    st.sampled_from([5, 11]),
)
@settings(max_examples=60, deadline=None)
def test_the_pool_holds_every_small_group_and_is_itself_large_enough(sizes, least):
    bases = pl.DataFrame(sizes, schema=["base_from", "base_to"], orient="row").with_columns(
        group=pl.Series([f"g{i}" for i in range(len(sizes))])
    )
    hidden = set(bases.filter(pl.min_horizontal("base_from", "base_to") < least)["group"])
    pooled = set(pool(bases, hidden, least))
    assert hidden <= pooled
    outside, inside = (
        bases.filter(pl.col("group").is_in(sorted(pooled)) == there) for there in (False, True)
    )
    assert all(min(row) >= least for row in outside.select("base_from", "base_to").rows())
    assert len(pooled) != 1 or bases.height == 1
    # Too few in the whole is refused before, or leaves one group, which is refused after.
    if pooled and outside.height:
        assert min(inside.select(pl.col("base_from", "base_to").sum()).row(0)) >= least


def test_years_that_do_not_compare_are_refused_or_marked():
    old, new = (synthetic.respondents(y, respondents_per_organisation=300) for y in (2024, 2025))
    with pytest.raises(ComparabilityError, match="may not be compared") as caught:
        decompose_change(old, new, "diversity_and_equality")
    said = str(caught.value)
    assert "fair career progression" in said
    assert "Comparable instead: Compassionate culture" in said
    with pytest.raises(ComparabilityError) as compared:
        compare_years(
            pl.concat([estimate(old).table, estimate(new).table]),
            2024,
            2025,
            measures=["diversity_and_equality"],
        )
    assert said == str(compared.value)
    with pytest.warns(ComparabilityWarning, match="across a break, as asked: Diversity and equality"):
        change = decompose_change(old, new, "diversity_and_equality", allow_breaks=True)
    assert change.notes[0].startswith("The years may not compare: From 2025 fair career progression is no")
    assert "Instead: Compassionate culture" in change.notes[0]
    with pytest.raises(ComparabilityError, match="two periods"):
        decompose_change(old, old)


@pytest.mark.parametrize("kind", ["respondents", "results"])
def test_a_break_of_the_breakdown_or_the_organisation_stands_in_the_way_as_well(kind):
    def given(extract, by):
        return extract if kind == "respondents" else estimate(extract, by=[by]).table

    old, new = (synthetic.respondents(y, respondents_per_organisation=300) for y in (2022, 2023))
    with pytest.raises(ComparabilityError, match="Occupation has 40 codes up to 2022 and 42 from 2023"):
        decompose_change(given(old, "occupation"), given(new, "occupation"), "morale", by=["occupation"])
    old, new = (people(y, {"site": ["A", "B"] * 50}, [4] * 100, "RWK") for y in ("2022", "2023"))
    with pytest.raises(ComparabilityError, match="no valid history before 2023"):
        decompose_change(given(old, "site"), given(new, "site"), by=["site"])


def test_bad_calls_say_what_is_wrong(years):
    both = synthetic.respondents(2024, organisations=2, respondents_per_organisation=300)
    with pytest.raises(ExtractError, match="one organisation"):
        decompose_change(years[0], both)
    with pytest.raises(UnknownNameError, match="no organisation 'RXX'"):
        decompose_change(*years, organisation="RXX")
    with pytest.raises(UnknownNameError, match="no measure"):
        decompose_change(*years, "recomend_place")
    with pytest.raises(UnknownNameError, match="no breakdown"):
        decompose_change(*years, by=["ocupation_group"])
    few = people("2024", {"site": ["A", "B"] * 5}, [4] * 10, "SYN01")
    with pytest.raises(ExtractError, match="Too few respondents"):
        decompose_change(years[0], few, by=["site"])
    new = people("2024", {"site": ["A"] * 60 + ["B"] * 3}, [4] * 63, "RXX")
    old = people("2023", {"site": ["A"] * 60 + ["B"] * 3}, [4] * 63, "RXX")
    with pytest.raises(ExtractError, match="fewer than two groups"):
        decompose_change(old, new, by=["site"])


def test_one_of_several_organisations():
    old, new = (
        synthetic.respondents(y, organisations=2, respondents_per_organisation=300) for y in (2023, 2024)
    )
    change = decompose_change(old, new, organisation="SYN02")
    alone = [Extract(e.survey, e.period, e.frame.filter(organisation="SYN02")) for e in (old, new)]
    assert change.table.equals(decompose_change(*alone).table)


def test_codes_of_the_later_year_name_measures(years):
    old = synthetic.respondents(2022, respondents_per_organisation=300)
    change = decompose_change(old, synthetic.respondents(2023, respondents_per_organisation=300), "q25c")
    assert change.measure.id == "recommend_place_to_work"


def test_it_speaks_in_sentences_and_draws(years):
    change = decompose_change(*years)
    said = change.summary()
    assert "Would recommend as a place to work rose from" in said
    assert "the change in staff mix makes up" in said
    assert not any(word in said for word in ("causes", "improves", "leads to"))
    fig = change.figure()
    assert fig.layout.meta["alt"].startswith("Would recommend as a place to work")
    assert said in change._repr_html_()
    assert decompose_change(*years, by=["age", "occupation_group"]).figure().layout.meta["alt"]


def reported(extract, by):
    """Results of one organisation, as a published table would have them."""
    return estimate(extract, by=[by]).table


def test_results_alone_give_the_same_groups_as_respondents(years):
    by = "occupation_group"
    people, results = decompose_change(*years), decompose_change(*(reported(e, by) for e in years))
    both = people.table.join(results.table, on=["piece", "breakdown", "group"], suffix="_results")
    assert results.piece("total")["estimate"] == pytest.approx(people.piece("total")["estimate"], abs=1e-10)
    within = both.filter(pl.col("group") != OTHER, pl.col("group") != "all", piece="within")
    assert within.height >= 5
    np.testing.assert_allclose(within["estimate"], within["estimate_results"], atol=1e-10)
    np.testing.assert_allclose(within["std_error"], within["std_error_results"], rtol=0.15)
    found = numbers(results)
    total = found["mix", "all", "all"] + found["within", "all", "all"]
    assert abs(total - found["total", "all", "all"]) < 1e-12
    assert any("From results" in note for note in results.notes)
    assert results.table.select(pl.min_horizontal("base_from", "base_to").min()).item() >= 11


def test_what_results_do_not_say_stays_open(years):
    blank = [reported(e, "age").with_columns(std_error=pl.lit(None, pl.Float64)) for e in years]
    score = decompose_change(*blank, "morale", by=["age"])
    assert score.table["conf_low"].null_count() == score.table.height
    assert "95%" not in score.summary()
    assert score.figure().layout.meta["alt"]
    percent = decompose_change(*blank, by=["age"])
    assert percent.table["conf_low"].null_count() == 0


def test_weighted_results_are_taken_by_their_groups(years):
    weighted = [
        reported(e, "age").with_columns(
            weighting=pl.when(pl.col("breakdown") == "all")
            .then(pl.lit("occupation_group"))
            .otherwise("weighting")
            .cast(pl.Enum(reported(e, "age").schema["weighting"].categories))
        )
        for e in years
    ]
    change = decompose_change(*weighted, by=["age"])
    assert OTHER not in set(change.table["group"])
    assert any("of the groups that are reported" in note for note in change.notes)


def test_bad_results_say_what_is_wrong(years):
    old, new = (reported(e, "age") for e in years)
    with pytest.raises(ResultsError, match="not one of each"):
        decompose_change(years[0], new, by=["age"])
    with pytest.raises(ResultsError, match="one survey and period"):
        decompose_change(pl.concat([old, new]), new, by=["age"])
    with pytest.raises(ResultsError, match="not crossed"):
        decompose_change(old, new, by=["age", "occupation_group"])
    with pytest.raises(ResultsError, match="Fewer than two groups"):
        decompose_change(old, new, by=["gender"])
    with pytest.raises(ComparabilityError, match="two periods"):
        decompose_change(old, old, by=["age"])


@pytest.mark.parametrize(("measure", "places"), [("recommend_place_to_work", 1), ("advocacy", 2)])
def test_pieces_of_several_breakdowns_do_not_tell_how_many_are_in_two_groups_at_once(years, measure, places):
    """In full, each group's mix over its change of share is a level, and a whole-number equation in a row of
    the cross of both breakdowns.
    """
    by = ["occupation_group", "age"]
    table = decompose_change(*years, measure, by=by, interaction=True).table
    for number in ("estimate", "std_error", "conf_low", "conf_high"):
        known = table[number].drop_nulls()
        assert known.to_list() == known.round(places).to_list(), number
    one = decompose_change(*years, measure, by=by[:1]).table["estimate"].drop_nulls()
    assert one.to_list() != one.round(places).to_list()
