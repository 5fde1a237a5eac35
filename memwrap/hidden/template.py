"""Hidden data as JSON that refers to visible items instead of repeating them.

A template holds what the visible items do not show. Strings, and objects that a visible string
holds as JSON, become references, so that no visible text is stored twice. A template is void once
the items have been edited or redacted: its sidecar holds a digest of the items.

| value                          | as JSON                                                     |
|--------------------------------|-------------------------------------------------------------|
| a string of the items          | ``{"$": [index, key, ...]}``; its end: ``"$from": start``   |
| an object or list that a       | ``{"$json": [index, key, ...]}`` (arguments of a call       |
| string of the items holds      | in older files: ``{"$args": index}``)                       |
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

A value of a class derived from Python's own is kept as ``json`` would write it, without its class.
References add up to a multiple of the items' size at most: values beyond the limit are written
out, and a template beyond it is refused.
"""

from __future__ import annotations

import base64
import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from memwrap.codec import MAX_DEPTH
from memwrap.items import Item, arguments_of

__all__ = ["decode", "encode", "encoder"]

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

# How many characters references may add up to: a multiple of the items' strings, or a minimum for
# items with little text.
_TIMES = 8
_AT_LEAST = 64 * 1024

# How often the text of a reference is counted that is read as JSON: objects take more memory.
_JSON_TIMES = 3

# How many members of a set or keys of a dict may have one hash: more are no accident.
_ALIKE = 32

_JSON_STARTS = ("{", "[")

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_ordered = json.JSONEncoder(separators=(",", ":")).encode


def encode(value: Any, items: Sequence[Item]) -> Any:
    """Return *value* as a template over *items*."""
    return encoder(items)(value)


def encoder(items: Sequence[Item], *, depth: int = MAX_DEPTH + 1) -> Callable[[Any], Any]:
    """Return a function that encodes a value as a template over *items*. It never raises.

    Args:
        items: What templates may refer to.
        depth: How deep values may nest, by default as a list of items may; their templates may be
            three times as deep.
    """
    return _Encoder(items, depth).encode


def decode(template: Any, items: Sequence[Item]) -> Any:
    """Return the value of a template over the same items.

    Raises:
        ValueError: The template is malformed, refers to what is not in the items, or adds up to
            far more than the items.
    """
    try:
        return _Decoder(items).decode(template)
    except Exception as exc:  # the parser of a tag may raise anything
        raise ValueError("no template") from exc


class _Decoder:
    """Decodes one template, and counts the characters that its references add up to."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._spent = 0
        self._budget: int | None = None
        self._parts: dict[tuple[int, int], str] = {}  # each end of a text, sliced once

    def decode(self, template: Any) -> Any:
        kind = type(template)
        if kind is list:
            return [self.decode(value) for value in template]
        if kind is not dict:
            return template
        for tag in template:
            if tag.startswith("$"):
                if tag in _OF_TAG:
                    return _OF_TAG[tag](self.decode(template[tag]))
                return _WITH_ITEMS[tag](self, template)
        return {key: self.decode(value) for key, value in template.items()}

    def text(self, path: list[Any], start: int = 0) -> str:
        """Return the text at *path*, from *start* on."""
        text: Any = self._items
        for step in path:
            text = text[step]
        if not isinstance(text, str):
            raise ValueError(f"no text at {path}")  # noqa: TRY004
        self._spend(len(text))
        if not start:
            return text
        return self._parts.setdefault((id(text), start), text[start:])

    def parsed(self, path: list[Any]) -> Any:
        """Return what the text at *path* holds as JSON."""
        text = self.text(path)
        self._spend((_JSON_TIMES - 1) * len(text))
        return json.loads(text)

    def arguments(self, index: int) -> dict[str, Any] | None:
        """Return the arguments of the call at *index*, as older templates refer to it."""
        self._spend(_JSON_TIMES * len(str(self._items[index].get("arguments"))))
        return arguments_of(self._items[index])

    def pairs(self, template: Any) -> dict[Any, Any]:
        """Return a dict of other keys than strings."""
        keys = self.members([key for key, _ in template])
        values = [self.decode(value) for _, value in template]
        return dict(zip(keys, values, strict=True))

    def members(self, template: Any) -> list[Any]:
        """Return the members of a set, or the keys of a dict.

        Raises:
            ValueError: Many have one hash: putting them in would take the square of their number.
        """
        found = [self.decode(member) for member in template]
        alike = Counter(hash(member) for member in found if not isinstance(member, str))
        if alike and max(alike.values()) > _ALIKE:
            raise ValueError("too many members of one hash")
        return found

    def _spend(self, characters: int) -> None:
        self._spent += characters
        if self._spent > _AT_LEAST:
            if self._budget is None:
                self._budget = _TIMES * sum(len(text) for text, _ in _texts(self._items, []))
            if self._spent > self._budget:
                raise ValueError("the references add up to far more than the items")


_WITH_ITEMS: dict[str, Callable[[_Decoder, dict[str, Any]], Any]] = {
    "$": lambda d, t: d.text(t["$"], t.get("$from", 0)),
    "$json": lambda d, t: d.parsed(t["$json"]),
    "$args": lambda d, t: d.arguments(t["$args"]),
    "$dict": lambda d, t: d.pairs(t["$dict"]),
    "$tuple": lambda d, t: tuple(d.decode(t["$tuple"])),
    "$set": lambda d, t: set(d.members(t["$set"])),
    "$frozenset": lambda d, t: frozenset(d.members(t["$frozenset"])),
}


class _Encoder:
    def __init__(self, items: Sequence[Item], depth: int) -> None:
        self._depth = depth
        self._within: set[int] = set()  # the containers around a value
        self._texts: dict[str, dict[str, Any]] = {}
        self._objects: dict[Any, dict[str, tuple[dict[str, Any], int]]] | None = None
        self._left = 0
        for text, path in _texts(items, []):
            self._left += _TIMES * len(text)
            reference = {"$": path}
            if text.startswith("data:") and ";base64," in text:
                start = text.index(";base64,") + len(";base64,")
                self._texts.setdefault(text[start:], reference | {"$from": start})
            self._texts.setdefault(text, reference)
        self._left = max(self._left, _AT_LEAST)

    def encode(self, value: Any) -> Any:
        kind = type(value)  # not isinstance: proxies of other objects may raise for it
        if value is None or kind is bool:
            return value
        if issubclass(kind, str):
            text = str.__str__(value)
            return self._text(text) if text else ""
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
            if (base is dict or base is list) and (reference := self._object(value, base)):
                return reference
            if base is not dict:
                members = [self.encode(member) for member in base.__iter__(value)]
                if base in (set, frozenset):
                    members.sort(key=_canonical)  # the order of a set differs between processes
                return members if base is list else {_CONTAINERS[base]: members}
            pairs = dict.items(value)
            if all(issubclass(type(k), str) and not str.startswith(k, "$") for k, _ in pairs):
                return {str.__str__(key): self.encode(member) for key, member in pairs}
            return {"$dict": [[self.encode(key), self.encode(member)] for key, member in pairs]}
        finally:
            self._within.discard(id(value))

    def _text(self, text: str) -> Any:
        reference = self._texts.get(text)
        if reference is None:
            return text
        whole = len(text) + reference.get("$from", 0)
        return reference if self._can_spend(whole) else text

    def _object(self, value: Any, base: Any) -> dict[str, Any] | None:
        """Return a reference to the visible string that holds *value* as JSON."""
        if not base.__len__(value):
            return None
        if self._objects is None:
            self._objects = _objects_in(self._texts)
        alike = self._objects.get(_outline(value, base))
        if alike is None:
            return None
        try:
            text = _ordered(value)
            found = alike.get(text)
            if found is None or json.loads(text) != value:  # a tuple is no list
                return None
        except Exception:  # noqa: BLE001  (not JSON, or nothing that can be compared)
            return None
        reference, length = found
        return reference if self._can_spend(_JSON_TIMES * length) else None

    def _can_spend(self, characters: int) -> bool:
        if characters > self._left:
            return False
        self._left -= characters
        return True

    def _other(self, value: Any, kind: type) -> Any:
        tag, there = _TAGGED[kind][:2] if kind in _TAGGED else ("", repr)
        try:
            text = there(value)
        except Exception:  # noqa: BLE001  (an odd object must not fail the turn)
            tag, text = "", f"<{kind.__qualname__}>"
        return {tag: self.encode(text)} if tag else self._lost(kind, text)

    def _lost(self, kind: type, text: str) -> Any:
        warnings.warn(
            f"a {kind.__module__}.{kind.__qualname__} in a message is stored as its repr only",
            stacklevel=2,
        )
        return self.encode(text)


def _objects_in(
    texts: dict[str, dict[str, Any]],
) -> dict[Any, dict[str, tuple[dict[str, Any], int]]]:
    """Return references to the strings that hold objects or lists: by outline, then by JSON."""
    found: dict[Any, dict[str, tuple[dict[str, Any], int]]] = {}
    for text, reference in texts.items():
        if "$from" in reference or not text.lstrip()[:1].startswith(_JSON_STARTS):
            continue
        try:
            value = json.loads(text)
            ordered = _ordered(value)
        except (ValueError, RecursionError):
            continue
        if value:
            alike = found.setdefault(_outline(value, type(value)), {})
            alike.setdefault(ordered, ({"$json": reference["$"]}, len(text)))
    return found


def _outline(value: Any, base: type) -> Any:
    """Return a cheap key that equal objects share, and few others."""
    return frozenset(dict.keys(value)) if base is dict else len(value)


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
