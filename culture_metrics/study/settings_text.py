"""Write study.yaml: each part with what it is for, and the evidence beside what is proposed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from textwrap import fill
from typing import TYPE_CHECKING

import yaml

from culture_metrics.extracts.dates import is_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.study.settings import Headcount, Settings, StudyInput

#: Begins the last line, which tells whether a person has changed the file since it was written.
MARK = "# As setup wrote it: "
HEAD = (
    "What this study is made of, in the trust's own words. `culture-metrics report` on this folder, the "
    "notebooks and cm.study(folder) read it. Change what is not right and save: what stands after a # is a "
    "remark, and nobody but you changes the file again. It holds nobody's answers, and no name or text that "
    "fewer than {least} people share."
)
WHAT = {
    "files": "The files in this folder, and what each is. Write `kind: not used`, or take an entry out, and "
    "the file is not read. `survey` stands where a file is of another one, as a quarterly pulse.",
    "breakdowns": "What the trust calls its parts, as titles will say it: the header of the column in the "
    "files (several in brackets where the years differ). Take a line out and the report leaves it out.",
    "also_by": "Groups by answers to questions of the survey that the report shows as well.",
    "nesting": "Which lie in which, as the data have it. Small groups are hidden so that neither gives "
    "away the other. Exceptions lie in more than one: two that bear one name, or rows in the wrong place.",
    "one_spelling": "Names that differ only in capitals, spaces or punctuation are one group; N/A, Unknown, "
    "Prefer not to say and the like are none.",
    "labels": "Texts of answers that the questionnaire does not have, and the option that each stands for: "
    "`blank` is no answer; with nothing after the colon the text stays unread, and is counted as set aside.",
    "renamed": "Names that changed from year to year. With `confirmed: yes` all years carry the later name; "
    "with `no` they stay two groups.",
    "peers": "ODS codes, or exact names, of organisations to stand beside, as well as the benchmark group.",
    "headcounts": "Tables of how many staff there are (a column such as Headcount beside Directorate, "
    "Department or ODS code), for response rates.",
}


#: Beside a column of dates of which fieldwork is not known.
FIELDWORK = "  # its first and last day, if you know them: {from: 2024-09-23, to: 2024-11-29}"


@dataclass(frozen=True)
class Remarks:
    """What is said beside the parts of study.yaml: evidence in counts, and what is left to the user."""

    least: int = 11
    files: Mapping[str, str] = field(default_factory=dict)
    breakdowns: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    nesting: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    rare_labels: str = ""
    renamed: Sequence[str] = ()
    more_renamed: Sequence[str] = ()


def settings_text(found: Settings, remarks: Remarks) -> str:
    """Return the text of study.yaml, the same for the same settings, byte for byte."""
    parts = [_comment(HEAD.format(least=remarks.least)), "\n".join(_top(found))]
    parts.append(_part("files", [line for f in found.files for line in _file(f, remarks.files.get(f.file))]))
    lines = [
        f"  {_scalar(word)}: {_texts(headers)}{_remark(remarks.breakdowns.get(word))}"
        for word, headers in found.breakdowns.items()
    ]
    lines += [f"  # {_scalar(word)}: {_scalar(word)}{_remark(said)}" for word, said in remarks.unused.items()]
    parts.append(_part("breakdowns", lines, empty=" {}"))
    if found.also_by is not None:
        parts.append(f"{_comment(WHAT['also_by'])}\nalso_by: [{', '.join(map(_scalar, found.also_by))}]")
    parts.append(f"{_comment(WHAT['one_spelling'])}\none_spelling: {_yes(found.one_spelling)}")
    if found.nesting:
        parts.append(_part("nesting", list(_nesting(found, remarks))))
    if found.labels or remarks.rare_labels:
        lines = [
            f"  {_scalar(text)}: {'' if means is None else _scalar(means)}{_remark(remarks.labels.get(text))}"
            for text, means in found.labels.items()
        ]
        lines += [f"  # {remarks.rare_labels}"] if remarks.rare_labels else []
        parts.append(_part("labels", lines, empty="" if found.labels else " {}"))
    if found.renamed or remarks.more_renamed:
        parts.append(_part("renamed", list(_renamed(found, remarks)), empty="" if found.renamed else " []"))
    if found.headcounts:
        parts.append(_part("headcounts", [line for h in found.headcounts for line in _headcount(h)]))
    if found.peers is not None:
        parts.append(f"{_comment(WHAT['peers'])}\npeers: [{', '.join(map(_scalar, found.peers))}]")
    text = "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
    return f"{text}\n{MARK}{_hash(text)}\n"


def is_untouched(text: str) -> bool:
    """Tell whether study.yaml stands as `settings_text` wrote it."""
    body, mark, written = text.replace("\r\n", "\n").rpartition(f"\n{MARK}")
    return bool(mark) and _hash(body) == written.strip()


def _comment(text: str) -> str:
    return fill(text, 100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _part(name: str, lines: Sequence[str], empty: str = "") -> str:
    bare = empty if not any(not line.lstrip().startswith("#") for line in lines) else ""
    return "\n".join([_comment(WHAT[name]), f"{name}:{bare}", *lines])


def _top(found: Settings) -> Iterator[str]:
    for name in ("survey", "organisation", "year", "minimum_base", "minimum_count"):
        value = getattr(found, name)
        if value is not None:
            yield f"{name}: {_scalar(str(value)) if name in ('survey', 'organisation') else value}"


def _file(said: StudyInput, remark: str | None) -> Iterator[str]:
    yield f"  - file: {_scalar(said.file)}{_remark(remark)}"
    for name in ("kind", "survey", "year", "sheet", "header_row"):
        value = getattr(said, name)
        if value is not None:
            yield f"    {name}: {_scalar(str(value)) if name in ('kind', 'survey', 'sheet') else value}"
    if said.columns:
        yield "    columns:  # what it means: the header in this file"
        yield from (f"      {_scalar(means)}: {_scalar(theirs)}" for means, theirs in said.columns.items())
    dated = any(map(is_date, said.columns))
    if dated or any(said.fieldwork):
        days = [f"{name}: {day}" for name, day in zip(("from", "to"), said.fieldwork, strict=True) if day]
        yield f"    fieldwork: {{{', '.join(days)}}}{'' if days else FIELDWORK}"


def _nesting(found: Settings, remarks: Remarks) -> Iterator[str]:
    for word, nest in found.nesting.items():
        yield f"  {_scalar(word)}:{_remark(remarks.nesting.get(word))}"
        yield f"    in: {_texts(nest.within)}"
        if nest.exceptions:
            yield "    exceptions:"
            yield from (f"      - {_scalar(name)}" for name in nest.exceptions)


def _renamed(found: Settings, remarks: Remarks) -> Iterator[str]:
    said = [*remarks.renamed, *[""] * len(found.renamed)]
    for pair, evidence in zip(found.renamed, said, strict=False):
        yield f"  - breakdown: {_scalar(pair.breakdown)}"
        yield f"    from: {_scalar(pair.old)}"
        yield f"    to: {_scalar(pair.new)}"
        yield f"    confirmed: {_yes(pair.confirmed)}{_remark(evidence)}"
    yield from (f"  # {said}" for said in remarks.more_renamed)


def _headcount(said: Headcount) -> Iterator[str]:
    yield f"  - file: {_scalar(said.file)}"
    for name in ("sheet", "year"):
        value = getattr(said, name)
        if value is not None:
            yield f"    {name}: {value if name == 'year' else _scalar(value)}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _remark(text: str | None) -> str:
    return f"  # {text}" if text else ""


def _texts(values: Sequence[str]) -> str:
    return _scalar(values[0]) if len(values) == 1 else f"[{', '.join(map(_scalar, values))}]"


def _scalar(text: str) -> str:
    """Return a text as YAML reads it back, in quotation marks where it needs them.

    Examples
    --------
    >>> [_scalar(text) for text in ("RXX", "No", "a: b", "2024")]
    ['RXX', "'No'", "'a: b'", "'2024'"]
    """
    # Within brackets commas part texts: written there as in a list.
    return yaml.safe_dump([text], allow_unicode=True, width=1 << 20, default_flow_style=True).strip()[1:-1]
