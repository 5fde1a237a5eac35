"""Rows in a SQLite file: what each operation of a session is in SQL."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from memwrap.exceptions import StoreError
from memwrap.sessions.backend import Claim, RecordedRows, Rows
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.checks import no_such_page
from memwrap.sessions.leases import is_dead
from memwrap.sessions.sqlite.engine import engine_for
from memwrap.sessions.sqlite.schema import Tables
from memwrap.sessions.sqlite.write import MAX_VALUES
from memwrap.sessions.turns import TurnRecord

__all__ = ["SQLiteBackend"]

_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF
_ALL = 2**62  # SQLite's integers end at 2**63

_numbers = count()


class SQLiteBackend:
    """Rows in a SQLite file. The object is a name; the connections belong to the engine.

    Args:
        path: The file.
        tables: Its tables.
    """

    promises = Promises(durability="power", shared=True, isolated=True, settles=True, turns=True)

    def __init__(self, path: str, tables: Tables) -> None:
        self._path = path
        self._tables = tables

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return (self._path, self._tables, session_id)

    def place(self, session_id: str) -> str:
        """Name the session for an error."""
        return f"SQLite file {self._path!r}, table {self._tables.messages}, session {session_id!r}"

    async def add(self, session_id: str, rows: Sequence[bytes]) -> None:
        """Append *rows* in one statement."""
        engine = engine_for(self._path, self._tables)
        if 2 * len(rows) > MAX_VALUES:
            texts = json.dumps([row.decode() for row in rows])
            await engine.write(self._tables["insert_many"], (session_id, texts))
        else:
            values = [value for row in rows for value in (session_id, row.decode())]
            await engine.insert(self._tables["insert"], "(?,?)", values)

    async def get(self, session_id: str, limit: int | None, *, joined: bool) -> Rows:
        """Return the newest *limit* rows."""
        if joined:
            return await self._joined(session_id, limit)
        engine = engine_for(self._path, self._tables)
        size = _ALL if limit is None else min(limit, _ALL)
        return _apart(await engine.read(self._tables["get_rows"], (session_id, size)))

    async def _joined(self, session_id: str, limit: int | None) -> Rows:
        if limit == 0:
            return Rows((), ())
        engine = engine_for(self._path, self._tables)
        if limit is None:
            found = await engine.read(self._tables["get"], (session_id,))
        else:
            found = await engine.read(self._tables["get_newest"], (session_id, min(limit, _ALL)))
        size, array, head = found[0]
        return Rows(range(size), array, head) if size else Rows((), (), 0)

    async def begin(
        self, session_id: str, token: str, lease: float | None, limit: int | None
    ) -> Rows | None:
        """Take the lease, if there is to be one, and return the newest rows."""
        if lease is None:
            return await self._joined(session_id, limit)
        try:
            if not await self._take(session_id, token, lease):
                return None
            return await self._joined(session_id, limit)
        except BaseException:
            # A cancelled write has ended, and may have taken the lease.
            with contextlib.suppress(StoreError):
                await self.release(session_id, token)
            raise

    async def _take(self, session_id: str, token: str, lease: float) -> bool:
        """Take the lease if it is free, or its holder died on this machine."""
        engine = engine_for(self._path, self._tables)
        dead: str | None = None
        for _ in range(2):
            values = (session_id, token, lease, dead)
            if await engine.write(self._tables["begin"], values, durable=False):
                engine.ended -= {dead}
                return True
            holder = await engine.read(self._tables["holder"], (session_id,))
            dead = holder[0][0] if holder else None
            if dead is not None and dead not in engine.ended and not is_dead(dead):
                return False
        return False

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Let the lease begin anew."""
        engine = engine_for(self._path, self._tables)
        await engine.write(self._tables["renew"], (session_id, token, lease), durable=False)

    async def release(self, session_id: str, token: str) -> None:
        """Give the lease back."""
        engine = engine_for(self._path, self._tables)
        try:
            await engine.write(self._tables["release"], (session_id, token), durable=False)
        except StoreError:
            engine.ended.add(token)
            raise

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the recorded turn of that id, with those of its rows that are still there."""
        return await self._recorded("find_turn", (session_id, turn_id))

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the session's newest row, if one does."""
        return await self._recorded("newest_turn", (session_id,))

    async def _recorded(self, statement: str, values: Sequence[str]) -> RecordedRows | None:
        engine = engine_for(self._path, self._tables)
        found = await engine.read(self._tables[statement], values)
        if not found:
            return None
        *record, size = found[0][:-2]
        return RecordedRows(TurnRecord(*record), _apart([row[-2:] for row in found]), size)

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append *rows* with their record and give the lease back."""
        engine = engine_for(self._path, self._tables)
        stored = (session_id, claim.token)
        if claim.again and await engine.read(self._tables["is_stored"], stored):
            return True
        texts = json.dumps([row.decode() for row in rows])
        values = (session_id, texts, claim.lease, claim.head, claim.token, *record)
        try:
            await engine.insert(self._tables["commit"], "(?,?,?,?,?,?,?,?,?,?)", values)
        except StoreError as exc:
            if not str(exc.__cause__).startswith("memwrap:"):
                raise
            return False
        return True

    async def ranges(self, session_id: str) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn."""
        engine = engine_for(self._path, self._tables)
        found = await engine.read(self._tables["turn_ranges"], (session_id,))
        return [(first, last) for first, last in found]

    async def cut(self, session_id: str, first: int, last: int) -> None:
        """Remove rows, and the turns that they were of."""
        engine = engine_for(self._path, self._tables)
        await engine.write(self._tables["delete_range"], (session_id, first, last))
        await engine.write(self._tables["forget_range"], (session_id, first, last))

    async def key(self) -> bytes:
        """Return the secret of these tables, which is kept in the file."""
        return await engine_for(self._path, self._tables).key()

    async def pop(
        self, session_id: str, readable: Callable[[bytes], bool]
    ) -> tuple[int, bytes] | None:
        """Remove and return the newest row; one that is not readable stays."""
        engine = engine_for(self._path, self._tables)
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

    async def clear(self, session_id: str) -> None:
        """Remove the session with all its items, from the file and from its log.

        Raises:
            StoreError: A connection that reads the log kept it from being emptied.
        """
        engine = engine_for(self._path, self._tables)
        await engine.write(self._tables["clear"], (session_id,))
        await engine.write(self._tables["clear_strays"], (session_id,))
        await engine.empty_log()

    async def sessions(
        self, prefix: str, limit: int | None, after: str | None
    ) -> list[SessionInfo]:
        """List sessions, newest first."""
        engine = engine_for(self._path, self._tables)
        position: tuple[Any, Any] = (None, None)
        if after is not None:
            found = await engine.read(self._tables["position"], (after,))
            if not found:
                raise no_such_page(after)
            position = (found[0][0], found[0][1])
        rows = await engine.read(
            self._tables["list"],
            (prefix, _end_of(prefix), *position, -1 if limit is None else min(limit, _ALL)),
        )
        return [self._info(*row) for row in rows]

    def _info(self, session_id: str, created_at: Any, updated_at: Any, count: int) -> SessionInfo:
        try:
            return SessionInfo(session_id, _time(created_at), _time(updated_at), count)
        except (TypeError, ValueError) as exc:
            raise StoreError(
                f"SQLite file {self._path!r}, table {self._tables.sessions}, session"
                f" {session_id!r}: a time is damaged"
            ) from exc

    async def close(self) -> None:
        """Close the connections of this event loop."""
        await engine_for(self._path, self._tables).close()


def _apart(rows: Sequence[tuple[int, bytes]]) -> Rows:
    return Rows([row_id for row_id, _ in rows], [data for _, data in rows])


def _end_of(prefix: str) -> str | None:
    """Return the first string behind all that begin with *prefix*; None if there is none."""
    for index in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[index]) + 1
        if point == _FIRST_SURROGATE:  # these are no characters
            point = _LAST_SURROGATE + 1
        if point <= sys.maxunicode:
            return prefix[:index] + chr(point)
    return None


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
