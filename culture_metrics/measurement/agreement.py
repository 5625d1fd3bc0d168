"""Aggregation evidence: whether people of one group answer alike, and groups differ reliably."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import least_base
from culture_metrics.contract import ALL
from culture_metrics.disclosure.suppression import suppress
from culture_metrics.errors import MeasurementError, kind_of, unknown
from culture_metrics.extracts.extract import Extract
from culture_metrics.measurement.scored import scored
from culture_metrics.measurement.variance import one_way
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

#: Statistics of one group.
WITHIN = ["rwg", "rwg_skewed", "rwg_j", "rwg_j_skewed", "r_star_wg_j", "ad"]
#: Probabilities of the options of a slightly skewed scale of five; their variance is 1.34.
SKEWED = (0.05, 0.15, 0.20, 0.35, 0.25)

Scale = tuple[float, float, int]


@dataclass(frozen=True, repr=False, eq=False)
class Agreement(Output):
    """Aggregation evidence of measures.

    Attributes
    ----------
    table : polars.DataFrame
        One row per measure; see `agreement` and `agreement_of_percentages`.
    groups : polars.DataFrame
        One row per measure and group that may be shown; of a table, the others are held back.
    kind : str
        What a group is, for sentences: `organisation`, `locality_1`.
    approximate : bool
        Whether the figures come from published percentages.
    """

    table: pl.DataFrame
    groups: pl.DataFrame
    kind: str
    approximate: bool = False

    def figure(self) -> go.Figure:
        """Draw ICC(1) of each measure with its 95 % interval, as far as there is one."""
        from culture_metrics import views

        drawn = self.table.select(label=_label(), estimate="icc1", conf_low="conf_low", conf_high="conf_high")
        return views.estimates(
            drawn,
            axis=f"ICC(1): share of variance between {_plural(self.kind)}",
            decimals=3,
            title=self._headline(),
            subtitle="In brackets ICC(2): how reliably the groups' means are told apart",
            notes="Worked out from published percentages: approximate." if self.approximate else "",
        )

    def summary(self) -> str:
        """Say in plain sentences what the figures show, with the guide they are held against."""
        return " ".join(_sentence(row, self.kind, self.approximate) for row in self.table.to_dicts())

    def _headline(self) -> str:
        """Say how much of the variance lies between groups, as one share or as the ends of several."""
        known = self.table.drop_nulls("icc1").sort("icc1").select("label", "icc1").rows()
        if not known:
            return f"No share of variance between {_plural(self.kind)} is known"
        ends = [f"{100 * share:.0f}%" for _, share in known]
        names = [name for name, _ in known]
        between = f"of the variance lies between {_plural(self.kind)}"
        if len(known) == 1:
            return f"{_raised(names[0])}: {ends[0]} {between}"
        return f"{ends[0]} ({names[0]}) to {ends[-1]} ({names[-1]}) {between}"

    def __repr__(self) -> str:
        measures = counted(self.table.height, "measure")
        return f"Agreement({self._headline()}; {measures}. See .table, .groups and .summary())"

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>"


@verb
def agreement(
    data: Extract | pl.DataFrame | pl.LazyFrame,
    measures: str | Sequence[str],
    by: str = "organisation",
    *,
    items: Mapping[str, Sequence[str]] | None = None,
    scale: Scale | Mapping[str, Scale] | None = None,
    minimum_base: int | None = None,
    labels: Mapping[str, str] | None = None,
) -> Agreement:
    """Tell how far people of a group agree, and how reliably groups are told apart by their means.

    Parameters
    ----------
    data : Extract, polars.DataFrame or polars.LazyFrame
        A clean extract, or any table with one row per respondent (or per organisation and year).
    measures : str or sequence of str
        Scores by id or code; of a table, number columns, or columns of levels in order (an Enum), which are
        counted from 1.
    by : str
        Breakdown, or column of a table, that names the group. Rows without a group or a value are left out,
        measure by measure; so are the groups of an extract that `estimate(extract, by=[by])` hides.
    items : mapping, optional
        Of a table: for a measure, the columns of its questions, all answered on one scale: needed for rwg(J),
        r*wg(J) and AD over several questions. Each question counts with all who answered it.
    scale : (lowest, highest, options), optional
        Of a table: the answers' scale, `(1, 5, 5)` for five options coded 1 to 5, `(0, 10, 5)` for the same
        options scored 0 to 10; one for all or a mapping by measure. Without it there is no within-group
        agreement. An extract brings questions and scales with it, for sub-scores whose questions share a
        scale.
    minimum_base : int, optional
        Groups with fewer rows are held back, and as many others as it takes that none can be worked out; the
        survey's own when left out.
    labels : mapping, optional
        What measures are called in sentences and figures, where it is not their id in words: `{"shmi":
        "SHMI"}`.

    Returns
    -------
    Agreement
        `.table`: `measure, label, base, groups_left_out` (not shown, and counted in nothing else), `groups,
        group_size_mean, group_size, mean_square_between, mean_square_within, statistic` (F), `df, df_within,
        p_value, icc1` (with the size that allows for unequal groups), `conf_low, conf_high, icc1_mean_size`
        (with the mean size), `icc2, icc1_guide,
        icc2_guide`, then of the groups shown `groups_shown`, the median of each within-group statistic
        (`rwg_median`, …), the percentage of groups above the guide (`rwg_percent_high`, `rwg_j_percent_high`:
        above 0.70) or within it (`ad_percent_low`).
        `.groups`: `measure, group, base, status, rwg, rwg_skewed, rwg_j, rwg_j_skewed, r_star_wg_j, ad`.
        ICC(1) may be negative and stays so; rwg and rwg(J) below 0 are set to 0, r*wg(J) is not.

    Raises
    ------
    UnknownNameError
        When a column is missing.
    MeasurementError
        When there are no respondents' scores, a column holds no numbers, there are fewer than two groups
        (that may be shown), no group has two rows, or the whole is below the minimum base.

    Notes
    -----
    ICC(1) = (MSB - MSW) / (MSB + (k - 1) MSW) and ICC(2) = (MSB - MSW) / MSB of a one-way analysis of
    variance (Bliese 2000), its interval from the F distribution (Searle 1971). rwg and rwg(J): James, Demaree
    and Wolf (1984), against equally likely options; `_skewed` against a slightly skewed scale, for five
    options only. r*wg(J): Lindell, Brandt and Whitney (1999). AD: mean deviation from the group's mean
    (Burke, Finkelstein and Dusig 1999); up to a sixth of the number of options counts as agreement (Burke and
    Dunlap 2002). Guides in the table are conventions, not tests: ICC(1) from 0.01 small, 0.10 medium, 0.25
    large; ICC(2) from 0.70; rwg from 0.51 moderate, above 0.70 strong. In groups of hundreds rwg describes
    how widely answers are spread; whether the mean can be trusted is what ICC(2) says.

    Mean squares and group sizes of all groups, set beside the results of those shown, would tell the size and
    the mean of a hidden one. So respondents (an extract, or a table with a column `respondent`) are described
    by the groups shown alone: every figure follows from people of whom `estimate` shows as much. Other tables
    are taken as figures of organisations, whose small groups (a few years) count in the analysis of variance.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> extract = cm.synthetic.respondents(2024, respondents_per_organisation=600)
    >>> cm.agreement(extract, "burnout", "locality_1").table["groups"].item() > 1
    True
    """
    names = [measures] if isinstance(measures, str) else list(measures)
    of_extract, left_out = isinstance(data, Extract), dict.fromkeys(names, 0)
    least = least_base([]) if minimum_base is None else minimum_base
    if isinstance(data, Extract):
        least = data.edition.survey.minimum_base if minimum_base is None else minimum_base
        data, names, items, scale, left_out = scored(data, names, by, minimum_base)
    elif isinstance(data, pl.LazyFrame):
        data = data.collect()
    elif not isinstance(data, pl.DataFrame):
        raise MeasurementError(
            "Agreement needs the scores of respondents, one row each",
            expected="an extract, or a polars DataFrame or LazyFrame with a column that names the group",
            got=kind_of(data),
            hint="Take the .extract of what cm.validate returned. A panel has no respondents: its .table, "
            "with by='organisation', tells how much of its figures stays the same over the years.",
        )
    if not of_extract:
        levels = [c for c in names if isinstance(data.schema.get(c), pl.Enum)]
        data = data.with_columns(pl.col(levels).to_physical() + 1)
    people = of_extract or "respondent" in data.columns
    items = items or {}
    scales: Mapping[str, Scale] = (
        dict.fromkeys([*names, *items], scale) if isinstance(scale, tuple) else scale or {}
    )
    _check_columns(data, [by, *names, *(c for m in names for c in items.get(m, ()))], by)
    rows, within = [], []
    for name in names:
        columns = list(items.get(name, [name]))
        own = data.select(
            pl.col(by).cast(pl.String).alias("group"),
            pl.col(name).cast(pl.Float64).alias("value"),
            *(pl.col(c).cast(pl.Float64).alias(f"item {i}") for i, c in enumerate(columns)),
        ).drop_nulls("group")
        if people and not of_extract:
            own, left_out[name] = _of_shown(own, least)
        used = own.drop_nulls("value")
        if used.height < least:
            raise MeasurementError(
                f"There are too few values of '{name}' to describe",
                expected=f"at least {least} rows with a value and a {by} that may be shown",
                hint="Use a larger extract, or leave the measure out.",
            )
        if people and used["group"].n_unique() < 2:
            raise MeasurementError(
                f"Fewer than two groups of {by} may be shown for '{name}'", hint="Use coarser groups."
            )
        label = (labels or {}).get(name, in_words(name))
        about = {"measure": name, "label": label, "base": used.height, "groups_left_out": left_out[name]}
        rows.append({**about, **one_way(used["value"].alias(name), used["group"])})
        within.append(_within(own, name, len(columns), scales.get(name), least))
    groups = pl.concat(within)
    groups = groups.with_columns(status=pl.lit("reported")) if people else _held_back(groups, least)
    groups = groups.select("measure", "group", "base", pl.col("status").cast(pl.String), *WITHIN)
    cuts = pl.DataFrame(
        [(name, _step(scales[name]) * scales[name][2] / 6 if name in scales else None) for name in names],
        schema={"measure": pl.String, "_cut": pl.Float64},
        orient="row",
    )
    table = pl.DataFrame(rows, infer_schema_length=None).with_columns(*guides())
    return Agreement(
        table.join(_over_groups(groups, cuts), on="measure", how="left", maintain_order="left"), groups, by
    )


def in_words(name: str) -> str:
    """Return an id as words."""
    return name.replace("_", " ")


def guides() -> list[pl.Expr]:
    """Expressions: where ICC(1) and ICC(2) stand against their customary guides."""
    one, two = pl.col("icc1"), pl.col("icc2")
    size = pl.when(one >= 0.25).then(pl.lit("large")).when(one >= 0.10).then(pl.lit("medium"))
    size = size.when(one >= 0.01).then(pl.lit("small")).when(one >= 0).then(pl.lit("very small"))
    reliable = pl.when(two >= 0.70).then(pl.lit("0.70 or more")).when(two.is_not_null())
    return [
        size.when(one < 0).then(pl.lit("negative")).alias("icc1_guide"),
        reliable.then(pl.lit("below 0.70")).alias("icc2_guide"),
    ]


def _check_columns(data: pl.DataFrame, columns: Sequence[str], group: str) -> None:
    for name in columns:
        if name not in data.columns:
            raise unknown("column", name, data.columns, where="agreement")
        if name != group and not data.schema[name].is_numeric():
            raise MeasurementError(
                f"The column '{name}' holds no numbers", got=str(data.schema[name]), hint="Score it first."
            )


def _step(scale: Scale) -> float:
    return (scale[1] - scale[0]) / (scale[2] - 1)


def _within(own: pl.DataFrame, name: str, many: int, scale: Scale | None, least: int) -> pl.DataFrame:
    """Within-group statistics of one measure: one row per group.

    Each question counts with all who answered it: a set of those who answered all of them would differ from
    what is published of each question by few people.
    """
    items = [pl.col(f"item {i}") for i in range(many)]
    enough = pl.min_horizontal(c.count() for c in items) >= least
    spread = pl.mean_horizontal(*(c.var() for c in items), ignore_nulls=False)
    deviation = pl.mean_horizontal(*((c - c.mean()).abs().mean() for c in items), ignore_nulls=False)
    found = (
        own.group_by("group")
        .agg(
            pl.col("value").count().alias("base"),
            pl.when(enough).then(spread).alias("_s2"),
            pl.when(enough).then(deviation).alias("ad"),
        )
        .filter(pl.col("base") > 0)
        .with_columns(pl.lit(name).alias("measure"))
        .sort("group")
    )
    null: dict[str, float | None] = {"": None, "_skewed": None}
    if scale is not None:
        null[""] = _step(scale) ** 2 * (scale[2] ** 2 - 1) / 12
        null["_skewed"] = _step(scale) ** 2 * _skewed_variance() if scale[2] == len(SKEWED) else None
    made = []
    for suffix, variance in null.items():
        ratio = pl.col("_s2") / pl.lit(variance, pl.Float64)
        kept = pl.min_horizontal(ratio, 1.0 + 0 * ratio)
        single, several = 1 - kept, many * (1 - kept) / (many * (1 - kept) + kept)
        empty = pl.lit(None, pl.Float64)
        made += [
            (single if many == 1 else empty).alias(f"rwg{suffix}"),
            (several if many > 1 else empty).alias(f"rwg_j{suffix}"),
        ]
        if not suffix:
            made.append((1 - ratio if many > 1 else empty).alias("r_star_wg_j"))
    shown = pl.col("ad") if scale is not None else pl.lit(None, pl.Float64)
    return found.with_columns(*made, shown.alias("ad")).select("measure", "group", "base", *WITHIN)


def _skewed_variance() -> float:
    mean = sum(option * share for option, share in enumerate(SKEWED, 1))
    return sum((option - mean) ** 2 * share for option, share in enumerate(SKEWED, 1))


def _held_back(groups: pl.DataFrame, minimum_base: int) -> pl.DataFrame:
    """Empty small groups, and others from which they would follow together with the pooled variance."""
    status = _statuses(groups, minimum_base)
    shown = status == "reported"
    return groups.with_columns(status, *(pl.when(shown).then(pl.col(c)).alias(c) for c in ("base", *WITHIN)))


def _of_shown(own: pl.DataFrame, minimum_base: int) -> tuple[pl.DataFrame, int]:
    """Keep the people of groups that may be shown, and count the other groups."""
    groups = own.drop_nulls("value").group_by("group").agg(pl.len().alias("base")).sort("group")
    shown = _statuses(groups.with_columns(measure=pl.lit("")), minimum_base) == "reported"
    return own.join(groups.filter(shown), on="group", how="semi"), int((~shown).sum())


def _statuses(groups: pl.DataFrame, minimum_base: int) -> pl.Series:
    """Say what of `measure, group, base` may be shown beside the whole."""
    same = {name: pl.lit("") for name in ("survey", "period", "organisation", "weighting")}
    same["status"] = pl.lit("reported")
    rows = groups.select("measure", "group", "base", breakdown=pl.lit("group"))
    total = rows.group_by("measure").agg(pl.col("base").sum(), group=pl.lit(ALL), breakdown=pl.lit(ALL))
    whole = pl.concat([rows, total.select(rows.columns)]).with_columns(**same)
    return suppress(whole, minimum_base)["status"].head(groups.height)


def _over_groups(groups: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """Medians over the groups shown, and the percentage of them that the guide would call agreement."""
    shown = groups.filter(status="reported").join(cuts, on="measure", how="left")
    return shown.group_by("measure", maintain_order=True).agg(
        pl.len().alias("groups_shown"),
        *(pl.col(c).median().alias(f"{c}_median") for c in WITHIN),
        *(((pl.col(c) > 0.70).mean() * 100).alias(f"{c}_percent_high") for c in ("rwg", "rwg_j")),
        ((pl.col("ad") <= pl.col("_cut")).mean() * 100).alias("ad_percent_low"),
    )


def _label() -> pl.Expr:
    reliability = pl.col("icc2").round(2).cast(pl.Decimal(6, 2)).cast(pl.String)
    return pl.format("{} ({})", "label", reliability)


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plural(kind: str) -> str:
    return "organisations" if kind == "organisation" else f"groups of {in_words(kind)}"


def _sentence(row: dict[str, float | str | None], kind: str, approximate: bool) -> str:
    said = (
        f"{_raised(str(row['label']))}: {100 * float(row['icc1'] or 0):.1f}% of the variance lies "
        "between the "
        f"{row['groups']} {_plural(kind)} (ICC(1) {row['icc1']:.3f}, by the customary guide "
        f"{row['icc1_guide']}); their means are told apart with a reliability of {row['icc2']:.2f} "
        f"(ICC(2), {row['icc2_guide']})."
    )
    if row.get("rwg_j_median") is not None:
        said += f" Within groups the median rwg(J) is {row['rwg_j_median']:.2f}."
    elif row.get("rwg_median") is not None:
        said += f" Within groups the median rwg is {row['rwg_median']:.2f}."
    return said + (" Worked out from published percentages: approximate." if approximate else "")
