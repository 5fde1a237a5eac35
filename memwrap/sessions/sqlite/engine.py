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
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, cast

import aiosqlite

from memwrap.exceptions import StoreError
from memwrap.sessions.sqlite.schema import Tables

__all__ = ["Engine", "engine_for"]

BUSY_SECONDS = 30.0
"""How long to wait for another process that holds the file."""

MAX_VALUES = 800
"""How many values a merged statement holds: any SQLite takes 999."""

_EXIT_SECONDS = 5.0
_CREATE = ("create_sessions", "create_messages", "create_index", "create_turns", "create_turn_ids")
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

Rows: TypeAlias = list[tuple[Any, ...]]


class Hidden(tuple[Any, ...]):
    """Parameters of a statement that do not show in the driver's log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} parameters>"


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
            if self._reader is None:
                await self._open()
            assert self._reader is not None  # noqa: S101
            try:
                rows = await self._reader.execute_fetchall(sql, Hidden(parameters))
            except sqlite3.Error as exc:
                if not _is_busy(exc) or time.monotonic() > deadline:
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
        if self._writer is None:
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
        assert connection is not None  # noqa: S101

        def done(rows: Rows, error: BaseException | None) -> None:
            if error is None:
                for write in batch:
                    write.settle(rows, None)
            elif _is_busy(error) and time.monotonic() < batch[0].deadline:
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

        _finish(connection.execute_fetchall(sql, Hidden(parameters)).__await__(), done)

    async def _open(self) -> None:
        """Open both connections once, whoever asks first and whoever of them is cancelled."""
        if self._opening is None:
            self._opening = self.loop.create_task(self._connect())
            # Seen even if all who wait are cancelled.
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        opening = self._opening
        await asyncio.wait({opening})
        try:
            opening.result()
        except (OSError, sqlite3.Error) as exc:
            raise self._failed(exc)  # noqa: B904  (it has its cause)
        finally:
            if self._opening is opening:
                self._opening = None

    async def _connect(self) -> None:
        if self._writer is not None:
            return
        writer = await _daemon(self._connector(self._prepare))
        try:
            reader = await _daemon(self._connector(_prepare_reader))
        except BaseException:
            await writer.close()
            raise
        self._writer, self._reader = writer, reader
        # The loop closes its asynchronous generators when it ends, and so this engine.
        self._closer = self._until_the_loop_ends()
        await anext(self._closer)

    def _connector(
        self, prepare: Callable[[sqlite3.Connection], None]
    ) -> Callable[[], sqlite3.Connection]:
        def connect() -> sqlite3.Connection:
            self._threads.append(threading.current_thread())
            _create(self.path)
            connection = sqlite3.connect(
                self.path, timeout=0.0, isolation_level=None, check_same_thread=False
            )
            try:
                _patiently(prepare, connection)
            except BaseException:
                connection.close()
                raise
            return connection

        return connect

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        names = {self.tables.sessions, self.tables.messages}
        names |= {f"idx_{self.tables.messages}_session_id", self.tables.turns}
        names.add(f"idx_{self.tables.turns}_turn_id")
        found = connection.execute(
            f"SELECT count(*) FROM sqlite_master WHERE name IN ({','.join('?' * len(names))})",  # noqa: S608
            tuple(names),
        ).fetchone()
        if found[0] < len(names):
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement in _CREATE:
                    connection.execute(self.tables[statement])
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        for statement in ("trigger_insert", "trigger_delete", "view_commit", "trigger_commit"):
            connection.execute(self.tables[statement])

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        """Wait for the writes under way and close both connections."""
        await self._idle.wait()
        writer, reader = self._writer, self._reader
        self._writer = self._reader = None
        _forget(self)
        for connection in (reader, writer):
            if connection is not None:
                await connection.close()

    def stop(self) -> None:
        """Close without the event loop, which has ended."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.stop()
        self._writer = self._reader = None
        for thread in self._threads:
            thread.join(_EXIT_SECONDS)

    def _failed(self, error: BaseException) -> StoreError:
        failure = StoreError(f"SQLite file {self.path!r}: {error}")
        failure.__cause__ = error
        return failure


def _is_busy(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _BUSY


def _create(path: str) -> None:
    """Create the file so that nobody else can read it, if there is none.

    A file that exists must not even be opened here: closing it would drop the locks that this
    process has on it, and with them the log that other processes still write to.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _patiently(
    prepare: Callable[[sqlite3.Connection], None], connection: sqlite3.Connection
) -> None:
    """Prepare a connection while other processes do the same to a new file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return prepare(connection)
        except sqlite3.OperationalError as exc:
            if not _is_busy(exc) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.001, 0.01))  # noqa: S311


def _prepare_reader(connection: sqlite3.Connection) -> None:
    # Its few writes are leases, which need not survive a power cut. Checkpoints are left to the
    # writer, which alone has waited for the disk.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")


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


def _finish(
    steps: Generator[asyncio.Future[Any], None, Any],
    done: Callable[[Rows, BaseException | None], None],
) -> None:
    """Run a call of the driver without a task around it: nothing can cancel it half-way."""
    try:
        future = next(steps)
    except StopIteration as stop:
        done(stop.value, None)
    except Exception as exc:  # noqa: BLE001  (handed to whoever waits)
        done([], exc)
    else:
        future.add_done_callback(lambda _: _finish(steps, done))


async def _daemon(connector: Callable[[], sqlite3.Connection]) -> aiosqlite.Connection:
    """Open a connection whose thread does not keep the program alive.

    A thread is a daemon if the thread that creates it is one, and the driver has no option for it.
    """
    made: list[aiosqlite.Connection] = []
    creator = threading.Thread(
        target=lambda: made.append(aiosqlite.Connection(connector, 64)), daemon=True
    )
    creator.start()
    creator.join()
    return await made[0]


_engines: dict[tuple[str, Tables, asyncio.AbstractEventLoop], Engine] = {}
_guard = threading.Lock()


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


def _forget(engine: Engine) -> None:
    with _guard:
        _engines.pop((engine.path, engine.tables, engine.loop), None)


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


_inherited: list[Engine] = []


def _after_fork() -> None:
    """Let the child open its own: connections must not cross a fork, not even to be closed."""
    global _guard  # noqa: PLW0603
    _guard = threading.Lock()
    _inherited.extend(_engines.values())
    _engines.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
