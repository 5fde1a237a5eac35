"""Calls and their outputs: which belong together, and in which order readers want them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

__all__ = ["call_key", "id_key", "in_order", "output_key", "pairs"]

_Item: TypeAlias = dict[str, Any]  # an item; `memwrap.items` stands on this module

# Requests for approval and their responses are paired by other keys than calls and outputs.
_APPROVAL_REQUEST = "mcp_approval_request"
_APPROVAL_RESPONSE = "mcp_approval_response"


def in_order(items: list[_Item], found: list[tuple[int, int]] | None = None) -> list[_Item]:
    """Return the items with outputs right behind their calls, as most providers want them.

    Assistant messages in between move in front of the calls, other messages behind the outputs.
    Calls in a row stay together.

    Args:
        items: The items.
        found: Their `pairs`, if they are known.
    """
    found = pairs(items) if found is None else found
    output_of = {call: output for call, output in found if items[call]["type"] != _APPROVAL_REQUEST}
    if _is_in_order(items, output_of):
        return items
    ordered: list[int] = []
    done: set[int] = set()
    for index in range(len(items)):
        if index in done:
            continue
        if index not in output_of:
            ordered.append(index)
            continue
        said, group = _group_of_calls(items, index)
        thoughts = len(ordered)
        while thoughts and items[ordered[thoughts - 1]].get("type") == "reasoning":
            thoughts -= 1  # reasoning stays in front of its call
        outputs = sorted(output_of[call] for call in group if call in output_of)
        ordered[thoughts:thoughts] = said
        ordered += [*group, *outputs]
        done.update(said, group, outputs)
    return [items[index] for index in ordered]


def _is_in_order(items: list[_Item], output_of: dict[int, int]) -> bool:
    outputs = set(output_of.values())
    waiting = answered = 0
    for index, item in enumerate(items):
        if index in output_of:
            if answered:
                return False
            waiting += 1
        elif index in outputs:
            answered += 1
            if answered == waiting:
                waiting = answered = 0
        elif waiting and (answered or item.get("type") != "reasoning"):
            return False
    return True


def _group_of_calls(items: list[_Item], begin: int) -> tuple[list[int], list[int]]:
    """Return the assistant messages among the row of calls from *begin* on, and the calls."""
    said: list[int] = []
    group: list[int] = []
    thoughts: list[int] = []  # reasoning stays in front of the item after it
    for index in range(begin, len(items)):
        item = items[index]
        if item.get("type") == "reasoning":
            thoughts.append(index)
            continue
        if call_key(item) is not None:  # answered or not
            group += [*thoughts, index]
        elif item.get("role", "assistant") == "assistant" and output_key(item) is None:
            said += [*thoughts, index]
        else:
            break
        thoughts = []
    return said, group


def pairs(items: Sequence[_Item]) -> list[tuple[int, int]]:
    """Return the places of calls with their outputs.

    An output belongs to the newest row of calls that has its id; of calls in one row, to which some
    servers give one id, the first is answered first.
    """
    waiting: dict[object, list[tuple[int, deque[int]]]] = {}  # by id: rows, and calls in them
    pairs: list[tuple[int, int]] = []
    row = 0
    is_row_over = False
    for index, item in enumerate(items):
        if item.get("type", "message") == "message":
            is_row_over = True
            continue
        if (key := call_key(item)) is not None:
            row += is_row_over
            is_row_over = False
            rows = waiting.setdefault(key, [])
            if not rows or rows[-1][0] != row:
                rows.append((row, deque()))
            rows[-1][1].append(index)
        elif (key := output_key(item)) is not None:
            is_row_over = True
            if rows := waiting.get(key, []):
                pairs.append((rows[-1][1].popleft(), index))
                if not rows[-1][1]:
                    rows.pop()
    return pairs


def id_key(item: _Item) -> str:
    """Return the key under which a call, or an output, has the call's id."""
    is_odd = item.get("type") == "local_shell_call_output" and "call_id" not in item
    return "id" if is_odd else "call_id"


def call_key(item: _Item) -> object | None:
    """Return what a call shares with its output; None if the item is no call."""
    kind = item.get("type")
    if kind == _APPROVAL_REQUEST:
        return (_APPROVAL_REQUEST, _text(item.get("id")))
    if not isinstance(kind, str) or kind.endswith("_output"):
        return None
    return _text(item.get("call_id"))


def output_key(item: _Item) -> object | None:
    """Return what an output shares with its call; None if the item is no output."""
    kind = item.get("type")
    if kind == _APPROVAL_RESPONSE:
        return (_APPROVAL_REQUEST, _text(item.get("approval_request_id")))
    if not isinstance(kind, str) or not kind.endswith("_output"):
        return None
    return _text(item.get(id_key(item)))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
