"""Pydantic AI's messages, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from pydantic_ai import AgentRun, AgentRunResult, AgentRunResultEvent
from pydantic_ai.messages import (
    MULTI_MODAL_CONTENT_TYPES,
    BaseToolReturnPart,
    CachePoint,
    InstructionBaselinePart,
    InstructionDeltaPart,
    InstructionPart,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryFeedbackPart,
    SystemPromptPart,
    TextContent,
    TextPart,
    UserPromptPart,
)
from pydantic_ai.result import StreamedRunResult

from memwrap.adapters import plain
from memwrap.adapters.dispatch import clear_errors, convert, one_by_one, unknown
from memwrap.adapters.projection import fitting_ids, projected
from memwrap.adapters.pydantic_ai.events import Events
from memwrap.adapters.pydantic_ai.items_to_message import UNKNOWN_TIME, with_tools
from memwrap.adapters.pydantic_ai.message_to_items import NAME
from memwrap.adapters.pydantic_ai.shape import LOSSLESS, reloaded
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import OPENING, PYDANTIC_AI
from memwrap.context import current_turn
from memwrap.exceptions import ConversionError
from memwrap.hidden.data import without_marks
from memwrap.hidden.sidecar import spans
from memwrap.items import Item
from memwrap.pairing import id_key

__all__ = [
    "from_items",
    "is_user_content",
    "noted",
    "prompt_of",
    "restored",
    "run_of",
    "shown",
    "to_items",
    "told",
]

# What a user may say, besides text.
_USER_CONTENT = (*MULTI_MODAL_CONTENT_TYPES, TextContent, CachePoint)
_REQUEST_PARTS = (SystemPromptPart, UserPromptPart, BaseToolReturnPart, RetryFeedbackPart)
_INSTRUCTIONS = (InstructionPart, InstructionDeltaPart, InstructionBaselinePart)
_RUNS = (AgentRun, AgentRunResult, StreamedRunResult)


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn Pydantic AI's messages into items; see the table in `memwrap.adapters.pydantic_ai`.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.pydantic_ai"], _items_of)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[ModelMessage]:
    """Turn items into messages; see the table in `memwrap.adapters.pydantic_ai`."""
    return list(restored(noted(items)))


def shown(items: Sequence[Item]) -> list[ModelMessage]:
    """Return the messages that an agent is shown: as `from_items`, but as any provider takes them.

    All calls have ids that fit, their outputs are right behind them, no text is blank, and a user
    begins.
    """
    whole = list(restored(with_tools(projected(items, PYDANTIC_AI))))
    messages = [*_spoken(whole[:-1]), *whole[-1:]]  # what is said now may be blank
    begin = next((n for n, one in enumerate(messages) if not _is_instruction(one)), len(messages))
    if begin < len(messages) and isinstance(messages[begin], ModelResponse):
        messages.insert(begin, _OPENING)
    return messages


def prompt_of(content: str | Sequence[Any]) -> ModelRequest:
    """Return the message of a user who says that; the same content makes equal messages."""
    return ModelRequest([UserPromptPart(content, timestamp=UNKNOWN_TIME)])


def is_user_content(value: Any) -> bool:
    """Tell whether *value* is something that a user may say."""
    return isinstance(value, (str, *_USER_CONTENT))


# Messages to items


def _items_of(messages: list[Any], role: str) -> list[Item]:
    runs = [run for message in messages if (run := run_of(message)) is not None]
    if runs:  # the events of a run tell the same, and less
        added = [message for run in runs for message in told(run)]
        return without_marks(LOSSLESS.to_items(added))

    def read(message: Any, last: list[Item]) -> list[Item]:
        if isinstance(message, dict):
            return plain.to_items(message, role=role)
        return LOSSLESS.message_to_items(message, last)

    return without_marks(one_by_one(added_up(_parted(messages, role), _Several()), read))


def run_of(message: Any) -> Any:
    """Return a run, or the result of one; None for anything else."""
    if isinstance(message, AgentRunResultEvent):
        return message.result
    return message if isinstance(message, _RUNS) else None


def told(run: Any) -> Iterator[ModelMessage]:
    """Yield what a run has added, without the agent's own instructions: they come in every call."""
    all_messages = run.all_messages()
    for message in run.new_messages():
        known = reloaded(message)
        if isinstance(known, ModelResponse):
            yield known
            continue
        # The framework puts the system prompt into the first message there is; others stay.
        own = (SystemPromptPart, *_INSTRUCTIONS) if message is all_messages[0] else _INSTRUCTIONS
        parts = [part for part in known.parts if not isinstance(part, own)]
        if parts:
            yield replace(known, parts=parts, instructions=None)
    if isinstance(run, StreamedRunResult) and not run.is_complete:
        _refuse_unread()
        if run.response.parts:
            yield run.response


def _refuse_unread() -> None:
    """Refuse the result of a call, as of a function, that nobody can read any more."""
    turn = current_turn()
    if turn is not None and not turn.streaming:
        raise ConversionError(
            "the agent gave a streamed result that nobody has read: read it to its end, or wrap"
            " the framework's agent itself and call its run_stream()"
        )


class _Several(Events):
    """Adds events up; messages and items pass."""

    def add(self, event: Any) -> Iterable[Any]:
        if isinstance(event, (dict, ModelRequest, ModelResponse)):
            return [*self.rest(), event]
        return super().add(event)


def _parted(messages: Iterable[Any], role: str) -> Iterator[Any]:
    """Yield messages, items and events; what is a part of a message is one of its own."""
    said: list[Any] = []
    for message in messages:
        if isinstance(message, _USER_CONTENT):
            said.append(message)
            continue
        if said:
            yield prompt_of(said)
            said = []
        yield _message(message, role)
    if said:
        yield prompt_of(said)


def _message(message: Any, role: str) -> Any:
    if isinstance(message, (ModelRequest, ModelResponse)):
        return reloaded(message)
    if isinstance(message, _REQUEST_PARTS):
        part: Any = message
        return ModelRequest([part])
    if isinstance(message, dict) or hasattr(message, "event_kind"):
        return message
    raise unknown(message, role)


# Items to messages


def noted(items: Sequence[Item]) -> list[Item]:
    """Return the items with what only the others tell: the tools of outputs, and ids that fit."""
    return with_tools(_with_fitting_ids(items))


def restored(items: Sequence[Item]) -> Iterator[ModelMessage]:
    """Yield the messages of noted items, without those of which nothing can be shown."""
    for message in LOSSLESS.from_items(items, target=PYDANTIC_AI):
        is_known = isinstance(message, ModelRequest) or message.timestamp != UNKNOWN_TIME
        if message.parts or is_known:
            yield message


def _with_fitting_ids(items: Sequence[Item]) -> Sequence[Item]:
    """Return the items with ids that any provider takes, but for calls of the framework's own.

    What one of its models said comes back as it was; `shown` changes these ids too.
    """
    ids = fitting_ids(items, PYDANTIC_AI)
    if not ids:
        return items
    _, whole = spans(items, NAME)
    own = {
        items[place].get("call_id")
        for start, (end, _) in whole.items()
        for place in range(start, end)
    }
    return [
        item | {id_key(item): ids[place]}
        if place in ids and item.get(id_key(item)) not in own
        else item
        for place, item in enumerate(items)
    ]


def _spoken(messages: Iterable[ModelMessage]) -> Iterator[ModelMessage]:
    """Yield messages without blank texts; one that is nothing else is left out."""
    for message in messages:
        parts: list[Any] = [one for part in message.parts if (one := _told(part)) is not None]
        whole: Any = message
        if all(one is part for one, part in zip_longest(parts, message.parts)):
            yield message
        elif parts:
            yield replace(whole, parts=parts)


def _told(part: Any) -> Any:
    """Return a part without blank texts; None if it says nothing else."""
    if not isinstance(part, (SystemPromptPart, TextPart, UserPromptPart)):
        return part
    several = [part.content] if isinstance(part.content, str) else list(part.content)
    said = [one for one in several if not isinstance(one, str) or one.strip()]
    if len(said) == len(several):
        return part if said else None
    return replace(part, content=said) if said else None  # type: ignore[arg-type]


def _is_instruction(message: ModelMessage) -> bool:
    return all(isinstance(part, SystemPromptPart) for part in message.parts)


_OPENING = prompt_of(OPENING)
