"""Statements that wait for a connection, and those that one statement can do together.

With many turns in flight a server is busy with statements more than with rows. So who gets a
connection does what others wait for in the same statement, if that is of the same kind and for
other sessions.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

__all__ = ["Job", "Line", "Place"]

_MOST = 16  # what one statement does together: it takes a few milliseconds


class Job(NamedTuple):
    """What a statement is to do that others can be done with.

    Attributes:
        kind: The same for what can be done together.
        session: No statement changes the row of a session twice.
        values: The statement's parameters.
        together: Returns the statement for several jobs, and its parameters; the last column of
            its rows is the place of the job among them.
    """

    kind: Hashable
    session: str
    values: Sequence[Any]
    together: Callable[[Sequence[Sequence[Any]]], tuple[str, Sequence[Any]]]


class Place:
    """A place in the line of those who wait for a connection.

    Attributes:
        job: What others can do for it; None for nothing.
        given: A connection, rows if another has done the job, or None for the right to look
            again.
    """

    __slots__ = ("_timer", "given", "job")

    def __init__(self, job: Job | None, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self.job = job
        self.given: asyncio.Future[Any] = loop.create_future()
        self._timer = loop.call_later(seconds, self.fail, TimeoutError())

    def give(self, what: Any) -> bool:
        """Give something; return whether it was still waited for."""
        self.leave()
        if self.given.done():
            return False
        self.given.set_result(what)
        return True

    def fail(self, error: BaseException) -> None:
        """Let the waiting end with an error."""
        self.leave()
        if not self.given.done():
            self.given.set_exception(error)

    def leave(self) -> None:
        """Set no time to the waiting any more."""
        self._timer.cancel()


class Line:
    """Those who wait for a connection, in the order in which they came.

    Args:
        unused: Is called with what was given to somebody who had just gone.
    """

    def __init__(self, unused: Callable[[Any], None]) -> None:
        self._places: deque[Place] = deque()
        self._unused = unused

    def __bool__(self) -> bool:
        return bool(self._places)

    def give(self, what: Any) -> bool:
        """Give something to the first; return whether there was one."""
        while self._places:
            if self._places.popleft().give(what):
                return True
        return False

    async def wait(self, seconds: float, job: Job | None) -> tuple[Any, Job | None]:
        """Wait; return what was given, and the job if it may still be done by others.

        Raises:
            TimeoutError: Nothing was given for that long.
        """
        place = Place(job, seconds)
        self._places.append(place)
        try:
            return await place.given, place.job
        except BaseException:
            place.leave()
            if place in self._places:
                self._places.remove(place)
            elif place.given.done() and not (place.given.cancelled() or place.given.exception()):
                self._unused(place.given.result())  # it came all the same
            raise

    def take_others(self, job: Job) -> list[Place]:
        """Take out the places whose jobs can be done together with one."""
        others: list[Place] = []
        sessions, kept = {job.session}, deque[Place]()
        for place in self._places:
            other = place.job
            if (
                len(others) < _MOST - 1
                and other is not None
                and other.kind == job.kind
                and other.session not in sessions
                and not place.given.done()
            ):
                sessions.add(other.session)
                others.append(place)
            else:
                kept.append(place)
        self._places = kept
        return others
