"""Who uses what is shared: it is closed a while after the last of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol
from weakref import ref

from memwrap.sessions.backend import LINGER_SECONDS
from memwrap.settle import settle

__all__ = ["Shares"]


class Closable(Protocol):
    """What is shared."""

    loop: asyncio.AbstractEventLoop

    @property
    def ends_with_loop(self) -> bool:
        """Whether it is closed when the event loop ends."""
        ...

    async def close(self) -> None:
        """Wait for what is under way, and close."""
        ...


class Shares:
    """The users of a resource, which are known as long as they are there and have not left.

    Args:
        resource: What they use.
    """

    def __init__(self, resource: Closable) -> None:
        self._resource = resource
        self._users: set[ref[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    def take(self, user: object) -> None:
        """Note that *user* uses it, until it gives its share back or is gone."""
        self._users.add(ref(user, self._gone))

    def _gone(self, user: ref[object]) -> None:
        """Forget a user, wherever the last reference to it was dropped."""
        self._users.discard(user)
        if not self._users:
            with suppress(RuntimeError):  # the loop is closed, and what is shared with it
                self._resource.loop.call_soon_threadsafe(self._linger, LINGER_SECONDS)

    async def give_back(self, user: object, linger: float) -> None:
        """Forget *user*; close what is shared after *linger* seconds if it was the last."""
        self._users.discard(ref(user))
        if self._users:
            return
        if linger > 0 and self._resource.ends_with_loop:
            self._linger(linger)
        else:
            await self._resource.close()

    async def end(self) -> None:
        """Wait for a closing under way, as the event loop ends."""
        if self._timer is not None:
            self._timer.cancel()
        if self._closing is not None:
            await settle(self._closing)

    def _linger(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._resource.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        """Close what is shared if nobody has come meanwhile."""
        self._timer = None
        if not self._users:
            self._closing = self._resource.loop.create_task(self._resource.close())
