"""How the process of a notebook ended by itself, and what helps: told from what the system knows of it."""

from __future__ import annotations

import signal
from pathlib import Path

from culture_metrics.errors import ReportError

#: Linux counts here how many processes it ended because the memory ran out.
COUNTER = Path("/proc/vmstat")
LESS = "Close other programs, or give fewer files or years at a time."


def ended_for_memory() -> int | None:
    """Return how many processes the system has ended for want of memory; None where it counts none."""
    try:
        lines = COUNTER.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def ended(name: str, code: int | None, before: int | None) -> ReportError:
    """Return the error for a notebook whose process is gone.

    Parameters
    ----------
    name : str
        The notebook.
    code : int or None
        What the process ended with: below 0 the signal that ended it. None where that is not known.
    before : int or None
        What `ended_for_memory` said before it began.

    Examples
    --------
    >>> print(ended("01_check_an_extract", 3, None))
    The notebook 01_check_an_extract did not come to its end: its process stopped
      found: exit code 3
      what to do: Run it in JupyterLab to see where it stops.
    """
    now = ended_for_memory()
    if code == -9 and before is not None and now is not None:
        if now > before:
            why, hint = "the system ended it because the memory ran out", LESS
        else:
            why = "it was ended from outside, and the system counted no want of memory"
            hint = f"Did a person or a limit on programs end it? If not: {LESS[0].lower()}{LESS[1:]}"
    elif code == -9:
        why = "the system, another program or a person ended it; systems do so when the memory runs out"
        hint = LESS
    elif code == -6:
        why = "it gave up, as programs do that get no memory, or that find a fault in themselves"
        hint = f"{LESS} If that does not help, run it in JupyterLab to see where it stops."
    else:
        why, hint = "its process stopped", "Run it in JupyterLab to see where it stops."
    return ReportError(f"The notebook {name} did not come to its end: {why}", got=_said(code), hint=hint)


def _said(code: int | None) -> str:
    if code is None:
        return "no exit code"
    if code >= 0:
        return f"exit code {code}"
    known = {s.value: s.name for s in signal.Signals}
    return f"signal {-code} ({known.get(-code, 'of no name')})"
