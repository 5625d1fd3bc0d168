"""The process in which notebooks of a report run: `python -m culture_metrics.reporting.kernel`.

It is started once for a report, or for many. What it is told comes pickled on its standard input, from the
process that started it alone; what cells show goes back as lines of JSON. Whatever else is printed here,
by whomever, is seen by nobody.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from base64 import b64encode
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: What a notebook of ours comes to: loaded while the other process reads the files.
USED = (
    "culture_metrics.study.read",
    "culture_metrics.views.heat_map",
    "plotly.graph_objs._figure",
    "plotly.io._renderers",
)
#: What Python says where the memory does not suffice.
NO_MEMORY, NO_THREAD = "MemoryError", "can't start new thread"


class _Published(DisplayPublisher):
    """Keeps what `display` is called with."""

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **_: Any) -> None:  # type: ignore[override]
        _outputs().append({"output_type": "display_data", "data": data, "metadata": metadata or {}})


class _Last(DisplayHook):
    """Keeps what the last expression of a cell shows itself with."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        shown = {"output_type": "execute_result", "execution_count": None}
        _outputs().append({**shown, "data": format_dict, "metadata": md_dict or {}})

    def finish_displayhook(self) -> None:
        pass


class _Printed:
    """Stands for standard output: what is printed joins the outputs of the cell."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        shown = _outputs()
        if not (shown and shown[-1]["output_type"] == "stream"):
            shown.append({"output_type": "stream", "name": "stdout", "text": ""})
        shown[-1]["text"] += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


class _Shell(InteractiveShell):
    """The shell of IPython without history, start-up files and tracebacks."""

    displayhook_class = _Last
    display_pub_class = _Published
    outputs: list[dict[str, Any]]

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Show nothing: a traceback holds values of the data and places on the computer."""

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Show nothing."""

    def warn(self, *_: Any) -> None:
        """Show nothing."""


def _outputs() -> list[dict[str, Any]]:
    return _Shell.instance().outputs


def main() -> None:
    """Do what comes in until nothing more comes."""
    told, back = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    from traitlets.config import Config

    from culture_metrics.reporting.run import skip_grammar

    skip_grammar()  # Plotly loads the check of notebooks
    shell = _Shell.instance(
        config=Config({"HistoryManager": {"enabled": False}}), ipython_dir=os.environ["IPYTHONDIR"]
    )
    shell.outputs = []
    sys.stdout = _Printed()

    def tell(**message: Any) -> None:
        back.write(json.dumps(message, default=_plain) + "\n")
        back.flush()

    tell(ready=True)
    while (message := _next(told)) is not None:
        what, given = message
        if what == "load":
            for name in USED:
                import_module(name)
        elif what == "study":
            from culture_metrics.study import at_hand

            at_hand.put(*given)
        else:
            _run(shell, tell, *given)


def _plain(value: Any) -> Any:
    """Return a value that JSON knows: figures hold numbers of numpy, dates, and perhaps pictures."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if hasattr(value, "tolist"):
        return value.tolist()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _next(told: IO[bytes]) -> tuple[str, Any] | None:
    try:
        return pickle.load(told)  # type: ignore[no-any-return]
    except EOFError:
        return None


def _run(
    shell: _Shell,
    tell: Callable[..., None],
    cells: Sequence[tuple[str, bool]],
    parameters: Mapping[str, Any],
) -> None:
    """Run the cells of a notebook one after the other, in a namespace of their own, and tell of each."""
    shell.reset(new_session=False)  # type: ignore[no-untyped-call]
    for source, holds_parameters in cells:
        shell.outputs = []
        result = shell.run_cell(source, store_history=False)  # type: ignore[no-untyped-call]
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            tell(**_failed(error))
            break
        if holds_parameters:
            shell.push(dict(parameters))  # type: ignore[no-untyped-call]
        tell(outputs=shell.outputs)


def _failed(error: BaseException) -> dict[str, Any]:
    """Describe an error: our own are written for people; any other may carry values of the data."""
    from culture_metrics.errors import CultureMetricsError

    kind = type(error).__name__
    return {
        "error": kind,
        "said": str(error) if isinstance(error, CultureMetricsError) else kind,
        "memory": kind == NO_MEMORY or NO_THREAD in str(error),
    }


if __name__ == "__main__":
    main()
