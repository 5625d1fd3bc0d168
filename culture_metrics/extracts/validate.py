"""Check an extract against the catalogue and set aside what cannot be used, counted and with its reason."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts import accounts, cleaning
from culture_metrics.extracts.extract import Extract, not_read
from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.report import ValidationReport
from culture_metrics.extracts.rules import (
    bases,
    codes,
    editions,
    labels,
    patterns,
    routing,
    told,
    whole_columns,
)
from culture_metrics.extracts.rules import organisations as listing
from culture_metrics.extracts.rules import rows as row_rules
from culture_metrics.extracts.rules.discreet import discreet, of_groups
from culture_metrics.extracts.rules.found import Rows, look_up, problem
from culture_metrics.extracts.rules.text import whole_numbers
from culture_metrics.extracts.schema import contract_problems
from culture_metrics.extracts.tally import Tally, tally
from culture_metrics.files.organisations import read_organisations
from culture_metrics.output import verb
from culture_metrics.problems import EXAMPLES, Problem, problem_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from culture_metrics.extracts.rules.labels import Merge


@verb
def validate(
    extract: Extract,
    organisations: pl.DataFrame | str | Path | None = None,
    merge: Merge | None = None,
    eligible: Mapping[str, int] | None = None,
) -> ValidationReport:
    """Check an extract and return a clean one, with a report of every problem in counts.

    Parameters
    ----------
    extract : Extract
        As `read_extract` or `synthetic.respondents` returns it.
    organisations : polars.DataFrame, str or Path, optional
        List of organisations (a table or a CSV file) with the columns `ods_code` and, as far as known,
        `name`, `alt_names`, `predecessor_codes`, `merger_date`. Without it only their form is checked.
    merge : mapping, optional
        Labels of breakdowns to merge, by column: `{"locality_1": {"nursing": "Nursing"}}`; a label that
        becomes None stands for no group. `report.merges` holds what the report offers. Nothing is merged
        unless asked for.
    eligible : mapping, optional
        Number of eligible staff by organisation of the extract, to find more respondents than staff.

    Returns
    -------
    ValidationReport
        `.ok` is False when a problem is an error; `.problems` has one row per rule and column (`severity`,
        `rule`, `column`, `rows`, `examples`, `found`, `expected`, `done`); `.extract` is the clean extract;
        `.quarantine` lists what was set aside (`row`, `column`, `reason`; a null column means the whole row);
        `.reconciliation` accounts for every row, and every answer that puts nobody into a group.

    Raises
    ------
    ExtractError
        When it is given no Extract, the extract lacks the columns `respondent` and `organisation`, or an
        argument has another form.
    UnknownNameError
        When a column or label to merge, or an organisation with eligible staff, does not exist.

    Notes
    -----
    Answers that cannot be used become missing and rows that cannot be used are left out; both are counted:
    rows read = rows used + rows set aside, and likewise for answers. A row is set aside for the first reason
    that applies. The report speaks in counts and row numbers, never in answers. The clean extract is checked
    with a Pandera schema built from the catalogue before it is returned.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> report = validate(synthetic.respondents(2024, respondents_per_organisation=200))
    >>> report.ok, report.rows_used
    (True, 200)
    """
    merge = labels.check_merge(merge)
    if not isinstance(extract, Extract):
        raise not_read(extract, "validate")
    known = None if organisations is None else read_organisations(organisations)
    raw, edition = cleaning.prepared(extract), extract.edition
    minimum = edition.survey.minimum_base

    # Single answers: what is no number, no code of its list, ruled out by a filter.
    frame, words, notes, blanks = whole_numbers(raw, edition)
    frame, plain = cleaning.tidy_names(frame, extract)
    frame, forms = cleaning.tidy_organisations(frame, minimum)
    frame, merged = labels.merged(frame, merge, edition)
    counts = tally(frame, edition)
    bases.check_eligible(eligible or {}, frame["organisation"].drop_nulls().unique().sort().to_list())
    unlisted, routed = list(codes.unlisted_codes(counts)), routing.ruled_out(frame, counts)
    cells = [*words, *unlisted, *routed]
    places = [*look_up(raw, words), *look_up(frame, [*unlisted, *routed])]

    # Whole rows, then the clean table in one pass.
    repeated = row_rules.repeated_ids(frame)
    rows, remarks = _bad_rows(frame, counts, extract.period, repeated)
    keep = cleaning.kept(frame.height, rows)
    clean = frame.select(cleaning.cleaned(frame, counts, routed, keep))
    lost = None if keep is None else frame.filter(~keep)
    lost = None if lost is None else lost.select(cleaning.cleaned(lost, counts, routed, None))
    clean, shared = row_rules.own_ids(clean, may_repeat=len(repeated) > 0)

    result = replace(extract, frame=clean)
    given = whole_columns.count_given(counts, words)
    found, offers = _as_a_whole(result, counts, given, known, eligible)
    of_cells = (problem(kind, where) for kind, where in zip(cells, places, strict=True))
    of_rows = (problem(kind, frame[ROW].gather(kind.places.head(EXAMPLES + 1))) for kind in rows)
    problems = [
        *told.told(extract),
        *notes,
        *plain,
        *discreet([*merged, *codes.missing_codes(counts), *of_cells], edition, frame),
        *remarks,
        *of_rows,
        *discreet([*forms, *shared, *found], edition, frame),
        *_not_checked(known, eligible),
        *discreet(contract_problems(clean, edition), edition, frame),
    ]
    return ValidationReport(
        problems=problem_table(problems),
        extract=result,
        quarantine=accounts.quarantine(frame, edition, cells, places, rows),
        reconciliation=accounts.reconciliation(
            edition,
            left_out=told.left_out(extract),
            rows={kind.rule: kind.rows for kind in rows},
            blank={
                "words for no answer": blanks,
                "missing codes": codes.count_missing(counts, of_groups(edition)),
            },
            cells=cells,
            answers={
                "read": accounts.answers(raw, edition),
                "used": accounts.answers(clean, edition),
                "in rows set aside": 0 if lost is None else accounts.answers(lost, edition),
            },
            read=raw.height,
            used=clean.height,
        ),
        merges=offers,
    )


def _bad_rows(
    frame: pl.DataFrame, counts: Tally, period: str, repeated: pl.Series
) -> tuple[list[Rows], list[Problem]]:
    """Return the rows to set aside, each for the first reason that applies, and remarks on others."""
    rows: list[Rows] = []
    remarks: list[Problem] = []
    taken: pl.Series | None = None
    first_rules = chain(
        row_rules.other_period(frame, period),
        # A row of totals has neither answers nor an organisation: nobody is missing.
        row_rules.empty_rows(frame, counts),
        row_rules.no_organisation(frame),
    )
    for kind in first_rules:
        if isinstance(kind, Problem):
            remarks.append(kind)
            continue
        places = kind.places if taken is None else kind.places.filter(~kind.places.is_in(taken.implode()))
        if places.len():
            rows.append(replace(kind, places=places))
            taken = places if taken is None else pl.concat([taken, places])
    return [*rows, *row_rules.duplicates(frame, repeated, taken)], remarks


def _as_a_whole(
    extract: Extract,
    counts: Tally,
    given: Mapping[str, int],
    known: pl.DataFrame | None,
    eligible: Mapping[str, int] | None,
) -> tuple[list[Problem], dict[str, dict[str, str | None]]]:
    """Look at columns, organisations, groups and patterns as a whole."""
    frame, edition = extract.frame, extract.edition
    minimum = edition.survey.minimum_base
    organisations = dict(frame["organisation"].value_counts(sort=True, name="n").iter_rows())
    groups = labels.count_labels(frame, labels.breakdown_columns(frame, edition))
    variants, offers = labels.label_problems(groups, minimum)
    groups = {c: names for c, names in groups.items() if not labels.is_free_text(c, names)}
    found = [
        *editions.edition_problems(counts),
        *whole_columns.column_problems(extract, counts, given),
        *whole_columns.known_faults(extract),
        *listing.form_problems(organisations, minimum),
        *(() if known is None else listing.list_problems(organisations, known, extract.period, minimum)),
        *listing.name_problems(frame, minimum),
        *variants,
        *bases.small_bases(organisations, groups, minimum),
        *bases.small_benchmark_groups(frame),
        *bases.above_eligible(organisations, eligible or {}, minimum),
        *bases.weights(frame),
        *row_rules.alike_without_ids(frame, extract),
        *patterns.pattern_notes(frame, edition),
    ]
    return found, offers


def _not_checked(known: pl.DataFrame | None, eligible: Mapping[str, int] | None) -> Iterator[Problem]:
    """Say what could not be checked, so that silence is not taken for a pass."""
    missing = ["how long people took: survey files hold no response times"]
    if known is None:
        missing.append("organisation codes against a list: none was given")
    if not eligible:
        missing.append("response rates: no numbers of eligible staff were given")
    yield Problem(
        "note",
        "not checked",
        "; ".join(missing),
        "validate(extract, organisations=..., eligible=...)",
        "Nothing; these checks need more than the file.",
    )
