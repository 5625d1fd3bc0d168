"""The steps of setup, from files to what study.yaml says and the remarks in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import DEFAULT, catalogue
from culture_metrics.catalogue import survey as find_survey
from culture_metrics.errors import CultureMetricsError, ExtractError, StudyFileError
from culture_metrics.extracts.columns import breakdown_of, say_rivals
from culture_metrics.extracts.dates import MEANS, is_date
from culture_metrics.extracts.labels import label_code
from culture_metrics.extracts.own_words import NUMBERED
from culture_metrics.extracts.pair_names import pair_names
from culture_metrics.extracts.respondents import period_in_name
from culture_metrics.extracts.rules.organisations import CODE, tidy_codes
from culture_metrics.extracts.spelling import same_numbers
from culture_metrics.files.names import squeeze
from culture_metrics.indicators.headcounts import read_headcounts
from culture_metrics.problems import counted, listed
from culture_metrics.published import read_published
from culture_metrics.study.look import date_column, look, looks_like_groups
from culture_metrics.study.nearly_same import nearly_same
from culture_metrics.study.own_words import in_own_words, one_name, within
from culture_metrics.study.propose import (
    in_order,
    learnt_from,
    lie_in,
    numbers_of,
    own_parts,
    same_around,
    same_groups,
    same_names,
    unknown_texts,
)
from culture_metrics.study.read import BENCHMARK as BENCHMARK_LAYOUT
from culture_metrics.study.rules import respondents_of
from culture_metrics.study.settings import BLANK, STUDY_FILE, Headcount, Renamed, Settings, StudyInput
from culture_metrics.study.settings_form import BENCHMARK, NOT_USED, RESULTS
from culture_metrics.study.settings_text import Remarks
from culture_metrics.study.source import Source
from culture_metrics.study.whom import by_code, code_of, no_such, peers_of
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.published import Published
    from culture_metrics.study.look import Seen
    from culture_metrics.study.propose import UnknownText
    from culture_metrics.study.settings import Nest
    from culture_metrics.study.setup import Ask

#: From this certainty on a proposal that two names are one is taken for granted.
SURE = 0.65


def _leading(sources: Sequence[Extract | Published]) -> str:
    """Return the survey that a study is of: the annual one, where there are quarters of another beside it."""
    return min(sources, key=lambda s: catalogue(s.survey).cycle != "year").survey


def _coded(extract: Extract, books: Sequence[Published]) -> Extract:
    """Write the code of each organisation in one form, as the check will: for its name, or for `rxx`."""
    named = by_code(extract, books)
    forms = tidy_codes(respondents_of([named]))
    return replace(named, frame=named.frame.with_columns(pl.col("organisation").replace(forms)))


def _by_reason(seen: Sequence[Seen]) -> list[tuple[str, list[str]]]:
    """Return the reasons for which files are not used, each once, with the names of the files."""
    found: dict[str, list[str]] = {}
    for one in seen:
        found.setdefault(one.why, []).append(one.path.name)
    return [*found.items()]


def _twice(extracts: Sequence[Extract], books: Sequence[Published]) -> Iterator[str]:
    """Name the files that hold one period of one survey: no report is made of both."""
    found: dict[tuple[str, ...], list[str]] = {}
    sources: list[tuple[Extract | Published, str]] = [(one, "") for one in extracts]
    sources += [(one, str(one.provenance.get("layout") == BENCHMARK_LAYOUT)) for one in books]
    for one, kind in sources:
        found.setdefault((one.survey, one.period, kind), []).append(str(one.provenance.get("file")))
    for (_, period, _), names in found.items():
        if len(names) > 1:
            yield (
                f"{' and '.join(names)} hold {period_words(period)}: no report is made while both are used. "
                f"Write `kind: not used` beside the one that does not count in {STUDY_FILE}, or put parts of "
                "one file together."
            )


def _of_another(source: Source) -> Seen | None:
    """Read a file that is not of the survey that was named as what its columns say, if they say one."""
    try:
        seen = look(replace(source, survey=None))
    except CultureMetricsError:
        return None
    return seen if seen.extracts else None


@dataclass
class Steps:
    """The way from files to study.yaml: what was said before, who answers, and what there is to tell.

    `decided` is what was taken without a question or by its answer; `look` what a person should look at.
    """

    folder: Path
    paths: list[Path]
    before: Settings | None
    ask: Ask
    organisation: str | None = None
    survey: str | None = None
    decided: list[str] = field(default_factory=list)
    look: list[str] = field(default_factory=list)

    def take(self) -> tuple[Settings, Remarks]:
        """Take every step.

        Raises
        ------
        CultureMetricsError
            When no file can be used, or one needs something that nobody says.
        """
        seen = [self._look(path) for path in self.paths]
        books = [read_published(one.path) for one in seen if one.kind in (RESULTS, BENCHMARK)]
        extracts = [_coded(e, books) for one in seen for e in one.extracts]
        if not extracts and not books:
            raise StudyFileError(
                "None of the files can be used",
                where=self.folder.name,
                got="".join(f"\n    {listed(names, 20)}: {why}" for why, names in _by_reason(seen)),
                hint="culture-metrics inspect FILE says more of each.",
            )
        sources: list[Extract | Published] = [*extracts, *books]
        survey = _leading(sources)
        beside = {source.survey for source in sources} - {survey}
        named = {path.name for path in self.paths}
        made = replace(
            self._was,
            files=(
                *(self._dated(self._input(one, survey), one) for one in seen),
                *(f for f in self._was.files if f.file not in named),
            ),
            survey=self._named(survey) if survey != DEFAULT else None,
            organisation=self._whom(extracts, books),
            one_spelling=self._was.one_spelling or self.before is None,
        )
        self._say_peers(books)
        remarks = Remarks(
            catalogue(survey).minimum_base, files={one.path.name: _about(one) for one in seen if _about(one)}
        )
        self.decided += [
            f"{one.path.name}: {one.kind}, {_about(one)}" for one in seen if one.kind != NOT_USED
        ]
        self.look += dict.fromkeys(
            f"{e.provenance['file']}: {said}"
            for e in extracts
            for said in say_rivals(e.provenance.get("rivals") or {})
        )
        self.look += _twice(extracts, books)
        if beside:
            labels = [catalogue(one).label for one in sorted(beside)]
            self.decided.append(f"{listed(labels)}: followed beside the {catalogue(survey).label}")
        extracts = [e for e in extracts if e.survey == survey]
        counts = [c for one in seen if one.kind == NOT_USED and (c := self._headcount(one, extracts))]
        made = replace(made, headcounts=tuple(counts))
        listed_there = {count.file for count in counts}
        made = replace(made, files=tuple(f for f in made.files if f.file not in listed_there))
        unused = [one for one in seen if one.kind == NOT_USED and one.path.name not in listed_there]
        self.look += [
            f"{listed(names, 20)} {'is' if len(names) == 1 else 'are'} not used ({why})."
            for why, names in _by_reason(unused)
        ]
        of_it = [one for one in seen if all(e.survey == survey for e in one.extracts)]
        self._say_whose(extracts, made.organisation)
        return self._of_respondents(made, remarks, of_it, extracts, books) if extracts else (made, remarks)

    @cached_property
    def _was(self) -> Settings:
        was = self.before or Settings(self.folder, ())
        return was if self.survey is None else replace(was, survey=self.survey)

    def _look(self, path: Path) -> Seen:
        """Look at a file; where it does not say whose it is or of which year, ask."""
        survey = None if self._was.survey is None else find_survey(self._was.survey_named or DEFAULT)
        whom = self.organisation or self._was.organisation
        source = Source(path, whom, survey, self._was)
        try:
            return look(source)
        except ExtractError as error:
            if survey is not None and (other := _of_another(source)) is not None:
                return other
            if "organisation" not in error.what or whom:
                raise
            code = self.ask.text(f"{path.name} does not say whose it is. ODS code of your organisation", None)
            if code is None:
                error.hint = "Say whose it is: --organisation CODE."
                raise
            self.organisation = code
            return look(replace(source, organisation=code))

    def _headcount(self, one: Seen, extracts: list[Extract]) -> Headcount | None:
        """Return what is said of a table of headcounts, where a file is one."""
        known = next((h for h in self._was.headcounts if h.file == one.path.name), None)
        if not extracts:
            return known
        year = known.year if known else period_in_name(one.path.name, catalogue(extracts[-1].survey))
        own = next((e for e in extracts if e.period == year), extracts[-1])
        try:
            found = read_headcounts(one.path, own, known.sheet if known else None)
        except CultureMetricsError:
            return known
        self.decided.append(f"{one.path.name}: headcounts, {counted(found.rows['used'], 'row')} used")
        self.look += [f"{one.path.name}: {said}." for said in found.set_aside]
        return known or Headcount(one.path.name, year)

    def _input(self, one: Seen, survey: str) -> StudyInput:
        said = self._was.of(one.path)
        of = one.extracts[0].survey if one.extracts else survey
        own = self._named(of) if of != survey else None
        return replace(
            said, kind=one.kind, survey=said.survey or own, year=one.year or said.year, sheet=one.sheet
        )

    def _named(self, survey: str) -> str:
        """Return a survey as study.yaml names it: one of the trust's own by its folder."""
        was = self._was.survey
        known = was is not None and find_survey(self._was.survey_named or was).id == survey
        return str(was) if known else survey

    def _dated(self, said: StudyInput, one: Seen) -> StudyInput:
        """Ask whether the column that seems to say so has the day on which people answered."""
        if self.before is not None or any(map(is_date, said.columns)):
            return said
        name = date_column(one.others)
        if name is None or not self.ask.yes(
            f"{one.path.name}: does column {name} say on which day people answered (for response over "
            "fieldwork; no one's day is shown)",
            proposed=True,
        ):
            return said
        self.look.append(
            f"{one.path.name}: column {name} is taken for the day on which people answered. Is it, and not "
            "that of the invitation? Only how many of the staff had answered by when is shown."
        )
        return replace(said, columns={**said.columns, MEANS: name})

    def _whom(self, extracts: list[Extract], books: list[Published]) -> str | None:
        """Return the code of the organisation that the study is about."""
        wanted = code_of(self.organisation or self._was.organisation, books)
        sizes = respondents_of(extracts)
        if wanted is None and len(sizes) > 1:
            most = max(sizes, key=lambda code: sizes[code])
            question = (
                f"The respondent files hold {len(sizes)} organisations. Which one is it about (ODS code)"
            )
            wanted = code_of(self.ask.text(question, most), books)
            self.look.append(
                f"The respondent files hold {len(sizes)} organisations ({listed(sizes, 10)}); the study is "
                f"about {wanted}. `organisation:` in {STUDY_FILE}, or --organisation, names another."
            )
        if wanted is None and not extracts:
            wanted = code_of(self.ask.text("ODS code, or official name, of your organisation", None), books)
        if wanted is not None:
            known = {code.casefold(): code for code in sizes} | {
                code.casefold(): code for book in books for code in book.organisations["organisation"]
            }
            if wanted.casefold() not in known:
                raise no_such(wanted, [*known.values()], books)
            return str(known[wanted.casefold()])
        return next(iter(sizes), None)

    def _say_peers(self, books: list[Published]) -> None:
        """See to it that the peers of study.yaml are in a workbook, and say which one each name is."""
        named = self._was.peers or ()
        found = peers_of(self._was, books).peers or ()
        self.decided += [
            f"peers: '{name}' is {code}" for name, code in zip(named, found, strict=True) if name != code
        ]
        if named and not books:
            self.look.append("peers: no official workbook lies here, so that they stand in no figure.")

    def _say_whose(self, extracts: list[Extract], organisation: str | None) -> None:
        """Say which file names its organisation in words, and which holds nobody of the study's."""
        for extract in extracts:
            file = f"{extract.provenance['file']}, {period_words(extract.period)}"
            words = extract.provenance.get("codes_of_names") or {}
            self.decided += [
                f"{file}: the organisation '{name}' is {code}, as the official workbook has it"
                for name, code in words.items()
                if code == organisation
            ]
            held = respondents_of([extract])
            if organisation not in held:
                least = extract.edition.survey.minimum_base
                named = listed([f"'{name}'" for name, n in held.items() if n >= least], 3)
                self.look.append(
                    f"{file}: no row is of {organisation}, so that nothing of it is used"
                    + (f". Its rows are of {named}" if named else "")
                    + ". Write the code in the file, or put the workbook that has the name beside it."
                )
            elif not CODE.fullmatch(organisation or ""):
                self.look.append(
                    f"{file}: '{organisation}' is no code, and no workbook here has one for this name. It is "
                    "taken as the organisation; official figures are found by the code."
                )

    def _of_respondents(
        self,
        made: Settings,
        remarks: Remarks,
        seen: list[Seen],
        extracts: list[Extract],
        books: list[Published],
    ) -> tuple[Settings, Remarks]:
        own = self._own(extracts, made)
        parts = self._parts(own, made, remarks.least)
        if self.before is None:
            parts = _with_unknown_headers(seen, own, parts, remarks.least)
        chosen, unused = self._others(seen, parts, remarks.least)
        made = replace(
            made,
            breakdowns={**parts, **{name: (name,) for name in chosen}},
            also_by=self._also_by(own, parts),
        )
        edition = own[-1].edition
        joined = any(
            breakdown_of(h, edition) != breakdown_of(word, edition) for word, hs in parts.items() for h in hs
        )
        if chosen or joined:
            survey = find_survey(extracts[0].survey)
            sources = [Source(s.path, made.organisation, survey, made) for s in seen if s.extracts]
            own = self._own(
                [_coded(e, books) for source in sources for e in source.years(None, alone=True)], made
            )
        labels, texts, rare = self._labels(own, seen)
        made = replace(made, labels=labels)
        # Names that are one by now are still two here: what speaks for it is written again.
        own = _with_one_name([in_own_words(e, made) for e in own], replace(made, renamed=()))
        columns = {word: breakdown_of(word, own[-1].edition) for word in made.breakdowns}
        nesting, smaller = lie_in(own, columns)
        numbers = numbers_of(own, columns)
        order = in_order({word: max(n.values(), default=0) for word, n in numbers.items()}, nesting)
        sizes = {w: _names_by_period(n) for w, n in numbers.items()}
        self.decided += [f"{w}: column {' or '.join(made.breakdowns[w])}, {sizes[w]}" for w in order]
        renamed, evidence, more = self._renamed(own, {w: columns[w] for w in order}, nesting)
        for word, nest in nesting.items():
            several = len(nest.exceptions)
            note = f", but for {counted(several, 'exception')}" if several else ""
            self.decided.append(f"Each {word} lies in one {' and one '.join(nest.within)}{note}.")
        if self.before is None:
            for word, other in same_groups(own, {w: columns[w] for w in order}).items():
                order.remove(word)
                nesting.pop(word, None)
                unused[word] = f"stands for the same groups as {other}; take the # away to report by it"
                renamed, evidence = _without(word, renamed, evidence)
        return replace(
            made,
            breakdowns={word: made.breakdowns[word] for word in order},
            nesting=nesting,
            renamed=renamed,
        ), replace(
            remarks, breakdowns=sizes, unused=unused, nesting=smaller, labels=texts, rare_labels=rare,
            renamed=evidence, more_renamed=more,
        )  # fmt: skip

    def _own(self, extracts: list[Extract], made: Settings) -> list[Extract]:
        """Keep the rows of the organisation, the earliest year first."""
        mine = [replace(e, frame=e.frame.filter(organisation=made.organisation)) for e in extracts]
        return sorted((e for e in mine if e.frame.height), key=lambda e: e.period)

    def _also_by(self, own: list[Extract], parts: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return groups by answers; those that nearly coincide with a part are left out, and it is said."""
        if self._was.also_by is not None:
            return self._was.also_by
        edition = own[-1].edition
        named = {breakdown_of(h, edition): word for word, headers in parts.items() for h in headers}
        asked = [n for n in edition.survey.defaults.breakdowns if edition.breakdowns[n].question]
        kept = []
        pairs = nearly_same(own, [*named, *asked])
        for one in asked:
            beside = [n for pair in pairs if one in pair for n in pair if n in named]
            # A part that a year does not have cannot stand for it.
            whole = any(all(n in e.frame.columns for e in own) for n in beside)
            kept += [] if whole else [one]
            if beside:
                self.look.append(
                    f"{one} (by answers) has nearly the same groups as {listed([named[n] for n in beside])}: "
                    "each hides groups of the other. "
                    + (
                        "It is left out; `also_by` in study.yaml puts it in. Then take the other out."
                        if whole
                        else "Take one of them out of study.yaml to see more of the other."
                    )
                )
        for one, other in pairs:
            if one in named and other in named and named[one] != named[other]:
                self.look.append(
                    f"{named[one]} and {named[other]} have nearly the same groups: each hides groups of the "
                    "other. Take the line of one of them out of study.yaml to see more of the other."
                )
        return tuple(kept)

    def _parts(self, own: list[Extract], made: Settings, least: int) -> dict[str, tuple[str, ...]]:
        """Return what the trust calls its parts; what was said before stands."""
        parts = own_parts(own, least)
        if self.before is not None:
            if self._listed:
                return dict(made.breakdowns)
            edition = own[-1].edition
            kept = {breakdown_of(word, edition) for word in made.breakdowns}
            new = {word: h for word, h in parts.items() if breakdown_of(word, edition) not in kept}
            return {**made.breakdowns, **new}
        for word, headers in [*parts.items()]:
            # A contractor's number says nothing of what the groups are.
            if word == headers[0] and NUMBERED.fullmatch(squeeze(word)):
                name = self.ask.text(f"What do you call the groups in column {word}", word) or word
                parts = {name if w == word else w: h for w, h in parts.items()}
        return parts

    @property
    def _listed(self) -> bool:
        """Whether every file stood in study.yaml: a breakdown that it does not have was taken out."""
        return {path.name for path in self.paths} <= {f.file for f in self._was.files}

    def _others(
        self, seen: list[Seen], parts: dict[str, tuple[str, ...]], least: int
    ) -> tuple[list[str], dict[str, str]]:
        """Ask which other columns are breakdowns; return them, and the others with a remark."""
        known = {header for headers in parts.values() for header in headers}
        chosen: list[str] = []
        unused: dict[str, str] = {}
        for one in seen:
            for name in one.others.columns:
                if name in (*known, *chosen, *unused) or not looks_like_groups(name, one.others[name], least):
                    continue
                names = counted(one.others[name].drop_nulls().n_unique(), "name")
                if self.before is None and self.ask.yes(
                    f"Is column {name} ({names}) a breakdown to report by?", proposed=False
                ):
                    chosen.append(name)
                else:
                    unused[name] = f"{names}; not used: take the # before the line away to report by it"
        if unused:
            self.look.append(f"Columns that may be groups and are not used: {listed(unused)}.")
        return chosen, unused

    def _labels(
        self, own: list[Extract], seen: list[Seen]
    ) -> tuple[dict[str, str | None], dict[str, str], str]:
        """Ask what unknown texts of answers mean."""
        books = [one.path for one in seen if one.kind == RESULTS]
        found, rare = unknown_texts(own, learnt_from(books) if books else {})
        labels = dict(self._was.labels)
        for one in found:
            if one.text not in labels:
                labels[one.text] = self._option(one, own)
        read = [f"'{text}' as '{means}'" for text, means in labels.items() if means is not None]
        if read:
            self.look.append(f"Texts of answers read as options: {listed(read)}.")
        unread = [f"'{text}'" for text, means in labels.items() if means is None]
        if unread:
            self.look.append(f"Texts of answers that stay unread: {listed(unread)}.")
        return labels, {one.text: one.said for one in found}, (
            f"Not listed: {counted(rare, 'rarer text')}, which may be somebody's own words." if rare else ""
        )  # fmt: skip

    def _option(self, one: UnknownText, own: list[Extract]) -> str | None:
        """Ask which option a text is, until it is one; three times at most."""
        scales = [q.scale for e in own for q in e.edition.questions.values()]
        question, means = f"'{one.text}' ({one.said}): which option is it, or {BLANK} for none", None
        for _ in range(3):
            means = self.ask.text(question, one.option, sure=one.sure)
            if means in (None, BLANK) or any(label_code(str(means), scale) is not None for scale in scales):
                return means
            question = f"No question has the option '{means}'. {one.text}: which is it"
        return None

    def _renamed(
        self, own: list[Extract], columns: dict[str, str], nesting: dict[str, Nest]
    ) -> tuple[tuple[Renamed, ...], list[str], list[str]]:
        """Ask which names changed from one year to the next; what was decided before stands."""
        pairs = [*self._was.renamed]
        evidence, more = [""] * len(pairs), []
        for last, this in pairwise(own):
            years = f"{period_words(last.period)} to {period_words(this.period)}"
            now: dict[str, dict[str, str]] = {}
            for word, column in columns.items():
                if not all(column in e.frame.columns for e in (last, this)):
                    continue
                found = pair_names(last, this, column)
                words = {columns[name]: name for name in nesting[word].within} if word in nesting else {}
                around = same_around(last, this, column, list(words), now)
                for old, new, certainty, why in found.table.select(
                    "last", "this", "certainty", "evidence"
                ).iter_rows():
                    lies = around(old, new)
                    beside = [f"{'the same' if same else 'another'} {words[c]}" for c, same in lies.items()]
                    said = "; ".join([*beside, why])
                    known = [i for i, p in enumerate(pairs) if (p.breakdown, p.old) == (word, old)]
                    if known:
                        evidence[known[0]] = f"{years}: {said}"
                        continue
                    sure = certainty >= SURE and all(lies.values()) and same_numbers(old, new)
                    question = f"{word} '{old}' of {period_words(last.period)}: is it '{new}' now ({said})"
                    pairs.append(Renamed(word, old, new, self.ask.yes(question, proposed=sure)))
                    evidence.append(f"{years}: {said}")
                    if pairs[-1].confirmed:
                        now.setdefault(column, {})[old] = new
                alone = [len(found.only_last), len(found.only_this)]
                if any(alone):
                    more.append(
                        f"{word}, {years}: {counted(alone[0], 'other name')} went and {alone[1]:,} came, "
                        "without a match."
                    )
        for confirmed, words_ in (
            (True, "Names taken as one"),
            (False, "Names that may be one, not taken so"),
        ):
            named = [f"{p.breakdown} '{p.old}' is '{p.new}'" for p in pairs if p.confirmed == confirmed]
            if named:
                self.look.append(f"{words_} (the evidence is in {STUDY_FILE}): {listed(named, 20)}.")
        return tuple(pairs), evidence, more


def _with_unknown_headers(
    seen: list[Seen], own: list[Extract], parts: dict[str, tuple[str, ...]], least: int
) -> dict[str, tuple[str, ...]]:
    """Add headers that are not known to the breakdowns whose groups they have, in files without these."""
    parts, edition = dict(parts), own[-1].edition
    for one in seen:
        here = {column for e in one.extracts for column in e.frame.columns}
        for name in one.others.columns:
            groups = one.others[name]
            for word, headers in parts.items():
                column = breakdown_of(word, edition)
                other = [e.frame[column] for e in own if column in e.frame.columns]
                if (
                    column not in here
                    and looks_like_groups(name, groups, least)
                    and any(same_names(groups, names) for names in other)
                ):
                    parts[word] = (*headers, name)
                    here.add(column)
                    break
    return parts


def _with_one_name(extracts: list[Extract], made: Settings) -> list[Extract]:
    """Give groups one name, as the check of each file will."""
    found = []
    for extract, merge in zip(extracts, one_name(extracts, made), strict=True):
        new = [pl.col(c).replace(names) for c, names in within(merge, extract.frame).items()]
        found.append(replace(extract, frame=extract.frame.with_columns(new)))
    return found


def _without(
    word: str, renamed: tuple[Renamed, ...], evidence: list[str]
) -> tuple[tuple[Renamed, ...], list[str]]:
    """Leave out the pairs of a breakdown, with their evidence."""
    kept = [both for both in zip(renamed, evidence, strict=True) if both[0].breakdown != word]
    return tuple(pair for pair, _ in kept), [said for _, said in kept]


def _names_by_period(numbers: Mapping[str, int]) -> str:
    """Say how many names a breakdown has in each period, once where it has as many in every one."""
    if len(numbers) > 2 and len({*numbers.values()}) == 1:
        first, *_, last = map(period_words, numbers)
        return f"{counted(next(iter(numbers.values())), 'name')} in each from {first} to {last}"
    return ", ".join(f"{counted(k, 'name')} in {period_words(y)}" for y, k in numbers.items())


def _about(one: Seen) -> str:
    """Say what a file holds, in counts."""
    if one.extracts:
        return "; ".join(
            f"{counted(e.frame.height, 'row')} of {period_words(e.period)}" for e in one.extracts
        )
    return period_words(one.inspection.edition or "")
