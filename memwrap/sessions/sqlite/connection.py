"""Open connections to a SQLite file, and run their calls.

Each has a thread of its own, which never keeps the program alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import aiosqlite

from memwrap.forks import in_child
from memwrap.sessions.sqlite.migrate import MIGRATIONS, check, migrate
from memwrap.sessions.sqlite.schema import Tables
from memwrap.sessions.sqlite.statements import TEMPORARY
from memwrap.sessions.sqlite.words import WIPES_EACH
from memwrap.settle import settle

__all__ = [
    "BUSY_SECONDS",
    "SYNCHRONOUS",
    "Durability",
    "Rows",
    "call",
    "hidden",
    "is_busy",
    "open_reader",
    "open_writer",
    "pause",
    "stopped",
]

BUSY_SECONDS = 30.0
"""How long to wait for another process that holds the file."""

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

Rows: TypeAlias = list[tuple[Any, ...]]

Durability: TypeAlias = Literal["power", "process"]
"""What acknowledged writes survive."""

SYNCHRONOUS: dict[Durability, str] = {"power": "FULL", "process": "NORMAL"}
"""How SQLite names that."""

_OLDEST = (3, 35)  # the first with RETURNING

# These Pythons warn of numbered parameters that come as a sequence.
_BY_NUMBER = (3, 12) <= sys.version_info < (3, 12, 4)


class Hidden(dict[str, Any]):
    """Parameters of a statement, by their numbers, that do not show in the driver's log."""

    def __init__(self, parameters: Sequence[Any]) -> None:
        super().__init__((str(number), value) for number, value in enumerate(parameters, 1))

    def __repr__(self) -> str:
        return f"<{len(self)} parameters>"


class HiddenRow(tuple[Any, ...]):
    """Parameters of a statement, in their order, that do not show in the driver's log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} parameters>"


def hidden(sql: str, parameters: Sequence[Any]) -> Hidden | HiddenRow:
    """Return the parameters as the driver gets them."""
    return Hidden(parameters) if _BY_NUMBER and "?1" in sql else HiddenRow(parameters)


async def open_writer(
    path: str,
    tables: Tables,
    threads: list[threading.Thread],
    readable: Mapping[int, Callable[[bytes], bool]],
    durability: Durability = "power",
) -> aiosqlite.Connection:
    """Open the file for writing; create it, with its tables, if need be.

    Args:
        path: The file.
        tables: Its tables.
        threads: Gets the thread of the connection.
        readable: Tells whether a row can be read; a statement names the function by its number.
        durability: What acknowledged writes survive.

    Raises:
        OSError: The file cannot be opened.
        sqlite3.Error: It cannot be used, or SQLite is too old.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise sqlite3.NotSupportedError(
            f"Python has SQLite {sqlite3.sqlite_version}; memwrap needs 3.35 or newer"
        )

    def prepare(connection: sqlite3.Connection) -> None:
        version = check(connection, tables)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise sqlite3.OperationalError(f"no write-ahead log here: journal_mode stays {mode}")
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
        connection.execute("PRAGMA secure_delete = ON")
        if version < len(MIGRATIONS):
            migrate(connection, tables)
        connection.create_function(
            "memwrap_is_readable", 2, lambda number, row: readable[number](row)
        )
        for statement in TEMPORARY:
            connection.execute(tables[statement])
        _prepare_words(connection, tables)

    return await _open(path, prepare, threads)


def _prepare_words(connection: sqlite3.Connection, tables: Tables) -> None:
    """Make the index of words if it is used, and let rows take their words with them."""
    there = connection.execute(tables["is_indexed"], (tables.words.lower(),)).fetchone()
    if there is None and tables.search:
        connection.execute(tables["create_words"])
        if WIPES_EACH:
            connection.execute(tables["wipe_each"])
    if there is not None or tables.search:
        connection.execute(tables["trigger_words"])


async def open_reader(path: str, threads: list[threading.Thread]) -> aiosqlite.Connection:
    """Open the file for reading; see `open_writer`."""

    def prepare(connection: sqlite3.Connection) -> None:
        # Its few writes are leases, which need not survive a power cut. Checkpoints are left to
        # the writer, which alone has waited for the disk.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")

    return await _open(path, prepare, threads)


def call(
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
        future.add_done_callback(lambda _: call(steps, done))


async def stopped(connection: aiosqlite.Connection | None) -> None:
    """Close a connection and wait for its thread, which must not outlive the event loop."""
    stopping = None if connection is None else connection.stop()
    cancellation = None if stopping is None else await settle(stopping)
    if cancellation is not None:
        raise cancellation


def pause() -> float:
    """Return how long to wait for another process, in seconds."""
    return random.uniform(0.0002, 0.0015)  # noqa: S311


def is_busy(error: BaseException) -> bool:
    """Tell whether another connection has the file."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _BUSY


async def _open(
    path: str, prepare: Callable[[sqlite3.Connection], None], threads: list[threading.Thread]
) -> aiosqlite.Connection:
    opening = _Opening(path, prepare, threads)
    try:
        threading.Thread(target=opening.run, daemon=True).start()
        return await opening.opened
    except RuntimeError as exc:  # from Python 3.12 on no thread begins while the program ends
        if "interpreter shutdown" not in str(exc):
            raise
        if threading.current_thread().daemon:
            await opening.loop.create_future()  # cut off like the thread itself, in silence
        raise OSError("it cannot be opened any more, as the program is ending") from exc


class _Opening:
    """A connection on its way from the thread that opens it to the event loop.

    The driver would open it in its own thread, and report to the loop when that has been closed:
    a busy file is waited for longer than its loop may live.
    """

    def __init__(
        self,
        path: str,
        prepare: Callable[[sqlite3.Connection], None],
        threads: list[threading.Thread],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[aiosqlite.Connection] = self.loop.create_future()
        self._path = path
        self._prepare = prepare
        self._threads = threads

    def run(self) -> None:
        """Open the file, in a daemon thread.

        aiosqlite's thread inherits the daemon flag from the thread that creates it.
        """
        try:
            self._raw = _connect(self._path, self._prepare)
        except Exception as exc:  # noqa: BLE001  (raised where it is waited for)
            self._report(self._fail, exc)
            return
        self._connection = aiosqlite.Connection(self._take, 64)
        if not self._report(self._arrive):
            self._raw.close()

    def _report(self, callback: Callable[..., None], *args: Any) -> bool:
        try:
            self.loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop is closed
            return False
        return True

    def _fail(self, error: Exception) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)

    def _arrive(self) -> None:
        call(self._connection.__await__(), self._started)

    def _take(self) -> sqlite3.Connection:
        self._threads.append(threading.current_thread())
        return self._raw

    def _started(self, _: Rows, error: BaseException | None) -> None:
        if self.opened.done():  # nobody waits any more
            self._connection.stop()
        elif error is not None:
            self.opened.set_exception(error)
        else:
            self.opened.set_result(self._connection)


def _connect(path: str, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    _create_file(path)
    connection = sqlite3.connect(path, timeout=0.0, isolation_level=None, check_same_thread=False)
    try:
        _patiently(prepare, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _create_file(path: str) -> None:
    """Create the file, so that nobody else can read it before its mode is set.

    Only a new one may be opened here: a process that closes any descriptor of a file loses all
    its locks on it, those of its SQLite connections too.
    """
    with _creating, contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


_creating = threading.Lock()


@in_child
def _after_fork() -> None:
    global _creating  # noqa: PLW0603
    _creating = threading.Lock()


def _patiently(
    prepare: Callable[[sqlite3.Connection], None], connection: sqlite3.Connection
) -> None:
    """Prepare a connection while other processes do the same to a new file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return prepare(connection)
        except sqlite3.OperationalError as exc:
            if not is_busy(exc) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.001, 0.01))  # noqa: S311
