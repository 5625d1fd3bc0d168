"""Response rates: respondents among the staff who could answer, by organisation and group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import least_base
from culture_metrics.contract import ALL
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.spelling import may_be_renamed
from culture_metrics.indicators.days import OTHERS
from culture_metrics.indicators.fieldwork import ResponseOverFieldwork, response_over_fieldwork
from culture_metrics.indicators.headcounts import Headcounts, read_headcounts
from culture_metrics.indicators.intervals import wilson
from culture_metrics.indicators.shown import shown_people
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.days import Window

KEY = ["organisation", "breakdown", "group"]


@dataclass(frozen=True, repr=False, eq=False)
class ResponseRates(Output):
    """Response rates with intervals.

    Attributes
    ----------
    table : polars.DataFrame
        `organisation, breakdown, group, base` (respondents), `staff`, `estimate` (per cent), `conf_low`,
        `conf_high`, `status`: `reported`, `impossible` (more respondents than staff), or why it is hidden;
        `staff` is hidden then too, as it bounds the base (`headcounts.table` has it).
    unmatched : polars.DataFrame
        `organisation, breakdown, group, side` (`headcounts` or `respondents`), `suggestion`: names that only
        one side has. Rare names of respondents are counted, not listed.
    rare : int
        Groups of respondents without a number of staff whose names are not said.
    over : ResponseOverFieldwork or str
        The response by day, where the extract has dates of response; else why not.
    words : mapping
        What the trust calls its breakdowns, by id.
    headcounts : Headcounts
        The numbers of staff as read, with what was set aside.
    """

    table: pl.DataFrame
    unmatched: pl.DataFrame
    rare: int
    headcounts: Headcounts
    words: Mapping[str, str] = field(default_factory=dict)
    minimum_base: int = 1
    over: ResponseOverFieldwork | str = field(default="", compare=False)

    def over_fieldwork(self) -> ResponseOverFieldwork:
        """Say how many of the staff had answered by which day of fieldwork.

        Raises
        ------
        ExtractError
            When the extract has no dates of response, or too few, or other days of the same people were
            shown before.
        """
        if isinstance(self.over, str):
            raise ExtractError(
                self.over.removesuffix("."),
                hint=""
                if self.over == OTHERS
                else 'Read the extract with its column of them: columns={"Submitted": "date of response"}.',
            )
        return self.over._with_provenance(self.provenance)

    def rules(self) -> tuple[str, ...]:
        """Say what the interval is of, and which rule decided what is shown."""
        return (
            "The staff who could answer are a finite population and all of them were asked: the rate is "
            "exact. Wilson's interval, with no finite population correction, says how far chance alone moves "
            "the rate of so few people.",
            Rule(self.minimum_base).words,
            *self.headcounts.set_aside,
        )

    def summary(self) -> str:
        """Say the rate of the whole, which are impossible and which have no counterpart."""
        said = [
            f"{row['organisation']}: {row['estimate']:.1f}% of {row['staff']:,} staff answered "
            f"({row['conf_low']:.1f} to {row['conf_high']:.1f})"
            for row in self.table.filter(breakdown=ALL, status="reported").iter_rows(named=True)
        ]
        odd = self.table.filter(pl.col("status") == "impossible")
        if odd.height:
            said.append(f"more respondents than staff in {listed(odd['group'], 5)}")
        for side in ("headcounts", "respondents"):
            names = self.unmatched.filter(side=side)["group"]
            if names.len():
                said.append(f"only among the {side}: {listed(names, 5)}")
        if self.rare:
            said.append(f"{counted(self.rare, 'rare group')} of respondents without a number of staff")
        return ". ".join(text[0].upper() + text[1:] for text in said) + "." if said else "No group matched."


@verb
def response_rates(
    extract: Extract,
    headcounts: Headcounts | pl.DataFrame | str | Path,
    minimum_base: int | None = None,
    fieldwork: Window | None = None,
) -> ResponseRates:
    """Estimate response rates by the groups of a table of eligible staff.

    Parameters
    ----------
    extract : Extract
        A clean extract: `validate(extract).extract`.
    headcounts : Headcounts, polars.DataFrame, str or Path
        As `read_headcounts` takes it or returns it. Groups are matched by their exact names.
    minimum_base : int, optional
        Smallest number of respondents that is shown; that of the survey when left out.
    fieldwork : (date, date), optional
        First and last day of fieldwork (`("2024-09-23", "2024-11-29")`), for `.over_fieldwork()`: answers
        dated outside count at its end only. Left out, the survey's year and the two months after it.

    Notes
    -----
    Which rates are shown is part of the one decision about the extract (`extract.decision`): none of a group
    whose scores are held back, nor what would give these away beside what `estimate` showed.

    Raises
    ------
    FileFormatError, ExtractError
        As in `read_headcounts`.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=300)
    >>> staff = pl.DataFrame({"ODS code": ["SYN01"], "Headcount": [500]})
    >>> response_rates(extract, staff).table.select("estimate", "conf_low", "conf_high").row(0)
    (60.0, 55.64..., 64.20...)
    """
    if not isinstance(headcounts, Headcounts):
        headcounts = read_headcounts(headcounts, extract)
    by = [one for one in headcounts.table["breakdown"].unique().sort() if one != ALL]
    least = least_base([extract.survey]) if minimum_base is None else minimum_base
    # The decision of the scores: a group's number and theirs leave together.
    found = shown_people(extract, by, minimum_base=least).filter(pl.col("organisation") != ALL)
    matched = headcounts.table.join(found.select(*KEY, "base", "status"), on=KEY, maintain_order="left")
    unmatched, rare = _unmatched(headcounts.table, found)
    rates = _rates(matched)
    over = response_over_fieldwork(extract, rates, least, fieldwork)
    return ResponseRates(rates, unmatched, rare, headcounts, extract.words, least, over)


def _rates(matched: pl.DataFrame) -> pl.DataFrame:
    impossible = (pl.col("base") > pl.col("staff")).fill_null(value=False)
    rate = pl.when(~impossible).then(pl.col("base") / pl.col("staff"))
    table = matched.with_columns(
        rate.alias("estimate"),
        pl.when(impossible)
        .then(pl.lit("impossible"))
        .otherwise(pl.col("status").cast(pl.String))
        .alias("status"),
    )
    share = table["estimate"].to_numpy()
    with np.errstate(invalid="ignore"):
        ends = wilson(share, table["staff"].cast(pl.Float64).to_numpy())
    low, high = (
        pl.when(pl.col("estimate").is_not_null()).then(pl.Series(end) * 100).alias(name)
        for end, name in zip(ends, ("conf_low", "conf_high"), strict=True)
    )
    # No more people can have answered than there are: beside what its neighbours leave over, that bounds a
    # hidden base from above, and through it those hidden with it from below.
    told = pl.when(pl.col("base").is_not_null()).then("staff").alias("staff")
    return table.select(
        *KEY, "base", told, pl.col("estimate") * 100, low, high, "status"
    )  # fmt: skip


def _unmatched(staff: pl.DataFrame, found: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """List the names that one side has alone, with what each may be called on the other."""
    asked = found.join(staff.select("organisation", "breakdown").unique(), on=["organisation", "breakdown"])
    alone = asked.join(staff, on=KEY, how="anti")
    told = alone.filter(pl.col("status") == "reported")
    rows = []
    only = staff.join(found, on=KEY, how="anti")
    for (whose, one), part in only.group_by("organisation", "breakdown", maintain_order=True):
        here = told.filter(organisation=whose, breakdown=one)["group"].to_list()
        like = may_be_renamed(part["group"], here)
        rows += [(whose, one, name, "headcounts", like.get(name)) for name in part["group"]]
    taken = {(whose, one, name): mine for whose, one, mine, _, name in rows if name}
    rows += [(*key, "respondents", taken.get(key)) for key in told.select(KEY).iter_rows()]
    schema = [*KEY, "side", "suggestion"]
    table = pl.DataFrame(rows, schema=dict.fromkeys(schema, pl.String), orient="row")
    return table, alone.height - told.height
