"""A respondent file beside a workbook of the same year: another trust's file does not go unnoticed."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.extracts.extract import Extract


@pytest.fixture(scope="module")
def example(example_study):
    return example_study


def test_the_example_is_set_beside_its_workbook(example):
    figure, beside = example.mirror()
    assert "Dot plot of 30 scores" in figure.layout.meta["alt"]
    assert beside.compared.height > 130
    assert "Invented trust 1" in beside.summary()
    assert not beside.unrelated
    assert not any("hardly" in said for said in example.cautions)


def test_a_file_of_other_people_is_named_on_the_first_page(example):
    """As many rows as the trust has, under its code, and 0.6 of a score off: 5.36 for 5.96, say."""
    own = example.extracts[-1]
    worse = {
        q: pl.when(pl.col(q) > 2).then(pl.col(q) - 1).otherwise(q) for q in ("q25a", "q25c", "q25d", "q2a")
    }
    made = cm.synthetic.respondents(2024, organisations=3, respondents_per_organisation=2000, seed=77).frame
    frame = made.filter(organisation="SYN03").with_columns(organisation=pl.lit("SYN01"), **worse)
    other = Extract(own.survey, own.period, frame, {})
    found = replace(example, extracts=(other,))
    (said,) = [said for said in found.cautions if "hardly that of the published figures" in said]
    assert "Is it this organisation's" in said
    assert said in found.mirror().figures[1].summary()


def test_without_a_file_or_a_workbook_it_is_said_why(example):
    assert "take a respondent file" in repr(replace(example, published=()).mirror())
    bare = replace(example.published[0], distributions=example.published[0].distributions.table.clear())
    assert "No workbook has the occupations" in repr(replace(example, published=(bare,)).mirror())
