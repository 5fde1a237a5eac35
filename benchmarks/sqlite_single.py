"""One session at a time: each operation at each length, all contenders in the same rounds.

Every contender has a file of its own with the same content. In a round each of them runs the
operation a few times, in a shuffled order, so that a burst of the disk hits all. What an operation
has added is deleted between the rounds, and the first call after that is not counted.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from contenders import CONTENDERS, Contender
from durability import LEVELS, prepare, use, verify
from workload import LENGTHS, workload

__all__ = ["OPERATIONS", "measure_single"]

OPERATIONS = ("add 2", "add 20", "get all", "last 20", "pop", "turn", "cold turn")
_WRITES = {"add 2", "add 20", "turn", "cold turn"}
_OTHERS = 50
_CALLS = 5
_SLOW_SECONDS = 0.05
_SLOW_ROUNDS = 3

Medians = dict[str, dict[int, dict[str, dict[str, float]]]]


class _Subject:
    """A contender with an open session of a length, and the way back to that length."""

    def __init__(self, kind: type[Contender], path: str, length: int) -> None:
        self.kind = kind
        self.path = path
        self.session_id = f"length-{length}"
        self.session = kind(path, self.session_id)
        self.items = kind.native(workload(20))
        self.slow: set[str] = set()
        self._keeper = prepare(path)
        table, session_column, row_column = kind.rows
        of_session = f"FROM {table} WHERE {session_column} = ?"
        last = self._keeper.execute(f"SELECT max({row_column}) {of_session}", (self.session_id,))
        self._last = last.fetchone()[0]
        self._delete = f"DELETE {of_session} AND {row_column} > ?"

    def can(self, operation: str) -> bool:
        return operation != "pop" or self.kind.pops

    def call(self, operation: str) -> Callable[[], Awaitable[Any]]:
        two, session = self.items[:2], self.session
        return {
            "add 2": lambda: session.add(two),
            "add 20": lambda: session.add(self.items),
            "get all": lambda: session.get(None),
            "last 20": lambda: session.get(20),
            "pop": session.pop,
            "turn": lambda: session.turn(two),
            "cold turn": self._cold_turn,
        }[operation]

    async def _cold_turn(self) -> None:
        session = self.kind(self.path, self.session_id)
        await session.turn(self.items[:2])
        await session.close()

    async def seconds(self, operation: str) -> list[float]:
        """Return what some calls took; the first, which is not counted, decides how many."""
        if operation == "pop":
            await self.session.add(self.items[: _CALLS + 1])
        call = self.call(operation)
        first = await _timed(call)
        if first > _SLOW_SECONDS:
            self.slow.add(operation)
        count = _CALLS if operation == "pop" else max(1, min(_CALLS, int(0.05 / first)))
        found = [await _timed(call) for _ in range(count)]
        if operation in _WRITES:
            self._keeper.execute(self._delete, (self.session_id, self._last))
        return found

    async def close(self) -> None:
        self._keeper.close()
        await self.session.close()


async def measure_single(folder: str, rounds: int, seconds: float) -> Medians:
    """Return the medians in seconds, by level, length, operation and contender.

    Args:
        folder: Where the files are.
        rounds: How many.
        seconds: After that many no round begins, except for the first three of each length.
    """
    files = {}
    sessions = {f"other-{number}": workload(40) for number in range(_OTHERS)}
    sessions |= {f"length-{length}": workload(length) for length in LENGTHS}
    for kind in CONTENDERS:
        files[kind] = os.path.join(folder, f"single-{kind.__name__}.db")
        await kind.fill(files[kind], sessions)
    del sessions
    gc.freeze()
    share = seconds / len(LEVELS) / len(LENGTHS)
    medians: Medians = {}
    for level in LEVELS:
        use(level)
        medians[level] = {}
        for length in LENGTHS:
            subjects = [_Subject(k, p, length) for k, p in files.items() if length <= k.longest]
            medians[level][length] = await _rounds(subjects, rounds, share)
            for subject in subjects:
                verify(subject.path, level, subject.kind.name)
                await subject.close()
        for kind, path in files.items():
            await kind.release(path)
    return medians


async def _rounds(
    subjects: list[_Subject], rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, list[float]]] = {operation: {} for operation in OPERATIONS}
    end = time.monotonic() + seconds
    for number in range(rounds):
        if number >= _SLOW_ROUNDS and time.monotonic() > end:
            break
        for operation in OPERATIONS:
            random.shuffle(subjects)
            for subject in subjects:
                if not subject.can(operation):
                    continue
                if number >= _SLOW_ROUNDS and operation in subject.slow:
                    continue
                times = found[operation].setdefault(subject.kind.name, [])
                times += await subject.seconds(operation)
    return {
        operation: {name: statistics.median(times) for name, times in row.items()}
        for operation, row in found.items()
    }


async def _timed(call: Callable[[], Awaitable[Any]]) -> float:
    start = time.perf_counter()
    await call()
    return time.perf_counter() - start
