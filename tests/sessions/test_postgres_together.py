"""Turns that wait for a connection are begun and stored together, and each is its own."""

import asyncio

import asyncpg
import pytest

from memwrap import PostgresStore, TurnNotSaved, with_session
from memwrap.items import user
from memwrap.sessions.postgres.jobs import Line
from memwrap.testing import ScriptedAgent


@pytest.fixture
def sizes(monkeypatch):
    """How many jobs others did together, of each statement."""
    found = []
    take_others = Line.take_others

    def taken(self, job):
        others = take_others(self, job)
        found.append(len(others) + 1)
        return others

    monkeypatch.setattr(Line, "take_others", taken)
    return found


@pytest.fixture
def store(proxy, tenant):
    """A store behind the proxy, with one connection."""
    return PostgresStore(proxy.dsn(), tenant=tenant, pool_size=1, timeout=10)


async def echo(items):
    return f"answer to {items[-1]['content']}"


async def asked_and_answered(store, name):
    items = await store.session(name).get_items()
    assert [item["content"] for item in items[1::2]] == [
        f"answer to {item['content']}" for item in items[::2]
    ]
    return [item["content"] for item in items[::2]]


async def test_turns_in_flight_share_statements(store, proxy, sizes):
    """Many turns over one connection take few round trips, and each is stored in its session."""
    agent = with_session(echo, store=store)
    names = [f"s{number}" for number in range(40)]
    await asyncio.gather(*(agent("0", session=name) for name in names))
    before = proxy.trips
    for turn in "12":
        await asyncio.gather(*(agent(turn, session=name) for name in names))
    assert proxy.trips - before < 40
    assert max(sizes) == 16
    for name in names:
        assert await asked_and_answered(store, name) == ["0", "1", "2"]
        assert [turn.number for turn in await store.turns(name)] == [1, 2, 3]


async def test_turns_of_one_session_are_never_together(store, sizes):
    """Turns of the same session go one after the other, though others wait with them."""
    agent = with_session(echo, store=store)
    calls = [(f"s{number % 4}", str(number)) for number in range(24)]
    await asyncio.gather(*(agent(text, session=name) for name, text in calls))
    for name in ("s0", "s1", "s2", "s3"):
        asked = await asked_and_answered(store, name)
        assert sorted(asked) == sorted(text for other, text in calls if other == name)


async def test_lost_answer_is_lost_for_all_of_a_statement(store, proxy):
    """Turns whose shared statement lost its answer are stored once each, without an error."""
    agent = with_session(echo, store=store)
    names = [f"s{number}" for number in range(12)]
    await asyncio.gather(*(agent("0", session=name) for name in names))
    for number in range(1, 9):
        proxy.cut_after = 40 * number
        await asyncio.gather(*(agent(str(number), session=name) for name in names))
    proxy.cut_after = None
    for name in names:
        assert await asked_and_answered(store, name) == list("012345678")


async def test_turn_that_the_server_refuses_fails_alone(postgres_url, store, sizes):
    """Of turns that are stored together, one that the server refuses fails, and the others not."""
    await store.setup()
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(
        "ALTER TABLE memwrap.items ADD CONSTRAINT short CHECK (length(body) < 99) NOT VALID"
    )
    try:
        agent = with_session(ScriptedAgent(*["ok"] * 12), store=store)
        texts = ["x" * 200 if number == 5 else "x" for number in range(12)]
        done = await asyncio.gather(
            *(agent(text, session=f"s{number}") for number, text in enumerate(texts)),
            return_exceptions=True,
        )
    finally:
        await admin.execute("ALTER TABLE memwrap.items DROP CONSTRAINT short")
        await admin.close()
    assert sorted(sizes)[-2] > 5  # of those that began, and of those that were to be stored
    assert [isinstance(one, TurnNotSaved) for one in done] == [n == 5 for n in range(12)]
    await done[5].retry()
    for number in range(12):
        assert len(await store.session(f"s{number}").get_items()) == 2


async def test_cleared_session_is_refused_among_others(store):
    """A turn whose session was cleared is not stored, and those stored with it are."""

    async def clear(items):
        if items[-1]["content"] == "clear":
            await PostgresStore.delete(store, "s3")
        await asyncio.sleep(0.2)
        return "answer"

    agent = with_session(clear, store=store)
    await store.session("s3").add_items([user("0")])
    texts = ["clear" if number == 3 else "go" for number in range(8)]
    done = await asyncio.gather(
        *(agent(text, session=f"s{number}") for number, text in enumerate(texts)),
        return_exceptions=True,
    )
    assert [isinstance(one, TurnNotSaved) for one in done] == [n == 3 for n in range(8)]
    sizes = [len(await store.session(f"s{number}").get_items()) for number in range(8)]
    assert sizes == [2, 2, 2, 0, 2, 2, 2, 2]


async def test_waiting_turns_that_are_cancelled_leave_the_others(store):
    """Turns that are cancelled while they wait are done or not, and hold up nobody."""
    agent = with_session(echo, store=store)
    tasks = [asyncio.create_task(agent("0", session=f"s{number}")) for number in range(20)]
    await asyncio.sleep(0.01)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(agent("1", session=f"s{number}") for number in range(20)))
    for number in range(20):
        asked = await asked_and_answered(store, f"s{number}")
        assert asked in (["0", "1"], ["1"])
        assert number % 2 == 0 or asked == ["0", "1"]
