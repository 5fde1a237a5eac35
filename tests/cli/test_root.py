"""The command, on each kind of store, and as a process of its own."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import OUTPUT, ROOT, query

from memwrap import store_from_url, with_session
from memwrap.cli.root import root
from memwrap.testing import ScriptedAgent


async def filled(url):
    """Put two turns of one conversation into a store."""
    async with store_from_url(url) as store:
        agent = with_session(ScriptedAgent("one \x1b[31m parcel", "two"), store=store)
        await agent("Where is it?", session="late", turn_id="r1")
        await agent("And now?", session="late")
        await store.update("late", title="Late order", owner="ann", tags=["vip"])


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def url(request, tmp_path):
    """The URL of a store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a.db"
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def file(tmp_path):
    """A SQLite file that is not there yet."""
    return str(tmp_path / "a.db")


def run(*arguments, code=0, store=None):
    """Run a command; return what it wrote."""
    done = CliRunner().invoke(root, arguments, env={"MEMWRAP_STORE": store})
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


async def test_commands_read_and_change_every_store(url):
    """Each command does its work on every kind of store."""
    await filled(url)

    def work():
        assert "late" in run("list", "-q", "--owner", "ann", store=url).split()
        (info,) = lines(run("list", "--json", "--tag", "vip", "--prefix", "late", store=url))
        assert (info["title"], info["turn_count"]) == ("Late order", 2)
        shown = run("show", "late", store=url)
        assert "\x1b" not in shown
        assert "one \\x1b[31m parcel" in shown
        rows = lines(run("show", "late", "--turn", "1", "--json", store=url))
        assert [row["turn_id"] for row in rows] == ["r1", "r1"]
        assert rows[1]["item"]["content"] == "one \x1b[31m parcel"
        assert run("show", "late", "-r", store=url) == "two\n"
        (hit,) = lines(run("search", "PARC", "--json", "--prefix", "late", store=url))
        assert (hit["session_id"], hit["turn"]) == ("late", 1)
        assert "And now?" in run("tail", "late", "-n", "1", store=url)
        assert lines(run("stats", "--json", "--owner", "ann", store=url))[0]["items"] == 4
        run("verify", "late", store=url)
        run("doctor", store=url)
        run("fork", "late", "late/2", "--at", "1", store=url)
        run("update", "late/2", "--no-title", "--owner", "bob", store=url)
        (info,) = lines(run("list", "--json", "--owner", "bob", store=url))
        assert (info["title"], info["parent"], info["item_count"]) == (None, "late", 2)
        run("undo", "late", code=2, store=url)
        run("undo", "late", "--yes", store=url)
        run("erase", "--owner", "bob", "--dry-run", store=url)
        run("erase", "--owner", "bob", "--yes", store=url)
        run("list", "--owner", "bob", code=1, store=url)
        assert lines(run("purge", "--older-than", "9w", "--json", "--dry-run", store=url))
        run("erase", "late", "--yes", store=url)
        run("show", "late", code=1, store=url)

    await asyncio.to_thread(work)


async def test_copy_is_complete_and_done_once(file, tmp_path):
    """A copy has all conversations, and copying again adds nothing."""
    await filled(f"sqlite:///{file}")
    target = str(tmp_path / "b.db")

    def work():
        first = lines(run("copy", file, target, "--json"))[0]
        assert first == {"sessions": 1, "items": 4, "skipped": 0}
        assert lines(run("copy", file, target, "--json"))[0]["skipped"] == 1

    await asyncio.to_thread(work)


async def test_reading_changes_nothing(file, tmp_path):
    """Commands that read make no file, and work on one that cannot be written."""
    await filled(f"sqlite:///{file}")
    Path(file).chmod(stat.S_IRUSR)
    before = sorted(tmp_path.iterdir()), Path(file).stat().st_mtime_ns

    def work():
        for command in (["list"], ["show", "late"], ["search", "two"], ["verify"], ["stats"]):
            run(*command, store=file)
        for missing in (["list"], ["undo", "x", "--yes"], ["erase", "x", "--yes"]):
            run(*missing, code=4, store=f"{file}.none")

    await asyncio.to_thread(work)
    assert (sorted(tmp_path.iterdir()), Path(file).stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE agent_messages SET message_data = '{' WHERE id = 2",
        "UPDATE agent_messages SET message_data = '[]' WHERE id = 2",
        f"UPDATE agent_messages SET message_data = '{json.dumps(OUTPUT)}' WHERE id = 2",
        "DELETE FROM agent_messages WHERE id = 2",
        "DELETE FROM agent_messages WHERE id = 4",
        "DELETE FROM agent_sessions",
        "UPDATE agent_messages_turns SET number = 1",
        "UPDATE agent_messages_about SET metadata = '{'",
    ],
)
async def test_damage_is_found(file, sql):
    """Each kind of damage ends verify with 3."""
    await filled(f"sqlite:///{file}")
    await asyncio.to_thread(run, "verify", store=file)
    query(file, sql)
    text = await asyncio.to_thread(lambda: run("verify", "--json", code=3, store=file))
    assert lines(text)


def test_files_of_another_library_are_read(file):
    """A file with the common tables alone is read, and gets no others."""
    query(file, "CREATE TABLE agent_sessions (session_id TEXT PRIMARY KEY, created_at, updated_at)")
    query(
        file,
        "CREATE TABLE agent_messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT,"
        " message_data TEXT, created_at TIMESTAMP)",
    )
    query(file, "INSERT INTO agent_sessions VALUES ('s', '2026-01-01', '2026-01-01')")
    item = '{"role":"user","content":"hi"}'
    query(file, "INSERT INTO agent_messages VALUES (1, 's', ?, '2026-01-01')", item)
    assert run("list", "-q", store=file) == "s\n"
    assert "hi" in run("show", "s", store=file)
    assert query(file, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'memwrap%'") == [(0,)]


def test_process_says_what_is_wrong_in_a_line(tmp_path):
    """A process ends with the code for what is wrong, in one line and without a password."""
    for arguments, code in (
        (["list"], 2),
        (["list", "--store", "none.db"], 4),
        (["list", "--store", "x://u:secret@h/d"], 2),
        (["nonsense"], 2),
    ):
        environment = {**os.environ, "PYTHONPATH": ROOT}
        environment.pop("MEMWRAP_STORE", None)
        done = subprocess.run(
            [sys.executable, "-m", "memwrap", *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr
    assert list(tmp_path.iterdir()) == []
