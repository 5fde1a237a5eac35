"""What lists, pages, forks, searches and copies cost in a SQLite file of 100,000 sessions.

Reads of the large file and of an empty one are interleaved; each figure is the median.
"""

from __future__ import annotations

import asyncio
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from memwrap import InMemoryStore, SQLiteStore, copy
from memwrap.items import assistant, user

SESSIONS = 100_000
LONG = 10_000  # items of the one long session
ITEMS = 1_000_000
ROUNDS = 30
WORDS = [
    f"{stem}{end}"
    for stem in ["parcel", "late", "Turin", "invoice", "refund", "train"]
    for end in range(200)
]


def fill(path: Path) -> None:
    """Fill a file with sessions, most of them short, as fast as SQLite takes rows."""
    random.seed(1)
    each = (ITEMS - LONG) // (SESSIONS - 1)
    text = '{"role":"user","content":"%s"}'
    with sqlite3.connect(path) as connection:
        for session in range(SESSIONS):
            name = f"s{session}"
            count = LONG if session == SESSIONS // 2 else each
            connection.execute(
                "INSERT INTO agent_sessions VALUES (?, datetime('now'), datetime('now', ?))",
                (name, f"-{SESSIONS - session} seconds"),
            )
            connection.executemany(
                "INSERT INTO agent_messages (session_id, message_data) VALUES (?, ?)",
                ((name, text % " ".join(random.choices(WORDS, k=15))) for _ in range(count)),
            )
            connection.execute(
                "INSERT INTO agent_messages_about (session_id, owner, tags) VALUES (?, ?, ?)",
                (name, f"owner{session % 1000}", '["even"]' if session % 2 == 0 else None),
            )
    connection.close()


async def timed(calls: dict[str, Callable[[], Awaitable[object]]], rounds: int) -> dict[str, float]:
    """Return the median of each call's times in milliseconds, one after the other each round."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            await call()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(found) for name, found in times.items()}


async def main() -> None:
    """Print the figures."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    with tempfile.TemporaryDirectory() as folder:
        large, empty = Path(folder) / "large.db", Path(folder) / "empty.db"
        many, few = SQLiteStore(large), SQLiteStore(empty)
        await many.setup()
        fill(large)
        await few.session("short").add_items([user("hello")] * 20)
        middle = f"s{SESSIONS // 2}"
        first = await many.sessions(limit=50)
        reads: dict[str, Callable[[], Awaitable[object]]] = {
            "last 20 of an empty store": lambda: few.session("short").get_items(20),
            "last 20 of a long session among many": lambda: many.session(middle).get_items(20),
            "page of 20 in its middle": lambda: many.get_items(middle, limit=20, before=500_000),
            "first 50 sessions": lambda: many.sessions(limit=50),
            "next 50 sessions": lambda: many.sessions(limit=50, after=first[-1]),
            "50 sessions of an owner": lambda: many.sessions(owner="owner7", limit=50),
            "50 sessions with a tag": lambda: many.sessions(tag="even", limit=50),
            "one session": lambda: many.info(middle),
        }
        for name, value in (await timed(reads, ROUNDS)).items():
            print(f"{name:40}{value:9.2f} ms")
        numbers = iter(range(10**6))
        forks: dict[str, Callable[[], Awaitable[object]]] = {
            "fork of 10 items": lambda: many.fork("s1", f"fork{next(numbers)}"),
            "fork of 10,000 items": lambda: many.fork(middle, f"fork{next(numbers)}"),
        }
        for name, value in (await timed(forks, 5)).items():
            print(f"{name:40}{value:9.2f} ms")
        source = InMemoryStore()
        for number in range(500):
            items = [user("a question " * 20), assistant("an answer " * 20)] * 20
            await source.session(str(number)).add_items(items)
        for name, target in (("memory", InMemoryStore()), ("SQLite", few)):
            start = time.perf_counter()
            report = await copy(source, target)
            rate = report.items / (time.perf_counter() - start)
            print(f"copy of 20,000 items into {name:14}{rate:9.0f} items/s")
        finder = SQLiteStore(empty, search=True)
        start = time.perf_counter()
        await finder.search("question")
        print(f"first search, 20,000 items            {time.perf_counter() - start:9.2f} s")
        searches: dict[str, Callable[[], Awaitable[object]]] = {
            "search": lambda: finder.search("quest answ"),
            "search in one session": lambda: finder.search("question", prefix="77"),
        }
        for name, value in (await timed(searches, ROUNDS)).items():
            print(f"{name:40}{value:9.2f} ms")
        await many.close(linger=0)
        await few.close(linger=0)


if __name__ == "__main__":
    asyncio.run(main())
