"""The lists of a turn that layers and agents change: what hooks take, and what was recorded."""

from __future__ import annotations

from typing import NamedTuple

from memwrap.items import Item

__all__ = ["Kept", "Recorded", "View"]


class View(NamedTuple):
    """What the agent is about to see.

    Attributes:
        history: The stored past.
        input: The caller's input.
    """

    history: list[Item]
    input: list[Item]


class Kept(NamedTuple):
    """What is about to be stored.

    Attributes:
        input: The caller's input.
        new_items: What the agent added.
    """

    input: list[Item]
    new_items: list[Item]


class Recorded(list[Item]):
    """Items that the agent recorded itself, among the events it sent."""
