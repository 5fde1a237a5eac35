"""The tables of a schema on a server, and the statements that run on them for one tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from memwrap.exceptions import StoreError
from memwrap.sessions.postgres.address import Address
from memwrap.sessions.postgres.connection import Connection
from memwrap.sessions.postgres.failures import is_missing
from memwrap.sessions.postgres.jobs import Job
from memwrap.sessions.postgres.many import many_values
from memwrap.sessions.postgres.pool import Pool
from memwrap.sessions.postgres.pools import BorrowedPool, found_pool, pool_for
from memwrap.sessions.postgres.schema import Known, check, make
from memwrap.sessions.postgres.statements import statements
from memwrap.sessions.postgres.values import escaped

__all__ = ["Options", "Tables"]


_TRIES = 3  # then the session's row is locked first


class Options(NamedTuple):
    """How a store uses a server.

    Attributes:
        schema: Where its tables are.
        tenant: Whose sessions it sees.
        ttl: Seconds after the newest write when a session expires; None for never.
        pool_size: How many connections at most, on each event loop.
        timeout: Seconds for a connection, the wait for one, and an answer together.
        search: Whether sessions can be searched.
        read_only: Whether nothing may be made.
    """

    schema: str
    tenant: str
    ttl: float | None
    pool_size: int
    timeout: float
    search: bool
    read_only: bool = False


class Tables:
    """The tables of a schema.

    Args:
        source: An address, or a pool that belongs to the caller.
        options: How they are used.
    """

    def __init__(self, source: Address | BorrowedPool, options: Options) -> None:
        self.source = source
        self.options = options
        self.name = f"PostgreSQL at {source.place}, schema {options.schema}"
        self._sql = statements(options.schema)
        self._tenant = escaped(options.tenant)
        self._key = options.schema, options.search, options.read_only
        self._joined = 0  # the number of the pool that it joined last

    def __reduce__(self) -> Any:
        return type(self), (self.source, self.options)

    @property
    def identity(self) -> Hashable:
        """What tells the place: the server, the schema, the tenant."""
        source = self.source
        where = source.dsn if isinstance(source, Address) else source
        return "postgres", where, self.options.schema, self.options.tenant

    def _pool(self) -> Pool | BorrowedPool:
        source, options = self.source, self.options
        if not isinstance(source, Address):
            return source
        pool = pool_for(source, options.pool_size, options.timeout)
        if pool.number != self._joined:
            pool.shares.take(self)
            self._joined = pool.number
        return pool

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement for the tenant, and return its rows.

        Raises:
            StoreError: It failed; `Lost` if it may have been done.
        """
        return await self.query(self._sql[statement], values)

    async def merged(self, statement: str, session_id: str, *values: Any) -> list[Any]:
        """Run a statement as `fetch` does, with those of others for which a connection is missing.

        Each value has to be of one type and is of the session alone; there is a statement of that
        name for many.
        """

        def together(jobs: Sequence[Sequence[Any]]) -> tuple[str, Sequence[Any]]:
            return self._sql[f"{statement}_many"], (self._tenant, *many_values(statement, jobs))

        job = Job((statement, self.identity), session_id, (session_id, *values), together)
        return await self.query(self._sql[statement], job.values, job)

    async def query(
        self, sql: str, values: Sequence[Any] = (), job: Job | None = None
    ) -> list[Any]:
        """Run a text of SQL for the tenant, which is its first parameter."""
        pool = self._pool()
        if self._key not in pool.known:
            await self.known()
        try:
            if job is not None and isinstance(pool, Pool):
                return await pool.fetch(sql, (self._tenant, *values), job)
            return await pool.fetch(sql, (self._tenant, *values))
        except StoreError as exc:
            if is_missing(exc):  # the schema was dropped, and is made when it is needed again
                pool.known.pop(self._key, None)
            raise

    async def checked(self, statement: str, session_id: str, *values: Any) -> Any:
        """Run a statement that does nothing if the session changes meanwhile, until it is done.

        Returns:
            Its row, in which ``done`` or ``refused`` is true; None if there is no such session.
        """
        for _ in range(_TRIES):
            rows = await self.fetch(statement, session_id, *values)
            if not rows:
                return None
            if rows[0]["done"] or rows[0]["refused"]:
                return rows[0]
        rows = await self.locked(statement, session_id, *values)
        return rows[0] if rows else None

    async def locked(self, statement: str, session_id: str, *values: Any) -> list[Any]:
        """Run a statement while nobody else changes the session."""

        async def work(connection: Connection) -> list[Any]:
            await connection.fetch(self._sql["lock"], self._tenant, session_id)
            rows: list[Any] = await connection.fetch(
                self._sql[statement], self._tenant, session_id, *values
            )
            return rows

        return await self._pool().run(work)

    async def known(self, *, anew: bool = False) -> Known:
        """Return what is known of the schema; make it if there is none.

        Args:
            anew: Whether to look, though somebody has.

        Raises:
            StoreError: It is of a newer version, or may not be made.
        """
        pool, schema, search = self._pool(), self.options.schema, self.options.search
        known: Known | None = None if anew else pool.known.get(self._key)
        if known is None:
            known = await check(pool.fetch, schema, pool.place)
            if known is None and self.options.read_only:
                raise StoreError(f"{self.name}: there is no such schema; nothing was made")
            if known is None or (search and "search" not in known):
                await pool.run(lambda connection: make(connection, schema, search=search))
                known = await check(pool.fetch, schema, pool.place)
            pool.known[self._key] = known or {}
        return known or {}

    async def read_durability(self) -> tuple[str, str, str]:
        """Return the server's settings that durability depends on."""
        rows = await self._pool().fetch(
            "SELECT current_setting('synchronous_commit'), current_setting('fsync'),"
            " current_setting('full_page_writes')",
            (),
        )
        return rows[0][0], rows[0][1], rows[0][2]

    async def close(self, linger: float) -> None:
        """Give back the share in the connections of this event loop."""
        source, options = self.source, self.options
        self._joined = 0
        if isinstance(source, Address):
            pool = found_pool(source, options.pool_size, options.timeout)
            if pool is not None:
                await asyncio.sleep(0)  # who closes in a loop lets others work all the same
                await pool.shares.give_back(self, linger)
