"""Items as they are, strings, and the objects of the `openai` package's Responses API.

| message                                    | items                                            |
|--------------------------------------------|--------------------------------------------------|
| ``str``                                    | a message of the speaker; the strings of a       |
|                                            | stream are joined to one                         |
| ``dict`` with ``role``, or a ``type`` of   | the item, unchanged                              |
| the Responses API or of its pattern        |                                                  |
| ``list`` of these                          | each in turn                                     |
| ``Response`` (or its dict)                 | its ``output``, unchanged                        |
| ``ResponseOutputMessage`` and other output | that item, unchanged                             |
| stream events                              | the output of ``response.completed`` (or of      |
|                                            | ``.incomplete``, ``.failed``); without one the   |
|                                            | items of ``response.output_item.done``, and of   |
|                                            | the others the text, the refusal and the calls   |
|                                            | with whole arguments                             |
| a dict that can only be a Chat Completions | by `memwrap.adapters.chat`                       |
| message: ``role: "tool"``, ``tool_calls``, |                                                  |
| a part ``text`` or ``image_url``           |                                                  |
| a framework's object                       | by that framework's adapter                      |
| a dict with another ``type``, as of an     | `ConversionError`                                |
| event; items of the realtime API; messages |                                                  |
| of role ``function``                       |                                                  |
| anything else                              | `ConversionError`                                |

The way back is the items themselves as the Responses API takes them, by
`memwrap.adapters.projection`: without ``provider_data``, null keys and other models' reasoning.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from memwrap.adapters import chat
from memwrap.adapters.dispatch import clear_errors, convert, unknown
from memwrap.adapters.openai_objects import is_chat_only, is_readable, usages_in
from memwrap.adapters.projection import projected
from memwrap.adapters.rebuilt import rebuilt_response
from memwrap.adapters.response_stream import ResponseStream
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import RESPONSES
from memwrap.hidden.data import without_provider_data
from memwrap.items import Item, are_texts

__all__ = ["from_items", "methods", "rebuild", "to_items", "usages_in"]


def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn strings, items and Responses objects into items; see the module's table.

    Raises:
        ConversionError: There is something else among them.
    """
    if isinstance(messages, str):
        return [{"role": role, "content": messages}]
    return _convert(messages, role)


def from_items(items: Sequence[Item], /) -> list[Item]:
    """Return the items as the Responses API takes them."""
    return list(items) if are_texts(items) else without_provider_data(projected(items, RESPONSES))


def rebuild(items: Sequence[Item], type_name: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ARG001
    """Return an object of the Responses API that says what *items* say; None for other types."""
    return rebuilt_response(items, type_name)


def methods(agent: object) -> None:
    """Return None: a plain agent is a function, and is called itself."""


@clear_errors
def _convert(messages: Any, role: str) -> list[Item]:
    return convert(messages, role, sys.modules[__name__], _items_of)


def _items_of(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    for is_chat, run in groupby(enumerate(messages), lambda pair: is_chat_only(pair[1])):
        pairs = list(run)
        for _, message in pairs:
            if not is_readable(message):
                raise unknown(message, role)
        if is_chat:
            items += chat.to_items([message for _, message in pairs], role=role)
        else:
            items += added_up(pairs, ResponseStream(role))
    return items
