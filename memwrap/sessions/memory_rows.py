"""Rows in memory, by session, and the turns that they were stored in."""

from __future__ import annotations

import secrets
import threading
from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import add
from typing import Any, Self
from weakref import ref

from memwrap.sessions.backend import LINGER_SECONDS, Claim, RecordedRows, Rows, RowWindow
from memwrap.sessions.base import Durability, Promises
from memwrap.sessions.conversation import About, Conversation, Life, MemoryTurn
from memwrap.sessions.records import TurnRow
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = ["MemoryRows"]


_MOST_BEGUN = 1000
_NEVER = datetime.fromtimestamp(0, UTC)


@lru_cache(maxsize=4)
def _promises(*, expires: bool, searches: bool) -> Promises:
    """Return one object for all sessions that promise the same."""
    return Promises(isolated=True, settles=True, turns=True, expires=expires, searches=searches)


class MemoryRows:
    """Rows in a dict of sessions.

    Args:
        ttl: Seconds after the newest write when a session expires; None for never.
        search: Whether sessions can be searched.
    """

    def __init__(self, ttl: float | None = None, *, search: bool = False) -> None:
        self.promises = _promises(expires=ttl is not None, searches=search)
        self._ttl = ttl
        self._abouts: dict[str, About] = {}
        self._newest_time = _NEVER  # no session is newer
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

    async def setup(self) -> None:
        """Nothing has to be made."""

    async def durability(self) -> Durability:
        """Return what rows survive: nothing."""
        return "none"

    async def add(
        self,
        session_id: str,
        rows: Sequence[bytes],
        token: str = "",  # noqa: ARG002
        *,
        again: bool = False,  # noqa: ARG002
    ) -> None:
        """Append *rows*."""
        with self._guard:
            self._append(session_id, rows)

    def _find(self, session_id: str) -> Conversation | None:
        """Return the conversation of that id, unless it has expired."""
        if self._abouts and self._is_expired(session_id):
            return None
        return self._conversations.get(session_id)

    def _is_expired(self, session_id: str) -> bool:
        about = self._abouts.get(session_id)
        expires_at = None if about is None else about.expires_at
        return expires_at is not None and expires_at <= datetime.now(UTC)

    def _about(self, session_id: str) -> About:
        """Return what is known of a session that is written to: of an expired one nothing."""
        if self._is_expired(session_id):
            self._conversations.pop(session_id, None)
            del self._abouts[session_id]
        about = self._abouts.get(session_id)
        if about is None:
            about = self._abouts[session_id] = About()
        if self._ttl is not None:
            about.expires_at = datetime.now(UTC) + timedelta(seconds=self._ttl)
        return about

    def _append(self, session_id: str, rows: Sequence[bytes]) -> Conversation:
        if self._ttl is not None or session_id in self._abouts:
            self._about(session_id)
        # Taken out and put back, it is the last in order: the one with the newest rows.
        conversation = self._conversations.pop(session_id, None)
        now = self._newest_time = max(datetime.now(UTC), self._newest_time)
        if conversation is None:
            begun = self._begun.pop(session_id, None)
            conversation = (None if begun is None else begun()) or Conversation()
            conversation.created_at = now
        self._conversations[session_id] = conversation
        first = self._newest_id + 1
        self._newest_id += len(rows)
        conversation.ids += range(first, self._newest_id + 1)
        conversation.rows += rows
        conversation.updated_at, conversation.order = now, self._newest_id
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
            conversation = self._find(session_id)
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
            conversation = self._find(session_id)
            if conversation is None or not conversation.rows:
                return None
            row_id, row = conversation.ids[-1], conversation.rows[-1]
            if readable(row):
                del conversation.rows[-1], conversation.ids[-1]
                if conversation.turns and conversation.turns[-1].last == row_id:
                    conversation.forget(len(conversation.turns) - 1, len(conversation.turns))
        return row_id, row

    async def clear(self, session_id: str, own: Sequence[OpenTurn] = ()) -> None:
        """Remove the session, and end the turns that are not *own*."""
        with self._guard:
            cleared = self._removed(session_id)
            about = self._abouts.pop(session_id, None)
            if about is not None and about.owner is not None:  # what is added is still theirs
                self._about(session_id).owner = about.owner
            lives = {turn.life.conversation for turn in own if isinstance(turn.life, Life)}
            if cleared is not None and cleared in lives:
                anew = self._begin_with(session_id)
                for turn in own:
                    turn.life = anew.begun()
                    turn.head = None if turn.head is None else 0

    def _removed(self, session_id: str) -> Conversation | None:
        """Remove a conversation, and what turns have begun with; return either."""
        begun = self._begun_with(session_id)
        self._begun.pop(session_id, None)
        return self._conversations.pop(session_id, None) or begun

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Nothing is held open."""

    async def begin(
        self,
        session_id: str,
        token: str,  # noqa: ARG002
        lease: float | None,  # noqa: ARG002
        window: RowWindow,
        dead: str | None = None,  # noqa: ARG002
    ) -> Rows:
        """Return the rows of the window; no other process can have a lease."""
        with self._guard:
            conversation = self._find(session_id)
            if conversation is not None:
                if window.names:
                    return conversation.window(window, conversation.begun())
                return conversation.joined(window.limit, conversation.begun())
            begun = self._begun_with(session_id) or self._begin_with(session_id)
            return Rows((), (), 0, begun.begun())

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Do nothing: there is no lease."""

    async def release(self, session_id: str, token: str, life: Any = None) -> None:
        """Do nothing: there is no lease."""

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append *rows* with their record."""
        with self._guard:
            known = self._find(session_id)
            if claim.again and known and known.has(claim.token):
                return True
            if not self._is_unchanged(session_id, known, claim):
                return False
            self._record(session_id, known, rows, record, claim.token)
        return True

    def _is_unchanged(self, session_id: str, known: Conversation | None, claim: Claim) -> bool:
        """Tell whether the session is the one that the turn began with."""
        if claim.life is not None:
            begun: Conversation = claim.life.conversation
            # One that has expired since is begun anew.
            there = self._conversations.get(session_id)
            if begun is not there and begun is not self._begun_with(session_id):
                return False
            begun.life = None
            known = begun
        return claim.head is None or claim.head == (known.head if known else 0)

    def _record(
        self,
        session_id: str,
        known: Conversation | None,
        rows: Sequence[bytes],
        record: TurnRecord,
        token: str,
    ) -> None:
        """Append the rows of a turn, which may answer a question, with their record."""
        if known is not None and record.turn_id is not None:
            known.drop_half(record.turn_id)
        question = known.question(record.answers) if known and record.answers else None
        if question is None and record.answers:
            record = record._replace(answers=0)
        conversation = self._append(session_id, rows)
        last = self._newest_id
        first = last + 1 - len(rows) if question is None else question
        turns = conversation.turns
        size, number = len(rows) + record.answers, turns[-1].number + 1 if turns else 1
        conversation.record(
            MemoryTurn(first, last, size, record, token, number, conversation.updated_at)
        )
        if record.usage:
            about = self._about(session_id)
            spent = about.usage or (0,) * len(record.usage)
            about.usage = tuple(map(add, spent, record.usage))

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the newest recorded turn of that id."""
        with self._guard:
            conversation = self._find(session_id)
            turn = conversation.named.get(turn_id) if conversation else None
            return conversation.recorded(turn) if conversation and turn else None

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the session's newest row, if one does."""
        with self._guard:
            conversation = self._find(session_id)
            turn = conversation.newest_turn() if conversation else None
            return conversation.recorded(turn) if conversation and turn else None

    async def ranges(self, session_id: str, first: int = 0) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn."""
        with self._guard:
            if (conversation := self._find(session_id)) is None:
                return []
            place = bisect_left(conversation.turns, first, key=lambda turn: turn.last)
            return [(turn.first, turn.last) for turn in conversation.turns[place:]]

    async def turns(
        self, session_id: str, limit: int | None, before: int | None = None
    ) -> list[TurnRow]:
        """Return the newest recorded turns, oldest first."""
        with self._guard:
            conversation = self._find(session_id)
            return conversation.listed(limit, before) if conversation else []

    async def cut(self, session_id: str, first: int, last: int, count: int | None) -> bool:
        """Remove rows, and the turns that they were of."""
        with self._guard:
            conversation = self._find(session_id)
            return conversation is not None and conversation.cut(first, last, count)

    async def key(self) -> bytes:
        """Return the store's secret."""
        if not self._key:
            with self._guard:
                self._key = self._key or secrets.token_bytes(32)
        return self._key
