"""Hidden data of items: read, added, stripped.

An item's ``provider_data`` maps names to data. Names of memwrap's own are ``memwrap`` (notes of
turns) and those of its adapters (sidecars, which restore messages). Data under other names belongs
to other programs, and stays.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from memwrap.items import Item

__all__ = [
    "ANSWER",
    "PROVIDER_DATA",
    "QUARANTINED",
    "data_of",
    "for_others",
    "is_hidden_data",
    "marked",
    "marks_of",
    "names_of",
    "with_all_data",
    "with_data",
    "without_hidden",
    "without_marks",
    "without_provider_data",
]

PROVIDER_DATA = "provider_data"
"""The key of an item for its hidden data, which is never sent to a provider."""

_MARKS = "memwrap"

ANSWER = "answer"
"""The note of a call that is an answer; unlike those of turns it belongs to the item itself."""

QUARANTINED = "quarantined"
"""The note of an item that is stored and that no agent is to see; it belongs to the item too."""

_OF_ITEMS = (ANSWER, QUARANTINED)

# A sidecar has these keys, whatever the adapter that wrote it is called.
_SIDECAR_KEYS = frozenset({"at", "of"})


def data_of(item: Item, name: str) -> dict[str, Any] | None:
    """Return the hidden data of *item* under *name*; None if there is none."""
    data = item.get(PROVIDER_DATA)
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else None


def names_of(item: Item) -> list[str]:
    """Return the names under which something is hidden in *item*."""
    data = item.get(PROVIDER_DATA)
    return list(data) if isinstance(data, dict) else []


def with_data(item: Item, name: str, value: Any) -> Item:
    """Return *item* with *value* hidden under *name*; the value None removes the name."""
    return (
        item if value is None and name not in names_of(item) else with_all_data(item, {name: value})
    )


def with_all_data(item: Item, values: Mapping[str, Any]) -> Item:
    """Return *item* with values hidden under their names; the value None removes its name."""
    data = item.get(PROVIDER_DATA)
    whole = (data if isinstance(data, dict) else {}) | dict(values)
    return _with_only(item, {key: value for key, value in whole.items() if value is not None})


def without_provider_data(items: Iterable[Item]) -> list[Item]:
    """Return the items without any hidden data, as providers refuse the key."""
    return [_with_only(item, {}) if PROVIDER_DATA in item else item for item in items]


def without_hidden(items: Iterable[Item], *, keep: Collection[str] = ()) -> list[Item]:
    """Return the items without hidden data of memwrap's own: its notes and its adapters' data.

    Args:
        items: The items; they stay unchanged.
        keep: The names whose data stays.
    """
    return [_without_own(item, keep) if PROVIDER_DATA in item else item for item in items]


def for_others(items: Sequence[Item]) -> list[Item]:
    """Return the items as programs take them that know no hidden data.

    Reasoning keeps it, since it tells that the reasoning is of another API. A message that has
    nothing but hidden data is left out.
    """
    return [
        item if item.get("type") == "reasoning" else shown
        for item, shown in zip(items, without_hidden(items), strict=True)
        if shown is item or shown.get("content") != "" or shown.get("role") != "assistant"
    ]


def without_marks(items: Iterable[Item]) -> list[Item]:
    """Return the items without memwrap's notes of turns."""
    return [_without_marks(item) if PROVIDER_DATA in item else item for item in items]


def marks_of(item: Item) -> dict[str, Any]:
    """Return memwrap's notes in *item*; empty if there are none."""
    return data_of(item, _MARKS) or {}


def marked(item: Item, **marks: Any) -> Item:
    """Return *item* with *marks* added to memwrap's notes in it."""
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


def _without_marks(item: Item) -> Item:
    own = {name: value for name, value in marks_of(item).items() if name in _OF_ITEMS}
    return with_data(item, _MARKS, own or None)


def _with_only(item: Item, data: dict[str, Any]) -> Item:
    bare = {key: value for key, value in item.items() if key != PROVIDER_DATA}
    return bare | {PROVIDER_DATA: data} if data else bare


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    """Return the name of memwrap's notes, and the names of its adapters."""
    names: Iterable[str] = importlib.import_module("memwrap.adapters").NAMES
    return frozenset({_MARKS, *names})
