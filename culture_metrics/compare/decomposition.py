"""A change in pieces: the table, its figure and its sentences."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.output import Output
from culture_metrics.wording.changes import beside, moved, with_interval, with_unit
from culture_metrics.wording.numbers import level_rows, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.catalogue import Measure
    from culture_metrics.compare.group_means import GroupMeans
    from culture_metrics.compare.pieces import Floats, Pieces

MIX, WITHIN, TOGETHER = "Change in staff mix", "Change within groups", "Mix and groups together"


@dataclass(frozen=True, repr=False, eq=False)
class ChangeDecomposition(Output):
    """A change between two years, in pieces that sum to it.

    Attributes
    ----------
    table : polars.DataFrame
        `piece` (mix, within, total; interaction only if asked for), `breakdown`, `group`, `estimate,
        std_error, conf_low, conf_high` in points of a percentage or on the scale of the score, `base_from,
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

    def piece(self, piece: str, breakdown: str = ALL, group: str = ALL) -> dict[str, Any]:
        """Return the numbers of one row of the table; a breakdown may be called by its label.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        ids = {label.casefold(): name for name, label in self.labels.items()}
        known = {*self.labels, ALL}
        breakdown = breakdown if breakdown in known else ids.get(breakdown.casefold(), breakdown)
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
            f"{self.to_period}; staff mix {with_unit(self.piece('mix')['estimate'], unit)}",
            subtitle=f"{self.organisation}. {self.measure.meaning}, unweighted",
            source="Respondents of both years",
            notes=" ".join(self.notes),
        )

    def summary(self) -> str:
        """Say in plain sentences what changed, what staff mix explains, and which group adds most."""
        return " ".join(_sentences(self))

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed, pooled or taken as given."""
        return self.notes

    def __repr__(self) -> str:
        return f"ChangeDecomposition({self.summary()})"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def in_order(found: Pieces, blocks: Sequence[slice], interaction: bool) -> Floats:
    """Lay the pieces out along the last axis as `named_rows` names them."""
    groups = [found.mix, found.within, *([found.interaction] if interaction else [])]
    whole = [found.total, found.mix.sum(-1), *(part[..., blocks[0]].sum(-1) for part in groups[1:])]
    mixes = [found.mix[..., b].sum(-1) for b in blocks]
    single = [np.sum(groups, axis=0)] if len(blocks) == 1 else []
    return np.concatenate([np.stack([*whole, *mixes], axis=-1), *groups, *single], axis=-1)


def named_rows(years: GroupMeans, interaction: bool) -> pl.DataFrame:
    """Name the rows of the table, with their bases."""
    groups = years.groups
    bases = {"base_from": years.bases[0], "base_to": years.bases[1]}
    names = ["mix", "within", *(["interaction"] if interaction else [])]
    whole = [{"piece": p, "breakdown": ALL, "group": ALL, **bases} for p in ["total", *names]]
    breakdowns = groups["breakdown"].unique(maintain_order=True)
    mixes = [{"piece": "mix", "breakdown": b, "group": ALL, **bases} for b in breakdowns]
    kinds = [*names, *(["total"] if len(breakdowns) == 1 else [])]
    tables = [pl.DataFrame([*whole, *mixes]), *(groups.with_columns(piece=pl.lit(k)) for k in kinds)]
    return pl.concat(
        t.select("piece", "breakdown", "group", pl.col("base_from", "base_to").cast(pl.UInt32))
        for t in tables
    )


def _steps(change: ChangeDecomposition) -> pl.DataFrame:
    """Return the steps of the waterfall: mix, then within, by group where there is one breakdown."""
    table, single = change.table, len(change.labels) == 1
    label = pl.col("breakdown").replace(dict(change.labels))
    mixes = table.filter(pl.col("piece") == "mix", pl.col("breakdown") != ALL, pl.col("group") == ALL)
    mixes = mixes.with_columns(section=pl.lit(MIX), label=label)
    both = pl.min_horizontal("base_from", "base_to") > 0
    inside = table.filter(
        pl.col("piece").is_in(["within", "interaction"]),
        ((pl.col("group") != ALL) & both) if single else (pl.col("group") == ALL),
    )
    named = pl.col("group") if single else pl.lit("Same groups of every breakdown")
    section = pl.col("piece").replace({"within": WITHIN, "interaction": TOGETHER})
    inside = inside.with_columns(section=section, label=named)
    inside = inside.sort(pl.col("piece") == "interaction", "estimate", descending=[False, True])
    return pl.concat([mixes, inside])


def _sentences(change: ChangeDecomposition) -> list[str]:
    unit, total, mix, within = change.measure.unit, *(change.piece(p) for p in ("total", "mix", "within"))
    *rest, last = (label.lower() for label in change.labels.values())
    names = f"{', '.join(rest)} and {last}" if rest else last
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
        level = level_rows(groups, "estimate", unit, highest=within["estimate"] >= 0)
        most = level.row(0, named=True)
        if level.height == 1:
            said.append(f"The largest part of it is within {most['group']} ({with_interval(most, unit)}).")
        else:
            each = f"({with_unit(most['estimate'], unit)} each)"
            said.append(f"The largest parts of it are within {together(level['group'])} {each}.")
    if total["conf_low"] is None:
        said.append("There is no interval: the results give no standard errors.")
    elif total["conf_low"] <= 0 <= total["conf_high"]:
        said.append("The interval of the change includes none: the pieces may be chance.")
    bases = f"Base {total['base_from']:,} and {total['base_to']:,}."
    return [*said, bases, *change.notes]
