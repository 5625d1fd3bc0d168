"""How breakdowns lie in each other, found from the respondents: departments in directorates."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.rules.labels import breakdown_columns
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.extracts.extract import Extract

#: From this share of groups on that lie in one other, those that do not are exceptions to a rule.
MOST = 0.8
TABLE = {
    "inner": pl.String, "outer": pl.String, "groups": pl.UInt32, "in_one": pl.UInt32, "share": pl.Float64,
    "relation": pl.String,
}  # fmt: skip
EXCEPTIONS = {"inner": pl.String, "outer": pl.String, "group": pl.String, "mostly_in": pl.String}


@dataclass(frozen=True, repr=False, eq=False)
class Nesting(Output):
    """How the breakdowns of an extract lie in each other.

    Attributes
    ----------
    table : polars.DataFrame
        One row per ordered pair of breakdowns: `inner, outer, groups` (of the inner one), `in_one` (how many
        lie whole in one group of the outer one), `share`, `relation`: `the same` (group for group), `within`,
        `within, with exceptions` (80 % or more) or `across`.
    exceptions : polars.DataFrame
        `inner, outer, group, mostly_in`: groups of the minimum base or more that lie in several.
    rare : mapping
        By inner and outer breakdown, how many other exceptions there are; they are not named.
    words : mapping
        What the trust calls its breakdowns, by id.
    """

    table: pl.DataFrame
    exceptions: pl.DataFrame
    rare: Mapping[tuple[str, str], int] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def within(self, *, exceptions: bool = True) -> list[tuple[str, str]]:
        """Return the pairs (inner, outer) that lie in each other, also those with exceptions if wanted."""
        kinds = ["within", "within, with exceptions"] if exceptions else ["within"]
        return self.table.filter(pl.col("relation").is_in(kinds)).select("inner", "outer").rows()

    def summary(self) -> str:
        """Say in plain sentences what lies in what, and which groups do not."""
        said = []
        for inner, outer in self.within():
            groups, in_one = self.table.filter(inner=inner, outer=outer).select("groups", "in_one").row(0)
            names = [self.words.get(one, one) for one in (inner, outer)]
            text = f"{in_one:,} of {counted(groups, 'group')} of {names[0]} lie in one of {names[1]}"
            odd = self.exceptions.filter(inner=inner, outer=outer)["group"].to_list()
            few = self.rare.get((inner, outer), 0)
            more = [*([listed(odd, 5)] if odd else []), *([counted(few, "rare one")] if few else [])]
            said.append(text + (f"; not {' and '.join(more)}" if more else ""))
        return ". ".join(said) + "." if said else "No breakdown lies in another."


@verb
def nesting(extract: Extract, by: Sequence[str] = ()) -> Nesting:
    """Find which breakdowns lie in which others: every department in one directorate.

    Parameters
    ----------
    extract : Extract
        A clean extract.
    by : sequence of str, optional
        Ids of breakdowns that stand in text columns; all of them when left out.

    Returns
    -------
    Nesting
        Groups are told apart within organisations; those without a name in either breakdown do not count.

    Notes
    -----
    Disclosure control finds by itself, from the respondents of each table, what adds up or nearly does; this
    is what a person sees of it.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from culture_metrics import synthetic
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=3)
    >>> places = {"locality_1": ["Surgery"] * 2 + ["Estates"], "locality_4": ["Ward 1", "Ward 2", "Estates"]}
    >>> frame = extract.frame.with_columns(pl.Series(name, groups) for name, groups in places.items())
    >>> nesting(replace(extract, frame=frame), ["locality_4", "locality_1"]).within()
    [('locality_4', 'locality_1')]
    """
    frame, minimum = extract.frame, extract.edition.survey.minimum_base
    columns = [*by] or breakdown_columns(frame, extract.edition)
    rows, exceptions, rare, of = [], [], {}, {}
    for inner, outer in permutations(columns, 2):
        groups = lie_in(frame, inner, outer)
        of[inner, outer] = groups
    for (inner, outer), groups in of.items():
        whole, back = groups.filter("whole").height, of[outer, inner]
        share = whole / groups.height if groups.height else None
        same = share == 1 and back["whole"].all() and groups["outer"].n_unique() > 1
        relation = "the same" if same else _relation(share, groups, back)
        rows.append((inner, outer, groups.height, whole, share, relation))
        if relation == "within, with exceptions":
            odd = groups.filter(~pl.col("whole"))
            named = odd.filter(pl.col("rows") >= minimum).sort("inner")
            exceptions += [
                (inner, outer, name, most if n >= minimum else None)
                for name, most, n in named.select("inner", "outer", "in_outer").iter_rows()
            ]
            rare[inner, outer] = odd.height - named.height
    return Nesting(
        pl.DataFrame(rows, schema=TABLE, orient="row"),
        pl.DataFrame(exceptions, schema=EXCEPTIONS, orient="row"),
        {pair: n for pair, n in rare.items() if n},
        extract.words,
    )


def lie_in(frame: pl.DataFrame, inner: str, outer: str) -> pl.DataFrame:
    """Say of each group where it lies: `organisation, inner, outer, rows, in_outer, whole`.

    `outer` is the group that most of its rows lie in and `in_outer` how many do; `whole` when all of them do.
    """
    cells = (
        frame.select("organisation", inner=inner, outer=outer)
        .drop_nulls()
        .group_by("organisation", "inner", "outer")
        .agg(pl.len().alias("in_outer"))
    )
    return (
        cells.sort("organisation", "inner", "in_outer", "outer", descending=[False, False, True, False])
        .group_by("organisation", "inner", maintain_order=True)
        .agg(pl.col("outer", "in_outer").first(), pl.col("in_outer").sum().alias("rows"))
        .with_columns((pl.col("in_outer") == pl.col("rows")).alias("whole"))
    )


def _relation(share: float | None, groups: pl.DataFrame, back: pl.DataFrame) -> str:
    finer = groups.height > back.height and groups["outer"].n_unique() > 1
    if share is None or not finer or share < MOST:
        return "across"
    return "within" if share == 1 else "within, with exceptions"
