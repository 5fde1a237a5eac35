"""Bringing what LangChain's chat histories have stored into a store."""

import asyncio
import itertools
import json
import logging
import sqlite3
from uuid import UUID

import aiosqlite
import pytest
from corpus.strategies import messages
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
)

from memwrap import (
    ConfigurationError,
    InMemorySession,
    InMemoryStore,
    SQLiteSession,
    SQLiteStore,
    StoreError,
    run,
)
from memwrap.adapters.langchain import (
    ImportReport,
    from_items,
    import_histories,
    to_items,
)
from memwrap.adapters.langchain.importing import importer
from memwrap.items import assistant, user
from memwrap.testing import ScriptedAgent


def call(call_id="c"):
    return {"name": "weather", "args": {"city": "Rome"}, "id": call_id, "type": "tool_call"}


CONVERSATION = [
    SystemMessage("Be kind."),
    HumanMessage("Weather?", id="1", name="Ada"),
    AIMessage(
        [{"type": "text", "text": "Let me see."}],
        tool_calls=[call()],
        id="run-1",
        response_metadata={"model_name": "m", "logprobs": None},
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    ),
    ToolMessage("sunny", tool_call_id="c", name="weather", artifact={"raw": [1, 1.0, True]}),
    AIMessage("Sunny."),
    HumanMessage("And tomorrow?"),
    AIMessage("", tool_calls=[call("d")]),
    ToolMessage("rain", tool_call_id="d", status="error"),
    AIMessage("Rain."),
    AIMessage("Take an umbrella."),
]


def dumped(message):
    return json.dumps(message_to_dict(message))


def exact(several):
    """Tell messages apart by the types of their values too, but not by the order of keys."""
    return [
        (type(message), json.dumps(message_to_dict(message), sort_keys=True)) for message in several
    ]


def rows_of(name, conversation):
    return [(name, dumped(message)) for message in conversation]


async def loaded(session):
    return list(from_items(await session.get_items()))


@pytest.fixture(params=["memory", "sqlite"])
async def new_store(request, tmp_path):
    """Make stores, each with nothing in it."""
    made = []

    def make():
        if request.param == "memory":
            return InMemoryStore()
        made.append(SQLiteStore(tmp_path / f"{len(made)}.db"))
        return made[-1]

    yield make
    for store in made:
        await store.close()


class Counting:
    """A store that notes the calls to its sessions, and fails at one of them."""

    def __init__(self, store, fail_at=None, *, late=False):
        self.store = store
        self.fail_at = fail_at
        self.late = late
        self.calls = []

    def session(self, session_id):
        return CountingSession(self, self.store.session(session_id))


class CountingSession:
    def __init__(self, store, session):
        self.session_id = session.session_id
        self._store = store
        self._session = session

    async def _do(self, name, *args):
        self._store.calls.append((name, self.session_id))
        fails = len(self._store.calls) == self._store.fail_at
        if fails and not self._store.late:
            raise StoreError("cut off")
        result = await getattr(self._session, name)(*args)
        if fails:
            raise StoreError("cut off")
        return result

    async def get_items(self, limit=None):
        return await self._do("get_items", limit)

    async def add_items(self, items):
        return await self._do("add_items", items)

    async def pop_item(self):
        raise AssertionError("an import removes nothing")

    clear_session = pop_item


# What a source may be


DUMPED = [message_to_dict(message) for message in CONVERSATION]


@pytest.mark.parametrize(
    "rows",
    [
        [json.dumps(entry) for entry in DUMPED],
        [json.dumps(entry).encode() for entry in DUMPED],
        [bytearray(json.dumps(entry).encode()) for entry in DUMPED],
        [memoryview(json.dumps(entry).encode()) for entry in DUMPED],
        DUMPED,
        [DUMPED],
        [tuple(DUMPED)],
        [json.dumps(DUMPED)],
        [json.dumps(DUMPED[:3]), DUMPED[3], "[]", [], DUMPED[4:]],
        [entry["data"] for entry in DUMPED],
    ],
    ids=[
        "text",
        "bytes",
        "bytearray",
        "memoryview",
        "dict",
        "list",
        "tuple",
        "file",
        "mix",
        "flat",
    ],
)
async def test_rows_in_every_form(rows):
    """Whatever form a back end hands its rows out in, the messages are the same."""
    store = InMemoryStore()
    report = await import_histories([("s", row) for row in rows], store)
    assert repr(await loaded(store.session("s"))) == repr(CONVERSATION)
    items = to_items(CONVERSATION)
    assert report == ImportReport(1, len(CONVERSATION), len(items), 0)


async def test_source_stays_as_it_was():
    """Dicts of a source are not changed, and share nothing with what is stored."""
    before = json.dumps(DUMPED)
    stored = []

    class Keeping(InMemorySession):
        async def add_items(self, items):
            stored.extend(items)

    await import_histories([("s", DUMPED)], Keeping)
    assert len(stored) == len(to_items(CONVERSATION))
    assert json.dumps(DUMPED) == before
    stored[-1]["content"] = "changed"
    assert json.dumps(DUMPED) == before


async def test_ids_in_every_form():
    """An id is a string, a number, a UUID, or bytes; the same text is the same session."""
    store = InMemoryStore()
    row = dumped(HumanMessage("x"))
    names = ["a", b"a", bytearray(b"a"), memoryview(b"a"), 7, UUID(int=7), "é", "é".encode()]
    report = await import_histories([(name, row) for name in names], store)
    assert report.sessions == 4
    counts = {info.session_id: info.item_count for info in await store.sessions()}
    assert counts == {"a": 4, "7": 1, str(UUID(int=7)): 1, "é": 2}


@pytest.mark.parametrize("name", ["", "x" * 1025, b"\xff", "\ud800", None, True, 1.5, ("a",)])
async def test_refused_ids(name, new_store):
    """An id that the store does not take is reported, and the others are imported."""
    store = new_store()
    row = dumped(HumanMessage("x"))
    report = await import_histories([("a", row), (name, row), ("b", row)], store)
    assert len(report.refused) == 1
    assert report.refused[0] == name or not isinstance(name, str)
    assert (report.sessions, report.messages, report.items_added) == (3, 3, 2)
    assert sorted(info.session_id for info in await store.sessions()) == ["a", "b"]
    assert len(str(report)) < 200


async def test_ids_that_a_driver_refuses():
    """A back end that says no when it is asked for an id's items refuses that id."""

    class Driver(InMemorySession):
        async def get_items(self, limit=None):
            if "\0" in self.session_id:
                raise ValueError("no NUL in texts")
            return await super().get_items(limit)

    report = await import_histories([("a\0", "{}"), *rows_of("b", CONVERSATION)], Driver)
    assert report.refused == ("a\0",)
    assert report.items_added == len(to_items(CONVERSATION))


async def test_cursors_are_sources(tmp_path):
    """A cursor of sqlite3, which belongs to this thread, is a source; so is an asynchronous one."""
    query = "SELECT session_id, message FROM message_store ORDER BY id"
    path = tmp_path / "history.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE message_store (id INTEGER PRIMARY KEY, session_id, message)")
    connection.executemany(
        "INSERT INTO message_store (session_id, message) VALUES (?, ?)",
        rows_of("s", CONVERSATION),
    )
    connection.commit()
    store = InMemoryStore()
    first = await import_histories(connection.execute(query), store)
    assert await loaded(store.session("s")) == CONVERSATION
    connection.row_factory = sqlite3.Row
    second = await import_histories(connection.execute(query), store)
    connection.close()
    async with aiosqlite.connect(path) as connection:
        third = await import_histories(await connection.execute(query), store)
    assert first.items_added == second.items_present == third.items_present
    assert second.items_added == third.items_added == 0


@pytest.mark.parametrize(
    "pair", ["ab", b"ab", ("a",), ("a", "b", "c"), 5, None, {"session_id": "a", "message": "b"}]
)
async def test_what_is_no_pair(pair):
    """A source that gives something else than pairs is wrong use, and the error says what to do."""
    with pytest.raises(ConfigurationError, match="SELECT these two columns"):
        await import_histories([pair], InMemoryStore())


async def test_what_is_no_source_and_no_store():
    """A source that cannot be iterated over and a store that has no sessions are refused."""
    with pytest.raises(ConfigurationError, match="awaited.*not NoneType"):
        await import_histories(None, InMemoryStore())
    for store in (None, "chat.db", object()):
        with pytest.raises(ConfigurationError, match="takes a store"):
            await import_histories([], store)


async def test_plain_sessions_and_functions():
    """The store may be a function, and its sessions may have plain methods."""

    class Plain:
        def __init__(self, session_id):
            self.session_id = session_id
            self.items = []

        def get_items(self, limit=None):
            return self.items

        def add_items(self, items):
            self.items += items

        def pop_item(self):
            raise AssertionError

        clear_session = pop_item

    made = {}
    rows = rows_of("a", CONVERSATION) + rows_of("b", CONVERSATION[:2])

    def find(name):
        return made.setdefault(name, Plain(name))

    await import_histories(rows, find)
    assert list(from_items(made["a"].items)) == CONVERSATION
    assert (await import_histories(rows, find)).items_added == 0


# Streaming


async def test_interleaved_sessions(new_store):
    """Rows of many sessions come in any order; each session gets its own in theirs."""
    store = new_store()
    count = 40
    rows = [
        (f"s{(place * 7) % count}", dumped(message))
        for message in CONVERSATION
        for place in range(count)
    ]
    report = await import_histories(rows, store)
    assert report.sessions == count
    for place in range(count):
        assert await loaded(store.session(f"s{place}")) == CONVERSATION


async def test_one_append_for_each_session_and_batch():
    """A batch costs a session one append, and a session costs one reading."""
    store = Counting(InMemoryStore())
    rows = [(f"s{place % 4}", dumped(HumanMessage(str(place)))) for place in range(1200)]
    await import_histories(rows, store)
    assert sorted(store.calls) == sorted(
        [("get_items", f"s{name}") for name in range(4)]
        + [("add_items", f"s{name}") for name in range(4)] * 3
    )


@pytest.mark.parametrize("kind", ["sync", "async", "one row"])
async def test_little_is_read_ahead(kind):
    """However long the source is, no more than a batch of it waits to be stored."""
    stored = ahead = given_out = 0

    class Growing(InMemorySession):
        async def get_items(self, limit=None):
            return []

        async def add_items(self, items):
            nonlocal stored, ahead
            stored += len(items)
            ahead = max(ahead, len(items))

    def source():
        nonlocal given_out, ahead
        for place in range(20_000):
            given_out += 1
            ahead = max(ahead, given_out - stored)
            yield "s", '{"type": "human", "data": {"content": "' + str(place) + '"}}'

    async def asynchronous():
        for pair in source():
            yield pair

    if kind == "one row":
        entry = {"type": "human", "data": {"content": "x"}}
        report = await import_histories([("s", [entry] * 20_000)], Growing)
    else:
        report = await import_histories(source() if kind == "sync" else asynchronous(), Growing)
    assert report.items_added == stored == report.messages == 20_000
    assert ahead <= importer._BATCH == 500


@pytest.mark.parametrize(("present", "phases"), [(False, 2), (True, 3)])
async def test_event_loop_goes_on(present, phases, monkeypatch):
    """An import lets other tasks run after each few milliseconds of whatever it does with rows."""
    store = InMemoryStore()
    rows = rows_of("s", CONVERSATION * 20)
    if present:
        await import_histories(rows, store)
    monkeypatch.setattr(importer, "_BATCH", 100_000)  # each append lets others run too
    clock = itertools.count()
    monkeypatch.setattr(importer, "perf_counter", lambda: next(clock) / 1000)
    beats = 0

    async def heart():
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    beating = asyncio.create_task(heart())
    await import_histories(rows, store)
    beating.cancel()
    # Reading, converting, and comparing: each row of each takes a millisecond here.
    assert beats > phases * len(rows) / 7


async def test_messages_stay_apart(monkeypatch):
    """Messages that items alone would make one of stay two, also from one batch to the next."""
    calls = [AIMessage("", tool_calls=[call(name)]) for name in "abcdef"]
    assert len(from_items([item for one in calls for item in to_items([one])])) == 1
    monkeypatch.setattr(importer, "_BATCH", 3)
    store = InMemoryStore()
    rows = rows_of("s", calls)
    await import_histories(rows[:4], store)
    report = await import_histories(rows, store)
    assert (report.conflicts, report.items_present, report.open_calls) == ((), 4, 6)
    assert repr(await loaded(store.session("s"))) == repr(calls)


# Run again


SEVERAL = [
    pair
    for pairs in zip(rows_of("a", CONVERSATION), rows_of("b", CONVERSATION[::-1]), strict=True)
    for pair in pairs
]


async def contents(store):
    return {name: repr(await store.session(name).get_items()) for name in ("a", "b")}


async def test_interrupted_at_every_row(new_store, monkeypatch):
    """An import cut off after any row leaves what the next one completes, to the same items."""
    monkeypatch.setattr(importer, "_BATCH", 3)
    whole = new_store()
    complete = await import_histories(SEVERAL, whole)
    expected = await contents(whole)

    def broken(rows):
        yield from rows
        raise OSError("connection lost")

    for rows in range(len(SEVERAL) + 1):
        store = new_store()
        with pytest.raises(OSError, match="connection lost"):
            await import_histories(broken(SEVERAL[:rows]), store)
        report = await import_histories(SEVERAL, store)
        assert await contents(store) == expected
        assert report.items_added + report.items_present == complete.items_added
        assert report.items_present >= (rows // 3) * 3
        assert report.conflicts == ()


@pytest.mark.parametrize("late", [False, True], ids=["not done", "done, but not told"])
async def test_interrupted_at_every_store_call(new_store, monkeypatch, late):
    """A store that fails at any call is a StoreError; the next import completes the sessions."""
    monkeypatch.setattr(importer, "_BATCH", 3)
    whole = Counting(new_store())
    complete = await import_histories(SEVERAL, whole)
    expected = await contents(whole.store)
    for place in range(1, len(whole.calls) + 1):
        store = new_store()
        with pytest.raises(StoreError, match="cut off"):
            await import_histories(SEVERAL, Counting(store, place, late=late))
        report = await import_histories(SEVERAL, store)
        assert await contents(store) == expected
        assert report.items_added + report.items_present == complete.items_added
        assert report.conflicts == ()


async def test_cancelled_import_goes_on(new_store, monkeypatch):
    """A cancelled import leaves no work behind, and the next one completes it."""
    monkeypatch.setattr(importer, "_BATCH", 3)
    store = new_store()

    async def slow():
        for pair in SEVERAL:
            await asyncio.sleep(0.001)
            yield pair

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.015):
            await import_histories(slow(), store)
    before = await contents(store)
    await asyncio.sleep(0.02)
    assert await contents(store) == before
    await import_histories(SEVERAL, store)
    assert await loaded(store.session("a")) == CONVERSATION


async def test_again_adds_nothing(new_store):
    """The second import finds everything there, also when the sessions have gone on."""
    store = new_store()
    first = await import_histories(SEVERAL, store)
    second = await import_histories(SEVERAL, store)
    assert (second.items_added, second.items_present) == (0, first.items_added)
    await run(ScriptedAgent("You too."), "Thanks", session=store.session("a"))
    third = await import_histories(SEVERAL, store)
    assert third == second
    assert (await store.session("a").get_items())[-2:] == [user("Thanks"), assistant("You too.")]


async def test_more_rows_are_added(new_store):
    """Rows that came after an import are added by the next, if nobody else has gone on."""
    store = new_store()
    await import_histories(rows_of("s", CONVERSATION[:4]), store)
    report = await import_histories(rows_of("s", CONVERSATION), store)
    assert report.items_present == len(to_items(CONVERSATION[:4]))
    assert await loaded(store.session("s")) == CONVERSATION


async def test_conflicts_stay_untouched(new_store):
    """A session with other items, or that went on after a part, is reported and left alone."""
    store = new_store()
    await store.session("other").add_items([user("Something else")])
    await import_histories(rows_of("part", CONVERSATION[:3]), store)
    await run(ScriptedAgent("Yes"), "Still there?", session=store.session("part"))
    before = {name: await store.session(name).get_items() for name in ("other", "part")}
    rows = [*rows_of("other", CONVERSATION), *rows_of("part", CONVERSATION), *SEVERAL]
    report = await import_histories(rows, store)
    assert report.conflicts == ("other", "part")
    assert (report.items_added, report.items_present) == (2 * len(to_items(CONVERSATION)), 0)
    assert {name: await store.session(name).get_items() for name in before} == before


@pytest.mark.parametrize("other", [1.0, True, "1", [1], None])
async def test_types_are_compared_too(other):
    """What is stored as 1 is not what an import makes of 1.0 or true."""
    store = InMemoryStore()
    message = HumanMessage("x", additional_kwargs={"n": 1})
    await import_histories([("s", dumped(message))], store)
    message.additional_kwargs["n"] = other
    report = await import_histories([("s", dumped(message))], store)
    assert report.conflicts == ("s",)
    assert report.items_added == 0


async def test_order_of_keys_does_not_matter():
    """A store that gives an item's keys in another order holds the same item."""

    class Sorting(InMemorySession):
        async def get_items(self, limit=None):
            items = await super().get_items(limit)
            return [json.loads(json.dumps(item, sort_keys=True)) for item in items]

    sessions = {"s": Sorting("s")}
    await import_histories(rows_of("s", CONVERSATION), sessions.get)
    report = await import_histories(rows_of("s", CONVERSATION), sessions.get)
    assert (report.items_added, report.conflicts) == (0, ())


async def test_sessions_with_a_limit_are_read_whole(tmp_path):
    """A session whose settings show a few items only is compared with all that it holds."""

    def find(name):
        return SQLiteSession(name, tmp_path / "chat.db", session_settings={"limit": 2})

    await import_histories(rows_of("s", CONVERSATION[:6]), find)
    report = await import_histories(rows_of("s", CONVERSATION), find)
    assert report.conflicts == ()
    assert await loaded(SQLiteSession("s", tmp_path / "chat.db")) == CONVERSATION


@pytest.mark.filterwarnings("ignore:.*damaged and left out")
async def test_damaged_sessions_are_conflicts(tmp_path):
    """A session of which an item cannot be read is not taken for one that ends too early."""
    async with SQLiteStore(tmp_path / "chat.db") as store:
        await import_histories(rows_of("s", CONVERSATION), store)
    with sqlite3.connect(tmp_path / "chat.db") as connection:
        newest = "(SELECT max(id) FROM agent_messages)"
        connection.execute(f"UPDATE agent_messages SET message_data = '{{' WHERE id = {newest}")
    connection.close()
    async with SQLiteStore(tmp_path / "chat.db") as store:
        report = await import_histories(rows_of("s", CONVERSATION), store)
    assert (report.conflicts, report.items_added) == (("s",), 0)


# What cannot be read, and what has been lost before


def deep(levels):
    return "[" * levels + "]" * levels


DAMAGED = {
    "no json": "secret {",
    "cut": '{"type": "human", "data": {"content": "secr',
    "bytes": b"\xff\xfesecret",
    "empty": "",
    "null": None,
    "json null": "null",
    "number": 5,
    "text": '"secret"',
    "text in list": ["secret"],
    "list in list": [[{"type": "human", "data": {"content": "secret"}}]],
    "empty object": {},
    "no data": {"type": "human", "secret": 1},
    "no type": {"data": {"content": "secret"}},
    "no content": {"type": "human", "data": {"secret": "x"}},
    "data is text": {"type": "human", "data": "secret"},
    "content is a number": {"type": "human", "data": {"content": 7, "secret": 1}},
    "type is a number": {"type": 7, "data": {"content": "secret"}},
    "type is a list": {"type": ["secret"], "data": {"content": "secret"}},
    "other class": {"type": "human", "data": {"content": "secret", "type": "ai"}},
    "bad call": {"type": "ai", "data": {"content": "", "tool_calls": [{"secret": 1}]}},
    "no call id": {"type": "tool", "data": {"content": "secret"}},
    "unknown without content": {"type": "secret", "data": {}},
    "unknown with bad data": {"type": "secret", "data": [1]},
    "too deep": f'{{"type": "human", "data": {{"content": "", "x": {deep(100_000)}}}}}',
    "too deep for an item": f'{{"type": "human", "data": {{"content": "", "x": {deep(400)}}}}}',
    "too long": {"type": "human", "data": {"content": "secret" * 3_000_000}},
    "class to import": {
        "lc": 1,
        "type": "constructor",
        "id": ["os", "system"],
        "kwargs": {"command": "secret"},
    },
    "keys": {"type": "human", "data": {"content": "secret", 5: "secret"}},
}


@pytest.mark.parametrize("row", DAMAGED.values(), ids=DAMAGED)
async def test_damaged_rows(row, caplog):
    """A row that holds no message is left out and reported with its place, not its content."""
    caplog.set_level(logging.DEBUG)
    store = InMemoryStore()
    rows = [*rows_of("s", CONVERSATION[:3]), ("s", row), *rows_of("s", CONVERSATION[3:])]
    for turn in range(2):
        report = await import_histories(rows, store)
        ((name, place, reason),) = report.unreadable
        assert (name, place) == ("s", 3)
        assert reason in ("not a JSON object", "not a message", "no item can hold it")
        assert (report.items_added == 0) == (turn == 1)
        assert report.messages == len(CONVERSATION) + 1
        assert "secret" not in f"{report} {report!r} {caplog.text}"
        assert await loaded(store.session("s")) == CONVERSATION


async def test_unknown_types_are_kept():
    """A message of a class that LangChain does not have keeps its fields, with its type as role."""
    entry = message_to_dict(AIMessage("Hi", id="1", name="n", tool_calls=[call()]))
    entry["type"] = entry["data"]["type"] = "moderator"
    entry["data"]["score"] = 0.5
    named = {"type": "judge", "data": {"content": "No", "role": "x", "type": "judge"}}
    store = InMemoryStore()
    report = await import_histories(
        [("s", entry), ("s", named), ("s", dumped(HumanMessage("x")))], store
    )
    assert (report.unknown_types, report.unreadable, report.items_added) == (2, (), 3)
    first, second, third = await loaded(store.session("s"))
    fields = {key: value for key, value in entry["data"].items() if key != "type"}
    assert repr(first) == repr(ChatMessage(role="moderator", **fields))
    assert (first.content, first.score, first.tool_calls) == ("Hi", 0.5, [call()])
    assert repr(second) == repr(ChatMessage("No", role="judge", stored_role="x"))
    assert third == HumanMessage("x")


async def test_chunks_stay_chunks():
    """The chunks that a streaming history has stored come back as chunks, and are counted."""
    part = {"name": "a", "args": '{"b": 1}', "id": "c", "index": 0, "type": "tool_call_chunk"}
    chunks = [
        AIMessageChunk("He", id="run-1"),
        AIMessageChunk("llo", id="run-1", tool_call_chunks=[part]),
        AIMessageChunk("", id="run-1", chunk_position="last"),
    ]
    store = InMemoryStore()
    report = await import_histories(rows_of("s", [HumanMessage("x"), *chunks]), store)
    assert report.chunks == 3
    assert repr((await loaded(store.session("s")))[1:]) == repr(chunks)


def redis_document(message, **more):
    """The document that langchain-redis stores of a message."""
    data = {
        "content": message.content,
        "additional_kwargs": message.additional_kwargs,
        "type": message.type,
    }
    if isinstance(message, ToolMessage):
        data |= {"tool_call_id": message.tool_call_id, "status": message.status}
    common = {"type": message.type, "session_id": "s", "timestamp": 1.5}
    return common | {"data": data} | more


async def test_documents_of_langchain_redis():
    """What langchain-redis kept comes in, and the report tells what it has not kept."""
    store = InMemoryStore()
    now = [redis_document(message, message_id="01") for message in CONVERSATION]
    report = await import_histories([("s", json.dumps([entry])) for entry in now], store)
    assert report.reduced == len(CONVERSATION)
    assert (report.orphan_outputs, report.open_calls, report.unreadable) == (2, 0, ())
    kept = await loaded(store.session("s"))
    assert [m.content for m in kept] == [m.content for m in CONVERSATION]
    assert [m.type for m in kept] == [m.type for m in CONVERSATION]
    assert kept[7].status == "error"
    assert not any(m.id or m.name or getattr(m, "tool_calls", None) for m in kept)


async def test_old_and_flat_documents_of_langchain_redis():
    """Documents from before calls had ids, and without their inner level, are read too."""
    old = redis_document(ToolMessage("sunny", tool_call_id="c"))
    del old["data"]["tool_call_id"], old["data"]["status"]
    flat = redis_document(HumanMessage("x"), message_id="01")
    flat |= flat.pop("data")
    store = InMemoryStore()
    report = await import_histories([("s", old), ("s", flat)], store)
    assert (report.reduced, report.orphan_outputs, report.unreadable) == (2, 1, ())
    assert await loaded(store.session("s")) == [
        ToolMessage("sunny", tool_call_id=""),
        HumanMessage("x"),
    ]


async def test_calls_and_outputs_are_counted():
    """Outputs without a call and calls without an output are counted, ids used again included."""
    bad = {"name": "n", "args": "{", "id": "bad", "error": None, "type": "invalid_tool_call"}
    conversation = [
        ToolMessage("?", tool_call_id="c"),  # its call comes too late
        AIMessage("", tool_calls=[call()]),
        ToolMessage("1", tool_call_id="c"),
        ToolMessage("2", tool_call_id="c"),
        AIMessage("", tool_calls=[call(), call("d"), call(None)], invalid_tool_calls=[bad]),
        AIMessage("", additional_kwargs={"tool_calls": []}),
        ToolMessage("3", tool_call_id="c"),
        FunctionMessage("4", name="f"),
    ]
    rows = [*rows_of("s", conversation), *rows_of("t", conversation[1:3])]
    report = await import_histories(rows, InMemoryStore())
    assert (report.orphan_outputs, report.open_calls) == (2, 2)


async def test_report_is_readable():
    """A printed report has what there is to tell, a line each, and nothing else."""
    store = InMemoryStore()
    assert str(await import_histories([], store)) == (
        "sessions: 0, messages: 0, items added: 0, already there: 0"
    )
    await store.session("other").add_items([user("Something else")])
    rows = [
        *rows_of("s", [ToolMessage("x", tool_call_id="c"), AIMessageChunk("x")]),
        *rows_of("other", [AIMessage("", tool_calls=[call()])]),
        *[("bad", "{")] * 12,
        ("", "{}"),
        ("odd", {"type": "odd", "data": {"content": "x"}}),
        ("redis", redis_document(HumanMessage("x"))),
    ]
    ten = ", ".join(f"'bad' message {place}: not a JSON object" for place in range(10))
    assert str(await import_histories(rows, store)).splitlines() == [
        "sessions: 6, messages: 18, items added: 4, already there: 0",
        "sessions that hold something else, left as they are: 1 ('other')",
        "session ids that the store refuses: 1 ('')",
        f"messages that cannot be read, left out: 13 ({ten}, ...)",
        "tool outputs whose calls were not stored: 1",
        "tool calls that never got an output: 1",
        "messages stored without id, name, calls and usage: 1",
        "messages of unknown types, kept with the type as role: 1",
        "chunks of streams, kept as chunks: 1",
    ]


# Exactness


def read_by_langchain(several):
    """Return the JSON of messages and what LangChain reads in it; nothing where it cannot."""
    try:
        rows = [dumped(message) for message in several]
        return rows, messages_from_dict([json.loads(row) for row in rows])
    except (TypeError, ValueError):
        return None


@settings(
    max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(st.lists(messages, min_size=1, max_size=4))
def test_what_langchain_reads_comes_back(several):
    """Any messages whose JSON LangChain can read come back as what it reads."""
    known = read_by_langchain(several)
    assume(known)
    rows, expected = known
    store = InMemoryStore()

    async def import_twice():
        pairs = [("s", row) for row in rows]
        first = await import_histories(pairs, store)
        second = await import_histories(pairs, store)
        return first, second, await loaded(store.session("s"))

    first, second, found = asyncio.run(import_twice())
    assert exact(found) == exact(expected)
    assert first.unreadable == first.conflicts == second.conflicts == ()
    assert (second.items_added, second.items_present) == (0, first.items_added)
