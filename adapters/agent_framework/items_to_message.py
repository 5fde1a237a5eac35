"""Items as the messages of Agent Framework that say the same, and nothing else."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterable, Sequence
from typing import Any

from agent_framework import Content, Message

from memwrap.adapters.agent_framework.message_to_items import REFUSAL
from memwrap.adapters.lossless import Group
from memwrap.adapters.projection import named
from memwrap.items import Item

__all__ = ["joins", "message_of"]

_ROLES = ("user", "system", "developer", "assistant")
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


def message_of(items: Sequence[Item]) -> Message:
    """Return the one message of a group."""
    last = items[-1]
    if last.get("type") in _OUTPUTS:
        return Message("tool", [_result(item) for item in items])
    if not all(_is_of_assistant(item) for item in items):
        role = last.get("role")
        return Message(role if role in _ROLES else "user", _contents(last.get("content")))
    contents: list[Content] = []
    for item in items:
        if item.get("type") == "reasoning":
            contents += _thoughts(item)
        elif item.get("type") in _CALLS:
            contents.append(_call(item))
        else:
            contents += _contents(item.get("content"))
    return Message("assistant", contents)


def _is_of_assistant(item: Item) -> bool:
    kind = item.get("type", "message")
    return kind in _CALLS or kind == "reasoning" or item.get("role") == "assistant"


def _thoughts(item: Item) -> Iterable[Content]:
    """Yield the parts of what a model thought; reasoning that is kept secret has no text."""
    summary = item.get("summary")
    parts = (
        [part for part in summary if isinstance(part, dict)] if isinstance(summary, list) else []
    )
    for part in parts or [{}]:
        text = part.get("text")
        yield Content("text_reasoning", text=text if isinstance(text, str) else None)


def _call(item: Item) -> Content:
    arguments = item.get("arguments")
    if item["type"] == "custom_tool_call":
        arguments = json.dumps({"input": item.get("input")}, ensure_ascii=False)
    return Content(
        "function_call",
        call_id=_text(item.get("call_id")),
        name=_text(item.get("name")),
        arguments=_text(arguments) or "{}",
    )


def _result(item: Item) -> Content:
    output = item.get("output")
    call_id = _text(item.get("call_id"))
    if isinstance(output, list):
        return Content.from_function_result(call_id, result=_contents(output))
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    return Content.from_function_result(call_id, result=text)


def _contents(content: Any) -> list[Content]:
    if isinstance(content, str):
        return [Content("text", text=content)] if content else []
    parts = content if isinstance(content, list) else []
    found = (_content(part) for part in parts if isinstance(part, dict))
    return [content for content in found if content is not None]


def _content(part: Item) -> Content | None:
    kind, url = part.get("type"), part.get("image_url")
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return Content("text", text=part["refusal"], additional_properties=REFUSAL)
    if isinstance(part.get("text"), str):
        return Content("text", text=part["text"])
    if kind == "input_image" and isinstance(url, str) and url:
        detail = part.get("detail")
        beside = {"detail": detail} if detail not in (None, "auto") else {}
        return _media(url, "image/*", additional_properties=beside)
    if kind == "input_audio" and isinstance(audio := part.get("input_audio"), dict):
        media_type = "audio/wav" if audio.get("format") == "wav" else "audio/mpeg"
        return _media(f"data:{media_type};base64,{audio.get('data')}", media_type)
    if (file := _file(part)) is not None or "type" not in part:
        return file
    return Content("text", text=named(part, {})["text"])


def _file(part: Item) -> Content | None:
    name = part.get("filename")
    name = name if isinstance(name, str) else None
    for key in ("file_data", "file_url"):
        if isinstance(url := part.get(key), str) and url:
            return _media(url, mimetypes.guess_type(name or "")[0] or "application/pdf", name=name)
    if isinstance(file_id := part.get("file_id"), str) and file_id:
        return Content("hosted_file", file_id=file_id, name=name)
    return None


def _media(url: str, otherwise: str, **options: Any) -> Content:
    """Return what lies at a URL, or in it; a URL seldom tells which type of media that is."""
    if url.startswith("data:"):
        told = url.removeprefix("data:").partition(",")[0].partition(";")[0]
        return Content("data", uri=url, media_type=told or otherwise, **options)
    guessed = mimetypes.guess_type(url.partition("?")[0])[0]
    return Content("uri", uri=url, media_type=guessed or otherwise, **options)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
