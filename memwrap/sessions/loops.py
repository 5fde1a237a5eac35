"""What is open on an event loop: found by key and loop, and closed when nobody else does.

This is the one state of the process: connections are shared by all sessions that have the same
place, on one event loop. A back end makes one resource for a key and a loop, and keeps it here.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import warnings
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from typing import Protocol, TypeAlias

from memwrap.forks import in_child
from memwrap.sessions.leases import Stand

__all__ = [
    "EXIT_SECONDS",
    "Resource",
    "find",
    "forget",
    "inherited",
    "is_shut_down",
    "note_shut_down",
    "remember",
    "resources",
    "until_the_loop_ends",
]


class Resource(Protocol):
    """What is registered: connections to one place, on one event loop.

    Attributes:
        name: Names the place and the way it is used; begins with the kind of store.
        loop: The event loop that the connections belong to.
        stand: Where it was made; tells whether that loop still runs.
    """

    name: Hashable
    loop: asyncio.AbstractEventLoop
    stand: Stand

    @property
    def rests(self) -> bool:
        """Whether nothing is under way, and it may be closed; it opens again when it is used."""
        ...

    def stop(self) -> None:
        """Close without the event loop, which has ended; called in any thread."""
        ...

    def abandon(self) -> None:
        """Let go of connections that belong to another process, and leave them open."""
        ...


_Key: TypeAlias = tuple[Hashable, asyncio.AbstractEventLoop]

EXIT_SECONDS = 5.0
"""How long the end of the interpreter waits for the connections to close."""

inherited: list[object] = []
"""Connections of the process that this one was forked from; even to close them would harm it."""

# Loops after `shutdown_asyncgens()` that are still used, as some runners use one. An async
# generator started there would warn, so what is opened on them closes with the loop or the
# interpreter instead.
_shut_down: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()

# Loops whose resources were closed while they stood still, and those that have gone on since.
_rested: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
_returned: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()

_resources: dict[_Key, Resource] = {}
_guard = threading.Lock()


def find(key: Hashable, loop: asyncio.AbstractEventLoop | None = None) -> Resource | None:
    """Return the resource of that key on *loop*, which is the running one if it is not named."""
    return _resources.get((key, loop or asyncio.get_running_loop()))


def remember(resource: Resource) -> Resource:
    """Keep *resource* for all who look for one like it, unless there is another by now.

    Returns:
        The one that is kept.
    """
    with _guard:
        _close_orphans()
        return _resources.setdefault((resource.name, resource.loop), resource)


def forget(resource: Resource) -> None:
    """Let the next who looks for such a resource make a new one."""
    key = resource.name, resource.loop
    with _guard:
        if _resources.get(key) is resource:
            del _resources[key]


def resources() -> list[Resource]:
    """Return all that are open in this process, on every event loop."""
    return list(_resources.values())


def is_shut_down(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether the loop has closed its generators already, and is used all the same."""
    return loop in _shut_down


def note_shut_down(loop: asyncio.AbstractEventLoop) -> None:
    """Note that the loop closes its generators."""
    _shut_down.add(loop)


async def until_the_loop_ends(close: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    """Await *close* when the running event loop ends, which closes its asynchronous generators.

    The caller keeps the generator, and starts it with ``anext``, on a loop that is not
    `is_shut_down`.
    """
    try:
        yield
    finally:
        await close()


def _close_orphans() -> None:
    """Close what belongs to event loops that were closed without being shut down, or dropped.

    Nobody tells of a loop that is dropped. One that stands still and goes on after all finds its
    resources closed once, and opens them again.
    """
    resting = set()
    for key, resource in list(_resources.items()):
        loop = resource.loop
        if not loop.is_closed():
            if loop in _rested and loop not in resting:
                _returned.add(loop)
            if loop in _returned or not resource.stand.is_lost or not resource.rests:
                continue
            resting.add(loop)
            _rested.add(loop)
        del _resources[key]
        threading.Thread(target=resource.stop, daemon=True).start()


@atexit.register
def _close_all() -> None:
    def stop() -> None:
        for resource in resources():
            resource.stop()

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
    for resource in _resources.values():
        resource.abandon()
    _resources.clear()
