"""The list of sessions: what a prefix means in SQL, and times that any program may have written."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from memwrap.sessions.base import SessionInfo
from memwrap.sessions.checks import no_such_page
from memwrap.sessions.sqlite.engine import Engine
from memwrap.sessions.sqlite.values import ALL

__all__ = ["end_of", "info_of", "page_of"]

_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF
_NO_TIME = datetime.fromtimestamp(0, UTC)


async def page_of(
    engine: Engine, prefix: str, limit: int | None, after: str | None
) -> list[SessionInfo]:
    """Return one page of the list, the session with the newest rows first."""
    position: tuple[Any, Any] = (None, None)
    if after is not None:
        found = await engine.read(engine.tables["position"], (after,))
        if not found:
            raise no_such_page(after)
        position = (found[0][0], found[0][1])
    size = -1 if limit is None else min(limit, ALL)
    rows = await engine.read(engine.tables["list"], (prefix, end_of(prefix), *position, size))
    return [info_of(*row) for row in rows]


def end_of(prefix: str) -> str | None:
    """Return the first string behind all that begin with *prefix*; None if there is none."""
    for index in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[index]) + 1
        if point == _FIRST_SURROGATE:  # these are no characters
            point = _LAST_SURROGATE + 1
        if point <= sys.maxunicode:
            return prefix[:index] + chr(point)
    return None


def info_of(session_id: str, created_at: Any, updated_at: Any, count: int) -> SessionInfo:
    """Return one line of the list; a time that is none is left to the other, or is the epoch."""
    created, updated = _time(created_at), _time(updated_at)
    known = created or updated or _NO_TIME
    return SessionInfo(session_id, created or known, updated or known, count)


def _time(text: bytes | None) -> datetime | None:
    """Return the time that another program may have written; None if it is none."""
    try:
        time = datetime.fromisoformat((text or b"").decode())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
