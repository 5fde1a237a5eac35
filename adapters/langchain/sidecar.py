"""The sidecar of a message: what restores it from its items, in the ``provider_data`` of one.

It goes with a fingerprint of the items. Of items that have been edited since, it tells which
message they are, but nothing of what that said.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from langchain_core import messages
from pydantic import ValidationError

from memwrap.adapters.langchain.template import decode, encoder, fingerprint
from memwrap.adapters.langchain.visible import role_of
from memwrap.items import PROVIDER_DATA
from memwrap.types import Item

__all__ = [
    "bare",
    "fields_of",
    "has_sidecar",
    "recast",
    "restored",
    "settled",
    "spans",
    "with_a_place",
    "with_sidecar",
]

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

# What tells which message it is. It never refers to the text of a message, which may be edited.
_IDENTITY = ("id", "name", "role", "status", "usage_metadata")

# How deep what is hidden may nest: three times as deep in a template, and then within a store's
# limit for an item.
_MAX_DEPTH = 60


def has_sidecar(items: Sequence[Item]) -> bool:
    """Tell whether one of the items has a sidecar."""
    return any(PROVIDER_DATA in item and _sidecar_of(item) is not None for item in items)


def _sidecar_of(item: Item) -> dict[str, Any] | None:
    data = item.get(PROVIDER_DATA)
    sidecar = data.get(_OWN) if isinstance(data, dict) else None
    return sidecar if isinstance(sidecar, dict) else None


def with_sidecar(message: Any, items: list[Item]) -> list[Item]:
    """Return the items of a message with its sidecar in one of them."""
    items, place = with_a_place(items)
    name, fields = fields_of(message)
    visible = bare(items)
    encode = encoder(visible, depth=_MAX_DEPTH)
    sidecar = {
        "at": place,
        "of": _shape(visible),
        "items": fingerprint(visible),
        "class": name,
        "fields": {
            key: _literal(value) if key in _IDENTITY else encode(value)
            for key, value in fields.items()
        },
    }
    return [*items[:place], _with(items[place], sidecar), *items[place + 1 :]]


def _literal(value: Any) -> Any:
    return value if type(value) is str else encoder((), depth=_MAX_DEPTH)(value)


def with_a_place(items: list[Item]) -> tuple[list[Item], int]:
    """Return the items of a message, and which of them its sidecar may be in."""
    for place, item in enumerate(items):
        # The Agents SDK drops reasoning that has provider data.
        if item.get("type") != "reasoning":
            return items, place
    return [*items, {"role": "assistant", "content": ""}], len(items)


def _with(item: Item, sidecar: dict[str, Any]) -> Item:
    data = item.get(PROVIDER_DATA)
    return item | {PROVIDER_DATA: (data if isinstance(data, dict) else {}) | {_OWN: sidecar}}


def settled(items: list[Item]) -> list[Item]:
    """Return the items without what is hidden of those that have been edited since.

    It stays hidden from whoever reads messages, but not from whoever reads the store. What an
    edited message keeps is its class and its identity. A sidecar whose message a slice has cut
    stays as it is: nothing tells whether its items are the same.
    """
    kept, whole = spans(items)
    for start, (end, sidecar) in whole.items():
        if not _is_of(sidecar, bare(items[start:end])):
            place = start + sidecar["at"]
            kept[place] = _with(items[place], _cut(sidecar))
    return items if kept == items else kept


def _is_of(sidecar: dict[str, Any], items: list[Item]) -> bool:
    try:
        return fingerprint(items) == sidecar.get("items")
    except (TypeError, ValueError, RecursionError):  # what no store takes nobody here wrote
        return False


def _cut(sidecar: dict[str, Any]) -> dict[str, Any]:
    """Return what tells which message it is. A fingerprint of a short secret would tell that."""
    kept = {key: sidecar[key] for key in ("at", "of", "class") if key in sidecar}
    fields = _fields(sidecar)
    return kept | {"fields": {key: fields[key] for key in _IDENTITY if key in fields}}


def _fields(sidecar: dict[str, Any]) -> dict[str, Any]:
    fields = sidecar.get("fields")
    return fields if isinstance(fields, dict) else {}


def spans(items: Sequence[Item]) -> tuple[list[Item], dict[int, tuple[int, dict[str, Any]]]]:
    """Return the items, and where whole messages with a sidecar begin and end.

    A sidecar whose items have changed their kind is left out; that of a message which a slice
    has cut stays, for the day when the message is whole again.
    """
    kept = list(items)
    found: dict[int, tuple[int, dict[str, Any]]] = {}
    free = 0
    for place, item in enumerate(items):
        if PROVIDER_DATA not in item or (sidecar := _sidecar_of(item)) is None:
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
    """Return the message of a sidecar; None if its items have changed.

    Raises:
        Exception: Any at all, if nobody here wrote it.
    """
    if not _is_of(sidecar, items):
        return None
    fields = _fields(sidecar)
    values = decode([*fields.values()], items)
    return _made(_kind(sidecar["class"]), dict(zip(fields, values, strict=True)))


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    """Return a message with exactly these fields, also if its constructor knows better."""
    message, fields = _valid(kind, fields)
    if fields_of(message)[1] == fields:
        return message
    # It filled in or took out calls, say; but the types are as it wants them.
    for key, value in fields.items():
        now = getattr(message, key, value)
        fields[key] = value if type(value) is type(now) else now
    return kind.model_construct(**fields)


def _valid(kind: Any, fields: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a message of those of these fields that its class takes, and them.

    Raises:
        ValueError: It cannot do without one that it does not take.
    """
    while True:
        try:
            return kind(**fields), fields
        except ValidationError as exc:
            errors = exc.errors(include_url=False, include_context=False, include_input=False)
            refused = {error["loc"][0] for error in errors if error["loc"]}
            if refused.isdisjoint(fields):
                raise
            fields = {key: fields[key] for key in fields if key not in refused}


def recast(sidecar: dict[str, Any], message: Any, *, portable: bool) -> Any:
    """Return the message that edited items say, with the identity of the one that they were.

    Args:
        sidecar: Of the items before the edit.
        message: What they say now.
        portable: Leave the class as it is; not every provider takes every one.
    """
    fields = fields_of(message)[1]
    kept = _fields(sidecar)
    for key in _IDENTITY:
        if key in kept:
            with contextlib.suppress(ValueError):
                fields[key] = decode(kept[key], ())
    try:
        kind = type(message) if portable else _kind(sidecar["class"])
        known = {key: fields[key] for key in fields if key in kind.model_fields}
        return _valid(kind, known)[0]
    except Exception:  # noqa: BLE001  (nobody knows what stands in a store)
        return None


def fields_of(message: Any) -> tuple[str, dict[str, Any]]:
    """Return the name of a message's class in langchain-core and the fields that say something."""
    fields = {**message.__dict__, **(message.model_extra or {})}
    name = _name_of(type(message))
    if name.startswith("Base"):  # derived from no class that has a role
        name, fields["role"] = "ChatMessage", role_of(message)
    defaults = _DEFAULTS.get(name, _COMMON)
    return name, {
        key: value
        for key, value in fields.items()
        if key != "type" and not (key in defaults and _is_default(value, defaults[key]))
    }


def _is_default(value: Any, default: Any) -> bool:
    """Tell whether a field says nothing. It is not compared: arrays refuse that."""
    return type(value) is type(default) and not value


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
