"""What study.yaml says, done to respondent files: columns, words, texts of answers, names of groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import DEFAULT
from culture_metrics.catalogue import survey as find_survey
from culture_metrics.errors import StudyFileError, UnknownNameError, unknown
from culture_metrics.extracts.columns import breakdown_of, text_columns
from culture_metrics.extracts.labels import label_code
from culture_metrics.extracts.opening import open_table
from culture_metrics.extracts.rules.labels import NO_GROUP, breakdown_columns, count_labels
from culture_metrics.extracts.spelling import same_but_for_case, squeezed
from culture_metrics.files.names import shown, squeeze
from culture_metrics.study.settings import BLANK, STUDY_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from culture_metrics.catalogue import Edition, Question, Survey
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.files.raw import RawTable
    from culture_metrics.study.settings import Settings, StudyInput

    Merge = dict[str, dict[str, str | None]]


def columns_of(path: Path, settings: Settings, survey: Survey | None) -> dict[str, str]:
    """Return the columns of a file that are not what their headers say: header -> what it means.

    The file is opened for it only where a breakdown stands under a name that does not say so.
    """
    said = settings.of(path)
    columns = {theirs: means for means, theirs in said.columns.items()}
    edition = _latest(survey or find_survey(settings.survey_named or DEFAULT))
    odd = {
        _folded(header): word
        for word, headers in settings.breakdowns.items()
        for header in headers
        if _natural(header, edition) != breakdown_of(word, edition)
    }
    if odd:
        names = [shown(n) for n in _open(path, said, columns).names]
        words = {name: odd[_folded(name)] for name in names if _folded(name) in odd}
        columns |= {name: f"breakdown: {word}" for name, word in words.items() if name not in columns}
    return columns


def _open(path: Path, said: StudyInput, columns: Mapping[str, str]) -> RawTable:
    return open_table(path, said.sheet, set(columns), head_only=True, header_row=said.header_row)


def _latest(survey: Survey) -> Edition:
    return survey.edition(survey.periods[-1])


def _natural(header: str, edition: Edition) -> str | None:
    """Return the breakdown that a header is read as by itself."""
    return text_columns(edition).get(squeeze(header))


def _folded(header: str) -> str:
    return " ".join(header.split()).casefold()


def in_own_words(extract: Extract, settings: Settings) -> Extract:
    """Give the breakdowns the trust's words, and read the answers that study.yaml explains."""
    edition = extract.edition
    words = {breakdown_of(word, edition): word for word in settings.breakdowns}
    here = {column: word for column, word in words.items() if column in extract.frame.columns}
    frame, read = _read_labels(extract.frame, edition, settings.labels)
    told = {"words": {**(extract.provenance.get("words") or {}), **here}}
    if read:
        unread = dict(extract.provenance.get("unreadable") or {})
        labels = dict(extract.provenance.get("labels_read") or {})
        for column, cells in read.items():
            unread[column] = unread.get(column, cells) - cells
            labels[column] = labels.get(column, 0) + cells
        told |= {"unreadable": {c: n for c, n in unread.items() if n}, "labels_read": labels}
    return replace(extract, frame=frame, provenance={**extract.provenance, **told})


def _read_labels(
    frame: pl.DataFrame, edition: Edition, labels: Mapping[str, str | None]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Read texts as the options they stand for; return how many cells of each column were."""
    known = {squeezed(text): means for text, means in labels.items() if means is not None}
    if not known:
        return frame, {}
    read: dict[str, int] = {}
    made = []
    for column, question in edition.columns.items():
        if column not in frame.columns or frame[column].dtype != pl.String or question.kind == "multi":
            continue
        texts = frame[column].drop_nulls().value_counts(name="n")
        meant = {t: known[squeezed(t)] for t in texts[column] if squeezed(t) in known}
        codes = {t: _code(m, question) for t, m in meant.items() if m == BLANK or _code(m, question)}
        if codes:
            read[column] = int(texts.filter(pl.col(column).is_in(list(codes)))["n"].sum())
            made.append(_whole(frame[column].replace(codes)))
    return frame.with_columns(made), read


def _code(means: str, question: Question) -> str | None:
    """Return the code of an option as text; None for a blank, and where the question has no such option."""
    code = None if means == BLANK else label_code(means, question.scale)
    return None if code is None else str(code)


def _whole(column: pl.Series) -> pl.Series:
    codes = column.cast(pl.Int16, strict=False)
    return codes if codes.null_count() == column.null_count() else column


def one_name(extracts: Sequence[Extract], settings: Settings) -> list[Merge]:
    """Return, for each extract, the names of groups to replace, by column, as `validate` takes them.

    Names that differ in spelling only become the commonest of all years, words for no group none, and names
    that were confirmed to be one group the later one.
    """
    pooled: dict[str, dict[str, int]] = {}
    each = []
    for extract in extracts:
        here = count_labels(extract.frame, breakdown_columns(extract.frame, extract.edition))
        each.append(here)
        for column, names in here.items():
            for name, n in names.items():
                pooled.setdefault(column, {})[name] = pooled.get(column, {}).get(name, 0) + n
    new = {column: _new_names(column, names, settings, extracts) for column, names in pooled.items()}
    return [
        {c: wanted for c, names in here.items() if (wanted := {n: new[c][n] for n in names if n in new[c]})}
        for here in each
    ]


def _new_names(
    column: str, names: Mapping[str, int], settings: Settings, extracts: Sequence[Extract]
) -> dict[str, str | None]:
    new: dict[str, str | None] = {}
    if settings.one_spelling:
        nowhere = {n for n in names if squeezed(n) in NO_GROUP or not squeezed(n)}
        new |= dict.fromkeys(nowhere) | same_but_for_case(
            {n: k for n, k in names.items() if n not in nowhere}
        )
    by_key = {squeezed(name): new.get(name, name) or name for name in names}
    edition = extracts[-1].edition
    pairs = [
        p for p in settings.renamed if p.confirmed and p.breakdown in settings.breakdowns
        and breakdown_of(p.breakdown, edition) == column
    ]  # fmt: skip
    later = {}
    for pair in pairs:
        if squeezed(pair.old) not in by_key:
            error = unknown(f"group in {pair.breakdown}", pair.old, _common(column, extracts))
            raise StudyFileError(
                f"No file has the {pair.breakdown} '{pair.old}', which is said to have another name now",
                where=f"{STUDY_FILE}, renamed",
                hint=f"{error.hint} Write the name as in the file, or take the entry out.",
            )
        later[by_key[squeezed(pair.old)]] = by_key.get(squeezed(pair.new), pair.new)
    for name in names:
        now, steps = new.get(name, name), 0
        while now in later and steps <= len(later):
            now, steps = later[now], steps + 1
        if now != name:
            new[name] = now
    return new


def _common(column: str, extracts: Sequence[Extract]) -> list[str]:
    """Return the names that are not rare in some year: few who answer twice are few."""
    here = [e.frame for e in extracts if column in e.frame.columns]
    least = extracts[-1].edition.survey.minimum_base
    each = [count_labels(frame, [column])[column] for frame in here]
    return [*dict.fromkeys(name for names in each for name, n in names.items() if n >= least)]


def check_words(extracts: Sequence[Extract], settings: Settings) -> None:
    """See to it that what study.yaml names is in the files, and in the survey.

    Raises
    ------
    StudyFileError
        Naming the word, and the columns of the files, or the options of the survey, that are like it.
    """
    headers = {name: name for extract in extracts for name in _headers(extract)}
    ids = {c for e in extracts for c in e.frame.columns}
    for word, named in settings.breakdowns.items():
        if extracts and breakdown_of(word, extracts[-1].edition) not in ids:
            error = unknown("column", named[0], headers)
            raise StudyFileError(
                f"No file has a column {' or '.join(map(repr, named))} for {word}",
                where=f"{STUDY_FILE}, breakdowns, {word}",
                expected="the header of a column in one of the files",
                hint=f"{error.hint} Write it as in the file, or take the line out.",
            )
    known = {_folded(name) for name in (*settings.breakdowns, *headers)}
    for word, nest in settings.nesting.items():
        for name in (word, *nest.within):
            if extracts and _folded(name) not in known:
                error = unknown("breakdown", name, settings.breakdowns)
                raise StudyFileError(
                    f"There is no breakdown '{name}'",
                    where=f"{STUDY_FILE}, nesting, {word}",
                    expected=f"one of {', '.join(settings.breakdowns)}",
                    hint=f"{error.hint} Take the entry out, or name a breakdown.",
                )
    scales = {q.scale.id: q.scale for e in extracts for q in e.edition.questions.values()}.values()
    for text, means in settings.labels.items() if extracts else ():
        if means not in (None, BLANK) and all(label_code(str(means), scale) is None for scale in scales):
            options = {label for scale in scales for label in scale.options.values()}
            error = unknown("response option", str(means), sorted(options))
            raise StudyFileError(
                f"No question has the response option '{means}'",
                where=f"{STUDY_FILE}, labels, {text}",
                expected="an option of the questionnaire, or blank",
                hint=f"{error.hint} Write nothing after the colon to leave the text unread.",
            )


def _headers(extract: Extract) -> list[str]:
    told = extract.provenance
    return [*(told.get("renamed") or {}), *(told.get("words") or {}).values(), *(told.get("not_used") or ())]


def own_breakdowns(extracts: Sequence[Extract], year: str, settings: Settings) -> tuple[str, ...]:
    """Return the ids of the breakdowns of study.yaml, those by answers first.

    Which files have them is another's to see: a column may be new in the year of the study.
    """
    if not extracts:
        return ()
    edition = next((e for e in extracts if e.period == year), extracts[-1]).edition
    also = [n for n in edition.survey.defaults.breakdowns if edition.breakdowns[n].question]
    if settings.also_by is not None:
        also = [_asked(name, edition) for name in settings.also_by]
    columns = {b.column: b.id for b in edition.breakdowns.values() if b.column}
    own = [breakdown_of(word, edition) for word in settings.breakdowns]
    return (*also, *(columns.get(one, one) for one in own))


def _asked(name: str, edition: Edition) -> str:
    try:
        return edition.breakdown(name).id
    except UnknownNameError as error:
        raise StudyFileError(
            f"The survey has no breakdown '{name}'",
            where=f"{STUDY_FILE}, also_by",
            expected="breakdowns by answers, such as occupation_group",
            hint=f"{error.hint} A column of the files belongs under breakdowns.",
        ) from None


def within(merge: Merge, frame: pl.DataFrame) -> Merge:
    """Return the names to replace that stand in these rows: `validate` refuses others."""
    here = {column: set(frame[column].unique()) for column in merge}
    kept = {c: {old: new for old, new in names.items() if old in here[c]} for c, names in merge.items()}
    return {column: names for column, names in kept.items() if names}
