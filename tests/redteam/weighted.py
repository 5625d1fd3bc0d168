"""Weighted beside unweighted results: one cell told twice, and an effective base that tells who is in it.

Weights are constant within a class (occupation groups that share a weight, organisations) and their formula is
public. Who knows how many of each class a cell holds knows one sum more of that cell.
"""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl

from tests.redteam import linear
from tests.redteam.attacker import SHOWN, Found, Shown, confirm, scale, spread
from tests.redteam.people import People

#: More ways than this to fill the classes of a cell are not gone through.
WAYS = 400_000


def grain(numbers: np.ndarray) -> float:
    """By how much a printed number may be off: half the coarsest step that all numbers are multiples of."""
    numbers = numbers[np.isfinite(numbers)]
    for step in (100, 50, 20, 10, 5, 1, 0.1, 0.01, 0.001):
        if len(numbers) and np.abs(numbers / step - np.round(numbers / step)).max() < 1e-9:
            return float(step)
    return 1e-7


def ways(base: int, classes: int) -> np.ndarray | None:
    """All ways to put so many people into classes, each way a row; None where there are too many."""
    if classes == 1:
        return np.array([[base]])
    if (base + 1) ** (classes - 1) > WAYS * 4:
        return None
    free = np.stack(
        [g.ravel() for g in np.meshgrid(*[np.arange(base + 1)] * (classes - 1), indexing="ij")], axis=1
    )
    free = free[free.sum(axis=1) <= base]
    return np.column_stack([base - free.sum(axis=1), free])


def fitting(base: int, effective: float, weight: np.ndarray, off: float) -> np.ndarray | None:
    """Ways to fill the classes that give this effective base."""
    made = ways(base, len(weight))
    if made is None:
        return None
    effect = (made @ weight) ** 2 / (made @ weight**2)
    return made[np.abs(effect - effective) <= off * (1 + 1e-9)]


def counts_fit(made: np.ndarray, weight: np.ndarray, mean: float, counted: float) -> np.ndarray:
    """Of ways to fill two classes, those in which a whole number of favourable answers gives both percentages."""
    first, second = made[:, 0], made[:, 1]
    low, high = weight
    # Favourable answers of the second class, from the weighted share and the unweighted count together.
    total = mean * (low * first + high * second)
    y = (total - low * counted) / (high - low)
    whole = np.abs(y - np.round(y)) < 1e-6
    y = np.round(y)
    return made[whole & (y >= 0) & (y <= second) & (counted - y >= 0) & (counted - y <= first)]


def weighted_attack(
    table: pl.DataFrame, people: People, weight: np.ndarray, rng, *, measures: int = 3
) -> list[Found]:
    """Attack unweighted and weighted results of one organisation (or of all) together.

    `weight` is that of each atom. Composition is searched for by effective base, and by the two percentages.
    """
    shown = table.filter((pl.col("status") == SHOWN) & pl.col("measure").is_in(list(people.values)))
    found: list[Found] = []
    names = shown["measure"].unique(maintain_order=True).to_list()
    for measure in map(str, rng.permutation(names)[:measures]):
        rows = shown.filter(pl.col("measure") == measure)
        unit = scale(rows["unit"][0])
        size = people.sizes[measure]
        plain = rows.filter(pl.col("weighting") == "none")
        heavy = rows.filter(pl.col("weighting") != "none")
        effects = heavy["effective_base"].fill_null(float("nan")).to_numpy()
        off = grain(effects)
        vectors, sums, bases = [], [], []
        told_plain = {}
        for r in plain.iter_rows(named=True):
            v = people.vector(r["breakdown"], r["group"]).astype(float)
            told_plain[v.tobytes()] = r
            vectors.append(v)
            sums.append(r["estimate"] * r["base"] / unit)
            bases.append(float(r["base"]))
        before = len(vectors)
        for r in heavy.iter_rows(named=True):
            inside = people.vector(r["breakdown"], r["group"])
            classes = np.unique(np.round(weight[inside & (people.heads > 0)], 10))
            made = None
            if len(classes) == 1:
                made = np.array([[r["base"]]])
            elif r["effective_base"] is not None:
                made = fitting(r["base"], r["effective_base"], classes, off)
            twin = told_plain.get(inside.astype(float).tobytes())
            if len(classes) == 2 and twin is not None and r["unit"] == "percent":
                every = made if made is not None else ways(r["base"], 2)
                made = counts_fit(
                    every, classes, r["estimate"] / unit, round(twin["estimate"] * twin["base"] / unit)
                )
            if made is None or len(made) != 1:
                continue
            true = [int(size[inside & np.isclose(weight, c)].sum()) for c in classes]
            if list(made[0]) != true:
                continue
            for c, n in zip(classes, true, strict=True):
                here = inside & np.isclose(weight, c) & (size > 0)
                if 1 <= n <= linear.MOST and len(classes) > 1:
                    found.append(
                        Found(
                            "effective base", measure, frozenset(np.flatnonzero(here).tolist()), n, n, "base"
                        )
                    )
            of = made[0] @ classes
            vectors.append(weight * inside)
            sums.append(r["estimate"] / unit * of)
            bases.append(of)
        if len(vectors) == before:
            continue
        cells = Shown(measure, np.array(vectors), np.array(sums), np.array(bases), [])
        live = size > 0
        pairs = [
            (vectors[j] - vectors[i] * c)
            for i, j in itertools.product(range(before), range(before, len(vectors)))
            if (vectors[i] * vectors[j]).any()
            for c in np.unique(vectors[j][(vectors[i] > 0) & (vectors[j] > 0)])
        ]
        hits = [v for v in pairs if linear.few(v[None], size)[0]]
        hits += spread(linear.walk(cells.vectors[:, live], size[live], rng, 200), live)
        found += confirm("weighted", cells, hits, people)
    return found


def national_attack(
    table: pl.DataFrame, people: People, weight: np.ndarray, rng, *, measures: int = 3
) -> list[Found]:
    """Attack the results of organisations beside figures of all organisations weighted by their size.

    A group of all organisations tells the base of the one organisation whose group is hidden, and the effective
    base how many respondents it is weighted to. The weight of each organisation is its staff over respondents.
    """
    shown = table.filter((pl.col("status") == SHOWN) & pl.col("measure").is_in(list(people.values)))
    names = shown["measure"].unique(maintain_order=True).to_list()
    found: list[Found] = []
    for measure in map(str, rng.permutation(names)[:measures]):
        rows = shown.filter(pl.col("measure") == measure)
        unit, size = scale(rows["unit"][0]), people.sizes[measure]
        own = rows.filter(pl.col("organisation") != "all")
        nation = rows.filter(pl.col("organisation") == "all")
        vectors = [organisation_cell(people, r) for r in own.iter_rows(named=True)]
        sums = [r["estimate"] * r["base"] / unit for r in own.iter_rows(named=True)]
        bases = [float(r["base"]) for r in own.iter_rows(named=True)]
        # Bases of the country and of organisations add up, whatever the weights.
        counts = [*vectors, *(organisation_cell(people, r) for r in nation.iter_rows(named=True))]
        number = np.array([*bases, *(float(r["base"]) for r in nation.iter_rows(named=True))])
        if not counts:
            continue
        live = size > 0
        hits = spread(linear.walk(np.array(counts)[:, live], size[live], rng, 200), live)
        known = Shown(measure, np.array(counts), np.array(counts) @ people.sums[measure], number, [])
        for f in confirm("base of all organisations", known, hits, people):
            found.append(Found(f.method, measure, f.people, f.heads, f.heads, "base"))
        # With the bases of all its organisations at hand, a weighted mean is one sum more.
        off = grain(nation["effective_base"].fill_null(float("nan")).to_numpy())
        reached, made = linear_span(np.array(counts)), 0
        for r in nation.iter_rows(named=True):
            inside = organisation_cell(people, r)
            each = [
                inside * np.isclose(weight, w) for w in np.unique(np.round(weight[(inside > 0) & live], 10))
            ]
            if not all(reached(v) for v in each):
                continue
            n = np.array([v @ size for v in each])
            w = np.array([weight[(v > 0)][0] for v in each])
            # Who does not know how many responded tries all numbers, and looks at the effective base.
            if r["effective_base"] is None or abs((n @ w) ** 2 / (n @ w**2) - r["effective_base"]) > off:
                continue
            vectors.append(weight * inside)
            sums.append(r["estimate"] / unit * (n @ w))
            bases.append(n @ w)
            made += 1
        if made:
            cells = Shown(measure, np.array(vectors), np.array(sums), np.array(bases), [])
            hits = spread(linear.walk(cells.vectors[:, live], size[live], rng, 200), live)
            found += confirm("weighted", cells, hits, people)
    return found


def split_attack(table: pl.DataFrame, people: People, eligible: dict[str, int], rng) -> list[Found]:
    """Tell hidden organisations apart by the effective base of all together, where everybody answered.

    Nothing is known of them but their staff and how many responded in all of them.
    """
    shown = table.filter((pl.col("status") == SHOWN) & (pl.col("breakdown") == "all"))
    found: list[Found] = []
    every = [n for n in dict.fromkeys(people.groups["organisation"]) if n in eligible]
    for measure in map(str, rng.permutation(sorted(set(shown["measure"]) & set(people.values)))[:3]):
        rows = shown.filter(pl.col("measure") == measure)
        own = {r["organisation"]: r["base"] for r in rows.iter_rows(named=True) if r["organisation"] != "all"}
        nation = rows.filter(pl.col("organisation") == "all")
        hidden = [n for n in every if n not in own]
        if nation.height != 1 or not 1 <= len(hidden) <= 3 or nation["effective_base"][0] is None:
            continue
        left = nation["base"][0] - sum(own.values())
        made = ways(left, len(hidden)) if left > 0 else None
        if made is None:
            continue
        made = made[(made > 0).all(axis=1)]
        # Weights are staff over respondents, so that w n = staff and w² n = staff²/n.
        square = sum(eligible[n] ** 2 / b for n, b in own.items())
        square = square + (np.array([eligible[n] for n in hidden]) ** 2 / made).sum(axis=1)
        staff = sum(eligible[n] for n in every)
        off = grain(nation["effective_base"].to_numpy())
        made = made[np.abs(staff**2 / square - nation["effective_base"][0]) <= off]
        size = people.sizes[measure]
        true = [int(size[people.vector("organisation", n)].sum()) for n in hidden]
        if len(made) == 1 and list(made[0]) == true:
            for name, n in zip(hidden, true, strict=True):
                if n <= linear.MOST:
                    atoms = frozenset(
                        np.flatnonzero(people.vector("organisation", name) & (size > 0)).tolist()
                    )
                    found.append(Found("effective base", measure, atoms, n, n, "base"))
    return found


def size_weights(people: People, eligible: dict[str, int]) -> np.ndarray:
    """The weight of the respondents of each atom: staff of their organisation over its respondents."""
    weight = np.zeros(people.atoms)
    for name in set(people.groups["organisation"]):
        here = people.vector("organisation", name)
        weight[here] = eligible.get(name, 0) / people.heads[here].sum()
    return weight


def organisation_cell(people: People, row: dict) -> np.ndarray:
    inside = people.vector(row["breakdown"], row["group"])
    if row["organisation"] != "all":
        inside = inside & people.vector("organisation", row["organisation"])
    return inside.astype(float)


def linear_span(rows: np.ndarray):
    """Return the test whether a vector is a combination of these rows."""
    _, singular, right = np.linalg.svd(rows, full_matrices=False)
    basis = right[singular > 1e-9 * singular[0]]

    def reached(v: np.ndarray) -> bool:
        return bool(np.abs(v - (v @ basis.T) @ basis).max() < 1e-8)

    return reached
