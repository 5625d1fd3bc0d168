"""Which questions a score's change is made of: question to sub-score to element, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.pair import pair_of
from culture_metrics.compare.pieces import bootstrap, spread
from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError
from culture_metrics.indicators.scoring import score
from culture_metrics.indicators.seeds import secret_seed
from culture_metrics.indicators.shown import shown_cells
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted
from culture_metrics.wording.changes import moved, with_interval
from culture_metrics.wording.numbers import signed

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.catalogue import Edition, Measure, Question
    from culture_metrics.compare.pair import Pair
    from culture_metrics.compare.pieces import Floats
    from culture_metrics.extracts.extract import Extract

COLUMNS = [
    "part", "parent", "label", "level",
    "estimate", "std_error", "conf_low", "conf_high", "base_from", "base_to",
]  # fmt: skip
ANSWERED = "answered"


@dataclass(frozen=True, repr=False, eq=False)
class ChangeContributions(Output):
    """What each question and sub-score adds to the change of a score.

    Attributes
    ----------
    table : polars.DataFrame
        A tree: `part` (measure or question id), `parent` (null for the score itself; rows of one parent sum
        to it), `label`, `level` (element, theme, sub_score, question, or answered: what comes of which
        questions had an answer), `estimate, std_error, conf_low, conf_high` on the scale of the score
        itself, `base_from, base_to`.
    measure : Measure
        What changed.
    organisation, from_period, to_period : str
        Of whom, and when.
    from_estimate, to_estimate : float
        The score in the two years, unweighted.
    notes : tuple of str
        What a reader has to know.
    """

    table: pl.DataFrame
    measure: Measure
    organisation: str
    from_period: str
    to_period: str
    from_estimate: float
    to_estimate: float
    notes: tuple[str, ...]

    def figure(self) -> go.Figure:
        """Draw the steps from one year to the other, a step for each question."""
        from culture_metrics import views

        whole = self.table.row(0, named=True)
        return views.waterfall(
            _steps(self.table),
            start=(self.from_period, self.from_estimate, whole["base_from"]),
            end=(self.to_period, self.to_estimate, whole["base_to"]),
            unit="score",
            title=f"{self.measure.label}: {signed(whole['estimate'], 'score')} from {self.from_period} to "
            f"{self.to_period}, question by question",
            subtitle=f"{self.organisation}. {self.measure.meaning}, unweighted",
            source="Respondents of both years",
            notes=" ".join(self.notes),
        )

    def summary(self) -> str:
        """Say in plain sentences how the score moved and which parts add most."""
        whole = self.table.row(0, named=True)
        said = moved(self.measure.label, self.from_estimate, self.to_estimate, whole, "score")
        parts = self.table.filter(parent=self.measure.id)
        named = parts.filter(pl.col("level") != ANSWERED).sort(pl.col("estimate").abs(), descending=True)
        adds = "; ".join(f"{r['label']} {with_interval(r, 'score')}" for r in named.iter_rows(named=True))
        bases = f"Base {whole['base_from']:,} and {whole['base_to']:,}."
        text = [f"{said} between {self.from_period} and {self.to_period}.", f"Of that: {adds}.", bases]
        return " ".join([*text, *self.notes])

    def rules(self) -> tuple[str, ...]:
        """Say what was assumed, pooled or taken as given."""
        return self.notes

    def __repr__(self) -> str:
        whole = self.table.row(0, named=True)
        said = moved(self.measure.label, self.from_estimate, self.to_estimate, whole, "score")
        parts = counted(self.table.height - 1, "part")
        return f"ChangeContributions({said}; {parts}. See .table, .notes and .summary())"

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>"


@verb
def change_contributions(
    from_extract: Extract,
    to_extract: Extract,
    measure: str | None = None,
    *,
    organisation: str | None = None,
    minimum_base: int | None = None,
    allow_breaks: bool = False,
) -> ChangeContributions:
    """Split the change of a score between two years into what its sub-scores and questions add.

    Parameters
    ----------
    from_extract, to_extract : Extract
        Clean extracts of the earlier and the later year (`validate(...).extract`).
    measure : str, optional
        A sub-score, element or theme, by id or official code; the headline score of the survey when left out.
    organisation : str, optional
        ODS code; needed when the extracts hold several.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own when left out.
    allow_breaks : bool
        Compare across a break of the catalogue all the same, with a warning and a note. The questions of
        both years must be the same.

    Returns
    -------
    ChangeContributions
        `.table` is a tree whose root is the change itself, as `estimate` has it.

    Raises
    ------
    UnknownNameError
        When there is no such measure or organisation.
    ComparabilityError
        When the two years may not be compared.
    ExtractError
        When too few answered, the measure is a single question, or the score is built of other questions in
        one of the two years.

    Notes
    -----
    A score is a mean over respondents of means over the parts each of them has. So a part weighs what it
    weighs for those who have it, and the change of a score splits as Kitagawa (1955) splits a rate: the
    change of each part at its mean weight, and the change of weights at the mean levels. The first is what a
    part adds. The second, "answered", comes of which parts had an answer; it is next to nothing unless
    answers go missing. In the appraisal sub-score, where no appraisal scores 0, the share with an appraisal
    is a part of its own. Sums are exact, in each of 1,000 bootstrap draws too; intervals are percentiles. The
    order of respondents leaves all of it as it is.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> old, new = (synthetic.respondents(year, respondents_per_organisation=600) for year in (2023, 2024))
    >>> table = change_contributions(old, new, "advocacy").table
    >>> table["part"].to_list()[1:4]
    ['care_is_top_priority', 'recommend_place_to_work', 'recommend_for_treatment']
    >>> abs(table["estimate"][1:].sum() - table["estimate"][0]) < 1e-12
    True
    """
    measure = measure or to_extract.edition.headline
    pair = pair_of(from_extract, to_extract, measure, (), organisation, minimum_base, allow_breaks)
    tree = _tree(pair)
    _check_shown(pair, tree)
    rows = [
        _rows(extract, values, tree)
        for extract, values in zip((pair.before, pair.after), pair.values(), strict=True)
    ]
    frames = (pair.before.frame, pair.after.frame)
    # Kinds of respondents in an order of their own: that of the file moves neither draws nor last digits.
    kinds = [np.unique(own, axis=0, return_counts=True) for own in rows]
    before, after = (
        bootstrap(own, counts, secret_seed(frame, year))
        for year, (frame, (own, counts)) in enumerate(zip(frames, kinds, strict=True))
    )
    numbers = spread(lambda old, new: _split(old, new, tree), before, after)
    bases = {"base_from": pl.lit(len(rows[0]), pl.UInt32), "base_to": pl.lit(len(rows[1]), pl.UInt32)}
    return ChangeContributions(
        table=_names(pair.after.edition, pair.measure, tree)
        .hstack(pl.DataFrame(numbers))
        .with_columns(**bases)
        .select(COLUMNS),
        measure=pair.measure,
        organisation=pair.organisation,
        from_period=pair.before.period,
        to_period=pair.after.period,
        from_estimate=float(_level(before[0], tree)),
        to_estimate=float(_level(after[0], tree)),
        notes=(
            *(f"The years may not compare: {reason}" for reason in pair.broken),
            *pair.after.edition.survey.remarks(pair.before.period, pair.after.period),
        ),
    )


@dataclass(frozen=True)
class Branch:
    """A sub-score and what it is made of in both years; `root` where it is itself what changed."""

    sub_score: Measure
    items: tuple[str, ...]
    gate: str | None
    root: bool

    @property
    def width(self) -> int:
        """How many means describe it: its weight, that of the gate, and weight and value of each item."""
        return 2 + 2 * len(self.items)


def _tree(pair: Pair) -> tuple[Branch, ...]:
    """Return the sub-scores of the measure, with the questions that both years have answers to."""
    measure, editions = pair.measure, (pair.before.edition, pair.after.edition)
    if measure.level == "question":
        raise ExtractError(
            f"{measure.label} is one question and has no parts",
            hint="decompose_change says which groups of staff a change lies in.",
        )
    both = []
    for extract, edition in zip((pair.before, pair.after), editions, strict=True):
        known = edition.measures[measure.id]
        subs = known.parts or (known.id,)
        columns = [edition.questions[i].code for s in subs for i in _questions(edition.measures[s])]
        frame = extract.frame.select(c for c in columns if c in extract.frame.columns)
        answered = {c for c in frame.columns if frame[c].count()}
        both.append(
            {
                s: tuple(i for i in _questions(edition.measures[s]) if edition.questions[i].code in answered)
                for s in subs
            }
        )
    if both[0] != both[1]:
        odd = {
            i
            for s in both[0].keys() | both[1].keys()
            for i in set(both[0].get(s, ())) ^ set(both[1].get(s, ()))
        }
        raise ExtractError(
            f"{measure.label} is built of other questions in {pair.after.period}",
            where=pair.organisation,
            got=f"in one year only: {', '.join(sorted(odd))}",
            hint="Leave the questions of one year out of the other, or look at the sub-scores that stayed.",
        )
    parts = ((editions[1].measures[s], items) for s, items in both[0].items() if items)
    return tuple(
        Branch(s, tuple(i for i in items if i != s.filter), s.filter, root=s.id == measure.id)
        for s, items in parts
    )


def _check_shown(pair: Pair, tree: tuple[Branch, ...]) -> None:
    """See to it that `estimate` shows the score of the organisation and all its parts in both years.

    Raises
    ------
    ExtractError
        When a part is hidden: beside the others it would follow from their sum.
    """
    for whole, extract in zip(pair.asked, (pair.before, pair.after), strict=True):
        edition = extract.edition
        asked = [i for b in tree for i in (*b.items, *((b.gate,) if b.gate else ()))]
        parts = [pair.measure.id, *(b.sub_score.id for b in tree)]
        parts += [m.id for m in edition.percentages.values() if m.question in asked]
        cells = shown_cells(whole, minimum_base=pair.minimum_base).filter(
            pl.col("measure").is_in(parts), pl.col("status") != "reported",
            organisation=pair.organisation, breakdown=ALL,
        )  # fmt: skip
        columns = [edition.questions[i].code for i in asked]
        answers = extract.frame.select(pl.col(columns).count() < pair.minimum_base).row(0)
        few = [edition.questions[i].label for i, short in zip(asked, answers, strict=True) if short]
        few += [edition.measure(m).label for m in cells["measure"].unique(maintain_order=True)]
        if few:
            raise ExtractError(
                f"Some parts of {pair.measure.label} may not be shown",
                where=f"{pair.organisation}, {extract.period}: {'; '.join(dict.fromkeys(few))}",
                expected=f"parts with at least {pair.minimum_base} respondents",
                hint="Look at the score as a whole with compare_years.",
            )


def _questions(sub_score: Measure) -> tuple[str, ...]:
    return (*((sub_score.filter,) if sub_score.filter else ()), *sub_score.items)


def _rows(extract: Extract, values: pl.Series, tree: tuple[Branch, ...]) -> Floats:
    """Return, for each respondent in the base, what the parts weigh in the score and what they bring."""
    edition = extract.edition
    scores = score(extract).select(pl.col(b.sub_score.id).alias(f"_{b.sub_score.id}") for b in tree)
    have = pl.sum_horizontal(pl.col(c).is_not_null() for c in scores.columns)
    columns: list[pl.Expr] = []
    for branch in tree:
        there = pl.col(f"_{branch.sub_score.id}").is_not_null()
        share = pl.when(there).then(1 / have).otherwise(0.0)
        shut = (
            (pl.col(edition.questions[branch.gate].code) == 2).fill_null(False)
            if branch.gate
            else pl.lit(False)
        )
        items = [_item(edition.questions[i]) for i in branch.items]
        number = pl.sum_horizontal(item.is_not_null() for item in items)
        weights = [
            pl.when(item.is_not_null() & there & ~shut).then(share / number).otherwise(0.0) for item in items
        ]
        columns += [share, pl.when(shut).then(share).otherwise(0.0), *weights]
        columns += [w * item.fill_null(0.0) for w, item in zip(weights, items, strict=True)]
    frame = extract.frame.hstack(scores).filter(values.is_not_null())
    return frame.select(e.cast(pl.Float64).alias(str(n)) for n, e in enumerate(columns)).to_numpy()


def _item(question: Question) -> pl.Expr:
    """Return the score of one answer; null where the answer is not scored."""
    scores = {code: float(value) for code, value in (question.score_map or {}).items()}
    return pl.col(question.code).replace_strict(scores, default=None, return_dtype=pl.Float64)


def _split(before: Floats, after: Floats, tree: tuple[Branch, ...]) -> Floats:
    """Lay the contributions out along the last axis as `_names` names them."""
    found: list[Floats] = []
    answered = np.zeros(before.shape[:-1])
    start = 0
    for branch in tree:
        (w0, m0, q0, a0, p0, x0), (w1, m1, q1, a1, p1, x1) = (
            _parts(means[..., start : start + branch.width]) for means in (before, after)
        )
        start += branch.width
        weight, open_share = (w0 + w1) / 2, 1 - (q0 + q1) / 2
        parts = [np.moveaxis((weight * open_share)[..., None] * (p0 + p1) / 2 * (x1 - x0), -1, 0)]
        if branch.gate:
            parts.append((-weight * (q1 - q0) * (a0 + a1) / 2)[None])
        leaves = np.concatenate(parts)
        found += [*([] if branch.root else [leaves.sum(0)]), *leaves]
        answered += weight * open_share * ((p1 - p0) * (x0 + x1) / 2).sum(-1) + (w1 - w0) * (m0 + m1) / 2
    whole = _level(after, tree) - _level(before, tree)
    return np.stack([whole, *found, answered], axis=-1)


def _parts(means: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Return weight and mean of a sub-score, share shut at its gate, mean of the others, and its items.

    Of the items come their shares in the mean of the others, and their levels.
    """
    items = (means.shape[-1] - 2) // 2
    weight, shut, shares, sums = (
        means[..., 0],
        means[..., 1],
        means[..., 2 : 2 + items],
        means[..., 2 + items :],
    )
    total = sums.sum(-1)
    level = np.divide(sums, shares, out=np.zeros_like(sums), where=shares > 0)
    others = weight - shut
    return weight, total / weight, shut / weight, total / others, shares / others[..., None], level


def _level(means: Floats, tree: tuple[Branch, ...]) -> Floats:
    """Return the score itself: the sum of what all items bring."""
    start, total = 0, np.zeros(means.shape[:-1])
    for branch in tree:
        total = total + means[..., start + 2 + len(branch.items) : start + branch.width].sum(-1)
        start += branch.width
    return total


def _names(edition: Edition, measure: Measure, tree: tuple[Branch, ...]) -> pl.DataFrame:
    """Name the rows of the table."""
    rows: list[tuple[str, str | None, str, str]] = [(measure.id, None, measure.label, measure.level)]
    for branch in tree:
        sub = branch.sub_score
        if not branch.root:
            rows.append((sub.id, measure.id, sub.label, sub.level))
        leaves = (*branch.items, *((branch.gate,) if branch.gate else ()))
        rows += [(i, sub.id, edition.questions[i].label, "question") for i in leaves]
    rows.append((ANSWERED, measure.id, "Which questions were answered", ANSWERED))
    return pl.DataFrame(rows, schema=["part", "parent", "label", "level"], orient="row")


def _steps(table: pl.DataFrame) -> pl.DataFrame:
    """Return the steps of the waterfall: every question under its sub-score."""
    names = dict(table.select("part", "label").rows())
    leaves = table.filter(pl.col("level").is_in(["question", ANSWERED]))
    section = pl.when(pl.col("level") == ANSWERED).then(pl.lit("Answers not given"))
    return leaves.with_columns(section=section.otherwise(pl.col("parent").replace(names)))
