"""Windows of a SQLite file that are read together."""

import asyncio
import random

import pytest
from support import TIMEOUT

from memwrap import SQLiteStore, StoreError
from memwrap.items import user
from memwrap.sessions.sqlite.together import WindowReads

SESSIONS = 40


class Tables:
    """Statements that say how many windows they read."""

    def windows(self, count):
        return str(count)


class Reader:
    """A connection that answers when it is told to, and refuses some windows."""

    def __init__(self, refused=()):
        self.refused = set(refused)
        self.statements = []
        self.gate = asyncio.Event()

    async def read(self, sql, values):
        self.statements.append(int(sql))
        await self.gate.wait()
        names = values[::2]
        if self.refused & set(names):
            raise StoreError("refused")
        return [tuple(f"{name}:{size}".encode() for name, size in zip(names, values[1::2]))]


async def begun(reads, names):
    tasks = [asyncio.create_task(reads.get(name, size)) for size, name in enumerate(names)]
    await asyncio.sleep(0)
    return tasks


async def test_each_gets_its_own_rows(path):
    """Sessions that are read at once get their own newest items, as one by one."""
    store = SQLiteStore(path)
    sizes = {f"s{number}": number for number in range(SESSIONS)}
    for name, size in sizes.items():
        if size:
            await store.session(name).add_items([user(f"{name} {place}") for place in range(size)])
    for limit in (1, 7, 200):
        asked = random.Random(limit).choices(list(sizes), k=3 * SESSIONS)
        found = await asyncio.gather(*(store.session(name).get_items(limit) for name in asked))
        for name, items in zip(asked, found, strict=True):
            first = max(sizes[name] - limit, 0)
            assert items == [user(f"{name} {place}") for place in range(first, sizes[name])]
    await store.close(linger=0)


async def test_what_waits_is_read_by_few_statements():
    """Windows that wait share statements, and each caller gets its own."""
    reader = Reader()
    reads = WindowReads(reader.read, Tables())
    names = [f"s{number}" for number in range(20)]
    tasks = await begun(reads, names)
    assert reader.statements == [1, 1]
    reader.gate.set()
    async with asyncio.timeout(TIMEOUT):
        found = await asyncio.gather(*tasks)
    assert found == [f"{name}:{size}".encode() for size, name in enumerate(names)]
    assert sum(reader.statements) == len(names)
    assert len(reader.statements) <= 6


async def test_an_error_is_that_of_its_caller():
    """A window that cannot be read fails for whoever asked for it, and for nobody else."""
    reader = Reader(refused=["s5", "s11"])
    reads = WindowReads(reader.read, Tables())
    names = [f"s{number}" for number in range(20)]
    tasks = await begun(reads, names)
    reader.gate.set()
    async with asyncio.timeout(TIMEOUT):
        found = await asyncio.gather(*tasks, return_exceptions=True)
    for size, (name, answer) in enumerate(zip(names, found, strict=True)):
        if name in reader.refused:
            assert isinstance(answer, StoreError)
        else:
            assert answer == f"{name}:{size}".encode()


@pytest.mark.parametrize("seed", range(20))
async def test_cancelled_callers_leave_the_others_alone(seed):
    """Whoever is cancelled, at any moment, all others get their rows."""
    chosen = random.Random(seed)
    reader = Reader()
    reads = WindowReads(reader.read, Tables())
    names = [f"s{number}" for number in range(20)]
    tasks = await begun(reads, names)
    cancelled = chosen.sample(tasks, 8)
    for task in cancelled[:4]:
        task.cancel()
    reader.gate.set()
    for task in cancelled[4:]:
        for _ in range(chosen.randrange(4)):
            await asyncio.sleep(0)
        task.cancel()
    async with asyncio.timeout(TIMEOUT):
        await asyncio.wait(tasks)
        for size, (name, task) in enumerate(zip(names, tasks, strict=True)):
            if task not in cancelled:
                assert task.result() == f"{name}:{size}".encode()
        assert await reads.get("later", 1) == b"later:1"


@pytest.mark.parametrize("steps", range(5))
async def test_a_cancelled_caller_lets_the_next_read(steps):
    """Callers that are cancelled when it is their turn to read leave it to those behind them."""
    reader = Reader()
    reads = WindowReads(reader.read, Tables())
    tasks = await begun(reads, [f"s{number}" for number in range(8)])
    reader.gate.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    for task in tasks[2:4]:
        task.cancel()
    async with asyncio.timeout(TIMEOUT):
        await asyncio.wait(tasks)
    assert [task.result() for task in tasks[4:]] == [f"s{n}:{n}".encode() for n in range(4, 8)]
