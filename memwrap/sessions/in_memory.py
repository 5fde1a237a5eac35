"""Sessions that live and die with the process."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import Any

from memwrap.codec import decode, decode_rows
from memwrap.items import Item
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.checks import no_such_page
from memwrap.sessions.database import Damaged, DatabaseSession, DatabaseStore
from memwrap.sessions.turns import OpenTurn, StoredTurn, TurnRecord, recorded_turns

__all__ = ["InMemorySession", "InMemoryStore"]


class MemoryDatabase:
    """Rows in a dict. They are kept as JSON, so what comes out shares nothing with what went in."""

    promises = Promises(isolated=True, settles=True, turns=True)

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
            conversation.add(rows)

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        limit: int | None,
        damaged: Damaged,  # noqa: ARG002  (no row here can be)
    ) -> OpenTurn | None:
        """Load the history; no other process can have a lease."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            changes = conversation.changes if conversation else 0
            rows = conversation.newest(limit) if conversation else []
        history = decode_rows(rows) if rows else []
        return OpenTurn(history, changes if lease is None else None, token, lease)

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Do nothing: there is no lease."""

    async def release(self, session_id: str, token: str) -> None:
        """Do nothing: there is no lease."""

    async def find(self, session_id: str, turn_id: str) -> StoredTurn | None:
        """Return the stored turn of that id."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            for first, last, record in conversation.turns if conversation else ():
                if conversation and record.turn_id == turn_id:
                    rows = conversation.rows[first + record.inputs : last + 1]
                    return StoredTurn(record.fingerprint, record.shape, decode_rows(rows))
        return None

    async def commit(
        self, session_id: str, turn: OpenTurn, rows: Sequence[bytes], record: TurnRecord
    ) -> bool:
        """Append *rows* with their record."""
        with self._guard:
            conversation = self._conversations.pop(session_id, None) or _Conversation()
            self._conversations[session_id] = conversation
            if turn.head is not None and turn.head != conversation.changes:
                return False
            first = len(conversation.rows)
            conversation.add(rows)
            conversation.turns.append((first, len(conversation.rows) - 1, record))
        return True

    async def undo(self, session_id: str, turns: int) -> list[list[Item]]:
        """Remove the newest turns."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            if conversation is None:
                return []
            items = dict(enumerate(decode_rows(conversation.rows)))
            ranges = [(first, last) for first, last, _ in conversation.turns]
            undone = recorded_turns(items, ranges)[-turns:]
            if undone:
                conversation.cut(next(iter(undone[0])))
        return [list(turn.values()) for turn in undone]

    async def get(
        self,
        session_id: str,
        limit: int | None,
        damaged: Damaged,  # noqa: ARG002
    ) -> list[Item]:
        """Return the newest *limit* items, oldest first."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            rows = conversation.newest(limit) if conversation else []
        return decode_rows(rows)

    async def pop(self, session_id: str) -> Item | None:
        """Remove and return the newest item."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            row = conversation.rows[-1] if conversation and conversation.rows else None
            if conversation and row is not None:
                conversation.cut(len(conversation.rows) - 1)
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
    __slots__ = ("changes", "created_at", "rows", "turns", "updated_at")

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.turns: list[tuple[int, int, TurnRecord]] = []  # the first and the last row of each
        self.changes = 0
        self.created_at = self.updated_at = datetime.now(UTC)

    def add(self, rows: Sequence[bytes]) -> None:
        self.rows += rows
        self.changes += 1
        self.updated_at = datetime.now(UTC)

    def newest(self, limit: int | None) -> list[bytes]:
        return self.rows[:] if limit is None else self.rows[-limit:] if limit else []

    def cut(self, place: int) -> None:
        """Remove the rows from *place* on, and the turns that are no longer whole."""
        del self.rows[place:]
        self.changes += 1
        while self.turns and self.turns[-1][1] >= place:
            self.turns.pop()


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
