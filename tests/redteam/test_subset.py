"""A subset is a further release: whole, parts and parts of parts together tell of nobody who is hidden."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.disclosure.decision import Decision
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import UnknownNameError
from culture_metrics.study.study import Study
from culture_metrics.study.subset import shown_groups
from tests.redteam.attacker import linear_attack
from tests.redteam.people import CROSS, People, values_of
from tests.redteam.test_side_outputs import COLUMNS, trust

MEASURES = ["advocacy", "recommend_place_to_work"]


def study_of(seed: int) -> Study:
    extract = trust(seed)
    return Study(
        reports=(), extracts=(extract,), published=(), organisation="RXX", year="2024",
        by=tuple(COLUMNS), rule=Rule(11),
    )  # fmt: skip


def parts(study: Study) -> list[tuple[str, str]]:
    return [(breakdown, group) for breakdown, groups in shown_groups(study).items() for group in groups]


def everything(study: Study, release) -> pl.DataFrame:
    """What the study shows, and what each subset of it shows, under the names of crossed groups."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = [study.suppressed[0].table]
        for breakdown, group in parts(study):
            table = release(study, breakdown, group).filter(pl.col("breakdown") != "all")
            named = [
                pl.format("{}{}{}", pl.lit(a), pl.lit(CROSS), pl.col(c)).alias(c)
                for c, a in (("breakdown", breakdown), ("group", group))
            ]
            tables.append(table.with_columns(named))
    columns = ["breakdown", "group", "measure", "unit", "estimate", "base", "status"]
    text = pl.col("breakdown", "group", "measure", "unit", "status").cast(pl.String)
    held = pl.concat(one.select(columns).with_columns(text) for one in tables)
    return held.filter(pl.col("measure").is_in(MEASURES), status="reported")


def subset(study: Study, breakdown: str, group: str) -> pl.DataFrame:
    return study.only(**{breakdown: group}).results.table


def naive(study: Study, breakdown: str, group: str) -> pl.DataFrame:
    """The part as an extract of its own, decided by itself."""
    [extract] = study.extracts
    own = replace(extract, frame=extract.frame.filter(pl.col(breakdown) == group), decision=Decision())
    return cm.estimate(own, by=[c for c in COLUMNS if c != breakdown]).table


def attack(seed: int, release) -> list:
    study = study_of(seed)
    table = everything(study, release)
    values = {m: v for m, v in values_of(study.extracts[0]).items() if m in MEASURES}
    people = People(study.extracts[0].frame.select(COLUMNS), values)
    return linear_attack(table, people, np.random.default_rng(seed), steps=50)


@pytest.mark.parametrize("seed", [103])
def test_whole_less_subsets_tells_of_nobody(seed):
    """Each part by itself passes the minimum, and beside the whole gives hidden people away."""
    assert attack(seed, naive)
    assert attack(seed, subset) == []


def test_a_hidden_group_is_as_unknown_as_one_that_is_not_there():
    study = study_of(103)
    hidden = set(study.extracts[0].frame["locality_1"]) - set(shown_groups(study)["locality_1"])
    said = set()
    for group in (min(hidden), "Directorate 9"):
        with pytest.raises(UnknownNameError) as caught:
            study.only(locality_1=group)
        said.add(str(caught.value).replace(group, "…"))
    assert len(said) == 1 and not any(f"'{group}'" in "".join(said) for group in hidden)
