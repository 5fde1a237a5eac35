"""Synchronous agents: the turn runs on a private event loop, the agent in its caller's thread.

The loop has a thread of its own, started by the first synchronous turn and shared by all, so that
back ends stay open between calls and timers run while an agent works. The agent itself is called
where it always was, in a thread without a running loop: it may use ``asyncio.run`` itself, or call
another synchronous agent.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias

from memwrap.bridge import call
from memwrap.context import UNSET, Scope, scope
from memwrap.exceptions import ConfigurationError, TurnError
from memwrap.turn import Turn
from memwrap.types import Event, Handler

__all__ = ["Caller", "sync_call", "sync_stream", "wait_for"]

_EXIT_SECONDS = 5.0

Outcome: TypeAlias = tuple[Any, BaseException | None]


class Caller:
    """The calling thread, as the turn on the private loop sees it.

    Attributes:
        inbox: What the thread is to do next.
        ended: Whether the turn has ended.
        gone: Whether the thread does nothing any more, since the interpreter ends.
    """

    def __init__(self) -> None:
        self.inbox: SimpleQueue[Callable[[], None] | _Sent | _Ended] = SimpleQueue()
        self.ended = False
        self.gone = False

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


class _Portal:
    """A thread that runs an event loop until the interpreter ends.

    Attributes:
        lost: Whether this process is a fork, which has the object but not the thread.
    """

    def __init__(self) -> None:
        self.lost = False
        self._turns: dict[asyncio.Task[None], Caller] = {}
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._main, args=(ready,), name="memwrap-portal", daemon=True
        )
        self._thread.start()
        ready.wait()

    def _main(self, ready: threading.Event) -> None:
        with asyncio.Runner() as runner:  # closes what is open on the loop when it ends
            self._stop = asyncio.Event()
            self._loop = runner.get_loop()
            self._loop.call_soon(ready.set)
            runner.run(self._stop.wait())

    def start(
        self, main: Callable[[], Coroutine[Any, Any, None]], caller: Caller
    ) -> Callable[[], None]:
        """Start ``main()`` as a task in the caller's context; return what cancels it."""
        context = copy_context()
        tasks: list[asyncio.Task[None]] = []

        def begin() -> None:
            task = self._loop.create_task(main(), context=context)
            tasks.append(task)
            self._turns[task] = caller  # or the collector might take it: the loop does not hold it
            task.add_done_callback(self._turns.pop)

        def cancel() -> None:
            tasks[0].cancel()

        def stop() -> None:
            if not caller.ended:
                self._loop.call_soon_threadsafe(cancel)

        self._loop.call_soon_threadsafe(begin)
        return stop

    def wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run *work* on the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def is_here(self) -> bool:
        """Tell whether the running thread is the portal's own."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """End the loop and wait for its thread, though not for ever."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(_EXIT_SECONDS)

    def _end(self) -> None:
        for caller in self._turns.values():
            caller.gone = True  # its thread is the one that waits in `close`, or a daemon
        self._stop.set()


_portal: _Portal | None = None
_guard = threading.Lock()


def _open() -> _Portal:
    global _portal  # noqa: PLW0603
    with _guard:
        if _portal is None:
            _portal = _Portal()
            atexit.register(_portal.close)
        return _portal


def _forget() -> None:
    global _portal, _guard
    if _portal is not None:
        _portal.lost = True
        atexit.unregister(_portal.close)
    _portal, _guard = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def wait_for(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run ``work()`` on the private loop, and wait for its result in this thread.

    Raises:
        ConfigurationError: This is the private loop's own thread, which would wait for itself.
    """
    portal = _open()
    if portal.is_here():
        raise ConfigurationError(
            "a synchronous method of a session's history was called where turns of synchronous"
            " agents run; use its asynchronous one (aget_messages, aadd_messages, aclear)"
        )
    return portal.wait_for(work())


def sync_call(handler: Handler, turn: Turn) -> Event:
    """Run *turn* to its end and return the one event it sent, as `bridge.call` does."""

    async def main(caller: Caller) -> None:
        await caller.send(await call(handler, turn))

    (event,) = _drive(main, turn)
    return event


def sync_stream(handler: Handler, turn: Turn) -> Generator[Event, None, None]:
    """Run *turn* and yield what it sends, in step with the consumer, as `bridge.stream` does."""

    async def main(caller: Caller) -> None:
        scope.set(Scope(turn, UNSET))
        await handler(turn, caller.send)

    return _drive(main, turn)


def _drive(
    main: Callable[[Caller], Coroutine[Any, Any, None]], turn: Turn
) -> Generator[Event, None, None]:
    """Do in this thread what the turn asks for, until it ends."""
    caller = turn.caller = Caller()

    async def guarded() -> None:
        error: BaseException | None = None
        try:
            await main(caller)
        except BaseException as exc:  # noqa: BLE001  (raised again, in the caller's thread)
            error = exc
        caller.ended = True
        caller.inbox.put(_Ended(error))

    portal = _open()
    cancel = portal.start(guarded, caller)
    interruption: BaseException | None = None
    ended: _Ended | None = None
    while ended is None and not portal.lost:
        try:
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
            if portal.is_here():
                # The collector dropped the generator in this thread of all, which must not wait.
                threading.Thread(target=_unwind, args=(caller, cancel), daemon=True).start()
                return
    if (error := _error(ended, interruption)) is not None:
        raise error


def _error(ended: _Ended | None, interruption: BaseException | None) -> BaseException | None:
    """Return what the caller gets to see of how the turn ended and what made it stop early."""
    if interruption is not None and not isinstance(interruption, GeneratorExit):
        return interruption
    if ended is None:
        if interruption is not None:
            return None
        return TurnError("the turn began before this process was forked, and cannot go on here")
    if interruption is not None and isinstance(ended.error, asyncio.CancelledError):
        return None
    return ended.error


def _unwind(caller: Caller, cancel: Callable[[], None]) -> None:
    """Do in this thread what a cancelled turn still asks for."""
    while not isinstance(message := caller.inbox.get(), _Ended):
        if isinstance(message, _Sent):
            cancel()  # a layer swallowed the cancellation
        else:
            message()


def _settle(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
