"""What a message of Agent Framework says, as items: text, media, calls, outputs, reasoning.

What has no place in an item is left to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Content, Message

from memwrap.hidden.data import with_data
from memwrap.items import Item

__all__ = ["NAME", "REFUSAL", "items_of"]

NAME = "agent_framework"
"""The name under which data is hidden, reasoning marked among it."""

REFUSAL: dict[str, Any] = {"core": {"model_output_kind": "refusal"}}
"""The properties of a text by which a model refuses."""

_ROLES = ("user", "system", "developer", "assistant")
_AUDIO = {"audio/mp3": "mp3", "audio/mpeg": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}


def items_of(message: Message) -> list[Item]:
    """Return the items of one message; at least one."""
    role = message.role if message.role in _ROLES else "user"
    items: list[Item] = []
    parts: list[Item] = []  # of a message that is not the assistant's
    for content in message.contents:
        item = _item_of(content, len(items))
        if item is not None:
            items += [{"role": role, "content": parts}, item] if parts else [item]
            parts = []
        elif role == "assistant":
            items += _spoken(content)
        elif (part := _part_of(content)) is not None:
            parts.append(part)
    if parts:
        items.append({"role": role, "content": parts})
    shown = [_as_text(item) for item in items]
    is_told = any("role" in item for item in shown)
    needs_role = not shown or (role in ("system", "developer") and not is_told)
    return [*shown, {"role": role, "content": ""}] if needs_role else shown


def _as_text(item: Item) -> Item:
    """Return a message of one text with the text as its content."""
    match item:
        case {"role": role, "content": [{"type": "input_text", "text": text}]}:
            return {"role": role, "content": text}
    return item


def _spoken(content: Content) -> list[Item]:
    """Return what the assistant says by a content; of other than text nothing is shown."""
    text = content.text
    if content.type != "text" or not isinstance(text, str):
        return []
    if _is_refusal(content):
        return [{"role": "assistant", "content": [{"type": "refusal", "refusal": text}]}]
    return [{"role": "assistant", "content": text}]


def _is_refusal(content: Content) -> bool:
    told = content.additional_properties.get("core")
    return isinstance(told, Mapping) and told.get("model_output_kind") == "refusal"


def _item_of(content: Content, place: int) -> Item | None:
    """Return the item that a content is on its own; None for a part of a message."""
    if content.type == "text_reasoning":
        text = content.text
        parts = [{"type": "summary_text", "text": text}] if isinstance(text, str) else []
        return with_data({"type": "reasoning", "summary": parts}, NAME, {})
    call_id = content.call_id if isinstance(content.call_id, str) else f"call_{place}"
    if content.type == "function_call":
        return {
            "type": "function_call",
            "call_id": call_id,
            "name": content.name if isinstance(content.name, str) else "",
            "arguments": _arguments(content.arguments),
        }
    if content.type == "function_result":
        return {"type": "function_call_output", "call_id": call_id, "output": _output(content)}
    return None


def _arguments(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    if arguments is None:
        return "{}"
    value = dict(arguments) if isinstance(arguments, Mapping) else arguments
    return json.dumps(value, ensure_ascii=False, default=str)


def _output(content: Content) -> Any:
    """Return what a model is shown of a result: its text, or its parts where some are media."""
    items = content.items if isinstance(content.items, Sequence) else ()
    parts = [part for one in items if isinstance(one, Content) and (part := _part_of(one))]
    if any(part["type"] != "input_text" for part in parts):
        return parts
    result = content.result
    if isinstance(result, str):
        return result
    return "" if result is None else json.dumps(result, ensure_ascii=False, default=str)


def _part_of(content: Content) -> Item | None:
    """Return a content as a part of a message; None if there is no part like it."""
    if content.type == "text" and isinstance(content.text, str):
        return {"type": "input_text", "text": content.text}
    if content.type == "hosted_file" and isinstance(content.file_id, str):
        return {"type": "input_file", "file_id": content.file_id} | _name_of(content)
    if content.type in ("data", "uri") and isinstance(content.uri, str):
        return _media_of(content, content.uri)
    return None


def _media_of(content: Content, uri: str) -> Item | None:
    media_type = content.media_type if isinstance(content.media_type, str) else ""
    if media_type.startswith("image/"):
        detail = content.additional_properties.get("detail")
        detail = detail if detail in ("low", "high", "original") else "auto"
        return {"type": "input_image", "image_url": uri, "detail": detail}
    head, _, data = uri.partition(";base64,")
    if media_type in _AUDIO and head == f"data:{media_type}":
        return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO[media_type]}}
    if media_type.startswith(("audio/", "video/")):
        return None  # no API takes these as files
    key = "file_data" if uri.startswith("data:") else "file_url"
    return {"type": "input_file"} | _name_of(content) | {key: uri}


def _name_of(content: Content) -> Item:
    names = (content.name, content.additional_properties.get("filename"))
    return {"filename": name} if isinstance(name := names[0] or names[1], str) else {}
