"""Sessions that live and die with the process."""

from __future__ import annotations

import secrets
import threading
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import dropwhile, islice
from typing import Any, Self
from weakref import ref

from memwrap.sessions.backend import LINGER_SECONDS, Claim, RecordedRows, Rows, RowWindow
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.checks import no_such_page
from memwrap.sessions.conversation import Conversation
from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = ["InMemorySession", "InMemoryStore", "MemoryBackend"]


_MOST_BEGUN = 1000


class MemoryBackend:
    """Rows in a dict of sessions."""

    promises = Promises(isolated=True, settles=True, turns=True)

    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}
        # Those that a turn has begun with and nothing is stored of. That two turns have begun
        # with the same object tells that nobody has cleared the session in between.
        self._begun: dict[str, ref[Conversation]] = {}
        self._most_begun = _MOST_BEGUN  # then those that ended without an append are left out
        self._guard = threading.Lock()
        self._newest_id = 0  # of all rows that there have been, so that no number comes twice
        self._key = b""

    def __copy__(self) -> Self:
        return self  # what holds it holds the same conversations

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(
            "sessions in memory cannot be pickled: they are in this process only. SQLiteSession and"
            " SQLiteStore with a file can be"
        )

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return (self, session_id)

    def place(self, session_id: str) -> str:
        """Name the session for an error."""
        return f"in memory, session {session_id!r}"

    async def add(self, session_id: str, rows: Sequence[bytes]) -> None:
        """Append *rows*."""
        with self._guard:
            self._append(session_id, rows)

    def _append(self, session_id: str, rows: Sequence[bytes]) -> Conversation:
        # Taken out and put back, it is the last in order: the one with the newest rows.
        conversation = self._conversations.pop(session_id, None)
        now = datetime.now(UTC)
        if conversation is None:
            begun = self._begun.pop(session_id, None)
            conversation = (None if begun is None else begun()) or Conversation()
            conversation.created_at = now
        self._conversations[session_id] = conversation
        first = self._newest_id + 1
        self._newest_id += len(rows)
        conversation.ids += range(first, self._newest_id + 1)
        conversation.rows += rows
        conversation.updated_at = now
        return conversation

    def _begun_with(self, session_id: str) -> Conversation | None:
        begun = self._begun.get(session_id)
        return None if begun is None else begun()

    def _begin_with(self, session_id: str) -> Conversation:
        if len(self._begun) >= self._most_begun:
            self._begun = {key: begun for key, begun in self._begun.items() if begun() is not None}
            self._most_begun = max(_MOST_BEGUN, 2 * len(self._begun))
        conversation = Conversation()
        self._begun[session_id] = ref(conversation)
        return conversation

    async def get(
        self, session_id: str, limit: int | None, *, joined: bool, before: int | None = None
    ) -> Rows:
        """Return the newest *limit* rows."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            if conversation is None:
                return Rows((), (), 0)
            if joined and before is None:
                return conversation.joined(limit)
            return conversation.newest(limit, before)

    async def pop(
        self,
        session_id: str,
        readable: Callable[[bytes], bool],
        own: Sequence[OpenTurn] = (),  # noqa: ARG002
    ) -> tuple[int, bytes] | None:
        """Remove and return the newest row."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            if conversation is None or not conversation.rows:
                return None
            row_id, row = conversation.ids[-1], conversation.rows[-1]
            if readable(row):
                del conversation.rows[-1], conversation.ids[-1]
                if conversation.turns and conversation.turns[-1][1] == row_id:
                    conversation.forget(len(conversation.turns) - 1, len(conversation.turns))
        return row_id, row

    async def clear(self, session_id: str, own: Sequence[OpenTurn] = ()) -> None:
        """Remove the session, and end the turns that are not *own*."""
        with self._guard:
            conversation = self._conversations.pop(session_id, None)
            life = conversation or self._begun_with(session_id)
            self._begun.pop(session_id, None)
            if life is not None and any(turn.life is life for turn in own):
                life = self._begin_with(session_id)
                for turn in own:
                    turn.life = life
                    turn.head = None if turn.head is None else 0

    async def sessions(
        self, prefix: str, limit: int | None, after: str | None
    ) -> list[SessionInfo]:
        """List sessions, newest first."""
        with self._guard:
            if after is not None and after not in self._conversations:
                raise no_such_page(after)
            ids: Iterator[str] = reversed(self._conversations)
            if after is not None:
                ids = dropwhile(lambda one: one != after, ids)
                next(ids)
            size = len(self._conversations) if limit is None else limit
            named = (one for one in ids if one.startswith(prefix))
            page = list(islice(named, min(size, len(self._conversations))))
            entries = [self._conversations[id] for id in page]
            return [
                SessionInfo(id, entry.created_at, entry.updated_at, len(entry.rows))
                for id, entry in zip(page, entries, strict=True)
            ]

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Nothing is held open."""

    async def begin(
        self,
        session_id: str,
        token: str,  # noqa: ARG002
        lease: float | None,  # noqa: ARG002
        window: RowWindow,
    ) -> Rows:
        """Return the rows of the window; no other process can have a lease."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            if conversation is not None:
                if window.names:
                    return conversation.window(window)
                return conversation.joined(window.limit)
            begun = self._begun_with(session_id) or self._begin_with(session_id)
            return Rows((), (), 0, begun)

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Do nothing: there is no lease."""

    async def release(self, session_id: str, token: str, life: Any = None) -> None:
        """Do nothing: there is no lease."""

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append *rows* with their record."""
        with self._guard:
            known = self._conversations.get(session_id)
            if claim.again and known and known.has(claim.token):
                return True
            if claim.head is not None and claim.head != (known.head if known else 0):
                return False
            if claim.life is not None and claim.life is not (known or self._begun_with(session_id)):
                return False
            if known is not None and record.turn_id is not None:
                known.drop_half(record.turn_id)
            question = known.question(record.answers) if known and record.answers else None
            if question is None and record.answers:
                record = record._replace(answers=0)
            conversation = self._append(session_id, rows)
            last = self._newest_id
            first = last + 1 - len(rows) if question is None else question
            conversation.record((first, last, len(rows) + record.answers, record, claim.token))
        return True

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the newest recorded turn of that id."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            turn = conversation.named.get(turn_id) if conversation else None
            return conversation.recorded(turn) if conversation and turn else None

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the session's newest row, if one does."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            turn = conversation.newest_turn() if conversation else None
            return conversation.recorded(turn) if conversation and turn else None

    async def ranges(self, session_id: str, first: int = 0) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn."""
        with self._guard:
            if (conversation := self._conversations.get(session_id)) is None:
                return []
            place = bisect_left(conversation.turns, first, key=lambda turn: turn[1])
            return [(turn[0], turn[1]) for turn in conversation.turns[place:]]

    async def cut(self, session_id: str, first: int, last: int, count: int) -> bool:
        """Remove rows, and the turns that they were of."""
        with self._guard:
            conversation = self._conversations.get(session_id)
            return conversation is not None and conversation.cut(first, last, count)

    async def key(self) -> bytes:
        """Return the store's secret."""
        if not self._key:
            with self._guard:
                self._key = self._key or secrets.token_bytes(32)
        return self._key


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
        super().__init__(session_id, MemoryBackend(), session_settings)


class InMemoryStore(DatabaseStore):
    """Sessions by id, in this process only."""

    def __init__(self) -> None:
        super().__init__(MemoryBackend())
