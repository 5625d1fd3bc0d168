"""Tell published files of outcomes by the names that their publishers give to columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.outcomes.layouts import LAYOUTS
from culture_metrics.outcomes.outcome import declared
from culture_metrics.outcomes.outcome import outcome as declared_outcome
from culture_metrics.outcomes.tabular import open_table
from culture_metrics.outcomes.tidy import ALIASES, published_names

if TYPE_CHECKING:
    from pathlib import Path


def outcomes_in(path: str | Path, sheet: str | None = None) -> tuple[str, ...]:
    r"""Return the ids of the outcomes that a file holds under the names of their publishers.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "shmi.csv")
    ...     _ = path.write_text("Provider code,SHMI value\nRXX,0.97\n")
    ...     outcomes_in(path)
    ('shmi',)
    """
    try:
        table = open_table(path, sheet, lambda names: bool(_named(names)), "columns of an outcome")
    except FileFormatError:
        return ()
    return _named(frozenset(table.names))


def _named(names: frozenset[str]) -> tuple[str, ...]:
    """Return the outcomes whose published columns are all among the (squeezed) names."""
    for layout in LAYOUTS:
        if names >= layout.needs:
            return layout.outcomes
    if not names & {*ALIASES["organisation"]}:
        return ()
    found = []
    for name, entry in declared().items():
        own = declared_outcome(name)
        asked = {one for role in entry.get("columns", {}) for one in published_names(own, role)}
        if asked and asked <= names:
            found.append(name)
    return tuple(found)
