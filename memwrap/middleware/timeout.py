"""Stop an agent that takes too long."""

from __future__ import annotations

import asyncio
import math

from memwrap.checks import check_positive
from memwrap.exceptions import TurnTimeout
from memwrap.turn import Event, Handler, Send, Turn

__all__ = ["Timeout"]


class Timeout:
    """Stop the agent when it takes too long; nothing is stored then.

    The time in which the caller of a stream does not ask for the next event does not count. An
    agent that is a plain function cannot be stopped: it runs on to its end in its thread, and what
    it returns is not used.

    Args:
        seconds: How long the agent may take in all.
        first_event: How long it may take to its first event, or the result of a call.
        between_events: How long it may take from one event to the next, or to the end.

    Raises:
        ConfigurationError: An option is no number above 0.
    """

    def __init__(
        self,
        seconds: float,
        *,
        first_event: float | None = None,
        between_events: float | None = None,
    ) -> None:
        check_positive("Timeout", "seconds", seconds)
        for name, value in (("first_event", first_event), ("between_events", between_events)):
            if value is not None:
                check_positive("Timeout", name, value)
        self.seconds = seconds
        self.first_event = first_event
        self.between_events = between_events

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn.

        Raises:
            TurnTimeout: The agent took too long.
        """
        watch = _Watch(self.seconds)

        async def forward(event: Event) -> None:
            watch.pause()
            await send(event)
            watch.go_on(self.between_events)

        try:
            async with asyncio.timeout(None) as watch.limit:
                watch.go_on(self.first_event)
                try:
                    await handler(turn, forward)
                finally:
                    watch.stop()
        except TimeoutError:
            if not watch.limit.expired():
                raise  # the agent's own
        else:
            return
        raise TurnTimeout(f"session {turn.session_id!r}: {self._problem(watch)}")

    def _problem(self, watch: _Watch) -> str:
        if not watch.is_gap:
            return f"the agent took longer than Timeout(seconds={self.seconds:g})"
        if watch.events:
            return f"the agent sent nothing for Timeout(between_events={self.between_events:g})"
        return f"the agent sent nothing within Timeout(first_event={self.first_event:g})"


class _Watch:
    """The time that is left to an agent; one timer for a whole turn, however many events it has.

    Attributes:
        limit: What cancels the turn.
        events: How many events have been sent.
        is_gap: Whether the time to the next event is over, rather than that for the whole turn.
    """

    limit: asyncio.Timeout

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds
        self._gap_end = math.inf
        self._paused: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.events = 0
        self.is_gap = False

    def pause(self) -> None:
        """Stop the time while the receiver has an event.

        Raises:
            CancelledError: The time is over, and the agent has gone on all the same.
        """
        if self.limit.expired():
            raise asyncio.CancelledError
        self._paused = self._loop.time()
        self.events += 1

    def go_on(self, gap: float | None) -> None:
        """Let the time go on, with that many seconds to the next event."""
        now = self._loop.time()
        if self._paused is not None:
            self._end += now - self._paused
            self._paused = None
        self._gap_end = math.inf if gap is None else now + gap
        due = min(self._end, self._gap_end)
        if self._timer is None or self._timer.when() > due:
            self.stop()
            self._timer = self._loop.call_at(due, self._look)

    def stop(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._paused is not None:
            return
        due = min(self._end, self._gap_end)
        if due > self._loop.time():
            self._timer = self._loop.call_at(due, self._look)
            return
        self.is_gap = self._gap_end < self._end
        self.limit.reschedule(self._loop.time())
