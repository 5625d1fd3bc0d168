"""The benchmark compares like with like: scores written out by hand equal those of the package."""

from __future__ import annotations

from polars.testing import assert_frame_equal

import culture_metrics as cm
from benchmarks.by_hand import NINE, nine_scores, summary


def test_scores_by_hand_are_the_same() -> None:
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=1000, seed=3)
    ours = cm.score(extract).select("organisation", *NINE)
    assert_frame_equal(nine_scores(extract.frame.lazy()).collect(), ours, abs_tol=1e-12)
    assert ours["staff_engagement"].is_between(0, 10).sum() > 900


def test_summary_by_hand_is_the_same() -> None:
    extract = cm.synthetic.respondents(2024, organisations=2, respondents_per_organisation=300, seed=4)
    by_hand = summary(nine_scores(extract.frame.lazy())).collect()
    ours = cm.estimate(extract).filter(measure="morale", breakdown="all").sort("organisation")
    for column, name in {"estimate": "morale", "std_error": "morale_std_error"}.items():
        assert_frame_equal(
            ours.select("organisation", column),
            by_hand.select("organisation", **{column: name}),
            abs_tol=1e-12,
        )
    assert ours["base"].to_list() == by_hand["morale_base"].to_list()
