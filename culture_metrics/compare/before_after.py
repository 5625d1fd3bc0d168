"""A programme's before and after: the change of an organisation less that of its benchmark group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.assumptions import Assumptions, assumed_of
from culture_metrics.compare.did import (
    FEWEST_CONTROLS,
    FEWEST_WITH,
    one_against_group,
    organisations_against_group,
)
from culture_metrics.compare.framework_lines import edition_of
from culture_metrics.compare.pairs import check_one_weighting, gather
from culture_metrics.compare.prepare import paired, prepare
from culture_metrics.compare.same_questions import absent_in
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, ResultsError, check_level, unknown
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed
from culture_metrics.results.precision import NORMAL
from culture_metrics.wording.numbers import shown, signed

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.compare.pairs import Given, Material

#: Which of the two ways the error of a difference was found.
OWN, CLUSTERED = "sampling of the one, spread of the group", "clustered by organisation"
NOTHING = "nothing to set it against"
SCHEMA = {
    **dict.fromkeys(["measure", "label", "unit", "direction", "period", "phase"], pl.String),
    **dict.fromkeys(["own_baseline", "own", "own_change", "own_std_error"], pl.Float64),
    **dict.fromkeys(["control_baseline", "control", "control_change", "control_sd"], pl.Float64),
    "organisations": pl.UInt32, "controls": pl.UInt32,
    **dict.fromkeys(["estimate", "std_error", "df", "conf_low", "conf_high", "p_value"], pl.Float64),
    **dict.fromkeys(["base_baseline", "base"], pl.UInt32),
    **dict.fromkeys(["method", "reason"], pl.String),
}  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class BeforeAfter(Output):
    """A programme's before and after beside a control.

    Attributes
    ----------
    table : polars.DataFrame
        One row for each measure and period but the baseline, with `SCHEMA`: `phase` (`before` the baseline,
        where the difference should be near 0; `between` it and the start; `after`), the figures of
        the organisation (the mean, of several) and of the control at the baseline and in the period, their
        changes from the baseline (`own_std_error` by sampling, `control_sd` the spread of the control's
        changes), `organisations` and `controls` (how many), `estimate` (difference in differences),
        `std_error, df, conf_low, conf_high, p_value`, bases, `method`, and `reason` why there is none.
    organisation : tuple of str
        Who has the programme.
    group, survey, baseline, follow_up, start : str
        The control, the survey, and when.
    conf_level : float
        Level of the intervals.
    notes : tuple of str
        What was done and assumed.
    """

    table: pl.DataFrame
    organisation: tuple[str, ...]
    group: str
    survey: str
    baseline: str
    follow_up: str
    start: str
    conf_level: float
    notes: tuple[str, ...]

    def figure(self) -> go.Figure:
        """Draw every measure over the years, with its control line and the start of the programme."""
        from culture_metrics import views

        there = self.table.filter(pl.col("own").is_not_null())
        at = pl.lit(self.baseline).alias("period")
        rows = pl.concat(
            [
                there.select(
                    "measure", "label", "unit", "period", "own", "control",
                    reach=NORMAL * pl.col("control_sd"), error=NORMAL * pl.col("own_std_error"),
                ),
                there.unique("measure", maintain_order=True).select(
                    "measure", "label", "unit", at, own="own_baseline", control="control_baseline",
                    reach=pl.lit(None, pl.Float64), error=pl.lit(None, pl.Float64),
                ),
            ]
        )  # fmt: skip
        return views.with_control(
            rows,
            order=there["label"].unique(maintain_order=True).to_list(),
            start=self.start,
            own=self._whom,
            control=self.group or "control",
            title=f"{self._whom}, {self.baseline} to {self.follow_up}: {self._in_few_words()}",
            subtitle=catalogue(self.survey).label,
            source="Survey results; the control is the mean of the organisations without the programme",
        )

    def summary(self) -> str:
        """Say in plain sentences what changed, what the control did, and what that leaves."""
        after = self.table.filter(period=self.follow_up)
        said = [self._sentence(row) for row in after.iter_rows(named=True)]
        before = self.table.filter(phase="before").drop_nulls("estimate")
        apart = before.filter((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0))
        if apart.height:
            rows = apart.select(pl.format("{} in {}", "label", "period")).to_series()
            said.append(
                f"Before the programme the two did not run alike: {listed(rows)}. The difference is no "
                "answer there."
            )
        elif before.height:
            said.append("Before the programme no difference from the control was beyond chance.")
        else:
            said.append("There is no earlier year that shows whether the two ran alike before.")
        return " ".join(said)

    def rules(self) -> tuple[str, ...]:
        """Say what was done and assumed."""
        return self.notes

    @property
    def _whom(self) -> str:
        return (
            self.organisation[0] if len(self.organisation) == 1 else f"{len(self.organisation)} organisations"
        )

    def _in_few_words(self) -> str:
        rows = self.table.filter(period=self.follow_up).drop_nulls("estimate")
        clear = rows.filter((pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)).height
        if rows.is_empty():
            return "nothing can be told from chance"
        return f"apart from the control beyond chance on {clear} of {counted(rows.height, 'measure')}"

    def _sentence(self, row: Mapping[str, Any]) -> str:
        if row["own_change"] is None:
            return f"{row['label']}: {row['reason']}"
        unit, points = row["unit"], " points" if row["unit"] == "percent" else ""

        def change(value: float) -> str:
            return f"{signed(value, unit).rstrip('%')}{points}"

        moved = (
            f"{row['label']}: {shown(row['own_baseline'], unit)} in {self.baseline}, "
            f"{shown(row['own'], unit)} in {row['period']} ({change(row['own_change'])})"
        )
        if row["estimate"] is None:
            return f"{moved}. {row['reason']}"
        return (
            f"{moved}; {counted(row['controls'], 'organisation')} without the programme "
            f"{change(row['control_change'])} on average. Difference in differences "
            f"{change(row['estimate'])} ({100 * self.conf_level:g}% interval {change(row['conf_low'])} to "
            f"{change(row['conf_high'])})."
        )

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return self._with_points(self.notes)


@verb
def before_after(  # noqa: PLR0913
    results: Given,
    organisation: str | Sequence[str],
    *,
    baseline: str | int,
    follow_up: str | int,
    start: str | int | None = None,
    measures: Sequence[str] | None = None,
    release: str | int | None = None,
    assumptions: Assumptions | None = None,
    conf_level: float = 0.95,
    allow_breaks: bool = False,
    leave_out: Sequence[str] = (),
) -> BeforeAfter:
    """Follow a programme by difference in differences: before and after, beside a benchmark group.

    Parameters
    ----------
    results : Results, Published, polars.DataFrame or sequence of them
        Of the organisation and of those without the programme, in two periods or more: published results of
        one release, with the own respondents' beside them where there are no published ones.
    organisation : str or sequence of str
        ODS codes of those that have the programme; all of them from one start.
    baseline, follow_up : str or int
        The last period before the programme, and the one in which it is judged.
    start : str or int, optional
        The first period in which it ran; the one after the baseline when left out.
    measures : sequence of str, optional
        Ids or official codes; the survey's choice when left out: in the NHS Staff Survey recommending the
        organisation as a place to work and for treatment, care as the top priority, and raising concerns.
    release, assumptions, allow_breaks
        As in `compare_years`.
    conf_level : float
        Level of the intervals.
    leave_out : sequence of str
        ODS codes of organisations that are no control: those that have the programme from another start.

    Returns
    -------
    BeforeAfter
        `.table` has the difference for every period; those before the baseline show whether both ran alike.

    Raises
    ------
    ComparabilityError
        When the periods are the wrong way round, or starts differ: each start is followed apart, see the
        notes.
    UnknownNameError
        When the results have no such organisation or period.

    Notes
    -----
    The control are the other organisations of the benchmark group with figures in both periods, each counted
    once; where the files name no groups, all other organisations. One organisation: its sampling error and
    the spread of the group's changes (`did.one_against_group`). Several: a regression clustered by
    organisation (`did.organisations_against_group`). Both rest on the two having run alike without the
    programme, which earlier periods can contradict and never prove, and on nothing else having set the
    organisation apart at the same time.

    Several starts: one call for each, with its own baseline and the organisations of all other starts in
    `leave_out`, which is the group-time effect of Callaway and Sant'Anna (2021) with controls that never have
    the programme. They are not pooled into one effect: its interval rests on many organisations with the
    programme, and the few of a start give one that is too narrow.

    Examples
    --------
    A published case: recommended as a place to work by 66 and then 77 %, for treatment by 83 and then 89 %
    (and 88 to 94 % for an overall impression, which the survey does not ask). It names neither bases nor a
    control. Suppose 300 answers each time: chance alone may have moved the first by 7 points either way and
    the second by 5 or 6, and of the programme nothing can be said:

    >>> import polars as pl
    >>> from culture_metrics.contract import as_results
    >>> case = as_results(pl.DataFrame({"survey": "nss_england", "period": ["2022", "2024"] * 2,
    ...     "organisation": "RXX", "breakdown": "all", "group": "all", "unit": "percent",
    ...     "measure": ["recommend_place_to_work"] * 2 + ["recommend_for_treatment"] * 2,
    ...     "estimate": [66.0, 77, 83, 89], "base": 300, "weighting": "none", "status": "reported",
    ...     "source": "published"}))
    >>> told = before_after(case, "RXX", baseline=2022, follow_up=2024)
    >>> told.table.select("own_change", (1.96 * pl.col("own_std_error")).round(1), "estimate").rows()
    [(11.0, 7.2, None), (6.0, 5.5, None)]
    >>> told.table["reason"][0]
    'Fewer than 3 organisations without the programme have figures.'
    """
    if isinstance(start, Mapping):
        raise _of_several_starts(start)
    check_level(conf_level, "before_after")
    first, last = str(baseline), str(follow_up)
    stuff = gather(results, None if release is None else str(release))
    survey = catalogue(stuff.survey)
    codes = tuple(organisation) if isinstance(organisation, list | tuple) else (organisation,)
    if not codes:
        raise ResultsError("No organisation has the programme", hint="Name it by its ODS code.")
    apart = (leave_out,) if isinstance(leave_out, str) else tuple(leave_out)
    if both := sorted({*codes} & {*apart}):
        raise ResultsError(f"{listed(both)} cannot have the programme and be left out", where="before_after")
    here = stuff.frame["organisation"].unique().sort().to_list()
    for code in (*codes, *apart):
        if code not in here:
            raise unknown("organisation in these results", code, here)
    kept = replace(stuff, frame=stuff.frame.filter(~pl.col("organisation").is_in(apart)))
    frame, group, notes = _chosen(kept, codes)
    if apart:
        notes = (*notes, f"No control, with a programme from another start: {listed(apart)}.")
    periods = frame["period"].unique().sort().to_list()
    for period in (first, last):
        if period not in periods:
            raise unknown("period in these results", period, periods)
    began = next((p for p in periods if p > first), last) if start is None else str(start)
    if not first < began <= last:
        raise ComparabilityError(
            "A programme starts after its baseline, and by its follow-up",
            got=f"baseline {first}, start {began}, follow-up {last}",
        )
    # Codes move from year to year: they are those of the last one.
    edition = edition_of(survey, periods[-1]) or survey.newest
    measures = (measures,) if isinstance(measures, str) else measures
    named = measures or survey.defaults.programme or (edition.headline,)
    wanted = [edition.measure(name).id for name in named]
    spread, absent = assumed_of(assumptions), absent_in(frame)
    mine = replace(stuff, frame=frame)
    rows: list[dict[str, Any]] = []
    for period in periods:
        if period == first:
            continue
        ends = (min(first, period), max(first, period))
        marked = paired(mine, survey, ends, None, wanted, absent)
        ready = prepare(marked, survey, spread, survey.material, allow_breaks=allow_breaks)
        turned = _from_baseline(ready, later=period > first)
        phase = "before" if period < first else "after" if period >= began else "between"
        for _, one in turned.group_by("measure", maintain_order=True):
            rows.append({"period": period, "phase": phase, **_row(one, codes, conf_level)})
    table = pl.DataFrame(rows, schema=SCHEMA)
    table = table.sort(pl.col("measure").cast(pl.Enum(list(dict.fromkeys(wanted)))), "period")
    return BeforeAfter(table, codes, group, stuff.survey, first, last, began, conf_level, notes)


def _of_several_starts(start: Mapping[str, Any]) -> ComparabilityError:
    """Make the error for starts that differ: one call for each does what can be told."""
    by_start: dict[str, list[str]] = {}
    for code, period in start.items():
        by_start.setdefault(str(period), []).append(str(code))
    first, *others = sorted(by_start)
    apart = sorted(code for other in others for code in by_start[other])
    call = f"cm.before_after(results, {sorted(by_start[first])}, baseline=…, start={first}, follow_up=…"
    return ComparabilityError(
        "All organisations of a programme have one start here",
        got=f"{counted(len(by_start), 'start')}: {', '.join(sorted(by_start))}",
        hint="Follow each start apart, with its own baseline, and keep those of the other starts out of the "
        f"control: {call}{f', leave_out={apart}' if apart else ''}), and so on. The effects of few "
        "organisations are not pooled: the interval of one effect of all starts would be too narrow.",
    )


def _chosen(stuff: Material, codes: tuple[str, ...]) -> tuple[pl.DataFrame, str, tuple[str, ...]]:
    """Return the figures of those with the programme and of their control, its name, and notes."""
    whole = stuff.frame.filter((pl.col("breakdown") == ALL) & (pl.col("organisation") != ALL))
    listed_ = stuff.organisations
    groups = listed_.filter(pl.col("organisation").is_in(codes))["benchmark_group"].unique().to_list()
    notes = []
    if groups:
        peers = listed_.filter(pl.col("benchmark_group").is_in(groups))["organisation"].to_list()
        whole = whole.filter(pl.col("organisation").is_in([*codes, *peers]))
        group = " and ".join(sorted(groups))
    else:
        group = "all other organisations"
        notes.append("The files name no benchmark groups: the control are all other organisations.")
    mine = pl.col("organisation").is_in(codes)
    published = pl.col("source").cast(pl.String) == "published"
    # The own published figures are weighted as those of the group are; else the own respondents stand in.
    has = published.any().over("organisation")
    kept = whole.filter(published | ~has)
    check_one_weighting(kept, ["organisation", "period", "measure"], "before_after")
    if not kept.filter(mine).select(published.all()).item() and kept.select(published.any()).item():
        notes.append(
            "The own figures are of respondents, counted once, and those of the control are published and "
            "weighted: a change in who answered is in the one and not in the other."
        )
    if len(codes) == 1:
        notes.append(
            "Error of the difference: the sampling error of the organisation, and the spread of the changes "
            "in its benchmark group as what the control does not tell."
        )
    else:
        notes.append("Error of the difference: from a regression clustered by organisation.")
    notes.append("It rests on both having run alike without the programme, which no figures can prove.")
    return kept, group, tuple(notes)


def _from_baseline(ready: pl.DataFrame, *, later: bool) -> pl.DataFrame:
    """Return each organisation's figure at the baseline and in the period, and the change with its error."""
    at, then = ("from", "to") if later else ("to", "from")
    free = pl.col("why_not").is_null() | pl.col("se_from").is_not_null()
    both = pl.col("estimate_from").is_not_null() & pl.col("estimate_to").is_not_null()
    a, b = (pl.col(f"se_{end}") ** 2 for end in ("from", "to"))
    df = (a + b) ** 2 / (a**2 / pl.col("df_from") + b**2 / pl.col("df_to"))
    return ready.select(
        "organisation", "measure", "label", "direction", "why_not",
        pl.col("unit").cast(pl.String),
        usable=both & free,
        own_baseline=pl.col(f"estimate_{at}"), own=pl.col(f"estimate_{then}"),
        change=pl.col(f"estimate_{then}") - pl.col(f"estimate_{at}"),
        error=(a + b).sqrt(), df=df.fill_nan(float("inf")),
        base_baseline=pl.col(f"base_{at}"), base=pl.col(f"base_{then}"),
    )  # fmt: skip


def _row(one: pl.DataFrame, codes: tuple[str, ...], conf_level: float) -> dict[str, Any]:
    """Return the row of one measure and period."""
    named = {name: one[name][0] for name in ("measure", "label", "unit", "direction")}
    mine = one.filter(pl.col("organisation").is_in(codes))
    with_it, without = (
        mine.filter("usable"),
        one.filter(~pl.col("organisation").is_in(codes) & pl.col("usable")),
    )
    if with_it.is_empty():
        why = mine["why_not"].drop_nulls()
        return {**named, "reason": why[0] if len(why) else "There are no figures of both periods."}
    single = with_it.height == 1
    row: dict[str, Any] = {
        **named,
        **{name: with_it[name].mean() for name in ("own_baseline", "own")},
        "own_change": with_it["change"].mean(),
        "own_std_error": with_it["error"][0] if single else None,
        "organisations": with_it.height,
        "controls": without.height,
        "base_baseline": with_it["base_baseline"].sum()
        if with_it["base_baseline"].null_count() == 0
        else None,
        "base": with_it["base"].sum() if with_it["base"].null_count() == 0 else None,
    }
    lacking = []
    if single and with_it["error"][0] is None:
        lacking.append("its sampling error is not known")
    if without.height < FEWEST_CONTROLS:
        lacking.append(f"fewer than {FEWEST_CONTROLS} organisations without the programme have figures")
    if without.height >= FEWEST_CONTROLS:
        row |= {
            "control_baseline": without["own_baseline"].mean(),
            "control": without["own"].mean(),
            "control_change": without["change"].mean(),
            "control_sd": without["change"].std(),
        }
    if lacking:
        said = "; ".join(lacking)
        return {**row, "method": NOTHING, "reason": f"{said[0].upper()}{said[1:]}."}
    changes = without["change"].to_numpy()
    if with_it.height >= FEWEST_WITH:
        found, method = organisations_against_group(with_it["change"].to_numpy(), changes), CLUSTERED
    else:
        errors = without["error"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        own = with_it.row(0, named=True)
        found = one_against_group(own["change"], own["error"], own["df"], changes, errors)
        method = OWN
    low, high = found.interval(conf_level)
    return {
        **row,
        "estimate": float(found.estimate), "std_error": float(found.std_error), "df": float(found.df),
        "conf_low": float(low), "conf_high": float(high), "p_value": float(found.p_value), "method": method,
    }  # fmt: skip
