"""Events of streams, added up to messages: the one interface of all accumulators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Accumulator", "added_up"]

E_contra = TypeVar("E_contra", contravariant=True)
M_co = TypeVar("M_co", covariant=True)


class Accumulator(Protocol[E_contra, M_co]):
    """Adds the events of one or several streams up; whole messages may be among them."""

    def add(self, event: E_contra, /) -> Iterable[M_co]:
        """Take an event; return the messages that are whole with it."""
        ...

    def rest(self) -> Iterable[M_co]:
        """Return what an unfinished message has said: the stream has ended, or was left early."""
        ...


def added_up(events: Iterable[E_contra], to: Accumulator[E_contra, M_co]) -> Iterator[M_co]:
    """Yield the messages that events add up to, in their order."""
    for event in events:
        yield from to.add(event)
    yield from to.rest()
