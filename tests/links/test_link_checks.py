"""Every error and every warning of `link_outcomes`, on a made-up panel that brings it up."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError, UnknownNameError
from culture_metrics.links.checks import MEANINGS

ORGS, YEARS = 50, 4
COUNT = cm.Outcome("cases", kind="count", exposure="bed_days", better="low")
SHARE = cm.Outcome("share", kind="proportion", base="trials")
RATING = cm.Outcome("rating", kind="ordinal", levels=("1", "2", "3"))


def make(orgs=ORGS, years=YEARS, seed=1):
    rng = np.random.default_rng(seed)
    n = orgs * years
    org = np.repeat(np.arange(orgs), years)
    z = 7 + 0.3 * rng.normal(size=orgs)[org] + 0.3 * rng.normal(size=n)
    y = 1 - 0.05 * (z - 7) + 0.1 * rng.normal(size=orgs)[org] + 0.05 * rng.normal(size=n)
    trials = rng.integers(50, 200, n)
    return pl.DataFrame(
        {
            "organisation": [f"R{i:03d}" for i in org],
            "year": np.tile(np.arange(2020, 2020 + years), orgs),
            "z": z,
            "y": y,
            "x": rng.normal(size=n),
            "region": np.array(["a", "b", "c", "d", "e"])[org % 5],
            "bed_days": rng.uniform(1e5, 3e5, n),
            "cases": rng.poisson(5, n),
            "trials": trials,
            "share": rng.binomial(trials, 0.4) / trials,
            "rating": rng.integers(1, 4, n),
            "flag": rng.integers(0, 2, n),
            "w": rng.uniform(1, 2, n),
        }
    )


@pytest.fixture(scope="module")
def panel():
    return make()


def at(panel, column, value, rows=(0,)):
    """Return the panel with some rows of a column changed."""
    number = pl.int_range(pl.len())
    return panel.with_columns(
        pl.when(number.is_in(list(rows))).then(pl.lit(value)).otherwise(column).alias(column)
    )


def duplicated(panel):
    return pl.concat([panel, panel.head(7)])


ERRORS = {
    "duplicate key, five shown": (duplicated, {}, r"R000 2020.*R001 2020 and 2 more(.|\n)*7 keys more than once"),
    "infinite": (lambda p: at(p, "z", float("inf"), (4,)), {}, r"infinite(.|\n)*R001"),
    "year is text": (lambda p: p.with_columns(pl.col("year").cast(pl.String)), {}, "not whole numbers"),
    "key missing": (lambda p: at(p, "organisation", None), {}, "1 rows have no organisation"),
    "text indicator": (lambda p: p, {"indicators": "region"}, "not numeric"),
    "few organisations": (lambda p: p.head(9 * YEARS), {}, "Only 9 organisations"),
    "empty control": (
        lambda p: p.with_columns(pl.lit(None, pl.Float64).alias("empty")),
        {"controls": ("empty",)},
        r"Only 0 organisations(.|\n)*missing empty \(200 rows\)",
    ),
    "few rows": (
        lambda p: p.filter(year=2020).head(12).with_columns(pl.int_range(pl.len()).pow(2).alias("a"), pl.int_range(pl.len()).pow(3).alias("b")),
        {"controls": ("a", "b", "x")},
        r"12 rows are too few for 5 parameters",
    ),
    "constant": (lambda p: p.with_columns(pl.lit(3.0).alias("z")), {}, "'z' does not vary in the rows"),
    "all zero": (lambda p: p.with_columns(pl.lit(0.0).alias("z")), {}, "placeholder"),
    "outcome all zero": (lambda p: p.with_columns(pl.lit(0.0).alias("y")), {}, "0 in every row"),
    "constant within organisations": (
        lambda p: p.with_columns(pl.col("z").mean().over("organisation")),
        {"design": "fixed_effects"},
        "does not vary within organisations",
    ),
    "constant changes": (
        lambda p: p.with_columns(pl.col("z").mean().over("organisation")),
        {"design": "first_difference"},
        "does not vary from year to year",
    ),
    "constant, split": (
        lambda p: p.with_columns(pl.col("z").mean().over("organisation")),
        {"design": "within_between"},
        "does not vary within organisations",
    ),
    "aliased": (
        lambda p: p.with_columns((pl.col("x") + pl.col("bed_days")).alias("sum")),
        {"controls": ("x", "bed_days", "sum")},
        r"can be worked out from the others(.|\n)*sum",
    ),
    "share above 1": (
        lambda p: p.with_columns(pl.col("share") * 100),
        {"outcomes": SHARE},
        r"outside their range(.|\n)*percent=True",
    ),
    "base of 0": (lambda p: at(p, "trials", 0), {"outcomes": SHARE}, r"'trials' is missing or not positive in 1 rows(.|\n)*R000"),
    "no exposure": (lambda p: at(p, "bed_days", None), {"outcomes": COUNT}, "'bed_days' is missing"),
    "part of a case": (lambda p: p.with_columns(pl.col("cases") + 0.5), {"outcomes": COUNT}, "whole numbers"),
    "two levels": (
        lambda p: p.with_columns(pl.col("rating").clip(1, 2)),
        {"outcomes": RATING},
        r"fewer than three levels(.|\n)*kind='binary'",
    ),
    "odd level": (lambda p: at(p, "rating", 9), {"outcomes": RATING}, r"not among its levels(.|\n)*9"),
    "three values": (lambda p: p, {"outcomes": cm.Outcome("region", kind="binary")}, "5 values, not two"),
    "2 in 0 and 1": (lambda p: at(p, "flag", 2), {"outcomes": cm.Outcome("flag", kind="binary")}, "0 or 1"),
    "few clusters": (lambda p: p.head(40), {"cov": "cluster", "controls": ()}, None),
    "one row each, mixed": (lambda p: p.filter(year=2020), {"design": "mixed"}, "more than one row"),
    "one row each, equations": (lambda p: p.filter(year=2020), {"design": "mixed", "outcomes": SHARE}, "more than one row"),
    "lag too long": (lambda p: p, {"lag": 4}, "longer than the panel"),
    "lag of -1": (lambda p: p, {"lag": -1}, "number of years from 0"),
    "fixed effects, ordinal": (lambda p: p, {"design": "fixed_effects", "outcomes": RATING}, "no fixed_effects model"),
    "fixed effects, binary": (
        lambda p: p,
        {"design": "fixed_effects", "outcomes": cm.Outcome("flag", kind="binary")},
        "no fixed_effects model",
    ),
    "mixed, ordinal": (lambda p: p, {"design": "mixed", "outcomes": RATING}, "no mixed model"),
    "cross-lagged share": (lambda p: p, {"design": "cross_lagged", "outcomes": SHARE}, "kind proportion has no cross_lagged model"),
    "dynamic fixed effects": (
        lambda p: p.with_columns(pl.col("y").shift(1).over("organisation").alias("y_before")),
        {"design": "fixed_effects", "controls": ("y_before",)},
        r"Nickell(.|\n)*allow_dynamic_fe=True",
    ),
    "outcome is indicator": (lambda p: p, {"indicators": "y"}, "part of the outcome"),
    "outcome rescaled": (lambda p: p.with_columns((pl.col("y") * 10 + 3).alias("z")), {}, "same numbers on another scale"),
    "cases of a rate": (
        lambda p: p.with_columns((pl.col("cases") / pl.col("bed_days")).alias("z")),
        {"outcomes": COUNT},
        "same numbers",
    ),
    "outcome is a sum": (
        lambda p: p.with_columns((pl.col("y") + pl.col("x")).alias("z")),
        {"controls": ("x",)},
        "can be worked out from the columns",
    ),
    "weight of 0": (lambda p: at(p, "w", 0.0), {"weights": "w"}, "not all above 0"),
    "weights, mixed": (lambda p: p, {"weights": "w", "design": "mixed"}, "takes no weights"),
    "no such design": (lambda p: p, {"design": "panel"}, "no design 'panel'"),
    "no such covariance": (lambda p: p, {"cov": "HC9"}, "no cov 'HC9'"),
    "no such adjustment": (lambda p: p, {"adjust": "none"}, "no adjust 'none'"),
    "no such step": (lambda p: p, {"standardise": "mad"}, "no standardise 'mad'"),
    "step of 0": (lambda p: p, {"standardise": {"z": 0.0}}, "not above 0"),
    "interval of 95": (lambda p: p, {"conf_level": 95}, "between 0 and 1"),
    "HC3 of an ordered logit": (lambda p: p, {"outcomes": RATING, "cov": "HC3"}, "takes no cov='HC3'"),
    "HC1 of estimating equations": (lambda p: p, {"design": "mixed", "outcomes": SHARE, "cov": "HC1"}, "takes no cov='HC1'"),
    "organisations of one row, fixed effects": (
        lambda p: p.filter((pl.col("year") == 2020) | pl.col("organisation").str.ends_with("1")),
        {"design": "fixed_effects"},
        r"Only 5 organisations(.|\n)*organisation with only one row \(45 rows\)",
    ),
    "everything spent": (
        lambda p: p.filter(pl.col("year") < 2022).head(20).with_columns(pl.int_range(pl.len()).pow(i).alias(f"k{i}") for i in range(2, 10)),
        {"design": "fixed_effects", "controls": tuple(f"k{i}" for i in range(2, 10))},
        r"20 rows are too few for 20 parameters(.|\n)*at least 21 rows",
    ),
    "no rows": (lambda p: p.head(0), {}, "no rows"),
}  # fmt: skip


@pytest.mark.parametrize("error", [name for name in ERRORS if ERRORS[name][2]])
def test_error(error, panel):
    change, more, message = ERRORS[error]
    with pytest.raises(LinkError) as caught:
        cm.link_outcomes(change(panel), **({"indicators": "z", "outcomes": "y"} | more))
    assert re.search(message, str(caught.value)), str(caught.value)
    assert caught.value.where or caught.value.expected or caught.value.hint


def test_missing_column(panel):
    with pytest.raises(UnknownNameError, match="no column 'engagment'") as caught:
        cm.link_outcomes(panel.rename({"z": "engagement"}), "engagment", "y")
    assert "engagement" in str(caught.value)


def test_few_clusters_refused():
    from culture_metrics.models.covariance import covariance
    from culture_metrics.models.linear import solve_linear

    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(40), rng.normal(size=40)])
    with pytest.raises(LinkError, match="9 organisations"):
        covariance(solve_linear(rng.normal(size=40), x), "cluster", np.arange(40) * 9 // 40)


def flags_of(panel, indicators="z", outcomes="y", **more):
    table = cm.link_outcomes(panel, indicators, outcomes, **more).table
    return set(table.filter(role="main")["flags"].str.split("; ").explode().to_list())


def rare(panel):
    return panel.with_columns(pl.when(pl.int_range(pl.len()) < 5).then(4).otherwise("rating").alias("rating"))


def curved_odds(panel):
    z = (pl.col("z") - 7) / 0.4
    return panel.with_columns(
        pl.when(z.abs() > 1.2)
        .then(pl.when(z > 0).then(3).otherwise(2))
        .otherwise(pl.when(z > 0.5).then(1).when(z > -0.2).then(3).otherwise(1))
        .alias("rating")
    )


def lead(panel):
    """The outcome follows next year's indicator."""
    after = pl.col("z").shift(-1).over("organisation").fill_null(7)
    return panel.with_columns((pl.col("y") - 0.5 * after).alias("y"))


def backwards(panel):
    before = pl.col("y").shift(1).over("organisation").fill_null(1)
    return panel.with_columns((pl.col("z") * 0.1 + 3 * before).alias("z"))


def apart(panel):
    mean = pl.col("z").mean().over("organisation")
    return panel.with_columns((pl.col("y") + 0.8 * mean).alias("y"))


def overdispersed(panel):
    rng = np.random.default_rng(2)
    return panel.with_columns(pl.Series("cases", rng.negative_binomial(1, 0.1, panel.height)))


def no_organisation_variance(panel):
    """Each organisation's values are opposite in pairs, so its mean never differs."""
    noise = np.tile([0.1, -0.1], panel.height // 2) * np.random.default_rng(3).uniform(
        0.5, 1.5, panel.height
    ).repeat(1)
    even = noise.reshape(-1, 2)
    even[:, 1] = -even[:, 0]
    return panel.with_columns(pl.Series("y", even.ravel()))


def leaning(panel):
    return panel.with_columns(
        pl.when(pl.col("organisation") == "R000").then(30 + pl.int_range(pl.len())).otherwise("z").alias("z"),
        pl.when(pl.col("organisation") == "R000")
        .then(20.0 + pl.int_range(pl.len()))
        .otherwise("y")
        .alias("y"),
    )


def odd_region(panel):
    region = pl.when(pl.col("organisation") == "R000").then(pl.lit("z")).otherwise("region")
    return panel.with_columns(region.alias("region"))


def separated(panel):
    return panel.with_columns((pl.col("z") > 7).cast(pl.Int8).alias("flag"))


FLAGS = {
    "few_orgs": (lambda p: p.head(20 * YEARS), {}),
    "few_clusters": (lambda p: p.head(35 * YEARS), {}),
    "not_clustered": (lambda p: p, {"cov": "HC1"}),
    "cautious_hc3": (lambda p: p, {"design": "fixed_effects", "cov": "HC3"}),
    "same_source": (lambda p: p, {"outcomes": cm.Outcome("y", kind="continuous", same_source=True)}),
    "merged_levels": (rare, {"outcomes": cm.Outcome("rating", kind="ordinal", levels=("1", "2", "3", "4"))}),
    "overdispersed": (overdispersed, {"outcomes": COUNT}),
    "prop_odds": (curved_odds, {"outcomes": RATING}),
    "boundary": (no_organisation_variance, {"design": "mixed"}),
    "separation": (separated, {"outcomes": cm.Outcome("flag", kind="binary")}),
    "influential": (leaning, {}),
    "placebo": (lead, {}),
    "reverse": (backwards, {"design": "cross_lagged"}),
    "within_ne_between": (apart, {}),
    "weighted": (lambda p: p, {"weights": "w"}),
    "weights_matter": (lambda p: p.with_columns(pl.when(pl.col("x") * (pl.col("z") - 7) > 0).then(50.0).otherwise(1.0).alias("w"), (pl.col("y") + pl.col("x")).alias("y")), {"weights": "w"}),
    "gaps": (lambda p: p.filter(~((pl.col("organisation") == "R007") & (pl.col("year") == 2021))), {"lag": 1}),
    "scale_break": (lambda p: p.with_columns(pl.when(pl.col("year") < 2022).then(pl.col("z") / 2).otherwise("z").alias("z")), {}),
    "all_zero_column": (lambda p: p.with_columns(pl.lit(0.0).alias("empty")), {"controls": ("empty",)}),
    "rounded": (lambda p: p.with_columns(pl.col("z").round(1).clip(6.6, 7.4)), {}),
    "rare_levels": (odd_region, {"controls": ("region",)}),
    "small_base": (lambda p: at(p, "trials", 5), {"outcomes": SHARE}),
    "mixed_org_types": (lambda p: p.with_columns(pl.col("region").alias("benchmark_group")), {}),
    "multiple_testing": (lambda p: p.with_columns(**{f"z{i}": pl.Series(np.random.default_rng(i).normal(size=p.height)) for i in range(21)}), {"indicators": [f"z{i}" for i in range(21)], "year_effects": False}),
    "nonlinear": (lambda p: p.with_columns((pl.col("y") + (pl.col("z") - 7) ** 2).alias("y")), {}),
    "unreliable": (lambda p: p.with_columns(pl.Series("p", np.random.default_rng(4).binomial(50, 0.5, p.height) / 50), pl.lit(50).alias("p_base")), {"indicators": "p"}),
    "sparse_events": (lambda p: at(p.with_columns(pl.lit(0).alias("flag")), "flag", 1, range(0, 200, 10)), {"outcomes": cm.Outcome("flag", kind="binary")}),
    "collinear": (lambda p: p.with_columns((pl.col("z") + 0.05 * pl.col("x")).alias("nearly")), {"controls": ("nearly",)}),
    "scrambled_codes": (lambda p: p.with_columns((pl.col("region") + (pl.col("organisation").str.tail(1).cast(pl.Int64) // 5).cast(pl.String)).alias("region_code"), pl.col("region").alias("region_name")), {"controls": ("region_code",)}),
    "not_0_to_10": (lambda p: p.with_columns((pl.col("z") / 2).alias("engagement")), {"indicators": "engagement"}),
    "percent_below_one": (lambda p: p, {"outcomes": cm.Outcome("share", kind="rate", percent=True)}),
}  # fmt: skip


@pytest.mark.parametrize("flag", FLAGS)
def test_flag(flag, panel):
    change, more = FLAGS[flag]
    settings = {"indicators": "z", "outcomes": "y"} | more
    assert flag in flags_of(change(panel), **settings)
    quiet = {
        key: value
        for key, value in settings.items()
        if key not in ("weights", "outcomes", "controls", "indicators", "cov")
    }
    if flag != "influential":
        assert flag not in flags_of(panel, **quiet)


def test_a_clear_link_hangs_on_no_organisation(panel):
    clear = panel.with_columns((pl.col("y") - 0.5 * pl.col("z")).alias("y"))
    assert "influential" not in flags_of(clear)


def test_dynamic_fixed_effects_on_request(panel):
    before = panel.with_columns(pl.col("y").shift(1).over("organisation").alias("y_before"))
    settings = {"design": "fixed_effects", "controls": ("y_before",), "allow_dynamic_fe": True}
    assert cm.link_outcomes(before, "z", "y", **settings).table["estimate"].null_count() == 0


def test_every_flag_has_a_meaning_and_a_test():
    assert set(FLAGS) | {"not_converged", "not_fitted"} == set(MEANINGS)


def test_a_model_that_fails_leaves_a_row_and_the_call_goes_on(panel):
    outcomes = [cm.Outcome("flag", kind="binary"), cm.Outcome("y", kind="continuous")]
    result = cm.link_outcomes(separated(panel), ["z", "x"], outcomes)
    failed = result.table.filter(outcome="flag", indicator="z").row(0, named=True)
    assert failed["estimate"] is failed["effect"] is failed["p_value"] is failed["p_adjusted"] is None
    assert "separation" in failed["flags"]
    assert failed["base"] == ORGS * YEARS
    others = result.table.filter(~((pl.col("outcome") == "flag") & (pl.col("indicator") == "z")))
    assert others["estimate"].null_count() == 0
    assert any("the model failed (separation)" in said for said in result.statements)


def test_no_convergence(panel, monkeypatch):
    from dataclasses import replace

    from culture_metrics.models import fit as module

    solve = module.solve_glm
    monkeypatch.setattr(module, "solve_glm", lambda *given: replace(solve(*given), converged=False))
    result = cm.link_outcomes(panel, "z", [COUNT, "y"])
    failed, other = (
        result.table.filter(outcome=name, role="main").row(0, named=True) for name in ("cases", "y")
    )
    assert (failed["estimate"], "not_converged" in failed["flags"]) == (None, True)
    assert other["estimate"] is not None


def test_rare_levels_of_a_control_go_with_their_rows(panel):
    sample = cm.link_outcomes(odd_region(panel), "z", "y", controls=("region",)).sample
    lost = sample.filter(pl.col("step").str.contains("level 'z'")).row(0, named=True)
    assert (lost["column"], lost["rows_lost"], lost["organisations_lost"]) == ("region", YEARS, 1)


def test_constant_and_repeated_controls_are_left_out(panel):
    twice = panel.with_columns(pl.lit(4.0).alias("same"), pl.col("x").alias("again"))
    sample = cm.link_outcomes(twice, "z", "y", controls=("x", "same", "again")).sample
    steps = dict(
        sample.filter(pl.col("step").str.contains("left out")).select("column", "step").unique().rows()
    )
    assert steps == {"same": "does not vary: left out", "again": "the same as 'x': left out"}


def test_lag_is_a_join_not_a_shift(panel):
    """A missing year leaves a gap: the year before it is not paired with the year after it."""
    holed = panel.filter(pl.col("year") != 2021)
    table = cm.link_outcomes(holed, "z", "y", lag=1, year_effects=False).table.row(0, named=True)
    assert table["base"] == ORGS
    assert table["years"] == "2023"


def test_sentences_keep_to_what_an_association_allows(panel):
    outcomes = [
        "y",
        COUNT,
        SHARE,
        RATING,
        cm.Outcome("flag", kind="binary"),
        cm.Outcome("bed_days", kind="money", unit="£"),
    ]
    result = cm.link_outcomes(panel, ["z", "x"], outcomes, design=["pooled", "lagged"])
    said = [*result.statements, *result.warnings, *MEANINGS.values()]
    banned = re.compile(r"\b(effects?|impacts?|improv\w*|leads? to|saves?|causes?|caused)\b", re.I)
    assert not [line for line in said if banned.search(line)]
    assert len(result.statements) == result.table.height
    assert all(
        f", {years}" in line for line, years in zip(result.statements, result.table["years"], strict=True)
    )
    assert all(line.endswith("Association only.") or "no figures" in line for line in result.statements)


def test_all_indicators_in_one_model(panel):
    together = cm.link_outcomes(panel, ["z", "x"], "y", one_at_a_time=False).table.filter(role="main")
    assert together["model_id"].n_unique() == 1
    assert together["indicator"].to_list() == ["z", "x"]
    alone = cm.link_outcomes(panel, "z", "y", controls=("x",)).table.row(0, named=True)
    assert together["estimate"][0] == pytest.approx(alone["estimate"], rel=1e-10)


def test_leave_one_out_is_a_refit(panel):
    """Least squares with clustered errors and fixed effects: exact; a logit: one step, within half a per cent."""
    for outcome, design, tolerance in (
        ("y", "pooled", 1e-9),
        ("y", "fixed_effects", 1e-9),
        (SHARE, "pooled", 5e-3),
    ):
        whole = cm.link_outcomes(panel, "z", outcome, design=design, standardise=None)
        for name in ("R000", "R031"):
            refit = cm.link_outcomes(
                panel.filter(pl.col("organisation") != name), "z", outcome, design=design, standardise=None
            )
            wanted = refit.table.row(0, named=True)
            found = whole.influence.filter(organisation=name).row(0, named=True)
            assert found["estimate"] == pytest.approx(wanted["estimate"], rel=tolerance)
            assert found["statistic"] == pytest.approx(wanted["statistic"], rel=max(tolerance, 1e-8))


def test_shares_without_a_base_are_fractions(panel):
    share = cm.link_outcomes(panel, "z", cm.Outcome("share", kind="proportion")).table.row(0, named=True)
    rate = cm.link_outcomes(panel, "z", cm.Outcome("share", kind="rate")).table.row(0, named=True)
    assert (share["model"], share["estimate"], share["std_error"]) == (
        "fractional logit",
        rate["estimate"],
        rate["std_error"],
    )


def test_percentages_are_divided_once(panel):
    fraction = cm.link_outcomes(panel, "z", cm.Outcome("share", kind="rate")).table.row(0, named=True)
    hundred = panel.with_columns(pl.col("share") * 100)
    percent = cm.link_outcomes(hundred, "z", cm.Outcome("share", kind="rate", percent=True)).table.row(
        0, named=True
    )
    assert percent["effect"] == pytest.approx(fraction["effect"])


def test_lazy_frames_and_order_of_rows_make_no_difference(panel):
    plain = cm.link_outcomes(panel, "z", "y", design=["pooled", "lagged", "first_difference"]).table
    shuffled = cm.link_outcomes(
        panel.sample(fraction=1, shuffle=True, seed=3).lazy(),
        "z",
        "y",
        design=["pooled", "lagged", "first_difference"],
    ).table
    assert plain["estimate"].to_list() == pytest.approx(shuffled["estimate"].to_list(), rel=1e-9)


def test_progress_bar_only_when_asked(panel, capfd):
    cm.link_outcomes(panel, "z", "y")
    assert capfd.readouterr().err == ""
    cm.link_outcomes(panel, ["z", "x"], "y", progress=True)
    assert capfd.readouterr().out == ""


def test_p_values_are_adjusted_within_a_design(panel):
    table = cm.link_outcomes(panel, ["z", "x"], "y", design=["pooled", "fixed_effects"], adjust="holm").table
    for design in ("pooled", "fixed_effects"):
        family = table.filter(role="main", design=design).sort("p_value")
        assert family["p_adjusted"][0] == pytest.approx(min(2 * family["p_value"][0], 1))
    assert (
        table.filter(role="sensitivity")["p_adjusted"].null_count() == table.filter(role="sensitivity").height
    )


def test_direction_is_words_from_the_interval(panel):
    strong = panel.with_columns((pl.col("y") - 0.5 * pl.col("z")).alias("y"))
    for better, said in (("low", "favourable"), ("high", "unfavourable"), (None, None)):
        outcome = cm.Outcome("y", kind="continuous", better=better)
        assert cm.link_outcomes(strong, "z", outcome).table["direction"][0] == said


def test_changes_of_categories_are_changes_of_their_dummies(panel):
    """An organisation that moves region, in years where a level is new, under first differences."""
    later = (pl.col("year") > 2021) & (pl.col("region") == "a")
    moved = panel.with_columns(pl.when(later).then(pl.lit("f")).otherwise("region").alias("region"))
    dummies = moved.with_columns(
        *((pl.col("region") == level).cast(pl.Int8).alias(level) for level in "bcdef")
    )
    settings = {"design": "first_difference", "year_effects": False}
    words = cm.link_outcomes(moved, "z", "y", controls=("region",), **settings).table.row(0, named=True)
    numbers = cm.link_outcomes(dummies, "z", "y", controls=tuple("bcdef"), **settings).table.row(
        0, named=True
    )
    assert words["estimate"] == pytest.approx(numbers["estimate"], rel=1e-10)
    assert words["std_error"] == pytest.approx(numbers["std_error"], rel=1e-10)
