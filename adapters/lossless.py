"""The one mechanism that keeps conversions exact.

A dialect says five things of its messages (`Shape`). Items show what a message says; what they do
not show goes into a sidecar beside them. A sidecar may add to what the items show, and never
replace it: it counts only while the message that it restores shows these very items, by its own
fields. Of edited items the message is made anew, with what identifies it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from memwrap.adapters.projection import Target
from memwrap.adapters.targets import SAME
from memwrap.hidden.comparison import digest, equal
from memwrap.hidden.data import without_hidden
from memwrap.hidden.sidecar import (
    Sidecar,
    bare,
    has_sidecar,
    hide,
    is_of,
    spans,
    with_a_place,
)
from memwrap.hidden.template import decode
from memwrap.items import Item

__all__ = ["Group", "Lossless", "Shape"]

M = TypeVar("M")


class Group(list[Item]):
    """Items of one message.

    Attributes:
        types: The types of the items.
    """

    def __init__(self) -> None:
        super().__init__()
        self.types: set[str] = set()

    def add(self, item: Item) -> None:
        """Append an item."""
        self.append(item)
        kind = item.get("type", "message")
        self.types.add(kind if isinstance(kind, str) else "")


class Shape(Protocol[M]):
    """What a dialect says of its messages; pure and synchronous.

    Attributes:
        name: The name under which sidecars lie in ``provider_data``.
        identity: The keys of a dump that identify a message, and outlive an edit of what it says.
        unsaid: Keys of a dump that no item says: a message that has one needs a sidecar.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def identity(self) -> Collection[str]: ...  # noqa: D102
    @property
    def unsaid(self) -> Collection[str]: ...  # noqa: D102

    def dump(self, message: M, /) -> dict[str, Any]:
        """Return all that a message holds, but for what goes without saying."""
        ...

    def load(self, data: dict[str, Any], /) -> M:
        """Return the message of a dump.

        Raises:
            Exception: Any, if nobody dumped it.
        """
        ...

    def show(self, message: M, /) -> list[Item]:
        """Return the items that say what a message says; at least one."""
        ...

    def say(self, items: Sequence[Item], target: Target, identity: Mapping[str, Any], /) -> M:
        """Return the message of one group of items, for a reader, with what identifies it."""
        ...

    def joins(self, item: Item, group: Group, target: Target, /) -> bool:
        """Tell whether *item* belongs to the message of the items before it."""
        ...


class Lossless(Generic[M]):
    """Converts messages of one dialect exactly, there and back, for any slice of a conversation."""

    def __init__(self, shape: Shape[M]) -> None:
        self._shape = shape

    # Messages to items

    def to_items(self, messages: Iterable[M], before: Sequence[Item] = ()) -> list[Item]:
        """Return the items of messages; *before* as in `message_to_items`."""
        items: list[Item] = []
        for message in messages:
            before = self.message_to_items(message, before)
            items += before
        return items

    def message_to_items(self, message: M, before: Sequence[Item] = ()) -> list[Item]:
        """Return the items of a message, with a sidecar if they do not say all of it.

        Args:
            message: The message.
            before: Items of the message before. If both would read back as one message, a sidecar
                keeps them apart.
        """
        items = self._shape.show(message)
        data = self._shape.dump(message)
        if not self._is_said(data, items):
            return self._hidden(data, items)
        if before and not has_sidecar(before, self._shape.name):
            together = [*before, *items]
            if sum(1 for _ in self.groups(together)) == 1:
                return self._hidden(data, items)
        return items

    def _is_said(self, data: dict[str, Any], items: list[Item]) -> bool:
        """Tell whether the items alone give the message of a dump again."""
        if not data.keys().isdisjoint(self._shape.unsaid):
            return False
        groups = list(self.groups(items))
        if len(groups) != 1:
            return False
        said = self._shape.say(groups[0], SAME, {})
        return _are_same(self._shape.dump(said), data)

    def _hidden(self, data: dict[str, Any], items: list[Item]) -> list[Item]:
        """Return the items of a dumped message with its sidecar."""
        identity = {key: data.pop(key) for key in self._shape.identity if key in data}
        return hide(items, self._shape.name, identity=identity, data=data)

    # Items to messages

    def from_items(
        self, items: Sequence[Item], *, target: Target = SAME, is_slice: bool = True
    ) -> Iterator[M]:
        """Yield the messages of a conversation's items, or of any slice of them.

        Args:
            items: The items.
            target: Who reads the messages.
            is_slice: The items may start in mid-conversation. Then a sidecar that only separates
                the first message from its predecessor is left out.
        """
        rest: list[Item] = []
        place = 0
        items, whole = spans(items, self._shape.name)
        while place < len(items):
            if place not in whole:
                rest.append(items[place])
                place += 1
                continue
            end, sidecar = whole[place]
            is_cut = is_slice and place == 0
            restored = self._restored(sidecar, items[place:end], target, is_cut=is_cut)
            if restored is None:
                rest += bare(items[place:end], self._shape.name)
            else:
                yield from self.said(rest, target)
                rest = []
                yield restored
            place = end
        yield from self.said(rest, target)

    def said(self, items: Iterable[Item], target: Target) -> Iterator[M]:
        """Yield the messages of items that have no sidecar."""
        for group in self.groups(items, target):
            yield self._shape.say(group, target, {})

    def groups(self, items: Iterable[Item], target: Target = SAME) -> Iterator[Group]:
        """Part items into those that make one message each."""
        group = Group()
        for item in items:
            if group and not self._shape.joins(item, group, target):
                yield group
                group = Group()
            group.add(item)
        if group:
            yield group

    def _restored(
        self, sidecar: Sidecar, items: list[Item], target: Target, *, is_cut: bool
    ) -> M | None:
        """Return the message of items with a sidecar; None if they say it without."""
        visible = bare(items, self._shape.name)
        message = self._loaded(sidecar, visible) if target.restores else None
        if message is None:
            return self._identified(sidecar, visible, target)
        if is_cut and not has_sidecar(self.message_to_items(message), self._shape.name):
            # This sidecar only separated the message from its predecessor, which is not part of
            # the slice.
            return self._shape.say(items, target, {})
        return message

    def _loaded(self, sidecar: Sidecar, visible: list[Item]) -> M | None:
        """Return the message of a sidecar if it shows what can be seen, and nothing else."""
        if not is_of(sidecar, visible, self._shape.name):
            return None
        try:
            seen = without_hidden(visible)
            data = decode(sidecar.data, seen)
            message = self._shape.load(self._identity(sidecar) | data)
            return message if self._shows(message, seen) else None
        except Exception:  # noqa: BLE001  (nobody knows what stands in a store)
            return None

    def _identified(self, sidecar: Sidecar, visible: list[Item], target: Target) -> M | None:
        """Return the message that edited items say, with what identifies the one they were."""
        try:
            message = self._shape.say(visible, target, self._identity(sidecar))
            return message if self._shows(message, without_hidden(visible)) else None
        except Exception:  # noqa: BLE001  (nobody knows what stands in a store)
            return None

    def _identity(self, sidecar: Sidecar) -> dict[str, Any]:
        """Return what identifies a message, without what is damaged of it."""
        known = {key: sidecar.id[key] for key in self._shape.identity if key in sidecar.id}
        if all(type(value) is str for value in known.values()):
            return known
        identity: dict[str, Any] = {}
        for key, value in known.items():
            with suppress(ValueError):
                identity[key] = decode(value, ())
        return identity

    def _shows(self, message: M, seen: list[Item]) -> bool:
        """Tell whether a message shows these items, by its own fields."""
        shown, _ = with_a_place(without_hidden(self._shape.show(message)))
        return shown == seen or digest(shown) == digest(seen)  # a tuple in a message is a list


def _are_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether dumps are equal; an object that equals anything is not."""
    return one.keys() == other.keys() and all(
        type(value) is type(other[key]) and equal(value, other[key]) for key, value in one.items()
    )
