"""What weighting.yaml holds: groups that part the answers to a question, in kinds that there are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from culture_metrics.catalogue.form import Files, Mistake, near
from culture_metrics.catalogue.load import WEIGHTING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: How a rule of official weights may be known, from the surest to what is not known.
KNOWN = ("proved", "stated", "second_hand", "inferred", "open")
#: What the share of a group may be of.
DENOMINATORS = ("all_respondents",)


def weighting_mistakes(read: Files) -> Iterator[Mistake]:
    """Check that in every edition each answer to the question is in one group, and kinds are known."""
    spec = read.yaml.get(WEIGHTING)
    if spec is None:
        return
    for key, known in (
        ("question", [row["measure"] for row in read.rows]),
        ("denominator", DENOMINATORS),
        ("rest", spec["groups"]),
    ):
        if spec[key] not in known:
            yield read.mistake(WEIGHTING, (key,), f"there is no {key} {spec[key]}", near(spec[key], [*known]))
    if spec["cap"] < 1:
        yield read.mistake(WEIGHTING, ("cap",), "a cap below 1 lets no weights be", "Give 1 or more.")
    for name, group in spec["groups"].items():
        odd = [kind for kind in group["apart_in"] if kind not in spec["kinds"]]
        if odd:
            found = f"there is no kind {odd[0]}"
            yield read.mistake(WEIGHTING, ("groups", name, "apart_in"), found, near(odd[0], [*spec["kinds"]]))
        if group["known"] not in KNOWN:
            found = f"'{group['known']}' does not say how it is known"
            yield read.mistake(WEIGHTING, ("groups", name, "known"), found, f"Write {', '.join(KNOWN)}.")
    twice = [g for g, n in Counter(g for named in spec["kinds"].values() for g in named).items() if n > 1]
    if twice:
        yield read.mistake(WEIGHTING, ("kinds",), f"{twice[0]} is of two kinds", "Keep it in one.")
    yield from _codes(read, spec)


def _codes(read: Files, spec: Mapping[str, Any]) -> Iterator[Mistake]:
    """Check that groups part the list of answers of every edition that asks the question."""
    row = next((row for row in read.rows if row["measure"] == spec["question"]), None)
    scale = row["scale"] if row else None
    for period, edition in sorted(read.yaml["editions.yaml"]["editions"].items()):
        scale = (edition.get("scales") or {}).get(spec["question"], scale)
        if scale not in read.yaml["scales.yaml"]:
            continue
        wanted = Counter(list(read.yaml["scales.yaml"][scale]["options"]))
        here: Counter[int] = Counter()
        for group in spec["groups"].values():
            from_then = [p for p in group["codes"] if p <= period]
            here.update(group["codes"][max(from_then)] if from_then else [])
        if here != wanted:
            odd = sorted({*(here - wanted), *(wanted - here)})
            found = f"in {period} code {', '.join(map(str, odd))} is in no group, in two, or not in the list"
            remedy = "Put every answer into one group, from the edition on where its code changed."
            yield read.mistake(WEIGHTING, ("groups",), found, remedy)
