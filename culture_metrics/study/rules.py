"""What a study is about: whom, which year, which breakdowns, and how small a group is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import CROSS, catalogue, least_base
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import ReportError, UnknownNameError, unknown
from culture_metrics.extracts.quarters import BY_MONTH
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.extracts.unanswered import told, unanswered
from culture_metrics.indicators.breakdowns import available_breakdowns, breakdown_id, crossed, names_groups
from culture_metrics.problems import listed
from culture_metrics.study.whom import code_of, no_such
from culture_metrics.wording.numbers import several
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culture_metrics.catalogue import Survey
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.report import ValidationReport
    from culture_metrics.published import Published


def minimum_rule(survey: Survey, minimum_base: int | None, minimum_count: int | None) -> Rule:
    """Return the rule of what is shown: the survey's own, or a stricter one."""
    least = survey.minimum_base
    rule = Rule(least if minimum_base is None else minimum_base, minimum_count)
    if rule.minimum_base < least:
        raise ReportError(
            f"The minimum base of {survey.label} can be raised, not lowered",
            expected=f"minimum_base of {least} or more",
            got=str(rule.minimum_base),
            hint="Figures on fewer people could be traced to one of them: leave it out or raise it.",
        )
    return rule


def organisation_of(
    reports: Sequence[ValidationReport], published: list[Published], wanted: str | None
) -> str:
    """Return whom a study is about: the one that is wanted, or the only one of the files."""
    in_files = [set(r.extract.frame["organisation"]) for r in reports]
    in_workbooks = [set(p.organisations["organisation"]) for p in published]
    known: list[str] = sorted(set().union(*(in_files or in_workbooks)))
    # Organisations of fewer respondents are not named in a message.
    enough = least_base([*(r.extract.survey for r in reports), *(p.survey for p in published)])
    sizes = dict.fromkeys(known, enough) | respondents_of([r.extract for r in reports])
    if wanted is not None:
        folded = {code.casefold(): code for code in known}
        wanted = code_of(wanted.strip(), published) or wanted
        if wanted.casefold() not in folded:
            large = [code for code in known if sizes[code] >= enough]
            raise no_such(wanted, large, published)
        return folded[wanted.casefold()]
    if len(known) == 1:
        return known[0]
    raise ReportError(
        f"The files hold {len(known)} organisations, so the report must be told which one it is about"
        if known
        else "The files hold no organisation",
        expected="an ODS code",
        hint=f"Give one of {named(sizes, enough, 12, 'organisation')}.",
    )


def respondents_of(extracts: Sequence[Extract]) -> dict[str, int]:
    """Count the respondents of each organisation in the year that has most: small ones are not named."""
    tables = [pl.DataFrame(schema={"organisation": pl.String, "rows": pl.UInt32})]
    tables += [e.frame["organisation"].drop_nulls().value_counts(name="rows") for e in extracts]
    most = pl.concat(tables, how="vertical_relaxed").group_by("organisation").agg(pl.col("rows").max())
    return dict(most.sort("organisation").iter_rows())


def check_one_survey(sources: Sequence[Extract | Published]) -> None:
    """Refuse files of several surveys: their figures do not compare."""
    labels = {source.survey: catalogue(source.survey).label for source in sources}
    if len(labels) > 1:
        odd = next((s for s in sources if catalogue(s.survey).cycle != "year"), sources[-1])
        raise ReportError(
            f"The files are of several surveys: {' and '.join(sorted(labels.values()))}",
            where=odd.provenance.get("file"),
            expected="files of one survey",
            hint=f"Leave out the file of the {labels[odd.survey]}, or report on it by itself: the two "
            "surveys are answered by other people, and their figures do not compare.",
        )


def check_one_file_a_year(sources: Sequence[Extract | Published], what: str) -> None:
    """Refuse two files of one period."""
    periods = [source.period for source in sources]
    twice = sorted({p for p in periods if periods.count(p) > 1})
    if twice:
        survey = catalogue(sources[0].survey)
        files = [s.provenance.get("file") for s in sources if s.period == twice[0]]
        same = {s.provenance.get("sha256") or id(s) for s in sources if s.period == twice[0]}
        raise ReportError(
            f"Two {what} hold {survey.named(twice[0])}",
            where=" and ".join(filter(None, files)) or None,
            hint=(
                "They are one file twice: write `kind: not used` beside one of them in study.yaml, or "
                "take it out of the folder."
                if len(same) == 1
                else f"Give one file a {survey.cycle}; put parts of a file together first."
            ),
        )


def year_of(periods: list[str], wanted: int | str | None) -> str:
    """Return the period that a study is about: the latest one, unless another is wanted."""
    if wanted is None:
        return max(periods)
    if str(wanted) not in periods:
        raise unknown("year in these files", str(wanted), sorted(set(periods)))
    return str(wanted)


def breakdowns_of(
    extracts: Sequence[Extract],
    wanted: Sequence[str | Sequence[str]] | None,
    usual: Sequence[str],
    *,
    every: bool = True,
) -> tuple[str, ...]:
    """Return breakdowns under the names that results give them; the usual ones where none is wanted.

    Several names in a sequence, or with the sign of crosses between them, are crossed. One that is wanted
    must be in one of the extracts: a column may be new. The usual ones are those that `every` extract has, or
    any.
    """
    if wanted is not None:
        lists = [name.split(CROSS) if isinstance(name, str) else name for name in wanted]
        if not extracts:
            return tuple(CROSS.join(names) for names in lists)
        found = [ids for names in lists for ids in _ids(extracts, names)]
        return tuple(crossed(found))
    here = [
        {name for name in usual if name in available_breakdowns(e) and names_groups(e, name)}
        for e in extracts
    ]
    enough = all if every else any
    return tuple(name for name in usual if here and enough(name in names for names in here))


def _ids(extracts: Sequence[Extract], names: Sequence[str]) -> list[list[str]]:
    """Return the ids of breakdowns in the extracts that have them all; the last error where none has."""
    found, missing = [], None
    for extract in extracts:
        try:
            found.append([breakdown_id(extract, name) for name in names])
        except UnknownNameError as error:
            missing = error
    if missing is not None and not found:
        raise missing
    return found


def factors(breakdown: str) -> str | tuple[str, ...]:
    """Return the breakdowns that one is crossed of, as `estimate` takes them.

    Examples
    --------
    >>> factors("locality_1"), factors("occupation_group × locality_1")
    ('locality_1', ('occupation_group', 'locality_1'))
    """
    parts = tuple(breakdown.split(CROSS))
    return parts if len(parts) > 1 else breakdown


def cautions_of(extracts: Sequence[Extract]) -> Iterator[str]:
    """Say what makes extracts another thing than their names say; of several told by their months, once."""
    by_month = [e for e in extracts if str(e.provenance.get("doubt")).endswith(BY_MONTH)]
    if together := len(by_month) > 2:
        first, *_, last = (f"{e.provenance['file']} for {period_words(e.period)}" for e in by_month)
        yield (
            f"{len(by_month)} files are taken for the quarters in which the months of their names lie: "
            f"{first} to {last}."
        )
    for extract in extracts:
        doubt = str(extract.provenance.get("doubt") or "")
        if doubt and not (together and doubt.endswith(BY_MONTH)):
            yield doubt
        absent = unanswered(extract)
        if less := told(extract.edition, [question.id for question in absent]):
            yield f"The file of {period_words(extract.period)} lacks questions. {less}"
    yield from _of_no_quarter(extracts)


def _of_no_quarter(extracts: Sequence[Extract]) -> Iterator[str]:
    """Say how many rows name no period, and which quarters are none of the survey's."""
    said = {e.provenance.get("file"): (e.provenance.get("rows_without_period"), e) for e in extracts}
    for file, (rows, extract) in said.items():
        if rows:
            yield (
                f"{several(rows, 'row')} of {file or 'the table'} without a {extract.edition.survey.cycle} "
                f"{'is' if rows == 1 else 'are'} in no figure."
            )
    odd = [e for e in extracts if e.edition.survey.cycle == "quarter"]
    odd = [e for e in odd if e.period.partition("-")[2] not in e.edition.survey.quarters]
    if odd:
        survey = odd[0].edition.survey
        yield (
            f"{survey.named(*sorted({e.period for e in odd}))}: the {survey.label} is asked in "
            f"{listed(survey.quarters)} only. Quarters are those of the financial year: Q1 is April to June."
        )
