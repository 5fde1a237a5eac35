import asyncio
import random
from contextlib import aclosing

import pytest
from support import FourMethods

from memwrap import InMemoryStore, PostgresStore, RedisStore, SQLiteStore, with_session
from memwrap.items import text_of
from memwrap.middleware import Memory

SESSIONS = 5
TURNS = 12
OUTCOMES = ["ok", "ok", "ok", "raise", "cancel", "stop", "stream", "timeout"]


class FourMethodStore:
    def __init__(self):
        self.known = {}

    def session(self, session_id):
        return self.known.setdefault(session_id, FourMethods(session_id))


def store_for(kind, tmp_path):
    return {
        "memory": InMemoryStore,
        "sqlite": lambda: SQLiteStore(tmp_path / "schedules.db"),
        "four": FourMethodStore,
    }[kind]()


async def pauses(rng):
    for _ in range(rng.randrange(4)):
        await asyncio.sleep(rng.choice([0, 0, 0.0005]))


def agents(rng, store):
    """An agent for calls and one for streams that do what their input's first word says."""
    layers = [Memory(lease=rng.choice([30.0, None]))]

    async def work(items):
        assert len(items) % 2 == 1, "the history is not a sequence of whole turns"
        await pauses(rng)
        if text_of(items[-1]).startswith(("cancel", "timeout")):
            await asyncio.sleep(0.001)
        if text_of(items[-1]).startswith("raise"):
            raise ValueError("as planned")
        return "answer to " + text_of(items[-1])

    @with_session(store=store, middleware=layers)
    async def call(items):
        return await work(items)

    @with_session(store=store, middleware=layers)
    async def stream(items):
        for word in (await work(items)).split(" "):
            await pauses(rng)
            yield word + " "

    return call, stream


async def one_turn(rng, call, stream, session_id, text):
    """Run one turn; return "stored", "refused" or, when nobody can know, "either"."""
    await pauses(rng)
    outcome = text.split()[0]
    if outcome in {"ok", "raise"}:
        try:
            assert await call(text, session=session_id) == f"answer to {text}"
        except ValueError:
            return "refused"
        return "stored"
    if outcome == "timeout":
        try:
            async with asyncio.timeout(rng.uniform(0, 0.003)):
                await call(text, session=session_id)
        except TimeoutError:
            return "either"  # a commit that has begun is finished
        return "stored"
    if outcome == "cancel":
        task = asyncio.create_task(call(text, session=session_id))
        await asyncio.sleep(rng.uniform(0, 0.003))
        task.cancel()
        return "either" if (await asyncio.wait({task}))[0].pop().cancelled() else "stored"
    async with aclosing(stream(text, session=session_id)) as words:
        async for _ in words:
            if outcome == "stop" and rng.random() < 0.5:
                return "refused"
    return "stored"


async def schedule(seed, store):
    rng = random.Random(seed)
    call, stream = agents(rng, store)
    names = [f"{seed}-{number}" for number in range(SESSIONS)]
    plan = [
        (rng.choice(names), f"{rng.choice(OUTCOMES)} {seed} {number}") for number in range(TURNS)
    ]
    outcomes = await asyncio.gather(
        *(one_turn(rng, call, stream, session_id, text) for session_id, text in plan)
    )
    for name in names:
        items = await store.session(name).get_items()
        asked = [text_of(item) for item in items[::2]]
        answered = [text_of(item).strip() for item in items[1::2]]
        assert answered == [f"answer to {text}" for text in asked], "a turn is not whole"
        assert len(asked) == len(set(asked)), "a turn is stored twice"
        for (session_id, text), outcome in zip(plan, outcomes, strict=True):
            if session_id == name and outcome != "either":
                assert (text in asked) == (outcome == "stored"), f"{text}: {outcome}"


@pytest.mark.parametrize("kind", ["memory", "sqlite", "four", "postgres", "redis"])
async def test_random_schedules_leave_whole_turns(kind, tmp_path, request):
    """However turns run into each other, sessions hold the acknowledged turns, whole."""
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
        store = PostgresStore(url, tenant=str(tmp_path), pool_size=3)
    elif kind == "redis":
        url = request.getfixturevalue("redis_url")
        store = RedisStore(url, tenant=str(tmp_path), pool_size=3)
    else:
        store = store_for(kind, tmp_path)
    for seed in range(60 if kind in {"postgres", "redis"} else 200):
        async with asyncio.timeout(30):
            await schedule(seed, store)
