"""What a turn answered, kept so that the same `turn_id` gives the same answer."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from memwrap.chain import name_of_layer
from memwrap.dialects import answer_of
from memwrap.exceptions import ConversionError, MemwrapError
from memwrap.items import Item, text_of, without_open_calls
from memwrap.memory.pieces import ITEM, LIST, NOTHING, TEXT, VALUE, Piece, read_pieces
from memwrap.sessions.turns import StoredTurn
from memwrap.turn import Recorded, Turn
from memwrap.values import value_of

__all__ = ["carry", "delivered", "place_of_half", "quarantined", "result_of", "stored_answer"]


def result_of(turn: Turn) -> Any:
    """Return the result of a call, or the events of a stream."""
    return turn.run.sent if turn.streaming else next(iter(turn.run.sent), None)


def carry(error: Exception, turn: Turn) -> None:
    """Put the answer on an error that came after it, as ``result``, and the items as ``items``.

    An error of another library that has such an attribute of its own keeps it. That of a
    conversion is told the name of the agent.
    """
    if isinstance(error, ConversionError):
        error.args = (f"{name_of_layer(turn.run.agent)}: {error.args[0]}", *error.args[1:])
    values = {"result": result_of(turn), "items": [*turn.input, *turn.new_items]}
    for name, value in values.items():
        if isinstance(error, MemwrapError) or not hasattr(type(error), name):
            with suppress(AttributeError, TypeError):
                setattr(error, name, value)


def stored_answer(turn: Turn, stored: StoredTurn) -> list[Any]:
    """Return the events of a stored turn, rebuilt from its items; a call has one.

    Each piece of the answer comes back in its type: text whole, an item as it was, a value from its
    JSON, a message of a dialect by its adapter.
    """
    items = stored.new_items
    pieces = read_pieces(stored.shape, len(items))
    events = [
        _rebuilt(turn, piece, items) for piece in pieces if piece.kind != ITEM or piece.places
    ]
    return events if events or turn.streaming else [answer_of(turn.run.adapter, items)]


def _rebuilt(turn: Turn, piece: Piece, items: list[Item]) -> Any:
    found = [items[place] for place in piece.places]
    if piece.kind == NOTHING:
        return None
    if piece.kind == LIST:
        parts = [part for part in piece.parts if part.kind != ITEM or part.places]
        rebuilt = [_rebuilt(turn, part, items) for part in parts]
        return tuple(rebuilt) if piece.name else rebuilt
    if piece.kind == ITEM:
        return found[0]
    if piece.kind == TEXT:
        return "".join(map(text_of, found))
    if piece.kind == VALUE and found:
        return value_of(text_of(found[0]), piece.name)
    parts = [_rebuilt(turn, part, items) if part.places else None for part in piece.parts]
    return answer_of(turn.run.adapter, found, piece.name, parts, turn.run.rebuild)


def delivered(turn: Turn) -> list[Item]:
    """Return what a stopped stream had delivered, its last message marked incomplete."""
    items = without_open_calls(turn.collect(), stopped=True)
    if items and items[-1].get("role") == "assistant":
        parts = _said_parts(items.pop().get("content"))
        if parts:
            items.append(
                {
                    "type": "message",
                    "id": f"msg_{uuid.uuid4().hex}",
                    "role": "assistant",
                    "status": "incomplete",
                    "content": parts,
                }
            )
    return items


def quarantined(turn: Turn) -> list[Item]:
    """Return what a turn has recorded that a layer does not allow."""
    recorded = [event for event in turn.run.events if isinstance(event, Recorded)]
    return turn.run.items_of(recorded)


def _said_parts(content: Any) -> list[Item]:
    """Return the text and the refusal of an assistant's message, each as a part."""
    parts = content if isinstance(content, list) else [{"text": content}]
    said: list[Item] = []
    for part in parts:
        found = part if isinstance(part, dict) else {}
        if isinstance(refusal := found.get("refusal"), str) and refusal:
            said.append({"type": "refusal", "refusal": refusal})
        elif isinstance(text := found.get("text"), str) and text:
            said.append({"type": "output_text", "text": text, "annotations": []})
    return said


def place_of_half(history: list[Item], half: list[Item]) -> slice:
    """Return where a history, or a window of it, has the stored half of a turn."""
    size = len(half)
    for begin in range(len(history) - 1, -size, -1):
        shown = half[max(-begin, 0) :]
        first = max(begin, 0)
        if history[first : first + len(shown)] == shown:
            return slice(first, first + len(shown))
    return slice(0, 0)
