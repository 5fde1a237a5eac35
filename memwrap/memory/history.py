"""What a turn takes of its session's history."""

from __future__ import annotations

from memwrap.hidden.data import QUARANTINED, marks_of, without_hidden
from memwrap.instructions import without_superseded
from memwrap.items import Item, are_items, are_texts, fault_of
from memwrap.turn import Turn
from memwrap.view import left_out

__all__ = ["marked_unanswered", "readable", "remembered"]


def marked_unanswered(history: list[Item], input: list[Item]) -> int:
    """Return how many items at the end are this input, as older files note it in the items."""
    tail = history[len(history) - len(input) :] if len(input) <= len(history) else []
    if not all("unanswered" in marks_of(item) for item in tail):
        return 0
    return len(tail) if without_hidden(tail) == without_hidden(input) else 0


def remembered(turn: Turn, past: list[Item]) -> list[Item]:
    """Return what of the stored past a turn begins with."""
    turn.run.texts_since = turn.run.place if are_texts(past) else None
    if turn.run.texts_since is not None:
        return past
    added = turn.run.cut.added if turn.run.cut else ()
    shown = [item for item in readable(turn, past) if QUARANTINED not in marks_of(item)]
    return without_superseded(shown, turn.input, added)


def readable(turn: Turn, history: list[Item]) -> list[Item]:
    """Return the history without what is no item, which no reader could take."""
    if are_items(history):
        return history
    faults = [(place, fault) for place, item in enumerate(history) if (fault := fault_of(item))]
    for place, fault in faults:
        left_out(f"session {turn.session_id!r}: item {place} of the history", fault)
    if not faults:
        return history
    return [item for item in history if not fault_of(item)]
