"""Take back the newest turns of a session."""

from __future__ import annotations

from memwrap.context import current_turn
from memwrap.exceptions import ConfigurationError, SessionBusy
from memwrap.locks import acquire, release
from memwrap.sessions.base import Session, identity
from memwrap.sessions.four_methods import turns_of
from memwrap.sessions.leases import new_token
from memwrap.types import Item

__all__ = ["undo"]

_PATIENCE = 30.0


async def undo(session: Session, turns: int = 1) -> list[list[Item]]:
    """Remove the newest whole turns of *session* and return them.

    What belongs to a turn is known where turns are recorded (memwrap's own sessions); elsewhere a
    turn begins where the user begins to speak. To try again, call the agent with the input of the
    turn that is returned: ``turns[-1][0]`` for a string.

    Args:
        session: Any session; one with the four methods only is popped item by item.
        turns: How many.

    Returns:
        The turns, oldest first, each a list of items; fewer if there are no more.

    Raises:
        ConfigurationError: The number is no whole number from 1 on, or this is called by an agent
            whose own turn is not over.
        SessionBusy: A turn that is running did not end in 30 seconds.
        StoreError: The back end failed, a row is damaged, or somebody else changed the session.
    """
    if type(turns) is not int or turns < 1:
        raise ConfigurationError(f"turns is a whole number from 1 on, not {turns!r}")
    turn, key = current_turn(), identity(session)
    while turn is not None:
        if turn.running and identity(turn.session) == key:
            raise ConfigurationError("a turn cannot undo turns of its own session while it runs")
        turn = turn.parent
    await acquire(key, _PATIENCE, session.session_id)
    try:
        store = turns_of(session)
        opened = await store.begin_turn(new_token(), lease=_PATIENCE)
        if opened is None:
            raise SessionBusy(f"session {session.session_id!r}: a turn in another process has it")
        try:
            return await store.undo_turns(turns)
        finally:
            await store.release_turn(opened)
    finally:
        release(key)
