"""The events of the Responses API's streams, added up to items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from memwrap.adapters.dispatch import check_item
from memwrap.adapters.dumps import without_parsed
from memwrap.adapters.openai_objects import as_dict, field
from memwrap.items import Item

__all__ = ["ResponseStream", "unfinished"]

_EVENTS = "response."
_LAST = {"response.completed", "response.incomplete", "response.failed"}

# The type of the part that an event is of, and the key of what the event says of it.
_SAYING = {
    "response.output_text.delta": ("output_text", "delta"),
    "response.output_text.done": ("output_text", "text"),
    "response.refusal.delta": ("refusal", "delta"),
    "response.refusal.done": ("refusal", "refusal"),
}
# Arguments of calls that have ended, and where their items have them.
_CALLING = {
    "response.function_call_arguments.done": "arguments",
    "response.custom_tool_call_input.done": "input",
}
_KEYS = {"output_text": "text", "refusal": "refusal"}


class ResponseStream:
    """Adds the events of responses up to their output; responses and items pass.

    What comes between the events of a response stays behind it.
    """

    def __init__(self, role: str) -> None:
        self._role = role
        self._is_open = False
        self._outputs: list[_Output] = []
        self._behind: list[Item] = []

    def add(self, place_and_event: tuple[int, Any]) -> list[Item]:
        """Take an event, a response or an item, with its place among what was sent."""
        place, event = place_and_event
        kind = field(event, "type")
        if isinstance(kind, str) and kind.startswith(_EVENTS):
            whole = self.rest() if kind == "response.created" else []
            self._is_open = True
            return whole + self._take(kind, event)
        if field(event, "sequence_number") is not None:
            return []  # an error that ends the stream, or a sign of life
        if field(event, "object") == "response":
            items = _output(event)
        else:
            items = [without_parsed(as_dict(event))]
            check_item(items[0], self._role, place)
        if not self._is_open:
            return items
        self._behind += items
        return []

    def rest(self) -> list[Item]:
        """Return what a response has said that was cut short."""
        return self._end(_said(self._outputs))

    def _take(self, kind: str, event: Any) -> list[Item]:
        if kind in _LAST:
            whole = _output(field(event, "response"))
            return self._end(whole) if whole else self.rest()
        if kind in {"response.output_item.added", "response.output_item.done"}:
            item = without_parsed(as_dict(field(event, "item")))
            is_message = item.get("type") == "message"
            output = self._output_of(event, item.get("id"), is_message=is_message)
            output.take_item(item, is_done=kind.endswith("done"))
            if not output.is_open:  # items are in the order in which they are done
                self._outputs.remove(output)
                self._outputs.append(output)
        elif kind in _SAYING:
            self._output_of(event, field(event, "item_id"), is_message=True).say(kind, event)
        elif kind in _CALLING:
            self._output_of(event, field(event, "item_id"), is_message=False).call(kind, event)
        return []

    def _output_of(self, event: Any, item_id: Any, *, is_message: bool) -> _Output:
        """Return the output that an event is of: by its id, or its index where ids differ."""
        index = field(event, "output_index")
        for output in reversed(self._outputs):
            if item_id is not None and output.item_id == item_id:
                return output
        for output in reversed(self._outputs):
            if output.index == index and output.is_open and output.is_message == is_message:
                return output
        self._outputs.append(output := _Output(index, item_id, is_message=is_message))
        return output

    def _end(self, output: list[Item]) -> list[Item]:
        whole = [*output, *self._behind]
        self._is_open, self._outputs, self._behind = False, [], []
        return whole


class _Output:
    """An item of a response, in pieces.

    Attributes:
        index: Its place in the output, if the server tells.
        item_id: Its id, if the server tells.
        is_message: Whether it is a message.
        item: What the server has told of it whole.
        is_open: Whether more may come.
    """

    def __init__(self, index: Any, item_id: Any, *, is_message: bool) -> None:
        self.index = index
        self.item_id = item_id
        self.is_message = is_message
        self.item: Item = {}
        self.is_open = True
        self._parts: dict[tuple[int, str], list[str]] = {}

    def take_item(self, item: Item, *, is_done: bool) -> None:
        if is_done or self.is_open:
            self.item, self.is_open = item, not is_done

    def say(self, kind: str, event: Any) -> None:
        part_type, key = _SAYING[kind]
        place = (field(event, "content_index") or 0, part_type)
        pieces = self._parts.setdefault(place, [])
        text = (event[key] if isinstance(event, dict) else getattr(event, key)) or ""
        if text and not kind.endswith("delta"):
            pieces.clear()
        pieces.append(text)

    def call(self, kind: str, event: Any) -> None:
        if self.is_open and self.item:
            self.item = self.item | {_CALLING[kind]: field(event, _CALLING[kind])}
            self.is_open = False

    def said(self) -> Item | None:
        """Return the item, or the message that its pieces say; None if they say nothing."""
        if not self.is_open:
            return self.item
        parts = [
            {"type": kind, _KEYS[kind]: text}
            for (_, kind), pieces in self._parts.items()
            if (text := "".join(pieces))
        ]
        return unfinished(parts)


def unfinished(parts: list[Item]) -> Item | None:
    """Return the message of parts that were said before a stream was cut short, if any."""
    if not parts:
        return None
    if all(part["type"] == "output_text" for part in parts):
        return {"role": "assistant", "content": "".join(part["text"] for part in parts)}
    parts = [
        part | {"annotations": []} if part["type"] == "output_text" else part for part in parts
    ]
    return {"type": "message", "role": "assistant", "content": parts}


def _said(outputs: Iterable[_Output]) -> list[Item]:
    """Return the items of a response that was cut short.

    Reasoning counts with the item that follows it alone: the API refuses it in front of another.
    """
    items: list[Item] = []
    thoughts: list[Item] = []
    for output in outputs:
        item = output.said()
        if item is not None and item.get("type") == "reasoning":
            thoughts.append(item)
            continue
        if item is not None:
            items += [item] if output.is_open else [*thoughts, item]
        thoughts = []
    return items + thoughts


def _output(response: Any) -> list[Item]:
    return [without_parsed(as_dict(item)) for item in field(response, "output") or []]
