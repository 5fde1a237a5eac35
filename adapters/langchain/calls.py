"""The calls of an AIMessage: its own, and those that only a block or ``additional_kwargs`` has."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from memwrap.adapters.langchain.response_items import is_json, kind_of
from memwrap.hidden.comparison import same
from memwrap.hidden.template import encode
from memwrap.items import Item, arguments_of

__all__ = ["CALL_IDS", "Calls", "called"]

CALL_IDS = {"function_call": "call_id", "custom_tool_call": "call_id"}
"""Where the id of a call is, by the type of the block."""
CALL_IDS |= {"tool_call": "id", "tool_use": "id", "invalid_tool_call": "id"}

_CUSTOM_INPUT = "__arg1"  # LangChain's name for the text that a custom tool gets


class Calls:
    """The calls of a message that are still to be placed, by LangChain's ids."""

    def __init__(self, message: Any) -> None:
        calls = _calls(message)
        self._items: dict[int, Item] = {place: item for place, (_, item) in enumerate(calls)}
        self._places: dict[Any, deque[int]] = {}
        for place, (call_id, _) in enumerate(calls):
            if isinstance(call_id, Hashable):
                self._places.setdefault(call_id, deque()).append(place)

    def take(self, call_id: Any) -> Item | None:
        """Return the first call of an id; None if there is none left."""
        places = self._places.get(call_id) if isinstance(call_id, Hashable) else None
        return self._items.pop(places.popleft()) if places else None

    def rest(self) -> Iterable[Item]:
        """Return the calls that no block has named."""
        return self._items.values()


def called(call: Item, block: dict[str, Any]) -> Item:
    """Return a call, as the custom one that its block says it is."""
    text = (arguments_of(call) or {}).get(_CUSTOM_INPUT)
    if block["type"] != "custom_tool_call" or not isinstance(text, str):
        return call
    item = {key: value for key, value in block.items() if key != "index"}
    item |= {"call_id": call["call_id"], "name": call["name"], "input": text}
    return item if is_json(item) else call


def _calls(message: Any) -> list[tuple[Any, Item]]:
    """Return the calls with the ids that LangChain has for them, in their order."""
    calls = [*message.tool_calls, *message.invalid_tool_calls]
    if not calls:
        return _calls_beside(message.additional_kwargs)
    raw = _raw_arguments(message)
    taken = {call.get("id") for call in calls}
    items: list[tuple[Any, Item]] = []
    for place, call in enumerate(calls):
        if place < len(message.tool_calls):
            arguments = _arguments(call["args"], raw.get(call["id"]))
        else:
            arguments = call.get("args") or ""
        item: Item = {"type": "function_call", "call_id": call.get("id") or _free_id(place, taken)}
        item |= {"name": call.get("name") or "", "arguments": arguments}
        items.append((call.get("id"), item))
    return items


def _calls_beside(beside: Mapping[str, Any]) -> list[tuple[Any, Item]]:
    """Return the calls that models read in ``additional_kwargs``, if a message has no others."""
    kept = beside.get("tool_calls")
    raw = [call for call in kept if isinstance(call, dict)] if isinstance(kept, list) else []
    if not raw:
        # The older form, whose output is found by the name of the function.
        function = beside.get("function_call")
        name = function.get("name") if isinstance(function, dict) else None
        raw = [{"id": name, "function": function}] if name else []
    taken = {call["id"] for call in raw if isinstance(call.get("id"), str)}
    items: list[tuple[Any, Item]] = []
    for place, call in enumerate(raw):
        function = call.get("function")
        if not (isinstance(function, dict) and isinstance(name := function.get("name"), str)):
            continue
        call_id, text = call.get("id"), function.get("arguments")
        text = text if isinstance(text, str) else _arguments(text, None)
        own = call_id if isinstance(call_id, str) and call_id else _free_id(place, taken)
        item = {"type": "function_call", "call_id": own, "name": name, "arguments": text}
        items.append((call_id, item))
    return items


def _free_id(place: int, taken: set[str | None]) -> str:
    """Return an id for a call without one, that no call beside it has."""
    call_id = f"call_{place}"
    while call_id in taken:
        call_id += "_"
    return call_id


def _arguments(args: Any, raw: str | None) -> str:
    """Return arguments as the model wrote them, if they still say the same."""
    if raw is not None and same(arguments_of({"arguments": raw}), args):
        return raw
    try:
        return json.dumps(args, ensure_ascii=False, default=str)
    except Exception:  # noqa: BLE001  (what Python's writer has no form for)
        return json.dumps(encode(args, ()), ensure_ascii=False)


def _raw_arguments(message: Any) -> dict[Any, str]:
    """Return the text of the arguments by call id, where LangChain kept it."""
    found: dict[Any, str] = {}
    kept = message.additional_kwargs.get("tool_calls")
    for call in kept if isinstance(kept, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            _find(found, call.get("id"), function)
    for block in message.content if isinstance(message.content, list) else ():
        if kind_of(block) == "function_call":
            _find(found, block.get("call_id"), block)
    return found


def _find(found: dict[Any, str], call_id: Any, call: Mapping[str, Any]) -> None:
    if isinstance(call_id, (str, type(None))) and isinstance(call.get("arguments"), str):
        found[call_id] = call["arguments"]
