"""A place to work inside the folder of a report, and the swap of an earlier report for the new one."""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, TYPE_CHECKING

from culture_metrics.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEDGER = "ledger.json"
#: What a report consists of, in the order in which it is put in place: last the page, which names the others.
FILES = ("results.xlsx", "slides.pptx", "results.parquet", "manifest.json", LEDGER, "index.html")
PREFIX = ".culture-metrics-"
#: Beside the files in a workshop: the file that its owner holds locked, and where the earlier report waits
#: while it is swapped.
OWNER, EARLIER = "owner", "earlier"
#: A workshop that nobody signed may be that of a run which begins just now; after so many seconds it is not.
ABANDONED = 24 * 3600
_NAME = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """Make the folder of a report, and in it a hidden one to work in, which is gone afterwards.

    What runs that were killed left behind is cleared away first. A folder that cannot be written to shows
    before the work begins.

    Raises
    ------
    ReportError
        When the system refuses to write, then or while the work goes on: a full disk, missing rights.
    """
    if folder.exists() and not folder.is_dir():
        raise ReportError("The report needs a folder, and this is a file", where=str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in _left_behind(folder):
            _clear(left, folder)
        place = Path(mkdtemp(prefix=PREFIX, dir=folder))
        owner = _sign(place)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield place
    except OSError as error:
        raise cannot_write(folder, error) from error
    except MemoryError as error:
        raise ReportError(
            "The report could not be made: the memory did not suffice",
            hint="Close other programs, or give fewer files or years at a time.",
        ) from error
    finally:
        owner.close()
        # What a swap could not put back stays, and the error says where.
        if not any(path.is_file() for path in (place / EARLIER).rglob("*")):
            shutil.rmtree(place, ignore_errors=True)


def deliver(place: Path, folder: Path, files: Sequence[str] = FILES, gone: Sequence[str] = ()) -> None:
    """Swap the files of an earlier report for the new ones: all of them, or none.

    Parameters
    ----------
    place, folder : Path
        The workshop and the folder of the report.
    files : sequence of str
        What the report consists of, as far as it is in the workshop; "folder/name" for what has its own.
    gone : sequence of str
        Files of the earlier report that must not stay, whether there are new ones or not.

    Raises
    ------
    ReportError
        Naming the file that the system does not let go, because another program has it open.
    """
    earlier = place / EARLIER
    new = [name for name in files if (place / name).exists()]
    old = [name for name in dict.fromkeys([*new, *gone]) if os.path.lexists(folder / name)]
    for name in new:
        if (folder / name).is_dir():
            raise ReportError(
                "The report could not be written: a folder has the name of one of its files",
                where=str(folder / name),
                hint="Give another folder, or rename that one.",
            )
    earlier.mkdir()
    for path in (*(folder / name for name in new), *(earlier / name for name in old)):
        path.parent.mkdir(exist_ok=True)
    moves = [(folder / name, earlier / name) for name in old]
    moves += [(place / name, folder / name) for name in new]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.replace(target)
            done.append((source, target))
    except BaseException as error:
        _undo(done, folder)
        if isinstance(error, OSError):
            raise _held(folder / source.name, error) from error
        raise
    shutil.rmtree(earlier, ignore_errors=True)
    for left in _left_behind(folder):
        shutil.rmtree(left, ignore_errors=True)


def _undo(done: list[tuple[Path, Path]], folder: Path) -> None:
    try:
        for source, target in reversed(done):
            target.replace(source)
    except OSError as error:
        waiting = next(target.parent for source, target in done if source.parent == folder)
        raise ReportError(
            "The report could not be written, and the earlier one could not be put back",
            where=str(folder),
            got=error.strerror or type(error).__name__,
            hint=f"Close its files and make the report again. The earlier files are in {waiting}.",
        ) from error


def _held(path: Path, error: OSError) -> ReportError:
    if not isinstance(error, PermissionError):
        return cannot_write(path, error)
    return ReportError(
        f"The report was not written: {path.name} of the earlier report is open in another program",
        where=str(path),
        got=error.strerror or type(error).__name__,
        hint=f"Close {path.name}, in Excel for example, and make the report again, or give another folder. "
        "Nothing in the folder was changed.",
    )


def cannot_write(path: Path, error: OSError) -> ReportError:
    """Make the error for a system that refuses to write."""
    if error.errno in _FULL:
        return ReportError(
            "The report could not be written: the disk is full",
            where=error.filename or str(path),
            got=error.strerror,
            hint="Free some space, or give a folder on another disk. An earlier report is as it was.",
        )
    return ReportError(
        "The report could not be written",
        where=error.filename or str(path),
        got=error.strerror or type(error).__name__,
        hint="Give a folder that you may write to, and close the files of an earlier report.",
    )


def _sign(place: Path) -> IO[str]:
    """Sign a workshop: as long as its owner lives the file is locked, however the owner ends."""
    owner = (place / OWNER).open("a+", encoding="utf-8")
    if _lock(owner, wait=True):
        owner.write(platform.node())
        owner.flush()
    return owner


def _lock(file: IO[str], *, wait: bool) -> bool:
    """Lock a file for this process; False where another has it or the file system knows no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 20)  # beyond its end: what is locked cannot be read by others
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _left_behind(folder: Path) -> list[Path]:
    """Find the workshops of runs that were killed: ours by name and content, and their owner is gone."""
    return [
        place
        for place in folder.iterdir()
        if _NAME.fullmatch(place.name) and not place.is_symlink() and place.is_dir() and _abandoned(place)
    ]


def _abandoned(place: Path) -> bool:
    try:
        # A folder in it is one of pages.
        if not {path.name for path in place.iterdir() if path.is_file()} <= {*FILES, OWNER}:
            return False
        unsigned = time.time() - place.stat().st_mtime > ABANDONED
        if not (place / OWNER).is_file():
            return unsigned
        with (place / OWNER).open("a+", encoding="utf-8") as owner:
            if not _lock(owner, wait=False):
                return False
            owner.seek(0)
            name = owner.read()
        # A lock of another computer may not be seen from here.
        return name == platform.node() if name else unsigned
    except OSError:
        return False


def _clear(place: Path, folder: Path) -> None:
    """Remove what a killed run left; where it was killed in the midst of the swap, finish the swap first."""
    try:
        if (place / EARLIER).is_dir():
            pages = [path for path in place.glob("*/*") if path.parent != place / EARLIER]
            for path in (*(place / name for name in FILES), *pages):
                if path.is_file():
                    path.replace(folder / path.relative_to(place))
    except OSError:
        return
    shutil.rmtree(place, ignore_errors=True)
