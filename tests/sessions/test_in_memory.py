"""Sessions that live and die with the process."""

import asyncio
import gc
import threading
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from memwrap import InMemorySession, InMemoryStore, run
from memwrap.items import assistant, user
from memwrap.sessions.base import identity
from memwrap.testing import ScriptedAgent

text = st.text(st.characters(exclude_categories=()))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
).filter(lambda value: "inf" not in repr(value))


@settings(deadline=None)
@given(st.lists(st.dictionaries(text, values, max_size=4), max_size=4), st.integers(0, 6))
def test_every_json_object_comes_back_exactly(items, limit):
    """Items, and the newest of them, are what was added."""
    session = InMemorySession("s")

    async def turn():
        await session.add_items(items)
        newest = await session.get_items(limit)
        everything = await session.get_items()
        popped = [await session.pop_item() for _ in items]
        return newest, everything, popped[::-1]

    newest, everything, popped = asyncio.run(turn())
    assert repr(everything) == repr(popped) == repr(items)
    assert repr(newest) == repr(items[-limit:] if limit else [])


async def test_objects_with_one_id_share_nothing():
    """Each object is a conversation of its own; a store is what makes two of them one."""
    one, other = InMemorySession("s"), InMemorySession("s")
    await one.add_items([user("1")])
    assert await other.get_items() == []
    assert identity(one) != identity(other)
    store = InMemoryStore()
    await store.session("s").add_items([user("2")])
    assert await store.session("s").get_items() == [user("2")]
    assert await InMemoryStore().session("s").get_items() == []


async def test_items_are_copies_each_time():
    """Two readers get objects of their own."""
    session = InMemorySession("s")
    await session.add_items([{"role": "user", "content": [{"text": "x"}]}])
    first, second = await session.get_items(), await session.get_items()
    first[0]["content"][0]["text"] = "changed"
    assert second == await session.get_items() == [{"role": "user", "content": [{"text": "x"}]}]
    assert (await session.pop_item()) == second[0]


def test_threads_share_a_session():
    """Appends and pops from several threads lose nothing and double nothing."""
    session = InMemorySession("s")
    start = threading.Barrier(4)

    async def work(thread):
        start.wait(20)
        popped = []
        for number in range(200):
            await session.add_items([user(f"{thread}-{number}"), assistant("x")])
            if number % 3 == 0:
                popped.append(await session.pop_item())
        return popped

    with ThreadPoolExecutor(4) as threads:
        popped = list(threads.map(lambda thread: asyncio.run(work(thread)), range(4)))
    left = asyncio.run(session.get_items())
    seen = [item["content"] for item in [*left, *(item for some in popped for item in some)]]
    assert len(seen) == 4 * 400
    assert len(set(seen)) == 4 * 200 + 1


def test_one_object_on_several_event_loops():
    """A session belongs to no event loop."""
    session = InMemorySession("s")
    for number in range(3):
        asyncio.run(session.add_items([user(str(number))]))
    assert len(asyncio.run(session.get_items())) == 3


async def test_dropped_sessions_leave_nothing():
    """A session that nobody holds is gone with its items."""
    session = InMemorySession("s")
    await session.add_items([user("x")])
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


async def test_popped_turns_leave_nothing():
    """Of a turn whose items were popped no record is left."""
    session = InMemorySession("s")
    for turn_id in "ab":
        await run(ScriptedAgent("2"), "1", session=session, turn_id=turn_id)
    assert len(await session._backend.ranges("s")) == 2
    await session.pop_item()
    assert await session._backend.ranges("s") == [(1, 2)]
    assert await session._backend.find("s", "b") is None
    assert await session.find_turn("a") is not None


async def test_deleted_sessions_free_their_memory():
    """A store holds nothing of a session that was deleted."""
    store = InMemoryStore()
    await store.session("warm").add_items([user("x")])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await store.session("s").add_items([user("x" * 1_000_000)])
        held = tracemalloc.get_traced_memory()[0]
        await store.delete("s")
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held - before > 900_000
    assert after - before < 100_000
