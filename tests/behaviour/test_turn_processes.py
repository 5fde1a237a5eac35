import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from memwrap import SQLiteSession, with_session
from memwrap.items import text_of
from memwrap.middleware import Memory

LEASE = 0.3
LONG = 10.0  # more than any machine takes for one turn
SHORT = 0.1  # where each turn waits for the end of one

# Imports once and then forks a worker for each line "name pause turns", which says what it did.
WORKERS = """
    import asyncio, os, signal, sys
    from memwrap import LeaseLost, SQLiteSession, with_session
    from memwrap.middleware import Memory

    path, lease = sys.argv[1], float(sys.argv[2])

    def say(*words):
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())

    async def work(name, pause, turns):
        @with_session(session=SQLiteSession("shared", path), middleware=[Memory(lease=lease)])
        async def agent(items):
            say("working", name)
            await asyncio.sleep(pause)
            return "answer to " + items[-1]["content"]

        for number in range(turns):
            text = f"{name}-{number}"
            try:
                await agent(text)
            except LeaseLost as lost:
                assert lost.result == f"answer to {text}"
                say("lost", text)
            else:
                say("stored", text)
        say("done", name)

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        name, pause, turns = line.split()
        if (pid := os.fork()) == 0:
            asyncio.run(work(name, float(pause), int(turns)))
            os._exit(0)
        say("started", name, pid)
"""


class Workers:
    """The processes, and everything they said."""

    def __init__(self, path, lease):
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WORKERS), str(path), str(lease)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = []

    def start(self, name, *, pause, turns):
        self.process.stdin.write(f"{name} {pause} {turns}\n")
        self.process.stdin.flush()
        return int(self.wait_for(f"started {name} ").split()[2])

    def wait_for(self, beginning):
        while True:
            line = self.process.stdout.readline()
            assert line, f"the workers ended before one said {beginning!r}"
            self.said.append(line.strip())
            if line.startswith(beginning):
                return line

    def texts(self, word):
        return [line.split()[1] for line in self.said if line.startswith(f"{word} ")]

    def close(self):
        self.process.stdin.close()
        self.said += self.process.stdout.read().split("\n")
        assert self.process.wait(30) == 0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shared.db"


@pytest.fixture
def lease():
    """The lease of all turns; a test may ask for another."""
    return LEASE


@pytest.fixture
def workers(path, lease):
    workers = Workers(path, lease)
    yield workers
    if workers.process.poll() is None:
        workers.process.kill()
        workers.process.wait()
    workers.process.stdin.close()
    workers.process.stdout.close()


def asked(path):
    """Return what was asked, after checking that each question has its own answer."""
    items = asyncio.run(SQLiteSession("shared", path).get_items())
    questions = [text_of(item) for item in items[::2]]
    assert [text_of(item) for item in items[1::2]] == [f"answer to {text}" for text in questions]
    assert len(questions) == len(set(questions))
    return questions


def ask(path, text, lease=LEASE):
    @with_session(session=SQLiteSession("shared", path), middleware=[Memory(lease=lease)])
    async def agent(items):
        return "answer to " + items[-1]["content"]

    start = time.monotonic()
    asyncio.run(agent(text))
    return time.monotonic() - start


def test_four_processes_share_a_session(workers, path):
    """Four processes with 50 turns each leave 200 whole turns, each one stored once."""
    for name in "abcd":
        workers.start(name, pause=0.0005, turns=50)
    while len([line for line in workers.said if line.startswith("done")]) < 4:
        workers.wait_for("done")
    assert sorted(asked(path)) == sorted(f"{name}-{n}" for name in "abcd" for n in range(50))


@pytest.mark.parametrize("lease", [LONG])
def test_killed_holders_leave_whole_turns(workers, path):
    """A process killed in a turn leaves nothing of it, and nobody waits for its lease."""
    rng = random.Random(1)
    for kill in range(30):
        pid = workers.start(f"k{kill}", pause=0.003, turns=1000)
        workers.wait_for(f"working k{kill}")
        time.sleep(rng.uniform(0, 0.02))
        os.kill(pid, signal.SIGKILL)
        assert ask(path, f"after-{kill}", LONG) < LONG
    workers.close()
    questions = asked(path)
    assert {f"after-{kill}" for kill in range(30)} <= set(questions)
    stored = workers.texts("stored")
    assert set(stored) <= set(questions), "an acknowledged turn is lost"
    unknown = set(questions) - set(stored) - {f"after-{kill}" for kill in range(30)}
    assert len(unknown) <= 30, "more turns than were under way when the holders were killed"


@pytest.mark.parametrize("lease", [SHORT])
def test_stalled_holder_is_taken_over_and_refused(workers, path, lease):
    """A process that stalls past its lease is taken over, and its answer is not stored."""
    for stop in range(30):
        # Stopped while its agent works, not while it commits: then all would have to wait for it.
        pid = workers.start(f"s{stop}", pause=0.03, turns=2)
        workers.wait_for(f"working s{stop}")
        os.kill(pid, signal.SIGSTOP)
        waited = ask(path, f"after-{stop}", lease)
        assert waited < 10 * LEASE
        os.kill(pid, signal.SIGCONT)
        workers.wait_for(f"done s{stop}")
    workers.close()
    questions = asked(path)
    lost, stored = set(workers.texts("lost")), set(workers.texts("stored"))
    assert not lost & set(questions), "a turn that was refused is stored"
    assert set(questions) == stored | {f"after-{stop}" for stop in range(30)}
    assert len(lost) >= 20, "the holders were not stopped in the middle of their turns"


def test_lease_is_renewed_while_the_agent_works(workers, path):
    """An agent that takes longer than its lease keeps the session all the same."""
    workers.start("slow", pause=3 * LEASE, turns=1)
    workers.wait_for("working slow")
    assert ask(path, "after") > LEASE
    workers.close()
    assert asked(path) == ["slow-0", "after"]
    assert workers.texts("lost") == []
