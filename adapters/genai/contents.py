"""What a content of Gemini's says, as items, and the content that items say.

What has no place in an item is left to the caller: signatures, code and what came of it, tools of
the server, metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.genai import types

from memwrap.adapters.calls import input_of, readable
from memwrap.adapters.genai.ids import own_id
from memwrap.adapters.genai.outputs import arguments_text, response_of, response_text
from memwrap.adapters.genai.parts import item_part, parts_of, response_item_part, response_parts
from memwrap.hidden.data import with_data
from memwrap.items import Item
from memwrap.shapes import CALLS, OUTPUTS

__all__ = ["Spoken", "SystemContent", "content_of", "items_of", "role_of"]

_MODEL = ("model", "assistant")
_TOLD = ("system", "developer")
_UNKNOWN = "unknown_function"  # of an output whose call nobody knows any more


class SystemContent(types.Content):
    """Instructions among contents, which have no role of their own for them: the user's."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A content, and what its items have that it has not.

    Attributes:
        content: The content.
        ids: By the places of parts, the ids that items have for calls and responses without one.
    """

    content: types.Content
    ids: Mapping[int, str] = field(default_factory=dict)


# Contents to items


def role_of(content: types.Content) -> str:
    """Return who speaks in a content, as items name it."""
    role = content.role
    if isinstance(content, SystemContent):
        return "system"
    if role is None and any(part.function_call for part in content.parts or ()):
        return "assistant"
    return "assistant" if role in _MODEL else role if role in _TOLD else "user"


def items_of(spoken: Spoken, name: str) -> list[Item]:
    """Return the items of a content; at least one.

    Args:
        spoken: The content.
        name: The adapter under whose name thoughts are marked.
    """
    role = role_of(spoken.content)
    items: list[Item] = []
    shown: list[Item] = []  # of the message under way
    for place, part in enumerate(spoken.content.parts or ()):
        others = _items_of_part(part, spoken.ids.get(place, ""), name)
        if others:
            items += [*_message(role, shown), *others]
            shown = []
        elif (found := item_part(part, is_spoken=role == "assistant")) is not None:
            shown.append(found)
    items += _message(role, shown)
    return items or [{"role": role, "content": ""}]


def _message(role: str, parts: list[Item]) -> list[Item]:
    if not parts:
        return []
    text = parts[0].get("text")
    if len(parts) == 1 and isinstance(text, str):
        return [{"role": role, "content": text}]
    return [{"role": role, "content": parts}]


def _items_of_part(part: types.Part, free_id: str, name: str) -> list[Item]:
    """Return the items that a part is on its own; none for a part of a message."""
    items: list[Item] = []
    if part.thought and part.text:
        summary = [{"type": "summary_text", "text": part.text}]
        items.append(with_data({"type": "reasoning", "summary": summary}, name, {}))
    if (call := part.function_call) is not None:
        items.append(
            {
                "type": "function_call",
                "call_id": call.id or free_id,
                "name": call.name or "",
                "arguments": arguments_text(call.args),
            }
        )
    if (response := part.function_response) is not None:
        call_id = response.id or free_id
        items.append(
            {"type": "function_call_output", "call_id": call_id, "output": _output(response)}
        )
    return items


def _output(response: types.FunctionResponse) -> Any:
    text = response_text(response.response)
    found = (response_item_part(part) for part in response.parts or ())
    parts = [part for part in found if part is not None]
    if not parts:
        return text
    return [{"type": "input_text", "text": text}, *parts] if text else parts


# Items to contents


def content_of(
    items: Sequence[Item], names: Mapping[str, str], *, keeps_ids: bool = False
) -> Spoken:
    """Return the one content of a group.

    Args:
        items: The items.
        names: The names of functions, by the ids of their calls.
        keeps_ids: Show ids that Gemini did not give, too.
    """
    last = items[-1]
    role = last.get("role")
    if role is not None and role != "assistant":
        kind = SystemContent if role in _TOLD else types.Content
        return Spoken(kind(role="user", parts=parts_of(last.get("content"))))
    parts: list[types.Part] = []
    ids: dict[int, str] = {}
    for item in items:
        call_id = item.get("call_id")
        shown = call_id if keeps_ids or call_id is None else own_id(call_id)
        if call_id is not None and not shown:
            ids[len(parts)] = call_id
        parts += _parts_of(item, shown or None, names)
    is_output = last.get("type") in OUTPUTS
    return Spoken(types.Content(role="user" if is_output else "model", parts=parts), ids)


def _parts_of(item: Item, call_id: str | None, names: Mapping[str, str]) -> list[types.Part]:
    kind = item.get("type", "message")
    if kind == "reasoning":
        texts = [part["text"] for part in item["summary"]]
        return [types.Part(text=text, thought=True) for text in texts if text.strip()]
    if kind in CALLS:
        call = types.FunctionCall(
            id=call_id, name=item["name"], args=input_of(item, key="arguments")
        )
        return [types.Part(function_call=call)]
    if kind in OUTPUTS:
        return [types.Part(function_response=_response(item, call_id, names))]
    return parts_of(item.get("content"))


def _response(item: Item, call_id: str | None, names: Mapping[str, str]) -> types.FunctionResponse:
    output = item.get("output")
    media: list[types.FunctionResponsePart] = []
    if isinstance(output, list):
        texts, media = response_parts(part for part in output if isinstance(part, dict))
        output = "".join(texts)
    return types.FunctionResponse(
        id=call_id,
        name=names.get(item["call_id"]) or _UNKNOWN,
        response=response_of(readable(output)),
        parts=media or None,
    )
