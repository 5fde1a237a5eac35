"""One writer and one reader connection for a file, on one event loop.

All sessions of the process on that file and loop share an engine, so a thousand sessions are two
threads. Writes that wait while another commits are committed together: the price of reaching the
disk is paid once for all of them. Nothing needs closing: an engine closes with its event loop or
at the end of the interpreter, and its threads never keep a program alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

import aiosqlite

from memwrap.exceptions import StoreError
from memwrap.sessions import loops
from memwrap.sessions.shared import SharedResource
from memwrap.sessions.sqlite.connection import (
    BUSY_SECONDS,
    Durability,
    Rows,
    call,
    hidden,
    is_busy,
    open_reader,
    open_writer,
    pause,
    stopped,
)
from memwrap.sessions.sqlite.logs import Inode, inode, leave_logs, logs_of, remove_logs
from memwrap.sessions.sqlite.schema import Tables
from memwrap.sessions.sqlite.together import WindowReads
from memwrap.sessions.sqlite.write import Write, batch_of, statement_of
from memwrap.settle import settle

__all__ = ["Engine", "engine_key"]

_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def engine_key(path: str, tables: Tables, durability: Durability) -> Hashable:
    """Return what names an engine on its event loop."""
    return "sqlite", path, tables, durability


class Engine(SharedResource):
    """The connections to one file, on one event loop."""

    def __init__(
        self, path: str, tables: Tables, loop: asyncio.AbstractEventLoop, durability: Durability
    ) -> None:
        super().__init__(engine_key(path, tables, durability), loop)
        self.path = path
        self.tables = tables
        self.durability: Durability = durability
        self.readable: dict[int, Callable[[bytes], bool]] = {}  # by number, for statements
        self._key: bytes | None = None
        self._threads: list[threading.Thread] = []
        self._opening: asyncio.Task[None] | None = None
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._waiting: deque[Write] = deque()
        self.windows = WindowReads(self.read, tables)
        self._idle = asyncio.Event()
        self._idle.set()
        self._inode: Inode = None
        self._logs: tuple[Inode, ...] = (None, None)
        self._is_broken = False

    @property
    def rests(self) -> bool:
        """Whether nothing is under way."""
        return self._idle.is_set() and (self._opening is None or self._opening.done())

    async def read(self, sql: str, parameters: Sequence[Any]) -> Rows:
        """Run one statement that changes nothing."""
        deadline = time.monotonic() + BUSY_SECONDS
        self._begin_call()
        try:
            while True:
                while self._reader is None or self._is_replaced():
                    await self._open()
                try:
                    rows = await self._reader.execute_fetchall(sql, hidden(sql, parameters))
                except sqlite3.Error as exc:
                    if not is_busy(exc) or time.monotonic() > deadline:
                        raise self._failed(exc)  # noqa: B904  (it has its cause)
                    await asyncio.sleep(pause())
                else:
                    return cast("Rows", rows)
        finally:
            self._end_call()

    async def write(self, sql: str, parameters: Sequence[Any], *, durable: bool = True) -> Rows:
        """Run one statement that changes something; it has ended, whatever happens."""
        return await self._settled(Write(sql, parameters, durable=durable))

    async def insert(self, sql: str, row: str, values: Sequence[Any]) -> None:
        """Insert rows, all or none; they have been, or not, when this ends.

        Args:
            sql: The statement up to the first row.
            row: The placeholders of one row, as in ``"(?,?)"``.
            values: The values of all rows.
        """
        await self._settled(Write(sql, values, row))

    async def key(self) -> bytes:
        """Return the secret of these tables; make it if there is none in the file."""
        key = self._key
        if key is None or self._is_replaced():
            name = self.tables.messages.lower()
            found = await self.read(self.tables["get_key"], (name,))
            if not found:
                # Whichever process comes first: all get what is stored then.
                new = (name, secrets.token_bytes(32))
                found = await self.write(self.tables["make_key"], new)
            key = self._key = cast("bytes", found[0][0])
        return key

    async def _settled(self, write: Write) -> Rows:
        self._begin_call()
        try:
            while self._writer is None or self._is_replaced():
                await self._open()
            self._waiting.append(write)
            if self._idle.is_set():
                self._idle.clear()
                self._write_next()
            if not write.settled:
                await self._settle(write)
        finally:
            self._end_call()
        if write.error is not None:
            raise write.error
        return write.result

    async def _settle(self, write: Write) -> None:
        write.waiter = self.loop.create_future()
        try:
            await write.waiter
        except asyncio.CancelledError as exc:
            # A new future: a cancelled task has cancelled the one it waited for.
            write.waiter = self.loop.create_future()
            if write.settled:
                raise
            raise await settle(write.waiter) or exc  # noqa: B904  (the same cancellation)

    def _write_next(self) -> None:
        """Begin the next write; merge the rows that wait one behind the other."""
        if not self._waiting:
            self._idle.set()
            return
        self._begin(batch_of(self._waiting))

    def _begin(self, batch: list[Write]) -> None:
        sql, parameters = statement_of(batch)
        connection = self._writer if batch[0].durable else self._reader
        if connection is None:  # the interpreter ends, and with it the daemon thread of this loop
            return

        def done(rows: Rows, error: BaseException | None) -> None:
            if error is None:
                for write in batch:
                    write.settle(rows, None)
            elif is_busy(error) and time.monotonic() < batch[0].deadline:
                # SQLite's own busy handler sleeps long and starves whole processes.
                self.loop.call_later(pause(), self._begin, batch)
                return
            elif len(batch) > 1:  # find out whose fault it is
                self._waiting.extendleft(reversed(batch[1:]))
                self._begin(batch[:1])
                return
            else:
                batch[0].settle([], self._failed(error))
            self._write_next()

        call(connection.execute_fetchall(sql, hidden(sql, parameters)).__await__(), done)

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
            if not self._is_replaced():
                return
            await self._when_idle()
            if self._is_elsewhere():
                # The file may have been moved, and what its log holds belongs to it.
                with contextlib.suppress(sqlite3.Error):
                    await self._writer.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
        leave_logs(self.path)
        await self._stop_both()
        before = inode(self.path)
        threads: list[threading.Thread] = []
        writer = await open_writer(self.path, self.tables, threads, self.readable, self.durability)
        try:
            reader = await open_reader(self.path, threads)
        except BaseException:
            await stopped(writer)
            raise
        self._writer, self._reader, self._threads = writer, reader, threads
        # If it has been replaced since, the next call sees that it is another.
        self._inode, self._is_broken = before or inode(self.path), False
        self._logs = logs_of(self.path)
        self._key = None  # it may be another file
        loops.remember(self)
        await self._live_with_loop()

    async def close(self) -> None:
        """Wait for the calls under way and close both connections."""
        await self._wait_until_quiet()
        await self._when_idle()
        loops.forget(self)
        await self._stop_both()

    async def _when_idle(self) -> None:
        while not self._idle.is_set():  # again if more have begun before it is our turn
            await self._idle.wait()

    def leave_log(self) -> None:
        """Remove the log beside the file if it belongs to one that was there before.

        May be called from any thread, before any connection to the new file is opened.
        """
        if self._writer is not None and self._is_elsewhere():
            remove_logs(self.path, self._logs)

    async def _stop_both(self) -> None:
        reader, writer = self._let_go()
        try:
            await stopped(reader)
        finally:
            await stopped(writer)

    def stop(self) -> None:
        """Close without the event loop, which has ended."""
        # One after the other: the last one tidies up the file.
        for connection, thread in zip(self._let_go(), reversed(self._threads), strict=False):
            if connection is not None:
                connection.stop()
                thread.join(loops.EXIT_SECONDS)
        self._leave_loop()

    def abandon(self) -> None:
        """Let go of connections that belong to another process."""
        loops.inherited.append(self._let_go())
        self._idle.set()

    def _let_go(self) -> tuple[aiosqlite.Connection | None, aiosqlite.Connection | None]:
        connections = self._reader, self._writer
        self._reader = self._writer = None
        return connections

    def _is_replaced(self) -> bool:
        """Tell whether the connections are to a file that is no longer the one of this path.

        SQLite would go on reading and writing what nobody finds any more.
        """
        return self._is_broken or inode(self.path) != self._inode

    def _is_elsewhere(self) -> bool:
        return inode(self.path) != self._inode

    def _failed(self, error: BaseException) -> StoreError:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN:
            self._is_broken = True  # to be opened anew: it may have been repaired by then
        failure = StoreError(f"SQLite file {self.path!r}: {error}")
        failure.__cause__ = error
        return failure
