"""Items with their numbers and turns, read from a store in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from memwrap.items import Item
from memwrap.sessions.backend import Backend
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo, TurnInfo
from memwrap.sessions.rows import decode_row

__all__ = ["Entry", "entries", "first_of", "listed"]

_PAGE = 200


class Entry(NamedTuple):
    """A row of a session.

    Attributes:
        number: Its number.
        item: Its item; None if the row is damaged.
        turn: The turn that it is of; None for none.
    """

    number: int
    item: Item | None
    turn: TurnInfo | None


async def entries(
    store: DatabaseStore, session_id: str, first: int = 0, last: int | None = None
) -> AsyncIterator[Entry]:
    """Yield the rows of a session with numbers from *first* to *last*, oldest first."""
    after = first - 1
    while True:
        found = await store.backend.export(session_id, after, _PAGE)
        if not found.ids:
            return
        turns = await _turns(store, session_id, found.ids[0], found.ids[-1])
        for number, row in zip(found.ids, found.rows, strict=True):
            if last is not None and number > last:
                return
            turn = next((t for t in turns if t.first_item <= number <= t.last_item), None)
            yield Entry(number, decode_row(row), turn)
        if len(found.ids) < _PAGE:
            return
        after = found.ids[-1]


async def _turns(store: DatabaseStore, session_id: str, first: int, last: int) -> list[TurnInfo]:
    """Return the turns that have rows between two numbers."""
    found: list[TurnInfo] = []
    before: TurnInfo | None = None
    while True:
        page = await store.turns(session_id, limit=_PAGE, before=before)
        found = [t for t in page if t.last_item >= first and t.first_item <= last] + found
        if len(page) < _PAGE or page[0].first_item <= first:
            return found
        before = page[0]


async def first_of(backend: Backend, session_id: str, limit: int) -> int:
    """Return the number of the first of the newest *limit* rows; 0 if there is none."""
    rows = await backend.get(session_id, limit, joined=False)
    return rows.ids[0] if rows.ids else 0


async def listed(
    store: DatabaseStore,
    *,
    prefix: str = "",
    owner: str | None = None,
    tag: str | None = None,
) -> AsyncIterator[SessionInfo]:
    """Yield all sessions, page by page."""
    after: SessionInfo | None = None
    while page := await store.sessions(prefix, _PAGE, after, owner=owner, tag=tag):
        for info in page:
            yield info
        if len(page) < _PAGE:
            return
        after = page[-1]
