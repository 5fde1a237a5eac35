"""Turns as sessions see them: begun, committed whole, found again by their ids, undone.

Sessions that can, offer it as `TurnSession`. For all others `FourMethodTurns` does what the four
methods allow, and keeps what it has to know in the items themselves, under
``provider_data.memwrap`` of a turn's first item.
"""

from __future__ import annotations

import asyncio
import dis
import inspect
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple, Protocol, cast

from memwrap.codec import copy_items, copy_known
from memwrap.exceptions import ConversionError, MemwrapError, StoreError
from memwrap.hidden.data import marked, marks_of
from memwrap.items import Item, split_turns, turn_starts
from memwrap.sessions.base import Promises, Session, promises

__all__ = ["OpenTurn", "StoredTurn", "TurnRecord", "TurnSession", "turns_of"]


@dataclass(slots=True)
class StoredTurn:
    """A turn that is stored under its id.

    Attributes:
        fingerprint: Tells its input from others.
        shape: What kind of answer the caller got.
        new_items: What the agent added.
    """

    fingerprint: str
    shape: str
    new_items: list[Item]


@dataclass(slots=True)
class OpenTurn:
    """A turn that has begun.

    Attributes:
        history: The items of the session.
        head: What an append that no lease covers is conditioned on, since every append changes
            it; None for an append without condition.
        token: Names the holder of the lease, and the turn once it is stored.
        lease: Seconds after which others may take the session over; None for no lease.
        lease_token: The holder of the lease that covers the turn, itself or the turn around it;
            None without a lease, and when it has been given back.
        attempted: Whether a commit has been tried, which may have happened though it failed.
    """

    history: list[Item]
    head: int | None
    token: str
    lease: float | None
    lease_token: str | None = None
    attempted: bool = False


class TurnRecord(NamedTuple):
    """What is stored beside the items of a turn.

    Attributes:
        turn_id: The caller's name for the turn, or None.
        fingerprint: Tells its input from others; with an id only.
        shape: What kind of answer the caller got.
        inputs: How many of the items are input.
    """

    turn_id: str | None = None
    fingerprint: str = ""
    shape: str = ""
    inputs: int = 0


class TurnSession(Protocol):
    """What a session may offer besides its four methods: turns that are safe between processes.

    A class says so with ``promises.turns``. Without these methods the four of `Session` are used,
    and turns are safe within one process.
    """

    async def begin_turn(self, token: str, *, lease: float | None) -> OpenTurn | None:
        """Take the lease and load the history.

        Args:
            token: The holder's name, unlike any other.
            lease: Seconds, by the store's clock; None takes no lease.

        Returns:
            None if another holder has a lease that has not ended.
        """
        ...

    async def find_turn(self, turn_id: str) -> StoredTurn | None:
        """Return the stored turn of that id."""
        ...

    async def renew_turn(self, turn: OpenTurn) -> None:
        """Let the lease begin anew, unless somebody else has it."""
        ...

    async def commit_turn(self, turn: OpenTurn, items: list[Item], record: TurnRecord) -> bool:
        """Append the items with their record and give the lease back, all or nothing.

        Doing it again for a turn that is stored changes nothing.

        Returns:
            Whether the turn is stored; False when the lease has been lost or, without a lease,
            the history has changed.
        """
        ...

    async def release_turn(self, turn: OpenTurn) -> None:
        """Give the lease back without storing anything."""
        ...

    async def undo_turns(self, turns: int) -> list[list[Item]]:
        """Remove the newest turns and return them, oldest first."""
        ...


def recorded_turns(
    items: dict[int, Item], ranges: Sequence[tuple[int, int]]
) -> list[dict[int, Item]]:
    """Split items, by place, into turns: those recorded as ranges, and between them by structure.

    What comes before the first turn belongs to none.
    """
    starts = {first for first, last in ranges if first in items and last in items}
    covered = {
        place for first, last in ranges if first in starts for place in range(first, last + 1)
    }
    loose = [place for place in items if place not in covered]
    starts |= {loose[index] for index in turn_starts([items[place] for place in loose])}
    turns: list[dict[int, Item]] = []
    for place, item in items.items():
        if place in starts:
            turns.append({})
        if turns:
            turns[-1][place] = item
    return turns


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
