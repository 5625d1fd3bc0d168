"""What a study says first: how we stand, what changed and where, whose experience differs, what next."""

from __future__ import annotations

import html
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.equality_standards import equality_of
from culture_metrics.compare.story import told
from culture_metrics.contract import ALL
from culture_metrics.results.precision import wilson_percent
from culture_metrics.results.tables import heat_map_table, score_table
from culture_metrics.results.words import from_to
from culture_metrics.study.files import Told, told_of
from culture_metrics.study.next_steps import next_steps
from culture_metrics.study.pulse import what_moved
from culture_metrics.study.whose_experience import whose_experience
from culture_metrics.wording.numbers import in_sentence, several, shown, together
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.study.study import Study

#: Kinds of lines, in their order, and the question that each answers.
KINDS = {
    "response": "Who answered?",
    "standing": "How do we stand?",
    "changed": "What changed, and where inside?",
    "inside": "Which parts stand apart?",
    "pulse": "What moved from quarter to quarter?",
    "equality": "Whose experience differs?",
    "next": "What to look at next",
}
#: Notebooks that show more of a line.
EXTRACT, INDICATORS, YEARS = "01_check_an_extract", "02_culture_indicators", "03_year_on_year"
STANDING, EQUALITY = "04_benchmark_and_peers", "05_equality"
FRAMEWORKS, PUBLISHED, PULSE = "06_leadership_frameworks", "10_published_results", "11_pulse"
#: Sentences that a chapter opens with.
MOST = 2
#: Groups of a breakdown that are named as apart from the whole.
NAMED = 3


@dataclass(frozen=True)
class Line:
    """A sentence that a board should read first, its kind (`KINDS`), and the notebook that shows more."""

    kind: str
    sentence: str
    chapter: str


@dataclass(frozen=True)
class Opening:
    """What is said first of a study, line by line."""

    lines: tuple[Line, ...]

    @property
    def said(self) -> tuple[str, ...]:
        """The sentences alone."""
        return tuple(line.sentence for line in self.lines)

    def by_question(self) -> Iterator[tuple[str, list[Line]]]:
        """Return the questions that are answered, each with its lines."""
        for kind, lines in groupby(self.lines, key=lambda line: line.kind):
            yield KINDS[kind], [*lines]

    def of(self, chapter: str) -> tuple[str, ...]:
        """Return the sentences of which a chapter shows more."""
        return tuple(line.sentence for line in self.lines if line.chapter == chapter)

    def __repr__(self) -> str:
        return "\n".join(self.said)

    def _repr_html_(self) -> str:
        parts = (
            f"<p><strong>{html.escape(question)}</strong></p><ul>"
            + "".join(f"<li>{html.escape(line.sentence)}</li>" for line in lines)
            + "</ul>"
            for question, lines in self.by_question()
        )
        return "".join(parts)


def opening(study: Study) -> Opening:
    """Put together what is said first, as far as the files tell it.

    What came of respondent files is of results that may be seen (`study.results`, and the gaps decided with
    them); nothing here is worked out from answers anew.
    """
    lines = [
        *(Line("response", text, EXTRACT) for text in (*_response(study), *_silence(study))),
        *(Line("standing", text, STANDING) for text in _standing(study)),
    ]
    if study.extracts and study.why_no_change:
        lines += [
            *(Line("standing", text, INDICATORS) for text in _own_scores(study)),
            *(Line("inside", text, INDICATORS) for text in _apart(study)),
        ]
    elif study.extracts:
        lines += [Line("changed", text, YEARS) for text in _changed(study)]
    moved = [Line("pulse", text, PULSE) for text in what_moved(study)]
    # Of a survey of quarters it is what stands first.
    lines = [*moved, *lines] if study.of_quarters is study else [*lines, *moved[:MOST]]
    if study.of_quarters is not study:
        lines += [Line("equality", text, EQUALITY) for text in whose_experience(study)]
    named = " ".join(line.sentence for line in lines)
    lines += [Line("next", text, chapter) for text, chapter in next_steps(study, named)]
    return Opening(tuple(lines))


def _response(study: Study) -> Iterator[str]:
    """Say the response rate of the whole, where headcounts are known; else of the groups that have them."""
    for rates in study.response_rates().rates if study.extracts else ():
        shown_ = rates.table.filter(status="reported")
        for row in shown_.filter(breakdown=ALL).iter_rows(named=True):
            yield answered(row["base"], row["staff"])
            return
        for (breakdown,), rows in shown_.group_by("breakdown", maintain_order=True):
            label = in_sentence(study.edition.breakdown_label(str(breakdown), study.words))
            among = f" in {several(rows.height, 'group')} by {label}, of which headcounts are known,"
            yield answered(int(rows["base"].sum()), int(rows["staff"].sum()), among)
            return


def _silence(study: Study) -> Iterator[str]:
    """Say how far those who did not answer could move the headline score."""
    if study.extracts and (said := study.response_rates().non_response):
        yield said


def answered(base: int, staff: int, among: str = "") -> str:
    """Say how many of the staff answered, with Wilson's interval."""
    ends = wilson_percent(pl.lit(100 * base / staff), pl.lit(float(staff)))
    low, high = (pl.select(end).item() for end in ends)
    return (
        f"{base:,} of {staff:,} staff{among} answered: {100 * base / staff:.1f}% ({low:.1f} to {high:.1f})."
    )


def _standing(study: Study) -> Iterator[str]:
    """Say where the organisation stands among others, its oversight scores, and its extremes."""
    if not study.workbook:
        return
    found = study.benchmark()
    first, *more = found.sentences()
    # Figures of another year than the one that is reported on say so.
    yield first if found.period == study.year else f"{first.removesuffix('.')} ({found.period})."
    yield from more
    overseen = study.overseen
    yield from [overseen] if isinstance(overseen, str) else overseen.placed()
    yield from found.favourable()


def _own_scores(study: Study) -> Iterator[str]:
    """Say how far the organisation's own scores reach, and which leading ones are highest and lowest."""
    rows = study.results.table.filter(period=study.year)
    own = score_table(rows, study.edition)
    yield f"Own file, {study.edition.survey.named(study.year)}: {from_to(own)}."
    leading = own.filter(pl.col("level").is_in(study.edition.survey.leading)).drop_nulls("estimate")
    if leading.height > 1:
        ends = leading.sort("estimate", descending=True)
        high, low = ends.row(0, named=True), ends.row(-1, named=True)
        yield (
            f"Of {several(leading.height, 'leading score')} {_scored(high)} is highest and {_scored(low)} "
            "lowest."
        )


def _scored(row: dict[str, float | str]) -> str:
    ends = " to ".join(shown(float(row[name]), "score") for name in ("conf_low", "conf_high"))
    return f"{in_sentence(str(row['label']))} ({shown(float(row['estimate']), 'score')}; 95% interval {ends})"


def _changed(study: Study) -> Iterator[str]:
    """Say what moved in the whole, then a line for each group that moved apart from the rest."""
    moved, places, _ = told(study.compare_years())
    # Official results beside it have other figures of the same scores: they are weighted.
    own = "Own file, unweighted: " if study.workbook else ""
    yield from (f"{own}{' '.join(finding)}" for finding in moved)
    for label, phrases in places:
        yield from (f"By {label}: {phrase}." for phrase in phrases)


def _apart(study: Study) -> Iterator[str]:
    """Say which groups stand apart from the whole in most leading scores, all groups allowed for."""
    rows = study.results.table.filter(period=study.year)
    leading = [*study.edition.leading]
    told_apart = equality_of(
        study.edition.survey.id
    ).breakdowns  # their gaps are told under their own question
    for breakdown in study.by:
        if breakdown in told_apart:
            continue
        map_ = heat_map_table(rows, study.edition, breakdown, leading).filter("clear", pl.col("group") != ALL)
        if map_.is_empty():
            continue
        away = map_.with_columns(pl.col("estimate") - pl.col("reference")).with_columns(
            below=pl.col("estimate") < 0
        )
        counted = (
            away.group_by("group", "below")
            .agg(scores=pl.len(), furthest=pl.col("label").get(pl.col("estimate").abs().arg_max()),
                 most=pl.col("estimate").abs().max())
            .sort("scores", "most", "group", descending=[True, True, False])
        )  # fmt: skip
        label = in_sentence(study.edition.breakdown_label(breakdown, study.words))
        for below, word in ((True, "below"), (False, "above")):
            side = counted.filter(below=below).with_columns(
                said=pl.format(
                    "{} ({} of {}, furthest {})", "group", "scores", pl.lit(len(leading)), "furthest"
                )
            )
            if side.height:
                named = together(side["said"], most=NAMED)
                yield f"By {label}, beyond chance {word} the whole in leading scores: {named}."


def findings(study: Study, chapter: str) -> tuple[str, ...]:
    """Say what came of a chapter, as it opens: what the first screen has of it, or its own finding."""
    first = study.stands_out().of(chapter)
    if chapter == EXTRACT:
        return (*_used(study), *first[:1])
    if chapter == INDICATORS and not first:
        return tuple(_own_scores(study))[1:]
    if chapter == FRAMEWORKS:
        return tuple(text for one in study.framework(None) if (text := getattr(one, "standing", str)()))[:1]
    if chapter == PUBLISHED and not isinstance(study.mirrored, str):
        return (study.mirrored.first,)
    if chapter == PULSE:
        return tuple(what_moved(study))
    return first[:MOST] if chapter != EQUALITY else first[:1]


def _used(study: Study) -> Iterator[str]:
    """Say how many rows of each file are used, all its periods together, and what the check found."""
    for of in study.every:
        files: dict[str, list[Told]] = {}
        for one in told_of(of):
            file = one.report.extract.provenance.get("sha256") or id(one.report)
            files.setdefault(str(file), []).append(one)
        for read in files.values():
            found = "no error." if all(one.report.ok for one in read) else "errors: read on."
            yield f"{_rows(read, study.rule.minimum_base)} The check found {found}"


def _rows(read: list[Told], least: int) -> str:
    """Say how many rows the periods of one file have, of how many where that may be told."""
    reports = [one.report for one in read if not one.few]
    if not reports:
        periods = together(period_words(one.report.extract.period) for one in read)
        return f"{periods}: fewer than {least} people answered, and nothing of it may be shown."
    first, *more = (period_words(report.extract.period) for report in reports)
    named = f"{first} to {more[-1]} ({len(reports)} periods)" if len(more) > 1 else together([first, *more])
    used = sum(report.rows_used for report in reports)
    if all(one.whole for one in read):
        return f"{named}: {used:,} of {several(reports[0].rows_read, 'row')} are used."
    few = several(len(read) - len(reports), "more period")
    more_ = f"; {few} of too few people to be counted" if len(reports) < len(read) else ""
    return f"{named}: {several(used, 'row')} {'is' if used == 1 else 'are'} used{more_}."
