"""Lists of messages taken apart: text, an adapter's own messages, and those of other dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import groupby
from typing import Any, ParamSpec, TypeVar

from memwrap.dialects import adapter_for
from memwrap.exceptions import ConversionError
from memwrap.foreign import converted
from memwrap.items import Item

__all__ = ["clear_errors", "convert", "unknown"]

P = ParamSpec("P")
R = TypeVar("R")


def convert(
    messages: Any,
    role: str,
    dialect: object,
    own: Callable[[list[Any], str], list[Item]],
) -> list[Item]:
    """Turn *messages* into items: text here, one dialect's messages by *own*, others by theirs.

    Args:
        messages: A message, or a list of them or of a stream's events.
        role: Who speaks in a string.
        dialect: The adapter that *own* belongs to.
        own: Converts a run of messages in that dialect.
    """
    several = list(messages) if isinstance(messages, (list, tuple)) else [messages]
    items: list[Item] = []

    def converter_of(message: Any) -> Any:
        return str if isinstance(message, str) else adapter_for(message) or dialect

    for converter, run in groupby(_flat(several), converter_of):
        events = list(run)
        if converter is str:
            # The chunks of a stream are one message; several inputs are several.
            texts = ["".join(events)] if role == "assistant" else events
            items += [{"role": role, "content": text} for text in texts]
        elif converter is dialect:
            items += own(events, role)
        else:
            items += converter.to_items(events, role=role)
    return items


def _flat(messages: Iterable[Any]) -> Iterator[Any]:
    """Flatten one level: an agent may return or send a list of messages."""
    for message in messages:
        if isinstance(message, (list, tuple)) and not any(isinstance(m, str) for m in message):
            yield from message
        else:
            yield message


def clear_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Turn what a converter trips over into an error of memwrap's own, without the content."""

    @wraps(function)
    def clear(*args: P.args, **kwargs: P.kwargs) -> R:
        return converted(function, *args, **kwargs)

    return clear


def unknown(value: Any, role: str) -> ConversionError:
    """Return the error for a value that no adapter knows, with the ways out."""
    if value is None:
        name = "None"
    else:
        name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if role == "assistant":
        return ConversionError(
            f"the agent gave {name}, which is no item. Three ways out: give a string, an item or"
            " a list of items; pass with_session(adapter=...), an object with to_items and"
            " from_items; or give strings and add the rest with memwrap.record()"
        )
    return ConversionError(
        f"input is a string, an item or a list of items, not {name}; for messages of a framework"
        " pass with_session(adapter=...)"
    )
