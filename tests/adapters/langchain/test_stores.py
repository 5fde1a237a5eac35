"""Real chat histories on real back ends: as sessions, and imported."""

import asyncio
import contextlib
import json
import sqlite3
import threading
import uuid
import warnings

import psycopg
import pytest
import redis
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    messages_to_dict,
)
from langchain_core.runnables import RunnableLambda
from servers import postgres, valkey
from sqlalchemy import create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from memwrap import InMemoryStore, SQLiteStore, StoreError, with_session
from memwrap.adapters.langchain import from_items, import_histories, session_from_history
from memwrap.items import user

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package says that it is no longer maintained
    from langchain_community.chat_message_histories import (
        FileChatMessageHistory,
        RedisChatMessageHistory,
        SQLChatMessageHistory,
    )
    from langchain_community.chat_message_histories.postgres import (
        PostgresChatMessageHistory as OldPostgresChatMessageHistory,
    )
    from langchain_postgres import PostgresChatMessageHistory

ONE, TWO = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
CALL = {"name": "weather", "args": {"city": "Zürich", "days": 1.0}, "id": "c", "type": "tool_call"}
MESSAGES = [
    SystemMessage("Be kind."),
    HumanMessage([{"type": "text", "text": "Weather? é😀"}], id="1", name="Ada"),
    AIMessage(
        "Let me see.",
        tool_calls=[CALL],
        id="run-1",
        response_metadata={"model_name": "m", "logprobs": None},
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    ),
    ToolMessage("sunny", tool_call_id="c", name="weather", artifact={"raw": [1, 1.5, True]}),
    AIMessage("Sunny.", additional_kwargs={"refusal": None}),
    HumanMessage("Thanks"),
    AIMessageChunk("You are welcome.", id="run-2", chunk_position="last"),
]


class SQL:
    """langchain-community's SQL history, on a SQLite file."""

    QUERY = "SELECT session_id, message FROM message_store ORDER BY id"

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        back_end = cls()
        back_end.path = folder / "history.db"
        back_end.engine = create_engine(f"sqlite:///{back_end.path}")
        yield back_end
        back_end.engine.dispose()

    def history(self, name=ONE):
        return SQLChatMessageHistory(name, connection=self.engine)

    async def bring(self, store):
        connection = sqlite3.connect(self.path)
        try:
            return await import_histories(connection.execute(self.QUERY), store)
        finally:
            connection.close()


class AsyncSQL(SQL):
    """The same, made for asynchronous code."""

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        back_end = cls()
        back_end.engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'history.db'}")
        yield back_end
        await back_end.engine.dispose()

    async def bring(self, store):
        async with self.engine.connect() as connection:
            return await import_histories(await connection.stream(text(self.QUERY)), store)


class File:
    """langchain-community's history in a file for each conversation."""

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        back_end = cls()
        back_end.folder = folder
        yield back_end

    def history(self, name=ONE):
        return FileChatMessageHistory(str(self.folder / f"{name}.json"))

    async def bring(self, store):
        paths = self.folder.glob("*.json")
        return await import_histories(((path.stem, path.read_text()) for path in paths), store)


class Postgres:
    """langchain-postgres's history, on a connection for synchronous code."""

    QUERY = "SELECT session_id, message FROM chat_history ORDER BY id"

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        back_end = cls()
        back_end.url = request.getfixturevalue("postgres_url")
        with psycopg.connect(back_end.url) as back_end.connection:
            PostgresChatMessageHistory.create_tables(back_end.connection, "chat_history")
            yield back_end
            back_end.connection.rollback()
            PostgresChatMessageHistory.drop_table(back_end.connection, "chat_history")

    def history(self, name=ONE):
        return PostgresChatMessageHistory("chat_history", name, sync_connection=self.connection)

    async def bring(self, store):
        with psycopg.connect(self.url) as connection:
            return await import_histories(connection.execute(self.QUERY), store)


class AsyncPostgres(Postgres):
    """The same, on a connection for asynchronous code."""

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        async with Postgres.started(request, folder) as tables:
            tables.connection.commit()
            back_end = cls()
            back_end.url = tables.url
            async with await psycopg.AsyncConnection.connect(tables.url) as back_end.connection:
                yield back_end

    def history(self, name=ONE):
        return PostgresChatMessageHistory("chat_history", name, async_connection=self.connection)

    async def bring(self, store):
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            return await import_histories(await connection.execute(self.QUERY), store)


class OldPostgres:
    """langchain-community's Postgres history, which opens connections of its own."""

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        back_end = cls()
        back_end.url = request.getfixturevalue("postgres_url")
        back_end.opened = []
        yield back_end
        for history in back_end.opened:
            history.cursor.close()
            history.connection.close()
        with psycopg.connect(back_end.url) as connection:
            connection.execute("DROP TABLE IF EXISTS message_store")

    def history(self, name=ONE):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.opened.append(OldPostgresChatMessageHistory(name, self.url))
        return self.opened[-1]

    async def bring(self, store):
        with psycopg.connect(self.url) as connection:
            return await import_histories(connection.execute(SQL.QUERY), store)


class Redis:
    """langchain-community's Redis history."""

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        back_end = cls()
        back_end.url = request.getfixturevalue("valkey_url")
        back_end.opened = []
        with redis.Redis.from_url(back_end.url) as back_end.client:
            yield back_end
            back_end.client.flushall()
        for history in back_end.opened:
            history.redis_client.close()

    def history(self, name=ONE):
        self.opened.append(RedisChatMessageHistory(name, url=self.url))
        return self.opened[-1]

    async def bring(self, store):
        def rows():
            for key in self.client.scan_iter("message_store:*"):
                for row in reversed(self.client.lrange(key, 0, -1)):
                    yield key.removeprefix(b"message_store:"), row

        return await import_histories(rows(), store)


class Memory:
    """LangChain's own history in memory, which is the conversation itself."""

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, request, folder):
        back_end = cls()
        back_end.histories = {}
        yield back_end

    def history(self, name=ONE):
        if name not in self.histories:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the class is deprecated
                self.histories[name] = InMemoryChatMessageHistory()
        return self.histories[name]

    async def bring(self, store):
        rows = [(name, messages_to_dict(kept.messages)) for name, kept in self.histories.items()]
        return await import_histories(rows, store)


BACK_ENDS = [SQL, AsyncSQL, File, Postgres, AsyncPostgres, OldPostgres, Redis, Memory]


@pytest.fixture(scope="module")
def postgres_url():
    with postgres() as url:
        yield url


@pytest.fixture(scope="module")
def valkey_url():
    with valkey() as url:
        yield url


@pytest.fixture
async def back_end(request, tmp_path):
    async with request.param.started(request, tmp_path) as started:
        yield started


def on(*kinds):
    return pytest.mark.parametrize(
        "back_end", kinds, indirect=True, ids=[kind.__name__ for kind in kinds]
    )


def exact(several):
    """Tell messages apart by the types of their values too; Postgres keeps no order of keys."""
    return json.dumps(messages_to_dict(several), sort_keys=True)


async def write(history, messages):
    """Write as LangChain code does, in the way that the history is made for."""
    try:
        await history.aadd_messages(messages)
    except (AttributeError, TypeError, ValueError):
        await asyncio.to_thread(history.add_messages, messages)


async def read(history):
    try:
        return list(await history.aget_messages())
    except ValueError:
        return list(await asyncio.to_thread(lambda: history.messages))


def answer(messages):
    """Look the weather up before the first answer."""
    if len(messages) > 1:
        return AIMessage(f"After {len(messages)} messages: sunny.", id="run-2")
    return [
        AIMessage("", tool_calls=[CALL], id="run-1"),
        ToolMessage("sunny", tool_call_id="c", artifact={"raw": 1}),
        AIMessage("Sunny."),
    ]


chain = with_session(RunnableLambda(answer))

TURNS = [
    HumanMessage("Weather?"),
    AIMessage("", tool_calls=[CALL], id="run-1"),
    ToolMessage("sunny", tool_call_id="c", artifact={"raw": 1}),
    AIMessage("Sunny."),
    HumanMessage("Sure?"),
    AIMessage("After 5 messages: sunny.", id="run-2"),
]


# As sessions


@on(*BACK_ENDS)
async def test_turns_on_a_real_history(back_end):
    """Two turns with tools lie in a history as the messages they are, for any other object."""
    await chain.ainvoke("Weather?", session=session_from_history(back_end.history()))
    await chain.ainvoke("Sure?", session=session_from_history(back_end.history()))
    assert exact(await read(back_end.history())) == exact(TURNS)
    assert await read(back_end.history(TWO)) == []

    session = session_from_history(back_end.history())
    items = await session.get_items()
    assert exact(from_items(items)) == exact(TURNS)
    assert await session_from_history(back_end.history()).get_items(3) == items[-3:]
    assert await session.get_items(0) == []


@on(*BACK_ENDS)
async def test_real_histories_pop_and_clear(back_end):
    """Popping is refused unless the history may be written again; clearing empties one only."""
    await write(back_end.history(), MESSAGES)
    await write(back_end.history(TWO), MESSAGES[:1])
    session = session_from_history(back_end.history())
    items = await session.get_items()
    with pytest.raises(StoreError, match="rewrite=True"):
        await session.pop_item()
    assert await session.get_items() == items
    rewriting = session_from_history(back_end.history(), rewrite=True)
    assert await rewriting.pop_item() == items[-1]
    assert await session.get_items() == items[:-1]
    await session_from_history(back_end.history()).clear_session()
    assert await session.get_items() == []
    assert await read(back_end.history(TWO)) == MESSAGES[:1]


@on(*BACK_ENDS)
async def test_items_survive_real_histories(back_end):
    """Items that LangChain has no message for come back from a real back end."""
    items = [
        user("q"),
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c", "name": "n", "arguments": '{ "a":1 }', "id": "f"},
        {"type": "function_call_output", "call_id": "c", "output": "o", "status": "completed"},
        {"type": "strange", "x": [1, 1.5, True, {"é": None}]},
    ]
    await session_from_history(back_end.history()).add_items(items)
    found = await session_from_history(back_end.history()).get_items()
    assert json.dumps(found, sort_keys=True) == json.dumps(items, sort_keys=True)


@on(SQL, File, Postgres, OldPostgres, Redis)
async def test_real_histories_for_synchronous_code(back_end, monkeypatch):
    """A history for synchronous code is used in other threads, and so blocks no event loop."""
    history = back_end.history()
    if isinstance(back_end, SQL) or type(back_end) is Postgres:
        with pytest.raises(ValueError, match="sync"):
            await history.aget_messages()
    threads = []
    for name in ("add_messages", "clear"):
        monkeypatch.setattr(type(history), name, noting(getattr(type(history), name), threads))
    read = noting(type(history).messages.fget, threads)
    monkeypatch.setattr(type(history), "messages", property(read))
    session = session_from_history(history)
    await session.add_items([user("1")])
    assert await session.get_items() == [user("1")]
    await session.clear_session()
    assert len(threads) >= 4  # some read before they write
    assert threading.current_thread() not in threads


def noting(method, threads):
    def noted(*args):
        threads.append(threading.current_thread())
        return method(*args)

    return noted


@on(AsyncSQL, AsyncPostgres)
async def test_real_histories_for_asynchronous_code(back_end):
    """A history that refuses synchronous calls is used in the event loop."""
    history = back_end.history()
    with pytest.raises(ValueError, match="sync"):
        _ = history.messages
    session = session_from_history(history)
    await session.add_items([user("1")])
    assert await session.get_items() == [user("1")]
    assert await history.aget_messages() == [HumanMessage("1")]


@on(SQL, AsyncSQL)
async def test_a_turn_is_one_reading_and_one_writing(back_end):
    """A turn on a new object costs the database one query and one transaction that inserts."""
    await chain.ainvoke("Weather?", session=session_from_history(back_end.history()))
    session = session_from_history(back_end.history())
    engine = getattr(back_end.engine, "sync_engine", back_end.engine)
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement.split()[0])

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", lambda _: seen.append("COMMIT"))
    await chain.ainvoke("Sure?", session=session)
    # Before them the asynchronous one looks whether its table is there.
    assert seen[seen.index("SELECT") :] == ["SELECT", "INSERT", "INSERT", "COMMIT"]


@on(SQL, AsyncSQL, Redis)
async def test_objects_on_one_conversation_wait_for_each_other(back_end):
    """Turns on several history objects of one conversation come one after the other."""
    asked = ["Weather?"] * 4
    await asyncio.gather(
        *(chain.ainvoke(q, session=session_from_history(back_end.history())) for q in asked)
    )
    kinds = [message.type for message in await read(back_end.history())]
    assert kinds == ["human", "ai", "tool", "ai"] + ["human", "ai"] * 3


@on(*BACK_ENDS)
async def test_sessions_of_a_conversation_have_one_identity(back_end):
    """An id that is known tells which conversation it is; without one only the object does."""
    first, second = back_end.history(), back_end.history()
    named = [session_from_history(one, session_id=ONE).identity for one in (first, second)]
    has_id = hasattr(first, "session_id")
    assert named[0] == named[1]
    # The history's own id counts, whatever the session is called.
    assert (session_from_history(first, session_id=TWO).identity == named[0]) == has_id
    own = session_from_history(first).identity == session_from_history(second).identity
    assert own == (first is second or has_id)
    assert session_from_history(first).identity == session_from_history(first).identity


@on(AsyncSQL)
async def test_damage_is_not_taken_for_a_refusal(back_end):
    """A history whose first reading fails for a damaged row works when that has been repaired."""
    await write(back_end.history(), MESSAGES[:2])
    change = text("UPDATE message_store SET message = replace(message, :old, :new)")
    async with back_end.engine.begin() as connection:
        await connection.execute(change, {"old": '{"type"', "new": '{secret"type"'})
    session = session_from_history(back_end.history())
    with pytest.raises(StoreError, match="SQLChatMessageHistory failed") as told:
        await session.get_items()
    assert "secret" not in str(told.value)
    async with back_end.engine.begin() as connection:
        await connection.execute(change, {"old": '{secret"type"', "new": '{"type"'})
    assert list(from_items(await session.get_items())) == MESSAGES[:2]


@on(AsyncSQL, Postgres, AsyncPostgres, Redis)
async def test_a_back_end_that_fails_is_a_store_error(back_end):
    """What a driver raises, at the first reading or later, is the cause of a StoreError."""
    used = session_from_history(back_end.history())
    await used.get_items()
    fresh = session_from_history(back_end.history())
    await damage(back_end)
    for work in (fresh.get_items, used.get_items, lambda: used.add_items([user("secret")])):
        with pytest.raises(StoreError, match="History failed") as told:
            await work()
        assert told.value.__cause__ is not None
        assert "secret" not in str(told.value)


async def damage(back_end):
    """Let every further call fail."""
    change = "ALTER TABLE {} RENAME COLUMN message TO other"
    if isinstance(back_end, AsyncSQL):
        async with back_end.engine.begin() as connection:
            await connection.execute(text(change.format("message_store")))
    elif isinstance(back_end, Redis):
        back_end.client.set(f"message_store:{ONE}", "no list")
    elif isinstance(back_end, AsyncPostgres):
        await back_end.connection.close()
    else:
        back_end.connection.execute(change.format("chat_history"))
        back_end.connection.commit()


@on(Memory)
async def test_a_history_in_memory_keeps_copies(back_end):
    """What a caller changes in items that it added or got is not changed in the history."""
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "x"}]},
        {"type": "strange", "x": [1]},
    ]
    before = json.loads(json.dumps(items))
    session = session_from_history(back_end.history())
    await session.add_items(items)
    for found in (items, await session.get_items()):
        found[0]["content"].append("changed")
        found[1]["x"].append("changed")
    assert await session.get_items() == before


# Imported


@on(*BACK_ENDS)
async def test_real_histories_are_imported(back_end, tmp_path):
    """What the real classes wrote comes back message by message, and once only."""
    for place, message in enumerate(MESSAGES):  # one conversation between the lines of the other
        await write(back_end.history(ONE), [message])
        if place % 2:
            await write(back_end.history(TWO), [message])
    async with SQLiteStore(tmp_path / "memwrap.sqlite") as store:
        report = await back_end.bring(store)
        one, two = [list(from_items(await store.session(n).get_items())) for n in (ONE, TWO)]
        assert exact(one) == exact(MESSAGES) == exact(await read(back_end.history(ONE)))
        assert exact(two) == exact(MESSAGES[1::2]) == exact(await read(back_end.history(TWO)))
        assert (report.sessions, report.messages) == (2, len(MESSAGES) + len(MESSAGES[1::2]))
        assert (report.conflicts, report.refused, report.unreadable) == ((), (), ())
        assert (report.orphan_outputs, report.open_calls, report.chunks) == (1, 0, 1)
        again = await back_end.bring(store)
        assert (again.items_added, again.items_present) == (0, report.items_added)
        await chain.ainvoke("Sure?", session=store.session(ONE))
        assert (await back_end.bring(store)).conflicts == ()


@on(*BACK_ENDS)
async def test_turns_on_real_histories_are_imported(back_end):
    """What memwrap itself stored in a history comes in as the same items."""
    session = session_from_history(back_end.history())
    await chain.ainvoke("Weather?", session=session, turn_id="1")
    await chain.ainvoke("Sure?", session=session)
    store = InMemoryStore()
    await back_end.bring(store)
    assert await store.session(ONE).get_items() == await session.get_items()


# What back ends lose


@on(Postgres, AsyncPostgres, OldPostgres)
async def test_postgres_refuses_nul(back_end):
    """Postgres' JSON has no NUL, so a turn with one is a StoreError and leaves nothing."""
    session = session_from_history(back_end.history())
    with pytest.raises(StoreError, match="UntranslatableCharacter"):
        await session.add_items([user("a\0b")])


@on(Postgres, OldPostgres)
async def test_postgres_loses_large_floats(back_end):
    """Postgres' JSON writes large floats as whole numbers: all that was lost was lost there."""
    message = HumanMessage("x", additional_kwargs={"n": 1e16, "m": 1.0})
    await write(back_end.history(), [message])
    store = InMemoryStore()
    await back_end.bring(store)
    (found,) = from_items(await store.session(ONE).get_items())
    assert repr(found.additional_kwargs) == repr({"m": 1.0, "n": 10**16})
    assert repr(found) == repr((await read(back_end.history()))[0])


@on(*BACK_ENDS[:-1])
async def test_emptied_calls_come_back(back_end):
    """LangChain fills calls that were taken out in again from the provider's own form."""
    raw = {"id": "c", "type": "function", "function": {"name": "n", "arguments": "{}"}}
    message = AIMessage("", additional_kwargs={"tool_calls": [raw]})
    message.tool_calls = []
    await write(back_end.history(), [message])
    store = InMemoryStore()
    report = await back_end.bring(store)
    (found,) = from_items(await store.session(ONE).get_items())
    assert [made["id"] for made in found.tool_calls] == ["c"]
    assert [found] == await read(back_end.history())
    assert report.open_calls == 1
