"""Runs that wait for a person: noted on the last item of their turn, for the turn that answers.

Whoever adds to the session behind that item lets the run wait in vain: it began with another past.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memwrap.hidden.data import data_of, with_data
from memwrap.turn import Kept, Turn

__all__ = ["note_pause", "pause_before"]

_WAITS = "waits"


def note_pause(turn: Turn, name: str, run: Mapping[str, Any]) -> None:
    """Have the turn stored with what finds its run again.

    Args:
        turn: The turn whose run waits.
        name: The name of the adapter.
        run: Data for the adapter, in JSON's forms; nothing that items show.
    """

    def noted(kept: Kept) -> Kept:
        input, new_items = list(kept.input), list(kept.new_items)
        for items in (new_items, input):
            if items:
                own = data_of(items[-1], name) or {}
                items[-1] = with_data(items[-1], name, own | {_WAITS: dict(run)})
                break
        return Kept(input, new_items)

    turn.before_save.append(noted)


def pause_before(turn: Turn, name: str) -> dict[str, Any] | None:
    """Return what was noted of the run that waits at the end of a turn's history, or None."""
    own = data_of(turn.history[-1], name) if turn.history else None
    found = (own or {}).get(_WAITS)
    return found if isinstance(found, dict) else None
