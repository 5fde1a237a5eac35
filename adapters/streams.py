"""Events of streams: added up to messages, and shown to their callers."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from memwrap.exceptions import ConversionError

__all__ = ["Accumulator", "Shown", "added_up", "failed_stream", "shown_by"]

E_contra = TypeVar("E_contra", contravariant=True)
M_co = TypeVar("M_co", covariant=True)
V = TypeVar("V")


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


def failed_stream(kind: object) -> ConversionError:
    """Return the error for an event that says that the API could not go on.

    Args:
        kind: What the API calls the failure.
    """
    name = f" ({kind})" if isinstance(kind, str) and kind.isidentifier() else ""
    return ConversionError(
        f"the stream has an event of the API's that says that it failed{name}, and so its answer is"
        " no whole one: raise an error when such an event comes, as the API's own client does"
    )


def shown_by(
    events: Generator[Any, None, None], show: Callable[[Any], Iterable[V]]
) -> Generator[V, None, None]:
    """Yield a remembered synchronous stream as its caller reads it; `Shown` is its twin.

    Args:
        events: The events as layers have sent them.
        show: Returns what the caller gets of an event.
    """
    with closing(events):
        for event in events:
            yield from show(event)


class _Stream(Protocol):
    def cancel(self) -> None: ...


class Shown(AsyncGenerator[V, None], Generic[V]):
    """A remembered stream as its caller reads it; any task may stop it.

    Args:
        events: The events as layers have sent them.
        show: Returns what the caller gets of an event.
    """

    def __init__(
        self, events: AsyncGenerator[Any, None], show: Callable[[Any], Iterable[V]]
    ) -> None:
        self._events = events
        self._show = show
        self._ready: deque[V] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> V:
        while not self._ready:
            self._ready.extend(self._show(await self._events.__anext__()))
        return self._ready.popleft()

    async def asend(self, value: None) -> V:  # noqa: ARG002
        """Go on, as `anext` does."""
        return await self.__anext__()

    async def athrow(self, *error: Any) -> V:
        """Raise an error where the caller reads."""
        self._ready.clear()
        self._ready.extend(self._show(await self._events.athrow(*error)))
        return await self.__anext__()

    def cancel(self) -> None:
        """Stop the run, without waiting for its end; whoever reads gets no more."""
        self._ready.clear()
        cast("_Stream", self._events).cancel()

    async def aclose(self) -> None:
        """Stop the run, and wait for its end; it is not stored, unless it has ended."""
        self._ready.clear()
        await self._events.aclose()
