"""Equality gaps as an object: table, sentences, figure, and what became of them over the years."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.comparable import mark_breaks
from culture_metrics.compare.difference import ALPHA, quantile, tail
from culture_metrics.compare.equality_standards import equality_of
from culture_metrics.compare.families import adjust_p
from culture_metrics.compare.standing import turned
from culture_metrics.contract import ALL, check_released
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.output import Output
from culture_metrics.results.spelling import breakdown_among
from culture_metrics.results.words import SOURCES
from culture_metrics.wording.numbers import several, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from culture_metrics.wording.several import Figures
    from culture_metrics.wording.table import Table

#: What is said where two groups do not differ beyond chance.
NO_GAP = "no clear gap"
#: So many gaps are told in a summary, the widest first.
MOST_SAID = 4
SERIES = [
    "survey", "organisation", "breakdown", "group", "reference", "indicator", "measure", "label", "unit",
    "direction", "weighting", "source",
]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class EqualityGaps(Output):
    """Two groups of staff side by side, one row per period, organisation, pair of groups and measure.

    Attributes
    ----------
    table : polars.DataFrame
        See `equality_gaps`.
    survey : str
        The survey.
    notes : tuple of str
        What was assumed, and what is not there.
    adjust : {"bh", "holm"}
        How p-values are adjusted.
    names : mapping
        Breakdown -> what the file calls it.
    """

    table: pl.DataFrame
    survey: str
    notes: tuple[str, ...] = ()
    adjust: str = "bh"
    names: Mapping[str, str] = field(default_factory=dict)

    def figure(
        self,
        breakdown: str | None = None,
        *,
        organisation: str | None = None,
        group: str | None = None,
        unit: str | None = None,
    ) -> go.Figure:
        """Draw the two groups of one breakdown as dumbbells, year under year, with the gap and its interval.

        Of the two groups of a standard its indicators are drawn.

        Parameters
        ----------
        breakdown, organisation, group : str, optional
            The first with a gap when left out.
        unit : {"percent", "score"}, optional
            Percentages where there are any, when left out: the two have no axis in common.

        Raises
        ------
        UnknownNameError
            When the table has no such breakdown, organisation or group.
        ResultsError
            When no gap is shown.
        """
        rows = self.table.drop_nulls("gap")
        if rows.is_empty():
            raise ResultsError("No gap is shown, so there is nothing to draw", where="equality_gaps")
        if breakdown is not None:
            edition = catalogue(self.survey).edition(str(rows["period"].max()))
            breakdown = breakdown_among(rows["breakdown"].unique(), breakdown, edition, self.names)
        for column, wanted in (("organisation", organisation), ("breakdown", breakdown), ("group", group)):
            known = rows[column].unique(maintain_order=True)
            if wanted is not None and wanted not in known:
                raise unknown(f"{column} with a gap that is shown", wanted, known)
            rows = rows.filter(pl.col(column) == (wanted or known[0]))
        standard = rows.drop_nulls("indicator")
        return self._figure(standard if standard.height else rows, unit)

    def _figure(self, rows: pl.DataFrame, unit: str | None) -> go.Figure:
        """Draw gaps of two groups that are all of a standard, or none."""
        from culture_metrics import views

        units = rows["unit"].cast(pl.String)
        unit = unit or ("percent" if (units == "percent").any() else "score")
        if unit not in (there := units.unique().sort()):
            raise unknown("unit with a gap that is shown", unit, there)
        rows = rows.filter(units == unit).filter(source=rows["source"][0], weighting=rows["weighting"][0])
        first = rows.row(0, named=True)
        newest = rows.filter(period=rows["period"].max())
        clear = newest.filter(pl.col("verdict").is_in(["worse", "better", "differs"])).height
        own = pl.col("breakdown") == first["breakdown"]
        several_ = self.table.filter(own)["group"].n_unique() > 1
        pair = f", {first['group']} against {first['reference']}" if several_ else ""
        beside = self.table.filter(own, pl.col("indicator").is_not_null() != (first["indicator"] is not None))
        of = "" if beside.is_empty() else "in scores " if first["indicator"] is None else "in indicators "
        return views.gaps(
            rows,
            unit=unit,
            title=f"{self._whom(first['organisation'])}: {self.breakdown_label(first['breakdown'])}{pair}, "
            f"{clear} of {several(newest.height, 'gap')} {of}clear in {newest['period'][0]}",
            subtitle=f"{catalogue(self.survey).label}, {_years(rows['period'])}",
            source=SOURCES[str(first["source"])],
            hidden=self.table.filter(
                *(pl.col(c) == first[c] for c in ("organisation", "breakdown", "group")),
                pl.col("indicator").is_not_null() == (first["indicator"] is not None),
                pl.col("unit").cast(pl.String) == unit,
                status="suppressed",
            ).height,
        )

    def figures(self) -> Figures:
        """Draw every pair of groups that has a gap, first those that hold the gap told first of a pair.

        Of a standard both its units, of other breakdowns scores alone; and whatever else holds the gap that
        is told first of a pair.
        """
        from culture_metrics.wording.several import Figures

        rows = self.table.drop_nulls("gap").with_columns(pl.col("unit").cast(pl.String), standard=_STANDARD)
        if rows["organisation"].n_unique() > 1:
            rows = rows.filter(organisation=rows["organisation"][0])
        key = ["organisation", "breakdown", "group", "standard", "unit"]
        first = foremost(rows.filter(period=rows["period"].max())).select(key).with_row_index("told")
        score = (pl.col("unit") == "score") & ~pl.col("standard").any().over("breakdown")
        kept = rows.join(first, on=key, how="left", maintain_order="left").filter(
            pl.col("standard") | score | pl.col("told").is_not_null()
        )
        kept = kept.sort("told", nulls_last=True, maintain_order=True)
        made = (
            self._figure(self.table.drop_nulls("gap").filter(standard == _STANDARD, **pair), unit)
            for *named, standard, unit in kept.select(key).unique(maintain_order=True).iter_rows()
            for pair in [dict(zip(key, named, strict=False))]
        )
        return Figures(tuple(made), otherwise="No gap may be shown: one of the two groups is too small.")

    def over_years(self) -> pl.DataFrame:
        """Return the change of each gap from the first to the last period that has it.

        Returns
        -------
        polars.DataFrame
            What names the gap, `period_from`, `period_to`, `gap_from`, `gap_to`, `change` (below 0 where the
            gap narrowed, whichever way it points), `std_error`, `conf_low`, `conf_high` (95 %), `p_value`,
            `p_adjusted`, `verdict` (narrowed, widened, no clear change, not comparable) and `reason`.

        Notes
        -----
        The change is that of the size of the gap; which way the gap points is taken from both periods
        together (from the first alone, chance would look like narrowing). The two years are taken as
        different people. Degrees of freedom by Satterthwaite; p-values are adjusted as those of the gaps.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> made = [cm.synthetic.respondents(y, respondents_per_organisation=300) for y in (2023, 2024)]
        >>> cm.equality_gaps(made, ["ethnicity_summary"]).over_years().columns[-3:]
        ['p_adjusted', 'verdict', 'reason']
        """
        rows = self.table.drop_nulls("gap").with_columns(
            first=pl.col("period").min().over(SERIES), last=pl.col("period").max().over(SERIES)
        )
        rows = rows.filter(pl.col("first") != pl.col("last"))
        wanted = [*SERIES, "period", "gap", "std_error", "df"]
        old, new = (rows.filter(pl.col("period") == pl.col(end)).select(wanted) for end in ("first", "last"))
        both = old.join(new, on=SERIES, nulls_equal=True, suffix="_to", maintain_order="left")
        both = both.rename({c: f"{c}_from" for c in ("period", "gap", "std_error", "df")})
        errors = [both[f"std_error_{end}"].cast(pl.Float64).to_numpy() ** 2 for end in ("from", "to")]
        with np.errstate(invalid="ignore", divide="ignore"):
            before, after = (both[f"gap_{end}"].to_numpy() for end in ("from", "to"))
            change = np.where(before + after < 0, -1.0, 1.0) * (after - before)
            error = np.sqrt(errors[0] + errors[1])
            parts = [
                e**2 / both[f"df_{end}"].fill_null(np.inf).cast(pl.Float64).to_numpy()
                for e, end in zip(errors, ("from", "to"), strict=True)
            ]
            df = error**4 / (parts[0] + parts[1])
            reach = quantile(df, np.full_like(df, ALPHA / 2)) * error
            p = 2 * tail(np.abs(change) / error, df)
        columns = {
            "change": change, "std_error": error, "conf_low": change - reach, "conf_high": change + reach,
            "p_value": p,
        }  # fmt: skip
        found = both.with_columns(pl.Series(n, v, nan_to_null=True) for n, v in columns.items())
        found = found.with_columns(reason=_broken(found, self.survey))
        tested = found.with_columns(why_not="reason")
        found = adjust_p(tested, self.adjust, ("organisation", "breakdown", "source", "weighting"))
        verdict = (
            pl.when(pl.col("reason").is_not_null())
            .then(pl.lit("not comparable"))
            .when(pl.col("p_adjusted").is_null() | (pl.col("p_adjusted") >= ALPHA))
            .then(pl.lit("no clear change"))
            .when(pl.col("change") < 0)
            .then(pl.lit("narrowed"))
            .otherwise(pl.lit("widened"))
        )
        return found.with_columns(verdict=verdict).select(
            *SERIES,
            "period_from",
            "period_to",
            "gap_from",
            "gap_to",
            *columns,
            "p_adjusted",
            "verdict",
            "reason",
        )

    def changes(self) -> Table:
        """List the changes of gaps over the years: of the standards' indicators, or of all without any."""
        from culture_metrics.wording.table import Table

        moved = self.over_years()
        known = moved.drop_nulls("indicator")
        rows = known if known.height else moved
        if rows.is_empty():
            return Table(pl.DataFrame(), "No gap is shown in two years, so none can have moved")
        said = [
            {
                "Indicator": " ".join(filter(None, (row["indicator"], row["label"]))),
                "Group": row["group"],
                "From": f"{row['period_from']}: {signed(row['gap_from'], str(row['unit']))}",
                "To": f"{row['period_to']}: {signed(row['gap_to'], str(row['unit']))}",
                "Change (95% interval)": _interval(row, "change"),
                "Verdict": row["verdict"],
            }
            for row in rows.iter_rows(named=True)
        ]
        numbers = ("From", "To", "Change (95% interval)")
        return Table(pl.DataFrame(said), "Change of each gap, below 0 where it narrowed", numbers=numbers)

    def summary(self) -> str:
        """Say in plain sentences whose experience is worse, by how much, and whether that changed."""
        newest = self.table.filter(pl.col("period") == pl.col("period").max().over("organisation"))
        shown = newest.drop_nulls("gap")
        many = self.table["organisation"].n_unique()
        earlier = self.table.drop_nulls("gap") if shown.is_empty() else shown
        if earlier.is_empty():
            return f"No gap is shown; {several(self.table.height, 'gap')} held back or of one group."
        none = ""
        if shown.is_empty():
            last = catalogue(self.survey).named(str(newest["period"].max()))
            none = f"Of {last} no gap is shown: {several(newest.height, 'gap')} held back or of one group. "
            shown = earlier.filter(pl.col("period") == pl.col("period").max().over("organisation"))
        counts = {v: shown.filter(verdict=v).height for v in ("worse", "better", NO_GAP)}
        period = catalogue(self.survey).named(str(shown["period"].max()))
        among = f" in {several(many, 'organisation')}" if many > 1 else ""
        said = [
            f"{none}{period}: of {several(shown.height, 'gap')}"
            f"{among}, the group's experience is worse in "
            f"{counts['worse']:,} and better in {counts['better']:,} beyond chance, "
            f"{counts[NO_GAP]:,} show no clear gap{self._others(shown)}."
        ]
        if many == 1:
            worst = (
                shown.filter(verdict="worse").sort(pl.col("indicator").is_null(), "p_value").head(MOST_SAID)
            )
            said += [_sentence(row) for row in worst.iter_rows(named=True)]
            if self.table["period"].n_unique() > 1:
                moved = self.over_years()
                told = [f"{moved.filter(verdict=v).height:,} {v}" for v in ("narrowed", "widened")]
                said.append(f"Over the years {' and '.join(told)} beyond chance.")
        hidden = newest.filter(status="suppressed").height
        if hidden and not none:
            said.append(f"{several(hidden, 'gap')} not shown.")
        return " ".join(said)

    def _others(self, shown: pl.DataFrame) -> str:
        """Say how many gaps are none of worse, better and not clear, so that the numbers add up."""
        each = [
            (shown.filter(pl.col("verdict").str.starts_with("likely")).height, "likely alone"),
            (shown.filter(verdict="differs").height, "differ without a better side"),
            (shown.filter(verdict="not tested").height, "cannot be tested"),
        ]
        return "".join(f", {count:,} {words}" for count, words in each if count)

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed, and what is not there."""
        return self.notes

    def breakdown_label(self, breakdown: str) -> str:
        """Return what a breakdown is called."""
        return catalogue(self.survey).newest.breakdown_label(breakdown, self.names)

    def _whom(self, code: str) -> str:
        return "All organisations" if code == ALL else self.names.get(code, code)

    def _leaving(self) -> pl.DataFrame:
        for base in ("base_group", "base_reference"):
            check_released(self.table.select("survey", "status", base=base))
        return super()._leaving()

    def __repr__(self) -> str:
        shown = self.table.drop_nulls("gap").height
        return f"EqualityGaps({several(shown, 'gap')} shown. See .table, .over_years() and .summary())"

    def _repr_html_(self) -> str:
        return self._with_points(self.notes, "How the gaps were taken")


#: Expression: which gaps of two groups share a figure: those of a standard, or the others.
_STANDARD = pl.col("indicator").is_not_null()


def foremost(rows: pl.DataFrame) -> pl.DataFrame:
    """Return of each pair of groups that is worse off the gap that is told first, the foremost pair first.

    Indicators of standards come before other gaps, then what goes furthest beyond the gap of the benchmark
    group, or beyond chance where there is none; `many` says in how many the pair is worse beyond chance.
    """
    beyond = turned("benchmark_gap") - turned("gap")
    ranked = (
        rows.filter(verdict="worse")
        .with_columns(
            far=pl.coalesce(beyond / pl.col("std_error"), pl.col("statistic").abs(), turned("gap").neg()),
            many=pl.len().over("breakdown", "group"),
        )
        .sort(pl.col("indicator").is_null(), "far", descending=[False, True], nulls_last=True)
    )
    return ranked.unique(["breakdown", "group"], keep="first", maintain_order=True)


def _years(periods: pl.Series) -> str:
    first, last = str(periods.min()), str(periods.max())
    return first if first == last else f"{first} to {last}"


def _sentence(row: Mapping[str, Any]) -> str:
    known = "" if row["indicator"] is None else f" ({row['indicator']})"
    gap = _interval(row, "gap", " points" if row["unit"] == "percent" else "")
    return f"{row['label']}{known}: {row['group']} {gap} against {row['reference']}."


def _interval(row: Mapping[str, Any], name: str, sign: str = "") -> str:
    """Say a difference with its interval, as far as it is known."""
    unit = str(row["unit"])
    ends = [row["conf_low"], row["conf_high"]]
    known = "" if None in ends else f" ({' to '.join(signed(end, unit) for end in ends)})"
    return f"{signed(row[name], unit)}{sign}{known}"


def _broken(changes: pl.DataFrame, survey: str) -> pl.Series:
    """Return why the two periods of a row do not compare; null where they do."""
    known = catalogue(survey)
    # What is made of other measures breaks where the first of them does.
    made = {name: one.any_of[0] for name, one in equality_of(survey).made.items()}
    nothing = pl.lit(None, pl.String)
    found = []
    numbered = changes.with_row_index("row")
    for periods, rows in numbered.group_by("period_from", "period_to"):
        ready = rows.with_columns(
            pl.col("measure").replace(made),
            benchmark_group=nothing, pooled_from=pl.lit(value=False), missing=nothing,
            **{f"{n}_{e}": x for e in ("from", "to") for n, x in {
                "weighting": pl.col("weighting"), "status": pl.lit("reported"), "release": nothing,
            }.items()},
        )  # fmt: skip
        marked = mark_breaks(ready, known, str(periods[0]), str(periods[1]))
        found.append(marked.select("row", "refused"))
    if not found:
        return pl.Series("reason", [], dtype=pl.String)
    return pl.concat(found).sort("row")["refused"].alias("reason")
