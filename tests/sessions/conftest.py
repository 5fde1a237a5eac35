"""What the tests of sessions share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import memwrap

ROOT = str(Path(memwrap.__file__).parents[1])
STRICT = ("-X", "dev", "-W", "error")


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "chat.db")


@pytest.fixture
def script(tmp_path):
    """Run code in an interpreter of its own; it has ended well and said nothing on stderr."""

    def run(code, *arguments, flags=()):
        done = subprocess.run(
            [sys.executable, *flags, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": ROOT},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.stderr, done.returncode) == ("", 0)
        return done.stdout

    return run


@pytest.fixture
def process(tmp_path):
    """Start code in an interpreter of its own that is talked to by lines."""
    started = []

    def start(code, *arguments):
        child = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": ROOT},
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()
