"""The house's figure: what a notebook saves of it can be read where no Plotly is, and follows the theme."""

from __future__ import annotations

import html
import os
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from culture_metrics.errors import ReportError
from culture_metrics.files.kinds import PICTURES
from culture_metrics.views.theme import following
from culture_metrics.wording.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

PLOTLY = "application/vnd.plotly.v1+json"
#: Environment variable that asks for a picture in every output.
PICTURES_AS = "CULTURE_METRICS_PICTURES"
#: What a figure can be saved as.
SAVED = (".html", *PICTURES, ".csv", ".xlsx")
#: Rows of the table beneath a figure; a figure of more has the rest in the table it was drawn from.
MOST_ROWS = 300


class HouseFigure(go.Figure):  # type: ignore[misc]
    """A Plotly figure in the house style, with the table of what it shows.

    Notes
    -----
    In a notebook it leaves Plotly's JSON, which JupyterLab and VS Code draw and prefer, and beside it HTML:
    the alt text and the numbers as a table. Exports to HTML, slides and web views that draw no Plotly show
    that HTML instead of nothing. It costs some milliseconds. A picture needs a browser that draws it, which
    takes seconds, so that it is there only where the environment variable `CULTURE_METRICS_PICTURES` is
    `svg`: set it to execute notebooks that are to be looked at elsewhere. A report leaves it unset.

    The JSON in a notebook follows the theme of the page it is shown on (see `theme`); the figure itself, what
    is saved of it and a report keep a white page. A title given by `update_layout` is broken as the
    house's own, and the subtitle stays.
    """

    # Plotly sets attributes with an underscore as they are.
    _numbers: pl.DataFrame | None = None

    @property
    def numbers(self) -> Table | None:
        """The numbers that the figure shows as a table, or None where none were given."""
        if self._numbers is None:
            return None
        return Table(self._numbers, "The numbers of this figure", tuple(self._numbers.columns[1:]))

    def update_layout(
        self, dict1: dict[str, Any] | None = None, overwrite: bool = False, **kwargs: Any
    ) -> HouseFigure:
        """Change the layout as Plotly does; a title of one's own keeps the subtitle."""
        super().update_layout(dict1, overwrite, **kwargs)
        meta = self.layout.meta
        given = {*(dict1 or {}), *kwargs} & {"title", "title_text"}
        if given and "meta" not in kwargs and isinstance(meta, dict) and "words" in meta:
            self._retitle(self.layout.title.text or "")
        return self

    def save(self, path: str | Path) -> Path:
        """Write the figure, or its numbers, as the ending of the file's name says.

        Parameters
        ----------
        path : str or Path
            `.html` for a page that opens offline; `.png` (1600 by 900 pixels, for a slide) or `.svg`, where
            kaleido and a Chrome, Chromium or Edge are installed; `.csv` (for Excel as well) or `.xlsx` for
            the numbers as they stand beneath the figure.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UnknownNameError
            When the ending is another.
        ReportError
            When the file cannot be written, or there is nothing to draw it with.
        """
        from culture_metrics.files.accessible import FIGURES, MARKS, Sheet, workbook
        from culture_metrics.files.formulas import plain_names
        from culture_metrics.files.place import to_write, written
        from culture_metrics.views import save as write

        path, ending = to_write(path, SAVED, "figure")
        if ending in PICTURES:
            return write.picture(self, path)
        if ending == ".html":
            return write.save(self, path)
        if self._numbers is None:
            raise ReportError(
                "There are no numbers to this figure", where=path.name, hint="Save it as .html, .png or .svg."
            )
        numbers, _ = plain_names(self._numbers, self._numbers.columns)
        if ending == ".csv":
            return written(path, ("\ufeff" + numbers.write_csv()).encode())
        title = write.plain_title(self.to_dict()["layout"]) or "Figure"
        sheet = Sheet(FIGURES, "The numbers of this figure", numbers)
        return written(path, workbook(title, [self._alt()], MARKS, [sheet]))

    def _retitle(self, text: str) -> None:
        from culture_metrics.views import style
        from culture_metrics.views.save import plain_title
        from culture_metrics.wording.numbers import sentences

        words = self.layout.meta["words"]
        before = style.heading(words["title"], words["subtitle"], style.NARROWEST)
        title = plain_title({"title": text})
        after = style.heading(title, words["subtitle"], style.NARROWEST)
        more = style.HEADING_LINE * (len(after) - len(before))
        rest = str(self.layout.meta["alt"]).removeprefix(sentences([words["title"]])).strip()
        super().update_layout(
            title={"text": "<br>".join(after), "pad": {"t": style.hang(after)}},
            margin={"t": (self.layout.margin.t or 0) + more},
            height=(self.layout.height or 0) + more or None,
            meta={
                **self.layout.meta,
                "alt": f"{sentences([title])} {rest}".strip(),
                "words": {**words, "title": title},
            },
        )

    def _ipython_display_(self) -> None:
        import plotly.io as pio

        names = (pio.renderers.default or "").split("+")
        if not pio.renderers.render_on_display or not {"plotly_mimetype", "vscode"} & {*names}:
            super()._ipython_display_()  # a renderer of the reader's own choice
            return
        from IPython.display import display

        display(self.bundle(), raw=True)  # type: ignore[no-untyped-call]

    def bundle(self) -> dict[str, Any]:
        """Return what a notebook saves: Plotly's JSON, HTML, and a picture where it is asked for."""
        from culture_metrics.views.save import CONFIG, drawn

        plain = self.to_plotly_json()
        # Who asks for this renderer by name puts the figure on a white page, as a report does.
        followed = plain if os.environ.get("PLOTLY_RENDERER") == "plotly_mimetype" else following(plain)
        told: dict[str, Any] = {PLOTLY: {**followed, "config": CONFIG | {"displayModeBar": None}}}
        picture = ""
        if os.environ.get(PICTURES_AS) == "svg":
            svg = drawn(self, "svg")
            told["image/svg+xml"] = svg.decode()
            alt = html.escape(self._alt(), quote=True)
            picture = (
                f'<img style="max-width:100%;background:#FFFFFF" alt="{alt}" '
                f'src="data:image/svg+xml;base64,{b64encode(svg).decode()}">'
            )
        return told | {"text/html": picture + self.as_words(alt=not picture), "text/plain": self._alt()}

    def as_words(self, *, alt: bool = True) -> str:
        """Return the alt text and, folded, the numbers as HTML."""
        said = f"<p>{html.escape(self._alt())}</p>" if alt else ""
        return f"{said}{folded(self.numbers)}"

    def _alt(self) -> str:
        from culture_metrics.views.save import alt

        return alt(self.to_dict()["layout"])


def folded(numbers: Table | None) -> str:
    """Return the numbers of a figure as a table that opens when asked for."""
    if numbers is None or numbers.frame.is_empty():
        return ""
    rest = numbers.frame.height - MOST_ROWS
    more = f"<p>And {rest:,} more rows.</p>" if rest > 0 else ""
    shown = Table(numbers.frame.head(MOST_ROWS), numbers.caption, numbers.numbers)
    return (
        f"<details class='numbers'><summary>Show the numbers</summary>{shown._repr_html_()}{more}</details>"
    )
