"""Items as the messages that say the same, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from memwrap.adapters.langchain.template import parsed
from memwrap.adapters.langchain.visible import MARKED_OUTPUTS
from memwrap.types import Item

__all__ = ["groups", "message_of"]


def groups(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Part items into those that make one message each.

    What the assistant does up to the next output or question is one message. Text without an id
    begins one: two answers stay two.
    """
    run: list[Item] = []
    for item in items:
        if not _is_spoken(item):
            if run:
                yield run
                run = []
            yield [item]
            continue
        if run and "type" not in item and any(i.get("type") != "reasoning" for i in run):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _is_spoken(item: Item) -> bool:
    kind = item.get("type", "message")
    if kind == "message":
        return item.get("role") == "assistant"
    return (
        isinstance(kind, str)
        and not kind.endswith(("_output", "_response"))
        and (
            kind in ("reasoning", "compaction", "mcp_list_tools", "mcp_approval_request")
            or kind.endswith("_call")
        )
    )


def message_of(items: Sequence[Item], *, portable: bool = False) -> Any:
    """Return the one message of a group.

    Args:
        items: What `groups` yielded.
        portable: Leave what only the Responses API knows out of the content.
    """
    first = items[0]
    if _is_spoken(first):
        return _spoken(items, portable)
    kind, role = first.get("type", "message"), first.get("role")
    if "call_id" in first and isinstance(kind, str) and kind.endswith("_output"):
        return _answered(first, kind)
    if kind == "message" and role in ("system", "developer") and _is_content(first.get("content")):
        extra = {"__openai_role__": "developer"} if role == "developer" else {}
        return SystemMessage(_blocks(first["content"]), additional_kwargs=extra)
    if kind == "message" and role == "user" and _is_content(first.get("content")):
        return HumanMessage(_blocks(first["content"]))
    return HumanMessage([_whole(first)])


def _answered(item: Item, kind: str) -> Any:
    call_id = str(item["call_id"])
    is_known = kind in ("function_call_output", *MARKED_OUTPUTS)
    if not (is_known and _is_content(item.get("output"))):
        return ToolMessage([_whole(item)], tool_call_id=call_id)
    extra = {"type": kind} if kind in MARKED_OUTPUTS else {}
    return ToolMessage(_blocks(item["output"]), tool_call_id=call_id, additional_kwargs=extra)


def _whole(item: Item) -> dict[str, Any]:
    return {"type": "non_standard", "value": dict(item)}


def _is_content(content: Any) -> bool:
    return isinstance(content, str) or (
        isinstance(content, list) and all(isinstance(part, dict) for part in content)
    )


def _blocks(content: Any) -> Any:
    return content if isinstance(content, str) else [_block(part) for part in content]


def _block(part: Item) -> dict[str, Any]:
    kind = part.get("type")
    if kind in ("input_text", "output_text") and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        image = {"url": part["image_url"], "detail": part.get("detail", "auto")}
        return {"type": "image_url", "image_url": image}
    if kind == "input_image" and isinstance(part.get("file_id"), str):
        return {"type": "image", "file_id": part["file_id"]}
    if kind == "input_file":
        return _file(part)
    return {"type": "non_standard", "value": dict(part)}


def _file(part: Item) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "file"}
    if isinstance(name := part.get("filename"), str):
        block["extras"] = {"filename": name}
    data = part.get("file_data")
    if isinstance(data, str) and data.startswith("data:") and ";base64," in data:
        kind, _, content = data.removeprefix("data:").partition(";base64,")
        return block | {"base64": content, "mime_type": kind}
    if isinstance(part.get("file_url"), str):
        return block | {"url": part["file_url"]}
    if isinstance(part.get("file_id"), str):
        return block | {"file_id": part["file_id"]}
    return {"type": "non_standard", "value": dict(part)}


# What the assistant did


def _spoken(items: Sequence[Item], portable: bool) -> Any:
    calls: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    content: list[Any] = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call":
            _add_call(item, calls, bad)
        elif kind == "message":
            content += _said(item)
        elif kind == "custom_tool_call":
            content.append(dict(item))
            _add_call(item | {"arguments": json.dumps({"__arg1": item.get("input")})}, calls, bad)
        else:
            content.append(dict(item))
    text: Any = content
    if portable or all(block.keys() == {"type", "text"} for block in content):
        kinds = ("text", "refusal")
        texts = [block[block["type"]] for block in content if block.get("type") in kinds]
        text = "".join(texts) if portable or len(texts) < 2 else content  # noqa: PLR2004
    return AIMessage(text, tool_calls=calls, invalid_tool_calls=bad)


def _said(item: Item) -> list[dict[str, Any]]:
    content = item.get("content", "")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    blocks = []
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            continue
        kind = "refusal" if part.get("type") == "refusal" else "text"
        if not isinstance(part.get(kind), str):
            continue
        block: dict[str, Any] = {"type": kind, kind: part[kind]}
        if part.get("annotations"):
            block["annotations"] = part["annotations"]
        if isinstance(item.get("id"), str):
            block["id"] = item["id"]
        blocks.append(block)
    return blocks


def _add_call(item: Item, calls: list[dict[str, Any]], bad: list[dict[str, Any]]) -> None:
    call = {"name": _text(item.get("name")), "id": _text(item.get("call_id"))}
    arguments = parsed(item) if "arguments" in item else None
    if arguments is not None and call["name"] is not None:
        calls.append(call | {"args": arguments, "type": "tool_call"})
    else:
        text = _text(item.get("arguments"))
        bad.append(call | {"args": text, "error": None, "type": "invalid_tool_call"})


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
