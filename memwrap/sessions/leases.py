"""The name of a lease's holder: it tells whether the holder's process still lives."""

from __future__ import annotations

import asyncio
import itertools
import os
import platform
import threading
from functools import lru_cache
from pathlib import Path
from weakref import WeakValueDictionary

__all__ = ["Stand", "is_dead", "leave_stand", "new_token", "take_stand"]


_numbers = itertools.count()


def new_token() -> str:
    """Return a name for a turn that no other turn has, with this process in it."""
    return f"{_process(os.getpid())}/{next(_numbers)}"


class Stand:
    """Where something runs: an event loop, and the thread that ran it."""

    __slots__ = ("__weakref__", "loop", "thread")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on that loop; the collector, for one, may run anywhere."""
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    @property
    def is_lost(self) -> bool:
        """Whether nothing goes on there while the caller waits.

        The loop is closed, or stands still and its thread has ended or is the caller's own.
        """
        if self.loop.is_running():
            return False
        if self.loop.is_closed() or self.thread == threading.get_ident():
            return True
        return all(thread.ident != self.thread for thread in threading.enumerate())


# The turns of this process that have a lease, or are about to take one.
_stands: WeakValueDictionary[str, Stand] = WeakValueDictionary()


def take_stand(token: str) -> Stand:
    """Note that the turn of *token* runs here, for as long as the result is held."""
    stand = _stands[token] = Stand()
    return stand


def leave_stand(token: str) -> None:
    """Note that the turn of *token* is over, though its lease could not be given back."""
    _stands.pop(token, None)


def is_dead(token: str) -> bool:
    """Tell whether the turn of *token* ran on this machine and cannot end by itself any more.

    Its process has ended, or it was one of this process and has been dropped with its loop.
    """
    if token.startswith(_process(os.getpid()) + "/"):
        stand = _stands.get(token)
        return stand is None or stand.is_lost
    host, _, rest = token.partition("/")
    pid, _, _ = rest.partition("-")
    return host == _host() and pid.isdecimal() and not token.startswith(_living(int(pid)) + "/")


@lru_cache(maxsize=1)
def _process(pid: int) -> str:
    """Return this process's name; asked with its id, since a forked child is another process."""
    return _living(pid)


def _living(pid: int) -> str:
    """Return the name of the process that has this id now; the start time tells reused ids."""
    return f"{_host()}/{pid}-{_start_time(pid)}"


def _start_time(pid: int) -> str:
    try:
        # The name of the program, in brackets, may hold anything. Behind it come the state, in
        # which a zombie has ended though nobody has asked after it yet, and as 20th the start.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "none" if fields[0] in {"Z", "X"} else fields[19]
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "none"
    except OSError:
        pass
    return "some"  # no /proc here: the id alone has to do


@lru_cache(maxsize=1)
def _host() -> str:
    """Return the name of what shares process ids: this boot of this machine, or a container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node() or "localhost"
