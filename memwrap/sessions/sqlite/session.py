"""Sessions in a SQLite file, on the tables of the OpenAI Agents SDK."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import Any

from memwrap.codec import decode, decode_array
from memwrap.exceptions import ConfigurationError, StoreError
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.database import Database, DatabaseSession, DatabaseStore, no_such_page
from memwrap.sessions.in_memory import MemoryDatabase
from memwrap.sessions.sqlite.engine import engine_for
from memwrap.sessions.sqlite.schema import Tables
from memwrap.types import Item

__all__ = ["SQLiteSession", "SQLiteStore"]

_MEMORY = ":memory:"
_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF
_ALL = 2**62  # SQLite's integers end at 2**63


class SQLiteDatabase:
    """Rows in a SQLite file. The object is a name; the connections belong to the engine."""

    promises = Promises(durability="power", shared=True, isolated=True, settles=True)

    def __init__(self, path: str, tables: Tables) -> None:
        self._path = path
        self._tables = tables

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return (self._path, self._tables, session_id)

    async def add(self, session_id: str, rows: Sequence[bytes]) -> None:
        """Append *rows* in one statement."""
        await engine_for(self._path, self._tables).add(session_id, rows)

    async def get(self, session_id: str, limit: int | None) -> list[Item]:
        """Return the newest *limit* items, oldest first."""
        engine = engine_for(self._path, self._tables)
        if limit is None:
            found = await engine.read(self._tables["get"], (session_id,))
        else:
            found = await engine.read(self._tables["get_newest"], (session_id, min(limit, _ALL)))
        count, array = found[0]
        if not count:
            return []
        items = decode_array(array, count)
        return await self._row_by_row(session_id, limit) if items is None else items

    async def _row_by_row(self, session_id: str, limit: int | None) -> list[Item]:
        engine = engine_for(self._path, self._tables)
        count = _ALL if limit is None else min(limit, _ALL)
        items, damaged = [], []
        for row_id, row in await engine.read(self._tables["get_rows"], (session_id, count)):
            try:
                items.append(decode(row))
            except ValueError:
                damaged.append(row_id)
        if damaged:
            warnings.warn(
                f"SQLite file {self._path!r}, table {self._tables.messages}, session"
                f" {session_id!r}: rows {damaged} are damaged and left out",
                stacklevel=2,
            )
        return items

    async def pop(self, session_id: str) -> Item | None:
        """Remove and return the newest item.

        Raises:
            StoreError: The newest row is damaged; it stays.
        """
        engine = engine_for(self._path, self._tables)
        if found := await engine.write(self._tables["pop"], (session_id,)):
            return decode(found[0][0])
        if left := await engine.read(self._tables["newest_id"], (session_id,)):
            raise StoreError(
                f"SQLite file {self._path!r}, table {self._tables.messages}, session"
                f" {session_id!r}: the newest row, {left[0][0]}, is damaged and was not removed"
            )
        return None

    async def clear(self, session_id: str) -> None:
        """Remove the session with all its items."""
        engine = engine_for(self._path, self._tables)
        await engine.write(self._tables["clear"], (session_id,))
        await engine.write(self._tables["clear_strays"], (session_id,))

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


class SQLiteSession(DatabaseSession):
    """The memory of one conversation, in a SQLite file.

    Takes the place of the Agents SDK's class of this name and opens its files. The connections
    are shared by all sessions on the file and need no closing.

    Args:
        session_id: Names the conversation.
        db_path: The file, created with mode 0600 when it is first used; ``":memory:"`` keeps
            the conversation in this object only.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: ``SessionSettings(limit=...)`` or a dict of it: how many items
            ``get_items()`` returns when it is called without a limit.

    Raises:
        ConfigurationError: The id or a table's name is no valid one, or the path is none.
    """

    def __init__(
        self,
        session_id: str,
        db_path: str | os.PathLike[str] = _MEMORY,
        *,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: Any = None,
    ) -> None:
        database = _database(db_path, Tables(sessions_table, messages_table))
        super().__init__(session_id, database, session_settings)

    async def close(self) -> None:
        """Close this file on this event loop for all sessions; a later call opens it again."""
        await self._database.close()


class SQLiteStore(DatabaseStore):
    """Sessions by id, in a SQLite file.

    Args:
        path: The file, created with mode 0600 when it is first used; ``":memory:"`` keeps the
            conversations in this object only.
        sessions_table: The table of sessions.
        messages_table: The table of items.

    Raises:
        ConfigurationError: A table's name is no valid one, or the path is none.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
    ) -> None:
        super().__init__(_database(path, Tables(sessions_table, messages_table)))


def _database(path: str | os.PathLike[str], tables: Tables) -> Database:
    """Return the database of that path, which is resolved now: the folder may change later."""
    try:
        text = os.fspath(path)
    except TypeError:
        text = None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigurationError("the path of a SQLite file is a string or a pathlib.Path")
    return MemoryDatabase() if text == _MEMORY else SQLiteDatabase(os.path.realpath(text), tables)


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
