"""Where an organisation stands in its benchmark group."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import QUESTION, catalogue
from culture_metrics.contract import ALL, check_results
from culture_metrics.errors import ResultsError, unknown
from culture_metrics.output import Output, verb
from culture_metrics.published.published import Published
from culture_metrics.results.words import weighed
from culture_metrics.wording.numbers import several, together

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    import plotly.graph_objects as go

    from culture_metrics.wording.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class Benchmark(Output):
    """An organisation's results beside its benchmark group's.

    Attributes
    ----------
    table : polars.DataFrame
        One row per measure in the order of the catalogue: `measure, code, label, level, unit, direction,
        estimate, conf_low, conf_high, base, status, best, median, worst, organisations, rank, percentile`.
    peers : polars.DataFrame
        The Results of every organisation of the group, with `name`.
    organisation, name, group, period : str
        ODS code, name, benchmark group, period.
    """

    table: pl.DataFrame
    peers: pl.DataFrame
    organisation: str
    name: str
    group: str
    survey: str
    period: str

    def figure(self) -> go.Figure:
        """Draw all scores against best, median and worst of the group."""
        return self._drawn(self.table.filter(pl.col("level") != QUESTION))

    def headline(self) -> go.Figure:
        """Draw the leading scores alone against best, median and worst of the group."""
        leading = self.table.filter(pl.col("level").is_in(catalogue(self.survey).leading))
        return self._drawn(leading, f". Benchmark group: {self.group}")

    def _drawn(self, rows: pl.DataFrame, more: str = "") -> go.Figure:
        from culture_metrics import views

        return views.scores(
            rows,
            title=f"{self.name}: {beside_median(rows, self.group)}",
            subtitle=f"{catalogue(self.survey).label}, {catalogue(self.survey).named(self.period)}{more}",
            source=self.source(rows["measure"]),
            scale=catalogue(self.survey).score_range,
            parts=catalogue(self.survey).part_levels,
        )

    def ranks(self) -> Table:
        """List the scores with the best, median and worst of the group, and the rank."""
        from culture_metrics.results.tables import people, words
        from culture_metrics.wording.table import Table

        shown = [words(name).alias(name.capitalize()) for name in ("best", "median", "worst")]
        rank = pl.format("{} of {}", pl.col("rank").cast(pl.Int64), pl.col("organisations")).fill_null("")
        frame = self.table.filter(pl.col("level") != QUESTION).select(
            pl.col("label").alias("Score"),
            words("estimate").alias(self.name),
            *shown,
            rank.alias("Rank"),
            people("base").alias("Base"),
        )
        return Table(
            frame,
            f"{self.name} in {self.group}, {self.period}",
            numbers=tuple(frame.columns[1:]),
            strong=frozenset(m.label for m in catalogue(self.survey).edition(self.period).leading.values()),
        )

    def ranking(self, measure: str | None = None) -> go.Figure:
        """Draw one measure across all organisations of the group, with this one picked out.

        Parameters
        ----------
        measure : str, optional
            Id or official code; the headline percentage that the survey puts first when left out.

        Raises
        ------
        UnknownNameError
            When the edition has no such measure.
        """
        from culture_metrics import views

        edition = catalogue(self.survey).edition(self.period)
        found = edition.measure(measure or edition.default_question)
        return views.ranking(
            self.peers.filter(pl.col("measure") == found.id),
            highlight=self.organisation,
            unit=found.unit,
            direction=found.direction,
            title=f"{found.label}: {self._place(found.id)}",
            subtitle=f"{edition.survey.label}, {edition.named}. {found.meaning}",
            source=self.source([found.id]),
        )

    def summary(self) -> str:
        """Say in plain sentences where the organisation stands on the leading scores.

        A score that equals the median is neither above nor below it. Position in a group is no test: small
        distances can be chance.
        """
        scores = self.table.filter(
            pl.col("level").is_in(catalogue(self.survey).leading) & pl.col("estimate").is_not_null()
        )
        above = scores.filter(pl.col("estimate") > pl.col("median"))
        below = scores.filter(pl.col("estimate") < pl.col("median"))
        organisations = several(self.peers["organisation"].n_unique(), "organisation")
        said = [
            f"{self.name} is above the median of {self.group} ({organisations}) on {above.height} of "
            f"{scores.height} {catalogue(self.survey).leading_words} and below it on {below.height}."
        ]
        ranks = {self._rank(row) for row in scores.iter_rows(named=True)}
        if scores.height > 1 and len(ranks) == 1 and above.height + below.height:
            said.append(f"Its standing is the same on all {scores.height}: {ranks.pop()}.")
            return " ".join([*said, *catalogue(self.survey).remarks(self.period)])
        for rows, word in ((above, "highest"), (below, "lowest")):
            if rows.height:
                end = rows["percentile"].max() if word == "highest" else rows["percentile"].min()
                said.append(self._furthest(rows.filter(pl.col("percentile") == end), word))
        return " ".join([*said, *catalogue(self.survey).remarks(self.period)])

    def _furthest(self, rows: pl.DataFrame, word: str) -> str:
        """Say on which scores the standing is highest or lowest: those that stand level together."""
        if rows.height == 1:
            far = rows.row(0, named=True)
            return (
                f"Its standing is {word} on {far['label'].lower()} ({far['estimate']:.2f}; median "
                f"{far['median']:.2f}; {self._rank(far)})."
            )
        ranks = [self._rank(row) for row in rows.iter_rows(named=True)]
        labels = [label.lower() for label in rows["label"]]
        if len(set(ranks)) == 1:
            named = f"{together(labels, most=rows.height)} ({ranks[0]} in each)"
        else:
            each = (f"{label} ({rank})" for label, rank in zip(labels, ranks, strict=True))
            named = together(each, most=rows.height)
        return f"Its standing is {word}, and the same, on {named}."

    def _rank(self, row: Mapping[str, Any]) -> str:
        """Say a rank, and how many organisations share it."""
        mine = self.peers.filter(measure=row["measure"])["estimate"].drop_nulls()
        others = int((mine == row["estimate"]).sum()) - 1
        shared = f", shared with {several(others, 'other')}" if others else ""
        return f"rank {row['rank']} of {row['organisations']}{shared}"

    def source(self, measures: Collection[str]) -> str:
        """Say where the organisation's figures of some measures come from and how they are weighted."""
        own = (pl.col("organisation") == self.organisation) & pl.col("measure").is_in(list(measures))
        return weighed("Published results", self.peers.filter(own)["weighting"])

    def _place(self, measure: str) -> str:
        row = self.table.row(by_predicate=pl.col("measure") == measure, named=True)
        if row["rank"] is None:
            return f"{self.name} among {self.group}"
        rank = self._rank(row).removeprefix("rank ")
        place, _, shared = rank.partition(", ")
        return f"{self.name} ranks {place} {self.group}{shared and f', {shared}'}"

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def beside_median(table: pl.DataFrame, group: str) -> str:
    """Say on how many scores an organisation is above and below the median of its group.

    Parameters
    ----------
    table : polars.DataFrame
        `estimate` and `median`; rows without either are not counted.
    group : str
        Name of the benchmark group.

    Examples
    --------
    >>> beside_median(pl.DataFrame({"estimate": [7.1, 6.0, 5.5], "median": [7.0, 6.2, 5.5]}), "Acute")
    'above the median of Acute on 1 of 3 scores, below it on 1'
    """
    rows = table.drop_nulls(["estimate", "median"])
    above = rows.filter(pl.col("estimate") > pl.col("median")).height
    below = rows.filter(pl.col("estimate") < pl.col("median")).height
    return f"above the median of {group} on {above} of {rows.height} scores, below it on {below}"


@verb
def benchmark(published: Published, organisation: str) -> Benchmark:
    """Set an organisation's published results beside those of its benchmark group.

    Parameters
    ----------
    published : Published
        What `read_published` returns for an official workbook of organisation results.
    organisation : str
        ODS code.

    Returns
    -------
    Benchmark
        `.table` has, for each measure, the organisation's own figure and `best`, `median`, `worst`,
        `organisations` (how many have a figure), `rank` (1 is best, ties share the better rank) and
        `percentile` (share of the other organisations that do worse, ties count half; 100 is best).

    Raises
    ------
    UnknownNameError
        When the workbook has no such organisation.
    ResultsError
        When it is no workbook, or has no benchmark groups, as a national one.

    Notes
    -----
    Best, median and worst are taken over every organisation of the group in the workbook, this one included,
    from unrounded figures, as the official benchmark reports have them. For percentages where lower is better
    the best is the lowest (not confirmed in the guides). Measures without a better side have a median but no
    best, worst or rank.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> example = cm.study([])
    >>> standing = benchmark(example.workbook, example.organisation)
    >>> standing.table.filter(measure="staff_engagement")["organisations"].item() > 1
    True
    """
    if not isinstance(published, Published):
        raise ResultsError(
            "A standing is taken from a published workbook",
            where="benchmark",
            got=type(published).__name__,
            hint="Read the official workbook of organisation results: cm.read_published(path).",
        )
    check_results(published.results.table)
    # A benchmark workbook also holds earlier years: the standing is that of its newest.
    organisations = published.organisations.filter(pl.col("period") == published.period)
    if organisation not in set(organisations["organisation"]):
        raise unknown("organisation", organisation, organisations["organisation"].to_list())
    own = organisations.row(by_predicate=pl.col("organisation") == organisation, named=True)
    if own["benchmark_group"] is None:
        raise ResultsError(
            f"{organisation} has no benchmark group in this workbook",
            hint="Use the official workbook of organisation results.",
        )
    group = organisations.filter(pl.col("benchmark_group") == own["benchmark_group"])
    whole = (pl.col("breakdown") == ALL) & (pl.col("group") == ALL) & (pl.col("period") == published.period)
    peers = published.results.table.filter(whole).join(
        group.select("organisation", "name"), on="organisation"
    )
    return Benchmark(
        table=_standing(peers, organisation, published),
        peers=peers,
        organisation=organisation,
        name=own["name"] or organisation,
        group=own["benchmark_group"],
        survey=published.survey,
        period=published.period,
    )


def _standing(peers: pl.DataFrame, organisation: str, published: Published) -> pl.DataFrame:
    edition = catalogue(published.survey).edition(published.period)
    catalogued = pl.DataFrame(
        [(m.id, m.code, m.label, m.level, m.direction) for m in edition.measures.values()],
        schema=["measure", "code", "label", "level", "direction"],
        orient="row",
    )
    # Turn every figure so that higher is better, then rank once.
    good = pl.when(pl.col("direction") == "lower").then(-pl.col("estimate")).otherwise("estimate")
    sided = pl.col("direction") != "neutral"
    n = pl.len()
    ranked = (
        peers.filter(pl.col("estimate").is_not_null())
        .join(catalogued, on="measure")
        .with_columns(good.alias("good"))
        .with_columns(
            pl.col("estimate").median().over("measure").alias("median"),
            pl.when(sided).then(pl.col("good").max().over("measure")).abs().alias("best"),
            pl.when(sided).then(pl.col("good").min().over("measure")).abs().alias("worst"),
            n.over("measure").cast(pl.UInt32).alias("organisations"),
            pl.when(sided).then(pl.col("good").rank("min", descending=True).over("measure")).alias("rank"),
            pl.when(sided & (n.over("measure") > 1))
            .then(100 * (pl.col("good").rank("average").over("measure") - 1) / (n.over("measure") - 1))
            .alias("percentile"),
        )
    )
    groupwide = ranked.group_by("measure").agg(pl.col("best", "median", "worst", "organisations").first())
    own = peers.filter(pl.col("organisation") == organisation).join(
        ranked.filter(pl.col("organisation") == organisation).select("measure", "rank", "percentile"),
        on="measure",
        how="left",
    )
    return (
        catalogued.join(own, on="measure", maintain_order="left")
        .join(groupwide, on="measure", how="left", maintain_order="left")
        .select(
            "measure", "code", "label", "level", "unit", "direction", "estimate", "conf_low", "conf_high",
            "base", "status", "best", "median", "worst", "organisations", "rank", "percentile",
        )
    )  # fmt: skip
