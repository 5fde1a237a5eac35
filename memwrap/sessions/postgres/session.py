"""Sessions in a PostgreSQL database, on tables of memwrap's own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.backend import Backend
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.network import NetworkSession, check_driver, check_options
from memwrap.sessions.reading import ReadOnlyBackend
from memwrap.sessions.steady import SteadyBackend

__all__ = ["PostgresSession", "PostgresStore"]

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")


class PostgresSession(NetworkSession):
    """The memory of one conversation, in a PostgreSQL database.

    The connections are shared by all sessions of one DSN and event loop, and need no closing.

    Args:
        session_id: Names the conversation.
        dsn: ``postgresql://user:password@host:5432/database``, with libpq's options behind a
            ``?``; or an ``asyncpg.Pool``, which stays the caller's to open and close.
        schema: The schema of memwrap's tables, made when it is first used.
        tenant: Whose conversations these are: ids of different tenants never meet.
        ttl: Seconds or a timedelta after the newest write when the conversation expires, by the
            server's clock; None for never.
        pool_size: How many connections at most, on each event loop.
        timeout: Seconds for a connection, the wait for one, and an answer together.
        session_settings: ``SessionSettings(limit=...)`` or a dict of it: how many items
            ``get_items()`` returns when it is called without a limit.
        strict: Raise `StoreError` for rows that cannot be read, instead of leaving them out with
            a warning and counting them in ``damaged_items``.

    Raises:
        ConfigurationError: One of the values can be none, or the driver is not installed.
    """

    def __init__(
        self,
        session_id: str,
        dsn: Any,
        *,
        schema: str = "memwrap",
        tenant: str = "",
        ttl: float | timedelta | None = None,
        pool_size: int = 10,
        timeout: float = 30.0,
        session_settings: Any = None,
        strict: bool = False,
    ) -> None:
        backend = _backend(
            dsn,
            schema=schema,
            tenant=tenant,
            ttl=ttl,
            pool_size=pool_size,
            timeout=timeout,
            search=False,
        )
        super().__init__(session_id, backend, session_settings, strict=strict)


class PostgresStore(DatabaseStore):
    """Conversations by id, in a PostgreSQL database.

    Args:
        dsn: ``postgresql://user:password@host:5432/database``, with libpq's options behind a
            ``?``; or an ``asyncpg.Pool``, which stays the caller's to open and close.
        schema: The schema of memwrap's tables, made when it is first used.
        tenant: Whose conversations these are: a store sees those of its tenant only.
        ttl: Seconds or a timedelta after the newest write when a conversation expires, by the
            server's clock; None for never.
        pool_size: How many connections at most, on each event loop.
        timeout: Seconds for a connection, the wait for one, and an answer together.
        search: Let the conversations be searched, by an index that is made for it.
        read_only: Whether it is only read: nothing is made on the server, and what would write is
            a `StoreError`. It offers no search.
        strict: Raise `StoreError` for rows that cannot be read, instead of leaving them out with
            a warning and counting them in the session's ``damaged_items``.

    Raises:
        ConfigurationError: One of the values can be none, or the driver is not installed.
    """

    def __init__(
        self,
        dsn: Any,
        *,
        schema: str = "memwrap",
        tenant: str = "",
        ttl: float | timedelta | None = None,
        pool_size: int = 10,
        timeout: float = 30.0,
        search: bool = False,
        read_only: bool = False,
        strict: bool = False,
    ) -> None:
        backend = _backend(
            dsn,
            schema=schema,
            tenant=tenant,
            ttl=ttl,
            pool_size=pool_size,
            timeout=timeout,
            search=search and not read_only,
            read_only=read_only,
        )
        super().__init__(backend, strict=strict)


def _backend(
    dsn: Any,
    *,
    schema: object,
    tenant: object,
    ttl: object,
    pool_size: object,
    timeout: object,
    search: bool,
    read_only: bool = False,
) -> Backend:
    """Return the back end of these tables.

    Raises:
        ConfigurationError: One of the values can be none, or the driver is not installed.
    """
    check_driver("asyncpg", "PostgreSQL", "postgres")
    from memwrap.sessions.postgres.address import address_of
    from memwrap.sessions.postgres.connection import is_pool
    from memwrap.sessions.postgres.database import PostgresBackend
    from memwrap.sessions.postgres.pools import BorrowedPool
    from memwrap.sessions.postgres.tables import Options, Tables

    if not isinstance(schema, str) or not _SCHEMA.match(schema):
        raise ConfigurationError(
            f"schema is a letter or _ and then up to 62 letters, digits and _, not {schema!r}"
        )
    options = Options(
        schema,
        *check_options(tenant=tenant, ttl=ttl, pool_size=pool_size, timeout=timeout),
        search,
        read_only,
    )
    kind = ReadOnlyBackend if read_only else SteadyBackend
    if is_pool(dsn):
        return kind(PostgresBackend(Tables(BorrowedPool(dsn, options.timeout), options)))
    if not isinstance(dsn, str):
        raise ConfigurationError(
            "a PostgreSQL store takes a DSN as a string, or an asyncpg.Pool, not"
            f" {type(dsn).__name__}"
        )
    return kind(PostgresBackend(Tables(address_of(dsn), options)))
