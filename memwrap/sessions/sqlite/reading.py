"""A SQLite file that is read, and in no way changed: no table, log or lock is made for it.

SQLite makes a log beside a file to read it. Where nothing lies beside the file, it is read as one
that nobody changes; if somebody has changed it meanwhile, the statement is run again.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from memwrap.exceptions import StoreError
from memwrap.sessions.backend import LINGER_SECONDS
from memwrap.sessions.sqlite.connection import BUSY_SECONDS, Rows, hidden, is_busy, pause
from memwrap.sessions.sqlite.database import SQLiteBackend
from memwrap.sessions.sqlite.engine import Engine
from memwrap.sessions.sqlite.migrate import MIGRATIONS, check
from memwrap.sessions.sqlite.schema import Tables

__all__ = ["ReadingBackend", "ReadingEngine"]

_State: TypeAlias = tuple[tuple[int, ...] | None, ...]

_BESIDE = ("-wal", "-journal")
_TRIES = 3  # then the file is read as one that changes, with a log beside it
_ADDED = ("answers", "items", "marks", "usage", "metadata", "seconds", "stored")


class ReadingEngine(Engine):
    """One connection to a file on one event loop, by which nothing can be changed."""

    def __init__(self, path: str, tables: Tables, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(path, tables, loop, "power")
        self._raw: sqlite3.Connection | None = None
        self._seen: _State = ()
        self._is_still = False  # whether the file is read as one that nobody changes
        self._alone = asyncio.Lock()

    async def read(self, sql: str, parameters: Sequence[Any]) -> Rows:
        """Run one statement that changes nothing."""
        async with self._alone:
            try:
                return await asyncio.to_thread(self._rows, sql, parameters)
            except (OSError, sqlite3.Error) as exc:
                raise self._failed(exc)  # noqa: B904  (it has its cause)

    async def write(self, sql: str, parameters: Sequence[Any], *, durable: bool = True) -> Rows:  # noqa: ARG002
        """Refuse: the file is read only.

        Raises:
            StoreError: Always.
        """
        raise StoreError(f"SQLite file {self.path!r} was opened for reading only")

    async def insert(self, sql: str, row: str, values: Sequence[Any]) -> None:  # noqa: ARG002
        """Refuse, as `write` does.

        Raises:
            StoreError: Always.
        """
        await self.write(sql, values)

    async def key(self) -> bytes:
        """Return the secret of these tables; empty if none has been made, as nothing needs it."""
        found = await self.read(self.tables["get_key"], (self.tables.messages.lower(),))
        return bytes(found[0][0]) if found else b""

    async def close(self) -> None:
        """Close the connection."""
        async with self._alone:
            self._close()

    def _close(self) -> None:
        connection, self._raw = self._raw, None
        if connection is not None:
            connection.close()

    def _rows(self, sql: str, parameters: Sequence[Any]) -> Rows:
        deadline = time.monotonic() + BUSY_SECONDS
        tries = 0
        while True:
            connection = self._raw
            if connection is None or self._has_changed():
                tries += 1
                connection = self._opened(still=tries <= _TRIES)
            try:
                rows = connection.execute(sql, hidden(sql, parameters)).fetchall()
            except sqlite3.Error as exc:
                if self._has_changed():
                    continue
                if not is_busy(exc) or time.monotonic() > deadline:
                    raise
                time.sleep(pause())
            else:
                if not self._has_changed():
                    return rows

    def _has_changed(self) -> bool:
        """Tell whether what was read may be of several states of the file, or of another file."""
        if self._is_still:
            return _state(self.path) != self._seen
        return _inode(_state(self.path)) != _inode(self._seen)

    def _opened(self, *, still: bool) -> sqlite3.Connection:
        self._close()
        self._seen = seen = _state(self.path)
        if seen[0] is None:
            raise FileNotFoundError("there is no such file")
        self._is_still = still and not any(seen[1:])
        options = "?mode=ro&immutable=1" if self._is_still else "?mode=ro"
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(self.path))}{options}",
            uri=True,
            timeout=1.0,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA temp_store = MEMORY")
            if check(connection, self.tables) < len(MIGRATIONS):
                _bring_up_to_date(connection, self.tables)
        except BaseException:
            connection.close()
            raise
        self._raw = connection
        return connection


class ReadingBackend(SQLiteBackend):
    """Rows in a SQLite file that is read only."""

    _reading: ReadingEngine | None = None

    def _engine(self) -> ReadingEngine:
        loop = asyncio.get_running_loop()
        if self._reading is None or self._reading.loop is not loop:
            self._reading = ReadingEngine(self._path, self._tables, loop)
        return self._reading

    async def close(self, linger: float = LINGER_SECONDS) -> None:  # noqa: ARG002
        """Close the file."""
        if self._reading is not None:
            await self._reading.close()
            self._reading = None

    async def version(self) -> int:
        """Return the version of the tables in the file; 0 if it has none."""
        engine = self._engine()
        if not await engine.read(self._tables["is_indexed"], (self._tables.schema.lower(),)):
            return 0
        known = (self._tables.messages.lower(),)
        found = await engine.read(self._tables["get_version"], known)
        return int(found[0][0]) if found else 0

    async def faults(self) -> list[tuple[str, str]]:
        """Return what is wrong with the file itself: of which session (or none), and what."""
        engine = self._engine()
        found = [("", str(row[0])) for row in await engine.read("PRAGMA integrity_check", ())]
        faults = [fault for fault in found if fault[1] != "ok"]
        for statement, what in _FAULTS.items():
            sql = statement.format(tables=self._tables)
            faults += [(row[0], what.format(*row)) for row in await engine.read(sql, ())]
        words = self._tables.words
        if await engine.read(self._tables["is_indexed"], (words.lower(),)):
            sql = _WORDS.format(tables=self._tables)
            count = (await engine.read(sql, ()))[0][0]
            if count:
                faults.append(("", f"the index has words of {count} items that are not there"))
        return faults


_FAULTS = {
    """SELECT session_id, count(*) FROM "{tables.messages}" AS m WHERE NOT EXISTS (
        SELECT 1 FROM "{tables.sessions}" AS s WHERE s.session_id = m.session_id)
    GROUP BY session_id""": "it has {1} items and no line in the table of sessions",
    """SELECT session_id, last_id FROM "{tables.turns}" AS t WHERE last_id > 0 AND NOT EXISTS (
        SELECT 1 FROM "{tables.messages}" AS m
        WHERE m.id = t.last_id AND m.session_id = t.session_id)
    """: "a turn ends with row {1}, which is not there",
    """SELECT session_id FROM "{tables.about}" WHERE NOT (
        json_valid(coalesce(tags, '[]')) AND json_valid(coalesce(usage, '[]'))
        AND json_valid(coalesce(title, '""')) AND json_valid(coalesce(metadata, '{{}}')))
    """: "what is known of it is no JSON",
}
_WORDS = """SELECT count(*) FROM "{tables.words}" AS w
    LEFT JOIN "{tables.messages}" AS m ON m.id = w.rowid WHERE m.id IS NULL"""


def _bring_up_to_date(connection: sqlite3.Connection, tables: Tables) -> None:
    """Stand in for what an older version, or another library, has not made; in memory only."""
    names = {name.lower() for (name,) in connection.execute("SELECT name FROM main.sqlite_master")}
    for name, statement in (
        *((tables.sessions, "create_sessions"), (tables.messages, "create_messages")),
        *((tables.keys, "create_keys"), (tables.about, "create_about")),
        (tables.turns, "create_turns"),
    ):
        if name.lower() not in names:
            text = tables[statement].replace("CREATE TABLE", "CREATE TEMP TABLE", 1)
            connection.execute(text)
    where = "main" if tables.turns.lower() in names else "temp"
    rows = connection.execute(f'PRAGMA {where}.table_info("{tables.turns}")').fetchall()
    there = {row[1] for row in rows}
    missing = "".join(f", NULL AS {name}" for name in _ADDED if name not in there)
    if where == "temp":
        for name in (*_ADDED, "number"):
            connection.execute(f'ALTER TABLE temp."{tables.turns}" ADD COLUMN {name}')
    elif "number" not in there:
        connection.execute(
            f'CREATE TEMP VIEW "{tables.turns}" AS SELECT *{missing}, row_number() OVER'  # noqa: S608
            f" (PARTITION BY session_id, last_id > 0 ORDER BY last_id) AS number"
            f' FROM main."{tables.turns}"'
        )


def _state(path: str) -> _State:
    return (_known(path), *(_known(path + suffix, least=1) for suffix in _BESIDE))


def _known(path: str, least: int = 0) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  (a third of the time of a Path's)
    except OSError:
        return None
    if status.st_size < least:
        return None  # an empty log holds nothing
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _inode(state: _State) -> tuple[int, ...] | None:
    return state[0][:2] if state and state[0] else None
