"""Sessions on a cluster of Redis servers."""

import asyncio

import pytest
import redis.asyncio
from servers import valkey_cluster
from support import TIMEOUT

from memwrap import RedisStore, with_session
from memwrap.items import user
from memwrap.testing import ScriptedAgent, StoreContract


@pytest.fixture(scope="module")
def ports():
    """The ports of a cluster, which the tests of this file share."""
    with valkey_cluster() as found:
        yield found


@pytest.fixture
def url(ports):
    return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports)


class TestCluster(StoreContract):
    searches = False

    @pytest.fixture(autouse=True)
    def place(self, url, tenant):
        self.place = url, tenant

    def store(self, **options):
        url, tenant = self.place
        return RedisStore(url, tenant=tenant, **options)


async def test_sessions_are_spread_over_the_nodes(ports, url, tenant):
    """Sessions fall into the slots of all nodes, and are listed together."""
    store = RedisStore(url, tenant=tenant)
    agent = with_session(ScriptedAgent(*["answer"] * 40), store=store)
    names = [f"s{number}" for number in range(40)]
    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(*(agent("q", session=name) for name in names))
        assert {info.session_id for info in await store.sessions()} == set(names)
        for port in ports:
            async with redis.asyncio.Redis(port=port) as client:
                assert await client.dbsize() > 3 * len(names) / 2 / len(ports)
    await store.close(linger=0)


async def test_a_given_cluster_client_is_used(ports, tenant):
    """A client of a cluster that the caller has made works, and stays open."""
    async with redis.asyncio.RedisCluster(host="127.0.0.1", port=ports[1]) as client:
        store = RedisStore(client, tenant=tenant)
        await store.session("s").add_items([user("1")])
        await store.close(linger=0)
        assert await RedisStore(client, tenant=tenant).session("s").get_items() == [user("1")]


async def test_scripts_are_known_again_on_every_node(ports, url, tenant):
    """Nodes that have forgotten all scripts get them again, for lists too."""
    store = RedisStore(url, tenant=tenant)
    await store.session("s").add_items([user("1")])
    for port in ports:
        async with redis.asyncio.Redis(port=port) as client:
            await client.script_flush()
    assert len(await store.sessions()) == 1
    await store.session("s").add_items([user("2")])
    assert await store.session("s").get_items() == [user("1"), user("2")]
    await store.close(linger=0)
