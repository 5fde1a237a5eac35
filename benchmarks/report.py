"""The results as Markdown: one table a part, and what was aimed at."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version

from contenders import CONTENDERS, AgentsAsyncSQLite, AgentsSQLite, Memwrap, Raw
from durability import FULL, NORMAL
from sqlite_load import Load, percentile
from sqlite_single import OPERATIONS, Medians
from workload import LENGTHS

__all__ = ["Results", "write"]

_LIBRARIES = (
    *("aiosqlite", "openai-agents", "langchain-community", "langgraph-checkpoint-sqlite"),
    "SQLAlchemy",
)
_NAMES = [kind.name for kind in CONTENDERS]
_OURS, _RAW = Memwrap.name, Raw.name
_SDK, _ASYNC_SDK = AgentsSQLite.name, AgentsAsyncSQLite.name


@dataclass
class Results:
    """What was measured; a part that was not is empty."""

    single: Medians = field(default_factory=dict)
    load: dict[str, dict[str, Load]] = field(default_factory=dict)
    processes: dict[str, Load] = field(default_factory=dict)
    objects: dict[str, dict[str, float]] = field(default_factory=dict)
    size: dict[str, float] = field(default_factory=dict)


def write(results: Results) -> str:
    """Return the whole report."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    parts = [
        "# SQLite sessions",
        (
            f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()}"
            f" cores, {platform.system()} {platform.machine()}; {libraries}. × is the time, or the"
            f" rate, as a multiple of {_RAW}'s in the same interleaved run."
        ),
    ]
    for level, lengths in results.single.items():
        parts += [f"## One session, synchronous={level}", _single(lengths)]
    for level, loads in results.load.items():
        parts += [f"## 100 sessions × 5 turns in flight, synchronous={level}", _load(loads)]
    if results.processes:
        title = f"## 4 processes × 10 sessions × 5 turns on one file, synchronous={FULL}"
        parts += [title, _load(results.processes)]
    if results.objects:
        parts += ["## 1,000 session objects on one file", _objects(results.objects)]
    if results.size:
        rows = [[name, f"{size:.2f}"] for name, size in results.size.items()]
        parts += ["## File after 200 turns", _table(["", "× the JSON"], rows)]
    return "\n\n".join([*parts, "## Aims", _table(["what", "aim", "measured"], _aims(results))])


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _single(lengths: dict[int, dict[str, dict[str, float]]]) -> str:
    rows = []
    for operation in OPERATIONS:
        for length, operations in lengths.items():
            found = operations[operation]
            raw = found[_RAW]
            others = [f"{found[n] / raw:.2f}×" if n in found else "–" for n in _NAMES[1:]]
            rows.append([f"{operation} @ {length:,}", f"{raw * 1e6:,.0f} µs", *others])
    return _table(["operation @ items", *_NAMES], rows)


def _load(loads: dict[str, Load]) -> str:
    raw = loads[_RAW].median()
    rows = []
    for name, load in loads.items():
        lag = f"{percentile(load.lags, 0.99) * 1e3:.1f}" if load.lags else "–"
        times = [percentile(load.turn_seconds, share) * 1e3 for share in (0.5, 0.99, 1.0)]
        rows.append(
            [
                *(name, f"{load.median():,.0f}", f"{load.median() / raw:.2f}×"),
                *(f"{len(load.errors)} of {load.turns}", str(load.lost), lag),
                *(f"{value:.1f}" for value in times),
            ]
        )
    head = ["", "turns/s", "× raw", "failed turns", "items lost", "loop lag p99, ms"]
    return _table([*head, "turn p50, ms", "p99", "worst"], rows)


def _objects(objects: dict[str, dict[str, float]]) -> str:
    rows = [
        [name, f"{held['memory']:.1f}", f"{held['threads']:.0f}", f"{held['descriptors']:.0f}"]
        for name, held in objects.items()
    ]
    return _table(["", "memory, MB", "threads", "descriptors"], rows)


def _aims(results: Results) -> list[list[str]]:
    rows: list[list[str]] = []

    def aim(what: str, least: str, measured: str) -> None:
        rows.append([what, least, measured])

    if results.single:
        _aims_single(results.single, aim)
    if results.load:
        loads = results.load[FULL]
        ours = loads[_OURS].median()
        aim("100 in flight, FULL, over raw", "≥ 2×", f"{ours / loads[_RAW].median():.2f}×")
        aim(f"… over {_SDK}", "≥ 5×", f"{ours / loads[_SDK].median():.2f}×")
        aim(f"… over {_ASYNC_SDK}", "≥ 10×", f"{ours / loads[_ASYNC_SDK].median():.2f}×")
        lag = percentile(loads[_OURS].lags, 0.99) * 1e3
        aim("… loop lag p99", "≤ 10 ms", f"{lag:.1f} ms")
    if results.processes:
        load = results.processes[_OURS]
        raw, sdk = results.processes[_RAW].median(), results.processes[_SDK].median()
        aim("4 processes, FULL, over raw", "≥ 2.5×", f"{load.median() / raw:.2f}×")
        aim(f"… over {_SDK}", "≥ 4×", f"{load.median() / sdk:.2f}×")
        aim("… errors, items lost", "0, 0", f"{len(load.errors)}, {load.lost}")
        aim("… worst turn", "≤ 100 ms", f"{max(load.turn_seconds) * 1e3:.0f} ms")
    if results.objects:
        held = results.objects[_OURS]
        aim("1,000 objects, memory", "≤ 1 MB", f"{held['memory']:.1f} MB")
        counts = f"{held['threads']:.0f}, {held['descriptors']:.0f}"
        aim("… threads, descriptors", "≤ 2, ≤ 8", counts)
    if results.size:
        aim("file after 200 turns", "≤ 1.6×", f"{results.size['memwrap, turns']:.2f}×")
    return rows


def _aims_single(medians: Medians, aim: Callable[[str, str, str], None]) -> None:
    def over(level: str, operation: str, rival: str, lengths: tuple[int, ...] = LENGTHS) -> float:
        """Return our time as a multiple of the rival's, the median over the lengths."""
        rows = [medians[level][length][operation] for length in lengths]
        return statistics.median(row[_OURS] / row[rival] for row in rows)

    for length, least in ((1_000, "0.65"), (10_000, "0.8")):
        ratio = over(FULL, "get all", _RAW, (length,))
        aim(f"get all {length:,}, × raw", f"≤ {least}", f"{ratio:.2f}")
    ratio = over(FULL, "last 20", _RAW, (1_000, 10_000))
    aim("last 20 of 1,000–10,000, × raw", "≤ 1.2", f"{ratio:.2f}")
    for operation, least in (("add 2", 1.35), ("add 20", 1.25), ("pop", 1.45), ("turn", 1.5)):
        aim(f"{operation}, FULL, × raw", f"≤ {least}", f"{over(FULL, operation, _RAW):.2f}")
    for operation, full, normal in (("turn", 1.3, 2), ("cold turn", 2.5, 3)):
        for level, least in ((FULL, full), (NORMAL, normal)):
            faster = 1 / over(level, operation, _SDK)
            aim(f"{operation}, {level}, faster than {_SDK}", f"≥ {least}×", f"{faster:.2f}×")
