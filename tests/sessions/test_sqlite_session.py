"""Sessions in a SQLite file: what is in the file, and what is refused."""

import asyncio
import json
import logging
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import query

from memwrap import ConfigurationError, ConversionError, SQLiteSession, StoreError
from memwrap.items import assistant, user
from memwrap.sessions.sqlite.write import MAX_VALUES
from memwrap.testing import ODD_ITEMS

text = st.text(st.characters(exclude_categories=()))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**18, 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
json_items = st.dictionaries(text, values, max_size=4)

FOREIGN_ROWS = ["{", "[]", '"text"', "null", "", "{'a': 1}"]


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def mode(file):
    return stat.S_IMODE(Path(file).stat().st_mode)


def change_mode(file, mode):
    Path(file).chmod(mode)


def insert(path, session_id, *rows):
    """Write rows as another program may."""
    for row in rows:
        query(
            path,
            "INSERT INTO agent_messages (session_id, message_data) VALUES (?, ?)",
            session_id,
            row,
        )


@settings(deadline=None, max_examples=40)
@given(st.lists(json_items, max_size=4))
def test_every_json_object_comes_back_exactly(tmp_path_factory, items):
    """Numbers of any size, NUL, lone surrogates and the order of keys survive the file."""
    session = SQLiteSession("s", tmp_path_factory.mktemp("any") / "chat.db")

    async def turn():
        await session.add_items(items)
        found = await session.get_items()
        newest = await session.get_items(2)
        popped = [await session.pop_item() for _ in items]
        return found, newest, popped[::-1]

    found, newest, popped = asyncio.run(turn())
    assert repr(found) == repr(popped) == repr(items)
    assert repr(newest) == repr(items[-2:])


@pytest.mark.parametrize("count", [1, MAX_VALUES // 2, MAX_VALUES // 2 + 1, 3000])
async def test_long_appends_are_exact_too(path, count):
    """However many items one append has, they come back in their order and unchanged."""
    odd = [*ODD_ITEMS, {"\ud800": "\udfff\x00"}]
    items = [{"number": number, **odd[number % len(odd)]} for number in range(count)]
    session = SQLiteSession("s", path)
    await session.add_items(items)
    assert repr(await session.get_items()) == repr(items)
    assert repr(await session.get_items(7)) == repr(items[-7:])


async def test_items_survive_the_object(path):
    """A new object of the same id and file goes on where another left off."""
    await SQLiteSession("s", path).add_items([user("1")])
    await SQLiteSession("s", Path(path)).add_items([user("2")])
    assert await SQLiteSession("s", path).get_items() == [user("1"), user("2")]


async def test_memory_is_the_object_own():
    """Without a file each object has a conversation of its own, and closing it ends nothing."""
    one, other = SQLiteSession("s"), SQLiteSession("s", ":memory:")
    await one.add_items([user("1")])
    assert await other.get_items() == []
    await one.close(linger=0)
    assert await one.get_items() == [user("1")]


async def test_rows_of_sessions_are_kept_in_step(path):
    """A session has a row from its first item on until it is cleared, with both its times."""
    session = SQLiteSession("s", path)
    assert await session.get_items() == []
    assert query(path, "SELECT * FROM agent_sessions") == []
    await session.add_items([user("1")])
    first = query(path, "SELECT session_id, created_at, updated_at FROM agent_sessions")
    assert [row[0] for row in first] == ["s"]
    assert first[0][1] == first[0][2]
    await asyncio.sleep(0.002)
    await session.add_items([user("2")])
    ((_, created, updated),) = query(path, "SELECT * FROM agent_sessions")
    assert created == first[0][1] < updated
    await session.clear_session()
    assert query(path, "SELECT * FROM agent_sessions") == []
    assert query(path, "SELECT * FROM agent_messages") == []


async def test_rows_without_a_session_are_cleared_too(path):
    """Items that a writer stored without a row for the session are read and cleared."""
    session = SQLiteSession("s", path)
    await session.get_items()
    insert(path, "s", json.dumps(user("stray")))
    assert await session.get_items() == [user("stray")]
    await session.clear_session()
    assert query(path, "SELECT * FROM agent_messages") == []


async def test_custom_tables_are_apart(path):
    """Other table names are other conversations in the same file."""
    tables = {"sessions_table": "my_sessions", "messages_table": "my_messages"}
    await SQLiteSession("s", path).add_items([user("1")])
    await SQLiteSession("s", path, **tables).add_items([user("2")])
    assert await SQLiteSession("s", path).get_items() == [user("1")]
    assert await SQLiteSession("s", path, **tables).get_items() == [user("2")]
    assert SQLiteSession("s", path).identity != SQLiteSession("s", path, **tables).identity


@pytest.mark.parametrize(
    "name",
    ["", "a b", "1a", "a-b", "a;", 'a"', "a'", "a.b", "é", "a\n", "x" * 64, "a\x00", None, 5, b"a"],
)
def test_what_is_no_table_name_is_refused(path, name):
    """Names become part of statements, so they are plain identifiers."""
    for table in ("sessions_table", "messages_table"):
        with pytest.raises(ConfigurationError, match="a table's name"):
            SQLiteSession("s", path, **{table: name})
    assert not Path(path).exists()


@pytest.mark.parametrize("name", ["agent_messages", "Agent_Messages"])
def test_one_table_for_both_is_refused(path, name):
    """Sessions and messages are two tables, and SQLite does not tell case apart."""
    with pytest.raises(ConfigurationError, match="both tables"):
        SQLiteSession("s", path, sessions_table=name)


async def test_longest_table_names(path):
    """Names of 63 characters work."""
    session = SQLiteSession("s", path, sessions_table="x" * 63, messages_table="_" * 63)
    await session.add_items([user("1")])
    assert await session.get_items() == [user("1")]


@pytest.mark.parametrize("bad", ["", "a\x00b", None, 5, b"chat.db", ["chat.db"]])
def test_what_is_no_path_is_refused(bad):
    """A path is text or a pathlib.Path."""
    with pytest.raises(ConfigurationError, match="path"):
        SQLiteSession("s", bad)


@pytest.mark.parametrize(
    "name",
    ["a?b.db", "a?mode=memory", "%41.db", "two words.db", "file:x.db", "#.db", "naïve 😀.db", "'"],
)
async def test_odd_paths_are_taken_as_they_are(tmp_path, name):
    """No character of a path means anything: the file has exactly that name."""
    session = SQLiteSession("s", tmp_path / name)
    await session.add_items([user("1")])
    assert query(tmp_path / name, "SELECT count(*) FROM agent_messages") == [(1,)]
    await session.close(linger=0)
    assert names_in(tmp_path) == [name]


async def test_relative_path_is_fixed_when_it_is_given(tmp_path, monkeypatch):
    """Changing the folder does not change the file, neither before nor after it is opened."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    before, after = SQLiteSession("s", "before.db"), SQLiteSession("s", Path("after.db"))
    await after.add_items([user("1")])
    monkeypatch.chdir(tmp_path / "elsewhere")
    await before.add_items([user("1")])
    await after.add_items([user("2")])
    assert len(await after.get_items()) == 2
    await before.close(linger=0)
    await after.close(linger=0)
    assert names_in(tmp_path) == ["after.db", "before.db", "elsewhere"]
    assert names_in(tmp_path / "elsewhere") == []


async def test_ways_to_one_file_are_one_session(tmp_path):
    """A link and a path with dots stand for the same conversation."""
    (tmp_path / "link.db").symlink_to(tmp_path / "chat.db")
    one = SQLiteSession("s", tmp_path / "chat.db")
    for other in (tmp_path / "link.db", tmp_path / ".." / tmp_path.name / "chat.db"):
        assert SQLiteSession("s", other).identity == one.identity


async def test_nothing_is_opened_before_it_is_needed(path, tmp_path):
    """Making a session creates no file."""
    session = SQLiteSession("s", path)
    assert names_in(tmp_path) == []
    assert await session.get_items() == []
    assert "chat.db" in names_in(tmp_path)


async def test_files_are_their_owners(path, tmp_path):
    """The file and its companions can be read and written by their owner only."""
    mask = os.umask(0)
    try:
        session = SQLiteSession("s", path)
        await session.add_items([user("1")])
    finally:
        os.umask(mask)
    assert names_in(tmp_path) == ["chat.db", "chat.db-shm", "chat.db-wal"]
    assert {mode(file) for file in tmp_path.iterdir()} == {0o600}


async def test_mode_of_an_existing_file_stays(path):
    """Who made the file decides who may read it."""
    query(path, "CREATE TABLE invoices (total INTEGER)")
    change_mode(path, 0o640)
    await SQLiteSession("s", path).add_items([user("1")])
    assert mode(path) == 0o640


async def test_cleared_content_leaves_the_file(path):
    """What was cleared or popped cannot be found in the file by other means."""
    session = SQLiteSession("s", path)
    await session.add_items([user("hush-cleared" * 500), user("stays")])
    await session.clear_session()
    await session.add_items([user("stays"), user("hush-popped")])
    await session.pop_item()
    await session.close(linger=0)
    content = b"".join(file.read_bytes() for file in Path(path).parent.iterdir())
    assert b"stays" in content
    assert b"hush" not in content


def missing_folder(path):
    yield path / "folder" / "chat.db"
    (path / "folder").mkdir()


def folder(path):
    (path / "chat.db").mkdir()
    yield path / "chat.db"
    (path / "chat.db").rmdir()


def other_file(path):
    (path / "chat.db").write_bytes(b"this is a letter, not a database" * 100)
    yield path / "chat.db"
    (path / "chat.db").unlink()


def other_tables(path):
    query(path / "chat.db", "CREATE TABLE agent_messages (words TEXT)")
    yield path / "chat.db"
    (path / "chat.db").unlink()


@pytest.mark.parametrize("obstacle", [missing_folder, folder, other_file, other_tables])
async def test_failing_to_open_is_told(tmp_path, obstacle):
    """Each call says what is wrong, with the driver's error as cause, until the cause is gone."""
    steps = obstacle(tmp_path)
    file = next(steps)
    session = SQLiteSession("s", file)
    calls = [session.get_items, session.pop_item, session.clear_session, session.get_items]
    for call in [*calls, lambda: session.add_items([user("secret")])]:
        with pytest.raises(StoreError, match=str(file)) as caught:
            await call()
        assert isinstance(caught.value.__cause__, (OSError, sqlite3.Error))
        assert "secret" not in str(caught.value)
    await asyncio.gather(*(session.get_items() for _ in range(5)), return_exceptions=True)
    assert list(steps) == []
    await session.add_items([user("1")])
    assert await session.get_items() == [user("1")]


async def test_bad_file_is_left_alone(tmp_path):
    """A file that is no database is not written to."""
    (tmp_path / "letter").write_bytes(b"Dear Sir" * 200)
    with pytest.raises(StoreError):
        await SQLiteSession("s", tmp_path / "letter").add_items([user("1")])
    assert (tmp_path / "letter").read_bytes() == b"Dear Sir" * 200
    assert names_in(tmp_path) == ["letter"]


@pytest.mark.parametrize("row", FOREIGN_ROWS)
async def test_damaged_row_is_reported(path, row):
    """What can be read is returned, with a warning that names the row and not its content."""
    session = SQLiteSession("s", path)
    await session.add_items([user("1")])
    insert(path, "s", row)
    await session.add_items([user("3")])
    with pytest.warns(UserWarning, match=r"rows \[2\] are damaged") as caught:
        assert await session.get_items() == [user("1"), user("3")]
    assert str(path) in str(caught[0].message)
    for limit in (2, 2**70):
        with pytest.warns(UserWarning, match=r"rows \[2\]"):
            assert (await session.get_items(limit))[-1:] == [user("3")]
    assert await session.get_items(1) == [user("3")]


@pytest.mark.parametrize("row", [*FOREIGN_ROWS, sqlite3.Binary(b'{"a": "\xff"}')])
async def test_damaged_row_is_not_popped(path, row):
    """A damaged newest row stays where it is, and the error names it."""
    session = SQLiteSession("s", path)
    await session.add_items([user("1")])
    insert(path, "s", row)
    for _ in range(2):
        with pytest.raises(StoreError, match="the newest row, 2, is damaged"):
            await session.pop_item()
    assert query(path, "SELECT count(*) FROM agent_messages") == [(2,)]
    query(path, "DELETE FROM agent_messages WHERE id = 2")
    assert await session.pop_item() == user("1")


async def test_row_that_is_no_text_is_damaged(path):
    """Bytes that are no UTF-8 cost one row, not the conversation."""
    session = SQLiteSession("s", path)
    await session.add_items([user("1")])
    query(
        path,
        "INSERT INTO agent_messages (session_id, message_data)"
        " VALUES ('s', CAST(x'7b2261223a22ff227d' AS TEXT))",
    )
    with pytest.warns(UserWarning, match=r"rows \[2\] are damaged"):
        assert await session.get_items() == [user("1")]
    with pytest.raises(StoreError, match="the newest row, 2, is damaged"):
        await session.pop_item()
    assert query(path, "SELECT count(*) FROM agent_messages") == [(2,)]


@pytest.mark.parametrize("row", ['{"a": NaN}', '{"a": -Infinity}', ' {"a":\t"\\ud800"} '])
async def test_rows_of_pythons_own_json_are_no_damage(path, row):
    """What Python's JSON reader takes is an item, to be returned and to be popped."""
    session = SQLiteSession("s", path)
    await session.add_items([user("1")])
    insert(path, "s", row)
    assert repr(await session.get_items()) == repr([user("1"), json.loads(row)])
    assert repr(await session.pop_item()) == repr(json.loads(row))
    assert await session.get_items() == [user("1")]


async def test_every_item_is_popped_once(path):
    """Callers who pop at the same time get different items."""
    session = SQLiteSession("s", path)
    items = [user(str(number)) for number in range(30)]
    await session.add_items(items)
    popped = await asyncio.gather(*(SQLiteSession("s", path).pop_item() for _ in range(35)))
    assert sorted(item["content"] for item in popped if item) == sorted(
        item["content"] for item in items
    )
    assert popped.count(None) == 5


async def test_content_is_in_no_log(path, caplog):
    """At DEBUG the driver logs statements with their parameters; those do not show."""
    caplog.set_level(logging.DEBUG)
    session = SQLiteSession("s", path)
    await session.add_items([user("hush-1"), assistant("hush-2")])
    await asyncio.gather(*(session.add_items([user("hush")]) for _ in range(5)))
    await session.add_items([user("hush-many")] * (MAX_VALUES // 2 + 1))
    await session.get_items()
    await session.get_items(2)
    await session.pop_item()
    insert(path, "s", "hush-damaged")
    with pytest.warns(UserWarning) as caught:
        await session.get_items()
    with pytest.raises(StoreError) as refused:
        await session.pop_item()
    query(path, "DROP TABLE agent_sessions")
    with pytest.raises(StoreError) as failed:
        await session.add_items([user("hush-failed")])
    await session.close(linger=0)
    assert "executing" in caplog.text
    errors = [refused.value, failed.value, failed.value.__cause__, caught[0].message, session]
    assert "hush" not in caplog.text + "".join(f"{error} {error!r}" for error in errors)


async def test_content_is_in_no_refusal(path, tmp_path):
    """The error for a bad item has its place and type, not what is in it."""
    with pytest.raises(ConversionError) as caught:
        await SQLiteSession("s", path).add_items([{"role": "user", "content": {b"hush": "hush"}}])
    assert "hush" not in f"{caught.value} {caught.value!r}"
    assert names_in(tmp_path) == []


async def test_failure_leaves_nothing_half(path):
    """An append that the file refuses half-way leaves none of its items."""
    session = SQLiteSession("s", path)
    await session.add_items([user("before")])
    query(
        path,
        "CREATE TRIGGER picky BEFORE INSERT ON agent_messages"
        " WHEN NEW.message_data LIKE '%bad%' BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )
    for items in (
        [user("1"), user("bad"), user("2")],
        [user("1")] * (MAX_VALUES // 2) + [user("bad")],
    ):
        with pytest.raises(StoreError, match="refused") as caught:
            await session.add_items(items)
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        assert await session.get_items() == [user("before")]
    await session.add_items([user("after")])
    assert await session.get_items() == [user("before"), user("after")]
