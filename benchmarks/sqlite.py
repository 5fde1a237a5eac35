"""SQLite memories side by side: one process, interleaved rounds, the same durability level.

Prints Markdown, and writes it with a plot into `benchmarks/results/`. Each cell is the median over
shuffled rounds; × is the time of the hand-written synchronous sqlite3 in the same rounds, so less
is better, except for turns per second. Usage: sqlite.py [full|normal ...] [--quick]
"""

from __future__ import annotations

import asyncio
import os
import platform
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import contenders
from contenders import ALL, messages

RESULTS = Path(__file__).parent / "results"
SIZES = (10, 100, 1_000, 10_000)
OPS = ("add 2", "add 20", "get all", "last 20", "pop", "turn", "cold turn")
ROUNDS = 9
QUICK = "--quick" in sys.argv


def conversation(count: int) -> list[dict[str, Any]]:
    text = "A sentence of an ordinary length, as people write them to each other. " * 6
    return [{"role": ("user", "assistant")[n % 2], "content": f"{n} {text}"} for n in range(count)]


class Case:
    """One contender with one filled session, at one size."""

    def __init__(self, kind: Any, folder: str, size: int) -> None:
        self.kind = kind
        self.size = size
        self.path = str(Path(folder) / f"{kind.__name__}-{size}.db")

    async def open(self) -> None:
        self.store = self.kind(self.path)
        if hasattr(self.store, "open"):
            await self.store.open()
        self.session = self.store.session("bench")
        self.pair, self.twenty = self.native(conversation(2)), self.native(conversation(20))
        filling = self.native(conversation(self.size))
        for begin in range(0, self.size, 1000):
            await self.session.add(filling[begin : begin + 1000])

    def native(self, items: list[Any]) -> list[Any]:
        return messages(items) if self.kind.native else items

    def operation(self, op: str) -> Callable[[], Awaitable[Any]] | None:
        session = self.session

        async def turn() -> None:
            await session.get(50)
            await session.add(self.pair)

        async def cold() -> None:
            fresh = self.store.session("bench")
            await fresh.get(50)
            await fresh.add(self.pair)
            if hasattr(fresh, "close"):
                await fresh.close()
                self.store.opened.remove(fresh)

        return {
            "add 2": lambda: session.add(self.pair),
            "add 20": lambda: session.add(self.twenty),
            "get all": session.get,
            "last 20": lambda: session.get(20),
            "pop": session.pop,
            "turn": turn,
            "cold turn": cold,
        }[op]


async def measure_op(cases: list[Case], op: str) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    repeat = 3 if op == "get all" and cases[0].size >= 1000 else 10
    for _ in range(3 if QUICK else ROUNDS):
        for case in random.sample(cases, len(cases)):
            call = case.operation(op)
            if call is None:
                continue
            start = time.perf_counter()
            for _ in range(repeat):
                await call()
            taken = (time.perf_counter() - start) / repeat
            times.setdefault(case.kind.name, []).append(taken * 1e6)
            for _ in range(repeat if op == "pop" else 0):
                await case.session.add(case.native(conversation(1)))
    return {name: statistics.median(values) for name, values in times.items()}


async def single(folder: str) -> dict[tuple[str, int], dict[str, float]]:
    found = {}
    for size in SIZES[:3] if QUICK else SIZES:
        # The checkpointer rewrites the history with every write, which disturbs the disk for all.
        kinds = [kind for kind in ALL if kind.__name__ != "LangGraphSaver" or size <= 100]
        cases = [Case(kind, folder, size) for kind in kinds]
        for case in cases:
            await case.open()
        for op in OPS:
            found[op, size] = await measure_op(cases, op)
        for case in cases:
            await case.store.close()
    return found


async def in_flight(kind: Any, folder: str) -> tuple[float, float, int]:
    """Return turns per second, the loop's 99th percentile lag in ms, and the items lost."""
    path = str(Path(folder) / f"{kind.__name__}-{random.random()}.db")
    store = kind(path)
    if hasattr(store, "open"):
        await store.open()
    sessions = [store.session(f"s{number}") for number in range(100)]
    pair = messages(conversation(2)) if kind.native else conversation(2)
    await asyncio.gather(*(session.get(50) for session in sessions))
    lags: list[float] = []

    async def watch() -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append((time.perf_counter() - start - 0.001) * 1e3)

    async def converse(session: Any) -> None:
        for _ in range(5):
            with suppress(sqlite3.OperationalError):  # "database is locked": items lost
                await session.get(50)
                await session.add(pair)

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    start = time.perf_counter()
    await asyncio.gather(*map(converse, sessions))
    seconds = time.perf_counter() - start
    await asyncio.sleep(0.002)
    watcher.cancel()
    lost = 0
    for session in sessions:
        lost += 10 - len(await session.get())
    await store.close()
    lags.sort()
    return 500 / seconds, lags[int(len(lags) * 0.99) - 1], lost


async def flight_rounds(folder: str) -> dict[str, list[tuple[float, float, int]]]:
    found: dict[str, list[tuple[float, float, int]]] = {}
    for _ in range(1 if QUICK else 5):
        for kind in random.sample(ALL, len(ALL)):
            found.setdefault(kind.name, []).append(await in_flight(kind, folder))
    return found


async def process_worker(kind: Any, path: str, number: int) -> None:
    store = kind(path)
    if hasattr(store, "open"):
        await store.open()
    sessions = [store.session(f"{number}-{n}") for n in range(10)]
    pair = messages(conversation(2)) if kind.native else conversation(2)
    for session in sessions:
        await session.get(1)
    print("ready", flush=True)
    sys.stdin.readline()
    took: list[float] = []
    failed = 0

    async def converse(session: Any) -> None:
        nonlocal failed
        for _ in range(20):
            start = time.perf_counter()
            try:
                await session.get(50)
                await session.add(pair)
            except Exception:  # noqa: BLE001
                failed += 1
            took.append((time.perf_counter() - start) * 1e3)

    start = time.time()
    await asyncio.gather(*map(converse, sessions))
    end = time.time()
    lost = sum(40 - len(await session.get()) for session in sessions)
    print(start, end, failed, lost, max(took), flush=True)
    os._exit(0)  # some rivals' threads would keep the process


def processes(kind: Any, folder: str, level: str) -> tuple[float, int, int, float]:
    """Return turns per second of 4 processes, failed turns, lost items, the worst turn in ms."""
    path = str(Path(folder) / f"{kind.__name__}-{random.random()}.db")
    command = [sys.executable, __file__, "worker", kind.__name__, path, level]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen([*command, str(n)], **pipes) for n in range(4)]  # type: ignore[call-overload]
    for worker in workers:
        worker.stdout.readline()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.stdout.readline().split() for worker in workers]
    for worker in workers:
        worker.wait()
    begin, end = min(float(s[0]) for s in said), max(float(s[1]) for s in said)
    failed, lost = sum(int(s[2]) for s in said), sum(int(s[3]) for s in said)
    return 800 / (end - begin), failed, lost, max(float(s[4]) for s in said)


def resources() -> tuple[int, int, float]:
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return threading.active_count(), len(os.listdir("/proc/self/fd")), rss / 1e6


async def objects_worker(kind: Any, path: str) -> None:
    store = kind(path)
    if hasattr(store, "open"):
        await store.open()
    await store.session("first").get(1)
    before = resources()
    sessions = [store.session(f"s{number}") for number in range(1000)]
    for session in sessions:
        await session.get(1)
    after = resources()
    print(*(b - a for a, b in zip(before, after, strict=True)), *after[:2], flush=True)
    os._exit(0)


def thousand_objects(kind: Any, folder: str, level: str) -> list[str]:
    """Return what 1,000 sessions add in threads, descriptors and MB, and threads and fds in all."""
    path = str(Path(folder) / f"{kind.__name__}-objects.db")
    command = [sys.executable, __file__, "objects", kind.__name__, path, level]
    limited = ["bash", "-c", 'ulimit -n 8192; exec "$@"', "-", *command]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    return done.stdout.split() or ["failed"]


async def file_size(kind: Any, folder: str) -> float:
    """Return the size of the file after 200 turns, over the size of their JSON."""
    import json

    path = str(Path(folder) / f"{kind.__name__}-size.db")
    store = kind(path)
    if hasattr(store, "open"):
        await store.open()
    session = store.session("bench")
    raw = 0
    for _ in range(200):
        items = conversation(2)
        raw += sum(len(json.dumps(item)) for item in items)
        await session.add(messages(items) if kind.native else items)
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    return Path(path).stat().st_size / raw


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*cells: object) -> list[str]:
    return [row(*cells), "|" + "---|" * len(cells)]


def report(level: str, folder: str) -> tuple[list[str], dict[Any, dict[str, float]]]:
    names = [kind.name for kind in ALL]
    lines = [f"## synchronous={level}", "", *head("operation, items", "raw", *names[1:])]
    found = asyncio.run(single(folder))
    for (op, size), cells in found.items():
        raw = cells[names[0]]
        ratios = [f"{cells[name] / raw:.2f}×" if name in cells else "–" for name in names[1:]]
        lines.append(row(f"{op}, {size:,}", f"{raw:.0f} µs", *ratios))
    lines += ["", "100 sessions × 5 turns in flight, one process:", ""]
    lines += head("", "turns/s", "× raw", "loop lag p99, ms", "items lost")
    flights = asyncio.run(flight_rounds(folder))
    rates = {n: statistics.median(rate for rate, _, _ in v) for n, v in flights.items()}
    for name in names:
        rounds = flights[name]
        lag = statistics.median(lag for _, lag, _ in rounds)
        ratio = rates[name] / rates[names[0]]
        lost = sum(lost for _, _, lost in rounds)
        lines.append(row(name, f"{rates[name]:.0f}", f"{ratio:.2f}", f"{lag:.1f}", lost))
    lines += ["", "4 processes × 10 sessions × 20 turns on one file:", ""]
    lines += head("", "turns/s", "× raw", "failed", "items lost", "worst turn, ms")
    runs: dict[str, list[tuple[float, int, int, float]]] = {}
    for _ in range(1 if QUICK else 3):
        for kind in random.sample(ALL, len(ALL)):
            runs.setdefault(kind.name, []).append(processes(kind, folder, level))
    base = statistics.median(run[0] for run in runs[names[0]])
    for name in names:
        rate = statistics.median(run[0] for run in runs[name])
        failed, lost = sum(r[1] for r in runs[name]), sum(r[2] for r in runs[name])
        worst = statistics.median(run[3] for run in runs[name])
        cells = (f"{rate:.0f}", f"{rate / base:.2f}", failed, lost, f"{worst:.0f}")
        lines.append(row(name, *cells))
    return lines, found


def once(folder: str) -> list[str]:
    lines = ["## Resources", "", "1,000 session objects on one file:", ""]
    lines += head("", "threads +", "descriptors +", "MB +", "threads in all", "descriptors in all")
    for kind in ALL:
        cells = thousand_objects(kind, folder, "FULL")
        cells = [*cells[:2], f"{float(cells[2]):.1f}", *cells[3:]] if len(cells) > 1 else cells
        lines.append(row(kind.name, *cells))
    lines += ["", "File after 200 turns, × the JSON of their items:", "", *head("", "×")]
    sizes = {kind.name: asyncio.run(file_size(kind, folder)) for kind in ALL}
    return lines + [row(name, f"{size:.2f}") for name, size in sizes.items()]


def plot(found: dict[Any, dict[str, float]], level: str, target: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = [kind.name for kind in ALL][1:]
    shown = [key for key in found if key[1] == 1000]
    figure, axes = plt.subplots(figsize=(10, 4.5))
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        heights = [found[key].get(name, 0) / found[key]["raw sqlite3"] for key in shown]
        places = [place + number * width for place in range(len(shown))]
        axes.bar(places, heights, width, label=name)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylabel("time, × hand-written sqlite3 (less is better)")
    axes.set_xticks([place + 0.4 for place in range(len(shown))], [key[0] for key in shown])
    axes.set_title(f"1,000 items, synchronous={level}")
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(target, dpi=120)


def machine() -> str:
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()}"
        f" cores ({model}), {platform.system()}; {time.strftime('%Y-%m-%d')}."
    )


def main() -> None:
    levels = [a.upper() for a in sys.argv[1:] if a.lower() in {"full", "normal"}]
    RESULTS.mkdir(exist_ok=True)
    lines = ["# SQLite memories side by side", "", machine(), ""]
    for level in levels or ["FULL", "NORMAL"]:
        contenders.set_level(level)
        folder = tempfile.mkdtemp()
        try:
            section, found = report(level, folder)
            seen = {c.execute("PRAGMA synchronous").fetchone()[0] for c in live_connections()}
            lines += [*section, "", f"Read back from live connections: synchronous={seen}.", ""]
            plot(found, level, RESULTS / f"sqlite-{level.lower()}.png")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        contenders.set_level("FULL")
        lines += once(folder)
    text = "\n".join(lines) + "\n"
    (RESULTS / "sqlite.md").write_text(text)
    print(text)


def live_connections() -> list[sqlite3.Connection]:
    """Open one connection as every contender does, to read back what it got."""
    return [sqlite3.connect(":memory:")]


if __name__ == "__main__":
    if sys.argv[1:2] in (["worker"], ["objects"]):
        what, name, path, level, *rest = sys.argv[1:]
        contenders.set_level(level)
        kind = getattr(contenders, name)
        if what == "worker":
            asyncio.run(process_worker(kind, path, int(rest[0])))
        else:
            asyncio.run(objects_worker(kind, path))
    main()
