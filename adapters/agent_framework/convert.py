"""Agent Framework's messages, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    Message,
)

from memwrap.adapters import chat
from memwrap.adapters.agent_framework.shape import LOSSLESS
from memwrap.adapters.dispatch import clear_errors, convert, one_by_one, unknown
from memwrap.adapters.foreign import foreign_projected
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import AGENT_FRAMEWORK
from memwrap.exceptions import ConversionError
from memwrap.items import Item

__all__ = ["answer", "from_items", "rebuild", "to_items", "values_in"]

_RESPONSES = (AgentResponse, ChatResponse)
_UPDATES = (AgentResponseUpdate, ChatResponseUpdate)


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn messages of Agent Framework into items; see the table of the package.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.agent_framework"], _items_of)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Message]:
    """Turn items into messages of Agent Framework; see the table of the package."""
    return list(LOSSLESS.from_items(foreign_projected(items, AGENT_FRAMEWORK)))


def answer(items: Sequence[Item], /) -> Any:
    """Return what a turn that is stored under its id gives again: a response with its messages."""
    return AgentResponse(messages=from_items(items))


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any], /) -> Any:
    """Return a response, or a message, that says what *items* say; None for other types."""
    name = type_name.partition("[")[0].rpartition(".")[2]
    messages = from_items(items)
    if name == "Message":
        return messages[-1] if messages else None
    if name in ("ChatResponse", "ChatResponseUpdate"):
        return ChatResponse(messages=messages)
    if name in ("AgentResponse", "AgentResponseUpdate"):
        return AgentResponse(messages=messages, value=next(iter(values), None))
    return None


def values_in(result: Any, /) -> list[Any]:
    """Return the structured output of a response; nothing of other objects."""
    if isinstance(result, _RESPONSES):
        with suppress(Exception):  # the text is no such value: the caller is told when it asks
            return [] if result.value is None else [result.value]
    return []


def _items_of(messages: list[Any], role: str) -> list[Item]:
    def read(message: Any, last: list[Item]) -> list[Item]:
        if isinstance(message, dict) and "contents" not in message:
            return chat.to_items(message, role=role)
        return LOSSLESS.message_to_items(_message(message, role), last)

    return one_by_one(added_up(messages, _Updates()), read)


def _message(value: Any, role: str) -> Message:
    if isinstance(value, Message):
        return value
    if isinstance(value, Content):
        return Message(role, [value])
    if isinstance(value, dict):
        if not isinstance(value.get("role"), str):
            raise ConversionError("a message of Agent Framework has a `role` and `contents`")
        return Message.from_dict(dict(value))
    raise unknown(value, role)


class _Updates:
    """Adds the updates of streams up to messages; messages pass, responses as their messages.

    The response that a stream ends with stands for its updates.
    """

    def __init__(self) -> None:
        self._updates: list[Any] = []

    def add(self, event: Any) -> Iterable[Any]:
        """Take an update, a response or a message; return the messages that are whole with it."""
        if isinstance(event, _UPDATES):
            self._updates.append(event)
            return []
        if isinstance(event, _RESPONSES):
            self._updates = []
            return event.messages
        return [*self.rest(), event]

    def rest(self) -> list[Any]:
        """Return the messages of the updates so far."""
        updates, self._updates = self._updates, []
        if not updates:
            return []
        whole: Any = AgentResponse.from_updates([_as_of_agent(update) for update in updates])
        return list(whole.messages)


def _as_of_agent(update: Any) -> AgentResponseUpdate:
    return AgentResponseUpdate(
        contents=update.contents,
        role=update.role,
        author_name=update.author_name,
        message_id=update.message_id,
        merge_mode=getattr(update, "merge_mode", None),
    )
