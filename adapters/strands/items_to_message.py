"""Items as the messages of Strands that say the same, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from memwrap.adapters.lossless import Group
from memwrap.adapters.strands.media import Block, block_of
from memwrap.adapters.strands.message_to_items import ROLE
from memwrap.items import Item, arguments_of

__all__ = ["joins", "message_of"]

_CALLS = ("function_call", "custom_tool_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def joins(item: Item, group: Group) -> bool:
    """Tell whether *item* goes on with the message of the items before it.

    Outputs in a row are one message, and so is what the assistant does up to the next output:
    reasoning, a text, and calls. A second text begins a message, as two answers stay two.
    """
    kind = item.get("type", "message")
    if group[-1].get("type") in _OUTPUTS or kind in _OUTPUTS:
        return group[-1].get("type") in _OUTPUTS and kind in _OUTPUTS
    if kind == "message":
        return item.get("role") == "assistant" and group.types == {"reasoning"}
    if not all(_is_of_assistant(one) for one in group):
        return False
    return kind in _CALLS or (kind == "reasoning" and "message" not in group.types)


def message_of(items: Sequence[Item]) -> dict[str, Any]:
    """Return the one message of a group."""
    last = items[-1]
    if last.get("type") in _OUTPUTS:
        return {"role": "user", "content": [_result(item) for item in items]}
    if not all(_is_of_assistant(item) for item in items):
        message: dict[str, Any] = {"role": "user", "content": _blocks(last.get("content"))}
        role = last.get("role")
        told = {"metadata": {"custom": {ROLE: role}}} if role in ("system", "developer") else {}
        return message | told
    blocks: list[Block] = []
    for item in items:
        if item.get("type") == "reasoning":
            blocks += _thoughts(item)
        elif item.get("type") in _CALLS:
            blocks.append(_call(item))
        else:
            blocks += _blocks(item.get("content"))
    return {"role": "assistant", "content": blocks}


def _is_of_assistant(item: Item) -> bool:
    kind = item.get("type", "message")
    return kind in _CALLS or kind == "reasoning" or item.get("role") == "assistant"


def _thoughts(item: Item) -> Iterable[Block]:
    summary = item.get("summary")
    for part in summary if isinstance(summary, list) else ():
        if isinstance(part, dict) and isinstance(text := part.get("text"), str):
            yield {"reasoningContent": {"reasoningText": {"text": text}}}


def _call(item: Item) -> Block:
    if item["type"] == "custom_tool_call":
        input: Any = {"input": item.get("input")}
    elif (arguments := arguments_of(item)) is not None:
        input = arguments
    else:  # models take nothing else than an object here
        input = {"input": item.get("arguments")}
    return {
        "toolUse": {
            "toolUseId": _text(item.get("call_id")),
            "name": _text(item.get("name")),
            "input": input,
        }
    }


def _result(item: Item) -> Block:
    output = item.get("output")
    if not isinstance(output, (str, list)):
        output = json.dumps(output, ensure_ascii=False)
    blocks = [{"text": output}] if isinstance(output, str) else _blocks(output)
    call_id = _text(item.get("call_id"))
    return {"toolResult": {"toolUseId": call_id, "status": "success", "content": blocks}}


def _blocks(content: Any) -> list[Block]:
    if isinstance(content, str):
        return [{"text": content}] if content else []
    parts = content if isinstance(content, list) else []
    return [block_of(part) for part in parts if isinstance(part, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
