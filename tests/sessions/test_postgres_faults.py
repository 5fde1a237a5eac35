"""What servers, networks and poolers do to sessions in PostgreSQL, and what callers see of it."""

import asyncio
import itertools
import logging
import random
import time

import asyncpg
import psutil
import pytest
from proxies import Pooler, socket_of
from servers import postgres_server

from memwrap import PostgresStore, StoreError, TurnNotSaved, with_session
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent

REFUSED = "postgresql://postgres:secret-word@127.0.0.1:9/postgres"


@pytest.fixture
def direct(postgres_url, tenant):
    """A store that nothing stands before."""
    return PostgresStore(postgres_url, tenant=tenant)


@pytest.fixture
def store(proxy, tenant):
    """A store behind the proxy, with little patience."""
    return PostgresStore(proxy.dsn(), tenant=tenant, timeout=2)


async def test_dropped_idle_connections_are_not_seen(store, proxy):
    """Connections that were dropped while idle are replaced without an error."""
    session = store.session("s")
    for number in range(3):
        await session.add_items([user(str(number))])
        await asyncio.gather(*(session.get_items() for _ in range(5)))
        proxy.drop()
    assert len(await session.get_items()) == 3


@pytest.mark.parametrize("size", [0, 1, 5, 14, 30])
async def test_lost_answers_are_asked_for_again(store, proxy, direct, size):
    """An append, a turn and a read whose answer was cut are done once, and no error is told."""
    session = store.session("s")
    await session.add_items([user("0")])
    agent = with_session(ScriptedAgent("answer"))
    proxy.cut_after = size
    await session.add_items([user("1"), user("2")])
    proxy.cut_after = size
    assert [item["content"] for item in await session.get_items()] == ["0", "1", "2"]
    proxy.cut_after = size
    await agent("3", session=session)
    found = await direct.session("s").get_items()
    assert found == [user("0"), user("1"), user("2"), user("3"), assistant("answer")]


async def test_cuts_at_random_store_everything_once(store, proxy, direct):
    """Connections that are cut at any byte of an answer lose and double nothing."""
    chance = random.Random(14)
    session = store.session("s")
    await session.add_items([user("first")])
    for number in range(40):
        proxy.cut_after = chance.randrange(60)
        await session.add_items([user(str(number))])
    found = [item["content"] for item in await direct.session("s").get_items()]
    assert found == ["first", *map(str, range(40))]


async def test_pop_is_not_tried_again(store, proxy, direct):
    """A pop whose answer was lost is an error, since it may have popped."""
    session = store.session("s")
    await session.add_items([user("1"), user("2"), user("3")])
    assert await session.pop_item() == user("3")
    proxy.cut_after = 0
    with pytest.raises(StoreError, match="may have been done"):
        await session.pop_item()
    assert await direct.session("s").get_items() == [user("1")]


async def test_refused_connections_are_errors_until_the_server_is_back(store, proxy):
    """A server that is gone is a StoreError in time, and the same object works when it is back."""
    session = store.session("s")
    await session.add_items([user("1")])
    proxy.refuse()
    began = time.monotonic()
    with pytest.raises(StoreError) as told:
        await session.get_items()
    assert time.monotonic() - began < 2.5
    assert "secret-word" not in f"{told.value!r} {told.value.__cause__!r}"
    proxy.listen()
    assert await session.get_items() == [user("1")]


async def test_answered_turn_is_stored_by_retry(store, proxy, direct):
    """A turn whose answer is there when the server goes is TurnNotSaved, and retry stores it."""
    session = store.session("s")
    await session.add_items([user("0")])

    async def agent(items):
        proxy.refuse()
        return "answer"

    with pytest.raises(TurnNotSaved) as told:
        await with_session(agent)("1", session=session)
    assert told.value.result == "answer"
    proxy.listen()
    await told.value.retry()
    await told.value.retry()
    assert await direct.session("s").get_items() == [user("0"), user("1"), assistant("answer")]


async def test_silent_network_ends_after_the_timeout(proxy, tenant):
    """A network that says nothing is a StoreError after the timeout, and others go on."""
    store = PostgresStore(proxy.dsn(), tenant=tenant, timeout=0.4)
    session = store.session("s")
    await session.add_items([user("1")])
    proxy.is_silent = True
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
    proxy.is_silent = False
    assert await session.get_items() == [user("1")]


async def test_silence_before_a_connection_ends_too(proxy, tenant):
    """A server that takes a connection and says nothing is a StoreError after the timeout."""
    proxy.is_silent = True
    store = PostgresStore(proxy.dsn(), tenant=tenant, timeout=0.3)
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"0\.3 s"):
        await store.session("s").get_items()
    assert time.monotonic() - began < 1.5


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


async def test_exhausted_pool_names_its_size(proxy, tenant):
    """Calls wait for a connection, first come first served, and then an error names pool_size."""
    store = PostgresStore(proxy.dsn(), tenant=tenant, timeout=0.5, pool_size=2)
    session = store.session("s")
    await session.add_items([user("1")])
    await asyncio.gather(*(session.get_items() for _ in range(50)))
    proxy.is_deaf = True
    busy = [asyncio.create_task(session.get_items()) for _ in range(2)]
    await asyncio.sleep(0.3)
    late = asyncio.create_task(PostgresStore.session(store, "t").get_items())
    done = await asyncio.gather(*busy, late, return_exceptions=True)
    assert all(isinstance(one, StoreError) for one in done)
    proxy.is_deaf = False
    assert await session.get_items() == [user("1")]


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


async def test_connections_are_lent_in_the_order_of_asking(postgres_url, tenant):
    """With one connection, calls are answered in the order in which they came."""
    store = PostgresStore(postgres_url, tenant=tenant, pool_size=1)
    session, order = store.session("s"), []
    await session.add_items([user("1")])

    async def ask(number):
        await session.get_items()
        order.append(number)

    await asyncio.gather(*map(ask, range(30)))
    assert order == list(range(30))


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


async def test_one_round_trip_an_operation(store, proxy):
    """Each operation is one round trip, and a turn two, when its statements have been prepared."""
    session = store.session("s")
    agent = with_session(ScriptedAgent(*"abcdefgh"))

    async def trips(work):
        await work()
        before = proxy.trips
        await work()
        return proxy.trips - before

    await session.add_items([user("1"), user("2"), user("3")])
    assert await trips(lambda: session.get_items()) == 1
    assert await trips(lambda: session.get_items(2)) == 1
    assert await trips(lambda: session.add_items([user("4")])) == 1
    assert await trips(lambda: session.pop_item()) == 1
    assert await trips(lambda: agent("hi", session=session)) == 2
    assert await trips(lambda: store.sessions()) == 1
    assert await trips(lambda: store.turns("s")) == 1
    assert await trips(lambda: session.clear_session()) == 1


async def test_cancelled_append_has_ended(store, proxy, direct):
    """A cancelled append is done or not when the cancellation is raised, and never later."""
    session = store.session("s")
    await session.add_items([user("0")])
    proxy.delay = 0.05
    for number in range(6):
        task = asyncio.create_task(session.add_items([user(str(number))]))
        await asyncio.sleep(0.02 * number)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        found = await direct.session("s").get_items()
        await asyncio.sleep(0.12)
        assert await direct.session("s").get_items() == found


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
