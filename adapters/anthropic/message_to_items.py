"""What a message of Anthropic says, as items: text, media, calls, outputs, thoughts.

What has no place in an item is left to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from memwrap.adapters.anthropic.blocks import Block, part_of
from memwrap.hidden.data import with_data
from memwrap.items import Item

__all__ = ["NAME", "items_of"]

NAME = "anthropic"
"""The name under which data is hidden, thoughts marked among it."""


def items_of(message: Mapping[str, Any]) -> list[Item]:
    """Return the items of one message; at least one."""
    role, content = message["role"], message["content"]
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    items: list[Item] = []
    parts: list[Item] = []  # of a message that is not the assistant's
    for block in content:
        item = _item_of(block)
        if item is not None:
            items += [_message(role, parts), item] if parts else [item]
            parts = []
        elif (part := part_of(block)) is not None:
            if role == "assistant":
                items.append(_message(role, [part]))
            else:
                parts.append(part)
    if parts:
        items.append(_message(role, parts))
    return items or [{"role": role, "content": ""}]


def _message(role: str, parts: list[Item]) -> Item:
    is_text = len(parts) == 1 and parts[0]["type"] == "input_text"
    return {"role": role, "content": parts[0]["text"] if is_text else parts}


def _item_of(block: Any) -> Item | None:
    """Return the item that a block is on its own; None for a part of a message."""
    kind = block.get("type") if isinstance(block, dict) else None
    if kind in {"thinking", "redacted_thinking"}:
        text = block.get("thinking")
        parts = [{"type": "summary_text", "text": text}] if isinstance(text, str) and text else []
        return with_data({"type": "reasoning", "summary": parts}, NAME, {})
    if kind == "tool_use":
        arguments = json.dumps(block.get("input", {}), ensure_ascii=False)
        called = {"call_id": block["id"], "name": block["name"], "arguments": arguments}
        return {"type": "function_call", **called}
    if kind == "tool_result":
        called = {"call_id": block["tool_use_id"], "output": _output(block)}
        return {"type": "function_call_output", **called}
    return None


def _output(result: Block) -> Any:
    """Return what a model is shown of a result: a text, or several parts."""
    content = result.get("content")
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    parts = [part for block in content if (part := part_of(block)) is not None]
    is_text = len(parts) == 1 and parts[0]["type"] == "input_text"
    return parts[0]["text"] if is_text else parts or ""
