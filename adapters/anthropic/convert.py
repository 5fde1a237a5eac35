"""Messages of Anthropic, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from memwrap.adapters import chat
from memwrap.adapters.anthropic.blocks import as_block
from memwrap.adapters.anthropic.shape import LOSSLESS, Message, is_message
from memwrap.adapters.anthropic.stream import MessageStream
from memwrap.adapters.dispatch import clear_errors, convert, one_by_one, unknown
from memwrap.adapters.foreign import foreign_projected
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import ANTHROPIC, OPENING
from memwrap.adapters.usages import usage_of
from memwrap.items import Item
from memwrap.usage import Usage

__all__ = ["from_items", "methods", "rebuild", "to_items", "usages_in"]

_OPENING: Message = {"role": "user", "content": OPENING}


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn messages of Anthropic into items; see the table of the package.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.anthropic"], _items_of)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Message]:
    """Turn items into messages of Anthropic; see the table of the package."""
    made = LOSSLESS.from_items(foreign_projected(items, ANTHROPIC))
    messages = [message for message in made if message["content"]]
    if messages and messages[0]["role"] == "assistant":
        messages.insert(0, dict(_OPENING))
    return messages


def methods(agent: object) -> None:
    """Return None: the agents of this dialect are functions."""


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ARG001
    """Return a ``Message`` that says what *items* say; None for other types."""
    if not type_name.partition("[")[0].endswith(("Message", "MessageStopEvent")):
        return None
    from anthropic.types import Message as Response

    said = [message for message in from_items(items) if message["role"] == "assistant"]
    content = said[-1]["content"] if said else []
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    is_call = any(block.get("type") == "tool_use" for block in blocks)
    return Response.model_validate(
        {
            "id": "",
            "type": "message",
            "role": "assistant",
            "model": "",
            "content": blocks,
            "stop_reason": "tool_use" if is_call else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
    )


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage that a message or an event of its stream reports."""
    value = as_block(event)
    if not isinstance(value, dict):
        return []
    message = value.get("message")
    whole: dict[str, Any] = message if isinstance(message, dict) else value
    report = whole.get("usage")
    if not isinstance(report, dict):
        return []
    cached = ("cache_read_input_tokens", "cache_creation_input_tokens")
    sent = [report.get(key) for key in ("input_tokens", *cached)]
    report = report | {"input_tokens": sum(n for n in sent if type(n) is int)}
    found = usage_of(report, whole.get("model"))
    if found is not None and value is not whole:  # the end of the stream counts all of the output
        found = replace(found, output_tokens=0)
    elif found is not None and value.get("type") == "message_delta":  # as the beginning did input
        found = Usage(0, found.output_tokens, reasoning_tokens=found.reasoning_tokens)
    return [] if found is None else [found]


def _items_of(messages: list[Any], role: str) -> list[Item]:
    def read(message: Any, last: list[Item]) -> list[Item]:
        if not isinstance(message, dict):
            raise unknown(message, role)
        if is_message(message):
            return LOSSLESS.message_to_items(message, last)
        return chat.to_items(message, role=role)

    return one_by_one(_whole(added_up(messages, MessageStream()), role), read)


def _whole(values: Iterable[Any], role: str) -> Iterator[Any]:
    """Yield messages; of blocks in a row the message that they are."""
    blocks: list[Any] = []
    for value in values:
        if _is_block(value):
            blocks.append(value)
            continue
        if blocks:
            yield {"role": role, "content": blocks}
            blocks = []
        is_response = isinstance(value, dict) and value.get("type") == "message"
        if is_response and "stop_reason" in value:
            yield {"role": value["role"], "content": value["content"]}
        else:
            yield value
    if blocks:
        yield {"role": role, "content": blocks}


_BLOCKS = frozenset(
    {
        *("text", "image", "document", "thinking", "redacted_thinking", "tool_use"),
        *("tool_result", "server_tool_use", "search_result", "container_upload"),
    }
)


def _is_block(value: Any) -> bool:
    kind = value.get("type") if isinstance(value, dict) and "role" not in value else None
    return isinstance(kind, str) and (kind in _BLOCKS or kind.endswith("_tool_result"))
