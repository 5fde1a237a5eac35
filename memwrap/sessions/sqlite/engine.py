"""One writer and one reader connection for a file, on one event loop.

All sessions of the process on that file and loop share an engine, so a thousand sessions are two
threads. Writes that wait while another commits are committed together: the price of reaching the
disk is paid once for all of them. Nothing needs closing: an engine closes with its event loop or
at the end of the interpreter, and its threads never keep a program alive.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import random
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import aiosqlite

from memwrap.exceptions import StoreError
from memwrap.sessions.sqlite.connection import (
    BUSY_SECONDS,
    Hidden,
    Rows,
    call,
    is_busy,
    open_reader,
    open_writer,
)
from memwrap.sessions.sqlite.schema import Tables

__all__ = ["MAX_VALUES", "Engine", "engine_for"]

MAX_VALUES = 800
"""How many values a merged statement holds: any SQLite takes 999."""

_EXIT_SECONDS = 5.0


class _Write:
    """A statement that waits for its turn.

    With *row* its parameters are rows of values, which may be merged with those of others.
    Without *durable* it need not survive a power cut, and does not wait for the disk.
    """

    __slots__ = (
        *("deadline", "durable", "error", "parameters", "result", "row", "settled", "sql"),
        "waiter",
    )

    def __init__(
        self, sql: str, parameters: Sequence[Any], row: str = "", *, durable: bool = True
    ) -> None:
        self.sql = sql
        self.parameters = parameters
        self.row = row
        self.durable = durable
        self.deadline = time.monotonic() + BUSY_SECONDS
        self.settled = False
        self.result: Rows = []
        self.error: BaseException | None = None
        self.waiter: asyncio.Future[None] | None = None

    def settle(self, result: Rows, error: BaseException | None) -> None:
        self.settled, self.result, self.error = True, result, error
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class Engine:
    """The connections to one file, on one event loop."""

    def __init__(self, path: str, tables: Tables, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self.tables = tables
        self.loop = loop
        self._threads: list[threading.Thread] = []
        self._opening: asyncio.Task[None] | None = None
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._waiting: deque[_Write] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closer: AsyncGenerator[None, None] | None = None

    async def read(self, sql: str, parameters: Sequence[Any]) -> Rows:
        """Run one statement that changes nothing."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            while self._reader is None:  # again if somebody closes it before it is our turn
                await self._open()
            try:
                rows = await self._reader.execute_fetchall(sql, Hidden(parameters))
            except sqlite3.Error as exc:
                if not is_busy(exc) or time.monotonic() > deadline:
                    raise self._failed(exc)  # noqa: B904  (it has its cause)
                await asyncio.sleep(_pause())
            else:
                return cast("Rows", rows)

    async def write(self, sql: str, parameters: Sequence[Any], *, durable: bool = True) -> Rows:
        """Run one statement that changes something; it has ended, whatever happens."""
        return await self._settled(_Write(sql, parameters, durable=durable))

    async def insert(self, sql: str, row: str, values: Sequence[Any]) -> None:
        """Insert rows, all or none; they have been, or not, when this ends.

        Args:
            sql: The statement up to the first row.
            row: The placeholders of one row, as in ``"(?,?)"``.
            values: The values of all rows.
        """
        await self._settled(_Write(sql, values, row))

    async def _settled(self, write: _Write) -> Rows:
        while self._writer is None:
            await self._open()
        self._waiting.append(write)
        if self._idle.is_set():
            self._idle.clear()
            self._write_next()
        cancellation: asyncio.CancelledError | None = None
        while not write.settled:
            # A new future each time: a cancelled task has cancelled the one it waited for.
            write.waiter = self.loop.create_future()
            try:
                await write.waiter
            except asyncio.CancelledError as exc:
                cancellation = exc
        if cancellation is not None:
            raise cancellation
        if write.error is not None:
            raise write.error
        return write.result

    def _write_next(self) -> None:
        """Begin the next write; merge the rows that wait one behind the other."""
        if not self._waiting:
            self._idle.set()
            return
        first = self._waiting.popleft()
        batch, values = [first], len(first.parameters)
        while (
            first.row
            and self._waiting
            and self._waiting[0].sql == first.sql
            and values + len(self._waiting[0].parameters) <= MAX_VALUES
        ):
            values += len(self._waiting[0].parameters)
            batch.append(self._waiting.popleft())
        self._begin(batch)

    def _begin(self, batch: list[_Write]) -> None:
        sql, parameters = _statement(batch)
        connection = self._writer if batch[0].durable else self._reader
        if connection is None:  # the interpreter ends, and with it the daemon thread of this loop
            return

        def done(rows: Rows, error: BaseException | None) -> None:
            if error is None:
                for write in batch:
                    write.settle(rows, None)
            elif is_busy(error) and time.monotonic() < batch[0].deadline:
                # SQLite's own busy handler sleeps long and starves whole processes.
                self.loop.call_later(_pause(), self._begin, batch)
                return
            elif len(batch) > 1:  # find out whose fault it is
                self._waiting.extendleft(reversed(batch[1:]))
                self._begin(batch[:1])
                return
            else:
                batch[0].settle([], self._failed(error))
            self._write_next()

        call(connection.execute_fetchall(sql, Hidden(parameters)).__await__(), done)

    async def _open(self) -> None:
        """Open both connections once, whoever asks first and whoever of them is cancelled."""
        if self._opening is None or self._opening.done():
            self._opening = self.loop.create_task(self._connect())
            # Seen even if all who wait are cancelled.
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        opening = self._opening
        await asyncio.wait({opening})
        try:
            opening.result()
        except (OSError, sqlite3.Error) as exc:
            raise self._failed(exc)  # noqa: B904  (it has its cause)

    async def _connect(self) -> None:
        if self._writer is not None:
            return
        threads: list[threading.Thread] = []
        writer = await open_writer(self.path, self.tables, threads)
        try:
            reader = await open_reader(self.path, threads)
        except BaseException:
            await _stopped(writer)
            raise
        self._writer, self._reader, self._threads = writer, reader, threads
        _remember(self)
        if self._closer is None and self.loop not in _shut_down:
            # The loop closes its asynchronous generators when it ends, and so this engine.
            self._closer = self._until_the_loop_ends()
            await anext(self._closer)

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            if self._reader is not None:
                _shut_down.add(self.loop)
            await self.close()

    async def close(self) -> None:
        """Wait for the writes under way and close both connections."""
        await asyncio.sleep(0)  # who closes in a loop lets others work all the same
        while not self._idle.is_set():  # again if more have begun before it is our turn
            await self._idle.wait()
        _forget(self)
        reader, writer = self._let_go()
        try:
            await _stopped(reader)
        finally:
            await _stopped(writer)

    def stop(self) -> None:
        """Close without the event loop, which has ended."""
        # One after the other: the last one tidies up the file.
        for connection, thread in zip(self._let_go(), reversed(self._threads), strict=False):
            if connection is not None:
                connection.stop()
                thread.join(_EXIT_SECONDS)

    def abandon(self) -> None:
        """Let go of connections that belong to another process, and leave them open."""
        _inherited.append(self._let_go())
        self._idle.set()

    def _let_go(self) -> tuple[aiosqlite.Connection | None, aiosqlite.Connection | None]:
        connections = self._reader, self._writer
        self._reader = self._writer = None
        return connections

    def _failed(self, error: BaseException) -> StoreError:
        failure = StoreError(f"SQLite file {self.path!r}: {error}")
        failure.__cause__ = error
        return failure


def _statement(batch: list[_Write]) -> tuple[str, Sequence[Any]]:
    first = batch[0]
    if not first.row:
        return first.sql, first.parameters
    values = [value for write in batch for value in write.parameters]
    count = len(values) // first.row.count("?")
    return first.sql + ",".join([first.row] * count), values


def _pause() -> float:
    """Return how long to wait for another process, in seconds."""
    return random.uniform(0.0002, 0.0015)  # noqa: S311


async def _stopped(connection: aiosqlite.Connection | None) -> None:
    if connection is not None and (stopping := connection.stop()):
        await stopping


_engines: dict[tuple[str, Tables, asyncio.AbstractEventLoop], Engine] = {}
_guard = threading.Lock()

# Loops that have shut down their generators and may go on all the same, as the loop of the Agents
# SDK's run_sync does: a new generator there would be warned of. What is opened on them again is
# closed when they are, or with the interpreter.
_shut_down: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()


def engine_for(path: str, tables: Tables) -> Engine:
    """Return the engine of this file on the running event loop."""
    loop = asyncio.get_running_loop()
    key = (path, tables, loop)
    engine = _engines.get(key)
    if engine is None:
        with _guard:
            _close_orphans()
            engine = _engines[key] = Engine(path, tables, loop)
    return engine


def _remember(engine: Engine) -> None:
    with _guard:
        _engines.setdefault((engine.path, engine.tables, engine.loop), engine)


def _forget(engine: Engine) -> None:
    key = (engine.path, engine.tables, engine.loop)
    with _guard:
        if _engines.get(key) is engine:
            del _engines[key]


def _close_orphans() -> None:
    """Close the engines whose event loop was closed without being shut down."""
    for key, engine in list(_engines.items()):
        if engine.loop.is_closed():
            del _engines[key]
            threading.Thread(target=engine.stop, daemon=True).start()


@atexit.register
def _close_all() -> None:
    def stop() -> None:
        for engine in list(_engines.values()):
            engine.stop()

    # In a thread of its own the driver does not go looking for an event loop.
    stopper = threading.Thread(target=stop, daemon=True)
    stopper.start()
    stopper.join(_EXIT_SECONDS)


_inherited: list[object] = []


def _after_fork() -> None:
    """Let the child open its own: connections must not cross a fork, not even to be closed."""
    global _guard  # noqa: PLW0603
    _guard = threading.Lock()
    for engine in _engines.values():
        engine.abandon()
    _engines.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
