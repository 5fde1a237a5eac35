"""The trust boundary: input may come from a stranger, so hidden data in it is not believed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from memwrap.hidden.data import PROVIDER_DATA, without_hidden
from memwrap.items import Item

__all__ = ["Replayed", "received", "replayed"]


# The keys under which responses, and the events of their streams, hold items.
_NESTED = frozenset({"item", "output", "response"})


class Replayed(list[Item]):
    """Items that a program read from a session, so that their hidden data is trusted."""


def replayed(items: Iterable[Item]) -> Replayed:
    """Mark stored items that are passed as input again, so that their hidden data counts.

    Hidden data in any other input is dropped: it restores messages, and may come from a stranger.

    Args:
        items: Items of a session, such as those that ``get_items()`` or `undo` returned.
    """
    return Replayed(items)


def received(input: Any) -> Any:
    """Return what a caller passed, without hidden data of memwrap's own in its items."""
    if isinstance(input, Replayed):
        return list(input)
    if isinstance(input, dict):
        for name in _NESTED & input.keys():
            input = {**input, name: received(input[name])}
        return without_hidden([input])[0] if PROVIDER_DATA in input else input
    if isinstance(input, (list, tuple)) and any(map(_has_hidden, input)):
        return [received(member) for member in input]
    return input


def _has_hidden(member: Any) -> bool:
    if isinstance(member, dict):
        return PROVIDER_DATA in member or bool(_NESTED & member.keys())
    return isinstance(member, (list, tuple)) and any(map(_has_hidden, member))
