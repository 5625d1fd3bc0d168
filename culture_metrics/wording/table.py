"""Tables in the house style: text cells in plain HTML, readable with and without a style sheet."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.wording.numbers import count

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Shorthand of accessible publications for a number that is not there.
HELD, NOT_AVAILABLE, NOT_APPLICABLE, BREAK = "[c]", "[x]", "[z]", "[b]"
SHORTHAND = {
    HELD: "confidential: held back because few people answered, or because a small group could be worked out",
    NOT_AVAILABLE: "not available: the file has no answers, does not say, or is known to be wrong there",
    NOT_APPLICABLE: "not applicable: no score",
    BREAK: "break: the two years may not be compared",
}


@dataclass(frozen=True)
class Table:
    """A table as readers see it: text cells, the first column names the row. Notebooks show it as HTML.

    Columns in `numbers` stand at the right, and the names of rows in `strong` are bold.

    Examples
    --------
    >>> table = Table(pl.DataFrame({"Score": ["Morale"], "Base": ["[c]"]}), "One score", numbers=("Base",))
    >>> "[c] confidential" in table._repr_html_()
    True
    """

    frame: pl.DataFrame
    caption: str
    numbers: tuple[str, ...] = ()
    strong: frozenset[str] = frozenset()

    @classmethod
    def of(cls, frame: pl.DataFrame, caption: str) -> Table:
        """Make a table of any frame: names of columns as headings, numbers at the right, with thousands.

        Examples
        --------
        >>> Table.of(pl.DataFrame({"outcome_id": ["shmi"], "rows": [1200]}), "Figures").frame.rows()
        [('shmi', '1,200')]
        """
        heads = {name: name[:1].upper() + name[1:].replace("_", " ") for name in frame.columns}
        whole = [name for name, kind in frame.schema.items() if kind.is_integer()]
        numbers = tuple(heads[name] for name, kind in frame.schema.items() if kind.is_numeric())
        return cls(frame.with_columns(count(name) for name in whole).rename(heads), caption, numbers)

    def __repr__(self) -> str:
        return f"Table({self.caption}: {self.frame.height} rows)"

    def _repr_html_(self) -> str:
        if self.frame.is_empty():
            return f"<p>{html.escape(self.caption)}.</p>"
        sides = ["right" if name in self.numbers else "left" for name in self.frame.columns]
        cells = self.frame.with_columns(pl.all().cast(pl.String).fill_null("")).rows()
        head = "".join(
            f"<th scope='col' style='text-align:{side}'>{html.escape(name)}</th>"
            for name, side in zip(self.frame.columns, sides, strict=True)
        )
        body = "".join(f"<tr>{self._head(row[0])}{_cells(row[1:], sides[1:])}</tr>" for row in cells)
        used = [f"{mark} {text}." for mark, text in SHORTHAND.items() if f"{mark}<" in body]
        notes = f"<p><small>{' '.join(used)}</small></p>" if used else ""
        caption = f"<caption style='text-align:left'>{html.escape(self.caption)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _head(self, name: str) -> str:
        weight = "bold" if name in self.strong else "normal"
        return f"<th scope='row' style='text-align:left;font-weight:{weight}'>{html.escape(name)}</th>"


def _cells(row: Sequence[str], sides: Sequence[str]) -> str:
    texts = zip(map(html.escape, row), sides, strict=True)
    return "".join(f"<td style='text-align:{side}'>{text}</td>" for text, side in texts)
