"""Reports on several organisations of the same files: a folder for each, and a page that leads to them."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.errors import CultureMetricsError, InputWarning, ReportError, warn
from culture_metrics.files.safety import check_address_space
from culture_metrics.reporting.convert import TEMPLATES
from culture_metrics.reporting.delivery import cannot_write
from culture_metrics.reporting.report import making
from culture_metrics.reporting.run import Kernels
from culture_metrics.study.at_hand import workbooks_kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culture_metrics.reporting.report import Asked, Tell

#: Parts of the progress of one report.
PARTS = 100


@dataclass
class _Made:
    """A report of several: its place, and what came of it."""

    organisation: str
    folder: str
    name: str = ""
    why_not: str = ""


def reports(asked: Asked, organisations: Sequence[str], out: Path, tell: Tell) -> Path:
    """Make a report on each organisation in a folder of its own, and a page with links to them.

    Workbooks are read once. While the notebooks of one report run, in as many processes as the computer has
    processors, the next is read and the one before is written.

    Parameters
    ----------
    asked : Asked
        What is asked of every report.
    organisations : sequence of str
        ODS codes or names; folders are named after them.
    out : Path
        The folder that the others lie in.
    tell : callable
        Called as by `report`, with the name of the organisation before that of the step.

    Returns
    -------
    Path
        The page, `index.html` in `out`.

    Raises
    ------
    ReportError
        When two organisations would have one folder, or `out` holds the report of one organisation.
    CultureMetricsError
        When there is no organisation that a report could be made on; why not on the first.

    Warns
    -----
    InputWarning
        Of each organisation that no report could be made on, the others having theirs: the page says it too.
    """
    check_address_space("A report")
    wanted = [_Made(one, _folder_name(one)) for one in organisations]
    folders = [one.folder.casefold() for one in wanted]
    if doubled := sorted({name for name in folders if folders.count(name) > 1}):
        raise ReportError("An organisation is named twice", got=", ".join(doubled), hint="Name each once.")
    if (out / "manifest.json").exists():
        raise ReportError(
            "The folder holds the report on one organisation",
            where=str(out),
            hint="Give another folder for the reports on several.",
        )
    progress = dict.fromkeys(folders, 0)
    errors: list[CultureMetricsError] = []
    under_way: deque[tuple[_Made, Iterator[str]]] = deque()

    def begin(one: _Made) -> None:
        def said(step: str, done: int, total: int) -> None:
            progress[one.folder.casefold()] = PARTS * done // total
            tell(f"{one.organisation}: {step}", sum(progress.values()), PARTS * len(wanted))

        steps = making(asked, one.organisation, out / one.folder, kernels, said)
        under_way.append((one, steps))
        go_on(one, steps)

    def go_on(one: _Made, steps: Iterator[str]) -> None:
        try:
            one.name = next(steps, one.name)
        except CultureMetricsError as error:
            errors.append(error)
            one.why_not = f"{error.what}."
            progress[one.folder.casefold()] = PARTS

    def finish() -> None:
        one, steps = under_way.popleft()
        if not one.why_not:
            go_on(one, steps)

    with workbooks_kept(), Kernels(len(wanted)) as kernels:
        for one in wanted:
            begin(one)
            if len(under_way) > kernels.count:
                finish()
        while under_way:
            finish()
    if len(errors) == len(wanted):
        raise errors[0]
    for one in wanted:
        if one.why_not:
            warn(f"No report on {one.organisation}: {one.why_not}", InputWarning)
    return _write(out / "index.html", wanted)


def _folder_name(organisation: str) -> str:
    """Return a name for a folder that any system takes.

    Examples
    --------
    >>> _folder_name("RXX"), _folder_name("St. Anne's NHS Trust")
    ('RXX', 'St-Anne-s-NHS-Trust')
    """
    return re.sub(r"[^\w]+", "-", organisation).strip("-") or "report"


def _write(path: Path, made: Sequence[_Made]) -> Path:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    rows = sorted(made, key=lambda one: (one.name or one.organisation).casefold())
    text = environment.get_template("several.html.j2").render(made=rows, css=css)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    return path
