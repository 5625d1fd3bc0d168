"""The benchmark compares like with like: scores written out by hand equal those of the package."""

from __future__ import annotations

import subprocess
import sys

import pytest
from polars.testing import assert_frame_equal

import culture_metrics as cm
from benchmarks import data, estimates, run
from benchmarks.by_hand import NINE, nine_scores, summary


def test_scores_by_hand_are_the_same() -> None:
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=1000, seed=3)
    ours = cm.score(extract).select("organisation", *NINE)
    assert_frame_equal(nine_scores(extract.frame.lazy()).collect(), ours, abs_tol=1e-12)
    assert ours["staff_engagement"].is_between(0, 10).sum() > 900


def test_summary_by_hand_is_the_same() -> None:
    extract = cm.synthetic.respondents(2024, organisations=2, respondents_per_organisation=300, seed=4)
    by_hand = summary(nine_scores(extract.frame.lazy())).collect()
    ours = cm.estimate(extract).table.filter(measure="morale", breakdown="all").sort("organisation")
    for column, name in {"estimate": "morale", "std_error": "morale_std_error"}.items():
        assert_frame_equal(
            ours.select("organisation", column),
            by_hand.select("organisation", **{column: name}),
            abs_tol=1e-12,
        )
    assert ours["base"].to_list() == by_hand["morale_base"].to_list()


def test_nine_weighted_scores_by_hand_are_the_same(tmp_path, monkeypatch) -> None:
    for module in (data, estimates):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    data.make_trusts("trusts", 3000, 6)
    hand = estimates.by_hand("trusts")()
    ours = estimates.ours("trusts")().filter(breakdown="all", status="reported")
    assert ours.height == 6 * 9
    for score in estimates.SCORES:
        both = ours.filter(measure=score).join(hand, left_on="organisation", right_on="trust")
        for number, by_hand in (("estimate", score), ("std_error", f"{score}_se"), ("base", f"{score}_n")):
            assert both[number].to_list() == pytest.approx(both[by_hand].to_list(), rel=1e-12)


def test_imports_are_timed_where_nothing_is_imported_yet() -> None:
    with pytest.raises(SystemExit, match="imported before"):
        run.import_polars()
    looked = (
        "import sys, benchmarks.run; sys.exit(any(m in sys.modules for m in ('polars', 'culture_metrics')))"
    )
    assert subprocess.run([sys.executable, "-c", looked], cwd=run.ROOT, check=False).returncode == 0
