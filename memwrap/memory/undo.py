"""Take back the newest turns of a session."""

from __future__ import annotations

from memwrap.context import current_turn
from memwrap.exceptions import ConfigurationError, SessionBusy
from memwrap.items import Item
from memwrap.memory.locks import acquire, release
from memwrap.sessions.base import Session, identity
from memwrap.sessions.four_methods import turns_of
from memwrap.sessions.leases import new_token

__all__ = ["undo"]

_PATIENCE = 30.0


async def undo(session: Session, turns: int = 1) -> list[list[Item]]:
    """Remove the newest whole turns of *session* and return them.

    memwrap's own sessions record which turn an item belongs to; in others a turn begins with the
    first of a row of user messages. To try again, call the agent with the input of the returned
    turn: ``turns[-1][0]`` for a string.

    Args:
        session: Any session; one with the four methods only is popped item by item.
        turns: How many.

    Returns:
        The turns, oldest first, each a list of items; fewer if there are no more.

    Raises:
        ConfigurationError: The number is no whole number from 1 on, or the caller is an agent
            whose own turn on this session still runs.
        SessionBusy: A turn that is running did not end in 30 seconds.
        StoreError: The back end failed, a row is damaged, or somebody else changed the session.
    """
    if type(turns) is not int or turns < 1:
        raise ConfigurationError(f"turns is a whole number from 1 on, not {turns!r}")
    turn, key = current_turn(), identity(session)
    while turn is not None:
        if turn.run.is_open and identity(turn.session) == key:
            raise ConfigurationError("a turn cannot undo turns of its own session while it runs")
        turn = turn.run.parent
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
