"""Conversations as objects in SQLite files: beside the common tables, and gone when erased."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support import query

from memwrap import (
    ConfigurationError,
    InMemoryStore,
    SQLiteSession,
    SQLiteStore,
    StoreError,
    run,
    with_session,
)
from memwrap.items import assistant, user
from memwrap.middleware import Memory
from memwrap.sessions.base import identity
from memwrap.sessions.sqlite.words import WIPES_EACH
from memwrap.testing import ScriptedAgent


def contents(path):
    return b"".join(file.read_bytes() for file in Path(path).parent.iterdir())


async def talk(store, session_id, *questions, answer="fine"):
    @with_session(store=store)
    async def agent(items):
        return answer

    for question in questions:
        await agent(question, session=session_id, turn_id=question)


@pytest.fixture(params=["memory", "file"])
def store(request, path):
    kind = {"memory": InMemoryStore, "file": lambda **more: SQLiteStore(path, **more)}
    return kind[request.param](search=True)


class TestFile:
    async def test_common_tables_have_no_more_columns(self, path):
        """What memwrap knows of sessions and turns is in tables of its own."""
        store = SQLiteStore(path, search=True, ttl=1000)
        await talk(store, "s", "a")
        await store.update("s", title="T", owner="o")
        await store.search("a")
        for table, columns in (
            ("agent_sessions", ["session_id", "created_at", "updated_at"]),
            ("agent_messages", ["id", "session_id", "message_data", "created_at"]),
        ):
            assert [row[1] for row in query(path, f"PRAGMA table_info({table})")] == columns
        triggers = query(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert triggers == []

    @pytest.mark.parametrize("search", [True, False])
    async def test_nothing_is_left_of_what_is_erased(self, path, search):
        """No text, title, owner, tag or word is in the file, its log or its index."""
        store = SQLiteStore(path, search=True)
        await talk(store, "idhushhush", "questionhushhush", answer="answerhushhush")
        about = {"title": "titlehushhush", "owner": "ownerhushhush", "tags": ["taghushhush"]}
        await store.update("idhushhush", metadata={"k": "metahushhush"}, **about)
        await store.fork("idhushhush", "forkhushhush")
        assert len(await store.search("questionhushhush")) == 2
        assert b"questionhushhush" in contents(path)
        await talk(store, "other", "something")
        await SQLiteStore(path, search=search).erase(owner="ownerhushhush")
        await store.close(linger=0)
        assert b"hushhush" not in contents(path)
        assert len(await store.search("something")) == 1

    async def test_index_takes_in_what_others_write_and_remove(self, path):
        """Items of other programs are found, and what they delete is not."""
        store = SQLiteStore(path, search=True)
        await talk(store, "s", "before")
        assert await store.search("theirs") == []
        row = '{"role": "user", "content": "theirs"}'
        query(path, "INSERT INTO agent_messages (session_id, message_data) VALUES ('s', ?)", row)
        assert [hit.turn for hit in await store.search("theirs")] == [None]
        query(path, "DELETE FROM agent_messages WHERE message_data = ?", row)
        assert await store.search("theirs") == []
        assert len(await store.search("before")) == 1

    async def test_store_that_does_not_search_takes_words_away(self, path):
        """A store that was open before there was an index leaves no words of what it clears."""
        plain = SQLiteStore(path)
        await talk(plain, "s", "wordhush")
        store = SQLiteStore(path, search=True)
        assert len(await store.search("wordhush")) == 1
        await plain.session("s").clear_session()
        await store.close(linger=0)
        await plain.close(linger=0)
        assert b"wordhush" not in contents(path)

    async def test_stores_with_and_without_ttl_are_one_place(self, path):
        """How long sessions live does not tell them apart; a store without sees them expire."""
        plain, short = SQLiteStore(path), SQLiteStore(path, ttl=0.2)
        assert identity(plain.session("s")) == identity(short.session("s"))
        await talk(short, "s", "a")
        await talk(plain, "s", "b")
        assert len(await plain.session("s").get_items()) == 4
        await asyncio.sleep(0.25)
        assert await plain.session("s").get_items() == []
        assert await plain.sessions() == []
        await talk(plain, "s", "c")
        assert (await plain.info("s")).expires_at is None
        assert len(await short.session("s").get_items()) == 2

    async def test_turn_outlives_its_session(self, path):
        """A turn that began before its session expired is stored as the first of a new one."""
        for store in (SQLiteStore(path, ttl=0.15), InMemoryStore(ttl=0.15)):

            async def slow(items):
                await asyncio.sleep(0.2)
                return str(len(items))

            await talk(store, "s", "a")
            assert await with_session(slow, store=store)("b", session="s") == "3"
            assert await store.session("s").get_items() == [user("b"), assistant("3")]

    async def test_turns_of_older_files_have_numbers(self, path):
        """Turns that were stored before there were numbers and times are listed with both."""
        session = SQLiteSession("s", path)
        for question in "abc":
            await run(ScriptedAgent("x"), question, session=session, turn_id=question)
        await session.close(linger=0)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE agent_messages_about")
            for column in ("number", "usage", "metadata", "seconds", "stored"):
                connection.execute(f"ALTER TABLE agent_messages_turns DROP COLUMN {column}")
            connection.execute("UPDATE memwrap_schema SET version = 3")
            connection.commit()
        store = SQLiteStore(path)
        turns = await store.turns("s")
        assert [(turn.number, turn.id) for turn in turns] == [(1, "a"), (2, "b"), (3, "c")]
        assert all(turn.stored_at.year > 2000 for turn in turns)
        await talk(store, "s", "d")
        assert [turn.number for turn in await store.turns("s")] == [1, 2, 3, 4]
        assert query(path, "SELECT version FROM memwrap_schema") == [(4,)]

    async def test_lists_skip_sessions_without_items(self, path):
        """Emptied sessions between others cost a page nothing, and come in none."""
        store = SQLiteStore(path)
        for number in range(12):
            await store.session(str(number)).add_items([user("x")])
            if number % 3:
                await store.session(str(number)).pop_item()
        found = [info.session_id for info in await store.sessions(limit=3)]
        rest = await store.sessions(after=found[-1])
        assert sorted([*found, *(info.session_id for info in rest)]) == ["0", "3", "6", "9"]

    def test_version_of_sqlite_is_looked_at_once(self):
        """Whether words are wiped out one by one is a matter of SQLite's version."""
        assert (sqlite3.sqlite_version_info >= (3, 42)) is WIPES_EACH


class TestForks:
    async def test_fork_of_many_turns_is_exact(self, store):
        """Turns whose rows lie between those of other sessions keep their rows and answers."""
        for number in range(30):
            await talk(store, "s", f"q{number}", answer=f"a{number}")
            await store.session("other").add_items([user("x")])
            if number == 10:
                await store.session("s").add_items([user("loose")])
        fork = await store.fork("s", "f", at=20)
        before = (await store.get_items("s"))[:41]
        assert await fork.get_items() == before
        items = await fork.get_items()
        for turn in await store.turns("f"):
            page = await store.get_items("f", limit=2, before=turn.last_item + 1)
            assert page == [user(turn.id), assistant(f"a{turn.id[1:]}")]
        assert len(items) == 41
        agent = ScriptedAgent("new")
        assert await run(agent, "q3", session=fork, turn_id="q3") == "a3"
        assert agent.calls == []

    async def test_forks_at_once_are_one(self, store):
        """Requests that fork at the same time get the same session."""
        await talk(store, "s", "a", "b")
        await asyncio.gather(*(store.fork("s", "f", at=1) for _ in range(5)))
        assert len(await store.get_items("f")) == 2

    async def test_session_of_another_store_is_refused(self, store):
        """A session is forked in its own store only."""
        other = InMemoryStore().session("s")
        await other.add_items([user("x")])
        with pytest.raises(ConfigurationError, match="of another store"):
            await store.fork(other, "f")
        await talk(store, "s", "a")
        await talk(store, "t", "a")
        (turn,) = await store.turns("t")
        with pytest.raises(ConfigurationError, match="a turn of session 't', not of 's'"):
            await store.fork("s", "f", at=turn)


class TestWrongUse:
    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda s: s.update("s", title=5), "a title is a string or None, not int"),
            (lambda s: s.update("s", title="x" * 70_000), "at most 65536 are kept"),
            (lambda s: s.update("s", owner=""), "an owner has 1 to 1024 bytes"),
            (lambda s: s.update("s", owner=5), "an owner is a string"),
            (lambda s: s.update("s", tags="vip"), "tags are a list of strings, not str"),
            (lambda s: s.update("s", tags=[5]), "a tag is a string"),
            (lambda s: s.update("s", metadata=[1]), "metadata is a dict or None, not list"),
            (lambda s: s.update("s", metadata={"a": {1, 2}}), "holds what JSON does not"),
            (lambda s: s.update("s", metadata={1: 2}), "holds what JSON does not"),
            (lambda s: s.update("s", metadata={"a": float("nan")}), "holds what JSON does not"),
            (lambda s: s.sessions(owner=5), "an owner is a string"),
            (lambda s: s.sessions(tag=""), "a tag has 1 to 1024"),
            (lambda s: s.turns("s", limit=-1), "a limit is a whole number"),
            (lambda s: s.turns("s", before=0), "before is a whole number from 1 on, not 0"),
            (lambda s: s.get_items("s", before="x"), "before is a whole number"),
            (lambda s: s.fork("s", ""), "the new session's id has 1 to 1024"),
            (lambda s: s.fork("s", "f", at=0), "at is a whole number from 1 on"),
            (lambda s: s.fork("s", "f", at=True), "at is a whole number from 1 on"),
            (lambda s: s.search(5), r"search\(\) takes a string, not int"),
            (lambda s: s.search("x", limit=0), "limit is a whole number from 1 on"),
            (lambda s: s.purge(0), "older_than is a number of seconds more than 0"),
            (lambda s: s.purge(-5.0), "older_than is a number"),
            (lambda s: s.purge(keep_turns=0), "keep_turns is a whole number from 1 on"),
            (lambda s: s.erase(), "takes one of owner= and session_id="),
            (lambda s: s.erase(owner="a", session_id="b"), "takes one of"),
        ],
    )
    async def test_arguments_are_checked(self, store, call, message):
        """What cannot be is refused before anything is done, with a message that names it."""
        with pytest.raises(ConfigurationError, match=message):
            await call(store)
        assert await store.info("s") is None

    @pytest.mark.parametrize("ttl", [0, -1, "5", True, float("inf"), float("nan")])
    def test_time_to_live_is_checked(self, path, ttl):
        """A time to live is a number of seconds more than 0, or a timedelta."""
        for make in (InMemoryStore, lambda **options: SQLiteStore(path, **options)):
            with pytest.raises(ConfigurationError, match="ttl is a number of seconds more than 0"):
                make(ttl=ttl)

    def test_tenant_is_checked(self):
        """A tenant is a string of up to 1 KiB, and may be empty."""
        assert InMemoryStore(tenant="")
        with pytest.raises(ConfigurationError, match="a tenant has 1 to 1024 bytes"):
            InMemoryStore(tenant="x" * 1025)

    @pytest.mark.parametrize("metadata", [{"a": {1}}, {"a": "x" * 70_000}])
    async def test_notes_that_cannot_be_kept_fail_the_turn(self, store, metadata):
        """What JSON cannot hold is told with the answer, and nothing of the turn is stored."""

        async def noting(turn, send, handler):
            await handler(turn, send)
            turn.metadata.update(metadata)

        agent = with_session(ScriptedAgent("answer"), middleware=[Memory(), noting])
        with pytest.raises(ConfigurationError, match=r"turn\.metadata") as caught:
            await agent("q", session=store.session("s"))
        assert caught.value.result == "answer"
        assert await store.get_items("s") == []

    async def test_damage_is_told_in_pages(self, path):
        """A page leaves damaged rows out with a warning, or is an error of a strict store."""
        await SQLiteStore(path).session("s").add_items([user("1"), user("2")])
        query(path, "UPDATE agent_messages SET message_data = '{' WHERE id = 1")
        with pytest.warns(UserWarning, match=r"rows \[1\] are damaged"):
            assert await SQLiteStore(path).get_items("s") == [user("2")]
        with pytest.raises(StoreError, match="damaged"):
            await SQLiteStore(path, strict=True).get_items("s")
        assert await SQLiteStore(path, search=True).search("1") == []
