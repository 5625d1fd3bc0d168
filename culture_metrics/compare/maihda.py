"""Intersections of several breakdowns: a multilevel model of strata (MAIHDA)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS, catalogue
from culture_metrics.compare.equality_sources import survey_of
from culture_metrics.compare.equality_standards import equality_of
from culture_metrics.compare.strata import LEVEL, fit_strata
from culture_metrics.contract import check_results
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.breakdowns import breakdown_id
from culture_metrics.indicators.estimate import estimate
from culture_metrics.output import Output, table_of, verb
from culture_metrics.results import Results
from culture_metrics.results.spelling import breakdown_among, with_ids
from culture_metrics.wording.numbers import DECIMALS, fixed, several
from culture_metrics.wording.numbers import shown as said
from data_schemas.columns import HIDDEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

#: Fewer strata say nothing of the spread between them.
FEWEST = 4
MODEL = [
    "additive", "share_kept", "shrunken", "shrunken_low", "shrunken_high", "beyond_additive", "beyond_low",
    "beyond_high",
]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class Intersections(Output):
    """Strata of several breakdowns together.

    Attributes
    ----------
    table : polars.DataFrame
        One row per stratum; see `intersections`.
    share_between, share_low, share_high : float
        Share of the variance between people that lies between strata, and its 95 % interval.
    share_beyond : float
        The same once the breakdowns are added up: what is left between strata.
    explained : float, optional
        Proportional change in variance: how much of the variance between strata the breakdowns explain when
        they are simply added up (0 to 1); None where nothing lies between strata.
    left_out : int
        Strata that are held back: not in the model.
    """

    table: pl.DataFrame
    share_between: float
    share_low: float
    share_high: float
    share_beyond: float
    explained: float | None
    left_out: int
    names: Mapping[str, str] = field(default_factory=dict)

    def figure(self) -> go.Figure:
        """Draw the shrunken means of the strata with their intervals, the lowest last."""
        from culture_metrics import views

        rows = self.table.drop_nulls("shrunken").sort("shrunken", descending=True)
        first = rows.row(0, named=True)
        unit, whom = str(first["unit"]), self.names.get(first["organisation"], first["organisation"])
        centre = float(np.average(rows["estimate"], weights=rows["base"]))
        drawn = rows.select(
            label="group",
            estimate="shrunken",
            conf_low="shrunken_low",
            conf_high="shrunken_high",
            detail=pl.format(
                "own figure {}, added up {}, base {}",
                fixed("estimate", unit),
                fixed("additive", unit),
                "base",
            ),
        )
        return views.estimates(
            drawn,
            axis=f"{first['label']}, shrunken",
            decimals=DECIMALS[unit],
            title=f"{first['label']} where {self._label()} meet: "
            f"{100 * self.share_between:.1f}% of the variance is between strata",
            subtitle=f"{whom}, {first['period']}. Small strata are drawn towards what the breakdowns say "
            "when they are added up",
            reference=centre,
            source="Respondents of the strata that may be shown",
            notes=f"The line is the mean of the respondents shown, {said(centre, unit)}.",
        )

    def summary(self) -> str:
        """Say in plain sentences how much lies between strata, and what is beyond the sum of its parts."""
        rows = self.table.drop_nulls("shrunken").sort("shrunken")
        unit = str(rows["unit"][0])
        low, high = rows.row(0, named=True), rows.row(-1, named=True)
        shares = [f"{100 * x:.1f}" for x in (self.share_between, self.share_low, self.share_high)]
        told = [
            f"{low['label']}: {shares[0]}% ({shares[1]} to {shares[2]}) of the variance between people lies "
            f"between the {rows.height} strata of {self._label()}."
        ]
        if self.explained is not None:
            told.append(
                f"The breakdowns, added up, explain {100 * self.explained:.0f}% of that; "
                f"{100 * self.share_beyond:.1f}% of the variance between people is beyond their sum."
            )
        beyond = rows.filter((pl.col("beyond_low") > 0) | (pl.col("beyond_high") < 0))
        told.append(
            f"{several(beyond.height, 'stratum').replace('stratums', 'strata')} beyond it for certain."
        )
        told.append(
            f"Lowest: {low['group']}, {said(low['shrunken'], unit)} ({said(low['shrunken_low'], unit)} to "
            f"{said(low['shrunken_high'], unit)}); highest: {high['group']}, {said(high['shrunken'], unit)} "
            f"({said(high['shrunken_low'], unit)} to {said(high['shrunken_high'], unit)})."
        )
        if self.left_out:
            told.append(f"{self.left_out:,} strata are held back and not in the model.")
        return " ".join(told)

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed, and what is left out."""
        return (
            "A multilevel model of people in strata, by restricted maximum likelihood; a percentage is the "
            "mean of 0 and 100. Everyone counts once.",
            f"{self.left_out:,} strata that are held back are not in the model: with them, the figures of "
            "the others would tell theirs.",
        )

    def _label(self) -> str:
        row = self.table.row(0, named=True)
        edition = catalogue(row["survey"]).edition(row["period"])
        *some, last = edition.breakdown_label(row["breakdown"], self.names).lower().split(CROSS)
        return f"{', '.join(some)} and {last}"

    def __repr__(self) -> str:
        return f"Intersections({self.summary()} See .table)"

    def _repr_html_(self) -> str:
        return self._with_points(self.rules(), "How it was modelled")


@verb
def intersections(
    given: Extract | Results | pl.DataFrame,
    measure: str,
    by: Sequence[str] = (),
    *,
    organisation: str | None = None,
    minimum_base: int | None = None,
) -> Intersections:
    """Model strata of several breakdowns together (MAIHDA): shrunken means, and what is beyond additive.

    Parameters
    ----------
    given : Extract, Results or polars.DataFrame
        An extract of one period; or its results, crossed: `estimate(extract, by=[("gender", "age")])`.
    measure : str
        By any of its names.
    by : sequence of str
        The breakdowns that are crossed, two or more; those of the survey's equality file when left out.
    organisation : str, optional
        ODS code, where there are several.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own when left out.

    Returns
    -------
    Intersections
        `.table` has a row per stratum: `estimate`, its own figure, `conf_low`, `conf_high` (with the variance
        within strata pooled), `base`, `status`; `additive`, what the breakdowns say when they are added up;
        `share_kept`, how much of the distance from that is kept; `shrunken` with `shrunken_low` and
        `shrunken_high`; `beyond_additive` with `beyond_low` and `beyond_high`, what the stratum differs by
        from the sum (interaction). `.share_between` is the share of variance between strata (variance
        partition coefficient), `.explained` the proportional change in variance.

    Raises
    ------
    ResultsError
        When there are several organisations or periods, fewer than four strata are shown, or the results are
        weighted or not crossed so.
    UnknownNameError
        When there is no such measure, breakdown or organisation.

    Notes
    -----
    Two models of people in strata: of a common mean, whose variance between strata is the share; and of the
    breakdowns as main effects, whose stratum effects are what is beyond additive and whose predictions are
    the shrunken means. A percentage is modelled as the mean of answers of 0 and 100. Estimates are those of
    lme4; intervals also count that the spread is estimated (`culture_metrics.compare.strata`).

    Only strata that may be shown are in the model, and it is made of their shown figures alone, so that it
    can give nothing away. What is held back is counted.

    References
    ----------
    Evans, Williams, Onnela and Subramanian (2018), Social Science & Medicine 203, 64-73; Merlo (2018), ibid.
    203, 74-80; Evans, Leckie, Subramanian, Bell and Merlo (2024), SSM - Population Health 26, 101664.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> extract = cm.synthetic.respondents(2024, respondents_per_organisation=900)
    >>> found = intersections(extract, "morale", by=["ethnicity_summary", "long_term_condition"])
    >>> found.table.height, 0 <= found.share_between < 0.2
    (4, True)
    """
    if not len(by) and (survey := survey_of(given)) is not None:
        by = equality_of(survey).crossed
    if len(by) < 2:
        raise ResultsError(
            "Strata are of two breakdowns or more", where="intersections(by=)", got=f"{len(by)}"
        )
    if isinstance(given, Extract):
        parts = tuple(breakdown_id(given, name) for name in by)
        words = given.words
        table = estimate(given, by=[parts], minimum_base=minimum_base).table
    else:
        words = {**given.names} if isinstance(given, Results) else {}
        table = with_ids(check_results(table_of(given, "intersections")), words)
        parts = tuple(by)
    strata = _strata(table, measure, CROSS.join(parts), organisation, words)
    shown = strata.filter(pl.col("status").cast(pl.String) == "reported")
    hidden = strata.filter(pl.col("status").cast(pl.String).is_in(HIDDEN_STATUSES)).height
    if shown.height < FEWEST:
        raise ResultsError(
            f"It takes {FEWEST} strata that may be shown",
            where="intersections",
            got=f"{shown.height}",
            hint="Cross fewer breakdowns, or coarser ones.",
        )
    mean, base = (shown[c].cast(pl.Float64).to_numpy() for c in ("estimate", "base"))
    squares = float(_squares(shown).sum())
    if not squares > 0:
        raise ResultsError("Nobody differs from others within strata", where="intersections")
    plain = fit_strata(mean, base, squares, np.ones((shown.height, 1)))
    design = _design(shown["group"], len(parts))
    added = fit_strata(mean, base, squares, design) if design.shape[1] < shown.height else plain
    from scipy.special import stdtrit

    reach = float(stdtrit(added.df, (1 + LEVEL) / 2))
    bottom, top = _ends(shown)
    own = np.sqrt(added.within / base)
    columns: dict[str, Numbers] = {
        "conf_low": np.clip(mean - reach * own, bottom, top),
        "conf_high": np.clip(mean + reach * own, bottom, top),
        "additive": added.fixed,
        "share_kept": added.kept,
        "shrunken": np.clip(added.value, bottom, top),
        "shrunken_low": np.clip(added.value - reach * added.error, bottom, top),
        "shrunken_high": np.clip(added.value + reach * added.error, bottom, top),
        "beyond_additive": added.beyond,
        "beyond_low": added.beyond - reach * added.beyond_error,
        "beyond_high": added.beyond + reach * added.beyond_error,
    }
    told = shown.select("group").with_columns(pl.Series(n, v) for n, v in columns.items())
    label = catalogue(shown["survey"][0]).edition(shown["period"][0]).measure(shown["measure"][0]).label
    key = ["survey", "period", "organisation", "breakdown", "group", "measure"]
    return Intersections(
        table=strata.drop("conf_low", "conf_high")
        .join(told, on="group", how="left", maintain_order="left")
        .select(
            *key, pl.lit(label).alias("label"), "unit", "estimate", "conf_low", "conf_high", "base", "status",
            *MODEL,
        ),
        share_between=plain.share,
        share_low=plain.share_low,
        share_high=plain.share_high,
        share_beyond=added.share,
        explained=1 - added.between / plain.between if plain.between > 0 and added is not plain else None,
        left_out=hidden,
        names=words,
    )  # fmt: skip


def _strata(
    table: pl.DataFrame, measure: str, cross: str, organisation: str | None, words: Mapping[str, str]
) -> pl.DataFrame:
    """Return the unweighted rows of one measure, crossing, organisation and period."""
    rows = table.filter(pl.col("weighting").cast(pl.String) == "none")
    if rows.is_empty():
        raise ResultsError(
            "Strata take unweighted results", where="intersections", hint="Give estimate(…) without weights."
        )
    edition = catalogue(str(rows["survey"][0])).edition(str(rows["period"].max()))
    name = breakdown_among(rows["breakdown"].unique(), cross, edition, words)
    if name not in rows["breakdown"]:
        raise unknown("crossing in these results", cross, rows["breakdown"].unique().sort())
    rows = rows.filter(breakdown=name, measure=edition.measure(measure).id)
    if organisation is not None:
        if organisation not in rows["organisation"]:
            raise unknown("organisation", organisation, rows["organisation"].unique().sort())
        rows = rows.filter(organisation=organisation)
    about = [
        f"{rows[c].n_unique()} {c}s" for c in ("survey", "organisation", "period") if rows[c].n_unique() > 1
    ]
    if about:
        raise ResultsError(
            "Strata are of one organisation in one period",
            where="intersections",
            got=" and ".join(about),
            hint="Name it: organisation='RXX'; give one year.",
        )
    return rows.sort("group")


def _squares(shown: pl.DataFrame) -> pl.Series:
    """Return the sum of squares within each stratum, from its figure and standard error."""
    n = pl.col("base").cast(pl.Float64)
    share = n * pl.col("estimate") * (100 - pl.col("estimate"))
    score = pl.col("std_error") ** 2 * n * (n - 1)
    return shown.select(
        pl.when(pl.col("unit").cast(pl.String) == "percent").then(share).otherwise(score)
    ).to_series()


def _design(groups: pl.Series, parts: int) -> Numbers:
    """Return main effects: a column for each group of each breakdown but its first, none that adds nothing.

    Raises
    ------
    ResultsError
        When the name of a group cannot be told apart into its parts.
    """
    names = [group.split(CROSS) for group in groups]
    if any(len(name) != parts for name in names):
        raise ResultsError(f"A group has '{CROSS.strip()}' in its name", where="intersections")
    columns = [np.ones(len(names))]
    for one in zip(*names, strict=True):
        columns += [np.array([float(x == level) for x in one]) for level in sorted(set(one))[1:]]
    kept: list[Numbers] = []
    for column in columns:
        if np.linalg.matrix_rank(np.column_stack([*kept, column])) > len(kept):
            kept.append(column)
    return np.column_stack(kept)


def _ends(shown: pl.DataFrame) -> tuple[float, float]:
    return (0.0, 100.0) if str(shown["unit"][0]) == "percent" else catalogue(shown["survey"][0]).score_range
