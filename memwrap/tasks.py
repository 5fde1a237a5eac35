"""Run a handler for one turn: `call` for one event, `stream` for many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from types import AsyncGeneratorType, FunctionType
from typing import Any, Self, cast

from memwrap.attempts import nothing_sent
from memwrap.context import UNSET, Scope, scope
from memwrap.exceptions import TurnError
from memwrap.settle import settle
from memwrap.turn import Event, Handler, Turn

__all__ = ["Stream", "call", "call_named", "stream"]

_END = object()

# Keeps running turns alive, since an event loop holds its tasks weakly: a turn collected together
# with its stream, in a reference cycle, would not unwind.
_turns: set[asyncio.Task[None]] = set()


async def call(handler: Handler, turn: Turn) -> Event:
    """Run *turn* in the caller's task and return the one event it sent.

    Raises:
        TurnError: A layer sent no event, or more than one.
    """
    sent: list[Event] = []

    async def send(event: Event) -> None:
        if sent:
            raise TurnError("a call sends one event; a layer sent a second")
        sent.append(event)

    token = scope.set(Scope(turn, UNSET))
    try:
        await handler(turn, send)
    finally:
        try:  # noqa: SIM105  (which would slow each turn down)
            scope.reset(token)
        except ValueError:  # the task was collected, in some other context
            pass
    if not sent:
        raise nothing_sent(turn.run.place)
    return sent[0]


def call_named(name: str) -> Callable[[Handler, Turn], Coroutine[Any, Any, Event]]:
    """Return `call` under another name: a coroutine has the name of its function for good."""
    named = FunctionType(call.__code__, call.__globals__, name.rpartition(".")[2])
    named.__qualname__ = name
    return named


class Stream(AsyncGenerator[Event, None]):
    """The events of a turn, as its caller reads them. Any task may stop it."""

    def __init__(self, handler: Handler, turn: Turn) -> None:
        self._turn = turn
        events = _events_of(handler, turn)
        self._events = cast("AsyncGeneratorType[Event, None]", events)

    @property  # type: ignore[misc]  # callers look by it whether an agent is a stream
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return AsyncGeneratorType

    @property
    def ag_running(self) -> bool:
        """Whether a task waits for the next event."""
        return self._events.ag_running

    def __aiter__(self) -> Self:
        return self

    # Plain functions that hand on what the generator returns: an event costs no more for them.
    def __anext__(self) -> Coroutine[Any, Any, Event]:
        return self._events.__anext__()

    def asend(self, value: None) -> Coroutine[Any, Any, Event]:
        """Go on, as `anext` does."""
        return self._events.asend(value)

    def athrow(self, *error: Any) -> Coroutine[Any, Any, Event]:
        """Raise an error where the caller reads."""
        return self._events.athrow(*error)

    def cancel(self) -> None:
        """Stop the turn, without waiting for its end; whoever reads gets no more events."""
        self._turn.run.is_stopped = True
        if (task := self._turn.run.task) is not None:
            task.cancel()

    async def aclose(self) -> None:
        """Stop the turn, and wait until it has ended; whoever reads gets no more events."""
        if not self._events.ag_running:
            await self._events.aclose()
            return
        self.cancel()  # another task waits for the next event
        task = self._turn.run.task
        interruption = None if task is None else await settle(task)
        if interruption is not None:
            raise interruption


def stream(handler: Handler, turn: Turn) -> Stream:
    """Run *turn* in a task of its own and return what it sends, in step with the consumer.

    Layers see one task and one context from their first line to their `finally`, whichever task
    the consumer pulls from, and however the consumer leaves. Context variables that the turn sets
    stay in the turn.
    """
    return Stream(handler, turn)


async def _events_of(handler: Handler, turn: Turn) -> AsyncGenerator[Event, None]:
    if turn.run.is_stopped:
        return
    queue: asyncio.Queue[Event] = asyncio.Queue()
    has_ended = False

    async def send(event: Event) -> None:
        if has_ended:
            raise TurnError("a layer sent an event after the end of the turn")
        if turn.run.is_stopped:
            # The agent swallowed the cancellation and goes on sending, but nobody listens.
            raise asyncio.CancelledError
        queue.put_nowait(event)
        turn.run.is_unread = True
        await queue.join()  # go on when the consumer asks for the next
        turn.run.is_unread = False

    async def run() -> None:
        nonlocal has_ended
        scope.set(Scope(turn, UNSET))
        try:
            await handler(turn, send)
            if turn.run.is_unread is None and turn.run.place.name:
                raise nothing_sent(turn.run.place)
        finally:
            has_ended = True
            queue.put_nowait(_END)

    task = turn.run.task = asyncio.create_task(run())
    _turns.add(task)
    task.add_done_callback(_turns.discard)
    try:
        while (event := await queue.get()) is not _END:
            yield event
            queue.task_done()
    finally:
        is_stopped, turn.run.is_stopped = turn.run.is_stopped, True
        await _finish(task, is_stopped=is_stopped)


async def _finish(task: asyncio.Task[None], *, is_stopped: bool) -> None:
    """Cancel *task* if it still runs, wait until it has unwound, and raise what it raised.

    Args:
        task: That of the turn.
        is_stopped: Whether somebody else has stopped it: then its cancellation is nobody's error.
    """
    cancelled = task.cancel() or is_stopped
    interruption = await settle(task)
    if cancelled and task.cancelled():
        if interruption is not None:
            raise interruption
        return
    if interruption is not None:
        task.exception()  # seen: the cancellation is what the caller gets
        raise interruption
    task.result()
