"""A session that is held for a moment, between turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from memwrap.exceptions import SessionBusy
from memwrap.memory.locks import acquire, release
from memwrap.sessions.base import Session, identity
from memwrap.sessions.four_methods import turns_of
from memwrap.sessions.leases import new_token
from memwrap.sessions.turns import OpenTurn, TurnSession
from memwrap.window import Windows

__all__ = ["held"]

_PATIENCE = 30.0
_POLL_PAUSES = (0.002, 0.05)  # seconds between two looks at another process's lease: first, most


@asynccontextmanager
async def held(
    session: Session, *, secret: bytes = b"", windows: Windows | None = None
) -> AsyncIterator[tuple[TurnSession, OpenTurn]]:
    """Hold *session* behind the turns that run; no turn of any process begins meanwhile.

    Args:
        session: Any session.
        secret: Proves notes of turns.
        windows: What is loaded of the history; None for all.

    Yields:
        What runs the turns of the session, and an open turn with the history.

    Raises:
        SessionBusy: A turn that is running did not end in 30 seconds.
        StoreError: The history could not be loaded.
    """
    deadline = time.monotonic() + _PATIENCE
    hold = await acquire(identity(session), _PATIENCE, session.session_id)
    try:
        store = turns_of(session, secret)
        opened = await _begun(store, session.session_id, deadline, windows)
        try:
            yield store, opened
        finally:
            await store.release_turn(opened)
    finally:
        release(hold)


async def _begun(
    store: TurnSession, session_id: str, deadline: float, windows: Windows | None
) -> OpenTurn:
    """Begin a turn behind those of other processes."""
    token, (pause, most) = new_token(), _POLL_PAUSES
    while (opened := await store.begin_turn(token, lease=_PATIENCE, windows=windows)) is None:
        if time.monotonic() + pause > deadline:
            raise SessionBusy(
                f"session {session_id!r}: a turn in another process has kept it for more than"
                f" {_PATIENCE:g} s"
            )
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, most)
    return opened
