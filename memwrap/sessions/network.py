"""What sessions and stores on servers have in common: their options, and how they are closed."""

from __future__ import annotations

import importlib

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.backend import LINGER_SECONDS
from memwrap.sessions.checks import check_count, check_seconds, check_tenant
from memwrap.sessions.database import DatabaseSession

__all__ = ["NetworkSession", "check_driver", "check_options"]


class NetworkSession(DatabaseSession):
    """A session on a server, whose connections are shared."""

    async def close(self, *, linger: float = LINGER_SECONDS) -> None:
        """Give back this object's share in the connections; a later call of it takes one again.

        They are closed when nobody on this event loop uses them any more, and for *linger* seconds
        nobody else has come. With 0 that is when this ends.
        """
        await self._backend.close(linger)


def check_options(
    *, tenant: object, ttl: object, pool_size: object, timeout: object
) -> tuple[str, float | None, int, float]:
    """Return tenant, time to live in seconds, size of the pool and timeout in seconds.

    Raises:
        ConfigurationError: One of the values can be none.
    """
    seconds = check_seconds(timeout, "timeout")
    if seconds is None:
        raise ConfigurationError("timeout is a number of seconds more than 0, not None")
    size = check_count(pool_size, "pool_size")
    return check_tenant(tenant), check_seconds(ttl, "ttl"), size, seconds


def check_driver(module: str, server: str, extra: str) -> None:
    """Refuse to go on without a driver.

    Args:
        module: The driver.
        server: What it is for, as the error names it.
        extra: The extra of memwrap that installs it.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"{server} needs the driver {module}: pip install 'memwrap[{extra}]'"
        ) from None
