"""Outcomes say what they are, and the catalogue's are complete."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError, UnknownNameError
from culture_metrics.outcomes.kinds import KINDS
from culture_metrics.outcomes.outcome import declared

ASKED = {
    "shmi": "ratio",
    "cqc_rating": "ordinal",
    "inpatient_survey": "continuous",
    "sickness_absence": "rate",
    "leavers": "proportion",
    "agency_spend": "money",
    "financial_position": "continuous",
    "mrsa": "count",
    "c_difficile": "count",
    "four_hour_wait": "proportion",
    "recommend_for_treatment": "proportion",
}


@pytest.mark.parametrize(("name", "kind"), ASKED.items())
def test_the_catalogue_declares_what_the_founding_analysis_linked(name, kind):
    found = cm.outcome(name)
    assert found.kind == kind
    assert found.label and found.unit and found.period
    assert found.better in ("high", "low")


@pytest.mark.parametrize("name", declared())
def test_every_entry_says_where_it_is_published_and_what_a_reader_needs(name):
    entry = declared()[name]
    known = {
        *cm.Outcome.__dataclass_fields__,
        "published",
        "to_know",
        "unconfirmed",
        "denominator",
        "columns",
        "opposite",
    }
    assert set(entry) <= known
    assert len(entry["published"]) > 20 and len(entry["to_know"]) > 40
    assert cm.outcome(name).columns[0] == entry["column"]


def test_counts_have_an_exposure_and_shares_a_base():
    table = cm.outcomes()
    assert set(table["kind"]) <= set(KINDS)
    assert table.filter(kind="count")["exposure"].null_count() == 0
    assert table.filter(pl.col("kind").is_in(["proportion", "rate"]))["base"].null_count() == 0
    assert cm.outcome("cqc_rating").levels == ("Inadequate", "Requires improvement", "Good", "Outstanding")
    assert cm.outcome("recommend_for_treatment").same_source


def test_a_field_can_be_changed_and_an_outcome_cannot():
    changed = cm.outcome("shmi", column="SHMI.Index")
    assert (changed.column, changed.kind, changed.title) == ("SHMI.Index", "ratio", "SHMI")
    with pytest.raises(AttributeError):
        changed.kind = "count"  # type: ignore[misc]
    assert cm.Outcome("falls_with_harm", kind="continuous").title == "falls with harm"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "counts"}, "no kind of outcome 'counts'"),
        ({"kind": "count", "base": "n"}, "base= does not belong to an outcome of kind count"),
        ({"kind": "rate", "exposure": "n"}, "exposure= does not belong"),
        ({"kind": "continuous", "percent": True}, "percent= does not belong"),
        ({"kind": "ratio", "levels": ("a", "b")}, "levels= does not belong"),
        ({"kind": "ordinal"}, "needs its levels"),
        ({"kind": "ordinal", "levels": ("a", "a")}, "needs its levels"),
        ({"kind": "ratio", "better": "lower"}, "better= says"),
    ],
)
def test_an_outcome_that_contradicts_itself_is_refused(wrong, said):
    with pytest.raises(LinkError, match=said) as caught:
        cm.Outcome("y", **wrong)
    assert "outcome 'y'" in str(caught.value)


def test_unknown_names_get_the_nearest():
    with pytest.raises(UnknownNameError, match="sickness_absence"):
        raise_for = cm.outcome("sickness_absense")
        assert raise_for
    with pytest.raises(UnknownNameError, match="no field of an outcome 'colum'"):
        cm.outcome("shmi", colum="x")


def test_the_page_on_schemas_says_every_kind_and_what_belongs_to_it():
    page = Path(__file__).parents[2].joinpath("data_schemas", "README.md").read_text(encoding="utf-8")
    section = page[page.index("## Add an outcome") : page.index("## What each file may say")]
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", section, flags=re.MULTILINE))
    assert list(rows.keys() - KINDS.keys()) == list(KINDS.keys() - rows.keys()) == []
    for name, kind in KINDS.items():
        assert set(re.findall(r"`(base|exposure|levels|percent)\??`", rows[name])) == {*kind.parts}, name
