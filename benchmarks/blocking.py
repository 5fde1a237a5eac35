"""What others notice of a turn on a long history, and what grows with the length of one.

Prints the lag of the event loop and the time of other sessions' turns beside a turn on up to
500,000 items; then undo, pages of a list of 100,000 sessions, and how work grows when doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlite_load import percentile
from workload import build_folder, workload

from memwrap import InMemoryStore, Item, SQLiteStore, undo, with_session
from memwrap.adapters import chat, langchain, plain
from memwrap.items import assistant, repaired, user
from memwrap.middleware import Redact, Trim
from memwrap.turn import Turn

LENGTHS = (10_000, 100_000, 500_000)
TEXT = "A sentence of an ordinary length, as people write them. " * 2


def texts(count: int) -> list[Item]:
    return [(user, assistant)[n % 2](f"{n} {TEXT}") for n in range(count)]


async def filled(session: Any, items: list[Item]) -> None:
    for begin in range(0, len(items), 20_000):
        await session.add_items(items[begin : begin + 20_000])


async def beside(store: Any, session_id: str) -> tuple[float, list[float], list[float]]:
    """Return the seconds of a long turn, of the loop's lag, and of turns beside it."""

    @with_session(store=store)
    async def agent(items: list[Item]) -> str:
        return "ok"

    lags: list[float] = []
    others: list[float] = []
    ended = asyncio.Event()

    async def tick() -> None:
        while not ended.is_set():
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - start - 0.001)

    async def ask() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            start = time.perf_counter()
            await agent("q", session=f"other-{number % 5}")
            others.append(time.perf_counter() - start)
            await asyncio.sleep(0.002)

    tasks = [asyncio.create_task(tick()), asyncio.create_task(ask())]
    await asyncio.sleep(0.3)
    lags.clear()
    others.clear()
    start = time.perf_counter()
    await agent("q", session=session_id)
    took = time.perf_counter() - start
    await asyncio.sleep(0.2)  # until what the turn held is free
    ended.set()
    await asyncio.gather(*tasks)
    return took, lags, others


async def print_beside(folder: str, lengths: tuple[int, ...]) -> None:
    print(f"\n{'beside a turn on':34}{'it took':>10}{'loop lag p99':>14}{'worst':>10}", end="")
    print(f"{'other turns p50':>18}{'p99':>10}   (ms)")
    for kind in ("SQLite", "memory"):
        for name, make in (("texts", texts), ("tool calls", workload)):
            for length in lengths:
                path = os.path.join(folder, f"{length}-{name}.db")
                store = SQLiteStore(path) if kind == "SQLite" else InMemoryStore()
                await filled(store.session("long"), make(length))
                took, lags, others = await beside(store, "long")
                cells = [percentile(lags, 0.99), max(lags)]
                cells += [percentile(others, 0.5), percentile(others, 0.99)]
                shown = "".join(
                    f"{value * 1e3:>{width}.1f}"
                    for value, width in zip(cells, (14, 10, 18, 10), strict=True)
                )
                print(f"{f'{length:,} {name}, {kind}':34}{took * 1e3:>10.0f}{shown}")
                await store.close()


async def median_ms(call: Callable[[], Awaitable[Any]], times: int = 9) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        await call()
        found.append(time.perf_counter() - start)
    return statistics.median(found) * 1e3


async def print_lengths(folder: str, sessions: int) -> None:
    print(f"\n{'ms':44}{'100':>12}{f'{100_000:,}':>12}")
    for kind, store in (
        ("SQLite", SQLiteStore(os.path.join(folder, "undo.db"))),
        ("memory", InMemoryStore()),
    ):
        cells: dict[str, list[float]] = {}
        for length in (100, 100_000):
            session = store.session(f"length-{length}")
            await filled(session, texts(length))
            for name, call in (
                ("undo(1)", lambda session=session: undo(session)),
                ("pop_item()", session.pop_item),
                ("get_items(20)", lambda session=session: session.get_items(20)),
            ):
                cells.setdefault(name, []).append(await median_ms(call))
        for name, (few, many) in cells.items():
            print(f"{f'{name}, by items stored, {kind}':44}{few:>12.2f}{many:>12.2f}")
        await store.close()
    for kind, store in (
        ("SQLite", SQLiteStore(os.path.join(folder, "list.db"))),
        ("memory", InMemoryStore()),
    ):
        cells = {}
        for count in (100, sessions):
            names = [store.session(f"{count}-{n}") for n in range(count)]
            for begin in range(0, count, 500):
                adding = [one.add_items([user("x")]) for one in names[begin : begin + 500]]
                await asyncio.gather(*adding)
            after = (await store.sessions(limit=50))[-1].session_id
            for name, options in (("first page of 50", {}), ("next page", {"after": after})):
                call = partial(store.sessions, limit=50, **options)
                cells.setdefault(name, []).append(await median_ms(call))
        for name, (few, many) in cells.items():
            print(f"{f'{name}, by sessions, {kind}':44}{few:>12.2f}{many:>12.2f}")
        await store.close()


def grown(make: Callable[[int], Any], run: Callable[[Any], Any], size: int) -> tuple[float, float]:
    """Return the seconds for a size, and by how much they grow when it is doubled."""
    times = []
    for number in (size, 2 * size):
        best = []
        for _ in range(5):
            value = make(number)
            start = time.perf_counter()
            run(value)
            best.append(time.perf_counter() - start)
        times.append(min(best))
    return times[0], times[1] / times[0]


def calls(count: int) -> list[Item]:
    called = [
        {"type": "function_call", "call_id": f"c{n}", "name": "f", "arguments": '{"a": 1}'}
        for n in range(count)
    ]
    outputs = [
        {"type": "function_call_output", "call_id": f"c{n}", "output": "x"} for n in range(count)
    ]
    return [user("q"), *called, *outputs, assistant("a")]


def trimmed(items: list[Item]) -> None:
    async def handler(turn: Turn, send: Any) -> None: ...

    turn = Turn(None, [], adapter=plain)  # type: ignore[arg-type]
    turn.history = items
    asyncio.run(Trim(max_items=100)(turn, None, handler))  # type: ignore[arg-type]


def redacted(items: list[Item]) -> None:
    async def handler(turn: Turn, send: Any) -> None:
        for change in turn.before_agent:
            from memwrap import View

            change(View(turn.history, turn.input))

    turn = Turn(None, [], adapter=plain)  # type: ignore[arg-type]
    turn.history = items
    asyncio.run(Redact(r"sk-\w+")(turn, None, handler))  # type: ignore[arg-type]


def print_growth() -> None:
    print(f"\n{'work':44}{'ms':>12}{'doubled':>12}")

    def deltas(count: int) -> list[Any]:
        choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": None}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        return [chunk | {"choices": [choice]} for _ in range(count)]

    def said(count: int) -> list[Item]:
        return chat.from_items(calls(count))

    for name, make, run, size in (
        ("repair of 5,000 calls and outputs", calls, repaired, 5_000),
        ("trimming of 5,000 calls and outputs", calls, trimmed, 5_000),
        ("redaction of 5,000 calls and outputs", calls, redacted, 5_000),
        ("chat: a message of 5,000 calls to items", said, chat.to_items, 5_000),
        ("chat: 5,000 calls to messages", calls, chat.from_items, 5_000),
        ("plain: 5,000 calls for the API", calls, plain.from_items, 5_000),
        ("langchain: 5,000 calls to messages", calls, langchain.from_items, 5_000),
        (
            *("chat: a stream of 25,000 deltas", deltas),
            *(lambda chunks: chat.to_items(chunks, role="assistant"), 25_000),
        ),
        ("plain: a stream of 100,000 strings", lambda n: ["x"] * n, plain.to_items, 100_000),
    ):
        seconds, factor = grown(make, run, size)
        print(f"{name:44}{seconds * 1e3:>12.1f}{factor:>11.1f}×")


async def main(lengths: tuple[int, ...], sessions: int, folder: str) -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    await print_beside(folder, lengths)
    await print_lengths(folder, sessions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter histories")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(dir=build_folder()) as place:
        asyncio.run(main(LENGTHS[:1] if quick else LENGTHS, 2_000 if quick else 100_000, place))
    print_growth()
