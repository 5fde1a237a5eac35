"""LangChain messages, and runnables that take a list of them.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``HumanMessage``                         | a user message; text and image blocks become     |
|                                          | ``input_text`` and ``input_image``               |
| ``SystemMessage``                        | a system message                                 |
| ``AIMessage`` text                       | an assistant message with the same text          |
| ``tool_calls``, ``invalid_tool_calls``   | a ``function_call`` each, after the text         |
| ``ToolMessage``                          | ``function_call_output``                         |
| chunks of a stream                       | the message that they add up to                  |
| ``("human", "text")`` and the like       | as LangChain itself reads them                   |
| items, chat message dicts, ``str``       | as in `memwrap.adapters.chat`                    |

On the way back a run of assistant text and tool calls is one ``AIMessage``. Not carried over yet:
message ids, names, response metadata and usage, a tool message's artifact and status, the spacing
of arguments, blocks other than text and images, reasoning, custom calls and hosted tools' items.
The store keeps what items hold.

How a remembering runnable runs stands in `memwrap.adapters.runnables`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from memwrap.adapters import chat
from memwrap.adapters.shared import clear_errors, convert, unknown
from memwrap.exceptions import ConversionError
from memwrap.types import Item, Method

__all__ = ["from_items", "methods", "to_items"]


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn LangChain messages into items; see the module's table.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules[__name__], _own)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[Any]:
    """Turn items into LangChain messages; see the module's table."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    messages: list[Any] = []
    said: dict[str, Any] = {}

    def say() -> None:
        if said:
            messages.append(AIMessage(**{"content": ""} | said))
            said.clear()

    for item in items:
        kind, role = item.get("type", "message"), item.get("role")
        if kind == "function_call":
            _add_call(said, item)
        elif kind == "function_call_output":
            say()
            content = _blocks(item["output"])
            messages.append(ToolMessage(content, tool_call_id=item["call_id"]))
        elif kind == "message" and role == "assistant":
            say()
            said["content"] = _text(item.get("content", ""))
        elif kind == "message" and role == "user":
            say()
            messages.append(HumanMessage(_blocks(item.get("content", ""))))
        elif kind == "message":
            say()
            extra = {"__openai_role__": "developer"} if role == "developer" else {}
            content = _blocks(item.get("content", ""))
            messages.append(SystemMessage(content, additional_kwargs=extra))
    say()
    return messages


def methods(agent: Any) -> Mapping[str, Method | Callable[..., Any]]:
    """Return how a runnable is run; nothing for other objects."""
    if not hasattr(agent, "ainvoke"):
        return {}
    from memwrap.adapters import runnables

    return runnables.methods(agent)


# Messages to items


def _own(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    for message in _whole(messages):
        if isinstance(message, dict):
            items += chat.to_items(message, role=role)
        else:
            items += _items_of(_message(message, role))
    return items


def _whole(messages: Iterable[Any]) -> Iterable[Any]:
    """Yield messages, with the chunks of a stream added up."""
    from langchain_core.messages import AIMessageChunk, message_chunk_to_message

    total: AIMessageChunk | None = None
    for message in _spread(messages):
        if not isinstance(message, AIMessageChunk):
            if total is not None:
                yield message_chunk_to_message(total)
                total = None
            yield message
        elif total is None:
            total = message
        elif total.chunk_position == "last" or (message.id and total.id and message.id != total.id):
            yield message_chunk_to_message(total)
            total = message
        else:
            total = total + message
    if total is not None:
        yield message_chunk_to_message(total)


def _spread(messages: Iterable[Any]) -> Iterable[Any]:
    """Take the values of prompts apart."""
    for message in messages:
        yield from message.to_messages() if hasattr(message, "to_messages") else [message]


def _message(value: Any, role: str) -> Any:
    from langchain_core.messages import BaseMessage, convert_to_messages

    if isinstance(value, BaseMessage):
        return value
    if isinstance(value, tuple) and len(value) == 2:  # noqa: PLR2004
        return convert_to_messages([value])[0]
    raise unknown(value, role)


def _items_of(message: Any) -> list[Item]:
    if message.type == "human":
        return [{"role": "user", "content": _parts(message.content)}]
    if message.type == "system":
        role = message.additional_kwargs.get("__openai_role__", "system")
        return [{"role": role, "content": _parts(message.content)}]
    if message.type == "tool":
        output = _parts(message.content)
        return [{"type": "function_call_output", "call_id": message.tool_call_id, "output": output}]
    if message.type != "ai":
        raise ConversionError(f"a {type(message).__name__} cannot be turned into items yet")
    items: list[Item] = []
    if message.text or not (message.tool_calls or message.invalid_tool_calls):
        items.append({"role": "assistant", "content": str(message.text)})
    for call in message.tool_calls:
        arguments = json.dumps(call["args"], ensure_ascii=False)
        items.append(_call(call["id"], call["name"], arguments))
    items += [_call(c["id"], c["name"], c["args"] or "") for c in message.invalid_tool_calls]
    return items


def _call(call_id: str | None, name: str | None, arguments: str) -> Item:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _parts(content: Any) -> Any:
    """Turn a message's content into an item's."""
    if isinstance(content, str):
        return content
    return [_part(block) for block in content]


def _part(block: Any) -> Item:
    if isinstance(block, str):
        return {"type": "input_text", "text": block}
    kind = block.get("type")
    if kind == "text":
        return {"type": "input_text", "text": block["text"]}
    if kind == "image_url":
        image = block["image_url"]
        image = {"url": image} if isinstance(image, str) else image
        return {
            "type": "input_image",
            "image_url": image["url"],
            "detail": image.get("detail", "auto"),
        }
    if kind == "image" and "url" in block:
        return {"type": "input_image", "image_url": block["url"], "detail": "auto"}
    if kind == "image" and "base64" in block:
        url = f"data:{block.get('mime_type', 'image/png')};base64,{block['base64']}"
        return {"type": "input_image", "image_url": url, "detail": "auto"}
    return dict(block)


# Items to messages


def _add_call(said: dict[str, Any], item: Item) -> None:
    """Add a call to what the assistant says; one with unreadable arguments as such."""
    name, call_id, text = item["name"], item["call_id"], item["arguments"]
    try:
        arguments = json.loads(text or "{}")
    except ValueError:
        arguments = None
    if isinstance(arguments, dict):
        call = {"name": name, "args": arguments, "id": call_id, "type": "tool_call"}
        said.setdefault("tool_calls", []).append(call)
    else:
        bad = {"name": name, "args": text, "id": call_id, "type": "invalid_tool_call"}
        said.setdefault("invalid_tool_calls", []).append(bad | {"error": None})


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or part.get("refusal") or "" for part in content)


def _blocks(content: Any) -> Any:
    """Turn an item's content into a message's."""
    if isinstance(content, str):
        return content
    return [_block(part) for part in content]


def _block(part: Item) -> Item:
    if part.get("type") in {"input_text", "output_text"}:
        return {"type": "text", "text": part["text"]}
    if part.get("type") == "input_image" and part.get("image_url"):
        image = {"url": part["image_url"], "detail": part.get("detail", "auto")}
        return {"type": "image_url", "image_url": image}
    return dict(part)
