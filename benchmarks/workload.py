"""The items that all contenders store: the same for each, about 500 bytes of JSON apiece."""

from __future__ import annotations

import json
import os
from typing import Any

__all__ = ["LENGTHS", "WINDOW", "build_folder", "json_bytes", "messages", "turn_items", "workload"]

LENGTHS = (10, 100, 1_000, 10_000)
WINDOW = 50
"""How many of the newest items a turn reads."""

_ENGLISH = "A sentence of an ordinary length, as people write them when they ask. "
_OTHER = "Grüße aus Zürich – das Menü kostet 12 €, 東京は晴れ. "


def workload(count: int) -> list[dict[str, Any]]:
    """Return *count* items: questions, calls, their outputs and answers, in that order."""
    makers = (_question, _call, _output, _answer)
    return [makers[number % 4](number // 4) for number in range(count)]


def turn_items(number: int) -> list[dict[str, Any]]:
    """Return the items of one turn; every fifth has a call and its output."""
    middle = [_call(number), _output(number)] if number % 5 == 4 else []
    return [_question(number), *middle, _answer(number)]


def messages(items: list[dict[str, Any]]) -> list[Any]:
    """Return the same conversation as LangChain's messages, made outside of any timing."""
    return [_message(item) for item in items]


def json_bytes(items: list[dict[str, Any]]) -> int:
    """Return how long the items are as compact JSON in UTF-8, which is the least they need."""
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return sum(len(dump(item).encode()) for item in items)


def build_folder() -> str:
    """Return a folder on the disk of the checkout: a temporary one may be in memory."""
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build")  # noqa: PTH100, PTH120
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    return folder


def _question(number: int) -> dict[str, Any]:
    return {"role": "user", "content": f"{number}: {_ENGLISH * 5}{_OTHER}"}


def _answer(number: int) -> dict[str, Any]:
    text = f"{number}: {_OTHER}{_ENGLISH * 4}"
    return {
        "id": f"msg_{number:08}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def _call(number: int) -> dict[str, Any]:
    arguments = json.dumps({"query": _ENGLISH * 4, "limit": number, "tags": ["a", "b"]})
    return {
        "type": "function_call",
        "id": f"fc_{number:08}",
        "call_id": f"call_{number:08}",
        "name": "search_documents",
        "arguments": arguments,
        "status": "completed",
    }


def _output(number: int) -> dict[str, Any]:
    output = json.dumps({"found": [_ENGLISH * 2, _ENGLISH * 3], "total": number})
    return {"type": "function_call_output", "call_id": f"call_{number:08}", "output": output}


def _message(item: dict[str, Any]) -> Any:
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

    kind = item.get("type")
    if kind == "function_call":
        call = {"name": item["name"], "args": json.loads(item["arguments"]), "id": item["call_id"]}
        return AIMessage(content="", id=item["id"], tool_calls=[call])
    if kind == "function_call_output":
        return ToolMessage(content=item["output"], tool_call_id=item["call_id"])
    if item["role"] == "user":
        return HumanMessage(content=item["content"])
    return AIMessage(content=item["content"][0]["text"], id=item["id"])
