"""What a turn answered, kept so that the same `turn_id` gives the same answer."""

from __future__ import annotations

import uuid
from typing import Any

from memwrap.dialects import answer_of
from memwrap.items import Item, text_of, without_open_calls
from memwrap.sessions.turns import StoredTurn
from memwrap.turn import Turn

__all__ = ["delivered", "result_of", "shape_of", "stored_answer"]


def result_of(turn: Turn) -> Any:
    """Return the result of a call, or the events of a stream."""
    return turn.run.sent if turn.streaming else next(iter(turn.run.sent), None)


def shape_of(turn: Turn) -> str:
    """Return the shape of the answer: text, an item, items, or messages of a framework."""
    sent = turn.run.sent
    if all(isinstance(event, str) for event in sent):
        return "text"
    if len(sent) == 1 and type(sent[0]) is dict and sent[0].keys() & {"role", "type"}:
        return "item"
    if len(sent) == 1 and isinstance(sent[0], list):
        return "items"
    return "message"


def stored_answer(turn: Turn, stored: StoredTurn) -> Any:
    """Return the answer of a stored turn, rebuilt from its items; that of a stream is one event.

    Text, an item and a list of items come back as they were. The adapter rebuilds other results:
    by ``answer(items)`` if it is for agent objects, else as the last of its messages.
    """
    items = stored.new_items
    if stored.shape == "text":
        return "".join(text_of(item) for item in items[-1:])
    if stored.shape == "item" and items:
        return items[-1]
    if stored.shape == "items":
        return items
    return answer_of(turn.run.adapter, items)


def delivered(turn: Turn) -> list[Item]:
    """Return what a stopped stream had delivered, its last message marked incomplete."""
    items = without_open_calls(turn.collect(), stopped=True)
    if items and items[-1].get("role") == "assistant":
        text = text_of(items.pop())
        if text:
            part = {"type": "output_text", "text": text, "annotations": []}
            items.append(
                {
                    "type": "message",
                    "id": f"msg_{uuid.uuid4().hex}",
                    "role": "assistant",
                    "status": "incomplete",
                    "content": [part],
                }
            )
    return items
