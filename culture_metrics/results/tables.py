"""Tables for views and for readers: results with the names and the order of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.names import is_pooled
from culture_metrics.multiplicity import adjust
from culture_metrics.results.precision import with_precision
from culture_metrics.wording.columns import natural
from culture_metrics.wording.numbers import count, fixed
from culture_metrics.wording.table import HELD, NOT_APPLICABLE, NOT_AVAILABLE
from data_schemas.columns import FAULTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culture_metrics.catalogue import Edition, Question


#: Level of what is called clear.
LEVEL = 0.05


def catalogued(edition: Edition) -> pl.DataFrame:
    """Return the measures of an edition: `order, measure, code, label, level, direction, meaning`.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> catalogued(catalogue().edition(2024))["code"][0]
    'PP1'
    """
    names = ["measure", "code", "label", "level", "direction", "meaning"]
    rows = [(m.id, m.code, m.label, m.level, m.direction, m.meaning) for m in edition.measures.values()]
    return pl.DataFrame(rows, schema=names, orient="row").with_row_index("order")


def score_table(
    results: pl.DataFrame, edition: Edition, standing: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the scores of a whole organisation as `views.scores` takes them, in the official order.

    Parameters
    ----------
    results : polars.DataFrame
        Results of one organisation in one period.
    edition : Edition
        Gives labels and order.
    standing : polars.DataFrame, optional
        Columns `measure, best, median, worst, organisations`, as in `Benchmark.table`.
    """
    group = ["best", "median", "worst", "organisations"]
    if standing is None:
        beside = pl.DataFrame(schema={"measure": pl.String, **dict.fromkeys(group, pl.Float64)})
    else:
        beside = standing.select("measure", *group)
    whole = results.filter((pl.col("group") == ALL) & (pl.col("unit") == "score"))
    return (
        whole.join(catalogued(edition), on="measure")
        .join(beside, on="measure", how="left")
        .sort("order")
        .select(
            "measure", "label", "level", "estimate", "conf_low", "conf_high", "base", "status", *group
        )
    )  # fmt: skip


def heat_map_table(
    results: pl.DataFrame, edition: Edition, breakdown: str, measures: Sequence[str]
) -> pl.DataFrame:
    """Return groups by measures as `views.heat_map` takes them, the whole organisation first.

    Parameters
    ----------
    results : polars.DataFrame
        Results of one organisation in one period.
    edition : Edition
        Gives labels.
    breakdown : str
        Which groups.
    measures : sequence of str
        Stable ids, in the order to draw them.
    """
    wanted = pl.DataFrame({"measure": list(measures)}).with_row_index("place")
    labels = catalogued(edition).select("measure", "label")
    exact = with_precision(
        results.filter(pl.col("breakdown").is_in([ALL, breakdown])), edition.survey.score_range
    )
    rows = exact.join(wanted, on="measure").join(labels, on="measure")
    whole = rows.filter(pl.col("breakdown") == ALL)
    beside = whole.select(
        "measure",
        reference="estimate",
        error="std_error",
        people=pl.col("base").cast(pl.Float64),
        freedom="df",
    )
    return (
        clearly_apart(
            pl.concat([whole, rows.filter(pl.col("breakdown") == breakdown)]).join(
                beside, on="measure", how="left", maintain_order="left"
            )
        )
        .with_columns(pl.col("base").max().over("group").alias("group_base"))
        .sort(pl.col("group") != ALL, is_pooled(), natural("group"), "group", "place")
        .select(
            "group", "group_base", "measure", "label", "estimate", "conf_low", "conf_high", "base", "status",
            "reference", "clear",
        )
    )  # fmt: skip


def clearly_apart(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `clear`: whether a group's figure is beyond chance from the whole, all groups allowed for.

    Parameters
    ----------
    rows : polars.DataFrame
        As `chance_apart` takes them, of one map: adjusted for all rows together (Benjamini-Hochberg, 5 %).
    """
    p = chance_apart(rows)
    known = np.isfinite(p)
    clear = np.zeros(rows.height, dtype=bool)
    clear[known] = np.asarray(adjust(p[known])) < LEVEL
    shown = known | (rows["group"] == ALL).to_numpy()
    return rows.with_columns(clear=pl.when(pl.Series(shown)).then(pl.Series(clear)))


def chance_apart(rows: pl.DataFrame) -> NDArray[np.float64]:
    """Return the p-value of each group's difference from the whole; nan for the whole and where not known.

    Parameters
    ----------
    rows : polars.DataFrame
        Results with `df` (`with_precision`), as far as it is known `apart` (the standard error of the
        difference, `with_apart`), and of the whole `reference`, `error`, `people` and `freedom`:
        estimate, standard error, base and degrees of freedom.

    Notes
    -----
    The group is part of the whole. With the share f of its answers, the variance of the difference is that of
    the whole plus (1 - 2f) times that of the group, if all count alike and were sampled one by one; results
    of `estimate` know it better (`apart`), with weights, clusters and margins. A percentage has the error it
    would have at the figure of the whole (score test). That is the group against the rest: Student's t,
    with the degrees of freedom of both standard errors (of clusters where there are any) combined by
    Satterthwaite (1946) for people who vary alike.
    """
    from scipy.special import stdtr

    own, whole = pl.col("estimate") / 100, pl.col("reference") / 100
    percent = pl.col("unit").cast(pl.String) == "percent"
    inside = own.is_between(0, 1, closed="none")
    ratio = pl.when(inside).then(pl.col("std_error") ** 2 / (own * (1 - own)))
    simple = 1e4 / pl.col("effective_base")
    at_whole = pl.coalesce(ratio, simple) * whole * (1 - whole)
    error2 = pl.when(percent).then(at_whole).otherwise(pl.col("std_error") ** 2)
    share = (pl.col("base") / pl.col("people")).clip(0, 1)
    variance = pl.col("error") ** 2 + (1 - 2 * share) * error2
    if "apart" in rows.columns:
        at_own = pl.when(percent).then(pl.when(inside).then(whole * (1 - whole) / (own * (1 - own))))
        variance = pl.coalesce(pl.col("apart") ** 2 * at_own.otherwise(1.0), variance)
    # By shares rather than by the errors found: with few clusters these are chance themselves.
    others = (pl.col("freedom") - pl.col("df") - 1).fill_nan(np.inf).clip(1)
    freedom = 1 / ((1 - share) ** 2 / pl.col("df") + share**2 / others)
    apart = rows.select(
        t=pl.when(pl.col("group") != ALL)
        .then((pl.col("estimate") - pl.col("reference")) / variance.sqrt()),
        df=freedom.clip(1, 1e9),
    )  # fmt: skip
    return np.asarray(2 * stdtr(apart["df"].to_numpy(), -apart["t"].abs().to_numpy()))


def answer_table(distributions: pl.DataFrame, edition: Edition, questions: Sequence[str]) -> pl.DataFrame:
    """Return the answers to questions as `views.distribution` takes them.

    Parameters
    ----------
    distributions : polars.DataFrame
        Distributions of one organisation in one period; the whole organisation is taken.
    edition : Edition
        Gives labels, the order of the options and which of them are favourable.
    questions : sequence of str
        Stable ids, in the order to draw them.
    """
    options = pl.concat([_options(edition.questions[name], place) for place, name in enumerate(questions)])
    return (
        options.join(distributions.filter(pl.col("group") == ALL), on=["question", "option"])
        .sort("place", "order")
        .select(
            "question", "label", "option", "option_label", "percent", "base", "status", "position", "beside",
            "favourable",
        )
    )  # fmt: skip


def _options(question: Question, place: int) -> pl.DataFrame:
    """List the options of a question: where each stands on the scale and whether it is a good answer."""
    scale = question.scale
    beside = set(scale.beside)
    on_scale = [code for code in scale.labels if code not in beside]
    middle = on_scale[len(on_scale) // 2] if len(on_scale) % 2 else None

    def favourable(code: int) -> bool | None:
        if code in beside or question.direction not in ("higher", "lower") or not question.positive:
            return None
        if code == middle and code not in question.positive:
            return None
        return (code in question.positive) == (question.direction == "higher")

    rows = [
        (
            place, order, question.id, question.label, code, label,
            on_scale.index(code) + 1 if code in on_scale else None, code in beside, favourable(code),
        )
        for order, (code, label) in enumerate(scale.labels.items())
    ]  # fmt: skip
    schema = {
        "place": pl.Int64, "order": pl.Int64, "question": pl.String, "label": pl.String, "option": pl.Int16,
        "option_label": pl.String, "position": pl.Int64, "beside": pl.Boolean, "favourable": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def words(column: str) -> pl.Expr:
    """Expression: a number of Results as text with the decimals of its unit, or why it is not there."""
    return _number(column).fill_null(missing())


def interval() -> pl.Expr:
    """Expression: a 95% interval as text, or why it is not there."""
    return pl.format("{} to {}", _number("conf_low"), _number("conf_high")).fill_null(missing())


def _number(column: str) -> pl.Expr:
    score = pl.col("unit") == "score"
    return pl.when(score).then(fixed(column, "score")).otherwise(fixed(column, "percent"))


def people(column: str) -> pl.Expr:
    """Expression: a number of respondents as text, or why it is not there."""
    return count(column).fill_null(missing())


def missing() -> pl.Expr:
    """Expression: the shorthand for a number of Results that is null."""
    status = pl.col("status").cast(pl.String)
    return (
        pl.when(status.str.starts_with("suppressed"))
        .then(pl.lit(HELD))
        .when(status.is_in(["reported", "not_asked", FAULTY]))
        .then(pl.lit(NOT_AVAILABLE))
        .otherwise(pl.lit(NOT_APPLICABLE))
    )


def with_row_of(rows: pl.DataFrame, organisation: str, name: str) -> pl.DataFrame:
    """Give an organisation that has no row of a measure one without a figure, so that a ranking can say so.

    Examples
    --------
    >>> rows = pl.DataFrame(
    ...     {"organisation": ["RAA"], "name": ["Ash"], "estimate": [6.9], "status": ["reported"]}
    ... )
    >>> with_row_of(rows, "RXX", "Elm").row(1)
    ('RXX', 'Elm', None, 'missing')
    """
    if organisation in rows["organisation"]:
        return rows
    bare = pl.DataFrame({"organisation": [organisation], "name": [name], "status": ["missing"]})
    return pl.concat([rows.with_columns(pl.col("status").cast(pl.String)), bare], how="diagonal")
