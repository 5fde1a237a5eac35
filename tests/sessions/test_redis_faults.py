"""What servers and networks do to sessions on Redis servers, and what callers see of it."""

import asyncio
import itertools
import os
import random
import time
import warnings

import pytest
import redis.asyncio
from servers import valkey_server
from support import TIMEOUT

from memwrap import (
    ConfigurationError,
    LeaseLost,
    RedisSession,
    RedisStore,
    StoreError,
    TurnNotSaved,
    with_session,
)
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.testing import ScriptedAgent

REFUSED = "redis://somebody:secret-word@127.0.0.1:9/0"


@pytest.fixture
def direct(redis_url, tenant):
    """A store that nothing stands before."""
    return RedisStore(redis_url, tenant=tenant)


@pytest.fixture
def store(redis_proxy, tenant):
    """A store behind the proxy, with little patience."""
    return RedisStore(f"redis://127.0.0.1:{redis_proxy.port}/0", tenant=tenant, timeout=2)


@pytest.fixture
async def client(redis_url):
    """The driver's own client."""
    async with redis.asyncio.from_url(redis_url) as made:
        yield made


async def test_each_operation_is_one_round_trip(store, redis_proxy):
    """Reads, appends and pops ask the server once, and a turn asks it twice."""
    session = store.session("s")
    await session.add_items([user("0"), user("1")])
    agent = with_session(ScriptedAgent("answer", "answer"))
    await agent("q", session=session)

    async def trips(work):
        before = redis_proxy.trips
        await work
        return redis_proxy.trips - before

    assert await trips(session.get_items()) == 1
    assert await trips(session.get_items(2)) == 1
    assert await trips(session.add_items([user("2")])) == 1
    assert await trips(session.pop_item()) == 1
    assert await trips(agent("q", session=session)) == 2
    assert await trips(session.clear_session()) == 1
    assert await trips(store.sessions()) == 1


async def test_dropped_idle_connections_are_not_seen(store, redis_proxy):
    """Connections that were dropped while idle are replaced without an error."""
    session = store.session("s")
    for number in range(3):
        await session.add_items([user(str(number)), user("again")])
        await asyncio.gather(*(session.get_items() for _ in range(5)))
        redis_proxy.drop()
        await asyncio.sleep(0.01)  # what tells of it arrives
        assert await session.pop_item() == user("again")
        redis_proxy.drop()
    assert len(await session.get_items()) == 3


@pytest.mark.parametrize("size", [0, 1, 3, 5, 9])
async def test_lost_answers_are_asked_for_again(store, redis_proxy, direct, size):
    """An append, a turn and a read whose answer was cut are done once, and no error is told."""
    session = store.session("s")
    await session.add_items([user("0")])
    agent = with_session(ScriptedAgent("answer"))
    redis_proxy.cut_after = size
    await session.add_items([user("1"), user("2")])
    redis_proxy.cut_after = size
    assert [item["content"] for item in await session.get_items()] == ["0", "1", "2"]
    redis_proxy.cut_after = size
    await agent("3", session=session)
    found = await direct.session("s").get_items()
    assert found == [user("0"), user("1"), user("2"), user("3"), assistant("answer")]


async def test_cuts_at_random_store_everything_once(store, redis_proxy, direct):
    """Connections that are cut at any byte of an answer lose and double nothing."""
    chance = random.Random(14)
    session = store.session("s")
    await session.add_items([user("first")])
    for number in range(40):
        redis_proxy.cut_after = chance.randrange(6)
        await session.add_items([user(str(number))])
    found = [item["content"] for item in await direct.session("s").get_items()]
    assert found == ["first", *map(str, range(40))]


async def test_cut_turns_are_stored_once(store, redis_proxy, direct):
    """Turns whose connections are cut at any byte are stored once each."""
    chance = random.Random(15)
    await store.session("s").add_items([user("first")])
    agent = with_session(ScriptedAgent(*(f"answer {number}" for number in range(25))))
    for number in range(25):
        redis_proxy.cut_after = chance.randrange(250)
        await agent(str(number), session=store.session("s"))
    redis_proxy.cut_after = None
    found = [item["content"] for item in await direct.session("s").get_items()]
    pairs = [(str(number), f"answer {number}") for number in range(25)]
    assert found == ["first", *itertools.chain(*pairs)]
    assert [turn.number for turn in await direct.turns("s")] == [*range(1, 26)]


async def test_pop_is_not_tried_again(store, redis_proxy, direct):
    """A pop whose answer was lost is an error, since it may have popped."""
    session = store.session("s")
    await session.add_items([user("1"), user("2"), user("3")])
    assert await session.pop_item() == user("3")
    redis_proxy.cut_after = 0
    with pytest.raises(StoreError, match="may have been done"):
        await session.pop_item()
    assert await direct.session("s").get_items() == [user("1")]


async def test_refused_connections_are_errors_until_the_server_is_back(store, redis_proxy):
    """A server that is gone is a StoreError in time, and the same object works when it is back."""
    session = store.session("s")
    await session.add_items([user("1")])
    redis_proxy.refuse()
    began = time.monotonic()
    with pytest.raises(StoreError):
        await session.get_items()
    assert time.monotonic() - began < 2.5
    redis_proxy.listen()
    assert await session.get_items() == [user("1")]


async def test_passwords_are_told_to_nobody():
    """No repr and no error has the password of a URL."""
    store = RedisStore(REFUSED, timeout=1)
    with pytest.raises(StoreError) as told:
        await store.session("s").get_items()
    shown = [repr(store), repr(store.session("s")), repr(told.value), repr(told.value.__cause__)]
    with pytest.raises(ConfigurationError) as told_too:
        RedisStore("redis://:secret-word@host:port/0")
    assert not any("secret-word" in text for text in [*shown, repr(told_too.value)])
    assert "127.0.0.1:9/0" in str(told.value)


async def test_answered_turn_is_stored_by_retry(store, redis_proxy, direct):
    """A turn whose answer is there when the server goes is TurnNotSaved, and retry stores it."""
    session = store.session("s")
    await session.add_items([user("0")])

    async def agent(items):
        redis_proxy.refuse()
        return "answer"

    with pytest.raises(TurnNotSaved) as told:
        await with_session(agent)("1", session=session)
    assert told.value.result == "answer"
    redis_proxy.listen()
    await told.value.retry()
    await told.value.retry()
    assert await direct.session("s").get_items() == [user("0"), user("1"), assistant("answer")]


async def test_silent_network_ends_after_the_timeout(redis_proxy, tenant):
    """A network that says nothing is a StoreError after the timeout, and others go on."""
    url = f"redis://127.0.0.1:{redis_proxy.port}/0"
    session = RedisStore(url, tenant=tenant, timeout=0.4).session("s")
    await session.add_items([user("1")])
    redis_proxy.is_silent = True
    ticks = []

    async def tick():
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"0\.4 s"):
        await session.get_items()
    assert 0.3 < time.monotonic() - began < 1.5
    ticking.cancel()
    assert max(b - a for a, b in itertools.pairwise(ticks)) < 0.3
    redis_proxy.is_silent = False
    assert await session.get_items() == [user("1")]


async def test_callers_wait_in_a_row_for_connections(redis_proxy, tenant):
    """Whoever finds all connections in use waits, and is told which option it is in the end."""
    url = f"redis://127.0.0.1:{redis_proxy.port}/0"
    store = RedisStore(url, tenant=tenant, timeout=0.5, pool_size=2)
    session = store.session("s")
    await session.add_items([user("1")])
    assert len(await asyncio.gather(*(session.get_items() for _ in range(50)))) == 50
    redis_proxy.is_deaf = True
    calls = [asyncio.create_task(session.get_items()) for _ in range(4)]
    errors = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(error, StoreError) for error in errors)
    assert sum("pool_size=2" in str(error) for error in errors) == 2
    redis_proxy.is_deaf = False
    assert await session.get_items() == [user("1")]


async def test_cancelled_appends_have_ended(store, redis_proxy, direct):
    """An append that is cancelled has been done, or not, when the cancellation arrives."""
    session = store.session("s")
    await session.add_items([user("0")])
    redis_proxy.delay = 0.05
    adding = asyncio.create_task(session.add_items([user("1"), user("2")]))
    await asyncio.sleep(0.02)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    found = await direct.session("s").get_items()
    await asyncio.sleep(0.2)
    assert await direct.session("s").get_items() == found == [user("0"), user("1"), user("2")]


async def test_full_memory_stores_nothing_and_can_be_read():
    """A server whose memory is full stores nothing of a batch; reads and removals go on."""
    with valkey_server() as (url, _):
        store = RedisStore(url)
        session = store.session("s")
        await session.add_items([user("1"), user("2")])
        async with redis.asyncio.from_url(url) as client:
            await client.config_set("maxmemory", "1")
            with pytest.raises(StoreError, match="memory is full"):
                await session.add_items([user("3"), user("4")])
            assert await session.get_items() == [user("1"), user("2")]
            assert await session.pop_item() == user("2")
            await client.config_set("maxmemory", "0")
        await session.add_items([user("3")])
        assert await session.get_items() == [user("1"), user("3")]
        await store.close(linger=0)


async def test_replicas_can_be_read_only():
    """A replica refuses writes, and the error says where to point the store."""
    with valkey_server() as (url, _):
        store = RedisStore(url)
        session = store.session("s")
        await session.add_items([user("1")])
        async with redis.asyncio.from_url(url) as client:
            await client.replicaof("127.0.0.1", "9")
            with pytest.raises(StoreError, match="point the store at the primary"):
                await session.add_items([user("2")])
            assert await session.get_items() == [user("1")]
            await store.close(linger=0)
            fresh = RedisStore(url, prefix="never:written:")
            assert await fresh.session("s").get_items() == await fresh.sessions() == []
            assert await RedisStore(url).session("s").get_items(1) == [user("1")]
            await fresh.close(linger=0)
        await store.close(linger=0)


async def test_eviction_is_warned_of_once(tenant):
    """A server that may remove keys when its memory is full is warned of, once."""
    with valkey_server() as (url, _):
        async with redis.asyncio.from_url(url) as client:
            await client.config_set("maxmemory-policy", "allkeys-lru")
        store = RedisStore(url)
        with pytest.warns(UserWarning, match="allkeys-lru"):
            await store.session("s").get_items()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await RedisStore(url, prefix="other:").session("s").get_items()
        await store.close(linger=0)


async def test_durability_is_what_the_server_says():
    """What the server keeps is read from it, and a store says no more than that."""
    with valkey_server() as (url, _):
        store = RedisStore(url)
        async with redis.asyncio.from_url(url) as client:
            assert await store.durability() == "none"
            await client.config_set("appendonly", "yes")
            for fsync, durability in (("everysec", "process"), ("always", "power")):
                await client.config_set("appendfsync", fsync)
                assert await store.durability() == durability
                assert store.promises.durability == durability
        await store.close(linger=0)


async def test_newer_versions_are_left_alone(client, redis_url):
    """Keys of a newer version are an error, and stay as they are."""
    prefix = "newer:"
    await client.set(f"{prefix}{{v}}version", 99)
    store = RedisStore(redis_url, prefix=prefix)
    for call in (store.setup, store.session("s").get_items, store.sessions):
        with pytest.raises(StoreError, match="version 99"):
            await call()
    assert await client.keys(f"{prefix}*") == [f"{prefix}{{v}}version".encode()]


async def test_scripts_are_known_again_after_a_flush(direct, client):
    """A server that has forgotten all scripts gets them again."""
    session = direct.session("s")
    await session.add_items([user("1")])
    await direct.sessions()
    await client.script_flush()
    await session.add_items([user("2")])
    assert len(await direct.sessions()) == 1
    await client.script_flush()
    assert len(await direct.sessions()) == 1
    assert await session.get_items() == [user("1"), user("2")]


async def test_lost_leases_lose_no_turn_that_nobody_has_written_behind(direct, client):
    """A turn whose lease is gone is stored, unless somebody else has written since it began."""
    session = direct.session("s")
    await session.add_items([user("0")])

    async def agent(items):
        for key in await client.keys("*l:*"):
            await client.delete(key)
        if items[-1]["content"] == "late":
            await direct.session("s").add_items([user("somebody")])
        return "answer"

    remembering = with_session(agent)
    await remembering("1", session=session)
    assert await session.get_items() == [user("0"), user("1"), assistant("answer")]
    with pytest.raises(LeaseLost) as told:
        await remembering("late", session=session)
    assert told.value.result == "answer"
    assert (await session.get_items())[3:] == [user("somebody")]


async def test_all_keys_of_a_session_are_in_one_slot(direct, client, tenant):
    """Whatever an id holds, its keys are of one slot and begin with the prefix."""
    names = ["a", "a|b", "{x}", "%7Bx%7D", "}{", "é\0\n", "a" * 1024, "*", "tenant|a"]
    for name in names:
        await direct.session(name).add_items([user(name)])
        await with_session(ScriptedAgent("answer"))("q", session=direct.session(name), turn_id="1")
    for name in names:
        found = await direct.session(name).get_items()
        assert found == [user(name), user("q"), assistant("answer")]
    assert {info.session_id for info in await direct.sessions()} == set(names)
    keys = [key.decode() for key in await client.keys(f"memwrap:*:{tenant}|*")]
    assert len(keys) >= 4 * len(names)
    fronts = {}
    for key in keys:
        assert key.count("{") == key.count("}") == 1
        front, _, rest = key.partition("}")
        fronts.setdefault(rest[1:], set()).add(front)
    assert len(fronts) == len(names)
    assert all(len(front) == 1 for front in fronts.values())


async def test_given_clients_stay_open(redis_url, tenant):
    """A client of the caller's is used, and stays the caller's to close."""
    async with redis.asyncio.from_url(redis_url) as client:
        store = RedisStore(client, tenant=tenant)
        await store.session("s").add_items([user("1")])
        await store.close(linger=0)
        assert await client.ping()
        assert await RedisSession("s", client, tenant=tenant).get_items() == [user("1")]
    decoding = redis.asyncio.from_url(redis_url, decode_responses=True)
    with pytest.raises(ConfigurationError, match="decode_responses"):
        RedisStore(decoding)
    await decoding.aclose()


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://localhost", {}),
        ("redis://localhost/name", {}),
        ("redis://localhost:0/0", {}),
        ("redis://localhost/0?x=1", {}),
        ("redis://a:1,b:2/0", {}),
        ("redis+cluster://a:1/3", {}),
        (5, {}),
        ("redis://localhost", {"prefix": "{x}"}),
        ("redis://localhost", {"prefix": "x" * 65}),
        ("redis://localhost", {"ttl": 0}),
        ("redis://localhost", {"ttl": float("nan")}),
        ("redis://localhost", {"pool_size": 0}),
        ("redis://localhost", {"timeout": None}),
        ("redis://localhost", {"timeout": -1}),
        ("redis://localhost", {"tenant": "\ud800"}),
    ],
)
def test_wrong_options_are_refused_at_once(url, options):
    """What can be no option is refused before anything is sent."""
    with pytest.raises(ConfigurationError):
        RedisStore(url, **options)


def test_every_loop_has_connections_of_its_own(redis_url, tenant):
    """One store works on event loops that come and go, and in threads."""
    store = RedisStore(redis_url, tenant=tenant)

    async def add(text):
        await store.session("s").add_items([user(text)])
        return len(await store.session("s").get_items())

    counts = [asyncio.run(add(str(number))) for number in range(3)]
    assert counts == [1, 2, 3]
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(add("3")) == 4
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_a_forked_child_opens_its_own(redis_url, tenant):
    """A forked process uses connections of its own, and the parent's go on."""
    store = RedisStore(redis_url, tenant=tenant)

    async def add(text):
        await store.session("s").add_items([user(text)])
        return len(await store.session("s").get_items())

    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(add("parent")) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads beside a fork
        child = os.fork()
    if child == 0:
        try:
            os._exit(0 if asyncio.run(add("child")) == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert loop.run_until_complete(add("parent")) == 3
    loop.run_until_complete(store.close(linger=0))
    loop.close()


async def test_turns_of_two_stores_wait_for_each_other(redis_url, tenant):
    """Turns of processes that share a session come one after the other, and see each other."""
    shared = [RedisStore(redis_url, tenant=tenant) for _ in range(2)]

    async def agent(items):
        await asyncio.sleep(0.01)
        return str(len(items))

    agents = [with_session(agent, middleware=[Memory()]) for _ in shared]
    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(
            *(
                one(str(number), session=store.session("s"))
                for number in range(5)
                for one, store in zip(agents, shared, strict=True)
            )
        )
    found = await shared[0].session("s").get_items()
    assert [item["content"] for item in found[1::2]] == [str(n) for n in range(1, 20, 2)]
