"""Attacks on what leaves beside the tables: response rates, files of the study, renamed breakdowns."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.compare.redrawn import People, Year
from culture_metrics.disclosure.decision import Decision
from culture_metrics.disclosure.ledger import About, read_ledger, write_ledger
from culture_metrics.errors import StudyFileError
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.own_labels import propose_labels
from culture_metrics.indicators.response_rates import response_rates
from culture_metrics.study.own_words import check_renamed
from culture_metrics.study.response import _as_far_as_shown, _without_names
from culture_metrics.study.settings import Renamed, Settings
from tests.redteam import linear

COLUMNS = ["locality_1", "locality_2", "locality_3"]


def trust(seed: int) -> Extract:
    """Departments in directorates, both of any size, and sites across them."""
    rng = np.random.default_rng(seed)
    n, many = int(rng.integers(300, 700)), int(rng.integers(4, 9))
    directorate = rng.choice(many, n, p=rng.dirichlet(np.ones(many) * 0.7))
    parts = rng.integers(1, 5, many)
    frame = pl.DataFrame(
        {
            "respondent": [f"p{i}" for i in range(n)],
            "organisation": "RXX",
            "benchmark_group": "Acute and Acute & Community Trusts",
            "locality_1": [f"Directorate {d}" for d in directorate],
            "locality_2": [f"Department {d}.{rng.integers(parts[d])}" for d in directorate],
            "locality_3": [f"Site {rng.choice(5, p=[0.5, 0.3, 0.15, 0.03, 0.02])}" for _ in range(n)],
        }
    )
    answers = {q: pl.Series(rng.integers(1, 6, n)).cast(pl.Int8) for q in ("q25a", "q25c", "q25d")}
    return Extract("nss_england", "2024", frame.with_columns(**answers), {})


def pinned(frame: pl.DataFrame, shown: dict[tuple[str, str], int]) -> dict[str, int]:
    """Solve shown numbers of people for those of hidden groups; return the few that follow, by group.

    `shown` is by column (`all` for everybody) and group. Which departments and sites there are, and who could
    be in both, stands in the organisation chart.
    """
    atoms = frame.group_by(COLUMNS).len()

    def inside(column: str, group: str) -> np.ndarray:
        everyone = pl.lit(value=True) if column == "all" else pl.col(column) == group
        return atoms.select(everyone.cast(pl.Float64) + 0 * pl.col("len")).to_series().to_numpy()

    rows = np.array([inside(*key) for key in shown])
    told = np.array([*shown.values()], float)
    found = {}
    for column in COLUMNS:
        for group, n in frame[column].value_counts().iter_rows():
            mix = np.linalg.lstsq(rows.T, inside(column, group), rcond=None)[0]
            follows = np.abs(mix @ rows - inside(column, group)).max() < linear.NOUGHT
            if (column, group) not in shown and follows and n <= linear.MOST:
                assert round(mix @ told) == n
                found[group] = n
    return found


def bases(table: pl.DataFrame) -> dict[tuple[str, str], int]:
    rows = table.filter(pl.col("base").is_not_null())
    return {(b, g): n for b, g, n in rows.select("breakdown", "group", "base").iter_rows()}


@pytest.mark.parametrize("seed", [103, 121])
def test_response_rates_give_no_hidden_group_away(seed):
    """With rates decided by themselves a site of 6, and a directorate and its department of 1, followed."""
    extract = trust(seed)
    results = cm.estimate(extract, by=COLUMNS).table.filter(measure="advocacy")
    staff = [extract.frame.group_by(pl.col(c).alias("Group")).len("Headcount") for c in COLUMNS]
    table = pl.concat(
        part.with_columns(pl.lit(c).alias("Breakdown"), pl.col("Headcount") * 2)
        for c, part in zip(COLUMNS, staff, strict=True)
    )
    rates = response_rates(extract, table).table
    assert rates["base"].drop_nulls().len() > 3
    assert pinned(extract.frame, bases(results) | bases(rates)) == {}


def about(extract: Extract) -> list[About]:
    return [
        About(extract.survey, extract.period, extract.frame, [*extract.edition.columns], extract.decision)
    ]


def advocacy(extract: Extract, by: list[str]) -> dict[tuple[str, str], int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bases(cm.estimate(extract, by=by).table.filter(measure="advocacy"))


@pytest.mark.parametrize(
    ("seed", "change", "by"),
    [
        (13, lambda f, _: f.rename({"locality_1": "Portfolio"}), ["Portfolio", "locality_2"]),
        (23, lambda f, _: f.drop("locality_1"), ["locality_2", "locality_3"]),
        (23, lambda f, names: f.with_columns(pl.col("locality_1").replace(names)), ["locality_2"]),
    ],
    ids=["another word", "column gone", "names merged"],
)
def test_a_second_report_knows_the_breakdowns_of_the_first_by_their_people(tmp_path, seed, change, by):
    """A directorate of 6, and a department of 8, followed from two reports with study.yaml edited between."""
    first = trust(seed)
    shown = advocacy(first, ["locality_1", "locality_3"])
    write_ledger(tmp_path / "ledger.json", about(first))
    largest = first.frame["locality_1"].value_counts(sort=True)["locality_1"]
    frame = change(first.frame, {largest[-1]: largest[0]})
    second = replace(first, frame=frame, decision=Decision())
    read_ledger(tmp_path / "ledger.json", about(second))
    new = advocacy(second, by)
    shown |= {("locality_1" if b == "Portfolio" else b, g): n for (b, g), n in new.items()}
    assert pinned(first.frame, shown) == {}
    # What is the same breakdown by another word hides no more than it must.
    assert any(b == "locality_2" for b, _ in new) == ("Portfolio" in by)


def test_a_count_of_texts_does_not_tell_how_few_gave_the_other_answers():
    """292 of 300 wrote 'Aye' and 'Nope': 8 gave some other answer, which the percentages hide."""
    frame = trust(103).frame.head(300)
    texts = ["Aye"] * 200 + ["Nope"] * 92 + ["Strongly agree"] * 8
    plain = ["Yes and no"] * 150 + [None] * 150
    frame = frame.with_columns(q25a=pl.Series(texts), q25c=pl.Series(plain)).drop("q25d")
    found = propose_labels(Extract("nss_england", "2024", frame, {})).table
    rows = dict(found.select("text", "rows").iter_rows())
    assert (rows["Aye"], rows["Nope"], rows["Yes and no"]) == (None, None, 150)


def test_an_error_names_no_group_that_few_share_in_each_year():
    """6 people of a ward answered in both years: 12 rows are not 12 people."""
    first = trust(103)
    names = ["Hidden ward"] * 6 + ["Other"] * (first.frame.height - 6)
    first = replace(first, frame=first.frame.with_columns(locality_4=pl.Series(names)))
    second = replace(first, period="2025")
    said = Settings(
        Path(), (), breakdowns={"Dept": ("Dept",)}, renamed=(Renamed("Dept", "Hidden wart", "Other", True),)
    )
    with pytest.raises(StudyFileError) as told:
        check_renamed([first, second], said)
    assert "Hidden ward" not in str(told.value)


def test_response_rates_name_no_hidden_group_and_no_number_of_one_that_is_impossible():
    """With 9 staff fewer than answered, a group that the study hides was shown with all who answered."""
    rates = pl.DataFrame(
        {
            "breakdown": ["all", "dept", "dept", "dept", "dept"],
            "group": ["all", "A", "B", "C", "D"],
            "base": [70, 40, 21, None, None],
            "staff": [90, 50, 12, None, None],
            "estimate": [77.8, 80.0, None, None, None],
            "conf_low": [68.2, 67.0, None, None, None],
            "conf_high": [85.1, 88.8, None, None, None],
            "status": ["reported", "reported", "impossible", "suppressed", "suppressed"],
        }
    )
    scores = pl.DataFrame({"breakdown": "dept", "group": ["A", "B"], "status": ["reported", "suppressed"]})
    scores = scores.with_columns(period=pl.lit("2024"), measure=pl.lit("morale"))
    study = SimpleNamespace(
        year="2024",
        edition=SimpleNamespace(leading=("morale",)),
        suppressed=(SimpleNamespace(table=scores),),
        results=SimpleNamespace(table=scores.head(1)),
        rule=SimpleNamespace(minimum_base=11),
    )
    shown = _without_names(_as_far_as_shown(rates, study), study)
    assert shown.select("group", "base", "staff").rows() == [
        ("all", 70, 90),
        ("A", 40, 50),
        ("3 groups with fewer than 11 people, or that would give those away", None, None),
    ]


def test_years_drawn_to_calibrate_hide_what_the_people_themselves_hide():
    """A group of 9 of 309 is drawn with 11 or more in 29 of 100 years, one of 10 in 42.

    So often was it tested: the number of tests of a calibration told the size of such a group exactly, for 8,
    9 and 10 people (400 pairs of years), and its name could be that of the change that is planted.
    """
    sizes = {"A": 120, "B": 90, "C": 60, "D": 30, "Tiny": 9}
    names = [name for name, n in sizes.items() for _ in range(n)]
    frame = trust(121).frame.head(309).with_columns(locality_1=pl.Series(names))
    extract = Extract("nss_england", "2024", frame, {})
    people = People.of(extract, None, ["locality_1"], None, None, None)
    every = np.arange(309)
    year = Year(np.r_[np.arange(291), np.tile(np.arange(300, 309), 2)], every, every, every)
    drawn = people.results([year], ["pair"], "2024").filter(measure="advocacy", status="reported")
    # What the release shows: a second group is hidden beside the small one.
    assert set(drawn["group"]) == {"all", "A", "B", "C"}
