"""LangChain messages, and runnables that take a list of them.

| message                                  | items                                            |
|------------------------------------------|--------------------------------------------------|
| ``HumanMessage``                         | a user message; text, image and file blocks      |
|                                          | become ``input_text``, ``input_image`` and       |
|                                          | ``input_file``                                   |
| ``SystemMessage``                        | a system or developer message                    |
| ``AIMessage`` text                       | an assistant message; with the id of an item     |
|                                          | (``msg_...``) an ``output_text`` of that item    |
| refusals                                 | the same, as a ``refusal``                       |
| reasoning and hosted tools' blocks of    | the items that they are                          |
| the Responses API                        |                                                  |
| ``tool_calls``, ``invalid_tool_calls``   | a ``function_call`` each, at the place of the    |
|                                          | block that names it, or after the text           |
| ``ToolMessage``                          | ``function_call_output``                         |
| ``FunctionMessage``, ``ChatMessage``,    | the nearest of these                             |
| ``RemoveMessage``, chunks                |                                                  |
| the chunks of an answer                  | the message that they add up to                  |
| ``("human", "text")`` and the like       | as LangChain itself reads them                   |
| items, chat message dicts, ``str``       | as in `memwrap.adapters.chat`                    |

On the way back a run of what the assistant did is one ``AIMessage``; an item that LangChain has no
message for is a ``non_standard`` block.

Both ways are exact, for any slice of the items: what items cannot show of a message (ids, metadata,
other blocks, the class) is in ``provider_data.langchain`` of one of its items, and what a message
cannot show of items is in its ``additional_kwargs["memwrap"]``. Neither repeats what can be seen,
and both give way to an edit of it. Lost are objects that JSON has no form for, with a warning, and
the class of messages derived from LangChain's: nothing is imported because stored data says so.

How a remembering runnable runs stands in `memwrap.adapters.runnables`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from memwrap.adapters import chat
from memwrap.adapters.langchain.exact import items_for, messages_for
from memwrap.adapters.shared import clear_errors, convert, unknown
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
def from_items(
    items: Sequence[Item], /, *, style: Literal["openai", "portable"] = "openai"
) -> list[Any]:
    """Turn items into LangChain messages; see the module's table.

    Args:
        items: Any part of a conversation.
        style: ``"portable"`` leaves reasoning, hosted tools' blocks, ids and annotations out of
            the content, for histories that are shown to other providers.
    """
    return list(messages_for(items, portable=style == "portable"))


def methods(agent: Any) -> Mapping[str, Method | Callable[..., Any]]:
    """Return how a runnable is run; nothing for other objects."""
    if not hasattr(agent, "ainvoke"):
        return {}
    from memwrap.adapters import runnables

    return runnables.methods(agent)


def _own(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    last: list[Item] = []
    # An answer's chunks are one message; chunks that somebody kept stay what they are.
    for message in _whole(messages) if role == "assistant" else _spread(messages):
        if isinstance(message, dict):
            last = chat.to_items(message, role=role)
        else:
            last = items_for(_message(message, role), last)
        items += last
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
