"""What a message of Pydantic AI says, as items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

import pydantic_core
from pydantic_ai.messages import (
    BaseToolReturnPart,
    ModelMessage,
    ModelResponse,
    NativeToolReturnPart,
    RetryFeedbackPart,
    SpeechPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UserPromptPart,
)

from memwrap.adapters.pydantic_ai.content import content_to_parts, result_to_output
from memwrap.hidden.data import with_data
from memwrap.items import Item

__all__ = ["NAME", "OPENAI", "PROVIDER", "items_of"]

NAME = "pydantic_ai"
"""The name under which the dialect hides data in items."""

PROVIDER = "provider"
"""The key, in the hidden data of reasoning, of the provider that it is of."""

OPENAI = "openai"
"""The provider whose reasoning is an item of the Responses API as it is."""


def items_of(message: ModelMessage) -> list[Item]:
    """Return the items that say what a message says; at least one.

    What only the framework reads (cache points, native tools, compactions, deltas) shows nothing.
    """
    if isinstance(message, ModelResponse):
        items = list(_response_items(message))
    else:
        items = [item for part in message.parts if (item := _request_item(part)) is not None]
    return items or [{"role": "assistant", "content": ""}]


def _request_item(part: Any) -> Item | None:
    if isinstance(part, NativeToolReturnPart):
        return None
    show = next((show for kind, show in _REQUEST.items() if isinstance(part, kind)), None)
    return None if show is None else show(part)


def _output(part: BaseToolReturnPart[Any]) -> Item:
    return {
        "type": "function_call_output",
        "call_id": part.tool_call_id,
        "output": result_to_output(part),
    }


def _feedback(part: RetryFeedbackPart) -> Item:
    """Return what the framework tells a model about its answer: no person said it, but to it."""
    content = part.content
    if not isinstance(content, str):
        content = pydantic_core.to_json(content, serialize_unknown=True).decode()
    return {"role": "user", "content": content}


def _speech(part: SpeechPart) -> Item | None:
    if not part.transcript:
        return None
    return {"role": part.speaker, "content": part.transcript}


_REQUEST: Mapping[Any, Callable[[Any], Item | None]] = {
    SystemPromptPart: lambda part: {"role": "system", "content": part.content},
    UserPromptPart: lambda part: {"role": "user", "content": content_to_parts(part.content)},
    BaseToolReturnPart: _output,
    RetryFeedbackPart: _feedback,
    SpeechPart: _speech,
}


def _response_items(message: ModelResponse) -> Iterable[Item]:
    for _, run in groupby(enumerate(message.parts), lambda pair: _item_key(*pair)):
        parts: list[Any] = [part for _, part in run]
        part = parts[0]
        if isinstance(part, ThinkingPart):
            yield _reasoning(parts, part.provider_name or message.provider_name)
        elif isinstance(part, TextPart):
            yield {"role": "assistant", "content": part.content}
        elif isinstance(part, ToolCallPart):
            yield _call(part)
        elif isinstance(part, SpeechPart) and part.transcript:
            yield {"role": "assistant", "content": part.transcript}


def _item_key(place: int, part: Any) -> Any:
    """Return what parts of one item have in common: the summaries of a thought have its id."""
    if isinstance(part, ThinkingPart) and part.provider_name == OPENAI and part.id:
        return part.id
    return place


def _reasoning(parts: list[ThinkingPart], provider: str | None) -> Item:
    first = parts[0]
    texts = [{"type": "summary_text", "text": part.content} for part in parts if part.content]
    item: Item = {"type": "reasoning", "summary": texts}
    if first.provider_name == OPENAI and first.id:
        item = {"type": "reasoning", "id": first.id, "summary": texts}
        return item | ({"encrypted_content": first.signature} if first.signature else {})
    return with_data(item, NAME, {PROVIDER: provider} if provider else {})


def _call(part: ToolCallPart) -> Item:
    is_text = isinstance(part.args, str) and bool(part.args)
    return {
        "type": "function_call",
        "call_id": part.tool_call_id,
        "name": part.tool_name,
        "arguments": part.args if is_text else part.args_as_json_str(),
    }
