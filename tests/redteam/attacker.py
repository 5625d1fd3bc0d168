"""The attacker: what is shown, the organisation chart and time are all there is to work with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tests.redteam import linear
from tests.redteam.people import People

SHOWN = "reported"
#: A rebuilt sum of points or favourable answers may be off by this much and still say what was answered.
CLOSE = 0.05


@dataclass
class Found:
    """What was worked out: by which method, about which measure, and about which people."""

    method: str
    measure: str
    people: frozenset  # atoms
    heads: int
    rebuilt: float
    what: str = "sum"


@dataclass
class Cell:
    """A sum that some other output tells: which measure, which atoms, the sum (or only the base)."""

    measure: str
    inside: np.ndarray
    base: float
    sum: float | None = None


@dataclass
class Shown:
    """Cells of one measure: which atoms, what they sum to, how many people."""

    measure: str
    vectors: np.ndarray
    sums: np.ndarray
    bases: np.ndarray
    breakdowns: list[str]


def scale(unit: str) -> float:
    return 100.0 if unit == "percent" else 1.0


def cells_of(table: pl.DataFrame, people: People) -> dict[str, Shown]:
    """Put what a table shows of each measure as sums over atoms."""
    rows = table.filter(
        (pl.col("status") == SHOWN) & pl.col("estimate").is_not_null() & pl.col("base").is_not_null()
    ).unique(["breakdown", "group", "measure"], maintain_order=True)
    vectors = {
        key: people.vector(*key)
        for key in rows.select("breakdown", "group").unique(maintain_order=True).iter_rows()
    }
    made = {}
    for (measure,), part in rows.group_by("measure", maintain_order=True):
        if measure not in people.values:
            continue
        unit = scale(part["unit"][0])
        made[measure] = Shown(
            measure,
            np.array([vectors[k] for k in part.select("breakdown", "group").iter_rows()]),
            (part["estimate"] * part["base"] / unit).to_numpy(),
            part["base"].to_numpy().astype(float),
            part["breakdown"].to_list(),
        )
    return made


def confirm(method: str, shown: Shown, vectors: list[np.ndarray], people: People) -> list[Found]:
    """Rebuild sums from the released numbers, and keep those that are right."""
    size, truth = people.sizes[shown.measure], people.sums[shown.measure]
    kept, done = [], set()
    for v in vectors:
        inside = np.flatnonzero((np.abs(v) > linear.NOUGHT) & (size > 0))
        key = frozenset(inside.tolist())
        heads = int(size[inside].sum())
        if key in done or not 1 <= heads <= linear.MOST:
            continue
        done.add(key)
        mix = np.linalg.lstsq(shown.vectors.T.astype(float), v, rcond=None)[0]
        if np.abs(mix @ shown.vectors - v).max() > 1e-6:
            continue
        top = v[inside][np.argmax(np.abs(v[inside]))]
        rebuilt, true = mix @ shown.sums / top, (v @ truth) / top
        base, true_base = mix @ shown.bases / top, (v @ size) / top
        if abs(rebuilt - true) < CLOSE and abs(base - true_base) < CLOSE:
            kept.append(Found(method, shown.measure, key, heads, float(rebuilt)))
    return kept


def linear_attack(
    table: pl.DataFrame,
    people: People,
    rng,
    *,
    steps: int = 300,
    exactly: bool = False,
    more: Sequence[Cell] = (),
) -> list[Found]:
    """Attack every measure by the differences a person would try, and some by search."""
    shown = with_more(cells_of(table, people), [c for c in more if c.sum is not None])
    shown = {m: closed(m, s, shown) for m, s in alike(shown).items()}
    patterns = defaultdict(list)
    for measure, cells in shown.items():
        patterns[cells.vectors.tobytes()].append(measure)
    found = []
    for measures in patterns.values():
        cells = shown[measures[0]]
        families = [
            np.flatnonzero(np.array([b == name for b in cells.breakdowns]))
            for name in dict.fromkeys(cells.breakdowns)
            if name != "all"
        ]
        tried = np.unique(linear.near_sums(cells.vectors, families), axis=0)
        for measure in measures:
            size = people.sizes[measure]
            hits = list(tried[linear.few(tried, size)])
            found += confirm("differences", shown[measure], hits, people)
        # The search, for one measure of each pattern and the one of most non-response.
        for measure in {measures[0], min(measures, key=lambda m: people.sizes[m].sum())}:
            size = people.sizes[measure]
            live = size > 0
            hits = linear.walk(cells.vectors[:, live], size[live], rng, steps)
            if exactly and not hits:
                one = linear.exact(cells.vectors[:, live], size[live])
                hits = [] if one is None else [one]
                found += confirm("exact", shown[measure], spread(hits, live), people)
            else:
                found += confirm("search", shown[measure], spread(hits, live), people)
    return found


def alike(shown: dict[str, Shown]) -> dict[str, Shown]:
    """Put the cells of measures together that are the same number wherever both are shown."""
    cells = {
        m: {v.tobytes(): (s, b) for v, s, b in zip(c.vectors, c.sums, c.bases, strict=True)}
        for m, c in shown.items()
    }
    made = {}
    for measure, own in cells.items():
        extra = []
        for other, theirs in cells.items():
            both = set(own) & set(theirs)
            same = all(np.allclose(own[k], theirs[k], rtol=0, atol=1e-9) for k in both)
            if other != measure and len(both) > 1 and same:
                known = set(own) | {k for k, _ in extra}
                extra += [(k, v) for k, v in theirs.items() if k not in known]
        if extra:
            vectors = np.array([np.frombuffer(k, dtype=shown[measure].vectors.dtype) for k, _ in extra])
            sums, bases = np.array([v for _, v in extra]).T
            made[measure] = joined(shown[measure], Shown(measure, vectors, sums, bases, ["all"] * len(extra)))
        else:
            made[measure] = shown[measure]
    return made


def with_more(shown: dict[str, Shown], more: Sequence[Cell]) -> dict[str, Shown]:
    """Add cells that other outputs tell to those of the tables."""
    for measure in {c.measure for c in more}:
        there = shown.get(measure)
        known = set() if there is None else {v.astype(bool).tobytes() for v in there.vectors}
        new = [c for c in more if c.measure == measure and c.inside.tobytes() not in known]
        if not new:
            continue
        made = Shown(
            measure,
            np.array([c.inside for c in new]),
            np.array([np.nan if c.sum is None else c.sum for c in new]),
            np.array([c.base for c in new], dtype=float),
            ["all"] * len(new),
        )
        shown[measure] = made if there is None else joined(there, made)
    return shown


def joined(one: Shown, other: Shown) -> Shown:
    return Shown(
        one.measure,
        np.vstack([one.vectors, other.vectors]),
        np.r_[one.sums, other.sums],
        np.r_[one.bases, other.bases],
        [*one.breakdowns, *other.breakdowns],
    )


def bases_together(
    table: pl.DataFrame, people: People, rng, *, more: Sequence[Cell] = (), steps: int = 200
) -> list[Found]:
    """Work out bases from those of all measures that everybody answered, and from outputs that tell bases only.

    What is known of who responded is then known from any of these measures.
    """
    shown = with_more(cells_of(table, people), more)
    total = people.heads.sum()
    full = [m for m in shown if people.sizes[m].sum() == total]
    found = []
    if full:
        alike = shown[full[0]]
        for m in full[1:]:
            alike = joined(alike, shown[m])
        _, first = np.unique(alike.vectors, axis=0, return_index=True)
        shown = {m: s for m, s in shown.items() if m not in full}
        shown[full[0]] = Shown(
            full[0],
            alike.vectors[first],
            alike.bases[first],
            alike.bases[first],
            [alike.breakdowns[i] for i in first],
        )
    for measure, cells in shown.items():
        if not any(c.measure == measure for c in more) and measure not in full:
            continue
        size = people.sizes[measure]
        live = size > 0
        hits = spread(linear.walk(cells.vectors[:, live], size[live], rng, steps), live)
        for v in hits:
            inside = (np.abs(v) > linear.NOUGHT) & live
            mix = np.linalg.lstsq(cells.vectors.T.astype(float), v, rcond=None)[0]
            if abs(mix @ cells.bases - v @ size) < CLOSE:
                atoms = frozenset(np.flatnonzero(inside).tolist())
                found.append(Found("bases together", measure, atoms, int(size[inside].sum()), 0.0, "base"))
    return found


def spread(vectors, live) -> list[np.ndarray]:
    wide = []
    for v in vectors:
        whole = np.zeros(len(live))
        whole[live] = v
        wide.append(whole)
    return wide


#: Themes, and the sub-scores whose mean they are.
WHOLES = {"staff_engagement": ("motivation", "involvement", "advocacy")}


def closed(measure: str, cells: Shown, shown: dict[str, Shown]) -> Shown:
    """Add the cells of a score that follow from the other scores of its theme, where nobody skipped one."""
    extra = []
    for whole, parts in WHOLES.items():
        if whole not in shown or not all(p in shown for p in parts):
            continue
        tables = {
            m: {v.tobytes(): (s, b) for v, s, b in zip(c.vectors, c.sums, c.bases, strict=True)}
            for m, c in shown.items()
            if m in (whole, *parts)
        }
        if measure not in tables:
            continue
        own = tables[measure]
        others = [m for m in tables if m != measure]
        for key in set.intersection(*(set(tables[m]) for m in others)) - set(own):
            bases = {tables[m][key][1] for m in others}
            if len(bases) == 1:
                sums = {m: tables[m][key][0] for m in others}
                value = (
                    sum(sums.values()) / 3
                    if measure == whole
                    else 3 * sums[whole] - sum(s for m, s in sums.items() if m != whole)
                )
                extra.append((np.frombuffer(key, dtype=bool), value, bases.pop()))
    if not extra:
        return cells
    return Shown(
        measure,
        np.vstack([cells.vectors, *(v[None] for v, _, _ in extra)]),
        np.r_[cells.sums, [s for _, s, _ in extra]],
        np.r_[cells.bases, [b for _, _, b in extra]],
        [*cells.breakdowns, *["all"] * len(extra)],
    )
