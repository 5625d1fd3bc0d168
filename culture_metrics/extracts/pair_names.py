"""Names of groups that changed between two years: which may be one, and what speaks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import unknown
from culture_metrics.extracts.nesting import MOST, lie_in
from culture_metrics.extracts.rules.labels import breakdown_columns, count_labels
from culture_metrics.extracts.spelling import RENAMED, likeness, may_be_new_name, squeezed
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from culture_metrics.extracts.extract import Extract

    Sets = Mapping[str, frozenset[str]]

#: From this share of common parts on two groups may be one, and from this one on the parts decide.
HALF, NEARLY_ALL = 0.5, 0.8
#: As sure as a pair can be for which there is another reading.
DOUBTFUL = 0.5
#: A number of respondents within this factor is about the same.
ABOUT = 1.5
#: With more names than this in one year only, none is guessed.
MOST_NAMES = 400
#: How much likeness of spelling and of size count beside common parts.
SPELLING, SIZE = 0.3, 0.1
PROPOSALS = {
    "breakdown": pl.String, "last": pl.String, "this": pl.String, "certainty": pl.Float64,
    "evidence": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """A name of last year that may be one of this year, how sure that is (0 to 1), and why."""

    last: str
    this: str
    certainty: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, repr=False, eq=False)
class PairedNames(Output):
    """Names that may have changed.

    Attributes
    ----------
    table : polars.DataFrame
        `breakdown, last, this, certainty, evidence`; the surest first. Names that stand in fewer rows than
        the minimum base are counted only.
    rare : int
        How many proposals are not listed, for one of their names is rare.
    only_last, only_this : tuple of str
        Names of one year without a counterpart, rare ones left out.
    """

    table: pl.DataFrame
    rare: int
    only_last: tuple[str, ...]
    only_this: tuple[str, ...]

    @property
    def merge(self) -> dict[str, dict[str, str]]:
        """The proposals as `validate` takes them for last year's file: `merge=paired.merge`."""
        found: dict[str, dict[str, str]] = {}
        for one, last, this in self.table.select("breakdown", "last", "this").iter_rows():
            found.setdefault(one, {})[last] = this
        return found

    def summary(self) -> str:
        """Say in plain sentences which names may have changed."""
        said = [
            f"'{row['last']}' may now be '{row['this']}' ({row['evidence']})"
            for row in self.table.iter_rows(named=True)
        ]
        if self.rare:
            said.append(f"{counted(self.rare, 'pair')} of rare names not listed")
        return ". ".join(said) + "." if said else "No name seems to have changed."


@verb
def pair_names(last: Extract, this: Extract, breakdown: str) -> PairedNames:
    """Propose which names of last year's groups are which of this year's.

    Parameters
    ----------
    last, this : Extract
        Two clean extracts of one survey.
    breakdown : str
        Id of a breakdown that both have in a text column (`locality_1`).

    Returns
    -------
    PairedNames
        Proposals to confirm: nothing is changed. Each name stands in one proposal at the most.

    Raises
    ------
    UnknownNameError
        When one of the files has no such breakdown.

    Notes
    -----
    Evidence is the names of finer groups that both hold (departments of a directorate, cost centres), of
    whatever breakdowns the files share; likeness of spelling; and whether about as many answered. Half of the
    finer groups, or a spelling nearly alike, is needed.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> last, this = (synthetic.respondents(y, respondents_per_organisation=50) for y in (2023, 2024))
    >>> pair_names(last, this, "locality_1").summary()
    'No name seems to have changed.'
    """
    for extract in (last, this):
        known = breakdown_columns(extract.frame, extract.edition)
        if breakdown not in known:
            raise unknown("breakdown column", breakdown, known, where=extract.period)
    minimum = this.edition.survey.minimum_base
    before, after = (count_labels(e.frame, [breakdown])[breakdown] for e in (last, this))
    found = propose_names(last, this, breakdown, before, after)
    told = [p for p in found if min(before[p.last], after[p.this]) >= minimum]
    paired = {name for p in found for name in (p.last, p.this)}
    alone = [
        tuple(name for name, n in own.items() if name not in (*other, *paired) and n >= minimum)
        for own, other in ((before, after), (after, before))
    ]
    rows = [(breakdown, p.last, p.this, p.certainty, "; ".join(p.evidence)) for p in told]
    table = pl.DataFrame(rows, schema=PROPOSALS, orient="row")
    return PairedNames(table, len(found) - len(told), *alone)


def propose_names(
    last: Extract, this: Extract, breakdown: str, before: Mapping[str, int], after: Mapping[str, int]
) -> list[Proposal]:
    """Propose which names that are gone are which that came, the surest first; each stands once."""
    gone, come = ([n for n in one if n not in other] for one, other in ((before, after), (after, before)))
    if not gone or not come or len(gone) + len(come) > MOST_NAMES:
        return []
    parts = _parts(last, this, breakdown)
    minimum = this.edition.survey.minimum_base
    found = [
        p
        for old in gone
        for new in come
        if (p := _weigh(old, new, parts, (before[old], after[new]), minimum)) is not None
    ]
    chosen: list[Proposal] = []
    for p in sorted(found, key=lambda p: (-p.certainty, p.last, p.this)):
        if not any(p.last == q.last or p.this == q.this for q in chosen):
            chosen.append(p)
    taken = {name for p in chosen for name in (p.last, p.this)}
    large = [q for q in found if min(before[q.last], after[q.this]) >= minimum]
    return [_unless_several(p, large, taken) for p in chosen]


def _unless_several(p: Proposal, found: Sequence[Proposal], taken: Collection[str]) -> Proposal:
    """Doubt a pair where a name without a counterpart may be the same: one was split, or two merged."""
    others = {q.last for q in found if q.this == p.this} | {q.this for q in found if q.last == p.last}
    left = others - {*taken}
    if not left:
        return p
    said = f"so may {counted(len(left), 'other name')} be: split, or merged"
    return replace(p, certainty=min(p.certainty, DOUBTFUL), evidence=(*p.evidence, said))


def _parts(last: Extract, this: Extract, breakdown: str) -> list[tuple[str, Sets, Sets]]:
    """Return for each finer breakdown of both files the names that lie mostly in each group, year by year."""
    found: list[tuple[str, Sets, Sets]] = []
    shared = {*breakdown_columns(last.frame, last.edition)} & {*breakdown_columns(this.frame, this.edition)}
    for finer in sorted(shared - {breakdown}):
        lies = [lie_in(e.frame, finer, breakdown) for e in (last, this)]
        if all(x.height >= x["outer"].n_unique() > 1 and x["whole"].mean() >= MOST for x in lies):  # type: ignore[operator]
            word = this.words.get(finer) or last.words.get(finer) or finer
            sets = [
                {
                    str(outer): frozenset(map(squeezed, rows["inner"]))
                    for (outer,), rows in x.group_by("outer", maintain_order=True)
                }
                for x in lies
            ]
            found.append((word, sets[0], sets[1]))
    return found


def _weigh(
    old: str,
    new: str,
    parts: Sequence[tuple[str, Sets, Sets]],
    sizes: tuple[int, int],
    minimum: int,
) -> Proposal | None:
    """Weigh what speaks for two names being one; None where too little does."""
    evidence, common, most = [], 0.0, 0
    for word, before, after in parts:
        mine, theirs = before.get(old, frozenset()), after.get(new, frozenset())
        every, both = len(mine | theirs), len(mine & theirs)
        if both:
            evidence.append(f"{both} of {every} in {word} are the same")
            common, most = max(common, both / every), max(most, every)
    alike = likeness(old, new, RENAMED if common < HALF else 0.0)
    near = may_be_new_name(old, alike)
    if common < HALF and not near:
        return None
    if parts and not common and alike < 1:
        evidence.append("no finer group is the same")
        alike *= NEARLY_ALL
    if near:
        evidence.append("spelled nearly alike" if alike < 1 else "the same words")
    as_many = min(sizes) * ABOUT >= max(sizes)
    if min(sizes) >= minimum:
        evidence.append("about as many respondents" if as_many else "far more respondents in one year")
    share = common if parts else alike
    certainty = (share + SPELLING * alike + SIZE * as_many) / (1 + SPELLING + SIZE)
    if not as_many and alike < 1 and (common < NEARLY_ALL or most == 1):
        # Another name, and many more or fewer people: rather part of it, or it with others.
        certainty = min(certainty, DOUBTFUL)
    return Proposal(old, new, round(certainty, 3), tuple(evidence))
