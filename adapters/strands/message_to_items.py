"""What a message of Strands says, as items: text, media, calls, outputs, reasoning.

What has no place in an item is left to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from memwrap.adapters.strands.media import Block, part_of
from memwrap.hidden.data import with_data
from memwrap.items import Item

__all__ = ["NAME", "ROLE", "items_of", "told_role"]

NAME = "strands"
"""The name under which data is hidden, reasoning marked among it."""

ROLE = "memwrap_role"
"""The key of a message's custom metadata for a role that Strands has not."""

_TOLD = ("system", "developer")


def items_of(message: Mapping[str, Any]) -> list[Item]:
    """Return the items of one message; at least one."""
    role = told_role(message) or message["role"]
    items: list[Item] = []
    parts: list[Item] = []  # of a message that is not the assistant's
    for place, block in enumerate(message["content"]):
        item = _item_of(block, place)
        if item is not None:
            items += [{"role": role, "content": parts}, item] if parts else [item]
            parts = []
        elif role == "assistant":
            text = _said(block)
            items += [] if text is None else [{"role": role, "content": text}]
        elif (part := part_of(block)) is not None:
            parts.append(part)
    if parts:
        items.append({"role": role, "content": parts})
    shown = [_as_text(item) for item in items]
    is_told = role in _TOLD and not any("role" in item for item in shown)
    return shown if shown and not is_told else [*shown, {"role": role, "content": ""}]


def told_role(message: Mapping[str, Any]) -> str | None:
    """Return the role of a message that Strands has no role for; None of others."""
    metadata = message.get("metadata")
    custom = metadata.get("custom") if isinstance(metadata, dict) else None
    role = custom.get(ROLE) if isinstance(custom, dict) else None
    return role if role in _TOLD and message.get("role") == "user" else None


def _as_text(item: Item) -> Item:
    """Return a message of one text with the text as its content."""
    match item:
        case {"role": role, "content": [{"type": "input_text", "text": text}]}:
            return {"role": role, "content": text}
    return item


def _said(block: Block) -> str | None:
    """Return the text of a block of the assistant's; of other than text nothing is shown."""
    if isinstance(text := block.get("text"), str):
        return text
    cited = block.get("citationsContent")
    pieces = cited.get("content") if isinstance(cited, dict) else None
    if not isinstance(pieces, list):
        return None
    texts = (piece.get("text") for piece in pieces if isinstance(piece, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _item_of(block: Block, place: int) -> Item | None:
    """Return the item that a block is on its own; None for a part of a message."""
    if isinstance(thought := block.get("reasoningContent"), dict):
        told = thought.get("reasoningText")
        text = told.get("text") if isinstance(told, dict) else None
        parts = [{"type": "summary_text", "text": text}] if isinstance(text, str) else []
        return with_data({"type": "reasoning", "summary": parts}, NAME, {})
    if isinstance(call := block.get("toolUse"), dict):
        return {
            "type": "function_call",
            "call_id": _id_of(call, place),
            "name": call["name"] if isinstance(call.get("name"), str) else "",
            "arguments": json.dumps(call.get("input", {}), ensure_ascii=False, default=str),
        }
    if isinstance(result := block.get("toolResult"), dict):
        call_id = _id_of(result, place)
        return {"type": "function_call_output", "call_id": call_id, "output": _output(result)}
    return None


def _id_of(block: Block, place: int) -> str:
    call_id = block.get("toolUseId")
    return call_id if isinstance(call_id, str) else f"call_{place}"


def _output(result: Block) -> Any:
    """Return what a model is shown of a result: a text, or several parts."""
    content = result.get("content")
    blocks = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    parts = [part for block in blocks if (part := part_of(block)) is not None]
    is_text = len(parts) == 1 and parts[0]["type"] == "input_text"
    return parts[0]["text"] if is_text else parts or ""
