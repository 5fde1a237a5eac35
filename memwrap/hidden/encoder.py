"""Encodes values as templates; it never raises."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

from memwrap.hidden.tags import AT_LEAST, CONTAINERS, JSON_TIMES, TAGGED, TIMES, texts
from memwrap.items import Item

__all__ = ["Encoder"]

# An integer of fewer bits has less than the 640 digits that any Python reads and writes.
_ANY_READER = 2048

_JSON_STARTS = ("{", "[")

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_ordered = json.JSONEncoder(separators=(",", ":")).encode


class Encoder:
    """Encodes values, and counts the characters that their references add up to."""

    def __init__(self, items: Sequence[Item], depth: int) -> None:
        self._depth = depth
        self._within: set[int] = set()  # the containers around a value
        self._texts: dict[str, dict[str, Any]] = {}
        self._objects: dict[Any, dict[str, tuple[dict[str, Any], int]]] | None = None
        self._left = 0
        for text, path in texts(items, []):
            self._left += TIMES * len(text)
            reference = {"$": path}
            if text.startswith("data:") and ";base64," in text:
                start = text.index(";base64,") + len(";base64,")
                self._texts.setdefault(text[start:], reference | {"$from": start})
            self._texts.setdefault(text, reference)
        self._left = max(self._left, AT_LEAST)

    def encode(self, value: Any) -> Any:
        """Return a value as a template."""
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
        for base in CONTAINERS:
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
                return members if base is list else {CONTAINERS[base]: members}
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
        return reference if self._can_spend(JSON_TIMES * length) else None

    def _can_spend(self, characters: int) -> bool:
        if characters > self._left:
            return False
        self._left -= characters
        return True

    def _other(self, value: Any, kind: type) -> Any:
        tag, there = TAGGED[kind][:2] if kind in TAGGED else ("", repr)
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
