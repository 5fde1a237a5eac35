"""Where statements run: on the pool of an address and event loop, or on one that a caller has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar, cast

from memwrap.exceptions import ConfigurationError, StoreError
from memwrap.sessions import loops
from memwrap.sessions.postgres.address import Address
from memwrap.sessions.postgres.connection import Connection
from memwrap.sessions.postgres.failures import raised, sqlstate
from memwrap.sessions.postgres.pool import Pool, pool_key

__all__ = ["BorrowedPool", "found_pool", "pool_for"]

T = TypeVar("T")


def pool_for(address: Address, size: int, seconds: float) -> Pool:
    """Return the pool of this address on the running event loop."""
    found = loops.find(pool_key(address, size, seconds))
    return cast("Pool", found or loops.remember(Pool(address, size, seconds)))


def found_pool(address: Address, size: int, seconds: float) -> Pool | None:
    """Return the pool of this address on the running event loop, if there is one."""
    return cast("Pool | None", loops.find(pool_key(address, size, seconds)))


class BorrowedPool:
    """A pool of the driver's, which belongs to the caller, who opens and closes it.

    Args:
        pool: The pool.
        seconds: How long an operation may take, waiting for a connection included.
    """

    place = "the given pool"

    def __init__(self, pool: Any, seconds: float) -> None:
        self._pool = pool
        self.seconds = seconds
        self.known: dict[Hashable, Any] = {}

    def __reduce__(self) -> Any:
        raise TypeError(
            "a PostgreSQL store over a pool cannot be pickled: the pool is of this process only."
            " One with a DSN can be"
        )

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Run one statement, and return its rows."""

        async def fetched(connection: Connection) -> list[Any]:
            return cast("list[Any]", await connection.fetch(sql, *values))

        return await self._with(fetched)

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Await *work* in a transaction on one connection, and return what it returns."""

        async def worked(connection: Connection) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self._with(worked)

    async def _with(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        is_sent = False
        connection: Connection = None
        try:
            async with asyncio.timeout(self.seconds):
                connection = await self._pool.acquire()
                is_sent = True
                return await work(connection)
        except BaseException as exc:  # noqa: BLE001
            error = exc
            if connection is not None and not sqlstate(exc):
                connection.terminate()  # it would be waited for, and may never answer
        finally:
            if connection is not None:
                await self._pool.release(connection, timeout=self.seconds)
        raise self._told(error, is_sent=is_sent)

    def _told(self, error: BaseException, *, is_sent: bool) -> BaseException:
        if isinstance(error, TimeoutError) and not is_sent:
            return StoreError(
                f"PostgreSQL, {self.place}: no connection was free for {self.seconds:g} s; give the"
                " pool a greater max_size, as pool_size is for pools of memwrap's own"
            )
        if type(error).__name__ == "InterfaceError" and not is_sent:
            return ConfigurationError(
                "the given pool is closed, was not opened, or belongs to another event loop: open"
                " it where the store is used, or give the DSN instead"
            )
        return raised(self.place, error, self.seconds, is_sent=is_sent)
