"""The turns of a time: of one session, or of all that one owner has."""

from __future__ import annotations

from datetime import datetime

from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.info import TurnInfo, turn_info
from memwrap.sessions.records import SessionQuery

__all__ = ["turns_since"]

_PAGE = 200


async def turns_since(
    session: DatabaseSession, since: datetime | None, owner: str | None = None
) -> list[TurnInfo]:
    """Return the turns that were stored since then, the newest of each session first.

    Args:
        session: The session, or one of the same store.
        since: The time; None for all turns.
        owner: Whose sessions; None for the session alone.

    Raises:
        StoreError: The back end failed.
    """
    ids = [session.session_id]
    if owner is not None:
        rows = await session.backend.sessions(SessionQuery(owner=owner))
        ids = [row.session_id for row in rows if since is None or row.updated_at >= since]
    return [turn for session_id in ids for turn in await _of(session, session_id, since)]


async def _of(session: DatabaseSession, session_id: str, since: datetime | None) -> list[TurnInfo]:
    found: list[TurnInfo] = []
    before: int | None = None
    while True:
        rows = await session.backend.turns(session_id, _PAGE, before)
        page = [turn_info(session_id, row) for row in reversed(rows)]
        new = [turn for turn in page if since is None or turn.stored_at >= since]
        found += new
        if len(new) < _PAGE:
            return found
        before = page[-1].number
