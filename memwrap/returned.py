"""What an agent returned that is new, when it gives back the list that it was given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from memwrap.exceptions import ConversionError
from memwrap.hidden.data import without_hidden
from memwrap.instructions import is_instruction
from memwrap.items import Item

__all__ = ["without_given"]


ToItems: TypeAlias = Callable[[Any], list[Item]]


def without_given(result: Any, given: Sequence[Any] | None, to_items: ToItems) -> Any:
    """Return a result list without the messages at its front that the agent was given.

    Args:
        result: What the agent returned or sent, a list or anything else.
        given: The messages that the agent was given; None if it was given no list.
        to_items: Tells what a message says: frameworks give back objects that they have changed.

    Raises:
        ConversionError: The list holds the input elsewhere, so that nobody can tell what is new.
    """
    if not given or type(result) is not list:
        return result
    size = len(given)
    if len(result) >= size and all(map(_is_same, result, given)):
        return result[size:]
    if not isinstance(given[-1], (dict, str)) and (said := _said_again(result, given, to_items)):
        return result[said:]
    if any(_is_same(message, given[-1]) for message in result):
        raise ConversionError(
            "the agent gave back its input in another place than it was given; return what is new"
            " alone, or all messages as they were given with what is new behind them"
        )
    return result


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001  (objects of other libraries may refuse to be compared)
        return False


def _said_again(result: Sequence[Any], given: Sequence[Any], to_items: ToItems) -> int:
    """Return how many messages at the front say what all given ones say; 0 if others do.

    An agent's own instructions may stand among them.
    """
    left: deque[Item] = deque()
    rest = iter(given)
    for count, message in enumerate(result, 1):
        for item in _seen(message, to_items):
            _fill(left, rest, to_items)
            if left and left[0] == item:
                left.popleft()
            elif not is_instruction(item):
                return 0
        _fill(left, rest, to_items)
        if not left:
            return count
    return 0


def _fill(left: deque[Item], rest: Iterable[Any], to_items: ToItems) -> None:
    """Let *left* have the next item that was given, if there is any."""
    while not left and (message := next(iter(rest), None)) is not None:
        left.extend(_seen(message, to_items))


def _seen(message: Any, to_items: ToItems) -> list[Item]:
    try:
        return without_hidden(to_items([message]))
    except ConversionError:
        return []
