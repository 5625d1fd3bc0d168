"""Set a study up: look at the files, ask what cannot be told from them, and write study.yaml beside them."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from culture_metrics.errors import StudyFileError
from culture_metrics.study.look import tables_in
from culture_metrics.study.settings import STUDY_FILE, read_settings
from culture_metrics.study.settings_text import is_untouched, settings_text
from culture_metrics.study.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Sequence


class Ask(Protocol):
    """Whoever answers questions: a person, or nobody, who takes every proposal."""

    def yes(self, question: str, *, proposed: bool) -> bool:
        """Ask a question of yes or no."""

    def text(self, question: str, proposed: str | None, *, sure: bool = True) -> str | None:
        """Ask for a text; None where there is none. A proposal that is not sure is a person's to take."""


class Nobody:
    """Takes every proposal."""

    def yes(self, question: str, *, proposed: bool) -> bool:
        """Take the proposal."""
        return proposed

    def text(self, question: str, proposed: str | None, *, sure: bool = True) -> str | None:
        """Take the proposal, if it is sure."""
        return proposed if sure else None


@dataclass(frozen=True)
class Setup:
    """What came of it: where study.yaml is, what was decided, and what a person should look at.

    `difference` is that from a study.yaml which was there before. `written` is False where that stands as it
    did: because nothing is new, or because a person has changed it and did not agree.
    """

    path: Path
    decided: tuple[str, ...]
    look: tuple[str, ...]
    difference: str = ""
    written: bool = True


def setup(
    inputs: Sequence[str | Path],
    ask: Ask | None = None,
    organisation: str | None = None,
    survey: str | None = None,
) -> Setup:
    """Look at files and write study.yaml beside them.

    Parameters
    ----------
    inputs : sequence of str or Path
        Files of one folder, or the folder.
    ask : Ask, optional
        Who answers questions. Nobody when left out: every proposal is taken.
    organisation : str, optional
        ODS code, or the name as the official workbook has it.
    survey : str, optional
        The survey that the respondent files are of: its id, or the folder of one of your own. It is kept in
        study.yaml.

    Returns
    -------
    Setup
        What was decided, and what a person should look at.

    Raises
    ------
    StudyFileError
        When the files are in several folders, none can be used, or a study.yaml that is there cannot be read.
    CultureMetricsError
        When a file needs something that nobody says.

    Notes
    -----
    A study.yaml that is there already is kept to: what was decided in it stands, and what is new is proposed.
    When a person has changed it since it was written, nothing is written unless somebody says so.
    """
    ask = ask or Nobody()
    folder, paths = _files(inputs)
    path = folder / STUDY_FILE
    before = read_settings(path) if path.is_file() else None
    steps = Steps(folder, paths, before, ask, organisation, _kept(survey, folder))
    text = settings_text(*steps.take())
    old = path.read_text(encoding="utf-8") if before else ""
    lines = unified_diff(
        old.splitlines(keepends=True), text.splitlines(keepends=True), "as it is", "proposed", n=1
    )
    difference = "".join(lines) if before else ""
    written = before is None or (
        old != text and (is_untouched(old) or ask.yes(_ask(difference), proposed=False))
    )
    if written:
        path.write_text(text, encoding="utf-8", newline="\n")
    return Setup(path, tuple(steps.decided), tuple(steps.look), difference, written)


def _kept(survey: str | None, folder: Path) -> str | None:
    """Return a survey as study.yaml names it: a folder as seen from the study's own, or an id.

    A relative path holds on another computer, and where the whole share is moved.
    """
    if survey is None or not Path(survey).is_dir():
        return survey
    whole = Path(survey).resolve()
    try:
        return Path(relpath(whole, folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return whole.as_posix()


def _ask(difference: str) -> str:
    return f"{difference}\n{STUDY_FILE} was changed by hand. Write it anew with these differences?"


def _files(inputs: Sequence[str | Path]) -> tuple[Path, list[Path]]:
    """Return the folder and the files, in order."""
    paths: list[Path] = []
    for given in map(Path, inputs):
        paths += tables_in(given) if given.is_dir() else [given]
    paths = [path for path in paths if path.name != STUDY_FILE]
    folders = {path.resolve().parent for path in paths}
    if len(folders) > 1:
        raise StudyFileError(
            f"The files lie in {len(folders)} folders",
            expected=f"files of one folder: {STUDY_FILE} lies beside them",
            hint="Copy them into one folder, and name that.",
        )
    if not paths:
        raise StudyFileError(
            "There is no file with a table",
            where=", ".join(Path(given).name for given in inputs),
            expected="respondent files (CSV, Excel, Parquet, SPSS, Stata) and official workbooks",
            hint="Put them there, or name the folder in which they are.",
        )
    return folders.pop(), sorted(paths, key=lambda p: p.name)
