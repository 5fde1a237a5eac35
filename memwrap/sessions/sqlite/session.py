"""Sessions in a SQLite file, on the common session tables."""

from __future__ import annotations

import os
import re
import warnings
from datetime import timedelta
from functools import lru_cache
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.backend import LINGER_SECONDS, Backend
from memwrap.sessions.checks import check_seconds
from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.in_memory import MemoryBackend
from memwrap.sessions.sqlite.connection import SYNCHRONOUS, Durability
from memwrap.sessions.sqlite.database import SQLiteBackend
from memwrap.sessions.sqlite.reading import ReadingBackend
from memwrap.sessions.sqlite.schema import Tables

__all__ = ["SQLiteSession", "SQLiteStore"]

_MEMORY = ":memory:"
_PATH = re.compile(r"\.(db|db3|sqlite|sqlite3)\Z", re.IGNORECASE)


class SQLiteSession(DatabaseSession):
    """The memory of one conversation, in a SQLite file.

    Takes the place of another library's class of this name and opens its files. The connections
    are shared by all sessions on the file and need no closing.

    Args:
        session_id: Names the conversation.
        db_path: The file, created with mode 0600 when it is first used; ``":memory:"`` keeps
            the conversation in this object only.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: ``SessionSettings(limit=...)`` or a dict of it: how many items
            ``get_items()`` returns when it is called without a limit.
        strict: Raise `StoreError` for rows that cannot be read, instead of leaving them out with
            a warning and counting them in ``damaged_items``.
        durability: What is told to be stored survives a power cut (``"power"``), or a process that
            is killed at any moment (``"process"``), which costs less.

    Raises:
        ConfigurationError: The id or a table's name is no valid one, the path is none, or there is
            no such durability.
    """

    def __init__(
        self,
        session_id: str,
        db_path: str | os.PathLike[str] = _MEMORY,
        *,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: Any = None,
        strict: bool = False,
        durability: Durability = "power",
    ) -> None:
        _warn_of_swap(session_id, db_path)
        backend = _backend(db_path, Tables(sessions_table, messages_table), durability)
        super().__init__(session_id, backend, session_settings, strict=strict)

    async def close(self, *, linger: float = LINGER_SECONDS) -> None:
        """Give back this object's share in the file; a later call of it takes one again.

        The file is closed when nobody on this event loop uses it any more, and for *linger* seconds
        nobody else has come. With 0 it is closed when this ends, unless somebody uses it.
        """
        await self._backend.close(linger)


class SQLiteStore(DatabaseStore):
    """Sessions by id, in a SQLite file.

    Args:
        path: The file, created with mode 0600 when it is first used; ``":memory:"`` keeps the
            conversations in this object only.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        strict: Raise `StoreError` for rows that cannot be read, instead of leaving them out with
            a warning and counting them in the session's ``damaged_items``.
        durability: What is told to be stored survives a power cut (``"power"``), or a process that
            is killed at any moment (``"process"``), which costs less.
        ttl: Seconds or a timedelta after the newest write when a session expires; None for never.
        search: Whether `search` is offered: an index of the words of all items is kept, and
            brought up to date by each search.
        read_only: Whether the file is only read: it must be there, nothing is made in it or
            beside it, one of an older version stays as it is, and what would write is a
            `StoreError`. It offers no search.

    Raises:
        ConfigurationError: A table's name is no valid one, the path is none, there is no such
            durability, or the time is not more than 0.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        strict: bool = False,
        durability: Durability = "power",
        ttl: float | timedelta | None = None,
        search: bool = False,
        read_only: bool = False,
    ) -> None:
        names = sessions_table, messages_table
        tables = Tables(*names, check_seconds(ttl, "ttl"), search=search and not read_only)
        kind = ReadingBackend if read_only else SQLiteBackend
        super().__init__(_backend(path, tables, durability, kind), strict=strict)


def _warn_of_swap(session_id: object, path: object) -> None:
    """Warn of an id and a path that look as if they stood in each other's place."""
    if (
        isinstance(session_id, str)
        and isinstance(path, str)
        and path != _MEMORY
        and _PATH.search(session_id)
        and not _PATH.search(path)
        and os.sep not in path
    ):
        warnings.warn(
            f"SQLiteSession({session_id!r}, {path!r}) makes a session {session_id!r} in a file"
            f" {path!r}: the id comes first, then the path: SQLiteSession({path!r},"
            f" {session_id!r})",
            stacklevel=3,
        )


def _backend(
    path: str | os.PathLike[str],
    tables: Tables,
    durability: Durability,
    kind: type[SQLiteBackend] = SQLiteBackend,
) -> Backend:
    """Return the back end of that path, which is resolved now: the folder may change later."""
    if durability not in SYNCHRONOUS:
        raise ConfigurationError(f"durability is 'power' or 'process', not {durability!r}")
    try:
        text = os.fspath(path)
    except TypeError:
        text = None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigurationError("the path of a SQLite file is a string or a pathlib.Path")
    if text == _MEMORY:
        return MemoryBackend(tables.ttl, search=tables.search)
    return kind(*_names(os.path.realpath(text), tables), durability)


@lru_cache(maxsize=16)
def _names(path: str, tables: Tables) -> tuple[str, Tables]:
    """Return both: a thousand sessions on one file have one name of it."""
    return path, tables
