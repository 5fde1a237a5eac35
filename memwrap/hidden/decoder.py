"""Decodes templates, within the size of their items."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from memwrap.hidden.tags import AT_LEAST, JSON_TIMES, OF_TAG, TIMES, texts
from memwrap.items import Item, arguments_of

__all__ = ["Decoder"]

# How many members of a set or keys of a dict may have one hash: more are no accident.
_ALIKE = 32


class Decoder:
    """Decodes one template, and counts the characters that its references add up to."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._spent = 0
        self._budget: int | None = None
        self._parts: dict[tuple[int, int], str] = {}  # each end of a text, sliced once

    def decode(self, template: Any) -> Any:
        """Return the value of a template."""
        kind = type(template)
        if kind is list:
            return [self.decode(value) for value in template]
        if kind is not dict:
            return template
        for tag in template:
            if tag.startswith("$"):
                if tag in OF_TAG:
                    return OF_TAG[tag](self.decode(template[tag]))
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
        self._spend((JSON_TIMES - 1) * len(text))
        return json.loads(text)

    def arguments(self, index: int) -> dict[str, Any] | None:
        """Return the arguments of the call at *index*, as older templates refer to it."""
        self._spend(JSON_TIMES * len(str(self._items[index].get("arguments"))))
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
        if self._spent > AT_LEAST:
            if self._budget is None:
                self._budget = TIMES * sum(len(text) for text, _ in texts(self._items, []))
            if self._spent > self._budget:
                raise ValueError("the references add up to far more than the items")


_WITH_ITEMS: dict[str, Callable[[Decoder, dict[str, Any]], Any]] = {
    "$": lambda d, t: d.text(t["$"], t.get("$from", 0)),
    "$json": lambda d, t: d.parsed(t["$json"]),
    "$args": lambda d, t: d.arguments(t["$args"]),
    "$dict": lambda d, t: d.pairs(t["$dict"]),
    "$tuple": lambda d, t: tuple(d.decode(t["$tuple"])),
    "$set": lambda d, t: set(d.members(t["$set"])),
    "$frozenset": lambda d, t: frozenset(d.members(t["$frozenset"])),
}
