"""Work on long lists of items, done aside so that the event loop serves others meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["MANY", "aside", "dropped_aside"]

R = TypeVar("R")

MANY = 4_000
"""From so many items on work is done in a thread; fewer take a few milliseconds at most."""


async def aside(function: Callable[..., R], *args: Any) -> R:
    """Return what a function returns that only computes, called in a thread.

    Args:
        function: The function; it sees the caller's context. It goes through more than `MANY`
            items: with fewer, callers call it themselves.
        args: Its arguments.
    """
    return await asyncio.to_thread(function, *args)


def dropped_aside(items: list[Any]) -> None:
    """Let a thread free more than `MANY` items when everybody else has let go of them.

    Python frees all items of a list in one go, and would hold the event loop up.
    """
    with suppress(RuntimeError):  # the loop is about to end, and serves nobody else
        asyncio.get_running_loop().run_in_executor(None, _drop, items.copy())


def _drop(items: list[Any]) -> None:
    time.sleep(_SOON)
    while items:
        del items[-_FEW:]


_SOON = 0.05  # seconds after which a turn that has ended is gone
_FEW = 500  # items that are freed at once
