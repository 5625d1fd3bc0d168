"""What leaves the library when it is called: tables, and texts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from tests.redteam.extracts import Call, Case
from tests.redteam.people import People, values_of

KEPT = [
    "period", "organisation", "breakdown", "group", "measure", "unit", "estimate", "std_error", "base",
    "effective_base", "weighting", "status",
]  # fmt: skip


@dataclass
class Release:
    """All rows that were shown, call by call, and which calls the library refused."""

    tables: list[pl.DataFrame] = field(default_factory=list)
    refused: int = 0

    @property
    def together(self) -> pl.DataFrame:
        return pl.concat(self.tables) if self.tables else pl.DataFrame(schema=dict.fromkeys(KEPT, pl.String))


def weights_of(call: Call):
    if "mix" in call.options:
        return cm.Weights("official", mix=call.options["mix"])
    if "eligible" in call.options:
        return cm.Weights("size", eligible=call.options["eligible"])
    return "none"


def released(case: Case) -> Release:
    """Put the calls of a case to the library, one after another, on the same extract objects."""
    release = Release()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in case.calls:
            if call.verb not in VERBS:
                continue
            for extract, labels in zip(case.extracts, case.labels, strict=True):
                try:
                    table = VERBS[call.verb](extract, call, labels)
                except CultureMetricsError:
                    release.refused += 1
                    continue
                release.tables.append(table)
    return release


def estimates(extract, call: Call, inside: pl.DataFrame) -> pl.DataFrame:
    """Results of an extract, or of a part of it, whose groups are crosses with the part."""
    if gone := call.options.get("without"):
        extract = replace(extract, frame=extract.frame.drop(gone))
    part = call.options.get("part")
    if part:
        extract = replace(extract, frame=extract.frame.filter(inside[part] == "in"))
    table = cm.estimate(extract, by=list(call.by), weights=weights_of(call)).table
    if part:
        crossed = [pl.format("{} × {}", pl.lit(n), c) for n, c in ((part, "breakdown"), ("in", "group"))]
        whole = pl.col("breakdown") == "all"
        table = table.with_columns(
            pl.when(whole).then(pl.lit(name)).otherwise(cross).alias(column)
            for name, column, cross in zip((part, "in"), ("breakdown", "group"), crossed, strict=True)
        )
    if call.options.get("without"):
        # What is made of the question is another number now.
        table = table.filter(~pl.col("measure").is_in(["advocacy", "staff_engagement"]))
    return as_rows(table.filter(pl.col("status") != "not_asked"))


def distributions(extract, call: Call, _: pl.DataFrame) -> pl.DataFrame:
    """Options of a question as results: the share of favourable answers is what its options add up to."""
    table = cm.distributions(extract, by=list(call.by)).table
    keys = ["period", "organisation", "breakdown", "group", "question", "weighting", "status"]
    asked = [extract.edition.question(q) for q in table["question"].unique().to_list()]
    good = {q.id: list(q.positive) for q in asked}
    marked = pl.any_horizontal(
        (pl.col("question") == q) & pl.col("option").is_in(options) for q, options in good.items()
    )
    summed = table.group_by(keys, maintain_order=True).agg(
        pl.col("percent").filter(marked).sum().alias("estimate"),
        pl.col("percent").is_null().any().alias("gone"),
        pl.col("base").max(),
        pl.col("effective_base").max(),
    )
    return as_rows(
        summed.with_columns(
            pl.when("gone").then(None).otherwise("estimate").alias("estimate"),
            pl.lit("percent").alias("unit"),
            pl.lit(None, pl.Float64).alias("std_error"),
        ).rename({"question": "measure"})
    )


def replicates(extract, call: Call, _: pl.DataFrame) -> pl.DataFrame:
    edition, columns = extract.edition, set(extract.frame.columns)
    names = [m for m in ("advocacy", "recommend_place_to_work") if "q25c" in columns]
    table = cm.replicate(extract, by=list(call.by), measures=names, draws=2).table
    percent = [m for m in names if edition.measure(m).unit == "percent"]
    return as_rows(
        table.with_columns(
            pl.lit(extract.period).alias("period"),
            pl.lit("none").alias("weighting"),
            pl.col("base").cast(pl.Float64).alias("effective_base"),
            pl.when(pl.col("measure").is_in(percent))
            .then(pl.lit("percent"))
            .otherwise(pl.lit("score"))
            .alias("unit"),
        )
    )


def as_rows(table: pl.DataFrame) -> pl.DataFrame:
    text = ["period", "organisation", "breakdown", "group", "measure", "unit", "weighting", "status"]
    return table.select(KEPT).with_columns(pl.col(text).cast(pl.String), pl.col("base").cast(pl.Int64))


VERBS = {"estimate": estimates, "distributions": distributions, "replicate": replicates}


def people_of(case: Case) -> list[People]:
    """The respondents of each year."""
    return [People(labels, values_of(e)) for labels, e in zip(case.labels, case.extracts, strict=True)]


def atom_weights(case: Case, people: People, call: Call) -> np.ndarray:
    """The weight of each atom, which the public formula gives from public numbers."""
    from culture_metrics.indicators.weights import respondent_weights

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each = respondent_weights(case.extracts[0], weights_of(call)).values
    made = np.ones(people.atoms)
    if each is not None:
        made[people.atom] = each
    return made
