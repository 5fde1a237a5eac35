"""What of a conversation a format does not keep: what is written is read again and compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from memwrap.formats.conversation import Conversation
from memwrap.hidden.data import PROVIDER_DATA
from memwrap.items import Item
from memwrap.shapes import is_known_shape, shape_of

__all__ = ["differences"]


def differences(before: Conversation, after: Conversation) -> list[str]:
    """Return a sentence for each kind of difference, without any content.

    Args:
        before: The conversation.
        after: The same, written and read again.
    """
    return [
        *_of_items(before.items, after.items),
        *_of_turns(before, after),
        *_known(before, after),
    ]


def _of_items(before: Sequence[Item], after: Sequence[Item]) -> Iterator[str]:
    if before == after:
        return
    old, new = _by_kind(before), _by_kind(after)
    for kind, items in old.items():
        others = new.get(kind, [])
        if len(others) != len(items):
            yield f"{_number(items, kind)} become {len(others)}"
            continue
        changed = Counter(
            key
            for item, other in zip(items, others, strict=True)
            for key in item.keys() | other.keys()
            if item.get(key) != other.get(key)
        )
        for key, count in sorted(changed.items()):
            yield f"the {_key(key)} of {count} of {_number(items, kind)} is not the same"
    for kind in new.keys() - old.keys():
        yield f"{_number(new[kind], kind)} are new"
    if [*map(_kind, before)] != [*map(_kind, after)] and all(
        len(old[kind]) == len(new.get(kind, ())) for kind in old
    ):
        yield "the order of items is not the same"


def _of_turns(before: Conversation, after: Conversation) -> Iterator[str]:
    if len(before.turns) > len(after.turns):
        left = len(before.turns) - len(after.turns)
        yield f"{left} of {len(before.turns)} turns, with their times, ids and usage, are left out"


def _known(before: Conversation, after: Conversation) -> Iterator[str]:
    for name in ("title", "tags", "owner", "metadata", "parent", "usage"):
        value = getattr(before.info, name, None)
        if value and getattr(after.info, name, None) != value:
            yield f"what the conversation has as {name} is left out"
    if before.id != after.id:
        yield "the id of the conversation is left out"


def _by_kind(items: Iterable[Item]) -> dict[str, list[Item]]:
    kinds: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        kinds[_kind(item)].append(item)
    return kinds


def _kind(item: Item) -> str:
    """Return what an item is called; a stranger's own words are not repeated."""
    shape = shape_of(item)
    if not is_known_shape(shape):
        return "other items"
    return f"messages of the role {shape}" if item.get("role") else f"items of the type {shape}"


def _number(items: Sequence[Item], kind: str) -> str:
    return f"{len(items)} {kind}"


def _key(key: str) -> str:
    """Return how a field is called in a sentence; a stranger's own words are not repeated."""
    if key == PROVIDER_DATA:
        return "hidden data"
    return f"`{key}`" if key in _KEYS else "other fields"


_KEYS = frozenset(
    {
        *("id", "type", "role", "content", "status", "name", "arguments", "call_id", "output"),
        *("summary", "encrypted_content", "input", "phase", "namespace"),
    }
)
