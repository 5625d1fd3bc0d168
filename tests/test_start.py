"""What a first call loads: no Plotly, optimiser, statsmodels or Pandera before one of them is needed.

By the modules that are loaded, in a process of its own, and never by time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.compare import difference
from culture_metrics.multiplicity import adjust
from culture_metrics.study.example import example_published

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("plotly", "scipy.optimize", "scipy.stats", "statsmodels", "pandas", "pandera")
TABLES = ("results", "distributions", "organisations")
EXTRACT = "cm.read_extract('extract.csv', year=2024)"
CALLS = {
    "the rooms": """
        import importlib, pkgutil
        for room in ("wording", "compare", "measurement", "models", "links", "outcomes", "disclosure"):
            package = importlib.import_module(f"culture_metrics.{room}")
            for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                importlib.import_module(module.name)
    """,
    "read and check": f"assert cm.validate({EXTRACT}).extract.frame.height",
    "estimate": f"assert cm.estimate({EXTRACT}, by='locality_1').table.height",
    "compare years": """
        compared = cm.compare_years(pl.read_parquet("both.parquet"), 2023, 2024)
        assert compared.table["p_adjusted"].count() > 50
        assert compared.summary()
    """,
    "benchmark": """
        from culture_metrics.published.published import Published
        tables = [pl.read_parquet(f"{name}.parquet") for name in ("results", "distributions", "organisations")]
        assert cm.benchmark(Published("nss_england", "2024", *tables), "SYN01").summary()
    """,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    years = [cm.synthetic.respondents(year, respondents_per_organisation=200) for year in (2023, 2024)]
    pl.concat([cm.estimate(year).table for year in years]).write_parquet(folder / "both.parquet")
    years[1].frame.write_csv(folder / "extract.csv")
    published = example_published(years[1])
    for name in TABLES:
        getattr(getattr(published, name), "table", getattr(published, name)).write_parquet(
            folder / f"{name}.parquet"
        )
    return folder


@pytest.mark.parametrize("call", CALLS)
def test_nothing_heavy_is_loaded_before_it_is_needed(call, folder):
    lines = [line.removeprefix(" " * 8) for line in CALLS[call].strip("\n").splitlines()]
    code = "\n".join(
        [
            "import json, sys",
            "import polars as pl, culture_metrics as cm",
            *lines,
            "print(json.dumps([*sys.modules]))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert [name for name in HEAVY if name in loaded] == []


def test_a_broken_table_loads_what_says_so():
    """The other way round: Pandera is there when it is needed."""
    code = (
        "import sys, culture_metrics as cm\n"
        "extract = cm.synthetic.respondents(2024, respondents_per_organisation=20)\n"
        "from culture_metrics.extracts.schema import contract_problems\n"
        "assert contract_problems(extract.frame.drop('organisation'), extract.edition)\n"
        "assert 'pandera' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(("ours", "theirs"), [("bh", "fdr_bh"), ("holm", "holm")])
def test_adjusted_p_values_are_those_of_statsmodels(ours, theirs):
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(1).uniform(0, 1, 60) ** 3
    p[7] = p[8]
    assert adjust(p, ours) == multipletests(p, method=theirs)[1].tolist()


def test_tails_of_t_are_those_of_scipy():
    from scipy import stats

    df = np.append(np.random.default_rng(4).uniform(0.5, 400, 50), np.inf)
    value = np.random.default_rng(5).normal(0, 3, 51)
    assert difference.tail(value, df) == pytest.approx(stats.t.sf(value, df), rel=1e-14)
    assert difference.quantile(df, np.full(51, 0.025)) == pytest.approx(stats.t.isf(0.025, df), rel=1e-14)
