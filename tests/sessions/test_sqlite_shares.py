"""Who uses a file: it stays open for them, and is closed a while after the last."""

import asyncio
import gc
import sqlite3
import threading
from functools import partial
from pathlib import Path

import pytest
from support import TIMEOUT

from memwrap import ConfigurationError, SQLiteSession, SQLiteStore, StoreError, with_session
from memwrap.items import user
from memwrap.sessions import loops, shares
from memwrap.sessions.sqlite import connection, engines
from memwrap.sessions.sqlite.engine import engine_key
from memwrap.sessions.sqlite.schema import Tables


def is_open(path):
    return Path(f"{path}-wal").exists()


def engine_of(path, durability="power"):
    return engines.found_engine(path, Tables(), durability)


async def until_closed(path):
    async with asyncio.timeout(TIMEOUT):
        while is_open(path):  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@pytest.fixture
def short(monkeypatch):
    """Let files linger for a moment when their users vanish."""
    monkeypatch.setattr(shares, "LINGER_SECONDS", 0.02)


def using(kind, path):
    """Return an object on the file, and a function that uses it."""
    if kind == "store":
        store = SQLiteStore(path)
        return store, lambda: store.session("s").add_items([user("x")])
    session = SQLiteSession("s", path)
    return session, lambda: session.add_items([user("x")])


KINDS = pytest.mark.parametrize("kind", ["session", "store"])


@KINDS
async def test_file_is_closed_a_while_after_the_last(kind, path):
    """What is closed last leaves the file open for a while, and closed then."""
    last, use = using(kind, path)
    await use()
    await last.close(linger=0.05)
    assert is_open(path)
    await until_closed(path)
    assert loops.find(engine_key(path, Tables(), "power")) is None


@KINDS
async def test_who_comes_meanwhile_finds_it_open(kind, path):
    """An object for each request finds the engine that the one before has left."""
    found = set()
    for _ in range(20):
        one, use = using(kind, path)
        await use()
        found.add(engine_of(path).number)
        await one.close()
    assert len(found) == 1
    one, use = using(kind, path)
    await use()
    await asyncio.sleep(0)
    await one.close(linger=0.02)
    other, use = using(kind, path)
    await use()
    await asyncio.sleep(0.06)
    assert is_open(path)
    assert engine_of(path).number in found
    await other.close(linger=0)
    assert not is_open(path)


@KINDS
async def test_objects_that_vanish_give_back_their_share(kind, path, short):
    """A file is closed when all objects on it are gone, though nobody closed one."""
    kept, use = using(kind, path)
    await use()
    for _ in range(3):
        gone, also = using(kind, path)
        await also()
    del gone, also
    gc.collect()
    await asyncio.sleep(0.06)
    assert is_open(path)
    del kept, use
    gc.collect()
    await until_closed(path)


async def test_objects_may_vanish_in_another_thread(path, short):
    """An object that is dropped in a thread without a loop gives back its share too."""
    holder = [SQLiteSession("s", path)]
    await holder[0].add_items([user("x")])
    dropping = threading.Thread(target=lambda: (holder.clear(), gc.collect()))
    dropping.start()
    await until_closed(path)
    dropping.join()


@KINDS
async def test_neighbours_are_not_interrupted(kind, path):
    """Turns go on, unhindered, while other objects on the file are closed all the time."""
    steady = SQLiteSession("steady", path)
    await steady.get_items()
    number = engine_of(path).number
    seen = []

    @with_session(session=steady)
    async def agent(items):
        seen.append(len(items))
        await asyncio.sleep(0.001)
        return "ok"

    async def closing():
        while len(seen) < 20:
            one, use = using(kind, path)
            await use()
            await one.close(linger=0)
            await one.close(linger=0)

    async def asking():
        while len(seen) < 20:
            await agent("q")

    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(closing(), asking(), closing())
    assert seen == list(range(1, 41, 2))
    assert engine_of(path).number == number


@KINDS
async def test_closed_objects_take_a_share_when_used_again(kind, path):
    """What was closed and is used again keeps the file open like any other."""
    one, use = using(kind, path)
    other = SQLiteSession("other", path)
    await use()
    await other.get_items()
    await one.close(linger=0)
    await use()
    await other.close(linger=0)
    assert is_open(path)
    await one.close(linger=0)
    assert not is_open(path)


async def test_closing_what_was_never_used_opens_nothing(path):
    """An object that has not been used has no share, and closing it makes no file."""
    await SQLiteSession("s", path).close(linger=0)
    await SQLiteStore(path).close()
    assert not Path(path).exists()


async def test_work_under_way_is_waited_for(path):
    """A file whose last user left while a write is under way is closed behind the write."""
    session = SQLiteSession("s", path)
    await session.add_items([user("0")])
    engine = engine_of(path)
    adding = asyncio.create_task(session.add_items([user("1")]))
    while engine.rests:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await session.close(linger=0.001)
    await adding
    await until_closed(path)
    assert len(await session.get_items()) == 2
    await session.close(linger=0)


@pytest.mark.parametrize("linger", [1.0, 1e-9])
def test_end_of_the_loop_closes_what_lingers(linger, path):
    """A program that ends while a file lingers, or is being closed, leaves it closed."""

    async def main():
        session = SQLiteSession("s", path)
        await session.add_items([user("x")])
        await session.close(linger=linger)
        assert is_open(path)

    for _ in range(10):
        asyncio.run(main())
        assert not is_open(path)


# Durability


def level_of(engine):
    """Return the level of an engine's writer, as SQLite itself tells it."""
    return engine._writer.execute_fetchall("PRAGMA synchronous")


@KINDS
@pytest.mark.parametrize(("durability", "level"), [("power", 2), ("process", 1)])
async def test_durability_is_what_the_connection_has(kind, durability, level, path):
    """What a session or store promises is the level that its connection has."""
    make = SQLiteStore if kind == "store" else partial(SQLiteSession, "s")
    one = make(path, durability=durability)
    assert one.promises.durability == durability
    session = one.session("s") if kind == "store" else one
    assert session.promises.durability == durability
    await session.add_items([user("x")])
    assert await level_of(engine_of(path, durability)) == [(level,)]
    await one.close(linger=0)


async def test_each_durability_is_its_own(path):
    """Objects on one file that promise differently keep to what each promises."""
    safe, fast = SQLiteStore(path), SQLiteStore(path, durability="process")
    await safe.session("s").add_items([user("1")])
    await fast.session("s").add_items([user("2")])
    await safe.session("s").add_items([user("3")])
    assert await level_of(engine_of(path)) == [(2,)]
    assert await level_of(engine_of(path, "process")) == [(1,)]
    texts = [item["content"] for item in await fast.session("s").get_items()]
    assert texts == ["1", "2", "3"]
    assert fast.session("s").identity == safe.session("s").identity
    await safe.close(linger=0)
    await fast.close(linger=0)


@pytest.mark.parametrize("durability", ["full", "", None, 1, "POWER"])
def test_unknown_durability_is_refused(durability, path):
    """A durability that there is not is refused at once, with those that there are."""
    for make in (SQLiteStore, partial(SQLiteSession, "s")):
        with pytest.raises(ConfigurationError, match="durability is 'power' or 'process'"):
            make(path, durability=durability)


@pytest.mark.parametrize("version", [(3, 34, 1), (3, 8, 0)])
async def test_old_sqlite_is_refused(version, path, monkeypatch):
    """A SQLite that does not know all statements is an error that names both versions."""
    text = ".".join(map(str, version))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", text)
    with pytest.raises(StoreError, match=rf"SQLite {text}; memwrap needs 3\.35 or newer"):
        await SQLiteSession("s", path).get_items()
    assert not Path(path).exists()
    monkeypatch.undo()
    assert connection._OLDEST <= sqlite3.sqlite_version_info
    session = SQLiteSession("s", path)
    assert await session.get_items() == []
    await session.close(linger=0)
