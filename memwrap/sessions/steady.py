"""A back end around one that may lose answers: it tries again, and ends what it has begun."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from memwrap.exceptions import Lost, StoreError
from memwrap.sessions.backend import LINGER_SECONDS, Backend, Claim, Held, RecordedRows, Rows
from memwrap.sessions.backend import RowWindow as Window
from memwrap.sessions.base import Durability, Promises
from memwrap.sessions.leases import new_token
from memwrap.sessions.records import (
    Changes,
    Erased,
    Exported,
    Forked,
    Found,
    MovedTurn,
    SearchQuery,
    SessionQuery,
    SessionRow,
    TurnRow,
)
from memwrap.sessions.turns import OpenTurn, TurnRecord
from memwrap.settle import settle

__all__ = ["SteadyBackend"]

T = TypeVar("T")

_SECONDS = 1.0  # for so long it is tried again
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25


class SteadyBackend:
    """A back end whose reads, appends and turns are tried again when an answer was lost.

    What was done all the same is not done twice: appends and turns have tokens by which the back
    end inside knows them. A write that is cancelled has been done, or not, when the cancellation
    is raised.

    Args:
        inside: The back end. It raises `Lost` for what may have been done.
    """

    def __init__(self, inside: Backend) -> None:
        self._inside = inside

    @property
    def promises(self) -> Promises:
        """What the back end inside holds to."""
        return self._inside.promises

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return self._inside.identity(session_id)

    def place(self, session_id: str) -> str:
        """Name the session for an error."""
        return self._inside.place(session_id)

    async def setup(self) -> None:
        """Make what the rows lie in, or check it."""
        await _repeated(lambda _: self._inside.setup())

    async def durability(self) -> Durability:
        """Return what acknowledged rows survive."""
        return await _repeated(lambda _: self._inside.durability())

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Free what is held open."""
        await self._inside.close(linger)

    async def key(self) -> bytes:
        """Return the store's secret."""
        return await _repeated(lambda _: self._inside.key())

    # What reads.

    async def get(
        self, session_id: str, limit: int | None, *, joined: bool, before: int | None = None
    ) -> Rows:
        """Return the newest rows."""
        return await _repeated(
            lambda _: self._inside.get(session_id, limit, joined=joined, before=before)
        )

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the newest recorded turn of that id."""
        return await _repeated(lambda _: self._inside.find(session_id, turn_id))

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the newest row, if one does."""
        return await _repeated(lambda _: self._inside.newest(session_id))

    async def ranges(self, session_id: str, first: int = 0) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn."""
        return await _repeated(lambda _: self._inside.ranges(session_id, first))

    async def turns(
        self, session_id: str, limit: int | None, before: int | None = None
    ) -> list[TurnRow]:
        """Return the newest recorded turns."""
        return await _repeated(lambda _: self._inside.turns(session_id, limit, before))

    async def sessions(self, query: SessionQuery) -> list[SessionRow]:
        """List sessions."""
        return await _repeated(lambda _: self._inside.sessions(query))

    async def search(self, query: SearchQuery) -> list[Found]:
        """Return the rows that hold all terms."""
        return await _repeated(lambda _: self._inside.search(query))

    async def export(self, session_id: str, after: int, limit: int) -> Exported:
        """Return rows for another store."""
        return await _repeated(lambda _: self._inside.export(session_id, after, limit))

    # What writes, and may be done again.

    async def add(
        self, session_id: str, rows: Sequence[bytes], token: str = "", *, again: bool = False
    ) -> None:
        """Append rows, once."""
        name = token or new_token()
        await _ended(
            lambda repeated: self._inside.add(session_id, rows, name, again=again or repeated)
        )

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append rows with their record, once."""
        return await _ended(
            lambda again: self._inside.commit(
                session_id, rows, record, claim._replace(again=claim.again or again)
            )
        )

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        window: Window,
        dead: str | None = None,
    ) -> Rows | Held:
        """Take a lease and return the rows of the window."""
        try:
            return await _ended(
                lambda _: self._inside.begin(session_id, token, lease, window, dead)
            )
        except (asyncio.CancelledError, Lost):
            if lease is not None:  # which may have been taken
                with suppress(StoreError):
                    await self.release(session_id, token)
            raise

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Let the lease begin anew."""
        await _ended(lambda _: self._inside.renew(session_id, token, lease))

    async def release(self, session_id: str, token: str, life: Any = None) -> None:
        """Give the lease back."""
        await _ended(lambda _: self._inside.release(session_id, token, life))

    async def clear(self, session_id: str, own: Sequence[OpenTurn] = ()) -> None:
        """Remove all rows and turns of the session."""
        await _ended(lambda _: self._inside.clear(session_id, own))

    async def update(self, session_id: str, changes: Changes) -> None:
        """Change what is known of a session."""
        await _ended(lambda _: self._inside.update(session_id, changes))

    async def fork(self, session_id: str, new_id: str, at: int | str | None) -> Forked:
        """Make a session of the rows and turns of another."""
        return await _ended(lambda _: self._inside.fork(session_id, new_id, at))

    async def purge(self, older_than: float | None, limit: int, *, count_only: bool = False) -> int:
        """Remove sessions that have expired."""
        return await _ended(lambda _: self._inside.purge(older_than, limit, count_only=count_only))

    # What writes, and is done once: a second time it would do something else, or tell less.

    async def pop(
        self, session_id: str, readable: Callable[[bytes], bool], own: Sequence[OpenTurn] = ()
    ) -> tuple[int, bytes] | None:
        """Remove the newest row, unless it is not readable."""
        return await _settled(self._inside.pop(session_id, readable, own))

    async def cut(self, session_id: str, first: int, last: int, count: int | None) -> bool:
        """Remove a range of rows."""
        return await _settled(self._inside.cut(session_id, first, last, count))

    async def erase(self, session_id: str) -> Erased | None:
        """Remove all that there is of a session."""
        return await _settled(self._inside.erase(session_id))

    async def insert(
        self,
        session_id: str,
        place: int,
        rows: Sequence[bytes],
        turns: Sequence[MovedTurn],
        about: SessionRow,
    ) -> bool:
        """Append rows from another store."""
        return await _settled(self._inside.insert(session_id, place, rows, turns, about))


async def _repeated(call: Callable[[bool], Coroutine[Any, Any, T]]) -> T:
    """Await *call* until an answer comes, for about a second; it is told when it is again."""
    deadline, pause, again = time.monotonic() + _SECONDS, _FIRST_PAUSE, False
    while True:
        try:
            return await call(again)
        except Lost:
            if time.monotonic() + pause > deadline:
                raise
        await asyncio.sleep(pause)
        pause, again = min(2 * pause, _LONGEST_PAUSE), True


async def _ended(call: Callable[[bool], Coroutine[Any, Any, T]]) -> T:
    """Await *call* as `_repeated` does, to its end, whoever cancels meanwhile."""
    return await _settled(_repeated(call))


async def _settled(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    cancellation = await settle(task)
    if cancellation is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # seen: the cancellation is what is raised
    raise cancellation
