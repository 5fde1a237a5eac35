"""The same durability for every connection of the process, whichever library opens it.

The file is in WAL mode from the start, which is a property of the file. The level of
synchronisation belongs to a connection: it is set when one is opened, and read back from all that
are open after a measurement.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from typing import Any

__all__ = ["FULL", "LEVELS", "NORMAL", "prepare", "use", "verify"]

FULL, NORMAL = "FULL", "NORMAL"
LEVELS = (FULL, NORMAL)
_NUMBERS = {NORMAL: 1, FULL: 2}


class _Watched(sqlite3.Connection):
    """A connection that can be found again."""

    path = ""


class _Lowered(_Watched):
    """A connection that stays at NORMAL when its library asks for FULL, as memwrap does."""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql == "PRAGMA synchronous = FULL":
            sql = "PRAGMA synchronous = NORMAL"
        return super().execute(sql, *args)


_connect = sqlite3.connect
_open: weakref.WeakSet[_Watched] = weakref.WeakSet()


def use(level: str) -> None:
    """Let all connections that are opened from now on have that level."""
    factory = _Lowered if level == NORMAL else _Watched

    def connect(database: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        # Read back from the main thread later; the check costs nothing and protects nothing here.
        options["check_same_thread"] = False
        connection = _connect(database, *args, factory=factory, **options)
        connection.path = os.path.realpath(database)
        # Whoever closes the file last at this moment has it for itself alone.
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute(f"PRAGMA synchronous = {level}")
        connection.execute(f"PRAGMA busy_timeout = {int(options.get('timeout', 5.0) * 1000)}")
        _open.add(connection)
        return connection

    sqlite3.connect = connect


def prepare(path: str) -> sqlite3.Connection:
    """Create the file in WAL mode; the connection is the benchmark's own."""
    connection = _connect(path, timeout=30.0, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def verify(path: str, level: str, contender: str) -> None:
    """Stop the benchmark if a connection to the file is not as it was asked for."""
    found = [_state(connection) for connection in list(_open) if _is_open(connection, path)]
    if contender == "memwrap":
        # All its items go through the writer. The second connection reads; it writes nothing but
        # leases, at NORMAL by design, and is known by never checkpointing.
        found = [state for state in found if state[2] != 0]
    wrong = [state for state in found if state[:2] != ("wal", _NUMBERS[level])]
    if wrong or not found:
        raise SystemExit(f"{contender}: not WAL/{level} but {wrong or 'no connection at all'}")


def _is_open(connection: _Watched, path: str) -> bool:
    if connection.path != os.path.realpath(path):
        return False
    try:
        connection.total_changes  # noqa: B018
    except sqlite3.ProgrammingError:
        return False
    return True


def _state(connection: _Watched) -> tuple[str, int, int]:
    pragmas = ("journal_mode", "synchronous", "wal_autocheckpoint")
    mode, level, pages = (connection.execute(f"PRAGMA {p}").fetchone()[0] for p in pragmas)
    return mode, level, pages
