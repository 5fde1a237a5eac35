"""The connections to a file: shared, per event loop, and never in the way of a program's end."""

import asyncio
import gc
import sqlite3
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest
from support import TIMEOUT

import memwrap
from memwrap import SQLiteSession, SQLiteStore, StoreError
from memwrap.items import assistant, user
from memwrap.sessions import loops
from memwrap.sessions.sqlite import engines
from memwrap.sessions.sqlite.schema import Tables
from memwrap.testing import ScriptedAgent


def contents(items):
    return [item["content"] for item in items]


def in_use():
    """Return how many threads and file descriptors the process has."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def rows_in(path):
    """Return what is in the file, seen by a connection of nobody's."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT session_id, json_extract(message_data, '$.content')"
            " FROM agent_messages ORDER BY id"
        ).fetchall()


def no_more(before):
    return all(now <= then for now, then in zip(in_use(), before, strict=True))


def contents_of(path):
    return [text for _, text in rows_in(path)]


def until(condition):
    """Wait for what happens in other threads."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def engine_of(path):
    return engines.engine_for(path, Tables())


@pytest.fixture
def statements(monkeypatch):
    """The statements that reach the driver."""
    seen = []
    fetch = aiosqlite.Connection.execute_fetchall

    def execute_fetchall(connection, sql, parameters=None):
        seen.append(sql)
        return fetch(connection, sql, parameters)

    monkeypatch.setattr(aiosqlite.Connection, "execute_fetchall", execute_fetchall)
    return seen


class TestLoopsAndThreads:
    def test_one_object_on_several_event_loops(self, path):
        """One session object serves one asyncio.run after the other and leaves no thread."""
        session = SQLiteSession("s", path)
        before = in_use()
        for number in range(3):
            asyncio.run(session.add_items([user(str(number))]))
            until(lambda: no_more(before))
        assert contents(asyncio.run(session.get_items())) == ["0", "1", "2"]

    def test_one_object_in_several_threads(self, path):
        """Event loops in several threads use one session object at the same time."""
        session = SQLiteSession("s", path)
        start = threading.Barrier(4)

        async def add(thread):
            start.wait(TIMEOUT)
            for number in range(25):
                await session.add_items([user(f"{thread}-{number}"), assistant("x")])

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda thread: asyncio.run(add(thread)), range(4)))
        found = contents(asyncio.run(session.get_items()))
        assert found[1::2] == ["x"] * 100
        for thread in range(4):
            expected = [f"{thread}-{number}" for number in range(25)]
            assert [text for text in found if text.startswith(f"{thread}-")] == expected

    async def test_run_sync_in_a_thread_while_a_loop_runs(self, path):
        """The session of a running loop also serves a synchronous call in another thread."""
        session = SQLiteSession("s", path)
        agent = ScriptedAgent("one", "two", "three")
        await memwrap.run(agent, "a", session=session)
        await asyncio.to_thread(memwrap.run_sync, agent, "b", session=session)
        await memwrap.run(agent, "c", session=session)
        assert contents(agent.calls[2]) == ["a", "one", "b", "two", "c"]

    def test_loop_closed_without_shutdown(self, path):
        """After a loop that was closed carelessly a new one works, and the old threads end."""
        session = SQLiteSession("s", path)
        before = in_use()
        for number in range(5):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(session.add_items([user(str(number))]))
            loop.close()
        assert contents(asyncio.run(session.get_items())) == ["0", "1", "2", "3", "4"]
        until(lambda: no_more(before))

    def test_stopped_loop_may_go_on(self, path):
        """A loop that runs again later finds its connections open."""
        session = SQLiteSession("s", path)
        with closing(asyncio.new_event_loop()) as loop:
            for number in range(3):
                loop.run_until_complete(session.add_items([user(str(number))]))
                open_now = threading.active_count()
            assert contents(loop.run_until_complete(session.get_items())) == ["0", "1", "2"]
            assert threading.active_count() == open_now
            loop.run_until_complete(loop.shutdown_asyncgens())


class TestSharing:
    async def test_a_thousand_objects_share_two_threads(self, path):
        """Session objects on one file share its connections, however many there are."""
        threads, files = in_use()
        sessions = [SQLiteSession(f"s{number}", path) for number in range(1000)]
        await asyncio.gather(*(session.add_items([user("x")]) for session in sessions))
        for session in sessions:
            assert contents(await session.get_items()) == ["x"]
        threads_now, files_now = in_use()
        assert threads_now <= threads + 2
        assert files_now <= files + 8

    def test_an_object_and_a_loop_per_request(self, path):
        """Nothing is left behind by requests that each have an object and an event loop."""
        before = in_use()
        for number in range(30):
            asyncio.run(SQLiteSession(f"s{number}", path).add_items([user("x")]))
        until(lambda: no_more(before))
        assert not [key for key, _ in loops._resources if key[1] == path]

    async def test_closing_and_going_on_leaves_nothing(self, path):
        """A session that is closed after each use never holds more than one engine."""
        session = SQLiteSession("s", path)
        before = in_use()
        for _ in range(10):
            await session.add_items([user("x")])
            await session.close(linger=0)
            gc.collect()
            until(lambda: no_more(before))
        await session.add_items([user("x")])
        gc.collect()
        await asyncio.sleep(0)
        first = engine_of(path)
        assert len(await session.get_items()) == 11
        assert engine_of(path) is first

    async def test_closing_while_others_work(self, path):
        """Closing waits for what is under way, and what comes after opens the file again."""
        session = SQLiteSession("s", path)
        await session.add_items([user("first")])
        working = True

        async def add(number):
            await session.add_items([user(str(number))])
            for _ in range(number % 4):
                await asyncio.sleep(0)
            assert str(number) in contents(await session.get_items())
            await session.add_items([assistant(str(number))])

        async def close():
            while working:
                await session.close(linger=0)
                await asyncio.sleep(0)

        async with asyncio.timeout(TIMEOUT):
            closers = [asyncio.create_task(close()) for _ in range(3)]
            await asyncio.gather(*(add(number) for number in range(200)))
            working = False
            await asyncio.gather(*closers)
        assert len(await session.get_items()) == 401

    async def test_closing_waits_for_what_follows_a_write(self, path):
        """A write that begins when another has ended is not cut off by a closing that waited."""
        session = SQLiteSession("s", path)
        await session.get_items()

        async def add(*numbers):
            for number in numbers:
                await session.add_items([user(str(number))])

        async with asyncio.timeout(TIMEOUT):
            # 1 and 3 are committed together; when they have ended 2 begins and 4 waits for it
            await asyncio.gather(add(0), add(1, 2), add(3, 4), session.close())
        assert contents(await session.get_items()) == list("01324")

    async def test_closed_engine_leaves_its_successor_alone(self, path):
        """An engine that is closed, or closed again, does not take the next one with it."""
        session = SQLiteSession("s", path)
        await session.get_items()
        old = engine_of(path)
        await session.close(linger=0)
        await session.get_items()
        new = engine_of(path)
        assert new is not old
        await old.close()
        assert engine_of(path) is new
        await new.close()
        await new.read("SELECT 1", ())
        gc.collect()
        await asyncio.sleep(0.01)
        assert engine_of(path) is new
        assert new._reader is not None


class TestWrites:
    async def test_appends_that_wait_are_committed_together(self, path, statements):
        """Many appends at once are few statements, each append together and in its order."""
        session = SQLiteSession("s", path)
        await session.add_items([user("first")])
        statements.clear()
        texts = [[f"{number}-{part}" for part in range(3)] for number in range(200)]
        await asyncio.gather(*(session.add_items([user(t) for t in text]) for text in texts))
        assert len(statements) < 20
        assert contents(await session.get_items()) == [
            "first",
            *(t for text in texts for t in text),
        ]

    async def test_one_bad_append_spoils_no_other(self, path):
        """Of appends committed together only the one that the file refuses fails."""
        session = SQLiteSession("s", path)
        await session.add_items([user("first")])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "CREATE TRIGGER picky BEFORE INSERT ON agent_messages"
                " WHEN NEW.message_data LIKE '%bad%' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        texts = [f"{number}" if number % 7 else f"bad {number}" for number in range(50)]
        results = await asyncio.gather(
            *(session.add_items([user(text), assistant(text)]) for text in texts),
            return_exceptions=True,
        )
        for text, result in zip(texts, results, strict=True):
            assert isinstance(result, StoreError) == text.startswith("bad")
        kept = [text for text in texts if not text.startswith("bad")]
        assert contents(await session.get_items()) == ["first", *(t for t in kept for _ in "12")]

    async def test_order_of_calls_is_the_order_of_effects(self, path):
        """Appends, pops and clears take effect in the order in which they were called."""
        session = SQLiteSession("s", path)
        _, _, popped, _, _, _, again = await asyncio.gather(
            session.add_items([user("1")]),
            session.add_items([user("2")]),
            session.pop_item(),
            session.add_items([user("3")]),
            session.clear_session(),
            session.add_items([user("4"), user("5")]),
            session.pop_item(),
        )
        assert (popped, again) == (user("2"), user("5"))
        assert contents(await session.get_items()) == ["4"]

    async def test_commits_reach_the_disk(self, path):
        """Every commit is synchronised, which SQLite would save in its own default for WAL."""
        await SQLiteSession("s", path).add_items([user("x")])
        writer = engine_of(path)._writer
        assert list(await writer.execute_fetchall("PRAGMA synchronous")) == [(2,)]
        assert list(await writer.execute_fetchall("PRAGMA journal_mode")) == [("wal",)]
        assert list(await writer.execute_fetchall("PRAGMA secure_delete")) == [(1,)]


@types.coroutine
def cancelled_at(work, step):
    """Await *work*, and be cancelled at the given one of the places where it waits."""
    throw, value = work.send, None
    while True:
        try:
            future = throw(value)
        except StopIteration as stop:
            return stop.value
        if step == 0:
            asyncio.current_task().cancel()
        step -= 1
        try:
            value = yield future
            throw = work.send
        except BaseException as exc:
            value, throw = exc, work.throw


async def sweep(make, check):
    """Cancel the work of *make* at each place in turn, until it is no longer cancelled."""
    cancelled = 0
    for step in range(100):

        async def work(step=step):
            return await cancelled_at(make(), step)

        task = asyncio.create_task(work())
        await asyncio.wait({task}, timeout=TIMEOUT)
        assert task.done()
        await check()
        if not task.cancelled():
            task.result()
            assert cancelled
            return
        cancelled += 1
    raise AssertionError("cancelled for ever")


class TestCancellation:
    @pytest.mark.parametrize("count", [3, 1000])
    @pytest.mark.parametrize("fresh", [True, False])
    async def test_append_is_whole_or_not_at_all(self, path, fresh, count):
        """Wherever an append is cancelled it has happened or not, and the object goes on."""
        session = SQLiteSession("s", path)
        items = [user(str(number)) for number in range(count)]

        async def check():
            before = await session.get_items()
            assert before in ([], items)
            await session.add_items([user("after")])
            assert await session.get_items() == [*before, user("after")]
            await session.clear_session()
            if fresh:
                await session.close(linger=0)

        await check()
        await sweep(lambda: session.add_items(items), check)

    async def test_other_calls_can_be_cancelled(self, path):
        """A read, a pop or a clear that is cancelled leaves an object that works."""
        session = SQLiteSession("s", path)

        async def check():
            assert contents(await session.get_items()) in ([], ["1"], ["1", "2"])
            await session.clear_session()
            await session.add_items([user("1"), user("2")])

        for work in (session.get_items, session.pop_item, session.clear_session):
            await check()
            await sweep(work, check)

    async def test_cancelling_many_at_any_moment(self, path):
        """Appends cancelled while others are committed with them are whole or not there."""
        session = SQLiteSession("s", path)
        for ticks in range(30):
            tasks = [
                asyncio.create_task(session.add_items([user(str(n)), assistant(str(n))]))
                for n in range(10)
            ]
            for _ in range(ticks):
                await asyncio.sleep(0 if ticks % 2 else 0.0001)
            for task in tasks[::2]:
                task.cancel()
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            found = contents(await session.get_items())
            assert found[::2] == found[1::2] == sorted(set(found))
            for number, result in enumerate(results):
                assert isinstance(result, asyncio.CancelledError) or str(number) in found
            await session.clear_session()

    async def test_cancelled_append_has_ended(self, path, other_writer):
        """The cancellation reaches the caller when it is settled what became of the items."""
        session = SQLiteSession("s", path)
        await session.get_items()
        with other_writer(path):
            task = asyncio.create_task(session.add_items([user("x")]))
            await asyncio.wait({task}, timeout=0.05)
            task.cancel()
            await asyncio.wait({task}, timeout=0.05)
            assert not task.done()
        await asyncio.wait({task}, timeout=TIMEOUT)
        assert task.cancelled()
        assert contents(await session.get_items()) == ["x"]

    async def test_first_caller_may_leave_while_the_file_is_opened(self, path):
        """Those who wait for the file to be opened do not depend on who asked first."""
        session = SQLiteSession("s", path)
        first = asyncio.create_task(session.get_items())
        await asyncio.sleep(0)
        other = asyncio.create_task(session.add_items([user("x")]))
        await asyncio.sleep(0)
        first.cancel()
        await other
        assert contents(await session.get_items()) == ["x"]

    async def test_connection_that_nobody_waits_for_is_closed(self, path):
        """A file that is opened in vain is closed again."""
        session = SQLiteSession("s", path)
        before = in_use()
        for _ in range(5):
            task = asyncio.create_task(session.get_items())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            engine_of(path)._opening.cancel()
            await asyncio.wait({task})
            assert task.cancelled()
        async with asyncio.timeout(TIMEOUT):
            while not no_more(before):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await session.add_items([user("x")])
        assert contents(await session.get_items()) == ["x"]

    async def test_failure_that_nobody_saw_is_forgotten(self, tmp_path):
        """An opening that failed after its caller had left is tried again by the next."""
        session = SQLiteSession("s", tmp_path / "folder" / "chat.db")
        task = asyncio.create_task(session.get_items())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await asyncio.wait({engine_of(session._backend._path)._opening}, timeout=TIMEOUT)
        (tmp_path / "folder").mkdir()
        assert await session.get_items() == []


@pytest.fixture
def other_writer():
    """A connection of somebody else who is in the middle of a transaction."""

    class Writer:
        def __init__(self, path, begin="BEGIN IMMEDIATE"):
            self.path = path
            self.begin = begin

        def __enter__(self):
            self.connection = sqlite3.connect(self.path, isolation_level=None)
            self.connection.execute(self.begin)

        def __exit__(self, *exc):
            self.connection.execute("COMMIT")
            self.connection.close()

    return Writer


LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
input()
connection.execute("COMMIT")
connection.close()
"""


class TestOtherWriters:
    async def test_append_waits_for_another_process(self, path, process):
        """While another process writes, appends wait and reads do not; then all is stored."""
        session = SQLiteSession("s", path)
        await session.add_items([user("before")])
        child = process(LOCKING, path)
        assert await asyncio.to_thread(child.stdout.readline) == "locked\n"
        adding = [asyncio.create_task(session.add_items([user(str(n))])) for n in range(5)]
        done, _ = await asyncio.wait(adding, timeout=0.1)
        assert not done
        assert contents(await session.get_items()) == ["before"]
        await asyncio.to_thread(child.communicate, "\n")
        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*adding)
        assert contents(await session.get_items()) == ["before", *"01234"]

    @pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
    async def test_opening_waits_for_another_writer(self, path, other_writer, begin):
        """A new file that somebody else is writing to is opened when that has ended."""
        session = SQLiteSession("s", path)
        with other_writer(path, begin):
            tasks = [asyncio.create_task(session.add_items([user("x")])) for _ in range(3)]
            done, _ = await asyncio.wait(tasks, timeout=0.05)
            assert not done
        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*tasks)
        assert contents(await session.get_items()) == ["x", "x", "x"]

    async def test_waiting_has_an_end(self, path, other_writer, monkeypatch):
        """Who waits too long for another writer is told, and may try again."""
        session = SQLiteSession("s", path)
        await session.add_items([user("before")])
        monkeypatch.setattr("memwrap.sessions.sqlite.write.BUSY_SECONDS", 0.02)
        with other_writer(path):
            results = await asyncio.gather(
                *(session.add_items([user("x")]) for _ in range(3)), return_exceptions=True
            )
            for result in results:
                assert isinstance(result, StoreError)
                assert "locked" in str(result)
                assert isinstance(result.__cause__, sqlite3.OperationalError)
        assert contents(await session.get_items()) == ["before"]
        await session.add_items([user("after")])
        assert contents(await session.get_items()) == ["before", "after"]

    def test_locks_on_an_open_file_are_kept(self, path, script):
        """While the file is open here another process cannot have it for itself alone."""
        code = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
try:
    print(*connection.execute("PRAGMA journal_mode = DELETE").fetchone())
except sqlite3.OperationalError as error:
    print(error)
connection.close()
"""
        session = SQLiteSession("s", path)

        async def work():
            await session.add_items([user("x")])
            assert script(code, path) == "database is locked\n"
            await asyncio.to_thread(asyncio.run, session.get_items())
            assert script(code, path) == "database is locked\n"

        asyncio.run(work())
        assert script(code, path) == "delete\n"

    def test_many_processes_open_a_new_file_at_once(self, path, process):
        """Processes that create the file together all succeed, and no item is lost."""
        code = """
import asyncio, sys
from memwrap import SQLiteSession
from memwrap.items import user, assistant
async def main():
    session = SQLiteSession("s", sys.argv[1])
    input()
    for number in range(20):
        await session.add_items([user(f"{sys.argv[2]}-{number}"), assistant("x")])
asyncio.run(main())
print("done")
"""
        children = [process(code, path, str(number)) for number in range(4)]
        for child in children:
            child.stdin.write("\n")
            child.stdin.flush()
        assert [child.communicate(timeout=TIMEOUT)[0] for child in children] == ["done\n"] * 4
        found = [text for _, text in rows_in(path)]
        assert found[1::2] == ["x"] * 80
        for number in range(4):
            expected = [f"{number}-{i}" for i in range(20)]
            assert [text for text in found if text.startswith(f"{number}-")] == expected


PRELUDE = """
import asyncio, sys, threading
import memwrap
from memwrap import SQLiteSession, SQLiteStore, with_session
from memwrap.items import user
from memwrap.sessions import loops
import memwrap.sync_tasks
# A thread that has to be waited for in vain would be noticed.
loops.EXIT_SECONDS = memwrap.sync_tasks._EXIT_SECONDS = 300
session = SQLiteSession("s", sys.argv[1])
"""

SCRIPTS = {
    "session": """
async def main():
    await session.add_items([user("1")])
    print(len(await session.get_items()))
asyncio.run(main())
""",
    "several loops": """
for number in "123":
    asyncio.run(session.add_items([user(number)]))
""",
    "store": """
store = SQLiteStore(sys.argv[1])
async def main():
    await store.session("s").add_items([user("1")])
    print(await store.sessions())
asyncio.run(main())
""",
    "read only": """
asyncio.run(session.get_items())
asyncio.run(SQLiteSession("s", sys.argv[1]).add_items([user("1")]))
""",
    "run_sync": """
memwrap.run_sync(lambda items: "2", "1", session=session)
""",
    "sync agent": """
@with_session(session=session)
def agent(items):
    return str(len(items) + 1)
agent("1")
agent("3")
""",
    "sync stream left early": """
@with_session(session=session)
def agent(items):
    yield "2"
    yield "3"
asyncio.run(session.add_items([user("1")]))
for event in agent("x"):
    break
kept = agent("y")
next(kept)
""",
    "sync and async": """
@with_session(session=session)
def agent(items):
    return str(len(items) + 1)
agent("1")
asyncio.run(session.add_items([user("3")]))
agent("4")
""",
    "global alive in a cycle": """
session.self = session
async def main():
    session.task = asyncio.current_task()
    await session.add_items([user("1")])
asyncio.run(main())
""",
    "exit inside": """
async def main():
    await session.add_items([user("1")])
    sys.exit(0)
asyncio.run(main())
""",
    "file that cannot be opened": """
asyncio.run(session.add_items([user("1")]))
for _ in range(20):
    try:
        asyncio.run(SQLiteSession("s", sys.argv[1] + "/not a folder").get_items())
    except memwrap.StoreError:
        continue
    raise AssertionError
""",
    "thread with a loop that never ends": """
ready = threading.Event()
async def main():
    await session.add_items([user("1")])
    ready.set()
    await asyncio.sleep(1000)
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
ready.wait()
""",
}

BUSY_PRELUDE = """
import sqlite3
asyncio.run(session.add_items([user("1")]))
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("PRAGMA journal_mode = DELETE")
other.execute("BEGIN EXCLUSIVE")
"""

BUSY = {
    "given up": """
for _ in range(3):
    try:
        asyncio.run(asyncio.wait_for(session.get_items(), 0.05))
    except TimeoutError:
        continue
    raise AssertionError
other.execute("COMMIT")
other.close()
asyncio.run(session.add_items([user("2")]))
""",
    "busy at the end": """
async def main():
    asyncio.create_task(session.get_items())
    await asyncio.sleep(0.05)
asyncio.run(main())
other.close()
""",
}

CARELESS = {
    "loop never closed": """
loop = asyncio.new_event_loop()
loop.run_until_complete(session.add_items([user("1")]))
""",
    "loop closed without shutdown": """
loop = asyncio.new_event_loop()
loop.run_until_complete(session.add_items([user("1")]))
loop.close()
""",
}


class TestEndOfTheProgram:
    @pytest.mark.parametrize("flags", [(), ("-X", "dev", "-W", "error")], ids=["plain", "strict"])
    @pytest.mark.parametrize("name", SCRIPTS)
    def test_program_ends_without_closing(self, path, script, name, flags):
        """A program that never closes its session ends well and leaves one file, with all items."""
        script(PRELUDE + SCRIPTS[name], path, flags=flags)
        assert [file.name for file in Path(path).parent.iterdir()] == ["chat.db"]
        found = rows_in(path)
        assert found
        assert found == [("s", str(number)) for number in range(1, len(found) + 1)]

    @pytest.mark.parametrize("flags", [(), ("-X", "dev", "-W", "error")], ids=["plain", "strict"])
    @pytest.mark.parametrize("name", BUSY)
    def test_program_gives_a_busy_file_up(self, path, script, name, flags):
        """A program does not wait for a file that it has given up opening, and says nothing."""
        script(PRELUDE + BUSY_PRELUDE + BUSY[name], path, flags=flags)
        found = rows_in(path)
        assert found == [("s", str(number)) for number in range(1, len(found) + 1)]

    def test_busy_thread_does_not_hinder_the_end(self, path, script):
        """A daemon thread that stores until the last moment is cut off in silence."""
        code = """
import itertools, time
async def main():
    for number in itertools.count(1, 2):
        await asyncio.gather(*(session.add_items([user(str(number + n))]) for n in range(2)))
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
while len(asyncio.run(session.get_items())) < 10:
    pass
"""
        script(PRELUDE + code, path, flags=("-X", "dev", "-W", "error"))
        found = contents_of(path)
        assert found == [str(number) for number in range(1, len(found) + 1)]

    @pytest.mark.parametrize("name", CARELESS)
    def test_careless_program_ends_too(self, path, script, name):
        """A program that does not shut its event loop down ends just as well."""
        script(PRELUDE + CARELESS[name], path)
        assert [file.name for file in Path(path).parent.iterdir()] == ["chat.db"]
        assert rows_in(path) == [("s", "1")]


FORK = """
import gc, os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of forks and threads
@with_session(session=session)
def agent(items):
    return "answer"
"""


class TestFork:
    def test_child_and_parent_both_work(self, path, script):
        """After a fork both processes go on with the same object, also in the loop from before."""
        code = """
loop = asyncio.new_event_loop()
loop.run_until_complete(session.add_items([user("parent")]))
child = os.fork()
if not child:
    asyncio.run(session.add_items([user("child")]))
    loop.run_until_complete(session.add_items([user("child in the old loop")]))
    os._exit(len(asyncio.run(session.get_items())))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
loop.run_until_complete(session.add_items([user("parent again")]))
"""
        script(PRELUDE + FORK + code, path)
        assert contents_of(path) == [
            *("parent", "child", "child in the old loop", "parent again"),
        ]

    def test_child_ends_as_any_program(self, path, script):
        """What a child inherits is not closed in it, and nothing complains about that."""
        code = """
agent("parent")
child = os.fork()
agent("child" if not child else "parent again")
asyncio.run(session.get_items())
gc.collect()
if child:
    assert os.waitpid(child, 0)[1] == 0
    agent("parent at last")
"""
        script(PRELUDE + FORK + code, path, flags=("-X", "dev", "-W", "error"))
        found = contents_of(path)
        assert found[1::2] == ["answer"] * 4
        assert sorted(found[2:6:2]) == ["child", "parent again"]
        assert (found[0], found[6]) == ("parent", "parent at last")

    def test_fork_inside_a_loop(self, path, script):
        """A child made while an event loop runs leaves its parent's connections alone."""
        code = """
import multiprocessing
def work():
    agent("child")
async def main():
    await session.add_items([user("parent")])
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    await asyncio.to_thread(child.join)
    assert child.exitcode == 0
    await session.add_items([user("parent again")])
asyncio.run(main())
"""
        script(PRELUDE + FORK + code, path, flags=("-X", "dev", "-W", "error"))
        assert contents_of(path) == ["parent", "child", "answer", "parent again"]


async def test_stores_and_sessions_share_the_engine(path):
    """A store and session objects on one file are one engine, other tables another."""
    engine = engine_of(path)
    store = SQLiteStore(path)
    await store.session("s").add_items([user("x")])
    await SQLiteSession("s", path).get_items()
    assert engine_of(path) is engine
    assert engines.engine_for(path, Tables("a", "b")) is not engine
    assert len([key for key, _ in loops._resources if key[1] == path]) == 2


def test_loop_that_goes_on_after_its_shutdown(path):
    """A loop that has shut down its generators may go on, without a warning, and leaks nothing."""
    session = SQLiteSession("s", path)
    loop = asyncio.new_event_loop()
    before = in_use()
    for number in range(3):
        loop.run_until_complete(session.add_items([user(str(number))]))
        loop.run_until_complete(loop.shutdown_asyncgens())
    assert contents(loop.run_until_complete(session.get_items())) == ["0", "1", "2"]
    loop.run_until_complete(session.close())
    loop.close()
    until(lambda: no_more(before))
