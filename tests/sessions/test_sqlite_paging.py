"""Long sessions are read in pages, which together are the session of one moment."""

import asyncio
import warnings

import pytest
from support import query

from memwrap import SQLiteSession, StoreError
from memwrap.items import user
from memwrap.sessions.sqlite import engines, paging
from memwrap.sessions.sqlite.engine import Engine
from memwrap.sessions.sqlite.schema import Tables


@pytest.fixture
async def session(path, monkeypatch):
    """A session of 100 items, read in pages of 7, beside another."""
    monkeypatch.setattr(paging, "PAGE", 7)
    session = SQLiteSession("s", path)
    other = SQLiteSession("other", path)
    for number in range(0, 100, 10):
        await session.add_items([user(str(n)) for n in range(number, number + 10)])
        await other.add_items([user("other")])
    yield session
    await session.close(linger=0)
    await other.close(linger=0)


def numbers(items):
    return [int(item["content"]) for item in items]


@pytest.mark.parametrize("limit", [None, 1, 6, 7, 8, 14, 99, 100, 101, 10**30])
async def test_pages_are_the_session(session, limit):
    """All pages together are the items in their order, whatever the limit."""
    found = numbers(await session.get_items(limit))
    assert found == list(range(100))[-(limit or 100) :]


async def test_numbers_of_rows_are_those_of_the_items(session, path):
    """With a limit the numbers of the rows come with them."""
    rows = await session._backend.get("s", 50, joined=True)
    stored = query(path, "SELECT id FROM agent_messages WHERE session_id = 's' ORDER BY id")
    assert list(rows.ids) == [number for (number,) in stored][-50:]
    assert rows.head == stored[-1][0]


class Between:
    """Does something between two reads of an engine."""

    def __init__(self, monkeypatch, change, at=3):
        self.reads = 0
        read = Engine.read

        async def reading(engine, sql, parameters):
            self.reads += 1
            if self.reads == at:
                await change()
            return await read(engine, sql, parameters)

        monkeypatch.setattr(Engine, "read", reading)


async def test_appends_meanwhile_are_not_seen(session, monkeypatch):
    """What is added while pages are read is not among them."""
    between = Between(monkeypatch, lambda: session.add_items([user("100")]))
    assert numbers(await session.get_items()) == list(range(100))
    assert between.reads > 15
    assert numbers(await session.get_items()) == list(range(101))


CHANGES = {
    "popped": (lambda session: session.pop_item(), list(range(99))),
    "cleared": (lambda session: session.clear_session(), []),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("at", [2, 3, 10, 16])
async def test_removals_meanwhile_are_noticed(session, monkeypatch, change, at):
    """What is removed while pages are read is not among them, and neither is half of the rest."""
    act, left = CHANGES[change]
    Between(monkeypatch, lambda: act(session), at=at)
    assert numbers(await session.get_items()) == left


async def test_removals_all_the_time(session, monkeypatch):
    """A session whose rows vanish each time is read at once in the end."""
    read, is_popping = Engine.read, False

    async def reading(engine, sql, parameters):
        nonlocal is_popping
        if "BETWEEN" in sql and not is_popping:
            is_popping = True
            await session.pop_item()
            is_popping = False
        return await read(engine, sql, parameters)

    monkeypatch.setattr(Engine, "read", reading)
    assert numbers(await session.get_items()) == list(range(97))


async def test_reads_of_others_come_in_between(session, path):
    """What others read does not wait for all pages."""
    order = []
    other = SQLiteSession("other", path)

    async def reads(one, name):
        await one.get_items()
        order.append(name)

    await asyncio.gather(reads(session, "long"), reads(other, "short"))
    assert order == ["short", "long"]


async def test_damaged_rows_of_a_long_session(session, path):
    """Damaged rows of a long session are left out and counted, as of any other."""
    rows = query(path, "SELECT id FROM agent_messages WHERE session_id = 's' ORDER BY id")
    for (number,) in (rows[3], rows[50]):
        query(path, "UPDATE agent_messages SET message_data = '{' WHERE id = ?", number)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = numbers(await session.get_items())
    assert found == [n for n in range(100) if n not in (3, 50)]
    assert session.damaged_items == 2
    assert len(caught) == 1
    strict = SQLiteSession("s", path, strict=True)
    with pytest.raises(StoreError, match="are damaged"):
        await strict.get_items()
    await strict.close(linger=0)


async def test_a_short_session_is_one_statement(path, monkeypatch):
    """A session that fits a page costs one read."""
    session = SQLiteSession("s", path)
    await session.add_items([user("x")] * 100)
    between = Between(monkeypatch, asyncio.Event().wait, at=-1)
    assert len(await session.get_items()) == 100
    assert between.reads == 1
    assert engines.found_engine(path, Tables(), "power") is not None
    await session.close(linger=0)
