"""Items as the messages of Anthropic that say the same, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memwrap.adapters.anthropic.blocks import Block, block_of
from memwrap.adapters.calls import input_of, readable
from memwrap.adapters.grouping import is_of_assistant
from memwrap.items import Item
from memwrap.shapes import CALLS, OUTPUTS

__all__ = ["message_of"]


def message_of(items: Sequence[Item]) -> dict[str, Any]:
    """Return the one message of a group; its content is empty if it has nothing to say."""
    last = items[-1]
    if last.get("type") in OUTPUTS:
        return {"role": "user", "content": [_result(item) for item in items]}
    if not all(is_of_assistant(item) for item in items):
        return {"role": "user", "content": _content(last.get("content"))}
    if len(items) == 1 and last.get("role") == "assistant":
        return {"role": "assistant", "content": _content(last.get("content"))}
    blocks: list[Block] = []
    for item in items:
        if item.get("type") in CALLS:
            blocks.append(_call(item))
        elif item.get("type") != "reasoning":  # which is worth nothing without its signature
            blocks += _blocks(item.get("content"))
    return {"role": "assistant", "content": blocks}


def _call(item: Item) -> Block:
    use = {"type": "tool_use", "id": item["call_id"], "name": item["name"]}
    return use | {"input": input_of(item)}


def _result(item: Item) -> Block:
    output = readable(item.get("output"))
    content = output if isinstance(output, str) else _blocks(output)
    return {"type": "tool_result", "tool_use_id": item["call_id"], "content": content}


def _content(content: Any) -> str | list[Block]:
    """Return a text, or blocks; nothing of a blank text, which the API refuses."""
    if isinstance(content, str):
        return content if content.strip() else []
    blocks = _blocks(content)
    is_text = len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
    return blocks[0]["text"] if is_text else blocks


def _blocks(content: Any) -> list[Block]:
    parts = [{"text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list):
        return []
    found = (block_of(part) for part in parts if isinstance(part, dict))
    return [block for block in found if block is not None]
