"""What study.yaml says: the files of a study, and what the trust calls things in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culture_metrics.errors import StudyFileError
from culture_metrics.study.settings_form import NOT_USED, RESPONDENTS, RESULTS, at, read_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Wrong = Callable[[tuple[Any, ...], object, str, str], StudyFileError]

#: Beside the files.
STUDY_FILE = "study.yaml"
#: What a text of answers may mean, beside the response options of the survey.
BLANK = "blank"


@dataclass(frozen=True)
class StudyInput:
    """One file: its name beside study.yaml, and what is not obvious of it.

    `columns` are those that are not recognised by themselves: what a column means -> its header in the file;
    `fieldwork` is its first and last day, as far as they are known. `survey` is that of the file where it is
    another than the study's, as a pulse beside an annual survey.
    """

    file: str
    kind: str | None = None
    survey: str | None = None
    year: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    fieldwork: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True)
class Nest:
    """The breakdowns in whose groups those of one lie; `exceptions` are groups that lie in several."""

    within: tuple[str, ...]
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Renamed:
    """Two names of one group: that of an earlier year, and that of a later."""

    breakdown: str
    old: str
    new: str
    confirmed: bool = False


@dataclass(frozen=True)
class Headcount:
    """A table of how many staff there are, and the year it is of; the latest when left out."""

    file: str
    year: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Settings:
    """What study.yaml says.

    Attributes
    ----------
    folder : Path
        Where it lies; the files lie beside it.
    files : tuple of StudyInput
        Those that are read; `headcounts` lists others.
    breakdowns : mapping
        What the trust calls it -> headers of the column in the files.
    also_by : tuple of str, optional
        Breakdowns by answers to questions; the survey's own when left out.
    nesting : mapping
        Breakdown -> the ones in which its groups lie.
    one_spelling : bool
        Whether names that differ in case, spaces and punctuation only are one.
    labels : mapping
        Text of an answer -> the response option it stands for; `blank` is none, and nothing stays unread.
    renamed : tuple of Renamed
        Names of one group in different years.
    peers : tuple of str, optional
        ODS codes of the organisations to stand beside, as well as the benchmark group.
    """

    folder: Path
    files: tuple[StudyInput, ...]
    survey: str | None = None
    organisation: str | None = None
    year: str | None = None
    minimum_base: int | None = None
    minimum_count: int | None = None
    breakdowns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    also_by: tuple[str, ...] | None = None
    nesting: Mapping[str, Nest] = field(default_factory=dict)
    one_spelling: bool = False
    labels: Mapping[str, str | None] = field(default_factory=dict)
    renamed: tuple[Renamed, ...] = ()
    headcounts: tuple[Headcount, ...] = ()
    peers: tuple[str, ...] | None = None

    @property
    def survey_named(self) -> str | None:
        """The survey: its id, or the folder of one of the trust's own beside study.yaml."""
        return self.named(self.survey)

    def named(self, survey: str | None) -> str | None:
        """Return a survey as `cm.survey` takes it: one of the trust's own lies beside study.yaml."""
        own = self.folder / (survey or "")
        return str(own) if survey and own.is_dir() else survey

    def of(self, path: Path) -> StudyInput:
        """Return what is said of a file; of one that is not listed nothing is."""
        return next((f for f in self.files if f.file == path.name), StudyInput(path.name))


def find_settings(inputs: str | Path | Sequence[str | Path]) -> tuple[Settings | None, list[Path]]:
    """Return what study.yaml says and the files to read; None where there is no such file.

    Parameters
    ----------
    inputs : path, or sequence of paths
        A folder with a study.yaml, or that file: its files are read. Or files, which are read as the
        study.yaml beside them says.

    Raises
    ------
    StudyFileError
        When a folder has none, it cannot be used, or a file that it lists is not there.
    """
    paths = [Path(path) for path in ([inputs] if isinstance(inputs, str | Path) else inputs)]
    folder = folder_of(paths)
    if folder is not None:
        path = folder / STUDY_FILE
        if not path.is_file():
            raise StudyFileError(
                f"The folder has no {STUDY_FILE}, which says what the files in it are",
                where=folder.resolve().name,
                hint="Make it: `culture-metrics setup` and the name of the folder. It looks at the files and "
                "writes it. Or name the files themselves.",
            )
        found = read_settings(path)
        for name in (*(f.file for f in found.files), *(h.file for h in found.headcounts)):
            _check_there(path, name)
        return found, [found.folder / f.file for f in found.files if f.kind != NOT_USED]
    folders = {path.parent for path in paths}
    beside = folders.pop() / STUDY_FILE if len(folders) == 1 else None
    if beside is None or not beside.is_file():
        return None, paths
    found = read_settings(beside)
    given = {path.name for path in paths}
    return (found if given & {f.file for f in found.files} else None), paths


def folder_of(inputs: Sequence[str | Path]) -> Path | None:
    """Return the folder of a study that is named by its folder, or by its study.yaml; None for files."""
    path = Path(inputs[0]) if len(inputs) == 1 else None
    if path is None or not (path.is_dir() or path.name == STUDY_FILE):
        return None
    return path if path.is_dir() else path.parent


def _check_there(path: Path, name: str) -> None:
    if not (path.parent / name).is_file():
        others = sorted(p.name for p in path.parent.iterdir() if p.is_file() and p.name != STUDY_FILE)
        near = get_close_matches(name, others, n=1, cutoff=0.6)
        raise StudyFileError(
            f"The file '{name}' is not beside {path.name}",
            where=f"{path.name}, files",
            hint=(f"Is it '{near[0]}' now? Then write that name. " if near else "Put it back there. ")
            + f"Or take its entry out of {path.name}.",
        )


def read_settings(path: Path) -> Settings:
    """Read study.yaml.

    Raises
    ------
    StudyFileError
        Naming the key, its line, the value, what is expected and what to do.
    """
    held, lines = read_form(path)
    wrong = partial(at, path, lines)
    text = {name: _text(held.get(name)) for name in ("survey", "organisation", "year")}
    found = Settings(
        folder=path.parent,
        files=tuple(_input(item) for item in held["files"]),
        **text,
        minimum_base=held.get("minimum_base"),
        minimum_count=held.get("minimum_count"),
        breakdowns={str(word): _texts(named) for word, named in (held.get("breakdowns") or {}).items()},
        also_by=None if held.get("also_by") is None else _texts(held["also_by"]),
        nesting={
            str(word): Nest(_texts(nest["in"]), _texts(nest.get("exceptions") or ()))
            for word, nest in (held.get("nesting") or {}).items()
        },
        one_spelling=held.get("one_spelling") or False,
        labels={str(text): _text(means) for text, means in (held.get("labels") or {}).items()},
        renamed=tuple(
            Renamed(str(pair["breakdown"]), str(pair["from"]), str(pair["to"]), pair["confirmed"])
            for pair in held.get("renamed") or ()
        ),
        headcounts=tuple(
            Headcount(**{key: str(value) for key, value in item.items() if value is not None})
            for item in held.get("headcounts") or ()
        ),
        peers=None if held.get("peers") is None else _texts(held["peers"]),
    )
    for error in _contradictions(found, wrong):
        raise error
    return found


def _input(item: Mapping[str, Any]) -> StudyInput:
    said = {key: _text(item.get(key)) for key in ("kind", "survey", "year", "sheet")}
    columns = {str(means): str(theirs) for means, theirs in (item.get("columns") or {}).items()}
    days = item.get("fieldwork") or {}
    return StudyInput(
        str(item["file"]),
        **said,
        header_row=item.get("header_row"),
        columns=columns,
        fieldwork=(_text(days.get("from")), _text(days.get("to"))),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def _contradictions(found: Settings, wrong: Wrong) -> Iterator[StudyFileError]:
    """Yield what stands twice, names nothing, or says two things of one."""
    names = [f.file for f in found.files]
    for place, name in enumerate(names):
        keys = ("files", place, "file")
        if name in {count.file for count in found.headcounts}:
            yield wrong(keys, name, "a file that is not among the headcounts", "Take one of the two out.")
        if name in names[:place]:
            yield wrong(keys, name, "each file once", "Take one of the two entries out.")
        elif Path(name).name != name:
            yield wrong(keys, name, "the name of a file in this folder", "Move the file beside study.yaml.")
    if not names:
        yield wrong(("files",), None, "at least one file", "Add a line `- file: name-of-the-file.csv`.")
    if found.files and not any(f.kind in (None, RESPONDENTS, RESULTS) for f in found.files):
        remedy = f"Set the kind of one to `{RESPONDENTS}` or `{RESULTS}`."
        yield wrong(("files",), None, "a file to report on", remedy)
    yield from _in_names(found, wrong)


def _in_names(found: Settings, wrong: Wrong) -> Iterator[StudyFileError]:
    """Yield columns of two breakdowns, breakdowns that lie in themselves, and names with two new ones."""
    headers: dict[str, str] = {}
    for word, columns in found.breakdowns.items():
        for column in columns:
            folded = " ".join(column.split()).casefold()
            if folded in headers:
                expected = f"another column than that of {headers[folded]}"
                yield wrong(("breakdowns", word), column, expected, "Keep one of the two lines.")
            headers[folded] = word
    for word, nest in found.nesting.items():
        if word in nest.within:
            yield wrong(
                ("nesting", word, "in"), word, "another breakdown", "Take the entry out, or name one."
            )
    seen: dict[tuple[str, str], str] = {}
    for place, pair in enumerate(found.renamed):
        keys = ("renamed", place, "to")
        earlier = seen.get((pair.breakdown, pair.old))
        if pair.old == pair.new:
            yield wrong(keys, pair.new, f"another name than '{pair.old}'", "Take the entry out.")
        elif pair.confirmed and earlier:
            remedy = "Set `confirmed: no` at one of the two."
            yield wrong(keys, pair.new, f"one new name of '{pair.old}'", remedy)
        if pair.confirmed:
            seen[pair.breakdown, pair.old] = pair.new
