"""Items as the messages of Strands that say the same, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from memwrap.adapters.calls import input_of, readable
from memwrap.adapters.grouping import is_of_assistant
from memwrap.adapters.strands.media import Block, block_of
from memwrap.adapters.strands.message_to_items import ROLE
from memwrap.items import Item
from memwrap.shapes import CALLS, OUTPUTS

__all__ = ["message_of"]


def message_of(items: Sequence[Item]) -> dict[str, Any]:
    """Return the one message of a group."""
    last = items[-1]
    if last.get("type") in OUTPUTS:
        return {"role": "user", "content": [_result(item) for item in items]}
    if not all(is_of_assistant(item) for item in items):
        message: dict[str, Any] = {"role": "user", "content": _blocks(last.get("content"))}
        role = last.get("role")
        told = {"metadata": {"custom": {ROLE: role}}} if role in ("system", "developer") else {}
        return message | told
    blocks: list[Block] = []
    for item in items:
        if item.get("type") == "reasoning":
            blocks += _thoughts(item)
        elif item.get("type") in CALLS:
            blocks.append(_call(item))
        else:
            blocks += _blocks(item.get("content"))
    return {"role": "assistant", "content": blocks}


def _thoughts(item: Item) -> Iterable[Block]:
    summary = item.get("summary")
    for part in summary if isinstance(summary, list) else ():
        if isinstance(part, dict) and isinstance(text := part.get("text"), str):
            yield {"reasoningContent": {"reasoningText": {"text": text}}}


def _call(item: Item) -> Block:
    use = {"toolUseId": _text(item.get("call_id")), "name": _text(item.get("name"))}
    return {"toolUse": use | {"input": input_of(item)}}


def _result(item: Item) -> Block:
    output = readable(item.get("output"))
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
