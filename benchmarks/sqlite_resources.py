"""What a thousand session objects hold open, and how large the file grows.

Run as a program this counts for one contender, in a process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
from typing import Any

from contenders import CONTENDERS, Contender, Memwrap
from durability import FULL, prepare, use
from workload import json_bytes, turn_items, workload

__all__ = ["measure_objects", "measure_size"]

_OBJECTS = 1_000
_TURNS = 200


async def measure_objects(folder: str) -> dict[str, dict[str, float]]:
    """Return memory in MB, threads and descriptors that 1,000 used objects add; Linux only."""
    found = {}
    for kind in CONTENDERS:
        path = os.path.join(folder, f"objects-{kind.__name__}.db")
        command = [sys.executable, __file__, kind.__name__, path]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout  # noqa: ASYNC221
        found[kind.name] = json.loads(output)
    return found


async def measure_size(folder: str) -> dict[str, float]:
    """Return the size of the file after 200 turns, as a multiple of the items' JSON."""
    use(FULL)
    turns = [turn_items(number) for number in range(_TURNS)]
    least = sum(json_bytes(items) for items in turns)
    found = {}
    for kind in CONTENDERS:
        path = os.path.join(folder, f"size-{kind.__name__}.db")
        await kind.fill(path, {})
        session = kind(path, "grown")
        for items in turns:
            await session.add(kind.native(items))
        await session.close()
        await kind.release(path)
        found["memwrap, adds" if kind is Memwrap else kind.name] = _size(path) / least
        if kind is Memwrap:
            found["memwrap, turns"] = await _size_of_turns(folder, turns) / least
    return found


async def _size_of_turns(folder: str, turns: list[list[dict[str, Any]]]) -> int:
    """Return the size after decorated turns, which keep a record of each turn as well."""
    from memwrap import with_session

    path = os.path.join(folder, "size-turns.db")
    session = Memwrap(path, "grown").session
    answers = iter([items[1:] for items in turns])

    @with_session(session=session)
    async def agent(items: list[Any]) -> list[Any]:
        return next(answers)

    for items in turns:
        await agent(items[0])
    stored = await session.get_items()
    if stored != [item for items in turns for item in items]:
        raise SystemExit("memwrap: the turns did not store what was said")
    await session.close()
    return _size(path)


def _size(path: str) -> int:
    connection = prepare(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return os.stat(path).st_size


async def _count(kind: type[Contender], path: str) -> dict[str, float]:
    """Use the objects one after the other, as requests come, and keep them all."""
    use(FULL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    items = kind.native(workload(2))
    await _import(kind, path)
    gc.collect()
    before = _held()
    sessions = []
    for number in range(_OBJECTS):
        session = kind(path, f"session-{number}")
        await session.turn(items)
        sessions.append(session)
    gc.collect()
    after = _held()
    for session in sessions:
        await session.close()
    await kind.release(path)
    return {name: after[name] - before[name] for name in before}


async def _import(kind: type[Contender], path: str) -> None:
    """Let the library be imported and used on another file, which is closed again."""
    other = f"{path}.other"
    await kind.fill(path, {})
    await kind.fill(other, {})
    session = kind(other, "first")
    await session.turn(kind.native(workload(2)))
    await session.close()
    await kind.release(other)


def _held() -> dict[str, float]:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        pages = int(file.read().split()[1])
    return {
        "memory": pages * resource.getpagesize() / 1e6,
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }


if __name__ == "__main__":
    chosen = next(kind for kind in CONTENDERS if kind.__name__ == sys.argv[1])
    print(json.dumps(asyncio.run(_count(chosen, sys.argv[2]))))
