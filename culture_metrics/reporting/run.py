"""Run notebooks, each in a kernel of its own that is this very Python."""

from __future__ import annotations

import logging
import os
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any

from culture_metrics.errors import ReportError
from culture_metrics.reporting.delivery import cannot_write
from culture_metrics.reporting.ended import LESS, ended, ended_for_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbformat import NotebookNode

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
)


#: Tag of cells that a report leaves out.
ONLY_NOTEBOOK = "notebook-only"
#: The check of notebooks builds a grammar of web addresses when it is loaded, which takes longer than reading
#: a survey. No notebook of ours has a field that needs it, and the check does without where it is missing.
SKIP_GRAMMAR = 'import sys; sys.modules.setdefault("rfc3987_syntax", None)'


#: Seconds that a notebook's process may take to answer first, and a cell to run. A process that got no memory
#: may wait for ever; on a slow computer the cells of a national file take minutes.
START, LONGEST = 180, 1800
#: What Python says where the memory does not suffice.
NO_MEMORY, NO_THREAD = "MemoryError", "can't start new thread"


def skip_grammar() -> None:
    """Let nbformat load without its slowest part."""
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
    names: Sequence[str], parameters: Mapping[str, Any], tell: Callable[[int], None] = lambda ready: None
) -> dict[str, NotebookNode]:
    """Run notebooks from top to bottom and return them with their outputs. Nothing is left on disk.

    As many run at once as the computer has processors.

    Parameters
    ----------
    names : sequence of str
        Some of `NOTEBOOKS`.
    parameters : mapping
        Values for the names in the cell tagged `parameters`; None leaves the notebook's own value.
    tell : callable, optional
        Called with the number of notebooks that are ready, each time one is.

    Returns
    -------
    dict of nbformat.NotebookNode
        By name, without anything that tells of this computer: no paths, parameters, times or warnings.

    Raises
    ------
    ReportError
        When a cell fails. The message names the notebook and the kind of error, never values.
    """
    run: dict[str, NotebookNode] = {}
    with ThreadPoolExecutor(max_workers=min(len(names), os.cpu_count() or 1)) as pool:
        running = {pool.submit(_run, name, parameters): name for name in names}
        try:
            for done in as_completed(running):
                run[running[done]] = done.result()
                tell(len(run))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return run


def _run(name: str, parameters: Mapping[str, Any]) -> NotebookNode:
    skip_grammar()
    from jupyter_core.utils import ensure_event_loop
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import execute_notebook  # type: ignore[import-untyped]
    from papermill.exceptions import PapermillExecutionError  # type: ignore[import-untyped]

    logging.getLogger("papermill").setLevel(logging.ERROR)
    codes: list[int] = []
    before = ended_for_memory()
    with TemporaryDirectory(prefix="culture-metrics-", ignore_cleanup_errors=True) as scratch:
        try:
            done = execute_notebook(
                str(notebook_path(name)),
                None,
                parameters={k: v for k, v in parameters.items() if v is not None},
                kernel_name="python3",
                kernel_manager_class=_this_python(Path(scratch), codes),
                resources={"metadata": {"path": scratch}},
                progress_bar=False,
                start_timeout=START,
                execution_timeout=LONGEST,
            )
        except PapermillExecutionError as error:
            # Our own errors are written for people; the text of any other may carry values of the data.
            ours = getattr(sys.modules["culture_metrics.errors"], str(error.ename), None) is not None
            if error.ename == NO_MEMORY or NO_THREAD in str(error.evalue):
                raise _no_memory(name, error.ename) from error
            raise ReportError(
                f"The notebook {name} stopped with an error",
                where=f"{name}.ipynb, cell {error.cell_index + 1}",
                got=error.evalue if ours else error.ename,
                hint="Run it in JupyterLab to see more: the inputs go into its parameters cell.",
            ) from error
        except DeadKernelError as error:
            raise ended(name, codes[-1] if codes else None, before) from error
        except CellTimeoutError as error:
            raise ReportError(
                f"The notebook {name} was stopped: a cell of it took longer than any should",
                got=f"no answer in {LONGEST // 60} minutes",
                hint=LESS,
            ) from error
        except OSError as error:
            raise cannot_write(Path(gettempdir()), error) from error
        except RuntimeError as error:
            raise ReportError(
                f"The notebook {name} could not be run",
                got=type(error).__name__,
                hint="Check that the package ipykernel is installed and that this computer lets Python "
                "processes talk to each other (a firewall may ask).",
            ) from error
        finally:
            ensure_event_loop().close()  # the loop of this thread, which is ours alone
    return _without_traces(done)


def _no_memory(name: str, got: str) -> ReportError:
    return ReportError(
        f"The notebook {name} did not come to its end: it got no memory, or no further thread",
        got=got,
        hint=LESS,
    )


def _this_python(scratch: Path, codes: list[int]) -> type:
    """Make a kernel manager that starts this interpreter, whatever kernels are installed on the computer.

    What the process ends with is added to `codes`.
    """
    import zmq
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    env = {
        "PLOTLY_RENDERER": "plotly_mimetype",
        "IPYTHONDIR": str(scratch / "ipython"),  # no history, no start-up files of the user
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    if PACKAGE.parent != Path(sysconfig.get_path("purelib")):
        paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
        env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    arguments = ["--log-level=CRITICAL", f"--IPKernelApp.exec_lines={SKIP_GRAMMAR}"]
    spec = KernelSpec(**get_kernel_dict(arguments), env=env)

    class ThisPython(AsyncKernelManager):
        # Others may use the same computer: what goes to and from the kernel is encrypted where it can be.
        transport_encryption = "auto" if zmq.has("curve") else "disabled"

        @property
        def kernel_spec(self) -> KernelSpec:
            return spec

        async def is_alive(self) -> bool:  # type: ignore[override]
            code = await self.provisioner.poll() if self.provisioner is not None else None
            if code is not None:
                codes.append(code)
            return self.has_kernel and code is None

        def _connection_file_default(self) -> str:
            return str(scratch / f"kernel-{self.kernel_id}.json")

    return ThisPython


def _without_traces(notebook: NotebookNode) -> NotebookNode:
    """Strip what papermill and the kernel wrote: paths, parameters, times, messages of warnings.

    Cells that are for the reader of the notebook only go as well.
    """
    own = {"parameters", "injected-parameters", ONLY_NOTEBOOK}
    notebook.metadata = type(notebook)(language_info={"name": "python", "pygments_lexer": "ipython3"})
    notebook.cells = [c for c in notebook.cells if not own & set(c.metadata.get("tags", ()))]
    for cell in notebook.cells:
        cell.metadata = type(notebook)()
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            for output in cell.outputs:
                if "metadata" in output:
                    output.metadata = type(notebook)()
                if "execution_count" in output:
                    output.execution_count = None
    return notebook
