"""Numbers in full that tell what few people answered: each was solved for by somebody outside."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.disclosure.ledger import About, write_ledger
from culture_metrics.extracts.extract import Extract

#: Codes of occupations in 2024, their groups, and a mix of staff in post.
GROUPS = {
    26: "Registered Nurses and Midwives",
    13: "Medical and Dental",
    38: "Wider Healthcare Team",
    34: "Nursing or Healthcare Assistants",
    35: "Social Care",
}
MIX = {"nursing": 0.58, "medical_and_dental": 0.13, "admin_and_clerical": 0.21, "social_care": 0.08}


def staff(random: np.random.Generator, occupation: np.ndarray, directorate: np.ndarray) -> Extract:
    n = len(occupation)
    answers = {
        q: pl.Series(random.choice(np.arange(1, 6, dtype=np.int8), n)) for q in ("q25a", "q25c", "q25d")
    }
    frame = pl.DataFrame(
        {
            "respondent": [f"p{i:05d}" for i in range(n)],
            "organisation": ["RXX"] * n,
            "benchmark_group": ["Acute and Acute & Community Trusts"] * n,
            "locality_1": directorate,
            "q35": pl.Series(occupation.astype(np.int8)),
            **answers,
        }
    )
    return cm.validate(Extract("nss_england", "2024", frame, {})).extract


def ward_of_one_doctor(seed: int) -> Extract:
    """Directorate A has one or two doctors among some seventy others."""
    random = np.random.default_rng(seed)
    ward = np.repeat([13, 26, 38, 34, 35], [1 + seed % 2, 18, 17, 19, 16])
    rest = random.choice([*GROUPS], 240)
    directorate = np.array(["A"] * len(ward) + [*random.choice(["B", "C", "D"], 240)])
    return staff(random, np.append(ward, rest), directorate)


@pytest.mark.filterwarnings("ignore:.*weighted figures:culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("seed", range(3))
def test_replicates_have_no_more_decimals_than_estimates(seed: int) -> None:
    extract, by = ward_of_one_doctor(seed), ["locality_1", "occupation_group"]
    weights = cm.Weights("official", mix=MIX)
    measures = ["advocacy", "recommend_place_to_work"]
    shown = cm.estimate(extract, by=by, weights=weights).table
    drawn = cm.replicate(extract, by=by, weights=weights, measures=measures, draws=20).table
    both = drawn.join(shown, on=["breakdown", "group", "measure"], suffix="_shown").drop_nulls("estimate")
    assert both["estimate"].to_list() == pytest.approx(both["estimate_shown"].to_list(), abs=1e-9)
    ward = both.filter(breakdown="locality_1", group="A", measure="advocacy")
    assert (
        ward["estimate"].to_list() == ward["estimate_shown"].to_list() == ward["estimate"].round(2).to_list()
    )


@pytest.mark.parametrize("seed", range(3))
def test_means_of_own_numbers_with_raked_weights_tell_no_more_than_estimates(seed: int) -> None:
    """Twelve of one directorate, of whom one or two weigh otherwise: the mean in full has one solution."""
    random = np.random.default_rng(seed)
    ward = np.repeat([13, 26], [1 + seed % 2, 11])
    rest = random.choice([26, 13, 38], 200, p=[0.5, 0.2, 0.3])
    directorate = np.array(["A"] * len(ward) + [*random.choice(["B", "C", "D"], 200)])
    extract = staff(random, np.append(ward, rest), directorate)
    post = {GROUPS[26]: 1201.0, GROUPS[13]: 423.0, GROUPS[38]: 877.0}
    raking = cm.rake(extract, {"occupation_group": post})
    frame = cm.score(extract).with_columns(locality_1=extract.frame["locality_1"])
    values = cm.estimate_values(
        frame, ["advocacy"], ["locality_1"], weights=raking, survey="nss_england", period="2024"
    ).table
    (found,) = values.filter(group="A")["estimate"].to_list()
    assert found is None or found == round(found, 2)


def test_the_ledger_s_marks_of_groups_cannot_be_tried_out(tmp_path) -> None:
    """Who knows all ids and all groups but one person's could try what that one answered."""
    extract = staff(np.random.default_rng(1), np.tile([*GROUPS], 30), np.repeat(["A", "B", "C"], 50))
    cm.estimate(extract, by=["locality_1"])
    path = tmp_path / "ledger.json"
    about = About("nss_england", "2024", extract.frame, [*extract.edition.columns], extract.decision)
    write_ledger(path, [about])
    calls = [call for release in json.loads(path.read_text())["releases"] for call in release["calls"]]
    (mark,) = {call["members"]["locality_1"] for call in calls}
    lines = extract.frame.select(pl.concat_str("organisation", "respondent", "locality_1", separator="|"))
    assert mark != sha256("\n".join(sorted(lines.to_series())).encode()).hexdigest()
    # With other answers of the same people in the same groups it is another one.
    other = staff(np.random.default_rng(2), np.tile([*GROUPS], 30), np.repeat(["A", "B", "C"], 50))
    cm.estimate(other, by=["locality_1"])
    write_ledger(
        tmp_path / "other.json",
        [About("nss_england", "2024", other.frame, [*other.edition.columns], other.decision)],
    )
    assert mark not in (tmp_path / "other.json").read_text()
