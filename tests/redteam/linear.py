"""Linear algebra: which sums over few people follow from the sums that are shown.

What is shown spans a space over the atoms. A vector of that space that is not zero, on atoms that hold 1 to 10
people together, is a sum of those people's answers that anybody can work out.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

#: A result that rests on so few people tells about them.
MOST = 10
#: Smaller entries are rounding.
NOUGHT = 1e-8


def near_sums(shown: np.ndarray, families: list[np.ndarray]) -> np.ndarray:
    """Differences that a person would try: two cells, or a cell and the cells of a breakdown that lie in it.

    `shown` is cells × atoms; `families` are the places of the cells of each breakdown. The sizes are not looked
    at: that is for the caller, who keeps what holds few people.
    """
    cells = shown.astype(float)
    made = [cells]
    first, second = np.triu_indices(len(cells), 1)
    # As many pairs as fit; nesting and coincidence of unions follow below.
    if len(first) > 40_000:
        overlap = cells @ cells.T
        both = overlap[first, second] > 0
        first, second = first[both], second[both]
    made.append(cells[first] - cells[second])
    for places in families:
        inner = cells[places]
        count = inner.sum(axis=1)
        for cell in cells:
            mostly = (inner @ cell) * 2 > count
            mostly &= ~(inner == cell).all(axis=1)
            if mostly.any():
                made.append((cell - inner[mostly].sum(axis=0))[None])
    for places in families:
        for others in families:
            made += cuts(cells[places], cells[others]) if places is not others else []
    return np.concatenate(made)


def cuts(one: np.ndarray, other: np.ndarray) -> list[np.ndarray]:
    """Groups of one breakdown grown step by step into a union that is nearly one of the other."""
    found = []
    for start in one:
        union, rest = start.copy(), np.zeros_like(start)
        for _ in range(4):
            # Whatever of the other breakdown lies mostly in the union, and then the reverse.
            within = (other @ union) * 2 > other.sum(axis=1)
            rest = other[within].sum(axis=0)
            back = (one @ rest) * 2 > one.sum(axis=1)
            again = np.maximum(one[back].sum(axis=0), start)
            found.append((union - rest)[None])
            if (again == union).all():
                break
            union = again
    return found


def reduced(rows: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Reduced row echelon form with pivots taken in the order given, and the pivots."""
    matrix, pivots, top = rows.astype(float).copy(), [], 0
    for place in order:
        if top == len(matrix):
            break
        best = top + int(np.argmax(np.abs(matrix[top:, place])))
        if abs(matrix[best, place]) < NOUGHT:
            continue
        matrix[[top, best]] = matrix[[best, top]]
        matrix[top] /= matrix[top, place]
        factor = matrix[:, place].copy()
        factor[top] = 0
        matrix -= factor[:, None] * matrix[top]
        matrix[np.abs(matrix) < NOUGHT] = 0
        pivots.append(int(place))
        top += 1
    return matrix[:top], pivots


def light_space(shown: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The part of the space that is zero on every atom of more than ten people, in echelon form."""
    order = np.argsort(-size, kind="stable")
    matrix, pivots = reduced(shown, order)
    return matrix[[size[p] <= MOST for p in pivots]]


def few(vectors: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Which vectors rest on 1 to 10 people."""
    people = (np.abs(vectors) > NOUGHT) @ size
    return (people > 0) & (people <= MOST)


def walk(shown: np.ndarray, size: np.ndarray, rng, steps: int = 300) -> list[np.ndarray]:
    """Search the space for vectors on few people, by one exchange of pivots after another.

    Each form in echelon shows as many vectors as the space has dimensions, each zero on all pivots but one: with
    heavy atoms as pivots, a vector on few people turns up soon (information-set decoding).
    """
    matrix = light_space(shown, size)
    found = []
    if not len(matrix):
        return found
    for step in range(steps):
        hit = few(matrix, size)
        found += list(matrix[hit])
        if step % 60 == 59:
            noise = np.log(size + 0.3) + rng.gumbel(size=len(size)) * rng.choice([0.3, 1.0, 2.0])
            matrix, _ = reduced(matrix, np.argsort(-noise))
            continue
        row = int(rng.integers(len(matrix)))
        candidates = np.flatnonzero(np.abs(matrix[row]) > 0.1)
        place = candidates[np.argmax(np.log(size[candidates] + 0.3) + rng.gumbel(size=len(candidates)))]
        matrix[row] /= matrix[row, place]
        factor = matrix[:, place].copy()
        factor[row] = 0
        if factor.any():
            matrix = matrix - factor[:, None] * matrix[row]
            matrix[np.abs(matrix) < NOUGHT] = 0
    return found


def exact(shown: np.ndarray, size: np.ndarray, seconds: float = 5.0) -> np.ndarray | None:
    """Search the whole space by integer programming: a vector on 1 to 10 people, or None where there is none.

    Each atom of few people in turn is given the entry 1; when none is found with it, it is zero in all that
    follow, which takes a dimension away each time.
    """
    space = light_space(shown, size)
    while len(space):
        live = np.flatnonzero((np.abs(space) > NOUGHT).any(axis=0) & (size > 0))
        if not len(live):
            return None
        pivot = live[np.argmin(size[live])]
        v = least(space[:, live], size[live], int(np.flatnonzero(live == pivot)[0]), seconds)
        if v is not None:
            whole = v @ space
            whole[np.abs(whole) < 1e-6] = 0
            return whole
        space, pivots = reduced(space, np.r_[pivot, np.delete(np.arange(len(size)), pivot)])
        space = space[[p != pivot for p in pivots]]
    return None


def least(space: np.ndarray, size: np.ndarray, pivot: int, seconds: float) -> np.ndarray | None:
    dimension, atoms = space.shape
    big = 64.0
    mix = np.hstack([space.T, -big * np.eye(atoms)])
    mirror = np.hstack([-space.T, -big * np.eye(atoms)])
    one = np.r_[space[:, pivot], np.zeros(atoms)][None]
    heads = np.r_[np.zeros(dimension), size][None]
    answer = milp(
        np.r_[np.zeros(dimension), size],
        constraints=[
            LinearConstraint(np.vstack([mix, mirror]), ub=0),
            LinearConstraint(one, 1, 1),
            LinearConstraint(heads, ub=MOST),
        ],
        integrality=np.r_[np.zeros(dimension), np.ones(atoms)],
        bounds=Bounds(
            np.r_[np.full(dimension, -big), np.zeros(atoms)], np.r_[np.full(dimension, big), np.ones(atoms)]
        ),
        options={"time_limit": seconds},
    )
    if answer.status == 1:
        raise TimeoutError("integer programming took too long")
    return None if answer.x is None else answer.x[:dimension]
