"""Several years of one survey: slope, turning point, every year against the first, and rank by year."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.assumptions import Assumptions
from culture_metrics.compare.difference import ALPHA
from culture_metrics.compare.families import ADJUSTMENTS, adjust_p
from culture_metrics.compare.lines import fit_lines
from culture_metrics.compare.pairs import gather
from culture_metrics.compare.trend_points import comparable_points, standing_by_year
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, unknown
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed
from culture_metrics.results.spelling import breakdown_among
from culture_metrics.results.words import SOURCES
from culture_metrics.wording.columns import signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.compare.pairs import Given


SERIES = ["organisation", "breakdown", "group", "measure", "label", "unit", "direction"]
#: So many lines are told in a summary, those of whole organisations first.
MOST_SAID = 5


@dataclass(frozen=True, repr=False, eq=False)
class Trend(Output):
    """Measures over several years.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation, breakdown, group and measure: `first_period` (the first that compares with
        the last), `last_period`, `periods` (how many), `slope` (a year), `std_error`, `df`, `conf_low`,
        `conf_high`, `p_value`, `p_adjusted`, `p_not_straight` (that the years lie on no line), `p_turned`
        (adjusted), `turning_point` (period, or null when there is none that the data support).
    points : polars.DataFrame
        One row per year of them: `period, estimate, conf_low, conf_high, base, comparable, reason`,
        `difference` from the first comparable year with `difference_low`, `difference_high`, `p_value`; from
        published results also `organisations`, `rank` (1 is best) and `percentile` in the benchmark group.
    survey : str
        The survey.
    notes : tuple of str
        What was assumed.
    names : mapping
        What the files call breakdowns, by id.
    """

    table: pl.DataFrame
    points: pl.DataFrame
    survey: str
    notes: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def figure(self, measure: str | None = None, breakdown: str = ALL, group: str = ALL) -> go.Figure:
        """Draw one measure over the years with its intervals and line; the first when none is named.

        Parameters
        ----------
        measure : str, optional
            Id, official code or label.
        breakdown, group : str
            A breakdown by any of its names, and a group of it; the whole organisation when left out.

        Raises
        ------
        UnknownNameError
            When there is no trend of that measure, breakdown or group.
        ComparabilityError
            When several organisations have it.
        """
        from culture_metrics import views

        edition = catalogue(self.survey).edition(str(self.table["last_period"].max()))
        labels = dict(self.table.select("label", "measure").unique().iter_rows())
        measure = str(self.table["measure"][0]) if measure is None else labels.get(measure, measure)
        name = edition.measure(measure).id
        breakdown = breakdown_among(self.table["breakdown"].unique(), breakdown, edition, self.names)
        for kind, own, wanted in (
            ("measure", "measure", name), ("breakdown", "breakdown", breakdown), ("group", "group", group)
        ):  # fmt: skip
            of = self.table if kind != "group" else self.table.filter(measure=name, breakdown=breakdown)
            if wanted not in of[own]:
                known = of[own].unique().sort().to_list()
                raise unknown(f"{kind} in this trend", wanted, [self.names.get(k, k) for k in known])
        chosen = (pl.col("measure") == name) & (pl.col("breakdown") == breakdown) & (pl.col("group") == group)
        row, points = self.table.filter(chosen), self.points.filter(chosen)
        if row["organisation"].n_unique() != 1:
            raise ComparabilityError(
                f"{row['organisation'].n_unique()} organisations have {name} of {breakdown}: {group}",
                expected="one",
                hint="trend(…, organisation='RXX') keeps one.",
            )
        return views.trend(
            points,
            row,
            title=f"{row['organisation'][0]}, {row['label'][0]}: {_direction(row.row(0, named=True))}",
            subtitle=catalogue(self.survey).label,
            source=SOURCES[str(points["source"][0])],
        )

    def summary(self) -> str:
        """Say in plain sentences which measures rise or fall, and which have turned."""
        several = self.table["organisation"].n_unique() > 1
        first = self.table.sort(pl.col("breakdown") != ALL, "p_value", nulls_last=True)
        said = " ".join(first.select(_sentence(several)).to_series().head(MOST_SAID))
        many = self.table.height
        rest = [f"Of {counted(many, 'line')} in all; see .table."] if many > MOST_SAID else []
        return " ".join(
            [said, *rest, *catalogue(self.survey).remarks(*self.points["period"].unique().sort())]
        )

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed, pooled or taken as given."""
        return self.notes

    def __repr__(self) -> str:
        clear = self.table.filter(pl.col("p_adjusted") < ALPHA)["slope"]
        lines, measures = self.table.height, self.table["measure"].n_unique()
        up, down, last = (clear > 0).sum(), (clear < 0).sum(), str(self.table["last_period"].max())
        return (
            f"Trend({counted(lines, 'line')} of {counted(measures, 'measure')} to {last}: {up} clearly up, "
            f"{down} clearly down. See .table, .points and .summary())"
        )

    def _repr_html_(self) -> str:
        return self._with_points(self.notes)


@verb
def trend(
    results: Given,
    measures: Sequence[str] | None = None,
    *,
    organisation: str | None = None,
    release: str | int | None = None,
    assumptions: Assumptions | None = None,
    adjust: str = "bh",
) -> Trend:
    """Follow measures over the years of a survey.

    Parameters
    ----------
    results : Results, Published, polars.DataFrame or sequence of them
        Results of three periods or more, of one release where they are weighted and published.
    measures : sequence of str, optional
        Ids or official codes; every measure with a better side when left out.
    organisation : str, optional
        ODS code; every organisation when left out. Ranks are taken before the others are left out.
    release : str or int, optional
        The release all figures come from, where the files do not say.
    assumptions : Assumptions, optional
        For published figures; as in `compare_years`.
    adjust : {"bh", "holm"}
        Adjustment of the slopes' p-values, over all series of one breakdown.

    Returns
    -------
    Trend
        `.table` and `.points`.

    Raises
    ------
    ComparabilityError
        When no measure has three years that compare.
    UnknownNameError
        When there is no such measure or organisation.

    Notes
    -----
    Years count as they are spaced: 2019 and 2021 are two apart, quarters a quarter. The slope is weighted
    least squares with the variances of the years as the results have them (fixed-effect meta-regression),
    clusters and weights included; its degrees of freedom are by Satterthwaite. Cochran's Q about the line
    tests whether the years lie on one. A turning point is marked only when four years or more compare and,
    adjusted over all series of one breakdown, a kink at an inner year fits beyond chance and the slopes
    before and after it differ in sign, each beyond chance (`compare.lines`). Years before a break
    of the catalogue are not part of it; the first year that compares with the last is the one all others are
    set against, by the tests of `compare_years`.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> results = [estimate(synthetic.respondents(y, 1, 400)) for y in (2021, 2022, 2023, 2024)]
    >>> trend(results, ["staff_engagement"]).table["periods"].item()
    4
    """
    stuff = gather(results, None if release is None else str(release))
    survey = catalogue(stuff.survey)
    periods = stuff.frame["period"].unique().sort().to_list()
    known = stuff.frame["organisation"].unique().sort().to_list()
    if organisation is not None and organisation not in known:
        raise unknown("organisation in these results", organisation, known)
    assumed = assumptions or Assumptions()
    points = comparable_points(stuff, measures, organisation, assumed)
    series = (
        points.filter("comparable")
        .group_by(SERIES, maintain_order=True)
        .agg(
            pl.col("period").first().alias("first_period"),
            pl.col("period").last().alias("last_period"),
            pl.len().alias("periods"),
            "year",
            "estimate",
            "variance",
            "df",
            names=pl.col("period"),
        )
    )
    enough = series.filter(pl.col("periods") >= 3)
    if enough.is_empty():
        raise ComparabilityError(
            "No measure has three years that compare",
            where=survey.label,
            got=", ".join(periods),
            expected="three periods of one release, or unweighted",
            hint="compare_years sets two years side by side.",
        )
    table = _fitted(enough)
    free = pl.lit(None, pl.String)
    table = adjust_p(table.with_columns(why_not=free), adjust).drop("critical")
    turned = adjust_p(table.with_columns(p_value="p_turned"), adjust)["p_adjusted"]
    table = table.with_columns(
        pl.when(turned < ALPHA).then("turning_point").alias("turning_point"), p_turned=turned
    ).drop("why_not")
    keys = ["organisation", "breakdown", "group", "measure"]
    lost = sorted(set(stuff.frame["organisation"].unique()) - set(table["organisation"].unique()))
    points = points.join(table.select(*keys, "first_period"), on=keys, how="semi")
    ranks = standing_by_year(stuff)
    if ranks is not None:
        points = points.join(ranks, on=["period", *keys], how="left", maintain_order="left")
    return Trend(
        table=table,
        points=points.drop("year", "variance", "df"),
        survey=stuff.survey,
        notes=(
            f"p_adjusted is adjusted over all series of one breakdown ({ADJUSTMENTS[adjust]}).",
            "Years are taken as samples of different people; the scatter of a year is that of its sample.",
            *_left_out(lost if organisation is None else [], periods[-1]),
            *catalogue(stuff.survey).remarks(*points["period"].unique().sort()),
        ),
        names=stuff.words,
    )


def _left_out(codes: Sequence[str], last: str) -> list[str]:
    if not codes:
        return []
    return [f"No trend without three periods that compare, {last} among them: {listed(codes)}."]


def _fitted(series: pl.DataFrame) -> pl.DataFrame:
    """Fit a line to every series, those of the same years together."""
    parts = []
    for alike in series.partition_by("names", maintain_order=True):
        shape = (alike.height, -1)
        values, variances, df = (
            alike[name].explode().cast(pl.Float64).to_numpy().reshape(shape)
            for name in ("estimate", "variance", "df")
        )
        lines = fit_lines(alike["year"][0].to_list(), values, variances, alike["names"][0].to_list(), df)
        parts.append(alike.drop("year", "estimate", "variance", "df", "names").hstack(lines))
    return pl.concat(parts)


def _direction(row: dict[str, object]) -> str:
    if row["turning_point"] is not None:
        return f"turned in {row['turning_point']}"
    if row["p_adjusted"] is None or float(row["p_adjusted"]) >= ALPHA:  # type: ignore[arg-type]
        return "no clear trend"
    return "rising" if float(row["slope"]) > 0 else "falling"  # type: ignore[arg-type]


def _sentence(several: bool) -> pl.Expr:
    """Expression: a trend in a sentence. Where a measure turned, its slope says nothing and is left out."""
    slope = pl.format(
        "({}{} a year, 95% interval {} to {})",
        signed("slope"),
        pl.when(pl.col("unit").cast(pl.String) == "percent").then(pl.lit(" points")).otherwise(pl.lit("")),
        signed("conf_low"),
        signed("conf_high"),
    )
    moved = (
        pl.when(pl.col("p_adjusted") >= ALPHA)
        .then(
            # As `compare_years` calls it: by its own interval, but not among all that was looked at.
            pl.when(pl.col("p_value") >= ALPHA)
            .then(pl.lit("no clear trend"))
            .when(pl.col("slope") > 0)
            .then(pl.lit("likely rising"))
            .otherwise(pl.lit("likely falling"))
        )
        .when(pl.col("slope") > 0)
        .then(pl.lit("rising"))
        .otherwise(pl.lit("falling"))
    )
    crooked = (
        pl.when(pl.col("p_not_straight") < ALPHA)
        .then(pl.lit(", but the years do not lie on one line"))
        .otherwise(pl.lit(""))
    )
    group = pl.when(pl.col("breakdown") == ALL).then(pl.lit("")).otherwise(pl.format(", {}", "group"))
    whose = pl.format("{}: ", "organisation") if several else pl.lit("")
    when = pl.format("{}{}{}, {} to {}: ", whose, "label", group, "first_period", "last_period")
    return pl.concat_str(
        when,
        pl.when(pl.col("turning_point").is_not_null())
        .then(pl.format("turned in {}.", "turning_point"))
        .otherwise(pl.format("{} {}{}.", moved, slope, crooked)),
    )
