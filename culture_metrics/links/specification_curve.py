"""One link under every reasonable specification: designs, controls, weights and years."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.links.arguments import check_minimum, designs_of
from culture_metrics.links.given import names_of, outcome_of
from culture_metrics.links.output import link_verb
from culture_metrics.links.table import FAILED, NOT_FITTED, REPORTED
from culture_metrics.links.titles import heading, pointing, title_of
from culture_metrics.models.effects import t_statistics
from culture_metrics.models.fit import fit
from culture_metrics.models.outcome_values import outcome_values
from culture_metrics.models.panel_arrays import panel_arrays
from culture_metrics.models.plan import FEWEST_IN_LEVEL, Plan
from culture_metrics.models.sample import rare_levels
from culture_metrics.outcomes.panel import Panel
from culture_metrics.output import Output
from culture_metrics.wording.numbers import number, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from culture_metrics.models.designs.design import Design
    from culture_metrics.models.fitted import Fitted
    from culture_metrics.outcomes.outcome import Outcome

#: More specifications than this nobody can look through.
MOST = 2000
#: Reasons that the error of a curve without figures gives.
MOST_REASONS = 5
TABLE: dict[str, Any] = {
    "specification": pl.UInt32, "design": pl.String, "term": pl.String, "controls": pl.String,
    "weights": pl.String, "years": pl.String, "estimate": pl.Float64, "std_error": pl.Float64,
    "statistic": pl.Float64, "df": pl.Float64, "p_value": pl.Float64, "conf_low": pl.Float64,
    "conf_high": pl.Float64, "base": pl.UInt32, "n_orgs": pl.UInt32, "stands_for": pl.UInt32,
    "status": pl.String, "note": pl.String,
}  # fmt: skip
FIGURES = ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
#: Years of a span, or all; design, controls and weights.
Span = tuple[int, int] | None
Choice = tuple[str, tuple[str, ...], str | None]
DIRECTIONS = ("percent_above", "percent_below", "percent_clearly_above", "percent_clearly_below")
ALL_YEARS, UNWEIGHTED, NONE = "all years", "not weighted", "no controls"
#: Stands between the controls of one specification.
AND = " + "


@dataclass(frozen=True)
class SpecificationCurve(Output):
    """One link under every specification.

    Attributes
    ----------
    table : polars.DataFrame
        One row per distinct fit and term, the smallest estimate first; see `specification_curve`.
    shares : polars.DataFrame
        For all distinct fits and for each choice: how many, and the percentage that points each way.
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

        factor, scale = self._scale()
        drawn = self.table.drop_nulls("estimate").with_columns(
            pl.col("estimate", "conf_low", "conf_high") * factor
        )
        return views.specifications(
            drawn,
            _choices(drawn),
            y_title=f"{self.outcome.title} per {self.step}{scale}",
            title=pointing(self.shares.row(0, named=True), self._link()),
            subtitle=heading(self._spread()),
            level=self.level,
            notes="Specifications share their data and are no independent evidence. Associations only.",
        )

    def summary(self) -> str:
        """Say in plain sentences how far the link depends on how it is looked at."""
        found = self.table.drop_nulls("estimate")
        failed = self.table.height - found.height
        said = [
            f"{self._link()}, per {self.step}{self._scale()[1]}: {found.height} specifications, "
            f"{self._spread()}.",
            self._directions(),
            "Specifications share their data: these shares describe how much the answer depends on the "
            "analyst's choices and are no test. Associations only.",
        ]
        if failed:
            said.insert(2, f"{failed} more could not be fitted; `table` says why.")
        if repeats := self.repeats:
            said.insert(2, f"{repeats} more repeat one of these to the digit and are not counted.")
        if rare := found.filter(pl.col("note").str.contains("left out")).height:
            said.insert(
                -1, f"{rare} leave out rows of levels that few organisations have; `table` says which."
            )
        return " ".join(said)

    @property
    def repeats(self) -> int:
        """How many rows of the grid were merged with one that is the same fit."""
        return int((self.table["stands_for"] - 1).sum())

    def _link(self) -> str:
        return f"{heading(title_of(self.indicator))} and {self.outcome.title}"

    def _scale(self) -> tuple[float, str]:
        """Return the factor of estimates in words and figures, and what they are counted in."""
        if self.link != "identity":
            return 1.0, f", {self.link} scale"
        factor, unit = self.outcome.said_in
        return factor, f", in{unit}" if unit else ""

    def _spread(self) -> str:
        found = self.table["estimate"].drop_nulls().to_numpy() * self._scale()[0]
        low, middle, high = np.quantile(found, [0, 0.5, 1])
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


@link_verb
def specification_curve(  # noqa: PLR0913
    data: Panel | pl.DataFrame | pl.LazyFrame,
    indicator: str,
    outcome: Outcome | str,
    *,
    designs: Design | str | Sequence[Design | str] = (
        "pooled",
        "lagged",
        "within_between",
        "fixed_effects",
        "first_difference",
    ),
    controls: str | Sequence[str] = (),
    weights: str | Sequence[str] = (),
    years: Sequence[tuple[int, int]] = (),
    step: float | None = None,
    min_level_orgs: int = FEWEST_IN_LEVEL,
    organisation: str = "organisation",
    year: str = "year",
    conf_level: float = 0.95,
) -> SpecificationCurve:
    """Fit one link under every combination of designs, controls, weights and years.

    Parameters
    ----------
    data : Panel, polars.DataFrame or polars.LazyFrame
        What `panel` or `read_panel` returned, or a table of one row per organisation and year.
    indicator : str
        Number column.
    outcome : Outcome or str
        A plain column name is the outcome that a Panel declares under it, else a continuous one.
    designs : str or Design, or a sequence of them
        As `link_outcomes` has them, but for `cross_lagged`; `within_between` gives two rows.
    controls : str or sequence of str
        Every subset of them is tried, the empty one too.
    weights : str or sequence of str
        Columns of weights, each tried besides no weights.
    years : sequence of (int, int)
        First and last year of spans to try besides all years.
    step : float, optional
        Contrast of the indicator, the same for all; its standard deviation in the whole panel when left out.
    min_level_orgs : int
        Organisations that a level of a categorical control needs; rows of levels with fewer are left out of
        fits with that control, and the result counts them. 1 keeps all.
    organisation, year : str
        Key columns.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    SpecificationCurve
        `.table`: `specification` (1 has the smallest estimate), `design, term, controls` (parted by " + "),
        `weights, years, estimate, std_error, statistic, df, p_value, conf_low, conf_high` on the scale of
        the link, `base, n_orgs`, `stands_for` (specifications that are this fit: the same rows, outcome,
        weights, covariance and figures, as a control that does not vary within organisations leaves fixed
        effects as they are; the row
        names the first of them), `status` (`reported`, `failed`, `not_fitted`), `note`. One that could
        not be fitted has null figures and says why in `note`.
        `.shares`: `choice, option, specifications, percent_above, percent_below, percent_clearly_above,
        percent_clearly_below`; the first row is of all together.

    Raises
    ------
    LinkError
        With more than 2,000 specifications, a design that does not exist, or none that can be fitted.

    Notes
    -----
    Simonsohn, Simmons and Nelson (2020). Only what one would defend beforehand belongs among the choices.
    Amounts of money so skewed that some designs take a Gamma model are taken by least squares in all of them,
    so that the curve has one scale.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> panel = cm.synthetic.outcome_panel(organisations=60)
    >>> found = cm.specification_curve(panel, "staff_engagement", "shmi", controls=["beds"])
    >>> found.table.height, found.repeats  # the number of beds stays the same within an organisation
    (10, 2)
    """
    assert isinstance(data, Panel)  # by link_verb
    result = outcome_of(data, outcome)
    check_minimum("min_level_orgs", min_level_orgs)
    ways = {one.name: one for one in designs_of(designs)}
    if both := [one.name for one in ways.values() if one.both_ways]:
        raise LinkError("A specification is one equation", hint=f"Leave out '{both[0]}'; use 'lagged'.")
    controls = [name for name in names_of(controls) if name != indicator]
    weights = names_of(weights)
    sets = [subset for size in range(len(controls) + 1) for subset in combinations(controls, size)]
    grid: list[Choice] = list(product(ways, sets, [None, *weights]))
    if (many := len(grid) * (1 + len(years))) > MOST:
        raise LinkError(f"{many:,} specifications are too many", expected=f"at most {MOST:,}")
    columns = [*result.columns, indicator, *controls, *weights]
    whole = panel_arrays(data.table, columns)
    size = float(np.nanstd(whole.column(indicator), ddof=1)) if step is None else step
    fits: dict[object, list[dict[str, Any]]] = {}
    meant = result
    for span in [None, *years]:
        try:
            of_span = data.table if span is None else data.table.filter(pl.col("year").is_between(*span))
            arrays = panel_arrays(of_span, columns)
            values = outcome_values(arrays, result)
        except LinkError as error:
            fits |= {(span, *one): [_unfitted(span, one, error)] for one in grid}
            continue
        meant = values.outcome if span is None else meant
        for one in grid:
            design, subset, weight = one
            plan = Plan(
                values, (indicator,), subset, design=ways[design], standardise={indicator: size},
                weights=weight, min_level_orgs=min_level_orgs,
            )  # fmt: skip
            try:
                fitted = fit(arrays, plan)
            except LinkError as error:
                fits[span, *one] = [_unfitted(span, one, error)]
                continue
            rows = [_chosen(span, one) | row for row in _rows(fitted, conf_level)]
            for known in fits.setdefault((span, *one) if fitted.failed else _same(fitted), rows):
                known["stands_for"] += 1
    found = [row for rows in fits.values() for row in rows]
    schema = {name: dtype for name, dtype in TABLE.items() if name != "specification"}
    table = pl.DataFrame(found, schema=schema | {"link": pl.String})
    links = set(table["link"].drop_nulls())
    if not links:
        raise LinkError(
            "No specification could be fitted",
            got="; ".join(table["note"].unique(maintain_order=True).head(MOST_REASONS)),
            hint="Look at one of them with link_outcomes, which says more.",
        )
    if len(links) > 1 and result.rules.skewed:
        return specification_curve(
            data, indicator, result.as_number(), designs=designs, controls=controls, weights=weights,
            years=years, step=step, conf_level=conf_level, min_level_orgs=min_level_orgs,
        )  # fmt: skip
    if len(links) > 1:
        raise LinkError(
            "The specifications stand on different scales",
            got=", ".join(sorted(links)),
            hint="Take the outcome as continuous, or one kind of design at a time.",
        )
    table = table.sort("estimate", nulls_last=True, maintain_order=True).with_row_index("specification", 1)
    table = table.select(*TABLE)
    label = f"+1 SD ({size:.2g})" if step is None else f"+{size:g}"
    return SpecificationCurve(table, _shares(table), indicator, meant, label, links.pop(), conf_level)


def _chosen(span: Span, one: Choice) -> dict[str, Any]:
    """Return what a specification is made with, as it stands in the table."""
    design, controls, weights = one
    return {
        "design": design,
        "controls": AND.join(controls) or NONE,
        "weights": weights or UNWEIGHTED,
        "years": ALL_YEARS if span is None else f"{span[0]} to {span[1]}",
        "stands_for": 0,
    }


def _unfitted(span: Span, one: Choice, error: LinkError) -> dict[str, Any]:
    """Return the row of a specification that could not be fitted."""
    empty = dict.fromkeys((*FIGURES, "base", "n_orgs", "link"))
    why = {"term": "overall", "status": NOT_FITTED, "note": error.what, "stands_for": 1}
    return _chosen(span, one) | empty | why


def _rows(fitted: Fitted, conf_level: float) -> list[dict[str, Any]]:
    """Return a fit's rows of the table, one for each of its terms; without figures when it failed."""
    left_out = rare_levels(fitted.matrix.losses)
    shared = {
        "base": fitted.matrix.y.size,
        "n_orgs": fitted.matrix.clusters,
        "link": fitted.link,
        "status": FAILED if fitted.failed else REPORTED,
        "note": "; ".join([*fitted.flags, *([f"left out: {left_out}"] if left_out else [])]),
    }
    rows = []
    for (_, term), column in fitted.matrix.terms.items():
        figures: dict[str, Any] = dict.fromkeys(FIGURES)
        if not fitted.failed:
            error = np.array([fitted.std_error(column)])
            tested = t_statistics(fitted.solution.params[[column]], error, fitted.degrees(column), conf_level)
            figures = {name: float(values[0]) for name, values in tested.items()}
        rows.append(shared | figures | {"term": term})
    return rows


def _same(fitted: Fitted) -> object:
    """Return what two fits share when they are one: outcome, rows, covariance and all figures to ten digits.

    Names of designs and columns do not count: a control that falls out, weights that are all alike, or years
    that are all years make no other fit.
    """
    matrix = fitted.matrix
    columns = list(matrix.terms.values())
    figures = [*fitted.solution.params[columns]]
    figures += [number for column in columns for number in (fitted.std_error(column), fitted.degrees(column))]
    return (
        fitted.family, fitted.link, fitted.cov, tuple(matrix.terms), matrix.y.tobytes(),
        matrix.years.tobytes(), matrix.groups.tobytes(), matrix.organisations,
        tuple(f"{figure:.9e}" for figure in figures),
    )  # fmt: skip


def _choices(table: pl.DataFrame) -> pl.DataFrame:
    """Return what each specification was made with: `specification, choice, option`."""
    plain = pl.col("design").str.replace_all("_", " ")
    design = pl.when(pl.col("term") == "overall").then(plain).otherwise(pl.format("{}: {}", plain, "term"))
    chosen = {"design": pl.concat_list(design), "controls": pl.col("controls").str.split(AND)}
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
