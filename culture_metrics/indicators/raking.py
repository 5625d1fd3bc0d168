"""Raking: weights that bring respondents to the known margins of staff in post."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.codes import codes_of
from culture_metrics.indicators.pooling import answered, bases_of, least_base, to_pool, warn_of_pools

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.codes import Codes

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

COLUMNS = ["organisation", "breakdown", "group", "staff"]
#: Columns that tell respondents apart, whatever the margins are.
KEYS = ("organisation", "respondent")
#: How often weights are trimmed and raked again at most.
ROUNDS = 50


@dataclass(frozen=True)
class Margin:
    """One margin of one organisation: the category of each of its respondents and the share each should have.

    A category is a group, or several that share a weight. The last takes those whose group is not known, at
    the share they have.
    """

    codes: Whole
    target: Numbers


@dataclass(frozen=True)
class _Staff:
    """Staff in post by group of a breakdown, and the group of each respondent (the last: not known)."""

    where: tuple[str, str]
    groups: tuple[str, ...]
    staff: Numbers
    codes: Whole
    rows: Whole

    @property
    def counts(self) -> Whole:
        """Respondents of each group; last those whose group is not known."""
        return np.bincount(self.codes, minlength=len(self.groups) + 1)


@dataclass(frozen=True)
class Raking:
    """Raked weights and how well they fit.

    Attributes
    ----------
    weights : polars.Series
        One weight per respondent, in the order of the extract, with a mean of 1 in each organisation.
    table : polars.DataFrame
        `organisation, breakdown, group, base, staff, before, after`: share of staff in post (%) and of
        respondents before and after weighting (%): of those whose group is known, or of all where it is not
        known of few. Groups with few respondents show no base and shares, nor do those that would give them
        away.
    organisations : polars.DataFrame
        `organisation, base, effective_base, deff, largest, iterations, converged`. Where a group of the
        organisation is hidden, `effective_base`, `deff` and `largest` are rounded to two digits.
    """

    weights: pl.Series = field(repr=False)
    table: pl.DataFrame = field(repr=False)
    organisations: pl.DataFrame
    margins: Mapping[str, tuple[Margin, ...]] = field(repr=False)
    fingerprint: Mapping[str, str] = field(repr=False)

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

    def _told(self, number: float) -> float:
        return _rounded(number) if self.table["base"].null_count() else float(number)

    def summary(self) -> str:
        """Say in a sentence how the raking went."""
        met = "The margins are met" if self.converged else "The margins are not all met"
        return (
            f"{met} after {self.iterations} iterations; {len(self.weights):,} respondents weigh as much as "
            f"{self.effective_base:,.0f} (design effect {self.deff:.2f}, largest weight "
            f"{self._told(self.weights.to_numpy().max()):.2f})."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>{self.organisations._repr_html_()}"


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
        1 pools nothing.

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
        when `trim` is not above 1.

    Warns
    -----
    SmallBaseWarning
        When groups share a weight: it names them.

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
    table = _margin_table(extract, margins)
    least = least_base(pool_below, extract.edition.survey.minimum_base)
    names = table["breakdown"].unique(maintain_order=True).to_list()
    groups = group_columns(extract, names)
    codes = {n: codes_of(extract.frame.select(e.alias("group")).to_series()) for n, e in groups.items()}
    organisation = codes_of(extract.frame["organisation"])
    rows = [np.flatnonzero(organisation.codes == number) for number in range(len(organisation.names))]
    staff = [
        _staff(part, codes[b], own, (name, b))
        for name, own in zip(organisation.names, rows, strict=True)
        for (b,), part in table.filter(organisation=name).group_by("breakdown", maintain_order=True)
    ]
    pooled = _pools(staff, answered(extract), least)
    hidden = _pools(staff, np.ones((extract.frame.height, 1), bool), extract.edition.survey.minimum_base)
    weights = np.ones(extract.frame.height)
    fitted: dict[str, tuple[Margin, ...]] = {}
    diagnostics, shares = [], []
    for name, own in zip(organisation.names, rows, strict=True):
        here = [number for number, s in enumerate(staff) if s.where[0] == name]
        fitted[name] = tuple(_margin(staff[i], pooled[i]) for i in here)
        w, swept, met = _rake(fitted[name], len(own), trim, tolerance, iterations)
        weights[own] = w
        effective, largest = float(w.sum() ** 2 / (w**2).sum()), float(w.max())
        if any(hidden[i].any() for i in here):
            effective, largest = _rounded(effective), _rounded(largest)
        diagnostics.append((name, len(own), effective, len(own) / effective, largest, swept, met))
        shares += [_shares(staff[i], hidden[i], w) for i in here]
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
    read = dict.fromkeys(c for e in groups.values() for c in e.meta.root_names())
    return Raking(
        pl.Series("weight", weights),
        pl.concat(shares),
        pl.DataFrame(
            diagnostics,
            schema=["organisation", "base", "effective_base", "deff", "largest", "iterations", "converged"],
            orient="row",
        ),
        fitted,
        {c: _fingerprint(extract.frame[c]) for c in (*KEYS, *read) if c in extract.frame.columns},
    )


def check_raking(raking: Raking, frame: pl.DataFrame) -> None:
    """See to it that a raking is of these respondents.

    Raises
    ------
    ExtractError
        When there are more or fewer of them, or a column that the raking has read says something else.
    """
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


def sweep(weights: Numbers, margins: Sequence[Margin]) -> Numbers:
    """Bring weights (respondents, or respondents × replicates) to each margin in turn."""
    for margin in margins:
        sums = _category_sums(weights, margin)
        wanted = margin.target.reshape(-1, *[1] * (weights.ndim - 1)) * weights.sum(axis=0)
        ratio = np.divide(wanted, sums, out=np.ones_like(sums), where=sums > 0)
        weights = weights * ratio[margin.codes]
    return weights


def trim_weights(weights: Numbers, top: float) -> Numbers:
    """Cut weights at `top` and spread what is cut off evenly over the others, until none is above.

    The sum stays; `top` must be above the mean. This is `trimWeights(strict = TRUE)` of R's survey package,
    whose rounds come to it in the end: those below the top get the same amount each.

    Examples
    --------
    >>> trim_weights(np.array([1.0, 1.0, 4.0]), 3.0).tolist()
    [1.5, 1.5, 3.0]
    """
    if not weights.max() > top:
        return weights
    order = np.sort(weights)[::-1]
    largest = np.arange(len(order))
    # What each other one gets when so many of the largest are cut: the fewest that leave none above the top.
    more = (np.append(0.0, np.cumsum(order)[:-1]) - largest * top) / (len(order) - largest)
    return np.asarray(np.minimum(weights + more[np.argmax(order + more <= top * (1 + 1e-12))], top))


def _rake(
    margins: Sequence[Margin], n: int, trim: float | None, tolerance: float, iterations: int
) -> tuple[Numbers, int, bool]:
    weights, swept = np.ones(n), 0
    for _ in range(ROUNDS):
        while swept < iterations and not _met(weights, margins, tolerance):
            weights, swept = sweep(weights, margins), swept + 1
        if trim is None or weights.max() <= trim * weights.mean() * (1 + 1e-12):
            break
        weights = trim_weights(weights, trim * weights.mean())
    weights = weights / weights.mean()
    within = trim is None or weights.max() <= trim * (1 + 1e-9)
    return weights, swept, bool(_met(weights, margins, tolerance) and within)


def _met(weights: Numbers, margins: Sequence[Margin], tolerance: float) -> bool:
    total = weights.sum()
    return all(
        np.abs(_category_sums(weights, margin) / total - margin.target).max() <= tolerance
        for margin in margins
    )


def _category_sums(weights: Numbers, margin: Margin) -> Numbers:
    if weights.ndim == 1:
        return np.asarray(np.bincount(margin.codes, weights, len(margin.target)), np.float64)
    order = np.argsort(margin.codes, kind="stable")
    starts = np.searchsorted(margin.codes[order], np.arange(len(margin.target)))
    sums = np.add.reduceat(weights[order], np.minimum(starts, len(order) - 1), axis=0)
    sums[np.diff(np.append(starts, len(order))) == 0] = 0.0
    return np.asarray(sums)


def _margin_table(
    extract: Extract, margins: Mapping[str, Mapping[str, float]] | pl.DataFrame
) -> pl.DataFrame:
    """Return the margins as a table, a row for each organisation and group."""
    organisations = extract.frame["organisation"].unique().sort().to_list()
    if isinstance(margins, pl.DataFrame):
        missing = [c for c in COLUMNS if c not in margins.columns]
        if missing:
            raise ExtractError(
                "The table of margins lacks columns", got=", ".join(missing), expected=", ".join(COLUMNS)
            )
        without = sorted(set(organisations) - set(margins["organisation"]))
        if without:
            raise ExtractError("Some organisations have no margins", got=f"none for {', '.join(without[:5])}")
        table = margins.select(COLUMNS).filter(pl.col("organisation").is_in(organisations))
    else:
        if len(organisations) != 1:
            raise ExtractError(
                f"The extract holds {len(organisations)} organisations",
                expected="a table of margins with organisation, breakdown, group, staff",
            )
        rows = [
            (organisations[0], b, g, float(s)) for b, groups in margins.items() for g, s in groups.items()
        ]
        table = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    if not table.schema["staff"].is_numeric():
        raise ExtractError(
            "Staff in post must be numbers", where="column staff", got=str(table.schema["staff"])
        )
    table = table.with_columns(pl.col("staff").cast(pl.Float64))
    if table.is_empty() or not (table["staff"].is_finite() & (table["staff"] >= 0)).fill_null(False).all():
        raise ExtractError("Margins must be numbers of staff, 0 or more")
    if table.select(COLUMNS[:3]).is_duplicated().any():
        raise ExtractError("The margins name a group twice", where=f"columns {', '.join(COLUMNS[:3])}")
    return table


def _staff(part: pl.DataFrame, group: Codes, rows: Whole, where: tuple[str, str]) -> _Staff:
    codes, names = group.codes[rows], group.names
    staff = dict(part.select("group", "staff").rows())
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    answered = {n: c for n, c in zip(names, counts, strict=True) if c}
    place = f"organisation {where[0]}, {where[1]}"
    no_staff = [group for group, number in staff.items() if not number and group in answered]
    if no_staff:
        raise ExtractError(
            "Respondents belong to groups without staff in post", where=place, got=", ".join(no_staff)
        )
    nobody = [group for group, number in staff.items() if number and group not in answered]
    if nobody:
        raise ExtractError(
            "Nobody answered in some groups of staff in post",
            where=place,
            got=", ".join(nobody),
            hint="Check the names of the groups, or leave these out: nothing can speak for them.",
        )
    # Groups that the margin does not name are taken as not known.
    number = {group: i for i, group in enumerate(g for g in staff if g in answered)}
    of_name = np.array([number.get(name, len(number)) for name in names] + [len(number)], np.int64)
    return _Staff(where, tuple(number), np.array([staff[group] for group in number]), of_name[codes], rows)


def _pools(staff: Sequence[_Staff], there: Flags, least: int) -> list[Flags]:
    """Say for each breakdown which groups would be hidden in one measure; the last are not known."""
    width = max(len(s.groups) for s in staff)
    bases = np.zeros((len(staff), width + 1, there.shape[1]))
    for row, s in enumerate(staff):
        own = bases_of(s.codes, len(s.groups) + 1, there[s.rows])
        bases[row, : len(s.groups)], bases[row, -1] = own[:-1], own[-1]
    pooled = to_pool(bases, least)
    return [np.append(p[: len(s.groups)], p[-1]) for s, p in zip(staff, pooled, strict=True)]


def _margin(staff: _Staff, pooled: Flags) -> Margin:
    """Make one category of the groups that share a weight; those not known keep their share, unless few."""
    n = len(staff.groups)
    unknown = 0.0 if pooled[-1] else staff.counts[-1] / len(staff.codes)
    category = np.where(pooled, 0, np.cumsum(~pooled) - 1 + bool(pooled.any()))
    wanted = staff.staff / staff.staff.sum() * (1 - unknown)
    target = np.asarray(np.bincount(category[:n], wanted, category.max() + 1), np.float64)
    if not pooled[-1]:
        target[-1] = unknown
    return Margin(category[staff.codes], target)


def _shares(staff: _Staff, hidden: Flags, w: Numbers) -> pl.DataFrame:
    n = len(staff.groups)
    base = staff.counts
    after = np.bincount(staff.codes, w, n + 1)
    # Were few not counted here, the shares would tell how many.
    whole = slice(n + 1) if hidden[-1] else slice(n)
    shares = {"before": 100 * base / base[whole].sum(), "after": 100 * after / after[whole].sum()}
    return pl.DataFrame(
        {
            "organisation": [staff.where[0]] * n,
            "breakdown": [staff.where[1]] * n,
            "group": staff.groups,
            "base": pl.Series(base[:n], dtype=pl.UInt32),
            "staff": 100 * staff.staff / staff.staff.sum(),
            **{name: numbers[:n] for name, numbers in shares.items()},
        }
    ).with_columns(
        pl.when(pl.Series(~hidden[:n])).then(pl.col(c)).alias(c) for c in ("base", "before", "after")
    )


def _rounded(number: float) -> float:
    """Round to two digits, so that nobody can reckon back."""
    return float(f"{number:.2g}")


def _fingerprint(column: pl.Series) -> str:
    return sha256(column.cast(pl.String).hash().to_numpy().tobytes()).hexdigest()
