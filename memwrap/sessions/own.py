"""The turns in whose context something is done: what they do to their session is their own."""

from __future__ import annotations

from collections.abc import Hashable
from contextvars import ContextVar
from typing import TypeAlias
from weakref import ref

from memwrap.sessions.turns import OpenTurn

__all__ = ["enter", "own_turns"]

_Entry: TypeAlias = "tuple[Hashable, ref[OpenTurn]]"

# Weak, since nobody tells of the end of a turn that had no lease and failed.
_turns: ContextVar[tuple[_Entry, ...]] = ContextVar("memwrap_own_turns", default=())


def enter(session: Hashable, turn: OpenTurn) -> None:
    """Note that *turn*, of the session of that identity, runs in the context of the caller."""
    entries = _turns.get()
    if entries:
        entries = tuple([entry for entry in entries if entry[1]() is not None])
    _turns.set((*entries, (session, ref(turn))))


def own_turns(session: Hashable) -> list[OpenTurn]:
    """Return the open turns of the session of that identity in whose context the caller is."""
    entries = _turns.get()
    if not entries:
        return []
    found = [turn() for key, turn in entries if key == session]
    return [turn for turn in found if turn is not None]
