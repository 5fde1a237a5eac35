"""What is kept of a store, and for how long: expired, shortened and erased sessions."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from memwrap.sessions.backend import Backend
from memwrap.sessions.info import Receipt
from memwrap.sessions.records import SessionQuery, SessionRow

__all__ = ["erase_all", "erase_one", "keep_newest", "listed", "purge_all"]

_BATCH = 1000  # sessions that are removed at once
_PAGE = 500  # sessions that are listed at once


async def listed(backend: Backend, query: SessionQuery) -> AsyncGenerator[SessionRow, None]:
    """Yield all sessions of a query, page by page, whatever happens to them meanwhile."""
    while True:
        page = await backend.sessions(query._replace(limit=_PAGE))
        for row in page:
            yield row
        if len(page) < _PAGE:
            return
        query = query._replace(after=(page[-1].session_id, page[-1].cursor))


async def purge_all(backend: Backend, older_than: float | None, *, dry_run: bool) -> int:
    """Remove the sessions that have expired or are old, in batches; return how many."""
    if dry_run:
        return await backend.purge(older_than, _BATCH, count_only=True)
    count = 0
    while True:
        removed = await backend.purge(older_than, _BATCH)
        count += removed
        if removed < _BATCH:
            return count


async def keep_newest(
    backend: Backend, turns: int, older_than: float | None, *, dry_run: bool
) -> int:
    """Remove the items before the newest turns of each session; return how many had such."""
    count = 0
    before = None if older_than is None else datetime.now(UTC) - timedelta(seconds=older_than)
    async for row in listed(backend, SessionQuery()):
        if row.turns <= turns or (before is not None and row.updated_at > before):
            continue
        newest = await backend.turns(row.session_id, turns)
        if len(newest) < turns:  # some have been removed meanwhile
            continue
        count += 1
        if not dry_run:
            await backend.cut(row.session_id, 0, newest[0].first - 1, None)
    return count


async def erase_one(backend: Backend, session_id: str) -> Receipt:
    """Erase a session, whoever has it; return the receipt."""
    erased = await backend.erase(session_id)
    if erased is None:
        return Receipt(datetime.now(UTC), 0, 0, 0, ())
    digests = (_digest(await backend.key(), session_id),)
    return Receipt(datetime.now(UTC), 1, erased.turns, erased.items, digests)


async def erase_all(backend: Backend, owner: str) -> Receipt:
    """Erase all sessions of an owner, expired and empty ones too; return the receipt."""
    key = await backend.key()
    query = SessionQuery(owner=owner, limit=_PAGE, empty=True, expired=True)
    digests: set[str] = set()
    turns = items = 0
    while rows := await backend.sessions(query):  # again for those that came meanwhile
        for row in rows:
            erased = await backend.erase(row.session_id)
            digests.add(_digest(key, row.session_id))
            if erased is not None:
                turns += erased.turns
                items += erased.items
    return Receipt(
        datetime.now(UTC), len(digests), turns, items, tuple(sorted(digests)), _digest(key, owner)
    )


def _digest(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()
