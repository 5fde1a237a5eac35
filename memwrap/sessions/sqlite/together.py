"""Short windows that wait while others are read are read by one statement.

What many turns read at once costs more on its way to the connection's thread than in SQLite.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, cast

from memwrap.exceptions import StoreError
from memwrap.sessions.sqlite.schema import Tables
from memwrap.sessions.sqlite.statements import MOST_WINDOWS

__all__ = ["WindowReads"]

_STATEMENTS = 2  # under way at once: the thread has the next when it is done with one

_Read: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[list[tuple[Any, ...]]]]
_Values: TypeAlias = tuple[str, int]


class _Waiting:
    """A window that somebody waits for.

    Attributes:
        values: The session and the number of rows.
        told: What ends the waiting: True if the window has been read.
        packed: The rows then.
    """

    __slots__ = ("packed", "told", "values")

    def __init__(self, values: _Values) -> None:
        self.values = values
        self.told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.packed: bytes | None = None

    def tell(self, *, is_read: bool) -> None:
        if not self.told.done():
            self.told.set_result(is_read)


class WindowReads:
    """The windows that are about to be read on one connection.

    Args:
        read: Runs a statement on the connection.
        tables: The statements.
    """

    def __init__(self, read: _Read, tables: Tables) -> None:
        self._read = read
        self._tables = tables
        self._waiting: deque[_Waiting] = deque()
        self._under_way = 0

    async def get(self, session_id: str, size: int) -> bytes | None:
        """Return the newest *size* rows with their numbers, as one value; None for no row.

        Raises:
            StoreError: They could not be read.
        """
        values = session_id, size
        while self._under_way >= _STATEMENTS:
            waiting = _Waiting(values)
            self._waiting.append(waiting)
            try:
                if await waiting.told:
                    return waiting.packed
            except asyncio.CancelledError:
                if waiting.told.done() and not waiting.told.cancelled():
                    self._go_on()
                raise
        others = self._next_ones() if self._waiting else []
        self._under_way += 1
        try:
            return await self._read_with(values, others)
        finally:
            self._under_way -= 1
            if others:
                for waiting in others:  # those that have been read know it already
                    waiting.tell(is_read=False)
            if self._waiting:
                self._go_on()

    def _next_ones(self) -> list[_Waiting]:
        count = min(len(self._waiting), MOST_WINDOWS - 1)
        return [self._waiting.popleft() for _ in range(count)]

    def _go_on(self) -> None:
        """Let the first that waits read its window, with those behind it."""
        while self._waiting and self._under_way < _STATEMENTS:
            waiting = self._waiting.popleft()
            if not waiting.told.done():
                waiting.tell(is_read=False)
                return

    async def _read_with(self, values: _Values, others: list[_Waiting]) -> bytes | None:
        """Read a window, and those of others that wait; then they are told."""
        alone = self._tables.windows(1)
        if not others:
            return cast("bytes | None", (await self._read(alone, values))[0][0])
        wanted = [*values, *(value for waiting in others for value in waiting.values)]
        try:
            found = (await self._read(self._tables.windows(len(others) + 1), wanted))[0]
        except StoreError:  # whose fault it is shows when each reads its own
            return cast("bytes | None", (await self._read(alone, values))[0][0])
        for waiting, packed in zip(others, found[1:], strict=True):
            waiting.packed = packed
            waiting.tell(is_read=True)
        return cast("bytes | None", found[0])
