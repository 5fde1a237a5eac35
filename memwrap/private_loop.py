"""One thread with an event loop, which all callers without a loop share."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.forks import in_child

__all__ = ["PrivateLoop", "private_loop", "wait_for"]

_EXIT_SECONDS = 5.0


class PrivateLoop:
    """A thread that runs an event loop until the interpreter ends.

    Attributes:
        lost: Whether the process has been forked, and this object is the copy without a thread.
    """

    def __init__(self) -> None:
        self.lost = False
        self._on_end: dict[asyncio.Task[None], Callable[[], None]] = {}
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

    def prepare(
        self,
        main: Callable[[], Coroutine[Any, Any, None]],
        on_done: Callable[[], None],
        on_end: Callable[[], None],
    ) -> tuple[Callable[[], None], Callable[[], None]]:
        """Return functions that start ``main()`` as a task in the caller's context, and cancel it.

        Args:
            main: The work.
            on_done: Called when the work is over, also if it was cancelled before it began.
            on_end: Called if the loop ends before the work does.
        """
        context = copy_context()
        tasks: list[asyncio.Task[None]] = []

        def create() -> None:
            task = self._loop.create_task(main(), context=context)
            tasks.append(task)
            # Kept here, or the collector might take the task: an event loop does not hold it.
            self._on_end[task] = on_end
            task.add_done_callback(self._on_end.pop)
            task.add_done_callback(lambda _: on_done())

        def cancel() -> None:
            if tasks:
                tasks[0].cancel()
            else:
                on_done()

        def start() -> None:
            self._loop.call_soon_threadsafe(create)

        def stop() -> None:
            with suppress(RuntimeError):  # the loop has ended, and the task with it
                self._loop.call_soon_threadsafe(cancel)

        return start, stop

    def wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run *work* on the loop and return its result."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # the waiting thread was interrupted, and nobody wants the result
            raise

    def is_here(self) -> bool:
        """Tell whether the running thread is the loop's own."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """End the loop, and wait a few seconds for its thread."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(_EXIT_SECONDS)

    def _end(self) -> None:
        for on_end in self._on_end.values():
            on_end()
        self._stop.set()


_loop: PrivateLoop | None = None
_guard = threading.Lock()


def private_loop() -> PrivateLoop:
    """Return the one private loop of this process; the first call starts it."""
    global _loop  # noqa: PLW0603
    with _guard:
        if _loop is None:
            _loop = PrivateLoop()
            atexit.register(_loop.close)
        return _loop


@in_child
def _forget() -> None:
    global _loop, _guard
    if _loop is not None:
        _loop.lost = True
        atexit.unregister(_loop.close)
    _loop, _guard = None, threading.Lock()


def wait_for(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run ``work()`` on the private loop, and wait for its result in this thread.

    Raises:
        ConfigurationError: This is the private loop's own thread, which would wait for itself.
    """
    loop = private_loop()
    if loop.is_here():
        raise ConfigurationError(
            "a synchronous method was called where turns of synchronous agents run, which would"
            " wait for itself; use the asynchronous method of that name"
        )
    return loop.wait_for(work())
