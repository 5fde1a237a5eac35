"""Make items, look into them, and find where a conversation may be cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from memwrap.types import Item

__all__ = [
    "assistant",
    "cuts",
    "marked",
    "marks_of",
    "repaired",
    "split_turns",
    "system",
    "text_of",
    "turn_starts",
    "user",
    "without_open_calls",
]

PROVIDER_DATA = "provider_data"
"""The key of an item under which is kept what items cannot show; no provider ever sees it."""

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


def turn_starts(items: Sequence[Item]) -> list[int]:
    """Return the places where a user begins to speak; several messages in a row are one start."""
    starts: list[int] = []
    speaking = False
    for index, item in enumerate(items):
        was, speaking = speaking, item.get("role") == "user"
        if speaking and not was:
            starts.append(index)
    return starts


def cuts(items: Sequence[Item], after: Sequence[Item] = ()) -> list[int]:
    """Return the places where *items* may be cut in two, ``0`` included, and the end if it may be.

    No cut separates a call from its output or a reasoning item from the item that follows it:
    providers refuse a conversation that holds one without the other. An output belongs to the
    newest call of its id, since some models begin their ids anew each turn.

    Args:
        items: The items.
        after: What follows them and stays whole; it may answer their calls.
    """
    # joined[i] counts, as differences, the pairs that a cut before item i would separate
    joined = [0] * (len(items) + len(after) + 2)
    thoughts = [(i, i + 1) for i in range(len(items) - 1) if items[i].get("type") == "reasoning"]
    for first, second in _pairs([*items, *after]) + thoughts:
        joined[first + 1] += 1
        joined[second + 1] -= 1
    places, open_pairs = [], 0
    for index in range(len(items) + 1):
        open_pairs += joined[index]
        if not open_pairs:
            places.append(index)
    return places


def split_turns(items: Sequence[Item]) -> list[list[Item]]:
    """Return the turns of a conversation; what comes before the first user is none."""
    starts = [*turn_starts(items), len(items)]
    return [list(items[begin:end]) for begin, end in pairwise(starts)]


def without_open_calls(items: list[Item], *, stopped: bool = False) -> list[Item]:
    """Return the items without the calls that will never be answered, and their reasoning.

    A call is open while its output may still come: until a message follows it, or, of an agent
    that was *stopped*, not at all.
    """
    if _are_messages(items):
        return items
    answered = {call for call, _ in _pairs(items)}
    closed: set[int] = set()
    final = stopped
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if item.get("role"):
            final = True
        elif _call_key(item) is not None:
            if final and index not in answered:
                closed.add(index)
        elif item.get("type") == "reasoning" and index + 1 in closed:
            closed.add(index)
    return [item for index, item in enumerate(items) if index not in closed]


def repaired(items: list[Item]) -> list[Item]:
    """Return what a provider takes: no open calls, orphan outputs or reasoning on its own.

    Stored conversations hold such things after a crash, a limit, or another library's work.
    """
    if _are_messages(items):
        return items
    items = without_open_calls(items)
    answers = {output for _, output in _pairs(items)}
    items = [i for place, i in enumerate(items) if place in answers or _output_key(i) is None]
    following = [*items, None][1:]
    return [
        item
        for item, after in zip(items, following, strict=True)
        if item.get("type") != "reasoning" or (after is not None and after.get("role") != "user")
    ]


def _are_messages(items: list[Item]) -> bool:
    """Tell whether there are messages only, or what a layer put there, which is no item at all."""
    for item in items:  # twice as fast as all(), and run twice in every turn
        if type(item) is dict and item.get("type", "message") != "message":
            return False
    return True


def marks_of(item: Item) -> dict[str, Any]:
    """Return what memwrap noted in an item."""
    data = item.get(PROVIDER_DATA)
    marks = data.get("memwrap") if isinstance(data, dict) else None
    return marks if isinstance(marks, dict) else {}


def marked(item: Item, **marks: Any) -> Item:
    """Return the item with a note of memwrap's in it."""
    data = item.get(PROVIDER_DATA)
    others = data if isinstance(data, dict) else {}
    return item | {PROVIDER_DATA: others | {"memwrap": marks_of(item) | marks}}


def _pairs(items: Sequence[Item]) -> list[tuple[int, int]]:
    """Return the places of calls with their outputs."""
    waiting: dict[object, list[int]] = {}
    pairs: list[tuple[int, int]] = []
    for index, item in enumerate(items):
        if (key := _call_key(item)) is not None:
            waiting.setdefault(key, []).append(index)
        elif (key := _output_key(item)) is not None and waiting.get(key):
            pairs.append((waiting[key].pop(), index))
    return pairs


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
