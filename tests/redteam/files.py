"""What a finished report says, byte by byte: page, workbook, Parquet, CSV and manifest."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import culture_metrics as cm
from culture_metrics.synthetic import places
from tests.redteam import objects
from tests.redteam.attacker import linear_attack
from tests.redteam.bounds import base_attack
from tests.redteam.people import People, values_of
from tests.redteam.reading import texts_of
from tests.redteam.releases import as_rows


def folder_attack(
    folder: Path, extracts: list, labels: list[pl.DataFrame], rng
) -> tuple[list, dict[str, int]]:
    """Attack a finished report on these extracts: what its tables tell, and what its texts say.

    Names of small groups, names beside how many they are, and addresses are counted file by file.
    """
    small: dict[str, int] = {}
    for frame in labels:
        small |= objects.small_groups(frame)
    # Whoever is small in one year and not in the other may be named for the other.
    for frame in labels:
        for name in frame.columns:
            for group, n in frame[name].drop_nulls().value_counts().iter_rows():
                if n not in objects.FEW_PEOPLE:
                    small.pop(group, None)
    said: dict[str, int] = {}
    for name, text in texts_of(folder).items():
        said[f"names in {name}"] = len(objects.named_in(text, small))
        said[f"counts in {name}"] = len(objects.counted_in(text, small))
        own = {a for frame in labels for a in addresses(frame)}
        said[f"addresses in {name}"] = len(objects.addresses_in(text) & own)
    found = []
    tables = [pl.read_parquet(p) for p in folder.rglob("*.parquet")]
    results = [as_rows(t) for t in tables if {"measure", "estimate", "status"} <= set(t.columns)]
    for extract, frame in zip(extracts, labels[: len(extracts)], strict=True):
        people = People(frame, values_of(extract))
        for table in results:
            own_rows = table.filter(
                pl.col("period") == extract.period,
                pl.col("weighting") == "none",
                pl.col("organisation") != "all",
            )
            asked = own_rows.filter(~pl.col("status").is_in(["not_asked", "not_scored"]))
            found += linear_attack(asked, people, rng, steps=100)
            more, _ = base_attack(asked, people, rng, each=8, measures=2)
            found += more
    return found, {k: n for k, n in said.items() if n}


def addresses(frame: pl.DataFrame) -> set[str]:
    text = frame.select(pl.selectors.string())
    return {v for c in text.columns for v in text[c].drop_nulls().to_list() if objects.ADDRESS.fullmatch(v)}


def labels_of(extract, by: list[str]) -> pl.DataFrame:
    """The groups of respondents in the breakdowns of a report."""
    made = {}
    for name in by:
        if name in extract.frame.columns:
            made[name] = extract.frame[name]
            continue
        breakdown = extract.edition.breakdown(name)
        question = extract.edition.question(breakdown.question)
        groups = question.scale.groups.get(name)
        of = {c: g for g, codes in groups.items() for c in codes} if groups else dict(question.scale.options)
        made[name] = extract.frame[question.code].replace_strict(of, default=None, return_dtype=pl.String)
    return pl.DataFrame(made)


def made_up(folder: Path, seed: int) -> tuple[list[Path], list]:
    """Write two years of a small trust with wards of few people within directorates, and a column of addresses."""
    rng = np.random.default_rng([7, seed])
    share = {d: rng.dirichlet(np.full(4, 0.7)) for d in [*places.DIRECTORATES, places.SMALL_DIRECTORATE]}
    paths, extracts = [], []
    for year in (2023, 2024):
        extract = cm.synthetic.respondents(year, respondents_per_organisation=240, seed=seed + 1)
        ward = [f"{d[:9]} {'KLMN'[rng.choice(4, p=share[d])]}" for d in extract.frame["locality_1"]]
        frame = extract.frame.with_columns(
            pl.Series("locality_3", ward),
            pl.format("person{}@trust.example", pl.int_range(pl.len())).alias("contact"),
        )
        path = folder / f"SYN01_{year}.csv"
        frame.write_csv(path)
        paths.append(path)
        extracts.append(cm.validate(cm.read_extract(path, survey="nss_england", year=year)).extract)
    return paths, extracts


def report_attack(seed: int) -> tuple[list, dict[str, int]]:
    """Make a report from files, as a trust does at the command line, and attack its folder."""
    by = ["locality_1", "locality_3", "occupation_group"]
    with tempfile.TemporaryDirectory() as place:
        files, out = Path(place) / "files", Path(place) / "out"
        files.mkdir()
        paths, extracts = made_up(files, seed)
        asked = [
            "report",
            *map(str, paths),
            "--organisation",
            "SYN01",
            "--out",
            str(out),
            "--by",
            ",".join(by),
        ]
        subprocess.run([sys.executable, "-m", "culture_metrics", *asked], check=True, capture_output=True)
        labels = [labels_of(e, by) for e in extracts]
        return folder_attack(out, extracts, labels, np.random.default_rng(seed))


def counted(found: list, said: dict[str, int]) -> str:
    """The counts as a line of JSON, for a manifest."""
    sums = {(f.measure, f.people) for f in found if f.what == "sum"}
    bases = {(f.measure, f.people) for f in found if f.what == "base"}
    alone = {f.people for f in found if f.what == "sum" and f.heads == 1}
    return json.dumps({"people": len(alone), "sums": len(sums), "bases": len(bases), **said})
