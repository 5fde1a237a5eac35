"""Hidden data of items: read, noted, stripped.

An item's ``provider_data`` maps names to data. Names of memwrap's own are ``memwrap`` (notes of
turns) and those of its adapters (sidecars, which restore messages). All others belong to whoever
wrote them, and stay.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from memwrap.items import Item

__all__ = [
    "PROVIDER_DATA",
    "data_of",
    "is_hidden_data",
    "marked",
    "marks_of",
    "names_of",
    "with_data",
    "without_hidden",
    "without_marks",
    "without_provider_data",
]

PROVIDER_DATA = "provider_data"
"""The key of an item for what items cannot show; no provider sees it."""

_MARKS = "memwrap"

# A sidecar has these keys, whatever the adapter that wrote it is called.
_SIDECAR_KEYS = frozenset({"at", "of"})


def data_of(item: Item, name: str) -> dict[str, Any] | None:
    """Return what is hidden in *item* under *name*; None if nothing is."""
    data = item.get(PROVIDER_DATA)
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else None


def names_of(item: Item) -> list[str]:
    """Return the names under which something is hidden in *item*."""
    data = item.get(PROVIDER_DATA)
    return list(data) if isinstance(data, dict) else []


def with_data(item: Item, name: str, value: Any) -> Item:
    """Return *item* with *value* hidden under *name*; None takes the name away."""
    data = item.get(PROVIDER_DATA)
    others = data if isinstance(data, dict) else {}
    if value is not None:
        return item | {PROVIDER_DATA: others | {name: value}}
    if name not in others:
        return item
    return _with_only(item, {key: others[key] for key in others if key != name})


def without_provider_data(items: Iterable[Item]) -> list[Item]:
    """Return the items without anything hidden, whoever hid it: providers refuse the key."""
    return [_with_only(item, {}) if PROVIDER_DATA in item else item for item in items]


def without_hidden(items: Iterable[Item], *, keep: Collection[str] = ()) -> list[Item]:
    """Return the items without what memwrap's notes and adapters hid in them.

    Args:
        items: The items; they stay unchanged.
        keep: The names whose data stays.
    """
    return [_without_own(item, keep) if PROVIDER_DATA in item else item for item in items]


def without_marks(items: Iterable[Item]) -> list[Item]:
    """Return the items without memwrap's notes of turns."""
    return [with_data(item, _MARKS, None) if PROVIDER_DATA in item else item for item in items]


def marks_of(item: Item) -> dict[str, Any]:
    """Return what memwrap noted in *item*; empty if nothing."""
    return data_of(item, _MARKS) or {}


def marked(item: Item, **marks: Any) -> Item:
    """Return *item* with notes of memwrap's in it."""
    return with_data(item, _MARKS, marks_of(item) | marks)


def is_hidden_data(name: str, value: Any) -> bool:
    """Tell whether *value* under *name* is memwrap's own: a note, or data of an adapter."""
    return name in _own_names() or (isinstance(value, dict) and value.keys() >= _SIDECAR_KEYS)


def _without_own(item: Item, keep: Collection[str]) -> Item:
    data = item[PROVIDER_DATA]
    if not isinstance(data, dict):
        return item
    kept = {
        name: value
        for name, value in data.items()
        if name in keep or not is_hidden_data(name, value)
    }
    return item if len(kept) == len(data) else _with_only(item, kept)


def _with_only(item: Item, data: dict[str, Any]) -> Item:
    bare = {key: value for key, value in item.items() if key != PROVIDER_DATA}
    return bare | {PROVIDER_DATA: data} if data else bare


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    """Return the names of memwrap's notes and of its adapters, which are looked up by name."""
    names: Iterable[str] = importlib.import_module("memwrap.adapters").NAMES
    return frozenset({_MARKS, *names})
