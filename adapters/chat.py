"""Chat Completions messages, as dicts or as objects of the `openai` package.

| message                                | items                                              |
|----------------------------------------|----------------------------------------------------|
| ``system``, ``developer``, ``user``    | the message; text, image, file and audio parts     |
|                                        | become ``input_text``, ``input_image``,            |
|                                        | ``input_file`` and ``input_audio``                 |
| ``assistant`` text                     | a message with the same text                       |
| ``assistant`` refusal                  | a message with a ``refusal`` part                  |
| ``tool_calls``                         | a ``function_call`` or ``custom_tool_call`` each,  |
|                                        | after the text                                     |
| ``tool``                               | ``function_call_output``, or                       |
|                                        | ``custom_tool_call_output`` after a custom call    |
| other fields (``name``, ``audio``, …)  | ``provider_data.chat`` of the message's first item |
| ``ChatCompletion``                     | the message of its first choice                    |
| ``ChatCompletionChunk`` and their like | the message that they add up to                    |
| items with a ``type``                  | the items                                          |
| ``str``                                | a message of the speaker                           |

On the way back the calls behind an assistant's text join it in one message, as the API wants it.
Lost there: reasoning and hosted tools' items, which Chat Completions cannot express, and the ids,
status and annotations of output messages. The store keeps them. Lost on the way in: keys of parts
and calls that the API's own messages do not have, and the difference between no content, None and
``""`` of an assistant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from memwrap.adapters.dispatch import clear_errors, convert, unknown
from memwrap.adapters.openai_objects import as_dict, is_readable
from memwrap.exceptions import ConversionError
from memwrap.hidden.data import PROVIDER_DATA
from memwrap.items import Item

__all__ = ["from_items", "methods", "to_items"]

Message = dict[str, Any]

_SPEAKERS = {"system", "developer", "user", "assistant"}
# `parsed` is what the `openai` package makes of the content, and the API does not take back.
_SHOWN = {"role", "content", "refusal", "tool_calls", "tool_call_id", "parsed"}


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn Chat Completions messages into items; see the module's table.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules[__name__], _own)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Message]:
    """Turn items into Chat Completions messages; see the module's table."""
    messages: list[Message] = []
    for item in items:
        kind = item.get("type", "message")
        if kind in {"function_call", "custom_tool_call"}:
            _assistant_of(messages, item).setdefault("tool_calls", []).append(_call(item))
        elif kind in {"function_call_output", "custom_tool_call_output"}:
            content = _content(item["output"], _part_out)
            message = {"role": "tool", "tool_call_id": item["call_id"], "content": content}
            messages.append(message | _extra(item))
        elif kind == "message" and item.get("role") in _SPEAKERS:
            messages.append(_message(item) | _extra(item))
    return messages


def methods(agent: object) -> None:
    """Return None: the agents of this dialect are functions."""


# Messages to items


def _own(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    custom: set[str] = set()
    for message in _whole(messages, role):
        items += _items_of(message, custom)
    return items


def _whole(messages: Iterable[Any], role: str) -> Iterable[Message]:
    """Yield messages, with the chunks of a stream added up."""
    streamed = _Streamed()
    for message in messages:
        if not is_readable(message):
            raise unknown(message, role)
        data = as_dict(message)
        if "choices" not in data:
            yield from streamed.take()
            yield data
            continue
        for choice in data["choices"] or []:
            if choice.get("index"):
                continue  # a second opinion
            if "message" in choice:
                yield from streamed.take()
                yield choice["message"]
                continue
            streamed.add(choice["delta"])
            if choice.get("finish_reason"):
                yield from streamed.take(finished=True)
    yield from streamed.take()


class _Streamed:
    """The message that the deltas of a stream add up to."""

    def __init__(self) -> None:
        self._message: Message = {}
        self._calls: dict[int, Message] = {}

    def add(self, delta: Message) -> None:
        for call in delta.get("tool_calls") or []:
            index = call.get("index")
            # Some servers leave out the index, and send each call whole.
            key = len(self._calls) if index is None else index
            _add_up(self._calls.setdefault(key, {}), call)
        _add_up(self._message, {key: delta[key] for key in delta if key != "tool_calls"})

    def take(self, *, finished: bool = False) -> list[Message]:
        message, calls = self._message, self._calls
        self.__init__()  # type: ignore[misc]
        if calls:
            message["tool_calls"] = [calls[index] for index in sorted(calls)]
        # A stray delta behind the last one says nothing; a finished message may be empty.
        told = finished or any(value for key, value in message.items() if key != "role")
        return [{"role": "assistant"} | message] if message and told else []


def _add_up(total: Message, delta: Message) -> None:
    for key, value in delta.items():
        if isinstance(value, dict):
            _add_up(total.setdefault(key, {}), value)
        elif isinstance(value, str) and key not in {"id", "role", "type"}:
            total[key] = total.get(key, "") + value
        elif isinstance(value, list):
            total[key] = total.get(key, []) + value
        elif value is not None and key != "index":
            total[key] = value


def _items_of(message: Message, custom: set[str]) -> list[Item]:
    role = message.get("role")
    if "type" in message:
        return [message]
    if role == "tool":
        call_id = message.get("tool_call_id")
        kind = "custom_tool_call_output" if call_id in custom else "function_call_output"
        output = _content(message.get("content") or "", _part_in)
        items = [{"type": kind, "call_id": call_id, "output": output}]
    elif role in _SPEAKERS:
        items = _spoken(message)
        for call in message.get("tool_calls") or []:
            if call.get("type") == "custom":
                custom.add(call["id"])
            items.append(_call_item(call))
    else:
        raise ConversionError(f"a chat message has a role; there is none called {role!r}")
    extra = {
        key: value
        for key, value in message.items()
        if key not in _SHOWN and value is not None and value != []
    }
    if extra and items:
        items[0][PROVIDER_DATA] = {"chat": extra}
    return items


def _spoken(message: Message) -> list[Item]:
    role, content, refusal = message["role"], message.get("content"), message.get("refusal")
    if role != "assistant":
        return [{"role": role, "content": _content(content or "", _part_in)}]
    if isinstance(content, list):
        refusal = "".join(part.get("refusal") or "" for part in content) or refusal
        content = "".join(part.get("text") or "" for part in content)
    if refusal:
        parts: list[Message] = [{"type": "refusal", "refusal": refusal}]
        if content:
            parts.insert(0, {"type": "output_text", "text": content, "annotations": []})
        return [{"type": "message", "role": role, "content": parts}]
    if content or not message.get("tool_calls"):
        return [{"role": role, "content": content or ""}]
    return []


def _call_item(call: Message) -> Item:
    if call.get("type") == "custom":
        custom = call["custom"]
        return {
            "type": "custom_tool_call",
            "call_id": call["id"],
            "name": custom["name"],
            "input": custom["input"],
        }
    function = call["function"]
    return {
        "type": "function_call",
        "call_id": call.get("id"),
        "name": function["name"],
        "arguments": function.get("arguments") or "",
    }


def _part_in(part: Message) -> Message:
    """Turn a part of a chat message into a part of an item."""
    kind = part.get("type")
    if kind == "text":
        return {"type": "input_text", "text": part["text"]}
    if kind == "image_url":
        image = part["image_url"]
        return {
            "type": "input_image",
            "image_url": image["url"],
            "detail": image.get("detail", "auto"),
        }
    if kind == "file":
        return {"type": "input_file", **part["file"]}
    return dict(part)


# Items to messages


def _part_out(part: Message) -> Message:
    """Turn a part of an item into a part of a chat message."""
    kind = part.get("type")
    if kind in {"input_text", "output_text"}:
        return {"type": "text", "text": part["text"]}
    if kind == "input_image" and part.get("image_url"):
        image = {"url": part["image_url"]}
        if part.get("detail", "auto") != "auto":
            image["detail"] = part["detail"]
        return {"type": "image_url", "image_url": image}
    if kind == "input_file":
        return {"type": "file", "file": {k: v for k, v in part.items() if k != "type"}}
    return dict(part)


def _content(content: Any, convert_part: Any) -> Any:
    if not isinstance(content, list):
        return content
    return [convert_part(part) if isinstance(part, dict) else part for part in content]


def _message(item: Item) -> Message:
    role, content = item["role"], item.get("content", "")
    if role != "assistant" or not isinstance(content, list):
        return {"role": role, "content": _content(content, _part_out)}
    text = "".join(part.get("text", "") for part in content if part.get("type") != "refusal")
    refusal = "".join(part.get("refusal") or "" for part in content)
    message = {"role": role, "content": text or (None if refusal else "")}
    return message | {"refusal": refusal} if refusal else message


def _call(item: Item) -> Message:
    if item["type"] == "custom_tool_call":
        custom = {"name": item["name"], "input": item["input"]}
        return {"id": item["call_id"], "type": "custom", "custom": custom}
    function = {"name": item["name"], "arguments": item["arguments"]}
    return {"id": item["call_id"], "type": "function", "function": function}


def _assistant_of(messages: list[Message], item: Item) -> Message:
    """Return the assistant's message that a call belongs to: the one before it, or a new one."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": None})
    message = messages[-1]
    message.update(_extra(item))
    return message


def _extra(item: Item) -> Message:
    data = item.get(PROVIDER_DATA)
    extra = data.get("chat") if isinstance(data, dict) else None
    return dict(extra) if isinstance(extra, dict) else {}
