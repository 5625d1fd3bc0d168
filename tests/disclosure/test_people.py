"""What few people are left over when shown groups are added up and taken from each other."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import polars as pl
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

import culture_metrics as cm
from culture_metrics.disclosure.coincidence import may_coincide
from culture_metrics.disclosure.decision import Decision
from culture_metrics.disclosure.differencing import Shown, light_combinations
from culture_metrics.disclosure.ledger import About, read_ledger, write_ledger
from culture_metrics.disclosure.people import People, hide_people, is_open
from culture_metrics.errors import CultureMetricsWarning, ReportError, SmallBaseWarning
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.shown import attack_shown

ADVOCACY = ("q25a", "q25c", "q25d")


def extract(seed=0, organisation=None, **groups) -> Extract:
    n = len(next(iter(groups.values())))
    rng = np.random.default_rng(seed)
    answers = {code: rng.integers(1, 6, n).astype("int8") for code in ADVOCACY}
    frame = {
        "respondent": [f"p{i}" for i in range(n)],
        "organisation": organisation or ["RXX"] * n,
        "benchmark_group": ["Acute and Acute & Community Trusts"] * n,
    }
    return Extract("nss_england", "2024", pl.DataFrame(frame | groups | answers), {})


def shown(table, measure="advocacy") -> set[tuple[str, str]]:
    rows = table.filter(pl.col("measure") == measure, pl.col("status") == "reported")
    return set(rows.select("breakdown", "group").rows())


def space(table, people: Extract, measure="advocacy") -> np.ndarray:
    """Shown groups × respondents."""
    vectors = []
    for breakdown, group in shown(table, measure):
        if breakdown == "all":
            vectors.append(np.ones(people.frame.height))
        elif breakdown in people.frame.columns:
            vectors.append((people.frame[breakdown] == group).cast(pl.Float64).to_numpy())
    return np.array(vectors)


def follows(table, people: Extract, who) -> bool:
    """Whether the sum over some respondents is a combination of what is shown."""
    wanted = np.zeros(people.frame.height)
    wanted[who] = 1.0
    rows = space(table, people)
    factors = np.linalg.lstsq(rows.T, wanted, rcond=None)[0]
    return bool(np.abs(rows.T @ factors - wanted).max() < 1e-8)


def test_a_person_alone_in_a_team_does_not_follow_from_the_directorate():
    teams = ["a1"] * 20 + ["a2"] * 20 + ["a3"] + ["b1"] * 20 + ["b2"] * 20
    people = extract(locality_1=["A"] * 41 + ["B"] * 40, locality_2=teams)
    assert not follows(cm.estimate(people, by=["locality_1", "locality_2"]).table, people, [40])


def test_who_is_in_one_of_two_groups_that_nearly_coincide_does_not_follow():
    occupation = [13] * 30 + [41] * 21 + [26] * 20
    people = extract(locality_1=["Medical"] * 31 + ["Rest"] * 40, q35=np.array(occupation, "int8"))
    both = {("locality_1", "Medical"), ("occupation_group", "Medical and Dental")}
    assert not both <= shown(cm.estimate(people, by=["locality_1", "occupation_group"]).table)


def test_few_between_a_group_and_a_union_of_two_do_not_follow():
    people = extract(locality_1=["A"] * 20 + ["B"] * 20 + ["C"] * 40, locality_2=["X"] * 42 + ["Y"] * 38)
    assert not follows(cm.estimate(people, by=["locality_1", "locality_2"]).table, people, [40, 41])


def test_a_release_without_small_groups_is_shown_whole():
    people = extract(locality_1=["A"] * 40 + ["B"] * 40, locality_2=(["X"] * 20 + ["Y"] * 20) * 2)
    assert len(shown(cm.estimate(people, by=["locality_1", "locality_2"]).table)) == 5


def test_no_row_says_which_groups_are_small_where_people_decided():
    teams = ["a1"] * 20 + ["a2"] * 20 + ["a3"] + ["b1"] * 20 + ["b2"] * 20
    people = extract(locality_1=["A"] * 41 + ["B"] * 40, locality_2=teams)
    table = cm.estimate(people, by=["locality_1", "locality_2"]).table.filter(measure="advocacy")
    assert set(table["status"]) == {"reported", "suppressed"}


def test_a_doctor_alone_on_a_ward_does_not_follow_from_a_weighted_mean():
    """Two means of one ward, one weighted by occupation, have one solution for who weighs otherwise."""
    occupation, ward = [26] * 19 + [13] + [26] * 40 + [13] * 40, ["w1"] * 20 + ["w2"] * 80
    people = extract(locality_1=ward, q35=np.array(occupation, "int8"))
    mix = {"nursing": 0.8, "medical_and_dental": 0.2}
    plain = cm.estimate(people, by=["locality_1"]).table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted = cm.estimate(people, by=["locality_1"], weights=cm.Weights("official", mix=mix)).table
    assert ("locality_1", "w1") in shown(plain)
    assert ("locality_1", "w1") not in shown(weighted)


def test_a_small_organisation_does_not_follow_from_all_together():
    organisation = ["RAX"] * 60 + ["RBX"] * 50 + ["RCX"] * 4
    people = extract(organisation=organisation, locality_1=["A"] * 114)
    apart = cm.estimate(people).table.filter(measure="advocacy", status="reported")
    assert set(apart["organisation"]) == {"RAX", "RBX"}
    eligible = {"RAX": 100, "RBX": 90, "RCX": 9}
    with pytest.warns(CultureMetricsWarning, match="share a weight"):
        together = cm.estimate(people, weights=cm.Weights("size", eligible=eligible)).table
    assert together.filter(measure="advocacy", status="reported").is_empty()


def test_later_calls_keep_to_what_earlier_ones_showed():
    rng = np.random.default_rng(8)
    for seed in range(12):
        one, two = rng.choice(5, 150), rng.choice(7, 150, p=np.array([30, 30, 10, 10, 10, 5, 5]) / 100)
        people = extract(seed, locality_1=[f"D{i}" for i in one], locality_2=[f"T{i}" for i in two])
        first = shown(cm.estimate(people, by=["locality_2"]).table)
        both = shown(cm.estimate(people, by=["locality_1", "locality_2"]).table)
        again = shown(cm.estimate(people, by=["locality_2", "locality_1"]).table)
        assert {cell for cell in both if cell[0] == "locality_2"} == {
            c for c in first if c[0] == "locality_2"
        }
        assert both == again


def test_the_order_of_respondents_does_not_part_an_extract_from_its_decision():
    rng = np.random.default_rng(1)
    people = extract(locality_1=[f"D{i}" for i in rng.choice(4, 120)], weight=rng.uniform(0.5, 2.0, 120))
    first = cm.estimate(people, by=["locality_1"], weights="weight").table
    shuffled = dataclasses.replace(people, frame=people.frame.sample(fraction=1.0, shuffle=True, seed=3))
    assert shown(cm.estimate(shuffled, by=["locality_1"], weights="weight").table) == shown(first)
    assert len(people.decision.calls) == 1
    part = dataclasses.replace(people, frame=people.frame.head(60))
    cm.estimate(part, by=["locality_1"])
    assert len(people.decision.calls) == 2


@pytest.mark.parametrize("verb", [cm.estimate, cm.distributions])
def test_less_than_the_surveys_own_minimum_base_is_said(verb):
    people = extract(locality_1=["A"] * 30)
    with pytest.warns(SmallBaseWarning, match="Keep it to yourself"):
        verb(people, minimum_base=2)
    with pytest.warns(SmallBaseWarning, match="Keep it to yourself"):
        cm.estimate_values(cm.score(people), ["advocacy"], minimum_base=2)


@pytest.mark.parametrize(("few", "found"), [(25, set()), (5, {"exact", "few"})])
def test_a_hidden_group_that_is_surely_large_is_no_finding_of_the_audit(few, found):
    people = extract(locality_1=["A"] * 60 + ["B"] * 30 + ["C"] * few)
    with pytest.warns(SmallBaseWarning):
        table = cm.estimate(people, by=["locality_1"], minimum_base=1).table
    gone = pl.col("group") == "C"
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base"]
    hidden = table.with_columns(
        *(pl.when(~gone).then(pl.col(name)).alias(name) for name in numbers),
        pl.when(gone).then(pl.lit("suppressed", table.schema["status"])).otherwise("status").alias("status"),
    )
    assert set(cm.disclosure.audit_disclosure(hidden).table["finding"]) == found


def without(people: Extract, here: np.ndarray) -> Extract:
    return dataclasses.replace(people, frame=people.frame.filter(pl.Series(here)))


@pytest.mark.parametrize("part_first", [False, True])
@pytest.mark.parametrize("dropped", [[], ["q25d"]])
def test_seven_people_left_out_do_not_follow_from_two_calls(part_first, dropped):
    people = extract(locality_1=["A"] * 200 + ["B"] * 200)
    part = without(people, np.arange(400) >= 7)
    part = dataclasses.replace(part, frame=part.frame.drop(dropped))
    two = [part, people] if part_first else [people, part]
    first = cm.estimate(two[0], by=["locality_1"]).table
    with pytest.warns(CultureMetricsWarning, match="Ask for all breakdowns"):
        second = cm.estimate(two[1], by=["locality_1"]).table
    measure = "recommend_place_to_work"
    assert shown(first, measure) == {("all", "all"), ("locality_1", "A"), ("locality_1", "B")}
    # B has the same people in both.
    assert shown(second, measure) <= {("locality_1", "B")}


def test_a_large_part_of_the_people_is_shown_beside_the_whole():
    rng = np.random.default_rng(3)
    people = extract(
        locality_1=[f"D{i}" for i in rng.choice(3, 400)], site=[f"S{i}" for i in rng.choice(3, 400)]
    )
    cm.estimate(people, by=["locality_1"])
    nurses = without(people, np.arange(400) % 2 == 0)
    assert len(shown(cm.estimate(nurses, by=["locality_1"]).table)) == 4


def test_groups_that_a_part_lacks_do_not_make_it_another_breakdown():
    """Part of the groups are the same people: the others would be looked over."""
    people = extract(locality_1=["A"] * 30 + ["B"] * 30 + ["C"] * 30)
    cm.estimate(without(people, np.arange(90) < 30), by=["locality_1"])
    cm.estimate(without(people, (np.arange(90) < 30) | (np.arange(90) >= 34)), by=["locality_1"])
    with pytest.warns(CultureMetricsWarning, match="Ask for all breakdowns"):
        last = shown(cm.estimate(people, by=["locality_1"]).table)
    assert ("locality_1", "B") not in last


def test_one_answer_that_is_corrected_does_not_follow():
    people = extract(locality_1=["A"] * 60 + ["B"] * 60)
    before = cm.estimate(people, by=["locality_1"]).table
    codes = people.frame["q25a"].to_list()
    codes[3] = 5 if codes[3] < 5 else 1
    corrected = dataclasses.replace(
        people, frame=people.frame.with_columns(q25a=pl.Series(codes, dtype=pl.Int8))
    )
    with pytest.warns(CultureMetricsWarning, match="not what they were"):
        after = cm.estimate(corrected, by=["locality_1"]).table
    assert shown(after, "recommend_place_to_work") == shown(before, "recommend_place_to_work") != set()
    for measure in ("care_is_top_priority", "advocacy"):
        assert shown(before, measure)
        # B has the same answers in both.
        assert shown(after, measure) <= {("locality_1", "B")}
    # Turned round as a whole, nothing follows of few; nor in another year.
    turned = people.frame.with_columns(q25a=6 - pl.col("q25a"))
    assert shown(cm.estimate(dataclasses.replace(people, frame=turned), by=["locality_1"]).table, "advocacy")
    later = dataclasses.replace(corrected, period="2025")
    assert shown(cm.estimate(later, by=["locality_1"]).table, "advocacy")


@pytest.mark.parametrize("organisations", [1, 2, 6])
def test_one_person_left_out_does_not_follow_from_two_totals(organisations):
    names = sorted(f"R{i % organisations}X" for i in range(240))
    people = extract(organisation=names, locality_1=["A"] * 240)
    part = without(people, np.arange(240) >= 1)
    cm.estimate(people)
    with pytest.warns(CultureMetricsWarning, match="Ask for all breakdowns"):
        rest = cm.estimate(part).table.filter(measure="advocacy")
    assert rest.filter(status="reported", organisation="R0X").is_empty()
    assert rest.filter(status="reported").height == organisations - 1


def answering(people: Extract, who, code: int) -> Extract:
    new = people.frame["q25a"].to_numpy().copy()
    new[who] = code
    return dataclasses.replace(people, frame=people.frame.with_columns(q25a=pl.Series(new)))


def test_each_earlier_call_is_set_beside_this_one():
    """30 answers change, then 3 of them again: beside the first call 30 differ, beside the second 3."""
    people = extract(locality_1=["A"] * 100 + ["B"] * 100)
    people = answering(people, np.arange(200), 3)
    cm.estimate(people, by=["locality_1"])
    cm.estimate(answering(people, np.arange(30), 5), by=["locality_1"])
    with pytest.warns(CultureMetricsWarning, match="not what they were"):
        third = cm.estimate(answering(people, np.arange(27), 5), by=["locality_1"]).table
    assert shown(third) <= {("locality_1", "B")}


def test_altered_answers_do_not_follow_from_breakdowns_of_two_calls():
    """23 answers of A and 20 of X change; 3 of these are in A and not in X."""
    people = extract(
        locality_1=["A"] * 100 + ["B"] * 100, site=["X"] * 50 + ["Y"] * 50 + ["X"] * 50 + ["Y"] * 50
    )
    people = answering(people, np.arange(200), 3)
    cm.estimate(people, by=["locality_1", "site"])
    later = answering(people, np.r_[np.arange(20), 50:53], 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CultureMetricsWarning)
        first = shown(cm.estimate(later, by=["locality_1"]).table)
        second = shown(cm.estimate(later, by=["site"]).table)
    assert not ({("locality_1", "A"), ("all", "all")} & first and ("site", "X") in second)


def test_an_organisation_of_few_does_not_follow_when_it_is_merged():
    people = extract(organisation=["RAX"] * 60 + ["RCX"] * 4, locality_1=["A"] * 64)
    before = cm.estimate(people).table.filter(measure="advocacy", status="reported")
    assert before["base"].to_list() == [60]
    merged = dataclasses.replace(people, frame=people.frame.with_columns(organisation=pl.lit("RAX")))
    with pytest.warns(CultureMetricsWarning, match="Ask for all breakdowns"):
        assert cm.estimate(merged).table.filter(measure="advocacy", status="reported").is_empty()


def test_ids_and_columns_of_other_types_are_no_trouble():
    people = extract(locality_1=["A"] * 60 + ["B"] * 60)
    cm.estimate(people, by=["locality_1"])
    for change in (pl.col("respondent").cast(pl.Categorical), pl.lit([1]).alias("weight")):
        other = dataclasses.replace(people, frame=people.frame.with_columns(change).head(90))
        assert cm.estimate(other, by=["locality_1"]).table.height
    twice = dataclasses.replace(people, frame=people.frame.with_columns(respondent=pl.lit("x")))
    with pytest.warns(CultureMetricsWarning, match="same id"):
        cm.estimate(twice)


def test_two_columns_that_are_alike_but_for_few_give_none_of_them_away():
    frame = pl.DataFrame({"organisation": ["RXX"] * 100, "days": [float(d) for d in range(100)]})
    frame = frame.with_columns(trim=pl.when(pl.col("days") < 97).then("days"))
    table = cm.estimate_values(frame, ["days", "trim"]).table.filter(status="reported")
    assert table.height < 2


def test_an_extract_of_many_is_looked_at_by_pairs_of_breakdowns(monkeypatch):
    monkeypatch.setattr("culture_metrics.indicators.everyone.MANY", 50)
    monkeypatch.setattr("culture_metrics.disclosure.decision.MANY", 50)
    teams = ["a1"] * 20 + ["a2"] * 20 + ["a3"] + ["b1"] * 20 + ["b2"] * 20
    people = extract(locality_1=["A"] * 41 + ["B"] * 40, locality_2=teams)
    assert not follows(cm.estimate(people, by=["locality_1", "locality_2"]).table, people, [40])
    assert people.decision.not_looked_at


def least_left(groups: np.ndarray, people: np.ndarray) -> float:
    """Fewest people that a combination of groups leaves over: by integer programming, over all combinations."""
    size, atoms = groups.shape
    best = np.inf
    for atom in range(atoms):
        found = milp(
            np.r_[np.zeros(size), people],
            constraints=[
                LinearConstraint(np.hstack([groups.T, -50 * np.eye(atoms)]), -np.inf, 0),
                LinearConstraint(np.hstack([-groups.T, -50 * np.eye(atoms)]), -np.inf, 0),
                LinearConstraint(np.r_[groups[:, atom], np.zeros(atoms)][None], 1, 1),
            ],
            integrality=np.r_[np.zeros(size), np.ones(atoms)],
            bounds=Bounds(
                np.r_[np.full(size, -40.0), np.zeros(atoms)], np.r_[np.full(size, 40.0), np.ones(atoms)]
            ),
        )
        best = min(best, found.fun if found.x is not None else np.inf)
    return best


def tables(rng, n=60, sizes=(3, 4, 3)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups × atoms, people of atoms, and the table of each group; the whole comes first."""
    codes = np.stack([rng.choice(k, n, p=rng.dirichlet(np.full(k, 2.0))) for k in sizes], axis=1)
    atoms, people = np.unique(codes, axis=0, return_counts=True)
    rows, table = [np.ones(len(atoms))], [0]
    for number, column in enumerate(atoms.T, start=1):
        for group in np.unique(column):
            rows.append((column == group).astype(float))
            table.append(number)
    return np.array(rows), people.astype(float), np.array(table)


@pytest.mark.parametrize("seed", range(8))
def test_the_search_finds_what_integer_programming_finds(seed):
    groups, people, table = tables(np.random.default_rng(seed))
    there = groups @ people >= 5
    what = Shown(groups[there], table[there] == 2)
    found = light_combinations(what, people[:, None], 5, 30, np.empty((len(people), 0)))
    fewest = ((found != 0) @ people).min() if len(found) else np.inf
    least = least_left(groups[there], people)
    assert fewest == pytest.approx(least, abs=1e-6) if least < 4.5 else fewest == np.inf


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_left_over_once_groups_are_hidden(seed):
    rng = np.random.default_rng(100 + seed)
    groups, people, table = tables(rng, n=50, sizes=(3, 5))
    counts = people[:, None]
    family, none = np.zeros(1, np.int64), np.empty((len(people), 0))
    cost = groups @ people + 1e6 * (table == 0)
    setting = People(groups, counts, family, none, np.empty(0, np.int64), cost, table)
    small = (groups @ counts > 0) & (groups @ counts < 5)
    nothing = np.zeros_like(small)
    hidden = hide_people(setting, small, nothing, 5)
    assert not is_open(setting, hidden, nothing, 5)
    assert least_left(groups[~hidden[:, 0]], people) >= 5 - 1e-6


@pytest.mark.parametrize("seed", [104, 122, 130, 158, 184])
def test_a_whole_organisation_is_the_last_to_be_hidden(seed):
    """In these tables the whole alone would do, or two groups."""
    rng = np.random.default_rng(seed)
    n, sizes = int(rng.integers(50, 90)), (3, 6) if seed % 3 else (3, 5, 3)
    codes = [rng.choice(k, n, p=rng.dirichlet(np.full(k, 1.5))) for k in sizes]
    codes[0] = codes[1] % sizes[0]
    atoms, people = np.unique(np.stack(codes, axis=1), axis=0, return_counts=True)
    rows, table = [np.ones(len(atoms))], [0]
    for number, column in enumerate(atoms.T, start=1):
        rows += [(column == group).astype(float) for group in np.unique(column)]
        table += [number] * len(np.unique(column))
    groups, counts = np.array(rows), people[:, None].astype(float)
    none, cost = np.empty((len(people), 0)), groups @ people + 1e6 * (np.array(table) == 0)
    setting = People(
        groups, counts, np.zeros(1, np.int64), none, np.empty(0, np.int64), cost, np.array(table)
    )
    small = (groups @ counts > 0) & (groups @ counts < 11)
    hidden = hide_people(setting, small, np.zeros_like(small), 11)
    assert not hidden[0, 0]
    assert not is_open(setting, hidden, np.zeros_like(small), 11)


@pytest.mark.parametrize("seed", range(20))
def test_of_one_group_alone_nothing_follows(seed):
    """Whatever is hidden or was shown before: that is why an organisation of which no more is shown is left out."""
    rng = np.random.default_rng(seed)
    atoms, family = int(rng.integers(1, 4)), np.array([0, 1, 1, 2, 3, 3])
    everyone = rng.integers(1, 12, (atoms, 1)).astype(float)
    counts = np.hstack([everyone, rng.binomial(everyone.astype(int), rng.random(5))])
    yes = rng.binomial(counts[:, 3:4].astype(int), rng.choice([0, 0.5, 1]))
    holds = (rng.random((1, atoms)) < 0.8).astype(float)
    core, table = np.array([2] * (seed % 2), np.int64), np.zeros(1, np.int64)
    sides = np.hstack([yes, counts[:, 3:4] - yes])
    setting = People(holds, counts, family, sides, np.array([2, 2]), np.ones(1), table, core)
    hidden, fixed = rng.random((2, 1, 4)) < 0.3
    assert not is_open(setting, hidden, fixed & ~hidden, 11)


def two_breakdowns(*parts: str) -> People:
    """Atoms as rows: people, which of whole, Most, A, B and outside-C hold them, how many say yes and no."""
    each = np.array([[float(cell) for cell in part.split()] for part in parts])
    people, holds, sides = each[:, :1], each[:, 1:-2].T, each[:, -2:]
    counts, size = np.hstack([people, sides.sum(axis=1, keepdims=True)]), holds @ people[:, 0]
    cost = size + 1e6 * (size > size[0] / 2)
    table = np.array([0, 1, 1, 1, 2])[: len(holds)]
    return People(holds, counts, np.arange(2), sides, np.array([1, 1]), cost, table)


def test_a_group_of_most_people_is_hidden_where_all_the_others_answered_alike():
    """B is small and A hidden beside it: the whole less Most are 33 people who all said no."""
    setting = two_breakdowns("60  1 1 0 0  10 50", "25  1 0 1 0  0 25", "8  1 0 0 1  0 8")
    small = np.array([[False] * 2] * 3 + [[True] * 2])
    hidden = hide_people(setting, small, np.zeros_like(small), 11)
    assert hidden.T.tolist() == [[False, False, True, True], [False, True, True, True]]


def test_what_follows_once_a_second_group_is_hidden_is_looked_at():
    """A said no, all of them, and shows it; hidden beside B, it follows from the whole less outside-C."""
    setting = two_breakdowns(
        "40  1 1 0 0 1  10 30", "15  1 0 1 0 0  0 15", "5  1 0 0 1 1  2 3", "50  1 0 0 0 1  20 30"
    )
    small = np.array([[False] * 2] * 3 + [[True] * 2] + [[False] * 2])
    fixed = np.zeros_like(small)
    assert hide_people(setting, small, fixed, 11)[:, 1].tolist() == [False, False, False, True, False]
    hidden = hide_people(setting, small, fixed, 11, beside=True)
    assert hidden.T.tolist() == [[False, False, True, True, False], [False, False, True, True, True]]


@pytest.mark.parametrize(
    ("people", "seed", "by"),
    [
        (300, 0, ["occupation_group", "locality_1", "gender"]),
        (280, 11, ["gender", "long_term_condition", "age", "ethnicity_summary"]),
        (201, 27, ["patient_facing", "locality_1", "ethnicity", "occupation_group"]),
    ],
)
def test_nothing_follows_from_several_breakdowns_of_a_small_trust(people, seed, by):
    """Nor, by subtraction alone, that all who are in no shown group of a breakdown answered alike."""
    trust = cm.synthetic.respondents(2024, respondents_per_organisation=people, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CultureMetricsWarning)
        table = cm.estimate(trust, by=by).table
    assert attack_shown(trust)[1] == 0
    seen = table.filter(status="reported", unit="percent").select(
        "breakdown", "measure", "base", yes=(pl.col("estimate") * pl.col("base") / 100).round()
    )
    whole = seen.filter(breakdown="all").drop("breakdown")
    told = seen.filter(pl.col("breakdown") != "all").group_by("breakdown", "measure").sum()
    left = told.join(whole, on="measure", suffix="_of_all").select(
        "breakdown",
        "measure",
        base=pl.col("base_of_all") - pl.col("base"),
        yes=pl.col("yes_of_all") - pl.col("yes"),
        # Where the whole answered alike nothing more follows.
        mixed=pl.col("yes_of_all").is_between(0, pl.col("base_of_all"), closed="none"),
    )
    assert left.height > 100
    alike = (pl.col("yes") == 0) | (pl.col("yes") == pl.col("base"))
    assert left.filter("mixed", alike, pl.col("base") > 0).is_empty()


def test_unions_that_nearly_coincide_are_told_from_those_that_do_not():
    part = np.repeat([0, 1, 2], 200)
    one = np.tile(np.repeat([0, 1], 100), 3)
    near = one.copy()
    near[[205, 206, 310]] = 1 - near[[205, 206, 310]]  # three people of the second organisation
    mixed = np.tile([0, 1], 300)
    assert may_coincide([mixed, one, near], part, 11) == {1: {1, 2}}
    assert not may_coincide([one, mixed], part, 11)


def about(people: Extract) -> list[About]:
    return [About(people.survey, people.period, people.frame, [*people.edition.columns], people.decision)]


def test_a_ledger_carries_the_decision_into_the_next_run(tmp_path):
    teams = ["a1"] * 20 + ["a2"] * 22 + ["tiny"] * 3 + ["b1"] * 24 + ["b2"] * 26
    people = extract(locality_1=["A"] * 45 + ["B"] * 50, locality_2=teams)
    first = cm.estimate(people, by=["locality_2"]).table
    path = tmp_path / "ledger.json"
    write_ledger(path, about(people))
    assert "tiny" not in path.read_text(encoding="utf-8")
    again = dataclasses.replace(people, decision=Decision())
    read_ledger(path, about(again))
    both = cm.estimate(again, by=["locality_1", "locality_2"]).table
    assert {c for c in shown(both) if c[0] == "locality_2"} == {
        c for c in shown(first) if c[0] == "locality_2"
    }
    assert not follows(both, again, range(42, 45))
    other = extract(seed=5, locality_1=["A"] * 45 + ["B"] * 50, locality_2=teams)
    with pytest.raises(ReportError, match="other respondents"):
        read_ledger(path, about(other))
    elsewhere = other.frame.with_columns(organisation=pl.lit("RYY"))
    read_ledger(path, about(dataclasses.replace(other, frame=elsewhere, decision=Decision())))


def test_a_ledger_tells_two_people_who_swap_their_answers_from_those_they_were(tmp_path):
    """Sums stay as they are, but the groups of the two tell what they differ in."""
    people = extract(locality_1=["A"] * 45 + ["B"] * 50)
    cm.estimate(people, by=["locality_1"])
    path = tmp_path / "ledger.json"
    write_ledger(path, about(people))
    asked = [c for c in people.edition.columns if c in people.frame.columns]
    turned = people.frame.select(asked)[[94, *range(1, 94), 0]]
    assert not turned.equals(people.frame.select(asked))
    swapped = people.frame.with_columns(turned)
    with pytest.raises(ReportError, match="other answers"):
        read_ledger(path, about(dataclasses.replace(people, frame=swapped, decision=Decision())))


def test_a_report_on_all_but_one_is_refused_beside_the_report_on_all(tmp_path):
    """Bases that differ by one, and totals that differ by what this one answered."""
    people = extract(locality_1=["A"] * 45 + ["B"] * 50)
    cm.estimate(people, by=["locality_1"])
    path = tmp_path / "ledger.json"
    write_ledger(path, about(people))
    fewer = dataclasses.replace(people, frame=people.frame[1:], decision=Decision())
    with pytest.raises(ReportError, match="give away the few who differ"):
        read_ledger(path, about(fewer))


def test_what_was_shown_is_attacked_with_draws_of_its_own():
    teams = ["a1"] * 20 + ["a2"] * 20 + ["a3"] + ["b1"] * 20 + ["b2"] * 20
    people = extract(locality_1=["A"] * 41 + ["B"] * 40, locality_2=teams)
    cm.estimate(people, by=["locality_1", "locality_2"])
    attacked, found = attack_shown(people)
    assert attacked > 1
    assert found == 0
    # Had all been shown but the small team, it would follow.
    (call,) = people.decision.calls
    hidden = np.zeros_like(call.hidden)
    hidden[(call.groups["group"] == "a3").to_numpy()] = True
    open_call = dataclasses.replace(call, hidden=hidden)
    people.decision.calls = [open_call]
    assert attack_shown(people)[1] > 0


def test_a_breakdown_whose_groups_have_other_members_is_another_breakdown():
    """Estates is put into Medicine between two calls: both sizes of Medicine would give Estates away."""
    site = ["Medicine"] * 60 + ["Corporate"] * 50 + ["Surgery"] * 40 + ["Estates"] * 7
    people = extract(locality_1=site)
    first = cm.estimate(people, by=["locality_1"]).table
    merged = ["Medicine" if name == "Estates" else name for name in site]
    again = dataclasses.replace(people, frame=people.frame.with_columns(locality_1=pl.Series(merged)))
    second = cm.estimate(again, by=["locality_1"]).table
    assert ("locality_1", "Medicine") not in shown(first) & shown(second)
    one = np.array([[float(name == group) for name in site] for _, group in shown(first) if group != "all"])
    two = np.array(
        [[float(name == group) for name in merged] for _, group in shown(second) if group != "all"]
    )
    wanted = np.array([float(name == "Estates") for name in site])
    rows = np.vstack([np.ones(len(site)), *[part for part in (one, two) if len(part)]])
    factors = np.linalg.lstsq(rows.T, wanted, rcond=None)[0]
    assert np.abs(rows.T @ factors - wanted).max() > 1e-6


def test_few_who_weigh_otherwise_do_not_follow_from_two_totals():
    people = extract(locality_1=["A"] * 60, w=[2.0] * 4 + [1.0] * 56)
    plain = cm.estimate(people).table.filter(measure="advocacy", status="reported")
    with pytest.warns(CultureMetricsWarning, match="share a weight"):
        weighted = cm.estimate(people, weights="w").table.filter(measure="advocacy", status="reported")
    assert plain.height + weighted.height == 1


def test_other_members_than_in_an_earlier_report_are_not_shown_beside_it(tmp_path):
    site = ["Medicine"] * 60 + ["Corporate"] * 50 + ["Surgery"] * 40 + ["Estates"] * 7
    people = extract(locality_1=site)
    assert ("locality_1", "Medicine") in shown(cm.estimate(people, by=["locality_1"]).table)
    write_ledger(tmp_path / "ledger.json", about(people))
    for members, changed in ((["Medicine" if n == "Estates" else n for n in site], True), (site, False)):
        later = dataclasses.replace(
            people, frame=people.frame.with_columns(locality_1=pl.Series(members)), decision=Decision()
        )
        read_ledger(tmp_path / "ledger.json", about(later))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            groups = {cell for cell in shown(cm.estimate(later, by=["locality_1"]).table) if cell[0] != "all"}
        assert bool(groups) != changed
        assert any("other members" in str(w.message) for w in told) == changed


def test_draws_by_rows_take_the_same_atoms_as_those_of_the_whole_matrix(monkeypatch):
    """Groups of four tables, one weighted: the atoms drawn, what is left over, what follows, what is hidden."""
    rng = np.random.default_rng(1)
    kinds = (20, 12, 6, 3)
    member = np.unique(np.column_stack([rng.integers(0, k, 250) for k in kinds]), axis=0)
    tables = [(member[:, j] == np.arange(k)[:, None]).astype(float) for j, k in enumerate(kinds)]
    groups = np.vstack([np.ones((1, len(member))), *tables, tables[3] * rng.lognormal(size=len(member))])
    table = np.repeat([0, 1, 2, 3, 4, -1], [1, *kinds, 3])
    counts = rng.integers(0, 2, (len(member), 3)).astype(float)
    counts[:, 0] = 1
    sides = np.column_stack([counts[:, 1] // 2, counts[:, 1] - counts[:, 1] // 2])
    people = People(
        groups, counts, np.array([0, 1, 2]), sides, np.array([1, 1]), groups @ counts[:, 0], table
    )
    small = np.tile(((groups != 0) @ counts[:, :1] < 8), (1, 3))
    scales = [np.exp(rng.uniform(-1, 1, len(member))) for _ in range(3)]
    found = []
    for limit in (np.inf, 0):
        monkeypatch.setattr("culture_metrics.disclosure.differencing.SPARSE", limit)
        shown = Shown(groups, people.block)
        drawn = [shown.draw(scale) for scale in scales]
        left = np.concatenate([shown.combinations(scales[0]), rng.normal(size=(3, len(member)))])
        follows = shown.follows(left)
        found.append((drawn, left[:-3], follows, hide_people(people, small, np.zeros_like(small), 8, 4)))
    (dense, one, follows, hidden), (sparse, other, same, too) = found
    for a, b in zip(dense, sparse, strict=True):
        assert (a.others == b.others).all() and (a.of_block == b.of_block).all()
        np.testing.assert_allclose(a.left, b.left, atol=1e-9)
    np.testing.assert_allclose(one, other, atol=1e-9)
    assert follows.tolist() == same.tolist() == [True] * len(one) + [False] * 3
    assert (hidden == too).all() and hidden.sum() > small.sum()
