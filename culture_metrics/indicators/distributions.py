"""Response distributions: the percentage of each answer, by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import as_distributions
from culture_metrics.indicators.answers import options, options_of
from culture_metrics.indicators.breakdowns import crossed, parents
from culture_metrics.indicators.cell_estimates import Found, estimates_of, lay_out, warn_of_empty
from culture_metrics.indicators.hidden import hidden_of
from culture_metrics.indicators.intervals import check_interval, interval_name, percent_intervals
from culture_metrics.indicators.percentages import answers_to
from culture_metrics.indicators.weights import weights_for
from culture_metrics.output import verb
from culture_metrics.results import Distributions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.cell_estimates import Verdict
    from culture_metrics.indicators.design import Design
    from culture_metrics.indicators.percentages import Share
    from culture_metrics.indicators.weights import AnyWeights


@verb
def distributions(
    extract: Extract,
    by: Sequence[str | Sequence[str]] = (),
    *,
    weights: AnyWeights = None,
    design: Design | None = None,
    interval: str = "wilson",
    minimum_base: int | None = None,
) -> Distributions:
    """Work out how the answers to every question are distributed, as a whole and by group.

    Parameters
    ----------
    extract : Extract
        A clean extract (`validate(...).extract`).
    by : sequence
        Breakdowns, each on its own; several names in a tuple are crossed.
    weights, design, interval, minimum_base
        As in `estimate`.

    Returns
    -------
    Distributions
        `.table`: one row per organisation, breakdown, group, question and response option. `percent` is
        of all who answered, with "don't know" and "not applicable" inside the 100 %, as the official detailed
        workbooks have it; `base` is their number; `std_error`, `conf_low` and `conf_high` are those of the
        one percentage. Small cells are suppressed, also where few are left when answers outside the headline
        are taken out. Questions about the respondents themselves (occupation, age …) are not in it: how many
        are in which group is for the bases of `estimate(by=…)` to say, with small groups hidden.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> answers = distributions(synthetic.respondents(2024))
    >>> answers.table.filter(question="recommend_place_to_work")["percent"].sum().__round__(6)
    100.0
    """
    check_interval(interval)
    breakdowns, weights = crossed(by), weights_for(extract, weights, minimum_base)
    found = estimates_of(extract, breakdowns, weights, design, options_of)
    warn_of_empty(found, breakdowns, extract.words)
    shares = options(extract)
    least = extract.edition.survey.minimum_base if minimum_base is None else minimum_base
    hidden = hidden_of(found, extract, _bases(extract, shares), least, breakdowns)
    tables = [
        _table(part, extract, shares, interval, verdict) for part, verdict in zip(found, hidden, strict=True)
    ]
    table = as_distributions(pl.concat(tables).with_columns(interval_name(interval, pl.col("percent"))))
    return Distributions(table, least, parents(extract, breakdowns), extract.words)


def _table(
    part: Found, extract: Extract, shares: Sequence[Share], interval: str, verdict: Verdict
) -> pl.DataFrame:
    low, high = percent_intervals(part.estimates, interval)
    columns = pl.DataFrame(
        {
            "question": [s.name for s in shares],
            "option": pl.Series([s.option for s in shares], dtype=pl.Int16),
            "place": range(len(shares)),
        }
    ).filter(pl.col("option").is_not_null())
    names = {name: j for j, name in enumerate(_bases(extract, shares))}
    of_option = [names[answers_to(q)] for q in columns["question"]]
    return (
        lay_out(part, columns, low, high, verdict.of(of_option))
        .rename({"estimate": "percent"})
        .with_columns(pl.lit(extract.survey).alias("survey"), pl.lit(extract.period).alias("period"))
    )


def _bases(extract: Extract, shares: Sequence[Share]) -> dict[str, int]:
    """Return the columns whose bases decide: of all answers to a question, and of its headline."""
    headlines = {m.question: name for name, m in extract.edition.percentages.items() if m.option is None}
    every = {answers_to(share.name): j for j, share in enumerate(shares) if share.option is not None}
    return every | {
        headlines[share.name]: j
        for j, share in enumerate(shares)
        if share.option is None and share.name in headlines
    }
