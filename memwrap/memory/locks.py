"""One turn at a time for each session, within this process.

The table of locked keys is process-wide, because two objects may stand for one session, and turns
may run on several event loops and in several threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Hashable

from memwrap.exceptions import SessionBusy
from memwrap.forks import in_child

__all__ = ["acquire", "release", "try_acquire"]


class _Waiter:
    __slots__ = ("future", "granted", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.granted = False

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


# Reentrant, because the collector may drop a waiting turn while this very thread holds it.
_guard = threading.RLock()
_held: dict[Hashable, deque[_Waiter]] = {}


def try_acquire(key: Hashable) -> bool:
    """Take *key* if it is free."""
    with _guard:
        if key in _held:
            return False
        _held[key] = deque()
        return True


async def acquire(key: Hashable, seconds: float, session_id: str) -> None:
    """Wait for *key*: first come, first served.

    Args:
        key: What is locked.
        seconds: How long to wait at most; 0 not at all.
        session_id: The session, as the error names it.

    Raises:
        SessionBusy: The time is over.
    """
    with _guard:
        if try_acquire(key):
            return
        queue = _held[key]
        if seconds <= 0:
            raise SessionBusy(f"session {session_id!r}: another turn has it")
        waiter = _Waiter()
        queue.append(waiter)
    try:
        async with asyncio.timeout(seconds):
            await waiter.future
    except TimeoutError:
        if not _withdraw(key, waiter):
            return  # the key was granted in the last moment
        raise SessionBusy(
            f"session {session_id!r}: another turn has kept it for more than {seconds:g} s"
        ) from None
    except BaseException:
        if not _withdraw(key, waiter):
            release(key)
        raise


def release(key: Hashable) -> None:
    """Hand *key* to whoever waits longest, or free it."""
    with _guard:
        queue = _held[key]
        while queue:
            # A waiter whose loop has stopped comes after all others: its turn cannot go on.
            waiter = next((w for w in queue if w.loop.is_running()), queue[0])
            queue.remove(waiter)
            waiter.granted = True
            try:
                waiter.loop.call_soon_threadsafe(waiter.wake)
            except RuntimeError:  # that loop is closed
                waiter.granted = False
                continue
            return
        del _held[key]


def _withdraw(key: Hashable, waiter: _Waiter) -> bool:
    """Stop waiting; return False if the key has been granted already."""
    with _guard:
        if waiter.granted:
            return False
        queue = _held.get(key)
        if queue and waiter in queue:  # `release` has removed it if its loop is closed
            queue.remove(waiter)
        return True


@in_child
def _forget() -> None:
    """Clear the table in a forked child, where the turns of the parent do not run."""
    global _guard  # noqa: PLW0603
    _guard = threading.RLock()
    _held.clear()
