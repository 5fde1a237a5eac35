"""Four processes on one file. They start once; only the turns between two signals are measured.

Run as a program this is one of the processes: it reads one JSON object a line, opens its sessions
on the file that is named there, says so, waits for the next line, runs, and prints what it did.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import time
from typing import Any

from contenders import AgentsAsyncSQLite, AgentsSQLite, Contender, Memwrap, Raw
from durability import FULL, use, verify
from sqlite_load import Load, count_lost, run_turns

__all__ = ["measure_processes"]

_PROCESSES, _SESSIONS, _TURNS = 4, 10, 5
_KINDS: dict[str, type[Contender]] = {
    kind.__name__: kind for kind in (Raw, Memwrap, AgentsSQLite, AgentsAsyncSQLite)
}


async def measure_processes(folder: str, rounds: int, seconds: float) -> dict[str, Load]:
    """Return what each contender did in four processes, at FULL."""
    use(FULL)
    crews = {kind: [_start(kind) for _ in range(_PROCESSES)] for kind in _KINDS.values()}
    loads = {kind.name: Load() for kind in crews}
    end = time.monotonic() + seconds
    try:
        for number in range(rounds):
            if number >= 3 and time.monotonic() > end:
                break
            for kind in random.sample(list(crews), len(crews)):
                path = os.path.join(folder, f"processes-{number}-{kind.__name__}.db")
                await kind.fill(path, {})
                answers = _round(crews[kind], path)
                await _record(kind, path, answers, loads[kind.name])
    finally:
        for process in itertools.chain.from_iterable(crews.values()):
            process.stdin.close()
            process.wait(30)
            process.stdout.close()
    return loads


def _start(kind: type[Contender]) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, kind.__name__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _round(crew: list[subprocess.Popen[str]], path: str) -> list[dict[str, Any]]:
    for number, process in enumerate(crew):
        _tell(process, {"path": path, "number": number})
    for process in crew:
        process.stdout.readline()
    for process in crew:
        _tell(process, {})
    return [json.loads(process.stdout.readline()) for process in crew]


def _tell(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


async def _record(
    kind: type[Contender], path: str, answers: list[dict[str, Any]], load: Load
) -> None:
    elapsed = max(a["end"] for a in answers) - min(a["start"] for a in answers)
    stored: dict[str, int] = {}
    for answer in answers:
        load.turn_seconds += answer["times"]
        load.errors += answer["errors"]
        stored |= answer["stored"]
    load.turns += _PROCESSES * _SESSIONS * _TURNS
    load.turns_per_second.append(sum(stored.values()) / 2 / elapsed)
    load.lost += await count_lost(kind, path, stored)
    await kind.release(path)


async def _work(kind: type[Contender]) -> None:
    use(FULL)
    while line := sys.stdin.readline():
        task = json.loads(line)
        path = task["path"]
        sessions = [kind(path, f"{task['number']}-{n}") for n in range(_SESSIONS)]
        for session in sessions:
            await session.get(1)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(await _run(sessions)), flush=True)
        verify(path, FULL, kind.name)
        for session in sessions:
            await session.close()
        await kind.release(path)


async def _run(sessions: list[Contender]) -> dict[str, Any]:
    times: list[float] = []
    errors: list[str] = []
    start = time.monotonic()  # one clock for all processes of the machine
    stored = await asyncio.gather(*(run_turns(s, _TURNS, times, errors) for s in sessions))
    return {
        "start": start,
        "end": time.monotonic(),
        "times": times,
        "errors": errors,
        "stored": dict(zip((s.session_id for s in sessions), stored, strict=True)),
    }


if __name__ == "__main__":
    asyncio.run(_work(_KINDS[sys.argv[1]]))
