"""Raking: weights that bring respondents to the known margins of staff in post."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.codes import codes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

COLUMNS = ["organisation", "breakdown", "group", "staff"]
#: How often weights are trimmed and raked again at most.
ROUNDS = 50


@dataclass(frozen=True)
class Margin:
    """One margin of one organisation: the category of each of its respondents and the share each should have.

    The last category takes those whose group is not known, at the share they have.
    """

    codes: Whole
    target: Numbers
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Raking:
    """Raked weights and how well they fit.

    Attributes
    ----------
    weights : polars.Series
        One weight per respondent, in the order of the extract, with a mean of 1 in each organisation.
    table : polars.DataFrame
        `organisation, breakdown, group, base, staff, before, after`: share of staff in post (%) and of
        respondents before and after weighting (%). Groups with few respondents show no base and shares.
    organisations : polars.DataFrame
        `organisation, base, effective_base, deff, largest, iterations, converged`.
    """

    weights: pl.Series = field(repr=False)
    table: pl.DataFrame = field(repr=False)
    organisations: pl.DataFrame
    margins: Mapping[str, tuple[Margin, ...]] = field(repr=False)

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
        """Design effect of unequal weights (Kish 1965), n Σw² / (Σw)², over all respondents."""
        w = self.weights.to_numpy()
        return float(len(w) * (w**2).sum() / w.sum() ** 2)

    @property
    def effective_base(self) -> float:
        """How many respondents of equal weight would tell as much: n / deff."""
        return len(self.weights) / self.deff

    def summary(self) -> str:
        """Say in a sentence how the raking went."""
        met = "The margins are met" if self.converged else "The margins are not all met"
        return (
            f"{met} after {self.iterations} iterations; {len(self.weights):,} respondents weigh as much as "
            f"{self.effective_base:,.0f} (design effect {self.deff:.2f}, largest weight "
            f"{self.weights.to_numpy().max():.2f})."
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
        Largest weight as a multiple of the mean. What is cut off is spread evenly over the other respondents
        (Potter 1990) and the margins are raked again, until both hold or no more can be done.
    tolerance : float
        Largest difference of a share from its target at which raking stops.
    iterations : int
        Sweeps over the margins at most.

    Returns
    -------
    Raking
        Give it to `estimate(..., weights=raking)`; standard errors then know that the margins are fixed.

    Raises
    ------
    UnknownNameError
        When a breakdown is not in the catalogue or the extract.
    ExtractError
        When a group that the margins name has respondents but no staff in post, or staff but no respondent.

    Notes
    -----
    Iterative proportional fitting from equal weights. Respondents whose group is not known, or not named in
    the margin, keep their share in it. Weights for non-response help where those who answer differ from those
    who do not by what the margins know; they cannot mend other differences.

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
    table = _margin_table(extract, margins)
    names = table["breakdown"].unique(maintain_order=True).to_list()
    groups = group_columns(extract, names)
    codes = {n: codes_of(extract.frame.select(e.alias("group")).to_series()) for n, e in groups.items()}
    organisation = codes_of(extract.frame["organisation"])
    weights = np.ones(extract.frame.height)
    fitted: dict[str, tuple[Margin, ...]] = {}
    diagnostics, shares = [], []
    for number, name in enumerate(organisation.names):
        own = table.filter(organisation=name)
        rows = np.flatnonzero(organisation.codes == number)
        fitted[name] = tuple(
            _margin(part, codes[b].codes[rows], codes[b].names, name, b)
            for (b,), part in own.group_by("breakdown", maintain_order=True)
        )
        w, swept, met = _rake(fitted[name], len(rows), trim, tolerance, iterations)
        weights[rows] = w
        effective = float(w.sum() ** 2 / (w**2).sum())
        diagnostics.append((name, len(rows), effective, len(rows) / effective, float(w.max()), swept, met))
        for margin, breakdown in zip(fitted[name], own["breakdown"].unique(maintain_order=True), strict=True):
            shares.append(_shares(name, breakdown, margin, w))
    return Raking(
        pl.Series("weight", weights),
        _hide_few(pl.concat(shares), extract.edition.survey.minimum_base),
        pl.DataFrame(
            diagnostics,
            schema=["organisation", "base", "effective_base", "deff", "largest", "iterations", "converged"],
            orient="row",
        ),
        fitted,
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

    The sum stays. This is `trimWeights(strict = TRUE)` of R's survey package.

    Examples
    --------
    >>> trim_weights(np.array([1.0, 1.0, 4.0]), 3.0).tolist()
    [1.5, 1.5, 3.0]
    """
    while (over := weights > top).any() and not over.all():
        cut = np.minimum(weights, top)
        cut[~over] += (weights - cut).sum() / (~over).sum()
        weights = cut
    return weights


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
    return weights / weights.mean(), swept, _met(weights, margins, tolerance)


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
    table = table.with_columns(pl.col("staff").cast(pl.Float64))
    if table.is_empty() or not (table["staff"].is_finite() & (table["staff"] >= 0)).fill_null(False).all():
        raise ExtractError("Margins must be numbers of staff, 0 or more")
    if table.select(COLUMNS[:3]).is_duplicated().any():
        raise ExtractError("The margins name a group twice", where=f"columns {', '.join(COLUMNS[:3])}")
    return table


def _margin(part: pl.DataFrame, codes: Whole, names: pl.Series, organisation: str, breakdown: str) -> Margin:
    staff = dict(part.select("group", "staff").rows())
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    answered = {n: c for n, c in zip(names, counts, strict=True) if c}
    where = f"organisation {organisation}, {breakdown}"
    no_staff = [group for group, number in staff.items() if not number and group in answered]
    if no_staff:
        raise ExtractError(
            "Respondents belong to groups without staff in post", where=where, got=", ".join(no_staff)
        )
    nobody = [group for group, number in staff.items() if number and group not in answered]
    if nobody:
        raise ExtractError(
            "Nobody answered in some groups of staff in post",
            where=where,
            got=", ".join(nobody),
            hint="Check the names of the groups, or leave these out: nothing can speak for them.",
        )
    # Groups that the margin does not name are taken as not known.
    number = {group: i for i, group in enumerate(g for g in staff if g in answered)}
    category = np.array([number.get(name, len(number)) for name in names] + [len(number)], np.int64)
    target = np.array([staff[group] for group in number])
    own = category[codes]
    unknown = float((own == len(number)).mean())
    return Margin(own, np.append(target / target.sum() * (1 - unknown), unknown), tuple(number))


def _shares(organisation: str, breakdown: str, margin: Margin, w: Numbers) -> pl.DataFrame:
    n = len(margin.groups)
    known = margin.codes < n
    base = np.bincount(margin.codes[known], minlength=n)
    after = np.bincount(margin.codes[known], w[known], n)
    shares = {"staff": margin.target[:n], "before": base, "after": after}
    return pl.DataFrame(
        {
            "organisation": [organisation] * n,
            "breakdown": [breakdown] * n,
            "group": margin.groups,
            "base": pl.Series(base, dtype=pl.UInt32),
            **{name: 100 * numbers / numbers.sum() for name, numbers in shares.items()},
        }
    )


def _hide_few(table: pl.DataFrame, minimum_base: int) -> pl.DataFrame:
    """Hide bases and shares of small groups of respondents, and of a second where it would give one away."""
    margin = ["organisation", "breakdown"]
    few = pl.col("base") < minimum_base
    alone = few.sum().over(margin) == 1
    smallest_left = pl.col("base") == pl.when(~few).then("base").min().over(margin)
    hidden = few | (alone & smallest_left)
    return table.with_columns(pl.when(~hidden).then(pl.col(c)).alias(c) for c in ("base", "before", "after"))
