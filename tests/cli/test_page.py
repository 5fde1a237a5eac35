"""The page about the command: each of its blocks runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from support import ROOT

from memwrap import SQLiteStore, with_session
from memwrap.cli.root import _COMMANDS, root
from memwrap.testing import ScriptedAgent

PAGE = (Path(ROOT) / "docs" / "command-line.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


async def test_blocks_run(tmp_path):
    """The commands of the page work one after the other, on a store with two turns."""
    async with SQLiteStore(tmp_path / "chats.db") as store:
        agent = with_session(ScriptedAgent("It is on its way.", "Yes."), store=store)
        await agent("Where is my parcel?", session="user_123", turn_id="r1")
        await agent("Really?", session="user_123")
        await store.update("user_123", owner="ann", tags=["vip"])
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = "set -e\n" + "\n".join(BLOCKS)
    done = subprocess.run(  # noqa: ASYNC221  (nothing else runs here)
        ["sh", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "It is on its way." in done.stdout
    assert "Late parcel" not in done.stderr
    assert (tmp_path / "page.md").read_text() == PAGE


def test_every_command_is_on_the_page():
    """The page shows each command, and each option of each is spelled on it."""
    shown = set(re.findall(r"^memwrap (\w+)", "\n".join(BLOCKS), re.MULTILINE))
    assert shown == set(_COMMANDS)
    for name in _COMMANDS:
        said = CliRunner().invoke(root, [name, "--help"]).stdout
        for short, option in re.findall(r"^  (?:(-\w), )?(--[a-z-]+)", said, re.MULTILINE):
            if option != "--help":
                assert option in PAGE or (short and re.search(f"[ `]{short}\\b", PAGE)), option


def test_unknown_pages_are_not_found():
    """Without a topic all pages are named; an unknown topic is exit code 1."""
    runner = CliRunner()
    assert "command-line" in runner.invoke(root, ["docs"]).stdout.split()
    assert runner.invoke(root, ["docs", "../secret"]).exit_code == 1
