"""The sidecar of a message: what restores it from its items, in the ``provider_data`` of one.

It goes with a fingerprint of the items. Of items that have been edited since, it tells which
message they are, but nothing of what that said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core import messages

from memwrap.adapters.langchain.template import decode, encode, fingerprint
from memwrap.items import PROVIDER_DATA
from memwrap.types import Item

__all__ = ["bare", "fields_of", "has_sidecar", "recast", "restored", "spans", "with_sidecar"]

_OWN = "langchain"
_COMMON: dict[str, Any] = {
    "additional_kwargs": {},
    "response_metadata": {},
    "name": None,
    "id": None,
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "AIMessage": _COMMON | {"tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None},
}

# What tells which message it is. No text of a message is in it that a redaction could miss.
_IDENTITY = ("id", "name", "role", "status", "usage_metadata")


def has_sidecar(items: Sequence[Item]) -> bool:
    """Tell whether one of the items has a sidecar."""
    return any(_OWN in (item.get(PROVIDER_DATA) or ()) for item in items)


def with_sidecar(message: Any, items: list[Item]) -> list[Item]:
    """Return the items of a message with its sidecar in one of them."""
    # The Agents SDK drops reasoning that has provider data.
    place = next((n for n, item in enumerate(items) if item.get("type") != "reasoning"), None)
    if place is None:
        place = len(items)
        items = [*items, {"role": "assistant", "content": ""}]
    name, fields = fields_of(message)
    visible = bare(items)
    sidecar = {
        "at": place,
        "of": _shape(visible),
        "items": fingerprint(visible),
        "class": name,
        "fields": encode(fields, visible),
    }
    data = items[place].get(PROVIDER_DATA)
    data = (data if isinstance(data, dict) else {}) | {_OWN: sidecar}
    return [*items[:place], items[place] | {PROVIDER_DATA: data}, *items[place + 1 :]]


def spans(items: Sequence[Item]) -> tuple[list[Item], dict[int, tuple[int, dict[str, Any]]]]:
    """Return the items, and where whole messages with a sidecar begin and end.

    A sidecar whose items have changed their kind is left out; that of a message which a slice
    has cut stays, for the day when the message is whole again.
    """
    kept = list(items)
    found: dict[int, tuple[int, dict[str, Any]]] = {}
    free = 0
    for place, item in enumerate(items):
        data = item.get(PROVIDER_DATA)
        sidecar = data.get(_OWN) if isinstance(data, dict) else None
        if not isinstance(sidecar, dict):
            continue
        at, shape = sidecar.get("at"), sidecar.get("of")
        if type(at) is not int or type(shape) is not list or not 0 <= at < len(shape):
            continue
        start, end = place - at, place - at + len(shape)
        if start < free or end > len(items):
            continue
        if _shape(items[start:end]) == shape:
            found[start] = end, sidecar
            free = end
        else:
            kept[place] = _bare_item(item)
    return kept, found


def restored(sidecar: dict[str, Any], items: list[Item]) -> Any:
    """Return the message of a sidecar; None if its items have changed, or nobody here wrote it."""
    if fingerprint(items) != sidecar.get("items"):
        return None
    try:
        kind, fields = _kind(sidecar["class"]), decode(sidecar["fields"], items)
    except (LookupError, TypeError, ValueError):
        return None
    return _made(kind, fields) if isinstance(fields, dict) else None


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    """Return a message with exactly these fields, also if its constructor knows better."""
    try:
        message = kind(**fields)
    except (TypeError, ValueError):
        return kind.model_construct(**fields)
    return message if fields_of(message)[1] == fields else kind.model_construct(**fields)


def recast(sidecar: dict[str, Any], items: list[Item], message: Any, *, portable: bool) -> Any:
    """Return the message that edited items say, with the identity of the one that they were.

    Args:
        sidecar: Of the items before the edit.
        items: What they are now.
        message: What they say now.
        portable: Leave the class as it is; not every provider takes every one.
    """
    try:
        kept = {key: sidecar["fields"][key] for key in _IDENTITY if key in sidecar["fields"]}
        kind = type(message) if portable else _kind(sidecar["class"])
        fields = fields_of(message)[1] | decode(kept, items)
        return kind(**{key: fields[key] for key in fields if key in kind.model_fields})
    except (LookupError, TypeError, ValueError):
        return None


def fields_of(message: Any) -> tuple[str, dict[str, Any]]:
    """Return the name of a message's class in langchain-core and the fields that say something."""
    fields = {**message.__dict__, **(message.model_extra or {})}
    name = _name_of(type(message))
    defaults = _DEFAULTS.get(name, _COMMON)
    return name, {
        key: value
        for key, value in fields.items()
        if key != "type" and (key not in defaults or value != defaults[key])
    }


def bare(items: Sequence[Item]) -> list[Item]:
    """Return the items without their sidecars."""
    return [_bare_item(item) if PROVIDER_DATA in item else item for item in items]


def _bare_item(item: Item) -> Item:
    data = item[PROVIDER_DATA]
    if not isinstance(data, dict) or _OWN not in data:
        return item
    rest = {key: value for key, value in data.items() if key != _OWN}
    without = {key: value for key, value in item.items() if key != PROVIDER_DATA}
    return without | {PROVIDER_DATA: rest} if rest else without


def _shape(items: Sequence[Item]) -> list[Any]:
    return [item.get("role") or item.get("type") for item in items]


def _name_of(kind: type) -> str:
    """Return the class of langchain-core that a message's class is, or is derived from."""
    return next(
        base.__name__ for base in kind.__mro__ if base.__module__.startswith("langchain_core.")
    )


def _kind(name: Any) -> Any:
    """Return a class of messages by its name; nothing else, whatever the name says.

    Raises:
        LookupError: There is no such class.
    """
    kind = getattr(messages, name) if name in messages.__all__ else None
    is_message = isinstance(kind, type) and issubclass(kind, messages.BaseMessage)
    if not is_message or name.startswith("Base"):
        raise LookupError(name)
    return kind
