"""The handler of a remembered run: it can be awaited, streamed and stopped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import aclosing
from typing import Any, Protocol, cast

from llama_index.core.workflow import Context, Event, StopEvent, WorkflowRuntimeError
from workflows.errors import WorkflowCancelledByUser
from workflows.events import WorkflowCancelledEvent

from memwrap.adapters.llama_index.rebuilt import events_of
from memwrap.adapters.llama_index.run import RunOutput
from memwrap.exceptions import MemwrapError
from memwrap.memory.repeats import is_replay, note_replay
from memwrap.settle import settle

__all__ = ["RunHandler"]

# Keeps runs alive that nobody holds: an event loop holds its tasks weakly.
_runs: set[asyncio.Task[StopEvent]] = set()


class _Stream(Protocol):
    def cancel(self) -> None: ...


class RunHandler(Awaitable[Any]):
    """A run that is remembered, with all that a ``WorkflowHandler`` has.

    It runs from the beginning on, in step with whoever reads its events, and is stored before it
    ends: before the ``StopEvent``, and before it has been awaited. To leave its events early, to
    cancel it, or to cancel who awaits it stops it, and it is not stored.

    Attributes:
        ctx: The framework's context of the run.
        run_id: The framework's id of the run.
    """

    def __init__(self, events: AsyncGenerator[Any, None], ctx: Context[Any], run_id: str) -> None:
        self.ctx = ctx
        self.run_id = run_id
        self._events = events
        self._told: deque[Event] = deque()
        self._news = asyncio.Event()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._is_read = False
        self._is_consumed = False
        self._is_cancelled = False
        self._stop_event: StopEvent | None = None
        self._last: StopEvent | None = None  # what a stream ends with
        self._task = asyncio.get_running_loop().create_task(self._run())
        _runs.add(self._task)
        self._task.add_done_callback(self._end)

    async def _run(self) -> StopEvent:
        async with aclosing(self._events):
            async for event in self._events:
                if isinstance(event, RunOutput):
                    if is_replay(event):  # a new run has told its own
                        note_replay(event.native)
                        self._told.extend(events_of(event))
                    self._last = StopEvent(result=event.native)
                    continue
                if isinstance(event, StopEvent):
                    self._last = event
                    continue
                self._told.append(event)
                self._news.set()
                if self._is_cancelled:
                    break
                if self._is_read:
                    self._wanted.clear()
                await self._wanted.wait()
        if self._last is None or self._is_cancelled:
            raise WorkflowCancelledByUser
        return self._last

    def _end(self, task: asyncio.Task[StopEvent]) -> None:
        _runs.discard(task)
        self._news.set()
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._stop_event = task.result()
        elif isinstance(error, (asyncio.CancelledError, WorkflowCancelledByUser)):
            self._last = self._stop_event = WorkflowCancelledEvent()
        elif type(self._last) is StopEvent:
            self._last = None  # the run ended well, and could not be stored

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._result().__await__()

    async def _result(self) -> Any:
        stop_event = await self.stop_event_result()
        return stop_event.result if type(stop_event) is StopEvent else stop_event

    async def stop_event_result(self) -> StopEvent:
        """Wait for the end of the run and return its stop event."""
        self._is_read = False  # nobody need read the events
        self._wanted.set()
        return await self._task

    def get_stop_event(self) -> StopEvent | None:
        """Return the stop event; None until the run has ended."""
        return self._stop_event

    def is_done(self) -> bool:
        """Tell whether the run has ended."""
        return self._task.done()

    async def stream_events(self, expose_internal: bool = False) -> AsyncGenerator[Event, None]:  # noqa: ARG002
        """Yield the framework's events; a run can be streamed once.

        Args:
            expose_internal: The framework's option; no internal events are told here.

        Raises:
            WorkflowRuntimeError: All events have been read before.
            MemwrapError: The run could not be remembered.
        """
        if self._is_consumed:
            raise WorkflowRuntimeError("All the streamed events have already been consumed.")
        self._is_read = not self._task.done()
        try:
            while True:
                while self._told:
                    yield self._told.popleft()
                if self._task.done():
                    break
                self._news.clear()
                self._wanted.set()
                await self._news.wait()
            self._is_consumed = True
        finally:
            if not self._is_consumed:
                await self.cancel_run()
        self._raise_own()
        if self._last is not None:
            yield self._last

    def _raise_own(self) -> None:
        """Raise what memwrap has to tell; the framework's errors are for who awaits the run."""
        error = self.exception()
        if isinstance(error, MemwrapError):
            raise error

    async def cancel_run(self, *, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Stop the run, and wait for its end.

        Args:
            timeout: The framework's option; the end is waited for, as the session is free then.
        """
        self.cancel()
        if (interruption := await settle(self._task)) is not None:
            raise interruption

    def cancel(self) -> None:
        """Stop the run, without waiting for its end."""
        if self._task.done():
            return
        self._is_cancelled = True
        self._wanted.set()
        cast("_Stream", self._events).cancel()

    async def send_event(self, event: Event, step: str | None = None) -> None:
        """Send an event into the run, such as what a person answered."""
        self.ctx.send_event(event, step)

    def done(self) -> bool:
        """Tell whether the run has ended."""
        return self._task.done()

    def cancelled(self) -> bool:
        """Tell whether the run was stopped."""
        return isinstance(self._stop_event, WorkflowCancelledEvent)

    def exception(self) -> BaseException | None:
        """Return what the run has raised; None if it ended well, or has not ended."""
        is_over = self._task.done() and not self._task.cancelled()
        return self._task.exception() if is_over else None
