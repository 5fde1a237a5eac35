"""A back end in PostgreSQL: rows, and what is known of each session."""

from __future__ import annotations

from collections.abc import Sequence

from memwrap.sessions.checks import no_such_page
from memwrap.sessions.postgres.listing import list_statement, row_of
from memwrap.sessions.postgres.rows import PostgresRows
from memwrap.sessions.postgres.search import found_rows
from memwrap.sessions.postgres.values import escaped, moved_values, turn_of
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

__all__ = ["PostgresBackend"]


class PostgresBackend(PostgresRows):
    """Rows in the tables of a schema, and what is known of each session."""

    async def sessions(self, query: SessionQuery) -> list[SessionRow]:
        """List sessions, newest first."""
        if query.after is not None and not query.after[1]:
            session_id = query.after[0]
            there = SessionQuery(session_id=session_id, limit=1, empty=True, expired=True)
            known = await self.sessions(there)
            if not known:
                raise no_such_page(session_id)
            query = query._replace(after=(session_id, known[0].cursor))
        sql, values = list_statement(self._tables.options.schema, query)
        return [row_of(row) for row in await self._tables.query(sql, values)]

    async def update(self, session_id: str, changes: Changes) -> None:
        """Change what is known of a session."""
        name, owner = escaped(session_id), changes.get("owner")
        values = (
            None if owner is None else escaped(owner),
            list(map(escaped, changes.get("tags", ()))) or None,
            changes.get("title"),
            changes.get("metadata"),
            list(changes),
            self._ttl,
        )
        while not await self._tables.fetch("update", name, *values):
            await self._begin_anew(name)

    async def fork(self, session_id: str, new_id: str, at: int | str | None) -> Forked:
        """Make a session of the rows and turns of another."""
        name, new = escaped(session_id), escaped(new_id)
        number = at if isinstance(at, int) else None
        if number is not None and number > _MOST_TURNS:
            return "missing"
        turn_id = escaped(at) if isinstance(at, str) else None
        while True:
            row = (await self._tables.fetch("fork", name, new, number, turn_id, self._ttl))[0]
            if row["is_made"]:
                return "forked"
            if not row["is_there"]:
                return "missing"
            if row["is_expired"]:
                await self._begin_anew(new)
            elif row["parent"] is not None:
                is_same = at is None or row["parent_turn"] == row["number"]
                return "forked" if is_same and row["parent"] == name else "taken"
            elif row["items"]:
                return "taken"

    async def search(self, query: SearchQuery) -> list[Found]:
        """Return the rows that hold all terms, those that fit best first."""
        return await found_rows(self._tables, query)

    async def purge(self, older_than: float | None, limit: int, *, count_only: bool = False) -> int:
        """Remove sessions that have expired, unless a turn of theirs holds a lease."""
        if count_only:
            return int((await self._tables.fetch("count_purged", older_than))[0][0])
        counted: int = 0
        while True:  # some may belong to turns that stored nothing, and do not count
            row = (await self._tables.fetch("purge", older_than, limit - counted))[0]
            counted += row["counted"]
            if counted == limit or row["removed"] == row["counted"]:
                return counted

    async def erase(self, session_id: str) -> Erased | None:
        """Remove all that there is of a session."""
        row = await self._tables.checked("remove", escaped(session_id), False)
        if row is None or not (row["items"] or row["is_known"]):
            return None
        return Erased(row["items"], row["turns"])

    async def export(self, session_id: str, after: int, limit: int) -> Exported:
        """Return the oldest rows behind a number, with the turns that end among them."""
        rows = await self._tables.fetch("export", escaped(session_id), after, limit)
        turns = [turn_of([row[place] for place in range(12)]) for row in rows if row["number"]]
        return Exported([row["seq"] for row in rows], [row["body"] for row in rows], turns)

    async def insert(
        self,
        session_id: str,
        place: int,
        rows: Sequence[bytes],
        turns: Sequence[MovedTurn],
        about: SessionRow,
    ) -> bool:
        """Append rows from another store with their turns."""
        name = escaped(session_id)
        values = (
            *(rows, place, about.created_at, about.updated_at, about.expires_at),
            None if about.owner is None else escaped(about.owner),
            list(map(escaped, about.tags)) or None,
            *(about.title, about.metadata, list(about.usage) or None),
            None if about.parent is None else escaped(about.parent),
            *moved_values(turns),
            *(self._ttl, about.parent_turn),
        )
        while True:
            row = (await self._tables.fetch("insert", name, *values))[0]
            if row["done"] or not row["expired"]:
                return bool(row["done"])
            await self._begin_anew(name)


_MOST_TURNS = 2**31 - 1
