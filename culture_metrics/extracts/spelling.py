"""Labels that may be one and the same: equal but for case and spaces, or spelled nearly alike."""

from __future__ import annotations

import re
from collections import defaultdict
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: From this likeness on two words may be one word spelled in two ways.
NEAR = 0.8
#: From this likeness on a name of several words may be a new name of another.
RENAMED = 0.6
SHORTEST = 4
#: A longer text is a sentence of somebody.
LONGEST = 60
#: Words that do not tell two units apart.
FILLERS = frozenset({"and", "of", "the", "for", "in", "at", "directorate", "division", "department", "dept"})


@lru_cache(1 << 12)  # each name is compared with all others
def squeezed(label: str) -> str:
    """Return a label without case, spaces and punctuation, `&` as `and`.

    Examples
    --------
    >>> squeezed("Women's & Children") == squeezed("womens AND  children")
    True
    """
    return re.sub(r"[\W_]+", "", label.replace("&", "and")).casefold()


@lru_cache(1 << 12)
def words(label: str) -> tuple[str, ...]:
    """Return the words of a label in lower case, without apostrophes."""
    return tuple(re.findall(r"[^\W_]+", re.sub(r"['\u2019]", "", label.replace("&", " and ")).casefold()))


def same_but_for_case(labels: Mapping[str, int]) -> dict[str, str]:
    """Map each label to the most frequent one that differs only in case, spaces or punctuation.

    Examples
    --------
    >>> same_but_for_case({"Nursing": 210, "nursing": 12, "NURSING ": 3, "Estates": 40})
    {'nursing': 'Nursing', 'NURSING ': 'Nursing'}
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike[squeezed(label)].append(label)
    return _to_commonest((group for key, group in alike.items() if key and len(group) > 1), labels)


def nearly_alike(labels: Mapping[str, int]) -> dict[str, str]:
    """Map each label to a more frequent one of which it may be a misspelling.

    Labels must have as many words; words that differ must be long, begin alike and be nearly equal; numbers
    and single letters tell units apart.

    Examples
    --------
    >>> nearly_alike({"Paediatrics": 90, "Pediatrics": 4, "Ward 1": 20, "Ward 2": 30})
    {'Pediatrics': 'Paediatrics'}
    """
    said = {label: words(label) for label in labels}
    blocks: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for label in labels:
        blocks[tuple(word[:1] for word in said[label])].append(label)
    parent = {label: label for label in labels}

    def root(label: str) -> str:
        while parent[label] != label:
            label = parent[label]
        return label

    for block in blocks.values():
        for one, other in combinations(block, 2):
            if _near(said[one], said[other]):
                parent[root(other)] = root(one)
    groups: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        groups[root(label)].append(label)
    return _to_commonest((group for group in groups.values() if len(group) > 1), labels)


def likely_name(label: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that most looks like a new name of `label`, if one does.

    Examples
    --------
    >>> likely_name("Nursing Directorate", ["Directorate of Nursing", "Estates"])
    'Directorate of Nursing'
    """
    best, most = None, 0.0
    for candidate in candidates:
        value = likeness(label, candidate, RENAMED)
        if value > most:
            best, most = candidate, value
    return best if may_be_new_name(label, most) else None


def likeness(one: str, other: str, least: float = 0.0) -> float:
    """Return how alike two names are, by their words or their letters, from 0 to 1.

    Parameters
    ----------
    one, other : str
        The names; the result may depend on their order.
    least : float, optional
        A smaller likeness may be given as a still smaller one: that saves most of the work.

    Examples
    --------
    >>> likeness("Nursing Directorate", "Directorate of Nursing")
    1.0
    """
    own, theirs = {*words(one)} - FILLERS, {*words(other)} - FILLERS
    shared = len(own & theirs) / max(len(own | theirs), 1)
    letters = SequenceMatcher(None, squeezed(one), squeezed(other))
    if letters.real_quick_ratio() < least or letters.quick_ratio() < least:  # never less than the ratio
        return shared
    return max(shared, letters.ratio())


def may_be_new_name(label: str, alike: float) -> bool:
    """Tell whether a name of that likeness may be a new name of `label`; one word has to be nearly equal."""
    return alike >= NEAR or (alike >= RENAMED and len({*words(label)} - FILLERS) > 1)


def likely_label(text: str, labels: Iterable[str]) -> str | None:
    """Return the response option that a text most likely means, for a person to decide: its words are there.

    Examples
    --------
    >>> likely_label("Tend to agree", ["Agree", "Strongly agree"])
    'Agree'
    """
    labels, said = [*labels], {*words(text)}
    within = [label for label in labels if said.issuperset(words(label))]
    return max(within, key=len) if within else likely_name(text, labels)


def can_be_shown(text: str) -> bool:
    """Tell whether a text that stands in enough rows may be repeated: it is short and no address."""
    return len(text) <= LONGEST and "@" not in text


def _near(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    different = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    # The cheap tests first: likeness is looked at only where nothing else tells the words apart.
    if not different or any(min(len(a), len(b)) < SHORTEST or re.search(r"\d", a + b) for a, b in different):
        return False
    return all(SequenceMatcher(None, a, b).ratio() >= NEAR for a, b in different)


def _to_commonest(groups: Iterable[list[str]], counts: Mapping[str, int]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for group in groups:
        best = max(group, key=lambda label: (counts[label], label.strip() == label, label))
        merged |= {label: best for label in group if label != best}
    return merged


def may_be_renamed(gone: Iterable[str], come: Iterable[str]) -> dict[str, str]:
    """Suggest which label that came may be the new name of one that is gone; each stands once.

    Examples
    --------
    >>> may_be_renamed(["Surgery & Theatres", "Estates"], ["Surgery and Theatres", "Pathology"])
    {'Surgery & Theatres': 'Surgery and Theatres'}
    >>> may_be_renamed(["Ward 12"], ["Ward 5B"])
    {}
    """
    left, found = list(come), {}
    for label in gone:
        name = next((x for x in left if squeezed(x) == squeezed(label)), None) or likely_name(
            label, [x for x in left if same_numbers(label, x)]
        )
        if name is not None:
            found[label] = name
            left.remove(name)
    return found


def same_numbers(old: str, new: str) -> bool:
    """Tell whether two names do not differ by a number: Ward 1 and Ward 2 are two wards.

    Examples
    --------
    >>> same_numbers("Ward 1", "Ward 2"), same_numbers("Ward 1", "Ward 1 (Elderly)"), same_numbers("A", "A 2")
    (False, True, True)
    >>> same_numbers("Ward 5A", "Ward 5B")
    False
    """
    each = [[re.findall(form, name) for name in (old, new)] for form in (r"\d+[A-Za-z]?\b", r"\b[A-Z]\b")]
    return all(mine == theirs or not (mine and theirs) for mine, theirs in each)
