"""Sessions that live and die with the process."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import Any

from memwrap.codec import decode, decode_rows
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.database import DatabaseSession, DatabaseStore, no_such_page
from memwrap.types import Item

__all__ = ["InMemorySession", "InMemoryStore"]


class MemoryDatabase:
    """Rows in a dict. They are kept as JSON, so what comes out shares nothing with what went in."""

    promises = Promises(isolated=True, settles=True)

    def __init__(self) -> None:
        self._conversations: dict[str, _Conversation] = {}
        self._guard = threading.Lock()

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return (self, session_id)

    async def add(self, session_id: str, rows: Sequence[bytes]) -> None:
        """Append *rows*."""
        with self._guard:
            # Taken out and put back, it is the last in order: the one with the newest items.
            conversation = self._conversations.pop(session_id, None) or _Conversation()
            self._conversations[session_id] = conversation
            conversation.rows += rows
            conversation.updated_at = datetime.now(UTC)

    async def get(self, session_id: str, limit: int | None) -> list[Item]:
        """Return the newest *limit* items, oldest first."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            rows = conversation.rows[-limit if limit else None :] if conversation else []
        return decode_rows(rows)

    async def pop(self, session_id: str) -> Item | None:
        """Remove and return the newest item."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            row = conversation.rows.pop() if conversation and conversation.rows else None
        return None if row is None else decode(row)

    async def clear(self, session_id: str) -> None:
        """Remove the session."""
        with self._guard:
            self._conversations.pop(session_id, None)

    async def sessions(
        self, prefix: str, limit: int | None, after: str | None
    ) -> list[SessionInfo]:
        """List sessions, newest first."""
        with self._guard:
            newest = [
                SessionInfo(id, entry.created_at, entry.updated_at, len(entry.rows))
                for id, entry in reversed(self._conversations.items())
            ]
        if after is not None:
            ids = [info.session_id for info in newest]
            if after not in ids:
                raise no_such_page(after)
            newest = newest[ids.index(after) + 1 :]
        return [info for info in newest if info.session_id.startswith(prefix)][:limit]

    async def close(self) -> None:
        """Nothing is held open."""


class _Conversation:
    __slots__ = ("created_at", "rows", "updated_at")

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.created_at = self.updated_at = datetime.now(UTC)


class InMemorySession(DatabaseSession):
    """The memory of one conversation, in this process only.

    Args:
        session_id: Names the conversation. Two objects with one id share nothing; an
            `InMemoryStore` hands out objects that do.
        session_settings: ``SessionSettings(limit=...)`` or a dict of it: how many items
            ``get_items()`` returns when it is called without a limit.

    Raises:
        ConfigurationError: The id is no string, empty, or too long.
    """

    def __init__(self, session_id: str, *, session_settings: Any = None) -> None:
        super().__init__(session_id, MemoryDatabase(), session_settings)


class InMemoryStore(DatabaseStore):
    """Sessions by id, in this process only."""

    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
