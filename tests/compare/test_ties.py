"""Whatever stands level is told together: no tie is told as a finding."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from culture_metrics import benchmark
from culture_metrics.catalogue import catalogue
from culture_metrics.compare.decomposition import _sentences
from culture_metrics.results.words import from_to
from culture_metrics.views import heat_map, ranking, scores
from culture_metrics.wording.numbers import together

LEADING = ["element", "theme"]
SAID = re.compile(
    r"Its standing is (highest|lowest)(, and the same,)? on (.+?) \((?:\d+\.\d+; median \d+\.\d+; )?"
    r"(rank \d+ of \d+)(, shared with \d+ others?)?(?: in each)?(?:; by sampling alone \d+ to \d+)?\)\."
)


def standings(figures, group):
    """Rank, share of the others that do worse (ties half) and side of the median: counted one by one."""
    found = {}
    for code in group:
        for measure, peers in figures.items():
            own = peers.get(code)
            values = [value for other, value in peers.items() if other in group]
            if own is None:
                continue
            worse = sum(v < own for v in values) + (sum(v == own for v in values) - 1) / 2
            share = worse / (len(values) - 1) if len(values) > 1 else None
            ordered, n = sorted(values), len(values)
            median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
            rank = f"rank {1 + sum(v > own for v in values)} of {n}"
            found[code, measure] = rank, share, (own > median) - (own < median)
    return found


def test_no_organisation_of_2024_has_a_tie_told_as_a_finding(published_2024):
    edition = catalogue().edition(2024)
    labels = {m.id: m.label.lower() for m in edition.scores.values() if m.level in LEADING}
    whole = published_2024.results.table.filter(
        pl.col("measure").is_in(list(labels)), breakdown="all", group="all"
    )
    published = replace(published_2024, results=whole)
    figures = {
        name: dict(rows.drop_nulls("estimate").select("organisation", "estimate").rows())
        for (name,), rows in whole.group_by("measure")
    }
    kinds = Counter()
    for (_,), group in published.organisations.group_by("benchmark_group"):
        counted = standings(figures, group["organisation"].to_list())
        for code in group["organisation"]:
            said = benchmark(published, code).summary()
            own = {name: counted[code, name] for name in labels if (code, name) in counted}
            sides = {side: [n for n, (*_, s) in own.items() if s == side] for side in (1, -1)}
            told = {word: (names, bool(level), rank) for word, level, names, rank, _ in SAID.findall(said)}
            if len({rank for rank, *_ in own.values()}) == 1 and (sides[1] or sides[-1]):
                assert not told
                assert f"the same on all {len(own)}: {own['morale'][0]}" in said
                kinds["all level"] += 1
                continue
            some = False
            for word, side, end in (("highest", 1, max), ("lowest", -1, min)):
                assert (word in told) == bool(sides[side])
                if sides[side]:
                    far = end(own[name][1] for name in sides[side])
                    level = [name for name in sides[side] if own[name][1] == far]
                    named, tie, rank = told[word]
                    assert named == together((labels[name] for name in labels if name in level), 9)
                    assert (tie, rank) == (len(level) > 1, own[level[0]][0])
                    some = some or tie
            kinds["some level" if some else "one"] += 1
    # The same count by hand over the workbook: 75 of 263 organisations have a tie at one of the ends.
    assert kinds == {"all level": 4, "some level": 71, "one": 188}


@pytest.fixture
def peers(published_2024):
    """Four organisations, two of them level, on one measure."""
    codes = ["0AR", "0CX", "0DE", "0DF"]
    rows = published_2024.results.table.filter(
        pl.col("organisation").is_in(codes), measure="morale", breakdown="all", group="all"
    )
    level = pl.Series([6.0, 6.5, 6.5, 7.0])
    return replace(published_2024, results=rows.sort("organisation").with_columns(estimate=level))


def test_organisations_on_one_rank_share_it(peers):
    standing = benchmark(peers, "0CX")
    assert (
        standing.ranking("morale")
        .layout.meta["alt"]
        .startswith("Morale: NHS Midlands and Lancashire CSU ranks 2 of 4 CSUs, shared with 1 other.")
    )
    alone = benchmark(peers, "0DF").ranking("morale").layout.meta["alt"]
    assert "ranks 1 of 4 CSUs." in alone


def test_a_ranking_names_all_at_an_end():
    table = pl.DataFrame({"organisation": ["A", "B", "C"], "name": ["Ash", "Birch", "Cedar"],
        "estimate": [6.9, 6.9, 6.1], "conf_low": None, "conf_high": None, "base": 100, "status": "reported"},
        schema_overrides={"conf_low": pl.Float64, "conf_high": pl.Float64})  # fmt: skip
    alt = ranking(table, highlight="A", title="Morale").layout.meta["alt"]
    assert "rank 1 of 3, shared with 1 other." in alt
    assert "highest 6.90, Ash and Birch; lowest 6.10, Cedar." in alt
    level = ranking(table.with_columns(estimate=pl.lit(6.9)), highlight="A", title="Morale").layout.meta[
        "alt"
    ]
    assert "Median 6.90; all are level." in level


def chart(estimates):
    edition = catalogue().edition(2024)
    named = [edition.measure(name) for name in ("morale", "team", "burnout")]
    table = pl.DataFrame(
        {
            "measure": [m.id for m in named],
            "label": [m.label for m in named],
            "level": [m.level for m in named],
            "estimate": estimates,
            "conf_low": [e - 0.1 for e in estimates],
            "conf_high": [e + 0.1 for e in estimates],
            "base": [200] * 3,
            "status": ["reported"] * 3,
            **dict.fromkeys(("best", "median", "worst"), [None] * 3),
            "organisations": [None] * 3,
        },
        schema_overrides={
            **dict.fromkeys(("best", "median", "worst"), pl.Float64),
            "organisations": pl.UInt32,
        },
    )
    return table, scores(table, title="Scores").layout.meta["alt"]


def test_a_chart_of_scores_and_its_title_tell_ties():
    table, alt = chart([6.1, 6.104, 5.0])
    assert "Highest: Morale and A team, 6.10; lowest: Burnout, 5.00." in alt
    assert from_to(table) == "scores from 5.00 (Burnout) to 6.10 (Morale and A team)"
    table, alt = chart([6.1, 6.1, 6.1])
    assert "All are 6.10." in alt and "ighest" not in alt
    assert from_to(table) == "all scores 6.10"


def test_cells_of_a_heat_map_that_are_level_stand_together():
    cells = [("all", 6.0), ("Medical", 6.5), ("Nursing", 6.5), ("Estates", 5.5)]
    table = pl.DataFrame(
        [
            {"group": group, "group_base": 100, "measure": "morale", "label": "Morale", "estimate": value, "reference": 6.0,
             "base": 100, "status": "reported"}
            for group, value in cells
        ]
    )  # fmt: skip
    alt = heat_map(table, title="Map").layout.meta["alt"]
    assert (
        "Furthest above the whole organisation: Morale in Medical, 6.50 against 6.00 and Morale in Nursing, "
        "6.50 against 6.00." in alt
    )
    assert "Furthest below the whole organisation: Morale in Estates, 5.50 against 6.00." in alt


def test_groups_that_make_up_equal_parts_of_a_change_are_named_together():
    def piece(name, group, value):
        return {"piece": name, "breakdown": "all" if group == "all" else "occupation_group", "group": group,
                "estimate": value, "conf_low": value - 1, "conf_high": value + 1, "base_from": 100, "base_to": 100}  # fmt: skip

    rows = [piece("total", "all", 4.0), piece("mix", "all", 0.0), piece("within", "all", 4.0)]
    rows += [piece("within", group, value) for group, value in (("A", 1.52), ("B", 1.48), ("C", 1.0))]
    table = pl.DataFrame(rows)
    change = SimpleNamespace(
        measure=catalogue().edition(2024).measure("q25c"),
        table=table,
        piece=lambda name: table.filter(piece=name, group="all").row(0, named=True),
        labels={"occupation_group": "Occupation group"},
        from_estimate=60.0,
        to_estimate=64.0,
        from_period="2023",
        to_period="2024",
        notes=(),
    )
    assert "The largest parts of it are within A and B (+1.5 points each)." in _sentences(change)
