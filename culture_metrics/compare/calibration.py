"""What verdicts are worth for one organisation: pairs of years without a change, and with a planted one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.compare.assumptions import Assumptions
from culture_metrics.compare.difference import add_detectable, add_differences
from culture_metrics.compare.families import adjust_p
from culture_metrics.compare.pairs import gather
from culture_metrics.compare.planted import Planted, planted
from culture_metrics.compare.prepare import link, paired, prepare, sided
from culture_metrics.compare.redrawn import People
from culture_metrics.compare.verdict import with_verdict
from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.extract import Extract, not_read
from culture_metrics.indicators.intervals import wilson
from culture_metrics.indicators.seeds import secret_seed
from culture_metrics.output import Output, verb
from culture_metrics.results.precision import NORMAL
from culture_metrics.threads import watched
from culture_metrics.wording.columns import signed as signed_column
from culture_metrics.wording.numbers import several, signed
from culture_metrics.wording.table import Table
from culture_metrics.wording.verdicts import DECLINED, IMPROVED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import plotly.graph_objects as go

    from culture_metrics.compare.redrawn import Year
    from culture_metrics.indicators.design import Design
    from culture_metrics.indicators.weights import AnyWeights
    from culture_metrics.results.correlations import Correlations

#: Respondents that are drawn at a time, figures that are compared, and pairs of years at most.
HELD, FIGURES, MOST = 200_000, 100_000, 250
#: Fewest pairs that say anything: of 100 with one in twenty the interval is 2 to 11 %.
FEWEST = 40
#: Pairs of years are the same organisation again and again: each is an organisation of its own.
FAMILY = ("organisation", "breakdown")
CALLED = [IMPROVED, DECLINED]
POINTS = {"percent": " points", "score": ""}
SCENARIOS = ("no change", "planted")
#: What is listed of a share, and its heading.
SHOWN = {"estimate": "Share", "conf_low": "From", "conf_high": "To"}
#: Pairs of years where nothing else is asked for.
PAIRS = 400


class Question(NamedTuple):
    """What is counted, of what, and between which shares (%) it should lie."""

    counted: str
    of: str
    limits: tuple[float, float]


QUESTIONS = {
    "called": Question("improved or declined", "family", (0.0, 6.0)),
    "likely": Question("likely or more", "test", (4.0, 6.0)),
    "held": Question("interval holds the change", "test", (93.0, 97.0)),
    "found": Question("improved or declined, as planted", "test", (75.0, 85.0)),
}
KEYS = ["scenario", "breakdown", "measure", "label", "unit", "planted"]
COUNTED = dict.fromkeys(KEYS[:-1], pl.String) | dict.fromkeys(["planted", *QUESTIONS], pl.Float64)
TABLE = {
    **dict.fromkeys(KEYS[:-1], pl.String), "planted": pl.Float64, "counted": pl.String, "of": pl.String,
    "draws": pl.Int64, "tests": pl.Int64,
    **dict.fromkeys(["estimate", "conf_low", "conf_high", "limit_low", "limit_high"], pl.Float64),
    "within_limits": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class Calibration(Output):
    """How often verdicts are wrong where nothing changed, and right where something did.

    Attributes
    ----------
    table : polars.DataFrame
        See `calibrate`.
    draws : int
        Pairs of years.
    organisation : str
        Its ODS code.
    notes : tuple of str
        How the years were made.
    """

    table: pl.DataFrame
    draws: int
    organisation: str
    notes: tuple[str, ...]

    def figure(self) -> go.Figure:
        """Draw each share with its interval beside the shares it should lie between."""
        from culture_metrics import views

        drawn = self.table.select(
            label=pl.format("{}: {}", "label", "counted"),
            panel=pl.concat_str(pl.lit("Scenario: "), "scenario"),
            estimate="estimate",
            conf_low="conf_low",
            conf_high="conf_high",
            strong=~pl.col("within_limits"),
            detail=pl.format("should be {} to {}%", "limit_low", "limit_high"),
        )
        return views.estimates(
            drawn,
            axis="Share (%)",
            decimals=1,
            title=self._headline(),
            subtitle=f"{self.organisation}: {several(self.draws, 'pair')} of years drawn from its people",
            notes="Picked out: beyond its limits, by more than the simulation's own chance.",
        )

    def shares(self) -> Table:
        """List each share with what the draws leave open of it, and where it should lie."""
        size = pl.format(", {} planted", signed_column("planted"))
        frame = self.table.select(
            pl.concat_str("label", size.fill_null("")).alias("Where"),
            pl.format("{}, of each {}", pl.col("counted"), pl.col("of")).alias("Counted"),
            *(pl.col(c).round(1).cast(pl.String).alias(name) for c, name in SHOWN.items()),
            pl.format("{} to {}", *(pl.col(f"limit_{e}").cast(pl.Int64) for e in ("low", "high"))).alias(
                "Should be"
            ),
            pl.when("within_limits").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("Kept"),
        )
        return Table(
            frame,
            f"{self.organisation}, shares in % of {several(self.draws, 'pair')} of years",
            numbers=(*SHOWN.values(), "Should be"),
        )

    def summary(self) -> str:
        """Say in plain sentences how far verdicts can be trusted here."""
        said = [f"{self._headline()}."]
        wanted = self.table.filter(pl.col("counted") == QUESTIONS["found"].counted)
        said += [
            f"{row['label']}: a change of {signed(row['planted'], row['unit'])}{POINTS[row['unit']]} is "
            f"called in {row['estimate']:.0f}% of pairs ({row['conf_low']:.0f} to {row['conf_high']:.0f}%)."
            for row in wanted.to_dicts()
        ]
        off = self.table.filter(~pl.col("within_limits"))
        said += [
            f"Beyond its limits: {row['label']}, {row['counted']}, {row['estimate']:.1f}% for "
            f"{row['limit_low']:g} to {row['limit_high']:g}%."
            for row in off.to_dicts()
        ]
        return " ".join(said)

    def rules(self) -> tuple[str, ...]:
        """Say how the years were made."""
        return self.notes

    def _headline(self) -> str:
        rows = self.table.filter(pl.col("counted") == QUESTIONS["called"].counted)
        told = [
            f"{row['estimate']:.1f}% ({row['label'].lower()}; {row['conf_low']:.1f} to "
            f"{row['conf_high']:.1f}%)"
            for row in rows.to_dicts()
        ]
        return (
            f"Where nothing changed, something is called improved or declined in {', '.join(told)} of pairs"
        )

    def __repr__(self) -> str:
        return f"Calibration({self._headline()}. See .table and .summary())"


@verb
def calibrate(  # noqa: PLR0913
    extract: Extract,
    by: Sequence[str | Sequence[str]] = (),
    *,
    organisation: str | None = None,
    weights: AnyWeights = None,
    design: Design | None = None,
    answered_twice: float = 0.0,
    minimum_base: int | None = None,
    adjust: str = "bh",
    draws: int = PAIRS,
    seed: int = 0,
    progress: bool | None = None,
) -> Calibration:
    """Count how often `compare_years` is wrong, and finds what is there, in years drawn from an extract.

    Parameters
    ----------
    extract : Extract
        A clean extract of the organisation.
    by, weights, design, minimum_base
        As `estimate` is given them.
    organisation : str, optional
        ODS code; needed where the extract holds several.
    answered_twice : float
        Share of the people of the first year that answer in the second year as well, and the same; the years
        are then linked (`compare_years(linked=)`). For figures without weights and without a design.
    adjust : {"bh", "holm"}
        As `compare_years` is given it.
    draws : int
        Pairs of years, at least 40. The share of false alarms of 400 is known to about 2 points, of 2,000 to
        one.
    seed : int
        The same extract and seed give the same pairs.
    progress : bool, optional
        Show a progress bar; left out, where someone is watching.

    Returns
    -------
    Calibration
        `.table`: `scenario` (`no change`; `planted`: one figure moved by the change that is printed as
        detectable), `breakdown`, `measure`, `unit` and `planted` (what moved, and by how much; null where
        nothing did), `label`, `counted` (which verdict, or that the interval holds the true change), `of`
        (`family`: all that is compared of one breakdown in one pair; or `test`), `draws`, `tests`, `estimate`
        (the share, %), `conf_low`, `conf_high` (what the draws leave open, 95 %), `limit_low`, `limit_high`
        (where it should lie), `within_limits` (whether the interval reaches into them).

    Raises
    ------
    ExtractError
        When there are several organisations and none is named, `answered_twice` goes with weights or a
        design, or draws are too few.
    UnknownNameError
        When there is no such organisation, breakdown, weighting or adjustment.

    Notes
    -----
    Each year is as many respondents (clusters, where the design has them), drawn with replacement from those
    of the extract with their answers, groups and weights: both years of a pair come from the same people, so
    that nothing has changed. With a finite population they are drawn out of one in which everyone of the
    extract stands as often as it takes. Raked weights are raked anew in each year; others go with their
    people. Estimates, tests, adjustment and verdicts are those of `estimate` and `compare_years`; groups
    that are held back are held back in every year drawn. How measures go together is taken from the people.

    A planted change moves one figure of the second year by the mean of the `detectable_change` printed in
    pairs without a change: every score by that much, or so many answers of a percentage. Of the whole
    organisation it is the first leading score, the first other score and the first percentage that can be
    compared; of each breakdown the first leading score of the group of middle size.

    Nothing about people leaves it: shares of verdicts only.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> found = calibrate(synthetic.respondents(2024, respondents_per_organisation=150), draws=40)
    >>> found.table["counted"].unique().sort().to_list()[0]
    'improved or declined'
    """
    if not isinstance(extract, Extract):
        raise not_read(extract, "calibrate")
    if draws < FEWEST:
        raise ExtractError(
            "Too few pairs of years to say anything", expected=f"{FEWEST} or more", got=f"{draws}"
        )
    if not 0 <= answered_twice <= 1:
        raise ExtractError("answered_twice= is a share", expected="0 to 1", got=f"{answered_twice:g}")
    if answered_twice and not (weights is None and design is None):
        raise ExtractError(
            "People who answered twice are allowed for in figures without weights and design alone",
            expected="no weights= and no design=",
        )
    people = People.of(extract, organisation, by, weights, design, minimum_base)
    bench = _Bench(people, answered_twice, adjust, secret_seed(people.extract.frame, seed))
    counted = [*bench.run(draws, progress)]
    table = _table(pl.concat(counted, how="diagonal"), people)
    if table.is_empty():
        raise ExtractError(
            "There is nothing to compare", where="calibrate", hint="Too few answered, or nothing compares."
        )
    return Calibration(
        table=table,
        draws=draws,
        organisation=str(people.extract.frame["organisation"][0]),
        notes=_notes(people, answered_twice),
    )


@dataclass(frozen=True)
class _Bench:
    people: People
    again: float
    adjust: str
    seed: list[int]

    @property
    def periods(self) -> tuple[str, str]:
        """The period of the extract and the one before it, or after it where it is the first."""
        survey, own = self.people.extract.edition.survey, self.people.extract.period
        known = list(survey.periods)
        place = max(known.index(own), 1) if own in known and len(known) > 1 else 0
        return (known[place - 1], known[place]) if place else (own, f"{own} again")

    def run(self, draws: int, progress: bool | None) -> Iterator[pl.DataFrame]:
        """Count verdicts, some pairs of years at a time."""
        parts = self._parts(draws)
        printed = [add_detectable(self._null(part)[-1]) for part in self._parts(FEWEST)]
        moved = planted(self.people, pl.concat(printed))
        for part in watched(parts, "Drawing years", progress):
            names, later, tables, tested = self._null(part)
            yield _counted(with_verdict(tested))
            for change in moved:
                second = self.people.results(later, names, self.periods[1], change.answers)
                yield self._found(change, tables, second, tested)

    def _parts(self, draws: int) -> list[range]:
        """Cut the pairs into as many at a time as memory holds."""
        groups, people = self.people.groups, self.people.extract.frame.height
        cells = 1 + sum(math.prod(len(groups[n].names) for n in names) for names in self.people.by.values())
        step = max(1, min(HELD // people, FIGURES // (cells * len(self.people.answers.names)), MOST))
        return [range(low, min(low + step, draws)) for low in range(0, draws, step)]

    def _null(self, part: range) -> tuple[list[str], list[Year], list[pl.DataFrame], pl.DataFrame]:
        """Draw pairs, estimate and test them: their names, the second years, the results, the tests."""
        names, *years = self._years(part)
        tables = [
            self.people.results(own, names, period) for own, period in zip(years, self.periods, strict=True)
        ]
        ready = self._linked(self._ready(*tables), names, years)
        return names, years[1], tables, self._adjusted(add_differences(ready))

    def _adjusted(self, tested: pl.DataFrame) -> pl.DataFrame:
        """Adjust the tests of each pair; its measures go together as those of the people do."""
        known = self._correlations
        return adjust_p(tested, self.adjust, FAMILY, lambda _, measures: known.among(ALL, measures))

    @cached_property
    def _correlations(self) -> Correlations:
        return self.people.correlations()

    def _years(self, numbers: range) -> tuple[list[str], list[Year], list[Year]]:
        names, first, second = [], [], []
        for number in numbers:
            random = np.random.default_rng([*self.seed, number])
            names.append(f"pair {number:06d}")
            first.append(self.people.draw(random))
            second.append(self.people.draw(random, first[-1], self.again))
        return names, first, second

    def _ready(self, *tables: pl.DataFrame) -> pl.DataFrame:
        """Set the years of each pair side by side, as `compare_years` does."""
        survey = self.people.extract.edition.survey
        marked = sided(paired(gather(tables, None), survey, self.periods, None, None))
        return prepare(marked, survey, Assumptions(), survey.material, allow_breaks=False)

    def _linked(self, ready: pl.DataFrame, names: list[str], years: list[list[Year]]) -> pl.DataFrame:
        if not self.again:
            return ready
        both = [
            self.people.extract_of(own, names, period)
            for own, period in zip(years, self.periods, strict=True)
        ]
        return link(ready, both, self.people.extract.edition.survey.minimum_base)[0]

    def _found(
        self, change: Planted, tables: list[pl.DataFrame], later: pl.DataFrame, tested: pl.DataFrame
    ) -> pl.DataFrame:
        """Put a planted change in its place among the others, and see what is said of it."""
        # The other figures of the group and of the whole say how exact this one is, and its margin.
        near = (pl.col("breakdown") == ALL) | (
            (pl.col("breakdown") == change.breakdown) & (pl.col("group") == change.group)
        )
        second = pl.concat([tables[1].filter(near & ~change.rows()), later.filter(change.rows())])
        own = self._ready(tables[0].filter(near), second).filter(change.rows()).drop("covariance")
        known = tested.filter(change.rows()).select("organisation", "covariance")
        moved = add_differences(own.join(known, on="organisation"))
        every = tested.filter((pl.col("breakdown") == change.breakdown) & ~change.rows())
        every = every.drop("p_adjusted", "critical")
        family = pl.concat([every, moved.select(every.columns)])
        judged = with_verdict(self._adjusted(family)).filter(change.rows())
        right = pl.col("verdict").is_in(CALLED) & (pl.col("difference").sign() == np.sign(change.size))
        return judged.filter(pl.col("p_value").is_not_null()).select(
            pl.lit(SCENARIOS[1]).alias("scenario"), "breakdown", "measure", pl.col("unit").cast(pl.String),
            label=pl.lit(change.label), planted=pl.lit(change.size), pair="organisation",
            found=100.0 * right, held=100.0 * _holds(change.size), tests=pl.lit(1, pl.UInt32),
        )  # fmt: skip


def _counted(judged: pl.DataFrame) -> pl.DataFrame:
    """Count the verdicts of each family: shares in per cent."""
    return (
        judged.filter(pl.col("p_value").is_not_null())
        .group_by("breakdown", pl.col("organisation").alias("pair"), maintain_order=True)
        .agg(
            pl.lit(SCENARIOS[0]).alias("scenario"),
            called=100.0 * pl.col("verdict").is_in(CALLED).any(),
            likely=100.0 * (~_holds(0.0)).mean(),
            held=100.0 * _holds(0.0).mean(),
            tests=pl.len(),
        )
    )


def _holds(change: float) -> pl.Expr:
    """Expression: whether the interval holds a change."""
    return (pl.col("conf_low") <= change) & (pl.col("conf_high") >= change)


def _table(counted: pl.DataFrame, people: People) -> pl.DataFrame:
    """Lay out the shares with what the draws leave open of them."""
    words = {breakdown: people.called(breakdown) for breakdown in people.by}
    # Without a change no figure has a name of its own; where nothing was planted there are no such columns.
    every = pl.concat([pl.DataFrame(schema=COUNTED), counted], how="diagonal_relaxed")
    rows = []
    for key, own in every.group_by(KEYS, maintain_order=True):
        for name, asked in QUESTIONS.items():
            values, tests = (own.drop_nulls(name)[c].to_numpy() for c in (name, "tests"))
            if not len(values):
                continue
            share = float(np.average(values, weights=tests if asked.of == "test" else None))
            low, high = _ends(values, share)
            rows.append(
                (
                    *key, asked.counted, asked.of, len(values), int(tests.sum()), share, low, high,
                    *asked.limits, low <= asked.limits[1] and high >= asked.limits[0],
                )
            )  # fmt: skip
    label = pl.coalesce("label", pl.col("breakdown").replace({ALL: "Whole organisation", **words}))
    return pl.DataFrame(rows, schema=TABLE, orient="row").with_columns(label.alias("label"))


def _ends(values: np.ndarray, share: float) -> tuple[float, float]:
    """Return the interval of a share over draws: Wilson's of yes and no, else by their scatter."""
    if np.isin(values, (0.0, 100.0)).all():
        low, high = wilson(np.array([share / 100]), np.array([float(len(values))]))
        return 100 * float(low[0]), 100 * float(high[0])
    half = NORMAL * float(values.std(ddof=1)) / len(values) ** 0.5
    return max(share - half, 0.0), min(share + half, 100.0)


def _notes(people: People, again: float) -> tuple[str, ...]:
    drawn = "clusters" if people.design.cluster is not None else "respondents"
    how = "with replacement" if people.design.population is None else "out of a population of the given size"
    said = [
        f"Both years of a pair are {drawn} of the extract, drawn {how}: nothing has changed between them."
    ]
    if again:
        said.append(f"{100 * again:.0f}% of the people answer in both years, and the same.")
    if people.weighted.name not in ("none", "raked"):
        said.append("Weights go with their people: they are not worked out anew in each year.")
    return tuple(said)
