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
| an integer of many digits      | ``{"$int": hexadecimal text}``                              |
| a dict with other keys than    | ``{"$dict": [[key, value], ...]}``                          |
| strings, or with ``$`` in front |                                                            |
| anything else, and what is     | its ``repr``, with a warning: that is a loss                |
| in itself or nests too deeply  |                                                             |

Of classes derived from Python's own the value is kept, as ``json`` would write it, and not the
class.
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

from memwrap.codec import MAX_DEPTH
from memwrap.types import Item

__all__ = ["decode", "encode", "encoder", "equal", "fingerprint", "parsed", "same"]

# An integer of fewer bits has less than the 640 digits that any Python reads and writes.
_ANY_READER = 2048

_TAGGED: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: ("$bytes", lambda v: base64.b64encode(v).decode(), base64.b64decode),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    UUID: ("$uuid", str, UUID),
    Decimal: ("$decimal", str, Decimal),
}
_CONTAINERS: dict[type, str] = {
    dict: "$dict",
    list: "",
    tuple: "$tuple",
    set: "$set",
    frozenset: "$frozenset",
}
_OF_TAG: dict[str, Callable[[Any], Any]] = {tag: back for tag, _, back in _TAGGED.values()}
_OF_TAG |= {"$float": float, "$int": lambda text: int(text, 16)}

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def encode(value: Any, items: Sequence[Item]) -> Any:
    """Return *value* as a template over *items*."""
    return encoder(items)(value)


def encoder(items: Sequence[Item], *, depth: int = MAX_DEPTH + 1) -> Callable[[Any], Any]:
    """Return what turns values into templates over *items*, never raising for any.

    Args:
        items: What templates may refer to.
        depth: How deep values may nest, by default as a list of items may; their templates may be
            three times as deep.
    """
    return _Encoder(items, depth).encode


def decode(template: Any, items: Sequence[Item]) -> Any:
    """Return the value of a template over the same items.

    Raises:
        ValueError: It is no template, or refers to what is not there.
    """
    try:
        return _decoded(template, items)
    except Exception as exc:  # what the parser of a tag raises is for it to choose
        raise ValueError("no template") from exc


def _decoded(template: Any, items: Sequence[Item]) -> Any:
    kind = type(template)
    if kind is list:
        return [_decoded(value, items) for value in template]
    if kind is not dict:
        return template
    for tag in template:
        if tag.startswith("$"):
            if tag in _OF_TAG:
                return _OF_TAG[tag](_decoded(template[tag], items))
            return _WITH_ITEMS[tag](template, items)
    return {key: _decoded(value, items) for key, value in template.items()}


_WITH_ITEMS: dict[str, Callable[[dict[str, Any], Sequence[Item]], Any]] = {
    "$": lambda t, items: _text_at(items, t["$"])[t.get("$from", 0) :],
    "$args": lambda t, items: parsed(items[t["$args"]]),
    "$dict": lambda t, items: {_decoded(k, items): _decoded(v, items) for k, v in t["$dict"]},
    "$tuple": lambda t, items: tuple(_decoded(t["$tuple"], items)),
    "$set": lambda t, items: set(_decoded(t["$set"], items)),
    "$frozenset": lambda t, items: frozenset(_decoded(t["$frozenset"], items)),
}


def fingerprint(items: Sequence[Item]) -> str:
    """Return a short text that differs when the items do."""
    return hashlib.blake2b(_canonical(items).encode(), digest_size=9).hexdigest()


def equal(one: Any, other: Any) -> bool:
    """Tell whether values are equal; what cannot be compared, as arrays cannot, is not."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001  (a comparison may raise anything)
        return False


def same(one: Any, other: Any) -> bool:
    """Tell whether values are equal JSON, to the type: 1 is not True."""
    try:
        return bool(one == other) and _canonical(one) == _canonical(other)
    except Exception:  # noqa: BLE001
        return False


def parsed(call: Item) -> dict[str, Any] | None:
    """Return the arguments of a call if they are a JSON object."""
    try:
        arguments = json.loads(call["arguments"] or "{}")
    except (LookupError, TypeError, ValueError, RecursionError):
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
    def __init__(self, items: Sequence[Item], depth: int) -> None:
        self._depth = depth
        self._within: set[int] = set()  # the containers around a value
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
        kind = type(value)  # not isinstance: proxies of other objects may raise for it
        if value is None or kind is bool:
            return value
        if issubclass(kind, str):
            text = str.__str__(value)
            return self._texts.get(text, text) if text else ""
        if issubclass(kind, int):
            whole = int.__int__(value)
            return whole if whole.bit_length() < _ANY_READER else {"$int": hex(whole)}
        if issubclass(kind, float):
            number = float.__float__(value)
            return number if math.isfinite(number) else {"$float": str(number)}
        for base in _CONTAINERS:
            if issubclass(kind, base):
                return self._container(value, kind, base)
        return self._other(value, kind)

    def _container(self, value: Any, kind: type, base: Any) -> Any:
        if id(value) in self._within or len(self._within) >= self._depth:
            return self._lost(kind, f"<{kind.__qualname__}>")
        self._within.add(id(value))
        try:
            if base is not dict:
                members = [self.encode(member) for member in base.__iter__(value)]
                if base in (set, frozenset):
                    members.sort(key=_canonical)  # in each process they have another order
                return members if base is list else {_CONTAINERS[base]: members}
            for arguments, index in self._arguments:
                if same(value, arguments):
                    return {"$args": index}
            pairs = dict.items(value)
            if all(issubclass(type(k), str) and not str.startswith(k, "$") for k, _ in pairs):
                return {str.__str__(key): self.encode(member) for key, member in pairs}
            return {"$dict": [[self.encode(key), self.encode(member)] for key, member in pairs]}
        finally:
            self._within.discard(id(value))

    def _other(self, value: Any, kind: type) -> Any:
        tag, there = _TAGGED[kind][:2] if kind in _TAGGED else ("", repr)
        try:
            text = there(value)
        except Exception:  # noqa: BLE001  (nobody's object fails a turn)
            tag, text = "", f"<{kind.__qualname__}>"
        return {tag: self.encode(text)} if tag else self._lost(kind, text)

    def _lost(self, kind: type, text: str) -> Any:
        warnings.warn(
            f"a {kind.__module__}.{kind.__qualname__} in a message is stored as its repr only",
            stacklevel=2,
        )
        return self.encode(text)


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
