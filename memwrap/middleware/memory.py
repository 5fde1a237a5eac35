"""Load the history before the agent runs, store the turn after it."""

from __future__ import annotations

import asyncio
import dis
import inspect
from collections.abc import Coroutine, Hashable
from functools import lru_cache
from types import CodeType
from typing import Any

from memwrap.codec import copy_items
from memwrap.exceptions import ConversionError, MemwrapError, StoreError, TurnNotSaved
from memwrap.locks import acquire, release
from memwrap.sessions.base import Promises, Session, identity, promises
from memwrap.turn import Recorded, Turn
from memwrap.types import Event, Handler, Item, Send

__all__ = ["Memory"]

BUSY_TIMEOUT = 30.0
"""Seconds that a turn waits for the one before it on the same session."""


class Memory:
    """The layer that remembers.

    It takes the session's turn (first come, first served), loads the history, and lets the inner
    layers and the agent run. Only when they have ended well does it store input and new items, in
    one append, before the caller gets the result or the end of the stream. Otherwise nothing is
    stored, and what went wrong reaches the caller unchanged.

    `with_session` puts one around the other layers unless they hold one already.
    """

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn with memory; without a session run it as it is.

        Raises:
            SessionBusy: The turn before it did not end in time.
            StoreError: The history could not be loaded; the agent was not called.
            TurnNotSaved: The agent answered, but the turn could not be stored.
        """
        if turn.session is None:
            await handler(turn, send)
            return
        key = _lock_key(turn)
        await acquire(key, BUSY_TIMEOUT, f"session {turn.session_id!r}")
        turn.running = True
        try:
            await self._run(turn, turn.session, send, handler)
        finally:
            turn.running = False
            release(key)

    async def _run(self, turn: Turn, session: Session, send: Send, handler: Handler) -> None:
        known = promises(session)
        history = await _load(session)
        turn.history = history if known.isolated else _checked(history, session)

        async def collect(event: Event) -> None:
            turn.events.append(event)
            await send(event)

        await handler(turn, collect)
        turn.new_items = turn.collect()
        items = [*turn.input, *turn.new_items]
        for change in turn.before_save:
            items = change(items)
        if not known.isolated:
            items = copy_items(items)
        if items:
            await self._save(turn, session, known, items)

    async def _save(self, turn: Turn, session: Session, known: Promises, items: list[Item]) -> None:
        try:
            if known.settles or _never_waits(session.add_items):
                await _maybe(session.add_items(items))
            else:
                await _shielded(_maybe(session.add_items(items)))
        except ConversionError:
            raise  # the agent gave what no store can keep
        except Exception as exc:
            raise _not_saved(turn, session, items, exc) from exc


def _not_saved(turn: Turn, session: Session, items: list[Item], error: Exception) -> TurnNotSaved:
    sent = [event for event in turn.events if not isinstance(event, Recorded)]
    saved = False

    async def retry() -> None:
        nonlocal saved
        if not saved:
            await _maybe(session.add_items(copy_items(items)))
            saved = True

    return TurnNotSaved(
        f"session {session.session_id!r}: the agent answered, but the turn could not be stored"
        f" ({type(error).__name__}); the error has the answer as .result, and"
        " `await error.retry()` stores the turn",
        result=sent if turn.streaming else next(iter(sent), None),
        items=items,
        retry=retry,
    )


def _never_waits(function: Any) -> bool:
    """Tell whether an async function has no ``await``: then nothing can interrupt it.

    The task that protects a commit from cancellation costs more than the rest of a turn.
    """
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and _has_no_await(code)


@lru_cache(maxsize=256)
def _has_no_await(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_COROUTINE) and not any(
        step.opname == "SEND" for step in dis.get_instructions(code)
    )


def _lock_key(turn: Turn) -> Hashable:
    """Return what the turn locks: its session, or its place in a turn that holds the session.

    A turn inside another one on the same session would wait for itself otherwise. Turns side by
    side in one outer turn still wait for each other.
    """
    session = identity(turn.session)
    outer = turn.parent
    while outer is not None:
        if outer.running and outer.session is not None and identity(outer.session) == session:
            return (session, outer)
        outer = outer.parent
    return session


async def _load(session: Session) -> list[Item]:
    try:
        loaded: Any = session.get_items()
        history: list[Item] = await loaded if hasattr(loaded, "__await__") else loaded
    except MemwrapError:
        raise
    except Exception as exc:
        raise StoreError(
            f"session {session.session_id!r}: the history could not be loaded"
            f" ({type(exc).__name__}); the agent was not called"
        ) from exc
    return history


def _checked(history: Any, session: Session) -> list[Item]:
    """Return a copy of what a foreign session handed out, which may be what it keeps."""
    try:
        return copy_items(history)
    except ConversionError as exc:
        raise StoreError(
            f"session {session.session_id!r}: get_items() returned no list of items: {exc}"
        ) from exc


async def _maybe(result: Any) -> Any:
    """Await *result* if it has to be: a session's methods may be plain functions."""
    return await result if hasattr(result, "__await__") else result


async def _shielded(work: Coroutine[Any, Any, None]) -> None:
    """Await *work* to its end even if cancelled, and be cancelled then."""
    task = asyncio.create_task(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancellation = exc
    if cancellation is not None:
        task.exception()  # seen: the cancellation is what the caller gets
        raise cancellation
    task.result()
