"""How far a turn has got in its chain, and what a layer begins with that tries again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from memwrap.exceptions import TurnError

__all__ = ["OUTSIDE", "Entry", "Place", "begin_again", "forgot_send", "nothing_sent"]


class Place:
    """Where a layer stands in the chain, or the agent, which is the innermost.

    Attributes:
        level: 0 is the outermost layer.
        name: That of the layer; empty for the agent.
    """

    __slots__ = ("level", "name")

    def __init__(self, level: int, name: str) -> None:
        self.level = level
        self.name = name


OUTSIDE = Place(-1, "")
"""Where a turn is before it enters the outermost layer."""


class Entry(NamedTuple):
    """What a turn had when it entered a place.

    Attributes:
        before_agent: How many functions there were.
        before_save: How many functions there were.
        events: How many events had been collected.
        name: The name of the layer that the turn came from.
    """

    before_agent: int = 0
    before_save: int = 0
    events: int = 0
    name: str = ""


_EMPTY = Entry()


def begin_again(
    hooks: tuple[list[Any], list[Any]], entries: Mapping[int, Entry], last: int, level: int
) -> tuple[Entry, dict[int, Entry]]:
    """Take out of *hooks* what was appended on the way from a level to the last one entered.

    What was appended after that is the doing of the layer that tries again.

    Returns:
        What the turn had when it entered the level first, and the entries before that.
    """
    begin, end = entries.get(level, _EMPTY), entries.get(last, _EMPTY)
    del hooks[0][begin.before_agent : end.before_agent]
    del hooks[1][begin.before_save : end.before_save]
    return begin, {key: entry for key, entry in entries.items() if key < level}


def nothing_sent(place: Place) -> TurnError:
    """Return the error for a turn in which no layer sent an event, by the last place entered."""
    if place.name:
        return TurnError(
            f"a layer sent none of its events: {place.name} neither called its handler nor sent an"
            " event; a layer does `await handler(turn, send)`, or `await send(...)` in its place"
        )
    return TurnError(
        "a call sends one event; a layer sent none: one that takes the agent's event has to send"
        " it on, or another"
    )


def forgot_send(place: Place) -> TurnError:
    """Return the error for a layer that called its handler without ``send``."""
    return TurnError(
        f"the layer {place.name} called handler(turn); a handler takes two arguments:"
        " `await handler(turn, send)`"
    )
