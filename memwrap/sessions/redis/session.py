"""Sessions on a Redis or Valkey server, or on a cluster of them."""

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

__all__ = ["RedisSession", "RedisStore"]

_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{0,64}\Z")


class RedisSession(NetworkSession):
    """The memory of one conversation, on a Redis or Valkey server.

    The connections are shared by all sessions of one URL and event loop, and need no closing.

    Args:
        session_id: Names the conversation.
        url: ``redis://user:password@host:6379/0``, ``rediss://`` with TLS, the same with
            ``valkey``, or ``redis+cluster://host:port,host:port``; or a ``redis.asyncio.Redis``
            or ``RedisCluster``, which stays the caller's to close.
        prefix: What all keys begin with.
        tenant: Whose conversations these are: ids of different tenants never meet.
        ttl: Seconds or a timedelta after the newest write when the conversation expires, by the
            server's clock; None for never.
        pool_size: How many connections at most, on each event loop; of a cluster to each node.
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
        url: Any,
        *,
        prefix: str = "memwrap:",
        tenant: str = "",
        ttl: float | timedelta | None = None,
        pool_size: int = 50,
        timeout: float = 30.0,
        session_settings: Any = None,
        strict: bool = False,
    ) -> None:
        backend = _backend(
            url, prefix=prefix, tenant=tenant, ttl=ttl, pool_size=pool_size, timeout=timeout
        )
        super().__init__(session_id, backend, session_settings, strict=strict)


class RedisStore(DatabaseStore):
    """Conversations by id, on a Redis or Valkey server, or on a cluster of them.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://`` with TLS, the same with
            ``valkey``, or ``redis+cluster://host:port,host:port``; or a ``redis.asyncio.Redis``
            or ``RedisCluster``, which stays the caller's to close.
        prefix: What all keys begin with.
        tenant: Whose conversations these are: a store sees those of its tenant only.
        ttl: Seconds or a timedelta after the newest write when a conversation expires, by the
            server's clock; None for never.
        pool_size: How many connections at most, on each event loop; of a cluster to each node.
        timeout: Seconds for a connection, the wait for one, and an answer together.
        read_only: Whether it is only read: nothing is made on the server, and what would write is
            a `StoreError`.
        strict: Raise `StoreError` for rows that cannot be read, instead of leaving them out with
            a warning and counting them in the session's ``damaged_items``.

    Raises:
        ConfigurationError: One of the values can be none, or the driver is not installed.
    """

    def __init__(
        self,
        url: Any,
        *,
        prefix: str = "memwrap:",
        tenant: str = "",
        ttl: float | timedelta | None = None,
        pool_size: int = 50,
        timeout: float = 30.0,
        read_only: bool = False,
        strict: bool = False,
    ) -> None:
        backend = _backend(
            url,
            prefix=prefix,
            tenant=tenant,
            ttl=ttl,
            pool_size=pool_size,
            timeout=timeout,
            read_only=read_only,
        )
        super().__init__(backend, strict=strict)


def _backend(
    url: Any,
    *,
    prefix: object,
    tenant: object,
    ttl: object,
    pool_size: object,
    timeout: object,
    read_only: bool = False,
) -> Backend:
    """Return the back end of these keys.

    Raises:
        ConfigurationError: One of the values can be none, or the driver is not installed.
    """
    check_driver("redis", "Redis", "redis")
    from memwrap.sessions.redis.address import address_of
    from memwrap.sessions.redis.client import GivenClient, check_client
    from memwrap.sessions.redis.database import RedisBackend
    from memwrap.sessions.redis.rows import Options

    if not isinstance(prefix, str) or not _PREFIX.match(prefix):
        raise ConfigurationError(
            "prefix has up to 64 letters, digits and the signs _ . : - (no braces, which are the"
            f" cluster's), not {prefix!r}"
        )
    options = Options(
        prefix,
        *check_options(tenant=tenant, ttl=ttl, pool_size=pool_size, timeout=timeout),
        read_only,
    )
    kind = ReadOnlyBackend if read_only else SteadyBackend
    if isinstance(url, str):
        return kind(RedisBackend(address_of(url), options))
    check_client(url)
    return kind(RedisBackend(GivenClient(url, options.pool_size, options.timeout), options))
