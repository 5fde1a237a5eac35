"""What several adapters do alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from memwrap.adapters.choose import adapter_for
from memwrap.exceptions import ConversionError
from memwrap.items import PROVIDER_DATA
from memwrap.types import Item

__all__ = ["as_dict", "convert", "unknown", "without_provider_data"]

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
    if isinstance(messages, str):
        return [{"role": role, "content": messages}]
    several = list(messages) if isinstance(messages, (list, tuple)) else [messages]
    items: list[Item] = []
    for converter, run in groupby(_flat(several), _converter):
        events = list(run)
        if converter is str:
            # The chunks of a stream are one message; several inputs are several.
            texts = ["".join(events)] if role == "assistant" else events
            items += [{"role": role, "content": text} for text in texts]
        elif converter is None or converter is dialect:
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


def _converter(message: Any) -> Any:
    return str if isinstance(message, str) else adapter_for(message)


def as_dict(value: Any) -> dict[str, Any] | None:
    """Return a dict, or the dict of an object of the `openai` package; None for others."""
    if isinstance(value, dict):
        return value
    if type(value).__module__.startswith("openai.") and hasattr(value, "model_dump"):
        # Only what the API sent: its defaults were not said.
        dumped: dict[str, Any] = value.model_dump(mode="json", exclude_unset=True)
        return dumped
    return None


def without_provider_data(items: Iterable[Item]) -> list[Item]:
    """Return the items without the key that providers refuse."""
    return [
        {key: value for key, value in item.items() if key != PROVIDER_DATA}
        if PROVIDER_DATA in item
        else item
        for item in items
    ]


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
