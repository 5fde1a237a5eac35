"""What is new of a list that an agent was given: it gives the list back, or appends to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import is_
from typing import Any, TypeAlias

from memwrap.exceptions import ConversionError
from memwrap.hidden.data import without_hidden
from memwrap.instructions import is_instruction
from memwrap.items import Item, text_of
from memwrap.pairing import output_key

__all__ = ["Given", "not_among", "without_given"]

ToItems: TypeAlias = Callable[[Any], list[Item]]


class Given:
    """The list of messages that an agent was given.

    Args:
        shown: The list itself, to which the agent may append.

    Attributes:
        messages: What was in it when the agent got it.
    """

    def __init__(self, shown: list[Any]) -> None:
        self._shown = shown
        self.messages = shown.copy()

    @property
    def has_grown(self) -> bool:
        """Whether the list is longer than the agent got it."""
        return len(self._shown) > len(self.messages)

    @property
    def appended(self) -> list[Any]:
        """What the agent has appended; nothing if it has changed what was there before."""
        if not self.has_grown:
            return []
        size = len(self.messages)
        is_same = all(map(is_, self._shown, self.messages))
        return self._shown[size:] if is_same else []


def not_among(items: Sequence[Item], known: Sequence[Item]) -> list[Item]:
    """Return the items that *known* does not say, in the same order: an answer is often in it.

    Args:
        items: What an agent gave.
        known: What it appended to its list.
    """
    said = [_said(item) for item in known]
    left: list[Item] = []
    place = 0
    for item in items:
        begin = place if item.get("role") else 0  # a call has an id, and words come again
        try:
            place = max(said.index(_said(item), begin) + 1, place)
        except ValueError:
            left.append(item)
    # What was said last is said again, unless others spoke behind it.
    is_last = all(output_key(item) is not None for item in known[place:])
    return left if is_last else list(items)


def _said(item: Item) -> tuple[Any, ...]:
    """Return what an item says, whoever wrote it down."""
    if item.get("role"):
        return (item["role"], text_of(item))
    return (item.get("type"), item.get("call_id") or item.get("id"), item.get("name"))


def without_given(result: Any, given: Given | None, to_items: ToItems) -> Any:
    """Return a result list without the messages at its front that the agent was given.

    Args:
        result: What the agent returned or sent, a list or anything else.
        given: The list that the agent was given; None if it was none.
        to_items: Tells what a message says: frameworks give back objects that they have changed.

    Raises:
        ConversionError: The list holds the input elsewhere, so that nobody can tell what is new.
    """
    messages = None if given is None else given.messages
    if not messages or type(result) is not list:
        return result
    size = len(messages)
    if len(result) >= size and all(map(_is_same, result, messages)):
        return result[size:]
    if not isinstance(messages[-1], (dict, str)) and (
        said := _said_again(result, messages, to_items)
    ):
        return result[said:]
    if any(_is_same(message, messages[-1]) for message in result):
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
