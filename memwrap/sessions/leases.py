"""The name of a lease's holder: it tells whether the holder's process still lives."""

from __future__ import annotations

import itertools
import os
import platform
from functools import lru_cache
from pathlib import Path

__all__ = ["is_dead", "new_token"]


_numbers = itertools.count()


def new_token() -> str:
    """Return a name for a turn that no other turn has, with this process in it."""
    return f"{_process(os.getpid())}/{next(_numbers)}"


def is_dead(token: str) -> bool:
    """Tell whether the process of *token* ran on this machine and has ended."""
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
