"""The list of sessions: what a prefix means in SQL, and times that any program may have written."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from memwrap.sessions.checks import no_such_page
from memwrap.sessions.records import SessionQuery, SessionRow
from memwrap.sessions.sqlite.engine import Engine
from memwrap.sessions.sqlite.values import ALL

__all__ = ["end_of", "page_of", "row_of"]

_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF
_AT, _PLACE = 11, 12  # of the columns that are read
_NO_TIME = datetime.fromtimestamp(0, UTC)


async def page_of(engine: Engine, query: SessionQuery) -> list[SessionRow]:
    """Return one page of the list, the session with the newest rows first."""
    place = await _place(engine, query.after)
    page: list[SessionRow] = []
    while query.limit is None or len(page) < query.limit:
        size = None if query.limit is None else query.limit - len(page)
        rows = await engine.read(engine.tables[_statement(query)], _values(query, place, size))
        page += [row for row in map(row_of, rows) if row.items or query.empty]
        if size is None or len(rows) < size:
            break
        place = rows[-1][_AT], rows[-1][_PLACE]  # some of them had no items
    return page


def _statement(query: SessionQuery) -> str:
    if query.session_id is not None:
        return "list_one"
    if query.owner is not None:
        return "list_owned"
    return "list_every" if query.empty else "list"


def _values(
    query: SessionQuery, place: tuple[Any, Any] | tuple[None, None], size: int | None
) -> tuple[Any, ...]:
    tag = None if query.tag is None else json.dumps(query.tag)
    tags = (None, None) if tag is None else (f"[{tag}", f",{tag}")
    size = -1 if size is None else min(size, ALL)
    values = (query.prefix, end_of(query.prefix), query.owner, *tags, query.expired, *place, size)
    return values if query.session_id is None else (*values, query.session_id)


async def _place(
    engine: Engine, after: tuple[str, str] | None
) -> tuple[Any, Any] | tuple[None, None]:
    """Return the place that the page goes on behind: a time as it is stored, and a row."""
    if after is None:
        return None, None
    session_id, cursor = after
    if cursor:
        at, place = json.loads(cursor)
        return bytes.fromhex(at[0]) if isinstance(at, list) else at, place
    found = await engine.read(engine.tables["position"], (session_id,))
    if not found:
        raise no_such_page(session_id)
    return found[0][0], found[0][1]


def end_of(prefix: str) -> str | None:
    """Return the first string behind all that begin with *prefix*; None if there is none."""
    for index in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[index]) + 1
        if point == _FIRST_SURROGATE:  # these are no characters
            point = _LAST_SURROGATE + 1
        if point <= sys.maxunicode:
            return prefix[:index] + chr(point)
    return None


def row_of(found: Sequence[Any]) -> SessionRow:
    """Return one line of the list; a time that is none is left to the other, or is the epoch."""
    session_id, created_at, updated_at, expires, owner, tags, title, metadata, *rest = found
    usage, parent, parent_turn, at, place, items, turns = rest
    created, updated = _time(created_at), _time(updated_at)
    known = created or updated or _NO_TIME
    return SessionRow(
        session_id,
        created or known,
        updated or known,
        items,
        turns,
        None if expires is None else datetime.fromtimestamp(expires, UTC),
        owner,
        tuple(json.loads(tags)) if tags else (),
        title,
        metadata,
        tuple(json.loads(usage)) if usage else (),
        parent,
        parent_turn,
        json.dumps([[at.hex()] if isinstance(at, bytes) else at, place]),
    )


def _time(text: bytes | None) -> datetime | None:
    """Return the time that another program may have written; None if it is none."""
    try:
        time = datetime.fromisoformat((text or b"").decode())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
