"""The memory that this process may still take."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

#: Taken for the free memory where the system does not tell.
MEMORY_WHEN_UNKNOWN = 8 << 30
_CONTAINER = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Return the memory in bytes that this process may still take, as far as the system tells.

    That is what is free, or less where the process or its container has a limit.
    """
    limits = (_free_in_container(), _free_address_space())
    return min([_free(), *(limit for limit in limits if limit is not None)])


def _free() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file() and (found := re.search(r"MemAvailable:\s+(\d+) kB", meminfo.read_text())):
        return int(found[1]) * 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return MEMORY_WHEN_UNKNOWN


def _free_in_container() -> int | None:
    try:
        limit, used = (int((_CONTAINER / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # not Linux, or the limit is "max"
        return None
    return max(limit - used, 0)


def _free_address_space() -> int | None:
    limit = address_space()
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        pages = 0
    return None if limit is None else max(limit - pages * os.sysconf("SC_PAGE_SIZE"), 0)


def address_space() -> int | None:
    """Return the limit of address space in bytes that is set for this process (`ulimit -v`), if one is."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
