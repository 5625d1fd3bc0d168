"""Shrunken (empirical-Bayes) estimates: what is left of a small group's result once chance is allowed for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import known_surveys
from culture_metrics.contract import ALL, check_results
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.output import Output, table_of, verb
from culture_metrics.problems import counted
from culture_metrics.results.between import behind, widened
from culture_metrics.results.moderated import moderated
from culture_metrics.results.precision import LEVEL, with_precision
from culture_metrics.results.spelling import breakdown_among
from culture_metrics.results.tabled import Tabled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from culture_metrics.results import Results

FAMILY = ["survey", "period", "organisation", "breakdown", "measure", "weighting", "source"]
#: What the measures of one breakdown share, whose groups may differ in how exact they are.
ALIKE = ["survey", "period", "organisation", "breakdown", "weighting", "source"]
#: Of the least error variance of a family so much may be shared by all groups.
SHARED_AT_MOST = 0.9
#: Fewer degrees of freedom than this share of the base come of clusters.
CLUSTERED = 0.99
#: Between how few groups a spread cannot be told from chance.
FEWEST = 3


@dataclass(frozen=True, repr=False, eq=False)
class Shrunken(Output):
    """Shrunken estimates of groups beside their own.

    Attributes
    ----------
    table : polars.DataFrame
        One row per group and measure; see `shrink`.
    names : mapping
        Organisation or breakdown -> what figures call it, where that is not its code or catalogued label.
    """

    table: pl.DataFrame
    names: Mapping[str, str] = field(default_factory=dict)

    def figure(self, measure: str | None = None, breakdown: str | None = None) -> go.Figure:
        """Draw the shrunken estimates of the groups of one breakdown, their own beside them in words.

        Parameters
        ----------
        measure, breakdown : str, optional
            By any of its names; the survey's headline, and the first breakdown, when left out. Of several
            organisations or periods the last is drawn.

        Raises
        ------
        ResultsError
            When there is nothing shrunken to draw.
        """
        from culture_metrics import views
        from culture_metrics.wording.numbers import DECIMALS, fixed
        from culture_metrics.wording.numbers import shown as said

        rows = self.table.drop_nulls("shrunken")
        if measure is None:
            known = known_surveys(rows["survey"].unique()).values()
            usual = {one.newest.headline for one in known} & {*rows["measure"]}
            measure = usual.pop() if len(usual) == 1 else None
        survey = known_surveys(self.table["survey"].unique()).get(str(self.table["survey"].max()))
        if breakdown is not None and survey is not None:
            breakdown = breakdown_among(
                self.table["breakdown"].unique(), breakdown, survey.newest, self.names
            )
        for column, wanted in (("measure", measure), ("breakdown", breakdown)):
            if wanted is not None and wanted not in self.table[column]:
                raise unknown(f"{column} in these estimates", wanted, self.table[column].unique().sort())
            chosen = wanted if wanted is not None else rows[column].first()
            rows = rows.filter(pl.col(column) == chosen)
        if rows.is_empty():
            raise ResultsError(
                "There is no shrunken estimate to draw", hint="It takes three groups that are shown."
            )
        rows = rows.filter(organisation=rows["organisation"].max()).filter(period=rows["period"].max())
        unit, first = str(rows["unit"][0]), rows.row(0, named=True)
        ordered = rows.sort("shrunken", descending=True).select(
            label="group",
            estimate="shrunken",
            conf_low="shrunken_low",
            conf_high="shrunken_high",
            detail=pl.format("own estimate {}, base {}", fixed("estimate", unit), "base"),
        )
        name, whom = first["measure"].replace("_", " "), first["organisation"]
        label = self.names.get(first["breakdown"], first["breakdown"])
        label = survey.newest.breakdown_label(label, self.names) if survey else label
        centre = said(first["centre"], unit)
        return views.estimates(
            ordered,
            axis=f"{name}, shrunken",
            decimals=DECIMALS[unit],
            title=f"{name.capitalize()} by {label[0].lower()}{label[1:]}: centre {centre}",
            subtitle=f"{self.names.get(whom, whom)}, {first['period']}. "
            "Small groups are drawn towards the centre",
            reference=first["centre"],
        )

    def summary(self) -> str:
        """Say in plain sentences how much of the distance from the centre is kept."""
        rows = self.table.drop_nulls("shrunken")
        without = self.table.height - rows.height
        if rows.is_empty():
            return f"None of {counted(self.table.height, 'result')} of groups could be shrunken."
        kept = rows.select(pl.format("{}%", (100 * pl.median("share_kept")).round().cast(pl.Int64))).item()
        said = [
            f"{counted(rows.height, 'result')} of groups shrunken towards the mean of their breakdown.",
            f"Half of them keep {kept} or more of their distance from it.",
        ]
        if without:
            said.append(f"{without:,} left as they are: held back, or fewer than {FEWEST} groups shown.")
        for survey in known_surveys(self.table["survey"].unique()).values():
            said += survey.remarks(*self.table.filter(survey=survey.id)["period"].unique().sort())
        return " ".join(said)

    def __repr__(self) -> str:
        return f"Shrunken({self.summary()} See .table)"


@verb
def shrink(results: Results | pl.DataFrame) -> Shrunken:
    """Set beside each group's estimate what is left of it once chance is allowed for.

    Parameters
    ----------
    results : Results or polars.DataFrame
        Results, small cells already suppressed. Only what they show is used.

    Returns
    -------
    Shrunken
        `.table`: the rows of groups (not of whole organisations) with the columns of Results that name them
        and `unit, estimate, std_error, base`, then `centre`, the mean of the groups of the breakdown;
        `spread`, the standard deviation of true values between them (never 0); `share_kept`, how much of the
        distance from the centre is kept (0 to 1); `shrunken`, `shrunken_low`, `shrunken_high`, the shrunken
        estimate with its 95 % interval. These are null where a row is suppressed or fewer than three groups
        are shown.

    Raises
    ------
    ResultsError
        When the table is no Results.

    Notes
    -----
    Within one measure, breakdown and organisation the true values are taken as normal around a centre, the
    estimates as normal around them. Centre and spread are integrated over with flat priors on both (Gelman
    2006; Röver 2020), so that the spread is never taken for 0 and the intervals count that both are
    estimated.

    The own standard error of a group of twelve, or of four wards, is chance itself (and is 0 where all
    agree). The variance it makes of one respondent (of percentages: over that of simple random answers) is
    therefore drawn towards that of all groups as far as it is uncertain (Smyth 2004): where groups differ in
    it no more than by chance, it is the same for all; with clusters it rises with the people to a cluster.
    Intervals count its degrees of freedom.

    Where clusters (wards) reach across groups, all groups err together. How far is told by the standard error
    of the whole organisation, which is larger than that of groups that err apart: that part of the error is
    not shrunk, and is in every interval. It takes the row of the whole in `results`.

    Simulated with 8, 11 and 40 groups of 12 to 200, the intervals hold the true value in 93 to 97 of 100
    groups where these spread as much as the mean group errs or more. Where they spread less nobody can tell
    by how much: intervals that hold if it is half of that hold in 98 or more of 100 if it is nothing
    (`tests/reference/shrink_coverage.csv`). They do so on average over groups where true values are fixed and
    skewed as well, with clusters and with weights (`shrink_designs.csv`: 93 to 98), not in each group: one
    that lies far from all others is drawn too near to them.

    Shrunken values suit a map of many small groups; the raw estimate stays the result.

    References
    ----------
    Morris (1983), JASA 78, 47-55; Gelman (2006), Bayesian Analysis 1, 515-534; Raudenbush (2009) in The
    Handbook of Research Synthesis, 2nd ed., ch. 16; Röver (2020), Journal of Statistical Software 93(6);
    Smyth (2004), Statistical Applications in Genetics and Molecular Biology 3(1); Rivest & Vandal (2003),
    Proceedings of the International Conference on Recent Advances in Survey Sampling.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=800)
    >>> morale = shrink(estimate(extract, by=["locality_1"])).table.filter(measure="morale")
    >>> (morale["shrunken"].std() < morale["estimate"].std())
    True
    """
    given = check_results(table_of(results, "shrink"))
    groups = given.filter(pl.col("breakdown") != ALL)
    shown = groups.with_row_index("row").filter(
        (pl.col("status") == "reported") & pl.col("std_error").is_not_null() & (pl.col("effective_base") > 1)
    )
    shown = _exactness(shown, given.filter(pl.col("breakdown") == ALL)).with_columns(
        family=pl.struct(FAMILY).rank("dense").cast(pl.Int64) - 1,
        alike=pl.struct(*ALIKE, "unit").rank("dense").cast(pl.Int64) - 1,
    )
    family, y = shown["family"].to_numpy(), shown["estimate"].to_numpy()
    variance, df = _errors(shown, family)
    shared = _shared(shown, variance, family)
    found = behind(y, variance - shared, family, LEVEL)
    found = widened(found, y, df, shared, LEVEL)
    bottom, top = _ends(shown)
    enough = np.bincount(family, minlength=1)[family] >= FEWEST
    columns = {
        "centre": found.centre,
        "spread": found.spread,
        "share_kept": found.kept,
        "shrunken": np.clip(found.value, bottom, top),
        "shrunken_low": np.clip(found.low, bottom, top),
        "shrunken_high": np.clip(found.high, bottom, top),
    }
    told = shown.select("row").with_columns(
        pl.Series(name, np.where(enough, values, np.nan), nan_to_null=True)
        for name, values in columns.items()
    )
    table = (
        groups.with_row_index("row")
        .join(told, on="row", how="left", maintain_order="left")
        .select(
            *FAMILY[:4], "group", *FAMILY[4:], "unit", "estimate", "std_error", "base", "status", *columns
        )
    )
    return Shrunken(table, results.names if isinstance(results, Tabled) else {})


def _ends(shown: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return where the scale of each row begins and ends; a survey without a catalogue has no ends."""
    known = known_surveys(shown["survey"].unique())
    ranges = pl.DataFrame(
        [(name, *survey.score_range) for name, survey in known.items()],
        schema={"survey": pl.String, "bottom": pl.Float64, "top": pl.Float64},
        orient="row",
    )
    percent = pl.col("unit").cast(pl.String) == "percent"
    ends = shown.join(ranges, on="survey", how="left", maintain_order="left").select(
        pl.when(percent).then(0.0).otherwise(pl.col("bottom").fill_null(-np.inf)).alias("bottom"),
        pl.when(percent).then(100.0).otherwise(pl.col("top").fill_null(np.inf)).alias("top"),
    )
    return ends["bottom"].to_numpy(), ends["top"].to_numpy()


def _exactness(shown: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """Add degrees of freedom, and of clustered organisations the squared error of the whole (else null)."""
    cell = ["survey", "period", "organisation", "measure", "weighting", "source"]
    known = known_surveys(shown["survey"].unique())
    parts = [shown.with_columns(df=pl.lit(None, pl.Float64), of_whole=pl.lit(None, pl.Float64)).clear()]
    for part in shown.partition_by("survey", maintain_order=True):
        survey = known.get(part["survey"][0])
        ends = survey.score_range if survey else (-np.inf, np.inf)
        rows = whole.filter((pl.col("survey") == part["survey"][0]) & pl.col("std_error").is_not_null())
        own, of_all = (with_precision(t, ends).drop("worth", "design_effect") for t in (part, rows))
        clustered = of_all.filter(pl.col("df") + 1 < CLUSTERED * pl.col("effective_base"))
        error = clustered.select(*cell, of_whole=pl.col("std_error") ** 2)
        parts.append(own.join(error, on=cell, how="left", maintain_order="left"))
    return pl.concat(parts)


def _errors(shown: pl.DataFrame, family: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the error variance of each group and its degrees of freedom."""
    n, y = shown["effective_base"].to_numpy(), shown["estimate"].to_numpy()
    own = shown["std_error"].to_numpy() ** 2 * n
    percent = (shown["unit"].cast(pl.String) == "percent").to_numpy()
    # Of simple random answers. At 0 and 100 % it is 0, and nothing is known of the design.
    simple = np.where(percent, y * (100 - y) * n / (n - 1), 1.0)
    ratio = np.where(simple > 0, own / np.where(simple > 0, simple, 1.0), 0.0)
    df = np.minimum(shown["df"].to_numpy(), n - 1)
    # Between few clusters of uneven size linearised errors are too small; those of the jackknife are larger
    # by about this factor, and rather too large (Bell and McCaffrey 2002).
    ratio = np.where((df > 0) & (df + 1 < CLUSTERED * n), ratio * (df + 1) / np.maximum(df, 1e-9), ratio)
    drawn = moderated(ratio, df, n / (df + 1), family, shown["alike"].to_numpy())
    many = int(family.max(initial=-1)) + 1
    usual = np.bincount(family, (n - 1) * simple, many) / np.bincount(family, n - 1, many)
    return drawn.variance * usual[family] / n, drawn.df


def _shared(shown: pl.DataFrame, variance: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Return the variance of the error that all groups of clustered organisations share."""
    weight = shown["effective_base"].to_numpy()
    many = int(family.max(initial=-1)) + 1
    weight = weight / np.bincount(family, weight, many)[family]
    apart = np.bincount(family, weight**2 * variance, many)[family]
    squares = np.bincount(family, weight**2, many)[family]
    least = np.full(many, np.inf)
    np.minimum.at(least, family, variance)
    whole = shown["of_whole"].fill_null(0.0).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        surplus = np.nan_to_num((whole - apart) / (1 - squares))
    return np.asarray(np.clip(surplus, 0.0, SHARED_AT_MOST * least[family]))
