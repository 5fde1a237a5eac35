"""The ``UIMessage`` that ``useChat`` shows in a browser, and sends.

| items                                    | part of a message                                  |
|------------------------------------------|----------------------------------------------------|
| text, a refusal                          | ``text``                                           |
| cited web pages                          | ``source-url`` behind the text                     |
| pictures and files with a place          | ``file``; others are named in text                 |
| reasoning that shows something           | ``reasoning``                                      |
| ``function_call``, ``custom_tool_call``  | ``tool-NAME`` with input, and output if it has one |
| all else that the agent did              | ``data-item`` with the item                        |
| where the model was called once more     | ``step-start``                                     |

One run of what the agent did is one message. The ids are those of the items, or tell their place:
show all of a conversation, or tell where the part of it begins.

On the way back an error of a tool is its output, so is the reason why a call was denied, and an
approval that is open is a call without output. Not taken are what belongs to the page alone:
sources, data, metadata, and reasoning, which a front end could not prove.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from memwrap.exceptions import ConversionError
from memwrap.foreign import converted
from memwrap.formats.conversation import Conversation
from memwrap.formats.documents import as_line
from memwrap.formats.format import read_documents
from memwrap.formats.parts import (
    Called,
    Media,
    Spoken,
    as_list,
    as_text,
    as_value,
    called,
    calls_of_model,
    media_item_part,
    media_of,
    reasoning_text,
    runs_of_speakers,
)
from memwrap.hidden.data import without_provider_data
from memwrap.items import Item
from memwrap.shapes import name_of_part

__all__ = ["dump", "from_ui", "load", "to_ui"]

_STEP: Item = {"type": "step-start"}


def to_ui(items: Sequence[Item], /, *, first: int = 0) -> list[dict[str, Any]]:
    """Return the messages that show items; see the module's table.

    Args:
        items: A conversation, or a part of it.
        first: The place of the first of the items in the conversation, for the messages' ids.

    Raises:
        ConversionError: An item is damaged.
    """
    return converted(_messages, items, first)


def from_ui(messages: Mapping[str, Any] | Sequence[Mapping[str, Any]], /) -> list[Item]:
    """Return the items of a ``UIMessage``, or of several; see the module's table.

    A front end may say that anybody spoke: pass on the messages whose ``role`` is the user's.

    Raises:
        ConversionError: It is no ``UIMessage``.
    """
    return converted(_items, messages)


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the line of a conversation: ``{"id": ..., "messages": [...]}``."""
    yield as_line({"id": conversation.id, "messages": to_ui(conversation.items)})


def load(lines: Iterable[str]) -> Iterator[Conversation]:
    """Yield the conversations in lines of text.

    Raises:
        ConversionError: The text is not of this format.
    """
    return read_documents(lines, "messages", lambda document: from_ui(document["messages"]))


def _messages(items: Sequence[Item], first: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for role, run in runs_of_speakers(without_provider_data(items)):
        steps = _assistant_parts(run) if role == "assistant" else _parts_of(run[0].item)
        parts = list(steps)
        if parts:
            name, place = run[0].item.get("id"), f"item-{first + run[0].place}"
            name = name if isinstance(name, str) and name else place
            messages.append({"id": name, "role": role, "parts": parts})
    return messages


def _assistant_parts(run: Sequence[Spoken]) -> Iterator[Item]:
    """Yield the parts of what the assistant did, each call of the model as a step of its own."""
    for step in calls_of_model(run):
        parts = [part for one in step for part in _parts_of(one.item, one.output)]
        if parts:
            yield dict(_STEP)
            yield from parts


def _parts_of(item: Item, output: Item | None = None) -> Iterator[Item]:
    kind = item.get("type", "message")
    if (call := called(item)) is not None:
        yield _tool_part(call, output)
    elif kind == "reasoning":
        if text := reasoning_text(item):
            yield {"type": "reasoning", "text": text, "state": "done"}
    elif item.get("role"):
        for part in as_list(item.get("content")):
            yield from _shown(part)
    else:
        yield {"type": "data-item", "data": item}


def _shown(part: Any) -> Iterator[Item]:
    """Yield the parts that show a part of an item's content."""
    if not isinstance(part, dict):
        return
    media = media_of(part)
    if media is not None:
        named = {} if media.filename is None else {"filename": media.filename}
        yield {"type": "file", "mediaType": media.mime_type, "url": media.url, **named}
        return
    text = part.get("text") or part.get("refusal")
    if not isinstance(text, str):
        yield {"type": "text", "text": name_of_part(part)}
        return
    yield {"type": "text", "text": text}
    for number, cited in enumerate(as_list(part.get("annotations"))):
        if isinstance(cited, dict) and isinstance(cited.get("url"), str):
            source = {"sourceId": f"{number}", "url": cited["url"]}
            title = {"title": cited["title"]} if cited.get("title") else {}
            yield {"type": "source-url", **source, **title}


def _tool_part(call: Called, output: Item | None) -> Item:
    named = {"type": f"tool-{call.name}", "toolCallId": call.id}
    if output is None:
        return named | {"state": "input-available", "input": as_value(call.input)}
    done = {"input": as_value(call.input), "output": as_value(output.get("output"))}
    return named | {"state": "output-available"} | done


def _items(messages: Any) -> list[Item]:
    several = [messages] if isinstance(messages, Mapping) else messages
    items: list[Item] = []
    for place, message in enumerate(several):
        role = message.get("role") if isinstance(message, Mapping) else None
        parts = message.get("parts") if isinstance(message, Mapping) else None
        if role not in ("system", "user", "assistant") or not isinstance(parts, list):
            raise ConversionError(
                "a UIMessage has a `role` of system, user or assistant, and a list of `parts`",
                path=f"$[{place}]",
            )
        items += _items_of(str(role), [part for part in parts if isinstance(part, Mapping)])
    return items


def _items_of(role: str, parts: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    """Yield the items of one message: what is said between two calls is one of them."""
    said: list[Item] = []
    outputs: list[Item] = []
    for part in parts:
        kind = part.get("type")
        name = _tool_name(part) if role == "assistant" else None
        if kind == "text" and isinstance(part.get("text"), str):
            if outputs:
                yield from outputs
                outputs = []
            said.append({"type": "output_text", "text": part["text"]})
        elif kind == "file" and isinstance(part.get("url"), str):
            said.append(media_item_part(_media(part)))
        elif name is not None:
            yield from _message(role, said)
            said = []
            call, *output = _call_items(name, part)
            yield call
            outputs += output
        elif kind == "step-start":
            yield from _message(role, said)
            yield from outputs
            said, outputs = [], []
    yield from _message(role, said)
    yield from outputs


def _message(role: str, said: list[Item]) -> Iterator[Item]:
    if not said:
        return
    if role == "assistant" or all("text" in part for part in said):
        text = "".join(part["text"] for part in said if "text" in part)
        if text or role != "assistant":
            yield {"role": role, "content": text}
        return
    parts = [{"type": "input_text", "text": p["text"]} if "text" in p else p for p in said]
    yield {"role": role, "content": parts}


def _media(part: Mapping[str, Any]) -> Media:
    name = part.get("filename")
    return Media(part["url"], str(part.get("mediaType") or ""), name or None)


def _tool_name(part: Mapping[str, Any]) -> str | None:
    """Return the name of the tool that a part is about; None for other parts."""
    kind = part.get("type")
    if kind == "dynamic-tool":
        name = part.get("toolName")
        return name if isinstance(name, str) else None
    return kind[5:] if isinstance(kind, str) and kind.startswith("tool-") and kind[5:] else None


def _call_items(name: str, part: Mapping[str, Any]) -> list[Item]:
    call_id = part.get("toolCallId")
    if not isinstance(call_id, str) or not call_id:
        raise ConversionError("a part of a tool has a `toolCallId`")
    input = part.get("input", part.get("rawInput"))
    arguments = as_text({} if input is None else input)
    call = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    state, approval = part.get("state"), part.get("approval")
    found: Any = None
    if state == "output-available":
        found = part.get("output")
    elif state == "output-error":
        found = part.get("errorText") or "error"
    elif state == "output-denied":
        reason = approval.get("reason") if isinstance(approval, Mapping) else None
        found = reason or "the call was denied"
    else:
        return [call]
    return [call, {"type": "function_call_output", "call_id": call_id, "output": as_text(found)}]
