"""Reports that keep a minimum count: directorates less their departments, and one report beside another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics.disclosure.decision import Decision
from culture_metrics.disclosure.ledger import read_ledger
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import ReportError
from culture_metrics.extracts.extract import Extract
from culture_metrics.study.study import Study
from culture_metrics.study.subset import shown_groups
from tests.redteam import linear
from tests.redteam.test_side_outputs import trust

COLUMNS = ["locality_1", "locality_2"]
LEAST, MEASURE, QUESTION = 5, "recommend_for_treatment", "q25d"
FAVOURABLE = (4, 5)


@pytest.fixture(scope="module")
def extract() -> Extract:
    """Departments in directorates, where few are unfavourable: many percentages leave few uncounted."""
    made, rng = trust(102), np.random.default_rng(102)
    answers = rng.choice(range(1, 6), made.frame.height, p=[0.03, 0.04, 0.08, 0.45, 0.40])
    frame = made.frame.drop("q25a", "q25c", "locality_3")
    return replace(made, frame=frame.with_columns(pl.Series(QUESTION, answers).cast(pl.Int8)))


def study(extract: Extract, by: list[str], ledger=None) -> Study:
    """A report of its own, that knows no other but by the ledger."""
    made = Study(
        reports=(), extracts=(replace(extract, decision=Decision()),), published=(), organisation="RXX",
        year="2024", by=tuple(by), rule=Rule(11, LEAST), ledger=ledger,
    )  # fmt: skip
    if ledger and ledger.exists():
        read_ledger(ledger, made.decided)
    return made


def shown(study: Study) -> pl.DataFrame:
    rows = study.suppressed[0].table.filter(measure=MEASURE, status="reported")
    return rows.select("breakdown", "group", "estimate", "base")


def few_that_follow(extract: Extract, rows: pl.DataFrame) -> list[tuple[str, int]]:
    """Solve shown counts for those of groups that are not shown; return those that leave out 1 to 4 people."""
    atoms = extract.frame.group_by(COLUMNS).agg(pl.len(), n=pl.col(QUESTION).is_in(FAVOURABLE).sum())

    def inside(breakdown: str, group: str) -> np.ndarray:
        if breakdown == "all":
            return np.ones(atoms.height)
        return (atoms[breakdown] == group).cast(pl.Float64).to_numpy()

    cells = np.array([inside(*key) for key in rows.select("breakdown", "group").iter_rows()])
    counts = (rows["estimate"] * rows["base"] / 100).to_numpy()
    assert np.abs(cells @ atoms["n"].to_numpy() - counts).max() < 0.1  # they are what they are taken for
    found = []
    for name in COLUMNS:
        for group in extract.frame[name].unique().sort():
            wanted = inside(name, group)
            mix = np.linalg.lstsq(cells.T, wanted, rcond=None)[0]
            left = round(wanted @ atoms["len"].to_numpy() - mix @ counts)
            if np.abs(mix @ cells - wanted).max() < linear.NOUGHT and 0 < left < LEAST:
                found.append((group, left))
    return found


def test_a_minimum_count_knows_which_departments_lie_in_a_directorate(extract):
    """A department of whom 4, and one of whom 3, were not favourable followed from one report alone."""
    rows = shown(study(extract, COLUMNS))
    assert rows.height > 5
    assert few_that_follow(extract, rows) == []


def test_two_reports_on_other_breakdowns_keep_no_minimum_count_and_are_refused(extract, tmp_path):
    ledger = tmp_path / "ledger.json"
    once = shown(study(extract, COLUMNS, ledger))
    assert shown(study(extract, COLUMNS, ledger)).equals(once)
    with pytest.raises(ReportError, match="for other breakdowns, or without this minimum count"):
        study(extract, COLUMNS[1:], ledger).suppressed  # noqa: B018


def test_a_change_and_strata_are_not_split_into_percentages_that_a_minimum_count_hides(extract):
    """Mix and change within of a group are two equations for its two percentages: both followed."""
    [later] = study(extract, COLUMNS[:1]).extracts
    earlier = replace(later, period="2023", decision=Decision())
    both = replace(study(extract, COLUMNS[:1]), extracts=(earlier, later))
    for split in (both.staff_mix, both.intersections):
        said = split(MEASURE)
        assert said.figures == () and "must count a minimum" in said.otherwise


def test_two_subsets_hide_the_same_of_what_both_hold(extract):
    """Nurses of directorates and directorates' nurses hid other percentages: 3 of 23 followed from the two."""
    rng = np.random.default_rng(102)
    rng.choice(range(1, 6), extract.frame.height, p=[0.03, 0.04, 0.08, 0.45, 0.40])  # the answers
    jobs = rng.choice([26, 13, 34, 38, 1], extract.frame.height, p=[0.4, 0.3, 0.2, 0.06, 0.04])
    staffed = replace(extract, frame=extract.frame.with_columns(pl.Series("q35", jobs).cast(pl.Int16)))
    made = study(staffed, [*COLUMNS, "occupation_group"])
    groups = shown_groups(made)

    def cells(breakdown: str, other: str) -> set[frozenset[str]]:
        tables = [
            made.only(**{breakdown: g}).results.table.with_columns(own=pl.lit(g)) for g in groups[breakdown]
        ]
        rows = pl.concat(tables).filter(breakdown=other, measure=MEASURE, status="reported")
        return {frozenset(pair) for pair in rows.select("own", "group").iter_rows()}

    crossed = ("locality_1", "occupation_group")
    shown_of_each = [cells(*crossed), cells(*reversed(crossed))]
    held = [{c for c in one if c <= {*groups[crossed[0]], *groups[crossed[1]]}} for one in shown_of_each]
    assert held[0] == held[1] and held[0]
