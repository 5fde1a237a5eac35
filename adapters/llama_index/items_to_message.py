"""Items as the chat messages of LlamaIndex that say the same, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    MessageRole,
    ThinkingBlock,
    ToolCallBlock,
)

from memwrap.adapters.calls import readable
from memwrap.adapters.grouping import is_of_assistant
from memwrap.adapters.llama_index.parts import blocks_of
from memwrap.adapters.lossless import Group
from memwrap.items import Item, arguments_of
from memwrap.shapes import CALLS, OUTPUTS

__all__ = ["joins", "message_of"]

_ROLES = ("user", "system", "developer")


def joins(item: Item, group: Group) -> bool:
    """Tell whether *item* goes on with the message of the items before it.

    What the assistant does up to the next output is one message: reasoning, a text, and calls. A
    second text begins a message, as two answers stay two.
    """
    kind = item.get("type", "message")
    if not all(map(is_of_assistant, (item, *group))):
        return False
    if kind == "message":
        return group.types == {"reasoning"}
    return kind in CALLS or group.types == {"reasoning"}


def message_of(items: Sequence[Item]) -> ChatMessage:
    """Return the one message of a group."""
    last = items[-1]
    if last.get("type") in OUTPUTS:
        beside = {"tool_call_id": last.get("call_id")}
        told = blocks_of(readable(last.get("output")))
        return ChatMessage(role=MessageRole.TOOL, blocks=told, additional_kwargs=beside)
    if not all(map(is_of_assistant, items)):
        role = last.get("role")
        role = role if role in _ROLES else "user"
        return ChatMessage(role=role, blocks=blocks_of(last.get("content")))
    blocks: list[Any] = []
    for item in items:
        if item.get("type") == "reasoning":
            blocks.append(_thought(item))
        elif item.get("type") in CALLS:
            blocks.append(_call(item))
        else:
            blocks += blocks_of(item.get("content"))
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def _thought(item: Item) -> ThinkingBlock:
    summary = item.get("summary")
    parts = [part for part in summary if isinstance(part, dict)] if summary else []
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return ThinkingBlock(content="\n".join(texts) if texts else None)


def _call(item: Item) -> ToolCallBlock:
    """Return a call; a text that is no object is wrapped, since most providers take objects."""
    arguments = arguments_of(item) if item["type"] == "function_call" else None
    if arguments is None:
        arguments = {"input": item.get("input", item.get("arguments"))}
    name = item.get("name")
    return ToolCallBlock(
        tool_call_id=item.get("call_id"),
        tool_name=name if isinstance(name, str) else "",
        tool_kwargs=arguments,
    )
