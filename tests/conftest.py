"""The fixtures that all tests share."""

import asyncio
import copy
import gc
import os
import subprocess
import sys

import pytest
from servers import postgres, valkey_server
from support import ROOT, comparable

from memwrap import InMemorySession, InMemoryStore


def pytest_collection_finish():
    """Leave what was imported out of garbage collections, which tests ask for by the hundred."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_url():
    """The address of a PostgreSQL server, which all tests share."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server():
    """A Valkey server, which all tests share: its URL and its socket."""
    with valkey_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(redis_server):
    """The URL of that server."""
    return redis_server[0]


@pytest.fixture
def session():
    """A session in memory."""
    return InMemorySession("s")


@pytest.fixture
def store():
    """A store in memory."""
    return InMemoryStore()


@pytest.fixture
def path(tmp_path):
    """The path of a database that is not there yet."""
    return str(tmp_path / "chat.db")


@pytest.fixture
def script(tmp_path):
    """Run code in an interpreter of its own, in an empty folder; return what it printed.

    It has ended well and said nothing on stderr.
    """

    def run(code, *arguments, flags=()):
        done = subprocess.run(
            [sys.executable, *flags, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": ROOT},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
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


@pytest.fixture
def thread_loop():
    """The thread's event loop, for synchronous code that would make one and leave it open."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def unchanged():
    """Convert values and see that the converter left them as they were."""

    def convert(function, values, **options):
        before = copy.deepcopy(values)
        result = function(values, **options)
        assert comparable(values) == comparable(before)
        return result

    return convert
