"""Items as the messages that say the same, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from memwrap.adapters.langchain.response_items import OUTPUTS, is_spoken, kind_of, speaker_of
from memwrap.adapters.lossless import Group
from memwrap.adapters.projection import Target, is_foreign, named
from memwrap.adapters.targets import PORTABLE
from memwrap.hidden.data import marks_of
from memwrap.items import Item, arguments_of
from memwrap.shapes import CALLS

__all__ = ["SHOWN_AS", "joins", "message_of"]

SHOWN_AS = "shown_as"
"""The note of an id that a call is shown under to other providers, or its output."""

_ROLES = ("user", "system", "developer")
_FAKE_ID = "__fake_id__"  # what the Agents SDK writes where a provider gave no id


def _is_of_assistant(item: Item, portable: bool) -> bool:
    kind = item.get("type", "message")
    if kind == "message":
        role = item.get("role")
        return role == "assistant" or (portable and role not in _ROLES)
    # Other providers get nothing of the rest: in an answer it does no harm.
    return is_spoken(item) or (portable and _tool_output(item) is None)


def joins(item: Item, group: Group, target: Target) -> bool:
    """Tell whether *item* goes on with the message of the items before it.

    What the assistant does up to the next output or question is one message. Text without an id
    begins one: two answers stay two. In a message calls come behind all else. That may not part
    reasoning from the call after it: the API refuses the one without the other.
    """
    portable = target is PORTABLE
    if not (_is_of_assistant(item, portable) and _is_of_assistant(group[-1], portable)):
        return False
    if "type" not in item and group.types != {"reasoning"}:
        return False
    kind = kind_of(item)
    is_thoughtful = kind == "reasoning" or "reasoning" in group.types
    parts_reasoning = is_thoughtful and kind_of(group[-1]) in CALLS and kind not in CALLS
    return portable or not parts_reasoning


def message_of(items: Sequence[Item], target: Target) -> Any:
    """Return the one message of a group.

    Args:
        items: The items of one message.
        target: With `PORTABLE`, what only the Responses API knows is left out of the content.
    """
    portable = target is PORTABLE
    *others, last = items
    is_given = last.get("type", "message") == "message" and last.get("role") in _ROLES
    if not is_given and any(_is_of_assistant(item, portable) for item in items):
        return _assistant_message(items, portable)
    message = _other_message(last, portable)
    if others:
        content = message.content
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        message.content = [*(_whole(item) for item in others), *blocks]
    return message


def _other_message(item: Item, portable: bool) -> Any:
    kind, role = item.get("type", "message"), item.get("role")
    if kind == "message" and role in _ROLES and _is_content(item.get("content")):
        content = _blocks(item["content"], portable)
        if role == "user":
            return HumanMessage(content)
        extra = {"__openai_role__": "developer"} if role == "developer" else {}
        return SystemMessage(content, additional_kwargs=extra)
    if (output := _tool_output(item)) is not None:
        return _tool_message(item, output, portable)
    return (SystemMessage if speaker_of(item) == "system" else HumanMessage)([_whole(item)])


def _tool_output(item: Item) -> Any:
    """Return what a tool answered; None if this is no item of a tool that LangChain runs."""
    if kind_of(item) not in OUTPUTS or not isinstance(item.get("call_id"), str):
        return None
    return item.get("output")


def _tool_message(item: Item, output: Any, portable: bool) -> Any:
    kind, call_id = item["type"], _call_id(item, portable)
    if portable and isinstance(output, dict) and isinstance(output.get("image_url"), str):
        output = [output | {"type": "input_image"}]
    is_plain = portable or kind == "function_call_output"
    if not (is_plain and _is_content(output)):
        # LangChain's models look for the outputs of custom tools and computers in such a block.
        content: Any = json.dumps(output) if portable else [_whole(item)]
        return ToolMessage(content, tool_call_id=call_id)
    extra = {} if kind == "function_call_output" else {"type": kind}
    blocks = _blocks(output, portable)
    return ToolMessage(blocks, tool_call_id=call_id, additional_kwargs=extra)


def _whole(item: Item) -> dict[str, Any]:
    return {"type": "non_standard", "value": dict(item)}


def _is_content(content: Any) -> bool:
    return isinstance(content, str) or (
        isinstance(content, list) and all(isinstance(part, dict) for part in content)
    )


def _blocks(content: Any, portable: bool) -> Any:
    if isinstance(content, str):
        return content
    if not portable:
        return [_block(part) for part in content]
    blocks = [_portable_block(part) for part in content]
    return [b for b in blocks if b["type"] != "text" or b["text"].strip()] or ""


def _portable_block(part: Item) -> dict[str, Any]:
    """Return a part as a block, or a text that names it: a file's id means nothing elsewhere."""
    block = _block(part)
    if block["type"] == "non_standard" or "file_id" in block:
        block = _block(named(part, {}))
    return block if block["type"] != "non_standard" else {"type": "text", "text": ""}


def _block(part: Item) -> dict[str, Any]:
    kind = part.get("type")
    if kind in ("input_text", "output_text") and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return _image(part["image_url"], part.get("detail") or "auto")
    return (_file(part) if kind == "input_file" else None) or _whole(part)


def _image(url: str, detail: Any) -> dict[str, Any]:
    """Return an image as a block that models of all providers take, with its detail."""
    if detail != "auto":  # OpenAI's own, which the standard block has no place for
        return {"type": "image_url", "image_url": {"url": url, "detail": detail}}
    if (data := _data(url)) is not None and data["mime_type"].startswith("image/"):
        return {"type": "image"} | data
    return {"type": "image", "url": url}


def _data(url: Any) -> dict[str, str] | None:
    """Return the data of a URL that holds them."""
    if not (isinstance(url, str) and url.startswith("data:") and ";base64," in url):
        return None
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    return {"base64": data, "mime_type": kind}


def _file(part: Item) -> dict[str, Any] | None:
    block: dict[str, Any] = {"type": "file"}
    if isinstance(name := part.get("filename"), str):
        block["extras"] = {"filename": name}
    if (data := _data(part.get("file_data"))) is not None:
        return block | data
    if isinstance(part.get("file_url"), str):
        return block | {"url": part["file_url"]}
    if isinstance(part.get("file_id"), str):
        return block | {"file_id": part["file_id"]}
    return None


# What the assistant did


def _assistant_message(items: Sequence[Item], portable: bool) -> Any:
    calls: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    content: list[Any] = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "message":
            content += _text_blocks(item)
        elif kind == "function_call":
            _add_call(item, calls, bad, portable)
        elif not (portable or item.get("id") == _FAKE_ID or is_foreign(item, "langchain")):
            content.append(dict(item))
        if kind == "custom_tool_call":
            arguments = json.dumps({"__arg1": item.get("input")})
            _add_call(item | {"arguments": arguments}, calls, bad, portable)
    text: Any = content
    if portable or (len(content) < 2 and all(b.keys() == {"type", "text"} for b in content)):  # noqa: PLR2004
        text = "".join(block[block["type"]] for block in content)
    return AIMessage(text, tool_calls=calls, invalid_tool_calls=bad)


def _text_blocks(item: Item) -> list[dict[str, Any]]:
    content = item.get("content", "")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    blocks = []
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            continue
        kind = "refusal" if part.get("type") == "refusal" else "text"
        if not isinstance(part.get(kind), str):
            continue
        block: dict[str, Any] = {"type": kind, kind: part[kind]}
        if isinstance(part.get("annotations"), list) and part["annotations"]:
            block["annotations"] = [_annotation(one) for one in part["annotations"]]
        named = (key for key in ("id", "phase") if isinstance(item.get(key), str))
        block |= {key: item[key] for key in named if item[key] != _FAKE_ID}
        blocks.append(block)
    return blocks


def _annotation(annotation: Any) -> Any:
    """Return an annotation with LangChain's name for what it has another use for."""
    if kind_of(annotation) != "file_citation" or "index" not in annotation:
        return annotation
    return {"file_index" if key == "index" else key: annotation[key] for key in annotation}


def _call_id(item: Item, portable: bool) -> str | None:
    """Return the id of a call, or the one that other providers take in its place."""
    call_id = _text(item.get("call_id"))
    if not portable or call_id is None:
        return call_id
    return _text(marks_of(item).get(SHOWN_AS)) or call_id


def _add_call(
    item: Item, calls: list[dict[str, Any]], bad: list[dict[str, Any]], portable: bool
) -> None:
    call = {"name": _text(item.get("name")), "id": _call_id(item, portable)}
    arguments = arguments_of(item) if "arguments" in item else None
    if arguments is not None and call["name"] is not None:
        calls.append(call | {"args": arguments, "type": "tool_call"})
    else:
        text = _text(item.get("arguments"))
        bad.append(call | {"args": text, "error": None, "type": "invalid_tool_call"})


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
