"""One link under every reasonable specification: designs, controls, weights and years."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.links.arguments import LATER
from culture_metrics.links.arrays import panel_arrays
from culture_metrics.links.fit import fit
from culture_metrics.links.intervals import t_statistics
from culture_metrics.links.outcome_values import outcome_values
from culture_metrics.links.plan import Plan, check_design
from culture_metrics.links.pooled_data import as_outcome
from culture_metrics.links.titles import heading, pointing, title_of
from culture_metrics.views.labels import number, places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import plotly.graph_objects as go

    from culture_metrics.links.arrays import PanelArrays
    from culture_metrics.links.outcome import Outcome

#: More specifications than this nobody can look through.
MOST = 2000
TABLE: dict[str, Any] = {
    "specification": pl.UInt32, "design": pl.String, "term": pl.String, "controls": pl.List(pl.String),
    "weights": pl.String, "years": pl.String, "estimate": pl.Float64, "std_error": pl.Float64,
    "statistic": pl.Float64, "df": pl.Float64, "p_value": pl.Float64, "conf_low": pl.Float64,
    "conf_high": pl.Float64, "base": pl.UInt32, "n_orgs": pl.UInt32, "note": pl.String,
}  # fmt: skip
DIRECTIONS = ("percent_above", "percent_below", "percent_clearly_above", "percent_clearly_below")
ALL_YEARS, UNWEIGHTED, NONE = "all years", "not weighted", "no controls"


@dataclass(frozen=True)
class SpecificationCurve:
    """One link under every specification.

    Attributes
    ----------
    table : polars.DataFrame
        One row per specification, the smallest estimate first; see `specification_curve`.
    shares : polars.DataFrame
        For all specifications and for each choice: how many, and the percentage that points each way.
    indicator : str
    outcome : Outcome
    step, link : str
        Contrast that slopes are told for, and the scale they stand on.
    level : float
    """

    table: pl.DataFrame
    shares: pl.DataFrame
    indicator: str
    outcome: Outcome
    step: str
    link: str
    level: float

    def figure(self) -> go.Figure:
        """Draw all estimates in order, and beneath them what each was made with."""
        from culture_metrics import views

        scale = "" if self.link == "identity" else f", {self.link} scale"
        drawn = self.table.drop_nulls("estimate")
        return views.specifications(
            drawn,
            _choices(drawn),
            y_title=f"{self.outcome.title} per {self.step}{scale}",
            title=pointing(self.shares.row(0, named=True), self._link()),
            subtitle=heading(self._spread()),
            notes="Specifications share their data and are no independent evidence. Associations only.",
        )

    def summary(self) -> str:
        """Say in plain sentences how far the link depends on how it is looked at."""
        found = self.table.drop_nulls("estimate")
        failed = self.table.height - found.height
        said = [
            f"{self._link()}, per {self.step}: {found.height} specifications, {self._spread()}.",
            self._directions(),
            "Specifications share their data: these shares describe how much the answer depends on the "
            "analyst's choices and are no test. Associations only.",
        ]
        if failed:
            said.insert(2, f"{failed} more could not be fitted; `table` says why.")
        return " ".join(said)

    def _link(self) -> str:
        return f"{heading(title_of(self.indicator))} and {self.outcome.title}"

    def _spread(self) -> str:
        low, middle, high = np.quantile(self.table["estimate"].drop_nulls().to_numpy(), [0, 0.5, 1])
        digits = places(low, high)
        ends = (number(value, digits, plus=True) for value in (low, high, middle))
        return "estimates {} to {}, median {}".format(*ends)

    def _directions(self) -> str:
        row = self.shares.row(0, named=True)
        many = row["specifications"]
        up, down, up_clear, down_clear = (round(row[c] * many / 100) for c in DIRECTIONS)
        return (
            f"{up} of {many} point up ({up_clear} with an interval clear of 0), {down} down "
            f"({down_clear} clear of 0)."
        )

    def __repr__(self) -> str:
        said = pointing(self.shares.row(0, named=True), self._link())
        return f"SpecificationCurve({said}; {self._spread()}. See .table, .shares and .summary())"

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>"


def specification_curve(  # noqa: PLR0913
    data: pl.DataFrame | pl.LazyFrame,
    indicator: str,
    outcome: Outcome | str,
    *,
    designs: Sequence[str] = ("pooled", "lagged", "within_between", "fixed_effects", "first_difference"),
    controls: Sequence[str] = (),
    weights: Sequence[str] = (),
    years: Sequence[tuple[int, int]] = (),
    step: float | None = None,
    organisation: str = "organisation",
    year: str = "year",
    ci: float = 0.95,
) -> SpecificationCurve:
    """Fit one link under every combination of designs, controls, weights and years.

    Parameters
    ----------
    data : polars.DataFrame or polars.LazyFrame
        One row per organisation and year.
    indicator : str
        Number column.
    outcome : Outcome or str
        A plain column name is a continuous outcome.
    designs : sequence of str
        As `link_outcomes` has them, but for `cross_lagged`; `within_between` gives two rows.
    controls : sequence of str
        Every subset of them is tried, the empty one too.
    weights : sequence of str
        Columns of weights, each tried besides no weights.
    years : sequence of (int, int)
        First and last year of spans to try besides all years.
    step : float, optional
        Contrast of the indicator, the same for all; its standard deviation in the whole panel when left out.
    organisation, year : str
        Key columns.
    ci : float
        Level of the intervals.

    Returns
    -------
    SpecificationCurve
        `.table`: `specification` (1 has the smallest estimate), `design, term, controls, weights, years,
        estimate, std_error, statistic, df, p_value, conf_low, conf_high` on the link's scale, `base, n_orgs,
        note`. One that could not be fitted has null figures and says why in `note`.
        `.shares`: `choice, option, specifications, percent_above, percent_below, percent_clearly_above,
        percent_clearly_below`; the first row is of all together.

    Raises
    ------
    LinkError
        With more than 2,000 specifications, a design that does not exist, or none that can be fitted.

    Notes
    -----
    Simonsohn, Simmons and Nelson (2020). Only what one would defend beforehand belongs among the choices.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> panel = cm.synthetic.outcome_panel(organisations=60)
    >>> cm.specification_curve(panel, "staff_engagement", "shmi", controls=["beds"]).table.height
    12
    """
    result = as_outcome(outcome)
    for design in designs:
        check_design(design)
    if "cross_lagged" in designs:
        raise LinkError("A specification is one equation", hint="Leave out 'cross_lagged'; use 'lagged'.")
    sets = [subset for size in range(len(controls) + 1) for subset in combinations(controls, size)]
    grid = list(product([None, *years], designs, sets, [None, *weights]))
    if len(grid) > MOST:
        raise LinkError(f"{len(grid):,} specifications are too many", expected=f"at most {MOST:,}")
    frame = data.lazy().collect()
    columns = [*result.columns, indicator, *controls, *weights]
    spans = {
        span: panel_arrays(_span(frame, year, span), columns, organisation=organisation, year=year)
        for span in [None, *years]
    }
    whole = spans[None].column(indicator)
    size = float(np.nanstd(whole, ddof=1)) if step is None else step
    rows = [
        row
        for span, design, subset, weight in grid
        for row in _fitted(
            spans[span],
            Plan(
                outcome_values(spans[span], result), (indicator,), subset, design=design,
                lag=int(design in LATER), year_effects=design != "cross_section",
                standardise={indicator: size}, weights=weight, prior_outcome=design in LATER,
            ),
            span, ci,
        )
    ]  # fmt: skip
    links = {row.pop("link") for row in rows} - {None}
    table = pl.DataFrame(rows, schema={k: v for k, v in TABLE.items() if k != "specification"})
    if not links:
        raise LinkError("No specification could be fitted", got=table["note"][0])
    if len(links) > 1:
        raise LinkError(
            "The specifications stand on different scales",
            got=", ".join(sorted(links)),
            hint="Take the outcome as continuous, or one kind of design at a time.",
        )
    table = table.sort("estimate", nulls_last=True).with_row_index("specification", 1)
    label = f"+1 SD ({size:.2g})" if step is None else f"+{size:g}"
    return SpecificationCurve(table.select(*TABLE), _shares(table), indicator, result, label, links.pop(), ci)


def _span(frame: pl.DataFrame, year: str, span: tuple[int, int] | None) -> pl.DataFrame:
    """Keep the years of a span."""
    return frame if span is None else frame.filter(pl.col(year).is_between(*span))


def _fitted(
    arrays: PanelArrays, plan: Plan, span: tuple[int, int] | None, ci: float
) -> Iterator[dict[str, Any]]:
    """Fit one specification and yield a row for each of its terms; one without figures when it fails."""
    shared: dict[str, Any] = {
        "design": plan.design,
        "controls": list(plan.controls),
        "weights": plan.weights or UNWEIGHTED,
        "years": ALL_YEARS if span is None else f"{span[0]} to {span[1]}",
    }
    try:
        fitted = fit(arrays, plan)
    except LinkError as error:
        yield shared | {"term": "overall", "note": error.what, "link": None}
        return
    size = {"base": fitted.matrix.y.size, "n_orgs": fitted.matrix.clusters, "link": fitted.link}
    for (_, term), column in fitted.matrix.terms.items():
        row = shared | size | {"term": term, "note": ", ".join(fitted.flags)}
        if not fitted.failed:
            spread, df = np.array([fitted.std_error(column)]), fitted.degrees(column)
            tested = t_statistics(fitted.solution.params[[column]], spread, df, ci)
            row |= {name: float(values[0]) for name, values in tested.items()}
        yield row


def _choices(table: pl.DataFrame) -> pl.DataFrame:
    """Return what each specification was made with: `specification, choice, option`."""
    plain = pl.col("design").str.replace_all("_", " ")
    design = pl.when(pl.col("term") == "overall").then(plain).otherwise(pl.format("{}: {}", plain, "term"))
    controls = pl.when(pl.col("controls").list.len() == 0).then(pl.lit([NONE])).otherwise("controls")
    chosen = {"design": pl.concat_list(design), "controls": controls}
    chosen |= {name: pl.concat_list(name) for name in ("weights", "years")}
    return pl.concat(
        table.select("specification", choice=pl.lit(name), option=options).explode("option")
        for name, options in chosen.items()
    ).filter(pl.col("option").n_unique().over("choice") > 1)


def _shares(table: pl.DataFrame) -> pl.DataFrame:
    """Return the percentage of specifications that point each way, over all and by each option."""
    found = table.drop_nulls("estimate")
    whole = found.select("specification", choice=pl.lit("all"), option=pl.lit("all"))
    up, down = pl.col("estimate") > 0, pl.col("estimate") < 0
    shares = dict(zip(DIRECTIONS, (up, down, pl.col("conf_low") > 0, pl.col("conf_high") < 0), strict=True))
    return (
        pl.concat([whole, _choices(found)])
        .join(found.select("specification", "estimate", "conf_low", "conf_high"), on="specification")
        .group_by("choice", "option", maintain_order=True)
        .agg(pl.len().alias("specifications"), *((e.mean() * 100).alias(n) for n, e in shares.items()))
    )
