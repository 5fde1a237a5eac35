"""The message of Pydantic AI that items make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from memwrap.adapters.projection import fitting_id, is_of_api
from memwrap.adapters.pydantic_ai.content import output_to_result, parts_to_content
from memwrap.adapters.pydantic_ai.message_to_items import NAME, OPENAI, PROVIDER
from memwrap.adapters.targets import PYDANTIC_AI
from memwrap.hidden.data import data_of, marked, marks_of
from memwrap.items import Item, text_of
from memwrap.pairing import pairs
from memwrap.shapes import OUTPUTS

__all__ = ["UNKNOWN_TIME", "joins", "message_of", "with_tools"]

UNKNOWN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When messages were made of which nobody knows when: the same items make equal messages."""

_TOOL = "tool"
_INSTRUCTING = ("system", "developer")


def joins(item: Item, group: Sequence[Item]) -> bool:
    """Tell whether an item belongs to the message of the items before it.

    What the assistant does is one response, and what its tools return one request. What users say
    stays apart from that, and from instructions, which a reader may want in another place.
    """
    speaker = _speaker(item)
    return speaker != "user" and speaker == _speaker(group[0])


def _speaker(item: Item) -> str:
    kind = item.get("type", "message")
    if kind in OUTPUTS:
        return "tool"
    if kind != "message":
        return "assistant"
    role = item.get("role")
    if role in _INSTRUCTING:
        return "system"
    return "assistant" if role == "assistant" else "user"


def with_tools(items: Sequence[Item]) -> list[Item]:
    """Return the items with notes of the tools whose outputs they are: only calls tell them."""
    noted = list(items)
    for call, output in pairs(items):
        name = items[call].get("name")
        if isinstance(name, str) and items[output].get("type") in OUTPUTS:
            noted[output] = marked(items[output], **{_TOOL: name})
    return noted


def message_of(items: Sequence[Item]) -> ModelMessage:
    """Return the message of items that `joins` has put together."""
    if _speaker(items[0]) == "assistant":
        parts = [part for item in items for part in _response_parts(item)]
        return ModelResponse(parts, timestamp=UNKNOWN_TIME)
    return ModelRequest([part for item in items if (part := _request_part(item)) is not None])


def _request_part(item: Item) -> Any:
    speaker = _speaker(item)
    if speaker == "system":
        return SystemPromptPart(text_of(item), timestamp=UNKNOWN_TIME)
    if speaker == "user":
        return UserPromptPart(parts_to_content(item.get("content")), timestamp=UNKNOWN_TIME)
    call_id, name = item.get("call_id"), marks_of(item).get(_TOOL)
    if not isinstance(call_id, str):
        return None
    name = item.get("name") if name is None else name
    return ToolReturnPart(
        name if isinstance(name, str) else "",
        output_to_result(item.get("output")),
        fitting_id(call_id, PYDANTIC_AI),
        timestamp=UNKNOWN_TIME,
    )


def _response_parts(item: Item) -> Iterable[Any]:
    make = _RESPONSE.get(item.get("type", "message"))
    return () if make is None else make(item)


def _text(item: Item) -> Iterable[TextPart]:
    text = text_of(item)
    return [TextPart(text)] if text.strip() else ()  # providers refuse blank texts


def _call(item: Item) -> Iterable[ToolCallPart]:
    name, call_id = item.get("name"), item.get("call_id")
    if not (isinstance(name, str) and isinstance(call_id, str)):
        return ()
    if "input" in item:
        arguments = json.dumps({"input": item["input"]}, ensure_ascii=False)
    else:
        arguments = item.get("arguments") or "{}"
    text = arguments if isinstance(arguments, str) else "{}"
    return [ToolCallPart(name, text, fitting_id(call_id, PYDANTIC_AI))]


def _thoughts(item: Item) -> Iterable[ThinkingPart]:
    """Return what a model thought; nothing if nobody can tell which model."""
    summary = item.get("summary")
    parts = summary if isinstance(summary, list) else []
    texts = [part["text"] for part in parts if isinstance(part, dict) and _is_text(part)]
    hidden, own_id = data_of(item, NAME), item.get("id")
    if hidden is not None:
        provider = hidden.get(PROVIDER)
        name = provider if isinstance(provider, str) else None
        return [ThinkingPart("".join(texts), provider_name=name)]
    if not isinstance(own_id, str) or not is_of_api(item, NAME):
        return ()
    signature = item.get("encrypted_content")
    signature = signature if isinstance(signature, str) else None
    return [
        ThinkingPart(text, id=own_id, signature=None if place else signature, provider_name=OPENAI)
        for place, text in enumerate(texts or [""])
    ]


def _is_text(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("text"), str)


_RESPONSE: Mapping[Any, Callable[[Item], Iterable[Any]]] = {
    "message": _text,
    "function_call": _call,
    "custom_tool_call": _call,
    "reasoning": _thoughts,
}
