"""Rows in a SQLite file, and their turns: what each operation of a session is in SQL."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from memwrap.exceptions import StoreError
from memwrap.sessions.backend import Claim, Held, RecordedRows, Rows, RowWindow
from memwrap.sessions.sqlite.conversations import SQLiteConversations
from memwrap.sessions.sqlite.engines import empty_log
from memwrap.sessions.sqlite.index import wipe_words
from memwrap.sessions.sqlite.paging import read_pages
from memwrap.sessions.sqlite.values import (
    ALL,
    FEW,
    Life,
    apart,
    is_too_big,
    live_on,
    unpacked,
    values_of,
    values_of_record,
)
from memwrap.sessions.sqlite.write import MAX_VALUES
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = ["SQLiteBackend"]


_numbers = count()

_COMMIT = f"({','.join('?' * 16)})"

_TRIES = 3  # how often a session is read in pages whose rows vanish meanwhile


class SQLiteBackend(SQLiteConversations):
    """Rows in a SQLite file, the turns that they were stored in, and what is known of sessions."""

    __slots__ = ()

    async def add(
        self,
        session_id: str,
        rows: Sequence[bytes],
        token: str = "",  # noqa: ARG002
        *,
        again: bool = False,  # noqa: ARG002
    ) -> None:
        """Append *rows* in one statement."""
        engine = self._engine()
        if 2 * len(rows) > MAX_VALUES:
            texts = json.dumps([row.decode() for row in rows])
            await engine.write(self._tables["insert_many"], (session_id, texts))
        else:
            values = [value for row in rows for value in (session_id, row.decode())]
            await engine.insert(self._tables["insert"], "(?,?)", values)

    async def get(
        self, session_id: str, limit: int | None, *, joined: bool, before: int | None = None
    ) -> Rows:
        """Return the newest *limit* rows."""
        engine = self._engine()
        size = ALL if limit is None else min(limit, ALL)
        if before is not None:
            found = await engine.read(self._tables["get_page"], (session_id, before, size))
            return apart(found[::-1])
        if joined:
            try:
                if size <= FEW:
                    return unpacked(await engine.windows.get(session_id, size))
                for _ in range(_TRIES):
                    if (rows := await read_pages(engine, session_id, limit)) is not None:
                        return rows
            except StoreError as exc:
                if not is_too_big(exc):
                    raise
        return apart(await engine.read(self._tables["get_rows"], (session_id, size)))

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        window: RowWindow,
        dead: str | None = None,
    ) -> Rows | Held:
        """Take the lease, if there is to be one, and return the rows of the window."""
        if lease is None:
            rows = await self._begun(session_id, window)
            if rows.head == 0:
                # Nothing in the file could tell later whether the session has been cleared.
                engine = self._engine()
                await engine.write(self._tables["mark"], (session_id, token), durable=False)
            return rows._replace(life=Life(rows.head, token))
        try:
            taken = await self._taken(session_id, (token, lease, dead), window)
            if isinstance(taken, Held):
                return taken
            return taken._replace(life=Life(taken.head, token))
        except BaseException:
            # A cancelled write has ended, and may have taken the lease.
            with contextlib.suppress(StoreError):
                await self.release(session_id, token)
            raise

    async def _begun(self, session_id: str, window: RowWindow) -> Rows:
        """Return what a turn without a lease reads."""
        engine = self._engine()
        statement = "window_marked" if window.names else "window"
        try:
            found = await engine.read(self._tables[statement], values_of(session_id, window))
        except StoreError as exc:
            if not is_too_big(exc):
                raise
            return await self._apart(session_id, window)
        return await self._read(session_id, window, found[0])

    async def _taken(
        self, session_id: str, lease: tuple[str, float, str | None], window: RowWindow
    ) -> Rows | Held:
        """Return what a turn reads that has taken the lease, or who has it."""
        try:
            found = await self._take(session_id, lease, window)
        except StoreError as exc:
            if not is_too_big(exc):
                raise
            found = await self._take(session_id, lease, RowWindow(0))
            return found if isinstance(found, Held) else await self._apart(session_id, window)
        return found if isinstance(found, Held) else await self._read(session_id, window, found)

    async def _read(self, session_id: str, window: RowWindow, found: Sequence[Any]) -> Rows:
        """Return the rows that the statement which begins a turn has found, or all of many."""
        if window.limit == 0 and not window.names:
            return Rows((), ())
        rows = unpacked(found[0])
        if window.limit is None and len(rows.ids) > FEW:
            return await self.get(session_id, None, joined=True)
        return rows._replace(marks=found[1]) if window.names else rows

    async def _apart(self, session_id: str, window: RowWindow) -> Rows:
        """Return the newest rows, which are too long for one value, without regard to marks."""
        rows = await self.get(session_id, window.limit, joined=False)
        return rows._replace(head=rows.ids[-1])

    async def _take(
        self, session_id: str, lease: tuple[str, float, str | None], window: RowWindow
    ) -> tuple[Any, ...] | Held:
        """Take the lease if it is free or its holder is dead, and read the window."""
        engine = self._engine()
        statement = self._tables["begin_marked" if window.names else "begin"]
        values = values_of(session_id, window, *lease)
        if found := await engine.write(statement, values, durable=False):
            return found[0]
        holder = await engine.read(self._tables["holder"], (session_id,))
        return Held(holder[0][0] if holder else "")

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Let the lease begin anew."""
        engine = self._engine()
        await engine.write(self._tables["renew"], (session_id, token, lease), durable=False)

    async def release(self, session_id: str, token: str, life: Any = None) -> None:
        """Give the lease back; with the life of an empty session leave a mark."""
        engine = self._engine()
        statement = "release" if life is None or life.since != 0 else "release_marked"
        await engine.write(self._tables[statement], (session_id, token), durable=False)

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the recorded turn of that id, with those of its rows that are still there."""
        return await self._recorded("find_turn", (session_id, turn_id))

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the session's newest row, if one does."""
        return await self._recorded("newest_turn", (session_id,))

    async def _recorded(self, statement: str, values: Sequence[str]) -> RecordedRows | None:
        engine = self._engine()
        found = await engine.read(self._tables[statement], values)
        if not found:
            return None
        *record, size = found[0][:-2]
        return RecordedRows(TurnRecord(*record), apart([row[-2:] for row in found]), size)

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append *rows* with their record and give the lease back."""
        engine = self._engine()
        stored = (session_id, claim.token)
        if claim.again and await engine.read(self._tables["is_stored"], stored):
            return True
        texts = json.dumps([row.decode() for row in rows])
        since, mark = (claim.life.since, claim.life.mark) if claim.life else (None, None)
        told = (*values_of_record(record), since, mark)
        values = (session_id, texts, claim.lease, claim.head, claim.token, *told)
        try:
            await engine.insert(self._tables["commit"], _COMMIT, values)
        except StoreError as exc:
            if not str(exc.__cause__).startswith("memwrap:"):
                raise
            # The one before may have been under way when this one looked.
            return claim.again and bool(await engine.read(self._tables["is_stored"], stored))
        return True

    async def ranges(self, session_id: str, first: int = 0) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn."""
        engine = self._engine()
        found = await engine.read(self._tables["turn_ranges"], (session_id, first))
        return [(first, last) for first, last in found]

    async def cut(self, session_id: str, first: int, last: int, count: int | None) -> bool:
        """Remove rows, and the turns that they were of."""
        engine = self._engine()
        try:
            await engine.write(self._tables["cut"], (session_id, first, last, count))
        except StoreError as exc:
            if not str(exc.__cause__).startswith("memwrap:"):
                raise
            return False
        return True

    async def key(self) -> bytes:
        """Return the secret of these tables, which is kept in the file."""
        return await self._engine().key()

    async def pop(
        self, session_id: str, readable: Callable[[bytes], bool], own: Sequence[OpenTurn] = ()
    ) -> tuple[int, bytes] | None:
        """Remove and return the newest row; one that is not readable stays."""
        live_on(own)
        engine = self._engine()
        number = next(_numbers)
        engine.readable[number] = readable
        try:
            while True:
                if found := await engine.write(self._tables["pop"], (session_id, number)):
                    return found[0][0], found[0][1]
                found = await engine.read(self._tables["get_rows"], (session_id, 1))
                if not found:
                    return None
                if not readable(found[0][1]):
                    return found[0][0], found[0][1]
        finally:
            del engine.readable[number]

    async def clear(self, session_id: str, own: Sequence[OpenTurn] = ()) -> None:
        """Remove the session with all its items, from the file and from its log.

        Raises:
            StoreError: A connection that reads the log kept it from being emptied.
        """
        engine = self._engine()
        spared = json.dumps([turn.lease_token for turn in own])
        await engine.write(self._tables["clear"], (session_id, spared))
        live_on(own)
        for turn in own:
            turn.head = None if turn.head is None else 0
        await wipe_words(engine)
        await empty_log(engine)
