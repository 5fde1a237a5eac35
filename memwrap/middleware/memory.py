"""Load the history before the agent runs, store the turn after it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Hashable
from typing import Any

from memwrap.codec import copy_items
from memwrap.exceptions import ConversionError, MemwrapError, StoreError, TurnNotSaved
from memwrap.locks import acquire, release
from memwrap.sessions.base import Promises, Session, identity, promises
from memwrap.turn import Turn
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
        loaded = await _load(session)
        turn.history = loaded if known.isolated else _checked(loaded, session)

        async def collect(event: Event) -> None:
            turn.events.append(event)
            await send(event)

        await handler(turn, collect)
        turn.new_items = turn.collect()
        items = [*turn.input, *turn.new_items]
        for change in turn.before_save:
            items = change(items)
        if items:
            await _Commit(turn, session, known, copy_items(items)).run()


class _Commit:
    """The append of one turn."""

    def __init__(self, turn: Turn, session: Session, known: Promises, items: list[Item]) -> None:
        self.turn = turn
        self.session = session
        self.settles = known.settles
        self.items = items
        self.before = len(turn.history)
        self.saved = False

    async def run(self) -> None:
        try:
            if self.settles:
                await self._append()
            else:
                await _shielded(self._append())
        except Exception as exc:
            sent = [event for event in self.turn.events if not isinstance(event, list)]
            result = sent if self.turn.streaming else next(iter(sent), None)
            raise TurnNotSaved(
                f"session {self.session.session_id!r}: the agent answered, but the turn could not"
                f" be stored ({type(exc).__name__}); the error has the answer as .result, and"
                " `await error.retry()` stores the turn",
                result=result,
                items=self.items,
                retry=self.retry,
            ) from exc

    async def _append(self) -> None:
        await _maybe(self.session.add_items(self.items))
        self.saved = True

    async def retry(self) -> None:
        if self.saved:
            return
        await self._append()


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
        history: list[Item] = await _maybe(session.get_items())
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
    return await result if inspect.isawaitable(result) else result


async def _shielded(work: Awaitable[None]) -> None:
    """Await *work* to its end even if cancelled, and be cancelled then."""
    task = asyncio.ensure_future(work)
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
