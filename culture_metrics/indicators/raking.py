"""Raking: weights that bring respondents to the known margins of staff in post."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError, InputWarning, unknown, warn
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.codes import codes_of
from culture_metrics.indicators.margins import margin_of, margin_table, pools, shares_of, staff_in
from culture_metrics.indicators.pooling import NAMED, answered, least_base, warn_of_pools
from culture_metrics.indicators.sweeps import fit
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.margins import Margin, Staff
    from culture_metrics.indicators.pooling import Flags

#: Staff in post may well not know of some groups (who prefers not to say); more than this share is told of.
MANY = 0.1
#: A share that is further off its target (a twentieth of a point) shows where it is printed.
FAR_OFF = 0.0005
#: Columns that tell respondents apart, whatever the margins are.
KEYS = ("organisation", "respondent")


@dataclass(frozen=True, repr=False, eq=False)
class Raking(Output):
    """Raked weights and how well they fit.

    Attributes
    ----------
    weights : polars.Series
        One weight per respondent, in the order of the extract, with a mean of 1 in each organisation.
    table : polars.DataFrame
        `organisation, breakdown, group, base, staff, before, after`: share of staff in post (%) and of
        respondents before and after weighting (%): of those whose group is known, or of all where a group is
        hidden. Groups with few respondents show no base and shares, nor do those that would give them away,
        or that `estimate` hides for the measure most have.
    organisations : polars.DataFrame
        `organisation, base, effective_base, deff, largest, iterations, converged, largest_gap` (how far the
        share of a group is off at most, in percentage points). Where a group of the organisation is hidden,
        `effective_base`, `deff` and `largest` are rounded to two digits, as `largest_gap` always is.
    minimum_base : int or None
        Smallest base whose groups have a weight of their own because they may be shown; None where
        `pool_below` said otherwise.
    """

    weights: pl.Series = field(repr=False)
    table: pl.DataFrame = field(repr=False)
    organisations: pl.DataFrame
    margins: Mapping[str, tuple[Margin, ...]] = field(repr=False)
    fingerprint: Mapping[str, str] = field(repr=False)
    minimum_base: int | None = field(repr=False)

    @property
    def converged(self) -> bool:
        """Whether every organisation's margins are met (and its weights within the trim)."""
        return bool(self.organisations["converged"].all())

    @property
    def iterations(self) -> int:
        """Sweeps over the margins that the slowest organisation took."""
        return int(np.max(self.organisations["iterations"].to_numpy(), initial=0))

    @property
    def deff(self) -> float:
        """Design effect of unequal weights (Kish 1965), n Σw² / (Σw)², over all respondents.

        Rounded to two digits where a group is hidden, as is what follows from it.
        """
        w = self.weights.to_numpy()
        return self._told(len(w) * (w**2).sum() / w.sum() ** 2)

    @property
    def effective_base(self) -> float:
        """How many respondents of equal weight would tell as much: n / deff."""
        return len(self.weights) / self.deff

    def far_off(self) -> list[str]:
        """Say of each organisation whose margins are not met, even as printed, by how much."""
        rows = self.organisations.filter(pl.col("largest_gap") > 100 * FAR_OFF)
        told = rows.select("organisation", "iterations", "largest_gap").iter_rows()
        return [f"{name}: a share {gap:.2g} points off after {swept} sweeps" for name, swept, gap in told]

    def _told(self, number: float) -> float:
        return _rounded(number) if self.table["base"].null_count() else float(number)

    def figure(self, organisation: str | None = None) -> go.Figure:
        """Draw by how much groups answered more, or less, than their share of the staff in post.

        Parameters
        ----------
        organisation : str, optional
            The first one when left out.
        """
        from culture_metrics import views

        chosen = self.table["organisation"][0] if organisation is None else organisation
        rows = self.table.filter(organisation=chosen)
        if rows.is_empty():
            raise unknown("organisation in this raking", chosen, self.table["organisation"].unique().sort())
        nothing = pl.lit(None, pl.Float64)
        drawn = rows.filter(pl.col("before").is_not_null()).select(
            label="group",
            panel="breakdown",
            estimate=pl.col("before") - pl.col("staff"),
            conf_low=nothing,
            conf_high=nothing,
            detail=pl.format(
                "{}% of staff in post, {}% after weighting",
                pl.col("staff").round(1),
                pl.col("after").round(1),
            ),
        )
        hidden = rows.height - drawn.height
        return views.estimates(
            drawn,
            axis="Share of respondents less share of staff in post, percentage points",
            decimals=1,
            title=f"{chosen}: who answered more, and less, than their share of staff",
            notes=f"{counted(hidden, 'group')} not shown." if hidden else "",
        )

    def rules(self) -> tuple[str, ...]:
        """Say from how many respondents on a group has a weight of its own."""
        if self.minimum_base is None:
            return ()
        return (f"Groups of fewer than {self.minimum_base} respondents share a weight.",)

    def summary(self) -> str:
        """Say in a sentence how the raking went."""
        gap = float(np.max(self.organisations["largest_gap"].to_numpy(), initial=0.0))
        off = f" (a share is {gap:.2g} points off)" if self.far_off() else ""
        met = "The margins are met" if self.converged else f"The margins are not all met{off}"
        return (
            f"{met} after {self.iterations} iterations; {len(self.weights):,} respondents weigh as much as "
            f"{self.effective_base:,.0f} (design effect {self.deff:.2f}, largest weight "
            f"{self._told(self.weights.to_numpy().max()):.2f})."
        )

    def __repr__(self) -> str:
        return f"Raking({self.summary()} See .organisations, .table and .weights)"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>{self.organisations._repr_html_()}"


@verb
def rake(
    extract: Extract,
    margins: Mapping[str, Mapping[str, float]] | pl.DataFrame,
    *,
    trim: float | None = None,
    tolerance: float = 1e-10,
    iterations: int = 500,
    pool_below: int | None = None,
) -> Raking:
    """Weight respondents so that they have the age, gender, ethnicity … of the staff in post.

    Parameters
    ----------
    extract : Extract
        A clean extract.
    margins : mapping or polars.DataFrame
        Breakdown -> group -> staff in post (numbers or shares), for an extract of one organisation; or a
        table with `organisation, breakdown, group, staff` for several. Each organisation is raked by itself.
    trim : float, optional
        Largest weight as a multiple of the mean, above 1. What is cut off is spread evenly over the other
        respondents (Potter 1990) and the margins are raked again, until both hold or no more can be done.
    tolerance : float
        Largest difference of a share from its target at which raking stops.
    iterations : int
        Sweeps over the margins at most.
    pool_below : int, optional
        Groups with fewer respondents share one weight in a margin; the survey's minimum base when left out.
        1 pools nothing. Give the minimum base that you publish by, where it is larger: `estimate` refuses
        weights that it was left out of when it is asked for more than the survey's own.

    Returns
    -------
    Raking
        Give it to `estimate(..., weights=raking)`; standard errors then know that the margins are fixed.

    Raises
    ------
    UnknownNameError
        When a breakdown is not in the catalogue or the extract.
    ExtractError
        When a group that the margins name has respondents but no staff in post, or staff but no respondent;
        when a margin names one group only and respondents are in others; when `trim` is not above 1.

    Warns
    -----
    SmallBaseWarning
        When groups share a weight: it names them.
    InputWarning
        When margins are not met, with how far they are off, and when many respondents are in groups that a
        margin does not name.

    Notes
    -----
    Iterative proportional fitting from equal weights. Respondents whose group is not known, or not named in
    the margin, keep their share in it. Weights for non-response help where those who answer differ from those
    who do not by what the margins know; they cannot mend other differences.

    Groups that would be hidden if the respondents of a margin, or a measure that four in five answer, were
    published (those below `pool_below` and as many of the next smallest as it takes) are raked as one, to
    their staff in post together: else what is published of the weights would tell how many they are; and
    weights that rest on few people are unstable. Few respondents whose group is not known count among them.

    References
    ----------
    Deming & Stephan (1940), Annals of Mathematical Statistics 11, 427-444; Deville, Särndal & Sautory (1993),
    JASA 88, 1013-1020; Kish (1965), Survey Sampling, 11.7.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> extract = synthetic.respondents(2024)
    >>> raking = rake(extract, {"gender": {"Female": 700, "Male": 300}, "long_term_condition":
    ...     {"With a long-term condition": 25, "Without a long-term condition": 75}})
    >>> raking.converged
    True
    """
    if trim is not None and not trim > 1:
        raise ExtractError(
            "The largest weight must be above the mean", where="trim", got=str(trim), expected="above 1, as 5"
        )
    table = margin_table(extract, margins)
    minimum = extract.edition.survey.minimum_base
    least = least_base(pool_below, minimum)
    names = table["breakdown"].unique(maintain_order=True).to_list()
    groups = group_columns(extract, names)
    codes = {n: codes_of(extract.frame.select(e.alias("group")).to_series()) for n, e in groups.items()}
    organisation = codes_of(extract.frame["organisation"])
    rows = [np.flatnonzero(organisation.codes == number) for number in range(len(organisation.names))]
    staff = [
        staff_in(part, codes[b], own, (name, b))
        for name, own in zip(organisation.names, rows, strict=True)
        for (b,), part in table.filter(organisation=name).group_by("breakdown", maintain_order=True)
    ]
    pooled = pools(staff, answered(extract), least)
    hidden = _hidden(extract, staff, max(least, minimum))
    weights = np.ones(extract.frame.height)
    fitted: dict[str, tuple[Margin, ...]] = {}
    diagnostics, shares = [], []
    for name, own in zip(organisation.names, rows, strict=True):
        here = [number for number, s in enumerate(staff) if s.where[0] == name]
        fitted[name] = tuple(margin_of(staff[i], pooled[i]) for i in here)
        w, swept, met, gap = fit(fitted[name], len(own), trim, tolerance, iterations)
        weights[own] = w
        effective, largest = float(w.sum() ** 2 / (w**2).sum()), float(w.max())
        if any(hidden[i].any() for i in here):
            effective, largest = _rounded(effective), _rounded(largest)
        diagnostics.append(
            (name, len(own), effective, len(own) / effective, largest, swept, met, _rounded(100 * gap))
        )
        shares += [shares_of(staff[i], hidden[i], w) for i in here]
    warn_of_pools(
        {
            " ".join(s.where): [
                who for who, is_in in zip((*s.groups, "not known"), pool, strict=True) if is_in
            ]
            for s, pool in zip(staff, pooled, strict=True)
            if pool.sum() > 1
        },
        "Groups",
    )
    _warn_of_unnamed(staff, minimum)
    read = dict.fromkeys(c for e in groups.values() for c in e.meta.root_names())
    made = Raking(
        pl.Series("weight", weights),
        pl.concat(shares),
        pl.DataFrame(
            diagnostics,
            schema=[
                "organisation",
                "base",
                "effective_base",
                "deff",
                "largest",
                "iterations",
                "converged",
                "largest_gap",
            ],
            orient="row",
        ),
        fitted,
        {c: _fingerprint(extract.frame[c]) for c in (*KEYS, *read) if c in extract.frame.columns},
        minimum if pool_below is None else None,
    )
    off = made.far_off()
    if off:
        capped = f" within trim={trim:g}" if trim is not None else ""
        warn(
            f"The margins are not met{capped}: {listed(off, NAMED)}. `estimate` takes such weights as your "
            "own only (weights=raking.weights); margins that contradict each other, or rest on few "
            "respondents, cannot be met together.",
            InputWarning,
        )
    return made


def _warn_of_unnamed(staff: Sequence[Staff], minimum: int) -> None:
    """Say where many respondents are in groups that a margin does not name."""
    told = [
        f"{' '.join(s.where)}: {s.unnamed / len(s.codes):.0%} of respondents"
        for s in staff
        if s.unnamed >= max(minimum, MANY * len(s.codes))
    ]
    if told:
        warn(
            f"Groups that a margin does not name keep the share they have ({listed(told, NAMED)}). Give "
            "their staff in post as well.",
            InputWarning,
        )


def _hidden(extract: Extract, staff: Sequence[Staff], least: int) -> list[Flags]:
    """Say which groups of each margin are not to be shown; the last are those not known.

    A number of respondents is as good as the base of the measure that most have, so what `estimate` hides of
    that is hidden. Were shares of those whose group is known beside it, the hidden groups would be what is
    left: where any is hidden, shares are of all.
    """
    # Estimates are made with the weights of this module.
    from culture_metrics.indicators.shown import shown_cells

    hidden = pools(staff, np.ones((extract.frame.height, 1), bool), least)
    if any(c in extract.edition.columns for c in extract.frame.columns):
        cells = shown_cells(extract, list(dict.fromkeys(s.where[1] for s in staff)), minimum_base=least)
        # Answers that tell who is in a group are hidden for more reasons.
        about_people = {b.question for b in extract.edition.breakdowns.values()}
        others = {m.id for m in extract.edition.measures.values() if m.question not in about_people}
        whole = cells.filter(pl.col("measure").is_in(others), breakdown=ALL)
        most = whole.sort("base", "measure", descending=[True, False]).unique("organisation", keep="first")
        held = cells.join(most, on=["organisation", "measure"], how="semi").filter(
            pl.col("status") != "reported"
        )
        few = set(held.select("organisation", "breakdown", "group").rows())
        named = [[*((*s.where, group) in few for group in s.groups), False] for s in staff]
        hidden = [own | np.array(also) for own, also in zip(hidden, named, strict=True)]
    return [np.append(own[:-1], own[-1] or own[:-1].any()) for own in hidden]


def check_minimum(raking: Raking, minimum_base: int) -> None:
    """See to it that a raking pools what is hidden below a minimum base, unless it was told what to pool.

    Raises
    ------
    ExtractError
        When groups below the minimum can have a weight of their own.
    """
    if raking.minimum_base is not None and raking.minimum_base < minimum_base:
        raise ExtractError(
            f"The raking gives groups of {raking.minimum_base} or more a weight of their own",
            where=f"minimum_base={minimum_base}",
            expected=f"rake(..., pool_below={minimum_base})",
            hint="Weighted totals would tell how many are in groups that are hidden. Rake again with that "
            "pool_below; a smaller one, if you give it, stands (1 pools nothing).",
        )


def check_raking(raking: Raking, frame: pl.DataFrame) -> None:
    """See to it that a raking is of these respondents, and met its margins.

    Raises
    ------
    ExtractError
        When there are more or fewer of them, a column that the raking has read says something else, or a
        share is off its margin by more than printing hides.
    """
    off = raking.far_off()
    if off:
        raise ExtractError(
            "The raking did not meet its margins",
            where=listed(off, NAMED),
            expected=f"shares at most {100 * FAR_OFF:g} points off",
            hint="Leave out a margin, put small groups together, or loosen the trim; weights=raking.weights "
            "takes them as weights of your own, and rows say so.",
        )
    other = [
        c for c, mark in raking.fingerprint.items() if c in frame.columns and _fingerprint(frame[c]) != mark
    ]
    if len(raking.weights) != frame.height or other:
        raise ExtractError(
            "The raking is of other respondents",
            where=f"columns {', '.join(other)}" if other else None,
            expected="a raking of this extract",
            got=f"{len(raking.weights):,} weights for {frame.height:,} respondents",
            hint="Rake the extract that the weights are used with, rows in the same order.",
        )


def _rounded(number: float) -> float:
    """Round to two digits, so that nobody can reckon back."""
    return float(f"{number:.2g}")


def _fingerprint(column: pl.Series) -> str:
    return sha256(column.cast(pl.String).hash().to_numpy().tobytes()).hexdigest()
