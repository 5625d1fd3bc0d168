"""The panel: staff survey and outcomes side by side, one row per organisation and year."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.errors import LinkError, kind_of
from culture_metrics.outcomes.flow import LOSSES, UNMATCHED, losses, unmatched
from culture_metrics.outcomes.mergers import ATTRIBUTES, crossings, read_list
from culture_metrics.outcomes.outcome_data import OutcomeData
from culture_metrics.outcomes.outcome_side import OutcomeSide, outcome_side
from culture_metrics.outcomes.roll_up import YEAR
from culture_metrics.outcomes.steps import KEY
from culture_metrics.outcomes.survey_side import SurveySide, survey_side
from culture_metrics.output import Output, verb
from culture_metrics.problems import Problem, counted, listed, problem_table
from culture_metrics.provenance import hashed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import plotly.graph_objects as go

    from culture_metrics.outcomes.outcome import Outcome


#: Lines that a figure has at most.
MOST_LINES = 4


@dataclass(frozen=True, repr=False, eq=False)
class Panel(Output):
    """Organisations and years with indicators of the staff survey and outcomes.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation and year: `organisation, year, name, benchmark_group, region`; a column per
        indicator under its measure id, `<measure>_base`; a column per outcome, with `<outcome>_base` or
        `<outcome>_exposure` where it has one and `<outcome>_months` where years are partial. A row may have
        indicators, outcomes or both: an outcome one year after the last survey serves a lagged design.
    indicators : tuple of str
        Measure ids.
    outcomes : tuple of Outcome
        The outcomes under the panel's column names, with the period said.
    losses : polars.DataFrame
        `source` (survey, an outcome, panel), `step` (read, suppressed, not reported, left out, kept; rows of
        the panel), `rows` (of the results, of the outcome's file, of the panel), `organisation_years`,
        `organisations`, `reason`. For the survey and for each outcome the rows read are those kept and those
        suppressed, not reported and left out, each counted once.
    unmatched : polars.DataFrame
        `outcome`, `side` (`survey only`, `outcome only`), `organisation, name, first_year, last_year, known`
        (what the list of organisations says).
    problems : polars.DataFrame
        What was met on the way, in counts.
    """

    table: pl.DataFrame = field(repr=False)
    indicators: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    losses: pl.DataFrame = field(repr=False)
    unmatched: pl.DataFrame = field(repr=False)
    problems: pl.DataFrame = field(repr=False)

    @classmethod
    def of(cls, table: pl.DataFrame) -> Panel:
        """Return a table with `organisation` and `year` as a panel: its numbers are indicators."""
        indicators = tuple(
            name
            for name, dtype in table.schema.items()
            if dtype.is_numeric() and name not in KEY and not name.endswith("_base")
        )
        return cls(
            table=table, indicators=indicators, outcomes=(), losses=pl.DataFrame(schema=LOSSES),
            unmatched=pl.DataFrame(schema=UNMATCHED), problems=problem_table([]),
        )  # fmt: skip

    def as_input(self) -> dict[str, Any]:
        """Describe the panel as the input of a verb: its size, its years and the hash of its figures."""
        about = {
            "kind": "panel",
            "rows": self.table.height,
            "organisations": self.table["organisation"].n_unique(),
            "years": [self.table["year"].min(), self.table["year"].max()],
            "sha256": hashed(self.table, *KEY),
        }
        made = {name: self.provenance[name] for name in ("verb", "inputs") if name in self.provenance}
        return about | made

    def figure(self) -> go.Figure:
        """Draw how many organisations have a figure of the indicators and of each outcome, year by year."""
        from culture_metrics import views

        sides = {"indicators": list(self.indicators)}
        few = len(self.outcomes) < MOST_LINES
        for one in self.outcomes:
            sides.setdefault(one.title if few else "outcomes", []).append(one.column)
        nothing = pl.lit(None, pl.Float64)
        parts = [
            self.table.group_by("year")
            .agg(pl.any_horizontal(pl.col(columns).is_not_null()).sum().cast(pl.Float64).alias("estimate"))
            .sort("year")
            .select(line=pl.lit(name), x="year", estimate="estimate", conf_low=nothing, conf_high=nothing)
            for name, columns in sides.items()
            if columns
        ]
        return views.lines(
            pl.concat(parts),
            x_title="Year",
            y_title="Organisations with a figure",
            title=f"A panel of {counted(self.table['organisation'].n_unique(), 'organisation')}",
        )

    def summary(self) -> str:
        """Say in plain sentences what the panel holds and what was lost."""
        years = self.table.select(pl.format("{} to {}", pl.col("year").min(), pl.col("year").max())).item()
        said = [
            f"A panel of {counted(self.table['organisation'].n_unique(), 'organisation')} and "
            f"{counted(self.table.height, 'organisation-year')}, {years}, with "
            f"{counted(len(self.indicators), 'indicator')} and {counted(len(self.outcomes), 'outcome')}."
        ]
        for outcome in self.outcomes:
            there = pl.col(outcome.column).is_not_null()
            pairs = self.table.filter(there & pl.any_horizontal(pl.col(self.indicators).is_not_null()))
            sides = self.unmatched.filter(outcome=outcome.column)["side"]
            said.append(
                f"{outcome.title}: {counted(pairs.height, 'organisation-year')} of "
                f"{counted(pairs['organisation'].n_unique(), 'organisation')} with an indicator in the same "
                f"year; {(sides == 'survey only').sum()} organisations of the survey have no figure, "
                f"{(sides == 'outcome only').sum()} of the outcome are not in the survey."
            )
        apart = self.problems.filter(rule="years that do not meet")["found"]
        said += [f"The years do not meet: {found}." for found in apart]
        return " ".join(said)

    def _repr_html_(self) -> str:
        from culture_metrics.wording.table import Table

        kept = pl.col("step").is_in(["read", "kept", "rows"])
        lost = self.losses.filter(~kept & (pl.col("rows") > 0)).height
        flow = self.losses if lost else self.losses.clear()
        tables = (("What was lost" if lost else "Nothing was lost", flow), ("What was met", self.problems))
        shown = "".join(Table.of(frame, title)._repr_html_() for title, frame in tables)
        return f"<p>{html.escape(self.summary())}</p>{shown}"

    def __repr__(self) -> str:
        return f"Panel({self.summary()})"


@verb
def panel(
    results: Output | pl.DataFrame | Sequence[Output | pl.DataFrame],
    outcomes: OutcomeData | Sequence[OutcomeData],
    organisations: pl.DataFrame | str | Path | None = None,
    *,
    measures: Iterable[str] | None = None,
    minimum_months: int = YEAR,
) -> Panel:
    """Set staff-survey results and outcomes side by side, by organisation and year.

    The year is the survey's. An outcome's year is the financial year that holds the fieldwork of October and
    November: 2024 is April 2024 to March 2025. For a later outcome give `link_outcomes` a lag.

    Parameters
    ----------
    results : polars.DataFrame, Published, or a sequence of them
        Results of one survey, a year each or several. Published workbooks also bring the benchmark groups.
    outcomes : OutcomeData or a sequence of them
        As `read_outcome` returns them.
    organisations : polars.DataFrame, str or Path, optional
        List of organisations: `ods_code` and, as far as known, `name`, `benchmark_group` (or `type`),
        `region`, `predecessor_codes` (parted by semicolons), `merger_date`. Figures dated after a merger go
        to the successor; earlier ones stay where they were.
    measures : iterable of str, optional
        Which measures become indicators; all when left out.
    minimum_months : int
        With fewer months than this an outcome's year is left out. Nothing is scaled up to a year.

    Returns
    -------
    Panel
        `.table`, `.losses`, `.unmatched`, `.problems`.

    Raises
    ------
    LinkError
        When the results are of several surveys, of quarters or weighted in two ways, an outcome stands twice
        or under the name of a measure, or figures cannot be put together.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> staff = cm.synthetic.respondents(2024, organisations=2, respondents_per_organisation=50)
    >>> shmi = pl.DataFrame({"code": ["SYN01", "SYN99"], "year": ["2024/25"] * 2, "shmi": [0.9, 1.1]})
    >>> joined = panel(cm.estimate(staff), cm.read_outcome(shmi, "shmi"), measures=["staff_engagement"])
    >>> joined.table["shmi"].to_list()
    [0.9, None]
    >>> joined.unmatched["organisation"].to_list()
    ['SYN02', 'SYN99']
    """
    if not 1 <= minimum_months <= YEAR:
        raise LinkError("minimum_months= is a number of months", expected="1 to 12", got=str(minimum_months))
    attributes, mergers = read_list(organisations)
    survey = survey_side(results, measures, mergers)
    given = list(outcomes) if isinstance(outcomes, Sequence) else [outcomes]
    if wrong := [one for one in given if not isinstance(one, OutcomeData)]:
        raise LinkError(
            "outcomes= takes what read_outcome returns",
            got=kind_of(wrong[0]),
            hint="Read the file or table first: cm.read_outcome(table, 'shmi').",
        )
    sides = [
        outcome_side(data, outcome, mergers, minimum_months) for data in given for outcome in data.outcomes
    ]
    _check_names(survey, sides)
    surveyed = survey.table.select("organisation").unique()
    table = survey.table
    for side in sides:
        of_surveyed = side.table.join(surveyed, on="organisation", how="semi")
        table = table.join(of_surveyed, on=KEY, how="full", coalesce=True)
    table = _with_places(table.sort(KEY), survey, attributes)
    met = [*survey.problems, *(problem for side in sides for problem in side.problems)]
    met += [*crossings(table, mergers), *_years_apart(survey, sides)]
    problems = pl.concat([problem_table(met), *(data.problems for data in given)])
    return Panel(
        table=table,
        indicators=survey.measures,
        outcomes=tuple(side.outcome for side in sides),
        losses=losses(table, survey, sides, surveyed),
        unmatched=unmatched(table, survey, sides, attributes, mergers),
        problems=problems.sort("severity", maintain_order=True),
    )


def _years_apart(survey: SurveySide, sides: list[OutcomeSide]) -> list[Problem]:
    """Say of each outcome that has no figure in any year of the survey which years both have."""
    asked = sorted({*survey.table["year"]})
    each = [(side.outcome, sorted({*side.table.drop_nulls(side.outcome.column)["year"]})) for side in sides]
    return [
        Problem(
            "warning",
            "years that do not meet",
            f"{outcome.title}: {listed(years) or 'no whole year'}; the survey: {listed(asked)}",
            "an outcome in a year of the survey (2024 is April 2024 to March 2025)",
            "Kept, with no pair in one year. Read files of the same years, or give link_outcomes a lag.",
            column=outcome.column,
        )
        for outcome, years in each
        if not {*years} & {*asked}
    ]


def _check_names(survey: SurveySide, sides: list[OutcomeSide]) -> None:
    taken = {*survey.table.columns, *ATTRIBUTES}
    for side in sides:
        columns = [name for name in side.table.columns if name not in KEY]
        if twice := sorted(taken & set(columns)):
            raise LinkError(
                f"Two columns of the panel would be named '{twice[0]}'",
                where=f"outcome '{side.outcome.column}'",
                hint="Give one of them another column: cm.outcome(..., column='...').",
            )
        taken |= set(columns)


def _with_places(table: pl.DataFrame, survey: SurveySide, attributes: pl.DataFrame) -> pl.DataFrame:
    """Add name, benchmark group and region: the year's, else the nearest year's, else the list's."""
    named = table.select(KEY).join(survey.places, on=KEY, how="left", maintain_order="left")
    nearest = pl.col(*ATTRIBUTES).forward_fill().backward_fill().over("organisation", order_by="year")
    named = named.with_columns(nearest).join(
        attributes, on="organisation", how="left", suffix="_listed", maintain_order="left"
    )
    places = named.select(*KEY, *(pl.coalesce(name, f"{name}_listed").alias(name) for name in ATTRIBUTES))
    return places.join(table, on=KEY, how="left", maintain_order="left")
