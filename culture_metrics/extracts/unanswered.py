"""Questions of the edition that nobody answered, and the scores that are built without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.problems import listed

if TYPE_CHECKING:
    from collections.abc import Collection

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.extracts.extract import Extract


def unanswered(extract: Extract) -> tuple[Question, ...]:
    """Return the questions of the edition that have no column in an extract, or none with an answer.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from culture_metrics import synthetic
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=50)
    >>> [q.code for q in unanswered(replace(extract, frame=extract.frame.drop("q25c")))]
    ['q25c']
    """
    frame = extract.frame
    filled = {c for c in frame.columns if c in extract.edition.columns and frame[c].null_count() < len(frame)}
    return tuple(q for q in extract.edition.questions.values() if not filled & {*q.columns, *q.alternatives})


def scores_without(edition: Edition, absent: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the scores that cannot be worked out without some questions, and those that lack a part then.

    The number of answers that a score takes at least is a rule for people who leave a question out. A score
    of which a whole question is gone is another score: it keeps its name here, but is none of the official.

    Parameters
    ----------
    edition : Edition
        Whose scores.
    absent : collection of str
        Ids of the questions that are not there.

    Returns
    -------
    tuple of list of str
        Ids of the scores that are lost, and of those built of fewer questions than they should be.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> scores_without(catalogue().edition(2024), ["had_appraisal"])
    (['always_learning', 'appraisals'], [])
    >>> scores_without(catalogue().edition(2024), ["recommend_place_to_work"])[1]
    ['compassionate_and_inclusive', 'compassionate_culture', 'staff_engagement', 'advocacy']
    """
    here: set[str] = set()
    for name, measure in sorted(edition.scores.items(), key=lambda score: bool(score[1].parts)):
        there = [q for q in measure.items if q not in absent] or [p for p in measure.parts if p in here]
        if measure.filter not in absent and len(there) >= max(measure.minimum, 1):
            here.add(name)
    lost = [name for name in edition.scores if name not in here]
    return lost, [
        name for name in edition.scores if name in here and {*edition.questions_of(name)} & {*absent}
    ]


def told(edition: Edition, absent: Collection[str]) -> str:
    """Say in sentences which scores are lost and which are built without some questions; empty if none."""
    lost, less = scores_without(edition, absent)
    needed = {q for name in less for q in edition.questions_of(name)}
    codes = listed((edition.questions[q].code for q in absent if q in needed), 12)
    labels = [edition.scores[name].label for name in less]
    parts = []
    if len(less) == 1:
        parts.append(
            f"{labels[0]} is built without {codes}: it is not the official score, and does not compare with "
            "years that have it all."
        )
    elif less:
        parts.append(
            f"{', '.join(labels[:-1])} and {labels[-1]} are built without {codes}: they are not the official "
            "scores, and do not compare with years that have it all."
        )
    if lost:
        parts.append(f"Not scored: {', '.join(edition.scores[name].label for name in lost)}.")
    return " ".join(parts)
