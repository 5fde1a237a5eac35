"""Synchronous agents: the turn runs on a private event loop, the agent in its caller's thread.

All synchronous turns share the loop, so that back ends stay open between calls and timers run
while an agent works. No loop runs in the thread that calls the agent: an agent may use
``asyncio.run``, or call another synchronous agent.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias

from memwrap.attempts import nothing_sent
from memwrap.context import UNSET, Scope, scope
from memwrap.exceptions import TurnError
from memwrap.private_loop import private_loop
from memwrap.tasks import call
from memwrap.turn import Event, Handler, Turn

__all__ = ["CallingThread", "sync_call", "sync_stream"]

Outcome: TypeAlias = tuple[Any, BaseException | None]


class CallingThread:
    """The calling thread, as the turn on the private loop sees it.

    Attributes:
        inbox: What the thread is to do next.
        ended: Whether the turn has ended.
        gone: Whether the interpreter ends, and the thread takes no more work.
    """

    def __init__(self) -> None:
        self.inbox: SimpleQueue[Callable[[], None] | _Sent | _Ended] = SimpleQueue()
        self.ended = False
        self.gone = False

    async def run(self, main: Callable[[CallingThread], Coroutine[Any, Any, None]]) -> None:
        """Run the turn, and tell the thread of its end."""
        error: BaseException | None = None
        try:
            await main(self)
        except BaseException as exc:  # noqa: BLE001  (raised again, in the caller's thread)
            error = exc
        self.ended = True
        self.inbox.put(_Ended(error))

    def over(self) -> None:
        """Tell the thread of the end of a turn that was cancelled before it began."""
        if not self.ended:
            self.ended = True
            self.inbox.put(_Ended(asyncio.CancelledError()))

    def leave(self) -> None:
        """Expect nothing of the thread any more: it waits for the loop's end, or is a daemon."""
        self.gone = True

    async def do(self, context: Context, function: Callable[..., Any], *args: Any) -> Any:
        """Call *function* in the calling thread, in *context*."""
        if self.gone:
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()
        work = partial(context.run, function, *args)

        def execute() -> None:
            outcome: Outcome
            try:
                outcome = work(), None
            except Exception as exc:  # noqa: BLE001  (raised again, in the turn)
                outcome = None, exc
            loop.call_soon_threadsafe(_settle, done, outcome)

        self.inbox.put(execute)
        result, error = await done
        if error is not None:
            raise error
        return result

    async def send(self, event: Event) -> None:
        """Hand *event* to the calling thread and wait until it asks for the next."""
        if self.ended:
            raise TurnError("a layer sent an event after the end of the turn")
        if self.gone:
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        taken: asyncio.Future[Outcome] = loop.create_future()

        def on_taken() -> None:
            loop.call_soon_threadsafe(_settle, taken, (None, None))

        self.inbox.put(_Sent(event, on_taken))
        await taken


class _Sent:
    """An event on its way to the caller."""

    def __init__(self, event: Event, taken: Callable[[], None]) -> None:
        self.event = event
        self.taken = taken


class _Ended:
    """The end of a turn."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def sync_call(handler: Handler, turn: Turn) -> Event:
    """Run *turn* to its end and return the one event it sent, as `tasks.call` does."""

    async def main(caller: CallingThread) -> None:
        await caller.send(await call(handler, turn))

    (event,) = _drive(main, turn)
    return event


def sync_stream(handler: Handler, turn: Turn) -> Generator[Event, None, Any]:
    """Run *turn* and yield what it sends, in step with the consumer, as `tasks.stream` does.

    Returns:
        What the agent's generator returned.
    """

    async def main(caller: CallingThread) -> None:
        scope.set(Scope(turn, UNSET))

        async def send(event: Event) -> None:
            turn.run.is_unread = True
            await caller.send(event)
            turn.run.is_unread = False

        await handler(turn, send)
        if turn.run.is_unread is None and turn.run.place.name:
            raise nothing_sent(turn.run.place)

    return _drive(main, turn)


def _drive(
    main: Callable[[CallingThread], Coroutine[Any, Any, None]], turn: Turn
) -> Generator[Event, None, Any]:
    """Do in this thread what the turn asks for, until the turn ends."""
    caller = turn.run.caller = CallingThread()

    loop = private_loop()
    start, cancel = loop.prepare(lambda: caller.run(main), caller.over, on_end=caller.leave)
    interruption: BaseException | None = None
    ended: _Ended | None = None
    has_begun = False
    while ended is None and not loop.lost:
        try:
            if not has_begun:  # within the try: whoever interrupts it waits for its end
                has_begun = True
                start()
            message = caller.inbox.get()
            if isinstance(message, _Ended):
                ended = message
            elif callable(message):
                message()
            elif interruption is None:
                yield message.event
                message.taken()
            else:
                cancel()  # a layer swallowed the first cancellation and sends on
        except BaseException as exc:  # noqa: BLE001  (the consumer left, or Ctrl-C: unwind first)
            interruption = exc
            cancel()
            if loop.is_here():
                # The collector dropped the generator in the loop's own thread, which cannot wait.
                threading.Thread(target=_unwind, args=(caller, cancel), daemon=True).start()
                return None
    if (error := _error(ended, interruption)) is not None:
        raise error
    return turn.run.returned


def _error(ended: _Ended | None, interruption: BaseException | None) -> BaseException | None:
    """Return the error to raise in the caller: the interruption, or what the turn ended with."""
    if interruption is not None and not isinstance(interruption, GeneratorExit):
        return interruption
    if ended is None:
        if interruption is not None:
            return None
        return TurnError("the turn began before this process was forked, and cannot go on here")
    if interruption is not None and isinstance(ended.error, asyncio.CancelledError):
        return None
    return ended.error


def _unwind(caller: CallingThread, cancel: Callable[[], None]) -> None:
    """Do in this thread what a cancelled turn still asks for."""
    while not isinstance(message := caller.inbox.get(), _Ended):
        if isinstance(message, _Sent):
            cancel()  # a layer swallowed the cancellation
        else:
            message()


def _settle(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
