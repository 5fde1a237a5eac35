"""The engines that are open: found by file and event loop, and closed when nobody else does.

This is the one state of the process: an engine is shared by all sessions on its file and loop.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import warnings
import weakref
from typing import Protocol, TypeAlias

from memwrap.forks import in_child
from memwrap.sessions.leases import Stand
from memwrap.sessions.sqlite.connection import Durability
from memwrap.sessions.sqlite.schema import Tables

__all__ = [
    "EXIT_SECONDS",
    "Engine",
    "find",
    "forget",
    "inherited",
    "leave_logs",
    "remember",
    "shut_down",
]


class Engine(Protocol):
    """What is registered: connections to one file, on one event loop."""

    path: str
    tables: Tables
    durability: Durability
    loop: asyncio.AbstractEventLoop
    stand: Stand

    @property
    def rests(self) -> bool:
        """Whether nothing is under way, and it may be closed; it opens again when it is used."""
        ...

    def stop(self) -> None:
        """Close without the event loop, which has ended."""
        ...

    def leave_log(self) -> None:
        """Remove the log beside the file if it belongs to one that was there before."""
        ...

    def abandon(self) -> None:
        """Let go of connections that belong to another process, and leave them open."""
        ...


Key: TypeAlias = tuple[str, Tables, Durability, asyncio.AbstractEventLoop]

EXIT_SECONDS = 5.0
"""How long the end of the interpreter waits for the connections to close."""

shut_down: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
"""Loops after `shutdown_asyncgens()` that are still used, as some runners use one.

An async generator started there would warn, so engines on them close with the loop or the
interpreter instead."""

inherited: list[object] = []
"""Connections of the process that this one was forked from; even to close them would harm it."""

# Loops whose engines were closed while they stood still, and those that have gone on since.
_rested: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
_returned: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()

_engines: dict[Key, Engine] = {}
_guard = threading.Lock()


def find(key: Key) -> Engine | None:
    """Return the engine of this path, these tables, this durability and this loop."""
    return _engines.get(key)


def remember(engine: Engine) -> Engine:
    """Keep *engine* for all who look for one like it, unless there is another by now."""
    with _guard:
        _close_orphans()
        return _engines.setdefault(_key(engine), engine)


def forget(engine: Engine) -> None:
    """Let the next who looks for such an engine make a new one."""
    with _guard:
        if _engines.get(_key(engine)) is engine:
            del _engines[_key(engine)]


def leave_logs(path: str) -> None:
    """Remove a log at *path* that belongs to a file which was there before.

    An engine of another event loop may have it open, and find out later.
    """
    for engine in [engine for engine in list(_engines.values()) if engine.path == path]:
        engine.leave_log()


def _key(engine: Engine) -> Key:
    return engine.path, engine.tables, engine.durability, engine.loop


def _close_orphans() -> None:
    """Close the engines whose event loop was closed without being shut down, or dropped.

    Nobody tells of a loop that is dropped. One that stands still and goes on after all finds its
    files closed once, and opens them again.
    """
    resting = set()
    for key, engine in list(_engines.items()):
        loop = engine.loop
        if not loop.is_closed():
            if loop in _rested and loop not in resting:
                _returned.add(loop)
            if loop in _returned or not engine.stand.is_lost or not engine.rests:
                continue
            resting.add(loop)
            _rested.add(loop)
        del _engines[key]
        threading.Thread(target=engine.stop, daemon=True).start()


@atexit.register
def _close_all() -> None:
    def stop() -> None:
        for engine in list(_engines.values()):
            engine.stop()

    # In a thread of its own the driver does not go looking for an event loop.
    stopper = threading.Thread(target=stop, daemon=True)
    try:
        stopper.start()
    except RuntimeError:  # Python 3.12 before 3.12.2 begins no thread any more
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            stop()
    else:
        stopper.join(EXIT_SECONDS)


@in_child
def _after_fork() -> None:
    """Let the child open its own: connections must not cross a fork."""
    global _guard  # noqa: PLW0603
    _guard = threading.Lock()
    for engine in _engines.values():
        engine.abandon()
    _engines.clear()
