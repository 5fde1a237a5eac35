"""What memwrap adds to a call: per layer, per decorated call, per turn, per event, per import.

Prints one table. Each row is the best of several interleaved rounds, in microseconds over the
bare call measured in the same rounds.
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from memwrap import InMemorySession, Item, Turn, with_session
from memwrap.adapters import plain
from memwrap.chain import build_chain
from memwrap.middleware import Memory

CALLS = 2_000
ROUNDS = 15
LAYERS = 10
EVENTS = 100

Case = Callable[[], Awaitable[object]]


class NullSession:
    """A session that remembers nothing, at no cost."""

    session_id = "null"

    async def get_items(self, limit: int | None = None) -> list[Item]:
        return []

    async def add_items(self, items: list[Item]) -> None: ...

    async def pop_item(self) -> Item | None: ...

    async def clear_session(self) -> None: ...


async def agent(items: list[Item]) -> str:
    return "answer"


async def streaming(items: list[Item]):
    for _ in range(EVENTS):
        yield "x"


async def layer(turn, send, handler) -> None:
    await handler(turn, send)


def closure(session: NullSession) -> Callable[[str], Awaitable[str]]:
    """What one writes by hand: load, call, store."""

    async def call(text: str) -> str:
        item = {"role": "user", "content": text}
        answer = await agent([*await session.get_items(), item])
        await session.add_items([item, {"role": "assistant", "content": answer}])
        return answer

    return call


def filled(count: int) -> InMemorySession:
    """A session that shows its newest *count* items, however many turns are added."""
    session = InMemorySession("bench", session_settings={"limit": count})
    text = "A sentence of an ordinary length, as people write them. " * 8
    items = [{"role": ("user", "assistant")[i % 2], "content": text} for i in range(count)]
    asyncio.run(session.add_items(items))
    return session


async def consume(stream) -> None:
    async with aclosing(stream) as events:
        async for _ in events:
            pass


async def round_of(cases: dict[str, Case]) -> dict[str, float]:
    times = {}
    for name, case in cases.items():
        calls = CALLS // 20 if "stream" in name else CALLS
        start = time.perf_counter()
        for _ in range(calls):
            await case()
        times[name] = (time.perf_counter() - start) / calls * 1e6
    return times


def chain_cases() -> dict[str, Case]:
    async def endpoint(turn, send) -> None: ...

    async def send(event) -> None: ...

    def turn() -> Turn:
        return Turn(agent, [], adapter=plain)

    bare = build_chain([], endpoint)
    layered = build_chain([layer] * LAYERS, endpoint)
    return {"chain 0": lambda: bare(turn(), send), "chain 10": lambda: layered(turn(), send)}


def cases() -> dict[str, Case]:
    null = NullSession()
    by_hand = closure(null)
    remembering = with_session(agent, middleware=[Memory()])
    layered = with_session(agent, middleware=[layer] * LAYERS)
    stream = with_session(streaming)
    empty, fifty = filled(0), filled(50)
    items = [{"role": "user", "content": "question"}]
    return {
        "bare call": lambda: agent(items),
        "closure by hand, null session": lambda: by_hand("question"),
        "decorated, no session": lambda: remembering("question"),
        "decorated, null session": lambda: remembering("question", session=null),
        "decorated, null session, 10 layers": lambda: layered("question", session=null),
        "turn in memory, empty history": lambda: remembering("question", session=empty),
        "turn in memory, 50 items isolated": lambda: remembering("question", session=fifty),
        "bare stream of 100 events": lambda: consume(streaming(items)),
        "decorated stream of 100 events": lambda: consume(stream("question", session=null)),
        **chain_cases(),
    }


def import_seconds(statement: str) -> float:
    """The median time of a fresh interpreter, in seconds."""

    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(11))


def main() -> None:
    measured: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, value in asyncio.run(round_of(cases())).items():
            measured.setdefault(name, []).append(value)
    best = {name: min(values) for name, values in measured.items()}
    bare = best["bare call"]

    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"{'what':44}{'µs':>10}{'over bare':>12}")
    for name in list(cases())[:7]:
        print(f"{name:44}{best[name]:10.2f}{best[name] - bare:12.2f}")
    layer_cost = (best["chain 10"] - best["chain 0"]) / LAYERS
    print(f"{'one layer, per call':44}{layer_cost:10.3f}")
    events = best["decorated stream of 100 events"] - best["bare stream of 100 events"]
    print(f"{'one event of a stream':44}{events / EVENTS:10.2f}")
    nothing = import_seconds("pass")
    for statement in ("import memwrap", "import asyncio", "from memwrap import with_session"):
        extra = (import_seconds(statement) - nothing) * 1e3
        print(f"{statement + ', over bare Python':44}{extra:9.1f} ms")


if __name__ == "__main__":
    main()
