"""Leadership and culture frameworks: what each asks, and what the survey says of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.catalogue.frameworks import define_framework, own_files, packaged
from culture_metrics.compare.assumptions import Assumptions, assumed_of
from culture_metrics.compare.framework_lines import ASSUMED, lines
from culture_metrics.compare.pairs import gather
from culture_metrics.compare.sampling import ASSUMED as SPREAD_ASSUMED
from culture_metrics.compare.standing import side
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, ResultsError, unknown
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed
from culture_metrics.results.words import SOURCES
from culture_metrics.wording.numbers import in_sentence, shown, together
from culture_metrics.wording.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from culture_metrics.catalogue import Survey
    from culture_metrics.catalogue.frameworks import Definition
    from culture_metrics.compare.pairs import Given

#: How a coverage is said in a sentence.
COVERED = {"full": "in full", "part": "in part", "none": "not at all"}


@dataclass(frozen=True, repr=False, eq=False)
class Frameworks(Output):
    """The frameworks there are.

    Attributes
    ----------
    table : polars.DataFrame
        One row each: `framework` (id), `title, nation, publisher, year, survey`, `dimensions`, and how
        many of them are measured in `full`, in `part` and in `none`; `source`.
    """

    table: pl.DataFrame

    def summary(self) -> str:
        """Say which frameworks there are."""
        return f"{counted(self.table.height, 'framework')}: {listed(self.table['framework'])}."

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        named = {kind: f"measured_{said.replace(' ', '_')}" for kind, said in COVERED.items()}
        return Table.of(self.table.drop("source").rename(named), "Frameworks")._repr_html_()


@dataclass(frozen=True, repr=False, eq=False)
class Framework(Output):
    """A framework: its dimensions, the measures that stand for each and why, and what is not measured.

    Attributes
    ----------
    table : polars.DataFrame
        One row per dimension and measure: `family, dimension, meaning, coverage, measure, by, why,
        not_measured`; a dimension without measures has one row.
    id, title, survey : str
        What it is, and which survey its measures are of.
    """

    table: pl.DataFrame
    id: str
    title: str
    survey: str
    definition: Definition

    def summary(self) -> str:
        """Say what the framework is for, how much of it the survey measures, and where it comes from."""
        one = self.definition
        return (
            f"{one.title} ({one.publisher}, {one.year}). {one.about.strip()} {_coverage_said(one)} "
            f"Source: {one.source}"
        )

    def rules(self) -> tuple[str, ...]:
        """Say what the framework asks that the survey does not measure, and how its text may be used."""
        return (*_not_measured(self.definition), self.definition.licence)

    @verb
    def read(
        self,
        results: Given,
        organisation: str | None = None,
        *,
        release: str | int | None = None,
        assumptions: Assumptions | None = None,
    ) -> FrameworkReading:
        """Read the results of an organisation through the framework.

        Parameters
        ----------
        results : Results, Published, polars.DataFrame or sequence of them
            Of one year or several. Where an organisation has results of respondents and published ones, those
            of respondents are read.
        organisation : str, optional
            ODS code; may be left out where there is one, or a row of all organisations together.
        release : str or int, optional
            The release all published figures come from, where the files do not say.
        assumptions : Assumptions, optional
            Spread of scores among respondents, for intervals of published figures.

        Returns
        -------
        FrameworkReading
            `.table` has a row for each indicator, group and year.

        Raises
        ------
        ComparabilityError
            When the results are of another survey.
        ResultsError
            When there are several organisations and none is named, or figures in several weightings.
        UnknownNameError
            When the results have no such organisation.

        Examples
        --------
        >>> import culture_metrics as cm
        >>> results = cm.estimate(cm.synthetic.respondents(2024, respondents_per_organisation=200))
        >>> found = cm.framework("compassionate_leadership").read(results)
        >>> found.table.select("dimension", "measure").row(1)
        ('Attending', 'manager_listens')
        """
        stuff = gather(results, None if release is None else str(release))
        if stuff.survey != self.survey:
            raise ComparabilityError(
                f"The framework is read with {catalogue(self.survey).label}",
                where=self.id,
                got=f"results of {catalogue(stuff.survey).label}",
                hint="Write a framework file for that survey: data_schemas/README.md says how.",
            )
        whom = _whom(stuff.frame, organisation)
        table = lines(self.definition, stuff, whom, assumed_of(assumptions))
        group = stuff.organisations.filter(organisation=whom)["benchmark_group"].to_list()
        return FrameworkReading(table, self.definition, whom, group[0] if group else "")


@dataclass(frozen=True, repr=False, eq=False)
class FrameworkReading(Output):
    """What the survey says of the dimensions of a framework.

    Attributes
    ----------
    table : polars.DataFrame
        One row for each indicator, group and year, in the order of the framework: `survey, organisation,
        period, family, dimension, coverage` (full, part, none), `measure, code, label, unit, direction,
        breakdown, group, estimate, conf_low, conf_high, interval` (how it was made; "assumed" rests on an
        assumed spread of answers), `base`, `median` and `organisations` (the benchmark average: median of the
        group's published figures of the same year and weighting, and of how many), `weighting, source,
        status`, `reason` (why there is no figure), `comparable` and `why_not_comparable` (of earlier years,
        with the last), `why` (the measure stands for the dimension).
    definition : Definition
        The framework as its file has it.
    organisation, benchmark_group, name : str
        Whose results, among whom the median is taken, and what figures call the organisation; "" where that
        is not known.
    """

    table: pl.DataFrame
    definition: Definition
    organisation: str
    benchmark_group: str
    name: str = ""

    @property
    def last(self) -> pl.DataFrame:
        """The rows of the last year."""
        return self.table.filter(pl.col("period") == pl.col("period").max())

    def figure(self) -> go.Figure:
        """Draw the indicators dimension by dimension, earlier years small, the benchmark average beside."""
        from culture_metrics import views

        survey = catalogue(self.definition.survey)
        rows = self._leaving().with_columns(_named(survey))
        years = rows["period"].unique().sort().to_list()
        about = f"{survey.label}, {survey.named(years[-1])}"
        if self.benchmark_group and rows["median"].is_not_null().any():
            about += f". Benchmark group: {self.benchmark_group}"
        sources = rows["source"].drop_nulls().unique().sort()
        assumed = "Intervals of published figures rest on an assumed spread of answers."
        return views.indicators(
            rows,
            title=f"{self._name}, {self.definition.title}: {self._headline()}",
            subtitle=about,
            source=" and ".join(SOURCES.get(name, name) for name in sources),
            notes=assumed if (rows["interval"] == ASSUMED).any() else "",
            scale=survey.score_range,
        )

    def coverage(self) -> Table:
        """List dimension by dimension what the framework asks, and what of it the survey does not measure."""
        rows = [
            (d.label, d.meaning, COVERED[d.coverage].capitalize(), "; ".join(d.not_measured))
            for d in self.definition.dimensions
        ]
        columns = ["Dimension", "What it asks", "Measured", "Not measured"]
        frame = pl.DataFrame(rows, schema=columns, orient="row")
        return Table(frame, f"{self.definition.title}: what the survey measures of it")

    def summary(self) -> str:
        """Say how much is measured, where the organisation stands, and what is missing."""
        last = self.last.filter(pl.col("measure").is_not_null())
        said = [
            f"{self.definition.title}, {self._name}, {last['period'][0]}.",
            _coverage_said(self.definition),
        ]
        if standing := self.standing():
            said.append(standing)
        gone = last.filter(pl.col("estimate").is_null()).unique(["measure", "breakdown"])
        if gone.height:
            said.append(
                f"No figure for {counted(gone.height, 'indicator')}: {' '.join(sorted(set(gone['reason'])))}"
            )
        broken = self.table.filter(~pl.col("comparable"))["label"].unique(maintain_order=True)
        if len(broken):
            said.append(
                f"Earlier years do not all compare with the last: {listed(map(in_sentence, broken))}."
            )
        return " ".join(said)

    def standing(self) -> str:
        """Say in how many measures the organisation is better and worse than the median of its group."""
        last = self.last.filter(pl.col("measure").is_not_null())
        there = last.drop_nulls("estimate")
        known = there.filter(breakdown=ALL).unique("measure", maintain_order=True)
        beside, better, worse = self._beside_median
        if beside:
            return (
                f"Beside the median of {self.benchmark_group}, by an interval that leaves it out: "
                f"{better.height} of {counted(beside, 'measure')} better{_names(better)}, "
                f"{worse.height} worse{_names(worse)}."
            )
        if known.height:
            each = (
                f"{in_sentence(label)} {shown(value, unit)}"
                for label, value, unit in known.select("label", "estimate", "unit").head(4).iter_rows()
            )
            more = f", and {known.height - 4} more" if known.height > 4 else ""
            return f"{', '.join(each).capitalize()}{more}."
        return ""

    def _headline(self) -> str:
        """Say what is shown: the standing beside the median if there is one, else what is measured."""
        beside, better, worse = self._beside_median
        if not beside:
            return _few_words(self.definition)
        of = counted(beside, "measure")
        return f"{better.height} of {of} better than the median beyond chance, {worse.height} worse"

    @cached_property
    def _beside_median(self) -> tuple[int, pl.DataFrame, pl.DataFrame]:
        """Return how many measures stand beside a median, and which are better and worse beyond chance."""
        known = self.last.filter(pl.col("measure").is_not_null(), breakdown=ALL)
        beside = known.drop_nulls(["estimate", "median"]).unique("measure", maintain_order=True)
        far = side() * (pl.col("estimate") - pl.col("median"))
        clear = (pl.col("conf_low") > pl.col("median")) | (pl.col("conf_high") < pl.col("median"))
        return beside.height, beside.filter(clear & (far > 0)), beside.filter(clear & (far < 0))

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed and what is not measured."""
        said = list(_not_measured(self.definition))
        if (self.table["interval"] == ASSUMED).any():
            said.append(f"{SPREAD_ASSUMED}.")
        if (
            self.benchmark_group
            and self.table.filter(breakdown=ALL).drop_nulls("estimate")["median"].has_nulls()
        ):
            said.append(
                "There is no benchmark average beside figures that are weighted otherwise than the "
                "published ones."
            )
        promised = self.definition.years
        if promised:
            here = self.table["period"].unique().sort().to_list()
            said.append(
                f"The framework is to be watched from {promised[0]} to {promised[-1]}; "
                f"here are {listed(here)}."
            )
        said.append(
            "Indicators of several dimensions overlap: dimensions are not independent and not ranked."
        )
        return tuple(said)

    @property
    def _name(self) -> str:
        return self.name or ("All organisations" if self.organisation == ALL else self.organisation)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return self._with_points(self.rules())


@verb
def frameworks(folder: str | Path | None = None) -> Frameworks:
    """List the leadership and culture frameworks: those of the package, or those of a folder of your own.

    Parameters
    ----------
    folder : str or Path, optional
        A folder of framework files.

    Returns
    -------
    Frameworks
        `.table` has a row for each; `framework` opens one.

    Raises
    ------
    CatalogueError
        When a file does not hold together.

    Examples
    --------
    >>> frameworks().table["framework"].to_list()[:2]
    ['compassionate_leadership', 'freedom_to_speak_up']
    """
    paths: Iterable[str | Path] = packaged() if folder is None else own_files(Path(folder))
    rows = []
    for one in map(define_framework, paths):
        covered = [d.coverage for d in one.dimensions]
        rows.append(
            (
                *(one.id, one.title, one.nation, one.publisher, one.year, one.survey, len(covered)),
                *(covered.count(kind) for kind in COVERED),
                one.source,
            )
        )
    names = ["framework", "title", "nation", "publisher", "year", "survey", "dimensions", *COVERED, "source"]
    numbers = {"dimensions", *COVERED}
    schema = {name: pl.Int64 if name in numbers else pl.String for name in names}
    return Frameworks(pl.DataFrame(rows, schema=schema, orient="row"))


@verb
def framework(which: str | Path) -> Framework:
    """Open a leadership or culture framework, to read results through it.

    Parameters
    ----------
    which : str or Path
        Id, as `frameworks` lists them; or a framework file of your own, or a folder with one.

    Returns
    -------
    Framework
        `.table` says which measures stand for what and why; `.read(results)` reads results.

    Raises
    ------
    UnknownNameError
        When there is no such framework.
    CatalogueError
        When the file does not hold together: every mistake, with its line and remedy.

    Notes
    -----
    Which measures stand for a dimension is our claim, with its reason beside it, and not the publisher's.
    What the framework asks and the survey does not measure is listed. A dimension is shown by its measures;
    where the survey has a score of its own it is among them, and no other composite is made.

    Examples
    --------
    >>> framework("freedom_to_speak_up").table.filter(coverage="none")["dimension"].to_list()
    ['Guardians']
    """
    one = define_framework(which)
    rows = [
        (d.family, d.label, d.meaning, d.coverage)
        + ((None, None, None) if of is None else (of.measure, of.by, of.why))
        + ("; ".join(d.not_measured),)
        for d in one.dimensions
        for of in d.indicators or (None,)
    ]
    names = ["family", "dimension", "meaning", "coverage", "measure", "by", "why", "not_measured"]
    table = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return Framework(table, one.id, one.title, one.survey, one)


def _whom(frame: pl.DataFrame, organisation: str | None) -> str:
    here = frame["organisation"].unique().sort().to_list()
    if organisation is not None:
        if organisation not in here:
            raise unknown("organisation in these results", organisation, here)
        return organisation
    own = frame.filter(pl.col("source").cast(pl.String) == "respondents")["organisation"].unique().to_list()
    for some in (own, here):
        if len(some) == 1:
            return str(some[0])
    if ALL in here:
        return ALL
    raise ResultsError(
        f"The results are of {len(here)} organisations",
        expected="one, or one that is named",
        hint=f"Name it: .read(results, organisation='{here[0]}').",
    )


def _named(survey: Survey) -> pl.Expr:
    """Expression: what a line of the figure is called: its measure, its group, and which way is better."""
    called = {name: in_sentence(b.label) for edition in survey for name, b in edition.breakdowns.items()}
    by = pl.col("breakdown").replace_strict(called, default=pl.col("breakdown"), return_dtype=pl.String)
    group = pl.coalesce(pl.format(": {}", "group"), pl.format(", by {}", by))
    fewer = pl.when(pl.col("direction") == "lower").then(pl.lit(" (fewer is better)")).otherwise(pl.lit(""))
    return pl.concat_str(
        "label", pl.when(pl.col("breakdown") == ALL).then(pl.lit("")).otherwise(group), fewer
    ).alias("label")


def _few_words(one: Definition) -> str:
    covered = [d.coverage for d in one.dimensions]
    kinds = [kind for kind in COVERED if kind in covered]
    first, *rest = [f"{covered.count(kind)} {{}}{COVERED[kind]}" for kind in kinds]
    of = f"of {counted(len(covered), 'dimension')} measured "
    return together([first.format(of), *(one.format("") for one in rest)])


def _coverage_said(one: Definition) -> str:
    return f"{_few_words(one)}."


def _names(rows: pl.DataFrame) -> str:
    return f" ({listed(map(in_sentence, rows['label']))})" if rows.height else ""


def _not_measured(one: Definition) -> Iterable[str]:
    for d in one.dimensions:
        if d.not_measured:
            missing = "; ".join(text.rstrip(".") for text in d.not_measured)
            yield f"{d.label}, not measured: {missing}."
