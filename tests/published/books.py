"""Hand-made results for tests of published workbooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.published import Published

if TYPE_CHECKING:
    from collections.abc import Sequence

Sheets = dict[str, list[list[Any]]]

#: Organisations with names that Excel could take for something else.
ORGANISATIONS = pl.DataFrame(
    {
        "organisation": ["RX1", "RX2", "Q01", "1E5"],
        "name": ["=SUM(A1) Trust", "North & South Trust", "+Integrated Care Board", "https://a.trust.uk"],
        "benchmark_group": ["Community Trusts", "Community Trusts", "ICBs", "CSUs"],
        "region": ["London", "Midlands", None, "London"],
        "ics": ["West", None, None, "-x"],
        "weighting": ["occupation_group", "occupation_group", "none", "none"],
        "breakdown": "all",
        "group": "all",
    },
    strict=False,
)
NATIONAL = pl.DataFrame(
    {
        "organisation": "all",
        "breakdown": ["all", "gender", "gender", "carer", "region"],
        "group": ["all", "Female", "Male", "Looks after someone", "London"],
        "weighting": ["occupation_group_and_size", "size", "size", "size", "size"],
    }
)


def make_published(period: str, who: pl.DataFrame, questions: Sequence[str] | None = None) -> Published:
    """Random percentages that add up to 100 and random scores; whole numbers as bases."""
    edition, rng = catalogue().edition(period), np.random.default_rng(7)
    about = {"survey": "nss_england", "period": period, "source": "published"}
    options, scores = [], []
    for row in who.rows(named=True):
        key = {**about, **{k: row[k] for k in ("organisation", "breakdown", "group")}}
        for question in edition.questions.values():
            if questions is not None and question.id not in questions:
                continue
            codes = list(question.scale.labels)
            shares = rng.dirichlet(np.ones(len(codes))) * 100
            own = row["breakdown"] != "all" and edition.breakdowns[row["breakdown"]].question == question.id
            options += [
                {
                    **key,
                    "question": question.id,
                    "option": code,
                    "percent": None if own else share,
                    "base": None if own else 200 + code if question.kind == "multi" else 250,
                    "weighting": row["weighting"] if question.weighted else "none",
                    "status": "not_asked" if own else "reported",
                }
                for code, share in zip(codes, shares, strict=True)
            ]
        scores += [
            {
                **key,
                "measure": name,
                "unit": "score",
                "estimate": float(rng.uniform(2, 9)),
                "base": int(rng.integers(11, 9000)),
                "weighting": row["weighting"],
                "status": "reported",
            }
            for name in edition.scores
        ]
    organisations = who.select(pl.all().exclude("weighting", "breakdown", "group"))
    return Published(
        "nss_england",
        period,
        results=as_results(pl.DataFrame(scores, infer_schema_length=None)),
        distributions=as_distributions(pl.DataFrame(options, infer_schema_length=None)),
        organisations=as_organisations(
            organisations.unique("organisation").with_columns(
                survey=pl.lit("nss_england"), period=pl.lit(period)
            )
        ),
    )


def suppress(published: Published, organisation: str, question: str) -> Published:
    """Hide one question of one organisation."""
    hidden = (pl.col("organisation") == organisation) & (pl.col("question") == question)
    shown = pl.col("status") == "reported"
    distributions = published.distributions.table.with_columns(
        status=pl.when(hidden)
        .then(pl.lit("suppressed_small_base"))
        .otherwise(pl.col("status").cast(pl.String))
    ).with_columns(pl.when(shown).then(c).alias(c) for c in ("percent", "base"))
    return Published(
        published.survey,
        published.period,
        published.results.table,
        as_distributions(distributions),
        published.organisations,
    )


def find(sheets: Sheets, title: str, header: str) -> tuple[str, int]:
    """Find the sheet and column of a header under a title."""
    for name, rows in sheets.items():
        if len(rows) > 4:
            starts = [i for i, cell in enumerate(rows[0]) if cell and cell.startswith(f"{title} -")]
            for start in starts:
                return name, next(i for i in range(start, len(rows[4])) if rows[4][i] == header)
    raise LookupError(title)
