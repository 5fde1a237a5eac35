"""What a SQLite file goes through: size, replacement under load, odd names, lost loops."""

import asyncio
import gc
import shutil
import sqlite3
import threading
import time
import warnings
from contextlib import closing
from pathlib import Path

import pytest
from support import TIMEOUT, query

from memwrap import (
    ConfigurationError,
    SQLiteSession,
    SQLiteStore,
    StoreError,
    undo,
    with_session,
)
from memwrap.exceptions import TurnNotSaved
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.sessions.sqlite.engines import engine_for
from memwrap.sessions.sqlite.logs import inode, logs_of, remove_logs
from memwrap.sessions.sqlite.schema import Tables
from memwrap.testing import ScriptedAgent


def in_use():
    """Return how many threads and file descriptors the process has."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def until(condition):
    """Wait for what happens in other threads."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        gc.collect()
        time.sleep(0.01)


class TestSize:
    async def test_session_longer_than_the_longest_value(self, path):
        """A session of more bytes than one value may have is read, run and undone."""
        session = SQLiteSession("s", path)
        items = [user(str(number) + "x" * 100_000) for number in range(12)]
        for item in items:
            await session.add_items([item])
        engine = engine_for(path, Tables())
        for connection in (engine._reader, engine._writer):
            limit = sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000
            await connection._execute(connection._conn.setlimit, *limit)
        assert await session.get_items() == items
        assert await session.get_items(11) == items[1:]
        agent = with_session(ScriptedAgent("ok"), session=session)
        assert await agent("q") == "ok"
        assert await undo(session) == [[*items, user("q"), assistant("ok")][-2:]]

    async def test_long_history_does_not_hold_the_loop_up(self, path):
        """While 10,000 items are decoded others work in between."""
        session = SQLiteSession("s", path)
        await session.add_items([user("x" * 1000) for _ in range(10_000)])
        steps = 0

        async def others():
            nonlocal steps
            while True:
                steps += 1
                await asyncio.sleep(0.0001)

        working = asyncio.create_task(others())
        assert len(await session.get_items()) == 10_000
        assert steps > 20
        working.cancel()

    async def test_damaged_rows_that_fit_together_are_left_out(self, path):
        """Two damaged rows are two damaged rows, though they make items when joined."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1"), user("2")])
        for number, text in ((1, '{"role":"user","content":[{}'), (2, '{}]},{"role":"user"}')):
            query(path, "UPDATE agent_messages SET message_data = ? WHERE id = ?", text, number)
        with pytest.warns(UserWarning, match=r"rows \[1, 2\] are damaged"):
            assert await session.get_items() == []
        assert session.damaged_items == 2


class TestReplacedFile:
    @pytest.mark.parametrize("engines", [1, 2])
    def test_backup_under_load(self, path, engines):
        """A backup that is put in place while turns run is neither damaged nor told as damaged."""
        agent = with_session(ScriptedAgent(*["x"] * 100_000))
        asyncio.run(agent("q", session=SQLiteSession("s", path)))
        shutil.copy(path, f"{path}.bak")
        stop, errors = threading.Event(), []

        async def load(number):
            session = SQLiteSession(f"load {number}", path)
            while not stop.is_set():
                try:
                    await agent("q", session=session)
                except TurnNotSaved:
                    pass  # the lease was in the file before
                except StoreError as exc:
                    errors.append(exc)

        async def loads(thread):
            await asyncio.gather(*(load(f"{thread}-{number}") for number in range(4)))

        threads = [
            threading.Thread(target=asyncio.run, args=(loads(number),)) for number in range(engines)
        ]
        for thread in threads:
            thread.start()
        for _ in range(4):
            time.sleep(0.1)
            shutil.copy(f"{path}.bak", f"{path}.new")
            Path(f"{path}.new").replace(path)
        time.sleep(0.2)
        stop.set()
        for thread in threads:
            thread.join(TIMEOUT)
        assert errors == []
        assert query(path, "PRAGMA integrity_check") == [("ok",)]

    async def test_file_that_was_moved_away_is_whole(self, path):
        """What the log held when the file was moved is in the moved file."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1")])
        Path(path).rename(f"{path}.old")
        await session.add_items([user("2")])
        assert [item["content"] for item in await session.get_items()] == ["2"]
        assert query(f"{path}.old", "SELECT count(*) FROM agent_messages") == [(1,)]

    def test_log_of_another_file_is_left_alone(self, path):
        """Only the very log that belonged to the file before is removed."""
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE t (x)")
            logs = logs_of(path)
            remove_logs(path, ((0, 0), None))
            assert logs_of(path) == logs
            assert None not in logs
            remove_logs(path, logs)
            assert logs_of(path) == (None, None)
            assert inode(path) is not None


class TestNames:
    @pytest.mark.parametrize("name", ["order", "Group", "SELECT", "values", "sqlite_items"])
    def test_reserved_names_are_refused_early(self, path, name):
        """A word of SQL's own is refused when the object is made."""
        with pytest.raises(ConfigurationError, match="choose another name"):
            SQLiteSession("s", path, messages_table=name)
        with pytest.raises(ConfigurationError, match="choose another name"):
            SQLiteStore(path, sessions_table=name)

    @pytest.mark.parametrize(
        "name",
        ["Agent_Messages_Turns", "memwrap_keys", "memwrap_commit", "idx_agent_messages_session_id"],
    )
    def test_names_that_memwrap_uses_are_refused(self, path, name):
        """A table cannot have the name of another table, index or view of memwrap's."""
        with pytest.raises(ConfigurationError, match="memwrap's own table"):
            SQLiteSession("s", path, sessions_table=name)

    @pytest.mark.parametrize("name", ["key", "abort", "rowid", "main", "temp", "session_id"])
    async def test_odd_names_work(self, path, name):
        """A name that SQL takes for one, but for more than one thing, is quoted."""
        session = SQLiteSession("s", path, sessions_table=name, messages_table=f"{name}_items")
        agent = with_session(ScriptedAgent("one", "two"), session=session)
        await agent("1", turn_id="t")
        await agent("2")
        assert len(await undo(session)) == 1
        assert await session.pop_item() == assistant("one")
        await session.clear_session()
        assert await session.get_items() == []

    def test_swapped_arguments_are_told(self, tmp_path, monkeypatch):
        """A path in the place of the id is warned of, and nothing else is."""
        monkeypatch.chdir(tmp_path)
        with pytest.warns(UserWarning, match="the id comes first"):
            SQLiteSession("chat.db", "user_1")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for arguments in (("user_1", "chat.db"), ("a.db", "b.db"), ("a.db",), ("a", "b")):
                SQLiteSession(*arguments)


class TestLostLoops:
    def test_dropped_loops_leave_nothing(self, path):
        """Loops that are neither run on nor closed leave no threads and no descriptors."""
        session = SQLiteSession("s", path)

        def use():
            loop = asyncio.new_event_loop()
            loop.run_until_complete(session.add_items([user("1")]))
            loop.__class__ = Quiet
            return in_use()

        most = use()
        for _ in range(10):
            use()
        threads, descriptors = most
        # SQLite keeps a descriptor or two for later while others have locks on the file.
        until(lambda: in_use()[0] <= threads and in_use()[1] <= descriptors + 3)
        assert len(asyncio.run(session.get_items())) == 11

    def test_two_loops_in_turns(self, path):
        """Two loops of one thread that run in turns keep their connections from then on."""
        session = SQLiteSession("s", path)
        loops = [asyncio.new_event_loop() for _ in range(2)]
        engines = []
        for number in range(6):
            loop = loops[number % 2]
            loop.run_until_complete(session.add_items([user(str(number))]))
            engines.append(loop.run_until_complete(_engine(path)))
        assert engines[-1] is engines[-3]
        assert engines[-2] is engines[-4]
        assert len(loops[0].run_until_complete(session.get_items())) == 6
        for loop in loops:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    @pytest.mark.parametrize("close", [False, True])
    @pytest.mark.parametrize("kept", [False, True])
    def test_turn_of_a_lost_loop_blocks_nobody(self, path, close, kept, caplog):
        """A turn whose loop was closed or stands still does not keep its session."""
        session = SQLiteSession("s", path)

        @with_session(session=session)
        async def slow(items):
            await asyncio.sleep(100)

        loop = asyncio.new_event_loop()
        task = loop.create_task(slow("q"))
        task._log_destroy_pending = False
        loop.run_until_complete(asyncio.sleep(0.1))
        if close:
            loop.close()
        if not kept:
            del task
            gc.collect()
        agent = with_session(
            ScriptedAgent("ok"), session=session, middleware=[Memory(busy_timeout=2)]
        )
        assert asyncio.run(agent("q")) == "ok"
        assert len(asyncio.run(session.get_items())) == 2
        if not close:
            if kept:
                task.cancel()
                loop.run_until_complete(asyncio.wait({task}))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


class Quiet(asyncio.SelectorEventLoop):
    """A loop whose collection is no warning."""

    def __del__(self):
        self.close()


async def _engine(path):
    return engine_for(path, Tables())
