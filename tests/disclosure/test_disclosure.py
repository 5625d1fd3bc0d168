"""No small cell is shown, and none follows from the total and the other groups."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from culture_metrics import distributions, estimate, suppress, synthetic, validate
from culture_metrics.catalogue import catalogue
from culture_metrics.contract import as_distributions, as_organisations, as_results, check_released
from culture_metrics.disclosure import audit_disclosure
from culture_metrics.errors import CultureMetricsError, ResultsError
from culture_metrics.published import Published, write_published
from culture_metrics.reporting.excel import write_results
from data_schemas.columns import DISTRIBUTIONS, ORGANISATIONS


def results_of(bases: dict[str, int]) -> pl.DataFrame:
    groups = {"all": sum(bases.values()), **bases}
    return as_results(
        pl.DataFrame(
            {
                "survey": "nss_england",
                "period": "2024",
                "organisation": "RXX",
                "breakdown": ["all"] + ["locality_1"] * len(bases),
                "group": list(groups),
                "measure": "staff_engagement",
                "unit": "score",
                "estimate": 7.0,
                "base": list(groups.values()),
                "weighting": "none",
                "status": "reported",
                "source": "respondents",
            }
        )
    )


def hidden(bases: dict[str, int], minimum_base: int = 11) -> dict[str, str]:
    table = suppress(results_of(bases), minimum_base).table
    rows = table.filter(pl.col("status") != "reported").select("group", "status").rows()
    return dict(rows)


def test_large_groups_are_all_shown():
    assert hidden({"a": 11, "b": 200}) == {}


def test_one_small_group_takes_the_next_smallest_with_it():
    assert hidden({"a": 5, "b": 30, "c": 200}) == {"a": "suppressed_small_base", "b": "suppressed_secondary"}


def test_small_groups_that_hold_too_few_together_take_another_with_them():
    got = hidden({"a": 2, "b": 3, "c": 40, "d": 90})
    assert got == {
        "a": "suppressed_small_base",
        "b": "suppressed_small_base",
        "c": "suppressed_secondary",
    }


def test_small_groups_that_hold_enough_together_need_no_other():
    assert set(hidden({"a": 8, "b": 9, "c": 40})) == {"a", "b"}


def test_with_two_groups_both_are_hidden():
    assert set(hidden({"a": 4, "b": 400})) == {"a", "b"}


def test_the_official_minimum_shows_ten():
    assert hidden({"a": 10, "b": 200}, minimum_base=10) == {}
    assert set(hidden({"a": 10, "b": 200})) == {"a", "b"}


def test_hidden_rows_have_no_numbers_and_a_second_pass_changes_nothing():
    once = suppress(results_of({"a": 5, "b": 30, "c": 200})).table
    numbers = once.filter(pl.col("status") != "reported").select("estimate", "base", "std_error")
    assert numbers.null_count().sum_horizontal().item() == numbers.height * 3
    assert suppress(once).table.equals(once)


def test_on_random_tables_no_hidden_group_can_be_worked_out():
    draw = np.random.default_rng(7)
    drawn = {
        f"R{place:02}": {f"g{i}": int(n) for i, n in enumerate(draw.integers(1, 60, draw.integers(2, 9)))}
        for place in range(300)
    }
    frames = [results_of(b).with_columns(organisation=pl.lit(name)) for name, b in drawn.items()]
    done = suppress(pl.concat(frames)).table
    assert audit_disclosure(done).ok
    for name, bases in drawn.items():
        table = done.filter(organisation=name)
        kept = dict(table.filter(status="reported").select("group", "base").rows())
        gone = [g for g in bases if g not in kept]
        assert all(n >= 11 for n in kept.values())
        rest = kept.get("all", 0) - sum(n for g, n in kept.items() if g != "all")
        if gone and "all" in kept:
            assert len(gone) > 1
            assert rest >= 11 or len(kept) == 1


@pytest.fixture(scope="module")
def clean():
    return validate(synthetic.respondents(2024, respondents_per_organisation=600, seed=3)).extract


@pytest.mark.parametrize("make", [estimate, distributions])
def test_it_is_on_by_default(clean, make):
    table = make(clean, by=["locality_1", "occupation_group"]).table
    shown = table.filter(status="reported")
    assert shown["base"].min() >= 11
    assert table.filter(pl.col("status").is_in(["suppressed_small_base", "suppressed"])).height > 0


def test_a_distribution_is_hidden_when_its_headline_would_be(clean):
    shown = distributions(clean, by=["locality_1"]).table.filter(
        question="role_makes_difference", status="reported", option=9
    )
    left = shown["base"] * (1 - shown["percent"] / 100)
    assert left.min() >= 11 - 1e-6


def test_an_element_is_hidden_with_its_sub_scores():
    bases = {"morale": 12, "stressors": 12, "work_pressure": 10, "thinking_about_leaving": 12}
    tables = [
        results_of({"a": n, "b": 30, "c": 80}).with_columns(measure=pl.lit(name)) for name, n in bases.items()
    ]
    done = suppress(pl.concat(tables)).table
    hidden_in = (
        done.filter(pl.col("status") != "reported").group_by("group").agg(pl.col("measure").n_unique())
    )
    assert dict(hidden_in.rows()) == {"a": 4, "b": 4}
    small = done.filter(status="suppressed_small_base").select("group", "measure").rows()
    assert small == [("a", "work_pressure")]


def test_the_auditor_says_what_is_open_and_never_the_number():
    done = suppress(results_of({"a": 5, "b": 30, "c": 200})).table
    assert audit_disclosure(done).ok
    again = results_of({"a": 5, "b": 30, "c": 200}).filter(group="b")
    leak = pl.concat([done.filter(pl.col("group") != "b"), again])
    audit = audit_disclosure(leak)
    assert not audit.ok
    assert set(audit.table.select("group", "finding").rows()) == {("a", "exact"), ("a", "few")}
    assert "base" not in audit.table.columns
    assert audit.table["width"].to_list() == [0.0, 0.0]
    shown = audit_disclosure(results_of({"a": 5, "b": 30, "c": 200}))
    assert shown.table.select("group", "finding").rows() == [("a", "shown")]


def test_percentages_that_count_too_few_are_hidden_when_asked():
    table = results_of({"a": 40, "b": 50, "c": 60}).with_columns(
        unit=pl.lit("percent").cast(pl.Enum(["percent", "score"])),
        estimate=pl.Series([50.0, 5.0, 60.0, 70.0]).gather([0, 1, 2, 3]),
    )
    small = table.filter(breakdown="locality_1").sort("estimate")["group"][0]
    assert suppress(table).table.filter(pl.col("status") != "reported").is_empty()
    done = suppress(table, minimum_count=3).table
    assert done.filter(status="suppressed_small_base")["group"].to_list() == [small]
    assert done.filter(status="suppressed_secondary").height == 1
    assert audit_disclosure(done, minimum_count=3).ok
    assert not audit_disclosure(table, minimum_count=3).ok


def test_a_distribution_and_its_headline_are_hidden_together():
    headline = results_of({"a": 10, "b": 40, "c": 60}).with_columns(
        measure=pl.lit("recommend_place_to_work"), unit=pl.lit("percent").cast(pl.Enum(["percent", "score"]))
    )
    # One more person answered "don't know": the distribution alone would be large enough.
    rows = headline.with_columns(
        base=(pl.col("base") + pl.col("group").is_in(["a", "all"])).cast(pl.UInt32)
    ).join(pl.DataFrame({"option": [1, 2]}, schema={"option": pl.Int16}), how="cross")
    answers = as_distributions(rows.rename({"measure": "question", "estimate": "percent"}).drop("unit"))
    told, options = (one.table for one in suppress(headline, distributions=answers))
    assert suppress(headline).table.equals(told)
    assert options.filter(pl.col("status") != "reported")["group"].unique().sort().to_list() == ["a", "b"]
    assert options.filter(group="a")["status"].unique().to_list() == ["suppressed_secondary"]
    assert options.filter(group="a")["percent"].null_count() == 2


def test_two_releases_that_differ_by_few_are_found_out():
    everybody = suppress(results_of({"a": 15, "b": 30, "c": 200})).table
    without = suppress(results_of({"a": 15, "b": 26, "c": 200})).table
    for pair in ((everybody, without), (without, everybody)):
        table = audit_disclosure(*pair).table
        assert set(table.select("group", "finding").rows()) == {("all", "difference"), ("b", "difference")}
    assert audit_disclosure(everybody, everybody).ok
    assert audit_disclosure(everybody, suppress(results_of({"a": 15, "b": 60, "c": 200})).table).ok


def test_the_same_year_hidden_otherwise_is_found_out():
    # What each release hides beside the small group, the other shows.
    first = suppress(results_of({"a": 5, "b": 30, "c": 200})).table
    bases = results_of({"a": 5, "b": 30, "c": 200})
    hidden = pl.col("group").is_in(["a", "c"])
    second = bases.with_columns(
        pl.when(pl.col("group") == "a").then(pl.lit("suppressed_small_base"))
        .when(hidden).then(pl.lit("suppressed_secondary"))
        .otherwise(pl.col("status").cast(pl.String)).cast(bases.schema["status"]).alias("status"),
        *(pl.when(~hidden).then(pl.col(c)).alias(c) for c in ("base", "estimate")),
    )  # fmt: skip
    assert audit_disclosure(first).ok
    assert audit_disclosure(second).ok
    table = audit_disclosure(first, second).table
    assert ("a", "exact") in table.select("group", "finding").rows()


def test_rounded_bases_protect_as_far_as_they_are_rounded():
    done = suppress(results_of({"a": 5, "b": 30, "c": 200})).table
    leak = pl.concat(
        [done.filter(pl.col("group") != "b"), results_of({"a": 5, "b": 30, "c": 200}).filter(group="b")]
    )
    assert {"exact"} <= set(audit_disclosure(leak).table["finding"])
    rounded = leak.with_columns((pl.col("base") / 10).round().mul(10).cast(pl.UInt32).alias("base"))
    assert audit_disclosure(rounded, rounded_to=10).ok


def test_groups_within_groups_do_not_give_each_other_away():
    # Occupations add up to occupation groups (catalogue): a hidden group needs a hidden occupation in another.
    edition = catalogue().edition(2024)
    parents = {
        code: name for name, codes in edition.breakdowns["occupation_group"].groups.items() for code in codes
    }
    draw = np.random.default_rng(5)
    frames = []
    for place in range(20):
        fine = {n: int(draw.integers(1, 60)) for n in edition.breakdowns["occupation"].groups}
        coarse: dict[str, int] = {}
        for name, codes in edition.breakdowns["occupation"].groups.items():
            coarse[parents[codes[0]]] = coarse.get(parents[codes[0]], 0) + fine[name]
        rows = [("all", "all", sum(fine.values())), *(("occupation", n, b) for n, b in fine.items())]
        rows += [("occupation_group", n, b) for n, b in coarse.items()]
        table = pl.DataFrame(rows, schema=["breakdown", "group", "base"], orient="row")
        frames.append(table.with_columns(organisation=pl.lit(f"R{place:02}")))
    whole = pl.concat(frames).with_columns(
        survey=pl.lit("nss_england"), period=pl.lit("2024"), measure=pl.lit("morale"), unit=pl.lit("score"),
        estimate=pl.lit(6.0), weighting=pl.lit("none"), status=pl.lit("reported"), source=pl.lit("respondents"),
    )  # fmt: skip
    one_by_one, at_once = whole, pl.concat([whole.with_columns(measure=pl.lit(f"m{i}")) for i in range(12)])
    for results in (as_results(one_by_one), as_results(at_once)):
        done = suppress(results).table
        assert audit_disclosure(done).ok
        assert done.filter(status="suppressed_secondary").height > 0


def test_organisations_do_not_follow_from_all_of_them_together():
    bases = {
        "R1": {"a": 5, "b": 40, "c": 50},
        "R2": {"a": 30, "b": 41, "c": 52},
        "R3": {"a": 33, "b": 60, "c": 9},
    }
    total = {g: sum(b[g] for b in bases.values()) for g in "abc"}
    tables = [results_of(b).with_columns(organisation=pl.lit(n)) for n, b in {**bases, "all": total}.items()]
    done = suppress(pl.concat(tables)).table
    assert audit_disclosure(done).ok
    each = pl.concat([suppress(t).table for t in tables])
    assert not audit_disclosure(each).ok


def test_nothing_is_written_on_too_few(tmp_path):
    table = results_of({"a": 5, "b": 30, "c": 200})
    with pytest.raises(ResultsError, match="Nothing is written: 1 results") as caught:
        check_released(table)
    assert "locality" not in str(caught.value)
    check_released(suppress(table).table)
    nobody = as_distributions(pl.DataFrame(schema=DISTRIBUTIONS))
    published = Published(
        "nss_england", "2024", table, nobody, as_organisations(pl.DataFrame(schema=ORGANISATIONS))
    )
    with pytest.raises(ResultsError, match="Nothing is written"):
        write_published(tmp_path / "x.xlsx", published)
    with pytest.raises(ResultsError, match="Nothing is written"):
        write_results(tmp_path / "y.xlsx", None, table, nobody, None)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_a_weighted_percentage_is_held_to_the_respondents_it_counts():
    extract = synthetic.respondents(2024, organisations=2, respondents_per_organisation=120, seed=3)
    # For another minimum, with what is not hidden yet; how many are in a group is for `estimate` to hide.
    rules = {"by": ["gender"], "minimum_base": 1}
    wanted = pl.col("unit") == "percent", pl.col("measure") != "long_term_condition"
    weighted = estimate(extract, weights="official", **rules).table.filter(*wanted)
    plain = estimate(extract, **rules).table.filter(*wanted)
    key, least = ["organisation", "breakdown", "group", "measure"], 14
    counts = plain.filter(status="reported").select(
        *key, counted=pl.min_horizontal("estimate", 100 - pl.col("estimate")) * pl.col("base") / 100
    )
    alone = suppress(weighted, minimum_count=least).table
    beside = suppress(pl.concat([weighted, plain]).unique([*key, "weighting"]), minimum_count=least).table
    numbers = []
    for done in (alone, beside):
        assert audit_disclosure(done, minimum_count=least).ok
        shown = done.filter(status="reported", weighting="occupation_group").join(counts, on=key)
        assert shown["counted"].min() >= least - 1e-6
        numbers.append(shown.height)
    # What the unweighted percentages say is nearer than the bound.
    assert 0 < numbers[0] <= numbers[1]
    blind = weighted.with_columns(effective_base=pl.lit(None, pl.Float64))
    with pytest.raises(CultureMetricsError, match="How many respondents a weighted percentage counts"):
        suppress(blind, minimum_count=least)


def test_the_summary_says_the_rule_and_what_breaks_it():
    table = results_of({"a": 5, "b": 30, "c": 200})
    broken = audit_disclosure(table)
    assert broken.summary() == (
        "The rule: no figure on fewer than 11 respondents is shown, nor one from which such a figure would "
        "follow. 1 result breaks it: 1 × shown although too small."
    )
    assert repr(broken) == broken.summary()
    kept = audit_disclosure(suppress(table).table)
    assert kept.summary().endswith("2 hidden results were attacked; none is open.")
    assert audit_disclosure(results_of({"a": 50, "b": 60})).summary().endswith("Nothing is hidden.")


def test_columns_of_categories_are_read_as_text():
    table = results_of({"a": 5, "b": 30, "c": 200})
    names = ["survey", "period", "organisation", "breakdown", "group", "measure"]
    coded = table.with_columns(pl.col(names).cast(pl.Categorical))
    done = suppress(coded).table
    assert done["status"].equals(suppress(table).table["status"])
    assert audit_disclosure(done, done).ok
