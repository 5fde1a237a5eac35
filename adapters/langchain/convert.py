"""LangChain messages, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
    message_chunk_to_message,
)

from memwrap.adapters import chat
from memwrap.adapters.dispatch import clear_errors, convert, unknown
from memwrap.adapters.langchain.shape import items_for, items_for_all, messages_for
from memwrap.adapters.projection import PORTABLE, SAME
from memwrap.items import Item

__all__ = ["from_items", "to_items"]

_TARGETS = {"openai": SAME, "portable": PORTABLE}

_WHOLE = frozenset({AIMessage, HumanMessage, SystemMessage, ToolMessage})

# What LangChain calls messages in dicts, where the API has other words.
_TYPES = ("ai", "developer", "function", "human", "remove", "system", "tool")
_ROLES = ("ai", "function", "human")

_ID_KINDS = ("lc_", "resp_")
_OUTPUT_ID = "msg_"


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn LangChain messages into items; see the table in `memwrap.adapters.langchain`.

    Raises:
        ConversionError: There is something else among them.
    """
    if type(messages) is list and _WHOLE.issuperset(map(type, messages)):
        return items_for_all(messages)  # a history, most often: nothing to look up or to add up
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
    return list(messages_for(items, target=_TARGETS[style]))


def _own(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    last: list[Item] = []
    # An answer's chunks are one message; chunks that somebody kept stay what they are.
    for message in _whole(messages) if role == "assistant" else _spread(messages):
        if isinstance(message, dict) and not _is_own(message):
            last = chat.to_items(message, role=role)
        else:
            last = items_for(_message(message, role), last)
        items += last
    return items


def _whole(messages: Iterable[Any]) -> Iterable[Any]:
    """Yield messages, with the chunks of a stream added up."""
    answer = _Answer()
    for message in _spread(messages):
        if not isinstance(message, AIMessageChunk):
            yield from answer.take()
            yield message
            continue
        if not answer.goes_on(message):
            yield from answer.take()
        answer.add(message)
    yield from answer.take()


class _Answer:
    """The chunks of one message.

    They may have ids of several kinds: the provider's on the first and LangChain's own on the
    others, and of the Responses API that of the response and those of its outputs. Two of any other
    kind are two messages.
    """

    def __init__(self) -> None:
        self._chunks: list[AIMessageChunk] = []
        self._ids: dict[str, str] = {}

    def goes_on(self, chunk: AIMessageChunk) -> bool:
        if self._chunks and self._chunks[-1].chunk_position == "last":
            return False
        if not chunk.id or chunk.id.startswith(_OUTPUT_ID):
            return True
        return self._ids.get(_kind(chunk.id), chunk.id) == chunk.id

    def add(self, chunk: AIMessageChunk) -> None:
        self._chunks.append(chunk)
        if chunk.id and not chunk.id.startswith(_OUTPUT_ID):
            self._ids[_kind(chunk.id)] = chunk.id

    def take(self) -> list[Any]:
        chunks = self._chunks
        self.__init__()  # type: ignore[misc]
        # All at once: one by one takes time with the square of their number.
        return [message_chunk_to_message(chunks[0] + chunks[1:])] if chunks else []


def _kind(chunk_id: str) -> str:
    return next((kind for kind in _ID_KINDS if chunk_id.startswith(kind)), "")


def _spread(messages: Iterable[Any]) -> Iterable[Any]:
    """Take the values of prompts apart."""
    for message in messages:
        yield from message.to_messages() if hasattr(message, "to_messages") else [message]


def _is_own(message: dict[str, Any]) -> bool:
    """Tell whether a dict is a message by LangChain's names, and not by the API's."""
    calls = message.get("tool_calls")
    own_calls = isinstance(calls, list) and any("args" in call for call in calls)
    return message.get("type") in _TYPES or message.get("role") in _ROLES or own_calls


def _message(value: Any, role: str) -> Any:
    if isinstance(value, BaseMessage):
        return value
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2  # noqa: PLR2004
    if is_pair or isinstance(value, dict):
        return convert_to_messages([value])[0]
    raise unknown(value, role)
