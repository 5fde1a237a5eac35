"""The command as a process: followed, interrupted, piped, without packages, without a terminal."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys

import pytest
from support import ROOT

from memwrap import SQLiteStore, with_session
from memwrap.items import user
from memwrap.testing import ScriptedAgent

COMMAND = [sys.executable, "-m", "memwrap"]


def environment(path, **more):
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return kept | {"PYTHONPATH": ROOT, "MEMWRAP_STORE": path} | more


def run(path, *arguments, **options):
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(path),
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        **options,
    )


async def say(path, text):
    async with SQLiteStore(path) as store:
        await with_session(ScriptedAgent(f"answer to {text}"), store=store)(text, session="s")


@pytest.fixture
def file(tmp_path):
    path = str(tmp_path / "a.db")
    asyncio.run(say(path, "first"))
    return path


def on_terminal(path, *arguments, **more):
    """Run a command with a terminal for its output; return what it wrote there."""
    main, other = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(path, TERM="xterm-256color", **more),
        stdin=subprocess.DEVNULL,
        stdout=other,
        stderr=other,
    ) as process:
        os.close(other)
        found = b""
        try:
            while piece := os.read(main, 65536):
                found += piece
        except OSError:  # how Linux tells that nobody writes any more
            pass
        process.wait(60)
    os.close(main)
    return found.decode()


def test_turns_are_followed_until_interrupted(file):
    """A turn shows as soon as it is stored, and Ctrl-C ends with 130 and without a word."""
    with subprocess.Popen(
        [*COMMAND, "tail", "-f", "--json"],
        env=environment(file),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert "first" in process.stdout.readline()
        asyncio.run(say(file, "second"))
        while "answer to second" not in (line := process.stdout.readline()):
            assert json.loads(line)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert "Traceback" not in process.stderr.read()


def test_a_broken_pipe_is_silent(file):
    """Who reads no more, as `head` does, gets no complaint."""

    async def fill():
        async with SQLiteStore(file) as store:
            for number in range(300):
                await store.session(f"s{number}").add_items([user("x" * 5000)])

    asyncio.run(fill())
    command = " ".join([*COMMAND, "export", "|", "head", "-c", "10"])
    done = subprocess.run(
        ["sh", "-c", command], env=environment(file), capture_output=True, text=True, timeout=60
    )
    assert len(done.stdout) == 10
    assert done.stderr == ""


def test_without_the_packages(file):
    """Without click or rich the command says what installs them, and ends with 2."""
    for missing in ("click", "rich"):
        code = (
            "import importlib.util as util, runpy, sys\n"
            "find = util.find_spec\n"
            f"util.find_spec = lambda name, *more: None if name == {missing!r}"
            " else find(name, *more)\n"
            "runpy.run_module('memwrap', run_name='__main__')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment(file), capture_output=True, text=True
        )
        assert done.returncode == 2
        assert done.stderr == 'memwrap: the command needs packages: pip install "memwrap[cli]"\n'


def test_nothing_is_removed_unasked(file):
    """Without a terminal and without --yes nothing is removed, and nothing waits for an answer."""
    for arguments in (["undo", "s"], ["erase", "s"], ["purge", "--older-than", "0.001s"]):
        done = run(file, *arguments)
        assert done.returncode == 2, arguments
        assert "--yes" in done.stderr
    assert "first" in run(file, "show", "s").stdout


def test_receipts_have_no_content(file, tmp_path):
    """The receipt of an erasure is a file with counts and digests."""
    path = tmp_path / "receipt.json"
    assert run(file, "erase", "s", "--yes", "--receipt", str(path)).returncode == 0
    told = json.loads(path.read_text())
    assert (told["sessions"], told["items"]) == (1, 2)
    assert "first" not in path.read_text()
    assert run(file, "show", "s").returncode == 1


def test_colours_are_for_terminals_that_want_them(file):
    """A terminal gets no control sequence of somebody's text, and with NO_COLOR none at all."""
    asyncio.run(say(file, "red \x1b[31m and \x1b]0;title\x07"))
    shown = on_terminal(file, "show", "s")
    assert "\x1b[31m and" not in shown and "\x1b]0;" not in shown and "\x07" not in shown
    assert "red" in shown
    assert "\x1b[3" not in on_terminal(file, "show", "s", NO_COLOR="1")
    assert "\x1b" not in run(file, "show", "s").stdout
    rows = [json.loads(line) for line in run(file, "show", "s", "--json").stdout.splitlines()]
    assert any(row["item"]["content"] == "red \x1b[31m and \x1b]0;title\x07" for row in rows)
