"""What is known of the sessions in a SQLite file: listed, changed, forked, found and removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import Any

from memwrap.exceptions import StoreError
from memwrap.sessions.backend import LINGER_SECONDS
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
    TurnRow,
)
from memwrap.sessions.sqlite.connection import Durability
from memwrap.sessions.sqlite.engine import Engine
from memwrap.sessions.sqlite.engines import empty_log, engine_for, found_engine
from memwrap.sessions.sqlite.index import found_in, wipe_words
from memwrap.sessions.sqlite.listing import page_of
from memwrap.sessions.sqlite.schema import Tables
from memwrap.sessions.sqlite.values import ALL, json_list, promises_of, turn_row, values_of_record

__all__ = ["SQLiteConversations"]

_TIME = "%Y-%m-%d %H:%M:%S.%f"


class SQLiteConversations:
    """What is known of the sessions in a SQLite file.

    The object has a share in an engine, which has the connections.

    Args:
        path: The file.
        tables: Its tables.
        durability: What acknowledged rows survive: ``"power"`` or ``"process"``.
    """

    __slots__ = ("__weakref__", "_durability", "_joined", "_path", "_tables", "promises")

    def __init__(self, path: str, tables: Tables, durability: Durability = "power") -> None:
        self._path = path
        self._tables = tables
        self._durability: Durability = durability
        self._joined = 0  # the number of the engine that it joined last
        self.promises = promises_of(
            durability, expires=tables.ttl is not None, searches=tables.search
        )

    def __reduce__(self) -> Any:
        return type(self), (self._path, self._tables, self._durability)

    def _engine(self) -> Engine:
        engine = engine_for(self._path, self._tables, self._durability)
        if engine.number != self._joined:
            engine.shares.take(self)
            self._joined = engine.number
        return engine

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return (self._path, self._tables.pair, session_id)

    def place(self, session_id: str) -> str:
        """Name the session for an error."""
        return f"SQLite file {self._path!r}, table {self._tables.messages}, session {session_id!r}"

    async def setup(self) -> None:
        """Open the file, and make the tables or check them."""
        await self._engine().read("SELECT 1", ())

    async def durability(self) -> Durability:
        """Return what acknowledged rows survive."""
        return self._durability

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Give back the share in the connections of this event loop."""
        engine = found_engine(self._path, self._tables, self._durability)
        self._joined = 0
        if engine is not None:
            await asyncio.sleep(0)  # who closes in a loop lets others work all the same
            await engine.shares.give_back(self, linger)

    async def sessions(self, query: SessionQuery) -> list[SessionRow]:
        """List sessions, newest first."""
        return await page_of(self._engine(), query)

    async def turns(
        self, session_id: str, limit: int | None, before: int | None = None
    ) -> list[TurnRow]:
        """Return the newest recorded turns, oldest first."""
        size = -1 if limit is None else min(limit, ALL)
        values = (session_id, before, size)
        return [turn_row(row) for row in await self._engine().read(self._tables["turns"], values)]

    async def update(self, session_id: str, changes: Changes) -> None:
        """Change what is known of a session."""
        tags = json_list(changes.get("tags", ()))
        owner, title, metadata = (changes.get(name) for name in ("owner", "title", "metadata"))
        values = (session_id, " ".join(changes), owner, tags, title, metadata)
        await self._engine().write(self._tables["update"], values)

    async def fork(self, session_id: str, new_id: str, at: int | str | None) -> Forked:
        """Make a session of the rows and turns of another."""
        number, turn_id = (None, at) if isinstance(at, str) else (at, None)
        try:
            values = (new_id, session_id, number, turn_id)
            await self._engine().write(self._tables["fork"], values)
        except StoreError as exc:
            for answer in _REFUSALS:
                if str(exc.__cause__) == f"memwrap: {answer}":
                    return answer
            raise
        return "forked"

    async def search(self, query: SearchQuery) -> list[Found]:
        """Return the rows that hold all terms, best first."""
        return await found_in(self._engine(), query)

    async def purge(self, older_than: float | None, limit: int, *, count_only: bool = False) -> int:
        """Remove sessions that have expired, unless a turn of theirs holds a lease."""
        engine = self._engine()
        if count_only:
            found = await engine.read(self._tables["count_purged"], (older_than, -1))
            return int(found[0][0])
        return len(await self._gone("purge", (older_than, limit)))

    async def erase(self, session_id: str) -> Erased | None:
        """Remove all that there is of a session."""
        found = await self._gone("erase", (session_id,))
        return Erased(*found[0]) if found else None

    async def _gone(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Remove sessions from the file, its log and its index."""
        engine = self._engine()
        found = await engine.write(self._tables[statement], values)
        if found:
            await wipe_words(engine)
            await empty_log(engine)
        return found

    async def export(self, session_id: str, after: int, limit: int) -> Exported:
        """Return the oldest rows behind a number, with the turns that end among them."""
        engine = self._engine()
        rows = await engine.read(self._tables["export"], (session_id, after, limit))
        if not rows:
            return Exported((), (), ())
        between = (session_id, rows[0][0], rows[-1][0])
        turns = await engine.read(self._tables["export_turns"], between)
        ids, data = zip(*rows, strict=True)
        return Exported(ids, data, [turn_row(turn) for turn in turns])

    async def insert(
        self,
        session_id: str,
        place: int,
        rows: Sequence[bytes],
        turns: Sequence[MovedTurn],
        about: SessionRow,
    ) -> bool:
        """Append rows from another store with their turns."""
        texts = json.dumps([row.decode() for row in rows])
        times = (_text_of(about.created_at), _text_of(about.updated_at))
        known = (about.owner, json_list(about.tags), about.title, about.metadata)
        came = (json_list(about.usage), about.parent, about.parent_turn)
        expires = None if about.expires_at is None else about.expires_at.timestamp()
        moved = json.dumps([_values_of_turn(turn) for turn in turns])
        values = (session_id, place, texts, moved, *times, *known, *came, expires)
        try:
            await self._engine().write(self._tables["bring"], values)
        except StoreError as exc:
            if not str(exc.__cause__).startswith("memwrap:"):
                raise
            return False
        return True


_REFUSALS: tuple[Forked, ...] = ("missing", "taken")


def _values_of_turn(turn: MovedTurn) -> list[Any]:
    """Return a turn as the statement takes it that brings it here."""
    turn_id, fingerprint, shape, inputs, answers, _, *known = values_of_record(turn.record)
    if turn_id is not None:
        turn_id = turn_id.replace("\x1a", "\x1a1").replace("\0", "\x1a0")
    fields = (turn_id, fingerprint, shape, inputs, answers, *known)
    return [turn.end, *fields, turn.number, turn.size, turn.stored_at.timestamp()]


def _text_of(time: datetime) -> str:
    """Return a time as the table of sessions holds it: to the millisecond, in UTC."""
    return time.astimezone(UTC).strftime(_TIME)[:-3]
