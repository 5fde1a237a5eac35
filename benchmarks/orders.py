"""What two wrong orders of layers come to, beside the right ones.

An agent that fails by chance now and then, with another one behind it; and one that hangs.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from memwrap import TurnTimeout, with_session
from memwrap.middleware import Fallback, Retry, Timeout

CALLS = 2000
FAILS = 0.2


async def by_first(layers: list[Any]) -> float:
    """Return the share of answers that the first agent gives."""
    chance = random.Random(1)

    async def first(items: list[Any]) -> str:
        if chance.random() < FAILS:
            raise ConnectionError
        return "first"

    agent = with_session(first, middleware=layers)
    answers = [await agent("x", session=None) for _ in range(CALLS)]
    return answers.count("first") / CALLS


async def until_told(layers: list[Any]) -> float:
    """Return the seconds after which the caller of an agent that hangs is told."""

    async def hangs(items: list[Any]) -> str:
        await asyncio.sleep(3600)
        return "never"

    agent = with_session(hangs, middleware=layers)
    start = time.perf_counter()
    try:
        await agent("x", session=None)
    except TurnTimeout:
        return time.perf_counter() - start
    raise AssertionError


async def other(items: list[Any]) -> str:
    return "other"


def retry(on: Any) -> Retry:
    return Retry(on=on, wait_initial=0, wait_jitter=0)


async def main() -> None:
    print(f"the first agent fails in {FAILS:.0%} of its calls: share of answers it gives")
    for name, layers in {
        "Fallback, Retry": [Fallback(other), retry(ConnectionError)],
        "Retry, Fallback": [retry(ConnectionError), Fallback(other)],
    }.items():
        print(f"  {name:20}{await by_first(layers):8.1%}")
    print("the agent hangs: seconds until the caller of Timeout(0.5) is told")
    for name, layers in {
        "Timeout, Retry": [Timeout(0.5), retry(TimeoutError)],
        "Retry, Timeout": [retry(TimeoutError), Timeout(0.5)],
    }.items():
        print(f"  {name:20}{await until_told(layers):8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
