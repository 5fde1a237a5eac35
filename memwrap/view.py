"""What the agent is shown of a turn: history and input, repaired, after the layers' functions."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any, TypeVar

from memwrap.answers import with_accepted
from memwrap.chain import name_of_layer
from memwrap.codec import copy_known
from memwrap.exceptions import ConversionError, TurnError
from memwrap.foreign import converted
from memwrap.instructions import instructions_first, leading_instructions
from memwrap.items import Item, are_texts, repaired
from memwrap.returned import Given
from memwrap.turn import Turn, View

__all__ = [
    "all_applied",
    "applied",
    "call_agent",
    "called_with",
    "hook_name",
    "left_out",
    "shown_to_agent",
    "view_of",
]

Pair = TypeVar("Pair", bound=tuple[list[Item], list[Item]])

_log = logging.getLogger("memwrap")


def call_agent(turn: Turn) -> Any:
    """Call the agent with what it is to see, in its own dialect.

    Raises:
        TurnError: A function of `Turn.before_agent` returned no `View`.
        ConversionError: The adapter cannot show the input.
    """
    return called_with(turn, shown_to_agent(turn))


def called_with(turn: Turn, first: Any) -> Any:
    """Call the agent with its first argument, as `shown_to_agent` returns it."""
    # The agent may append to the list itself.
    turn.run.given = Given(first) if type(first) is list else None
    return turn.run.agent(first, *turn.run.args, **turn.run.kwargs)


def shown_to_agent(turn: Turn) -> Any:
    """Return what the agent is to see, in its own dialect.

    Raises:
        TurnError: A function of `Turn.before_agent` returned no `View`.
        ConversionError: The adapter cannot show the input.
    """
    view = view_of(turn)
    try:
        return _shown(turn, view)
    except ConversionError:
        whole = _without_unreadable(turn, view)
        if len(whole.history) == len(view.history):
            raise
        return _shown(turn, whole)


def view_of(turn: Turn) -> View:
    """Return what the agent is to see.

    Raises:
        TurnError: A function of `Turn.before_agent` returned no `View`.
    """
    # The agent gets a copy of the input, which is stored later; its history is the turn's alone.
    view = View(turn.history, copy_known(turn.input))
    if turn.run.left is not turn.run.texts_since or not are_texts(view.input):
        view = _repaired(view)
    if not turn.before_agent:
        return view
    # What a function changes in place must not be changed again when the agent is called again.
    view = all_applied(View(copy_known(view.history), view.input), turn, "before_agent")
    # An item may stand in both lists.
    return _repaired(View(view.history, [copy(item) for item in view.input]))


def applied(
    change: Callable[[Pair], Pair], pair: Pair, where: str, turn: Turn | None = None, index: int = 0
) -> Pair:
    """Return the pair of lists that a layer's function makes of *pair*.

    Args:
        change: The function.
        pair: What it takes.
        where: The list of functions: ``"before_agent"`` or ``"before_save"``.
        turn: The turn whose list that is, for the name of the layer.
        index: The place of the function there.

    Raises:
        TurnError: The function returned something else.
    """
    result = change(pair)
    if isinstance(result, type(pair)) and all(map(_are_items, result)):
        return result
    fields = ", ".join(getattr(type(pair), "_fields", ()))
    returned = "None (its return is missing)" if result is None else type(result).__name__
    raise TurnError(
        f"{hook_name(change, where, turn, index)} returned {returned}; it takes and returns"
        f" {type(pair).__name__}({fields}) with two lists of items"
    )


def all_applied(pair: Pair, turn: Turn, where: str) -> Pair:
    """Return what all functions of a turn's list make of *pair*, one after the other.

    Raises:
        TurnError: One returned something else.
    """
    for index, change in enumerate(getattr(turn, where)):
        pair = applied(change, pair, where, turn, index)
    return pair


def hook_name(change: object, where: str, turn: Turn | None, index: int) -> str:
    """Return how an error names a function of a layer."""
    layer = "" if turn is None else turn.layer_of(where, index)
    of = f"the layer {layer}: its function" if layer else "the function"
    return f"{of} {name_of_layer(change)} in turn.{where}"


def _are_items(part: object) -> bool:
    return isinstance(part, list) and all(isinstance(item, dict) for item in part)


def left_out(place: str, why: str) -> None:
    """Warn of an item that is left out of the view; where warnings are errors, log it."""
    text = f"{place} is left out of what the agent sees: {why}"
    try:
        warnings.warn(text, stacklevel=2)
    except UserWarning:  # an item that somebody stored must not fail every later turn
        _log.warning("%s", text)


def _shown(turn: Turn, view: View) -> Any:
    put_back = turn.run.put_back
    if put_back is None:
        return converted(turn.run.adapter.from_items, [*view.history, *view.input])
    return converted(put_back, view.history, view.input)


def _repaired(view: View) -> View:
    """Return history and input as a provider takes them: as one list they are in order.

    Instructions of inputs come first, as in a conversation without memory.
    """
    history, input = view
    if are_texts(input) and are_texts(history):
        return view
    if any(type(item) is not dict for part in view for item in part):
        return view  # a layer put something else there
    count = leading_instructions(input) if history else 0
    first, rest = input[:count], input[count:]
    own = set(map(id, rest))
    items = repaired(with_accepted([*first, *instructions_first(history, rest), *rest]))
    # The input begins earlier if one of its outputs has moved up, to its call in the history.
    begin = next((n for n, item in enumerate(items) if id(item) in own), len(items))
    return View(items[:begin], items[begin:])


def _without_unreadable(turn: Turn, view: View) -> View:
    """Return the view without those items of the history that the adapter cannot show."""
    return View(list(_readable(turn, view.history)), view.input)


def _readable(turn: Turn, history: list[Item]) -> Iterable[Item]:
    for place, item in enumerate(history):
        try:
            converted(turn.run.adapter.from_items, [item])
        except ConversionError:
            left_out(
                f"session {turn.session_id!r}: item {place} of the history",
                "its adapter cannot read it",
            )
        else:
            yield item
