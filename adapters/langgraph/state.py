"""A graph's state and the events of its stream, as items and back."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_core.messages import BaseMessage, RemoveMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from memwrap.adapters import langchain
from memwrap.adapters.dispatch import clear_errors, convert
from memwrap.exceptions import ConversionError
from memwrap.items import Item
from memwrap.usage import Usage

__all__ = [
    "MESSAGES",
    "GraphState",
    "State",
    "StreamEnd",
    "StreamEvent",
    "answer",
    "from_items",
    "is_state",
    "state_of",
    "to_items",
]

State: TypeAlias = dict[str, Any]

MESSAGES = "messages"
"""The key of the state where LangGraph's own agents keep the conversation."""


class GraphState(dict[str, Any]):
    """What ``invoke`` returns: the graph's state, and which of its messages are new.

    Attributes:
        new_messages: What the run added.
    """

    def __init__(self, state: Mapping[str, Any], new_messages: Sequence[BaseMessage]) -> None:
        super().__init__(state)
        self.new_messages = list(new_messages)


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a graph's stream, as layers see it; the caller gets the value."""

    value: Any


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The last event of a graph's stream, which the caller does not see."""

    new_messages: list[BaseMessage]


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn messages, states and events into items; see the table in `memwrap.adapters.langgraph`.

    Raises:
        ConversionError: There is something else among them.
    """
    if role == "user" and is_state(messages):
        messages = messages[MESSAGES]
    return convert(messages, role, sys.modules["memwrap.adapters.langgraph"], _own)


def from_items(
    items: Sequence[Item], /, *, style: Literal["openai", "portable"] = "openai"
) -> State:
    """Turn items into a state, with messages of a style of `memwrap.adapters.langchain`."""
    return state_of(langchain.from_items(items, style=style))


def answer(items: Sequence[Item], /) -> GraphState:
    """Return what a turn that is stored under its id gives again: the messages it added."""
    messages = langchain.from_items(items)
    return GraphState({MESSAGES: messages}, messages)


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage of each answer that a run added."""
    return langchain.usages_in(getattr(event, "new_messages", ()))


def _own(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    for message in messages:
        if isinstance(message, (GraphState, StreamEnd)):
            items += langchain.to_items(message.new_messages, role="assistant")
        elif is_state(message):
            raise ConversionError(
                "a layer sent a state of its own, of which memwrap cannot tell what is new; change"
                " the state that came, or send the new messages"
            )
        elif not isinstance(message, StreamEvent):
            items += langchain.to_items([message], role=role)
    return items


def is_state(value: Any) -> bool:
    """Tell whether a value is a state with messages."""
    return isinstance(value, Mapping) and MESSAGES in value


def state_of(messages: list[Any]) -> State:
    """Return messages as a graph takes them: the removals done, each id once."""
    kept: list[Any] = []
    for message in messages:
        if isinstance(message, RemoveMessage):
            is_all = message.id == REMOVE_ALL_MESSAGES
            kept = [] if is_all else [other for other in kept if other.id != message.id]
        else:
            kept.append(message)
    seen: set[str] = set()
    for message in kept:
        if message.id in seen:
            message.id = None
        elif message.id is not None:
            seen.add(message.id)
    return {MESSAGES: kept}
