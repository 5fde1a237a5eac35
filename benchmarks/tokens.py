"""What it costs to count the tokens of a window of 60,000: at first, and in the turn after.

A counter that is as slow as tokenizers are stands for them: their tables are fetched from the
network, which a benchmark has not.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import statistics
import time
from collections.abc import Callable

from workload import workload

from memwrap import InMemorySession, Item, with_session
from memwrap.items import text_of
from memwrap.middleware import Memory, Trim
from memwrap.tokens import counter_for

TOKENS = 60_000
ROUNDS = 7
_WORD = re.compile(r"\w+|\W")


def by_words(item: Item) -> int:
    """Count words and signs, as slowly as a tokenizer."""
    text = text_of(item) or str(item)
    return sum(1 for _ in range(3) for _ in _WORD.finditer(text)) // 3


def window(count: Callable[[Item], int]) -> list[Item]:
    items = workload(2_000)
    total, kept = 0, []
    for item in items:
        total += count(item)
        if total > TOKENS:
            break
        kept.append(item)
    return kept


async def turn_seconds(count: str | Callable[[Item], int], items: list[Item]) -> tuple[float, ...]:
    """Return what counting takes in the first turn and in the second, and the turns themselves."""
    counter = counter_for(count)
    start = time.perf_counter()
    sum(map(counter, items))
    first = time.perf_counter() - start
    start = time.perf_counter()
    sum(map(counter, [*items, *workload(2)]))
    second = time.perf_counter() - start

    async def agent(items: list[Item]) -> str:
        return "ok"

    session = InMemorySession("s")
    await session.add_items(items)
    trim = Trim(max_tokens=2 * TOKENS, count_tokens=count)
    call = with_session(agent, session=session, middleware=[Memory(), trim])
    turns = []
    for _ in range(2):
        start = time.perf_counter()
        await call("And now?")
        turns.append(time.perf_counter() - start)
    return first, second, *turns


async def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(
        f"{'ms':24}{'items':>8}{'first count':>14}{'second':>10}{'second : first':>16}"
        f"{'first turn':>14}{'second turn':>14}"
    )
    for name, count in (("by words and signs", by_words), ("chars/4", "chars/4")):
        items = window(by_words)
        found = [await turn_seconds(count, items) for _ in range(ROUNDS)]
        first, second, turn, next_turn = (
            statistics.median(x) * 1e3 for x in zip(*found, strict=True)
        )
        print(
            f"{name:24}{len(items):>8}{first:>14.2f}{second:>10.2f}{second / first:>15.1%}"
            f"{turn:>14.2f}{next_turn:>14.2f}"
        )
    print("target: the second count of a tokenizer is at most 2 % of the first")


if __name__ == "__main__":
    asyncio.run(main())
