"""Rows in a SQLite file: what each operation of a session is in SQL."""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import Any

from memwrap.codec import decode, decode_array
from memwrap.exceptions import StoreError
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.checks import no_such_page
from memwrap.sessions.database import Damaged
from memwrap.sessions.leases import is_dead
from memwrap.sessions.sqlite.connection import Rows
from memwrap.sessions.sqlite.engine import engine_for
from memwrap.sessions.sqlite.schema import Tables
from memwrap.sessions.sqlite.write import MAX_VALUES
from memwrap.sessions.turns import OpenTurn, StoredTurn, TurnRecord, recorded_turns
from memwrap.types import Item

__all__ = ["SQLiteDatabase"]

_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF
_ALL = 2**62  # SQLite's integers end at 2**63


class SQLiteDatabase:
    """Rows in a SQLite file. The object is a name; the connections belong to the engine.

    Args:
        path: The file.
        tables: Its tables.
        strict: Raise for damaged rows instead of leaving them out with a warning.
    """

    promises = Promises(durability="power", shared=True, isolated=True, settles=True, turns=True)

    def __init__(self, path: str, tables: Tables, strict: bool) -> None:
        self._path = path
        self._tables = tables
        self._strict = strict

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return (self._path, self._tables, session_id)

    async def add(self, session_id: str, rows: Sequence[bytes]) -> None:
        """Append *rows* in one statement."""
        engine = engine_for(self._path, self._tables)
        if 2 * len(rows) > MAX_VALUES:
            texts = json.dumps([row.decode() for row in rows])
            await engine.write(self._tables["insert_many"], (session_id, texts))
        else:
            values = [value for row in rows for value in (session_id, row.decode())]
            await engine.insert(self._tables["insert"], "(?,?)", values)

    async def get(self, session_id: str, limit: int | None, damaged: Damaged) -> list[Item]:
        """Return the newest *limit* items, oldest first."""
        return (await self._load(session_id, limit, damaged))[0]

    async def _load(
        self, session_id: str, limit: int | None, damaged: Damaged
    ) -> tuple[list[Item], int | None]:
        """Return the newest *limit* items and the id of the last row, if it was looked at."""
        if limit == 0:
            return [], None
        engine = engine_for(self._path, self._tables)
        if limit is None:
            found = await engine.read(self._tables["get"], (session_id,))
        else:
            found = await engine.read(self._tables["get_newest"], (session_id, min(limit, _ALL)))
        count, array, head = found[0]
        if not count:
            return [], 0
        items = decode_array(array, count)
        if items is None:
            items = await self._row_by_row(session_id, limit, damaged)
        return items, head

    async def _row_by_row(self, session_id: str, limit: int | None, damaged: Damaged) -> list[Item]:
        engine = engine_for(self._path, self._tables)
        count = _ALL if limit is None else min(limit, _ALL)
        items, bad = _decoded(await engine.read(self._tables["get_rows"], (session_id, count)))
        if bad:
            damaged(len(bad))
            if self._strict:
                raise self._damage(session_id, f"rows {bad} are damaged")
            warnings.warn(
                str(self._damage(session_id, f"rows {bad} are damaged and left out")), stacklevel=2
            )
        return list(items.values())

    def _damage(self, session_id: str, what: str) -> StoreError:
        return StoreError(
            f"SQLite file {self._path!r}, table {self._tables.messages}, session"
            f" {session_id!r}: {what}"
        )

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        limit: int | None,
        damaged: Damaged,
    ) -> OpenTurn | None:
        """Take the lease, if there is to be one, and load the history."""
        if lease is None:
            history, head = await self._load(session_id, limit, damaged)
            return OpenTurn(history, head, token, None)
        try:
            if not await self._take(session_id, token, lease):
                return None
            history, head = await self._load(session_id, limit, damaged)
        except BaseException:
            # A cancelled write has ended, and may have taken the lease.
            with contextlib.suppress(StoreError):
                await self.release(session_id, token)
            raise
        return OpenTurn(history, head, token, lease, lease_token=token)

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

    async def find(self, session_id: str, turn_id: str) -> StoredTurn | None:
        """Return the stored turn of that id, if all its items are still there."""
        engine = engine_for(self._path, self._tables)
        found = await engine.read(self._tables["find_turn"], (session_id, turn_id))
        if not found:
            return None
        fingerprint, shape, inputs, first, last = found[0]
        rows = await engine.read(self._tables["get_range"], (session_id, first, last))
        if len(rows) != last + 1 - first:
            return None
        items, bad = _decoded(rows[inputs:])
        if bad:
            raise self._damage(session_id, f"rows {bad}, of a stored turn's answer, are damaged")
        return StoredTurn(fingerprint, shape, list(items.values()))

    async def commit(
        self, session_id: str, turn: OpenTurn, rows: Sequence[bytes], record: TurnRecord
    ) -> bool:
        """Append *rows* with their record and give the lease back."""
        engine = engine_for(self._path, self._tables)
        stored = (session_id, turn.token)
        if turn.attempted and await engine.read(self._tables["is_stored"], stored):
            return True
        turn.attempted = True
        values = (
            session_id,
            json.dumps([row.decode() for row in rows]),
            turn.lease_token,
            turn.head if turn.lease_token is None else None,
            turn.token,
            record.turn_id,
            record.fingerprint,
            record.shape,
            record.inputs,
        )
        try:
            await engine.insert(self._tables["commit"], "(?,?,?,?,?,?,?,?,?)", values)
        except StoreError as exc:
            if not str(exc.__cause__).startswith("memwrap:"):
                raise
            return False
        return True

    async def undo(self, session_id: str, turns: int) -> list[list[Item]]:
        """Remove the newest turns: as recorded, and for other writers' by the items' structure."""
        engine = engine_for(self._path, self._tables)
        found = await engine.read(self._tables["get_rows"], (session_id, _ALL))
        rows, bad = _decoded(found)
        if bad:
            raise self._damage(session_id, f"rows {bad} are damaged; nothing was undone")
        ranges = await engine.read(self._tables["turn_ranges"], (session_id,))
        undone = recorded_turns(rows, [(first, last) for first, last in ranges])[-turns:]
        if undone:
            first = next(iter(undone[0]))
            await engine.write(self._tables["delete_from"], (session_id, first))
            await engine.write(self._tables["forget_from"], (session_id, first))
        return [list(turn.values()) for turn in undone]

    async def pop(self, session_id: str) -> Item | None:
        """Remove and return the newest item.

        Raises:
            StoreError: The newest row is damaged; it stays.
        """
        engine = engine_for(self._path, self._tables)
        if found := await engine.write(self._tables["pop"], (session_id,)):
            return decode(found[0][0])
        if left := await engine.read(self._tables["newest_id"], (session_id,)):
            raise self._damage(
                session_id, f"the newest row, {left[0][0]}, is damaged and was not removed"
            )
        return None

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


def _decoded(rows: Rows) -> tuple[dict[int, Item], list[int]]:
    """Return the items by row id, and the ids of those rows that are damaged."""
    items: dict[int, Item] = {}
    bad = []
    for row_id, row in rows:
        try:
            items[row_id] = decode(row)
        except ValueError:
            bad.append(row_id)
    return items, bad


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
