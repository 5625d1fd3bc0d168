"""The story names the places where something was planted, and none where nothing was."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.compare.comparison import YearComparison
from culture_metrics.compare.places import places, within
from culture_metrics.compare.story import Story
from culture_metrics.study import opening
from culture_metrics.study.example import DEPARTMENT, FALL, RISE, SMALL_TEAM, example_extracts
from culture_metrics.wording.changes import with_unit

LEADING = cm.catalogue().edition(2024).survey.leading
PLACES = ["locality_1", "locality_4"]


def told(seed: int, *, planted: bool) -> tuple[YearComparison, str]:
    """The comparison of the example of a seed, and its story."""
    extracts = [cm.validate(e).extract for e in example_extracts(seed, planted=planted)]
    change = cm.compare_years([cm.estimate(e, by=PLACES) for e in extracts], 2023, 2024)
    return change, " ".join(change.story())


@pytest.mark.parametrize("seed", [2, 3])
def test_the_planted_directorate_and_department_are_named(seed):
    """By hand over seeds 1 to 11: the fall, its department and the rise in all; as few as 8 with less planted."""
    change, story = told(seed, planted=True)
    assert f"By directorate, apart from the rest: {FALL} fell in" in story
    assert f"in it chiefly department {DEPARTMENT} (" in story
    assert f"{RISE} rose in" in story
    assert SMALL_TEAM not in story and "Chaplaincy" not in story
    hidden = change.table.filter(pl.col("status").str.starts_with("suppressed"))
    assert not any(
        group in story
        for group in set(hidden["group"]) - set(change.table.filter(status="reported")["group"])
    )
    assert change.summary().startswith(story)
    # Each change told of a group is its own, as the table prints it, and by no leading score it went further.
    for group, pattern in (
        *((g, rf"{g} \w+ in \d leading scores, furthest (.+?) \((\S+)\)") for g in (FALL, RISE)),
        (DEPARTMENT, rf"{DEPARTMENT} \((.+?) (\S+)\)"),
    ):
        label, figure = re.search(pattern, story).groups()
        own = change.table.filter(group=group, label=label).row(0, named=True)
        assert figure == with_unit(own["difference"], own["unit"]), (group, label)
        leading = change.table.filter(pl.col("level").is_in(LEADING), group=group)["difference"].abs()
        assert abs(own["difference"]) >= leading.max() or ", for" in label or group == DEPARTMENT


def test_the_planted_gap_is_named_where_it_opens():
    """Seed 2: with a fifth of answers moved, not a third, it was within what chance allows.

    By hand over seeds 1 to 11: named in all (in 3 of 10 before).
    """
    extracts = [cm.validate(e).extract for e in example_extracts(2)]
    change = cm.compare_years([cm.estimate(e, by=["long_term_condition"]) for e in extracts], 2023, 2024)
    assert "By long-term condition, apart from the rest: With a long-term condition fell in" in " ".join(
        change.story()
    )


def test_where_nothing_was_planted_nobody_is_named():
    _, story = told(101, planted=False)
    assert "apart from the rest:" not in story
    assert "By directorate and department no group moved apart from the rest beyond chance." in story
    assert not any(place in story for place in (FALL, RISE, DEPARTMENT))


def drawn(rng: np.random.Generator, moved: float = 0.0, df: float = 1e6) -> YearComparison:
    """A trust of three breakdowns of uneven groups, the first within the second, that differ by chance.

    With `moved` the third group of the second breakdown moves by so many standard errors in all measures, all
    of it in the first two of its groups of the first.
    """
    measures = ["morale", "staff_engagement", "team", "voice_that_counts"]
    size = {"ward": rng.integers(12, 150, 40), "house": None, "band": rng.integers(40, 900, 6)}
    house = np.repeat(np.arange(8), 5)
    size["house"] = np.bincount(house, size["ward"])
    base = {"ward": rng.standard_t(df, (40, 4)) if df < 1e5 else rng.standard_normal((40, 4))}
    error = {name: 2.5 / np.sqrt(n)[:, None] * np.ones(4) for name, n in size.items()}
    ward = base["ward"] * error["ward"]
    ward[10:12] += moved * error["house"][2]
    move = {
        "ward": ward,
        "house": np.stack(
            [np.average(ward[house == h], axis=0, weights=size["ward"][house == h]) for h in range(8)]
        ),
        "band": rng.standard_normal((6, 4)) * error["band"],
    }
    rows = []
    for name, n in size.items():
        for g in range(len(n)):
            for m, measure in enumerate(measures):
                d, se = move[name][g, m], error[name][g, m]
                rows.append((name, f"{name} {g:02}", measure, d, se, d / se, int(n[g])))
    names = ["breakdown", "group", "measure", "difference", "std_error", "statistic", "base_from"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    from scipy.stats import t

    table = table.with_columns(
        organisation=pl.lit("RXX"), base_to="base_from", df=pl.lit(df), unit=pl.lit("score"),
        p_value=pl.Series(2 * t.sf(table["statistic"].abs().to_numpy(), df)),
    )  # fmt: skip
    lies = pl.DataFrame(
        {
            "organisation": "RXX", "breakdown": "ward", "group": [f"ward {g:02}" for g in range(40)],
            "parent_breakdown": "house", "parent_group": [f"house {h:02}" for h in house],
        }
    )  # fmt: skip
    return YearComparison(table, "nss_england", "2023", "2024", (), (), (), parents=lies)


def test_a_place_is_named_in_5_of_100_stories_at_most_where_nothing_changed():
    """60 trusts of 54 uneven groups in three breakdowns; errors of wards on 9 degrees of freedom, or on many.

    Of 600 drawn once by hand 16 named a group. By the interval of each group alone all of them would.
    """
    rng, measures = np.random.default_rng(3), ["morale", "staff_engagement", "team", "voice_that_counts"]
    stories = [drawn(rng, df=df) for df in (1e6, 9.0) for _ in range(30)]
    named = np.mean([places(one, measures).height > 0 for one in stories])
    alone = np.mean([(one.table["p_value"] < 0.05).any() for one in stories])
    assert named <= 0.1  # 5 % and two standard errors of 60 trusts
    assert alone > 0.95


def test_a_planted_place_is_named_with_what_lies_in_it_and_nobody_else():
    rng = np.random.default_rng(5)
    found = [places(drawn(rng, moved=-15.0), ["morale", "team"]) for _ in range(8)]
    houses = [set(one.filter(breakdown="house")["group"]) for one in found]
    wards = [set(one.filter(breakdown="ward")["group"]) for one in found]
    assert sum(house == {"house 02"} for house in houses) >= 7
    assert sum({"ward 10", "ward 11"} & ward != set() for ward in wards) >= 7
    assert sum(ward <= {"ward 10", "ward 11"} for ward in wards) >= 7
    shrunken = pl.concat(found).filter(breakdown="house")
    assert (shrunken["shrunken"].abs() < shrunken["difference"].abs()).all()


def test_what_holds_a_group_is_the_narrowest_there_is():
    """Wards lie in departments and in directorates: the department is what is named."""
    rng = np.random.default_rng(1)
    one = drawn(rng)
    wider = one.parents.with_columns(parent_breakdown=pl.lit("band"), parent_group=pl.lit("band 00"))
    both = YearComparison(
        one.table, "nss_england", "2023", "2024", (), (), (), parents=pl.concat([wider, one.parents])
    )
    assert within(both)["parent_breakdown"].unique().to_list() == ["house"]


@pytest.mark.parametrize("workbook", [None, object()])
def test_beside_official_figures_a_change_says_whose_it_is(monkeypatch, workbook):
    """The first screen had a staff engagement of 7.10 and one of 6.84, and no word which was which."""
    rose = "Staff engagement rose from 6.55 in 2023 to 6.84 in 2024."
    monkeypatch.setattr(opening, "told", lambda _: Story([[rose]], [("division", ["North rose"])], []))
    said = [*opening._changed(SimpleNamespace(workbook=workbook, compare_years=lambda: None))]
    assert said == [f"{'Own file, unweighted: ' if workbook else ''}{rose}", "By division: North rose."]
