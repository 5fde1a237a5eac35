"""Items as the messages of Anthropic that say the same, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from memwrap.adapters.anthropic.blocks import Block, block_of
from memwrap.adapters.lossless import Group
from memwrap.items import Item, arguments_of

__all__ = ["joins", "message_of"]

_CALLS = ("function_call", "custom_tool_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def joins(item: Item, group: Group) -> bool:
    """Tell whether *item* goes on with the message of the items before it.

    Outputs in a row are one message, and so is what the assistant does up to the next output:
    thoughts, a text, and calls. A second text begins a message, as two answers stay two.
    """
    kind = item.get("type", "message")
    if group[-1].get("type") in _OUTPUTS or kind in _OUTPUTS:
        return group[-1].get("type") in _OUTPUTS and kind in _OUTPUTS
    if not all(_is_of_assistant(one) for one in group):
        return False
    if kind == "message":
        return item.get("role") == "assistant" and group.types == {"reasoning"}
    return kind in _CALLS or (kind == "reasoning" and "message" not in group.types)


def message_of(items: Sequence[Item]) -> dict[str, Any]:
    """Return the one message of a group; its content is empty if it has nothing to say."""
    last = items[-1]
    if last.get("type") in _OUTPUTS:
        return {"role": "user", "content": [_result(item) for item in items]}
    if not all(_is_of_assistant(item) for item in items):
        return {"role": "user", "content": _content(last.get("content"))}
    if len(items) == 1 and last.get("role") == "assistant":
        return {"role": "assistant", "content": _content(last.get("content"))}
    blocks: list[Block] = []
    for item in items:
        if item.get("type") in _CALLS:
            blocks.append(_call(item))
        elif item.get("type") != "reasoning":  # which is worth nothing without its signature
            blocks += _blocks(item.get("content"))
    return {"role": "assistant", "content": blocks}


def _is_of_assistant(item: Item) -> bool:
    kind = item.get("type", "message")
    return kind in _CALLS or kind == "reasoning" or item.get("role") == "assistant"


def _call(item: Item) -> Block:
    if item["type"] == "custom_tool_call":
        input: Any = {"input": item.get("input")}
    elif (arguments := arguments_of(item)) is not None:
        input = arguments
    else:  # the API takes nothing else than an object here
        input = {"input": item.get("arguments")}
    return {"type": "tool_use", "id": item["call_id"], "name": item["name"], "input": input}


def _result(item: Item) -> Block:
    output = item.get("output")
    if not isinstance(output, (str, list)):
        output = json.dumps(output, ensure_ascii=False)
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
