"""Objects of the `openai` package, rebuilt from the items that they became.

What items do not hold is made up: ids, times, the model, and which choice it was of several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from memwrap.adapters.projection import projected
from memwrap.adapters.targets import RESPONSES
from memwrap.hidden.data import without_provider_data
from memwrap.items import Item

__all__ = ["rebuilt_chat", "rebuilt_response"]

_STORED = "memwrap_stored"  # stands for the ids that nobody knows any more


def rebuilt_response(items: Sequence[Item], type_name: str) -> Any:
    """Return a response, the last event of its stream, or an item of its output.

    None for other types.
    """
    from openai.types import responses

    found: dict[str, Any] = {
        "object": "response",
        "id": f"resp_{_STORED}",
        "created_at": 0,
        "model": "",
    }
    found |= {"status": "completed", "parallel_tool_calls": False, "tool_choice": "auto"}
    output = without_provider_data(projected(items, RESPONSES))
    found |= {"tools": [], "output": [_as_output(item, n) for n, item in enumerate(output)]}
    name = _last_name(type_name)
    if name.endswith("Event"):
        return responses.ResponseCompletedEvent.model_construct(
            type="response.completed",
            sequence_number=0,
            response=responses.Response.construct(**found),
        )
    response = responses.Response.construct(**found)
    if name in {"Response", "ParsedResponse"}:
        return response
    return next((item for item in response.output if type(item).__name__ == name), None)


def _last_name(type_name: str) -> str:
    """Return the name of a class, without its module and what it is generic in."""
    return type_name.partition("[")[0].rpartition(".")[2]


def _as_output(item: Item, place: int) -> Item:
    """Return an item as a response has it, where a message has an id, a status and parts."""
    if item.get("role") != "assistant":
        return item
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "output_text", "text": content, "annotations": []}]
    made = {"type": "message", "id": f"msg_{_STORED}_{place}", "status": "completed"}
    return {**made, **item, "content": content}


def rebuilt_chat(
    items: Sequence[Item], type_name: str, from_items: Callable[[Sequence[Item]], list[Any]]
) -> Any:
    """Return a completion with one choice, the one chunk of its stream, or its message.

    None for other types.
    """
    from openai.types import chat

    messages = from_items(items)
    message: dict[str, Any] = {"content": None, "refusal": None, **messages[-1]} if messages else {}
    calls = message.get("tool_calls")
    found: dict[str, Any] = {"id": f"chatcmpl_{_STORED}", "created": 0, "model": ""}
    choice = {"index": 0, "finish_reason": "tool_calls" if calls else "stop", "logprobs": None}
    name = _last_name(type_name)
    if name == "ChatCompletionMessage":
        return chat.ChatCompletionMessage.construct(**message)
    if name == "ChatCompletionChunk":
        delta = {**message, "tool_calls": [{"index": n, **c} for n, c in enumerate(calls or [])]}
        choices = [{**choice, "delta": delta if calls else message}]
        return chat.ChatCompletionChunk.construct(
            **found, object="chat.completion.chunk", choices=choices
        )
    if name.endswith("ChatCompletion"):
        choices = [{**choice, "message": message}]
        return chat.ChatCompletion.construct(**found, object="chat.completion", choices=choices)
    return None
