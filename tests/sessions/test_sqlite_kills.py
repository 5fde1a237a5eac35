"""Processes killed while they write: what they were told is stored is there for the others."""

import json
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing

import pytest

from memwrap import SQLiteSession
from memwrap.items import text_of, user

# Imports once and then forks a writer for each line "write name path": it appends numbered batches
# and turns to a shared session until it is killed, and says which are stored. For a line
# "bury name" it says when that one is dead: nothing that it said comes later.
WRITERS = """
import asyncio, os, signal, sys
from memwrap import SQLiteSession, run
from memwrap.items import user

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

async def write(name, path):
    signal.alarm(60)
    async def agent(items):
        return f"{items[-1]['content'][:-1]}1"

    session, number = SQLiteSession("shared", path), 0
    while True:
        number += 1
        size = (1, 3, 2, 30)[number % 4]
        texts = [f"{name}.{number}/{size}.{index}" for index in range(size)]
        if size == 2:
            await run(agent, texts[0], session=session)
        else:
            await session.add_items([user(text) for text in texts])
        say("stored", name, number)

pids = {}
signal.alarm(60)  # rather an error than a test that waits for ever
for line in sys.stdin:
    word, name, *path = line.split()
    if word == "bury":
        assert os.WIFSIGNALED(os.waitpid(pids[name], 0)[1])
        say("dead", name)
    elif (pid := os.fork()) == 0:
        asyncio.run(write(name, *path))
    else:
        pids[name] = pid
        say("started", name, pid)
"""


class Writers:
    """The writers; what each was last told is stored; and those that live."""

    def __init__(self, parent):
        self.parent = parent
        self.stored = Counter()
        self.living = {}

    def tell(self, *words):
        self.parent.stdin.write(" ".join(words) + "\n")
        self.parent.stdin.flush()

    def wait_for(self, *words):
        """Read on until somebody says so; return what else is in that line."""
        while True:
            line = self.parent.stdout.readline().split()
            assert line, f"the writers ended before one said {words}"
            if line[0] == "stored":
                self.stored[line[1]] = int(line[2])
            if line[: len(words)] == list(words):
                return line[len(words) :]

    def start(self, name, path):
        self.tell("write", name, path)
        (pid,) = self.wait_for("started", name)
        self.living[name] = int(pid)

    def kill(self, name):
        os.kill(self.living.pop(name), signal.SIGKILL)
        self.tell("bury", name)
        self.wait_for("dead", name)


@pytest.fixture
def writers(process):
    writers = Writers(process(WRITERS))
    yield writers
    for pid in writers.living.values():
        os.kill(pid, signal.SIGKILL)


def batches(path):
    """Return the number of whole batches of each writer; check that nothing else is there."""
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchall():
            return Counter()
        rows = connection.execute("SELECT message_data FROM agent_messages ORDER BY id").fetchall()
    texts = [text_of(json.loads(row)) for (row,) in rows]
    found, place = Counter(), 0
    while place < len(texts):
        name, number, _ = texts[place].split(".")
        number, size = map(int, number.split("/"))
        batch = [f"{name}.{number}/{size}.{index}" for index in range(size)]
        assert texts[place : place + size] == batch, "a batch is not whole"
        assert number == found[name] + 1, "a batch is lost, stored twice or out of order"
        found[name] = number
        place += size
    return found


def check_dead(writers, path, names):
    """Check that of each dead writer all is there that it was told, and at most what came next."""
    found = batches(path)
    for name in names:
        told = writers.stored[name]
        assert found[name] in (told, told + 1), f"{name} was told {told}, stored {found[name]}"


def pause(rng, most):
    """Let the others work for a part of their way: they are to be killed in the midst of it."""
    time.sleep(max(0.0, rng.uniform(-most / 3, most)))


async def test_kills_lose_nothing_that_was_acknowledged(writers, path):
    """Of processes killed while three write, each acknowledged batch is there, whole, in order."""
    rng = random.Random(5)
    dead = []
    for number in range(45):
        writers.start(f"w{number}", path)
        if len(writers.living) < 3:
            continue
        name = rng.choice(list(writers.living))
        target = writers.stored[name] + rng.randrange(1, 5)
        while writers.stored[name] < target:
            writers.wait_for("stored", name)
        pause(rng, 0.002)
        writers.kill(name)
        dead.append(name)
        check_dead(writers, path, [name])
    assert len(dead) >= 40
    for name in list(writers.living):
        writers.kill(name)
        dead.append(name)
    check_dead(writers, path, dead)
    session = SQLiteSession("shared", path)
    await session.add_items([user("after")])
    assert text_of((await session.get_items())[-1]) == "after"


async def test_kills_while_the_file_is_created(writers, tmp_path):
    """A file whose first openers are killed at any moment can be used by the next ones."""
    rng = random.Random(6)
    for number in range(30):
        path = str(tmp_path / f"{number}.db")
        names = [f"a{number}", f"b{number}"]
        for name in names:
            writers.start(name, path)
        pause(rng, 0.012)
        writers.kill(names[0])
        if number % 2:
            writers.kill(names[1])
        session = SQLiteSession("other", path)
        await session.add_items([user("after")])
        assert await session.get_items() == [user("after")]
        await session.close(linger=0)
        if number % 2 == 0:
            writers.wait_for("stored", names[1])
            writers.kill(names[1])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DELETE FROM agent_messages WHERE session_id = 'other'")
            connection.commit()
        check_dead(writers, path, names)
