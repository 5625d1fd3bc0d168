"""Attack many random extracts of a kind and count what was worked out."""

from __future__ import annotations

import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from tests.redteam import objects
from tests.redteam.attacker import SHOWN, Cell, Found, bases_together, linear_attack, scale
from tests.redteam.bounds import base_attack, count_attack
from tests.redteam.extracts import Case, make
from tests.redteam.linear import MOST
from tests.redteam.people import People
from tests.redteam.releases import atom_weights, people_of, released
from tests.redteam.weighted import national_attack, size_weights, split_attack, weighted_attack
from tests.redteam.whole_numbers import whole_number_attack


@dataclass(frozen=True)
class Effort:
    """How hard to try."""

    steps: int = 200
    exactly: bool = False
    each: int = 4
    measures: int = 1


QUICK = Effort()
FULL = Effort(steps=400, exactly=True, each=8, measures=2)


@dataclass
class Outcome:
    """What was worked out about one extract, and what the library did to prevent it."""

    kind: str
    seed: int
    found: list[Found] = field(default_factory=list)
    texts: Counter = field(default_factory=Counter)
    hidden: Counter = field(default_factory=Counter)
    mistaken: int = 0
    refused: int = 0
    called: float = 0.0
    attacked: float = 0.0

    @property
    def people(self) -> int:
        """Persons of whom an answer was rebuilt."""
        return len({f.people for f in self.found if f.what == "sum" and f.heads == 1})

    @property
    def sums(self) -> int:
        """Sets of 2 to 10 people of whom a sum of answers was rebuilt."""
        return len({f.people for f in self.found if f.what == "sum" and f.heads > 1})

    @property
    def bases(self) -> int:
        """Sets of 1 to 10 people whose number was worked out, and measures."""
        return len({(f.measure, f.people) for f in self.found if f.what == "base"})

    @property
    def counts(self) -> int:
        """Sets of 1 to 10 people of whom it is told how many are counted, by bounds."""
        return len({(f.measure, f.people) for f in self.found if f.what == "count"})

    @property
    def any(self) -> bool:
        return bool(self.people + self.sums + self.bases + sum(self.texts.values()))


def attack(case: Case, effort: Effort = QUICK) -> Outcome:
    outcome = Outcome(case.kind, case.seed)
    rng = np.random.default_rng(case.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if case.kind == "texts":
            started = time.perf_counter()
            read_texts(case, outcome)
            outcome.called = time.perf_counter() - started
            return outcome
        started = time.perf_counter()
        release = released(case)
        outcome.called, outcome.refused = time.perf_counter() - started, release.refused
        started = time.perf_counter()
        everybody = people_of(case)
        cells = other_cells(case, everybody, release.together, outcome)
        for year, people in enumerate(everybody):
            table = release.together.filter(pl.col("period") == case.extracts[year].period)
            attack_table(case, table, people, outcome, rng, effort, cells[year])
        outcome.attacked = time.perf_counter() - started
    return outcome


def other_cells(
    case: Case, everybody: list[People], table: pl.DataFrame, outcome: Outcome
) -> list[list[Cell]]:
    """Call what gives no table of results, attack that, and return what it tells about groups."""
    cells: list[list[Cell]] = [[] for _ in everybody]
    for call in case.calls:
        measure = call.options.get("measure", "")
        if call.verb == "decompose":
            made = objects.decomposition_cells(case.extracts, everybody, measure, call.by[0])
            cells = [a + b for a, b in zip(cells, made, strict=True)]
        for year, (extract, people) in enumerate(zip(case.extracts, everybody, strict=True)):
            if call.verb == "agreement" and (told := objects.agreement_told(extract, measure, call.by[0])):
                outcome.found += objects.agreement_attack(told, people, measure, call.by[0], table)
                cells[year] += objects.agreement_cells(told, people, measure, call.by[0])
            if call.verb == "draws":
                outcome.found += objects.draws_attack(extract, people, measure)
    for made, people in zip(cells, everybody, strict=True):
        for c in made:
            size, true = people.sizes[c.measure], people.sums[c.measure]
            wrong = abs(size[c.inside].sum() - c.base) > 1e-6
            wrong |= c.sum is not None and abs(true[c.inside].sum() - c.sum) > 1e-6
            outcome.mistaken += int(wrong)
    return cells


def attack_table(
    case: Case, table: pl.DataFrame, people: People, outcome: Outcome, rng, effort: Effort, more: list[Cell]
) -> None:
    count_hidden(table, people, outcome)
    if case.kind == "organisations":
        eligible = next(c.options["eligible"] for c in case.calls if "eligible" in c.options)
        outcome.found += national_attack(table, people, size_weights(people, eligible), rng)
        outcome.found += split_attack(table, people, eligible, rng)
        return
    plain = table.filter(pl.col("weighting") == "none")
    outcome.found += linear_attack(plain, people, rng, steps=effort.steps, exactly=effort.exactly, more=more)
    outcome.found += bases_together(plain, people, rng, steps=effort.steps, more=more)
    if case.kind == "weighted":
        weight = atom_weights(case, people, case.calls[-1])
        outcome.found += weighted_attack(table, people, weight, rng)
        outcome.found += whole_number_attack(table, people, weight, rng)
    for method in (base_attack, count_attack, *([chart_attack] if effort.exactly else [])):
        found, mistaken = method(plain, people, rng, each=effort.each, measures=effort.measures)
        outcome.found += found
        outcome.mistaken += mistaken


def chart_attack(table: pl.DataFrame, people: People, rng, *, each: int, measures: int):
    """Bound bases as one who knows every combination of groups that exists: counted, not asserted."""
    return base_attack(table, people, rng, each=each, measures=measures, chart=True)


def count_hidden(table: pl.DataFrame, people: People, outcome: Outcome) -> None:
    """Count cells by whether they are shown, and see that what is shown is what the attacker takes it for.

    A release that he reads wrongly proves nothing when he finds little. A hidden row that holds a number is a find.
    """
    keys = ["organisation", "breakdown", "group", "measure", "weighting"]
    numbers = ["unit", "status", "estimate", "std_error", "base", "effective_base"]
    fates: dict[tuple, str] = {}
    for organisation, breakdown, group, measure, weighting, unit, status, *rest in table.select(
        keys + numbers
    ).iter_rows():
        if measure not in people.values:
            continue
        inside = people.vector(breakdown, group)
        if "organisation" in people.breakdowns and organisation != "all":
            inside = inside & people.vector("organisation", organisation)
        size, total = int(people.sizes[measure][inside].sum()), people.sums[measure][inside].sum()
        key = (organisation, breakdown, group, measure, weighting)
        estimate, _, base, _ = rest
        if status == SHOWN:
            fates[key] = "shown"
            wrong = base != size
            wrong |= weighting == "none" and abs(estimate / scale(unit) - total / max(size, 1)) > 1e-3
            outcome.mistaken += int(wrong)
        else:
            fates.setdefault(key, "primary" if size <= MOST else "additional")
            if any(r is not None for r in rest):
                atoms = frozenset(np.flatnonzero(inside).tolist())
                outcome.found.append(Found("number in a hidden row", measure, atoms, size, 0.0))
    outcome.hidden.update(fates.values())


def read_texts(case: Case, outcome: Outcome) -> None:
    first, second = case.extracts
    small = [objects.small_groups(labels.drop("contact")) for labels in case.labels]
    check = objects.validation_texts(first)
    pair = objects.pair_texts(first, second)
    # Of two years, a name is no secret where one of them has enough people; how few the other has, is.
    both = small[0] | small[1]
    known = set().union(*(objects.large_groups(labels) for labels in case.labels))
    rare = {name: n for name, n in both.items() if name not in known}
    outcome.texts["names"] = len(objects.named_in(check, small[0])) + len(objects.named_in(pair, rare))
    outcome.texts["counts"] = len(objects.counted_in(check, small[0])) + len(objects.counted_in(pair, both))
    outcome.texts["addresses"] = len(objects.addresses_in(check + pair))
    try:
        groups = cm.estimate(first, by=["contact"]).table["group"].unique()
        outcome.texts["addresses"] += len(objects.addresses_in("\n".join(groups)))
    except CultureMetricsError:
        outcome.refused += 1


def campaign(
    kind: str, extracts: int, seed: int = 0, effort: Effort = QUICK, *, strict: bool = False
) -> list[Outcome]:
    outcomes = []
    for number in range(seed, seed + extracts):
        try:
            outcomes.append(attack(make(kind, number), effort))
        except Exception:
            if strict:
                raise
            where = traceback.format_exc().splitlines()
            print(f"{kind} {number}: the attack broke off: {where[-3].strip()}: {where[-1]}")
    return outcomes


def line(kind: str, outcomes: list[Outcome]) -> str:
    """Return one row of the table: what was found among the extracts of a kind."""
    hidden = sum((o.hidden for o in outcomes), Counter())
    texts = sum((o.texts for o in outcomes), Counter())
    methods = Counter(m for o in outcomes for m in {f.method for f in o.found})
    cells = [
        kind,
        len(outcomes),
        sum(o.any for o in outcomes),
        sum(o.people for o in outcomes),
        sum(o.sums for o in outcomes),
        sum(o.bases for o in outcomes),
        sum(o.counts for o in outcomes),
        hidden["shown"],
        hidden["primary"],
        hidden["additional"],
        sum(o.mistaken for o in outcomes),
        sum(o.refused for o in outcomes),
        f"{sum(o.called for o in outcomes):.1f}",
        f"{sum(o.attacked for o in outcomes):.1f}",
        "; ".join(f"{m} {n}" for m, n in (methods + texts).most_common()),
    ]
    return " | ".join(str(c) for c in cells)


HEAD = (
    "kind | extracts | open | people | small sums | small bases | counts by bounds | shown | hidden primary | hidden additional"
    " | mistaken | refused | library s | attack s | extracts by method, or texts"
)
