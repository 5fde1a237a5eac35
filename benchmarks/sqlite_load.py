"""A hundred sessions at once in one process, on one file."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from contenders import CONTENDERS, Contender
from durability import LEVELS, use, verify
from workload import workload

__all__ = ["Load", "count_lost", "measure_load", "percentile", "run_turns"]

_SESSIONS, _TURNS = 100, 5
_SLOW_SECONDS = 0.6
_SLOW_ROUNDS = 3


@dataclass
class Load:
    """What a contender did in all rounds."""

    turns_per_second: list[float] = field(default_factory=list)
    turn_seconds: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    turns: int = 0
    lost: int = 0

    def median(self) -> float:
        return statistics.median(self.turns_per_second)


def percentile(values: list[float], share: float) -> float:
    """Return the value that *share* of the others do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def run_turns(session: Contender, turns: int, times: list[float], errors: list[str]) -> int:
    """Run turns of two items one after the other; return how many items were acknowledged."""
    items = session.native(workload(4))[::3]  # a question and an answer
    stored = 0
    for _ in range(turns):
        start = time.perf_counter()
        try:
            await session.turn(items)
        except Exception as exc:  # noqa: BLE001  (whatever a library raises is a failed turn)
            errors.append(f"{type(exc).__name__}: {str(exc).partition(chr(10))[0]}")
        else:
            stored += len(items)
            times.append(time.perf_counter() - start)
    return stored


async def count_lost(kind: type[Contender], path: str, stored: dict[str, int]) -> int:
    """Return how many acknowledged items are not in the file, seen by new objects."""
    lost = 0
    for session_id, count in stored.items():
        session = kind(path, session_id)
        lost += max(0, count - len(await session.get(None)))
        await session.close()
    return lost


async def measure_load(folder: str, rounds: int, seconds: float) -> dict[str, dict[str, Load]]:
    """Return what each contender did, by level; slow ones take part in three rounds only."""
    found: dict[str, dict[str, Load]] = {}
    for level in LEVELS:
        use(level)
        loads = found[level] = {kind.name: Load() for kind in CONTENDERS}
        kinds = list(CONTENDERS)
        end = time.monotonic() + seconds / len(LEVELS)
        for number in range(rounds):
            if number >= _SLOW_ROUNDS:
                limit = _SESSIONS * _TURNS / _SLOW_SECONDS
                kinds = [kind for kind in kinds if loads[kind.name].median() > limit]
                if time.monotonic() > end:
                    break
            random.shuffle(kinds)
            for kind in kinds:
                path = os.path.join(folder, f"load-{level}-{number}-{kind.__name__}.db")
                await _round(kind, path, level, loads[kind.name])
    return found


async def _round(kind: type[Contender], path: str, level: str, load: Load) -> None:
    await kind.fill(path, {})
    sessions = [kind(path, f"session-{number}") for number in range(_SESSIONS)]
    for session in sessions:
        await session.get(1)  # the opening of connections is not measured
    lags: list[float] = []
    stop = asyncio.Event()
    watch = asyncio.create_task(_watch_lag(lags, stop))
    await asyncio.sleep(0.01)
    start = time.perf_counter()
    stored = await asyncio.gather(
        *(run_turns(session, _TURNS, load.turn_seconds, load.errors) for session in sessions)
    )
    elapsed = time.perf_counter() - start
    stop.set()
    await watch
    verify(path, level, kind.name)
    for session in sessions:
        await session.close()
    acknowledged = dict(zip((s.session_id for s in sessions), stored, strict=True))
    load.lost += await count_lost(kind, path, acknowledged)
    await kind.release(path)
    load.turns += _SESSIONS * _TURNS
    load.turns_per_second.append(sum(stored) / 2 / elapsed)
    load.lags += lags


async def _watch_lag(lags: list[float], stop: Any) -> None:
    while not stop.is_set():
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        lags.append(time.perf_counter() - start - 0.001)
