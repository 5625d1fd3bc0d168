"""Several figures, tables or sentences, one beneath the other, as a notebook shows them."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

    from culture_metrics.wording.table import Table

#: Said in place of figures of groups.
NO_GROUPS = "The files have no column that puts people into groups, so there are no groups to show."
#: Said where pieces would tell the percentages of groups that a minimum count hides.
NOT_COUNTED = "{} where percentages must count a minimum: the pieces would tell those that are held back."


@dataclass(frozen=True)
class Figures:
    """Figures and what shows itself beneath them, or a sentence that says why there are none.

    Examples
    --------
    >>> Figures((), otherwise="There are no groups to show.")
    There are no groups to show.
    """

    figures: tuple[go.Figure | Any, ...]
    otherwise: str

    def __iter__(self) -> Iterator[Any]:
        return iter(self.figures)

    def __repr__(self) -> str:
        return f"{len(self.figures)} figures" if self.figures else self.otherwise

    def _ipython_display_(self) -> None:
        from IPython.display import Markdown, display

        display(*(self.figures or [Markdown(self.otherwise)]))  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Tables:
    """Tables and a sentence that goes with them."""

    tables: tuple[Table, ...]
    note: str = ""

    def __repr__(self) -> str:
        return "\n".join([*map(repr, self.tables), *filter(None, [self.note])])

    def _repr_html_(self) -> str:
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return "".join(table._repr_html_() for table in self.tables) + note


@dataclass(frozen=True)
class Sentences:
    """Sentences as a list."""

    said: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.said)

    def _repr_html_(self) -> str:
        return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in self.said)}</ul>"
