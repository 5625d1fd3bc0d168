"""How to read the figures of a survey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from culture_metrics.catalogue import Survey

#: What is said of figures whatever the survey.
PERCENTAGE = (
    "A **headline percentage** is the share of people who gave a certain answer, for example those who agree "
    "or strongly agree."
)
BASE = "The **base** is the number of people behind a figure. The smaller it is, the less the figure says."
INTERVAL = (
    "A **95% interval** shows how far chance alone may have moved a figure. Were the survey repeated, 95 of "
    "100 such ranges would hold the true figure. It does not allow for those who did not answer, who may "
    "think otherwise. Where two intervals overlap a good deal, do not make much of the difference."
)
GROUP = (
    "The **benchmark group** holds the organisations of the same kind. *Best*, *median* and *worst* are "
    "taken over all of them; half of them lie above the median."
)
PUBLISHED = (
    "**Published** figures are the official ones. Most are weighted, which means that each organisation is "
    "given the mix of occupations of its group; figures from a respondent file count every person once, so "
    "the two differ a little: by how much, and whether by more than weights explain, stands where both are "
    "set beside each other. The source beneath a figure says which it is; in the built-in example nothing is "
    "weighted."
)
NO_CAUSE = "None of these figures says why something is so."


@dataclass(frozen=True)
class Guide:
    """Text for people to read, as Markdown."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def how_to_read(survey: Survey, minimum_base: int, *, published: bool) -> Guide:
    """Say what a survey is, where its scores lie, and what the figures beside them say.

    Parameters
    ----------
    survey : Survey
        Whose scores.
    minimum_base : int
        Smallest base of what is shown.
    published : bool
        Whether there are official workbooks beside the respondent files.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> "runs from 0 to 10" in repr(how_to_read(catalogue(), 11, published=False))
    True
    """
    points = [
        f"A **score** runs from {survey.range_words}, and higher is always better. It is the average over "
        "everyone who answered enough of its questions.",
        PERCENTAGE,
        BASE,
        INTERVAL,
        f"**Not shown**, or `[c]` in tables: fewer than {minimum_base} people answered, or the figure would "
        "give such a small group away by subtraction. It is held back so that nobody can be recognised.",
        *([GROUP, PUBLISHED] if published else []),
    ]
    said = [survey.about, "\n".join(f"- {point}" for point in points), NO_CAUSE]
    return Guide("\n\n".join(filter(None, said)))
