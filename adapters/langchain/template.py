"""Hidden data as JSON that refers to visible items instead of repeating them.

A template holds what the visible items beside it do not say. Strings and arguments that they do say
are references, so that nothing readable is stored twice. The fingerprint of the items goes with it:
when anything visible has been edited or redacted, the template counts no more.

| value                          | as JSON                                                     |
|--------------------------------|-------------------------------------------------------------|
| a string of the items          | ``{"$": [index, key, ...]}``; its end: ``"$from": start``   |
| the arguments of a call        | ``{"$args": index}``                                        |
| bytes                          | ``{"$bytes": base64}``                                      |
| tuple, set, frozenset          | ``{"$tuple": [...]}``, ``{"$set": [...]}``, ...             |
| datetime, date, time           | ``{"$datetime": ISO 8601}``, ...                            |
| UUID, Decimal                  | ``{"$uuid": text}``, ``{"$decimal": text}``                 |
| NaN and infinities             | ``{"$float": text}``                                        |
| a dict with other keys than    | ``{"$dict": [[key, value], ...]}``                          |
| strings, or with ``$`` in front |                                                            |
| anything else                  | its ``repr``, with a warning: that is a loss                |
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from memwrap.types import Item

__all__ = ["decode", "encode", "fingerprint", "parsed"]

_TAGGED: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: ("$bytes", lambda v: base64.b64encode(v).decode(), base64.b64decode),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    UUID: ("$uuid", str, UUID),
    Decimal: ("$decimal", str, Decimal),
}
_SERIES: dict[type, str] = {tuple: "$tuple", set: "$set", frozenset: "$frozenset"}
_OF_TAG: dict[str, Callable[[Any], Any]] = {tag: back for tag, _, back in _TAGGED.values()}
_OF_TAG["$float"] = float

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def encode(value: Any, items: Sequence[Item]) -> Any:
    """Return *value* as a template over *items*."""
    return _Encoder(items).encode(value)


def decode(template: Any, items: Sequence[Item]) -> Any:
    """Return the value of a template over the same items.

    Raises:
        LookupError: It refers to what is not there.
        ValueError: It is no template.
    """
    if isinstance(template, list):
        return [decode(value, items) for value in template]
    if not isinstance(template, dict):
        return template
    tag = next((key for key in template if key.startswith("$")), None)
    if tag is None:
        return {key: decode(value, items) for key, value in template.items()}
    if tag in _OF_TAG:
        return _OF_TAG[tag](decode(template[tag], items))
    if tag not in _WITH_ITEMS:
        raise ValueError(f"unknown tag {tag}")
    return _WITH_ITEMS[tag](template, items)


_WITH_ITEMS: dict[str, Callable[[dict[str, Any], Sequence[Item]], Any]] = {
    "$": lambda t, items: _text_at(items, t["$"])[t.get("$from", 0) :],
    "$args": lambda t, items: parsed(items[t["$args"]]),
    "$dict": lambda t, items: {decode(k, items): decode(v, items) for k, v in t["$dict"]},
    "$tuple": lambda t, items: tuple(decode(t["$tuple"], items)),
    "$set": lambda t, items: set(decode(t["$set"], items)),
    "$frozenset": lambda t, items: frozenset(decode(t["$frozenset"], items)),
}


def fingerprint(items: Sequence[Item]) -> str:
    """Return a short text that differs when the items do."""
    return hashlib.blake2b(_canonical(items).encode(), digest_size=9).hexdigest()


def parsed(call: Item) -> dict[str, Any] | None:
    """Return the arguments of a call if they are a JSON object."""
    try:
        arguments = json.loads(call["arguments"] or "{}")
    except (TypeError, ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def _text_at(items: Sequence[Item], path: list[Any]) -> str:
    value: Any = items
    for step in path:
        value = value[step]
    if not isinstance(value, str):
        raise ValueError(f"no text at {path}")  # noqa: TRY004
    return value


class _Encoder:
    def __init__(self, items: Sequence[Item]) -> None:
        self._texts: dict[str, dict[str, Any]] = {}
        self._arguments: list[tuple[dict[str, Any], int]] = []
        for text, path in _texts(items, []):
            reference = {"$": path}
            if text.startswith("data:") and ";base64," in text:
                start = text.index(";base64,") + len(";base64,")
                self._texts.setdefault(text[start:], reference | {"$from": start})
            self._texts.setdefault(text, reference)
        for index, item in enumerate(items):
            if item.get("type") == "function_call" and (arguments := parsed(item)):
                self._arguments.append((arguments, index))

    def encode(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is int:
            return value
        if isinstance(value, str):
            return self._texts.get(value, str(value)) if value else ""
        if kind is float:
            return value if math.isfinite(value) else {"$float": str(value)}
        if kind is list:
            return [self.encode(member) for member in value]
        return self._dict(value) if kind is dict else self._tagged(value, kind)

    def _tagged(self, value: Any, kind: type) -> Any:
        if kind in _SERIES:
            return {_SERIES[kind]: [self.encode(member) for member in value]}
        if kind in _TAGGED:
            tag, there, _ = _TAGGED[kind]
            return {tag: self.encode(there(value))}
        warnings.warn(
            f"a {kind.__module__}.{kind.__qualname__} in a message is stored as its repr only",
            stacklevel=2,
        )
        return self.encode(repr(value))

    def _dict(self, value: dict[Any, Any]) -> Any:
        for arguments, index in self._arguments:
            if value == arguments and repr(value) == repr(arguments):  # 1 is not True
                return {"$args": index}
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: self.encode(member) for key, member in value.items()}
        return {"$dict": [[self.encode(k), self.encode(v)] for k, v in value.items()]}


def _texts(value: Any, path: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the strings of the items, each with its place."""
    if isinstance(value, str):
        if value:
            yield value, path
        return
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, (list, tuple)):
        members = enumerate(value)
    for step, member in members:
        yield from _texts(member, [*path, step])
