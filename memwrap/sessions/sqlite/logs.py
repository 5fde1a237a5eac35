"""The log beside a SQLite file, which belongs to that file, and is found by its path.

SQLite leaves it where it is when the file is replaced while it is open. Whoever opens the new file
takes that log for its log, and would write old pages into it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias, runtime_checkable

from memwrap.sessions import loops

try:
    import fcntl as _fcntl
except ImportError:  # on such systems no file is replaced that is open
    _fcntl = None  # type: ignore[assignment]

__all__ = ["Inode", "inode", "leave_logs", "logs_of", "remove_logs"]

Inode: TypeAlias = "tuple[int, int] | None"

_SUFFIXES = ("-wal", "-shm")


def inode(path: str) -> Inode:
    """Return what tells the file at *path* from all that are open; None if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116  (a third of the time of a Path's)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def logs_of(path: str) -> tuple[Inode, ...]:
    """Return the inodes of the log beside a file and of its index."""
    return tuple(inode(path + suffix) for suffix in _SUFFIXES)


@runtime_checkable
class _HasLog(Protocol):
    path: str

    def leave_log(self) -> None: ...


def leave_logs(path: str) -> None:
    """Remove a log at *path* that belongs to a file which was there before.

    An engine of another event loop may have it open, and find out later.
    """
    for resource in loops.resources():
        if isinstance(resource, _HasLog) and resource.path == path:
            resource.leave_log()


def remove_logs(path: str, logs: tuple[Inode, ...]) -> None:
    """Remove the log of a file that is no longer at *path*, if that is still there.

    Connections to the file before must be open, or the inodes may belong to something else by
    now. They go on with the log, which only they know then.

    Args:
        path: Where the file was.
        logs: Its log, as `logs_of` returned it.
    """
    with _alone(path):
        for suffix, log in zip(_SUFFIXES, logs, strict=True):
            if log is not None and inode(path + suffix) == log:
                os.unlink(path + suffix)  # noqa: PTH108


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Keep other processes from looking and removing in the same moment."""
    fcntl: Any = _fcntl
    if fcntl is None:
        yield
        return
    folder = os.open(os.path.dirname(path), os.O_RDONLY)  # noqa: PTH120
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
