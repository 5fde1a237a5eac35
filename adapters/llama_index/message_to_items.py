"""What a chat message of LlamaIndex says, as items: text, media, calls, outputs, reasoning.

What has no place in an item is left to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from memwrap.adapters.llama_index.parts import content_of
from memwrap.hidden.data import with_data
from memwrap.items import Item

__all__ = ["ASSISTANTS", "NAME", "TOOLS", "items_of", "output_id"]

NAME = "llama_index"
"""The name under which data is hidden, reasoning marked among it."""

ASSISTANTS = (MessageRole.ASSISTANT, MessageRole.CHATBOT, MessageRole.MODEL)
"""The roles in which a model speaks."""

TOOLS = (MessageRole.TOOL, MessageRole.FUNCTION)
"""The roles in which a tool answers."""


def items_of(message: ChatMessage, call_id: str = "") -> list[Item]:
    """Return the items of one message; at least one.

    Args:
        message: The message.
        call_id: The id of the call that a tool's message answers, if the message does not tell.
    """
    if message.role in TOOLS:
        output = content_of(message.blocks)
        call_id = output_id(message) or call_id or "call_0"
        return [{"type": "function_call_output", "call_id": call_id, "output": output}]
    if message.role in ASSISTANTS:
        return _assistant_items(message)
    return [{"role": message.role.value, "content": content_of(message.blocks)}]


def output_id(message: ChatMessage) -> str:
    """Return the id of the call that a tool's message answers; empty if the message has none."""
    beside = message.additional_kwargs
    found = beside.get("tool_call_id") or (
        beside.get("name") if message.role == MessageRole.FUNCTION else None
    )
    return found if isinstance(found, str) else ""


def _assistant_items(message: ChatMessage) -> list[Item]:
    beside = list(_calls_beside(message.additional_kwargs.get("tool_calls")))
    taken = {str(call[0]) for call in beside}
    taken |= {str(b.tool_call_id) for b in message.blocks if isinstance(b, ToolCallBlock)}
    items: list[Item] = []
    free = 0

    def add_call(call_id: Any, name: Any, arguments: Any) -> None:
        nonlocal free
        if not (isinstance(call_id, str) and call_id):
            while (call_id := f"call_{free}") in taken:
                free += 1
            free += 1
        call = {"call_id": call_id, "name": name if isinstance(name, str) else ""}
        items.append({"type": "function_call", **call, "arguments": _text_of(arguments)})

    known: set[Any] = set()
    for block in message.blocks:
        if isinstance(block, TextBlock):
            items.append({"role": "assistant", "content": block.text})
        elif isinstance(block, ThinkingBlock):
            parts = [{"type": "summary_text", "text": block.content}] if block.content else []
            items.append(with_data({"type": "reasoning", "summary": parts}, NAME, {}))
        elif isinstance(block, ToolCallBlock):
            known.add(block.tool_call_id)
            add_call(block.tool_call_id, block.tool_name, block.tool_kwargs)
    for call in beside:
        if call[0] not in known:
            add_call(*call)
    return items or [{"role": "assistant", "content": ""}]


def _text_of(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    return json.dumps({} if arguments is None else arguments, ensure_ascii=False, default=str)


def _calls_beside(calls: Any) -> Iterable[tuple[Any, Any, Any]]:
    """Yield id, name and arguments of calls as packages for providers put them beside the blocks.

    They are those of the provider, as objects or dicts, or LlamaIndex's own selections of tools.
    """
    for call in calls if isinstance(calls, Sequence) and not isinstance(calls, str) else ():
        function = _field(call, "function") or call
        name = _first(function, "name", "tool_name")
        if isinstance(name, str):
            arguments = _first(function, "arguments", "input", "args", "tool_kwargs")
            yield _first(call, "id", "tool_id", "toolUseId", "tool_call_id"), name, arguments


def _first(value: Any, *names: str) -> Any:
    found = (_field(value, name) for name in names)
    return next((one for one in found if one is not None), None)


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
