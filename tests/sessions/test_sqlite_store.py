"""Stores of sessions in a SQLite file."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import ids_of

from memwrap import ConfigurationError, SQLiteSession, SQLiteStore, StoreError, with_session
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent


def execute(path, sql):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


async def test_sessions_are_those_of_the_file(path):
    """A store and sessions made without it are the same conversations."""
    store = SQLiteStore(Path(path))
    await SQLiteSession("a", path).add_items([user("1")])
    assert await store.session("a").get_items() == [user("1")]
    assert store.session("a").identity == SQLiteSession("a", path).identity
    assert await ids_of(SQLiteStore(path)) == ["a"]


async def test_memory_store_is_the_object_own():
    """Without a file the conversations belong to the store object."""
    store, other = SQLiteStore(":memory:"), SQLiteStore(":memory:")
    await store.session("a").add_items([user("1")])
    assert await store.session("a").get_items() == [user("1")]
    assert await other.sessions() == []


async def test_store_survives_the_process(path, script):
    """Another process finds what was stored, and what it stores is found here."""
    code = """
import asyncio, sys
from memwrap import SQLiteStore
from memwrap.items import user
async def main():
    async with SQLiteStore(sys.argv[1]) as store:
        print(*[(info.session_id, info.item_count) for info in await store.sessions()])
        await store.session("b").add_items([user("x")] * 2)
asyncio.run(main())
"""
    store = SQLiteStore(path)
    await store.session("a").add_items([user("1")])
    assert await asyncio.to_thread(script, code, path) == "('a', 1)\n"
    assert {info.session_id: info.item_count for info in await store.sessions()} == {"a": 1, "b": 2}


@pytest.mark.parametrize("time", ["NULL", "'yesterday'", "x'00ff'", "''", "17", "1e300"])
async def test_foreign_times_fail_no_list(path, time):
    """A time that is none is left to the other time of the session, and else is the epoch."""
    store = SQLiteStore(path)
    for session_id in "ab":
        await store.session(session_id).add_items([user("1")])
    execute(path, f"UPDATE agent_sessions SET created_at = {time} WHERE session_id = 'a'")
    by_id = {info.session_id: info for info in await store.sessions()}
    assert by_id["a"].created_at == by_id["a"].updated_at <= by_id["b"].created_at
    execute(path, f"UPDATE agent_sessions SET updated_at = {time}")
    by_id = {info.session_id: info for info in await store.sessions()}
    assert by_id["a"].created_at == datetime.fromtimestamp(0, UTC)
    assert by_id["b"].created_at == by_id["b"].updated_at > by_id["a"].created_at


@pytest.mark.parametrize("time", ["NULL", "x'00ff'", "17"])
async def test_pages_go_on_behind_a_foreign_time(path, time):
    """Each session is on one page, whatever its time is."""
    store = SQLiteStore(path)
    for session_id in "abc":
        await store.session(session_id).add_items([user("1")])
    execute(path, f"UPDATE agent_sessions SET updated_at = {time} WHERE session_id < 'c'")
    found, after = [], None
    while page := await store.sessions(limit=1, after=after):
        after = page[0].session_id
        found.append(after)
    assert sorted(found) == ["a", "b", "c"]


async def test_times_with_an_offset_become_utc(path):
    """A time that another writer stored with an offset is turned into UTC."""
    store = SQLiteStore(path)
    await store.session("s").add_items([user("1")])
    execute(path, "UPDATE agent_sessions SET created_at = '2026-01-01 12:00:00+02:00'")
    (info,) = await store.sessions()
    assert info.created_at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert info.created_at.tzinfo is UTC


async def test_custom_tables_are_listed_apart(path):
    """A store on tables of its own sees the sessions in them and no others."""
    store = SQLiteStore(path, sessions_table="talks", messages_table="lines")
    await store.session("a").add_items([user("1")])
    assert await ids_of(store) == ["a"]
    assert await SQLiteStore(path).sessions() == []
    with pytest.raises(ConfigurationError):
        SQLiteStore(path, sessions_table="a b")


async def test_pages_of_sessions_of_one_moment(path):
    """Sessions whose times are the same are each on one page."""
    store = SQLiteStore(path)
    ids = {f"s{number}" for number in range(9)}
    for session_id in ids:
        await store.session(session_id).add_items([user("x")])
    execute(path, "UPDATE agent_sessions SET updated_at = '2026-01-01 00:00:00'")
    pages, after = [], None
    while page := await ids_of(store, limit=2, after=after):
        pages += page
        after = page[-1]
    assert len(pages) == 9
    assert set(pages) == ids


def files_beside(path):
    return sorted(file.name for file in Path(path).parent.iterdir())


async def test_block_closes_the_file(path):
    """At the end of `async with` the file is closed, also when the block fails."""
    with pytest.raises(KeyError):
        async with SQLiteStore(path) as store:
            await store.session("s").add_items([user("x")])
            raise KeyError
    assert [file.name for file in Path(path).parent.iterdir()] == ["chat.db"]


async def test_closing_keeps_the_others_working(path):
    """Closing gives back one's own share: the file is closed with the last, and opened again."""
    store = SQLiteStore(path)
    session = SQLiteSession("s", path)
    await session.add_items([user("1")])
    await store.close(linger=0)
    await store.session("s").add_items([user("2")])
    await store.close(linger=0)
    assert files_beside(path) == ["chat.db", "chat.db-shm", "chat.db-wal"]
    await session.close(linger=0)
    assert files_beside(path) == ["chat.db"]
    await session.add_items([user("3")])
    assert len(await store.session("s").get_items()) == 3
    await session.close(linger=0)
    assert files_beside(path) == ["chat.db", "chat.db-shm", "chat.db-wal"]
    await store.close(linger=0)
    assert files_beside(path) == ["chat.db"]


async def test_failing_store_is_told(path, caplog):
    """Listing and deleting in a file that fails raise a StoreError with its cause, and no ids."""
    caplog.set_level(logging.DEBUG)
    store = SQLiteStore(path)
    await store.session("hush").add_items([user("hush")])
    execute(path, "DROP TABLE agent_sessions")
    for call in (store.sessions(), store.sessions(after="hush"), store.delete("hush")):
        with pytest.raises(StoreError, match="agent_sessions") as caught:
            await call
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        assert "hush" not in str(caught.value)
    assert "hush" not in caplog.text


async def test_deleted_session_is_gone_from_the_file(path):
    """Deleting removes the rows of the session and of its items, and no others."""
    store = SQLiteStore(path)
    await store.session("a").add_items([user("1")])
    await store.session("b").add_items([user("2")])
    await store.delete("a")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT session_id FROM agent_sessions").fetchall() == [("b",)]
        assert connection.execute("SELECT session_id FROM agent_messages").fetchall() == [("b",)]


async def test_clearing_spares_what_comes_after(path):
    """Items added right after a clearing has begun are not cleared with it."""
    store = SQLiteStore(path)
    session = store.session("s")
    await session.add_items([user("old")])
    for number in range(20):
        await asyncio.gather(session.clear_session(), session.add_items([user(str(number))]))
        assert await session.get_items() == [user(str(number))]


async def test_agent_with_a_store(path):
    """Ids given at the call are sessions in the store of the decorator."""
    script = ScriptedAgent("1", "2", "3")
    store = SQLiteStore(path)
    agent = with_session(script, store=store)
    await agent("a", session="one")
    await agent("b", session="two")
    await agent("c", session="one")
    assert script.calls[2] == [user("a"), assistant("1"), user("c")]
    assert {info.session_id: info.item_count for info in await store.sessions()} == {
        "one": 4,
        "two": 2,
    }
