"""Items as the messages of Agent Framework that say the same, and nothing else."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterable, Sequence
from typing import Any

from agent_framework import Content, Message

from memwrap.adapters.agent_framework.message_to_items import REFUSAL
from memwrap.adapters.calls import readable
from memwrap.adapters.grouping import is_of_assistant
from memwrap.adapters.projection import named
from memwrap.items import Item
from memwrap.shapes import CALLS, OUTPUTS

__all__ = ["message_of"]

_ROLES = ("user", "system", "developer", "assistant")


def message_of(items: Sequence[Item]) -> Message:
    """Return the one message of a group."""
    last = items[-1]
    if last.get("type") in OUTPUTS:
        return Message("tool", [_result(item) for item in items])
    if not all(is_of_assistant(item) for item in items):
        role = last.get("role")
        return Message(role if role in _ROLES else "user", _contents(last.get("content")))
    contents: list[Content] = []
    for item in items:
        if item.get("type") == "reasoning":
            contents += _thoughts(item)
        elif item.get("type") in CALLS:
            contents.append(_call(item))
        else:
            contents += _contents(item.get("content"))
    return Message("assistant", contents)


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
    output = readable(item.get("output"))
    result = _contents(output) if isinstance(output, list) else output
    return Content.from_function_result(_text(item.get("call_id")), result=result)


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
