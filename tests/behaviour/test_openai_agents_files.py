"""SQLite files and settings that memwrap and the Agents SDK share."""

from datetime import UTC, datetime

import pytest
from agents import Agent, RunConfig, Runner
from agents import SQLiteSession as SDKSession
from agents.memory import SessionSettings as SDKSettings
from agents.testing import ScriptedModel, assistant_message
from support import ids_of, query

from memwrap import InMemorySession, SessionSettings, SQLiteSession, SQLiteStore
from memwrap.items import assistant, user
from memwrap.testing import ODD_ITEMS


def schema(path):
    """Return what is in the file, the text of each statement without its spaces."""
    rows = query(path, "SELECT type, name, tbl_name, sql FROM sqlite_master")
    return {(kind, name, table, "".join((sql or "").split())) for kind, name, table, sql in rows}


def own_schema(path):
    """What memwrap adds to the file: tables of turns, versions and secrets, and an index."""
    return {
        row
        for row in schema(path)
        if row[2].endswith(("_turns", "_about")) or row[2].startswith("memwrap_")
    }


async def test_file_is_the_same_as_the_sdk_makes(path, tmp_path):
    """Tables and indexes are those of the Agents SDK, and beside them are memwrap's four."""
    session = SQLiteSession("s", path)
    await session.add_items([user("1")])
    await session.close(linger=0)
    theirs = SDKSession("s", tmp_path / "theirs.db")
    await theirs.add_items([user("1")])
    theirs.close()
    assert len(own_schema(path)) == 7
    assert schema(path) - own_schema(path) == schema(tmp_path / "theirs.db")
    named = SQLiteSession("s", path, sessions_table="Talks", messages_table="_lines2")
    await named.add_items([user("1")])
    await named.close(linger=0)
    theirs = SDKSession(
        "s", tmp_path / "theirs.db", sessions_table="Talks", messages_table="_lines2"
    )
    await theirs.add_items([user("1")])
    theirs.close()
    assert schema(path) - own_schema(path) == schema(tmp_path / "theirs.db")


async def test_sdk_reads_what_is_written_here(path):
    """The Agents SDK opens the file and finds, pops and clears what is in it."""
    session = SQLiteSession("s", path)
    await session.add_items([*ODD_ITEMS, user("last")])
    await SQLiteSession("other", path).add_items([user("stays")])
    theirs = SDKSession("s", path)
    try:
        assert repr(await theirs.get_items()) == repr([*ODD_ITEMS, user("last")])
        assert await theirs.pop_item() == user("last")
        assert await session.get_items() == ODD_ITEMS
        await theirs.clear_session()
        assert await session.get_items() == []
    finally:
        theirs.close()
    assert await SQLiteSession("other", path).get_items() == [user("stays")]


async def test_what_the_sdk_writes_is_read_here(path):
    """A file made by the Agents SDK goes on here, and both see what either adds."""
    theirs = SDKSession("s", path)
    try:
        await theirs.add_items(ODD_ITEMS)
        session = SQLiteSession("s", path)
        assert repr(await session.get_items()) == repr(ODD_ITEMS)
        await session.add_items([user("ours")])
        await theirs.add_items([user("theirs")])
        assert (
            (await session.get_items(2))
            == (await theirs.get_items(2))
            == [
                user("ours"),
                user("theirs"),
            ]
        )
        assert await session.pop_item() == user("theirs")
        await session.clear_session()
        assert await theirs.get_items() == []
    finally:
        theirs.close()
    assert query(path, "SELECT * FROM agent_sessions") == []


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
async def test_file_from_before_there_were_versions(path, journal):
    """A file without a stamp is brought up to date with all it holds."""
    theirs = SDKSession("s", path)
    await theirs.add_items([user("1"), assistant("2")])
    theirs.close()
    query(path, f"PRAGMA journal_mode = {journal}")
    session = SQLiteSession("s", path)
    assert await session.get_items() == [user("1"), assistant("2")]
    assert query(path, "SELECT * FROM memwrap_schema") == [("agent_messages", 4)]


async def test_sessions_of_the_sdk_are_listed(path):
    """What the Agents SDK stores is listed with its times, which are whole seconds in UTC."""
    theirs = SDKSession("theirs", path)
    try:
        await theirs.add_items([user("1"), assistant("2")])
    finally:
        theirs.close()
    (info,) = await SQLiteStore(path).sessions()
    assert (info.session_id, info.item_count) == ("theirs", 2)
    assert info.created_at.tzinfo is UTC
    assert info.created_at.microsecond == 0
    assert abs((datetime.now(UTC) - info.updated_at).total_seconds()) < 60
    await SQLiteStore(path).session("ours").add_items([user("1")])
    assert sorted(await ids_of(SQLiteStore(path))) == ["ours", "theirs"]


@pytest.mark.parametrize("kind", [InMemorySession, SQLiteSession])
async def test_settings_of_the_sdk_limit_what_is_returned(kind):
    """The limit of the SDK's settings holds when none is given, and a given one wins."""
    session = kind("s", session_settings=SDKSettings(limit=2))
    items = [user(str(n)) for n in range(5)]
    await session.add_items(items)
    assert await session.get_items() == items[-2:]
    assert await session.get_items(3) == items[-3:]
    assert await session.get_items(limit=0) == []
    nothing = kind("s", session_settings=SDKSettings(limit=0))
    await nothing.add_items(items)
    assert await nothing.get_items() == []
    everything = kind("s", session_settings=SDKSettings(limit=None))
    await everything.add_items(items)
    assert await everything.get_items() == items


async def test_runner_of_the_sdk_takes_the_session(path):
    """Settings of ours and of the SDK limit what its Runner loads, with and without a run's own."""
    for made in ({"limit": 2}, SDKSettings(limit=2)):
        model = ScriptedModel([[assistant_message(f"answer {n}")] for n in range(4)])
        agent = Agent(name="offline", model=model)
        session = SQLiteSession("s", path, session_settings=made)
        await session.clear_session()
        seen = []
        for limit in (None, None, None, 1):
            config = RunConfig(
                tracing_disabled=True,
                session_settings=None if limit is None else SDKSettings(limit=limit),
            )
            await Runner.run(agent, "hello", session=session, run_config=config)
            seen.append(len(model.last_call.input))
        assert seen == [1, 3, 3, 2]


@pytest.mark.parametrize(
    ("settings", "limit"),
    [(None, None), ({}, None), ({"limit": 2}, 2), (SessionSettings(limit=2), 2)],
)
async def test_settings_are_such_as_the_sdk_takes(settings, limit):
    """The SDK's own sessions around one of memwrap's, and its runner, take the settings."""
    session = InMemorySession("s", session_settings=settings)
    assert type(session.session_settings) is SDKSettings
    assert session.session_settings.limit == limit
    assert session.session_settings.resolve({"limit": 4}).limit == 4
    await session.add_items([user(text) for text in "abc"])
    session.session_settings.limit = 1
    assert await session.get_items() == [user("c")]
    session.session_settings = None
    assert len(await session.get_items()) == 3
