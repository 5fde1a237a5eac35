"""Make items, look into them, and find where a conversation may be cut."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from memwrap.pairing import call_key, in_order, output_key, pairs

__all__ = [
    "Input",
    "Item",
    "are_items",
    "are_texts",
    "arguments_of",
    "assistant",
    "cuts",
    "fault_of",
    "repaired",
    "split_turns",
    "system",
    "text_of",
    "turn_starts",
    "user",
    "without_open_calls",
]

Item: TypeAlias = dict[str, Any]
"""One entry of a conversation: a JSON object."""

Input: TypeAlias = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What the caller of an agent passes (an adapter may take its framework's messages besides)."""

_DICT, _STR = {dict}, {str}
_STR_OR_NONE = {str, type(None)}
_TALKING = ("user", "assistant")


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


def arguments_of(call: Item) -> dict[str, Any] | None:
    """Return the arguments of a call; None if they are no JSON object."""
    try:
        arguments = json.loads(call["arguments"] or "{}")
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def are_texts(items: Sequence[Item]) -> bool:
    """Tell whether users and assistants say one text each: then there is nothing to repair."""
    try:
        for item in items:  # a turn with a long history does little else
            if (
                len(item) != 2  # noqa: PLR2004
                or item["role"] not in _TALKING
                or type(item["content"]) is not str
            ):
                return False
    except (KeyError, TypeError):
        return False
    return True


def are_items(items: Sequence[Item]) -> bool:
    """Tell whether each item has a role or a type, and no field that no reader could take."""
    try:
        return (
            set(map(type, items)) <= _DICT
            and {type(item.get("role") or item.get("type")) for item in items} <= _STR
            and {type(item.get("type")) for item in items} <= _STR_OR_NONE
            and {type(item.get("call_id")) for item in items} <= _STR_OR_NONE
        )
    except AttributeError:
        return False


def fault_of(item: object) -> str | None:
    """Return why no reader can take *item*; None if one may."""
    if type(item) is not dict:
        return "it is no object"
    for key in ("role", "type", "call_id"):
        value = item.get(key)
        if value is not None and type(value) is not str:
            return f"its {key} is no text"
    return None if item.get("role") or item.get("type") else "it has no role and no type"


def turn_starts(items: Sequence[Item]) -> list[int]:
    """Return the indexes of the user messages that begin a turn: the first of each row."""
    starts: list[int] = []
    speaking = False
    for index, item in enumerate(items):
        was, speaking = speaking, item.get("role") == "user"
        if speaking and not was:
            starts.append(index)
    return starts


def cuts(items: Sequence[Item], after: Sequence[Item] = ()) -> list[int]:
    """Return the indexes at which *items* may be cut in two; ``0`` is always the first.

    No cut separates a call from its output or a reasoning item from the item that follows it:
    providers refuse a conversation that holds one without the other. An output belongs to the
    newest row of calls with its id, since some models begin their ids anew each turn.

    Args:
        items: The items.
        after: Items that follow and stay whole; they may answer calls of *items*.
    """
    # joined[i] counts, as differences, the pairs that a cut before item i would separate
    joined = [0] * (len(items) + len(after) + 2)
    thoughts = [(i, i + 1) for i in range(len(items) - 1) if items[i].get("type") == "reasoning"]
    for first, second in pairs([*items, *after]) + thoughts:
        joined[first + 1] += 1
        joined[second + 1] -= 1
    places, open_pairs = [], 0
    for index in range(len(items) + 1):
        open_pairs += joined[index]
        if not open_pairs:
            places.append(index)
    return places


def split_turns(items: Sequence[Item]) -> list[list[Item]]:
    """Return the turns of a conversation; items before the first user message are left out."""
    starts = [*turn_starts(items), len(items)]
    return [list(items[begin:end]) for begin, end in pairwise(starts)]


def without_open_calls(items: list[Item], *, stopped: bool = False) -> list[Item]:
    """Return the items without the calls that will never be answered, and their reasoning.

    A call is open while its output may still come: until a message follows it, or, of an agent
    that was *stopped*, not at all.
    """
    if _are_messages(items):
        return items
    closed = _closed_calls(items, {call for call, _ in pairs(items)}, is_final=stopped)
    return [item for index, item in enumerate(items) if index not in closed]


def _closed_calls(items: list[Item], answered: set[int], *, is_final: bool) -> set[int]:
    """Return the places of calls that will never be answered, and of their reasoning."""
    closed: set[int] = set()
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if item.get("role"):
            is_final = True
        elif item.get("type") == "reasoning":
            if index + 1 in closed:
                closed.add(index)
        elif is_final and index not in answered and call_key(item) is not None:
            closed.add(index)
    return closed


def repaired(items: list[Item]) -> list[Item]:
    """Return what a provider takes: no open calls, orphan outputs or reasoning on its own.

    Outputs stand right behind their calls. Stored conversations hold other things after a crash, a
    limit, or another library's work.
    """
    if _are_messages(items):
        return items
    found = pairs(items)
    dropped = _closed_calls(items, {call for call, _ in found}, is_final=False)
    answers = {output for _, output in found}
    dropped |= {
        index
        for index, item in enumerate(items)
        if index not in answers and not item.get("role") and output_key(item) is not None
    }
    if dropped:
        items = [item for index, item in enumerate(items) if index not in dropped]
    kept = _without_lone_reasoning(items)
    return in_order(kept, found if len(kept) == len(items) and not dropped else None)


def _without_lone_reasoning(items: list[Item]) -> list[Item]:
    """Return the items without reasoning that no output of the model follows.

    A message that says nothing is no output: some readers leave it out.
    """
    if "reasoning" not in [item.get("type") for item in items]:
        return items
    kept: list[Item] = []
    is_followed = False
    for item in reversed(items):
        if item.get("type") != "reasoning":
            if item.get("role") != "assistant" or text_of(item):
                is_spoken = item.get("role", "assistant") == "assistant"
                is_followed = is_spoken and output_key(item) is None
        elif not is_followed:
            continue
        kept.append(item)
    return kept[::-1]


def _are_messages(items: list[Item]) -> bool:
    """Tell whether all items are messages; other objects that a layer added count as such."""
    for item in items:  # twice as fast as all(), and run twice in every turn
        if type(item) is dict and item.get("type", "message") != "message":
            return False
    return True
