"""SQLite files that memwrap did not make, or not this one, or that were damaged since."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support import query

from memwrap import ConfigurationError, LeaseLost, SQLiteSession, SQLiteStore, StoreError, run, undo
from memwrap.items import assistant, user
from memwrap.sessions.sqlite import engines, migrate
from memwrap.testing import ScriptedAgent


def versions(path):
    return query(path, "SELECT * FROM memwrap_schema ORDER BY 1")


def make_version_1(path):
    """Make a file as the memwrap of version 1 left it, with a turn and an item."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)


VERSION_1 = """
    CREATE TABLE memwrap_schema (
        messages TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO memwrap_schema VALUES ('agent_messages', 1);
    CREATE TABLE agent_sessions (
        session_id TEXT PRIMARY KEY,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE agent_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL,
        message_data TEXT NOT NULL,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        FOREIGN KEY (session_id) REFERENCES agent_sessions (session_id) ON DELETE CASCADE);
    CREATE INDEX idx_agent_messages_session_id ON agent_messages (session_id, id);
    CREATE TABLE agent_messages_turns (
        session_id TEXT NOT NULL, last_id INTEGER NOT NULL, first_id INTEGER, token TEXT NOT NULL,
        expires REAL, turn_id TEXT, fingerprint TEXT, shape TEXT, inputs INTEGER,
        PRIMARY KEY (session_id, last_id)) WITHOUT ROWID;
    CREATE UNIQUE INDEX idx_agent_messages_turns_turn_id
        ON agent_messages_turns (session_id, turn_id) WHERE turn_id IS NOT NULL;
    INSERT INTO agent_sessions (session_id) VALUES ('s');
    INSERT INTO agent_messages (session_id, message_data) VALUES
        ('s', '{"role":"user","content":"1"}'),
        ('s', '{"role":"assistant","content":"2"}'),
        ('s', '{"role":"user","content":"3"}');
    INSERT INTO agent_messages_turns VALUES
        ('s', 2, 1, 'token', NULL, 't', 'print', 'text', 1);
"""


def damage(path, session_id="s"):
    query(path, "INSERT INTO agent_messages (session_id, message_data) VALUES (?, '{')", session_id)


def contents(folder):
    return b"".join(file.read_bytes() for file in Path(folder).iterdir())


class TestVersion:
    async def test_each_pair_of_tables_is_stamped(self, path):
        """A file says of which version its tables are, pair by pair, whatever their case."""
        await SQLiteSession("s", path).add_items([user("1")])
        other = SQLiteSession("s", path, sessions_table="talks", messages_table="Lines")
        await other.add_items([user("1")])
        assert versions(path) == [("agent_messages", 4), ("lines", 4)]
        assert await SQLiteSession("s", path).get_items() == [user("1")]
        same = SQLiteSession("s", path, sessions_table="Talks", messages_table="LINES")
        assert await same.get_items() == [user("1")]
        assert versions(path) == [("agent_messages", 4), ("lines", 4)]

    async def test_users_own_version_stays(self, path):
        """SQLite's own numbers of a file belong to whoever else keeps tables in it."""
        query(path, "PRAGMA user_version = 7")
        query(path, "CREATE TABLE invoices (total INTEGER)")
        await SQLiteSession("s", path).add_items([user("1")])
        assert query(path, "PRAGMA user_version") == [(7,)]
        assert query(path, "SELECT count(*) FROM invoices") == [(0,)]

    async def test_newer_version_is_left_alone(self, path):
        """What a newer memwrap wrote is neither read nor changed, until this one is upgraded."""
        await SQLiteSession("s", path).add_items([user("1")])
        await SQLiteSession("s", path).close(linger=0)
        query(path, "UPDATE memwrap_schema SET version = 5")
        before = Path(path).read_bytes()
        session = SQLiteSession("s", path)
        for call in (session.get_items, session.pop_item, session.clear_session):
            with pytest.raises(StoreError, match="is of version 5, .* upgrade memwrap"):
                await call()
        assert Path(path).read_bytes() == before
        query(path, "UPDATE memwrap_schema SET version = 4")
        assert await session.get_items() == [user("1")]

    async def test_file_of_version_1(self, path):
        """A file of the version before keeps its turns, and gets a secret and answers."""
        make_version_1(path)
        session = SQLiteSession("s", path)
        assert await session.get_items() == [user("1"), assistant("2"), user("3")]
        assert versions(path) == [("agent_messages", 4)]
        assert await session.newest_turn() is None
        stored = await session.find_turn("t")
        assert (stored.fingerprint, stored.shape, stored.items) == ("print", "text", 2)
        assert stored.new_items == [assistant("2")]
        assert len(await session.turn_key()) == 32
        assert await session.pop_item() == user("3")
        assert (await session.newest_turn()).items == 2
        assert await run(ScriptedAgent("4"), "3", session=session, turn_id="u") == "4"
        assert await undo(session, 2) == [
            [user("1"), assistant("2")],
            [user("3"), assistant("4")],
        ]

    async def test_writer_of_version_1_goes_on(self, path):
        """Whoever has the file open while it is migrated may go on, and is understood."""
        make_version_1(path)
        session = SQLiteSession("s", path)
        await session.get_items()
        query(
            path,
            "INSERT INTO agent_messages (id, session_id, message_data) VALUES"
            """ (9, 's', '{"role":"user","content":"9"}')""",
        )
        query(
            path,
            "INSERT INTO agent_messages_turns (session_id, last_id, first_id, token, turn_id,"
            " fingerprint, shape, inputs) VALUES ('s', 9, 9, 'x', 'nine', 'f', 'text', 1)",
        )
        assert (await session.find_turn("nine")).items == 1
        assert (await session.newest_turn()).items == 1

    @pytest.mark.parametrize("lost", ["memwrap_keys", "agent_sessions", "agent_messages_turns"])
    async def test_lost_table_is_made_anew(self, path, lost):
        """A file that lost a table gets it back, though its columns were added long ago."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1")])
        await session.close(linger=0)
        query(path, f"DROP TABLE {lost}")
        assert await session.get_items() == [user("1")]
        assert len(await session.turn_key()) == 32
        await run(ScriptedAgent("3"), "2", session=session, turn_id="t")
        assert (await session.find_turn("t")).items == 2

    async def test_migration_is_one_transaction(self, path, monkeypatch):
        """A migration that fails in the middle leaves the file as it was, and can be repeated."""
        await SQLiteSession("s", path).add_items([user("1")])
        await SQLiteSession("s", path).close(linger=0)
        before = query(path, "SELECT sql FROM sqlite_master"), versions(path)
        with monkeypatch.context() as later:
            steps = (*migrate.MIGRATIONS, ("view_commit", "get_version"))
            later.setattr(migrate, "MIGRATIONS", steps)
            later.setattr("memwrap.sessions.sqlite.connection.MIGRATIONS", steps)
            with pytest.raises(StoreError):
                await SQLiteSession("s", path).get_items()
        assert (query(path, "SELECT sql FROM sqlite_master"), versions(path)) == before
        assert await SQLiteSession("s", path).get_items() == [user("1")]

    async def test_migration_sets_the_version(self, path, monkeypatch):
        """A file is led through each version that came since, once."""
        await SQLiteSession("s", path).add_items([user("1")])
        await SQLiteSession("s", path).close(linger=0)
        steps = (*migrate.MIGRATIONS, ("create_index",))
        monkeypatch.setattr(migrate, "MIGRATIONS", steps)
        monkeypatch.setattr("memwrap.sessions.sqlite.connection.MIGRATIONS", steps)
        assert await SQLiteSession("s", path).get_items() == [user("1")]
        assert versions(path) == [("agent_messages", 5)]


FOREIGN = {
    "no session_id": "CREATE TABLE agent_messages (id INTEGER PRIMARY KEY, words TEXT)",
    "a view": "CREATE VIEW agent_messages AS SELECT 1 AS id",
    "a table for an index": "CREATE TABLE idx_agent_messages_session_id (id INTEGER)",
    "no whole numbers as ids": (
        "CREATE TABLE agent_messages (id TEXT, session_id, message_data, created_at)"
    ),
    "a column to be filled": (
        "CREATE TABLE agent_messages (id INTEGER PRIMARY KEY, session_id, message_data,"
        " created_at, tenant TEXT NOT NULL)"
    ),
    "other sessions": "CREATE TABLE AGENT_SESSIONS (agent TEXT)",
    "other turns": "CREATE TABLE agent_messages_turns (player TEXT)",
    "other versions": "CREATE TABLE memwrap_schema (words TEXT)",
    "other keys": "CREATE TABLE memwrap_keys (door TEXT)",
    "versions that are none": (
        "CREATE TABLE memwrap_schema AS SELECT 'agent_messages' AS messages, 'new' AS version"
    ),
}


class TestForeignTables:
    @pytest.mark.parametrize("sql", FOREIGN.values(), ids=FOREIGN)
    async def test_are_left_alone(self, path, sql):
        """Tables of the same name that are not memwrap's are named, and the file stays as it is."""
        query(path, sql)
        before = Path(path).read_bytes()
        session = SQLiteSession("s", path)
        for call in (session.get_items, lambda: session.add_items([user("1")])):
            with pytest.raises(StoreError, match=r"is not memwrap's.*sessions_table="):
                await call()
        assert Path(path).read_bytes() == before
        assert [file.name for file in Path(path).parent.iterdir()] == ["chat.db"]

    async def test_columns_of_others_may_stay_empty(self, path):
        """Columns that somebody added to the tables do no harm if they may be empty."""
        await SQLiteSession("s", path).add_items([user("1")])
        await SQLiteSession("s", path).close(linger=0)
        query(path, "ALTER TABLE agent_messages ADD COLUMN rating INTEGER")
        query(path, "ALTER TABLE agent_sessions ADD COLUMN owner TEXT NOT NULL DEFAULT 'me'")
        session = SQLiteSession("s", path)
        await session.add_items([user("2")])
        assert await session.get_items() == [user("1"), user("2")]

    async def test_trigger_of_the_same_name(self, path):
        """A trigger may have the name of a table of memwrap: SQLite keeps their names apart."""
        query(path, "CREATE TABLE t (x)")
        query(path, "CREATE TRIGGER agent_messages AFTER INSERT ON t BEGIN SELECT 1; END")
        await SQLiteSession("s", path).add_items([user("1")])
        assert await SQLiteSession("s", path).get_items() == [user("1")]

    @pytest.mark.parametrize("name", ["memwrap_schema", "Memwrap_Schema", "memwrap_keys"])
    def test_own_table_is_no_choice(self, path, name):
        """The tables of versions and of secrets cannot be one of the pair."""
        with pytest.raises(ConfigurationError, match="memwrap's own table"):
            SQLiteSession("s", path, messages_table=name)
        with pytest.raises(ConfigurationError, match="memwrap's own table"):
            SQLiteStore(path, sessions_table=name)


class TestDamagedRows:
    async def test_are_counted(self, path):
        """The session says how many rows its newest reading left out."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1")])
        await session.get_items()
        assert session.damaged_items == 0
        damage(path)
        damage(path)
        with pytest.warns(UserWarning, match=r"rows \[2, 3\] are damaged and left out"):
            assert await session.get_items() == [user("1")]
        assert session.damaged_items == 2
        query(path, "DELETE FROM agent_messages WHERE message_data = '{'")
        await session.get_items()
        assert session.damaged_items == 0

    async def test_are_counted_by_a_turn(self, path):
        """A turn goes on with what can be read, and the session tells that some could not."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1"), assistant("2")])
        damage(path)
        agent = ScriptedAgent("4")
        with pytest.warns(UserWarning, match=r"rows \[3\]"):
            await run(agent, "3", session=session)
        assert agent.calls == [[user("1"), assistant("2"), user("3")]]
        assert session.damaged_items == 1

    async def test_raise_in_strict_mode(self, path):
        """A strict session raises, leaves everything as it is, and works when it is repaired."""
        damage_free = [user("1"), assistant("2")]
        session = SQLiteSession("s", path, strict=True)
        await session.add_items(damage_free)
        damage(path)
        agent = ScriptedAgent("4")
        for call in (session.get_items, lambda: run(agent, "3", session=session)):
            with pytest.raises(StoreError, match=r"session 's': rows \[3\] are damaged"):
                await call()
            assert session.damaged_items == 1
        assert agent.calls == []
        assert query(path, "SELECT count(*) FROM agent_messages") == [(3,)]
        query(path, "DELETE FROM agent_messages WHERE id = 3")
        assert await run(agent, "3", session=session) == "4"
        assert await session.get_items() == [*damage_free, user("3"), assistant("4")]

    async def test_raise_in_a_strict_store(self, path):
        """The sessions of a strict store are strict, and those of another store are not."""
        strict = SQLiteStore(path, strict=True).session("s")
        await strict.add_items([user("1")])
        damage(path)
        with pytest.raises(StoreError, match=r"rows \[2\]"):
            await strict.get_items()
        with pytest.warns(UserWarning, match=r"rows \[2\]"):
            assert await SQLiteStore(path).session("s").get_items() == [user("1")]

    async def test_stop_what_depends_on_them(self, path):
        """A stored answer and an undoing that would need a damaged row are errors that name it."""
        session = SQLiteSession("s", path)
        await run(ScriptedAgent("2"), "1", session=session, turn_id="t")
        query(path, "UPDATE agent_messages SET message_data = '{' WHERE id = 2")
        with (
            pytest.warns(UserWarning, match=r"rows \[2\]"),
            pytest.raises(StoreError, match=r"rows \[2\], of a stored turn's answer"),
        ):
            await run(ScriptedAgent("3"), "1", session=session, turn_id="t")
        with pytest.raises(StoreError, match=r"rows \[2\] are damaged; nothing was undone"):
            await undo(session)


class TestClearedContent:
    async def test_is_gone_at_once(self, path):
        """When the clearing has returned neither the file nor its log holds the content."""
        session = SQLiteSession("s", path)
        await session.add_items([user("hush" * 2000), user("hush")])
        await run(ScriptedAgent("hush"), "hush", session=session)
        await SQLiteSession("t", path).add_items([user("stays")])
        assert b"hush" in contents(Path(path).parent)
        await session.clear_session()
        assert b"hush" not in contents(Path(path).parent)
        assert b"stays" in contents(Path(path).parent)

    async def test_is_gone_when_a_store_deletes(self, path):
        """Deleting a session by its id leaves as little."""
        store = SQLiteStore(path)
        await store.session("s").add_items([user("hush" * 2000)])
        await store.delete("s")
        assert b"hush" not in contents(Path(path).parent)

    async def test_waits_for_readers(self, path):
        """A connection that reads keeps content in the log: the clearing waits for its end."""
        session = SQLiteSession("s", path)
        await session.add_items([user("hush")])
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM agent_messages").fetchall()
            clearing = asyncio.ensure_future(session.clear_session())
            while await session.get_items():  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert not clearing.done()
            reader.execute("COMMIT")
            await clearing
        assert b"hush" not in contents(Path(path).parent)

    async def test_is_told_to_be_there(self, path, monkeypatch):
        """If a reader never ends, the error says that content is left, and clearing again helps."""
        monkeypatch.setattr(engines, "BUSY_SECONDS", 0.0)
        session = SQLiteSession("s", path)
        await session.add_items([user("hush")])
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM agent_messages").fetchall()
            with pytest.raises(StoreError, match="still in the log .* clear the session again"):
                await session.clear_session()
            assert await session.get_items() == []
            reader.execute("COMMIT")
        await session.clear_session()
        assert b"hush" not in contents(Path(path).parent)


class TestFileUnderTheConnections:
    async def test_removed_file_is_made_anew(self, path):
        """What is stored after the file was removed is in the new one, not in the removed one."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1")])
        Path(path).unlink()
        await session.add_items([user("2")])
        assert query(path, "SELECT count(*) FROM agent_messages") == [(1,)]
        assert await session.get_items() == [user("2")]

    async def test_restored_file_is_read(self, path, tmp_path):
        """A backup that takes the file's place is what is read, and written to, from then on."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1")])
        await session.close(linger=0)
        shutil.copy(path, tmp_path / "backup.db")
        await session.add_items([user("2")])
        assert await session.get_items() == [user("1"), user("2")]
        (tmp_path / "backup.db").replace(path)
        assert await session.get_items() == [user("1")]
        await asyncio.gather(*(session.add_items([user("3")]) for _ in range(9)))
        assert query(path, "SELECT count(*) FROM agent_messages") == [(10,)]

    async def test_turn_does_not_end_in_another_file(self, path):
        """A turn whose file was removed meanwhile does not store its end without its beginning."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1"), assistant("2")])

        async def agent(items):
            Path(path).unlink()
            return "4"

        with pytest.raises(LeaseLost):
            await run(agent, "3", session=session)
        assert await session.get_items() == []

    @pytest.mark.parametrize("size", [50, 512, 4096, 5000])
    async def test_truncated_file_is_told(self, path, size):
        """A file that was cut is an error at each call, stays as it is, and may be restored."""
        session = SQLiteSession("s", path)
        await session.add_items([user("1" * 20_000)])
        await session.close(linger=0)
        whole = Path(path).read_bytes()
        Path(path).write_bytes(whole[:size])
        for call in (session.get_items, lambda: session.add_items([user("2")])):
            with pytest.raises(StoreError, match="malformed|not a database"):
                await call()
        assert Path(path).read_bytes() == whole[:size]
        Path(path).write_bytes(whole)
        assert await session.get_items() == [user("1" * 20_000)]

    async def test_damaged_page_is_told(self, path):
        """A page of rubbish in the file in use is an error, until the file has been repaired."""
        session = SQLiteSession("s", path)
        await session.add_items([user(str(number) * 3000) for number in range(50)])
        items = await session.get_items()
        await session.close(linger=0)
        whole = Path(path).read_bytes()
        Path(path).write_bytes(whole[:20_480] + b"\xa5" * 40_960 + whole[61_440:])
        for _ in range(2):
            with pytest.raises(StoreError, match="malformed"):
                await session.get_items()
        Path(path).write_bytes(whole)
        assert await session.get_items() == items

    def test_read_only_file(self, script):
        """Who may not write is told so at each call, and goes on when it is allowed again."""
        assert script(READ_ONLY).split() == ["told", "told", "works"]


READ_ONLY = """
import asyncio, os, shutil, tempfile
from pathlib import Path
from memwrap import SQLiteSession, StoreError
from memwrap.items import user

folder = Path(tempfile.mkdtemp())
path = folder / "chat.db"


async def main():
    session = SQLiteSession("s", path)
    await session.add_items([user("1")])
    await session.close(linger=0)
    if os.getuid() == 0:  # who may write whatever the mode says; everything is imported by now
        os.chown(folder, 65534, 65534)
        os.chown(path, 65534, 65534)
        os.setuid(65534)
    path.chmod(0o400)
    folder.chmod(0o500)
    for call in (session.get_items, lambda: session.add_items([user("2")])):
        try:
            await call()
        except StoreError as error:
            print("told" if "readonly" in str(error) or "unable to open" in str(error) else error)
    path.chmod(0o600)
    folder.chmod(0o700)
    await session.add_items([user("2")])
    print("works" if await session.get_items() == [user("1"), user("2")] else "")
    await session.close(linger=0)
    shutil.rmtree(folder, ignore_errors=True)  # the folder above may be another user's
    path.unlink(missing_ok=True)


asyncio.run(main())
"""
