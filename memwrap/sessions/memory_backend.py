"""A back end in memory: rows, and what is known of each session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from memwrap.sessions.checks import no_such_page
from memwrap.sessions.conversation import About, Conversation, MemoryTurn
from memwrap.sessions.memory_rows import MemoryRows
from memwrap.sessions.records import (
    Changes,
    Erased,
    Exported,
    Forked,
    Found,
    MovedTurn,
    SearchQuery,
    SessionQuery,
    SessionRow,
)
from memwrap.sessions.words import score_of

__all__ = ["MemoryBackend"]

_NOTHING = About()


class MemoryBackend(MemoryRows):
    """Rows in a dict of sessions, and what is known of each."""

    _is_in_order = True  # whether the sessions are in the order of their times

    async def sessions(self, query: SessionQuery) -> list[SessionRow]:
        """List sessions, newest first."""
        with self._guard:
            place = self._place(query.after)
            rows = (self._row(session_id) for session_id in self._ids(query))
            behind = rows if place is None else (row for row in rows if _key(row.cursor) < place)
            most = len(self._conversations) + len(self._abouts)
            return list(islice(behind, most if query.limit is None else min(query.limit, most)))

    def _place(self, after: tuple[str, str] | None) -> tuple[float, int] | None:
        if after is None:
            return None
        session_id, cursor = after
        if not cursor:
            if session_id not in self._conversations and session_id not in self._abouts:
                raise no_such_page(session_id)
            cursor = self._row(session_id).cursor
        return _key(cursor)

    def _ids(self, query: SessionQuery) -> Iterator[str]:
        """Yield the ids that a query is for, those with the newest rows first."""
        for session_id in self._all_ids(query):
            about = self._abouts.get(session_id, _NOTHING)
            conversation = self._conversations.get(session_id)
            if (
                session_id.startswith(query.prefix)
                and (query.owner is None or about.owner == query.owner)
                and (query.tag is None or query.tag in about.tags)
                and (query.empty or (conversation is not None and conversation.rows))
                and (query.expired or not self._is_expired(session_id))
            ):
                yield session_id

    def _all_ids(self, query: SessionQuery) -> Iterator[str]:
        if query.session_id is not None:
            known = query.session_id in self._conversations or query.session_id in self._abouts
            yield from [query.session_id] if known else []
            return
        if not self._is_in_order:  # sessions were brought here, with times of their own
            by_time = sorted(self._conversations.items(), key=lambda one: _time_of(one[1]))
            self._conversations = dict(by_time)
            self._is_in_order = True
        yield from reversed(self._conversations)
        if query.empty:
            yield from sorted(set(self._abouts) - set(self._conversations))

    def _row(self, session_id: str) -> SessionRow:
        about = self._abouts.get(session_id, _NOTHING)
        found = self._conversations.get(session_id) or Conversation()
        return SessionRow(
            session_id,
            found.created_at,
            found.updated_at,
            len(found.rows),
            len(found.turns),
            about.expires_at,
            about.owner,
            about.tags,
            about.title,
            about.metadata,
            about.usage,
            about.parent,
            about.parent_turn,
            f"{found.updated_at.timestamp()!r} {found.order}",
        )

    async def update(self, session_id: str, changes: Changes) -> None:
        """Change what is known of a session."""
        with self._guard:
            about = self._about(session_id)
            for name, value in changes.items():
                setattr(about, name, value)
            known = (about.owner, about.tags, about.title, about.metadata, about.parent)
            if not any(known) and session_id not in self._conversations:
                del self._abouts[session_id]

    async def fork(self, session_id: str, new_id: str, at: int | str | None) -> Forked:
        """Make a session of the rows and turns of another."""
        with self._guard:
            old = self._find(session_id)
            if old is None or not old.rows:
                return "missing"
            place = len(old.turns) - 1 if at is None else old.place_of(at)
            if place is None:
                return "missing"
            turns = old.turns[: place + 1]
            there = None if self._is_expired(new_id) else self._abouts.get(new_id)
            if there is not None and there.parent is not None:
                is_same = at is None or there.parent_turn == turns[-1].number
                return "forked" if is_same and there.parent == session_id else "taken"
            if self._find(new_id) is not None:
                return "taken"
            self._copy(session_id, new_id, turns, is_whole=at is None)
            return "forked"

    def _copy(
        self, session_id: str, new_id: str, turns: Sequence[MemoryTurn], *, is_whole: bool
    ) -> None:
        old = self._conversations[session_id]
        rows = old.newest(None, None if is_whole else turns[-1].last + 1)
        new = self._append(new_id, old.rows[: len(rows.ids)])
        numbers = dict(zip(rows.ids, new.ids, strict=True))
        for turn in turns:
            if turn.first in numbers and turn.last in numbers:
                first, last = numbers[turn.first], numbers[turn.last]
                record = turn.record._replace(marks="")
                new.record(turn._replace(first=first, last=last, record=record))
        about, known = self._about(new_id), self._abouts.get(session_id, _NOTHING)
        about.owner, about.tags = known.owner, known.tags
        about.title, about.metadata = known.title, known.metadata
        about.parent, about.parent_turn = session_id, turns[-1].number if turns else None

    async def search(self, query: SearchQuery) -> list[Found]:
        """Return the rows that hold all terms, after a look at each."""
        listed = SessionQuery(prefix=query.prefix, owner=query.owner)
        found: list[tuple[float, Found]] = []
        for session_id in list(self._ids(listed)):
            with self._guard:
                conversation = self._find(session_id)
                ids, rows = (
                    conversation.oldest(0, len(conversation.ids)) if conversation else ([], [])
                )
            for number, row in zip(ids, rows, strict=True):
                score = score_of(row, query.terms)
                if score and conversation:
                    turn = conversation.turn_of(number)
                    told = (turn.number, turn.record.turn_id) if turn else (None, None)
                    found.append((score, Found(session_id, number, row, *told)))
            await asyncio.sleep(0)
        found.sort(key=lambda one: one[0], reverse=True)
        return [one for _, one in found[: query.limit]]

    async def purge(self, older_than: float | None, limit: int, *, count_only: bool = False) -> int:
        """Remove sessions that have expired, unless a turn of theirs runs."""
        with self._guard:
            now = datetime.now(UTC)
            oldest = None if older_than is None else now - timedelta(seconds=older_than)
            gone = [
                session_id
                for session_id in {**self._conversations, **self._abouts}
                if self._is_to_go(session_id, oldest)
            ]
            if count_only:
                return len(gone)
            for session_id in gone[:limit]:
                self._forget(session_id)
            return min(len(gone), limit)

    def _is_to_go(self, session_id: str, oldest: datetime | None) -> bool:
        conversation = self._conversations.get(session_id)
        if conversation is not None and conversation.is_running:
            return False
        if self._is_expired(session_id):
            return True
        return oldest is not None and conversation is not None and conversation.updated_at < oldest

    async def erase(self, session_id: str) -> Erased | None:
        """Remove all that there is of a session."""
        with self._guard:
            if session_id not in self._conversations and session_id not in self._abouts:
                self._removed(session_id)
                return None
            found = self._forget(session_id)
            return Erased(len(found.rows), len(found.turns)) if found else Erased(0, 0)

    def _forget(self, session_id: str) -> Conversation | None:
        self._abouts.pop(session_id, None)
        return self._removed(session_id)

    async def export(self, session_id: str, after: int, limit: int) -> Exported:
        """Return the oldest rows behind a number, with the turns that end among them."""
        with self._guard:
            conversation = self._find(session_id)
            if conversation is None:
                return Exported((), (), ())
            ids, rows = conversation.oldest(after, limit)
            turns = conversation.whole_turns(ids[0], ids[-1]) if ids else ()
            return Exported(ids, rows, turns)

    async def insert(
        self,
        session_id: str,
        place: int,
        rows: Sequence[bytes],
        turns: Sequence[MovedTurn],
        about: SessionRow,
    ) -> bool:
        """Append rows from another store with their turns."""
        with self._guard:
            known = self._find(session_id)
            if place != (len(known.rows) if known else 0):
                return False
            new = self._append(session_id, rows)
            for turn in turns:
                last = place + turn.end
                first = new.ids[last + 1 - turn.size]
                new.record(
                    MemoryTurn(
                        *(first, new.ids[last], turn.size, turn.record, ""),
                        *(turn.number, turn.stored_at),
                    )
                )
            new.created_at, new.updated_at = about.created_at, about.updated_at
            self._is_in_order = False
            self._keep(session_id, about)
        return True

    def _keep(self, session_id: str, row: SessionRow) -> None:
        """Note what another store knows of a session."""
        about = self._about(session_id)
        about.owner, about.tags = row.owner, tuple(row.tags)
        about.title, about.metadata = row.title, row.metadata
        about.usage = tuple(row.usage)
        about.parent, about.parent_turn = row.parent, row.parent_turn
        if self._ttl is None:
            about.expires_at = row.expires_at


def _key(cursor: str) -> tuple[float, int]:
    time, _, order = cursor.partition(" ")
    return float(time), int(order)


def _time_of(conversation: Conversation) -> tuple[datetime, int]:
    return conversation.updated_at, conversation.order
