"""What has to be known to append to a session that has the four methods only."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

from memwrap.items import Item

__all__ = ["added", "never_waits"]


def added(now: Sequence[Item], before: Sequence[Item], items: Sequence[Item]) -> int:
    """Return how many of *items* were appended after *before* was read, whoever else wrote since.

    A session may append one by one, and fail in between: then the last of them are missing.
    """
    count, size = len(items), len(before)
    begins = (0, *range(len(now) - size, 0, -1))  # a window may begin later
    begin = next((place for place in begins if now[place : place + size] == before), None)
    if begin is not None:  # else a limit moved the window, and only its end is new
        now = now[begin + size :]
        if any(now[place : place + count] == items for place in range(len(now) - count + 1)):
            return count
    return next((some for some in range(count, 0, -1) if now[-some:] == items[:some]), 0)


def never_waits(function: Any) -> bool:
    """Tell whether an async function has no ``await``: then nothing can interrupt it.

    Such are the sessions that people write around a list. A task that protects the append from
    cancellation would make their turns three times as long (70 instead of 24 microseconds). Where
    this cannot tell, the answer is no, which costs time and nothing else.
    """
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and _has_no_await(code)


@lru_cache(maxsize=256)
def _has_no_await(code: CodeType) -> bool:
    # Every await, async for and async with is compiled to a SEND.
    return bool(code.co_flags & inspect.CO_COROUTINE) and not any(
        step.opname == "SEND" for step in dis.get_instructions(code)
    )
