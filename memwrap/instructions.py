"""System and developer messages, which many programs send with every input."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence

from memwrap.items import Item

__all__ = [
    "added_instructions",
    "instructions_first",
    "is_instruction",
    "leading_instructions",
    "without_superseded",
]

_ROLES = frozenset({"system", "developer"})


def leading_instructions(items: Sequence[Item]) -> int:
    """Return how many items at the start are instructions."""
    return next((n for n, item in enumerate(items) if not is_instruction(item)), len(items))


def is_instruction(item: Item) -> bool:
    """Tell whether *item* is a message of a system or a developer."""
    role = _role(item)
    return isinstance(role, str) and role in _ROLES


def _role(item: object) -> object:
    """Return the role of an item; None for what a layer put there that is none."""
    return item.get("role") if isinstance(item, dict) else None


def _have_instructions(items: Sequence[Item]) -> bool:
    try:
        return not _ROLES.isdisjoint([item.get("role") for item in items])
    except (AttributeError, TypeError):  # no items, or roles that are no text
        return True


def added_instructions(history: Sequence[Item]) -> list[Item]:
    """Return the instructions that stand in front of no input: something else added them."""
    said = {index for run in _instructions_of_inputs(history) for index in run}
    return [item for i, item in enumerate(history) if is_instruction(item) and i not in said]


def without_superseded(
    history: list[Item], input: Sequence[Item], added: Sequence[Item] = ()
) -> list[Item]:
    """Return the history without the instructions of earlier inputs that newer ones supersede.

    Many programs send instructions with every input. Those of an earlier one are left out if a
    newer input repeats them, or has others of the same role in their place: so many as it has, the
    last ones in front of the user's message. What stands before them was added in between.

    Args:
        history: The items, those objects that are *added* among them.
        input: The input that comes now.
        added: Instructions that are of no input, wherever they stand now.
    """
    if not _have_instructions(history):
        return history
    runs = _instructions_of_inputs(history, set(map(id, added)))
    if not runs:
        return history
    newest = list(input[: leading_instructions(input)])
    dropped: set[int] = set()
    if not newest and not any(item.get("role") == "user" for item in input):
        # Outputs of tools continue the last input, whose instructions are the newest.
        newest = [history[index] for index in runs.pop()]
    seen = {_key(item) for item in newest}
    for run in reversed(runs):
        left = Counter(item["role"] for item in newest)
        for index in reversed(run):
            item, key = history[index], _key(history[index])
            is_replaced = left[item["role"]] > 0
            left[item["role"]] -= 1
            if is_replaced or key in seen:
                dropped.add(index)
            seen.add(key)
    return [item for index, item in enumerate(history) if index not in dropped]


def instructions_first(history: list[Item], input: list[Item]) -> list[Item]:
    """Return the history with the instructions of its inputs in front, as in a single request.

    Some providers take them nowhere else. Those that the agent itself met with stay in place.
    """
    if not _have_instructions(history):
        return history
    runs = _instructions_of_inputs([*history, *input[:1]])
    places = {index for run in runs for index in run if index < len(history)}
    if not places or places == set(range(len(places))):
        return history
    first = [history[index] for index in sorted(places)]
    return first + [item for index, item in enumerate(history) if index not in places]


def _instructions_of_inputs(
    history: Sequence[Item], added: Collection[int] = ()
) -> list[list[int]]:
    """Return the places of instructions in front of each input's user messages.

    Args:
        history: The items.
        added: Which objects are of no input.
    """
    runs: list[list[int]] = []
    begin = 0
    for index, item in enumerate(history):
        if is_instruction(item):
            continue
        is_first = begin == 0 or _role(history[begin - 1]) != "user"
        if begin < index and is_first and _role(item) == "user":
            run = [place for place in range(begin, index) if id(history[place]) not in added]
            runs += [run] if run else []
        begin = index + 1
    return runs


def _key(item: Item) -> str:
    return json.dumps(item, sort_keys=True, default=repr)
