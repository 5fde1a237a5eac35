"""What servers and networks do to sessions on Redis servers, and what callers see of it."""

import asyncio
import os
import warnings

import pytest
import redis.asyncio
from network_faults import NetworkFaults
from servers import valkey_server
from support import TIMEOUT

from memwrap import (
    ConfigurationError,
    LeaseLost,
    RedisSession,
    RedisStore,
    StoreError,
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


class TestNetwork(NetworkFaults):
    shortest = 6

    @pytest.fixture
    def network(self, redis_proxy, redis_url, tenant):
        behind = f"redis://127.0.0.1:{redis_proxy.port}/0"
        self.places, self.tenant = (behind, redis_url), tenant
        return redis_proxy

    def made(self, *, is_direct=False, **options):
        return RedisStore(self.places[is_direct], tenant=self.tenant, **options)


@pytest.fixture
async def client(redis_url):
    """The driver's own client."""
    async with redis.asyncio.from_url(redis_url) as made:
        yield made


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
