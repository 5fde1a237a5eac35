"""What servers, networks and poolers do to sessions in PostgreSQL, and what callers see of it."""

import asyncio
import logging
import time

import asyncpg
import psutil
import pytest
from network_faults import NetworkFaults
from proxies import Pooler, socket_of
from servers import postgres_server

from memwrap import PostgresStore, StoreError, with_session
from memwrap.items import user
from memwrap.testing import ScriptedAgent

REFUSED = "postgresql://postgres:secret-word@127.0.0.1:9/postgres"


@pytest.fixture
def direct(postgres_url, tenant):
    """A store that nothing stands before."""
    return PostgresStore(postgres_url, tenant=tenant)


class TestNetwork(NetworkFaults):
    @pytest.fixture
    def network(self, proxy, postgres_url, tenant):
        self.places, self.tenant = (proxy.dsn(), postgres_url), tenant
        return proxy

    def made(self, *, is_direct=False, **options):
        return PostgresStore(self.places[is_direct], tenant=self.tenant, **options)


async def test_blocked_statement_ends_after_the_timeout(postgres_url, direct, tenant):
    """A statement that another transaction blocks is a StoreError, and is cancelled."""
    store = PostgresStore(postgres_url, tenant=tenant, timeout=0.4)
    await direct.session("s").add_items([user("1")])
    other = await asyncpg.connect(postgres_url)
    block = other.transaction()
    await block.start()
    await other.execute("UPDATE memwrap.sessions SET title = title WHERE tenant = $1", tenant)
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"0\.4 s"):
        await store.session("s").add_items([user("2")])
    assert time.monotonic() - began < 1.5
    await asyncio.sleep(0.3)  # the cancellation is on its way
    await block.rollback()
    await other.close()
    await asyncio.sleep(0.1)
    assert await direct.session("s").get_items() == [user("1")]
    await store.session("s").add_items([user("2")])


async def test_waiting_for_the_pool_ends(postgres_url, tenant):
    """A pool whose connections are all in use for too long is an error that names pool_size."""
    store = PostgresStore(postgres_url, tenant=tenant, timeout=0.3, pool_size=1)
    await store.setup()
    pool = store._backend._inside._tables._pool()
    connection = await pool._take(time.monotonic() + 1)
    with pytest.raises(StoreError, match="pool_size=1"):
        await store.session("s").get_items()
    pool._give_back(connection)
    assert await store.session("s").get_items() == []


async def test_read_only_server_says_so(postgres_url, direct, tenant):
    """Writing to a read-only server is an error that names the primary, and reading goes on."""
    await direct.session("s").add_items([user("1")])
    url = f"{postgres_url}&default_transaction_read_only=on"
    store = PostgresStore(url, tenant=tenant)
    with pytest.raises(StoreError, match="read-only: point the store at the primary"):
        await store.session("s").add_items([user("2")])
    assert await store.session("s").get_items() == [user("1")]


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        (REFUSED, "no connection"),
        ("postgresql://postgres:secret-word@no-such-host.invalid/postgres", "no connection"),
    ],
    ids=["refused", "no such name"],
)
async def test_no_connection_is_a_store_error(dsn, words):
    """A server that cannot be reached is a StoreError that does not show the password."""
    with pytest.raises(StoreError, match=words) as told:
        await PostgresStore(dsn, timeout=3).session("s").get_items()
    shown = f"{told.value!r} {told.value.__cause__!r} {told.value.__context__!r}"
    assert "secret-word" not in shown


async def test_tls_is_taken_as_given(proxy, tenant):
    """A DSN that requires TLS of a server without it is an error, and nothing is sent in clear."""
    store = PostgresStore(f"{proxy.dsn()}?sslmode=require", tenant=tenant)
    with pytest.raises(StoreError, match="no connection"):
        await store.session("s").get_items()


async def test_content_is_in_no_error_and_no_log(postgres_url, tenant, caplog):
    """What a server says of a value is told nobody: neither in errors nor in their causes."""
    caplog.set_level(logging.DEBUG)
    store = PostgresStore(postgres_url, tenant=tenant)
    session = store.session("s")
    await session.add_items([user("private words")])
    other = await asyncpg.connect(postgres_url)
    await other.execute(
        "ALTER TABLE memwrap.items ADD CONSTRAINT short CHECK (length(body) < 99) NOT VALID"
    )
    try:
        with pytest.raises(StoreError) as told:
            await session.add_items([user("private words" * 20)])
    finally:
        await other.execute("ALTER TABLE memwrap.items DROP CONSTRAINT short")
        await other.close()
    error, shown = told.value, caplog.text
    while error is not None:
        shown += f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert "23514" in shown
    assert "private" not in shown
    assert b"private".hex() not in shown
    assert len(await session.get_items()) == 1


async def test_pooler_in_transaction_mode_works(postgres_url, tenant):
    """Behind a pooler that knows no statements the store stops preparing them, without an error."""
    with Pooler(socket_of(postgres_url)) as pooler:
        store = PostgresStore(pooler.dsn(), tenant=tenant, pool_size=6)
        agent = with_session(ScriptedAgent(*["answer"] * 40), store=store)
        await asyncio.gather(*(agent("hi", session=f"s{n % 10}") for n in range(20)))
        await asyncio.gather(*(agent("hi", session=f"s{n % 10}") for n in range(20)))
        found = await asyncio.gather(*(store.session(f"s{n}").get_items() for n in range(10)))
        assert [len(items) for items in found] == [8] * 10
        await store.session("s0").pop_item()
        await store.session("s1").clear_session()
        assert len(await store.sessions()) == 9


async def test_statements_that_the_server_forgot_are_not_named_again(postgres_url, tenant):
    """A server that does not know a statement is asked without statements of names."""
    store = PostgresStore(postgres_url, tenant=tenant, pool_size=1)
    session = store.session("s")
    await session.add_items([user("1")])
    pool = store._backend._inside._tables._pool()
    await pool._idle[0][0].execute("DEALLOCATE ALL")
    await session.add_items([user("2")])
    assert pool._prepares is False
    assert await session.get_items() == [user("1"), user("2")]


async def test_statements_have_names_of_their_process(postgres_url, tenant):
    """Prepared statements are named so that no other process uses the name."""
    store = PostgresStore(postgres_url, tenant=tenant, pool_size=1)
    await store.session("s").add_items([user("1")])
    connection = store._backend._inside._tables._pool()._idle[0][0]
    rows = await connection.fetch("SELECT name FROM pg_prepared_statements")
    names = [row["name"] for row in rows]
    assert names
    assert all(name.startswith("memwrap_") for name in names)


async def test_killed_server_keeps_what_it_acknowledged(tenant):
    """A server that is killed and started again has all that was acknowledged, for one object."""
    with postgres_server() as server:
        store = PostgresStore(server.get_uri(), tenant=tenant, timeout=5)
        assert await store.durability() == store.promises.durability == "power"
        session = store.session("s")
        agent = with_session(ScriptedAgent(*["answer"] * 10), session=session)
        for number in range(5):
            await agent(str(number))
        kill(server)
        with pytest.raises(StoreError):
            await session.add_items([user("lost")])
        await asyncio.to_thread(start_again, server)
        await agent("again")
        asked = [item["content"] for item in await session.get_items() if item["role"] == "user"]
        assert asked == [*"01234", "again"]


def kill(server):
    """Kill all processes of a server."""
    process = psutil.Process(server.get_pid())
    all_of_it = [process, *process.children()]
    for one in all_of_it:
        one.kill()
    psutil.wait_procs(all_of_it, timeout=10)


def start_again(server):
    """Start a server that was killed, when the system has cleared up behind it."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return server.ensure_postgres_running()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
