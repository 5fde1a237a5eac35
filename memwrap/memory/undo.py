"""Take back the newest turns of a session."""

from __future__ import annotations

from memwrap.context import current_turn
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.memory.held import held
from memwrap.sessions.base import Session, identity
from memwrap.sessions.resolve import check_session
from memwrap.window import Window, Windows

__all__ = ["undo"]

_NOTHING = Windows((Window(items=0),))


async def undo(session: Session, turns: int = 1, *, secret: bytes = b"") -> list[list[Item]]:
    """Remove the newest whole turns of *session* and return them.

    memwrap's own sessions record which turn an item belongs to, and others have notes of turns
    that have an id or were answered later. Elsewhere a turn begins with the first of a row of
    user messages. A question that was kept and its later answer are one turn. To try again, call
    the agent with the input of the returned turn: ``turns[-1][0]`` for a string.

    Args:
        session: Any session object; one with the four methods only is popped item by item.
        turns: How many.
        secret: That of the agent's `Memory`, if it has one: then notes without proof are none.

    Returns:
        The turns, oldest first, each a list of items; fewer if there are no more.

    Raises:
        ConfigurationError: It is no session, the number is no whole number from 1 on, or the
            caller is an agent whose own turn on this session still runs.
        SessionBusy: A turn that is running did not end in 30 seconds.
        StoreError: The back end failed, a row is damaged, or somebody else changed the session;
            nothing is removed then.
    """
    session = check_session(session, "undo()")
    if type(turns) is not int or turns < 1:
        raise ConfigurationError(f"turns is a whole number from 1 on, not {turns!r}")
    turn, key = current_turn(), identity(session)
    while turn is not None:
        if turn.run.is_open and identity(turn.session) == key:
            raise ConfigurationError("a turn cannot undo turns of its own session while it runs")
        turn = turn.run.parent
    async with held(session, secret=secret, windows=_NOTHING) as (store, _):
        return await store.undo_turns(turns)
