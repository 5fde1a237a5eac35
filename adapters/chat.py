"""Chat Completions messages, as dicts or as objects of the `openai` package.

| message                                | items                                              |
|----------------------------------------|----------------------------------------------------|
| ``system``, ``developer``, ``user``    | the message; text, image, file and audio parts     |
|                                        | become ``input_text``, ``input_image``,            |
|                                        | ``input_file`` and ``input_audio``                 |
| ``assistant`` text                     | a message with the same text                       |
| ``assistant`` refusal                  | a message with a ``refusal`` part                  |
| ``assistant`` audio                    | a message with its transcript                      |
| ``tool_calls``                         | a ``function_call`` or ``custom_tool_call`` each,  |
|                                        | after the text                                     |
| ``tool``                               | ``function_call_output``, or                       |
|                                        | ``custom_tool_call_output`` after a custom call    |
| other fields of messages, calls and    | ``provider_data.chat`` of one of the message's     |
| parts (``name``, ``extra_content``)    | items                                              |
| ``ChatCompletion``                     | the message of its first choice                    |
| ``ChatCompletionChunk`` and their like | the message that they add up to                    |
| items: they have a ``type``, or parts  | the items                                          |
| such as ``input_text``                 |                                                    |
| ``str``                                | a message of the speaker                           |

On the way back the calls behind an assistant's text join it in one message, and each message is
what it was: what servers put beside a call or a part goes back to them. An edit of the items wins:
after one a message keeps its ``name``, and nothing else that is hidden. A spoken answer goes back
as its id, without its data; ``annotations`` stay here, since the API does not take them.

Items are projected first (`memwrap.adapters.projection`): reasoning and hosted tools' items are
left out, media that a speaker cannot show are named in text, call ids have at most 40 characters.
The store keeps all of it. Lost on the way in is the difference between an assistant's content that
is None, ``""`` and not there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from memwrap.adapters.chat_calls import argument_text
from memwrap.adapters.chat_parts import content_of, part_in, part_out
from memwrap.adapters.chat_stream import ChatStream
from memwrap.adapters.dispatch import check_item, clear_errors, convert, unknown
from memwrap.adapters.dumps import PARSED
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.openai_objects import (
    as_dict,
    has_parts_of_items,
    is_readable,
    usages_in,
)
from memwrap.adapters.projection import Target, projected
from memwrap.adapters.rebuilt import rebuilt_chat
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import CHAT
from memwrap.exceptions import ConversionError
from memwrap.hidden.data import data_of
from memwrap.items import Item
from memwrap.shapes import CALLS, OUTPUTS

__all__ = ["from_items", "methods", "rebuild", "to_items", "usages_in"]

Message = dict[str, Any]

_NAME = "chat"
_SPEAKERS = {"system", "developer", "user", "assistant"}
_TALKING = {*_SPEAKERS, "tool"}

# What a message shows: older files have other fields beside an item, which may add to these only.
_SHOWN = {"role", "content", "refusal", "tool_calls", "tool_call_id", "function_call", "audio"}
# By what an assistant speaks besides its content, and what of it items show.
_SPEECH = frozenset({"refusal", "tool_calls", "function_call", "audio"})
_SPOKEN = _SPEECH - {"function_call"}
# Keys whose empty text says something; all else that is empty goes without saying.
_SAID_EMPTY = {"content", "tool_call_id"}
# What the API or the `openai` package tells, and the API does not take back.
_NOT_TAKEN = {"annotations"} | PARSED


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn Chat Completions messages into items; see the module's table.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules[__name__], _to_items)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Message]:
    """Turn items into Chat Completions messages; see the module's table."""
    messages = Lossless(_Shape()).from_items(projected(items, CHAT), target=CHAT)
    return [_accepted(message) for message in messages]


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ARG001
    """Return an object of the Chat Completions API that says what *items* say, or None."""
    return rebuilt_chat(items, type_name, from_items)


def methods(agent: object) -> None:
    """Return None: the agents of this dialect are functions."""


def _to_items(messages: list[Any], role: str) -> list[Item]:
    lossless = Lossless(_Shape())
    items: list[Item] = []
    before: list[Item] = []
    for message in added_up(_read(messages, role), ChatStream()):
        is_item = "type" in message or has_parts_of_items(message)
        if is_item or message.get("role") not in _TALKING:
            check_item(message, role, len(items))
        before = [message] if is_item else lossless.message_to_items(message, before)
        items += before
    return items


def _read(messages: Iterable[Any], role: str) -> Iterable[Message]:
    for message in messages:
        if not is_readable(message):
            raise unknown(message, role)
        yield as_dict(message)


def _accepted(message: Message) -> Message:
    """Return a message without what the API does not take back."""
    taken = {key: value for key, value in message.items() if key not in _NOT_TAKEN}
    audio = taken.pop("audio", None)
    return taken | {"audio": {"id": audio["id"]}} if audio and "id" in audio else taken


class _Shape:
    """The messages of one conversion, which remembers its custom calls for their outputs."""

    name = _NAME
    identity = ("name",)
    unsaid = ("name", "audio")

    def __init__(self) -> None:
        self._custom: set[Any] = set()

    def dump(self, message: Message) -> Message:
        says: Message = {
            key: value
            for key, value in message.items()
            if value is not None and value != [] and key not in PARSED
            if value != "" or key in _SAID_EMPTY
        }
        if message.get("role") != "assistant":
            return says
        if "tool_calls" in says:
            says["tool_calls"] = [_whole_call(call) for call in says["tool_calls"]]
        says["content"] = says.get("content") or None
        if says["content"] is None and not says.keys() & {"refusal", "tool_calls", "audio"}:
            says["content"] = ""
        return says

    def load(self, data: Message) -> Message:
        allowed = _SPOKEN if data.get("role") == "assistant" else frozenset[str]()
        if not (data.keys() & _SPEECH) <= allowed:
            raise ValueError("a message speaks by fields that its items do not show")
        return dict(data)

    def show(self, message: Message) -> list[Item]:
        if not isinstance(message.get("content") or "", (str, list)):
            raise ConversionError("the content of a chat message is a text or a list of parts")
        if message.get("function_call"):
            raise ConversionError(
                "messages with a `function_call` are not taken: the API has replaced it by"
                " `tool_calls`; give the model `tools` in place of `functions`"
            )
        role = message.get("role")
        if role == "tool":
            return [self._output_item(message)]
        if role not in _SPEAKERS:
            raise ConversionError("a chat message has one of the roles of the API, or is an item")
        items = _said(message)
        for call in message.get("tool_calls") or []:
            items.append(_call_item(call))
            if call.get("type") == "custom":
                self._custom.add(call.get("id") or "")
        return items

    def say(
        self,
        items: Sequence[Item],
        target: Target,  # noqa: ARG002  (projected already)
        identity: Mapping[str, Any],
    ) -> Message:
        first = items[0]
        kind = first.get("type", "message")
        if kind in OUTPUTS:
            content = content_of(first["output"], part_out)
            message = {"role": "tool", "tool_call_id": first["call_id"], "content": content}
        else:
            message = _message(first) if kind == "message" else {"role": "assistant"}
            calls = [self._call(item) for item in items if item.get("type") in CALLS]
            if calls:
                message |= {"content": message.get("content") or None, "tool_calls": calls}
        older = {key: value for item in items for key, value in _older(item).items()}
        return older | message | dict(identity)

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        last = group[-1]
        is_called = last.get("type") in CALLS or last.get("role") == "assistant"
        return item.get("type") in CALLS and is_called

    def _output_item(self, message: Message) -> Item:
        call_id = message.get("tool_call_id") or ""
        kind = "custom_tool_call_output" if call_id in self._custom else "function_call_output"
        output = content_of(message.get("content") or "", part_in)
        return {"type": kind, "call_id": call_id, "output": output}

    def _call(self, item: Item) -> Message:
        if item["type"] == "custom_tool_call":
            self._custom.add(item["call_id"])
            custom = {"name": item["name"], "input": item["input"]}
            return {"id": item["call_id"], "type": "custom", "custom": custom}
        function = {"name": item["name"], "arguments": item["arguments"]}
        return {"id": item["call_id"], "type": "function", "function": function}


def _older(item: Item) -> Message:
    """Return the fields that an older file has beside an item, without those that it shows."""
    fields = data_of(item, _NAME) or {}
    return {} if "of" in fields else {k: v for k, v in fields.items() if k not in _SHOWN}


# Messages to items


def _said(message: Message) -> list[Item]:
    role, content, refusal = message["role"], message.get("content"), message.get("refusal")
    if role != "assistant":
        return [{"role": role, "content": content_of(content or "", part_in)}]
    if isinstance(content, list):
        refusal = "".join(part.get("refusal") or "" for part in content) or refusal
        content = "".join(part.get("text") or "" for part in content)
    content = content or (message.get("audio") or {}).get("transcript")
    if refusal:
        parts: list[Message] = [{"type": "refusal", "refusal": refusal}]
        if content:
            parts.insert(0, {"type": "output_text", "text": content, "annotations": []})
        return [{"type": "message", "role": role, "content": parts}]
    if content or not message.get("tool_calls"):
        return [{"role": role, "content": content or ""}]
    return []


def _whole_call(call: Message) -> Message:
    """Return a call with what servers leave out of it, and without its place in a stream."""
    whole = {"type": "function", "id": "", **_said_keys(call)}
    whole.pop("index", None)
    if isinstance(function := call.get("function"), dict):
        arguments = argument_text(function.get("arguments"))
        whole["function"] = _said_keys(function) | {"arguments": arguments}
    return whole


def _said_keys(value: Message) -> Message:
    return {key: value[key] for key in value if value[key] is not None and key not in PARSED}


def _call_item(call: Message) -> Item:
    if call.get("type") == "custom":
        custom = call["custom"]
        return {
            "type": "custom_tool_call",
            "call_id": call.get("id") or "",
            "name": custom["name"],
            "input": custom["input"],
        }
    function = call["function"]
    return {
        "type": "function_call",
        "call_id": call.get("id") or "",
        "name": function["name"],
        "arguments": argument_text(function.get("arguments")),
    }


# Items to messages


def _message(item: Item) -> Message:
    role, content = item["role"], item.get("content", "")
    if role != "assistant" or not isinstance(content, list):
        return {"role": role, "content": content_of(content, part_out)}
    text = "".join(part.get("text", "") for part in content if part.get("type") != "refusal")
    refusal = "".join(part.get("refusal") or "" for part in content)
    message = {"role": role, "content": text or (None if refusal else "")}
    return message | {"refusal": refusal} if refusal else message
