"""Strands' messages, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from strands.agent.agent_result import AgentResult
from strands.telemetry.metrics import EventLoopMetrics
from strands.types.content import ContentBlock

from memwrap.adapters import chat
from memwrap.adapters.dispatch import clear_errors, convert, one_by_one, unknown
from memwrap.adapters.foreign import foreign_projected
from memwrap.adapters.strands.shape import LOSSLESS, Message, is_message
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import STRANDS
from memwrap.items import Item

__all__ = [
    "RESULT",
    "StreamEvent",
    "answer",
    "from_items",
    "messages_of",
    "new_messages",
    "rebuild",
    "result_of",
    "to_items",
    "values_in",
]

RESULT = "result"
"""The key of the event that a stream ends with."""

_BLOCKS = frozenset(ContentBlock.__annotations__)

# By these keys an event of a stream is known.
_EVENTS = frozenset(
    {
        *(
            "citation",
            "complete",
            "current_tool_use",
            "data",
            "delta",
            "event",
            "event_loop_metrics",
        ),
        *("event_loop_throttled_delay", "force_stop", "init_event_loop", "message"),
        *("reasoningRedactedContent", "reasoningText", "reasoning_signature", RESULT, "start"),
        *("start_event_loop", "structured_output", "tool_cancel_event", "tool_interrupt_event"),
        "tool_stream_event",
    }
)
_ADDED = "new_messages"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a remembered stream, as layers see it; the caller gets the value."""

    value: dict[str, Any]


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn messages of Strands into items; see the table of the package.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.strands"], _items_of)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Message]:
    """Turn items into messages of Strands; see the table of the package."""
    return list(LOSSLESS.from_items(foreign_projected(items, STRANDS)))


def answer(items: Sequence[Item], /) -> AgentResult:
    """Return what a turn that is stored under its id gives again: a result with its messages."""
    return result_of(items, ())


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any], /) -> Any:
    """Return a result that says what *items* say; None for other types."""
    return result_of(items, values) if type_name.endswith(".AgentResult") else None


def values_in(result: Any, /) -> list[Any]:
    """Return the structured output of a result; nothing of other objects."""
    found = result.structured_output if isinstance(result, AgentResult) else None
    return [] if found is None else [found]


def result_of(items: Sequence[Item], values: Sequence[Any]) -> AgentResult:
    """Return the result of a stored run; what items do not hold is empty."""
    messages = from_items(items)
    said = [message for message in messages if message["role"] == "assistant"]
    last: Any = said[-1] if said else {"role": "assistant", "content": []}
    is_call = any("toolUse" in block for block in last["content"])
    result = AgentResult(
        stop_reason="tool_use" if is_call else "end_turn",
        message=last,
        metrics=EventLoopMetrics(),
        state={},
        structured_output=next(iter(values), None),
    )
    return new_messages(result, messages)


def new_messages(result: Any, messages: Sequence[Message]) -> AgentResult:
    """Return a result with the messages that its run added, in ``new_messages``."""
    setattr(result, _ADDED, list(messages))
    return result  # type: ignore[no-any-return]


def messages_of(result: AgentResult) -> list[Message]:
    """Return the messages that a run added; of a result that nobody has heard the last one."""
    found: list[Message] = getattr(result, _ADDED, [result.message])
    return found


def _items_of(messages: list[Any], role: str) -> list[Item]:
    def read(message: Any, last: list[Item]) -> list[Item]:
        if not isinstance(message, dict):
            raise unknown(message, role)
        if is_message(message):
            return LOSSLESS.message_to_items(message, last)
        return chat.to_items(message, role=role)

    return one_by_one(added_up(messages, _Events(role)), read)


class _Events:
    """Adds the events of a stream, and blocks in a row, up to messages; messages pass."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._blocks: list[dict[str, Any]] = []
        self._told: list[Message] = []  # by events, until the result tells all
        self._text = ""

    def add(self, event: Any) -> Iterable[Any]:
        """Take an event, a block, a result or a message; return what is whole with it."""
        is_own = isinstance(event, StreamEvent)
        value = event.value if isinstance(event, StreamEvent) else event
        if isinstance(value, AgentResult):
            value = {RESULT: value}
        if not isinstance(value, dict) or "role" in value:
            return [*self.rest(), value]
        if value.keys() <= _BLOCKS and value:
            self._blocks.append(value)
            return []
        if isinstance(result := value.get(RESULT), AgentResult):
            self._told, self._text = [], ""
            return [*self.rest(), *messages_of(result)]
        if self._role != "assistant" or not (is_own or value.keys() & _EVENTS):
            return [*self.rest(), value]
        self._hear(value)
        return []

    def _hear(self, event: dict[str, Any]) -> None:
        if isinstance(text := event.get("data"), str):
            self._text += text
        if isinstance(message := event.get("message"), dict) and is_message(message):
            self._told.append(message)
            self._text = ""

    def rest(self) -> list[Any]:
        """Return what was told so far: whole messages, and the text of the one under way."""
        told, blocks = self._told, self._blocks
        if self._text:
            told.append({"role": "assistant", "content": [{"text": self._text}]})
        if blocks:
            told.append({"role": self._role, "content": blocks})
        self._told, self._blocks, self._text = [], [], ""
        return told
