"""A back end on a Redis server: rows, and what is known of each session."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from memwrap.exceptions import StoreError
from memwrap.sessions.checks import no_such_page
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
from memwrap.sessions.redis.rows import RedisRows
from memwrap.sessions.redis.scripts import script
from memwrap.sessions.redis.values import (
    BUCKETS,
    escaped,
    micros,
    record_text,
    rows_of,
    session_row,
    turn_of,
)

__all__ = ["RedisBackend"]

_FORKED: dict[int, Forked] = {1: "forked", 2: "taken"}


class RedisBackend(RedisRows):
    """Rows on a server, and what is known of each session."""

    async def sessions(self, query: SessionQuery) -> list[SessionRow]:
        """List sessions, newest first: those of each part of the keys, put together."""
        greatest, after = "+inf", ""
        if query.after is not None:
            after, greatest = query.after
            if not greatest:
                there = SessionQuery(session_id=after, limit=1, empty=True, expired=True)
                known = await self.sessions(there)
                if not known:
                    raise no_such_page(after)
                greatest = known[0].cursor
        rest = (
            *(-1 if query.limit is None else query.limit, greatest, escaped(after)),
            *(escaped(query.prefix), query.owner or "", query.tag or ""),
            *(int(query.empty), int(query.expired)),
        )
        only = "" if query.session_id is None else escaped(query.session_id)
        buckets = range(BUCKETS) if not only else [self._keys.bucket_of(only)]
        calls = [self._call(bucket, *rest, only) for bucket in buckets]
        answers = await (await self.client()).run_all(script("list"), calls)
        rows = [row for answer in answers for row in answer]
        rows.sort(key=lambda row: (float(row[-1]), row[0]), reverse=True)
        return [session_row(row) for row in rows[: query.limit]]

    def _call(self, bucket: int, *args: Any) -> tuple[str, Sequence[Any]]:
        front, tenant = self._keys.front(bucket), self._keys.tenant
        return f"{front}z:{tenant}", (front, tenant, *args)

    async def update(self, session_id: str, changes: Changes) -> None:
        """Change what is known of a session."""
        fields: list[Any] = []
        for name, value in changes.items():
            text = json.dumps(value, ensure_ascii=False) if name == "tags" and value else value
            fields += [name, int(bool(value)), text or ""]
        await self.run("update", session_id, *fields)

    async def fork(self, session_id: str, new_id: str, at: int | str | None) -> Forked:
        """Make a session of the rows and turns of another, which may be in another slot."""
        kind = "all" if at is None else "id" if isinstance(at, str) else "number"
        found = await self.run("fork_read", session_id, kind, "" if at is None else at)
        if not found:
            return "missing"
        rows, members, number, *about = found
        ids, data = rows_of(rows)
        turns: list[Any] = []
        for member in members:
            turn = turn_of(member)
            begin, end = bisect_left(ids, turn.first), bisect_right(ids, turn.last)
            if begin < end:
                turns += [
                    *(begin, end - 1, turn.size, turn.number, micros(turn.stored_at)),
                    *_record_of(turn.record._replace(usage=())),
                ]
        args = [0, 1, "", "", "", *(value or "" for value in about), "", escaped(session_id)]
        args += ["" if number is None else number, int(at is None), len(turns) // 7]
        done = await self.run("insert", new_id, *args, *turns, *data)
        return _FORKED[done]

    async def search(self, query: SearchQuery) -> list[Found]:  # noqa: ARG002
        """Refuse: such a server has no index of words.

        Raises:
            StoreError: Always.
        """
        raise StoreError(f"Redis at {self._source.place}: conversations here cannot be searched")

    async def purge(self, older_than: float | None, limit: int, *, count_only: bool = False) -> int:
        """Remove sessions that have expired, unless a turn of theirs holds a lease."""
        older = "" if older_than is None else round(older_than * 1_000_000)
        client, counted = await self.client(), 0
        for bucket in range(BUCKETS):
            key, args = self._call(bucket, older, limit - counted, int(count_only))
            counted += await client.run(script("purge"), [key], args)
            if counted >= limit and not count_only:
                break
        return counted

    async def erase(self, session_id: str) -> Erased | None:
        """Remove all that there is of a session."""
        is_known, items, turns = await self.run("erase", session_id)
        return Erased(items, turns) if is_known else None

    async def export(self, session_id: str, after: int, limit: int) -> Exported:
        """Return the oldest rows behind a number, with the turns that end among them."""
        rows, members = await self.run("export", session_id, after, limit)
        return Exported(*rows_of(rows), [turn_of(member) for member in members])

    async def insert(
        self,
        session_id: str,
        place: int,
        rows: Sequence[bytes],
        turns: Sequence[MovedTurn],
        about: SessionRow,
    ) -> bool:
        """Append rows from another store with their turns."""
        moved: list[Any] = []
        for turn in turns:
            moved += [
                *(turn.end + 1 - turn.size, turn.end, turn.size, turn.number),
                *(micros(turn.stored_at), *_record_of(turn.record)),
            ]
        done = await self.run(
            *("insert", session_id, place, 0, micros(about.created_at), micros(about.updated_at)),
            "" if about.expires_at is None else micros(about.expires_at),
            about.owner or "",
            json.dumps(list(about.tags), ensure_ascii=False) if about.tags else "",
            *(about.title or "", about.metadata or "", ",".join(map(str, about.usage))),
            "" if about.parent is None else escaped(about.parent),
            "" if about.parent_turn is None else about.parent_turn,
            *(0, len(turns), *moved, *rows),
        )
        return bool(done)


def _record_of(record: Any) -> tuple[str, str]:
    """Return the id and the rest of a turn's record; marks name rows that have other numbers."""
    return record.turn_id or "", f"{record.answers}, {record_text(record, '', marks='')}"
