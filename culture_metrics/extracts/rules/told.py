"""What the reader did, told as problems: columns renamed, labels and dates read, rows left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from culture_metrics.extracts import one_organisation, unanswered
from culture_metrics.extracts.labels import BLANK, DATE, DECLARED, LABEL, NUMBER, RELABELLED
from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.extracts.which_edition import likely_meant
from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from culture_metrics.catalogue import Question
    from culture_metrics.extracts.extract import Extract

#: Rows that the reader leaves out: key in the provenance, rule, what they are, what was done.
LEFT_OUT = (
    ("rows_of_other_periods", "other periods", "rows of other years in the file", "Left out."),
    (
        "rows_without_period",
        "rows of no period",
        "rows that name no year or quarter, in a file that holds several",
        "Left out of all of them; give them their year or quarter.",
    ),
    (
        "rows_not_completed",
        "questionnaires not completed",
        "rows of people who did not respond, were ineligible or opted out",
        "Left out; only completed questionnaires count.",
    ),
    (
        "rows_of_previews",
        "survey previews",
        "rows that whoever made the survey wrote to try it out",
        "Left out; they are no respondents.",
    ),
    (
        "rows_of_spam",
        "spam",
        "rows that the survey platform marks as spam",
        "Left out; they are no respondents.",
    ),
    (
        "rows_not_finished",
        "questionnaires not finished",
        "rows of questionnaires that were left before their end, or were screened out",
        "Left out; only finished questionnaires count.",
    ),
    (
        "rows_of_bank_workers",
        "bank workers",
        "rows of bank-only workers",
        "Left out: they have a survey of their own, which is never mixed with this one.",
    ),
)
#: Ways in which the reader told answers: key in the provenance, rule, what was found, expected, done.
READ_AS = {
    LABEL: ("labels instead of codes", "text answers", "codes", "Read as the codes of the labels."),
    RELABELLED: (
        "labels and codes that differ",
        "labels beside codes of another answer",
        "labels and codes of the form",
        "The label decided; ask the contractor which list of codes was used.",
    ),
    DATE: (
        "dates made by Excel",
        "dates that were response options such as 1-2",
        "codes",
        "Read as the options; a CSV file keeps Excel from changing them.",
    ),
    NUMBER: (
        "numbers in another form",
        "numbers such as 04 or 4,0",
        "whole numbers",
        "Read as numbers.",
    ),
    BLANK: (
        "words for no answer",
        "marks such as N/A or a dash",
        "blank where there is no answer",
        "Read as no answer.",
    ),
    DECLARED: (
        "values declared missing",
        "values that the file declares missing",
        "blank where there is no answer",
        "Read as no answer.",
    ),
}
#: What the reader met beside rows and answers: key, severity, rule, found (with the number), expected, done.
MET = (
    ("rows_blank", "note", "blank rows", "{} without anything", "respondents", "Left out; they are no rows."),
    (
        "rows_of_wording",
        "note",
        "rows of wording",
        "{} of question wording below the names",
        "respondents below the names of columns",
        "Left out.",
    ),
    (
        "rows_too_short",
        "warning",
        "rows that are too short",
        "{} with fewer cells than the header",
        "a cell for every column",
        "The missing cells were taken as blank; look whether the file was cut.",
    ),
    (
        "columns_without_name",
        "warning",
        "columns without a name",
        "{} with entries and no name",
        "a name for every column",
        "Left out; give them names if they are needed.",
    ),
)


def left_out(extract: Extract) -> dict[str, int]:
    """Return the number of rows that the reader left out, by rule."""
    found = {rule: int(extract.provenance.get(key) or 0) for key, rule, _, _ in LEFT_OUT}
    return {rule: n for rule, n in found.items() if n}


def told(extract: Extract) -> Iterator[Problem]:
    """Tell what the reader did."""
    if extract.provenance.get(one_organisation.OTHERS):
        yield Problem(
            "note",
            "other organisations",
            "rows of other organisations in the file",
            "respondents of one organisation",
            "Left out and not counted, nor is what the reader left out or read anew in the whole file: it "
            "would tell how many answered elsewhere. Rows are numbered within the organisation, from 2.",
            column="organisation",
        )
    if extract.edition.provisional:
        yield Problem(
            "warning",
            "provisional edition",
            f"{extract.period} is {extract.edition.provisional}",
            "an edition whose questionnaire and scoring are known",
            "Read and scored so all the same: what is shown says it. Look for a later version of this "
            "package before you publish.",
        )
    yield from _names(extract)
    yield from _missing(extract)
    rows = left_out(extract)
    for _, rule, what, done in LEFT_OUT:
        if rule in rows:
            yield Problem("note", rule, what, f"respondents of {extract.period}", done, rows=rows[rule])
    for how, (rule, found, expected, done) in READ_AS.items():
        counts: Mapping[str, int] = extract.provenance.get(how) or {}
        if counts:
            severity = "warning" if how == RELABELLED else "note"
            said = f"{found} in {listed(counts)} (answers counted)"
            people = of_groups(extract.edition)
            answers = sum(n for column, n in counts.items() if column not in people)
            yield Problem(severity, rule, said, expected, done, rows=answers)
    yield from _met(extract.provenance)


def _met(provenance: Mapping[str, Any]) -> Iterator[Problem]:
    for key, severity, rule, found, expected, done in MET:
        number = int(provenance.get(key) or 0)
        if number:
            what = "column" if key.startswith("columns") else "row"
            first = provenance.get(f"first_{key.replace('rows', 'row')}")
            yield Problem(
                severity,
                rule,
                found.format(counted(number, what)),
                expected,
                done,
                rows=number if what == "row" else 0,
                examples="" if first is None else f"{first}{' …' if number > 1 else ''}",
            )
    if without := provenance.get("formulas_without_values"):
        columns = listed(without, 8)
        yield Problem(
            "warning",
            "formulas without values",
            f"formulas of which the file holds no value, in {columns}",
            "values",
            "Read as blank. Open the file in Excel (or LibreOffice), save it there and read it again: that "
            "works the formulas out and stores their values.",
        )
    if provenance.get("settled"):
        found = "; ".join(provenance["settled"])
        yield Problem("note", "ticks in another coding", found, "1 ticked, 0 not ticked", "Read as meant.")
    if provenance.get("other_sheets"):
        found = f"sheets that were not read: {str(provenance['other_sheets'])[:120]}"
        done = "Left out; name one with read_extract(..., sheet=)."
        yield Problem("note", "other sheets", found, "one sheet of respondents", done)
    if provenance.get("mapping"):
        found = "names of columns told by a saved mapping"
        yield Problem("note", "saved mapping", found, "names that tell the columns", "Used the mapping.")


def _names(extract: Extract) -> Iterator[Problem]:
    renamed: Mapping[str, str] = extract.provenance.get("renamed") or {}
    questions = {a: b for a, b in renamed.items() if b in extract.edition.columns}
    if questions:
        shown = listed((f"'{a[:30]}' read as {b}" for a, b in questions.items()), 3)
        yield Problem(
            "note",
            "column names",
            f"{counted(len(questions), 'name')} in another form: {shown}",
            f"codes as {extract.edition.survey.some_codes[0]}",
            "Renamed.",
        )
    if doubt := extract.provenance.get("doubt"):
        done = f"{doubt} Read as asked for; if that is wrong, read it again."
        yield Problem("warning", "maybe another year", "signs of another year", f"{extract.period}", done)
    if doubt := extract.provenance.get("survey_doubt"):
        done = f"{doubt} Read as asked for; leave survey= out to have it told from the columns."
        yield Problem(
            "warning", "maybe another survey", "signs of another survey", extract.edition.survey.label, done
        )
    rivals: Mapping[str, Sequence[str]] = extract.provenance.get("rivals") or {}
    for code, headers in rivals.items():
        yield Problem(
            "warning",
            "several columns for one question",
            f"{counted(len(headers), 'column')}: {listed((n[:60] for n in headers), 8)}",
            "one column a question, or one an option to tick",
            "Left out, all of them: nothing says which one is meant. Take the code out of the names of the "
            "others, or name the one with columns=.",
            column=code,
        )
    names = [n for n in extract.provenance.get("not_used") or () if not any(n in r for r in rivals.values())]
    here = set(extract.frame.columns)
    absent = [q.code for q in extract.edition.questions.values() if not here & set(q.columns)]
    meant = likely_meant(names, absent)
    if meant:
        said = (f"{name[:40]} (is it {code}?)" for name, code in meant.items())
        yield Problem(
            "warning",
            "columns that may be misspelled",
            f"{counted(len(meant), 'column')} near the code of a missing question",
            "codes as on the form",
            f"Left out: {listed(said, 6)}. If so, rename {'it' if len(meant) == 1 else 'them'} in the file.",
        )
    names = [name for name in names if name not in meant]
    if names:
        yield Problem(
            "note",
            "unknown columns",
            f"{counted(len(names), 'column')}: {listed((n[:40] for n in names), 8)}",
            "questions and breakdowns of the catalogue",
            "Left out.",
        )


def _missing(extract: Extract) -> Iterator[Problem]:
    """Questions of the edition that have no column, and the scores that costs."""
    here = set(extract.frame.columns)
    missing = [q for q in extract.edition.questions.values() if not here & set(q.columns)]
    if missing:
        yield Problem(
            "warning",
            "missing questions",
            f"no column for {listed((q.code for q in missing), 12)}",
            f"{len(extract.edition.questions)} questions",
            cost(extract, missing),
        )
    parts = [
        q.code
        for q in extract.edition.questions.values()
        if here & set(q.columns) and not here >= set(q.columns)
    ]
    if parts:
        yield Problem(
            "warning",
            "missing options",
            f"some options of {listed(parts)} have no column",
            f"one column for each option, as {parts[0]}_1",
            "The options that are there are used.",
        )


def cost(extract: Extract, absent: Iterable[Question]) -> str:
    """Say what scores it costs that questions are not there."""
    absent = list(absent)
    said = unanswered.told(extract.edition, [question.id for question in absent])
    return said or f"No score is built of {listed((question.code for question in absent), 12)}."
