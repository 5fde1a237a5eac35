"""Make items, look into them, and find where a conversation may be cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memwrap.types import Item

__all__ = ["assistant", "cuts", "is_call", "is_output", "system", "text_of", "turn_starts", "user"]

INSTRUCTION_ROLES = frozenset({"system", "developer"})

# An approval's request and answer name each other by other keys than calls and outputs do.
_APPROVAL_REQUEST = "mcp_approval_request"
_APPROVAL_RESPONSE = "mcp_approval_response"


def user(text: str) -> Item:
    """Return the item of a user's message."""
    return {"role": "user", "content": text}


def assistant(text: str) -> Item:
    """Return the item of an assistant's message."""
    return {"role": "assistant", "content": text}


def system(text: str) -> Item:
    """Return the item of a system message."""
    return {"role": "system", "content": text}


def text_of(item: Item) -> str:
    """Return the text that a reader sees in *item*; ``""`` if there is none.

    A message's text parts and refusals are joined; a tool output is its own text. Tool calls and
    reasoning have none.
    """
    content: Any = item.get("content") if item.get("role") else item.get("output")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part for part in content if isinstance(part, dict))
    texts = (part.get("text") or part.get("refusal") for part in parts)
    return "".join(text for text in texts if isinstance(text, str))


def is_call(item: Item) -> bool:
    """Tell whether *item* asks for something that another item answers."""
    return _call_key(item) is not None


def is_output(item: Item) -> bool:
    """Tell whether *item* answers a call."""
    return _output_key(item) is not None


def turn_starts(items: Sequence[Item]) -> list[int]:
    """Return the places where a user begins to speak; several messages in a row are one start."""
    starts: list[int] = []
    speaking = False
    for index, item in enumerate(items):
        was, speaking = speaking, item.get("role") == "user"
        if speaking and not was:
            starts.append(index)
    return starts


def cuts(items: Sequence[Item]) -> list[int]:
    """Return the places where *items* may be cut in two, ``0`` and ``len(items)`` included.

    No cut separates a call from its output or a reasoning item from the item that follows it:
    providers refuse a conversation that holds one without the other. An output belongs to the
    newest call of its id, since some models begin their ids anew each turn.
    """
    waiting: dict[object, list[int]] = {}
    # joined[i] counts, as differences, the pairs that a cut before item i would separate
    joined = [0] * (len(items) + 2)
    for index, item in enumerate(items):
        if item.get("type") == "reasoning" and index + 1 < len(items):
            _join(joined, index, index + 1)
        if (key := _call_key(item)) is not None:
            waiting.setdefault(key, []).append(index)
        elif (key := _output_key(item)) is not None and waiting.get(key):
            _join(joined, waiting[key].pop(), index)
    places, open_pairs = [], 0
    for index in range(len(items) + 1):
        open_pairs += joined[index]
        if not open_pairs:
            places.append(index)
    return places


def _join(joined: list[int], first: int, second: int) -> None:
    joined[first + 1] += 1
    joined[second + 1] -= 1


def _call_key(item: Item) -> object | None:
    kind = item.get("type")
    if kind == _APPROVAL_REQUEST:
        return (_APPROVAL_REQUEST, _text(item.get("id")))
    if not isinstance(kind, str) or kind.endswith("_output"):
        return None
    return _text(item.get("call_id"))


def _output_key(item: Item) -> object | None:
    kind = item.get("type")
    if kind == _APPROVAL_RESPONSE:
        return (_APPROVAL_REQUEST, _text(item.get("approval_request_id")))
    if not isinstance(kind, str) or not kind.endswith("_output"):
        return None
    return _text(item.get("call_id"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
