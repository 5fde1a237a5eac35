"""Conversations in PostgreSQL: where they lie, who shares them, and what they keep to."""

import asyncio
import copy
import itertools
import pickle
import threading
from datetime import timedelta

import asyncpg
import pytest
from support import TIMEOUT

from memwrap import (
    ConfigurationError,
    LeaseLost,
    PostgresSession,
    PostgresStore,
    StoreError,
    store_from_url,
    with_session,
)
from memwrap.items import assistant, user
from memwrap.sessions.backend import Claim, Held, RowWindow
from memwrap.sessions.rows import is_readable
from memwrap.sessions.turns import STOPPED, UNANSWERED, TurnRecord
from memwrap.testing import ScriptedAgent

DSN = "postgresql://me:secret-word@localhost:5432/app"
ALL = RowWindow()


@pytest.fixture
def store(postgres_url, tenant):
    return PostgresStore(postgres_url, tenant=tenant)


@pytest.fixture
def rows(store):
    """The back end of the store: rows in, rows out."""
    return store._backend


@pytest.fixture
async def admin(postgres_url):
    """A connection of nobody's."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


@pytest.fixture
async def schema(admin, tenant):
    """The name of a schema that is not there, and goes after the test."""
    name = tenant.replace(" ", "_")
    yield name
    await admin.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def test_driver_is_imported_when_a_store_is_made(script):
    """Naming the classes imports no driver, and making a store does."""
    code = """
import sys, memwrap
from memwrap import PostgresSession, PostgresStore
assert "asyncpg" not in sys.modules and "redis" not in sys.modules
PostgresStore("postgresql://host/db")
assert "asyncpg" in sys.modules
"""
    script(code)


def test_missing_driver_is_named_with_its_extra(script):
    """Without the driver the constructors say what to install."""
    code = """
import sys
sys.modules["asyncpg"] = None
from memwrap import ConfigurationError, PostgresSession, PostgresStore
for make in (lambda: PostgresStore("postgresql://h/d"), lambda: PostgresSession("s", "x")):
    try:
        make()
    except ConfigurationError as error:
        print(error)
"""
    assert script(code).count("pip install 'memwrap[postgres]'") == 2


@pytest.mark.parametrize(
    ("dsn", "options", "words"),
    [
        ("mysql://me:secret-word@host/db", {}, "postgresql://"),
        ("postgresql://me:secret-word@host:port/db", {}, "port"),
        (DSN + "?sslmode=maybe", {}, "sslmode"),
        (None, {}, "a DSN as a string"),
        (DSN, {"schema": "a-b"}, "schema"),
        (DSN, {"schema": ""}, "schema"),
        (DSN, {"schema": "s" * 64}, "schema"),
        (DSN, {"tenant": "t" * 1025}, "tenant"),
        (DSN, {"tenant": 1}, "tenant"),
        (DSN, {"ttl": 0}, "ttl"),
        (DSN, {"ttl": timedelta(0)}, "ttl"),
        (DSN, {"pool_size": 0}, "pool_size"),
        (DSN, {"pool_size": 1.5}, "pool_size"),
        (DSN, {"timeout": 0}, "timeout"),
        (DSN, {"timeout": None}, "timeout"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(dsn, options, words):
    """Values that can be none are a ConfigurationError, which shows no password."""
    with pytest.raises(ConfigurationError, match=words) as told:
        PostgresStore(dsn, **options)
    assert "secret-word" not in f"{told.value!r}"
    with pytest.raises(ConfigurationError, match=words):
        PostgresSession("s", dsn, **options)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_schemes_are_one_place(postgres_url, store, tenant, scheme):
    """A DSN may begin in three ways, which are the same sessions."""
    other = PostgresStore(postgres_url.replace("postgresql", scheme, 1), tenant=tenant)
    await store.session("s").add_items([user("1")])
    assert await other.session("s").get_items() == [user("1")]
    assert other.session("s").identity == store.session("s").identity


async def test_url_is_a_store(postgres_url, store, tenant):
    """A URL names the same store as the class does, its options beside it."""
    await store.session("s").add_items([user("1")])
    named = store_from_url(postgres_url, tenant=tenant, ttl=60)
    assert isinstance(named, PostgresStore)
    assert await named.session("s").get_items() == [user("1")]
    with pytest.raises(ConfigurationError, match="no option colour"):
        store_from_url(postgres_url, colour=1)


def test_password_is_in_no_repr():
    """Neither stores nor sessions show the DSN."""
    store = PostgresStore(DSN)
    session = PostgresSession("s", DSN)
    shown = f"{store!r} {store._backend!r} {session!r} {store.session('s')!r}"
    shown += f"{vars(session)!r} {session._backend.place('s')}"
    assert "secret-word" not in shown


async def test_stores_can_be_copied_and_pickled(store, postgres_url):
    """A copy of a store is the same place; one over a caller's pool cannot be pickled."""
    await store.session("s").add_items([user("1")])
    for other in (copy.copy(store), copy.deepcopy(store), pickle.loads(pickle.dumps(store))):
        assert await other.session("s").get_items() == [user("1")]
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=2) as pool:
        with pytest.raises(TypeError, match="DSN"):
            pickle.dumps(PostgresStore(pool))


async def test_pool_of_the_caller_is_used_and_left_open(postgres_url, store, tenant):
    """A pool that is given serves the store, and closing the store leaves it open."""
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=2) as pool:
        async with PostgresStore(pool, tenant=tenant, timeout=1) as given:
            agent = with_session(ScriptedAgent(*"abcdef"), store=given)
            await asyncio.gather(*(agent("hi", session=f"s{n}") for n in range(6)))
            await given.session("s0").pop_item()
            taken = [await pool.acquire() for _ in range(2)]
            with pytest.raises(StoreError, match="no connection was free"):
                await given.session("s1").get_items()
            for connection in taken:
                await pool.release(connection)
        assert await pool.fetchval("SELECT 1") == 1
    assert len(await store.sessions()) == 6
    with pytest.raises(ConfigurationError, match="closed"):
        await given.session("s1").get_items()


@pytest.mark.parametrize(
    "row",
    [
        b'{"b":1,"a":1,"b":2}',
        b'{"n":1E400,"m":-0.0,"k":1e-7,"i":1208925819614629174706176}',
        b'{ "spaces" :  [ ] }',
        b'{"nul":"\\u0000","half":"\\ud83d","esc":"\\u00e9"}',
        "{'not': 'json'} 東京 \\ ' \" %s $1 é".encode(),
        b"\x00\xff\xfe any bytes",
        b"",
    ],
)
async def test_rows_come_back_byte_by_byte(rows, row):
    """A back end hands out the bytes that it was given, whatever they are."""
    await rows.add("s", [row, b"{}"])
    assert list((await rows.get("s", None, joined=True)).data) == [row, b"{}"]
    assert await rows.pop("s", lambda found: True) is not None
    number, found = await rows.pop("s", lambda found: False)
    assert found == row  # and stays
    assert list((await rows.get("s", None, joined=False)).ids) == [number]
    assert (await rows.pop("s", lambda found: True))[1] == row
    assert await rows.pop("s", lambda found: True) is None


@pytest.mark.parametrize(
    "row",
    ['{"a":' * 300 + "1" + "}" * 300, '{"a":%s}' % ("9" * 5000), '{"a":"\\ud800"}', "[]", "{"],
    ids=["deep", "long number", "half a character", "a list", "broken"],
)
async def test_rows_that_readers_refuse_are_not_popped(rows, row):
    """The server takes out no row that only a reader can judge."""
    await rows.add("s", [row.encode()])
    assert (await rows.pop("s", is_readable))[1] == row.encode()
    left = len((await rows.get("s", None, joined=False)).ids)
    assert left == (not is_readable(row.encode()))


async def test_ids_may_have_any_characters(store):
    """Ids, owners, tags and turn ids of 1 KiB may hold any characters, and are compared exactly."""
    odd = ["a", "A", "a ", "a\0", "a\x01", "a\x010", "a\\0", "a'", 'a"', "a%", "a_"]
    ids = [*odd, "\u00e9", "e\u0301", "😀" * 256, "\0" * 1024, "\\" * 1024, "x" * 1024]
    for number, name in enumerate(ids):
        agent = with_session(ScriptedAgent(str(number)), store=store)
        assert await agent(name, session=name, turn_id=name[:256]) == str(number)
        assert await agent(name, session=name, turn_id=name[:256]) == str(number)
        await store.update(name, owner=name, tags=[name])
    listed = await store.sessions()
    assert {info.session_id: info.owner for info in listed} == {name: name for name in ids}
    for name in ids:
        assert [one.session_id for one in await store.sessions(owner=name)] == [name]
        assert [one.session_id for one in await store.sessions(tag=name)] == [name]
        assert (await store.turns(name))[0].id == name[:256]
    named = {one.session_id for one in await store.sessions(prefix="a\0")}
    assert named == {"a\0"}


async def test_tenants_see_nothing_of_each_other(postgres_url, tenant):
    """Sessions of one id in two tenants share nothing, the empty tenant included."""
    stores = [PostgresStore(postgres_url, tenant=name) for name in (tenant, tenant + "\0", "")]
    for store in stores:
        await store.session(tenant).add_items([user(store._backend.place(""))])
        await store.update(tenant, owner=tenant)
    assert len({await store._backend.key() for store in stores}) == 3
    await stores[0].erase(owner=tenant)
    assert [len(await store.session(tenant).get_items()) for store in stores] == [0, 1, 1]
    assert [len(await store.sessions(prefix=tenant)) for store in stores] == [0, 1, 1]
    await stores[2].delete(tenant)


async def test_durability_is_what_the_server_says(postgres_url, store, admin, tenant):
    """The settings of the server for this role decide, and nothing is promised before."""
    assert store.promises.durability == "none"
    assert await store.durability() == "power"
    assert store.promises.durability == "power"
    await admin.execute(
        "CREATE ROLE careless LOGIN; ALTER ROLE careless SET synchronous_commit=off"
    )
    try:
        url = postgres_url.replace("postgres:", "careless:", 1)
        assert await PostgresStore(url, tenant=tenant).durability() == "none"
    finally:
        await admin.execute("DROP ROLE careless")


@pytest.mark.parametrize(
    ("settings", "level"),
    [
        (("on", "on", "on"), "power"),
        (("remote_apply", "on", "on"), "power"),
        (("local", "on", "on"), "power"),
        (("on", "off", "on"), "process"),
        (("on", "on", "off"), "process"),
        (("off", "on", "on"), "none"),
        (("off", "off", "off"), "none"),
    ],
)
async def test_durability_is_never_overstated(store, monkeypatch, settings, level):
    """What a setting may lose is not promised."""

    async def read():
        return settings

    monkeypatch.setattr(store._backend._inside._tables, "read_durability", read)
    assert await store.durability() == level


async def test_openers_at_once_make_one_schema(postgres_url, schema):
    """Many stores that come first at once make the schema once, each by its first call."""
    stores = [PostgresStore(postgres_url, schema=schema, timeout=20 + n) for n in range(8)]
    await asyncio.gather(*(store.session("s").add_items([user("1")]) for store in stores))
    assert len(await stores[0].session("s").get_items()) == 8


async def test_role_without_rights_works_when_an_admin_ran_setup(postgres_url, admin, schema):
    """A role that may not create is told so, and works on what another has made."""
    await admin.execute("CREATE ROLE plain LOGIN")
    plain = PostgresStore(postgres_url.replace("postgres:", "plain:", 1), schema=schema)
    try:
        with pytest.raises(StoreError, match="permission denied"):
            await plain.session("s").get_items()
        await PostgresStore(postgres_url, schema=schema).setup()
        await admin.execute(
            f"GRANT USAGE ON SCHEMA {schema} TO plain;"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO plain"
        )
        await plain.session("s").add_items([user("1")])
        await plain.setup()
        agent = with_session(ScriptedAgent("answer"), store=plain)
        await agent("2", session="s", turn_id="t")
        assert len(await plain.session("s").get_items()) == 3
    finally:
        await plain.close(linger=0)
        await admin.execute("DROP OWNED BY plain; DROP ROLE plain")


async def test_newer_schema_is_left_untouched(postgres_url, admin, schema):
    """Tables of a newer version, or of nobody, are a StoreError and stay as they are."""
    await PostgresStore(postgres_url, schema=schema).setup()
    for value in ("99", "strange"):
        await admin.execute(f"UPDATE {schema}.about SET value = '{value}'")
        with pytest.raises(StoreError, match="nothing was changed"):
            await PostgresStore(postgres_url, schema=schema, timeout=9).setup()
        with pytest.raises(StoreError, match="nothing was changed"):
            await PostgresStore(postgres_url, schema=schema, timeout=8).session("s").get_items()
    assert await admin.fetchval(f"SELECT value FROM {schema}.about") == "strange"


async def test_dropped_schema_is_made_again(postgres_url, admin, schema):
    """A schema that was dropped is an error once, and is made when it is needed again."""
    store = PostgresStore(postgres_url, schema=schema)
    await store.session("s").add_items([user("1")])
    await admin.execute(f"DROP SCHEMA {schema} CASCADE")
    with pytest.raises(StoreError):
        await store.session("s").get_items()
    assert await store.session("s").get_items() == []


def test_objects_work_in_threads_and_loops(store):
    """One store serves the loops of many threads at once, and one loop after the other."""

    def work(number):
        asyncio.run(store.session("s").add_items([user(str(number))]))

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = asyncio.run(store.session("s").get_items())
    assert sorted(item["content"] for item in found) == list("012345")


def test_loop_that_is_closed_alone_leaves_nothing(store):
    """A loop that is closed without being shut down is survived, and its connections are closed."""
    for number in range(2):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(store.session("s").add_items([user(str(number))]))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    assert len(asyncio.run(store.session("s").get_items())) == 2


def test_processes_do_not_mix_appends(store, postgres_url, tenant, process):
    """Appends of several processes stay whole, and none is lost."""
    code = """
import asyncio, sys
from memwrap import PostgresStore

async def main():
    session = PostgresStore(sys.argv[1], tenant=sys.argv[2]).session("s")
    for number in range(20):
        name = f"{sys.argv[3]}-{number}"
        await session.add_items([{"role": "user", "content": name + half} for half in "ab"])

asyncio.run(main())
"""
    asyncio.run(store.session("s").add_items([user("first")]))
    crew = [process(code, postgres_url, tenant, str(number)) for number in range(2)]
    assert [child.wait(TIMEOUT) for child in crew] == [0, 0]
    found = [item["content"] for item in asyncio.run(store.session("s").get_items())][1:]
    assert len(found) == 80
    assert [a[:-1] for a in found[::2]] == [b[:-1] for b in found[1::2]]


def test_forked_child_opens_its_own(script, postgres_url, tenant):
    """A child that was forked while connections were open works, and so does its parent."""
    code = """
import asyncio, os, sys
from memwrap import PostgresStore

store = PostgresStore(sys.argv[1], tenant=sys.argv[2])

async def work(name):
    await store.session("s").add_items([{"role": "user", "content": name}])
    return len(await store.session("s").get_items())

async def main():
    await work("parent")
    child = os.fork()
    if not child:
        try:
            asyncio._set_running_loop(None)
            asyncio.run(work("child"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    print(await work("parent again"))

asyncio.run(main())
"""
    assert script(code, postgres_url, tenant, flags=("-W", "ignore")).strip() == "3"


async def test_later_reading_extends_an_earlier_one(postgres_url, tenant):
    """Beside several writers each reading begins with the one before it, in order."""
    stores = [PostgresStore(postgres_url, tenant=tenant, timeout=30 + n) for n in range(3)]
    done = asyncio.Event()

    async def write(store, name):
        for number in range(40):
            await store.session("s").add_items([user(f"{name}{number}a"), user(f"{name}{number}b")])

    async def read(store):
        before = []
        while not done.is_set():
            now = await store.session("s").get_items()
            assert now[: len(before)] == before
            before = now
        return before

    reading = [asyncio.create_task(read(store)) for store in stores]
    await asyncio.gather(*(write(store, n) for n, store in enumerate(stores)))
    done.set()
    await asyncio.gather(*reading)
    found = [item["content"] for item in await stores[0].session("s").get_items()]
    assert len(found) == 240
    for name in range(3):
        assert [one for one in found if one.startswith(str(name))] == [
            f"{name}{number}{half}" for number in range(40) for half in "ab"
        ]


@pytest.mark.parametrize("operation", ["begin", "pop", "clear", "cut"])
async def test_statement_that_waited_sees_what_it_waited_for(rows, admin, tenant, operation):
    """An operation that waited for a writer sees all that the writer stored."""
    await rows.add("s", [b'{"n":1}'])
    block = admin.transaction()
    await block.start()
    await admin.execute(
        "UPDATE memwrap.sessions SET head = head + 1, items = items + 1, version = version + 1"
        " WHERE tenant = $1",
        tenant,
    )
    await admin.execute(
        "INSERT INTO memwrap.items (tenant, session_id, seq, body)"
        " SELECT tenant, session_id, head, '{\"n\":2}' FROM memwrap.sessions WHERE tenant = $1",
        tenant,
    )
    work = {
        "begin": lambda: rows.begin("s", "token", 9.0, ALL),
        "pop": lambda: rows.pop("s", lambda row: True),
        "clear": lambda: rows.clear("s"),
        "cut": lambda: rows.cut("s", 0, 2**60, None),
    }[operation]
    task = asyncio.create_task(work())
    await asyncio.sleep(0.1)
    assert not task.done()
    await block.commit()
    found = await task
    left = [bytes(row) for row in (await rows.get("s", None, joined=False)).data]
    if operation == "begin":
        assert list(found.data) == [b'{"n":1}', b'{"n":2}']
    elif operation == "pop":
        assert (found[1], left) == (b'{"n":2}', [b'{"n":1}'])
    else:
        assert left == []
        assert (
            await admin.fetchval("SELECT count(*) FROM memwrap.items WHERE tenant = $1", tenant)
            == 0
        )


async def test_numbers_are_given_once(rows):
    """A row that comes after a removed one, or after a cleared session, has a greater number."""
    await rows.add("s", [b"{}", b"{}"])
    before = (await rows.get("s", None, joined=False)).ids
    await rows.pop("s", lambda row: True)
    await rows.add("s", [b"{}"])
    after = (await rows.get("s", None, joined=False)).ids
    assert after[0] == before[0]
    assert after[1] > before[1]
    await rows.clear("s")
    await rows.add("s", [b"{}"])
    assert (await rows.get("s", None, joined=False)).ids[0] > after[1]


async def test_windows_are_right_with_gaps(rows):
    """The newest rows are found whatever has been removed before or between them."""
    expected = [b'{"n":%d}' % number for number in range(40)]
    await rows.add("s", expected)
    ids = list((await rows.get("s", None, joined=False)).ids)
    for first, last in ((0, 4), (20, 24), (33, 34)):
        assert await rows.cut("s", ids[first], ids[last], last - first + 1)
    kept = [row for n, row in enumerate(expected) if not (n < 5 or 20 <= n < 25 or 33 <= n < 35)]
    for size in (1, 5, 6, 12, 27, 28, 40):
        assert list((await rows.get("s", size, joined=False)).data) == kept[-size:]
        found = await rows.begin("s", "t", None, RowWindow(size))
        assert list(found.data) == kept[-size:]
    page = await rows.get("s", 3, joined=False, before=ids[26])
    assert list(page.data) == [expected[18], expected[19], expected[25]]


async def test_lease_is_held_and_given_back(rows):
    """A lease keeps others out until it is given back, has ended, or its holder is dead."""
    assert not isinstance(await rows.begin("s", "one", 9.0, ALL), Held)
    assert await rows.begin("s", "two", 9.0, ALL) == Held("one")
    assert not isinstance(await rows.begin("s", "one", 9.0, ALL), Held)
    assert not isinstance(await rows.begin("s", "two", 0.1, ALL, dead="one"), Held)
    await rows.renew("s", "two", 0.3)
    await asyncio.sleep(0.15)
    assert await rows.begin("s", "three", 9.0, ALL) == Held("two")
    await asyncio.sleep(0.2)
    begun = await rows.begin("s", "three", 9.0, ALL)
    await rows.release("s", "two")
    assert await rows.begin("s", "four", 9.0, ALL) == Held("three")
    claim = Claim("two", "two", None, again=False, life=begun.life)
    assert not await rows.commit("s", [b"{}"], TurnRecord(), claim)
    await rows.release("s", "three")
    assert not isinstance(await rows.begin("s", "four", 9.0, ALL), Held)


async def test_lease_that_a_crash_took_is_no_loss(rows, admin, tenant):
    """A turn whose lease is gone is stored, unless somebody has written since."""
    for written in (False, True):
        begun = await rows.begin("s", "one", 9.0, ALL)
        await admin.execute("UPDATE memwrap.sessions SET holder = NULL WHERE tenant = $1", tenant)
        if written:
            await rows.add("s", [b'{"other":1}'])
        claim = Claim(f"one {written}", "one", None, again=False, life=begun.life)
        assert await rows.commit("s", [b'{"n":1}'], TurnRecord(), claim) is not written


async def test_turn_is_stored_once(rows):
    """A turn that is committed again, after others have written too, is stored once."""
    begun = await rows.begin("s", "one", 9.0, ALL)
    claim = Claim("one", "one", None, again=False, life=begun.life)
    assert await rows.commit("s", [b'{"n":1}'], TurnRecord("t"), claim)
    await rows.add("s", [b'{"n":2}'])
    assert await rows.commit("s", [b'{"n":1}'], TurnRecord("t"), claim._replace(again=True))
    assert len((await rows.get("s", None, joined=False)).ids) == 2
    await rows.add("s", [b'{"n":3}'], "batch")
    await rows.add("s", [b'{"n":3}'], "batch", again=True)
    await rows.add("s", [b'{"n":3}'], "batch")  # the one before was under way, and came first
    assert len((await rows.get("s", None, joined=False)).ids) == 3


async def test_deleted_sessions_stay_deleted(store):
    """A turn that runs while its session is deleted, or erased, is not stored."""
    for remove in (lambda: store.delete("s"), lambda: store.erase(session_id="s")):
        session = store.session("s")
        await session.add_items([user("0")])

        async def agent(items, remove=remove):
            await remove()
            return "answer"

        with pytest.raises(LeaseLost):
            await with_session(agent)("1", session=session)
        assert await session.get_items() == []


async def test_half_turns_and_questions_are_replaced(rows):
    """A stopped turn's rows give way to the whole turn, and a question is part of its answer."""

    async def commit(token, bodies, record):
        begun = await rows.begin("s", token, 9.0, ALL)
        claim = Claim(token, token, None, again=False, life=begun.life)
        assert await rows.commit("s", bodies, record, claim)

    await commit("1", [b'{"n":1}', b'{"half":1}'], TurnRecord("t", shape=STOPPED))
    await rows.add("s", [b'{"loose":1}'])
    await commit("2", [b'{"n":1}', b'{"whole":1}'], TurnRecord("t", shape="text"))
    await commit("3", [b'{"q":1}'], TurnRecord(None, shape=UNANSWERED, inputs=1))
    await commit("4", [b'{"a":1}'], TurnRecord("u", shape="text", answers=1, usage=(1, 2, 3, 4, 5)))
    await commit("5", [b'{"b":1}'], TurnRecord("v", shape="text", answers=7, usage=(1, 0, 0, 0, 0)))
    data = list((await rows.get("s", None, joined=False)).data)
    assert data == [
        *(b'{"loose":1}', b'{"n":1}', b'{"whole":1}', b'{"q":1}', b'{"a":1}', b'{"b":1}'),
    ]
    turns = await rows.turns("s", None)
    assert [
        (turn.record.turn_id, turn.number, turn.size, turn.record.answers) for turn in turns
    ] == [
        *(("t", 1, 2, 0), ("u", 2, 2, 1), ("v", 3, 1, 0)),
    ]
    info = (await rows.turns("s", 1, before=3))[0]
    assert info.record.turn_id == "u"
    assert len(await rows.ranges("s")) == 3
    found = await rows.find("s", "u")
    assert list(found.rows.data) == [b'{"q":1}', b'{"a":1}']
    assert (await rows.newest("s")).record.turn_id == "v"


async def test_expired_sessions_begin_anew(postgres_url, tenant):
    """A session expires by the server's clock, is not listed then, and begins anew."""
    store = PostgresStore(postgres_url, tenant=tenant, ttl=timedelta(seconds=0.3))
    assert store.promises.expires
    session = store.session("s")
    await session.add_items([user("1")])
    await store.update("s", owner="me")
    assert (await store.sessions())[0].expires_at is not None
    await asyncio.sleep(0.2)
    await session.add_items([user("2")])
    await asyncio.sleep(0.2)
    assert len(await session.get_items()) == 2
    await asyncio.sleep(0.2)
    assert await session.get_items() == []
    assert await store.sessions() == []
    assert await store.purge(dry_run=True) == 1
    await session.add_items([user("3")])
    assert await session.get_items() == [user("3")]
    assert (await store.info("s")).owner is None


async def test_purge_leaves_running_turns(postgres_url, tenant):
    """What has expired is removed in batches, but no session whose turn runs."""
    store = PostgresStore(postgres_url, tenant=tenant, ttl=0.4)
    await asyncio.gather(*(store.session(f"s{n}").add_items([user("1")]) for n in range(30)))

    async def agent(items):
        await asyncio.sleep(0.5)
        assert await store.purge() == 30
        assert await store.purge() == 0
        return "answer"

    await with_session(agent)("hi", session=store.session("running"))
    assert await store.session("running").get_items() == [user("hi"), assistant("answer")]


async def test_search_finds_scripts_without_spaces(postgres_url, tenant):
    """Items are found by words and beginnings of words in any script, and go with their rows."""
    store = PostgresStore(postgres_url, tenant=tenant, search=True)
    texts = [
        "Ein Menü in Zürich",
        "東京は晴れです",
        "zebra crossing",
        "the menu of the day, at noon",
    ]
    for number, text in enumerate(texts):
        await store.session(f"s{number}").add_items([user(text)])
    found = {
        words: [hit.session_id for hit in await store.search(words)]
        for words in ("menu", "東京", "晴", "zeb", "cross zebra", "nothing", "Zürich menü", "%")
    }
    assert found == {
        "menu": ["s0", "s3"],
        "東京": ["s1"],
        "晴": ["s1"],
        "zeb": ["s2"],
        "cross zebra": ["s2"],
        "nothing": [],
        "Zürich menü": ["s0"],
        "%": [],
    }
    await store.session("s0").clear_session()
    assert [hit.session_id for hit in await store.search("menu")] == ["s3"]
    other = PostgresStore(postgres_url, tenant=tenant)
    await other.session("later").add_items([user("a menu from elsewhere")])
    assert len(await store.search("menu")) == 2
    with pytest.raises(ConfigurationError, match="search=True"):
        await other.search("menu")


async def test_huge_items_are_stored_and_found(postgres_url, tenant):
    """An item of megabytes is stored as it is, and a search finds its first words."""
    store = PostgresStore(postgres_url, tenant=tenant, search=True)
    text = " ".join(f"word{number}" for number in range(300_000))
    await store.session("s").add_items([user(text)])
    assert await store.session("s").get_items() == [user(text)]
    assert len(await store.search("word7")) == 1
    assert await store.session("s").pop_item() == user(text)


async def test_pages_of_sessions_go_on_while_they_change(store):
    """A list goes on behind its cursor, whatever is written or deleted meanwhile."""
    for number in range(9):
        await store.session(f"s{number}").add_items([user("1")])
    page = await store.sessions(limit=3)
    await store.session("s7").add_items([user("2")])
    await store.delete(page[-1].session_id)
    seen = [info.session_id for info in page]
    while page := await store.sessions(limit=3, after=page[-1]):
        seen += [info.session_id for info in page]
    assert seen == [f"s{number}" for number in range(8, -1, -1)]
    with pytest.raises(ConfigurationError, match="no such session"):
        await store.sessions(after="s6")


async def test_sessions_are_closed_and_opened_again(postgres_url, tenant, admin):
    """What is closed lets its connections go, and the same object opens them again."""
    url = f"{postgres_url}&application_name=closing"
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closing'"
    session = PostgresSession("s", url, tenant=tenant)
    async with PostgresStore(url, tenant=tenant) as store:
        await store.session("s").add_items([user("1")])
        assert await admin.fetchval(count) == 1
        await session.get_items()
        await session.close(linger=0)
        assert await admin.fetchval(count) == 1
    for _ in range(50):
        if not await admin.fetchval(count):
            break
        await asyncio.sleep(0.02)
    assert await admin.fetchval(count) == 0
    assert await session.get_items() == [user("1")]


async def test_many_sessions_in_flight_lose_nothing(store):
    """A hundred sessions in flight over ten connections lose and mix nothing."""
    script = [f"a{n}" for n in range(300)]
    agent = with_session(ScriptedAgent(*script), store=store)

    async def talk(name):
        for number in range(3):
            await agent(f"{name} {number}", session=name)

    names = [f"s{n}" for n in range(100)]
    await asyncio.gather(*map(talk, names))
    for name in names:
        items = await store.session(name).get_items()
        assert [item["content"] for item in items[::2]] == [f"{name} {n}" for n in range(3)]
        assert len(items) == 6
    assert len(list(itertools.chain(await store.sessions()))) == 100
