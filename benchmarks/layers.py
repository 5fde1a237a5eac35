"""What layers cost: each alone with nothing to do, and all of them on SQLite.

The cost of a layer is that of a turn without memory through the layer, less that of the turn
without; the least of several rounds, interleaved. The turns on SQLite are medians, interleaved.
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from memwrap import SQLiteStore, with_session
from memwrap.adapters import plain
from memwrap.middleware import (
    Budget,
    Fallback,
    Guard,
    Log,
    Memory,
    RateLimit,
    Redact,
    Retry,
    Summarize,
    Timeout,
    Trace,
    Trim,
    Usage,
)
from memwrap.turn import Turn

ROUNDS, CALLS, TURNS = 30, 2000, 600
ANSWER = {
    "id": "resp_1",
    "object": "response",
    "model": "small",
    "output": [{"type": "message", "role": "assistant", "content": "An answer. " * 20}],
    "usage": {"input_tokens": 100, "output_tokens": 20},
}


async def other(items: list[Any]) -> str:
    return "another agent"


IDLE: dict[str, Callable[[], Any]] = {
    "Fallback": lambda: Fallback(other),
    "Guard": lambda: Guard(lambda items: None),
    "RateLimit": lambda: RateLimit("1000000/hour", key=lambda turn: "all"),
    "Redact": lambda: Redact("email"),
    "Retry": lambda: Retry(on=ConnectionError),
    "Summarize": lambda: Summarize(len),
    "Timeout": lambda: Timeout(60),
    "Trace, no provider": Trace,
    "Trim": lambda: Trim(max_turns=20),
    "Usage": Usage,
}


def all_layers() -> list[Any]:
    return [
        Trace(),
        Log(),
        RateLimit("1000000/minute"),
        Budget(max_tokens=10**9, window="1m"),
        Memory(),
        Redact("email", "credit_card", "iban", "ip", "phone", "secret"),
        Guard(lambda items: None),
        Summarize(lambda items: "a summary", count_tokens="chars/4"),
        Trim(max_turns=20),
        Usage(),
        Timeout(60),
        Fallback(other),
        Retry(on=ConnectionError),
    ]


async def _end(turn: Turn, send: Any) -> None:
    await send("x")


async def _take(event: Any) -> None:
    pass


async def _direct(turn: Turn, send: Any, handler: Any) -> None:
    await handler(turn, send)


async def _time_of(layer: Any) -> float:
    turn = Turn(other, [], adapter=plain)
    start = time.perf_counter()
    for _ in range(CALLS):
        await layer(turn, _take, _end)
        turn.before_agent.clear()
        turn.before_save.clear()
    return (time.perf_counter() - start) / CALLS


async def idle() -> None:
    layers = {name: make() for name, make in IDLE.items()}
    least = dict.fromkeys([*layers, ""], 1.0)
    for _ in range(ROUNDS):
        for name, layer in [*layers.items(), ("", _direct)]:
            least[name] = min(least[name], await _time_of(layer))
    print("µs that a layer adds to a turn in which it has nothing to do")
    for name in layers:
        print(f"{name:24}{(least[name] - least['']) * 1e6:8.2f}")


async def turns() -> None:
    async def agent(items: list[Any]) -> Any:
        return ANSWER

    with tempfile.TemporaryDirectory() as folder:
        bare, full = (SQLiteStore(Path(folder) / name) for name in ("bare.db", "full.db"))
        chains = {
            "Memory alone": with_session(agent, store=bare),
            "all layers": with_session(agent, store=full, middleware=all_layers()),
        }
        times: dict[str, list[float]] = {name: [] for name in chains}
        for number in range(TURNS):
            for name, call in chains.items():
                start = time.perf_counter()
                await call("A question of an ordinary length?", session=f"s{number // 20}")
                times[name].append(time.perf_counter() - start)
        await bare.close()
        await full.close()
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, median in medians.items():
        print(f"{name:24}{median * 1e3:8.2f} ms a turn on SQLite")
    print(f"{'all / Memory alone':24}{medians['all layers'] / medians['Memory alone']:8.2f}")


async def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    await idle()
    await turns()


if __name__ == "__main__":
    asyncio.run(main())
