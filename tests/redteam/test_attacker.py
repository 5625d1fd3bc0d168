"""The attacker finds what is planted: tables made by hand, whose leak is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics import synthetic
from tests.redteam import files, linear, objects, weighted
from tests.redteam.attacker import linear_attack
from tests.redteam.bounds import base_attack, count_attack
from tests.redteam.people import People


def made(groups: dict[str, list[str]], answers: list[float], hide=()) -> tuple[pl.DataFrame, People]:
    """A table that shows every group but those to hide, and the people behind it."""
    labels = pl.DataFrame(groups)
    people = People(labels, {"advocacy": np.array(answers, dtype=float)})
    rows = []
    for name, group in [("all", "all"), *((n, g) for n in groups for g in labels[n].unique().sort())]:
        inside = people.vector(name, group)
        base = int(people.sizes["advocacy"][inside].sum())
        total = people.sums["advocacy"][inside].sum()
        shown = (name, group) not in hide
        rows.append(
            {
                "period": "2024",
                "organisation": "RXX",
                "breakdown": name,
                "group": group,
                "measure": "advocacy",
                "unit": "score",
                "estimate": total / base if shown else None,
                "base": base if shown else None,
                "effective_base": float(base) if shown else None,
                "weighting": "none",
                "status": "reported"
                if shown
                else "suppressed_small_base"
                if base < 11
                else "suppressed_secondary",
            }
        )
    return pl.DataFrame(rows), people


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_team_is_found_by_its_directorate_less_the_other_teams():
    directorate = ["A"] * 41 + ["B"] * 40
    team = ["a1"] * 20 + ["a2"] * 20 + ["a3"] + ["b1"] * 40
    answers = np.arange(81) % 11
    table, people = made(
        {"directorate": directorate, "team": team}, answers, hide=[("team", "a3"), ("team", "b1")]
    )
    found = linear_attack(table, people, random())
    assert {f.method for f in found} == {"differences", "search"}
    assert all(f.heads == 1 and f.rebuilt == pytest.approx(answers[40]) for f in found)


def test_nothing_is_found_where_nothing_leaks():
    team = ["a1"] * 20 + ["a2"] * 20 + ["a3"] * 12 + ["a4"] * 3
    table, people = made({"team": team}, np.arange(55) % 11, hide=[("team", "a3"), ("team", "a4")])
    assert linear_attack(table, people, random(), exactly=1) == []
    assert base_attack(table, people, random()) == ([], 0)


def test_a_manager_is_found_where_a_directorate_is_all_doctors_and_one_more():
    directorate = ["Medical"] * 31 + ["Other"] * 40
    job = ["doctor"] * 30 + ["manager"] * 21 + ["nurse"] * 20
    table, people = made({"directorate": directorate, "job": job}, np.arange(71) % 11)
    found = linear_attack(table, people, random())
    assert 1 in {f.heads for f in found}


def test_search_finds_what_takes_more_than_two_cells():
    """Four of one breakdown less three of another leaves two people, and no pair of cells fewer than 11."""
    one = np.repeat(list("abcd"), 15).tolist() + ["e"] * 40
    two = (list("pqr") * 20)[:58] + ["s"] * 2 + ["s"] * 40
    shown = [("one", "e"), ("two", "s")]
    table, people = made({"one": one, "two": two}, np.arange(100) % 11, hide=[*shown, ("all", "all")])
    size = people.sizes["advocacy"]
    cells = np.array([people.vector("one", g) for g in "abcd"] + [people.vector("two", g) for g in "pqr"])
    assert any(linear.few(v[None], size)[0] for v in linear.walk(cells, size, random()))
    v = linear.exact(cells, size)
    assert v is not None
    assert linear.few(v[None], size)[0]
    assert {f.heads for f in linear_attack(table, people, random())} == {2}


def test_the_exact_search_proves_that_there_is_nothing():
    one = np.repeat(list("abcd"), 25)
    two = np.tile(list("pq"), 50)
    _, people = made({"one": one.tolist(), "two": two.tolist()}, np.arange(100) % 11)
    cells = np.array([people.vector("one", g) for g in "abcd"] + [people.vector("two", g) for g in "pq"])
    assert linear.exact(cells, people.sizes["advocacy"]) is None
    assert linear.walk(cells, people.sizes["advocacy"], random()) == []


def test_a_base_is_pinned_by_bounds():
    """Two teams of 11 or fewer and one of at least 11 that hold 12 together: 1 and 11."""
    team = ["a1"] * 20 + ["a2"] * 11 + ["a3"]
    table, people = made({"team": team}, np.arange(32) % 11, hide=[("team", "a2"), ("team", "a3")])
    found, mistaken = base_attack(table, people, random())
    assert mistaken == 0
    assert [(f.heads, f.rebuilt) for f in found] == [(1, 1.0)]


def test_a_count_is_pinned_by_bounds():
    """Hidden teams of 11 and of 1, by their status, and 12 favourable answers left between them."""
    values = [0.0, 1.0] * 10 + [1.0] * 12
    team = ["a1"] * 20 + ["a2"] * 11 + ["a3"]
    table, people = made({"team": team}, values, hide=[("team", "a2"), ("team", "a3")])
    people.values = {"recommend_place_to_work": people.values["advocacy"]}
    table = table.with_columns(pl.lit("percent").alias("unit"), pl.col("estimate") * 100)
    table = table.with_columns(pl.lit("recommend_place_to_work").alias("measure"))
    found, mistaken = count_attack(table, People(pl.DataFrame({"team": team}), people.values), random())
    assert mistaken == 0
    assert {(f.heads, f.rebuilt) for f in found} == {(1, 1.0)}


def test_one_person_of_another_occupation_is_found_by_the_effective_base():
    ward = ["w1"] * 20 + ["w2"] * 40
    job = ["nurse"] * 19 + ["doctor"] + ["nurse"] * 20 + ["doctor"] * 20
    answers = np.arange(60) % 7
    plain, people = made({"ward": ward, "job": job}, answers)
    weight = np.array([1.3 if g == "nurse" else 0.4 for g in people.groups["job"]])
    each = weight[people.atom]
    rows = []
    for row in plain.iter_rows(named=True):
        inside = people.vector(row["breakdown"], row["group"])[people.atom]
        w = each[inside]
        mean = (w * answers[inside]).sum() / w.sum()
        effective = w.sum() ** 2 / (w**2).sum()
        rows.append(row | {"estimate": mean, "effective_base": effective, "weighting": "occupation_group"})
    found = weighted.weighted_attack(pl.concat([plain, pl.DataFrame(rows)]), people, weight, random())
    alone = [f for f in found if f.heads == 1]
    assert {f.what for f in alone} == {"base", "sum"}
    assert {round(f.rebuilt, 6) for f in alone if f.what == "sum"} == {float(answers[19])}


def test_texts_are_read():
    small = {"Theatres North": 3, "Unknown": 2}
    text = "2 labels: 'Theatres North' (3), Unknown; write to a.b@trust.example"
    assert objects.named_in(text, small) == ["Theatres North", "Unknown"]
    assert objects.counted_in(text, small) == ["Theatres North"]
    assert objects.addresses_in(text) == {"a.b@trust.example"}


def test_all_that_a_check_says_and_writes_is_read():
    report = cm.validate(synthetic.respondents(2024, respondents_per_organisation=50))
    small = {"Theatres North": 3}
    planted = report.problems.head(1).with_columns(found=pl.lit("'Theatres North' (3)"))
    for text in (objects.spoken, objects.written):
        assert objects.counted_in("\n".join(text(report)), small) == []
        leaky = dataclasses.replace(report, problems=planted)
        assert objects.counted_in("\n".join(text(leaky)), small) == ["Theatres North"]
    # Merges are for the analyst; the attacker knows it.
    offered = dataclasses.replace(report, merges={"locality_1": {"Theatres North": None}})
    assert objects.named_in("\n".join(objects.spoken(offered)), small) == []


def test_a_finished_report_is_read_byte_by_byte(tmp_path):
    (tmp_path / "index.html").write_text(
        '<script>["\\u003cb\\u003eWard A\\u003c\\u002fb\\u003e, Ward B (3)"]</script>'
    )
    people = pl.DataFrame({"ward": ["Ward A"] * 2 + ["Ward B"] * 3 + ["Ward C"] * 30 + ["x@y.example"] * 2})
    people.write_excel(tmp_path / "results.xlsx")
    pl.DataFrame({"group": ["Ward B", "x@y.example"]}).write_parquet(tmp_path / "results.parquet")
    found, said = files.folder_attack(tmp_path, [], [people], random())
    assert found == []
    assert said["names in index.html"] == 2
    assert said["counts in index.html"] == 1
    assert said["names in results.xlsx"] == 3
    assert said["addresses in results.xlsx"] == 1
    assert said["names in results.parquet"] == 2
    assert said["addresses in results.parquet"] == 1
