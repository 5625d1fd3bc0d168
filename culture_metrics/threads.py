"""Work in several threads, in parts that have nothing to do with each other."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from threadpoolctl import ThreadpoolController

#: So many numbers are worked on at a time where rows have nothing to do with each other.
HELD = 2**17

A = TypeVar("A")
B = TypeVar("B")


def in_threads(jobs: Sequence[Callable[[], A]]) -> list[A]:
    """Return what each job returns, in their order; as many threads as polars has (`POLARS_MAX_THREADS`)."""
    threads = min(len(jobs), pl.thread_pool_size())
    if threads <= 1:
        return [job() for job in jobs]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda job: job(), jobs))


def blocks(size: int) -> list[slice]:
    """Cut a range into one part for each thread; nothing may depend on where."""
    parts = max(1, min(size, pl.thread_pool_size()))
    ends = [size * i // parts for i in range(parts + 1)]
    return [slice(low, high) for low, high in pairwise(ends)]


def slices(rows: int, columns: int) -> list[slice]:
    """Cut the rows of a table into parts that the fast memory of a processor holds."""
    step = max(1, HELD // max(columns, 1))
    return [slice(low, low + step) for low in range(0, max(rows, 1), step)]


def both(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """Return what two jobs return that have nothing to do with each other."""
    if pl.thread_pool_size() <= 1:
        return one(), other()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(other)
        return one(), later.result()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let one thread work on matrices: on tall and narrow ones more gain nothing.

    Where other work shares the processor they wait for each other instead: a fit of statsmodels to 1,760 rows
    and 25 columns then takes 160 ms of processor, with one thread 3 ms. The limit is one of the process: of
    several threads that ask for it the last to leave lifts it.
    """
    with _LIMITED.lock:
        if not _LIMITED.inside:
            _LIMITED.limits = _linear_algebra().limit(limits=1, user_api="blas")
        _LIMITED.inside += 1
    try:
        yield
    finally:
        with _LIMITED.lock:
            _LIMITED.inside -= 1
            if not _LIMITED.inside:
                _LIMITED.limits.restore_original_limits()


@dataclass
class _Limited:
    """How many are inside `one_blas_thread`, and what the first of them changed."""

    inside: int = 0
    limits: Any = None
    lock: Lock = field(default_factory=Lock)


_LIMITED = _Limited()


@cache
def _linear_algebra() -> ThreadpoolController:
    """Find the libraries of numpy and scipy once: looking takes longer than a fit."""
    import scipy.linalg  # noqa: F401 its library is to be found too
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def watched(steps: Sequence[A], doing: str, progress: bool | None, few: int = 0) -> Iterator[A]:
    """Go through steps, with a progress bar when asked, or of more than a few when someone is watching."""
    if progress is None:
        progress = len(steps) > few and sys.stderr.isatty()
    if not progress:
        yield from steps
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(steps, doing, console=Console(stderr=True), transient=True)
