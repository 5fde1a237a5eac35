"""Connections to a PostgreSQL server, by the driver, which is imported with this module only."""

from __future__ import annotations

import itertools
import math
import os
import secrets
from typing import Any, TypeAlias

import asyncpg  # type: ignore[import-untyped, unused-ignore]

from memwrap.forks import in_child

__all__ = ["Connection", "connect", "is_pool"]

_numbers = itertools.count()
_process = ""


@in_child
def _name_process() -> None:
    """Give this process a name that no other process has, its parent included."""
    global _process  # noqa: PLW0603
    _process = f"{os.getpid():x}_{secrets.token_hex(8)}"


_name_process()

# Enough for all statements on a few schemas; the driver's own lifetime would prepare each anew
# every five minutes.
_CACHED = 500


class NamedConnection(asyncpg.Connection):  # type: ignore[misc, unused-ignore]
    """A connection whose prepared statements have names that no other process uses.

    The driver names them by a counter. Behind a pooler that lends one connection of the server to
    several processes, one would run the statement of another. The driver has no public way to name
    them, and a test notices when this one ends.
    """

    def _get_unique_id(self, prefix: str) -> str:
        return f"memwrap_{prefix}_{_process}_{next(_numbers):x}"


Connection: TypeAlias = Any  # asyncpg.Connection or what its pool hands out


async def connect(dsn: str, timeout: float, *, prepares: bool) -> Connection:  # noqa: ASYNC109
    """Return a new connection.

    Args:
        dsn: Where to, and as whom.
        timeout: Seconds.
        prepares: Whether statements are prepared once, and found again by name.
    """
    return await asyncpg.connect(
        dsn,
        timeout=math.ceil(timeout),
        statement_cache_size=_CACHED if prepares else 0,
        max_cached_statement_lifetime=0,
        connection_class=NamedConnection,
    )


def is_pool(value: object) -> bool:
    """Tell whether *value* is a pool of the driver's."""
    return isinstance(value, asyncpg.Pool)
