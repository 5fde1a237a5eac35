"""Let no more turns happen than a rate allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal
from urllib.parse import quote

from memwrap.checks import check_choice
from memwrap.exceptions import ConfigurationError, RateLimited, StoreError
from memwrap.foreign import as_cause
from memwrap.memory.layer import Memory
from memwrap.turn import Handler, Send, Turn

__all__ = ["RateLimit"]

_LOCAL = "memory://"
_LEAST_WAIT = 0.01  # seconds, so that waiting turns do not spin


class RateLimit:
    """Refuse or delay turns when there are too many of them, before they take their session.

    Counted are turns that begin, by a window that moves with the time. Needs limits:
    ``pip install 'memwrap[limits]'``.

    Args:
        rate: How many turns in what time, as in ``"20/minute"``; several with a semicolon, as in
            ``"20/minute;200/day"``.
        key: Whose turns are counted together: a function from the turn to a text. By default the
            session; turns without one are counted together.
        storage: Where the counts are: ``"memory://"`` for this process alone, or what processes
            share, such as ``"redis://host:6379"``.
        on_exceeded: Whether a turn too many is refused, or waits until there is room.

    Raises:
        ConfigurationError: An option has no such value, or a library is not installed.
    """

    inside_of = ()
    outside_of = (Memory,)

    def __init__(
        self,
        rate: str,
        *,
        key: Callable[[Turn], str] | None = None,
        storage: str = _LOCAL,
        on_exceeded: Literal["raise", "wait"] = "raise",
    ) -> None:
        check_choice("RateLimit", "on_exceeded", on_exceeded, "raise", "wait")
        if key is not None and not callable(key):
            raise ConfigurationError(
                "RateLimit(key=...) is a function from a turn to a text, as in"
                f" key=lambda turn: turn.session_id; not {key!r}"
            )
        self.rate = rate
        self._key = key
        self._waits = on_exceeded == "wait"
        self._is_local = storage == _LOCAL
        self._limits, self._limiter = _made(rate, storage)

    def __repr__(self) -> str:
        return f"RateLimit({self.rate!r})"

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn if there is room for it.

        Raises:
            RateLimited: There were too many turns.
            StoreError: The storage failed.
            ConfigurationError: The key is no text.
        """
        key = turn.session_id or "" if self._key is None else self._key(turn)
        if not isinstance(key, str):
            raise ConfigurationError(
                f"RateLimit(key=...) returned {type(key).__name__}; it returns a text"
            )
        # The library joins keys by slashes.
        name = quote(key, safe="", errors="surrogatepass")
        while (wait := await self._hit(name)) is not None:
            if not self._waits:
                raise RateLimited(
                    f"session {turn.session_id!r}: there were more turns than"
                    f" RateLimit({self.rate!r}) allows; try again in {wait:.1f} s",
                    retry_after=wait,
                )
            await asyncio.sleep(max(wait, _LEAST_WAIT))
        await handler(turn, send)

    async def _hit(self, name: str) -> float | None:
        """Count a turn; return how many seconds it has to wait if there is no room for it."""
        if self._is_local:
            return self._count(name)
        try:
            return await asyncio.to_thread(self._count, name)
        except Exception as exc:  # noqa: BLE001  (drivers raise what they like)
            cause = as_cause(exc)
        raise StoreError("RateLimit: its storage failed; the agent was not called") from cause

    def _count(self, name: str) -> float | None:
        for limit in self._limits[1:] and self._limits:
            if not self._limiter.test(limit, name):
                return self._wait(limit, name)
        for limit in self._limits:
            if not self._limiter.hit(limit, name):  # somebody was faster
                return self._wait(limit, name)
        return None

    def _wait(self, limit: Any, name: str) -> float:
        reset: float = self._limiter.get_window_stats(limit, name).reset_time
        return max(reset - time.time(), 0.0)


def _made(rate: str, storage: str) -> tuple[list[Any], Any]:
    """Return the limits that a rate names, and what counts them."""
    try:
        limits = import_module("limits")
        strategies = import_module("limits.strategies")
        storages = import_module("limits.storage")
    except ImportError:
        raise ConfigurationError("RateLimit needs limits: pip install 'memwrap[limits]'") from None
    try:
        parsed = limits.parse_many(rate)
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"RateLimit takes a rate such as '20/minute' or '5/second;200/day', not {rate!r}"
        ) from None
    scheme = str(storage).partition(":")[0]  # the rest may hold a password
    try:
        counts = (
            import_module("memwrap.middleware.counts").Counts()
            if storage == _LOCAL
            else storages.storage_from_string(storage)
        )
        return parsed, strategies.MovingWindowRateLimiter(counts)
    except Exception as exc:  # noqa: BLE001  (each storage raises its own, and may quote the URL)
        problem = type(exc).__name__
    raise ConfigurationError(
        f"RateLimit(storage=...) of the scheme {scheme!r} cannot be used ({problem}); it is"
        " 'memory://' or 'redis://host:port', with the library of its client installed"
    )
