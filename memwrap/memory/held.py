"""A session that is held for a moment, between turns."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from memwrap.memory.beginning import begun
from memwrap.memory.locks import acquire, release
from memwrap.sessions.base import Session, identity
from memwrap.sessions.four_methods import turns_of
from memwrap.sessions.turns import OpenTurn, TurnSession
from memwrap.window import Windows

__all__ = ["held"]

_PATIENCE = 30.0


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
        opened = await begun(
            store,
            session_id=session.session_id,
            lease=_PATIENCE,
            patience=_PATIENCE,
            deadline=deadline,
            windows=windows,
        )
        try:
            yield store, opened
        finally:
            await store.release_turn(opened)
    finally:
        release(hold)
