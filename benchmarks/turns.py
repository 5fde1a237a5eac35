"""What it costs to serialise turns across processes: one SQLite file, with and without a lease.

Rounds of both are interleaved; the ratio is that of the medians.
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from memwrap import Item, SQLiteSession, with_session
from memwrap.middleware import Memory

ROUNDS = 60
TURNS = 20


async def agent(items: list[Item]) -> str:
    return "An answer of an ordinary length, as models write them. " * 4


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        variants = {}
        for name, lease in (("without a lease", None), ("with a lease", 30.0)):
            session = SQLiteSession(name, Path(folder) / "turns.db", session_settings={"limit": 50})
            variants[name] = with_session(agent, session=session, middleware=[Memory(lease=lease)])
        times: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(ROUNDS):
            for name, call in variants.items():
                start = time.perf_counter()
                for _ in range(TURNS):
                    await call("A question of an ordinary length?")
                times[name].append((time.perf_counter() - start) / TURNS * 1e6)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for name, value in medians.items():
        print(f"a turn on SQLite {name:20}{value:8.0f} µs")
    print(f"ratio {medians['with a lease'] / medians['without a lease']:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
