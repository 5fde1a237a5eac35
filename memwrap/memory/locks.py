"""One turn at a time for each session, within this process.

The table of locked keys is process-wide, because two objects may stand for one session, and turns
may run on several event loops and in several threads. A loop may be closed, or stand still for
good, under a turn that holds a key: then whoever comes takes the key over.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Hashable

from memwrap.exceptions import SessionBusy
from memwrap.forks import in_child
from memwrap.sessions.leases import Stand
from memwrap.turn import Turn

__all__ = ["Hold", "acquire", "release", "try_acquire"]

_LOOK_PAUSE = 0.1  # seconds between two looks of a waiter whether the holder's loop is lost


class _Waiter:
    __slots__ = ("future", "hold", "stand")

    def __init__(self) -> None:
        self.stand = Stand()
        self.future: asyncio.Future[None] = self.stand.loop.create_future()
        self.hold: Hold | None = None  # when the key has been granted

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Hold(Stand):
    """A key that is held where the holder runs, and who waits for it.

    Attributes:
        key: What is locked.
        queue: Who waits; None as long as nobody has.
        turn: The turn that holds the key; None for what is no turn.
    """

    __slots__ = ("key", "queue", "turn")

    def __init__(self, key: Hashable, at: Stand | None = None) -> None:
        if at is None:
            self.loop = asyncio.get_running_loop()
            self.thread = threading.get_ident()
        else:
            self.loop, self.thread = at.loop, at.thread
        self.key = key
        self.queue: deque[_Waiter] | None = None
        self.turn: Turn | None = None


# Reentrant, because the collector may drop a waiting turn while this very thread holds it.
_guard = threading.RLock()
_held: dict[Hashable, Hold] = {}


def try_acquire(key: Hashable) -> Hold | None:
    """Take *key* if it is free, or nobody can give it back any more."""
    with _guard:
        before = _held.get(key)
        if before is not None and (before.queue or not before.is_lost):
            return None
        hold = _held[key] = Hold(key)
        return hold


async def acquire(key: Hashable, seconds: float, session_id: str) -> Hold:
    """Wait for *key*: first come, first served.

    Args:
        key: What is locked.
        seconds: How long to wait at most; 0 not at all.
        session_id: The session, as the error names it.

    Raises:
        SessionBusy: The time is over.
    """
    with _guard:
        if (hold := try_acquire(key)) is not None:
            return hold
        if seconds <= 0:
            raise SessionBusy(f"session {session_id!r}: another turn has it{_reason(key)}")
        waiter = _Waiter()
        hold = _held[key]
        if hold.queue is None:
            hold.queue = deque()
        hold.queue.append(waiter)
    try:
        async with asyncio.timeout(seconds):
            while not waiter.future.done():
                _take_over(key)
                await asyncio.wait({waiter.future}, timeout=_LOOK_PAUSE)
    except TimeoutError:
        if not _withdraw(key, waiter):
            assert waiter.hold is not None  # noqa: S101
            return waiter.hold  # the key was granted in the last moment
        raise SessionBusy(
            f"session {session_id!r}: another turn has kept it for more than {seconds:g} s"
            f"{_reason(key)}"
        ) from None
    except BaseException:
        if not _withdraw(key, waiter):
            assert waiter.hold is not None  # noqa: S101
            release(waiter.hold)
        raise
    assert waiter.hold is not None  # noqa: S101
    return waiter.hold


def _reason(key: Hashable) -> str:
    """Return why a key is still held, if it is by a stream whose reader has gone."""
    hold = _held.get(key)
    turn = None if hold is None else hold.turn
    if turn is None or not turn.run.is_unread:
        return ""
    name = getattr(turn.run.agent, "__qualname__", None) or type(turn.run.agent).__qualname__
    return (
        f": the stream of {name} waits to be read on. Read it to its end, or close it:"
        " `async with contextlib.aclosing(agent(...)) as stream:`"
    )


def release(held: Hold | Hashable) -> None:
    """Hand a key to whoever waits longest, or free it.

    Args:
        held: The hold. It does nothing if somebody has taken the key over. Or the key: then the
            caller is taken for the holder if it runs where the holder does.
    """
    with _guard:
        hold = held if type(held) is Hold else _here(held)
        if hold is not None and _held.get(hold.key) is hold:
            if hold.queue:
                _hand_on(hold)
            else:
                del _held[hold.key]


def _here(key: Hashable) -> Hold | None:
    """Return the hold of *key*, unless it is that of somebody on another event loop."""
    hold = _held.get(key)
    return hold if hold is None or hold.is_here or not hold.loop.is_running() else None


def _take_over(key: Hashable) -> None:
    """Hand *key* on if its holder's event loop is lost."""
    with _guard:
        hold = _held.get(key)
        if hold is not None and hold.is_lost:
            _hand_on(hold)


def _hand_on(hold: Hold) -> None:
    key, queue = hold.key, hold.queue
    while queue:
        # A waiter whose loop has stopped comes after all others: its turn cannot go on.
        waiter = next((w for w in queue if w.stand.loop.is_running()), queue[0])
        queue.remove(waiter)
        waiter.hold = Hold(key, waiter.stand)
        waiter.hold.queue = queue
        try:
            waiter.stand.loop.call_soon_threadsafe(waiter.wake)
        except RuntimeError:  # that loop is closed
            waiter.hold = None
            continue
        _held[key] = waiter.hold
        return
    del _held[key]


def _withdraw(key: Hashable, waiter: _Waiter) -> bool:
    """Stop waiting; return False if the key has been granted already."""
    with _guard:
        if waiter.hold is not None:
            return False
        hold = _held.get(key)
        if (
            hold is not None and hold.queue and waiter in hold.queue
        ):  # else its loop was found closed
            hold.queue.remove(waiter)
        return True


@in_child
def _forget() -> None:
    """Clear the table in a forked child, where the turns of the parent do not run."""
    global _guard  # noqa: PLW0603
    _guard = threading.RLock()
    _held.clear()
