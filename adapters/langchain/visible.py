"""What a message says, as items: text, images, calls, outputs, reasoning, in their order.

All of it comes from LangChain's own fields, ``content`` and ``tool_calls``, so that an edit of a
message is an edit of its items. What has no place in an item is left to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from memwrap.adapters.langchain.template import parsed
from memwrap.types import Item

__all__ = ["MARKED_OUTPUTS", "items_of"]

MARKED_OUTPUTS = ("custom_tool_call_output",)
"""Outputs that are a ToolMessage with their type in ``additional_kwargs``, as in LangChain."""

# Blocks that are items of the Responses API, but for LangChain's index.
_HOSTED = {
    *("apply_patch_call", "code_interpreter_call", "compaction", "computer_call"),
    *("file_search_call", "image_generation_call", "local_shell_call", "mcp_approval_request"),
    *("mcp_call", "mcp_list_tools", "shell_call", "tool_search_call", "web_search_call"),
}
_CUSTOM_INPUT = "__arg1"  # LangChain's name for the text that a custom tool gets
_CALLS = {"function_call": "call_id", "custom_tool_call": "call_id"}
_CALLS |= {"tool_call": "id", "tool_use": "id", "invalid_tool_call": "id"}


def items_of(message: Any) -> list[Item]:
    """Return the items of one message; at least one."""
    kind = message.type.removesuffix("MessageChunk").lower()
    if kind in ("ai", "aimessagechunk"):
        return _spoken(message)
    if kind in ("tool", "function"):
        return [_output(message)]
    if kind == "system":
        role = message.additional_kwargs.get("__openai_role__")
        return _given("developer" if role == "developer" else "system", message.content)
    if kind == "chat" and message.role in ("system", "developer", "assistant"):
        text = message.content if isinstance(message.content, str) else str(message.text)
        return [{"role": message.role, "content": text}]
    return _given("user", message.content)


# What the caller gives


def _given(role: str, content: Any) -> list[Item]:
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    items = [block["value"] for block in content if _is_whole_item(block)]
    parts = [part for block in content if (part := _part(block)) is not None]
    return [*items, {"role": role, "content": parts}] if parts or not items else items


def _is_whole_item(block: Any) -> bool:
    """Tell whether a block holds an item that LangChain has no message for."""
    if not isinstance(block, dict) or block.get("type") != "non_standard" or len(block) > 2:  # noqa: PLR2004
        return False
    value = block.get("value")
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def _part(block: Any) -> Item | None:
    """Return a block as a part of a message's content; None if there is no part like it."""
    if isinstance(block, str):
        return {"type": "input_text", "text": block}
    make = _PARTS.get(block.get("type"))
    try:
        return make(block) if make else None
    except (KeyError, TypeError, AttributeError):
        return None  # not what its type says


def _text_part(block: Mapping[str, Any]) -> Item | None:
    text = block["text"]
    return {"type": "input_text", "text": text} if isinstance(text, str) else None


def _image_url_part(block: Mapping[str, Any]) -> Item | None:
    image = block["image_url"]
    image = {"url": image} if isinstance(image, str) else image
    detail = image.get("detail", "auto")
    return {"type": "input_image", "image_url": image["url"], "detail": detail}


def _image_part(block: Mapping[str, Any]) -> Item | None:
    part = {"type": "input_image", "detail": "auto"}
    if isinstance(block.get("url"), str):
        return part | {"image_url": block["url"]}
    if isinstance(block.get("base64"), str):
        return part | {"image_url": _data_url(block, "image/png")}
    return part | {"file_id": block["file_id"]}


def _file_part(block: Mapping[str, Any]) -> Item | None:
    if isinstance(file := block.get("file"), dict):  # as in Chat Completions
        known = {key: file[key] for key in ("file_data", "file_id", "filename") if key in file}
        return {"type": "input_file"} | known
    name = (block.get("extras") or {}).get("filename") or block.get("filename")
    part = {"type": "input_file"} | ({"filename": name} if name else {})
    if isinstance(block.get("url"), str):
        return part | {"file_url": block["url"]}
    if isinstance(block.get("base64"), str):
        return part | {"file_data": _data_url(block, "application/octet-stream")}
    return part | {"file_id": block["file_id"]}


def _data_url(block: Mapping[str, Any], otherwise: str) -> str:
    return f"data:{block.get('mime_type') or otherwise};base64,{block['base64']}"


_PARTS: dict[Any, Callable[[Mapping[str, Any]], Item | None]] = {
    "text": _text_part,
    "image_url": _image_url_part,
    "image": _image_part,
    "file": _file_part,
    "text-plain": _text_part,
}


# What the model says


def _spoken(message: Any) -> list[Item]:
    calls = _calls(message)
    items: list[Item] = []
    if isinstance(message.content, str):
        if message.content:
            items.append({"role": "assistant", "content": message.content})
    else:
        for block in message.content:
            _speak(block, items, calls)
    items += [item for _, item in calls]
    return items or [{"role": "assistant", "content": ""}]


def _speak(block: Any, items: list[Item], calls: list[tuple[Any, Item]]) -> None:
    """Add what a block says; a call at the place of the block that names it."""
    if isinstance(block, str):
        items.append({"role": "assistant", "content": block})
        return
    kind = block.get("type")
    if kind in ("text", "refusal"):
        _add_text(block, kind, items)
    elif kind in _CALLS:
        named = block.get(_CALLS[kind])
        place = next((n for n, (call_id, _) in enumerate(calls) if call_id == named), None)
        if place is not None:
            items.append(_called(calls.pop(place)[1], block))
    elif _is_item_block(block, kind):
        items.append({key: value for key, value in block.items() if key != "index"})


def _called(call: Item, block: dict[str, Any]) -> Item:
    """Return a call, as the custom one that its block says it is."""
    text = (parsed(call) or {}).get(_CUSTOM_INPUT)
    if block["type"] != "custom_tool_call" or not isinstance(text, str):
        return call
    return {key: value for key, value in block.items() if key != "index"} | {"input": text}


def _is_item_block(block: dict[str, Any], kind: Any) -> bool:
    if kind == "reasoning":
        return isinstance(block.get("summary"), list) and isinstance(block.get("id"), str)
    return kind in _HOSTED and isinstance(block.get("id"), str)


def _add_text(block: dict[str, Any], kind: str, items: list[Item]) -> None:
    text = block.get(kind)
    if not isinstance(text, str):
        return
    item_id = block.get("id")
    if not (isinstance(item_id, str) and item_id.startswith("msg_")):
        items.append({"role": "assistant", "content": text})
        return
    part: Item = {"type": "refusal", "refusal": text}
    if kind == "text":
        annotations = block.get("annotations")
        part = {"type": "output_text", "text": text, "annotations": annotations or []}
    last = items[-1] if items else {}
    if last.get("id") == item_id and last.get("type") == "message":
        last["content"].append(part)  # made here a moment ago
        return
    item: Item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed"}
    items.append(item | {"content": [part]})


def _calls(message: Any) -> list[tuple[Any, Item]]:
    """Return the calls with the ids that LangChain has for them, in their order."""
    raw = _raw_arguments(message)
    calls: list[tuple[Any, Item]] = []
    for call in message.tool_calls:
        arguments = _arguments(call["args"], raw.get(call["id"]))
        calls.append((call["id"], _call(call, arguments, len(calls))))
    for call in message.invalid_tool_calls:
        calls.append((call.get("id"), _call(call, call.get("args") or "", len(calls))))
    return calls


def _call(call: Mapping[str, Any], arguments: str, number: int) -> Item:
    return {
        "type": "function_call",
        "call_id": call.get("id") or f"call_{number}",
        "name": call.get("name") or "",
        "arguments": arguments,
    }


def _arguments(args: Any, raw: str | None) -> str:
    """Return arguments as the model wrote them, if they still say the same."""
    if raw is not None and parsed({"arguments": raw}) == args:
        return raw
    return json.dumps(args, ensure_ascii=False, default=str)


def _raw_arguments(message: Any) -> dict[Any, str]:
    """Return the text of the arguments by call id, where LangChain kept it."""
    found: dict[Any, str] = {}
    for call in message.additional_kwargs.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            found[call.get("id")] = function["arguments"]
    for block in message.content if isinstance(message.content, list) else ():
        is_call = isinstance(block, dict) and block.get("type") == "function_call"
        if is_call and isinstance(block.get("arguments"), str):
            found[block.get("call_id")] = block["arguments"]
    return found


# What tools answer


def _output(message: Any) -> Item:
    kind = message.additional_kwargs.get("type")
    content = message.content
    if isinstance(content, list) and len(content) == 1 and _is_whole_item(content[0]):
        value: Item = content[0]["value"]
        if value["type"].endswith("_output"):
            return value
    return {
        "type": kind if kind in MARKED_OUTPUTS else "function_call_output",
        "call_id": getattr(message, "tool_call_id", None) or message.name or "call_0",
        "output": content if isinstance(content, str) else list(_parts(content)),
    }


def _parts(content: Iterable[Any]) -> Iterable[Item]:
    return (part for block in content if (part := _part(block)) is not None)
