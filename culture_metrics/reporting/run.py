"""Run notebooks in a process of their own that is this very Python, and that is handed what was read."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import sysconfig
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from queue import SimpleQueue
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from culture_metrics.errors import ReportError
from culture_metrics.reporting.delivery import cannot_write
from culture_metrics.reporting.ended import LESS, ended, ended_for_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from nbformat import NotebookNode

    from culture_metrics.study.study import Study

T = TypeVar("T")

PACKAGE = Path(__file__).parents[1]
#: The notebooks the report knows, in the order of the page.
NOTEBOOKS = (
    "01_check_an_extract",
    "02_culture_indicators",
    "03_year_on_year",
    "04_benchmark_and_peers",
    "05_equality",
    "06_leadership_frameworks",
    "10_published_results",
    "11_pulse",
)


#: Tags of cells: values that a report replaces; what it leaves out.
PARAMETERS, ONLY_NOTEBOOK = "parameters", "notebook-only"


#: Seconds that the process may take to answer first, and a cell to run. A process that got no memory may wait
#: for ever; on a slow computer the cells of a national file take minutes.
START, LONGEST = 180, 1800


def skip_grammar() -> None:
    """Let nbformat load without its slowest part.

    Its check of notebooks builds a grammar of web addresses when it is loaded, which takes longer than
    reading a survey. No notebook of ours has a field that needs it, and the check does without where it is
    missing.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def notebook_path(name: str) -> Path:
    """Return where a notebook lies: inside an installed package, or beside it in a working copy.

    Examples
    --------
    >>> notebook_path("05_equality").name
    '05_equality.ipynb'
    """
    installed = PACKAGE / "reporting" / "notebooks" / f"{name}.ipynb"
    return installed if installed.is_file() else PACKAGE.parent / "notebooks" / f"{name}.ipynb"


def run_notebooks(
    names: Sequence[str],
    parameters: Mapping[str, Any],
    tell: Callable[[int], None] = lambda ready: None,
    kernel: Kernel | None = None,
    study: memoryview | None = None,
) -> dict[str, NotebookNode]:
    """Run notebooks from top to bottom and return them with their outputs. Nothing is left on disk.

    Parameters
    ----------
    names : sequence of str
        Some of `NOTEBOOKS`.
    parameters : mapping
        Values for the names in the cell tagged `parameters`; None leaves the notebook's own value.
    tell : callable, optional
        Called with the number of notebooks that are ready, each time one is.
    kernel : Kernel, optional
        The process to run them in; one of their own when left out.
    study : memoryview, optional
        What they get when they call `cm.study` with these parameters, as `packed_study` packs it; they read
        it themselves when left out.

    Returns
    -------
    dict of nbformat.NotebookNode
        By name, without anything that tells of this computer: no paths, parameters, times or warnings.

    Raises
    ------
    ReportError
        When a cell fails. The message names the notebook and the kind of error, never values.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    run: dict[str, NotebookNode] = {}
    with started() if kernel is None else nullcontext(kernel) as place:
        if study is not None:
            place.hand(study)
        for name in names:
            run[name] = _run(name, given, place)
            tell(len(run))
    return run


def _run(name: str, parameters: Mapping[str, Any], kernel: Kernel) -> NotebookNode:
    skip_grammar()
    import nbformat

    notebook = nbformat.read(notebook_path(name), as_version=4)  # type: ignore[no-untyped-call]
    # What a page leaves out need not be run: nothing that follows rests on it.
    code = [
        (number, cell)
        for number, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "code" and ONLY_NOTEBOOK not in cell.metadata.get("tags", ())
    ]
    holds = [PARAMETERS in cell.metadata.get("tags", ()) for _, cell in code]
    kernel.send(name, "run", ([(c.source, p) for (_, c), p in zip(code, holds, strict=True)], parameters))
    for number, cell in code:
        told = kernel.answer(name)
        if told.get("memory"):
            raise ReportError(
                f"The notebook {name} did not come to its end: it got no memory, or no further thread",
                got=told["error"],
                hint=LESS,
            )
        if "error" in told:
            raise ReportError(
                f"The notebook {name} stopped with an error",
                where=f"{name}.ipynb, cell {number}",
                got=told["said"],
                hint="Run it in JupyterLab to see more: the inputs go into its parameters cell.",
            )
        cell.outputs = [nbformat.from_dict(output) for output in told["outputs"]]  # type: ignore[no-untyped-call]
    return _without_traces(notebook)


class Kernel:
    """A process that runs notebooks, one after the other; `started` makes it.

    The caller's own process is left as it is: JupyterLab may be the caller. And the process may end as it
    likes, for want of memory for example: this one is there to tell.
    """

    def __init__(self, scratch: str) -> None:
        env = os.environ | {
            "PLOTLY_RENDERER": "plotly_mimetype",
            "IPYTHONDIR": str(Path(scratch, "ipython")),  # no start-up files of the user
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        if PACKAGE.parent != Path(sysconfig.get_path("purelib")):
            paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
            env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        self._before = ended_for_memory()
        self._limit, self._late = START, False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "culture_metrics.reporting.kernel"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env=env,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def load(self) -> None:
        """Let it load what notebooks need, while the caller goes on."""
        self.send("", "load", None)

    def hand(self, packed: memoryview) -> None:
        """Hand over what `packed_study` made."""
        self._write("", packed)

    def send(self, name: str, what: str, given: Any) -> None:
        """Tell it to do something; `name` is the notebook that would not come to its end."""
        self._write(name, _packed(what, given))

    def _write(self, name: str, packed: memoryview) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(packed)
            self._process.stdin.flush()
        except OSError as error:
            raise ended(name, self._process.wait(), self._before) from error

    def answer(self, name: str) -> dict[str, Any]:
        """Wait for what it has to tell of the next cell."""
        assert self._process.stdout
        while True:
            clock = threading.Timer(self._limit, self._stop)
            clock.daemon = True
            clock.start()
            line = self._process.stdout.readline()
            clock.cancel()
            if self._late:
                raise ReportError(
                    f"The notebook {name} was stopped: a cell of it took longer than any should",
                    got=f"no answer in {self._limit // 60} minutes",
                    hint=LESS,
                )
            if not line.endswith(b"\n"):
                raise ended(name, self._process.wait(), self._before)
            self._limit = LONGEST
            told: dict[str, Any] = json.loads(line)
            if "ready" not in told:
                return told

    def _stop(self) -> None:
        self._late = True
        self._process.kill()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            with suppress(OSError):  # of what was still to be sent
                pipe.close()


@contextmanager
def started() -> Iterator[Kernel]:
    """Start the process in an empty place of its own; both are gone afterwards."""
    try:
        scratch = tempfile.TemporaryDirectory(prefix="culture-metrics-", ignore_cleanup_errors=True)
        kernel = Kernel(scratch.name)
    except OSError as error:
        raise cannot_write(Path(tempfile.gettempdir()), error) from error
    with scratch:
        try:
            yield kernel
        finally:
            kernel.close()


class Kernels:
    """As many processes as the computer has processors, at most `most`, and what is asked of them."""

    def __init__(self, most: int = 1) -> None:
        self._free: SimpleQueue[Kernel] = SimpleQueue()
        self._open = ExitStack()
        self.count = min(most, os.cpu_count() or 1)

    def __enter__(self) -> Self:
        self._threads = self._open.enter_context(ThreadPoolExecutor(self.count))
        with ExitStack() as opened:  # closed before the threads, which wait for them
            for _ in range(self.count):
                kernel = opened.enter_context(started())
                kernel.load()
                self._free.put(kernel)
            self._open.push(opened.pop_all())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def submit(self, task: Callable[[Kernel], T]) -> Future[T]:
        """Do something with the next process that is free, while the caller goes on."""

        def done() -> T:
            kernel = self._free.get()
            try:
                return task(kernel)
            finally:
                self._free.put(kernel)

        return self._threads.submit(done)


def packed_study(study: Study, parameters: Mapping[str, Any]) -> memoryview:
    """Pack a study to hand over: it answers `cm.study` with these parameters from then on."""
    return _packed("study", (dict(parameters), study, study.edition.survey))


def _packed(what: str, given: Any) -> memoryview:
    packed = io.BytesIO()
    _Pickler(packed, pickle.HIGHEST_PROTOCOL).dump((what, given))
    return packed.getbuffer()


class _Pickler(pickle.Pickler):
    """Takes read-only mappings, of which the catalogue has some."""

    def reducer_override(self, value: Any) -> Any:
        return (_read_only, (dict(value),)) if type(value) is MappingProxyType else NotImplemented


def _read_only(value: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(value)


def _without_traces(notebook: NotebookNode) -> NotebookNode:
    """Strip what tells of the run and of the notebook as a file; cells for its reader only go as well."""
    own = {PARAMETERS, ONLY_NOTEBOOK}
    notebook.metadata = type(notebook)(language_info={"name": "python", "pygments_lexer": "ipython3"})
    notebook.cells = [c for c in notebook.cells if not own & set(c.metadata.get("tags", ()))]
    for cell in notebook.cells:
        cell.metadata = type(notebook)()
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                if "metadata" in output:
                    output.metadata = type(notebook)()
    return notebook
