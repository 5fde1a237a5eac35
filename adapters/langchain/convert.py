"""LangChain messages, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from langchain_core.messages import (
    AIMessageChunk,
    BaseMessage,
    convert_to_messages,
    message_chunk_to_message,
)

from memwrap.adapters import chat
from memwrap.adapters.langchain.exact import items_for, messages_for
from memwrap.adapters.shared import clear_errors, convert, unknown
from memwrap.types import Item

__all__ = ["from_items", "to_items"]


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn LangChain messages into items; see the table in `memwrap.adapters.langchain`.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.langchain"], _own)


@clear_errors
def from_items(
    items: Sequence[Item], /, *, style: Literal["openai", "portable"] = "openai"
) -> list[Any]:
    """Turn items into LangChain messages; see the table in `memwrap.adapters.langchain`.

    Args:
        items: Any part of a conversation.
        style: ``"portable"`` leaves reasoning, hosted tools' blocks, ids and annotations out of
            the content, for histories that are shown to other providers.
    """
    return list(messages_for(items, portable=style == "portable"))


def _own(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    last: list[Item] = []
    # An answer's chunks are one message; chunks that somebody kept stay what they are.
    for message in _whole(messages) if role == "assistant" else _spread(messages):
        if isinstance(message, dict):
            last = chat.to_items(message, role=role)
        else:
            last = items_for(_message(message, role), last)
        items += last
    return items


def _whole(messages: Iterable[Any]) -> Iterable[Any]:
    """Yield messages, with the chunks of a stream added up."""
    total: AIMessageChunk | None = None
    for message in _spread(messages):
        if not isinstance(message, AIMessageChunk):
            if total is not None:
                yield message_chunk_to_message(total)
                total = None
            yield message
        elif total is None:
            total = message
        elif total.chunk_position == "last" or (message.id and total.id and message.id != total.id):
            yield message_chunk_to_message(total)
            total = message
        else:
            total = total + message
    if total is not None:
        yield message_chunk_to_message(total)


def _spread(messages: Iterable[Any]) -> Iterable[Any]:
    """Take the values of prompts apart."""
    for message in messages:
        yield from message.to_messages() if hasattr(message, "to_messages") else [message]


def _message(value: Any, role: str) -> Any:
    if isinstance(value, BaseMessage):
        return value
    if isinstance(value, tuple) and len(value) == 2:  # noqa: PLR2004
        return convert_to_messages([value])[0]
    raise unknown(value, role)
