"""ShareGPT: a document for each conversation, as tools for fine-tuning read them.

| items                                  | document                                             |
|----------------------------------------|------------------------------------------------------|
| instructions at the beginning          | ``system``                                           |
| instructions later on                  | an entry from ``system``                             |
| text of a user, with pictures          | an entry from ``human``; a picture is ``<image>`` in |
|                                        | the text, and its place in ``images``                |
| text of the assistant                  | an entry from ``gpt``                                |
| calls that stand behind each other     | an entry from ``function_call``: JSON of the call, or|
|                                        | of a list of calls                                   |
| the outputs of these                   | an entry from ``observation``: the text, or JSON of a|
|                                        | list of texts                                        |

Not kept are reasoning, hosted tools, the ids of items and calls, and calls without outputs. Files
are named in the text. On the way back calls have the ids ``call_1``, ``call_2`` and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from memwrap.exceptions import ConversionError
from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import as_line
from memwrap.formats.format import read_documents
from memwrap.formats.parts import (
    Media,
    as_list,
    as_text,
    as_value,
    called,
    media_item_part,
    media_of,
)
from memwrap.hidden.data import without_provider_data
from memwrap.instructions import leading_instructions
from memwrap.items import Item, repaired, text_of
from memwrap.shapes import OUTPUTS, name_of_part

__all__ = ["dump", "load"]

_IMAGE = "<image>"
_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
_ROLES |= {"chatgpt": "assistant", "system": "system"}
_CALLS = {"function_call", "tool_call"}
_OUTPUTS = {"observation", "tool", "tool_response", "function_response"}


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the line of a conversation."""
    items = repaired(without_provider_data(conversation.items))
    first = leading_instructions(items)
    document: dict[str, Any] = {"id": conversation.id}
    if first:
        document["system"] = "\n\n".join(map(text_of, items[:first]))
    images: list[str] = []
    document["conversations"] = [*_entries(items[first:], images)]
    if images:
        document["images"] = images
    yield as_line(document)


def load(lines: Iterable[str]) -> Iterator[Conversation]:
    """Yield the conversations in lines of text.

    Raises:
        ConversionError: The text is not of this format.
    """
    return read_documents(lines, "conversations", _items)


def _entries(items: Iterable[Item], images: list[str]) -> Iterator[dict[str, str]]:
    for kind, run in groupby(items, _kind):
        if kind == "function_call":
            calls = [call for item in run if (call := called(item)) is not None]
            values = [{"name": call.name, "arguments": as_value(call.input)} for call in calls]
            yield {"from": kind, "value": as_text(values[0] if len(values) == 1 else values)}
        elif kind == "observation":
            texts = [_output(item) for item in run]
            yield {"from": kind, "value": texts[0] if len(texts) == 1 else as_text(texts)}
        elif kind:
            yield from ({"from": kind, "value": _said(item, images)} for item in run)


def _kind(item: Item) -> str:
    """Return who an entry is from; empty for what the format does not have."""
    if item.get("type") in OUTPUTS:
        return "observation"
    if called(item) is not None:
        return "function_call"
    roles = {"user": "human", "assistant": "gpt", "system": "system", "developer": "system"}
    return roles.get(str(item.get("role")), "")


def _output(item: Item) -> str:
    output = item.get("output")
    return text_of(item) if isinstance(output, list) else as_text(output)


def _said(item: Item, images: list[str]) -> str:
    texts = []
    for part in as_list(item.get("content")):
        media = media_of(part)
        text = part.get("text") or part.get("refusal") if isinstance(part, dict) else None
        if media is not None and part["type"] == "input_image":
            images.append(media.url)
            texts.append(_IMAGE)
        elif isinstance(part, dict):
            texts.append(text if isinstance(text, str) else name_of_part(part))
    return "".join(texts)


def _items(document: Mapping[str, Any]) -> list[Item]:
    items: list[Item] = []
    if isinstance(document.get("system"), str) and document["system"]:
        items.append({"role": "system", "content": document["system"]})
    entries = document["conversations"]
    images = [one for one in as_list(document.get("images")) if isinstance(one, str)]
    texts = [str(one.get("value")) for one in entries if isinstance(one, Mapping)]
    if sum(text.count(_IMAGE) for text in texts) != len(images):
        images = []  # then the sign is a word of somebody's
    waiting: list[str] = []
    count = 0
    for place, entry in enumerate(entries):
        said, value = _checked(entry, place)
        if said in _CALLS:
            for call in _calls(value, place):
                count += 1
                waiting.append(f"call_{count}")
                items.append({"type": "function_call", "call_id": waiting[-1], **call})
        elif said in _OUTPUTS:
            outputs = _outputs(value, len(waiting))
            if len(outputs) > len(waiting):
                raise ConversionError("an output stands behind its call", path=f"$[{place}]")
            for output in outputs:
                call_id = waiting.pop(0)
                items.append({"type": "function_call_output", "call_id": call_id, "output": output})
        else:
            content = _content(value, images) if images else value
            items.append({"role": _ROLES[said], "content": content})
    return items


def _checked(entry: Any, place: int) -> tuple[str, str]:
    said = entry.get("from") if isinstance(entry, Mapping) else None
    value = entry.get("value") if isinstance(entry, Mapping) else None
    if said not in {*_ROLES, *_CALLS, *_OUTPUTS} or not isinstance(value, str):
        raise ConversionError(
            "an entry has `from`, of human, gpt, system, function_call or observation, and a text"
            " as its `value`",
            path=f"$[{place}]",
        )
    return said, value


def _calls(value: str, place: int) -> list[dict[str, str]]:
    found = as_value(value)
    calls = found if isinstance(found, list) else [found]
    if not all(isinstance(call, dict) and isinstance(call.get("name"), str) for call in calls):
        raise ConversionError("a call is JSON with a `name` and `arguments`", path=f"$[{place}]")
    return [
        {"name": call["name"], "arguments": as_text(call.get("arguments") or {})} for call in calls
    ]


def _outputs(value: str, waiting: int) -> list[str]:
    found = as_value(value)
    if waiting > 1 and isinstance(found, list) and len(found) == waiting:
        return [as_text(one) for one in found]
    return [value]


def _content(text: str, images: list[str]) -> Any:
    said, *more = text.split(_IMAGE)
    if not more:
        return text
    parts: list[Item] = [{"type": "input_text", "text": said}] if said else []
    for piece in more:
        parts.append(media_item_part(Media(images.pop(0), "image/*")))
        if piece:
            parts.append({"type": "input_text", "text": piece})
    return parts
