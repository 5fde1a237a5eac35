"""The beginning of a turn in the store, behind the turns of other processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable

from memwrap.exceptions import SessionBusy
from memwrap.sessions.base import identity
from memwrap.sessions.leases import new_token
from memwrap.sessions.turns import OpenTurn, TurnSession
from memwrap.turn import Turn
from memwrap.window import Windows

__all__ = ["begun", "outer_turn"]

_PAUSES = (0.002, 0.05)  # seconds between two looks at another process's lease: first, most


async def begun(
    store: TurnSession,
    *,
    session_id: str,
    lease: float | None,
    patience: float,
    deadline: float,
    windows: Windows | None,
) -> OpenTurn:
    """Begin a turn as soon as no other process has the session.

    Args:
        store: Runs the turns of the session.
        session_id: Names the session in the error.
        lease: How many seconds the turn has the session for, unless it asks again; None for none.
        patience: How many seconds the caller waits in all.
        deadline: When they end, in seconds of ``time.monotonic()``.
        windows: What is loaded of the history; None for all.

    Raises:
        SessionBusy: A turn of another process had the session until then.
        StoreError: The history could not be loaded.
    """
    token, (pause, most) = new_token(), _PAUSES
    while (opened := await store.begin_turn(token, lease=lease, windows=windows)) is None:
        if time.monotonic() + pause > deadline:
            raise SessionBusy(
                f"session {session_id!r}: a turn in another process has kept it for more than"
                f" {patience:g} s"
            )
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, most)
    return opened


def outer_turn(turn: Turn | None, key: Hashable) -> Turn | None:
    """Return the nearest of *turn* and the turns around it that has the session of *key* open."""
    while turn is not None:
        if turn.run.is_open and turn.session is not None and identity(turn.session) == key:
            return turn
        turn = turn.run.parent
    return None
