"""The messages of AG-UI, as ``MESSAGES_SNAPSHOT`` shows them and ``RunAgentInput`` sends them.

| items                                    | message                                            |
|------------------------------------------|----------------------------------------------------|
| text of a user, with pictures and files  | ``user``, with ``image`` and ``document`` parts    |
| instructions                             | ``system``, ``developer``                          |
| text or a refusal of the assistant, and  | ``assistant`` with ``toolCalls``                   |
| the calls behind it                      |                                                    |
| outputs of tools                         | ``tool``                                           |
| reasoning that shows something           | ``reasoning``                                      |

All else that the agent did is not shown. The ids are those of the items, or tell their place. On
the way back reasoning, which a front end could not prove, and activities are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memwrap.exceptions import ConversionError
from memwrap.foreign import converted
from memwrap.formats.parts import (
    Media,
    as_list,
    called,
    media_item_part,
    media_of,
    reasoning_text,
)
from memwrap.hidden.data import without_provider_data
from memwrap.items import Item, text_of
from memwrap.pairing import in_order
from memwrap.shapes import OUTPUTS, name_of_part

__all__ = ["from_agui", "to_agui"]

_MEDIA = ("image", "audio", "video", "document")


def to_agui(items: Sequence[Item], /, *, first: int = 0) -> list[dict[str, Any]]:
    """Return the messages that show items; see the module's table.

    Args:
        items: A conversation, or a part of it.
        first: The place of the first of the items in the conversation, for the messages' ids.

    Raises:
        ConversionError: An item is damaged.
    """
    return converted(_messages, items, first)


def from_agui(messages: Mapping[str, Any] | Sequence[Mapping[str, Any]], /) -> list[Item]:
    """Return the items of a message of AG-UI, or of several; see the module's table.

    A front end may say that anybody spoke: pass on the messages whose ``role`` is the user's.

    Raises:
        ConversionError: It is no message of AG-UI.
    """
    return converted(_items, messages)


def _messages(items: Sequence[Item], first: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for place, item in enumerate(in_order(without_provider_data(items)), first):
        name = item["id"] if isinstance(item.get("id"), str) else f"item-{place}"
        kind, role = item.get("type", "message"), item.get("role")
        if (call := called(item)) is not None:
            function = {"name": call.name, "arguments": call.input}
            if not messages or messages[-1]["role"] != "assistant":
                messages.append({"id": name, "role": "assistant"})
            calls = messages[-1].setdefault("toolCalls", [])
            calls.append({"id": call.id, "type": "function", "function": function})
        elif kind in OUTPUTS and isinstance(item.get("call_id"), str):
            content = _content(item.get("output"))
            messages.append(
                {"id": name, "role": "tool", "toolCallId": item["call_id"], "content": content}
            )
        elif kind == "reasoning":
            if text := reasoning_text(item):
                messages.append({"id": name, "role": "reasoning", "content": text})
        elif role == "assistant":
            messages.append({"id": name, "role": role, "content": text_of(item)})
        elif role in ("user", "system", "developer"):
            content = _content(item.get("content")) if role == "user" else text_of(item)
            messages.append({"id": name, "role": role, "content": content})
    return messages


def _content(content: Any) -> str | list[Item]:
    """Return a text, or the parts of a content that has pictures or files."""
    if isinstance(content, str):
        return content
    parts = [_shown(part) for part in as_list(content) if isinstance(part, dict)]
    if any(part["type"] != "text" for part in parts):
        return parts
    return "".join(part["text"] for part in parts)


def _shown(part: Item) -> Item:
    media = media_of(part)
    if media is None:
        text = part.get("text") or part.get("refusal")
        return {"type": "text", "text": text if isinstance(text, str) else name_of_part(part)}
    kind = media.mime_type.partition("/")[0]
    named = {} if media.filename is None else {"metadata": {"filename": media.filename}}
    source = {"type": "url", "value": media.url, "mimeType": media.mime_type}
    if media.url.startswith("data:"):
        source |= {"type": "data", "value": media.url.partition(",")[2]}
    return {"type": kind if kind in _MEDIA else "document", "source": source, **named}


def _items(messages: Any) -> list[Item]:
    several = [messages] if isinstance(messages, Mapping) else messages
    items: list[Item] = []
    for place, message in enumerate(several):
        role = message.get("role") if isinstance(message, Mapping) else None
        if role in ("user", "system", "developer"):
            items.append({"role": role, "content": _taken(message.get("content"))})
        elif role == "assistant":
            items += _assistant_items(message)
        elif role == "tool" and isinstance(message.get("toolCallId"), str):
            output = message.get("error") or _taken(message.get("content"))
            call_id = message["toolCallId"]
            items.append({"type": "function_call_output", "call_id": call_id, "output": output})
        elif role not in ("reasoning", "activity"):
            raise ConversionError("a message of AG-UI has one of its roles", path=f"$[{place}]")
    return items


def _assistant_items(message: Mapping[str, Any]) -> list[Item]:
    text = _taken(message.get("content"))
    items: list[Item] = [{"role": "assistant", "content": text}] if text else []
    for call in message.get("toolCalls") or ():
        function = call["function"]
        items.append(
            {
                "type": "function_call",
                "call_id": call["id"],
                "name": function["name"],
                "arguments": function["arguments"],
            }
        )
    return items


def _taken(content: Any) -> Any:
    if isinstance(content, str) or not content:
        return content or ""
    parts: list[Item] = []
    for part in content:
        source = part.get("source")
        if part.get("type") == "text":
            parts.append({"type": "input_text", "text": part["text"]})
        elif isinstance(source, Mapping) and source.get("type") in ("url", "data"):
            mime_type = str(source.get("mimeType") or f"{part['type']}/*")
            is_data = source["type"] == "data"
            url = f"data:{mime_type};base64,{source['value']}" if is_data else source["value"]
            filename = (part.get("metadata") or {}).get("filename")
            parts.append(media_item_part(Media(url, mime_type, filename)))
        else:
            raise ConversionError("a part of a message is text, or has a source with its data")
    return parts
