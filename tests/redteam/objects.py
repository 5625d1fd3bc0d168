"""Attacks on what is no table of results: agreement within groups, replicates, decompositions, texts."""

from __future__ import annotations

import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import polars as pl

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from tests.redteam import linear
from tests.redteam.attacker import SHOWN, Cell, Found, scale
from tests.redteam.people import COMPLETE, People
from tests.redteam.reading import texts_of
from tests.redteam.weighted import grain

FEW_PEOPLE = range(1, linear.MOST + 1)


# --- agreement --------------------------------------------------------------------------------------------


def agreement_told(extract, measure: str, breakdown: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return cm.agreement(extract, measure, breakdown)
        except CultureMetricsError:
            return None


def agreement_cells(told, people: People, measure: str, breakdown: str) -> list[Cell]:
    """The bases of groups that agreement shows: of all who have the score, or of who answered every question.

    Which of the two stands in its documentation; here it is told by which one they are.
    """
    shown = told.groups.filter((pl.col("status") == SHOWN) & pl.col("base").is_not_null())
    cells = [(people.vector(breakdown, g), float(n)) for g, n in shown.select("group", "base").iter_rows()]
    scored = all(people.sizes[measure][v].sum() == n for v, n in cells)
    return [Cell(measure if scored else measure + COMPLETE, v, n) for v, n in cells]


def agreement_attack(told, people: People, measure: str, breakdown: str, table: pl.DataFrame) -> list[Found]:
    """Take the sizes of hidden groups from the number of groups and the size that allows for unequal ones.

    k0 = (N - sum of squares / N) / (groups - 1): with N and the shown sizes known, whole numbers are left whose
    sum and sum of squares are known.
    """
    row = told.table.row(0, named=True)
    groups, size = row.get("groups"), row.get("group_size")
    total, mean_size = row.get("base"), row.get("group_size_mean")
    if groups is None or size is None or groups < 2:
        return []
    if total is None and mean_size is not None:
        total = round(mean_size * groups)
    # The results of the same groups tell bases too; agreement's own are of those who answered every question.
    rows = table.filter(
        pl.col("measure") == measure, pl.col("breakdown") == breakdown, pl.col("weighting") == "none"
    )
    bases = dict(rows.filter(pl.col("status") == SHOWN).select("group", "base").iter_rows())
    if people.sizes[measure + COMPLETE].sum() == people.sizes[measure].sum():
        bases |= dict(told.groups.filter(pl.col("status") == SHOWN).select("group", "base").iter_rows())
    hidden = told.groups.filter(~pl.col("group").is_in(list(bases)))
    if total is None or groups != len(bases) + hidden.height or not 1 <= hidden.height <= 6:
        return []
    known = list(bases.values())
    left = total - sum(known)
    off = grain(np.array([size])) * (groups - 1) * total
    squares = (total - size * (groups - 1)) * total - sum(b * b for b in known)
    off = max(off, 0.01)
    fits = [p for p in partitions(left, hidden.height) if abs(sum(x * x for x in p) - squares) <= off]
    fits = [p for p in fits if allowed(p, hidden["status"].to_list())]
    if len(fits) != 1:
        return []
    sizes = people.sizes[measure]
    true = {g: int(sizes[people.vector(breakdown, g)].sum()) for g in hidden["group"].to_list()}
    if sorted(true.values()) != sorted(fits[0]):
        return []
    return means_attack(told, people, measure, breakdown, true, table) + [
        Found(
            "agreement",
            measure,
            frozenset(np.flatnonzero(people.vector(breakdown, g) & (sizes > 0)).tolist()),
            n,
            n,
            "base",
        )
        for g, n in true.items()
        if n in FEW_PEOPLE
    ]


def means_attack(
    told, people: People, measure: str, breakdown: str, hidden: dict[str, int], table
) -> list[Found]:
    """Take the means of two hidden groups from the mean square between groups, once their sizes are known.

    The other means stand in the results, where everybody answered all questions. Of the two solutions only one
    is a sum of answers, as a rule.
    """
    row = told.table.row(0, named=True)
    rows = table.filter(
        pl.col("measure") == measure, pl.col("status") == SHOWN, pl.col("weighting") == "none"
    )
    own = {
        g: (e, b)
        for b_, g, e, b in rows.select("breakdown", "group", "estimate", "base").iter_rows()
        if b_ == breakdown
    }
    if len(hidden) != 2 or set(hidden) & set(own) or row.get("mean_square_between") is None:
        return []
    whole = rows.filter(pl.col("breakdown") == "all")
    if whole.height == 0 or whole["base"][0] != row["base"] or len(own) + 2 != row["groups"]:
        return []
    (one, n), (_, m) = hidden.items()
    mean = whole["estimate"][0]
    left = mean * row["base"] - sum(e * b for e, b in own.values())
    between = row["mean_square_between"] * (row["groups"] - 1)
    squares = between + row["base"] * mean**2 - sum(b * e**2 for e, b in own.values())
    # n x + m y = left and n x² + m y² = squares.
    roots = np.roots([n + n * n / m, -2 * left * n / m, left**2 / m - squares])
    step = 2.5 / 3
    fits = [
        x.real
        for x in roots
        if abs(x.imag) < 1e-6 and abs(n * x.real / step - round(n * x.real / step)) < 1e-6
    ]
    fits = [x for x in fits if -1e-6 <= x <= 10 + 1e-6 and -1e-6 <= (left - n * x) / m <= 10 + 1e-6]
    true = people.sums[measure][people.vector(breakdown, one)].sum()
    if len({round(x, 6) for x in fits}) != 1 or abs(fits[0] * n - true) > 1e-3:
        return []
    size = people.sizes[measure]
    return [
        Found(
            "agreement",
            measure,
            frozenset(np.flatnonzero(people.vector(breakdown, g) & (size > 0)).tolist()),
            k,
            0.0,
        )
        for g, k in hidden.items()
        if k in FEW_PEOPLE
    ]


def partitions(total: int, parts: int, least: int = 1):
    if parts == 1:
        if total >= least:
            yield (total,)
        return
    # Hidden groups are rarely large: no more than this is gone through.
    if parts > 4 and total > 60:
        return
    for first in range(least, total // parts + 1):
        for rest in partitions(total - first, parts - 1, first):
            yield (first, *rest)


def allowed(sizes, statuses) -> bool:
    small = sum(s == "suppressed_small_base" for s in statuses)
    large = sum(s == "suppressed_secondary" for s in statuses)
    return sum(x <= linear.MOST for x in sizes) >= small and sum(x > linear.MOST for x in sizes) >= large


# --- decomposition ----------------------------------------------------------------------------------------

POOLED, NOT_GIVEN = "Other groups (pooled)", "Not given"


def decomposition_cells(years, people: list[People], measure: str, breakdown: str) -> list[list[Cell]]:
    """Solve the pieces of a change for the bases and means of each group in both years.

    Within = mean share × change of the mean; mix = change of the share × (mean of both years - standard). The
    standard is what makes the groups add up to the whole of the first year.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            table = cm.decompose_change(*years, measure, by=[breakdown]).table
        except CultureMetricsError:
            return [[], []]
    unit = scale(years[1].edition.measure(measure).unit)
    whole = table.filter(pl.col("breakdown") == "all", pl.col("piece") == "total").row(0, named=True)
    own = table.filter(pl.col("breakdown") == breakdown, pl.col("group") != "all")
    mix, within = (own.filter(pl.col("piece") == p).sort("group") for p in ("mix", "within"))
    names = mix["group"].to_list()
    bases = [mix["base_from"].to_numpy().astype(float), mix["base_to"].to_numpy().astype(float)]
    share = [bases[0] / whole["base_from"], bases[1] / whole["base_to"]]
    change = within["estimate"].to_numpy() / ((share[0] + share[1]) / 2)
    shift = share[1] - share[0]
    if len(names) != within.height or (np.abs(shift) < 1e-12).any():
        return [[], []]
    level = mix["estimate"].to_numpy() / shift
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = cm.estimate(years[0]).table.filter(pl.col("measure") == measure, pl.col("breakdown") == "all")
    if first["estimate"][0] is None:
        return [[], []]
    level += first["estimate"][0] - (share[0] * (level - change / 2)).sum()
    made: list[list[Cell]] = []
    for year, sign in ((0, -1), (1, 1)):
        means = (level + sign * change / 2) / unit
        vectors = [group_or_rest(people[year], breakdown, n, names) for n in names]
        made.append([Cell(measure, v, b, m * b) for v, b, m in zip(vectors, bases[year], means, strict=True)])
    return made


def group_or_rest(people: People, breakdown: str, name: str, names: list[str]) -> np.ndarray:
    none = np.array([g is None for g in people.groups[breakdown]], dtype=bool)
    if name == NOT_GIVEN:
        return none
    if name != POOLED:
        return people.vector(breakdown, name)
    rest = ~np.any([people.vector(breakdown, n) for n in names if n not in (POOLED, NOT_GIVEN)], axis=0)
    return rest & ~none if NOT_GIVEN in names else rest


# --- replicates -------------------------------------------------------------------------------------------


def draws_attack(extract, people: People, measure: str, breakdown: str | None = None) -> list[Found]:
    """Solve published replicates for the answers: with a known seed, who was drawn how often is known.

    The outsider draws the same replicates of made-up respondents, as many as there were, and looks at the
    weights that the library hands to a statistic of his own.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            real = cm.replicate(extract, measures=[measure])
        except CultureMetricsError:
            return []
    draws = getattr(real, "draws", None)
    base = real.table["base"][0]
    if draws is None or base is None or base != extract.frame.height:
        return []
    caught = []

    def spy(values, weights):
        caught.append(weights)
        return weights.mean(axis=0)

    fake = extract.frame.with_columns(
        pl.lit(3, pl.Int8).alias(c) for c in extract.frame.columns if c.startswith("q")
    )
    import dataclasses

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cm.replicate(dataclasses.replace(extract, frame=fake), measures=[measure], statistic=spy)
    weight = (
        max(caught, key=lambda w: w.shape[1]).T
        if len(caught) == 1
        else np.hstack([c for c in caught if c.shape[1] > 1]).T
    )
    draws = np.asarray(draws, dtype=float)
    if draws.ndim != 2 or draws.shape[1] != len(weight) or not np.isfinite(draws[0]).all():
        return []
    mix = weight / weight.sum(axis=1, keepdims=True)
    solved, *_ = np.linalg.lstsq(mix, draws[0], rcond=None)
    truth = people.values[measure] * (100 if extract.edition.measure(measure).unit == "percent" else 1)
    right = np.abs(solved - truth) < 0.01
    if right.mean() < 0.9:
        return []
    return [
        Found("replicates", measure, frozenset([-1 - int(i)]), 1, float(solved[i]))
        for i in np.flatnonzero(right)
    ]


# --- texts ------------------------------------------------------------------------------------------------

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def named_in(text: str, small: dict[str, int]) -> list[str]:
    """Which groups of fewer than 11 people a text names."""
    return [name for name in small if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def counted_in(text: str, small: dict[str, int]) -> list[str]:
    """Which groups of fewer than 11 people a text names beside how many they are."""
    return [
        name
        for name, n in small.items()
        if re.search(rf"(?<!\w){re.escape(name)}\W?\s*(?:\(|:|,|=|\s)\s*{n}(?!\d)", text)
    ]


def addresses_in(text: str) -> set[str]:
    return set(ADDRESS.findall(text))


def validation_texts(extract) -> str:
    """All that the check of an extract says, in any form, and the files it writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = cm.validate(extract)
    return "\n".join([*spoken(report), *written(report)])


def pair_texts(first, second) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = cm.check_pair(first, second)
    return "\n".join([*spoken(report), *written(report)])


#: What an analyst who holds the extract works with, and no text or file shows: the extract, which rows and
#: answers were set aside, and the merges on offer. These must name labels in full, the rare ones too, because
#: they are handed back as they are: `validate(extract, merge=report.merges)`.
ANALYSTS_OWN = ("extract", "quarantine", "merges")


def written(report) -> list[str]:
    """Texts of the page and the workbook that a check writes to be passed on."""
    with tempfile.TemporaryDirectory() as place:
        report.to_html(Path(place) / "check.html")
        report.to_excel(Path(place) / "check.xlsx")
        return list(texts_of(Path(place)).values())


def spoken(thing) -> list[str]:
    """Texts of an object: its form in a console and a notebook, and every public attribute but `ANALYSTS_OWN`."""
    said = [repr(thing), getattr(thing, "_repr_html_", lambda: "")() or ""]
    for name in dir(thing):
        if name.startswith("_") or name in ANALYSTS_OWN:
            continue
        value = getattr(thing, name)
        if name == "summary":
            value = value()
        if isinstance(value, pl.DataFrame):
            said.append(value.write_csv())
        elif not callable(value):
            said.append(str(value))
        if isinstance(value, str):
            said.append(value)
    return said


def small_groups(labels: pl.DataFrame) -> dict[str, int]:
    """Groups of 1 to 10 respondents, by name."""
    small = {}
    for name in labels.columns:
        for group, n in labels[name].drop_nulls().value_counts().iter_rows():
            if n in FEW_PEOPLE:
                small[group] = n
    return small


def large_groups(labels: pl.DataFrame) -> set[str]:
    """Names that stand for more than 10 respondents in a breakdown."""
    many = (labels[name].drop_nulls().value_counts(name="n") for name in labels.columns)
    return {group for counts in many for group, n in counts.iter_rows() if n not in FEW_PEOPLE}
