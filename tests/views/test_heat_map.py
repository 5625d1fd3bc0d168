"""The heat map: colours are differences from the whole organisation, held-back cells are hatched."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.contract import as_results
from culture_metrics.errors import ResultsError, UnknownNameError
from culture_metrics.multiplicity import adjust
from culture_metrics.results.precision import t_quantile, with_precision
from culture_metrics.results.tables import chance_apart, clearly_apart, heat_map_table
from culture_metrics.results.words import apart
from culture_metrics.views import heat_map, style

GROUPS = ["Medical", "Nursing", "Estates <A&E>"]


@pytest.fixture
def table():
    """Three groups by two measures; Estates is held back, and its numbers were left in by mistake."""
    return pl.DataFrame(
        [
            ("all", 900, "morale", "Morale", 6.0, 890, "reported", 6.0),
            ("all", 900, "team", "A team", 6.8, 895, "reported", 6.8),
            (GROUPS[0], 310, "morale", "Morale", 6.4, 305, "reported", 6.0),
            (GROUPS[0], 310, "team", "A team", 6.5, 308, "reported", 6.8),
            (GROUPS[1], 583, "morale", "Morale", 5.8, 580, "reported", 6.0),
            (GROUPS[1], 583, "team", "A team", None, None, "not_asked", 6.8),
            (GROUPS[2], 7, "morale", "Morale", 3.777, 7, "suppressed_small_base", 6.0),
            (GROUPS[2], 7, "team", "A team", 8.888, 7, "suppressed_secondary", 6.8),
        ],
        schema=["group", "group_base", "measure", "label", "estimate", "base", "status", "reference"],
        orient="row",
    )


def trace(fig, name):
    return next(t for t in fig.data if t.name == name)


def test_cells_hold_the_value_and_are_coloured_by_the_difference(table):
    cells = trace(heat_map(table, title="Map"), "Groups")
    assert list(cells.text) == [["6.40", "6.50"], ["5.80", ""], ["", ""]]
    assert [list(row) for row in cells.z] == [
        [pytest.approx(0.4), pytest.approx(-0.3)],
        [pytest.approx(-0.2), None],
        [None, None],
    ]


def test_the_first_row_is_the_whole_organisation(table):
    fig = heat_map(table, title="Map")
    whole = trace(fig, "Whole organisation")
    assert list(whole.text) == [["6.00", "6.80"]]
    assert list(whole.z) == [[0.0, 0.0]]
    assert whole.y[-1] < trace(fig, "Groups").y[0]
    said = [a.text for a in fig.layout.annotations]
    assert said.index("Whole organisation") < said.index("Medical")
    assert "900" in said


def test_the_scale_is_centred_at_nothing_and_ends_at_a_round_number(table):
    axis = heat_map(table, title="Map").layout.coloraxis
    assert (axis.cmin, axis.cmax) == (-0.4, 0.4)
    assert axis.colorscale[1][0] == 0.5


@pytest.mark.parametrize(
    ("difference", "limit"), [(0.37, 0.4), (0.11, 0.15), (1.2, 1.5), (0.05, 0.05), (0.0, 1.0)]
)
def test_limits_are_rounded_up(table, difference, limit):
    shifted = table.filter(group=GROUPS[0]).with_columns(estimate=pl.col("reference") + difference)
    assert heat_map(shifted, title="Map").layout.coloraxis.cmax == pytest.approx(limit)


def test_cells_within_chance_have_no_colour_and_maps_can_share_a_scale(table):
    sure = table.with_columns(conf_low=pl.col("estimate") - 0.25, conf_high=pl.col("estimate") + 0.25)
    fig = heat_map(sure, title="Map", limit=1.0, scale=(0, 10))
    assert [list(row) for row in trace(fig, "Groups").z][:2] == [
        [pytest.approx(0.4), pytest.approx(-0.3)],
        [0.0, None],
    ]
    assert fig.layout.coloraxis.cmax == 1.0
    assert any("Coloured where the 95% interval" in a.text for a in fig.layout.annotations)
    assert any("each cell by itself, so some are by chance alone" in a.text for a in fig.layout.annotations)


def test_suppressed_cells_are_hatched_and_missing_ones_are_not(table):
    fig = heat_map(table, title="Map")
    hatched = next(t for t in fig.data if t.type == "bar")
    assert hatched.x == (0, 1)
    assert hatched.marker.pattern.shape == "/"
    assert [h.split("<br>")[-1] for h in hatched.hovertext] == [
        "Not shown: too few answers",
        "Not shown: withheld so that a small group cannot be worked out",
    ]
    dashes = next(t for t in fig.data if t.type == "scatter")
    assert dashes.text == ("\N{EN DASH}", "\N{EN DASH}")
    notes = fig.layout.annotations[-6:]
    assert any("too few answers, or withheld" in a.text and "Empty: no answers" in a.text for a in notes)


def test_held_back_numbers_and_bases_are_nowhere_in_the_figure(table):
    fig = heat_map(table, title="Map")
    json = fig.to_json()
    for number in ("3.777", "3.78", "8.888", "8.89", "2.22", "2.09", "Base 7"):
        assert number not in json
    assert "7" not in [a.text for a in fig.layout.annotations]
    assert fig.layout.meta["suppressed"] == 2


def test_a_group_held_back_without_status_is_empty(table):
    bare = table.with_columns(estimate=pl.when(pl.col("group") != GROUPS[2]).then("estimate"))
    fig = heat_map(bare.with_columns(status=pl.lit(None, pl.String)), title="Map")
    assert fig.layout.meta["suppressed"] == 0
    assert not [t for t in fig.data if t.type == "bar"]


def test_hover_says_value_interval_base_and_difference(table):
    wide = table.with_columns(conf_low=pl.col("estimate") - 0.1, conf_high=pl.col("estimate") + 0.1)
    assert trace(heat_map(wide, title="Map"), "Groups").hovertext[0][1] == (
        "<b>Medical</b><br>A team<br>Value 6.50<br>95% interval 6.40 to 6.60<br>Base 308"
        "<br>0.30 below the whole organisation"
    )


def test_group_names_cannot_smuggle_markup(table):
    said = [a.text for a in heat_map(table, title="Map").layout.annotations]
    assert "Estates &lt;A&amp;E&gt;" in said


def test_alt_text_names_the_furthest_cells_and_counts_the_rest(table):
    assert heat_map(table, title="Map of RXX").layout.meta["alt"] == (
        "Map of RXX. Heat map of 2 measures in 3 groups. Furthest above the whole organisation: Morale in "
        "Medical, 6.40 against 6.00. Furthest below the whole organisation: A team in Medical, 6.50 against "
        "6.80. 2 cells are not shown: too few answers, or withheld so that a small group cannot be worked out. 1 "
        "cell has no value."
    )


def test_percentages_are_said_with_one_decimal():
    table = pl.DataFrame(
        {
            "group": ["Medical"],
            "group_base": [310],
            "measure": ["q25c"],
            "label": ["Recommends"],
            "estimate": [64.26],
            "base": [300],
            "status": ["reported"],
            "reference": [60.0],
        }
    )
    fig = heat_map(table, title="Map", unit="percent")
    assert trace(fig, "Groups").text[0] == ["64.3"]
    assert "64.3% against 60.0%" in fig.layout.meta["alt"]


def test_thirty_groups_make_a_taller_figure_and_many_measures_shorter_numbers(table):
    medical = table.filter(group=GROUPS[0])
    groups = pl.concat(medical.with_columns(group=pl.lit(f"Group {i}")) for i in range(30))
    assert heat_map(groups, title="Map").layout.height > heat_map(medical, title="Map").layout.height + 800
    measures = pl.concat(
        table.filter(group=GROUPS[0], measure="morale").with_columns(measure=pl.lit(f"m{i}"))
        for i in range(30)
    )
    wide = heat_map(measures, title="Map")
    assert trace(wide, "Groups").text[0][0] == "6.4"
    assert wide.layout.width - wide.layout.margin.l - wide.layout.margin.r >= 30 * 30
    assert heat_map(medical, title="Map").layout.width is None


def test_the_house_template_is_applied(table):
    assert heat_map(table, title="Map").layout.template == style.template()


def test_what_cannot_be_drawn_is_named(table):
    with pytest.raises(ResultsError, match="no column 'reference'"):
        heat_map(table.drop("reference"), title="Map")
    with pytest.raises(ResultsError, match="no groups"):
        heat_map(table.filter(group="all"), title="Map")
    with pytest.raises(ResultsError, match="the whole organisation has none"):
        heat_map(table.with_columns(reference=pl.lit(None, pl.Float64)), title="Map")
    with pytest.raises(UnknownNameError, match="unit"):
        heat_map(table, title="Map", unit="points")


def test_maps_of_groups_drawn_at_random_are_coloured_in_3_to_6_of_100():
    """2,000 maps: a score and a percentage of 12 random groups of 20 to 300 people, who are the whole together.

    By the interval of each cell alone more than 30 % of such maps have a coloured cell.
    """
    rng = np.random.default_rng(15)
    sizes = np.array([20, 25, 30, 40, 60, 80, 100, 120, 150, 200, 250, 300])
    edges = np.concatenate([[0], sizes.cumsum()])
    any_alone, maps = [], []
    for kind in range(2000):
        percent = kind % 2 == 1
        people = (
            100.0 * (rng.random(edges[-1]) < 0.3) if percent else rng.choice([2.5, 5.0, 7.5, 10.0], edges[-1])
        )
        parts = [people, *(people[a:b] for a, b in itertools.pairwise(edges))]
        mean = np.array([part.mean() for part in parts])
        error = np.array([part.std(ddof=1) / len(part) ** 0.5 for part in parts])
        n = np.array([float(len(part)) for part in parts])
        df = np.full(len(n), np.inf) if percent else n - 1
        same = {"reference": mean[0], "error": error[0], "people": n[0], "freedom": df[0]}
        maps.append(
            {"estimate": mean, "std_error": error, "base": n, "effective_base": n, "df": df}
            | {name: np.full(len(n), value) for name, value in same.items()}
            | {"unit": np.full(len(n), "percent" if percent else "score")}
        )
        any_alone.append((np.abs(mean - mean[0]) > 1.96 * error).any())
    table = pl.DataFrame({name: np.concatenate([one[name] for one in maps]) for name in maps[0]})
    table = table.with_columns(group=pl.Series(["all", *(f"G{i}" for i in range(12))] * len(maps)))
    p = chance_apart(table).reshape(len(maps), -1)
    assert np.isnan(p[:, 0]).all()
    first = clearly_apart(table.head(13))
    assert first["clear"].to_list() == [False, *(q < 0.05 for q in adjust(p[0, 1:]))]
    any_clear = [min(adjust(q)) < 0.05 for q in p[:, 1:]]
    assert 0.03 <= np.mean(any_clear) <= 0.06
    assert np.mean(any_alone) > 0.3
    # The whole of which the groups are parts has no error of its own beside them: by hand, of one group.
    n, part = edges[-1], sizes[-1]
    spread = people.var(ddof=1)
    ours = error[0] ** 2 + (1 - 2 * part / n) * spread / part
    assert ours == pytest.approx(spread * (1 - part / n) / part, rel=0.01)


def test_clustered_groups_are_told_apart_with_the_degrees_of_freedom_of_their_clusters():
    """400 maps of 8 groups of 5 wards of 12 people (correlation within wards 0.1), who are the whole together.

    The error of a group rests on 4 degrees of freedom. Taken for 59 they colour a cell in 19 of 100 maps; with
    40,000 maps it is 2.2 now, and would be 9.5 with Satterthwaite's df from the errors found.
    """
    rng, maps, groups, wards = np.random.default_rng(7), 400, 8, 5
    ward = rng.standard_normal((maps, groups, wards)) * np.sqrt(0.1 + 0.9 / 12)
    people = np.array([groups * wards * 12, *[wards * 12] * groups])
    parts = [(ward.reshape(maps, 1, -1), groups * wards), (ward, wards)]
    mean = np.concatenate([6 + 2 * part.mean(-1) for part, _ in parts], axis=1)
    error = np.concatenate([2 * part.std(-1, ddof=1) / n**0.5 for part, n in parts], axis=1)
    half = t_quantile(np.array([groups * wards - 1.0, *[wards - 1.0] * groups])) * error
    same = {"period": "2024", "breakdown": "ward", "weighting": "none", "source": "respondents"}
    table = pl.DataFrame(
        {
            "organisation": np.repeat(np.arange(maps), groups + 1), "group": ["all", *"ABCDEFGH"] * maps,
            "estimate": mean.ravel(), "std_error": error.ravel(), "base": np.tile(people, maps),
            "conf_low": (mean - half).ravel(), "conf_high": (mean + half).ravel(),
            "effective_base": np.tile(people, maps).astype(float),
        }
    ).with_columns(pl.lit(v).alias(k) for k, v in (same | {"unit": "score", "interval": "t"}).items())  # fmt: skip
    whole = {"reference": "estimate", "error": "std_error", "freedom": "df", "people": "base"}
    exact = with_precision(table, (0.0, 10.0)).with_columns(
        pl.col(name).first().over("organisation").alias(new) for new, name in whole.items()
    )
    assert exact.filter(group="A")["df"].unique().to_list() == [wards - 1]
    plain = exact.with_columns(df=pl.col("effective_base") - 1, freedom=pl.col("people") - 1.0)
    told, before = (
        np.mean([min(adjust(p)) < 0.05 for p in chance_apart(rows).reshape(maps, -1)[:, 1:]])
        for rows in (exact, plain)
    )
    assert 0.005 <= told <= 0.06
    assert before > 0.15


def test_departments_drawn_at_random_are_neither_coloured_nor_far_from_the_whole_where_shrunken():
    """320 departments of 15,000 people drawn at random: 2,880 scores.

    By the interval of each cell more than 100 are beyond chance. By the verdict none is, and where shrunken all
    stand within 0.15 of the mean of the groups, while their own figures reach more than 1 from it.
    """
    people, wards = 15_000, 320
    rng, leading = np.random.default_rng(11), list(cm.catalogue().edition(2024).leading)
    values = 6 + 2 * rng.standard_normal((people, len(leading)))
    ward = np.concatenate([np.repeat(np.arange(wards), 12), rng.integers(0, wards, people - 12 * wards)])
    sort = np.argsort(ward, kind="stable")
    parts = np.split(values[sort], np.flatnonzero(np.diff(ward[sort])) + 1)
    rows = [
        (group, name, part[:, m].mean(), part[:, m].std(ddof=1) / len(part) ** 0.5, len(part))
        for group, part in [("all", values), *((f"Ward {i:03}", part) for i, part in enumerate(parts))]
        for m, name in enumerate(leading)
    ]
    table = pl.DataFrame(rows, schema=["group", "measure", "estimate", "std_error", "base"], orient="row")
    half = pl.Series(t_quantile(table["base"].to_numpy() - 1.0)) * table["std_error"]
    same = {
        "survey": "nss_england",
        "period": "2024",
        "organisation": "RXX",
        "unit": "score",
        "interval": "t",
    }
    same |= {"weighting": "none", "status": "reported", "source": "respondents"}
    table = as_results(
        table.with_columns(
            *(pl.lit(value).alias(name) for name, value in same.items()),
            breakdown=pl.when(pl.col("group") == "all").then(pl.lit("all")).otherwise(pl.lit("locality_4")),
            conf_low=pl.col("estimate") - half, conf_high=pl.col("estimate") + half,
            effective_base=pl.col("base").cast(pl.Float64),
        )
    )  # fmt: skip
    assert ((table["estimate"] - 6).abs() > table["conf_high"] - table["estimate"]).sum() > 100
    mapped = heat_map_table(table, cm.catalogue().edition(2024), "locality_4", leading)
    assert not mapped["clear"].any()
    assert apart(mapped, "score").startswith(
        "none of 2,880 scores clearly apart from the whole; furthest is "
    )
    steadier = cm.shrink(table).table
    assert (steadier["estimate"] - steadier["centre"]).abs().max() > 1
    assert (steadier["shrunken"] - steadier["centre"]).abs().max() < 0.15


def test_a_shrunken_map_draws_what_is_left_and_says_the_own_figure_on_hover():
    """Five groups: the numbers of the shrunken map are those of `shrink`, the colours those of the other map."""
    results = cm.estimate(cm.synthetic.respondents(2024, respondents_per_organisation=500), by=["locality_1"])
    raw, shrunk = (results.heat_map("locality_1", measures=["morale"], shrunk=way) for way in (False, True))
    told = cm.shrink(results).table.filter(measure="morale").sort("group").drop_nulls("shrunken")
    cells = [n for row in trace(shrunk, "Groups").text for n in row if n]
    assert cells == [f"{value:.2f}" for value in told["shrunken"]]
    assert [n for row in trace(raw, "Groups").text for n in row if n] == [
        f"{v:.2f}" for v in told["estimate"]
    ]
    hover = [row[0] for row in trace(shrunk, "Groups").hovertext if "Shrunken" in row[0]]
    own = zip(told["estimate"], told["shrunken"], hover, strict=True)
    assert all(f"{a:.2f}" in said and f"Shrunken {b:.2f}" in said for a, b, said in own)
    assert "their own are said on hover" in str(shrunk.to_dict()).replace("<br>", " ")
    assert "shrunken" not in str(raw.to_dict())
    assert raw.layout.title.text.split("<br>")[0] == shrunk.layout.title.text.split("<br>")[0]
