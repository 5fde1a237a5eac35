"""Run a handler for one turn: `call` for one event, `stream` for many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from memwrap.context import UNSET, Scope, scope
from memwrap.exceptions import TurnError
from memwrap.settle import settle
from memwrap.turn import Event, Handler, Turn

__all__ = ["call", "stream"]

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
        raise TurnError("a call sends one event; a layer sent none")
    return sent[0]


async def stream(handler: Handler, turn: Turn) -> AsyncGenerator[Event, None]:
    """Run *turn* in a task of its own and yield what it sends, in step with the consumer.

    Layers see one task and one context from their first line to their `finally`, whichever task
    the consumer pulls from, and however the consumer leaves. Context variables that the turn sets
    stay in the turn.
    """
    queue: asyncio.Queue[Event] = asyncio.Queue()

    async def send(event: Event) -> None:
        if task.done():
            raise TurnError("a layer sent an event after the end of the turn")
        if turn.run.is_stopped:
            # The agent swallowed the cancellation and goes on sending, but nobody listens.
            raise asyncio.CancelledError
        queue.put_nowait(event)
        await queue.join()  # go on when the consumer asks for the next

    async def run() -> None:
        scope.set(Scope(turn, UNSET))
        try:
            await handler(turn, send)
        finally:
            queue.put_nowait(_END)

    task = asyncio.create_task(run())
    _turns.add(task)
    task.add_done_callback(_turns.discard)
    try:
        while (event := await queue.get()) is not _END:
            yield event
            queue.task_done()
    finally:
        turn.run.is_stopped = True
        await _finish(task)


async def _finish(task: asyncio.Task[None]) -> None:
    """Cancel *task* if it still runs, wait until it has unwound, and raise what it raised."""
    cancelled = task.cancel()
    interruption = await settle(task)
    if cancelled and task.cancelled():
        if interruption is not None:
            raise interruption
        return
    if interruption is not None:
        task.exception()  # seen: the cancellation is what the caller gets
        raise interruption
    task.result()
