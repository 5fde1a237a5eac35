"""A sidecar restores the message that items were made of, as long as the items are unchanged.

One item of the message holds the sidecar, under the name of the adapter:

    at     the index of that item among the items of the message
    of     the role or type of each of these items
    items  a digest of what they show; gone after an edit
    id     fields of the message that survive an edit: values, never references
    data   the rest of the message, as a template over its items; gone after an edit

Older files have ``class`` and ``fields`` in place of ``id`` and ``data``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from memwrap.hidden.comparison import digest
from memwrap.hidden.data import (
    PROVIDER_DATA,
    data_of,
    is_hidden_data,
    names_of,
    with_all_data,
    with_data,
    without_hidden,
)
from memwrap.hidden.template import encoder
from memwrap.items import Item
from memwrap.shapes import is_known_shape, shape_of

__all__ = [
    "MAX_DEPTH",
    "Sidecar",
    "bare",
    "has_sidecar",
    "hide",
    "id_of",
    "is_of",
    "redacted",
    "retied",
    "settled",
    "sidecar_of",
    "spans",
    "with_a_place",
]

MAX_DEPTH = 60
"""How deep hidden values may nest: templates are three times as deep, within a store's limit."""

# Fields of the older form that identify a message.
_OLD_IDENTITY = ("id", "name", "role", "status", "usage_metadata")

_DIGEST = re.compile(r"[0-9a-f]{18}\Z")
_REFERENCES = ("$", "$json", "$args", "$from")
_TAGS = frozenset(
    {
        *("$bytes", "$datetime", "$date", "$time", "$uuid", "$decimal", "$float", "$int"),
        *("$dict", "$tuple", "$set", "$frozenset"),
    }
)


class Sidecar(NamedTuple):
    """A sidecar as it was read, and not verified."""

    at: int
    of: list[Any]
    items: Any
    id: dict[str, Any]
    data: Any


def sidecar_of(item: Item, name: str) -> Sidecar | None:
    """Return the sidecar in *item*; None if there is none of valid form."""
    return None if (found := data_of(item, name)) is None else _read(found)


def _read(found: Mapping[str, Any]) -> Sidecar | None:
    at, shape, fields = found.get("at"), found.get("of"), found.get("fields")
    if type(at) is not int or type(shape) is not list or not 0 <= at < len(shape):
        return None
    if isinstance(fields, dict):
        kept = {key: fields[key] for key in _OLD_IDENTITY if key in fields}
        identity: Any = {"class": found.get("class")} | kept
        data: Any = fields
    else:
        identity, data = found.get("id"), found.get("data")
    return Sidecar(
        at, shape, found.get("items"), identity if isinstance(identity, dict) else {}, data
    )


def id_of(item: Item) -> str | None:
    """Return the id of an item, or of the message that it was made of; None if it has none."""
    ids = [item.get("id")]
    for name in names_of(item):
        sidecar = sidecar_of(item, name)
        ids.append(None if sidecar is None else sidecar.id.get("id"))
    return next((found for found in ids if isinstance(found, str) and found), None)


def has_sidecar(items: Sequence[Item], name: str) -> bool:
    """Tell whether one of the items has a sidecar."""
    return any(PROVIDER_DATA in item and sidecar_of(item, name) is not None for item in items)


def hide(items: list[Item], name: str, *, identity: Mapping[str, Any], data: Any) -> list[Item]:
    """Return the items of a message with its sidecar in one of them.

    Args:
        items: What the message shows; at least one.
        name: The name of the adapter.
        identity: Fields that survive an edit of the items. They hold values, never references to
            the items.
        data: The rest of the message, as any Python value.
    """
    items, place = with_a_place(items)
    visible = without_hidden(items)
    literal = encoder((), depth=MAX_DEPTH)
    sidecar = {
        "at": place,
        "of": [shape_of(item) for item in visible],
        "items": digest(visible),
        "id": {key: literal(value) for key, value in identity.items()},
        "data": encoder(visible, depth=MAX_DEPTH)(data),
    }
    return [*items[:place], with_data(items[place], name, sidecar), *items[place + 1 :]]


def with_a_place(items: list[Item]) -> tuple[list[Item], int]:
    """Return the items and the index of the first that can hold a sidecar; add one if none can."""
    for place, item in enumerate(items):
        # Some readers drop reasoning that has provider data.
        if item.get("type") != "reasoning":
            return items, place
    return [*items, {"role": "assistant", "content": ""}], len(items)


def spans(items: Sequence[Item], name: str) -> tuple[list[Item], dict[int, tuple[int, Sidecar]]]:
    """Return the items, and ``{start: (end, sidecar)}`` of the whole messages that have one.

    A sidecar is removed if the roles or types of its items have changed. A sidecar stays if a
    slice has cut its message, since the whole message may come together again.
    """
    found, void, _ = _whole(items, name, range(len(items)))
    kept = list(items)
    for place in void:
        kept[place] = with_data(items[place], name, None)
    return kept, found


def _whole(
    items: Sequence[Item], name: str, places: Iterable[int]
) -> tuple[dict[int, tuple[int, Sidecar]], list[int], dict[int, Sidecar]]:
    """Return the whole messages with a sidecar at one of these places, and the other sidecars.

    Those are the places of sidecars that are void, and the sidecars of messages that are cut.
    """
    found: dict[int, tuple[int, Sidecar]] = {}
    void: list[int] = []
    cut: dict[int, Sidecar] = {}
    free = 0
    for place in places:
        item = items[place]
        if PROVIDER_DATA not in item or (sidecar := sidecar_of(item, name)) is None:
            continue
        start, end = place - sidecar.at, place - sidecar.at + len(sidecar.of)
        if start < free or end > len(items):
            cut[place] = sidecar
        elif [shape_of(one) for one in items[start:end]] == sidecar.of:
            found[start] = end, sidecar
            free = end
        else:
            void.append(place)
    return found, void, cut


def bare(items: Sequence[Item], name: str) -> list[Item]:
    """Return the items without the sidecars under *name*."""
    return [with_data(item, name, None) if PROVIDER_DATA in item else item for item in items]


def is_of(sidecar: Sidecar, items: Sequence[Item], name: str) -> bool:
    """Tell whether the items show what they showed when the sidecar was made."""
    if _digest_of(without_hidden(items)) == sidecar.items:
        return True
    # Older digests include the hidden data of other adapters.
    return bool(_digest_of(bare(items, name)) == sidecar.items)


def _digest_of(items: Sequence[Item]) -> object:
    """Return the digest of items; what equals nothing if they are no JSON."""
    try:
        return digest(items)
    except (TypeError, ValueError, RecursionError):
        return object()


def settled(items: list[Item], *, is_slice: bool = True) -> list[Item]:
    """Return the items without the hidden data of messages that have been edited since.

    An edited message keeps its identity.

    Args:
        items: The items.
        is_slice: They may begin or end in the middle of a message. Its sidecar stays then, since a
            part of the items cannot be compared with the digest of all; otherwise an edit took
            the rest of the message.
    """
    places: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        for name in names_of(item):
            places.setdefault(name, []).append(place)
    shown = _Shown(items)
    changes: dict[int, dict[str, Any]] = {}
    for name, of in places.items():
        found, void, cut = _whole(items, name, of)
        for place in void:
            changes.setdefault(place, {})[name] = None
        edited = {} if is_slice else cut
        for start, (end, sidecar) in found.items():
            if not shown.by(sidecar, start, end, name):
                edited[start + sidecar.at] = sidecar
        for place, sidecar in edited.items():
            # The digest goes too: that of a short secret would give the secret away.
            rest = {"at": sidecar.at, "of": sidecar.of, "id": sidecar.id}
            if data_of(items[place], name) != rest:
                changes.setdefault(place, {})[name] = rest
    if not changes:
        return items
    return [
        with_all_data(item, changes[place]) if place in changes else item
        for place, item in enumerate(items)
    ]


class _Shown:
    """Tells whether messages are unchanged; many sidecars may be of the same items."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._digests: dict[tuple[int, int], Any] = {}

    def by(self, sidecar: Sidecar, start: int, end: int, name: str) -> bool:
        """Tell whether the items show what they showed when a sidecar was made."""
        if (start, end) not in self._digests:
            self._digests[start, end] = _digest_of(without_hidden(self._items[start:end]))
        if self._digests[start, end] == sidecar.items:
            return True
        # Older digests include the hidden data of other adapters; only memwrap's own have any.
        is_own = is_hidden_data(name, None)
        return is_own and _digest_of(bare(self._items[start:end], name)) == sidecar.items


def retied(before: Sequence[Item], after: list[Item], name: str) -> list[Item]:
    """Return items that were renamed for a reader, with the sidecars tied to their new form.

    Args:
        before: The items.
        after: The same items, each in its new form.
        name: The name of the sidecars.
    """
    tied = after
    for start, (end, sidecar) in spans(before, name)[1].items():
        if after[start:end] == before[start:end]:
            continue
        place = start + sidecar.at
        hidden = data_of(after[place], name)
        if hidden is not None and is_of(sidecar, before[start:end], name):
            tied = list(after) if tied is after else tied
            new = hidden | {"items": digest(without_hidden(after[start:end]))}
            tied[place] = with_data(after[place], name, new)
    return tied


def redacted(
    hidden: Mapping[str, Any], value: Callable[[Any], Any], key: Callable[[str], str]
) -> dict[str, Any]:
    """Return hidden data with its values redacted, but not its structure.

    Args:
        hidden: What lies under one name.
        value: Redacts any value.
        key: Redacts the key of an object.
    """
    return {
        key(name): member if _is_structure(name, member) else _redacted(member, value, key)
        for name, member in hidden.items()
    }


def _is_structure(name: str, member: Any) -> bool:
    if name == "at":
        return type(member) is int
    if name == "items":
        return isinstance(member, str) and _DIGEST.match(member) is not None
    return name == "of" and isinstance(member, list) and all(map(is_known_shape, member))


def _redacted(template: Any, value: Callable[[Any], Any], key: Callable[[str], str]) -> Any:
    if isinstance(template, list):
        return [_redacted(member, value, key) for member in template]
    if not isinstance(template, dict):
        return value(template)
    if template and all(name in _REFERENCES for name in template):
        return {name: _steps(member, key) for name, member in template.items()}
    return {
        name if name in _TAGS else key(name): _redacted(member, value, key)
        for name, member in template.items()
    }


def _steps(path: Any, key: Callable[[str], str]) -> Any:
    """Redact the keys in a reference as they are redacted in the items, or it would break."""
    if isinstance(path, list):
        return [_steps(step, key) for step in path]
    return key(path) if isinstance(path, str) else path if type(path) is int else None
