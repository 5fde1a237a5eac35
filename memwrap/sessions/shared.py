"""What all sessions of one place share on an event loop: connections that end with the loop."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Hashable
from itertools import count

from memwrap.sessions import loops
from memwrap.sessions.leases import Stand
from memwrap.sessions.shares import Shares

__all__ = ["SharedResource"]

_numbers = count(1)


class SharedResource(ABC):
    """A `loops.Resource` that counts the calls under way, and closes with its event loop.

    Args:
        name: Names the place and the way it is used.
        loop: Its event loop; None for the one that runs.

    Attributes:
        number: Tells it from all others that there have been in this process.
        shares: Who uses it.
    """

    def __init__(self, name: Hashable, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.name = name
        self.loop = loop or asyncio.get_running_loop()
        self.stand = Stand()
        self.number = next(_numbers)
        self.shares = Shares(self)
        self._calls = 0  # those under way, which closing waits for
        self._quiet = asyncio.Event()
        self._closer: AsyncGenerator[None, None] | None = None

    @property
    def ends_with_loop(self) -> bool:
        """Whether it is closed when the event loop ends."""
        return self._closer is not None

    @property
    def rests(self) -> bool:
        """Whether nothing is under way."""
        return not self._calls

    @abstractmethod
    async def close(self) -> None:
        """Wait for what is under way, and close."""

    def _begin_call(self) -> None:
        self._calls += 1

    def _end_call(self) -> None:
        self._calls -= 1
        if not self._calls:
            self._quiet.set()

    async def _live_with_loop(self) -> None:
        """Let the event loop close it when it ends."""
        if self._closer is None and not loops.is_shut_down(self.loop):
            self._closer = loops.until_the_loop_ends(self._end)
            await anext(self._closer)

    async def _end(self) -> None:
        if self._closer is None:  # it was stopped, and has left the loop
            return
        await self.shares.end()
        loops.note_shut_down(self.loop)
        await self.close()

    async def _wait_until_quiet(self) -> None:
        while self._calls:  # again if more have begun before it is our turn
            self._quiet.clear()
            await self._quiet.wait()

    def _leave_loop(self) -> None:
        """Let go of the event loop, which has ended."""
        closer, self._closer = self._closer, None
        if closer is not None:  # it holds the loop, and has nothing to wait for any more
            with contextlib.suppress(StopIteration, RuntimeError):
                closer.aclose().send(None)
