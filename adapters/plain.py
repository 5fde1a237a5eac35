"""Items as they are, strings, and the objects of the `openai` package's Responses API.

| message                                    | items                                            |
|--------------------------------------------|--------------------------------------------------|
| ``str``                                    | a message of the speaker; the strings of a       |
|                                            | stream are joined to one                         |
| ``dict`` with ``role`` or ``type``         | the item, unchanged                              |
| ``list`` of these                          | each in turn                                     |
| ``Response`` (or its dict)                 | its ``output``, unchanged                        |
| ``ResponseOutputMessage`` and other output | that item, unchanged                             |
| stream events                              | the output of ``response.completed`` (or of      |
|                                            | ``.incomplete``, ``.failed``); without one the   |
|                                            | items of ``response.output_item.done``           |
| a framework's object                       | by that framework's adapter                      |
| anything else                              | `ConversionError`                                |

The way back is the items themselves, without ``provider_data``, which providers refuse.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from memwrap.adapters.shared import as_dict, convert, unknown, without_provider_data
from memwrap.exceptions import ConversionError
from memwrap.types import Item, Method

__all__ = ["from_items", "methods", "to_items"]

_LAST_EVENTS = {"response.completed", "response.incomplete", "response.failed"}


def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn strings, items and Responses objects into items; see the module's table.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules[__name__], _own)


def from_items(items: Sequence[Item], /) -> list[Item]:
    """Return the items without what only adapters understand."""
    return without_provider_data(items)


def methods(agent: object) -> Mapping[str, Method]:  # noqa: ARG001
    """Return no methods: a plain agent is called itself."""
    return {}


def _own(messages: list[Any], role: str) -> list[Item]:
    items: list[Item] = []
    done: list[Item] = []  # finished output of a response whose last event is yet to come
    for index, message in enumerate(messages):
        data = as_dict(message)
        if data is None:
            raise unknown(message, role)
        kind = data.get("type")
        if isinstance(kind, str) and kind.startswith("response."):
            if kind == "response.output_item.done":
                done.append(data["item"])
            elif kind in _LAST_EVENTS:
                items += data["response"].get("output") or done
                done = []
        elif data.get("object") == "response":
            items += data.get("output", [])
        elif "role" in data or "type" in data:
            items.append(data)
        else:
            raise ConversionError("an item has a `role` or a `type`", path=f"$[{index}]")
    return items + done
