"""Rows in a PostgreSQL database, and the turns that they were stored in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from memwrap.exceptions import StoreError
from memwrap.sessions.backend import LINGER_SECONDS, Claim, Held, RecordedRows, Rows, RowWindow
from memwrap.sessions.base import Durability, Promises
from memwrap.sessions.lives import Life, begin_anew, go_on
from memwrap.sessions.postgres.failures import is_damaged, is_taken
from memwrap.sessions.postgres.statements import ALL
from memwrap.sessions.postgres.tables import Tables
from memwrap.sessions.postgres.values import escaped, number_of, record_values, turn_of
from memwrap.sessions.records import TurnRow
from memwrap.sessions.rows import is_readable
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = ["PostgresRows"]

_TRIES = 3


class PostgresRows:
    """Rows in the tables of a schema.

    Args:
        tables: The tables.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        ttl = tables.options.ttl
        self._ttl = None if ttl is None else timedelta(seconds=ttl)
        self._key = b""
        self.promises = Promises(
            shared=True,
            isolated=True,
            settles=True,
            turns=True,
            expires=ttl is not None,
            searches=tables.options.search,
        )

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        return (self._tables.identity, session_id)

    def place(self, session_id: str) -> str:
        """Name the session for an error."""
        return f"{self._tables.name}, session {session_id!r}"

    async def setup(self) -> None:
        """Make the schema, or check it."""
        await self._tables.known(anew=True)

    async def durability(self) -> Durability:
        """Return what acknowledged rows survive, as the server is set up for this role.

        Without ``synchronous_commit`` a server that is killed forgets what it had not written yet;
        without ``fsync`` or ``full_page_writes`` a power cut may damage what it had.
        """
        commit, fsync, pages = await self._tables.read_durability()
        found: Durability = "none"
        if commit != "off":
            found = "power" if fsync == "on" and pages == "on" else "process"
        self.promises = replace(self.promises, durability=found)
        return found

    async def add(
        self, session_id: str, rows: Sequence[bytes], token: str = "", *, again: bool = False
    ) -> None:
        """Append *rows*, once under their token."""
        number = number_of(token) if token else None
        name = escaped(session_id)
        if again and await self._tables.fetch("is_stored", name, number):
            return
        while True:
            try:
                added = await self._tables.fetch("add", name, rows, number, self._ttl)
            except StoreError as exc:
                if is_taken(exc):  # the one before was under way, and has come first
                    return
                raise
            if added:
                return
            await self._begin_anew(name)

    async def _begin_anew(self, name: str) -> None:
        """Remove what is left of a session that has expired."""
        await self._tables.checked("remove", name, True)

    async def get(
        self,
        session_id: str,
        limit: int | None,
        *,
        joined: bool,  # noqa: ARG002  (the driver has them apart)
        before: int | None = None,
    ) -> Rows:
        """Return the newest *limit* rows."""
        size = ALL if limit is None else min(limit, ALL)
        end = ALL if before is None else min(before, ALL)
        found = await self._tables.fetch("get", escaped(session_id), size, end)
        if not found:
            return Rows((), (), 0)
        if found[0][2] is None:
            return Rows((), (), found[0][0])
        return Rows([row[2] for row in found], [row[3] for row in found], found[0][0])

    async def pop(
        self, session_id: str, readable: Callable[[bytes], bool], own: Sequence[OpenTurn] = ()
    ) -> tuple[int, bytes] | None:
        """Remove and return the newest row; one that is not readable stays."""
        if readable is is_readable:  # which the server can tell of most rows
            try:
                row = await self._tables.checked("pop", escaped(session_id), None)
            except StoreError as exc:
                if not is_damaged(exc):
                    raise
            else:
                if row is None or row["done"]:
                    return _popped(row, own)
        while (newest := await self.get(session_id, 1, joined=False)).ids:
            number, data = newest.ids[0], cast("bytes", newest.data[0])
            if not readable(data):
                return number, data
            row = await self._tables.checked("pop", escaped(session_id), number)
            if row is None or row["done"]:
                return _popped(row, own)
        return None

    async def clear(self, session_id: str, own: Sequence[OpenTurn] = ()) -> None:
        """Remove the session with its rows, but its owner, and end the turns that are not *own*."""
        spared = [turn.lease_token for turn in own if turn.lease_token is not None]
        row = await self._tables.checked("clear", escaped(session_id), spared, bool(own), self._ttl)
        if row is None or row["life"] is None:
            return
        begin_anew(own, row["old"], Life(row["life"], row["version"]))

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Give back the share in the connections of this event loop."""
        await self._tables.close(linger)

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        window: RowWindow,
        dead: str | None = None,
    ) -> Rows | Held:
        """Take the lease, if there is to be one, and return the rows of the window."""
        statement = "begin" if lease is not None else "begin_unleased"
        size = ALL if window.limit is None else min(window.limit, ALL)
        name = escaped(session_id)
        values: tuple[Any, ...] = (name, size, ALL, token, lease, dead, self._ttl)
        if window.names:
            statement += "_marked"
            most = ALL if window.most is None else min(window.most, ALL)
            values += ([escaped(name) for name in window.names], most)
        can_merge = statement == "begin" and dead is None
        for number in range(2 * _TRIES):
            ask = self._tables.fetch if number < _TRIES else self._tables.locked
            if can_merge and not number:
                ask = self._tables.merged
            found = await ask(statement, *values)
            first = found[0]
            if first["life"] is None:
                if lease is not None and first["holder"] is not None:
                    return Held(first["holder"])
                if first["expired"]:
                    await self._begin_anew(name)
            elif first["version"] == (first["seen"] or 0):
                return _begun(found)
        raise StoreError(f"{self.place(session_id)}: it changed each time a turn was to begin")

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Let the lease begin anew."""
        await self._tables.fetch("renew", escaped(session_id), token, lease)

    async def release(self, session_id: str, token: str, life: Any = None) -> None:  # noqa: ARG002
        """Give the lease back; the session's row stays, so that the turn may be stored later."""
        await self._tables.fetch("release", escaped(session_id), token)

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append *rows* with their record and give the lease back."""
        name, number = escaped(session_id), number_of(claim.token)
        if claim.again and await self._tables.fetch("is_stored", name, number):
            return True
        life = claim.life or Life(None, None)  # type: ignore[arg-type]  # neither is checked
        turn_id, shape, inputs, answers, rest, marks = record_values(record)
        usage = list(record.usage) or None
        values = (
            *(rows, claim.lease, life.life, life.version, claim.head),
            *(claim.token, self._ttl, usage, number, turn_id, shape, inputs, answers, rest),
            *(marks, int(bool(rows))),
        )
        is_made = False
        while True:
            if turn_id is None and not answers:
                ask = self._tables.merged if rows and usage is None else self._tables.fetch
                is_stored = bool(await ask("commit", name, *values))
            else:
                row = await self._tables.checked("commit_over", name, *values)
                is_stored = row is not None and row["done"]
            if is_stored:
                return True
            if life.life is None:
                if is_made or claim.lease is not None or claim.head:
                    break
                await self.begin(session_id, claim.token, None, RowWindow(0))  # there may be none
                is_made = True
                continue
            anew = await self._tables.checked("restart", name, life.life, self._ttl)
            if anew is None:
                break
        # The one before may have been under way when this one looked.
        return claim.again and bool(await self._tables.fetch("is_stored", name, number))

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the newest recorded turn of that id, with those of its rows that are there."""
        return _recorded(await self._tables.fetch("find", escaped(session_id), escaped(turn_id)))

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the session's newest row, if one does."""
        return _recorded(await self._tables.fetch("newest", escaped(session_id)))

    async def ranges(self, session_id: str, first: int = 0) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn."""
        found = await self._tables.fetch("ranges", escaped(session_id), first)
        return [(row[0], row[1]) for row in found]

    async def turns(
        self, session_id: str, limit: int | None, before: int | None = None
    ) -> list[TurnRow]:
        """Return the newest recorded turns, oldest first."""
        size = ALL if limit is None else min(limit, ALL)
        end = _MOST_TURNS if before is None else min(before, _MOST_TURNS)
        found = await self._tables.fetch("turns", escaped(session_id), end, size)
        return [turn_of(row) for row in found]

    async def cut(self, session_id: str, first: int, last: int, count: int | None) -> bool:
        """Remove rows, and the turns that they were of."""
        values = max(first, 0), min(last, ALL), count
        row = await self._tables.checked("cut", escaped(session_id), *values)
        return row is not None and row["done"]

    async def key(self) -> bytes:
        """Return the secret of the tenant, which is kept in the schema.

        Of a store that is only read it is empty if none has been made, as nothing needs it.
        """
        if not self._key:
            found = await self._tables.fetch("get_key")
            if not found and self._tables.options.read_only:
                return b""
            if not found:
                # Whichever process comes first: all get what is stored then.
                found = await self._tables.fetch("make_key", secrets.token_bytes(32))
            self._key = found[0][0]
        return self._key


_MOST_TURNS = 2**31 - 1


def _begun(found: list[Any]) -> Rows:
    first = found[0]
    life = Life(first["life"], first["version"])
    if first["seq"] is None:
        return Rows((), (), life.version, life, first["marks"])
    ids, data = [row[6] for row in found], [row[7] for row in found]
    return Rows(ids, data, life.version, life, first["marks"])


def _recorded(found: list[Any]) -> RecordedRows | None:
    if not found:
        return None
    turn = turn_of([found[0][place] for place in range(12)])
    rows = Rows([row[12] for row in found], [row[13] for row in found])
    return RecordedRows(turn.record, rows, turn.size)


def _popped(row: Any, own: Sequence[OpenTurn]) -> tuple[int, bytes] | None:
    if row is None:
        return None
    go_on(own, row["version"])
    return row["seq"], row["body"]
