"""Where a study lies that nobody named: a study.yaml here or above, a folder that was set, the example."""

from __future__ import annotations

import os
from pathlib import Path

from culture_metrics.study.settings import STUDY_FILE

#: Names the folder of a study, for all notebooks of this computer.
VARIABLE = "CULTURE_METRICS_STUDY"
#: Beside notebooks, names the folder of their study in its first line.
POINTER = "study-folder.txt"


def look_up(start: Path | None = None) -> tuple[list[Path], str]:
    """Find the folder of the study that a notebook belongs to.

    Parameters
    ----------
    start : Path, optional
        Where to look first; the folder that this process runs in, in JupyterLab that of the notebook.

    Returns
    -------
    list of Path, str
        What `cm.study` takes as inputs, empty for the built-in example, and a sentence that says which.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "study.yaml").write_text("files: []")
    ...     look_up(Path(folder))[1].startswith("This study: study.yaml in ")
    True
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / STUDY_FILE).is_file():
            return [folder], f"This study: {STUDY_FILE} in {folder}."
        if (folder / POINTER).is_file():
            named = _named(folder / POINTER)
            return [named], f"This study: {STUDY_FILE} in {named}, the folder that {POINTER} names."
    if given := os.environ.get(VARIABLE, "").strip():
        folder = Path(given).expanduser()
        return [folder], f"This study: {STUDY_FILE} in {folder}, the folder that {VARIABLE} names."
    return [], f"This study: the built-in example, an invented trust. There is no {STUDY_FILE} here or above."


def point_to(folder: Path, study: Path) -> Path:
    """Write beside notebooks which folder their study lies in; return the file."""
    pointer = folder / POINTER
    pointer.write_text(f"{study.resolve()}\n", encoding="utf-8", newline="\n")
    return pointer


def _named(pointer: Path) -> Path:
    """Return the folder that is named, from where the file lies: an editor may have put a mark before it."""
    lines = pointer.read_text(encoding="utf-8-sig").splitlines() or [""]
    return pointer.parent / Path(lines[0].strip().strip('"')).expanduser()
