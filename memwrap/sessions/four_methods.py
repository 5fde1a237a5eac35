"""The turns of a session that has the four methods only.

What has to be known of a turn is kept as a note in its first item, under
``provider_data.memwrap``: the four methods have no other place for it.
"""

from __future__ import annotations

import asyncio
import dis
import inspect
from collections.abc import Awaitable, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, cast

from memwrap.codec import copy_items, copy_known
from memwrap.exceptions import ConversionError, MemwrapError, StoreError
from memwrap.items import marked, marks_of, split_turns
from memwrap.sessions.base import Promises, Session, promises
from memwrap.sessions.turns import OpenTurn, StoredTurn, TurnRecord, TurnSession
from memwrap.types import Item

__all__ = ["FourMethodTurns", "maybe", "shielded", "turns_of"]


def turns_of(session: Session) -> TurnSession:
    """Return what runs the turns of *session*: itself, if it can."""
    known = promises(session)
    return cast("TurnSession", session) if known.turns else FourMethodTurns(session, known)


class FourMethodTurns:
    """One turn of a session that has the four methods only."""

    def __init__(self, session: Session, known: Promises) -> None:
        self._session = session
        self._known = known
        self._history: list[Item] = []

    async def begin_turn(self, token: str, *, lease: float | None) -> OpenTurn:
        """Load the history."""
        history = await self._load()
        self._history = copy_known(history)  # the agent may change what it is shown
        return OpenTurn(history, None, token, lease)

    async def find_turn(self, turn_id: str) -> StoredTurn | None:
        """Return the turn of that id, if the loaded history has it whole."""
        for index, item in enumerate(self._history):
            marks = marks_of(item)
            if marks.get("turn") == turn_id:
                items = self._history[index : index + marks["items"]]
                if len(items) == marks["items"]:
                    new_items = copy_items(items[marks["inputs"] :])
                    return StoredTurn(marks["input"], marks["shape"], new_items)
        return None

    async def renew_turn(self, turn: OpenTurn) -> None:
        """Do nothing: there is no lease."""

    async def commit_turn(self, turn: OpenTurn, items: list[Item], record: TurnRecord) -> bool:
        """Append the items; when that fails, look whether it happened all the same."""
        if record.turn_id is not None:
            first = marked(
                items[0],
                turn=record.turn_id,
                input=record.fingerprint,
                shape=record.shape,
                items=len(items),
                inputs=record.inputs,
            )
            items = [first, *items[1:]]
        if turn.attempted:
            items = items[_added(await self._load(), self._history, items) :]
            if not items:
                return True
        turn.attempted = True
        append = self._session.add_items
        work: Any = append(copy_items(items))
        if hasattr(work, "__await__"):
            if self._known.settles or _never_waits(append):
                await work
            else:
                await shielded(work)
        return True

    async def release_turn(self, turn: OpenTurn) -> None:
        """Do nothing: there is no lease."""

    async def undo_turns(self, turns: int) -> list[list[Item]]:
        """Pop the items of the newest turns, told by the items' structure."""
        undone = split_turns(await self._load())[-turns:]
        for expected in reversed([item for turn in undone for item in turn]):
            popped = await maybe(self._session.pop_item())
            if popped != expected:
                if popped is not None:
                    await maybe(self._session.add_items([popped]))
                raise StoreError(
                    f"session {self._session.session_id!r}: somebody else changed it during the"
                    " undo, which stopped there"
                )
        return undone

    async def _load(self) -> list[Item]:
        name = f"session {self._session.session_id!r}"
        try:
            history: Any = self._session.get_items()
            if hasattr(history, "__await__"):
                history = await history
        except MemwrapError:
            raise
        except Exception as exc:
            raise StoreError(
                f"{name}: the history could not be loaded ({type(exc).__name__})"
            ) from exc
        try:
            # A copy: it may be what the session keeps.
            return history if self._known.isolated else copy_items(history)
        except ConversionError as exc:
            raise StoreError(f"{name}: get_items() returned no list of items: {exc}") from exc


def _added(now: Sequence[Item], before: Sequence[Item], items: Sequence[Item]) -> int:
    """Return how many of *items* were appended after *before* was read, whoever else wrote since.

    A session may append one by one, and fail in between: then the last of them are missing.
    """
    count = len(items)
    if now[: len(before)] == before:  # else a limit moved the window, and only its end is new
        now = now[len(before) :]
        if any(now[place : place + count] == items for place in range(len(now) - count + 1)):
            return count
    return next((some for some in range(count, 0, -1) if now[-some:] == items[:some]), 0)


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


async def maybe(result: Any) -> Any:
    """Await *result* if it has to be: a session's methods may be plain functions."""
    return await result if hasattr(result, "__await__") else result


async def shielded(work: Awaitable[Any]) -> None:
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
