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
|                                            | items of ``response.output_item.done``, and the  |
|                                            | text of ``response.output_text.delta`` that is   |
|                                            | in none of them                                  |
| a framework's object                       | by that framework's adapter                      |
| anything else                              | `ConversionError`                                |

The way back is the items themselves, without ``provider_data``, which providers refuse.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from memwrap.adapters.dispatch import clear_errors, convert, unknown
from memwrap.adapters.openai_objects import as_dict, field, is_readable
from memwrap.exceptions import ConversionError
from memwrap.hidden.data import without_provider_data
from memwrap.items import Item

__all__ = ["from_items", "methods", "to_items"]

_LAST_EVENTS = {"response.completed", "response.incomplete", "response.failed"}


def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn strings, items and Responses objects into items; see the module's table.

    Raises:
        ConversionError: There is something else among them.
    """
    if isinstance(messages, str):
        return [{"role": role, "content": messages}]
    return _convert(messages, role)


def from_items(items: Sequence[Item], /) -> list[Item]:
    """Return the items without what only adapters understand."""
    return without_provider_data(items)


def methods(agent: object) -> None:
    """Return None: a plain agent is a function, and is called itself."""


@clear_errors
def _convert(messages: Any, role: str) -> list[Item]:
    return convert(messages, role, sys.modules[__name__], _own)


def _own(messages: list[Any], role: str) -> list[Item]:
    found: list[Item | _Response] = []
    response: _Response | None = None
    for index, message in enumerate(messages):
        if not is_readable(message):
            raise unknown(message, role)
        kind = field(message, "type")
        if isinstance(kind, str) and kind.startswith("response."):
            if response is None or kind == "response.created":
                response = _Response()
                found.append(response)
            if response.add(kind, message):
                response = None
        elif field(message, "object") == "response":
            found += _output(message)
        elif kind is not None or field(message, "role") is not None:
            found.append(as_dict(message))
        else:
            raise ConversionError("an item has a `role` or a `type`", path=f"$[{index}]")
    items: list[Item] = []
    for entry in found:
        items += entry.items() if isinstance(entry, _Response) else [entry]
    return items


class _Response:
    """What the events of a stream tell of a response."""

    def __init__(self) -> None:
        self._output: list[Item] = []
        self._done: list[Item] = []
        self._text = ""

    def add(self, kind: str, event: Any) -> bool:
        """Add an event; return whether it is the last."""
        if kind == "response.output_text.delta":
            self._text += field(event, "delta")
        elif kind == "response.output_item.done":
            item = as_dict(field(event, "item"))
            self._done.append(item)
            if item.get("type") == "message":
                self._text = ""
        elif kind in _LAST_EVENTS:
            self._output = _output(field(event, "response"))
            return True
        return False

    def items(self) -> list[Item]:
        if self._output:
            return self._output
        return self._done + ([{"role": "assistant", "content": self._text}] if self._text else [])


def _output(response: Any) -> list[Item]:
    return [as_dict(item) for item in field(response, "output") or []]
