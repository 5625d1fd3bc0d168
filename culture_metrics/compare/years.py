"""Two years of one survey: what changed, what only seems to have, and what may not be compared."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.assumptions import Assumptions
from culture_metrics.compare.comparable import mark_breaks, refuse, release_reason, unpaired
from culture_metrics.compare.difference import add_differences
from culture_metrics.compare.pairs import catalogued, gather, pool, side_by_side
from culture_metrics.compare.sentences import sentence
from culture_metrics.compare.verdict import (
    ADJUSTMENTS,
    BARRED,
    DECLINED,
    IMPROVED,
    SAME,
    UNCLEAR,
    adjust_p,
    judge,
    official_flag,
)
from culture_metrics.errors import ComparabilityError, ComparabilityWarning, CultureMetricsError, unknown
from culture_metrics.results import ALL

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.catalogue import Survey
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.published import Published

#: Smallest change of interest, by unit.
MATERIAL: Mapping[str, float] = MappingProxyType({"percent": 1.0, "score": 0.1})
TABLE = [
    "organisation", "breakdown", "group", "measure", "code", "label", "level", "unit", "direction",
    "period_from", "period_to", "estimate_from", "estimate_to", "base_from", "base_to", "difference",
    "std_error", "df", "statistic", "conf_low", "conf_high", "p_value", "p_adjusted", "p_equivalence",
    "standardised_difference", "detectable_change", "material", "verdict", "reason", "instead",
    "official_flag", "status", "weighting", "source",
]  # fmt: skip
FLAG_NOTE = (
    "official_flag rebuilds the flag of the official reports (elements and themes; two-sample t-test, "
    "two-tailed, 95 %). Not confirmed: that the official test pools the variances, takes unweighted bases and "
    "an unweighted standard deviation. It is not adjusted for the number of tests."
)


@dataclass(frozen=True)
class YearComparison:
    """Two periods of one survey side by side.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation, breakdown, group and measure; see `compare_years`.
    survey, from_period, to_period : str
        What was compared.
    vanished, appeared : tuple of str
        Organisations with results in the first period only, and in the second only.
    notes : tuple of str
        What was assumed, pooled or taken as given.
    """

    table: pl.DataFrame
    survey: str
    from_period: str
    to_period: str
    vanished: tuple[str, ...]
    appeared: tuple[str, ...]
    notes: tuple[str, ...]

    def sentences(self, *verdicts: str) -> list[str]:
        """Say each finding in a sentence for a board paper, the largest standardised change first.

        Parameters
        ----------
        *verdicts : str
            Only these verdicts; all of them when left out.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> data = cm.read_inputs([])
        >>> change = compare_years(data.results, "2023", "2024", measures=["q25c"])
        >>> change.sentences("improved")[0][:56]
        'Would recommend as a place to work rose from 58.0% to 64'
        """
        rows = self.table.filter(pl.col("verdict").is_in(verdicts)) if verdicts else self.table
        ordered = rows.sort(
            pl.col("standardised_difference").abs(), descending=True, nulls_last=True, maintain_order=True
        )
        return ordered.select(sentence()).to_series().to_list()

    def figure(self, breakdown: str = ALL, group: str = ALL) -> go.Figure:
        """Draw the change of every measure of a group, sorted by size, with intervals and verdicts."""
        from culture_metrics import views

        rows = self._rows(breakdown, group)
        return views.changes(
            rows,
            title=self._title(rows, "what changed"),
            subtitle=self._when(),
            source=_SOURCES[str(rows["source"][0])],
        )

    def slope(self, breakdown: str = ALL, group: str = ALL) -> go.Figure:
        """Draw the scores of both years as lines from one to the other."""
        from culture_metrics import views

        rows = self._rows(breakdown, group)
        scores = rows.filter(pl.col("unit") == "score")
        return views.slope(
            scores if scores.height else rows,
            title=self._title(rows, f"{self.from_period} and {self.to_period}"),
            subtitle=self._when(),
            source=_SOURCES[str(rows["source"][0])],
        )

    def heat_map(self, breakdown: str) -> go.Figure:
        """Draw the change of every measure in every group of a breakdown."""
        from culture_metrics import views

        rows = self._one(self.table.filter(pl.col("breakdown").is_in([breakdown, ALL])))
        known = self._survey.edition(self.to_period).breakdowns.get(breakdown)
        if breakdown not in rows["breakdown"]:
            raise unknown("breakdown in this comparison", breakdown, self.table["breakdown"].unique().sort())
        unit = "score" if (rows["unit"] == "score").any() else "percent"
        of_unit = rows.filter(pl.col("unit") == unit)
        leading = of_unit.filter(pl.col("level").is_in(["element", "theme"]))
        label = known.label if known else breakdown
        return views.change_map(
            leading if leading.height else of_unit,
            title=self._title(rows, f"change by {label[0].lower()}{label[1:]}"),
            subtitle=self._when(),
            source=_SOURCES[str(rows["source"][0])],
        )

    def summary(self) -> str:
        """Say in plain sentences what came of it."""
        counts = dict(self.table["verdict"].cast(pl.String).value_counts().iter_rows())
        n = self.table.height
        said = [
            f"{self.from_period} to {self.to_period}: of {n:,} comparisons {counts.get(IMPROVED, 0):,} improved, "
            f"{counts.get(DECLINED, 0):,} declined, {counts.get(SAME, 0):,} did not change materially, "
            f"{counts.get(UNCLEAR, 0):,} are unclear and {counts.get(BARRED, 0):,} may not be compared."
        ]
        said += self.sentences(IMPROVED)[:3] + self.sentences(DECLINED)[:3]
        for gone, word in ((self.vanished, f"only in {self.from_period}"), (self.appeared, f"only in {self.to_period}")):  # fmt: skip  # noqa: E501
            if gone:
                said.append(
                    f"{len(gone)} organisation{'s' if len(gone) > 1 else ''} {word}: {', '.join(gone)}."
                )
        return " ".join(said)

    def __repr__(self) -> str:
        return f"YearComparison({self.summary()})"

    def _repr_html_(self) -> str:
        import html

        points = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"<p>{html.escape(self.summary())}</p><ul>{points}</ul>"

    @property
    def _survey(self) -> Survey:
        return catalogue(self.survey)

    def _when(self) -> str:
        return f"{self._survey.label}, {self.from_period} to {self.to_period}"

    def _title(self, rows: pl.DataFrame, what: str) -> str:
        return f"{rows['organisation'][0]}: {what}"

    def _rows(self, breakdown: str, group: str) -> pl.DataFrame:
        rows = self.table.filter((pl.col("breakdown") == breakdown) & (pl.col("group") == group))
        if rows.is_empty():
            known = self.table.select(pl.format("{}: {}", "breakdown", "group")).to_series().unique().sort()
            raise unknown("group in this comparison", f"{breakdown}: {group}", known)
        return self._one(rows)

    def _one(self, rows: pl.DataFrame) -> pl.DataFrame:
        """See to it that a figure shows one organisation."""
        codes = rows["organisation"].unique().sort().to_list()
        if len(codes) > 1:
            raise ComparabilityError(
                f"A figure of {len(codes)} organisations would not be read",
                expected="one organisation",
                hint="compare_years(…, organisation='RXX') keeps one.",
            )
        return rows


_SOURCES = {"respondents": "Respondent files", "published": "Published results"}


def compare_years(  # noqa: PLR0913
    results: pl.DataFrame | Published | Sequence[Published],
    from_period: str | int,
    to_period: str | int,
    *,
    organisation: str | None = None,
    measures: Sequence[str] | None = None,
    release: str | int | None = None,
    allow_breaks: bool = False,
    merged: Mapping[str, Sequence[str]] | None = None,
    linked: Sequence[Extract] | None = None,
    adjust: str = "bh",
    material: Mapping[str, float] = MATERIAL,
    assumptions: Assumptions | None = None,
) -> YearComparison:
    """Compare two periods of one survey, measure by measure and group by group.

    Parameters
    ----------
    results : polars.DataFrame, Published or sequence of Published
        Results that hold both periods (`estimate` of both extracts, put together), a workbook that holds
        several years, or one workbook a year.
    from_period, to_period : str or int
        The earlier and the later period.
    organisation : str, optional
        ODS code; every organisation when left out.
    measures : sequence of str, optional
        Measure ids or official codes; every measure with a better side when left out.
    release : str or int, optional
        The official release that all figures come from, where the files do not say so. A respondent file of
        2023 that was delivered again after mid-2024 is of release 2024.
    allow_breaks : bool
        Compare across breaks as well. Such rows keep the verdict "not comparable" and a ComparabilityWarning
        is given. Figures of two releases get a verdict: what reweighting can move is taken off first.
    merged : mapping, optional
        Successor -> predecessors; in the first period these are pooled by base.
    linked : two Extracts, optional
        The respondent files behind unweighted results, if a `respondent` id stands for the same person in
        both: the test then allows for people who answered twice.
    adjust : {"bh", "holm"}
        Benjamini-Hochberg (false-discovery rate) or Holm (family-wise). A family is all that is compared of one
        breakdown: the whole organisations are one, their directorates another.
    material : mapping
        Smallest change of interest: `percent` in points, `score` on the 0 to 10 scale.
    assumptions : Assumptions, optional
        Standard deviations and design effect for published figures, which come without them.

    Returns
    -------
    YearComparison
        `.table` has one row per organisation, breakdown, group and measure: `estimate_from`, `estimate_to`,
        `base_from`, `base_to`, `difference` (in points or score units, later minus earlier), `std_error`,
        `df`, `statistic`, `conf_low`, `conf_high` (95 %), `p_value`, `p_adjusted`, `p_equivalence`,
        `standardised_difference` (in standard deviations of respondents), `detectable_change` (found in 4 of 5
        cases at 5 %), `material`, `verdict`, `reason`, `instead` (what is comparable), `official_flag`,
        `status`, and what identifies the row.

    Raises
    ------
    ComparabilityError
        When a measure asked for by name, or everything, may not be compared; says why and what may be.
    UnknownNameError
        When there is no such period, organisation, measure or adjustment.
    ResultsError
        When the table does not keep the contract of Results.

    Notes
    -----
    Verdicts: *no material change* when two one-sided tests at 5 % put the change within `material`; else
    *improved* or *declined* when the adjusted p is below 5 %; else *unclear*: the data say neither. *Not
    comparable* when a question, its options, the scoring or the organisation changed, or a figure is missing.
    The interval is that of one comparison, not adjusted. Tests: `culture_metrics.compare.difference`.
    Measures without a better side (facts about staff) are not compared.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> data = cm.read_inputs([])
    >>> change = compare_years(data.results, 2023, 2024)
    >>> change.table.filter(measure="recommend_place_to_work", group="all")["verdict"].item()
    'improved'
    """
    periods = (str(from_period), str(to_period))
    edges = _material(material)
    stuff = gather(results, None if release is None else str(release))
    survey = catalogue(stuff.survey)
    notes = []
    if merged:
        stuff = pool(stuff, periods[0], merged)
        notes += [
            f"{new} in {periods[0]} is {' and '.join(old)} pooled by base: each counts as its respondents do."
            for new, old in merged.items()
        ]
    pairs = side_by_side(stuff, *periods)
    pairs = _chosen(pairs, survey, organisation, measures, periods)
    marked = mark_breaks(
        pairs.with_columns(period_from=pl.lit(periods[0]), period_to=pl.lit(periods[1])), survey, *periods
    )
    named = () if measures is None else marked["measure"].unique()
    if not allow_breaks:
        refuse(marked, named, survey, periods)
    ready = _prepared(marked, survey, assumptions or Assumptions(), edges, allow_breaks=allow_breaks)
    ready, shared = _link(ready, linked, survey.minimum_base)
    tested = add_differences(ready)
    tested = official_flag(adjust_p(tested, adjust))
    table = judge(tested).sort("organisation", pl.col("breakdown") != ALL, "breakdown", pl.col("group") != ALL, "group", "order").select(TABLE)  # fmt: skip  # noqa: E501
    if allow_breaks:
        _warn(marked, periods)
    ends = [set(marked.filter(pl.col(f"status_{e}").is_not_null())["organisation"]) for e in ("from", "to")]
    return YearComparison(
        table=table,
        survey=survey.id,
        from_period=periods[0],
        to_period=periods[1],
        vanished=tuple(sorted(ends[0] - ends[1])),
        appeared=tuple(sorted(ends[1] - ends[0])),
        notes=(*notes, *shared, *_notes(ready, adjust, assumptions or Assumptions())),
    )


def _material(given: Mapping[str, float]) -> dict[str, float]:
    edges = {**MATERIAL, **given}
    if set(edges) != set(MATERIAL) or not all(size > 0 for size in edges.values()):
        raise CultureMetricsError(
            "The smallest change of interest is a number above nought for each unit",
            where="compare_years(material=)",
            expected='{"percent": 1.0, "score": 0.1}',
        )
    return edges


def _chosen(
    pairs: pl.DataFrame,
    survey: Survey,
    organisation: str | None,
    measures: Sequence[str] | None,
    periods: tuple[str, str],
) -> pl.DataFrame:
    """Keep the organisation and the measures wanted, and say what they are."""
    if organisation is not None:
        known = pairs["organisation"].unique().sort().to_list()
        if organisation not in known:
            raise unknown("organisation in these results", organisation, known)
        pairs = pairs.filter(pl.col("organisation") == organisation)
    # Periods before the first edition of the catalogue are named as in that.
    editions = [survey.edition(p) for p in periods[::-1] if p in survey.periods or survey.open_ended]
    editions = editions or [survey.edition(survey.periods[0])]
    if measures is not None:
        wanted = [_measure_id(name, editions) for name in measures]
        pairs = pairs.filter(pl.col("measure").is_in(wanted))
    known_measures = pl.concat(catalogued(e) for e in editions).unique("measure", keep="first")
    found = pairs.join(known_measures, on="measure")
    sided = found.filter(pl.col("direction") != "neutral")
    if sided.is_empty():
        raise ComparabilityError(
            "There is nothing to compare",
            got="measures without a better side" if found.height else "no such measure in the results",
            hint="Facts about staff, such as hours or contact with patients, neither improve nor decline.",
        )
    return sided


def _measure_id(name: str, editions: list) -> str:  # type: ignore[type-arg]
    """Return a measure's id in the later edition that has it: codes move, ids do not."""
    for edition in editions[:-1]:
        if name.strip().casefold() in {*edition.measures, *edition.codes}:
            return str(edition.measure(name).id)
    return str(editions[-1].measure(name).id)


def _prepared(
    marked: pl.DataFrame,
    survey: Survey,
    assumptions: Assumptions,
    edges: dict[str, float],
    *,
    allow_breaks: bool,
) -> pl.DataFrame:
    """Add what the tests need; figures that may not be compared are emptied unless that was insisted on."""
    spread = {m: assumptions.sd(m) for m in marked["measure"].unique()}
    unpublished = pl.col("source").cast(pl.String) == "published"
    wide = unpublished & (pl.col("weighting").cast(pl.String) != "none")
    apart = pl.format(
        "{} {}",
        pl.when(pl.col("release_from").is_not_null() & pl.col("release_to").is_not_null())
        .then(pl.format("The years come from two releases ({} and {}).", "release_from", "release_to"))
        .otherwise(pl.lit("It is not known whether both years come from one release.")),
        pl.lit(release_reason(survey)),
    )
    barred = pl.coalesce(
        unpaired(),
        "refused",
        pl.when(pl.col("releases_apart") & pl.lit(not allow_breaks)).then(apart),
    )
    counted = []
    for end in ("from", "to"):
        n = pl.coalesce(
            f"effective_base_{end}",
            pl.when(wide).then(pl.col(f"base_{end}") / assumptions.design_effect).otherwise(f"base_{end}"),
        )
        known = pl.col(f"std_error_{end}") * n.sqrt()
        assumed = pl.col("measure").replace_strict(spread, return_dtype=pl.Float64)
        counted += [
            n.alias(f"n_{end}"),
            pl.when(pl.col("unit") == "score")
            .then(pl.coalesce(known, pl.when(unpublished).then(assumed)))
            .alias(f"sd_{end}"),
        ]
    here = pl.col("why_not").is_null() | (pl.lit(allow_breaks) & unpaired().is_null())
    material = pl.col("unit").cast(pl.String).replace_strict(edges, return_dtype=pl.Float64)
    hidden = pl.col("status_to").cast(pl.String).is_in(["reported"]).not_()
    return (
        marked.with_columns(barred.alias("why_not"), material.alias("material"))
        .with_columns(counted)
        .with_columns(pl.when(here).then(pl.col(c)).alias(c) for c in ("n_from", "n_to", "sd_from", "sd_to"))
        .with_columns(
            pl.when(hidden).then("status_to").otherwise("status_from").cast(pl.String).alias("status"),
            pl.lit(0.0).alias("covariance"),
            pl.when(pl.col("why_not").is_not_null()).then("instead").alias("instead"),
        )
    )


def _link(
    ready: pl.DataFrame, linked: Sequence[Extract] | None, minimum: int
) -> tuple[pl.DataFrame, list[str]]:
    if linked is None:
        return ready, []
    from culture_metrics.compare.linked import CELL, covariances

    by = ready["breakdown"].unique().sort().to_list()
    found = covariances(linked, [b for b in by if b != ALL], minimum)
    plain = (pl.col("weighting") == "none") & (pl.col("source") == "respondents")
    joined = ready.drop("covariance").join(found, on=CELL, how="left", maintain_order="left")
    told = joined.with_columns(pl.when(plain).then(pl.col("covariance").fill_null(0.0)).otherwise(0.0))
    both = linked[0].frame.join(linked[1].frame, on=["organisation", "respondent"], how="semi").height
    note = f"{both:,} people answered in both years; the tests of unweighted figures allow for it."
    return told, [note if both >= minimum else "Few people answered in both years."]


def _warn(marked: pl.DataFrame, periods: tuple[str, str]) -> None:
    rows = marked.filter(pl.col("refused").is_not_null() | pl.col("releases_apart"))
    if rows.height:
        named = rows["label"].unique(maintain_order=True).to_list()
        shown = ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")
        warnings.warn(
            f"{periods[0]} and {periods[1]} are compared across a break, as asked: {shown}. "
            "The column `reason` says what the break is.",
            ComparabilityWarning,
            stacklevel=3,
        )


def _notes(ready: pl.DataFrame, adjust: str, assumptions: Assumptions) -> list[str]:
    notes = [
        f"p_adjusted is adjusted over all that is compared of one breakdown ({ADJUSTMENTS[adjust][1]}); intervals are those of "
        "one comparison each."
    ]
    tested = ready.filter(pl.col("n_from").is_not_null())
    assumed = tested.filter((pl.col("source") == "published") & (pl.col("unit") == "score"))
    if assumed.filter(pl.col("std_error_from").is_null() | pl.col("std_error_to").is_null()).height:
        notes.append(
            "Published scores come without standard deviations: those assumed are of synthetic respondents or were "
            "given (Assumptions.score_sd)."
        )
    weighted = tested.filter((pl.col("source") == "published") & (pl.col("weighting") != "none"))
    if weighted.height:
        notes.append(
            f"Weighting by occupation group is taken to widen the variance of published figures "
            f"{assumptions.design_effect:g}-fold (assumed)."
        )
    if (tested["covariance"] == 0).all():
        notes.append(
            "The years are taken as different people. Where many answered in both, the intervals are wider than need "
            "be."
        )
    if tested.filter(pl.col("level").is_in(["element", "theme"])).height:
        notes.append(FLAG_NOTE)
    return notes
