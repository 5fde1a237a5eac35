"""What several adapters do alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import groupby
from typing import Any, ParamSpec, TypeVar

from memwrap.adapters.choose import adapter_for
from memwrap.exceptions import ConversionError
from memwrap.items import PROVIDER_DATA
from memwrap.types import Item

__all__ = [
    "as_dict",
    "clear_errors",
    "convert",
    "field",
    "is_readable",
    "settled",
    "unknown",
    "without_own_data",
    "without_provider_data",
]

# Whose data is memwrap's own: that of its adapters, and its notes of turns.
_OWN_DATA = frozenset({"chat", "langchain", "memwrap"})

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
    """Take the lists apart that agents return or send, but no further."""
    for message in messages:
        if isinstance(message, (list, tuple)) and not any(isinstance(m, str) for m in message):
            yield from message
        else:
            yield message


def clear_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Let a converter that trips over a malformed message raise an error of our own."""

    @wraps(function)
    def clear(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (AttributeError, IndexError, KeyError, TypeError) as exc:
            raise ConversionError(
                f"{function.__module__} cannot read a message or item: {exc!r}"
            ) from exc

    return clear


def is_readable(value: Any) -> bool:
    """Tell whether *value* is a dict, or an object of the `openai` package's types."""
    if isinstance(value, dict):
        return True
    bases = type(value).__mro__
    return hasattr(value, "model_dump") and any(
        base.__module__.startswith("openai.types.") for base in bases
    )


def field(value: Any, name: str) -> Any:
    """Return a readable value's field, or None."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def as_dict(value: Any) -> dict[str, Any]:
    """Return a readable value as a dict."""
    if isinstance(value, dict):
        return value
    # Only what the API sent, under its own names: defaults were not said, and what the package
    # parsed out of the text the API does not take back.
    dumped: dict[str, Any] = value.model_dump(
        mode="json",
        by_alias=True,
        exclude_unset=True,
        exclude=getattr(value, "__api_exclude__", None),
        warnings=False,
    )
    return dumped


def without_provider_data(items: Iterable[Item]) -> list[Item]:
    """Return the items without the key that providers refuse."""
    return [
        {key: value for key, value in item.items() if key != PROVIDER_DATA}
        if PROVIDER_DATA in item
        else item
        for item in items
    ]


def settled(items: list[Item]) -> list[Item]:
    """Return items that somebody has changed, without what adapters hid in them of their text."""
    # Nobody has hidden anything as long as the adapter that does has not been needed.
    sidecars: Any = sys.modules.get("memwrap.adapters.langchain.sidecar")
    return items if sidecars is None else sidecars.settled(items)


def without_own_data(items: Iterable[Item]) -> list[Item]:
    """Return the items without what adapters and turns have noted in them."""
    return [_without_own(item) if PROVIDER_DATA in item else item for item in items]


def _without_own(item: Item) -> Item:
    data = item[PROVIDER_DATA]
    if not isinstance(data, dict) or _OWN_DATA.isdisjoint(data):
        return item
    kept = {key: value for key, value in data.items() if key not in _OWN_DATA}
    (bare,) = without_provider_data([item])
    return bare | {PROVIDER_DATA: kept} if kept else bare


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
