"""What tells a turn in a store on a server that its session is still the one it began with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from memwrap.sessions.turns import OpenTurn

__all__ = ["Life", "begin_anew", "go_on"]


class Life(NamedTuple):
    """What tells that a session has not been cleared since a turn began.

    Attributes:
        life: Names the session's time since it was made or cleared.
        version: Its version when the turn began: if it is still that, nobody has written since.
    """

    life: Any
    version: int


def go_on(own: Sequence[OpenTurn], version: int) -> None:
    """Let turns go on that have changed their own session, unless others have changed it too.

    Args:
        own: The turns.
        version: The session's version after the change.
    """
    for turn in own:
        if turn.head == version - 1:
            turn.head = version
        if isinstance(turn.life, Life) and turn.life.version == version - 1:
            turn.life = Life(turn.life.life, version)


def begin_anew(own: Sequence[OpenTurn], old: Any, new: Life) -> None:
    """Let turns go on that have cleared their own session.

    Args:
        own: The turns.
        old: What named the session's life until then.
        new: Its life and version now.
    """
    for turn in own:
        if isinstance(turn.life, Life) and turn.life.life == old:
            turn.life = new
            turn.head = None if turn.head is None else new.version
