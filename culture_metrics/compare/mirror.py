"""The official figures of an organisation, worked out from its own extract, beside those published."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from warnings import catch_warnings, filterwarnings

import polars as pl

from culture_metrics.compare.mirror_causes import (
    DIFFERS,
    NOT_PUBLISHED,
    NOT_SHOWN,
    SAME,
    UNRELATED,
    causes_of,
)
from culture_metrics.compare.mirror_groups import by_weighting_group, movement_errors
from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError, SmallBaseWarning, kind_of, unknown
from culture_metrics.extracts.extract import Extract, not_read
from culture_metrics.indicators.estimate import estimate
from culture_metrics.indicators.official_mix import NOT_KNOWN, OfficialMix, official_mix, weighting_in
from culture_metrics.indicators.weights import Weights
from culture_metrics.output import Output, verb
from culture_metrics.problems import listed
from culture_metrics.published import Published
from culture_metrics.wording.numbers import several

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import plotly.graph_objects as go

#: Official reports print scores with two decimals and percentages with one.
PRINTED = {"score": 2, "percent": 1}
#: Warnings of what stands in the table and among the rules of a mirror.
SAID = "Weighting groups with few respondents|.* weighted figures .* are hidden"


@dataclass(frozen=True, repr=False, eq=False)
class Mirror(Output):
    """An organisation's figures with official weights, beside those published.

    Attributes
    ----------
    table : polars.DataFrame
        One row per measure in the order of the catalogue: `survey, period, organisation, breakdown, group,
        measure, code, label, level, unit, estimate` (from the extract, printed as official reports do),
        `published, difference, expected_error` (what the difference may be, with 95 %), `verdict` (`same`,
        `differs`, `not_published`, `not_shown`), `base, base_published, weighting, status`.
    causes : tuple of str
        What speaks for a reason where figures differ by more than is expected.
    mix : OfficialMix
        What is weighted to.
    shared : bool
        Whether weighting groups of few people share a weight.
    names : mapping
        What organisations are called, by code.
    """

    table: pl.DataFrame
    organisation: str
    period: str
    mix: OfficialMix = field(repr=False)
    shared: bool = False
    causes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """What the organisation is called, as far as it is known."""
        return self.names.get(self.organisation, self.organisation)

    @property
    def unrelated(self) -> str:
        """What speaks for a file of other people than the published figures are of; else empty."""
        return next((cause for cause in self.causes if cause.startswith(UNRELATED)), "")

    @property
    def compared(self) -> pl.DataFrame:
        """The measures that are published as well."""
        return self.table.filter(pl.col("verdict").is_in([SAME, DIFFERS]))

    def summary(self) -> str:
        """Say how many figures are those published, and what speaks for a reason where they are not."""
        causes = self.causes if self.compared.height else ()
        return " ".join([self.first, *causes, *self.rules()])

    @property
    def first(self) -> str:
        """How many figures are those published; where none are out, how far off they may be."""
        n = self.compared.height
        if not n:
            return self._expected()
        same = self.compared.filter(verdict=SAME).height
        return (
            f"Of {several(n, 'figure')} of {self.name} in {self.period}, {same:,} "
            f"{'is' if same == 1 else 'are'} as published, within what is expected."
        )

    def _expected(self) -> str:
        shown = self.table.filter(verdict=NOT_PUBLISHED)
        largest = shown.group_by("unit").agg(pl.col("expected_error").max()).sort("unit", descending=True)
        said = " and ".join(
            f"{error:.2f} of a score" if unit == "score" else f"{error:.1f} percentage points"
            for unit, error in largest.drop_nulls().iter_rows()
        )
        off = f" They are expected to be off by no more than {said}." if said else ""
        return (
            f"The official figures of {self.name} for {self.period} are not out, or not in a "
            "workbook: "
            f"{several(shown.height, 'figure')} from the extract, with the occupation mix of "
            f"{self.mix.period}.{off}"
        )

    def rules(self) -> tuple[str, ...]:
        """Say what the weights and the expected error rest on."""
        group = self.mix.benchmark_groups.get(self.organisation)
        if group is None:
            return ()
        rules = weighting_in(self.mix.edition)
        said = [f"Not known: {one}" for one in rules.open_about(group, self.period)]
        if self.shared:
            said.append(
                "Weighting groups of few people share a weight with the next smallest, which is in the "
                "expected error."
            )
        if self.mix.period != self.period:
            how = self.mix.movements[group].how
            told = (
                "how far it moves in a year is not known"
                if how == NOT_KNOWN
                else f"how far it moves in a year is worked out {how}"
            )
            said.insert(0, f"The mix is that of {self.mix.period}; {told}.")
        return tuple(said)

    def figure(self) -> go.Figure:
        """Draw the scores of the extract beside those published; alone where none are."""
        from culture_metrics.views.beside_published import beside_published

        return beside_published(self.table, title=f"{self.name}, {self.period}: own and published scores")

    def __repr__(self) -> str:
        n = self.compared.height
        said = f"{self.table.height} measures, {n} compared"
        return f"Mirror({self.organisation}, {self.period}: {said}. See .table and .summary())"


@verb
def mirror(
    extract: Extract,
    published: Published | Iterable[Published],
    *,
    organisation: str | None = None,
    minimum_base: int | None = None,
) -> Mirror:
    """Work out the official scores of an organisation from its own extract, beside those published.

    Parameters
    ----------
    extract : Extract
        The clean extract of a year (`validate(...).extract`).
    published : Published or list of Published
        Workbooks of organisation results. Of the year of the extract: its figures stand beside those worked
        out, and its occupation mix is used. Of the year before: its mix is used, and how far it may have
        moved since is in the expected error; with two of them that is known from their difference.
    organisation : str, optional
        ODS code; needed where the extract has several.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own when left out.

    Returns
    -------
    Mirror
        `.table`, a row per measure; `.summary()`; `.causes`.

    Raises
    ------
    ExtractError
        When no workbook has occupations, or the organisation in a benchmark group.
    UnknownNameError
        When the extract has no such organisation.

    Notes
    -----
    Weights are those of `Weights("official")`: weighting groups of few people share one, so that no weight of
    theirs can be told apart. Numbers are rounded as official reports print them, and are one release with all
    that was shown of the extract before.

    The expected error is half a unit of the last printed decimal on either side; where groups share a weight,
    what that moves if their means lie 30 % of the scale apart, and more by chance where few; and where the
    mix is another year's, 97.5 % quantiles of the movement of the mix (`official_mix`) times how much the
    figure hangs on it: for a mean m = Σ w A / Σ w B of sums A over B answers, dm/dp = (A - m B) / (s Σ w B)
    by group, with share s here and p in the mix. A group at the cap does not move.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> study = cm.study([])
    >>> beside = mirror(study.extracts[-1], study.workbook, organisation=study.organisation)
    >>> beside.table.height > 100
    True
    """
    if not isinstance(extract, Extract):
        raise not_read(extract, "mirror")
    books = [published] if isinstance(published, Published) else [*published]
    for book in books:
        if not isinstance(book, Published):
            raise ExtractError(
                "mirror sets an extract beside published results",
                expected="what read_published returned, or a list of them",
                got=kind_of(book),
            )
    code, own = _own(extract, organisation)
    mix = _mix(books, extract.period)
    least = max(minimum_base or 0, extract.edition.survey.minimum_base)
    weights = Weights("official", mix=mix, pool_below=least)
    with catch_warnings():
        filterwarnings("ignore", SAID, SmallBaseWarning)
        found = estimate(own, weights=weights, minimum_base=minimum_base).table
        sums = by_weighting_group(own, weights, mix)
    results = found.filter(breakdown=ALL, organisation=code)
    rows = _beside(
        results, _published(books, code, extract.period), movement_errors(sums, mix, extract.period)
    )
    table = _laid_out(rows, extract)
    return Mirror(
        table=table,
        organisation=code,
        period=extract.period,
        mix=mix,
        shared=sums.shared > 0,
        causes=causes_of(table, sums, extract.edition),
    )


def _own(extract: Extract, organisation: str | None) -> tuple[str, Extract]:
    """Return the organisation, and its respondents."""
    codes = extract.frame["organisation"].cast(pl.String).unique().sort().to_list()
    if organisation is None and len(codes) > 1:
        raise ExtractError(
            "The extract has several organisations",
            expected=f"organisation= one of {listed(codes)}",
        )
    organisation = organisation or codes[0]
    if organisation not in codes:
        raise unknown("organisation in this extract", organisation, codes)
    if len(codes) == 1:
        return organisation, extract
    return organisation, replace(extract, frame=extract.frame.filter(organisation=organisation))


def _mix(books: list[Published], period: str) -> OfficialMix:
    """Make the mix of the newest workbook up to the year that has occupations, with the one before it."""
    question = {book.edition.survey.weighting.question for book in books if book.edition.survey.weighting}
    able = [
        book
        for book in books
        if book.period <= period and book.distributions.table["question"].is_in([*question]).any()
    ]
    if not able:
        raise ExtractError(
            "No workbook has the occupations that official weights are made of",
            expected=f"the detailed spreadsheet of organisation results of {period} or a year before",
        )
    return official_mix(sorted(able, key=lambda book: book.period)[-2:])


def _published(books: list[Published], organisation: str, period: str) -> pl.DataFrame:
    """Return the published figures of the year: of the workbook of that year, else of a later release."""
    of_year = pl.col("period") == period
    wanted = of_year & (pl.col("organisation") == organisation) & (pl.col("breakdown") == ALL)
    first = sorted(books, key=lambda book: (book.period != period, book.period))
    found = [book.table.filter(wanted) for book in first]
    return next((table for table in found if table.height), first[0].table.clear()).select(
        "measure", published="estimate", base_published="base", weighting_published="weighting"
    )


def _beside(results: pl.DataFrame, published: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """Set figures beside each other, printed alike, with what their difference may be."""
    unit = pl.col("unit").cast(pl.String)
    decimals = unit.replace_strict(PRINTED, return_dtype=pl.Int64)
    step = 10.0**-decimals

    def printed(column: str) -> pl.Expr:
        return (pl.col(column) / step).round() * step

    both = results.join(published, on="measure", how="left").join(errors, on="measure", how="left")
    never = pl.col("weighting").cast(pl.String) == "none"
    shared = unit.replace_strict({"score": 10.0, "percent": 100.0}) * pl.col("shared")
    moved = pl.when(never).then(0.0).otherwise(pl.col("movement") + shared)
    shown = pl.col("status").cast(pl.String) == "reported"
    return (
        both.with_columns(printed("estimate"), published=printed("published"), expected=moved + step)
        .with_columns(
            difference=((pl.col("estimate") - pl.col("published")) / step).round() * step,
            expected_error=(pl.col("expected") / step - 1e-9).ceil() * step,
        )
        .with_columns(
            verdict=pl.when(~shown)
            .then(pl.lit(NOT_SHOWN))
            .when(pl.col("published").is_null())
            .then(pl.lit(NOT_PUBLISHED))
            .when(pl.col("difference").abs() <= pl.col("expected_error") + step / 1000)
            .then(pl.lit(SAME))
            .otherwise(pl.lit(DIFFERS))
        )
    )


def _laid_out(rows: pl.DataFrame, extract: Extract) -> pl.DataFrame:
    """Put rows in the order of the catalogue, with codes and labels."""
    about = pl.DataFrame(
        [
            (m.id, m.code, m.label, m.level, place)
            for place, m in enumerate(extract.edition.measures.values())
        ],
        schema=["measure", "code", "label", "level", "_place"],
        orient="row",
    )
    return (
        rows.filter(pl.col("status").cast(pl.String) != "not_asked")
        .join(about, on="measure")
        .sort("_place")
        .select(
            *("survey", "period", "organisation", "breakdown", "group", "measure", "code", "label", "level"),
            *("unit", "estimate", "published", "difference", "expected_error", "verdict", "base"),
            *("base_published", "weighting", "status"),
        )
    )
