"""The tags of templates, and how much their references may add up to."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ["AT_LEAST", "CONTAINERS", "JSON_TIMES", "OF_TAG", "TAGGED", "TIMES", "texts"]

TAGGED: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: ("$bytes", lambda v: base64.b64encode(v).decode(), base64.b64decode),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    UUID: ("$uuid", str, UUID),
    Decimal: ("$decimal", str, Decimal),
}
CONTAINERS: dict[type, str] = {
    dict: "$dict",
    list: "",
    tuple: "$tuple",
    set: "$set",
    frozenset: "$frozenset",
}
OF_TAG: dict[str, Callable[[Any], Any]] = {tag: back for tag, _, back in TAGGED.values()}
OF_TAG |= {"$float": float, "$int": lambda text: int(text, 16)}

# How many characters references may add up to: a multiple of the items' strings, or a minimum for
# items with little text.
TIMES = 8
AT_LEAST = 64 * 1024

# How often the text of a reference is counted that is read as JSON: objects take more memory.
JSON_TIMES = 3


def texts(value: Any, path: list[Any]) -> Iterator[tuple[str, list[Any]]]:
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
        yield from texts(member, [*path, step])
