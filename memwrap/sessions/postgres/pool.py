"""Connections to one server on one event loop, lent out first come, first served."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar

from memwrap.exceptions import StoreError
from memwrap.sessions import loops
from memwrap.sessions.postgres.address import Address
from memwrap.sessions.postgres.connection import Connection, connect
from memwrap.sessions.postgres.failures import is_refused, is_unprepared, raised, sqlstate
from memwrap.sessions.postgres.jobs import Job, Line, Place
from memwrap.sessions.shared import SharedResource

__all__ = ["Pool", "pool_key"]

T = TypeVar("T")

_IDLE_SECONDS = 300.0  # firewalls drop what says nothing for longer, and tell nobody
_ENDING = ("08", "57P")  # errors with which the server ends the connection
_CANCEL_SECONDS = 2.0  # for the request that ends a statement which nobody waits for any more


def pool_key(address: Address, size: int, seconds: float) -> Hashable:
    """Return what names a pool on its event loop."""
    return "postgres", address.dsn, size, seconds


class Pool(SharedResource):
    """Connections to one server, on one event loop.

    Args:
        address: Where the server is.
        size: How many connections at most.
        seconds: How long an operation may take, waiting for a connection included.
    """

    def __init__(self, address: Address, size: int, seconds: float) -> None:
        super().__init__(pool_key(address, size, seconds))
        self.address = address
        self.place = address.place
        self.size = size
        self.seconds = seconds
        self.known: dict[Hashable, Any] = {}  # what has been read of schemas, by schema
        self._prepares = True
        self._idle: list[tuple[Connection, float]] = []
        self._open = 0  # connections that are there or about to be
        self._line = Line(self._unused)
        self._ending: set[Connection] = set()  # thrown away, while their statements are cancelled

    async def fetch(self, sql: str, values: Sequence[Any], job: Job | None = None) -> list[Any]:
        """Run one statement, and return its rows.

        Args:
            sql: The statement.
            values: Its parameters.
            job: What can be done together with what others wait for; None for nothing.

        Raises:
            StoreError: It failed; `Lost` if it may have been done.
        """
        deadline = time.monotonic() + self.seconds
        while True:
            connection = await self._take(deadline, job)
            if isinstance(connection, list):
                return connection
            others = self._line.take_others(job) if job is not None and self._line else []
            try:
                if job is not None and others:
                    rows = await self._together(connection, job, others, deadline)
                else:
                    rows = await connection.fetch(sql, *values, timeout=_left(deadline))
            except BaseException as exc:  # noqa: BLE001
                error = exc
            else:
                self._give_back(connection)
                return rows
            self._let_go(connection, error)
            if not is_unprepared(error) and not (others and is_refused(error)):
                raise self._told(error, is_sent=True)
            if not is_unprepared(error):
                job = None  # whose fault it is shows when each is alone

    async def _together(
        self, connection: Connection, job: Job, others: Sequence[Place], deadline: float
    ) -> list[Any]:
        """Do a job with those of others in one statement; give each its rows."""
        jobs = [job.values, *(place.job.values for place in others if place.job is not None)]
        sql, values = job.together(jobs)
        try:
            rows = await connection.fetch(sql, *values, timeout=_left(deadline))
        except BaseException as exc:
            for place in others:
                if is_refused(exc) or is_unprepared(exc):
                    place.job = None
                    place.give(None)
                else:  # they have not been cancelled, though their leader may have been
                    lost = exc if isinstance(exc, Exception) else ConnectionError()
                    place.fail(self._told(lost, is_sent=True))
            raise
        found: list[list[Any]] = [[] for _ in jobs]
        for row in rows:
            found[row[-1]].append(row)
        for place, its in zip(others, found[1:], strict=True):
            place.give(its)
        return found[0]

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Await *work* in a transaction on one connection, and return what it returns.

        Raises:
            StoreError: It failed; `Lost` if it may have been done.
        """
        deadline = time.monotonic() + self.seconds
        while True:
            connection = await self._take(deadline)
            try:
                async with asyncio.timeout(_left(deadline)), connection.transaction():
                    result = await work(connection)
            except BaseException as exc:  # noqa: BLE001
                error = exc
            else:
                self._give_back(connection)
                return result
            self._let_go(connection, error)
            if not is_unprepared(error):
                raise self._told(error, is_sent=True)

    async def _take(self, deadline: float, job: Job | None = None) -> Any:
        """Return a connection that nobody else uses, or the rows of a job that another has done."""
        self._begin_call()
        try:
            while True:
                found = None if self._line else self._rested()
                if found is None and (self._line or self._open >= self.size):
                    found, job = await self._waited(deadline, job)
                if isinstance(found, list):
                    self._end_call()
                    return found
                if found is not None and not found.is_closed():
                    return found
                if found is not None:
                    self._drop(found)
                elif self._open < self.size:
                    return await self._connected(deadline)
        except BaseException:
            self._end_call()
            raise

    def _rested(self) -> Connection | None:
        """Return a connection that is not in use, if there is one."""
        while self._idle:
            connection, since = self._idle.pop()
            if not connection.is_closed() and since > time.monotonic() - _IDLE_SECONDS:
                return connection
            self._drop(connection)
        return None

    async def _waited(self, deadline: float, job: Job | None) -> tuple[Any, Job | None]:
        """Wait in the line; return what was given, and the job if others may do it still."""
        try:
            return await self._line.wait(_left(deadline), job)
        except TimeoutError:
            raise StoreError(
                f"PostgreSQL at {self.place}: all {self.size} connections were in use for"
                f" {self.seconds:g} s; raise pool_size={self.size}, or keep fewer turns under way"
            ) from None

    def _unused(self, given: Any) -> None:
        """Give to the next what came to somebody who had just gone."""
        if given is None:
            self._wake()
        elif not isinstance(given, list):
            self._pass_on(given)

    async def _connected(self, deadline: float) -> Connection:
        self._open += 1
        try:
            await self._live_with_loop()
            left = _left(deadline)
            async with asyncio.timeout(left):
                return await connect(self.address.dsn, left, prepares=self._prepares)
        except BaseException as exc:  # noqa: BLE001
            error = exc
        self._open -= 1
        self._wake()
        raise self._told(error, is_sent=False)

    def _give_back(self, connection: Connection) -> None:
        self._pass_on(connection)
        self._end_call()

    def _pass_on(self, connection: Connection) -> None:
        """Give a connection to the first who waits."""
        if connection.is_closed():
            self._drop(connection)
            return
        if not self._line.give(connection):
            self._idle.append((connection, time.monotonic()))

    def _wake(self) -> None:
        """Tell the first who waits that a connection may be opened."""
        self._line.give(None)

    def _let_go(self, connection: Connection, error: BaseException) -> None:
        """Put a connection back after an error, or throw it away."""
        if is_unprepared(error):
            self._prepares = False  # a pooler stands between: all others have to be opened anew
            self._drop_idle()
            self._drop(connection)
        elif (
            (code := sqlstate(error))
            and not code.startswith(_ENDING)
            and not connection.is_closed()
            and not connection.is_in_transaction()
        ):
            self._pass_on(connection)
        elif isinstance(error, Exception) and not isinstance(error, TimeoutError):
            self._drop_idle()  # they have been lost with it, most likely
            self._drop(connection)
        else:  # its answer may come yet
            self._open -= 1
            self._ending.add(connection)
            self.loop.call_later(_CANCEL_SECONDS, self._end_statement, connection)
            self._wake()
        self._end_call()

    def _end_statement(self, connection: Connection) -> None:
        if connection in self._ending:
            self._ending.discard(connection)
            _terminate(connection)

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._open -= 1
        _terminate(connection)
        self._wake()

    def _told(self, error: BaseException, *, is_sent: bool) -> BaseException:
        return raised(self.place, error, self.seconds, is_sent=is_sent)

    async def close(self) -> None:
        """Wait for what is under way, and close all connections."""
        await self._wait_until_quiet()
        loops.forget(self)
        idle, self._idle = self._idle, []
        self._open -= len(idle)
        for connection in [*(one for one, _ in idle), *self._ending]:
            with contextlib.suppress(Exception):
                await connection.close(timeout=_CANCEL_SECONDS)
        self._ending.clear()

    def stop(self) -> None:
        """Close without the event loop, which has ended."""
        idle, self._idle = self._idle, []
        for connection in [*(one for one, _ in idle), *self._ending]:
            _terminate(connection)
        self._ending.clear()
        self._leave_loop()

    def abandon(self) -> None:
        """Let go of connections that belong to another process."""
        loops.inherited.append((self._idle, self._ending, self._closer, self.loop))
        self._idle, self._ending = [], set()


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def _terminate(connection: Connection) -> None:
    with contextlib.suppress(RuntimeError):  # the event loop is closed, and the socket with it
        connection.terminate()
