"""A figure with controls, in JupyterLab; elsewhere the figure alone."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from culture_metrics.errors import CultureMetricsError
from culture_metrics.study.choices import LABELS, SEVERAL, chosen_first, options, view_of
from culture_metrics.wording.several import NO_GROUPS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.study.study import Study

#: What shows controls; a page that has none for it shows nothing in their place.
WIDGET = "application/vnd.jupyter.widget-view+json"
#: Lines of a list to choose several from.
ROWS = 6
WIDE = {"description_width": "7em"}


def _control(study: Study, name: str, offered: list[tuple[str, Any]]) -> Any:
    """Make the widget of a control: a list to choose several from, or one that opens."""
    import ipywidgets

    look = {
        "description": LABELS[name],
        "style": WIDE,
        "layout": {"width": "min(100%, 36em)"},
        "options": offered,
    }
    if name not in SEVERAL:
        return ipywidgets.Dropdown(**look)
    return ipywidgets.SelectMultiple(
        value=chosen_first(study, name),
        rows=min(len(offered), ROWS),
        **look,
        tooltip="Hold Ctrl (on a Mac Cmd) to choose several, or to take one back.",
    )


class Explorer:
    """A figure of a study and the controls that change it.

    Attributes
    ----------
    controls : dict
        By name, `ipywidgets` whose `.value` may be set in Python as well: of `peers` a tuple, empty for none.
    figure : plotly.graph_objects.Figure
        What is chosen now; None where there is nothing to choose from, and `otherwise` says why.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> shown = cm.study([]).explore("standing")
    >>> shown.controls["organisation"].value = "SYN02"
    >>> shown.figure.layout.meta["alt"][:16]
    'Invented trust 2'
    """

    def __init__(self, study: Study, view: str) -> None:
        import ipywidgets

        self._study, self._view = study, view_of(view)
        self._said, self._handle = ipywidgets.HTML(), None
        offered = {name: options(study, name) for name in self._view.controls}
        #: Why there is no figure; empty where there is one.
        self.otherwise = "" if all(offered.values()) else NO_GROUPS
        self.controls: dict[str, Any] = {name: _control(study, name, offered[name]) for name in offered}
        self.figure: Any = None if self.otherwise else self._draw()
        for control in self.controls.values():
            control.observe(self._changed, names="value")

    def _draw(self) -> go.Figure:
        return self._view.draw(self._study, {name: c.value for name, c in self.controls.items()})

    def _changed(self, _: object) -> None:
        """Draw anew; where there is nothing to draw the figure stays and the reason is said."""
        # Plotly's part of JupyterLab never draws over a figure: words in between make room for a new one.
        self._renew({"text/plain": "Drawing …"})
        try:
            self.figure, self._said.value = self._draw(), ""
        except CultureMetricsError as error:
            why = html.escape(error.what.rstrip("."))
            self._said.value = f"<em>{why}. Below is the figure before.</em>"
        finally:
            self._renew(self._shown() if self._handle else {})

    def _renew(self, bundle: dict[str, Any]) -> None:
        """Put something else in the place of the figure, where it is shown."""
        if self._handle is not None:
            self._handle.update(bundle, raw=True)

    def __repr__(self) -> str:
        return f"Explorer({', '.join(f'{n}={c.label!r}' for n, c in self.controls.items())})"

    def _shown(self) -> dict[str, Any]:
        """Return what the figure shows of itself here: it says it to the screen, and to no one who asks."""
        from IPython.display import display
        from IPython.utils.capture import capture_output

        from culture_metrics.views.house import PLOTLY

        with capture_output() as kept:
            display(self.figure)  # type: ignore[no-untyped-call]
        outputs = kept.outputs
        bundle: dict[str, Any] = dict(outputs[-1].data) if outputs else {"text/plain": repr(self)}
        if drawn := bundle.get(PLOTLY):
            # A responsive figure drawn in the place of another takes its height from what holds it, which has
            # none of its own: at the next theme it was gone. JupyterLab fits it to the width by itself.
            bundle[PLOTLY] = {**drawn, "config": {**drawn["config"], "responsive": False}}
        return bundle

    def _ipython_display_(self) -> None:
        """Show controls, and under them the figure as a figure of its own, that stays where they do not."""
        import ipywidgets
        from IPython.display import Markdown, display

        if self.otherwise:
            display(Markdown(self.otherwise))  # type: ignore[no-untyped-call]
            return
        box = ipywidgets.VBox([*self.controls.values(), self._said])
        display({WIDGET: box.get_view_spec()}, raw=True)  # type: ignore[no-untyped-call]
        self._handle = display(self._shown(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
