"""Call an agent again that has failed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

from memwrap.checks import check_errors, check_positive
from memwrap.exceptions import ConfigurationError
from memwrap.turn import Event, Handler, Send, Turn

__all__ = ["Errors", "Retry", "knows"]

Errors: TypeAlias = (
    "type[Exception] | tuple[type[Exception], ...] | Callable[[BaseException], bool]"
)
"""Which errors: a class, several, or a function that tells."""


class Retry:
    """Call the agent again when it fails before its first event; the waits grow, with jitter.

    What a failed attempt recorded is gone. All attempts are one turn with one lease, and one
    commit. When the attempts are over, the caller gets the last error, as the agent raised it.

    Needs tenacity: ``pip install 'memwrap[retry]'``.

    Args:
        on: Which errors are worth another attempt.
        attempts: How many attempts there are in all.
        wait_initial: Seconds before the second attempt; each later wait is twice as long.
        wait_max: The most seconds of a wait.
        wait_jitter: Up to that many seconds are added to each wait, at random.

    Raises:
        ConfigurationError: An option has no such value, or tenacity is not installed.
    """

    within_memory = True

    def __init__(
        self,
        *,
        on: Errors,
        attempts: int = 3,
        wait_initial: float = 0.1,
        wait_max: float = 5.0,
        wait_jitter: float = 1.0,
    ) -> None:
        check_errors("Retry", on)
        if type(attempts) is not int or attempts < 1:
            raise ConfigurationError(f"Retry(attempts=...) is a number from 1 on, not {attempts!r}")
        waits = {"wait_initial": wait_initial, "wait_max": wait_max, "wait_jitter": wait_jitter}
        for name, value in waits.items():
            if value != 0:
                check_positive("Retry", name, value)
        self.on = on
        self.attempts = attempts
        self._options = _options(attempts, wait_initial, wait_max, wait_jitter)

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn, with as many attempts as it needs and may have."""
        has_left = False

        async def forward(event: Event) -> None:
            nonlocal has_left
            has_left = True
            await send(event)

        try:
            await handler(turn, forward)
        except Exception as exc:
            if has_left or self.attempts == 1 or not knows(self.on, exc):
                raise
            failed: Exception | None = exc
        else:
            return

        # Most turns need one attempt: what counts the attempts is made for the others only.
        def is_again(error: BaseException) -> bool:
            return not has_left and isinstance(error, Exception) and knows(self.on, error)

        tenacity = import_module("tenacity")
        again = tenacity.retry_if_exception(is_again)
        async for attempt in tenacity.AsyncRetrying(retry=again, reraise=True, **self._options):
            with attempt:
                if failed is not None:
                    first, failed = failed, None
                    raise first
                await handler(turn, forward)


def knows(on: Errors, error: Exception) -> bool:
    """Tell whether *error* is one of *on*."""
    return isinstance(error, on) if isinstance(on, (type, tuple)) else bool(on(error))


def _options(attempts: int, initial: float, most: float, jitter: float) -> dict[str, Any]:
    try:
        tenacity = import_module("tenacity")
    except ImportError:
        raise ConfigurationError("Retry needs tenacity: pip install 'memwrap[retry]'") from None
    wait = tenacity.wait_exponential(multiplier=initial, max=most) + tenacity.wait_random(0, jitter)
    return {"stop": tenacity.stop_after_attempt(attempts), "wait": wait}
