"""Bounds: what whole numbers of people, none negative, leave open about bases and counts that are not shown.

Unknown are the respondents of each atom to each measure. Known are the shown bases of all measures, what a status
says, how scores are made of questions, and that nobody answers a question who did not respond.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.optimize import linprog
from scipy.sparse import coo_array, eye_array, hstack, vstack

from tests.redteam import linear
from tests.redteam.attacker import SHOWN, Found, cells_of
from tests.redteam.people import People

#: Scores, what they are the mean of, and how many of these a respondent must have.
MADE_OF = {
    "motivation": (("look_forward_to_work", "enthusiastic_about_job", "time_passes_quickly"), 2),
    "involvement": (("can_show_initiative", "can_make_suggestions", "can_make_improvements"), 2),
    "advocacy": (("care_is_top_priority", "recommend_place_to_work", "recommend_for_treatment"), 2),
    "staff_engagement": (("motivation", "involvement", "advocacy"), 2),
}


class Base:
    """Linear system of what is known about how many answered what.

    With the `chart` of every combination of groups that exists, each of them holds somebody.
    """

    def __init__(self, table: pl.DataFrame, people: People, measures: list[str], *, chart: bool = False):
        self.people, self.measures, self.chart = people, measures, chart
        self.atoms = people.atoms
        self.equal: list[tuple[np.ndarray, float]] = []
        self.most: list[tuple[np.ndarray, float]] = []
        # Block 0 holds all who responded, then one block a measure.
        self.block = {m: i + 1 for i, m in enumerate(measures)}
        self.width = self.atoms * (len(measures) + 1)
        self.hidden: list[tuple[str, np.ndarray]] = []
        seen = set()
        for row in table.select("breakdown", "group", "measure", "base", "status").iter_rows():
            breakdown, group, measure, base, status = row
            if measure not in self.block or (key := (breakdown, group, measure, status, base)) in seen:
                continue
            seen.add(key)
            inside = people.vector(breakdown, group)
            if status == SHOWN and base is not None:
                self.equal.append((self.row((measure, inside, 1)), base))
                continue
            self.hidden.append((measure, inside))
            if status == "suppressed_small_base":
                self.most.append((self.row((measure, inside, 1)), linear.MOST))
            elif status == "suppressed_secondary":
                self.most.append((self.row((measure, inside, -1)), -linear.MOST - 1))
        self.relations()

    def row(self, *parts) -> np.ndarray:
        """Coefficients of a sum over (measure, atoms, factor); no measure stands for all who responded."""
        row = np.zeros(self.width)
        for measure, inside, factor in parts:
            start = self.atoms * (0 if measure is None else self.block[measure])
            row[start : start + self.atoms] += factor * np.asarray(inside, dtype=float)
        return row

    def relations(self) -> None:
        each = np.eye(self.atoms)
        # How many responded is told with every response rate; that a group has somebody, by its row.
        self.equal.append((self.row((None, np.ones(self.atoms), 1)), int(self.people.heads.sum())))
        self.most += [(self.row((None, inside, -1)), -1) for _, inside in self.hidden]
        if self.chart:
            self.most += [(self.row((None, one, -1)), -1) for one in each]
        for measure in self.measures:
            for one in each:
                self.most.append((self.row((measure, one, 1), (None, one, -1)), 0))
        for whole, (parts, needed) in MADE_OF.items():
            if whole not in self.block or not all(p in self.block for p in parts):
                continue
            count = len(parts)
            for one in each:
                terms = [(p, one, 1) for p in parts]
                # Whoever has the score has `needed` parts; whoever has not, has fewer.
                self.most.append((self.row((whole, one, needed), *((p, i, -f) for p, i, f in terms)), 0))
                self.most.append(
                    (self.row(*terms, (whole, one, needed - 1 - count), (None, one, 1 - needed)), 0)
                )

    def matrix(self, rows):
        if not rows:
            return None, None
        return coo_array(np.array([r for r, _ in rows])).tocsr(), np.array([b for _, b in rows], dtype=float)

    def prepare(self) -> None:
        self.a_eq, self.b_eq = self.matrix(self.equal)
        self.a_ub, self.b_ub = self.matrix(self.most)

    def loose(self, rows: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Tell which sums can be one higher than they are, all in one programme: these are not pinned down.

        Only to save the time of `between`: what is true is one solution, so a higher one leaves two.
        """
        count, inequalities = (
            len(rows),
            [] if self.a_ub is None else [hstack([self.a_ub, zeros(self.a_ub, len(rows))])],
        )
        inequalities.append(hstack([coo_array(-rows), eye_array(count)]))
        answer = linprog(
            np.r_[np.zeros(rows.shape[1]), -np.ones(count)],
            A_ub=vstack(inequalities),
            b_ub=np.r_[[] if self.b_ub is None else self.b_ub, -(rows @ truth)],
            A_eq=None if self.a_eq is None else hstack([self.a_eq, zeros(self.a_eq, count)]),
            b_eq=self.b_eq,
            bounds=[(0, None)] * rows.shape[1] + [(None, 1)] * count,
            method="highs",
        )
        if answer.status != 0:
            raise ArithmeticError(answer.message)
        return answer.x[-count:] > 1 - 1e-6

    def between(self, target: np.ndarray) -> tuple[float, float]:
        """Lowest and highest number that a sum of unknowns can take, in whole numbers."""
        ends = []
        for sign in (1, -1):
            answer = linprog(
                sign * target, A_ub=self.a_ub, b_ub=self.b_ub, A_eq=self.a_eq, b_eq=self.b_eq, method="highs"
            )
            if answer.status == 3:
                ends.append(np.inf)
            elif answer.status != 0:
                raise ArithmeticError(answer.message)
            else:
                ends.append(sign * answer.fun)
            if sign == 1 and not np.isfinite(ends[0]):
                return 0, np.inf
        return np.ceil(ends[0] - 1e-6), np.floor(ends[1] + 1e-6)


def zeros(beside, columns: int) -> coo_array:
    return coo_array((beside.shape[0], columns))


def pinned(system: Base, rows: np.ndarray, truth: np.ndarray) -> tuple[list[tuple[int, float]], int]:
    """Which sums can be one number only, with that number; and how often the system does not hold the truth."""
    found, mistaken = [], 0
    try:
        left = np.flatnonzero(~system.loose(rows, truth))
    except ArithmeticError:
        return [], len(rows)
    for place in left:
        try:
            low, high = system.between(rows[place])
        except ArithmeticError:
            mistaken += 1
            continue
        if not low <= rows[place] @ truth <= high:
            mistaken += 1
        elif low == high:
            found.append((int(place), float(low)))
    return found, mistaken


def related(measure: str, measures: list[str], rng, most: int) -> list[str]:
    """A measure, what it is made of and what it is part of, and some others."""
    near = {measure}
    for whole, (parts, _) in MADE_OF.items():
        if measure == whole or measure in parts:
            near |= {whole, *parts}
    rest = [m for m in measures if m not in near]
    near_list = [m for m in measures if m in near]
    return (near_list + list(rng.permutation(rest)))[: max(most, len(near_list))]


def targets(table: pl.DataFrame, people: People, measure: str, rng, most: int) -> list[np.ndarray]:
    """Sets of 1 to 10 respondents worth asking about: hidden groups, atoms, and what parts two groups."""
    size = people.sizes[measure]
    keys = table.filter(pl.col("measure") == measure).select("breakdown", "group").unique(maintain_order=True)
    groups = np.array([people.vector(*k) for k in keys.iter_rows()])
    first = list(groups)
    second = list(np.eye(people.atoms, dtype=bool))
    pairs = rng.integers(len(groups), size=(40, 2))
    for i, j in pairs:
        second += [groups[i] & groups[j], groups[i] & ~groups[j], groups[i] ^ groups[j]]
    kept, done = [], set()
    for pool in (first, second):
        for place in rng.permutation(len(pool)):
            t = pool[place]
            if 1 <= size[t].sum() <= linear.MOST and t.tobytes() not in done:
                done.add(t.tobytes())
                kept.append(t)
    return kept[:most]


def base_attack(
    table: pl.DataFrame,
    people: People,
    rng,
    *,
    each: int = 6,
    measures: int = 2,
    wide: int = 6,
    chart: bool = False,
):
    """Bound the bases of hidden groups and small sets, from the bases of several measures together."""
    table = table.filter(pl.col("measure").is_in(list(people.values)))
    names = table["measure"].unique(maintain_order=True).to_list()
    found, mistaken = [], 0
    for measure in map(str, rng.permutation(names)[:measures]):
        wanted = targets(table, people, measure, rng, each)
        if not wanted:
            continue
        near = related(measure, names, rng, wide)
        system = Base(table, people, near, chart=chart)
        system.prepare()
        truth = np.concatenate([people.heads, *(people.sizes[m] for m in near)]).astype(float)
        rows = np.array([system.row((measure, inside, 1)) for inside in wanted])
        exact, wrong = pinned(system, rows, truth)
        mistaken += wrong
        method, what = ("base by bounds and chart", "chart") if chart else ("base by bounds", "base")
        found += [told(method, measure, wanted[k], people, low, what) for k, low in exact]
    return found, mistaken


def told(method: str, measure: str, inside: np.ndarray, people: People, number: float, what: str) -> Found:
    size = people.sizes[measure]
    atoms = frozenset(np.flatnonzero(inside & (size > 0)).tolist())
    return Found(method, measure, atoms, int(size[inside].sum()), number, what)


def count_attack(table: pl.DataFrame, people: People, rng, *, each: int = 4, measures: int = 1):
    """Bound how many of a small set are counted by a percentage, from the shown bases and percentages.

    What lies in a group of which everybody, or nobody, is counted is known from that group alone, whatever is
    hidden: such sets are left out here.
    """
    shown = {m: s for m, s in cells_of(table, people).items() if unit_of(table, m) == "percent"}
    found, mistaken = [], 0
    for measure in map(str, rng.permutation(list(shown))[:measures]):
        cells = shown[measure]
        plain = np.zeros(people.atoms, dtype=bool)
        for v, s, b in zip(cells.vectors, cells.sums, cells.bases, strict=True):
            if s < 0.5 or s > b - 0.5:
                plain |= v
        wanted = [t for t in targets(table, people, measure, rng, each * 3) if not (t & plain).any()][:each]
        if not wanted:
            continue
        n, vectors = people.atoms, cells.vectors.astype(float)
        zero = np.zeros_like(vectors)
        system = Base(table, people, [measure])
        system.prepare()
        # Unknown: who responded, who answered, who is counted.
        counted = coo_array(np.hstack([zero, zero, vectors]))
        system.a_eq = vstack([hstack([system.a_eq, zeros(system.a_eq, n)]), counted])
        system.b_eq = np.r_[system.b_eq, np.round(cells.sums)]
        among = hstack([coo_array((n, n)), -eye_array(n), eye_array(n)])
        system.a_ub = vstack([hstack([system.a_ub, zeros(system.a_ub, n)]), among])
        system.b_ub = np.r_[system.b_ub, np.zeros(n)]
        truth = np.concatenate([people.heads, people.sizes[measure], people.sums[measure]])
        rows = np.array([np.r_[np.zeros(2 * n), inside] for inside in wanted])
        exact, wrong = pinned(system, rows, truth)
        mistaken += wrong
        for k, low in exact:
            alike = low == 0 or low == people.sizes[measure][wanted[k]].sum()
            method = "count by bounds (all alike)" if alike else "count by bounds"
            found.append(told(method, measure, wanted[k], people, low, "count"))
    return found, mistaken


def unit_of(table: pl.DataFrame, measure: str) -> str:
    return table.filter(pl.col("measure") == measure)["unit"][0]
