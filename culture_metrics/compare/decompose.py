"""Where a change came from: who answered, and what changed within groups of staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.cells import NOT_GIVEN, OTHER, Cells, cells_of
from culture_metrics.compare.pair import Pair, pair_of
from culture_metrics.compare.phrases import beside, moved, with_interval, with_unit
from culture_metrics.compare.pieces import bootstrap, identified, moment_rows, moments, pieces
from culture_metrics.errors import ExtractError
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.catalogue import Measure
    from culture_metrics.compare.pieces import Floats, Pieces
    from culture_metrics.extracts.extract import Extract

#: Bootstrap draws behind every interval.
DRAWS = 1000
COLUMNS = [
    "piece", "breakdown", "group", "estimate", "std_error", "conf_low", "conf_high", "base_from", "base_to",
]  # fmt: skip
MIX, WITHIN, TOGETHER = "Change in staff mix", "Change within groups", "Mix and groups together"


@dataclass(frozen=True)
class ChangeDecomposition:
    """A change between two years, in pieces that sum to it.

    Attributes
    ----------
    table : polars.DataFrame
        `piece` (mix, within, total; interaction only if asked for), `breakdown`, `group`, `estimate,
        std_error, conf_low, conf_high` in points of a percentage or on the 0 to 10 scale, `base_from,
        base_to`. The whole stands as breakdown and group "all", the mix of one breakdown as its group "all".
    measure : Measure
        What changed.
    organisation, from_period, to_period : str
        Of whom, and when.
    from_estimate, to_estimate : float
        The measure in the two years, unweighted.
    labels : mapping
        Breakdowns and how they are called.
    notes : tuple of str
        What a reader has to know: groups pooled, answers not given, years that do not compare.
    """

    table: pl.DataFrame
    measure: Measure
    organisation: str
    from_period: str
    to_period: str
    from_estimate: float
    to_estimate: float
    labels: Mapping[str, str]
    notes: tuple[str, ...]

    def piece(self, piece: str, breakdown: str = ALL, group: str = ALL) -> dict[str, float]:
        """Return the numbers of one row of the table.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        rows = self.table.filter(piece=piece, breakdown=breakdown, group=group)
        if rows.is_empty():
            raise KeyError((piece, breakdown, group))
        return rows.row(0, named=True)

    def figure(self) -> go.Figure:
        """Draw the steps from one year to the other: mix, then what changed within groups."""
        from culture_metrics import views

        total, unit = self.piece("total"), self.measure.unit
        return views.waterfall(
            _steps(self),
            start=(self.from_period, self.from_estimate, total["base_from"]),
            end=(self.to_period, self.to_estimate, total["base_to"]),
            unit=unit,
            title=f"{self.measure.label}: {with_unit(total['estimate'], unit)} from {self.from_period} to "
            f"{self.to_period}, of which staff mix {with_unit(self.piece('mix')['estimate'], unit)}",
            subtitle=f"{self.organisation}. {self.measure.meaning}, unweighted",
            source="Respondents of both years",
            notes=" ".join(self.notes),
        )

    def summary(self) -> str:
        """Say in plain sentences what changed, what staff mix explains, and which group adds most."""
        return " ".join(_sentences(self))

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>"


def decompose_change(
    from_extract: Extract,
    to_extract: Extract,
    measure: str = "recommend_place_to_work",
    by: Sequence[str] = ("occupation_group",),
    *,
    organisation: str | None = None,
    interaction: bool = False,
    minimum_base: int | None = None,
    despite_breaks: bool = False,
) -> ChangeDecomposition:
    """Split the change of a measure between two years into staff mix and change within groups.

    Parameters
    ----------
    from_extract, to_extract : Extract
        Clean extracts of the earlier and the later year (`validate(...).extract`).
    measure : str
        A score or headline percentage, by id or official code of the later year.
    by : sequence of str
        Breakdowns that make the groups, such as `occupation_group`, `age`, `locality_1`.
    organisation : str, optional
        ODS code; needed when the extracts hold several.
    interaction : bool
        Take the earlier year as the standard, with a third piece for what changed together. Left out, both
        years count half and there is none.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own (11) when left out.
    despite_breaks : bool
        Compare across a break of the catalogue all the same, with a warning and a note.

    Returns
    -------
    ChangeDecomposition
        `.table` has rows for `total`, `mix` and `within` of the whole, `mix` of each breakdown, and all pieces
        of each group. The mix of all breakdowns and the within of the whole sum to the total; so do the groups
        of one breakdown to their breakdown. Rows of `total` by group stand with one breakdown only, where mix
        and within of a group sum to what the group adds to the organisation.

    Raises
    ------
    UnknownNameError
        When there is no such measure, breakdown or organisation.
    ComparabilityError
        When the two years may not be compared.
    ExtractError
        When too few answered, a breakdown has fewer than two groups that may be shown, or one breakdown
        follows from another.

    Notes
    -----
    One breakdown: Kitagawa (1955), both years counting half. Several: Oaxaca (1973) and Blinder (1973) with
    the mean of both years' coefficients on dummies of all breakdowns, so that the mix of each breakdown is
    told apart from that of the others; what breakdowns do jointly beyond their sum is part of within. The
    pieces are exact; the sums hold in every bootstrap draw. They are arithmetic and say where a change sits,
    not why it came about.

    Only respondents in the base of the measure count. Those without an answer to a breakdown are a group of
    their own, "Not given". Groups that a table of either year would hide are pooled into "Other groups"; so
    is a group that exists in one year only, for it has no change within.

    Respondents are resampled within the organisation, each year on its own (1,000 draws, percentile
    intervals). People who answered in both years are not known to be the same, so intervals are rather too
    wide than too narrow. Nothing is weighted: official weights would hold the occupation mix fixed.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> old, new = (synthetic.respondents(year, respondents_per_organisation=600) for year in (2023, 2024))
    >>> change = decompose_change(old, new, by=["occupation_group"])
    >>> parts = change.piece("mix")["estimate"] + change.piece("within")["estimate"]
    >>> abs(parts - change.piece("total")["estimate"]) < 1e-12
    True
    """
    by = [_breakdown_id(to_extract, name) for name in dict.fromkeys(by)]
    pair = pair_of(from_extract, to_extract, measure, by, organisation, minimum_base, despite_breaks)
    cells = cells_of(pair, by)
    # Change is the same from any origin; from the middle, rounding is least.
    means = [float(count @ cells.value / count.sum()) for count in cells.counts]
    rows = moment_rows(cells.dummies, cells.value - sum(means) / 2, cells.blocks)

    def statistic(before: Floats, after: Floats) -> Floats:
        return _in_order(
            pieces(moments(before, cells.blocks), moments(after, cells.blocks), cells.blocks, interaction),
            cells.blocks,
            interaction,
        )

    for extract, counts in zip((pair.before, pair.after), cells.counts, strict=True):
        if not identified(moments(counts @ rows / counts.sum(), cells.blocks), cells.blocks):
            raise ExtractError(
                f"The mixes of {' and '.join(by)} cannot be told apart",
                where=f"{pair.organisation}, {extract.period}",
                got="groups of one that follow from groups of the other",
                hint="Leave out the coarser one.",
            )
    numbers = bootstrap(statistic, (rows, cells.counts[0]), (rows, cells.counts[1]), DRAWS)
    return ChangeDecomposition(
        table=_rows(cells, interaction).hstack(pl.DataFrame(numbers)).select(COLUMNS),
        measure=pair.measure,
        organisation=pair.organisation,
        from_period=pair.before.period,
        to_period=pair.after.period,
        from_estimate=means[0],
        to_estimate=means[1],
        labels={name: _label(to_extract, name) for name in by},
        notes=tuple(_notes(pair, cells)),
    )


def _breakdown_id(extract: Extract, name: str) -> str:
    """Return the id of a breakdown; a text column of the extract is a breakdown of its own name."""
    if name in extract.frame.columns and name not in extract.edition.breakdowns:
        return name
    return extract.edition.breakdown(name).id


def _label(extract: Extract, name: str) -> str:
    known = extract.edition.breakdowns.get(name)
    return known.label if known else name


def _in_order(found: Pieces, blocks: Sequence[slice], interaction: bool) -> Floats:
    """Lay the pieces out along the last axis as `_rows` names them."""
    groups = [found.mix, found.within, *([found.interaction] if interaction else [])]
    whole = [found.total, found.mix.sum(-1), *(part[..., blocks[0]].sum(-1) for part in groups[1:])]
    mixes = [found.mix[..., b].sum(-1) for b in blocks]
    single = [np.sum(groups, axis=0)] if len(blocks) == 1 else []
    return np.concatenate([np.stack([*whole, *mixes], axis=-1), *groups, *single], axis=-1)


def _rows(cells: Cells, interaction: bool) -> pl.DataFrame:
    """Name the rows of the table, with their bases."""
    groups = cells.groups
    bases = {"base_from": int(cells.counts[0].sum()), "base_to": int(cells.counts[1].sum())}
    names = ["mix", "within", *(["interaction"] if interaction else [])]
    whole = [{"piece": p, "breakdown": ALL, "group": ALL, **bases} for p in ["total", *names]]
    breakdowns = groups["breakdown"].unique(maintain_order=True)
    mixes = [{"piece": "mix", "breakdown": b, "group": ALL, **bases} for b in breakdowns]
    kinds = [*names, *(["total"] if len(breakdowns) == 1 else [])]
    tables = [pl.DataFrame([*whole, *mixes]), *(groups.with_columns(piece=pl.lit(k)) for k in kinds)]
    return pl.concat(
        t.select("piece", "breakdown", "group", pl.col("base_from", "base_to").cast(pl.UInt32)) for t in tables
    )


def _notes(pair: Pair, cells: Cells) -> list[str]:
    said = [f"The years may not compare: {reason}" for reason in pair.broken]
    for name, some in cells.pooled.items():
        said.append(
            f"{len(some)} groups of {_label(pair.after, name).lower()} are pooled into "
            f"\N{LEFT SINGLE QUOTATION MARK}{OTHER}\N{RIGHT SINGLE QUOTATION MARK}: too small to be shown, "
            "or not in both years."
        )
    for row in cells.groups.filter(group=NOT_GIVEN).iter_rows(named=True):
        shares = [row[b] / counts.sum() for b, counts in zip(("base_from", "base_to"), cells.counts, strict=True)]
        said.append(
            f"{shares[0]:.0%} and {shares[1]:.0%} gave no {_label(pair.after, row['breakdown']).lower()} and are a "
            "group of their own."
        )
    return said


def _steps(change: ChangeDecomposition) -> pl.DataFrame:
    """Return the steps of the waterfall: mix, then within, by group where there is one breakdown."""
    table, single = change.table, len(change.labels) == 1
    label = pl.col("breakdown").replace(dict(change.labels))
    mixes = table.filter(pl.col("piece") == "mix", pl.col("breakdown") != ALL, pl.col("group") == ALL)
    mixes = mixes.with_columns(section=pl.lit(MIX), label=label)
    inside = table.filter(
        pl.col("piece").is_in(["within", "interaction"]),
        (pl.col("group") != ALL) if single else (pl.col("group") == ALL),
    )
    named = pl.col("group") if single else pl.lit("Same groups of every breakdown")
    section = pl.col("piece").replace({"within": WITHIN, "interaction": TOGETHER})
    inside = inside.with_columns(section=section, label=named)
    inside = inside.sort(pl.col("piece") == "interaction", "estimate", descending=[False, True])
    return pl.concat([mixes, inside])


def _sentences(change: ChangeDecomposition) -> list[str]:
    unit, total, mix, within = change.measure.unit, *(change.piece(p) for p in ("total", "mix", "within"))
    names = " and ".join(label.lower() for label in change.labels.values())
    said = [
        moved(change.measure.label, change.from_estimate, change.to_estimate, total, unit)
        + f" between {change.from_period} and {change.to_period}, "
        + beside(total["estimate"], mix["estimate"], "the change in staff mix", unit)
        + "."
    ]
    said.append(f"Staff mix ({names}) comes to {with_interval(mix, unit)}; ")
    said[-1] += f"change within groups to {with_interval(within, unit)}."
    if len(change.labels) == 1:
        groups = change.table.filter(pl.col("piece") == "within", pl.col("group") != ALL)
        way = 1 if within["estimate"] >= 0 else -1
        most = groups.sort(pl.col("estimate") * way, descending=True).row(0, named=True)
        said.append(f"The largest part of it is within {most['group']} ({with_interval(most, unit)}).")
    if total["conf_low"] <= 0 <= total["conf_high"]:
        said.append("The interval of the change holds nought: the pieces may be chance.")
    bases = f"Base {total['base_from']:,} and {total['base_to']:,}."
    return [*said, bases, *change.notes]
