"""Notebooks for a person to work in: copies of those of the package, and JupyterLab on them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from culture_metrics.errors import ReportError
from culture_metrics.reporting.run import notebook_path
from culture_metrics.study.settings import STUDY_FILE
from culture_metrics.study.where import point_to

#: Where JupyterLab finds settings to start with: though there is no address for news it asks about them,
#: unless a setting says no. Those that a person has chosen go before.
SETTINGS = Path(__file__).parent / "jupyter"
#: JupyterLab as an office needs it: nothing is asked of the network.
QUIET = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)


@dataclass(frozen=True)
class Copied:
    """What was done: names of files that are new, that stood there as they are, and that someone changed."""

    folder: Path
    new: tuple[str, ...]
    same: tuple[str, ...]
    changed: tuple[str, ...]


def shipped() -> list[Path]:
    """Return the notebooks of the package and what lies beside them, in order.

    Examples
    --------
    >>> [path.name for path in shipped()][0], shipped()[-1].name
    ('00_start_here.ipynb', 'glossary.md')
    """
    home = notebook_path("00_start_here").parent
    return [*sorted(home.glob("[0-9]*.ipynb")), home / "glossary.md"]


def copy_notebooks(folder: str | Path, study: str | Path | None = None) -> Copied:
    """Copy the notebooks into a folder; a file that is there and differs stays as it is.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.
    study : str or Path, optional
        The folder with the study.yaml that the notebooks shall keep to. It is named in a text file beside
        them. Without it they keep to the study.yaml that lies beside or above them.

    Raises
    ------
    ReportError
        When the folder cannot be written to, or `study` has no study.yaml.
    """
    folder = Path(folder)
    if study is not None and not (Path(study) / STUDY_FILE).is_file():
        raise ReportError(
            f"The folder of the study has no {STUDY_FILE}",
            where=str(study),
            hint="Make it: `culture-metrics setup` and the name of the folder.",
        )
    done: dict[str, list[str]] = {"new": [], "same": [], "changed": []}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in shipped():
            held, target = path.read_bytes(), folder / path.name
            if not target.exists():
                target.write_bytes(held)
                done["new"].append(path.name)
            else:
                done["same" if target.read_bytes() == held else "changed"].append(path.name)
        if study is not None:
            point_to(folder, Path(study))
    except OSError as error:
        raise ReportError(
            "The notebooks could not be copied",
            where=error.filename or str(folder),
            got=error.strerror or type(error).__name__,
            hint="Choose a folder that you may write to, and close files of it that are open elsewhere.",
        ) from error
    return Copied(folder, *map(tuple, done.values()))


def lab(folder: str | Path) -> int:
    """Start JupyterLab on a folder, without news and without looking for updates; return how it ended."""
    if not Path(folder).is_dir():
        raise ReportError(
            "There is no such folder",
            where=str(folder),
            hint="Copy the notebooks first: `culture-metrics notebooks` and the name of the folder.",
        )
    return subprocess.call([sys.executable, "-m", "jupyterlab", str(folder), *QUIET], env=quiet())


def quiet() -> dict[str, str]:
    """Return the environment that JupyterLab starts in: this one, and where its settings lie."""
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}
