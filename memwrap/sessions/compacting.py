"""Sessions that replace their items by fewer when they are asked to, behind a turn."""

from __future__ import annotations

import logging
from typing import Any, Protocol, cast

from memwrap.sessions.base import Session
from memwrap.sessions.popping import maybe

__all__ = ["Compacting", "compacted"]

_log = logging.getLogger("memwrap")


class Compacting(Protocol):
    """A session that decides for itself whether its items have become too many."""

    def run_compaction(self) -> Any:
        """Replace the items by fewer if they are too many; may be async."""
        ...


async def compacted(session: Session) -> None:
    """Ask a session to compact its items if it is one that does so.

    The turn is stored by then, and the caller gets its answer: a failure is logged.
    """
    # Sessions around sessions hand the method on, which isinstance does not see on every Python.
    if not callable(getattr(session, "run_compaction", None)):
        return
    try:
        await maybe(cast("Compacting", session).run_compaction())
    except Exception as exc:  # noqa: BLE001  (somebody's own session may raise anything)
        _log.warning(
            "session %r: the turn is stored, but the session was not compacted (%s)",
            session.session_id,
            type(exc).__name__,
        )
