"""What has to be known of a turn, as a note in an item."""

from __future__ import annotations

from typing import Any, cast

from memwrap.hidden.data import PROVIDER_DATA, marks_of
from memwrap.items import Item
from memwrap.sessions.turns import TurnRecord, canonical

__all__ = ["fields_of", "note_of", "proven_text"]


def fields_of(record: TurnRecord, size: int) -> dict[str, Any]:
    """Return what a note says, its proof apart."""
    fields = {
        "turn": record.turn_id,
        "input": record.fingerprint,
        "shape": record.shape,
        "items": size,
        "inputs": record.inputs,
        "answers": record.answers,
    }
    return fields | ({"marks": record.marks} if record.marks else {})


_NO_NOTE = TurnRecord(), 0


def note_of(item: Item) -> tuple[TurnRecord, int]:
    """Return what the note in an item says, and how many items it is for; 0 if it is no note."""
    note = marks_of(item)
    if not note:
        return _NO_NOTE
    turn_id = note.get("turn")
    texts = (note.get("input"), note.get("shape"), note.get("marks", ""))
    numbers = (note.get("items"), note.get("inputs"), note.get("answers", 0))
    if (
        not (turn_id is None or type(turn_id) is str)
        or not all(type(text) is str for text in texts)
        or not all(type(number) is int and number >= 0 for number in numbers)
    ):
        return _NO_NOTE
    size, inputs, answers = cast("tuple[int, int, int]", numbers)
    if size == 0 or inputs > size:
        return _NO_NOTE
    fingerprint, shape, marks = cast("tuple[str, str, str]", texts)
    return TurnRecord(turn_id, fingerprint, shape, inputs, answers, marks), size


def proven_text(item: Item) -> str:
    """Return what a proof covers of an item: all but what is hidden in it."""
    return canonical({key: value for key, value in item.items() if key != PROVIDER_DATA})
