"""Two contractors' files of one trust, each with its own words, from `setup --yes` to the files of a report.

The maker here knows who is where: what is expected was counted from its rows, not by the library.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from cells import NoKernels
from nbformat import v4
from typer.testing import CliRunner

import culture_metrics as cm
from culture_metrics import cli
from culture_metrics.reporting import report as module
from culture_metrics.study.settings import read_settings

#: Directorate -> its departments; 40 people in each department, 4 in the small team.
PLACES = {
    "Acute Medicine": ["Ward 12", "Cath Lab", "Clinic", "Stroke Unit"],
    "Surgery": ["Ward 5A", "Theatres", "Small Team", "Recovery"],
    "Pathology": ["Histology North", "Histology South", "Mortuary"],
}
LATER = {"Acute Medicine": "Medicine & Frailty"}
#: What became of departments: two have another name, one was closed and another opened, two were merged.
NOW = {
    "Ward 12": "Frailty Unit", "Cath Lab": "Interventional Suite", "Ward 5A": "Ward 5B",
    "Histology North": "Histology", "Histology South": "Histology",
}  # fmt: skip
CODES = {name: f"{4000 + i}" for i, name in enumerate(n for names in PLACES.values() for n in names)}


def people(year: int) -> pl.DataFrame:
    where = [
        (d, name)
        for d, names in PLACES.items()
        for name in names
        for _ in range(4 if name == "Small Team" else 40)
    ]
    rng = np.random.default_rng(year)
    agreement = ("q3a", "q3b", "q25a", "q25b", "q25c", "q25d")
    answers = pl.DataFrame({q: rng.integers(1, 6, len(where)) for q in agreement})
    answers = answers.with_columns(pl.Series("q15", rng.choice([1, 2, 9], len(where))))
    directorate, department = zip(*where, strict=True)
    return answers.select(
        pl.Series("Directorate", directorate), pl.Series("Department", department), pl.all()
    ).with_columns(pl.Series("Cost Centre", [CODES[d] for d in department]))


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    """The folder after `setup --yes`, what was printed, and the people of each year."""
    folder = tmp_path_factory.mktemp("trust")
    first, second = people(2023), people(2024)
    second = second.with_columns(
        pl.col("Department").replace(NOW),
        pl.col("Directorate").replace(LATER),
        pl.col("Cost Centre").replace(
            {CODES["Ward 5A"]: "4999", CODES["Histology South"]: CODES["Histology North"]}
        ),
    )
    ids = pl.int_range(1, pl.len() + 1).cast(pl.String)
    earlier = first.select(ids.alias("URN"), pl.lit("RXX").alias("Trust Code"), pl.all())
    later = second.rename(
        {"Directorate": "Care Group", "Department": "Dept", "Cost Centre": "Cost Code"}
    ).select(
        ids.alias("Respondent ID"),
        pl.lit("RXX").alias("Organisation"),
        pl.when(pl.col("Care Group") == "Surgery")
        .then(pl.lit("Division A"))
        .otherwise(pl.lit("Division B"))
        .alias("Division"),
        pl.all(),
        pl.lit("Complete").alias("Completion"),
    )
    extra = pl.DataFrame({
        "Respondent ID": ["900", "Total"], "Organisation": ["RXX", None], "Division": ["Test", None],
        "Care Group": ["Test", None], "Dept": ["Test", None], "q25a": [3, None], "Completion": ["Preview", None],
    }, schema_overrides={"q25a": later.schema["q25a"]})  # fmt: skip
    earlier.write_csv(folder / "survey 2023.csv")
    later = pl.concat([later, extra], how="diagonal")
    (folder / "RXX_2024 export.csv").write_bytes(later.write_csv(separator=";").encode("cp1252"))
    staff = second.group_by("Directorate", "Department").len("n").with_columns(pl.col("n") * 2)
    staff.rename({"Directorate": "Care Group", "Department": "Dept", "n": "Headcount"}).write_csv(
        folder / "Headcount 2024.csv"
    )
    done = CliRunner().invoke(cli.app, ["setup", str(folder), "--yes"])
    assert done.exit_code == 0, done.output
    return folder, done.output, {"2023": first, "2024": second}


def test_one_breakdown_under_two_words_is_one(trust):
    found = read_settings(trust[0] / "study.yaml")
    assert found.breakdowns["Care Group"] == ("Care Group", "Directorate")
    assert found.breakdowns["Dept"] == ("Dept", "Department")
    assert found.breakdowns["Division"] == ("Division",) and "Directorate" not in found.breakdowns
    # A number for each department says the same twice: it speaks for new names, and is left to the user.
    assert "Cost Code" not in found.breakdowns and "# Cost Code" in (trust[0] / "study.yaml").read_text()
    assert found.nesting["Dept"].within == ("Care Group",)
    assert [h.file for h in found.headcounts] == ["Headcount 2024.csv"]


def test_inspect_says_what_setup_does_with_a_file_in_its_own_words(trust):
    staff = cm.inspect_file(trust[0] / "Headcount 2024.csv")
    assert staff.kind == "table of headcounts" and staff.rows == 10 and not staff.problems
    assert "culture-metrics setup" in staff.next[0]
    told = repr(cm.inspect_file(trust[0] / "RXX_2024 export.csv"))
    assert "Care Group, Dept" in told and "locality" not in told
    assert "1 row will be left out: rows that whoever made the survey wrote" in told


def test_new_names_are_taken_and_other_departments_are_not(trust):
    found = {(p.old, p.new): p.confirmed for p in read_settings(trust[0] / "study.yaml").renamed}
    assert {pair for pair, yes in found.items() if yes} == {
        ("Acute Medicine", "Medicine & Frailty"), ("Ward 12", "Frailty Unit"), ("Cath Lab", "Interventional Suite"),
    }  # fmt: skip
    # Closed and opened, and merged with another: a person may say so, nobody else.
    assert found[("Ward 5A", "Ward 5B")] is False and found[("Histology North", "Histology")] is False


def test_the_report_counts_everybody_once_and_shows_what_the_file_says(trust, monkeypatch):
    """By the command line; notebooks are given what they are given, and make the study of it."""
    folder, _, truth = trust
    studies = []

    def run(names, parameters, *_):
        study = cm.study(**parameters["given"])
        studies.append((study, study.response_rates().frame, study.compare_years().summary()))
        return dict.fromkeys(names, v4.new_notebook(cells=[v4.new_markdown_cell("# A part")]))

    monkeypatch.setattr(module, "run_notebooks", run)
    monkeypatch.setattr(module, "Kernels", NoKernels)
    monkeypatch.setattr(module, "write_results", lambda place, *_: place.write_bytes(b""))
    done = CliRunner().invoke(cli.app, ["report", str(folder)])
    assert done.exit_code == 0, done.output
    ((study, rates, said),) = studies
    rows = {r.extract.period: (r.rows_read, r.rows_used, r.rows_set_aside) for r in study.reports}
    n = {year: frame.height for year, frame in truth.items()}
    assert rows == {"2023": (n["2023"], n["2023"], 0), "2024": (n["2024"] + 2, n["2024"], 2)}
    assert not any((r.problems["severity"] == "error").any() for r in study.reports)
    table = pl.read_parquet(folder / "report" / "results.parquet").filter(measure="recommend_place_to_work")
    for year, frame in truth.items():
        frame = frame.with_columns(pl.col("Directorate").replace(LATER), pl.col("Department").replace(NOW))
        for own, breakdown in (("Directorate", "locality_3"), ("Department", "locality_4")):
            shown = table.filter(breakdown=breakdown, period=year, status="reported")
            assert shown.height > 2
            for group, base, estimate in shown.select("group", "base", "estimate").iter_rows():
                told = frame.filter(pl.col(own) == ("Ward 5B" if group == "Ward 5A" else group))[
                    "q25c"
                ].drop_nulls()
                if group.startswith("Histology") and year == "2023":
                    continue  # two departments then
                assert (base, estimate) == (told.len(), pytest.approx(100 * told.is_in([4, 5]).mean()))
    assert "Small Team" not in set(table.filter(status="reported")["group"])
    assert rates.filter(Group="")["Response rate"].item() == "50.0%"
    # Division stands in one file: its mix is not known, and its groups did not come.
    assert "Division is known of 2024 only." in said
    assert "mix by division" not in said and "Division A" not in said
    assert "Ward 5A may now be called" not in said
