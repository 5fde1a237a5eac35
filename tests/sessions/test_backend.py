"""What back ends do alike, and that little is needed to be one."""

import secrets
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from memwrap import InMemoryStore, PostgresStore, RedisStore, SQLiteStore, StoreError, run, undo
from memwrap.items import assistant, user
from memwrap.sessions.backend import Claim, RecordedRows, Rows, RowWindow
from memwrap.sessions.base import Promises
from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.in_memory import MemoryBackend
from memwrap.sessions.sqlite.database import SQLiteBackend
from memwrap.sessions.sqlite.schema import Tables
from memwrap.sessions.turns import TurnRecord
from memwrap.testing import ScriptedAgent, SessionContract


class Bytes:
    """A back end that stores bytes and nothing else."""

    promises = Promises(isolated=True, settles=True, turns=True)

    def __init__(self):
        self.rows, self.turns, self.secret = {}, {}, secrets.token_bytes(32)
        self.next = 1

    def identity(self, session_id):
        return (self, session_id)

    def place(self, session_id):
        return f"bytes, session {session_id!r}"

    async def add(self, session_id, rows):
        for row in rows:
            self.rows.setdefault(session_id, {})[self.next] = row
            self.next += 1

    async def get(self, session_id, limit, *, joined, before=None):
        rows = self.rows.get(session_id, {}).items()
        rows = [row for row in rows if before is None or row[0] < before]
        rows = rows[-limit if limit else None :]
        return Rows([number for number, _ in rows], [row for _, row in rows], self.next)

    async def pop(self, session_id, readable, own=()):
        rows = self.rows.get(session_id) or {}
        newest = next(reversed(rows.items()), None)
        if newest and readable(newest[1]):
            del rows[newest[0]]
        return newest

    async def clear(self, session_id, own=()):
        self.rows.pop(session_id, None)

    async def begin(self, session_id, token, lease, window):
        limit = window.limit
        return Rows((), ()) if limit == 0 else await self.get(session_id, limit, joined=True)

    async def commit(self, session_id, rows, record, claim):
        first = self.next
        await self.add(session_id, rows)
        turns = self.turns.setdefault(session_id, [])
        turns.append((first, self.next - 1, record._replace(answers=0)))
        return True

    async def key(self):
        return self.secret

    async def find(self, session_id, turn_id):
        for first, last, record in self.turns.get(session_id, []):
            if record.turn_id == turn_id:
                rows = {n: r for n, r in self.rows[session_id].items() if first <= n <= last}
                return RecordedRows(record, Rows(list(rows), list(rows.values())), last + 1 - first)
        return None

    async def ranges(self, session_id, first=0):
        turns = self.turns.get(session_id, [])
        return [(begin, end) for begin, end, _ in turns if end >= first]

    async def cut(self, session_id, first, last, count):
        rows = self.rows[session_id].items()
        left = {n: row for n, row in rows if not first <= n <= last}
        if len(rows) - len(left) != count:
            return False
        self.rows[session_id] = left
        return True


class TestBytes(SessionContract):
    def session(self, session_id):
        self.backend = getattr(self, "backend", None) or Bytes()
        return DatabaseSession(session_id, self.backend)

    shared = True


class Sealed:
    """A back end around another one: no byte inside is what was handed in."""

    def __init__(self, inside):
        self.inside = inside

    def __getattr__(self, name):
        return getattr(self.inside, name)

    @staticmethod
    def _turned(row):
        return bytes(255 - byte for byte in row) if isinstance(row, bytes) else row

    def _open(self, rows):
        assert rows is None or not isinstance(rows.data, bytes)
        return rows and rows._replace(data=[self._turned(row) for row in rows.data])

    async def add(self, session_id, rows):
        await self.inside.add(session_id, [self._turned(row) for row in rows])

    async def get(self, session_id, limit, *, joined, before=None):
        return self._open(await self.inside.get(session_id, limit, joined=False, before=before))

    async def begin(self, session_id, token, lease, window):
        if await self.inside.begin(session_id, token, lease, RowWindow(0)) is None:
            return None
        return await self.get(session_id, window.limit, joined=False)

    async def commit(self, session_id, rows, record, claim):
        rows = [self._turned(row) for row in rows]
        return await self.inside.commit(session_id, rows, record, claim)

    async def find(self, session_id, turn_id):
        found = await self.inside.find(session_id, turn_id)
        return found and found._replace(rows=self._open(found.rows))

    async def pop(self, session_id, readable, own=()):
        popped = await self.inside.pop(session_id, lambda row: readable(self._turned(row)), own)
        return popped and (popped[0], self._turned(popped[1]))


@pytest.fixture(params=["bytes", "memory", "file", "sealed", "postgres", "redis"])
def backend(request, path):
    return {
        "postgres": lambda: postgres_of(request),
        "redis": lambda: redis_of(request),
        "bytes": Bytes,
        "memory": MemoryBackend,
        "file": lambda: SQLiteBackend(path, Tables()),
        "sealed": lambda: Sealed(Bytes()),
    }[request.param]()


@pytest.fixture(params=["memory", "file", "postgres", "redis"])
def own(request, path):
    if request.param in {"postgres", "redis"}:
        return postgres_of(request) if request.param == "postgres" else redis_of(request)
    return MemoryBackend() if request.param == "memory" else SQLiteBackend(path, Tables())


def postgres_of(request):
    url, tenant = request.getfixturevalue("postgres_url"), request.getfixturevalue("tenant")
    return PostgresStore(url, tenant=tenant)._backend


def redis_of(request):
    url, tenant = request.getfixturevalue("redis_url"), request.getfixturevalue("tenant")
    return RedisStore(url, tenant=tenant)._backend


async def test_turns_run_on_any_back_end(backend):
    """A turn is stored, found by its id, and undone, whatever keeps the rows."""
    session = DatabaseStore(backend).session("s")
    agent = ScriptedAgent("2", "4")
    await run(agent, "1", session=session, turn_id="a")
    await run(agent, "3", session=session, turn_id="b")
    assert await run(agent, "1", session=session, turn_id="a") == "2"
    assert agent.calls[1] == [user("1"), assistant("2"), user("3")]
    assert await undo(session) == [[user("3"), assistant("4")]]
    assert await session.get_items() == [user("1"), assistant("2")]
    assert await session.pop_item() == assistant("2")


async def test_damage_is_told_alike(backend):
    """A damaged row is left out, counted and told, stays when popped, and keeps undo away."""
    session = DatabaseSession("s", backend)
    await session.add_items([user("1")])
    await backend.add("s", [b"hush", b"{"])
    for call in (session.get_items, lambda: run_turn(session)):
        with pytest.warns(UserWarning, match=r"session 's': rows \[.*\] are damaged and left"):
            assert await call() == [user("1")]
        assert session.damaged_items == 2
    with pytest.raises(StoreError, match="session 's': the newest row, .* was not removed"):
        await session.pop_item()
    with pytest.raises(StoreError, match="session 's': rows .* nothing was undone"):
        await session.undo_turns(1)
    strict = DatabaseStore(backend, strict=True).session("s")
    for call in (strict.get_items, lambda: run_turn(strict), lambda: run_turn(strict)):
        with pytest.raises(StoreError, match=r"session 's': rows \[.*\] are damaged$") as caught:
            await call()
        assert "hush" not in str(caught.value)
        assert strict.damaged_items == 2
    assert len((await backend.get("s", None, joined=False)).ids) == 3


async def run_turn(session):
    opened = await session.begin_turn("t", lease=30.0)
    assert opened is not None, "a lease was not given back"
    await session.release_turn(opened)
    return opened.history


async def test_rows_are_bytes_and_no_items(own):
    """What is no JSON at all is kept, handed out and removed as it is."""
    rows = [b"\x00\xff".hex().encode(), b"", b"not json"]
    await own.add("s", rows)
    found = await own.get("s", None, joined=False)
    assert found.data == rows
    assert list(found.ids) == sorted(set(found.ids))
    assert await own.pop("s", lambda row: False) == (found.ids[2], rows[2])
    assert await own.pop("s", lambda row: row == rows[2]) == (found.ids[2], rows[2])
    assert (await own.get("s", 1, joined=False)).data == [b""]
    assert await own.pop("unknown", lambda row: True) is None


async def test_numbers_of_rows_never_come_again(own):
    """A row that was added after another was removed has a number that none had before."""
    await own.add("s", [b"{}", b"{}"])
    before = (await own.get("s", None, joined=False)).ids
    await own.pop("s", lambda row: True)
    await own.add("s", [b"{}"])
    assert (await own.get("s", 1, joined=False)).ids[0] > before[-1]
    await own.clear("s")
    await own.add("s", [b"{}"])
    assert (await own.get("s", 1, joined=False)).ids[0] > before[-1] + 1


async def test_cut_leaves_what_came_after(own):
    """Only rows of the range go, with the turns that they were of, and later turns stay whole."""
    for turn_id in "abc":
        claim = Claim(turn_id, None, None, again=False)
        assert await own.commit("s", [b"{}", b"{}"], TurnRecord(turn_id), claim)
        await own.add("other", [b"{}"])
    (_, last), _ = (await own.ranges("s"))[:2]
    first, last = last + 1, (await own.ranges("s"))[1][1]
    assert await own.ranges("s", first) == (await own.ranges("s"))[1:]
    assert not await own.cut("s", first, last, 3)
    assert len((await own.get("s", None, joined=False)).ids) == 6
    assert await own.cut("s", first, last, 2)
    assert len((await own.get("s", None, joined=False)).ids) == 4
    assert [await own.find("s", turn_id) is not None for turn_id in "abc"] == [True, False, True]
    assert (await own.find("s", "c")).size == len((await own.find("s", "c")).rows.ids) == 2
    assert len((await own.get("other", None, joined=False)).ids) == 3


async def test_question_and_answer_are_one_range(own):
    """Of a question that was answered no record of its own is left."""
    for turn_id, answers in (("q", 0), ("a", 2)):
        record = TurnRecord(turn_id, "f", "unanswered" if turn_id == "q" else "text", 0, answers)
        claim = Claim(turn_id, None, None, again=False)
        assert await own.commit("s", [b"{}", b"{}"], record, claim)
    ids = (await own.get("s", None, joined=False)).ids
    assert await own.ranges("s") == [(ids[0], ids[-1])]
    assert await own.find("s", "q") is None
    assert (await own.newest("s")).record == TurnRecord("a", "f", "text", 0, 2)


async def test_newest_turn_with_a_damaged_row_is_none(path):
    """A turn that the history shows in part only is not handed out as the newest."""
    session = SQLiteStore(path).session("s")
    await run(ScriptedAgent("2"), "1", session=session)
    assert (await session.newest_turn()).items == 2
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE agent_messages SET message_data = '{' WHERE id = 1")
        connection.commit()
    assert await session.newest_turn() is None


async def test_undo_leaves_what_others_add_meanwhile(own, monkeypatch):
    """An item that is added between the reading and the removal of a turn stays."""
    session = DatabaseSession("s", own)
    await run(ScriptedAgent("2"), "1", session=session)
    ranges = type(own).ranges

    async def overtaken(backend, session_id, first):
        await session.add_items([user("late")])
        return await ranges(backend, session_id, first)

    monkeypatch.setattr(type(own), "ranges", overtaken)
    assert await session.undo_turns(1) == [[user("1"), assistant("2")]]
    assert await session.get_items() == [user("late")]


async def test_undo_of_what_others_removed_is_none(own, monkeypatch):
    """When an item goes between the reading and the removal of a turn, the others stay."""
    session = DatabaseSession("s", own)
    await run(ScriptedAgent("2"), "1", session=session)
    ranges = type(own).ranges

    async def overtaken(backend, session_id, first):
        await session.pop_item()
        return await ranges(backend, session_id, first)

    monkeypatch.setattr(type(own), "ranges", overtaken)
    with pytest.raises(StoreError, match="somebody else changed it"):
        await session.undo_turns(1)
    assert await session.get_items() == [user("1")]


class TestTurnKey:
    async def test_is_one_for_a_store(self, path):
        """All sessions of a store have one secret of 32 bytes, and two stores have two."""
        for store, other in (
            (InMemoryStore(), InMemoryStore()),
            (SQLiteStore(path), SQLiteStore(path, messages_table="others")),
        ):
            key = await store.session("a").turn_key()
            assert type(key) is bytes
            assert len(key) == 32
            assert await store.session("b").turn_key() == key
            assert await other.session("a").turn_key() != key

    async def test_stays_in_the_file(self, path):
        """The secret is the same after the file was closed, and not with another file there."""
        store = SQLiteStore(path)
        session = store.session("s")
        key = await session.turn_key()
        await store.close(linger=0)
        assert await session.turn_key() == key
        Path(path).unlink()
        newer = await session.turn_key()
        assert newer != key
        Path(path).unlink()
        await session.get_items()  # the connections are to the new file by now
        assert await session.turn_key() not in {key, newer}

    def test_is_one_across_processes(self, path):
        """Processes that ask for the first time at once get the same secret."""
        code = (
            "import asyncio, sys; from memwrap import SQLiteSession\n"
            "async def main():\n"
            "    s = SQLiteSession('s', sys.argv[1]); sys.stdin.readline()\n"
            "    print((await s.turn_key()).hex()); await s.close()\n"
            "asyncio.run(main())\n"
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        children = [subprocess.Popen([sys.executable, "-c", code, path], **pipes) for _ in range(4)]
        for child in children:
            child.stdin.write("\n")
            child.stdin.flush()
        keys = {child.communicate(timeout=30)[0] for child in children}
        assert len(keys) == 1
        assert len(keys.pop().strip()) == 64

    async def test_shows_nowhere(self, path):
        """Neither reprs nor logs of the driver show the secret."""
        session = SQLiteStore(path).session("s")
        key = await session.turn_key()
        assert key.hex() not in repr(session)
        assert repr(key) not in repr(vars(session))
