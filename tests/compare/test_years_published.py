"""Two years of published results: the real panel of 2021 and 2022, and the flags of a printed report."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics import compare_years
from culture_metrics.catalogue import catalogue
from culture_metrics.compare import Assumptions
from culture_metrics.compare.verdict import official_flag
from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.errors import ComparabilityError, ComparabilityWarning
from culture_metrics.published import Published
from data_schemas.columns import DISTRIBUTIONS

WEIGHTINGS = {"Occupation Group": "occupation_group", "Unweighted": "none"}
#: Standard deviations of respondents that scores of this survey can have: 0 to 10, none is split in halves.
PLAUSIBLE = (1.0, 2.6)


@pytest.fixture(scope="module")
def panel(shared_data):
    """One workbook a year, as `read_published` would have given it: `burnt_out` of every organisation."""
    path = shared_data / "panel" / "nss_organisation_percentages_2021_2022.csv"
    raw = pl.read_csv(path, infer_schema_length=None, null_values=["NA", "-"])
    workbooks = []
    for year in ("2021", "2022"):
        rows = raw.filter(pl.col("Year") == int(year)).with_columns(
            survey=pl.lit("nss_england"), period=pl.lit(year), organisation=pl.col("ODS code")
        )
        results = rows.with_columns(
            breakdown=pl.lit("all"),
            group=pl.lit("all"),
            measure=pl.lit("burnt_out"),
            unit=pl.lit("percent"),
            estimate=pl.col("Burned_out_rate"),
            base=pl.col("Burned_out_base"),
            weighting=pl.col("Weighting").replace_strict(WEIGHTINGS),
            status=pl.lit("reported"),
            source=pl.lit("published"),
        )
        listed = rows.rename({"Organisation name": "name", "Benchmarking group": "benchmark_group"})
        workbooks.append(
            Published(
                survey="nss_england",
                period=year,
                results=as_results(results),
                distributions=as_distributions(pl.DataFrame(schema=DISTRIBUTIONS)),
                organisations=as_organisations(listed),
            )
        )
    return workbooks


@pytest.fixture(scope="module")
def burnout(panel):
    with pytest.warns(ComparabilityWarning, match="2021 and 2022 are compared across a break, as asked"):
        return compare_years(panel, 2021, 2022, measures=["q12b"], allow_breaks=True)


def test_two_releases_are_never_joined_silently(panel):
    with pytest.raises(ComparabilityError, match=r"come from two releases \(2021 and 2022\)") as caught:
        compare_years(panel, 2021, 2022, measures=["q12b"])
    assert "about 0.05 between releases" in str(caught.value)
    assert "Both years from one release" in str(caught.value)


def test_nor_are_figures_of_which_no_release_is_known(panel):
    frame = pl.concat(p.results.table for p in panel)
    with pytest.raises(ComparabilityError, match="not known whether both years come from one release"):
        compare_years(frame, 2021, 2022)
    assert compare_years(frame, 2021, 2022, release=2022).table["p_value"].drop_nulls().len() == 219


def test_burnout_2021_to_2022_runs_for_every_organisation(burnout, panel):
    table = burnout.table
    years = [set(p.results.table["organisation"]) for p in panel]
    assert table.height == len(years[0] | years[1]) == 320
    assert set(table["organisation"]) == years[0] | years[1]
    both = table.filter(pl.col("organisation").is_in(years[0] & years[1]))
    assert both.height == 224
    tested = table.filter(pl.col("p_value").is_not_null())
    assert tested.height == 224
    # Three commissioning support units were weighted in 2021 and not in 2022.
    mixed = table.filter(pl.col("reason").str.contains("is weighted"))
    assert mixed.height == 3
    assert (mixed["verdict"] == "not comparable").all()
    counts = dict(table["verdict"].cast(pl.String).value_counts().iter_rows())
    assert counts == {
        "declined": 1, "improved": 2, "likely declined": 6, "likely improved": 13, "no clear change": 82,
        "no material change": 115, "not comparable": 101,
    }  # fmt: skip


def test_organisations_that_vanish_or_appear_are_named_with_the_reason(burnout, panel):
    years = [set(p.results.table["organisation"]) for p in panel]
    assert set(burnout.vanished) == years[0] - years[1]
    assert set(burnout.appeared) == years[1] - years[0]
    assert (len(burnout.vanished), len(burnout.appeared)) == (56, 40)
    gone = burnout.table.filter(organisation="15C").row(0, named=True)
    assert gone["verdict"] == "not comparable"
    assert (
        gone["reason"]
        == "15C has no results in 2022. Clinical commissioning groups became integrated care boards in 2022, under other codes and other boundaries."
    )
    new = burnout.table.filter(organisation="QE1").row(0, named=True)
    assert new["reason"].startswith("QE1 has no results in 2021. Clinical commissioning groups became")
    merged = burnout.table.filter(organisation="RBZ").row(0, named=True)
    assert merged["reason"] == "RBZ has no results in 2022."
    assert "56 organisations only in 2021: 00L, 00N" in burnout.summary()


def test_predecessors_are_pooled_by_base_on_request(panel):
    """RBZ (Northern Devon) joined RH8 (Royal Devon and Exeter) in 2022."""
    first = panel[0].results.table.filter(pl.col("organisation").is_in(["RBZ", "RH8"]))
    pooled = (first["estimate"] * first["base"]).sum() / first["base"].sum()
    with pytest.warns(ComparabilityWarning):
        change = compare_years(
            panel, 2021, 2022, organisation="RH8", merged={"RH8": ["RBZ"]}, allow_breaks=True
        )
    row = change.table.row(0, named=True)
    assert row["estimate_from"] == pytest.approx(pooled)
    assert row["base_from"] == first["base"].sum()
    assert row["verdict"] != "not comparable"
    assert "RH8 in 2021 is RH8 (base 3,974) and RBZ (base 1,795) pooled by base" in change.notes[0]


# The printed report of Leeds Community Healthcare (RY6), 2024: scores of 2023 and 2024 at two decimals, bases,
# and the flags of change. Neither the standard deviations nor the exact test are printed.


@pytest.fixture(scope="module")
def ry6(shared_reference):
    rows = pl.read_csv(shared_reference / "nss" / "tieout.csv", infer_schema=False).filter(
        source="LCH24", org_code="RY6", level="org"
    )
    values = {
        (m, y): (float(v), int(n))
        for m, y, v, n in rows.filter(pl.col("n") != "").select("measure", "year", "value", "n").iter_rows()
    }
    codes = [m.removesuffix("_sig_2023_2024") for m, _ in values if m.endswith("_sig_2023_2024")]
    assert len(codes) == 9
    return {
        code: {
            "2023": values[f"{code}_in_2024_release", "2023"],
            "2024": values[code, "2024"],
            "flag": int(values[f"{code}_sig_2023_2024", "2024"][0]),
        }
        for code in codes
    }


def ry6_results(ry6) -> pl.DataFrame:
    edition = catalogue().edition(2024)
    rows = [
        {"period": year, "measure": edition.id(code), "estimate": both[year][0], "base": both[year][1]}
        for code, both in ry6.items()
        for year in ("2023", "2024")
    ]
    constant = {
        "survey": "nss_england", "organisation": "RY6", "breakdown": "all", "group": "all", "unit": "score",
        "weighting": "occupation_group", "status": "reported", "source": "published",
    }  # fmt: skip
    return as_results(pl.DataFrame(rows).with_columns(**{k: pl.lit(v) for k, v in constant.items()}))


def test_the_flags_of_ry6_are_those_of_a_plausible_spread_and_this_is_which(ry6):
    """For each flag: the range of respondents' standard deviations that gives it, by the library's own test.

    Printed scores are rounded: a difference of -0.11 may be anything from -0.12 to -0.10, so the ends of the
    ranges are blurred by a tenth of themselves.
    """
    grid = pl.DataFrame({"sd": [round(0.02 * k, 2) for k in range(5, 251)]})
    rows = pl.DataFrame(
        [
            {
                "code": code, "level": "element", "why_not": None, "flag": both["flag"],
                "estimate_from": both["2023"][0], "base_from": both["2023"][1],
                "estimate_to": both["2024"][0], "base_to": both["2024"][1],
                "difference": both["2024"][0] - both["2023"][0],
            }
            for code, both in ry6.items()
        ]
    )  # fmt: skip
    found = official_flag(
        rows.join(grid, how="cross").with_columns(sd_from="sd", sd_to="sd"), ["element", "theme"]
    )
    fits = found.filter(pl.col("official_flag") == pl.col("flag"))
    ends = fits.group_by("code").agg(low=pl.col("sd").min(), high=pl.col("sd").max())
    needs = {code: (low, high) for code, low, high in ends.iter_rows()}
    # flagged: the spread must be below; not flagged: above
    assert needs == {
        "PP1": (0.1, 1.78), "PP2": (1.64, 5.0), "PP3": (0.1, 2.42), "PP4": (0.5, 5.0), "PP5": (0.1, 3.18),
        "PP6": (0.82, 5.0), "PP7": (0.18, 5.0), "E": (0.1, 3.88), "M": (0.1, 2.1),
    }  # fmt: skip
    assert all(low < PLAUSIBLE[1] and high > PLAUSIBLE[0] for low, high in needs.values())
    # One spread for all nine is possible too: between PP2's lower and PP1's upper end.
    one = compare_years(ry6_results(ry6), 2023, 2024, release=2024, assumptions=Assumptions(score_sd=1.7))
    assert dict(one.table.select("code", "official_flag").iter_rows()) == {
        c: b["flag"] for c, b in ry6.items()
    }


def test_the_assumed_spreads_give_the_flags_of_ry6(ry6):
    change = compare_years(ry6_results(ry6), 2023, 2024, release=2024)
    assert dict(change.table.select("code", "official_flag").iter_rows()) == {
        c: b["flag"] for c, b in ry6.items()
    }
    assert any("Not confirmed: that the official test pools the variances" in note for note in change.notes)
